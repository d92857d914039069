// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <linux/slab.h>

#include <kunit/test.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>

#include "drm_dev_ctx.h"
#include "drm_safe_test.h"

/* What the callbacks of a device did, in order */
struct tdev_log {
	char steps[16];
	int len;
};

struct tdev {
	int before;
	struct drm_device drm;
	struct tdev_log *log;
};

struct tdev_hw {
	struct tdev_log *log;
	u32 value;
};

struct tdev_file {
	struct drm_file *drm;
	u32 opened_with;
};

DRM_DEV_CTX(tdev, struct tdev, drm, struct tdev_hw, struct tdev_file);

struct tdev_args {
	u32 in;
	u32 out;
};

#define DRM_IOCTL_TDEV_REG	DRM_IOWR(DRM_COMMAND_BASE + 0, struct tdev_args)
#define DRM_IOCTL_TDEV_CTX	DRM_IOWR(DRM_COMMAND_BASE + 1, struct tdev_args)
#define DRM_IOCTL_TDEV_ANY	DRM_IO(DRM_COMMAND_BASE + 2)

static void log_step(struct tdev_log *log, char step)
{
	if (log && log->len < sizeof(log->steps) - 1)
		log->steps[log->len++] = step;
}

static int tdev_ioctl_reg(const struct tdev_reg *reg, struct tdev_args *args,
			  struct tdev_file *file)
{
	args->out = args->in + tdev_reg_data(reg)->value + file->opened_with;
	return 0;
}

static int tdev_ioctl_ctx(struct tdev_ioctl *ioctl, struct tdev_args *args,
			  struct tdev_file *file)
{
	drm_dev_registered_or(tdev, reg, ioctl, return -ENXIO);

	args->out = tdev_ioctl_dev(ioctl)->before + tdev_reg_data(reg)->value;
	return 0;
}

static int tdev_ioctl_any(struct tdev *tdev, void *args, struct tdev_file *file)
{
	tdev->before++;
	return 0;
}

#define TDEV_IOCTLS(X)							\
	X(TDEV_REG, struct tdev_args, tdev_ioctl_reg, REGISTERED, DRM_RENDER_ALLOW) \
	X(TDEV_CTX, struct tdev_args, tdev_ioctl_ctx, IOCTL, DRM_RENDER_ALLOW)	\
	X(TDEV_ANY, void, tdev_ioctl_any, NORMAL, 0)

DRM_DEV_IOCTL_TABLE(tdev, TDEV_IOCTLS);

static struct tdev_file *tdev_open(const struct tdev_reg *reg, struct drm_file *drm_file)
{
	struct tdev_file *file = kzalloc_obj(*file);

	if (file)
		file->opened_with = tdev_reg_data(reg)->value;
	return file;
}

static void tdev_postclose(struct tdev *tdev, struct tdev_file *file)
{
	log_step(tdev->log, 'c');
	kfree(file);
}

DRM_DEV_FILE_OPS(tdev, REGISTERED, tdev_open, tdev_postclose);

static void tdev_release(struct drm_device *drm)
{
	log_step(tdev_dev(drm)->log, 'f');
}

DEFINE_DRM_GEM_FOPS(tdev_fops);

static const struct drm_driver tdev_driver = {
	.fops = &tdev_fops,
	.driver_features = DRIVER_GEM | DRIVER_RENDER,
	.name = "tdev",
	.desc = "drm_dev_ctx test",
	.open = tdev_drm_open,
	.postclose = tdev_drm_postclose,
	.release = tdev_release,
	.ioctls = tdev_ioctls,
	.num_ioctls = ARRAY_SIZE(tdev_ioctls),
};

static void tdev_kms_shutdown(struct drm_device *drm)
{
	log_step(tdev_dev(drm)->log, 's');
}

static void tdev_quiesce(const struct drm_dev_bound *bound, struct tdev_hw *hw)
{
	log_step(hw->log, 'q');
}

static void tdev_hw_release(struct tdev_hw *hw)
{
	log_step(hw->log, 'r');
	kfree(hw);
}

static const struct tdev_reg_ops tdev_reg_ops = {
	.kms_shutdown = tdev_kms_shutdown,
	.quiesce = tdev_quiesce,
	.release = tdev_hw_release,
};

static struct tdev_unreg *tdev_new(struct kunit *test, struct device *parent,
				   struct tdev_log *log)
{
	struct tdev_unreg *unreg = tdev_dev_alloc(parent, &tdev_driver);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unreg);
	tdev_unreg_dev(unreg)->log = log;
	return unreg;
}

static struct tdev_hw *tdev_hw_new(struct kunit *test, struct tdev_log *log)
{
	struct tdev_hw *hw = kzalloc_obj(*hw);

	KUNIT_ASSERT_NOT_NULL(test, hw);
	hw->log = log;
	hw->value = 1000;
	return hw;
}

/* From the token to unbind: each callback once, and in this order. */
static void drm_dev_ctx_test_life(struct kunit *test)
{
	struct device *parent = drm_safe_test_parent(test);
	struct tdev_log log = {};
	struct tdev_unreg *unreg = tdev_new(test, parent, &log);
	struct drm_device *drm = drm_dev_bound_drm(&unreg->bound);
	bool entered = false;

	KUNIT_EXPECT_PTR_EQ(test, drm_dev_bound_parent(&unreg->bound), parent);
	drm_dev_if_registered(tdev, reg, drm)
		entered = true;
	KUNIT_EXPECT_FALSE(test, entered);

	KUNIT_ASSERT_EQ(test, drm_dev_ctx_register(tdev, parent, unreg, &tdev_reg_ops,
						   tdev_hw_new(test, &log)), 0);
	drm_dev_if_registered(tdev, reg, drm) {
		entered = true;
		KUNIT_EXPECT_PTR_EQ(test, drm_dev_bound_parent(&reg->bound), parent);
		KUNIT_EXPECT_PTR_EQ(test, &tdev_reg_dev(reg)->drm, drm);
		KUNIT_EXPECT_EQ(test, tdev_reg_data(reg)->value, 1000);
	}
	KUNIT_EXPECT_TRUE(test, entered);

	drm_dev_get(drm);
	drm_safe_test_unbind(test, parent);
	KUNIT_EXPECT_STREQ(test, log.steps, "sqr");
	entered = false;
	drm_dev_if_registered(tdev, reg, drm)
		entered = true;
	KUNIT_EXPECT_FALSE(test, entered);

	drm_dev_put(drm);
	KUNIT_EXPECT_STREQ(test, log.steps, "sqrf");
}

/* The entry points of a file, through DRM's own dispatch. */
static void drm_dev_ctx_test_file(struct kunit *test)
{
	struct device *parent = drm_safe_test_parent(test);
	struct tdev_log log = {};
	struct tdev_unreg *unreg = tdev_new(test, parent, &log);
	struct drm_device *drm = drm_dev_bound_drm(&unreg->bound);
	struct tdev_args args = { .in = 5 };
	struct drm_file *file;
	struct file *filp;

	KUNIT_ASSERT_EQ(test, drm_dev_ctx_register(tdev, parent, unreg, &tdev_reg_ops,
						   tdev_hw_new(test, &log)), 0);
	filp = drm_safe_test_open(test, drm->render);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, filp);
	file = filp->private_data;
	KUNIT_EXPECT_PTR_EQ(test, tdev_file_drm(file->driver_priv), file);

	KUNIT_EXPECT_EQ(test, drm_ioctl_kernel(filp, tdev_ioctls[0].func, &args,
					       tdev_ioctls[0].flags), 0);
	KUNIT_EXPECT_EQ(test, args.out, 2005);
	tdev_dev(drm)->before = 7;
	KUNIT_EXPECT_EQ(test, drm_ioctl_kernel(filp, tdev_ioctls[1].func, &args,
					       tdev_ioctls[1].flags), 0);
	KUNIT_EXPECT_EQ(test, args.out, 1007);

	drm_dev_get(drm);
	drm_safe_test_unbind(test, parent);
	KUNIT_EXPECT_EQ(test, tdev_ioctls[0].func(drm, &args, file), -ENODEV);
	KUNIT_EXPECT_EQ(test, tdev_ioctls[1].func(drm, &args, file), -ENXIO);
	KUNIT_EXPECT_EQ(test, tdev_ioctls[2].func(drm, &args, file), 0);
	drm_safe_test_close(test, filp);
	KUNIT_EXPECT_STREQ(test, log.steps, "sqrc");
	drm_dev_put(drm);
}

static struct kunit_case drm_dev_ctx_tests[] = {
	KUNIT_CASE(drm_dev_ctx_test_life),
	KUNIT_CASE(drm_dev_ctx_test_file),
	{}
};

static struct kunit_suite drm_dev_ctx_suite = {
	.name = "drm_dev_ctx",
	.test_cases = drm_dev_ctx_tests,
};

kunit_test_suite(drm_dev_ctx_suite);

MODULE_DESCRIPTION("KUnit suite of the DRM device contexts");
MODULE_LICENSE("Dual MIT/GPL");
