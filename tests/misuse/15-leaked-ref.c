// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 15
// title: reference leaked on an error path
// rust: b
// wrong: LOOKUP_DROPPED W(gcc): ignoring return value
// wrong: LOOKUP_DROPPED C: the result of drm_shmem_lookup\(\) is dropped, and never given back
// wrong: CREATE_DROPPED W(gcc): ignoring return value
// wrong: CREATE_DROPPED C: the result of drm_shmem_create\(\) is dropped, and never given back
// wrong: VM_DROPPED W: ignoring return value
// wrong: EARLY_RETURN C: 'bo', from drm_shmem_lookup\(\) on line \d+, is leaked on this path
// run: drm_shmem_obj.unique_scope: The scope puts an object that was not published.

#include "foo.h"

int foo_ioctl_bo_wait(struct drm_file *file, u32 handle)
{
#if defined(LOOKUP_DROPPED)
	drm_shmem_lookup(&foo_bo_type, file, handle);
#endif
#if defined(EARLY_RETURN)
	struct foo_bo *bo = drm_shmem_lookup(&foo_bo_type, file, handle);
#else
	struct foo_bo *bo __free(drm_shmem) = drm_shmem_lookup(&foo_bo_type, file, handle);
#endif

	if (IS_ERR(bo))
		return PTR_ERR(bo);
	if (!foo_hw_ready())
		return -EBUSY;
	return 0;
}

int foo_ioctl_bo_create(struct foo_device *foo, struct drm_file *file, u32 *handle)
{
#if defined(CREATE_DROPPED)
	drm_shmem_create(&foo_bo_type, &foo->ctx.drm, SZ_4K, NULL);
#endif
	struct foo_bo_unique *unique __free(drm_shmem) =
		drm_shmem_create(&foo_bo_type, &foo->ctx.drm, SZ_4K, NULL);

	if (IS_ERR(unique))
		return PTR_ERR(unique);
	if (!foo_hw_ready())
		return -EBUSY;

	struct foo_bo *bo __free(drm_shmem) = drm_shmem_publish(&foo_bo_type, &unique);

	return drm_shmem_handle_create(&bo->shmem, file, handle);
}

int foo_vm_share(struct foo_vm *vm, struct drm_file *file)
{
#if defined(VM_DROPPED)
	drm_gpuvm_imm_get(vm->core);
#endif
	struct drm_gpuvm_imm *shared __free(drm_gpuvm_imm) = drm_gpuvm_imm_get(vm->core);

	return drm_gpuvm_imm_va_end(shared) ? 0 : -EINVAL;
}
