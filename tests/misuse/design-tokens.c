// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: design
// title: a token that was used up cannot be used
// rust: b
// wrong: DROPPED_THEN_REGISTERED B: this token was used up before
// wrong: MOVED_THEN_REGISTERED B: this token was used up before
// wrong: NEVER_MADE B: this token was used up before
// wrong: NOT_A_VARIABLE B: lvalue|rvalue|not assignable
// wrong: ONE_AFTER_THE_OTHER B: this token was used up before

#include "foo.h"

int foo_register(struct device *dev, struct drm_dev_ctx_unreg *unreg, struct foo_hw *hw)
	__releases(unreg)
{
	return drm_dev_ctx_register(dev, &unreg, &foo_reg_ops, &hw->base);
}

int foo_probe(struct device *dev, struct foo_hw *hw)
{
	struct drm_dev_ctx_unreg *unreg __free(drm_dev_ctx_unreg) =
		drm_dev_ctx_alloc(dev, &foo_driver, struct foo_device, ctx);

	if (IS_ERR(unreg))
		return PTR_ERR(unreg);
#if defined(DROPPED_THEN_REGISTERED)
	drm_dev_ctx_drop(&unreg);
#elif defined(MOVED_THEN_REGISTERED)
	if (foo_register(dev, no_free_ptr(unreg), hw))
		return -EIO;
#elif defined(NEVER_MADE)
	struct drm_dev_ctx_unreg *other = NULL;

	return drm_dev_ctx_register(dev, &other, &foo_reg_ops, &hw->base);
#elif defined(NOT_A_VARIABLE)
	return drm_dev_ctx_register(dev,
				    &drm_dev_ctx_alloc(dev, &foo_driver, struct foo_device, ctx),
				    &foo_reg_ops, &hw->base);
#elif defined(ONE_AFTER_THE_OTHER)
	if (!foo_hw_ready()) {
		int ret = foo_register(dev, drm_safe_take(unreg), hw);

		return ret ?: drm_dev_ctx_register(dev, &unreg, &foo_reg_ops, &hw->base);
	}
#endif
	return drm_dev_ctx_register(dev, &unreg, &foo_reg_ops, &hw->base);
}
