// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <linux/mm_types.h>
#include <linux/module.h>
#include <linux/platform_device.h>

#include <drm/drm_atomic.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_modeset_helper_vtables.h>

#include "bar_drm.h"
#include "bar_drv.h"

/* An ioctl: a section that ends with its scope, and begins after a check. */
int bar_submit_ioctl(struct drm_device *dev, void *data,
		     struct drm_file *file)
{
	struct bar_device *bar = to_bar(dev);
	struct drm_bar_submit *args = data;
	int idx;

	if (args->flags)
		return -EINVAL;
	if (!drm_dev_enter(dev, &idx))
		return -ENODEV;
	if (!args->handle) {
		drm_dev_exit(idx);
		return -ENOENT;
	}
	bar->doorbell = args->handle;
	drm_dev_exit(idx);
	return 0;
}

/* One that has the DRM device of no use. */
static int bar_get_param_ioctl(struct drm_device *dev, void *data,
			       struct drm_file *file)
{
	struct drm_bar_get_param *args = data;

	args->value = to_bar(dev)->param;
	return 0;
}

/**
 * bar_kick_ioctl() - one that is a section from its start
 * @dev: DRM device
 * @data: ioctl argument
 * @file: DRM file
 *
 * Return: 0, or a negative error code.
 */
static int bar_kick_ioctl(struct drm_device *dev, void *data, struct drm_file *file)
{
	struct bar_device *bar = to_bar(dev);
	struct drm_bar_kick *args = data;
	int ret, idx;

	if (!drm_dev_enter(dev, &idx))
		return -ENODEV;

	/* A comment about data of dev stays. */
	bar_dbg(bar, "data for engine %u\n", args->engine);
	ret = args->pad ? -EINVAL : bar_link_up(&bar->link, dev);
	drm_dev_exit(idx);
	return ret;
}

/* Left in the table: its argument has no type. */
static int bar_idle_ioctl(struct drm_device *dev, void *data, struct drm_file *file)
{
	return to_bar(dev)->doorbell ? -EBUSY : 0;
}

static const struct drm_ioctl_desc bar_drm_ioctls[] = {
	DRM_IOCTL_DEF_DRV(BAR_SUBMIT, bar_submit_ioctl, DRM_RENDER_ALLOW | DRM_AUTH),
	DRM_IOCTL_DEF_DRV(BAR_GET_PARAM, bar_get_param_ioctl, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(BAR_KICK, bar_kick_ioctl, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(BAR_IDLE, bar_idle_ioctl, 0),
};

static const struct drm_driver bar_driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER,
	.ioctls = bar_drm_ioctls,
	.num_ioctls = ARRAY_SIZE(bar_drm_ioctls),
	.name = "bar",
	.desc = "bar",
	.major = 1,
};

/* A fault, and what commits a mode. */
static vm_fault_t bar_fault(struct vm_fault *vmf)
{
	struct bar_device *bar = vmf->vma->vm_private_data;
	int idx;

	if (!drm_dev_enter(&bar->drm, &idx))
		return VM_FAULT_SIGBUS;
	bar->doorbell++;
	drm_dev_exit(idx);
	return VM_FAULT_NOPAGE;
}

static const struct vm_operations_struct bar_vm_ops __used = { .fault = bar_fault };

static void bar_enable(struct drm_crtc *crtc, struct drm_atomic_commit *state)
{
	struct drm_device *drm = crtc->dev;
	int idx;

	if (!drm_dev_enter(drm, &idx))
		return;
	to_bar(drm)->doorbell = 1;
	drm_dev_exit(idx);
}

static const struct drm_crtc_helper_funcs bar_crtc_funcs __used = { .atomic_enable = bar_enable };

/* Left: this may run before the registration. */
static void bar_reset(struct bar_device *bar)
{
	int idx;

	if (!drm_dev_enter(&bar->drm, &idx))
		return;
	bar->doorbell = 0;
	drm_dev_exit(idx);
}

static int bar_probe(struct platform_device *pdev)
{
	struct bar_device *bar;
	int ret;

	bar = devm_drm_dev_alloc(&pdev->dev, &bar_driver, struct bar_device, drm);
	if (IS_ERR(bar))
		return PTR_ERR(bar);
	platform_set_drvdata(pdev, bar);

	bar_reset(bar);
	ret = drm_dev_register(&bar->drm, 0);
	if (ret)
		dev_err(&pdev->dev, "no device: %d\n", ret);
	return ret;
}

static void bar_remove(struct platform_device *pdev)
{
	struct bar_device *bar = platform_get_drvdata(pdev);

	drm_dev_unplug(&bar->drm);
}

static struct platform_driver bar_platform_driver = {
	.probe = bar_probe,
	.remove = bar_remove,
	.driver = { .name = "bar" },
};
module_platform_driver(bar_platform_driver);

MODULE_DESCRIPTION("Input of make convert");
MODULE_LICENSE("Dual MIT/GPL");
