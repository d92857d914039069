// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <kunit/static_stub.h>
#include <kunit/visibility.h>
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/shmem_fs.h>
#include <linux/shrinker.h>
#include <linux/swap.h>
#include <linux/workqueue.h>

#include <drm/drm_drv.h>
#include <drm/drm_managed.h>

#include "drm_shmem_internal.h"
#include "drm_shmem_trace.h"

/**
 * DOC: reclaim
 *
 * An object whose contents are not needed (drm_shmem_madvise()) can be purged:
 * its pages go back to the system and it never maps again. An object whose contents
 * are needed can be evicted (drm_shmem_evict()): its pages are unpinned, so that the
 * system can swap them out, and the next user gets them back.
 *
 * Neither happens while a kernel mapping, a pin, a dma-buf, a borrowed sg table, or a
 * fence in its reservation object uses the object. The type's evict step takes the
 * addresses of the sg table from the page tables of the GPU and suspends the
 * handles that own the table. Objects that have an sg table are purged or evicted only
 * if their type is DRM_SHMEM_RECLAIM, because other types do not count the users
 * of their tables. Mappings of userspace are taken away, see
 * :ref:`mappings of userspace <drm_shmem_mmap>`.
 *
 * A driver that wants this to happen under memory pressure embeds a
 * &struct drm_shmem_shrinker in its device, calls drmm_shmem_shrinker_init(),
 * and passes it to drm_shmem_madvise(), and to drm_shmem_touch() for what the
 * hardware is about to use. The shrinker purges what is not needed first, bound to
 * the GPU or not, and then evicts what is, the least recently touched first.
 *
 * The shrinker holds a reference to the object that it works on, and tries locks only.
 * It holds the lock of the device's LRU lists for the time that finding an object
 * takes, and never across a driver's step or the unmapping. If the other references go
 * meanwhile then a work item ends the object: an end takes locks, which memory reclaim
 * must not wait for.
 *
 * What a scan reports as freed is what went: for a purge the pages that were in memory,
 * for an eviction the pages that became swappable. Before, the shrinker counts the
 * sizes of the objects that have something to give back: contents to purge, which may be
 * swapped out, or pages to evict, which may be in use. Objects without are not counted, and
 * no scan looks at them.
 */

static struct workqueue_struct *drm_shmem_wq;

/* Pins that are neither the sg table's nor those of userspace's mappings */
static bool drm_shmem_is_pinned(const struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	unsigned int own = drm_shmem_has_sgt(obj);

	if (obj->__flags & __DRM_SHMEM_FAULTED)
		own++;
	return drm_gem_shmem_pins(&obj->base) > own;
}

/* Uses of the pages that no pin stands for: those of a driver that calls the core */
static bool drm_shmem_is_used(const struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	const unsigned int pinned = !!drm_gem_shmem_pins(&obj->base);

	return drm_gem_shmem_page_users(&obj->base) > pinned;
}

/* Nothing uses the object but its table and userspace's mappings. */
static bool drm_shmem_is_idle(const struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	/*
	 * Unordered: a dma-buf that is made just now pins the object under the lock when
	 * it is used, and is told then what became of the object.
	 */
	return !atomic_read(&obj->__dma_bufs) &&
	       !drm_shmem_is_pinned(obj) && !drm_shmem_is_used(obj) &&
	       dma_resv_test_signaled(obj->base.base.resv, DMA_RESV_USAGE_BOOKKEEP);
}

/* Take the pages of an idle object from the hardware and from userspace. */
static int drm_shmem_release_pages(struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	int ret;

	if (drm_shmem_has_sgt(obj)) {
		if (!(obj->__flags & __DRM_SHMEM_RECLAIM))
			return -EOPNOTSUPP;
		ret = drm_shmem_step_evict(obj) ?: __drm_shmem_sgt_reclaim(obj);
		if (ret)
			return ret;
	}
	__drm_shmem_mmap_zap(obj);
	return 0;
}

static int drm_shmem_purge_locked(struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	struct drm_gem_object *gem = &obj->base.base;
	int ret;

	dma_resv_assert_held(gem->resv);

	if (obj->base.madv < 0)
		return 0;
	if (obj->base.madv == DRM_SHMEM_WILLNEED || !drm_shmem_is_idle(obj))
		return -EBUSY;
	ret = drm_shmem_release_pages(obj);
	if (ret)
		return ret;

	trace_drm_shmem_purge(gem);
	drm_gem_shmem_purge_backing(&obj->base);
	return 0;
}

static int drm_shmem_evict_locked(struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	struct drm_gem_object *gem = &obj->base.base;
	int ret;

	dma_resv_assert_held(gem->resv);

	if (!(obj->__flags & __DRM_SHMEM_RECLAIM))
		return -EOPNOTSUPP;
	if (!obj->base.pages)
		return drm_shmem_check_purged(obj);
	if (!drm_shmem_is_idle(obj))
		return -EBUSY;

	ret = drm_shmem_release_pages(obj);
	if (!ret)
		trace_drm_shmem_evict(gem);
	return ret;
}

/* The lock, for a call about the pages of an object. The pages of an import are the exporter's. */
static int drm_shmem_lock_own(struct drm_gem_object *gem, enum drm_resv_how how)
	__cond_acquires(0, drm_resv)
	__context_unsafe("see drm_resv_lock_how()")
{
	return drm_gem_is_imported(gem) ? -EOPNOTSUPP : drm_shmem_lock_call(gem, how);
}

static int drm_shmem_do_pin(struct drm_shmem_obj *obj, enum drm_resv_how how)
{
	struct drm_gem_object *gem = &obj->base.base;
	int ret = drm_shmem_lock_own(gem, how);

	if (ret)
		return ret;
	ret = drm_shmem_check_purged(obj) ?: drm_gem_shmem_pin_locked(&obj->base);
	if (!ret) {
		obj->__pins++;
		__drm_shmem_is_filled(obj);
	}
	drm_shmem_unlock(gem, false);

	return ret;
}

/**
 * drm_shmem_pin() - keep the pages of an object
 * @obj: the object
 *
 * Mappings and sg tables do so themselves.
 *
 * Context: May sleep. Without the object's reservation lock.
 *
 * Return: 0, -EOPNOTSUPP for imported objects, -ENODATA for purged ones,
 * -ENOMEM, or -EDEADLK if called under the lock, which is reported.
 */
int drm_shmem_pin(struct drm_shmem_obj *obj)
{
	return drm_shmem_do_pin(obj, DRM_RESV_LOCKS);
}
EXPORT_SYMBOL_GPL(drm_shmem_pin);

/**
 * drm_shmem_pin_interruptible() - the same, with a wait that a signal ends
 * @obj: the object
 *
 * Context: As drm_shmem_pin().
 *
 * Return: as drm_shmem_pin(), or -EINTR if a signal came while it waited for the lock, and
 * nothing changed.
 */
int drm_shmem_pin_interruptible(struct drm_shmem_obj *obj)
{
	return drm_shmem_do_pin(obj, DRM_RESV_LOCKS_INTERRUPTIBLE);
}
EXPORT_SYMBOL_GPL(drm_shmem_pin_interruptible);

/**
 * drm_shmem_unpin() - undo drm_shmem_pin()
 * @obj: the object
 *
 * A call without a pin is reported and does nothing: it does not take the pin of a
 * mapping, an sg table or an importer.
 *
 * Context: May sleep. Without the object's reservation lock.
 */
void drm_shmem_unpin(struct drm_shmem_obj *obj)
{
	struct drm_gem_object *gem = &obj->base.base;
	bool locked;

	__drm_shmem_check_call(gem, false);
	locked = drm_shmem_caller_locked(gem, false);
	drm_shmem_lock(gem, locked);
	if (obj->__pins) {
		obj->__pins--;
		drm_shmem_unpin_locked(obj);
	} else {
		drm_safe_broken(gem->dev, "each unpin undoes a pin",
				"drm_shmem_pin() was not called, or was undone");
	}
	drm_shmem_unlock(gem, locked);
}
EXPORT_SYMBOL_GPL(drm_shmem_unpin);

/*
 * A shrinker of another device keeps its lists under another lock. Nobody finds an object
 * that was not published, and the shrinker is no exception.
 */
static bool drm_shmem_check_shrinker(struct drm_gem_object *gem,
				     const struct drm_shmem_shrinker *shrinker)
{
	if (likely(shrinker->__drm == gem->dev))
		return !drm_shmem_check_published(gem);

	if (!shrinker->__drm)
		drm_safe_broken(gem->dev, "a shrinker is initialised before use",
				"call drmm_shmem_shrinker_init() first");
	else
		drm_safe_broken(gem->dev, "an object and its shrinker are of one device",
				"the shrinker is another device's");
	return false;
}

static struct drm_gem_lru *drm_shmem_shrinker_lru(struct drm_shmem_shrinker *s,
						  enum __drm_shmem_list list)
{
	switch (list) {
	case __DRM_SHMEM_PURGEABLE:
		return &s->__purgeable;
	case __DRM_SHMEM_EVICTABLE:
		return &s->__evictable;
	case __DRM_SHMEM_EVICTED:
		return &s->__evicted;
	case __DRM_SHMEM_UNLISTED:
		break;
	}
	return NULL;
}

/* The shrinker on one of whose lists an object is, or NULL */
static struct drm_shmem_shrinker *drm_shmem_listed_by(const struct drm_shmem_obj *obj)
	__must_hold(drm_resv)
{
	struct drm_gem_lru *lru;

	if (obj->__list == __DRM_SHMEM_UNLISTED)
		return NULL;
	lru = drm_gem_object_lru(&obj->base.base);
	switch ((enum __drm_shmem_list)obj->__list) {
	case __DRM_SHMEM_PURGEABLE:
		return container_of(lru, struct drm_shmem_shrinker, __purgeable);
	case __DRM_SHMEM_EVICTABLE:
		return container_of(lru, struct drm_shmem_shrinker, __evictable);
	case __DRM_SHMEM_EVICTED:
		return container_of(lru, struct drm_shmem_shrinker, __evicted);
	case __DRM_SHMEM_UNLISTED:
		break;
	}
	return NULL;
}

/* Move an object to the end of a list, or off all lists. */
static void drm_shmem_move(struct drm_shmem_obj *obj, struct drm_shmem_shrinker *s,
			   enum __drm_shmem_list list) __must_hold(drm_resv)
{
	struct drm_gem_lru *lru;

	/* Its end took the object off all lists, for good. */
	if (!drm_gem_object_has_refs(&obj->base.base))
		list = __DRM_SHMEM_UNLISTED;
	lru = drm_shmem_shrinker_lru(s, list);
	obj->__list = list;
	if (lru) {
		WRITE_ONCE(obj->__flags, obj->__flags | __DRM_SHMEM_LRU);
		drm_gem_lru_move_tail(lru, &obj->base.base);
	} else {
		drm_gem_lru_remove(&obj->base.base);
	}
}

/* Whether a purge gives something back: pages, or what was swapped out */
static bool drm_shmem_has_contents(const struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	return obj->base.pages || inode_get_bytes(file_inode(obj->base.base.filp));
}

/* The list that is right for an object that a shrinker may reclaim */
static enum __drm_shmem_list drm_shmem_right_list(const struct drm_shmem_obj *obj)
	__must_hold(drm_resv)
{
	if (drm_shmem_is_purged(obj))
		return __DRM_SHMEM_UNLISTED;
	if (obj->base.madv == DRM_SHMEM_DONTNEED)
		return drm_shmem_has_contents(obj) ? __DRM_SHMEM_PURGEABLE : __DRM_SHMEM_EVICTED;
	if (!(obj->__flags & __DRM_SHMEM_RECLAIM))
		return __DRM_SHMEM_UNLISTED;
	return obj->base.pages ? __DRM_SHMEM_EVICTABLE : __DRM_SHMEM_EVICTED;
}

/* An object changed that @s may reclaim, or none if @s is NULL. */
static void drm_shmem_list(struct drm_shmem_obj *obj, struct drm_shmem_shrinker *s)
	__must_hold(drm_resv)
{
	const enum __drm_shmem_list list = s ? drm_shmem_right_list(obj) : __DRM_SHMEM_UNLISTED;

	if (list == __DRM_SHMEM_UNLISTED)
		s = NULL;
	/* On the list that it is on already, it keeps its place. */
	if (list != obj->__list || s != drm_shmem_listed_by(obj))
		drm_shmem_move(obj, s, list);
}

/**
 * __drm_shmem_is_back() - an object got pages that a shrinker may reclaim
 * @obj: the object
 *
 * If a shrinker evicted the object, or found it empty, then it may do so again.
 *
 * Context: May sleep. The caller holds the reservation lock.
 */
void __drm_shmem_is_back(struct drm_shmem_obj *obj)
{
	if (obj->__list == __DRM_SHMEM_EVICTED)
		drm_shmem_move(obj, drm_shmem_listed_by(obj), drm_shmem_right_list(obj));
}

/**
 * __drm_shmem_is_filled() - an object got pages that a mapping or a pin keeps
 * @obj: the object
 *
 * It cannot be evicted meanwhile. If it is not needed then it can be purged afterwards.
 *
 * Context: May sleep. The caller holds the reservation lock.
 */
void __drm_shmem_is_filled(struct drm_shmem_obj *obj)
{
	if (obj->base.madv == DRM_SHMEM_DONTNEED)
		__drm_shmem_is_back(obj);
}

/**
 * __drm_shmem_is_gone() - an object may have given up its pages
 * @obj: the object
 *
 * There is no more to evict then.
 *
 * Context: May sleep. The caller holds the reservation lock.
 */
void __drm_shmem_is_gone(struct drm_shmem_obj *obj)
{
	if (obj->__list == __DRM_SHMEM_EVICTABLE && !obj->base.pages)
		drm_shmem_move(obj, drm_shmem_listed_by(obj), __DRM_SHMEM_EVICTED);
}

static int drm_shmem_do_madvise(struct drm_shmem_obj *obj, enum drm_shmem_madv madv,
				struct drm_shmem_shrinker *shrinker, enum drm_resv_how how)
{
	struct drm_gem_object *gem = &obj->base.base;
	int ret;

	if (madv != DRM_SHMEM_WILLNEED && madv != DRM_SHMEM_DONTNEED)
		return -EINVAL;
	if (shrinker && !drm_shmem_check_shrinker(gem, shrinker))
		return -EINVAL;

	ret = drm_shmem_lock_own(gem, how);
	if (ret)
		return ret;
	ret = drm_gem_shmem_madvise_locked(&obj->base, madv);
	/* To be needed again is no reason to be spared for ever. */
	if (!shrinker && madv == DRM_SHMEM_WILLNEED)
		shrinker = drm_shmem_listed_by(obj);
	drm_shmem_list(obj, shrinker);
	drm_shmem_unlock(gem, false);

	return ret;
}

/**
 * drm_shmem_madvise() - say whether the contents of an object are needed
 * @obj: the object
 * @madv: whether they are
 * @shrinker: the device's shrinker, which may purge the object while it is not needed,
 *	and evict it while it is, if its type is DRM_SHMEM_RECLAIM; or NULL
 *
 * If @shrinker is NULL then no shrinker touches an object that is not needed, until a later
 * call names one. An object that is needed stays with the shrinker that may evict it.
 *
 * The advice is the object's, and not that of one client: the last call counts, and a purge
 * takes the contents from each client that has a handle. An ioctl that takes the advice
 * refuses DRM_SHMEM_DONTNEED for an object that drm_shmem_is_shared() with another client.
 *
 * Context: May sleep. Without the object's reservation lock.
 *
 * Return: 1 if the object still has its contents, 0 if it was purged, -EINVAL
 * for a bad @madv, a @shrinker that was not initialised for the object's device, or an
 * object that is given to a @shrinker and was not published, -EOPNOTSUPP for imported
 * objects, -EDEADLK if called under the lock, which is reported.
 */
int drm_shmem_madvise(struct drm_shmem_obj *obj, enum drm_shmem_madv madv,
		      struct drm_shmem_shrinker *shrinker)
{
	return drm_shmem_do_madvise(obj, madv, shrinker, DRM_RESV_LOCKS);
}
EXPORT_SYMBOL_GPL(drm_shmem_madvise);

/**
 * drm_shmem_madvise_interruptible() - the same, with a wait that a signal ends
 * @obj: the object
 * @madv: whether its contents are needed
 * @shrinker: the device's shrinker, or NULL
 *
 * For ioctls: another task may hold the reservation lock for long.
 *
 * Context: As drm_shmem_madvise().
 *
 * Return: as drm_shmem_madvise(), or -EINTR if a signal came while it waited for the lock,
 * and nothing changed.
 */
int drm_shmem_madvise_interruptible(struct drm_shmem_obj *obj, enum drm_shmem_madv madv,
				    struct drm_shmem_shrinker *shrinker)
{
	return drm_shmem_do_madvise(obj, madv, shrinker, DRM_RESV_LOCKS_INTERRUPTIBLE);
}
EXPORT_SYMBOL_GPL(drm_shmem_madvise_interruptible);

static int drm_shmem_do_purge(struct drm_shmem_obj *obj, enum drm_resv_how how)
{
	struct drm_gem_object *gem = &obj->base.base;
	int ret = drm_shmem_lock_own(gem, how);

	if (ret)
		return ret;
	ret = drm_shmem_purge_locked(obj);
	if (!ret)
		drm_shmem_list(obj, NULL);
	drm_shmem_unlock(gem, false);

	return ret;
}

/**
 * drm_shmem_purge() - throw the contents of an object away
 * @obj: the object
 *
 * Calls the type's evict step if the object has an sg table, and takes the pages from
 * userspace, where an access raises SIGBUS afterwards.
 *
 * Context: May sleep. Without the object's reservation lock.
 *
 * Return: 0, also if it was purged before; -EBUSY if the contents are needed
 * or in use; -EOPNOTSUPP for imported objects, and for those that have an sg
 * table and whose type is not DRM_SHMEM_RECLAIM; -EDEADLK if called under the lock,
 * which is reported; or what the evict step returned.
 */
int drm_shmem_purge(struct drm_shmem_obj *obj)
{
	return drm_shmem_do_purge(obj, DRM_RESV_LOCKS);
}
EXPORT_SYMBOL_GPL(drm_shmem_purge);

/**
 * drm_shmem_purge_interruptible() - the same, with a wait that a signal ends
 * @obj: the object
 *
 * Context: As drm_shmem_purge().
 *
 * Return: as drm_shmem_purge(), or -EINTR if a signal came while it waited for the lock, and
 * nothing changed.
 */
int drm_shmem_purge_interruptible(struct drm_shmem_obj *obj)
{
	return drm_shmem_do_purge(obj, DRM_RESV_LOCKS_INTERRUPTIBLE);
}
EXPORT_SYMBOL_GPL(drm_shmem_purge_interruptible);

static int drm_shmem_do_evict(struct drm_shmem_obj *obj, enum drm_resv_how how)
{
	struct drm_gem_object *gem = &obj->base.base;
	int ret = drm_shmem_lock_own(gem, how);

	if (ret)
		return ret;
	ret = drm_shmem_evict_locked(obj);
	if (!ret)
		drm_shmem_list(obj, drm_shmem_listed_by(obj));
	drm_shmem_unlock(gem, false);

	return ret;
}

/**
 * drm_shmem_evict() - let the system have the pages of an object
 * @obj: the object
 *
 * Calls the type's evict step, unmaps the sg table, and takes the pages from userspace.
 * The contents stay: the next user of the object gets them back, such as the next
 * access of userspace. A shrinker that drm_shmem_touch() or drm_shmem_madvise() named
 * may evict the object again when userspace or an sg table has its pages again.
 *
 * Context: May sleep. Without the object's reservation lock.
 *
 * Return: 0, also if the object has no pages just now; -EBUSY if it is in use by
 * anything but its table, or that is in use or being revoked; -ENODATA if it was
 * purged; -EOPNOTSUPP for imported objects, and for those whose type is not
 * DRM_SHMEM_RECLAIM; -EDEADLK if called under the lock, which is reported; or what the
 * evict step returned.
 */
int drm_shmem_evict(struct drm_shmem_obj *obj)
{
	return drm_shmem_do_evict(obj, DRM_RESV_LOCKS);
}
EXPORT_SYMBOL_GPL(drm_shmem_evict);

/**
 * drm_shmem_evict_interruptible() - the same, with a wait that a signal ends
 * @obj: the object
 *
 * Context: As drm_shmem_evict().
 *
 * Return: as drm_shmem_evict(), or -EINTR if a signal came while it waited for the lock, and
 * nothing changed.
 */
int drm_shmem_evict_interruptible(struct drm_shmem_obj *obj)
{
	return drm_shmem_do_evict(obj, DRM_RESV_LOCKS_INTERRUPTIBLE);
}
EXPORT_SYMBOL_GPL(drm_shmem_evict_interruptible);

/**
 * drm_shmem_is_shared() - may more than one client have an object?
 * @obj: the object
 *
 * For ioctls that throw contents away, or advise to. The core does not say whose the handles
 * are: a second handle counts as a second client, and so does a framebuffer of the object;
 * a dma-buf, which the core keeps until the handle that it was made of is closed; and a GEM
 * name, by which any client can open the object until its last handle is closed.
 *
 * A client that is the only one stays so until it gives the object to another one itself.
 * An object that it gives away after it said DRM_SHMEM_DONTNEED is one whose contents may go.
 *
 * Context: Any. The caller looked the object up in the client's handles.
 *
 * Return: true if the object has more than one handle, a dma-buf, or a name.
 */
bool drm_shmem_is_shared(struct drm_shmem_obj *obj)
{
	struct drm_gem_object *gem = &obj->base.base;

	/*
	 * Unlocked: while the object has one handle, no dma-buf and no name, only the client
	 * itself can change that.
	 */
	return drm_gem_object_is_named_twice(gem) || atomic_read(&obj->__dma_bufs);
}
EXPORT_SYMBOL_GPL(drm_shmem_is_shared);

/**
 * drm_shmem_touch() - an object is about to be used by the hardware
 * @obj: the object
 * @shrinker: the device's shrinker, which may evict the object from now on, but
 *	not before those that were touched earlier, and again each time that userspace
 *	or an sg table has got the pages back
 *
 * Does nothing for objects that cannot be evicted, or are not needed. A @shrinker that
 * was not initialised for the object's device is reported, as is an object that was not
 * published, and nothing is done.
 *
 * Context: May sleep. The caller holds the object's reservation lock.
 */
void drm_shmem_touch(struct drm_shmem_obj *obj, struct drm_shmem_shrinker *shrinker)
{
	struct drm_gem_object *gem = &obj->base.base;

	dma_resv_assert_held(gem->resv);
	if (!drm_shmem_check_shrinker(gem, shrinker))
		return;
	if (obj->base.madv == DRM_SHMEM_WILLNEED && !drm_gem_is_imported(gem) &&
	    (obj->__flags & __DRM_SHMEM_RECLAIM))
		drm_shmem_move(obj, shrinker, drm_shmem_right_list(obj));
}
EXPORT_SYMBOL_GPL(drm_shmem_touch);

/* Without swap there is nowhere for the contents to go. */
VISIBLE_IF_KUNIT bool drm_shmem_can_swap(void)
{
	KUNIT_STATIC_STUB_REDIRECT(drm_shmem_can_swap);

	return get_nr_swap_pages() > 0;
}
EXPORT_SYMBOL_IF_KUNIT(drm_shmem_can_swap);

static unsigned long drm_shmem_shrinker_count(struct shrinker *shrinker,
					      struct shrink_control *sc)
{
	struct drm_shmem_shrinker *s = shrinker->private_data;
	unsigned long count;

	/* Unlocked: an estimate. */
	count = READ_ONCE(s->__purgeable.count);
	if (drm_shmem_can_swap())
		count += READ_ONCE(s->__evictable.count);

	return count ?: SHRINK_EMPTY;
}

/* How many pages that gives back, or a negative error code */
static long drm_shmem_shrinker_purge(struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	/* Pages that were swapped out, or that never were, give no memory back. */
	long pages = READ_ONCE(file_inode(obj->base.base.filp)->i_mapping->nrpages);

	return drm_shmem_purge_locked(obj) ?: pages;
}

static long drm_shmem_shrinker_evict(struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	long pages = obj->base.pages ? obj->base.base.size >> PAGE_SHIFT : 0;

	return drm_shmem_evict_locked(obj) ?: pages;
}

/* Only ever tries to lock: the holder of the lock may be in memory reclaim, too. */
static unsigned long drm_shmem_shrinker_try(struct drm_gem_object *gem,
					    long (*reclaim)(struct drm_shmem_obj *obj))
{
	/* On the LRUs are objects of drm_shmem_madvise() and drm_shmem_touch() only. */
	struct drm_shmem_obj *obj = to_drm_shmem_obj(gem);
	long pages;

	if (!dma_resv_trylock(gem->resv))
		return 0;
	pages = reclaim(obj);
	if (pages >= 0)
		drm_shmem_list(obj, drm_shmem_listed_by(obj));
	dma_resv_unlock(gem->resv);

	return max(pages, 0L);
}

/*
 * The next object of a list, with a reference. It goes to the end of the list, so that
 * objects in use do not keep the next scan from those behind them. @todo is what is
 * left of the list as it was when the scan began. An object without references is on
 * its way out, and leaves the list by itself.
 */
static struct drm_gem_object *drm_shmem_shrinker_next(struct drm_shmem_shrinker *s,
						      struct drm_gem_lru *lru, long *todo)
{
	struct drm_gem_object *gem;

	guard(mutex)(&s->__drm->gem_lru_mutex);
	while (*todo > 0) {
		gem = drm_gem_lru_first_locked(lru);
		if (!gem)
			return NULL;
		*todo -= gem->size >> PAGE_SHIFT;
		drm_gem_lru_move_tail_locked(lru, gem);
		if (drm_gem_object_get_unless_zero(gem))
			return gem;
	}
	return NULL;
}

/* The driver, whose steps an end of an object calls */
struct module *drm_shmem_owner(const struct drm_device *drm)
{
	KUNIT_STATIC_STUB_REDIRECT(drm_shmem_owner, drm);

	return drm->driver->fops ? drm->driver->fops->owner : NULL;
}
EXPORT_SYMBOL_IF_KUNIT(drm_shmem_owner);

/*
 * An object without references, which nobody can have any more, and which @s->__end
 * ends. The work item holds the device, in which it is, and the driver, whose steps it
 * calls; the object and the scan do so here. The scan puts neither: the end of the device
 * waits for the scan.
 */
static void drm_shmem_shrinker_bury(struct drm_shmem_shrinker *s, struct drm_gem_object *gem)
{
	struct drm_device *drm = s->__drm;
	struct module *owner = drm_shmem_owner(drm);

	guard(mutex)(&drm->gem_lru_mutex);
	drm_gem_lru_move_tail_locked(&s->__dead, gem);
	if (s->__ending)
		return;
	s->__ending = true;
	drm_dev_get(drm);
	__module_get(owner);
	queue_work(drm_shmem_wq, &s->__end);
}

/* Give up the reference of drm_shmem_shrinker_next(). */
static void drm_shmem_shrinker_put(struct drm_shmem_shrinker *s, struct drm_gem_object *gem)
{
	if (drm_gem_object_put_and_test(gem))
		drm_shmem_shrinker_bury(s, gem);
}

/* If there is none, the next object without references queues the work item anew. */
static struct drm_gem_object *drm_shmem_shrinker_dead(struct drm_shmem_shrinker *s)
{
	struct drm_gem_object *gem;

	guard(mutex)(&s->__drm->gem_lru_mutex);
	gem = drm_gem_lru_first_locked(&s->__dead);
	s->__ending = !!gem;
	return gem;
}

static void drm_shmem_shrinker_end(struct work_struct *work)
{
	struct drm_shmem_shrinker *s = container_of(work, struct drm_shmem_shrinker, __end);
	struct drm_device *drm = s->__drm;
	struct module *owner = drm_shmem_owner(drm);
	struct drm_gem_object *gem;

	/* The end of an object takes it off the list. */
	while ((gem = drm_shmem_shrinker_dead(s)))
		drm_gem_object_free_dead(gem);

	/* @s and @work may go with the device. */
	drm_dev_put(drm);
	module_put(owner);
}

/* Reclaim from the objects of an LRU until @nr pages are free, or more. */
static unsigned long drm_shmem_shrinker_walk(struct drm_shmem_shrinker *s,
					     struct drm_gem_lru *lru, unsigned long nr,
					     long (*reclaim)(struct drm_shmem_obj *obj))
{
	/* Unlocked: objects that join just now are for the next scan. */
	long todo = READ_ONCE(lru->count);
	struct drm_gem_object *gem;
	unsigned long freed = 0;

	while (freed < nr) {
		gem = drm_shmem_shrinker_next(s, lru, &todo);
		if (!gem)
			break;
		freed += drm_shmem_shrinker_try(gem, reclaim);
		drm_shmem_shrinker_put(s, gem);
	}

	return freed;
}

static unsigned long drm_shmem_shrinker_scan(struct shrinker *shrinker,
					     struct shrink_control *sc)
{
	struct drm_shmem_shrinker *s = shrinker->private_data;
	struct module *owner = drm_shmem_owner(s->__drm);
	unsigned long nr = sc->nr_to_scan, freed;

	/* A driver that is being unloaded must not meet an end of an object later. */
	if (!try_module_get(owner))
		return SHRINK_STOP;

	freed = drm_shmem_shrinker_walk(s, &s->__purgeable, nr, drm_shmem_shrinker_purge);
	if (freed < nr && drm_shmem_can_swap())
		freed += drm_shmem_shrinker_walk(s, &s->__evictable, nr - freed,
						 drm_shmem_shrinker_evict);
	module_put(owner);

	return freed ?: SHRINK_STOP;
}

static void drm_shmem_shrinker_free(struct drm_device *drm, void *res)
{
	struct drm_shmem_shrinker *s = res;

	shrinker_free(s->__shrinker);
	s->__drm = NULL;
}

/**
 * drmm_shmem_shrinker_init() - purge and evict objects under memory pressure
 * @drm: the device
 * @shrinker: zeroed, and as long-lived as the device
 *
 * Context: May sleep. Undone when the device is released.
 *
 * Return: 0, -EBUSY if @shrinker is in use, -ENOMEM.
 */
int drmm_shmem_shrinker_init(struct drm_device *drm,
			     struct drm_shmem_shrinker *shrinker)
{
	struct shrinker *s;

	if (shrinker->__drm) {
		drm_safe_broken(drm, "a shrinker is initialised once",
				"it is in use already: take a struct for each device");
		return -EBUSY;
	}

	s = shrinker_alloc(0, "drm-%s", drm->unique);
	if (!s)
		return -ENOMEM;

	shrinker->__drm = drm;
	shrinker->__shrinker = s;
	drm_gem_lru_init(&shrinker->__purgeable);
	drm_gem_lru_init(&shrinker->__evictable);
	drm_gem_lru_init(&shrinker->__evicted);
	drm_gem_lru_init(&shrinker->__dead);
	INIT_WORK(&shrinker->__end, drm_shmem_shrinker_end);
	s->count_objects = drm_shmem_shrinker_count;
	s->scan_objects = drm_shmem_shrinker_scan;
	s->private_data = shrinker;
	shrinker_register(s);

	return drmm_add_action_or_reset(drm, drm_shmem_shrinker_free, shrinker);
}
EXPORT_SYMBOL_GPL(drmm_shmem_shrinker_init);

int __init __drm_shmem_reclaim_init(void)
{
	drm_shmem_wq = alloc_workqueue("drm_shmem", WQ_UNBOUND, 0);

	return drm_shmem_wq ? 0 : -ENOMEM;
}

/* For what has to wait for a lock that the caller must not wait for; unloading waits for it. */
void __drm_shmem_queue_work(struct work_struct *work)
{
	queue_work(drm_shmem_wq, work);
}

#if IS_ENABLED(CONFIG_KUNIT)
/* Ends of imports are over when this returns. */
void drm_shmem_flush_work(void)
{
	flush_workqueue(drm_shmem_wq);
}
EXPORT_SYMBOL_IF_KUNIT(drm_shmem_flush_work);
#endif

/* Waits for ends of objects, whose drivers can be gone by now. */
void __drm_shmem_reclaim_exit(void)
{
	destroy_workqueue(drm_shmem_wq);
}
