// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <drm/drm_file.h>
#include <drm/drm_gem_shmem_helper.h>

#include "waldo.h"

DEFINE_DRM_GEM_FOPS(waldo_fops);

static const struct drm_driver waldo_driver = {
	.driver_features = DRIVER_GEM,
	.fops = &waldo_fops,
	.dumb_create = drm_gem_shmem_dumb_create,
	.gem_prime_import = drm_gem_shmem_prime_import_no_map,
	.name = "waldo",
	.desc = "waldo",
	.major = 1,
};

/* The result of the check is not asked for any more. */
static ssize_t waldo_write(struct file *file, const char __user *text, size_t count, loff_t *pos)
{
	struct waldo_device *waldo = file->private_data;
	int ret, idx;
	u32 width;

	ret = kstrtou32_from_user(text, count, 0, &width);
	if (ret)
		return ret;

	ret = drm_dev_enter(&waldo->base, &idx);
	if (!ret)
		return -ENODEV;

	waldo->width = width;

	drm_dev_exit(idx);

	return count;
}

/* The result of the check is what this returns. */
static ssize_t waldo_read(struct file *file, char __user *text, size_t count, loff_t *pos)
{
	struct waldo_device *waldo = file->private_data;
	int ret, idx;

	ret = drm_dev_enter(&waldo->base, &idx);
	if (!ret)
		return -ENODEV;

	drm_dev_exit(idx);

	return ret;
}

static const struct file_operations waldo_debugfs_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.read = waldo_read,
	.write = waldo_write,
};

static void waldo_note(struct waldo_device *waldo)
{
	char *note __free(kfree) = kasprintf(GFP_KERNEL, "%u", waldo->width);

	dev_dbg(waldo->base.dev, "%s\n", note);
}

static int waldo_probe(struct platform_device *pdev)
{
	struct drm_device *drm;
	int ret;

	switch (pdev->id) {
	case 0:
		drm = waldo_plain_create(pdev, &waldo_driver);
		break;
	default:
		drm = waldo_wide_create(pdev, &waldo_driver, pdev->id);
		break;
	}
	if (IS_ERR(drm))
		return PTR_ERR(drm);
	platform_set_drvdata(pdev, drm);
	debugfs_create_file("width", 0600, NULL, to_waldo_device(drm), &waldo_debugfs_fops);
	waldo_note(to_waldo_device(drm));

	ret = drm_dev_register(drm, 0);
	if (ret)
		return ret;

	return 0;
}

/* A function that calls kfree(), in a file with __free(kfree) */
static void waldo_remove(struct platform_device *pdev)
{
	struct drm_device *drm = platform_get_drvdata(pdev);
	char *name = kstrdup("waldo", GFP_KERNEL);

	kfree(name);
	drm_dev_unplug(drm);
}

static struct platform_driver waldo_platform_driver = {
	.probe = waldo_probe,
	.remove = waldo_remove,
	.driver = { .name = "waldo" },
};
module_platform_driver(waldo_platform_driver);

MODULE_DESCRIPTION("Input of make convert, with devices that begin with one structure");
MODULE_LICENSE("Dual MIT/GPL");
