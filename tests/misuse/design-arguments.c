// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: design
// title: arguments are evaluated once, in order, before the token is used up
// rust: b
// wrong: AFTER_THE_TOKEN B: this token was used up before
// run: drm_dev_ctx.drm_dev_ctx_test_arguments: the parent and the data may come from the token

#include "foo.h"

struct foo_hw *foo_hw_of(const struct foo_unreg *unreg);

int foo_probe(struct device *dev)
{
	struct foo_unreg *unreg = foo_dev_alloc(dev, &foo_driver);
	int ret;

	if (IS_ERR(unreg))
		return PTR_ERR(unreg);

	ret = drm_dev_ctx_register(foo, drm_dev_bound_parent(&unreg->bound), unreg,
				   &foo_reg_ops, foo_hw_of(unreg));
#if defined(AFTER_THE_TOKEN)
	foo_unreg_dev(unreg)->hangcheck.func = NULL;
#endif
	return ret;
}
