// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#include <drm/drm_atomic.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_modeset_helper_vtables.h>

#include "grault_drm.h"

struct grault_device {
	struct drm_device	drm;
	struct iommu_domain	*domain;
	bool			on;
};

struct grault_bo {
	struct drm_gem_shmem_object base;
	size_t size;
};

static struct grault_device *to_grault(struct drm_device *drm)
{
	return container_of(drm, struct grault_device, drm);
}

static struct grault_bo *to_grault_bo(struct drm_gem_object *gem)
{
	return container_of(gem, struct grault_bo, base.base);
}

/* The core frees an object that is not complete without this. */
static void grault_bo_free(struct drm_gem_object *gem)
{
	struct grault_bo *bo = to_grault_bo(gem);

	iommu_unmap(to_grault(gem->dev)->domain, 0, bo->size);
	drm_gem_shmem_free(&bo->base);
}

static const struct drm_gem_object_funcs grault_bo_funcs = {
	.free = grault_bo_free,
	.print_info = drm_gem_shmem_object_print_info,
	.pin = drm_gem_shmem_object_pin,
	.unpin = drm_gem_shmem_object_unpin,
	.get_sg_table = drm_gem_shmem_object_get_sg_table,
	.vmap = drm_gem_shmem_object_vmap,
	.vunmap = drm_gem_shmem_object_vunmap,
	.mmap = drm_gem_shmem_object_mmap,
	.vm_ops = &drm_gem_shmem_vm_ops,
};

static struct drm_gem_object *grault_create_object(struct drm_device *dev, size_t size)
{
	struct grault_bo *bo;

	bo = kzalloc_obj(*bo);
	if (!bo)
		return ERR_PTR(-ENOMEM);

	bo->base.base.funcs = &grault_bo_funcs;

	return &bo->base.base;
}

static int grault_ioctl_create(struct drm_device *dev, void *data, struct drm_file *file)
{
	struct drm_grault_create *args = data;
	struct drm_gem_shmem_object *shmem;
	struct drm_gem_object *gem;
	struct grault_bo *bo;
	struct sg_table *sgt;
	int ret;

	shmem = drm_gem_shmem_create(dev, args->size);
	if (IS_ERR(shmem))
		return PTR_ERR(shmem);

	gem = &shmem->base;
	bo = to_grault_bo(gem);

	sgt = drm_gem_shmem_get_pages_sgt(shmem);
	if (IS_ERR(sgt)) {
		ret = PTR_ERR(sgt);
		goto err;
	}

	ret = iommu_map_sgtable(to_grault(dev)->domain, 0, shmem->sgt, IOMMU_READ);
	if (ret < 0)
		goto err;

	bo->size = ret;
	args->offset = drm_vma_node_offset_addr(&gem->vma_node);

	ret = drm_gem_handle_create(file, gem, &args->handle);
	if (ret)
		goto err_unmap;

	drm_gem_object_put(gem);

	return 0;

err_unmap:
	iommu_unmap(to_grault(dev)->domain, 0, bo->size);

err:
	drm_gem_shmem_object_free(gem);

	return ret;
}

static int grault_ioctl_prep(struct drm_device *dev, void *data, struct drm_file *file)
{
	struct drm_grault_prep *args = data;
	struct drm_gem_shmem_object *shmem;
	struct drm_gem_object *gem;
	struct grault_bo *bo;
	int ret = 0;

	gem = drm_gem_object_lookup(file, args->handle);
	if (!gem)
		return -ENOENT;

	bo = to_grault_bo(gem);
	shmem = &bo->base;

	if (args->done)
		ret = -EAGAIN;
	dma_sync_sgtable_for_cpu(dev->dev, shmem->sgt, DMA_BIDIRECTIONAL);
	drm_gem_object_put(gem);

	return ret;
}

static const struct drm_ioctl_desc grault_ioctls[] = {
	DRM_IOCTL_DEF_DRV(GRAULT_CREATE, grault_ioctl_create, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(GRAULT_PREP, grault_ioctl_prep, DRM_RENDER_ALLOW),
};

DEFINE_DRM_GEM_FOPS(grault_fops);

static const struct drm_driver grault_driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER,
	.fops = &grault_fops,
	.gem_create_object = grault_create_object,
	.ioctls = grault_ioctls,
	.num_ioctls = ARRAY_SIZE(grault_ioctls),
	.name = "grault",
	.desc = "grault",
	.major = 1,
};

/* The exit needs the index of a check that succeeded. */
static void grault_disable(struct drm_crtc *crtc, struct drm_atomic_commit *state)
{
	struct drm_device *drm = crtc->dev;
	int idx;

	drm_dev_enter(drm, &idx);

	to_grault(drm)->on = false;

	drm_dev_exit(idx);
}

static const struct drm_crtc_helper_funcs grault_crtc_funcs __used = {
	.atomic_disable = grault_disable,
};

static int grault_probe(struct platform_device *pdev)
{
	struct grault_device *grault;

	grault = devm_drm_dev_alloc(&pdev->dev, &grault_driver, struct grault_device, drm);
	if (IS_ERR(grault))
		return PTR_ERR(grault);

	grault->domain = iommu_get_domain_for_dev(&pdev->dev);
	platform_set_drvdata(pdev, grault);
	return drm_dev_register(&grault->drm, 0);
}

static void grault_remove(struct platform_device *pdev)
{
	struct grault_device *grault = platform_get_drvdata(pdev);

	drm_dev_unplug(&grault->drm);
}

static struct platform_driver grault_platform_driver = {
	.probe = grault_probe,
	.remove = grault_remove,
	.driver = { .name = "grault" },
};
module_platform_driver(grault_platform_driver);

MODULE_DESCRIPTION("Input of make convert, with objects that end half made");
MODULE_LICENSE("Dual MIT/GPL");
