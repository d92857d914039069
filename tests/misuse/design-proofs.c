// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: design
// title: proofs cannot be assigned, copied, returned or made
// rust: b
// wrong: ASSIGNED B: assignment of read-only|cannot assign to|is not assignable
// wrong: POINTED_ELSEWHERE B: assignment to expression with array type|not assignable|cannot assign
// wrong: COPIED B: invalid initializer|must be an initializer list
// wrong: RETURNED W: returns address of local variable|address of stack memory
// wrong: STORED U(gcc): storing the address of local variable 'reg'
// wrong: WEAKER_AS_STRONGER B: incompatible pointer
// wrong: FORGED C: cast to 'struct foo_reg \*'
// wrong: MADE_BY_HAND C: .__ctx. is private to the library
// wrong: OTHER_DRIVER B: incompatible pointer

#include "foo.h"

struct bar_device {
	struct drm_dev_ctx ctx;
};

/* Proof that a struct bar_device is registered */
struct bar_reg {
	struct drm_dev_ctx_reg base;
};

struct foo_client {
	const struct foo_reg *reg;
};

#if defined(RETURNED)
const struct foo_reg *foo_registered(struct foo_device *foo)
{
	drm_dev_ctx_or(foo_reg, reg, &foo->ctx, return NULL);
	return reg;
}
#endif

int foo_submit(struct foo_device *foo, struct bar_device *bar, struct foo_client *client)
{
	int ret = -ENODEV;

	drm_dev_ctx_guard(foo_reg, reg, &foo->ctx) {
		ret = foo_hw_submit(reg, 0);
		foo_hw_stop(&reg->base.bound, foo_reg_data(reg));
#if defined(ASSIGNED)
		*reg = *client->reg;
#elif defined(POINTED_ELSEWHERE)
		reg = client->reg;
#elif defined(COPIED)
		struct foo_reg copy[1] = reg;

		ret = foo_hw_submit(copy, 0);
#elif defined(STORED)
		client->reg = reg;
#elif defined(WEAKER_AS_STRONGER)
		ret = foo_hw_submit(&reg->base.bound, 0);
#elif defined(FORGED)
		ret = foo_hw_submit((struct foo_reg *)foo, 0);
#elif defined(MADE_BY_HAND)
		struct foo_reg made[1] = {};

		made->base.bound.__ctx = &foo->ctx;
		ret = foo_hw_submit(made, 0);
#elif defined(OTHER_DRIVER)
		drm_dev_ctx_guard(bar_reg, breg, &bar->ctx)
			ret = foo_hw_submit(breg, 0);
#endif
	}
	return ret;
}
