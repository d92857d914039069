// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 41
// title: object and shrinker of different devices
// rust: -
// wrong: CORE_SHRINKER B: incompatible pointer
// wrong: DEVICE B: incompatible pointer
// run: drm_shmem_reclaim.shrinker_foreign: The call gives -EINVAL, and the object is on no list.

#include "foo.h"

struct foo_reclaim_device {
	struct foo_device foo;
	struct drm_shmem_shrinker shrinker;
	struct shrinker *core_shrinker;
};

int foo_bo_unneeded(struct foo_reclaim_device *dev, struct foo_bo *bo)
{
#if defined(CORE_SHRINKER)
	return drm_shmem_madvise(&bo->shmem, DRM_SHMEM_DONTNEED, dev->core_shrinker);
#elif defined(DEVICE)
	return drm_shmem_madvise(&bo->shmem, DRM_SHMEM_DONTNEED, &dev->foo.ctx.drm);
#else
	return drm_shmem_madvise(&bo->shmem, DRM_SHMEM_DONTNEED, &dev->shrinker);
#endif
}
