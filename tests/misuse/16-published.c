// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 16
// title: handle published before the object is complete
// rust: b
// wrong: HANDLE_OF_UNIQUE B: incompatible pointer
// wrong: CHANGED_AFTER_PUBLISH B: this token was used up before
// wrong: PUBLISHED_TWICE B: this token was used up before
// run: drm_shmem_obj.handle_unpublished: -EINVAL if its type was cast away
// run: drm_shmem_obj.create_init_fails: an init step that fails is undone

#include "foo.h"

int foo_ioctl_bo_create(struct foo_device *foo, struct drm_file *file, u32 *handle)
{
	struct foo_bo_unique *unique __free(foo_bo_unique) =
		foo_bo_create(&foo->ctx.drm, SZ_4K, NULL, NULL);

	if (IS_ERR(unique))
		return PTR_ERR(unique);

#if defined(HANDLE_OF_UNIQUE)
	return foo_bo_handle_create(unique, file, handle);
#endif
	foo_bo_unique_bo(unique)->flags = 1;

	struct foo_bo *bo __free(foo_bo) = drm_shmem_publish(foo_bo, unique);

#if defined(PUBLISHED_TWICE)
	struct foo_bo *again __free(foo_bo) = drm_shmem_publish(foo_bo, unique);
#elif defined(CHANGED_AFTER_PUBLISH)
	foo_bo_unique_bo(unique)->flags = 2;
#endif
	return foo_bo_handle_create(bo, file, handle);
}
