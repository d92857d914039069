// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Waits for other drivers, which only a signal that kills the task ends, or an unplug.
 */

#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include <drm/drm_drv.h>

#include "drm_shmem_internal.h"

/* How long a killed task continues to wait for a fence, in jiffies */
#define DRM_SHMEM_KILLED_AFTER	(HZ / 10)

/**
 * __drm_shmem_wait_some() - wait for a fence for some time
 * @fence: the fence, perhaps of another driver
 * @intr: whether a signal ends the wait
 * @time: in jiffies
 *
 * The wait of a driver's own fence may return an error: i915 returns -ETIME when the time is over,
 * and radeon -EDEADLK at once, while it resets its GPU.
 *
 * Context: May sleep.
 *
 * Return: whether the fence is signalled.
 */
bool __drm_shmem_wait_some(struct dma_fence *fence, bool intr, long time)
{
	if (dma_fence_wait_timeout(fence, intr, time) > 0)
		return true;
	if (dma_fence_is_signaled(fence))
		return true;
	/* The wait may not have waited. */
	schedule_timeout_idle(1);
	return false;
}

/*
 * A killed task stops waiting, because the fence may belong to another driver. The fence API has no
 * killable wait.
 */
static int drm_shmem_wait_fence(struct dma_fence *fence, bool intr)
{
	while (!__drm_shmem_wait_some(fence, intr, DRM_SHMEM_KILLED_AFTER)) {
		if (intr && signal_pending(current))
			return -ERESTARTSYS;
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return 0;
}

/* The same as __drm_shmem_wait(), or any signal ends the wait. */
int __drm_shmem_wait_how(struct dma_resv *resv, enum dma_resv_usage usage, bool intr)
{
	struct dma_fence *fence;
	int ret = dma_resv_get_singleton(resv, usage, &fence);

	if (ret || !fence)
		return ret;
	ret = drm_shmem_wait_fence(fence, intr);
	dma_fence_put(fence);
	return ret;
}

/**
 * __drm_shmem_wait() - wait for the fences of an exporter
 * @resv: of the dma-buf
 * @usage: which of them
 *
 * Waits only for the current fences. Without the reservation lock, other tasks can keep adding
 * fences, for which dma_resv_wait_timeout() would also wait, perhaps without an end.
 *
 * Context: May sleep.
 *
 * Return: 0, -EINTR if the task was killed, or -ENOMEM.
 */
int __drm_shmem_wait(struct dma_resv *resv, enum dma_resv_usage usage)
{
	return __drm_shmem_wait_how(resv, usage, false);
}

/**
 * __drm_shmem_again() - check whether to ask an exporter again, because a signal arrived
 * @drm: the importing device, or NULL if the caller cannot give up because it was unplugged
 * @ret: result of the exporter; -EINTR afterwards if the task was killed, -ENODEV if the device
 *	was unplugged, -EAGAIN if the wait for a fence failed
 *
 * Any signal ends the waits for fences in dma_buf_map_attachment() and
 * dma_buf_begin_cpu_access(), with -ERESTARTSYS. It may also end the waits of the exporter,
 * with -ERESTARTSYS or -EINTR. The exporter may add a fence in the same call, by moving its
 * memory, so it is not enough to wait for the fences first. The caller waits and asks in a
 * loop until this returns false:
 *
 * - The signal stays pending, so each interruptible wait fails at once. The wait of
 *   __drm_shmem_wait() between two attempts does not fail, and the next attempt finds the
 *   fences of this one signalled.
 * - The exporter may wait for something that needs another task to run, so this sleeps
 *   before each attempt.
 * - A signal that kills the task ends the loop. So does an unplug, which may wait for a section of
 *   the caller.
 * - The wait function of a fence may return -EDEADLK, as radeon's does. Callers of the library
 *   would take this for lock contention, and try again forever, so this turns -EDEADLK into
 *   -EAGAIN.
 * - Without a pending signal, the error comes from the exporter itself, and ends the loop.
 *
 * Context: May sleep.
 *
 * Return: true if the caller has to try again.
 */
bool __drm_shmem_again(struct drm_device *drm, int *ret)
{
	if (*ret == -EDEADLK)
		*ret = -EAGAIN;
	if (*ret != -ERESTARTSYS && *ret != -EINTR)
		return false;
	if (!signal_pending(current))
		return false;
	if (drm && drm_dev_is_unplugged(drm)) {
		*ret = -ENODEV;
		return false;
	}
	if (drm_resv_try_again())
		return true;
	*ret = -EINTR;
	return false;
}

/**
 * __drm_shmem_sgt_again() - the same after dma_buf_map_attachment()
 * @drm: the importing device
 * @sgt: result of the exporter; an ERR_PTR() afterwards as in __drm_shmem_again()
 *
 * Context: May sleep.
 *
 * Return: true if the caller has to try again.
 */
bool __drm_shmem_sgt_again(struct drm_device *drm, struct sg_table **sgt)
{
	int ret = PTR_ERR_OR_ZERO(*sgt);
	const bool again = __drm_shmem_again(drm, &ret);

	if (ret)
		*sgt = ERR_PTR(ret);
	return again;
}
