/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _DRM_SHMEM_RECLAIM_H
#define _DRM_SHMEM_RECLAIM_H

#include <linux/workqueue.h>

#include "drm_shmem_obj.h"

struct shrinker;

/**
 * enum drm_shmem_madv - what the contents of an object are worth
 */
enum drm_shmem_madv {
	/** @DRM_SHMEM_WILLNEED: they are needed */
	DRM_SHMEM_WILLNEED,
	/** @DRM_SHMEM_DONTNEED: they may be thrown away */
	DRM_SHMEM_DONTNEED,
};

/**
 * struct drm_shmem_shrinker - gives back pages of a device's objects
 *
 * Part of the driver's device struct, for which drmm_shmem_shrinker_init() is
 * called.
 *
 * Invariants:
 *
 * - An object on @__purgeable is not needed. One on @__evictable is needed, and was
 *   touched after those before it, unless a scan found it in use and moved it to the end.
 *   One on @__evicted has nothing to give back: it is needed, and had no pages when it was
 *   put there, or it is not needed, and never had contents. Whatever maps its pages moves it
 *   to one of the other two. These are published, and are moved under their reservation
 *   lock. One on @__dead has no reference, and @__end ends it. The lists are under
 *   &drm_device.gem_lru_mutex.
 * - While @__ending is set, @__end is queued or runs, and holds one reference to the
 *   device and one to the driver's module, which only @__end gives up. @__ending is under
 *   &drm_device.gem_lru_mutex, and set whenever there is an object on @__dead.
 * - @__drm is NULL unless the shrinker is registered.
 */
struct drm_shmem_shrinker {
	/* private: */
	struct drm_device *__drm;
	struct shrinker *__shrinker;
	struct drm_gem_lru __purgeable;
	struct drm_gem_lru __evictable;
	struct drm_gem_lru __evicted;
	struct drm_gem_lru __dead;
	struct work_struct __end;
	bool __ending;
};

int drm_shmem_pin(struct drm_shmem_obj *obj)
	__must_check __nonnull_args(1) __must_not_hold(drm_resv);
int drm_shmem_pin_interruptible(struct drm_shmem_obj *obj)
	__must_check __nonnull_args(1) __must_not_hold(drm_resv);
void drm_shmem_unpin(struct drm_shmem_obj *obj)
	__nonnull_args(1) __must_not_hold(drm_resv);
int drm_shmem_madvise(struct drm_shmem_obj *obj, enum drm_shmem_madv madv,
		      struct drm_shmem_shrinker *shrinker) __must_check
	__must_not_hold(drm_resv);
int drm_shmem_madvise_interruptible(struct drm_shmem_obj *obj, enum drm_shmem_madv madv,
				    struct drm_shmem_shrinker *shrinker) __must_check
	__must_not_hold(drm_resv);
int drm_shmem_purge(struct drm_shmem_obj *obj)
	__must_check __nonnull_args(1) __must_not_hold(drm_resv);
int drm_shmem_purge_interruptible(struct drm_shmem_obj *obj)
	__must_check __nonnull_args(1) __must_not_hold(drm_resv);
bool drm_shmem_is_shared(struct drm_shmem_obj *obj) __nonnull_args(1);
int drm_shmem_evict(struct drm_shmem_obj *obj)
	__must_check __nonnull_args(1) __must_not_hold(drm_resv);
int drm_shmem_evict_interruptible(struct drm_shmem_obj *obj)
	__must_check __nonnull_args(1) __must_not_hold(drm_resv);
void drm_shmem_touch(struct drm_shmem_obj *obj, struct drm_shmem_shrinker *shrinker)
	__nonnull_args(1, 2) __must_hold(drm_resv);
int drmm_shmem_shrinker_init(struct drm_device *drm,
			     struct drm_shmem_shrinker *shrinker) __must_check;

/**
 * drm_shmem_is_purged() - has an object lost its contents?
 * @obj: the object
 *
 * A caller that will use the object later asks. A call that maps the object need not ask: it
 * fails for a purged one.
 *
 * Context: The caller holds the object's reservation lock, without which it can be
 * purged at any time.
 *
 * Return: true if @obj was purged, which it stays.
 */
static inline bool drm_shmem_is_purged(const struct drm_shmem_obj *obj)
	__must_hold(drm_resv)
{
	dma_resv_assert_held(obj->base.base.resv);

	return obj->base.madv < 0;
}

#endif /* _DRM_SHMEM_RECLAIM_H */
