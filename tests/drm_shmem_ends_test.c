// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Objects whose end waits for the hardware: drm_shmem_ends.c
 */

#include <kunit/static_stub.h>
#include <linux/completion.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/workqueue.h>

#include "drm_shmem_internal.h"
#include "drm_shmem_test.h"

/* The log of the objects of a test, which outlives them */
struct ends_log {
	struct drm_shmem_ends ends;
	struct drm_shmem_ends *use;	/* the argument of the release step, or NULL */
	unsigned int released, finished;
	bool mapped;			/* the table was there for the fini step */
	struct task_struct *task;	/* of the last fini step */
	bool answers;			/* the hardware is done before the step is */
	bool forgets;			/* the step does not return the result */
	struct completion *in_step, *leave;
};

struct ends_bo {
	struct drm_shmem_obj obj;
	struct ends_log *log;
	u32 id;
};

DRM_SHMEM_OBJ_TYPE(ends_bo_type, struct ends_bo, obj, struct ends_bo_unique);

static struct kunit *ends_slow_test;

static struct drm_shmem_put_off *ends_bo_release(struct drm_shmem_obj *obj)
{
	struct ends_bo *bo = drm_shmem_from_obj(&ends_bo_type, obj);
	struct ends_log *log = bo->log;
	struct drm_shmem_put_off *later;

	if (!log)
		return NULL;
	log->released++;
	if (!log->use)
		return NULL;
	later = drm_shmem_put_off(obj, log->use);
	if (later && log->answers)
		drm_shmem_end(obj, log->use);
	if (log->in_step) {
		complete(log->in_step);
		wait_for_completion(log->leave);
	}
	/* The object is there until this returns. */
	bo->id++;
	return log->forgets ? NULL : later;
}

static void ends_bo_fini(struct drm_shmem_obj *obj)
{
	struct ends_bo *bo = drm_shmem_from_obj(&ends_bo_type, obj);

	if (!bo->log)
		return;
	bo->log->finished++;
	bo->log->mapped = drm_shmem_has_sgt(obj);
	WRITE_ONCE(bo->log->task, current);
	/* From here on, this thread calls the stubs of the test. */
	if (ends_slow_test)
		current->kunit_test = ends_slow_test;
}

const struct ends_bo_type ends_bo_type = {
	DRM_SHMEM_OBJ_FUNCS,
	.base.release = ends_bo_release,
	.base.fini = ends_bo_fini,
};

static struct ends_log *ends_begin(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct ends_log *log = kunit_kzalloc(test, sizeof(*log), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, log);
	drm_dev_ctx_or(test_reg, reg, test_ctx(t->drm), return NULL);
	KUNIT_EXPECT_EQ(test, drm_shmem_ends_init(&log->ends, &reg->base.bound), 0);
	log->use = &log->ends;
	return log;
}

/* All is over before the memory of the log goes. */
static void ends_finish(struct kunit *test)
{
	struct shmem_test *t = test->priv;

	drm_safe_test_unbind(test, t->parent);
	drm_shmem_flush_work();
}

static struct ends_bo *ends_bo(struct kunit *test, struct ends_log *log)
{
	struct shmem_test *t = test->priv;
	struct ends_bo_unique *unique = drm_shmem_create(&ends_bo_type, t->drm, 2 * PAGE_SIZE,
							 NULL);
	int ret;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unique);
	drm_shmem_from_unique(&ends_bo_type, unique)->log = log;

	struct ends_bo *bo = drm_shmem_publish(&ends_bo_type, &unique);

	drm_dev_ctx_or(test_reg, reg, test_ctx(t->drm), return bo);
	drm_shmem_sgt_or(sgt, &reg->base.bound, &bo->obj, ret, return bo);
	return bo;
}

/* A handler of interrupts answers */
static void ends_answer(struct ends_bo *bo)
{
	unsigned long flags;

	local_irq_save(flags);
	drm_shmem_end(&bo->obj, bo->log->use);
	local_irq_restore(flags);
}

static void at_once(struct kunit *test)
{
	struct ends_log *log = ends_begin(test);

	log->use = NULL;
	drm_shmem_put(&ends_bo(test, log)->obj);
	KUNIT_EXPECT_EQ(test, log->released, 1);
	KUNIT_EXPECT_EQ(test, log->finished, 1);
	KUNIT_EXPECT_PTR_EQ(test, log->task, current);
	ends_finish(test);
}

static void put_off(struct kunit *test)
{
	struct ends_log *log = ends_begin(test);
	struct ends_bo *bo[2] = { ends_bo(test, log), ends_bo(test, log) };

	for (int i = 0; i < 2; i++)
		drm_shmem_put(&bo[i]->obj);
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, log->released, 2);
	KUNIT_EXPECT_EQ(test, log->finished, 0);
	KUNIT_EXPECT_EQ(test, drm_shmem_ends_bytes(&log->ends), 2 * 2 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, bo[0]->id, 1);
	KUNIT_EXPECT_TRUE(test, drm_shmem_has_sgt(&bo[0]->obj));

	for (int i = 0; i < 2; i++) {
		ends_answer(bo[!i]);
		drm_shmem_flush_work();
		KUNIT_EXPECT_EQ(test, log->finished, i + 1);
		KUNIT_EXPECT_TRUE(test, log->mapped);
		KUNIT_EXPECT_PTR_NE(test, log->task, current);
		KUNIT_EXPECT_EQ(test, drm_shmem_ends_bytes(&log->ends), (1 - i) * 2 * PAGE_SIZE);
	}
	ends_finish(test);
}

/* The hardware is faster than the step. */
static void over_in_step(struct kunit *test)
{
	struct ends_log *log = ends_begin(test);

	log->answers = true;
	drm_shmem_put(&ends_bo(test, log)->obj);
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, log->finished, 1);
	KUNIT_EXPECT_EQ(test, drm_shmem_ends_bytes(&log->ends), 0);
	ends_finish(test);
}

/* No answer comes any more: unbinding ends the objects that are left. Later ones end at once. */
static void unbind(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct ends_log *log = ends_begin(test);
	struct ends_bo *late = ends_bo(test, log);

	for (int i = 0; i < 3; i++)
		drm_shmem_put(&ends_bo(test, log)->obj);
	KUNIT_EXPECT_EQ(test, log->finished, 0);
	drm_safe_test_unbind(test, t->parent);
	KUNIT_EXPECT_EQ(test, log->finished, 3);
	KUNIT_EXPECT_TRUE(test, log->mapped);
	KUNIT_EXPECT_EQ(test, drm_shmem_ends_bytes(&log->ends), 0);
	KUNIT_EXPECT_EQ(test, drm_shmem_ends_wait(&log->ends, 0), 0);

	drm_shmem_put(&late->obj);
	KUNIT_EXPECT_EQ(test, log->released, 4);
	KUNIT_EXPECT_EQ(test, log->finished, 4);
	KUNIT_EXPECT_FALSE(test, log->mapped);
	drm_shmem_flush_work();
}

/* The work item takes some time after it has ended the last object. */
static struct module *ends_slow_owner(const struct drm_device *drm)
{
	if (current->flags & PF_WQ_WORKER) {
		current->kunit_test = NULL;
		schedule_timeout_idle(HZ / 10);
	}
	return drm->driver->fops->owner;
}

/*
 * Unbinding waits for the work item, too: the driver may be unloaded next. A work item that memory
 * reclaim may wait for can do it.
 */
static void unbind_leaves_nothing(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct ends_log *log = ends_begin(test);
	struct work_struct *unbind = drm_safe_test_unbind_work(test, t->parent);
	struct workqueue_struct *wq = alloc_workqueue("ends_test", WQ_MEM_RECLAIM | WQ_UNBOUND, 0);

	KUNIT_ASSERT_NOT_NULL(test, wq);
	kunit_activate_static_stub(test, drm_dev_ctx_owner, ends_slow_owner);
	ends_slow_test = test;
	drm_shmem_put(&ends_bo(test, log)->obj);
	queue_work(wq, unbind);
	destroy_workqueue(wq);
	ends_slow_test = NULL;
	KUNIT_EXPECT_EQ(test, log->finished, 1);
	KUNIT_EXPECT_FALSE(test, log->ends.__queued);
	drm_shmem_flush_work();
}

struct ends_put {
	struct work_struct work;
	struct ends_bo *bo;
};

static void ends_put_fn(struct work_struct *work)
{
	drm_shmem_put(&container_of(work, struct ends_put, work)->bo->obj);
}

/* Unbinding waits for a step that runs, and the object with it. */
static void unbind_in_step(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct ends_log *log = ends_begin(test);
	struct ends_put *put = kunit_kzalloc(test, sizeof(*put), GFP_KERNEL);
	struct work_struct *unbind = drm_safe_test_unbind_work(test, t->parent);
	DECLARE_COMPLETION_ONSTACK(in_step);
	DECLARE_COMPLETION_ONSTACK(leave);

	KUNIT_ASSERT_NOT_NULL(test, put);
	INIT_WORK(&put->work, ends_put_fn);
	put->bo = ends_bo(test, log);
	log->in_step = &in_step;
	log->leave = &leave;
	schedule_work(&put->work);
	wait_for_completion(&in_step);
	drm_safe_test_work_waits(test, unbind, READ_ONCE(log->ends.__closed));
	KUNIT_EXPECT_EQ(test, READ_ONCE(log->finished), 0);
	complete(&leave);
	flush_work(unbind);
	KUNIT_EXPECT_EQ(test, log->finished, 1);
	flush_work(&put->work);
	drm_shmem_flush_work();
}

struct ends_waiter {
	struct work_struct work;
	struct ends_log *log;
	int ret;
};

static void ends_wait_fn(struct work_struct *work)
{
	struct ends_waiter *waiter = container_of(work, struct ends_waiter, work);

	waiter->ret = drm_shmem_ends_wait(&waiter->log->ends, 2 * PAGE_SIZE);
}

/* A task that creates objects waits for those that go. */
static void bounded(struct kunit *test)
{
	struct ends_log *log = ends_begin(test);
	struct ends_waiter *waiter = kunit_kzalloc(test, sizeof(*waiter), GFP_KERNEL);
	struct ends_bo *bo[3];

	KUNIT_ASSERT_NOT_NULL(test, waiter);
	waiter->log = log;
	waiter->ret = -1;
	INIT_WORK(&waiter->work, ends_wait_fn);
	for (int i = 0; i < 3; i++) {
		bo[i] = ends_bo(test, log);
		KUNIT_EXPECT_EQ(test, drm_shmem_ends_wait(&log->ends, i * 2 * PAGE_SIZE), 0);
		drm_shmem_put(&bo[i]->obj);
	}
	drm_safe_test_work_waits(test, &waiter->work,
				 wq_has_sleeper(&log->ends.__changed));
	ends_answer(bo[0]);
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, READ_ONCE(waiter->ret), -1);
	ends_answer(bo[1]);
	flush_work(&waiter->work);
	KUNIT_EXPECT_EQ(test, waiter->ret, 0);
	ends_finish(test);
	KUNIT_EXPECT_EQ(test, log->finished, 3);
}

/* The put holds the lock that the object shares. The end does not need it. */
static void put_under_lock(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct ends_log *log = ends_begin(test);
	struct ends_bo *parent = ends_bo(test, NULL);
	const struct drm_shmem_opts opts = { .resv_parent = drm_shmem_gem(&parent->obj) };
	struct ends_bo_unique *unique = drm_shmem_create(&ends_bo_type, t->drm, 2 * PAGE_SIZE,
							 &opts);
	struct ends_bo *bo;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unique);
	drm_shmem_from_unique(&ends_bo_type, unique)->log = log;
	bo = drm_shmem_publish(&ends_bo_type, &unique);
	dma_resv_lock(opts.resv_parent->resv, NULL);
	drm_shmem_put(&bo->obj);
	KUNIT_EXPECT_EQ(test, log->finished, 0);
	ends_answer(bo);
	flush_work(&log->ends.__work);
	KUNIT_EXPECT_EQ(test, log->finished, 1);
	dma_resv_unlock(opts.resv_parent->resv);
	drm_shmem_put(&parent->obj);
	ends_finish(test);
}

/* A step that puts off the end, but returns NULL */
static void forgotten(struct kunit *test)
{
	struct ends_log *log = ends_begin(test);
	struct ends_bo *bo;

	log->forgets = true;
	for (int i = 0; i < 2; i++) {
		log->answers = i;
		bo = ends_bo(test, log);
		kunit_warning_suppress(test) {
			drm_shmem_put(&bo->obj);
			EXPECT_BROKEN(test, "release returns what drm_shmem_put_off() returned");
		}
		KUNIT_EXPECT_EQ(test, READ_ONCE(log->finished), 0 + i);
		if (i)
			continue;
		ends_answer(bo);
		drm_shmem_flush_work();
		KUNIT_EXPECT_EQ(test, log->finished, 1);
	}
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, log->finished, 2);
	KUNIT_EXPECT_EQ(test, drm_shmem_ends_bytes(&log->ends), 0);
	ends_finish(test);
}

/* Ends are counted in bytes, whose number can exceed a size_t on 32 bits. */
static_assert(__same_type(drm_shmem_ends_bytes((struct drm_shmem_ends *)1), u64));

static void misused(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct device *parent = drm_safe_test_parent(test);
	struct drm_device *other = shmem_test_device(test, parent, &shmem_test_driver);
	struct ends_log *log = ends_begin(test);
	struct ends_log *foreign = kunit_kzalloc(test, sizeof(*foreign), GFP_KERNEL);
	struct ends_bo *bo = ends_bo(test, log);

	KUNIT_ASSERT_NOT_NULL(test, foreign);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_NULL(test, drm_shmem_put_off(&bo->obj, &log->ends));
		EXPECT_BROKEN(test, "an end is put off once, in the release step");
	}
	kunit_warning_suppress(test) {
		drm_shmem_end(&bo->obj, &log->ends);
		EXPECT_BROKEN(test, "an end that was put off is over once");
	}
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_NULL(test, drm_shmem_put_off(&bo->obj, &foreign->ends));
		drm_shmem_end(&bo->obj, &foreign->ends);
		EXPECT_BROKEN(test, "ends are initialised before use",
			      "ends are initialised before use");
	}
	{
		drm_dev_ctx_or(test_reg, reg, test_ctx(t->drm), return);
		kunit_warning_suppress(test) {
			KUNIT_EXPECT_EQ(test, drm_shmem_ends_init(&log->ends, &reg->base.bound),
					-EBUSY);
			EXPECT_BROKEN(test, "ends are initialised once");
		}
		/* With two, an object would be on the lists of the wrong one. */
		kunit_warning_suppress(test) {
			KUNIT_EXPECT_EQ(test, drm_shmem_ends_init(&foreign->ends, &reg->base.bound),
					-EBUSY);
			EXPECT_BROKEN(test, "a device has one drm_shmem_ends struct");
		}
	}
	{
		drm_dev_ctx_or(test_reg, reg, test_ctx(other), return);
		KUNIT_EXPECT_EQ(test, drm_shmem_ends_init(&foreign->ends, &reg->base.bound), 0);
	}
	/* In the step, with the ends of another device: it ends at once. */
	log->use = &foreign->ends;
	kunit_warning_suppress(test) {
		drm_shmem_put(&bo->obj);
		EXPECT_BROKEN(test, "both are of one device");
	}
	KUNIT_EXPECT_EQ(test, log->finished, 1);

	/* Over twice, as long as there is something to look at */
	log->use = &log->ends;
	bo = ends_bo(test, log);
	{
		DECLARE_COMPLETION_ONSTACK(in_step);
		DECLARE_COMPLETION_ONSTACK(leave);
		struct ends_put put = { .bo = bo };

		INIT_WORK_ONSTACK(&put.work, ends_put_fn);
		log->in_step = &in_step;
		log->leave = &leave;
		schedule_work(&put.work);
		wait_for_completion(&in_step);
		ends_answer(bo);
		kunit_warning_suppress(test) {
			ends_answer(bo);
			EXPECT_BROKEN(test, "an end that was put off is over once");
		}
		complete(&leave);
		flush_work(&put.work);
		destroy_work_on_stack(&put.work);
	}
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, log->finished, 2);
	drm_safe_test_unbind(test, parent);
	ends_finish(test);
}

static struct kunit_case drm_shmem_ends_cases[] = {
	KUNIT_CASE(at_once),
	KUNIT_CASE(put_off),
	KUNIT_CASE(over_in_step),
	KUNIT_CASE(unbind),
	KUNIT_CASE(unbind_leaves_nothing),
	KUNIT_CASE(unbind_in_step),
	KUNIT_CASE(bounded),
	KUNIT_CASE(put_under_lock),
	KUNIT_CASE(misused),
	KUNIT_CASE(forgotten),
	{}
};

static struct kunit_suite drm_shmem_ends_suite = {
	.name = "drm_shmem_ends",
	.init = shmem_test_init,
	.test_cases = drm_shmem_ends_cases,
};

kunit_test_suite(drm_shmem_ends_suite);

MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
