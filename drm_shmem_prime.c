// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <linux/atomic.h>
#include <linux/dma-buf.h>
#include <linux/export.h>

#include <drm/drm_drv.h>
#include <drm/drm_prime.h>

#include "drm_shmem_internal.h"

/*
 * The dma-bufs of the library's objects: the core's, with operations of their own, because
 * the core says when a dma-buf is made, but not when it ends. &drm_gem_object.dma_buf
 * is of no use for that: it goes with the last handle, which the dma-buf can outlive.
 */

static void drm_shmem_dma_buf_release(struct dma_buf *dma_buf)
{
	/* The dma-buf still holds the object. */
	atomic_dec(&to_drm_shmem_obj(dma_buf->priv)->__dma_bufs);
	drm_gem_dmabuf_release(dma_buf);
}

static const struct dma_buf_ops drm_shmem_dma_buf_ops = {
	.attach = drm_gem_map_attach,
	.detach = drm_gem_map_detach,
	.map_dma_buf = drm_gem_map_dma_buf,
	.unmap_dma_buf = drm_gem_unmap_dma_buf,
	.release = drm_shmem_dma_buf_release,
	.mmap = drm_gem_dmabuf_mmap,
	.vmap = drm_gem_dmabuf_vmap,
	.vunmap = drm_gem_dmabuf_vunmap,
};

/**
 * drm_shmem_export() - make a dma-buf of an object
 * @obj: the object
 * @flags: of the file, such as O_RDWR
 *
 * What the core's drm_gem_prime_export() does. For the export step of a type. The object
 * is neither purged nor evicted while the dma-buf exists.
 *
 * Context: May sleep. Takes the reservation lock.
 *
 * Return: the dma-buf, or an ERR_PTR(): -EINVAL if the object was not published,
 * -ENODATA if it was purged, -ENOSPC, -ENOMEM.
 */
struct dma_buf *drm_shmem_export(struct drm_shmem_obj *obj, int flags)
{
	struct drm_gem_object *gem = &obj->base.base;
	struct drm_device *drm = gem->dev;
	struct dma_buf_export_info info = {
		.exp_name = drm->driver->name,
		.owner = drm->driver->fops->owner,
		.ops = &drm_shmem_dma_buf_ops,
		.size = gem->size,
		.flags = flags,
		.resv = gem->resv,
		.priv = gem,
	};
	struct dma_buf *dma_buf;
	int ret;

	ret = drm_shmem_export_check(gem);
	if (ret)
		return ERR_PTR(ret);

	/*
	 * Reclaim that finds the count zero comes before anybody has the dma-buf. Such
	 * a dma-buf is of a purged object, and says so when it is used.
	 */
	atomic_inc(&obj->__dma_bufs);
	dma_buf = drm_gem_dmabuf_export(drm, &info);
	if (IS_ERR(dma_buf))
		atomic_dec(&obj->__dma_bufs);
	return dma_buf;
}
EXPORT_SYMBOL_GPL(drm_shmem_export);

/**
 * drm_shmem_gem_export() - &drm_gem_object_funcs.export
 * @gem: the object
 * @flags: of the file
 *
 * Context: May sleep.
 *
 * Return: the dma-buf, or an ERR_PTR(): as drm_shmem_export(), or from the type's export
 * step.
 */
struct dma_buf *drm_shmem_gem_export(struct drm_gem_object *gem, int flags)
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
	/* Nothing tells when a dma-buf of the driver's own ends. */
	if (!IS_ERR(dma_buf) && dma_buf->ops != &drm_shmem_dma_buf_ops)
		atomic_inc(&obj->__dma_bufs);
	return dma_buf;
}
EXPORT_SYMBOL_GPL(drm_shmem_gem_export);

/**
 * __drm_shmem_prime_own() - the object of a dma-buf, if it is the device's own
 * @drm: the device
 * @dma_buf: the dma-buf
 *
 * Return: the object with a reference, or NULL if the dma-buf has to be imported.
 */
struct drm_gem_object *__drm_shmem_prime_own(struct drm_device *drm, struct dma_buf *dma_buf)
{
	struct drm_gem_object *gem = dma_buf->priv;

	if (!drm_gem_is_prime_exported_dma_buf(drm, dma_buf) &&
	    (dma_buf->ops != &drm_shmem_dma_buf_ops || gem->dev != drm))
		return NULL;

	drm_gem_object_get(gem);
	return gem;
}

static struct sg_table *drm_shmem_prime_map(struct dma_buf_attachment *attach)
	__must_not_hold(drm_resv)
{
	struct sg_table *sgt;

	dma_resv_lock(attach->dmabuf->resv, NULL);
	sgt = __drm_shmem_sgt_map_attachment(attach);
	dma_resv_unlock(attach->dmabuf->resv);

	return sgt;
}

/* On success the object keeps @attach, and the table is its own. */
static struct drm_gem_object *drm_shmem_prime_import_attached(struct drm_device *drm,
							      struct dma_buf_attachment *attach)
	__must_not_hold(drm_resv)
{
	struct sg_table *sgt = drm_shmem_prime_map(attach);
	struct drm_gem_object *gem;

	if (IS_ERR(sgt))
		return ERR_CAST(sgt);

	gem = drm->driver->gem_prime_import_sg_table(drm, attach, sgt);
	if (IS_ERR(gem)) {
		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);
		return gem;
	}
	gem->import_attach = attach;
	gem->resv = attach->dmabuf->resv;
	return gem;
}

/**
 * drm_shmem_prime_import() - &drm_driver.gem_prime_import
 * @drm: the device
 * @dma_buf: what is imported
 *
 * As the core's drm_gem_prime_import(), which does not know the device's own objects by
 * their dma-bufs, and whose wait for the exporter's fences ends with any signal. Part of
 * DRM_SHMEM_DRIVER_OPS_SGT.
 *
 * Context: May sleep.
 *
 * Return: the object with a reference, or an ERR_PTR(): -EINTR if the task was killed while
 * it waited; or what the exporter, the type's init step, or
 * &drm_driver.gem_prime_import_sg_table returned.
 */
struct drm_gem_object *drm_shmem_prime_import(struct drm_device *drm, struct dma_buf *dma_buf)
{
	struct drm_gem_object *gem = __drm_shmem_prime_own(drm, dma_buf);
	struct dma_buf_attachment *attach;

	if (gem)
		return gem;
	if (!drm->driver->gem_prime_import_sg_table)
		return ERR_PTR(-EINVAL);

	attach = dma_buf_attach(dma_buf, drm_dev_dma_dev(drm));
	if (IS_ERR(attach))
		return ERR_CAST(attach);
	get_dma_buf(dma_buf);

	gem = drm_shmem_prime_import_attached(drm, attach);
	if (IS_ERR(gem)) {
		dma_buf_detach(dma_buf, attach);
		dma_buf_put(dma_buf);
	}
	return gem;
}
EXPORT_SYMBOL_GPL(drm_shmem_prime_import);
