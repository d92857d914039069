// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 42
// title: use of an owned handle that was never initialised
// rust: b
// wrong: RESULT_LOST W: warn_unused_result|unused-result
// wrong: NEVER_MADE B: this mapping was released, moved or never made
// run: drm_shmem_vmap.owned_never_initialised: -EBUSY, reported, and what it seems to hold is not looked at
// run: drm_shmem_sgt.owned_never_initialised: the same for an sg table

#include <linux/slab.h>

#include "foo.h"

struct foo_queue {
	struct foo_ring_owned ring;
};

/* Zeroed, so the handle in it is an empty one. */
struct foo_queue *foo_queue_new(void)
{
	return kzalloc_obj(struct foo_queue);
}

int foo_queue_init(struct foo_queue *q, struct foo_bo *bo)
{
#if defined(RESULT_LOST)
	drm_vmap_own(&q->ring, &bo->shmem);
	return 0;
#elif defined(NEVER_MADE)
	struct foo_ring_owned ring = {};

	drm_vmap_move(&q->ring, &ring);
	return 0;
#else
	return drm_vmap_own(&q->ring, &bo->shmem);
#endif
}
