// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 15
// title: reference leaked on an error path
// rust: b
// wrong: LOOKUP_DROPPED W: ignoring return value
// wrong: CREATE_DROPPED W: ignoring return value
// wrong: VM_DROPPED W: ignoring return value
// wrong: EARLY_RETURN C: 'bo', from foo_bo_lookup\(\) on line \d+, is leaked on this path
// run: drm_shmem_obj.unique_scope: the scope puts what was not published

#include "foo.h"

int foo_ioctl_bo_wait(struct drm_file *file, u32 handle)
{
#if defined(LOOKUP_DROPPED)
	foo_bo_lookup(file, handle);
#endif
#if defined(EARLY_RETURN)
	struct foo_bo *bo = foo_bo_lookup(file, handle);
#else
	struct foo_bo *bo __free(foo_bo) = foo_bo_lookup(file, handle);
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
	foo_bo_create(&foo->ctx.drm, SZ_4K, NULL, NULL);
#endif
	struct foo_bo_unique *unique __free(foo_bo_unique) =
		foo_bo_create(&foo->ctx.drm, SZ_4K, NULL, NULL);

	if (IS_ERR(unique))
		return PTR_ERR(unique);
	if (!foo_hw_ready())
		return -EBUSY;

	struct foo_bo *bo __free(foo_bo) = drm_shmem_publish(foo_bo, unique);

	return foo_bo_handle_create(bo, file, handle);
}

int foo_vm_share(struct foo_vm *vm, struct drm_file *file)
{
#if defined(VM_DROPPED)
	drm_gpuvm_imm_get(vm->core);
#endif
	struct drm_gpuvm_imm *shared __free(drm_gpuvm_imm) = drm_gpuvm_imm_get(vm->core);

	return drm_gpuvm_imm_va_end(shared) ? 0 : -EINVAL;
}
