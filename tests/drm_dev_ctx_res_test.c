// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * A driver's own resources: drm_dev_ctx_res.c
 */

#include <kunit/platform_device.h>
#include <kunit/test.h>
#include <linux/dma-mapping.h>
#include <linux/iopoll.h>
#include <linux/ioport.h>
#include <linux/logic_iomem.h>
#include <linux/platform_device.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "drm_dev_ctx_res.h"
#include "drm_safe_test.h"

struct res_regs {
	DRM_VMAP_IOMEM(SZ_8K);
};

struct res_regs_res {
	DRM_DEV_CTX_RES(struct res_regs);
};

struct res_slot {
	u32 head;
	u32 tail;
};

struct res_ring {
	DRM_VMAP(16 * sizeof(struct res_slot));
};

struct res_ring_res {
	DRM_DEV_CTX_RES(struct res_ring);
};

struct res_fw {
	DRM_VMAP_CONST(16);
};

struct res_fw_res {
	DRM_DEV_CTX_RES(struct res_fw);
};

struct res_dev {
	struct drm_dev_ctx ctx;
};

struct res_reg {
	struct drm_dev_ctx_reg base;
};

/* The registration data, and whom its release tells */
struct res_hw {
	struct drm_dev_ctx_data base;
	struct res_regs_res regs;
	struct res_ring_res ring;
	u32 *last;		/* the value of the registers before release */
};

struct res_test {
	struct device *parent;
	struct drm_dev_ctx_unreg *unreg;
	struct drm_dev_ctx *ctx;
	struct res_hw *hw;
	u32 last;
};

#define RES_IO_SIZE	SZ_16K

#if IS_ENABLED(CONFIG_INDIRECT_IOMEM)
#define RES_IO_START	BIT_ULL(41)

static u8 res_io[RES_IO_SIZE];
static int res_io_maps;		/* how many mappings there are */
static bool res_io_fails;
static struct resource *res_io_region;

static unsigned long res_io_read(void *priv, unsigned int offset, int size)
{
	unsigned long val = 0;

	memcpy(&val, priv + offset, size);
	return val;
}

static void res_io_write(void *priv, unsigned int offset, int size, unsigned long val)
{
	memcpy(priv + offset, &val, size);
}

static void res_io_unmap(void *priv)
{
	res_io_maps--;
}

static const struct logic_iomem_ops res_io_ops = {
	.read = res_io_read,
	.write = res_io_write,
	.unmap = res_io_unmap,
};

static long res_io_map(unsigned long offset, size_t size, const struct logic_iomem_ops **ops,
		       void **priv)
{
	if (res_io_fails)
		return -ENOMEM;
	*ops = &res_io_ops;
	*priv = res_io;
	res_io_maps++;
	return offset;
}

static const struct logic_iomem_region_ops res_io_region_ops = {
	.map = res_io_map,
};

static int res_suite_init(struct kunit_suite *suite)
{
	struct resource *res = kzalloc_obj(*res);

	if (!res)
		return -ENOMEM;
	*res = DEFINE_RES_MEM_NAMED(RES_IO_START, RES_IO_SIZE, "drm_dev_ctx_res");
	res_io_region = res;
	return logic_iomem_add_region(res, &res_io_region_ops);
}

/* Regions stay for ever: leave one that nothing is in. */
static void res_suite_exit(struct kunit_suite *suite)
{
	if (!res_io_region)
		return;
	res_io_region->start = RESOURCE_SIZE_MAX;
	res_io_region->end = 0;
}
#else
/* Where the kernel does not emulate I/O memory, there is none to map. */
#define RES_IO_START	0

static u8 res_io[RES_IO_SIZE];
static int res_io_maps;
static bool res_io_fails;

static int res_suite_init(struct kunit_suite *suite)
{
	return 0;
}

static void res_suite_exit(struct kunit_suite *suite)
{
}
#endif

static const struct resource res_where = DEFINE_RES_MEM(RES_IO_START, RES_IO_SIZE);

static void res_needs_io(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_INDIRECT_IOMEM))
		kunit_skip(test, "needs emulated I/O memory");
	memset(res_io, 0, sizeof(res_io));
}

/* Registration has ended, and the registers are still there. */
static void res_quiesce(const struct drm_dev_ctx_bound *bound, struct drm_dev_ctx_data *data)
{
	struct res_hw *hw = container_of(data, struct res_hw, base);

	if (!hw->last)
		return;
	drm_dev_ctx_res_or(regs, &hw->regs, bound, return);
	*hw->last = drm_vmap_read32(regs, SZ_4K);
}

static void res_release(struct drm_dev_ctx_data *data)
{
	kfree(container_of(data, struct res_hw, base));
}

static const struct drm_dev_ctx_ops res_ops = {
	.quiesce = res_quiesce,
	.release = res_release,
};

static void res_device(struct kunit *test, struct res_test *t)
{
	t->parent = drm_safe_test_parent(test);
	t->unreg = drm_dev_ctx_alloc(t->parent, drm_safe_test_driver(), struct res_dev, ctx);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t->unreg);
	t->ctx = to_drm_dev_ctx(drm_dev_ctx_unreg_drm(t->unreg));
	t->hw = kzalloc_obj(*t->hw);
	KUNIT_ASSERT_NOT_NULL(test, t->hw);
}

static void res_register(struct kunit *test, struct res_test *t)
{
	int ret = drm_dev_ctx_register(t->parent, &t->unreg, &res_ops, &t->hw->base);

	KUNIT_ASSERT_EQ(test, ret, 0);
}

static int res_init(struct kunit *test)
{
	struct res_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	test->priv = t;
	res_device(test, t);
	return 0;
}

/* Mapped in probe, used in a section, there until quiesce, gone at unbind */
static void res_regs_live(struct kunit *test)
{
	struct res_test *t = test->priv;
	int ret;

	res_needs_io(test);
	ret = drm_dev_ctx_ioremap(&t->hw->regs, &t->unreg->bound, &res_where);
	KUNIT_ASSERT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, res_io_maps, 1);
	t->hw->last = &t->last;
	res_register(test, t);

	drm_dev_ctx_guard(res_reg, reg, t->ctx) {
		drm_dev_ctx_res_or(regs, &t->hw->regs, &reg->base.bound,
				   KUNIT_FAIL(test, "no registers"); break);
		KUNIT_EXPECT_EQ(test, drm_vmap_size(regs), RES_IO_SIZE);
		drm_vmap_write32(regs, SZ_4K, 0x12345678);
		drm_vmap_write8(regs, 1, 0xab);
		drm_vmap_write16(regs, 2, 0xcdef);
		KUNIT_EXPECT_EQ(test, drm_vmap_read32(regs, 0), 0xcdefab00);
		KUNIT_EXPECT_EQ(test, drm_vmap_read64(regs, SZ_4K), 0x12345678);
		/* Past the size of the type, and inside the region */
		KUNIT_EXPECT_EQ(test, drm_vmap_try_write32(regs, RES_IO_SIZE - 4, 7), 0);
		KUNIT_EXPECT_EQ(test, drm_vmap_try_write32(regs, RES_IO_SIZE, 7), -EINVAL);
	}
	KUNIT_EXPECT_EQ(test, res_io[SZ_4K], 0x78);
	KUNIT_EXPECT_EQ(test, res_io[RES_IO_SIZE - 4], 7);

	/* The handle goes with the registration data, and the mapping after it. */
	drm_safe_test_unbind(test, t->parent);
	KUNIT_EXPECT_EQ(test, t->last, 0x12345678);
	KUNIT_EXPECT_EQ(test, res_io_maps, 0);
}

/* Relaxed accesses go where the others go, and are checked like them. */
static void res_relaxed(struct kunit *test)
{
	struct res_test *t = test->priv;
	u32 val = 0;
	u16 half = 0;
	int ret;

	res_needs_io(test);
	ret = drm_dev_ctx_ioremap(&t->hw->regs, &t->unreg->bound, &res_where);
	KUNIT_ASSERT_EQ(test, ret, 0);
	drm_dev_ctx_res_or(regs, &t->hw->regs, &t->unreg->bound, return);
	memset(res_io, 0, sizeof(res_io));
	drm_vmap_write8_relaxed(regs, 1, 0x11);
	drm_vmap_write16_relaxed(regs, 2, 0x2222);
	drm_vmap_write32_relaxed(regs, 4, 0x33333333);
	drm_vmap_write64_relaxed(regs, 8, 0x4444444455555555);
	KUNIT_EXPECT_EQ(test, drm_vmap_read64(regs, 0), 0x3333333322221100);
	KUNIT_EXPECT_EQ(test, drm_vmap_read64(regs, 8), 0x4444444455555555);
	KUNIT_EXPECT_EQ(test, drm_vmap_read8_relaxed(regs, 1), 0x11);
	KUNIT_EXPECT_EQ(test, drm_vmap_read16_relaxed(regs, 2), 0x2222);
	KUNIT_EXPECT_EQ(test, drm_vmap_read32_relaxed(regs, 4), 0x33333333);
	KUNIT_EXPECT_EQ(test, drm_vmap_read64_relaxed(regs, 8), 0x4444444455555555);

	KUNIT_EXPECT_EQ(test, drm_vmap_try_write32_relaxed(regs, RES_IO_SIZE - 4, 7), 0);
	KUNIT_EXPECT_EQ(test, drm_vmap_try_read32_relaxed(regs, RES_IO_SIZE - 4, &val), 0);
	KUNIT_EXPECT_EQ(test, val, 7);
	KUNIT_EXPECT_EQ(test, drm_vmap_try_read_relaxed(u16, regs, 6, &half), 0);
	KUNIT_EXPECT_EQ(test, half, 0x3333);
	KUNIT_EXPECT_EQ(test, drm_vmap_try_write32_relaxed(regs, RES_IO_SIZE, 7), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_vmap_try_write32_relaxed(regs, 2, 7), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_vmap_try_read32_relaxed(regs, RES_IO_SIZE, &val), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_vmap_try_read32_relaxed(regs, 6, &val), -EINVAL);
	KUNIT_EXPECT_EQ(test, val, 7);

	/* The kernel's own loop takes the accessor. */
	KUNIT_EXPECT_EQ(test, read_poll_timeout(drm_vmap_read32_relaxed, val, val == 0x33333333,
						0, 1000, false, regs, 4), 0);
	kfree(t->hw);
}

/* A region that is mapped during the registration is still mapped when the registration ends. */
static void res_mapped_late(struct kunit *test)
{
	struct res_test *t = test->priv;
	int ret = -ENODEV;

	res_needs_io(test);
	t->hw->last = &t->last;
	res_register(test, t);
	drm_dev_ctx_guard(res_reg, reg, t->ctx) {
		ret = drm_dev_ctx_ioremap_wc(&t->hw->regs, &reg->base.bound, &res_where);
		if (ret)
			break;
		drm_dev_ctx_res_or(regs, &t->hw->regs, &reg->base.bound, break);
		drm_vmap_write32(regs, SZ_4K, 42);
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, res_io_maps, 1);
	drm_safe_test_unbind(test, t->parent);
	KUNIT_EXPECT_EQ(test, t->last, 42);
	KUNIT_EXPECT_EQ(test, res_io_maps, 0);
}

/* Nothing is mapped, and nothing stays taken. */
static void res_refused(struct kunit *test)
{
	static const struct resource small = DEFINE_RES_MEM(RES_IO_START, SZ_4K);
	static const struct resource port = DEFINE_RES_IO(0, SZ_16K);
	struct res_test *t = test->priv;
	struct res_regs_res *regs = &t->hw->regs;
	struct res_regs_res other = {};
	int ret;

	ret = drm_dev_ctx_ioremap(regs, &t->unreg->bound, NULL);
	KUNIT_EXPECT_EQ(test, ret, -EINVAL);
	ret = drm_dev_ctx_ioremap(regs, &t->unreg->bound, &port);
	KUNIT_EXPECT_EQ(test, ret, -EINVAL);
	ret = drm_dev_ctx_ioremap(regs, &t->unreg->bound, &small);
	KUNIT_EXPECT_EQ(test, ret, -ENOSPC);
	ret = drm_dev_ctx_dma_alloc(&t->hw->ring, &t->unreg->bound, 8);
	KUNIT_EXPECT_EQ(test, ret, -ENOSPC);
	if (BITS_PER_LONG == 32) {
		ret = drm_dev_ctx_dma_alloc(&t->hw->ring, &t->unreg->bound, BIT_ULL(32) + SZ_4K);
		KUNIT_EXPECT_EQ(test, ret, -ENOSPC);
	}

	if (IS_ENABLED(CONFIG_INDIRECT_IOMEM)) {
		res_io_fails = true;
		/* The emulation warns about regions that it does not map. */
		kunit_warning_suppress(test) {
			ret = drm_dev_ctx_ioremap(regs, &t->unreg->bound, &res_where);
			KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1);
		}
		res_io_fails = false;
		KUNIT_EXPECT_EQ(test, ret, -ENOMEM);
		ret = drm_dev_ctx_ioremap(regs, &t->unreg->bound, &res_where);
		KUNIT_EXPECT_EQ(test, ret, 0);
		ret = drm_dev_ctx_ioremap(&other, &t->unreg->bound, &res_where);
		KUNIT_EXPECT_EQ(test, ret, -EBUSY);
		KUNIT_EXPECT_EQ(test, res_io_maps, 1);
	}
	kfree(t->hw);
}

static int res_read(const struct res_regs_res *res, const struct drm_dev_ctx_bound *bound)
{
	drm_dev_ctx_res_or(regs, res, bound, return -ENODEV);
	return drm_vmap_read32(regs, 0);
}

static void res_never_mapped(struct kunit *test)
{
	struct res_test *t = test->priv;
	int ret;

	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, res_read(&t->hw->regs, &t->unreg->bound), -ENODEV);
		KUNIT_EXPECT_EQ(test, drm_dev_ctx_res_dma(&t->hw->ring, &t->unreg->bound),
				DMA_MAPPING_ERROR);
		EXPECT_BROKEN_TIMES(test, 2, "a resource is mapped before it is used");
	}
	/* Not after it was released, either, which is no rule broken if it is empty */
	drm_dev_ctx_res_release(&t->hw->ring, &t->unreg->bound);
	ret = drm_dev_ctx_dma_alloc(&t->hw->ring, &t->unreg->bound, SZ_4K);
	KUNIT_EXPECT_EQ(test, ret, 0);
	drm_dev_ctx_res_release(&t->hw->ring, &t->unreg->bound);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, drm_dev_ctx_res_dma(&t->hw->ring, &t->unreg->bound),
				DMA_MAPPING_ERROR);
		EXPECT_BROKEN(test, "a resource is mapped before it is used");
	}
	kfree(t->hw);
}

static void res_other_device(struct kunit *test)
{
	struct res_test *t = test->priv;
	struct res_test other = {};
	dma_addr_t dma;
	int ret;

	res_device(test, &other);
	ret = drm_dev_ctx_dma_alloc(&t->hw->ring, &t->unreg->bound, SZ_4K);
	KUNIT_ASSERT_EQ(test, ret, 0);
	dma = drm_dev_ctx_res_dma(&t->hw->ring, &t->unreg->bound);
	KUNIT_EXPECT_NE(test, dma, DMA_MAPPING_ERROR);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, drm_dev_ctx_res_dma(&t->hw->ring, &other.unreg->bound),
				DMA_MAPPING_ERROR);
		drm_dev_ctx_res_release(&t->hw->ring, &other.unreg->bound);
		EXPECT_BROKEN_TIMES(test, 2, "both are of one device");
	}
	/* It is still there. */
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_res_dma(&t->hw->ring, &t->unreg->bound), dma);
	kfree(other.hw);
	kfree(t->hw);
}

static void res_mapped_twice(struct kunit *test)
{
	struct res_test *t = test->priv;
	dma_addr_t dma;
	int ret;

	ret = drm_dev_ctx_dma_alloc(&t->hw->ring, &t->unreg->bound, SZ_4K);
	KUNIT_ASSERT_EQ(test, ret, 0);
	dma = drm_dev_ctx_res_dma(&t->hw->ring, &t->unreg->bound);
	kunit_warning_suppress(test) {
		ret = drm_dev_ctx_dma_alloc(&t->hw->ring, &t->unreg->bound, SZ_4K);
		KUNIT_EXPECT_EQ(test, ret, -EBUSY);
		EXPECT_BROKEN(test, "a resource is mapped once");
	}
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_res_dma(&t->hw->ring, &t->unreg->bound), dma);
	kfree(t->hw);
}

/* Typed, zeroed, and released in any order */
static void res_coherent(struct kunit *test)
{
	struct res_test *t = test->priv;
	struct res_ring_res rings[8] = {};
	int ret;

	for (int i = 0; i < ARRAY_SIZE(rings); i++) {
		ret = i % 2 ? drm_dev_ctx_dma_alloc_wc(&rings[i], &t->unreg->bound, SZ_4K) :
			      drm_dev_ctx_dma_alloc(&rings[i], &t->unreg->bound, SZ_4K);
		KUNIT_ASSERT_EQ(test, ret, 0);
		drm_dev_ctx_res_or(ring, &rings[i], &t->unreg->bound,
				   KUNIT_FAIL(test, "no ring"); return);
		KUNIT_EXPECT_EQ(test, drm_vmap_read64(ring, 0), 0);
		KUNIT_EXPECT_EQ(test, drm_vmap_size(ring), SZ_4K);
		drm_vmap_write_field(ring, struct res_slot, tail, i);
		KUNIT_EXPECT_EQ(test, drm_vmap_read32(ring, 4), i);
		KUNIT_EXPECT_EQ(test, drm_vmap_fill(ring, 0, 0xff, SZ_4K), 0);
	}
	drm_dev_ctx_res_release(&rings[3], &t->unreg->bound);
	drm_dev_ctx_res_release(&rings[0], &t->unreg->bound);
	drm_dev_ctx_res_release(&rings[7], &t->unreg->bound);
	ret = drm_dev_ctx_dma_alloc(&rings[3], &t->unreg->bound, SZ_8K);
	KUNIT_EXPECT_EQ(test, ret, 0);
	/* The others go with the binding; this array is gone by then. */
	kfree(t->hw);
}

/* A device without a driver, which needs no link: the core refuses one to a faux device. */
static struct device *res_dma_device(struct kunit *test)
{
	struct platform_device *pdev = kunit_platform_device_alloc(test, "drm_safe_test_dma",
								   PLATFORM_DEVID_AUTO);

	KUNIT_ASSERT_NOT_NULL(test, pdev);
	KUNIT_ASSERT_EQ(test, kunit_platform_device_add(test, pdev), 0);
	KUNIT_ASSERT_EQ(test, dma_coerce_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64)), 0);
	return &pdev->dev;
}

/* With coherent memory, the DMA device stays: no device link would keep another one bound. */
static void res_dma_device_stays(struct kunit *test)
{
	struct res_test *t = test->priv;
	struct drm_device *drm = drm_dev_ctx_unreg_drm(t->unreg);
	struct device *first = res_dma_device(test);
	struct res_ring_res ring = {};
	int ret;

	drm_dev_set_dma_dev(drm, first);
	ret = drm_dev_ctx_dma_alloc(&t->hw->ring, &t->unreg->bound, SZ_4K);
	KUNIT_ASSERT_EQ(test, ret, 0);
	drm_dev_set_dma_dev(drm, drm_safe_test_parent(test));
	kunit_warning_suppress(test) {
		ret = drm_dev_ctx_dma_alloc(&ring, &t->unreg->bound, SZ_4K);
		KUNIT_EXPECT_EQ(test, ret, -EINVAL);
		ret = drm_dev_ctx_register(t->parent, &t->unreg, &res_ops, &t->hw->base);
		KUNIT_EXPECT_EQ(test, ret, -EINVAL);
		EXPECT_BROKEN(test, "a DMA device is set before the first sg table",
			      "a DMA device is set before the first sg table");
	}
	/* The memory is freed for the device that it is for. */
	drm_safe_test_unbind(test, t->parent);
}

/* A file that is not there: the loader's error, and nothing is lent. */
static void res_no_firmware(struct kunit *test)
{
	struct res_test *t = test->priv;
	struct res_fw_res fw = {};
	int ret;

	ret = drm_dev_ctx_firmware(&fw, &t->unreg->bound, "drm_dev_ctx_res/no.bin");
	KUNIT_EXPECT_LT(test, ret, 0);
	kunit_warning_suppress(test) {
		ret = 0;
		do {
			drm_dev_ctx_res_or(map, &fw, &t->unreg->bound, ret = -ENODEV; break);
			KUNIT_EXPECT_EQ(test, drm_vmap_read32(map, 0), 0);
		} while (0);
		KUNIT_EXPECT_EQ(test, ret, -ENODEV);
		EXPECT_BROKEN(test, "a resource is mapped before it is used");
	}
	kfree(t->hw);
}

/* A proof that was kept gives nothing. */
static void res_after_unbind(struct kunit *test)
{
	struct res_test *t = test->priv;
	struct drm_device *drm = drm_dev_ctx_unreg_drm(t->unreg);
	struct res_ring_res ring = {};
	struct drm_dev_ctx_unreg *kept = t->unreg;
	int ret;

	drm_dev_get(drm);
	drm_dev_ctx_drop(&t->unreg);
	drm_safe_test_unbind(test, t->parent);
	kunit_warning_suppress(test) {
		ret = drm_dev_ctx_dma_alloc(&ring, &kept->bound, SZ_4K);
		KUNIT_EXPECT_EQ(test, ret, -ENODEV);
		EXPECT_BROKEN(test, "proofs end with their scope");
	}
	drm_dev_put(drm);
	kfree(t->hw);
}

static int res_map_once(struct kunit *test, void *ctx)
{
	struct res_test *t = ctx;
	int ret;

	ret = drm_dev_ctx_dma_alloc(&t->hw->ring, &t->unreg->bound, SZ_4K);
	if (ret)
		return ret;
	if (IS_ENABLED(CONFIG_INDIRECT_IOMEM)) {
		ret = drm_dev_ctx_ioremap(&t->hw->regs, &t->unreg->bound, &res_where);
		drm_dev_ctx_res_release(&t->hw->regs, &t->unreg->bound);
	}
	drm_dev_ctx_res_release(&t->hw->ring, &t->unreg->bound);
	return ret;
}

static void res_no_memory(struct kunit *test)
{
	struct res_test *t = test->priv;

	KUNIT_EXPECT_GE(test, drm_safe_fail_nth(test, res_map_once, t), 2);
	KUNIT_EXPECT_EQ(test, res_io_maps, 0);
	kfree(t->hw);
}

static struct kunit_case drm_dev_ctx_res_cases[] = {
	KUNIT_CASE(res_regs_live),
	KUNIT_CASE(res_relaxed),
	KUNIT_CASE(res_mapped_late),
	KUNIT_CASE(res_refused),
	KUNIT_CASE(res_never_mapped),
	KUNIT_CASE(res_other_device),
	KUNIT_CASE(res_mapped_twice),
	KUNIT_CASE(res_coherent),
	KUNIT_CASE(res_dma_device_stays),
	KUNIT_CASE(res_no_firmware),
	KUNIT_CASE(res_after_unbind),
	KUNIT_CASE(res_no_memory),
	{}
};

static struct kunit_suite drm_dev_ctx_res_suite = {
	.name = "drm_dev_ctx_res",
	.suite_init = res_suite_init,
	.suite_exit = res_suite_exit,
	.init = res_init,
	.test_cases = drm_dev_ctx_res_cases,
};

kunit_test_suite(drm_dev_ctx_res_suite);

MODULE_DESCRIPTION("KUnit tests for the DRM safe helpers: resources of a driver");
MODULE_LICENSE("Dual MIT/GPL");
