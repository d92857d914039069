// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Views of a part of a mapping: drm_vmap_view.h
 */

#include <linux/sizes.h>

#include "drm_shmem_internal.h"
#include "drm_shmem_test.h"

/* Where the mappings end: an object is whole pages. */
#define VIEW_END	(2 * PAGE_SIZE)

/* Twelve bytes: each second one is at no multiple of 8. */
struct view_slot {
	u32 seq;
	u16 cmd;
	u8 flags;
	u8 pad;
	u32 arg;
};

struct view_ring_mem {
	u64 head;
	struct view_slot slots[32];
	struct view_slot last;
};

struct view_ring {
	DRM_VMAP(SZ_4K);
};

struct view_ring_owned {
	DRM_VMAP_OWNED(struct view_ring);
};

struct view_slot_view {
	DRM_VMAP_VIEW(struct view_ring, struct view_slot);
};

struct view_part {
	DRM_VMAP(64);
};

struct view_read_part {
	DRM_VMAP_CONST(64);
};

/* A view of a view */
struct view_arg {
	u32 val;
};

struct view_arg_view {
	DRM_VMAP_VIEW(struct view_slot_view, struct view_arg);
};

static void view_constant(struct kunit *test)
{
	struct test_bo *bo = shmem_test_bo(test, VIEW_END);
	int ret;

	drm_vmap_or(view_ring, ring, &bo->obj, ret, KUNIT_FAIL(test, "vmap: %d", ret); return);
	drm_vmap_view(view_slot_view, slot, ring, offsetof(struct view_ring_mem, last));
	drm_vmap_set(slot, seq, 1);
	drm_vmap_set(slot, cmd, 2);
	drm_vmap_set(slot, flags, 3);
	drm_vmap_set(slot, arg, 4);
	KUNIT_EXPECT_EQ(test, drm_vmap_read_field(ring, struct view_ring_mem, last.seq), 1);
	KUNIT_EXPECT_EQ(test, drm_vmap_read_field(ring, struct view_ring_mem, last.cmd), 2);
	KUNIT_EXPECT_EQ(test, drm_vmap_read_field(ring, struct view_ring_mem, last.flags), 3);
	KUNIT_EXPECT_EQ(test, drm_vmap_read_field(ring, struct view_ring_mem, last.arg), 4);
	KUNIT_EXPECT_EQ(test, drm_vmap_get(slot, cmd), 2);

	/* It has no more than the structure. */
	KUNIT_EXPECT_EQ(test, drm_vmap_size(slot), sizeof(struct view_slot));
	KUNIT_EXPECT_EQ(test, drm_vmap_try_write32(slot, sizeof(struct view_slot), 9), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_vmap_fill(slot, 0, 0, sizeof(struct view_slot) + 1), -EINVAL);

	drm_vmap_view(view_arg_view, arg, slot, offsetof(struct view_slot, arg));
	drm_vmap_set(arg, val, 5);
	KUNIT_EXPECT_EQ(test, drm_vmap_get(slot, arg), 5);
}

static int view_set_seq(const struct view_ring *ring, u64 off, u32 seq)
{
	drm_vmap_view_or(view_slot_view, slot, ring, off, return -EINVAL);
	drm_vmap_set(slot, seq, seq);
	return 0;
}

static int view_set_elem(const struct view_ring *ring, u64 idx, u32 seq)
{
	drm_vmap_view_elem_or(view_slot_view, s, ring, struct view_ring_mem, slots, idx, return -1);
	drm_vmap_set(s, seq, seq);
	return 0;
}

static void view_any_offset(struct kunit *test)
{
	static const u64 bad[] = {
		1, 2, 6, VIEW_END - sizeof(struct view_slot) + 4, VIEW_END - 4, VIEW_END,
		VIEW_END + 4, BIT_ULL(32), U64_MAX - 3, U64_MAX,
	};
	struct test_bo *bo = shmem_test_bo(test, VIEW_END);
	int ret;

	drm_vmap_or(view_ring, ring, &bo->obj, ret, KUNIT_FAIL(test, "vmap: %d", ret); return);
	/* Multiples of 4, which the structure is aligned to, up to the mapping's end */
	KUNIT_EXPECT_EQ(test, view_set_seq(ring, 0, 1), 0);
	KUNIT_EXPECT_EQ(test, view_set_seq(ring, 20, 2), 0);
	KUNIT_EXPECT_EQ(test, view_set_seq(ring, VIEW_END - sizeof(struct view_slot), 3), 0);
	KUNIT_EXPECT_EQ(test, drm_vmap_read32(ring, 20), 2);
	for (int i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ_MSG(test, view_set_seq(ring, bad[i], 9), -EINVAL, "%llu", bad[i]);
}

static void view_elements(struct kunit *test)
{
	struct test_bo *bo = shmem_test_bo(test, VIEW_END);
	int ret;

	drm_vmap_or(view_ring, ring, &bo->obj, ret, KUNIT_FAIL(test, "vmap: %d", ret); return);
	for (u32 i = 0; i < 32; i++)
		KUNIT_EXPECT_EQ(test, view_set_elem(ring, i, i + 1), 0);
	KUNIT_EXPECT_EQ(test, view_set_elem(ring, 32, 9), -1);
	KUNIT_EXPECT_EQ(test, view_set_elem(ring, BIT_ULL(32), 9), -1);
	KUNIT_EXPECT_EQ(test, view_set_elem(ring, U64_MAX, 9), -1);
	KUNIT_EXPECT_EQ(test, drm_vmap_read_field(ring, struct view_ring_mem, slots[31].seq), 32);
	KUNIT_EXPECT_EQ(test, drm_vmap_read_field(ring, struct view_ring_mem, last.seq), 0);
}

static int view_number(const struct view_ring *ring, u64 off, u64 count, u32 *seen)
{
	int ret;

	*seen = 0;
	drm_vmap_view_for_each(view_slot_view, slot, ring, off, count, ret)
		drm_vmap_set(slot, seq, ++*seen);
	return ret;
}

static void view_loop(struct kunit *test)
{
	const u64 off = offsetof(struct view_ring_mem, slots);
	const u64 fit = (VIEW_END - off) / sizeof(struct view_slot);
	struct test_bo *bo = shmem_test_bo(test, VIEW_END);
	u32 seen;
	int ret;

	drm_vmap_or(view_ring, ring, &bo->obj, ret, KUNIT_FAIL(test, "vmap: %d", ret); return);
	KUNIT_EXPECT_EQ(test, view_number(ring, off, 32, &seen), 0);
	KUNIT_EXPECT_EQ(test, seen, 32);
	KUNIT_EXPECT_EQ(test, drm_vmap_read_field(ring, struct view_ring_mem, slots[0].seq), 1);
	KUNIT_EXPECT_EQ(test, drm_vmap_read_field(ring, struct view_ring_mem, slots[31].seq), 32);
	KUNIT_EXPECT_EQ(test, drm_vmap_read_field(ring, struct view_ring_mem, last.seq), 0);
	KUNIT_EXPECT_EQ(test, view_number(ring, off, fit, &seen), 0);
	KUNIT_EXPECT_EQ(test, seen, fit);
	KUNIT_EXPECT_EQ(test, view_number(ring, VIEW_END, 0, &seen), 0);
	KUNIT_EXPECT_EQ(test, seen, 0);

	/* All or none: the first ones would fit. */
	KUNIT_EXPECT_EQ(test, view_number(ring, off, fit + 1, &seen), -EINVAL);
	KUNIT_EXPECT_EQ(test, view_number(ring, 2, 1, &seen), -EINVAL);
	KUNIT_EXPECT_EQ(test, view_number(ring, 0, U64_MAX, &seen), -EINVAL);
	KUNIT_EXPECT_EQ(test, view_number(ring, 0, U64_MAX / sizeof(struct view_slot) + 1, &seen),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, view_number(ring, VIEW_END + 4, 0, &seen), -EINVAL);
	KUNIT_EXPECT_EQ(test, seen, 0);

	seen = 0;
	drm_vmap_view_for_each(view_slot_view, slot, ring, off, 32, ret) {
		if (drm_vmap_get(slot, seq) == 3)
			break;
		seen++;
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, seen, 2);
}

static int view_fill(const struct view_ring *ring, u64 off, u64 len)
{
	drm_vmap_range_or(view_part, part, ring, off, len, return -EINVAL);
	return drm_vmap_fill(part, 0, 0x11, drm_vmap_size(part)) ?:
	       drm_vmap_fill(part, len, 0, 1) == -EINVAL ? 0 : -EXDEV;
}

static int view_read(const struct view_ring *ring, u64 off, u64 *val)
{
	drm_vmap_range_or(view_read_part, part, ring, off, 64, return -EINVAL);
	*val = drm_vmap_read64(part, 56);
	return drm_vmap_read64(drm_vmap_narrow(view_read_part, part), 0) == *val ? 0 : -EXDEV;
}

static void view_range(struct kunit *test)
{
	struct test_bo *bo = shmem_test_bo(test, VIEW_END);
	u64 val = 0;
	int ret;

	drm_vmap_or(view_ring, ring, &bo->obj, ret, KUNIT_FAIL(test, "vmap: %d", ret); return);
	KUNIT_EXPECT_EQ(test, view_fill(ring, 128, 72), 0);
	KUNIT_EXPECT_EQ(test, drm_vmap_read64(ring, 192), 0x1111111111111111);
	KUNIT_EXPECT_EQ(test, drm_vmap_read64(ring, 200), 0);
	KUNIT_EXPECT_EQ(test, drm_vmap_read64(ring, 120), 0);
	KUNIT_EXPECT_EQ(test, view_read(ring, 128, &val), 0);
	KUNIT_EXPECT_EQ(test, val, 0x1111111111111111);
	KUNIT_EXPECT_EQ(test, view_fill(ring, VIEW_END - 64, 64), 0);
	/* Too short for the type, past the end, not aligned */
	KUNIT_EXPECT_EQ(test, view_fill(ring, 0, 63), -EINVAL);
	KUNIT_EXPECT_EQ(test, view_fill(ring, VIEW_END - 64, 65), -EINVAL);
	KUNIT_EXPECT_EQ(test, view_fill(ring, U64_MAX - 63, 64), -EINVAL);
	KUNIT_EXPECT_EQ(test, view_fill(ring, 0, U64_MAX), -EINVAL);
	KUNIT_EXPECT_EQ(test, view_fill(ring, 4, 64), -EINVAL);
}

/* Nothing is inside of an empty handle, and a view of it is empty. */
static void view_of_nothing(struct kunit *test)
{
	struct view_ring_owned own = {};
	const struct view_ring *ring = drm_vmap_borrow(&own);
	u32 seen;

	OPTIMIZER_HIDE_VAR(ring);
	KUNIT_EXPECT_EQ(test, view_set_seq(ring, 0, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, view_set_elem(ring, 0, 1), -1);
	KUNIT_EXPECT_EQ(test, view_fill(ring, 0, 64), -EINVAL);
	KUNIT_EXPECT_EQ(test, view_number(ring, 0, 0, &seen), -EINVAL);
	KUNIT_EXPECT_EQ(test, view_number(ring, 0, 1, &seen), -EINVAL);
	KUNIT_EXPECT_EQ(test, seen, 0);

	drm_vmap_view(view_slot_view, slot, ring, 8);
	KUNIT_EXPECT_EQ(test, drm_vmap_size(slot), 0);
	KUNIT_EXPECT_EQ(test, drm_vmap_try_write32(slot, 0, 1), -EINVAL);
}

static struct kunit_case drm_vmap_view_cases[] = {
	KUNIT_CASE(view_constant),
	KUNIT_CASE(view_any_offset),
	KUNIT_CASE(view_elements),
	KUNIT_CASE(view_loop),
	KUNIT_CASE(view_range),
	KUNIT_CASE(view_of_nothing),
	{}
};

static struct kunit_suite drm_vmap_view_suite = {
	.name = "drm_vmap_view",
	.init = shmem_test_init,
	.test_cases = drm_vmap_view_cases,
};

kunit_test_suite(drm_vmap_view_suite);
