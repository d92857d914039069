// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 54
// title: view that is not inside its mapping, or outlives it
// rust: b
// wrong: PAST_THE_END B: view not provably inside of the mapping
// wrong: NOT_BOUNDED B: view not provably inside of the mapping
// wrong: UNALIGNED B: view not provably aligned
// wrong: TOO_WIDE B: the structure of this view is aligned to less than this access
// wrong: OTHER_MEMORY B: is for another kind of memory
// wrong: OTHER_STRUCT B: views another structure
// wrong: ARRAY_TOO_LARGE B: the array may be larger than the mapping
// wrong: FIELD_OF_OTHER B: no member named 'entry'|has no member named
// wrong: STAYS B: the last argument must leave the scope
// wrong: AFTER_RELEASE C: 'slot' is a copy of a handle that was released or moved
// wrong: AFTER_RELEASE_TRIED C: 'slot' is a copy of a handle that was released or moved
// wrong: KEPT C: is borrowed for a scope and must not be kept
// run: drm_vmap_view.view_any_offset: A bad offset gives -EINVAL before the first access.
// run: drm_vmap_view.view_elements: A bad index gives -EINVAL before the first access.
// run: drm_vmap_view.view_loop: A loop over an array that does not fit gives -EINVAL before its first structure.
// run: drm_vmap_view.view_range: Nothing outside a range is accessed.
// run: drm_vmap_view.view_of_nothing: A view of an empty handle is empty.

#include "foo.h"

struct foo_slot {
	u32 seq;
	u32 cmd;
	u32 arg;
};

struct foo_mem {
	u64 head;
	struct foo_slot slot[64];
#if defined(ARRAY_TOO_LARGE)
	struct foo_slot more[8192];
#endif
};

struct foo_view {
	DRM_VMAP_VIEW(struct foo_ring, struct foo_slot);
};

struct foo_vram_slot_view {
	DRM_VMAP_VIEW(struct foo_vram, struct foo_slot);
};

struct foo_hdr {
	DRM_VMAP_VIEW(struct foo_ring, struct foo_fw_hdr);
};

int foo_ring_push(const struct foo_ring *ring, u32 idx, u32 cmd)
{
#if defined(OTHER_STRUCT)
	drm_vmap_view_elem_or(foo_hdr, slot, ring, struct foo_mem, slot, idx, return -1);
	drm_vmap_set(slot, magic, cmd);
#elif defined(ARRAY_TOO_LARGE)
	drm_vmap_view_elem_or(foo_view, slot, ring, struct foo_mem, more, idx, return -1);
	drm_vmap_set(slot, cmd, cmd);
#elif defined(STAYS)
	drm_vmap_view_elem_or(foo_view, slot, ring, struct foo_mem, slot, idx, cmd = 0);
	drm_vmap_set(slot, cmd, cmd);
#else
	drm_vmap_view_elem_or(foo_view, slot, ring, struct foo_mem, slot, idx, return -1);
#if defined(FIELD_OF_OTHER)
	drm_vmap_set(slot, entry, cmd);
#elif defined(TOO_WIDE)
	drm_vmap_write64(slot, 0, cmd);
#endif
	drm_vmap_set(slot, cmd, cmd);
#endif
	return 0;
}

u32 foo_ring_first(const struct foo_ring *ring, u32 idx)
{
#if defined(PAST_THE_END)
	drm_vmap_view(foo_view, slot, ring, SZ_64K - 8);
#elif defined(NOT_BOUNDED)
	drm_vmap_view(foo_view, slot, ring, idx * sizeof(struct foo_slot));
#elif defined(UNALIGNED)
	drm_vmap_view(foo_view, slot, ring, 2);
#elif defined(OTHER_MEMORY)
	drm_vmap_view(foo_vram_slot_view, slot, ring, 8);
#else
	drm_vmap_view(foo_view, slot, ring, offsetof(struct foo_mem, slot[0]));
#endif
	return drm_vmap_get(slot, seq);
}

struct foo_queue {
	struct foo_ring_owned ring;
	const struct foo_view *kept;
};

u32 foo_queue_end(struct foo_queue *queue, u64 off)
{
	u32 seq;

#if defined(AFTER_RELEASE_TRIED)
	drm_vmap_view_or(foo_view, slot, drm_vmap_borrow(&queue->ring), off, return 0);
#else
	drm_vmap_view(foo_view, slot, drm_vmap_borrow(&queue->ring), 8);
#endif
#if defined(KEPT)
	queue->kept = slot;
#endif
#if defined(AFTER_RELEASE) || defined(AFTER_RELEASE_TRIED)
	drm_vmap_release(&queue->ring);
	seq = drm_vmap_get(slot, seq);
#else
	seq = drm_vmap_get(slot, seq);
	drm_vmap_release(&queue->ring);
#endif
	return seq;
}
