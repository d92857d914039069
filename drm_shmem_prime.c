// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <linux/atomic.h>
#include <linux/dma-buf.h>
#include <linux/device.h>
#include <linux/export.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <drm/drm_drv.h>
#include <drm/drm_prime.h>

#include "drm_shmem_internal.h"

/*
 * The dma-bufs of the library's objects work like the core's, but have their own
 * operations, because the core tells when a dma-buf is made, but not when it ends.
 * &drm_gem_object.dma_buf does not tell that: it is cleared with the last handle, and the
 * dma-buf can outlive that handle.
 */

static void drm_shmem_dma_buf_release(struct dma_buf *dma_buf)
{
	/* The dma-buf still holds the object. */
	__drm_shmem_exports_end(dma_buf);
	drm_gem_dmabuf_release(dma_buf);
}

static const struct dma_buf_ops drm_shmem_dma_buf_ops = {
	.attach = __drm_shmem_dma_buf_attach,
	.detach = __drm_shmem_dma_buf_detach,
	.pin = __drm_shmem_dma_buf_pin,
	.unpin = __drm_shmem_dma_buf_unpin,
	.map_dma_buf = __drm_shmem_dma_buf_map,
	.unmap_dma_buf = __drm_shmem_dma_buf_unmap,
	.release = drm_shmem_dma_buf_release,
	.begin_cpu_access = __drm_shmem_export_begin,
	.end_cpu_access = __drm_shmem_export_end,
	.mmap = drm_gem_dmabuf_mmap,
	.vmap = drm_gem_dmabuf_vmap,
	.vunmap = drm_gem_dmabuf_vunmap,
};

/**
 * drm_shmem_export() - make a dma-buf of an object
 * @obj: the object
 * @flags: of the file, such as O_RDWR
 *
 * For the export step of a type, in place of the core's drm_gem_prime_export(). While the dma-buf
 * exists, the object is not purged, and it is evicted only if its importers can be notified.
 *
 * Context: May sleep. The caller may hold any reservation lock.
 *
 * Return: the dma-buf, or an ERR_PTR(): -EINVAL if the object was not published,
 * or is an import, -ENODATA if it was purged, -ENOENT if the driver is being unloaded, -ENOSPC,
 * or -ENOMEM.
 */
struct dma_buf *drm_shmem_export(struct drm_shmem_obj *obj, int flags)
{
	struct drm_gem_object *gem = &obj->base.base;
	struct drm_device *drm = gem->dev;
	struct dma_buf_export_info info = {
		.exp_name = drm->driver->name,
		.owner = drm_dev_ctx_owner(drm),
		.ops = &drm_shmem_dma_buf_ops,
		.size = gem->size,
		.flags = flags,
		.resv = gem->resv,
		.priv = gem,
	};
	struct drm_shmem_exported *exported;
	struct dma_buf *dma_buf;
	int ret;

	ret = drm_shmem_export_check(gem);
	if (ret)
		return ERR_PTR(ret);
	exported = __drm_shmem_exports_alloc();
	if (!exported)
		return ERR_PTR(-ENOMEM);

	/*
	 * If reclaim finds the count zero, it comes before any task has the dma-buf. The
	 * dma-buf of an object that was purged then fails when it is used.
	 */
	atomic_inc(&obj->__dma_bufs);
	dma_buf = drm_gem_dmabuf_export(drm, &info);
	if (IS_ERR(dma_buf)) {
		atomic_dec(&obj->__dma_bufs);
		/* A scan may have seen the count. */
		__drm_shmem_exports_relist(exported, gem);
	} else {
		__drm_shmem_exports_add(exported, gem, dma_buf);
		/* A purge is impossible now. If the trylock fails, a scan updates the list. */
		__drm_shmem_try_relist(obj);
	}
	return dma_buf;
}
EXPORT_SYMBOL_GPL(drm_shmem_export);

/**
 * drm_shmem_funcs_export() - &drm_gem_object_funcs.export
 * @gem: the object
 * @flags: of the file
 *
 * Context: May sleep.
 *
 * Return: the dma-buf, or an ERR_PTR(): as drm_shmem_export(), or from the type's export
 * step.
 */
struct dma_buf *drm_shmem_funcs_export(struct drm_gem_object *gem, int flags)
{
	struct drm_shmem_obj *obj = to_drm_shmem_obj(gem);
	const struct drm_shmem_obj_type *type = drm_shmem_obj_type(obj);
	struct dma_buf *dma_buf;
	int ret;

	if (!type->export)
		return drm_shmem_export(obj, flags);
	ret = drm_shmem_export_check(gem);
	if (ret)
		return ERR_PTR(ret);

	dma_buf = type->export(obj, flags);
	if (!dma_buf) {
		drm_safe_broken(gem->dev, "an export step returns a dma-buf",
				"it returns NULL: use ERR_PTR() for an error");
		return ERR_PTR(-EINVAL);
	}
	/* The library does not learn when a dma-buf with the driver's own operations ends. */
	if (!IS_ERR(dma_buf) && dma_buf->ops != &drm_shmem_dma_buf_ops) {
		atomic_or(__DRM_SHMEM_FOREIGN, &obj->__dma_bufs);
		/* As in drm_shmem_export() */
		__drm_shmem_try_relist(obj);
	}
	return dma_buf;
}
EXPORT_SYMBOL_GPL(drm_shmem_funcs_export);

/**
 * __drm_shmem_prime_own() - the object of a dma-buf, if it belongs to the same device
 * @drm: the device
 * @dma_buf: the dma-buf
 *
 * Return: the object with a reference, or NULL if the dma-buf has to be imported.
 */
struct drm_gem_object *__drm_shmem_prime_own(struct drm_device *drm, struct dma_buf *dma_buf)
{
	struct drm_gem_object *gem = __drm_gem_exports_own(drm, dma_buf);

	if (!gem) {
		gem = dma_buf->priv;
		if (!drm_gem_is_prime_exported_dma_buf(drm, dma_buf) &&
		    (dma_buf->ops != &drm_shmem_dma_buf_ops || gem->dev != drm))
			return NULL;
	}

	drm_gem_object_get(gem);
	return gem;
}

/**
 * __drm_shmem_prime_attach() - attach the DMA device to a dma-buf
 * @drm: the device
 * @dma_buf: the dma-buf
 * @follows: the import to notify when the exporter moves the memory, or NULL
 *
 * The core takes the exporter's lock to attach, with an uninterruptible wait. So this first
 * waits until the lock is free, or the task is killed.
 *
 * Context: May sleep. Takes the reservation lock of the dma-buf.
 *
 * Return: the attachment, which holds a reference to the dma-buf, until
 * __drm_shmem_prime_detach(); ERR_PTR(-EINTR) if the task was killed; or another ERR_PTR().
 */
struct dma_buf_attachment *__drm_shmem_prime_attach(struct drm_device *drm,
						    struct dma_buf *dma_buf,
						    struct drm_shmem_obj *follows)
{
	struct dma_buf_attachment *attach;
	int ret;

	ret = drm_resv_lock_how(dma_buf->resv, DRM_RESV_LOCKS_KILLABLE);
	if (ret)
		return ERR_PTR(ret);
	dma_resv_unlock(dma_buf->resv);

	attach = follows ? __drm_shmem_follow_attach(dma_buf, follows) :
			   dma_buf_attach(dma_buf, drm_dev_dma_dev(drm));
	if (!IS_ERR(attach))
		get_dma_buf(dma_buf);
	return attach;
}

struct drm_shmem_detach {
	struct work_struct work;
	struct dma_buf_attachment *attach;
	struct device *dev;
	struct sg_table *sgt;		/* NULL, or mapped for @attach: the parent stays bound */
	struct drm_dev_ctx *ctx;
};

/* The work item of an import's end reuses the memory of the object. */
static_assert(sizeof(struct drm_shmem_detach) <= sizeof(struct drm_shmem_obj));

static void drm_shmem_detach_now(struct dma_buf_attachment *attach)
{
	struct dma_buf *dma_buf = attach->dmabuf;
	/*
	 * A struct drm_shmem_follow, or NULL. The exporter may call it until the attachment is
	 * detached.
	 */
	void *follow = attach->importer_priv;

	dma_buf_detach(dma_buf, attach);
	kfree(follow);
	dma_buf_put(dma_buf);
}

/*
 * The parent stays bound until the detach has finished, because some exporters unmap the table only
 * then.
 */
static void drm_shmem_detach_all(struct drm_shmem_detach *detach)
	__context_unsafe("taken by __drm_shmem_sgt_take(), in another task")
{
	struct drm_dev_ctx *ctx = detach->ctx;

	if (!detach->sgt) {
		drm_shmem_detach_now(detach->attach);
		return;
	}
	drm_dev_ctx_revocable_resume(ctx);
	dma_buf_unmap_attachment_unlocked(detach->attach, detach->sgt, DMA_BIDIRECTIONAL);
	drm_shmem_detach_now(detach->attach);
	drm_dev_ctx_revocable_done(ctx);
}

static void drm_shmem_detach_fn(struct work_struct *work)
{
	struct drm_shmem_detach *detach = container_of(work, struct drm_shmem_detach, work);

	drm_shmem_detach_all(detach);
	put_device(detach->dev);
	kfree(detach);
}

/* @detach is zeroed. The work item frees it. */
static void drm_shmem_detach_queue(struct drm_shmem_detach *detach,
				   struct dma_buf_attachment *attach)
{
	INIT_WORK(&detach->work, drm_shmem_detach_fn);
	detach->attach = attach;
	detach->dev = get_device(attach->dev);
	__drm_shmem_queue(__DRM_SHMEM_LOCKS, &detach->work);
}

/*
 * Unmaps @sgt, if it is not NULL, and detaches. With an @sgt, the caller has held @ctx, which keeps
 * the parent bound, and has called drm_dev_ctx_revocable_defer(). Unmapping and detaching wait
 * uninterruptibly for the exporter's lock, so a work item does both.
 */
static void drm_shmem_detach(struct dma_buf_attachment *attach, struct sg_table *sgt,
			     struct drm_dev_ctx *ctx)
	__must_not_hold(drm_resv)
{
	struct drm_shmem_detach now = { .attach = attach, .sgt = sgt, .ctx = ctx };
	struct drm_shmem_detach *later = kzalloc_obj(*later, GFP_KERNEL_ACCOUNT);

	if (later) {
		later->sgt = sgt;
		later->ctx = ctx;
		drm_shmem_detach_queue(later, attach);
		return;
	}
	drm_shmem_detach_all(&now);
}

/**
 * __drm_shmem_prime_end() - free an object that was imported, and detach it
 * @obj: the object, which has ended except for its memory
 * @attach: its attachment
 * @sgt: its table, after __drm_shmem_sgt_take(), or NULL
 * @ctx: the device from whose list the table was taken, if there is a table
 *
 * Unmapping and detaching take the exporter's lock, which the exporter can hold for long.
 * The caller must not wait for any lock, because it can hold the locks of other objects, as
 * drm_exec_fini() does. So a work item does this. The work item reuses the memory of the
 * object, so nothing can fail, and it calls no function of the driver, because only the
 * library waits for it.
 *
 * Context: Any.
 */
void __drm_shmem_prime_end(struct drm_shmem_obj *obj, struct dma_buf_attachment *attach,
			   struct sg_table *sgt, struct drm_dev_ctx *ctx)
	__context_unsafe("taken by __drm_shmem_sgt_take()")
{
	struct drm_shmem_detach *detach;

	__drm_shmem_follow_forget(attach);
	detach = memset(obj, 0, sizeof(*detach));
	if (sgt) {
		detach->sgt = sgt;
		detach->ctx = ctx;
		drm_dev_ctx_revocable_defer(ctx);
	}
	drm_shmem_detach_queue(detach, attach);
}

/**
 * __drm_shmem_prime_detach() - undo __drm_shmem_prime_attach()
 * @attach: the attachment, which no object has
 *
 * The core takes the exporter's lock for this, too. A work item does that, unless there is no
 * memory for it.
 *
 * Context: May sleep. Takes the reservation lock of the dma-buf.
 */
void __drm_shmem_prime_detach(struct dma_buf_attachment *attach)
{
	drm_shmem_detach(attach, NULL, NULL);
}

/* On success the parent stays bound until drm_dev_ctx_revocable_done(). */
static struct sg_table *drm_shmem_prime_map_held(struct drm_dev_ctx *ctx,
						 struct dma_buf_attachment *attach)
	__must_hold(drm_resv)
	__context_unsafe("taken if it returns a table")
{
	struct sg_table *sgt;

	if (drm_dev_is_unplugged(&ctx->drm) || !drm_dev_ctx_revocable_hold(ctx))
		return ERR_PTR(-ENODEV);
	sgt = dma_buf_map_attachment(attach, DMA_BIDIRECTIONAL);
	if (IS_ERR(sgt))
		drm_dev_ctx_revocable_done(ctx);
	return sgt;
}

/*
 * Maps a dma-buf, and keeps the parent bound as drm_shmem_prime_map_held() does. The caller must
 * not be in a section, because the exporter may move its memory in the call, and an unplug of
 * any device would wait for that. Only the unbind of this device's parent waits, and that
 * neither for the exporter's lock nor for fences that existed before. See
 * __drm_shmem_sgt_again() for the loop of the caller.
 */
static struct sg_table *drm_shmem_prime_map(struct drm_dev_ctx *ctx,
					    struct dma_buf_attachment *attach)
	__must_not_hold(drm_resv)
{
	struct dma_resv *resv = attach->dmabuf->resv;
	struct sg_table *sgt;
	int ret;

	/* Most of the fences, without the lock, which others need. */
	ret = __drm_shmem_wait(resv, DMA_RESV_USAGE_KERNEL);
	if (ret)
		return ERR_PTR(ret);
	ret = drm_resv_lock_how(resv, DRM_RESV_LOCKS_KILLABLE);
	if (ret)
		return ERR_PTR(ret);
	ret = __drm_shmem_wait(resv, DMA_RESV_USAGE_KERNEL);
	sgt = ret ? ERR_PTR(ret) : drm_shmem_prime_map_held(ctx, attach);
	dma_resv_unlock(resv);

	return sgt;
}

/**
 * __drm_shmem_prime_taken() - an object of the library has an attachment and its table from now on
 * @attach: the attachment of drm_shmem_prime_import(), or of the core's function
 *
 * Called before another task can find the object, and end it.
 *
 * Context: Any.
 */
void __drm_shmem_prime_taken(struct dma_buf_attachment *attach)
{
	bool *taken = attach->importer_priv;

	if (!taken)
		return;
	*taken = true;
	attach->importer_priv = NULL;
}

/*
 * Sets @taken if an object owns @attach and @sgt, or has owned them: the driver may wrap the
 * library's function in a callback of its own, which may fail and put the object. An attachment
 * that does not follow has no other use for its private data.
 */
static struct drm_gem_object *drm_shmem_prime_import_mapped(struct drm_device *drm,
							    struct dma_buf_attachment *attach,
							    struct sg_table *sgt, bool *taken)
	__must_not_hold(drm_resv)
{
	struct drm_gem_object *gem;
	int idx;

	/* The table is not revoked before the object has its attachment. */
	if (!drm_dev_enter(drm, &idx))
		return ERR_PTR(-ENODEV);
	attach->importer_priv = taken;
	gem = drm->driver->gem_prime_import_sg_table(drm, attach, sgt);
	if (!*taken)
		attach->importer_priv = NULL;
	if (!IS_ERR(gem)) {
		gem->import_attach = attach;
		gem->resv = attach->dmabuf->resv;
		*taken = true;
	}
	drm_dev_exit(idx);
	return gem;
}

/* On success the object owns @attach and the table. On failure @attach is gone. */
static struct drm_gem_object *drm_shmem_prime_import_attached(struct drm_dev_ctx *ctx,
							      struct dma_buf_attachment *attach)
	__must_not_hold(drm_resv)
	__context_unsafe("the parent stays bound until the table belongs to an object, or is gone")
{
	struct drm_gem_object *gem;
	struct sg_table *sgt;
	bool taken = false;

	do {
		sgt = drm_shmem_prime_map(ctx, attach);
	} while (__drm_shmem_sgt_again(&ctx->drm, &sgt));
	if (IS_ERR(sgt)) {
		__drm_shmem_prime_detach(attach);
		return ERR_CAST(sgt);
	}

	gem = drm_shmem_prime_import_mapped(&ctx->drm, attach, sgt, &taken);
	if (taken) {
		drm_dev_ctx_revocable_done(ctx);
		return gem;
	}
	drm_dev_ctx_revocable_defer(ctx);
	drm_shmem_detach(attach, sgt, ctx);
	return gem;
}

/**
 * drm_shmem_prime_import() - &drm_driver.gem_prime_import
 * @drm: the device
 * @dma_buf: the dma-buf to import
 *
 * Replaces the core's drm_gem_prime_import(), which does not recognise the device's own objects by
 * the dma-bufs of this library, maps the dma-buf even if the device is not registered, and lets any
 * signal end its wait for the exporter's fences. Part of DRM_SHMEM_DRIVER_OPS_SGT.
 *
 * This waits for the exporter, and lets it map the memory, outside of a section. If the import
 * fails, a work item undoes it. So no unplug waits for the exporter's lock or fences. Only
 * unbinding the parent of @drm waits while the exporter maps the memory.
 *
 * Context: May sleep. In no section.
 *
 * Return: the object with a reference, or an ERR_PTR(): -EINTR if the task was killed while
 * it waited; -ENODEV unless the device is registered, with a report if drm_dev_ctx_alloc() did not
 * make it; -EINVAL, with a report, if the DMA device was changed, or, if CONFIG_DRM_SAFE_DEBUG sees
 * it, in a section; -EAGAIN if the wait for a fence of the exporter failed; -ENOMEM; or what the
 * exporter, the type's init step, or &drm_driver.gem_prime_import_sg_table returned.
 */
struct drm_gem_object *drm_shmem_prime_import(struct drm_device *drm, struct dma_buf *dma_buf)
{
	struct drm_gem_object *gem = __drm_shmem_prime_own(drm, dma_buf);
	struct dma_buf_attachment *attach;
	int ret;

	if (gem)
		return gem;
	if (!drm->driver->gem_prime_import_sg_table)
		return ERR_PTR(-EINVAL);
	ret = __drm_dev_ctx_check_outside(drm, __func__) ?:
	      __drm_dev_ctx_settle_dma_dev(to_drm_dev_ctx(drm));
	if (ret)
		return ERR_PTR(ret);

	attach = __drm_shmem_prime_attach(drm, dma_buf, NULL);
	if (IS_ERR(attach))
		return ERR_CAST(attach);

	return drm_shmem_prime_import_attached(to_drm_dev_ctx(drm), attach);
}
EXPORT_SYMBOL_GPL(drm_shmem_prime_import);
