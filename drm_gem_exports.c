// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <linux/dcache.h>
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include <drm/drm_drv.h>
#include <drm/drm_prime.h>
#include <drm/drm_print.h>

#include "drm_gem_internal.h"

/**
 * DOC: exports of any object
 *
 * A dma-buf of memory that goes with the device must end with the binding. drm_gem_prime_export()
 * gives importers the addresses of a BAR or of coherent memory for as long as they like. After the
 * unbind, another device may answer at these addresses, or nothing does.
 *
 * drm_gem_sgt_export() makes a dma-buf that is revoked when the parent is unbound. The driver
 * provides two more steps, which map the object for one importer, and unmap it:
 *
 * .. code-block:: c
 *
 *	static struct sg_table *foo_vram_map_for(struct drm_gem_object *gem,
 *						 struct dma_buf_attachment *attach,
 *						 enum dma_data_direction dir)
 *	{
 *		struct foo_vram *vram = container_of(gem, struct foo_vram, gem);
 *		struct phys_vec block = { .paddr = vram->addr, .len = gem->size };
 *		struct p2pdma_provider *bar;
 *
 *		bar = pcim_p2pdma_provider(to_pci_dev(gem->dev->dev), FOO_VRAM_BAR);
 *		if (!bar || !attach->peer2peer)
 *			return ERR_PTR(-EOPNOTSUPP);
 *		return dma_buf_phys_vec_to_sgt(attach, bar, &block, 1, gem->size, dir);
 *	}
 *
 *	static void foo_vram_unmap_for(struct drm_gem_object *gem,
 *				       struct dma_buf_attachment *attach,
 *				       struct sg_table *sgt, enum dma_data_direction dir)
 *	{
 *		dma_buf_free_sgt(attach, sgt, dir);
 *	}
 *
 *	static const struct drm_gem_sgt_ops foo_vram_sgt_ops = {
 *		.map = foo_vram_map,
 *		.unmap = foo_vram_unmap,
 *		.map_for = foo_vram_map_for,
 *		.unmap_for = foo_vram_unmap_for,
 *	};
 *
 *	static struct dma_buf *foo_vram_export(struct drm_gem_object *gem, int flags)
 *	{
 *		return drm_gem_sgt_export(&container_of(gem, struct foo_vram, gem)->sgt, flags);
 *	}
 *
 *	static const struct drm_gem_object_funcs foo_vram_funcs = {
 *		.free = foo_vram_free,
 *		.export = foo_vram_export,
 *	};
 *
 * These steps are for a block of a PCI BAR, after pcim_p2pdma_init() in probe. Memory that is not
 * of a BAR has no provider, and its step maps it with the DMA API for @attach->dev.
 *
 * Only importers that can be notified may attach (dma_buf_attach_revocable()). The unbind asks them
 * to give back their tables, waits for the fences of their jobs, and then until they have unmapped
 * the last table. From then on, no importer gets a table. An importer is obliged to unmap within
 * bounded time, see dma_buf_invalidate_mappings(). A long wait in an unbind is reported. Not each
 * importer of the kernel keeps to this rule: an importer that shows the memory on a display may
 * keep the table until its client shows something else.
 *
 * No importer gets a table once the device is unplugged, but importers keep those that they have
 * until the revocation. That comes after quiesce and release, and before anything else that is
 * mapped for the parent is unmapped. So their jobs can access the memory during and after quiesce,
 * and @unmap_for must not use the registration data.
 *
 * A driver whose quiesce step turns the memory off calls drm_gem_sgt_exports_end() there. The
 * order matters. An importer may wait for the fences of this device's jobs before it unmaps, so the
 * step first stops the hardware and signals these fences:
 *
 * .. code-block:: c
 *
 *	static void foo_vram_quiesce(const struct drm_dev_ctx_bound *bound,
 *				     struct drm_dev_ctx_data *data)
 *	{
 *		struct foo_hw *hw = container_of(data, struct foo_hw, base);
 *
 *		foo_hw_stop(hw);
 *		foo_hw_fail_jobs(hw);
 *		drm_gem_sgt_exports_end(bound);
 *		foo_hw_vram_off(hw);
 *	}
 *
 * An importer that never unmaps holds up an unbind. When the system goes down, it does not: quiesce
 * gets no more than some seconds in drm_gem_sgt_exports_end(), which names the importers that still
 * have a table. The step then turns the memory off under them. What their devices or the CPU access
 * from then on fails: reads return all ones, or the bus reports an error.
 *
 * While an importer has a table, drm_gem_sgt_unmap_locked() fails with -EBUSY: the memory stays
 * where it is. Such a dma-buf has neither mmap nor vmap. Userspace maps the object by its handle,
 * and the driver ends these mappings.
 *
 * If &drm_gem_object_funcs.export is not set, the core calls drm_gem_prime_export(). So a driver
 * whose memory goes with the device sets this function, or leaves out get_sg_table and vmap.
 * Without these two, importers cannot map the core's dma-buf.
 *
 * The design follows vfio_pci_dmabuf.c, which exports the BARs of a device that userspace drives.
 */

/*
 * The private data of a dma-buf.
 *
 * Invariants:
 *
 * - It exists from before the dma-buf until its release, and keeps @sgt, its object and the device.
 * - @revocable is on the device's list from before any task has the dma-buf until the release, or
 *   until revocation has got a reference to the dma-buf. Without a reference, no importer is
 *   attached.
 * - @revoked and @tables are changed under the reservation lock. @tables does not grow once
 *   @revoked is set.
 * - @importers has the importers with tables, under @lock: a report takes no lock that an importer
 *   may hold for long.
 */
struct drm_gem_exported {
	struct drm_dev_ctx_revocable revocable;
	struct drm_gem_sgt *sgt;
	struct dma_buf *dma_buf;
	struct dentry *dentry;
	wait_queue_head_t unmapped;
	unsigned int tables;		/* that importers have */
	bool revoked;
	spinlock_t lock;		/* @importers */
	struct list_head importers;
};

/*
 * The private data of an attachment.
 *
 * Invariants:
 *
 * - It is on @importers while @tables is not zero. Both are changed under @lock of the dma-buf.
 *   The attachment keeps @dev until it has given back its tables. If it ends before, the library
 *   reports that, and counts its tables no more.
 */
struct drm_gem_importer {
	struct list_head node;
	struct device *dev;
	unsigned int tables;
};

#ifdef CONFIG_LOCKDEP
/* An unbind waits until the last table is unmapped: no lock of it is taken to unmap one. */
static struct lockdep_map drm_gem_exports_map =
	STATIC_LOCKDEP_MAP_INIT("drm_gem_exports_unmapped", &drm_gem_exports_map);
#endif

static struct drm_gem_exported *to_drm_gem_exported(struct drm_dev_ctx_revocable *rev)
{
	return container_of(rev, struct drm_gem_exported, revocable);
}

static struct drm_gem_object *drm_gem_exported_gem(const struct drm_gem_exported *exported)
{
	return exported->sgt->__gem;
}

/* A dma-buf whose release has begun takes its entry off the list. */
static bool drm_gem_exported_get(struct drm_dev_ctx_revocable *rev)
{
	return drm_dma_buf_get_unless_dead(to_drm_gem_exported(rev)->dentry);
}

/*
 * Takes the reservation lock, which an importer may hold. Returns the rest of @timeout, in jiffies,
 * or 0 without the lock.
 */
static long drm_gem_exported_lock(struct drm_gem_object *gem, long timeout)
	__cond_acquires(nonzero, drm_resv)
	__context_unsafe("one of two ways takes it")
{
	if (timeout == MAX_SCHEDULE_TIMEOUT) {
		drm_gem_resv_lock(gem, false);
		return timeout;
	}
	while (!dma_resv_trylock(gem->resv)) {
		if (!--timeout)
			return 0;
		schedule_timeout_idle(1);
	}
	return timeout;
}

/*
 * Waits for the jobs of the importers, under the lock, under which they add their fences. Returns
 * the rest of @timeout, or 0 if there are still jobs.
 */
static long drm_gem_exported_wait_jobs(struct drm_gem_object *gem, long timeout)
{
	long ret;

	while (timeout && !dma_resv_test_signaled(gem->resv, DMA_RESV_USAGE_BOOKKEEP)) {
		ret = dma_resv_wait_timeout(gem->resv, DMA_RESV_USAGE_BOOKKEEP, false, timeout);
		/* The wait of a driver's own fence may fail, and may not have waited. */
		if (ret <= 0)
			schedule_timeout_idle(1);
		if (timeout != MAX_SCHEDULE_TIMEOUT)
			timeout = ret < 0 ? timeout - 1 : ret;
	}
	return timeout;
}

/* Tells the importers, and waits for their jobs. Returns the rest of @timeout, or 0. */
static long drm_gem_exported_tell(struct drm_gem_exported *exported, long timeout)
	__must_not_hold(drm_resv)
{
	struct drm_gem_object *gem = drm_gem_exported_gem(exported);

	timeout = drm_gem_exported_lock(gem, timeout);
	if (!timeout)
		return 0;
	WRITE_ONCE(exported->revoked, true);
	dma_buf_invalidate_mappings(exported->dma_buf);
	timeout = drm_gem_exported_wait_jobs(gem, timeout);
	drm_gem_resv_unlock(gem, false);
	return timeout;
}

/* An importer unmaps under the lock, so the wait for that comes after. */
static long drm_gem_exported_revoke(struct drm_dev_ctx_revocable *rev, long timeout)
	__must_not_hold(drm_resv)
{
	struct drm_gem_exported *exported = to_drm_gem_exported(rev);
	struct drm_gem_object *gem = drm_gem_exported_gem(exported);

	timeout = drm_gem_exported_tell(exported, timeout);
	if (!timeout)
		return 0;
	lock_map_acquire(&drm_gem_exports_map);
	timeout = wait_event_timeout(exported->unmapped, !READ_ONCE(exported->tables), timeout);
	lock_map_release(&drm_gem_exports_map);
	if (!timeout)
		return 0;
	/* The task that has unmapped the last table leaves the lock. */
	timeout = drm_gem_exported_lock(gem, timeout);
	if (!timeout)
		return 0;
	drm_gem_resv_unlock(gem, false);
	return timeout;
}

/* This may release the dma-buf, and free the object. */
static void drm_gem_exported_put(struct drm_dev_ctx_revocable *rev)
{
	dput(to_drm_gem_exported(rev)->dentry);
}

static void drm_gem_exported_report(struct drm_dev_ctx_revocable *rev)
{
	struct drm_gem_exported *exported = to_drm_gem_exported(rev);
	struct drm_device *drm = drm_gem_exported_gem(exported)->dev;
	struct drm_gem_importer *importer;

	guard(spinlock)(&exported->lock);
	list_for_each_entry(importer, &exported->importers, node)
		drm_warn(drm, "%s has not unmapped a dma-buf\n", dev_name(importer->dev));
	if (list_empty(&exported->importers))
		drm_warn(drm, "importers have unmapped a dma-buf; the wait is for fences, or for the reservation lock\n");
}

static const struct drm_dev_ctx_revocable_ops drm_gem_exported_revocable_ops = {
	.get = drm_gem_exported_get,
	/* Importers use the memory, which may belong to another entry. */
	.revoke_first = drm_gem_exported_revoke,
	.put = drm_gem_exported_put,
	.report = drm_gem_exported_report,
};

static int drm_gem_exported_attach(struct dma_buf *dma_buf, struct dma_buf_attachment *attach)
{
	const struct drm_gem_exported *exported = dma_buf->priv;
	struct drm_gem_importer *importer;

	/* Unlocked: the map step looks again. */
	if (READ_ONCE(exported->revoked))
		return -ENODEV;
	if (!dma_buf_attach_revocable(attach))
		return -EOPNOTSUPP;
	importer = kzalloc_obj(*importer, GFP_KERNEL_ACCOUNT);
	if (!importer)
		return -ENOMEM;
	importer->dev = attach->dev;
	attach->priv = importer;
	return 0;
}

static void drm_gem_exported_count(struct drm_gem_exported *exported,
				   struct drm_gem_importer *importer)
{
	exported->tables++;
	exported->sgt->__importers++;
	guard(spinlock)(&exported->lock);
	if (!importer->tables++)
		list_add_tail(&importer->node, &exported->importers);
}

static void drm_gem_exported_uncount(struct drm_gem_exported *exported,
				     struct drm_gem_importer *importer)
{
	scoped_guard(spinlock, &exported->lock)
		if (!--importer->tables)
			list_del(&importer->node);
	exported->sgt->__importers--;
	WRITE_ONCE(exported->tables, exported->tables - 1);
	/* The attachment keeps the dma-buf meanwhile. */
	if (!exported->tables)
		wake_up(&exported->unmapped);
}

/* The tables of an importer that is gone stay mapped, so an unbind does not wait for them. */
static void drm_gem_exported_forget(struct drm_gem_exported *exported,
				    struct drm_gem_importer *importer)
{
	struct drm_gem_object *gem = drm_gem_exported_gem(exported);

	drm_safe_broken(gem->dev, "an importer unmaps before it detaches",
			"%s detaches from a dma-buf with %u tables, which stay mapped for it",
			dev_name(importer->dev), importer->tables);
	drm_gem_resv_lock(gem, false);
	while (importer->tables)
		drm_gem_exported_uncount(exported, importer);
	drm_gem_resv_unlock(gem, false);
}

static void drm_gem_exported_detach(struct dma_buf *dma_buf, struct dma_buf_attachment *attach)
{
	struct drm_gem_importer *importer = attach->priv;

	/* Unlocked: an attachment that ends is not used by another task. */
	if (importer->tables)
		drm_gem_exported_forget(dma_buf->priv, importer);
	kfree(importer);
}

static struct sg_table *drm_gem_exported_map(struct dma_buf_attachment *attach,
					     enum dma_data_direction dir)
{
	struct drm_gem_exported *exported = attach->dmabuf->priv;
	struct drm_gem_object *gem = drm_gem_exported_gem(exported);
	struct sg_table *table;
	int idx;

	dma_resv_assert_held(gem->resv);
	/* An unplug comes before the revocation, and before the registration data goes. */
	if (exported->revoked || !drm_dev_enter(gem->dev, &idx))
		return ERR_PTR(-ENODEV);
	table = exported->sgt->__ops->map_for(gem, attach, dir);
	drm_dev_exit(idx);
	if (!table) {
		drm_safe_broken(gem->dev, "a map step returns a table",
				"it returns NULL: use ERR_PTR() for an error");
		return ERR_PTR(-EINVAL);
	}
	if (!IS_ERR(table))
		drm_gem_exported_count(exported, attach->priv);
	return table;
}

static void drm_gem_exported_unmap(struct dma_buf_attachment *attach, struct sg_table *table,
				   enum dma_data_direction dir)
{
	struct drm_gem_exported *exported = attach->dmabuf->priv;
	struct drm_gem_object *gem = drm_gem_exported_gem(exported);

	dma_resv_assert_held(gem->resv);
	lock_map_acquire_read(&drm_gem_exports_map);
	exported->sgt->__ops->unmap_for(gem, attach, table, dir);
	lock_map_release(&drm_gem_exports_map);
	drm_gem_exported_uncount(exported, attach->priv);
}

/* May be called with any lock held. */
static void drm_gem_exported_release(struct dma_buf *dma_buf)
{
	struct drm_gem_exported *exported = dma_buf->priv;
	struct drm_gem_object *gem = drm_gem_exported_gem(exported);
	struct drm_device *drm = gem->dev;

	if (drm_dev_ctx_revocable_take(to_drm_dev_ctx(drm), &exported->revocable))
		drm_dev_ctx_revocable_done(to_drm_dev_ctx(drm));
	kfree(exported);
	drm_gem_object_put(gem);
	drm_dev_put(drm);
}

static const struct dma_buf_ops drm_gem_exported_ops = {
	.attach = drm_gem_exported_attach,
	.detach = drm_gem_exported_detach,
	.map_dma_buf = drm_gem_exported_map,
	.unmap_dma_buf = drm_gem_exported_unmap,
	.release = drm_gem_exported_release,
};

/* Makes the dma-buf. The caller keeps the parent bound. */
static struct dma_buf *drm_gem_exports_make(struct drm_gem_exported *exported, int flags)
	__must_hold_shared(drm_dev_revocation)
{
	struct drm_gem_object *gem = drm_gem_exported_gem(exported);
	struct drm_device *drm = gem->dev;
	struct dma_buf_export_info info = {
		.exp_name = drm->driver->name,
		.owner = drm_dev_ctx_owner(drm),
		.ops = &drm_gem_exported_ops,
		.size = gem->size,
		.flags = flags,
		.resv = gem->resv,
		.priv = exported,
	};
	struct dma_buf *dma_buf = dma_buf_export(&info);
	int ret;

	if (IS_ERR(dma_buf)) {
		kfree(exported);
		return dma_buf;
	}
	/* The release puts both, and frees @exported. */
	drm_dev_get(drm);
	drm_gem_object_get(gem);
	exported->dma_buf = dma_buf;
	exported->dentry = drm_dma_buf_dentry(dma_buf);
	ret = drm_dev_ctx_revocable_add_held(to_drm_dev_ctx(drm), &exported->revocable,
					     &drm_gem_exported_revocable_ops);
	if (ret) {
		dma_buf_put(dma_buf);
		return ERR_PTR(ret);
	}
	return dma_buf;
}

/**
 * drm_gem_sgt_export() - make a dma-buf that ends with the binding
 * @sgt: of the object, whose ops have the steps map_for and unmap_for
 * @flags: of the file, such as O_RDWR
 *
 * For &drm_gem_object_funcs.export. The dma-buf keeps the object and the device. Importers get no
 * table of it once the parent is unbound.
 *
 * Context: May sleep. The caller may hold any reservation lock.
 *
 * Return: the dma-buf, or an ERR_PTR(): -ENODEV if the parent is not bound, or after
 * drm_gem_sgt_exports_end(); -EINVAL if @sgt is not
 * initialised, or its ops lack the two steps, or the DMA device was changed, which are reported;
 * -ENOENT if the driver is being unloaded; -ENOSPC; or -ENOMEM.
 */
struct dma_buf *drm_gem_sgt_export(struct drm_gem_sgt *sgt, int flags)
{
	int ret = __drm_gem_sgt_check_init(sgt, NULL);
	struct drm_gem_exported *exported;
	struct dma_buf *dma_buf;
	struct drm_dev_ctx *ctx;

	if (ret)
		return ERR_PTR(ret);
	if (!sgt->__ops->map_for) {
		drm_safe_broken(sgt->__gem->dev, "a table is mapped and unmapped",
				"the ops of the exported object lack map_for and unmap_for");
		return ERR_PTR(-EINVAL);
	}
	exported = kzalloc_obj(*exported, GFP_KERNEL_ACCOUNT);
	if (!exported)
		return ERR_PTR(-ENOMEM);
	init_waitqueue_head(&exported->unmapped);
	spin_lock_init(&exported->lock);
	INIT_LIST_HEAD(&exported->importers);
	exported->sgt = sgt;

	ctx = to_drm_dev_ctx(sgt->__gem->dev);
	if (!drm_dev_ctx_revocable_hold(ctx)) {
		kfree(exported);
		return ERR_PTR(-ENODEV);
	}
	dma_buf = drm_gem_exports_make(exported, flags);
	drm_dev_ctx_revocable_done(ctx);
	return dma_buf;
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_export);

/**
 * __drm_gem_sgt_exports_end() - end the exports of a device
 * @bound: the proof that quiesce has
 *
 * See drm_gem_sgt_exports_end(), which drivers call.
 *
 * Context: May sleep.
 */
void __drm_gem_sgt_exports_end(const struct drm_dev_ctx_bound *bound)
{
	drm_dev_ctx_revoke_first(bound, "drm_gem_sgt_exports_end");
}
EXPORT_SYMBOL_GPL(__drm_gem_sgt_exports_end);

/**
 * __drm_gem_exports_own() - the object of a dma-buf of drm_gem_sgt_export()
 * @drm: the device
 * @dma_buf: the dma-buf
 *
 * Context: Any.
 *
 * Return: the object, without a reference, if it belongs to @drm; or NULL.
 */
struct drm_gem_object *__drm_gem_exports_own(const struct drm_device *drm,
					     const struct dma_buf *dma_buf)
{
	struct drm_gem_object *gem;

	if (dma_buf->ops != &drm_gem_exported_ops)
		return NULL;
	gem = drm_gem_exported_gem(dma_buf->priv);
	return gem->dev == drm ? gem : NULL;
}

/**
 * drm_gem_sgt_prime_import() - import a dma-buf, unless it is of the device's own object
 * @drm: the device
 * @dma_buf: the dma-buf
 *
 * For &drm_driver.gem_prime_import of a driver without shmem objects. The core does not know the
 * dma-bufs of drm_gem_sgt_export(), so drm_gem_prime_import() would attach the device to its own
 * memory. This returns the object with a new reference, and imports other dma-bufs as the core
 * does. A driver with DRM_SHMEM_DRIVER_OPS does not need this: those functions know them, too.
 *
 * Context: May sleep. Takes the reservation lock of the dma-buf.
 *
 * Return: the object, with a reference, or an ERR_PTR() as drm_gem_prime_import().
 */
struct drm_gem_object *drm_gem_sgt_prime_import(struct drm_device *drm, struct dma_buf *dma_buf)
{
	struct drm_gem_object *gem = __drm_gem_exports_own(drm, dma_buf);

	if (!gem)
		return drm_gem_prime_import(drm, dma_buf);
	drm_gem_object_get(gem);
	return gem;
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_prime_import);
