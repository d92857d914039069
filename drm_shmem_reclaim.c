// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <linux/export.h>
#include <linux/fs.h>
#include <linux/limits.h>

#include "drm_shmem_internal.h"
#include "drm_shmem_trace.h"

/**
 * DOC: reclaim
 *
 * An object whose contents are not needed (drm_shmem_madvise()) can be purged: its pages go
 * back to the system, and it can never be mapped again. An object whose contents are needed can
 * be evicted (drm_shmem_evict()): its pages are unpinned, so that the system can swap them out,
 * and the next user gets them back.
 *
 * Neither happens while a kernel mapping, a pin, a borrowed sg table, or a fence in its
 * reservation object uses the object. An object with a dma-buf is not purged. It is evicted if
 * its importers release it, see :ref:`exports and imports <drm_shmem_exports>`. The type's
 * evict step takes the addresses of the sg table from the page tables of the GPU and suspends
 * the handles that own the table. Objects that have an sg table are purged or evicted only if
 * their type is DRM_SHMEM_RECLAIM, because other types do not count the users of their tables.
 * Userspace mappings are removed, see :ref:`mappings of userspace <drm_shmem_mmap>`.
 *
 * A shrinker does both under memory pressure, see :ref:`the shrinker <drm_shmem_shrinker>`.
 */

/* Returns whether anything but the sg table and userspace mappings pins the object. */
static bool drm_shmem_is_pinned(const struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	return drm_gem_shmem_pins(&obj->base) > drm_shmem_own_pins(obj);
}

/* Returns whether the pages have users without a pin, such as a driver that calls the core. */
static bool drm_shmem_is_used(const struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	const unsigned int pinned = !!drm_gem_shmem_pins(&obj->base);

	return drm_gem_shmem_page_users(&obj->base) > pinned;
}

/*
 * Returns whether no job runs, and the library knows all importers. Importers of a dma-buf with the
 * driver's own operations need not pin the object.
 */
static bool drm_shmem_is_quiet(const struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	/*
	 * Unordered: a dma-buf that is made concurrently pins the object under the lock
	 * when it is used, and finds out then what happened to the object.
	 */
	return !__drm_shmem_is_foreign(obj) && !drm_shmem_is_used(obj) &&
	       dma_resv_test_signaled(obj->base.base.resv, DMA_RESV_USAGE_BOOKKEEP);
}

/* Returns whether nothing uses the object but its table and userspace mappings. */
static bool drm_shmem_is_idle(const struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	return drm_shmem_is_quiet(obj) && !drm_shmem_is_pinned(obj);
}

/* Takes the pages of an idle object from the hardware and from userspace. */
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

int __drm_shmem_purge_locked(struct drm_shmem_obj *obj)
{
	struct drm_gem_object *gem = &obj->base.base;
	int ret;

	dma_resv_assert_held(gem->resv);

	if (obj->base.madv < 0)
		return 0;
	/* Importers use the contents, too. */
	if (obj->base.madv == DRM_SHMEM_WILLNEED || atomic_read(&obj->__dma_bufs) ||
	    !drm_shmem_is_idle(obj))
		return -EBUSY;
	ret = drm_shmem_release_pages(obj);
	if (ret)
		return ret;

	trace_drm_shmem_purge(gem);
	drm_gem_shmem_purge_backing(&obj->base);
	return 0;
}

int __drm_shmem_evict_locked(struct drm_shmem_obj *obj)
{
	struct drm_gem_object *gem = &obj->base.base;
	int ret;

	dma_resv_assert_held(gem->resv);

	if (!(obj->__flags & __DRM_SHMEM_RECLAIM))
		return -EOPNOTSUPP;
	if (!obj->base.pages)
		return drm_shmem_check_purged(obj);
	/* Importers that can be notified lose their tables, so look for other users first. */
	if (!drm_shmem_is_quiet(obj) || __drm_shmem_stays_pinned(obj))
		return -EBUSY;
	if (__drm_shmem_told(obj))
		__drm_shmem_exports_invalidate(obj);
	/* Importers may keep their tables for a while, or add the fences of jobs. */
	if (!drm_shmem_is_idle(obj))
		return -EBUSY;

	ret = drm_shmem_release_pages(obj);
	if (ret)
		return ret;

	trace_drm_shmem_evict(gem);
	if (obj->__evictions < U8_MAX)
		WRITE_ONCE(obj->__evictions, obj->__evictions + 1);
	return 0;
}

static int drm_shmem_do_madvise(struct drm_shmem_obj *obj, enum drm_shmem_madv madv,
				struct drm_shmem_shrinker *shrinker, enum drm_resv_how how)
{
	struct drm_gem_object *gem = &obj->base.base;
	int ret;

	if (madv != DRM_SHMEM_WILLNEED && madv != DRM_SHMEM_DONTNEED)
		return -EINVAL;
	if (shrinker && !__drm_shmem_check_shrinker(gem, shrinker))
		return -EINVAL;

	ret = drm_shmem_lock_own(gem, how);
	if (ret)
		return ret;
	ret = drm_gem_shmem_madvise_locked(&obj->base, madv);
	/* Keep the shrinker of an object that is needed again, so that it can be evicted. */
	if (!shrinker && madv == DRM_SHMEM_WILLNEED)
		shrinker = __drm_shmem_listed_by(obj);
	__drm_shmem_list(obj, shrinker);
	drm_gem_resv_unlock(gem, false);

	return ret;
}

/**
 * drm_shmem_madvise() - say whether the contents of an object are needed
 * @obj: the object
 * @madv: whether they are
 * @shrinker: the device's shrinker, which may purge the object while its contents are not needed,
 *	and evict it otherwise, if its type has DRM_SHMEM_RECLAIM; or NULL
 *
 * If @shrinker is NULL, no shrinker touches an object that is not needed, until a later
 * call names one. A needed object stays with the shrinker that may evict it.
 *
 * The advice belongs to the object and not to one client: the last call counts, and a purge
 * takes the contents from each client that has a handle. An ioctl that takes the advice
 * refuses DRM_SHMEM_DONTNEED for an object that drm_shmem_is_shared() with another client.
 *
 * Context: May sleep. Without the object's reservation lock.
 *
 * Return: 1 if the object still has its contents, 0 if it was purged, -EINVAL for a bad
 * @madv, a @shrinker that was not initialised for the object's device, or an unpublished
 * object for a @shrinker, -EOPNOTSUPP for imported objects, -EALREADY if called under the
 * lock, which is reported.
 */
int drm_shmem_madvise(struct drm_shmem_obj *obj, enum drm_shmem_madv madv,
		      struct drm_shmem_shrinker *shrinker)
{
	return drm_shmem_do_madvise(obj, madv, shrinker, DRM_RESV_LOCKS);
}
EXPORT_SYMBOL_GPL(drm_shmem_madvise);

/**
 * drm_shmem_madvise_interruptible() - the same, with an interruptible wait
 * @obj: the object
 * @madv: whether its contents are needed
 * @shrinker: the device's shrinker, or NULL
 *
 * For ioctls: another task may hold the reservation lock for long.
 *
 * Context: As drm_shmem_madvise().
 *
 * Return: as drm_shmem_madvise(), or -EINTR if a signal arrived while it waited for the
 * lock, with nothing changed.
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
	ret = __drm_shmem_purge_locked(obj);
	if (!ret)
		__drm_shmem_list(obj, NULL);
	drm_gem_resv_unlock(gem, false);

	return ret;
}

/**
 * drm_shmem_purge() - throw away the contents of an object
 * @obj: the object
 *
 * Calls the type's evict step if the object has an sg table, and takes the pages from
 * userspace, where an access raises SIGBUS afterwards.
 *
 * Context: May sleep. Without the object's reservation lock.
 *
 * Return: 0, also if it was purged before; -EBUSY if the contents are needed
 * or in use; -EOPNOTSUPP for imported objects, and for those that have an sg
 * table and whose type is not DRM_SHMEM_RECLAIM; -EALREADY if called under the lock,
 * which is reported; or the error of the evict step.
 */
int drm_shmem_purge(struct drm_shmem_obj *obj)
{
	return drm_shmem_do_purge(obj, DRM_RESV_LOCKS);
}
EXPORT_SYMBOL_GPL(drm_shmem_purge);

/**
 * drm_shmem_purge_interruptible() - the same, with an interruptible wait
 * @obj: the object
 *
 * Context: As drm_shmem_purge().
 *
 * Return: as drm_shmem_purge(), or -EINTR if a signal arrived while it waited for the lock,
 * with nothing changed.
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
	ret = __drm_shmem_evict_locked(obj);
	if (!ret)
		__drm_shmem_list(obj, __drm_shmem_listed_by(obj));
	drm_gem_resv_unlock(gem, false);

	return ret;
}

/**
 * drm_shmem_evict() - give the pages of an object back to the system
 * @obj: the object
 *
 * Calls the type's evict step, unmaps the sg table, and takes the pages from userspace.
 * The contents stay: the next user of the object gets them back, for example the next
 * access of userspace. A shrinker from drm_shmem_touch() or drm_shmem_madvise() may evict
 * the object again once userspace or an sg table has got the pages back.
 *
 * Context: May sleep. Without the object's reservation lock.
 *
 * Return: 0, also if the object has no pages at the moment; -EBUSY if anything but its table and
 * userspace mappings uses the object, or if the table is in use or being revoked; -ENODATA if the
 * object was purged; -EOPNOTSUPP for imported objects, and for types without DRM_SHMEM_RECLAIM;
 * -EALREADY if called under the lock, which is reported; or the error of the evict step.
 */
int drm_shmem_evict(struct drm_shmem_obj *obj)
{
	return drm_shmem_do_evict(obj, DRM_RESV_LOCKS);
}
EXPORT_SYMBOL_GPL(drm_shmem_evict);

/**
 * drm_shmem_evict_interruptible() - the same, with an interruptible wait
 * @obj: the object
 *
 * Context: As drm_shmem_evict().
 *
 * Return: as drm_shmem_evict(), or -EINTR if a signal arrived while it waited for the lock,
 * with nothing changed.
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
 * For ioctls that throw away contents, or advise to do so. The core does not tell which
 * client has a handle, so each of these counts as a second client: a second handle; a
 * framebuffer of the object; a dma-buf, which the core keeps until the handle from which it
 * was made is closed; and a GEM name, with which any client can open the object until its
 * last handle is closed.
 *
 * If only one client has the object, only that client can give it to another one. If the client
 * does so after DRM_SHMEM_DONTNEED, the contents may be purged.
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
