/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Core internals that the library touches, each in one small function. The
 * comment names the core change that makes the function unnecessary.
 */
#ifndef _DRM_SAFE_CORE_H
#define _DRM_SAFE_CORE_H

#include <linux/dma-resv.h>
#include <linux/sched.h>

/*
 * Whether the caller holds a reservation lock. dma_resv_is_locked() cannot tell
 * the caller from another task, and lockdep_is_held() needs lockdep. Goes when
 * ww_mutex has a function for it.
 *
 * Unlocked read of the owner: only the owner itself sets it to @current or clears it.
 */
static inline bool drm_resv_is_held(struct dma_resv *resv)
{
#ifdef CONFIG_PREEMPT_RT
	return rt_mutex_owner(&resv->lock.base.rtmutex) == current;
#else
	/* The low bits are flags: MUTEX_FLAGS of kernel/locking/mutex.h. */
	return (atomic_long_read(&resv->lock.base.owner) & ~7L) == (long)current;
#endif
}

#endif /* _DRM_SAFE_CORE_H */
