// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 9
// title: access outside the mapping
// rust: b
// wrong: PAST_THE_END B: offset not provably inside of the mapping
// wrong: NOT_BOUNDED B: offset not provably inside of the mapping
// wrong: UNALIGNED B: offset not provably aligned
// wrong: FIELD_PAST_THE_END B: offset not provably inside of the mapping
// wrong: TOO_SMALL B: the mapping may be smaller than struct foo_ring
// wrong: WRITTEN_TO_A_STRUCT B: invalid initializer|initializing 'const .*'\)? with an expression of incompatible type
// wrong: WRITTEN_TO_AN_ARRAY B: invalid initializer|array initializer must be an initializer list
// wrong: TRIED_TO_A_STRUCT B: invalid initializer|initializing 'const .*'\)? with an expression of incompatible type
// wrong: ELEMENT_IS_A_STRUCT B: invalid initializer|initializing 'const .*'\)? with an expression of incompatible type
// run: drm_shmem_vmap.checked: The checked accessors return -EINVAL.
// run: drm_shmem_vmap.bulk: Copies and fills return -EINVAL.

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

/* A slot has two members, so a single write cannot set it. */
struct foo_fw_slot {
	u32 head;
	u32 tail;
};

struct foo_fw_slots {
	struct foo_fw_slot slot[8];
	u32 pair[2];
};

int foo_fw_reset(const struct foo_fw *fw, u32 slot)
{
#if defined(WRITTEN_TO_A_STRUCT)
	drm_vmap_write_field(fw, struct foo_fw_slots, slot[0], 0);
#elif defined(WRITTEN_TO_AN_ARRAY)
	drm_vmap_write_field(fw, struct foo_fw_slots, pair, 0);
#elif defined(TRIED_TO_A_STRUCT)
	return drm_vmap_try_write(struct foo_fw_slot, fw, slot * sizeof(u64), 0);
#elif defined(ELEMENT_IS_A_STRUCT)
	return drm_vmap_try_write_elem(fw, struct foo_fw_slots, slot, slot, 0);
#else
	drm_vmap_write_field(fw, struct foo_fw_slots, slot[0].head, 0);
	drm_vmap_write_field(fw, struct foo_fw_slots, pair[1], 0);
#endif
	return drm_vmap_try_write_elem(fw, struct foo_fw_slots, pair, slot, 0);
}
