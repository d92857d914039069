// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <linux/anon_inodes.h>
#include <linux/completion.h>
#include <linux/file.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/kallsyms.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/platform_device.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

#include <kunit/platform_device.h>
#include <kunit/run-in-irq-context.h>
#include <kunit/test.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>

#include "drm_dev_ctx_internal.h"
#include "drm_dev_ctx_trace.h"
#include "drm_safe_test.h"

MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");

#define TDEV_VALUE	1000

/* The events of a device, in order */
struct tdev_log {
	char steps[16];
	int len;
};

/*
 * Callbacks are logged as
 *
 *	o, c	open and postclose
 *	s, q, r	kms_shutdown, quiesce and release of the registration
 *	p	kms_shutdown powers the device up
 *	!	kms_shutdown or quiesce that is refused the hardware
 *	u	a revocable is revoked
 *	f	the device is released
 */
static void log_step(struct tdev_log *log, char step)
{
	if (log && log->len < sizeof(log->steps) - 1)
		log->steps[log->len++] = step;
}

struct tdev {
	u64 aligned __aligned(SMP_CACHE_BYTES);
	struct kunit *test;
	int before;
	struct drm_dev_ctx ctx;
	struct tdev_log *log;
	void (*in_shutdown)(struct drm_device *drm);
	struct tdev_bound_user *user;
	bool powered;
};

struct tdev_hw {
	struct drm_dev_ctx_data base;
	struct tdev_log *log;
	u32 value;
	void (*in_quiesce)(struct drm_device *drm, struct tdev_hw *hw);
	struct device *child;
	int ret;
	struct completion stopping;
};

struct tdev_file {
	u32 opened_with;
};

/* Proof that a struct tdev is registered */
struct tdev_reg {
	struct drm_dev_ctx_reg base;
};

static inline struct tdev *tdev_dev(struct drm_device *drm)
{
	return drm_dev_ctx_entry(drm, struct tdev, ctx);
}

static inline struct tdev *tdev_reg_dev(const struct tdev_reg *reg)
{
	return tdev_dev(drm_dev_ctx_reg_drm(&reg->base));
}

static inline struct tdev_hw *tdev_reg_data(const struct tdev_reg *reg)
{
	return container_of(drm_dev_ctx_reg_data(&reg->base), struct tdev_hw, base);
}

struct tdev_args {
	u32 in;
	u32 out;
};

#define DRM_IOCTL_TDEV_REG	DRM_IOWR(DRM_COMMAND_BASE + 0, struct tdev_args)
#define DRM_IOCTL_TDEV_CTX	DRM_IOWR(DRM_COMMAND_BASE + 1, struct tdev_args)
#define DRM_IOCTL_TDEV_ANY	DRM_IO(DRM_COMMAND_BASE + 2)
#define DRM_IOCTL_TDEV_MASTER	DRM_IOW(DRM_COMMAND_BASE + 4, struct tdev_args)
#define DRM_IOCTL_TDEV_NESTED	DRM_IOW(DRM_COMMAND_BASE + 5, struct tdev_args)

static int tdev_ioctl_reg(const struct tdev_reg *reg, struct tdev_args *args,
			  struct drm_file *drm_file)
{
	struct tdev_file *file = drm_file->driver_priv;

	args->out = args->in + tdev_reg_data(reg)->value + file->opened_with;
	return 0;
}

static int tdev_ioctl_ctx(struct drm_dev_ctx_ioctl *ioctl, struct tdev_args *args,
			  struct drm_file *file)
{
	drm_dev_ctx_or(tdev_reg, reg, ioctl, return -ENXIO);

	args->out = tdev_dev(drm_dev_ctx_ioctl_drm(ioctl))->before + tdev_reg_data(reg)->value;
	return 0;
}

/* A function that a handler calls opens its own section, with only the device. */
static int tdev_nested(struct drm_device *drm)
{
	drm_dev_ctx_or(tdev_reg, reg, to_drm_dev_ctx(drm), return -EAGAIN);

	return tdev_reg_data(reg)->value;
}

static int tdev_ioctl_nested(const struct tdev_reg *reg, struct tdev_args *args,
			     struct drm_file *file)
{
	return tdev_nested(drm_dev_ctx_bound_drm(&reg->base.bound));
}

static int tdev_ioctl_any(struct drm_dev_ctx_ioctl *ioctl, void *args, struct drm_file *file)
{
	struct tdev *tdev = tdev_dev(drm_dev_ctx_ioctl_drm(ioctl));

	tdev->before++;
	return 0;
}

static int tdev_ioctl_master(struct drm_dev_ctx_ioctl *ioctl, struct tdev_args *args,
			     struct drm_file *file)
{
	return args->in;
}

DRM_DEV_CTX_IOCTL(TDEV_REG, tdev_ioctl_reg, tdev_reg, struct tdev_args);
DRM_DEV_CTX_IOCTL_UNGUARDED(TDEV_CTX, tdev_ioctl_ctx, struct tdev_args);
DRM_DEV_CTX_IOCTL_UNGUARDED(TDEV_ANY, tdev_ioctl_any, void);
DRM_DEV_CTX_IOCTL(TDEV_NESTED, tdev_ioctl_nested, tdev_reg, struct tdev_args);
DRM_DEV_CTX_IOCTL_UNGUARDED(TDEV_MASTER, tdev_ioctl_master, struct tdev_args);

DRM_DEV_CTX_IOCTLS(tdev_ioctls) = {
	DRM_DEV_CTX_IOCTL_DEF(TDEV_REG, DRM_AUTH | DRM_RENDER_ALLOW),
	DRM_DEV_CTX_IOCTL_DEF(TDEV_CTX, DRM_RENDER_ALLOW),
	DRM_DEV_CTX_IOCTL_DEF(TDEV_ANY, DRM_RENDER_ALLOW),
	DRM_DEV_CTX_IOCTL_DEF(TDEV_NESTED, DRM_RENDER_ALLOW),
	DRM_DEV_CTX_IOCTL_DEF(TDEV_MASTER, DRM_MASTER),
};

static const struct drm_ioctl_desc *tdev_ioctl_desc(unsigned int cmd)
{
	return &tdev_ioctls[DRM_IOCTL_NR(cmd) - DRM_COMMAND_BASE];
}

static int tdev_ioctl(struct file *filp, unsigned int cmd, void *args)
{
	const struct drm_ioctl_desc *desc = tdev_ioctl_desc(cmd);

	return drm_ioctl_kernel(filp, desc->func, args, desc->flags);
}

static int tdev_open(struct drm_device *drm, struct drm_file *drm_file)
{
	struct tdev_file *file;

	drm_dev_ctx_or(tdev_reg, reg, to_drm_dev_ctx(drm), return -ENODEV);

	if (!tdev_reg_data(reg)->value)
		return -EPERM;

	file = kzalloc_obj(*file);
	if (!file)
		return -ENOMEM;
	file->opened_with = tdev_reg_data(reg)->value;
	drm_file->driver_priv = file;
	log_step(tdev_reg_dev(reg)->log, 'o');
	return 0;
}

static void tdev_postclose(struct drm_device *drm, struct drm_file *file)
{
	log_step(tdev_dev(drm)->log, 'c');
	kfree(file->driver_priv);
}

/* How often a device was released that has no log */
static unsigned int tdev_released_early;

static void tdev_release(struct drm_device *drm)
{
	struct tdev_log *log = tdev_dev(drm)->log;

	if (!log)
		tdev_released_early++;
	log_step(log, 'f');
}

DEFINE_DRM_GEM_FOPS(tdev_fops);

#define TDEV_DRIVER						\
	.driver_features = DRIVER_GEM | DRIVER_RENDER,		\
	.fops = &tdev_fops,					\
	.name = "tdev",						\
	.desc = "drm_dev_ctx test",				\
	.open = tdev_open,					\
	.postclose = tdev_postclose,				\
	.release = tdev_release,				\
	.ioctls = tdev_ioctls,					\
	.num_ioctls = ARRAY_SIZE(tdev_ioctls)

static const struct drm_driver tdev_driver = { TDEV_DRIVER };

/* Whether a display callback would touch the hardware now. */
static bool tdev_is_bound(struct drm_device *drm)
{
	bool bound = false;

	drm_dev_ctx_guard_live(live, to_drm_dev_ctx(drm))
		bound = drm_dev_ctx_live_drm(live) == drm;
	return bound;
}

/* The step, if the hardware can be reached, which each callback needs */
static void log_bound_step(struct tdev_log *log, struct drm_device *drm, char step)
{
	log_step(log, tdev_is_bound(drm) ? step : '!');
}

static void tdev_kms_shutdown(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data)
{
	struct drm_device *drm = drm_dev_ctx_live_drm(live);
	struct tdev *tdev = tdev_dev(drm);

	log_bound_step(tdev->log, drm, 's');
	if (tdev->in_shutdown)
		tdev->in_shutdown(drm);
}

static void tdev_quiesce(const struct drm_dev_ctx_bound *bound, struct drm_dev_ctx_data *data)
{
	struct tdev_hw *hw = container_of(data, struct tdev_hw, base);
	struct drm_device *drm = drm_dev_ctx_bound_drm(bound);

	log_bound_step(hw->log, drm, 'q');
	if (hw->in_quiesce)
		hw->in_quiesce(drm, hw);
}

static void tdev_hw_release(struct drm_dev_ctx_data *data)
{
	struct tdev_hw *hw = container_of(data, struct tdev_hw, base);

	log_step(hw->log, 'r');
	kfree(hw);
}

static const struct drm_dev_ctx_ops tdev_reg_ops = {
	.kms_shutdown = tdev_kms_shutdown,
	.quiesce = tdev_quiesce,
	.release = tdev_hw_release,
};

/* The state at the start of each test: a bound parent, and a log that outlives it. */
struct tdev_test {
	struct tdev_log log;
	struct device *parent;
};

static int tdev_test_init(struct kunit *test)
{
	struct tdev_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->parent = drm_safe_test_parent(test);
	test->priv = t;
	return 0;
}

static struct drm_dev_ctx_unreg *tdev_new_driver(struct kunit *test,
						 const struct drm_driver *driver)
{
	struct tdev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = drm_dev_ctx_alloc(t->parent, driver, struct tdev, ctx);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unreg);
	tdev_dev(drm_dev_ctx_unreg_drm(unreg))->log = &t->log;
	tdev_dev(drm_dev_ctx_unreg_drm(unreg))->test = test;
	return unreg;
}

static struct drm_dev_ctx_unreg *tdev_new(struct kunit *test)
{
	return tdev_new_driver(test, &tdev_driver);
}

static struct tdev_hw *tdev_hw_new(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	struct tdev_hw *hw = kzalloc_obj(*hw);

	KUNIT_ASSERT_NOT_NULL(test, hw);
	hw->log = &t->log;
	hw->value = TDEV_VALUE;
	init_completion(&hw->stopping);
	return hw;
}

KUNIT_DEFINE_ACTION_WRAPPER(tdev_put, drm_dev_put, struct drm_device *);

/* A registered device that the test may look at after it is unbound. */
static struct drm_device *tdev_registered_hw(struct kunit *test, struct tdev_hw *hw)
{
	struct tdev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = tdev_new(test);
	struct drm_device *drm = drm_dev_ctx_bound_drm(&unreg->bound);

	drm_dev_get(drm);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, tdev_put, drm), 0);
	KUNIT_ASSERT_EQ(test, drm_dev_ctx_register(t->parent, &unreg, &tdev_reg_ops, &hw->base), 0);
	return drm;
}

static struct drm_device *tdev_registered(struct kunit *test)
{
	return tdev_registered_hw(test, tdev_hw_new(test));
}

static bool tdev_enters(struct drm_device *drm)
{
	drm_dev_ctx_or(tdev_reg, reg, to_drm_dev_ctx(drm), return false);

	return true;
}

/* The token, the registration and the end: each callback once, in this order. */
static void drm_dev_ctx_test_life(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = tdev_new(test);
	struct drm_device *drm = drm_dev_ctx_bound_drm(&unreg->bound);
	bool entered = false;

	KUNIT_EXPECT_PTR_EQ(test, drm_dev_ctx_bound_parent(&unreg->bound), t->parent);
	KUNIT_EXPECT_PTR_EQ(test, &tdev_dev(drm_dev_ctx_unreg_drm(unreg))->ctx.drm, drm);
	KUNIT_EXPECT_FALSE(test, tdev_enters(drm));

	KUNIT_ASSERT_EQ(test,
			drm_dev_ctx_register(t->parent, &unreg, &tdev_reg_ops,
					     &tdev_hw_new(test)->base),
			0);
	drm_dev_ctx_guard(tdev_reg, reg, to_drm_dev_ctx(drm)) {
		entered = true;
		KUNIT_EXPECT_PTR_EQ(test, drm_dev_ctx_bound_parent(&reg->base.bound), t->parent);
		KUNIT_EXPECT_PTR_EQ(test, drm_dev_ctx_bound_drm(&reg->base.bound), drm);
		KUNIT_EXPECT_PTR_EQ(test, &tdev_reg_dev(reg)->ctx.drm, drm);
		KUNIT_EXPECT_PTR_EQ(test, drm_dev_ctx_ioctl_drm(drm_dev_ctx_reg_ioctl(&reg->base)),
				    drm);
		KUNIT_EXPECT_EQ(test, tdev_reg_data(reg)->value, TDEV_VALUE);
	}
	KUNIT_EXPECT_TRUE(test, entered);

	drm_dev_get(drm);
	drm_safe_test_unbind(test, t->parent);
	KUNIT_EXPECT_STREQ(test, t->log.steps, "sqr");
	KUNIT_EXPECT_FALSE(test, tdev_enters(drm));

	drm_dev_put(drm);
	KUNIT_EXPECT_STREQ(test, t->log.steps, "sqrf");
}

/* Arguments that need the token: it is used up after all of them were evaluated, once each. */
static void drm_dev_ctx_test_arguments(struct kunit *test)
{
	struct tdev_hw *hw[] = { NULL, tdev_hw_new(test) };
	struct drm_dev_ctx_unreg *unreg = tdev_new(test);
	struct drm_device *drm = drm_dev_ctx_bound_drm(&unreg->bound);
	const struct drm_dev_ctx_ops *ops[] = { NULL, &tdev_reg_ops };
	int nr_ops = 0, nr_hw = 0;
	int ret;

	ret = drm_dev_ctx_register(drm_dev_ctx_bound_parent(&unreg->bound), &unreg, ops[++nr_ops],
				   &hw[++nr_hw]->base);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, nr_ops, 1);
	KUNIT_EXPECT_EQ(test, nr_hw, 1);
	KUNIT_EXPECT_NULL(test, unreg);
	drm_dev_ctx_guard(tdev_reg, reg, to_drm_dev_ctx(drm))
		KUNIT_EXPECT_PTR_EQ(test, tdev_reg_data(reg), hw[1]);
}

/* Without callbacks and data. */
static void drm_dev_ctx_test_no_ops(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = tdev_new(test);
	struct drm_device *drm = drm_dev_ctx_bound_drm(&unreg->bound);

	KUNIT_ASSERT_EQ(test, drm_dev_ctx_register(t->parent, &unreg, NULL, NULL), 0);
	drm_dev_ctx_guard(tdev_reg, reg, to_drm_dev_ctx(drm))
		KUNIT_EXPECT_NULL(test, tdev_reg_data(reg));
	drm_safe_test_unbind(test, t->parent);
	KUNIT_EXPECT_STREQ(test, t->log.steps, "f");
}

/* The same struct device can be bound again, and has a device again. */
static void drm_dev_ctx_test_rebind(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	struct drm_device *first = tdev_registered(test), *second;

	drm_safe_test_rebind(test, t->parent);
	KUNIT_EXPECT_STREQ(test, t->log.steps, "sqr");
	second = tdev_registered(test);
	KUNIT_EXPECT_TRUE(test, tdev_enters(second));
	KUNIT_EXPECT_FALSE(test, tdev_enters(first));
}

static void drm_dev_ctx_test_drop(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	struct drm_device *drm;

	{
		struct drm_dev_ctx_unreg *unreg __free(drm_dev_ctx_unreg) = tdev_new(test);

		drm = drm_dev_ctx_bound_drm(&unreg->bound);
	}
	KUNIT_EXPECT_FALSE(test, tdev_enters(drm));
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(drm)), -ENODEV);

	{
		struct drm_dev_ctx_unreg *unreg __free(drm_dev_ctx_unreg) = tdev_new(test);

		drm_dev_ctx_drop(&unreg);
		KUNIT_EXPECT_NULL(test, unreg);
	}

	/* Never registered, never dropped */
	KUNIT_EXPECT_NOT_NULL(test, tdev_new(test));

	KUNIT_EXPECT_STREQ(test, t->log.steps, "");
	drm_safe_test_unbind(test, t->parent);
	KUNIT_EXPECT_STREQ(test, t->log.steps, "fff");
}

/* A token whose fate the compiler cannot see is caught when it runs. */
static void drm_dev_ctx_test_token_twice(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = tdev_new(test), *alias = unreg;
	struct drm_device *drm = drm_dev_ctx_bound_drm(&unreg->bound);

	OPTIMIZER_HIDE_VAR(alias);
	KUNIT_ASSERT_EQ(test,
			drm_dev_ctx_register(t->parent, &unreg, &tdev_reg_ops,
					     &tdev_hw_new(test)->base),
			0);
	KUNIT_EXPECT_NULL(test, unreg);

	unreg = alias;
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test,
				drm_dev_ctx_register(t->parent, &unreg, &tdev_reg_ops,
						     &tdev_hw_new(test)->base),
				-EINVAL);
		EXPECT_BROKEN(test, "a token is used once");
	}
	/* The second registration's data went, the first one's did not. */
	KUNIT_EXPECT_STREQ(test, t->log.steps, "qr");
	KUNIT_EXPECT_TRUE(test, tdev_enters(drm));

	kunit_warning_suppress(test) {
		drm_dev_ctx_drop(&alias);
		EXPECT_BROKEN(test, "a token is used once");
	}
	KUNIT_EXPECT_TRUE(test, tdev_enters(drm));
}

static void drm_dev_ctx_test_token_after_drop(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = tdev_new(test), *alias = unreg;
	struct drm_device *drm = drm_dev_ctx_bound_drm(&unreg->bound);

	OPTIMIZER_HIDE_VAR(alias);
	drm_dev_ctx_drop(&unreg);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test,
				drm_dev_ctx_register(t->parent, &alias, &tdev_reg_ops,
						     &tdev_hw_new(test)->base),
				-EINVAL);
		EXPECT_BROKEN(test, "a token is used once");
	}
	KUNIT_EXPECT_STREQ(test, t->log.steps, "qr");
	KUNIT_EXPECT_FALSE(test, tdev_enters(drm));
}

/* There is no device, and so no proof for quiesce. */
static void drm_dev_ctx_test_token_missing(struct kunit *test)
{
	struct drm_dev_ctx_unreg *const wrong[] = { NULL, ERR_PTR(-ENOMEM) };
	struct tdev_test *t = test->priv;

	for (int i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct drm_dev_ctx_unreg *unreg = wrong[i];

		OPTIMIZER_HIDE_VAR(unreg);
		kunit_warning_suppress(test) {
			KUNIT_EXPECT_EQ(test,
					drm_dev_ctx_register(t->parent, &unreg, &tdev_reg_ops,
							     &tdev_hw_new(test)->base),
					-EINVAL);
			EXPECT_BROKEN(test, "a token is used once");
		}
		unreg = wrong[i];
		OPTIMIZER_HIDE_VAR(unreg);
		kunit_warning_suppress(test) {
			drm_dev_ctx_drop(&unreg);
			EXPECT_BROKEN(test, "a token is used once");
		}
	}
	KUNIT_EXPECT_STREQ(test, t->log.steps, "rr");
}

static void drm_dev_ctx_test_wrong_parent(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	struct device *other = drm_safe_test_parent(test);
	struct drm_dev_ctx_unreg *unreg = tdev_new(test);
	struct drm_device *drm = drm_dev_ctx_bound_drm(&unreg->bound);

	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test,
				drm_dev_ctx_register(other, &unreg, &tdev_reg_ops,
						     &tdev_hw_new(test)->base),
				-EINVAL);
		EXPECT_BROKEN(test, "a device is registered where it was allocated");
	}
	KUNIT_EXPECT_NULL(test, unreg);
	KUNIT_EXPECT_STREQ(test, t->log.steps, "qr");
	KUNIT_EXPECT_FALSE(test, tdev_enters(drm));
	KUNIT_EXPECT_TRUE(test, IS_ERR(drm_safe_test_open(test, drm->render)));

	drm_safe_test_unbind(test, t->parent);
	KUNIT_EXPECT_STREQ(test, t->log.steps, "qrf");
}

static void drm_dev_ctx_test_alloc_aligned(struct kunit *test)
{
	struct tdev *tdev = tdev_dev(drm_dev_ctx_unreg_drm(tdev_new(test)));

	KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)tdev, SMP_CACHE_BYTES));
}

static void drm_dev_ctx_test_alloc_unbound(struct kunit *test)
{
	struct drm_dev_ctx_unreg *unreg;
	struct tdev_test *t = test->priv;

	device_release_driver(t->parent);
	kunit_warning_suppress(test) {
		unreg = drm_dev_ctx_alloc(t->parent, &tdev_driver, struct tdev, ctx);
		KUNIT_EXPECT_EQ(test, PTR_ERR(unreg), -EINVAL);
		unreg = drm_dev_ctx_alloc(NULL, &tdev_driver, struct tdev, ctx);
		KUNIT_EXPECT_EQ(test, PTR_ERR(unreg), -EINVAL);
		unreg = drm_dev_ctx_alloc_parent(t->parent, NULL, &tdev_driver, struct tdev, ctx);
		KUNIT_EXPECT_EQ(test, PTR_ERR(unreg), -EINVAL);
		EXPECT_BROKEN_TIMES(test, 3, "bound parents");
	}
}

/* File operations of another module, or of none where there is one */
static void drm_dev_ctx_test_alloc_fops(struct kunit *test)
{
	static const struct drm_driver no_fops = { .name = "tdev" };
	struct tdev_test *t = test->priv;
	struct drm_dev_ctx_args args = {
		.dev = t->parent,
		.parent = t->parent,
		.driver = &tdev_driver,
		.size = sizeof(struct tdev),
		.offset = offsetof(struct tdev, ctx.drm),
		.owner = (struct module *)test,
		.modname = KBUILD_MODNAME,
		.type = "struct tdev",
	};

	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, PTR_ERR(__drm_dev_ctx_alloc(&args)), -EINVAL);
		EXPECT_BROKEN(test, "file operations have an owner");
	}
	KUNIT_EXPECT_STREQ(test, t->log.steps, "");

	/* A device without minors cannot be opened. */
	args.driver = &no_fops;
	KUNIT_EXPECT_FALSE(test, IS_ERR(__drm_dev_ctx_alloc(&args)));
}

/* A driver that registers its device when its probe function has returned */
static struct drm_dev_ctx_unreg *tdev_after_probe;

static int tdev_late_probe(struct platform_device *pdev)
{
	tdev_after_probe = drm_dev_ctx_alloc(&pdev->dev, &tdev_driver, struct tdev, ctx);
	return PTR_ERR_OR_ZERO(tdev_after_probe);
}

static struct platform_driver tdev_late_driver = {
	.probe = tdev_late_probe,
	.driver.name = "drm_safe_test_late",
};

/* A driver that allocates in its probe function, which is the place */
static int tdev_bus_probe(struct platform_device *pdev)
{
	struct drm_dev_ctx_unreg *unreg =
		drm_dev_ctx_alloc(&pdev->dev, &tdev_driver, struct tdev, ctx);

	if (IS_ERR(unreg))
		return PTR_ERR(unreg);
	return drm_dev_ctx_register(&pdev->dev, &unreg, NULL, NULL);
}

static struct platform_driver tdev_bus_driver = {
	.probe = tdev_bus_probe,
	.driver.name = "drm_safe_test_bus",
};

static int tdev_kunit_probe(struct platform_device *pdev)
{
	return 0;
}

/* KUnit's module registers this one, and so counts as its owner. */
static struct platform_driver tdev_kunit_driver = {
	.probe = tdev_kunit_probe,
	.driver.name = "drm_safe_test_kunit",
};

KUNIT_DEFINE_ACTION_WRAPPER(tdev_bus_unregister, platform_driver_unregister,
			    struct platform_driver *);

static struct platform_device *tdev_bus_device(struct kunit *test, const char *name)
{
	struct platform_device *pdev = kunit_platform_device_alloc(test, name,
								   PLATFORM_DEVID_AUTO);

	KUNIT_ASSERT_NOT_NULL(test, pdev);
	KUNIT_ASSERT_EQ(test, kunit_platform_device_add(test, pdev), 0);
	KUNIT_ASSERT_NOT_NULL(test, pdev->dev.driver);
	return pdev;
}

static void drm_dev_ctx_test_register_late(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	struct platform_device *pdev;

	KUNIT_ASSERT_EQ(test, platform_driver_register(&tdev_late_driver), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, tdev_bus_unregister,
							&tdev_late_driver), 0);
	pdev = tdev_bus_device(test, tdev_late_driver.driver.name);
	tdev_dev(drm_dev_ctx_unreg_drm(tdev_after_probe))->log = &t->log;
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test,
				drm_dev_ctx_register(&pdev->dev, &tdev_after_probe, &tdev_reg_ops,
						     &tdev_hw_new(test)->base),
				-EINVAL);
		EXPECT_BROKEN(test, "a device is registered in its probe function");
	}
	KUNIT_EXPECT_STREQ(test, t->log.steps, "qr");
	t->log = (struct tdev_log){};
}

/* @dev is bound, and its driver's probe function has returned. */
static void tdev_expect_foreign(struct kunit *test, struct device *dev)
{
	struct tdev_test *t = test->priv;

	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test,
				PTR_ERR(drm_dev_ctx_alloc(dev, &tdev_driver, struct tdev, ctx)),
				-EINVAL);
		/* Another device as the parent makes no difference. */
		KUNIT_EXPECT_EQ(test,
				PTR_ERR(drm_dev_ctx_alloc_parent(dev, t->parent, &tdev_driver,
								 struct tdev, ctx)),
				-EINVAL);
		EXPECT_BROKEN_TIMES(test, 2, "a foreign parent is stated");
	}
}

/* Drivers of other buses and modules */
static void tdev_expect_foreign_driver(struct kunit *test, struct module *owner,
				       const char *modname, const struct module *caller)
{
	struct tdev_test *t = test->priv;
	struct device_driver fake = { .name = "fake", .owner = owner, .mod_name = modname };
	struct device_driver *real = t->parent->driver;
	const struct drm_dev_ctx_args args = {
		.dev = t->parent,
		.parent = t->parent,
		.driver = &tdev_driver,
		.size = sizeof(struct tdev),
		.offset = offsetof(struct tdev, ctx.drm),
		.owner = caller,
		.modname = "mine",
		.type = "struct tdev",
	};

	t->parent->driver = &fake;
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, PTR_ERR(__drm_dev_ctx_alloc(&args)), -EINVAL);
		EXPECT_BROKEN(test, "a foreign parent is stated");
	}
	t->parent->driver = real;
}

/* Nothing would unplug a device whose parent is bound by another driver, or was before. */
static void drm_dev_ctx_test_foreign_parent(struct kunit *test)
{
	struct platform_device *pdev;

	/* Bound just now, and long ago */
	KUNIT_ASSERT_EQ(test, platform_driver_register(&tdev_bus_driver), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, tdev_bus_unregister,
							&tdev_bus_driver), 0);
	pdev = tdev_bus_device(test, tdev_bus_driver.driver.name);
	tdev_expect_foreign(test, &pdev->dev);

	/* A driver in another module */
	KUNIT_ASSERT_EQ(test, kunit_platform_driver_register(test, &tdev_kunit_driver), 0);
	pdev = tdev_bus_device(test, tdev_kunit_driver.driver.name);
	tdev_expect_foreign(test, &pdev->dev);

	/* Modules and built-in code, mixed; and the same driver, bound before */
	tdev_expect_foreign_driver(test, (struct module *)test, NULL, NULL);
	tdev_expect_foreign_driver(test, NULL, "other", (struct module *)test);
	tdev_expect_foreign_driver(test, NULL, "other", NULL);
	tdev_expect_foreign_driver(test, NULL, "mine", NULL);
	tdev_expect_foreign_driver(test, (struct module *)test, NULL, (struct module *)test);
}

/* The entry points of a file, through DRM's own dispatch. */
static void drm_dev_ctx_test_file(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	struct drm_device *drm = tdev_registered(test);
	struct tdev_args args = { .in = 5 };
	struct drm_file *file;
	struct file *filp;

	filp = drm_safe_test_open(test, drm->render);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, filp);
	file = filp->private_data;
	KUNIT_EXPECT_EQ(test, ((struct tdev_file *)file->driver_priv)->opened_with, TDEV_VALUE);

	KUNIT_EXPECT_EQ(test, tdev_ioctl(filp, DRM_IOCTL_TDEV_REG, &args), 0);
	KUNIT_EXPECT_EQ(test, args.out, 5 + 2 * TDEV_VALUE);
	tdev_dev(drm)->before = 7;
	KUNIT_EXPECT_EQ(test, tdev_ioctl(filp, DRM_IOCTL_TDEV_CTX, &args), 0);
	KUNIT_EXPECT_EQ(test, args.out, 7 + TDEV_VALUE);
	KUNIT_EXPECT_EQ(test, tdev_ioctl(filp, DRM_IOCTL_TDEV_ANY, NULL), 0);
	KUNIT_EXPECT_EQ(test, tdev_dev(drm)->before, 8);

	drm_safe_test_unbind(test, t->parent);

	/* DRM stops most ioctls by itself; these got past it just before. */
	KUNIT_EXPECT_EQ(test, tdev_ioctl(filp, DRM_IOCTL_TDEV_ANY, NULL), -ENODEV);
	args.out = 0;
	KUNIT_EXPECT_EQ(test, tdev_ioctl_desc(DRM_IOCTL_TDEV_REG)->func(drm, &args, file),
			-ENODEV);
	KUNIT_EXPECT_EQ(test, tdev_ioctl_desc(DRM_IOCTL_TDEV_CTX)->func(drm, &args, file),
			-ENXIO);
	KUNIT_EXPECT_EQ(test, args.out, 0);
	KUNIT_EXPECT_EQ(test, tdev_ioctl_desc(DRM_IOCTL_TDEV_ANY)->func(drm, NULL, file), 0);

	drm_safe_test_close(test, filp);
	KUNIT_EXPECT_STREQ(test, t->log.steps, "osqrc");
}

/* The flags of a table entry are those that DRM enforces. */
static void drm_dev_ctx_test_ioctl_flags(struct kunit *test)
{
	struct drm_device *drm = tdev_registered(test);
	struct tdev_args args = { .in = 3 };
	struct file *render, *primary;

	KUNIT_EXPECT_EQ(test, ARRAY_SIZE(tdev_ioctls), 6);
	KUNIT_EXPECT_NULL(test, tdev_ioctls[3].func);
	KUNIT_EXPECT_EQ(test, tdev_ioctls[0].cmd, DRM_IOCTL_TDEV_REG);
	KUNIT_EXPECT_STREQ(test, tdev_ioctls[0].name, "TDEV_REG");
	KUNIT_EXPECT_EQ(test, (int)tdev_ioctls[0].flags, DRM_AUTH | DRM_RENDER_ALLOW);
	KUNIT_EXPECT_EQ(test, (int)tdev_ioctls[4].flags, DRM_MASTER);

	render = drm_safe_test_open(test, drm->render);
	primary = drm_safe_test_open(test, drm->primary);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, render);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, primary);

	KUNIT_EXPECT_EQ(test, tdev_ioctl(render, DRM_IOCTL_TDEV_MASTER, &args), -EACCES);
	KUNIT_EXPECT_EQ(test, tdev_ioctl(primary, DRM_IOCTL_TDEV_MASTER, &args), 3);

	KUNIT_EXPECT_EQ(test, tdev_ioctl(render, DRM_IOCTL_TDEV_REG, &args), 0);
	((struct drm_file *)primary->private_data)->authenticated = false;
	KUNIT_EXPECT_EQ(test, tdev_ioctl(primary, DRM_IOCTL_TDEV_REG, &args), -EACCES);
	KUNIT_EXPECT_EQ(test, tdev_ioctl(primary, DRM_IOCTL_TDEV_ANY, NULL), 0);
}

static void drm_dev_ctx_test_open_fails(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	struct tdev_hw *hw = tdev_hw_new(test);
	struct drm_device *drm;

	hw->value = 0;
	drm = tdev_registered_hw(test, hw);
	KUNIT_EXPECT_EQ(test, PTR_ERR(drm_safe_test_open(test, drm->render)), -EPERM);
	drm_safe_test_unbind(test, t->parent);
	KUNIT_EXPECT_EQ(test, PTR_ERR(drm_safe_test_open(test, drm->render)), -ENODEV);
	KUNIT_EXPECT_STREQ(test, t->log.steps, "sqr");
}

static void drm_dev_ctx_test_unregister(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = tdev_new(test);
	struct drm_device *never = drm_dev_ctx_bound_drm(&unreg->bound);
	struct drm_device *drm = tdev_registered(test);

	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(never)), -ENODEV);
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(drm)), 0);
	KUNIT_EXPECT_STREQ(test, t->log.steps, "sqr");
	KUNIT_EXPECT_FALSE(test, tdev_enters(drm));
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(drm)), -ENODEV);

	/* The refused unregistration did not spoil the token. */
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_register(t->parent, &unreg, NULL, NULL), 0);
	drm_safe_test_unbind(test, t->parent);
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(drm)), -ENODEV);
	KUNIT_EXPECT_STREQ(test, t->log.steps, "sqrf");
}

/* DRM's own functions end a registration as well, with a report. */
static void drm_dev_ctx_test_unplug_raw(struct kunit *test)
{
	void (*const raw[])(struct drm_device *drm) = { drm_dev_unplug, drm_dev_unregister };
	struct tdev_test *t = test->priv;

	for (int i = 0; i < ARRAY_SIZE(raw); i++) {
		struct drm_device *drm = tdev_registered(test);

		t->log = (struct tdev_log){};
		raw[i](drm);
		/* Unregistering leaves the registration data, and so the sections. */
		KUNIT_EXPECT_EQ(test, tdev_enters(drm), raw[i] == drm_dev_unregister);
		KUNIT_EXPECT_STREQ(test, t->log.steps, "");
		kunit_warning_suppress(test) {
			drm_safe_test_rebind(test, t->parent);
			/* DRM does not see the second drm_dev_unregister(). */
			EXPECT_BROKEN(test, "unplug with drm_dev_ctx_unregister()");
		}
		KUNIT_EXPECT_STREQ(test, t->log.steps, "sqr");
		KUNIT_EXPECT_TRUE(test, drm_dev_is_unplugged(drm));
	}
}

static void tdev_unregister_in_callback(struct drm_device *drm, struct tdev_hw *hw)
{
	hw->ret = drm_dev_ctx_unregister(to_drm_dev_ctx(drm));
	KUNIT_EXPECT_EQ(kunit_get_current_test(), hw->ret, -EDEADLK);
}

static void drm_dev_ctx_test_unregister_in_quiesce(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	struct tdev_hw *hw = tdev_hw_new(test);
	struct drm_device *drm;

	hw->in_quiesce = tdev_unregister_in_callback;
	drm = tdev_registered_hw(test, hw);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(drm)), 0);
		EXPECT_BROKEN(test, "unregister from outside");
	}
	KUNIT_EXPECT_STREQ(test, t->log.steps, "sqr");
}

/* One device ends another one of the same driver, which sits on it. */
static void tdev_unbind_child(struct drm_device *drm, struct tdev_hw *hw)
{
	drm_safe_test_unbind(kunit_get_current_test(), hw->child);
}

static void drm_dev_ctx_test_quiesce_unbinds(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	struct device *parent = t->parent;
	struct tdev_hw *hw = tdev_hw_new(test);
	struct drm_device *child = tdev_registered(test);

	hw->in_quiesce = tdev_unbind_child;
	hw->child = parent;
	t->parent = drm_safe_test_parent(test);
	tdev_registered_hw(test, hw);
	drm_safe_test_unbind(test, t->parent);
	KUNIT_EXPECT_STREQ(test, t->log.steps, "sqsqrr");
	KUNIT_EXPECT_TRUE(test, drm_dev_is_unplugged(child));
}

/* Called with the proof: the compiler does not see that a section is open. */
static noinline int tdev_unregister_with(const struct tdev_reg *reg)
{
	return drm_dev_ctx_unregister(to_drm_dev_ctx(drm_dev_ctx_bound_drm(&reg->base.bound)));
}

static void drm_dev_ctx_test_unregister_in_section(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	struct drm_device *drm = tdev_registered(test);
	struct drm_dev_ctx_unreg *unreg = tdev_new(test);
	int ret = 0;

	if (!IS_ENABLED(CONFIG_DRM_SAFE_DEBUG))
		kunit_skip(test, "waits for ever without CONFIG_DRM_SAFE_DEBUG");

	drm_dev_ctx_guard(tdev_reg, reg, to_drm_dev_ctx(drm)) {
		kunit_warning_suppress(test) {
			ret = tdev_unregister_with(reg);
			EXPECT_BROKEN(test, "unregister from outside");
		}
	}
	KUNIT_EXPECT_EQ(test, ret, -EDEADLK);
	KUNIT_EXPECT_STREQ(test, t->log.steps, "");
	KUNIT_EXPECT_TRUE(test, tdev_enters(drm));

	/* The sections of all devices count, also sections of the ioctl context. */
	drm_dev_ctx_guard(tdev_reg, reg, (struct drm_dev_ctx_ioctl *)drm) {
		kunit_warning_suppress(test) {
			ret = __drm_dev_ctx_register(t->parent, unreg, &tdev_reg_ops,
						     &tdev_hw_new(test)->base);
			EXPECT_BROKEN(test, "unregister from outside");
		}
	}
	KUNIT_EXPECT_EQ(test, ret, -EDEADLK);
	KUNIT_EXPECT_STREQ(test, t->log.steps, "qr");
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(drm)), 0);
}

/* Does not return before another task waits for the end of the registration. */
static void tdev_linger(struct drm_device *drm, struct tdev_hw *hw)
{
	complete(&hw->stopping);
	while (!drm_safe_test_lock_waits(&to_drm_dev_ctx(drm)->__lock))
		schedule_timeout_idle(1);
}

static int tdev_unregister_thread(void *data)
{
	return drm_dev_ctx_unregister(to_drm_dev_ctx(data));
}

/* The second caller waits until the hardware is stopped. */
static void drm_dev_ctx_test_unregister_threads(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	struct tdev_hw *hw = tdev_hw_new(test);
	struct task_struct *task;
	struct drm_device *drm;

	hw->in_quiesce = tdev_linger;
	drm = tdev_registered_hw(test, hw);
	task = kthread_create(tdev_unregister_thread, drm, "tdev");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	get_task_struct(task);
	wake_up_process(task);
	wait_for_completion(&hw->stopping);

	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(drm)), -ENODEV);
	KUNIT_EXPECT_STREQ(test, t->log.steps, "sqr");
	KUNIT_EXPECT_EQ(test, kthread_stop(task), 0);
	put_task_struct(task);
}

/* A registration that fails when the device counts as registered already. */
static bool tdev_load_entered;

static int tdev_load_fails(struct drm_device *drm, unsigned long flags)
{
	tdev_load_entered = tdev_enters(drm);
	return -EIO;
}

static const struct drm_driver tdev_driver_load_fails = {
	TDEV_DRIVER,
	.load = tdev_load_fails,
};

static void drm_dev_ctx_test_register_fails(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = tdev_new_driver(test, &tdev_driver_load_fails);
	struct drm_device *drm = drm_dev_ctx_bound_drm(&unreg->bound);

	tdev_load_entered = false;
	KUNIT_EXPECT_EQ(test,
			drm_dev_ctx_register(t->parent, &unreg, &tdev_reg_ops,
					     &tdev_hw_new(test)->base),
			-EIO);
	KUNIT_EXPECT_TRUE(test, tdev_load_entered);
	KUNIT_EXPECT_STREQ(test, t->log.steps, "sqr");
	KUNIT_EXPECT_FALSE(test, tdev_enters(drm));
	KUNIT_EXPECT_EQ(test, PTR_ERR(drm_safe_test_open(test, drm->render)), -ENODEV);
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(drm)), -ENODEV);

	drm_safe_test_unbind(test, t->parent);
	KUNIT_EXPECT_STREQ(test, t->log.steps, "sqrf");
}

/*
 * While a device is being registered its minors are live before it counts as
 * registered. DRM calls this for the primary minor, after the render minor. All
 * contexts agree then: a section can be entered.
 */
static bool tdev_early_ran, tdev_early_entered;

static void tdev_early(struct drm_minor *minor)
{
	struct kunit *test = kunit_get_current_test();
	struct drm_device *drm = minor->dev;
	struct tdev_args args = {};
	struct file *filp;

	tdev_early_ran = true;
	tdev_early_entered = tdev_enters(drm);
	filp = drm_safe_test_open(test, drm->render);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, filp);
	KUNIT_EXPECT_EQ(test, tdev_ioctl(filp, DRM_IOCTL_TDEV_REG, &args), 0);
	KUNIT_EXPECT_EQ(test, tdev_ioctl(filp, DRM_IOCTL_TDEV_CTX, &args), 0);
	KUNIT_EXPECT_EQ(test, tdev_ioctl(filp, DRM_IOCTL_TDEV_NESTED, &args), TDEV_VALUE);
	drm_safe_test_close(test, filp);
}

static const struct drm_driver tdev_driver_early = {
	TDEV_DRIVER,
	.debugfs_init = tdev_early,
};

static void drm_dev_ctx_test_early(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = tdev_new_driver(test, &tdev_driver_early);
	struct drm_device *drm = drm_dev_ctx_bound_drm(&unreg->bound);

	if (!IS_ENABLED(CONFIG_DEBUG_FS))
		kunit_skip(test, "needs CONFIG_DEBUG_FS");

	tdev_early_ran = false;
	tdev_early_entered = false;
	KUNIT_EXPECT_FALSE(test, tdev_enters(drm));
	KUNIT_EXPECT_EQ(test,
			drm_dev_ctx_register(t->parent, &unreg, &tdev_reg_ops,
					     &tdev_hw_new(test)->base),
			0);
	KUNIT_EXPECT_TRUE(test, tdev_early_ran);
	KUNIT_EXPECT_TRUE(test, tdev_early_entered);
	KUNIT_EXPECT_TRUE(test, tdev_enters(drm));
	KUNIT_EXPECT_STREQ(test, t->log.steps, "oc");
}

/*
 * A registration that fails after the render minor was live: all sections have ended,
 * the hardware is stopped, the data is gone, and an open file can be closed.
 */
static struct file *tdev_late_file;

static void tdev_late(struct drm_minor *minor)
{
	struct kunit *test = kunit_get_current_test();
	struct tdev_args args = {};

	tdev_late_file = drm_safe_test_open(test, minor->dev->render);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, tdev_late_file);
	KUNIT_EXPECT_EQ(test, tdev_ioctl(tdev_late_file, DRM_IOCTL_TDEV_REG, &args), 0);

	/* device_add() of the primary minor comes next, and needs a name. */
	kfree_const(minor->kdev->kobj.name);
	minor->kdev->kobj.name = NULL;
}

static const struct drm_driver tdev_driver_late = {
	TDEV_DRIVER,
	.debugfs_init = tdev_late,
};

static void drm_dev_ctx_test_register_fails_late(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = tdev_new_driver(test, &tdev_driver_late);
	struct drm_device *drm = drm_dev_ctx_bound_drm(&unreg->bound);
	struct tdev_args args = {};

	if (!IS_ENABLED(CONFIG_DEBUG_FS))
		kunit_skip(test, "needs CONFIG_DEBUG_FS");

	KUNIT_EXPECT_EQ(test,
			drm_dev_ctx_register(t->parent, &unreg, &tdev_reg_ops,
					     &tdev_hw_new(test)->base),
			-EINVAL);
	KUNIT_EXPECT_STREQ(test, t->log.steps, "osqr");
	KUNIT_EXPECT_FALSE(test, tdev_enters(drm));
	KUNIT_EXPECT_EQ(test, PTR_ERR(drm_safe_test_open(test, drm->render)), -ENODEV);
	KUNIT_EXPECT_EQ(test, tdev_ioctl(tdev_late_file, DRM_IOCTL_TDEV_REG, &args), -ENODEV);

	drm_safe_test_unbind(test, t->parent);
	KUNIT_EXPECT_STREQ(test, t->log.steps, "osqr");
	drm_safe_test_close(test, tdev_late_file);
	KUNIT_EXPECT_STREQ(test, t->log.steps, "osqrcf");
}

struct tdev_revocable {
	struct drm_dev_ctx_revocable rev;
	struct tdev_log *log;
};

static bool tdev_get(struct drm_dev_ctx_revocable *rev)
{
	return true;
}

static void tdev_revoke(struct drm_dev_ctx_revocable *rev)
{
	log_step(container_of(rev, struct tdev_revocable, rev)->log, 'u');
}

static const struct drm_dev_ctx_revocable_ops tdev_revocable_ops = {
	.get = tdev_get,
	.revoke = tdev_revoke,
};

static void tdev_add(struct kunit *test, const struct drm_dev_ctx_bound *bound,
		     struct tdev_revocable *rev)
{
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_revocable_add(bound, &rev->rev, &tdev_revocable_ops), 0);
}

/* Takes an entry off that is on the list, or finds that it is not. */
static bool tdev_end(struct drm_device *drm, struct tdev_revocable *rev)
{
	if (!drm_dev_ctx_revocable_take(to_drm_dev_ctx(drm), &rev->rev))
		return false;
	drm_dev_ctx_revocable_done(to_drm_dev_ctx(drm));
	return true;
}

/* Revocation comes last, and only for entries on the list. */
static void drm_dev_ctx_test_revocable(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	struct tdev_revocable revs[4] = {};
	struct drm_dev_ctx_unreg *unreg = tdev_new(test);
	struct drm_device *drm = drm_dev_ctx_bound_drm(&unreg->bound);

	for (int i = 0; i < ARRAY_SIZE(revs); i++)
		revs[i].log = &t->log;
	/* Zeroed, as in a structure that has not got so far */
	KUNIT_EXPECT_FALSE(test, tdev_end(drm, &revs[0]));
	tdev_add(test, &unreg->bound, &revs[0]);
	KUNIT_ASSERT_EQ(test,
			drm_dev_ctx_register(t->parent, &unreg, &tdev_reg_ops,
					     &tdev_hw_new(test)->base),
			0);
	drm_dev_ctx_guard(tdev_reg, reg, to_drm_dev_ctx(drm)) {
		tdev_add(test, &reg->base.bound, &revs[1]);
		tdev_add(test, &reg->base.bound, &revs[2]);
		tdev_add(test, &reg->base.bound, &revs[3]);
	}
	KUNIT_EXPECT_TRUE(test, tdev_end(drm, &revs[2]));
	KUNIT_EXPECT_FALSE(test, tdev_end(drm, &revs[2]));
	/* One is taken off while the other is, and added again. */
	if (drm_dev_ctx_revocable_take(to_drm_dev_ctx(drm), &revs[1].rev)) {
		KUNIT_EXPECT_TRUE(test, tdev_end(drm, &revs[3]));
		drm_dev_ctx_revocable_done(to_drm_dev_ctx(drm));
	}
	tdev_add(test, &(struct drm_dev_ctx_bound){ .__ctx = to_drm_dev_ctx(drm) }, &revs[1]);
	tdev_add(test, &(struct drm_dev_ctx_bound){ .__ctx = to_drm_dev_ctx(drm) }, &revs[3]);

	drm_dev_get(drm);
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(drm)), 0);
	KUNIT_EXPECT_STREQ(test, t->log.steps, "sqr");
	drm_safe_test_unbind(test, t->parent);
	KUNIT_EXPECT_STREQ(test, t->log.steps, "sqruuu");

	/* A proof that was kept */
	kunit_warning_suppress(test) {
		const struct drm_dev_ctx_bound kept = { .__ctx = to_drm_dev_ctx(drm) };

		KUNIT_EXPECT_EQ(test,
				drm_dev_ctx_revocable_add(&kept, &revs[0].rev, &tdev_revocable_ops),
				-ENODEV);
		EXPECT_BROKEN(test, "proofs end with their scope");
	}
	for (int i = 0; i < ARRAY_SIZE(revs); i++)
		KUNIT_EXPECT_FALSE(test, tdev_end(drm, &revs[i]));
	drm_dev_put(drm);
	KUNIT_EXPECT_STREQ(test, t->log.steps, "sqruuuf");
}

static struct drm_device *tdev_stated_hw(struct kunit *test, struct device *dev,
					 struct device *parent, struct tdev_hw *hw)
{
	struct tdev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg =
		drm_dev_ctx_alloc_parent(dev, parent, &tdev_driver, struct tdev, ctx);
	struct drm_device *drm;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unreg);
	tdev_dev(drm_dev_ctx_unreg_drm(unreg))->log = &t->log;
	drm = drm_dev_ctx_bound_drm(&unreg->bound);
	drm_dev_get(drm);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, tdev_put, drm), 0);
	KUNIT_EXPECT_PTR_EQ(test, drm_dev_ctx_bound_parent(&unreg->bound), parent);
	KUNIT_EXPECT_PTR_EQ(test, drm_dev_ctx_bound_device(&unreg->bound), dev);
	KUNIT_ASSERT_EQ(test, drm_dev_ctx_register(dev, &unreg, &tdev_reg_ops, &hw->base), 0);
	return drm;
}

static struct drm_device *tdev_stated(struct kunit *test, struct device *dev,
				      struct device *parent)
{
	return tdev_stated_hw(test, dev, parent, tdev_hw_new(test));
}

/* A parent that is not faux: the driver core orders the unbinding of others only. */
static struct device *tdev_platform(struct kunit *test)
{
	return &tdev_bus_device(test, tdev_kunit_driver.driver.name)->dev;
}

/* The bound device goes first, and comes again; its parent stays. */
static void drm_dev_ctx_test_stated_parent(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	struct drm_device *drm[2];
	struct device *parent;

	KUNIT_ASSERT_EQ(test, kunit_platform_driver_register(test, &tdev_kunit_driver), 0);
	parent = tdev_platform(test);
	for (int i = 0; i < ARRAY_SIZE(drm); i++) {
		drm[i] = tdev_stated(test, t->parent, parent);
		KUNIT_EXPECT_TRUE(test, tdev_enters(drm[i]));
		KUNIT_EXPECT_STREQ(test, drm[i]->unique, dev_name(parent));
		drm_safe_test_rebind(test, t->parent);
		KUNIT_EXPECT_FALSE(test, tdev_enters(drm[i]));
		KUNIT_EXPECT_NOT_NULL(test, parent->driver);
	}
	KUNIT_EXPECT_STREQ(test, t->log.steps, "sqrsqr");
}

/* The parent goes first: that unbinds the device, while the parent has its driver. */
static void tdev_parent_is_bound(struct drm_device *drm, struct tdev_hw *hw)
{
	hw->ret = drm->dev->driver ? 1 : 0;
	log_step(hw->log, hw->ret ? 'b' : '-');
}

static void drm_dev_ctx_test_stated_parent_first(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	struct tdev_revocable rev = { .log = &t->log };
	struct tdev_hw *hw = tdev_hw_new(test);
	struct device *parent;
	struct drm_device *drm;

	KUNIT_ASSERT_EQ(test, kunit_platform_driver_register(test, &tdev_kunit_driver), 0);
	parent = tdev_platform(test);
	hw->in_quiesce = tdev_parent_is_bound;
	drm = tdev_stated_hw(test, t->parent, parent, hw);
	drm_dev_ctx_guard(tdev_reg, reg, to_drm_dev_ctx(drm))
		tdev_add(test, &reg->base.bound, &rev);

	device_release_driver(parent);
	KUNIT_EXPECT_NULL(test, t->parent->driver);
	KUNIT_EXPECT_STREQ(test, t->log.steps, "sqbru");
	KUNIT_EXPECT_FALSE(test, tdev_enters(drm));
}

static void tdev_dma_device_is_bound(struct drm_device *drm, struct tdev_hw *hw)
{
	log_step(hw->log, drm_dev_dma_dev(drm)->driver ? 'b' : '-');
}

/* A device that does DMA through another one, which is unbound first */
static void drm_dev_ctx_test_dma_device(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = tdev_new(test);
	struct tdev_revocable rev = { .log = &t->log };
	struct tdev_hw *hw = tdev_hw_new(test);
	struct device *dma_dev;

	KUNIT_ASSERT_EQ(test, kunit_platform_driver_register(test, &tdev_kunit_driver), 0);
	dma_dev = tdev_platform(test);
	hw->in_quiesce = tdev_dma_device_is_bound;
	drm_dev_set_dma_dev(drm_dev_ctx_unreg_drm(unreg), dma_dev);
	tdev_add(test, &unreg->bound, &rev);
	KUNIT_ASSERT_EQ(test, drm_dev_ctx_register(t->parent, &unreg, &tdev_reg_ops, &hw->base), 0);

	device_release_driver(dma_dev);
	KUNIT_EXPECT_NULL(test, t->parent->driver);
	KUNIT_EXPECT_STREQ(test, t->log.steps, "sqbruf");
}

/* A device that is registered while its DMA device is being unbound */
struct tdev_going {
	struct device *parent;
	struct drm_dev_ctx_unreg *unreg;
	struct tdev_hw *hw;
	int ret;
};

static void tdev_going_remove(struct platform_device *pdev)
{
	struct tdev_going *going = platform_get_drvdata(pdev);

	going->ret = drm_dev_ctx_register(going->parent, &going->unreg, &tdev_reg_ops,
					  &going->hw->base);
}

static struct platform_driver tdev_going_driver = {
	.probe = tdev_kunit_probe,
	.remove = tdev_going_remove,
	.driver.name = "drm_safe_test_going",
};

/* The driver core has looked for its consumers already. */
static void drm_dev_ctx_test_dma_device_goes(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	struct tdev_going going = {
		.parent = t->parent,
		.unreg = tdev_new(test),
		.hw = tdev_hw_new(test),
	};
	struct platform_device *dma_dev;

	KUNIT_ASSERT_EQ(test, kunit_platform_driver_register(test, &tdev_going_driver), 0);
	dma_dev = tdev_bus_device(test, tdev_going_driver.driver.name);
	platform_set_drvdata(dma_dev, &going);
	drm_dev_set_dma_dev(drm_dev_ctx_unreg_drm(going.unreg), &dma_dev->dev);
	device_release_driver(&dma_dev->dev);
	KUNIT_EXPECT_EQ(test, going.ret, -ENODEV);
	KUNIT_EXPECT_STREQ(test, t->log.steps, "qr");
}

static int tdev_making_probe(struct platform_device *pdev)
{
	struct tdev_going *going = platform_get_drvdata(pdev);

	drm_dev_set_dma_dev(drm_dev_ctx_unreg_drm(going->unreg), &pdev->dev);
	going->ret = drm_dev_ctx_register(going->parent, &going->unreg, &tdev_reg_ops,
					  &going->hw->base);
	return going->ret;
}

static void tdev_making_remove(struct platform_device *pdev)
{
	struct tdev_going *going = platform_get_drvdata(pdev);

	drm_dev_ctx_remove(going->parent);
}

static struct platform_driver tdev_making_driver = {
	.probe = tdev_making_probe,
	.remove = tdev_making_remove,
	.driver.name = "drm_safe_test_making",
};

/*
 * The last component of a master, which is bound already: its probe function registers the device,
 * and its remove function ends it. A device link would not do that, and the driver core warns of
 * it.
 */
static void drm_dev_ctx_test_dma_device_probes(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	struct tdev_going going = {
		.parent = t->parent,
		.unreg = tdev_new(test),
		.hw = tdev_hw_new(test),
		.ret = -EBUSY,
	};
	struct drm_device *drm = drm_dev_ctx_unreg_drm(going.unreg);
	struct platform_device *dma_dev;

	drm_dev_get(drm);
	KUNIT_ASSERT_EQ(test, kunit_platform_driver_register(test, &tdev_making_driver), 0);
	dma_dev = kunit_platform_device_alloc(test, tdev_making_driver.driver.name,
					      PLATFORM_DEVID_AUTO);
	KUNIT_ASSERT_NOT_NULL(test, dma_dev);
	platform_set_drvdata(dma_dev, &going);
	KUNIT_ASSERT_EQ(test, kunit_platform_device_add(test, dma_dev), 0);
	KUNIT_EXPECT_EQ(test, going.ret, 0);
	KUNIT_EXPECT_TRUE(test, tdev_enters(drm));
	kunit_warning_suppress(test) {
		device_release_driver(&dma_dev->dev);
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 0);
	}
	KUNIT_EXPECT_FALSE(test, tdev_enters(drm));
	KUNIT_EXPECT_NOT_NULL(test, t->parent->driver);
	drm_dev_put(drm);
	KUNIT_EXPECT_STREQ(test, t->log.steps, "sqrf");
}

/* A DMA device whose probe function takes its time, in another task */
struct tdev_probing {
	struct completion began, go_on;
};

static int tdev_probing_probe(struct platform_device *pdev)
{
	struct tdev_probing *probing = platform_get_drvdata(pdev);

	complete(&probing->began);
	wait_for_completion(&probing->go_on);
	return 0;
}

static struct platform_driver tdev_probing_driver = {
	.probe = tdev_probing_probe,
	.driver.name = "drm_safe_test_probing",
	.driver.probe_type = PROBE_PREFER_ASYNCHRONOUS,
};

/* Nothing unbinds the parent before that device, so the registration comes later. */
static void drm_dev_ctx_test_dma_device_probed(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = tdev_new(test);
	struct tdev_probing probing = {
		.began = COMPLETION_INITIALIZER_ONSTACK(probing.began),
		.go_on = COMPLETION_INITIALIZER_ONSTACK(probing.go_on),
	};
	struct platform_device *dma_dev;

	KUNIT_ASSERT_EQ(test, kunit_platform_driver_register(test, &tdev_probing_driver), 0);
	dma_dev = kunit_platform_device_alloc(test, tdev_probing_driver.driver.name,
					      PLATFORM_DEVID_AUTO);
	KUNIT_ASSERT_NOT_NULL(test, dma_dev);
	platform_set_drvdata(dma_dev, &probing);
	KUNIT_ASSERT_EQ(test, kunit_platform_device_add(test, dma_dev), 0);
	wait_for_completion(&probing.began);
	drm_dev_set_dma_dev(drm_dev_ctx_unreg_drm(unreg), &dma_dev->dev);
	KUNIT_EXPECT_EQ(test, -EPROBE_DEFER,
			drm_dev_ctx_register(t->parent, &unreg, &tdev_reg_ops,
					     &tdev_hw_new(test)->base));
	KUNIT_EXPECT_STREQ(test, t->log.steps, "qr");
	complete(&probing.go_on);
	/* The probe function has returned. */
	device_lock(&dma_dev->dev);
	device_unlock(&dma_dev->dev);
}

/* A DMA device that the driver core cannot unbind later is refused. */
static void drm_dev_ctx_test_dma_device_odd(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = tdev_new(test);

	drm_dev_set_dma_dev(drm_dev_ctx_unreg_drm(unreg), drm_safe_test_parent(test));
	KUNIT_EXPECT_EQ(test,
			drm_dev_ctx_register(t->parent, &unreg, &tdev_reg_ops,
					     &tdev_hw_new(test)->base),
			IS_ENABLED(CONFIG_PM_SLEEP) ? -EINVAL : 0);
	KUNIT_EXPECT_STREQ(test, t->log.steps, IS_ENABLED(CONFIG_PM_SLEEP) ? "qr" : "");
}

/*
 * As virtio does it: the parent's probe function makes the device, whose own probe
 * function runs inside of it, and the parent's remove function takes it away.
 */
static struct drm_device *tdev_inner_drm;

static int tdev_inner_probe(struct platform_device *pdev)
{
	struct drm_dev_ctx_unreg *unreg = drm_dev_ctx_alloc_parent(&pdev->dev, pdev->dev.parent,
								   &tdev_driver, struct tdev, ctx);

	if (IS_ERR(unreg))
		return PTR_ERR(unreg);
	tdev_inner_drm = drm_dev_ctx_bound_drm(&unreg->bound);
	drm_dev_get(tdev_inner_drm);
	return drm_dev_ctx_register(&pdev->dev, &unreg, NULL, NULL);
}

static struct platform_driver tdev_inner_driver = {
	.probe = tdev_inner_probe,
	.driver.name = "drm_safe_test_inner",
};

static int tdev_outer_probe(struct platform_device *pdev)
{
	struct platform_device *inner;

	inner = platform_device_register_data(&pdev->dev, tdev_inner_driver.driver.name,
					      PLATFORM_DEVID_AUTO, NULL, 0);
	platform_set_drvdata(pdev, inner);
	return PTR_ERR_OR_ZERO(inner);
}

static void tdev_outer_remove(struct platform_device *pdev)
{
	platform_device_unregister(platform_get_drvdata(pdev));
}

static struct platform_driver tdev_outer_driver = {
	.probe = tdev_outer_probe,
	.remove = tdev_outer_remove,
	.driver.name = "drm_safe_test_outer",
};

static void drm_dev_ctx_test_stated_parent_nested(struct kunit *test)
{
	struct platform_device *outer, *inner;
	struct drm_device *drm[2];

	KUNIT_ASSERT_EQ(test, kunit_platform_driver_register(test, &tdev_inner_driver), 0);
	KUNIT_ASSERT_EQ(test, kunit_platform_driver_register(test, &tdev_outer_driver), 0);
	outer = tdev_bus_device(test, tdev_outer_driver.driver.name);
	inner = platform_get_drvdata(outer);
	KUNIT_ASSERT_NOT_NULL(test, inner->dev.driver);

	/* The inner one is bound again before the outer one goes. */
	drm[0] = tdev_inner_drm;
	KUNIT_EXPECT_TRUE(test, tdev_enters(drm[0]));
	drm_safe_test_rebind(test, &inner->dev);
	KUNIT_EXPECT_FALSE(test, tdev_enters(drm[0]));
	drm[1] = tdev_inner_drm;
	KUNIT_EXPECT_TRUE(test, tdev_enters(drm[1]));
	device_release_driver(&outer->dev);
	KUNIT_EXPECT_FALSE(test, tdev_enters(drm[1]));
	for (int i = 0; i < ARRAY_SIZE(drm); i++)
		drm_dev_put(drm[i]);
}

/*
 * Parents that depend on the device, or cannot be ordered. One device is probed
 * inside of the probe function of the other one, which it has as its parent.
 */
static struct device *tdev_odd_outer;

static int tdev_odd_probe(struct platform_device *pdev)
{
	struct kunit *test = kunit_get_current_test();
	struct device *dev = &pdev->dev, *inner;
	struct drm_dev_ctx_unreg *unreg;
	struct tdev_test *t = test->priv;

	if (tdev_odd_outer) {
		tdev_stated(test, dev, tdev_odd_outer);
		return 0;
	}
	tdev_odd_outer = dev;
	inner = &tdev_bus_device(test, pdev->dev.driver->name)->dev;
	unreg = drm_dev_ctx_alloc_parent(dev, inner, &tdev_driver, struct tdev, ctx);
	KUNIT_EXPECT_EQ(test, PTR_ERR(unreg), -EINVAL);
	unreg = drm_dev_ctx_alloc_parent(dev, t->parent, &tdev_driver, struct tdev, ctx);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(unreg), IS_ENABLED(CONFIG_PM_SLEEP) ? -EINVAL : 0);
	return 0;
}

static struct platform_driver tdev_odd_driver = {
	.probe = tdev_odd_probe,
	.driver.name = "drm_safe_test_odd",
};

/* Devices that never have a driver */
static void drm_dev_ctx_test_stated_parent_odd(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	struct device *root = t->parent->parent;
	struct drm_device *drm = tdev_stated(test, t->parent, root);

	KUNIT_EXPECT_NULL(test, root->driver);
	drm_safe_test_rebind(test, t->parent);
	KUNIT_EXPECT_FALSE(test, tdev_enters(drm));
	KUNIT_EXPECT_STREQ(test, t->log.steps, "sqr");

	KUNIT_ASSERT_EQ(test, kunit_platform_driver_register(test, &tdev_odd_driver), 0);
	tdev_odd_outer = NULL;
	tdev_bus_device(test, tdev_odd_driver.driver.name);
	/* This unbinds the inner one. */
	device_release_driver(tdev_odd_outer);
	KUNIT_EXPECT_STREQ(test, t->log.steps, "sqrsqr");
}

/* An entry that one task ends or revokes, and that waits in this */
struct tdev_slow {
	struct drm_dev_ctx_revocable rev;
	struct work_struct end;
	struct work_struct *unbind;
	struct completion begun;
	struct completion go;
	unsigned int revoked;
	unsigned int ended;
	bool dying;		/* no reference is left */
	struct drm_device *drm;
};

static bool tdev_slow_get(struct drm_dev_ctx_revocable *rev)
{
	return !container_of(rev, struct tdev_slow, rev)->dying;
}

static void tdev_slow_wait(struct tdev_slow *slow)
{
	complete(&slow->begun);
	wait_for_completion(&slow->go);
}

static void tdev_slow_revoke(struct drm_dev_ctx_revocable *rev)
{
	struct tdev_slow *slow = container_of(rev, struct tdev_slow, rev);

	slow->revoked++;
	tdev_slow_wait(slow);
}

static const struct drm_dev_ctx_revocable_ops tdev_slow_ops = {
	.get = tdev_slow_get,
	.revoke = tdev_slow_revoke,
};

static void tdev_slow_end(struct work_struct *work)
{
	struct tdev_slow *slow = container_of(work, struct tdev_slow, end);

	if (!drm_dev_ctx_revocable_take(to_drm_dev_ctx(slow->drm), &slow->rev))
		return;
	slow->ended++;
	tdev_slow_wait(slow);
	drm_dev_ctx_revocable_done(to_drm_dev_ctx(slow->drm));
}

static struct tdev_slow *tdev_slow_new(struct kunit *test)
{
	struct tdev_slow *slow = kunit_kzalloc(test, sizeof(*slow), GFP_KERNEL);
	struct drm_dev_ctx_unreg *unreg = tdev_new(test);
	struct tdev_test *t = test->priv;

	KUNIT_ASSERT_NOT_NULL(test, slow);
	INIT_WORK(&slow->end, tdev_slow_end);
	slow->unbind = drm_safe_test_unbind_work(test, t->parent);
	init_completion(&slow->begun);
	init_completion(&slow->go);
	slow->drm = drm_dev_ctx_bound_drm(&unreg->bound);
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_revocable_add(&unreg->bound, &slow->rev, &tdev_slow_ops),
			0);
	drm_dev_get(slow->drm);
	drm_dev_ctx_drop(&unreg);
	return slow;
}

/* Unbinding waits for the end of mappings. */
static bool tdev_is_waited_for(struct drm_device *drm)
{
	return wq_has_sleeper(&to_drm_dev_ctx(drm)->__ended);
}

static void tdev_slow_finish(struct kunit *test, struct tdev_slow *slow)
{
	complete_all(&slow->go);
	flush_work(&slow->end);
	flush_work(slow->unbind);
	KUNIT_EXPECT_EQ(test, slow->revoked + slow->ended, 1);
	drm_dev_put(slow->drm);
}

/* The parent stays bound until all that was begun before has come to its end. */
static void drm_dev_ctx_test_revocable_end(struct kunit *test)
{
	struct tdev_slow *slow = tdev_slow_new(test);
	struct tdev_revocable other = {};
	bool taken;

	tdev_add(test, &(struct drm_dev_ctx_bound){ .__ctx = to_drm_dev_ctx(slow->drm) }, &other);
	taken = drm_dev_ctx_revocable_take(to_drm_dev_ctx(slow->drm), &other.rev);
	schedule_work(&slow->end);
	wait_for_completion(&slow->begun);
	drm_safe_test_work_waits(test, slow->unbind, tdev_is_waited_for(slow->drm));
	KUNIT_EXPECT_EQ(test, slow->ended, 1);
	if (taken)
		drm_dev_ctx_revocable_done(to_drm_dev_ctx(slow->drm));
	KUNIT_EXPECT_TRUE(test, taken);
	KUNIT_EXPECT_TRUE(test, work_busy(slow->unbind));
	tdev_slow_finish(test, slow);
}

/* A task that comes too late ends nothing, and does not wait for revocation. */
static void drm_dev_ctx_test_revocable_late(struct kunit *test)
{
	struct tdev_slow *slow = tdev_slow_new(test);

	schedule_work(slow->unbind);
	wait_for_completion(&slow->begun);
	schedule_work(&slow->end);
	flush_work(&slow->end);
	KUNIT_EXPECT_EQ(test, slow->revoked, 1);
	KUNIT_EXPECT_TRUE(test, work_busy(slow->unbind));
	tdev_slow_finish(test, slow);
}

/* Unbinding leaves an entry without a reference to its owner, and waits. */
static void drm_dev_ctx_test_revocable_dying(struct kunit *test)
{
	struct tdev_slow *slow = tdev_slow_new(test);

	slow->dying = true;
	drm_safe_test_work_waits(test, slow->unbind, tdev_is_waited_for(slow->drm));
	schedule_work(&slow->end);
	wait_for_completion(&slow->begun);
	KUNIT_EXPECT_TRUE(test, work_busy(slow->unbind));
	KUNIT_EXPECT_EQ(test, slow->ended, 1);
	tdev_slow_finish(test, slow);
}

/* An entry that has a reference again is revoked, and unbinding ends. */
static void drm_dev_ctx_test_revocable_retry(struct kunit *test)
{
	struct tdev_slow *slow = tdev_slow_new(test);
	struct drm_device *drm = slow->drm;

	/* While the parent is bound, and while no entry is left to revoke */
	drm_dev_ctx_revocable_retry(to_drm_dev_ctx(drm));
	slow->dying = true;
	drm_safe_test_work_waits(test, slow->unbind, tdev_is_waited_for(slow->drm));
	drm_dev_ctx_revocable_retry(to_drm_dev_ctx(drm));
	KUNIT_EXPECT_EQ(test, slow->revoked, 0);
	slow->dying = false;
	drm_dev_ctx_revocable_retry(to_drm_dev_ctx(drm));
	wait_for_completion(&slow->begun);
	KUNIT_EXPECT_EQ(test, slow->revoked, 1);
	drm_dev_get(drm);
	tdev_slow_finish(test, slow);
	/* The parent is unbound. */
	drm_dev_ctx_revocable_retry(to_drm_dev_ctx(drm));
	drm_dev_put(drm);
}

/* A mapping that was made with a dropped token goes with the binding, too. */
static void drm_dev_ctx_test_revocable_dropped(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	struct tdev_revocable rev = { .log = &t->log };
	struct drm_dev_ctx_unreg *unreg = tdev_new(test);

	tdev_add(test, &unreg->bound, &rev);
	drm_dev_ctx_drop(&unreg);
	KUNIT_EXPECT_STREQ(test, t->log.steps, "");
	drm_safe_test_unbind(test, t->parent);
	KUNIT_EXPECT_STREQ(test, t->log.steps, "uf");
}

struct tdev_bound_work {
	struct work_struct work;
	struct drm_device *drm;
	bool bound;
};

static void tdev_is_bound_work(struct work_struct *work)
{
	struct tdev_bound_work *w = container_of(work, struct tdev_bound_work, work);

	w->bound = tdev_is_bound(w->drm);
}

static void tdev_check_bound(struct drm_device *drm)
{
	struct tdev_bound_work w = { .drm = drm };
	struct kunit *test = tdev_dev(drm)->test;

	KUNIT_EXPECT_FALSE(test, tdev_enters(drm));
	KUNIT_EXPECT_TRUE(test, tdev_is_bound(drm));

	/* Work for which the end of the registration waits is not refused. */
	INIT_WORK_ONSTACK(&w.work, tdev_is_bound_work);
	schedule_work(&w.work);
	flush_work(&w.work);
	destroy_work_on_stack(&w.work);
	KUNIT_EXPECT_TRUE(test, w.bound);
}

static void tdev_check_bound_in_quiesce(struct drm_device *drm, struct tdev_hw *hw)
{
	tdev_check_bound(drm);
}

static void drm_dev_ctx_test_if_bound(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = tdev_new(test);
	struct tdev_hw *hw = tdev_hw_new(test);
	struct drm_device *drm;

	KUNIT_EXPECT_FALSE(test, tdev_is_bound(drm_dev_ctx_bound_drm(&unreg->bound)));
	hw->in_quiesce = tdev_check_bound_in_quiesce;
	drm = tdev_registered_hw(test, hw);
	tdev_dev(drm)->in_shutdown = tdev_check_bound;
	KUNIT_EXPECT_TRUE(test, tdev_is_bound(drm));
	drm_safe_test_unbind(test, t->parent);
	KUNIT_EXPECT_STREQ(test, t->log.steps, "sqrf");
	KUNIT_EXPECT_FALSE(test, tdev_is_bound(drm));
}

static void tdev_unregister_in_shutdown(struct drm_device *drm)
{
	struct kunit *test = tdev_dev(drm)->test;

	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(drm)), -EDEADLK);
		EXPECT_BROKEN(test, "unregister from outside");
	}
	/* As in drm_atomic_helper_shutdown() */
	KUNIT_EXPECT_FALSE(test, signal_pending(current));
}

/* The display is turned off to the end, though the task that ends the registration has a signal. */
static void drm_dev_ctx_test_shutdown_signal(struct kunit *test)
{
	struct drm_device *drm = tdev_registered(test);
	struct tdev_test *t = test->priv;

	tdev_dev(drm)->in_shutdown = tdev_unregister_in_shutdown;
	set_tsk_thread_flag(current, TIF_SIGPENDING);
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(drm)), 0);
	clear_tsk_thread_flag(current, TIF_SIGPENDING);
	KUNIT_EXPECT_STREQ(test, t->log.steps, "sqr");
}

/* Work in a block, which is entered while the registration ends, so without a section */
struct tdev_bound_user {
	struct kunit *test;
	struct drm_device *drm;
	struct work_struct work;
	void (*inside)(struct tdev_bound_user *user);
	struct completion entered;
	struct completion leave;
	int ret;
	char blamed[KSYM_SYMBOL_LEN];
};

static void tdev_bound_user_work(struct work_struct *work)
{
	struct tdev_bound_user *user = container_of(work, struct tdev_bound_user, work);

	drm_dev_ctx_guard_live(live, to_drm_dev_ctx(user->drm)) {
		if (user->inside)
			user->inside(user);
		complete(&user->entered);
		wait_for_completion(&user->leave);
	}
}

/* Starts work that quiesce does not wait for. */
static void tdev_start_bound_user(struct drm_device *drm)
{
	struct tdev_bound_user *user = tdev_dev(drm)->user;

	schedule_work(&user->work);
	wait_for_completion(&user->entered);
}

/* A device whose kms_shutdown starts such work, which enters its block before that returns */
static struct tdev_bound_user *tdev_bound_user_new(struct kunit *test)
{
	struct tdev_bound_user *user = kunit_kzalloc(test, sizeof(*user), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, user);
	user->test = test;
	user->drm = tdev_registered(test);
	INIT_WORK(&user->work, tdev_bound_user_work);
	init_completion(&user->entered);
	init_completion(&user->leave);
	tdev_dev(user->drm)->user = user;
	tdev_dev(user->drm)->in_shutdown = tdev_start_bound_user;
	return user;
}

/* A block that quiesce does not wait for keeps the registration data. */
static void drm_dev_ctx_test_bound_outlives_quiesce(struct kunit *test)
{
	struct tdev_bound_user *user = tdev_bound_user_new(test);
	struct tdev_test *t = test->priv;
	struct work_struct *unbind = drm_safe_test_unbind_work(test, t->parent);

	drm_safe_test_work_waits(test, unbind,
				 swait_active(&to_drm_dev_ctx(user->drm)->__bound_left.wait));
	KUNIT_EXPECT_STREQ(test, t->log.steps, "sq");
	KUNIT_EXPECT_FALSE(test, tdev_is_bound(user->drm));
	complete(&user->leave);
	flush_work(&user->work);
	flush_work(unbind);
	KUNIT_EXPECT_STREQ(test, t->log.steps, "sqr");
}

/* Called in a block: the compiler does not see that. */
static void tdev_unregister_inside(struct tdev_bound_user *user)
{
	kunit_warning_suppress(user->test) {
		user->ret = drm_dev_ctx_unregister(to_drm_dev_ctx(user->drm));
		EXPECT_BROKEN(user->test, "unregister from outside");
	}
}

/* The end of the registration waits for the block, which must not wait for that end. */
static void drm_dev_ctx_test_unregister_in_block(struct kunit *test)
{
	struct tdev_bound_user *user;
	struct tdev_test *t = test->priv;

	if (!IS_ENABLED(CONFIG_DRM_SAFE_DEBUG))
		kunit_skip(test, "waits for ever without CONFIG_DRM_SAFE_DEBUG");

	user = tdev_bound_user_new(test);
	user->inside = tdev_unregister_inside;
	complete(&user->leave);
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(user->drm)), 0);
	flush_work(&user->work);
	KUNIT_EXPECT_EQ(test, user->ret, -EDEADLK);
	KUNIT_EXPECT_STREQ(test, t->log.steps, "sqr");
}

/* However a section is left, unplugging does not wait for it any more. */
static void drm_dev_ctx_test_section_exits(struct kunit *test)
{
	struct drm_device *drm = tdev_registered(test);
	int outer = 0, runs = 0;

	drm_dev_ctx_guard(tdev_reg, reg, to_drm_dev_ctx(drm)) {
		runs++;
		if (runs)
			break;
		runs = 100;
	}
	drm_dev_ctx_guard(tdev_reg, reg, to_drm_dev_ctx(drm)) {
		runs++;
		if (runs)
			continue;
		runs = 100;
	}
	drm_dev_ctx_guard(tdev_reg, reg, to_drm_dev_ctx(drm)) {
		runs++;
		if (runs)
			goto left;
		runs = 100;
	}
left:
	for (outer = 0; outer < 3; outer++) {
		drm_dev_ctx_or(tdev_reg, reg, to_drm_dev_ctx(drm), continue);
		drm_dev_ctx_or(tdev_reg, again, to_drm_dev_ctx(drm), continue);

		drm_dev_ctx_guard(tdev_reg, nested, to_drm_dev_ctx(drm)) {
			KUNIT_EXPECT_PTR_EQ(test, tdev_reg_dev(nested), tdev_reg_dev(reg));
			runs++;
		}
		if (outer == 1)
			break;
	}
	KUNIT_EXPECT_EQ(test, runs, 5);
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(drm)), 0);

	for (outer = 0; outer < 3; outer++) {
		drm_dev_ctx_or(tdev_reg, reg, to_drm_dev_ctx(drm), continue);
		runs++;
	}
	KUNIT_EXPECT_EQ(test, runs, 5);
}

/*
 * Entry points that the kernel calls: work, delayed work and timers belong to
 * the registration data and are stopped in quiesce.
 */
struct tasks_hw {
	struct drm_dev_ctx_data base;
	struct drm_device *drm;
	struct work_struct work;
	struct delayed_work delayed;
	struct timer_list timer;
	atomic_t entered[3];
	atomic_t refused;
	bool freed;
};

/* Proof that a struct tdev is registered */
struct tasks_reg {
	struct drm_dev_ctx_reg base;
};

static inline struct tdev *tasks_dev(struct drm_device *drm)
{
	return drm_dev_ctx_entry(drm, struct tdev, ctx);
}

static inline struct tasks_hw *tasks_reg_data(const struct tasks_reg *reg)
{
	return container_of(drm_dev_ctx_reg_data(&reg->base), struct tasks_hw, base);
}

static void tasks_note(struct tasks_hw *hw, int what)
{
	drm_dev_ctx_or(tasks_reg, reg, to_drm_dev_ctx(hw->drm), atomic_inc(&hw->refused); return);

	WARN_ON(tasks_reg_data(reg) != hw || hw->freed);
	atomic_inc(&hw->entered[what]);
}

static void tasks_work(struct work_struct *work)
{
	struct tasks_hw *hw = container_of(work, struct tasks_hw, work);

	tasks_note(hw, 0);
	queue_work(system_dfl_wq, work);
}

static void tasks_delayed(struct work_struct *work)
{
	struct tasks_hw *hw = container_of(work, struct tasks_hw, delayed.work);

	tasks_note(hw, 1);
	schedule_delayed_work(&hw->delayed, 1);
}

static void tasks_timer(struct timer_list *timer)
{
	struct tasks_hw *hw = timer_container_of(hw, timer, timer);

	tasks_note(hw, 2);
	mod_timer(timer, jiffies + 1);
}

static void tasks_quiesce(const struct drm_dev_ctx_bound *bound, struct drm_dev_ctx_data *data)
{
	struct tasks_hw *hw = container_of(data, struct tasks_hw, base);

	disable_work_sync(&hw->work);
	disable_delayed_work_sync(&hw->delayed);
	timer_shutdown_sync(&hw->timer);
}

static void tasks_release(struct drm_dev_ctx_data *data)
{
	struct tasks_hw *hw = container_of(data, struct tasks_hw, base);

	hw->freed = true;
}

static const struct drm_dev_ctx_ops tasks_reg_ops = {
	.quiesce = tasks_quiesce,
	.release = tasks_release,
};

static void drm_dev_ctx_test_tasks(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	struct tasks_hw *hw = kunit_kzalloc(test, sizeof(*hw), GFP_KERNEL);
	struct drm_dev_ctx_unreg *unreg;

	KUNIT_ASSERT_NOT_NULL(test, hw);
	unreg = drm_dev_ctx_alloc(t->parent, drm_safe_test_driver(), struct tdev, ctx);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unreg);
	hw->drm = drm_dev_ctx_bound_drm(&unreg->bound);
	drm_dev_get(hw->drm);
	INIT_WORK(&hw->work, tasks_work);
	INIT_DELAYED_WORK(&hw->delayed, tasks_delayed);
	timer_setup(&hw->timer, tasks_timer, 0);

	/* They may run before there is a registration to need. */
	queue_work(system_dfl_wq, &hw->work);
	while (atomic_read(&hw->refused) < 2)
		schedule_timeout_idle(1);
	KUNIT_EXPECT_EQ(test, atomic_read(&hw->entered[0]), 0);

	KUNIT_ASSERT_EQ(test, drm_dev_ctx_register(t->parent, &unreg, &tasks_reg_ops, &hw->base),
			0);
	schedule_delayed_work(&hw->delayed, 1);
	mod_timer(&hw->timer, jiffies + 1);
	/* Each of them rearms itself. */
	for (int i = 0; i < ARRAY_SIZE(hw->entered); i++)
		while (atomic_read(&hw->entered[i]) < 2)
			schedule_timeout_idle(1);
	drm_safe_test_unbind(test, t->parent);
	KUNIT_EXPECT_TRUE(test, hw->freed);

	/* None runs, and none can be started. */
	KUNIT_EXPECT_FALSE(test, work_busy(&hw->work));
	KUNIT_EXPECT_FALSE(test, work_busy(&hw->delayed.work));
	KUNIT_EXPECT_FALSE(test, queue_work(system_dfl_wq, &hw->work));
	KUNIT_EXPECT_FALSE(test, schedule_delayed_work(&hw->delayed, 1));
	mod_timer(&hw->timer, jiffies + 1);
	KUNIT_EXPECT_FALSE(test, timer_pending(&hw->timer));
	drm_dev_put(hw->drm);
}

static bool tdev_enters_irq(void *drm)
{
	return tdev_enters(drm);
}

static bool tdev_refuses_irq(void *drm)
{
	return !tdev_enters(drm);
}

/* Sections in task, softirq and hard interrupt context at once. */
static void drm_dev_ctx_test_irq(struct kunit *test)
{
	struct drm_device *drm = tdev_registered(test);

	kunit_run_irq_test(test, tdev_enters_irq, 1000, drm);
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(drm)), 0);
	kunit_run_irq_test(test, tdev_refuses_irq, 1000, drm);
}

/* Entry points of other kinds, each with its one line. */
static int tdev_gem_open(struct drm_gem_object *obj, struct drm_file *file)
{
	drm_dev_ctx_or(tdev_reg, reg, to_drm_dev_ctx(obj->dev), return -ENODEV);

	return tdev_reg_data(reg)->value;
}

static void drm_dev_ctx_test_gem_callback(struct kunit *test)
{
	struct drm_device *drm = tdev_registered(test);
	struct drm_gem_object obj = { .dev = drm };

	KUNIT_EXPECT_EQ(test, tdev_gem_open(&obj, NULL), TDEV_VALUE);
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(drm)), 0);
	KUNIT_EXPECT_EQ(test, tdev_gem_open(&obj, NULL), -ENODEV);
}

/* A mapping whose pages are there while the device is registered */
struct tdev_mapping {
	struct drm_device *drm;
	struct page *page;
};

static vm_fault_t tdev_fault(struct vm_fault *vmf)
{
	struct tdev_mapping *m = vmf->vma->vm_private_data;

	drm_dev_ctx_or(tdev_reg, reg, to_drm_dev_ctx(m->drm), return VM_FAULT_SIGBUS);

	return vmf_insert_pfn(vmf->vma, vmf->address, page_to_pfn(m->page));
}

static const struct vm_operations_struct tdev_vm_ops = {
	.fault = tdev_fault,
};

static int tdev_mmap(struct file *filp, struct vm_area_struct *vma)
{
	vm_flags_set(vma, VM_PFNMAP | VM_DONTEXPAND);
	vma->vm_ops = &tdev_vm_ops;
	vma->vm_private_data = filp->private_data;
	return 0;
}

static const struct file_operations tdev_mmap_fops = {
	.owner = THIS_MODULE,
	.mmap = tdev_mmap,
};

KUNIT_DEFINE_ACTION_WRAPPER(tdev_free_page, __free_page, struct page *);

/* Page faults of userspace: the first page before, the second after an unplug. */
static void drm_dev_ctx_test_fault(struct kunit *test)
{
	struct tdev_mapping m = { .drm = tdev_registered(test) };
	unsigned long addr;
	struct file *filp;
	u32 val = 0;

	m.page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, m.page);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, tdev_free_page, m.page), 0);
	*(u32 *)page_address(m.page) = TDEV_VALUE;

	filp = anon_inode_getfile("tdev", &tdev_mmap_fops, &m, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, filp);
	addr = kunit_vm_mmap(test, filp, 0, 2 * PAGE_SIZE, PROT_READ, MAP_SHARED, 0);
	fput(filp);
	KUNIT_ASSERT_NE(test, addr, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));

	KUNIT_EXPECT_EQ(test, get_user(val, (u32 __user *)addr), 0);
	KUNIT_EXPECT_EQ(test, val, TDEV_VALUE);
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(m.drm)), 0);
	KUNIT_EXPECT_EQ(test, get_user(val, (u32 __user *)(addr + PAGE_SIZE)), -EFAULT);
	KUNIT_EXPECT_EQ(test, vm_munmap(addr, 2 * PAGE_SIZE), 0);
}

/* The observations of an interrupt thread */
struct tdev_irq {
	struct drm_device *drm;
	struct completion ran;
	bool entered;
};

static irqreturn_t tdev_irq_thread(int irq, void *data)
{
	struct tdev_irq *t = data;

	t->entered = false;
	drm_dev_ctx_guard(tdev_reg, reg, to_drm_dev_ctx(t->drm))
		t->entered = tdev_reg_data(reg)->value == TDEV_VALUE;
	complete(&t->ran);
	return IRQ_HANDLED;
}

static bool tdev_irq_enters(struct kunit *test, struct tdev_irq *t, int irq)
{
	reinit_completion(&t->ran);
	KUNIT_EXPECT_EQ(test, generic_handle_irq_safe(irq), 0);
	wait_for_completion(&t->ran);
	return t->entered;
}

static void tdev_irq_free_desc(void *irq)
{
	irq_free_desc((long)irq);
}

/* The thread of an interrupt, raised by hand. */
static void drm_dev_ctx_test_irq_thread(struct kunit *test)
{
	struct tdev_irq t = { .drm = tdev_registered(test) };
	int irq = irq_alloc_desc(NUMA_NO_NODE);

	KUNIT_ASSERT_GT(test, irq, 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, tdev_irq_free_desc,
							(void *)(long)irq), 0);
	irq_set_chip_and_handler(irq, &dummy_irq_chip, handle_simple_irq);
	init_completion(&t.ran);
	KUNIT_ASSERT_EQ(test, request_threaded_irq(irq, NULL, tdev_irq_thread, IRQF_ONESHOT,
						   "tdev", &t), 0);

	KUNIT_EXPECT_TRUE(test, tdev_irq_enters(test, &t, irq));
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(t.drm)), 0);
	KUNIT_EXPECT_FALSE(test, tdev_irq_enters(test, &t, irq));
	free_irq(irq, &t);
}

/*
 * Runtime PM needs a driver with callbacks for it. The callbacks open no section, for a section
 * waits for them.
 */
static int tdev_runtime_resume(struct device *dev)
{
	struct drm_device *drm = dev_get_drvdata(dev);

	tdev_dev(drm)->powered = true;
	return 0;
}

static int tdev_runtime_suspend(struct device *dev)
{
	struct drm_device *drm = dev_get_drvdata(dev);

	tdev_dev(drm)->powered = false;
	return 0;
}

static const struct dev_pm_ops tdev_pm_ops = {
	RUNTIME_PM_OPS(tdev_runtime_suspend, tdev_runtime_resume, NULL)
};

static int tdev_pm_probe(struct platform_device *pdev)
{
	return devm_pm_runtime_enable(&pdev->dev);
}

static struct platform_driver tdev_pm_driver = {
	.probe = tdev_pm_probe,
	.driver = {
		.name = "drm_safe_test_pm",
		.pm = pm_ptr(&tdev_pm_ops),
	},
};

/* Whether the device can be powered up, and was, while it is in use */
static bool tdev_powers(struct drm_device *drm)
{
	bool powered;

	if (pm_runtime_resume_and_get(drm->dev))
		return false;
	powered = tdev_dev(drm)->powered;
	return !pm_runtime_put_sync(drm->dev) && powered && !tdev_dev(drm)->powered;
}

static void tdev_powers_in_shutdown(struct drm_device *drm)
{
	log_step(tdev_dev(drm)->log, tdev_powers(drm) ? 'p' : '!');
}

/* Until runtime PM is disabled, the device is powered up, registered or not. */
static void drm_dev_ctx_test_runtime_pm(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	struct platform_device *pdev;
	struct drm_dev_ctx_unreg *unreg;
	struct task_struct *task;
	struct drm_device *drm;

	if (!IS_ENABLED(CONFIG_PM))
		kunit_skip(test, "needs CONFIG_PM");

	KUNIT_ASSERT_EQ(test, kunit_platform_driver_register(test, &tdev_pm_driver), 0);
	pdev = kunit_platform_device_alloc(test, tdev_pm_driver.driver.name,
					   PLATFORM_DEVID_NONE);
	KUNIT_ASSERT_NOT_NULL(test, pdev);
	KUNIT_ASSERT_EQ(test, kunit_platform_device_add(test, pdev), 0);

	/* Bound before, and by KUnit's module: stated */
	unreg = drm_dev_ctx_alloc_parent(&pdev->dev, &pdev->dev, &tdev_driver, struct tdev, ctx);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unreg);
	drm = drm_dev_ctx_unreg_drm(unreg);
	tdev_dev(drm)->log = &t->log;
	tdev_dev(drm)->in_shutdown = tdev_powers_in_shutdown;
	dev_set_drvdata(&pdev->dev, drm);
	KUNIT_EXPECT_TRUE(test, tdev_powers(drm));

	KUNIT_ASSERT_EQ(test,
			drm_dev_ctx_register(&pdev->dev, &unreg, &tdev_reg_ops,
					     &tdev_hw_new(test)->base),
			0);
	drm_dev_get(drm);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, tdev_put, drm), 0);
	task = kthread_create(tdev_unregister_thread, drm, "tdev");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	get_task_struct(task);
	drm_dev_ctx_guard(tdev_reg, reg, to_drm_dev_ctx(drm)) {
		/* The unplug waits for this section, which powers the device up. */
		wake_up_process(task);
		while (!drm_dev_is_unplugged(drm))
			schedule_timeout_uninterruptible(1);
		KUNIT_EXPECT_TRUE(test, tdev_powers(drm));
	}
	KUNIT_EXPECT_EQ(test, kthread_stop(task), 0);
	put_task_struct(task);
	KUNIT_EXPECT_STREQ(test, t->log.steps, "spqr");
}

static void drm_dev_ctx_test_debugfs(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = tdev_new(test);
	struct drm_device *drm = drm_dev_ctx_bound_drm(&unreg->bound);
	char *buf = kunit_kzalloc(test, SZ_8K, GFP_KERNEL);
	struct tdev_revocable rev = {};
	struct drm_dev_ctx_handle handle = {};

	KUNIT_ASSERT_NOT_NULL(test, buf);
	drm_safe_test_debugfs(test, drm, buf, SZ_8K);
	KUNIT_EXPECT_NOT_NULL(test, strstr(buf, "context: unregistered\n"));

	KUNIT_ASSERT_EQ(test, drm_dev_ctx_register(t->parent, &unreg, NULL, NULL), 0);
	drm_dev_ctx_handle_add(drm, &handle);
	drm_dev_ctx_guard(tdev_reg, reg, to_drm_dev_ctx(drm)) {
		tdev_add(test, &reg->base.bound, &rev);
		drm_safe_test_debugfs(test, drm, buf, SZ_8K);
	}
	drm_dev_ctx_handle_del(drm, &handle);
	KUNIT_EXPECT_NOT_NULL(test, strstr(buf, "context: registered\n"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(buf, "revocables: 1\n"));
	if (IS_ENABLED(CONFIG_DRM_SAFE_DEBUG)) {
		KUNIT_EXPECT_NOT_NULL(test, strstr(buf, __func__));
		KUNIT_EXPECT_NOT_NULL(test, strstr(buf, "handles: "));
	}

	drm_safe_test_debugfs(test, drm, buf, SZ_8K);
	KUNIT_EXPECT_NULL(test, strstr(buf, "section: "));
	KUNIT_EXPECT_NULL(test, strstr(buf, "handles: "));
	drm_safe_test_unbind(test, t->parent);
}

/* The events of the tracepoints */
struct tdev_traced {
	struct drm_device *drm;
	int registered, unplugged, refused, stuck;
};

static void tdev_trace_register(void *data, struct drm_device *drm, int ret)
{
	struct tdev_traced *traced = data;

	if (drm == traced->drm && !ret)
		traced->registered++;
}

static void tdev_trace_unplug(void *data, struct drm_device *drm)
{
	struct tdev_traced *traced = data;

	traced->unplugged += drm == traced->drm;
}

static void tdev_trace_refused(void *data, struct drm_device *drm, bool unplugged, void *where)
{
	struct tdev_traced *traced = data;

	if (drm == traced->drm)
		traced->refused += unplugged ? 100 : 1;
}

static void drm_dev_ctx_test_trace(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = tdev_new(test);
	struct drm_device *drm = drm_dev_ctx_bound_drm(&unreg->bound);
	struct tdev_traced traced = { .drm = drm };

	if (!IS_ENABLED(CONFIG_TRACEPOINTS))
		kunit_skip(test, "needs CONFIG_TRACEPOINTS");

	KUNIT_EXPECT_EQ(test, register_trace_drm_dev_ctx_register(tdev_trace_register, &traced), 0);
	KUNIT_EXPECT_EQ(test, register_trace_drm_dev_ctx_unplug(tdev_trace_unplug, &traced), 0);
	KUNIT_EXPECT_EQ(test, register_trace_drm_dev_ctx_refused(tdev_trace_refused, &traced), 0);

	KUNIT_EXPECT_FALSE(test, tdev_enters(drm));
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_register(t->parent, &unreg, NULL, NULL), 0);
	KUNIT_EXPECT_TRUE(test, tdev_enters(drm));
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(drm)), 0);
	KUNIT_EXPECT_FALSE(test, tdev_enters(drm));

	unregister_trace_drm_dev_ctx_refused(tdev_trace_refused, &traced);
	unregister_trace_drm_dev_ctx_unplug(tdev_trace_unplug, &traced);
	unregister_trace_drm_dev_ctx_register(tdev_trace_register, &traced);
	tracepoint_synchronize_unregister();

	KUNIT_EXPECT_EQ(test, traced.registered, 1);
	KUNIT_EXPECT_EQ(test, traced.unplugged, 1);
	KUNIT_EXPECT_EQ(test, traced.refused, 101);
}

#ifdef CONFIG_TRACEPOINTS
/* A task that waits in a section, and a work item that ends the wait or does not */
struct tdev_sleeper {
	struct drm_device *drm;
	struct completion inside, leave;
	struct delayed_work completer;
	char blamed[KSYM_SYMBOL_LEN];
	int reports;
};

static int tdev_sleep_thread(void *data)
{
	struct tdev_sleeper *sleeper = data;

	drm_dev_ctx_guard(tdev_reg, reg, to_drm_dev_ctx(sleeper->drm)) {
		complete(&sleeper->inside);
		wait_for_completion(&sleeper->leave);
	}
	return 0;
}

static struct task_struct *tdev_sleeper_start(struct kunit *test, struct tdev_sleeper *sleeper)
{
	struct task_struct *task;

	init_completion(&sleeper->inside);
	init_completion(&sleeper->leave);
	task = kthread_run(tdev_sleep_thread, sleeper, "sleeper");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	get_task_struct(task);
	wait_for_completion(&sleeper->inside);
	return task;
}

/* More places that are refused a section than a report names */
#define TDEV_REFUSED(_n)							\
	static noinline bool tdev_refused_##_n(struct drm_device *drm)		\
	{									\
		drm_dev_ctx_or(tdev_reg, reg, to_drm_dev_ctx(drm), return false);	\
										\
		return tdev_reg_data(reg)->value == (_n);			\
	}

TDEV_REFUSED(1)
TDEV_REFUSED(2)
TDEV_REFUSED(3)
TDEV_REFUSED(4)

static bool tdev_refused_many(struct drm_device *drm)
{
	return tdev_refused_1(drm) || tdev_refused_2(drm) || tdev_refused_3(drm) ||
	       tdev_refused_4(drm) || tdev_refused_1(drm);
}

/* A wrong completer, which completes nothing without a section */
static void tdev_complete_in_section(struct work_struct *work)
{
	struct tdev_sleeper *sleeper = container_of(work, struct tdev_sleeper, completer.work);

	drm_dev_ctx_guard(tdev_reg, reg, to_drm_dev_ctx(sleeper->drm)) {
		/* Not yet: the device is to be unplugged first. */
		schedule_delayed_work(&sleeper->completer, 1);
		return;
	}
	WARN_ON(tdev_refused_many(sleeper->drm));
}

/* The right one runs until quiesce, with no section. */
static void tdev_complete(struct work_struct *work)
{
	struct tdev_sleeper *sleeper = container_of(work, struct tdev_sleeper, completer.work);

	if (drm_dev_is_unplugged(sleeper->drm))
		complete(&sleeper->leave);
	else
		schedule_delayed_work(&sleeper->completer, 1);
}

static void tdev_trace_starved(void *data, struct drm_device *drm, void *where)
{
	struct tdev_sleeper *sleeper = data;

	if (drm != sleeper->drm)
		return;
	if (!sleeper->reports++)
		sprint_symbol_no_offset(sleeper->blamed, (unsigned long)where);
	complete(&sleeper->leave);
}

/* Ends a registration while a task waits in a section for the completer. */
static struct tdev_sleeper *tdev_completed_by(struct kunit *test, work_func_t completer)
{
	struct tdev_sleeper *sleeper = kunit_kzalloc(test, sizeof(*sleeper), GFP_KERNEL);
	unsigned int limit = drm_dev_ctx_section_limit_ms;
	struct task_struct *task;

	KUNIT_ASSERT_NOT_NULL(test, sleeper);
	sleeper->drm = tdev_registered(test);
	INIT_DELAYED_WORK(&sleeper->completer, completer);
	KUNIT_ASSERT_EQ(test, register_trace_drm_dev_ctx_starved(tdev_trace_starved, sleeper), 0);
	task = tdev_sleeper_start(test, sleeper);
	schedule_delayed_work(&sleeper->completer, 0);

	drm_dev_ctx_section_limit_ms = 50;
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(sleeper->drm)), 0);
	drm_dev_ctx_section_limit_ms = limit;

	disable_delayed_work_sync(&sleeper->completer);
	kthread_stop(task);
	put_task_struct(task);
	unregister_trace_drm_dev_ctx_starved(tdev_trace_starved, sleeper);
	tracepoint_synchronize_unregister();
	return sleeper;
}

static void drm_dev_ctx_test_completer(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, tdev_completed_by(test, tdev_complete)->reports, 0);
}

/* Code that cannot end the wait, because it was refused a section, is named. */
static void drm_dev_ctx_test_completer_in_section(struct kunit *test)
{
	struct tdev_sleeper *sleeper = tdev_completed_by(test, tdev_complete_in_section);

	KUNIT_EXPECT_GE(test, sleeper->reports, 1);
	if (IS_ENABLED(CONFIG_KALLSYMS))
		KUNIT_EXPECT_TRUE(test, strstarts(sleeper->blamed, "tdev_complete_in_section"));
}

/* The same in a probe function, before registration */
static void tdev_complete_in_probe(struct work_struct *work)
{
	struct tdev_sleeper *sleeper = container_of(work, struct tdev_sleeper, completer.work);

	WARN_ON(tdev_refused_1(sleeper->drm));
}

/* Allocates a device, and stores reports about a completer in @sleeper. */
static struct drm_dev_ctx_unreg *tdev_new_starved(struct kunit *test, struct tdev_sleeper *sleeper,
						  unsigned int limit_ms)
{
	unsigned int limit = drm_dev_ctx_section_limit_ms;
	struct drm_dev_ctx_unreg *unreg;

	init_completion(&sleeper->leave);
	drm_dev_ctx_section_limit_ms = limit_ms;
	unreg = tdev_new(test);
	drm_dev_ctx_section_limit_ms = limit;
	sleeper->drm = drm_dev_ctx_bound_drm(&unreg->bound);
	KUNIT_ASSERT_EQ(test, register_trace_drm_dev_ctx_starved(tdev_trace_starved, sleeper), 0);
	return unreg;
}

static void tdev_expect_starved(struct kunit *test, struct tdev_sleeper *sleeper,
				const char *culprit)
{
	unregister_trace_drm_dev_ctx_starved(tdev_trace_starved, sleeper);
	tracepoint_synchronize_unregister();
	if (IS_ENABLED(CONFIG_KALLSYMS))
		KUNIT_EXPECT_TRUE(test, strstarts(sleeper->blamed, culprit));
}

/* A probe function that waits for a completer without a section is reported. */
static void drm_dev_ctx_test_completer_in_probe(struct kunit *test)
{
	struct tdev_sleeper sleeper = {};
	struct drm_dev_ctx_unreg *unreg = tdev_new_starved(test, &sleeper, 1);

	INIT_DELAYED_WORK_ONSTACK(&sleeper.completer, tdev_complete_in_probe);
	schedule_delayed_work(&sleeper.completer, 0);
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&sleeper.leave, 10 * HZ), 0);
	flush_delayed_work(&sleeper.completer);
	destroy_delayed_work_on_stack(&sleeper.completer);
	drm_dev_ctx_drop(&unreg);
	tdev_expect_starved(test, &sleeper, "tdev_refused_1");
}

/* A probe function that gives up is reported at once. */
static void drm_dev_ctx_test_completer_dropped(struct kunit *test)
{
	struct tdev_sleeper sleeper = {};
	struct drm_dev_ctx_unreg *unreg = tdev_new_starved(test, &sleeper, 10000);

	KUNIT_EXPECT_FALSE(test, tdev_refused_2(sleeper.drm));
	KUNIT_EXPECT_EQ(test, sleeper.reports, 0);
	drm_dev_ctx_drop(&unreg);
	KUNIT_EXPECT_EQ(test, sleeper.reports, 1);
	tdev_expect_starved(test, &sleeper, "tdev_refused_2");
}

/* A probe function that does not drop its token is reported, too. */
static void drm_dev_ctx_test_completer_unbound(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	struct tdev_sleeper sleeper = {};

	tdev_new_starved(test, &sleeper, 10000);
	KUNIT_EXPECT_FALSE(test, tdev_refused_3(sleeper.drm));
	drm_safe_test_rebind(test, t->parent);
	KUNIT_EXPECT_EQ(test, sleeper.reports, 1);
	tdev_expect_starved(test, &sleeper, "tdev_refused_3");
}

/* Something whose revocation waits until it was reported, as for the lock of an exporter */
struct tdev_held {
	struct drm_dev_ctx_revocable rev;
	struct drm_device *drm;
	struct completion leave;
	struct task_struct *task;	/* that waits */
	struct task_struct *reported;
};

static void tdev_held_revoke(struct drm_dev_ctx_revocable *rev)
{
	struct tdev_held *held = container_of(rev, struct tdev_held, rev);

	held->task = current;
	wait_for_completion_timeout(&held->leave, 10 * HZ);
}

static const struct drm_dev_ctx_revocable_ops tdev_held_ops = {
	.get = tdev_get,
	.revoke = tdev_held_revoke,
};

static void tdev_trace_held(void *data, struct drm_device *drm, struct task_struct *task,
			    void *where)
{
	struct tdev_held *held = data;

	if (drm != held->drm)
		return;
	held->reported = task;
	complete(&held->leave);
}

/* An unbind that waits for a table is reported, of a registered device and of another one. */
static void drm_dev_ctx_test_stuck_revocation(struct kunit *test)
{
	unsigned int limit = drm_dev_ctx_section_limit_ms;
	struct tdev_test *t = test->priv;

	for (int registered = 0; registered < 2; registered++) {
		struct drm_dev_ctx_unreg *unreg = tdev_new(test);
		struct tdev_held held = { .drm = drm_dev_ctx_bound_drm(&unreg->bound) };

		init_completion(&held.leave);
		KUNIT_EXPECT_EQ(test, drm_dev_ctx_revocable_add(&unreg->bound, &held.rev,
								&tdev_held_ops), 0);
		if (registered)
			KUNIT_EXPECT_EQ(test,
					drm_dev_ctx_register(t->parent, &unreg, NULL, NULL), 0);
		else
			drm_dev_ctx_drop(&unreg);
		KUNIT_ASSERT_EQ(test, register_trace_drm_dev_ctx_stuck(tdev_trace_held, &held), 0);
		drm_dev_ctx_section_limit_ms = 20;
		drm_safe_test_rebind(test, t->parent);
		drm_dev_ctx_section_limit_ms = limit;
		unregister_trace_drm_dev_ctx_stuck(tdev_trace_held, &held);
		tracepoint_synchronize_unregister();
		KUNIT_EXPECT_NOT_NULL(test, held.task);
		KUNIT_EXPECT_PTR_EQ(test, held.reported, held.task);
	}
}

/* A registration that takes long, and does not fail, is nothing to report. */
static int tdev_load_slowly(struct drm_device *drm, unsigned long flags)
{
	/* The limit doubles when the time begins, and each time that there could be a report. */
	while (READ_ONCE(to_drm_dev_ctx(drm)->__stuck_ms) <= 2 * drm_dev_ctx_section_limit_ms)
		schedule_timeout_idle(1);
	return 0;
}

static const struct drm_driver tdev_driver_slow = {
	TDEV_DRIVER,
	.load = tdev_load_slowly,
};

static void drm_dev_ctx_test_register_slowly(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = tdev_new_driver(test, &tdev_driver_slow);
	struct tdev_sleeper sleeper = { .drm = drm_dev_ctx_bound_drm(&unreg->bound) };
	unsigned int limit = drm_dev_ctx_section_limit_ms;

	init_completion(&sleeper.leave);
	KUNIT_EXPECT_FALSE(test, tdev_refused_1(sleeper.drm));
	KUNIT_ASSERT_EQ(test, register_trace_drm_dev_ctx_starved(tdev_trace_starved, &sleeper), 0);
	drm_dev_ctx_section_limit_ms = 1;
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_register(t->parent, &unreg, NULL, NULL), 0);
	drm_dev_ctx_section_limit_ms = limit;
	unregister_trace_drm_dev_ctx_starved(tdev_trace_starved, &sleeper);
	tracepoint_synchronize_unregister();
	KUNIT_EXPECT_EQ(test, sleeper.reports, 0);
}

#ifdef CONFIG_DRM_SAFE_DEBUG
static void tdev_trace_stuck(void *data, struct drm_device *drm, struct task_struct *task,
			     void *where)
{
	struct tdev_traced *traced = data;

	traced->stuck += drm == traced->drm;
}

static void tdev_trace_wake(void *data, struct drm_device *drm, struct task_struct *task,
			    void *where)
{
	struct tdev_sleeper *sleeper = data;

	if (drm == sleeper->drm)
		complete(&sleeper->leave);
}

/* A task that sleeps in a section during an unplug is named. */
static void drm_dev_ctx_test_stuck(struct kunit *test)
{
	unsigned int limit = drm_dev_ctx_section_limit_ms;
	struct drm_device *drm = tdev_registered(test);
	struct tdev_traced traced = { .drm = drm };
	struct tdev_sleeper sleeper = { .drm = drm };
	struct task_struct *task;

	KUNIT_ASSERT_EQ(test, register_trace_drm_dev_ctx_stuck(tdev_trace_stuck, &traced), 0);
	KUNIT_ASSERT_EQ(test, register_trace_drm_dev_ctx_stuck(tdev_trace_wake, &sleeper), 0);
	task = tdev_sleeper_start(test, &sleeper);

	drm_dev_ctx_section_limit_ms = 50;
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(drm)), 0);
	drm_dev_ctx_section_limit_ms = limit;

	kthread_stop(task);
	put_task_struct(task);
	unregister_trace_drm_dev_ctx_stuck(tdev_trace_wake, &sleeper);
	unregister_trace_drm_dev_ctx_stuck(tdev_trace_stuck, &traced);
	tracepoint_synchronize_unregister();
	KUNIT_EXPECT_EQ(test, traced.stuck, 1);
}

static void tdev_trace_block(void *data, struct drm_device *drm, struct task_struct *task,
			     void *where)
{
	struct tdev_bound_user *user = data;

	if (drm != user->drm)
		return;
	sprint_symbol_no_offset(user->blamed, (unsigned long)where);
	complete(&user->leave);
}

/* Ends a registration that waits for a block, and expects that @culprit is named for it. */
static void tdev_expect_blamed(struct kunit *test, struct tdev_bound_user *user,
			       const char *culprit)
{
	unsigned int limit = drm_dev_ctx_section_limit_ms;

	KUNIT_ASSERT_EQ(test, register_trace_drm_dev_ctx_stuck(tdev_trace_block, user), 0);
	drm_dev_ctx_section_limit_ms = 1;
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(user->drm)), 0);
	drm_dev_ctx_section_limit_ms = limit;
	flush_work(&user->work);
	unregister_trace_drm_dev_ctx_stuck(tdev_trace_block, user);
	tracepoint_synchronize_unregister();
	if (IS_ENABLED(CONFIG_KALLSYMS))
		KUNIT_EXPECT_TRUE(test, strstarts(user->blamed, culprit));
}

/* A task in a block without a section is named. */
static void drm_dev_ctx_test_stuck_block(struct kunit *test)
{
	tdev_expect_blamed(test, tdev_bound_user_new(test), "tdev_bound_user_work");
}

/* As a callback of the display that waits for the fence of a commit */
static void tdev_wait_in_block(struct drm_device *drm)
{
	drm_dev_ctx_guard_live(live, to_drm_dev_ctx(drm))
		wait_for_completion(&tdev_dev(drm)->user->leave);
}

/* A long kms_shutdown step is named. */
static void drm_dev_ctx_test_stuck_shutdown(struct kunit *test)
{
	struct tdev_bound_user *user = tdev_bound_user_new(test);

	tdev_dev(user->drm)->in_shutdown = tdev_wait_in_block;
	tdev_expect_blamed(test, user, "tdev_wait_in_block");
}
#else
static void drm_dev_ctx_test_stuck(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_DRM_SAFE_DEBUG");
}

static void drm_dev_ctx_test_stuck_block(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_DRM_SAFE_DEBUG");
}

static void drm_dev_ctx_test_stuck_shutdown(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_DRM_SAFE_DEBUG");
}
#endif
#else
static void drm_dev_ctx_test_stuck_block(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_TRACEPOINTS");
}

static void drm_dev_ctx_test_stuck_shutdown(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_TRACEPOINTS");
}

static void drm_dev_ctx_test_stuck(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_TRACEPOINTS");
}

static void drm_dev_ctx_test_completer(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_TRACEPOINTS");
}

static void drm_dev_ctx_test_completer_in_section(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_TRACEPOINTS");
}

static void drm_dev_ctx_test_completer_in_probe(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_TRACEPOINTS");
}

static void drm_dev_ctx_test_completer_dropped(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_TRACEPOINTS");
}

static void drm_dev_ctx_test_completer_unbound(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_TRACEPOINTS");
}

static void drm_dev_ctx_test_stuck_revocation(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_TRACEPOINTS");
}

static void drm_dev_ctx_test_register_slowly(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_TRACEPOINTS");
}
#endif

/* A handle that outlives its device is reported. */
static void drm_dev_ctx_test_handle_leak(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg = tdev_new(test);
	struct drm_dev_ctx_handle handle = {};

	if (!IS_ENABLED(CONFIG_DRM_SAFE_DEBUG))
		kunit_skip(test, "needs CONFIG_DRM_SAFE_DEBUG");

	drm_dev_ctx_handle_add(drm_dev_ctx_bound_drm(&unreg->bound), &handle);
	kunit_info(test, "expected report begins");
	kunit_warning_suppress(test) {
		drm_safe_test_rebind(test, t->parent);
		KUNIT_EXPECT_GE(test, KUNIT_SUPPRESSED_WARNING_COUNT(), 1);
		KUNIT_EXPECT_STREQ(test, drm_safe_test_broken(1), "handles go before their device");
		drm_safe_test_forget_broken();
	}
	/* Again, for the first time ref_tracker warned as well. */
	drm_dev_ctx_handle_add(drm_dev_ctx_bound_drm(&tdev_new(test)->bound), &handle);
	kunit_warning_suppress(test) {
		drm_safe_test_rebind(test, t->parent);
		KUNIT_EXPECT_GE(test, KUNIT_SUPPRESSED_WARNING_COUNT(), 1);
		KUNIT_EXPECT_STREQ(test, drm_safe_test_broken(1), "handles go before their device");
		drm_safe_test_forget_broken();
	}
	kunit_info(test, "expected report ends");
	KUNIT_EXPECT_STREQ(test, t->log.steps, "ff");
}

/* Whatever made the registration fail: quiesce, then release, each once. */
static void tdev_expect_ended(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	const char *steps = t->log.steps;

	/* The device was live for a moment, or never was. */
	KUNIT_EXPECT_STREQ(test, steps[0] == 's' ? steps + 1 : steps, "qr");
}

/* Allocation, registration, use and unbind with each allocation failing. */
static int tdev_fail(struct kunit *test, void *data)
{
	struct tdev_test *t = test->priv;
	struct tdev_hw *hw;
	struct drm_dev_ctx_unreg *unreg;
	int ret;

	t->log = (struct tdev_log){};
	tdev_released_early = 0;
	unreg = drm_dev_ctx_alloc(t->parent, &tdev_driver, struct tdev, ctx);
	if (IS_ERR(unreg)) {
		/* The driver does not hear of a device that it does not get. */
		KUNIT_EXPECT_EQ(test, tdev_released_early, 0);
		return PTR_ERR(unreg);
	}
	tdev_dev(drm_dev_ctx_unreg_drm(unreg))->log = &t->log;

	hw = kzalloc_obj(*hw);
	if (!hw) {
		drm_dev_ctx_drop(&unreg);
		ret = -ENOMEM;
	} else {
		hw->log = &t->log;
		ret = drm_dev_ctx_register(t->parent, &unreg, &tdev_reg_ops, &hw->base);
		if (ret)
			tdev_expect_ended(test);
	}
	return ret;
}

/* How many allocations that may fail DRM's own part of an allocation has */
static unsigned int tdev_core_allocations(struct kunit *test)
{
	/* Like tdev_driver, but without callbacks, which expect a struct tdev. */
	static const struct drm_driver driver = {
		.driver_features = DRIVER_GEM | DRIVER_RENDER,
		.name = "tdev",
	};
	struct tdev_test *t = test->priv;
	struct drm_device *drm;
	unsigned int left;

	drm_safe_fail_resume(UINT_MAX);
	drm = drm_dev_alloc(&driver, t->parent);
	left = drm_safe_fail_pause();
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, drm);
	drm_dev_put(drm);
	return UINT_MAX - left;
}

/*
 * The part that may fail runs with failures, its unwinding does not. Of DRM's
 * own allocations only the first one fails: drm_minor_alloc_release() puts the
 * ERR_PTR() of a minor whose device could not be allocated.
 */
static int tdev_fail_and_unbind(struct kunit *test, void *data)
{
	struct tdev_test *t = test->priv;
	unsigned int *core = data, left;
	int ret;

	left = drm_safe_fail_pause();
	if (!*core)
		*core = tdev_core_allocations(test);
	if (left > 1 && left <= *core)
		return -ENOMEM;
	drm_safe_fail_resume(left);

	ret = tdev_fail(test, data);
	left = drm_safe_fail_pause();
	device_release_driver(t->parent);
	if (device_attach(t->parent) != 1)
		KUNIT_FAIL(test, "does not bind again");
	if (t->log.len) {
		KUNIT_EXPECT_EQ(test, t->log.steps[t->log.len - 1], 'f');
		if (!ret)
			KUNIT_EXPECT_STREQ(test, t->log.steps, "sqrf");
	}
	drm_safe_fail_resume(left);
	return ret;
}

/* The number of the next device, which grows if one before it was leaked */
static int tdev_next_minor(struct kunit *test)
{
	struct tdev_test *t = test->priv;
	int index;

	index = drm_dev_ctx_bound_drm(&tdev_new(test)->bound)->render->index;
	drm_safe_test_rebind(test, t->parent);
	return index;
}

static void drm_dev_ctx_test_fail(struct kunit *test)
{
	unsigned int core = 0, failures;
	int index;

	if (!IS_ENABLED(CONFIG_FAULT_INJECTION_DEBUG_FS))
		kunit_skip(test, "needs CONFIG_FAULT_INJECTION_DEBUG_FS");

	index = tdev_next_minor(test);
	failures = drm_safe_fail_nth(test, tdev_fail_and_unbind, &core);

	/* Two devres actions, the driver's data, and the allocations of the registration */
	KUNIT_EXPECT_GT(test, failures, core + 10);
	KUNIT_EXPECT_EQ(test, tdev_next_minor(test), index);
	kunit_info(test, "%u allocations failed in turn", failures - core + 1);
}

static struct kunit_case drm_dev_ctx_tests[] = {
	KUNIT_CASE(drm_dev_ctx_test_life),
	KUNIT_CASE(drm_dev_ctx_test_arguments),
	KUNIT_CASE(drm_dev_ctx_test_no_ops),
	KUNIT_CASE(drm_dev_ctx_test_rebind),
	KUNIT_CASE(drm_dev_ctx_test_drop),
	KUNIT_CASE(drm_dev_ctx_test_token_twice),
	KUNIT_CASE(drm_dev_ctx_test_token_after_drop),
	KUNIT_CASE(drm_dev_ctx_test_token_missing),
	KUNIT_CASE(drm_dev_ctx_test_wrong_parent),
	KUNIT_CASE(drm_dev_ctx_test_alloc_aligned),
	KUNIT_CASE(drm_dev_ctx_test_alloc_unbound),
	KUNIT_CASE(drm_dev_ctx_test_alloc_fops),
	KUNIT_CASE(drm_dev_ctx_test_register_late),
	KUNIT_CASE(drm_dev_ctx_test_foreign_parent),
	KUNIT_CASE(drm_dev_ctx_test_stated_parent),
	KUNIT_CASE(drm_dev_ctx_test_stated_parent_first),
	KUNIT_CASE(drm_dev_ctx_test_stated_parent_nested),
	KUNIT_CASE(drm_dev_ctx_test_dma_device),
	KUNIT_CASE(drm_dev_ctx_test_dma_device_goes),
	KUNIT_CASE(drm_dev_ctx_test_dma_device_probes),
	KUNIT_CASE(drm_dev_ctx_test_dma_device_probed),
	KUNIT_CASE(drm_dev_ctx_test_dma_device_odd),
	KUNIT_CASE(drm_dev_ctx_test_stated_parent_odd),
	KUNIT_CASE(drm_dev_ctx_test_file),
	KUNIT_CASE(drm_dev_ctx_test_ioctl_flags),
	KUNIT_CASE(drm_dev_ctx_test_open_fails),
	KUNIT_CASE(drm_dev_ctx_test_unregister),
	KUNIT_CASE(drm_dev_ctx_test_unplug_raw),
	KUNIT_CASE(drm_dev_ctx_test_unregister_in_quiesce),
	KUNIT_CASE(drm_dev_ctx_test_quiesce_unbinds),
	KUNIT_CASE(drm_dev_ctx_test_unregister_in_section),
	KUNIT_CASE(drm_dev_ctx_test_unregister_in_block),
	KUNIT_CASE(drm_dev_ctx_test_unregister_threads),
	KUNIT_CASE(drm_dev_ctx_test_register_fails),
	KUNIT_CASE(drm_dev_ctx_test_early),
	KUNIT_CASE(drm_dev_ctx_test_register_fails_late),
	KUNIT_CASE(drm_dev_ctx_test_revocable),
	KUNIT_CASE(drm_dev_ctx_test_revocable_end),
	KUNIT_CASE(drm_dev_ctx_test_revocable_late),
	KUNIT_CASE(drm_dev_ctx_test_revocable_dying),
	KUNIT_CASE(drm_dev_ctx_test_revocable_retry),
	KUNIT_CASE(drm_dev_ctx_test_revocable_dropped),
	KUNIT_CASE(drm_dev_ctx_test_if_bound),
	KUNIT_CASE(drm_dev_ctx_test_shutdown_signal),
	KUNIT_CASE(drm_dev_ctx_test_bound_outlives_quiesce),
	KUNIT_CASE(drm_dev_ctx_test_section_exits),
	KUNIT_CASE(drm_dev_ctx_test_tasks),
	KUNIT_CASE(drm_dev_ctx_test_irq),
	KUNIT_CASE(drm_dev_ctx_test_gem_callback),
	KUNIT_CASE(drm_dev_ctx_test_fault),
	KUNIT_CASE(drm_dev_ctx_test_irq_thread),
	KUNIT_CASE(drm_dev_ctx_test_runtime_pm),
	KUNIT_CASE(drm_dev_ctx_test_debugfs),
	KUNIT_CASE(drm_dev_ctx_test_trace),
	KUNIT_CASE(drm_dev_ctx_test_stuck),
	KUNIT_CASE(drm_dev_ctx_test_stuck_block),
	KUNIT_CASE(drm_dev_ctx_test_stuck_shutdown),
	KUNIT_CASE(drm_dev_ctx_test_completer),
	KUNIT_CASE(drm_dev_ctx_test_completer_in_section),
	KUNIT_CASE(drm_dev_ctx_test_completer_in_probe),
	KUNIT_CASE(drm_dev_ctx_test_completer_dropped),
	KUNIT_CASE(drm_dev_ctx_test_completer_unbound),
	KUNIT_CASE(drm_dev_ctx_test_stuck_revocation),
	KUNIT_CASE(drm_dev_ctx_test_register_slowly),
	KUNIT_CASE(drm_dev_ctx_test_handle_leak),
	KUNIT_CASE_SLOW(drm_dev_ctx_test_fail),
	{}
};

static struct kunit_suite drm_dev_ctx_suite = {
	.name = "drm_dev_ctx",
	.init = tdev_test_init,
	.test_cases = drm_dev_ctx_tests,
};

kunit_test_suite(drm_dev_ctx_suite);

MODULE_DESCRIPTION("KUnit tests for the DRM safe helpers: device contexts");
MODULE_LICENSE("Dual MIT/GPL");
