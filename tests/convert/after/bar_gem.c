// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <linux/iosys-map.h>

#include <drm/drm_gem.h>

#include "bar_drv.h"
#include "drm_dev_ctx.h"
#include "drm_shmem_safe.h"

/* The least that an object has */
struct bar_map {
	DRM_VMAP(PAGE_SIZE);
};

struct bar_map_owned {
	DRM_VMAP_OWNED(struct bar_map);
};

/* The mapping ends here, on every path. */
int bar_bo_clear(struct bar_bo *bo, bool twice)
{
	struct bar_map_owned map __cleanup(drm_vmap_cleanup) = {};
	int ret;

	ret = drm_vmap_own(&map, &bo->base);
	if (ret)
		return ret;
	memset(drm_vmap_unsafe_map(&map).vaddr, 0, PAGE_SIZE);
	if (!twice) {
		drm_vmap_release(&map);
		return 0;
	}
	memset(drm_vmap_unsafe_map(&map).vaddr, 0xff, PAGE_SIZE);
	drm_vmap_release(&map);
	return 0;
}

/* Left: the address is kept. */
int bar_bo_open(struct bar_bo *bo)
{
	struct iosys_map map;
	int ret;

	ret = drm_gem_vmap(&bo->base.base, &map);
	if (ret)
		return ret;
	bo->vaddr = map.vaddr;
	return 0;
}

void bar_bo_close(struct bar_bo *bo)
{
	struct iosys_map map = IOSYS_MAP_INIT_VADDR(bo->vaddr);

	drm_gem_vunmap(&bo->base.base, &map);
}

/* There is a proof, and the object is one of the library's. */
int bar_heap_map(const struct drm_dev_ctx_bound *bound, struct bar_heap *heap)
{
	const struct sg_table *sgt;
	int ret;

	ret = drm_shmem_pin(&heap->shmem);
	if (ret)
		return ret;
	drm_shmem_unpin(&heap->shmem);

	drm_shmem_sgt_or(lent, bound, &heap->shmem, ret, return ret);
	sgt = drm_shmem_sgt_table(lent);
	bar_mmu_write(sgt);
	return 0;
}

/* The end, in another file than the registration */
void bar_stop(struct bar_device *bar)
{
	drm_dev_ctx_unregister(&bar->ctx);
}
