// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/export.h>
#include <linux/slab.h>

#include "drm_shmem_internal.h"
#include "drm_shmem_trace.h"

/* For how long a task that was killed goes on to wait for a fence, in jiffies */
#define DRM_SHMEM_KILLED_AFTER	(HZ / 10)

/**
 * DOC: sg tables
 *
 * The table of an object is mapped for the DMA device of its &struct drm_device
 * when it is first needed, under the reservation lock, and unmapped exactly
 * once, by whichever comes first:
 *
 * - the object is freed;
 * - it is unmapped early, evicted or purged, with no user left, which only types with
 *   DRM_SHMEM_RECLAIM can tell;
 * - the parent is unbound, which revokes it, users or not.
 *
 * The device's list of mappings decides between them: whoever takes the entry
 * off unmaps the table. Revocation takes an entry off only with a reference to
 * the object, and then waits for its reservation lock. Unmapping early holds that
 * lock already, and fails if revocation has taken the entry off. Freeing finds the
 * entry on the list, or the table revoked: revocation leaves the entry of an
 * object that has no reference to the task that frees it, and unbinding waits for
 * that task. So the last put of an object waits for nothing.
 *
 * Neither the table nor its pages are ever in &drm_gem_shmem_object.sgt, so
 * that the core cannot unmap it a second time, or for a device that is not
 * bound any more. A table pins the object's pages.
 */

/* As drm_gem_shmem_get_sg_table(), but charged to the memory cgroup of the task. */
static struct sg_table *drm_shmem_sgt_alloc(struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	struct drm_gem_object *gem = &obj->base.base;
	size_t max = dma_max_mapping_size(drm_dev_dma_dev(gem->dev));
	struct sg_table *sgt = kmalloc_obj(*sgt, GFP_KERNEL_ACCOUNT);
	int ret;

	if (!sgt)
		return ERR_PTR(-ENOMEM);
	ret = sg_alloc_table_from_pages_segment(sgt, obj->base.pages, gem->size >> PAGE_SHIFT,
						0, gem->size,
						min_not_zero(max, (size_t)UINT_MAX),
						GFP_KERNEL_ACCOUNT);
	if (ret) {
		kfree(sgt);
		return ERR_PTR(ret);
	}
	return sgt;
}

static struct sg_table *drm_shmem_sgt_map_own(struct drm_shmem_obj *obj)
	__must_hold(drm_resv)
{
	struct device *dev = drm_dev_dma_dev(obj->base.base.dev);
	struct sg_table *sgt;
	int ret;

	ret = drm_gem_shmem_pin_locked(&obj->base);
	if (ret)
		return ERR_PTR(ret);

	sgt = drm_shmem_sgt_alloc(obj);
	if (IS_ERR(sgt))
		goto err_unpin;

	ret = dma_map_sgtable(dev, sgt, DMA_BIDIRECTIONAL, 0);
	if (ret)
		goto err_free;

	__drm_shmem_is_back(obj);
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
	dma_unmap_sgtable(drm_dev_dma_dev(obj->base.base.dev), sgt, DMA_BIDIRECTIONAL, 0);
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
	/* Users of a table that was revoked are still counted. */
	if (!next)
		refcount_set(&obj->__sgt_users, 0);
	drm_shmem_sgt_free_locked(obj, sgt);
}

static struct drm_shmem_obj *drm_shmem_revocable_obj(struct drm_dev_ctx_revocable *rev)
{
	return container_of(rev, struct drm_shmem_obj, __revocable);
}

static bool drm_shmem_sgt_revocable_get(struct drm_dev_ctx_revocable *rev)
{
	return drm_gem_object_get_unless_zero(&drm_shmem_revocable_obj(rev)->base.base);
}

/* The parent is being unbound. This has a reference to the object. */
static void drm_shmem_sgt_revoke(struct drm_dev_ctx_revocable *rev) __must_not_hold(drm_resv)
{
	struct drm_shmem_obj *obj = drm_shmem_revocable_obj(rev);
	struct drm_gem_object *gem = &obj->base.base;

	dma_resv_lock(gem->resv, NULL);
	trace_drm_shmem_sgt_revoke(gem);
	drm_shmem_sgt_unmap_locked(obj, ERR_PTR(-ENODEV));
	/* If the object is incomplete then its init step is running, or has failed. */
	drm_shmem_step_sgt_revoked(obj);
	dma_resv_unlock(gem->resv);
	drm_gem_object_put(gem);
}

static const struct drm_dev_ctx_revocable_ops drm_shmem_sgt_revocable_ops = {
	.get = drm_shmem_sgt_revocable_get,
	.revoke = drm_shmem_sgt_revoke,
};

/* The caller holds the reservation lock, or the object is nobody else's. */
static void drm_shmem_sgt_publish(struct drm_shmem_obj *obj, struct sg_table *sgt)
{
	/*
	 * Release: pairs with __drm_shmem_sgt_begin() and __drm_shmem_sgt_try(),
	 * which follow the pointer. The table's entries come before it.
	 */
	smp_store_release(&obj->__sgt, sgt);
	/* Release: pairs with the acquire in drm_shmem_sgt_count(). */
	refcount_set_release(&obj->__sgt_users, 1);
}

/* The driver has to say what its device takes; the core's tables do not ask. */
static void drm_shmem_sgt_check_segments(struct drm_gem_object *gem,
					 const struct sg_table *sgt)
{
	struct device *dev = drm_dev_dma_dev(gem->dev);
	const unsigned int max = dma_get_max_seg_size(dev);
	struct scatterlist *sg;
	int i;

	/* No segment is longer than the object; some buses have no such limit. */
	if (likely(gem->size <= max) || !dev->dma_parms)
		return;
	for_each_sgtable_dma_sg(sgt, sg, i) {
		if (sg_dma_len(sg) <= max)
			continue;
		drm_safe_broken(gem->dev, "segments are as long as the device takes",
				"one of %u bytes, where %s takes %u: see dma_set_max_seg_size()",
				sg_dma_len(sg), dev_name(dev), max);
		return;
	}
}

/**
 * __drm_shmem_sgt_wait() - wait for the fences of an exporter
 * @resv: of the dma-buf
 *
 * A task that was killed stops waiting: the lock is the exporter's, and the fence may be
 * another driver's. Fences have no killable wait.
 *
 * Context: May sleep. The caller holds the reservation lock.
 *
 * Return: 0, or -EINTR if the task was killed.
 */
int __drm_shmem_sgt_wait(struct dma_resv *resv)
{
	while (!dma_resv_wait_timeout(resv, DMA_RESV_USAGE_KERNEL, false,
				      DRM_SHMEM_KILLED_AFTER))
		if (fatal_signal_pending(current))
			return -EINTR;
	return 0;
}

/**
 * __drm_shmem_sgt_again() - whether to map a dma-buf again, because a signal came
 * @sgt: what dma_buf_map_attachment() returned; -EINTR afterwards if the task was killed
 *
 * The wait of dma_buf_map_attachment() for fences ends with any signal, with -ERESTARTSYS,
 * and so may the waits of the exporter, with -ERESTARTSYS or -EINTR. The exporter may add a
 * fence in that very call, by moving its memory. Therefore waiting for the fences first is
 * not enough, and the caller waits and maps in a loop until this returns false:
 *
 * - The signal stays pending, and so each wait that a signal ends fails at once. The wait of
 *   __drm_shmem_sgt_wait() between two attempts does not: the next attempt finds the fences
 *   of this one signalled.
 * - What the exporter waits for may need another task. So this sleeps before each attempt.
 * - A signal that kills the task ends the loop.
 * - Without a pending signal the error is the exporter's own, and ends the loop.
 *
 * Context: May sleep.
 *
 * Return: true if the caller has to try again.
 */
bool __drm_shmem_sgt_again(struct sg_table **sgt)
{
	if (*sgt != ERR_PTR(-ERESTARTSYS) && *sgt != ERR_PTR(-EINTR))
		return false;
	if (!signal_pending(current))
		return false;
	if (drm_resv_try_again())
		return true;
	*sgt = ERR_PTR(-EINTR);
	return false;
}

/* Map a dma-buf in spite of signals, see __drm_shmem_sgt_again(). */
static struct sg_table *drm_shmem_sgt_map_import(struct dma_buf_attachment *attach)
	__must_hold(drm_resv)
{
	struct sg_table *sgt;
	int ret;

	do {
		ret = __drm_shmem_sgt_wait(attach->dmabuf->resv);
		if (ret)
			return ERR_PTR(ret);
		sgt = dma_buf_map_attachment(attach, DMA_BIDIRECTIONAL);
	} while (__drm_shmem_sgt_again(&sgt));
	return sgt;
}

/* The table, mapped if there is none yet, or an ERR_PTR() */
static struct sg_table *drm_shmem_sgt_map_locked(const struct drm_dev_ctx_bound *bound,
						 struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	struct drm_gem_object *gem = &obj->base.base;
	struct sg_table *sgt = obj->__sgt;
	int ret;

	if (sgt)
		return sgt;
	ret = drm_shmem_check_purged(obj);
	if (ret)
		return ERR_PTR(ret);

	if (drm_gem_is_imported(gem))
		sgt = drm_shmem_sgt_map_import(gem->import_attach);
	else
		sgt = drm_shmem_sgt_map_own(obj);
	if (IS_ERR(sgt))
		return sgt;

	ret = drm_dev_ctx_revocable_add(bound, &obj->__revocable, &drm_shmem_sgt_revocable_ops);
	if (ret) {
		drm_shmem_sgt_free_locked(obj, sgt);
		return ERR_PTR(ret);
	}

	drm_shmem_sgt_check_segments(gem, sgt);
	trace_drm_shmem_sgt_map(gem);
	drm_shmem_sgt_publish(obj, sgt);
	return sgt;
}

/**
 * __drm_shmem_sgt_check_device() - whether a proof is of an object's device
 * @bound: the proof
 * @obj: the object
 *
 * Context: Task context. Does not sleep.
 *
 * Return: 0; -ENODEV if the parent was unbound and bound again since; -EINVAL,
 * with a report, if the device is another one, also one on the same parent.
 */
int __drm_shmem_sgt_check_device(const struct drm_dev_ctx_bound *bound,
				 const struct drm_shmem_obj *obj) __drm_nonallocating
{
	struct drm_device *drm = obj->base.base.dev;
	bool unbound = false;

	if (likely(drm == &bound->__ctx->drm))
		return 0;
	/* Bound again: the proof is of a later struct drm_device on the same parent. */
	if (drm->dev == drm_dev_ctx_bound_parent(bound))
		drm_safe_trusted(unbound = drm_dev_is_unplugged(drm));
	if (unbound)
		return -ENODEV;

	drm_safe_broken(drm, "both are of one device",
			"an sg table is wanted with the proof of another device");
	return -EINVAL;
}
EXPORT_SYMBOL_GPL(__drm_shmem_sgt_check_device);

/* Become a user of the table without the reservation lock, if it has users. */
static struct sg_table *drm_shmem_sgt_count_unlocked(struct drm_shmem_obj *obj)
{
	struct sg_table *sgt;

	/*
	 * Acquire: pairs with the release in drm_shmem_sgt_publish(). A count
	 * that is not zero means that there is a table, and keeps it from
	 * anything but revocation, which comes after the proof.
	 */
	if (!refcount_inc_not_zero_acquire(&obj->__sgt_users))
		return NULL;

	sgt = READ_ONCE(obj->__sgt);
	if (IS_ERR(sgt))
		refcount_dec(&obj->__sgt_users);
	return sgt;
}

/* Become one more counted user of the table, which is mapped if need be. */
static struct sg_table *drm_shmem_sgt_count(const struct drm_dev_ctx_bound *bound,
					    struct drm_shmem_obj *obj, enum drm_resv_how how)
{
	struct drm_gem_object *gem = &obj->base.base;
	struct sg_table *sgt = drm_shmem_sgt_count_unlocked(obj);
	int ret;

	if (sgt)
		return sgt;

	ret = drm_shmem_lock_how(gem, how);
	if (ret)
		return ERR_PTR(ret);
	sgt = drm_shmem_sgt_map_locked(bound, obj);
	if (!IS_ERR(sgt))
		refcount_inc(&obj->__sgt_users);
	drm_shmem_unlock(gem, how == DRM_RESV_LOCKED);

	return sgt;
}

/* The table of an object that does not count its users */
static struct sg_table *drm_shmem_sgt_map(const struct drm_dev_ctx_bound *bound,
					  struct drm_shmem_obj *obj, bool locked)
{
	struct drm_gem_object *gem = &obj->base.base;
	struct sg_table *sgt;
	int ret;

	ret = drm_shmem_lock_how(gem, drm_resv_how(locked));
	if (ret)
		return ERR_PTR(ret);
	sgt = drm_shmem_sgt_map_locked(bound, obj);
	drm_shmem_unlock(gem, locked);

	return sgt;
}

#ifdef CONFIG_DRM_SAFE_DEBUG
static void drm_shmem_sgt_track(struct drm_shmem_sgt_owned *own)
{
	ref_tracker_alloc(&own->__obj->__handles, &own->__tracker, GFP_KERNEL);
	drm_dev_ctx_handle_add(own->__obj->base.base.dev, &own->__handle);
}

static void drm_shmem_sgt_untrack(struct drm_shmem_sgt_owned *own)
{
	ref_tracker_free(&own->__obj->__handles, &own->__tracker);
	drm_dev_ctx_handle_del(own->__obj->base.base.dev, &own->__handle);
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
 * Waits for no lock: nobody else has the object, and revocation comes after the section.
 *
 * Context: May sleep. In a section, which @bound stands for.
 *
 * Return: 0, or an error of drm_dev_ctx_revocable_add(): the table stays the core's.
 */
int __drm_shmem_sgt_adopt(const struct drm_dev_ctx_bound *bound, struct drm_shmem_obj *obj,
			  struct sg_table *sgt)
{
	int ret;

	ret = drm_dev_ctx_revocable_add(bound, &obj->__revocable, &drm_shmem_sgt_revocable_ops);
	if (ret)
		return ret;
	drm_shmem_sgt_check_segments(&obj->base.base, sgt);
	drm_shmem_sgt_publish(obj, sgt);
	return 0;
}

/**
 * __drm_shmem_sgt_disown() - undo __drm_shmem_sgt_adopt()
 * @obj: the object, which nobody else has
 *
 * From here on the table is as one that was revoked. The init step that failed may have left
 * an owned handle, whose uses are then refused, and which is still counted.
 *
 * Context: Any, in the section that the table was adopted in, so that it was
 * not revoked.
 */
void __drm_shmem_sgt_disown(struct drm_shmem_obj *obj)
	__context_unsafe("as __drm_shmem_sgt_destroy()")
{
	/* Nothing else takes it off: revocation comes after the section. */
	if (WARN_ON(!__drm_shmem_sgt_take(obj)))
		return;
	WRITE_ONCE(obj->__sgt, ERR_PTR(-ENODEV));
	drm_dev_ctx_revocable_done(__drm_shmem_ctx(obj));
}

/**
 * __drm_shmem_sgt_take() - keep the table of an object that is freed
 * @obj: object without a reference, or that nobody else has
 *
 * On success the parent stays bound until __drm_shmem_sgt_destroy().
 *
 * Context: Any.
 *
 * Return: whether there is a table. A table that is revoked is none.
 */
bool __drm_shmem_sgt_take(struct drm_shmem_obj *obj)
	__context_unsafe("given back by __drm_shmem_sgt_destroy()")
{
	return drm_shmem_has_sgt(obj) &&
	       drm_dev_ctx_revocable_take(__drm_shmem_ctx(obj), &obj->__revocable);
}

/**
 * __drm_shmem_sgt_destroy() - unmap the table of an object that is freed
 * @obj: object without a reference, after __drm_shmem_sgt_take()
 *
 * Nobody else has the object or finds it, so its own table and its pin go under the
 * lock that it has for itself, also if it shares another one. The pages go with the object.
 * The table of an imported object is left to __drm_shmem_prime_end().
 *
 * Context: May sleep.
 */
void __drm_shmem_sgt_destroy(struct drm_shmem_obj *obj)
	__context_unsafe("taken by __drm_shmem_sgt_take()")
{
	struct drm_gem_object *gem = &obj->base.base;
	struct dma_resv *shared;

	trace_drm_shmem_sgt_unmap(gem);
	shared = drm_gem_lock_freed(gem);
	drm_shmem_sgt_free_own(obj, obj->__sgt);
	WRITE_ONCE(obj->__sgt, NULL);
	refcount_set(&obj->__sgt_users, 0);
	drm_gem_shmem_unpin_locked(&obj->base);
	drm_gem_unlock_freed(gem, shared);
	drm_dev_ctx_revocable_done(__drm_shmem_ctx(obj));
}

/**
 * __drm_shmem_sgt_get() - borrow the table, where that takes more than a load
 * @bound: proof that the parent of the object's device is bound
 * @obj: the object
 * @locked: whether the caller holds the reservation lock
 *
 * See drm_shmem_sgt_guard(), which drivers call.
 *
 * Context: May sleep.
 *
 * Return: the handle, with an ERR_PTR() for a table if there is none.
 */
struct drm_shmem_sgt __drm_shmem_sgt_get(const struct drm_dev_ctx_bound *bound,
					 struct drm_shmem_obj *obj, bool locked)
{
	const bool counted = READ_ONCE(obj->__flags) & __DRM_SHMEM_RECLAIM;
	struct sg_table *table;
	int ret;

	ret = __drm_shmem_sgt_check_device(bound, obj);
	if (ret)
		return (struct drm_shmem_sgt) { .__table = ERR_PTR(ret) };

	table = counted ? drm_shmem_sgt_count(bound, obj, drm_resv_how(locked)) :
			  drm_shmem_sgt_map(bound, obj, locked);
	return (struct drm_shmem_sgt) {
		.__table = table,
		.__counted = counted && !IS_ERR(table) ? obj : NULL,
	};
}
EXPORT_SYMBOL_GPL(__drm_shmem_sgt_get);

/**
 * __drm_shmem_sgt_own() - own the table of an object
 * @own: handle to fill in
 * @bound: proof that the parent of the object's device is bound
 * @obj: the object
 * @locked: whether the caller holds the reservation lock
 *
 * See drm_shmem_sgt_own(), which drivers call.
 *
 * Context: May sleep.
 *
 * Return: 0 or a negative error code.
 */
int __drm_shmem_sgt_own(struct drm_shmem_sgt_owned *own, const struct drm_dev_ctx_bound *bound,
			struct drm_shmem_obj *obj, bool locked)
{
	int ret;

	ret = __drm_shmem_check_call(&obj->base.base, locked);
	if (ret)
		return ret;
	if (own->__obj) {
		drm_safe_broken(obj->base.base.dev, "an owned handle is not overwritten",
				"it is in use, and drm_shmem_sgt_release() comes first, or it was not zeroed");
		return -EBUSY;
	}
	ret = __drm_shmem_sgt_check_device(bound, obj) ?:
	      PTR_ERR_OR_ZERO(drm_shmem_sgt_count(bound, obj, drm_resv_how(locked)));
	if (ret)
		return ret;

	drm_gem_object_get(&obj->base.base);
	WRITE_ONCE(own->__suspended, 0);
	/* Release: drm_shmem_sgt_suspend() exchanges the flag after it read this. */
	smp_store_release(&own->__obj, obj);
	drm_shmem_sgt_track(own);
	return 0;
}
EXPORT_SYMBOL_GPL(__drm_shmem_sgt_own);

/* Stop being a user of the table, once. */
static void drm_shmem_sgt_give_up(struct drm_shmem_sgt_owned *own, struct drm_shmem_obj *obj)
{
	/*
	 * Release: pairs with the acquire in __drm_shmem_sgt_reclaim(). What was
	 * done with the table comes before it can go.
	 */
	if (!xchg(&own->__suspended, 1))
		refcount_dec(&obj->__sgt_users);
}

/**
 * drm_shmem_sgt_release() - end an owned sg table
 * @own: the handle, which may be empty and is so afterwards
 *
 * The table stays mapped for the object's next user.
 *
 * Takes no lock, but puts the object. A caller that has another reference to the object may
 * hold any reservation lock, as the bo_fini step of an address space may. Without another
 * one, the rules are those for the last put of an object.
 *
 * Context: May sleep. Without any reservation lock, unless the caller has another reference
 * to the object.
 */
void drm_shmem_sgt_release(struct drm_shmem_sgt_owned *own)
{
	struct drm_shmem_obj *obj = own->__obj;

	if (!obj)
		return;
	drm_shmem_sgt_untrack(own);
	drm_shmem_sgt_give_up(own, obj);
	/* It stays marked as suspended: drm_shmem_sgt_suspend() may have read @obj. */
	WRITE_ONCE(own->__obj, NULL);
	drm_gem_object_put(&obj->base.base);
}
EXPORT_SYMBOL_GPL(drm_shmem_sgt_release);

/**
 * drm_shmem_sgt_suspend() - do without an owned sg table until it is resumed
 * @own: the handle, which may be empty or suspended already
 *
 * The handle keeps the object, but not its table. For a type's evict step: the
 * hardware must not know addresses of the table any more. The handle may be
 * released by another task meanwhile, if the caller keeps the object and @own; it
 * may not be used for another object.
 *
 * Context: Any thread. The caller holds the object's reservation lock.
 */
void drm_shmem_sgt_suspend(struct drm_shmem_sgt_owned *own)
{
	struct drm_shmem_obj *obj = READ_ONCE(own->__obj);

	if (!obj)
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
	struct drm_shmem_obj *obj = own->__obj;
	int ret;

	if (!obj)
		return -EINVAL;
	ret = __drm_shmem_check_call(&obj->base.base, true);
	if (ret)
		return ret;
	if (!own->__suspended)
		return 0;
	ret = __drm_shmem_sgt_check_device(bound, obj) ?:
	      PTR_ERR_OR_ZERO(drm_shmem_sgt_count(bound, obj, DRM_RESV_LOCKED));
	if (ret)
		return ret;

	/*
	 * Release: pairs with the acquire in __drm_shmem_sgt_try(). A handle that
	 * is not suspended has a table.
	 */
	smp_store_release(&own->__suspended, 0);
	return 0;
}
EXPORT_SYMBOL_GPL(__drm_shmem_sgt_resume);

/**
 * drm_shmem_sgt_move() - move an owned sg table to another handle
 * @to: empty handle
 * @from: the handle, empty afterwards
 *
 * If @to is in use then that is reported, and what it held is leaked: memory that was never
 * initialised looks the same. The object can be evicted meanwhile; the evict step then finds
 * it in use, or @to is suspended.
 *
 * Context: Any.
 */
void drm_shmem_sgt_move(struct drm_shmem_sgt_owned *to,
			struct drm_shmem_sgt_owned *from)
{
	if (to->__obj) {
		drm_safe_broken(from->__obj ? from->__obj->base.base.dev : NULL,
				"an owned handle is not overwritten",
				"it is in use, and drm_shmem_sgt_release() comes first, or it was not zeroed");
		/* What is suspended from here on is the table that is moved. */
		if (to != from)
			WRITE_ONCE(to->__obj, NULL);
	}
	/*
	 * @from stays marked as suspended, as a handle that was released: a suspend that
	 * read its object meanwhile gives up the user either before this, or not at all.
	 */
	WRITE_ONCE(to->__suspended, xchg(&from->__suspended, 1));
	/* Release: as in __drm_shmem_sgt_own(). */
	smp_store_release(&to->__obj, from->__obj);
#ifdef CONFIG_DRM_SAFE_DEBUG
	to->__tracker = from->__tracker;
	to->__handle = from->__handle;
#endif
	WRITE_ONCE(from->__obj, NULL);
}
EXPORT_SYMBOL_GPL(drm_shmem_sgt_move);

/**
 * __drm_shmem_sgt_reclaim() - unmap the table before its time
 * @obj: the object
 *
 * Only for a type that counts all users of its tables, and if there are none.
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
	if (!(obj->__flags & __DRM_SHMEM_RECLAIM))
		return -EOPNOTSUPP;

	/* To zero: no new user without the reservation lock from here on. */
	if (!refcount_dec_if_one(&obj->__sgt_users))
		return -EBUSY;
	/* Pairs with the release in class_drm_shmem_sgt_destructor() and its like. */
	smp_acquire__after_ctrl_dep();
	if (!drm_dev_ctx_revocable_take(__drm_shmem_ctx(obj), &obj->__revocable)) {
		/* Revocation waits for the lock. Release: as drm_shmem_sgt_publish(). */
		refcount_set_release(&obj->__sgt_users, 1);
		return -EBUSY;
	}

	drm_shmem_sgt_unmap_locked(obj, NULL);
	drm_dev_ctx_revocable_done(__drm_shmem_ctx(obj));
	return 0;
}

static int drm_shmem_sgt_do_unmap(struct drm_shmem_obj *obj, enum drm_resv_how how)
{
	int ret = drm_shmem_lock_call(&obj->base.base, how);

	if (ret)
		return ret;
	ret = __drm_shmem_sgt_reclaim(obj);
	drm_shmem_unlock(&obj->base.base, false);

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
 * revoked; -EOPNOTSUPP if the object's type is not DRM_SHMEM_RECLAIM; -EINTR if the task was
 * killed while it waited for the lock of an exporter; or -EDEADLK if called under the lock,
 * which is reported.
 */
int drm_shmem_sgt_unmap(struct drm_shmem_obj *obj)
{
	return drm_shmem_sgt_do_unmap(obj, DRM_RESV_LOCKS);
}
EXPORT_SYMBOL_GPL(drm_shmem_sgt_unmap);

/**
 * drm_shmem_sgt_unmap_interruptible() - the same, with a wait that a signal ends
 * @obj: the object
 *
 * Context: As drm_shmem_sgt_unmap().
 *
 * Return: as drm_shmem_sgt_unmap(), or -EINTR if a signal came while it waited for the lock,
 * and nothing changed.
 */
int drm_shmem_sgt_unmap_interruptible(struct drm_shmem_obj *obj)
{
	return drm_shmem_sgt_do_unmap(obj, DRM_RESV_LOCKS_INTERRUPTIBLE);
}
EXPORT_SYMBOL_GPL(drm_shmem_sgt_unmap_interruptible);
