// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 10
// title: vunmap with a rebuilt map
// rust: b
// wrong: BORROWED_RELEASED B: no member named '__only_owned_handles_are_filled_moved_or_released'
// wrong: LENT_AFTER_RELEASE B: this mapping was released, moved or never made
// wrong: RAW_MAP B: incompatible pointer
// wrong: ADDRESS_RELEASED B: void|incomplete|request for member|has no member
// wrong: RAW_VUNMAP C: drm_gem_vunmap\(\) goes behind the handles

#include "foo.h"

int foo_fw_reload(struct foo_bo *bo, struct foo_fw_owned *old)
{
	struct foo_fw_owned own __cleanup(drm_vmap_cleanup) = {};
	int ret;

	ret = drm_vmap_own(&own, &bo->shmem);
	if (ret)
		return ret;

	drm_vmap_release(old);
#if defined(LENT_AFTER_RELEASE)
	drm_vmap_release(&own);
	drm_vmap_move(old, &own);
#elif defined(BORROWED_RELEASED)
	drm_vmap_release(drm_vmap_borrow(&own));
#elif defined(RAW_MAP)
	drm_gem_vunmap(drm_shmem_gem(&bo->shmem), &own);
#elif defined(ADDRESS_RELEASED)
	drm_vmap_release(drm_vmap_unsafe_ptr(&own));
#elif defined(RAW_VUNMAP)
	struct iosys_map map = drm_vmap_unsafe_map(&own);

	drm_gem_vunmap(drm_shmem_gem(&bo->shmem), &map);
#else
	drm_vmap_move(old, &own);
#endif
	return 0;
}
