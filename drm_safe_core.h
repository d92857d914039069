/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Core internals that the library touches, each in one small function. The
 * comment names the core change that makes the function unnecessary.
 */
#ifndef _DRM_SAFE_CORE_H
#define _DRM_SAFE_CORE_H

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/list.h>
#include <linux/poison.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include <drm/drm_device.h>

#include "drm_safe_context.h"

/*
 * Whether the caller holds a reservation lock. dma_resv_is_locked() cannot tell
 * the caller from another task, and lockdep_is_held() needs lockdep. Goes when
 * ww_mutex has a function for it.
 *
 * Unlocked read of the owner: only this task sets it to @current, apart from an unlocker
 * that hands the lock over to this task while it waits. While @current is the owner, only
 * this task changes it.
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

/*
 * Another task may have to run, for the sake of what a pending signal keeps this one from
 * waiting for. Return: false if the task was killed, and has to give up.
 */
static inline bool drm_resv_try_again(void)
{
	if (fatal_signal_pending(current))
		return false;
	schedule_timeout_killable(1);
	return true;
}

/* How a call gets a reservation lock */
enum drm_resv_how {
	DRM_RESV_LOCKS,
	DRM_RESV_LOCKS_INTERRUPTIBLE,	/* a signal ends the wait */
	DRM_RESV_LOCKS_KILLABLE,	/* the end of the task does */
	DRM_RESV_LOCKED,		/* the caller holds it */
};

static inline enum drm_resv_how drm_resv_how(bool locked)
{
	return locked ? DRM_RESV_LOCKED : DRM_RESV_LOCKS;
}

/*
 * Lock a reservation object, without a context. The loop goes when ww_mutex waits in any
 * task state, as struct mutex does.
 *
 * Return: 0, or -EINTR if the wait ended early.
 */
static inline int drm_resv_lock_how(struct dma_resv *resv, enum drm_resv_how how)
	__cond_acquires(0, drm_resv)
	__context_unsafe("the analysis knows what the caller holds by the call's name")
{
	int ret;

	if (how == DRM_RESV_LOCKED)
		return 0;
	if (how == DRM_RESV_LOCKS)
		return dma_resv_lock(resv, NULL);
	do {
		ret = dma_resv_lock_interruptible(resv, NULL);
	} while (ret && how == DRM_RESV_LOCKS_KILLABLE && drm_resv_try_again());
	return ret;
}

/*
 * Forget a mapping without an address, which an exporter passed off as a success:
 * dma_buf_vmap() counts it, and both dma_buf_vunmap() and the next dma_buf_vmap() hit a
 * BUG_ON(). Goes when dma_buf_vmap() returns -ENOMEM for it.
 */
static inline void drm_dma_buf_forget_null_map(struct dma_buf *dma_buf)
{
	dma_resv_assert_held(dma_buf->resv);
	if (dma_buf->vmapping_counter && iosys_map_is_null(&dma_buf->vmap_ptr))
		dma_buf->vmapping_counter = 0;
}

/*
 * Gives a device that nobody else has yet another driver, which differs in callbacks only, as
 * rust/kernel/drm/device.rs does. Goes when __drm_dev_alloc() leaves &drm_driver.release alone
 * until its caller says that the device is complete.
 */
static inline void drm_dev_set_driver(struct drm_device *drm, const struct drm_driver *driver)
{
	drm->driver = driver;
}

/*
 * Prepare a device that was unregistered before for another drm_dev_unregister(). That
 * function deletes the device from the core's sysrq list each time, and deleting it twice
 * corrupts the list. So add the entry to @own, a list of the caller's, for the second call
 * to delete it from there. The first call poisoned the entry: it is on no list, and needs no
 * lock. Without CONFIG_DRM_CLIENT, or while the first call has not deleted the entry, this
 * does nothing. Goes when drm_client_sysrq_unregister() ignores a device that is on no list.
 */
static inline void drm_dev_relist_sysrq(struct drm_device *drm, struct list_head *own)
{
	if (READ_ONCE(drm->client_sysrq_list.next) == LIST_POISON1)
		list_add(&drm->client_sysrq_list, own);
}

#endif /* _DRM_SAFE_CORE_H */
