// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The dma-bufs of objects that are not of shmem: drm_gem_exports.c
 */

#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/kthread.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/workqueue.h>
#include <trace/events/printk.h>

#include <drm/drm_gem.h>
#include <drm/drm_prime.h>

#include "drm_gem_sgt.h"
#include "drm_shmem_internal.h"
#include "drm_shmem_test.h"

/* Memory of a device, and its log */
struct exp_log {
	int mapped;		/* tables of importers */
	int maps;
	int map_ret;
	bool map_null;
	bool freed;
	bool unlocked;		/* a step was called without the lock */
	bool early;		/* the own table was unmapped while importers had theirs */
};

struct exp_vram {
	struct drm_gem_object gem;
	struct drm_gem_sgt sgt;
	struct exp_log *log;
	void *mem;
};

static struct exp_vram *to_exp_vram(struct drm_gem_object *gem)
{
	return container_of(gem, struct exp_vram, gem);
}

static struct sg_table *exp_map(struct drm_gem_object *gem)
{
	return shmem_test_table(drm_dev_dma_dev(gem->dev), to_exp_vram(gem)->mem, gem->size,
				DMA_BIDIRECTIONAL);
}

static void exp_unmap(struct drm_gem_object *gem, struct sg_table *sgt)
{
	struct exp_log *log = to_exp_vram(gem)->log;

	log->early |= log->mapped;
	shmem_test_table_free(drm_dev_dma_dev(gem->dev), sgt, DMA_BIDIRECTIONAL);
}

static struct sg_table *exp_map_for(struct drm_gem_object *gem, struct dma_buf_attachment *attach,
				    enum dma_data_direction dir)
{
	struct exp_log *log = to_exp_vram(gem)->log;
	struct sg_table *sgt;

	log->unlocked |= !drm_resv_is_held(gem->resv);
	if (log->map_ret)
		return ERR_PTR(log->map_ret);
	if (log->map_null)
		return NULL;
	sgt = shmem_test_table(attach->dev, to_exp_vram(gem)->mem, gem->size, dir);
	if (!IS_ERR(sgt)) {
		log->mapped++;
		log->maps++;
	}
	return sgt;
}

static void exp_unmap_for(struct drm_gem_object *gem, struct dma_buf_attachment *attach,
			  struct sg_table *sgt, enum dma_data_direction dir)
{
	struct exp_log *log = to_exp_vram(gem)->log;

	log->unlocked |= !drm_resv_is_held(gem->resv);
	shmem_test_table_free(attach->dev, sgt, dir);
	log->mapped--;
}

static const struct drm_gem_sgt_ops exp_sgt_ops = {
	.map = exp_map,
	.unmap = exp_unmap,
	.map_for = exp_map_for,
	.unmap_for = exp_unmap_for,
};

static void exp_free(struct drm_gem_object *gem)
{
	struct exp_vram *vram = to_exp_vram(gem);
	struct drm_device *drm = gem->dev;

	drm_gem_sgt_fini(&vram->sgt);
	drm_gem_object_release(gem);
	vram->log->freed = true;
	kfree(vram->mem);
	kfree(vram);
	drm_dev_put(drm);
}

static struct dma_buf *exp_export(struct drm_gem_object *gem, int flags)
{
	return drm_gem_sgt_export(&to_exp_vram(gem)->sgt, flags);
}

static const struct drm_gem_object_funcs exp_funcs = {
	.free = exp_free,
	.export = exp_export,
};

static struct exp_vram *exp_vram_new(struct kunit *test, struct drm_device *drm,
				     struct exp_log *log, const struct drm_gem_sgt_ops *ops)
{
	struct exp_vram *vram = kzalloc_obj(*vram);

	KUNIT_ASSERT_NOT_NULL(test, vram);
	vram->mem = kzalloc(2 * PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, vram->mem);
	vram->log = log;
	vram->gem.funcs = &exp_funcs;
	drm_dev_get(drm);
	drm_gem_private_object_init(drm, &vram->gem, 2 * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, drm_gem_sgt_init(&vram->sgt, &vram->gem, ops), 0);
	return vram;
}

/* An importer, and how it gives back its table when it is notified */
struct exp_importer {
	struct dma_buf *dma_buf;
	struct device *dev;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	struct delayed_work work;
	unsigned int late;		/* after how many jiffies; 0 for at once */
	unsigned int told;
	int ret;			/* of the last attempt to map */
};

static void exp_drop_locked(struct exp_importer *importer)
{
	if (!importer->sgt)
		return;
	dma_buf_unmap_attachment(importer->attach, importer->sgt, DMA_BIDIRECTIONAL);
	importer->sgt = NULL;
}

static void exp_drop(struct exp_importer *importer)
{
	dma_resv_lock(importer->dma_buf->resv, NULL);
	exp_drop_locked(importer);
	dma_resv_unlock(importer->dma_buf->resv);
}

static void exp_drop_fn(struct work_struct *work)
{
	exp_drop(container_of(to_delayed_work(work), struct exp_importer, work));
}

static void exp_told(struct dma_buf_attachment *attach)
{
	struct exp_importer *importer = attach->importer_priv;

	importer->told++;
	if (importer->late)
		schedule_delayed_work(&importer->work, importer->late);
	else
		exp_drop_locked(importer);
}

static const struct dma_buf_attach_ops exp_importer_ops = {
	.allow_peer2peer = true,
	.invalidate_mappings = exp_told,
};

static int exp_attach(struct exp_importer *importer)
{
	struct dma_buf_attachment *attach;

	attach = dma_buf_dynamic_attach(importer->dma_buf, importer->dev, &exp_importer_ops,
					importer);
	if (IS_ERR(attach))
		return PTR_ERR(attach);
	importer->attach = attach;
	return 0;
}

static int exp_get(struct exp_importer *importer)
{
	struct sg_table *sgt;

	dma_resv_lock(importer->dma_buf->resv, NULL);
	sgt = dma_buf_map_attachment(importer->attach, DMA_BIDIRECTIONAL);
	importer->ret = PTR_ERR_OR_ZERO(sgt);
	if (!importer->ret)
		importer->sgt = sgt;
	dma_resv_unlock(importer->dma_buf->resv);
	return importer->ret;
}

static void exp_detach(struct exp_importer *importer)
{
	if (!importer->attach)
		return;
	flush_delayed_work(&importer->work);
	exp_drop(importer);
	dma_buf_detach(importer->dma_buf, importer->attach);
	importer->attach = NULL;
}

/* An object with a dma-buf, and an importer with a table of it */
struct exp {
	struct exp_log log;
	struct exp_vram *vram;
	struct dma_buf *dma_buf;
	struct exp_importer importer;
	struct work_struct put;
};

static struct exp *exp_begin(struct kunit *test)
{
	struct exp *e = kunit_kzalloc(test, sizeof(*e), GFP_KERNEL);
	struct shmem_test *t = test->priv;

	KUNIT_ASSERT_NOT_NULL(test, e);
	e->vram = exp_vram_new(test, t->drm, &e->log, &exp_sgt_ops);
	e->dma_buf = drm_gem_sgt_export(&e->vram->sgt, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, e->dma_buf);
	e->importer.dma_buf = e->dma_buf;
	e->importer.dev = drm_safe_test_parent(test);
	INIT_DELAYED_WORK(&e->importer.work, exp_drop_fn);
	KUNIT_ASSERT_EQ(test, exp_attach(&e->importer), 0);
	KUNIT_ASSERT_EQ(test, exp_get(&e->importer), 0);
	return e;
}

static void exp_end(struct kunit *test, struct exp *e)
{
	exp_detach(&e->importer);
	drm_gem_object_put(&e->vram->gem);
	KUNIT_EXPECT_FALSE(test, e->log.freed);
	shmem_test_export_put(e->dma_buf);
	KUNIT_EXPECT_TRUE(test, e->log.freed);
	KUNIT_EXPECT_EQ(test, e->log.mapped, 0);
	KUNIT_EXPECT_FALSE(test, e->log.unlocked);
}

/* Mapped for each importer, as often as they like, and unmapped by them */
static void exp_maps(struct kunit *test)
{
	struct exp *e = exp_begin(test);

	for (int i = 2; i < 5; i++) {
		exp_drop(&e->importer);
		KUNIT_EXPECT_EQ(test, e->log.mapped, 0);
		KUNIT_EXPECT_EQ(test, exp_get(&e->importer), 0);
		KUNIT_EXPECT_EQ(test, e->log.maps, i);
	}
	exp_drop(&e->importer);
	e->log.map_ret = -EIO;
	KUNIT_EXPECT_EQ(test, exp_get(&e->importer), -EIO);
	e->log.map_ret = 0;
	e->log.map_null = true;
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, exp_get(&e->importer), -EINVAL);
		EXPECT_BROKEN(test, "a map step returns a table");
	}
	KUNIT_EXPECT_EQ(test, e->vram->sgt.__importers, 0);
	KUNIT_EXPECT_EQ(test, e->importer.told, 0);
	exp_end(test, e);
}

/* An unbind tells the importer, and nothing is mapped after it, for anybody. */
static void exp_revoked(struct kunit *test)
{
	struct exp *e = exp_begin(test);
	struct exp_importer second = { .dma_buf = e->dma_buf, .dev = e->importer.dev };
	struct dma_buf *again;

	shmem_test_unbind(test);
	KUNIT_EXPECT_EQ(test, e->importer.told, 1);
	KUNIT_EXPECT_EQ(test, e->log.mapped, 0);
	KUNIT_EXPECT_EQ(test, exp_get(&e->importer), -ENODEV);
	KUNIT_EXPECT_EQ(test, exp_attach(&second), -ENODEV);
	again = drm_gem_sgt_export(&e->vram->sgt, O_RDWR);
	KUNIT_EXPECT_PTR_EQ(test, again, ERR_PTR(-ENODEV));
	KUNIT_EXPECT_EQ(test, e->log.maps, 1);
	exp_end(test, e);
}

/* Mappings for the parent stay until importers have given back their tables. */
static void exp_before_others(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct exp *e = exp_begin(test);
	struct dma_buf *first = e->dma_buf;
	int ret = 0;

	exp_drop(&e->importer);
	exp_detach(&e->importer);
	{
		drm_dev_ctx_or(test_reg, reg, test_ctx(t->drm), return);
		drm_gem_sgt_guard(sgt, &reg->base.bound, &e->vram->sgt, ret) {}
		KUNIT_ASSERT_EQ(test, ret, 0);
	}
	/* This dma-buf is younger than the own table, which an unbind comes to later. */
	e->dma_buf = drm_gem_sgt_export(&e->vram->sgt, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, e->dma_buf);
	shmem_test_export_put(first);
	e->importer.dma_buf = e->dma_buf;
	KUNIT_ASSERT_EQ(test, exp_attach(&e->importer), 0);
	KUNIT_ASSERT_EQ(test, exp_get(&e->importer), 0);
	e->importer.late = HZ / 20;
	shmem_test_unbind(test);
	KUNIT_EXPECT_EQ(test, e->log.mapped, 0);
	KUNIT_EXPECT_FALSE(test, e->log.early);
	exp_end(test, e);
}

/* Each dma-buf of an object is revoked. */
static void exp_revoked_each(struct kunit *test)
{
	struct exp_importer *other = kunit_kzalloc(test, sizeof(*other), GFP_KERNEL);
	struct exp *e = exp_begin(test);

	KUNIT_ASSERT_NOT_NULL(test, other);
	other->dev = e->importer.dev;
	INIT_DELAYED_WORK(&other->work, exp_drop_fn);
	other->dma_buf = drm_gem_sgt_export(&e->vram->sgt, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other->dma_buf);
	KUNIT_ASSERT_EQ(test, exp_attach(other), 0);
	KUNIT_ASSERT_EQ(test, exp_get(other), 0);
	e->importer.late = HZ / 20;
	other->late = HZ / 10;
	shmem_test_unbind(test);
	KUNIT_EXPECT_EQ(test, e->log.mapped, 0);
	KUNIT_EXPECT_EQ(test, e->importer.told, 1);
	KUNIT_EXPECT_EQ(test, other->told, 1);
	exp_detach(other);
	shmem_test_export_put(other->dma_buf);
	exp_end(test, e);
}

/* The dma-buf is gone before the unbind, which does not miss it. */
static void exp_released_first(struct kunit *test)
{
	struct exp *e = exp_begin(test);

	exp_end(test, e);
	shmem_test_unbind(test);
	KUNIT_EXPECT_EQ(test, e->importer.told, 0);
}

/* Puts the object that an import has returned. */
static void exp_expect_own(struct kunit *test, struct drm_gem_object *gem, struct exp_vram *vram)
{
	KUNIT_EXPECT_PTR_EQ(test, gem, &vram->gem);
	if (!IS_ERR_OR_NULL(gem))
		drm_gem_object_put(gem);
}

/* An importer that cannot be notified does not get the memory. */
static void exp_static_refused(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct exp *e = exp_begin(test);
	struct device *dev = drm_safe_test_parent(test);
	struct iosys_map map;

	KUNIT_EXPECT_PTR_EQ(test, dma_buf_attach(e->dma_buf, dev), ERR_PTR(-EOPNOTSUPP));
	KUNIT_EXPECT_NE(test, dma_buf_vmap_unlocked(e->dma_buf, &map), 0);
	KUNIT_EXPECT_EQ(test, e->log.maps, 1);

	/* Its own device does not import it, but finds the object. */
	exp_expect_own(test, drm_gem_sgt_prime_import(t->drm, e->dma_buf), e->vram);
	exp_expect_own(test, drm_shmem_prime_import(t->drm, e->dma_buf), e->vram);
	exp_end(test, e);
}

/* An importer that takes its time is waited for. */
static void exp_importer_late(struct kunit *test)
{
	struct exp *e = exp_begin(test);
	unsigned long begin = jiffies;

	e->importer.late = HZ / 5;
	shmem_test_unbind(test);
	KUNIT_EXPECT_EQ(test, e->log.mapped, 0);
	KUNIT_EXPECT_NULL(test, e->importer.sgt);
	KUNIT_EXPECT_GE(test, jiffies - begin, HZ / 5);
	exp_end(test, e);
}

static const char *exp_fence_name(struct dma_fence *fence)
{
	return "gem_exports";
}

static const struct dma_fence_ops exp_fence_ops = {
	.get_driver_name = exp_fence_name,
	.get_timeline_name = exp_fence_name,
};

static DEFINE_SPINLOCK(exp_fence_lock);

static struct dma_fence *exp_fence_on(struct kunit *test, struct dma_buf *dma_buf)
{
	struct dma_fence *fence = kzalloc_obj(*fence);

	KUNIT_ASSERT_NOT_NULL(test, fence);
	dma_fence_init(fence, &exp_fence_ops, &exp_fence_lock, dma_fence_context_alloc(1), 1);
	dma_resv_lock(dma_buf->resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(dma_buf->resv, 1), 0);
	dma_resv_add_fence(dma_buf->resv, fence, DMA_RESV_USAGE_BOOKKEEP);
	dma_resv_unlock(dma_buf->resv);
	return fence;
}

struct exp_job {
	struct delayed_work work;
	struct dma_fence *fence;
};

static void exp_job_fn(struct work_struct *work)
{
	struct exp_job *job = container_of(to_delayed_work(work), struct exp_job, work);

	dma_fence_signal(job->fence);
}

/* The unbind also waits for the jobs of an importer that has unmapped already. */
static void exp_job_late(struct kunit *test)
{
	struct exp_job *job = kunit_kzalloc(test, sizeof(*job), GFP_KERNEL);
	struct exp *e = exp_begin(test);

	KUNIT_ASSERT_NOT_NULL(test, job);
	job->fence = exp_fence_on(test, e->dma_buf);
	INIT_DELAYED_WORK(&job->work, exp_job_fn);
	schedule_delayed_work(&job->work, HZ / 5);
	shmem_test_unbind(test);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(job->fence));
	flush_delayed_work(&job->work);
	dma_fence_put(job->fence);
	exp_end(test, e);
}

/* An importer that detaches with its tables is reported, and forgotten. */
static void exp_detach_mapped(struct kunit *test)
{
	struct exp *e = exp_begin(test);
	struct sg_table *first = e->importer.sgt, *second;

	KUNIT_ASSERT_EQ(test, exp_get(&e->importer), 0);
	second = e->importer.sgt;
	e->importer.sgt = NULL;
	kunit_warning_suppress(test) {
		dma_buf_detach(e->dma_buf, e->importer.attach);
		EXPECT_BROKEN(test, "an importer unmaps before it detaches");
	}
	KUNIT_EXPECT_EQ(test, e->vram->sgt.__importers, 0);
	/* The list of importers is as it should be. */
	KUNIT_ASSERT_EQ(test, exp_attach(&e->importer), 0);
	KUNIT_ASSERT_EQ(test, exp_get(&e->importer), 0);
	exp_drop(&e->importer);
	/* No importer is left. */
	shmem_test_unbind(test);
	KUNIT_EXPECT_EQ(test, e->log.mapped, 2);
	shmem_test_table_free(e->importer.dev, first, DMA_BIDIRECTIONAL);
	shmem_test_table_free(e->importer.dev, second, DMA_BIDIRECTIONAL);
	e->log.mapped = 0;
	exp_end(test, e);
}

/* The memory does not move while an importer has its address. */
static void exp_stays(struct kunit *test)
{
	struct exp *e = exp_begin(test);

	dma_resv_lock(e->vram->gem.resv, NULL);
	KUNIT_EXPECT_EQ(test, drm_gem_sgt_unmap_locked(&e->vram->sgt), -EBUSY);
	exp_drop_locked(&e->importer);
	KUNIT_EXPECT_EQ(test, drm_gem_sgt_unmap_locked(&e->vram->sgt), 0);
	dma_resv_unlock(e->vram->gem.resv);
	exp_end(test, e);
}

static int exp_export_fn(struct kunit *test, void *ctx)
{
	struct exp_vram *vram = ctx;
	struct dma_buf *dma_buf = drm_gem_sgt_export(&vram->sgt, O_RDWR);

	if (IS_ERR(dma_buf)) {
		KUNIT_EXPECT_EQ(test, kref_read(&vram->gem.refcount), 1);
		return PTR_ERR(dma_buf);
	}
	shmem_test_export_put(dma_buf);
	KUNIT_EXPECT_EQ(test, kref_read(&vram->gem.refcount), 1);
	return 0;
}

static int exp_map_fn(struct kunit *test, void *ctx)
{
	struct exp *e = ctx;
	int ret = exp_get(&e->importer);

	KUNIT_EXPECT_EQ(test, e->vram->sgt.__importers, !ret);
	exp_drop(&e->importer);
	return ret;
}

static int exp_attach_fn(struct kunit *test, void *ctx)
{
	struct exp *e = ctx;
	struct exp_importer second = { .dma_buf = e->dma_buf, .dev = e->importer.dev };
	int ret = exp_attach(&second);

	if (!ret)
		dma_buf_detach(e->dma_buf, second.attach);
	return ret;
}

/* Without memory, there is no dma-buf or no table, and nothing that an unbind would wait for. */
static void exp_allocations_fail(struct kunit *test)
{
	struct exp *e = exp_begin(test);
	struct shmem_test *t = test->priv;
	struct exp_log log = {};
	struct exp_vram *vram = exp_vram_new(test, t->drm, &log, &exp_sgt_ops);

	KUNIT_EXPECT_GE(test, drm_safe_fail_nth(test, exp_export_fn, vram), 3);
	drm_gem_object_put(&vram->gem);
	KUNIT_EXPECT_TRUE(test, log.freed);
	exp_drop(&e->importer);
	KUNIT_EXPECT_GE(test, drm_safe_fail_nth(test, exp_map_fn, e), 2);
	KUNIT_EXPECT_GE(test, drm_safe_fail_nth(test, exp_attach_fn, e), 2);
	shmem_test_unbind(test);
	exp_end(test, e);
}

static void exp_misused(struct kunit *test)
{
	static const struct drm_gem_sgt_ops half = {
		.map = exp_map,
		.unmap = exp_unmap,
		.map_for = exp_map_for,
	};
	static const struct drm_gem_sgt_ops none = {
		.map = exp_map,
		.unmap = exp_unmap,
	};
	struct shmem_test *t = test->priv;
	struct exp_log log = {};
	struct exp_vram *vram = exp_vram_new(test, t->drm, &log, &none);
	struct drm_gem_sgt *empty = kunit_kzalloc(test, sizeof(*empty), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, empty);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, drm_gem_sgt_init(empty, &vram->gem, &half), -EINVAL);
		EXPECT_BROKEN(test, "a table is mapped and unmapped");
	}
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_PTR_EQ(test, drm_gem_sgt_export(&vram->sgt, O_RDWR), ERR_PTR(-EINVAL));
		EXPECT_BROKEN(test, "a table is mapped and unmapped");
	}
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_PTR_EQ(test, drm_gem_sgt_export(empty, O_RDWR), ERR_PTR(-EINVAL));
		EXPECT_BROKEN(test, "a table is initialised before use");
	}
	drm_gem_object_put(&vram->gem);
	KUNIT_EXPECT_TRUE(test, log.freed);
}

/* The device takes no entry, for a dma-buf as for a table, and the dma-buf is put. */
static void exp_late_dma_device(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct exp_log log = {};
	struct exp_vram *vram = exp_vram_new(test, t->drm, &log, &exp_sgt_ops);

	drm_dev_set_dma_dev(t->drm, drm_safe_test_parent(test));
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_PTR_EQ(test, drm_gem_sgt_export(&vram->sgt, O_RDWR), ERR_PTR(-EINVAL));
		EXPECT_BROKEN(test, "a DMA device is set before the registration");
	}
	drm_dev_set_dma_dev(t->drm, t->parent);
	flush_delayed_fput();
	KUNIT_EXPECT_EQ(test, kref_read(&vram->gem.refcount), 1);
	drm_gem_object_put(&vram->gem);
	KUNIT_EXPECT_TRUE(test, log.freed);
}

/* An importer that maps and unmaps for as long as the memory is there */
static int exp_race_fn(void *data)
{
	struct exp_importer *importer = data;

	while (!kthread_should_stop()) {
		if (!exp_get(importer))
			exp_drop(importer);
		cond_resched();
	}
	return exp_get(importer);
}

/* At no point of an unbind is a table left, or made afterwards. */
static void exp_race(struct kunit *test)
{
	struct shmem_test *t = test->priv;

	for (int i = 0; i < 40; i++) {
		struct exp *e = exp_begin(test);
		struct task_struct *task;

		exp_drop(&e->importer);
		task = kthread_run(exp_race_fn, &e->importer, "exp_race");
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
		if (i % 2)
			schedule_timeout_idle(1);
		shmem_test_unbind(test);
		KUNIT_EXPECT_EQ(test, e->log.mapped, 0);
		KUNIT_EXPECT_EQ(test, kthread_stop(task), -ENODEV);
		KUNIT_EXPECT_EQ(test, exp_get(&e->importer), -ENODEV);
		exp_end(test, e);
		t->parent = drm_safe_test_parent(test);
		t->drm = shmem_test_device(test, t->parent, &shmem_test_driver);
	}
}

static void exp_put_fn(struct work_struct *work)
{
	struct exp *e = container_of(work, struct exp, put);

	exp_detach(&e->importer);
	dma_buf_put(e->dma_buf);
}

/* The last reference to a dma-buf is put while the parent is unbound. */
static void exp_release_race(struct kunit *test)
{
	struct shmem_test *t = test->priv;

	for (int i = 0; i < 40; i++) {
		struct exp *e = exp_begin(test);

		INIT_WORK(&e->put, exp_put_fn);
		schedule_work(&e->put);
		shmem_test_unbind(test);
		flush_work(&e->put);
		flush_delayed_fput();
		KUNIT_EXPECT_EQ(test, e->log.mapped, 0);
		drm_gem_object_put(&e->vram->gem);
		KUNIT_EXPECT_TRUE(test, e->log.freed);
		t->parent = drm_safe_test_parent(test);
		t->drm = shmem_test_device(test, t->parent, &shmem_test_driver);
	}
}

/* Another device with this library, whose imports follow */
struct exp_import {
	struct drm_shmem_obj obj;
	struct drm_shmem_sgt_owned table;
	unsigned int moved;
};

DRM_SHMEM_OBJ_TYPE(exp_import_type, struct exp_import, obj, struct exp_import_unique);

static void exp_import_moved(struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	struct exp_import *import = drm_shmem_from_obj(&exp_import_type, obj);

	import->moved++;
	drm_shmem_sgt_suspend(&import->table);
}

const struct exp_import_type exp_import_type = {
	DRM_SHMEM_OBJ_FUNCS,
	.base.flags = DRM_SHMEM_RECLAIM,
	.base.moved = exp_import_moved,
};

static struct drm_gem_object *exp_create_object(struct drm_device *drm, size_t size)
{
	return drm_shmem_gem_create_object(&exp_import_type);
}

DEFINE_DRM_GEM_FOPS(exp_fops);

static const struct drm_driver exp_driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER,
	.fops = &exp_fops,
	.name = "gem_exports",
	.desc = "test device of drm_shmem_safe",
	.gem_create_object = exp_create_object,
	DRM_SHMEM_DRIVER_OPS,
};

static int exp_import_own(struct drm_device *drm, struct exp_import *import)
{
	drm_dev_ctx_or(test_reg, reg, test_ctx(drm), return -ESHUTDOWN);
	return drm_shmem_sgt_own(&import->table, &reg->base.bound, &import->obj);
}

/* An import by @drm, with a table */
static struct exp_import *exp_import_new(struct kunit *test, struct drm_device *drm,
					 struct dma_buf *dma_buf)
{
	struct drm_gem_object *gem = drm->driver->gem_prime_import(drm, dma_buf);
	struct exp_import *import;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, gem);
	import = drm_shmem_from_gem(&exp_import_type, gem);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, import);
	KUNIT_ASSERT_EQ(test, exp_import_own(drm, import), 0);
	return import;
}

static void exp_import_put(struct exp_import *import)
{
	drm_shmem_sgt_release(&import->table);
	drm_shmem_put(&import->obj);
	drm_shmem_flush_work();
}

/* It gives back its table, by its work item, and gets no other one. */
static void exp_import_follows(struct kunit *test)
{
	struct drm_device *drm = shmem_test_device(test, drm_safe_test_parent(test), &exp_driver);
	struct exp *e = exp_begin(test);
	struct exp_import *import = exp_import_new(test, drm, e->dma_buf);
	int ret;

	KUNIT_EXPECT_EQ(test, e->log.mapped, 2);

	shmem_test_unbind(test);
	KUNIT_EXPECT_EQ(test, e->log.mapped, 0);
	KUNIT_EXPECT_EQ(test, import->moved, 1);
	{
		drm_dev_ctx_or(test_reg, reg, test_ctx(drm), return);
		dma_resv_lock(e->dma_buf->resv, NULL);
		ret = drm_shmem_sgt_resume(&import->table, &reg->base.bound);
		dma_resv_unlock(e->dma_buf->resv);
	}
	KUNIT_EXPECT_EQ(test, ret, -ENODEV);
	exp_import_put(import);
	exp_end(test, e);
}

/* A device with an export, whose importer keeps its table until the test drops it */
static struct exp *exp_begin_on(struct kunit *test, struct device *parent)
{
	struct shmem_test *t = test->priv;
	struct exp *e;

	t->parent = parent;
	t->drm = shmem_test_device(test, parent, &exp_driver);
	e = exp_begin(test);
	e->importer.late = 3600 * HZ;
	return e;
}

static void exp_wait_told(struct kunit *test, struct exp *e, struct work_struct *work)
{
	schedule_work(work);
	while (!READ_ONCE(e->importer.told))
		schedule_timeout_idle(1);
	KUNIT_EXPECT_EQ(test, e->log.mapped > 0, true);
}

static void exp_drop_late(struct exp *e)
{
	cancel_delayed_work_sync(&e->importer.work);
	exp_drop(&e->importer);
}

/* Two devices import from each other, and each is unbound while the other one is. */
static void exp_unbound_together(struct kunit *test)
{
	struct device *parents[] = { drm_safe_test_parent(test), drm_safe_test_parent(test) };
	struct work_struct *unbind[2];
	struct exp_import *imports[2];
	struct drm_device *drms[2];
	struct shmem_test *t = test->priv;
	struct exp *shared[2], *slow[2];

	for (int i = 0; i < 2; i++) {
		shared[i] = exp_begin_on(test, parents[i]);
		exp_detach(&shared[i]->importer);
		drms[i] = t->drm;
		/* It is the younger one, so the unbind comes to it first. */
		slow[i] = exp_begin(test);
		slow[i]->importer.late = 3600 * HZ;
		unbind[i] = drm_safe_test_unbind_work(test, parents[i]);
	}
	for (int i = 0; i < 2; i++)
		imports[i] = exp_import_new(test, drms[i], shared[!i]->dma_buf);
	for (int i = 0; i < 2; i++)
		exp_wait_told(test, slow[i], unbind[i]);
	for (int i = 0; i < 2; i++)
		exp_drop_late(slow[i]);
	for (int i = 0; i < 2; i++) {
		flush_work(unbind[i]);
		KUNIT_EXPECT_EQ(test, shared[i]->log.mapped, 0);
	}
	for (int i = 0; i < 2; i++) {
		exp_import_put(imports[i]);
		exp_end(test, slow[i]);
	}
	for (int i = 0; i < 2; i++)
		exp_end(test, shared[i]);
}

/* A device whose quiesce step ends its exports, and its results */
struct exp_hw {
	struct drm_dev_ctx_data base;
	void (*quiesce)(struct exp_hw *hw);
	const struct drm_dev_ctx_bound *bound;	/* of quiesce */
	struct exp *e;
	struct work_struct work;
	struct completion go;
	struct dma_fence *job;
	struct drm_dev_ctx *section;
	int left;		/* tables that importers had after the call, or -1 */
	int left_other;		/* the same in another task */
	int export_ret;		/* of an export after the call */
	bool over;
	unsigned int late;	/* exports after the call */
	bool quiesced;
	bool released;
};

/* Not seen by the compiler in a section */
static noinline void exp_ends(const struct drm_dev_ctx_bound *bound)
{
	drm_gem_sgt_exports_end(bound);
}

static void exp_quiesce(const struct drm_dev_ctx_bound *bound, struct drm_dev_ctx_data *data)
{
	struct exp_hw *hw = container_of(data, struct exp_hw, base);

	hw->bound = bound;
	hw->quiesced = true;
	if (hw->quiesce)
		hw->quiesce(hw);
}

static void exp_release(struct drm_dev_ctx_data *data)
{
	container_of(data, struct exp_hw, base)->released = true;
}

static const struct drm_dev_ctx_ops exp_ops = {
	.quiesce = exp_quiesce,
	.release = exp_release,
};

KUNIT_DEFINE_ACTION_WRAPPER(exp_dev_put, drm_dev_put, struct drm_device *);

static struct exp_hw *exp_hw_new(struct kunit *test, void (*quiesce)(struct exp_hw *hw))
{
	struct exp_hw *hw = kunit_kzalloc(test, sizeof(*hw), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, hw);
	init_completion(&hw->go);
	hw->quiesce = quiesce;
	hw->left = -1;
	hw->left_other = -1;
	return hw;
}

static struct drm_dev_ctx_unreg *exp_unreg(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg;

	t->parent = drm_safe_test_parent(test);
	unreg = drm_dev_ctx_alloc(t->parent, &exp_driver, struct test_dev, ctx);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unreg);
	t->drm = drm_dev_ctx_bound_drm(&unreg->bound);
	test_dev(t->drm)->test = t;
	drm_dev_get(t->drm);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, exp_dev_put, t->drm), 0);
	return unreg;
}

/* A registered device of this kind, which becomes the device of the test */
static struct exp_hw *exp_device(struct kunit *test, void (*quiesce)(struct exp_hw *hw))
{
	struct drm_dev_ctx_unreg *unreg = exp_unreg(test);
	struct exp_hw *hw = exp_hw_new(test, quiesce);
	struct shmem_test *t = test->priv;

	KUNIT_ASSERT_EQ(test, drm_dev_ctx_register(t->parent, &unreg, &exp_ops, &hw->base), 0);
	return hw;
}

static void exp_ends_quiesce(struct exp_hw *hw)
{
	struct dma_buf *dma_buf;

	drm_gem_sgt_exports_end(hw->bound);
	hw->left = hw->e->log.mapped;
	dma_buf = drm_gem_sgt_export(&hw->e->vram->sgt, O_RDWR);
	hw->export_ret = PTR_ERR_OR_ZERO(dma_buf);
	if (!IS_ERR(dma_buf))
		dma_buf_put(dma_buf);
	drm_gem_sgt_exports_end(hw->bound);
}

/* Quiesce ends the exports itself, once or more, and waits for importers. */
static void exp_ended(struct kunit *test)
{
	for (int late = 0; late < 2; late++) {
		struct exp_hw *hw = exp_device(test, exp_ends_quiesce);

		hw->e = exp_begin(test);
		hw->e->importer.late = late ? HZ / 10 : 0;
		shmem_test_unbind(test);
		KUNIT_EXPECT_TRUE(test, hw->released);
		KUNIT_EXPECT_EQ(test, hw->left, 0);
		KUNIT_EXPECT_EQ(test, hw->e->importer.told, 1);
		KUNIT_EXPECT_EQ(test, hw->export_ret, -ENODEV);
		flush_delayed_fput();
		KUNIT_EXPECT_EQ(test, kref_read(&hw->e->vram->gem.refcount), 2);
		KUNIT_EXPECT_EQ(test, exp_get(&hw->e->importer), -ENODEV);
		exp_end(test, hw->e);
	}
}

static void exp_ends_after_job(struct exp_hw *hw)
{
	dma_fence_signal(hw->job);
	exp_ends_quiesce(hw);
}

/* An importer of another device unmaps after the jobs of this one, which quiesce has ended. */
static void exp_ended_after_jobs(struct kunit *test)
{
	struct exp_hw *hw = exp_device(test, exp_ends_after_job);
	struct drm_device *drm = shmem_test_device(test, drm_safe_test_parent(test), &exp_driver);
	struct exp_import *import;

	hw->e = exp_begin(test);
	hw->job = exp_fence_on(test, hw->e->dma_buf);
	import = exp_import_new(test, drm, hw->e->dma_buf);
	shmem_test_unbind(test);
	KUNIT_EXPECT_EQ(test, hw->left, 0);
	KUNIT_EXPECT_EQ(test, import->moved, 1);
	dma_fence_put(hw->job);
	exp_import_put(import);
	exp_end(test, hw->e);
}

static void exp_ends_other_fn(struct work_struct *work)
{
	struct exp_hw *hw = container_of(work, struct exp_hw, work);

	drm_gem_sgt_exports_end(hw->bound);
	hw->left_other = hw->e->log.mapped;
}

static void exp_ends_twice(struct exp_hw *hw)
{
	schedule_work(&hw->work);
	/* From here on, that task waits for the importer. */
	while (!READ_ONCE(hw->e->importer.told))
		schedule_timeout_idle(1);
	exp_ends_quiesce(hw);
	flush_work(&hw->work);
}

/* Each of two tasks that end the exports waits for the importers. */
static void exp_ended_twice(struct kunit *test)
{
	struct exp_hw *hw = exp_device(test, exp_ends_twice);

	INIT_WORK(&hw->work, exp_ends_other_fn);
	hw->e = exp_begin(test);
	hw->e->importer.late = HZ / 5;
	shmem_test_unbind(test);
	KUNIT_EXPECT_EQ(test, hw->left, 0);
	KUNIT_EXPECT_EQ(test, hw->left_other, 0);
	KUNIT_EXPECT_EQ(test, hw->e->importer.told, 1);
	exp_end(test, hw->e);
}

static void exp_ends_elsewhere(struct exp_hw *hw)
{
	schedule_work(&hw->work);
	while (!READ_ONCE(hw->e->importer.told))
		schedule_timeout_idle(1);
}

/* An unbind waits for such a task, even if quiesce did not. */
static void exp_ended_elsewhere(struct kunit *test)
{
	struct exp_hw *hw = exp_device(test, exp_ends_elsewhere);

	INIT_WORK(&hw->work, exp_ends_other_fn);
	hw->e = exp_begin(test);
	hw->e->importer.late = HZ / 5;
	shmem_test_unbind(test);
	KUNIT_EXPECT_EQ(test, hw->e->log.mapped, 0);
	flush_work(&hw->work);
	KUNIT_EXPECT_EQ(test, hw->left_other, 0);
	exp_end(test, hw->e);
}

static void exp_ends_over(struct exp_hw *hw)
{
	drm_gem_sgt_exports_end(hw->bound);
	WRITE_ONCE(hw->over, true);
	schedule_timeout_idle(1);
}

static int exp_export_race_fn(void *data)
{
	struct exp_hw *hw = data;

	while (!kthread_should_stop()) {
		bool over = READ_ONCE(hw->over);
		struct dma_buf *dma_buf = drm_gem_sgt_export(&hw->e->vram->sgt, O_RDWR);

		if (!IS_ERR(dma_buf)) {
			hw->late += over;
			dma_buf_put(dma_buf);
		}
		cond_resched();
	}
	return 0;
}

/* An object is exported, and a dma-buf is put, while quiesce ends the exports. */
static void exp_ended_race(struct kunit *test)
{
	for (int i = 0; i < 10; i++) {
		struct exp_hw *hw = exp_device(test, exp_ends_over);
		struct task_struct *task;

		hw->e = exp_begin(test);
		INIT_WORK(&hw->e->put, exp_put_fn);
		task = kthread_run(exp_export_race_fn, hw, "exp_export_race");
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
		schedule_work(&hw->e->put);
		shmem_test_unbind(test);
		KUNIT_EXPECT_EQ(test, kthread_stop(task), 0);
		flush_work(&hw->e->put);
		flush_delayed_fput();
		KUNIT_EXPECT_EQ(test, hw->late, 0);
		KUNIT_EXPECT_EQ(test, hw->e->log.mapped, 0);
		drm_gem_object_put(&hw->e->vram->gem);
		KUNIT_EXPECT_TRUE(test, hw->e->log.freed);
	}
}

static void exp_waits(struct exp_hw *hw)
{
	wait_for_completion(&hw->go);
}

/* The importer is a device of the same driver, whose own unbind takes long. */
static void exp_ended_for_unbound(struct kunit *test)
{
	struct exp_hw *other = exp_device(test, exp_waits), *hw;
	struct shmem_test *t = test->priv;
	struct drm_device *drm = t->drm;
	struct work_struct *unbind = drm_safe_test_unbind_work(test, t->parent);
	struct exp_import *import;

	hw = exp_device(test, exp_ends_quiesce);
	hw->e = exp_begin(test);
	import = exp_import_new(test, drm, hw->e->dma_buf);
	drm_safe_test_work_waits(test, unbind, swait_active(&other->go.wait));
	shmem_test_unbind(test);
	KUNIT_EXPECT_EQ(test, hw->left, 0);
	KUNIT_EXPECT_EQ(test, import->moved, 1);
	KUNIT_EXPECT_FALSE(test, other->released);
	complete(&other->go);
	flush_work(unbind);
	KUNIT_EXPECT_TRUE(test, other->released);
	exp_import_put(import);
	exp_end(test, hw->e);
}

/* A device that is given up before it is registered is not unplugged, either. */
static void exp_ended_unregistered(struct kunit *test)
{
	struct drm_dev_ctx_unreg *unreg = exp_unreg(test);
	struct exp_hw *hw = exp_hw_new(test, exp_ends_quiesce);

	KUNIT_ASSERT_FALSE(test, IS_ERR(drm_dev_ctx_attach(unreg, &exp_ops, &hw->base)));
	hw->e = exp_begin(test);
	drm_dev_ctx_drop(&unreg);
	KUNIT_EXPECT_TRUE(test, hw->released);
	KUNIT_EXPECT_EQ(test, hw->left, 0);
	KUNIT_EXPECT_EQ(test, hw->e->importer.told, 1);
	KUNIT_EXPECT_EQ(test, hw->export_ret, -ENODEV);
	KUNIT_EXPECT_EQ(test, exp_get(&hw->e->importer), -ENODEV);
	shmem_test_unbind(test);
	exp_end(test, hw->e);
}

/* Data that comes too late is quiesced, too. */
static void exp_ended_dropped(struct kunit *test)
{
	struct drm_dev_ctx_unreg *unreg = exp_unreg(test), *kept = unreg;
	struct exp_hw *hw = exp_hw_new(test, exp_ends_quiesce);
	struct shmem_test *t = test->priv;

	hw->e = exp_begin(test);
	drm_dev_ctx_drop(&unreg);
	KUNIT_EXPECT_EQ(test, hw->e->importer.told, 0);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, drm_dev_ctx_register(t->parent, &kept, &exp_ops, &hw->base),
				-EINVAL);
		EXPECT_BROKEN(test, "a token is used once");
	}
	KUNIT_EXPECT_EQ(test, hw->left, 0);
	KUNIT_EXPECT_EQ(test, hw->e->importer.told, 1);
	shmem_test_unbind(test);
	exp_end(test, hw->e);
}

static void exp_ends_in_section(struct exp_hw *hw)
{
	drm_dev_ctx_guard(test_reg, reg, hw->section)
		exp_ends(hw->bound);
}

/* Exports do not end while the device needs them, and a wrong call changes nothing. */
static void exp_ended_misused(struct kunit *test)
{
	struct drm_dev_ctx_unreg *unreg = exp_unreg(test), *kept = unreg;
	const struct drm_dev_ctx_bound *bound = &unreg->bound;
	struct exp_hw *hw = exp_hw_new(test, NULL);
	struct exp_hw *refused = exp_hw_new(test, exp_ends_quiesce);
	struct shmem_test *t = test->priv;
	struct exp *e = exp_begin(test);

	refused->e = e;
	kunit_warning_suppress(test) {
		exp_ends(bound);
		EXPECT_BROKEN(test, "exports end in quiesce");
	}
	KUNIT_ASSERT_EQ(test, drm_dev_ctx_register(t->parent, &unreg, &exp_ops, &hw->base), 0);
	kunit_warning_suppress(test) {
		drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm))
			exp_ends(&reg->base.bound);
		EXPECT_BROKEN(test, "exports end in quiesce");
	}
	/* The quiesce step of data that the device cannot take */
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, drm_dev_ctx_register(t->parent, &kept, &exp_ops,
							   &refused->base), -EINVAL);
		EXPECT_BROKEN(test, "a token is used once");
	}
	/* Only while that step runs */
	kunit_warning_suppress(test) {
		exp_ends(bound);
		EXPECT_BROKEN(test, "exports end in quiesce");
	}
	KUNIT_EXPECT_TRUE(test, refused->quiesced);
	KUNIT_EXPECT_EQ(test, refused->export_ret, 0);
	KUNIT_EXPECT_EQ(test, e->importer.told, 0);
	KUNIT_EXPECT_EQ(test, e->log.mapped, 1);

	shmem_test_unbind(test);
	KUNIT_EXPECT_EQ(test, e->importer.told, 1);
	kunit_warning_suppress(test) {
		exp_ends(bound);
		EXPECT_BROKEN(test, "proofs end with their scope");
	}
	exp_end(test, e);
}

/* The call fails in a section of another device, too, because each unplug waits for it. */
static void exp_ended_in_section(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_dev_ctx *section = test_ctx(t->drm);
	struct exp_hw *hw;

	if (!IS_ENABLED(CONFIG_DRM_SAFE_DEBUG))
		kunit_skip(test, "needs CONFIG_DRM_SAFE_DEBUG");
	hw = exp_device(test, exp_ends_in_section);
	hw->section = section;
	hw->e = exp_begin(test);
	kunit_warning_suppress(test) {
		shmem_test_unbind(test);
		EXPECT_BROKEN(test, "long waits come before the section");
	}
	KUNIT_EXPECT_EQ(test, hw->e->importer.told, 1);
	exp_end(test, hw->e);
}

/* The log names an importer, which then lets the unbind go on. */
struct exp_console {
	char text[80];
	struct delayed_work *work;
	bool found;
};

static void exp_console_probe(void *data, const char *text, size_t len)
{
	struct exp_console *console = data;

	if (!strnstr(text, console->text, len))
		return;
	console->found = true;
	mod_delayed_work(system_percpu_wq, console->work, 0);
}

static void exp_named_fn(struct work_struct *work) {}

static void exp_unbind_logged(struct kunit *test, struct exp_console *console)
{
	unsigned int limit = drm_dev_ctx_section_limit_ms;

	KUNIT_ASSERT_EQ(test, register_trace_console(exp_console_probe, console), 0);
	drm_dev_ctx_section_limit_ms = 20;
	shmem_test_unbind(test);
	drm_dev_ctx_section_limit_ms = limit;
	unregister_trace_console(exp_console_probe, console);
	tracepoint_synchronize_unregister();
	KUNIT_EXPECT_TRUE(test, console->found);
	flush_delayed_work(console->work);
}

/* An importer that keeps its table is named, in an unbind and in quiesce. */
static void exp_importer_named(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_TRACEPOINTS))
		kunit_skip(test, "needs CONFIG_TRACEPOINTS");
	for (int quiesces = 0; quiesces < 2; quiesces++) {
		struct exp_hw *hw = exp_device(test, quiesces ? exp_ends_quiesce : NULL);
		struct exp_console console = {};
		struct exp *e = exp_begin(test);

		hw->e = e;
		snprintf(console.text, sizeof(console.text), "%s has not unmapped a dma-buf",
			 dev_name(e->importer.dev));
		console.work = &e->importer.work;
		e->importer.late = 60 * HZ;
		exp_unbind_logged(test, &console);
		exp_end(test, e);
	}
}

/* Importers that keep their tables do not keep the system from going down, but an unbind waits. */
static void exp_shut_down(struct kunit *test)
{
	struct exp_hw *hw = exp_device(test, exp_ends_quiesce);
	struct exp_importer *other = kunit_kzalloc(test, sizeof(*other), GFP_KERNEL);
	const bool traced = IS_ENABLED(CONFIG_TRACEPOINTS);
	unsigned int limit = drm_dev_ctx_shutdown_limit_ms;
	struct exp_console console = {};
	struct shmem_test *t = test->priv;
	struct delayed_work named;

	KUNIT_ASSERT_NOT_NULL(test, other);
	hw->e = exp_begin(test);
	other->dev = hw->e->importer.dev;
	INIT_DELAYED_WORK(&other->work, exp_drop_fn);
	other->dma_buf = drm_gem_sgt_export(&hw->e->vram->sgt, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other->dma_buf);
	KUNIT_ASSERT_EQ(test, exp_attach(other), 0);
	KUNIT_ASSERT_EQ(test, exp_get(other), 0);
	hw->e->importer.late = 3600 * HZ;
	other->late = 3600 * HZ;

	INIT_DELAYED_WORK_ONSTACK(&named, exp_named_fn);
	console.work = &named;
	snprintf(console.text, sizeof(console.text), "%s has not unmapped a dma-buf",
		 dev_name(other->dev));
	if (traced)
		KUNIT_ASSERT_EQ(test, register_trace_console(exp_console_probe, &console), 0);
	drm_dev_ctx_shutdown_limit_ms = 50;
	drm_dev_ctx_shutdown(t->parent);
	drm_dev_ctx_shutdown_limit_ms = limit;
	if (traced)
		unregister_trace_console(exp_console_probe, &console);
	tracepoint_synchronize_unregister();
	flush_delayed_work(&named);
	destroy_delayed_work_on_stack(&named);
	KUNIT_EXPECT_EQ(test, console.found, traced);
	KUNIT_EXPECT_TRUE(test, hw->released);
	KUNIT_EXPECT_EQ(test, hw->left, 2);
	KUNIT_EXPECT_EQ(test, hw->export_ret, -ENODEV);
	/* Each was told once. */
	KUNIT_EXPECT_EQ(test, hw->e->importer.told, 1);
	KUNIT_EXPECT_EQ(test, other->told, 1);
	KUNIT_EXPECT_EQ(test, exp_get(other), -ENODEV);

	/* One has unmapped before an unbind, and the other one is late. */
	exp_drop_late(hw->e);
	hw->e->importer.late = 0;
	mod_delayed_work(system_percpu_wq, &other->work, HZ / 10);
	other->late = HZ / 10;
	shmem_test_unbind(test);
	KUNIT_EXPECT_EQ(test, hw->e->log.mapped, 0);
	exp_detach(other);
	shmem_test_export_put(other->dma_buf);
	exp_end(test, hw->e);
}

static void exp_register_late(struct kunit *test, struct exp_hw *hw,
			      struct drm_dev_ctx_unreg *kept)
{
	struct shmem_test *t = test->priv;

	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, drm_dev_ctx_register(t->parent, &kept, &exp_ops, &hw->base),
				-EINVAL);
		EXPECT_BROKEN(test, "a token is used once");
	}
}

/* Also in quiesce of data that comes after the token has been used up */
static void exp_importer_named_late(struct kunit *test)
{
	struct exp_console console = { .text = "it waits for quiesce" };
	unsigned int limit = drm_dev_ctx_section_limit_ms;
	struct drm_dev_ctx_unreg *unreg, *kept;
	struct exp_hw *hw;

	if (!IS_ENABLED(CONFIG_TRACEPOINTS))
		kunit_skip(test, "needs CONFIG_TRACEPOINTS");
	unreg = exp_unreg(test);
	kept = unreg;
	hw = exp_hw_new(test, exp_ends_quiesce);
	hw->e = exp_begin(test);
	console.work = &hw->e->importer.work;
	hw->e->importer.late = 60 * HZ;
	drm_dev_ctx_drop(&unreg);
	KUNIT_ASSERT_EQ(test, register_trace_console(exp_console_probe, &console), 0);
	drm_dev_ctx_section_limit_ms = 20;
	exp_register_late(test, hw, kept);
	drm_dev_ctx_section_limit_ms = limit;
	unregister_trace_console(exp_console_probe, &console);
	tracepoint_synchronize_unregister();
	KUNIT_EXPECT_TRUE(test, console.found);
	KUNIT_EXPECT_EQ(test, hw->left, 0);
	KUNIT_EXPECT_FALSE(test, to_drm_dev_ctx(hw->e->vram->gem.dev)->__watched);
	shmem_test_unbind(test);
	exp_end(test, hw->e);
}

/* If all have unmapped, it is their jobs. */
static void exp_jobs_named(struct kunit *test)
{
	struct exp_job *job = kunit_kzalloc(test, sizeof(*job), GFP_KERNEL);
	struct exp_console console = { .text = "importers have unmapped a dma-buf" };
	struct exp_hw *hw;

	KUNIT_ASSERT_NOT_NULL(test, job);
	if (!IS_ENABLED(CONFIG_TRACEPOINTS))
		kunit_skip(test, "needs CONFIG_TRACEPOINTS");
	hw = exp_device(test, exp_ends_quiesce);
	hw->e = exp_begin(test);
	INIT_DELAYED_WORK(&job->work, exp_job_fn);
	job->fence = exp_fence_on(test, hw->e->dma_buf);
	console.work = &job->work;
	schedule_delayed_work(&job->work, 60 * HZ);
	exp_unbind_logged(test, &console);
	dma_fence_put(job->fence);
	exp_end(test, hw->e);
}

static struct kunit_case drm_gem_exports_cases[] = {
	KUNIT_CASE(exp_maps),
	KUNIT_CASE(exp_revoked),
	KUNIT_CASE(exp_before_others),
	KUNIT_CASE(exp_revoked_each),
	KUNIT_CASE(exp_released_first),
	KUNIT_CASE(exp_static_refused),
	KUNIT_CASE(exp_importer_late),
	KUNIT_CASE(exp_job_late),
	KUNIT_CASE(exp_detach_mapped),
	KUNIT_CASE(exp_stays),
	KUNIT_CASE(exp_allocations_fail),
	KUNIT_CASE(exp_misused),
	KUNIT_CASE(exp_late_dma_device),
	KUNIT_CASE(exp_race),
	KUNIT_CASE(exp_release_race),
	KUNIT_CASE(exp_import_follows),
	KUNIT_CASE(exp_unbound_together),
	KUNIT_CASE(exp_ended),
	KUNIT_CASE(exp_ended_after_jobs),
	KUNIT_CASE(exp_ended_twice),
	KUNIT_CASE(exp_ended_elsewhere),
	KUNIT_CASE(exp_ended_race),
	KUNIT_CASE(exp_ended_for_unbound),
	KUNIT_CASE(exp_ended_unregistered),
	KUNIT_CASE(exp_ended_dropped),
	KUNIT_CASE(exp_ended_misused),
	KUNIT_CASE(exp_ended_in_section),
	KUNIT_CASE(exp_importer_named),
	KUNIT_CASE(exp_shut_down),
	KUNIT_CASE(exp_importer_named_late),
	KUNIT_CASE(exp_jobs_named),
	{}
};

static struct kunit_suite drm_gem_exports_suite = {
	.name = "drm_shmem_gem_exports",
	.init = shmem_test_init,
	.test_cases = drm_gem_exports_cases,
};

kunit_test_suite(drm_gem_exports_suite);
