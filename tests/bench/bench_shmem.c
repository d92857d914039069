// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <linux/file.h>
#include <linux/rcupdate.h>
#include <linux/sizes.h>
#include <linux/vmalloc.h>

#include <drm/drm_drv.h>
#include <drm/drm_gem_shmem_helper.h>

#include "bench.h"
#include "drm_safe_test.h"
#include "drm_shmem_safe.h"

struct bench_sdev {
	struct drm_dev_ctx ctx;
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

struct bench_page {
	DRM_VMAP(SZ_4K);
};

struct bench_page_owned {
	DRM_VMAP_OWNED(struct bench_page);
};

static struct drm_gem_object *bench_gem_create_object(struct drm_device *drm, size_t size)
{
	return drm_shmem_gem_create_object(&bench_bo_type);
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

static noinline u32 vmap_raw_once(struct drm_gem_shmem_object *shmem)
{
	struct iosys_map map;
	u32 value;

	if (drm_gem_vmap(&shmem->base, &map))
		return 0;
	value = iosys_map_rd(&map, 0, u32);
	drm_gem_vunmap(&shmem->base, &map);
	return value;
}

static noinline u32 borrowed_once(struct bench_bo *bo)
{
	u32 value = 0;
	int ret;

	drm_vmap_guard(bench_page, map, &bo->obj, ret)
		value = drm_vmap_read32(map, 0);
	return value;
}

static noinline u32 owned_once(struct bench_bo *bo)
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

static noinline int checked_by_hand(void *addr, size_t size, size_t off, u32 value)
{
	if (off > size - sizeof(u32) || off % sizeof(u32))
		return -EINVAL;
	WRITE_ONCE(*(u32 *)(addr + off), value);
	return 0;
}

static noinline int checked_once(const struct bench_page *map, size_t off, u32 value)
{
	return drm_vmap_try_write32(map, off, value);
}

static u64 checked_raw(void *ctx, unsigned int loops)
{
	struct bench_shmem *b = ctx;

	return BENCH_LOOP(loops, checked_by_hand(b->map.vaddr, SZ_64K, __i & 0xffc, __i));
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

static noinline int table_by_hand(struct bench_table *table, unsigned int i, u32 value)
{
	if (i >= ARRAY_SIZE(table->slots))
		return -EINVAL;
	WRITE_ONCE(table->slots[i], value);
	return 0;
}

static noinline int table_once(const struct bench_page *map, unsigned int i, u32 value)
{
	return drm_vmap_try_write_elem(map, struct bench_table, slots, i, value);
}

static u64 table_raw(void *ctx, unsigned int loops)
{
	struct bench_table *table = ((struct bench_shmem *)ctx)->map.vaddr;

	return BENCH_LOOP(loops, table_by_hand(table, __i & 1023, __i));
}

static u64 table_safe(void *ctx, unsigned int loops)
{
	const struct bench_page *map = drm_vmap_borrow(&((struct bench_shmem *)ctx)->own);

	return BENCH_LOOP(loops, table_once(map, __i & 1023, __i));
}

static noinline unsigned int sgt_raw_once(struct drm_gem_shmem_object *shmem)
{
	struct sg_table *sgt = drm_gem_shmem_get_pages_sgt(shmem);

	return IS_ERR(sgt) ? 0 : sgt->nents;
}

static noinline unsigned int sgt_safe_once(const struct drm_dev_ctx_bound *bound,
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

/*
 * What the others freed goes now, and not while these are timed: it may be more
 * than there is memory for.
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
	{ "sg table, repeated", sgt_raw, sgt_safe, 100000 },
	{ "create and free 64 KiB", create_raw, create_safe, 2000 },
	{ "create, first vmap, free", cold_vmap_raw, cold_vmap_safe, 500 },
	{ "create, first sg table, free", cold_sgt_raw, cold_sgt_safe, 500 },
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
	b[1].test = test;
	b[1].drm = b->drm;
}

static void bench_shmem_objects(struct bench_shmem *b, const struct drm_dev_ctx_bound *bound)
{
	struct kunit *test = b->test;

	b->bound = bound;
	b->raw = raw_new(b, SZ_64K);
	b->bo = safe_new(b, SZ_64K);
	KUNIT_ASSERT_EQ(test, drm_gem_vmap(&b->raw->base, &b->map), 0);
	KUNIT_ASSERT_EQ(test, drm_vmap_own(&b->own, &b->bo->obj), 0);
	KUNIT_EXPECT_GT(test, sgt_raw_once(b->raw), 0);
	KUNIT_EXPECT_GT(test, sgt_safe_once(b->bound, b->bo), 0);
}

static void bench_shmem_put(struct bench_shmem *b)
{
	drm_vmap_release(&b->own);
	drm_gem_vunmap(&b->raw->base, &b->map);
	drm_shmem_put(&b->bo->obj);
	drm_gem_object_put(&b->raw->base);
}

static void bench_shmem_one(struct kunit *test)
{
	struct bench_shmem b[BENCH_CPUS] = {};
	void *const each[BENCH_CPUS] = { &b[0], &b[1] };

	bench_shmem_device(test, b);
	drm_dev_ctx_guard(bench_s_reg, reg, to_drm_dev_ctx(b->drm)) {
		for (int i = 0; i < bench_cpus(); i++)
			bench_shmem_objects(&b[i], &reg->base.bound);
		for (int i = 0; i < ARRAY_SIZE(bench_shmem_pairs); i++)
			bench_compare(test, &bench_shmem_pairs[i], 0, each);
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
	void *const each[BENCH_CPUS] = { &b[0], &b[1] };

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
		for (int i = 0; i < ARRAY_SIZE(ns); i++) {
			bench_shmem_free(test, b, ns[i], false);
			bench_shmem_free(test, b, ns[i], true);
		}
	}
	kvfree(many);
}

/* The raw helpers revoke nothing: there is one side only, and a cost against N. */
static void bench_shmem_revoke(struct kunit *test)
{
	static const unsigned int ns[] = { 100, 1000, 10000, 40000 };
	struct bench_bo **many;

	if (bench_cpus() > 1)
		kunit_skip(test, "a device is unbound by one processor");
	many = kvcalloc(ns[ARRAY_SIZE(ns) - 1], sizeof(*many), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, many);
	for (int i = 0; i < ARRAY_SIZE(ns); i++) {
		struct bench_shmem b[BENCH_CPUS] = {};
		u64 time;

		bench_shmem_device(test, b);
		drm_dev_ctx_guard(bench_s_reg, reg, to_drm_dev_ctx(b->drm)) {
			for (unsigned int k = 0; k < ns[i]; k++) {
				many[k] = safe_new(b, SZ_4K);
				sgt_safe_once(&reg->base.bound, many[k]);
			}
		}
		time = BENCH_LOOP(1, drm_safe_test_unbind(test, b->parent));
		kunit_info(test, "bench,unbind with all tables alive,%u,1,0,%llu,0,%llu,0", ns[i],
			   div_u64(time * 1000, ns[i]), div_u64(time * 1000, ns[i]));
		for (unsigned int k = 0; k < ns[i]; k++)
			drm_shmem_put(&many[k]->obj);
	}
	kvfree(many);
}

static void bench_shmem_size(struct kunit *test)
{
	kunit_info(test, "size,object,%zu,%zu", sizeof(struct drm_gem_shmem_object),
		   sizeof(struct drm_shmem_obj));
	if (IS_ENABLED(CONFIG_DRM_SAFE_DEBUG))
		kunit_skip(test, "objects have a list of handles");
	KUNIT_EXPECT_LT(test, sizeof(struct drm_shmem_obj) - sizeof(struct drm_gem_shmem_object),
			64);
}

static struct kunit_case bench_shmem_cases[] = {
	KUNIT_CASE_ATTR(bench_shmem_one, {.speed = KUNIT_SPEED_VERY_SLOW}),
	KUNIT_CASE_ATTR(bench_shmem_many, {.speed = KUNIT_SPEED_VERY_SLOW}),
	KUNIT_CASE_ATTR(bench_shmem_revoke, {.speed = KUNIT_SPEED_VERY_SLOW}),
	KUNIT_CASE(bench_shmem_size),
	{}
};

struct kunit_suite bench_shmem_suite = {
	.name = "drm_safe_bench_shmem",
	.test_cases = bench_shmem_cases,
};
