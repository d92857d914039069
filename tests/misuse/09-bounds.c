// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 9
// title: access outside the mapping
// rust: b
// wrong: PAST_THE_END B: offset not provably inside of the mapping
// wrong: NOT_BOUNDED B: offset not provably inside of the mapping
// wrong: UNALIGNED B: offset not provably aligned
// wrong: FIELD_PAST_THE_END B: offset not provably inside of the mapping
// wrong: TOO_SMALL B: the mapping may be smaller than struct foo_ring
// run: drm_shmem_vmap.checked: checked accessors return -EINVAL
// run: drm_shmem_vmap.bulk: so do copies and fills

#include "foo.h"

int foo_fw_boot(struct foo_bo *bo, u32 section)
{
	u32 entry = 0;
	int ret;

	drm_vmap_or(foo_fw, fw, &bo->shmem, ret, return ret);

#if defined(PAST_THE_END)
	entry = drm_vmap_read32(fw, SZ_4K);
#elif defined(NOT_BOUNDED)
	entry = drm_vmap_read32(fw, section * sizeof(u32));
#elif defined(UNALIGNED)
	entry = drm_vmap_read32(fw, 2);
#elif defined(FIELD_PAST_THE_END)
	entry = drm_vmap_read_field(fw, struct foo_fw_hdr, section[1024]);
#elif defined(TOO_SMALL)
	entry = drm_vmap_read32(drm_vmap_narrow(foo_ring, fw), 0);
#else
	entry = drm_vmap_read32(fw, SZ_4K - sizeof(u32));
	entry += drm_vmap_read32(fw, (section % 16) * sizeof(u32));
	entry += drm_vmap_read_field(fw, struct foo_fw_hdr, section[3]);
	ret = drm_vmap_try_read_elem(fw, struct foo_fw_hdr, section, section, &entry);
#endif
	return ret ?: entry;
}
