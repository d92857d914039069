// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Eviction: objects that give their pages back and keep their contents
 */

#include <kunit/static_stub.h>
#include <linux/completion.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/shrinker.h>
#include <linux/sizes.h>
#include <linux/swap.h>
#include <linux/workqueue.h>

#include <drm/drm_managed.h>

#include "drm_shmem_internal.h"
#include "drm_shmem_test.h"

struct evict_page {
	DRM_VMAP(PAGE_SIZE);
};

struct evict_page_owned {
	DRM_VMAP_OWNED(struct evict_page);
};

/* An object with the state of a page table */
struct evict_bo {
	struct drm_shmem_obj obj;
	struct drm_shmem_sgt_owned table;
	unsigned int asked;
	int ret;
	bool drop;		/* puts the reference of the test */
	struct evict_ended *ended;
};

/* The log of an object's end */
struct evict_ended {
	struct task_struct *task;
	unsigned int refs;	/* when the object was evicted */
	bool locked;		/* the LRU was, too */
};

DRM_SHMEM_OBJ_TYPE(evict_bo_type, struct evict_bo, obj, struct evict_bo_unique);

static int evict_bo_evict(struct drm_shmem_obj *obj)
{
	struct evict_bo *bo = drm_shmem_from_obj(&evict_bo_type, obj);
	struct drm_gem_object *gem = drm_shmem_gem(obj);

	dma_resv_assert_held(gem->resv);
	bo->asked++;
	if (bo->ended) {
		bo->ended->refs = kref_read(&gem->refcount);
		bo->ended->locked = mutex_is_locked(&gem->dev->gem_lru_mutex);
	}
	if (bo->drop)
		drm_shmem_put(obj);
	if (bo->ret)
		return bo->ret;
	drm_shmem_sgt_suspend(&bo->table);
	return 0;
}

static void evict_bo_fini(struct drm_shmem_obj *obj)
{
	struct evict_bo *bo = drm_shmem_from_obj(&evict_bo_type, obj);

	if (bo->ended)
		bo->ended->task = current;
}

const struct evict_bo_type evict_bo_type = {
	DRM_SHMEM_OBJ_FUNCS,
	.base.flags = DRM_SHMEM_RECLAIM,
	.base.evict = evict_bo_evict,
	.base.fini = evict_bo_fini,
};

static int map_table(struct drm_device *drm, struct drm_shmem_obj *obj)
{
	int ret;

	drm_dev_ctx_or(test_reg, reg, test_ctx(drm), return -ESHUTDOWN);
	drm_shmem_sgt_or(sgt, &reg->base.bound, obj, ret, return ret);
	return 0;
}

static int own_table(struct drm_device *drm, struct evict_bo *bo)
{
	drm_dev_ctx_or(test_reg, reg, test_ctx(drm), return -ESHUTDOWN);
	return drm_shmem_sgt_own(&bo->table, &reg->base.bound, &bo->obj);
}

static int resume_table(struct drm_device *drm, struct drm_shmem_sgt_owned *table)
{
	struct drm_shmem_obj *obj = __drm_shmem_sgt_of(table);
	struct drm_gem_object *gem = obj ? &obj->base.base : NULL;
	int ret;

	drm_dev_ctx_or(test_reg, reg, test_ctx(drm), return -ESHUTDOWN);
	if (gem)
		dma_resv_lock(gem->resv, NULL);
	ret = drm_shmem_sgt_resume(table, &reg->base.bound);
	if (gem)
		dma_resv_unlock(gem->resv);
	return ret;
}

static int use_table(struct drm_device *drm, struct drm_shmem_sgt_owned *table)
{
	bool used = false;
	int ret;

	drm_dev_ctx_or(test_reg, reg, test_ctx(drm), return -ESHUTDOWN);
	drm_shmem_sgt_guard_owned(sgt, &reg->base.bound, table, ret)
		used = drm_shmem_sgt_table(sgt)->nents;
	return used == !ret ? ret : -EIO;
}

static int write_first(struct evict_bo *bo, u32 value)
{
	int ret;

	drm_vmap_guard(evict_page, map, &bo->obj, ret)
		drm_vmap_write32(map, 0, value);
	return ret;
}

static u32 read_first(struct evict_bo *bo)
{
	u32 value = 0;
	int ret;

	drm_vmap_guard(evict_page, map, &bo->obj, ret)
		value = drm_vmap_read32(map, 0);
	return value;
}

static struct evict_bo *evict_bo(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct evict_bo_unique *unique = drm_shmem_create(&evict_bo_type, t->drm, 2 * PAGE_SIZE,
							  NULL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unique);
	return drm_shmem_publish(&evict_bo_type, &unique);
}

/* One with a table that it owns itself, and so would keep for ever */
static struct evict_bo *evict_bo_owned(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct evict_bo *bo = evict_bo(test);

	KUNIT_ASSERT_EQ(test, own_table(t->drm, bo), 0);
	return bo;
}

static void evict_bo_end(struct evict_bo *bo)
{
	drm_shmem_sgt_release(&bo->table);
	drm_shmem_put(&bo->obj);
}

/* Repeated evictions keep the contents. */
static void evict(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct evict_bo *bo = evict_bo(test);

	KUNIT_EXPECT_EQ(test, drm_shmem_evict(&bo->obj), 0);
	KUNIT_EXPECT_EQ(test, bo->asked, 0);
	KUNIT_ASSERT_EQ(test, write_first(bo, 1234), 0);
	KUNIT_ASSERT_EQ(test, own_table(t->drm, bo), 0);

	for (unsigned int i = 1; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, use_table(t->drm, &bo->table), 0);
		KUNIT_EXPECT_EQ(test, drm_shmem_evict(&bo->obj), 0);
		KUNIT_EXPECT_EQ(test, bo->asked, i);
		KUNIT_EXPECT_NULL(test, bo->obj.base.pages);
		KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.base.pages_pin_count), 0);
		KUNIT_EXPECT_EQ(test, drm_shmem_evict(&bo->obj), 0);
		KUNIT_EXPECT_EQ(test, bo->asked, i);

		KUNIT_EXPECT_EQ(test, use_table(t->drm, &bo->table), -EAGAIN);
		KUNIT_EXPECT_EQ(test, read_first(bo), 1234);
		KUNIT_EXPECT_EQ(test, resume_table(t->drm, &bo->table), 0);
	}
	evict_bo_end(bo);
}

static void evict_refused(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, PAGE_SIZE);
	struct test_bo *imported = shmem_test_import(test, t->drm, dmabuf);
	struct evict_bo *bo = evict_bo(test);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, imported);
	KUNIT_EXPECT_EQ(test, drm_shmem_evict(&imported->obj), -EOPNOTSUPP);
	/* Its type does not count the users of tables. */
	KUNIT_EXPECT_EQ(test, drm_shmem_evict(&shmem_test_bo(test, PAGE_SIZE)->obj), -EOPNOTSUPP);

	KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&bo->obj, DRM_SHMEM_DONTNEED, NULL), 1);
	KUNIT_EXPECT_EQ(test, drm_shmem_purge(&bo->obj), 0);
	KUNIT_EXPECT_EQ(test, drm_shmem_evict(&bo->obj), -ENODATA);

	evict_bo_end(bo);
	drm_shmem_put(&imported->obj);
	shmem_test_export_put(dmabuf);
}

/* Whatever else uses the object keeps its pages, and the type is not asked. */
static void evict_in_use(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct evict_bo *bo = evict_bo_owned(test);
	struct evict_page_owned own = {};
	struct dma_buf_attachment *attach;
	struct dma_buf *dmabuf;
	u32 handle = 0;
	int ret;

	KUNIT_EXPECT_EQ(test, drm_vmap_own(&own, &bo->obj), 0);
	KUNIT_EXPECT_EQ(test, drm_shmem_evict(&bo->obj), -EBUSY);
	drm_vmap_release(&own);

	KUNIT_EXPECT_EQ(test, drm_shmem_pin(&bo->obj), 0);
	KUNIT_EXPECT_EQ(test, drm_shmem_evict(&bo->obj), -EBUSY);
	drm_shmem_unpin(&bo->obj);

	/* As if userspace had mapped it, with the table and without */
	refcount_inc(&bo->obj.base.pages_use_count);
	KUNIT_EXPECT_EQ(test, drm_shmem_evict(&bo->obj), -EBUSY);
	drm_shmem_sgt_release(&bo->table);
	KUNIT_EXPECT_EQ(test, drm_shmem_sgt_unmap(&bo->obj), 0);
	KUNIT_EXPECT_EQ(test, drm_shmem_evict(&bo->obj), -EBUSY);
	KUNIT_ASSERT_EQ(test, own_table(t->drm, bo), 0);
	dma_resv_lock(drm_shmem_gem(&bo->obj)->resv, NULL);
	drm_gem_shmem_put_pages_locked(&bo->obj.base);
	dma_resv_unlock(drm_shmem_gem(&bo->obj)->resv);

	KUNIT_EXPECT_EQ(test, drm_shmem_handle_create(&bo->obj, t->file, &handle), 0);
	dmabuf = drm_gem_prime_handle_to_dmabuf(t->drm, t->file, handle, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	/* An importer that cannot be notified pins the pages, mapped or not. */
	attach = dma_buf_attach(dmabuf, t->parent);
	KUNIT_ASSERT_FALSE(test, IS_ERR(attach));
	KUNIT_EXPECT_EQ(test, drm_shmem_evict(&bo->obj), -EBUSY);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
	KUNIT_EXPECT_EQ(test, drm_gem_handle_delete(t->file, handle), 0);
	flush_delayed_fput();
	KUNIT_EXPECT_EQ(test, bo->asked, 0);

	/* The type does not know the borrowers of the table. */
	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm))
		drm_shmem_sgt_guard(sgt, &reg->base.bound, &bo->obj, ret)
			KUNIT_EXPECT_EQ(test, drm_shmem_evict(&bo->obj), -EBUSY);
	KUNIT_EXPECT_EQ(test, bo->asked, 1);
	KUNIT_EXPECT_NOT_NULL(test, bo->obj.base.pages);
	KUNIT_EXPECT_EQ(test, use_table(t->drm, &bo->table), -EAGAIN);
	KUNIT_EXPECT_EQ(test, resume_table(t->drm, &bo->table), 0);

	/* So does a block with the handle that the step suspends. */
	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm))
		drm_shmem_sgt_guard_owned(sgt, &reg->base.bound, &bo->table, ret)
			KUNIT_EXPECT_EQ(test, drm_shmem_evict(&bo->obj), -EBUSY);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, bo->asked, 2);
	KUNIT_EXPECT_EQ(test, use_table(t->drm, &bo->table), -EAGAIN);
	KUNIT_EXPECT_EQ(test, resume_table(t->drm, &bo->table), 0);

	bo->ret = -EINTR;
	KUNIT_EXPECT_EQ(test, drm_shmem_evict(&bo->obj), -EINTR);
	KUNIT_EXPECT_EQ(test, use_table(t->drm, &bo->table), 0);
	bo->ret = 0;
	KUNIT_EXPECT_EQ(test, drm_shmem_evict(&bo->obj), 0);

	/* Pages without a table are somebody's. */
	KUNIT_EXPECT_EQ(test, drm_shmem_pin(&bo->obj), 0);
	KUNIT_EXPECT_EQ(test, drm_shmem_evict(&bo->obj), -EBUSY);
	drm_shmem_unpin(&bo->obj);
	evict_bo_end(bo);
}

/* A type without the step has nobody to ask: users keep the table. */
static void evict_without_step(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct reclaim_bo *bo = shmem_test_reclaim_bo(test, PAGE_SIZE);
	struct drm_shmem_sgt_owned table = {};

	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm))
		KUNIT_EXPECT_EQ(test, drm_shmem_sgt_own(&table, &reg->base.bound, &bo->obj), 0);
	KUNIT_EXPECT_EQ(test, drm_shmem_evict(&bo->obj), -EBUSY);
	drm_shmem_sgt_release(&table);
	KUNIT_EXPECT_EQ(test, drm_shmem_evict(&bo->obj), 0);
	KUNIT_EXPECT_NULL(test, bo->obj.base.pages);
	drm_shmem_put(&bo->obj);
}

static void suspend(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct evict_bo *bo = evict_bo(test);
	struct drm_shmem_sgt_owned moved = {};
	refcount_t *users = &bo->obj.__table.__users;

	/* Nothing to suspend, nor to resume */
	KUNIT_EXPECT_EQ(test, resume_table(t->drm, &bo->table), -EINVAL);
	drm_shmem_sgt_suspend(&bo->table);

	KUNIT_ASSERT_EQ(test, own_table(t->drm, bo), 0);
	KUNIT_EXPECT_EQ(test, refcount_read(users), 2);
	KUNIT_EXPECT_EQ(test, resume_table(t->drm, &bo->table), 0);
	KUNIT_EXPECT_EQ(test, refcount_read(users), 2);
	for (int i = 0; i < 2; i++) {
		shmem_test_suspend(&bo->obj, &bo->table);
		KUNIT_EXPECT_EQ(test, refcount_read(users), 1);
	}

	/* It stays suspended wherever it goes, and in use. */
	drm_shmem_sgt_move(&moved, &bo->table);
	KUNIT_EXPECT_EQ(test, use_table(t->drm, &moved), -EAGAIN);
	KUNIT_EXPECT_EQ(test, use_table(t->drm, &bo->table), -EINVAL);
	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm)) {
		kunit_warning_suppress(test) {
			KUNIT_EXPECT_EQ(test, -EBUSY,
					drm_shmem_sgt_own(&moved, &reg->base.bound, &bo->obj));
			EXPECT_BROKEN(test, "an owned handle is not overwritten");
		}
	}
	drm_shmem_sgt_move(&bo->table, &moved);
	drm_shmem_sgt_release(&bo->table);
	KUNIT_EXPECT_EQ(test, refcount_read(users), 1);
	KUNIT_EXPECT_EQ(test, kref_read(&drm_shmem_gem(&bo->obj)->refcount), 1);

	/* Its old contents are lost. */
	KUNIT_ASSERT_EQ(test, own_table(t->drm, bo), 0);
	KUNIT_EXPECT_EQ(test, use_table(t->drm, &bo->table), 0);
	KUNIT_EXPECT_EQ(test, refcount_read(users), 2);
	evict_bo_end(bo);
}

/* While it was suspended the table can have gone for good. */
static void resume_fails(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_device *other = shmem_test_device(test, drm_safe_test_parent(test),
						     &shmem_test_driver);
	struct evict_bo *purged = evict_bo_owned(test), *revoked = evict_bo_owned(test);
	struct evict_bo *both = evict_bo_owned(test);

	KUNIT_EXPECT_EQ(test, drm_shmem_evict(&purged->obj), 0);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, resume_table(other, &purged->table), -EINVAL);
		EXPECT_BROKEN(test, "both are of one device");
	}
	KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&purged->obj, DRM_SHMEM_DONTNEED, NULL), 1);
	KUNIT_EXPECT_EQ(test, drm_shmem_purge(&purged->obj), 0);
	KUNIT_EXPECT_EQ(test, resume_table(t->drm, &purged->table), -ENODATA);
	KUNIT_EXPECT_EQ(test, use_table(t->drm, &purged->table), -EAGAIN);
	evict_bo_end(purged);

	/* One is suspended with its table there, one without. */
	KUNIT_EXPECT_EQ(test, drm_shmem_evict(&both->obj), 0);
	shmem_test_suspend(&revoked->obj, &revoked->table);
	drm_safe_test_rebind(test, t->parent);
	t->drm = shmem_test_device(test, t->parent, &shmem_test_driver);
	KUNIT_EXPECT_EQ(test, resume_table(t->drm, &revoked->table), -ENODEV);
	KUNIT_EXPECT_EQ(test, resume_table(t->drm, &both->table), -ENODEV);
	evict_bo_end(revoked);
	evict_bo_end(both);
}

static bool can_swap(void)
{
	return true;
}

/* Only where there is swap, and the one that was used the longest ago first */
static void shrinker(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_shmem_shrinker *s = &test_dev(t->drm)->shrinker;
	const unsigned long pages = 2;
	struct evict_bo *bo[4];

	KUNIT_ASSERT_EQ(test, drmm_shmem_shrinker_init(t->drm, s), 0);
	for (int i = 0; i < ARRAY_SIZE(bo); i++) {
		bo[i] = evict_bo_owned(test);
		shmem_test_touch(&bo[i]->obj, s);
	}
	KUNIT_EXPECT_EQ(test, drm_shmem_can_swap(), get_nr_swap_pages() > 0);
	if (!drm_shmem_can_swap()) {
		KUNIT_EXPECT_EQ(test, shmem_test_count(s), SHRINK_EMPTY);
		KUNIT_EXPECT_EQ(test, shmem_test_scan(s, 100), SHRINK_STOP);
	}
	kunit_activate_static_stub(test, drm_shmem_can_swap, can_swap);
	KUNIT_EXPECT_EQ(test, shmem_test_count(s), 4 * pages);

	/* 0 is used again. 1 is locked, so it is in use, and goes behind the others. */
	shmem_test_touch(&bo[0]->obj, s);
	dma_resv_lock(drm_shmem_gem(&bo[1]->obj)->resv, NULL);
	KUNIT_EXPECT_EQ(test, shmem_test_scan(s, 1), pages);
	dma_resv_unlock(drm_shmem_gem(&bo[1]->obj)->resv);
	KUNIT_EXPECT_NULL(test, bo[2]->obj.base.pages);
	KUNIT_EXPECT_EQ(test, shmem_test_count(s), 3 * pages);
	shmem_test_touch(&bo[0]->obj, s);
	KUNIT_EXPECT_EQ(test, shmem_test_scan(s, 2 * pages), 2 * pages);
	KUNIT_EXPECT_NULL(test, bo[1]->obj.base.pages);
	KUNIT_EXPECT_NULL(test, bo[3]->obj.base.pages);
	KUNIT_EXPECT_EQ(test, use_table(t->drm, &bo[0]->table), 0);

	/* An object that has lost its pages gives none, and is not scanned again. */
	KUNIT_EXPECT_EQ(test, bo[0]->asked, 0);
	drm_shmem_sgt_release(&bo[0]->table);
	KUNIT_EXPECT_EQ(test, drm_shmem_sgt_unmap(&bo[0]->obj), 0);
	KUNIT_EXPECT_EQ(test, shmem_test_scan(s, 1), SHRINK_STOP);
	KUNIT_EXPECT_EQ(test, shmem_test_count(s), SHRINK_EMPTY);

	for (int i = 0; i < ARRAY_SIZE(bo); i++)
		evict_bo_end(bo[i]);
}

/* It skips objects that were evicted by hand, are not needed, or can never be evicted. */
static void shrinker_leaves(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_shmem_shrinker *s = &test_dev(t->drm)->shrinker;
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, PAGE_SIZE);
	struct test_bo *imported = shmem_test_import(test, t->drm, dmabuf);
	struct test_bo *others[] = { shmem_test_bo(test, PAGE_SIZE), imported };
	struct evict_bo *bo[2];

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, imported);
	KUNIT_ASSERT_EQ(test, drmm_shmem_shrinker_init(t->drm, s), 0);
	kunit_activate_static_stub(test, drm_shmem_can_swap, can_swap);
	for (int i = 0; i < ARRAY_SIZE(others); i++)
		shmem_test_touch(&others[i]->obj, s);
	KUNIT_EXPECT_EQ(test, shmem_test_count(s), SHRINK_EMPTY);
	drm_shmem_put(&imported->obj);
	shmem_test_export_put(dmabuf);

	for (int i = 0; i < ARRAY_SIZE(bo); i++) {
		bo[i] = evict_bo_owned(test);
		if (i)
			KUNIT_EXPECT_EQ(test, 1, drm_shmem_madvise(&bo[i]->obj,
								   DRM_SHMEM_DONTNEED, s));
		shmem_test_touch(&bo[i]->obj, s);
	}
	KUNIT_EXPECT_EQ(test, s->__lrus[__DRM_SHMEM_SHARED].base.count, 2);
	KUNIT_EXPECT_EQ(test, s->__lrus[__DRM_SHMEM_PURGEABLE].base.count, 2);
	KUNIT_EXPECT_EQ(test, drm_shmem_evict(&bo[0]->obj), 0);
	KUNIT_EXPECT_EQ(test, s->__lrus[__DRM_SHMEM_SHARED].base.count, 0);

	/* It stays one that may be purged, also when it was evicted. */
	KUNIT_EXPECT_EQ(test, drm_shmem_evict(&bo[1]->obj), 0);
	KUNIT_EXPECT_EQ(test, s->__lrus[__DRM_SHMEM_PURGEABLE].base.count, 2);
	KUNIT_EXPECT_EQ(test, shmem_test_scan(s, 100), 2);
	KUNIT_EXPECT_EQ(test, resume_table(t->drm, &bo[1]->table), -ENODATA);
	KUNIT_EXPECT_EQ(test, resume_table(t->drm, &bo[0]->table), 0);
	for (int i = 0; i < ARRAY_SIZE(bo); i++)
		evict_bo_end(bo[i]);
}

/* Objects that are not needed go first, although the hardware uses them. */
static void shrinker_prefers(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_shmem_shrinker *s = &test_dev(t->drm)->shrinker;
	const unsigned long pages = 2;
	struct evict_bo *bo[2];

	KUNIT_ASSERT_EQ(test, drmm_shmem_shrinker_init(t->drm, s), 0);
	kunit_activate_static_stub(test, drm_shmem_can_swap, can_swap);
	for (int i = 0; i < ARRAY_SIZE(bo); i++) {
		bo[i] = evict_bo_owned(test);
		shmem_test_touch(&bo[i]->obj, s);
	}
	KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&bo[1]->obj, DRM_SHMEM_DONTNEED, s), 1);

	/* It is purged if the driver lets go of it, */
	bo[1]->ret = -EBUSY;
	KUNIT_EXPECT_EQ(test, drm_shmem_purge(&bo[1]->obj), -EBUSY);
	KUNIT_EXPECT_EQ(test, use_table(t->drm, &bo[1]->table), 0);
	bo[1]->ret = 0;
	KUNIT_EXPECT_EQ(test, shmem_test_scan(s, 1), pages);
	KUNIT_EXPECT_EQ(test, bo[1]->obj.base.madv, -1);
	KUNIT_EXPECT_EQ(test, bo[1]->asked, 2);
	KUNIT_EXPECT_EQ(test, resume_table(t->drm, &bo[1]->table), -ENODATA);
	/* and the other one is evicted after that. */
	KUNIT_EXPECT_EQ(test, bo[0]->asked, 0);
	KUNIT_EXPECT_EQ(test, shmem_test_scan(s, 1), pages);
	KUNIT_EXPECT_EQ(test, bo[0]->asked, 1);
	KUNIT_EXPECT_EQ(test, resume_table(t->drm, &bo[0]->table), 0);
	for (int i = 0; i < ARRAY_SIZE(bo); i++)
		evict_bo_end(bo[i]);
}

/* Objects in use do not keep the shrinker from those behind them, nor the next time. */
static void shrinker_rotates(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_shmem_shrinker *s = &test_dev(t->drm)->shrinker;
	struct evict_bo *bo[4];

	KUNIT_ASSERT_EQ(test, drmm_shmem_shrinker_init(t->drm, s), 0);
	kunit_activate_static_stub(test, drm_shmem_can_swap, can_swap);
	for (int i = 0; i < ARRAY_SIZE(bo); i++) {
		bo[i] = evict_bo_owned(test);
		shmem_test_touch(&bo[i]->obj, s);
		bo[i]->ret = i < 2 ? -EBUSY : 0;
	}
	for (int i = 2; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, shmem_test_scan(s, 1), 2);
		KUNIT_EXPECT_EQ(test, bo[i]->asked, 1);
		KUNIT_EXPECT_EQ(test, bo[0]->asked, 1);
		KUNIT_EXPECT_EQ(test, bo[1]->asked, 1);
	}
	/* Each of those left is looked at once in each of two scans. */
	KUNIT_EXPECT_EQ(test, shmem_test_scan(s, 1), SHRINK_STOP);
	KUNIT_EXPECT_EQ(test, bo[0]->asked, 3);
	KUNIT_EXPECT_EQ(test, bo[1]->asked, 3);
	for (int i = 0; i < ARRAY_SIZE(bo); i++)
		evict_bo_end(bo[i]);
}

/* The driver's step has a reference and no lock of the list; the last one ends elsewhere. */
static void shrinker_puts_last(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_shmem_shrinker *s = &test_dev(t->drm)->shrinker;

	KUNIT_ASSERT_EQ(test, drmm_shmem_shrinker_init(t->drm, s), 0);
	kunit_activate_static_stub(test, drm_shmem_can_swap, can_swap);
	for (int i = 0; i < 4; i++) {
		struct evict_ended ended = {};
		struct evict_bo *bo = evict_bo(test);
		const bool needed = i & 1, busy = i & 2;

		bo->ended = &ended;
		bo->drop = true;
		bo->ret = busy ? -EBUSY : 0;
		KUNIT_EXPECT_EQ(test, map_table(t->drm, &bo->obj), 0);
		if (needed)
			shmem_test_touch(&bo->obj, s);
		else
			KUNIT_EXPECT_EQ(test, 1, drm_shmem_madvise(&bo->obj,
								   DRM_SHMEM_DONTNEED, s));
		KUNIT_EXPECT_EQ(test, shmem_test_scan(s, 1),
				busy ? SHRINK_STOP : 2);
		flush_work(&s->__end);
		KUNIT_EXPECT_EQ(test, ended.refs, 2);
		KUNIT_EXPECT_FALSE(test, ended.locked);
		KUNIT_EXPECT_NOT_NULL(test, ended.task);
		KUNIT_EXPECT_PTR_NE(test, ended.task, current);
		KUNIT_EXPECT_EQ(test, shmem_test_count(s), SHRINK_EMPTY);
	}
}

/* A fence that puts an object when reclaim asks whether it has signalled */
struct evict_fence {
	struct dma_fence base;
	spinlock_t lock;	/* the fence's */
	struct evict_bo *bo;
};

static const char *evict_fence_name(struct dma_fence *fence)
{
	return "test";
}

static bool evict_fence_signaled(struct dma_fence *fence)
{
	struct evict_bo *bo = xchg(&container_of(fence, struct evict_fence, base)->bo, NULL);

	if (bo)
		drm_shmem_put(&bo->obj);
	return true;
}

static const struct dma_fence_ops evict_fence_ops = {
	.get_driver_name = evict_fence_name,
	.get_timeline_name = evict_fence_name,
	.signaled = evict_fence_signaled,
};

static void evict_bo_put_when_asked(struct kunit *test, struct evict_bo *bo)
{
	struct dma_resv *resv = drm_shmem_gem(&bo->obj)->resv;
	struct evict_fence *fence = kzalloc_obj(*fence);

	KUNIT_ASSERT_NOT_NULL(test, fence);
	spin_lock_init(&fence->lock);
	fence->bo = bo;
	dma_fence_init(&fence->base, &evict_fence_ops, &fence->lock,
		       dma_fence_context_alloc(1), 1);
	dma_resv_lock(resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(resv, 1), 0);
	dma_resv_add_fence(resv, &fence->base, DMA_RESV_USAGE_BOOKKEEP);
	dma_resv_unlock(resv);
	dma_fence_put(&fence->base);
}

/* A device that goes with the last of its objects, which go in a scan */
struct evict_lone {
	struct drm_shmem_shrinker *s;
	struct shrinker *running;
	struct task_struct *scan;
	struct completion gone;
	bool by_scan;
	unsigned int calls;	/* of evict_lone_owner() that do not let the end run */
};

static struct evict_lone *evict_lone;

static void released(struct drm_device *drm, void *data)
{
	struct evict_lone *lone = data;

	/* The shrinker's end would wait for the scan, which is this. */
	lone->by_scan = current == lone->scan;
	if (lone->by_scan)
		shrinker_put(lone->running);
	complete(&lone->gone);
}

static void evict_lone_bo(struct kunit *test, struct drm_device *drm,
			  struct drm_shmem_shrinker *s, struct evict_ended *ended)
{
	struct evict_bo_unique *unique = drm_shmem_create(&evict_bo_type, drm, 2 * PAGE_SIZE, NULL);
	struct evict_bo *bo;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unique);
	bo = drm_shmem_publish(&evict_bo_type, &unique);
	bo->ended = ended;
	KUNIT_ASSERT_EQ(test, drm_shmem_pin(&bo->obj), 0);
	drm_shmem_unpin(&bo->obj);
	KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&bo->obj, DRM_SHMEM_DONTNEED, s), 1);
	evict_bo_put_when_asked(test, bo);
}

/* A scan of the last objects of a device that was unbound */
static void evict_lone_scan(struct kunit *test, struct evict_lone *lone,
			    struct evict_ended *ended, unsigned int count)
{
	struct device *parent = drm_safe_test_parent(test);
	struct drm_dev_ctx_unreg *unreg =
		drm_dev_ctx_alloc(parent, &shmem_test_driver, struct test_dev, ctx);
	struct drm_device *drm;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unreg);
	drm = drm_dev_ctx_bound_drm(&unreg->bound);
	lone->s = &test_dev(drm_dev_ctx_unreg_drm(unreg))->shrinker;
	lone->scan = current;
	init_completion(&lone->gone);
	KUNIT_ASSERT_EQ(test, drmm_shmem_shrinker_init(drm, lone->s), 0);
	KUNIT_ASSERT_EQ(test, drmm_add_action(drm, released, lone), 0);
	lone->running = lone->s->__shrinker;
	KUNIT_ASSERT_TRUE(test, shrinker_try_get(lone->running));
	for (unsigned int i = 0; i < count; i++)
		evict_lone_bo(test, drm, lone->s, &ended[i]);
	drm_dev_ctx_drop(&unreg);
	drm_safe_test_unbind(test, parent);

	/* The last one goes when the scan asks for its fence, and is purged nevertheless. */
	KUNIT_EXPECT_EQ(test, shmem_test_scan(lone->s, 100), count * 2);
	KUNIT_EXPECT_FALSE(test, lone->by_scan);
	if (!lone->by_scan)
		shrinker_put(lone->running);
	wait_for_completion(&lone->gone);
	for (unsigned int i = 0; i < count; i++) {
		KUNIT_EXPECT_NOT_NULL(test, ended[i].task);
		KUNIT_EXPECT_PTR_NE(test, ended[i].task, current);
	}
}

/* The device can go with the last of its objects, while the shrinker still runs. */
static void shrinker_puts_device(struct kunit *test)
{
	struct evict_ended ended = {};
	struct evict_lone lone = {};

	evict_lone_scan(test, &lone, &ended, 1);
}

/*
 * The end of dead objects runs to its end when the scan asks for the driver. The end asks as well,
 * but cannot wait for itself.
 */
static struct module *evict_lone_owner(const struct drm_device *drm)
{
	if (evict_lone->running && current == evict_lone->scan && !evict_lone->calls--)
		flush_work(&evict_lone->s->__end);
	return drm->driver->fops->owner;
}

/* The scan never has the last reference to the device, however fast the end is. */
static void shrinker_keeps_device(struct kunit *test)
{
	kunit_activate_static_stub(test, drm_dev_ctx_owner, evict_lone_owner);
	for (unsigned int calls = 0; calls < 8; calls++) {
		struct evict_lone lone = { .calls = calls };
		struct evict_ended ended[3] = {};

		evict_lone = &lone;
		evict_lone_scan(test, &lone, ended, ARRAY_SIZE(ended));
	}
}

/* An object that is on the list, and goes */
static void shrinker_forgets(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_shmem_shrinker *s = &test_dev(t->drm)->shrinker;
	struct evict_bo *bo = evict_bo_owned(test);

	KUNIT_ASSERT_EQ(test, drmm_shmem_shrinker_init(t->drm, s), 0);
	kunit_activate_static_stub(test, drm_shmem_can_swap, can_swap);
	shmem_test_touch(&bo->obj, s);
	evict_bo_end(bo);
	KUNIT_EXPECT_EQ(test, shmem_test_count(s), SHRINK_EMPTY);
	KUNIT_EXPECT_EQ(test, shmem_test_scan(s, 100), SHRINK_STOP);
}

/* All that moves an object between the lists of a shrinker */
enum list_op {
	LIST_TOUCH,
	LIST_DONTNEED,
	LIST_DONTNEED_NONE,	/* without a shrinker */
	LIST_WILLNEED,
	LIST_WILLNEED_NONE,
	LIST_MAP,
	LIST_EVICT,
	LIST_PURGE,
	LIST_SCAN,
	LIST_OPS,
};

#define LIST_DEPTH	4

/* An object as it should be after some calls */
struct list_state {
	struct drm_gem_lru *lru;
	bool contents;
	bool unneeded;
	bool purged;
	bool pages;
};

static struct drm_gem_lru *list_lru(struct drm_shmem_shrinker *s, enum __drm_shmem_list list)
{
	return &s->__lrus[list].base;
}

/* Nothing owns the table: only a touch says that the hardware uses it. */
static void list_needed(struct list_state *state, struct drm_shmem_shrinker *s,
			enum __drm_shmem_list list)
{
	state->lru = list_lru(s, state->pages ? list : __DRM_SHMEM_PARKED);
}

static void list_evicted(struct list_state *state, struct drm_shmem_shrinker *s)
{
	state->pages = false;
	if (state->lru && !state->unneeded)
		state->lru = list_lru(s, __DRM_SHMEM_PARKED);
}

static void list_advise(struct kunit *test, struct evict_bo *bo, struct list_state *state,
			enum drm_shmem_madv madv, struct drm_shmem_shrinker *s)
{
	struct drm_gem_lru *before = state->lru;

	KUNIT_ASSERT_EQ(test, drm_shmem_madvise(&bo->obj, madv, s), !state->purged);
	if (state->purged)
		return;
	state->unneeded = madv == DRM_SHMEM_DONTNEED;
	state->lru = NULL;
	if (s && state->unneeded)
		state->lru = list_lru(s, state->contents ? __DRM_SHMEM_PURGEABLE :
							   __DRM_SHMEM_PARKED);
	else if (s || (before && !state->unneeded))
		list_needed(state, &test_dev(drm_shmem_gem(&bo->obj)->dev)->shrinker,
			    __DRM_SHMEM_UNUSED);
}

static void list_step(struct kunit *test, struct evict_bo *bo, struct list_state *state,
		      enum list_op op)
{
	struct drm_device *drm = drm_shmem_gem(&bo->obj)->dev;
	struct drm_shmem_shrinker *s = &test_dev(drm)->shrinker;

	switch (op) {
	case LIST_TOUCH:
		shmem_test_touch(&bo->obj, s);
		if (!state->unneeded && !state->purged)
			list_needed(state, s, __DRM_SHMEM_SHARED);
		break;
	case LIST_DONTNEED:
		list_advise(test, bo, state, DRM_SHMEM_DONTNEED, s);
		break;
	case LIST_DONTNEED_NONE:
		list_advise(test, bo, state, DRM_SHMEM_DONTNEED, NULL);
		break;
	case LIST_WILLNEED:
		list_advise(test, bo, state, DRM_SHMEM_WILLNEED, s);
		break;
	case LIST_WILLNEED_NONE:
		list_advise(test, bo, state, DRM_SHMEM_WILLNEED, NULL);
		break;
	case LIST_MAP:
		KUNIT_ASSERT_EQ(test, map_table(drm, &bo->obj), state->purged ? -ENODATA : 0);
		state->pages = !state->purged;
		state->contents = state->pages;
		if (state->lru == list_lru(s, __DRM_SHMEM_PARKED))
			state->lru = list_lru(s, state->unneeded ? __DRM_SHMEM_PURGEABLE :
								   __DRM_SHMEM_SHARED);
		break;
	case LIST_EVICT:
		KUNIT_ASSERT_EQ(test, drm_shmem_evict(&bo->obj), state->purged ? -ENODATA : 0);
		list_evicted(state, s);
		break;
	case LIST_PURGE:
		KUNIT_ASSERT_EQ(test, drm_shmem_purge(&bo->obj),
				state->unneeded || state->purged ? 0 : -EBUSY);
		state->purged |= state->unneeded;
		break;
	case LIST_SCAN:
		shmem_test_scan(s, ULONG_MAX);
		if (state->lru == list_lru(s, __DRM_SHMEM_PURGEABLE))
			state->purged = true;
		else if (state->lru == list_lru(s, __DRM_SHMEM_SHARED) ||
			 state->lru == list_lru(s, __DRM_SHMEM_UNUSED))
			list_evicted(state, s);
		break;
	case LIST_OPS:
		break;
	}
	if (state->purged)
		*state = (struct list_state){ .purged = true };
	KUNIT_ASSERT_PTR_EQ_MSG(test, drm_shmem_gem(&bo->obj)->lru, state->lru, "after call %d",
				op);
	KUNIT_ASSERT_EQ(test, !!bo->obj.base.pages, state->pages);
}

/* After each sequence of calls an object is on the list that is right, or on none. */
static void shrinker_lists(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_shmem_shrinker *s = &test_dev(t->drm)->shrinker;
	unsigned int sequences = 1;

	KUNIT_ASSERT_EQ(test, drmm_shmem_shrinker_init(t->drm, s), 0);
	kunit_activate_static_stub(test, drm_shmem_can_swap, can_swap);
	for (int i = 0; i < LIST_DEPTH; i++)
		sequences *= LIST_OPS;
	for (unsigned int i = 0; i < sequences; i++) {
		struct list_state state = {};
		struct evict_bo *bo = evict_bo(test);

		for (unsigned int left = i, j = 0; j < LIST_DEPTH; j++, left /= LIST_OPS)
			list_step(test, bo, &state, left % LIST_OPS);
		evict_bo_end(bo);
		KUNIT_ASSERT_EQ(test, shmem_test_count(s), SHRINK_EMPTY);
	}
}

struct list_evict {
	struct work_struct work;
	struct evict_bo *bo;
	int ret;
};

static void list_evict_fn(struct work_struct *work)
{
	struct list_evict *evict = container_of(work, struct list_evict, work);

	evict->ret = drm_shmem_evict(&evict->bo->obj);
}

/* A scan that moves an object to the end of its list has it on no list for a moment. */
static void shrinker_lists_in_scan(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_shmem_shrinker *s = &test_dev(t->drm)->shrinker;
	struct list_evict *evict = kunit_kzalloc(test, sizeof(*evict), GFP_KERNEL);
	struct evict_bo *bo = evict_bo(test);
	struct drm_gem_object *gem = drm_shmem_gem(&bo->obj);

	KUNIT_ASSERT_NOT_NULL(test, evict);
	KUNIT_ASSERT_EQ(test, drmm_shmem_shrinker_init(t->drm, s), 0);
	KUNIT_EXPECT_EQ(test, map_table(t->drm, &bo->obj), 0);
	shmem_test_touch(&bo->obj, s);
	INIT_WORK(&evict->work, list_evict_fn);
	evict->bo = bo;
	mutex_lock(&t->drm->gem_lru_mutex);
	gem->lru = NULL;
	drm_safe_test_work_waits(test, &evict->work,
				 drm_safe_test_lock_waits(&t->drm->gem_lru_mutex));
	gem->lru = list_lru(s, __DRM_SHMEM_SHARED);
	mutex_unlock(&t->drm->gem_lru_mutex);
	flush_work(&evict->work);
	KUNIT_EXPECT_EQ(test, evict->ret, 0);
	KUNIT_EXPECT_PTR_EQ(test, gem->lru, list_lru(s, __DRM_SHMEM_PARKED));
	KUNIT_EXPECT_EQ(test, s->__lrus[__DRM_SHMEM_SHARED].base.count, 0);
	evict_bo_end(bo);
}

static int evict_fn(struct kunit *test, void *ctx)
{
	struct shmem_test *t = test->priv;
	struct evict_bo *bo = ctx;
	int ret;

	ret = own_table(t->drm, bo);
	if (ret)
		return ret;
	ret = drm_shmem_evict(&bo->obj) ?: resume_table(t->drm, &bo->table) ?:
	      use_table(t->drm, &bo->table);
	/* A handle that could not be resumed can be released, or resumed later. */
	KUNIT_EXPECT_EQ(test, use_table(t->drm, &bo->table), ret ? -EAGAIN : 0);
	drm_shmem_sgt_release(&bo->table);
	KUNIT_EXPECT_EQ(test, drm_shmem_evict(&bo->obj), 0);
	return ret;
}

static void allocations_fail(struct kunit *test)
{
	struct evict_bo *bo = evict_bo(test);

	KUNIT_EXPECT_GE(test, drm_safe_fail_nth(test, evict_fn, bo), 4);
	evict_bo_end(bo);
}

static struct kunit_case drm_shmem_evict_cases[] = {
	KUNIT_CASE(evict),
	KUNIT_CASE(evict_refused),
	KUNIT_CASE(evict_in_use),
	KUNIT_CASE(evict_without_step),
	KUNIT_CASE(suspend),
	KUNIT_CASE(resume_fails),
	KUNIT_CASE(shrinker),
	KUNIT_CASE(shrinker_leaves),
	KUNIT_CASE_SLOW(shrinker_lists),
	KUNIT_CASE(shrinker_lists_in_scan),
	KUNIT_CASE(shrinker_forgets),
	KUNIT_CASE(shrinker_prefers),
	KUNIT_CASE(shrinker_rotates),
	KUNIT_CASE(shrinker_puts_last),
	KUNIT_CASE(shrinker_puts_device),
	KUNIT_CASE(shrinker_keeps_device),
	KUNIT_CASE(allocations_fail),
	{}
};

static struct kunit_suite drm_shmem_evict_suite = {
	.name = "drm_shmem_evict",
	.init = shmem_test_init,
	.test_cases = drm_shmem_evict_cases,
};

kunit_test_suite(drm_shmem_evict_suite);

MODULE_IMPORT_NS("DMA_BUF");
MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
