// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: design
// title: what is lent cannot be kept, and an owned handle cannot be copied
// rust: b
// wrong: BORROW_OF_BORROWED B: no member named '__only_owned_handles_are_lent'
// wrong: MOVED_TO_OTHER_TYPE B: an owned mapping moves to a handle of its own type
// wrong: WRITTEN_TO_WHILE_LENT B: assignment of read-only|is not assignable
// wrong: SGT_COPIED B: invalid initializer|must be an initializer list
// run: drm_shmem_vmap.owned: an owned handle keeps its object

#include "foo.h"

struct foo_queue {
	struct foo_ring_owned ring;
	struct foo_fw_owned fw;
};

static void foo_ring_kick(const struct foo_ring *ring)
{
	drm_vmap_write32(ring, 0, 1);
}

int foo_queue_init(struct foo_queue *queue, const struct foo_reg *reg, struct foo_bo *bo)
{
	struct foo_ring_owned ring __cleanup(drm_vmap_cleanup) = {};
	int ret = drm_vmap_own(&ring, &bo->shmem);

	if (ret)
		return ret;

	foo_ring_kick(drm_vmap_borrow(&ring));
#if defined(BORROW_OF_BORROWED)
	foo_ring_kick(drm_vmap_borrow(drm_vmap_borrow(&ring)));
#elif defined(MOVED_TO_OTHER_TYPE)
	drm_vmap_move(&queue->fw, &ring);
#elif defined(WRITTEN_TO_WHILE_LENT)
	*drm_vmap_borrow(&ring) = (struct foo_ring) {};
#elif defined(SGT_COPIED)
	drm_shmem_sgt_guard(sgt, &reg->base.bound, &bo->shmem, ret) {
		struct drm_shmem_sgt copy[1] = sgt;

		pr_debug("%u\n", drm_shmem_sgt_table(copy)->nents);
	}
#endif
	drm_vmap_move(&queue->ring, &ring);
	return ret;
}
