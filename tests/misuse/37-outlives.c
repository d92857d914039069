// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 37
// title: work, timer or interrupt that outlives the registration, or has no proof
// rust: partly
// wrong: NO_PROOF B: incompatible pointer
// wrong: PROOF_FOR_LATER C: 'reg' is borrowed for a scope and must not be kept
// wrong: BEFORE_THE_SECTION B: 'reg' undeclared|undeclared identifier 'reg'
// run: drm_dev_ctx.drm_dev_ctx_test_tasks: quiesce ends them, also those that rearm themselves
// run: drm_dev_ctx.drm_dev_ctx_test_irq_thread: an interrupt thread is refused after an unplug

#include "foo.h"

struct foo_engine {
	struct foo_device *foo;
	struct work_struct kick;
	const struct foo_reg *reg;
};

void foo_kick(struct work_struct *work)
{
	struct foo_engine *engine = container_of(work, struct foo_engine, kick);

#if defined(NO_PROOF)
	foo_hw_submit(engine->foo, 0);
#elif defined(BEFORE_THE_SECTION)
	foo_hw_submit(reg, 0);
#endif
	drm_dev_ctx_or(foo_reg, reg, &engine->foo->ctx, return);

	foo_hw_submit(reg, 0);
}

int foo_arm(const struct foo_reg *reg, struct foo_engine *engine)
{
#if defined(PROOF_FOR_LATER)
	engine->reg = reg;
#endif
	schedule_work(&engine->kick);
	return 0;
}

/* The end of all that may run later */
void foo_quiesce(const struct drm_dev_ctx_bound *bound, struct foo_hw *hw)
{
	disable_work_sync(&hw->reset);
	foo_hw_stop(bound, hw);
}
