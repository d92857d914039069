// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 1
// title: vmap without the reservation lock
// rust: b
// wrong: NEVER_MAPPED B: this mapping was released, moved or never made
// wrong: ADDRESS_OF_THE_OBJECT B: not a structure or union
// wrong: RAW_VMAP C: drm_gem_vmap\(\) goes behind the handles
// run: drm_shmem_vmap.locked: The _locked forms take no lock.
// run: drm_shmem_vmap.wrong_lock: lockdep reports the form that does not match the caller's lock.

#include "foo.h"

/* An object's address can be had only through calls that take the lock if they have to. */
int foo_fw_entry(struct foo_bo *bo, u32 *entry)
{
	int ret = 0;

#if defined(NEVER_MAPPED)
	struct foo_fw fw[1] = {};

	*entry = drm_vmap_read_field(fw, struct foo_fw_hdr, entry);
#elif defined(ADDRESS_OF_THE_OBJECT)
	*entry = drm_vmap_read_field(bo->shmem.base.vaddr, struct foo_fw_hdr, entry);
#elif defined(RAW_VMAP)
	struct iosys_map map;

	ret = drm_gem_vmap(drm_shmem_gem(&bo->shmem), &map);
	if (!ret)
		*entry = iosys_map_rd_field(&map, 0, struct foo_fw_hdr, entry);
#else
	drm_vmap_guard(foo_fw, fw, &bo->shmem, ret)
		*entry = drm_vmap_read_field(fw, struct foo_fw_hdr, entry);
#endif
	return ret;
}

int foo_fw_entry_locked(struct foo_bo *bo, u32 *entry)
{
	int ret;

	dma_resv_lock(drm_shmem_gem(&bo->shmem)->resv, NULL);
	drm_vmap_guard_locked(foo_fw, fw, &bo->shmem, ret)
		*entry = drm_vmap_read_field(fw, struct foo_fw_hdr, entry);
	dma_resv_unlock(drm_shmem_gem(&bo->shmem)->resv);
	return ret;
}
