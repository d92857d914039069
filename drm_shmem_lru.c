// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * On which list of a shrinker an object is. The lists tell a scan what to purge or evict first, see
 * drm_shmem_shrinker.c.
 */

#include <kunit/static_stub.h>
#include <kunit/visibility.h>
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mutex.h>

#include <drm/drm_device.h>

#include "drm_shmem_internal.h"

/**
 * drm_shmem_check_published() - whether others may have an object
 * @gem: the object
 *
 * An object that is incomplete or unique has no handle and no mmap offset, is in
 * no dma-buf, and is on no LRU.
 *
 * Context: Any.
 *
 * Return: 0, or -EINVAL, with a report, if it was not published.
 */
int drm_shmem_check_published(struct drm_gem_object *gem)
{
	if (READ_ONCE(to_drm_shmem_obj(gem)->__published))
		return 0;

	drm_safe_broken(gem->dev, "publish before use",
			"a unique object cannot be shared: call drm_shmem_publish() first");
	return -EINVAL;
}

/**
 * __drm_shmem_check_shrinker() - check whether an object may be on the lists of a shrinker
 * @gem: the object
 * @shrinker: the shrinker
 *
 * A shrinker of another device keeps its lists under another lock. An object that was not
 * published must not be found, not even by the shrinker.
 *
 * Return: true, or false after a report.
 */
bool __drm_shmem_check_shrinker(struct drm_gem_object *gem,
				const struct drm_shmem_shrinker *shrinker)
{
	if (likely(shrinker->__drm == gem->dev))
		return !drm_shmem_check_published(gem);

	if (!shrinker->__drm)
		drm_safe_broken(gem->dev, "a shrinker is initialised before use",
				"call drmm_shmem_shrinker_init() first");
	else
		drm_safe_broken(gem->dev, "an object and its shrinker are of one device",
				"the shrinker belongs to another device");
	return false;
}

static struct __drm_shmem_lru *to_drm_shmem_lru(struct drm_gem_lru *lru)
{
	return lru ? container_of(lru, struct __drm_shmem_lru, base) : NULL;
}

/*
 * Where an object is listed. It can be moved meanwhile: if its group ends, the object is shared,
 * and the group may be freed. So @lru is only compared.
 */
struct drm_shmem_where {
	enum __drm_shmem_list list;
	struct drm_shmem_shrinker *s;		/* NULL if it is on no list */
	const struct __drm_shmem_lru *lru;
};

static struct drm_shmem_where drm_shmem_where(const struct drm_shmem_obj *obj)
	__must_hold(drm_resv)
{
	const struct drm_gem_object *gem = &obj->base.base;
	struct drm_shmem_where where = { .list = __DRM_SHMEM_UNLISTED };

	/* An object that was never on a list needs no lock. */
	if (!(obj->__flags & __DRM_SHMEM_LRU))
		return where;

	guard(mutex)(&gem->dev->gem_lru_mutex);
	where.lru = to_drm_shmem_lru(drm_gem_object_lru_locked(gem));
	if (where.lru) {
		where.list = where.lru->list;
		where.s = where.lru->shrinker;
	}
	return where;
}

/**
 * __drm_shmem_listed_by() - the shrinker that may reclaim an object
 * @obj: the object
 *
 * Context: The caller holds the reservation lock.
 *
 * Return: the shrinker that has @obj on one of its lists, or NULL.
 */
struct drm_shmem_shrinker *__drm_shmem_listed_by(const struct drm_shmem_obj *obj)
{
	return drm_shmem_where(obj).s;
}

/**
 * __drm_shmem_is_evictable() - would a scan evict an object that has pages?
 * @obj: the object
 *
 * For statistics. The state of the object may change meanwhile.
 *
 * Context: May sleep. Takes the lock of the device's LRU lists.
 *
 * Return: whether a shrinker has it on a list of objects to evict.
 */
bool __drm_shmem_is_evictable(const struct drm_shmem_obj *obj)
{
	const struct drm_gem_object *gem = &obj->base.base;
	const struct __drm_shmem_lru *lru;

	if (!(READ_ONCE(obj->__flags) & __DRM_SHMEM_LRU))
		return false;
	guard(mutex)(&gem->dev->gem_lru_mutex);
	lru = to_drm_shmem_lru(drm_gem_object_lru_locked(gem));
	return lru && lru->list > __DRM_SHMEM_PURGEABLE && lru->list < __DRM_SHMEM_PARKED;
}

/* Under &drm_device.gem_lru_mutex. Pages of groups are counted together, too. */
void __drm_shmem_lru_move_locked(struct drm_gem_object *gem, struct __drm_shmem_lru *to)
{
	struct __drm_shmem_lru *from = to_drm_shmem_lru(drm_gem_object_lru_locked(gem));

	if (from && from->list == __DRM_SHMEM_GROUPED)
		from->shrinker->__grouped -= drm_shmem_pages(gem);
	if (to->list == __DRM_SHMEM_GROUPED)
		to->shrinker->__grouped += drm_shmem_pages(gem);
	drm_gem_lru_move_tail_locked(&to->base, gem);
}

static void drm_shmem_move(struct drm_shmem_obj *obj, struct __drm_shmem_lru *to)
	__must_hold(drm_resv)
{
	struct drm_gem_object *gem = &obj->base.base;

	WRITE_ONCE(obj->__flags, obj->__flags | __DRM_SHMEM_LRU);
	guard(mutex)(&gem->dev->gem_lru_mutex);
	__drm_shmem_lru_move_locked(gem, to);
}

/**
 * __drm_shmem_leave_lru() - take an object off the lists of its shrinker
 * @obj: the object
 *
 * Context: May sleep. The caller holds the reservation lock, or frees the object.
 */
void __drm_shmem_leave_lru(struct drm_shmem_obj *obj)
	__context_unsafe("an object that is freed has no lock to hold")
{
	struct drm_gem_object *gem = &obj->base.base;
	struct __drm_shmem_lru *lru;

	/* The flag can be read unlocked, because it stays set. The list may change at any time. */
	if (!(obj->__flags & __DRM_SHMEM_LRU))
		return;
	scoped_guard(mutex, &gem->dev->gem_lru_mutex) {
		lru = to_drm_shmem_lru(drm_gem_object_lru_locked(gem));
		/*
		 * Do not count it with the groups any more, whichever group it is in when it is
		 * removed.
		 */
		if (lru && lru->list == __DRM_SHMEM_GROUPED) {
			lru = &lru->shrinker->__lrus[__DRM_SHMEM_PARKED];
			__drm_shmem_lru_move_locked(gem, lru);
		}
	}
	drm_gem_lru_remove(gem);
}

/* Returns whether a purge gives anything back: pages, or swapped-out contents. */
static bool drm_shmem_has_contents(const struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	return obj->base.pages || inode_get_bytes(file_inode(obj->base.base.filp));
}

/*
 * Returns whether a purge may succeed. Everything that blocks a purge relists the object when it
 * ends, except for jobs: a scan checks for those itself.
 */
static bool drm_shmem_may_purge(const struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	if (drm_shmem_has_sgt(obj) && !(obj->__flags & __DRM_SHMEM_RECLAIM))
		return false;
	return drm_shmem_has_contents(obj) && !atomic_read(&obj->__dma_bufs) &&
	       !__drm_shmem_stays_pinned(obj);
}

/*
 * The sg table has users beyond the table itself: handles that are not suspended. Or an importer
 * that can be notified has a table.
 */
static bool drm_shmem_is_in_gpu(const struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	return (drm_shmem_has_sgt(obj) && refcount_read(&obj->__table.__users) > 1) ||
	       __drm_shmem_told(obj);
}

/* Returns the right list for an object, as far as the object itself can tell. */
VISIBLE_IF_KUNIT enum __drm_shmem_list drm_shmem_right_list(const struct drm_shmem_obj *obj)
	__must_hold(drm_resv)
{
	KUNIT_STATIC_STUB_REDIRECT(drm_shmem_right_list, obj);
	if (drm_shmem_is_purged(obj))
		return __DRM_SHMEM_UNLISTED;
	if (obj->base.madv == DRM_SHMEM_DONTNEED)
		return drm_shmem_may_purge(obj) ? __DRM_SHMEM_PURGEABLE : __DRM_SHMEM_PARKED;
	if (!(obj->__flags & __DRM_SHMEM_RECLAIM))
		return __DRM_SHMEM_UNLISTED;
	if (!obj->base.pages || __drm_shmem_stays_pinned(obj) || __drm_shmem_is_foreign(obj))
		return __DRM_SHMEM_PARKED;
	if (drm_shmem_is_in_gpu(obj))
		return __DRM_SHMEM_SHARED;
	return obj->__flags & __DRM_SHMEM_FAULTED ? __DRM_SHMEM_MMAPPED : __DRM_SHMEM_UNUSED;
}
EXPORT_SYMBOL_IF_KUNIT(drm_shmem_right_list);

/*
 * Returns the list of @s on which an object belongs. An object in a group stays there while the
 * GPU uses it.
 */
static enum __drm_shmem_list drm_shmem_right_list_of(struct drm_shmem_obj *obj,
						     const struct drm_shmem_shrinker *s,
						     const struct drm_shmem_where *now)
	__must_hold(drm_resv)
{
	const enum __drm_shmem_list list = drm_shmem_right_list(obj);

	if (!drm_gem_object_has_refs(&obj->base.base))
		return __DRM_SHMEM_UNLISTED;
	if (list == __DRM_SHMEM_SHARED && now->list == __DRM_SHMEM_GROUPED && now->s == s)
		return __DRM_SHMEM_GROUPED;
	return list;
}

/* The same for a scan of @s */
enum __drm_shmem_list __drm_shmem_belongs(struct drm_shmem_obj *obj,
					  const struct drm_shmem_shrinker *s)
{
	const struct drm_shmem_where now = drm_shmem_where(obj);

	return drm_shmem_right_list_of(obj, s, &now);
}

/* Marks an object that several groups use, until the GPU no longer uses it. */
static void drm_shmem_set_shared(struct drm_shmem_obj *obj, bool shared) __must_hold(drm_resv)
{
	const u8 flags = obj->__flags & ~__DRM_SHMEM_SHARES;

	WRITE_ONCE(obj->__flags, shared ? flags | __DRM_SHMEM_SHARES : flags);
}

/**
 * __drm_shmem_list() - update the list of an object that a shrinker may reclaim
 * @obj: the object
 * @s: the shrinker, or NULL for none
 *
 * If the object is already on the right list, it keeps its place.
 *
 * Context: May sleep, also in memory reclaim. The caller holds the reservation lock.
 */
void __drm_shmem_list(struct drm_shmem_obj *obj, struct drm_shmem_shrinker *s)
{
	const struct drm_shmem_where now = drm_shmem_where(obj);
	enum __drm_shmem_list list = __DRM_SHMEM_UNLISTED;

	if (s)
		list = drm_shmem_right_list_of(obj, s, &now);
	if (!drm_shmem_is_in_gpu(obj))
		drm_shmem_set_shared(obj, false);
	if (list == now.list && (!now.s || now.s == s))
		return;
	if (list == __DRM_SHMEM_UNLISTED)
		__drm_shmem_leave_lru(obj);
	else
		drm_shmem_move(obj, &s->__lrus[list]);
}

/**
 * __drm_shmem_relist() - update the list of an object whose pages or users changed
 * @obj: the object
 *
 * Called after an object may have got or lost pages, a pin, a userspace mapping, or a
 * user of its sg table. If a shrinker may reclaim the object, this moves it to the
 * shrinker's right list.
 *
 * Context: May sleep. The caller holds the reservation lock.
 */
void __drm_shmem_relist(struct drm_shmem_obj *obj)
{
	struct drm_shmem_shrinker *s = __drm_shmem_listed_by(obj);

	if (s)
		__drm_shmem_list(obj, s);
}
EXPORT_SYMBOL_IF_KUNIT(__drm_shmem_relist);

/**
 * __drm_shmem_try_relist() - the same, if no lock has to be waited for
 * @obj: the object
 *
 * Otherwise, a scan does this when it reaches the object, if it is on a list that a scan looks at.
 *
 * Context: May sleep. The caller may hold any reservation lock.
 *
 * Return: false if another task, or the caller, has the lock.
 */
bool __drm_shmem_try_relist(struct drm_shmem_obj *obj)
	__context_unsafe("a lock that is tried")
{
	struct dma_resv *resv = obj->base.base.resv;

	if (!(READ_ONCE(obj->__flags) & __DRM_SHMEM_LRU))
		return true;
	if (!dma_resv_trylock(resv))
		return false;
	__drm_shmem_relist(obj);
	dma_resv_unlock(resv);
	return true;
}

/*
 * Returns the list for an object that the GPU is about to use for @group, or for no group if @group
 * is NULL.
 */
static struct __drm_shmem_lru *drm_shmem_touched_lru(struct drm_shmem_obj *obj,
						     struct drm_shmem_shrinker *s,
						     struct drm_shmem_group *group)
	__must_hold(drm_resv)
{
	const struct drm_shmem_where now = drm_shmem_where(obj);

	if (drm_shmem_right_list(obj) == __DRM_SHMEM_PARKED)
		return &s->__lrus[__DRM_SHMEM_PARKED];
	if (!group || (obj->__flags & __DRM_SHMEM_SHARES) ||
	    (now.list == __DRM_SHMEM_GROUPED && now.lru != &group->__lru)) {
		drm_shmem_set_shared(obj, true);
		return &s->__lrus[__DRM_SHMEM_SHARED];
	}
	return &group->__lru;
}

static void drm_shmem_do_touch(struct drm_shmem_obj *obj, struct drm_shmem_shrinker *s,
			       struct drm_shmem_group *group) __must_hold(drm_resv)
{
	struct drm_gem_object *gem = &obj->base.base;

	dma_resv_assert_held(gem->resv);
	if (!__drm_shmem_check_shrinker(gem, s))
		return;
	if (obj->base.madv == DRM_SHMEM_WILLNEED && !drm_gem_is_imported(gem) &&
	    (obj->__flags & __DRM_SHMEM_RECLAIM) && drm_gem_object_has_refs(gem))
		drm_shmem_move(obj, drm_shmem_touched_lru(obj, s, group));
}

/**
 * drm_shmem_touch() - an object is about to be used by the hardware
 * @obj: the object
 * @shrinker: the device's shrinker, which may evict the object from now on, after objects that
 *	were touched earlier, and again each time that userspace or an sg table has got the pages
 *	back
 *
 * Does nothing for objects that cannot be evicted, or are not needed. Reports a @shrinker that
 * was not initialised for the object's device, or an object that was not published, and does
 * nothing in that case. A driver with groups calls drm_shmem_touch_for() for an object that one
 * group uses.
 *
 * Context: May sleep. The caller holds the object's reservation lock.
 */
void drm_shmem_touch(struct drm_shmem_obj *obj, struct drm_shmem_shrinker *shrinker)
{
	drm_shmem_do_touch(obj, shrinker, NULL);
}
EXPORT_SYMBOL_GPL(drm_shmem_touch);

static bool drm_shmem_check_group(struct drm_device *drm, const struct drm_shmem_group *group)
{
	if (likely(group->__lru.shrinker))
		return true;

	drm_safe_broken(drm, "a group is initialised before use",
			"it is used before drm_shmem_group_init(), or after drm_shmem_group_fini()");
	return false;
}

/**
 * drm_shmem_group_init() - begin a group of objects that are evicted together
 * @group: the group, zeroed
 * @shrinker: the device's shrinker, initialised
 *
 * There is one for each address space, GPU context or process. The group holds a reference to
 * the device until drm_shmem_group_fini().
 *
 * The idea comes from panthor's list of address spaces.
 *
 * Context: May sleep.
 *
 * Return: 0; -EINVAL if @shrinker was not initialised, or -EBUSY if @group is in use, which are
 * reported.
 */
int drm_shmem_group_init(struct drm_shmem_group *group, struct drm_shmem_shrinker *shrinker)
{
	struct drm_device *drm = shrinker->__drm;

	if (!drm) {
		drm_safe_broken(NULL, "a shrinker is initialised before use",
				"call drmm_shmem_shrinker_init() first");
		return -EINVAL;
	}
	if (group->__lru.shrinker) {
		drm_safe_broken(drm, "a group is initialised once",
				"it is in use already, or was not zeroed");
		return -EBUSY;
	}

	drm_dev_get(drm);
	drm_gem_lru_init(&group->__lru.base);
	group->__lru.list = __DRM_SHMEM_GROUPED;
	group->__lru.shrinker = shrinker;
	guard(mutex)(&drm->gem_lru_mutex);
	/* At the front, so that a group that never ran is evicted before those that did */
	list_add(&group->__node, &shrinker->__groups);
	return 0;
}
EXPORT_SYMBOL_GPL(drm_shmem_group_init);

/* Takes one object at a time, because others need the lock meanwhile. */
static bool drm_shmem_group_disband_one(struct drm_shmem_group *group)
{
	struct drm_shmem_shrinker *s = group->__lru.shrinker;
	struct drm_gem_object *gem;

	guard(mutex)(&s->__drm->gem_lru_mutex);
	gem = drm_gem_lru_first_locked(&group->__lru.base);
	if (!gem) {
		list_del(&group->__node);
		return false;
	}
	__drm_shmem_lru_move_locked(gem, &s->__lrus[__DRM_SHMEM_SHARED]);
	return true;
}

/**
 * drm_shmem_group_fini() - end a group
 * @group: the group, empty afterwards; an empty group is left alone
 *
 * Nothing touches the group any more. Remaining objects can be evicted like objects of no
 * group. Puts the device.
 *
 * Context: May sleep. The caller may hold any reservation lock.
 */
void drm_shmem_group_fini(struct drm_shmem_group *group)
{
	struct drm_shmem_shrinker *s = group->__lru.shrinker;

	if (!s)
		return;
	while (drm_shmem_group_disband_one(group))
		;
	group->__lru.shrinker = NULL;
	drm_dev_put(s->__drm);
}
EXPORT_SYMBOL_GPL(drm_shmem_group_fini);

/**
 * drm_shmem_group_touch() - a group is about to be used by the hardware
 * @group: the group
 *
 * The group becomes the last to be evicted, with all its objects. One call for each job is
 * enough, however many objects there are. Reports a group that was not initialised, and
 * does nothing in that case.
 *
 * Context: May sleep. The caller may hold any reservation lock.
 */
void drm_shmem_group_touch(struct drm_shmem_group *group)
{
	if (!drm_shmem_check_group(NULL, group))
		return;
	guard(mutex)(&group->__lru.shrinker->__drm->gem_lru_mutex);
	list_move_tail(&group->__node, &group->__lru.shrinker->__groups);
}
EXPORT_SYMBOL_GPL(drm_shmem_group_touch);

/**
 * drm_shmem_touch_for() - an object is about to be used by the hardware, for a group
 * @obj: the object
 * @group: the group
 *
 * Like drm_shmem_touch(). The object joins the group, unless another group uses it too. In
 * that case it is shared, until the hardware no longer uses it. This does not change the
 * place of @group among the groups.
 *
 * A driver that maps an object calls this once. Afterwards, drm_shmem_group_touch() for
 * each job is enough.
 *
 * Context: May sleep. The caller holds the object's reservation lock.
 */
void drm_shmem_touch_for(struct drm_shmem_obj *obj, struct drm_shmem_group *group)
{
	dma_resv_assert_held(obj->base.base.resv);
	if (drm_shmem_check_group(obj->base.base.dev, group))
		drm_shmem_do_touch(obj, group->__lru.shrinker, group);
}
EXPORT_SYMBOL_GPL(drm_shmem_touch_for);
