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
#include "drm_dev_ctx.h"

/* An ioctl: a section that ends with its scope. */
int bar_submit_ioctl(struct bar_ioctl *ioctl, struct drm_bar_submit *args,
		     struct drm_file *file)
{
	struct bar_device *bar = bar_ioctl_dev(ioctl);

	if (args->flags)
		return -EINVAL;
	drm_dev_registered_or(bar, reg, ioctl, return -ENODEV);
	if (!args->handle) {
		return -ENOENT;
	}
	bar->doorbell = args->handle;
	return 0;
}

/* One that has the DRM device of no use. */
static int bar_get_param_ioctl(struct bar_device *self,
			       struct drm_bar_get_param *args,
			       struct drm_file *file)
{
	struct drm_device *dev = &self->drm;

	args->value = to_bar(dev)->param;
	return 0;
}

#define BAR_IOCTLS(X) \
	X(BAR_SUBMIT, struct drm_bar_submit, bar_submit_ioctl, IOCTL, DRM_RENDER_ALLOW | DRM_AUTH) \
	X(BAR_GET_PARAM, struct drm_bar_get_param, bar_get_param_ioctl, NORMAL, DRM_RENDER_ALLOW)

DRM_DEV_IOCTL_TABLE(bar, BAR_IOCTLS);

static const struct drm_driver bar_driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER,
	.ioctls = bar_ioctls,
	.num_ioctls = ARRAY_SIZE(bar_ioctls),
	.name = "bar",
	.desc = "bar",
	.major = 1,
};

/* A fault, and what commits a mode. */
static vm_fault_t bar_fault(struct vm_fault *vmf)
{
	struct bar_device *bar = vmf->vma->vm_private_data;

	drm_dev_registered_or(bar, reg, &bar->drm,
			      return VM_FAULT_SIGBUS);
	bar->doorbell++;
	return VM_FAULT_NOPAGE;
}

static const struct vm_operations_struct bar_vm_ops __used = { .fault = bar_fault };

static void bar_enable(struct drm_crtc *crtc, struct drm_atomic_commit *state)
{
	struct drm_device *drm = crtc->dev;

	drm_dev_registered_or(bar, reg, drm, return);
	to_bar(drm)->doorbell = 1;
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
	struct bar_unreg *token __free(bar_unreg) = NULL;
	struct bar_device *bar;
	int ret;

	token = bar_dev_alloc(&pdev->dev, &bar_driver);
	if (IS_ERR(token))
		return PTR_ERR(token);
	bar = bar_unreg_dev(token);
	platform_set_drvdata(pdev, bar);

	bar_reset(bar);
	ret = drm_dev_ctx_register(bar, &pdev->dev, token, NULL, bar);
	if (ret)
		dev_err(&pdev->dev, "no device: %d\n", ret);
	return ret;
}

static void bar_remove(struct platform_device *pdev)
{
	struct bar_device *bar = platform_get_drvdata(pdev);

	drm_dev_ctx_unregister(&bar->drm);
}

static struct platform_driver bar_platform_driver = {
	.probe = bar_probe,
	.remove = bar_remove,
	.driver = { .name = "bar" },
};
module_platform_driver(bar_platform_driver);

MODULE_DESCRIPTION("Input of make convert");
MODULE_LICENSE("Dual MIT/GPL");
