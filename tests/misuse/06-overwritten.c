// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 6
// title: vaddr without a reference, or overwritten
// rust: b
// wrong: ASSIGNED B: assignment of read-only|cannot assign to|is not assignable
// wrong: ADDRESS_ASSIGNED B: lvalue required|not assignable
// wrong: INITIALISED_FROM_ANOTHER B: invalid initializer|must be an initializer list
// wrong: OWNED_COPIED B: assignment of read-only|cannot assign to
// wrong: OWNED_INITIALISED C: 'copy' is a copy of another 'struct foo_ring_owned'
// wrong: MEMCPY C: memcpy\(\) of a 'struct foo_ring_owned'
// run: drm_shmem_vmap.owned_overwritten: A handle in use is not overwritten: -EBUSY.

#include "foo.h"

struct foo_queue {
	struct foo_bo *ring_bo, *spare_bo;
	struct foo_ring_owned ring, spare;
};

int foo_queue_reset(struct foo_queue *q)
{
	int ret;

	drm_vmap_or(foo_ring, ring, &q->ring_bo->shmem, ret, return ret);
	drm_vmap_or(foo_ring, spare, &q->spare_bo->shmem, ret, return ret);

#if defined(ASSIGNED)
	*ring = *spare;
#elif defined(ADDRESS_ASSIGNED)
	drm_vmap_unsafe_ptr(ring) = drm_vmap_unsafe_ptr(spare);
#elif defined(INITIALISED_FROM_ANOTHER)
	struct foo_ring copy[1] = spare;

	drm_vmap_write32(copy, 0, 0);
#elif defined(OWNED_COPIED)
	q->ring = q->spare;
#elif defined(OWNED_INITIALISED)
	struct foo_ring_owned copy = q->ring;

	drm_vmap_move(&q->spare, &copy);
#elif defined(MEMCPY)
	struct foo_ring_owned copy __cleanup(drm_vmap_cleanup) = {};

	memcpy(&copy, &q->ring, sizeof(copy));
#else
	drm_vmap_write32(ring, 0, drm_vmap_read32(spare, 0));
	drm_vmap_release(&q->ring);
	drm_vmap_move(&q->ring, &q->spare);
#endif
	return 0;
}
