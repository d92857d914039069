// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 39
// title: sleeping call in atomic context
// rust: no
// wrong: MAPS C: this may sleep, and the caller must not: spin_lock
// wrong: MAPS_FROM_THERE_ON C: drm_vmap_or\(\) may sleep, and the caller must not: spin_lock_irqsave
// wrong: OWNS C: drm_vmap_own\(\) may sleep, and the caller must not: preempt_disable
// wrong: RELEASES C: drm_vmap_release\(\) may sleep, and the caller must not: rcu_read_lock
// wrong: COPIES C: drm_vmap_from_user\(\) may sleep, and the caller must not: spin_lock_bh
// wrong: TAKES_SGT C: this may sleep, and the caller must not: spin_lock_irq
// run: drm_shmem_edge.atomic_context: The first call is reported, even if the object is already mapped.
// run: drm_shmem_edge.atomic_borrow: A call that finds a table and only reads its pointer is reported, too.

#include <linux/rcupdate.h>
#include <linux/spinlock.h>

#include "foo.h"

int foo_ring_write(const struct drm_dev_ctx_bound *bound, struct foo_bo *bo, spinlock_t *lock,
		   struct foo_ring_owned *ring, const void __user *src, unsigned long flags)
{
	int ret = 0;

#if defined(MAPS)
	spin_lock(lock);
	drm_vmap_guard(foo_ring, map, &bo->shmem, ret)
		drm_vmap_write32(map, 0, 1);
	spin_unlock(lock);
#elif defined(MAPS_FROM_THERE_ON)
	spin_lock_irqsave(lock, flags);
	drm_vmap_or(foo_ring, map, &bo->shmem, ret, return ret);
	drm_vmap_write32(map, 0, 1);
	spin_unlock_irqrestore(lock, flags);
#elif defined(OWNS)
	preempt_disable();
	ret = drm_vmap_own(ring, &bo->shmem);
	preempt_enable();
#elif defined(RELEASES)
	rcu_read_lock();
	drm_vmap_release(ring);
	rcu_read_unlock();
#elif defined(COPIES)
	spin_lock_bh(lock);
	ret = drm_vmap_from_user(ring, 0, src, 16);
	spin_unlock_bh(lock);
#elif defined(TAKES_SGT)
	spin_lock_irq(lock);
	drm_shmem_sgt_guard(sgt, bound, &bo->shmem, ret)
		pr_debug("%u\n", drm_shmem_sgt_table(sgt)->nents);
	spin_unlock_irq(lock);
#else
	/* The ring was mapped before. Accesses to it work in every context. */
	ret = drm_vmap_from_user(ring, 0, src, 16);
	spin_lock_irqsave(lock, flags);
	drm_vmap_write32(ring, 64, 1);
	spin_unlock_irqrestore(lock, flags);
#endif
	return ret;
}
