// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Work items, timers, threads and interrupts that belong to a registration, and are ended with it.
 */

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include <kunit/test.h>

#include <drm/drm_drv.h>

#include "drm_dev_ctx_async.h"
#include "drm_safe_test.h"

struct adev {
	struct drm_dev_ctx ctx;
};

struct adev_reg {
	struct drm_dev_ctx_reg base;
};

/* The part of a test that outlives the registration data */
struct adev_test {
	struct kunit *test;
	struct device *parent;
	struct drm_dev_ctx_unreg *unreg;
	const struct drm_dev_ctx_live *live;
	struct drm_device *drm;
	struct adev_hw *hw;
	int irq;
	bool released;
	bool quiesced;
	atomic_t runs[7];	/* of the work items, timers and the thread, see adev_hw */
	atomic_t wrong;		/* a handler with the wrong proof or data, or too late */
	bool answers;		/* the interrupt ends waits */
	void (*in_quiesce)(struct adev_hw *hw);
};

struct adev_hw {
	struct drm_dev_ctx_data base;
	struct adev_test *t;
	struct drm_dev_ctx_work work;
	struct drm_dev_ctx_work live_work;
	struct drm_dev_ctx_timer timer;
	struct drm_dev_ctx_timer live_timer;
	struct drm_dev_ctx_hrtimer hrtimer;
	struct drm_dev_ctx_hrtimer live_hrtimer;
	struct drm_dev_ctx_kthread kthread;
	struct drm_dev_ctx_irq irq;
	struct completion done, begun;
	atomic_t handled, threaded;
};

static struct adev_hw *adev_data(struct drm_dev_ctx_data *data)
{
	return container_of(data, struct adev_hw, base);
}

static void adev_ran(struct adev_hw *hw, int what, bool right)
{
	if (!right || hw->t->released)
		atomic_inc(&hw->t->wrong);
	atomic_inc(&hw->t->runs[what]);
}

static bool adev_reg_right(const struct drm_dev_ctx_reg *reg, struct drm_dev_ctx_data *data)
{
	return drm_dev_ctx_reg_data(reg) == data && !adev_data(data)->t->quiesced;
}

/* Each of these rearms itself, for as long as it can. */
static void adev_work(const struct drm_dev_ctx_reg *reg, struct drm_dev_ctx_data *data,
		      struct drm_dev_ctx_work *work)
{
	struct adev_hw *hw = adev_data(data);

	adev_ran(hw, 0, work == &hw->work && adev_reg_right(reg, data));
	drm_dev_ctx_work_queue(work, system_dfl_wq, 0);
}

static void adev_live_work(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data,
			   struct drm_dev_ctx_work *work)
{
	struct adev_hw *hw = adev_data(data);

	adev_ran(hw, 1, work == &hw->live_work && drm_dev_ctx_live_data(live) == data);
	drm_dev_ctx_work_queue(work, system_dfl_wq, 1);
}

static void adev_timer(const struct drm_dev_ctx_reg *reg, struct drm_dev_ctx_data *data,
		       struct drm_dev_ctx_timer *timer)
{
	struct adev_hw *hw = adev_data(data);

	adev_ran(hw, 2, timer == &hw->timer && adev_reg_right(reg, data));
	drm_dev_ctx_timer_mod(timer, jiffies + 1);
}

static void adev_live_timer(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data,
			    struct drm_dev_ctx_timer *timer)
{
	struct adev_hw *hw = adev_data(data);

	adev_ran(hw, 3, timer == &hw->live_timer && drm_dev_ctx_live_data(live) == data);
	drm_dev_ctx_timer_mod(timer, jiffies + 1);
}

static enum hrtimer_restart adev_hrtimer(const struct drm_dev_ctx_reg *reg,
					 struct drm_dev_ctx_data *data,
					 struct drm_dev_ctx_hrtimer *timer)
{
	struct adev_hw *hw = adev_data(data);

	drm_dev_ctx_hrtimer_forward_now(timer, ms_to_ktime(2));
	adev_ran(hw, 4, timer == &hw->hrtimer && adev_reg_right(reg, data));
	return HRTIMER_RESTART;
}

static enum hrtimer_restart adev_live_hrtimer(const struct drm_dev_ctx_live *live,
					      struct drm_dev_ctx_data *data,
					      struct drm_dev_ctx_hrtimer *timer)
{
	struct adev_hw *hw = adev_data(data);

	adev_ran(hw, 5, timer == &hw->live_hrtimer && drm_dev_ctx_live_data(live) == data);
	drm_dev_ctx_hrtimer_start(timer, ms_to_ktime(2), 0, HRTIMER_MODE_REL);
	return HRTIMER_NORESTART;
}

static void adev_kthread(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data,
			 struct drm_dev_ctx_kthread *kthread)
{
	struct adev_hw *hw = adev_data(data);

	while (!kthread_should_stop()) {
		adev_ran(hw, 6, kthread == &hw->kthread && drm_dev_ctx_live_data(live) == data);
		schedule_timeout_idle(1);
	}
}

static irqreturn_t adev_irq(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data,
			    struct drm_dev_ctx_irq *irq)
{
	struct adev_hw *hw = adev_data(data);
	bool entered = false;

	/* With interrupts off, too; not after quiesce */
	drm_dev_ctx_guard_callback(again, to_drm_dev_ctx(drm_dev_ctx_live_drm(live)))
		entered = drm_dev_ctx_live_data(again) == data;
	if ((!entered && !hw->t->quiesced) || drm_dev_ctx_live_data(live) != data ||
	    irq != &hw->irq || hw->t->released)
		atomic_inc(&hw->t->wrong);
	atomic_inc(&hw->handled);
	return IRQ_WAKE_THREAD;
}

static irqreturn_t adev_irq_thread(const struct drm_dev_ctx_live *live,
				   struct drm_dev_ctx_data *data, struct drm_dev_ctx_irq *irq)
{
	struct adev_hw *hw = adev_data(data);

	if (drm_dev_ctx_live_data(live) != data || irq != &hw->irq || hw->t->released)
		atomic_inc(&hw->t->wrong);
	atomic_inc(&hw->threaded);
	if (hw->t->answers)
		complete(&hw->done);
	return IRQ_HANDLED;
}

static const struct drm_dev_ctx_irq_ops adev_irq_ops = {
	.handler = adev_irq,
	.thread = adev_irq_thread,
};

static void adev_quiesce(const struct drm_dev_ctx_bound *bound, struct drm_dev_ctx_data *data)
{
	struct adev_hw *hw = adev_data(data);

	hw->t->quiesced = true;
	if (hw->t->in_quiesce)
		hw->t->in_quiesce(hw);
}

static void adev_release(struct drm_dev_ctx_data *data)
{
	struct adev_hw *hw = adev_data(data);

	hw->t->released = true;
	hw->t->hw = NULL;
	kfree(hw);
}

static const struct drm_dev_ctx_ops adev_ops = {
	.quiesce = adev_quiesce,
	.release = adev_release,
};

KUNIT_DEFINE_ACTION_WRAPPER(adev_put, drm_dev_put, struct drm_device *);

/* A device with data that is not registered yet; nothing is initialised in it. */
static int adev_test_init(struct kunit *test)
{
	struct adev_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	test->priv = t;
	t->test = test;
	t->parent = drm_safe_test_parent(test);
	t->unreg = drm_dev_ctx_alloc(t->parent, drm_safe_test_driver(), struct adev, ctx);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t->unreg);
	t->drm = drm_dev_ctx_unreg_drm(t->unreg);
	drm_dev_get(t->drm);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, adev_put, t->drm), 0);

	t->hw = kzalloc_obj(*t->hw);
	KUNIT_ASSERT_NOT_NULL(test, t->hw);
	t->hw->t = t;
	init_completion(&t->hw->done);
	init_completion(&t->hw->begun);
	t->live = drm_dev_ctx_attach(t->unreg, &adev_ops, &t->hw->base);
	KUNIT_ASSERT_FALSE(test, IS_ERR(t->live));
	return 0;
}

static void adev_register(struct kunit *test)
{
	struct adev_test *t = test->priv;

	KUNIT_ASSERT_EQ(test, drm_dev_ctx_register(t->parent, &t->unreg, NULL, NULL), 0);
}

/* Initialises and starts all that rearm themselves. */
static void adev_start(struct adev_test *t)
{
	struct adev_hw *hw = t->hw;

	drm_dev_ctx_work_init(&hw->work, t->live, adev_work);
	drm_dev_ctx_work_init(&hw->live_work, t->live, adev_live_work);
	drm_dev_ctx_timer_init(&hw->timer, t->live, adev_timer);
	drm_dev_ctx_timer_init(&hw->live_timer, t->live, adev_live_timer);
	KUNIT_EXPECT_TRUE(t->test, drm_dev_ctx_work_queue(&hw->work, system_dfl_wq, 0));
	KUNIT_EXPECT_TRUE(t->test, drm_dev_ctx_work_queue(&hw->live_work, system_dfl_wq, 0));
	KUNIT_EXPECT_FALSE(t->test, drm_dev_ctx_timer_mod(&hw->timer, jiffies + 1));
	KUNIT_EXPECT_FALSE(t->test, drm_dev_ctx_timer_mod(&hw->live_timer, jiffies + 1));
	drm_dev_ctx_hrtimer_init(&hw->hrtimer, t->live, adev_hrtimer, CLOCK_MONOTONIC,
				 HRTIMER_MODE_REL);
	drm_dev_ctx_hrtimer_init(&hw->live_hrtimer, t->live, adev_live_hrtimer, CLOCK_MONOTONIC,
				 HRTIMER_MODE_REL);
	drm_dev_ctx_hrtimer_start(&hw->hrtimer, ms_to_ktime(2), 0, HRTIMER_MODE_REL);
	drm_dev_ctx_hrtimer_start(&hw->live_hrtimer, ms_to_ktime(2), 0, HRTIMER_MODE_REL);
	KUNIT_EXPECT_EQ(t->test, drm_dev_ctx_kthread_run(&hw->kthread, t->live, adev_kthread,
							 "adev"), 0);
}

/* Handlers that need a registration have not run. */
static void adev_expect_held(struct adev_test *t)
{
	KUNIT_EXPECT_EQ(t->test, atomic_read(&t->runs[0]), 0);
	KUNIT_EXPECT_EQ(t->test, atomic_read(&t->runs[2]), 0);
	KUNIT_EXPECT_EQ(t->test, atomic_read(&t->runs[4]), 0);
}

/* Waits until @what has run @runs times in total. */
static void adev_wait_all(struct adev_test *t, int what, int runs)
{
	while (atomic_read(&t->runs[what]) < runs)
		schedule_timeout_idle(1);
}

/* Waits for @runs more runs of the handlers that rearm themselves. */
static void adev_wait_runs(struct adev_test *t, int what, int runs)
{
	adev_wait_all(t, what, atomic_read(&t->runs[what]) + runs);
}

static void adev_expect_released(struct kunit *test)
{
	struct adev_test *t = test->priv;
	int runs = 0;

	KUNIT_EXPECT_TRUE(test, t->quiesced);
	KUNIT_EXPECT_TRUE(test, t->released);
	for (int i = 0; i < ARRAY_SIZE(t->runs); i++)
		runs += atomic_read(&t->runs[i]);
	msleep(20);
	for (int i = 0; i < ARRAY_SIZE(t->runs); i++)
		runs -= atomic_read(&t->runs[i]);
	KUNIT_EXPECT_EQ(test, runs, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->wrong), 0);
}

/* They rearm themselves, and the unbind ends them, with no call of the driver's. */
static void rearming(struct kunit *test)
{
	struct adev_test *t = test->priv;

	adev_start(t);
	/* A completer runs before the registration, an initiator does not. */
	adev_wait_runs(t, 1, 3);
	adev_wait_runs(t, 3, 3);
	adev_wait_runs(t, 5, 3);
	adev_wait_runs(t, 6, 3);
	adev_expect_held(t);
	adev_register(test);
	for (int i = 0; i < ARRAY_SIZE(t->runs); i++)
		adev_wait_runs(t, i, 3);
	drm_safe_test_unbind(test, t->parent);
	adev_expect_released(test);
}

/* In quiesce those that initiate have ended, and the others run. */
static void adev_check_in_quiesce(struct adev_hw *hw)
{
	struct adev_test *t = hw->t;
	int work = atomic_read(&t->runs[0]), timer = atomic_read(&t->runs[2]);
	int hrtimer = atomic_read(&t->runs[4]);

	adev_wait_runs(t, 1, 3);
	adev_wait_runs(t, 3, 3);
	adev_wait_runs(t, 5, 3);
	adev_wait_runs(t, 6, 3);
	drm_dev_ctx_hrtimer_start(&hw->hrtimer, 0, 0, HRTIMER_MODE_REL);
	KUNIT_EXPECT_FALSE(t->test, drm_dev_ctx_work_queue(&hw->work, system_dfl_wq, 0));
	KUNIT_EXPECT_FALSE(t->test, drm_dev_ctx_work_mod(&hw->work, system_dfl_wq, 0));
	KUNIT_EXPECT_FALSE(t->test, drm_dev_ctx_timer_mod(&hw->timer, jiffies));
	msleep(20);
	KUNIT_EXPECT_EQ(t->test, atomic_read(&t->runs[0]), work);
	KUNIT_EXPECT_EQ(t->test, atomic_read(&t->runs[2]), timer);
	KUNIT_EXPECT_EQ(t->test, atomic_read(&t->runs[4]), hrtimer);
}

static void quiesce(struct kunit *test)
{
	struct adev_test *t = test->priv;

	adev_start(t);
	adev_register(test);
	t->in_quiesce = adev_check_in_quiesce;
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(t->drm)), 0);
	adev_expect_released(test);
}

/* If the device is never registered, work that was held back never runs. */
static void dropped(struct kunit *test)
{
	struct adev_test *t = test->priv;

	adev_start(t);
	adev_wait_runs(t, 1, 1);
	drm_dev_ctx_drop(&t->unreg);
	adev_expect_released(test);
	adev_expect_held(t);
}

static void register_fails(struct kunit *test)
{
	struct adev_test *t = test->priv;
	struct device *other = drm_safe_test_parent(test);

	adev_start(t);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, drm_dev_ctx_register(other, &t->unreg, NULL, NULL), -EINVAL);
		EXPECT_BROKEN(test, "a device is registered where it was allocated");
	}
	adev_expect_released(test);
	adev_expect_held(t);
}

static void once_work(const struct drm_dev_ctx_reg *reg, struct drm_dev_ctx_data *data,
		      struct drm_dev_ctx_work *work)
{
	adev_ran(adev_data(data), 0, adev_reg_right(reg, data));
}

static void once_timer(const struct drm_dev_ctx_reg *reg, struct drm_dev_ctx_data *data,
		       struct drm_dev_ctx_timer *timer)
{
	adev_ran(adev_data(data), 2, adev_reg_right(reg, data));
}

/* Work that is held back counts as queued, and can be changed and cancelled. */
static void held_back(struct kunit *test)
{
	struct adev_test *t = test->priv;
	struct adev_hw *hw = t->hw;

	drm_dev_ctx_work_init(&hw->work, t->live, once_work);
	drm_dev_ctx_timer_init(&hw->timer, t->live, once_timer);
	KUNIT_EXPECT_FALSE(test, drm_dev_ctx_work_cancel_sync(&hw->work));
	KUNIT_EXPECT_TRUE(test, drm_dev_ctx_work_queue(&hw->work, system_percpu_wq, 0));
	KUNIT_EXPECT_FALSE(test, drm_dev_ctx_work_queue(&hw->work, system_percpu_wq, HZ));
	KUNIT_EXPECT_FALSE(test, drm_dev_ctx_work_flush(&hw->work));
	KUNIT_EXPECT_TRUE(test, drm_dev_ctx_work_cancel_sync(&hw->work));
	KUNIT_EXPECT_FALSE(test, drm_dev_ctx_work_mod(&hw->work, system_percpu_wq, 1000 * HZ));
	KUNIT_EXPECT_TRUE(test, drm_dev_ctx_work_mod(&hw->work, system_percpu_wq, 1));
	KUNIT_EXPECT_FALSE(test, drm_dev_ctx_timer_delete_sync(&hw->timer));
	KUNIT_EXPECT_FALSE(test, drm_dev_ctx_timer_mod(&hw->timer, jiffies));
	KUNIT_EXPECT_TRUE(test, drm_dev_ctx_timer_delete_sync(&hw->timer));
	adev_register(test);
	/* With the delay that it was given last */
	adev_wait_all(t, 0, 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->runs[2]), 0);

	/* As any work item and timer from here on */
	KUNIT_EXPECT_FALSE(test, drm_dev_ctx_work_mod(&hw->work, system_percpu_wq, 1000 * HZ));
	KUNIT_EXPECT_FALSE(test, drm_dev_ctx_work_queue(&hw->work, system_percpu_wq, 0));
	KUNIT_EXPECT_TRUE(test, drm_dev_ctx_work_cancel_sync(&hw->work));
	KUNIT_EXPECT_TRUE(test, drm_dev_ctx_work_queue(&hw->work, system_percpu_wq, 1000 * HZ));
	/* Whether it waits depends on whether a worker was faster. */
	drm_dev_ctx_work_flush(&hw->work);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->runs[0]), 2);
	KUNIT_EXPECT_FALSE(test, drm_dev_ctx_timer_mod(&hw->timer, jiffies + 1000 * HZ));
	KUNIT_EXPECT_TRUE(test, drm_dev_ctx_timer_mod(&hw->timer, jiffies + 1000 * HZ));
	KUNIT_EXPECT_TRUE(test, drm_dev_ctx_timer_delete_sync(&hw->timer));
	drm_dev_ctx_timer_mod(&hw->timer, jiffies);
	adev_wait_all(t, 2, 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->wrong), 0);
}

static enum hrtimer_restart once_hrtimer(const struct drm_dev_ctx_reg *reg,
					 struct drm_dev_ctx_data *data,
					 struct drm_dev_ctx_hrtimer *timer)
{
	adev_ran(adev_data(data), 4, adev_reg_right(reg, data));
	return HRTIMER_NORESTART;
}

/* The same of a timer of the other kind */
static void held_back_hrtimer(struct kunit *test)
{
	struct adev_test *t = test->priv;
	struct drm_dev_ctx_hrtimer *timer = &t->hw->hrtimer;

	drm_dev_ctx_hrtimer_init(timer, t->live, once_hrtimer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	KUNIT_EXPECT_FALSE(test, drm_dev_ctx_hrtimer_cancel(timer));
	drm_dev_ctx_hrtimer_start(timer, 0, 0, HRTIMER_MODE_REL);
	KUNIT_EXPECT_TRUE(test, drm_dev_ctx_hrtimer_cancel(timer));
	drm_dev_ctx_hrtimer_start(timer, ms_to_ktime(1000000), 0, HRTIMER_MODE_REL);
	drm_dev_ctx_hrtimer_start(timer, 0, 1000, HRTIMER_MODE_REL);
	adev_register(test);
	adev_wait_all(t, 4, 1);
	drm_dev_ctx_hrtimer_start(timer, ms_to_ktime(1000000), 0, HRTIMER_MODE_REL);
	KUNIT_EXPECT_TRUE(test, drm_dev_ctx_hrtimer_cancel(timer));
	KUNIT_EXPECT_FALSE(test, drm_dev_ctx_hrtimer_cancel(timer));
	drm_dev_ctx_hrtimer_start(timer, 0, 0, HRTIMER_MODE_REL);
	adev_wait_all(t, 4, 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->wrong), 0);
}

/* Returns at once; the library has it still to give up. */
static void short_kthread(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data,
			  struct drm_dev_ctx_kthread *kthread)
{
	adev_ran(adev_data(data), 6, true);
	complete(&adev_data(data)->done);
}

static void sleeping_kthread(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data,
			     struct drm_dev_ctx_kthread *kthread)
{
	complete(&adev_data(data)->begun);
	set_current_state(TASK_IDLE);
	while (!kthread_should_stop()) {
		schedule();
		adev_ran(adev_data(data), 6, true);
		set_current_state(TASK_IDLE);
	}
	__set_current_state(TASK_RUNNING);
}

static void kthread(struct kunit *test)
{
	struct adev_test *t = test->priv;
	struct adev_hw *hw = t->hw;

	KUNIT_ASSERT_EQ(test, drm_dev_ctx_kthread_run(&hw->kthread, t->live, short_kthread, "adev"),
			0);
	wait_for_completion(&hw->done);
	drm_dev_ctx_kthread_wake_up(&hw->kthread);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, drm_dev_ctx_kthread_run(&hw->kthread, t->live, short_kthread,
							      "adev"), -EINVAL);
		EXPECT_BROKEN(test, "asynchronous code is initialised once");
	}
	drm_dev_ctx_kthread_stop(&hw->kthread);
	drm_dev_ctx_kthread_stop(&hw->kthread);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->runs[6]), 1);
	KUNIT_ASSERT_EQ(test, drm_dev_ctx_kthread_run(&hw->kthread, t->live, sleeping_kthread,
						      "adev"), 0);
	wait_for_completion(&hw->begun);
	adev_register(test);
	while (atomic_read(&t->runs[6]) < 2) {
		drm_dev_ctx_kthread_wake_up(&hw->kthread);
		schedule_timeout_idle(1);
	}
	drm_safe_test_unbind(test, t->parent);
	adev_expect_released(test);
}

static void waking_timer(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data,
			 struct drm_dev_ctx_timer *timer)
{
	struct adev_hw *hw = adev_data(data);

	drm_dev_ctx_kthread_wake_up(&hw->kthread);
	adev_ran(hw, 3, drm_dev_ctx_live_data(live) == data);
	drm_dev_ctx_timer_mod(timer, jiffies + 1);
}

/* The library ends this after the thread, and before the timer. */
static void work_after_kthread(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data,
			       struct drm_dev_ctx_work *work)
{
	struct adev_hw *hw = adev_data(data);

	while (!READ_ONCE(work->__async.__ending))
		schedule_timeout_idle(1);
	/* The kernel frees the task after a grace period. */
	rcu_barrier();
	if (READ_ONCE(hw->kthread.__task) || drm_dev_ctx_kthread_wake_up(&hw->kthread))
		atomic_inc(&hw->t->wrong);
	adev_wait_runs(hw->t, 3, 3);
}

/* Timers and interrupts may wake up a thread that the library has stopped before them. */
static void kthread_woken_late(struct kunit *test)
{
	struct adev_test *t = test->priv;
	struct adev_hw *hw = t->hw;

	drm_dev_ctx_work_init(&hw->live_work, t->live, work_after_kthread);
	KUNIT_ASSERT_EQ(test, drm_dev_ctx_kthread_run(&hw->kthread, t->live, sleeping_kthread,
						      "adev"), 0);
	drm_dev_ctx_timer_init(&hw->live_timer, t->live, waking_timer);
	drm_dev_ctx_timer_mod(&hw->live_timer, jiffies + 1);
	drm_dev_ctx_work_queue(&hw->live_work, system_dfl_wq, 0);
	adev_register(test);
	adev_wait_runs(t, 6, 3);
	drm_safe_test_unbind(test, t->parent);
	adev_expect_released(test);
}

/* Ends when its turn is over, and none is started after that. */
static void adev_kthread_late(struct adev_hw *hw)
{
	struct drm_dev_ctx *ctx = to_drm_dev_ctx(hw->t->drm);
	enum drm_dev_ctx_phase phase = ctx->__phase[DRM_DEV_CTX_LIVE_WORK];

	WRITE_ONCE(ctx->__phase[DRM_DEV_CTX_LIVE_WORK], DRM_DEV_CTX_OVER);
	KUNIT_EXPECT_EQ(hw->t->test, drm_dev_ctx_kthread_run(&hw->kthread, hw->t->live,
							     short_kthread, "adev"), -ENODEV);
	WRITE_ONCE(ctx->__phase[DRM_DEV_CTX_LIVE_WORK], phase);
	KUNIT_EXPECT_EQ(hw->t->test, atomic_read(&hw->t->runs[6]), 0);
}

static void kthread_late(struct kunit *test)
{
	struct adev_test *t = test->priv;

	adev_register(test);
	t->in_quiesce = adev_kthread_late;
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(t->drm)), 0);
	adev_expect_released(test);
}

static int kthread_fails(struct kunit *test, void *unused)
{
	struct adev_test *t = test->priv;
	int ret = drm_dev_ctx_kthread_run(&t->hw->kthread, t->live, sleeping_kthread, "adev");
	unsigned int left = drm_safe_fail_pause();

	drm_dev_ctx_kthread_stop(&t->hw->kthread);
	drm_safe_fail_resume(left);
	return ret;
}

static void kthread_without_memory(struct kunit *test)
{
	KUNIT_EXPECT_GE(test, drm_safe_fail_nth(test, kthread_fails, NULL), 1);
}

/* Something with a work item and a timer that goes before the registration does */
struct adev_queue {
	struct drm_dev_ctx_work work;
	struct drm_dev_ctx_timer timer;
	struct drm_dev_ctx_hrtimer hrtimer;
	struct drm_dev_ctx_kthread kthread;
	struct drm_dev_ctx_irq irq;
};

static void freed_before(struct kunit *test)
{
	struct adev_test *t = test->priv;
	struct adev_queue *queue = kzalloc_obj(*queue);

	KUNIT_ASSERT_NOT_NULL(test, queue);
	/* Zeroed, as on an error path */
	drm_dev_ctx_work_fini(&queue->work);
	drm_dev_ctx_timer_fini(&queue->timer);
	drm_dev_ctx_hrtimer_fini(&queue->hrtimer);
	drm_dev_ctx_kthread_stop(&queue->kthread);
	drm_dev_ctx_irq_free(&queue->irq);
	for (int i = 0; i < 2; i++) {
		drm_dev_ctx_work_init(&queue->work, t->live, once_work);
		drm_dev_ctx_timer_init(&queue->timer, t->live, once_timer);
		drm_dev_ctx_work_queue(&queue->work, system_percpu_wq, 0);
		drm_dev_ctx_timer_mod(&queue->timer, jiffies);
		drm_dev_ctx_hrtimer_init(&queue->hrtimer, t->live, once_hrtimer, CLOCK_MONOTONIC,
					 HRTIMER_MODE_REL);
		drm_dev_ctx_hrtimer_start(&queue->hrtimer, 0, 0, HRTIMER_MODE_REL);
		if (i)
			adev_register(test);
		drm_dev_ctx_work_fini(&queue->work);
		drm_dev_ctx_timer_fini(&queue->timer);
		drm_dev_ctx_hrtimer_fini(&queue->hrtimer);
	}
	kfree(queue);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->wrong), 0);
}

static void adev_kick_ended(struct kunit *test, struct adev_queue *queue)
{
	KUNIT_EXPECT_FALSE(test, drm_dev_ctx_work_queue(&queue->work, system_percpu_wq, 0));
	KUNIT_EXPECT_FALSE(test, drm_dev_ctx_work_mod(&queue->work, system_percpu_wq, 0));
	KUNIT_EXPECT_FALSE(test, drm_dev_ctx_work_flush(&queue->work));
	KUNIT_EXPECT_FALSE(test, drm_dev_ctx_work_cancel_sync(&queue->work));
	KUNIT_EXPECT_FALSE(test, drm_dev_ctx_timer_mod(&queue->timer, jiffies));
	drm_dev_ctx_hrtimer_start(&queue->hrtimer, 0, 0, HRTIMER_MODE_REL);
	KUNIT_EXPECT_FALSE(test, drm_dev_ctx_hrtimer_cancel(&queue->hrtimer));
	KUNIT_EXPECT_FALSE(test, drm_dev_ctx_kthread_wake_up(&queue->kthread));
	/* It can be ended again. */
	drm_dev_ctx_work_fini(&queue->work);
	drm_dev_ctx_timer_fini(&queue->timer);
	drm_dev_ctx_hrtimer_fini(&queue->hrtimer);
	drm_dev_ctx_kthread_stop(&queue->kthread);
}

static void idle_thread(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data,
			struct drm_dev_ctx_kthread *kthread)
{
	while (!kthread_should_stop())
		schedule_timeout_idle(1);
}

/*
 * A task that looked up an object does not know that another task has ended the object's code.
 * Starting this code does nothing then, held back or not.
 */
static void started_after_end(struct kunit *test)
{
	struct adev_test *t = test->priv;
	struct adev_queue *queue = kzalloc_obj(*queue);

	KUNIT_ASSERT_NOT_NULL(test, queue);
	for (int i = 0; i < 2; i++) {
		drm_dev_ctx_work_init(&queue->work, t->live, once_work);
		drm_dev_ctx_timer_init(&queue->timer, t->live, once_timer);
		drm_dev_ctx_hrtimer_init(&queue->hrtimer, t->live, once_hrtimer, CLOCK_MONOTONIC,
					 HRTIMER_MODE_REL);
		KUNIT_EXPECT_EQ(test, drm_dev_ctx_kthread_run(&queue->kthread, t->live, idle_thread,
							      "adev_idle"), 0);
		drm_dev_ctx_work_fini(&queue->work);
		drm_dev_ctx_timer_fini(&queue->timer);
		drm_dev_ctx_hrtimer_fini(&queue->hrtimer);
		drm_dev_ctx_kthread_stop(&queue->kthread);
		adev_kick_ended(test, queue);
		if (!i)
			adev_register(test);
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&t->wrong), 0);
	KUNIT_EXPECT_NULL(test, queue->work.__held);
	kfree(queue);
}

/* A handler that runs until the test ends it, and a task that ends the item of the handler */
static void long_work(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data,
		      struct drm_dev_ctx_work *work)
{
	struct adev_hw *hw = adev_data(data);

	complete(&hw->begun);
	wait_for_completion(&hw->done);
}

/* Not in the registration data, which is released while this task still has the item */
struct adev_fini {
	struct work_struct work;
	struct drm_dev_ctx_work item;
	bool ended;
};

static void fini_work(struct work_struct *work)
{
	struct adev_fini *fini = container_of(work, struct adev_fini, work);

	drm_dev_ctx_work_fini(&fini->item);
	WRITE_ONCE(fini->ended, true);
}

/* Ending a work item that the device is ending, too, waits for that. */
static void ended_by_both(struct kunit *test)
{
	struct adev_test *t = test->priv;
	struct adev_hw *hw = t->hw;
	struct adev_fini *fini = kunit_kzalloc(test, sizeof(*fini), GFP_KERNEL);
	struct work_struct *unbind = drm_safe_test_unbind_work(test, t->parent);

	KUNIT_ASSERT_NOT_NULL(test, fini);
	drm_dev_ctx_work_init(&fini->item, t->live, long_work);
	adev_register(test);
	drm_dev_ctx_work_queue(&fini->item, system_dfl_wq, 0);
	wait_for_completion(&hw->begun);
	schedule_work(unbind);
	while (!READ_ONCE(fini->item.__async.__ending))
		schedule_timeout_idle(1);
	INIT_WORK(&fini->work, fini_work);
	drm_safe_test_work_waits(test, &fini->work,
				 wq_has_sleeper(&to_drm_dev_ctx(t->drm)->__async_ended));
	KUNIT_EXPECT_FALSE(test, READ_ONCE(fini->ended));
	KUNIT_EXPECT_FALSE(test, t->released);
	complete(&hw->done);
	flush_work(unbind);
	flush_work(&fini->work);
	adev_expect_released(test);
}

/* A work item that is initialised after its step of the end never runs, and needs no end. */
static void adev_init_late(struct adev_hw *hw)
{
	struct adev_test *t = hw->t;

	drm_dev_ctx_work_init(&hw->work, t->live, once_work);
	KUNIT_EXPECT_FALSE(t->test, drm_dev_ctx_work_queue(&hw->work, system_percpu_wq, 0));
	drm_dev_ctx_timer_init(&hw->timer, t->live, once_timer);
	KUNIT_EXPECT_FALSE(t->test, drm_dev_ctx_timer_mod(&hw->timer, jiffies));
	drm_dev_ctx_work_init(&hw->live_work, t->live, adev_live_work);
	KUNIT_EXPECT_TRUE(t->test, drm_dev_ctx_work_queue(&hw->live_work, system_percpu_wq, 0));
	drm_dev_ctx_timer_fini(&hw->timer);
}

static void initialised_late(struct kunit *test)
{
	struct adev_test *t = test->priv;

	t->in_quiesce = adev_init_late;
	adev_register(test);
	drm_safe_test_unbind(test, t->parent);
	adev_expect_released(test);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->runs[0]), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->runs[2]), 0);
}

/* Misuse: twice, and never */
static void init_misuse(struct kunit *test)
{
	struct adev_test *t = test->priv;
	struct adev_hw *hw = t->hw;

	drm_dev_ctx_work_init(&hw->work, t->live, once_work);
	drm_dev_ctx_work_queue(&hw->work, system_percpu_wq, 0);
	drm_dev_ctx_timer_init(&hw->timer, t->live, once_timer);
	drm_dev_ctx_hrtimer_init(&hw->hrtimer, t->live, once_hrtimer, CLOCK_MONOTONIC,
				 HRTIMER_MODE_REL);
	kunit_warning_suppress(test) {
		drm_dev_ctx_work_init(&hw->work, t->live, adev_live_work);
		drm_dev_ctx_timer_init(&hw->timer, t->live, adev_live_timer);
		drm_dev_ctx_hrtimer_init(&hw->hrtimer, t->live, adev_live_hrtimer,
					 CLOCK_MONOTONIC, HRTIMER_MODE_REL);
		drm_dev_ctx_hrtimer_init(&hw->hrtimer, t->live, once_hrtimer,
					 CLOCK_MONOTONIC, HRTIMER_MODE_REL);
		drm_dev_ctx_work_init(&hw->work, t->live, once_work);
		drm_dev_ctx_timer_init(&hw->timer, t->live, once_timer);
		EXPECT_BROKEN_TIMES(test, 6, "asynchronous code is initialised once");
	}
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_FALSE(test, drm_dev_ctx_work_queue(&hw->live_work, system_percpu_wq,
								0));
		KUNIT_EXPECT_FALSE(test, drm_dev_ctx_work_mod(&hw->live_work, system_percpu_wq, 0));
		KUNIT_EXPECT_FALSE(test, drm_dev_ctx_work_cancel_sync(&hw->live_work));
		KUNIT_EXPECT_FALSE(test, drm_dev_ctx_work_flush(&hw->live_work));
		KUNIT_EXPECT_FALSE(test, drm_dev_ctx_timer_mod(&hw->live_timer, jiffies));
		KUNIT_EXPECT_FALSE(test, drm_dev_ctx_timer_delete_sync(&hw->live_timer));
		drm_dev_ctx_hrtimer_start(&hw->live_hrtimer, 0, 0, HRTIMER_MODE_REL);
		KUNIT_EXPECT_FALSE(test, drm_dev_ctx_hrtimer_cancel(&hw->live_hrtimer));
		KUNIT_EXPECT_FALSE(test, drm_dev_ctx_kthread_wake_up(&hw->kthread));
		EXPECT_BROKEN_TIMES(test, 9,
				    "asynchronous code is initialised before use");
	}
	/* The first ones are as they were. */
	adev_register(test);
	adev_wait_all(t, 0, 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->wrong), 0);
}

/* Not by the macro: the compiler would refuse that where it sees the section. */
static void adev_unregister_is_refused(struct adev_hw *hw)
{
	kunit_warning_suppress(hw->t->test) {
		KUNIT_EXPECT_EQ(hw->t->test, __drm_dev_ctx_unregister(to_drm_dev_ctx(hw->t->drm)),
				-EDEADLK);
		EXPECT_BROKEN(hw->t->test, "unregister from outside");
	}
}

static void unregister_work(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data,
			    struct drm_dev_ctx_work *work)
{
	adev_unregister_is_refused(adev_data(data));
	complete(&adev_data(data)->done);
}

static void unregister_reg_work(const struct drm_dev_ctx_reg *reg, struct drm_dev_ctx_data *data,
				struct drm_dev_ctx_work *work)
{
	adev_unregister_is_refused(adev_data(data));
	complete(&adev_data(data)->done);
}

/* The end of the registration waits for each handler. */
static void unregister_in_handler(struct kunit *test)
{
	struct adev_test *t = test->priv;
	struct adev_hw *hw = t->hw;

	drm_dev_ctx_work_init(&hw->live_work, t->live, unregister_work);
	drm_dev_ctx_work_init(&hw->work, t->live, unregister_reg_work);
	adev_register(test);
	drm_dev_ctx_work_queue(&hw->live_work, system_dfl_wq, 0);
	wait_for_completion(&hw->done);
	drm_dev_ctx_work_queue(&hw->work, system_dfl_wq, 0);
	wait_for_completion(&hw->done);
}

static void unregister_late_work(const struct drm_dev_ctx_live *live,
				 struct drm_dev_ctx_data *data, struct drm_dev_ctx_work *work)
{
	struct adev_hw *hw = adev_data(data);

	complete(&hw->begun);
	while (to_drm_dev_ctx(hw->t->drm)->__step != DRM_DEV_CTX_STEP_ASYNC)
		schedule_timeout_idle(1);
	while (!READ_ONCE(work->__async.__ending))
		schedule_timeout_idle(1);
	adev_unregister_is_refused(hw);
}

/* The handler is on no list any more, because it is ended just now. */
static void unregister_in_ending_handler(struct kunit *test)
{
	struct adev_test *t = test->priv;
	struct adev_hw *hw = t->hw;

	drm_dev_ctx_work_init(&hw->live_work, t->live, unregister_late_work);
	adev_register(test);
	drm_dev_ctx_work_queue(&hw->live_work, system_dfl_wq, 0);
	wait_for_completion(&hw->begun);
	drm_safe_test_unbind(test, t->parent);
	adev_expect_released(test);
}

static void unregister_kthread(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data,
			       struct drm_dev_ctx_kthread *kthread)
{
	adev_unregister_is_refused(adev_data(data));
	complete(&adev_data(data)->done);
}

static void unregister_in_kthread(struct kunit *test)
{
	struct adev_test *t = test->priv;
	struct adev_hw *hw = t->hw;

	adev_register(test);
	KUNIT_ASSERT_EQ(test, drm_dev_ctx_kthread_run(&hw->kthread, t->live, unregister_kthread,
						      "adev"), 0);
	wait_for_completion(&hw->done);
}

/* As in the handler of a timer, where nothing may wait */
static void unregister_in_softirq(struct kunit *test)
{
	struct adev_test *t = test->priv;
	int ret;

	adev_register(test);
	kunit_warning_suppress(test) {
		local_bh_disable();
		preempt_count_sub(SOFTIRQ_OFFSET);
		ret = drm_dev_ctx_unregister(to_drm_dev_ctx(t->drm));
		preempt_count_add(SOFTIRQ_OFFSET);
		local_bh_enable();
		EXPECT_BROKEN(test, "unregister from outside");
	}
	KUNIT_EXPECT_EQ(test, ret, -EDEADLK);
	KUNIT_EXPECT_FALSE(test, t->quiesced);
}

static void adev_free_desc(void *irq)
{
	irq_free_desc((long)irq);
}

/* An interrupt that a test raises */
static int adev_irq_desc(struct kunit *test)
{
	struct adev_test *t = test->priv;

	t->irq = irq_alloc_desc(NUMA_NO_NODE);
	KUNIT_ASSERT_GT(test, t->irq, 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, adev_free_desc,
							(void *)(long)t->irq), 0);
	irq_set_chip_and_handler(t->irq, &dummy_irq_chip, handle_simple_irq);
	return t->irq;
}

static void adev_raise(struct adev_test *t)
{
	KUNIT_EXPECT_EQ(t->test, generic_handle_irq_safe(t->irq), 0);
}

static void adev_wait_threaded(struct adev_hw *hw, int count)
{
	while (atomic_read(&hw->threaded) < count)
		schedule_timeout_idle(1);
}

/* quiesce can wait for the interrupt, which is there before registration, too. */
static void adev_ask_hardware(struct adev_hw *hw)
{
	hw->t->answers = true;
	reinit_completion(&hw->done);
	adev_raise(hw->t);
	KUNIT_EXPECT_GT(hw->t->test, wait_for_completion_timeout(&hw->done, 10 * HZ), 0);
}

static void irq(struct kunit *test)
{
	struct adev_test *t = test->priv;
	struct adev_hw *hw = t->hw;
	int nr = adev_irq_desc(test);

	KUNIT_ASSERT_EQ(test, drm_dev_ctx_irq_request(&hw->irq, t->live, nr, &adev_irq_ops, 0,
						      "adev"), 0);
	adev_raise(t);
	adev_wait_threaded(hw, 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&hw->handled), 1);
	adev_ask_hardware(hw);

	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, drm_dev_ctx_irq_request(&hw->irq, t->live, nr,
							      &adev_irq_ops, 0, "adev"), -EINVAL);
		EXPECT_BROKEN(test, "asynchronous code is initialised once");
	}
	adev_register(test);
	adev_raise(t);
	adev_wait_threaded(hw, 3);
	t->in_quiesce = adev_ask_hardware;
	drm_safe_test_unbind(test, t->parent);
	adev_expect_released(test);
	/* The line is free again. */
	KUNIT_EXPECT_FALSE(test, irq_has_action(nr));
}

static irqreturn_t other_irq(int irq, void *data)
{
	atomic_inc((atomic_t *)data);
	return IRQ_HANDLED;
}

static irqreturn_t unregister_thread(const struct drm_dev_ctx_live *live,
				     struct drm_dev_ctx_data *data, struct drm_dev_ctx_irq *irq)
{
	adev_unregister_is_refused(adev_data(data));
	complete(&adev_data(data)->done);
	return IRQ_HANDLED;
}

static const struct drm_dev_ctx_irq_ops unregister_irq_ops = {
	.thread = unregister_thread,
};

static void unregister_in_irq(struct kunit *test)
{
	struct adev_test *t = test->priv;
	struct adev_hw *hw = t->hw;
	int nr = adev_irq_desc(test);

	KUNIT_ASSERT_EQ(test, drm_dev_ctx_irq_request(&hw->irq, t->live, nr, &unregister_irq_ops,
						      IRQF_ONESHOT, "adev"), 0);
	adev_register(test);
	adev_raise(t);
	wait_for_completion(&hw->done);
	/* Not in the thread, nothing is wrong with it. */
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(t->drm)), 0);
}

/* The block of a handler is refused, too, but only with CONFIG_DRM_SAFE_DEBUG. */
static irqreturn_t unregister_handler(const struct drm_dev_ctx_live *live,
				      struct drm_dev_ctx_data *data, struct drm_dev_ctx_irq *irq)
{
	KUNIT_EXPECT_TRUE(adev_data(data)->t->test, irq->__async.__ops->is_current(&irq->__async));
	return unregister_thread(live, data, irq);
}

static const struct drm_dev_ctx_irq_ops unregister_handler_ops = {
	.handler = unregister_handler,
};

/* As with PREEMPT_RT or threadirqs: the handler is called in a task. */
static void unregister_in_forced_thread(struct kunit *test)
{
	struct adev_test *t = test->priv;
	struct adev_hw *hw = t->hw;
	int nr = adev_irq_desc(test);
	struct irqaction *action;

	KUNIT_ASSERT_EQ(test, drm_dev_ctx_irq_request(&hw->irq, t->live, nr,
						      &unregister_handler_ops, 0, "adev"), 0);
	adev_register(test);
	action = irq_data_to_desc(irq_get_irq_data(nr))->action;
	KUNIT_EXPECT_EQ(test, action->handler(nr, action->dev_id), IRQ_HANDLED);
	KUNIT_EXPECT_TRUE(test, completion_done(&hw->done));
	KUNIT_EXPECT_FALSE(test, hw->irq.__async.__ops->is_current(&hw->irq.__async));
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(t->drm)), 0);
}

/* A shared line outlives the device; there is no handler of it any more. */
static void irq_shared(struct kunit *test)
{
	struct adev_test *t = test->priv;
	struct adev_hw *hw = t->hw;
	atomic_t others = ATOMIC_INIT(0);
	int nr = adev_irq_desc(test);

	KUNIT_ASSERT_EQ(test, request_irq(nr, other_irq, IRQF_SHARED, "other", &others), 0);
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_irq_request(&hw->irq, t->live, nr, &adev_irq_ops,
						      IRQF_SHARED, "adev"), 0);
	adev_register(test);
	adev_raise(t);
	adev_wait_threaded(hw, 1);
	drm_safe_test_unbind(test, t->parent);
	adev_expect_released(test);
	adev_raise(t);
	KUNIT_EXPECT_EQ(test, atomic_read(&others), 2);
	free_irq(nr, &others);
}

/* Freed by the driver, requested again, and left to the library on an error path */
static void irq_free(struct kunit *test)
{
	struct adev_test *t = test->priv;
	struct adev_hw *hw = t->hw;
	int nr = adev_irq_desc(test);

	for (int i = 0; i < 2; i++) {
		KUNIT_ASSERT_EQ(test, drm_dev_ctx_irq_request(&hw->irq, t->live, nr,
							      &adev_irq_ops, 0, "adev"), 0);
		KUNIT_EXPECT_TRUE(test, irq_has_action(nr));
		drm_dev_ctx_irq_free(&hw->irq);
		KUNIT_EXPECT_FALSE(test, irq_has_action(nr));
	}
	KUNIT_ASSERT_EQ(test, drm_dev_ctx_irq_request(&hw->irq, t->live, nr, &adev_irq_ops, 0,
						      "adev"), 0);
	drm_dev_ctx_drop(&t->unreg);
	KUNIT_EXPECT_FALSE(test, irq_has_action(nr));
	adev_expect_released(test);
}

static irqreturn_t slow_irq_thread(const struct drm_dev_ctx_live *live,
				   struct drm_dev_ctx_data *data, struct drm_dev_ctx_irq *irq)
{
	struct adev_hw *hw = adev_data(data);

	schedule_timeout_idle(5);
	atomic_inc(&hw->threaded);
	return IRQ_HANDLED;
}

static const struct drm_dev_ctx_irq_ops slow_irq_ops = {
	.handler = adev_irq,
	.thread = slow_irq_thread,
};

/* Waits for the thread that an interrupt has woken, and for nothing if there is no interrupt. */
static void irq_synchronize(struct kunit *test)
{
	struct adev_test *t = test->priv;
	struct adev_hw *hw = t->hw;
	int nr = adev_irq_desc(test);

	drm_dev_ctx_irq_synchronize(&hw->irq);
	KUNIT_ASSERT_EQ(test, drm_dev_ctx_irq_request(&hw->irq, t->live, nr, &slow_irq_ops, 0,
						      "adev"), 0);
	adev_register(test);
	for (int i = 1; i <= 3; i++) {
		adev_raise(t);
		drm_dev_ctx_irq_synchronize(&hw->irq);
		KUNIT_EXPECT_EQ(test, atomic_read(&hw->threaded), i);
	}
	drm_safe_test_unbind(test, t->parent);
	adev_expect_released(test);
}

/* A call that the kernel refuses leaves nothing behind, and can be repeated. */
static void irq_fails(struct kunit *test)
{
	struct adev_test *t = test->priv;
	struct adev_hw *hw = t->hw;
	int nr = adev_irq_desc(test);

	KUNIT_EXPECT_EQ(test, drm_dev_ctx_irq_request(&hw->irq, t->live, IRQ_NOTCONNECTED,
						      &adev_irq_ops, 0, "adev"), -ENOTCONN);
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_irq_request(&hw->irq, t->live, nr, &adev_irq_ops, 0,
						      "adev"), 0);
	drm_dev_ctx_drop(&t->unreg);
	KUNIT_EXPECT_FALSE(test, irq_has_action(nr));
}

/* A work item that waits for the interrupt ends before that is freed. */
static void ask_work(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data,
		     struct drm_dev_ctx_work *work)
{
	struct adev_hw *hw = adev_data(data);

	complete(&hw->begun);
	while (!hw->t->quiesced)
		schedule_timeout_idle(1);
	/* The task that ends the registration waits for this. */
	while (to_drm_dev_ctx(hw->t->drm)->__step != DRM_DEV_CTX_STEP_ASYNC)
		schedule_timeout_idle(1);
	adev_ask_hardware(hw);
}

static void work_waits_for_irq(struct kunit *test)
{
	struct adev_test *t = test->priv;
	struct adev_hw *hw = t->hw;
	int nr = adev_irq_desc(test);

	KUNIT_ASSERT_EQ(test, drm_dev_ctx_irq_request(&hw->irq, t->live, nr, &adev_irq_ops, 0,
						      "adev"), 0);
	drm_dev_ctx_work_init(&hw->live_work, t->live, ask_work);
	adev_register(test);
	drm_dev_ctx_work_queue(&hw->live_work, system_dfl_wq, 0);
	wait_for_completion(&hw->begun);
	drm_safe_test_unbind(test, t->parent);
	adev_expect_released(test);
}

/* A section waits for a completer while the device is unplugged. */
static void section_work(const struct drm_dev_ctx_reg *reg, struct drm_dev_ctx_data *data,
			 struct drm_dev_ctx_work *work)
{
	struct adev_hw *hw = adev_data(data);

	complete(&hw->begun);
	wait_for_completion(&hw->done);
}

static void completing_work(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data,
			    struct drm_dev_ctx_work *work)
{
	struct adev_hw *hw = adev_data(data);

	if (drm_dev_is_unplugged(drm_dev_ctx_live_drm(live)))
		complete(&hw->done);
	else
		drm_dev_ctx_work_queue(work, system_dfl_wq, 1);
}

static void completer(struct kunit *test)
{
	struct adev_test *t = test->priv;
	struct adev_hw *hw = t->hw;

	drm_dev_ctx_work_init(&hw->work, t->live, section_work);
	drm_dev_ctx_work_init(&hw->live_work, t->live, completing_work);
	adev_register(test);
	drm_dev_ctx_work_queue(&hw->work, system_dfl_wq, 0);
	drm_dev_ctx_work_queue(&hw->live_work, system_dfl_wq, 0);
	wait_for_completion(&hw->begun);
	drm_safe_test_unbind(test, t->parent);
	adev_expect_released(test);
}

/* Work that is queued from everywhere while the device is registered, and unregistered */
static void storm(struct kunit *test)
{
	struct adev_test *t = test->priv;
	struct adev_hw *hw = t->hw;
	int nr = adev_irq_desc(test);

	KUNIT_ASSERT_EQ(test, drm_dev_ctx_irq_request(&hw->irq, t->live, nr, &adev_irq_ops, 0,
						      "adev"), 0);
	adev_start(t);
	adev_register(test);
	for (int i = 0; i < 200; i++) {
		adev_raise(t);
		drm_dev_ctx_work_mod(&hw->live_work, system_dfl_wq, 0);
		drm_dev_ctx_work_mod(&hw->work, system_percpu_wq, 0);
		drm_dev_ctx_timer_mod(&hw->timer, jiffies);
	}
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(t->drm)), 0);
	adev_expect_released(test);
}

static struct kunit_case drm_dev_ctx_async_cases[] = {
	KUNIT_CASE(rearming),
	KUNIT_CASE(quiesce),
	KUNIT_CASE(dropped),
	KUNIT_CASE(register_fails),
	KUNIT_CASE(held_back),
	KUNIT_CASE(held_back_hrtimer),
	KUNIT_CASE(kthread),
	KUNIT_CASE(kthread_woken_late),
	KUNIT_CASE(kthread_late),
	KUNIT_CASE(kthread_without_memory),
	KUNIT_CASE(freed_before),
	KUNIT_CASE(started_after_end),
	KUNIT_CASE(ended_by_both),
	KUNIT_CASE(initialised_late),
	KUNIT_CASE(init_misuse),
	KUNIT_CASE(unregister_in_handler),
	KUNIT_CASE(unregister_in_ending_handler),
	KUNIT_CASE(unregister_in_kthread),
	KUNIT_CASE(unregister_in_softirq),
	KUNIT_CASE(unregister_in_irq),
	KUNIT_CASE(unregister_in_forced_thread),
	KUNIT_CASE(irq),
	KUNIT_CASE(irq_shared),
	KUNIT_CASE(irq_free),
	KUNIT_CASE(irq_synchronize),
	KUNIT_CASE(irq_fails),
	KUNIT_CASE(work_waits_for_irq),
	KUNIT_CASE(completer),
	KUNIT_CASE(storm),
	{}
};

static struct kunit_suite drm_dev_ctx_async_suite = {
	.name = "drm_dev_ctx_async",
	.init = adev_test_init,
	.test_cases = drm_dev_ctx_async_cases,
};

kunit_test_suite(drm_dev_ctx_async_suite);

MODULE_DESCRIPTION("KUnit tests for the DRM safe helpers: asynchronous code of a registration");
MODULE_LICENSE("Dual MIT/GPL");
