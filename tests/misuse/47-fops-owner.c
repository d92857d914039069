// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 47
// title: file operations without an owner
// rust: b
// wrong: NO_OWNER B: the file operations have no owner: THIS_MODULE
// run: drm_dev_ctx.drm_dev_ctx_test_alloc_fops: Where the compiler cannot see the driver, the call is refused and reported.

/* kbuild defines this for code that is not built in. */
#define MODULE

#include <linux/module.h>
#include <drm/drm_gem.h>

#include "foo.h"

static const struct file_operations foo_fops = {
#if !defined(NO_OWNER)
	.owner = THIS_MODULE,
#endif
	DRM_GEM_FOPS,
};

static const struct drm_driver foo_drm_driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER,
	.fops = &foo_fops,
	.name = "foo",
};

int foo_probe(struct device *dev, struct foo_hw *hw)
{
	struct drm_dev_ctx_unreg *unreg =
		drm_dev_ctx_alloc(dev, &foo_drm_driver, struct foo_device, ctx);

	if (IS_ERR(unreg))
		return PTR_ERR(unreg);
	return drm_dev_ctx_register(dev, &unreg, &foo_reg_ops, &hw->base);
}
