// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The reach of a device, and huge pages: drm_shmem_device.c
 */

#include <kunit/static_stub.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/fcntl.h>
#include <linux/huge_mm.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sizes.h>

#include "drm_shmem_internal.h"
#include "drm_shmem_test.h"

/* A type for registers of 32 bits */
struct low_bo {
	struct drm_shmem_obj obj;
};

DRM_SHMEM_OBJ_TYPE(low_bo_type, struct low_bo, obj, struct low_bo_unique);

const struct low_bo_type low_bo_type = {
	DRM_SHMEM_OBJ_FUNCS,
	.base.flags = DRM_SHMEM_RECLAIM | DRM_SHMEM_DMA32,
};

static bool opts_has_dma32(void)
{
	return true;
}

static size_t opts_max_mapping(struct device *dev)
{
	return SZ_256K;
}

static bool opts_is_limited(struct device *dev)
{
	return true;
}

/* A device in its probe function. The parent has a limit of segments, as one on PCI. */
static struct drm_dev_ctx_unreg *opts_unreg(struct kunit *test, struct device **parent)
{
	struct device_dma_parameters *parms = kunit_kzalloc(test, sizeof(*parms), GFP_KERNEL);
	struct drm_dev_ctx_unreg *unreg;

	KUNIT_ASSERT_NOT_NULL(test, parms);
	*parent = drm_safe_test_parent(test);
	(*parent)->dma_parms = parms;
	unreg = drm_dev_ctx_alloc(*parent, &shmem_test_driver, struct test_dev, ctx);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unreg);
	test_dev(drm_dev_ctx_unreg_drm(unreg))->test = test->priv;
	return unreg;
}

static unsigned int opts_longest(const struct drm_dev_ctx_bound *bound, struct drm_shmem_obj *obj,
				 int *err)
{
	unsigned int longest = 0;
	struct scatterlist *sg;
	int i;

	drm_shmem_sgt_guard(sgt, bound, obj, *err)
		for_each_sgtable_dma_sg(drm_shmem_sgt_table(sgt), sg, i)
			longest = max(longest, sg_dma_len(sg));
	return longest;
}

/* The same for the table that an importer gets */
static unsigned int opts_longest_import(struct drm_shmem_obj *obj, int *err)
{
	struct drm_gem_object *gem = drm_shmem_gem(obj);
	unsigned int longest = 0;
	struct scatterlist *sg;
	struct sg_table *sgt;
	int i;

	*err = drm_shmem_pin(obj);
	if (*err)
		return 0;
	sgt = gem->funcs->get_sg_table(gem);
	drm_shmem_unpin(obj);
	*err = PTR_ERR_OR_ZERO(sgt);
	if (*err)
		return 0;
	for_each_sgtable_sg(sgt, sg, i)
		longest = max(longest, sg->length);
	sg_free_table(sgt);
	kfree(sgt);
	return longest;
}

static void said_once(struct kunit *test)
{
	static const struct drm_shmem_device_opts none, opts = {
		.dma_mask = DMA_BIT_MASK(40),
		.max_segment = SZ_2M,
	};
	static const struct drm_shmem_device_opts small = { .max_segment = 512 };
	struct drm_dev_ctx_unreg *unreg;
	struct device *parent;

	unreg = opts_unreg(test, &parent);
	KUNIT_EXPECT_EQ(test, drm_shmem_set_device_opts(unreg, &opts), 0);
	KUNIT_EXPECT_EQ(test, dma_get_mask(parent), DMA_BIT_MASK(40));
	KUNIT_EXPECT_EQ(test, parent->coherent_dma_mask, DMA_BIT_MASK(40));
	KUNIT_EXPECT_EQ(test, dma_get_max_seg_size(parent), SZ_2M);
	/* Options that are not set stay. */
	KUNIT_EXPECT_EQ(test, drm_shmem_set_device_opts(unreg, &none), 0);
	KUNIT_EXPECT_EQ(test, dma_get_mask(parent), DMA_BIT_MASK(40));
	KUNIT_EXPECT_EQ(test, dma_get_max_seg_size(parent), SZ_2M);
	KUNIT_EXPECT_EQ(test, drm_shmem_set_device_opts(unreg, &small), 0);
	KUNIT_EXPECT_EQ(test, dma_get_max_seg_size(parent), PAGE_SIZE);
	parent->dma_parms = NULL;
}

/* With a device other than the parent */
static void of_dma_device(struct kunit *test)
{
	struct drm_shmem_device_opts opts = {
		.dma_dev = drm_safe_test_parent(test),
		.dma_mask = DMA_BIT_MASK(40),
		.max_segment = SZ_2M,
	};
	struct drm_dev_ctx_unreg *unreg;
	struct device *parent;

	unreg = opts_unreg(test, &parent);
	/* A bus that has no room for a limit */
	KUNIT_EXPECT_NULL(test, opts.dma_dev->dma_parms);
	KUNIT_EXPECT_EQ(test, drm_shmem_set_device_opts(unreg, &opts), 0);
	KUNIT_EXPECT_PTR_EQ(test, drm_dev_dma_dev(drm_dev_ctx_unreg_drm(unreg)), opts.dma_dev);
	KUNIT_EXPECT_EQ(test, dma_get_mask(opts.dma_dev), DMA_BIT_MASK(40));
	KUNIT_EXPECT_EQ(test, dma_get_mask(parent), DMA_BIT_MASK(64));
	KUNIT_EXPECT_EQ(test, parent->dma_parms->max_segment_size, 0);
	parent->dma_parms = NULL;
}

/* A limit that nothing would keep is refused, with nothing changed. */
static void impossible_segment(struct kunit *test)
{
	struct drm_shmem_device_opts opts = {
		.dma_dev = drm_safe_test_parent(test),
		.dma_mask = DMA_BIT_MASK(40),
		.max_segment = SZ_8K,
	};
	struct device_dma_parameters parms = {};
	struct drm_dev_ctx_unreg *unreg;
	struct device *parent;

	unreg = opts_unreg(test, &parent);
	KUNIT_EXPECT_EQ(test, drm_shmem_set_device_opts(unreg, &opts), -EOPNOTSUPP);
	KUNIT_EXPECT_PTR_EQ(test, drm_dev_dma_dev(drm_dev_ctx_unreg_drm(unreg)), parent);
	KUNIT_EXPECT_EQ(test, dma_get_mask(opts.dma_dev), DMA_BIT_MASK(64));
	/* A driver may give the device such parameters. */
	opts.dma_dev->dma_parms = &parms;
	KUNIT_EXPECT_EQ(test, drm_shmem_set_device_opts(unreg, &opts), 0);
	KUNIT_EXPECT_EQ(test, dma_get_max_seg_size(opts.dma_dev), max(SZ_8K, PAGE_SIZE));
	opts.dma_dev->dma_parms = NULL;
	parent->dma_parms = NULL;
}

static void impossible_mask(struct kunit *test)
{
	struct drm_shmem_device_opts opts = {
		.dma_dev = drm_safe_test_parent(test),
		.dma_mask = DMA_BIT_MASK(40),
		.max_segment = SZ_2M,
	};
	struct drm_dev_ctx_unreg *unreg;
	struct device *parent;

	unreg = opts_unreg(test, &parent);
	opts.dma_dev->dma_mask = NULL;
	KUNIT_EXPECT_EQ(test, drm_shmem_set_device_opts(unreg, &opts), -EIO);
	KUNIT_EXPECT_PTR_EQ(test, drm_dev_dma_dev(drm_dev_ctx_unreg_drm(unreg)), parent);
	parent->dma_parms = NULL;
}

/* Not said, a segment has 64 KiB at most, as for the rest of the kernel. */
static void segments(struct kunit *test)
{
	static const struct drm_shmem_device_opts opts = { .max_segment = SZ_8K };
	struct drm_dev_ctx_unreg *unreg;
	struct test_bo *bos[2];
	struct device *parent;
	int ret = -1;

	unreg = opts_unreg(test, &parent);
	for (int i = 0; i < ARRAY_SIZE(bos); i++) {
		bos[i] = test_bo_new(drm_dev_ctx_unreg_drm(unreg), SZ_512K, NULL);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bos[i]);
	}
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_LE(test, opts_longest(&unreg->bound, &bos[0]->obj, &ret), SZ_64K);
		KUNIT_EXPECT_EQ(test, ret, 0);
		KUNIT_EXPECT_EQ(test, drm_shmem_set_device_opts(unreg, &opts), 0);
		KUNIT_EXPECT_LE(test, opts_longest(&unreg->bound, &bos[1]->obj, &ret),
				max(SZ_8K, PAGE_SIZE));
		KUNIT_EXPECT_EQ(test, ret, 0);
		KUNIT_EXPECT_LE(test, opts_longest_import(&bos[1]->obj, &ret),
				max(SZ_8K, PAGE_SIZE));
		KUNIT_EXPECT_EQ(test, ret, 0);
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 0);
	}
	for (int i = 0; i < ARRAY_SIZE(bos); i++)
		drm_shmem_put(&bos[i]->obj);
	parent->dma_parms = NULL;
}

static void longest_segment(struct kunit *test)
{
	struct device *parent = drm_safe_test_parent(test);
	struct device_dma_parameters parms = {};

	/* A bus without such parameters uses the defaults of the DMA API. */
	KUNIT_EXPECT_EQ(test, __drm_dev_ctx_dma_max_segment(parent), max(SZ_64K, PAGE_SIZE));
	parent->dma_parms = &parms;
	KUNIT_EXPECT_EQ(test, __drm_dev_ctx_dma_max_segment(parent), max(SZ_64K, PAGE_SIZE));
	dma_set_max_seg_size(parent, SZ_2M);
	KUNIT_EXPECT_EQ(test, __drm_dev_ctx_dma_max_segment(parent), SZ_2M);
	kunit_activate_static_stub(test, drm_dev_ctx_dma_max_mapping, opts_max_mapping);
	KUNIT_EXPECT_EQ(test, __drm_dev_ctx_dma_max_segment(parent), SZ_256K);
	kunit_deactivate_static_stub(test, drm_dev_ctx_dma_max_mapping);
	dma_set_max_seg_size(parent, 512);
	KUNIT_EXPECT_EQ(test, __drm_dev_ctx_dma_max_segment(parent), PAGE_SIZE);
	parent->dma_parms = NULL;
}

/* The last device whose limits were read, and the number of reads */
static struct device *opts_asked;
static unsigned int opts_asks;

static size_t opts_max_mapping_asked(struct device *dev)
{
	opts_asked = dev;
	opts_asks++;
	return SIZE_MAX;
}

static bool opts_is_limited_asked(struct device *dev)
{
	opts_asks++;
	return false;
}

/* An importer gets segments that its own device takes. */
static void segments_of_importer(struct kunit *test)
{
	struct device *importer = drm_safe_test_parent(test);
	struct test_bo *bo = shmem_test_bo(test, SZ_512K);
	struct dma_buf *dmabuf = drm_shmem_export(&bo->obj, O_RDWR);
	struct device_dma_parameters parms = {};
	struct dma_buf_attachment *attach;
	struct scatterlist *sg;
	struct sg_table *sgt;
	int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	importer->dma_parms = &parms;
	dma_set_max_seg_size(importer, SZ_4K);
	attach = dma_buf_attach(dmabuf, importer);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	kunit_activate_static_stub(test, drm_dev_ctx_dma_max_mapping, opts_max_mapping_asked);
	opts_asked = NULL;
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	kunit_deactivate_static_stub(test, drm_dev_ctx_dma_max_mapping);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	KUNIT_EXPECT_PTR_EQ(test, opts_asked, importer);
	for_each_sgtable_sg(sgt, sg, i)
		KUNIT_EXPECT_LE(test, sg->length, max(SZ_4K, PAGE_SIZE));
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);
	dma_buf_detach(dmabuf, attach);
	importer->dma_parms = NULL;
	shmem_test_export_put(dmabuf);
}

/* Once the parent is unbound, no call asks its bus about DMA. */
static void unbound(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo *bo;
	int ret = -1;

	shmem_test_unbind(test);
	kunit_activate_static_stub(test, drm_shmem_has_dma32, opts_has_dma32);
	kunit_activate_static_stub(test, drm_dev_ctx_dma_is_limited, opts_is_limited_asked);
	kunit_activate_static_stub(test, drm_dev_ctx_dma_max_mapping, opts_max_mapping_asked);
	opts_asks = 0;
	bo = test_bo_new(t->drm, SZ_8K, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	KUNIT_EXPECT_EQ(test, opts_asks, 0);
	KUNIT_EXPECT_LE(test, opts_longest_import(&bo->obj, &ret), max(SZ_64K, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, opts_asks, 0);
	drm_shmem_put(&bo->obj);
}

static int opts_map(const struct drm_dev_ctx_bound *bound, struct drm_shmem_obj *obj)
{
	int ret;

	drm_shmem_sgt_or(sgt, bound, obj, ret, return ret);
	return 0;
}

/* With a table, the DMA device stays. */
static void dma_device_stays(struct kunit *test)
{
	struct drm_shmem_device_opts opts = {
		.dma_dev = drm_safe_test_parent(test),
		.dma_mask = DMA_BIT_MASK(40),
	};
	struct drm_dev_ctx_unreg *unreg;
	struct test_bo *bo, *second;
	struct device *parent;
	struct drm_device *drm;

	unreg = opts_unreg(test, &parent);
	drm = drm_dev_ctx_unreg_drm(unreg);
	bo = test_bo_new(drm, SZ_8K, NULL);
	second = test_bo_new(drm, SZ_8K, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, second);
	KUNIT_ASSERT_EQ(test, opts_map(&unreg->bound, &bo->obj), 0);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, drm_shmem_set_device_opts(unreg, &opts), -EBUSY);
		EXPECT_BROKEN(test, "a DMA device is set before the first sg table");
	}
	KUNIT_EXPECT_PTR_EQ(test, drm_dev_dma_dev(drm), parent);
	KUNIT_EXPECT_EQ(test, dma_get_mask(opts.dma_dev), DMA_BIT_MASK(64));
	/* It is the same device, and may be named. */
	opts.dma_dev = parent;
	KUNIT_EXPECT_EQ(test, drm_shmem_set_device_opts(unreg, &opts), 0);

	/* Behind the back of the library. The table is unmapped for the device that it is for. */
	drm_dev_set_dma_dev(drm, drm_safe_test_parent(test));
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, opts_map(&unreg->bound, &second->obj), -EINVAL);
		KUNIT_EXPECT_EQ(test, drm_dev_ctx_register(parent, &unreg, NULL, NULL), -EINVAL);
		EXPECT_BROKEN(test, "a DMA device is set before the first sg table",
			      "a DMA device is set before the first sg table");
	}
	drm_shmem_put(&bo->obj);
	drm_shmem_put(&second->obj);
	parent->dma_parms = NULL;
}

static gfp_t opts_gfp(struct drm_shmem_obj *obj)
{
	return mapping_gfp_mask(drm_shmem_gem(obj)->filp->f_mapping);
}

/* Pages are where they are reached, and come back there. */
static void below_4g(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct low_bo_unique *low = drm_shmem_create(&low_bo_type, t->drm, SZ_8K, NULL);
	struct test_bo *any = shmem_test_bo(test, SZ_8K), *limited;
	const gfp_t usual = opts_gfp(&any->obj);
	const gfp_t below = (usual & ~__GFP_HIGHMEM) | __GFP_DMA32;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, low);
	if (!IS_ENABLED(CONFIG_ZONE_DMA32))
		KUNIT_EXPECT_TRUE(test, opts_gfp((struct drm_shmem_obj *)low) == usual);
	drm_shmem_put((struct drm_shmem_obj *)low);

	kunit_activate_static_stub(test, drm_shmem_has_dma32, opts_has_dma32);
	low = drm_shmem_create(&low_bo_type, t->drm, SZ_8K, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, low);
	KUNIT_EXPECT_TRUE(test, opts_gfp((struct drm_shmem_obj *)low) == below);
	KUNIT_EXPECT_TRUE(test, ((struct drm_shmem_obj *)low)->__flags & __DRM_SHMEM_RECLAIM);
	KUNIT_EXPECT_FALSE(test, ((struct drm_shmem_obj *)low)->__flags & __DRM_SHMEM_LRU);
	drm_shmem_put((struct drm_shmem_obj *)low);

	/* The device of another registration */
	kunit_activate_static_stub(test, drm_dev_ctx_dma_is_limited, opts_is_limited);
	limited = test_bo_new(shmem_test_device(test, drm_safe_test_parent(test),
						&shmem_test_driver), SZ_8K, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, limited);
	KUNIT_EXPECT_TRUE(test, opts_gfp(&limited->obj) == below);
	KUNIT_ASSERT_EQ(test, drm_shmem_pin(&limited->obj), 0);
	drm_shmem_unpin(&limited->obj);
	drm_shmem_put(&limited->obj);
}

/* The machine's answers: 64 bits reach all memory, and without DMA a device reaches none. */
static void limits_of_machine(struct kunit *test)
{
	struct device *parent = drm_safe_test_parent(test);
	u64 *mask = parent->dma_mask;

	KUNIT_EXPECT_FALSE(test, drm_dev_ctx_dma_is_limited(parent));
	KUNIT_ASSERT_EQ(test, dma_set_mask(parent, DMA_BIT_MASK(64)), 0);
	KUNIT_EXPECT_FALSE(test, drm_dev_ctx_dma_is_limited(parent));
	parent->dma_mask = NULL;
	KUNIT_EXPECT_FALSE(test, drm_dev_ctx_dma_is_limited(parent));
	parent->dma_mask = mask;
}

static void huge_pages(struct kunit *test)
{
	static const struct drm_shmem_device_opts opts = {
		.max_segment = UINT_MAX,
		.huge_pages = true,
	};
	struct drm_dev_ctx_unreg *unreg;
	struct device *parent;
	struct drm_device *drm;
	struct test_bo *bo;
	struct page *page;
	int ret = -1;

	unreg = opts_unreg(test, &parent);
	drm = drm_dev_ctx_unreg_drm(unreg);
	KUNIT_EXPECT_EQ(test, drm_shmem_set_device_opts(unreg, &opts), 0);
	/* A second time is no mistake. */
	KUNIT_EXPECT_EQ(test, drm_shmem_set_device_opts(unreg, &opts), 0);
	if (!IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE) || !has_transparent_hugepage()) {
		parent->dma_parms = NULL;
		kunit_skip(test, "needs CONFIG_TRANSPARENT_HUGEPAGE and huge pages");
	}
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, drm_gem_get_huge_mnt(drm));
	bo = test_bo_new(drm, 2 * HPAGE_PMD_SIZE, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);

	/* One entry of the table for each huge page, at least */
	KUNIT_EXPECT_GE(test, opts_longest(&unreg->bound, &bo->obj, &ret), HPAGE_PMD_SIZE);
	KUNIT_EXPECT_EQ(test, ret, 0);
	page = bo->obj.base.pages[0];
	KUNIT_EXPECT_TRUE(test, folio_test_pmd_mappable(page_folio(page)));
	KUNIT_EXPECT_PTR_EQ(test, bo->obj.base.pages[HPAGE_PMD_NR - 1], page + HPAGE_PMD_NR - 1);
	drm_shmem_put(&bo->obj);
	parent->dma_parms = NULL;
}

static int huge_fails_fn(struct kunit *test, void *ctx)
{
	static const struct drm_shmem_device_opts opts = { .huge_pages = true };
	struct device *parent = ctx;
	struct drm_dev_ctx_unreg *unreg __free(drm_dev_ctx_unreg) =
		drm_dev_ctx_alloc(parent, &shmem_test_driver, struct test_dev, ctx);
	struct test_bo *bo;
	unsigned int left;
	int ret;

	if (IS_ERR(unreg))
		return PTR_ERR(unreg);
	test_dev(drm_dev_ctx_unreg_drm(unreg))->test = test->priv;
	ret = drm_shmem_set_device_opts(unreg, &opts);
	KUNIT_EXPECT_EQ(test, ret, 0);
	/* Whatever failed, objects can be made. */
	left = drm_safe_fail_pause();
	bo = test_bo_new(drm_dev_ctx_unreg_drm(unreg), SZ_8K, NULL);
	KUNIT_EXPECT_FALSE(test, IS_ERR(bo));
	if (!IS_ERR(bo))
		drm_shmem_put(&bo->obj);
	drm_safe_fail_resume(left);
	return 0;
}

static void huge_pages_fail(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE))
		kunit_skip(test, "needs CONFIG_TRANSPARENT_HUGEPAGE");
	KUNIT_EXPECT_GE(test, drm_safe_fail_nth(test, huge_fails_fn, drm_safe_test_parent(test)),
			2);
}

static struct kunit_case drm_shmem_device_cases[] = {
	KUNIT_CASE(said_once),
	KUNIT_CASE(of_dma_device),
	KUNIT_CASE(impossible_segment),
	KUNIT_CASE(impossible_mask),
	KUNIT_CASE(segments),
	KUNIT_CASE(longest_segment),
	KUNIT_CASE(segments_of_importer),
	KUNIT_CASE(unbound),
	KUNIT_CASE(dma_device_stays),
	KUNIT_CASE(below_4g),
	KUNIT_CASE(limits_of_machine),
	KUNIT_CASE(huge_pages),
	KUNIT_CASE(huge_pages_fail),
	{}
};

static struct kunit_suite drm_shmem_device_suite = {
	.name = "drm_shmem_device",
	.init = shmem_test_init,
	.test_cases = drm_shmem_device_cases,
};

kunit_test_suite(drm_shmem_device_suite);
