// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The beginning and the end of a registration: data before it, waits that stop ends, and the
 * shutdown of the system.
 */

#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include <kunit/test.h>

#include <drm/drm_drv.h>

#include "drm_dev_ctx.h"
#include "drm_safe_test.h"

struct edev {
	struct drm_dev_ctx ctx;
};

struct edev_reg {
	struct drm_dev_ctx_reg base;
};

/*
 * What happened, in order:
 *
 *	x	stop, in a section
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
	bool right = drm_dev_ctx_reg_ending(reg) && drm_dev_ctx_reg_data(reg) == data &&
		     edev_enters(drm_dev_ctx_reg_drm(reg));

	edev_log(hw->t, right ? 'x' : '!');
	if (hw->t->in_stop)
		hw->t->in_stop(reg);
	wake_up_all(&hw->waits);
}

static void edev_kms_shutdown(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data)
{
	struct edev_hw *hw = edev_data(data);
	struct drm_device *drm = drm_dev_ctx_live_drm(live);

	edev_log(hw->t, edev_hw(live) == hw && !edev_enters(drm) && edev_live(drm) == hw ? 's' :
			'!');
}

static void edev_quiesce(const struct drm_dev_ctx_bound *bound, struct drm_dev_ctx_data *data)
{
	struct edev_hw *hw = edev_data(data);
	struct drm_device *drm = drm_dev_ctx_bound_drm(bound);

	edev_log(hw->t, edev_live(drm) == hw ? 'q' : '!');
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
	struct edev_hw *hw = edev_hw_new(test);
	struct drm_device *drm = edev_registered(test, hw);
	struct task_struct *task = kthread_create(wait_thread, drm, "edev");

	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	get_task_struct(task);
	wake_up_process(task);
	wait_for_completion(&hw->inside);
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(drm)), 0);
	KUNIT_EXPECT_EQ(test, kthread_stop(task), 0);
	put_task_struct(task);
	KUNIT_EXPECT_STREQ(test, t->steps, "xsqr");
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

/* Without a registration there is nothing to stop, and no display; the rest comes to an end. */
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
	KUNIT_EXPECT_STREQ(test, t->steps, "sqr");
	drm_safe_test_unbind(test, t->parent);
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

static struct kunit_case drm_dev_ctx_end_cases[] = {
	KUNIT_CASE(steps),
	KUNIT_CASE(stop_ends_waits),
	KUNIT_CASE(stop_unregisters),
	KUNIT_CASE(stop_after_unplug),
	KUNIT_CASE(attach),
	KUNIT_CASE(attach_once),
	KUNIT_CASE(attach_dropped),
	KUNIT_CASE(attach_left),
	KUNIT_CASE(attach_register_fails),
	KUNIT_CASE(attach_twice),
	KUNIT_CASE(attach_late),
	KUNIT_CASE(attach_without_memory),
	KUNIT_CASE(system_shutdown),
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
