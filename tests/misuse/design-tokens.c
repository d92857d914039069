// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: design
// title: a token that was used up cannot be used
// rust: b
// wrong: DROPPED_THEN_REGISTERED B: this token was used up before
// wrong: MOVED_THEN_REGISTERED B: this token was used up before
// wrong: NEVER_MADE B: this token was used up before
// wrong: NOT_A_VARIABLE B: lvalue|not assignable
// wrong: ONE_AFTER_THE_OTHER B: this token was used up before

#include "foo.h"

int foo_register(struct device *dev, struct foo_unreg *unreg, struct foo_hw *hw)
	__releases(unreg)
{
	return drm_dev_ctx_register(foo, dev, unreg, &foo_reg_ops, hw);
}

int foo_probe(struct device *dev, struct foo_hw *hw)
{
	struct foo_unreg *unreg __free(foo_unreg) = foo_dev_alloc(dev, &foo_driver);

	if (IS_ERR(unreg))
		return PTR_ERR(unreg);
#if defined(DROPPED_THEN_REGISTERED)
	drm_dev_ctx_drop(foo, unreg);
#elif defined(MOVED_THEN_REGISTERED)
	if (foo_register(dev, no_free_ptr(unreg), hw))
		return -EIO;
#elif defined(NEVER_MADE)
	struct foo_unreg *other = NULL;

	return drm_dev_ctx_register(foo, dev, other, &foo_reg_ops, hw);
#elif defined(NOT_A_VARIABLE)
	return drm_dev_ctx_register(foo, dev, foo_dev_alloc(dev, &foo_driver),
				    &foo_reg_ops, hw);
#elif defined(ONE_AFTER_THE_OTHER)
	if (!foo_hw_ready()) {
		int ret = foo_register(dev, drm_safe_take(unreg), hw);

		return ret ?: drm_dev_ctx_register(foo, dev, unreg, &foo_reg_ops, hw);
	}
#endif
	return drm_dev_ctx_register(foo, dev, unreg, &foo_reg_ops, hw);
}
