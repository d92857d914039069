// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 38
// title: DRM parent is not the device that is being bound
// rust: no
// wrong: NOT_SAID B: too few arguments|incompatible pointer
// run: drm_dev_ctx.drm_dev_ctx_test_foreign_parent: refused and reported
// run: drm_dev_ctx.drm_dev_ctx_test_wrong_parent: so is a device that it was not allocated for
// run: drm_dev_ctx.drm_dev_ctx_test_stated_parent: stated, its own unbinding unplugs
// run: drm_dev_ctx.drm_dev_ctx_test_stated_parent_first: the parent's unbinding unbinds it first

#include <linux/virtio.h>

#include "foo.h"

int foo_virtio_probe(struct virtio_device *vdev)
{
	struct foo_unreg *unreg __free(foo_unreg) =
#if defined(NOT_SAID)
		foo_dev_alloc_parent(vdev->dev.parent, &foo_driver);
#else
		foo_dev_alloc_parent(&vdev->dev, vdev->dev.parent, &foo_driver);
#endif
	struct foo_hw *hw;

	if (IS_ERR(unreg))
		return PTR_ERR(unreg);

	hw = foo_hw_init(&unreg->bound, foo_unreg_dev(unreg));
	if (IS_ERR(hw))
		return PTR_ERR(hw);
	return drm_dev_ctx_register(foo, &vdev->dev, unreg, &foo_reg_ops, hw);
}
