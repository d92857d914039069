// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Mappings: drm_shmem_vmap.c
 */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/hrtimer.h>
#include <linux/mman.h>
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>

#include <drm/drm_panic.h>

#include "drm_shmem_internal.h"
#include "drm_shmem_test.h"

struct page_map {
	DRM_VMAP(PAGE_SIZE);
};

struct page_map_owned {
	DRM_VMAP_OWNED(struct page_map);
};

struct big_map {
	DRM_VMAP(16 * PAGE_SIZE);
};

struct big_map_owned {
	DRM_VMAP_OWNED(struct big_map);
};

struct page_iomap {
	DRM_VMAP_IOMEM(PAGE_SIZE);
};

struct page_iomap_owned {
	DRM_VMAP_OWNED(struct page_iomap);
};

struct page_anymap {
	DRM_VMAP_EITHER(PAGE_SIZE);
};

struct page_anymap_owned {
	DRM_VMAP_OWNED(struct page_anymap);
};

struct small_map {
	DRM_VMAP(64);
};

struct small_iomap {
	DRM_VMAP_IOMEM(64);
};

struct small_anymap {
	DRM_VMAP_EITHER(64);
};

struct test_hdr {
	__le32 magic;
	u16 version;
	u8 kind;
	u64 ring[4];
	struct {
		u32 head;
		u32 tail;
	} queue[2];
};

static void borrowed_rw(struct kunit *test)
{
	struct test_bo *bo = shmem_test_bo(test, 2 * PAGE_SIZE);
	int ret, runs = 0;

	drm_vmap_guard(page_map, map, &bo->obj, ret) {
		runs++;
		KUNIT_EXPECT_EQ(test, drm_vmap_size(map), 2 * PAGE_SIZE);
		drm_vmap_write8(map, 1, 0x11);
		drm_vmap_write16(map, 2, 0x2222);
		drm_vmap_write32(map, 4, 0x33333333);
		drm_vmap_write64(map, PAGE_SIZE - 8, 0x4444444444444444);
		KUNIT_EXPECT_EQ(test, drm_vmap_read8(map, 1), 0x11);
		KUNIT_EXPECT_EQ(test, drm_vmap_read16(map, 2), 0x2222);
		KUNIT_EXPECT_EQ(test, drm_vmap_read32(map, 4), 0x33333333);
		KUNIT_EXPECT_EQ(test, drm_vmap_read64(map, 0), 0x3333333322221100);
		KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.base.vmap_use_count), 1);
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, runs, 1);
	KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.base.vmap_use_count), 0);
	KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.base.pages_pin_count), 0);

	drm_vmap_guard(page_map, map, &bo->obj, ret)
		KUNIT_EXPECT_EQ(test, drm_vmap_read64(map, PAGE_SIZE - 8), 0x4444444444444444);
	KUNIT_EXPECT_EQ(test, ret, 0);
}

static int borrowed_or(struct kunit *test, struct drm_shmem_obj *obj, bool nested)
{
	int ret;

	drm_vmap_or(page_map, map, obj, ret, return ret);
	KUNIT_EXPECT_EQ(test, refcount_read(&obj->base.vmap_use_count), 1);
	if (nested)
		return borrowed_or(test, obj, false);
	drm_vmap_write32(map, 0, 42);
	return drm_vmap_read32(map, 0);
}

static void borrowed_scope(struct kunit *test)
{
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);

	KUNIT_EXPECT_EQ(test, borrowed_or(test, &bo->obj, true), 42);
	KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.base.vmap_use_count), 0);
}

static void too_small(struct kunit *test)
{
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);
	struct big_map_owned own = {};
	int ret;

	drm_vmap_guard(big_map, map, &bo->obj, ret)
		KUNIT_FAIL(test, "mapped");
	KUNIT_EXPECT_EQ(test, ret, -ENOSPC);
	KUNIT_EXPECT_EQ(test, drm_vmap_own(&own, &bo->obj), -ENOSPC);
	drm_vmap_release(&own);
	KUNIT_EXPECT_NULL(test, bo->obj.base.pages);
}

static void wrong_kind(struct kunit *test)
{
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);
	struct page_map_owned own = {};
	int ret;

	for (int mapped = 0; mapped < 2; mapped++) {
		drm_vmap_guard(page_iomap, map, &bo->obj, ret)
			KUNIT_FAIL(test, "mapped");
		KUNIT_EXPECT_EQ(test, ret, -EOPNOTSUPP);
		KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.__vmap_users), mapped);
		if (!mapped)
			KUNIT_ASSERT_EQ(test, drm_vmap_own(&own, &bo->obj), 0);
	}
	drm_vmap_release(&own);

	drm_vmap_guard(page_anymap, map, &bo->obj, ret) {
		drm_vmap_write32(map, 0, 5);
		KUNIT_EXPECT_EQ(test, drm_vmap_read32(map, 0), 5);
		KUNIT_EXPECT_FALSE(test, drm_vmap_unsafe_map(map).is_iomem);
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
}

static void fields(struct kunit *test)
{
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);
	u64 val = 0;
	int ret;

	drm_vmap_or(page_map, map, &bo->obj, ret,
		    KUNIT_FAIL(test, "vmap: %d", ret); return);
	drm_vmap_write_field(map, struct test_hdr, magic, cpu_to_le32(0x12345678));
	drm_vmap_write_field(map, struct test_hdr, version, 3);
	drm_vmap_write_field(map, struct test_hdr, kind, 9);
	drm_vmap_write_field(map, struct test_hdr, ring[3], 77);
	drm_vmap_write_field(map, struct test_hdr, queue[1].tail, 99);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(drm_vmap_read_field(map, struct test_hdr, magic)),
			0x12345678);
	KUNIT_EXPECT_EQ(test, drm_vmap_read_field(map, struct test_hdr, version), 3);
	KUNIT_EXPECT_EQ(test, drm_vmap_read_field(map, struct test_hdr, kind), 9);
	KUNIT_EXPECT_EQ(test, drm_vmap_read_field(map, struct test_hdr, queue[1].tail), 99);

	KUNIT_EXPECT_EQ(test, drm_vmap_try_read_elem(map, struct test_hdr, ring, 3, &val), 0);
	KUNIT_EXPECT_EQ(test, val, 77);
	KUNIT_EXPECT_EQ(test, drm_vmap_try_write_elem(map, struct test_hdr, ring, 2, 88), 0);
	KUNIT_EXPECT_EQ(test, drm_vmap_read_field(map, struct test_hdr, ring[2]), 88);
	KUNIT_EXPECT_EQ(test, drm_vmap_try_read_elem(map, struct test_hdr, ring, 4, &val), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_vmap_try_write_elem(map, struct test_hdr, ring, SIZE_MAX, 1),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, drm_vmap_read_field(map, struct test_hdr, queue[0].head), 0);
}

/* A struct that is larger than the least mapping: now the mapping's size counts. */
struct table {
	u64 head;
	u64 entry[2 * PAGE_SIZE / 8 - 1];
};

/* The last entries of the table, and of its first page */
#define TABLE_LAST	(ARRAY_SIZE(((struct table *)0)->entry) - 1)
#define TABLE_PAGE_LAST	(PAGE_SIZE / 8 - 2)

static_assert(sizeof(struct table) == 2 * PAGE_SIZE);

#define table_read(_map, _idx, _val) \
	drm_vmap_try_read_elem(_map, struct table, entry, _idx, _val)
#define table_write(_map, _idx, _val) \
	drm_vmap_try_write_elem(_map, struct table, entry, _idx, _val)

struct test_types {
	s8 small;
	bool on;
	const u16 fixed;
	__be32 big;
	s64 wide;
	s16 signs[4];
};

/* A macro, because the types of the handles differ */
#define HAS_TYPES() do {							\
	s16 sign = 0;								\
	s64 wide = 0;								\
										\
	drm_vmap_write_field(map, struct test_types, small, -3);		\
	drm_vmap_write_field(map, struct test_types, on, 4);			\
	drm_vmap_write_field(map, struct test_types, big, cpu_to_be32(0x12345678)); \
	drm_vmap_write(s64, map, offsetof(struct test_types, wide), S64_MIN);	\
	KUNIT_EXPECT_EQ(test, drm_vmap_read_field(map, struct test_types, small), -3); \
	KUNIT_EXPECT_EQ(test, drm_vmap_read8(map, 0), 0xfd);			\
	KUNIT_EXPECT_EQ(test, drm_vmap_read_field(map, struct test_types, on), true); \
	KUNIT_EXPECT_EQ(test, drm_vmap_read8(map, 1), 1);			\
	KUNIT_EXPECT_EQ(test, drm_vmap_read_field(map, struct test_types, fixed), 0x5555); \
	KUNIT_EXPECT_EQ(test, drm_vmap_read8(map, 4), 0x12);			\
	KUNIT_EXPECT_EQ(test, be32_to_cpu(drm_vmap_read(__be32, map, 4)), 0x12345678); \
	KUNIT_EXPECT_EQ(test, drm_vmap_try_read(s64, map, 8, &wide), 0);	\
	KUNIT_EXPECT_EQ(test, wide, S64_MIN);					\
	KUNIT_EXPECT_EQ(test, drm_vmap_try_write(s64, map, 12, 0), -EINVAL);	\
	KUNIT_EXPECT_EQ(test, drm_vmap_try_write_elem(map, struct test_types, signs, 3, -2), 0); \
	KUNIT_EXPECT_EQ(test, drm_vmap_try_read_elem(map, struct test_types, signs, 3, &sign), 0); \
	KUNIT_EXPECT_EQ(test, sign, -2);					\
	KUNIT_EXPECT_EQ(test, drm_vmap_read16(map, 20), 0x5555);		\
} while (0)

/* Stored and loaded values have the type that the driver names, with its sign. */
static void types(struct kunit *test)
{
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);
	int ret;

	drm_vmap_guard(page_map, map, &bo->obj, ret) {
		drm_vmap_fill(map, 0, 0x55, PAGE_SIZE);
		HAS_TYPES();
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	drm_vmap_guard(page_anymap, map, &bo->obj, ret) {
		drm_vmap_fill(map, 0, 0x55, PAGE_SIZE);
		HAS_TYPES();
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
}

static void elements_beyond_minimum(struct kunit *test)
{
	struct test_bo *small = shmem_test_bo(test, PAGE_SIZE);
	struct test_bo *large = shmem_test_bo(test, 2 * PAGE_SIZE);
	u64 val = 0;
	int ret;

	drm_vmap_guard(page_map, map, &large->obj, ret) {
		KUNIT_EXPECT_EQ(test, table_write(map, TABLE_LAST, 5), 0);
		KUNIT_EXPECT_EQ(test, drm_vmap_try_read64(map, 2 * PAGE_SIZE - 8, &val), 0);
		KUNIT_EXPECT_EQ(test, val, 5);
		KUNIT_EXPECT_EQ(test, table_read(map, TABLE_LAST + 1, &val), -EINVAL);
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	drm_vmap_guard(page_map, map, &small->obj, ret) {
		KUNIT_EXPECT_EQ(test, table_write(map, TABLE_PAGE_LAST, 6), 0);
		KUNIT_EXPECT_EQ(test, table_read(map, TABLE_PAGE_LAST, &val), 0);
		KUNIT_EXPECT_EQ(test, val, 6);
		KUNIT_EXPECT_EQ(test, table_write(map, TABLE_PAGE_LAST + 1, 7), -EINVAL);
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
}

/* One set of checks for each width: inside, the last one, and each way out. */
#define TRY_WIDTH(width, type) do {						\
	type __val = 0;								\
										\
	KUNIT_EXPECT_EQ(test, drm_vmap_try_write##width(map, size - sizeof(type), (type)~1), 0); \
	KUNIT_EXPECT_EQ(test, drm_vmap_try_read##width(map, size - sizeof(type), &__val), 0); \
	KUNIT_EXPECT_EQ(test, __val, (type)~1);					\
	for (int i = 0; i < ARRAY_SIZE(outside); i++) {				\
		KUNIT_EXPECT_EQ(test, drm_vmap_try_read##width(map, outside[i], &__val), \
				-EINVAL);					\
		KUNIT_EXPECT_EQ(test, drm_vmap_try_write##width(map, outside[i], 0), \
				-EINVAL);					\
	}									\
	KUNIT_EXPECT_EQ(test, __val, (type)~1);					\
} while (0)

static void checked(struct kunit *test)
{
	const size_t size = 2 * PAGE_SIZE;
	struct test_bo *bo = shmem_test_bo(test, size);
	const size_t outside[] = { size, size + 8, SZ_1M, SIZE_MAX - 7, SIZE_MAX };
	u32 val = 1;
	int ret;

	drm_vmap_or(page_map, map, &bo->obj, ret,
		    KUNIT_FAIL(test, "vmap: %d", ret); return);
	TRY_WIDTH(8, u8);
	TRY_WIDTH(16, u16);
	TRY_WIDTH(32, u32);
	TRY_WIDTH(64, u64);
	/* Unaligned, also across the end */
	KUNIT_EXPECT_EQ(test, drm_vmap_try_read32(map, 2, &val), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_vmap_try_read32(map, size - 2, &val), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_vmap_try_write32(map, 1, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, val, 1);
}

/*
 * The limit of the checked accessors, for every size, offset and width of a word of
 * 8 bits, which wraps as a size_t does, and at the edges of a size_t.
 */
static void limit(struct kunit *test)
{
	const size_t edges[] = {
		0, 1, 7, 8, 9, PAGE_SIZE - 1, PAGE_SIZE, PAGE_SIZE + 1, SIZE_MAX / 2,
		SIZE_MAX / 2 + 1,
		SIZE_MAX - 8, SIZE_MAX - 7, SIZE_MAX - 1, SIZE_MAX,
	};
	unsigned int wrong = 0;

	for (unsigned int n = 1; n <= 8; n *= 2) {
		for (unsigned int size = 0; size <= U8_MAX; size++)
			for (unsigned int off = 0; off <= U8_MAX; off++)
				wrong += __drm_vmap_fits((u8)size, (u8)off, n) !=
					 (off + n <= size && !(off % n));
		for (int i = 0; i < ARRAY_SIZE(edges); i++)
			for (int j = 0; j < ARRAY_SIZE(edges); j++)
				wrong += __drm_vmap_fits(edges[i], edges[j], n) !=
					 (n <= edges[i] && edges[j] <= edges[i] - n &&
					  !(edges[j] % n));
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

/* One set for each width, with offsets that an empty handle let through once */
#define REFUSES_WIDTH(width, type) do {						\
	const u64 offs[] = { 0, 8, SZ_4K - 8, SZ_4K, (u64)PAGE_OFFSET, U64_MAX - 7 }; \
	type __val = 5;								\
										\
	for (int i = 0; i < ARRAY_SIZE(offs); i++) {				\
		KUNIT_EXPECT_EQ(test, drm_vmap_try_read##width(map, offs[i], &__val), -EINVAL); \
		KUNIT_EXPECT_EQ(test, drm_vmap_try_write##width(map, offs[i], 1), -EINVAL); \
	}									\
	KUNIT_EXPECT_EQ(test, __val, 5);					\
} while (0)

/* Whatever takes the handle "map" refuses it; a macro, because the types differ. */
#define REFUSES_ALL() do {							\
	u64 val = 5;								\
										\
	REFUSES_WIDTH(8, u8);							\
	REFUSES_WIDTH(16, u16);							\
	REFUSES_WIDTH(32, u32);							\
	REFUSES_WIDTH(64, u64);							\
	KUNIT_EXPECT_EQ(test, drm_vmap_try_read_elem(map, struct test_hdr, ring, 1, &val), \
			-EINVAL);						\
	KUNIT_EXPECT_EQ(test, drm_vmap_try_write_elem(map, struct test_hdr, ring, 1, 1), \
			-EINVAL);						\
	KUNIT_EXPECT_EQ(test, table_read(map, 1022, &val), -EINVAL);		\
	KUNIT_EXPECT_EQ(test, table_write(map, 0, 1), -EINVAL);			\
	KUNIT_EXPECT_EQ(test, drm_vmap_copy_to(map, 0, &val, 0), -EINVAL);	\
	KUNIT_EXPECT_EQ(test, drm_vmap_copy_from(map, 0, &val, 8), -EINVAL);	\
	KUNIT_EXPECT_EQ(test, drm_vmap_fill(map, 0, 0, 0), -EINVAL);		\
	KUNIT_EXPECT_EQ(test, drm_vmap_from_user(map, 0, NULL, 0), -EINVAL);	\
	KUNIT_EXPECT_EQ(test, drm_vmap_to_user(map, 0, NULL, 8), -EINVAL);	\
	KUNIT_EXPECT_TRUE(test, ({						\
		struct iosys_map __empty = drm_vmap_unsafe_map(map);		\
		iosys_map_is_null(&__empty);					\
	}));									\
	KUNIT_EXPECT_EQ(test, drm_vmap_size(map), 0);				\
	KUNIT_EXPECT_EQ(test, val, 5);						\
} while (0)

static noinline void lent_refuses(struct kunit *test, const struct page_map *map)
{
	REFUSES_ALL();
	KUNIT_EXPECT_NULL(test, drm_vmap_unsafe_ptr(map));
}

static noinline void owned_refuses(struct kunit *test, struct page_map_owned *map)
{
	REFUSES_ALL();
	lent_refuses(test, drm_vmap_borrow(map));
}

static noinline void anymap_refuses(struct kunit *test, struct page_anymap_owned *map)
{
	REFUSES_ALL();
}

/* The target of an access: memory, or nothing, even where NULL is a valid address */
static void empty_hits_nothing(struct kunit *test)
{
	char mem[4];

	for (int null_is_mapped = 0; null_is_mapped < 2; null_is_mapped++) {
		KUNIT_EXPECT_PTR_EQ(test, &mem[2], __drm_vmap_place(mem, 2, true, null_is_mapped));
		KUNIT_EXPECT_PTR_EQ(test, &mem[0],
				    __drm_vmap_place(mem, 2, false, null_is_mapped));
	}
	KUNIT_EXPECT_PTR_EQ(test, (void *)SZ_2K, __drm_vmap_place(NULL, SZ_2K, true, false));
	KUNIT_EXPECT_NULL(test, __drm_vmap_place(NULL, SZ_64K, false, false));
	KUNIT_EXPECT_TRUE(test, IS_ERR(__drm_vmap_place(NULL, SZ_2K, true, true) + PAGE_SIZE - 1));
	KUNIT_EXPECT_PTR_EQ(test, (void *)PAGE_MASK, __drm_vmap_place(NULL, SZ_2K, true, true));
	KUNIT_EXPECT_PTR_EQ(test, (void *)PAGE_MASK, __drm_vmap_place(NULL, SZ_64K, false, true));
}

/* Where the compiler cannot know: never filled, failed, released, moved. */
static void empty(struct kunit *test)
{
	struct test_bo *bo = shmem_test_bo(test, 2 * PAGE_SIZE);
	struct page_map_owned own = {}, other = {};
	struct page_anymap_owned any = {};
	struct big_map_owned big = {};

	owned_refuses(test, &own);
	anymap_refuses(test, &any);

	KUNIT_EXPECT_EQ(test, drm_vmap_own(&big, &bo->obj), -ENOSPC);
	lent_refuses(test, drm_vmap_narrow(page_map, &big));

	KUNIT_ASSERT_EQ(test, drm_vmap_own(&own, &bo->obj), 0);
	drm_vmap_move(&other, &own);
	owned_refuses(test, &own);
	KUNIT_EXPECT_EQ(test, drm_vmap_size(&other), 2 * PAGE_SIZE);
	drm_vmap_release(&other);
	owned_refuses(test, &other);
}

/* An offset that has more bits than an address is not cut. */
static void wide_offsets(struct kunit *test)
{
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);
	const u64 wide = BIT_ULL(32);
	u64 val = 5;
	u32 val32 = 5;
	int ret;

	drm_vmap_or(page_map, map, &bo->obj, ret,
		    KUNIT_FAIL(test, "vmap: %d", ret); return);
	KUNIT_EXPECT_EQ(test, drm_vmap_try_read32(map, wide, &val32), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_vmap_try_write32(map, wide + 8, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_vmap_try_read_elem(map, struct test_hdr, ring, wide, &val),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, drm_vmap_try_write_elem(map, struct test_hdr, ring, wide + 1, 1),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, table_read(map, wide, &val), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_vmap_copy_to(map, wide, &val, 8), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_vmap_copy_from(map, 0, &val, wide + 8), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_vmap_fill(map, wide, 1, 8), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_vmap_fill(map, 0, 1, wide), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_vmap_from_user(map, wide, NULL, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_vmap_to_user(map, 0, NULL, wide), -EINVAL);
	KUNIT_EXPECT_EQ(test, val, 5);
	KUNIT_EXPECT_EQ(test, val32, 5);
	KUNIT_EXPECT_EQ(test, drm_vmap_read64(map, 0), 0);
	KUNIT_EXPECT_EQ(test, drm_vmap_read64(map, 8), 0);
}

static void bulk(struct kunit *test)
{
	const size_t size = PAGE_SIZE;
	struct test_bo *bo = shmem_test_bo(test, size);
	u8 *buf = kunit_kzalloc(test, size, GFP_KERNEL);
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	drm_vmap_or(page_map, map, &bo->obj, ret,
		    KUNIT_FAIL(test, "vmap: %d", ret); return);
	KUNIT_EXPECT_EQ(test, drm_vmap_fill(map, 0, 0xa5, size), 0);
	KUNIT_EXPECT_EQ(test, drm_vmap_copy_from(map, 0, buf, size), 0);
	KUNIT_EXPECT_NULL(test, memchr_inv(buf, 0xa5, size));

	memset(buf, 0x5a, size);
	KUNIT_EXPECT_EQ(test, drm_vmap_copy_to(map, size - 3, buf, 3), 0);
	KUNIT_EXPECT_EQ(test, drm_vmap_read32(map, PAGE_SIZE - 4), 0x5a5a5aa5);

	KUNIT_EXPECT_EQ(test, drm_vmap_copy_to(map, size, buf, 0), 0);
	KUNIT_EXPECT_EQ(test, drm_vmap_copy_to(map, size, buf, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_vmap_copy_to(map, 1, buf, size), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_vmap_copy_to(map, SIZE_MAX, buf, 2), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_vmap_copy_from(map, 2, buf, SIZE_MAX), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_vmap_copy_from(map, size + 1, buf, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_vmap_fill(map, size - 1, 0, 2), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_vmap_read32(map, PAGE_SIZE - 4), 0x5a5a5aa5);
}

static void owned(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct page_map_owned own = {}, other = {};
	struct test_bo *bo = test_bo_new(t->drm, 16 * PAGE_SIZE, NULL);
	int ret;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	ret = drm_vmap_own(&own, &bo->obj);
	KUNIT_ASSERT_EQ(test, ret, 0);
	/* The handle outlives the caller's reference. */
	drm_shmem_put(&bo->obj);
	KUNIT_EXPECT_EQ(test, t->live, 1);
	drm_vmap_write32(&own, 0, 17);
	KUNIT_EXPECT_EQ(test, drm_vmap_read32(drm_vmap_borrow(&own), 0), 17);

	drm_vmap_move(&other, &own);
	KUNIT_EXPECT_EQ(test, drm_vmap_read32(&other, 0), 17);
	drm_vmap_release(&own);
	KUNIT_EXPECT_EQ(test, t->live, 1);

	drm_vmap_release(&other);
	KUNIT_EXPECT_EQ(test, t->live, 0);
	drm_vmap_release(&other);
}

static void owned_overwritten(struct kunit *test)
{
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);
	struct test_bo *moved = shmem_test_bo(test, PAGE_SIZE);
	struct page_map_owned own = {}, other = {}, lost;

	KUNIT_ASSERT_EQ(test, drm_vmap_own(&own, &bo->obj), 0);
	KUNIT_ASSERT_EQ(test, drm_vmap_own(&other, &moved->obj), 0);
	drm_vmap_write32(&other, 0, 17);

	memcpy(&lost, &own, sizeof(own));
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, drm_vmap_own(&own, &bo->obj), -EBUSY);
		KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.__vmap_users), 1);
		drm_vmap_move(&own, &other);
		EXPECT_BROKEN_TIMES(test, 2, "an owned handle is not overwritten");
	}
	/* The overwritten handle is leaked, and the moved one is in its place. */
	KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.__vmap_users), 1);
	KUNIT_EXPECT_EQ(test, kref_read(&drm_shmem_gem(&bo->obj)->refcount), 2);
	KUNIT_EXPECT_EQ(test, drm_vmap_read32(&own, 0), 17);
	drm_vmap_release(&other);
	KUNIT_EXPECT_EQ(test, refcount_read(&moved->obj.__vmap_users), 1);
	drm_vmap_release(&lost);
	KUNIT_EXPECT_EQ(test, kref_read(&drm_shmem_gem(&bo->obj)->refcount), 1);

	/* Moved to itself a handle is empty, too. */
	memcpy(&lost, &own, sizeof(own));
	kunit_warning_suppress(test) {
		drm_vmap_move(&own, &own);
		EXPECT_BROKEN(test, "an owned handle is not overwritten");
	}
	KUNIT_EXPECT_EQ(test, refcount_read(&moved->obj.__vmap_users), 1);
	drm_vmap_release(&own);
	KUNIT_EXPECT_EQ(test, refcount_read(&moved->obj.__vmap_users), 1);
	drm_vmap_release(&lost);
	KUNIT_EXPECT_EQ(test, kref_read(&drm_shmem_gem(&moved->obj)->refcount), 1);
}

/* A handle in memory that was never zeroed is not looked at. */
static void owned_never_initialised(struct kunit *test)
{
	static const u8 fills[] = { 0x01, 0x5a, 0xff };
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);
	struct page_map_owned own = {}, junk;

	for (int i = 0; i < ARRAY_SIZE(fills); i++) {
		memset(&junk, fills[i], sizeof(junk));
		kunit_warning_suppress(test) {
			KUNIT_EXPECT_EQ(test, drm_vmap_own(&junk, &bo->obj), -EBUSY);
			EXPECT_BROKEN(test, "an owned handle is not overwritten");
		}
		KUNIT_ASSERT_EQ(test, drm_vmap_own(&own, &bo->obj), 0);
		kunit_warning_suppress(test) {
			drm_vmap_move(&junk, &own);
			EXPECT_BROKEN(test, "an owned handle is not overwritten");
		}
		drm_vmap_write32(&junk, 0, 23);
		drm_vmap_release(&junk);
		KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.__vmap_users), 0);
		KUNIT_EXPECT_EQ(test, kref_read(&drm_shmem_gem(&bo->obj)->refcount), 1);
	}
}

static void owned_cleanup(struct kunit *test)
{
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);

	{
		struct page_map_owned own __cleanup(drm_vmap_cleanup) = {};

		KUNIT_EXPECT_EQ(test, drm_vmap_own(&own, &bo->obj), 0);
		KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.__vmap_users), 1);
	}
	KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.__vmap_users), 0);
}

static u32 takes_page(const struct page_map *map)
{
	return drm_vmap_read32(map, 8);
}

static void narrow(struct kunit *test)
{
	struct test_bo *bo = shmem_test_bo(test, 16 * PAGE_SIZE);
	struct big_map_owned own = {};
	int ret;

	drm_vmap_guard(big_map, map, &bo->obj, ret) {
		drm_vmap_write32(map, 8, 6);
		KUNIT_EXPECT_EQ(test, takes_page(drm_vmap_narrow(page_map, map)), 6);
	}
	KUNIT_ASSERT_EQ(test, ret, 0);
	KUNIT_ASSERT_EQ(test, drm_vmap_own(&own, &bo->obj), 0);
	KUNIT_EXPECT_EQ(test, takes_page(drm_vmap_narrow(page_map, &own)), 6);
	drm_vmap_release(&own);
}

/* A copy of a handle is on the stack, reads and writes like it, and ends nothing. */
static noinline void fill_local(struct kunit *test, const struct page_map *map)
{
	drm_vmap_local(local, map);
	u64 val = 0;

	for (unsigned int i = 0; i < 16; i++)
		drm_vmap_write32(local, i * sizeof(u32), i);
	KUNIT_EXPECT_EQ(test, drm_vmap_try_write64(local, drm_vmap_size(local) - 8, 7), 0);
	KUNIT_EXPECT_EQ(test, drm_vmap_try_read64(local, drm_vmap_size(local) - 8, &val), 0);
	KUNIT_EXPECT_EQ(test, val, 7);
	KUNIT_EXPECT_EQ(test, drm_vmap_try_write8(local, drm_vmap_size(local), 7), -EINVAL);
	KUNIT_EXPECT_PTR_EQ(test, drm_vmap_unsafe_ptr(local), drm_vmap_unsafe_ptr(map));
}

static void local(struct kunit *test)
{
	struct test_bo *bo = shmem_test_bo(test, 16 * PAGE_SIZE);
	struct page_map_owned own = {};

	KUNIT_ASSERT_EQ(test, drm_vmap_own(&own, &bo->obj), 0);
	fill_local(test, drm_vmap_borrow(&own));
	KUNIT_EXPECT_EQ(test, drm_vmap_read32(&own, 60), 15);
	drm_vmap_release(&own);
}

static void locked(struct kunit *test)
{
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);
	struct page_map_owned own = {};
	int ret;

	dma_resv_lock(drm_shmem_gem(&bo->obj)->resv, NULL);
	drm_vmap_guard_locked(page_map, map, &bo->obj, ret) {
		drm_vmap_write32(map, 0, 1);
		KUNIT_EXPECT_EQ(test, drm_vmap_own_locked(&own, &bo->obj), 0);
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, drm_vmap_read32(&own, 0), 1);
	drm_vmap_release_locked(&own);
	dma_resv_unlock(drm_shmem_gem(&bo->obj)->resv);
	KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.base.vmap_use_count), 0);
}

static void wrong_lock(struct kunit *test)
{
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);
	struct page_map_owned own = {};
	int ret;

	/* With lockdep, also where the wrong form would not take the lock. */
	if (IS_ENABLED(CONFIG_PROVE_LOCKING))
		KUNIT_ASSERT_EQ(test, drm_vmap_own(&own, &bo->obj), 0);
	kunit_warning_suppress(test) {
		drm_vmap_guard_locked(page_map, map, &bo->obj, ret)
			KUNIT_FAIL(test, "mapped");
		KUNIT_EXPECT_EQ(test, ret, -EINVAL);
		drm_vmap_guard_locked(page_map, map, &bo->obj.base, ret)
			KUNIT_FAIL(test, "mapped");
		KUNIT_EXPECT_EQ(test, ret, -EINVAL);
		EXPECT_BROKEN_TIMES(test, 2, "a _locked call is made with the reservation lock");
	}
	dma_resv_lock(drm_shmem_gem(&bo->obj)->resv, NULL);
	kunit_warning_suppress(test) {
		drm_vmap_guard(page_map, map, &bo->obj, ret)
			KUNIT_FAIL(test, "mapped");
		KUNIT_EXPECT_EQ(test, ret, -EALREADY);
		drm_vmap_guard(page_map, map, &bo->obj.base, ret)
			KUNIT_FAIL(test, "mapped");
		KUNIT_EXPECT_EQ(test, ret, -EALREADY);
		EXPECT_BROKEN_TIMES(test, 2, "the reservation lock is taken once");
	}
	dma_resv_unlock(drm_shmem_gem(&bo->obj)->resv);
	drm_vmap_release(&own);
}

/* The end of a mapping cannot be refused: it is reported, and done. */
static void wrong_lock_at_end(struct kunit *test)
{
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);
	struct page_map_owned own = {};

	KUNIT_ASSERT_EQ(test, drm_vmap_own(&own, &bo->obj), 0);
	dma_resv_lock(drm_shmem_gem(&bo->obj)->resv, NULL);
	kunit_warning_suppress(test) {
		drm_vmap_release(&own);
		EXPECT_BROKEN(test, "the reservation lock is taken once");
	}
	KUNIT_EXPECT_TRUE(test, dma_resv_is_locked(drm_shmem_gem(&bo->obj)->resv));
	KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.base.vmap_use_count), 0);

	KUNIT_ASSERT_EQ(test, drm_vmap_own_locked(&own, &bo->obj.base), 0);
	dma_resv_unlock(drm_shmem_gem(&bo->obj)->resv);
	kunit_warning_suppress(test) {
		drm_vmap_release_locked(&own);
		EXPECT_BROKEN(test, "a _locked call is made with the reservation lock");
	}
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(drm_shmem_gem(&bo->obj)->resv));
	KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.base.vmap_use_count), 0);
}

static void unsafe_ptr(struct kunit *test)
{
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);
	int ret;

	drm_vmap_guard(page_map, map, &bo->obj, ret) {
		u32 *ptr = drm_vmap_unsafe_ptr(map);

		ptr[3] = 21;
		KUNIT_EXPECT_EQ(test, drm_vmap_read32(map, 12), 21);
		KUNIT_EXPECT_PTR_EQ(test, bo->obj.base.vaddr, (void *)ptr);
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
}

/* The core maps for itself, as a dma-buf does: each before and after the other. */
static void next_to_core(struct kunit *test)
{
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);
	struct drm_gem_shmem_object *shmem = &bo->obj.base;
	struct drm_gem_object *gem = &shmem->base;
	struct page_map_owned own = {};
	struct iosys_map map;

	for (int order = 0; order < 4; order++) {
		if (order & 1)
			KUNIT_ASSERT_EQ(test, drm_vmap_own(&own, &bo->obj), 0);
		KUNIT_ASSERT_EQ(test, drm_gem_vmap(gem, &map), 0);
		if (!(order & 1))
			KUNIT_ASSERT_EQ(test, drm_vmap_own(&own, &bo->obj), 0);
		KUNIT_EXPECT_EQ(test, refcount_read(&shmem->vmap_use_count), 2);
		iosys_map_wr(&map, 0, u32, 31 + order);
		KUNIT_EXPECT_EQ(test, drm_vmap_read32(&own, 0), 31 + order);
		if (order & 2)
			drm_vmap_release(&own);
		drm_gem_vunmap(gem, &map);
		if (!(order & 2)) {
			KUNIT_EXPECT_EQ(test, drm_vmap_read32(&own, 0), 31 + order);
			drm_vmap_release(&own);
		}
		KUNIT_EXPECT_EQ(test, refcount_read(&shmem->vmap_use_count), 0);
		KUNIT_EXPECT_EQ(test, refcount_read(&shmem->pages_pin_count), 0);
	}
}

/* A panic that comes in an interrupt */
struct panic_irq {
	struct hrtimer timer;
	struct drm_shmem_obj *obj;
	struct drm_scanout_buffer *sb;
	struct completion done;
	bool in_irq;
	int ret;
};

static enum hrtimer_restart panic_irq(struct hrtimer *timer)
{
	struct panic_irq *irq = container_of(timer, struct panic_irq, timer);

	irq->in_irq = in_hardirq() && irqs_disabled();
	irq->ret = drm_shmem_panic_scanout(irq->obj, irq->sb);
	complete(&irq->done);
	return HRTIMER_NORESTART;
}

static bool same_scanout(const struct drm_scanout_buffer *a, const struct drm_scanout_buffer *b)
{
	return a->pages == b->pages && iosys_map_is_equal(&a->map[0], &b->map[0]);
}

/*
 * Asks in a task, with interrupts off, and in an interrupt, each without and with the reservation
 * lock held. The answer must be the same. An answer that waits for the lock never comes. With
 * CONFIG_DEBUG_ATOMIC_SLEEP and lockdep, a sleep or a lock that would wait is reported, too.
 */
static int panic_scanout_of(struct kunit *test, struct drm_shmem_obj *obj,
			    struct drm_scanout_buffer *sb)
{
	struct dma_resv *resv = obj->base.base.resv;
	int ret = drm_shmem_panic_scanout(obj, sb);

	for (int locked = 0; locked < 2; locked++) {
		struct drm_scanout_buffer atomic = {}, other = {};
		struct panic_irq irq = { .obj = obj, .sb = &other };
		unsigned long flags;
		int off;

		init_completion(&irq.done);
		hrtimer_setup_on_stack(&irq.timer, panic_irq, CLOCK_MONOTONIC,
				       HRTIMER_MODE_REL_HARD);
		if (locked)
			dma_resv_lock(resv, NULL);
		local_irq_save(flags);
		off = drm_shmem_panic_scanout(obj, &atomic);
		local_irq_restore(flags);
		hrtimer_start(&irq.timer, 0, HRTIMER_MODE_REL_HARD);
		wait_for_completion(&irq.done);
		hrtimer_cancel(&irq.timer);
		if (locked)
			dma_resv_unlock(resv);
		destroy_hrtimer_on_stack(&irq.timer);
		KUNIT_EXPECT_EQ(test, off, ret);
		KUNIT_EXPECT_TRUE(test, irq.in_irq);
		KUNIT_EXPECT_EQ(test, irq.ret, ret);
		KUNIT_EXPECT_TRUE(test, same_scanout(&atomic, sb));
		KUNIT_EXPECT_TRUE(test, same_scanout(&other, sb));
	}
	return ret;
}

/* The target of drm_panic: a mapping, ours or the core's, or pages, or nothing */
static void panic_scanout(struct kunit *test)
{
	struct test_bo *bo = shmem_test_bo(test, 2 * PAGE_SIZE);
	struct drm_gem_object *gem = &bo->obj.base.base;
	struct drm_scanout_buffer sb = {};
	struct page_map_owned own = {};
	struct iosys_map map;

	KUNIT_EXPECT_FALSE(test, drm_shmem_has_vmap(&bo->obj));
	KUNIT_EXPECT_FALSE(test, drm_shmem_has_sgt(&bo->obj));
	KUNIT_EXPECT_EQ(test, panic_scanout_of(test, &bo->obj, &sb), -ENODEV);

	KUNIT_ASSERT_EQ(test, drm_shmem_pin(&bo->obj), 0);
	KUNIT_EXPECT_EQ(test, panic_scanout_of(test, &bo->obj, &sb), 0);
	KUNIT_EXPECT_TRUE(test, iosys_map_is_null(&sb.map[0]));
	KUNIT_EXPECT_PTR_EQ(test, sb.pages, bo->obj.base.pages);
	KUNIT_EXPECT_FALSE(test, drm_shmem_has_vmap(&bo->obj));

	/* The core is just unmapping it. */
	bo->obj.base.vaddr = &sb;
	KUNIT_EXPECT_EQ(test, panic_scanout_of(test, &bo->obj, &sb), 0);
	KUNIT_EXPECT_TRUE(test, iosys_map_is_null(&sb.map[0]));
	bo->obj.base.vaddr = NULL;

	sb = (struct drm_scanout_buffer){};
	KUNIT_ASSERT_EQ(test, drm_gem_vmap(gem, &map), 0);
	KUNIT_EXPECT_EQ(test, panic_scanout_of(test, &bo->obj, &sb), 0);
	KUNIT_EXPECT_PTR_EQ(test, sb.map[0].vaddr, map.vaddr);
	KUNIT_EXPECT_NULL(test, sb.pages);

	sb = (struct drm_scanout_buffer){};
	KUNIT_ASSERT_EQ(test, drm_vmap_own(&own, &bo->obj), 0);
	drm_gem_vunmap(gem, &map);
	KUNIT_EXPECT_TRUE(test, drm_shmem_has_vmap(&bo->obj));
	KUNIT_EXPECT_EQ(test, panic_scanout_of(test, &bo->obj, &sb), 0);
	KUNIT_EXPECT_PTR_EQ(test, sb.map[0].vaddr, drm_vmap_unsafe_ptr(&own));
	KUNIT_EXPECT_FALSE(test, sb.map[0].is_iomem);
	drm_vmap_release(&own);
	drm_shmem_unpin(&bo->obj);
	KUNIT_EXPECT_FALSE(test, drm_shmem_has_vmap(&bo->obj));
}

KUNIT_DEFINE_ACTION_WRAPPER(gem_put, drm_gem_object_put, struct drm_gem_object *);

/* A driver that embeds struct drm_gem_shmem_object and nothing else of ours. */
static void plain_object(struct kunit *test)
{
	struct device *parent = drm_safe_test_parent(test);
	struct drm_device *drm = shmem_test_device(test, parent, drm_safe_test_driver());
	struct drm_gem_shmem_object *shmem = drm_gem_shmem_create(drm, PAGE_SIZE);
	struct page_map_owned own = {};
	int ret;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, shmem);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, gem_put, &shmem->base), 0);

	drm_vmap_guard(page_map, map, shmem, ret) {
		drm_vmap_write32(map, 0, 8);
		KUNIT_EXPECT_EQ(test, refcount_read(&shmem->vmap_use_count), 1);
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	drm_vmap_guard(page_iomap, map, shmem, ret)
		KUNIT_FAIL(test, "mapped");
	KUNIT_EXPECT_EQ(test, ret, -EOPNOTSUPP);
	drm_vmap_guard(big_map, map, shmem, ret)
		KUNIT_FAIL(test, "mapped");
	KUNIT_EXPECT_EQ(test, ret, -ENOSPC);
	KUNIT_EXPECT_EQ(test, refcount_read(&shmem->vmap_use_count), 0);

	KUNIT_ASSERT_EQ(test, drm_vmap_own(&own, shmem), 0);
	KUNIT_EXPECT_EQ(test, kref_read(&shmem->base.refcount), 2);
	KUNIT_EXPECT_EQ(test, drm_vmap_read32(&own, 0), 8);
	drm_vmap_release(&own);
	KUNIT_EXPECT_EQ(test, refcount_read(&shmem->vmap_use_count), 0);
	KUNIT_EXPECT_EQ(test, kref_read(&shmem->base.refcount), 1);
}

static int static_vmap(struct drm_gem_object *gem, struct iosys_map *map)
{
	static u8 memory[PAGE_SIZE];

	iosys_map_set_vaddr(map, memory);
	return 0;
}

/* An object of a driver that maps it for good */
static void no_vunmap_callback(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_gem_shmem_object *shmem = kunit_kzalloc(test, sizeof(*shmem), GFP_KERNEL);
	static const struct drm_gem_object_funcs funcs = { .vmap = static_vmap };
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, shmem);
	shmem->base.funcs = &funcs;
	drm_gem_private_object_init(t->drm, &shmem->base, PAGE_SIZE);
	for (unsigned int i = 0; i < 2; i++) {
		drm_vmap_guard(page_map, map, shmem, ret) {
			KUNIT_EXPECT_EQ(test, drm_vmap_read32(map, 0), i);
			drm_vmap_write32(map, 0, i + 1);
		}
		KUNIT_EXPECT_EQ(test, ret, 0);
	}
	drm_gem_private_object_fini(&shmem->base);
}

static void no_vmap_callback(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_gem_shmem_object *shmem = kunit_kzalloc(test, sizeof(*shmem), GFP_KERNEL);
	static const struct drm_gem_object_funcs none;
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, shmem);
	shmem->base.funcs = &none;
	drm_gem_private_object_init(t->drm, &shmem->base, PAGE_SIZE);
	drm_vmap_guard(page_map, map, shmem, ret)
		KUNIT_FAIL(test, "mapped");
	KUNIT_EXPECT_EQ(test, ret, -EOPNOTSUPP);
	drm_gem_private_object_fini(&shmem->base);
}

/* The last reference goes while a scope still borrows: leaked, not freed. */
static void borrowed_outlives(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo *bo = test_bo_new(t->drm, PAGE_SIZE, NULL);
	int ret;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	drm_vmap_guard(page_map, map, &bo->obj, ret) {
		kunit_warning_suppress(test) {
			drm_shmem_put(&bo->obj);
			EXPECT_BROKEN(test, "a borrowed mapping does not keep the object");
		}
		KUNIT_EXPECT_EQ(test, t->live, 1);
		drm_vmap_write32(map, 0, 1);
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	/* Free it after all. */
	kref_init(&drm_shmem_gem(&bo->obj)->refcount);
	drm_shmem_put(&bo->obj);
	KUNIT_EXPECT_EQ(test, t->live, 0);
}

static struct test_bo *import_iomem(struct kunit *test, struct shmem_test_export *e,
				    struct dma_buf **dmabuf)
{
	struct shmem_test *t = test->priv;
	struct test_bo *bo;

	e->iomem = true;
	*dmabuf = shmem_test_export(test, e, 2 * PAGE_SIZE);
	bo = shmem_test_import(test, t->drm, *dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	return bo;
}

/* An imported object has no pages, and its mapping may be I/O memory. */
static void panic_scanout_import(struct kunit *test)
{
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf;
	struct test_bo *bo = import_iomem(test, &e, &dmabuf);
	struct drm_scanout_buffer sb = {};
	struct page_iomap_owned own = {};

	KUNIT_EXPECT_EQ(test, panic_scanout_of(test, &bo->obj, &sb), -ENODEV);
	KUNIT_ASSERT_EQ(test, drm_vmap_own(&own, &bo->obj), 0);
	KUNIT_EXPECT_EQ(test, panic_scanout_of(test, &bo->obj, &sb), 0);
	KUNIT_EXPECT_TRUE(test, sb.map[0].is_iomem);
	KUNIT_EXPECT_FALSE(test, iosys_map_is_null(&sb.map[0]));
	drm_vmap_release(&own);
	drm_shmem_put(&bo->obj);
	shmem_test_export_put(dmabuf);
}

/* An exporter whose wait a signal ends is asked again, though that is not the signal's end. */
static void import_signal_is_pending(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct shmem_test_export e = { .vmap_signals = 2 };
	struct dma_buf *dmabuf = shmem_test_export(test, &e, 2 * PAGE_SIZE);
	struct test_bo *bo = shmem_test_import(test, t->drm, dmabuf);
	struct iosys_map map;
	int ret;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	set_thread_flag(TIF_SIGPENDING);
	/* dma_buf_vmap() warns of each error. */
	kunit_warning_suppress(test) {
		drm_vmap_guard(page_map, m, &bo->obj, ret)
			KUNIT_EXPECT_EQ(test, e.vmapped, 1);
		KUNIT_EXPECT_EQ(test, ret, 0);
		KUNIT_EXPECT_EQ(test, e.vmap_signals, 0);
		e.vmap_signals = 2;
		KUNIT_EXPECT_EQ(test, drm_gem_vmap(drm_shmem_gem(&bo->obj), &map), 0);
		drm_gem_vunmap(drm_shmem_gem(&bo->obj), &map);
	}
	clear_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_EQ(test, e.vmapped, 0);
	drm_shmem_put(&bo->obj);
	shmem_test_export_put(dmabuf);
}

/* An unplug may wait for the section of a task that asks again and again. */
static void import_signal_after_unplug(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct shmem_test_export e = { .vmap_signals = 1 };
	struct dma_buf *dmabuf = shmem_test_export(test, &e, 2 * PAGE_SIZE);
	struct test_bo *bo = shmem_test_import(test, t->drm, dmabuf);
	int ret;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	KUNIT_ASSERT_EQ(test, drm_dev_ctx_unregister(test_ctx(t->drm)), 0);
	set_thread_flag(TIF_SIGPENDING);
	/* dma_buf_vmap() warns of each error. */
	kunit_warning_suppress(test) {
		drm_vmap_guard(page_map, m, &bo->obj, ret)
			KUNIT_FAIL(test, "the exporter was asked again");
		KUNIT_EXPECT_EQ(test, ret, -ENODEV);
		/* The memory is there. */
		drm_vmap_guard(page_map, m, &bo->obj, ret)
			KUNIT_EXPECT_EQ(test, e.vmapped, 1);
		KUNIT_EXPECT_EQ(test, ret, 0);
	}
	clear_thread_flag(TIF_SIGPENDING);
	drm_shmem_put(&bo->obj);
	shmem_test_export_put(dmabuf);
}

/* An atomic commit would take -EDEADLK for contention of its own locks. */
static void import_wait_fails(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct shmem_test_export e = { .vmap_ret = -EDEADLK };
	struct dma_buf *dmabuf = shmem_test_export(test, &e, 2 * PAGE_SIZE);
	struct test_bo *bo = shmem_test_import(test, t->drm, dmabuf);
	int ret;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	kunit_warning_suppress(test)
		drm_vmap_guard(page_map, m, &bo->obj, ret)
			KUNIT_FAIL(test, "the exporter has not mapped it");
	KUNIT_EXPECT_EQ(test, ret, -EAGAIN);
	drm_shmem_put(&bo->obj);
	shmem_test_export_put(dmabuf);
}

/* A killed task waits for the exporter neither to map nor to unmap. */
static void import_killed(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, 2 * PAGE_SIZE);
	struct test_bo *bo = shmem_test_import(test, t->drm, dmabuf);
	struct shmem_test_holder *holder;
	struct page_map_owned own = {};

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	KUNIT_ASSERT_EQ(test, drm_vmap_own(&own, &bo->obj), 0);
	holder = shmem_test_hold(test, dmabuf->resv);
	sigaddset(&current->pending.signal, SIGKILL);
	set_thread_flag(TIF_SIGPENDING);
	drm_vmap_release(&own);
	KUNIT_EXPECT_EQ(test, e.vmapped, 1);
	/* It has a reference of its own. */
	drm_shmem_put(&bo->obj);
	KUNIT_EXPECT_EQ(test, t->live, 1);
	sigdelset(&current->pending.signal, SIGKILL);
	clear_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_TRUE(test, shmem_test_leave(holder));
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, e.vmapped, 0);
	KUNIT_EXPECT_EQ(test, t->live, 0);
	shmem_test_export_put(dmabuf);
	KUNIT_EXPECT_TRUE(test, e.released);
}

static noinline_for_stack void iomem_copies(struct kunit *test, const struct page_iomap *map)
{
	u8 buf[600], back[600];

	get_random_bytes(buf, sizeof(buf));
	KUNIT_EXPECT_EQ(test, drm_vmap_copy_to(map, 100, buf, sizeof(buf)), 0);
	KUNIT_EXPECT_EQ(test, drm_vmap_copy_from(map, 100, back, sizeof(back)), 0);
	KUNIT_EXPECT_MEMEQ(test, buf, back, sizeof(buf));
}

static void iomem_rw(struct kunit *test)
{
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf;
	struct test_bo *bo = import_iomem(test, &e, &dmabuf);
	struct page_iomap_owned own = {};
	u64 val = 0;
	int ret;

	drm_vmap_guard(page_iomap, map, &bo->obj, ret) {
		drm_vmap_write8(map, 1, 0x11);
		drm_vmap_write16(map, 2, 0x2222);
		drm_vmap_write32(map, 4, 0x33333333);
		drm_vmap_write64(map, 8, 0x4444444455555555);
		KUNIT_EXPECT_EQ(test, drm_vmap_read8(map, 1), 0x11);
		KUNIT_EXPECT_EQ(test, drm_vmap_read16(map, 2), 0x2222);
		KUNIT_EXPECT_EQ(test, drm_vmap_read32(map, 4), 0x33333333);
		KUNIT_EXPECT_EQ(test, drm_vmap_read64(map, 8), 0x4444444455555555);
		drm_vmap_write_field(map, struct test_hdr, ring[1], 66);
		KUNIT_EXPECT_EQ(test, drm_vmap_read_field(map, struct test_hdr, ring[1]), 66);
		KUNIT_EXPECT_EQ(test, drm_vmap_try_read64(map, 2 * PAGE_SIZE, &val), -EINVAL);
		KUNIT_EXPECT_EQ(test, drm_vmap_try_write64(map, 2 * PAGE_SIZE - 8, 7), 0);
		KUNIT_EXPECT_EQ(test, drm_vmap_try_read64(map, 2 * PAGE_SIZE - 8, &val), 0);
		KUNIT_EXPECT_EQ(test, val, 7);
		KUNIT_EXPECT_TRUE(test, drm_vmap_unsafe_map(map).is_iomem);

		iomem_copies(test, map);
		KUNIT_EXPECT_EQ(test, drm_vmap_fill(map, 0, 0x77, 2 * PAGE_SIZE), 0);
		KUNIT_EXPECT_EQ(test, drm_vmap_read32(map, 400), 0x77777777);
		KUNIT_EXPECT_EQ(test, drm_vmap_fill(map, 1, 0, 2 * PAGE_SIZE), -EINVAL);
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, e.vmapped, 0);

	KUNIT_EXPECT_EQ(test, drm_vmap_own(&own, &bo->obj), 0);
	KUNIT_EXPECT_EQ(test, drm_vmap_read32(drm_vmap_borrow(&own), 400), 0x77777777);
	drm_shmem_put(&bo->obj);
	KUNIT_EXPECT_EQ(test, e.vmapped, 1);
	drm_vmap_release(&own);
	KUNIT_EXPECT_EQ(test, e.vmapped, 0);
	shmem_test_export_put(dmabuf);
	KUNIT_EXPECT_TRUE(test, e.released);
}

static void iomem_is_not_sysmem(struct kunit *test)
{
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf;
	struct test_bo *bo = import_iomem(test, &e, &dmabuf);
	struct page_map_owned own = {};
	int ret;

	drm_vmap_guard(page_map, map, &bo->obj, ret)
		KUNIT_FAIL(test, "mapped");
	KUNIT_EXPECT_EQ(test, ret, -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, drm_vmap_own(&own, &bo->obj), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, e.vmapped, 0);
	/* The same through the raw object */
	drm_vmap_guard(page_map, map, &bo->obj.base, ret)
		KUNIT_FAIL(test, "mapped");
	KUNIT_EXPECT_EQ(test, ret, -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, e.vmapped, 0);
	drm_shmem_put(&bo->obj);
	shmem_test_export_put(dmabuf);
}

static u32 either_sum(const struct page_anymap *map)
{
	return drm_vmap_read32(map, 0) + drm_vmap_read8(map, 8);
}

static void either(struct kunit *test)
{
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf;
	struct test_bo *bos[] = { import_iomem(test, &e, &dmabuf), shmem_test_bo(test,
										 2 * PAGE_SIZE) };
	u16 val = 0;
	int ret;

	for (int i = 0; i < 2; i++) {
		drm_vmap_guard(page_anymap, map, &bos[i]->obj, ret) {
			drm_vmap_write32(map, 0, 1000);
			drm_vmap_write8(map, 8, 23);
			KUNIT_EXPECT_EQ(test, either_sum(map), 1023);
			KUNIT_EXPECT_EQ(test, drm_vmap_try_read16(map, 0, &val), 0);
			KUNIT_EXPECT_EQ(test, val, 1000);
			KUNIT_EXPECT_EQ(test, drm_vmap_unsafe_map(map).is_iomem, !i);
		}
		KUNIT_EXPECT_EQ(test, ret, 0);
	}
	drm_shmem_put(&bos[0]->obj);
	shmem_test_export_put(dmabuf);
}

/* The error of an exporter is returned, and nothing is left behind. */
static void exporter_fails(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct shmem_test_export e = { .vmap_ret = -EREMOTEIO };
	struct dma_buf *dmabuf = shmem_test_export(test, &e, PAGE_SIZE);
	struct test_bo *bo = shmem_test_import(test, t->drm, dmabuf);
	int ret;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	/* The core warns. */
	kunit_warning_suppress(test) {
		drm_vmap_guard(page_map, map, &bo->obj, ret)
			KUNIT_FAIL(test, "mapped");
	}
	KUNIT_EXPECT_EQ(test, ret, -EREMOTEIO);
	KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.__vmap_users), 0);
	e.vmap_ret = 0;
	drm_vmap_guard(page_map, map, &bo->obj, ret)
		drm_vmap_write32(map, 0, 1);
	KUNIT_EXPECT_EQ(test, ret, 0);
	drm_shmem_put(&bo->obj);
	shmem_test_export_put(dmabuf);
	KUNIT_EXPECT_EQ(test, e.vmapped, 0);
}

/* Nothing is mapped, whatever the exporter says; and nothing of it stays. */
static void exporter_gives_null(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct shmem_test_export e = { .null_map = true };
	struct dma_buf *dmabuf = shmem_test_export(test, &e, PAGE_SIZE);
	struct test_bo *bo = shmem_test_import(test, t->drm, dmabuf);
	struct iosys_map core;
	int ret;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	for (int i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, drm_gem_vmap(drm_shmem_gem(&bo->obj), &core), -ENOMEM);
		drm_vmap_guard(page_map, map, &bo->obj, ret)
			KUNIT_FAIL(test, "mapped");
		KUNIT_EXPECT_EQ(test, ret, -ENOMEM);
		drm_vmap_guard(page_map, map, &bo->obj.base, ret)
			KUNIT_FAIL(test, "mapped");
		KUNIT_EXPECT_EQ(test, ret, -ENOMEM);
	}
	KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.__vmap_users), 0);
	e.null_map = false;
	drm_vmap_guard(page_map, map, &bo->obj, ret)
		drm_vmap_write32(map, 0, 1);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, e.vmapped, 0);
	drm_shmem_put(&bo->obj);
	shmem_test_export_put(dmabuf);
}

/* The core's size of an imported object is whole pages; the exporter has less. */
static void import_is_no_whole_pages(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, 100);
	struct test_bo *bo = shmem_test_import(test, t->drm, dmabuf);
	struct page_map_owned own = {};
	u8 buf[128] = {};
	u32 val = 5;
	int ret;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	KUNIT_EXPECT_EQ(test, drm_shmem_size(&bo->obj), 100);
	drm_vmap_guard(page_map, map, &bo->obj, ret)
		KUNIT_FAIL(test, "mapped");
	KUNIT_EXPECT_EQ(test, ret, -ENOSPC);
	drm_vmap_guard(page_map, map, &bo->obj.base, ret)
		KUNIT_FAIL(test, "mapped");
	KUNIT_EXPECT_EQ(test, ret, -ENOSPC);
	KUNIT_EXPECT_EQ(test, drm_vmap_own(&own, &bo->obj), -ENOSPC);
	KUNIT_EXPECT_EQ(test, e.vmapped, 0);

	drm_vmap_guard(small_map, map, &bo->obj, ret) {
		KUNIT_EXPECT_EQ(test, drm_vmap_size(map), 100);
		KUNIT_EXPECT_EQ(test, drm_vmap_try_write32(map, 96, 7), 0);
		KUNIT_EXPECT_EQ(test, drm_vmap_try_read32(map, 96, &val), 0);
		KUNIT_EXPECT_EQ(test, val, 7);
		KUNIT_EXPECT_EQ(test, drm_vmap_try_write32(map, 100, 1), -EINVAL);
		KUNIT_EXPECT_EQ(test, drm_vmap_try_write64(map, 96, 1), -EINVAL);
		KUNIT_EXPECT_EQ(test, table_write(map, 11, 1), -EINVAL);
		KUNIT_EXPECT_EQ(test, drm_vmap_copy_to(map, 0, buf, 100), 0);
		KUNIT_EXPECT_EQ(test, drm_vmap_copy_to(map, 0, buf, 101), -EINVAL);
		KUNIT_EXPECT_EQ(test, drm_vmap_fill(map, 100, 0, 1), -EINVAL);
		KUNIT_EXPECT_EQ(test, drm_vmap_from_user(map, 99, NULL, 2), -EINVAL);
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	drm_vmap_guard(small_anymap, map, &bo->obj, ret)
		KUNIT_EXPECT_EQ(test, drm_vmap_size(map), 100);
	KUNIT_EXPECT_EQ(test, ret, 0);
	drm_vmap_guard(small_map, map, &bo->obj.base, ret)
		KUNIT_EXPECT_EQ(test, drm_vmap_size(map), 100);
	KUNIT_EXPECT_EQ(test, ret, 0);
	drm_vmap_guard(small_iomap, map, &bo->obj, ret)
		KUNIT_FAIL(test, "mapped");
	KUNIT_EXPECT_EQ(test, ret, -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, e.vmapped, 0);

	e.iomem = true;
	drm_vmap_guard(small_iomap, map, &bo->obj, ret)
		KUNIT_EXPECT_EQ(test, drm_vmap_size(map), 100);
	KUNIT_EXPECT_EQ(test, ret, 0);
	drm_vmap_guard(page_iomap, map, &bo->obj, ret)
		KUNIT_FAIL(test, "mapped");
	KUNIT_EXPECT_EQ(test, ret, -ENOSPC);
	KUNIT_EXPECT_EQ(test, e.vmapped, 0);
	drm_shmem_put(&bo->obj);
	shmem_test_export_put(dmabuf);
}

static unsigned long user_pages(struct kunit *test)
{
	unsigned long addr = kunit_vm_mmap(test, NULL, 0, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE,
					   MAP_ANONYMOUS | MAP_PRIVATE, 0);

	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	KUNIT_ASSERT_NE(test, addr, 0);
	KUNIT_ASSERT_EQ(test, put_user(0x01010101, (u32 __user *)(addr + PAGE_SIZE - 4)), 0);
	KUNIT_ASSERT_EQ(test, vm_munmap(addr + PAGE_SIZE, PAGE_SIZE), 0);
	return addr;
}

/* The bytes after a fault do not change. */
static void user_fault_keeps(struct kunit *test)
{
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);
	unsigned long addr = user_pages(test);
	int ret;

	drm_vmap_or(page_map, map, &bo->obj, ret,
		    KUNIT_FAIL(test, "vmap: %d", ret); return);
	KUNIT_ASSERT_EQ(test, drm_vmap_fill(map, 0, 0x5a, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, drm_vmap_from_user(map, 0, (void __user *)(addr + PAGE_SIZE), 64),
			-EFAULT);
	KUNIT_EXPECT_EQ(test, drm_vmap_read64(map, 0), 0x5a5a5a5a5a5a5a5a);
	KUNIT_EXPECT_EQ(test, drm_vmap_from_user(map, 64,
						 (void __user *)(addr + PAGE_SIZE - 4), 64),
			-EFAULT);
	KUNIT_EXPECT_EQ(test, drm_vmap_read64(map, 72), 0x5a5a5a5a5a5a5a5a);
	KUNIT_EXPECT_EQ(test, drm_vmap_read64(map, 120), 0x5a5a5a5a5a5a5a5a);
	/* No address of userspace at all */
	KUNIT_EXPECT_EQ(test, drm_vmap_from_user(map, 0, (void __user *)(TASK_SIZE - 4), 64),
			-EFAULT);
	KUNIT_EXPECT_EQ(test, drm_vmap_read64(map, 8), 0x5a5a5a5a5a5a5a5a);
}

/* The page fault of a copy may wait for the lock, so that it is not begun. */
static void user_under_lock(struct kunit *test)
{
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf;
	struct test_bo *bos[] = { shmem_test_bo(test, 2 * PAGE_SIZE), import_iomem(test, &e,
										   &dmabuf) };
	void __user *user = (void __user *)user_pages(test);
	u32 val;
	int ret;

	for (int i = 0; i < ARRAY_SIZE(bos); i++) {
		struct dma_resv *resv = drm_shmem_gem(&bos[i]->obj)->resv;

		drm_vmap_guard(page_anymap, map, &bos[i]->obj, ret) {
			drm_vmap_write32(map, 0, 3);
			dma_resv_lock(resv, NULL);
			kunit_warning_suppress(test) {
				ret = drm_vmap_from_user(map, 0, user, 4);
				KUNIT_EXPECT_EQ(test, ret, -EALREADY);
				ret = drm_vmap_to_user(map, 0, user, 4);
				KUNIT_EXPECT_EQ(test, ret, -EALREADY);
				EXPECT_BROKEN_TIMES(test, 2,
						    "userspace is copied without the reservation lock");
			}
			dma_resv_unlock(resv);
			KUNIT_EXPECT_EQ(test, drm_vmap_read32(map, 0), 3);
			KUNIT_EXPECT_EQ(test, get_user(val, (u32 __user *)user), 0);
			KUNIT_EXPECT_EQ(test, val, 0);
			ret = drm_vmap_from_user(map, 0, user, 4);
		}
		KUNIT_EXPECT_EQ(test, ret, 0);
	}
	drm_shmem_put(&bos[1]->obj);
	shmem_test_export_put(dmabuf);
}

/* As many bytes as no copy of the kernel takes at once, and as no test has */
static void user_huge(struct kunit *test)
{
	const u64 len = (u64)INT_MAX + 1;
	u32 __user *user = (u32 __user *)user_pages(test);
	u32 *mem = kvzalloc(SZ_2M, GFP_KERNEL);
	struct drm_vmap h = {
		.addr = mem, .size = len, .shmem = &shmem_test_bo(test, PAGE_SIZE)->obj.base,
	};
	u32 val = 0;

	KUNIT_ASSERT_NOT_NULL(test, mem);
	kunit_warning_suppress(test) {
		*mem = 4711;
		KUNIT_EXPECT_EQ(test, __drm_vmap_to_user(&h, 0, user, len), -EFAULT);
		KUNIT_EXPECT_EQ(test, get_user(val, user), 0);
		KUNIT_EXPECT_EQ(test, val, 4711);
		*mem = 0;
		KUNIT_EXPECT_EQ(test, __drm_vmap_from_user(&h, 0, user, len), -EFAULT);
		KUNIT_EXPECT_EQ(test, *mem, 4711);
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 0);
	}
	kvfree(mem);
}

/* More than one piece */
static void user_pieces(struct kunit *test)
{
	const size_t size = SZ_2M + PAGE_SIZE;
	struct test_bo *bo = shmem_test_bo(test, size);
	unsigned long addr = kunit_vm_mmap(test, NULL, 0, size, PROT_READ | PROT_WRITE,
					   MAP_ANONYMOUS | MAP_PRIVATE, 0);
	void __user *user = (void __user *)addr;
	int ret;

	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	KUNIT_ASSERT_NE(test, addr, 0);
	for (u32 off = 0; off < size; off += SZ_1K)
		KUNIT_EXPECT_EQ(test, put_user(off, (u32 __user *)(addr + off)), 0);
	drm_vmap_guard(page_map, map, &bo->obj, ret) {
		KUNIT_EXPECT_EQ(test, drm_vmap_from_user(map, 0, user, size), 0);
		KUNIT_EXPECT_EQ(test, clear_user(user, size), 0);
		KUNIT_EXPECT_EQ(test, drm_vmap_to_user(map, 0, user, size), 0);
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	for (u32 off = 0, val = 0; off < size; off += SZ_1K) {
		KUNIT_EXPECT_EQ(test, get_user(val, (u32 __user *)(addr + off)), 0);
		KUNIT_EXPECT_EQ(test, val, off);
	}
}

static void user_copy(struct kunit *test, struct drm_shmem_obj *obj)
{
	unsigned long addr = kunit_vm_mmap(test, NULL, 0, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE,
					   MAP_ANONYMOUS | MAP_PRIVATE, 0);
	void __user *user = (void __user *)addr;
	u32 val = 0;
	int ret;

	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	KUNIT_ASSERT_NE(test, addr, 0);
	KUNIT_ASSERT_EQ(test, put_user(0xabcdef01, (u32 __user *)(addr + 700)), 0);
	drm_vmap_guard(page_anymap, map, obj, ret) {
		KUNIT_EXPECT_EQ(test, drm_vmap_from_user(map, 8, user, 1000), 0);
		KUNIT_EXPECT_EQ(test, drm_vmap_read32(map, 708), 0xabcdef01);
		KUNIT_EXPECT_EQ(test, drm_vmap_to_user(map, 708, user + 4, 4), 0);
		KUNIT_EXPECT_EQ(test, get_user(val, (u32 __user *)(addr + 4)), 0);
		KUNIT_EXPECT_EQ(test, val, 0xabcdef01);

		KUNIT_EXPECT_EQ(test, drm_vmap_from_user(map, 2 * PAGE_SIZE - 1, user, 2), -EINVAL);
		KUNIT_EXPECT_EQ(test, drm_vmap_to_user(map, 1, user, SIZE_MAX), -EINVAL);
		KUNIT_EXPECT_EQ(test, drm_vmap_to_user(map, 2 * PAGE_SIZE, user, 0), 0);
		/* Past the end of the mapping */
		KUNIT_EXPECT_EQ(test, vm_munmap(addr, 2 * PAGE_SIZE), 0);
		KUNIT_EXPECT_EQ(test, drm_vmap_from_user(map, 0, user, 8), -EFAULT);
		KUNIT_EXPECT_EQ(test, drm_vmap_to_user(map, 0, user, 8), -EFAULT);
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
}

static void user_sysmem(struct kunit *test)
{
	user_copy(test, &shmem_test_bo(test, 2 * PAGE_SIZE)->obj);
}

static void user_iomem(struct kunit *test)
{
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf;
	struct test_bo *bo = import_iomem(test, &e, &dmabuf);

	user_copy(test, &bo->obj);
	drm_shmem_put(&bo->obj);
	shmem_test_export_put(dmabuf);
}

/* A mapping needs neither the file nor the registration nor the binding. */
static void outlives_device(struct kunit *test)
{
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);
	struct page_map_owned own = {};
	int ret;

	KUNIT_ASSERT_EQ(test, drm_vmap_own(&own, &bo->obj), 0);
	shmem_test_unbind(test);
	drm_vmap_write32(&own, 0, 4);
	KUNIT_EXPECT_EQ(test, drm_vmap_read32(&own, 0), 4);
	drm_vmap_release(&own);
	drm_vmap_guard(page_map, map, &bo->obj, ret)
		KUNIT_EXPECT_EQ(test, drm_vmap_read32(map, 0), 4);
	KUNIT_EXPECT_EQ(test, ret, 0);
}

static struct kunit_case drm_shmem_vmap_cases[] = {
	KUNIT_CASE(borrowed_rw),
	KUNIT_CASE(borrowed_scope),
	KUNIT_CASE(too_small),
	KUNIT_CASE(wrong_kind),
	KUNIT_CASE(fields),
	KUNIT_CASE(types),
	KUNIT_CASE(elements_beyond_minimum),
	KUNIT_CASE(checked),
	KUNIT_CASE(limit),
	KUNIT_CASE(empty),
	KUNIT_CASE(empty_hits_nothing),
	KUNIT_CASE(wide_offsets),
	KUNIT_CASE(bulk),
	KUNIT_CASE(owned),
	KUNIT_CASE(owned_overwritten),
	KUNIT_CASE(owned_never_initialised),
	KUNIT_CASE(owned_cleanup),
	KUNIT_CASE(narrow),
	KUNIT_CASE(local),
	KUNIT_CASE(locked),
	KUNIT_CASE(wrong_lock),
	KUNIT_CASE(wrong_lock_at_end),
	KUNIT_CASE(unsafe_ptr),
	KUNIT_CASE(next_to_core),
	KUNIT_CASE(panic_scanout),
	KUNIT_CASE(panic_scanout_import),
	KUNIT_CASE(import_signal_is_pending),
	KUNIT_CASE(import_signal_after_unplug),
	KUNIT_CASE(import_wait_fails),
	KUNIT_CASE(import_killed),
	KUNIT_CASE(plain_object),
	KUNIT_CASE(no_vmap_callback),
	KUNIT_CASE(no_vunmap_callback),
	KUNIT_CASE(borrowed_outlives),
	KUNIT_CASE(iomem_rw),
	KUNIT_CASE(iomem_is_not_sysmem),
	KUNIT_CASE(either),
	KUNIT_CASE(exporter_fails),
	KUNIT_CASE(exporter_gives_null),
	KUNIT_CASE(import_is_no_whole_pages),
	KUNIT_CASE(user_fault_keeps),
	KUNIT_CASE(user_under_lock),
	KUNIT_CASE(user_huge),
	KUNIT_CASE(user_pieces),
	KUNIT_CASE(user_sysmem),
	KUNIT_CASE(user_iomem),
	KUNIT_CASE(outlives_device),
	{}
};

static struct kunit_suite drm_shmem_vmap_suite = {
	.name = "drm_shmem_vmap",
	.suite_init = shmem_test_io_init,
	.suite_exit = shmem_test_io_exit,
	.init = shmem_test_init,
	.test_cases = drm_shmem_vmap_cases,
};

kunit_test_suite(drm_shmem_vmap_suite);
