// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <linux/dma-buf.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/xarray.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_prime.h>

#include "drm_dev_ctx.h"
#include "drm_shmem_safe.h"
#include "garply_drm.h"

struct garply_device {
	struct drm_dev_ctx ctx;
	struct drm_dev_ctx_data base;
	u64			pages;
};

/* Proof that a struct garply_device is registered */
struct garply_reg {
	struct drm_dev_ctx_reg base;
};

/* What a file has, and what it makes the driver allocate */
struct garply_file {
	struct xarray cookies;
	u32 last;
};

struct garply_bo {
	struct drm_shmem_obj obj;

	unsigned int opened;
	bool hidden;
};

DRM_SHMEM_OBJ_TYPE(garply_bo_type, struct garply_bo, obj, struct garply_bo_unique);

static inline struct garply_bo *to_garply_bo(struct drm_gem_object *gem)
{
	return container_of(gem, struct garply_bo, obj.base.base);
}

static struct garply_device *to_garply(struct drm_device *drm)
{
	return container_of(drm, struct garply_device, ctx.drm);
}

/* Reads the table, and is given one that is lent. */
static u64 garply_count(const struct sg_table *sgt)
{
	struct scatterlist *sg;
	u64 pages = 0;
	int i;

	for_each_sgtable_dma_sg(sgt, sg, i)
		pages += sg_dma_len(sg) >> PAGE_SHIFT;

	return pages;
}

static int garply_map(struct garply_device *garply, struct garply_bo *bo)
{
	const struct sg_table *sgt;
	int ret;

	drm_dev_ctx_live_or(live, to_drm_dev_ctx(bo->obj.base.base.dev), return -ENODEV);
	drm_shmem_sgt_or(lent, &live->bound, &bo->obj, ret, return ret);
	sgt = drm_shmem_sgt_table(lent);

	garply->pages += garply_count(sgt);

	return 0;
}

/* A step of both kinds */
static int garply_open(struct drm_gem_object *gem, struct drm_file *file)
{
	to_garply_bo(gem)->opened++;

	return 0;
}

static struct dma_buf *garply_export(struct drm_shmem_obj *shmem, int flags)
{
	if (drm_shmem_from_obj(&garply_bo_type, shmem)->hidden)
		return ERR_PTR(-EPERM);

	return drm_shmem_export(shmem, flags);
}

static bool garply_is_shmem(struct garply_bo *bo)
{
	return drm_shmem_from_gem(&garply_bo_type, &bo->obj.base.base);
}

/* The other kind has no pages. */
static void garply_carved_free(struct drm_gem_object *gem)
{
	drm_gem_object_release(gem);
	kfree(to_garply_bo(gem));
}

static const struct drm_gem_object_funcs garply_carved_funcs = {
	.free = garply_carved_free,
	.open = garply_open,
};

static struct drm_gem_object *garply_create_object(struct drm_device *dev, size_t size)
{
	return drm_shmem_gem_create_object(&garply_bo_type);
}

static int garply_bo_open(struct drm_shmem_obj *shmem, struct drm_file *file)
{
	return garply_open(drm_shmem_gem(shmem), file);
}

static int garply_bo_init(struct drm_shmem_obj *shmem)
{
	struct garply_bo *bo = drm_shmem_from_obj(&garply_bo_type, shmem);
	struct drm_device *dev = drm_shmem_gem(shmem)->dev;
	struct garply_device *garply = to_garply(dev);

	bo->hidden = !garply->pages;

	return 0;
}

const struct garply_bo_type garply_bo_type = {
	DRM_SHMEM_OBJ_FUNCS,
	.base.init = garply_bo_init,
	.base.export = garply_export,
	.base.open = garply_bo_open,
};

static int garply_create(struct drm_device *dev, u64 size, struct garply_bo **made)
{
	struct garply_bo_unique *new __free(drm_shmem) = NULL;
	struct garply_bo *bo __free(drm_shmem) = NULL;
	int ret;

	new = drm_shmem_create(&garply_bo_type, dev, size, NULL);
	if (IS_ERR(new))
		return PTR_ERR(new);
	bo = drm_shmem_publish(&garply_bo_type, &new);

	ret = garply_map(to_garply(dev), bo);
	if (ret)
		return ret;

	*made = no_free_ptr(bo);
	return 0;
}

static int garply_carve(struct drm_device *dev, u64 size, struct garply_bo **made)
{
	struct garply_bo *bo;

	bo = kzalloc_obj(*bo);
	if (!bo)
		return -ENOMEM;

	bo->obj.base.base.funcs = &garply_carved_funcs;
	drm_gem_private_object_init(dev, &bo->obj.base.base, PAGE_ALIGN(size));
	*made = bo;
	return 0;
}

static int garply_ioctl_create(struct drm_dev_ctx_ioctl *ioctl, struct drm_garply_create *args,
			       struct drm_file *file)
{
	struct drm_device *dev = drm_dev_ctx_ioctl_drm(ioctl);
	struct garply_bo *bo;
	int ret;

	if (args->carved)
		ret = garply_carve(dev, args->size, &bo);
	else
		ret = garply_create(dev, args->size, &bo);
	if (ret)
		return ret;

	ret = drm_shmem_handle_create(&bo->obj, file, &args->handle);
	drm_shmem_put(&bo->obj);

	return ret;
}

static int garply_note(struct garply_file *own)
{
	struct garply_bo **cookie = kzalloc_obj(*cookie, GFP_KERNEL_ACCOUNT);
	int ret;

	if (!cookie)
		return -ENOMEM;
	ret = xa_alloc(&own->cookies, &own->last, cookie, XA_LIMIT(1, U16_MAX - 1),
		       GFP_KERNEL_ACCOUNT);
	if (ret)
		kfree(cookie);

	return ret;
}

/* A jump in front of the section goes to a short end. */
static int garply_ioctl_offset(struct drm_dev_ctx_ioctl *ioctl, struct drm_garply_offset *args,
			       struct drm_file *file)
{
	struct drm_gem_object *gem;
	u32 *handles;
	int ret = 0;

	handles = kcalloc(args->count, sizeof(u32), GFP_KERNEL_ACCOUNT);
	if (!handles)
		return -ENOMEM;

	if (copy_from_user(handles, u64_to_user_ptr(args->handles), args->count * sizeof(u32))) {
		ret = -EFAULT;
		kfree(handles);
		return ret;
	}

	drm_dev_ctx_or(garply_reg, reg, ioctl, {
		ret = -ENODEV;
		kfree(handles);
		return ret;
	});

	gem = drm_gem_object_lookup(file, args->handle);
	if (!gem) {
		ret = -ENOENT;
		goto err_exit;
	}

	if (!garply_is_shmem(to_garply_bo(gem)))
		ret = -EINVAL;
	if (!ret)
		ret = garply_note(file->driver_priv);
	if (ret)
		goto err_put;

	ret = drm_shmem_mmap_offset(&to_garply_bo(gem)->obj, &args->offset);

err_put:
	drm_gem_object_put(gem);
err_exit:
	kfree(handles);
	return ret;
}

DRM_DEV_CTX_IOCTL_UNGUARDED(GARPLY_CREATE, garply_ioctl_create, struct drm_garply_create);
DRM_DEV_CTX_IOCTL_UNGUARDED(GARPLY_OFFSET, garply_ioctl_offset, struct drm_garply_offset);

DRM_DEV_CTX_IOCTLS(garply_ioctls) = {
	DRM_DEV_CTX_IOCTL_DEF(GARPLY_CREATE, DRM_RENDER_ALLOW),
	DRM_DEV_CTX_IOCTL_DEF(GARPLY_OFFSET, DRM_RENDER_ALLOW),
};

static int garply_file_open(struct drm_device *dev, struct drm_file *file)
{
	struct garply_file *own = kzalloc(sizeof(*own), GFP_KERNEL_ACCOUNT);

	if (!own)
		return -ENOMEM;
	xa_init_flags(&own->cookies, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	file->driver_priv = own;

	return 0;
}

static void garply_file_close(struct drm_device *dev, struct drm_file *file)
{
	struct garply_file *own = file->driver_priv;
	struct garply_bo **cookie;
	unsigned long index;

	xa_for_each(&own->cookies, index, cookie)
		kfree(cookie);
	xa_destroy(&own->cookies);
	kfree(own);
}

DEFINE_DRM_GEM_FOPS(garply_fops);

static const struct drm_driver garply_driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER,
	.open = garply_file_open,
	.postclose = garply_file_close,
	.fops = &garply_fops,
	.gem_create_object = garply_create_object,
	DRM_SHMEM_RENDER_OPS_SGT,
	.ioctls = garply_ioctls,
	.num_ioctls = ARRAY_SIZE(garply_ioctls),
	.name = "garply",
	.desc = "garply",
	.major = 1,
};

static int garply_probe(struct platform_device *pdev)
{
	const struct drm_dev_ctx_live *live;
	struct drm_dev_ctx_unreg *unreg __free(drm_dev_ctx_unreg) = NULL;
	struct garply_device *garply;

	unreg = drm_dev_ctx_alloc(&pdev->dev, &garply_driver, struct garply_device, ctx);
	if (IS_ERR(unreg))
		return PTR_ERR(unreg);
	garply = to_garply(drm_dev_ctx_unreg_drm(unreg));
	live = drm_dev_ctx_attach(unreg, NULL, &garply->base);
	if (IS_ERR(live))
		return PTR_ERR(live);

	platform_set_drvdata(pdev, garply);
	return drm_dev_ctx_register(&pdev->dev, &unreg, NULL, &garply->base);
}

static void garply_remove(struct platform_device *pdev)
{
	struct garply_device *garply = platform_get_drvdata(pdev);

	drm_dev_ctx_unregister(&garply->ctx);
}

static struct platform_driver garply_platform_driver = {
	.probe = garply_probe,
	.remove = garply_remove,
	.driver = { .name = "garply" },
};
module_platform_driver(garply_platform_driver);

MODULE_DESCRIPTION("Input of make convert, with objects of two kinds");
MODULE_LICENSE("Dual MIT/GPL");
