// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/slab.h>

#include "drm_shmem_internal.h"
#include "drm_shmem_trace.h"

/**
 * DOC: sg tables
 *
 * The library maps the table of an object for the DMA device of its &struct drm_device
 * when the table is first needed, under the reservation lock. It unmaps the table exactly
 * once, like the table of any object. For types with DRM_SHMEM_RECLAIM, an eviction or a purge
 * unmaps the table early.
 *
 * An exporter may keep the table of an import mapped until the import is detached, that is, until
 * the object is freed. The videobuf2 helpers do this.
 *
 * Neither the table nor its pages are ever in &drm_gem_shmem_object.sgt, so the core
 * cannot unmap the table a second time, or for a device that is no longer bound. A table
 * pins the object's pages.
 */

/**
 * __drm_shmem_sgt_alloc() - a table of the pages of an object
 * @obj: the object, whose pages the caller has pinned
 * @max_segment: the longest segment that the device takes, see __drm_dev_ctx_dma_max_segment()
 *
 * Like drm_gem_shmem_get_sg_table(), but charges the memory to the memory cgroup of the task, and
 * its segments are no longer than the device takes.
 *
 * Context: May sleep.
 *
 * Return: the table, which is not mapped, or an ERR_PTR().
 */
struct sg_table *__drm_shmem_sgt_alloc(struct drm_shmem_obj *obj, unsigned int max_segment)
{
	struct drm_gem_object *gem = &obj->base.base;
	struct sg_table *sgt = kmalloc_obj(*sgt, GFP_KERNEL_ACCOUNT);
	int ret;

	if (!sgt)
		return ERR_PTR(-ENOMEM);
	ret = sg_alloc_table_from_pages_segment(sgt, obj->base.pages, gem->size >> PAGE_SHIFT,
						0, gem->size, max_segment, GFP_KERNEL_ACCOUNT);
	if (ret) {
		kfree(sgt);
		return ERR_PTR(ret);
	}
	return sgt;
}

static struct sg_table *drm_shmem_sgt_map_own(struct drm_shmem_obj *obj)
	__must_hold(drm_resv)
{
	struct device *dev = __drm_dev_ctx_dma_dev(__drm_shmem_ctx(obj));
	struct sg_table *sgt;
	int ret;

	ret = drm_shmem_check_large(obj) ?: drm_gem_shmem_pin_locked(&obj->base);
	if (ret)
		return ERR_PTR(ret);

	sgt = __drm_shmem_sgt_alloc(obj, __drm_dev_ctx_dma_max_segment(dev));
	if (IS_ERR(sgt))
		goto err_unpin;

	ret = dma_map_sgtable(dev, sgt, DMA_BIDIRECTIONAL, 0);
	if (ret)
		goto err_free;

	return sgt;

err_free:
	sg_free_table(sgt);
	kfree(sgt);
	sgt = ERR_PTR(ret);
err_unpin:
	drm_gem_shmem_unpin_locked(&obj->base);
	return sgt;
}

/* The parent is still bound: either this task is unbinding it, or unbinding waits for this. */
static void drm_shmem_sgt_free_own(struct drm_shmem_obj *obj,
				   struct sg_table *sgt)
{
	struct device *dev = __drm_dev_ctx_dma_dev(__drm_shmem_ctx(obj));

	dma_unmap_sgtable(dev, sgt, DMA_BIDIRECTIONAL, 0);
	sg_free_table(sgt);
	kfree(sgt);
}

/* &drm_gem_sgt_ops.unmap */
static void drm_shmem_sgt_op_unmap(struct drm_gem_object *gem, struct sg_table *sgt)
	__must_hold(drm_resv)
{
	struct drm_shmem_obj *obj = to_drm_shmem_obj(gem);

	dma_resv_assert_held(gem->resv);

	trace_drm_shmem_sgt_unmap(gem);
	if (drm_gem_is_imported(gem)) {
		dma_buf_unmap_attachment(gem->import_attach, sgt, DMA_BIDIRECTIONAL);
		return;
	}
	drm_shmem_sgt_free_own(obj, sgt);
	drm_shmem_unpin_locked(obj);
}

/*
 * Maps a dma-buf whose fences are signalled. The exporter may move the memory in the call. The core
 * waits for that, unless the import follows.
 */
static struct sg_table *drm_shmem_sgt_map_attachment(struct dma_buf_attachment *attach, bool intr)
	__must_hold(drm_resv)
{
	struct sg_table *sgt = dma_buf_map_attachment(attach, DMA_BIDIRECTIONAL);
	int ret;

	if (IS_ERR(sgt) || !attach->importer_ops)
		return sgt;
	ret = __drm_shmem_wait_how(attach->dmabuf->resv, DMA_RESV_USAGE_KERNEL, intr);
	if (ret) {
		dma_buf_unmap_attachment(attach, sgt, DMA_BIDIRECTIONAL);
		return ERR_PTR(ret);
	}
	return sgt;
}

/* Maps a dma-buf in spite of signals, see __drm_shmem_sgt_again(). */
static struct sg_table *drm_shmem_sgt_map_import(struct drm_gem_object *gem)
	__must_hold(drm_resv)
{
	struct sg_table *sgt;
	int ret;

	do {
		ret = __drm_shmem_wait(gem->resv, DMA_RESV_USAGE_KERNEL);
		if (ret)
			return ERR_PTR(ret);
		sgt = drm_shmem_sgt_map_attachment(gem->import_attach, false);
	} while (__drm_shmem_sgt_again(gem->dev, &sgt));
	return sgt;
}

/* Maps a dma-buf whose fences are signalled. Any signal ends the wait for the exporter. */
static struct sg_table *drm_shmem_sgt_map_import_interruptible(struct drm_gem_object *gem)
	__must_hold(drm_resv)
{
	struct sg_table *sgt = drm_shmem_sgt_map_attachment(gem->import_attach, true);

	/* See __drm_shmem_again(). */
	return sgt == ERR_PTR(-EDEADLK) ? ERR_PTR(-EAGAIN) : sgt;
}

/* @map_import is how to wait for the exporter of an import. */
static struct sg_table *
drm_shmem_sgt_do_map(struct drm_gem_object *gem,
		     struct sg_table *(*map_import)(struct drm_gem_object *gem))
	__must_hold(drm_resv)
{
	struct drm_shmem_obj *obj = to_drm_shmem_obj(gem);
	struct sg_table *sgt;
	int ret;

	ret = drm_shmem_check_purged(obj);
	if (ret)
		return ERR_PTR(ret);
	sgt = drm_gem_is_imported(gem) ? map_import(gem) : drm_shmem_sgt_map_own(obj);
	if (!IS_ERR(sgt))
		trace_drm_shmem_sgt_map(gem);
	return sgt;
}

/* &drm_gem_sgt_ops.map */
static struct sg_table *drm_shmem_sgt_op_map(struct drm_gem_object *gem) __must_hold(drm_resv)
{
	return drm_shmem_sgt_do_map(gem, drm_shmem_sgt_map_import);
}

/* The same for drm_shmem_sgt_prepare_locked(), which has waited for the fences */
static struct sg_table *drm_shmem_sgt_op_map_interruptible(struct drm_gem_object *gem)
	__must_hold(drm_resv)
{
	return drm_shmem_sgt_do_map(gem, drm_shmem_sgt_map_import_interruptible);
}

/* &drm_gem_sgt_ops.revoked */
static void drm_shmem_sgt_op_revoked(struct drm_gem_object *gem) __must_hold(drm_resv)
{
	/* If the object is incomplete, its init step is running, or has failed. */
	drm_shmem_step_sgt_revoked(to_drm_shmem_obj(gem));
}

static const struct drm_gem_sgt_ops drm_shmem_sgt_ops = {
	.map = drm_shmem_sgt_op_map,
	.unmap = drm_shmem_sgt_op_unmap,
	.revoked = drm_shmem_sgt_op_revoked,
};

static const struct drm_gem_sgt_ops drm_shmem_sgt_interruptible_ops = {
	.map = drm_shmem_sgt_op_map_interruptible,
	.unmap = drm_shmem_sgt_op_unmap,
	.revoked = drm_shmem_sgt_op_revoked,
};

/**
 * __drm_shmem_sgt_unmap_stale() - unmap a table whose memory has moved
 * @obj: the object, whose jobs do not use the table any more
 *
 * Context: May sleep. The caller holds the reservation lock.
 *
 * Return: 0, also if there is no such table; -EBUSY if it has users, or is being revoked.
 */
int __drm_shmem_sgt_unmap_stale(struct drm_shmem_obj *obj)
{
	struct drm_dev_ctx *ctx = __drm_shmem_ctx(obj);

	if (!__drm_shmem_sgt_is_stale(obj))
		return 0;
	/* Acquire: pairs with the release in __drm_shmem_sgt_uncount(), see sgt-stale.litmus. */
	if (refcount_read(&obj->__table.__users))
		return -EBUSY;
	smp_acquire__after_ctrl_dep();
	if (!drm_dev_ctx_revocable_take(ctx, &obj->__table.__revocable))
		return -EBUSY;

	__drm_gem_table_unmap(&obj->__table, &obj->base.base, &drm_shmem_sgt_ops, NULL);
	WRITE_ONCE(obj->__flags, obj->__flags & ~__DRM_SHMEM_STALE);
	drm_dev_ctx_revocable_done(ctx);
	return 0;
}

/* Whether the object is an import whose exporter tells when it moves the memory */
static bool drm_shmem_follows(const struct drm_shmem_obj *obj)
{
	const struct dma_buf_attachment *attach = obj->base.base.import_attach;

	return attach && attach->importer_ops;
}

static bool drm_shmem_sgt_has_jobs(const struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	return !dma_resv_test_signaled(obj->base.base.resv, DMA_RESV_USAGE_BOOKKEEP);
}

/* Unmaps a table whose memory has moved, after its jobs, for the next table. */
static int drm_shmem_sgt_end_stale(struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	int ret;

	if (!__drm_shmem_sgt_is_stale(obj))
		return 0;
	/* Unordered: __drm_shmem_sgt_unmap_stale() reads it again. */
	if (refcount_read(&obj->__table.__users))
		return -EAGAIN;
	ret = __drm_shmem_wait(obj->base.base.resv, DMA_RESV_USAGE_BOOKKEEP);
	if (ret)
		return ret;
	return __drm_shmem_sgt_unmap_stale(obj) ? -EAGAIN : 0;
}

/**
 * __drm_shmem_sgt_moved() - the exporter moves the memory of an import
 * @obj: the object
 *
 * Current users and jobs continue to use the table. It gets no new users.
 *
 * Context: May sleep, also in memory reclaim. The caller holds the reservation lock.
 *
 * Return: whether there is a table whose memory has not moved before.
 */
bool __drm_shmem_sgt_moved(struct drm_shmem_obj *obj)
{
	dma_resv_assert_held(obj->base.base.resv);

	if (!drm_shmem_has_sgt(obj) || (obj->__flags & __DRM_SHMEM_STALE))
		return false;
	trace_drm_shmem_sgt_moved(&obj->base.base);
	drm_shmem_step_moved(obj);
	WRITE_ONCE(obj->__flags, obj->__flags | __DRM_SHMEM_STALE);
	/*
	 * Release: pairs with the acquire in __drm_gem_table_count(), see
	 * sgt-moved.litmus. The flag comes before the count.
	 */
	if (!refcount_dec_and_test(&obj->__table.__users))
		return true;
	if (drm_shmem_sgt_has_jobs(obj))
		__drm_shmem_sgt_left(obj);
	else
		__drm_shmem_sgt_unmap_stale(obj);
	return true;
}

static struct drm_shmem_obj *drm_shmem_revocable_obj(struct drm_dev_ctx_revocable *rev)
{
	return container_of(rev, struct drm_shmem_obj, __table.__revocable);
}

static bool drm_shmem_sgt_revocable_get(struct drm_dev_ctx_revocable *rev)
{
	return drm_gem_object_get_unless_zero(&drm_shmem_revocable_obj(rev)->base.base);
}

/* The parent is being unbound. The caller has taken a reference to the object. */
static void drm_shmem_sgt_revoke(struct drm_dev_ctx_revocable *rev) __must_not_hold(drm_resv)
{
	struct drm_shmem_obj *obj = drm_shmem_revocable_obj(rev);

	trace_drm_shmem_sgt_revoke(&obj->base.base);
	/* There is no table that could move, and the driver may be unloaded. */
	if (drm_gem_is_imported(&obj->base.base))
		__drm_shmem_follow_forget(obj->base.base.import_attach);
	__drm_gem_table_revoke(&obj->__table, &obj->base.base, &drm_shmem_sgt_ops);
}

static const struct drm_dev_ctx_revocable_ops drm_shmem_sgt_revocable_ops = {
	.get = drm_shmem_sgt_revocable_get,
	.revoke = drm_shmem_sgt_revoke,
};

/* Returns the table, or an ERR_PTR(). Maps it if there is none yet. */
static struct sg_table *drm_shmem_sgt_map_locked(const struct drm_dev_ctx_bound *bound,
						 struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	int ret = drm_shmem_sgt_end_stale(obj);

	if (ret)
		return ERR_PTR(ret);
	return __drm_gem_table_map(&obj->__table, &obj->base.base, bound,
				   &drm_shmem_sgt_revocable_ops, &drm_shmem_sgt_ops);
}

/**
 * __drm_shmem_sgt_uncount() - stop being a counted user of a table
 * @obj: the object
 *
 * The caller may be the last user of a table whose memory has moved. Its accesses come before
 * the table can be unmapped.
 *
 * Context: Any.
 */
void __drm_shmem_sgt_uncount(struct drm_shmem_obj *obj) __drm_nonallocating
{
	bool last;

	/*
	 * Release: pairs with the acquire in __drm_gem_table_unmap_idle(), see sgt-reclaim.litmus
	 * and sgt-give-up.litmus. The count can only reach zero here if the memory has moved,
	 * see sgt-stale.litmus.
	 */
	drm_safe_trusted(last = refcount_dec_and_test(&obj->__table.__users));
	if (last)
		__drm_shmem_sgt_left(obj);
}
EXPORT_SYMBOL_GPL(__drm_shmem_sgt_uncount);

/* Becomes a user of the table without the reservation lock, if the table has users. */
static struct sg_table *drm_shmem_sgt_count_unlocked(struct drm_shmem_obj *obj)
{
	struct sg_table *sgt = __drm_gem_table_count(&obj->__table);

	if (!sgt)
		return NULL;
	/*
	 * Ordered by the acquire in __drm_gem_table_count(): a user that comes after the move
	 * sees the flag, see sgt-moved.litmus.
	 */
	if (unlikely(READ_ONCE(obj->__flags) & __DRM_SHMEM_STALE)) {
		__drm_shmem_sgt_uncount(obj);
		return NULL;
	}
	if (IS_ERR(sgt))
		__drm_shmem_sgt_uncount(obj);
	return sgt;
}

/**
 * __drm_shmem_sgt_use() - the table of an object, if it is mapped
 * @obj: the object
 *
 * The object is not imported. The caller has the proof that the parent is bound, which keeps the
 * table from being revoked. The table stays mapped until __drm_shmem_sgt_unuse().
 *
 * Context: Any.
 *
 * Return: the table; NULL if there is none, or it was revoked.
 */
struct sg_table *__drm_shmem_sgt_use(struct drm_shmem_obj *obj)
{
	struct sg_table *sgt;

	if (READ_ONCE(obj->__flags) & __DRM_SHMEM_RECLAIM)
		sgt = drm_shmem_sgt_count_unlocked(obj);
	else
		/* The ordering is the same as in __drm_shmem_sgt_begin(), see sgt-begin.litmus. */
		sgt = READ_ONCE(obj->__table.__sgt);
	return IS_ERR(sgt) ? NULL : sgt;
}

/**
 * __drm_shmem_sgt_unuse() - end a use of the table, after __drm_shmem_sgt_use() found one
 * @obj: the object
 *
 * Context: Any.
 */
void __drm_shmem_sgt_unuse(struct drm_shmem_obj *obj)
{
	/*
	 * Release: like __drm_shmem_sgt_uncount(), see sgt-reclaim.litmus. The count does
	 * not reach zero, because the memory of the device's own objects does not move
	 * under its table.
	 */
	if (READ_ONCE(obj->__flags) & __DRM_SHMEM_RECLAIM)
		refcount_dec(&obj->__table.__users);
}

/**
 * __drm_shmem_sgt_share() - become a counted user of a table that an owned handle uses
 * @obj: the object
 *
 * See drm_shmem_sgt_guard_owned(), which drivers call. The handle can be suspended at any time. If
 * the count is not zero, there is a table, which may by now be a later one.
 *
 * Context: Any.
 *
 * Return: the handle, with an ERR_PTR() for a table if there is none.
 */
struct drm_shmem_sgt __drm_shmem_sgt_share(struct drm_shmem_obj *obj) __drm_nonallocating
{
	struct sg_table *sgt = __drm_gem_table_count(&obj->__table);

	if (!sgt)
		return (struct drm_shmem_sgt) { .__table = ERR_PTR(-EAGAIN) };
	if (IS_ERR(sgt)) {
		__drm_shmem_sgt_uncount(obj);
		return (struct drm_shmem_sgt) { .__table = sgt };
	}
	return (struct drm_shmem_sgt) { .__table = sgt, .__counted = obj };
}
EXPORT_SYMBOL_GPL(__drm_shmem_sgt_share);

/* Returns which fences the next table has to wait for. */
static enum dma_resv_usage drm_shmem_sgt_waits_for(const struct drm_shmem_obj *obj)
{
	return __drm_shmem_sgt_is_stale(obj) ? DMA_RESV_USAGE_BOOKKEEP : DMA_RESV_USAGE_KERNEL;
}

/* Returns whether mapping has to wait for fences. A stale table with users fails instead. */
static bool drm_shmem_sgt_will_wait(const struct drm_shmem_obj *obj)
{
	if (!drm_gem_is_imported(&obj->base.base))
		return false;
	return __drm_shmem_sgt_is_stale(obj) ? !refcount_read(&obj->__table.__users) :
					       !drm_shmem_has_sgt(obj);
}

/*
 * Takes the lock under which a table is mapped. Others need the lock of an exporter, so this waits
 * for the fences before it takes the lock. Under the lock, only newly added fences are left.
 */
static int drm_shmem_sgt_lock(struct drm_shmem_obj *obj, enum drm_resv_how how)
	__cond_acquires(0, drm_resv)
	__context_unsafe("see drm_gem_resv_lock_how()")
{
	struct drm_gem_object *gem = &obj->base.base;
	int ret = drm_gem_check_not_ending(gem);

	if (!ret && how != DRM_RESV_LOCKED && drm_shmem_sgt_will_wait(obj))
		ret = __drm_shmem_wait(gem->resv, drm_shmem_sgt_waits_for(obj));
	return ret ?: drm_gem_resv_lock_how(gem, how);
}

/* Adds a counted user to the table, and maps the table if necessary. */
static struct sg_table *drm_shmem_sgt_count(const struct drm_dev_ctx_bound *bound,
					    struct drm_shmem_obj *obj, enum drm_resv_how how)
{
	struct drm_gem_object *gem = &obj->base.base;
	struct sg_table *sgt = drm_shmem_sgt_count_unlocked(obj);
	int ret;

	if (sgt)
		return sgt;

	ret = drm_shmem_sgt_lock(obj, how);
	if (ret)
		return ERR_PTR(ret);
	sgt = drm_shmem_sgt_map_locked(bound, obj);
	if (!IS_ERR(sgt)) {
		refcount_inc(&obj->__table.__users);
		__drm_shmem_relist(obj);
	}
	drm_gem_resv_unlock(gem, how == DRM_RESV_LOCKED);

	return sgt;
}

/* The table of an object that does not count its users */
static struct sg_table *drm_shmem_sgt_map(const struct drm_dev_ctx_bound *bound,
					  struct drm_shmem_obj *obj, enum drm_resv_how how)
{
	struct drm_gem_object *gem = &obj->base.base;
	struct sg_table *sgt;
	int ret;

	ret = drm_shmem_sgt_lock(obj, how);
	if (ret)
		return ERR_PTR(ret);
	sgt = drm_shmem_sgt_map_locked(bound, obj);
	if (!IS_ERR(sgt))
		__drm_shmem_relist(obj);
	drm_gem_resv_unlock(gem, how == DRM_RESV_LOCKED);

	return sgt;
}

#ifdef CONFIG_DRM_SAFE_DEBUG
static void drm_shmem_sgt_track(struct drm_shmem_sgt_owned *own, struct drm_shmem_obj *obj)
{
	ref_tracker_alloc(&obj->__handles, &own->__tracker, GFP_KERNEL);
}

static void drm_shmem_sgt_untrack(struct drm_shmem_sgt_owned *own, struct drm_shmem_obj *obj)
{
	ref_tracker_free(&obj->__handles, &own->__tracker);
}
#else
static void drm_shmem_sgt_track(struct drm_shmem_sgt_owned *own, struct drm_shmem_obj *obj) { }
static void drm_shmem_sgt_untrack(struct drm_shmem_sgt_owned *own, struct drm_shmem_obj *obj) { }
#endif

/**
 * __drm_shmem_sgt_adopt() - give an object its imported table
 * @bound: proof that the parent of the device is bound
 * @obj: the object, not shared yet
 * @sgt: mapped by the core for the object's attachment
 *
 * Takes no lock: no other task has the object, and revocation comes after the section.
 *
 * Context: May sleep. In a section, which @bound stands for.
 *
 * Return: 0, or an error of drm_dev_ctx_revocable_add(), in which case the table still
 * belongs to the core.
 */
int __drm_shmem_sgt_adopt(const struct drm_dev_ctx_bound *bound, struct drm_shmem_obj *obj,
			  struct sg_table *sgt)
{
	return __drm_gem_table_publish(&obj->__table, &obj->base.base, bound,
				       &drm_shmem_sgt_revocable_ops, sgt);
}

/**
 * __drm_shmem_sgt_disown() - undo __drm_shmem_sgt_adopt()
 * @obj: the object, not shared yet
 *
 * From here on the table looks revoked. The failed init step may have left an owned handle.
 * Uses of this handle are refused, and it is still counted.
 *
 * Context: Any, in the section that the table was adopted in, so that it was
 * not revoked.
 */
void __drm_shmem_sgt_disown(struct drm_shmem_obj *obj)
	__context_unsafe("as __drm_shmem_sgt_destroy()")
{
	/* Nothing else takes the entry off, because revocation comes after the section. */
	if (WARN_ON(!__drm_shmem_sgt_take(obj)))
		return;
	WRITE_ONCE(obj->__table.__sgt, ERR_PTR(-ENODEV));
	drm_dev_ctx_revocable_done(__drm_shmem_ctx(obj));
}

/**
 * __drm_shmem_sgt_take() - keep the table of an object that is being freed
 * @obj: an object without a reference, or not shared yet
 *
 * On success the parent stays bound until __drm_shmem_sgt_destroy().
 *
 * Context: Any.
 *
 * Return: whether there is a table. A revoked table does not count.
 */
bool __drm_shmem_sgt_take(struct drm_shmem_obj *obj)
	__context_unsafe("given back by __drm_shmem_sgt_destroy()")
{
	return __drm_gem_table_take(&obj->__table, &obj->base.base);
}

/**
 * __drm_shmem_sgt_destroy() - unmap the table of an object that is being freed
 * @obj: object without a reference, after __drm_shmem_sgt_take()
 *
 * Unmaps the object's own table, and drops its pin. The pages are freed with the object.
 * __drm_shmem_prime_end() unmaps the table of an imported object.
 *
 * Context: May sleep. Under drm_gem_lock_freed().
 */
void __drm_shmem_sgt_destroy(struct drm_shmem_obj *obj)
	__context_unsafe("taken by __drm_shmem_sgt_take()")
{
	trace_drm_shmem_sgt_unmap(&obj->base.base);
	drm_shmem_sgt_free_own(obj, READ_ONCE(obj->__table.__sgt));
	WRITE_ONCE(obj->__table.__sgt, NULL);
	refcount_set(&obj->__table.__users, 0);
	drm_gem_shmem_unpin_locked(&obj->base);
	drm_dev_ctx_revocable_done(__drm_shmem_ctx(obj));
}

/**
 * __drm_shmem_sgt_get() - borrow the table, if that takes more than a load
 * @bound: proof that the parent of the object's device is bound
 * @obj: the object
 * @how: how to take the reservation lock
 *
 * See drm_shmem_sgt_guard(), which drivers call.
 *
 * Context: May sleep.
 *
 * Return: the handle, with an ERR_PTR() for a table if there is none.
 */
struct drm_shmem_sgt __drm_shmem_sgt_get(const struct drm_dev_ctx_bound *bound,
					 struct drm_shmem_obj *obj, enum drm_resv_how how)
{
	const bool counted = READ_ONCE(obj->__flags) & __DRM_SHMEM_RECLAIM;
	struct sg_table *table;
	int ret;

	ret = __drm_gem_sgt_check_drm(bound, obj->base.base.dev);
	if (ret)
		return (struct drm_shmem_sgt) { .__table = ERR_PTR(ret) };

	table = counted ? drm_shmem_sgt_count(bound, obj, how) :
			  drm_shmem_sgt_map(bound, obj, how);
	return (struct drm_shmem_sgt) {
		.__table = table,
		.__counted = counted && !IS_ERR(table) ? obj : NULL,
	};
}
EXPORT_SYMBOL_GPL(__drm_shmem_sgt_get);

/*
 * Waits for the fences, so that drm_shmem_sgt_map_held() need not wait. While a stale table has
 * users, mapping would fail anyway, so this does not wait for its jobs: see
 * drm_shmem_sgt_end_stale().
 */
static int drm_shmem_sgt_wait_interruptible(struct drm_shmem_obj *obj)
{
	/* Unordered: it is read again under the lock. */
	if (__drm_shmem_sgt_is_stale(obj) && refcount_read(&obj->__table.__users))
		return -EAGAIN;
	return __drm_shmem_wait_how(obj->base.base.resv, drm_shmem_sgt_waits_for(obj), true);
}

/* The caller keeps the parent bound. */
static int drm_shmem_sgt_map_held(struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	struct sg_table *sgt;
	int ret;

	ret = drm_shmem_sgt_end_stale(obj);
	if (ret)
		return ret;
	sgt = __drm_gem_table_map(&obj->__table, &obj->base.base, NULL,
				  &drm_shmem_sgt_revocable_ops, &drm_shmem_sgt_interruptible_ops);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	__drm_shmem_relist(obj);
	return 0;
}

/**
 * __drm_shmem_sgt_prepare() - map the sg table of an object, before a section uses it
 * @obj: the object
 *
 * See drm_shmem_sgt_prepare_locked(), which drivers call.
 *
 * Context: May sleep. The caller holds the object's reservation lock.
 *
 * Return: 0 or a negative error code.
 */
int __drm_shmem_sgt_prepare(struct drm_shmem_obj *obj)
{
	struct drm_gem_object *gem = &obj->base.base;
	struct drm_dev_ctx *ctx = __drm_dev_ctx_registered(gem->dev);
	int ret;

	ret = __drm_dev_ctx_check_outside(gem->dev, "drm_shmem_sgt_prepare_locked") ?:
	      __drm_gem_resv_check(gem, true) ?: drm_gem_check_not_ending(gem);
	if (ret)
		return ret;
	if (!ctx || drm_dev_is_unplugged(gem->dev))
		return -ENODEV;
	ret = drm_shmem_sgt_wait_interruptible(obj);
	if (ret)
		return ret;
	/* Most calls find an earlier table, which stays until the lock is given back. */
	if (drm_shmem_has_sgt(obj) && !__drm_shmem_sgt_is_stale(obj))
		return 0;
	/*
	 * Only the unbind waits for this. The registration data may be released meanwhile, but the
	 * library's own map step calls no code of the driver.
	 */
	if (!drm_dev_ctx_revocable_hold(ctx))
		return -ENODEV;
	ret = drm_shmem_sgt_map_held(obj);
	drm_dev_ctx_revocable_done(ctx);
	return ret;
}
EXPORT_SYMBOL_GPL(__drm_shmem_sgt_prepare);

/**
 * __drm_shmem_lock_prepared() - lock an object, and map its sg table
 * @obj: the object
 *
 * See drm_shmem_lock_prepared_interruptible(), which drivers call.
 *
 * Context: May sleep. Without the object's reservation lock.
 *
 * Return: 0 or a negative error code.
 */
int __drm_shmem_lock_prepared(struct drm_shmem_obj *obj)
	__context_unsafe("see drm_gem_resv_lock_how()")
{
	struct drm_gem_object *gem = &obj->base.base;
	int ret;

	ret = __drm_dev_ctx_check_outside(gem->dev, "drm_shmem_lock_prepared_interruptible") ?:
	      __drm_gem_resv_check_call(gem, false) ?: drm_gem_check_not_ending(gem) ?:
	      drm_shmem_sgt_wait_interruptible(obj) ?:
	      drm_gem_resv_lock_how(gem, DRM_RESV_LOCKS_INTERRUPTIBLE);
	if (ret)
		return ret;
	ret = __drm_shmem_sgt_prepare(obj);
	if (ret)
		drm_gem_resv_unlock(gem, false);
	return ret;
}
EXPORT_SYMBOL_GPL(__drm_shmem_lock_prepared);

/* Fills an empty handle. */
static int drm_shmem_sgt_do_own(struct drm_shmem_sgt_owned *own,
				const struct drm_dev_ctx_bound *bound, struct drm_shmem_obj *obj,
				enum drm_resv_how how)
{
	struct sg_table *sgt = drm_shmem_sgt_count(bound, obj, how);

	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	__drm_gem_table_own(&own->__own, &obj->__table, &obj->base.base);
	drm_shmem_sgt_track(own, obj);
	return 0;
}

/*
 * The same for an import that follows, always under the reservation lock. Without the lock, the
 * moved step might run after this has become a user of the table, and before the handle is
 * filled, and so miss the handle. An eviction fails in the same case, but a move cannot fail.
 */
static int drm_shmem_sgt_own_followed(struct drm_shmem_sgt_owned *own,
				      const struct drm_dev_ctx_bound *bound,
				      struct drm_shmem_obj *obj, enum drm_resv_how how)
{
	int ret = drm_shmem_sgt_lock(obj, how);

	if (ret)
		return ret;
	ret = drm_shmem_sgt_do_own(own, bound, obj, DRM_RESV_LOCKED);
	drm_gem_resv_unlock(&obj->base.base, how == DRM_RESV_LOCKED);
	return ret;
}

/**
 * __drm_shmem_sgt_own() - own the table of an object
 * @own: handle to fill in
 * @bound: proof that the parent of the object's device is bound
 * @obj: the object
 * @how: how to take the reservation lock
 *
 * See drm_shmem_sgt_own(), which drivers call.
 *
 * Context: May sleep.
 *
 * Return: 0 or a negative error code.
 */
int __drm_shmem_sgt_own(struct drm_shmem_sgt_owned *own, const struct drm_dev_ctx_bound *bound,
			struct drm_shmem_obj *obj, enum drm_resv_how how)
{
	int ret;

	ret = __drm_gem_resv_check_call(&obj->base.base, how == DRM_RESV_LOCKED) ?:
	      __drm_gem_table_check_empty(&own->__own, obj->base.base.dev) ?:
	      __drm_gem_sgt_check_drm(bound, obj->base.base.dev);
	if (ret)
		return ret;
	return drm_shmem_follows(obj) ? drm_shmem_sgt_own_followed(own, bound, obj, how) :
					drm_shmem_sgt_do_own(own, bound, obj, how);
}
EXPORT_SYMBOL_GPL(__drm_shmem_sgt_own);

/* Like drm_gem_sgt_give_up(), with the same ordering: see sgt-give-up.litmus. */
static void drm_shmem_sgt_give_up(struct drm_shmem_sgt_owned *own, struct drm_shmem_obj *obj)
{
	if (__drm_gem_table_give_up(&own->__own))
		__drm_shmem_sgt_uncount(obj);
}

/**
 * drm_shmem_sgt_release() - end an owned sg table
 * @own: the handle, which may be empty and is so afterwards
 *
 * The table stays mapped for the object's next user.
 *
 * Takes no lock, but puts the object. A caller that has another reference to the object may
 * hold any reservation lock, for example in the bo_fini step of an address space. Without
 * another reference, the rules for the last put of an object apply.
 *
 * Context: May sleep. Without any reservation lock, unless the caller has another reference
 * to the object.
 */
void drm_shmem_sgt_release(struct drm_shmem_sgt_owned *own)
{
	struct drm_shmem_obj *obj = __drm_shmem_sgt_of(own);

	if (!obj)
		return;
	drm_shmem_sgt_untrack(own, obj);
	drm_shmem_sgt_give_up(own, obj);
	__drm_gem_table_disown(&own->__own, &obj->base.base);
	__drm_shmem_try_relist(obj);
	drm_gem_object_put(&obj->base.base);
}
EXPORT_SYMBOL_GPL(drm_shmem_sgt_release);

/**
 * drm_shmem_sgt_suspend() - give up an owned sg table until the handle is resumed
 * @own: the handle, which may be empty or suspended already
 *
 * The handle keeps the object, but not its table. For a type's evict step, which has removed the
 * table's addresses from the hardware, and for its moved step. Another task may release the
 * handle at the same time, if the caller keeps the object and @own, but must not fill the handle
 * for another object meanwhile.
 *
 * Context: Any thread. The caller holds the object's reservation lock.
 */
void drm_shmem_sgt_suspend(struct drm_shmem_sgt_owned *own)
{
	/* The exchange depends on this load, so it comes after it: see sgt-own.litmus. */
	struct drm_gem_table *table = READ_ONCE(own->__own.__of);
	struct drm_shmem_obj *obj = container_of(table, struct drm_shmem_obj, __table);

	if (!table)
		return;
	dma_resv_assert_held(obj->base.base.resv);
	drm_shmem_sgt_give_up(own, obj);
}
EXPORT_SYMBOL_GPL(drm_shmem_sgt_suspend);

/**
 * __drm_shmem_sgt_resume() - use an owned sg table again
 * @own: the handle
 * @bound: proof that the parent of the object's device is bound
 *
 * See drm_shmem_sgt_resume(), which drivers call.
 *
 * Context: May sleep. The caller holds the object's reservation lock.
 *
 * Return: 0 or a negative error code.
 */
int __drm_shmem_sgt_resume(struct drm_shmem_sgt_owned *own, const struct drm_dev_ctx_bound *bound)
{
	struct drm_shmem_obj *obj = __drm_shmem_sgt_of(own);
	int ret;

	if (!obj)
		return -EINVAL;
	ret = __drm_gem_resv_check_call(&obj->base.base, true);
	if (ret)
		return ret;
	if (!own->__own.__suspended)
		return 0;
	ret = __drm_gem_sgt_check_drm(bound, obj->base.base.dev) ?:
	      PTR_ERR_OR_ZERO(drm_shmem_sgt_count(bound, obj, DRM_RESV_LOCKED));
	if (ret)
		return ret;

	__drm_gem_table_resumed(&own->__own);
	return 0;
}
EXPORT_SYMBOL_GPL(__drm_shmem_sgt_resume);

/**
 * drm_shmem_sgt_move() - move an owned sg table to another handle
 * @to: empty handle
 * @from: the handle, empty afterwards
 *
 * If @to is in use, this is reported, and its content is leaked, because memory that was
 * never initialised looks the same. The object can be evicted meanwhile: either the evict step
 * finds the table in use, or @to ends up suspended. For an import that follows moves, the caller
 * must hold the reservation lock, which is checked: the moved step cannot fail, and could miss
 * both handles.
 *
 * Context: Any.
 */
void drm_shmem_sgt_move(struct drm_shmem_sgt_owned *to,
			struct drm_shmem_sgt_owned *from)
{
	struct drm_shmem_obj *obj = __drm_shmem_sgt_of(from);

	if (obj && drm_shmem_follows(obj) && !drm_resv_is_held(obj->base.base.resv))
		drm_safe_broken(obj->base.base.dev, "a handle of an import moves under its lock",
				"the type's moved step may miss a handle that is moved at the same time");
	__drm_gem_table_move(&to->__own, &from->__own, obj ? obj->base.base.dev : NULL);
#ifdef CONFIG_DRM_SAFE_DEBUG
	to->__tracker = from->__tracker;
#endif
}
EXPORT_SYMBOL_GPL(drm_shmem_sgt_move);

/**
 * __drm_shmem_sgt_reclaim() - unmap the table early
 * @obj: the object
 *
 * Works only for a type that counts all users of its tables, and only if there are none.
 *
 * Context: May sleep. The caller holds the reservation lock.
 *
 * Return: as drm_shmem_sgt_unmap().
 */
int __drm_shmem_sgt_reclaim(struct drm_shmem_obj *obj)
{
	struct drm_gem_object *gem = &obj->base.base;

	dma_resv_assert_held(gem->resv);

	if (!drm_shmem_has_sgt(obj))
		return 0;
	if (!(READ_ONCE(obj->__flags) & __DRM_SHMEM_RECLAIM))
		return -EOPNOTSUPP;
	if (__drm_shmem_sgt_is_stale(obj))
		return drm_shmem_sgt_has_jobs(obj) ? -EBUSY : __drm_shmem_sgt_unmap_stale(obj);

	return __drm_gem_table_unmap_idle(&obj->__table, gem, &drm_shmem_sgt_ops);
}

static int drm_shmem_sgt_do_unmap(struct drm_shmem_obj *obj, enum drm_resv_how how)
{
	int ret = drm_gem_resv_lock_call(&obj->base.base, how);

	if (ret)
		return ret;
	ret = __drm_shmem_sgt_reclaim(obj);
	drm_gem_resv_unlock(&obj->base.base, false);

	return ret;
}

/**
 * drm_shmem_sgt_unmap() - unmap the sg table of an object early
 * @obj: the object
 *
 * The next use maps the table again. The hardware must not use it any more.
 *
 * Context: May sleep. Without the object's reservation lock.
 *
 * Return: 0, also if there is no table; -EBUSY if it is in use or being revoked, or if the
 * exporter has moved the memory and jobs run; -EOPNOTSUPP if the object's type is not
 * DRM_SHMEM_RECLAIM; -EINTR if the task was killed while it waited for the lock of an exporter;
 * or -EALREADY if called under the lock, which is reported.
 */
int drm_shmem_sgt_unmap(struct drm_shmem_obj *obj)
{
	return drm_shmem_sgt_do_unmap(obj, DRM_RESV_LOCKS);
}
EXPORT_SYMBOL_GPL(drm_shmem_sgt_unmap);

/**
 * drm_shmem_sgt_unmap_interruptible() - the same, with an interruptible wait
 * @obj: the object
 *
 * Context: As drm_shmem_sgt_unmap().
 *
 * Return: as drm_shmem_sgt_unmap(), or -EINTR if a signal arrived while it waited for the
 * lock, with nothing changed.
 */
int drm_shmem_sgt_unmap_interruptible(struct drm_shmem_obj *obj)
{
	return drm_shmem_sgt_do_unmap(obj, DRM_RESV_LOCKS_INTERRUPTIBLE);
}
EXPORT_SYMBOL_GPL(drm_shmem_sgt_unmap_interruptible);
