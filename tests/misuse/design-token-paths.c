// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: design
// title: each path uses up a token exactly once
// rust: b
// wrong: DROPPED_ON_SOME C(context): '[^']*' (is not held on every path|that was not held)
// wrong: LEAKED C(context): '[^']*' is not held on every path
// wrong: UNTESTED C(context): releasing drm_dev_ctx_unreg '[^']*' that was not held

#include "foo.h"

int foo_reset(struct foo_device *foo);

int foo_probe_paths(struct device *dev, const struct drm_driver *driver, struct foo_hw *hw)
{
	struct drm_dev_ctx_unreg *unreg =
		drm_dev_ctx_alloc(dev, driver, struct foo_device, ctx);
	int ret;

#if !defined(UNTESTED)
	if (IS_ERR(unreg))
		return PTR_ERR(unreg);
#endif
	ret = foo_reset(foo_dev(drm_dev_ctx_unreg_drm(unreg)));
	if (ret) {
#if !defined(LEAKED)
		drm_dev_ctx_drop(&unreg);
#endif
#if !defined(DROPPED_ON_SOME)
		return ret;
#endif
	}
	return drm_dev_ctx_register(dev, &unreg, NULL, &hw->base);
}

int foo_probe_scope(struct device *dev, const struct drm_driver *driver, struct foo_hw *hw)
{
	struct drm_dev_ctx_unreg *unreg __free(drm_dev_ctx_unreg) =
		drm_dev_ctx_alloc(dev, driver, struct foo_device, ctx);
	int ret;

	if (IS_ERR_OR_NULL(unreg))
		return -ENOMEM;
	ret = foo_reset(foo_dev(drm_dev_ctx_unreg_drm(unreg)));
	if (ret)
		return ret;
	return drm_dev_ctx_register(dev, &unreg, NULL, &hw->base);
}
