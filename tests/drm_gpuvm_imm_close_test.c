// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Address spaces that are closed while the driver still refers to them.
 */

#include "drm_gpuvm_imm_internal.h"
#include "drm_gpuvm_imm_test.h"
#include "drm_safe_test.h"

static unsigned int close_refs(const struct test_bo *bo)
{
	drm_gpuvm_imm_flush();
	return kref_read(&bo->base.refcount);
}

static void close_check_empty(struct kunit *test, struct test_vm *vm)
{
	u64 *empty = kunit_kcalloc(test, TEST_PAGES, sizeof(*empty), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, empty);
	test_check(test, vm, empty);
}

/* All mappings go, and with them the references to their objects. */
static void close_unmaps(struct kunit *test)
{
	struct test_vm *vm = test_vm_new(test);
	struct test_bo *bo = test_bo_new(test, 8, NULL);

	KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 1, 0, 8, 0), 0);
	KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 2, 16, 4, 4), 0);
	KUNIT_ASSERT_EQ(test, test_map_sparse(test, vm, 32, 8), 0);
	KUNIT_ASSERT_GT(test, close_refs(bo), 1);

	drm_gpuvm_imm_close(vm->core);
	KUNIT_EXPECT_EQ(test, vm->unmaps, 3);
	close_check_empty(test, vm);
	KUNIT_EXPECT_EQ(test, close_refs(bo), 1);

	test_vm_end(test, vm);
	test_bo_end(test, bo);
}

/* Nothing can be prepared, run, locked or validated any more. */
static void close_refuses(struct kunit *test)
{
	DRM_GPUVM_IMM_UPDATE(before);
	struct test_vm *vm = test_vm_new(test);
	struct test_bo *bo = test_bo_new(test, 8, NULL);

	KUNIT_ASSERT_EQ(test, 0, test_vm_prepare_map(test_vm_shared(vm), before, bo, TEST_START,
						     TEST_PAGE, 0));
	drm_gpuvm_imm_close(vm->core);

	KUNIT_EXPECT_EQ(test, test_run(test, vm, before), -ESHUTDOWN);
	KUNIT_EXPECT_EQ(test, test_map(test, vm, bo, 1, 0, 8, 0), -ESHUTDOWN);
	KUNIT_EXPECT_EQ(test, test_map_sparse(test, vm, 0, 8), -ESHUTDOWN);
	KUNIT_EXPECT_EQ(test, test_unmap(test, vm, 0, 8), -ESHUTDOWN);
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN,
			test_vm_prepare_unmap_obj(test_vm_shared(vm), before, bo));
	KUNIT_EXPECT_EQ(test, test_vm_exec(vm, NULL), -ESHUTDOWN);
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN,
			drm_gpuvm_imm_lock_range(vm->core, NULL, TEST_START, TEST_PAGE, 1));
	KUNIT_EXPECT_FALSE(test, drm_gpuvm_imm_is_broken(test_vm_shared(vm)));
	KUNIT_EXPECT_EQ(test, vm->maps, 0);
	close_check_empty(test, vm);
	KUNIT_EXPECT_EQ(test, close_refs(bo), 1);

	test_vm_end(test, vm);
	test_bo_end(test, bo);
}

/* An exec that has locked the objects finds the address space closed when it validates them. */
static void close_while_locked(struct kunit *test)
{
	struct test_vm *vm = test_vm_new(test);
	struct test_bo *bo = test_bo_new(test, 8, NULL);
	struct drm_exec exec;

	KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 1, 0, 8, 0), 0);
	KUNIT_ASSERT_EQ(test, test_vm_lock(vm, &exec), 0);
	drm_gpuvm_imm_close(vm->core);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_imm_validate(vm->core, &exec), -ESHUTDOWN);
	drm_exec_fini(&exec);
	close_check_empty(test, vm);

	test_vm_end(test, vm);
	KUNIT_EXPECT_EQ(test, close_refs(bo), 1);
	test_bo_end(test, bo);
}

/* A second call does nothing, nor does a call for a core that has no address space. */
static void close_again(struct kunit *test)
{
	struct test_vm *vm = test_vm_new(test);
	struct test_bo *bo = test_bo_new(test, 8, NULL);

	KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 1, 0, 8, 0), 0);
	drm_gpuvm_imm_close(vm->core);
	drm_gpuvm_imm_close(vm->core);
	KUNIT_EXPECT_EQ(test, vm->unmaps, 1);
	test_vm_fini(vm);
	drm_gpuvm_imm_close(vm->core);
	KUNIT_EXPECT_EQ(test, vm->unmaps, 1);

	test_vm_end(test, vm);
	test_bo_end(test, bo);
}

/* A broken address space stays broken, and can be closed. */
static void close_broken(struct kunit *test)
{
	struct test_vm *vm = test_vm_new(test);
	struct test_bo *bo = test_bo_new(test, 8, NULL);

	KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 1, 0, 4, 0), 0);
	KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 2, 4, 4, 4), 0);
	vm->fail_in = 2;
	vm->fail_again_in = 1;
	KUNIT_ASSERT_EQ(test, test_unmap(test, vm, 0, 8), -EIO);
	KUNIT_ASSERT_TRUE(test, drm_gpuvm_imm_is_broken(test_vm_shared(vm)));

	drm_gpuvm_imm_close(vm->core);
	KUNIT_EXPECT_TRUE(test, drm_gpuvm_imm_is_broken(test_vm_shared(vm)));
	KUNIT_EXPECT_EQ(test, test_unmap(test, vm, 0, 8), -ENOTRECOVERABLE);
	close_check_empty(test, vm);
	KUNIT_EXPECT_EQ(test, close_refs(bo), 1);

	test_vm_end(test, vm);
	test_bo_end(test, bo);
}

/* An unmap step that fails is reported, and the mapping goes all the same. */
static void close_step_fails(struct kunit *test)
{
	struct test_vm *vm = test_vm_new(test);
	struct test_bo *bo = test_bo_new(test, 8, NULL);

	KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 1, 0, 8, 0), 0);
	kunit_warning_suppress(test) {
		vm->fail_in = 1;
		drm_gpuvm_imm_close(vm->core);
		EXPECT_BROKEN(test, "an unmap step succeeds when the core goes");
	}
	KUNIT_EXPECT_EQ(test, close_refs(bo), 1);
	KUNIT_EXPECT_NULL(test, test_vm_find_first(vm, TEST_START, TEST_PAGES * TEST_PAGE));

	test_vm_end(test, vm);
	test_bo_end(test, bo);
}

static void close_in_step(struct test_vm *vm)
{
	drm_gpuvm_imm_close(vm->core);
}

/* A call from inside a step is refused: nothing is unmapped, and the update goes on. */
static void close_from_step(struct kunit *test)
{
	struct test_vm *vm = test_vm_new(test);
	struct test_bo *bo = test_bo_new(test, 8, NULL);

	KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 1, 0, 4, 0), 0);
	vm->in_step = close_in_step;
	EXPECT_REFUSED(test, "a VM has one writer at a time",
		       test_map(test, vm, bo, 2, 4, 4, 4), 0);
	KUNIT_EXPECT_EQ(test, vm->unmaps, 0);
	KUNIT_EXPECT_EQ(test, test_unmap(test, vm, 0, 8), 0);

	test_vm_end(test, vm);
	test_bo_end(test, bo);
}

static struct kunit_case drm_gpuvm_imm_close_cases[] = {
	KUNIT_CASE(close_unmaps),
	KUNIT_CASE(close_refuses),
	KUNIT_CASE(close_while_locked),
	KUNIT_CASE(close_again),
	KUNIT_CASE(close_broken),
	KUNIT_CASE(close_step_fails),
	KUNIT_CASE(close_from_step),
	{}
};

static struct kunit_suite drm_gpuvm_imm_close_suite = {
	.name = "drm_gpuvm_imm_close",
	.init = test_env_init,
	.test_cases = drm_gpuvm_imm_close_cases,
};

kunit_test_suite(drm_gpuvm_imm_close_suite);
