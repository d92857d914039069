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

/* An ioctl: a section that ends with its scope, and begins after a check. */
int bar_submit_ioctl(struct drm_dev_ctx_ioctl *ioctl, struct drm_bar_submit *args,
		     struct drm_file *file)
{
	struct bar_device *bar = to_bar(drm_dev_ctx_ioctl_drm(ioctl));

	if (args->flags)
		return -EINVAL;
	drm_dev_ctx_or(bar_reg, reg, ioctl, return -ENODEV);
	if (!args->handle)
		return -ENOENT;
	bar->doorbell = args->handle;
	return 0;
}

/* One that has the DRM device of no use. */
static int bar_get_param_ioctl(struct drm_dev_ctx_ioctl *ioctl, struct drm_bar_get_param *args,
			       struct drm_file *file)
{
	args->value = to_bar(drm_dev_ctx_ioctl_drm(ioctl))->param;
	return 0;
}

/**
 * bar_kick_ioctl() - one that is a section from its start
 * @reg: proof that the device is registered
 * @args: ioctl argument
 * @file: DRM file
 *
 * Return: 0, or a negative error code.
 */
static int bar_kick_ioctl(const struct bar_reg *reg, struct drm_bar_kick *args,
			  struct drm_file *file)
{
	struct drm_device *dev = drm_dev_ctx_reg_drm(&reg->base);
	struct bar_device *bar = to_bar(dev);
	int ret;

	/* A comment about data of dev stays. */
	bar_dbg(bar, "data for engine %u\n", args->engine);
	ret = args->pad ? -EINVAL : bar_link_up(&bar->link, dev);
	return ret;
}

/* Left in the table: its argument has no type. */
static int bar_idle_ioctl(struct drm_device *dev, void *data, struct drm_file *file)
{
	return to_bar(dev)->doorbell ? -EBUSY : 0;
}

DRM_DEV_CTX_IOCTL_UNGUARDED(BAR_SUBMIT, bar_submit_ioctl, struct drm_bar_submit);
DRM_DEV_CTX_IOCTL_UNGUARDED(BAR_GET_PARAM, bar_get_param_ioctl, struct drm_bar_get_param);
DRM_DEV_CTX_IOCTL(BAR_KICK, bar_kick_ioctl, bar_reg, struct drm_bar_kick);

DRM_DEV_CTX_IOCTLS(bar_drm_ioctls) = {
	DRM_DEV_CTX_IOCTL_DEF(BAR_SUBMIT, DRM_RENDER_ALLOW | DRM_AUTH),
	DRM_DEV_CTX_IOCTL_DEF(BAR_GET_PARAM, DRM_RENDER_ALLOW),
	DRM_DEV_CTX_IOCTL_DEF(BAR_KICK, DRM_RENDER_ALLOW),
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

	drm_dev_ctx_or(bar_reg, reg, &bar->ctx, return VM_FAULT_SIGBUS);
	bar->doorbell++;
	return VM_FAULT_NOPAGE;
}

static const struct vm_operations_struct bar_vm_ops __used = { .fault = bar_fault };

static void bar_enable(struct drm_crtc *crtc, struct drm_atomic_commit *state)
{
	struct drm_device *drm = crtc->dev;

	drm_dev_ctx_live_or(live, &to_bar(drm)->ctx, return);
	to_bar(drm)->doorbell = 1;
}

static const struct drm_crtc_helper_funcs bar_crtc_funcs __used = { .atomic_enable = bar_enable };

/* Left: this may run before the registration. */
static void bar_reset(struct bar_device *bar)
{
	drm_dev_ctx_live_or(live, &bar->ctx, return);
	bar->doorbell = 0;
}

static int bar_probe(struct platform_device *pdev)
{
	const struct drm_dev_ctx_live *live;
	struct drm_dev_ctx_unreg *unreg __free(drm_dev_ctx_unreg) = NULL;
	struct bar_device *bar;
	int ret;

	unreg = drm_dev_ctx_alloc(&pdev->dev, &bar_driver, struct bar_device, ctx);
	if (IS_ERR(unreg))
		return PTR_ERR(unreg);
	bar = to_bar(drm_dev_ctx_unreg_drm(unreg));
	live = drm_dev_ctx_attach(unreg, NULL, &bar->base);
	if (IS_ERR(live))
		return PTR_ERR(live);
	platform_set_drvdata(pdev, bar);

	bar_reset(bar);
	ret = drm_dev_ctx_register(&pdev->dev, &unreg, NULL, &bar->base);
	if (ret)
		dev_err(&pdev->dev, "no device: %d\n", ret);
	return ret;
}

static void bar_remove(struct platform_device *pdev)
{
	struct bar_device *bar = platform_get_drvdata(pdev);

	drm_dev_ctx_unregister(&bar->ctx);
}

static struct platform_driver bar_platform_driver = {
	.probe = bar_probe,
	.remove = bar_remove,
	.driver = { .name = "bar" },
};
module_platform_driver(bar_platform_driver);

MODULE_DESCRIPTION("Input of make convert");
MODULE_LICENSE("Dual MIT/GPL");
