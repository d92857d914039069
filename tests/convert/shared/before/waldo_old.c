// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <linux/module.h>
#include <linux/sizes.h>

#include <drm/drm_dumb_buffers.h>
#include <drm/drm_file.h>
#include <drm/drm_gem_shmem_helper.h>

#include "waldo.h"

struct waldo_old {
	struct waldo_device waldo;
	u32 revision;
};

DEFINE_DRM_GEM_FOPS(waldo_old_fops);

/* Objects of this type, with a pitch of the driver's */
static int waldo_old_dumb_create(struct drm_file *file, struct drm_device *drm,
				 struct drm_mode_create_dumb *args)
{
	int ret;

	ret = drm_mode_size_dumb(drm, args, SZ_64, 0);
	if (ret)
		return ret;

	return drm_gem_shmem_create_with_handle(file, drm, args->size, &args->handle);
}

static const struct drm_driver waldo_old_driver = {
	.driver_features	= DRIVER_GEM,
	.fops			= &waldo_old_fops,
	.gem_prime_import	= drm_gem_shmem_prime_import_no_map,
	.dumb_create		= waldo_old_dumb_create,
	.name			= "waldo-old",
	.desc			= "waldo-old",
	.major			= 1,
};

static int waldo_old_probe(struct platform_device *pdev)
{
	struct waldo_old *old;

	old = devm_drm_dev_alloc(&pdev->dev, &waldo_old_driver, struct waldo_old, waldo.base);
	if (IS_ERR(old)) {
		dev_err(&pdev->dev, "no memory for the device\n");
		return PTR_ERR(old);
	}
	old->revision = pdev->id;
	old->waldo.width = 320;
	platform_set_drvdata(pdev, old);

	return drm_dev_register(&old->waldo.base, 0);
}

static void waldo_old_remove(struct platform_device *pdev)
{
	struct waldo_old *old = platform_get_drvdata(pdev);

	drm_dev_unplug(&old->waldo.base);
}

static struct platform_driver waldo_old_platform_driver = {
	.probe = waldo_old_probe,
	.remove = waldo_old_remove,
	.driver = { .name = "waldo-old" },
};
module_platform_driver(waldo_old_platform_driver);

MODULE_DESCRIPTION("Input of make convert, with a device that begins with the structure of others");
MODULE_LICENSE("Dual MIT/GPL");
