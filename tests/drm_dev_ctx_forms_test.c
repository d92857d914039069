// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Forms of sections and blocks with something for when they are refused, and ioctls whose entry
 * points and table are in several files, of a driver without data of a file. One of them sleeps.
 */

#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/stacktrace.h>

#include <kunit/test.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_ioctl.h>

#include "drm_dev_ctx_internal.h"
#include "drm_safe_test.h"

MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");

struct fdev {
	struct drm_dev_ctx ctx;
	struct completion inside, leave;
};

static struct fdev *fdev_dev(struct drm_device *drm)
{
	return drm_dev_ctx_entry(drm, struct fdev, ctx);
}

struct fdev_reg {
	struct drm_dev_ctx_reg base;
};

struct fdev_args {
	u32 in;
	u32 out;
};

/* The contents of a driver's header */
#define DRM_IOCTL_FDEV_ADD	DRM_IOWR(DRM_COMMAND_BASE + 0, struct fdev_args)
#define DRM_IOCTL_FDEV_ANY	DRM_IOWR(DRM_COMMAND_BASE + 1, struct fdev_args)
#define DRM_IOCTL_FDEV_WAIT	DRM_IO(DRM_COMMAND_BASE + 2)

DRM_DEV_CTX_IOCTL_DECLARE(FDEV_ADD);
DRM_DEV_CTX_IOCTL_DECLARE(FDEV_ANY);
DRM_DEV_CTX_IOCTL_DECLARE(FDEV_WAIT);
extern const struct drm_ioctl_desc fdev_ioctls[3];

/* One file */
static int fdev_ioctl_add(const struct fdev_reg *reg, struct fdev_args *args,
			  struct drm_file *file)
{
	/* There is no open callback that would have set it. */
	if (file->driver_priv)
		return -EINVAL;
	args->out = args->in + 1;
	return 0;
}

DRM_DEV_CTX_IOCTL_EXTERN(FDEV_ADD, fdev_ioctl_add, fdev_reg, struct fdev_args);

/* Another one */
static int fdev_ioctl_any(struct drm_dev_ctx_ioctl *ioctl, struct fdev_args *args,
			  struct drm_file *file)
{
	args->out = args->in + 2;
	drm_dev_ctx_guard_else(fdev_reg, reg, ioctl, return -ENXIO)
		args->out++;
	return 0;
}

DRM_DEV_CTX_IOCTL_UNGUARDED_EXTERN(FDEV_ANY, fdev_ioctl_any, struct fdev_args);

static int fdev_ioctl_wait(const struct fdev_reg *reg, void *args, struct drm_file *file)
{
	struct fdev *fdev = fdev_dev(drm_dev_ctx_reg_drm(&reg->base));

	complete(&fdev->inside);
	wait_for_completion(&fdev->leave);
	return 0;
}

DRM_DEV_CTX_IOCTL_EXTERN(FDEV_WAIT, fdev_ioctl_wait, fdev_reg, void);

/* The file with the table */
DRM_DEV_CTX_IOCTLS_EXTERN(fdev_ioctls) = {
	DRM_DEV_CTX_IOCTL_DEF(FDEV_ADD, DRM_RENDER_ALLOW),
	DRM_DEV_CTX_IOCTL_DEF(FDEV_ANY, DRM_RENDER_ALLOW),
	DRM_DEV_CTX_IOCTL_DEF(FDEV_WAIT, DRM_RENDER_ALLOW),
};

/* The driver's own */
DEFINE_DRM_GEM_FOPS(fdev_fops);

static const struct drm_driver fdev_driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER,
	.fops = &fdev_fops,
	.name = "fdev",
	.ioctls = fdev_ioctls,
	.num_ioctls = ARRAY_SIZE(fdev_ioctls),
};

KUNIT_DEFINE_ACTION_WRAPPER(fdev_put, drm_dev_put, struct drm_device *);

static struct drm_device *fdev_registered(struct kunit *test)
{
	struct device *parent = drm_safe_test_parent(test);
	struct drm_dev_ctx_unreg *unreg =
		drm_dev_ctx_alloc(parent, &fdev_driver, struct fdev, ctx);
	struct drm_device *drm;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unreg);
	drm = drm_dev_ctx_unreg_drm(unreg);
	init_completion(&fdev_dev(drm)->inside);
	init_completion(&fdev_dev(drm)->leave);
	drm_dev_get(drm);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, fdev_put, drm), 0);
	KUNIT_ASSERT_EQ(test, drm_dev_ctx_register(parent, &unreg, NULL, NULL), 0);
	return drm;
}

static int fdev_call(struct file *filp, unsigned int nr, struct fdev_args *args)
{
	return drm_ioctl_kernel(filp, fdev_ioctls[nr].func, args, fdev_ioctls[nr].flags);
}

static void ioctls(struct kunit *test)
{
	struct drm_device *drm = fdev_registered(test);
	struct file *filp = drm_safe_test_open(test, drm->render);
	struct fdev_args args = { .in = 5 };

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, filp);
	KUNIT_EXPECT_EQ(test, fdev_call(filp, 0, &args), 0);
	KUNIT_EXPECT_EQ(test, args.out, 6);
	KUNIT_EXPECT_EQ(test, fdev_call(filp, 1, &args), 0);
	KUNIT_EXPECT_EQ(test, args.out, 8);
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(drm)), 0);
	KUNIT_EXPECT_EQ(test, fdev_ioctls[0].func(drm, &args, filp->private_data), -ENODEV);
	KUNIT_EXPECT_EQ(test, fdev_ioctls[1].func(drm, &args, filp->private_data), -ENXIO);
	drm_safe_test_close(test, filp);
}

/* The error of a block, and one that the block itself sets */
static int guard_error(struct drm_device *drm, int inside)
{
	int ret;

	drm_dev_ctx_guard_else(fdev_reg, reg, to_drm_dev_ctx(drm), ret = -ENODEV)
		ret = inside;
	return ret;
}

/* A statement with commas */
static int guard_statements(struct drm_device *drm)
{
	int ret = 0, other = 0;

	drm_dev_ctx_guard_live_else(live, to_drm_dev_ctx(drm), ret = 1, other = 2) {
		ret = 10;
		other = drm_dev_ctx_live_drm(live) == drm;
	}
	return ret + other;
}

/* The same in a callback, which opens no section */
static int guard_callback(struct drm_device *drm)
{
	int ret = 0, other = 0;

	drm_dev_ctx_guard_callback_else(live, to_drm_dev_ctx(drm), ret = 1, other = 2) {
		if (drm_dev_ctx_live_drm(live) == drm)
			return 11;
		ret = 100;
	}
	return ret + other;
}

/* To the end of the scope */
static int to_the_end(struct drm_device *drm)
{
	drm_dev_ctx_live_or(live, to_drm_dev_ctx(drm), return -ENODEV);

	return drm_dev_ctx_live_drm(live) == drm;
}

/* However the block is left, the section is left; neither jump runs the statement. */
static int jumps(struct drm_device *drm)
{
	int refused = 0, runs = 0;

	drm_dev_ctx_guard_else(fdev_reg, reg, to_drm_dev_ctx(drm), refused++) {
		runs++;
		if (runs)
			break;
		runs = 100;
	}
	drm_dev_ctx_guard_else(fdev_reg, reg, to_drm_dev_ctx(drm), refused++) {
		runs++;
		if (runs)
			continue;
		runs = 100;
	}
	drm_dev_ctx_guard_live_else(live, to_drm_dev_ctx(drm), refused++) {
		runs++;
		if (runs)
			goto out;
		runs = 100;
	}
out:
	drm_dev_ctx_guard_callback_else(live, to_drm_dev_ctx(drm), refused++) {
		runs++;
		if (runs)
			break;
		runs = 100;
	}
	for (int i = 0; i < 2; i++) {
		drm_dev_ctx_live_or(live, to_drm_dev_ctx(drm), refused++; continue);
		runs++;
	}
	return 10 * refused + runs;
}

static void forms(struct kunit *test)
{
	struct drm_device *drm = fdev_registered(test);

	KUNIT_EXPECT_EQ(test, guard_error(drm, 0), 0);
	KUNIT_EXPECT_EQ(test, guard_error(drm, -EIO), -EIO);
	KUNIT_EXPECT_EQ(test, guard_statements(drm), 11);
	KUNIT_EXPECT_EQ(test, guard_callback(drm), 11);
	KUNIT_EXPECT_EQ(test, to_the_end(drm), 1);
	KUNIT_EXPECT_EQ(test, jumps(drm), 6);
	/* This waits for each section that was not left. */
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(to_drm_dev_ctx(drm)), 0);
	KUNIT_EXPECT_EQ(test, guard_error(drm, 0), -ENODEV);
	KUNIT_EXPECT_EQ(test, guard_statements(drm), 3);
	KUNIT_EXPECT_EQ(test, guard_callback(drm), 3);
	KUNIT_EXPECT_EQ(test, to_the_end(drm), -ENODEV);
	KUNIT_EXPECT_EQ(test, jumps(drm), 60);
}

/* A task that sleeps in a caller of drivers is named, although sections are not counted. */
static int sleep_in_ioctl(void *filp)
{
	return fdev_call(filp, 2, NULL);
}

static void sleep_inside(struct file *filp)
{
	struct drm_file *file = filp->private_data;
	struct fdev *fdev = fdev_dev(file->minor->dev);

	complete(&fdev->inside);
	wait_for_completion(&fdev->leave);
}

/* Has the name of the function of the atomic helpers that runs commits. */
static int commit_tail(void *filp)
{
	sleep_inside(filp);
	return 0;
}

static int sleep_elsewhere(void *filp)
{
	sleep_inside(filp);
	return -EAGAIN;
}

/* UML has none without frame pointers. */
static bool has_stack_traces(struct task_struct *task)
{
#ifdef CONFIG_STACKTRACE
	unsigned long frames[8];

	return stack_trace_save_tsk(task, frames, ARRAY_SIZE(frames), 0) > 1;
#else
	return false;
#endif
}

static const struct {
	int (*fn)(void *filp);
	int ret;
	bool is_named;
} sleepers[] = {
	{ sleep_in_ioctl, 0, true },
	{ commit_tail, 0, true },
	/* The library names each function of a module. */
	{ sleep_elsewhere, -EAGAIN, IS_MODULE(CONFIG_DRM_SAFE_KUNIT_TEST) },
};

static void sleeper_is_named(struct kunit *test)
{
	struct drm_device *drm = fdev_registered(test);
	struct file *filp = drm_safe_test_open(test, drm->render);
	struct task_struct *task;
	bool traces = false;
	int before;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, filp);
	/* A module is tested on a machine whose clients may sleep in ioctls of other drivers. */
	before = __drm_dev_ctx_report_sleepers(to_drm_dev_ctx(drm), NULL);
	if (!IS_MODULE(CONFIG_DRM_SAFE_KUNIT_TEST))
		KUNIT_EXPECT_EQ(test, before, 0);
	for (int i = 0; i < ARRAY_SIZE(sleepers); i++) {
		task = kthread_run(sleepers[i].fn, filp, "fdev_sleeper");
		KUNIT_ASSERT_FALSE(test, IS_ERR(task));
		get_task_struct(task);
		wait_for_completion(&fdev_dev(drm)->inside);
		while (task_is_running(task))
			schedule_timeout_idle(1);
		traces = IS_ENABLED(CONFIG_KALLSYMS) && has_stack_traces(task);
		KUNIT_EXPECT_EQ_MSG(test, __drm_dev_ctx_report_sleepers(to_drm_dev_ctx(drm), NULL),
				    before + (traces && sleepers[i].is_named), "%pS",
				    sleepers[i].fn);
		KUNIT_EXPECT_EQ(test, __drm_dev_ctx_report_sleepers(to_drm_dev_ctx(drm), task),
				before);
		complete(&fdev_dev(drm)->leave);
		KUNIT_EXPECT_EQ(test, kthread_stop(task), sleepers[i].ret);
		put_task_struct(task);
	}
	drm_safe_test_close(test, filp);
	if (!traces)
		kunit_skip(test, "needs CONFIG_KALLSYMS and stack traces of sleeping tasks");
}

static struct kunit_case drm_dev_ctx_forms_cases[] = {
	KUNIT_CASE(ioctls),
	KUNIT_CASE(forms),
	KUNIT_CASE(sleeper_is_named),
	{}
};

static struct kunit_suite drm_dev_ctx_forms_suite = {
	.name = "drm_dev_ctx_forms",
	.test_cases = drm_dev_ctx_forms_cases,
};

kunit_test_suite(drm_dev_ctx_forms_suite);

MODULE_DESCRIPTION("KUnit tests for the DRM safe helpers: forms of sections, blocks and ioctls");
MODULE_LICENSE("Dual MIT/GPL");
