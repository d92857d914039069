// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * A step fails, and one of those that undo the steps before it. For every update
 * below, each step is the first to fail, and each later one the second. The page
 * table never has an entry whose object is not held.
 */

#include <linux/slab.h>

#include "drm_gpuvm_imm_internal.h"
#include "drm_gpuvm_imm_test.h"

#define UNDO_PAGES	64

enum undo_kind { UNDO_MAP, UNDO_SPARSE, UNDO_UNMAP, UNDO_UNMAP_OBJ, UNDO_SPLIT };

/* A change of what undo_setup() maps; @from is where in the object the pages are */
struct undo_shape {
	enum undo_kind kind;
	unsigned int bo;
	u64 page, pages, from;
	bool keeps;
};

static const struct undo_shape undo_shapes[] = {
	/* the same pages again: all, several mappings, the middle, start and end */
	{ UNDO_MAP, 0, 0, 8, 0, true },
	{ UNDO_MAP, 0, 0, 16, 0, true },
	{ UNDO_MAP, 0, 2, 4, 2, true },
	{ UNDO_MAP, 0, 0, 4, 0, true },
	{ UNDO_MAP, 0, 4, 4, 4, true },
	{ UNDO_MAP, 0, 4, 8, 4, true },
	/* the same and others, also where nothing is */
	{ UNDO_MAP, 0, 4, 28, 4, true },
	{ UNDO_MAP, 0, 0, 40, 0, true },
	{ UNDO_MAP, 1, 4, 20, 4, true },
	{ UNDO_MAP, 1, 18, 6, 18, true },
	/* others only */
	{ UNDO_MAP, 0, 0, 8, 1, false },
	{ UNDO_MAP, 0, 4, 26, 5, false },
	{ UNDO_MAP, 2, 4, 28, 4, false },
	{ UNDO_SPARSE, 0, 2, 30, 0, false },
	{ UNDO_UNMAP, 0, 2, 30, 0, false },
	{ UNDO_UNMAP_OBJ, 0, 0, 0, 0, false },
	{ UNDO_SPLIT, 0, 4, 0, 0, false },
};

struct undo {
	struct test_vm vm;
	struct test_bo *bo[3];
	u64 model[TEST_PAGES];
	unsigned int broken;
};

static void undo_map(struct kunit *test, struct undo *undo, unsigned int nr, u32 tag, u64 page,
		     u64 pages)
{
	KUNIT_ASSERT_EQ(test, 0, test_map(test, &undo->vm, undo->bo[nr], tag, page, pages, page));
}

static void undo_setup(struct kunit *test, struct undo *undo)
{
	static const struct drm_gpuvm_imm_config config = {
		.start = TEST_START, .range = TEST_PAGES * TEST_PAGE,
	};
	struct test_env *env = test->priv;

	memset(&undo->vm, 0, sizeof(undo->vm));
	KUNIT_ASSERT_EQ(test, test_vm_init(&undo->vm, env->drm, &config), 0);
	undo_map(test, undo, 0, 1, 0, 8);
	undo_map(test, undo, 0, 2, 8, 8);
	KUNIT_ASSERT_EQ(test, test_map_sparse(test, &undo->vm, 16, 4), 0);
	undo_map(test, undo, 1, 3, 20, 4);
	undo_map(test, undo, 0, 4, 28, 8);
	memcpy(undo->model, undo->vm.pt, sizeof(undo->model));
	undo->vm.keeps = 0;
}

static int undo_prepare(struct undo *undo, struct drm_gpuvm_imm_update *update,
			const struct undo_shape *shape)
{
	struct drm_gpuvm_imm *shared = test_vm_shared(&undo->vm);
	u64 addr = TEST_START + shape->page * TEST_PAGE, range = shape->pages * TEST_PAGE;
	struct test_bo *bo = undo->bo[shape->bo];

	switch (shape->kind) {
	case UNDO_MAP:
		return test_vm_prepare_map(shared, update, bo, addr, range,
					   shape->from * TEST_PAGE);
	case UNDO_SPARSE:
		return drm_gpuvm_imm_prepare_map_sparse(shared, update, addr, range);
	case UNDO_UNMAP:
		return drm_gpuvm_imm_prepare_unmap(shared, update, addr, range);
	case UNDO_UNMAP_OBJ:
		return test_vm_prepare_unmap_obj(shared, update, bo);
	case UNDO_SPLIT:
		return drm_gpuvm_imm_prepare_split(shared, update, addr);
	}

	return -EINVAL;
}

static bool undo_names(const struct undo *undo, const struct test_bo *bo)
{
	for (int i = 0; i < TEST_PAGES; i++) {
		if (undo->vm.pt[i] >> 32 == bo->id)
			return true;
	}

	return false;
}

/* Objects in the page table are held, even after everything else was cleaned up. */
static void undo_check_held(struct kunit *test, struct undo *undo)
{
	drm_gpuvm_imm_flush();
	for (int i = 0; i < ARRAY_SIZE(undo->bo); i++) {
		if (undo_names(undo, undo->bo[i]))
			KUNIT_EXPECT_GE(test, kref_read(&undo->bo[i]->base.refcount), 2);
	}
}

static int undo_evict_one(struct test_vm *vm, struct test_bo *bo, struct drm_gpuvm_bo *vm_bo)
{
	drm_gpuvm_imm_bo_for_each_va(va, vm_bo)
		memset64(vm->pt + test_page(va->va.addr), 0, va->va.range / TEST_PAGE);
	return 0;
}

static void undo_check_evict(struct kunit *test, struct undo *undo)
{
	struct test_bo *bo = undo->bo[0];

	dma_resv_lock(bo->base.resv, NULL);
	KUNIT_EXPECT_EQ(test, test_vm_evict(bo, undo_evict_one), 0);
	dma_resv_unlock(bo->base.resv);
	KUNIT_EXPECT_FALSE(test, undo_names(undo, bo));
}

/* Nothing uses an address space that is broken. */
static void undo_check_broken(struct kunit *test, struct undo *undo,
			      struct drm_gpuvm_imm_update *update)
{
	struct drm_gpuvm_imm *shared = test_vm_shared(&undo->vm);

	KUNIT_EXPECT_TRUE(test, drm_gpuvm_imm_is_broken(shared));
	KUNIT_EXPECT_EQ(test, test_run(test, &undo->vm, update), -ENOTRECOVERABLE);
	for (int i = 0; i < ARRAY_SIZE(undo_shapes); i++)
		KUNIT_EXPECT_EQ(test, undo_prepare(undo, update, &undo_shapes[i]),
				-ENOTRECOVERABLE);
	KUNIT_EXPECT_EQ(test, test_vm_exec(&undo->vm, NULL), -ENOTRECOVERABLE);
	KUNIT_EXPECT_EQ(test, -ENOTRECOVERABLE,
			drm_gpuvm_imm_lock_range(undo->vm.core, NULL, TEST_START, TEST_PAGE, 1));
}

static void undo_end(struct kunit *test, struct undo *undo)
{
	undo->vm.fail_in = 0;
	undo->vm.fail_again_in = 0;
	test_vm_fini(&undo->vm);
	for (int i = 0; i < TEST_PAGES; i++)
		KUNIT_EXPECT_EQ(test, undo->vm.pt[i], 0);
	for (int i = 0; i < ARRAY_SIZE(undo->bo); i++)
		KUNIT_EXPECT_EQ(test, kref_read(&undo->bo[i]->base.refcount), 1);
}

/* How many steps @shape takes */
static unsigned int undo_steps(struct kunit *test, struct undo *undo,
			       const struct undo_shape *shape)
{
	DRM_GPUVM_IMM_UPDATE(update);
	unsigned int before, after;

	undo_setup(test, undo);
	before = undo->vm.maps + undo->vm.unmaps + undo->vm.remaps;
	KUNIT_ASSERT_EQ(test, undo_prepare(undo, update, shape), 0);
	KUNIT_ASSERT_EQ(test, test_run(test, &undo->vm, update), 0);
	after = undo->vm.maps + undo->vm.unmaps + undo->vm.remaps;
	KUNIT_EXPECT_EQ(test, !!undo->vm.keeps, shape->keeps);
	undo_end(test, undo);

	return after - before;
}

static void undo_fail(struct kunit *test, struct undo *undo, const struct undo_shape *shape,
		      unsigned int fail_in, unsigned int fail_again_in)
{
	DRM_GPUVM_IMM_UPDATE(update);
	DRM_GPUVM_IMM_UPDATE(later);
	u64 *seen = undo->model;

	undo_setup(test, undo);
	KUNIT_ASSERT_EQ(test, undo_prepare(undo, update, shape), 0);
	KUNIT_ASSERT_EQ(test, undo_prepare(undo, later, shape), 0);
	undo->vm.fail_in = fail_in;
	undo->vm.fail_again_in = fail_again_in;
	KUNIT_EXPECT_EQ(test, test_run(test, &undo->vm, update), -EIO);
	undo->vm.fail_in = 0;

	/* There is a step to undo for each one that came before. */
	KUNIT_EXPECT_EQ(test, drm_gpuvm_imm_is_broken(test_vm_shared(&undo->vm)),
			fail_again_in && fail_again_in < fail_in);
	if (drm_gpuvm_imm_is_broken(test_vm_shared(&undo->vm))) {
		undo->broken++;
		memcpy(seen, undo->vm.pt, sizeof(undo->vm.pt));
	}
	test_check(test, &undo->vm, seen);
	undo_check_held(test, undo);
	if (drm_gpuvm_imm_is_broken(test_vm_shared(&undo->vm))) {
		undo_check_broken(test, undo, later);
		if (fail_in % 2)
			undo_check_evict(test, undo);
	}
	drm_gpuvm_imm_update_drop(later);
	undo_end(test, undo);
}

static void undo_each(struct kunit *test)
{
	struct undo *undo = kunit_kzalloc(test, sizeof(*undo), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, undo);
	for (int i = 0; i < ARRAY_SIZE(undo->bo); i++)
		undo->bo[i] = test_bo_new(test, UNDO_PAGES, NULL);
	for (int i = 0; i < ARRAY_SIZE(undo_shapes); i++) {
		const struct undo_shape *shape = &undo_shapes[i];
		unsigned int steps = undo_steps(test, undo, shape);
		unsigned int broken = undo->broken;

		for (unsigned int fail = 1; fail <= steps; fail++) {
			for (unsigned int again = 0; again <= fail; again++)
				undo_fail(test, undo, shape, fail, again);
		}
		KUNIT_EXPECT_EQ_MSG(test, undo->broken - broken, steps * (steps - 1) / 2,
				    "shape %d", i);
	}
}

/* One update after the other: a failed one leaves the earlier updates in place */
static void undo_one_of_several(struct kunit *test)
{
	static const struct undo_shape shapes[] = {
		{ UNDO_MAP, 2, 40, 8, 0 },
		{ UNDO_UNMAP, 0, 4, 8, 0 },
		{ UNDO_MAP, 2, 2, 12, 2 },
		{ UNDO_SPARSE, 0, 50, 4, 0 },
	};
	struct undo *undo = kunit_kzalloc(test, sizeof(*undo), GFP_KERNEL);
	struct drm_gpuvm_imm_update *update;

	KUNIT_ASSERT_NOT_NULL(test, undo);
	update = kunit_kcalloc(test, ARRAY_SIZE(shapes), sizeof(*update), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, update);
	for (int i = 0; i < ARRAY_SIZE(undo->bo); i++)
		undo->bo[i] = test_bo_new(test, UNDO_PAGES, NULL);
	undo_setup(test, undo);
	for (int i = 0; i < ARRAY_SIZE(shapes); i++)
		KUNIT_ASSERT_EQ(test, undo_prepare(undo, &update[i], &shapes[i]), 0);

	/* The first two stay as they are when the third one fails, in each of its steps. */
	for (int i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, test_run(test, &undo->vm, &update[i]), 0);
	for (u64 i = 0; i < 8; i++)
		undo->model[40 + i] = test_pte(undo->bo[2], 0, i);
	memset64(undo->model + 4, 0, 8);
	test_check(test, &undo->vm, undo->model);
	for (unsigned int fail = 1; fail <= 3; fail++) {
		undo->vm.fail_in = fail;
		KUNIT_EXPECT_EQ(test, test_run(test, &undo->vm, &update[2]), -EIO);
		test_check(test, &undo->vm, undo->model);
		KUNIT_ASSERT_EQ(test, undo_prepare(undo, &update[2], &shapes[2]), 0);
	}

	/* The driver decides about those after it. */
	drm_gpuvm_imm_update_drop(&update[2]);
	KUNIT_EXPECT_EQ(test, test_run(test, &undo->vm, &update[3]), 0);
	for (u64 i = 50; i < 54; i++)
		undo->model[i] = test_pte(NULL, 0, 0);
	test_check(test, &undo->vm, undo->model);
	undo_end(test, undo);
}

static struct kunit_case drm_gpuvm_imm_undo_cases[] = {
	KUNIT_CASE(undo_each),
	KUNIT_CASE(undo_one_of_several),
	{}
};

static struct kunit_suite drm_gpuvm_imm_undo_suite = {
	.name = "drm_gpuvm_imm_undo",
	.init = test_env_init,
	.test_cases = drm_gpuvm_imm_undo_cases,
};

kunit_test_suite(drm_gpuvm_imm_undo_suite);
