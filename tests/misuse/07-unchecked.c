// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 7
// title: failed vmap not checked
// rust: b
// wrong: GOES_ON B: the last argument must leave the scope
// wrong: BLOCK_USED_OUTSIDE B: 'ring' undeclared|undeclared identifier 'ring'
// wrong: OWNED_NOT_CHECKED W: ignoring return value|unused
// wrong: LOOKED_UP_OR_NULL C: drm_shmem_lookup\(\) returns an ERR_PTR\(\) and never NULL
// run: drm_shmem_vmap.too_small: The block is skipped: -ENOSPC.
// run: drm_shmem_vmap.no_vmap_callback: A mapping that fails leaves nothing behind.

#include "foo.h"

int foo_ring_start(struct foo_bo *bo, struct foo_ring_owned *keep)
{
	int ret;

#if defined(GOES_ON)
	drm_vmap_or(foo_ring, ring, &bo->shmem, ret, pr_err("no ring\n"));

	drm_vmap_write32(ring, 0, 1);
#elif defined(BLOCK_USED_OUTSIDE)
	drm_vmap_guard(foo_ring, ring, &bo->shmem, ret)
		pr_debug("mapped\n");
	drm_vmap_write32(ring, 0, 1);
#elif defined(OWNED_NOT_CHECKED)
	drm_vmap_own(keep, &bo->shmem);
	drm_vmap_write32(keep, 0, 1);
	ret = 0;
#else
	drm_vmap_guard(foo_ring, ring, &bo->shmem, ret)
		drm_vmap_write32(ring, 0, 1);
	if (ret)
		return ret;

	ret = drm_vmap_own(keep, &bo->shmem);
#endif
	return ret;
}

int foo_bo_mark(struct drm_file *file, u32 handle)
{
	struct foo_bo *bo __free(drm_shmem) = drm_shmem_lookup(&foo_bo_type, file, handle);

#if defined(LOOKED_UP_OR_NULL)
	if (!bo)
		return -ENOENT;
#else
	if (IS_ERR(bo))
		return PTR_ERR(bo);
#endif
	bo->flags |= 1;
	return 0;
}
