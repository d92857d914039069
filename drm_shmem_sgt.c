// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/export.h>
#include <linux/slab.h>

#include "drm_shmem_internal.h"
#include "drm_shmem_trace.h"

/**
 * DOC: sg tables
 *
 * The table of an object is mapped for the parent of its device when it is
 * first needed, under the reservation lock, and unmapped exactly once, by
 * whichever comes first:
 *
 * - the object is freed;
 * - it is unmapped early, evicted or purged, with no user left, which only types with
 *   DRM_SHMEM_RECLAIM can tell;
 * - the parent is unbound, which revokes it, users or not.
 *
 * Revocation runs with the device's list of mappings blocked and then takes
 * reservation locks. Freeing blocks the list first, too, and so either unmaps
 * before revocation or finds the table revoked. Unmapping early holds the
 * reservation lock already; it only tries, and fails if revocation runs.
 *
 * Neither the table nor its pages are ever in &drm_gem_shmem_object.sgt, so
 * that the core cannot unmap it a second time, or for a device that is not
 * bound any more. A table pins the object's pages.
 */

static struct sg_table *drm_shmem_sgt_map_own(struct drm_shmem_obj *obj,
					      struct device *dev)
	__must_hold(drm_resv)
{
	struct sg_table *sgt;
	int ret;

	ret = drm_gem_shmem_pin_locked(&obj->base);
	if (ret)
		return ERR_PTR(ret);

	sgt = drm_gem_shmem_get_sg_table(&obj->base);
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

/* The parent is bound: it is being unbound just now, or that is blocked. */
static void drm_shmem_sgt_free_own(struct drm_shmem_obj *obj,
				   struct sg_table *sgt)
{
	dma_unmap_sgtable(obj->base.base.dev->dev, sgt, DMA_BIDIRECTIONAL, 0);
	sg_free_table(sgt);
	kfree(sgt);
}

static void drm_shmem_sgt_free_locked(struct drm_shmem_obj *obj,
				      struct sg_table *sgt)
	__must_hold(drm_resv)
{
	struct drm_gem_object *gem = &obj->base.base;

	dma_resv_assert_held(gem->resv);

	if (drm_gem_is_imported(gem)) {
		dma_buf_unmap_attachment(gem->import_attach, sgt, DMA_BIDIRECTIONAL);
		return;
	}
	drm_shmem_sgt_free_own(obj, sgt);
	drm_shmem_unpin_locked(obj);
}

/* Unmap the table: @next is what the object has instead from then on. */
static void drm_shmem_sgt_unmap_locked(struct drm_shmem_obj *obj,
				       struct sg_table *next)
	__must_hold(drm_resv)
{
	struct sg_table *sgt = obj->__sgt;

	trace_drm_shmem_sgt_unmap(&obj->base.base);
	WRITE_ONCE(obj->__sgt, next);
	drm_shmem_sgt_free_locked(obj, sgt);
}

/*
 * The parent is being unbound. The object is there, perhaps without a last
 * reference: whoever frees it has to get past drm_dev_revocable_end() first.
 */
static void drm_shmem_sgt_revoke(struct drm_dev_revocable *rev)
	__must_not_hold(drm_resv)
{
	struct drm_shmem_obj *obj = container_of(rev, struct drm_shmem_obj, __revocable);
	struct drm_gem_object *gem = &obj->base.base;

	dma_resv_lock(gem->resv, NULL);
	trace_drm_shmem_sgt_revoke(gem);
	drm_shmem_sgt_unmap_locked(obj, ERR_PTR(-ENODEV));
	if (!(obj->__flags & __DRM_SHMEM_DYING))
		drm_shmem_obj_type(obj)->sgt_revoked(obj);
	dma_resv_unlock(gem->resv);
}

static void drm_shmem_sgt_publish(struct drm_shmem_obj *obj,
				  struct sg_table *sgt)
	__must_hold(drm_resv)
{
	dma_resv_assert_held(obj->base.base.resv);

	/*
	 * Release: pairs with __drm_shmem_sgt_begin() and __drm_shmem_sgt_try(),
	 * which follow the pointer. The table's entries come before it.
	 */
	smp_store_release(&obj->__sgt, sgt);
	/* Release: pairs with the acquire in drm_shmem_sgt_count(). */
	refcount_set_release(&obj->__sgt_users, 1);
}

static int drm_shmem_sgt_map_locked(const struct drm_dev_bound *bound,
				    struct drm_shmem_obj *obj)
	__must_hold(drm_resv)
{
	struct drm_gem_object *gem = &obj->base.base;
	struct sg_table *sgt;
	int ret;

	if (obj->__sgt)
		return PTR_ERR_OR_ZERO(obj->__sgt);
	ret = drm_shmem_check_purged(obj);
	if (ret)
		return ret;

	if (drm_gem_is_imported(gem))
		sgt = dma_buf_map_attachment(gem->import_attach, DMA_BIDIRECTIONAL);
	else
		sgt = drm_shmem_sgt_map_own(obj, drm_dev_bound_parent(bound));
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);

	ret = drm_dev_revocable_add(bound, &obj->__revocable, drm_shmem_sgt_revoke);
	if (ret) {
		drm_shmem_sgt_free_locked(obj, sgt);
		return ret;
	}

	trace_drm_shmem_sgt_map(gem);
	drm_shmem_sgt_publish(obj, sgt);
	return 0;
}

static int drm_shmem_sgt_check_device(const struct drm_dev_bound *bound,
				      const struct drm_shmem_obj *obj)
{
	struct drm_device *drm = obj->base.base.dev;

	if (likely(drm == bound->__drm))
		return 0;
	/* Bound again: this is another struct drm_device on the same device. */
	return drm->dev == drm_dev_bound_parent(bound) ? -ENODEV : -EINVAL;
}

/* Become one more counted user of the table, which is mapped if need be. */
static int drm_shmem_sgt_count(const struct drm_dev_bound *bound,
			       struct drm_shmem_obj *obj, bool locked)
{
	struct drm_gem_object *gem = &obj->base.base;
	int ret;

	/*
	 * Acquire: pairs with the release in drm_shmem_sgt_publish(). Who sees
	 * the count not zero sees the table, and keeps it from anything but
	 * revocation, which comes after the proof.
	 */
	if (refcount_inc_not_zero_acquire(&obj->__sgt_users)) {
		if (!IS_ERR(READ_ONCE(obj->__sgt)))
			return 0;
		refcount_dec(&obj->__sgt_users);
		return -ENODEV;
	}

	drm_shmem_lock(gem, locked);
	ret = drm_shmem_sgt_map_locked(bound, obj);
	if (!ret)
		refcount_inc(&obj->__sgt_users);
	drm_shmem_unlock(gem, locked);

	return ret;
}

#ifdef CONFIG_DRM_SAFE_DEBUG
static void drm_shmem_sgt_track(struct drm_shmem_sgt_owned *own)
{
	ref_tracker_alloc(&own->__obj->__handles, &own->__tracker, GFP_KERNEL);
	drm_dev_handle_add(own->__obj->base.base.dev, &own->__handle);
}

static void drm_shmem_sgt_untrack(struct drm_shmem_sgt_owned *own)
{
	ref_tracker_free(&own->__obj->__handles, &own->__tracker);
	drm_dev_handle_del(own->__obj->base.base.dev, &own->__handle);
}
#else
static void drm_shmem_sgt_track(struct drm_shmem_sgt_owned *own) { }
static void drm_shmem_sgt_untrack(struct drm_shmem_sgt_owned *own) { }
#endif

/**
 * __drm_shmem_sgt_adopt() - make an imported table the object's
 * @bound: proof that the parent of the device is bound
 * @obj: the object, which nobody else has
 * @sgt: mapped by the core for the object's attachment
 *
 * Context: May sleep. Takes the reservation lock.
 */
void __drm_shmem_sgt_adopt(const struct drm_dev_bound *bound,
			   struct drm_shmem_obj *obj, struct sg_table *sgt)
{
	drm_shmem_lock(&obj->base.base, false);
	/* Not refused: the proof is of a section that the caller is in. */
	if (!drm_dev_revocable_add(bound, &obj->__revocable, drm_shmem_sgt_revoke))
		drm_shmem_sgt_publish(obj, sgt);
	drm_shmem_unlock(&obj->base.base, false);
}

/**
 * __drm_shmem_sgt_dying() - keep revocation from calling the type's steps
 * @obj: object without a reference
 *
 * Context: May sleep. Takes the reservation lock.
 */
void __drm_shmem_sgt_dying(struct drm_shmem_obj *obj)
{
	if (!obj->__sgt)
		return;

	drm_shmem_lock(&obj->base.base, false);
	obj->__flags |= __DRM_SHMEM_DYING;
	drm_shmem_unlock(&obj->base.base, false);
}

/*
 * Nobody else has the object or finds it, so that its own table and its pin go
 * without the lock. The pages go with the object, under the lock that the core
 * takes for that.
 */
static void drm_shmem_sgt_unmap_last(struct drm_dev_revocable *rev)
	__must_not_hold(drm_resv)
{
	struct drm_shmem_obj *obj = container_of(rev, struct drm_shmem_obj, __revocable);
	struct drm_gem_object *gem = &obj->base.base;
	struct sg_table *sgt = obj->__sgt;

	if (drm_gem_is_imported(gem)) {
		drm_shmem_lock(gem, false);
		drm_shmem_sgt_unmap_locked(obj, NULL);
		drm_shmem_unlock(gem, false);
		return;
	}

	trace_drm_shmem_sgt_unmap(gem);
	obj->__sgt = NULL;
	drm_shmem_sgt_free_own(obj, sgt);
	/* The core reports pins that are left. */
	refcount_set(&obj->base.pages_pin_count,
		     refcount_read(&obj->base.pages_pin_count) - 1);
}

/**
 * __drm_shmem_sgt_destroy() - unmap the table of an object that is freed
 * @obj: object without a reference, which is freed right after
 *
 * Context: May sleep. Takes the reservation lock of an imported object.
 */
void __drm_shmem_sgt_destroy(struct drm_shmem_obj *obj)
{
	/* Nobody can map it any more, so that NULL stays NULL. */
	if (READ_ONCE(obj->__sgt))
		drm_dev_revocable_end(obj->base.base.dev, &obj->__revocable,
				      drm_shmem_sgt_unmap_last);
}

/**
 * __drm_shmem_sgt_get() - borrow the table, where that takes more than a load
 * @bound: proof that the parent of the object's device is bound
 * @obj: the object
 * @sgt: handle to fill in
 * @locked: whether the caller holds the reservation lock
 *
 * See drm_shmem_if_sgt(), which drivers call.
 *
 * Context: May sleep.
 *
 * Return: 0 or a negative error code.
 */
int __drm_shmem_sgt_get(const struct drm_dev_bound *bound,
			struct drm_shmem_obj *obj, struct drm_shmem_sgt *sgt,
			bool locked)
{
	struct drm_gem_object *gem = &obj->base.base;
	int ret;

	ret = drm_shmem_sgt_check_device(bound, obj);
	if (ret)
		return ret;

	if (READ_ONCE(obj->__flags) & __DRM_SHMEM_RECLAIM) {
		ret = drm_shmem_sgt_count(bound, obj, locked);
		if (ret)
			return ret;
		sgt->__counted = obj;
	} else {
		drm_shmem_lock(gem, locked);
		ret = drm_shmem_sgt_map_locked(bound, obj);
		drm_shmem_unlock(gem, locked);
		if (ret)
			return ret;
	}
	sgt->__table = obj->__sgt;
	return 0;
}
EXPORT_SYMBOL_GPL(__drm_shmem_sgt_get);

/**
 * __drm_shmem_sgt_own() - own the table of an object
 * @bound: proof that the parent of the object's device is bound
 * @obj: the object
 * @own: handle to fill in
 * @locked: whether the caller holds the reservation lock
 *
 * See drm_shmem_sgt_own(), which drivers call.
 *
 * Context: May sleep.
 *
 * Return: 0 or a negative error code.
 */
int __drm_shmem_sgt_own(const struct drm_dev_bound *bound,
			struct drm_shmem_obj *obj,
			struct drm_shmem_sgt_owned *own, bool locked)
{
	int ret;

	__drm_shmem_check_locked(&obj->base.base, locked);
	if (own->__obj) {
		drm_safe_broken(obj->base.base.dev, "an owned handle is not overwritten",
				"drm_shmem_sgt_release() it first");
		return -EBUSY;
	}
	ret = drm_shmem_sgt_check_device(bound, obj) ?: drm_shmem_sgt_count(bound, obj, locked);
	if (ret)
		return ret;

	drm_gem_object_get(&obj->base.base);
	own->__obj = obj;
	drm_shmem_sgt_track(own);
	return 0;
}
EXPORT_SYMBOL_GPL(__drm_shmem_sgt_own);

/**
 * drm_shmem_sgt_release() - end an owned sg table
 * @own: the handle, which may be empty and is so afterwards
 *
 * The table stays mapped for the object's next user.
 *
 * Context: May sleep. Without any reservation lock.
 */
void drm_shmem_sgt_release(struct drm_shmem_sgt_owned *own)
{
	struct drm_shmem_obj *obj = own->__obj;

	if (!obj)
		return;
	drm_shmem_sgt_untrack(own);
	own->__obj = NULL;
	/* Release: what was done with the table comes before it can go. */
	if (!own->__suspended)
		refcount_dec(&obj->__sgt_users);
	own->__suspended = false;
	drm_gem_object_put(&obj->base.base);
}
EXPORT_SYMBOL_GPL(drm_shmem_sgt_release);

/**
 * drm_shmem_sgt_suspend() - do without an owned sg table until it is resumed
 * @own: the handle, which may be empty or suspended already
 *
 * The handle keeps the object, but not its table. For a type's evict step: the
 * hardware must not know addresses of the table any more.
 *
 * Context: Any thread. The caller holds the object's reservation lock.
 */
void drm_shmem_sgt_suspend(struct drm_shmem_sgt_owned *own)
{
	struct drm_shmem_obj *obj = own->__obj;

	if (!obj)
		return;
	dma_resv_assert_held(obj->base.base.resv);
	if (own->__suspended)
		return;
	/* Unordered: the driver keeps those away who look at it. */
	WRITE_ONCE(own->__suspended, true);
	/* Release: as in drm_shmem_sgt_release(). */
	refcount_dec(&obj->__sgt_users);
}
EXPORT_SYMBOL_GPL(drm_shmem_sgt_suspend);

/**
 * __drm_shmem_sgt_resume() - use an owned sg table again
 * @bound: proof that the parent of the object's device is bound
 * @own: the handle
 *
 * See drm_shmem_sgt_resume(), which drivers call.
 *
 * Context: May sleep. The caller holds the object's reservation lock.
 *
 * Return: 0 or a negative error code.
 */
int __drm_shmem_sgt_resume(const struct drm_dev_bound *bound,
			   struct drm_shmem_sgt_owned *own)
{
	struct drm_shmem_obj *obj = own->__obj;
	int ret;

	if (!obj)
		return -EINVAL;
	__drm_shmem_check_locked(&obj->base.base, true);
	if (!own->__suspended)
		return 0;
	ret = drm_shmem_sgt_check_device(bound, obj) ?: drm_shmem_sgt_count(bound, obj, true);
	if (ret)
		return ret;

	/* Release: who sees it not suspended sees the table. */
	smp_store_release(&own->__suspended, false);
	return 0;
}
EXPORT_SYMBOL_GPL(__drm_shmem_sgt_resume);

/**
 * drm_shmem_sgt_move() - move an owned sg table to another handle
 * @to: empty handle
 * @from: the handle, empty afterwards
 *
 * If @to is in use then that is reported, and what it holds is released.
 *
 * Context: Any. As drm_shmem_sgt_release() if @to is in use.
 */
void drm_shmem_sgt_move(struct drm_shmem_sgt_owned *to,
			struct drm_shmem_sgt_owned *from)
{
	if (to->__obj) {
		drm_safe_broken(to->__obj->base.base.dev,
				"an owned handle is not overwritten",
				"drm_shmem_sgt_release() it first");
		drm_shmem_sgt_release(to);
	}
	to->__obj = from->__obj;
	to->__suspended = from->__suspended;
#ifdef CONFIG_DRM_SAFE_DEBUG
	to->__tracker = from->__tracker;
	to->__handle = from->__handle;
#endif
	from->__obj = NULL;
	from->__suspended = false;
}
EXPORT_SYMBOL_GPL(drm_shmem_sgt_move);

/**
 * __drm_shmem_sgt_reclaim() - unmap the table before its time
 * @obj: the object
 *
 * If there are no counted users, of a type that counts them all, and if
 * revocation does not run just now.
 *
 * Context: May sleep. The caller holds the reservation lock.
 *
 * Return: as drm_shmem_sgt_unmap().
 */
int __drm_shmem_sgt_reclaim(struct drm_shmem_obj *obj)
{
	struct drm_gem_object *gem = &obj->base.base;
	int ret = 0;

	dma_resv_assert_held(gem->resv);

	if (!drm_shmem_sgt_is_mapped(obj))
		return 0;
	if (!(obj->__flags & __DRM_SHMEM_RECLAIM))
		return -EOPNOTSUPP;
	if (!drm_dev_revoke_tryblock(gem->dev))
		return -EBUSY;

	/* To zero: no new user without the reservation lock from here on. */
	if (refcount_dec_if_one(&obj->__sgt_users)) {
		/* Pairs with the release in a user's refcount_dec(). */
		smp_acquire__after_ctrl_dep();
		drm_dev_revocable_del(gem->dev, &obj->__revocable);
		drm_shmem_sgt_unmap_locked(obj, NULL);
	} else {
		ret = -EBUSY;
	}
	drm_dev_revoke_unblock(gem->dev);
	return ret;
}

/**
 * drm_shmem_sgt_unmap() - unmap the sg table of an object early
 * @obj: the object
 *
 * The next use maps it again. The hardware must not use it any more.
 *
 * Context: May sleep. Without the object's reservation lock.
 *
 * Return: 0, also if there is no table; -EBUSY if it is in use, or being
 * revoked; -EOPNOTSUPP if the object's type is not DRM_SHMEM_RECLAIM.
 */
int drm_shmem_sgt_unmap(struct drm_shmem_obj *obj)
{
	int ret;

	drm_shmem_lock(&obj->base.base, false);
	ret = __drm_shmem_sgt_reclaim(obj);
	drm_shmem_unlock(&obj->base.base, false);

	return ret;
}
EXPORT_SYMBOL_GPL(drm_shmem_sgt_unmap);
