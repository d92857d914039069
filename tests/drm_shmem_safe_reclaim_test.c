// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Pin, madvise, purge and the shrinker: drm_shmem_reclaim.c
 */

#include <kunit/static_stub.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/shmem_fs.h>
#include <linux/shrinker.h>
#include <linux/sizes.h>
#include <linux/workqueue.h>

#include "drm_shmem_internal.h"
#include "drm_shmem_test.h"

struct reclaim_page {
	DRM_VMAP(PAGE_SIZE);
};

struct reclaim_page_owned {
	DRM_VMAP_OWNED(struct reclaim_page);
};

static int map_table(struct drm_device *drm, struct drm_shmem_obj *obj)
{
	int ret;

	drm_dev_ctx_or(test_reg, reg, test_ctx(drm), return -ESHUTDOWN);
	drm_shmem_sgt_or(sgt, &reg->base.bound, obj, ret, return ret);
	return 0;
}

static bool is_purged(struct reclaim_bo *bo)
{
	struct dma_resv *resv = drm_shmem_gem(&bo->obj)->resv;
	bool ret;

	dma_resv_lock(resv, NULL);
	ret = drm_shmem_is_purged(&bo->obj);
	dma_resv_unlock(resv);
	return ret;
}

/* Nothing can be had of a purged object, by whichever way. */
static void expect_purged(struct kunit *test, struct reclaim_bo *bo)
{
	struct shmem_test *t = test->priv;
	struct reclaim_page_owned own = {};
	struct vm_area_struct vma = {};
	struct iosys_map map;
	u64 offset;
	int ret;

	KUNIT_EXPECT_NULL(test, bo->obj.base.pages);
	KUNIT_EXPECT_EQ(test, drm_shmem_gem(&bo->obj)->funcs->mmap(drm_shmem_gem(&bo->obj), &vma),
			-ENODATA);
	drm_vmap_guard(reclaim_page, v, &bo->obj, ret)
		KUNIT_FAIL(test, "mapped");
	KUNIT_EXPECT_EQ(test, ret, -ENODATA);
	KUNIT_EXPECT_EQ(test, drm_vmap_own(&own, &bo->obj), -ENODATA);
	KUNIT_EXPECT_EQ(test, drm_gem_vmap(drm_shmem_gem(&bo->obj), &map), -ENODATA);
	KUNIT_EXPECT_EQ(test, drm_shmem_pin(&bo->obj), -ENODATA);
	KUNIT_EXPECT_EQ(test, map_table(t->drm, &bo->obj), -ENODATA);
	KUNIT_EXPECT_EQ(test, drm_shmem_mmap_offset(&bo->obj, &offset), -ENODATA);
	KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&bo->obj, DRM_SHMEM_WILLNEED, NULL), 0);
	KUNIT_EXPECT_EQ(test, drm_shmem_purge(&bo->obj), 0);
	KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.base.pages_pin_count), 0);
	KUNIT_EXPECT_TRUE(test, is_purged(bo));
}

static void pin(struct kunit *test)
{
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);
	refcount_t *pins = &bo->obj.base.pages_pin_count;

	KUNIT_ASSERT_EQ(test, drm_shmem_pin(&bo->obj), 0);
	KUNIT_ASSERT_EQ(test, drm_shmem_pin(&bo->obj), 0);
	KUNIT_EXPECT_EQ(test, refcount_read(pins), 2);
	drm_shmem_unpin(&bo->obj);
	drm_shmem_unpin(&bo->obj);
	KUNIT_EXPECT_EQ(test, refcount_read(pins), 0);
	KUNIT_EXPECT_NULL(test, bo->obj.base.pages);
}

static void unpin_unbalanced(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);

	/* Once without any pin, once with the sg table's only */
	for (int i = 0; i < 2; i++) {
		kunit_warning_suppress(test) {
			drm_shmem_unpin(&bo->obj);
			EXPECT_BROKEN(test, "each unpin undoes a pin");
		}
		KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.base.pages_pin_count), i);
		KUNIT_EXPECT_EQ(test, map_table(t->drm, &bo->obj), 0);
	}
}

/* Whose pin is it? That of a mapping, of an sg table, of an importer: none of ours. */
static void unpin_steals(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);
	struct drm_gem_object *gem = drm_shmem_gem(&bo->obj);
	refcount_t *pins = &bo->obj.base.pages_pin_count;
	int ret;

	KUNIT_EXPECT_EQ(test, map_table(t->drm, &bo->obj), 0);
	dma_resv_lock(gem->resv, NULL);
	KUNIT_EXPECT_EQ(test, gem->funcs->pin(gem), 0);
	dma_resv_unlock(gem->resv);
	drm_vmap_guard(reclaim_page, map, &bo->obj, ret) {
		KUNIT_ASSERT_EQ(test, drm_shmem_pin(&bo->obj), 0);
		KUNIT_EXPECT_EQ(test, refcount_read(pins), 4);
		drm_shmem_unpin(&bo->obj);
		kunit_warning_suppress(test) {
			drm_shmem_unpin(&bo->obj);
			EXPECT_BROKEN(test, "each unpin undoes a pin");
		}
		KUNIT_EXPECT_EQ(test, refcount_read(pins), 3);
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	dma_resv_lock(gem->resv, NULL);
	gem->funcs->unpin(gem);
	dma_resv_unlock(gem->resv);
	KUNIT_EXPECT_EQ(test, refcount_read(pins), 1);
}

static bool reclaim_is_dirty(struct kunit *test, struct reclaim_bo *bo)
{
	struct page *page = shmem_read_mapping_page(drm_shmem_gem(&bo->obj)->filp->f_mapping, 0);
	bool dirty;

	KUNIT_ASSERT_FALSE(test, IS_ERR(page));
	dirty = folio_test_dirty(page_folio(page));
	put_page(page);
	return dirty;
}

/* A page that looks as if nobody had written to it could be dropped. */
static void unpinned_is_dirty(struct kunit *test)
{
	struct shmem_test *t = test->priv;

	for (int i = 0; i < 3; i++) {
		struct reclaim_bo *bo = shmem_test_reclaim_bo(test, PAGE_SIZE);
		struct drm_gem_object *gem = drm_shmem_gem(&bo->obj);

		KUNIT_EXPECT_FALSE(test, reclaim_is_dirty(test, bo));
		switch (i) {
		case 0:
			KUNIT_EXPECT_EQ(test, map_table(t->drm, &bo->obj), 0);
			KUNIT_EXPECT_EQ(test, drm_shmem_sgt_unmap(&bo->obj), 0);
			break;
		case 1:
			KUNIT_EXPECT_EQ(test, drm_shmem_pin(&bo->obj), 0);
			drm_shmem_unpin(&bo->obj);
			break;
		case 2:
			/* As who imports a dma-buf of it does */
			dma_resv_lock(gem->resv, NULL);
			KUNIT_EXPECT_EQ(test, gem->funcs->pin(gem), 0);
			gem->funcs->unpin(gem);
			dma_resv_unlock(gem->resv);
			break;
		}
		KUNIT_EXPECT_NULL(test, bo->obj.base.pages);
		KUNIT_EXPECT_TRUE(test, reclaim_is_dirty(test, bo));
		drm_shmem_put(&bo->obj);
	}
}

static void imported(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, PAGE_SIZE);
	struct test_bo *bo = shmem_test_import(test, t->drm, dmabuf);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	KUNIT_EXPECT_EQ(test, drm_shmem_pin(&bo->obj), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&bo->obj, DRM_SHMEM_DONTNEED, NULL), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, drm_shmem_purge(&bo->obj), -EOPNOTSUPP);
	drm_shmem_put(&bo->obj);
	shmem_test_export_put(dmabuf);
}

static void madvise(struct kunit *test)
{
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);

	KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&bo->obj, DRM_SHMEM_DONTNEED, NULL), 1);
	KUNIT_EXPECT_EQ(test, bo->obj.base.madv, 1);
	KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&bo->obj, -1, NULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&bo->obj, 2, NULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, bo->obj.base.madv, 1);
	KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&bo->obj, DRM_SHMEM_WILLNEED, NULL), 1);
	KUNIT_EXPECT_EQ(test, bo->obj.base.madv, 0);
}

static void purge(struct kunit *test)
{
	struct shmem_test *t = test->priv;

	for (int mapped = 0; mapped < 2; mapped++) {
		struct reclaim_bo *bo = shmem_test_reclaim_bo(test, 4 * PAGE_SIZE);
		struct drm_vma_offset_node *node = &drm_shmem_gem(&bo->obj)->vma_node;
		u64 offset;

		KUNIT_EXPECT_EQ(test, drm_shmem_mmap_offset(&bo->obj, &offset), 0);
		KUNIT_EXPECT_NE(test, drm_vma_node_start(node), 0);
		if (mapped)
			KUNIT_EXPECT_EQ(test, map_table(t->drm, &bo->obj), 0);
		KUNIT_EXPECT_EQ(test, drm_shmem_purge(&bo->obj), -EBUSY);
		KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&bo->obj, DRM_SHMEM_DONTNEED, NULL), 1);
		KUNIT_EXPECT_FALSE(test, is_purged(bo));
		KUNIT_EXPECT_EQ(test, drm_shmem_purge(&bo->obj), 0);
		KUNIT_EXPECT_EQ(test, drm_vma_node_start(node), 0);
		expect_purged(test, bo);
		drm_shmem_put(&bo->obj);
	}
}

/* Whatever uses the object keeps its contents, and may use them. */
static void purge_in_use(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct reclaim_bo *bo = shmem_test_reclaim_bo(test, PAGE_SIZE);
	struct drm_gem_object *gem = drm_shmem_gem(&bo->obj);
	struct drm_shmem_sgt_owned table = {};
	struct reclaim_page_owned own = {};
	struct dma_buf *dmabuf;
	struct dma_fence *fence;
	u32 handle = 0;
	int ret = -1;

	KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&bo->obj, DRM_SHMEM_DONTNEED, NULL), 1);

	drm_vmap_guard(reclaim_page, map, &bo->obj, ret) {
		drm_vmap_write32(map, 0, 99);
		KUNIT_EXPECT_EQ(test, drm_shmem_purge(&bo->obj), -EBUSY);
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, drm_vmap_own(&own, &bo->obj), 0);
	KUNIT_EXPECT_EQ(test, drm_shmem_purge(&bo->obj), -EBUSY);
	KUNIT_EXPECT_EQ(test, drm_vmap_read32(&own, 0), 99);
	drm_vmap_release(&own);

	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm)) {
		drm_shmem_sgt_guard(sgt, &reg->base.bound, &bo->obj, ret)
			KUNIT_EXPECT_EQ(test, drm_shmem_purge(&bo->obj), -EBUSY);
		KUNIT_EXPECT_EQ(test, ret, 0);
		KUNIT_EXPECT_EQ(test, drm_shmem_sgt_own(&table, &reg->base.bound, &bo->obj), 0);
	}
	KUNIT_EXPECT_EQ(test, drm_shmem_purge(&bo->obj), -EBUSY);
	drm_shmem_sgt_release(&table);

	KUNIT_EXPECT_EQ(test, drm_shmem_pin(&bo->obj), 0);
	KUNIT_EXPECT_EQ(test, drm_shmem_purge(&bo->obj), -EBUSY);
	drm_shmem_unpin(&bo->obj);

	fence = dma_fence_allocate_private_stub(ktime_get());
	KUNIT_ASSERT_NOT_NULL(test, fence);
	dma_resv_lock(gem->resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(gem->resv, 1), 0);
	dma_resv_add_fence(gem->resv, fence, DMA_RESV_USAGE_BOOKKEEP);
	dma_resv_unlock(gem->resv);
	dma_fence_put(fence);

	KUNIT_EXPECT_EQ(test, drm_shmem_handle_create(&bo->obj, t->file, &handle), 0);
	dmabuf = drm_gem_prime_handle_to_dmabuf(t->drm, t->file, handle, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	KUNIT_EXPECT_EQ(test, drm_shmem_purge(&bo->obj), -EBUSY);
	dma_buf_put(dmabuf);
	KUNIT_EXPECT_EQ(test, drm_gem_handle_delete(t->file, handle), 0);
	flush_delayed_fput();

	KUNIT_EXPECT_EQ(test, drm_shmem_purge(&bo->obj), 0);
	expect_purged(test, bo);
	drm_shmem_put(&bo->obj);
}

static const char *fence_name(struct dma_fence *fence)
{
	return "test";
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = fence_name,
	.get_timeline_name = fence_name,
};

static void purge_fenced(struct kunit *test)
{
	struct reclaim_bo *bo = shmem_test_reclaim_bo(test, PAGE_SIZE);
	struct drm_gem_object *gem = drm_shmem_gem(&bo->obj);
	struct dma_fence *fence = kzalloc_obj(*fence);
	static DEFINE_SPINLOCK(lock);

	KUNIT_ASSERT_NOT_NULL(test, fence);
	dma_fence_init(fence, &fence_ops, &lock, dma_fence_context_alloc(1), 1);
	KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&bo->obj, DRM_SHMEM_DONTNEED, NULL), 1);
	dma_resv_lock(gem->resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(gem->resv, 1), 0);
	dma_resv_add_fence(gem->resv, fence, DMA_RESV_USAGE_BOOKKEEP);
	dma_resv_unlock(gem->resv);

	KUNIT_EXPECT_EQ(test, drm_shmem_purge(&bo->obj), -EBUSY);
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, drm_shmem_purge(&bo->obj), 0);
	drm_shmem_put(&bo->obj);
	dma_fence_put(fence);
}

/* Users of the table are not counted, so that nobody knows whether it is free. */
static void purge_not_counted(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);

	KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&bo->obj, DRM_SHMEM_DONTNEED, NULL), 1);
	KUNIT_EXPECT_EQ(test, map_table(t->drm, &bo->obj), 0);
	KUNIT_EXPECT_EQ(test, drm_shmem_purge(&bo->obj), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, map_table(t->drm, &bo->obj), 0);

	/* Revoked: there is no table any more. */
	shmem_test_unbind(test);
	KUNIT_EXPECT_EQ(test, drm_shmem_purge(&bo->obj), 0);
	KUNIT_EXPECT_NULL(test, bo->obj.base.pages);
}

static bool no_swap(void)
{
	return false;
}

static void shrinker(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_shmem_shrinker *s = &test_dev(t->drm)->shrinker;
	struct reclaim_page_owned own = {};
	struct reclaim_bo *bo[5];

	/* With it, what is needed after all could be evicted. */
	kunit_activate_static_stub(test, drm_shmem_can_swap, no_swap);
	KUNIT_ASSERT_EQ(test, drmm_shmem_shrinker_init(t->drm, s), 0);
	KUNIT_EXPECT_EQ(test, shmem_test_count(s), SHRINK_EMPTY);
	KUNIT_EXPECT_EQ(test, shmem_test_scan(s, 100), SHRINK_STOP);

	for (int i = 0; i < ARRAY_SIZE(bo); i++) {
		bo[i] = shmem_test_reclaim_bo(test, 2 * PAGE_SIZE);
		KUNIT_EXPECT_EQ(test, map_table(t->drm, &bo[i]->obj), 0);
		KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&bo[i]->obj, DRM_SHMEM_DONTNEED, s), 1);
	}
	KUNIT_EXPECT_EQ(test, shmem_test_count(s), 5 * 2);

	/* 0 is needed after all, 1 is mapped, 2 is locked, 3 can go, 4 is freed */
	KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&bo[0]->obj, DRM_SHMEM_WILLNEED, s), 1);
	drm_shmem_put(&bo[4]->obj);
	KUNIT_EXPECT_EQ(test, shmem_test_count(s), 3 * 2);
	KUNIT_EXPECT_EQ(test, drm_vmap_own(&own, &bo[1]->obj), 0);
	dma_resv_lock(drm_shmem_gem(&bo[2]->obj)->resv, NULL);
	KUNIT_EXPECT_EQ(test, shmem_test_scan(s, 100), 2);
	dma_resv_unlock(drm_shmem_gem(&bo[2]->obj)->resv);
	drm_vmap_release(&own);
	expect_purged(test, bo[3]);
	KUNIT_EXPECT_EQ(test, shmem_test_count(s), 2 * 2);

	/* The one that was mapped is the last that was used. */
	KUNIT_EXPECT_EQ(test, shmem_test_scan(s, 1), 2);
	expect_purged(test, bo[2]);
	KUNIT_EXPECT_EQ(test, shmem_test_scan(s, 100), 2);
	expect_purged(test, bo[1]);
	KUNIT_EXPECT_EQ(test, shmem_test_count(s), SHRINK_EMPTY);
	KUNIT_EXPECT_EQ(test, map_table(t->drm, &bo[0]->obj), 0);

	for (int i = 0; i < 4; i++)
		drm_shmem_put(&bo[i]->obj);
}

/* A dma-buf keeps the contents for whoever gets it, also without a handle or importer. */
static void exported_stays(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_shmem_shrinker *s = &test_dev(t->drm)->shrinker;
	struct reclaim_bo *bo = shmem_test_reclaim_bo(test, 2 * PAGE_SIZE);
	struct drm_gem_object *gem = drm_shmem_gem(&bo->obj);
	struct dma_buf *dmabuf, *again;
	u32 handle;

	KUNIT_ASSERT_EQ(test, drmm_shmem_shrinker_init(t->drm, s), 0);
	KUNIT_EXPECT_EQ(test, map_table(t->drm, &bo->obj), 0);
	KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&bo->obj, DRM_SHMEM_DONTNEED, s), 1);
	KUNIT_ASSERT_EQ(test, drm_shmem_handle_create(&bo->obj, t->file, &handle), 0);
	dmabuf = drm_gem_prime_handle_to_dmabuf(t->drm, t->file, handle, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	KUNIT_EXPECT_EQ(test, shmem_test_scan(s, 100), SHRINK_STOP);
	KUNIT_EXPECT_EQ(test, drm_gem_handle_delete(t->file, handle), 0);
	KUNIT_EXPECT_NULL(test, gem->dma_buf);

	again = gem->funcs->export(gem, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, again);
	for (int i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, shmem_test_scan(s, 100), SHRINK_STOP);
		KUNIT_EXPECT_EQ(test, drm_shmem_purge(&bo->obj), -EBUSY);
		/* No importer has the pages. */
		KUNIT_EXPECT_EQ(test, drm_shmem_evict(&bo->obj), 0);
		shmem_test_export_put(i ? again : dmabuf);
	}
	KUNIT_EXPECT_EQ(test, shmem_test_scan(s, 100), 2);
	expect_purged(test, bo);
	drm_shmem_put(&bo->obj);
}

/* Makes a name, like DRM_IOCTL_GEM_FLINK. */
static void give_name(struct kunit *test, struct drm_gem_object *gem)
{
	guard(mutex)(&gem->dev->object_name_lock);
	gem->name = idr_alloc(&gem->dev->object_name_idr, gem, 1, 0, GFP_KERNEL);
	KUNIT_ASSERT_GT(test, gem->name, 0);
}

/* Any client can open an object by its name, which goes with the last handle. */
static void shared_by_name(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct reclaim_bo *bo = shmem_test_reclaim_bo(test, 2 * PAGE_SIZE);
	u32 handle;

	KUNIT_ASSERT_EQ(test, drm_shmem_handle_create(&bo->obj, t->file, &handle), 0);
	KUNIT_EXPECT_FALSE(test, drm_shmem_is_shared(&bo->obj));
	give_name(test, &bo->obj.base.base);
	KUNIT_EXPECT_TRUE(test, drm_shmem_is_shared(&bo->obj));
	KUNIT_EXPECT_EQ(test, drm_gem_handle_delete(t->file, handle), 0);
	KUNIT_EXPECT_FALSE(test, drm_shmem_is_shared(&bo->obj));
	drm_shmem_put(&bo->obj);
}

/* Whether the contents are one client's only, which may then throw them away */
static void shared(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct file *filp = drm_safe_test_open(test, t->drm->render);
	struct reclaim_bo *bo = shmem_test_reclaim_bo(test, 2 * PAGE_SIZE);
	struct dma_buf *dmabuf;
	u32 handle, other;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, filp);
	KUNIT_ASSERT_EQ(test, drm_shmem_handle_create(&bo->obj, t->file, &handle), 0);
	KUNIT_EXPECT_FALSE(test, drm_shmem_is_shared(&bo->obj));
	KUNIT_ASSERT_EQ(test, drm_shmem_handle_create(&bo->obj, filp->private_data, &other), 0);
	KUNIT_EXPECT_TRUE(test, drm_shmem_is_shared(&bo->obj));
	KUNIT_EXPECT_EQ(test, drm_gem_handle_delete(filp->private_data, other), 0);
	KUNIT_EXPECT_FALSE(test, drm_shmem_is_shared(&bo->obj));

	dmabuf = drm_gem_prime_handle_to_dmabuf(t->drm, t->file, handle, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	KUNIT_EXPECT_EQ(test, bo->obj.base.base.handle_count, 1);
	KUNIT_EXPECT_TRUE(test, drm_shmem_is_shared(&bo->obj));
	shmem_test_export_put(dmabuf);
	/* The core keeps it for the client's next export. */
	KUNIT_EXPECT_TRUE(test, drm_shmem_is_shared(&bo->obj));
	KUNIT_EXPECT_EQ(test, drm_gem_handle_delete(t->file, handle), 0);
	flush_delayed_fput();
	KUNIT_EXPECT_FALSE(test, drm_shmem_is_shared(&bo->obj));
	drm_shmem_put(&bo->obj);
}

/* A type with dma-bufs of its own, of which the library does not see the end */
struct own_export_bo {
	struct drm_shmem_obj obj;
	int ret;
};

DRM_SHMEM_OBJ_TYPE(own_export_bo_type, struct own_export_bo, obj, struct own_export_bo_unique);

static struct dma_buf *own_export_bo_export(struct drm_shmem_obj *obj, int flags)
{
	struct own_export_bo *bo = drm_shmem_from_obj(&own_export_bo_type, obj);

	/* 1 is for a step that is wrong. */
	if (bo->ret)
		return bo->ret == 1 ? NULL : ERR_PTR(bo->ret);
	return drm_gem_prime_export(drm_shmem_gem(obj), flags);
}

const struct own_export_bo_type own_export_bo_type = {
	DRM_SHMEM_OBJ_FUNCS,
	.base.flags = DRM_SHMEM_RECLAIM,
	.base.export = own_export_bo_export,
};

static void exported_otherwise(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct own_export_bo_unique *unique =
		drm_shmem_create(&own_export_bo_type, t->drm, PAGE_SIZE, NULL);
	struct drm_gem_object *gem;
	struct own_export_bo *bo;
	struct dma_buf *dmabuf;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unique);
	bo = drm_shmem_publish(&own_export_bo_type, &unique);
	gem = drm_shmem_gem(&bo->obj);
	KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&bo->obj, DRM_SHMEM_DONTNEED, NULL), 1);
	KUNIT_EXPECT_EQ(test, map_table(t->drm, &bo->obj), 0);

	/* One that was not made keeps nothing. */
	bo->ret = -ENOSPC;
	KUNIT_EXPECT_PTR_EQ(test, gem->funcs->export(gem, 0), ERR_PTR(-ENOSPC));
	bo->ret = 1;
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_PTR_EQ(test, gem->funcs->export(gem, 0), ERR_PTR(-EINVAL));
		EXPECT_BROKEN(test, "an export step returns a dma-buf");
	}
	KUNIT_EXPECT_EQ(test, drm_shmem_evict(&bo->obj), 0);

	bo->ret = 0;
	KUNIT_EXPECT_EQ(test, map_table(t->drm, &bo->obj), 0);
	dmabuf = gem->funcs->export(gem, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	KUNIT_EXPECT_EQ(test, drm_shmem_purge(&bo->obj), -EBUSY);
	shmem_test_export_put(dmabuf);
	KUNIT_EXPECT_EQ(test, drm_shmem_purge(&bo->obj), -EBUSY);
	KUNIT_EXPECT_EQ(test, drm_shmem_evict(&bo->obj), -EBUSY);
	drm_shmem_put(&bo->obj);
}

/* All ways to fill an object with pages that go back to shmem */
enum fill { FILL_VMAP, FILL_PIN, FILL_TABLE, FILL_CORE_VMAP, FILL_CORE_PIN, FILLS };

static void fill(struct kunit *test, struct reclaim_bo *bo, enum fill how)
{
	struct drm_gem_object *gem = drm_shmem_gem(&bo->obj);
	struct reclaim_page_owned own = {};
	struct iosys_map map;

	switch (how) {
	case FILL_VMAP:
		KUNIT_EXPECT_EQ(test, drm_vmap_own(&own, &bo->obj), 0);
		drm_vmap_release(&own);
		break;
	case FILL_PIN:
		KUNIT_ASSERT_EQ(test, drm_shmem_pin(&bo->obj), 0);
		drm_shmem_unpin(&bo->obj);
		break;
	case FILL_TABLE:
		KUNIT_EXPECT_EQ(test, map_table(gem->dev, &bo->obj), 0);
		KUNIT_EXPECT_EQ(test, drm_shmem_sgt_unmap(&bo->obj), 0);
		break;
	case FILL_CORE_VMAP:
		KUNIT_ASSERT_EQ(test, drm_gem_vmap(gem, &map), 0);
		drm_gem_vunmap(gem, &map);
		break;
	case FILL_CORE_PIN:
		dma_resv_lock(gem->resv, NULL);
		KUNIT_ASSERT_EQ(test, gem->funcs->pin(gem), 0);
		gem->funcs->unpin(gem);
		dma_resv_unlock(gem->resv);
		break;
	case FILLS:
		break;
	}
	KUNIT_EXPECT_NULL(test, bo->obj.base.pages);
}

/* A count and a scan are of what can go, not of what could have been there. */
static void shrinker_counts_filled(struct kunit *test, enum fill i)
{
	struct shmem_test *t = test->priv;
	struct drm_shmem_shrinker *s = &test_dev(t->drm)->shrinker;
	struct reclaim_bo *bo[3];

	for (int i = 0; i < ARRAY_SIZE(bo); i++) {
		bo[i] = shmem_test_reclaim_bo(test, 4 * PAGE_SIZE);
		KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&bo[i]->obj, DRM_SHMEM_DONTNEED, s), 1);
	}
	/* Nothing is there to be given back. */
	KUNIT_EXPECT_EQ(test, shmem_test_count(s), SHRINK_EMPTY);
	/* 0 has no pages, 1 has them, and 2 has unpinned ones, of which it lost one. */
	KUNIT_EXPECT_EQ(test, map_table(t->drm, &bo[1]->obj), 0);
	KUNIT_EXPECT_EQ(test, map_table(t->drm, &bo[2]->obj), 0);
	KUNIT_EXPECT_EQ(test, drm_shmem_evict(&bo[2]->obj), 0);
	shmem_truncate_range(file_inode(drm_shmem_gem(&bo[2]->obj)->filp), 0, PAGE_SIZE - 1);

	KUNIT_EXPECT_EQ(test, shmem_test_count(s), 2 * 4);
	KUNIT_EXPECT_EQ(test, shmem_test_scan(s, 1), 4);
	expect_purged(test, bo[1]);
	KUNIT_EXPECT_EQ(test, bo[2]->obj.base.madv, 1);
	KUNIT_EXPECT_EQ(test, shmem_test_scan(s, 1), 4 - 1);
	expect_purged(test, bo[2]);
	KUNIT_EXPECT_EQ(test, shmem_test_count(s), SHRINK_EMPTY);
	KUNIT_EXPECT_EQ(test, shmem_test_scan(s, 1), SHRINK_STOP);
	KUNIT_EXPECT_EQ(test, bo[0]->obj.base.madv, 1);
	/* Whatever fills it, also for a moment, makes it one to purge. */
	fill(test, bo[0], i);
	KUNIT_EXPECT_EQ(test, shmem_test_count(s), 4);
	KUNIT_EXPECT_EQ(test, shmem_test_scan(s, 1), 4);
	expect_purged(test, bo[0]);
	for (int i = 0; i < ARRAY_SIZE(bo); i++)
		drm_shmem_put(&bo[i]->obj);
}

static void shrinker_counts(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_shmem_shrinker *s = &test_dev(t->drm)->shrinker;

	KUNIT_ASSERT_EQ(test, drmm_shmem_shrinker_init(t->drm, s), 0);
	for (enum fill i = 0; i < FILLS; i++)
		shrinker_counts_filled(test, i);
}

static bool yes_swap(void)
{
	return true;
}

/* A needed object without pages to evict is not counted, whatever took the pages. */
static void shrinker_counts_evictable(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_shmem_shrinker *s = &test_dev(t->drm)->shrinker;
	struct reclaim_bo *bo = shmem_test_reclaim_bo(test, 4 * PAGE_SIZE);
	struct reclaim_page_owned own = {};

	KUNIT_ASSERT_EQ(test, drmm_shmem_shrinker_init(t->drm, s), 0);
	kunit_activate_static_stub(test, drm_shmem_can_swap, yes_swap);
	shmem_test_touch(&bo->obj, s);
	KUNIT_EXPECT_EQ(test, shmem_test_count(s), SHRINK_EMPTY);
	for (enum fill i = 0; i < FILLS; i++) {
		fill(test, bo, i);
		KUNIT_EXPECT_EQ(test, shmem_test_count(s), SHRINK_EMPTY);
	}
	for (unsigned int i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, map_table(t->drm, &bo->obj), 0);
		KUNIT_EXPECT_EQ(test, shmem_test_count(s), 4);
		if (i) {
			KUNIT_EXPECT_EQ(test, drm_vmap_own(&own, &bo->obj), 0);
			/* An object with other users is not counted, either. */
			KUNIT_EXPECT_EQ(test, shmem_test_count(s), SHRINK_EMPTY);
			KUNIT_EXPECT_EQ(test, drm_shmem_sgt_unmap(&bo->obj), 0);
			KUNIT_EXPECT_EQ(test, shmem_test_count(s), SHRINK_EMPTY);
			drm_vmap_release(&own);
		} else {
			KUNIT_EXPECT_EQ(test, drm_shmem_sgt_unmap(&bo->obj), 0);
		}
		KUNIT_EXPECT_EQ(test, shmem_test_count(s), SHRINK_EMPTY);
	}
	drm_shmem_put(&bo->obj);
}

/* A driver that uses the core for pages has them. */
static void purge_used(struct kunit *test)
{
	struct reclaim_bo *bo = shmem_test_reclaim_bo(test, PAGE_SIZE);
	refcount_t *uses = &bo->obj.base.pages_use_count;

	KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&bo->obj, DRM_SHMEM_DONTNEED, NULL), 1);
	KUNIT_EXPECT_EQ(test, drm_shmem_pin(&bo->obj), 0);
	refcount_inc(uses);
	drm_shmem_unpin(&bo->obj);
	KUNIT_EXPECT_EQ(test, drm_shmem_purge(&bo->obj), -EBUSY);
	dma_resv_lock(drm_shmem_gem(&bo->obj)->resv, NULL);
	drm_gem_shmem_put_pages_locked(&bo->obj.base);
	dma_resv_unlock(drm_shmem_gem(&bo->obj)->resv);
	KUNIT_EXPECT_EQ(test, drm_shmem_purge(&bo->obj), 0);
	drm_shmem_put(&bo->obj);
}

static void expect_bad_shrinker(struct kunit *test, struct drm_shmem_shrinker *s,
				const char *rule)
{
	struct reclaim_bo *bo = shmem_test_reclaim_bo(test, PAGE_SIZE);

	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&bo->obj, DRM_SHMEM_DONTNEED, s),
				-EINVAL);
		KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&bo->obj, DRM_SHMEM_WILLNEED, s),
				-EINVAL);
		shmem_test_touch(&bo->obj, s);
		EXPECT_BROKEN_TIMES(test, 3, rule);
	}
	KUNIT_EXPECT_EQ(test, bo->obj.base.madv, 0);
	KUNIT_EXPECT_NULL(test, drm_shmem_gem(&bo->obj)->lru);
	drm_shmem_put(&bo->obj);
}

static void shrinker_unprepared(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_shmem_shrinker *s = &test_dev(t->drm)->shrinker;

	expect_bad_shrinker(test, s, "a shrinker is initialised before use");

	/* A shrinker is not prepared twice, either. */
	KUNIT_ASSERT_EQ(test, drmm_shmem_shrinker_init(t->drm, s), 0);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, drmm_shmem_shrinker_init(t->drm, s), -EBUSY);
		EXPECT_BROKEN(test, "a shrinker is initialised once");
	}
	KUNIT_EXPECT_EQ(test, shmem_test_count(s), SHRINK_EMPTY);
}

static void shrinker_foreign(struct kunit *test)
{
	struct drm_device *other = shmem_test_device(test, drm_safe_test_parent(test),
						     &shmem_test_driver);
	struct drm_shmem_shrinker *s = &test_dev(other)->shrinker;

	KUNIT_ASSERT_EQ(test, drmm_shmem_shrinker_init(other, s), 0);
	expect_bad_shrinker(test, s, "an object and its shrinker are of one device");
	KUNIT_EXPECT_EQ(test, shmem_test_count(s), SHRINK_EMPTY);
}

struct reclaim_put {
	struct work_struct work;
	struct reclaim_bo *bo;
};

static void reclaim_put_fn(struct work_struct *work)
{
	drm_shmem_put(&container_of(work, struct reclaim_put, work)->bo->obj);
}

/* The shrinker does not find an object any more whose end began. */
static void shrinker_misses_dying(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_shmem_shrinker *s = &test_dev(t->drm)->shrinker;
	struct reclaim_put *put = kunit_kzalloc(test, sizeof(*put), GFP_KERNEL);
	struct reclaim_bo *parent = shmem_test_reclaim_bo(test, PAGE_SIZE);
	const struct drm_shmem_opts opts = { .resv_parent = drm_shmem_gem(&parent->obj) };
	struct reclaim_bo_unique *unique = drm_shmem_create(&reclaim_bo_type, t->drm, PAGE_SIZE,
							    &opts);

	KUNIT_ASSERT_NOT_NULL(test, put);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unique);
	put->bo = drm_shmem_publish(&reclaim_bo_type, &unique);
	INIT_WORK(&put->work, reclaim_put_fn);
	KUNIT_ASSERT_EQ(test, drmm_shmem_shrinker_init(t->drm, s), 0);
	fill(test, put->bo, FILL_PIN);
	KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&put->bo->obj, DRM_SHMEM_DONTNEED, s), 1);
	KUNIT_EXPECT_EQ(test, shmem_test_count(s), 1);

	/* It goes, also while another task holds the reservation lock that it shares. */
	dma_resv_lock(drm_shmem_gem(&parent->obj)->resv, NULL);
	schedule_work(&put->work);
	flush_work(&put->work);
	KUNIT_EXPECT_EQ(test, shmem_test_count(s), SHRINK_EMPTY);
	dma_resv_unlock(drm_shmem_gem(&parent->obj)->resv);
	drm_shmem_put(&parent->obj);
}

/* A device outlives all runs of its shrinker, of which this is one. */
static void shrinker_goes_first(struct kunit *test)
{
	struct device *parent = drm_safe_test_parent(test);
	struct work_struct *unbind = drm_safe_test_unbind_work(test, parent);
	struct drm_dev_ctx_unreg *unreg =
		drm_dev_ctx_alloc(parent, &shmem_test_driver, struct test_dev, ctx);
	struct drm_shmem_shrinker *s;
	struct shrinker *running;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unreg);
	s = &test_dev(drm_dev_ctx_unreg_drm(unreg))->shrinker;
	KUNIT_ASSERT_EQ(test, drmm_shmem_shrinker_init(drm_dev_ctx_bound_drm(&unreg->bound), s), 0);
	running = s->__shrinker;
	KUNIT_ASSERT_TRUE(test, shrinker_try_get(running));
	drm_dev_ctx_drop(&unreg);
	drm_safe_test_work_waits(test, unbind, swait_active(&running->done.wait));
	shrinker_put(running);
	flush_work(unbind);
}

/* A device whose shrinker is prepared, with allocations of that failing */
static int shrinker_init_fn(struct kunit *test, void *ctx)
{
	unsigned int left = drm_safe_fail_pause();
	struct drm_dev_ctx_unreg *unreg =
		drm_dev_ctx_alloc(ctx, &shmem_test_driver, struct test_dev, ctx);
	struct drm_shmem_shrinker *s;
	int ret;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unreg);
	s = &test_dev(drm_dev_ctx_unreg_drm(unreg))->shrinker;
	drm_safe_fail_resume(left);
	ret = drmm_shmem_shrinker_init(drm_dev_ctx_bound_drm(&unreg->bound), s);
	left = drm_safe_fail_pause();
	KUNIT_EXPECT_EQ(test, !s->__drm, !!ret);
	drm_dev_ctx_drop(&unreg);
	drm_safe_fail_resume(left);
	return ret;
}

static void shrinker_init_fails(struct kunit *test)
{
	struct device *parent = drm_safe_test_parent(test);

	KUNIT_EXPECT_GE(test, drm_safe_fail_nth(test, shrinker_init_fn, parent), 2);
}

static struct kunit_case drm_shmem_reclaim_cases[] = {
	KUNIT_CASE(pin),
	KUNIT_CASE(unpin_unbalanced),
	KUNIT_CASE(unpin_steals),
	KUNIT_CASE(unpinned_is_dirty),
	KUNIT_CASE(imported),
	KUNIT_CASE(madvise),
	KUNIT_CASE(purge),
	KUNIT_CASE(purge_in_use),
	KUNIT_CASE(purge_fenced),
	KUNIT_CASE(purge_not_counted),
	KUNIT_CASE(purge_used),
	KUNIT_CASE(exported_stays),
	KUNIT_CASE(exported_otherwise),
	KUNIT_CASE(shared),
	KUNIT_CASE(shared_by_name),
	KUNIT_CASE(shrinker),
	KUNIT_CASE(shrinker_counts),
	KUNIT_CASE(shrinker_counts_evictable),
	KUNIT_CASE(shrinker_unprepared),
	KUNIT_CASE(shrinker_foreign),
	KUNIT_CASE(shrinker_misses_dying),
	KUNIT_CASE(shrinker_goes_first),
	KUNIT_CASE(shrinker_init_fails),
	{}
};

static struct kunit_suite drm_shmem_reclaim_suite = {
	.name = "drm_shmem_reclaim",
	.init = shmem_test_init,
	.test_cases = drm_shmem_reclaim_cases,
};

kunit_test_suite(drm_shmem_reclaim_suite);
