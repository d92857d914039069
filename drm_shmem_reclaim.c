// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <linux/export.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/shmem_fs.h>
#include <linux/shrinker.h>

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
 * A driver that wants this to happen under memory pressure embeds a
 * &struct drm_shmem_shrinker in its device, calls drmm_shmem_shrinker_init(),
 * and passes it to drm_shmem_madvise().
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
	/*
	 * A dma-buf that is made just now pins the object under the lock, and
	 * is told then.
	 */
	if (obj->base.madv == DRM_SHMEM_WILLNEED || data_race(gem->dma_buf) ||
	    drm_shmem_is_pinned(obj) ||
	    !dma_resv_test_signaled(gem->resv, DMA_RESV_USAGE_BOOKKEEP))
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

static unsigned long drm_shmem_shrinker_count(struct shrinker *shrinker,
					      struct shrink_control *sc)
{
	struct drm_shmem_shrinker *s = shrinker->private_data;

	/* Unlocked: an estimate. */
	return READ_ONCE(s->__purgeable.count) ?: SHRINK_EMPTY;
}

/* Only ever tries to lock: reclaim may run in who holds the lock. */
static bool drm_shmem_shrinker_purge(struct drm_gem_object *gem)
{
	/* On the LRU are the objects of drm_shmem_madvise() only. */
	struct drm_shmem_obj *obj = container_of(gem, struct drm_shmem_obj, base.base);
	int ret;

	if (!dma_resv_trylock(gem->resv))
		return false;
	ret = drm_shmem_purge_locked(obj);
	dma_resv_unlock(gem->resv);

	return !ret;
}

static unsigned long drm_shmem_shrinker_scan(struct shrinker *shrinker,
					     struct shrink_control *sc)
{
	struct drm_shmem_shrinker *s = shrinker->private_data;
	struct drm_gem_object *gem, *next;
	unsigned long freed = 0;

	if (!mutex_trylock(&s->__drm->gem_lru_mutex))
		return SHRINK_STOP;

	list_for_each_entry_safe(gem, next, &s->__purgeable.list, lru_node) {
		if (freed >= sc->nr_to_scan)
			break;
		if (!drm_shmem_shrinker_purge(gem))
			continue;
		freed += gem->size >> PAGE_SHIFT;
		drm_gem_lru_move_tail_locked(&s->__purged, gem);
	}
	mutex_unlock(&s->__drm->gem_lru_mutex);

	return freed ?: SHRINK_STOP;
}

static void drm_shmem_shrinker_free(struct drm_device *drm, void *res)
{
	struct drm_shmem_shrinker *s = res;

	shrinker_free(s->__shrinker);
}

/**
 * drmm_shmem_shrinker_init() - purge objects of a device under memory pressure
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
	drm_gem_lru_init(&shrinker->__purged);
	s->count_objects = drm_shmem_shrinker_count;
	s->scan_objects = drm_shmem_shrinker_scan;
	s->private_data = shrinker;
	shrinker_register(s);

	return drmm_add_action_or_reset(drm, drm_shmem_shrinker_free, shrinker);
}
EXPORT_SYMBOL_GPL(drmm_shmem_shrinker_init);
