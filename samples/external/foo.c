// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * A minimal driver outside of the kernel tree, as a starting point: a device, its registration,
 * and a work item that touches the hardware while the device is registered.
 */

#include <linux/device/faux.h>
#include <linux/module.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_print.h>

#include "drm_dev_ctx.h"
#include "drm_dev_ctx_async.h"
#include "drm_shmem_obj.h"

/* A device. Below it, struct foo_hw lives as long as the registration. */
struct foo_device {
	struct drm_dev_ctx ctx;
};

struct foo_hw {
	struct drm_dev_ctx_data base;
	struct drm_dev_ctx_work tick;
	unsigned int ticks;
};

/* Called in a section. The library ends the work item, although it queues itself again. */
static void foo_tick(const struct drm_dev_ctx_reg *reg, struct drm_dev_ctx_data *data,
		     struct drm_dev_ctx_work *work)
{
	container_of(data, struct foo_hw, base)->ticks++;
	drm_dev_ctx_work_queue(work, system_percpu_wq, HZ);
}

static void foo_release(struct drm_dev_ctx_data *data)
{
	kfree(container_of(data, struct foo_hw, base));
}

static const struct drm_dev_ctx_ops foo_reg_ops = {
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
	const struct drm_dev_ctx_live *live;
	struct foo_hw *hw;

	struct drm_dev_ctx_unreg *unreg __free(drm_dev_ctx_unreg) =
		drm_dev_ctx_alloc(dev, &foo_driver, struct foo_device, ctx);
	if (IS_ERR(unreg))
		return PTR_ERR(unreg);

	hw = kzalloc_obj(*hw);
	if (!hw)
		return -ENOMEM;
	live = drm_dev_ctx_attach(unreg, &foo_reg_ops, &hw->base);
	if (IS_ERR(live))
		return PTR_ERR(live);

	/* The work item is held back until the device is registered. */
	drm_dev_ctx_work_init(&hw->tick, live, foo_tick);
	drm_dev_ctx_work_queue(&hw->tick, system_percpu_wq, 0);
	return drm_dev_ctx_register(dev, &unreg, NULL, NULL);
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
 * Unbinding ends the registration, and the library ends the work item. The file operations hold the
 * module while a file is open.
 */
static void __exit foo_exit(void)
{
	faux_device_destroy(foo_faux);
}
module_exit(foo_exit);

MODULE_DESCRIPTION("A driver to begin with");
MODULE_LICENSE("Dual MIT/GPL");
