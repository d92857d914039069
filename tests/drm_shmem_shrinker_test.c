// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The order in which the shrinker takes objects, groups of them, and what it waits for:
 * drm_shmem_shrinker.c and drm_shmem_lru.c
 */

#include <kunit/static_stub.h>
#include <linux/dcache.h>
#include <linux/debugfs.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/kthread.h>
#include <linux/shrinker.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>

#include <drm/drm_print.h>

#include "drm_shmem_internal.h"
#include "drm_shmem_test.h"

#define SHRINK_PAGES	4

/* An object with the state of two page tables */
struct shrink_bo {
	struct drm_shmem_obj obj;
	struct drm_shmem_sgt_owned table[2];
	struct drm_shmem_group *use;	/* used when the object is evicted, */
	struct drm_shmem_group *end;	/* or ended */
	unsigned int relisted;		/* by another task */
	unsigned int scanned;
	int ret;
};

DRM_SHMEM_OBJ_TYPE(shrink_bo_type, struct shrink_bo, obj, struct shrink_bo_unique);

static int shrink_bo_evict(struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	struct shrink_bo *bo = drm_shmem_from_obj(&shrink_bo_type, obj);

	/* A scan that does not end by itself ends here. */
	if (bo->use && bo->scanned++ < 1000)
		drm_shmem_group_touch(bo->use);
	if (bo->end)
		drm_shmem_group_fini(bo->end);
	if (bo->ret)
		return bo->ret;
	for (int i = 0; i < ARRAY_SIZE(bo->table); i++)
		drm_shmem_sgt_suspend(&bo->table[i]);
	return 0;
}

const struct shrink_bo_type shrink_bo_type = {
	DRM_SHMEM_OBJ_FUNCS,
	.base.flags = DRM_SHMEM_RECLAIM,
	.base.evict = shrink_bo_evict,
};

static bool yes_swap(void)
{
	return true;
}

static struct drm_shmem_shrinker *shrink_init(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_shmem_shrinker *s = &test_dev(t->drm)->shrinker;

	KUNIT_ASSERT_EQ(test, drmm_shmem_shrinker_init(t->drm, s), 0);
	kunit_activate_static_stub(test, drm_shmem_can_swap, yes_swap);
	return s;
}

static int own_table(struct drm_device *drm, struct shrink_bo *bo, int i)
{
	drm_dev_ctx_or(test_reg, reg, test_ctx(drm), return -ESHUTDOWN);
	return drm_shmem_sgt_own(&bo->table[i], &reg->base.bound, &bo->obj);
}

static void shrink_bo_end(void *data)
{
	struct shrink_bo *bo = data;

	for (int i = 0; i < ARRAY_SIZE(bo->table); i++)
		drm_shmem_sgt_release(&bo->table[i]);
	drm_shmem_put(&bo->obj);
}

/* In the GPU, with the pages that it needs */
static struct shrink_bo *shrink_bo(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct shrink_bo_unique *unique = drm_shmem_create(&shrink_bo_type, t->drm, 4 * PAGE_SIZE,
							   NULL);
	struct shrink_bo *bo;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unique);
	bo = drm_shmem_publish(&shrink_bo_type, &unique);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, shrink_bo_end, bo), 0);
	KUNIT_ASSERT_EQ(test, own_table(t->drm, bo, 0), 0);
	return bo;
}

static void shrink_touch_for(struct shrink_bo *bo, struct drm_shmem_group *group)
{
	struct dma_resv *resv = drm_shmem_gem(&bo->obj)->resv;

	dma_resv_lock(resv, NULL);
	drm_shmem_touch_for(&bo->obj, group);
	dma_resv_unlock(resv);
}

static struct shrink_bo *shrink_bo_of(struct kunit *test, struct drm_shmem_group *group)
{
	struct shrink_bo *bo = shrink_bo(test);

	shrink_touch_for(bo, group);
	return bo;
}

static void group_end(void *group)
{
	drm_shmem_group_fini(group);
}

static struct drm_shmem_group *group_new(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_shmem_group *group = kunit_kzalloc(test, sizeof(*group), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, group);
	KUNIT_ASSERT_EQ(test, drm_shmem_group_init(group, &test_dev(t->drm)->shrinker), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, group_end, group), 0);
	return group;
}

static bool is_evicted(const struct shrink_bo *bo)
{
	return !bo->obj.base.pages;
}

/* Where an object is listed */
static enum __drm_shmem_list listed(const struct shrink_bo *bo)
{
	const struct drm_gem_lru *lru = bo->obj.base.base.lru;

	return lru ? container_of(lru, struct __drm_shmem_lru, base)->list : __DRM_SHMEM_UNLISTED;
}

/* One object goes, and it is @bo. */
static void expect_next(struct kunit *test, struct drm_shmem_shrinker *s, struct shrink_bo *bo)
{
	KUNIT_EXPECT_FALSE(test, is_evicted(bo));
	KUNIT_EXPECT_EQ(test, shmem_test_scan(s, 1), SHRINK_PAGES);
	KUNIT_EXPECT_TRUE(test, is_evicted(bo));
	KUNIT_EXPECT_EQ(test, listed(bo), __DRM_SHMEM_PARKED);
}

/* A page table entry of userspace, as far as the object knows */
static void shrink_fault(struct kunit *test, struct shrink_bo *bo, bool faulted)
{
	struct drm_gem_object *gem = drm_shmem_gem(&bo->obj);
	struct dma_resv *resv = gem->resv;

	KUNIT_EXPECT_EQ(test, drm_gem_create_mmap_offset(gem), 0);
	dma_resv_lock(resv, NULL);
	if (faulted) {
		KUNIT_EXPECT_EQ(test, drm_gem_shmem_pin_locked(&bo->obj.base), 0);
		bo->obj.__flags |= __DRM_SHMEM_FAULTED;
		__drm_shmem_relist(&bo->obj);
	} else {
		__drm_shmem_mmap_unpopulate(&bo->obj);
	}
	dma_resv_unlock(resv);
}

/* Unused objects first, then those of userspace, of the GPU for one group, and for all */
static void order(struct kunit *test)
{
	struct drm_shmem_shrinker *s = shrink_init(test);
	struct drm_shmem_group *group = group_new(test);
	struct shrink_bo *shared = shrink_bo(test);
	struct shrink_bo *own = shrink_bo(test);
	struct shrink_bo *mapped = shrink_bo(test);
	struct shrink_bo *unused = shrink_bo(test);

	/* The order of the calls is the other way round. */
	shmem_test_touch(&shared->obj, s);
	shrink_touch_for(own, group);
	shmem_test_touch(&mapped->obj, s);
	shrink_touch_for(unused, group);
	KUNIT_EXPECT_EQ(test, listed(shared), __DRM_SHMEM_SHARED);
	KUNIT_EXPECT_EQ(test, listed(own), __DRM_SHMEM_GROUPED);
	KUNIT_EXPECT_EQ(test, listed(mapped), __DRM_SHMEM_SHARED);
	KUNIT_EXPECT_EQ(test, listed(unused), __DRM_SHMEM_GROUPED);
	drm_shmem_sgt_release(&unused->table[0]);
	KUNIT_EXPECT_EQ(test, listed(unused), __DRM_SHMEM_UNUSED);
	drm_shmem_sgt_release(&mapped->table[0]);
	KUNIT_EXPECT_EQ(test, listed(mapped), __DRM_SHMEM_UNUSED);
	shrink_fault(test, mapped, true);
	KUNIT_EXPECT_EQ(test, listed(mapped), __DRM_SHMEM_MMAPPED);
	KUNIT_EXPECT_EQ(test, shmem_test_count(s), 4 * SHRINK_PAGES);

	expect_next(test, s, unused);
	expect_next(test, s, mapped);
	expect_next(test, s, own);
	expect_next(test, s, shared);
	KUNIT_EXPECT_EQ(test, shmem_test_count(s), SHRINK_EMPTY);
	KUNIT_EXPECT_EQ(test, shmem_test_scan(s, 1), SHRINK_STOP);
}

/* Userspace ends: its objects are unused, or gone. */
static void order_follows(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_shmem_shrinker *s = shrink_init(test);
	struct shrink_bo *bo = shrink_bo(test);

	shmem_test_touch(&bo->obj, s);
	drm_shmem_sgt_release(&bo->table[0]);
	shrink_fault(test, bo, true);
	KUNIT_EXPECT_EQ(test, listed(bo), __DRM_SHMEM_MMAPPED);
	shrink_fault(test, bo, false);
	KUNIT_EXPECT_EQ(test, listed(bo), __DRM_SHMEM_UNUSED);
	KUNIT_EXPECT_EQ(test, drm_shmem_sgt_unmap(&bo->obj), 0);
	KUNIT_EXPECT_EQ(test, listed(bo), __DRM_SHMEM_PARKED);
	KUNIT_EXPECT_EQ(test, own_table(t->drm, bo, 0), 0);
	KUNIT_EXPECT_EQ(test, listed(bo), __DRM_SHMEM_SHARED);
}

/* An object that has become harder to evict without a word is left to its own list. */
static void harder(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_shmem_shrinker *s = shrink_init(test);
	struct shrink_bo *bo = shrink_bo(test);

	shmem_test_touch(&bo->obj, s);
	drm_shmem_sgt_release(&bo->table[0]);
	KUNIT_EXPECT_EQ(test, listed(bo), __DRM_SHMEM_UNUSED);
	/* Takes no lock: the table is there. */
	KUNIT_EXPECT_EQ(test, own_table(t->drm, bo, 0), 0);
	KUNIT_EXPECT_EQ(test, listed(bo), __DRM_SHMEM_UNUSED);
	KUNIT_EXPECT_EQ(test, shmem_test_scan_once(s, 0, 1), SHRINK_STOP);
	KUNIT_EXPECT_FALSE(test, is_evicted(bo));
	KUNIT_EXPECT_EQ(test, listed(bo), __DRM_SHMEM_SHARED);
	expect_next(test, s, bo);
}

/* An object is as easy to evict as it is, wherever it is listed. */
static void easier(struct kunit *test)
{
	struct drm_shmem_shrinker *s = shrink_init(test);
	struct shrink_bo *bo = shrink_bo(test);
	struct dma_resv *resv = drm_shmem_gem(&bo->obj)->resv;

	shmem_test_touch(&bo->obj, s);
	/* The lock is tried, and nothing waits for it. */
	dma_resv_lock(resv, NULL);
	drm_shmem_sgt_release(&bo->table[0]);
	dma_resv_unlock(resv);
	KUNIT_EXPECT_EQ(test, listed(bo), __DRM_SHMEM_SHARED);
	expect_next(test, s, bo);
}

/* A pinned object cannot be evicted, and no scan looks at it. */
static void pinned(struct kunit *test)
{
	struct drm_shmem_shrinker *s = shrink_init(test);
	struct shrink_bo *bo = shrink_bo(test);

	shmem_test_touch(&bo->obj, s);
	for (int i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, shmem_test_count(s), SHRINK_PAGES);
		KUNIT_ASSERT_EQ(test, drm_shmem_pin(&bo->obj), 0);
		KUNIT_EXPECT_EQ(test, shmem_test_count(s), SHRINK_EMPTY);
		KUNIT_EXPECT_EQ(test, listed(bo), __DRM_SHMEM_PARKED);
		KUNIT_EXPECT_EQ(test, shmem_test_scan_once(s, GFP_KERNEL, 1), SHRINK_STOP);
		/* Use by the hardware does not make it one, either. */
		if (i)
			shmem_test_touch(&bo->obj, s);
		KUNIT_EXPECT_EQ(test, shmem_test_count(s), SHRINK_EMPTY);
		drm_shmem_unpin(&bo->obj);
	}
	expect_next(test, s, bo);
}

static enum __drm_shmem_list listed_obj(const struct drm_shmem_obj *obj)
{
	const struct drm_gem_lru *lru = obj->base.base.lru;

	return lru ? container_of(lru, struct __drm_shmem_lru, base)->list : __DRM_SHMEM_UNLISTED;
}

/* Contents that are not needed, and that cannot be purged, are not counted. */
static void unneeded(struct kunit *test)
{
	struct drm_shmem_shrinker *s = shrink_init(test);
	struct shrink_bo *bo = shrink_bo(test);
	struct shmem_test_holder *holder;
	struct dma_buf *dmabuf;

	KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&bo->obj, DRM_SHMEM_DONTNEED, s), 1);
	KUNIT_EXPECT_EQ(test, listed(bo), __DRM_SHMEM_PURGEABLE);
	KUNIT_ASSERT_EQ(test, drm_shmem_pin(&bo->obj), 0);
	KUNIT_EXPECT_EQ(test, listed(bo), __DRM_SHMEM_PARKED);
	KUNIT_EXPECT_EQ(test, shmem_test_count(s), SHRINK_EMPTY);
	drm_shmem_unpin(&bo->obj);
	KUNIT_EXPECT_EQ(test, shmem_test_count(s), SHRINK_PAGES);

	for (int i = 0; i < 2; i++) {
		dmabuf = drm_shmem_export(&bo->obj, O_RDWR);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
		KUNIT_EXPECT_EQ(test, listed(bo), __DRM_SHMEM_PARKED);
		KUNIT_EXPECT_EQ(test, shmem_test_count(s), SHRINK_EMPTY);
		/* The end of the dma-buf does not wait for the lock. */
		holder = i ? shmem_test_hold(test, drm_shmem_gem(&bo->obj)->resv) : NULL;
		dma_buf_put(dmabuf);
		flush_delayed_fput();
		if (holder)
			KUNIT_EXPECT_TRUE(test, shmem_test_leave(holder));
		drm_shmem_flush_work();
		KUNIT_EXPECT_EQ(test, listed(bo), __DRM_SHMEM_PURGEABLE);
		KUNIT_EXPECT_EQ(test, kref_read(&drm_shmem_gem(&bo->obj)->refcount), 2);
	}
	KUNIT_EXPECT_EQ(test, shmem_test_scan(s, SHRINK_PAGES), SHRINK_PAGES);
	dma_resv_lock(drm_shmem_gem(&bo->obj)->resv, NULL);
	KUNIT_EXPECT_TRUE(test, drm_shmem_is_purged(&bo->obj));
	dma_resv_unlock(drm_shmem_gem(&bo->obj)->resv);
}

/* A table without a count of users is not unmapped, so the object is not purged. */
static void unneeded_mapped(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_shmem_shrinker *s = shrink_init(test);
	struct test_bo *bo = shmem_test_bo(test, SHRINK_PAGES * PAGE_SIZE);
	int ret = -1;

	KUNIT_ASSERT_EQ(test, drm_shmem_pin(&bo->obj), 0);
	KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&bo->obj, DRM_SHMEM_DONTNEED, s), 1);
	drm_shmem_unpin(&bo->obj);
	KUNIT_EXPECT_EQ(test, listed_obj(&bo->obj), __DRM_SHMEM_PURGEABLE);
	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm))
		drm_shmem_sgt_guard(sgt, &reg->base.bound, &bo->obj, ret)
			KUNIT_EXPECT_NOT_NULL(test, drm_shmem_sgt_table(sgt));
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, listed_obj(&bo->obj), __DRM_SHMEM_PARKED);
	KUNIT_EXPECT_EQ(test, shmem_test_count(s), SHRINK_EMPTY);
	shmem_test_unbind(test);
	KUNIT_EXPECT_EQ(test, listed_obj(&bo->obj), __DRM_SHMEM_PURGEABLE);
}

/* A group goes as a whole, and the one that was used last goes last. */
static void groups(struct kunit *test)
{
	struct drm_shmem_shrinker *s = shrink_init(test);
	struct drm_shmem_group *group[3];
	struct shrink_bo *bo[3][2];

	for (int i = 0; i < 3; i++)
		group[i] = group_new(test);
	for (int j = 0; j < 2; j++)
		for (int i = 0; i < 3; i++)
			bo[i][j] = shrink_bo_of(test, group[i]);
	KUNIT_EXPECT_EQ(test, shmem_test_count(s), 6 * SHRINK_PAGES);
	KUNIT_EXPECT_EQ(test, s->__grouped, 6 * SHRINK_PAGES);

	/* The second one never ran. The objects are as they were. */
	drm_shmem_group_touch(group[0]);
	drm_shmem_group_touch(group[2]);
	drm_shmem_group_touch(group[0]);
	expect_next(test, s, bo[1][0]);
	expect_next(test, s, bo[1][1]);
	expect_next(test, s, bo[2][0]);
	KUNIT_EXPECT_EQ(test, s->__grouped, 3 * SHRINK_PAGES);
	/* Within a group, the order of the objects counts. */
	shrink_touch_for(bo[0][0], group[0]);
	KUNIT_EXPECT_EQ(test, shmem_test_scan(s, 2 * SHRINK_PAGES), 2 * SHRINK_PAGES);
	KUNIT_EXPECT_TRUE(test, is_evicted(bo[2][1]));
	KUNIT_EXPECT_TRUE(test, is_evicted(bo[0][1]));
	expect_next(test, s, bo[0][0]);
	KUNIT_EXPECT_EQ(test, s->__grouped, 0);
}

/* Objects in use do not keep a scan from the rest of the group, nor from the next one. */
static void groups_rotate(struct kunit *test)
{
	struct drm_shmem_shrinker *s = shrink_init(test);
	struct drm_shmem_group *busy = group_new(test), *idle = group_new(test);
	struct shrink_bo *bo[3];

	drm_shmem_group_touch(idle);
	for (int i = 0; i < 3; i++) {
		bo[i] = shrink_bo_of(test, i < 2 ? busy : idle);
		bo[i]->ret = -EBUSY;
	}
	bo[1]->ret = 0;
	expect_next(test, s, bo[1]);
	bo[2]->ret = 0;
	expect_next(test, s, bo[2]);
	KUNIT_EXPECT_EQ(test, shmem_test_scan(s, 1), SHRINK_STOP);
	bo[0]->ret = 0;
	expect_next(test, s, bo[0]);
}

/* An object of two groups is shared until the GPU has it no more. */
static void shares(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_shmem_shrinker *s = shrink_init(test);
	struct drm_shmem_group *a = group_new(test), *b = group_new(test);
	struct shrink_bo *bo = shrink_bo_of(test, a);

	shrink_touch_for(bo, a);
	KUNIT_EXPECT_EQ(test, listed(bo), __DRM_SHMEM_GROUPED);
	shrink_touch_for(bo, b);
	KUNIT_EXPECT_EQ(test, listed(bo), __DRM_SHMEM_SHARED);
	KUNIT_EXPECT_EQ(test, s->__grouped, 0);
	shrink_touch_for(bo, b);
	KUNIT_EXPECT_EQ(test, listed(bo), __DRM_SHMEM_SHARED);

	/* After the eviction, it belongs to no group. */
	expect_next(test, s, bo);
	drm_shmem_sgt_release(&bo->table[0]);
	KUNIT_EXPECT_EQ(test, own_table(t->drm, bo, 0), 0);
	shrink_touch_for(bo, b);
	KUNIT_EXPECT_EQ(test, listed(bo), __DRM_SHMEM_GROUPED);
	KUNIT_EXPECT_PTR_EQ(test, bo->obj.base.base.lru, &b->__lru.base);
	/* One that somebody without a group uses is shared, too. */
	shmem_test_touch(&bo->obj, s);
	shrink_touch_for(bo, b);
	KUNIT_EXPECT_EQ(test, listed(bo), __DRM_SHMEM_SHARED);
}

/* The objects of a group that ends stay, and so does the count. */
static void group_ends(struct kunit *test)
{
	struct drm_shmem_shrinker *s = shrink_init(test);
	struct drm_shmem_group *group = group_new(test);
	struct shrink_bo *bo[2] = { shrink_bo_of(test, group), shrink_bo_of(test, group) };
	struct dma_resv *resv = drm_shmem_gem(&bo[0]->obj)->resv;

	/* Whatever is locked */
	dma_resv_lock(resv, NULL);
	drm_shmem_group_fini(group);
	dma_resv_unlock(resv);
	KUNIT_EXPECT_EQ(test, listed(bo[0]), __DRM_SHMEM_SHARED);
	KUNIT_EXPECT_EQ(test, listed(bo[1]), __DRM_SHMEM_SHARED);
	KUNIT_EXPECT_EQ(test, s->__grouped, 0);
	KUNIT_EXPECT_EQ(test, shmem_test_count(s), 2 * SHRINK_PAGES);
	KUNIT_EXPECT_TRUE(test, list_empty(&s->__groups));
	drm_shmem_group_fini(group);
	expect_next(test, s, bo[0]);
	KUNIT_EXPECT_EQ(test, drm_shmem_group_init(group, s), 0);
	shrink_touch_for(bo[1], group);
	KUNIT_EXPECT_EQ(test, listed(bo[1]), __DRM_SHMEM_GROUPED);
}

/* An object that goes leaves the count of its group. */
static void group_forgets(struct kunit *test)
{
	struct drm_shmem_shrinker *s = shrink_init(test);
	struct drm_shmem_group *group = group_new(test);
	struct shrink_bo *bo = shrink_bo_of(test, group);

	kunit_release_action(test, shrink_bo_end, bo);
	KUNIT_EXPECT_EQ(test, s->__grouped, 0);
	KUNIT_EXPECT_EQ(test, shmem_test_count(s), SHRINK_EMPTY);
	KUNIT_EXPECT_EQ(test, shmem_test_scan(s, 1), SHRINK_STOP);
}

/* A group is used, or ends, while a scan is at it. */
static void group_in_scan(struct kunit *test)
{
	struct drm_shmem_shrinker *s = shrink_init(test);

	for (int ends = 0; ends < 2; ends++) {
		struct drm_shmem_group *a = group_new(test), *b = group_new(test);
		struct shrink_bo *bo[3];

		drm_shmem_group_touch(a);
		drm_shmem_group_touch(b);
		for (int i = 0; i < 3; i++)
			bo[i] = shrink_bo_of(test, i < 2 ? a : b);
		if (ends)
			bo[0]->end = a;
		else
			bo[0]->use = a;
		/* The first one, and then the other group, which is the oldest now */
		KUNIT_EXPECT_EQ(test, shmem_test_scan(s, 2 * SHRINK_PAGES), 2 * SHRINK_PAGES);
		KUNIT_EXPECT_TRUE(test, is_evicted(bo[0]));
		KUNIT_EXPECT_FALSE(test, is_evicted(bo[1]));
		KUNIT_EXPECT_TRUE(test, is_evicted(bo[2]));
		expect_next(test, s, bo[1]);
		KUNIT_EXPECT_EQ(test, s->__grouped, 0);
	}
}

/* Groups that are used all the time do not keep a scan from its end, nor others from their turn. */
static void groups_always_used(struct kunit *test)
{
	struct drm_shmem_shrinker *s = shrink_init(test);
	struct shrink_bo *bo[3];

	for (int i = 0; i < 3; i++) {
		struct drm_shmem_group *group = group_new(test);

		bo[i] = shrink_bo_of(test, group);
		bo[i]->ret = -EBUSY;
		bo[i]->use = group;
	}
	KUNIT_EXPECT_EQ(test, shmem_test_scan_once(s, GFP_KERNEL, 100), 0);
	for (int i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, bo[i]->scanned, 1);
	bo[0]->ret = 0;
	KUNIT_EXPECT_EQ(test, shmem_test_scan(s, 100), SHRINK_PAGES);
}

/* The module of a driver, at which nothing looks */
static struct module *shrink_owner(const struct drm_device *drm)
{
	return (struct module *)&shrink_bo_type;
}

/* A device that is kept by an object may outlive its driver, and the shrinker does not. */
static void driver_gone(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_shmem_shrinker *s;
	struct shrink_bo *bo;

	kunit_activate_static_stub(test, drm_dev_ctx_owner, shrink_owner);
	s = shrink_init(test);
	kunit_deactivate_static_stub(test, drm_dev_ctx_owner);
	bo = shrink_bo(test);
	shmem_test_touch(&bo->obj, s);
	drm_safe_test_unbind(test, t->parent);

	drm_shmem_driver_goes(THIS_MODULE);
	KUNIT_EXPECT_FALSE(test, list_empty(&s->__node));
	for (int i = 0; i < 2; i++) {
		drm_shmem_driver_goes(shrink_owner(t->drm));
		KUNIT_EXPECT_TRUE(test, list_empty(&s->__node));
	}
	/* The device is still there. */
	KUNIT_EXPECT_PTR_EQ(test, s->__drm, t->drm);
	KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&bo->obj, DRM_SHMEM_DONTNEED, s), 1);
}

struct shrink_going {
	struct work_struct work;
	struct module *owner;
};

static void shrink_goes_fn(struct work_struct *work)
{
	drm_shmem_driver_goes(container_of(work, struct shrink_going, work)->owner);
}

/* A driver that goes waits for a scan of its shrinker. No other device waits for that. */
static void others_register(struct kunit *test)
{
	struct shrink_going *going = kunit_kcalloc(test, 2, sizeof(*going), GFP_KERNEL);
	struct drm_shmem_shrinker *s;
	struct drm_device *other;
	struct shrinker *scanned;

	KUNIT_ASSERT_NOT_NULL(test, going);
	kunit_activate_static_stub(test, drm_dev_ctx_owner, shrink_owner);
	s = shrink_init(test);
	kunit_deactivate_static_stub(test, drm_dev_ctx_owner);
	other = shmem_test_device(test, drm_safe_test_parent(test), &shmem_test_driver);
	for (int i = 0; i < 2; i++) {
		going[i].owner = s->__owner;
		INIT_WORK(&going[i].work, shrink_goes_fn);
	}

	/* As the kernel does for a scan */
	scanned = s->__shrinker;
	KUNIT_ASSERT_TRUE(test, shrinker_try_get(scanned));
	drm_safe_test_work_waits(test, &going[0].work, READ_ONCE(s->__leaves));
	/* The other one finds nothing to do, and waits, too. */
	schedule_work(&going[1].work);
	KUNIT_EXPECT_EQ(test, drmm_shmem_shrinker_init(other, &test_dev(other)->shrinker), 0);
	schedule_timeout_idle(2);
	KUNIT_EXPECT_FALSE(test, list_empty(&s->__node));
	for (int i = 0; i < 2; i++)
		KUNIT_EXPECT_TRUE(test, work_busy(&going[i].work));
	shrinker_put(scanned);
	for (int i = 0; i < 2; i++)
		flush_work(&going[i].work);
	KUNIT_EXPECT_TRUE(test, list_empty(&s->__node));
}

#ifdef CONFIG_DEBUG_FS
/* A device that was unplugged has no directory, and the root of debugfs is none of its own. */
static void no_file_after_unplug(struct kunit *test)
{
	struct shmem_test *t = test->priv;

	drm_dev_ctx_unregister(test_ctx(t->drm));
	shrink_init(test);
	KUNIT_EXPECT_NULL(test, debugfs_lookup("drm_shmem_shrink", NULL));
}
#endif

static struct drm_shmem_group *shrink_freed;

/* The group ends after a task has looked at the list of its object, and before it acts on it. */
static enum __drm_shmem_list shrink_ends_group(const struct drm_shmem_obj *obj)
	__must_hold(drm_resv)
{
	kunit_deactivate_static_stub(kunit_get_current_test(), drm_shmem_right_list);
	drm_shmem_group_fini(shrink_freed);
	kfree(shrink_freed);
	return drm_shmem_right_list(obj);
}

static struct drm_shmem_group *shrink_group_alloc(struct drm_shmem_shrinker *s)
{
	struct drm_shmem_group *group = kzalloc_obj(*group);

	if (group && drm_shmem_group_init(group, s)) {
		kfree(group);
		group = NULL;
	}
	return group;
}

static void group_freed(struct kunit *test)
{
	struct drm_shmem_shrinker *s = shrink_init(test);
	struct drm_shmem_group *other = group_new(test);
	struct shrink_bo *bo = shrink_bo(test);
	struct dma_resv *resv = drm_shmem_gem(&bo->obj)->resv;

	for (int touches = 0; touches < 2; touches++) {
		shrink_freed = shrink_group_alloc(s);
		KUNIT_ASSERT_NOT_NULL(test, shrink_freed);
		dma_resv_lock(resv, NULL);
		drm_shmem_touch_for(&bo->obj, shrink_freed);
		KUNIT_EXPECT_EQ(test, listed(bo), __DRM_SHMEM_GROUPED);
		kunit_activate_static_stub(test, drm_shmem_right_list, shrink_ends_group);
		if (touches)
			drm_shmem_touch_for(&bo->obj, other);
		else
			__drm_shmem_relist(&bo->obj);
		dma_resv_unlock(resv);
		KUNIT_EXPECT_EQ(test, listed(bo), __DRM_SHMEM_SHARED);
		KUNIT_EXPECT_EQ(test, s->__grouped, 0);
	}
	expect_next(test, s, bo);
}

/* A task that updates the list of an object again and again */
static int shrink_relister(void *data)
{
	struct shrink_bo *bo = data;
	struct drm_gem_object *gem = drm_shmem_gem(&bo->obj);
	int ret = 1;

	while (!kthread_should_stop()) {
		dma_resv_lock(gem->resv, NULL);
		__drm_shmem_relist(&bo->obj);
		dma_resv_unlock(gem->resv);
		ret = min(ret, drm_shmem_madvise(&bo->obj, DRM_SHMEM_WILLNEED, NULL));
		WRITE_ONCE(bo->relisted, bo->relisted + 1);
		cond_resched();
	}
	return ret;
}

/* Meanwhile its groups begin and end. A needed object stays with its shrinker. */
static void group_races(struct kunit *test)
{
	struct drm_shmem_shrinker *s = shrink_init(test);
	struct shrink_bo *bo = shrink_bo(test);
	struct drm_shmem_group *group;
	struct task_struct *relister;

	relister = kthread_run(shrink_relister, bo, "shrink_relister");
	KUNIT_ASSERT_FALSE(test, IS_ERR(relister));
	/* A thread that is stopped before it runs never does. */
	while (!READ_ONCE(bo->relisted))
		schedule_timeout_idle(1);
	for (int i = 0; i < 3000; i++) {
		group = shrink_group_alloc(s);
		KUNIT_EXPECT_NOT_NULL(test, group);
		if (!group)
			break;
		shrink_touch_for(bo, group);
		drm_shmem_group_fini(group);
		kfree(group);
		cond_resched();
	}
	KUNIT_EXPECT_EQ(test, kthread_stop(relister), 1);
	KUNIT_EXPECT_EQ(test, listed(bo), __DRM_SHMEM_SHARED);
	KUNIT_EXPECT_EQ(test, s->__grouped, 0);
}

struct shrink_fence {
	struct dma_fence base;
	spinlock_t lock;	/* the fence's */
};

static const char *shrink_fence_name(struct dma_fence *fence)
{
	return "test";
}

/* It is over as soon as somebody waits for it, and not before. */
static bool shrink_fence_signals(struct dma_fence *fence)
{
	return false;
}

static const struct dma_fence_ops shrink_fence_ops = {
	.get_driver_name = shrink_fence_name,
	.get_timeline_name = shrink_fence_name,
	.enable_signaling = shrink_fence_signals,
};

/* A fence that only the test signals */
static const struct dma_fence_ops shrink_fence_stuck_ops = {
	.get_driver_name = shrink_fence_name,
	.get_timeline_name = shrink_fence_name,
};

static struct dma_fence *shrink_fence(struct kunit *test, struct shrink_bo *bo,
				      const struct dma_fence_ops *ops)
{
	struct dma_resv *resv = drm_shmem_gem(&bo->obj)->resv;
	struct shrink_fence *fence = kzalloc_obj(*fence);

	KUNIT_ASSERT_NOT_NULL(test, fence);
	spin_lock_init(&fence->lock);
	dma_fence_init(&fence->base, ops, &fence->lock, dma_fence_context_alloc(1), 1);
	dma_resv_lock(resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(resv, 1), 0);
	dma_resv_add_fence(resv, &fence->base, DMA_RESV_USAGE_BOOKKEEP);
	dma_fence_put(&fence->base);
	dma_resv_unlock(resv);
	return &fence->base;
}

/* A scan that must not sleep leaves the objects in the GPU alone, and does not count them. */
static void cannot_wait(struct kunit *test)
{
	struct drm_shmem_shrinker *s = shrink_init(test);
	struct drm_shmem_group *group = group_new(test);
	struct shrink_bo *bo[3] = { shrink_bo(test), shrink_bo(test), shrink_bo(test) };
	struct shrink_control sc = {};

	shmem_test_touch(&bo[0]->obj, s);
	shrink_touch_for(bo[1], group);
	KUNIT_EXPECT_EQ(test, s->__shrinker->count_objects(s->__shrinker, &sc), SHRINK_EMPTY);
	KUNIT_EXPECT_EQ(test, shmem_test_scan_once(s, 0, 100), SHRINK_STOP);
	/* Only kswapd is woken, and this is not it. */
	KUNIT_EXPECT_EQ(test, shmem_test_scan_once(s, GFP_NOWAIT, 100), SHRINK_STOP);

	shmem_test_touch(&bo[2]->obj, s);
	drm_shmem_sgt_release(&bo[2]->table[0]);
	KUNIT_EXPECT_EQ(test, s->__shrinker->count_objects(s->__shrinker, &sc), SHRINK_PAGES);
	KUNIT_EXPECT_EQ(test, shmem_test_scan_once(s, 0, 100), SHRINK_PAGES);
	KUNIT_EXPECT_TRUE(test, is_evicted(bo[2]));
	KUNIT_EXPECT_EQ(test, shmem_test_scan(s, 100), 2 * SHRINK_PAGES);
}

static void waits(struct kunit *test)
{
	struct drm_shmem_shrinker *s = shrink_init(test);
	struct drm_shmem_group *group = group_new(test);
	struct shrink_bo *bo[2] = { shrink_bo(test), shrink_bo(test) };

	shmem_test_touch(&bo[0]->obj, s);
	shrink_touch_for(bo[1], group);
	for (int i = 0; i < ARRAY_SIZE(bo); i++) {
		shrink_fence(test, bo[i], &shrink_fence_ops);
		KUNIT_EXPECT_EQ(test, drm_shmem_evict(&bo[i]->obj), -EBUSY);
	}
	KUNIT_EXPECT_EQ(test, shmem_test_scan_once(s, GFP_KERNEL, 100), 2 * SHRINK_PAGES);
}

/* Work that does not end keeps its object, and nothing else, and is no reason to go on for ever. */
static void waits_in_vain(struct kunit *test)
{
	struct drm_shmem_shrinker *s = shrink_init(test);
	struct shrink_bo *bo[3];
	struct dma_fence *fence[2];

	for (int i = 0; i < 3; i++) {
		bo[i] = shrink_bo(test);
		shmem_test_touch(&bo[i]->obj, s);
		if (i < 2)
			fence[i] = dma_fence_get(shrink_fence(test, bo[i],
							      &shrink_fence_stuck_ops));
	}
	KUNIT_EXPECT_EQ(test, shmem_test_scan_once(s, GFP_KERNEL, 100), SHRINK_PAGES);
	KUNIT_EXPECT_TRUE(test, is_evicted(bo[2]));
	KUNIT_EXPECT_EQ(test, shmem_test_scan_once(s, GFP_KERNEL, 100), 0);
	KUNIT_EXPECT_EQ(test, shmem_test_scan_once(s, GFP_KERNEL, 100), SHRINK_STOP);
	for (int i = 0; i < 2; i++) {
		dma_fence_signal(fence[i]);
		dma_fence_put(fence[i]);
	}
	KUNIT_EXPECT_EQ(test, shmem_test_scan_once(s, GFP_KERNEL, 100), 2 * SHRINK_PAGES);
}

/* An object that is locked just now may be free the next time. */
static void repeats(struct kunit *test)
{
	struct drm_shmem_shrinker *s = shrink_init(test);
	struct shrink_bo *bo = shrink_bo(test);
	struct dma_resv *resv = drm_shmem_gem(&bo->obj)->resv;

	shmem_test_touch(&bo->obj, s);
	for (int i = 0; i < 2; i++) {
		dma_resv_lock(resv, NULL);
		KUNIT_EXPECT_EQ(test, shmem_test_scan_once(s, GFP_KERNEL, 1), 0);
		KUNIT_EXPECT_EQ(test, shmem_test_scan_once(s, GFP_KERNEL, 1), SHRINK_STOP);
		dma_resv_unlock(resv);
	}
	dma_resv_lock(resv, NULL);
	KUNIT_EXPECT_EQ(test, shmem_test_scan_once(s, GFP_KERNEL, 1), 0);
	dma_resv_unlock(resv);
	KUNIT_EXPECT_EQ(test, shmem_test_scan_once(s, GFP_KERNEL, 1), SHRINK_PAGES);
	/* With nothing left, the scan is not repeated. */
	KUNIT_EXPECT_EQ(test, shmem_test_scan_once(s, GFP_KERNEL, 1), SHRINK_STOP);
}

static void group_misused(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_shmem_shrinker *s = &test_dev(t->drm)->shrinker;
	struct drm_shmem_group *group = kunit_kzalloc(test, sizeof(*group), GFP_KERNEL);
	struct drm_device *other = shmem_test_device(test, drm_safe_test_parent(test),
						     &shmem_test_driver);
	struct shrink_bo *bo = shrink_bo(test);

	KUNIT_ASSERT_NOT_NULL(test, group);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, drm_shmem_group_init(group, s), -EINVAL);
		EXPECT_BROKEN(test, "a shrinker is initialised before use");
	}
	KUNIT_EXPECT_PTR_EQ(test, shrink_init(test), s);
	kunit_warning_suppress(test) {
		drm_shmem_group_touch(group);
		shrink_touch_for(bo, group);
		EXPECT_BROKEN(test, "a group is initialised before use",
			      "a group is initialised before use");
	}
	KUNIT_EXPECT_EQ(test, listed(bo), __DRM_SHMEM_UNLISTED);

	KUNIT_ASSERT_EQ(test, drmm_shmem_shrinker_init(other, &test_dev(other)->shrinker), 0);
	KUNIT_EXPECT_EQ(test, drm_shmem_group_init(group, &test_dev(other)->shrinker), 0);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, drm_shmem_group_init(group, s), -EBUSY);
		EXPECT_BROKEN(test, "a group is initialised once");
	}
	kunit_warning_suppress(test) {
		shrink_touch_for(bo, group);
		EXPECT_BROKEN(test, "an object and its shrinker are of one device");
	}
	KUNIT_EXPECT_EQ(test, listed(bo), __DRM_SHMEM_UNLISTED);
	drm_shmem_group_fini(group);
}

/* The number of evictions, as debugfs shows it */
static void counts(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct shrink_bo *bo = shrink_bo(test);
	struct drm_gem_object *gem = drm_shmem_gem(&bo->obj);
	char *buf = kunit_kzalloc(test, SZ_1K, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, buf);
	for (unsigned int i = 0; i < U8_MAX + 2; i++) {
		KUNIT_ASSERT_EQ(test, bo->obj.__evictions, min(i, U8_MAX));
		KUNIT_ASSERT_EQ(test, drm_shmem_evict(&bo->obj), 0);
		/* Nothing is evicted twice. */
		KUNIT_ASSERT_EQ(test, drm_shmem_evict(&bo->obj), 0);
		drm_shmem_sgt_release(&bo->table[0]);
		KUNIT_ASSERT_EQ(test, own_table(t->drm, bo, 0), 0);
	}
	{
		struct drm_print_iterator iter = { .data = buf, .remain = SZ_1K };
		struct drm_printer p = drm_coredump_printer(&iter);

		gem->funcs->print_info(&p, 1, gem);
	}
	KUNIT_EXPECT_NOT_NULL(test, strstr(buf, "evictions=255\n"));
}

/* An object with a dma-buf of the driver's own operations is never evicted, and not counted. */
static void foreign_is_parked(struct kunit *test)
{
	struct drm_shmem_shrinker *s = shrink_init(test);
	struct shrink_bo *bo = shrink_bo(test);

	shmem_test_touch(&bo->obj, s);
	KUNIT_EXPECT_EQ(test, shmem_test_count(s), SHRINK_PAGES);
	atomic_or(__DRM_SHMEM_FOREIGN, &bo->obj.__dma_bufs);
	/* A scan finds that out. */
	KUNIT_EXPECT_EQ(test, shmem_test_scan(s, 1), SHRINK_STOP);
	KUNIT_EXPECT_EQ(test, shmem_test_count(s), SHRINK_EMPTY);
	shmem_test_touch(&bo->obj, s);
	KUNIT_EXPECT_EQ(test, shmem_test_count(s), SHRINK_EMPTY);
}

/* The kernel learns that it got more than it asked for. */
static void scanned(struct kunit *test)
{
	struct drm_shmem_shrinker *s = shrink_init(test);
	struct shrink_control sc = { .gfp_mask = GFP_KERNEL, .nr_to_scan = 1 };
	struct shrink_bo *bo = shrink_bo(test);

	shmem_test_touch(&bo->obj, s);
	KUNIT_EXPECT_EQ(test, s->__shrinker->scan_objects(s->__shrinker, &sc), SHRINK_PAGES);
	KUNIT_EXPECT_EQ(test, sc.nr_scanned, SHRINK_PAGES);
	sc.nr_to_scan = 3;
	KUNIT_EXPECT_EQ(test, s->__shrinker->scan_objects(s->__shrinker, &sc), SHRINK_STOP);
	KUNIT_EXPECT_EQ(test, sc.nr_scanned, 3);
}

#ifdef CONFIG_DEBUG_FS
static void file(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct dentry *dentry;

	if (IS_ERR_OR_NULL(t->drm->debugfs_root))
		kunit_skip(test, "no debugfs");
	KUNIT_EXPECT_NULL(test, debugfs_lookup("drm_shmem_shrink", t->drm->debugfs_root));
	shrink_init(test);
	dentry = debugfs_lookup("drm_shmem_shrink", t->drm->debugfs_root);
	KUNIT_EXPECT_NOT_NULL(test, dentry);
	dput(dentry);
}
#else
static void file(struct kunit *test)
{
	kunit_skip(test, "no debugfs");
}
#endif

static struct kunit_case drm_shmem_shrinker_cases[] = {
	KUNIT_CASE(order),
	KUNIT_CASE(order_follows),
	KUNIT_CASE(harder),
	KUNIT_CASE(easier),
	KUNIT_CASE(pinned),
	KUNIT_CASE(unneeded),
	KUNIT_CASE(unneeded_mapped),
	KUNIT_CASE(groups),
	KUNIT_CASE(groups_rotate),
	KUNIT_CASE(shares),
	KUNIT_CASE(group_ends),
	KUNIT_CASE(group_forgets),
	KUNIT_CASE(group_freed),
	KUNIT_CASE_SLOW(group_races),
	KUNIT_CASE(group_in_scan),
	KUNIT_CASE(groups_always_used),
	KUNIT_CASE(driver_gone),
	KUNIT_CASE(others_register),
#ifdef CONFIG_DEBUG_FS
	KUNIT_CASE(no_file_after_unplug),
#endif
	KUNIT_CASE(group_misused),
	KUNIT_CASE(cannot_wait),
	KUNIT_CASE(waits),
	KUNIT_CASE(waits_in_vain),
	KUNIT_CASE(repeats),
	KUNIT_CASE(counts),
	KUNIT_CASE(foreign_is_parked),
	KUNIT_CASE(scanned),
	KUNIT_CASE(file),
	{}
};

static struct kunit_suite drm_shmem_shrinker_suite = {
	.name = "drm_shmem_shrinker",
	.init = shmem_test_init,
	.test_cases = drm_shmem_shrinker_cases,
};

kunit_test_suite(drm_shmem_shrinker_suite);

MODULE_IMPORT_NS("DMA_BUF");
MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
