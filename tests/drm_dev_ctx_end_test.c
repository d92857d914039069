// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The beginning and the end of a registration: data before it, waits that stop ends, and the
 * shutdown of the system.
 */

#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <kunit/test.h>

#include <drm/drm_drv.h>
#include <drm/drm_managed.h>

#include "drm_dev_ctx_async.h"
#include "drm_safe_test.h"

struct edev {
	struct drm_dev_ctx ctx;
};

struct edev_reg {
	struct drm_dev_ctx_reg base;
};

/*
 * The log of events, in order:
 *
 *	x	stop, in a section
 *	u	stop, of a device that is unplugged, because registration fails
 *	s, q, r	kms_shutdown, quiesce, release
 *	!	one of them that has no hardware
 */
struct edev_test {
	struct device *parent;
	char steps[16];
	int len;
	/* Callbacks of one test */
	void (*in_stop)(const struct drm_dev_ctx_reg *reg);
	void (*in_quiesce)(struct drm_device *drm);
	struct task_struct *waits;	/* in a section, while registration fails */
	struct task_struct *shutdown;	/* in kms_shutdown, */
	bool slow;			/* so that it is waited for */
	struct drm_device *also;	/* which ends this device, too */
	int also_ret;
	struct drm_dev_ctx_work late;	/* initialised in quiesce */
};

struct edev_hw {
	struct drm_dev_ctx_data base;
	struct edev_test *t;
	wait_queue_head_t waits;
	struct completion inside;
};

static struct edev_hw *edev_data(struct drm_dev_ctx_data *data)
{
	return container_of(data, struct edev_hw, base);
}

static struct edev_hw *edev_hw(const struct drm_dev_ctx_live *live)
{
	return edev_data(drm_dev_ctx_live_data(live));
}

static struct edev_hw *edev_reg_hw(const struct edev_reg *reg)
{
	return edev_hw(drm_dev_ctx_reg_live(&reg->base));
}

static void edev_log(struct edev_test *t, char step)
{
	if (t->len < sizeof(t->steps) - 1)
		t->steps[t->len++] = step;
}

/* The data that a display's callback finds, or NULL */
static struct edev_hw *edev_live(struct drm_device *drm)
{
	drm_dev_ctx_guard_live(live, to_drm_dev_ctx(drm))
		return edev_hw(live);
	return NULL;
}

static bool edev_enters(struct drm_device *drm)
{
	drm_dev_ctx_or(edev_reg, reg, to_drm_dev_ctx(drm), return false);

	return edev_reg_hw(reg)->t;
}

static void edev_stop(const struct drm_dev_ctx_reg *reg, struct drm_dev_ctx_data *data)
{
	struct edev_hw *hw = edev_data(data);
	struct drm_device *drm = drm_dev_ctx_reg_drm(reg);
	bool late = hw->t->waits;
	bool right = drm_dev_ctx_reg_ending(reg) && drm_dev_ctx_reg_data(reg) == data &&
		     (late ? drm_dev_is_unplugged(drm) : edev_enters(drm));

	edev_log(hw->t, !right ? '!' : late ? 'u' : 'x');
	if (hw->t->in_stop)
		hw->t->in_stop(reg);
	wake_up_all(&hw->waits);
}

static void edev_kms_shutdown(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data)
{
	struct edev_hw *hw = edev_data(data);
	struct drm_device *drm = drm_dev_ctx_live_drm(live);
	bool right = edev_hw(live) == hw && !edev_enters(drm) && edev_live(drm) == hw &&
		     drm_dev_ctx_live_ending(live);

	edev_log(hw->t, right ? 's' : '!');
	hw->t->shutdown = current;
	if (hw->t->slow)
		schedule_timeout_idle(HZ / 10);
	if (hw->t->also)
		hw->t->also_ret = drm_dev_ctx_unregister(to_drm_dev_ctx(hw->t->also));
}

static void edev_quiesce(const struct drm_dev_ctx_bound *bound, struct drm_dev_ctx_data *data)
{
	struct edev_hw *hw = edev_data(data);
	struct drm_device *drm = drm_dev_ctx_bound_drm(bound);

	edev_log(hw->t, edev_live(drm) == hw && drm_dev_ctx_data_drm(data) == drm ? 'q' : '!');
	if (hw->t->in_quiesce)
		hw->t->in_quiesce(drm);
}

static void edev_release(struct drm_dev_ctx_data *data)
{
	struct edev_hw *hw = edev_data(data);

	edev_log(hw->t, 'r');
	kfree(hw);
}

static const struct drm_dev_ctx_ops edev_ops = {
	.stop = edev_stop,
	.kms_shutdown = edev_kms_shutdown,
	.quiesce = edev_quiesce,
	.release = edev_release,
};

static int edev_test_init(struct kunit *test)
{
	struct edev_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->parent = drm_safe_test_parent(test);
	test->priv = t;
	return 0;
}

KUNIT_DEFINE_ACTION_WRAPPER(edev_put, drm_dev_put, struct drm_device *);

/* A device that the test may look at after it is unbound */
static struct drm_dev_ctx_unreg *edev_new(struct kunit *test, const struct drm_driver *driver)
{
	struct edev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = drm_dev_ctx_alloc(t->parent, driver, struct edev, ctx);
	struct drm_device *drm;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unreg);
	drm = drm_dev_ctx_unreg_drm(unreg);
	drm_dev_get(drm);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, edev_put, drm), 0);
	return unreg;
}

static struct edev_hw *edev_hw_new(struct kunit *test)
{
	struct edev_hw *hw = kzalloc_obj(*hw);

	KUNIT_ASSERT_NOT_NULL(test, hw);
	hw->t = test->priv;
	init_waitqueue_head(&hw->waits);
	init_completion(&hw->inside);
	return hw;
}

static struct drm_device *edev_registered(struct kunit *test, struct edev_hw *hw)
{
	struct edev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = edev_new(test, drm_safe_test_driver());
	struct drm_device *drm = drm_dev_ctx_unreg_drm(unreg);

	KUNIT_ASSERT_EQ(test, drm_dev_ctx_register(t->parent, &unreg, &edev_ops, &hw->base), 0);
	return drm;
}

/* All five steps, each with its proof */
static void steps(struct kunit *test)
{
	struct edev_test *t = test->priv;
	struct edev_hw *hw = edev_hw_new(test);
	struct drm_device *drm = edev_registered(test, hw);
	bool ending = true;

	drm_dev_ctx_guard(edev_reg, reg, to_drm_dev_ctx(drm))
		ending = drm_dev_ctx_reg_ending(&reg->base);
	KUNIT_EXPECT_FALSE(test, ending);
	KUNIT_EXPECT_PTR_EQ(test, edev_live(drm), hw);
	drm_safe_test_unbind(test, t->parent);
	KUNIT_EXPECT_STREQ(test, t->steps, "xsqr");
	KUNIT_EXPECT_NULL(test, edev_live(drm));
}

/* Waits in a section, with nothing but stop to end the wait. */
/* Ends a registration while a thread, which is given the device, is inside. */
static void edev_unregister_with(struct kunit *test, int (*thread)(void *drm))
{
	struct edev_hw *hw = edev_hw_new(test);
	struct drm_device *drm = edev_registered(test, hw);
	struct task_struct *task = kthread_create(thread, drm, "edev");

	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	get_task_struct(task);
	wake_up_process(task);
	wait_for_completion(&hw->inside);
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(drm)), 0);
	KUNIT_EXPECT_EQ(test, kthread_stop(task), 0);
	put_task_struct(task);
}

static int wait_thread(void *drm)
{
	drm_dev_ctx_or(edev_reg, reg, to_drm_dev_ctx(drm), return -ENODEV);
	struct edev_hw *hw = edev_reg_hw(reg);

	complete(&hw->inside);
	wait_event(hw->waits, drm_dev_ctx_reg_ending(&reg->base));
	return 0;
}

static void stop_ends_waits(struct kunit *test)
{
	struct edev_test *t = test->priv;

	edev_unregister_with(test, wait_thread);
	KUNIT_EXPECT_STREQ(test, t->steps, "xsqr");
}

/*
 * A worker that memory reclaim may wait for does not wait for another worker, because the workqueue
 * code would warn about that. It runs kms_shutdown itself.
 */
struct edev_reclaim {
	struct work_struct work;
	struct drm_device *drm;
	struct task_struct *task;
	int ret;
};

static void unregister_in_reclaim(struct work_struct *work)
{
	struct edev_reclaim *reclaim = container_of(work, struct edev_reclaim, work);

	reclaim->task = current;
	reclaim->ret = drm_dev_ctx_unregister(to_drm_dev_ctx(reclaim->drm));
}

static void unregister_in_reclaim_worker(struct kunit *test)
{
	struct edev_test *t = test->priv;
	struct edev_reclaim reclaim = { .drm = edev_registered(test, edev_hw_new(test)) };
	struct workqueue_struct *wq = alloc_workqueue("edev", WQ_MEM_RECLAIM | WQ_UNBOUND, 0);

	KUNIT_ASSERT_NOT_NULL(test, wq);
	INIT_WORK_ONSTACK(&reclaim.work, unregister_in_reclaim);
	queue_work(wq, &reclaim.work);
	destroy_workqueue(wq);
	destroy_work_on_stack(&reclaim.work);
	KUNIT_EXPECT_EQ(test, reclaim.ret, 0);
	KUNIT_EXPECT_PTR_EQ(test, t->shutdown, reclaim.task);
	KUNIT_EXPECT_STREQ(test, t->steps, "xsqr");
}

/*
 * The display of one device ends another device, which has ended already. Lockdep must not report
 * this, because the workers of the two devices do not wait for each other.
 */
static void shutdown_of_ended(struct kunit *test)
{
	struct edev_test *t = test->priv;
	struct drm_device *ended = edev_registered(test, edev_hw_new(test));
	struct drm_device *drm = edev_registered(test, edev_hw_new(test));

	/* The workqueue code tells lockdep of a wait only if there is one. */
	t->slow = true;
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(ended)), 0);
	t->also = ended;
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(drm)), 0);
	KUNIT_EXPECT_EQ(test, t->also_ret, -ENODEV);
	KUNIT_EXPECT_STREQ(test, t->steps, "xsqrxsqr");
}

/* The wait ends, and the task with it, just before the report that it takes long. */
static void report_without_task(struct kunit *test)
{
	struct drm_dev_ctx_unreg *unreg = edev_new(test, drm_safe_test_driver());
	struct drm_dev_ctx *ctx = to_drm_dev_ctx(drm_dev_ctx_unreg_drm(unreg));

	KUNIT_EXPECT_NULL(test, ctx->__busy);
	WRITE_ONCE(ctx->__step, DRM_DEV_CTX_STEP_QUIESCE);
	ctx->__stuck.work.func(&ctx->__stuck.work);
	WRITE_ONCE(ctx->__step, DRM_DEV_CTX_STEP_SECTIONS);
	drm_dev_ctx_drop(&unreg);
}

/* stop must not end the registration: it is part of the end. */
static void unregister_in_stop(const struct drm_dev_ctx_reg *reg)
{
	struct kunit *test = kunit_get_current_test();

	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test,
				__drm_dev_ctx_unregister(to_drm_dev_ctx(drm_dev_ctx_reg_drm(reg))),
				-EDEADLK);
		EXPECT_BROKEN(test, "unregister from outside");
	}
}

static void stop_unregisters(struct kunit *test)
{
	struct edev_test *t = test->priv;
	struct drm_device *drm = edev_registered(test, edev_hw_new(test));

	t->in_stop = unregister_in_stop;
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(drm)), 0);
	KUNIT_EXPECT_STREQ(test, t->steps, "xsqr");
}

/* Somebody else has unplugged the device: there is no section to stop waits with, or in. */
static void stop_after_unplug(struct kunit *test)
{
	struct edev_test *t = test->priv;
	struct drm_device *drm = edev_registered(test, edev_hw_new(test));

	drm_dev_unplug(drm);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(drm)), 0);
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1);
	}
	KUNIT_EXPECT_STREQ(test, t->steps, "sqr");
}

/* Whether the registration of a live device is about to end, or is over before it began */
static void ending(struct kunit *test)
{
	struct edev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = edev_new(test, drm_safe_test_driver());
	struct edev_hw *hw = edev_hw_new(test);
	const struct drm_dev_ctx_live *live = drm_dev_ctx_attach(unreg, &edev_ops, &hw->base);
	struct drm_dev_ctx *ctx = to_drm_dev_ctx(drm_dev_ctx_unreg_drm(unreg));

	KUNIT_ASSERT_FALSE(test, IS_ERR(live));
	KUNIT_EXPECT_FALSE(test, drm_dev_ctx_live_ending(live));
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_register(t->parent, &unreg, NULL, NULL), 0);
	drm_dev_ctx_guard(edev_reg, reg, ctx)
		KUNIT_EXPECT_FALSE(test, drm_dev_ctx_live_ending(drm_dev_ctx_reg_live(&reg->base)));
	/* edev_kms_shutdown() looks. */
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(ctx), 0);
	KUNIT_EXPECT_STREQ(test, t->steps, "xsqr");
}

static void dropped_in_quiesce(struct drm_device *drm)
{
	bool ends = false;

	drm_dev_ctx_guard_live(live, to_drm_dev_ctx(drm))
		ends = drm_dev_ctx_live_ending(live);
	KUNIT_EXPECT_TRUE(kunit_get_current_test(), ends);
}

static void ending_dropped(struct kunit *test)
{
	struct edev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = edev_new(test, drm_safe_test_driver());

	KUNIT_ASSERT_FALSE(test, IS_ERR(drm_dev_ctx_attach(unreg, &edev_ops,
							   &edev_hw_new(test)->base)));
	t->in_quiesce = dropped_in_quiesce;
	drm_dev_ctx_drop(&unreg);
	KUNIT_EXPECT_STREQ(test, t->steps, "qr");
}

/* A wait with all its ends: the condition, the limit, a kill, the end of the registration */
static int wait_event_thread(void *drm)
{
	int ret = -EIO;

	drm_dev_ctx_guard(edev_reg, reg, to_drm_dev_ctx(drm)) {
		struct edev_hw *hw = edev_reg_hw(reg);

		complete(&hw->inside);
		ret = drm_dev_ctx_wait_event(&reg->base, hw->waits, false, MAX_SCHEDULE_TIMEOUT);
	}
	return ret;
}

static void wait_event_ends(struct kunit *test)
{
	struct edev_hw *hw = edev_hw_new(test);
	struct drm_device *drm = edev_registered(test, hw);
	struct task_struct *task = kthread_create(wait_event_thread, drm, "edev");
	int tries = 0;

	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	get_task_struct(task);
	drm_dev_ctx_guard_live(live, to_drm_dev_ctx(drm)) {
		KUNIT_EXPECT_EQ(test, drm_dev_ctx_wait_event(live, hw->waits, tries++ == 0,
							     1000 * HZ), 0);
		KUNIT_EXPECT_EQ(test, tries, 1);
		KUNIT_EXPECT_EQ(test, drm_dev_ctx_wait_event(live, hw->waits, false, 1),
				-ETIMEDOUT);
		KUNIT_EXPECT_EQ(test, drm_dev_ctx_wait_event(live, hw->waits, true, 0), 0);
		sigaddset(&current->pending.signal, SIGKILL);
		set_tsk_thread_flag(current, TIF_SIGPENDING);
		KUNIT_EXPECT_EQ(test, drm_dev_ctx_wait_event(live, hw->waits, false,
							     MAX_SCHEDULE_TIMEOUT), -EINTR);
		/* The result of its wait takes precedence. */
		KUNIT_EXPECT_EQ(test, drm_dev_ctx_wait_event(live, hw->waits, true, 1), 0);
		sigdelset(&current->pending.signal, SIGKILL);
		recalc_sigpending();
	}
	wake_up_process(task);
	wait_for_completion(&hw->inside);
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(drm)), 0);
	KUNIT_EXPECT_EQ(test, kthread_stop(task), -ENODEV);
	put_task_struct(task);
}

/* A wait in a block, which only the end of the registration ends */
static int live_wait_thread(void *drm)
{
	int ret = -EIO;

	drm_dev_ctx_guard_live(live, to_drm_dev_ctx(drm)) {
		struct edev_hw *hw = edev_hw(live);

		complete(&hw->inside);
		ret = drm_dev_ctx_wait_event(live, hw->waits, false, MAX_SCHEDULE_TIMEOUT);
	}
	return ret;
}

/* Starts a thread, and waits until it sleeps in drm_dev_ctx_wait_event(). */
static struct task_struct *edev_waiter(struct kunit *test, int (*thread)(void *drm),
				       struct drm_device *drm, struct edev_hw *hw)
{
	struct task_struct *task = kthread_create(thread, drm, "edev");

	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	get_task_struct(task);
	wake_up_process(task);
	wait_for_completion(&hw->inside);
	while (!wq_has_sleeper(&hw->waits) || task_is_running(task))
		schedule_timeout_idle(1);
	return task;
}

static void expect_waiter_ends(struct kunit *test, struct task_struct *task)
{
	KUNIT_EXPECT_EQ(test, kthread_stop(task), -ENODEV);
	put_task_struct(task);
}

/* The ways in which a device that has data ends without having been registered */
static void wait_until_dropped(struct kunit *test)
{
	struct edev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = edev_new(test, drm_safe_test_driver());
	struct edev_hw *hw = edev_hw_new(test);
	struct task_struct *task;

	KUNIT_ASSERT_FALSE(test, IS_ERR(drm_dev_ctx_attach(unreg, &edev_ops, &hw->base)));
	task = edev_waiter(test, live_wait_thread, drm_dev_ctx_unreg_drm(unreg), hw);
	drm_dev_ctx_drop(&unreg);
	expect_waiter_ends(test, task);
	KUNIT_EXPECT_STREQ(test, t->steps, "qr");
}

static void wait_until_refused(struct kunit *test)
{
	struct edev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = edev_new(test, drm_safe_test_driver());
	struct device *other = drm_safe_test_parent(test);
	struct edev_hw *hw = edev_hw_new(test);
	struct task_struct *task;

	KUNIT_ASSERT_FALSE(test, IS_ERR(drm_dev_ctx_attach(unreg, &edev_ops, &hw->base)));
	task = edev_waiter(test, live_wait_thread, drm_dev_ctx_unreg_drm(unreg), hw);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, drm_dev_ctx_register(other, &unreg, NULL, NULL), -EINVAL);
		EXPECT_BROKEN(test, "a device is registered where it was allocated");
	}
	expect_waiter_ends(test, task);
	KUNIT_EXPECT_STREQ(test, t->steps, "qr");
}

static void wait_until_unbound(struct kunit *test)
{
	struct edev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = edev_new(test, drm_safe_test_driver());
	struct edev_hw *hw = edev_hw_new(test);
	struct task_struct *task;

	KUNIT_ASSERT_FALSE(test, IS_ERR(drm_dev_ctx_attach(unreg, &edev_ops, &hw->base)));
	task = edev_waiter(test, live_wait_thread, drm_dev_ctx_unreg_drm(unreg), hw);
	drm_safe_test_unbind(test, t->parent);
	expect_waiter_ends(test, task);
	KUNIT_EXPECT_STREQ(test, t->steps, "qr");
}

/* Without a stop, only the library wakes up the wait. */
static const struct drm_dev_ctx_ops edev_ops_no_stop = {
	.kms_shutdown = edev_kms_shutdown,
	.quiesce = edev_quiesce,
	.release = edev_release,
};

static void wait_until_unregistered(struct kunit *test)
{
	struct edev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = edev_new(test, drm_safe_test_driver());
	struct drm_device *drm = drm_dev_ctx_unreg_drm(unreg);
	struct edev_hw *hw = edev_hw_new(test);
	struct task_struct *task;

	KUNIT_ASSERT_EQ(test, drm_dev_ctx_register(t->parent, &unreg, &edev_ops_no_stop,
						   &hw->base), 0);
	task = edev_waiter(test, wait_event_thread, drm, hw);
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(drm)), 0);
	expect_waiter_ends(test, task);
	KUNIT_EXPECT_STREQ(test, t->steps, "sqr");
}

/* The data that the callback of somebody else finds, or NULL */
static struct edev_hw *edev_callback(struct drm_device *drm)
{
	drm_dev_ctx_guard_callback(live, to_drm_dev_ctx(drm))
		return edev_hw(live);
	return NULL;
}

static void callback_in_quiesce(struct drm_device *drm)
{
	KUNIT_EXPECT_PTR_EQ(kunit_get_current_test(), edev_callback(drm), edev_live(drm));
}

static void callback(struct kunit *test)
{
	struct edev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = edev_new(test, drm_safe_test_driver());
	struct drm_device *drm = drm_dev_ctx_unreg_drm(unreg);
	struct edev_hw *hw = edev_hw_new(test);

	KUNIT_EXPECT_NULL(test, edev_callback(drm));
	KUNIT_ASSERT_FALSE(test, IS_ERR(drm_dev_ctx_attach(unreg, &edev_ops, &hw->base)));
	KUNIT_EXPECT_PTR_EQ(test, edev_callback(drm), hw);
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_register(t->parent, &unreg, NULL, NULL), 0);
	KUNIT_EXPECT_PTR_EQ(test, edev_callback(drm), hw);
	t->in_quiesce = callback_in_quiesce;
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(drm)), 0);
	KUNIT_EXPECT_NULL(test, edev_callback(drm));
	KUNIT_EXPECT_STREQ(test, t->steps, "xsqr");
}

/* Stays in a block until nothing but that keeps the registration from its end. */
static int callback_thread(void *data)
{
	struct drm_device *drm = data;
	struct drm_dev_ctx *ctx = to_drm_dev_ctx(drm);
	struct edev_hw *hw;

	drm_dev_ctx_guard_callback(live, ctx) {
		hw = edev_hw(live);
		complete(&hw->inside);
		while (READ_ONCE(ctx->__step) != DRM_DEV_CTX_STEP_BLOCKS)
			schedule_timeout_idle(1);
		edev_log(hw->t, drm_dev_is_unplugged(drm) && edev_hw(live) == hw ? 'c' : '!');
	}
	return 0;
}

/* An unplug does not wait for the block, and release does. */
static void callback_stays(struct kunit *test)
{
	struct edev_test *t = test->priv;

	edev_unregister_with(test, callback_thread);
	KUNIT_EXPECT_STREQ(test, t->steps, "xsqcr");
}

/* Data that is there before the device is registered */
static void attach(struct kunit *test)
{
	struct edev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = edev_new(test, drm_safe_test_driver());
	struct drm_device *drm = drm_dev_ctx_unreg_drm(unreg);
	struct edev_hw *hw = edev_hw_new(test);
	const struct drm_dev_ctx_live *live;

	KUNIT_EXPECT_NULL(test, edev_live(drm));
	live = drm_dev_ctx_attach(unreg, &edev_ops, &hw->base);
	KUNIT_ASSERT_FALSE(test, IS_ERR(live));
	KUNIT_EXPECT_PTR_EQ(test, edev_hw(live), hw);
	KUNIT_EXPECT_PTR_EQ(test, drm_dev_ctx_live_drm(live), drm);
	KUNIT_EXPECT_PTR_EQ(test, drm_dev_ctx_data_drm(&hw->base), drm);
	KUNIT_EXPECT_PTR_EQ(test, edev_live(drm), hw);
	KUNIT_EXPECT_FALSE(test, edev_enters(drm));

	KUNIT_EXPECT_EQ(test, drm_dev_ctx_register(t->parent, &unreg, &edev_ops, &hw->base), 0);
	KUNIT_EXPECT_TRUE(test, edev_enters(drm));
	drm_safe_test_unbind(test, t->parent);
	KUNIT_EXPECT_STREQ(test, t->steps, "xsqr");
	KUNIT_EXPECT_NULL(test, edev_live(drm));
}

/* It need not be given again. */
static void attach_once(struct kunit *test)
{
	struct edev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = edev_new(test, drm_safe_test_driver());
	struct drm_device *drm = drm_dev_ctx_unreg_drm(unreg);
	struct edev_hw *hw = edev_hw_new(test);

	KUNIT_ASSERT_FALSE(test, IS_ERR(drm_dev_ctx_attach(unreg, &edev_ops, &hw->base)));
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_register(t->parent, &unreg, NULL, NULL), 0);
	KUNIT_EXPECT_TRUE(test, edev_enters(drm));
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(drm)), 0);
	KUNIT_EXPECT_STREQ(test, t->steps, "xsqr");
}

/* Without a registration, stop and kms_shutdown are not called, and the other steps are. */
static void attach_dropped(struct kunit *test)
{
	struct edev_test *t = test->priv;
	struct drm_device *drm;

	{
		struct drm_dev_ctx_unreg *unreg __free(drm_dev_ctx_unreg) =
			edev_new(test, drm_safe_test_driver());

		drm = drm_dev_ctx_unreg_drm(unreg);
		KUNIT_ASSERT_FALSE(test, IS_ERR(drm_dev_ctx_attach(unreg, &edev_ops,
								   &edev_hw_new(test)->base)));
	}
	KUNIT_EXPECT_STREQ(test, t->steps, "qr");
	KUNIT_EXPECT_NULL(test, edev_live(drm));
	drm_safe_test_unbind(test, t->parent);
	KUNIT_EXPECT_STREQ(test, t->steps, "qr");
}

/* A token that is left when the parent is unbound, and memory of the driver's that goes then */
static void log_devm(void *data)
{
	edev_log(data, 'd');
}

static void attach_left(struct kunit *test)
{
	struct edev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = edev_new(test, drm_safe_test_driver());

	KUNIT_ASSERT_EQ(test, devm_add_action_or_reset(t->parent, log_devm, t), 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR(drm_dev_ctx_attach(unreg, &edev_ops,
							   &edev_hw_new(test)->base)));
	drm_safe_test_unbind(test, t->parent);
	KUNIT_EXPECT_STREQ(test, t->steps, "qrd");
}

static int load_fails(struct drm_device *drm, unsigned long flags)
{
	return -EIO;
}

DEFINE_DRM_GEM_FOPS(edev_fops);

static const struct drm_driver edev_driver_fails = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER,
	.fops = &edev_fops,
	.name = "edev",
	.load = load_fails,
};

static void attach_register_fails(struct kunit *test)
{
	struct edev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = edev_new(test, &edev_driver_fails);
	struct edev_hw *hw = edev_hw_new(test);

	KUNIT_ASSERT_FALSE(test, IS_ERR(drm_dev_ctx_attach(unreg, &edev_ops, &hw->base)));
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_register(t->parent, &unreg, &edev_ops, &hw->base), -EIO);
	/* If that takes some time then stop is called, too. */
	KUNIT_EXPECT_STREQ(test, t->steps + (t->steps[0] == '!'), "sqr");
	drm_safe_test_unbind(test, t->parent);
	KUNIT_EXPECT_STREQ(test, t->steps + (t->steps[0] == '!'), "sqr");
}

/* The section that a registration which fails waits for; a client would have entered it. */
static int load_fails_late(struct drm_device *drm, unsigned long flags)
{
	struct task_struct *task = kthread_create(wait_event_thread, drm, "edev");
	struct edev_hw *hw = NULL;

	drm_dev_ctx_guard_live(live, to_drm_dev_ctx(drm))
		hw = edev_hw(live);
	if (IS_ERR(task))
		return -EIO;
	hw->t->waits = get_task_struct(task);
	wake_up_process(task);
	wait_for_completion(&hw->inside);
	return -EIO;
}

static const struct drm_driver edev_driver_fails_late = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER,
	.fops = &edev_fops,
	.name = "edev",
	.load = load_fails_late,
};

/* It has its end by stop, which finds the device unplugged. */
static void register_fails_late(struct kunit *test)
{
	struct edev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = edev_new(test, &edev_driver_fails_late);
	struct edev_hw *hw = edev_hw_new(test);

	KUNIT_EXPECT_EQ(test, drm_dev_ctx_register(t->parent, &unreg, &edev_ops, &hw->base), -EIO);
	KUNIT_ASSERT_NOT_NULL(test, t->waits);
	KUNIT_EXPECT_EQ(test, kthread_stop(t->waits), -ENODEV);
	put_task_struct(t->waits);
	KUNIT_EXPECT_STREQ(test, t->steps, "usqr");
}

/* It has its end without a stop, too. */
static void register_fails_without_stop(struct kunit *test)
{
	struct edev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = edev_new(test, &edev_driver_fails_late);
	struct edev_hw *hw = edev_hw_new(test);

	KUNIT_EXPECT_EQ(test, drm_dev_ctx_register(t->parent, &unreg, &edev_ops_no_stop,
						   &hw->base), -EIO);
	KUNIT_ASSERT_NOT_NULL(test, t->waits);
	expect_waiter_ends(test, t->waits);
	KUNIT_EXPECT_STREQ(test, t->steps, "sqr");
}

/* A second one is refused, and ended; so is another one at registration. */
static void attach_twice(struct kunit *test)
{
	struct edev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = edev_new(test, drm_safe_test_driver());
	struct drm_device *drm = drm_dev_ctx_unreg_drm(unreg);
	struct edev_hw *hw = edev_hw_new(test);

	KUNIT_ASSERT_FALSE(test, IS_ERR(drm_dev_ctx_attach(unreg, &edev_ops, &hw->base)));
	kunit_warning_suppress(test) {
		/* Its quiesce finds other data. */
		KUNIT_EXPECT_EQ(test, PTR_ERR(drm_dev_ctx_attach(unreg, &edev_ops,
								 &edev_hw_new(test)->base)),
				-EINVAL);
		KUNIT_EXPECT_STREQ(test, t->steps, "!r");
		KUNIT_EXPECT_EQ(test, PTR_ERR(drm_dev_ctx_attach(unreg, &edev_ops, &hw->base)),
				-EINVAL);
		KUNIT_EXPECT_STREQ(test, t->steps, "!r");
		KUNIT_EXPECT_PTR_EQ(test, edev_live(drm), hw);
		KUNIT_EXPECT_EQ(test, drm_dev_ctx_register(t->parent, &unreg, &edev_ops,
							   &edev_hw_new(test)->base), -EINVAL);
		KUNIT_EXPECT_STREQ(test, t->steps, "!r!rqr");
		EXPECT_BROKEN_TIMES(test, 3, "a device has one registration data");
	}
	KUNIT_EXPECT_FALSE(test, edev_enters(drm));
}

/* No data is the data that a device has, too: it gets no other one. */
static void attach_nothing_twice(struct kunit *test)
{
	static const struct drm_dev_ctx_ops no_ops = {};
	struct edev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = edev_new(test, drm_safe_test_driver());
	struct drm_device *drm = drm_dev_ctx_unreg_drm(unreg);
	struct edev_hw *hw = edev_hw_new(test);

	KUNIT_ASSERT_FALSE(test, IS_ERR(drm_dev_ctx_attach(unreg, &no_ops, NULL)));
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, PTR_ERR(drm_dev_ctx_attach(unreg, &no_ops, NULL)), -EINVAL);
		KUNIT_EXPECT_EQ(test, PTR_ERR(drm_dev_ctx_attach(unreg, &no_ops, &hw->base)),
				-EINVAL);
		EXPECT_BROKEN_TIMES(test, 2, "a device has one registration data");
	}
	KUNIT_EXPECT_NULL(test, edev_live(drm));
	kfree(hw);
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_register(t->parent, &unreg, &no_ops, NULL), 0);
}

/* Code for which quiesce of refused data waits finds that data, and its device. */
static void refused_is_live(struct kunit *test)
{
	struct edev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = edev_new(test, drm_safe_test_driver()), *alias = unreg;
	struct drm_device *drm = drm_dev_ctx_unreg_drm(unreg);

	OPTIMIZER_HIDE_VAR(alias);
	drm_dev_ctx_drop(&unreg);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, PTR_ERR(drm_dev_ctx_attach(alias, &edev_ops,
								 &edev_hw_new(test)->base)),
				-EINVAL);
		KUNIT_EXPECT_EQ(test, drm_dev_ctx_register(t->parent, &alias, &edev_ops,
							   &edev_hw_new(test)->base), -EINVAL);
		EXPECT_BROKEN_TIMES(test, 2, "a token is used once");
	}
	KUNIT_EXPECT_STREQ(test, t->steps, "qrqr");
	KUNIT_EXPECT_NULL(test, edev_live(drm));
}

static void late_work(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data,
		      struct drm_dev_ctx_work *work)
{
	edev_log(edev_data(data)->t, '!');
}

static void init_in_quiesce(struct drm_device *drm)
{
	struct kunit *test = kunit_get_current_test();
	struct edev_test *t = test->priv;

	drm_dev_ctx_guard_live(live, to_drm_dev_ctx(drm))
		drm_dev_ctx_work_init(&t->late, live, late_work);
	KUNIT_EXPECT_FALSE(test, drm_dev_ctx_work_queue(&t->late, system_dfl_wq, 0));
}

/* The library ends no code that quiesce of refused data adds, so the code never runs. */
static void refused_adds_nothing(struct kunit *test)
{
	struct edev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = edev_new(test, drm_safe_test_driver()), *alias = unreg;

	OPTIMIZER_HIDE_VAR(alias);
	drm_dev_ctx_drop(&unreg);
	t->in_quiesce = init_in_quiesce;
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, PTR_ERR(drm_dev_ctx_attach(alias, &edev_ops,
								 &edev_hw_new(test)->base)),
				-EINVAL);
		EXPECT_BROKEN(test, "a token is used once");
	}
	KUNIT_EXPECT_STREQ(test, t->steps, "qr");
	KUNIT_EXPECT_TRUE(test, list_empty(&t->late.__async.__node));
	drm_dev_ctx_work_fini(&t->late);
}

/* A token that outlives the binding registers nothing, and there is no proof for quiesce. */
static void token_after_unbind(struct kunit *test)
{
	struct edev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = edev_new(test, drm_safe_test_driver()), *alias = unreg;
	struct drm_device *drm = drm_dev_ctx_unreg_drm(unreg);
	struct device *parent = get_device(t->parent);

	OPTIMIZER_HIDE_VAR(alias);
	drm_safe_test_unbind(test, t->parent);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, PTR_ERR(drm_dev_ctx_attach(alias, &edev_ops,
								 &edev_hw_new(test)->base)),
				-EINVAL);
		KUNIT_EXPECT_EQ(test, drm_dev_ctx_register(parent, &alias, &edev_ops,
							   &edev_hw_new(test)->base), -EINVAL);
		EXPECT_BROKEN_TIMES(test, 2, "a token is used once");
	}
	KUNIT_EXPECT_STREQ(test, t->steps, "rr");
	KUNIT_EXPECT_FALSE(test, edev_enters(drm));
	put_device(parent);
}

/* A token that was used up takes no data, and the data of the registration is left alone. */
static void attach_late(struct kunit *test)
{
	struct edev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = edev_new(test, drm_safe_test_driver()), *alias = unreg;
	struct drm_dev_ctx_unreg *none = NULL;
	struct drm_device *drm = drm_dev_ctx_unreg_drm(unreg);
	struct edev_hw *hw = edev_hw_new(test);

	OPTIMIZER_HIDE_VAR(alias);
	OPTIMIZER_HIDE_VAR(none);
	KUNIT_ASSERT_EQ(test, drm_dev_ctx_register(t->parent, &unreg, &edev_ops, &hw->base), 0);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, PTR_ERR(drm_dev_ctx_attach(alias, &edev_ops, &hw->base)),
				-EINVAL);
		KUNIT_EXPECT_STREQ(test, t->steps, "");
		KUNIT_EXPECT_EQ(test, drm_dev_ctx_register(t->parent, &alias, &edev_ops, &hw->base),
				-EINVAL);
		KUNIT_EXPECT_STREQ(test, t->steps, "");
		KUNIT_EXPECT_EQ(test, PTR_ERR(drm_dev_ctx_attach(none, &edev_ops,
								 &edev_hw_new(test)->base)),
				-EINVAL);
		KUNIT_EXPECT_STREQ(test, t->steps, "r");
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 3);
	}
	KUNIT_EXPECT_TRUE(test, edev_enters(drm));
}

static int attach_fails(struct kunit *test, void *unused)
{
	struct edev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg;
	const struct drm_dev_ctx_live *live;
	unsigned int left = drm_safe_fail_pause();
	struct edev_hw *hw;

	unreg = edev_new(test, drm_safe_test_driver());
	hw = edev_hw_new(test);
	memset(t->steps, 0, sizeof(t->steps));
	t->len = 0;
	/* A wait in a block sees the end of data that is lost, too. */
	t->in_quiesce = dropped_in_quiesce;
	drm_safe_fail_resume(left);
	live = drm_dev_ctx_attach(unreg, &edev_ops, &hw->base);
	left = drm_safe_fail_pause();
	if (IS_ERR(live))
		KUNIT_EXPECT_STREQ(test, t->steps, "qr");
	drm_dev_ctx_drop(&unreg);
	KUNIT_EXPECT_STREQ(test, t->steps, "qr");
	drm_safe_fail_resume(left);
	return PTR_ERR_OR_ZERO(live);
}

static void attach_without_memory(struct kunit *test)
{
	KUNIT_EXPECT_GE(test, drm_safe_fail_nth(test, attach_fails, NULL), 1);
}

/* The code of the registration has been ended, so there is no second try. */
static void attach_again(struct kunit *test, struct drm_dev_ctx_unreg *unreg)
{
	struct edev_test *t = test->priv;
	struct drm_dev_ctx *ctx = to_drm_dev_ctx(drm_dev_ctx_unreg_drm(unreg));

	KUNIT_EXPECT_EQ(test, ctx->__step, DRM_DEV_CTX_STEP_SECTIONS);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, PTR_ERR(drm_dev_ctx_attach(unreg, &edev_ops,
								 &edev_hw_new(test)->base)),
				-EINVAL);
		KUNIT_EXPECT_STREQ(test, t->steps, "qrqr");
		KUNIT_EXPECT_EQ(test, PTR_ERR(drm_dev_ctx_attach(unreg, NULL, NULL)), -EINVAL);
		EXPECT_BROKEN_TIMES(test, 2, "a device has one registration data");
	}
	KUNIT_EXPECT_EQ(test, ctx->__step, DRM_DEV_CTX_STEP_SECTIONS);
}

/* How a device ends that has lost its data */
enum edev_lost { LOST_DROPPED, LOST_REGISTERED, LOST_REGISTERED_OTHER, LOSTS };

static void register_again(struct kunit *test, struct drm_dev_ctx_unreg *unreg, bool other)
{
	struct edev_test *t = test->priv;

	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test,
				drm_dev_ctx_register(t->parent, &unreg, other ? &edev_ops : NULL,
						     other ? &edev_hw_new(test)->base : NULL),
				-EINVAL);
		EXPECT_BROKEN(test, "a device has one registration data");
	}
	KUNIT_EXPECT_STREQ(test, t->steps, other ? "qrqrqr" : "qrqr");
}

static int attach_lost(struct kunit *test, void *ways)
{
	struct edev_test *t = test->priv;
	unsigned int left = drm_safe_fail_pause();
	struct drm_dev_ctx_unreg *unreg = edev_new(test, drm_safe_test_driver());
	struct edev_hw *hw = edev_hw_new(test);
	const struct drm_dev_ctx_live *live;
	enum edev_lost way = *(enum edev_lost *)ways;

	memset(t->steps, 0, sizeof(t->steps));
	t->len = 0;
	drm_safe_fail_resume(left);
	live = drm_dev_ctx_attach(unreg, &edev_ops, &hw->base);
	left = drm_safe_fail_pause();
	if (IS_ERR(live))
		attach_again(test, unreg);
	if (IS_ERR(live) && way != LOST_DROPPED)
		register_again(test, unreg, way == LOST_REGISTERED_OTHER);
	else
		drm_dev_ctx_drop(&unreg);
	drm_safe_fail_resume(left);
	return PTR_ERR_OR_ZERO(live);
}

static void attach_after_failure(struct kunit *test)
{
	for (enum edev_lost way = 0; way < LOSTS; way++)
		KUNIT_EXPECT_GE(test, drm_safe_fail_nth(test, attach_lost, &way), 1);
}

/* As the kernel calls it at reboot: the devices of this parent end, and files stay. */
static void system_shutdown(struct kunit *test)
{
	struct edev_test *t = test->priv;
	struct edev_hw *hw = edev_hw_new(test);
	struct drm_device *first = edev_registered(test, hw);
	struct drm_device *second = edev_registered(test, edev_hw_new(test));
	struct drm_dev_ctx_unreg *unreg = edev_new(test, drm_safe_test_driver());
	struct device *other = drm_safe_test_parent(test);
	struct file *filp = drm_safe_test_open(test, first->render);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, filp);
	drm_dev_ctx_shutdown(other);
	KUNIT_EXPECT_STREQ(test, t->steps, "");
	drm_dev_ctx_shutdown(t->parent);
	KUNIT_EXPECT_STREQ(test, t->steps, "xsqrxsqr");
	KUNIT_EXPECT_TRUE(test, drm_dev_is_unplugged(first));
	KUNIT_EXPECT_TRUE(test, drm_dev_is_unplugged(second));
	drm_dev_ctx_shutdown(t->parent);
	drm_dev_ctx_drop(&unreg);
	drm_safe_test_close(test, filp);
	drm_safe_test_unbind(test, t->parent);
	drm_dev_ctx_shutdown(t->parent);
	KUNIT_EXPECT_STREQ(test, t->steps, "xsqrxsqr");
}

static void edev_gone(struct drm_device *drm, void *gone)
{
	*(bool *)gone = true;
}

/* With the parent alone, the memory goes at once, and another device can take its place. */
static void removed(struct kunit *test)
{
	struct edev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg;
	struct drm_device *drm;
	bool gone[3] = {};

	for (int i = 0; i < ARRAY_SIZE(gone); i++) {
		drm = edev_registered(test, edev_hw_new(test));
		KUNIT_ASSERT_EQ(test, drmm_add_action(drm, edev_gone, &gone[i]), 0);
		t->len = 0;
		memset(t->steps, 0, sizeof(t->steps));
		drm_dev_ctx_remove(t->parent);
		KUNIT_EXPECT_STREQ(test, t->steps, "xsqr");
		KUNIT_EXPECT_FALSE(test, gone[i]);
		/* The reference of edev_registered() */
		kunit_release_action(test, edev_put, drm);
		KUNIT_EXPECT_TRUE(test, gone[i]);
	}

	/* Nothing is left, or only one that was never registered. */
	drm_dev_ctx_remove(t->parent);
	unreg = edev_new(test, drm_safe_test_driver());
	drm_dev_ctx_remove(t->parent);
	KUNIT_EXPECT_STREQ(test, t->steps, "xsqr");
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_register(t->parent, &unreg, &edev_ops,
						   &edev_hw_new(test)->base), 0);
	drm_safe_test_unbind(test, t->parent);
	KUNIT_EXPECT_STREQ(test, t->steps, "xsqrxsqr");
	drm_dev_ctx_remove(t->parent);
}

/* Data that was attached, and a registration that ended before */
static void removed_late(struct kunit *test)
{
	struct edev_test *t = test->priv;
	struct edev_hw *hw = edev_hw_new(test);
	struct drm_dev_ctx_unreg *unreg = edev_new(test, drm_safe_test_driver());
	struct drm_device *drm = drm_dev_ctx_unreg_drm(unreg);
	const struct drm_dev_ctx_live *live;
	bool gone = false;

	KUNIT_ASSERT_EQ(test, drmm_add_action(drm, edev_gone, &gone), 0);
	live = drm_dev_ctx_attach(unreg, &edev_ops, &hw->base);
	KUNIT_ASSERT_FALSE(test, IS_ERR(live));
	drm_dev_ctx_drop(&unreg);
	drm_dev_ctx_remove(t->parent);
	KUNIT_EXPECT_STREQ(test, t->steps, "qr");
	kunit_release_action(test, edev_put, drm);
	KUNIT_EXPECT_TRUE(test, gone);

	gone = false;
	drm = edev_registered(test, edev_hw_new(test));
	KUNIT_ASSERT_EQ(test, drmm_add_action(drm, edev_gone, &gone), 0);
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(drm)), 0);
	drm_dev_ctx_remove(t->parent);
	kunit_release_action(test, edev_put, drm);
	KUNIT_EXPECT_TRUE(test, gone);
	KUNIT_EXPECT_STREQ(test, t->steps, "qrxsqr");
}

/* From a callback of the registration it would wait for itself: nothing is done. */
static void remove_in_stop(const struct drm_dev_ctx_reg *reg)
{
	struct kunit *test = kunit_get_current_test();
	struct edev_test *t = test->priv;

	kunit_warning_suppress(test) {
		__drm_dev_ctx_remove(t->parent);
		EXPECT_BROKEN(test, "unregister from outside");
	}
}

static void removed_in_stop(struct kunit *test)
{
	struct edev_test *t = test->priv;

	edev_registered(test, edev_hw_new(test));
	t->in_stop = remove_in_stop;
	drm_dev_ctx_remove(t->parent);
	KUNIT_EXPECT_STREQ(test, t->steps, "xsqr");
}

static struct kunit_case drm_dev_ctx_end_cases[] = {
	KUNIT_CASE(steps),
	KUNIT_CASE(stop_ends_waits),
	KUNIT_CASE(unregister_in_reclaim_worker),
	KUNIT_CASE(shutdown_of_ended),
	KUNIT_CASE(report_without_task),
	KUNIT_CASE(stop_unregisters),
	KUNIT_CASE(stop_after_unplug),
	KUNIT_CASE(ending),
	KUNIT_CASE(ending_dropped),
	KUNIT_CASE(wait_event_ends),
	KUNIT_CASE(wait_until_dropped),
	KUNIT_CASE(wait_until_refused),
	KUNIT_CASE(wait_until_unbound),
	KUNIT_CASE(wait_until_unregistered),
	KUNIT_CASE(callback),
	KUNIT_CASE(callback_stays),
	KUNIT_CASE(attach),
	KUNIT_CASE(attach_once),
	KUNIT_CASE(attach_dropped),
	KUNIT_CASE(attach_left),
	KUNIT_CASE(attach_register_fails),
	KUNIT_CASE(register_fails_late),
	KUNIT_CASE(register_fails_without_stop),
	KUNIT_CASE(attach_twice),
	KUNIT_CASE(attach_nothing_twice),
	KUNIT_CASE(refused_is_live),
	KUNIT_CASE(refused_adds_nothing),
	KUNIT_CASE(token_after_unbind),
	KUNIT_CASE(attach_late),
	KUNIT_CASE(attach_without_memory),
	KUNIT_CASE(attach_after_failure),
	KUNIT_CASE(system_shutdown),
	KUNIT_CASE(removed),
	KUNIT_CASE(removed_late),
	KUNIT_CASE(removed_in_stop),
	{}
};

static struct kunit_suite drm_dev_ctx_end_suite = {
	.name = "drm_dev_ctx_end",
	.init = edev_test_init,
	.test_cases = drm_dev_ctx_end_cases,
};

kunit_test_suite(drm_dev_ctx_end_suite);

MODULE_DESCRIPTION("KUnit tests for the DRM safe helpers: the beginning and the end of a registration");
MODULE_LICENSE("Dual MIT/GPL");
