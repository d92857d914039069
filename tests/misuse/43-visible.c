// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 43
// title: object visible before it is complete, or after its end began
// rust: no
// wrong: OFFSET_OF_UNIQUE B: incompatible pointer
// wrong: LISTED_UNIQUE B: undefined type|incomplete definition
// run: drm_shmem_life.private_until_published: Before it is published, an object gets no handle, no mmap offset and no export, and the shrinker skips it.
// run: drm_shmem_life.init_fails_while_found: The object goes with its last reference.
// run: drm_shmem_life.import_init_fails_while_found: An import goes with its last reference, too.
// run: drm_shmem_life.no_evict_after_fini: The shrinker no longer has the object.
// run: drm_shmem_life.no_revoke_after_fini: An unbind waits for the end of the object.

#include "foo.h"

int foo_bo_show(struct foo_device *foo, struct drm_shmem_shrinker *shrinker, u64 *offset)
{
	struct foo_bo_unique *unique __free(drm_shmem) =
		drm_shmem_create(&foo_bo_type, &foo->ctx.drm, SZ_4K, NULL);
	int ret;

	if (IS_ERR(unique))
		return PTR_ERR(unique);

#if defined(OFFSET_OF_UNIQUE)
	return drm_shmem_mmap_offset(unique, offset);
#elif defined(LISTED_UNIQUE)
	ret = drm_shmem_madvise(&unique->shmem, DRM_SHMEM_DONTNEED, shrinker);
	return ret < 0 ? ret : 0;
#endif
	struct foo_bo *bo __free(drm_shmem) = drm_shmem_publish(&foo_bo_type, &unique);

	ret = drm_shmem_madvise(&bo->shmem, DRM_SHMEM_DONTNEED, shrinker);
	return ret < 0 ? ret : drm_shmem_mmap_offset(&bo->shmem, offset);
}
