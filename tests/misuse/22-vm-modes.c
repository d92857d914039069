// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 22
// title: VMs of different modes on one GEM object
// rust: b
// run: drm_gpuvm_imm.drm_gpuvm_imm_test_other_mode: The call gives -EINVAL and a report, and maps nothing.

#include "foo.h"

int foo_bind(struct foo_vm *vm, struct foo_bo *bo, u64 addr,
	     struct drm_gpuvm_imm_update *update)
{
	return drm_gpuvm_imm_prepare_map(&foo_vm_type, drm_gpuvm_imm_shared(vm->core), update, bo,
					 addr, drm_shmem_size(&bo->shmem), 0, NULL);
}
