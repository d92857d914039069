// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: design
// title: a borrowed pointer cannot be kept, and an owned handle cannot be copied
// rust: b
// wrong: BORROW_OF_BORROWED B: no member named '__only_owned_handles_are_lent'
// wrong: MOVED_TO_OTHER_TYPE B: an owned mapping moves to a handle of its own type
// wrong: WRITTEN_TO_WHILE_LENT B: assignment of read-only|is not assignable
// wrong: LOCAL_OF_OWNED B: no member named '__only_borrowed_handles_are_made_local'
// wrong: LOCAL_RELEASED B: no member named '__only_owned_handles_are_filled_moved_or_released'
// wrong: LOCAL_KEPT C: 'local' is borrowed for a scope and must not be kept
// wrong: LOCAL_AFTER_RELEASE C: 'local' is a copy of a handle that was released or moved on line \d+
// wrong: SGT_COPIED B: invalid initializer|must be an initializer list
// wrong: MEMBER_IN_FRONT B: a mapping handle has the members of DRM_VMAP\(\) only
// wrong: OWNED_MEMBER_IN_FRONT B: a mapping handle has the members of DRM_VMAP\(\) only
// run: drm_shmem_vmap.owned: An owned handle keeps its object.
// run: drm_shmem_vmap.local: A copy on the stack works like the handle.

#include "foo.h"

struct foo_cmds {
#if defined(MEMBER_IN_FRONT)
	u32 seq;
#endif
	DRM_VMAP(SZ_4K);
};

struct foo_cmds_owned {
#if defined(OWNED_MEMBER_IN_FRONT)
	u32 seq;
#endif
	DRM_VMAP_OWNED(struct foo_fw);
};

struct foo_queue {
	struct foo_ring_owned ring;
	struct foo_fw_owned fw;
	const struct foo_ring *lent;
};

static void foo_ring_kick(const struct foo_ring *ring)
{
	drm_vmap_write32(ring, 0, 1);
}

void foo_queue_clear(struct foo_queue *queue)
{
#if defined(LOCAL_OF_OWNED)
	drm_vmap_local(local, &queue->ring);
#else
	drm_vmap_local(local, drm_vmap_borrow(&queue->ring));
#endif

#if defined(LOCAL_RELEASED)
	drm_vmap_release(local);
#elif defined(LOCAL_KEPT)
	queue->lent = local;
#elif defined(LOCAL_AFTER_RELEASE)
	drm_vmap_release(&queue->ring);
#endif
	for (unsigned int i = 0; i < 16; i++)
		drm_vmap_write32(local, i * sizeof(u32), 0);
#if !defined(LOCAL_AFTER_RELEASE)
	drm_vmap_release(&queue->ring);
#endif
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

int foo_cmds_clear(struct foo_bo *bo)
{
	int ret;

	drm_vmap_guard(foo_cmds, cmds, &bo->shmem, ret)
		drm_vmap_write32(cmds, 0, 0);

	return ret;
}

int foo_cmds_keep(struct foo_cmds_owned *cmds, struct foo_bo *bo)
{
	return drm_vmap_own(cmds, &bo->shmem);
}
