// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>

#include "bench.h"
#include "drm_dev_ctx.h"
#include "drm_safe_test.h"

struct bench_dev {
	struct drm_dev_ctx ctx;
	u32 work;
};

/* Proof that a struct bench_dev is registered */
struct bench_reg {
	struct drm_dev_ctx_reg base;
};

static inline struct bench_dev *bench_dev(struct drm_device *drm)
{
	return drm_dev_ctx_entry(drm, struct bench_dev, ctx);
}

struct bench_args {
	u32 work;
};

#define DRM_IOCTL_BENCH_OURS	DRM_IOW(DRM_COMMAND_BASE, struct bench_args)
#define DRM_IOCTL_BENCH_RAW	DRM_IOW(DRM_COMMAND_BASE + 1, struct bench_args)

static int bench_ioctl_ours(const struct bench_reg *reg, struct bench_args *args,
			    struct drm_file *file)
{
	bench_dev(drm_dev_ctx_bound_drm(&reg->base.bound))->work += args->work;
	return 0;
}

static int bench_ioctl_raw(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct bench_args *args = data;
	int idx;

	if (!drm_dev_enter(drm, &idx))
		return -ENODEV;
	bench_dev(drm)->work += args->work;
	drm_dev_exit(idx);
	return 0;
}

DRM_DEV_CTX_IOCTL(BENCH_OURS, bench_ioctl_ours, bench_reg, struct bench_args);

DRM_DEV_CTX_IOCTLS(bench_ioctls) = {
	DRM_DEV_CTX_IOCTL_DEF(BENCH_OURS, DRM_RENDER_ALLOW),
};

DEFINE_DRM_GEM_FOPS(bench_fops);

static const struct drm_driver bench_driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER,
	.fops = &bench_fops,
	.name = "bench",
	.desc = "benchmark of drm_dev_ctx",
	.ioctls = bench_ioctls,
	.num_ioctls = ARRAY_SIZE(bench_ioctls),
};

struct bench_ctx {
	struct kunit *test;
	struct device *parent;
	struct drm_device *drm;
	struct file *filp;
};

static u64 guard_raw(void *ctx, unsigned int loops)
{
	struct drm_device *drm = ((struct bench_ctx *)ctx)->drm;

	/* The index is one of the block, as in a function of a driver: it is zeroed each time. */
	return BENCH_LOOP(loops, ({
		int idx;

		if (drm_dev_enter(drm, &idx)) {
			bench_dev(drm)->work++;
			drm_dev_exit(idx);
		}
	}));
}

static u64 guard_safe(void *ctx, unsigned int loops)
{
	struct drm_device *drm = ((struct bench_ctx *)ctx)->drm;

	return BENCH_LOOP(loops, ({
		drm_dev_ctx_guard(bench_reg, reg, to_drm_dev_ctx(drm))
			bench_dev(drm_dev_ctx_reg_drm(&reg->base))->work++;
	}));
}

static u64 ioctl_raw(void *ctx, unsigned int loops)
{
	struct bench_args args = { .work = 1 };
	struct file *filp = ((struct bench_ctx *)ctx)->filp;

	return BENCH_LOOP(loops, drm_ioctl_kernel(filp, bench_ioctl_raw, &args, DRM_RENDER_ALLOW));
}

static u64 ioctl_safe(void *ctx, unsigned int loops)
{
	struct bench_args args = { .work = 1 };
	struct file *filp = ((struct bench_ctx *)ctx)->filp;

	return BENCH_LOOP(loops, drm_ioctl_kernel(filp, bench_ioctls[0].func, &args,
						  bench_ioctls[0].flags));
}

/* As struct bench_dev, without this library */
struct bench_raw_dev {
	struct drm_device drm;
	u32 work;
};

static void register_raw_once(struct bench_ctx *ctx)
{
	struct bench_raw_dev *dev;

	dev = devm_drm_dev_alloc(ctx->parent, &bench_driver, struct bench_raw_dev, drm);
	KUNIT_ASSERT_FALSE(ctx->test, IS_ERR(dev));
	KUNIT_ASSERT_EQ(ctx->test, drm_dev_register(&dev->drm, 0), 0);
	drm_dev_unplug(&dev->drm);
	drm_safe_test_rebind(ctx->test, ctx->parent);
}

static void register_safe_once(struct bench_ctx *ctx)
{
	struct drm_dev_ctx_unreg *unreg =
		drm_dev_ctx_alloc(ctx->parent, &bench_driver, struct bench_dev, ctx);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(ctx->test, unreg);
	KUNIT_ASSERT_EQ(ctx->test, drm_dev_ctx_register(ctx->parent, &unreg, NULL, NULL), 0);
	drm_safe_test_rebind(ctx->test, ctx->parent);
}

static void alloc_raw_once(struct bench_ctx *ctx)
{
	struct bench_raw_dev *dev;

	dev = devm_drm_dev_alloc(ctx->parent, &bench_driver, struct bench_raw_dev, drm);
	KUNIT_ASSERT_FALSE(ctx->test, IS_ERR(dev));
	drm_safe_test_rebind(ctx->test, ctx->parent);
}

static void alloc_safe_once(struct bench_ctx *ctx)
{
	struct drm_dev_ctx_unreg *unreg =
		drm_dev_ctx_alloc(ctx->parent, &bench_driver, struct bench_dev, ctx);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(ctx->test, unreg);
	drm_dev_ctx_drop(&unreg);
	drm_safe_test_rebind(ctx->test, ctx->parent);
}

static u64 alloc_raw(void *ctx, unsigned int loops)
{
	return BENCH_LOOP(loops, alloc_raw_once(ctx));
}

static u64 alloc_safe(void *ctx, unsigned int loops)
{
	return BENCH_LOOP(loops, alloc_safe_once(ctx));
}

static u64 register_raw(void *ctx, unsigned int loops)
{
	return BENCH_LOOP(loops, register_raw_once(ctx));
}

static u64 register_safe(void *ctx, unsigned int loops)
{
	return BENCH_LOOP(loops, register_safe_once(ctx));
}

static const struct bench_pair bench_ctx_pairs[] = {
	{ "guard", guard_raw, guard_safe, 100000 },
	{ "ioctl dispatch", ioctl_raw, ioctl_safe, 100000 },
};

/* With an unbinding that releases the device, and a binding */
static const struct bench_pair bench_device_pairs[] = {
	{ "device, allocate and release", alloc_raw, alloc_safe, 20 },
	{ "register and unplug", register_raw, register_safe, 3 },
};

static void bench_ctx_start(struct kunit *test, struct bench_ctx *ctx)
{
	struct drm_dev_ctx_unreg *unreg;

	ctx->test = test;
	ctx->parent = drm_safe_test_parent(test);
	unreg = drm_dev_ctx_alloc(ctx->parent, &bench_driver, struct bench_dev, ctx);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unreg);
	ctx->drm = drm_dev_ctx_bound_drm(&unreg->bound);
	KUNIT_ASSERT_EQ(test, drm_dev_ctx_register(ctx->parent, &unreg, NULL, NULL), 0);
	ctx->filp = drm_safe_test_open(test, ctx->drm->render);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ctx->filp);
}

static void bench_ctx_entries(struct kunit *test)
{
	struct bench_ctx ctx[BENCH_CPUS] = {};
	void *const each[BENCH_CPUS] = BENCH_EACH(ctx);

	for (int i = 0; i < bench_cpus(); i++)
		bench_ctx_start(test, &ctx[i]);
	for (int i = 0; i < ARRAY_SIZE(bench_ctx_pairs); i++)
		bench_compare(test, &bench_ctx_pairs[i], 0, each);
}

static void bench_ctx_register(struct kunit *test)
{
	struct bench_ctx ctx[BENCH_CPUS] = {};
	void *const each[BENCH_CPUS] = BENCH_EACH(ctx);
	struct device *other = drm_safe_test_parent(test);
	struct drm_dev_ctx_unreg *alive =
		drm_dev_ctx_alloc(other, &bench_driver, struct bench_dev, ctx);

	for (int i = 0; i < bench_cpus(); i++) {
		ctx[i].test = test;
		ctx[i].parent = drm_safe_test_parent(test);
	}
	/* The first device and the last mount and unmount a file system. */
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, alive);
	for (int i = 0; i < ARRAY_SIZE(bench_device_pairs); i++)
		bench_compare(test, &bench_device_pairs[i], 0, each);
	drm_dev_ctx_drop(&alive);
}

static struct kunit_case bench_ctx_cases[] = {
	KUNIT_CASE_ATTR(bench_ctx_entries, {.speed = KUNIT_SPEED_VERY_SLOW}),
	KUNIT_CASE_ATTR(bench_ctx_register, {.speed = KUNIT_SPEED_VERY_SLOW}),
	{}
};

struct kunit_suite bench_ctx_suite = {
	.name = "drm_safe_bench_ctx",
	.test_cases = bench_ctx_cases,
};
