// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Faults of the core's devices, address spaces and scheduler, and of the driver core.
 * Documentation/upstream.rst describes each one.
 */

#include <linux/completion.h>
#include <linux/device.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/poison.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>

#include <kunit/platform_device.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_gpuvm.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_kunit_helpers.h>
#include <drm/drm_managed.h>
#include <drm/gpu_scheduler.h>

#include "drm_upstream_test.h"

DEFINE_DRM_GEM_FOPS(upstream_fops);

static const struct drm_driver upstream_driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER,
	.fops = &upstream_fops,
	.name = "upstream",
};

static struct drm_device *upstream_dev(struct kunit *test)
{
	struct device *parent = drm_kunit_helper_alloc_device(test);
	struct drm_device *drm;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, parent);
	drm = drm_dev_alloc(&upstream_driver, parent);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, drm);
	return drm;
}

/* Unregistered by hand, then unplugged: is the device deleted from the list of sysrq again? */
static void sysrq_twice(struct kunit *test)
{
	struct drm_device *drm = upstream_dev(test);
	bool poisoned, deleted;
	LIST_HEAD(own);

	KUNIT_ASSERT_EQ(test, drm_dev_register(drm, 0), 0);
	KUNIT_ASSERT_FALSE(test, list_empty(&drm->client_sysrq_list));
	drm_dev_unregister(drm);
	/* The second list_del() would follow the poison: let it find a list. */
	poisoned = drm->client_sysrq_list.next == LIST_POISON1;
	if (poisoned)
		list_add(&drm->client_sysrq_list, &own);
	drm_dev_unplug(drm);
	deleted = poisoned && list_empty(&own);
	drm_dev_put(drm);
	upstream_tell(test, "sysrq-twice", deleted);
}

struct upstream_link {
	struct device *dev, *supplier;
	bool added, ended, linked;
};

static void upstream_link_end(void *data)
{
	struct upstream_link *link = data;

	link->linked = !list_empty(&link->dev->links.suppliers);
	link->ended = true;
}

static int upstream_link_probe(struct platform_device *pdev)
{
	struct upstream_link *link = platform_get_drvdata(pdev);

	link->dev = &pdev->dev;
	link->added = device_link_add(link->dev, link->supplier, DL_FLAG_AUTOREMOVE_CONSUMER) &&
		      !devm_add_action(link->dev, upstream_link_end, link);
	return -EIO;
}

static struct platform_driver upstream_link_driver = {
	.probe = upstream_link_probe,
	.driver.name = "drm_upstream_link",
};

/* A probe function fails: has the device lost its supplier when devres runs? */
static void probe_links(struct kunit *test)
{
	struct upstream_link *link = kunit_kzalloc(test, sizeof(*link), GFP_KERNEL);
	struct platform_device *pdev;

	KUNIT_ASSERT_NOT_NULL(test, link);
	link->supplier = drm_kunit_helper_alloc_device(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, link->supplier);
	KUNIT_ASSERT_EQ(test, kunit_platform_driver_register(test, &upstream_link_driver), 0);
	pdev = kunit_platform_device_alloc(test, upstream_link_driver.driver.name,
					   PLATFORM_DEVID_AUTO);
	KUNIT_ASSERT_NOT_NULL(test, pdev);
	platform_set_drvdata(pdev, link);
	KUNIT_ASSERT_EQ(test, kunit_platform_device_add(test, pdev), 0);
	KUNIT_ASSERT_TRUE(test, link->added && link->ended);
	upstream_tell(test, "probe-links", !link->linked);
}

struct upstream_vm {
	struct drm_gpuvm base;
	struct completion *freed;
};

static void upstream_vm_free(struct drm_gpuvm *gpuvm)
{
	kfree(container_of(gpuvm, struct upstream_vm, base));
}

static const struct drm_gpuvm_ops upstream_vm_ops = {
	.vm_free = upstream_vm_free,
};

static void upstream_dev_freed(struct drm_device *drm, void *done)
{
	complete(done);
}

/* The address space has the last reference to its device: where do the device's actions run? */
static void gpuvm_put(struct kunit *test)
{
	struct completion *done = kunit_kzalloc(test, sizeof(*done), GFP_KERNEL);
	struct upstream_vm *vm = kzalloc_obj(*vm);
	struct drm_device *drm = upstream_dev(test);
	struct drm_gem_object *r_obj;
	bool in_put;

	KUNIT_ASSERT_NOT_NULL(test, done);
	KUNIT_ASSERT_NOT_NULL(test, vm);
	init_completion(done);
	r_obj = drm_gpuvm_resv_object_alloc(drm);
	KUNIT_ASSERT_NOT_NULL(test, r_obj);
	KUNIT_ASSERT_EQ(test, drmm_add_action(drm, upstream_dev_freed, done), 0);
	drm_gpuvm_init(&vm->base, "upstream", 0, drm, r_obj, 0, SZ_1G, 0, 0, &upstream_vm_ops);
	drm_gem_object_put(r_obj);
	drm_dev_put(drm);
	KUNIT_ASSERT_FALSE(test, completion_done(done));

	/* "This function may be called from atomic context": no lock is held here, for those */
	drm_gpuvm_put(&vm->base);
	in_put = completion_done(done);
	wait_for_completion(done);
	upstream_tell(test, "gpuvm-put", in_put);
}

#define UPSTREAM_JOBS 2

struct upstream_sched {
	struct drm_gpu_scheduler base;
	struct drm_sched_entity entity;
	struct completion reached;
	struct completion freed[UPSTREAM_JOBS];
	bool again;	/* the scheduler took a job after the entity had ended */
};

struct upstream_job {
	struct drm_sched_job base;
	struct upstream_sched *sched;
	unsigned int nr;
};

/* The scheduler has the job. It goes on when the entity has been taken from its run queue. */
static struct dma_fence *upstream_prepare(struct drm_sched_job *sched_job,
					  struct drm_sched_entity *entity)
{
	struct upstream_job *job = container_of(sched_job, struct upstream_job, base);

	if (job->nr)
		WRITE_ONCE(job->sched->again, true);
	complete(&job->sched->reached);
	while (!READ_ONCE(entity->stopped))
		schedule_timeout_uninterruptible(1);
	return NULL;
}

static struct dma_fence *upstream_run(struct drm_sched_job *sched_job)
{
	return NULL;
}

static enum drm_gpu_sched_stat upstream_timedout(struct drm_sched_job *sched_job)
{
	return DRM_GPU_SCHED_STAT_NO_HANG;
}

static void upstream_free_job(struct drm_sched_job *sched_job)
{
	struct upstream_job *job = container_of(sched_job, struct upstream_job, base);
	struct completion *freed = &job->sched->freed[job->nr];

	drm_sched_job_cleanup(sched_job);
	kfree(job);
	complete(freed);
}

static const struct drm_sched_backend_ops upstream_sched_ops = {
	.prepare_job = upstream_prepare,
	.run_job = upstream_run,
	.timedout_job = upstream_timedout,
	.free_job = upstream_free_job,
};

static void upstream_push(struct kunit *test, struct upstream_sched *sched, unsigned int nr)
{
	struct upstream_job *job = kzalloc_obj(*job);

	KUNIT_ASSERT_NOT_NULL(test, job);
	job->sched = sched;
	job->nr = nr;
	init_completion(&sched->freed[nr]);
	KUNIT_ASSERT_EQ(test, drm_sched_job_init(&job->base, &sched->entity, 1, NULL, 0), 0);
	drm_sched_job_arm(&job->base);
	drm_sched_entity_push_job(&job->base);
}

/* An entity ends while the scheduler takes its first job of two: is it in the run queue then? */
static void sched_pop(struct kunit *test)
{
	struct upstream_sched *sched = kunit_kzalloc(test, sizeof(*sched), GFP_KERNEL);
	struct drm_sched_init_args args = {
		.ops = &upstream_sched_ops,
		.num_rqs = DRM_SCHED_PRIORITY_COUNT,
		.credit_limit = UPSTREAM_JOBS,
		.timeout = MAX_SCHEDULE_TIMEOUT,
		.name = "upstream",
		.dev = drm_kunit_helper_alloc_device(test),
	};
	struct drm_gpu_scheduler *list = &sched->base;
	struct drm_sched_rq *rq;
	bool queued;

	KUNIT_ASSERT_NOT_NULL(test, sched);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, args.dev);
	KUNIT_ASSERT_EQ(test, drm_sched_init(&sched->base, &args), 0);
	KUNIT_ASSERT_EQ(test, drm_sched_entity_init(&sched->entity, DRM_SCHED_PRIORITY_NORMAL,
						    &list, 1, NULL), 0);
	init_completion(&sched->reached);
	rq = sched->entity.rq;
	for (unsigned int i = 0; i < UPSTREAM_JOBS; i++)
		upstream_push(test, sched, i);
	wait_for_completion(&sched->reached);
	drm_sched_entity_fini(&sched->entity);
	for (unsigned int i = 0; i < UPSTREAM_JOBS; i++)
		wait_for_completion(&sched->freed[i]);

	spin_lock(&rq->lock);
	queued = !RB_EMPTY_NODE(&sched->entity.rb_tree_node);
	if (queued)
		rb_erase_cached(&sched->entity.rb_tree_node, &rq->rb_tree_root);
	spin_unlock(&rq->lock);
	drm_sched_fini(&sched->base);
	/* A quick scheduler has taken the other job, and the entity out of the queue. */
	upstream_tell(test, "sched-pop", queued || READ_ONCE(sched->again));
}

static struct kunit_case upstream_dev_cases[] = {
	KUNIT_CASE(sysrq_twice),
	KUNIT_CASE(probe_links),
	KUNIT_CASE(gpuvm_put),
	KUNIT_CASE(sched_pop),
	{}
};

static struct kunit_suite upstream_dev_suite = {
	.name = "drm_upstream_dev",
	.test_cases = upstream_dev_cases,
};

kunit_test_suite(upstream_dev_suite);

MODULE_DESCRIPTION("Reproducers of faults in the core: devices, address spaces, scheduler");
MODULE_LICENSE("Dual MIT/GPL");
