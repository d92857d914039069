// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Edges that the other suites do not get to: a device for which nothing can be
 * mapped, lengths around the end of a mapping, what memory counts as, imports
 * without memory, a pin of what was purged, signals that are pending, and atomic context.
 */

#include <linux/completion.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <trace/events/printk.h>

#include "drm_shmem_internal.h"
#include "drm_shmem_test.h"

struct edge_map {
	DRM_VMAP(PAGE_SIZE);
};

struct edge_map_owned {
	DRM_VMAP_OWNED(struct edge_map);
};

/* A device that can address nothing, so that nothing can be mapped for it */
static void dma_map_fails(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo *bo = shmem_test_bo(test, 16 * PAGE_SIZE);
	struct drm_gem_shmem_object *shmem = &bo->obj.base;
	struct drm_shmem_sgt_owned own = {};
	u64 mask = *t->parent->dma_mask;
	int ret = 0;

	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm)) {
		*t->parent->dma_mask = 1;
		kunit_warning_suppress(test) {
			for (int i = 0; i < 3; i++) {
				drm_shmem_sgt_guard(sgt, &reg->base.bound, &bo->obj, ret)
					KUNIT_FAIL(test, "mapped");
				KUNIT_EXPECT_EQ(test, ret, -EIO);
			}
			KUNIT_EXPECT_EQ(test, drm_shmem_sgt_own(&own, &reg->base.bound, &bo->obj),
					-EIO);
		}
		*t->parent->dma_mask = mask;

		/* Nothing is left of it, and it works when the device does. */
		KUNIT_EXPECT_EQ(test, refcount_read(&shmem->pages_pin_count), 0);
		KUNIT_EXPECT_NULL(test, shmem->pages);
		drm_shmem_sgt_release(&own);
		drm_shmem_sgt_guard(sgt, &reg->base.bound, &bo->obj, ret)
			KUNIT_EXPECT_NOT_NULL(test, drm_shmem_sgt_table(sgt));
		KUNIT_EXPECT_EQ(test, ret, 0);
		KUNIT_EXPECT_EQ(test, refcount_read(&shmem->pages_pin_count), 1);
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
}

/* Neither the proof of another device, nor options that ask for nothing */
static void other_device(struct kunit *test)
{
	struct drm_device *drm = shmem_test_device(test, drm_safe_test_parent(test),
						   &shmem_test_driver);
	struct shmem_test *t = test->priv;
	const struct drm_shmem_opts opts = {};
	struct test_bo *bo = test_bo_new(t->drm, PAGE_SIZE, &opts);
	struct drm_shmem_sgt_owned own = {};
	int ret = 0;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	KUNIT_EXPECT_FALSE(test, bo->obj.base.map_wc);
	kunit_warning_suppress(test) {
		drm_dev_ctx_guard(test_reg, reg, test_ctx(drm))
			KUNIT_EXPECT_EQ(test, drm_shmem_sgt_own(&own, &reg->base.bound, &bo->obj),
					-EINVAL);
		EXPECT_BROKEN(test, "both are of one device");
	}
	drm_shmem_sgt_release(&own);
	KUNIT_EXPECT_NULL(test, bo->obj.base.pages);

	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm))
		KUNIT_EXPECT_EQ(test, drm_shmem_sgt_own(&own, &reg->base.bound, &bo->obj), 0);
	kunit_warning_suppress(test) {
		drm_dev_ctx_guard(test_reg, reg, test_ctx(drm))
			drm_shmem_sgt_guard_owned(sgt, &reg->base.bound, &own, ret)
				KUNIT_FAIL(test, "another device's");
		EXPECT_BROKEN(test, "both are of one device");
	}
	KUNIT_EXPECT_EQ(test, ret, -EINVAL);
	drm_shmem_sgt_release(&own);
	drm_shmem_put(&bo->obj);
}

static void lengths(struct kunit *test)
{
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);
	static u8 data[16];
	int ret;

	drm_vmap_guard(edge_map, map, &bo->obj, ret) {
		static const struct {
			size_t offset, len;
		} outside[] = {
			{ 0, PAGE_SIZE + 1 }, { 0, SIZE_MAX }, { PAGE_SIZE, 1 }, { SIZE_MAX, 1 },
			{ PAGE_SIZE - 1, 2 }, { SIZE_MAX, SIZE_MAX }, { PAGE_SIZE + 1, 0 },
		};

		drm_vmap_write64(map, 0, 1);
		for (int i = 0; i < ARRAY_SIZE(outside); i++) {
			size_t offset = outside[i].offset, len = outside[i].len;

			OPTIMIZER_HIDE_VAR(offset);
			OPTIMIZER_HIDE_VAR(len);
			KUNIT_EXPECT_EQ(test, drm_vmap_copy_to(map, offset, data, len), -EINVAL);
			KUNIT_EXPECT_EQ(test, drm_vmap_copy_from(map, offset, data, len), -EINVAL);
			KUNIT_EXPECT_EQ(test, drm_vmap_fill(map, offset, 0xff, len), -EINVAL);
			KUNIT_EXPECT_EQ(test, drm_vmap_from_user(map, offset, NULL, len), -EINVAL);
			KUNIT_EXPECT_EQ(test, drm_vmap_to_user(map, offset, NULL, len), -EINVAL);
		}
		KUNIT_EXPECT_EQ(test, drm_vmap_read64(map, 0), 1);
		KUNIT_EXPECT_EQ(test, drm_vmap_fill(map, 0, 0xff, PAGE_SIZE), 0);
		KUNIT_EXPECT_EQ(test, drm_vmap_copy_from(map, PAGE_SIZE - 1, data, 1), 0);
		KUNIT_EXPECT_EQ(test, data[0], 0xff);
		KUNIT_EXPECT_EQ(test, drm_vmap_copy_from(map, PAGE_SIZE, data, 0), 0);
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
}

static enum drm_gem_object_status status(struct drm_shmem_obj *obj)
{
	return obj->base.base.funcs->status(&obj->base.base);
}

/* The status of an object's memory in fdinfo */
static void memory_status(struct kunit *test)
{
	struct reclaim_bo *bo = shmem_test_reclaim_bo(test, 2 * PAGE_SIZE);
	int ret;

	KUNIT_EXPECT_EQ(test, status(&bo->obj), 0);
	drm_vmap_guard(edge_map, map, &bo->obj, ret)
		KUNIT_EXPECT_EQ(test, status(&bo->obj), DRM_GEM_OBJECT_RESIDENT);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&bo->obj, DRM_SHMEM_DONTNEED, NULL), 1);
	KUNIT_EXPECT_TRUE(test, status(&bo->obj) & DRM_GEM_OBJECT_PURGEABLE);
	drm_shmem_put(&bo->obj);
}

/* An import's memory is there while it is mapped, for the device or the CPU. */
static void memory_status_import(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, 2 * PAGE_SIZE);
	struct test_bo *bo = shmem_test_import(test, t->drm, dmabuf);
	int ret;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	KUNIT_EXPECT_EQ(test, status(&bo->obj), 0);
	drm_vmap_guard(edge_map, map, &bo->obj, ret)
		KUNIT_EXPECT_EQ(test, status(&bo->obj), DRM_GEM_OBJECT_RESIDENT);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, status(&bo->obj), 0);
	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm))
		drm_shmem_sgt_guard(sgt, &reg->base.bound, &bo->obj, ret)
			;
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, status(&bo->obj), DRM_GEM_OBJECT_RESIDENT);
	shmem_test_unbind(test);
	KUNIT_EXPECT_EQ(test, status(&bo->obj), 0);
	drm_shmem_put(&bo->obj);
	shmem_test_export_put(dmabuf);
}

/* A purged object gets no pages again, not even for a dma-buf. */
static void pin_purged(struct kunit *test)
{
	struct reclaim_bo *bo = shmem_test_reclaim_bo(test, 2 * PAGE_SIZE);
	struct drm_gem_object *gem;

	gem = drm_shmem_gem(&bo->obj);
	dma_resv_lock(gem->resv, NULL);
	KUNIT_EXPECT_EQ(test, gem->funcs->pin(gem), 0);
	gem->funcs->unpin(gem);
	dma_resv_unlock(gem->resv);
	KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&bo->obj, DRM_SHMEM_DONTNEED, NULL), 1);
	KUNIT_EXPECT_EQ(test, drm_shmem_purge(&bo->obj), 0);
	dma_resv_lock(gem->resv, NULL);
	KUNIT_EXPECT_EQ(test, gem->funcs->pin(gem), -ENODATA);
	dma_resv_unlock(gem->resv);
	drm_shmem_put(&bo->obj);
}

struct edge_import {
	struct drm_device *drm;
	struct dma_buf *dmabuf;
};

static int import_fn(struct kunit *test, void *ctx)
{
	struct edge_import *import = ctx;
	struct test_bo *bo = shmem_test_import(test, import->drm, import->dmabuf);

	if (!IS_ERR(bo))
		drm_shmem_put(&bo->obj);
	/* DMA-API debugging takes many mappings of one page at a time for a leak. */
	drm_shmem_flush_work();
	return PTR_ERR_OR_ZERO(bo);
}

/* Imports for which there is not enough memory leave nothing behind. */
static void import_fails(struct kunit *test)
{
	static const struct drm_driver * const drivers[] = {
		&shmem_test_driver, &shmem_test_driver_sgt,
	};

	for (int i = 0; i < ARRAY_SIZE(drivers); i++) {
		struct device *parent = drm_safe_test_parent(test);
		struct shmem_test_export e = {};
		struct edge_import import = {
			.drm = shmem_test_device(test, parent, drivers[i]),
			.dmabuf = shmem_test_export(test, &e, 2 * PAGE_SIZE),
		};

		KUNIT_EXPECT_GE(test, drm_safe_fail_nth(test, import_fn, &import), 2);
		drm_shmem_flush_work();
		KUNIT_EXPECT_EQ(test, atomic_read(&e.attached), 0);
		KUNIT_EXPECT_EQ(test, e.mapped, 0);
		shmem_test_export_put(import.dmabuf);
		KUNIT_EXPECT_TRUE(test, e.released);
	}
}

/* A task that holds the lock of an object until another task waits for it */
struct edge_holder {
	struct work_struct work;
	struct dma_resv *resv;
	struct completion locked;
	bool waited;
	bool leave;
};

static void hold_lock(struct work_struct *work)
{
	struct edge_holder *holder = container_of(work, struct edge_holder, work);

	dma_resv_lock(holder->resv, NULL);
	complete(&holder->locked);
	while (!drm_safe_test_lock_waits(&holder->resv->lock.base) && !READ_ONCE(holder->leave))
		schedule_timeout_idle(1);
	holder->waited = drm_safe_test_lock_waits(&holder->resv->lock.base);
	dma_resv_unlock(holder->resv);
}

static int signal_vmap(struct reclaim_bo *bo, const struct drm_dev_ctx_bound *bound)
{
	struct edge_map_owned map = {};
	int ret = drm_vmap_own(&map, &bo->obj);

	drm_vmap_release(&map);
	return ret;
}

static int signal_sgt(struct reclaim_bo *bo, const struct drm_dev_ctx_bound *bound)
{
	struct drm_shmem_sgt_owned table = {};
	int ret = drm_shmem_sgt_own(&table, bound, &bo->obj);

	drm_shmem_sgt_release(&table);
	return ret;
}

static int signal_sgt_unmap(struct reclaim_bo *bo, const struct drm_dev_ctx_bound *bound)
{
	return drm_shmem_sgt_unmap(&bo->obj);
}

static int signal_mmap_offset(struct reclaim_bo *bo, const struct drm_dev_ctx_bound *bound)
{
	u64 offset;

	return drm_shmem_mmap_offset(&bo->obj, &offset);
}

static int signal_madvise(struct reclaim_bo *bo, const struct drm_dev_ctx_bound *bound)
{
	return drm_shmem_madvise(&bo->obj, DRM_SHMEM_DONTNEED, NULL) == 1 ? 0 : -EIO;
}

static int signal_purge(struct reclaim_bo *bo, const struct drm_dev_ctx_bound *bound)
{
	return drm_shmem_purge(&bo->obj);
}

static int signal_evict(struct reclaim_bo *bo, const struct drm_dev_ctx_bound *bound)
{
	return drm_shmem_evict(&bo->obj);
}

/* A signal ends a wait only if the function's name ends in _interruptible. */
static void signal_is_pending(struct kunit *test)
{
	static int (*const fns[])(struct reclaim_bo *bo, const struct drm_dev_ctx_bound *bound) = {
		signal_vmap,	signal_sgt,   signal_sgt_unmap, signal_mmap_offset,
		signal_madvise, signal_evict, signal_purge,
	};
	struct shmem_test *t = test->priv;
	struct reclaim_bo *bo = shmem_test_reclaim_bo(test, 2 * PAGE_SIZE);

	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm)) {
		for (int i = 0; i < ARRAY_SIZE(fns); i++) {
			struct edge_holder holder = { .resv = drm_shmem_gem(&bo->obj)->resv };
			int ret;

			init_completion(&holder.locked);
			INIT_WORK_ONSTACK(&holder.work, hold_lock);
			schedule_work(&holder.work);
			wait_for_completion(&holder.locked);
			set_thread_flag(TIF_SIGPENDING);
			ret = fns[i](bo, &reg->base.bound);
			clear_thread_flag(TIF_SIGPENDING);
			WRITE_ONCE(holder.leave, true);
			flush_work(&holder.work);
			destroy_work_on_stack(&holder.work);
			KUNIT_EXPECT_EQ_MSG(test, ret, 0, "function %d", i);
			KUNIT_EXPECT_TRUE_MSG(test, holder.waited, "function %d", i);
		}
	}
	drm_shmem_put(&bo->obj);
}

static int interrupted_madvise(struct reclaim_bo *bo, struct drm_shmem_shrinker *s)
{
	return drm_shmem_madvise_interruptible(&bo->obj, DRM_SHMEM_DONTNEED, s);
}

static int interrupted_evict(struct reclaim_bo *bo, struct drm_shmem_shrinker *s)
{
	return drm_shmem_evict_interruptible(&bo->obj) ?: 1;
}

static int interrupted_pin(struct reclaim_bo *bo, struct drm_shmem_shrinker *s)
{
	const int ret = drm_shmem_pin_interruptible(&bo->obj);

	if (ret)
		return ret;
	drm_shmem_unpin(&bo->obj);
	return 1;
}

static int interrupted_unmap(struct reclaim_bo *bo, struct drm_shmem_shrinker *s)
{
	return drm_shmem_sgt_unmap_interruptible(&bo->obj) ?: 1;
}

static int interrupted_mmap_offset(struct reclaim_bo *bo, struct drm_shmem_shrinker *s)
{
	u64 offset;

	return drm_shmem_mmap_offset_interruptible(&bo->obj, &offset) ?: 1;
}

/* A needed object is not purged: without a signal, the call fails for another reason. */
static int interrupted_purge(struct reclaim_bo *bo, struct drm_shmem_shrinker *s)
{
	const int ret = drm_shmem_purge_interruptible(&bo->obj);

	return ret == -EBUSY ? 1 : ret;
}

static int interrupted_vmap_own(struct reclaim_bo *bo, struct drm_shmem_shrinker *s)
{
	struct edge_map_owned own = {};
	int ret = drm_vmap_own_interruptible(&own, &bo->obj);

	if (ret)
		return ret;
	drm_vmap_release(&own);
	return 1;
}

static int interrupted_vmap_plain(struct reclaim_bo *bo, struct drm_shmem_shrinker *s)
{
	struct edge_map_owned own = {};
	int ret = drm_vmap_own_interruptible(&own, &bo->obj.base);

	if (ret)
		return ret;
	drm_vmap_release(&own);
	return 1;
}

static int interrupted_vmap_guard(struct reclaim_bo *bo, struct drm_shmem_shrinker *s)
{
	int ret;

	drm_vmap_guard_interruptible(edge_map, map, &bo->obj, ret)
		ret = 1;
	return ret;
}

static int interrupted_vmap_or(struct reclaim_bo *bo, struct drm_shmem_shrinker *s)
{
	int ret;

	drm_vmap_or_interruptible(edge_map, map, &bo->obj, ret, return ret);
	return drm_vmap_gem(map) == drm_shmem_gem(&bo->obj);
}

/* The table stays mapped for the next user, who would take no lock: unmaps it. */
static int interrupted_sgt(struct reclaim_bo *bo, int ret)
{
	if (ret)
		return ret;
	return drm_shmem_sgt_unmap(&bo->obj) ?: 1;
}

static int interrupted_sgt_own(struct reclaim_bo *bo, struct drm_shmem_shrinker *s)
{
	struct drm_shmem_sgt_owned own = {};
	int ret = -ENODEV;

	drm_dev_ctx_guard(test_reg, reg, test_ctx(drm_shmem_gem(&bo->obj)->dev))
		ret = drm_shmem_sgt_own_interruptible(&own, &reg->base.bound, &bo->obj);
	drm_shmem_sgt_release(&own);
	return interrupted_sgt(bo, ret);
}

static int interrupted_sgt_guard(struct reclaim_bo *bo, struct drm_shmem_shrinker *s)
{
	int ret = -ENODEV;

	drm_dev_ctx_guard(test_reg, reg, test_ctx(drm_shmem_gem(&bo->obj)->dev))
		drm_shmem_sgt_guard_interruptible(sgt, &reg->base.bound, &bo->obj, ret)
			ret = IS_ERR_OR_NULL(drm_shmem_sgt_table(sgt)) ? -EIO : 0;
	return interrupted_sgt(bo, ret);
}

static int interrupted_sgt_table(const struct test_reg *reg, struct reclaim_bo *bo)
{
	int ret;

	drm_shmem_sgt_or_interruptible(sgt, &reg->base.bound, &bo->obj, ret, return ret);
	return IS_ERR_OR_NULL(drm_shmem_sgt_table(sgt)) ? -EIO : 0;
}

static int interrupted_sgt_or(struct reclaim_bo *bo, struct drm_shmem_shrinker *s)
{
	int ret = -ENODEV;

	drm_dev_ctx_guard(test_reg, reg, test_ctx(drm_shmem_gem(&bo->obj)->dev))
		ret = interrupted_sgt_table(reg, bo);
	return interrupted_sgt(bo, ret);
}

/* A guard, as in an ioctl */
static int interrupted_guard(struct reclaim_bo *bo, struct drm_shmem_shrinker *s)
{
	struct dma_resv *resv = drm_shmem_gem(&bo->obj)->resv;
	int ret;

	ACQUIRE(drm_resv_intr, lock)(resv);
	ret = ACQUIRE_ERR(drm_resv_intr, &lock);
	if (ret)
		return ret;
	dma_resv_assert_held(resv);
	return 1;
}

/* A signal ends the wait of functions whose name allows it, and nothing changes. */
static void signal_interrupts(struct kunit *test)
{
	static int (* const fns[])(struct reclaim_bo *bo, struct drm_shmem_shrinker *s) = {
		interrupted_pin, interrupted_unmap, interrupted_mmap_offset,
		interrupted_vmap_own, interrupted_vmap_plain, interrupted_vmap_guard,
		interrupted_vmap_or, interrupted_sgt_own, interrupted_sgt_guard,
		interrupted_sgt_or, interrupted_guard,
		interrupted_purge, interrupted_evict, interrupted_madvise,
	};
	struct shmem_test *t = test->priv;
	struct drm_shmem_shrinker *s = &test_dev(t->drm)->shrinker;
	struct reclaim_bo *bo = shmem_test_reclaim_bo(test, 2 * PAGE_SIZE);

	KUNIT_ASSERT_EQ(test, drmm_shmem_shrinker_init(t->drm, s), 0);
	for (int i = 0; i < ARRAY_SIZE(fns); i++) {
		struct shmem_test_holder *holder =
			shmem_test_hold(test, drm_shmem_gem(&bo->obj)->resv);

		set_thread_flag(TIF_SIGPENDING);
		KUNIT_EXPECT_EQ_MSG(test, fns[i](bo, s), -EINTR, "function %d", i);
		clear_thread_flag(TIF_SIGPENDING);
		KUNIT_EXPECT_TRUE(test, shmem_test_leave(holder));
		KUNIT_EXPECT_EQ(test, bo->obj.base.madv, 0);
		KUNIT_EXPECT_NULL(test, drm_shmem_gem(&bo->obj)->lru);
		KUNIT_EXPECT_EQ_MSG(test, fns[i](bo, s), 1, "function %d", i);
	}
	KUNIT_EXPECT_EQ(test, bo->obj.base.madv, 1);
	drm_shmem_put(&bo->obj);
}

struct edge_leave {
	struct delayed_work work;
	struct shmem_test_holder *holder;
};

static void edge_leave_fn(struct work_struct *work)
{
	struct edge_leave *leave = container_of(work, struct edge_leave, work.work);

	complete(&leave->holder->leave);
}

/* Only the end of the task ends the wait, another signal does not. */
static void guard_killable(struct kunit *test)
{
	struct reclaim_bo *bo = shmem_test_reclaim_bo(test, 2 * PAGE_SIZE);
	struct dma_resv *resv = drm_shmem_gem(&bo->obj)->resv;
	struct edge_leave leave = { .holder = shmem_test_hold(test, resv) };

	sigaddset(&current->pending.signal, SIGKILL);
	set_thread_flag(TIF_SIGPENDING);
	{
		ACQUIRE(drm_resv_kill, lock)(resv);
		KUNIT_EXPECT_EQ(test, ACQUIRE_ERR(drm_resv_kill, &lock), -EINTR);
	}
	sigdelset(&current->pending.signal, SIGKILL);
	KUNIT_EXPECT_FALSE(test, READ_ONCE(leave.holder->left));

	INIT_DELAYED_WORK_ONSTACK(&leave.work, edge_leave_fn);
	schedule_delayed_work(&leave.work, 2);
	{
		ACQUIRE(drm_resv_kill, lock)(resv);
		KUNIT_EXPECT_EQ(test, ACQUIRE_ERR(drm_resv_kill, &lock), 0);
		KUNIT_EXPECT_TRUE(test, READ_ONCE(leave.holder->left));
		clear_thread_flag(TIF_SIGPENDING);
	}
	clear_thread_flag(TIF_SIGPENDING);
	flush_delayed_work(&leave.work);
	destroy_delayed_work_on_stack(&leave.work);
	flush_work(&leave.holder->work);
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(resv));
	drm_shmem_put(&bo->obj);
}

/* The guards of a mutex: to the end of the scope, for a block, and as a trylock */
static void guards(struct kunit *test)
{
	struct reclaim_bo *bo = shmem_test_reclaim_bo(test, 2 * PAGE_SIZE);
	struct dma_resv *resv = drm_shmem_gem(&bo->obj)->resv;
	struct shmem_test_holder *holder;
	struct edge_map_owned map = {};
	bool busy = false;

	scoped_guard(drm_resv, resv) {
		dma_resv_assert_held(resv);
		KUNIT_EXPECT_EQ(test, drm_vmap_own_locked(&map, &bo->obj), 0);
	}
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(resv));
	scoped_cond_guard(drm_resv_try, busy = true, resv)
		dma_resv_assert_held(resv);
	KUNIT_EXPECT_FALSE(test, busy);
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(resv));

	holder = shmem_test_hold(test, resv);
	{
		ACQUIRE(drm_resv_try, lock)(resv);
		KUNIT_EXPECT_EQ(test, ACQUIRE_ERR(drm_resv_try, &lock), -EBUSY);
	}
	KUNIT_EXPECT_TRUE(test, shmem_test_leave(holder));

	/* Which object a mapping is of */
	KUNIT_EXPECT_PTR_EQ(test, drm_vmap_gem(&map), drm_shmem_gem(&bo->obj));
	KUNIT_EXPECT_PTR_EQ(test, drm_vmap_obj(&reclaim_bo_type, &map), bo);
	KUNIT_EXPECT_NULL(test, drm_vmap_obj(&test_bo_type, &map));
	drm_vmap_release(&map);
	KUNIT_EXPECT_NULL(test, drm_vmap_gem(&map));
	drm_shmem_put(&bo->obj);
}

/* The kernel's reports about a task that sleeps in atomic context */
struct edge_log {
	struct task_struct *task;
	unsigned int reports;
};

static void edge_console_probe(void *data, const char *text, size_t len)
{
	struct edge_log *log = data;

	if (current == log->task && strnstr(text, "sleeping function called", len))
		log->reports++;
}

static int edge_log_begin(struct kunit *test, struct edge_log *log)
{
	if (!IS_ENABLED(CONFIG_DEBUG_ATOMIC_SLEEP) || !IS_ENABLED(CONFIG_TRACEPOINTS))
		kunit_skip(test, "needs CONFIG_DEBUG_ATOMIC_SLEEP and CONFIG_TRACEPOINTS");
	/* The kernel has one such report in a second. */
	schedule_timeout_uninterruptible(HZ + 1);
	log->task = current;
	log->reports = 0;
	return register_trace_console(edge_console_probe, log);
}

static unsigned int edge_log_end(struct edge_log *log)
{
	unregister_trace_console(edge_console_probe, log);
	tracepoint_synchronize_unregister();
	return log->reports;
}

/* A call in atomic context is reported, also if it has no reason to sleep this time. */
static void atomic_context(struct kunit *test)
{
	struct edge_map_owned first = {}, own = {};
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);
	struct edge_log log;
	int ret;

	KUNIT_ASSERT_EQ(test, edge_log_begin(test, &log), 0);
	ret = drm_vmap_own(&first, &bo->obj);
	kunit_info(test, "expected report begins");
	preempt_disable();
	ret = ret ?: drm_vmap_own(&own, &bo->obj);
	preempt_enable();
	kunit_info(test, "expected report ends");

	KUNIT_EXPECT_EQ(test, edge_log_end(&log), 1);
	KUNIT_EXPECT_EQ(test, ret, 0);
	drm_vmap_release(&own);
	drm_vmap_release(&first);
}

/* A call that only reads a pointer is reported, too. */
static void atomic_borrow(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);
	unsigned int reports = 1;
	struct edge_log log;
	int ret = -ENODEV;

	KUNIT_ASSERT_EQ(test, edge_log_begin(test, &log), 0);
	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm)) {
		drm_shmem_sgt_guard(sgt, &reg->base.bound, &bo->obj, ret)
			reports = log.reports;
		kunit_info(test, "expected report begins");
		preempt_disable();
		drm_shmem_sgt_guard(sgt, &reg->base.bound, &bo->obj, ret)
			;
		preempt_enable();
		kunit_info(test, "expected report ends");
	}
	KUNIT_EXPECT_EQ(test, edge_log_end(&log), 1);
	KUNIT_EXPECT_EQ(test, reports, 0);
	KUNIT_EXPECT_EQ(test, ret, 0);
}

static int killed_mmap(struct reclaim_bo *bo)
{
	struct vm_area_struct vma = { .vm_flags = VM_SHARED | VM_MAYWRITE };

	return drm_shmem_gem(&bo->obj)->funcs->mmap(drm_shmem_gem(&bo->obj), &vma);
}

static struct drm_file *killed_file;
static u32 killed_handle;

static int killed_dumb_offset(struct reclaim_bo *bo)
{
	struct drm_device *drm = drm_shmem_gem(&bo->obj)->dev;
	u64 offset;

	return drm->driver->dumb_map_offset(killed_file, drm, killed_handle, &offset);
}

/* A task that was killed does not wait in a call of userspace's that the core made. */
static void signal_kills(struct kunit *test)
{
	static int (* const fns[])(struct reclaim_bo *bo) = {
		killed_dumb_offset, killed_mmap,
	};
	struct shmem_test *t = test->priv;
	struct reclaim_bo *bo = shmem_test_reclaim_bo(test, 2 * PAGE_SIZE);

	KUNIT_ASSERT_EQ(test, drm_shmem_handle_create(&bo->obj, t->file, &killed_handle), 0);
	killed_file = t->file;
	for (int i = 0; i < ARRAY_SIZE(fns); i++) {
		struct dma_resv *resv = drm_shmem_gem(&bo->obj)->resv;
		struct shmem_test_holder *holder = shmem_test_hold(test, resv);

		sigaddset(&current->pending.signal, SIGKILL);
		set_thread_flag(TIF_SIGPENDING);
		KUNIT_EXPECT_EQ_MSG(test, fns[i](bo), -EINTR, "function %d", i);
		sigdelset(&current->pending.signal, SIGKILL);
		clear_thread_flag(TIF_SIGPENDING);
		KUNIT_EXPECT_TRUE(test, shmem_test_leave(holder));
	}
	KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.__mmaps), 0);
	KUNIT_EXPECT_FALSE(test, drm_mm_node_allocated(&drm_shmem_gem(&bo->obj)->vma_node.vm_node));
	KUNIT_EXPECT_EQ(test, drm_gem_handle_delete(t->file, killed_handle), 0);
	drm_shmem_put(&bo->obj);
}

/* No wait for the lock of an exporter, either */
static void signal_kills_import(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, PAGE_SIZE);
	struct test_bo *bo = shmem_test_import(test, t->drm, dmabuf);
	struct shmem_test_holder *holder;
	struct drm_shmem_sgt_owned table = {};
	struct edge_map_owned map = {};

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	holder = shmem_test_hold(test, dmabuf->resv);
	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm)) {
		int ret;

		sigaddset(&current->pending.signal, SIGKILL);
		set_thread_flag(TIF_SIGPENDING);
		KUNIT_EXPECT_EQ(test, drm_vmap_own(&map, &bo->obj), -EINTR);
		KUNIT_EXPECT_EQ(test, drm_vmap_own(&map, &bo->obj.base), -EINTR);
		ret = drm_shmem_sgt_own(&table, &reg->base.bound, &bo->obj);
		KUNIT_EXPECT_EQ(test, ret, -EINTR);
		drm_shmem_sgt_guard(sgt, &reg->base.bound, &bo->obj, ret)
			KUNIT_FAIL(test, "mapped");
		KUNIT_EXPECT_EQ(test, ret, -EINTR);
		sigdelset(&current->pending.signal, SIGKILL);
		clear_thread_flag(TIF_SIGPENDING);
	}
	KUNIT_EXPECT_TRUE(test, shmem_test_leave(holder));
	KUNIT_EXPECT_EQ(test, e.maps, 0);
	KUNIT_EXPECT_EQ(test, e.vmapped, 0);
	drm_shmem_put(&bo->obj);
	shmem_test_export_put(dmabuf);
}

static int twice_pin(struct reclaim_bo *bo)
{
	return drm_shmem_pin(&bo->obj);
}

static int twice_madvise(struct reclaim_bo *bo)
{
	return drm_shmem_madvise(&bo->obj, DRM_SHMEM_WILLNEED, NULL);
}

static int twice_purge(struct reclaim_bo *bo)
{
	return drm_shmem_purge(&bo->obj);
}

static int twice_evict(struct reclaim_bo *bo)
{
	return drm_shmem_evict_interruptible(&bo->obj);
}

static int twice_unmap(struct reclaim_bo *bo)
{
	return drm_shmem_sgt_unmap(&bo->obj);
}

static int twice_mmap_offset(struct reclaim_bo *bo)
{
	u64 offset;

	return drm_shmem_mmap_offset(&bo->obj, &offset);
}

/* Calls without a _locked form are refused under the lock, in each kernel. */
static void locked_twice(struct kunit *test)
	__context_unsafe("calls that are wrong")
{
	static int (* const fns[])(struct reclaim_bo *bo) = {
		twice_pin, twice_madvise, twice_purge, twice_evict, twice_unmap, twice_mmap_offset,
	};
	struct reclaim_bo *bo = shmem_test_reclaim_bo(test, 2 * PAGE_SIZE);

	KUNIT_ASSERT_EQ(test, drm_shmem_pin(&bo->obj), 0);
	dma_resv_lock(drm_shmem_gem(&bo->obj)->resv, NULL);
	for (int i = 0; i < ARRAY_SIZE(fns); i++) {
		kunit_warning_suppress(test) {
			KUNIT_EXPECT_EQ_MSG(test, fns[i](bo), -EALREADY, "function %d", i);
			EXPECT_BROKEN(test, "the reservation lock is taken once");
		}
	}
	/* Calls that cannot fail do their work. */
	kunit_warning_suppress(test) {
		drm_shmem_unpin(&bo->obj);
		EXPECT_BROKEN(test, "the reservation lock is taken once");
	}
	KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.base.pages_pin_count), 0);
	dma_resv_unlock(drm_shmem_gem(&bo->obj)->resv);
	drm_shmem_put(&bo->obj);
}

/* A handle to a table can be given up under the lock, if another reference is left. */
static void released_under_lock(struct kunit *test)
	__context_unsafe("the analysis knows nothing of the other reference")
{
	struct shmem_test *t = test->priv;
	struct reclaim_bo *bo = shmem_test_reclaim_bo(test, 2 * PAGE_SIZE);
	struct drm_shmem_sgt_owned table = {};

	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm))
		KUNIT_EXPECT_EQ(test, drm_shmem_sgt_own(&table, &reg->base.bound, &bo->obj), 0);
	dma_resv_lock(drm_shmem_gem(&bo->obj)->resv, NULL);
	drm_shmem_sgt_release(&table);
	dma_resv_unlock(drm_shmem_gem(&bo->obj)->resv);
	KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.__table.__users), 1);
	KUNIT_EXPECT_EQ(test, kref_read(&drm_shmem_gem(&bo->obj)->refcount), 1);
	drm_shmem_put(&bo->obj);
}

static struct kunit_case drm_shmem_edge_cases[] = {
	KUNIT_CASE(dma_map_fails),
	KUNIT_CASE(other_device),
	KUNIT_CASE(lengths),
	KUNIT_CASE(memory_status),
	KUNIT_CASE(memory_status_import),
	KUNIT_CASE(pin_purged),
	KUNIT_CASE(import_fails),
	KUNIT_CASE(signal_is_pending),
	KUNIT_CASE(signal_interrupts),
	KUNIT_CASE(signal_kills),
	KUNIT_CASE(guard_killable),
	KUNIT_CASE(guards),
	KUNIT_CASE(signal_kills_import),
	KUNIT_CASE(locked_twice),
	KUNIT_CASE(released_under_lock),
	KUNIT_CASE(atomic_context),
	KUNIT_CASE(atomic_borrow),
	{}
};

static struct kunit_suite drm_shmem_edge_suite = {
	.name = "drm_shmem_edge",
	.init = shmem_test_init,
	.test_cases = drm_shmem_edge_cases,
};

kunit_test_suite(drm_shmem_edge_suite);
