// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 37
// title: work, timer or interrupt that outlives the registration, or has no proof
// rust: partly
// wrong: NO_PROOF B: incompatible pointer
// wrong: PROOF_FOR_LATER C: 'reg' is borrowed for a scope and must not be kept
// wrong: BEFORE_THE_SECTION B: 'reg' undeclared|undeclared identifier 'reg'
// wrong: WORK_NOT_ENDED C: quiesce does not end 'reset' of struct foo_hw
// wrong: IRQ_NOT_ENDED C: quiesce does not end the interrupt of devm_request_irq\(\): call free_irq\(\) there
// run: drm_dev_ctx.drm_dev_ctx_test_tasks: Quiesce ends timers and work items, even those that rearm themselves.
// run: drm_dev_ctx.drm_dev_ctx_test_irq_thread: After an unplug, an interrupt thread is refused.

#include <linux/interrupt.h>

#include "foo.h"

struct foo_runner {
	struct foo_device *foo;
	struct work_struct kick;
	const struct foo_reg *reg;
};

void foo_kick(struct work_struct *work)
{
	struct foo_runner *runner = container_of(work, struct foo_runner, kick);

#if defined(NO_PROOF)
	foo_hw_submit(runner->foo, 0);
#elif defined(BEFORE_THE_SECTION)
	foo_hw_submit(reg, 0);
#endif
	drm_dev_ctx_or(foo_reg, reg, &runner->foo->ctx, return);

	foo_hw_submit(reg, 0);
}

int foo_arm(const struct foo_reg *reg, struct foo_runner *runner)
{
#if defined(PROOF_FOR_LATER)
	runner->reg = reg;
#endif
	schedule_work(&runner->kick);
	return 0;
}

/* These may run late, so quiesce ends them. */
static void foo_reset(struct work_struct *work)
{
	foo_hw_ready();
}

static irqreturn_t foo_irq(int irq, void *data)
{
	return IRQ_HANDLED;
}

int foo_hw_begin(struct device *dev, struct foo_hw *hw, int irq)
{
	INIT_WORK(&hw->reset, foo_reset);
	schedule_work(&hw->reset);
	return devm_request_irq(dev, irq, foo_irq, 0, "foo", hw);
}

static void foo_quiesce(const struct drm_dev_ctx_bound *bound, struct drm_dev_ctx_data *data)
{
	struct foo_hw *hw = container_of(data, struct foo_hw, base);

#if !defined(IRQ_NOT_ENDED)
	devm_free_irq(drm_dev_ctx_bound_device(bound), 1, hw);
#endif
#if !defined(WORK_NOT_ENDED)
	disable_work_sync(&hw->reset);
#endif
	foo_hw_stop(bound, hw);
}

const struct drm_dev_ctx_ops foo_reg_ops = {
	.quiesce = foo_quiesce,
};
