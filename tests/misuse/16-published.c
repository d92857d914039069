// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 16
// title: handle published before the object is complete
// rust: b
// wrong: HANDLE_OF_UNIQUE B: incompatible pointer
// wrong: UNIQUE_OF_OTHER B: incompatible pointer
// wrong: CHANGED_AFTER_PUBLISH B: this token was used up before
// wrong: PUBLISHED_TWICE B: this token was used up before
// run: drm_shmem_obj.handle_unpublished: An object whose type was cast away gives -EINVAL.
// run: drm_shmem_obj.create_init_fails: An init step that fails is undone.

#include "foo.h"

struct bar_bo {
	struct drm_shmem_obj shmem;
};

DRM_SHMEM_OBJ_TYPE(bar_bo_type, struct bar_bo, shmem, struct bar_bo_unique);

int foo_ioctl_bo_create(struct foo_device *foo, struct drm_file *file, u32 *handle)
{
	struct foo_bo_unique *unique __free(drm_shmem) =
		drm_shmem_create(&foo_bo_type, &foo->ctx.drm, SZ_4K, NULL);

	if (IS_ERR(unique))
		return PTR_ERR(unique);

#if defined(HANDLE_OF_UNIQUE)
	return drm_shmem_handle_create(unique, file, handle);
#endif
	drm_shmem_from_unique(&foo_bo_type, unique)->flags = 1;

#if defined(UNIQUE_OF_OTHER)
	struct bar_bo *bo __free(drm_shmem) = drm_shmem_publish(&bar_bo_type, &unique);
#else
	struct foo_bo *bo __free(drm_shmem) = drm_shmem_publish(&foo_bo_type, &unique);
#endif

#if defined(PUBLISHED_TWICE)
	struct foo_bo *again __free(drm_shmem) = drm_shmem_publish(&foo_bo_type, &unique);
#elif defined(CHANGED_AFTER_PUBLISH)
	drm_shmem_from_unique(&foo_bo_type, unique)->flags = 2;
#endif
	return drm_shmem_handle_create(&bo->shmem, file, handle);
}
