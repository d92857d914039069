// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * A minimal driver outside of the kernel tree, as a starting point: a device, its registration,
 * and a work item that touches the hardware while the device is registered.
 */

#include <linux/device/faux.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_print.h>

#include "drm_dev_ctx.h"
#include "drm_shmem_obj.h"

/* A device. Below it, struct foo_hw lives as long as the registration. */
struct foo_device {
	struct drm_dev_ctx ctx;
};

struct foo_hw {
	struct drm_dev_ctx_data base;
	struct drm_dev_ctx *ctx;
	struct delayed_work tick;
	unsigned int ticks;
};

/* Proof that a struct foo_device is registered */
struct foo_reg {
	struct drm_dev_ctx_reg base;
};

static struct foo_hw *foo_reg_hw(const struct foo_reg *reg)
{
	return container_of(drm_dev_ctx_reg_data(&reg->base), struct foo_hw, base);
}

static void foo_hw_tick(const struct foo_reg *reg)
{
	foo_reg_hw(reg)->ticks++;
}

static void foo_tick_work(struct work_struct *work)
{
	struct foo_hw *hw = container_of(to_delayed_work(work), struct foo_hw, tick);

	drm_dev_ctx_guard(foo_reg, reg, hw->ctx) {
		foo_hw_tick(reg);
		schedule_delayed_work(&hw->tick, HZ);
	}
}

static void foo_quiesce(const struct drm_dev_ctx_bound *bound, struct drm_dev_ctx_data *data)
{
	disable_delayed_work_sync(&container_of(data, struct foo_hw, base)->tick);
}

static void foo_release(struct drm_dev_ctx_data *data)
{
	kfree(container_of(data, struct foo_hw, base));
}

static const struct drm_dev_ctx_ops foo_reg_ops = {
	.quiesce = foo_quiesce,
	.release = foo_release,
};

DEFINE_DRM_SHMEM_FOPS(foo_fops);

static const struct drm_driver foo_driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER,
	.fops = &foo_fops,
	.name = "foo",
	.desc = "A driver to begin with",
	.major = 1,
};

static int foo_probe(struct faux_device *fdev)
{
	struct device *dev = &fdev->dev;
	struct foo_device *foo;
	struct foo_hw *hw;
	int ret;

	struct drm_dev_ctx_unreg *unreg __free(drm_dev_ctx_unreg) =
		drm_dev_ctx_alloc(dev, &foo_driver, struct foo_device, ctx);
	if (IS_ERR(unreg))
		return PTR_ERR(unreg);

	hw = kzalloc_obj(*hw);
	if (!hw)
		return -ENOMEM;
	foo = drm_dev_ctx_entry(drm_dev_ctx_unreg_drm(unreg), struct foo_device, ctx);
	hw->ctx = &foo->ctx;
	INIT_DELAYED_WORK(&hw->tick, foo_tick_work);

	ret = drm_dev_ctx_register(dev, &unreg, &foo_reg_ops, &hw->base);
	if (!ret)
		schedule_delayed_work(&hw->tick, 0);
	return ret;
}

static const struct faux_device_ops foo_faux_ops = {
	.probe = foo_probe,
};

static struct faux_device *foo_faux;

static int __init foo_init(void)
{
	foo_faux = faux_device_create("foo", NULL, &foo_faux_ops);
	return foo_faux ? 0 : -ENODEV;
}
module_init(foo_init);

/*
 * Unbinding ends the registration. The file operations hold the module while a file is open. Work
 * items of the driver do not hold the module, so quiesce ends them.
 */
static void __exit foo_exit(void)
{
	faux_device_destroy(foo_faux);
}
module_exit(foo_exit);

MODULE_DESCRIPTION("A driver to begin with");
MODULE_LICENSE("Dual MIT/GPL");
