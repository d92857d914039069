// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 26
// title: mapping through a vm_bo of another VM
// rust: r
// wrong: OBJECT_AS_VM_BO B: incompatible pointer
// run: drm_gpuvm_imm.drm_gpuvm_imm_test_foreign: The call gives -EINVAL and a report, and changes nothing.
// run: drm_gpuvm_imm.drm_gpuvm_imm_test_foreign_va: A mapping of another VM ends the walk and is reported.

#include "foo.h"

int foo_bind_twice(struct foo_vm *vm, struct foo_bo *bo,
		   struct drm_gpuvm_imm_update *first, struct drm_gpuvm_imm_update *second)
{
	struct drm_gpuvm_imm *shared = drm_gpuvm_imm_shared(vm->core);
	struct drm_gpuvm_bo *vm_bo __free(drm_gpuvm_imm_bo) =
		drm_gpuvm_imm_obtain(&foo_vm_type, shared, bo, NULL);
	int ret;

	if (IS_ERR(vm_bo))
		return PTR_ERR(vm_bo);
#if defined(OBJECT_AS_VM_BO)
	ret = drm_gpuvm_imm_prepare_map_bo(shared, first, bo, 0, SZ_4K, 0);
#else
	ret = drm_gpuvm_imm_prepare_map_bo(shared, first, vm_bo, 0, SZ_4K, 0);
#endif
	return ret ?: drm_gpuvm_imm_prepare_map_bo(shared, second, vm_bo, SZ_1M, SZ_4K, 0);
}
