// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Edges that the other suites do not get to: revocation that is not waited for,
 * devices of others, and what debugfs leaves out.
 */

#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include <kunit/test.h>

#include <drm/drm_debugfs.h>
#include <drm/drm_drv.h>
#include <drm/drm_ioctl.h>

#include "drm_dev_ctx.h"
#include "drm_safe_test.h"

struct edge_dev {
	struct drm_device drm;
};

DRM_DEV_CTX_NO_FILE(edge, struct edge_dev, drm, void);

#define DRM_IOCTL_EDGE_ANY	DRM_IO(DRM_COMMAND_BASE)

static int edge_ioctl_any(struct edge_dev *edge, void *args, struct drm_file *file)
{
	return 1;
}

#define EDGE_IOCTLS(X)							\
	X(EDGE_ANY, void, edge_ioctl_any, NORMAL, DRM_RENDER_ALLOW)

DRM_DEV_IOCTL_TABLE(edge, EDGE_IOCTLS);

/* Another type of device, whose drm_driver has the ioctls of the first one */
struct other_dev {
	int before;
	struct drm_device drm;
};

DRM_DEV_CTX_NO_FILE(other, struct other_dev, drm, void);

KUNIT_DEFINE_ACTION_WRAPPER(edge_put, drm_dev_put, struct drm_device *);

/* A registered device, with a reference until the end of the test */
static struct drm_device *edge_device(struct kunit *test, struct device *parent)
{
	struct edge_unreg *unreg = edge_dev_alloc(parent, drm_safe_test_driver());
	struct drm_device *drm;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unreg);
	drm = drm_dev_bound_drm(&unreg->bound);
	drm_dev_get(drm);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, edge_put, drm), 0);
	KUNIT_ASSERT_EQ(test, drm_dev_ctx_register(edge, parent, unreg, NULL, NULL), 0);
	return drm;
}

/* A device that DRM's own functions made has nothing to revoke or record. */
static void foreign(struct kunit *test)
{
	struct drm_device *drm = drm_dev_alloc(drm_safe_test_driver(),
					       drm_safe_test_parent(test));
	struct drm_dev_handle handle = {};
	struct drm_dev_revocable rev = {};

	KUNIT_ASSERT_FALSE(test, IS_ERR(drm));
	drm_dev_handle_add(drm, &handle);
	drm_dev_handle_del(drm, &handle);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_FALSE(test, drm_dev_revocable_take(drm, &rev));
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1);
	}
	/* Nor has it a registration that could be ending. */
	kunit_warning_suppress(test) {
		drm_dev_if_bound(bound, drm)
			KUNIT_FAIL(test, "a block without a registration");
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1);
	}
	drm_dev_put(drm);
}

/* The first of the edge driver's ioctls, on a device's render node */
static int edge_ioctl(struct kunit *test, struct drm_device *drm)
{
	struct file *filp = drm_safe_test_open(test, drm->render);
	int ret;

	KUNIT_ASSERT_FALSE(test, IS_ERR(filp));
	ret = drm_ioctl_kernel(filp, edge_ioctls[0].func, NULL, edge_ioctls[0].flags);
	drm_safe_test_close(test, filp);
	return ret;
}

/* Without files of the driver's own, each ioctl asks whether the device is of its type. */
static void other_ioctls(struct kunit *test)
{
	struct device *parent = drm_safe_test_parent(test);
	struct other_unreg *unreg = other_dev_alloc(parent, drm_safe_test_driver());
	struct drm_device *drm;

	KUNIT_EXPECT_EQ(test, edge_ioctl(test, edge_device(test, drm_safe_test_parent(test))), 1);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unreg);
	drm = drm_dev_bound_drm(&unreg->bound);
	KUNIT_ASSERT_EQ(test, drm_dev_ctx_register(other, parent, unreg, NULL, NULL), 0);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, edge_ioctl(test, drm), -EINVAL);
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1);
	}
}

/* What debugfs shows of a device: its own sections, not those of others */
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
	drm_dev_if_registered(edge, reg, other) {
		KUNIT_EXPECT_EQ(test, entry->file.show(&m, NULL), 0);
		KUNIT_EXPECT_NULL(test, strstr(buf, "section: "));
		drm_dev_if_registered(edge, own, drm) {
			m.count = 0;
			KUNIT_EXPECT_EQ(test, entry->file.show(&m, NULL), 0);
			KUNIT_EXPECT_NOT_NULL(test, strstr(buf, "section: "));
		}
	}
	dput(dentry);
}

static struct kunit_case drm_dev_ctx_edge_cases[] = {
	KUNIT_CASE(foreign),
	KUNIT_CASE(other_ioctls),
	KUNIT_CASE(sections),
	{}
};

static struct kunit_suite drm_dev_ctx_edge_suite = {
	.name = "drm_dev_ctx_edge",
	.test_cases = drm_dev_ctx_edge_cases,
};

kunit_test_suite(drm_dev_ctx_edge_suite);

MODULE_DESCRIPTION("KUnit suite of drm_dev_ctx: edges");
MODULE_LICENSE("Dual MIT/GPL");
