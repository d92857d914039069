// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <kunit/static_stub.h>
#include <kunit/visibility.h>
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/shmem_fs.h>
#include <linux/shrinker.h>
#include <linux/swap.h>

#include <drm/drm_managed.h>

#include "drm_shmem_internal.h"
#include "drm_shmem_trace.h"

/**
 * DOC: reclaim
 *
 * An object whose contents are not needed (drm_shmem_madvise()) can be purged:
 * its pages go back to the system and it never maps again. It is not purged
 * while anything uses it: a mapping, a pin, a user of its sg table, a dma-buf,
 * a fence in its reservation object. Objects that have an sg table are purged
 * only if their type is DRM_SHMEM_RECLAIM, for other types do not count the
 * users of their tables.
 *
 * An object whose contents are needed can be evicted (drm_shmem_evict()): its
 * table is unmapped, so that the system can swap its pages out, and made again
 * by who uses it next. What is mapped for the CPU, by userspace or in the kernel,
 * is not evicted, nor what is pinned, exported or fenced. And only who can be told
 * may use the table: the type's evict step takes its addresses from the page
 * tables of the GPU and suspends the handles that own it.
 *
 * A driver that wants this to happen under memory pressure embeds a
 * &struct drm_shmem_shrinker in its device, calls drmm_shmem_shrinker_init(),
 * and passes it to drm_shmem_madvise(), and to drm_shmem_touch() for what the
 * hardware is about to use.
 *
 * The core's drm_gem_lru_scan() takes references, the last of which it may
 * drop: from a shrinker, where no reservation lock can be taken. So this one
 * takes none; it keeps the LRU locked, which a dying object has to get off
 * before anything of it goes away.
 */

/* The pages are pinned by the sg table, and by nothing else. */
static bool drm_shmem_is_pinned(const struct drm_shmem_obj *obj)
{
	return refcount_read(&obj->base.pages_pin_count) > !!drm_shmem_sgt_is_mapped(obj);
}

/* Nothing uses the object but its table. */
static bool drm_shmem_is_idle(const struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	const struct drm_gem_object *gem = &obj->base.base;

	/*
	 * A dma-buf that is made just now pins the object under the lock, and
	 * is told then what became of it.
	 */
	return !data_race(gem->dma_buf) && !drm_shmem_is_pinned(obj) &&
	       dma_resv_test_signaled(gem->resv, DMA_RESV_USAGE_BOOKKEEP);
}

static int drm_shmem_purge_locked(struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	struct drm_gem_object *gem = &obj->base.base;
	struct address_space *mapping;
	int ret;

	dma_resv_assert_held(gem->resv);

	if (drm_gem_is_imported(gem))
		return -EOPNOTSUPP;
	if (obj->base.madv < 0)
		return 0;
	if (obj->base.madv == DRM_SHMEM_WILLNEED || !drm_shmem_is_idle(obj))
		return -EBUSY;
	ret = __drm_shmem_sgt_reclaim(obj);
	if (ret)
		return ret;

	trace_drm_shmem_purge(gem);
	obj->base.madv = -1;
	drm_vma_node_unmap(&gem->vma_node, gem->dev->anon_inode->i_mapping);
	drm_gem_free_mmap_offset(gem);

	mapping = file_inode(gem->filp)->i_mapping;
	shmem_truncate_range(mapping->host, 0, (loff_t)-1);
	invalidate_mapping_pages(mapping, 0, (loff_t)-1);
	return 0;
}

/* Mappings of userspace and of the kernel hold the pages, too. */
static int drm_shmem_evict_locked(struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	struct drm_gem_object *gem = &obj->base.base;
	int ret;

	dma_resv_assert_held(gem->resv);

	if (drm_gem_is_imported(gem) || !(obj->__flags & __DRM_SHMEM_RECLAIM))
		return -EOPNOTSUPP;
	if (!obj->base.pages)
		return drm_shmem_check_purged(obj);
	if (!drm_shmem_sgt_is_mapped(obj) || !drm_shmem_is_idle(obj) ||
	    refcount_read(&obj->base.pages_use_count) > 1)
		return -EBUSY;

	ret = drm_shmem_obj_type(obj)->evict(obj) ?: __drm_shmem_sgt_reclaim(obj);
	if (!ret)
		trace_drm_shmem_evict(gem);
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
 * -ENOMEM.
 */
int drm_shmem_pin(struct drm_shmem_obj *obj)
{
	struct drm_gem_object *gem = &obj->base.base;
	int ret;

	if (drm_gem_is_imported(gem))
		return -EOPNOTSUPP;

	drm_shmem_lock(gem, false);
	ret = drm_shmem_check_purged(obj) ?: drm_gem_shmem_pin_locked(&obj->base);
	drm_shmem_unlock(gem, false);

	return ret;
}
EXPORT_SYMBOL_GPL(drm_shmem_pin);

/**
 * drm_shmem_unpin() - undo drm_shmem_pin()
 * @obj: the object
 *
 * Context: May sleep. Without the object's reservation lock.
 */
void drm_shmem_unpin(struct drm_shmem_obj *obj)
{
	struct drm_gem_object *gem = &obj->base.base;

	drm_shmem_lock(gem, false);
	if (drm_shmem_is_pinned(obj))
		drm_shmem_unpin_locked(obj);
	else
		drm_safe_broken(gem->dev, "each unpin undoes a pin",
				"the object is not pinned");
	drm_shmem_unlock(gem, false);
}
EXPORT_SYMBOL_GPL(drm_shmem_unpin);

static void drm_shmem_join_lru(struct drm_shmem_obj *obj, struct drm_gem_lru *lru)
	__must_hold(drm_resv)
{
	WRITE_ONCE(obj->__flags, obj->__flags | __DRM_SHMEM_LRU);
	drm_gem_lru_move_tail(lru, &obj->base.base);
}

/**
 * drm_shmem_madvise() - say whether the contents of an object are needed
 * @obj: the object
 * @madv: whether they are
 * @shrinker: the device's shrinker, which may purge the object; or NULL
 *
 * Context: May sleep. Without the object's reservation lock.
 *
 * Return: 1 if the object still has its contents, 0 if it was purged, -EINVAL
 * for a bad @madv, -EOPNOTSUPP for imported objects.
 */
int drm_shmem_madvise(struct drm_shmem_obj *obj, enum drm_shmem_madv madv,
		      struct drm_shmem_shrinker *shrinker)
{
	struct drm_gem_object *gem = &obj->base.base;
	int ret;

	if (madv != DRM_SHMEM_WILLNEED && madv != DRM_SHMEM_DONTNEED)
		return -EINVAL;
	if (drm_gem_is_imported(gem))
		return -EOPNOTSUPP;

	drm_shmem_lock(gem, false);
	ret = drm_gem_shmem_madvise_locked(&obj->base, madv);
	if (madv == DRM_SHMEM_WILLNEED)
		drm_gem_lru_remove(gem);
	else if (shrinker && ret)
		drm_shmem_join_lru(obj, &shrinker->__purgeable);
	drm_shmem_unlock(gem, false);

	return ret;
}
EXPORT_SYMBOL_GPL(drm_shmem_madvise);

/**
 * drm_shmem_purge() - throw the contents of an object away
 * @obj: the object
 *
 * Context: May sleep. Without the object's reservation lock.
 *
 * Return: 0, also if it was purged before; -EBUSY if the contents are needed
 * or in use; -EOPNOTSUPP for imported objects, and for those that have an sg
 * table and whose type is not DRM_SHMEM_RECLAIM.
 */
int drm_shmem_purge(struct drm_shmem_obj *obj)
{
	struct drm_gem_object *gem = &obj->base.base;
	int ret;

	drm_shmem_lock(gem, false);
	ret = drm_shmem_purge_locked(obj);
	if (!ret)
		drm_gem_lru_remove(gem);
	drm_shmem_unlock(gem, false);

	return ret;
}
EXPORT_SYMBOL_GPL(drm_shmem_purge);

/**
 * drm_shmem_evict() - let the system have the pages of an object
 * @obj: the object
 *
 * Unmaps the sg table, as drm_shmem_sgt_unmap() does, but has the type's evict
 * step see to it first that nobody uses it. The contents stay; who uses the
 * object next gets them back.
 *
 * Context: May sleep. Without the object's reservation lock.
 *
 * Return: 0, also if the object has no pages just now; -EBUSY if it is in use by
 * anything but its table, or that is in use or being revoked; -ENODATA if it was
 * purged; -EOPNOTSUPP for imported objects, and for those whose type is not
 * DRM_SHMEM_RECLAIM; or what the evict step returned.
 */
int drm_shmem_evict(struct drm_shmem_obj *obj)
{
	struct drm_gem_object *gem = &obj->base.base;
	int ret;

	drm_shmem_lock(gem, false);
	ret = drm_shmem_evict_locked(obj);
	if (!ret && obj->base.madv == DRM_SHMEM_WILLNEED)
		drm_gem_lru_remove(gem);
	drm_shmem_unlock(gem, false);

	return ret;
}
EXPORT_SYMBOL_GPL(drm_shmem_evict);

/**
 * drm_shmem_touch() - an object is about to be used by the hardware
 * @obj: the object
 * @shrinker: the device's shrinker, which may evict the object from now on, but
 *	not before those that were touched earlier
 *
 * Does nothing for objects that cannot be evicted, or are not needed.
 *
 * Context: May sleep. The caller holds the object's reservation lock.
 */
void drm_shmem_touch(struct drm_shmem_obj *obj, struct drm_shmem_shrinker *shrinker)
{
	struct drm_gem_object *gem = &obj->base.base;

	dma_resv_assert_held(gem->resv);
	if (obj->base.madv == DRM_SHMEM_WILLNEED && !drm_gem_is_imported(gem) &&
	    (obj->__flags & __DRM_SHMEM_RECLAIM))
		drm_shmem_join_lru(obj, &shrinker->__evictable);
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

static long drm_shmem_pages(const struct drm_shmem_obj *obj)
{
	return obj->base.base.size >> PAGE_SHIFT;
}

/* How many pages that gives back, or a negative error code. */
static long drm_shmem_shrinker_purge(struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	return drm_shmem_purge_locked(obj) ?: drm_shmem_pages(obj);
}

static long drm_shmem_shrinker_evict(struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	long pages = obj->base.pages ? drm_shmem_pages(obj) : 0;

	return drm_shmem_evict_locked(obj) ?: pages;
}

/* Only ever tries to lock: reclaim may run in who holds the lock. */
static long drm_shmem_shrinker_try(struct drm_gem_object *gem,
				   long (*reclaim)(struct drm_shmem_obj *obj))
{
	/* On the LRUs are objects of drm_shmem_madvise() and drm_shmem_touch() only. */
	struct drm_shmem_obj *obj = container_of(gem, struct drm_shmem_obj, base.base);
	long ret;

	if (!dma_resv_trylock(gem->resv))
		return -EBUSY;
	ret = reclaim(obj);
	dma_resv_unlock(gem->resv);

	return ret;
}

/* Reclaim from the objects of an LRU until @nr pages are free, or more. */
static unsigned long drm_shmem_shrinker_walk(struct drm_shmem_shrinker *s,
					     struct drm_gem_lru *lru, unsigned long nr,
					     long (*reclaim)(struct drm_shmem_obj *obj))
{
	struct drm_gem_object *gem, *next;
	unsigned long freed = 0;
	long pages;

	lockdep_assert_held(&s->__drm->gem_lru_mutex);
	list_for_each_entry_safe(gem, next, &lru->list, lru_node) {
		if (freed >= nr)
			break;
		pages = drm_shmem_shrinker_try(gem, reclaim);
		if (pages < 0)
			continue;
		freed += pages;
		drm_gem_lru_move_tail_locked(&s->__reclaimed, gem);
	}

	return freed;
}

static unsigned long drm_shmem_shrinker_scan(struct shrinker *shrinker,
					     struct shrink_control *sc)
{
	struct drm_shmem_shrinker *s = shrinker->private_data;
	unsigned long nr = sc->nr_to_scan, freed;

	if (!mutex_trylock(&s->__drm->gem_lru_mutex))
		return SHRINK_STOP;

	freed = drm_shmem_shrinker_walk(s, &s->__purgeable, nr, drm_shmem_shrinker_purge);
	if (freed < nr && drm_shmem_can_swap())
		freed += drm_shmem_shrinker_walk(s, &s->__evictable, nr - freed,
						 drm_shmem_shrinker_evict);
	mutex_unlock(&s->__drm->gem_lru_mutex);

	return freed ?: SHRINK_STOP;
}

static void drm_shmem_shrinker_free(struct drm_device *drm, void *res)
{
	struct drm_shmem_shrinker *s = res;

	shrinker_free(s->__shrinker);
}

/**
 * drmm_shmem_shrinker_init() - purge and evict objects under memory pressure
 * @drm: the device
 * @shrinker: zeroed, and as long-lived as the device
 *
 * Context: May sleep. Undone when the device is released.
 *
 * Return: 0 or -ENOMEM.
 */
int drmm_shmem_shrinker_init(struct drm_device *drm,
			     struct drm_shmem_shrinker *shrinker)
{
	struct shrinker *s = shrinker_alloc(0, "drm-%s", drm->unique);

	if (!s)
		return -ENOMEM;

	shrinker->__drm = drm;
	shrinker->__shrinker = s;
	drm_gem_lru_init(&shrinker->__purgeable);
	drm_gem_lru_init(&shrinker->__evictable);
	drm_gem_lru_init(&shrinker->__reclaimed);
	s->count_objects = drm_shmem_shrinker_count;
	s->scan_objects = drm_shmem_shrinker_scan;
	s->private_data = shrinker;
	shrinker_register(s);

	return drmm_add_action_or_reset(drm, drm_shmem_shrinker_free, shrinker);
}
EXPORT_SYMBOL_GPL(drmm_shmem_shrinker_init);
