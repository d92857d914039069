// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: design
// title: a handle is not used after it was put, or before it exists
// rust: b
// wrong: VM_BO_USED_AFTER_PUT W(gcc): pointer '?vm_bo'? used after 'drm_gpuvm_imm_bo_put'
// wrong: VM_USED_AFTER_PUT W(gcc): pointer '?vm'? used after 'drm_gpuvm_imm_put'
// wrong: NO_OBJECT W(gcc): argument 1 null where non-null expected
// wrong: TOKEN_SPENT_ON_A_PATH C: 'unreg' was used up on line \d+, on a path to here
// wrong: RELEASED_ON_A_PATH C: 'ring' was released or moved on line \d+, on a path to here
// checked: TOKEN_SPENT_ON_A_PATH: A driver uses a token that was used up on one path. The optimizer does not always know that the variable is NULL. The run-time check reports the use.
// checked: RELEASED_ON_A_PATH: A driver uses an owned handle that was released or moved on one path. The optimizer does not always know that.

#include "foo.h"

int foo_bind(struct drm_gpuvm_imm *vm, struct foo_bo *bo, struct drm_gpuvm_imm_update *update)
{
	struct drm_gpuvm_bo *vm_bo = drm_gpuvm_imm_obtain(&foo_vm_type, vm, bo, NULL);
	int ret;

	if (IS_ERR(vm_bo))
		return PTR_ERR(vm_bo);
#if defined(VM_BO_USED_AFTER_PUT)
	drm_gpuvm_imm_bo_put(vm_bo);
#endif
	ret = drm_gpuvm_imm_prepare_map_bo(vm, update, vm_bo, 0, SZ_4K, 0);
#if !defined(VM_BO_USED_AFTER_PUT)
	drm_gpuvm_imm_bo_put(vm_bo);
#endif
	return ret;
}

u64 foo_vm_end(struct foo_vm *foo)
{
	struct drm_gpuvm_imm *vm = drm_gpuvm_imm_get(foo->core);
	u64 end = drm_gpuvm_imm_va_end(vm);

	drm_gpuvm_imm_put(vm);
#if defined(VM_USED_AFTER_PUT)
	end = drm_gpuvm_imm_va_end(vm);
#endif
	return end;
}

int foo_bo_pin(struct foo_bo *bo)
{
#if defined(NO_OBJECT)
	struct drm_shmem_obj *shmem = NULL;
#else
	struct drm_shmem_obj *shmem = &bo->shmem;
#endif

	return drm_shmem_pin(shmem);
}

int foo_probe_early(struct device *dev, struct drm_dev_ctx_unreg **token, bool early)
	__releases(*token)
{
	struct drm_dev_ctx_unreg *unreg = *token;

#if defined(TOKEN_SPENT_ON_A_PATH)
	if (early && drm_dev_ctx_register(dev, &unreg, &foo_reg_ops, NULL))
		return -EIO;
#endif
	foo_dev(drm_dev_ctx_unreg_drm(unreg))->hangcheck.func = NULL;
	return drm_dev_ctx_register(dev, &unreg, &foo_reg_ops, NULL);
}

void foo_ring_stop(struct foo_ring_owned *ring, bool early)
{
	if (early)
		drm_vmap_release(ring);
#if !defined(RELEASED_ON_A_PATH)
	else
#endif
		drm_vmap_write32(ring, 0, 0);
}
