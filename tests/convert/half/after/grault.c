// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#include <drm/drm_atomic.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_modeset_helper_vtables.h>

#include "drm_dev_ctx.h"
#include "drm_shmem_safe.h"
#include "grault_drm.h"

struct grault_device {
	struct drm_dev_ctx ctx;
	struct drm_dev_ctx_data base;
	struct iommu_domain	*domain;
	bool			on;
};

struct grault_bo {
	struct drm_shmem_obj obj;
	size_t size;

	/* The driver's part is complete. */
	bool created;
};

DRM_SHMEM_OBJ_TYPE(grault_bo_type, struct grault_bo, obj, struct grault_bo_unique);

static struct grault_device *to_grault(struct drm_device *drm)
{
	return container_of(drm, struct grault_device, ctx.drm);
}

/* The core frees an object that is not complete without this. */
static void grault_bo_free(struct drm_shmem_obj *shmem)
{
	struct drm_gem_object *gem = drm_shmem_gem(shmem);
	struct grault_bo *bo = drm_shmem_from_obj(&grault_bo_type, shmem);

	/* An object whose creation failed has been undone. */
	if (!bo->created)
		return;

	iommu_unmap(to_grault(gem->dev)->domain, 0, bo->size);
}

static struct drm_gem_object *grault_create_object(struct drm_device *dev, size_t size)
{
	return drm_shmem_gem_create_object(&grault_bo_type);
}

const struct grault_bo_type grault_bo_type = {
	DRM_SHMEM_OBJ_FUNCS,
	.base.fini = grault_bo_free,
};

static int grault_ioctl_create(struct drm_dev_ctx_ioctl *ioctl, struct drm_grault_create *args,
			       struct drm_file *file)
{
	struct grault_bo_unique *new __free(drm_shmem) = NULL;
	struct grault_bo *bo __free(drm_shmem) = NULL;
	struct drm_device *dev = drm_dev_ctx_ioctl_drm(ioctl);
	const struct sg_table *sgt;
	int ret;

	new = drm_shmem_create(&grault_bo_type, dev, args->size, NULL);
	if (IS_ERR(new))
		return PTR_ERR(new);
	bo = drm_shmem_publish(&grault_bo_type, &new);

	drm_dev_ctx_live_or(live, to_drm_dev_ctx(bo->obj.base.base.dev), return -ENODEV);
	drm_shmem_sgt_or(lent, &live->bound, &bo->obj, ret, return ret);
	sgt = drm_shmem_sgt_table(lent);

	ret = iommu_map_sg(to_grault(dev)->domain, 0, sgt->sgl, sgt->orig_nents, IOMMU_READ,
			   GFP_KERNEL_ACCOUNT);
	if (ret < 0)
		return ret;

	bo->size = ret;
	ret = drm_shmem_mmap_offset(&bo->obj, &args->offset);
	if (ret)
		goto err_unmap;

	ret = drm_shmem_handle_create(&bo->obj, file, &args->handle);
	if (ret)
		goto err_unmap;

	bo->created = true;

	return 0;

err_unmap:
	iommu_unmap(to_grault(dev)->domain, 0, bo->size);

	return ret;
}

static int grault_ioctl_prep(struct drm_dev_ctx_ioctl *ioctl, struct drm_grault_prep *args,
			     struct drm_file *file)
{
	struct grault_bo *bo;
	int ret = 0;

	bo = drm_shmem_lookup(&grault_bo_type, file, args->handle);
	if (IS_ERR(bo))
		return PTR_ERR(bo);

	if (args->done)
		ret = -EAGAIN;
	if (!ret)
		ret = drm_shmem_cpu_begin(&bo->obj, DMA_BIDIRECTIONAL);
	drm_shmem_put(&bo->obj);

	return ret;
}

DRM_DEV_CTX_IOCTL_UNGUARDED(GRAULT_CREATE, grault_ioctl_create, struct drm_grault_create);
DRM_DEV_CTX_IOCTL_UNGUARDED(GRAULT_PREP, grault_ioctl_prep, struct drm_grault_prep);

DRM_DEV_CTX_IOCTLS(grault_ioctls) = {
	DRM_DEV_CTX_IOCTL_DEF(GRAULT_CREATE, DRM_RENDER_ALLOW),
	DRM_DEV_CTX_IOCTL_DEF(GRAULT_PREP, DRM_RENDER_ALLOW),
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

	drm_dev_ctx_guard_live(live, to_drm_dev_ctx(drm)) {
		to_grault(drm)->on = false;
	}
}

static const struct drm_crtc_helper_funcs grault_crtc_funcs __used = {
	.atomic_disable = grault_disable,
};

static int grault_probe(struct platform_device *pdev)
{
	const struct drm_dev_ctx_live *live;
	struct drm_dev_ctx_unreg *unreg __free(drm_dev_ctx_unreg) = NULL;
	struct grault_device *grault;

	unreg = drm_dev_ctx_alloc(&pdev->dev, &grault_driver, struct grault_device, ctx);
	if (IS_ERR(unreg))
		return PTR_ERR(unreg);
	grault = to_grault(drm_dev_ctx_unreg_drm(unreg));
	live = drm_dev_ctx_attach(unreg, NULL, &grault->base);
	if (IS_ERR(live))
		return PTR_ERR(live);

	grault->domain = iommu_get_domain_for_dev(&pdev->dev);
	platform_set_drvdata(pdev, grault);
	return drm_dev_ctx_register(&pdev->dev, &unreg, NULL, &grault->base);
}

static void grault_remove(struct platform_device *pdev)
{
	struct grault_device *grault = platform_get_drvdata(pdev);

	drm_dev_ctx_unregister(&grault->ctx);
}

static struct platform_driver grault_platform_driver = {
	.probe = grault_probe,
	.remove = grault_remove,
	.driver = { .name = "grault" },
};
module_platform_driver(grault_platform_driver);

MODULE_DESCRIPTION("Input of make convert, with objects that end half made");
MODULE_LICENSE("Dual MIT/GPL");
