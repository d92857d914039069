// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 42
// title: shrinker used before it is initialised
// rust: -
// wrong: RESULT_LOST W: warn_unused_result|unused-result
// wrong: NONE W: nonnull|null passed to a callee
// run: drm_shmem_reclaim.shrinker_unprepared: Calls give -EINVAL, and no object is on a list. A second init fails.

#include "foo.h"

struct foo_shrunk_device {
	struct foo_device foo;
	struct drm_shmem_shrinker shrinker;
};

int foo_shrunk_init(struct foo_shrunk_device *dev)
{
#if defined(RESULT_LOST)
	drmm_shmem_shrinker_init(&dev->foo.ctx.drm, &dev->shrinker);
	return 0;
#else
	return drmm_shmem_shrinker_init(&dev->foo.ctx.drm, &dev->shrinker);
#endif
}

void foo_shrunk_use(struct foo_shrunk_device *dev, struct foo_bo *bo)
	__must_hold(drm_resv)
{
#if defined(NONE)
	drm_shmem_touch(&bo->shmem, NULL);
#else
	drm_shmem_touch(&bo->shmem, &dev->shrinker);
#endif
}
