// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Runs of updates, in the fence signalling path. Nothing here waits for memory or takes a
 * reservation lock. drm_gpuvm_imm.c prepares the updates.
 *
 * The object is checked, see drm_safe_signalling.h.
 */

#include "drm_safe_signalling.h"

#include <linux/dma-fence.h>
#include <linux/export.h>
#include <linux/slab.h>

#include <kunit/static_stub.h>
#include <kunit/visibility.h>

#include "drm_gpuvm_imm_internal.h"
#include "drm_gpuvm_imm_trace.h"

/*
 * A step did not return the value that drm_gpuvm_imm_*_done() gave it. Whatever it returned, the
 * library treats the step as failed, and as not having changed the page table.
 */
static noinline int drm_gpuvm_imm_step_failed(struct drm_gpuvm_imm *vm, void *token,
					      unsigned int done)
	__drm_nonallocating
{
	if (IS_ERR(token) && !done)
		return PTR_ERR(token);

	drm_safe_broken(vm->base.drm, "a step is completed once, and returns its result",
			"%s: %s; return the result of drm_gpuvm_imm_*_done() for this step, or an ERR_PTR()",
			vm->base.name,
			done > 1 ? "the step was completed twice" :
			IS_ERR(token) ? "the step was completed, but returned an error" :
			done ? "the step was completed, but did not return its result" :
			token ? "the step returned the result of another step" :
			"the step returned NULL");

	return IS_ERR(token) ? PTR_ERR(token) : -EINVAL;
}

static int drm_gpuvm_imm_step_result(struct drm_gpuvm_imm *vm, void *token,
				     const void *step, unsigned int done)
	__drm_nonallocating
{
	if (likely(token == step && done == 1))
		return 0;

	return drm_gpuvm_imm_step_failed(vm, token, done);
}

/* Makes the driver map a part of @va. */
static __always_inline int drm_gpuvm_imm_map(struct drm_gpuvm_imm *vm,
					     struct drm_gpuva *va, u64 addr,
					     u64 range)
	__drm_nonallocating
{
	struct drm_gpuvm_imm_map_step step = {
		.va = va,
		.obj = va->gem.obj,
		.addr = addr,
		.range = range,
		.offset = va->gem.obj ? va->gem.offset + (addr - va->va.addr) : 0,
	};
	void *token = vm->type->map(vm->core, &step);
	int ret = drm_gpuvm_imm_step_result(vm, token, &step, step.__done);

	drm_safe_trusted(trace_drm_gpuvm_imm_step(vm, "map", addr, range, ret));

	return ret;
}

static __always_inline int drm_gpuvm_imm_unmap(struct drm_gpuvm_imm *vm,
					       struct drm_gpuva *va, bool keep)
	__drm_nonallocating
{
	struct drm_gpuvm_imm_unmap_step step = { .va = va, .keep = keep };
	void *token = vm->type->unmap(vm->core, &step);
	int ret = drm_gpuvm_imm_step_result(vm, token, &step, step.__done);

	drm_safe_trusted(trace_drm_gpuvm_imm_step(vm, "unmap", va->va.addr, va->va.range, ret));

	return ret;
}

static int drm_gpuvm_imm_remap(struct drm_gpuvm_imm *vm,
			       struct drm_gpuvm_imm_remap_step *step)
	__drm_nonallocating
{
	void *token = vm->type->remap(vm->core, step);
	int ret = drm_gpuvm_imm_step_result(vm, token, step, step->__done);

	drm_safe_trusted(trace_drm_gpuvm_imm_step(vm, "remap", step->addr, step->range, ret));

	return ret;
}

/* Links up to two new VAs. A sparse VA has no vm_bo. */
static void drm_gpuvm_imm_link(struct drm_gpuvm_bo *vm_bo, struct drm_gpuva *a,
			       struct drm_gpuva *b)
	__drm_nonallocating
{
	if (!vm_bo)
		return;

	mutex_lock(&vm_bo->obj->gpuva.lock);
	if (a)
		drm_gpuva_link(a, vm_bo);
	if (b)
		drm_gpuva_link(b, vm_bo);
	mutex_unlock(&vm_bo->obj->gpuva.lock);
}

/*
 * Like drm_gpuva_link(), but transfers the update's reference to the VA, which points to
 * the vm_bo already. This saves taking one reference and putting another right away.
 */
static void drm_gpuvm_imm_link_new(struct drm_gpuvm_imm_update *update,
				   struct drm_gpuva *va)
	__drm_nonallocating
{
	struct drm_gpuvm_bo *vm_bo = va->vm_bo;

	update->__vas[DRM_GPUVM_IMM_UPDATE_NEW] = NULL;
	update->__vm_bo = NULL;
	if (!vm_bo)
		return;

	mutex_lock(&vm_bo->obj->gpuva.lock);
	drm_gpuva_link_owned(va);
	mutex_unlock(&vm_bo->obj->gpuva.lock);
}

/*
 * Like drm_gpuva_unlink_defer(), which puts the reference of the VA before it releases the lock of
 * the object. As soon as another task puts the last reference, the object may be freed, but
 * mutex_unlock() still accesses the mutex after another task could take it. So this puts the
 * reference after unlocking. The object may be freed from then on.
 */
static void drm_gpuvm_imm_unlink(struct drm_gpuva *va)
	__drm_nonallocating
{
	struct drm_gpuvm_bo *vm_bo = va->vm_bo;

	if (!vm_bo)
		return;

	mutex_lock(&vm_bo->obj->gpuva.lock);
	drm_gpuva_unlink_owned(va);
	mutex_unlock(&vm_bo->obj->gpuva.lock);
	va->vm_bo = NULL;
	va->gem.obj = NULL;
	drm_gpuvm_bo_put_late(vm_bo);
}

/* Maps the update's VA, which is in the tree already. Nothing else is mapped there. */
static __always_inline int drm_gpuvm_imm_map_new(struct drm_gpuvm_imm *vm,
						 struct drm_gpuvm_imm_update *update)
	__drm_nonallocating
{
	struct drm_gpuva *va = update->__vas[DRM_GPUVM_IMM_UPDATE_NEW];
	int ret;

	ret = drm_gpuvm_imm_map(vm, va, va->va.addr, va->va.range);
	if (unlikely(ret))
		drm_gpuva_remove(va);
	else
		drm_gpuvm_imm_link_new(update, va);

	return ret;
}

/* The VA was already initialised with the values of @op when the update was prepared. */
int drm_gpuvm_imm_sm_step_map(struct drm_gpuva_op *op, void *priv)
	__drm_nonallocating
{
	struct drm_gpuvm_imm_update *update = priv;
	struct drm_gpuvm_imm *vm = update->__vm;
	int ret;

	ret = drm_gpuva_insert(&vm->base, update->__vas[DRM_GPUVM_IMM_UPDATE_NEW]);
	if (WARN_ON_ONCE(ret))
		return ret;

	return drm_gpuvm_imm_map_new(vm, update);
}

/*
 * Removed VAs stay linked to their vm_bo, which keeps their objects, until the update
 * cannot fail any more. Their link is free because they are in no tree.
 */
static __always_inline int drm_gpuvm_imm_unmap_va(struct drm_gpuvm_imm_update *update,
						  struct drm_gpuva *va, bool keep)
	__drm_nonallocating
{
	int ret = drm_gpuvm_imm_unmap(update->__vm, va, keep);

	if (unlikely(ret))
		return ret;

	drm_gpuva_remove(va);
	list_add_tail(&va->drm_gpuva_link_entry, &update->__removed);

	return 0;
}

int drm_gpuvm_imm_sm_step_unmap(struct drm_gpuva_op *op, void *priv)
	__drm_nonallocating
{
	return drm_gpuvm_imm_unmap_va(priv, op->unmap.va, op->unmap.keep);
}

/* Makes a VA for a remaining part of @old, with a copy of the driver's data. */
static struct drm_gpuva *drm_gpuvm_imm_init_part(struct drm_gpuvm_imm *vm,
						 struct drm_gpuva *part,
						 const struct drm_gpuva *old,
						 struct drm_gpuva_op_map *op)
	__drm_nonallocating
{
	if (!op)
		return NULL;

	if (!old->gem.obj)
		op->gem.offset = 0;
	drm_gpuvm_imm_init_va(vm, part, op, old->vm_bo);
	drm_gpuvm_imm_copy_data(vm, part, old);

	return part;
}

/* The part is in the tree, and no longer belongs to the update. */
static void drm_gpuvm_imm_take_part(struct drm_gpuvm_imm_update *update,
				    enum drm_gpuvm_imm_update_va which,
				    struct drm_gpuva *part)
	__drm_nonallocating
{
	struct drm_gpuvm_imm *vm = update->__vm;

	if (!part)
		return;

	update->__vas[which] = NULL;
	if (vm->va_counted)
		vm->type->va_get(part);
}

int drm_gpuvm_imm_sm_step_remap(struct drm_gpuva_op *op, void *priv)
	__drm_nonallocating
{
	struct drm_gpuvm_imm_update *update = priv;
	struct drm_gpuvm_imm *vm = update->__vm;
	struct drm_gpuva *old = op->remap.unmap->va;
	struct drm_gpuva *prev, *next;
	struct drm_gpuvm_imm_remap_step step;
	int ret;

	prev = drm_gpuvm_imm_init_part(vm, update->__vas[DRM_GPUVM_IMM_UPDATE_PREV], old,
				       op->remap.prev);
	next = drm_gpuvm_imm_init_part(vm, update->__vas[DRM_GPUVM_IMM_UPDATE_NEXT], old,
				       op->remap.next);
	step = (struct drm_gpuvm_imm_remap_step) {
		.va = old,
		.prev = prev,
		.next = next,
		.keep = op->remap.unmap->keep,
	};
	drm_gpuva_op_remap_to_unmap_range(&op->remap, &step.addr, &step.range);
	ret = drm_gpuvm_imm_remap(vm, &step);
	if (ret)
		return ret;

	drm_gpuva_remap(prev, next, &op->remap);
	drm_gpuvm_imm_link(old->vm_bo, prev, next);
	drm_gpuvm_imm_take_part(update, DRM_GPUVM_IMM_UPDATE_PREV, prev);
	drm_gpuvm_imm_take_part(update, DRM_GPUVM_IMM_UPDATE_NEXT, next);
	list_add_tail(&old->drm_gpuva_link_entry, &update->__removed);

	return 0;
}

/* Splits the mapping that contains @update's address, unless the mapping starts there. */
static int drm_gpuvm_imm_split(struct drm_gpuvm_imm *vm,
			       struct drm_gpuvm_imm_update *update)
	__must_hold(vm) __drm_nonallocating
{
	u64 at = update->__addr;
	struct drm_gpuva *va = drm_gpuva_find_first(&vm->base, at, 1);
	struct drm_gpuva_op_map prev = {}, next = {};
	struct drm_gpuva_op_unmap unmap = { .va = va };
	struct drm_gpuva_op op = {
		.op = DRM_GPUVA_OP_REMAP,
		.remap = { .prev = &prev, .next = &next, .unmap = &unmap },
	};

	/* drm_gpuvm_imm_prepare_split() refuses addresses inside the reserved range. */
	if (!va || va->va.addr == at)
		return 0;

	prev.va.addr = va->va.addr;
	prev.va.range = at - va->va.addr;
	prev.gem.obj = va->gem.obj;
	prev.gem.offset = va->gem.offset;
	next.va.addr = at;
	next.va.range = va->va.range - prev.va.range;
	next.gem.obj = va->gem.obj;
	next.gem.offset = va->gem.offset + prev.va.range;

	return drm_gpuvm_imm_sm_step_remap(&op, update);
}

/*
 * Only the owner of the VM changes the list of a vm_bo's VAs. That is this task, so the
 * walk needs no lock. Unmapped VAs stay on the list.
 */
static int drm_gpuvm_imm_unmap_obj(struct drm_gpuvm_imm *vm,
				   struct drm_gpuvm_imm_update *update)
	__must_hold(vm) __drm_nonallocating
{
	struct drm_gpuvm_bo *vm_bo = update->__vm_bo;
	struct drm_gpuva *va;
	int ret;

	if (!vm_bo)
		return 0;

	drm_gpuvm_bo_for_each_va(va, vm_bo) {
		ret = drm_gpuvm_imm_unmap_va(update, va, false);
		if (ret)
			return ret;
	}

	return 0;
}

/* The remaining start and end of a mapping, or NULL */
struct drm_gpuvm_imm_parts {
	struct drm_gpuva *prev;
	struct drm_gpuva *next;
};

/*
 * Finds the remaining parts of @old, and the range that the removing step took away.
 * Later steps are undone already, so nothing else can be mapped there.
 */
static struct drm_gpuvm_imm_parts
drm_gpuvm_imm_find_removed(struct drm_gpuvm_imm *vm, const struct drm_gpuva *old,
			   u64 *start, u64 *end)
	__drm_nonallocating
{
	struct drm_gpuvm_imm_parts parts;

	*start = old->va.addr;
	*end = old->va.addr + old->va.range;
	parts.prev = drm_gpuva_find_first(&vm->base, *start, 1);
	parts.next = drm_gpuva_find_first(&vm->base, *end - 1, 1);
	if (parts.prev)
		*start = parts.prev->va.addr + parts.prev->va.range;
	if (parts.next)
		*end = parts.next->va.addr;

	return parts;
}

static void drm_gpuvm_imm_remove_parts(const struct drm_gpuvm_imm_parts *parts,
				       struct list_head *removed)
	__drm_nonallocating
{
	struct drm_gpuva *both[] = { parts->prev, parts->next };

	for (unsigned int i = 0; i < ARRAY_SIZE(both); i++) {
		if (!both[i])
			continue;
		drm_gpuva_remove(both[i]);
		list_add(&both[i]->drm_gpuva_link_entry, removed);
	}
}

/*
 * Undoes the step that removed @old: maps the range that this step took away again, and moves the
 * remaining parts to @removed. A split takes away no range, but is the only step of its update, so
 * it never has to be undone.
 */
static int drm_gpuvm_imm_restore(struct drm_gpuvm_imm *vm, struct drm_gpuva *old,
				 struct list_head *removed)
	__must_hold(vm) __drm_nonallocating
{
	struct drm_gpuvm_imm_parts parts;
	u64 start, end;
	int ret;

	parts = drm_gpuvm_imm_find_removed(vm, old, &start, &end);
	ret = drm_gpuvm_imm_map(vm, old, start, end - start);
	if (ret)
		return ret;

	drm_gpuvm_imm_remove_parts(&parts, removed);
	list_del(&old->drm_gpuva_link_entry);
	ret = drm_gpuva_insert(&vm->base, old);
	WARN_ON_ONCE(ret);

	return ret;
}

/*
 * Returns whether the step that removed @old got @keep. If so, the entries are those that
 * the new mapping, which was not made, would have.
 */
static bool drm_gpuvm_imm_was_kept(const struct drm_gpuvm_imm_update *update,
				   const struct drm_gpuva *old)
	__drm_nonallocating
{
	return update->__kind == DRM_GPUVM_IMM_UPDATE_MAP &&
	       old->vm_bo && old->vm_bo == update->__vm_bo &&
	       old->gem.offset - old->va.addr == update->__offset - update->__addr;
}

/*
 * The step that removed @old cannot be undone, and its entries may still be in the page
 * table, so turn @old into the mapping that these entries represent. Like any mapping, it
 * holds the object, can be evicted, and is unmapped when the core is given up.
 */
static void drm_gpuvm_imm_reinsert(struct drm_gpuvm_imm *vm, struct drm_gpuva *old)
	__must_hold(vm) __drm_nonallocating
{
	u64 start, end;

	drm_gpuvm_imm_find_removed(vm, old, &start, &end);
	/* Walks of other tasks find it. */
	mutex_lock(&old->vm_bo->obj->gpuva.lock);
	old->gem.offset += start - old->va.addr;
	old->va.addr = start;
	old->va.range = end - start;
	mutex_unlock(&old->vm_bo->obj->gpuva.lock);
	list_del(&old->drm_gpuva_link_entry);
	WARN_ON_ONCE(drm_gpuva_insert(&vm->base, old));
}

/*
 * A step failed, so undo the steps before it, the last one first. The map step comes last, so only
 * removals have to be undone. If a step of the driver fails here as well, this changes the mappings
 * to match the page table, and the address space is broken.
 */
static noinline void drm_gpuvm_imm_rollback(struct drm_gpuvm_imm *vm,
					    struct drm_gpuvm_imm_update *update)
	__must_hold(vm) __drm_nonallocating
{
	struct drm_gpuva *old, *tmp;
	LIST_HEAD(parts);

	list_for_each_entry_safe_reverse(old, tmp, &update->__removed, drm_gpuva_link_entry) {
		if (!READ_ONCE(vm->error) && drm_gpuvm_imm_restore(vm, old, &parts))
			WRITE_ONCE(vm->error, -ENOTRECOVERABLE);
		if (READ_ONCE(vm->error) && drm_gpuvm_imm_was_kept(update, old))
			drm_gpuvm_imm_reinsert(vm, old);
	}
	list_splice(&parts, &update->__removed);
}

static __always_inline void drm_gpuvm_imm_pool_push(struct drm_gpuvm_imm *vm,
						    struct drm_gpuva *va)
	__must_hold(&vm->pool_lock) __drm_nonallocating
{
	vm->pool[vm->pool_count++] = va;
}

/* One iteration of a writer's wait for debugfs. Out of line so that tests can replace it. */
void drm_gpuvm_imm_wait_for_reader(struct drm_gpuvm_imm *vm)
	__drm_nonallocating
{
	drm_safe_trusted(KUNIT_STATIC_STUB_REDIRECT(drm_gpuvm_imm_wait_for_reader, vm));

	drm_safe_trusted(cpu_relax());
}
EXPORT_SYMBOL_IF_KUNIT(drm_gpuvm_imm_wait_for_reader);

/* Lets other tasks take the lock. They may change the pool in any way. */
VISIBLE_IF_KUNIT void drm_gpuvm_imm_pool_pause(struct drm_gpuvm_imm *vm)
	__must_hold(&vm->pool_lock) __drm_nonallocating
{
	drm_safe_trusted(KUNIT_STATIC_STUB_REDIRECT(drm_gpuvm_imm_pool_pause, vm));

	drm_safe_trusted(spin_unlock(&vm->pool_lock));
	drm_safe_trusted(spin_lock(&vm->pool_lock));
}
EXPORT_SYMBOL_IF_KUNIT(drm_gpuvm_imm_pool_pause);

/*
 * Puts removed VAs into the pool, as many as fit besides the room that is reserved for lent VAs.
 * Returns the first VA that does not fit. The caller frees it and the VAs after it. No other
 * task can reach the rest of the list, so the walk can continue after a pause.
 */
static __always_inline struct drm_gpuva *
drm_gpuvm_imm_pool_push_list(struct drm_gpuvm_imm *vm, struct list_head *vas)
	__must_hold(&vm->pool_lock) __drm_nonallocating
{
	unsigned int batch = DRM_GPUVM_IMM_POOL_BATCH;
	struct drm_gpuva *va, *next;

	list_for_each_entry_safe(va, next, vas, drm_gpuva_link_entry) {
		if (unlikely(!batch--)) {
			drm_gpuvm_imm_pool_pause(vm);
			batch = DRM_GPUVM_IMM_POOL_BATCH - 1;
		}
		if (unlikely(vm->pool_count + vm->pool_lent >= vm->pool_size))
			break;
		drm_gpuvm_imm_pool_push(vm, va);
	}

	return va;
}

static noinline void drm_gpuvm_imm_freed(struct drm_gpuvm_imm *vm, int n)
	__drm_nonallocating
{
	drm_safe_trusted(spin_lock(&vm->pool_lock));
	drm_gpuvm_imm_vas_gone(vm, n);
	drm_safe_trusted(spin_unlock(&vm->pool_lock));
}

/*
 * Frees the rest of a list, from @va on, without a lock, because there may be many VAs. Each VA
 * counts until after it was freed.
 */
static __always_inline void drm_gpuvm_imm_free_from(struct drm_gpuvm_imm *vm, struct drm_gpuva *va,
						    struct list_head *vas)
	__drm_nonallocating
{
	struct drm_gpuva *next;
	int n = 0;

	list_for_each_entry_safe_from(va, next, vas, drm_gpuva_link_entry) {
		drm_safe_trusted(kfree(va));
		n++;
	}
	if (unlikely(n))
		drm_gpuvm_imm_freed(vm, n);
}

void drm_gpuvm_imm_recycle(struct drm_gpuvm_imm *vm, struct list_head *vas)
	__drm_nonallocating
{
	struct drm_gpuva *rest;

	drm_safe_trusted(spin_lock(&vm->pool_lock));
	rest = drm_gpuvm_imm_pool_push_list(vm, vas);
	drm_safe_trusted(spin_unlock(&vm->pool_lock));
	drm_gpuvm_imm_free_from(vm, rest, vas);
}

/* Moves VAs to @dead: the drain calls va_put for them before it recycles them. */
static void drm_gpuvm_imm_bury(struct drm_gpuvm_imm *vm, struct list_head *vas)
	__drm_nonallocating
{
	if (list_empty(vas))
		return;
	drm_safe_trusted(spin_lock(&vm->pool_lock));
	if (!vm->dead) {
		vm->dead = vas->next;
		list_del_init(vas);
	} else {
		list_splice_tail_init(vas, vm->dead);
	}
	drm_safe_trusted(spin_unlock(&vm->pool_lock));
}

static void drm_gpuvm_imm_update_bury(struct drm_gpuvm_imm *vm,
				      struct drm_gpuvm_imm_update *update)
	__drm_nonallocating
{
	struct drm_gpuva *new = update->__vas[DRM_GPUVM_IMM_UPDATE_NEW];

	if (new) {
		/* As if it was unlinked: nothing holds the vm_bo or the object any more. */
		new->vm_bo = NULL;
		new->gem.obj = NULL;
		list_add(&new->drm_gpuva_link_entry, &update->__removed);
	}
	update->__vas[DRM_GPUVM_IMM_UPDATE_NEW] = NULL;
	drm_gpuvm_imm_bury(vm, &update->__removed);
}

/*
 * Recycles the VAs of an update: spare ones, whose memory this does not touch, and those
 * that the update removed. Returns true if the drain has something to do now.
 */
static __always_inline bool drm_gpuvm_imm_update_recycle(struct drm_gpuvm_imm *vm,
							 struct drm_gpuvm_imm_update *update)
	__drm_nonallocating
{
	struct drm_gpuva *rest;
	bool drain;

	if (unlikely(vm->va_counted))
		drm_gpuvm_imm_update_bury(vm, update);

	drm_safe_trusted(spin_lock(&vm->pool_lock));
	for (unsigned int i = 0; i < DRM_GPUVM_IMM_UPDATE_VAS; i++) {
		if (update->__vas[i])
			drm_gpuvm_imm_pool_push(vm, update->__vas[i]);
		update->__vas[i] = NULL;
	}
	vm->pool_lent -= update->__lent;
	update->__lent = 0;
	rest = drm_gpuvm_imm_pool_push_list(vm, &update->__removed);
	drain = vm->dead;
	if (unlikely(vm->pool_count > DRM_GPUVM_IMM_POOL_MAX + vm->pool_lent) && !vm->pool_trim) {
		vm->pool_trim = true;
		drain = true;
	}
	drm_safe_trusted(spin_unlock(&vm->pool_lock));
	drm_gpuvm_imm_free_from(vm, rest, &update->__removed);

	return drain;
}

/*
 * Empties an update: releases the removed VAs for good, the spare VAs, and the
 * references. Used after a run, successful or not, and for an update that was not run,
 * which has removed nothing. The caller makes sure that the address space stays.
 *
 * This and the functions that it calls are inline, because on some architectures, such as
 * UML, a call costs as much as the work here.
 */
static __always_inline void drm_gpuvm_imm_update_release(struct drm_gpuvm_imm_update *update)
	__drm_nonallocating
{
	struct drm_gpuvm_imm *vm = update->__vm;
	bool held = update->__vm_held;
	struct drm_gpuva *va;
	bool drain;

	list_for_each_entry(va, &update->__removed, drm_gpuva_link_entry)
		drm_gpuvm_imm_unlink(va);
	drain = drm_gpuvm_imm_update_recycle(vm, update);
	if (update->__vm_bo)
		drm_gpuvm_bo_put_late(update->__vm_bo);
	update->__vm_bo = NULL;
	update->__vm = NULL;

	/* This task sees what it has added to the list. */
	if (unlikely(drain || drm_gpuvm_has_deferred(&vm->base))) {
		if (!held)
			drm_safe_trusted(drm_gpuvm_get(&vm->base));
		drm_gpuvm_imm_put_and_drain(vm);
	} else if (held) {
		/* Not the last one: see above. */
		drm_safe_trusted(drm_gpuvm_put_not_last(&vm->base));
	}
}

/*
 * Most mappings go where nothing is mapped, and inserting the mapping finds that out. Looking up
 * first would cost an extra tree walk. But after a mapping has replaced another one, the next
 * update is likely to do the same, for example while a driver fills a sparse range. So look up
 * first in that case, because inserting would fail.
 */
static int drm_gpuvm_imm_do_map(struct drm_gpuvm_imm *vm,
				struct drm_gpuvm_imm_update *update)
	__must_hold(vm) __drm_nonallocating
{
	struct drm_gpuva *va = update->__vas[DRM_GPUVM_IMM_UPDATE_NEW];
	struct drm_gpuvm_bo *vm_bo = update->__vm_bo;
	struct drm_gpuvm_map_req req = {
		.map.va.addr = update->__addr,
		.map.va.range = update->__range,
		.map.gem.obj = vm_bo ? vm_bo->obj : NULL,
		.map.gem.offset = update->__offset,
	};
	int ret;

	if (!vm->replaces && !drm_gpuva_insert(&vm->base, va))
		return drm_gpuvm_imm_map_new(vm, update);

	ret = drm_gpuvm_sm_map(&vm->base, update, &req);
	vm->replaces = !list_empty(&update->__removed);

	return ret;
}

/* Inserting fails if something is mapped there. */
static int drm_gpuvm_imm_do_map_hole(struct drm_gpuvm_imm *vm,
				     struct drm_gpuvm_imm_update *update)
	__must_hold(vm) __drm_nonallocating
{
	int ret = drm_gpuva_insert(&vm->base, update->__vas[DRM_GPUVM_IMM_UPDATE_NEW]);

	return ret ?: drm_gpuvm_imm_map_new(vm, update);
}

/* Most unmapped ranges were mapped by one update, so there is nothing to split. */
static int drm_gpuvm_imm_do_unmap(struct drm_gpuvm_imm *vm,
				  struct drm_gpuvm_imm_update *update)
	__must_hold(vm) __drm_nonallocating
{
	u64 addr = update->__addr, range = update->__range;
	struct drm_gpuva *va;

	va = drm_gpuva_find_first(&vm->base, addr, range);
	if (!va)
		return 0;
	if (va->va.addr != addr || va->va.range != range)
		return drm_gpuvm_sm_unmap(&vm->base, update, addr, range);

	return drm_gpuvm_imm_unmap_va(update, va, false);
}

static int drm_gpuvm_imm_do_run(struct drm_gpuvm_imm *vm,
				struct drm_gpuvm_imm_update *update)
	__must_hold(vm) __drm_nonallocating
{
	switch (update->__kind) {
	case DRM_GPUVM_IMM_UPDATE_MAP:
		return drm_gpuvm_imm_do_map(vm, update);
	case DRM_GPUVM_IMM_UPDATE_MAP_HOLE:
		return drm_gpuvm_imm_do_map_hole(vm, update);
	case DRM_GPUVM_IMM_UPDATE_UNMAP:
		return drm_gpuvm_imm_do_unmap(vm, update);
	case DRM_GPUVM_IMM_UPDATE_UNMAP_OBJ:
		return drm_gpuvm_imm_unmap_obj(vm, update);
	case DRM_GPUVM_IMM_UPDATE_SPLIT:
		return drm_gpuvm_imm_split(vm, update);
	}

	return -EINVAL;
}

/* Reports why an update is not run, and drops it. */
static noinline int drm_gpuvm_imm_run_refused(struct drm_gpuvm_imm_core *core,
					      struct drm_gpuvm_imm_update *update)
	__drm_nonallocating
{
	struct drm_gpuvm_imm *vm = update->__vm;

	if (vm && READ_ONCE(vm->core) == core)
		drm_safe_broken(vm->base.drm, "a run has a context if its type has one",
				"%s: the steps would get no context; call drm_gpuvm_imm_run() with one",
				vm->base.name);
	else
		drm_safe_broken(vm ? vm->base.drm : NULL,
				"an update is run once, by the core of the VM it was prepared for",
				"%s", !vm ? "the update is empty" :
				core->__vm != vm ? "the update was prepared for another VM" :
				"the core is a copy: use the core that was initialised");
	drm_gpuvm_imm_update_drop(update);

	return -EINVAL;
}

static __always_inline int drm_gpuvm_imm_run_claimed(struct drm_gpuvm_imm *vm,
						     struct drm_gpuvm_imm_update *update)
	__must_hold(vm) __drm_nonallocating
{
	int ret = READ_ONCE(vm->error);

	if (likely(!ret)) {
		ret = drm_gpuvm_imm_do_run(vm, update);
		if (unlikely(ret)) {
			drm_safe_trusted(trace_drm_gpuvm_imm_rollback(update, ret));
			drm_gpuvm_imm_rollback(vm, update);
		}
	}
	drm_safe_trusted(trace_drm_gpuvm_imm_run(update, ret));

	return ret;
}

/* Without a context, @ctx is the constant NULL, which compiles to no code. */
static __always_inline int __drm_gpuvm_imm_run(struct drm_gpuvm_imm_core *core,
					       struct drm_gpuvm_imm_update *update, void *ctx)
	__drm_nonallocating
{
	struct drm_gpuvm_imm *vm = update->__vm;
	int ret;

	if (unlikely(!drm_gpuvm_imm_claim(vm))) {
		drm_safe_broken(vm->base.drm, "a VM has one writer at a time",
				"%s: changed again before a change has ended: take a driver lock around all uses of the core",
				vm->base.name);
		drm_gpuvm_imm_update_drop(update);
		return -EBUSY;
	}

	if (ctx)
		core->__ctx = ctx;
	ret = drm_gpuvm_imm_run_claimed(vm, update);
	if (ctx)
		core->__ctx = NULL;
	drm_gpuvm_imm_update_release(update);
	drm_gpuvm_imm_unclaim(vm);

	return ret;
}

/**
 * drm_gpuvm_imm_core_run() - drm_gpuvm_imm_run() with the core alone
 * @core: the core, of a type without a context
 * @update: the update; empty afterwards, whatever is returned
 *
 * Calls the driver's steps that the change needs. If a step fails, the library undoes the steps
 * before it with the driver's steps, and the mappings are the same as before. If one of these
 * steps fails as well, the address space is broken, see drm_gpuvm_imm_is_broken(). It has lost
 * mappings in that case, but no mapping whose entries may still be in the page table.
 *
 * Changes of earlier updates are not undone, even if one job runs several updates.
 *
 * Context: In the fence signalling path, in a thread: it may sleep. Allocates no
 * memory and takes no reservation lock; takes the gpuva lock of the objects. The call is
 * a fence signalling section of its own, in which lockdep checks the driver's
 * steps. The driver must serialise the calls for @core.
 *
 * Return:
 * * 0
 * * the error of the failed step
 * * -EEXIST if something is mapped in the hole of drm_gpuvm_imm_prepare_map_hole()
 * * -EINVAL if @update is empty or was prepared for another address space, or
 *   if @core is a copy, or of a type with a context
 * * -EBUSY if the core is in use by another call, which is a driver bug
 * * -ENOTRECOVERABLE if the address space is broken
 * * -ESHUTDOWN after drm_gpuvm_imm_close()
 */
int drm_gpuvm_imm_core_run(struct drm_gpuvm_imm_core *core, struct drm_gpuvm_imm_update *update)
	__drm_nonallocating
{
	struct drm_gpuvm_imm *vm = update->__vm;
	bool cookie = dma_fence_begin_signalling();
	int ret;

	/* Unlocked: only the end of the core changes this, and that comes after the last run. */
	if (likely(vm && READ_ONCE(vm->plain_core) == core))
		ret = __drm_gpuvm_imm_run(core, update, NULL);
	else
		ret = drm_gpuvm_imm_run_refused(core, update);
	dma_fence_end_signalling(cookie);

	return ret;
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_core_run);

/**
 * drm_gpuvm_imm_core_run_ctx() - drm_gpuvm_imm_run() with the core alone, and a context
 * @core: the core
 * @update: the update; empty afterwards, whatever is returned
 * @ctx: the context for each step of this run
 *
 * Context: As drm_gpuvm_imm_core_run().
 *
 * Return: as drm_gpuvm_imm_core_run(); -EINVAL also if @ctx is NULL, which is a driver bug.
 */
int drm_gpuvm_imm_core_run_ctx(struct drm_gpuvm_imm_core *core,
			       struct drm_gpuvm_imm_update *update, void *ctx)
	__drm_nonallocating
{
	struct drm_gpuvm_imm *vm = update->__vm;
	bool cookie = dma_fence_begin_signalling();
	int ret;

	/* Unlocked: see drm_gpuvm_imm_core_run(). */
	if (likely(vm && ctx && READ_ONCE(vm->core) == core))
		ret = __drm_gpuvm_imm_run(core, update, ctx);
	else
		ret = drm_gpuvm_imm_run_refused(core, update);
	dma_fence_end_signalling(cookie);

	return ret;
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_core_run_ctx);

/**
 * drm_gpuvm_imm_update_drop() - give up a prepared change
 * @update: the update; empty afterwards. It may be empty already
 *
 * Context: Any thread, also in the fence signalling path.
 */
void drm_gpuvm_imm_update_drop(struct drm_gpuvm_imm_update *update)
	__drm_nonallocating
{
	struct drm_gpuvm_imm *vm = update->__vm;

	if (!vm)
		return;

	/* The update's vm_bo may hold the only reference to the address space. */
	drm_safe_trusted(drm_gpuvm_get(&vm->base));
	drm_gpuvm_imm_update_release(update);
	drm_gpuvm_imm_put(vm);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_update_drop);

/*
 * Makes the driver unmap @va when the core is closed or given up. Its object may be freed after
 * this.
 */
static void drm_gpuvm_imm_unmap_last(struct drm_gpuvm_imm *vm, struct drm_gpuva *va)
	__drm_nonallocating
{
	int ret = drm_gpuvm_imm_unmap(vm, va, false);

	if (unlikely(ret))
		drm_safe_broken(vm->base.drm, "an unmap step succeeds when the core goes",
				"%s: the step failed with %d; entries at 0x%llx may outlive their pages",
				vm->base.name, ret, va->va.addr);
}

/* Removes every mapping that is left when the core is closed or given up. */
void drm_gpuvm_imm_unmap_all(struct drm_gpuvm_imm *vm)
	__drm_nonallocating
{
	struct drm_gpuva *va, *next;
	LIST_HEAD(removed);

	drm_gpuvm_for_each_va_safe(va, next, &vm->base) {
		if (va == drm_gpuvm_reserved(&vm->base))
			continue;
		drm_gpuvm_imm_unmap_last(vm, va);
		drm_gpuva_remove(va);
		drm_gpuvm_imm_unlink(va);
		list_add(&va->drm_gpuva_link_entry, &removed);
	}
	if (vm->va_counted) {
		drm_gpuvm_imm_bury(vm, &removed);
		return;
	}
	drm_gpuvm_imm_recycle(vm, &removed);
}

static noinline void drm_gpuvm_imm_report_close(const struct drm_gpuvm_imm *vm)
	__drm_nonallocating
{
	drm_safe_broken(vm->base.drm, "a VM has one writer at a time",
			"%s: closed while another call uses it; take a driver lock around all uses of the core",
			vm->base.name);
}

/* The caller's section of the fence signalling path covers this. */
static void __drm_gpuvm_imm_close(struct drm_gpuvm_imm *vm)
	__drm_nonallocating
{
	if (unlikely(!drm_gpuvm_imm_claim(vm))) {
		drm_gpuvm_imm_report_close(vm);
		return;
	}

	/* Before the mappings go, so that nothing is prepared for them any more. */
	if (!READ_ONCE(vm->error))
		WRITE_ONCE(vm->error, -ESHUTDOWN);
	drm_gpuvm_imm_unmap_all(vm);
	/* The core has a reference until drm_gpuvm_imm_fini(). */
	drm_safe_trusted(drm_gpuvm_get(&vm->base));
	drm_gpuvm_imm_put_and_drain(vm);
	drm_gpuvm_imm_unclaim(vm);
}

/**
 * drm_gpuvm_imm_close() - unmap everything, and refuse all further changes
 * @core: the core; nothing happens if it has no address space, or was closed before
 *
 * For an address space that userspace has destroyed while the driver still refers to it, say in a
 * context that runs jobs, or in buffers that unmap themselves later. The core stays until
 * drm_gpuvm_imm_fini(), which the driver calls when it drops its last reference to the structure
 * around the core.
 *
 * Unmaps all mappings through the driver's unmap step, which must not fail here. Needs no memory,
 * and so does not fail. From then on, preparing and running updates, locking and validating fail
 * with -ESHUTDOWN. Updates that were prepared before fail in the same way when they run. So no
 * other task can map anything after the call, and no mapping keeps the address space.
 *
 * Context: In a thread, also in the fence signalling path: may sleep, but takes no lock except
 * the gpuva locks of the objects. The driver serialises this with other uses of @core, as it does
 * for drm_gpuvm_imm_run(). Not from inside a step.
 */
void drm_gpuvm_imm_close(struct drm_gpuvm_imm_core *core)
	__drm_nonallocating
{
	struct drm_gpuvm_imm *vm = drm_gpuvm_imm_shared(core);
	bool cookie;

	if (!vm)
		return;
	cookie = dma_fence_begin_signalling();
	__drm_gpuvm_imm_close(vm);
	dma_fence_end_signalling(cookie);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_close);
