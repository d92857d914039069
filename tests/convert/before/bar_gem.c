// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <linux/iosys-map.h>

#include <drm/drm_gem.h>

#include "bar_drv.h"

/* The mapping ends here, on every path. */
int bar_bo_clear(struct bar_bo *bo, bool twice)
{
	struct iosys_map map;
	int ret;

	ret = drm_gem_vmap(&bo->base.base, &map);
	if (ret)
		return ret;
	memset(map.vaddr, 0, PAGE_SIZE);
	if (!twice) {
		drm_gem_vunmap(&bo->base.base, &map);
		return 0;
	}
	memset(map.vaddr, 0xff, PAGE_SIZE);
	drm_gem_vunmap(&bo->base.base, &map);
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
	struct sg_table *sgt;
	int ret;

	ret = drm_shmem_pin(&heap->shmem);
	if (ret)
		return ret;
	drm_shmem_unpin(&heap->shmem);

	sgt = drm_gem_shmem_get_pages_sgt(&heap->shmem.base);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	bar_mmu_write(sgt);
	return 0;
}

/* The end, in another file than the registration */
void bar_stop(struct bar_device *bar)
{
	drm_dev_unregister(&bar->drm);
}
