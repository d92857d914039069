// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * sg tables: drm_shmem_sgt.c
 */

#include <kunit/platform_device.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/platform_device.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/workqueue.h>

#include <drm/drm_drv.h>

#include "drm_shmem_internal.h"
#include "drm_shmem_test.h"

/* A table covers the whole object and is mapped for the device. */
static void expect_table(struct kunit *test, const struct sg_table *table, size_t size)
{
	struct scatterlist *sg;
	size_t bytes = 0;
	int i;

	for_each_sgtable_dma_sg(table, sg, i) {
		KUNIT_EXPECT_NE(test, sg_dma_address(sg), DMA_MAPPING_ERROR);
		bytes += sg_dma_len(sg);
	}
	KUNIT_EXPECT_EQ(test, bytes, size);
}

static int get_table(const struct drm_dev_ctx_bound *bound, struct drm_shmem_obj *obj)
{
	int ret;

	drm_shmem_sgt_or(sgt, bound, obj, ret, return ret);
	return drm_shmem_sgt_table(sgt) ? 0 : -EIO;
}

/* get_table() with a registered device, or -ESHUTDOWN */
static int get_table_registered(struct drm_device *drm, struct drm_shmem_obj *obj)
{
	drm_dev_ctx_or(test_reg, reg, test_ctx(drm), return -ESHUTDOWN);
	return get_table(&reg->base.bound, obj);
}

static void get_registered(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo *bo = shmem_test_bo(test, 16 * PAGE_SIZE);
	const struct sg_table *first = NULL;
	int ret = -1, runs = 0;

	for (int i = 0; i < 2; i++) {
		drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm)) {
			drm_shmem_sgt_guard(sgt, &reg->base.bound, &bo->obj, ret) {
				expect_table(test, drm_shmem_sgt_table(sgt), 16 * PAGE_SIZE);
				if (!first)
					first = drm_shmem_sgt_table(sgt);
				KUNIT_EXPECT_PTR_EQ(test, drm_shmem_sgt_table(sgt), first);
				runs++;
			}
		}
		KUNIT_EXPECT_EQ(test, ret, 0);
		KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.base.pages_pin_count), 1);
	}
	KUNIT_EXPECT_EQ(test, runs, 2);
}

/* Probe: the device is not registered yet, but the parent is bound. */
static void get_unregistered(struct kunit *test)
{
	struct device *parent = drm_safe_test_parent(test);
	struct drm_dev_ctx_unreg *unreg =
		drm_dev_ctx_alloc(parent, &shmem_test_driver, struct test_dev, ctx);
	struct test_bo *bo;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unreg);
	test_dev(drm_dev_ctx_unreg_drm(unreg))->test = test->priv;
	bo = test_bo_new(drm_dev_ctx_unreg_drm(unreg), PAGE_SIZE, NULL);
	if (IS_ERR(bo)) {
		KUNIT_FAIL(test, "create: %ld", PTR_ERR(bo));
		return;
	}
	KUNIT_EXPECT_EQ(test, get_table(&unreg->bound, &bo->obj), 0);
	drm_shmem_put(&bo->obj);
}

static void get_locked(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);
	int ret = -1;

	dma_resv_lock(drm_shmem_gem(&bo->obj)->resv, NULL);
	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm)) {
		drm_shmem_sgt_guard_locked(sgt, &reg->base.bound, &bo->obj, ret)
			expect_table(test, drm_shmem_sgt_table(sgt), PAGE_SIZE);
	}
	dma_resv_unlock(drm_shmem_gem(&bo->obj)->resv);
	KUNIT_EXPECT_EQ(test, ret, 0);
}

static void wrong_device(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_device *other =
		shmem_test_device(test, drm_safe_test_parent(test), &shmem_test_driver);
	/* Both are live, and have one parent. */
	struct drm_device *sibling = shmem_test_device(test, t->parent, &shmem_test_driver);
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);

	for (int mapped = 0; mapped < 2; mapped++) {
		kunit_warning_suppress(test) {
			KUNIT_EXPECT_EQ(test, get_table_registered(other, &bo->obj), -EINVAL);
			KUNIT_EXPECT_EQ(test, get_table_registered(sibling, &bo->obj), -EINVAL);
			EXPECT_BROKEN_TIMES(test, 2, "both are of one device");
		}
		if (!mapped)
			KUNIT_EXPECT_EQ(test, get_table_registered(t->drm, &bo->obj), 0);
	}
}

static void freed_before_unbind(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo *bo = test_bo_new(t->drm, PAGE_SIZE, NULL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	KUNIT_EXPECT_EQ(test, get_table_registered(t->drm, &bo->obj), 0);
	drm_shmem_put(&bo->obj);
	KUNIT_EXPECT_EQ(test, t->live, 0);
	shmem_test_unbind(test);
	KUNIT_EXPECT_EQ(test, t->revoked, 0);
}

static void revoked(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);
	struct test_bo *never = shmem_test_bo(test, PAGE_SIZE);
	struct drm_dev_ctx_bound stale = { .__ctx = test_ctx(t->drm) };

	KUNIT_EXPECT_EQ(test, get_table_registered(t->drm, &bo->obj), 0);
	shmem_test_unbind(test);
	KUNIT_EXPECT_EQ(test, t->revoked, 1);
	KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.base.pages_pin_count), 0);
	KUNIT_EXPECT_NULL(test, never->obj.base.pages);
	KUNIT_EXPECT_EQ(test, get_table_registered(t->drm, &bo->obj), -ESHUTDOWN);
	/* Not even with a forged proof */
	KUNIT_EXPECT_EQ(test, get_table(&stale, &bo->obj), -ENODEV);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, get_table(&stale, &never->obj), -ENODEV);
		EXPECT_BROKEN(test, "proofs end with their scope");
	}
	KUNIT_EXPECT_NULL(test, never->obj.base.pages);
}

static void wrong_lock(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);
	int ret = -1;

	/* With lockdep, also where the wrong form would not take the lock. */
	if (IS_ENABLED(CONFIG_PROVE_LOCKING))
		KUNIT_EXPECT_EQ(test, get_table_registered(t->drm, &bo->obj), 0);
	dma_resv_lock(drm_shmem_gem(&bo->obj)->resv, NULL);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, get_table_registered(t->drm, &bo->obj), -EALREADY);
		EXPECT_BROKEN(test, "the reservation lock is taken once");
	}
	dma_resv_unlock(drm_shmem_gem(&bo->obj)->resv);
	kunit_warning_suppress(test) {
		drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm))
			drm_shmem_sgt_guard_locked(sgt, &reg->base.bound, &bo->obj, ret)
				KUNIT_FAIL(test, "lent");
		EXPECT_BROKEN(test, "a _locked call is made with the reservation lock");
	}
	KUNIT_EXPECT_EQ(test, ret, -EINVAL);
}

/* Bound again, the same struct device is not what the table was mapped for. */
static void revoked_rebind(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);
	struct test_bo *never = shmem_test_bo(test, PAGE_SIZE);
	struct drm_device *again;

	KUNIT_EXPECT_EQ(test, get_table_registered(t->drm, &bo->obj), 0);
	drm_safe_test_rebind(test, t->parent);
	KUNIT_EXPECT_EQ(test, t->revoked, 1);
	again = shmem_test_device(test, t->parent, &shmem_test_driver);
	KUNIT_EXPECT_EQ(test, get_table_registered(again, &bo->obj), -ENODEV);
	KUNIT_EXPECT_EQ(test, get_table_registered(again, &never->obj), -ENODEV);
	KUNIT_EXPECT_EQ(test, get_table_registered(t->drm, &bo->obj), -ESHUTDOWN);
}

static void owned(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);
	struct drm_shmem_sgt_owned own = {}, other = {};
	int ret = -1;

	KUNIT_EXPECT_TRUE(test, drm_shmem_sgt_is_empty(&own));
	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm)) {
		KUNIT_EXPECT_EQ(test, drm_shmem_sgt_own(&own, &reg->base.bound, &bo->obj), 0);
		drm_shmem_sgt_guard_owned(sgt, &reg->base.bound, &own, ret)
			expect_table(test, drm_shmem_sgt_table(sgt), PAGE_SIZE);
		KUNIT_EXPECT_EQ(test, ret, 0);
		KUNIT_EXPECT_FALSE(test, drm_shmem_sgt_is_empty(&own));
		drm_shmem_sgt_move(&other, &own);
		KUNIT_EXPECT_TRUE(test, drm_shmem_sgt_is_empty(&own));
		KUNIT_EXPECT_FALSE(test, drm_shmem_sgt_is_empty(&other));
		drm_shmem_sgt_guard_owned(sgt, &reg->base.bound, &own, ret)
			KUNIT_FAIL(test, "empty");
		KUNIT_EXPECT_EQ(test, ret, -EINVAL);
	}
	KUNIT_EXPECT_EQ(test, kref_read(&drm_shmem_gem(&bo->obj)->refcount), 2);
	drm_shmem_sgt_release(&own);
	drm_shmem_sgt_release(&other);
	KUNIT_EXPECT_EQ(test, kref_read(&drm_shmem_gem(&bo->obj)->refcount), 1);
	KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.__table.__users), 1);
}

static int own_to_the_end_of_the_scope(struct kunit *test, bool early)
{
	struct shmem_test *t = test->priv;
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);
	struct drm_shmem_sgt_owned own __cleanup(drm_shmem_sgt_cleanup) = {};

	if (early)
		return kref_read(&drm_shmem_gem(&bo->obj)->refcount);
	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm))
		KUNIT_EXPECT_EQ(test, drm_shmem_sgt_own(&own, &reg->base.bound, &bo->obj), 0);
	KUNIT_EXPECT_EQ(test, kref_read(&drm_shmem_gem(&bo->obj)->refcount), 2);
	return refcount_read(&bo->obj.__table.__users);
}

/* A structure that ends, with its handle filled or empty, and so does a scope. */
static void owned_cleanup(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);
	struct owner {
		struct drm_shmem_sgt_owned own;
	} *owner = kunit_kzalloc(test, sizeof(*owner), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, owner);
	drm_shmem_sgt_cleanup(&owner->own);
	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm))
		KUNIT_EXPECT_EQ(test, drm_shmem_sgt_own(&owner->own, &reg->base.bound, &bo->obj),
				0);
	KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.__table.__users), 2);
	for (int i = 0; i < 2; i++) {
		drm_shmem_sgt_cleanup(&owner->own);
		KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.__table.__users), 1);
		KUNIT_EXPECT_EQ(test, kref_read(&drm_shmem_gem(&bo->obj)->refcount), 1);
	}
	KUNIT_EXPECT_EQ(test, own_to_the_end_of_the_scope(test, true), 1);
	KUNIT_EXPECT_EQ(test, own_to_the_end_of_the_scope(test, false), 2);
}

static void owned_overwritten(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);
	struct test_bo *moved = shmem_test_bo(test, PAGE_SIZE);
	struct drm_shmem_sgt_owned own = {}, other = {}, lost;

	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm)) {
		KUNIT_EXPECT_EQ(test, drm_shmem_sgt_own(&own, &reg->base.bound, &bo->obj), 0);
		KUNIT_EXPECT_EQ(test, drm_shmem_sgt_own(&other, &reg->base.bound, &moved->obj), 0);
		memcpy(&lost, &own, sizeof(own));
		kunit_warning_suppress(test) {
			KUNIT_EXPECT_EQ(test, drm_shmem_sgt_own(&own, &reg->base.bound, &bo->obj),
					-EBUSY);
			drm_shmem_sgt_move(&own, &other);
			EXPECT_BROKEN_TIMES(test, 2, "an owned handle is not overwritten");
		}
	}
	/* The overwritten handle is leaked. */
	KUNIT_EXPECT_EQ(test, kref_read(&drm_shmem_gem(&bo->obj)->refcount), 2);
	drm_shmem_sgt_release(&lost);
	KUNIT_EXPECT_EQ(test, kref_read(&drm_shmem_gem(&bo->obj)->refcount), 1);
	KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.__table.__users), 1);
	drm_shmem_sgt_release(&other);
	KUNIT_EXPECT_EQ(test, kref_read(&drm_shmem_gem(&moved->obj)->refcount), 2);
	drm_shmem_sgt_release(&own);
	KUNIT_EXPECT_EQ(test, kref_read(&drm_shmem_gem(&moved->obj)->refcount), 1);
	KUNIT_EXPECT_EQ(test, refcount_read(&moved->obj.__table.__users), 1);
}

/* A handle in memory that was never zeroed is not looked at. */
static void owned_never_initialised(struct kunit *test)
{
	static const u8 fills[] = { 0x01, 0x5a, 0xff };
	struct shmem_test *t = test->priv;
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);
	struct drm_shmem_sgt_owned own = {}, junk;
	int ret;

	drm_dev_ctx_or(test_reg, reg, test_ctx(t->drm), return);
	for (int i = 0; i < ARRAY_SIZE(fills); i++) {
		memset(&junk, fills[i], sizeof(junk));
		kunit_warning_suppress(test) {
			ret = drm_shmem_sgt_own(&junk, &reg->base.bound, &bo->obj);
			KUNIT_EXPECT_EQ(test, ret, -EBUSY);
			EXPECT_BROKEN(test, "an owned handle is not overwritten");
		}
		ret = drm_shmem_sgt_own(&own, &reg->base.bound, &bo->obj);
		KUNIT_EXPECT_EQ(test, ret, 0);
		kunit_warning_suppress(test) {
			drm_shmem_sgt_move(&junk, &own);
			EXPECT_BROKEN(test, "an owned handle is not overwritten");
		}
		drm_shmem_sgt_guard_owned(sgt, &reg->base.bound, &junk, ret)
			expect_table(test, drm_shmem_sgt_table(sgt), PAGE_SIZE);
		KUNIT_EXPECT_EQ(test, ret, 0);
		drm_shmem_sgt_release(&junk);
		KUNIT_EXPECT_EQ(test, kref_read(&drm_shmem_gem(&bo->obj)->refcount), 1);
		KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.__table.__users), 1);
	}
}

static void owned_revoked(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo *bo = test_bo_new(t->drm, PAGE_SIZE, NULL);
	struct drm_dev_ctx_bound stale = { .__ctx = test_ctx(t->drm) };
	struct drm_shmem_sgt_owned own = {};
	int ret = -1;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm))
		KUNIT_EXPECT_EQ(test, drm_shmem_sgt_own(&own, &reg->base.bound, &bo->obj), 0);
	drm_shmem_put(&bo->obj);
	shmem_test_unbind(test);
	KUNIT_EXPECT_EQ(test, t->revoked, 1);
	drm_shmem_sgt_guard_owned(sgt, &stale, &own, ret)
		KUNIT_FAIL(test, "revoked");
	KUNIT_EXPECT_EQ(test, ret, -ENODEV);
	KUNIT_EXPECT_EQ(test, t->live, 1);
	drm_shmem_sgt_release(&own);
	KUNIT_EXPECT_EQ(test, t->live, 0);
}

static void unmap_early(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct reclaim_bo *bo = shmem_test_reclaim_bo(test, PAGE_SIZE);
	struct drm_shmem_sgt_owned own = {};
	int ret = -1;

	KUNIT_EXPECT_EQ(test, drm_shmem_sgt_unmap(&bo->obj), 0);
	for (int i = 0; i < 2; i++) {
		drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm)) {
			drm_shmem_sgt_guard(sgt, &reg->base.bound, &bo->obj, ret) {
				expect_table(test, drm_shmem_sgt_table(sgt), PAGE_SIZE);
				KUNIT_EXPECT_EQ(test, drm_shmem_sgt_unmap(&bo->obj), -EBUSY);
			}
			KUNIT_EXPECT_EQ(test, ret, 0);
			KUNIT_EXPECT_EQ(test, drm_shmem_sgt_own(&own, &reg->base.bound, &bo->obj),
					0);
		}
		KUNIT_EXPECT_EQ(test, drm_shmem_sgt_unmap(&bo->obj), -EBUSY);
		drm_shmem_sgt_release(&own);
		KUNIT_EXPECT_EQ(test, drm_shmem_sgt_unmap(&bo->obj), 0);
		KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.base.pages_pin_count), 0);
	}
	drm_shmem_put(&bo->obj);
}

static void unmap_early_not_counted(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);

	KUNIT_EXPECT_EQ(test, get_table_registered(t->drm, &bo->obj), 0);
	KUNIT_EXPECT_EQ(test, drm_shmem_sgt_unmap(&bo->obj), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, get_table_registered(t->drm, &bo->obj), 0);
}

/* An imported table is lent, and is the exporter's to free: once. */
static void imported(struct kunit *test, const struct drm_driver *driver, bool unbind)
{
	struct shmem_test *t = test->priv;
	struct device *parent = drm_safe_test_parent(test);
	struct drm_device *drm = shmem_test_device(test, parent, driver);
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, 2 * PAGE_SIZE);
	struct test_bo *bo = shmem_test_import(test, drm, dmabuf);
	int ret = -1;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	KUNIT_EXPECT_EQ(test, e.mapped, driver == &shmem_test_driver_sgt);
	for (int i = 0; i < 2; i++) {
		drm_dev_ctx_guard(test_reg, reg, test_ctx(drm)) {
			drm_shmem_sgt_guard(sgt, &reg->base.bound, &bo->obj, ret)
				expect_table(test, drm_shmem_sgt_table(sgt), 2 * PAGE_SIZE);
		}
		KUNIT_EXPECT_EQ(test, ret, 0);
		KUNIT_EXPECT_EQ(test, e.mapped, 1);
	}
	if (unbind) {
		drm_safe_test_unbind(test, parent);
		KUNIT_EXPECT_EQ(test, t->revoked, 1);
		KUNIT_EXPECT_EQ(test, e.mapped, 0);
		KUNIT_EXPECT_EQ(test, atomic_read(&e.attached), 1);
	}
	drm_shmem_put(&bo->obj);
	shmem_test_export_put(dmabuf);
	KUNIT_EXPECT_EQ(test, e.maps, 1);
	KUNIT_EXPECT_EQ(test, e.mapped, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&e.attached), 0);
	KUNIT_EXPECT_TRUE(test, e.released);
}

static void imported_freed(struct kunit *test)
{
	imported(test, &shmem_test_driver, false);
}

static void imported_revoked(struct kunit *test)
{
	imported(test, &shmem_test_driver, true);
}

static void imported_at_once_freed(struct kunit *test)
{
	imported(test, &shmem_test_driver_sgt, false);
}

static void imported_at_once_revoked(struct kunit *test)
{
	imported(test, &shmem_test_driver_sgt, true);
}

static void imported_map_fails(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct shmem_test_export e = { .map_ret = -EREMOTEIO };
	struct dma_buf *dmabuf = shmem_test_export(test, &e, PAGE_SIZE);
	struct test_bo *bo = shmem_test_import(test, t->drm, dmabuf);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	KUNIT_EXPECT_EQ(test, get_table_registered(t->drm, &bo->obj), -EREMOTEIO);
	e.map_ret = 0;
	KUNIT_EXPECT_EQ(test, get_table_registered(t->drm, &bo->obj), 0);
	drm_shmem_put(&bo->obj);
	shmem_test_export_put(dmabuf);
	KUNIT_EXPECT_EQ(test, e.mapped, 0);
}

/* A controller that does DMA. It has no driver, so that nothing has to follow it. */
static struct device *dma_controller(struct kunit *test)
{
	struct platform_device *pdev = kunit_platform_device_alloc(test, "drm_shmem_sgt",
								   PLATFORM_DEVID_AUTO);

	KUNIT_ASSERT_NOT_NULL(test, pdev);
	KUNIT_ASSERT_EQ(test, kunit_platform_device_add(test, pdev), 0);
	KUNIT_ASSERT_EQ(test, dma_coerce_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64)), 0);
	return &pdev->dev;
}

KUNIT_DEFINE_ACTION_WRAPPER(dma_device_put, drm_dev_put, struct drm_device *);

/* As a USB function, which does no DMA of its own */
static struct drm_device *dma_device(struct kunit *test, const struct drm_driver *driver,
				     struct device *dma)
{
	struct device *parent = drm_safe_test_parent(test);
	struct drm_dev_ctx_unreg *unreg = drm_dev_ctx_alloc(parent, driver, struct test_dev, ctx);
	struct drm_device *drm;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unreg);
	drm = drm_dev_ctx_bound_drm(&unreg->bound);
	test_dev(drm)->test = test->priv;
	drm_dev_get(drm);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, dma_device_put, drm), 0);
	*parent->dma_mask = 1;
	drm_dev_set_dma_dev(drm, dma);
	KUNIT_ASSERT_EQ(test, drm_dev_ctx_register(parent, &unreg, NULL, NULL), 0);
	return drm;
}

/* A DMA device that nothing follows: no table is mapped for it. */
static void late_dma_device(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_device *drm = shmem_test_device(test, drm_safe_test_parent(test),
						   &shmem_test_driver_sgt);
	struct device *dma = dma_controller(test);
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, 2 * PAGE_SIZE);
	struct test_bo *bo = shmem_test_bo(test, 2 * PAGE_SIZE);

	drm_dev_set_dma_dev(t->drm, dma);
	drm_dev_set_dma_dev(drm, dma);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, get_table_registered(t->drm, &bo->obj), -EINVAL);
		KUNIT_EXPECT_PTR_EQ(test, shmem_test_import(test, drm, dmabuf), ERR_PTR(-EINVAL));
		EXPECT_BROKEN_TIMES(test, 2,
				    "a DMA device is set before the registration");
	}
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.base.pages_pin_count), 0);
	KUNIT_EXPECT_EQ(test, e.mapped, 0);
	shmem_test_export_put(dmabuf);
	drm_dev_set_dma_dev(t->drm, t->parent);
	KUNIT_EXPECT_EQ(test, get_table_registered(t->drm, &bo->obj), 0);
}

/* Tables are mapped for the DMA device, and imports are attached to it. */
static void other_dma_device(struct kunit *test)
{
	struct device *dma = dma_controller(test);
	struct drm_device *drm = dma_device(test, &shmem_test_driver, dma);
	struct test_bo *bo = test_bo_new(drm, 2 * PAGE_SIZE, NULL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	KUNIT_EXPECT_EQ(test, get_table_registered(drm, &bo->obj), 0);
	drm_shmem_put(&bo->obj);
}

static void other_dma_device_import(struct kunit *test)
{
	static const struct drm_driver * const drivers[] = {
		&shmem_test_driver, &shmem_test_driver_sgt,
	};

	for (int i = 0; i < ARRAY_SIZE(drivers); i++) {
		struct device *dma = dma_controller(test);
		struct drm_device *drm = dma_device(test, drivers[i], dma);
		struct shmem_test_export e = {};
		struct dma_buf *dmabuf = shmem_test_export(test, &e, 2 * PAGE_SIZE);
		struct test_bo *bo = shmem_test_import(test, drm, dmabuf);

		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
		KUNIT_EXPECT_PTR_EQ(test, drm_shmem_gem(&bo->obj)->import_attach->dev, dma);
		KUNIT_EXPECT_EQ(test, get_table_registered(drm, &bo->obj), 0);
		drm_shmem_put(&bo->obj);
		shmem_test_export_put(dmabuf);
		KUNIT_EXPECT_EQ(test, e.mapped, 0);
	}
}

/* Not more than a report: a driver that forgot to ask for more works. */
static void long_segments(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct device_dma_parameters *parms = kunit_kzalloc(test, sizeof(*parms), GFP_KERNEL);
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, 2 * PAGE_SIZE);
	struct test_bo *bo = shmem_test_bo(test, 2 * PAGE_SIZE);
	struct test_bo *never = shmem_test_bo(test, 2 * PAGE_SIZE);
	struct test_bo *large = shmem_test_bo(test, SZ_256K);
	struct test_bo *imported = shmem_test_import(test, t->drm, dmabuf);

	KUNIT_ASSERT_NOT_NULL(test, parms);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, imported);
	if (IS_ENABLED(CONFIG_DMA_API_DEBUG)) {
		drm_shmem_put(&imported->obj);
		shmem_test_export_put(dmabuf);
		kunit_skip(test, "DMA-API debugging would report this, and nothing after it");
	}
	/* Where a bus has no room for a limit, a driver cannot say anything. */
	KUNIT_EXPECT_EQ(test, get_table_registered(t->drm, &large->obj), 0);
	t->parent->dma_parms = parms;
	dma_set_max_seg_size(t->parent, SZ_2K);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, get_table_registered(t->drm, &bo->obj), 0);
		KUNIT_EXPECT_EQ(test, get_table_registered(t->drm, &imported->obj), 0);
		EXPECT_BROKEN_TIMES(test, 2, "segments are as long as the device takes");
	}
	/* None is longer than all. */
	dma_set_max_seg_size(t->parent, drm_shmem_size(&never->obj));
	KUNIT_EXPECT_EQ(test, get_table_registered(t->drm, &never->obj), 0);
	drm_shmem_put(&imported->obj);
	shmem_test_export_put(dmabuf);
	t->parent->dma_parms = NULL;
}

/* An object that is longer than a segment may be, and has several of the right length */
static void short_segments(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct device_dma_parameters *parms = kunit_kzalloc(test, sizeof(*parms), GFP_KERNEL);
	struct shmem_test_export e = { .segments = 4 };
	struct dma_buf *dmabuf = shmem_test_export(test, &e, 4 * PAGE_SIZE);
	struct test_bo *bo = shmem_test_import(test, t->drm, dmabuf);

	KUNIT_ASSERT_NOT_NULL(test, parms);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	t->parent->dma_parms = parms;
	dma_set_max_seg_size(t->parent, PAGE_SIZE);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, get_table_registered(t->drm, &bo->obj), 0);
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 0);
	}
	drm_shmem_put(&bo->obj);
	shmem_test_export_put(dmabuf);
	t->parent->dma_parms = NULL;
}

/* A fence that is signalled when somebody has begun to wait for it */
struct sgt_fence {
	struct dma_fence base;
	spinlock_t lock;		/* of @base */
	struct delayed_work signal;
	int waits;
};

static const char *sgt_fence_name(struct dma_fence *fence)
{
	return "drm_shmem_sgt";
}

/* The task begins to wait, and is killed. */
static bool sgt_fence_kill(struct dma_fence *fence)
{
	sigaddset(&current->pending.signal, SIGKILL);
	set_thread_flag(TIF_SIGPENDING);
	return true;
}

static const struct dma_fence_ops sgt_fence_kill_ops = {
	.get_driver_name = sgt_fence_name,
	.get_timeline_name = sgt_fence_name,
	.enable_signaling = sgt_fence_kill,
};

/* A task begins to wait: only now can the fence be signalled. */
static bool sgt_fence_begin(struct dma_fence *fence)
{
	schedule_delayed_work(&container_of(fence, struct sgt_fence, base)->signal, 1);
	return true;
}

static const struct dma_fence_ops sgt_fence_ops = {
	.get_driver_name = sgt_fence_name,
	.get_timeline_name = sgt_fence_name,
	.enable_signaling = sgt_fence_begin,
};

static void sgt_fence_signal(struct work_struct *work)
{
	dma_fence_signal(&container_of(work, struct sgt_fence, signal.work)->base);
}

/* A fence that mapping the dma-buf waits for */
static struct sgt_fence *sgt_fence_add_locked(struct kunit *test, struct dma_buf *dmabuf,
					      const struct dma_fence_ops *ops)
{
	struct sgt_fence *fence = kzalloc_obj(*fence);

	KUNIT_ASSERT_NOT_NULL(test, fence);
	spin_lock_init(&fence->lock);
	INIT_DELAYED_WORK(&fence->signal, sgt_fence_signal);
	dma_fence_init(&fence->base, ops, &fence->lock, dma_fence_context_alloc(1), 1);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(dmabuf->resv, 1), 0);
	dma_resv_add_fence(dmabuf->resv, &fence->base, DMA_RESV_USAGE_KERNEL);
	return fence;
}

static struct sgt_fence *sgt_fence_add(struct kunit *test, struct dma_buf *dmabuf,
				       const struct dma_fence_ops *ops)
{
	struct sgt_fence *fence;

	dma_resv_lock(dmabuf->resv, NULL);
	fence = sgt_fence_add_locked(test, dmabuf, ops);
	dma_resv_unlock(dmabuf->resv);
	return fence;
}

/* Mapping an import waits for the exporter's fences; a signal does not end that. */
static void imported_signal_is_pending(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, PAGE_SIZE);
	struct test_bo *bo = shmem_test_import(test, t->drm, dmabuf);
	struct sgt_fence *fence = sgt_fence_add(test, dmabuf, &sgt_fence_ops);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	set_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_EQ(test, get_table_registered(t->drm, &bo->obj), 0);
	clear_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(&fence->base));

	flush_delayed_work(&fence->signal);
	dma_fence_put(&fence->base);
	drm_shmem_put(&bo->obj);
	shmem_test_export_put(dmabuf);
}

/* Waits and maps before the section, and then has the lock. */
static void lock_prepared(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, PAGE_SIZE);
	struct test_bo *bo = shmem_test_import(test, t->drm, dmabuf);
	struct sgt_fence *fence = sgt_fence_add(test, dmabuf, &sgt_fence_ops);
	struct drm_shmem_sgt_owned own = {};

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	KUNIT_ASSERT_EQ(test, drm_shmem_lock_prepared_interruptible(&bo->obj), 0);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(&fence->base));
	KUNIT_EXPECT_TRUE(test, dma_resv_is_locked(dmabuf->resv));
	KUNIT_EXPECT_EQ(test, e.maps, 1);
	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm))
		KUNIT_EXPECT_EQ(test, drm_shmem_sgt_own_locked(&own, &reg->base.bound, &bo->obj),
				0);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, drm_shmem_lock_prepared_interruptible(&bo->obj), -EALREADY);
		EXPECT_BROKEN(test, "the reservation lock is taken once");
	}
	dma_resv_unlock(dmabuf->resv);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, drm_shmem_sgt_prepare_locked(&bo->obj), -EINVAL);
		EXPECT_BROKEN(test, "a _locked call is made with the reservation lock");
	}
	KUNIT_EXPECT_EQ(test, e.maps, 1);

	flush_delayed_work(&fence->signal);
	dma_fence_put(&fence->base);
	drm_shmem_sgt_release(&own);
	drm_shmem_put(&bo->obj);
	shmem_test_export_put(dmabuf);
}

/* A signal ends the wait, and there is no lock to give back. */
static void lock_prepared_interrupted(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, PAGE_SIZE);
	struct test_bo *bo = shmem_test_import(test, t->drm, dmabuf);
	struct sgt_fence *fence = sgt_fence_add(test, dmabuf, &sgt_fence_kill_ops);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	KUNIT_EXPECT_EQ(test, drm_shmem_lock_prepared_interruptible(&bo->obj), -ERESTARTSYS);
	sigdelset(&current->pending.signal, SIGKILL);
	clear_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(dmabuf->resv));

	dma_fence_signal(&fence->base);
	KUNIT_ASSERT_EQ(test, drm_shmem_lock_prepared_interruptible(&bo->obj), 0);
	dma_resv_unlock(dmabuf->resv);
	dma_fence_put(&fence->base);
	drm_shmem_put(&bo->obj);
	shmem_test_export_put(dmabuf);
}

/* Long waits are refused in a section. The macro would not compile there. */
static void prepare_in_section(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);
	int ret = -1;

	if (!IS_ENABLED(CONFIG_DRM_SAFE_DEBUG))
		kunit_skip(test, "needs CONFIG_DRM_SAFE_DEBUG");
	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm)) {
		kunit_warning_suppress(test) {
			KUNIT_EXPECT_EQ(test, __drm_shmem_lock_prepared(&bo->obj), -EINVAL);
			EXPECT_BROKEN(test, "long waits come before the section");
		}
		KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(drm_shmem_gem(&bo->obj)->resv));
		dma_resv_lock(drm_shmem_gem(&bo->obj)->resv, NULL);
		kunit_warning_suppress(test) {
			KUNIT_EXPECT_EQ(test, __drm_shmem_sgt_prepare(&bo->obj), -EINVAL);
			EXPECT_BROKEN(test, "long waits come before the section");
		}
		dma_resv_unlock(drm_shmem_gem(&bo->obj)->resv);
	}
	KUNIT_EXPECT_FALSE(test, drm_shmem_has_sgt(&bo->obj));

	/* Unplugs do not wait for this block, so it may commit, and map framebuffers for that. */
	drm_dev_ctx_guard_callback(live, test_ctx(t->drm)) {
		ret = __drm_shmem_lock_prepared(&bo->obj);
		if (!ret)
			dma_resv_unlock(drm_shmem_gem(&bo->obj)->resv);
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_TRUE(test, drm_shmem_has_sgt(&bo->obj));
}

/* So is an import that is mapped at once. */
static void import_in_section(struct kunit *test)
{
	struct shmem_test_export e = {};
	struct drm_device *drm;
	struct dma_buf *dmabuf;

	if (!IS_ENABLED(CONFIG_DRM_SAFE_DEBUG))
		kunit_skip(test, "needs CONFIG_DRM_SAFE_DEBUG");
	drm = shmem_test_device(test, drm_safe_test_parent(test), &shmem_test_driver_sgt);
	dmabuf = shmem_test_export(test, &e, PAGE_SIZE);
	drm_dev_ctx_guard(test_reg, reg, test_ctx(drm)) {
		kunit_warning_suppress(test) {
			KUNIT_EXPECT_PTR_EQ(test, shmem_test_import(test, drm, dmabuf),
					    ERR_PTR(-EINVAL));
			EXPECT_BROKEN(test, "long waits come before the section");
		}
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&e.attached), 0);
	shmem_test_export_put(dmabuf);
}

/* A driver's own wait, which fails at first, as radeon's does */
static long sgt_fence_wait_fails(struct dma_fence *fence, bool intr, long timeout)
{
	struct sgt_fence *f = container_of(fence, struct sgt_fence, base);

	if (f->waits++ < 2)
		return -EDEADLK;
	dma_fence_signal(fence);
	return 1;
}

static const struct dma_fence_ops sgt_fence_wait_fails_ops = {
	.get_driver_name = sgt_fence_name,
	.get_timeline_name = sgt_fence_name,
	.wait = sgt_fence_wait_fails,
};

/* The wait goes on, and its error is not taken for one of a lock. */
static void lock_prepared_wait_fails(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, PAGE_SIZE);
	struct test_bo *bo = shmem_test_import(test, t->drm, dmabuf);
	struct sgt_fence *fence = sgt_fence_add(test, dmabuf, &sgt_fence_wait_fails_ops);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	KUNIT_ASSERT_EQ(test, drm_shmem_lock_prepared_interruptible(&bo->obj), 0);
	dma_resv_unlock(dmabuf->resv);
	KUNIT_EXPECT_EQ(test, fence->waits, 3);
	KUNIT_EXPECT_EQ(test, e.maps, 1);
	dma_fence_put(&fence->base);
	drm_shmem_put(&bo->obj);
	shmem_test_export_put(dmabuf);
}

/* The table of an own object is there for the section, unless it cannot be. */
static void prepare_own(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct reclaim_bo *bo = shmem_test_reclaim_bo(test, PAGE_SIZE);
	struct drm_gem_object *gem = drm_shmem_gem(&bo->obj);
	struct drm_shmem_sgt_owned own = {};

	KUNIT_ASSERT_EQ(test, drm_shmem_lock_prepared_interruptible(&bo->obj), 0);
	KUNIT_EXPECT_TRUE(test, drm_shmem_has_sgt(&bo->obj));
	KUNIT_EXPECT_EQ(test, drm_shmem_sgt_prepare_locked(&bo->obj), 0);
	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm))
		KUNIT_EXPECT_EQ(test, drm_shmem_sgt_own_locked(&own, &reg->base.bound, &bo->obj),
				0);
	dma_resv_unlock(gem->resv);
	/* The prepared table has no user of its own. */
	KUNIT_EXPECT_EQ(test, drm_shmem_sgt_unmap(&bo->obj), -EBUSY);
	drm_shmem_sgt_release(&own);
	KUNIT_EXPECT_EQ(test, drm_shmem_sgt_unmap(&bo->obj), 0);

	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(test_ctx(t->drm)), 0);
	KUNIT_EXPECT_EQ(test, drm_shmem_lock_prepared_interruptible(&bo->obj), -ENODEV);
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(gem->resv));
	KUNIT_EXPECT_FALSE(test, drm_shmem_has_sgt(&bo->obj));
	drm_shmem_put(&bo->obj);
}

/* A task that is killed stops to wait for a fence that nobody signals. */
static void imported_killed(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, PAGE_SIZE);
	struct test_bo *bo = shmem_test_import(test, t->drm, dmabuf);
	struct sgt_fence *fence = sgt_fence_add(test, dmabuf, &sgt_fence_kill_ops);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	KUNIT_EXPECT_EQ(test, get_table_registered(t->drm, &bo->obj), -EINTR);
	KUNIT_EXPECT_TRUE(test, fatal_signal_pending(current));
	sigdelset(&current->pending.signal, SIGKILL);
	clear_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(&fence->base));
	KUNIT_EXPECT_EQ(test, e.mapped, 0);
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(dmabuf->resv));

	/* The next task maps it. */
	dma_fence_signal(&fence->base);
	KUNIT_EXPECT_EQ(test, get_table_registered(t->drm, &bo->obj), 0);
	KUNIT_EXPECT_EQ(test, e.mapped, 1);

	dma_fence_put(&fence->base);
	drm_shmem_put(&bo->obj);
	shmem_test_export_put(dmabuf);
}

/* An exporter that moves the memory when it is mapped, which a fence stands for */
struct sgt_mover {
	struct shmem_test_export e;
	struct kunit *test;
	const struct dma_fence_ops *ops;
	struct sgt_fence *fence;
};

static void sgt_mover_map(struct shmem_test_export *e, struct dma_buf *dmabuf)
{
	struct sgt_mover *mover = container_of(e, struct sgt_mover, e);

	if (mover->fence)
		return;
	mover->fence = sgt_fence_add_locked(mover->test, dmabuf, mover->ops);
}

static const struct drm_driver *const sgt_drivers[] = {
	&shmem_test_driver, &shmem_test_driver_sgt,
};

static void sgt_driver_desc(const struct drm_driver *const *driver, char *desc)
{
	strscpy(desc, (*driver)->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(sgt_driver, sgt_drivers, sgt_driver_desc);

/* Imports a dma-buf and maps it, which the driver does in one step or in two. */
static struct test_bo *sgt_import(struct kunit *test, struct drm_device *drm,
				  struct dma_buf *dmabuf, int *ret)
{
	struct test_bo *bo = shmem_test_import(test, drm, dmabuf);

	*ret = IS_ERR(bo) ? PTR_ERR(bo) : get_table_registered(drm, &bo->obj);
	return IS_ERR(bo) ? NULL : bo;
}

/* A signal ends no wait for a fence, whenever the exporter added it. */
static void import_waits_for_move(struct kunit *test)
{
	const struct drm_driver *const *driver = test->param_value;
	struct drm_device *drm = shmem_test_device(test, drm_safe_test_parent(test), *driver);
	struct sgt_mover mover = {
		.e.on_map = sgt_mover_map, .test = test, .ops = &sgt_fence_ops,
	};
	struct dma_buf *dmabuf = shmem_test_export(test, &mover.e, PAGE_SIZE);
	struct test_bo *bo;
	int ret;

	set_thread_flag(TIF_SIGPENDING);
	bo = sgt_import(test, drm, dmabuf, &ret);
	clear_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_ASSERT_NOT_NULL(test, mover.fence);
	flush_delayed_work(&mover.fence->signal);
	KUNIT_EXPECT_EQ(test, mover.e.mapped, !ret);
	dma_fence_put(&mover.fence->base);
	drm_shmem_put(&bo->obj);
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, mover.e.mapped, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&mover.e.attached), 0);
	shmem_test_export_put(dmabuf);
	KUNIT_EXPECT_TRUE(test, mover.e.released);
}

/* A signal that kills the task ends the wait, and no other signal does. */
static void import_killed_in_move(struct kunit *test)
{
	const struct drm_driver *const *driver = test->param_value;
	struct drm_device *drm = shmem_test_device(test, drm_safe_test_parent(test), *driver);
	struct sgt_mover mover = {
		.e.on_map = sgt_mover_map, .test = test, .ops = &sgt_fence_kill_ops,
	};
	struct dma_buf *dmabuf = shmem_test_export(test, &mover.e, PAGE_SIZE);
	struct test_bo *bo;
	int ret;

	bo = sgt_import(test, drm, dmabuf, &ret);
	sigdelset(&current->pending.signal, SIGKILL);
	clear_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_EQ(test, ret, -EINTR);
	KUNIT_EXPECT_EQ(test, mover.e.mapped, 0);
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(dmabuf->resv));
	drm_shmem_put(&bo->obj);
	while (atomic_read(&mover.e.attached))
		schedule_timeout_idle(1);

	/* The next import maps it. */
	KUNIT_ASSERT_NOT_NULL(test, mover.fence);
	dma_fence_signal(&mover.fence->base);
	bo = sgt_import(test, drm, dmabuf, &ret);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, mover.e.mapped, 1);
	dma_fence_put(&mover.fence->base);
	drm_shmem_put(&bo->obj);
	shmem_test_export_put(dmabuf);
}

/* A caller would take -EDEADLK for contention of its own locks, and try again for ever. */
static void import_wait_fails(struct kunit *test)
{
	const struct drm_driver *const *driver = test->param_value;
	struct drm_device *drm = shmem_test_device(test, drm_safe_test_parent(test), *driver);
	struct sgt_mover mover = {
		.e.on_map = sgt_mover_map, .test = test, .ops = &sgt_fence_wait_fails_ops,
	};
	struct dma_buf *dmabuf = shmem_test_export(test, &mover.e, PAGE_SIZE);
	struct test_bo *bo = shmem_test_import(test, drm, dmabuf);
	int ret = PTR_ERR_OR_ZERO(bo);

	if (!ret) {
		KUNIT_EXPECT_EQ(test, get_table_registered(drm, &bo->obj), -EAGAIN);
		ret = drm_shmem_lock_prepared_interruptible(&bo->obj);
		KUNIT_ASSERT_EQ(test, ret, 0);
		dma_resv_unlock(dmabuf->resv);
		drm_shmem_put(&bo->obj);
	} else {
		KUNIT_EXPECT_EQ(test, ret, -EAGAIN);
	}
	drm_shmem_flush_work();
	KUNIT_ASSERT_NOT_NULL(test, mover.fence);
	KUNIT_EXPECT_EQ(test, mover.e.mapped, 0);
	dma_fence_signal(&mover.fence->base);
	dma_fence_put(&mover.fence->base);
	shmem_test_export_put(dmabuf);
}

/* The exporter's own error is returned. */
static void import_error_of_exporter(struct kunit *test)
{
	const struct drm_driver *const *driver = test->param_value;
	struct drm_device *drm = shmem_test_device(test, drm_safe_test_parent(test), *driver);
	struct shmem_test_export e = { .map_ret = -ERESTARTSYS };
	struct dma_buf *dmabuf = shmem_test_export(test, &e, PAGE_SIZE);
	struct test_bo *bo;
	int ret;

	bo = sgt_import(test, drm, dmabuf, &ret);
	KUNIT_EXPECT_EQ(test, ret, -ERESTARTSYS);
	drm_shmem_put(&bo->obj);
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, atomic_read(&e.attached), 0);
	shmem_test_export_put(dmabuf);
}

/* An exporter whose own wait ends with a signal, once */
static void sgt_interrupted(struct shmem_test_export *e, struct dma_buf *dmabuf)
{
	e->map_ret = 0;
}

/* A wait of the exporter that a signal ended begins anew, whatever the exporter calls it. */
static void import_interrupts_exporter(struct kunit *test)
{
	const struct drm_driver *const *driver = test->param_value;
	struct drm_device *drm = shmem_test_device(test, drm_safe_test_parent(test), *driver);
	static const int errors[] = { -EINTR, -ERESTARTSYS };

	for (int i = 0; i < ARRAY_SIZE(errors); i++) {
		struct shmem_test_export e = {
			.map_ret = errors[i], .on_map_fails = sgt_interrupted,
		};
		struct dma_buf *dmabuf = shmem_test_export(test, &e, PAGE_SIZE);
		struct test_bo *bo;
		int ret;

		set_thread_flag(TIF_SIGPENDING);
		bo = sgt_import(test, drm, dmabuf, &ret);
		clear_thread_flag(TIF_SIGPENDING);
		KUNIT_EXPECT_EQ(test, ret, 0);
		KUNIT_EXPECT_EQ(test, e.maps, 1);
		drm_shmem_put(&bo->obj);
		drm_shmem_flush_work();
		KUNIT_EXPECT_EQ(test, e.mapped, 0);
		shmem_test_export_put(dmabuf);
	}
}

/* A task that is killed waits no longer for the exporter's lock. */
static void import_killed_in_lock(struct kunit *test)
{
	const struct drm_driver *const *driver = test->param_value;
	struct drm_device *drm = shmem_test_device(test, drm_safe_test_parent(test), *driver);
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, PAGE_SIZE);
	struct shmem_test_holder *holder = shmem_test_hold(test, dmabuf->resv);

	sigaddset(&current->pending.signal, SIGKILL);
	set_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_PTR_EQ(test, shmem_test_import(test, drm, dmabuf), ERR_PTR(-EINTR));
	sigdelset(&current->pending.signal, SIGKILL);
	clear_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_TRUE(test, shmem_test_leave(holder));
	KUNIT_EXPECT_EQ(test, atomic_read(&e.attached), 0);
	KUNIT_EXPECT_EQ(test, e.maps, 0);
	shmem_test_export_put(dmabuf);
	KUNIT_EXPECT_TRUE(test, e.released);
}

/* An exporter whose lock another task gets, and keeps, between two attempts to map */
struct sgt_grabber {
	struct shmem_test_export e;
	struct work_struct work;
	struct dma_buf *dmabuf;
	struct task_struct *importer;
	struct completion leave;
	bool queued;
};

static void sgt_grab_fn(struct work_struct *work)
{
	struct sgt_grabber *grabber = container_of(work, struct sgt_grabber, work);

	dma_resv_lock(grabber->dmabuf->resv, NULL);
	sigaddset(&grabber->importer->pending.signal, SIGKILL);
	wait_for_completion(&grabber->leave);
	dma_resv_unlock(grabber->dmabuf->resv);
}

static void sgt_grab(struct shmem_test_export *e, struct dma_buf *dmabuf)
{
	struct sgt_grabber *grabber = container_of(e, struct sgt_grabber, e);

	if (!grabber->queued)
		schedule_work(&grabber->work);
	grabber->queued = true;
	while (!drm_safe_test_lock_waits(&dmabuf->resv->lock.base))
		schedule_timeout_idle(1);
}

/* It does not wait for the lock to undo earlier steps, either: a work item does. */
static void import_killed_when_attached(struct kunit *test)
{
	struct drm_device *drm = shmem_test_device(test, drm_safe_test_parent(test),
						   &shmem_test_driver_sgt);
	struct sgt_grabber grabber = {
		.e.map_ret = -EINTR, .e.on_map_fails = sgt_grab, .importer = current,
	};

	grabber.dmabuf = shmem_test_export(test, &grabber.e, PAGE_SIZE);
	INIT_WORK_ONSTACK(&grabber.work, sgt_grab_fn);
	init_completion(&grabber.leave);
	set_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_PTR_EQ(test, shmem_test_import(test, drm, grabber.dmabuf), ERR_PTR(-EINTR));
	sigdelset(&current->pending.signal, SIGKILL);
	clear_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_EQ(test, atomic_read(&grabber.e.attached), 1);
	complete(&grabber.leave);
	flush_work(&grabber.work);
	destroy_work_on_stack(&grabber.work);
	while (atomic_read(&grabber.e.attached))
		schedule_timeout_idle(1);
	KUNIT_EXPECT_EQ(test, grabber.e.maps, 0);
	dma_buf_put(grabber.dmabuf);
	while (!READ_ONCE(grabber.e.released)) {
		flush_delayed_fput();
		schedule_timeout_idle(1);
	}
}

/* Nothing is mapped for a device that was unplugged. */
static void import_after_unplug(struct kunit *test)
{
	struct device *parent = drm_safe_test_parent(test);
	struct drm_device *drm = shmem_test_device(test, parent, &shmem_test_driver_sgt);
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, PAGE_SIZE);

	drm_safe_test_unbind(test, parent);
	KUNIT_EXPECT_PTR_EQ(test, shmem_test_import(test, drm, dmabuf), ERR_PTR(-ENODEV));
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, e.maps, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&e.attached), 0);
	shmem_test_export_put(dmabuf);
}

/* An import by another task, and a fence that tells when that waits */
struct sgt_importer {
	struct work_struct work;
	struct completion waits;
	struct drm_device *drm;
	struct dma_buf *dmabuf;
	struct drm_gem_object *gem;
};

static struct sgt_importer *sgt_importer;

static bool sgt_fence_tell(struct dma_fence *fence)
{
	complete(&sgt_importer->waits);
	return true;
}

static const struct dma_fence_ops sgt_fence_tell_ops = {
	.get_driver_name = sgt_fence_name,
	.get_timeline_name = sgt_fence_name,
	.enable_signaling = sgt_fence_tell,
};

static void sgt_importer_fn(struct work_struct *work)
{
	struct sgt_importer *importer = container_of(work, struct sgt_importer, work);

	importer->gem = importer->drm->driver->gem_prime_import(importer->drm, importer->dmabuf);
}

/* The device is unplugged while an import waits for a fence, and not after it. */
static void import_waits_without_section(struct kunit *test)
{
	struct device *parent = drm_safe_test_parent(test);
	struct drm_device *drm = shmem_test_device(test, parent, &shmem_test_driver_sgt);
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, PAGE_SIZE);
	struct sgt_fence *fence = sgt_fence_add(test, dmabuf, &sgt_fence_tell_ops);
	struct sgt_importer importer = { .drm = drm, .dmabuf = dmabuf };

	sgt_importer = &importer;
	INIT_WORK_ONSTACK(&importer.work, sgt_importer_fn);
	init_completion(&importer.waits);
	schedule_work(&importer.work);
	wait_for_completion(&importer.waits);
	drm_safe_test_unbind(test, parent);
	KUNIT_EXPECT_TRUE(test, work_busy(&importer.work));
	dma_fence_signal(&fence->base);
	flush_work(&importer.work);
	destroy_work_on_stack(&importer.work);
	KUNIT_EXPECT_PTR_EQ(test, importer.gem, ERR_PTR(-ENODEV));
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, e.maps, 0);
	dma_fence_put(&fence->base);
	shmem_test_export_put(dmabuf);
}

/* A task that imports and maps, while the exporter moves the memory, which a fence stands for */
struct sgt_moved {
	struct sgt_mover mover;
	struct sgt_importer importer;
	struct test_bo *bo;
	int ret;
};

static int sgt_prepare(struct test_bo *bo)
{
	int ret = drm_shmem_lock_prepared_interruptible(&bo->obj);

	if (!ret)
		dma_resv_unlock(drm_shmem_gem(&bo->obj)->resv);
	return ret;
}

static void sgt_moved_fn(struct work_struct *work)
{
	struct sgt_moved *m = container_of(work, struct sgt_moved, importer.work);
	struct test_bo *bo = shmem_test_import(m->mover.test, m->importer.drm, m->importer.dmabuf);

	m->ret = IS_ERR(bo) ? PTR_ERR(bo) : sgt_prepare(bo);
	m->bo = IS_ERR(bo) ? NULL : bo;
}

static struct sgt_moved *sgt_moved_begin(struct kunit *test, struct device *parent,
					 const struct drm_driver *driver)
{
	struct sgt_moved *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, m);
	m->mover.e.on_map = sgt_mover_map;
	m->mover.test = test;
	m->mover.ops = &sgt_fence_tell_ops;
	m->importer.drm = shmem_test_device(test, parent, driver);
	m->importer.dmabuf = shmem_test_export(test, &m->mover.e, PAGE_SIZE);
	init_completion(&m->importer.waits);
	sgt_importer = &m->importer;
	INIT_WORK(&m->importer.work, sgt_moved_fn);
	schedule_work(&m->importer.work);
	wait_for_completion(&m->importer.waits);
	return m;
}

static void sgt_moved_end(struct kunit *test, struct sgt_moved *m)
{
	drm_shmem_put(m->bo ? &m->bo->obj : NULL);
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, m->mover.e.mapped, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&m->mover.e.attached), 0);
	dma_fence_put(&m->mover.fence->base);
	shmem_test_export_put(m->importer.dmabuf);
	KUNIT_EXPECT_TRUE(test, m->mover.e.released);
}

/* No unplug waits for the exporter: neither another device's nor the importer's. */
static void unplug_in_move(struct kunit *test)
{
	const struct drm_driver *const *driver = test->param_value;
	struct drm_device *other = shmem_test_device(test, drm_safe_test_parent(test), *driver);
	struct sgt_moved *m = sgt_moved_begin(test, drm_safe_test_parent(test), *driver);

	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(test_ctx(other)), 0);
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_unregister(test_ctx(m->importer.drm)), 0);
	KUNIT_EXPECT_TRUE(test, work_busy(&m->importer.work));
	dma_fence_signal(&m->mover.fence->base);
	flush_work(&m->importer.work);
	/* An import that was complete before has its table until the parent is unbound. */
	KUNIT_EXPECT_EQ(test, m->ret, (*driver)->gem_prime_import_sg_table ? -ENODEV : 0);
	KUNIT_EXPECT_EQ(test, m->mover.e.maps, 1);
	sgt_moved_end(test, m);
}

struct sgt_unbinder {
	struct work_struct work;
	struct kunit *test;
	struct device *parent;
};

static void sgt_unbinder_fn(struct work_struct *work)
{
	struct sgt_unbinder *unbinder = container_of(work, struct sgt_unbinder, work);

	drm_safe_test_unbind(unbinder->test, unbinder->parent);
}

/* Unbinding waits until the exporter has mapped. The table is refused then, without a report. */
static void unbind_in_move(struct kunit *test)
{
	struct device *parent = drm_safe_test_parent(test);
	struct sgt_unbinder unbinder = { .test = test, .parent = parent };
	struct sgt_moved *m = sgt_moved_begin(test, parent, &shmem_test_driver);
	struct drm_dev_ctx *ctx = to_drm_dev_ctx(m->importer.drm);

	INIT_WORK_ONSTACK(&unbinder.work, sgt_unbinder_fn);
	schedule_work(&unbinder.work);
	while (!READ_ONCE(ctx->__unbound))
		schedule_timeout_idle(1);
	KUNIT_EXPECT_TRUE(test, work_busy(&unbinder.work));
	dma_fence_signal(&m->mover.fence->base);
	flush_work(&unbinder.work);
	destroy_work_on_stack(&unbinder.work);
	flush_work(&m->importer.work);
	KUNIT_EXPECT_EQ(test, m->ret, -ENODEV);
	KUNIT_EXPECT_EQ(test, m->mover.e.mapped, 0);
	sgt_moved_end(test, m);
}

/* An exporter that a signal interrupts each time, and a device that is unplugged meanwhile */
struct sgt_unplugger {
	struct shmem_test_export e;
	struct work_struct work;
	struct drm_device *drm;
	bool queued;
};

static void sgt_unplug_fn(struct work_struct *work)
{
	struct sgt_unplugger *u = container_of(work, struct sgt_unplugger, work);

	drm_dev_ctx_unregister(test_ctx(u->drm));
}

static void sgt_unplug(struct shmem_test_export *e, struct dma_buf *dmabuf)
{
	struct sgt_unplugger *u = container_of(e, struct sgt_unplugger, e);

	if (!u->queued)
		schedule_work(&u->work);
	u->queued = true;
	while (!drm_dev_is_unplugged(u->drm))
		schedule_timeout_idle(1);
}

/* The importer does not ask again, so that an unplug that waits for its section goes on. */
static void unplug_ends_attempts(struct kunit *test)
{
	const struct drm_driver *const *driver = test->param_value;
	struct sgt_unplugger u = { .e.map_ret = -EINTR, .e.on_map_fails = sgt_unplug };
	struct dma_buf *dmabuf = shmem_test_export(test, &u.e, PAGE_SIZE);
	struct test_bo *bo;
	int ret;

	u.drm = shmem_test_device(test, drm_safe_test_parent(test), *driver);
	INIT_WORK_ONSTACK(&u.work, sgt_unplug_fn);
	set_thread_flag(TIF_SIGPENDING);
	bo = sgt_import(test, u.drm, dmabuf, &ret);
	clear_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_EQ(test, ret, -ENODEV);
	KUNIT_EXPECT_EQ(test, u.e.maps, 0);
	flush_work(&u.work);
	destroy_work_on_stack(&u.work);
	drm_shmem_put(bo ? &bo->obj : NULL);
	drm_shmem_flush_work();
	shmem_test_export_put(dmabuf);
}

/* Each of the two callbacks of DRM_SHMEM_DRIVER_OPS_SGT needs the other one. */
static void import_without_table(struct kunit *test)
{
	static struct drm_driver driver;
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, PAGE_SIZE);
	struct drm_device *drm;

	driver = *drm_safe_test_driver();
	driver.gem_prime_import = drm_shmem_prime_import;
	driver.gem_prime_import_sg_table = NULL;
	drm = shmem_test_device(test, drm_safe_test_parent(test), &driver);
	KUNIT_EXPECT_PTR_EQ(test, shmem_test_import(test, drm, dmabuf), ERR_PTR(-EINVAL));
	KUNIT_EXPECT_EQ(test, atomic_read(&e.attached), 0);
	shmem_test_export_put(dmabuf);
}

/* Nothing follows the struct drm_device, so KASAN sees each access to contexts. */
struct sgt_foreign_device {
	struct drm_device drm;
};

/* DRM_SHMEM_DRIVER_OPS_SGT on a device without contexts */
static void import_foreign_device(struct kunit *test)
{
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, PAGE_SIZE);
	struct sgt_foreign_device *foreign =
		devm_drm_dev_alloc(drm_safe_test_parent(test), &shmem_test_driver_sgt,
				   struct sgt_foreign_device, drm);

	KUNIT_ASSERT_FALSE(test, IS_ERR(foreign));
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_PTR_EQ(test, shmem_test_import(test, &foreign->drm, dmabuf),
				    ERR_PTR(-ENODEV));
		EXPECT_BROKEN(test, "own devices");
	}
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, e.mapped, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&e.attached), 0);
	shmem_test_export_put(dmabuf);
}

static struct kunit_case drm_shmem_sgt_cases[] = {
	KUNIT_CASE(get_registered),
	KUNIT_CASE(get_unregistered),
	KUNIT_CASE(get_locked),
	KUNIT_CASE(wrong_device),
	KUNIT_CASE(freed_before_unbind),
	KUNIT_CASE(revoked),
	KUNIT_CASE(wrong_lock),
	KUNIT_CASE(revoked_rebind),
	KUNIT_CASE(owned),
	KUNIT_CASE(owned_cleanup),
	KUNIT_CASE(owned_overwritten),
	KUNIT_CASE(owned_never_initialised),
	KUNIT_CASE(owned_revoked),
	KUNIT_CASE(unmap_early),
	KUNIT_CASE(unmap_early_not_counted),
	KUNIT_CASE(imported_freed),
	KUNIT_CASE(imported_revoked),
	KUNIT_CASE(imported_at_once_freed),
	KUNIT_CASE(imported_at_once_revoked),
	KUNIT_CASE(imported_map_fails),
	KUNIT_CASE(imported_signal_is_pending),
	KUNIT_CASE(imported_killed),
	KUNIT_CASE(lock_prepared),
	KUNIT_CASE(lock_prepared_interrupted),
	KUNIT_CASE(lock_prepared_wait_fails),
	KUNIT_CASE(prepare_in_section),
	KUNIT_CASE(import_in_section),
	KUNIT_CASE(prepare_own),
	KUNIT_CASE_PARAM(import_waits_for_move, sgt_driver_gen_params),
	KUNIT_CASE_PARAM(import_killed_in_move, sgt_driver_gen_params),
	KUNIT_CASE_PARAM(import_wait_fails, sgt_driver_gen_params),
	KUNIT_CASE_PARAM(import_error_of_exporter, sgt_driver_gen_params),
	KUNIT_CASE_PARAM(import_interrupts_exporter, sgt_driver_gen_params),
	KUNIT_CASE_PARAM(import_killed_in_lock, sgt_driver_gen_params),
	KUNIT_CASE(import_killed_when_attached),
	KUNIT_CASE(import_after_unplug),
	KUNIT_CASE(import_waits_without_section),
	KUNIT_CASE_PARAM(unplug_in_move, sgt_driver_gen_params),
	KUNIT_CASE(unbind_in_move),
	KUNIT_CASE_PARAM(unplug_ends_attempts, sgt_driver_gen_params),
	KUNIT_CASE(import_without_table),
	KUNIT_CASE(import_foreign_device),
	KUNIT_CASE(late_dma_device),
	KUNIT_CASE(other_dma_device),
	KUNIT_CASE(other_dma_device_import),
	KUNIT_CASE(long_segments),
	KUNIT_CASE(short_segments),
	{}
};

static struct kunit_suite drm_shmem_sgt_suite = {
	.name = "drm_shmem_sgt",
	.init = shmem_test_init,
	.test_cases = drm_shmem_sgt_cases,
};

kunit_test_suite(drm_shmem_sgt_suite);
