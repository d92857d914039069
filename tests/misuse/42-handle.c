// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 42
// title: owned handle used before it is initialised
// rust: b
// wrong: RESULT_LOST W: warn_unused_result|unused-result
// wrong: NEVER_MADE B: this mapping was released, moved or never made
// run: drm_shmem_vmap.owned_never_initialised: The call gives -EBUSY and a report, and does not follow the handle's pointers.
// run: drm_shmem_sgt.owned_never_initialised: A handle for an sg table gives the same.

#include <linux/slab.h>

#include "foo.h"

struct foo_queue {
	struct foo_ring_owned ring;
};

/* The memory is zeroed, so the handle in it is empty. */
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
