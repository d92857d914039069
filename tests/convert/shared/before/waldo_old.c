// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <linux/module.h>

#include <drm/drm_file.h>
#include <drm/drm_gem_shmem_helper.h>

#include "waldo.h"

struct waldo_old {
	struct waldo_device waldo;
	u32 revision;
};

DEFINE_DRM_GEM_FOPS(waldo_old_fops);

static const struct drm_driver waldo_old_driver = {
	.driver_features = DRIVER_GEM,
	.fops = &waldo_old_fops,
	DRM_GEM_SHMEM_DRIVER_OPS,
	.name = "waldo-old",
	.desc = "waldo-old",
	.major = 1,
};

static int waldo_old_probe(struct platform_device *pdev)
{
	struct waldo_old *old;

	old = devm_drm_dev_alloc(&pdev->dev, &waldo_old_driver, struct waldo_old, waldo.base);
	if (IS_ERR(old))
		return PTR_ERR(old);
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
