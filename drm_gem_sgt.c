// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <linux/export.h>

#include "drm_gem_internal.h"

/**
 * DOC: sg tables of any object
 *
 * Objects whose memory is not shmem can also have an sg table that is revoked when the parent is
 * unbound. Drivers have objects in VRAM, in coherent memory or in a carveout. GPU page tables with
 * the addresses of such objects must not outlive the binding either.
 *
 * Such an object embeds a &struct drm_gem_sgt and provides the steps that make a table. The
 * handles and their rules are the same as for shmem objects: a borrowed table needs the proof
 * that the parent is bound and ends with its scope, and an owned table keeps the object and
 * can be suspended.
 *
 * .. code-block:: c
 *
 *	struct foo_vram {
 *		struct drm_gem_object gem;
 *		struct drm_gem_sgt sgt;
 *		phys_addr_t addr;
 *	};
 *
 *	static struct sg_table *foo_vram_map(struct drm_gem_object *gem)
 *	{
 *		return foo_vram_table(container_of(gem, struct foo_vram, gem));
 *	}
 *
 *	static void foo_vram_unmap(struct drm_gem_object *gem, struct sg_table *sgt)
 *	{
 *		foo_vram_table_free(container_of(gem, struct foo_vram, gem), sgt);
 *	}
 *
 *	static const struct drm_gem_sgt_ops foo_vram_sgt_ops = {
 *		.map = foo_vram_map,
 *		.unmap = foo_vram_unmap,
 *	};
 *
 *	static void foo_vram_free(struct drm_gem_object *gem)
 *	{
 *		struct foo_vram *vram = container_of(gem, struct foo_vram, gem);
 *
 *		drm_gem_sgt_fini(&vram->sgt);
 *		drm_gem_object_release(gem);
 *		kfree(vram);
 *	}
 *
 *	static int foo_vram_bind(const struct foo_reg *reg, struct foo_vram *vram, u64 va)
 *	{
 *		struct scatterlist *sg;
 *		int i, ret;
 *
 *		drm_gem_sgt_guard(sgt, &reg->base.bound, &vram->sgt, ret)
 *			for_each_sgtable_dma_sg(drm_gem_sgt_table(sgt), sg, i)
 *				foo_write_ptes(reg, va, sg_dma_address(sg), sg_dma_len(sg));
 *		return ret;
 *	}
 *
 * Users are always counted, so that drm_gem_sgt_unmap_locked() can take away the table of an
 * idle object, in order to move or evict the object.
 *
 * An address space takes such objects if its type names their kind, in addition to the kind of its
 * shmem objects or instead of it: see DRM_GPUVM_IMM_KINDS() and drm_gpuvm_imm_obtain_gem(). The
 * revoked step then calls drm_gpuvm_imm_set_invalid().
 */

static struct drm_gem_sgt *to_drm_gem_sgt(struct drm_dev_ctx_revocable *rev)
{
	return container_of(rev, struct drm_gem_sgt, __table.__revocable);
}

static struct drm_gem_sgt *drm_gem_sgt_of(const struct drm_gem_table_own *own)
{
	return own->__of ? container_of(own->__of, struct drm_gem_sgt, __table) : NULL;
}

static bool drm_gem_sgt_revocable_get(struct drm_dev_ctx_revocable *rev)
{
	return drm_gem_object_get_unless_zero(to_drm_gem_sgt(rev)->__gem);
}

static void drm_gem_sgt_revoke(struct drm_dev_ctx_revocable *rev) __must_not_hold(drm_resv)
{
	struct drm_gem_sgt *sgt = to_drm_gem_sgt(rev);

	__drm_gem_table_revoke(&sgt->__table, sgt->__gem, sgt->__ops);
}

static const struct drm_dev_ctx_revocable_ops drm_gem_sgt_revocable_ops = {
	.get = drm_gem_sgt_revocable_get,
	.revoke = drm_gem_sgt_revoke,
};

/**
 * drm_gem_sgt_init() - let an object have an sg table
 * @sgt: zeroed, part of the driver's structure of @gem
 * @gem: the object, initialised and not shared yet
 * @ops: how a table is made
 *
 * The device need not be registered, and the parent need not be bound. Only mapping a table
 * needs a bound parent.
 *
 * Context: Any.
 *
 * Return: 0; -EINVAL if @ops lack a step, or -EBUSY if @sgt is in use, which are reported.
 */
int drm_gem_sgt_init(struct drm_gem_sgt *sgt, struct drm_gem_object *gem,
		     const struct drm_gem_sgt_ops *ops)
{
	if (!ops->map || !ops->unmap || !ops->map_for != !ops->unmap_for) {
		drm_safe_broken(gem->dev, "a table is mapped and unmapped",
				"the ops of the object lack one of the two steps");
		return -EINVAL;
	}
	if (sgt->__gem) {
		drm_safe_broken(gem->dev, "a table is initialised once",
				"it is in use already, or was not zeroed");
		return -EBUSY;
	}
	sgt->__gem = gem;
	sgt->__ops = ops;
	return 0;
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_init);

/**
 * drm_gem_sgt_fini() - the object is being freed
 * @sgt: of an object whose last reference is gone; an empty one is left alone
 *
 * For &drm_gem_object_funcs.free, before drm_gem_object_release(). Unmaps the table. If there
 * is a table, unbinding the parent waits for this to return. A table that is in use is
 * reported.
 *
 * Context: May sleep. The caller may hold the reservation locks of other objects.
 */
void drm_gem_sgt_fini(struct drm_gem_sgt *sgt)
{
	struct drm_gem_object *gem = sgt->__gem;

	if (!gem)
		return;
	if (refcount_read(&sgt->__table.__users) > 1)
		drm_safe_broken(gem->dev, "a borrowed sg table does not keep the object",
				"last reference dropped with a table in use");
	if (__drm_gem_table_take(&sgt->__table, gem)) {
		__drm_gem_table_unmap(&sgt->__table, gem, sgt->__ops, NULL);
		drm_dev_ctx_revocable_done(to_drm_dev_ctx(gem->dev));
	}
	sgt->__gem = NULL;
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_fini);

/**
 * drm_gem_sgt_unmap_locked() - unmap the sg table of any object early
 * @sgt: of the object
 *
 * The next user maps the table again. The hardware must not use it any more. If this succeeds, no
 * importer has a table either, so the object may be moved until the lock is given back.
 *
 * Context: May sleep, also in memory reclaim. The caller holds the reservation lock.
 *
 * Return: 0, also if there is no table; -EBUSY if it has users, or is being revoked, or if an
 * importer has a table; -EINVAL if @sgt is not initialised, which is reported.
 */
int drm_gem_sgt_unmap_locked(struct drm_gem_sgt *sgt)
{
	int ret = __drm_gem_sgt_check_init(sgt, NULL);

	if (ret)
		return ret;
	dma_resv_assert_held(sgt->__gem->resv);

	if (sgt->__importers)
		return -EBUSY;
	if (!__drm_gem_is_table(READ_ONCE(sgt->__table.__sgt)))
		return 0;
	return __drm_gem_table_unmap_idle(&sgt->__table, sgt->__gem, sgt->__ops);
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_unmap_locked);

/* Checks that the proof belongs to the object's device, and that drm_gem_sgt_init() was called. */
static int drm_gem_sgt_check(const struct drm_dev_ctx_bound *bound, const struct drm_gem_sgt *sgt)
{
	return __drm_gem_sgt_check_init(sgt, drm_dev_ctx_bound_drm(bound)) ?:
	       __drm_gem_sgt_check_drm(bound, sgt->__gem->dev);
}

/* Becomes a user of the table without the reservation lock, if the table has users. */
static struct sg_table *drm_gem_sgt_count_unlocked(struct drm_gem_sgt *sgt)
{
	struct sg_table *table = __drm_gem_table_count(&sgt->__table);

	/* A revoked table still counts users, but needs no ordering: see sgt-reclaim.litmus. */
	if (IS_ERR(table))
		refcount_dec(&sgt->__table.__users);
	return table;
}

/**
 * __drm_gem_sgt_share() - become a user of a table that an owned handle uses
 * @sgt: of the object
 *
 * See drm_gem_sgt_guard_owned(), which drivers call. As __drm_shmem_sgt_share().
 *
 * Context: Any.
 *
 * Return: the table, or an ERR_PTR().
 */
struct sg_table *__drm_gem_sgt_share(struct drm_gem_sgt *sgt) __drm_nonallocating
{
	return drm_gem_sgt_count_unlocked(sgt) ?: ERR_PTR(-EAGAIN);
}
EXPORT_SYMBOL_GPL(__drm_gem_sgt_share);

/**
 * __drm_gem_sgt_get() - become a user of the table
 * @bound: proof that the parent of the object's device is bound
 * @sgt: of the object
 * @how: how to get the reservation lock
 *
 * See drm_gem_sgt_guard(), which drivers call.
 *
 * Context: May sleep.
 *
 * Return: the table, or an ERR_PTR().
 */
struct sg_table *__drm_gem_sgt_get(const struct drm_dev_ctx_bound *bound, struct drm_gem_sgt *sgt,
				   enum drm_resv_how how)
{
	struct sg_table *table;
	int ret;

	ret = drm_gem_sgt_check(bound, sgt) ?:
	      __drm_gem_resv_check_call(sgt->__gem, how == DRM_RESV_LOCKED);
	if (ret)
		return ERR_PTR(ret);
	table = drm_gem_sgt_count_unlocked(sgt);
	if (table)
		return table;

	ret = drm_gem_check_not_ending(sgt->__gem);
	if (ret)
		return ERR_PTR(ret);
	ret = drm_gem_resv_lock_how(sgt->__gem, how);
	if (ret)
		return ERR_PTR(ret);
	table = __drm_gem_table_map(&sgt->__table, sgt->__gem, bound, &drm_gem_sgt_revocable_ops,
				    sgt->__ops);
	if (!IS_ERR(table))
		refcount_inc(&sgt->__table.__users);
	drm_gem_resv_unlock(sgt->__gem, how == DRM_RESV_LOCKED);
	return table;
}
EXPORT_SYMBOL_GPL(__drm_gem_sgt_get);

/**
 * __drm_gem_sgt_prepare() - map the table, before a section uses it
 * @sgt: of the object
 *
 * See drm_gem_sgt_prepare_locked(), which drivers call.
 *
 * Context: May sleep. The caller holds the object's reservation lock.
 *
 * Return: 0 or a negative error code.
 */
int __drm_gem_sgt_prepare(struct drm_gem_sgt *sgt)
{
	struct drm_gem_object *gem = sgt->__gem;
	struct sg_table *table = ERR_PTR(-ENODEV);
	struct drm_dev_ctx *ctx;
	int ret;

	ret = __drm_gem_sgt_check_init(sgt, NULL) ?:
	      __drm_dev_ctx_check_outside(gem->dev, "drm_gem_sgt_prepare_locked") ?:
	      __drm_gem_resv_check(gem, true) ?: drm_gem_check_not_ending(gem);
	if (ret)
		return ret;
	ctx = __drm_dev_ctx_registered(gem->dev);
	if (!ctx || drm_dev_is_unplugged(gem->dev))
		return -ENODEV;
	/* Most calls find an earlier table, which stays until the lock is given back. */
	if (__drm_gem_is_table(READ_ONCE(sgt->__table.__sgt)))
		return 0;
	/*
	 * The map step is the driver's, and may use the registration data. An unplug does not wait
	 * for the block, but the release of the data does, and so the revocation.
	 */
	drm_dev_ctx_guard_callback(live, ctx)
		table = __drm_gem_table_map(&sgt->__table, gem, &live->bound,
					    &drm_gem_sgt_revocable_ops, sgt->__ops);
	return PTR_ERR_OR_ZERO(table);
}
EXPORT_SYMBOL_GPL(__drm_gem_sgt_prepare);

/**
 * __drm_gem_sgt_own() - own the table
 * @own: handle to fill in
 * @bound: proof that the parent of the object's device is bound
 * @sgt: of the object
 * @how: how to get the reservation lock
 *
 * See drm_gem_sgt_own(), which drivers call.
 *
 * Context: May sleep.
 *
 * Return: 0 or a negative error code.
 */
int __drm_gem_sgt_own(struct drm_gem_sgt_owned *own, const struct drm_dev_ctx_bound *bound,
		      struct drm_gem_sgt *sgt, enum drm_resv_how how)
{
	struct sg_table *table;
	int ret;

	ret = __drm_gem_table_check_empty(&own->__own, drm_dev_ctx_bound_drm(bound));
	if (ret)
		return ret;
	table = __drm_gem_sgt_get(bound, sgt, how);
	if (IS_ERR(table))
		return PTR_ERR(table);
	__drm_gem_table_own(&own->__own, &sgt->__table, sgt->__gem);
	return 0;
}
EXPORT_SYMBOL_GPL(__drm_gem_sgt_own);

/*
 * Release of the count: pairs with the acquire in __drm_gem_table_unmap_idle(), see
 * sgt-give-up.litmus.
 */
static void drm_gem_sgt_give_up(struct drm_gem_sgt_owned *own, struct drm_gem_sgt *sgt)
{
	if (__drm_gem_table_give_up(&own->__own))
		refcount_dec(&sgt->__table.__users);
}

/**
 * drm_gem_sgt_release() - end an owned sg table of any object
 * @own: the handle, which may be empty and is so afterwards
 *
 * The table stays mapped for the object's next user. Puts the object.
 *
 * Context: May sleep. Unless the caller has another reference to the object, the rules of the
 * driver's &drm_gem_object_funcs.free apply.
 */
void drm_gem_sgt_release(struct drm_gem_sgt_owned *own)
{
	struct drm_gem_sgt *sgt = drm_gem_sgt_of(&own->__own);

	if (!sgt)
		return;
	drm_gem_sgt_give_up(own, sgt);
	__drm_gem_table_disown(&own->__own, sgt->__gem);
	drm_gem_object_put(sgt->__gem);
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_release);

/**
 * drm_gem_sgt_move() - move an owned sg table to another handle
 * @to: empty handle
 * @from: the handle, empty afterwards
 *
 * Like drm_shmem_sgt_move().
 *
 * Context: Any.
 */
void drm_gem_sgt_move(struct drm_gem_sgt_owned *to, struct drm_gem_sgt_owned *from)
{
	struct drm_gem_sgt *sgt = drm_gem_sgt_of(&from->__own);

	__drm_gem_table_move(&to->__own, &from->__own, sgt ? sgt->__gem->dev : NULL);
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_move);

/**
 * drm_gem_sgt_suspend() - give up an owned sg table until the handle is resumed
 * @own: the handle, which may be empty or suspended already
 *
 * Like drm_shmem_sgt_suspend().
 *
 * Context: Any thread. The caller holds the object's reservation lock.
 */
void drm_gem_sgt_suspend(struct drm_gem_sgt_owned *own)
{
	/* The exchange depends on this load, so it comes after it: see sgt-own.litmus. */
	struct drm_gem_table *table = READ_ONCE(own->__own.__of);
	struct drm_gem_sgt *sgt = container_of(table, struct drm_gem_sgt, __table);

	if (!table)
		return;
	dma_resv_assert_held(sgt->__gem->resv);
	drm_gem_sgt_give_up(own, sgt);
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_suspend);

/**
 * __drm_gem_sgt_resume() - use an owned sg table again
 * @own: the handle
 * @bound: proof that the parent of the object's device is bound
 *
 * See drm_gem_sgt_resume(), which drivers call.
 *
 * Context: May sleep. The caller holds the object's reservation lock.
 *
 * Return: 0 or a negative error code.
 */
int __drm_gem_sgt_resume(struct drm_gem_sgt_owned *own, const struct drm_dev_ctx_bound *bound)
{
	struct drm_gem_sgt *sgt = drm_gem_sgt_of(&own->__own);
	struct sg_table *table;

	if (!sgt)
		return -EINVAL;
	if (!own->__own.__suspended)
		return 0;
	table = __drm_gem_sgt_get(bound, sgt, DRM_RESV_LOCKED);
	if (IS_ERR(table))
		return PTR_ERR(table);
	__drm_gem_table_resumed(&own->__own);
	return 0;
}
EXPORT_SYMBOL_GPL(__drm_gem_sgt_resume);
