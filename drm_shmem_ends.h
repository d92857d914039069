/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _DRM_SHMEM_ENDS_H
#define _DRM_SHMEM_ENDS_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "drm_shmem_obj.h"

/**
 * struct drm_shmem_ends - objects whose end waits for the hardware
 *
 * The driver embeds one in its device struct. When the parent is unbound, the library ends the
 * objects that are left.
 *
 * Invariants:
 *
 * - @__drm is NULL before drm_shmem_ends_init(), and constant afterwards.
 * - An object on @__waits or @__over has no reference. It is on @__waits while a bit of its
 *   @__ending is set. After that, it is on @__over until @__work ends it. @__lock protects all of
 *   this and the members below it. Interrupt handlers take @__lock.
 * - @__count and @__bytes count the objects on both lists, and the object that @__work is just
 *   ending. @__changed is woken after a count became smaller.
 * - While @__queued is set, @__work is queued or runs, and the parent is bound. @__work clears
 *   @__queued under @__lock, and touches nothing of the device or its driver after it has released
 *   @__lock.
 * - No object joins @__waits once @__closed is set. @__closed stays set.
 */
struct drm_shmem_ends {
	/* private: */
	struct drm_device *__drm;
	struct drm_dev_ctx_revocable __revocable;
	spinlock_t __lock;		/* protects the members below */
	struct list_head __waits;
	struct list_head __over;
	unsigned int __count;
	u64 __bytes;
	bool __queued;
	bool __closed;
	struct work_struct __work;
	wait_queue_head_t __changed;

	__DRM_SAFE_NO_ASSIGN;
};

int drm_shmem_ends_init(struct drm_shmem_ends *ends, const struct drm_dev_ctx_bound *bound)
	__must_check __nonnull_args(1, 2);
struct drm_shmem_put_off *drm_shmem_put_off(struct drm_shmem_obj *obj,
					    struct drm_shmem_ends *ends)
	__must_check __nonnull_args(1, 2);
void drm_shmem_end(struct drm_shmem_obj *obj, struct drm_shmem_ends *ends) __nonnull_args(1, 2);
u64 drm_shmem_ends_bytes(struct drm_shmem_ends *ends) __nonnull_args(1);
int drm_shmem_ends_wait(struct drm_shmem_ends *ends, u64 bytes)
	__must_check __nonnull_args(1) __must_not_hold(drm_resv) __must_not_hold(drm_dev_section);

#endif /* _DRM_SHMEM_ENDS_H */
