// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 38
// title: DRM parent is not the device that is being bound
// rust: no
// wrong: NOT_SAID B: requires 5 arguments|too few arguments
// run: drm_dev_ctx.drm_dev_ctx_test_foreign_parent: A parent of another driver is refused and reported.
// run: drm_dev_ctx.drm_dev_ctx_test_wrong_parent: A parent for which the device was not allocated is refused and reported.
// run: drm_dev_ctx.drm_dev_ctx_test_stated_parent: If the driver states the parent, the unbind of the bound device is an unplug.
// run: drm_dev_ctx.drm_dev_ctx_test_stated_parent_first: If the parent is unbound first, the bound device is unbound before it.

#include <linux/virtio.h>

#include "foo.h"

int foo_virtio_probe(struct virtio_device *vdev)
{
	struct drm_dev_ctx_unreg *unreg __free(drm_dev_ctx_unreg) =
#if defined(NOT_SAID)
		drm_dev_ctx_alloc_parent(vdev->dev.parent, &foo_driver, struct foo_device, ctx);
#else
		drm_dev_ctx_alloc_parent(&vdev->dev, vdev->dev.parent, &foo_driver,
					 struct foo_device, ctx);
#endif
	struct foo_hw *hw;

	if (IS_ERR(unreg))
		return PTR_ERR(unreg);

	hw = foo_hw_init(&unreg->bound, foo_dev(drm_dev_ctx_unreg_drm(unreg)));
	if (IS_ERR(hw))
		return PTR_ERR(hw);
	return drm_dev_ctx_register(&vdev->dev, &unreg, &foo_reg_ops, &hw->base);
}
