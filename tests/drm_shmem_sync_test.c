// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Cache maintenance: drm_shmem_sync.c
 *
 * The devices here have memory of their own, as one behind a bounce buffer has. It is copied
 * where the DMA API would maintain caches, and nowhere else.
 */

#include <kunit/static_stub.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/scatterlist.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>

#include <drm/drm_prime.h>

#include "drm_dev_ctx_res.h"
#include "drm_shmem_internal.h"
#include "drm_shmem_test.h"

#define SYNC_SIZE	(4 * PAGE_SIZE)
#define SYNC_PIECES	8

struct sync_page {
	DRM_VMAP(SZ_4K);
};

struct sync_page_owned {
	DRM_VMAP_OWNED(struct sync_page);
};

struct sync_page_res {
	DRM_DEV_CTX_RES(struct sync_page);
};

/* A device with a memory of its own, for one table */
struct sync_device {
	struct device *dev;
	u8 *mem;
	struct sg_table *sgt;		/* of pieces, which have only addresses */
	int tables, pieces;
	struct {
		dma_addr_t addr;
		size_t len;
	} piece[SYNC_PIECES];
};

/* The device of the test, and an importer */
static struct sync_device sync_devices[2];

static struct sync_device *sync_find(struct device *dev)
{
	for (int i = 0; i < ARRAY_SIZE(sync_devices); i++)
		if (sync_devices[i].dev == dev)
			return &sync_devices[i];
	return NULL;
}

static void sync_copy(struct sync_device *d, struct sg_table *sgt, u64 offset, size_t len,
		      enum dma_data_direction dir, bool to_device)
{
	if (to_device && dir != DMA_FROM_DEVICE)
		sg_pcopy_to_buffer(sgt->sgl, sgt->orig_nents, d->mem + offset, len, offset);
	if (!to_device && dir != DMA_TO_DEVICE)
		sg_pcopy_from_buffer(sgt->sgl, sgt->orig_nents, d->mem + offset, len, offset);
}

static void sync_table_stub(struct device *dev, struct sg_table *sgt,
			    enum dma_data_direction dir, bool to_device)
{
	struct sync_device *d = sync_find(dev);

	KUNIT_EXPECT_NOT_NULL(kunit_get_current_test(), d);
	if (!d)
		return;
	d->tables++;
	sync_copy(d, sgt, 0, SYNC_SIZE, dir, to_device);
}

static void sync_piece_stub(struct device *dev, dma_addr_t addr, size_t len,
			    enum dma_data_direction dir, bool to_device)
{
	struct sync_device *d = sync_find(dev);
	struct scatterlist *sg;
	u64 start = 0;
	int i;

	KUNIT_EXPECT_NOT_NULL(kunit_get_current_test(), d);
	if (!d)
		return;
	if (d->pieces < SYNC_PIECES) {
		d->piece[d->pieces].addr = addr;
		d->piece[d->pieces].len = len;
	}
	d->pieces++;
	if (!d->mem)
		return;
	for_each_sgtable_dma_sg(d->sgt, sg, i) {
		if (addr >= sg_dma_address(sg) && addr - sg_dma_address(sg) < sg_dma_len(sg))
			sync_copy(d, d->sgt, start + (addr - sg_dma_address(sg)), len, dir,
				  to_device);
		start += sg_dma_len(sg);
	}
}

static int sync_test_init(struct kunit *test)
{
	struct shmem_test *t;
	int ret;

	memset(sync_devices, 0, sizeof(sync_devices));
	ret = shmem_test_init(test);
	if (ret)
		return ret;
	t = test->priv;
	for (int i = 0; i < ARRAY_SIZE(sync_devices); i++) {
		sync_devices[i].dev = i ? drm_safe_test_parent(test) : t->parent;
		sync_devices[i].mem = kunit_kzalloc(test, SYNC_SIZE, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, sync_devices[i].mem);
	}
	kunit_activate_static_stub(test, drm_shmem_dma_sync_table, sync_table_stub);
	kunit_activate_static_stub(test, drm_shmem_dma_sync_piece, sync_piece_stub);
	return 0;
}

/* With CONFIG_DMA_API_DEBUG, each device counts as one that is not coherent. */
static void sync_needed(struct kunit *test)
{
	if (!dma_dev_need_sync(sync_devices[0].dev))
		kunit_skip(test, "needs a device that needs maintenance, or CONFIG_DMA_API_DEBUG");
}

/* Maps @obj for the test's device. */
static void sync_map(struct kunit *test, struct drm_shmem_obj *obj)
{
	struct shmem_test *t = test->priv;
	int ret = -1;

	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm))
		drm_shmem_sgt_guard(sgt, &reg->base.bound, obj, ret)
			sync_devices[0].sgt = obj->__table.__sgt;
	KUNIT_ASSERT_EQ(test, ret, 0);
}

static struct test_bo *sync_bo(struct kunit *test)
{
	struct test_bo *bo = shmem_test_bo(test, SYNC_SIZE);

	sync_map(test, &bo->obj);
	return bo;
}

static u32 sync_word(int device, size_t offset)
{
	return *(u32 *)(sync_devices[device].mem + offset);
}

static u32 sync_cpu_word(struct kunit *test, struct drm_shmem_obj *obj)
{
	u32 val = 0;
	int ret;

	drm_vmap_guard(sync_page, map, obj, ret)
		val = drm_vmap_read32(map, 0);
	KUNIT_EXPECT_EQ(test, ret, 0);
	return val;
}

static void sync_cpu_write(struct kunit *test, struct drm_shmem_obj *obj, u32 val)
{
	int ret;

	drm_vmap_guard(sync_page, map, obj, ret)
		drm_vmap_write32(map, 0, val);
	KUNIT_EXPECT_EQ(test, ret, 0);
}

static int sync_write_and_leave(struct drm_shmem_obj *obj, u32 val, int how)
{
	int ret;

	drm_vmap_sync_guard(sync_page, map, obj, DMA_TO_DEVICE, ret) {
		drm_vmap_write32(map, 0, val);
		if (how == 1)
			return -EIO;
		if (how == 2)
			break;
		ret = 1;
	}
	return ret;
}

static void write_is_visible(struct kunit *test)
{
	struct test_bo *bo;
	int ret;

	sync_needed(test);
	bo = sync_bo(test);
	drm_vmap_sync_guard(sync_page, map, &bo->obj, DMA_TO_DEVICE, ret) {
		drm_vmap_write32(map, 8, 1234);
		KUNIT_EXPECT_EQ(test, sync_word(0, 8), 0);
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, sync_word(0, 8), 1234);

	/* On whatever path the block is left */
	KUNIT_EXPECT_EQ(test, sync_write_and_leave(&bo->obj, 1, 1), -EIO);
	KUNIT_EXPECT_EQ(test, sync_word(0, 0), 1);
	KUNIT_EXPECT_EQ(test, sync_write_and_leave(&bo->obj, 2, 2), 0);
	KUNIT_EXPECT_EQ(test, sync_word(0, 0), 2);
	KUNIT_EXPECT_EQ(test, sync_write_and_leave(&bo->obj, 3, 0), 1);
	KUNIT_EXPECT_EQ(test, sync_word(0, 0), 3);
	KUNIT_EXPECT_FALSE(test, drm_shmem_has_vmap(&bo->obj));
}

static void read_is_current(struct kunit *test)
{
	struct test_bo *bo;
	int ret;

	sync_needed(test);
	bo = sync_bo(test);
	*(u32 *)sync_devices[0].mem = 4321;
	KUNIT_EXPECT_EQ(test, sync_cpu_word(test, &bo->obj), 0);
	drm_vmap_sync_guard(sync_page, map, &bo->obj, DMA_FROM_DEVICE, ret)
		KUNIT_EXPECT_EQ(test, drm_vmap_read32(map, 0), 4321);
	KUNIT_EXPECT_EQ(test, ret, 0);
}

/* A mapping that stays, and the object alone, have blocks of access. */
static void owned_and_object(struct kunit *test)
{
	struct sync_page_owned own __cleanup(drm_vmap_cleanup) = {};
	struct test_bo *bo;
	int ret;

	sync_needed(test);
	bo = sync_bo(test);
	KUNIT_ASSERT_EQ(test, drm_vmap_own(&own, &bo->obj), 0);
	for (u32 i = 1; i < 3; i++) {
		drm_vmap_cpu_guard(&own, DMA_BIDIRECTIONAL, ret)
			drm_vmap_write32(&own, 0, i);
		KUNIT_EXPECT_EQ(test, ret, 0);
		KUNIT_EXPECT_EQ(test, sync_word(0, 0), i);
	}
	drm_shmem_cpu_guard(&bo->obj, DMA_TO_DEVICE, ret)
		drm_vmap_write32(&own, 0, 9);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, sync_word(0, 0), 9);

	KUNIT_EXPECT_EQ(test, drm_shmem_cpu_begin(&bo->obj, DMA_TO_DEVICE), 0);
	drm_vmap_write32(&own, 0, 10);
	KUNIT_EXPECT_EQ(test, sync_word(0, 0), 9);
	KUNIT_EXPECT_EQ(test, drm_shmem_cpu_end(&bo->obj, DMA_TO_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, sync_word(0, 0), 10);
}

/* An object without a table, or with a revoked one, needs no maintenance. */
static void no_table(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo *bo = shmem_test_bo(test, SYNC_SIZE);
	int ret = -1;

	KUNIT_EXPECT_EQ(test, sync_write_and_leave(&bo->obj, 1, 0), 1);
	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm))
		ret = drm_shmem_sync_for_device(&reg->base.bound, &bo->obj, DMA_TO_DEVICE) ?:
		      drm_shmem_sync_range_for_device(&reg->base.bound, &bo->obj, 0, 4,
						      DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_FALSE(test, drm_shmem_has_sgt(&bo->obj));

	sync_map(test, &bo->obj);
	shmem_test_unbind(test);
	KUNIT_EXPECT_EQ(test, t->revoked, 1);
	KUNIT_EXPECT_EQ(test, sync_write_and_leave(&bo->obj, 1, 0), 1);
	KUNIT_EXPECT_EQ(test, sync_devices[0].tables, 0);
	KUNIT_EXPECT_EQ(test, sync_devices[0].pieces, 0);
}

static void with_the_proof(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo *bo;
	int ret = -1;

	sync_needed(test);
	bo = sync_bo(test);
	sync_cpu_write(test, &bo->obj, 1);
	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm)) {
		const struct drm_dev_ctx_bound *bound = &reg->base.bound;

		/* Neither sleeps nor takes the lock. */
		dma_resv_lock(drm_shmem_gem(&bo->obj)->resv, NULL);
		scoped_guard(preempt)
			ret = drm_shmem_sync_for_device(bound, &bo->obj, DMA_TO_DEVICE);
		dma_resv_unlock(drm_shmem_gem(&bo->obj)->resv);
		KUNIT_EXPECT_EQ(test, ret, 0);
		KUNIT_EXPECT_EQ(test, sync_word(0, 0), 1);
		*(u32 *)sync_devices[0].mem = 2;
		KUNIT_EXPECT_EQ(test, drm_shmem_sync_for_cpu(bound, &bo->obj, DMA_FROM_DEVICE), 0);
		KUNIT_EXPECT_EQ(test, sync_cpu_word(test, &bo->obj), 2);
	}
}

static void range_is_exact(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	const u64 from = PAGE_SIZE - 8, len = 16;
	struct test_bo *bo;
	u8 *mem;

	sync_needed(test);
	bo = sync_bo(test);
	mem = sync_devices[0].mem;
	memset(mem, 0x55, SYNC_SIZE);
	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm)) {
		const struct drm_dev_ctx_bound *bound = &reg->base.bound;

		KUNIT_EXPECT_EQ(test, drm_shmem_sync_range_for_device(bound, &bo->obj, from, len,
								      DMA_TO_DEVICE), 0);
		KUNIT_EXPECT_NULL(test, memchr_inv(mem + from, 0, len));
		KUNIT_EXPECT_NULL(test, memchr_inv(mem, 0x55, from));
		KUNIT_EXPECT_NULL(test, memchr_inv(mem + from + len, 0x55,
						   SYNC_SIZE - from - len));
		KUNIT_EXPECT_EQ(test, drm_shmem_sync_range_for_cpu(bound, &bo->obj, 4, 4,
								   DMA_FROM_DEVICE), 0);
		KUNIT_EXPECT_EQ(test, sync_cpu_word(test, &bo->obj), 0);
		KUNIT_EXPECT_EQ(test, drm_shmem_sync_range_for_cpu(bound, &bo->obj, 0, 4,
								   DMA_FROM_DEVICE), 0);
		KUNIT_EXPECT_EQ(test, sync_cpu_word(test, &bo->obj), 0x55555555);
		/* The last byte, all of it, and nothing */
		sync_devices[0].pieces = 0;
		KUNIT_EXPECT_EQ(test, drm_shmem_sync_range_for_cpu(bound, &bo->obj, SYNC_SIZE, 0,
								   DMA_FROM_DEVICE), 0);
		KUNIT_EXPECT_EQ(test, sync_devices[0].pieces, 0);
		KUNIT_EXPECT_EQ(test, drm_shmem_sync_range_for_device(bound, &bo->obj,
								      SYNC_SIZE - 1, 1,
								      DMA_TO_DEVICE), 0);
		KUNIT_EXPECT_EQ(test, sync_devices[0].pieces, 1);
		KUNIT_EXPECT_EQ(test, drm_shmem_sync_range_for_device(bound, &bo->obj, 0,
								      SYNC_SIZE, DMA_TO_DEVICE),
				0);
	}
	KUNIT_EXPECT_EQ(test, sync_devices[0].tables, 0);
}

static void range_outside(struct kunit *test)
{
	static const struct {
		u64 offset, len;
	} wrong[] = {
		{ SYNC_SIZE, 1 }, { 0, SYNC_SIZE + 1 }, { U64_MAX, 2 }, { 2, U64_MAX },
		{ U64_MAX, 0 }, { SYNC_SIZE - 1, 2 },
	};
	struct shmem_test *t = test->priv;
	struct test_bo *bo = sync_bo(test);

	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm))
		for (int i = 0; i < ARRAY_SIZE(wrong); i++)
			KUNIT_EXPECT_EQ(test,
					drm_shmem_sync_range_for_device(&reg->base.bound, &bo->obj,
									wrong[i].offset,
									wrong[i].len,
									DMA_TO_DEVICE),
					-EINVAL);
	KUNIT_EXPECT_EQ(test, sync_devices[0].pieces, 0);
}

/* Segments of the CPU and of the device that are not the same */
static struct sg_table *sync_table(struct kunit *test, int nr)
{
	struct sg_table *sgt = kunit_kzalloc(test, sizeof(*sgt), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, sgt);
	sgt->sgl = kunit_kcalloc(test, nr, sizeof(*sgt->sgl), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, sgt->sgl);
	sg_init_table(sgt->sgl, nr);
	sgt->orig_nents = nr;
	for (int i = 0; i < nr; i++)
		sgt->sgl[i].length = SZ_4K;
	return sgt;
}

static void sync_dma_segment(struct sg_table *sgt, dma_addr_t addr, unsigned int len)
{
	struct scatterlist *sg = &sgt->sgl[sgt->nents++];

	sg_dma_address(sg) = addr;
	sg_dma_len(sg) = len;
}

static void expect_piece(struct kunit *test, int nr, dma_addr_t addr, size_t len)
{
	KUNIT_EXPECT_EQ(test, sync_devices[0].piece[nr].addr, addr);
	KUNIT_EXPECT_EQ(test, sync_devices[0].piece[nr].len, len);
}

/* An IOMMU made one segment of pages from anywhere, or the device has shorter ones. */
static void merged_segments(struct kunit *test)
{
	struct sg_table *merged = sync_table(test, 3), *split = sync_table(test, 2);

	sync_devices[0].mem = NULL;
	/* Without an IOMMU, some kernels have one length for both. */
	if (IS_ENABLED(CONFIG_NEED_SG_DMA_LENGTH)) {
		sync_dma_segment(merged, 0x100000, SZ_4K * 3);
		drm_shmem_sync_pieces(sync_devices[0].dev, merged, 0x800, SZ_8K, DMA_TO_DEVICE,
				      true);
		KUNIT_EXPECT_EQ(test, sync_devices[0].pieces, 3);
		expect_piece(test, 0, 0x100800, 0x800);
		expect_piece(test, 1, 0x101000, SZ_4K);
		expect_piece(test, 2, 0x102000, 0x800);
	}

	sync_devices[0].pieces = 0;
	split->sgl[0].length = SZ_8K;
	split->orig_nents = 1;
	sync_dma_segment(split, 0x200000, SZ_4K);
	sync_dma_segment(split, 0x900000, SZ_4K);
	drm_shmem_sync_pieces(sync_devices[0].dev, split, SZ_4K - 4, 8, DMA_TO_DEVICE, true);
	KUNIT_EXPECT_EQ(test, sync_devices[0].pieces, 2);
	expect_piece(test, 0, 0x200ffc, 4);
	expect_piece(test, 1, 0x900000, 4);
}

static void wrong_device(struct kunit *test)
{
	struct drm_device *other =
		shmem_test_device(test, drm_safe_test_parent(test), &shmem_test_driver);
	struct test_bo *bo = sync_bo(test);

	drm_dev_ctx_guard(test_reg, reg, test_ctx(other)) {
		kunit_warning_suppress(test) {
			KUNIT_EXPECT_EQ(test, drm_shmem_sync_for_cpu(&reg->base.bound, &bo->obj,
								     DMA_FROM_DEVICE), -EINVAL);
			KUNIT_EXPECT_EQ(test, drm_shmem_sync_range_for_cpu(&reg->base.bound,
									   &bo->obj, 0, 4,
									   DMA_FROM_DEVICE),
					-EINVAL);
			EXPECT_BROKEN_TIMES(test, 2, "both are of one device");
		}
	}
	KUNIT_EXPECT_EQ(test, sync_devices[0].tables + sync_devices[0].pieces, 0);
}

/* Refused also on a device that needs nothing */
static void wrong_direction(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo *bo = sync_bo(test);
	enum dma_data_direction none = DMA_NONE;
	int ret = 0;

	OPTIMIZER_HIDE_VAR(none);
	drm_shmem_cpu_guard(&bo->obj, none, ret)
		KUNIT_FAIL(test, "the block was run");
	KUNIT_EXPECT_EQ(test, ret, -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_shmem_cpu_end(&bo->obj, none), -EINVAL);
	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm)) {
		KUNIT_EXPECT_EQ(test, drm_shmem_sync_for_device(&reg->base.bound, &bo->obj, none),
				-EINVAL);
		KUNIT_EXPECT_EQ(test, drm_shmem_sync_range_for_device(&reg->base.bound, &bo->obj,
								      0, 4, none), -EINVAL);
	}
}

static void wrong_lock(struct kunit *test)
{
	struct test_bo *bo;
	int ret = 0;

	if (!IS_ENABLED(CONFIG_PROVE_LOCKING))
		sync_needed(test);
	bo = sync_bo(test);
	dma_resv_lock(drm_shmem_gem(&bo->obj)->resv, NULL);
	kunit_warning_suppress(test) {
		drm_shmem_cpu_guard(&bo->obj, DMA_TO_DEVICE, ret)
			KUNIT_FAIL(test, "the block was run");
		KUNIT_EXPECT_EQ(test, ret, -EALREADY);
		KUNIT_EXPECT_EQ(test, drm_shmem_cpu_end(&bo->obj, DMA_TO_DEVICE), -EALREADY);
		EXPECT_BROKEN_TIMES(test, 2, "the reservation lock is taken once");
	}
	dma_resv_unlock(drm_shmem_gem(&bo->obj)->resv);
}

static void no_mapping(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct sync_page_owned own = {};
	struct drm_gem_shmem_object *plain;
	int ret = 0;

	drm_vmap_cpu_guard(&own, DMA_TO_DEVICE, ret)
		KUNIT_FAIL(test, "the block was run");
	KUNIT_EXPECT_EQ(test, ret, -EINVAL);

	/* Has no table of the library */
	plain = &shmem_test_bo(test, SZ_4K)->obj.base;
	ret = drm_vmap_own(&own, plain);
	KUNIT_ASSERT_EQ(test, ret, 0);
	drm_vmap_cpu_guard(&own, DMA_TO_DEVICE, ret)
		KUNIT_FAIL(test, "the block was run");
	KUNIT_EXPECT_EQ(test, ret, -EOPNOTSUPP);
	drm_vmap_release(&own);
	KUNIT_EXPECT_EQ(test, t->live, 1);
}

/* The memory of a resource needs no maintenance, and nothing may take that for a success. */
static void no_object(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct sync_page_res res = {};
	int ret = 0;

	drm_dev_ctx_or(test_reg, reg, test_ctx(t->drm), return);
	KUNIT_ASSERT_EQ(test, drm_dev_ctx_dma_alloc(&res, &reg->base.bound, SZ_4K), 0);
	{
		drm_dev_ctx_res_or(page, &res, &reg->base.bound,
				   KUNIT_FAIL(test, "no page"); return);
		drm_vmap_cpu_guard(page, DMA_TO_DEVICE, ret)
			KUNIT_FAIL(test, "the block was run");
		KUNIT_EXPECT_EQ(test, ret, -EOPNOTSUPP);
	}
	drm_dev_ctx_res_release(&res, &reg->base.bound);
}

/* The end of a use leaves a table that can be unmapped. */
static void table_is_counted(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct reclaim_bo *bo = shmem_test_reclaim_bo(test, SYNC_SIZE);
	int ret = -1;

	sync_map(test, &bo->obj);
	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm))
		ret = drm_shmem_sync_for_cpu(&reg->base.bound, &bo->obj, DMA_FROM_DEVICE) ?:
		      drm_shmem_sync_range_for_cpu(&reg->base.bound, &bo->obj, 0, 4,
						   DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.__table.__users), 1);
	KUNIT_EXPECT_EQ(test, drm_shmem_sgt_unmap(&bo->obj), 0);
	drm_shmem_put(&bo->obj);
}

/* The CPU's mappings have no cached lines, and no device here has a bounce buffer. */
static void write_combined(struct kunit *test)
{
	static const struct drm_shmem_opts opts = { .map_wc = true };
	struct shmem_test *t = test->priv;
	struct test_bo *bo = test_bo_new(t->drm, SYNC_SIZE, &opts);
	int ret = -1;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	KUNIT_ASSERT_EQ(test, dma_max_mapping_size(t->parent), SIZE_MAX);
	sync_map(test, &bo->obj);
	KUNIT_EXPECT_EQ(test, sync_write_and_leave(&bo->obj, 1, 0), 1);
	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm))
		ret = drm_shmem_sync_for_cpu(&reg->base.bound, &bo->obj, DMA_FROM_DEVICE) ?:
		      drm_shmem_sync_range_for_cpu(&reg->base.bound, &bo->obj, 0, 4,
						   DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, sync_devices[0].tables + sync_devices[0].pieces, 0);
	drm_shmem_put(&bo->obj);
}

/* A device that needs no maintenance is asked for none. */
static void coherent(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo *bo;
	int ret = -1;

	if (dma_dev_need_sync(t->parent))
		kunit_skip(test, "the device needs maintenance, or CONFIG_DMA_API_DEBUG is set");
	bo = sync_bo(test);
	KUNIT_EXPECT_EQ(test, sync_write_and_leave(&bo->obj, 1, 0), 1);
	/* It takes no lock, which another task may have. */
	KUNIT_EXPECT_FALSE(test, __drm_shmem_cpu_syncs(&bo->obj));
	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm))
		ret = drm_shmem_sync_for_cpu(&reg->base.bound, &bo->obj, DMA_FROM_DEVICE) ?:
		      drm_shmem_sync_range_for_cpu(&reg->base.bound, &bo->obj, 0, 4,
						   DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, sync_devices[0].tables + sync_devices[0].pieces, 0);
}

/* An exporter that counts the accesses to its memory */
struct sync_exporter {
	int begun, ended;
	int begin_ret, end_ret;
	int interrupts;		/* how many calls say that a signal came */
	enum dma_data_direction dir;
	void *mem;
};

static struct sg_table *sync_exporter_map(struct dma_buf_attachment *attach,
					  enum dma_data_direction dir)
{
	struct sync_exporter *e = attach->dmabuf->priv;
	struct sg_table *sgt = kzalloc_obj(*sgt);

	if (!sgt)
		return ERR_PTR(-ENOMEM);
	if (sg_alloc_table(sgt, 1, GFP_KERNEL)) {
		kfree(sgt);
		return ERR_PTR(-ENOMEM);
	}
	sg_set_buf(sgt->sgl, e->mem, SYNC_SIZE);
	sg_dma_address(sgt->sgl) = 0x1000;
	sg_dma_len(sgt->sgl) = SYNC_SIZE;
	return sgt;
}

static void sync_exporter_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
				enum dma_data_direction dir)
{
	sg_free_table(sgt);
	kfree(sgt);
}

static void sync_exporter_release(struct dma_buf *dmabuf)
{
}

static int sync_exporter_begin(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct sync_exporter *e = dmabuf->priv;

	if (e->interrupts) {
		e->interrupts--;
		return -ERESTARTSYS;
	}
	e->dir = dir;
	e->begun += !e->begin_ret;
	return e->begin_ret;
}

static int sync_exporter_end(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct sync_exporter *e = dmabuf->priv;

	e->dir = dir;
	e->ended++;
	return e->end_ret;
}

static const struct dma_buf_ops sync_exporter_ops = {
	.map_dma_buf = sync_exporter_map,
	.unmap_dma_buf = sync_exporter_unmap,
	.release = sync_exporter_release,
	.begin_cpu_access = sync_exporter_begin,
	.end_cpu_access = sync_exporter_end,
};

static struct test_bo *sync_import(struct kunit *test, struct sync_exporter *e)
{
	struct shmem_test *t = test->priv;
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;
	struct test_bo *bo;

	e->mem = kunit_kzalloc(test, SYNC_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, e->mem);
	info.ops = &sync_exporter_ops;
	info.size = SYNC_SIZE;
	info.flags = O_RDWR;
	info.priv = e;
	dmabuf = dma_buf_export(&info);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	bo = shmem_test_import(test, t->drm, dmabuf);
	/* The import keeps it. */
	dma_buf_put(dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	return bo;
}

static void sync_import_put(struct test_bo *bo)
{
	drm_shmem_put(&bo->obj);
	drm_shmem_flush_work();
}

/* The exporter is asked, and the table that it gave is left alone. */
static void import_asks_exporter(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct sync_exporter e = {};
	struct test_bo *bo = sync_import(test, &e);
	int ret = -1;

	sync_map(test, &bo->obj);
	drm_shmem_cpu_guard(&bo->obj, DMA_FROM_DEVICE, ret) {
		KUNIT_EXPECT_EQ(test, e.begun, 1);
		KUNIT_EXPECT_EQ(test, e.ended, 0);
		KUNIT_EXPECT_EQ(test, e.dir, DMA_FROM_DEVICE);
		e.dir = DMA_NONE;
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, e.ended, 1);
	KUNIT_EXPECT_EQ(test, e.dir, DMA_FROM_DEVICE);

	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm)) {
		KUNIT_EXPECT_EQ(test, drm_shmem_sync_for_device(&reg->base.bound, &bo->obj,
								DMA_TO_DEVICE), -EOPNOTSUPP);
		KUNIT_EXPECT_EQ(test, drm_shmem_sync_range_for_device(&reg->base.bound, &bo->obj,
								      0, 4, DMA_TO_DEVICE),
				-EOPNOTSUPP);
	}
	KUNIT_EXPECT_EQ(test, sync_devices[0].tables + sync_devices[0].pieces, 0);
	sync_import_put(bo);
}

static void import_is_refused(struct kunit *test)
{
	struct sync_exporter e = { .begin_ret = -EBUSY, .end_ret = -EIO };
	struct test_bo *bo = sync_import(test, &e);
	int ret = 0;

	drm_shmem_cpu_guard(&bo->obj, DMA_TO_DEVICE, ret)
		KUNIT_FAIL(test, "the block was run");
	KUNIT_EXPECT_EQ(test, ret, -EBUSY);
	KUNIT_EXPECT_EQ(test, e.ended, 0);
	KUNIT_EXPECT_EQ(test, drm_shmem_cpu_end(&bo->obj, DMA_TO_DEVICE), -EIO);
	KUNIT_EXPECT_EQ(test, e.ended, 1);
	sync_import_put(bo);
}

/* A signal does not keep the kernel from accessing an import. */
static void import_signal_is_pending(struct kunit *test)
{
	struct sync_exporter e = { .interrupts = 2 };
	struct test_bo *bo = sync_import(test, &e);
	int ret = -1;

	set_thread_flag(TIF_SIGPENDING);
	drm_shmem_cpu_guard(&bo->obj, DMA_TO_DEVICE, ret)
		KUNIT_EXPECT_EQ(test, e.begun, 1);
	KUNIT_EXPECT_EQ(test, ret, 0);

	/* It does if it kills the task. */
	e.interrupts = 1;
	sigaddset(&current->pending.signal, SIGKILL);
	KUNIT_EXPECT_EQ(test, drm_shmem_cpu_begin(&bo->obj, DMA_TO_DEVICE), -EINTR);
	sigdelset(&current->pending.signal, SIGKILL);
	clear_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_EQ(test, e.begun, 1);

	/* Without a signal, the error is the exporter's own, unless callers would misread it. */
	e.interrupts = 1;
	KUNIT_EXPECT_EQ(test, drm_shmem_cpu_begin(&bo->obj, DMA_TO_DEVICE), -ERESTARTSYS);
	e.begin_ret = -EDEADLK;
	KUNIT_EXPECT_EQ(test, drm_shmem_cpu_begin(&bo->obj, DMA_TO_DEVICE), -EAGAIN);
	sync_import_put(bo);
}

/* An unplug may wait for the section of a task that asks again and again. The end is needed. */
static void import_signal_after_unplug(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct sync_exporter e = { .interrupts = 1 };
	struct test_bo *bo = sync_import(test, &e);

	KUNIT_ASSERT_EQ(test, drm_dev_ctx_unregister(test_ctx(t->drm)), 0);
	set_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_EQ(test, drm_shmem_cpu_begin(&bo->obj, DMA_TO_DEVICE), -ENODEV);
	KUNIT_EXPECT_EQ(test, e.begun, 0);
	KUNIT_EXPECT_EQ(test, drm_shmem_cpu_begin(&bo->obj, DMA_TO_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, drm_shmem_cpu_end(&bo->obj, DMA_TO_DEVICE), 0);
	clear_thread_flag(TIF_SIGPENDING);
	sync_import_put(bo);
}

/* A task that exits can have a signal pending that does not kill it. It asks the exporter once. */
static void import_end_in_exit(struct kunit *test)
{
	struct sync_exporter e = { .end_ret = -EINTR };
	struct test_bo *bo = sync_import(test, &e);
	int ret;

	set_thread_flag(TIF_SIGPENDING);
	current->flags |= PF_EXITING;
	ret = drm_shmem_cpu_end(&bo->obj, DMA_TO_DEVICE);
	current->flags &= ~PF_EXITING;
	clear_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_EQ(test, ret, -EINTR);
	KUNIT_EXPECT_EQ(test, e.ended, 1);
	sync_import_put(bo);
}

static const char *sync_fence_name(struct dma_fence *fence)
{
	return "sync";
}

/* The task begins to wait, and is killed meanwhile. */
static bool sync_fence_kills(struct dma_fence *fence)
{
	sigaddset(&current->pending.signal, SIGKILL);
	set_thread_flag(TIF_SIGPENDING);
	return true;
}

static DEFINE_SPINLOCK(sync_fence_lock);

static const struct dma_fence_ops sync_fence_ops = {
	.get_driver_name = sync_fence_name,
	.get_timeline_name = sync_fence_name,
	.enable_signaling = sync_fence_kills,
};

/* A fence that is never signalled does not block a killed task, either. */
static void import_killed_in_fence(struct kunit *test)
{
	struct dma_fence *fence = kzalloc_obj(*fence);
	struct sync_exporter e = {};
	struct test_bo *bo = sync_import(test, &e);
	struct dma_resv *resv = drm_shmem_gem(&bo->obj)->resv;

	KUNIT_ASSERT_NOT_NULL(test, fence);
	dma_fence_init(fence, &sync_fence_ops, &sync_fence_lock, dma_fence_context_alloc(1), 1);
	dma_resv_lock(resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(resv, 1), 0);
	dma_resv_add_fence(resv, fence, DMA_RESV_USAGE_WRITE);
	dma_resv_unlock(resv);

	KUNIT_EXPECT_EQ(test, drm_shmem_cpu_begin(&bo->obj, DMA_FROM_DEVICE), -EINTR);
	KUNIT_EXPECT_TRUE(test, fatal_signal_pending(current));
	sigdelset(&current->pending.signal, SIGKILL);
	clear_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_EQ(test, e.begun, 0);

	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, drm_shmem_cpu_begin(&bo->obj, DMA_FROM_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, drm_shmem_cpu_end(&bo->obj, DMA_FROM_DEVICE), 0);
	dma_fence_put(fence);
	sync_import_put(bo);
}

/* A task that is killed waits for the lock of an object no longer, unless it ends an access. */
static void killed_in_lock(struct kunit *test)
{
	struct test_bo *bo = sync_bo(test);
	struct dma_buf *dmabuf = drm_shmem_export(&bo->obj, O_RDWR);
	struct shmem_test_holder *holder;

	/* With a dma-buf, an access may need maintenance on any device. */
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	holder = shmem_test_hold(test, drm_shmem_gem(&bo->obj)->resv);
	sigaddset(&current->pending.signal, SIGKILL);
	set_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_EQ(test, drm_shmem_cpu_begin(&bo->obj, DMA_BIDIRECTIONAL), -EINTR);
	sigdelset(&current->pending.signal, SIGKILL);
	clear_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_TRUE(test, shmem_test_leave(holder));

	KUNIT_EXPECT_EQ(test, drm_shmem_cpu_begin(&bo->obj, DMA_BIDIRECTIONAL), 0);
	sigaddset(&current->pending.signal, SIGKILL);
	set_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_EQ(test, drm_shmem_cpu_end(&bo->obj, DMA_BIDIRECTIONAL), 0);
	sigdelset(&current->pending.signal, SIGKILL);
	clear_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(drm_shmem_gem(&bo->obj)->resv));
	dma_buf_put(dmabuf);
}

/* Userspace's DMA_BUF_IOCTL_SYNC, and other importers, reach each device. */
static void export_serves_all(struct kunit *test)
{
	struct dma_buf_attachment *attach;
	struct sg_table *sgt, *second;
	struct dma_buf *dmabuf;
	struct test_bo *bo;

	sync_needed(test);
	bo = sync_bo(test);
	dmabuf = drm_shmem_export(&bo->obj, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	attach = dma_buf_attach(dmabuf, sync_devices[1].dev);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);

	/* A map makes the contents visible to the importer. */
	sync_cpu_write(test, &bo->obj, 1);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	KUNIT_EXPECT_EQ(test, sync_word(1, 0), 1);
	KUNIT_EXPECT_EQ(test, sync_word(0, 0), 0);

	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(dmabuf, DMA_TO_DEVICE), 0);
	sync_cpu_write(test, &bo->obj, 2);
	KUNIT_EXPECT_EQ(test, sync_word(1, 0), 1);
	KUNIT_EXPECT_EQ(test, dma_buf_end_cpu_access(dmabuf, DMA_TO_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, sync_word(0, 0), 2);
	KUNIT_EXPECT_EQ(test, sync_word(1, 0), 2);

	/* A table for reading needs no synchronisation of writes. */
	*(u32 *)sync_devices[1].mem = 3;
	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(dmabuf, DMA_BIDIRECTIONAL), 0);
	KUNIT_EXPECT_EQ(test, sync_cpu_word(test, &bo->obj), 2);
	KUNIT_EXPECT_EQ(test, dma_buf_end_cpu_access(dmabuf, DMA_BIDIRECTIONAL), 0);

	/* One attachment, mapped twice: each table counts, in whatever order they go. */
	second = dma_buf_map_attachment_unlocked(attach, DMA_FROM_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, second);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	*(u32 *)sync_devices[1].mem = 4;
	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, sync_cpu_word(test, &bo->obj), 4);
	KUNIT_EXPECT_EQ(test, dma_buf_end_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);

	/* The last write is not lost. */
	*(u32 *)sync_devices[1].mem = 5;
	dma_buf_unmap_attachment_unlocked(attach, second, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, sync_cpu_word(test, &bo->obj), 5);
	KUNIT_EXPECT_NULL(test, attach->priv);

	dma_buf_detach(dmabuf, attach);
	shmem_test_export_put(dmabuf);
}

/* A job of a device, which is done some time after a task has begun to wait for it */
struct sync_job {
	struct dma_fence base;
	struct work_struct work;
	unsigned int waits;
	u32 *result;
};

static void sync_job_fn(struct work_struct *work)
{
	struct sync_job *job = container_of(work, struct sync_job, work);

	*job->result = 77;
	dma_fence_signal(&job->base);
}

static bool sync_job_is_awaited(struct dma_fence *fence)
{
	schedule_work(&container_of(fence, struct sync_job, base)->work);
	return true;
}

static const struct dma_fence_ops sync_job_ops = {
	.get_driver_name = sync_fence_name,
	.get_timeline_name = sync_fence_name,
	.enable_signaling = sync_job_is_awaited,
};

/* A job that writes the memory of a dma-buf */
static struct sync_job *sync_job_new(struct kunit *test, struct dma_buf *dmabuf,
				     const struct dma_fence_ops *ops, void *result)
{
	struct sync_job *job = kzalloc_obj(*job);

	KUNIT_ASSERT_NOT_NULL(test, job);
	job->result = result;
	INIT_WORK(&job->work, sync_job_fn);
	dma_fence_init(&job->base, ops, &sync_fence_lock, dma_fence_context_alloc(1), 1);
	dma_resv_lock(dmabuf->resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(dmabuf->resv, 1), 0);
	dma_resv_add_fence(dmabuf->resv, &job->base, DMA_RESV_USAGE_WRITE);
	dma_resv_unlock(dmabuf->resv);
	return job;
}

/* The CPU sees the writes of a job that is still running when the access begins. */
static void export_waits_first(struct kunit *test)
{
	struct dma_buf_attachment *attach;
	struct dma_buf *dmabuf;
	struct sync_job *job;
	struct sg_table *sgt;
	struct test_bo *bo;

	sync_needed(test);
	bo = sync_bo(test);
	dmabuf = drm_shmem_export(&bo->obj, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	attach = dma_buf_attach(dmabuf, sync_devices[1].dev);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_FROM_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);

	job = sync_job_new(test, dmabuf, &sync_job_ops, sync_devices[1].mem);
	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, sync_cpu_word(test, &bo->obj), 77);
	KUNIT_EXPECT_EQ(test, dma_buf_end_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);
	flush_work(&job->work);
	dma_fence_put(&job->base);

	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_FROM_DEVICE);
	dma_buf_detach(dmabuf, attach);
	shmem_test_export_put(dmabuf);
}

/* A driver's own wait, which ends early, at first with an error */
static long sync_job_wait(struct dma_fence *fence, bool intr, long timeout)
{
	static const long results[] = { -ETIME, -EDEADLK, 0 };
	struct sync_job *job = container_of(fence, struct sync_job, base);

	if (job->waits < ARRAY_SIZE(results))
		return results[job->waits++];
	*job->result = 77;
	dma_fence_signal(fence);
	return 1;
}

static const struct dma_fence_ops sync_job_wait_ops = {
	.get_driver_name = sync_fence_name,
	.get_timeline_name = sync_fence_name,
	.wait = sync_job_wait,
};

/* A wait that fails does not mean that the job is done. */
static void export_waits_to_the_end(struct kunit *test)
{
	struct dma_buf *dmabuf;
	struct sync_job *job;
	struct test_bo *bo;

	sync_needed(test);
	bo = sync_bo(test);
	dmabuf = drm_shmem_export(&bo->obj, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	job = sync_job_new(test, dmabuf, &sync_job_wait_ops, sync_devices[0].mem);
	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, sync_cpu_word(test, &bo->obj), 77);
	KUNIT_EXPECT_EQ(test, job->waits, 3);
	KUNIT_EXPECT_EQ(test, dma_buf_end_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);
	dma_fence_put(&job->base);
	shmem_test_export_put(dmabuf);
}

static const struct dma_fence_ops sync_client_ops = {
	.get_driver_name = sync_fence_name,
	.get_timeline_name = sync_fence_name,
};

/* The next job of a client. The reservation object knows the last one only. */
static struct dma_fence *sync_client_job(struct kunit *test, struct dma_resv *resv, u64 context,
					 u64 seqno)
{
	struct dma_fence *fence = kzalloc_obj(*fence);

	KUNIT_ASSERT_NOT_NULL(test, fence);
	dma_fence_init(fence, &sync_client_ops, &sync_fence_lock, context, seqno);
	dma_resv_lock(resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(resv, 1), 0);
	dma_resv_add_fence(resv, fence, DMA_RESV_USAGE_WRITE);
	dma_resv_unlock(resv);
	return fence;
}

struct sync_access {
	struct work_struct work;
	struct completion begun;
	struct dma_buf *dmabuf;
	int ret;
};

static void sync_access_fn(struct work_struct *work)
{
	struct sync_access *access = container_of(work, struct sync_access, work);

	access->ret = access->dmabuf->ops->begin_cpu_access(access->dmabuf, DMA_FROM_DEVICE);
	complete(&access->begun);
}

/* A client that has a next job before each one ends does not delay an access for ever. */
static void export_waits_once(struct kunit *test)
{
	struct sync_access *access = kunit_kzalloc(test, sizeof(*access), GFP_KERNEL);
	const u64 context = dma_fence_context_alloc(1);
	struct dma_fence *job, *next;
	struct test_bo *bo = sync_bo(test);

	KUNIT_ASSERT_NOT_NULL(test, access);
	access->dmabuf = drm_shmem_export(&bo->obj, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, access->dmabuf);
	INIT_WORK(&access->work, sync_access_fn);
	init_completion(&access->begun);

	job = sync_client_job(test, access->dmabuf->resv, context, 1);
	drm_safe_test_work_waits(test, &access->work,
				 test_bit(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT, &job->flags));
	next = sync_client_job(test, access->dmabuf->resv, context, 2);
	/* The wait can end in parts, in order to look whether the task was killed. */
	KUNIT_EXPECT_EQ(test, wait_for_completion_timeout(&access->begun, HZ / 2), 0);
	dma_fence_signal(job);
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&access->begun, 5 * HZ), 0);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(next));
	dma_fence_signal(next);
	flush_work(&access->work);
	KUNIT_EXPECT_EQ(test, access->ret, 0);
	dma_fence_put(job);
	dma_fence_put(next);
	shmem_test_export_put(access->dmabuf);
}

static bool sync_lock_waits(struct drm_gem_object *gem)
{
	return drm_safe_test_lock_waits(&gem->resv->lock.base);
}

static void sync_kill(bool kill)
{
	if (kill) {
		sigaddset(&current->pending.signal, SIGKILL);
		set_thread_flag(TIF_SIGPENDING);
	} else {
		sigdelset(&current->pending.signal, SIGKILL);
		clear_thread_flag(TIF_SIGPENDING);
	}
}

/* A killed client does not wait to end its access, and a work item ends it. */
static void killed_in_end(struct kunit *test)
{
	struct test_bo *bo = sync_bo(test);
	struct drm_gem_object *gem = drm_shmem_gem(&bo->obj);
	struct dma_buf *dmabuf = drm_shmem_export(&bo->obj, O_RDWR);
	struct shmem_test_holder *holder = shmem_test_hold(test, gem->resv);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	sync_kill(true);
	KUNIT_EXPECT_EQ(test, dma_buf_end_cpu_access(dmabuf, DMA_TO_DEVICE), -EINTR);
	sync_kill(false);
	for (int i = 0; i < 30 * HZ && !sync_lock_waits(gem); i++)
		schedule_timeout_idle(1);
	KUNIT_EXPECT_TRUE(test, sync_lock_waits(gem));
	KUNIT_EXPECT_EQ(test, kref_read(&gem->refcount), 3);
	KUNIT_EXPECT_TRUE(test, shmem_test_leave(holder));
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, kref_read(&gem->refcount), 2);
	shmem_test_export_put(dmabuf);
}

/* The kernel goes on after the end of its access, so a killed task waits for that. */
static void killed_in_block(struct kunit *test)
{
	struct shmem_test_holder *holder = NULL;
	struct drm_gem_object *gem;
	struct test_bo *bo;
	int ret;

	sync_needed(test);
	bo = sync_bo(test);
	gem = drm_shmem_gem(&bo->obj);
	drm_vmap_sync_guard(sync_page, map, &bo->obj, DMA_TO_DEVICE, ret) {
		drm_vmap_write32(map, 0, 6);
		holder = shmem_test_hold_for(test, gem->resv, HZ / 10);
		sync_kill(true);
	}
	KUNIT_EXPECT_EQ(test, sync_word(0, 0), 6);
	sync_kill(false);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_FALSE(test, shmem_test_leave(holder));
}

/* A signal ends the wait for the mapping, on a coherent device, too, and nothing is left. */
static void sync_interrupted(struct kunit *test)
{
	struct test_bo *bo = shmem_test_bo(test, SZ_4K);
	struct shmem_test_holder *holder = shmem_test_hold(test, drm_shmem_gem(&bo->obj)->resv);
	int ret;

	sync_kill(true);
	drm_vmap_sync_guard_interruptible(sync_page, map, &bo->obj, DMA_TO_DEVICE, ret)
		KUNIT_FAIL(test, "in the block");
	sync_kill(false);
	KUNIT_EXPECT_EQ(test, ret, -EINTR);
	KUNIT_EXPECT_TRUE(test, shmem_test_leave(holder));
	KUNIT_EXPECT_FALSE(test, drm_shmem_has_vmap(&bo->obj));
	drm_vmap_sync_guard_interruptible(sync_page, map, &bo->obj, DMA_TO_DEVICE, ret)
		drm_vmap_write32(map, 0, 7);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, sync_cpu_word(test, &bo->obj), 7);
}

/* Each dma-buf of an object has devices, however many there are. */
static void exports_many(struct kunit *test)
{
	struct dma_buf_attachment *attach;
	struct dma_buf *dmabuf[6];
	struct sg_table *sgt;
	struct test_bo *bo;

	sync_needed(test);
	bo = sync_bo(test);
	for (int i = 0; i < ARRAY_SIZE(dmabuf); i++) {
		dmabuf[i] = drm_shmem_export(&bo->obj, O_RDWR);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf[i]);
	}
	for (int i = 0; i < ARRAY_SIZE(dmabuf); i++) {
		attach = dma_buf_attach(dmabuf[i], sync_devices[1].dev);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
		sgt = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
		KUNIT_EXPECT_EQ(test, sync_write_and_leave(&bo->obj, i + 1, 0), 1);
		KUNIT_EXPECT_EQ(test, sync_word(1, 0), i + 1);
		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);
		dma_buf_detach(dmabuf[i], attach);
	}
	for (int i = 0; i < ARRAY_SIZE(dmabuf); i++)
		shmem_test_export_put(dmabuf[i]);
	KUNIT_EXPECT_EQ(test, atomic_read(&bo->obj.__dma_bufs), 0);
	KUNIT_EXPECT_EQ(test, kref_read(&drm_shmem_gem(&bo->obj)->refcount), 1);
}

/* A block of the kernel reaches the importers of an object that has a handle. */
static void block_serves_importers(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct dma_buf_attachment *attach;
	struct dma_buf *dmabuf;
	struct sg_table *sgt;
	struct test_bo *bo;
	u32 handle;

	sync_needed(test);
	bo = sync_bo(test);
	KUNIT_ASSERT_EQ(test, drm_shmem_handle_create(&bo->obj, t->file, &handle), 0);
	dmabuf = drm_gem_prime_handle_to_dmabuf(t->drm, t->file, handle, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	attach = dma_buf_attach(dmabuf, sync_devices[1].dev);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);

	KUNIT_EXPECT_EQ(test, sync_write_and_leave(&bo->obj, 7, 0), 1);
	KUNIT_EXPECT_EQ(test, sync_word(0, 0), 7);
	KUNIT_EXPECT_EQ(test, sync_word(1, 0), 7);

	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);
	dma_buf_detach(dmabuf, attach);
	KUNIT_EXPECT_EQ(test, drm_gem_handle_delete(t->file, handle), 0);
	shmem_test_export_put(dmabuf);
}

static int sync_export_map_fn(struct kunit *test, void *ctx)
{
	struct dma_buf_attachment *attach = ctx;
	struct sg_table *sgt = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);

	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);
	return 0;
}

static void export_map_fails(struct kunit *test)
{
	struct dma_buf_attachment *attach;
	struct dma_buf *dmabuf;
	struct test_bo *bo;

	if (!IS_ENABLED(CONFIG_FAULT_INJECTION_DEBUG_FS))
		kunit_skip(test, "needs CONFIG_FAULT_INJECTION_DEBUG_FS");
	bo = shmem_test_bo(test, SYNC_SIZE);
	dmabuf = drm_shmem_export(&bo->obj, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	attach = dma_buf_attach(dmabuf, sync_devices[1].dev);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_EXPECT_GE(test, drm_safe_fail_nth(test, sync_export_map_fn, attach), 2);
	KUNIT_EXPECT_NULL(test, attach->priv);
	dma_buf_detach(dmabuf, attach);
	shmem_test_export_put(dmabuf);
}

/* A domain keeps addresses, and so takes a handle that owns the table. */
static void domain_map(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_shmem_sgt_owned own = {};
	struct sync_exporter e = {};
	struct test_bo *import = sync_import(test, &e);
	ssize_t ret = 0;

	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm)) {
		const struct drm_dev_ctx_bound *bound = &reg->base.bound;

		ret = drm_shmem_sgt_iommu_map(bound, &own, NULL, 0, IOMMU_READ);
		KUNIT_EXPECT_EQ(test, ret, -EINVAL);
		KUNIT_EXPECT_EQ(test, drm_shmem_sgt_own(&own, bound, &import->obj), 0);
		ret = drm_shmem_sgt_iommu_map(bound, &own, NULL, 0, IOMMU_READ);
	}
	KUNIT_EXPECT_EQ(test, ret, -EOPNOTSUPP);
	drm_shmem_sgt_release(&own);
	sync_import_put(import);
}

static struct kunit_case drm_shmem_sync_cases[] = {
	KUNIT_CASE(write_is_visible),
	KUNIT_CASE(read_is_current),
	KUNIT_CASE(owned_and_object),
	KUNIT_CASE(no_table),
	KUNIT_CASE(with_the_proof),
	KUNIT_CASE(range_is_exact),
	KUNIT_CASE(range_outside),
	KUNIT_CASE(merged_segments),
	KUNIT_CASE(wrong_device),
	KUNIT_CASE(wrong_direction),
	KUNIT_CASE(wrong_lock),
	KUNIT_CASE(no_mapping),
	KUNIT_CASE(no_object),
	KUNIT_CASE(table_is_counted),
	KUNIT_CASE(write_combined),
	KUNIT_CASE(coherent),
	KUNIT_CASE(import_asks_exporter),
	KUNIT_CASE(import_is_refused),
	KUNIT_CASE(import_signal_is_pending),
	KUNIT_CASE(import_signal_after_unplug),
	KUNIT_CASE(import_end_in_exit),
	KUNIT_CASE(import_killed_in_fence),
	KUNIT_CASE(killed_in_lock),
	KUNIT_CASE(export_serves_all),
	KUNIT_CASE(export_waits_first),
	KUNIT_CASE(export_waits_to_the_end),
	KUNIT_CASE(killed_in_end),
	KUNIT_CASE(killed_in_block),
	KUNIT_CASE(sync_interrupted),
	KUNIT_CASE(export_waits_once),
	KUNIT_CASE(exports_many),
	KUNIT_CASE(block_serves_importers),
	KUNIT_CASE(export_map_fails),
	KUNIT_CASE(domain_map),
	{}
};

static struct kunit_suite drm_shmem_sync_suite = {
	.name = "drm_shmem_sync",
	.init = sync_test_init,
	.test_cases = drm_shmem_sync_cases,
};

kunit_test_suite(drm_shmem_sync_suite);
