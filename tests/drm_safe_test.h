/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Declarations for all suites of the DRM safe helpers.
 *
 * A device to test on
 * -------------------
 *
 *	struct my_dev {
 *		struct drm_dev_ctx ctx;
 *	};
 *
 *	struct my_reg {
 *		struct drm_dev_ctx_reg base;
 *	};
 *
 *	struct device *parent = drm_safe_test_parent(test);
 *	struct drm_dev_ctx_unreg *unreg =
 *		drm_dev_ctx_alloc(parent, &my_driver, struct my_dev, ctx);
 *
 *	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unreg);
 *	... &unreg->bound is the proof that the parent is bound ...
 *	KUNIT_ASSERT_EQ(test, drm_dev_ctx_register(parent, &unreg, NULL, NULL), 0);
 *	drm_dev_ctx_guard(my_reg, reg, &my->ctx) ... &reg->base.bound ...
 *	drm_safe_test_unbind(test, parent);
 *
 * The parent is a faux device that can do DMA to 64 bits. It is unbound at the
 * end of the test unless the test did so; hold a reference, drm_dev_get(), to
 * look at the device afterwards. drm_safe_test_rebind() unbinds it and binds
 * the very same struct device again. drm_safe_test_unbind_work() unbinds it in a work
 * item. drm_safe_test_driver() gives a driver with
 * GEM and a render node, for tests that do not bring their own.
 *
 * Work that has to wait
 * ---------------------
 *
 *	dma_resv_lock(resv, NULL);
 *	drm_safe_test_work_waits(test, work, drm_safe_test_lock_waits(&resv->lock.base));
 *	... the work item sleeps in dma_resv_lock() ...
 *	dma_resv_unlock(resv);
 *	flush_work(work);
 *
 * The last argument is true once a task waits for the resource that the test holds. It names the
 * wait of the work item, so that no other wait, and no delay, is taken for this one.
 *
 * Broken rules
 * ------------
 *
 *	kunit_warning_suppress(test) {
 *		... break a rule ...
 *		EXPECT_BROKEN(test, "its name in the report");
 *	}
 *
 * expects one report for each name, in this order, and no other warning.
 * EXPECT_BROKEN_TIMES(test, 3, "name") expects three of one name; it may be none.
 *
 * A file on it
 * ------------
 *
 *	struct file *filp = drm_safe_test_open(test, drm->render);
 *	struct drm_file *file = filp->private_data;
 *
 * goes through drm_open(). drm_ioctl_kernel() and functions that take a drm_file work on
 * it. It is closed at the end of the test, or with drm_safe_test_close(). It is
 * not in a file table, so it has no descriptor. Threads of a test call
 * drm_safe_file_open() and drm_safe_file_close(). The driver's fops must be those
 * of DEFINE_DRM_GEM_FOPS() or alike.
 *
 * Failing allocations
 * -------------------
 *
 *	static int fn(struct kunit *test, void *ctx)	// returns 0 or an errno
 *
 *	drm_safe_fail_nth(test, fn, ctx);
 *
 * calls fn() with its first allocation failing, then with its second one, and
 * so on, until it succeeds without a failure. fn() must undo its changes before it
 * returns, and must not allocate from KUnit. Allocations between drm_safe_fail_pause()
 * and drm_safe_fail_resume() do not fail.
 */
#ifndef _DRM_SAFE_TEST_H
#define _DRM_SAFE_TEST_H

#include <kunit/test.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/swait.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_gem_shmem_helper.h>

struct device;
struct drm_minor;
struct file;
struct work_struct;

struct device *drm_safe_test_parent(struct kunit *test);
void drm_safe_test_unbind(struct kunit *test, struct device *parent);
void drm_safe_test_rebind(struct kunit *test, struct device *parent);
struct work_struct *drm_safe_test_unbind_work(struct kunit *test, struct device *parent);

/**
 * drm_safe_test_lock_waits() - does a task wait for a lock?
 * @_lock: a &struct mutex, or &ww_mutex.base
 *
 * Return: true if a task is on the list of those that wait. A task that spins is not on it:
 * the holder of the lock has to sleep between two looks.
 */
#ifdef CONFIG_PREEMPT_RT
#define drm_safe_test_lock_waits(_lock)	(!RB_EMPTY_ROOT(&(_lock)->rtmutex.waiters.rb_root))
#else
/* MUTEX_FLAG_WAITERS of kernel/locking/mutex.h */
#define drm_safe_test_lock_waits(_lock)	(!!(atomic_long_read(&(_lock)->owner) & 1))
#endif

/**
 * drm_safe_test_work_waits() - begin work that has to wait for something
 * @_test: the test, which fails if the work ends without having waited
 * @_work: the work, which the caller flushes in the end
 * @_waits: whether a task waits for it: drm_safe_test_lock_waits(), swait_active() of a
 *	completion, wq_has_sleeper(). Evaluated until it is true
 */
#define drm_safe_test_work_waits(_test, _work, _waits) do {			\
	struct work_struct *__work = (_work);					\
	bool __waits;								\
										\
	KUNIT_EXPECT_FALSE_MSG(_test, _waits, "another task waits already");	\
	schedule_work(__work);							\
	while (!(__waits = (_waits)) && work_busy(__work))			\
		schedule_timeout_idle(1);					\
	KUNIT_EXPECT_TRUE_MSG(_test, __waits, "the work did not wait");		\
} while (0)

const char *drm_safe_test_broken(unsigned int back);
void drm_safe_test_forget_broken(void);

/**
 * EXPECT_BROKEN() - expect that the library has reported rules as broken
 * @_test: the test, in a block of kunit_warning_suppress()
 * @...: the names of the rules, each as often as it was reported
 */
#define EXPECT_BROKEN(_test, ...) do {						\
	static const char * const __rules[] = { __VA_ARGS__ };			\
										\
	KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(_test, ARRAY_SIZE(__rules));	\
	for (int __i = 0; __i < ARRAY_SIZE(__rules); __i++)			\
		KUNIT_EXPECT_STREQ(_test,					\
				   drm_safe_test_broken(ARRAY_SIZE(__rules) - __i), \
				   __rules[__i]);				\
	drm_safe_test_forget_broken();						\
} while (0)

/**
 * EXPECT_BROKEN_TIMES() - expect that the library has reported one rule
 * @_test: the test, in a block of kunit_warning_suppress()
 * @_nr: how often, which may be never
 * @_rule: the name of the rule
 */
#define EXPECT_BROKEN_TIMES(_test, _nr, _rule) do {				\
	const int __nr = (_nr);							\
										\
	KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(_test, __nr);			\
	for (int __i = 1; __i <= __nr; __i++)					\
		KUNIT_EXPECT_STREQ(_test, drm_safe_test_broken(__i), _rule);	\
	drm_safe_test_forget_broken();						\
} while (0)

/* A driver for tests that need nothing special; the file operations are the suite's. */
static inline const struct drm_driver *drm_safe_test_driver(void)
{
	static const struct file_operations fops = {
		.owner = THIS_MODULE,
		DRM_GEM_FOPS,
	};
	static const struct drm_driver driver = {
		.driver_features = DRIVER_GEM | DRIVER_RENDER,
		.fops = &fops,
		.name = "drm_safe_test",
		.desc = "test device of the DRM safe helpers",
		DRM_GEM_SHMEM_DRIVER_OPS,
	};

	return &driver;
}

struct file *drm_safe_test_open(struct kunit *test, struct drm_minor *minor);
void drm_safe_test_close(struct kunit *test, struct file *filp);
struct file *drm_safe_file_open(struct drm_minor *minor);
void drm_safe_file_close(struct file *filp);

void drm_safe_test_debugfs(struct kunit *test, struct drm_device *drm, char *buf, size_t size);

typedef int drm_safe_fail_fn(struct kunit *test, void *ctx);

/**
 * drm_safe_fail_nth() - call a function with each of its allocations failing
 * @test: the test; skipped if the kernel cannot inject failures
 * @fn: the function, called in this task; expected to return 0 if no allocation
 *	failed, and may return an error if one did
 * @ctx: given to @fn
 *
 * Slab and page allocations of this task fail, whatever their size. One that
 * fails need not make @fn fail: there are allocations to fall back from.
 *
 * Return: how many calls of @fn had a failure injected.
 */
unsigned int drm_safe_fail_nth(struct kunit *test, drm_safe_fail_fn *fn, void *ctx);
unsigned int drm_safe_fail_pause(void);
void drm_safe_fail_resume(unsigned int left);

#endif /* _DRM_SAFE_TEST_H */
