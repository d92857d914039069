// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Mappings of userspace: drm_shmem_mmap.c
 */

#include <kunit/static_stub.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/shrinker.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include "drm_shmem_internal.h"
#include "drm_shmem_test.h"

#define MMAP_PAGES	4
#define MMAP_SIZE	(MMAP_PAGES * PAGE_SIZE)

struct mmap_map {
	DRM_VMAP(MMAP_SIZE);
};

struct mmap_page {
	DRM_VMAP(PAGE_SIZE);
};

/* Objects that userspace cannot map */
struct hidden_bo {
	struct drm_shmem_obj obj;
};

DRM_SHMEM_OBJ_TYPE(hidden_bo_type, struct hidden_bo, obj, struct hidden_bo_unique);

const struct hidden_bo_type hidden_bo_type = {
	DRM_SHMEM_OBJ_FUNCS,
	.base.flags = DRM_SHMEM_NO_MMAP,
};

KUNIT_DEFINE_ACTION_WRAPPER(mmap_put, drm_gem_object_put, struct drm_gem_object *);
KUNIT_DEFINE_ACTION_WRAPPER(mmap_put_dma_buf, shmem_test_export_put, struct dma_buf *);

static int mmap_first_word(unsigned int page)
{
	return 100 + page;
}

/* Each page of @bo says which it is. The file of the test may map it. */
static void mmap_fill(struct kunit *test, struct drm_shmem_obj *obj)
{
	int ret;

	drm_vmap_guard(mmap_map, map, obj, ret)
		for (unsigned int i = 0; i < MMAP_PAGES; i++)
			KUNIT_EXPECT_EQ(test, 0, drm_vmap_try_write32(map, i * PAGE_SIZE,
								      mmap_first_word(i)));
	KUNIT_ASSERT_EQ(test, ret, 0);
}

static void mmap_allow(struct kunit *test, struct drm_gem_object *gem)
{
	struct shmem_test *t = test->priv;
	u32 handle;

	KUNIT_ASSERT_EQ(test, drm_gem_handle_create(t->file, gem, &handle), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, mmap_put, gem), 0);
}

static struct reclaim_bo *mmap_bo(struct kunit *test)
{
	struct reclaim_bo *bo = shmem_test_reclaim_bo(test, MMAP_SIZE);

	mmap_allow(test, drm_shmem_gem(&bo->obj));
	return bo;
}

static unsigned long mmap_device(struct kunit *test, struct reclaim_bo *bo)
{
	long addr = shmem_test_mmap(test, drm_shmem_gem(&bo->obj), MAP_SHARED);

	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	KUNIT_ASSERT_NE(test, addr, 0);
	return addr;
}

static int mmap_read(unsigned long addr)
{
	int val, ret = get_user(val, (int __user *)addr);

	return ret ?: val;
}

static int mmap_write(unsigned long addr, int val)
{
	return put_user(val, (int __user *)addr);
}

static int mmap_obj_read(struct kunit *test, struct reclaim_bo *bo, unsigned int page)
{
	u32 val = 0;
	int ret;

	drm_vmap_guard(mmap_map, map, &bo->obj, ret)
		KUNIT_EXPECT_EQ(test, drm_vmap_try_read32(map, page * PAGE_SIZE, &val), 0);
	return ret ?: val;
}

static struct address_space *mmap_mapping(struct reclaim_bo *bo)
{
	return drm_shmem_gem(&bo->obj)->filp->f_mapping;
}

static bool mmap_is_dirty(struct kunit *test, struct reclaim_bo *bo, unsigned int page)
{
	struct folio *folio = filemap_get_folio(mmap_mapping(bo), page);
	bool dirty;

	KUNIT_ASSERT_FALSE(test, IS_ERR(folio));
	dirty = folio_test_dirty(folio);
	folio_put(folio);
	return dirty;
}

/* The rest of a mapping still shows its pages, and writes to them. */
static void split_parts(struct kunit *test)
{
	struct reclaim_bo *bo = mmap_bo(test);
	unsigned long addr = mmap_device(test, bo);

	mmap_fill(test, &bo->obj);
	KUNIT_ASSERT_EQ(test, vm_munmap(addr, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, mmap_read(addr), -EFAULT);
	KUNIT_EXPECT_EQ(test, mmap_read(addr + PAGE_SIZE), mmap_first_word(1));
	KUNIT_EXPECT_EQ(test, mmap_write(addr + 2 * PAGE_SIZE, 7), 0);
	KUNIT_EXPECT_EQ(test, mmap_obj_read(test, bo, 1), mmap_first_word(1));
	KUNIT_EXPECT_EQ(test, mmap_obj_read(test, bo, 2), 7);

	/* The same with two parts */
	KUNIT_ASSERT_EQ(test, vm_munmap(addr + 2 * PAGE_SIZE, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, mmap_read(addr + 3 * PAGE_SIZE), mmap_first_word(3));
	KUNIT_EXPECT_EQ(test, vm_munmap(addr + PAGE_SIZE, PAGE_SIZE), 0);
	KUNIT_EXPECT_NOT_NULL(test, bo->obj.base.pages);
	KUNIT_EXPECT_EQ(test, vm_munmap(addr + 3 * PAGE_SIZE, PAGE_SIZE), 0);
	KUNIT_EXPECT_NULL(test, bo->obj.base.pages);
}

/* A write after a split marks the page that it hits, and no other. */
static void split_is_dirty(struct kunit *test)
{
	struct reclaim_bo *bo = mmap_bo(test);
	unsigned long addr = mmap_device(test, bo);

	KUNIT_ASSERT_EQ(test, vm_munmap(addr, PAGE_SIZE), 0);
	for (unsigned int i = 1; i < MMAP_PAGES; i++)
		KUNIT_EXPECT_EQ(test, mmap_read(addr + i * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, mmap_write(addr + 2 * PAGE_SIZE, 1), 0);
	KUNIT_EXPECT_EQ(test, vm_munmap(addr + PAGE_SIZE, MMAP_SIZE - PAGE_SIZE), 0);
	for (unsigned int i = 0; i < MMAP_PAGES; i++)
		KUNIT_EXPECT_EQ(test, mmap_is_dirty(test, bo, i), i == 2);
}

static struct dma_buf *mmap_export(struct kunit *test, struct drm_gem_object *gem)
{
	struct dma_buf *dma_buf = gem->funcs->export(gem, O_RDWR);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dma_buf);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, mmap_put_dma_buf, dma_buf), 0);
	return dma_buf;
}

static long mmap_dma_buf_at(struct kunit *test, struct dma_buf *dma_buf, unsigned long len,
			    unsigned long offset)
{
	return kunit_vm_mmap(test, dma_buf->file, 0, len, PROT_READ | PROT_WRITE, MAP_SHARED,
			     offset);
}

/* A dma-buf is mapped from any offset on. */
static void dma_buf_offset(struct kunit *test)
{
	struct reclaim_bo *bo = mmap_bo(test);
	struct dma_buf *dma_buf = mmap_export(test, drm_shmem_gem(&bo->obj));
	long addr = mmap_dma_buf_at(test, dma_buf, 2 * PAGE_SIZE, 2 * PAGE_SIZE);

	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	mmap_fill(test, &bo->obj);
	KUNIT_EXPECT_EQ(test, mmap_read(addr), mmap_first_word(2));
	KUNIT_EXPECT_EQ(test, vm_munmap(addr, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, mmap_write(addr + PAGE_SIZE, 8), 0);
	KUNIT_EXPECT_EQ(test, mmap_obj_read(test, bo, 0), mmap_first_word(0));
	KUNIT_EXPECT_EQ(test, mmap_obj_read(test, bo, 3), 8);
	KUNIT_EXPECT_EQ(test, vm_munmap(addr + PAGE_SIZE, PAGE_SIZE), 0);
	/* Behind its end */
	KUNIT_EXPECT_EQ(test, mmap_dma_buf_at(test, dma_buf, 2 * PAGE_SIZE, 3 * PAGE_SIZE),
			-EINVAL);
}

/*
 * A dma-buf that the core made of an object without an offset is not mapped: a purge
 * would not find the mapping.
 */
static void dma_buf_without_offset(struct kunit *test)
{
	struct reclaim_bo *bo = mmap_bo(test);
	struct drm_gem_object *gem = drm_shmem_gem(&bo->obj);
	struct dma_buf *dma_buf = drm_gem_prime_export(gem, O_RDWR);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dma_buf);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, mmap_put_dma_buf, dma_buf), 0);
	KUNIT_ASSERT_FALSE(test, drm_mm_node_allocated(&gem->vma_node.vm_node));
	KUNIT_EXPECT_EQ(test, mmap_dma_buf_at(test, dma_buf, PAGE_SIZE, 0), -EINVAL);

	dma_buf = drm_shmem_export(&bo->obj, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dma_buf);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, mmap_put_dma_buf, dma_buf), 0);
	KUNIT_EXPECT_FALSE(test, IS_ERR_VALUE(mmap_dma_buf_at(test, dma_buf, PAGE_SIZE, 0)));
}

/* Memory is for mappings that are used, and while they are. */
static void untouched(struct kunit *test)
{
	struct reclaim_bo *bo = mmap_bo(test);
	unsigned long addr = mmap_device(test, bo), again = mmap_device(test, bo);

	KUNIT_EXPECT_NULL(test, bo->obj.base.pages);
	KUNIT_EXPECT_EQ(test, mmap_mapping(bo)->nrpages, 0);
	KUNIT_EXPECT_EQ(test, mmap_read(addr), 0);
	KUNIT_EXPECT_NOT_NULL(test, bo->obj.base.pages);
	KUNIT_EXPECT_EQ(test, vm_munmap(addr, MMAP_SIZE), 0);
	KUNIT_EXPECT_NOT_NULL(test, bo->obj.base.pages);
	KUNIT_EXPECT_EQ(test, vm_munmap(again, MMAP_SIZE), 0);
	KUNIT_EXPECT_NULL(test, bo->obj.base.pages);
	KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.base.pages_pin_count), 0);
}

static int mmap_table(struct drm_device *drm, struct drm_shmem_obj *obj)
{
	int ret;

	drm_dev_ctx_or(test_reg, reg, test_ctx(drm), return -ESHUTDOWN);
	drm_shmem_sgt_or(sgt, &reg->base.bound, obj, ret, return ret);
	return 0;
}

/* Taken from userspace and from the device, and there again when it is used */
static void evict(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct reclaim_bo *bo = mmap_bo(test);
	unsigned long addr[] = { mmap_device(test, bo), mmap_device(test, bo) };

	mmap_fill(test, &bo->obj);
	for (int i = 0; i < 4; i++) {
		for (int j = 0; j < ARRAY_SIZE(addr); j++)
			KUNIT_EXPECT_EQ(test, mmap_read(addr[j] + PAGE_SIZE),
					mmap_first_word(1) + i);
		if (i % 2)
			KUNIT_EXPECT_EQ(test, mmap_table(t->drm, &bo->obj), 0);
		KUNIT_EXPECT_NOT_NULL(test, bo->obj.base.pages);
		KUNIT_EXPECT_EQ(test, drm_shmem_evict(&bo->obj), 0);
		KUNIT_EXPECT_NULL(test, bo->obj.base.pages);
		KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.base.pages_pin_count), 0);
		KUNIT_EXPECT_EQ(test, mmap_write(addr[0] + PAGE_SIZE, mmap_first_word(2) + i), 0);
	}
	/* One of them holds the pages, the other one never had any. */
	KUNIT_EXPECT_EQ(test, vm_munmap(addr[1], MMAP_SIZE), 0);
	KUNIT_EXPECT_NOT_NULL(test, bo->obj.base.pages);
	KUNIT_EXPECT_EQ(test, vm_munmap(addr[0], MMAP_SIZE), 0);
	KUNIT_EXPECT_NULL(test, bo->obj.base.pages);
}

/* The shrinker says how many pages it freed, and they are free. */
static void purge(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_shmem_shrinker *s = &test_dev(t->drm)->shrinker;
	struct reclaim_bo *bo = mmap_bo(test);
	unsigned long addr = mmap_device(test, bo), again = mmap_device(test, bo);

	KUNIT_ASSERT_EQ(test, drmm_shmem_shrinker_init(t->drm, s), 0);
	KUNIT_EXPECT_EQ(test, mmap_read(addr), 0);
	KUNIT_EXPECT_EQ(test, mmap_write(again, 1), 0);
	KUNIT_EXPECT_EQ(test, mmap_mapping(bo)->nrpages, MMAP_PAGES);
	KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&bo->obj, DRM_SHMEM_DONTNEED, s), 1);
	KUNIT_EXPECT_EQ(test, shmem_test_scan(s, 100), MMAP_PAGES);
	KUNIT_EXPECT_EQ(test, bo->obj.base.madv, -1);
	KUNIT_EXPECT_NULL(test, bo->obj.base.pages);
	KUNIT_EXPECT_EQ(test, mmap_mapping(bo)->nrpages, 0);

	/* SIGBUS for code in userspace */
	KUNIT_EXPECT_EQ(test, mmap_read(addr), -EFAULT);
	KUNIT_EXPECT_EQ(test, mmap_write(again, 1), -EFAULT);
	KUNIT_EXPECT_EQ(test, mmap_mapping(bo)->nrpages, 0);
	KUNIT_EXPECT_EQ(test, vm_munmap(addr, MMAP_SIZE), 0);
	KUNIT_EXPECT_EQ(test, vm_munmap(again, MMAP_SIZE), 0);
	KUNIT_EXPECT_EQ(test, shmem_test_mmap(test, drm_shmem_gem(&bo->obj), MAP_SHARED), -ENODATA);
}

static bool mmap_can_swap(void)
{
	return true;
}

/* The shrinker evicts an object that only userspace uses, and again when it is back. */
static void evict_again(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_shmem_shrinker *s = &test_dev(t->drm)->shrinker;
	struct reclaim_bo *bo = mmap_bo(test);
	unsigned long addr = mmap_device(test, bo);

	KUNIT_ASSERT_EQ(test, drmm_shmem_shrinker_init(t->drm, s), 0);
	kunit_activate_static_stub(test, drm_shmem_can_swap, mmap_can_swap);
	shmem_test_touch(&bo->obj, s);
	for (int i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, mmap_write(addr, i), 0);
		KUNIT_EXPECT_EQ(test, shmem_test_count(s), MMAP_PAGES);
		KUNIT_EXPECT_EQ(test, shmem_test_scan(s, 1), MMAP_PAGES);
		KUNIT_EXPECT_NULL(test, bo->obj.base.pages);
		KUNIT_EXPECT_EQ(test, shmem_test_count(s), SHRINK_EMPTY);
		KUNIT_EXPECT_EQ(test, mmap_read(addr), i);
	}
	/* Neither an advice nor an eviction by hand takes that away. */
	for (int i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, drm_shmem_evict(&bo->obj), 0);
		if (i)
			KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&bo->obj, DRM_SHMEM_WILLNEED, s),
					1);
		KUNIT_EXPECT_EQ(test, shmem_test_count(s), SHRINK_EMPTY);
		KUNIT_EXPECT_EQ(test, mmap_read(addr), 2);
		KUNIT_EXPECT_EQ(test, shmem_test_count(s), MMAP_PAGES);
	}
	KUNIT_EXPECT_EQ(test, vm_munmap(addr, MMAP_SIZE), 0);
}

/* Nothing but mmap() of the device, which asks for access, and shared */
static void refused(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct reclaim_bo *bo = mmap_bo(test);
	struct shmem_test_export e = {};
	struct dma_buf *dma_buf = shmem_test_export(test, &e, PAGE_SIZE);
	struct test_bo *imported = shmem_test_import(test, t->drm, dma_buf);

	KUNIT_EXPECT_EQ(test, shmem_test_mmap(test, drm_shmem_gem(&bo->obj), MAP_PRIVATE), -EINVAL);

	/* Its exporter has no mmap(). */
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, imported);
	KUNIT_EXPECT_EQ(test, drm_vma_node_allow(&drm_shmem_gem(&imported->obj)->vma_node, t->file),
			0);
	KUNIT_EXPECT_EQ(test, shmem_test_mmap(test, drm_shmem_gem(&imported->obj), MAP_SHARED),
			-EINVAL);
	drm_vma_node_revoke(&drm_shmem_gem(&imported->obj)->vma_node, t->file);
	drm_shmem_put(&imported->obj);
	shmem_test_export_put(dma_buf);
}

/* An import on the device of the test, which the test puts, of an object of another device */
static struct test_bo *mmap_import(struct kunit *test, struct reclaim_bo **exported)
{
	struct shmem_test *t = test->priv;
	struct drm_device *other =
		shmem_test_device(test, drm_safe_test_parent(test), &shmem_test_driver);
	struct reclaim_bo_unique *unique =
		drm_shmem_create(&reclaim_bo_type, other, MMAP_SIZE, NULL);
	struct test_bo *imported;
	struct drm_gem_object *gem;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unique);
	*exported = drm_shmem_publish(&reclaim_bo_type, &unique);
	gem = drm_shmem_gem(&(*exported)->obj);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, mmap_put, gem), 0);
	mmap_fill(test, &(*exported)->obj);
	imported = shmem_test_import(test, t->drm, mmap_export(test, gem));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, imported);
	KUNIT_EXPECT_EQ(test, drm_vma_node_allow(&drm_shmem_gem(&imported->obj)->vma_node, t->file),
			0);
	return imported;
}

static void mmap_import_put(struct kunit *test, struct test_bo *imported)
{
	struct shmem_test *t = test->priv;

	drm_vma_node_revoke(&drm_shmem_gem(&imported->obj)->vma_node, t->file);
	drm_shmem_put(&imported->obj);
	drm_shmem_flush_work();
	/* Each mapping has put the core's reference for it. */
	KUNIT_EXPECT_EQ(test, t->live, 0);
}

/* The exporter maps, and goes on to do so once the import has ended. */
static void import_is_forwarded(struct kunit *test)
{
	struct reclaim_bo *bo;
	struct test_bo *imported = mmap_import(test, &bo);
	long addr = shmem_test_mmap(test, drm_shmem_gem(&imported->obj), MAP_SHARED);

	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	KUNIT_EXPECT_EQ(test, mmap_read(addr + 2 * PAGE_SIZE), mmap_first_word(2));
	KUNIT_EXPECT_EQ(test, mmap_write(addr + PAGE_SIZE, 7), 0);
	KUNIT_EXPECT_EQ(test, mmap_obj_read(test, bo, 1), 7);
	KUNIT_EXPECT_EQ(test, refcount_read(&imported->obj.__mmaps), 0);
	KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.__mmaps), 1);

	mmap_import_put(test, imported);
	KUNIT_EXPECT_EQ(test, mmap_read(addr + 3 * PAGE_SIZE), mmap_first_word(3));
	KUNIT_EXPECT_EQ(test, vm_munmap(addr, MMAP_SIZE), 0);
	KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.__mmaps), 0);
}

/* A mapping that the exporter refuses fails, and does not change the import. */
static void import_is_refused(struct kunit *test)
{
	struct reclaim_bo *bo;
	struct test_bo *imported = mmap_import(test, &bo);

	KUNIT_EXPECT_EQ(test, shmem_test_mmap(test, drm_shmem_gem(&imported->obj), MAP_PRIVATE),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.__mmaps), 0);
	mmap_import_put(test, imported);
}

/* An import has an offset, and does not wait for its exporter to give one. */
static void import_offset(struct kunit *test)
{
	struct reclaim_bo *bo;
	struct test_bo *imported = mmap_import(test, &bo);
	struct drm_gem_object *gem = drm_shmem_gem(&imported->obj);
	struct shmem_test_holder *holder = shmem_test_hold(test, gem->resv);
	u64 offset = 0;

	KUNIT_EXPECT_EQ(test, drm_shmem_mmap_offset(&imported->obj, &offset), 0);
	KUNIT_EXPECT_EQ(test, offset, drm_vma_node_offset_addr(&gem->vma_node));
	KUNIT_EXPECT_TRUE(test, shmem_test_leave(holder));
	mmap_import_put(test, imported);
}

static void mmap_expect_hidden(struct kunit *test, struct drm_gem_object *gem)
{
	struct dma_buf *dma_buf = mmap_export(test, gem);

	mmap_allow(test, gem);
	KUNIT_EXPECT_EQ(test, shmem_test_mmap(test, gem, MAP_SHARED), -EPERM);
	KUNIT_EXPECT_EQ(test, mmap_dma_buf_at(test, dma_buf, PAGE_SIZE, 0), -EPERM);
}

static void no_mmap(struct kunit *test)
{
	const struct drm_shmem_opts opts = { .no_mmap = true };
	struct shmem_test *t = test->priv;
	struct hidden_bo_unique *hidden_unique =
		drm_shmem_create(&hidden_bo_type, t->drm, PAGE_SIZE, NULL);
	struct test_bo_unique *unique = drm_shmem_create(&test_bo_type, t->drm, PAGE_SIZE, &opts);
	struct hidden_bo *hidden;
	struct test_bo *bo;
	u64 offset;
	int ret;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, hidden_unique);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unique);
	hidden = drm_shmem_publish(&hidden_bo_type, &hidden_unique);
	bo = drm_shmem_publish(&test_bo_type, &unique);
	KUNIT_EXPECT_EQ(test, drm_shmem_mmap_offset(&hidden->obj, &offset), -EPERM);
	KUNIT_EXPECT_EQ(test, drm_shmem_mmap_offset(&bo->obj, &offset), -EPERM);
	mmap_expect_hidden(test, drm_shmem_gem(&hidden->obj));
	mmap_expect_hidden(test, drm_shmem_gem(&bo->obj));
	/* The kernel can. */
	drm_vmap_guard(mmap_page, map, &bo->obj, ret)
		drm_vmap_write32(map, 0, 1);
	KUNIT_EXPECT_EQ(test, ret, 0);
}

/* Objects whose driver has an mmap step */
struct told_bo {
	struct drm_shmem_obj obj;
	int ret;
	int told;
	unsigned long start, pages;
	bool counted;
};

DRM_SHMEM_OBJ_TYPE(told_bo_type, struct told_bo, obj, struct told_bo_unique);

static int told_mmap(struct drm_shmem_obj *obj, const struct vm_area_struct *vma)
{
	struct told_bo *bo = drm_shmem_from_obj(&told_bo_type, obj);

	mmap_assert_write_locked(vma->vm_mm);
	bo->told++;
	bo->start = vma->vm_start;
	bo->pages = vma_pages(vma);
	bo->counted = refcount_read(&obj->__mmaps);
	return bo->ret;
}

const struct told_bo_type told_bo_type = {
	DRM_SHMEM_OBJ_FUNCS,
	.base.flags = DRM_SHMEM_RECLAIM,
	.base.mmap = told_mmap,
};

static struct told_bo *mmap_told(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct told_bo_unique *unique = drm_shmem_create(&told_bo_type, t->drm, MMAP_SIZE, NULL);
	struct told_bo *bo;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unique);
	bo = drm_shmem_publish(&told_bo_type, &unique);
	mmap_allow(test, drm_shmem_gem(&bo->obj));
	return bo;
}

/* The step sees the mapping as it will be, of the device and of a dma-buf. */
static void step(struct kunit *test)
{
	struct told_bo *bo = mmap_told(test);
	struct drm_gem_object *gem = drm_shmem_gem(&bo->obj);
	long addr = shmem_test_mmap(test, gem, MAP_SHARED), part;

	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	KUNIT_EXPECT_EQ(test, bo->told, 1);
	KUNIT_EXPECT_EQ(test, bo->start, addr);
	KUNIT_EXPECT_EQ(test, bo->pages, MMAP_PAGES);
	KUNIT_EXPECT_TRUE(test, bo->counted);
	KUNIT_EXPECT_EQ(test, mmap_write(addr, 1), 0);
	/* Only a notifier tells what happens to it. */
	KUNIT_EXPECT_EQ(test, vm_munmap(addr + PAGE_SIZE, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, vm_munmap(addr, MMAP_SIZE), 0);
	KUNIT_EXPECT_EQ(test, bo->told, 1);

	part = mmap_dma_buf_at(test, mmap_export(test, gem), PAGE_SIZE, PAGE_SIZE);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(part));
	KUNIT_EXPECT_EQ(test, bo->told, 2);
	KUNIT_EXPECT_EQ(test, bo->start, part);
	KUNIT_EXPECT_EQ(test, bo->pages, 1);
	KUNIT_EXPECT_EQ(test, vm_munmap(part, PAGE_SIZE), 0);
}

/* A refused mapping leaves nothing behind, even beside another one. */
static void step_refuses(struct kunit *test)
{
	struct told_bo *bo = mmap_told(test);
	struct drm_gem_object *gem = drm_shmem_gem(&bo->obj);
	long addr;

	bo->ret = -EACCES;
	KUNIT_EXPECT_EQ(test, shmem_test_mmap(test, gem, MAP_SHARED), -EACCES);
	KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.__mmaps), 0);

	bo->ret = 0;
	addr = shmem_test_mmap(test, gem, MAP_SHARED);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	KUNIT_EXPECT_EQ(test, mmap_write(addr, 1), 0);
	bo->ret = -EACCES;
	KUNIT_EXPECT_EQ(test, mmap_dma_buf_at(test, mmap_export(test, gem), PAGE_SIZE, 0),
			-EACCES);
	KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.__mmaps), 1);
	KUNIT_EXPECT_EQ(test, vm_munmap(addr, MMAP_SIZE), 0);
	KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.__mmaps), 0);
	KUNIT_EXPECT_NULL(test, bo->obj.base.pages);
}

/* The library's checks come first: the step is not called for a mapping that they refuse. */
static void step_is_last(struct kunit *test)
{
	struct told_bo *bo = mmap_told(test);
	struct drm_gem_object *gem = drm_shmem_gem(&bo->obj);

	KUNIT_EXPECT_EQ(test, shmem_test_mmap(test, gem, MAP_PRIVATE), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&bo->obj, DRM_SHMEM_DONTNEED, NULL), 1);
	KUNIT_EXPECT_EQ(test, drm_shmem_purge(&bo->obj), 0);
	KUNIT_EXPECT_EQ(test, shmem_test_mmap(test, gem, MAP_SHARED), -ENODATA);
	KUNIT_EXPECT_EQ(test, bo->told, 0);
}

static void step_is_positive(struct kunit *test)
{
	struct told_bo *bo = mmap_told(test);

	bo->ret = 1;
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, shmem_test_mmap(test, drm_shmem_gem(&bo->obj), MAP_SHARED),
				-EINVAL);
		EXPECT_BROKEN(test, "an mmap step returns an error or 0");
	}
	KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.__mmaps), 0);
}

/* A step that is never called is a mistake. */
struct unmapped_bo {
	struct drm_shmem_obj obj;
};

DRM_SHMEM_OBJ_TYPE(unmapped_bo_type, struct unmapped_bo, obj, struct unmapped_bo_unique);

const struct unmapped_bo_type unmapped_bo_type = {
	DRM_SHMEM_OBJ_FUNCS,
	.base.flags = DRM_SHMEM_NO_MMAP,
	.base.mmap = told_mmap,
};

static void step_never_called(struct kunit *test)
{
	struct shmem_test *t = test->priv;

	kunit_warning_suppress(test) {
		KUNIT_EXPECT_PTR_EQ(test, (void *)drm_shmem_create(&unmapped_bo_type, t->drm,
								   PAGE_SIZE, NULL),
				    ERR_PTR(-EINVAL));
		EXPECT_BROKEN(test, "a type with an mmap step can be mapped");
	}
}

struct mmap_access {
	struct work_struct work;
	struct mm_struct *mm;
	unsigned long addr;
	int ret;
};

static void mmap_access_fn(struct work_struct *work)
{
	struct mmap_access *a = container_of(work, struct mmap_access, work);

	kthread_use_mm(a->mm);
	a->ret = mmap_read(a->addr);
	kthread_unuse_mm(a->mm);
}

/* A fault that waits for the object does not block the address space. */
static void fault_waits(struct kunit *test)
{
	struct reclaim_bo *bo = mmap_bo(test);
	struct mmap_access *a = kunit_kzalloc(test, sizeof(*a), GFP_KERNEL);
	struct dma_resv *resv = drm_shmem_gem(&bo->obj)->resv;

	KUNIT_ASSERT_NOT_NULL(test, a);
	mmap_fill(test, &bo->obj);
	INIT_WORK(&a->work, mmap_access_fn);
	a->addr = mmap_device(test, bo);
	a->mm = current->mm;
	dma_resv_lock(resv, NULL);
	drm_safe_test_work_waits(test, &a->work, drm_safe_test_lock_waits(&resv->lock.base));
	/* Not locked: the order of the two locks is the other one. */
	while (rwsem_is_locked(&a->mm->mmap_lock))
		schedule_timeout_uninterruptible(1);
	dma_resv_unlock(resv);
	flush_work(&a->work);
	KUNIT_EXPECT_EQ(test, a->ret, mmap_first_word(0));
}

struct mmap_fail {
	struct reclaim_bo *bo;
	unsigned long addr;
};

/* Returns the result of the page fault of an access from user mode. */
static vm_fault_t mmap_fault(unsigned long addr, unsigned int flags)
{
	guard(mmap_read_lock)(current->mm);
	return handle_mm_fault(vma_lookup(current->mm, addr), addr, flags, NULL);
}

/* The first attempt of a fault that can be retried: before a wait, it gives back the mmap lock. */
static vm_fault_t mmap_fault_once(unsigned long addr)
	__context_unsafe("the handler may give back the lock")
{
	vm_fault_t ret;

	mmap_read_lock(current->mm);
	ret = handle_mm_fault(vma_lookup(current->mm, addr), addr, FAULT_FLAG_ALLOW_RETRY, NULL);
	if (!(ret & VM_FAULT_RETRY))
		mmap_read_unlock(current->mm);
	return ret;
}

/* Never VM_FAULT_OOM, after which the access would fault again for ever. */
static int mmap_fail_fn(struct kunit *test, void *ctx)
{
	struct mmap_fail *fail = ctx;
	vm_fault_t ret = mmap_fault(fail->addr, 0);

	KUNIT_EXPECT_EQ(test, !fail->bo->obj.base.pages, !!(ret & VM_FAULT_ERROR));
	if (ret & VM_FAULT_ERROR) {
		KUNIT_EXPECT_TRUE(test, ret == VM_FAULT_SIGBUS);
		return -ENOMEM;
	}
	KUNIT_EXPECT_EQ(test, mmap_read(fail->addr), mmap_first_word(0));
	return drm_shmem_evict(&fail->bo->obj);
}

static void allocations_fail(struct kunit *test)
{
	struct mmap_fail fail = { .bo = mmap_bo(test) };

	fail.addr = mmap_device(test, fail.bo);
	mmap_fill(test, &fail.bo->obj);
	/* Page tables */
	KUNIT_EXPECT_EQ(test, mmap_read(fail.addr), mmap_first_word(0));
	KUNIT_EXPECT_EQ(test, drm_shmem_evict(&fail.bo->obj), 0);
	KUNIT_EXPECT_GE(test, drm_safe_fail_nth(test, mmap_fail_fn, &fail), 1);
}

/* A signal ends the wait of a fault that can be retried, and the access faults again. */
static void fault_interrupted_once(struct kunit *test)
{
	struct reclaim_bo *bo = mmap_bo(test);
	unsigned long addr = mmap_device(test, bo);
	struct shmem_test_holder *holder = shmem_test_hold(test, drm_shmem_gem(&bo->obj)->resv);
	vm_fault_t ret;

	set_thread_flag(TIF_SIGPENDING);
	ret = mmap_fault_once(addr);
	clear_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_TRUE(test, shmem_test_leave(holder));
	KUNIT_EXPECT_TRUE(test, ret & VM_FAULT_RETRY);
	/* Without a signal, it goes through. */
	KUNIT_EXPECT_FALSE(test, mmap_fault(addr, 0) & VM_FAULT_ERROR);
}

/*
 * A fault that cannot be retried waits under the mmap lock, and so does the first write to
 * a page that was read. A signal ends both.
 */
static void fault_interrupted(struct kunit *test)
{
	static const unsigned int flags[] = { 0, FAULT_FLAG_USER, FAULT_FLAG_WRITE };
	struct reclaim_bo *bo = mmap_bo(test);
	unsigned long addr = mmap_device(test, bo);

	for (int i = 0; i < ARRAY_SIZE(flags); i++) {
		for (int killed = 0; killed < 2; killed++) {
			struct shmem_test_holder *holder;
			vm_fault_t ret;

			if (flags[i] & FAULT_FLAG_WRITE)
				KUNIT_EXPECT_EQ(test, mmap_read(addr), 0);
			holder = shmem_test_hold(test, drm_shmem_gem(&bo->obj)->resv);
			if (killed)
				sigaddset(&current->pending.signal, SIGKILL);
			set_thread_flag(TIF_SIGPENDING);
			ret = mmap_fault(addr, flags[i]);
			sigdelset(&current->pending.signal, SIGKILL);
			clear_thread_flag(TIF_SIGPENDING);
			KUNIT_EXPECT_TRUE(test, shmem_test_leave(holder));
			KUNIT_EXPECT_TRUE(test, ret == (killed ? VM_FAULT_SIGBUS :
								 VM_FAULT_NOPAGE));
		}
	}
	/* Without a signal, they go through. */
	KUNIT_EXPECT_FALSE(test, mmap_fault(addr, FAULT_FLAG_WRITE) & VM_FAULT_ERROR);
	KUNIT_EXPECT_TRUE(test, mmap_is_dirty(test, bo, 0));
}

/* A fault that waits keeps the file, and through it the driver, whose object it puts. */
static void fault_keeps_file(struct kunit *test)
{
	struct reclaim_bo *bo = mmap_bo(test);
	struct mmap_access *a = kunit_kzalloc(test, sizeof(*a), GFP_KERNEL);
	unsigned long other = mmap_device(test, bo);
	struct shmem_test_holder *holder;

	KUNIT_ASSERT_NOT_NULL(test, a);
	INIT_WORK(&a->work, mmap_access_fn);
	a->addr = mmap_device(test, bo);
	a->mm = current->mm;
	shmem_test_watched = shmem_test_files;
	shmem_test_gone = false;
	holder = shmem_test_hold(test, drm_shmem_gem(&bo->obj)->resv);
	drm_safe_test_work_waits(test, &a->work,
				 drm_safe_test_lock_waits(&holder->resv->lock.base));
	KUNIT_EXPECT_EQ(test, vm_munmap(a->addr, MMAP_SIZE), 0);
	flush_delayed_fput();
	KUNIT_EXPECT_FALSE(test, READ_ONCE(shmem_test_gone));
	shmem_test_leave(holder);
	flush_work(&a->work);
	flush_delayed_fput();
	KUNIT_EXPECT_TRUE(test, READ_ONCE(shmem_test_gone));
	KUNIT_EXPECT_EQ(test, a->ret, -EFAULT);
	KUNIT_EXPECT_EQ(test, vm_munmap(other, MMAP_SIZE), 0);
}

/*
 * The end of a mapping does not wait for the lock. The pages that it leaves are those of an
 * idle object: they go with an eviction, the next mapping, or the object.
 */
static void unmap_does_not_wait(struct kunit *test)
{
	for (int i = 0; i < 3; i++) {
		struct reclaim_bo *bo = mmap_bo(test);
		struct drm_gem_object *gem = drm_shmem_gem(&bo->obj);
		unsigned long addr = mmap_device(test, bo);
		struct shmem_test_holder *holder;

		KUNIT_EXPECT_EQ(test, mmap_write(addr, 1), 0);
		holder = shmem_test_hold(test, gem->resv);
		KUNIT_EXPECT_EQ(test, vm_munmap(addr, MMAP_SIZE), 0);
		KUNIT_EXPECT_TRUE(test, shmem_test_leave(holder));
		KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.__mmaps), 0);
		KUNIT_EXPECT_NOT_NULL(test, bo->obj.base.pages);
		if (i == 0) {
			KUNIT_EXPECT_EQ(test, drm_shmem_evict(&bo->obj), 0);
			KUNIT_EXPECT_NULL(test, bo->obj.base.pages);
		} else if (i == 1) {
			addr = mmap_device(test, bo);
			KUNIT_EXPECT_EQ(test, mmap_read(addr), 1);
			KUNIT_EXPECT_EQ(test, vm_munmap(addr, MMAP_SIZE), 0);
			KUNIT_EXPECT_NULL(test, bo->obj.base.pages);
		}
		/* The end of the last one of these objects warns of a pin that is left. */
	}
}

/* A large page table entry needs a range that the mapping covers, at an aligned address. */
static void pmd_fits(struct kunit *test)
{
	const unsigned long at = 8 * PMD_SIZE;
	static const struct {
		unsigned long start, end;	/* of the mapping, from @at on */
		unsigned long address;
		unsigned long phys;
		bool fits;
	} cases[] = {
		{ 0, PMD_SIZE, 0, 0, true },
		{ 0, PMD_SIZE, PMD_SIZE - PAGE_SIZE, PMD_SIZE - PAGE_SIZE, true },
		{ 0, 2 * PMD_SIZE, PMD_SIZE, 5 * PMD_SIZE, true },
		/* It would show more than the mapping does, */
		{ PAGE_SIZE, 2 * PMD_SIZE, PAGE_SIZE, PAGE_SIZE, false },
		{ PAGE_SIZE, 2 * PMD_SIZE, PMD_SIZE, 0, true },
		{ 0, PMD_SIZE - PAGE_SIZE, 0, 0, false },
		{ 0, 2 * PMD_SIZE - PAGE_SIZE, PMD_SIZE, 0, false },
		/* and other pages. */
		{ 0, PMD_SIZE, PAGE_SIZE, 0, false },
		{ 0, PMD_SIZE, 0, PAGE_SIZE, false },
	};

	for (int i = 0; i < ARRAY_SIZE(cases); i++) {
		struct vm_area_struct vma = {
			.vm_start = at + cases[i].start, .vm_end = at + cases[i].end,
		};
		const struct vm_fault vmf = { .vma = &vma, .address = at + cases[i].address };

		KUNIT_EXPECT_EQ_MSG(test, drm_shmem_pmd_fits(&vmf, 3 * PMD_SIZE + cases[i].phys),
				    cases[i].fits, "case %d", i);
	}
}

/* A range that cannot be one large entry is left to a fault for a page. */
static void fault_of_order(struct kunit *test)
{
	struct reclaim_bo *bo = mmap_bo(test);
	const unsigned long addr = mmap_device(test, bo);
	struct vm_area_struct *vma;

	mmap_fill(test, &bo->obj);
	scoped_guard(mmap_read_lock, current->mm) {
		vma = vma_lookup(current->mm, addr);
		for (unsigned int order = 1; order <= PMD_ORDER + 1; order++) {
			struct vm_fault vmf = {
				.vma = vma, .address = addr, .pgoff = vma->vm_pgoff,
			};

			KUNIT_EXPECT_TRUE(test, drm_shmem_any_fault(&vmf, order) ==
						VM_FAULT_FALLBACK);
			KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(drm_shmem_gem(&bo->obj)->resv));
			/* Only the order of a PMD matters. */
			KUNIT_EXPECT_EQ(test, !!bo->obj.base.pages, order >= PMD_ORDER);
		}
	}
	KUNIT_EXPECT_EQ(test, mmap_read(addr + PAGE_SIZE), mmap_first_word(1));
	KUNIT_EXPECT_EQ(test, vm_munmap(addr, MMAP_SIZE), 0);
	KUNIT_EXPECT_NULL(test, bo->obj.base.pages);
}

/* As the ioctl MODE_MAP_DUMB */
static int mmap_dumb(struct kunit *test, struct drm_gem_object *gem, u64 *offset)
{
	int (*map)(struct drm_file *file, struct drm_device *drm, u32 handle, u64 *offset) =
		gem->dev->driver->dumb_map_offset ?: drm_gem_dumb_map_offset;
	struct shmem_test *t = test->priv;
	u32 handle;
	int ret;

	KUNIT_ASSERT_EQ(test, drm_gem_handle_create(t->file, gem, &handle), 0);
	ret = map(t->file, gem->dev, handle, offset);
	KUNIT_EXPECT_EQ(test, drm_gem_handle_delete(t->file, handle), 0);
	KUNIT_EXPECT_EQ(test, map(t->file, gem->dev, handle, offset), -ENOENT);
	return ret;
}

/* An offset that is asked for in the way of dumb buffers is given by the same rules. */
static void dumb_offset(struct kunit *test)
{
	const struct drm_shmem_opts opts = { .no_mmap = true };
	struct shmem_test *t = test->priv;
	struct hidden_bo_unique *hidden_unique =
		drm_shmem_create(&hidden_bo_type, t->drm, PAGE_SIZE, NULL);
	struct test_bo_unique *unique = drm_shmem_create(&test_bo_type, t->drm, PAGE_SIZE, &opts);
	struct reclaim_bo *bo = mmap_bo(test);
	struct shmem_test_export e = {};
	struct dma_buf *dma_buf = shmem_test_export(test, &e, PAGE_SIZE);
	struct test_bo *imported = shmem_test_import(test, t->drm, dma_buf), *unmapped;
	struct hidden_bo *hidden;
	u64 offset, dumb = 0;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, hidden_unique);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unique);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, imported);
	hidden = drm_shmem_publish(&hidden_bo_type, &hidden_unique);
	unmapped = drm_shmem_publish(&test_bo_type, &unique);

	KUNIT_EXPECT_EQ(test, mmap_dumb(test, drm_shmem_gem(&bo->obj), &dumb), 0);
	KUNIT_EXPECT_EQ(test, drm_shmem_mmap_offset(&bo->obj, &offset), 0);
	KUNIT_EXPECT_EQ(test, dumb, offset);
	KUNIT_EXPECT_EQ(test, mmap_dumb(test, drm_shmem_gem(&hidden->obj), &dumb), -EPERM);
	KUNIT_EXPECT_EQ(test, mmap_dumb(test, drm_shmem_gem(&unmapped->obj), &dumb), -EPERM);
	KUNIT_EXPECT_FALSE(test,
			   drm_mm_node_allocated(&drm_shmem_gem(&unmapped->obj)->vma_node.vm_node));
	KUNIT_EXPECT_EQ(test, mmap_dumb(test, drm_shmem_gem(&imported->obj), &dumb), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&bo->obj, DRM_SHMEM_DONTNEED, NULL), 1);
	KUNIT_EXPECT_EQ(test, drm_shmem_purge(&bo->obj), 0);
	KUNIT_EXPECT_EQ(test, mmap_dumb(test, drm_shmem_gem(&bo->obj), &dumb), -ENODATA);

	drm_shmem_put(&hidden->obj);
	drm_shmem_put(&unmapped->obj);
	drm_shmem_put(&imported->obj);
	shmem_test_export_put(dma_buf);
}

static void mmap_free_other(struct drm_gem_object *gem)
{
	drm_gem_object_release(gem);
	kfree(gem);
}

/* A driver's object that is none of the library's is the core's to map. */
static void dumb_offset_of_other(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_gem_object *gem = kzalloc_obj(*gem);
	static const struct drm_gem_object_funcs funcs = { .free = mmap_free_other };
	u64 dumb = 0;

	KUNIT_ASSERT_NOT_NULL(test, gem);
	gem->funcs = &funcs;
	drm_gem_private_object_init(t->drm, gem, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, mmap_dumb(test, gem, &dumb), 0);
	KUNIT_EXPECT_EQ(test, dumb, drm_vma_node_offset_addr(&gem->vma_node));
	drm_gem_object_put(gem);
}

/* The first offset that a number of 32 bits cannot hold, in pages */
#define MMAP_FAR	(SZ_4G >> PAGE_SHIFT)

/* A mapping behind the first 4 GiB of offsets is found again, also on a 32-bit kernel. */
static void far_offset(struct kunit *test)
{
	struct drm_vma_offset_node *filler = kunit_kzalloc(test, sizeof(*filler), GFP_KERNEL);
	struct shmem_test *t = test->priv;
	struct drm_vma_offset_manager *mgr = t->drm->vma_offset_manager;
	struct reclaim_bo *bo = mmap_bo(test);
	unsigned long addr;

	KUNIT_ASSERT_NOT_NULL(test, filler);
	drm_vma_node_reset(filler);
	if (DRM_FILE_PAGE_OFFSET_START < MMAP_FAR)
		KUNIT_ASSERT_EQ(test, 0,
				drm_vma_offset_add(mgr, filler,
						   MMAP_FAR - DRM_FILE_PAGE_OFFSET_START));
	addr = mmap_device(test, bo);
	KUNIT_EXPECT_GE(test, drm_vma_node_offset_addr(&drm_shmem_gem(&bo->obj)->vma_node), SZ_4G);
	mmap_fill(test, &bo->obj);
	for (unsigned int i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, mmap_read(addr + PAGE_SIZE), mmap_first_word(1));
		KUNIT_EXPECT_NOT_NULL(test, bo->obj.base.pages);
		KUNIT_EXPECT_EQ(test, drm_shmem_evict(&bo->obj), 0);
		KUNIT_EXPECT_NULL(test, bo->obj.base.pages);
	}
	KUNIT_EXPECT_EQ(test, vm_munmap(addr, MMAP_SIZE), 0);
	drm_vma_offset_remove(mgr, filler);
}

static struct kunit_case drm_shmem_mmap_cases[] = {
	KUNIT_CASE(split_parts),
	KUNIT_CASE(split_is_dirty),
	KUNIT_CASE(dma_buf_offset),
	KUNIT_CASE(dma_buf_without_offset),
	KUNIT_CASE(untouched),
	KUNIT_CASE(evict),
	KUNIT_CASE(evict_again),
	KUNIT_CASE(purge),
	KUNIT_CASE(refused),
	KUNIT_CASE(import_is_forwarded),
	KUNIT_CASE(import_is_refused),
	KUNIT_CASE(import_offset),
	KUNIT_CASE(no_mmap),
	KUNIT_CASE(step),
	KUNIT_CASE(step_refuses),
	KUNIT_CASE(step_is_last),
	KUNIT_CASE(step_is_positive),
	KUNIT_CASE(step_never_called),
	KUNIT_CASE(fault_waits),
	KUNIT_CASE(fault_interrupted),
	KUNIT_CASE(fault_interrupted_once),
	KUNIT_CASE(fault_keeps_file),
	KUNIT_CASE(unmap_does_not_wait),
	KUNIT_CASE(pmd_fits),
	KUNIT_CASE(fault_of_order),
	KUNIT_CASE(dumb_offset),
	KUNIT_CASE(dumb_offset_of_other),
	KUNIT_CASE(far_offset),
	KUNIT_CASE(allocations_fail),
	{}
};

static struct kunit_suite drm_shmem_mmap_suite = {
	.name = "drm_shmem_mmap",
	.init = shmem_test_init,
	.test_cases = drm_shmem_mmap_cases,
};

kunit_test_suite(drm_shmem_mmap_suite);

MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
