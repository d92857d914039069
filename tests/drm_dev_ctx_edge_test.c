// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Edges that the other suites do not get to: revocation that is not waited for,
 * devices of others, and what debugfs leaves out.
 */

#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include <kunit/static_stub.h>
#include <kunit/test.h>

#include <drm/drm_debugfs.h>
#include <drm/drm_drv.h>
#include <drm/drm_ioctl.h>

#include "drm_dev_ctx_internal.h"
#include "drm_safe_test.h"

struct edge_dev {
	struct drm_dev_ctx ctx;
};

/* Proof that a struct edge_dev is registered */
struct edge_reg {
	struct drm_dev_ctx_reg base;
};

static inline struct edge_dev *edge_dev(struct drm_device *drm)
{
	return drm_dev_ctx_entry(drm, struct edge_dev, ctx);
}

/* Another type of device */
struct other_dev {
	int before;
	struct drm_dev_ctx ctx;
};

KUNIT_DEFINE_ACTION_WRAPPER(edge_put, drm_dev_put, struct drm_device *);

/* A registered device, with a reference until the end of the test */
static struct drm_device *edge_device(struct kunit *test, struct device *parent)
{
	struct drm_dev_ctx_unreg *unreg =
		drm_dev_ctx_alloc(parent, drm_safe_test_driver(), struct edge_dev, ctx);
	struct drm_device *drm;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unreg);
	drm = drm_dev_ctx_bound_drm(&unreg->bound);
	drm_dev_get(drm);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, edge_put, drm), 0);
	KUNIT_ASSERT_EQ(test, drm_dev_ctx_register(parent, &unreg, NULL, NULL), 0);
	return drm;
}

/* Proof that a struct other_dev is registered */
struct other_reg {
	struct drm_dev_ctx_reg base;
};

#define DRM_IOCTL_OTHER_NOTHING	DRM_IO(DRM_COMMAND_BASE)
#define DRM_IOCTL_OTHER_ANY	DRM_IO(DRM_COMMAND_BASE + 1)

static int other_ioctl_nothing(const struct other_reg *reg, void *args, struct drm_file *file)
{
	return 0;
}

static int other_ioctl_any(struct drm_dev_ctx_ioctl *ioctl, void *args, struct drm_file *file)
{
	return 0;
}

DRM_DEV_CTX_IOCTL(OTHER_NOTHING, other_ioctl_nothing, other_reg, void);
DRM_DEV_CTX_IOCTL_UNGUARDED(OTHER_ANY, other_ioctl_any, void);

DRM_DEV_CTX_IOCTLS(other_ioctls) = {
	DRM_DEV_CTX_IOCTL_DEF(OTHER_NOTHING, DRM_RENDER_ALLOW),
	DRM_DEV_CTX_IOCTL_DEF(OTHER_ANY, DRM_RENDER_ALLOW),
};

/*
 * A device that DRM's own functions made has no contexts, nothing to revoke or to record. Whatever
 * is in the memory behind it, no kernel takes that for a registration.
 */
static void foreign(struct kunit *test)
{
	struct edge_dev *dev = __drm_dev_alloc(drm_safe_test_parent(test), drm_safe_test_driver(),
					       sizeof(*dev), offsetof(struct edge_dev, ctx.drm));
	struct drm_dev_ctx_handle handle = {};
	struct drm_dev_ctx_revocable rev = {};
	int ret;

	KUNIT_ASSERT_FALSE(test, IS_ERR(dev));
	memset_after(dev, 0xa5, ctx.drm);
	drm_dev_ctx_handle_add(&dev->ctx.drm, &handle);
	drm_dev_ctx_handle_del(&dev->ctx.drm, &handle);
	KUNIT_EXPECT_FALSE(test, drm_dev_ctx_revocable_take(&dev->ctx, &rev));
	/* Not even if it is registered */
	ret = drm_dev_register(&dev->ctx.drm, 0);
	KUNIT_ASSERT_EQ(test, ret, 0);
	kunit_warning_suppress(test) {
		drm_dev_ctx_guard(edge_reg, reg, &dev->ctx)
			KUNIT_FAIL(test, "a section of a device without contexts");
		drm_dev_ctx_guard_live(live, &dev->ctx)
			KUNIT_FAIL(test, "a block without a registration");
		KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(&dev->ctx), -EINVAL);
		/* Neither a handler with a section nor one without is called. */
		for (int i = 0; i < ARRAY_SIZE(other_ioctls); i++)
			KUNIT_EXPECT_EQ(test, other_ioctls[i].func(&dev->ctx.drm, NULL, NULL),
					-ENODEV);
		EXPECT_BROKEN_TIMES(test, 5, "own devices");
	}
	drm_dev_unplug(&dev->ctx.drm);
	drm_dev_put(&dev->ctx.drm);
}

/* A device that is the last thing in its memory: nothing behind it is read. */
static void foreign_alone(struct kunit *test)
{
	struct drm_device *drm = __drm_dev_alloc(drm_safe_test_parent(test),
						 drm_safe_test_driver(), sizeof(*drm), 0);
	int ret;

	KUNIT_ASSERT_FALSE(test, IS_ERR(drm));
	if (!IS_ENABLED(CONFIG_DRM_SAFE_DEBUG)) {
		drm_dev_put(drm);
		kunit_skip(test, "needs CONFIG_DRM_SAFE_DEBUG");
	}
	ret = drm_dev_register(drm, 0);
	KUNIT_ASSERT_EQ(test, ret, 0);
	kunit_warning_suppress(test) {
		drm_dev_ctx_guard(edge_reg, reg, to_drm_dev_ctx(drm))
			KUNIT_FAIL(test, "a section of a device without contexts");
		drm_dev_ctx_guard_live(live, to_drm_dev_ctx(drm))
			KUNIT_FAIL(test, "a block without a registration");
		for (int i = 0; i < ARRAY_SIZE(other_ioctls); i++)
			KUNIT_EXPECT_EQ(test, other_ioctls[i].func(drm, NULL, NULL), -ENODEV);
		EXPECT_BROKEN_TIMES(test, 4, "own devices");
	}
	drm_dev_unplug(drm);
	drm_dev_put(drm);
}

#ifndef drm_device_ctx
static size_t edge_devres(struct device *dev)
{
	guard(spinlock_irqsave)(&dev->devres_lock);
	return list_count_nodes(&dev->devres_head);
}

/*
 * A device that cannot be remembered is not made. drm_dev_ctx_shutdown() finds one that is
 * remembered, and takes its lock: it is complete by then.
 */
static int edge_not_known(struct drm_dev_ctx *ctx)
{
	struct kunit *test = kunit_get_current_test();

	KUNIT_EXPECT_NOT_NULL(test, ctx->__dev);
	KUNIT_EXPECT_EQ(test, edge_devres(ctx->__dev), *(size_t *)test->priv + 1);
	/* One without mutex_init() is reported here. */
	KUNIT_EXPECT_TRUE(test, mutex_trylock(&ctx->__lock));
	mutex_unlock(&ctx->__lock);
	return -ENOMEM;
}

static void not_known(struct kunit *test)
{
	struct device *parent = drm_safe_test_parent(test);
	const struct drm_driver *driver = drm_safe_test_driver();
	size_t devres = edge_devres(parent);
	struct drm_dev_ctx_unreg *unreg;

	test->priv = &devres;
	kunit_activate_static_stub(test, drm_dev_ctx_insert, edge_not_known);
	unreg = drm_dev_ctx_alloc(parent, driver, struct edge_dev, ctx);
	KUNIT_EXPECT_PTR_EQ(test, unreg, ERR_PTR(-ENOMEM));
	kunit_deactivate_static_stub(test, drm_dev_ctx_insert);
	KUNIT_EXPECT_EQ(test, edge_devres(parent), devres);
	unreg = drm_dev_ctx_alloc(parent, driver, struct edge_dev, ctx);
	KUNIT_ASSERT_FALSE(test, IS_ERR(unreg));
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_register(parent, &unreg, NULL, NULL), 0);
}
#endif

/* A device of one type is not taken for one of another. */
static void other_type(struct kunit *test)
{
	struct device *parent = drm_safe_test_parent(test);
	struct drm_dev_ctx_unreg *unreg =
		drm_dev_ctx_alloc(parent, drm_safe_test_driver(), struct other_dev, ctx);
	struct drm_device *drm;

	if (!IS_ENABLED(CONFIG_DRM_SAFE_DEBUG))
		kunit_skip(test, "needs CONFIG_DRM_SAFE_DEBUG");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unreg);
	drm = drm_dev_ctx_unreg_drm(unreg);
	KUNIT_EXPECT_PTR_EQ(test, &drm_dev_ctx_entry(drm, struct other_dev, ctx)->ctx.drm, drm);
	kunit_warning_suppress(test) {
		edge_dev(drm);
		EXPECT_BROKEN(test, "a device has the drm_driver of its type");
	}
}

/* In no kernel is there one driver with devices of two types. */
static void other_type_of_driver(struct kunit *test)
{
	const struct drm_driver *driver = drm_safe_test_driver();
	struct device *parent = drm_safe_test_parent(test);
	struct drm_dev_ctx_unreg *unreg;

	edge_device(test, drm_safe_test_parent(test));
	kunit_warning_suppress(test) {
		unreg = drm_dev_ctx_alloc(parent, driver, struct other_dev, ctx);
		EXPECT_BROKEN(test, "a device has the drm_driver of its type");
	}
	KUNIT_EXPECT_PTR_EQ(test, unreg, ERR_PTR(-EINVAL));
	unreg = drm_dev_ctx_alloc(parent, driver, struct edge_dev, ctx);
	KUNIT_EXPECT_FALSE(test, IS_ERR(unreg));
}

/* Registration data of another type: the ioctls of another driver, with its own open function */
static void other_ioctls_of_type(struct kunit *test)
{
	struct drm_device *drm = edge_device(test, drm_safe_test_parent(test));
	bool entered = false;

	if (!IS_ENABLED(CONFIG_DRM_SAFE_DEBUG))
		kunit_skip(test, "needs CONFIG_DRM_SAFE_DEBUG");
	drm_dev_ctx_guard(edge_reg, reg, to_drm_dev_ctx(drm))
		entered = true;
	KUNIT_EXPECT_TRUE(test, entered);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, other_ioctls[0].func(drm, NULL, NULL), 0);
		EXPECT_BROKEN(test, "a device has the drm_driver of its type");
	}
}

/* A driver of several objects that are built in one by one: KBUILD_MODNAME differs. */
static void other_object(struct kunit *test)
{
	struct device *parent = drm_safe_test_parent(test);
	struct drm_dev_ctx_args args = {
		.dev = parent,
		.parent = parent,
		.driver = drm_safe_test_driver(),
		.size = sizeof(struct edge_dev),
		.offset = offsetof(struct edge_dev, ctx.drm),
		.owner = drm_safe_test_driver()->fops->owner,
		.modname = "drm_dev_ctx_edge_test_probe",
		.type = "struct edge_dev",
	};
	struct drm_dev_ctx_unreg *unreg = __drm_dev_ctx_alloc(&args);
	struct drm_device *drm;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unreg);
	drm = drm_dev_ctx_unreg_drm(unreg);
	KUNIT_EXPECT_PTR_EQ(test, &edge_dev(drm)->ctx.drm, drm);
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_register(parent, &unreg, NULL, NULL), 0);
}

/* Debugfs shows the sections of a device, and not the sections of other devices. */
static void sections(struct kunit *test)
{
	struct drm_device *drm = edge_device(test, drm_safe_test_parent(test));
	struct drm_device *other = edge_device(test, drm_safe_test_parent(test));
	char *buf = kunit_kzalloc(test, SZ_4K, GFP_KERNEL);
	struct seq_file m = { .buf = buf, .size = SZ_4K - 1 };
	struct drm_debugfs_entry *entry;
	struct dentry *dentry;

	if (!IS_ENABLED(CONFIG_DEBUG_FS) || !IS_ENABLED(CONFIG_DRM_SAFE_DEBUG))
		kunit_skip(test, "needs CONFIG_DEBUG_FS and CONFIG_DRM_SAFE_DEBUG");
	KUNIT_ASSERT_NOT_NULL(test, buf);
	dentry = debugfs_lookup("drm_dev_ctx", drm->debugfs_root);
	KUNIT_ASSERT_NOT_NULL(test, dentry);
	entry = d_inode(dentry)->i_private;
	m.private = entry;
	drm_dev_ctx_guard(edge_reg, reg, to_drm_dev_ctx(other)) {
		KUNIT_EXPECT_EQ(test, entry->file.show(&m, NULL), 0);
		KUNIT_EXPECT_NULL(test, strstr(buf, "section: "));
		drm_dev_ctx_guard(edge_reg, own, to_drm_dev_ctx(drm)) {
			m.count = 0;
			KUNIT_EXPECT_EQ(test, entry->file.show(&m, NULL), 0);
			KUNIT_EXPECT_NOT_NULL(test, strstr(buf, "section: "));
		}
	}
	dput(dentry);
}

struct edge_show {
	struct seq_file m;
	struct drm_debugfs_entry *entry;
	unsigned int without;	/* how often it had no memory for the handles */
};

static int edge_show_fn(struct kunit *test, void *ctx)
{
	struct edge_show *show = ctx;

	show->m.count = 0;
	KUNIT_EXPECT_EQ(test, show->entry->file.show(&show->m, NULL), 0);
	show->m.buf[show->m.count] = '\0';
	KUNIT_EXPECT_NOT_NULL(test, strstr(show->m.buf, "revocables: "));
	show->without += !strstr(show->m.buf, "handles: ");
	return 0;
}

/* debugfs leaves out the handles that it has no memory for, and shows the rest. */
static void show_without_memory(struct kunit *test)
{
	struct drm_device *drm = edge_device(test, drm_safe_test_parent(test));
	char *buf = kunit_kzalloc(test, SZ_4K, GFP_KERNEL);
	struct edge_show show = { .m = { .buf = buf, .size = SZ_4K - 1 } };
	struct drm_dev_ctx_handle handle = {};
	struct dentry *dentry;

	if (!IS_ENABLED(CONFIG_DEBUG_FS) || !IS_ENABLED(CONFIG_DRM_SAFE_DEBUG) ||
	    !IS_ENABLED(CONFIG_FAULT_INJECTION_DEBUG_FS))
		kunit_skip(test, "needs CONFIG_DRM_SAFE_DEBUG and CONFIG_FAULT_INJECTION_DEBUG_FS");
	KUNIT_ASSERT_NOT_NULL(test, buf);
	dentry = debugfs_lookup("drm_dev_ctx", drm->debugfs_root);
	KUNIT_ASSERT_NOT_NULL(test, dentry);
	show.entry = d_inode(dentry)->i_private;
	show.m.private = show.entry;
	drm_dev_ctx_handle_add(drm, &handle);
	KUNIT_EXPECT_GE(test, drm_safe_fail_nth(test, edge_show_fn, &show), 1);
	KUNIT_EXPECT_GE(test, show.without, 1);
	KUNIT_EXPECT_NOT_NULL(test, strstr(buf, "handles: "));
	drm_dev_ctx_handle_del(drm, &handle);
	dput(dentry);
}

/* Registration data, and how often it was ended */
struct edge_hw {
	struct drm_dev_ctx_data base;
	unsigned int quiesced, released;
};

static void edge_quiesce(const struct drm_dev_ctx_bound *bound, struct drm_dev_ctx_data *data)
{
	container_of(data, struct edge_hw, base)->quiesced++;
}

static void edge_release(struct drm_dev_ctx_data *data)
{
	container_of(data, struct edge_hw, base)->released++;
}

static const struct drm_dev_ctx_ops edge_ops = {
	.quiesce = edge_quiesce,
	.release = edge_release,
};

static struct drm_dev_ctx_unreg *edge_unreg(struct kunit *test, struct device *parent)
{
	struct drm_dev_ctx_unreg *unreg =
		drm_dev_ctx_alloc(parent, drm_safe_test_driver(), struct edge_dev, ctx);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unreg);
	return unreg;
}

static void edge_ended(struct kunit *test, const struct edge_hw *hw, unsigned int nr)
{
	KUNIT_EXPECT_EQ(test, hw->quiesced, nr);
	KUNIT_EXPECT_EQ(test, hw->released, nr);
}

/* Two devices on one parent: the data of the first one is not ended by the second one. */
static void data_of_two(struct kunit *test)
{
	struct device *parent = drm_safe_test_parent(test);
	struct drm_dev_ctx_unreg *first = edge_unreg(test, parent);
	struct drm_dev_ctx_unreg *second = edge_unreg(test, parent);
	struct drm_dev_ctx_unreg *used = second;
	struct drm_device *drm = drm_dev_ctx_unreg_drm(first);
	struct edge_hw *hw = kunit_kzalloc(test, sizeof(*hw), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, hw);
	KUNIT_ASSERT_EQ(test, drm_dev_ctx_register(parent, &first, &edge_ops, &hw->base), 0);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, drm_dev_ctx_register(parent, &second, &edge_ops, &hw->base),
				-EINVAL);
		EXPECT_BROKEN(test, "registration data has one device");
	}
	edge_ended(test, hw, 0);
	KUNIT_EXPECT_PTR_EQ(test, drm_dev_ctx_data_drm(&hw->base), drm);
	/* The token is used up; the data is not looked at again. */
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, drm_dev_ctx_register(parent, &used, &edge_ops, &hw->base),
				-EINVAL);
		EXPECT_BROKEN(test, "a token is used once");
	}
	edge_ended(test, hw, 0);
	drm_safe_test_unbind(test, parent);
	edge_ended(test, hw, 1);
}

/* The same for data that is attached, in each order */
static void data_of_two_attached(struct kunit *test)
{
	struct device *parent = drm_safe_test_parent(test);
	struct drm_dev_ctx_unreg *first = edge_unreg(test, parent);
	struct drm_dev_ctx_unreg *second = edge_unreg(test, parent);
	struct drm_dev_ctx_unreg *third = edge_unreg(test, parent);
	struct edge_hw *hw = kunit_kzalloc(test, sizeof(*hw), GFP_KERNEL);
	struct edge_hw *own = kunit_kzalloc(test, sizeof(*own), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, hw);
	KUNIT_ASSERT_NOT_NULL(test, own);
	KUNIT_ASSERT_FALSE(test, IS_ERR(drm_dev_ctx_attach(first, &edge_ops, &hw->base)));
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, PTR_ERR(drm_dev_ctx_attach(second, &edge_ops, &hw->base)),
				-EINVAL);
		EXPECT_BROKEN(test, "registration data has one device");
	}
	edge_ended(test, hw, 0);
	/* The device cannot be registered again, and its own data has ended. */
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, drm_dev_ctx_register(parent, &second, &edge_ops, &own->base),
				-EINVAL);
		EXPECT_BROKEN(test, "a device has one registration data");
	}
	edge_ended(test, hw, 0);
	edge_ended(test, own, 1);

	memset(own, 0, sizeof(*own));
	KUNIT_ASSERT_FALSE(test, IS_ERR(drm_dev_ctx_attach(third, &edge_ops, &own->base)));
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, drm_dev_ctx_register(parent, &third, &edge_ops, &hw->base),
				-EINVAL);
		EXPECT_BROKEN(test, "a device has one registration data");
	}
	edge_ended(test, hw, 0);
	edge_ended(test, own, 1);
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_register(parent, &first, NULL, NULL), 0);
	drm_safe_test_unbind(test, parent);
	edge_ended(test, hw, 1);
}

/* Without a token, release runs alone, but not for data that a device has. */
static void data_without_token(struct kunit *test)
{
	struct device *parent = drm_safe_test_parent(test);
	struct drm_dev_ctx_unreg *unreg = edge_unreg(test, parent), *none = NULL;
	struct edge_hw *hw = kunit_kzalloc(test, sizeof(*hw), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, hw);
	OPTIMIZER_HIDE_VAR(none);
	KUNIT_ASSERT_EQ(test, drm_dev_ctx_register(parent, &unreg, &edge_ops, &hw->base), 0);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, __drm_dev_ctx_register(parent, none, &edge_ops, &hw->base),
				-EINVAL);
		KUNIT_EXPECT_EQ(test, PTR_ERR(__drm_dev_ctx_attach(none, &edge_ops, &hw->base)),
				-EINVAL);
		EXPECT_BROKEN_TIMES(test, 2, "a token is used once");
	}
	edge_ended(test, hw, 0);
	drm_safe_test_unbind(test, parent);
	edge_ended(test, hw, 1);
}

/* Data can be given again, to any device, once its registration has ended, as it is. */
static void data_again(struct kunit *test)
{
	struct device *parent = drm_safe_test_parent(test);
	struct edge_hw *hw = kunit_kzalloc(test, sizeof(*hw), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, hw);
	for (int i = 1; i <= 3; i++) {
		struct drm_dev_ctx_unreg *unreg = edge_unreg(test, parent);

		KUNIT_EXPECT_EQ(test, 0,
				drm_dev_ctx_register(parent, &unreg, &edge_ops, &hw->base));
		drm_dev_ctx_remove(parent);
		edge_ended(test, hw, i);
	}
}

static struct kunit_case drm_dev_ctx_edge_cases[] = {
	KUNIT_CASE(foreign),
	KUNIT_CASE(foreign_alone),
#ifndef drm_device_ctx
	KUNIT_CASE(not_known),
#endif
	KUNIT_CASE(other_type),
	KUNIT_CASE(other_type_of_driver),
	KUNIT_CASE(other_ioctls_of_type),
	KUNIT_CASE(other_object),
	KUNIT_CASE(data_of_two),
	KUNIT_CASE(data_of_two_attached),
	KUNIT_CASE(data_without_token),
	KUNIT_CASE(data_again),
	KUNIT_CASE(sections),
	KUNIT_CASE(show_without_memory),
	{}
};

static struct kunit_suite drm_dev_ctx_edge_suite = {
	.name = "drm_dev_ctx_edge",
	.test_cases = drm_dev_ctx_edge_cases,
};

kunit_test_suite(drm_dev_ctx_edge_suite);

MODULE_DESCRIPTION("KUnit tests for the DRM safe helpers: edges of device contexts");
MODULE_LICENSE("Dual MIT/GPL");
MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
