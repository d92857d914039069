// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 23
// title: evict list unprotected
// rust: -
// wrong: RAW_VALIDATE B: incompatible (function )?pointer|incompatible return type
// wrong: RAW_CALLBACK B: incompatible (function )?pointer|incompatible return type
// wrong: RAW_EVICT B: incompatible (function )?pointer|incompatible return type
// wrong: RESULT_LOST W: warn_unused_result|unused-result
// wrong: NOT_LOCKED C(context): requires holding __ctx_lock_drm_resv 'drm_resv'
// wrong: RESUMED_UNLOCKED C(context): requires holding __ctx_lock_drm_resv 'drm_resv'
// wrong: LOCK_WAITED_FOR C: foo_vm_evict\(\) is part of an evict step, and waits for a lock
// wrong: ALLOCATES C: foo_vm_evict\(\) is part of an evict step, and allocates
// wrong: MOVED_ALLOCATES C: foo_bo_moved\(\) is part of an evict step, and allocates
// wrong: MOVED_WAITS C: foo_bo_moved\(\) is part of an evict step, and waits for a lock
// run: drm_gpuvm_imm_race.drm_gpuvm_imm_race_test_all: Many threads evict and validate objects.
// run: drm_gpuvm_imm_race.drm_gpuvm_imm_race_test_evict: An object is evicted while its VM ends.
// run: drm_gpuvm_imm.drm_gpuvm_imm_test_evict: The library finds evicted objects and validates them.
// run: drm_gpuvm_imm_evict.evict_foreign: An object that a VM of another type maps is not evicted: -EBUSY.

#include <linux/mutex.h>
#include <linux/slab.h>

#include "foo.h"

/* Held around drm_gpuvm_imm_run() */
static DEFINE_MUTEX(foo_lock);

/* The VM's table of the only object in this example */
static struct drm_shmem_sgt_owned foo_table;

#if defined(RAW_CALLBACK)
static int foo_vm_validate(struct drm_gpuvm_bo *vm_bo, struct drm_exec *exec)
{
	return 0;
}
#else
static int foo_vm_validate(struct drm_gpuvm_imm_core *core, struct drm_gpuvm_bo *vm_bo,
			   struct drm_exec *exec)
#if !defined(RESUMED_UNLOCKED)
	__must_hold(drm_resv)
#endif
{
	int ret = -ENODEV;

	drm_dev_ctx_guard(foo_reg, reg, to_drm_dev_ctx(vm_bo->obj->dev))
		ret = drm_shmem_sgt_resume(&foo_table, &reg->base.bound);
	return ret;
}
#endif

int foo_vm_make_resident(struct foo_vm *vm, struct drm_exec *exec)
{
#if defined(RAW_VALIDATE)
	return drm_gpuvm_validate(drm_gpuvm_imm_shared(vm->core), exec);
#endif
	return drm_gpuvm_imm_validate(vm->core, exec);
}

#if defined(RAW_EVICT)
static int foo_vm_evict(struct drm_gpuvm_bo *vm_bo, bool evict)
#else
static int foo_vm_evict(struct drm_gpuvm_imm_core *core, struct drm_gpuvm_bo *vm_bo)
#endif
	__must_hold(drm_resv)
{
#if defined(LOCK_WAITED_FOR)
	mutex_lock(&foo_lock);
#else
	if (!mutex_trylock(&foo_lock))
		return -EBUSY;
#endif
#if defined(ALLOCATES)
	kfree(kmalloc(SZ_4K, GFP_NOWAIT));
#endif
	drm_shmem_sgt_suspend(&foo_table);
	mutex_unlock(&foo_lock);
	return 0;
}

const struct foo_vm_type foo_vm_type = {
	.base.granule = SZ_4K,
	.base.validate = foo_vm_validate,
	.base.evict = foo_vm_evict,
};

/* The evict step of the type of objects */
#if defined(NOT_LOCKED)
int foo_bo_evict(struct drm_shmem_obj *obj);
#else
int foo_bo_evict(struct drm_shmem_obj *obj) __must_hold(drm_resv);
#endif
int foo_bo_evict(struct drm_shmem_obj *obj)
{
	struct foo_bo *bo = drm_shmem_from_obj(&foo_bo_type, obj);

#if defined(RESULT_LOST)
	drm_gpuvm_imm_evict(&foo_vm_type, bo);
	return 0;
#else
	return drm_gpuvm_imm_evict(&foo_vm_type, bo);
#endif
}

/*
 * The moved step of the type of objects: the exporter holds the reservation lock, perhaps in memory
 * reclaim.
 */
void foo_bo_moved(struct drm_shmem_obj *obj) __must_hold(drm_resv);
void foo_bo_moved(struct drm_shmem_obj *obj)
{
#if defined(MOVED_ALLOCATES)
	kfree(kmalloc(SZ_4K, GFP_NOWAIT));
#elif defined(MOVED_WAITS)
	guard(mutex)(&foo_lock);
#endif
	drm_shmem_sgt_suspend(&foo_table);
}

const struct foo_bo_type foo_bo_type = {
	DRM_SHMEM_OBJ_FUNCS,
	.base.flags = DRM_SHMEM_RECLAIM,
	.base.evict = foo_bo_evict,
	.base.moved = foo_bo_moved,
};
