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

/* Reads the table of an object that it is given. */
void corge_write_ptes(struct corge_bo *bo)
{
	struct drm_gem_shmem_object *shmem = &bo->base;
	struct scatterlist *sgl;
	unsigned int i;

	for_each_sgtable_dma_sg(shmem->sgt, sgl, i)
		pr_debug("%pad of %zu\n", &sg_dma_address(sgl), bo->base.base.size);
}

/* Each client may do this. */
static const struct drm_ioctl_desc corge_ioctls[] = {
	DRM_IOCTL_DEF_DRV(CORGE_CREATE, corge_ioctl_create, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(CORGE_OFFSET, corge_ioctl_offset, DRM_RENDER_ALLOW),
};

static const struct file_operations corge_fops = {
	.owner = THIS_MODULE,
	DRM_GEM_FOPS,
	.show_fdinfo = drm_show_fdinfo,
};

static void corge_show_fdinfo(struct drm_printer *p, struct drm_file *file)
{
	drm_printf(p, "corge: 1\n");
	drm_show_memory_stats(p, file);
}

static const struct drm_driver corge_driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER,
	.fops = &corge_fops,
	.gem_create_object = corge_create_object,
	.gem_prime_import_sg_table = corge_prime_import_sg_table,
	.ioctls = corge_ioctls,
	.num_ioctls = ARRAY_SIZE(corge_ioctls),
	.show_fdinfo = corge_show_fdinfo,
	.name = "corge",
	.desc = "corge",
	.major = 1,
};

/* Another condition, and a jump out of the section */
static int corge_resume(struct corge_device *corge)
{
	int ret = 0, idx;

	if (corge->pages &&
	    drm_dev_enter(&corge->drm, &idx)) {
		if (list_empty(&corge->bos))
			ret = -EIO;
		drm_dev_exit(idx);

		if (ret)
			goto err_pages;
	}
	return 0;

err_pages:
	corge->pages = 0;
	return ret;
}

static int corge_probe(struct platform_device *pdev)
{
	struct corge_device *corge;
	int ret;

	corge = devm_drm_dev_alloc(&pdev->dev, &corge_driver, struct corge_device, drm);
	if (IS_ERR(corge))
		return PTR_ERR(corge);

	mutex_init(&corge->lock);
	INIT_LIST_HEAD(&corge->bos);
	ret = corge_resume(corge);
	if (ret)
		return ret;
	platform_set_drvdata(pdev, corge);
	return drm_dev_register(&corge->drm, 0);
}

static void corge_remove(struct platform_device *pdev)
{
	struct corge_device *corge = platform_get_drvdata(pdev);

	drm_dev_unplug(&corge->drm);
}

static struct platform_driver corge_platform_driver = {
	.probe = corge_probe,
	.remove = corge_remove,
	.driver = { .name = "corge" },
};
module_platform_driver(corge_platform_driver);

MODULE_DESCRIPTION("Input of make convert, with objects of its own");
MODULE_LICENSE("Dual MIT/GPL");
