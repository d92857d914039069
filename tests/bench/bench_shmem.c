// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <linux/dma-mapping.h>
#include <linux/file.h>
#include <linux/io.h>
#include <linux/rcupdate.h>
#include <linux/shrinker.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <drm/drm_drv.h>
#include <drm/drm_gem_shmem_helper.h>

#include "bench.h"
#include "drm_safe_test.h"
#include "drm_shmem_safe.h"

struct bench_sdev {
	struct drm_dev_ctx ctx;
	struct drm_shmem_shrinker shrinker;
};

/* Proof that a struct bench_sdev is registered */
struct bench_s_reg {
	struct drm_dev_ctx_reg base;
};

static inline struct bench_sdev *bench_s_dev(struct drm_device *drm)
{
	return drm_dev_ctx_entry(drm, struct bench_sdev, ctx);
}

struct bench_bo {
	struct drm_shmem_obj obj;
};

DRM_SHMEM_OBJ_TYPE(bench_bo_type, struct bench_bo, obj, struct bench_bo_unique);

const struct bench_bo_type bench_bo_type = {
	DRM_SHMEM_OBJ_FUNCS,
};

/* The memory of such an object can be reclaimed. */
struct bench_purged {
	struct drm_shmem_obj obj;
};

DRM_SHMEM_OBJ_TYPE(bench_purged_type, struct bench_purged, obj, struct bench_purged_unique);

const struct bench_purged_type bench_purged_type = {
	DRM_SHMEM_OBJ_FUNCS,
	.base.flags = DRM_SHMEM_RECLAIM,
};

struct bench_page {
	DRM_VMAP(SZ_4K);
};

struct bench_page_owned {
	DRM_VMAP_OWNED(struct bench_page);
};

/* I/O memory or not, which a test tells at each access */
struct bench_either {
	DRM_VMAP_EITHER(SZ_4K);
};

struct bench_either_owned {
	DRM_VMAP_OWNED(struct bench_either);
};

struct bench_io {
	DRM_VMAP_IOMEM(SZ_4K);
};

/* The object of a driver without this library, for the raw side */
struct bench_raw_bo {
	struct drm_gem_shmem_object base;
};

static struct drm_gem_object *bench_gem_create_object(struct drm_device *drm, size_t size)
{
	struct bench_raw_bo *bo = kzalloc_obj(*bo);

	return bo ? &bo->base.base : ERR_PTR(-ENOMEM);
}

DEFINE_DRM_GEM_FOPS(bench_sfops);

static const struct drm_driver bench_sdriver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER,
	.fops = &bench_sfops,
	.name = "bench_shmem",
	.desc = "benchmark of drm_shmem_safe",
	.gem_create_object = bench_gem_create_object,
	DRM_SHMEM_DRIVER_OPS,
};

/* Both objects are mapped and have a table, so that the pairs find them hot. */
struct bench_shmem {
	struct kunit *test;
	struct device *parent;
	struct drm_device *drm;
	struct drm_gem_shmem_object *raw;
	struct bench_bo *bo;
	struct iosys_map map;
	struct bench_page_owned own;
	struct bench_either_owned either;
	struct drm_shmem_sgt_owned own_sgt;
	const struct drm_dev_ctx_bound *bound;
	unsigned int n;
	bool newest_first;
	void **many;
};

static struct drm_gem_shmem_object *raw_new(struct bench_shmem *b, size_t size)
{
	struct drm_gem_shmem_object *shmem = drm_gem_shmem_create(b->drm, size);

	KUNIT_ASSERT_FALSE(b->test, IS_ERR(shmem));
	return shmem;
}

static struct bench_bo *safe_new(struct bench_shmem *b, size_t size)
{
	struct bench_bo_unique *unique = drm_shmem_create(&bench_bo_type, b->drm, size, NULL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(b->test, unique);
	return drm_shmem_publish(&bench_bo_type, &unique);
}

static bench_alone u32 vmap_raw_once(struct drm_gem_shmem_object *shmem)
{
	struct iosys_map map;
	u32 value;

	if (drm_gem_vmap(&shmem->base, &map))
		return 0;
	value = iosys_map_rd(&map, 0, u32);
	drm_gem_vunmap(&shmem->base, &map);
	return value;
}

static bench_alone u32 borrowed_once(struct bench_bo *bo)
{
	u32 value = 0;
	int ret;

	drm_vmap_guard(bench_page, map, &bo->obj, ret)
		value = drm_vmap_read32(map, 0);
	return value;
}

static bench_alone u32 owned_once(struct bench_bo *bo)
{
	struct bench_page_owned own __cleanup(drm_vmap_cleanup) = {};

	return drm_vmap_own(&own, &bo->obj) ? 0 : drm_vmap_read32(&own, 0);
}

static u64 vmap_raw(void *ctx, unsigned int loops)
{
	struct bench_shmem *b = ctx;

	return BENCH_LOOP(loops, vmap_raw_once(b->raw));
}

static u64 borrowed(void *ctx, unsigned int loops)
{
	struct bench_shmem *b = ctx;

	return BENCH_LOOP(loops, borrowed_once(b->bo));
}

static u64 owned(void *ctx, unsigned int loops)
{
	struct bench_shmem *b = ctx;

	return BENCH_LOOP(loops, owned_once(b->bo));
}

static u64 write_raw(void *ctx, unsigned int loops)
{
	u32 *p = ((struct bench_shmem *)ctx)->map.vaddr;

	return BENCH_LOOP(loops, WRITE_ONCE(p[8], __i));
}

static u64 write_safe(void *ctx, unsigned int loops)
{
	drm_vmap_local(map, drm_vmap_borrow(&((struct bench_shmem *)ctx)->own));

	return BENCH_LOOP(loops, drm_vmap_write32(map, 32, __i));
}

/* The record of a driver for a mapping that it made itself */
struct bench_ring {
	struct iosys_map map;
	size_t size;
};

static bench_alone int checked_by_hand(const struct bench_ring *ring, size_t off, u32 value)
{
	if (off > ring->size - sizeof(u32) || off % sizeof(u32))
		return -EINVAL;
	WRITE_ONCE(*(u32 *)(ring->map.vaddr + off), value);
	return 0;
}

static bench_alone int checked_once(const struct bench_page *map, size_t off, u32 value)
{
	return drm_vmap_try_write32(map, off, value);
}

static u64 checked_raw(void *ctx, unsigned int loops)
{
	struct bench_shmem *b = ctx;

	const struct bench_ring ring = { .map = b->map, .size = SZ_64K };

	return BENCH_LOOP(loops, checked_by_hand(&ring, __i & 0xffc, __i));
}

static u64 checked_safe(void *ctx, unsigned int loops)
{
	const struct bench_page *map = drm_vmap_borrow(&((struct bench_shmem *)ctx)->own);

	return BENCH_LOOP(loops, checked_once(map, __i & 0xffc, __i));
}

static u64 masked_raw(void *ctx, unsigned int loops)
{
	u32 *p = ((struct bench_shmem *)ctx)->map.vaddr;

	return BENCH_LOOP(loops, WRITE_ONCE(p[__i & 1023], __i));
}

/* The compiler sees that the mask keeps the offset inside. */
static u64 masked_safe(void *ctx, unsigned int loops)
{
	drm_vmap_local(map, drm_vmap_borrow(&((struct bench_shmem *)ctx)->own));

	return BENCH_LOOP(loops, drm_vmap_write32(map, (size_t)(__i & 1023) * 4, __i));
}

struct bench_table {
	u32 head;
	u32 slots[1000];
};

static bench_alone int table_by_hand(const struct bench_ring *ring, unsigned int i, u32 value)
{
	struct bench_table *table = ring->map.vaddr;

	if (i >= ARRAY_SIZE(table->slots))
		return -EINVAL;
	WRITE_ONCE(table->slots[i], value);
	return 0;
}

static bench_alone int table_once(const struct bench_page *map, unsigned int i, u32 value)
{
	return drm_vmap_try_write_elem(map, struct bench_table, slots, i, value);
}

static u64 table_raw(void *ctx, unsigned int loops)
{
	const struct bench_ring ring = { .map = ((struct bench_shmem *)ctx)->map };

	return BENCH_LOOP(loops, table_by_hand(&ring, __i & 1023, __i));
}

static u64 table_safe(void *ctx, unsigned int loops)
{
	const struct bench_page *map = drm_vmap_borrow(&((struct bench_shmem *)ctx)->own);

	return BENCH_LOOP(loops, table_once(map, __i & 1023, __i));
}

static u64 read_raw(void *ctx, unsigned int loops)
{
	u32 *p = ((struct bench_shmem *)ctx)->map.vaddr;

	return BENCH_LOOP(loops, READ_ONCE(p[8]));
}

static u64 read_safe(void *ctx, unsigned int loops)
{
	drm_vmap_local(map, drm_vmap_borrow(&((struct bench_shmem *)ctx)->own));

	return BENCH_LOOP(loops, drm_vmap_read32(map, 32));
}

static u64 read_masked_raw(void *ctx, unsigned int loops)
{
	u32 *p = ((struct bench_shmem *)ctx)->map.vaddr;

	return BENCH_LOOP(loops, READ_ONCE(p[__i & 1023]));
}

static u64 read_masked_safe(void *ctx, unsigned int loops)
{
	drm_vmap_local(map, drm_vmap_borrow(&((struct bench_shmem *)ctx)->own));

	return BENCH_LOOP(loops, drm_vmap_read32(map, (size_t)(__i & 1023) * 4));
}

static bench_alone int read_table_by_hand(const struct bench_ring *ring, unsigned int i,
					  u32 *value)
{
	struct bench_table *table = ring->map.vaddr;

	if (i >= ARRAY_SIZE(table->slots))
		return -EINVAL;
	*value = READ_ONCE(table->slots[i]);
	return 0;
}

static bench_alone int read_table_once(const struct bench_page *map, unsigned int i, u32 *value)
{
	return drm_vmap_try_read_elem(map, struct bench_table, slots, i, value);
}

static u64 read_table_raw(void *ctx, unsigned int loops)
{
	const struct bench_ring ring = { .map = ((struct bench_shmem *)ctx)->map };
	u32 value;

	return BENCH_LOOP(loops, read_table_by_hand(&ring, __i & 1023, &value));
}

static u64 read_table_safe(void *ctx, unsigned int loops)
{
	const struct bench_page *map = drm_vmap_borrow(&((struct bench_shmem *)ctx)->own);
	u32 value;

	return BENCH_LOOP(loops, read_table_once(map, __i & 1023, &value));
}

static bench_alone void either_by_hand(struct iosys_map *map, unsigned int i)
{
	iosys_map_wr(map, 32, u32, i);
}

static bench_alone void either_once(const struct bench_either *map, unsigned int i)
{
	drm_vmap_write32(map, 32, i);
}

static u64 either_raw(void *ctx, unsigned int loops)
{
	struct iosys_map *map = &((struct bench_shmem *)ctx)->map;

	return BENCH_LOOP(loops, either_by_hand(map, __i));
}

static u64 either_safe(void *ctx, unsigned int loops)
{
	const struct bench_either *map = drm_vmap_borrow(&((struct bench_shmem *)ctx)->either);

	return BENCH_LOOP(loops, either_once(map, __i));
}

static bench_alone void io_by_hand(const struct iosys_map *map, unsigned int i)
{
	writel(i, map->vaddr_iomem + 32);
}

static bench_alone void io_once(const struct bench_io *map, unsigned int i)
{
	drm_vmap_write32(map, 32, i);
}

/* Memory does for I/O memory: the accesses are the same. */
static u64 io_raw(void *ctx, unsigned int loops)
{
	struct iosys_map map;

	iosys_map_set_vaddr_iomem(&map, (void __iomem __force *)
				  ((struct bench_shmem *)ctx)->map.vaddr);
	return BENCH_LOOP(loops, io_by_hand(&map, __i));
}

static u64 io_safe(void *ctx, unsigned int loops)
{
	const struct bench_io map = { .__map = ((struct bench_shmem *)ctx)->own.__map };

	return BENCH_LOOP(loops, io_once(&map, __i));
}

/* A careful driver looks where userspace's offset is. */
static bench_alone int copy_by_hand(struct bench_ring *ring, size_t off, const void *src,
				    size_t len)
{
	if (len > ring->size || off > ring->size - len)
		return -EINVAL;
	iosys_map_memcpy_to(&ring->map, off, src, len);
	return 0;
}

static bench_alone int copy_once(const struct bench_page *map, size_t off, const void *src,
				 size_t len)
{
	return drm_vmap_copy_to(map, off, src, len);
}

static u8 bench_source[SZ_4K];

static __always_inline u64 copy_raw(struct bench_shmem *b, unsigned int loops, size_t len)
{
	struct bench_ring ring = { .map = b->map, .size = SZ_64K };

	return BENCH_LOOP(loops, copy_by_hand(&ring, __i & 0x3fc0, bench_source, len));
}

static __always_inline u64 copy_safe(struct bench_shmem *b, unsigned int loops, size_t len)
{
	const struct bench_page *map = drm_vmap_borrow(&b->own);

	return BENCH_LOOP(loops, copy_once(map, __i & 0x3fc0, bench_source, len));
}

static u64 copy_64_raw(void *ctx, unsigned int loops)
{
	return copy_raw(ctx, loops, 64);
}

static u64 copy_64_safe(void *ctx, unsigned int loops)
{
	return copy_safe(ctx, loops, 64);
}

static u64 copy_4k_raw(void *ctx, unsigned int loops)
{
	return copy_raw(ctx, loops, SZ_4K);
}

static u64 copy_4k_safe(void *ctx, unsigned int loops)
{
	return copy_safe(ctx, loops, SZ_4K);
}

static bench_alone unsigned int sgt_raw_once(struct drm_gem_shmem_object *shmem)
{
	struct sg_table *sgt = drm_gem_shmem_get_pages_sgt(shmem);

	return IS_ERR(sgt) ? 0 : sgt->nents;
}

static bench_alone unsigned int sgt_safe_once(const struct drm_dev_ctx_bound *bound,
					      struct bench_bo *bo)
{
	unsigned int nents = 0;
	int ret;

	drm_shmem_sgt_guard(sgt, bound, &bo->obj, ret)
		nents = drm_shmem_sgt_table(sgt)->nents;
	return nents;
}

static u64 sgt_raw(void *ctx, unsigned int loops)
{
	struct bench_shmem *b = ctx;

	return BENCH_LOOP(loops, sgt_raw_once(b->raw));
}

static u64 sgt_safe(void *ctx, unsigned int loops)
{
	struct bench_shmem *b = ctx;

	return BENCH_LOOP(loops, sgt_safe_once(b->bound, b->bo));
}

static bench_alone unsigned int own_sgt_once(const struct drm_dev_ctx_bound *bound,
					     const struct drm_shmem_sgt_owned *own)
{
	unsigned int nents = 0;
	int ret;

	drm_shmem_sgt_guard_owned(sgt, bound, own, ret)
		nents = drm_shmem_sgt_table(sgt)->nents;
	return nents;
}

static u64 own_sgt_safe(void *ctx, unsigned int loops)
{
	struct bench_shmem *b = ctx;

	return BENCH_LOOP(loops, own_sgt_once(b->bound, &b->own_sgt));
}

/*
 * Waits until memory that other rows freed is gone, so that this does not happen during the timed
 * work. It may be most of the memory.
 */
static void settle(void)
{
	flush_delayed_fput();
	rcu_barrier();
}

static u64 create_raw(void *ctx, unsigned int loops)
{
	settle();
	return BENCH_LOOP(loops, drm_gem_object_put(&raw_new(ctx, SZ_64K)->base));
}

static u64 create_safe(void *ctx, unsigned int loops)
{
	settle();
	return BENCH_LOOP(loops, drm_shmem_put(&safe_new(ctx, SZ_64K)->obj));
}

static u64 cold_vmap_raw(void *ctx, unsigned int loops)
{
	settle();
	return BENCH_LOOP(loops, ({
		struct drm_gem_shmem_object *shmem = raw_new(ctx, SZ_64K);

		vmap_raw_once(shmem);
		drm_gem_object_put(&shmem->base);
	}));
}

static u64 cold_vmap_safe(void *ctx, unsigned int loops)
{
	settle();
	return BENCH_LOOP(loops, ({
		struct bench_bo *bo = safe_new(ctx, SZ_64K);

		borrowed_once(bo);
		drm_shmem_put(&bo->obj);
	}));
}

static u64 cold_sgt_raw(void *ctx, unsigned int loops)
{
	settle();
	return BENCH_LOOP(loops, ({
		struct drm_gem_shmem_object *shmem = raw_new(ctx, SZ_64K);

		sgt_raw_once(shmem);
		drm_gem_object_put(&shmem->base);
	}));
}

static u64 cold_sgt_safe(void *ctx, unsigned int loops)
{
	struct bench_shmem *b = ctx;

	settle();
	return BENCH_LOOP(loops, ({
		struct bench_bo *bo = safe_new(ctx, SZ_64K);

		sgt_safe_once(b->bound, bo);
		drm_shmem_put(&bo->obj);
	}));
}

/* Which of the objects goes as number @i */
static void *many_next(struct bench_shmem *b, unsigned int i)
{
	return b->many[b->newest_first ? b->n - 1 - i : i];
}

/* @loops is the number of objects here */
static u64 many_raw(void *ctx, unsigned int loops)
{
	struct bench_shmem *b = ctx;

	settle();
	for (unsigned int i = 0; i < loops; i++) {
		b->many[i] = raw_new(b, SZ_4K);
		sgt_raw_once(b->many[i]);
	}
	return BENCH_LOOP(loops, ({
		struct drm_gem_shmem_object *shmem = many_next(b, __i);

		drm_gem_object_put(&shmem->base);
	}));
}

static u64 many_safe(void *ctx, unsigned int loops)
{
	struct bench_shmem *b = ctx;

	settle();
	for (unsigned int i = 0; i < loops; i++) {
		b->many[i] = safe_new(b, SZ_4K);
		sgt_safe_once(b->bound, b->many[i]);
	}
	return BENCH_LOOP(loops, drm_shmem_put(&((struct bench_bo *)many_next(b, __i))->obj));
}

static const struct bench_pair bench_shmem_pairs[] = {
	{ "vmap borrowed, hot", vmap_raw, borrowed, 100000 },
	{ "vmap owned, hot", vmap_raw, owned, 100000 },
	{ "write, constant offset", write_raw, write_safe, 1000000 },
	{ "write, masked offset", masked_raw, masked_safe, 1000000 },
	{ "write, element of a table", table_raw, table_safe, 1000000 },
	{ "write, checked offset", checked_raw, checked_safe, 1000000 },
	{ "read, constant offset", read_raw, read_safe, 1000000 },
	{ "read, masked offset", read_masked_raw, read_masked_safe, 1000000 },
	{ "read, element of a table", read_table_raw, read_table_safe, 1000000 },
	{ "write, memory of either kind", either_raw, either_safe, 1000000 },
	{ "write, I/O memory", io_raw, io_safe, 1000000 },
	{ "copy of 64 bytes", copy_64_raw, copy_64_safe, 100000 },
	{ "copy of 4 KiB", copy_4k_raw, copy_4k_safe, 20000 },
	{ "sg table, repeated", sgt_raw, sgt_safe, 100000 },
	{ "sg table, owned", sgt_raw, own_sgt_safe, 100000 },
	{ "create and free 64 KiB", create_raw, create_safe, 2000 },
	{ "create, first vmap, free", cold_vmap_raw, cold_vmap_safe, 500 },
	{ "create, first sg table, free", cold_sgt_raw, cold_sgt_safe, 500 },
};

/* All processors use one object. */
static const struct bench_pair bench_shmem_shared[] = {
	{ "one object, vmap borrowed", vmap_raw, borrowed, 100000 },
	{ "one object, vmap owned", vmap_raw, owned, 100000 },
	{ "one object, sg table", sgt_raw, sgt_safe, 100000 },
	{ "one object, sg table owned", sgt_raw, own_sgt_safe, 100000 },
};

/* One device for all processors */
static void bench_shmem_device(struct kunit *test, struct bench_shmem b[BENCH_CPUS])
{
	struct drm_dev_ctx_unreg *unreg;

	b->test = test;
	b->parent = drm_safe_test_parent(test);
	unreg = drm_dev_ctx_alloc(b->parent, &bench_sdriver, struct bench_sdev, ctx);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unreg);
	b->drm = drm_dev_ctx_bound_drm(&unreg->bound);
	KUNIT_ASSERT_EQ(test, drm_dev_ctx_register(b->parent, &unreg, NULL, NULL), 0);
	for (int i = 1; i < BENCH_CPUS; i++) {
		b[i].test = test;
		b[i].drm = b->drm;
	}
}

static void bench_shmem_objects(struct bench_shmem *b, const struct drm_dev_ctx_bound *bound)
{
	struct kunit *test = b->test;

	b->bound = bound;
	b->raw = raw_new(b, SZ_64K);
	b->bo = safe_new(b, SZ_64K);
	KUNIT_ASSERT_EQ(test, drm_gem_vmap(&b->raw->base, &b->map), 0);
	KUNIT_ASSERT_EQ(test, drm_vmap_own(&b->own, &b->bo->obj), 0);
	KUNIT_ASSERT_EQ(test, drm_vmap_own(&b->either, &b->bo->obj), 0);
	KUNIT_ASSERT_EQ(test, drm_shmem_sgt_own(&b->own_sgt, b->bound, &b->bo->obj), 0);
	KUNIT_EXPECT_GT(test, sgt_raw_once(b->raw), 0);
	KUNIT_EXPECT_GT(test, sgt_safe_once(b->bound, b->bo), 0);
}

static void bench_shmem_put(struct bench_shmem *b)
{
	drm_shmem_sgt_release(&b->own_sgt);
	drm_vmap_release(&b->either);
	drm_vmap_release(&b->own);
	drm_gem_vunmap(&b->raw->base, &b->map);
	drm_shmem_put(&b->bo->obj);
	drm_gem_object_put(&b->raw->base);
}

static void bench_shmem_one(struct kunit *test)
{
	struct bench_shmem b[BENCH_CPUS] = {};
	void *const each[BENCH_CPUS] = BENCH_EACH(b);
	void *const one[BENCH_CPUS] = BENCH_ONE(b);

	bench_shmem_device(test, b);
	drm_dev_ctx_guard(bench_s_reg, reg, to_drm_dev_ctx(b->drm)) {
		for (int i = 0; i < bench_cpus(); i++)
			bench_shmem_objects(&b[i], &reg->base.bound);
		for (int i = 0; i < ARRAY_SIZE(bench_shmem_pairs); i++)
			bench_compare(test, &bench_shmem_pairs[i], 0, each);
		for (int i = 0; i < ARRAY_SIZE(bench_shmem_shared) && bench_cpus() > 1; i++)
			bench_compare(test, &bench_shmem_shared[i], 0, one);
	}
	for (int i = 0; i < bench_cpus(); i++)
		bench_shmem_put(&b[i]);
}

static void bench_shmem_free(struct kunit *test, struct bench_shmem *b, unsigned int n,
			     bool newest_first)
{
	const struct bench_pair pair = {
		.name = newest_first ? "free with sg table, newest first" :
				       "free with sg table, oldest first",
		.raw = many_raw, .safe = many_safe, .loops = n,
	};
	void *const each[BENCH_CPUS] = BENCH_EACH(b);

	for (int i = 0; i < bench_cpus(); i++) {
		b[i].n = n;
		b[i].newest_first = newest_first;
	}
	bench_compare(test, &pair, n, each);
}

static void bench_shmem_many(struct kunit *test)
{
	static const unsigned int ns[] = { 100, 1000, 10000, 40000 };
	const unsigned int most = ns[ARRAY_SIZE(ns) - 1];
	struct bench_shmem b[BENCH_CPUS] = {};
	void **many = kvcalloc(BENCH_CPUS * most, sizeof(*many), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, many);
	bench_shmem_device(test, b);
	drm_dev_ctx_guard(bench_s_reg, reg, to_drm_dev_ctx(b->drm)) {
		for (int i = 0; i < bench_cpus(); i++) {
			b[i].bound = &reg->base.bound;
			b[i].many = many + i * most;
		}
		for (int i = 0; i < ARRAY_SIZE(ns) && bench_wants(ns[i]); i++) {
			bench_shmem_free(test, b, ns[i], false);
			bench_shmem_free(test, b, ns[i], true);
		}
	}
	kvfree(many);
}

static bool scan_raw_one(struct drm_gem_object *gem, struct ww_acquire_ctx *ticket)
{
	struct drm_gem_shmem_object *shmem = to_drm_gem_shmem_obj(gem);

	if (!drm_gem_shmem_is_purgeable(shmem))
		return false;
	drm_gem_shmem_purge_locked(shmem);
	drm_gem_lru_remove(gem);
	return true;
}

/* One scan purges the objects that userspace does not need, each with its table. */
static u64 scan_raw(void *ctx, unsigned int loops)
{
	struct bench_shmem *b = ctx;
	unsigned long left = 0, pages;
	struct drm_gem_lru lru;
	u64 time;

	settle();
	drm_gem_lru_init(&lru);
	for (unsigned int i = 0; i < loops; i++) {
		struct drm_gem_shmem_object *shmem = raw_new(b, PAGE_SIZE);

		b->many[i] = shmem;
		sgt_raw_once(shmem);
		dma_resv_lock(shmem->base.resv, NULL);
		drm_gem_shmem_madvise_locked(shmem, 1);
		dma_resv_unlock(shmem->base.resv);
		drm_gem_lru_move_tail(&lru, &shmem->base);
	}
	time = BENCH_LOOP(1, pages = drm_gem_lru_scan(b->drm, &lru, loops, &left, scan_raw_one,
						      NULL));
	KUNIT_EXPECT_EQ(b->test, pages, loops);
	for (unsigned int i = 0; i < loops; i++)
		drm_gem_object_put(&((struct drm_gem_shmem_object *)b->many[i])->base);
	return time;
}

static u64 scan_safe(void *ctx, unsigned int loops)
{
	struct bench_shmem *b = ctx;
	struct drm_shmem_shrinker *s = &bench_s_dev(b->drm)->shrinker;
	struct shrink_control sc = { .gfp_mask = GFP_KERNEL, .nr_to_scan = loops };
	unsigned long pages;
	u64 time;

	settle();
	for (unsigned int i = 0; i < loops; i++) {
		struct bench_purged_unique *unique =
			drm_shmem_create(&bench_purged_type, b->drm, PAGE_SIZE, NULL);
		struct bench_purged *bo;
		int ret;

		KUNIT_ASSERT_NOT_ERR_OR_NULL(b->test, unique);
		bo = drm_shmem_publish(&bench_purged_type, &unique);
		b->many[i] = bo;
		drm_shmem_sgt_guard(sgt, b->bound, &bo->obj, ret)
			;
		KUNIT_ASSERT_EQ(b->test, ret, 0);
		ret = drm_shmem_madvise(&bo->obj, DRM_SHMEM_DONTNEED, s);
		KUNIT_ASSERT_EQ(b->test, ret, 1);
	}
	time = BENCH_LOOP(1, pages = s->__shrinker->scan_objects(s->__shrinker, &sc));
	KUNIT_EXPECT_EQ(b->test, pages, loops);
	for (unsigned int i = 0; i < loops; i++)
		drm_shmem_put(&((struct bench_purged *)b->many[i])->obj);
	return time;
}

/* The lists of a device have one lock, so one processor scans. */
static void bench_shmem_scan(struct kunit *test)
{
	static const unsigned int ns[] = { 100, 1000, 10000 };
	struct bench_shmem b[BENCH_CPUS] = {};
	void *const each[BENCH_CPUS] = BENCH_EACH(b);

	if (bench_cpus() > 1)
		kunit_skip(test, "one scan takes all");
	bench_shmem_device(test, b);
	KUNIT_ASSERT_EQ(test, drmm_shmem_shrinker_init(b->drm, &bench_s_dev(b->drm)->shrinker), 0);
	b->many = kvcalloc(ns[ARRAY_SIZE(ns) - 1], sizeof(*b->many), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, b->many);
	drm_dev_ctx_guard(bench_s_reg, reg, to_drm_dev_ctx(b->drm)) {
		b->bound = &reg->base.bound;
		for (int i = 0; i < ARRAY_SIZE(ns) && bench_wants(ns[i]); i++) {
			const struct bench_pair pair = {
				.name = "shrinker, purge",
				.raw = scan_raw, .safe = scan_safe, .loops = ns[i],
			};

			bench_compare(test, &pair, ns[i], each);
		}
	}
	kvfree(b->many);
}

/* The minimal work for one table */
static void unmap_by_hand(struct device *dev, struct drm_gem_shmem_object *shmem)
{
	dma_resv_lock(shmem->base.resv, NULL);
	dma_unmap_sgtable(dev, shmem->sgt, DMA_BIDIRECTIONAL, 0);
	sg_free_table(shmem->sgt);
	kfree(shmem->sgt);
	shmem->sgt = NULL;
	drm_gem_shmem_put_pages_locked(shmem);
	dma_resv_unlock(shmem->base.resv);
}

static u64 bench_shmem_unmap(struct bench_shmem *b, void **many, unsigned int n)
{
	u64 time;

	for (unsigned int k = 0; k < n; k++) {
		many[k] = raw_new(b, SZ_4K);
		sgt_raw_once(many[k]);
	}
	time = BENCH_LOOP(n, unmap_by_hand(drm_dev_dma_dev(b->drm), many[__i]));
	for (unsigned int k = 0; k < n; k++)
		drm_gem_object_put(&((struct drm_gem_shmem_object *)many[k])->base);
	return time;
}

/* Unbinding a device that has no objects */
static u64 bench_shmem_unbind(struct kunit *test)
{
	struct bench_shmem b[BENCH_CPUS] = {};

	bench_shmem_device(test, b);
	return BENCH_LOOP(1, drm_safe_test_unbind(test, b->parent));
}

/* The raw helpers revoke nothing: the raw side is the unmapping, and an unbinding without any. */
static void bench_shmem_revoke(struct kunit *test)
{
	static const unsigned int ns[] = { 100, 1000, 10000, 40000 };
	void **many;

	if (bench_cpus() > 1)
		kunit_skip(test, "a device is unbound by one processor");
	many = kvcalloc(ns[ARRAY_SIZE(ns) - 1], sizeof(*many), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, many);
	for (int i = 0; i < ARRAY_SIZE(ns) && bench_wants(ns[i]); i++) {
		struct bench_shmem b[BENCH_CPUS] = {};
		u64 raw, safe;

		bench_shmem_device(test, b);
		raw = bench_shmem_unmap(b, many, ns[i]) + bench_shmem_unbind(test);
		drm_dev_ctx_guard(bench_s_reg, reg, to_drm_dev_ctx(b->drm)) {
			for (unsigned int k = 0; k < ns[i]; k++) {
				many[k] = safe_new(b, SZ_4K);
				sgt_safe_once(&reg->base.bound, many[k]);
			}
		}
		safe = BENCH_LOOP(1, drm_safe_test_unbind(test, b->parent));
		kunit_info(test, "bench,unbind with all tables alive,%u,1,%llu,%llu,%llu,%llu,%llu",
			   ns[i], div_u64(raw * 1000, ns[i]), div_u64(safe * 1000, ns[i]),
			   div_u64(raw * 1000, ns[i]), div_u64(safe * 1000, ns[i]),
			   div64_u64(1000 * safe, max(raw, 1)));
		for (unsigned int k = 0; k < ns[i]; k++)
			drm_shmem_put(&((struct bench_bo *)many[k])->obj);
	}
	kvfree(many);
}

static void bench_shmem_size(struct kunit *test)
{
	kunit_info(test, "size,object,%zu,%zu", sizeof(struct drm_gem_shmem_object),
		   sizeof(struct drm_shmem_obj));
	if (IS_ENABLED(CONFIG_DRM_SAFE_DEBUG))
		kunit_skip(test, "objects have a list of handles");
	KUNIT_EXPECT_LE(test, sizeof(struct drm_shmem_obj) - sizeof(struct drm_gem_shmem_object),
			64);
}

static struct kunit_case bench_shmem_cases[] = {
	KUNIT_CASE_ATTR(bench_shmem_one, {.speed = KUNIT_SPEED_VERY_SLOW}),
	KUNIT_CASE_ATTR(bench_shmem_many, {.speed = KUNIT_SPEED_VERY_SLOW}),
	KUNIT_CASE_ATTR(bench_shmem_scan, {.speed = KUNIT_SPEED_VERY_SLOW}),
	KUNIT_CASE_ATTR(bench_shmem_revoke, {.speed = KUNIT_SPEED_VERY_SLOW}),
	KUNIT_CASE(bench_shmem_size),
	{}
};

struct kunit_suite bench_shmem_suite = {
	.name = "drm_safe_bench_shmem",
	.test_cases = bench_shmem_cases,
};
