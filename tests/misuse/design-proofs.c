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
// wrong: NO_REGISTRATION B: a proof is needed here, such as &reg->base.bound, and NULL is none
// wrong: NO_PARENT B: a proof is needed here
// wrong: NO_BLOCK B: a proof is needed here
// wrong: NO_QUIESCE B: a proof is needed here
// wrong: NO_LIVE_DEVICE W: null|NULL
// wrong: NO_IOCTL B: this token was used up before, or never made
// wrong: NO_STEP B: this token was used up before, or never made

#include "drm_dev_ctx_async.h"
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

/* NULL in place of a proof */
struct device *foo_parent(const struct foo_reg *reg)
{
#if defined(NO_REGISTRATION)
	return drm_dev_ctx_reg_drm(NULL)->dev;
#elif defined(NO_PARENT)
	return drm_dev_ctx_bound_parent(NULL);
#elif defined(NO_BLOCK)
	return drm_dev_ctx_live_drm(NULL)->dev;
#elif defined(NO_IOCTL)
	return drm_dev_ctx_ioctl_drm(NULL)->dev;
#else
	return drm_dev_ctx_bound_parent(&reg->base.bound);
#endif
}

void foo_halt(const struct drm_dev_ctx_bound *bound)
{
#if defined(NO_QUIESCE)
	drm_gem_sgt_exports_end(NULL);
#else
	drm_gem_sgt_exports_end(bound);
#endif
}

int foo_watch(struct drm_dev_ctx_irq *irq, const struct drm_dev_ctx_live *live,
	      const struct drm_dev_ctx_irq_ops *ops)
{
#if defined(NO_LIVE_DEVICE)
	return drm_dev_ctx_irq_request(irq, NULL, 1, ops, 0, "foo");
#else
	return drm_dev_ctx_irq_request(irq, live, 1, ops, 0, "foo");
#endif
}

struct drm_gpuvm_imm_mapped *foo_nothing(const struct drm_gpuvm_imm_map_step *step)
{
#if defined(NO_STEP)
	return drm_gpuvm_imm_map_done(NULL);
#else
	return drm_gpuvm_imm_map_done(step);
#endif
}
