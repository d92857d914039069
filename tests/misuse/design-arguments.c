// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: design
// title: arguments are evaluated once, before the token is used up
// rust: b
// wrong: AFTER_THE_TOKEN B: this token was used up before
// run: drm_dev_ctx.drm_dev_ctx_test_arguments: The parent and the data may come from the token.

#include "foo.h"

struct foo_hw *foo_hw_of(const struct drm_dev_ctx_unreg *unreg);

int foo_probe(struct device *dev)
{
	struct drm_dev_ctx_unreg *unreg =
		drm_dev_ctx_alloc(dev, &foo_driver, struct foo_device, ctx);
	int ret;

	if (IS_ERR(unreg))
		return PTR_ERR(unreg);

	ret = drm_dev_ctx_register(drm_dev_ctx_bound_parent(&unreg->bound), &unreg,
				   &foo_reg_ops, &foo_hw_of(unreg)->base);
#if defined(AFTER_THE_TOKEN)
	foo_dev(drm_dev_ctx_unreg_drm(unreg))->hangcheck.func = NULL;
#endif
	return ret;
}
