/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _DRM_SHMEM_RECLAIM_H
#define _DRM_SHMEM_RECLAIM_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/workqueue.h>

#include "drm_shmem_obj.h"

struct module;
struct shrinker;

/**
 * enum drm_shmem_madv - whether the contents of an object are needed
 */
enum drm_shmem_madv {
	/** @DRM_SHMEM_WILLNEED: they are needed */
	DRM_SHMEM_WILLNEED,
	/** @DRM_SHMEM_DONTNEED: they may be thrown away */
	DRM_SHMEM_DONTNEED,
};

/* private: a list of a shrinker or of a group. Unlike DRM's list, it knows which one it is. */
struct __drm_shmem_lru {
	struct drm_gem_lru base;
	enum __drm_shmem_list list;
	struct drm_shmem_shrinker *shrinker;
};

/**
 * struct drm_shmem_shrinker - gives back pages of a device's objects
 *
 * The driver embeds it in its device struct, and initialises it with
 * drmm_shmem_shrinker_init().
 *
 * Invariants:
 *
 * - @__lrus are indexed by &enum __drm_shmem_list. The list for groups stays empty: each
 *   group has its own list, and @__grouped counts their pages.
 * - An object on a list is published, and moves to another list under its reservation lock,
 *   except when its group ends. An object on the list of dead objects has no references,
 *   and @__end ends it. The lists are protected by &drm_device.gem_lru_mutex.
 * - An object is on the list that was right for it at the last change under its reservation
 *   lock. A scan checks this again.
 * - @__groups has the groups, the least recently used one first, and the cursors of scans.
 *   @__groups and @__grouped are protected by &drm_device.gem_lru_mutex.
 * - While @__ending is set, @__end is queued or runs, and holds one reference to the device
 *   and one to the driver's module, which only @__end gives up. @__ending is protected by
 *   &drm_device.gem_lru_mutex, and set whenever there is a dead object.
 * - @__repeats is set if the last scan found objects, but could free nothing.
 * - @__drm is NULL before the shrinker is initialised, and after the device is released.
 * - From drmm_shmem_shrinker_init() on, @__node is on the list of all shrinkers, @__shrinker is
 *   registered, and the module @__owner is not freed. The task that sets @__leaves frees
 *   @__shrinker, and then takes @__node off the list. The lock of that list protects @__leaves and
 *   @__node.
 */
struct drm_shmem_shrinker {
	/* private: */
	struct drm_device *__drm;
	struct module *__owner;		/* the driver */
	struct list_head __node;
	bool __leaves;			/* a task is unregistering the shrinker */
	struct shrinker *__shrinker;
	struct __drm_shmem_lru __lrus[__DRM_SHMEM_UNLISTED];
	struct list_head __groups;
	unsigned long __grouped;
	unsigned long __last;		/* freed by the last scan, in pages */
	struct work_struct __end;
	bool __ending;
	atomic_t __repeats;
};

/**
 * struct drm_shmem_group - objects that are evicted together
 *
 * The driver embeds it in the structure whose objects are used together: an address space, a
 * context, a process. Memory pressure evicts the objects of one group before the objects of the
 * next.
 *
 * Invariants:
 *
 * - @__lru has no shrinker before drm_shmem_group_init(), nor after drm_shmem_group_fini().
 *   In between, @__node is on its shrinker's list, and the group holds a reference to the
 *   device.
 * - As far as the calls of drm_shmem_touch_for() tell, no other group uses an object on @__lru.
 */
struct drm_shmem_group {
	/* private: */
	struct __drm_shmem_lru __lru;
	struct list_head __node;

	__DRM_SAFE_NO_ASSIGN;
};

int drm_shmem_pin(struct drm_shmem_obj *obj)
	__must_check __nonnull_args(1) __must_not_hold(drm_resv);
int drm_shmem_pin_interruptible(struct drm_shmem_obj *obj)
	__must_check __nonnull_args(1) __must_not_hold(drm_resv);
void drm_shmem_unpin(struct drm_shmem_obj *obj)
	__nonnull_args(1) __must_not_hold(drm_resv);
void drm_shmem_touch(struct drm_shmem_obj *obj, struct drm_shmem_shrinker *shrinker)
	__nonnull_args(1, 2) __must_hold(drm_resv);

int drm_shmem_group_init(struct drm_shmem_group *group, struct drm_shmem_shrinker *shrinker)
	__must_check __nonnull_args(1, 2);
void drm_shmem_group_fini(struct drm_shmem_group *group) __nonnull_args(1);
void drm_shmem_group_touch(struct drm_shmem_group *group) __nonnull_args(1);
void drm_shmem_touch_for(struct drm_shmem_obj *obj, struct drm_shmem_group *group)
	__nonnull_args(1, 2) __must_hold(drm_resv);

/**
 * drm_shmem_is_purged() - has an object lost its contents?
 * @obj: the object
 *
 * For a caller that will use the object later. A call that maps the object need not ask,
 * because it fails for a purged object.
 *
 * Context: The caller holds the object's reservation lock. Otherwise the object could be purged
 * at any time.
 *
 * Return: true if @obj was purged. It stays purged.
 */
static inline bool drm_shmem_is_purged(const struct drm_shmem_obj *obj)
	__must_hold(drm_resv)
{
	dma_resv_assert_held(obj->base.base.resv);

	return obj->base.madv < 0;
}

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
int drmm_shmem_shrinker_init(struct drm_device *drm,
			     struct drm_shmem_shrinker *shrinker) __must_check;

#endif /* _DRM_SHMEM_RECLAIM_H */
