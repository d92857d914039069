/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Guards for reservation locks, like those for mutexes in include/linux/mutex.h.
 */
#ifndef _DRM_SAFE_RESV_H
#define _DRM_SAFE_RESV_H

#include <linux/cleanup.h>
#include <linux/dma-resv.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "drm_safe_context.h"

/* private: how a call gets a reservation lock */
enum drm_resv_how {
	DRM_RESV_LOCKS,
	DRM_RESV_LOCKS_INTERRUPTIBLE,	/* a signal ends the wait */
	DRM_RESV_LOCKS_KILLABLE,	/* only a fatal signal ends the wait */
	DRM_RESV_LOCKED,		/* the caller already holds the lock */
};

/*
 * Sleeps before another attempt. A pending signal makes interruptible waits fail at once, but the
 * lock holder may have to run first. Return: false if the task was killed and has to give up.
 */
static inline bool drm_resv_try_again(void)
{
	if (fatal_signal_pending(current))
		return false;
	schedule_timeout_killable(1);
	return true;
}

/**
 * drm_resv_lock_killable() - lock a reservation object, with a killable wait
 * @resv: the reservation object
 *
 * For ioctls that must not be restarted. Other ioctls take the lock interruptibly. ww_mutex has no
 * killable wait, so this tries once per jiffy while a non-fatal signal is pending.
 *
 * Context: May sleep. The caller holds no other reservation lock.
 *
 * Return: 0; -EINTR if the task was killed.
 */
static inline int __must_check drm_resv_lock_killable(struct dma_resv *resv)
	__must_not_hold(drm_resv) __cond_acquires(0, drm_resv)
	__context_unsafe("the analysis does not follow the loop")
{
	int ret;

	do {
		ret = dma_resv_lock_interruptible(resv, NULL);
	} while (ret && drm_resv_try_again());
	return ret;
}

/*
 * Locks a reservation object without a ww context, in the way that @how says.
 *
 * Return: 0, or -EINTR if the wait ended early.
 */
static inline int __must_check drm_resv_lock_how(struct dma_resv *resv, enum drm_resv_how how)
	__cond_acquires(0, drm_resv)
	__context_unsafe("the analysis knows what the caller holds by the call's name")
{
	switch (how) {
	case DRM_RESV_LOCKED:
		return 0;
	case DRM_RESV_LOCKS_INTERRUPTIBLE:
		return dma_resv_lock_interruptible(resv, NULL);
	case DRM_RESV_LOCKS_KILLABLE:
		return drm_resv_lock_killable(resv);
	case DRM_RESV_LOCKS:
		break;
	}
	return dma_resv_lock(resv, NULL);
}

/*
 * guard(drm_resv)(obj->resv) and scoped_guard(drm_resv, obj->resv) wait uninterruptibly. An ioctl
 * uses:
 *
 *	ACQUIRE(drm_resv_intr, lock)(obj->resv);
 *	ret = ACQUIRE_ERR(drm_resv_intr, &lock);
 *	if (ret)
 *		return ret;
 *
 * drm_resv_kill is the same, except that only a fatal signal ends the wait. drm_resv_try does not
 * wait, and returns -EBUSY. These guards are for a single lock: use drm_exec for several.
 */
DEFINE_LOCK_GUARD_1(drm_resv, struct dma_resv, dma_resv_lock(_T->lock, NULL),
		    dma_resv_unlock(_T->lock))
DEFINE_LOCK_GUARD_1_COND(drm_resv, _try, dma_resv_trylock(_T->lock))
DEFINE_LOCK_GUARD_1_COND(drm_resv, _intr, dma_resv_lock_interruptible(_T->lock, NULL), _RET == 0)
DEFINE_LOCK_GUARD_1_COND(drm_resv, _kill, drm_resv_lock_killable(_T->lock), _RET == 0)

DECLARE_LOCK_GUARD_1_ATTRS(drm_resv, __acquires(drm_resv), __releases(drm_resv))
#define class_drm_resv_constructor(_T)		WITH_LOCK_GUARD_1_ATTRS(drm_resv, _T)
DECLARE_LOCK_GUARD_1_ATTRS(drm_resv_try, __acquires(drm_resv), __releases(drm_resv))
#define class_drm_resv_try_constructor(_T)	WITH_LOCK_GUARD_1_ATTRS(drm_resv_try, _T)
DECLARE_LOCK_GUARD_1_ATTRS(drm_resv_intr, __acquires(drm_resv), __releases(drm_resv))
#define class_drm_resv_intr_constructor(_T)	WITH_LOCK_GUARD_1_ATTRS(drm_resv_intr, _T)
DECLARE_LOCK_GUARD_1_ATTRS(drm_resv_kill, __acquires(drm_resv), __releases(drm_resv))
#define class_drm_resv_kill_constructor(_T)	WITH_LOCK_GUARD_1_ATTRS(drm_resv_kill, _T)

#endif /* _DRM_SAFE_RESV_H */
