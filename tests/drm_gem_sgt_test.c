// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The sg tables of objects that are not of shmem: drm_gem_sgt.c
 */

#include <linux/completion.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include <drm/drm_gem.h>

#include "drm_gem_sgt.h"
#include "drm_safe_core.h"
#include "drm_shmem_test.h"

/* A driver's own memory, and its log */
struct vram_log {
	unsigned int mapped, maps, revoked, freed;
	bool locked;		/* all steps except the end were called with the lock */
	int map_ret;
	bool map_null;		/* the step is wrong */
};

struct vram {
	struct drm_gem_object gem;
	struct drm_gem_sgt sgt;
	struct drm_gem_sgt_owned owned;
	struct vram_log *log;
	void *mem;
};

static struct vram *to_vram(struct drm_gem_object *gem)
{
	return container_of(gem, struct vram, gem);
}

static bool vram_is_locked(struct vram *vram)
{
	return drm_resv_is_held(vram->gem.resv) || !kref_read(&vram->gem.refcount);
}

static struct sg_table *vram_map(struct drm_gem_object *gem)
{
	struct vram *vram = to_vram(gem);
	struct sg_table *sgt;
	int ret = vram->log->map_ret;

	vram->log->locked &= vram_is_locked(vram);
	if (ret)
		return ERR_PTR(ret);
	if (vram->log->map_null)
		return NULL;
	sgt = shmem_test_table(drm_dev_dma_dev(gem->dev), vram->mem, gem->size, DMA_BIDIRECTIONAL);
	if (!IS_ERR(sgt)) {
		vram->log->mapped++;
		vram->log->maps++;
	}
	return sgt;
}

static void vram_unmap(struct drm_gem_object *gem, struct sg_table *sgt)
{
	struct vram *vram = to_vram(gem);

	vram->log->locked &= vram_is_locked(vram);
	shmem_test_table_free(drm_dev_dma_dev(gem->dev), sgt, DMA_BIDIRECTIONAL);
	vram->log->mapped--;
}

static void vram_revoked(struct drm_gem_object *gem)
{
	dma_resv_assert_held(gem->resv);
	to_vram(gem)->log->revoked++;
}

static const struct drm_gem_sgt_ops vram_sgt_ops = {
	.map = vram_map,
	.unmap = vram_unmap,
	.revoked = vram_revoked,
};

static void vram_free(struct drm_gem_object *gem)
{
	struct vram *vram = to_vram(gem);
	struct drm_device *drm = gem->dev;

	drm_gem_sgt_fini(&vram->sgt);
	vram->log->freed++;
	drm_gem_object_release(gem);
	kfree(vram->mem);
	kfree(vram);
	drm_dev_put(drm);
}

static const struct drm_gem_object_funcs vram_funcs = {
	.free = vram_free,
};

static struct vram *vram_new(struct kunit *test, struct drm_device *drm, struct vram_log *log)
{
	struct vram *vram = kzalloc_obj(*vram);

	KUNIT_ASSERT_NOT_NULL(test, vram);
	vram->mem = kzalloc(2 * PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, vram->mem);
	vram->log = log;
	vram->gem.funcs = &vram_funcs;
	drm_dev_get(drm);
	drm_gem_private_object_init(drm, &vram->gem, 2 * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, drm_gem_sgt_init(&vram->sgt, &vram->gem, &vram_sgt_ops), 0);
	return vram;
}

static struct vram_log *vram_log(struct kunit *test)
{
	struct vram_log *log = kunit_kzalloc(test, sizeof(*log), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, log);
	log->locked = true;
	return log;
}

static int vram_borrow(struct drm_device *drm, struct vram *vram)
{
	int ret, nents = 0;

	drm_dev_ctx_or(test_reg, reg, test_ctx(drm), return -ESHUTDOWN);
	drm_gem_sgt_guard(sgt, &reg->base.bound, &vram->sgt, ret)
		nents = drm_gem_sgt_table(sgt)->nents;
	return !ret == !!nents ? ret : -EIO;
}

static int vram_own(struct drm_device *drm, struct vram *vram)
{
	drm_dev_ctx_or(test_reg, reg, test_ctx(drm), return -ESHUTDOWN);
	return drm_gem_sgt_own(&vram->owned, &reg->base.bound, &vram->sgt);
}

static int vram_use_owned(struct drm_device *drm, struct vram *vram)
{
	int ret, nents = 0;

	drm_dev_ctx_or(test_reg, reg, test_ctx(drm), return -ESHUTDOWN);
	drm_gem_sgt_guard_owned(sgt, &reg->base.bound, &vram->owned, ret)
		nents = drm_gem_sgt_table(sgt)->nents;
	return !ret == !!nents ? ret : -EIO;
}

static int vram_resume(struct drm_device *drm, struct vram *vram)
{
	int ret;

	drm_dev_ctx_or(test_reg, reg, test_ctx(drm), return -ESHUTDOWN);
	dma_resv_lock(vram->gem.resv, NULL);
	ret = drm_gem_sgt_resume(&vram->owned, &reg->base.bound);
	dma_resv_unlock(vram->gem.resv);
	return ret;
}

static int vram_unmap_early(struct vram *vram)
{
	int ret;

	dma_resv_lock(vram->gem.resv, NULL);
	ret = drm_gem_sgt_unmap_locked(&vram->sgt);
	dma_resv_unlock(vram->gem.resv);
	return ret;
}

static void vram_suspend(struct vram *vram)
{
	dma_resv_lock(vram->gem.resv, NULL);
	drm_gem_sgt_suspend(&vram->owned);
	dma_resv_unlock(vram->gem.resv);
}

/* Mapped when it is needed, once, and unmapped with the object */
static void borrow(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct vram_log *log = vram_log(test);
	struct vram *vram = vram_new(test, t->drm, log);
	int ret;

	KUNIT_EXPECT_EQ(test, log->maps, 0);
	for (int i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, vram_borrow(t->drm, vram), 0);
	{
		drm_dev_ctx_or(test_reg, reg, test_ctx(t->drm), return);
		dma_resv_lock(vram->gem.resv, NULL);
		drm_gem_sgt_guard_locked(sgt, &reg->base.bound, &vram->sgt, ret) {
			KUNIT_EXPECT_PTR_EQ(test, sg_virt(drm_gem_sgt_table(sgt)->sgl),
					    vram->mem);
			KUNIT_EXPECT_EQ(test, drm_gem_sgt_unmap_locked(&vram->sgt), -EBUSY);
		}
		KUNIT_EXPECT_EQ(test, ret, 0);
		dma_resv_unlock(vram->gem.resv);
	}
	KUNIT_EXPECT_EQ(test, log->maps, 1);
	drm_gem_object_put(&vram->gem);
	KUNIT_EXPECT_EQ(test, log->mapped, 0);
	KUNIT_EXPECT_EQ(test, log->freed, 1);
	KUNIT_EXPECT_TRUE(test, log->locked);
}

static int vram_prepare(struct vram *vram)
{
	int ret;

	dma_resv_lock(vram->gem.resv, NULL);
	ret = drm_gem_sgt_prepare_locked(&vram->sgt);
	dma_resv_unlock(vram->gem.resv);
	return ret;
}

/* The table is there for the section, without a user, unless the device is gone. */
static void prepare(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct vram_log *log = vram_log(test);
	struct vram *vram = vram_new(test, t->drm, log);

	log->map_ret = -ENOSPC;
	KUNIT_EXPECT_EQ(test, vram_prepare(vram), -ENOSPC);
	log->map_ret = 0;
	KUNIT_EXPECT_EQ(test, vram_prepare(vram), 0);
	KUNIT_EXPECT_EQ(test, vram_prepare(vram), 0);
	KUNIT_EXPECT_EQ(test, vram_own(t->drm, vram), 0);
	KUNIT_EXPECT_EQ(test, log->maps, 1);
	KUNIT_EXPECT_EQ(test, vram_unmap_early(vram), -EBUSY);
	vram_suspend(vram);
	KUNIT_EXPECT_EQ(test, vram_unmap_early(vram), 0);
	KUNIT_EXPECT_EQ(test, vram_prepare(vram), 0);
	KUNIT_EXPECT_EQ(test, vram_resume(t->drm, vram), 0);
	KUNIT_EXPECT_EQ(test, log->maps, 2);
	drm_gem_sgt_release(&vram->owned);
	KUNIT_EXPECT_EQ(test, vram_unmap_early(vram), 0);

	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(test_ctx(t->drm)), 0);
	KUNIT_EXPECT_EQ(test, vram_prepare(vram), -ENODEV);
	KUNIT_EXPECT_EQ(test, log->maps, 2);
	drm_gem_object_put(&vram->gem);
	KUNIT_EXPECT_EQ(test, log->freed, 1);
	KUNIT_EXPECT_TRUE(test, log->locked);
}

/* A prepared table without users is unmapped at unbind, like any other. */
static void prepare_revoked(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct vram_log *log = vram_log(test);
	struct vram *vram = vram_new(test, t->drm, log);

	KUNIT_EXPECT_EQ(test, vram_prepare(vram), 0);
	drm_safe_test_rebind(test, t->parent);
	KUNIT_EXPECT_EQ(test, log->mapped, 0);
	KUNIT_EXPECT_EQ(test, log->revoked, 1);
	KUNIT_EXPECT_EQ(test, vram_prepare(vram), -ENODEV);
	drm_gem_object_put(&vram->gem);
	t->drm = shmem_test_device(test, t->parent, &shmem_test_driver);
}

/* A device whose objects have a map step that uses the registration data */
struct vram_end {
	struct drm_dev_ctx_data base;
	struct drm_dev_ctx *ctx;
	struct vram *vram;
	struct task_struct *task;
	struct completion mapping;
	bool early;		/* released before the map step returned */
	bool mapped;
	bool released;
	int ret;
};

static struct vram_end *vram_end_now;

/* Stays in the map step until nothing but that keeps the registration from its end. */
static struct sg_table *vram_end_map(struct drm_gem_object *gem)
{
	struct vram_end *end = vram_end_now;

	complete(&end->mapping);
	while (READ_ONCE(end->ctx->__step) != DRM_DEV_CTX_STEP_BLOCKS &&
	       !READ_ONCE(end->released))
		schedule_timeout_idle(1);
	/* The end waits for this. If it does not, it is over soon. */
	schedule_timeout_idle(HZ / 10);
	end->early = READ_ONCE(end->released);
	WRITE_ONCE(end->mapped, true);
	return vram_map(gem);
}

static const struct drm_gem_sgt_ops vram_end_sgt_ops = {
	.map = vram_end_map,
	.unmap = vram_unmap,
};

static void vram_end_release(struct drm_dev_ctx_data *data)
{
	WRITE_ONCE(container_of(data, struct vram_end, base)->released, true);
}

static const struct drm_dev_ctx_ops vram_end_ops = {
	.release = vram_end_release,
};

static int vram_end_thread(void *data)
{
	struct vram_end *end = data;

	end->ret = vram_prepare(end->vram);
	return 0;
}

/* The map step runs without a section, but the registration data waits for it. */
static void prepare_in_end(struct kunit *test)
{
	struct vram_end *end = kunit_kzalloc(test, sizeof(*end), GFP_KERNEL);
	struct device *parent = drm_safe_test_parent(test);
	struct vram_log *log = vram_log(test);
	struct drm_dev_ctx_unreg *unreg;
	struct drm_device *drm;

	KUNIT_ASSERT_NOT_NULL(test, end);
	init_completion(&end->mapping);
	vram_end_now = end;
	unreg = drm_dev_ctx_alloc(parent, &shmem_test_driver, struct test_dev, ctx);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unreg);
	drm = drm_dev_ctx_unreg_drm(unreg);
	test_dev(drm)->test = test->priv;
	end->ctx = to_drm_dev_ctx(drm);
	KUNIT_ASSERT_EQ(test, drm_dev_ctx_register(parent, &unreg, &vram_end_ops, &end->base), 0);
	end->vram = vram_new(test, drm, log);
	end->vram->sgt.__ops = &vram_end_sgt_ops;
	end->task = kthread_run(vram_end_thread, end, "vram_end");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, end->task);
	get_task_struct(end->task);
	wait_for_completion(&end->mapping);
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(end->ctx), 0);
	KUNIT_EXPECT_TRUE(test, end->mapped);
	KUNIT_EXPECT_TRUE(test, end->released);
	kthread_stop_put(end->task);
	KUNIT_EXPECT_FALSE(test, end->early);
	KUNIT_EXPECT_EQ(test, end->ret, 0);
	KUNIT_EXPECT_EQ(test, log->maps, 1);
	drm_gem_object_put(&end->vram->gem);
	KUNIT_EXPECT_EQ(test, log->freed, 1);
}

/* Without the lock, or without an initialisation, it is refused. */
static void prepare_misused(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct vram_log *log = vram_log(test);
	struct vram *vram = vram_new(test, t->drm, log);
	struct drm_gem_sgt none = {};

	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, drm_gem_sgt_prepare_locked(&vram->sgt), -EINVAL);
		EXPECT_BROKEN(test, "a _locked call is made with the reservation lock");
	}
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, drm_gem_sgt_prepare_locked(&none), -EINVAL);
		EXPECT_BROKEN(test, "a table is initialised before use");
	}
	KUNIT_EXPECT_EQ(test, log->maps, 0);
	drm_gem_object_put(&vram->gem);
}

/* An idle table goes early, and comes back. */
static void unmap(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct vram_log *log = vram_log(test);
	struct vram *vram = vram_new(test, t->drm, log);

	KUNIT_EXPECT_EQ(test, vram_unmap_early(vram), 0);
	KUNIT_EXPECT_EQ(test, vram_own(t->drm, vram), 0);
	for (int i = 1; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, vram_use_owned(t->drm, vram), 0);
		KUNIT_EXPECT_EQ(test, log->maps, i);
		KUNIT_EXPECT_EQ(test, vram_unmap_early(vram), -EBUSY);
		vram_suspend(vram);
		vram_suspend(vram);
		KUNIT_EXPECT_EQ(test, vram_use_owned(t->drm, vram), -EAGAIN);
		KUNIT_EXPECT_EQ(test, vram_unmap_early(vram), 0);
		KUNIT_EXPECT_EQ(test, log->mapped, 0);
		KUNIT_EXPECT_EQ(test, vram_resume(t->drm, vram), 0);
		KUNIT_EXPECT_EQ(test, vram_resume(t->drm, vram), 0);
	}
	/* The handle keeps the object. */
	drm_gem_object_put(&vram->gem);
	KUNIT_EXPECT_EQ(test, log->freed, 0);
	drm_gem_sgt_release(&vram->owned);
	KUNIT_EXPECT_EQ(test, log->freed, 1);
	KUNIT_EXPECT_EQ(test, log->mapped, 0);
	KUNIT_EXPECT_TRUE(test, log->locked);
}

/* Unbound, the table is gone for ever, once, users or not. */
static void revoke(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct vram_log *log = vram_log(test);
	struct vram *vram[3];

	for (int i = 0; i < 3; i++) {
		vram[i] = vram_new(test, t->drm, log);
		if (i)
			KUNIT_EXPECT_EQ(test, vram_own(t->drm, vram[i]), 0);
	}
	vram_suspend(vram[2]);
	KUNIT_EXPECT_EQ(test, log->mapped, 2);
	/* Bound again, by another device */
	drm_safe_test_rebind(test, t->parent);
	KUNIT_EXPECT_EQ(test, log->mapped, 0);
	KUNIT_EXPECT_EQ(test, log->revoked, 2);
	t->drm = shmem_test_device(test, t->parent, &shmem_test_driver);
	KUNIT_EXPECT_EQ(test, vram_borrow(t->drm, vram[0]), -ENODEV);
	KUNIT_EXPECT_EQ(test, vram_use_owned(t->drm, vram[1]), -ENODEV);
	KUNIT_EXPECT_EQ(test, vram_resume(t->drm, vram[2]), -ENODEV);
	KUNIT_EXPECT_EQ(test, vram_unmap_early(vram[1]), 0);
	for (int i = 0; i < 3; i++) {
		drm_gem_sgt_release(&vram[i]->owned);
		drm_gem_object_put(&vram[i]->gem);
	}
	KUNIT_EXPECT_EQ(test, log->freed, 3);
	KUNIT_EXPECT_EQ(test, log->maps, 2);
	KUNIT_EXPECT_EQ(test, log->revoked, 2);
}

/* A handle moves with its table, and suspended. */
static void moved(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct vram_log *log = vram_log(test);
	struct vram *vram = vram_new(test, t->drm, log);
	struct drm_gem_sgt_owned own = {};

	drm_gem_sgt_move(&own, &vram->owned);
	KUNIT_EXPECT_TRUE(test, drm_gem_sgt_is_empty(&own));
	KUNIT_EXPECT_EQ(test, vram_own(t->drm, vram), 0);
	KUNIT_EXPECT_FALSE(test, drm_gem_sgt_is_empty(&vram->owned));
	drm_gem_sgt_move(&own, &vram->owned);
	KUNIT_EXPECT_TRUE(test, drm_gem_sgt_is_empty(&vram->owned));
	KUNIT_EXPECT_EQ(test, vram_use_owned(t->drm, vram), -EINVAL);
	KUNIT_EXPECT_EQ(test, vram_unmap_early(vram), -EBUSY);
	vram_suspend(vram);
	KUNIT_EXPECT_EQ(test, vram_unmap_early(vram), -EBUSY);

	drm_gem_sgt_move(&vram->owned, &own);
	vram_suspend(vram);
	KUNIT_EXPECT_EQ(test, vram_unmap_early(vram), 0);
	drm_gem_sgt_move(&own, &vram->owned);
	drm_gem_sgt_move(&vram->owned, &own);
	KUNIT_EXPECT_EQ(test, vram_use_owned(t->drm, vram), -EAGAIN);
	KUNIT_EXPECT_EQ(test, vram_resume(t->drm, vram), 0);
	KUNIT_EXPECT_EQ(test, vram_use_owned(t->drm, vram), 0);

	/* The handle is all that keeps the object. */
	drm_gem_object_put(&vram->gem);
	drm_gem_sgt_move(&own, &vram->owned);
	KUNIT_EXPECT_EQ(test, log->freed, 0);
	drm_gem_sgt_release(&own);
	drm_gem_sgt_release(&own);
	KUNIT_EXPECT_EQ(test, log->freed, 1);
	KUNIT_EXPECT_EQ(test, log->mapped, 0);
}

/* A block with an owned handle keeps the table, though the handle is suspended. */
static void owned_block(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct vram_log *log = vram_log(test);
	struct vram *vram = vram_new(test, t->drm, log);
	int ret = -1;

	KUNIT_ASSERT_EQ(test, vram_own(t->drm, vram), 0);
	{
		drm_dev_ctx_or(test_reg, reg, test_ctx(t->drm), return);
		drm_gem_sgt_guard_owned(sgt, &reg->base.bound, &vram->owned, ret) {
			vram_suspend(vram);
			KUNIT_EXPECT_EQ(test, vram_unmap_early(vram), -EBUSY);
			KUNIT_EXPECT_EQ(test, log->mapped, 1);
		}
		KUNIT_EXPECT_EQ(test, ret, 0);
	}
	KUNIT_EXPECT_EQ(test, vram_unmap_early(vram), 0);
	KUNIT_EXPECT_EQ(test, vram_use_owned(t->drm, vram), -EAGAIN);

	/* The same if it is suspended after the block has looked at it */
	WRITE_ONCE(vram->owned.__own.__suspended, 0);
	KUNIT_EXPECT_EQ(test, vram_use_owned(t->drm, vram), -EAGAIN);
	WRITE_ONCE(vram->owned.__own.__suspended, 1);
	drm_gem_sgt_release(&vram->owned);
	drm_gem_object_put(&vram->gem);
	KUNIT_EXPECT_EQ(test, log->freed, 1);
}

static int vram_borrow_interruptible(struct drm_device *drm, struct vram *vram)
{
	int ret, nents = 0;

	drm_dev_ctx_or(test_reg, reg, test_ctx(drm), return -ESHUTDOWN);
	drm_gem_sgt_guard_interruptible(sgt, &reg->base.bound, &vram->sgt, ret)
		nents = drm_gem_sgt_table(sgt)->nents;
	return !ret == !!nents ? ret : -EIO;
}

static int vram_own_interruptible(struct drm_device *drm, struct vram *vram)
{
	drm_dev_ctx_or(test_reg, reg, test_ctx(drm), return -ESHUTDOWN);
	return drm_gem_sgt_own_interruptible(&vram->owned, &reg->base.bound, &vram->sgt);
}

/* For the rest of a scope: a user until its end, on each path */
static int vram_or(struct drm_device *drm, struct vram *vram, enum drm_resv_how how)
{
	int ret;

	drm_dev_ctx_or(test_reg, reg, test_ctx(drm), return -ESHUTDOWN);
	if (how == DRM_RESV_LOCKED) {
		drm_gem_sgt_or_locked(sgt, &reg->base.bound, &vram->sgt, ret, return ret);
		if (drm_gem_sgt_table(sgt)->nents)
			ret = drm_gem_sgt_unmap_locked(&vram->sgt);
		return ret;
	}
	if (how == DRM_RESV_LOCKS_INTERRUPTIBLE) {
		drm_gem_sgt_or_interruptible(sgt, &reg->base.bound, &vram->sgt, ret, return ret);
		return drm_gem_sgt_table(sgt)->nents ? vram_unmap_early(vram) : -EIO;
	}
	drm_gem_sgt_or(sgt, &reg->base.bound, &vram->sgt, ret, return ret);
	return drm_gem_sgt_table(sgt)->nents ? vram_unmap_early(vram) : -EIO;
}

static void to_the_end(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct vram_log *log = vram_log(test);
	struct vram *vram = vram_new(test, t->drm, log);

	log->map_ret = -EIO;
	for (int i = 0; i < 2; i++) {
		const int ret = log->map_ret ?: -EBUSY;

		KUNIT_EXPECT_EQ(test, vram_or(t->drm, vram, DRM_RESV_LOCKS), ret);
		KUNIT_EXPECT_EQ(test, vram_or(t->drm, vram, DRM_RESV_LOCKS_INTERRUPTIBLE), ret);
		dma_resv_lock(vram->gem.resv, NULL);
		KUNIT_EXPECT_EQ(test, vram_or(t->drm, vram, DRM_RESV_LOCKED), ret);
		dma_resv_unlock(vram->gem.resv);
		KUNIT_EXPECT_EQ(test, vram_unmap_early(vram), 0);
		KUNIT_EXPECT_EQ(test, log->mapped, 0);
		log->map_ret = 0;
	}
	KUNIT_EXPECT_EQ(test, log->maps, 1);
	drm_gem_object_put(&vram->gem);
}

/* A signal ends a wait for the lock, and changes nothing. */
static void interrupted(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct vram_log *log = vram_log(test);
	struct vram *vram = vram_new(test, t->drm, log);
	struct shmem_test_holder *holder = shmem_test_hold(test, vram->gem.resv);

	sigaddset(&current->pending.signal, SIGKILL);
	set_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_EQ(test, vram_borrow_interruptible(t->drm, vram), -EINTR);
	KUNIT_EXPECT_EQ(test, vram_own_interruptible(t->drm, vram), -EINTR);
	KUNIT_EXPECT_EQ(test, vram_or(t->drm, vram, DRM_RESV_LOCKS_INTERRUPTIBLE), -EINTR);
	KUNIT_EXPECT_TRUE(test, drm_gem_sgt_is_empty(&vram->owned));
	sigdelset(&current->pending.signal, SIGKILL);
	clear_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_TRUE(test, shmem_test_leave(holder));

	KUNIT_EXPECT_EQ(test, log->maps, 0);
	KUNIT_EXPECT_EQ(test, vram_borrow_interruptible(t->drm, vram), 0);
	KUNIT_EXPECT_EQ(test, vram_own_interruptible(t->drm, vram), 0);
	KUNIT_EXPECT_EQ(test, vram_unmap_early(vram), -EBUSY);
	drm_gem_sgt_release(&vram->owned);
	KUNIT_EXPECT_EQ(test, vram_unmap_early(vram), 0);
	drm_gem_object_put(&vram->gem);
}

static void map_fails(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct vram_log *log = vram_log(test);
	struct vram *vram = vram_new(test, t->drm, log);

	log->map_ret = -EIO;
	KUNIT_EXPECT_EQ(test, vram_borrow(t->drm, vram), -EIO);
	KUNIT_EXPECT_EQ(test, vram_own(t->drm, vram), -EIO);
	KUNIT_EXPECT_EQ(test, vram_use_owned(t->drm, vram), -EINVAL);
	KUNIT_EXPECT_EQ(test, vram_resume(t->drm, vram), -EINVAL);
	log->map_ret = 0;
	KUNIT_EXPECT_EQ(test, vram_borrow(t->drm, vram), 0);
	drm_gem_object_put(&vram->gem);
	KUNIT_EXPECT_EQ(test, log->mapped, 0);
}

static void vram_misused(struct kunit *test)
{
	static const struct drm_gem_sgt_ops no_unmap = { .map = vram_map };
	struct shmem_test *t = test->priv;
	struct drm_device *other = shmem_test_device(test, drm_safe_test_parent(test),
						     &shmem_test_driver);
	struct vram_log *log = vram_log(test);
	struct vram *vram = vram_new(test, t->drm, log);
	struct drm_gem_sgt *none = kunit_kzalloc(test, sizeof(*none), GFP_KERNEL);
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, none);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, drm_gem_sgt_init(none, &vram->gem, &no_unmap), -EINVAL);
		EXPECT_BROKEN(test, "a table is mapped and unmapped");
	}
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, drm_gem_sgt_init(&vram->sgt, &vram->gem, &vram_sgt_ops),
				-EBUSY);
		EXPECT_BROKEN(test, "a table is initialised once");
	}
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, vram_borrow(other, vram), -EINVAL);
		EXPECT_BROKEN(test, "both are of one device");
	}
	{
		drm_dev_ctx_or(test_reg, reg, test_ctx(t->drm), return);
		kunit_warning_suppress(test) {
			drm_gem_sgt_guard(sgt, &reg->base.bound, none, ret)
				KUNIT_FAIL(test, "lent");
			KUNIT_EXPECT_EQ(test, ret, -EINVAL);
			EXPECT_BROKEN(test, "a table is initialised before use");
		}
		kunit_warning_suppress(test) {
			KUNIT_EXPECT_EQ(test, drm_gem_sgt_unmap_locked(none), -EINVAL);
			EXPECT_BROKEN(test, "a table is initialised before use");
		}
		log->map_null = true;
		kunit_warning_suppress(test) {
			KUNIT_EXPECT_EQ(test, vram_borrow(t->drm, vram), -EINVAL);
			KUNIT_EXPECT_EQ(test, vram_own(t->drm, vram), -EINVAL);
			EXPECT_BROKEN(test, "a map step returns a table",
				      "a map step returns a table");
		}
		log->map_null = false;
		KUNIT_EXPECT_EQ(test, drm_gem_sgt_own(&vram->owned, &reg->base.bound, &vram->sgt),
				0);
		kunit_warning_suppress(test) {
			KUNIT_EXPECT_EQ(test, drm_gem_sgt_own(&vram->owned, &reg->base.bound,
							      &vram->sgt), -EBUSY);
			EXPECT_BROKEN(test, "an owned handle is not overwritten");
		}
		dma_resv_lock(vram->gem.resv, NULL);
		kunit_warning_suppress(test) {
			KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(__drm_gem_sgt_get(&reg->base.bound,
										&vram->sgt,
										DRM_RESV_LOCKS)),
					IS_ENABLED(CONFIG_PROVE_LOCKING) ? -EALREADY : 0);
			EXPECT_BROKEN_TIMES(test, IS_ENABLED(CONFIG_PROVE_LOCKING),
					    "the reservation lock is taken once");
		}
		if (!IS_ENABLED(CONFIG_PROVE_LOCKING))
			refcount_dec(&vram->sgt.__table.__users);
		dma_resv_unlock(vram->gem.resv);
	}
	drm_gem_sgt_release(&vram->owned);

	/* A user that is left when the object goes */
	{
		drm_dev_ctx_or(test_reg, reg, test_ctx(t->drm), return);
		KUNIT_EXPECT_FALSE(test, IS_ERR(__drm_gem_sgt_get(&reg->base.bound, &vram->sgt,
								  DRM_RESV_LOCKS)));
	}
	kunit_warning_suppress(test) {
		drm_gem_object_put(&vram->gem);
		EXPECT_BROKEN(test, "a borrowed sg table does not keep the object");
	}
	KUNIT_EXPECT_EQ(test, log->mapped, 0);
}

static int vram_fail(struct kunit *test, void *ctx)
{
	struct shmem_test *t = test->priv;
	struct vram *vram = ctx;
	int ret = vram_own(t->drm, vram);

	drm_gem_sgt_release(&vram->owned);
	return ret ?: vram_unmap_early(vram);
}

static void vram_allocations_fail(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct vram_log *log = vram_log(test);
	struct vram *vram = vram_new(test, t->drm, log);

	KUNIT_EXPECT_GE(test, drm_safe_fail_nth(test, vram_fail, vram), 2);
	drm_gem_object_put(&vram->gem);
	KUNIT_EXPECT_EQ(test, log->mapped, 0);
}

static struct kunit_case drm_gem_sgt_cases[] = {
	KUNIT_CASE(borrow),
	KUNIT_CASE(prepare),
	KUNIT_CASE(prepare_revoked),
	KUNIT_CASE(prepare_in_end),
	KUNIT_CASE(prepare_misused),
	KUNIT_CASE(unmap),
	KUNIT_CASE(revoke),
	KUNIT_CASE(moved),
	KUNIT_CASE(owned_block),
	KUNIT_CASE(to_the_end),
	KUNIT_CASE(interrupted),
	KUNIT_CASE(map_fails),
	KUNIT_CASE(vram_misused),
	KUNIT_CASE(vram_allocations_fail),
	{}
};

static struct kunit_suite drm_gem_sgt_suite = {
	.name = "drm_shmem_gem_sgt",
	.init = shmem_test_init,
	.test_cases = drm_gem_sgt_cases,
};

kunit_test_suite(drm_gem_sgt_suite);

MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
