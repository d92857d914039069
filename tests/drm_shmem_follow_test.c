// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Imports whose exporter moves the memory: drm_shmem_follow.c
 */

#include <kunit/static_stub.h>
#include <linux/completion.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/path.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/shrinker.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>

#include "drm_shmem_internal.h"
#include "drm_shmem_test.h"

/* An import, and its state in a page table */
struct follow_bo {
	struct drm_shmem_obj obj;
	struct drm_shmem_sgt_owned table;
	struct follow_late_owner *late;
	unsigned int moved;
	bool keeps;		/* does not suspend, against the rule */
	bool drops;		/* puts the reference of the test */
};

/* The log of an object's end, and the behaviour of its init step */
static struct task_struct *follow_ended;
static struct drm_device *follow_init_owns;

DRM_SHMEM_OBJ_TYPE(follow_bo_type, struct follow_bo, obj, struct follow_bo_unique);

static void follow_invalidate(struct dma_buf *dmabuf)
{
	dma_resv_lock(dmabuf->resv, NULL);
	dma_buf_invalidate_mappings(dmabuf);
	dma_resv_unlock(dmabuf->resv);
}

static int follow_own(struct drm_device *drm, struct follow_bo *bo)
{
	drm_dev_ctx_or(test_reg, reg, test_ctx(drm), return -ESHUTDOWN);
	return drm_shmem_sgt_own(&bo->table, &reg->base.bound, &bo->obj);
}

/* A task that gets the table while it moves, for a handle that the moved step has looked at */
struct follow_late_owner {
	struct work_struct work;
	struct completion done;
	struct drm_device *drm;
	struct follow_bo *bo;
	int ret;
};

static void follow_late_own_fn(struct work_struct *work)
{
	struct follow_late_owner *late = container_of(work, struct follow_late_owner, work);

	late->ret = follow_own(late->drm, late->bo);
	complete(&late->done);
}

static int follow_bo_init(struct drm_shmem_obj *obj)
{
	struct follow_bo *bo = container_of(obj, struct follow_bo, obj);
	int ret;

	if (!follow_init_owns)
		return 0;
	ret = follow_own(follow_init_owns, bo);
	if (!ret)
		follow_invalidate(drm_shmem_gem(obj)->import_attach->dmabuf);
	return ret;
}

static void follow_bo_fini(struct drm_shmem_obj *obj)
{
	follow_ended = current;
}

static void follow_bo_moved(struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	struct follow_bo *bo = drm_shmem_from_obj(&follow_bo_type, obj);

	dma_resv_assert_held(drm_shmem_gem(obj)->resv);
	bo->moved++;
	if (!bo->keeps)
		drm_shmem_sgt_suspend(&bo->table);
	if (bo->late) {
		schedule_work(&bo->late->work);
		wait_for_completion_timeout(&bo->late->done, HZ / 4);
	}
	if (bo->drops)
		drm_shmem_put(obj);
}

const struct follow_bo_type follow_bo_type = {
	DRM_SHMEM_OBJ_FUNCS,
	.base.flags = DRM_SHMEM_RECLAIM,
	.base.init = follow_bo_init,
	.base.fini = follow_bo_fini,
	.base.moved = follow_bo_moved,
};

/* One that does not count the users of its tables */
struct follow_bad {
	struct drm_shmem_obj obj;
};

DRM_SHMEM_OBJ_TYPE(follow_bad_type, struct follow_bad, obj, struct follow_bad_unique);

static void follow_bad_moved(struct drm_shmem_obj *obj)
{
}

const struct follow_bad_type follow_bad_type = {
	DRM_SHMEM_OBJ_FUNCS,
	.base.moved = follow_bad_moved,
};

/* The same, of a type that evicts */
DRM_SHMEM_OBJ_TYPE(follow_bad_evict_type, struct follow_bad, obj, struct follow_bad_evict_unique);

static int follow_bad_evict(struct drm_shmem_obj *obj)
{
	return 0;
}

const struct follow_bad_evict_type follow_bad_evict_type = {
	DRM_SHMEM_OBJ_FUNCS,
	.base.evict = follow_bad_evict,
};

static struct drm_gem_object *follow_create_object(struct drm_device *drm, size_t size)
{
	return drm_shmem_gem_create_object(&follow_bo_type);
}

DEFINE_DRM_GEM_FOPS(follow_fops);

static const struct drm_driver follow_driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER,
	.fops = &follow_fops,
	.name = "shmem_follow",
	.desc = "test device of drm_shmem_safe",
	.gem_create_object = follow_create_object,
	DRM_SHMEM_DRIVER_OPS,
};

static const struct drm_driver follow_driver_sgt = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER,
	.fops = &follow_fops,
	.name = "shmem_follow_sgt",
	.desc = "test device of drm_shmem_safe",
	.gem_create_object = follow_create_object,
	DRM_SHMEM_DRIVER_OPS_SGT,
};

struct follow {
	struct device *parent;
	struct drm_device *drm;
	struct shmem_test_export e;
	struct dma_buf *dmabuf;
	struct follow_bo *bo;
};

static struct follow_bo *follow_import(struct drm_device *drm, struct dma_buf *dmabuf)
{
	struct drm_gem_object *gem = drm->driver->gem_prime_import(drm, dmabuf);

	return IS_ERR(gem) ? ERR_CAST(gem) : drm_shmem_from_gem(&follow_bo_type, gem);
}

static void follow_begin(struct kunit *test, struct follow *f, const struct drm_driver *driver)
{
	*f = (struct follow) { .parent = drm_safe_test_parent(test) };
	follow_ended = NULL;
	f->drm = shmem_test_device(test, f->parent, driver);
	f->dmabuf = shmem_test_export(test, &f->e, 2 * PAGE_SIZE);
	f->bo = follow_import(f->drm, f->dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f->bo);
}

static void follow_end(struct kunit *test, struct follow *f)
{
	drm_shmem_sgt_release(&f->bo->table);
	drm_shmem_put(&f->bo->obj);
	shmem_test_export_put(f->dmabuf);
	KUNIT_EXPECT_NOT_NULL(test, follow_ended);
	KUNIT_EXPECT_EQ(test, f->e.mapped, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&f->e.attached), 0);
	KUNIT_EXPECT_TRUE(test, f->e.released);
}

static int follow_resume(struct follow *f)
{
	struct dma_resv *resv = drm_shmem_gem(&f->bo->obj)->resv;
	int ret;

	drm_dev_ctx_or(test_reg, reg, test_ctx(f->drm), return -ESHUTDOWN);
	dma_resv_lock(resv, NULL);
	ret = drm_shmem_sgt_resume(&f->bo->table, &reg->base.bound);
	dma_resv_unlock(resv);
	return ret;
}

static int follow_use_owned(struct follow *f)
{
	int ret, used = 0;

	drm_dev_ctx_or(test_reg, reg, test_ctx(f->drm), return -ESHUTDOWN);
	drm_shmem_sgt_guard_owned(sgt, &reg->base.bound, &f->bo->table, ret)
		used = drm_shmem_sgt_table(sgt)->nents;
	return !ret == !!used ? ret : -EIO;
}

static int follow_borrow(struct follow *f)
{
	int ret;

	drm_dev_ctx_or(test_reg, reg, test_ctx(f->drm), return -ESHUTDOWN);
	drm_shmem_sgt_or(sgt, &reg->base.bound, &f->bo->obj, ret, return ret);
	return 0;
}

static const char *follow_fence_name(struct dma_fence *fence)
{
	return "shmem_follow";
}

static const struct dma_fence_ops follow_fence_ops = {
	.get_driver_name = follow_fence_name,
	.get_timeline_name = follow_fence_name,
};

static DEFINE_SPINLOCK(follow_fence_lock);

/* The fence of a job that uses the memory. The caller holds the lock. */
static struct dma_fence *follow_job_locked(struct kunit *test, struct dma_resv *resv)
{
	struct dma_fence *fence = kzalloc_obj(*fence);

	KUNIT_ASSERT_NOT_NULL(test, fence);
	dma_fence_init(fence, &follow_fence_ops, &follow_fence_lock, dma_fence_context_alloc(1), 1);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(resv, 1), 0);
	dma_resv_add_fence(resv, fence, DMA_RESV_USAGE_BOOKKEEP);
	return fence;
}

static struct dma_fence *follow_job(struct kunit *test, struct dma_resv *resv)
{
	struct dma_fence *fence;

	dma_resv_lock(resv, NULL);
	fence = follow_job_locked(test, resv);
	dma_resv_unlock(resv);
	return fence;
}

/* A task has begun to wait for the fence. */
static void follow_expect_waits(struct kunit *test, struct dma_fence *fence)
{
	for (int i = 0; i < 30 * HZ; i++) {
		if (test_bit(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT, &fence->flags))
			return;
		schedule_timeout_idle(1);
	}
	KUNIT_FAIL(test, "nothing waits for the job");
}

static void follow_job_ends(struct dma_fence *fence)
{
	dma_fence_signal(fence);
	dma_fence_put(fence);
}

/* The table goes, and its owner gets the next one. */
static void follows(struct kunit *test)
{
	struct follow f;

	follow_begin(test, &f, &follow_driver);
	KUNIT_EXPECT_TRUE(test, dma_buf_attach_revocable(drm_shmem_gem(&f.bo->obj)->import_attach));
	/* Nothing is mapped yet. */
	follow_invalidate(f.dmabuf);
	KUNIT_EXPECT_EQ(test, f.bo->moved, 0);
	KUNIT_ASSERT_EQ(test, follow_own(f.drm, f.bo), 0);

	for (int i = 1; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, follow_use_owned(&f), 0);
		KUNIT_EXPECT_EQ(test, f.e.mapped, 1);
		KUNIT_EXPECT_EQ(test, f.e.maps, i);
		follow_invalidate(f.dmabuf);
		KUNIT_EXPECT_EQ(test, f.bo->moved, i);
		KUNIT_EXPECT_EQ(test, f.e.mapped, 0);
		KUNIT_EXPECT_FALSE(test, drm_shmem_has_sgt(&f.bo->obj));
		KUNIT_EXPECT_EQ(test, follow_use_owned(&f), -EAGAIN);
		follow_invalidate(f.dmabuf);
		KUNIT_EXPECT_EQ(test, f.bo->moved, i);
		KUNIT_EXPECT_EQ(test, follow_resume(&f), 0);
	}
	follow_end(test, &f);
}

/* A borrowed table stays for its scope, and no other task gets it. */
static void follows_borrowed(struct kunit *test)
{
	struct follow f;
	int ret;

	follow_begin(test, &f, &follow_driver);
	KUNIT_ASSERT_EQ(test, follow_own(f.drm, f.bo), 0);
	{
		drm_dev_ctx_or(test_reg, reg, test_ctx(f.drm), return);
		drm_shmem_sgt_guard(sgt, &reg->base.bound, &f.bo->obj, ret) {
			follow_invalidate(f.dmabuf);
			KUNIT_EXPECT_EQ(test, f.bo->moved, 1);
			KUNIT_EXPECT_EQ(test, f.e.mapped, 1);
			KUNIT_EXPECT_EQ(test, sg_page(drm_shmem_sgt_table(sgt)->sgl) ==
					virt_to_page(f.e.mem), true);
			KUNIT_EXPECT_EQ(test, follow_borrow(&f), -EAGAIN);
			KUNIT_EXPECT_EQ(test, follow_resume(&f), -EAGAIN);
			KUNIT_EXPECT_EQ(test, drm_shmem_sgt_unmap(&f.bo->obj), -EBUSY);
			/* It has moved already. */
			follow_invalidate(f.dmabuf);
			KUNIT_EXPECT_EQ(test, f.bo->moved, 1);
			KUNIT_EXPECT_EQ(test, f.e.mapped, 1);
		}
		KUNIT_EXPECT_EQ(test, ret, 0);
	}
	/* No task asks for the table again, so it goes by itself. */
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, f.e.mapped, 0);
	KUNIT_EXPECT_EQ(test, f.e.maps, 1);
	KUNIT_EXPECT_EQ(test, follow_borrow(&f), 0);
	KUNIT_EXPECT_EQ(test, follow_resume(&f), 0);
	KUNIT_EXPECT_EQ(test, f.e.maps, 2);
	follow_end(test, &f);
}

/* A block with an owned handle keeps the table, though the moved step suspends the handle. */
static void follows_owned_block(struct kunit *test)
{
	struct follow f;
	int ret;

	follow_begin(test, &f, &follow_driver);
	KUNIT_ASSERT_EQ(test, follow_own(f.drm, f.bo), 0);
	{
		drm_dev_ctx_or(test_reg, reg, test_ctx(f.drm), return);
		drm_shmem_sgt_guard_owned(sgt, &reg->base.bound, &f.bo->table, ret) {
			follow_invalidate(f.dmabuf);
			KUNIT_EXPECT_EQ(test, f.bo->moved, 1);
			KUNIT_EXPECT_EQ(test, f.e.mapped, 1);
			KUNIT_EXPECT_EQ(test, drm_shmem_sgt_table(sgt)->nents, 1);
			KUNIT_EXPECT_EQ(test, follow_use_owned(&f), -EAGAIN);
			KUNIT_EXPECT_EQ(test, follow_resume(&f), -EAGAIN);
		}
		KUNIT_EXPECT_EQ(test, ret, 0);
	}
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, f.e.mapped, 0);
	KUNIT_EXPECT_EQ(test, follow_use_owned(&f), -EAGAIN);
	KUNIT_EXPECT_EQ(test, follow_resume(&f), 0);
	KUNIT_EXPECT_EQ(test, follow_use_owned(&f), 0);
	follow_end(test, &f);
}

/* The moved step has suspended the handle, and nothing has a table by now. */
static void owned_block_comes_late(struct kunit *test)
{
	struct follow f;
	int ret;

	follow_begin(test, &f, &follow_driver);
	KUNIT_ASSERT_EQ(test, follow_own(f.drm, f.bo), 0);
	follow_invalidate(f.dmabuf);
	{
		drm_dev_ctx_or(test_reg, reg, test_ctx(f.drm), return);
		/* As if it had looked at the handle before */
		WRITE_ONCE(f.bo->table.__own.__suspended, 0);
		drm_shmem_sgt_guard_owned(sgt, &reg->base.bound, &f.bo->table, ret)
			KUNIT_FAIL(test, "there is no table");
		KUNIT_EXPECT_EQ(test, ret, -EAGAIN);
		WRITE_ONCE(f.bo->table.__own.__suspended, 1);
	}
	follow_end(test, &f);
}

struct follow_borrower {
	struct work_struct work;
	struct follow *f;
	int ret;
};

static void follow_borrow_fn(struct work_struct *work)
{
	struct follow_borrower *b = container_of(work, struct follow_borrower, work);

	b->ret = follow_borrow(b->f);
}

/* How many tasks wait for a job */
static size_t follow_waiters(struct dma_fence *job)
{
	guard(spinlock_irqsave)(&follow_fence_lock);
	return list_count_nodes(&job->cb_list);
}

/* While a task waits for the jobs of a table that has moved, others get the lock. */
static void waits_without_lock(struct kunit *test)
{
	struct follow_borrower *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);
	struct dma_fence *job;
	struct follow f;
	bool locked;

	KUNIT_ASSERT_NOT_NULL(test, b);
	follow_begin(test, &f, &follow_driver);
	KUNIT_ASSERT_EQ(test, follow_own(f.drm, f.bo), 0);
	job = follow_job(test, f.dmabuf->resv);
	follow_invalidate(f.dmabuf);
	/* The work item that unmaps the table waits, too. */
	follow_expect_waits(test, job);
	b->f = &f;
	INIT_WORK(&b->work, follow_borrow_fn);
	drm_safe_test_work_waits(test, &b->work, follow_waiters(job) == 2);
	locked = dma_resv_trylock(f.dmabuf->resv);
	KUNIT_EXPECT_TRUE(test, locked);
	if (locked)
		dma_resv_unlock(f.dmabuf->resv);
	follow_job_ends(job);
	flush_work(&b->work);
	KUNIT_EXPECT_EQ(test, b->ret, 0);
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, f.e.maps, 2);
	follow_end(test, &f);
}

/* A user that comes before the work item has run does not wait for it. */
static void follows_at_once(struct kunit *test)
{
	struct follow f;
	struct dma_resv *resv;
	int ret;

	follow_begin(test, &f, &follow_driver);
	resv = drm_shmem_gem(&f.bo->obj)->resv;
	{
		drm_dev_ctx_or(test_reg, reg, test_ctx(f.drm), return);
		dma_resv_lock(resv, NULL);
		drm_shmem_sgt_guard_locked(sgt, &reg->base.bound, &f.bo->obj, ret)
			dma_buf_invalidate_mappings(f.dmabuf);
		KUNIT_EXPECT_EQ(test, ret, 0);
		KUNIT_EXPECT_EQ(test, f.e.mapped, 1);
		drm_shmem_sgt_guard_locked(sgt, &reg->base.bound, &f.bo->obj, ret)
			KUNIT_EXPECT_EQ(test, f.e.mapped, 1);
		KUNIT_EXPECT_EQ(test, ret, 0);
		dma_resv_unlock(resv);
	}
	KUNIT_EXPECT_EQ(test, f.e.maps, 2);
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, f.e.mapped, 1);
	follow_end(test, &f);
}

/* Jobs that run when the memory moves keep the table, and those that come later do not. */
static void jobs_keep_table(struct kunit *test)
{
	struct dma_fence *job, *next;
	struct follow f;

	follow_begin(test, &f, &follow_driver);
	KUNIT_ASSERT_EQ(test, follow_own(f.drm, f.bo), 0);
	job = follow_job(test, f.dmabuf->resv);
	follow_invalidate(f.dmabuf);
	KUNIT_EXPECT_EQ(test, f.bo->moved, 1);
	KUNIT_EXPECT_EQ(test, f.e.mapped, 1);
	KUNIT_EXPECT_EQ(test, follow_use_owned(&f), -EAGAIN);
	KUNIT_EXPECT_EQ(test, drm_shmem_sgt_unmap(&f.bo->obj), -EBUSY);
	follow_invalidate(f.dmabuf);
	KUNIT_EXPECT_EQ(test, f.bo->moved, 1);
	follow_expect_waits(test, job);
	KUNIT_EXPECT_EQ(test, f.e.mapped, 1);

	next = follow_job(test, f.dmabuf->resv);
	follow_job_ends(job);
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, f.e.mapped, 0);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(next));
	KUNIT_EXPECT_EQ(test, follow_resume(&f), 0);
	KUNIT_EXPECT_EQ(test, f.e.maps, 2);
	follow_job_ends(next);
	follow_end(test, &f);
}

struct follow_resumer {
	struct work_struct work;
	struct follow *f;
	int ret;
};

static void follow_resume_fn(struct work_struct *work)
{
	struct follow_resumer *r = container_of(work, struct follow_resumer, work);

	r->ret = follow_resume(r->f);
}

/* The next user waits for the jobs of the last table, and gets the next one. */
static void jobs_delay_next(struct kunit *test)
{
	struct follow_resumer *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	struct dma_fence *job;
	struct follow f;

	KUNIT_ASSERT_NOT_NULL(test, r);
	follow_begin(test, &f, &follow_driver);
	KUNIT_ASSERT_EQ(test, follow_own(f.drm, f.bo), 0);
	job = follow_job(test, f.dmabuf->resv);
	r->f = &f;
	r->ret = -1;
	INIT_WORK(&r->work, follow_resume_fn);
	follow_invalidate(f.dmabuf);
	drm_safe_test_work_waits(test, &r->work, dma_resv_is_locked(f.dmabuf->resv) &&
				 test_bit(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT, &job->flags));
	KUNIT_EXPECT_EQ(test, f.e.mapped, 1);
	KUNIT_EXPECT_EQ(test, f.e.maps, 1);
	KUNIT_EXPECT_EQ(test, READ_ONCE(r->ret), -1);
	follow_job_ends(job);
	flush_work(&r->work);
	KUNIT_EXPECT_EQ(test, r->ret, 0);
	KUNIT_EXPECT_EQ(test, f.e.mapped, 1);
	KUNIT_EXPECT_EQ(test, f.e.maps, 2);
	/* The work item finds that nothing is left to do. */
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, f.e.mapped, 1);
	follow_end(test, &f);
}

/* Revocation waits for no fence: the device has stopped. Nor does the work item then. */
static void jobs_revoked(struct kunit *test)
{
	struct dma_fence *job;
	struct follow f;

	follow_begin(test, &f, &follow_driver);
	KUNIT_ASSERT_EQ(test, follow_own(f.drm, f.bo), 0);
	job = follow_job(test, f.dmabuf->resv);
	follow_invalidate(f.dmabuf);
	KUNIT_EXPECT_EQ(test, f.e.mapped, 1);
	drm_safe_test_unbind(test, f.parent);
	KUNIT_EXPECT_EQ(test, f.e.mapped, 0);
	drm_shmem_flush_work();
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(job));
	KUNIT_EXPECT_EQ(test, kref_read(&drm_shmem_gem(&f.bo->obj)->refcount), 2);
	follow_job_ends(job);
	follow_end(test, &f);
}

/* The memory moves a second time while the work item waits because of the first. */
static void jobs_move_twice(struct kunit *test)
{
	struct dma_fence *first, *second;
	struct follow f;

	follow_begin(test, &f, &follow_driver);
	KUNIT_ASSERT_EQ(test, follow_own(f.drm, f.bo), 0);
	first = follow_job(test, f.dmabuf->resv);
	follow_invalidate(f.dmabuf);
	follow_expect_waits(test, first);
	/* All at once, so the work item sees only the end. */
	dma_resv_lock(f.dmabuf->resv, NULL);
	dma_fence_signal(first);
	{
		drm_dev_ctx_or(test_reg, reg, test_ctx(f.drm), return);
		KUNIT_EXPECT_EQ(test, drm_shmem_sgt_resume(&f.bo->table, &reg->base.bound), 0);
	}
	second = follow_job_locked(test, f.dmabuf->resv);
	dma_buf_invalidate_mappings(f.dmabuf);
	dma_resv_unlock(f.dmabuf->resv);
	KUNIT_EXPECT_EQ(test, f.bo->moved, 2);
	follow_expect_waits(test, second);
	KUNIT_EXPECT_EQ(test, f.e.mapped, 1);
	KUNIT_EXPECT_EQ(test, f.e.maps, 2);
	follow_job_ends(second);
	dma_fence_put(first);
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, f.e.mapped, 0);
	follow_end(test, &f);
}

/* An owner that does not suspend keeps the table, but not for longer than the parent is bound. */
static void revoked(struct kunit *test)
{
	struct follow f;

	follow_begin(test, &f, &follow_driver);
	KUNIT_ASSERT_EQ(test, follow_own(f.drm, f.bo), 0);
	f.bo->keeps = true;
	follow_invalidate(f.dmabuf);
	KUNIT_EXPECT_EQ(test, f.e.mapped, 1);
	KUNIT_EXPECT_EQ(test, follow_borrow(&f), -EAGAIN);
	drm_safe_test_unbind(test, f.parent);
	KUNIT_EXPECT_EQ(test, f.e.mapped, 0);
	follow_invalidate(f.dmabuf);
	KUNIT_EXPECT_EQ(test, f.bo->moved, 1);
	follow_end(test, &f);
}

/* An owner that is late to leave has the table unmapped, too. */
static void leaves_late(struct kunit *test)
{
	struct follow f;

	follow_begin(test, &f, &follow_driver);
	KUNIT_ASSERT_EQ(test, follow_own(f.drm, f.bo), 0);
	f.bo->keeps = true;
	follow_invalidate(f.dmabuf);
	KUNIT_EXPECT_EQ(test, f.e.mapped, 1);
	drm_shmem_sgt_release(&f.bo->table);
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, f.e.mapped, 0);
	follow_end(test, &f);
}

/* A table that is owned while it moves is a new one, or not owned. */
static void owned_in_call(struct kunit *test)
{
	struct follow_late_owner *late = kunit_kzalloc(test, sizeof(*late), GFP_KERNEL);
	struct follow f;

	KUNIT_ASSERT_NOT_NULL(test, late);
	follow_begin(test, &f, &follow_driver);
	KUNIT_EXPECT_EQ(test, follow_borrow(&f), 0);
	*late = (struct follow_late_owner) { .drm = f.drm, .bo = f.bo, .ret = -1 };
	init_completion(&late->done);
	INIT_WORK(&late->work, follow_late_own_fn);
	f.bo->late = late;
	follow_invalidate(f.dmabuf);
	flush_work(&late->work);
	KUNIT_EXPECT_EQ(test, f.bo->moved, 1);
	KUNIT_EXPECT_EQ(test, late->ret, 0);
	KUNIT_EXPECT_EQ(test, f.e.maps, 2);
	KUNIT_EXPECT_EQ(test, f.e.mapped, 1);
	f.bo->late = NULL;
	/* The moved step finds the handle. */
	follow_invalidate(f.dmabuf);
	KUNIT_EXPECT_EQ(test, f.bo->moved, 2);
	KUNIT_EXPECT_EQ(test, f.e.mapped, 0);
	KUNIT_EXPECT_EQ(test, follow_use_owned(&f), -EAGAIN);
	follow_end(test, &f);
}

/* A handle that moves could be missed by the moved step, unless the lock is held. */
static void handle_moves(struct kunit *test)
{
	struct drm_shmem_sgt_owned other = {};
	struct follow f;

	follow_begin(test, &f, &follow_driver);
	KUNIT_ASSERT_EQ(test, follow_own(f.drm, f.bo), 0);
	kunit_warning_suppress(test) {
		drm_shmem_sgt_move(&other, &f.bo->table);
		EXPECT_BROKEN(test, "a handle of an import moves under its lock");
	}
	KUNIT_EXPECT_TRUE(test, drm_shmem_sgt_is_empty(&f.bo->table));
	dma_resv_lock(f.dmabuf->resv, NULL);
	drm_shmem_sgt_move(&f.bo->table, &other);
	dma_resv_unlock(f.dmabuf->resv);
	KUNIT_EXPECT_EQ(test, follow_use_owned(&f), 0);
	follow_end(test, &f);
}

/* The last reference goes in the call of the exporter, which holds the lock of the object. */
static void put_in_call(struct kunit *test)
{
	struct follow f;

	follow_begin(test, &f, &follow_driver);
	KUNIT_EXPECT_EQ(test, follow_borrow(&f), 0);
	f.bo->drops = true;
	follow_invalidate(f.dmabuf);
	drm_shmem_flush_work();
	KUNIT_EXPECT_NOT_NULL(test, follow_ended);
	KUNIT_EXPECT_PTR_NE(test, follow_ended, current);
	shmem_test_export_put(f.dmabuf);
	KUNIT_EXPECT_EQ(test, f.e.mapped, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&f.e.attached), 0);
	KUNIT_EXPECT_TRUE(test, f.e.released);
}

/* An incomplete object is notified when it is complete. */
static void moved_in_init(struct kunit *test)
{
	struct device *parent = drm_safe_test_parent(test);
	struct follow f = { .drm = shmem_test_device(test, parent, &follow_driver) };

	f.dmabuf = shmem_test_export(test, &f.e, 2 * PAGE_SIZE);
	follow_init_owns = f.drm;
	f.bo = follow_import(f.drm, f.dmabuf);
	follow_init_owns = NULL;
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f.bo);
	KUNIT_EXPECT_EQ(test, f.bo->moved, 1);
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, f.e.mapped, 0);
	KUNIT_EXPECT_EQ(test, follow_use_owned(&f), -EAGAIN);
	KUNIT_EXPECT_EQ(test, follow_resume(&f), 0);
	follow_end(test, &f);
}

/* Others are not told: their exporter keeps the memory where it is. */
static void stays(struct kunit *test)
{
	struct dma_buf_attachment *attach;
	struct follow f;
	struct test_bo *bo;
	struct shmem_test *t = test->priv;

	follow_begin(test, &f, &follow_driver_sgt);
	attach = drm_shmem_gem(&f.bo->obj)->import_attach;
	KUNIT_EXPECT_FALSE(test, dma_buf_attach_revocable(attach));
	bo = shmem_test_import(test, t->drm, f.dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	KUNIT_EXPECT_FALSE(test, dma_buf_attach_revocable(drm_shmem_gem(&bo->obj)->import_attach));
	follow_invalidate(f.dmabuf);
	KUNIT_EXPECT_EQ(test, f.bo->moved, 0);
	KUNIT_EXPECT_EQ(test, f.e.mapped, 1);
	drm_shmem_put(&bo->obj);
	follow_end(test, &f);
}

/* One whose end waits for the hardware */
struct follow_late {
	struct drm_shmem_obj obj;
};

DRM_SHMEM_OBJ_TYPE(follow_late_type, struct follow_late, obj, struct follow_late_unique);

static struct drm_shmem_ends *follow_ends;

static struct drm_shmem_put_off *follow_late_release(struct drm_shmem_obj *obj)
{
	return drm_shmem_put_off(obj, follow_ends);
}

static void follow_late_moved(struct drm_shmem_obj *obj)
{
}

const struct follow_late_type follow_late_type = {
	DRM_SHMEM_OBJ_FUNCS,
	.base.flags = DRM_SHMEM_RECLAIM,
	.base.release = follow_late_release,
	.base.moved = follow_late_moved,
};

static struct drm_gem_object *follow_late_create_object(struct drm_device *drm, size_t size)
{
	return drm_shmem_gem_create_object(&follow_late_type);
}

static const struct drm_driver follow_late_driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER,
	.fops = &follow_fops,
	.name = "shmem_follow_late",
	.desc = "test device of drm_shmem_safe",
	.gem_create_object = follow_late_create_object,
	DRM_SHMEM_DRIVER_OPS,
};

static int follow_map(struct drm_device *drm, struct drm_shmem_obj *obj)
{
	int ret;

	drm_dev_ctx_or(test_reg, reg, test_ctx(drm), return -ESHUTDOWN);
	drm_shmem_sgt_or(sgt, &reg->base.bound, obj, ret, return ret);
	return 0;
}

/* The exporter keeps the memory where it is until the hardware is done. */
static void stays_until_end(struct kunit *test)
{
	struct device *parent = drm_safe_test_parent(test);
	struct drm_device *drm = shmem_test_device(test, parent, &follow_late_driver);
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, 2 * PAGE_SIZE);
	struct drm_gem_object *gem;

	follow_ends = kunit_kzalloc(test, sizeof(*follow_ends), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, follow_ends);
	{
		drm_dev_ctx_or(test_reg, reg, test_ctx(drm), return);
		KUNIT_EXPECT_EQ(test, drm_shmem_ends_init(follow_ends, &reg->base.bound), 0);
	}
	gem = drm->driver->gem_prime_import(drm, dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, gem);
	KUNIT_EXPECT_FALSE(test, dma_buf_attach_revocable(gem->import_attach));
	KUNIT_EXPECT_EQ(test, follow_map(drm, to_drm_shmem_obj(gem)), 0);
	drm_gem_object_put(gem);
	follow_invalidate(dmabuf);
	KUNIT_EXPECT_EQ(test, e.mapped, 1);
	drm_shmem_end(to_drm_shmem_obj(gem), follow_ends);
	shmem_test_export_put(dmabuf);
	KUNIT_EXPECT_EQ(test, e.mapped, 0);
	KUNIT_EXPECT_TRUE(test, e.released);
	drm_safe_test_unbind(test, parent);
}

/* An object of the library, in the hands of another device of the library */
struct follow_export {
	struct drm_device *drm;		/* the importer */
	struct reclaim_bo *bo;
	struct dma_buf *dmabuf;
};

static void follow_export(struct kunit *test, struct follow_export *x,
			  const struct drm_driver *importer)
{
	struct drm_gem_object *gem;

	x->drm = shmem_test_device(test, drm_safe_test_parent(test), importer);
	x->bo = shmem_test_reclaim_bo(test, 2 * PAGE_SIZE);
	gem = drm_shmem_gem(&x->bo->obj);
	x->dmabuf = gem->funcs->export(gem, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, x->dmabuf);
}

static void follow_export_end(struct kunit *test, struct follow_export *x)
{
	shmem_test_export_put(x->dmabuf);
	KUNIT_EXPECT_EQ(test, atomic_read(&x->bo->obj.__dma_bufs), 0);
	KUNIT_EXPECT_EQ(test, drm_shmem_evict(&x->bo->obj), 0);
	KUNIT_EXPECT_EQ(test, refcount_read(&x->bo->obj.base.pages_pin_count), 0);
	drm_shmem_put(&x->bo->obj);
}

/* An importer that can be notified gives the pages back, and gets them again. */
static void exports_evicted(struct kunit *test)
{
	struct follow_export x;
	struct follow f = {};

	follow_export(test, &x, &follow_driver);
	KUNIT_EXPECT_EQ(test, drm_shmem_evict(&x.bo->obj), 0);
	f.drm = x.drm;
	f.bo = follow_import(x.drm, x.dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f.bo);
	/* It is not pinned for being attached. */
	KUNIT_EXPECT_NULL(test, x.bo->obj.base.pages);
	KUNIT_ASSERT_EQ(test, follow_own(x.drm, f.bo), 0);
	for (int i = 1; i < 4; i++) {
		KUNIT_EXPECT_NOT_NULL(test, x.bo->obj.base.pages);
		KUNIT_EXPECT_EQ(test, follow_use_owned(&f), 0);
		/* Its contents are the importer's, too. */
		KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&x.bo->obj, DRM_SHMEM_DONTNEED, NULL), 1);
		KUNIT_EXPECT_EQ(test, drm_shmem_purge(&x.bo->obj), -EBUSY);
		KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&x.bo->obj, DRM_SHMEM_WILLNEED, NULL), 1);

		KUNIT_EXPECT_EQ(test, drm_shmem_evict(&x.bo->obj), 0);
		KUNIT_EXPECT_EQ(test, f.bo->moved, i);
		KUNIT_EXPECT_NULL(test, x.bo->obj.base.pages);
		KUNIT_EXPECT_EQ(test, follow_use_owned(&f), -EAGAIN);
		KUNIT_EXPECT_EQ(test, follow_resume(&f), 0);
	}
	/* One that pins keeps the pages. */
	dma_resv_lock(x.dmabuf->resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_buf_pin(drm_shmem_gem(&f.bo->obj)->import_attach), 0);
	dma_resv_unlock(x.dmabuf->resv);
	KUNIT_EXPECT_EQ(test, drm_shmem_evict(&x.bo->obj), -EBUSY);
	KUNIT_EXPECT_NOT_NULL(test, x.bo->obj.base.pages);
	dma_resv_lock(x.dmabuf->resv, NULL);
	dma_buf_unpin(drm_shmem_gem(&f.bo->obj)->import_attach);
	dma_resv_unlock(x.dmabuf->resv);

	drm_shmem_sgt_release(&f.bo->table);
	drm_shmem_put(&f.bo->obj);
	follow_export_end(test, &x);
}

/* A table that is borrowed is given back as soon as it can be. */
static void exports_borrowed(struct kunit *test)
{
	struct follow_export x;
	struct follow_bo *bo;
	int ret;

	follow_export(test, &x, &follow_driver);
	bo = follow_import(x.drm, x.dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	{
		drm_dev_ctx_or(test_reg, reg, test_ctx(x.drm), return);
		drm_shmem_sgt_guard(sgt, &reg->base.bound, &bo->obj, ret)
			KUNIT_EXPECT_EQ(test, drm_shmem_evict(&x.bo->obj), -EBUSY);
		KUNIT_EXPECT_EQ(test, ret, 0);
	}
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, drm_shmem_evict(&x.bo->obj), 0);
	KUNIT_EXPECT_NULL(test, x.bo->obj.base.pages);
	drm_shmem_put(&bo->obj);
	follow_export_end(test, &x);
}

/* A dma-buf without a file, which is there because a file of O_PATH keeps its dentry. */
static void exports_no_file(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct follow_export x;
	struct path path;

	follow_export(test, &x, &follow_driver);
	path = x.dmabuf->file->f_path;
	path_get(&path);
	shmem_test_export_put(x.dmabuf);
	/* KASAN knows that the file is gone once no reader of RCU can have it. */
	rcu_barrier();
	KUNIT_EXPECT_EQ(test, atomic_read(&x.bo->obj.__dma_bufs), 1);

	KUNIT_ASSERT_EQ(test, follow_map(t->drm, &x.bo->obj), 0);
	KUNIT_EXPECT_EQ(test, drm_shmem_evict(&x.bo->obj), 0);
	KUNIT_EXPECT_NULL(test, x.bo->obj.base.pages);
	KUNIT_EXPECT_EQ(test, __drm_shmem_cpu_begin(&x.bo->obj, DMA_BIDIRECTIONAL), 0);
	KUNIT_EXPECT_EQ(test, __drm_shmem_cpu_end(&x.bo->obj, DMA_BIDIRECTIONAL), 0);
	KUNIT_EXPECT_EQ(test, d_count(path.dentry), 1);
	path_put(&path);
	KUNIT_EXPECT_EQ(test, atomic_read(&x.bo->obj.__dma_bufs), 0);
	drm_shmem_put(&x.bo->obj);
}

/* Importers keep their tables if the object cannot be evicted, whatever they do. */
static void exports_busy(struct kunit *test)
{
	struct follow_export x;
	struct dma_fence *job;
	struct follow_bo *bo;

	follow_export(test, &x, &follow_driver);
	bo = follow_import(x.drm, x.dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	KUNIT_ASSERT_EQ(test, follow_own(x.drm, bo), 0);
	job = follow_job(test, x.dmabuf->resv);
	KUNIT_EXPECT_EQ(test, drm_shmem_evict(&x.bo->obj), -EBUSY);
	KUNIT_EXPECT_EQ(test, bo->moved, 0);
	follow_job_ends(job);
	/* As after an export with the driver's own operations */
	atomic_or(__DRM_SHMEM_FOREIGN, &x.bo->obj.__dma_bufs);
	KUNIT_EXPECT_EQ(test, drm_shmem_evict(&x.bo->obj), -EBUSY);
	KUNIT_EXPECT_EQ(test, bo->moved, 0);
	atomic_andnot(__DRM_SHMEM_FOREIGN, &x.bo->obj.__dma_bufs);
	KUNIT_EXPECT_EQ(test, drm_shmem_evict(&x.bo->obj), 0);
	KUNIT_EXPECT_EQ(test, bo->moved, 1);
	drm_shmem_sgt_release(&bo->table);
	drm_shmem_put(&bo->obj);
	follow_export_end(test, &x);
}

static bool follow_can_swap(void)
{
	return true;
}

/* The shrinker takes an object whose importers can be notified, and lets others be. */
static void exports_shrunk(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_shmem_shrinker *s = &test_dev(t->drm)->shrinker;
	struct dma_buf_attachment *attach;
	struct follow_export x;
	struct follow f = {};

	KUNIT_ASSERT_EQ(test, drmm_shmem_shrinker_init(t->drm, s), 0);
	kunit_activate_static_stub(test, drm_shmem_can_swap, follow_can_swap);
	follow_export(test, &x, &follow_driver);
	shmem_test_touch(&x.bo->obj, s);
	KUNIT_EXPECT_EQ(test, shmem_test_count(s), SHRINK_EMPTY);
	f.drm = x.drm;
	f.bo = follow_import(x.drm, x.dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f.bo);
	attach = drm_shmem_gem(&f.bo->obj)->import_attach;
	KUNIT_ASSERT_EQ(test, follow_own(x.drm, f.bo), 0);
	KUNIT_EXPECT_EQ(test, shmem_test_count(s), 2);
	KUNIT_EXPECT_EQ(test, shmem_test_scan(s, 1), 2);
	KUNIT_EXPECT_EQ(test, f.bo->moved, 1);
	KUNIT_EXPECT_NULL(test, x.bo->obj.base.pages);
	KUNIT_EXPECT_EQ(test, shmem_test_count(s), SHRINK_EMPTY);

	KUNIT_EXPECT_EQ(test, follow_resume(&f), 0);
	KUNIT_EXPECT_EQ(test, shmem_test_count(s), 2);
	dma_resv_lock(x.dmabuf->resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_buf_pin(attach), 0);
	dma_resv_unlock(x.dmabuf->resv);
	KUNIT_EXPECT_EQ(test, shmem_test_count(s), SHRINK_EMPTY);
	/* An importer is not notified in vain, either. */
	KUNIT_EXPECT_EQ(test, drm_shmem_evict(&x.bo->obj), -EBUSY);
	KUNIT_EXPECT_EQ(test, f.bo->moved, 1);
	dma_resv_lock(x.dmabuf->resv, NULL);
	dma_buf_unpin(attach);
	dma_resv_unlock(x.dmabuf->resv);
	KUNIT_EXPECT_EQ(test, shmem_test_count(s), 2);

	drm_shmem_sgt_release(&f.bo->table);
	drm_shmem_put(&f.bo->obj);
	follow_export_end(test, &x);
}

/* One that cannot be notified has the pages pinned for as long as it is attached. */
static void exports_static(struct kunit *test)
{
	struct follow_export x;
	struct test_bo *bo;

	follow_export(test, &x, &shmem_test_driver);
	bo = shmem_test_import(test, x.drm, x.dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	KUNIT_EXPECT_NOT_NULL(test, x.bo->obj.base.pages);
	KUNIT_EXPECT_EQ(test, drm_shmem_evict(&x.bo->obj), -EBUSY);
	drm_shmem_put(&bo->obj);
	follow_export_end(test, &x);
}

#ifdef CONFIG_MODULE_UNLOAD
static struct module *follow_module;

static struct module *follow_owner(const struct drm_device *drm)
{
	return follow_module;
}

/* Imports with a driver that can be unloaded */
static void follow_begin_module(struct kunit *test, struct follow *f)
{
	follow_module = kzalloc_obj(*follow_module);
	KUNIT_ASSERT_NOT_NULL(test, follow_module);
	follow_module->state = MODULE_STATE_LIVE;
	atomic_set(&follow_module->refcnt, 1);
	kunit_activate_static_stub(test, drm_dev_ctx_owner, follow_owner);
	follow_begin(test, f, &follow_driver);
	kunit_deactivate_static_stub(test, drm_dev_ctx_owner);
}

static void follow_module_goes(void)
{
	follow_module->state = MODULE_STATE_GOING;
	atomic_set(&follow_module->refcnt, 0);
}

struct follow_page {
	DRM_VMAP(SZ_4K);
};

struct follow_page_owned {
	DRM_VMAP_OWNED(struct follow_page);
};

/* No work item can keep a driver that is being unloaded, so the end of a mapping waits. */
static void module_going_killed(struct kunit *test)
{
	struct follow_page_owned own = {};
	struct shmem_test_holder *holder;
	struct follow f;

	follow_begin_module(test, &f);
	KUNIT_ASSERT_EQ(test, drm_vmap_own(&own, &f.bo->obj), 0);
	follow_module_goes();
	kunit_activate_static_stub(test, drm_dev_ctx_owner, follow_owner);
	holder = shmem_test_hold_for(test, f.dmabuf->resv, HZ / 10);
	sigaddset(&current->pending.signal, SIGKILL);
	set_thread_flag(TIF_SIGPENDING);
	drm_vmap_release(&own);
	KUNIT_EXPECT_EQ(test, f.e.vmapped, 0);
	sigdelset(&current->pending.signal, SIGKILL);
	clear_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_FALSE(test, shmem_test_leave(holder));
	KUNIT_EXPECT_EQ(test, atomic_read(&follow_module->refcnt), 0);
	kunit_deactivate_static_stub(test, drm_dev_ctx_owner);
	follow_end(test, &f);
	kfree(follow_module);
}

/* The driver is being unloaded, and its device is not unbound yet. */
static void module_going(struct kunit *test)
{
	struct dma_fence *job;
	struct follow f;

	for (int late = 0; late < 2; late++) {
		follow_begin_module(test, &f);
		KUNIT_ASSERT_EQ(test, follow_own(f.drm, f.bo), 0);
		job = follow_job(test, f.dmabuf->resv);
		f.bo->keeps = late;
		if (!late)
			follow_module_goes();
		follow_invalidate(f.dmabuf);
		KUNIT_EXPECT_EQ(test, f.bo->moved, 1);
		if (late) {
			KUNIT_EXPECT_EQ(test, follow_borrow(&f), -EAGAIN);
			follow_module_goes();
		}
		shmem_test_suspend(&f.bo->obj, &f.bo->table);
		KUNIT_EXPECT_EQ(test, follow_use_owned(&f), -EAGAIN);
		/* The jobs still use the old table, and nothing queued outlasts the driver. */
		KUNIT_EXPECT_EQ(test, f.e.mapped, 1);
		KUNIT_EXPECT_EQ(test, kref_read(&drm_shmem_gem(&f.bo->obj)->refcount), 2);
		KUNIT_EXPECT_EQ(test, atomic_read(&follow_module->refcnt), 0);
		drm_safe_test_unbind(test, f.parent);
		KUNIT_EXPECT_EQ(test, f.e.mapped, 0);
		KUNIT_EXPECT_EQ(test, kref_read(&drm_shmem_gem(&f.bo->obj)->refcount), 2);
		follow_job_ends(job);
		follow_end(test, &f);
		kfree(follow_module);
	}
}

/* Nothing is left to do for a table that was revoked. */
static void module_stays(struct kunit *test)
{
	struct follow f;

	follow_begin_module(test, &f);
	KUNIT_ASSERT_EQ(test, follow_own(f.drm, f.bo), 0);
	f.bo->keeps = true;
	follow_invalidate(f.dmabuf);
	drm_safe_test_unbind(test, f.parent);
	KUNIT_EXPECT_EQ(test, f.e.mapped, 0);
	shmem_test_suspend(&f.bo->obj, &f.bo->table);
	KUNIT_EXPECT_EQ(test, atomic_read(&follow_module->refcnt), 1);
	KUNIT_EXPECT_EQ(test, kref_read(&drm_shmem_gem(&f.bo->obj)->refcount), 2);
	follow_end(test, &f);
	kfree(follow_module);
}

/* The import has ended, and its driver is gone. It is still attached when the memory moves. */
static void module_gone(struct kunit *test)
{
	struct dma_buf_attachment *attach;
	struct shmem_test_holder *holder;
	struct follow f;

	follow_begin_module(test, &f);
	KUNIT_EXPECT_EQ(test, follow_borrow(&f), 0);
	follow_invalidate(f.dmabuf);
	KUNIT_EXPECT_EQ(test, f.bo->moved, 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&follow_module->refcnt), 1);

	/* The lock keeps the work item from detaching it. */
	attach = drm_shmem_gem(&f.bo->obj)->import_attach;
	holder = shmem_test_hold(test, f.dmabuf->resv);
	drm_shmem_put(&f.bo->obj);
	KUNIT_EXPECT_NOT_NULL(test, follow_ended);
	KUNIT_EXPECT_EQ(test, atomic_read(&f.e.attached), 1);
	kfree(follow_module);
	attach->importer_ops->invalidate_mappings(attach);
	KUNIT_EXPECT_TRUE(test, shmem_test_leave(holder));
	shmem_test_export_put(f.dmabuf);
	KUNIT_EXPECT_EQ(test, atomic_read(&f.e.attached), 0);
}
#else
static void module_going_killed(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_MODULE_UNLOAD");
}

static void module_going(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_MODULE_UNLOAD");
}

static void module_stays(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_MODULE_UNLOAD");
}

static void module_gone(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_MODULE_UNLOAD");
}
#endif

static void follow_uncounted(struct kunit *test)
{
	struct shmem_test *t = test->priv;

	kunit_warning_suppress(test) {
		KUNIT_EXPECT_PTR_EQ(test, (void *)drm_shmem_create(&follow_bad_type, t->drm,
								   PAGE_SIZE, NULL),
				    ERR_PTR(-EINVAL));
		KUNIT_EXPECT_PTR_EQ(test, (void *)drm_shmem_create(&follow_bad_evict_type, t->drm,
								   PAGE_SIZE, NULL),
				    ERR_PTR(-EINVAL));
		EXPECT_BROKEN(test, "a type that follows counts the users of its tables",
			      "a type that evicts counts the users of its tables");
	}
}

/* A task that moves the memory again and again */
static int follow_mover(void *data)
{
	struct follow *f = data;

	while (!kthread_should_stop()) {
		follow_invalidate(f->dmabuf);
		cond_resched();
	}
	return 0;
}

/* No user sees a table that is not mapped, and none is left behind. */
static void race(struct kunit *test)
{
	struct task_struct *mover;
	struct follow f;
	int ret, used = 0;

	follow_begin(test, &f, &follow_driver);
	mover = kthread_run(follow_mover, &f, "follow_mover");
	KUNIT_ASSERT_FALSE(test, IS_ERR(mover));
	for (int i = 0; i < 3000; i++) {
		drm_dev_ctx_or(test_reg, reg, test_ctx(f.drm), break);
		drm_shmem_sgt_guard(sgt, &reg->base.bound, &f.bo->obj, ret) {
			KUNIT_ASSERT_EQ(test, READ_ONCE(f.e.mapped), 1);
			KUNIT_ASSERT_PTR_EQ(test, sg_page(drm_shmem_sgt_table(sgt)->sgl),
					    virt_to_page(f.e.mem));
			used++;
			cond_resched();
		}
		if (ret)
			KUNIT_ASSERT_EQ(test, ret, -EAGAIN);
	}
	kthread_stop(mover);
	KUNIT_EXPECT_GT(test, used, 0);
	follow_invalidate(f.dmabuf);
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, f.e.mapped, 0);
	follow_end(test, &f);
}

static int follow_fail(struct kunit *test, void *ctx)
{
	struct follow *f = ctx;

	f->bo = follow_import(f->drm, f->dmabuf);
	if (IS_ERR(f->bo))
		return PTR_ERR(f->bo);
	drm_shmem_put(&f->bo->obj);
	drm_shmem_flush_work();
	return 0;
}

static void allocations_fail(struct kunit *test)
{
	struct device *parent = drm_safe_test_parent(test);
	struct follow f = { .drm = shmem_test_device(test, parent, &follow_driver) };

	f.dmabuf = shmem_test_export(test, &f.e, 2 * PAGE_SIZE);
	/* The object, the data of following, and the attachment */
	KUNIT_EXPECT_GE(test, drm_safe_fail_nth(test, follow_fail, &f), 3);
	shmem_test_export_put(f.dmabuf);
	KUNIT_EXPECT_EQ(test, atomic_read(&f.e.attached), 0);
	KUNIT_EXPECT_TRUE(test, f.e.released);
}

static struct kunit_case drm_shmem_follow_cases[] = {
	KUNIT_CASE(follows),
	KUNIT_CASE(follows_borrowed),
	KUNIT_CASE(follows_owned_block),
	KUNIT_CASE(owned_block_comes_late),
	KUNIT_CASE(waits_without_lock),
	KUNIT_CASE(follows_at_once),
	KUNIT_CASE(jobs_keep_table),
	KUNIT_CASE(jobs_delay_next),
	KUNIT_CASE(jobs_revoked),
	KUNIT_CASE(jobs_move_twice),
	KUNIT_CASE(revoked),
	KUNIT_CASE(leaves_late),
	KUNIT_CASE(owned_in_call),
	KUNIT_CASE(handle_moves),
	KUNIT_CASE(put_in_call),
	KUNIT_CASE(moved_in_init),
	KUNIT_CASE(stays),
	KUNIT_CASE(stays_until_end),
	KUNIT_CASE(exports_evicted),
	KUNIT_CASE(exports_borrowed),
	KUNIT_CASE(exports_no_file),
	KUNIT_CASE(exports_busy),
	KUNIT_CASE(exports_shrunk),
	KUNIT_CASE(exports_static),
	KUNIT_CASE(module_going),
	KUNIT_CASE(module_going_killed),
	KUNIT_CASE(module_stays),
	KUNIT_CASE(module_gone),
	KUNIT_CASE(follow_uncounted),
	KUNIT_CASE_SLOW(race),
	KUNIT_CASE(allocations_fail),
	{}
};

static struct kunit_suite drm_shmem_follow_suite = {
	.name = "drm_shmem_follow",
	.init = shmem_test_init,
	.test_cases = drm_shmem_follow_cases,
};

kunit_test_suite(drm_shmem_follow_suite);

MODULE_IMPORT_NS("DMA_BUF");
MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
