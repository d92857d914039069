// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 24
// title: VAs not preallocated for a split
// rust: partly
// wrong: NO_UPDATE B: too few arguments|requires 4 arguments
// wrong: RAW_REQUEST B: incompatible pointer
// wrong: RAW_MAP B: incompatible pointer
// wrong: NOT_CHECKED W: ignoring return value
// wrong: NOT_DROPPED C: nothing ends 'update' .* declare it with DRM_GPUVM_IMM_UPDATE
// run: drm_gpuvm_imm.drm_gpuvm_imm_test_update_misuse: An empty update is reported.
// run: drm_gpuvm_imm.drm_gpuvm_imm_test_map_overlaps: Every split has the memory that it needs.

#include "foo.h"

int foo_bind_now(struct foo_vm *vm, struct foo_bo *bo, u64 addr)
{
	DRM_GPUVM_IMM_UPDATE(update);
	int ret;

#if defined(NOT_CHECKED)
	drm_gpuvm_imm_prepare_map(&foo_vm_type, drm_gpuvm_imm_shared(vm->core), update, bo, addr,
				  SZ_4K, 0, NULL);
	ret = 0;
#else
	ret = drm_gpuvm_imm_prepare_map(&foo_vm_type, drm_gpuvm_imm_shared(vm->core), update, bo,
					addr, SZ_4K, 0, NULL);
#endif
	if (ret)
		return ret;

#if defined(NO_UPDATE)
	return drm_gpuvm_imm_run(&foo_vm_type, vm, NULL);
#elif defined(RAW_REQUEST)
	struct drm_gpuvm_map_req req = { .map.va.addr = addr, .map.va.range = SZ_4K };

	return drm_gpuvm_imm_run(&foo_vm_type, vm, &req, NULL);
#elif defined(RAW_MAP)
	struct drm_gpuvm_map_req req = { .map.va.addr = addr, .map.va.range = SZ_4K };

	return drm_gpuvm_sm_map(drm_gpuvm_imm_shared(vm->core), vm, &req);
#else
	return drm_gpuvm_imm_run(&foo_vm_type, vm, update, NULL);
#endif
}

int foo_unmap_now(struct foo_vm *vm, u64 addr, bool busy)
{
#if defined(NOT_DROPPED)
	struct drm_gpuvm_imm_update update[1] = {};
#else
	DRM_GPUVM_IMM_UPDATE(update);
#endif
	int ret = drm_gpuvm_imm_prepare_unmap(drm_gpuvm_imm_shared(vm->core), update, addr, SZ_4K);

	if (ret)
		return ret;
	return busy ? -EBUSY : drm_gpuvm_imm_run(&foo_vm_type, vm, update, NULL);
}
