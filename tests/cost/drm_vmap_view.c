// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The cost of a view: by hand, with a pointer to the structure and a test of the offset, and
 * with a view.
 */

#include "cost.h"
#include "drm_shmem_safe.h"

struct cost_slot {
	u32 seq;
	u32 cmd;
	u32 arg;
};

struct cost_ring_mem {
	u64 head;
	struct cost_slot slots[64];
};

struct cost_ring {
	DRM_VMAP(SZ_4K);
};

struct cost_view {
	DRM_VMAP_VIEW(struct cost_ring, struct cost_slot);
};

struct cost_raw_ring {
	void *addr;
	size_t size;
};

/* cost: view 3: whether the handle is empty, which a scope of drm_vmap_or() knows */
u32 view_by_hand(const struct cost_raw_ring *ring)
{
	const struct cost_slot *slot = ring->addr + 8;

	return READ_ONCE(slot->seq) + READ_ONCE(slot->cmd) + READ_ONCE(slot->arg);
}

u32 view_of_ours(const struct cost_ring *ring)
{
	drm_vmap_view(cost_view, slot, ring, 8);
	return drm_vmap_get(slot, seq) + drm_vmap_get(slot, cmd) + drm_vmap_get(slot, arg);
}

/* cost: view_any 5: the same; gcc takes 2, clang 5 */
u32 view_any_by_hand(const struct cost_raw_ring *ring, u64 off)
{
	const struct cost_slot *slot;

	if (sizeof(*slot) > ring->size || off > ring->size - sizeof(*slot) || off % 4)
		return 0;
	slot = ring->addr + off;
	return READ_ONCE(slot->seq) + READ_ONCE(slot->cmd) + READ_ONCE(slot->arg);
}

u32 view_any_of_ours(const struct cost_ring *ring, u64 off)
{
	drm_vmap_view_or(cost_view, slot, ring, off, return 0);
	return drm_vmap_get(slot, seq) + drm_vmap_get(slot, cmd) + drm_vmap_get(slot, arg);
}

/* cost: view_elem 3: the same */
u32 view_elem_by_hand(const struct cost_raw_ring *ring, u64 idx)
{
	const struct cost_ring_mem *mem = ring->addr;

	if (idx >= ARRAY_SIZE(mem->slots))
		return 0;
	return READ_ONCE(mem->slots[idx].seq) + READ_ONCE(mem->slots[idx].cmd) +
	       READ_ONCE(mem->slots[idx].arg);
}

u32 view_elem_of_ours(const struct cost_ring *ring, u64 idx)
{
	drm_vmap_view_elem_or(cost_view, slot, ring, struct cost_ring_mem, slots, idx, return 0);
	return drm_vmap_get(slot, seq) + drm_vmap_get(slot, cmd) + drm_vmap_get(slot, arg);
}
