// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_print.h>

#include "corge_drm.h"
#include "corge_drv.h"
#include "drm_dev_ctx.h"
#include "drm_shmem_safe.h"

/* Reads the table of an object that it is given. */
void corge_write_ptes(struct corge_bo *bo, const struct sg_table *sgt)
{
	struct scatterlist *sgl;
	unsigned int i;

	for_each_sgtable_dma_sg(sgt, sgl, i)
		pr_debug("%pad of %zu\n", &sg_dma_address(sgl),
			 bo->obj.base.base.size);
}

DRM_DEV_CTX_IOCTL_UNGUARDED(CORGE_CREATE, corge_ioctl_create, struct drm_corge_create);
DRM_DEV_CTX_IOCTL_UNGUARDED(CORGE_OFFSET, corge_ioctl_offset, struct drm_corge_offset);

/* Each client may do this. */
DRM_DEV_CTX_IOCTLS(corge_ioctls) = {
	DRM_DEV_CTX_IOCTL_DEF(CORGE_CREATE, DRM_RENDER_ALLOW),
	DRM_DEV_CTX_IOCTL_DEF(CORGE_OFFSET, DRM_RENDER_ALLOW),
};

DEFINE_DRM_SHMEM_FOPS(corge_fops);

static void corge_show_fdinfo(struct drm_printer *p, struct drm_file *file)
{
	drm_printf(p, "corge: 1\n");
	drm_shmem_show_fdinfo(p, file);
}

static const struct drm_driver corge_driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER,
	.fops = &corge_fops,
	.gem_create_object = corge_create_object,
	DRM_SHMEM_RENDER_OPS_SGT_FDINFO(corge_show_fdinfo),
	.ioctls = corge_ioctls,
	.num_ioctls = ARRAY_SIZE(corge_ioctls),
	.name = "corge",
	.desc = "corge",
	.major = 1,
};

/* Another condition, and a jump out of the section */
static int corge_resume(struct corge_device *corge)
{
	int ret = 0;

	if (corge->pages) {
		drm_dev_ctx_guard_live(live, &corge->ctx) {
			if (list_empty(&corge->bos))
				ret = -EIO;

			if (ret)
				goto err_pages;
		}
	}
	return 0;

err_pages:
	corge->pages = 0;
	return ret;
}

static int corge_probe(struct platform_device *pdev)
{
	const struct drm_dev_ctx_live *live;
	struct drm_dev_ctx_unreg *unreg __free(drm_dev_ctx_unreg) = NULL;
	struct corge_device *corge;
	int ret;

	unreg = drm_dev_ctx_alloc(&pdev->dev, &corge_driver, struct corge_device, ctx);
	if (IS_ERR(unreg))
		return PTR_ERR(unreg);
	corge = to_corge(drm_dev_ctx_unreg_drm(unreg));
	live = drm_dev_ctx_attach(unreg, NULL, &corge->base);
	if (IS_ERR(live))
		return PTR_ERR(live);

	mutex_init(&corge->lock);
	INIT_LIST_HEAD(&corge->bos);
	ret = corge_resume(corge);
	if (ret)
		return ret;
	platform_set_drvdata(pdev, corge);
	return drm_dev_ctx_register(&pdev->dev, &unreg, NULL, &corge->base);
}

static void corge_remove(struct platform_device *pdev)
{
	struct corge_device *corge = platform_get_drvdata(pdev);

	drm_dev_ctx_unregister(&corge->ctx);
}

static struct platform_driver corge_platform_driver = {
	.probe = corge_probe,
	.remove = corge_remove,
	.driver = { .name = "corge" },
};
module_platform_driver(corge_platform_driver);

MODULE_DESCRIPTION("Input of make convert, with objects of its own");
MODULE_LICENSE("Dual MIT/GPL");
