// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <linux/dma-mapping.h>
#include <linux/export.h>

#include "drm_gem_internal.h"

/**
 * DOC: revocable tables
 *
 * The library unmaps a table exactly once, when the first of these happens:
 *
 * - the object is freed;
 * - the table is unmapped early, with no users left;
 * - the parent is unbound, which revokes the table even if it has users.
 *
 * The device's list of mappings arbitrates between these: the task that takes the entry
 * off the list unmaps the table. Revocation takes an entry off only with a reference to
 * the object, and then waits for its reservation lock. A task that unmaps early holds
 * that lock already, and fails if revocation has taken the entry off. A task that frees
 * the object finds the entry on the list, or the table revoked. Revocation leaves the
 * entry of an object without references to the task that frees it, and unbinding waits
 * for that task. So the last put of an object waits for nothing.
 */

/*
 * drm_gem_sgt.c and drm_shmem_sgt.c share the functions here. The two files differ in how they
 * find the object of an entry, and in how they count users. A shmem object does not count borrowed
 * tables unless its type has DRM_SHMEM_RECLAIM. When the last user leaves the table of an import
 * whose memory has moved, the library unmaps the table. So each file has its own functions to begin
 * and end a use.
 */

/**
 * __drm_gem_resv_check() - check whether the right form of a function is called
 * @gem: the object
 * @locked: whether this is the form for callers that hold the reservation lock
 *
 * A wrong call is reported and refused the first time it is made, even if it
 * would not take the lock this time.
 *
 * Context: Any. With @locked false, where the caller may sleep.
 *
 * Return: 0; -EINVAL if the caller does not hold the lock and should; -EALREADY
 * if the caller holds it and should not.
 */
int __drm_gem_resv_check(struct drm_gem_object *gem, bool locked)
{
	const bool held = drm_resv_is_held(gem->resv);

	if (locked && !held) {
		drm_safe_broken(gem->dev, "a _locked call is made with the reservation lock",
				"the object's reservation lock is not held");
		return -EINVAL;
	}
	if (!locked && held) {
		drm_safe_broken(gem->dev, "the reservation lock is taken once",
				"the caller holds it already: use the _locked form");
		return -EALREADY;
	}
	if (!locked)
		drm_resv_might_lock(gem->resv);
	return 0;
}
EXPORT_SYMBOL_GPL(__drm_gem_resv_check);

/**
 * __drm_gem_sgt_check_drm() - check whether a proof belongs to an object's device
 * @bound: the proof
 * @drm: the device of the object
 *
 * Context: Any but NMI.
 *
 * Return: 0; -ENODEV if the parent was unbound and bound again since; -EINVAL, with a
 * report, if the proof is for another device, even one on the same parent.
 */
int __drm_gem_sgt_check_drm(const struct drm_dev_ctx_bound *bound, struct drm_device *drm)
	__drm_nonallocating
{
	bool unbound = false;

	if (likely(drm == &bound->__ctx->drm))
		return 0;
	/* Bound again: the proof belongs to a later struct drm_device on the same parent. */
	if (drm->dev == drm_dev_ctx_bound_parent(bound))
		drm_safe_trusted(unbound = drm_dev_is_unplugged(drm));
	if (unbound)
		return -ENODEV;

	drm_safe_broken(drm, "both are of one device",
			"an sg table was requested with the proof of another device");
	return -EINVAL;
}
EXPORT_SYMBOL_GPL(__drm_gem_sgt_check_drm);

/* Returns -EINVAL, with a report, if @sgt is not initialised. @drm is for the report, or NULL. */
int __drm_gem_sgt_check_init(const struct drm_gem_sgt *sgt, struct drm_device *drm)
{
	if (likely(sgt->__gem))
		return 0;
	drm_safe_broken(drm, "a table is initialised before use",
			"it is used before drm_gem_sgt_init(), or after drm_gem_sgt_fini()");
	return -EINVAL;
}

/*
 * Reports a segment that is too long for the device. The driver has to state the limit of its
 * device, because an exporter's tables do not respect it.
 */
static void drm_gem_table_check_segments(struct drm_gem_object *gem, const struct sg_table *sgt)
{
	struct device *dev = drm_dev_dma_dev(gem->dev);
	const unsigned int max = dma_get_max_seg_size(dev);
	struct scatterlist *sg;
	int i;

	/* Segments are no longer than the object. Without dma_parms a driver cannot set a limit. */
	if (likely(gem->size <= max) || !dev->dma_parms)
		return;
	for_each_sgtable_dma_sg(sgt, sg, i) {
		if (sg_dma_len(sg) <= max)
			continue;
		drm_safe_broken(gem->dev, "segments are as long as the device takes",
				"a segment has %u bytes, but %s takes only %u: see dma_set_max_seg_size()",
				sg_dma_len(sg), dev_name(dev), max);
		return;
	}
}

/*
 * Unmaps the table, and replaces it with @next. Before a revocation, all sections that found the
 * table have ended: see sgt-section.litmus.
 */
void __drm_gem_table_unmap(struct drm_gem_table *table, struct drm_gem_object *gem,
			   const struct drm_gem_sgt_ops *ops, struct sg_table *next)
{
	struct sg_table *sgt = READ_ONCE(table->__sgt);

	WRITE_ONCE(table->__sgt, next);
	/* Users of a revoked table are still counted. */
	if (!next)
		refcount_set(&table->__users, 0);
	ops->unmap(gem, sgt);
}

/* The parent is being unbound. The caller has taken a reference to the object. */
void __drm_gem_table_revoke(struct drm_gem_table *table, struct drm_gem_object *gem,
			    const struct drm_gem_sgt_ops *ops)
{
	drm_gem_resv_lock(gem, false);
	__drm_gem_table_unmap(table, gem, ops, ERR_PTR(-ENODEV));
	if (ops->revoked)
		ops->revoked(gem);
	drm_gem_resv_unlock(gem, false);
	drm_gem_object_put(gem);
}

/*
 * Unmaps a table that has no users. Only for a table all of whose users are counted. Returns 0,
 * or -EBUSY if it has users, or is being revoked.
 */
int __drm_gem_table_unmap_idle(struct drm_gem_table *table, struct drm_gem_object *gem,
			       const struct drm_gem_sgt_ops *ops)
{
	struct drm_dev_ctx *ctx = to_drm_dev_ctx(gem->dev);

	/* Once the count is zero, a new user needs the reservation lock. */
	if (!refcount_dec_if_one(&table->__users))
		return -EBUSY;
	/*
	 * Pairs with the releases in class_drm_gem_sgt_destructor() and
	 * __drm_shmem_sgt_uncount(), see sgt-reclaim.litmus, and after
	 * __drm_gem_table_give_up(), see sgt-give-up.litmus.
	 */
	smp_acquire__after_ctrl_dep();
	if (!drm_dev_ctx_revocable_take(ctx, &table->__revocable)) {
		/*
		 * Revocation waits for the lock. No release is needed, because the task
		 * that published the table held the lock, too, see sgt-recount.litmus.
		 */
		refcount_set(&table->__users, 1);
		return -EBUSY;
	}
	__drm_gem_table_unmap(table, gem, ops, NULL);
	drm_dev_ctx_revocable_done(ctx);
	return 0;
}

/*
 * Keeps the table of an object that is being freed, and the parent bound until
 * drm_dev_ctx_revocable_done(). The object has no references, so nothing else takes the entry off.
 * Returns whether there is a table. A revoked table does not count.
 */
bool __drm_gem_table_take(struct drm_gem_table *table, struct drm_gem_object *gem)
	__context_unsafe("only one of the two conditions takes it")
{
	return __drm_gem_is_table(READ_ONCE(table->__sgt)) &&
	       drm_dev_ctx_revocable_take(to_drm_dev_ctx(gem->dev), &table->__revocable);
}

static int drm_gem_table_add(struct drm_gem_table *table, struct drm_gem_object *gem,
			     const struct drm_dev_ctx_bound *bound,
			     const struct drm_dev_ctx_revocable_ops *revocable_ops)
	__context_unsafe("without a proof, the caller keeps the parent bound")
{
	if (bound)
		return drm_dev_ctx_revocable_add(bound, &table->__revocable, revocable_ops);
	return drm_dev_ctx_revocable_add_held(to_drm_dev_ctx(gem->dev), &table->__revocable,
					      revocable_ops);
}

/*
 * Gives the object a table that was mapped for it. The caller holds the reservation lock, or
 * no other task has the object. @bound is NULL if drm_dev_ctx_revocable_hold() keeps the parent
 * bound. Returns 0, or an error of drm_dev_ctx_revocable_add(), in which case the caller unmaps
 * @sgt.
 */
int __drm_gem_table_publish(struct drm_gem_table *table, struct drm_gem_object *gem,
			    const struct drm_dev_ctx_bound *bound,
			    const struct drm_dev_ctx_revocable_ops *revocable_ops,
			    struct sg_table *sgt)
{
	int ret = drm_gem_table_add(table, gem, bound, revocable_ops);

	if (ret)
		return ret;
	drm_gem_table_check_segments(gem, sgt);
	/*
	 * Release: pairs with __drm_shmem_sgt_begin() and __drm_shmem_sgt_try(), which depend on
	 * the pointer, see sgt-begin.litmus. The table's entries are written before the pointer.
	 */
	smp_store_release(&table->__sgt, sgt);
	/*
	 * Release: pairs with the acquire in __drm_gem_table_count(), see sgt-count.litmus and
	 * sgt-recount.litmus. The pointer is written before the count.
	 */
	refcount_set_release(&table->__users, 1);
	return 0;
}

/*
 * Returns the table, or an ERR_PTR(). Maps it if there is none yet. @bound is a proof for the
 * object's device, or NULL as in __drm_gem_table_publish().
 */
struct sg_table *__drm_gem_table_map(struct drm_gem_table *table, struct drm_gem_object *gem,
				     const struct drm_dev_ctx_bound *bound,
				     const struct drm_dev_ctx_revocable_ops *revocable_ops,
				     const struct drm_gem_sgt_ops *ops)
{
	struct sg_table *sgt = READ_ONCE(table->__sgt);
	int ret;

	if (sgt)
		return sgt;
	ret = __drm_dev_ctx_settle_dma_dev(to_drm_dev_ctx(gem->dev));
	if (ret)
		return ERR_PTR(ret);
	sgt = ops->map(gem);
	if (IS_ERR(sgt))
		return sgt;
	if (!sgt) {
		drm_safe_broken(gem->dev, "a map step returns a table",
				"it returns NULL: use ERR_PTR() for an error");
		return ERR_PTR(-EINVAL);
	}
	ret = __drm_gem_table_publish(table, gem, bound, revocable_ops, sgt);
	if (ret) {
		ops->unmap(gem, sgt);
		return ERR_PTR(ret);
	}
	return sgt;
}

/*
 * Adds a user to the table without the reservation lock, if the count is not zero. Returns NULL if
 * it is. Otherwise returns the table, or an ERR_PTR() for a revoked table, whose count was also
 * incremented.
 */
struct sg_table *__drm_gem_table_count(struct drm_gem_table *table) __drm_nonallocating
{
	/*
	 * Acquire: pairs with the second release in __drm_gem_table_publish(), see
	 * sgt-count.litmus and sgt-recount.litmus, and with the count of
	 * __drm_shmem_sgt_moved(), see sgt-moved.litmus. A count that is not zero means that
	 * there is a table, and protects it from everything but revocation. Revocation
	 * comes after the end of the proof.
	 */
	if (!refcount_inc_not_zero_acquire(&table->__users))
		return NULL;
	return READ_ONCE(table->__sgt);
}

/* Reports an owned handle that is not empty. Returns 0 or -EBUSY. */
int __drm_gem_table_check_empty(const struct drm_gem_table_own *own, struct drm_device *drm)
{
	if (likely(!own->__of))
		return 0;
	drm_safe_broken(drm, "an owned handle is not overwritten",
			"it is in use: release it first; or it was not zeroed");
	return -EBUSY;
}

/* Fills an empty handle. The caller is a counted user, which the handle becomes. */
void __drm_gem_table_own(struct drm_gem_table_own *own, struct drm_gem_table *table,
			 struct drm_gem_object *gem)
{
	drm_gem_object_get(gem);
	WRITE_ONCE(own->__suspended, 0);
	/*
	 * Release: drm_shmem_sgt_suspend() and drm_gem_sgt_suspend() exchange the flag after
	 * they have read this pointer, see sgt-own.litmus.
	 */
	smp_store_release(&own->__of, table);
	drm_dev_ctx_handle_add(gem->dev, &own->__handle);
}

/*
 * Decides which task gives up the handle's use of the table. Returns true for exactly one caller,
 * which then decrements the count with a release. That release pairs with the acquire in
 * __drm_gem_table_unmap_idle(): accesses through the table come before it can be unmapped. The
 * exchange itself needs no ordering: see sgt-give-up.litmus.
 */
bool __drm_gem_table_give_up(struct drm_gem_table_own *own)
{
	return !xchg_relaxed(&own->__suspended, 1);
}

/*
 * Empties a handle, after __drm_gem_table_give_up(). The caller puts the object. The handle stays
 * marked as suspended, because a suspend may have read @__of.
 */
void __drm_gem_table_disown(struct drm_gem_table_own *own, struct drm_gem_object *gem)
{
	drm_dev_ctx_handle_del(gem->dev, &own->__handle);
	WRITE_ONCE(own->__of, NULL);
}

/* The caller has become a counted user again, under the reservation lock. */
void __drm_gem_table_resumed(struct drm_gem_table_own *own)
{
	/*
	 * Release: pairs with the acquire in __drm_shmem_sgt_try() and __drm_gem_sgt_try(), see
	 * sgt-resume.litmus. A handle that is not suspended sees a table.
	 */
	smp_store_release(&own->__suspended, 0);
}

/* @drm is the device of the object of @from, or NULL. */
void __drm_gem_table_move(struct drm_gem_table_own *to, struct drm_gem_table_own *from,
			  struct drm_device *drm)
{
	/* From here on, a suspend acts on the table that is being moved. */
	if (__drm_gem_table_check_empty(to, drm) && to != from)
		WRITE_ONCE(to->__of, NULL);
	/*
	 * @from stays marked as suspended, like a released handle: a suspend that has
	 * read its object meanwhile gives up the user either before this exchange, or not
	 * at all.
	 */
	WRITE_ONCE(to->__suspended, xchg_relaxed(&from->__suspended, 1));
	/* Release: like in __drm_gem_table_own(), see sgt-own.litmus. */
	smp_store_release(&to->__of, from->__of);
	to->__handle = from->__handle;
	WRITE_ONCE(from->__of, NULL);
}
