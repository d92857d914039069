// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Execution and eviction. An execution locks all objects that its address space can reach,
 * validates evicted objects, and adds its fence. Eviction leaves objects alone that are locked
 * or have a fence.
 */

#include <linux/export.h>
#include <linux/log2.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>

#include "drm_gpuvm_imm_internal.h"

/**
 * drm_gpuvm_imm_lock() - lock an address space and all its external objects
 * @vm: the address space
 * @exec: the locking context
 * @num_fences: how many fences will be added to each reservation object
 *
 * Call this in the loop of drm_exec_until_all_locked(), followed by
 * drm_exec_retry_on_contention(). Also finds out which external objects were evicted.
 *
 * Context: May sleep.
 *
 * Return: 0, -ENOTRECOVERABLE if @vm is broken, see drm_gpuvm_imm_is_broken(), -ESHUTDOWN after
 * drm_gpuvm_imm_close(), -EINVAL if it is NULL, which is a driver bug, or what
 * drm_exec_prepare_obj() returns.
 */
int drm_gpuvm_imm_lock(struct drm_gpuvm_imm *vm, struct drm_exec *exec,
		       unsigned int num_fences)
{
	int ret;

	if (drm_gpuvm_imm_is_none(vm))
		return -EINVAL;
	/* Unlocked: see the invariants of @error. */
	ret = READ_ONCE(vm->error);
	if (unlikely(ret))
		return ret;

	ret = drm_gpuvm_prepare_vm(&vm->base, exec, num_fences);
	if (ret)
		return ret;

	return drm_gpuvm_prepare_objects(&vm->base, exec, num_fences);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_lock);

/* Returns whether the range is in the address space. The reserved range has no objects. */
static bool drm_gpuvm_imm_in_space(const struct drm_gpuvm_imm *vm, u64 addr, u64 range)
{
	u64 end;

	return !check_add_overflow(addr, range, &end) &&
	       addr >= drm_gpuvm_imm_va_start(vm) && end <= drm_gpuvm_imm_va_end(vm);
}

/**
 * drm_gpuvm_imm_lock_range() - lock the objects that are mapped in a range
 * @core: the core
 * @exec: the locking context; should ignore duplicates, since an object can be
 *	mapped more than once
 * @addr: start of the range, in bytes of GPU address
 * @range: length of the range in bytes
 * @num_fences: how many fences will be added to each reservation object
 *
 * Used like drm_gpuvm_imm_lock(), by drivers that change their address spaces outside the fence
 * signalling path. In other drivers, drm_gpuvm_imm_run() takes the driver's lock around the core in
 * that path, so they must not hold this lock while they wait for reservation locks, which lockdep
 * checks. They lock all objects with drm_gpuvm_imm_lock().
 *
 * The range may contain the reserved range, which has no objects.
 *
 * Context: May sleep; the driver keeps others from changing the address space.
 *
 * Return: 0, -EINVAL if the range is empty or not in the address space, or there is no
 * address space, -ENOTRECOVERABLE if the address space is broken, -ESHUTDOWN if it was closed, or
 * what drm_exec_prepare_obj() returns.
 */
int drm_gpuvm_imm_lock_range(const struct drm_gpuvm_imm_core *core,
			     struct drm_exec *exec, u64 addr, u64 range,
			     unsigned int num_fences)
{
	struct drm_gpuvm_imm *vm = drm_gpuvm_imm_shared(core);
	int error;

	if (!vm || !range || !drm_gpuvm_imm_in_space(vm, addr, range))
		return -EINVAL;
	/* Unlocked: see the invariants of @error. */
	error = READ_ONCE(vm->error);
	if (unlikely(error))
		return error;

	drm_gpuvm_imm_assert_readable(vm);

	return drm_gpuvm_prepare_range(&vm->base, exec, addr, range, num_fences);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_lock_range);

/**
 * drm_gpuvm_imm_add_fence() - add a fence to everything that is locked
 * @vm: the address space
 * @exec: the locking context
 * @fence: the fence
 * @private_usage: how objects that share the reservation lock of @vm are used
 * @extobj_usage: how other objects are used
 *
 * Adds the fence to nothing if @vm is NULL, which is a driver bug.
 *
 * Context: The objects in @exec are locked, with room for the fence.
 */
void drm_gpuvm_imm_add_fence(struct drm_gpuvm_imm *vm, struct drm_exec *exec,
			     struct dma_fence *fence,
			     enum dma_resv_usage private_usage,
			     enum dma_resv_usage extobj_usage)
{
	if (drm_gpuvm_imm_is_none(vm))
		return;

	drm_gpuvm_resv_add_fence(&vm->base, exec, fence, private_usage,
				 extobj_usage);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_add_fence);

static void drm_gpuvm_imm_report_lacks(struct drm_device *drm, const char *step)
{
	drm_safe_broken(drm, "a type has the step that a call needs", "the type has no %s step",
			step);
}

static void drm_gpuvm_imm_mark(struct drm_gem_object *obj, bool invalid)
{
	dma_resv_assert_held(obj->resv);

	guard(mutex)(&obj->gpuva.lock);
	drm_gpuvm_bo_gem_evict(obj, invalid);
}

/**
 * drm_gpuvm_imm_set_invalid() - say that the pages of an object went away
 * @obj: the object
 *
 * The next execution of every address space that maps @obj validates it. For drivers that
 * move objects themselves; drm_gpuvm_imm_evict() does this for the objects that it
 * evicts.
 *
 * Context: The caller holds the reservation lock of @obj; a shrinker can call
 * this. Takes the gpuva lock of @obj.
 */
void drm_gpuvm_imm_set_invalid(struct drm_gem_object *obj)
{
	drm_gpuvm_imm_mark(obj, true);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_set_invalid);

/**
 * drm_gpuvm_imm_set_valid() - say that the pages of an object are back
 * @obj: the object
 *
 * The next execution of an address space does not validate @obj: the driver has mapped it
 * in all page tables. drm_gpuvm_imm_validate() does this for one address space.
 *
 * Context: As drm_gpuvm_imm_set_invalid().
 */
void drm_gpuvm_imm_set_valid(struct drm_gem_object *obj)
{
	drm_gpuvm_imm_mark(obj, false);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_set_valid);

/*
 * A vm_bo without mappings can belong to a prepared or a running update, whose step may have looked
 * up the pages already. So this calls the evict step for such a vm_bo, too: the driver's lock tells
 * the step whether an update is running. An update that runs later finds the object evicted.
 */
static int drm_gpuvm_imm_evict_from(struct drm_gpuvm_bo *vm_bo,
				    const struct drm_gpuvm_imm_type *type)
{
	struct drm_gpuvm_imm *vm;
	int ret;

	lockdep_assert_held(&vm_bo->obj->gpuva.lock);
	if (!drm_gpuvm_imm_is_of(vm_bo->vm, type))
		return -EBUSY;

	vm = to_drm_gpuvm_imm(vm_bo->vm);
	/* Trylock: drm_gpuvm_imm_fini() takes gpuva locks under evict_lock. */
	if (!mutex_trylock(&vm->evict_lock))
		return -EBUSY;

	/* If the core was given up, the page table is gone for good. */
	ret = vm->core ? type->evict(vm->core, vm_bo) : 0;
	if (!ret)
		drm_gpuvm_bo_evict(vm_bo, true);
	mutex_unlock(&vm->evict_lock);

	return ret;
}

/*
 * Returns whether an eviction is little enough work. Clients can share an object, so the limit
 * of an address space does not bound the work. This counts the mappings before any work is done:
 * if an eviction gave up halfway, the next scan would do the same work again.
 */
static bool drm_gpuvm_imm_evict_is_small(const struct drm_gpuvm_imm_type *type,
					 struct drm_gem_object *obj)
{
	const u32 most = type->max_evict ?: DRM_GPUVM_IMM_EVICT_DEFAULT;
	struct drm_gpuvm_bo *vm_bo;
	struct drm_gpuva *va;
	u64 vms = 0, work = 0;

	lockdep_assert_held(&obj->gpuva.lock);
	drm_gem_for_each_gpuvm_bo(vm_bo, obj) {
		if (++vms > most)
			return false;
		drm_gpuvm_bo_for_each_va(va, vm_bo) {
			work += 1 + (va->va.range >> ilog2(DRM_GPUVM_IMM_EVICT_PART));
			if (work > most)
				return false;
		}
	}

	return true;
}

/* A killed task gives up, except in memory reclaim: it may need the memory in order to exit. */
static bool drm_gpuvm_imm_evict_goes_on(void)
{
	return !fatal_signal_pending(current) || (current->flags & PF_MEMALLOC);
}

/**
 * drm_gpuvm_imm_evict_gem() - drm_gpuvm_imm_evict() with a GEM object
 * @type: the type of the address spaces
 * @obj: the object
 *
 * Calls &drm_gpuvm_imm_type.evict for each address space of the type that has a vm_bo of
 * @obj, even if its first mapping is only prepared. For an object's own evict step, see
 * &struct drm_shmem_obj. Steps that map or unmap @obj in any address space wait meanwhile, so
 * &drm_gpuvm_imm_type.max_evict bounds the work.
 *
 * Context: Also in memory reclaim. The caller holds the reservation lock of @obj. Takes
 * its gpuva lock, under which the step is called.
 *
 * Return: 0; -EBUSY, with nothing changed, if @obj exceeds &drm_gpuvm_imm_type.max_evict; -EBUSY if
 * a vm_bo of @obj belongs to an address space of another type, or to one whose core is just being
 * given up; -EINTR if the task was killed, except in memory reclaim; -EINVAL if the type has no
 * evict step, or takes objects of another type, which are driver bugs; or the first error of the
 * evict step. Each address space that @obj was taken out of validates @obj in its next execution,
 * even if it maps @obj only after this call.
 */
int drm_gpuvm_imm_evict_gem(const struct drm_gpuvm_imm_type *type, struct drm_gem_object *obj)
{
	struct drm_gpuvm_bo *vm_bo;
	int ret = 0;

	dma_resv_assert_held(obj->resv);
	if (!type->evict) {
		drm_gpuvm_imm_report_lacks(obj->dev, "evict");
		return -EINVAL;
	}
	if (obj->funcs != type->obj_funcs && !drm_gpuvm_imm_has_kind(type, obj)) {
		drm_safe_broken(obj->dev, "a VM takes objects of its own device and type",
				"the evicted object is of another type than the objects of these VMs");
		return -EINVAL;
	}

	guard(mutex)(&obj->gpuva.lock);
	if (!drm_gpuvm_imm_evict_is_small(type, obj))
		return -EBUSY;
	drm_gem_for_each_gpuvm_bo(vm_bo, obj) {
		ret = drm_gpuvm_imm_evict_goes_on() ? drm_gpuvm_imm_evict_from(vm_bo, type) :
						      -EINTR;
		if (ret)
			break;
	}

	return ret;
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_evict_gem);

/**
 * drm_gpuvm_imm_validate() - bring evicted objects back
 * @core: the core
 * @exec: the locking context
 *
 * Calls &drm_gpuvm_imm_type.validate for each object that was evicted since its last
 * validation.
 *
 * Context: May sleep. The VM and its objects are locked by drm_gpuvm_imm_lock()
 * with @exec, which also keeps two validations apart.
 *
 * Return: 0; -EINVAL if @core has no address space or, which is a driver bug, its type has no
 * validate step; -ENOTRECOVERABLE if the address space is broken; -ESHUTDOWN if it was closed; or
 * the first error of that step. Objects that were validated before the error stay valid.
 */
int drm_gpuvm_imm_validate(struct drm_gpuvm_imm_core *core, struct drm_exec *exec)
{
	struct drm_gpuvm_imm *vm = drm_gpuvm_imm_shared(core);
	int error;

	if (!vm)
		return -EINVAL;

	drm_gpuvm_resv_assert_held(&vm->base);
	/* Unlocked: see the invariants of @error. */
	error = READ_ONCE(vm->error);
	if (unlikely(error))
		return error;
	if (!vm->type->validate) {
		drm_gpuvm_imm_report_lacks(vm->base.drm, "validate");
		return -EINVAL;
	}

	return drm_gpuvm_validate(&vm->base, exec);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_validate);
