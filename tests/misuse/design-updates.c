// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: design
// title: only the core reaches the VM's data, and a VM maps only its own objects
// rust: b
// wrong: SHARED_FINDS B: incompatible pointer
// wrong: SHARED_HAS_NO_DATA B: incompatible pointer
// wrong: OTHER_OBJECT B: incompatible pointer
// wrong: OTHER_VM_RUNS B: incompatible pointer
// wrong: UPDATE_COPIED B: invalid initializer|must be an initializer list
// wrong: UPDATE_ASSIGNED B: assignment of read-only|cannot assign to
// wrong: STEP_OF_THE_VM B: incompatible (function )?pointer
// wrong: DATA_AS_OTHER B: incompatible pointer
// wrong: CAST_BY_HAND C: container_of\(\) checks no type: get the structure with drm_gpuvm_imm_of\(&foo_vm_type
// wrong: CAST_TO_OTHER C: drm_gpuvm_imm_of\(\) is given '\w+', but foo_vm_map\(\) is a step of 'foo_vm_type'
// run: drm_gpuvm_imm_debug.drm_gpuvm_imm_debug_test_other_type: Each call reports a VM of another type.
// run: drm_gpuvm_imm.drm_gpuvm_imm_test_update_misuse: An update runs once, and only in its own core.

#include "foo.h"

struct bar_vm {
	DRM_GPUVM_IMM_CORE(core);
	u64 root;
};

struct bar_va {
	u64 flags;
};

DRM_GPUVM_IMM_TYPE(bar_vm_type, struct bar_vm, core, struct bar_va, struct foo_bo,
		   shmem.base.base);

/* A type whose bo_init takes an argument */
struct baz_vm_bo {
	u32 slot;
};

struct baz_vm {
	DRM_GPUVM_IMM_CORE(core);
};

DRM_GPUVM_IMM_TYPE_VM_BO(baz_vm_type, struct baz_vm, core, struct bar_va, struct foo_bo,
			 shmem.base.base, struct baz_vm_bo, struct foo_hw);

struct drm_gpuvm_bo *baz_obtain(struct drm_gpuvm_imm *shared, struct foo_bo *bo, struct foo_hw *hw)
{
	return drm_gpuvm_imm_obtain(&baz_vm_type, shared, bo, hw);
}

#if defined(STEP_OF_THE_VM)
static struct drm_gpuvm_imm_mapped *
foo_vm_map(struct foo_vm *vm, const struct drm_gpuvm_imm_map_step *step)
	__drm_nonallocating
{
#else
static struct drm_gpuvm_imm_mapped *
foo_vm_map(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_map_step *step)
	__drm_nonallocating
{
#if defined(CAST_BY_HAND)
	struct foo_vm *vm = container_of(core, struct foo_vm, core[0]);
#elif defined(CAST_TO_OTHER)
	struct bar_vm *vm = drm_gpuvm_imm_of(&bar_vm_type, core);
#else
	struct foo_vm *vm = drm_gpuvm_imm_of(&foo_vm_type, core);
#endif
#endif
#if defined(DATA_AS_OTHER)
	struct bar_va *data = drm_gpuvm_imm_va_data(&foo_vm_type, step->va);
#else
	struct foo_va *data = drm_gpuvm_imm_va_data(&foo_vm_type, step->va);
#endif

	vm->root += !!data;
	return drm_gpuvm_imm_map_done(step);
}

const struct foo_vm_type foo_vm_type = {
	.base.granule = SZ_4K,
	.base.map = foo_vm_map,
};

struct foo_bind {
	struct drm_gpuvm_imm_update update;
};

int foo_bind(struct foo_vm *vm, struct drm_gpuvm_imm *shared, struct foo_bo *bo,
	     struct bar_vm *bar, struct foo_bind *bind)
{
	DRM_GPUVM_IMM_UPDATE(update);
	int ret;

#if defined(OTHER_OBJECT)
	ret = drm_gpuvm_imm_prepare_map(&foo_vm_type, shared, update, drm_shmem_gem(&bo->shmem), 0,
					SZ_4K, 0, NULL);
#else
	ret = drm_gpuvm_imm_prepare_map(&foo_vm_type, shared, update, bo, 0, SZ_4K, 0, NULL);
#endif
	if (ret)
		return ret;
	drm_gpuvm_imm_update_data(&foo_vm_type, update)->prot = 1;

#if defined(SHARED_FINDS)
	if (drm_gpuvm_imm_find(shared, 0, SZ_4K))
		return -EBUSY;
#elif defined(SHARED_HAS_NO_DATA)
	drm_gpuvm_imm_of(&foo_vm_type, shared)->root = 0;
#elif defined(OTHER_VM_RUNS)
	return drm_gpuvm_imm_run(&foo_vm_type, bar, update, NULL);
#elif defined(UPDATE_COPIED)
	struct drm_gpuvm_imm_update copy[1] = update;

	return drm_gpuvm_imm_run(&foo_vm_type, vm, copy, NULL);
#elif defined(UPDATE_ASSIGNED)
	bind->update = *update;
#endif
	if (drm_gpuvm_imm_find(vm->core, 0, SZ_4K))
		return -EBUSY;
	return drm_gpuvm_imm_run(&foo_vm_type, vm, update, NULL);
}
