// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: design
// title: only the core reaches the VM's data, only own objects are mapped
// rust: b
// wrong: SHARED_FINDS B: incompatible pointer
// wrong: SHARED_HAS_NO_DATA B: incompatible pointer
// wrong: OTHER_OBJECT B: incompatible pointer
// wrong: OTHER_VM_RUNS B: incompatible pointer
// wrong: UPDATE_COPIED B: invalid initializer|must be an initializer list
// wrong: UPDATE_ASSIGNED B: assignment of read-only|cannot assign to
// run: drm_gpuvm_imm.drm_gpuvm_imm_test_update_misuse: an update is run once, by its own core

#include "foo.h"

struct bar_vm {
	DRM_GPUVM_IMM_CORE(core);
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
	ret = foo_vm_prepare_map(shared, update, drm_shmem_gem(&bo->shmem), 0, SZ_4K, 0);
#else
	ret = foo_vm_prepare_map(shared, update, bo, 0, SZ_4K, 0);
#endif
	if (ret)
		return ret;
	foo_vm_update_va(update)->prot = 1;

#if defined(SHARED_FINDS)
	if (foo_vm_find(shared, 0, SZ_4K))
		return -EBUSY;
#elif defined(SHARED_HAS_NO_DATA)
	foo_vm_of(shared)->root = 0;
#elif defined(OTHER_VM_RUNS)
	return foo_vm_run(bar, update);
#elif defined(UPDATE_COPIED)
	struct drm_gpuvm_imm_update copy[1] = update;

	return foo_vm_run(vm, copy);
#elif defined(UPDATE_ASSIGNED)
	bind->update = *update;
#endif
	if (foo_vm_find(vm, 0, SZ_4K))
		return -EBUSY;
	return foo_vm_run(vm, update);
}
