// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * An address space with N mappings at the even slots of 16 pages. Each round
 * works on up to BENCH_OPS slots in random order and puts back what it changed.
 * The raw side uses drm_gpuvm like panthor.
 */

#include <linux/prandom.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_exec.h>
#include <drm/drm_gem.h>
#include <drm/drm_gpuvm.h>

#include "bench.h"
#include "drm_gpuvm_imm_internal.h"
#include "drm_safe_test.h"

#define BENCH_OPS	1024
#define BENCH_RANGE	BIT_ULL(46)
#define BENCH_SLOT	(16ULL * SZ_4K)

struct bench_gem {
	struct drm_gem_object base;
};

static void bench_gem_free(struct drm_gem_object *gem)
{
	drm_gem_object_release(gem);
	kfree(container_of(gem, struct bench_gem, base));
}

static const struct drm_gem_object_funcs bench_gem_funcs = { .free = bench_gem_free };

struct bench_vm {
	DRM_GPUVM_IMM_CORE(core);
	u64 steps;
};

struct bench_va {
	u64 tag;
};

DRM_GPUVM_IMM_TYPE(bench_vm_type, struct bench_vm, core, struct bench_va, struct bench_gem, base);

static struct drm_gpuvm_imm_mapped *
bench_vm_map(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_map_step *step)
	__drm_nonallocating
{
	struct bench_vm *vm = drm_gpuvm_imm_of(&bench_vm_type, core);

	vm->steps += step->range;
	return drm_gpuvm_imm_map_done(step);
}

static struct drm_gpuvm_imm_unmapped *
bench_vm_unmap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_unmap_step *step)
	__drm_nonallocating
{
	struct bench_vm *vm = drm_gpuvm_imm_of(&bench_vm_type, core);

	vm->steps += step->va->va.range;
	return drm_gpuvm_imm_unmap_done(step);
}

static struct drm_gpuvm_imm_remapped *
bench_vm_remap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_remap_step *step)
	__drm_nonallocating
{
	struct bench_vm *vm = drm_gpuvm_imm_of(&bench_vm_type, core);

	vm->steps += step->range;
	return drm_gpuvm_imm_remap_done(step);
}

static int bench_vm_evict(struct drm_gpuvm_imm_core *core, struct drm_gpuvm_bo *vm_bo)
{
	return 0;
}

static int bench_vm_validate(struct drm_gpuvm_imm_core *core, struct drm_gpuvm_bo *vm_bo,
			     struct drm_exec *exec)
{
	return 0;
}

const struct bench_vm_type bench_vm_type = {
	.base.evict = bench_vm_evict,
	.base.validate = bench_vm_validate,
	.base.granule = SZ_4K,
	.base.obj_funcs = &bench_gem_funcs,
	.base.map = bench_vm_map,
	.base.unmap = bench_vm_unmap,
	.base.remap = bench_vm_remap,
};

struct raw_va {
	struct drm_gpuva base;
	u64 tag;
};

/*
 * The job of a VM_BIND: the range, a vm_bo, and spare VAs for a map that splits, or for an unmap,
 * which needs only two.
 */
struct raw_update {
	struct drm_gpuvm_bo *vm_bo;
	struct raw_va *spare[3];
	u64 addr;
	u64 range;
	u64 offset;
};

struct bench_gpuvm {
	struct kunit *test;
	struct drm_device *drm;
	struct bench_gem *gem;
	struct bench_gem *own_gem;	/* as @gem, but in the library's address space alone */
	struct bench_gem *other;	/* not mapped */
	unsigned int n;
	u32 slot[BENCH_OPS];
	struct bench_gpuvm *vm_of;	/* whose address space is prepared for */
	struct rnd_state rnd;
	int error;	/* of any run, on either side */

	struct drm_gpuvm *raw;
	struct drm_gpuvm_bo *raw_bo;
	struct raw_update raw_updates[BENCH_OPS];
	u64 raw_steps;

	struct bench_vm vm;
	struct drm_gpuvm_imm_update updates[BENCH_OPS];
};

/* The core's steps have the update only; the address space is that of the VA. */
struct raw_run {
	struct bench_gpuvm *b;
	struct raw_update *update;
};

static struct raw_va *raw_take(struct raw_update *update)
{
	struct raw_va *va = NULL;

	for (int i = 0; i < ARRAY_SIZE(update->spare) && !va; i++)
		swap(va, update->spare[i]);
	return va;
}

static void raw_link(struct raw_va *va, struct drm_gpuvm_bo *vm_bo)
{
	mutex_lock(&vm_bo->obj->gpuva.lock);
	drm_gpuva_link(&va->base, vm_bo);
	mutex_unlock(&vm_bo->obj->gpuva.lock);
}

static int raw_step_map(struct drm_gpuva_op *op, void *priv)
{
	struct raw_run *run = priv;
	struct raw_va *va = raw_take(run->update);

	run->b->raw_steps += op->map.va.range;
	drm_gpuva_map(run->b->raw, &va->base, &op->map);
	if (!run->update->vm_bo) {
		va->base.flags |= DRM_GPUVA_SPARSE;
		return 0;
	}
	raw_link(va, run->update->vm_bo);
	drm_gpuvm_bo_put_deferred(run->update->vm_bo);
	run->update->vm_bo = NULL;
	return 0;
}

static int raw_step_unmap(struct drm_gpuva_op *op, void *priv)
{
	struct raw_run *run = priv;
	struct drm_gpuva *va = op->unmap.va;

	run->b->raw_steps += va->va.range;
	drm_gpuva_unmap(&op->unmap);
	drm_gpuva_unlink_defer(va);
	kfree(container_of(va, struct raw_va, base));
	return 0;
}

static int raw_step_remap(struct drm_gpuva_op *op, void *priv)
{
	struct raw_run *run = priv;
	struct raw_va *va = container_of(op->remap.unmap->va, struct raw_va, base);
	struct raw_va *prev = op->remap.prev ? raw_take(run->update) : NULL;
	struct raw_va *next = op->remap.next ? raw_take(run->update) : NULL;
	u64 addr, range;

	drm_gpuva_op_remap_to_unmap_range(&op->remap, &addr, &range);
	run->b->raw_steps += range;
	if (prev)
		prev->tag = va->tag;
	if (next)
		next->tag = va->tag;
	drm_gpuva_remap(prev ? &prev->base : NULL, next ? &next->base : NULL, &op->remap);
	if (prev)
		raw_link(prev, va->base.vm_bo);
	if (next)
		raw_link(next, va->base.vm_bo);
	drm_gpuva_unlink_defer(&va->base);
	kfree(va);
	return 0;
}

static void raw_vm_free(struct drm_gpuvm *gpuvm)
{
	kfree(gpuvm);
}

static int raw_validate(struct drm_gpuvm_bo *vm_bo, struct drm_exec *exec)
{
	drm_gpuvm_bo_evict(vm_bo, false);
	return 0;
}

static const struct drm_gpuvm_ops raw_ops = {
	.vm_bo_validate = raw_validate,
	.vm_free = raw_vm_free,
	.sm_step_map = raw_step_map,
	.sm_step_unmap = raw_step_unmap,
	.sm_step_remap = raw_step_remap,
};

static void raw_prepare(struct raw_update *update, struct drm_gpuvm_bo *vm_bo, u64 addr,
			u64 range, u64 offset)
{
	*update = (struct raw_update) {
		.vm_bo = vm_bo, .addr = addr, .range = range, .offset = offset,
	};
	for (int i = 0; i < (vm_bo ? 3 : 2); i++)
		update->spare[i] = kzalloc_obj(*update->spare[i]);
}

/* Frees the leftovers of the run. This counts as run time, as in drm_gpuvm_imm_run(). */
static void raw_drop(struct raw_update *update)
{
	for (int i = 0; i < ARRAY_SIZE(update->spare); i++)
		kfree(update->spare[i]);
}

static void raw_map(struct bench_gpuvm *b, struct raw_update *update)
{
	struct raw_run run = { .b = b, .update = update };
	struct drm_gpuvm_map_req req = {
		.map.va.addr = update->addr,
		.map.va.range = update->range,
		.map.gem.obj = &b->gem->base,
		.map.gem.offset = update->offset,
	};

	b->error |= drm_gpuvm_sm_map(b->raw, &run, &req);
}

static void raw_unmap(struct bench_gpuvm *b, struct raw_update *update)
{
	struct raw_run run = { .b = b, .update = update };

	b->error |= drm_gpuvm_sm_unmap(b->raw, &run, update->addr, update->range);
}

/* Untimed: with all that goes with it. */
static void raw_map_whole(struct bench_gpuvm *b, u64 addr, u64 range, u64 offset)
{
	struct raw_update update;

	raw_prepare(&update, drm_gpuvm_bo_get(b->raw_bo), addr, range, offset);
	raw_map(b, &update);
	raw_drop(&update);
}

static void raw_unmap_whole(struct bench_gpuvm *b, u64 addr, u64 range)
{
	struct raw_update update;

	raw_prepare(&update, NULL, addr, range, 0);
	raw_unmap(b, &update);
	raw_drop(&update);
}

/* As in VM_BIND: find the vm_bo, allocate for the worst case, map, clean up. */
static noinline void raw_path(struct bench_gpuvm *b, u64 addr)
{
	struct drm_gpuvm_bo *vm_bo;
	struct raw_update update;

	vm_bo = drm_gpuvm_bo_obtain_prealloc(drm_gpuvm_bo_create(b->raw, &b->gem->base));
	dma_resv_lock(drm_gpuvm_resv(b->raw), NULL);
	drm_gpuvm_bo_extobj_add(vm_bo);
	dma_resv_unlock(drm_gpuvm_resv(b->raw));
	raw_prepare(&update, vm_bo, addr, BENCH_SLOT, BENCH_SLOT);
	raw_map(b, &update);
	raw_drop(&update);
	drm_gpuvm_bo_deferred_cleanup(b->raw);
}

static noinline int safe_path(struct bench_gpuvm *b, u64 addr)
{
	struct drm_gpuvm_imm_update *update = &b->updates[0];

	return drm_gpuvm_imm_prepare_map(&bench_vm_type, drm_gpuvm_imm_shared(b->vm.core), update,
					 b->gem, addr, BENCH_SLOT, BENCH_SLOT, NULL) ?:
		drm_gpuvm_imm_run(&bench_vm_type, &b->vm, update, NULL);
}

static void safe_prepare(struct bench_gpuvm *b, unsigned int i, u64 addr, u64 range, u64 offset)
{
	KUNIT_ASSERT_EQ(b->test, drm_gpuvm_imm_prepare_map(&bench_vm_type,
							   drm_gpuvm_imm_shared(b->vm.core),
							   &b->updates[i], b->gem, addr, range,
							   offset, NULL), 0);
}

static void safe_prepare_unmap(struct bench_gpuvm *b, unsigned int i, u64 addr)
{
	KUNIT_ASSERT_EQ(b->test, 0, drm_gpuvm_imm_prepare_unmap(drm_gpuvm_imm_shared(b->vm.core),
								&b->updates[i], addr, BENCH_SLOT));
}

static void safe_run(struct bench_gpuvm *b, unsigned int loops)
{
	for (unsigned int i = 0; i < loops; i++)
		KUNIT_ASSERT_EQ(b->test, 0, drm_gpuvm_imm_run(&bench_vm_type, &b->vm,
							      &b->updates[i], NULL));
}

static u64 mapped(const struct bench_gpuvm *b, unsigned int i)
{
	return 2 * b->slot[i] * BENCH_SLOT;
}

static u64 hole(const struct bench_gpuvm *b, unsigned int i)
{
	return mapped(b, i) + BENCH_SLOT;
}

/*
 * Another order each time: a processor that has seen an order of so few searches
 * before knows which way each of them goes.
 */
static void shuffle(struct bench_gpuvm *b, unsigned int ops)
{
	for (unsigned int i = ops; i-- > 1;) {
		unsigned int other = prandom_u32_state(&b->rnd) % (i + 1);

		swap(b->slot[i], b->slot[other]);
	}
}

static u64 map_raw(void *ctx, unsigned int loops)
{
	struct bench_gpuvm *b = ctx;
	u64 time;

	shuffle(b, loops);
	for (unsigned int i = 0; i < loops; i++)
		raw_prepare(&b->raw_updates[i], drm_gpuvm_bo_get(b->raw_bo), hole(b, i),
			    BENCH_SLOT, BENCH_SLOT);
	time = BENCH_LOOP(loops, ({
		raw_map(b, &b->raw_updates[__i]);
		raw_drop(&b->raw_updates[__i]);
	}));
	for (unsigned int i = 0; i < loops; i++)
		raw_unmap_whole(b, hole(b, i), BENCH_SLOT);
	return time;
}

static u64 map_safe(void *ctx, unsigned int loops)
{
	struct bench_gpuvm *b = ctx;
	u64 time;

	shuffle(b, loops);
	for (unsigned int i = 0; i < loops; i++)
		safe_prepare(b, i, hole(b, i), BENCH_SLOT, BENCH_SLOT);
	time = BENCH_LOOP(loops, b->error |= drm_gpuvm_imm_run(&bench_vm_type, &b->vm,
							       &b->updates[__i], NULL));
	for (unsigned int i = 0; i < loops; i++)
		safe_prepare_unmap(b, i, hole(b, i));
	safe_run(b, loops);
	return time;
}

static u64 unmap_raw(void *ctx, unsigned int loops)
{
	struct bench_gpuvm *b = ctx;
	u64 time;

	for (unsigned int i = 0; i < loops; i++)
		raw_map_whole(b, hole(b, i), BENCH_SLOT, BENCH_SLOT);
	shuffle(b, loops);
	for (unsigned int i = 0; i < loops; i++)
		raw_prepare(&b->raw_updates[i], NULL, hole(b, i), BENCH_SLOT, 0);
	time = BENCH_LOOP(loops, ({
		raw_unmap(b, &b->raw_updates[__i]);
		raw_drop(&b->raw_updates[__i]);
	}));
	return time;
}

static u64 unmap_safe(void *ctx, unsigned int loops)
{
	struct bench_gpuvm *b = ctx;

	for (unsigned int i = 0; i < loops; i++)
		safe_prepare(b, i, hole(b, i), BENCH_SLOT, BENCH_SLOT);
	safe_run(b, loops);
	shuffle(b, loops);
	for (unsigned int i = 0; i < loops; i++)
		safe_prepare_unmap(b, i, hole(b, i));
	return BENCH_LOOP(loops, b->error |= drm_gpuvm_imm_run(&bench_vm_type, &b->vm,
							       &b->updates[__i], NULL));
}

/* A page in the middle of a mapping becomes another one's. */
static u64 split_raw(void *ctx, unsigned int loops)
{
	struct bench_gpuvm *b = ctx;
	u64 time;

	shuffle(b, loops);
	for (unsigned int i = 0; i < loops; i++)
		raw_prepare(&b->raw_updates[i], drm_gpuvm_bo_get(b->raw_bo),
			    mapped(b, i) + SZ_16K, SZ_4K, BENCH_SLOT);
	time = BENCH_LOOP(loops, ({
		raw_map(b, &b->raw_updates[__i]);
		raw_drop(&b->raw_updates[__i]);
	}));
	for (unsigned int i = 0; i < loops; i++)
		raw_map_whole(b, mapped(b, i), BENCH_SLOT, 0);
	return time;
}

static u64 split_safe(void *ctx, unsigned int loops)
{
	struct bench_gpuvm *b = ctx;
	u64 time;

	shuffle(b, loops);
	for (unsigned int i = 0; i < loops; i++)
		safe_prepare(b, i, mapped(b, i) + SZ_16K, SZ_4K, BENCH_SLOT);
	time = BENCH_LOOP(loops, b->error |= drm_gpuvm_imm_run(&bench_vm_type, &b->vm,
							       &b->updates[__i], NULL));
	for (unsigned int i = 0; i < loops; i++)
		safe_prepare(b, i, mapped(b, i), BENCH_SLOT, 0);
	safe_run(b, loops);
	return time;
}

static u64 path_raw(void *ctx, unsigned int loops)
{
	struct bench_gpuvm *b = ctx;
	u64 time;

	shuffle(b, loops);
	time = BENCH_LOOP(loops, raw_path(b, hole(b, __i)));

	for (unsigned int i = 0; i < loops; i++)
		raw_unmap_whole(b, hole(b, i), BENCH_SLOT);
	return time;
}

static u64 path_safe(void *ctx, unsigned int loops)
{
	struct bench_gpuvm *b = ctx;
	u64 time;

	shuffle(b, loops);
	time = BENCH_LOOP(loops, b->error |= safe_path(b, hole(b, __i)));

	for (unsigned int i = 0; i < loops; i++)
		safe_prepare_unmap(b, i, hole(b, i));
	safe_run(b, loops);
	return time;
}

/* Connect an object with the address space, and give that up. */
static __always_inline void raw_obtain_put(struct bench_gpuvm *b, struct bench_gem *gem)
{
	struct drm_gpuvm_bo *vm_bo = drm_gpuvm_bo_create(b->raw, &gem->base);

	vm_bo = drm_gpuvm_bo_obtain_prealloc(vm_bo);
	dma_resv_lock(drm_gpuvm_resv(b->raw), NULL);
	drm_gpuvm_bo_extobj_add(vm_bo);
	dma_resv_unlock(drm_gpuvm_resv(b->raw));
	drm_gpuvm_bo_put_deferred(vm_bo);
}

static __always_inline void safe_obtain_put(struct bench_gpuvm *b, struct bench_gem *gem)
{
	struct drm_gpuvm_bo *vm_bo;

	vm_bo = drm_gpuvm_imm_obtain_gem(drm_gpuvm_imm_shared(b->vm.core), &gem->base, NULL);
	drm_gpuvm_imm_bo_put(vm_bo);
}

static u64 obtain_raw(void *ctx, unsigned int loops)
{
	struct bench_gpuvm *b = ctx;

	return BENCH_LOOP(loops, raw_obtain_put(b, b->gem));
}

static u64 obtain_safe(void *ctx, unsigned int loops)
{
	struct bench_gpuvm *b = ctx;

	return BENCH_LOOP(loops, safe_obtain_put(b, b->gem));
}

/* The first connection of an object, and its end, which is put off: on one side by RCU only. */
static u64 obtain_first_raw(void *ctx, unsigned int loops)
{
	struct bench_gpuvm *b = ctx;

	return BENCH_LOOP(loops, ({
		raw_obtain_put(b, b->other);
		drm_gpuvm_bo_deferred_cleanup(b->raw);
	}));
}

/* A work item makes the calls that the raw side makes itself. */
static u64 obtain_first_safe(void *ctx, unsigned int loops)
{
	struct bench_gpuvm *b = ctx;

	return BENCH_LOOP(loops, safe_obtain_put(b, b->other));
}

/* Prepares like a VM_BIND ioctl, while others do so for the same address space. It is not run. */
static noinline void raw_prepare_drop(struct bench_gpuvm *of)
{
	struct drm_gpuvm_bo *vm_bo;
	struct raw_update update;

	vm_bo = drm_gpuvm_bo_obtain_prealloc(drm_gpuvm_bo_create(of->raw, &of->gem->base));
	dma_resv_lock(drm_gpuvm_resv(of->raw), NULL);
	drm_gpuvm_bo_extobj_add(vm_bo);
	dma_resv_unlock(drm_gpuvm_resv(of->raw));
	raw_prepare(&update, vm_bo, 0, BENCH_SLOT, 0);
	raw_drop(&update);
	drm_gpuvm_bo_put_deferred(vm_bo);
}

static noinline int safe_prepare_drop(struct bench_gpuvm *b, struct bench_gpuvm *of)
{
	int ret = drm_gpuvm_imm_prepare_map(&bench_vm_type, drm_gpuvm_imm_shared(of->vm.core),
					    &b->updates[0], of->gem, 0, BENCH_SLOT, 0, NULL);

	drm_gpuvm_imm_update_drop(&b->updates[0]);
	return ret;
}

static u64 prepare_drop_raw(void *ctx, unsigned int loops)
{
	struct bench_gpuvm *b = ctx;

	return BENCH_LOOP(loops, raw_prepare_drop(b->vm_of));
}

static u64 prepare_drop_safe(void *ctx, unsigned int loops)
{
	struct bench_gpuvm *b = ctx;

	return BENCH_LOOP(loops, b->error |= safe_prepare_drop(b, b->vm_of));
}

/* Lock the address space and all of its objects for an execution. */
static __always_inline int raw_lock_all(struct bench_gpuvm *b, struct drm_exec *exec)
{
	int ret = 0;

	drm_exec_init(exec, DRM_EXEC_INTERRUPTIBLE_WAIT, 0);
	drm_exec_until_all_locked(exec) {
		ret = drm_gpuvm_prepare_vm(b->raw, exec, 1) ?:
		      drm_gpuvm_prepare_objects(b->raw, exec, 1);
		drm_exec_retry_on_contention(exec);
	}
	return ret;
}

static __always_inline int safe_lock_all(struct bench_gpuvm *b, struct drm_exec *exec)
{
	int ret = 0;

	drm_exec_init(exec, DRM_EXEC_INTERRUPTIBLE_WAIT, 0);
	drm_exec_until_all_locked(exec) {
		ret = drm_gpuvm_imm_lock(drm_gpuvm_imm_shared(b->vm.core), exec, 1);
		drm_exec_retry_on_contention(exec);
	}
	return ret;
}

static u64 exec_raw(void *ctx, unsigned int loops)
{
	struct bench_gpuvm *b = ctx;

	return BENCH_LOOP(loops, ({
		struct drm_exec exec;
		int ret = raw_lock_all(b, &exec);

		b->error |= ret;
		drm_exec_fini(&exec);
	}));
}

static u64 exec_safe(void *ctx, unsigned int loops)
{
	struct bench_gpuvm *b = ctx;

	return BENCH_LOOP(loops, ({
		struct drm_exec exec;
		int ret = safe_lock_all(b, &exec);

		b->error |= ret;
		drm_exec_fini(&exec);
	}));
}

/* An object is evicted, and validated by the next execution. The steps are empty. */
static u64 evict_raw(void *ctx, unsigned int loops)
{
	struct bench_gpuvm *b = ctx;

	return BENCH_LOOP(loops, ({
		struct drm_gpuvm_bo *vm_bo;
		struct drm_exec exec;
		int ret = raw_lock_all(b, &exec);

		scoped_guard(mutex, &b->gem->base.gpuva.lock) {
			drm_gem_for_each_gpuvm_bo(vm_bo, &b->gem->base)
				if (vm_bo->vm == b->raw)
					drm_gpuvm_bo_evict(vm_bo, true);
		}
		b->error |= ret ?: drm_gpuvm_validate(b->raw, &exec);
		drm_exec_fini(&exec);
	}));
}

static u64 evict_safe(void *ctx, unsigned int loops)
{
	struct bench_gpuvm *b = ctx;

	return BENCH_LOOP(loops, ({
		struct drm_exec exec;
		int ret = safe_lock_all(b, &exec);

		b->error |= ret ?: drm_gpuvm_imm_evict(&bench_vm_type, b->own_gem) ?:
			    drm_gpuvm_imm_validate(b->vm.core, &exec);
		drm_exec_fini(&exec);
	}));
}

static int raw_sparse(struct bench_gpuvm *b, struct raw_update *update)
{
	struct raw_run run = { .b = b, .update = update };
	struct drm_gpuvm_map_req req = {
		.map.va.addr = update->addr,
		.map.va.range = update->range,
	};

	return drm_gpuvm_sm_map(b->raw, &run, &req);
}

static u64 sparse_raw(void *ctx, unsigned int loops)
{
	struct bench_gpuvm *b = ctx;
	u64 time;

	shuffle(b, loops);
	for (unsigned int i = 0; i < loops; i++) {
		raw_prepare(&b->raw_updates[i], NULL, hole(b, i), BENCH_SLOT, 0);
		b->raw_updates[i].spare[2] = kzalloc_obj(*b->raw_updates[i].spare[2]);
	}
	time = BENCH_LOOP(loops, ({
		b->error |= raw_sparse(b, &b->raw_updates[__i]);
		raw_drop(&b->raw_updates[__i]);
	}));
	for (unsigned int i = 0; i < loops; i++)
		raw_unmap_whole(b, hole(b, i), BENCH_SLOT);
	return time;
}

static u64 sparse_safe(void *ctx, unsigned int loops)
{
	struct bench_gpuvm *b = ctx;
	u64 time;

	shuffle(b, loops);
	for (unsigned int i = 0; i < loops; i++)
		b->error |= drm_gpuvm_imm_prepare_map_sparse(drm_gpuvm_imm_shared(b->vm.core),
							     &b->updates[i], hole(b, i),
							     BENCH_SLOT);
	time = BENCH_LOOP(loops, b->error |= drm_gpuvm_imm_run(&bench_vm_type, &b->vm,
							       &b->updates[__i], NULL));
	for (unsigned int i = 0; i < loops; i++)
		safe_prepare_unmap(b, i, hole(b, i));
	safe_run(b, loops);
	return time;
}

static void raw_start(struct bench_gpuvm *b)
{
	struct drm_gem_object *resv_obj = drm_gpuvm_resv_object_alloc(b->drm);

	KUNIT_ASSERT_NOT_NULL(b->test, resv_obj);
	b->raw = kzalloc_obj(*b->raw);
	KUNIT_ASSERT_NOT_NULL(b->test, b->raw);
	drm_gpuvm_init(b->raw, "raw", DRM_GPUVM_RESV_PROTECTED | DRM_GPUVM_IMMEDIATE_MODE, b->drm,
		       resv_obj, 0, BENCH_RANGE, 0, 0, &raw_ops);
	drm_gem_object_put(resv_obj);
	b->raw_bo = drm_gpuvm_bo_obtain_prealloc(drm_gpuvm_bo_create(b->raw, &b->gem->base));
	dma_resv_lock(drm_gpuvm_resv(b->raw), NULL);
	drm_gpuvm_bo_extobj_add(b->raw_bo);
	dma_resv_unlock(drm_gpuvm_resv(b->raw));
}

static void raw_end(struct bench_gpuvm *b)
{
	raw_unmap_whole(b, 0, BENCH_RANGE);
	drm_gpuvm_bo_put_deferred(b->raw_bo);
	drm_gpuvm_bo_deferred_cleanup(b->raw);
	drm_gpuvm_put(b->raw);
}

static struct bench_gem *bench_gem_new(struct bench_gpuvm *b)
{
	struct bench_gem *gem = kzalloc_obj(*gem);

	KUNIT_ASSERT_NOT_NULL(b->test, gem);
	gem->base.funcs = &bench_gem_funcs;
	drm_gem_private_object_init(b->drm, &gem->base, SZ_4M);
	return gem;
}

static const struct bench_pair bench_gpuvm_pairs[] = {
	{ "obtain", obtain_raw, obtain_safe },
	{ "map", map_raw, map_safe },
	{ "unmap", unmap_raw, unmap_safe },
	{ "split", split_raw, split_safe },
	{ "map, sparse", sparse_raw, sparse_safe },
	{ "whole driver path", path_raw, path_safe },
};

/* Work that does not depend on the number of mappings */
static const struct bench_pair bench_gpuvm_others[] = {
	{ "obtain first, with its end", obtain_first_raw, obtain_first_safe, 1000 },
	{ "exec, lock", exec_raw, exec_safe, 10000 },
	{ "exec, evict and validate", evict_raw, evict_safe, 10000 },
};

/* Several processors prepare for address spaces of their own, and for one. */
static const struct bench_pair bench_gpuvm_own_vm = {
	"prepare and drop", prepare_drop_raw, prepare_drop_safe, 10000,
};

static const struct bench_pair bench_gpuvm_one_vm = {
	"one VM, prepare and drop", prepare_drop_raw, prepare_drop_safe, 10000,
};

/* Several processors map one object, each in an address space of its own. */
static const struct bench_pair bench_gpuvm_one_obj[] = {
	{ "one object, obtain", obtain_raw, obtain_safe },
	{ "one object, map", map_raw, map_safe },
	{ "one object, unmap", unmap_raw, unmap_safe },
	{ "one object, split", split_raw, split_safe },
	{ "one object, whole driver path", path_raw, path_safe },
};

/* With objects of its own, unless @gem is given */
static void bench_gpuvm_start(struct bench_gpuvm *b, unsigned int n, unsigned int ops,
			      struct bench_gem *gem)
{
	static const struct drm_gpuvm_imm_config config = {
		.name = "safe", .range = BENCH_RANGE, .max_vas = DRM_GPUVM_IMM_VAS_MOST,
	};

	b->n = n;
	b->gem = gem ?: bench_gem_new(b);
	if (gem)
		drm_gem_object_get(&gem->base);
	b->own_gem = bench_gem_new(b);
	b->other = bench_gem_new(b);
	raw_start(b);
	KUNIT_ASSERT_EQ(b->test, drm_gpuvm_imm_init(&bench_vm_type, &b->vm, b->drm, &config), 0);
	for (unsigned int i = 0; i < n; i++) {
		raw_map_whole(b, 2 * i * BENCH_SLOT, BENCH_SLOT, 0);
		safe_prepare(b, 0, 2 * i * BENCH_SLOT, BENCH_SLOT, 0);
		safe_run(b, 1);
	}
	prandom_seed_state(&b->rnd, n);
	for (unsigned int i = 0; i < ops; i++)
		b->slot[i] = (u64)i * n / ops;
}

static void bench_gpuvm_end(struct bench_gpuvm *b)
{
	/* Both sides have done the same work, and all of it. */
	KUNIT_EXPECT_EQ(b->test, b->error, 0);
	KUNIT_EXPECT_EQ(b->test, b->raw_steps, b->vm.steps);
	drm_gpuvm_imm_fini(b->vm.core);
	raw_end(b);
	drm_gem_object_put(&b->gem->base);
	drm_gem_object_put(&b->own_gem->base);
	drm_gem_object_put(&b->other->base);
}

/* Two VMs with one external object each */
static void bench_gpuvm_no_n(struct bench_gpuvm *b)
{
	void *const each[BENCH_CPUS] = BENCH_EACH(b);

	for (int i = 0; i < bench_cpus(); i++) {
		bench_gpuvm_start(&b[i], 0, 0, NULL);
		KUNIT_ASSERT_EQ(b->test, 0,
				drm_gpuvm_imm_prepare_map(&bench_vm_type,
							  drm_gpuvm_imm_shared(b[i].vm.core),
							  &b[i].updates[0], b[i].own_gem, 0,
							  BENCH_SLOT, 0, NULL));
		safe_run(&b[i], 1);
		raw_map_whole(&b[i], 0, BENCH_SLOT, 0);
	}
	for (int i = 0; i < ARRAY_SIZE(bench_gpuvm_others); i++)
		bench_compare(b->test, &bench_gpuvm_others[i], 0, each);
	for (int i = 0; i < bench_cpus(); i++)
		b[i].vm_of = &b[i];
	bench_compare(b->test, &bench_gpuvm_own_vm, 0, each);
	for (int i = 0; i < bench_cpus(); i++)
		b[i].vm_of = b;
	if (bench_cpus() > 1)
		bench_compare(b->test, &bench_gpuvm_one_vm, 0, each);
	for (int i = 0; i < bench_cpus(); i++)
		bench_gpuvm_end(&b[i]);
}

static void bench_gpuvm_n(struct bench_gpuvm *b, unsigned int n)
{
	const unsigned int ops = min(n, BENCH_OPS);
	void *const each[BENCH_CPUS] = BENCH_EACH(b);

	for (int i = 0; i < bench_cpus(); i++)
		bench_gpuvm_start(&b[i], n, ops, NULL);
	for (int i = 0; i < ARRAY_SIZE(bench_gpuvm_pairs); i++) {
		struct bench_pair pair = bench_gpuvm_pairs[i];

		pair.loops = ops;
		bench_compare(b->test, &pair, n, each);
	}
	for (int i = 0; i < bench_cpus(); i++)
		bench_gpuvm_end(&b[i]);
}

static void bench_gpuvm_shared(struct bench_gpuvm *b, unsigned int n)
{
	const unsigned int ops = min(n, BENCH_OPS);
	void *const each[BENCH_CPUS] = BENCH_EACH(b);

	for (int i = 0; i < bench_cpus(); i++)
		bench_gpuvm_start(&b[i], n, ops, i ? b->gem : NULL);
	for (int i = 0; i < ARRAY_SIZE(bench_gpuvm_one_obj); i++) {
		struct bench_pair pair = bench_gpuvm_one_obj[i];

		pair.loops = ops;
		bench_compare(b->test, &pair, n, each);
	}
	for (int i = 0; i < bench_cpus(); i++)
		bench_gpuvm_end(&b[i]);
}

/* A VM's pool of VAs grows with the updates that are prepared at a time. */
static void bench_gpuvm_sizes(struct kunit *test)
{
	kunit_info(test, "size,VA with 8 bytes of data,%zu,%zu", sizeof(struct raw_va),
		   sizeof(struct drm_gpuva) + sizeof(struct bench_va));
	kunit_info(test, "size,vm_bo without data,%zu,%zu", sizeof(struct drm_gpuvm_bo),
		   sizeof(struct drm_gpuvm_bo));
	kunit_info(test, "size,VM,%zu,%zu", sizeof(struct drm_gpuvm),
		   sizeof(struct drm_gpuvm_imm) + DRM_GPUVM_IMM_POOL_FIRST * sizeof(void *));
	kunit_info(test, "size,prepared update,%zu,%zu", sizeof(struct raw_update),
		   sizeof(struct drm_gpuvm_imm_update));
}

static void bench_gpuvm_all(struct kunit *test)
{
	static const unsigned int ns[] = { 100, 1000, 10000, 100000 };
	struct bench_gpuvm *b = kunit_kcalloc(test, BENCH_CPUS, sizeof(*b), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, b);
	b->test = test;
	b->drm = drm_dev_alloc(drm_safe_test_driver(), drm_safe_test_parent(test));
	KUNIT_ASSERT_FALSE(test, IS_ERR(b->drm));
	for (int i = 1; i < BENCH_CPUS; i++) {
		b[i].test = test;
		b[i].drm = b->drm;
	}
	bench_gpuvm_no_n(b);
	for (int i = 0; i < ARRAY_SIZE(ns) && bench_wants(ns[i]); i++)
		bench_gpuvm_n(b, ns[i]);
	if (bench_cpus() > 1)
		bench_gpuvm_shared(b, 1000);
	drm_gpuvm_imm_flush();
	drm_dev_put(b->drm);
}

static struct kunit_case bench_gpuvm_cases[] = {
	KUNIT_CASE(bench_gpuvm_sizes),
	KUNIT_CASE_ATTR(bench_gpuvm_all, {.speed = KUNIT_SPEED_VERY_SLOW}),
	{}
};

struct kunit_suite bench_gpuvm_suite = {
	.name = "drm_safe_bench_gpuvm",
	.test_cases = bench_gpuvm_cases,
};
