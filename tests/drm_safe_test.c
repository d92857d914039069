// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/device/faux.h>
#include <linux/dma-mapping.h>
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/smp.h>
#include <linux/workqueue.h>

#include <drm/drm_debugfs.h>
#include <drm/drm_file.h>

#include "drm_dev_ctx_internal.h"
#include "drm_safe.h"
#include "drm_safe_test.h"

/* More failures than any function under test has allocations */
#define DRM_SAFE_FAIL_MAX	5000

static int drm_safe_test_probe(struct faux_device *fdev)
{
	return 0;
}

static const struct faux_device_ops drm_safe_test_faux_ops = {
	.probe = drm_safe_test_probe,
};

KUNIT_DEFINE_ACTION_WRAPPER(drm_safe_test_destroy, faux_device_destroy,
			    struct faux_device *);

/* A bound device that can do DMA; gone at the end of the test. */
struct device *drm_safe_test_parent(struct kunit *test)
{
	static atomic_t number = ATOMIC_INIT(0);
	struct faux_device *fdev;
	char name[32];

	snprintf(name, sizeof(name), "drm_safe_test.%d", atomic_inc_return(&number));
	fdev = faux_device_create(name, NULL, &drm_safe_test_faux_ops);
	KUNIT_ASSERT_NOT_NULL(test, fdev);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, drm_safe_test_destroy, fdev), 0);
	KUNIT_ASSERT_EQ(test, dma_coerce_mask_and_coherent(&fdev->dev, DMA_BIT_MASK(64)), 0);

	return &fdev->dev;
}
EXPORT_SYMBOL_GPL(drm_safe_test_parent);

/* Unbinds and frees a parent. */
void drm_safe_test_unbind(struct kunit *test, struct device *parent)
{
	kunit_release_action(test, drm_safe_test_destroy, to_faux_device(parent));
}
EXPORT_SYMBOL_GPL(drm_safe_test_unbind);

struct drm_safe_test_unbinder {
	struct work_struct work;
	struct kunit *test;
	struct device *parent;
};

static void drm_safe_test_unbind_fn(struct work_struct *work)
{
	struct drm_safe_test_unbinder *unbinder =
		container_of(work, struct drm_safe_test_unbinder, work);

	drm_safe_test_unbind(unbinder->test, unbinder->parent);
}

/* Work, not scheduled yet, that unbinds and frees a parent. */
struct work_struct *drm_safe_test_unbind_work(struct kunit *test, struct device *parent)
{
	struct drm_safe_test_unbinder *unbinder =
		kunit_kzalloc(test, sizeof(*unbinder), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, unbinder);
	INIT_WORK(&unbinder->work, drm_safe_test_unbind_fn);
	unbinder->test = test;
	unbinder->parent = parent;
	return &unbinder->work;
}
EXPORT_SYMBOL_GPL(drm_safe_test_unbind_work);

/* Unbinds a parent, and binds the same struct device again. */
void drm_safe_test_rebind(struct kunit *test, struct device *parent)
{
	device_release_driver(parent);
	KUNIT_ASSERT_NULL(test, parent->driver);
	KUNIT_ASSERT_EQ(test, device_attach(parent), 1);
}
EXPORT_SYMBOL_GPL(drm_safe_test_rebind);

struct drm_safe_test_file {
	struct inode inode;
	struct file filp;
};

/* Opens a minor, for threads other than the test's. */
struct file *drm_safe_file_open(struct drm_minor *minor)
{
	struct drm_safe_test_file *file = kzalloc_obj(*file);
	int ret;

	if (!file)
		return ERR_PTR(-ENOMEM);
	file->inode.i_rdev = MKDEV(DRM_MAJOR, minor->index);
	file->filp.f_op = minor->dev->driver->fops;
	ret = drm_open(&file->inode, &file->filp);
	if (ret) {
		kfree(file);
		return ERR_PTR(ret);
	}
	return &file->filp;
}
EXPORT_SYMBOL_GPL(drm_safe_file_open);

void drm_safe_file_close(struct file *filp)
{
	struct drm_safe_test_file *file = container_of(filp, struct drm_safe_test_file, filp);

	drm_release(&file->inode, &file->filp);
	kfree(file);
}
EXPORT_SYMBOL_GPL(drm_safe_file_close);

KUNIT_DEFINE_ACTION_WRAPPER(drm_safe_test_release, drm_safe_file_close, struct file *);

/* Opens a minor until the end of the test, or returns an ERR_PTR(). */
struct file *drm_safe_test_open(struct kunit *test, struct drm_minor *minor)
{
	struct file *filp = drm_safe_file_open(minor);

	if (!IS_ERR(filp))
		KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, drm_safe_test_release,
								filp), 0);
	return filp;
}
EXPORT_SYMBOL_GPL(drm_safe_test_open);

void drm_safe_test_close(struct kunit *test, struct file *filp)
{
	kunit_release_action(test, drm_safe_test_release, filp);
}
EXPORT_SYMBOL_GPL(drm_safe_test_close);

/* Returns the contents of the device's debugfs file, or skips the test. */
void drm_safe_test_debugfs(struct kunit *test, struct drm_device *drm, char *buf, size_t size)
{
	struct seq_file m = { .buf = buf, .size = size };
	struct drm_debugfs_entry *entry;
	struct dentry *dentry;

	if (!IS_ENABLED(CONFIG_DEBUG_FS))
		kunit_skip(test, "needs CONFIG_DEBUG_FS");

	dentry = debugfs_lookup("drm_dev_ctx", drm->debugfs_root);
	KUNIT_ASSERT_NOT_NULL(test, dentry);
	entry = d_inode(dentry)->i_private;
	m.private = entry;
	KUNIT_EXPECT_EQ(test, entry->file.show(&m, NULL), 0);
	KUNIT_EXPECT_LT(test, m.count, size);
	buf[m.count] = '\0';
	dput(dentry);
}
EXPORT_SYMBOL_GPL(drm_safe_test_debugfs);

#if IS_ENABLED(CONFIG_FAULT_INJECTION_DEBUG_FS)

struct drm_safe_fail_knob {
	const char *dir;
	const char *file;
	unsigned int size;
	unsigned long value;
};

/*
 * Only debugfs can change these settings: sleeping and small allocations fail as well, and
 * without a stack in the log.
 */
static const struct drm_safe_fail_knob drm_safe_fail_knobs[] = {
	{ "failslab", "ignore-gfp-wait", sizeof(bool), false },
	{ "failslab", "verbose", sizeof(unsigned long), 0 },
	{ "fail_page_alloc", "ignore-gfp-wait", sizeof(bool), false },
	{ "fail_page_alloc", "ignore-gfp-highmem", sizeof(bool), false },
	{ "fail_page_alloc", "min-order", sizeof(u32), 0 },
	{ "fail_page_alloc", "verbose", sizeof(unsigned long), 0 },
};

/* The variable behind a file that debugfs_create_bool() or the like made. */
static void *drm_safe_fail_knob_var(const struct drm_safe_fail_knob *knob)
{
	struct dentry *dir, *file;
	void *var = NULL;

	dir = debugfs_lookup(knob->dir, NULL);
	if (!dir)
		return NULL;
	file = debugfs_lookup(knob->file, dir);
	if (file) {
		var = d_inode(file)->i_private;
		dput(file);
	}
	dput(dir);
	return var;
}

/* Swaps the knobs' values with those in @values. */
static bool drm_safe_fail_swap(unsigned long *values)
{
	for (int i = 0; i < ARRAY_SIZE(drm_safe_fail_knobs); i++) {
		const struct drm_safe_fail_knob *knob = &drm_safe_fail_knobs[i];
		void *var = drm_safe_fail_knob_var(knob);
		unsigned long old = 0;

		if (!var)
			return false;
		memcpy(&old, var, knob->size);
		memcpy(var, &values[i], knob->size);
		values[i] = old;
	}
	return true;
}

/*
 * DMA-API debugging turns itself off, with a message, if its radix tree gets no memory. If an
 * allocation fails, it uses the preloaded nodes of this CPU.
 */
static void drm_safe_fail_keep_nodes(void)
{
	idr_preload(GFP_KERNEL);
	idr_preload_end();
}

static void drm_safe_fail_restore(void *values)
{
	drm_safe_fail_swap(values);
}

/* A failed assertion in fn() ends this thread, so an action cleans up. */
unsigned int drm_safe_fail_nth(struct kunit *test, drm_safe_fail_fn *fn, void *ctx)
{
	const unsigned int knobs = ARRAY_SIZE(drm_safe_fail_knobs);
	unsigned long *values = kunit_kcalloc(test, knobs, sizeof(*values), GFP_KERNEL);
	unsigned int nth, left = 0;
	int ret = 0;

	KUNIT_ASSERT_NOT_NULL(test, values);
	for (int i = 0; i < knobs; i++)
		values[i] = drm_safe_fail_knobs[i].value;
	if (!drm_safe_fail_swap(values)) {
		/* Not kunit_skip(): the caller has something to give back. */
		kunit_mark_skipped(test, "no failslab or fail_page_alloc");
		KUNIT_EXPECT_EQ_MSG(test, fn(test, ctx), 0, "fails without a failing allocation");
		return INT_MAX;
	}
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, drm_safe_fail_restore, values), 0);

	/* Nodes are kept for a CPU: stay on it. A thread must not end with migration disabled. */
	set_cpus_allowed_ptr(current, cpumask_of(raw_smp_processor_id()));
	for (nth = 1; !left && nth <= DRM_SAFE_FAIL_MAX; nth++) {
		drm_safe_fail_keep_nodes();
		WRITE_ONCE(current->fail_nth, nth);
		ret = fn(test, ctx);
		left = READ_ONCE(current->fail_nth);
		WRITE_ONCE(current->fail_nth, 0);
	}
	set_cpus_allowed_ptr(current, cpu_possible_mask);
	kunit_release_action(test, drm_safe_fail_restore, values);

	KUNIT_EXPECT_GT_MSG(test, left, 0, "more than %u allocations", DRM_SAFE_FAIL_MAX);
	KUNIT_EXPECT_EQ_MSG(test, ret, 0, "fails without a failing allocation");
	/* The last call had none. */
	kunit_info(test, "%u failures injected\n", nth - 2);
	return nth - 2;
}
EXPORT_SYMBOL_GPL(drm_safe_fail_nth);

/* No allocation of this task fails until drm_safe_fail_resume(). */
unsigned int drm_safe_fail_pause(void)
{
	unsigned int left = READ_ONCE(current->fail_nth);

	WRITE_ONCE(current->fail_nth, 0);
	return left;
}
EXPORT_SYMBOL_GPL(drm_safe_fail_pause);

/* @left: what drm_safe_fail_pause() returned */
void drm_safe_fail_resume(unsigned int left)
{
	WRITE_ONCE(current->fail_nth, left);
}
EXPORT_SYMBOL_GPL(drm_safe_fail_resume);
#else
unsigned int drm_safe_fail_nth(struct kunit *test, drm_safe_fail_fn *fn, void *ctx)
{
	/* Not kunit_skip(): the caller has something to give back. */
	kunit_mark_skipped(test, "no CONFIG_FAULT_INJECTION_DEBUG_FS");
	KUNIT_EXPECT_EQ_MSG(test, fn(test, ctx), 0, "fails without a failing allocation");
	return INT_MAX;
}
EXPORT_SYMBOL_GPL(drm_safe_fail_nth);

unsigned int drm_safe_fail_pause(void)
{
	return 0;
}
EXPORT_SYMBOL_GPL(drm_safe_fail_pause);

void drm_safe_fail_resume(unsigned int left) {}
EXPORT_SYMBOL_GPL(drm_safe_fail_resume);
#endif

/* The rule of the last report for @back 1, of the one before it for 2, and so on; or NULL. */
const char *drm_safe_test_broken(unsigned int back)
{
	return drm_safe_noted_broken(back);
}
EXPORT_SYMBOL_GPL(drm_safe_test_broken);

void drm_safe_test_forget_broken(void)
{
	drm_safe_forget_broken();
}
EXPORT_SYMBOL_GPL(drm_safe_test_forget_broken);

MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
MODULE_DESCRIPTION("KUnit tests for the DRM safe helpers: shared code");
MODULE_LICENSE("Dual MIT/GPL");
