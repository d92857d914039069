// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <linux/dma-buf.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/xarray.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_prime.h>

#include "garply_drm.h"

struct garply_device {
	struct drm_device	drm;
	u64			pages;
};

/* What a file has, and what it makes the driver allocate */
struct garply_file {
	struct xarray cookies;
	u32 last;
};

struct garply_bo {
	struct drm_gem_shmem_object base;

	unsigned int opened;
	bool hidden;
};

static_assert(offsetof(struct garply_bo, base) == 0, "casts need this");

#define to_garply_bo(gem) container_of_const(gem, struct garply_bo, base.base)
#define shmem_to_garply_bo(shmem) container_of_const(shmem, struct garply_bo, base)
#define garply_gem(bo) (&(bo)->base.base)
#define garply_shmem(bo) (&(bo)->base)

static struct garply_device *to_garply(struct drm_device *drm)
{
	return container_of(drm, struct garply_device, drm);
}

static inline struct sg_table *garply_table(struct garply_bo *bo)
{
	return drm_gem_shmem_get_pages_sgt(garply_shmem(bo));
}

/* Reads the table, and is given one that is lent. */
static u64 garply_count(struct sg_table *sgt)
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
	struct sg_table *sgt;

	sgt = garply_table(bo);
	if (WARN_ON(IS_ERR(sgt)))
		return PTR_ERR(sgt);

	garply->pages += garply_count(sgt);

	return 0;
}

/* A step of both kinds */
static int garply_open(struct drm_gem_object *gem, struct drm_file *file)
{
	to_garply_bo(gem)->opened++;

	return 0;
}

static struct dma_buf *garply_export(struct drm_gem_object *gem, int flags)
{
	if (to_garply_bo(gem)->hidden)
		return ERR_PTR(-EPERM);

	return drm_gem_prime_export(gem, flags);
}

/* The library does this for all objects. */
static void garply_free(struct drm_gem_object *gem)
{
	struct drm_gem_shmem_object *shmem = to_drm_gem_shmem_obj(gem);

	/* The device writes to all of it. */
	shmem->pages_mark_dirty_on_put = true;
	drm_gem_shmem_free(shmem);
}

static const struct drm_gem_object_funcs garply_funcs = {
	.free = garply_free,
	.open = garply_open,
	.export = garply_export,
	.print_info = drm_gem_shmem_object_print_info,
	.pin = drm_gem_shmem_object_pin,
	.unpin = drm_gem_shmem_object_unpin,
	.get_sg_table = drm_gem_shmem_object_get_sg_table,
	.vmap = drm_gem_shmem_object_vmap,
	.vunmap = drm_gem_shmem_object_vunmap,
	.mmap = drm_gem_shmem_object_mmap,
	.vm_ops = &drm_gem_shmem_vm_ops,
};

static bool garply_is_shmem(struct garply_bo *bo)
{
	return bo->base.base.funcs == &garply_funcs;
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
	struct garply_device *garply = to_garply(dev);
	struct garply_bo *bo;

	if (size == 0 || !PAGE_ALIGNED(size))
		return ERR_PTR(-EINVAL);

	bo = kzalloc_obj(*bo);
	if (!bo)
		return ERR_PTR(-ENOMEM);

	bo->base.base.funcs = &garply_funcs;
	bo->hidden = !garply->pages;

	return garply_gem(bo);
}

static int garply_create(struct drm_device *dev, u64 size, struct garply_bo **made)
{
	struct drm_gem_shmem_object *shmem;
	struct garply_bo *bo;
	int ret;

	shmem = drm_gem_shmem_create(dev, size);
	if (IS_ERR(shmem))
		return PTR_ERR(shmem);

	bo = shmem_to_garply_bo(shmem);
	ret = garply_map(to_garply(dev), bo);
	if (ret)
		goto err_free;

	*made = bo;
	return 0;

err_free:
	drm_gem_shmem_free(shmem);
	return ret;
}

static int garply_carve(struct drm_device *dev, u64 size, struct garply_bo **made)
{
	struct garply_bo *bo;

	bo = kzalloc_obj(*bo);
	if (!bo)
		return -ENOMEM;

	bo->base.base.funcs = &garply_carved_funcs;
	drm_gem_private_object_init(dev, garply_gem(bo), PAGE_ALIGN(size));
	*made = bo;
	return 0;
}

static int garply_ioctl_create(struct drm_device *dev, void *data, struct drm_file *file)
{
	struct drm_garply_create *args = data;
	struct garply_bo *bo;
	int ret;

	if (args->carved)
		ret = garply_carve(dev, args->size, &bo);
	else
		ret = garply_create(dev, args->size, &bo);
	if (ret)
		return ret;

	ret = drm_gem_handle_create(file, garply_gem(bo), &args->handle);
	drm_gem_object_put(garply_gem(bo));

	return ret;
}

static int garply_note(struct garply_file *own)
{
	struct garply_bo **cookie = kzalloc_obj(*cookie);
	int ret;

	if (!cookie)
		return -ENOMEM;
	ret = xa_alloc(&own->cookies, &own->last, cookie, XA_LIMIT(1, U16_MAX - 1), GFP_KERNEL);
	if (ret)
		kfree(cookie);

	return ret;
}

/* A jump in front of the section goes to a short end. */
static int garply_ioctl_offset(struct drm_device *dev, void *data, struct drm_file *file)
{
	struct drm_garply_offset *args = data;
	struct drm_gem_object *gem;
	u32 *handles;
	int idx, ret = 0;

	handles = kcalloc(args->count, sizeof(u32), GFP_KERNEL);
	if (!handles)
		return -ENOMEM;

	if (copy_from_user(handles, u64_to_user_ptr(args->handles), args->count * sizeof(u32))) {
		ret = -EFAULT;
		goto err_free;
	}

	if (!drm_dev_enter(dev, &idx)) {
		ret = -ENODEV;
		goto err_free;
	}

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

	ret = drm_gem_create_mmap_offset(gem);
	if (ret == 0)
		args->offset = drm_vma_node_offset_addr(&gem->vma_node);

err_put:
	drm_gem_object_put(gem);
err_exit:
	drm_dev_exit(idx);
err_free:
	kfree(handles);
	return ret;
}

static const struct drm_ioctl_desc garply_ioctls[] = {
	DRM_IOCTL_DEF_DRV(GARPLY_CREATE, garply_ioctl_create, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(GARPLY_OFFSET, garply_ioctl_offset, DRM_RENDER_ALLOW),
};

static int garply_file_open(struct drm_device *dev, struct drm_file *file)
{
	struct garply_file *own = kzalloc(sizeof(*own), GFP_KERNEL);

	if (!own)
		return -ENOMEM;
	xa_init_flags(&own->cookies, XA_FLAGS_ALLOC1);
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
	.gem_prime_import_sg_table = drm_gem_shmem_prime_import_sg_table,
	.ioctls = garply_ioctls,
	.num_ioctls = ARRAY_SIZE(garply_ioctls),
	.name = "garply",
	.desc = "garply",
	.major = 1,
};

static int garply_probe(struct platform_device *pdev)
{
	struct garply_device *garply;

	garply = devm_drm_dev_alloc(&pdev->dev, &garply_driver, struct garply_device, drm);
	if (IS_ERR(garply))
		return PTR_ERR(garply);

	platform_set_drvdata(pdev, garply);
	return drm_dev_register(&garply->drm, 0);
}

static void garply_remove(struct platform_device *pdev)
{
	struct garply_device *garply = platform_get_drvdata(pdev);

	drm_dev_unplug(&garply->drm);
}

static struct platform_driver garply_platform_driver = {
	.probe = garply_probe,
	.remove = garply_remove,
	.driver = { .name = "garply" },
};
module_platform_driver(garply_platform_driver);

MODULE_DESCRIPTION("Input of make convert, with objects of two kinds");
MODULE_LICENSE("Dual MIT/GPL");
