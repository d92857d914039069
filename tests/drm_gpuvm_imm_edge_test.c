// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Edges that the other suites do not get to: address spaces without a reserved
 * range, and updates through a vm_bo.
 */

#include <kunit/static_stub.h>
#include <linux/dma-buf.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "drm_gpuvm_imm_internal.h"
#include "drm_gpuvm_imm_test.h"
#include "drm_safe_test.h"

/* An address space with nothing reserved in it */
static struct test_vm *edge_vm_alloc(struct kunit *test)
{
	static const struct drm_gpuvm_imm_config config = {
		.name = "edge",
		.start = TEST_START,
		.range = TEST_PAGES * TEST_PAGE,
	};
	struct test_env *env = test->priv;
	struct test_vm *vm = kzalloc_obj(*vm);

	if (vm && test_vm_init(vm, env->drm, &config)) {
		kfree(vm);
		vm = NULL;
	}
	return vm;
}

static int edge_init_fn(struct kunit *test, void *ctx)
{
	struct test_vm *vm = edge_vm_alloc(test);

	if (!vm)
		return -ENOMEM;
	test_vm_fini(vm);
	kfree(vm);
	return 0;
}

/* Nothing stays of an address space for which there is not enough memory. */
static void init_fails(struct kunit *test)
{
	drm_gpuvm_imm_put(NULL);
	KUNIT_EXPECT_GE(test, drm_safe_fail_nth(test, edge_init_fn, NULL), 3);
}

/* Two address spaces whose objects have one reservation lock */
static void shared_resv(struct kunit *test)
{
	struct drm_gem_object *obj = drm_gpuvm_imm_resv_obj(test_vm_shared(test_vm_new(test)));
	const struct drm_gpuvm_imm_config config = {
		.name = "edge",
		.start = TEST_START,
		.range = TEST_PAGES * TEST_PAGE,
		.resv_obj = obj,
	};
	unsigned int refs = kref_read(&obj->refcount);
	struct test_env *env = test->priv;
	struct test_vm *vm = kunit_kzalloc(test, sizeof(*vm), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, vm);
	KUNIT_ASSERT_EQ(test, test_vm_init(vm, env->drm, &config), 0);
	KUNIT_EXPECT_PTR_EQ(test, drm_gpuvm_imm_resv_obj(test_vm_shared(vm)), obj);
	KUNIT_EXPECT_GT(test, kref_read(&obj->refcount), refs);
	test_vm_fini(vm);
	drm_gpuvm_imm_flush();
	KUNIT_EXPECT_EQ(test, kref_read(&obj->refcount), refs);
}

/* An update that was not prepared has no mapping, and one that was dropped neither. */
static void empty_update(struct kunit *test)
{
	DRM_GPUVM_IMM_UPDATE(update);
	struct test_vm *vm = test_vm_new(test);
	struct test_bo *bo = test_bo_new(test, 1, NULL);

	KUNIT_EXPECT_NULL(test, test_vm_update_va(update));
	KUNIT_ASSERT_EQ(test, 0, test_vm_prepare_map(test_vm_shared(vm), update, bo, TEST_START,
						     TEST_PAGE, 0));
	KUNIT_EXPECT_NOT_NULL(test, test_vm_update_va(update));
	drm_gpuvm_imm_update_drop(update);
	KUNIT_EXPECT_NULL(test, test_vm_update_va(update));
	drm_gpuvm_imm_update_drop(update);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, test_run(test, vm, update), -EINVAL);
		EXPECT_BROKEN(test,
			      "an update is run once, by the core of the VM it was prepared for");
	}
}

#define EDGE_REPORTED(_test, _rule, _ret, _call) do {				\
	struct kunit *__test = (_test);						\
										\
	kunit_warning_suppress(__test) {					\
		KUNIT_EXPECT_EQ(__test, _ret, _call);				\
		EXPECT_BROKEN(__test, _rule);					\
	}									\
} while (0)

/* The core's size of an imported object is whole pages; the exporter may have less. */
static void import_is_no_whole_pages(struct kunit *test)
{
	DRM_GPUVM_IMM_UPDATE(update);
	struct drm_gpuvm_imm *vm = test_vm_shared(test_vm_new(test));
	struct test_bo *bo = test_bo_new(test, 4, NULL);
	struct dma_buf dma_buf = { .size = 4 * TEST_PAGE - 1 };
	struct dma_buf_attachment attach = { .dmabuf = &dma_buf };

	bo->base.import_attach = &attach;
	KUNIT_EXPECT_EQ(test, -EINVAL, test_vm_prepare_map(vm, update, bo, TEST_START,
							   4 * TEST_PAGE, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, test_vm_prepare_map(vm, update, bo, TEST_START,
							   TEST_PAGE, 3 * TEST_PAGE));
	KUNIT_EXPECT_EQ(test, 0, test_vm_prepare_map(vm, update, bo, TEST_START,
						     TEST_PAGE, 2 * TEST_PAGE));
	drm_gpuvm_imm_update_drop(update);
	bo->base.import_attach = NULL;
}

static void prepare_map_bo(struct kunit *test)
{
	DRM_GPUVM_IMM_UPDATE(update);
	struct test_vm *vm = test_vm_new(test), *other = test_vm_new(test);
	struct test_bo *bo = test_bo_new(test, 4, NULL);
	struct drm_gpuvm_imm *shared = test_vm_shared(vm);
	struct drm_gpuvm_bo *vm_bo = drm_gpuvm_imm_obtain_gem(shared, &bo->base, NULL);

	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(vm_bo));
	/* A vm_bo, and no mapping */
	KUNIT_EXPECT_NULL(test, drm_gpuvm_imm_first_of(vm->core, &bo->base));

	EDGE_REPORTED(test, "a vm_bo is used with its own VM", -EINVAL,
		      drm_gpuvm_imm_prepare_map_bo(test_vm_shared(other), update, vm_bo,
						   TEST_START, TEST_PAGE, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			drm_gpuvm_imm_prepare_map_bo(shared, update, vm_bo, TEST_START,
						     5 * TEST_PAGE, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			drm_gpuvm_imm_prepare_map_bo(shared, update, vm_bo, 0, TEST_PAGE, 0));
	KUNIT_ASSERT_EQ(test, 0,
			drm_gpuvm_imm_prepare_map_bo(shared, update, vm_bo, TEST_START,
						     2 * TEST_PAGE, TEST_PAGE));
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, -EBUSY,
				drm_gpuvm_imm_prepare_map_bo(shared, update, vm_bo, TEST_START,
							     TEST_PAGE, 0));
		EXPECT_BROKEN(test, "an update is prepared once");
	}
	drm_gpuvm_imm_bo_put(vm_bo);

	KUNIT_ASSERT_EQ(test, test_run(test, vm, update), 0);
	KUNIT_EXPECT_EQ(test, vm->pt[0], test_pte(bo, 0, 1));
	KUNIT_EXPECT_EQ(test, vm->pt[1], test_pte(bo, 0, 2));
	KUNIT_EXPECT_EQ(test, vm->pt[2], 0);
	KUNIT_EXPECT_NOT_NULL(test, drm_gpuvm_imm_first_of(vm->core, &bo->base));
}

/* The result of the last map decides whether the next one searches first. */
static void replaces(struct kunit *test)
{
	struct test_vm *vm = test_vm_new(test);
	struct drm_gpuvm_imm *shared = test_vm_shared(vm);

	KUNIT_ASSERT_EQ(test, test_map_sparse(test, vm, 0, 8), 0);
	KUNIT_EXPECT_FALSE(test, shared->replaces);
	KUNIT_ASSERT_EQ(test, test_map_sparse(test, vm, 4, 1), 0);
	KUNIT_EXPECT_TRUE(test, shared->replaces);
	/* Neither an unmap nor a map that fails in vain says anything. */
	KUNIT_ASSERT_EQ(test, test_unmap(test, vm, 0, 4), 0);
	KUNIT_EXPECT_TRUE(test, shared->replaces);
	KUNIT_ASSERT_EQ(test, test_map_sparse(test, vm, 0, 4), 0);
	KUNIT_EXPECT_FALSE(test, shared->replaces);
	vm->fail_in = 1;
	KUNIT_EXPECT_EQ(test, test_map_sparse(test, vm, 16, 1), -EIO);
	KUNIT_EXPECT_FALSE(test, shared->replaces);
	KUNIT_EXPECT_NULL(test, test_vm_find_first(vm, TEST_START + 16 * TEST_PAGE, TEST_PAGE));
}

/* The reserved range is no mapping: it is not split, and not found. */
static void reserved(struct kunit *test)
{
	DRM_GPUVM_IMM_UPDATE(update);
	struct test_vm *vm = test_vm_new(test);
	u64 inside = TEST_START + (TEST_PAGES - 8) * TEST_PAGE;
	u64 end = TEST_START + TEST_PAGES * TEST_PAGE;
	const struct drm_gpuva *va;

	KUNIT_ASSERT_EQ(test, test_map_sparse(test, vm, 0, 1), 0);
	KUNIT_ASSERT_EQ(test, test_map_sparse(test, vm, 4, 1), 0);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_imm_prepare_split(test_vm_shared(vm), update, inside),
			-EINVAL);
	KUNIT_EXPECT_NULL(test, test_vm_find_first(vm, inside, TEST_PAGE));

	/* The next one is behind the range. */
	va = test_vm_find_first(vm, TEST_START, 2 * TEST_PAGE);
	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_EXPECT_NULL(test, drm_gpuvm_imm_next(vm->core, va, TEST_START, 2 * TEST_PAGE));
	va = drm_gpuvm_imm_next(vm->core, va, TEST_START, end - TEST_START);
	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_EXPECT_NULL(test, drm_gpuvm_imm_next(vm->core, va, TEST_START, end - TEST_START));
}

/* A reader of debugfs, which ends once a writer waits for it */
static void edge_reader_start(struct kunit *test, struct drm_gpuvm_imm *vm)
	__context_unsafe("until edge_reader_ends()")
{
	KUNIT_ASSERT_TRUE(test, drm_gpuvm_imm_claim_for_reader(vm));
}

static unsigned int edge_waits;

static void edge_reader_ends(struct drm_gpuvm_imm *vm)
	__context_unsafe("for edge_reader_start()")
{
	edge_waits++;
	drm_gpuvm_imm_unclaim(vm);
}

/* A writer waits for the reader. Looking up a mapping counts as reading. */
static void reader(struct kunit *test)
{
	DRM_GPUVM_IMM_UPDATE(update);
	struct test_vm *vm = test_vm_new(test);
	struct drm_gpuvm_imm *shared = test_vm_shared(vm);

	KUNIT_ASSERT_EQ(test, 0, drm_gpuvm_imm_prepare_map_sparse(shared, update, TEST_START,
								  TEST_PAGE));
	edge_waits = 0;
	kunit_activate_static_stub(test, drm_gpuvm_imm_wait_for_reader, edge_reader_ends);
	edge_reader_start(test, shared);
	KUNIT_EXPECT_NULL(test, test_vm_find_first(vm, TEST_START, TEST_PAGE));
	KUNIT_EXPECT_EQ(test, test_vm_run(vm, update), 0);
	kunit_deactivate_static_stub(test, drm_gpuvm_imm_wait_for_reader);
	KUNIT_EXPECT_EQ(test, edge_waits, 1);
	KUNIT_EXPECT_NOT_NULL(test, test_vm_find_first(vm, TEST_START, TEST_PAGE));
}

static void edge_core_is_none(struct kunit *test, struct drm_gpuvm_imm_core *core,
			      struct test_bo *bo)
{
	DRM_GPUVM_IMM_UPDATE(update);
	struct test_vm *vm = test_vm_new(test);
	const struct drm_gpuva *va;

	KUNIT_EXPECT_NULL(test, drm_gpuvm_imm_shared(core));
	KUNIT_EXPECT_NULL(test, drm_gpuvm_imm_get(core));
	KUNIT_EXPECT_NULL(test, drm_gpuvm_imm_find(core, TEST_START, TEST_PAGE));
	KUNIT_EXPECT_NULL(test, drm_gpuvm_imm_find_first(core, TEST_START, TEST_PAGE));
	KUNIT_EXPECT_NULL(test, drm_gpuvm_imm_first_of(core, &bo->base));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			drm_gpuvm_imm_lock_range(core, NULL, TEST_START, TEST_PAGE, 1));
	KUNIT_EXPECT_EQ(test, drm_gpuvm_imm_validate(core, NULL), -EINVAL);

	/* With a mapping of another address space, and an update of one */
	KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 0, 0, 1, 0), 0);
	KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 0, 1, 1, 0), 0);
	va = test_vm_find(vm, TEST_START, TEST_PAGE);
	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_EXPECT_NULL(test, drm_gpuvm_imm_next(core, va, TEST_START, TEST_PAGE));
	KUNIT_EXPECT_NULL(test, drm_gpuvm_imm_next_of(core, va));
	KUNIT_ASSERT_EQ(test, 0, drm_gpuvm_imm_prepare_unmap(test_vm_shared(vm), update, TEST_START,
							     TEST_PAGE));
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, drm_gpuvm_imm_core_run(core, update), -EINVAL);
		EXPECT_BROKEN(test,
			      "an update is run once, by the core of the VM it was prepared for");
	}
	KUNIT_EXPECT_EQ(test, vm->unmaps, 0);
	test_vm_end(test, vm);
}

static void edge_core_fini(struct kunit *test, struct drm_gpuvm_imm_core *core, int warnings)
{
	kunit_warning_suppress(test) {
		drm_gpuvm_imm_fini(core);
		EXPECT_BROKEN_TIMES(test, warnings, "a core stays where it was initialised");
	}
}

/* A core that was never initialised, in memory of any contents, and one that was given up */
static void core_never_initialised(struct kunit *test)
{
	static const u8 fills[] = { 0x00, 0x5a, 0xff };
	struct test_bo *bo = test_bo_new(test, 2, NULL);
	struct test_vm *vm = test_vm_new(test);
	struct drm_gpuvm_imm_core core[1];

	for (int i = 0; i < ARRAY_SIZE(fills); i++) {
		memset(core, fills[i], sizeof(core));
		edge_core_is_none(test, core, bo);
		edge_core_fini(test, core, !!fills[i]);
	}

	memcpy(core, vm->core, sizeof(core));
	edge_core_is_none(test, core, bo);
	edge_core_fini(test, core, 1);

	KUNIT_EXPECT_PTR_EQ(test, drm_gpuvm_imm_shared(vm->core)->core, &vm->core[0]);
	test_vm_fini(vm);
	edge_core_is_none(test, vm->core, bo);
	edge_core_fini(test, vm->core, 0);
}

/* One that is initialised already keeps the address space that it has. */
static void core_initialised_twice(struct kunit *test)
{
	static const struct drm_gpuvm_imm_config config = {
		.start = TEST_START, .range = TEST_PAGES * TEST_PAGE,
	};
	struct test_vm *vm = test_vm_new(test);
	struct drm_gpuvm_imm *shared = test_vm_shared(vm);
	struct test_env *env = test->priv;

	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, test_vm_init(vm, env->drm, &config), -EBUSY);
		EXPECT_BROKEN(test, "a core is initialised once");
	}
	KUNIT_EXPECT_PTR_EQ(test, test_vm_shared(vm), shared);
	KUNIT_EXPECT_EQ(test, test_map_sparse(test, vm, 0, 1), 0);
}

static void edge_va_get(const struct drm_gpuva *va)
	__drm_nonallocating
{
}

static void edge_va_put(const struct drm_gpuva *va)
{
}

/* An incomplete type is reported when an address space of this type is made. */
static void type_lacks(struct kunit *test)
{
	static const struct drm_gpuvm_imm_config config = { .range = SZ_1M };
	struct drm_gpuvm_imm_core core[1] = {};
	struct drm_gpuvm_imm_type type[9];
	struct test_env *env = test->priv;

	for (int i = 0; i < ARRAY_SIZE(type); i++)
		type[i] = test_vm_type.base;
	type[0].granule = 0;
	type[1].granule = 3 * TEST_PAGE;
	type[2].obj_funcs = NULL;
	type[3].map = NULL;
	type[4].unmap = NULL;
	type[5].remap = NULL;
	type[6].va_get = edge_va_get;
	type[7].va_put = edge_va_put;
	type[8].validate = NULL;
	for (int i = 0; i < ARRAY_SIZE(type); i++) {
		EDGE_REPORTED(test, "the type of a VM is complete", -EINVAL,
			      drm_gpuvm_imm_core_init(core, env->drm, &type[i], &config, 0, 0,
						      false));
		KUNIT_EXPECT_NULL(test, drm_gpuvm_imm_shared(core));
	}
}

/* Granules below and above the size of pages */
static void granules(struct kunit *test)
{
	DRM_GPUVM_IMM_UPDATE(update);
	static const struct drm_gpuvm_imm_config config = { .range = SZ_64M };
	const u64 granule[] = { PAGE_SIZE / 4, PAGE_SIZE, 4 * PAGE_SIZE };
	struct test_bo *bo = test_bo_new(test, 16, NULL);
	struct drm_gpuvm_imm_core core[1] = {};
	struct test_env *env = test->priv;

	for (int i = 0; i < ARRAY_SIZE(granule); i++) {
		const u64 g = granule[i], offsets[] = { 0, g, g / 2, 1 };
		struct drm_gpuvm_imm_type type = test_vm_type.base;
		struct drm_gpuvm_imm *vm;

		type.granule = g;
		KUNIT_ASSERT_EQ(test, 0, drm_gpuvm_imm_core_init(core, env->drm, &type, &config,
								 0, 0, false));
		vm = drm_gpuvm_imm_shared(core);
		/* The address, the range, and the offset, one at a time */
		for (int k = 0; k < ARRAY_SIZE(offsets); k++) {
			const u64 off = offsets[k];
			const int ret = off % g ? -EINVAL : 0;

			KUNIT_EXPECT_EQ(test, ret,
					drm_gpuvm_imm_prepare_map_gem(vm, update, &bo->base,
								      off, g, 0, NULL));
			drm_gpuvm_imm_update_drop(update);
			KUNIT_EXPECT_EQ(test, ret,
					drm_gpuvm_imm_prepare_map_gem(vm, update, &bo->base,
								      g, g + off, 0, NULL));
			drm_gpuvm_imm_update_drop(update);
			KUNIT_EXPECT_EQ(test, ret,
					drm_gpuvm_imm_prepare_map_gem(vm, update, &bo->base,
								      g, g, off, NULL));
			drm_gpuvm_imm_update_drop(update);
		}
		drm_gpuvm_imm_fini(core);
	}
}

/* Steps that are optional, and asked for */
static void type_without_steps(struct kunit *test)
{
	static const struct drm_gpuvm_imm_config config = { .range = SZ_1M };
	struct drm_gpuvm_imm_core core[1] = {};
	struct drm_gpuvm_imm_type type = test_vm_type.base;
	struct test_bo *bo = test_bo_new(test, 1, NULL);
	struct test_env *env = test->priv;
	struct drm_exec exec;
	int ret;

	type.validate = NULL;
	type.evict = NULL;
	KUNIT_ASSERT_EQ(test, 0,
			drm_gpuvm_imm_core_init(core, env->drm, &type, &config, 0, 0, false));
	drm_exec_init(&exec, DRM_EXEC_IGNORE_DUPLICATES, 0);
	drm_exec_until_all_locked(&exec) {
		ret = drm_gpuvm_imm_lock(drm_gpuvm_imm_shared(core), &exec, 1) ?:
			drm_exec_lock_obj(&exec, &bo->base);
		drm_exec_retry_on_contention(&exec);
		if (ret)
			break;
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	EDGE_REPORTED(test, "a type has the step that a call needs", -EINVAL,
		      drm_gpuvm_imm_validate(core, &exec));
	EDGE_REPORTED(test, "a type has the step that a call needs", -EINVAL,
		      drm_gpuvm_imm_evict_gem(&type, &bo->base));
	drm_exec_fini(&exec);
	drm_gpuvm_imm_fini(core);
}

/* Functions that take the address space of such a core, and say something of it */
static void vm_of_no_core(struct kunit *test)
{
	struct test_vm none = {};
	struct drm_gpuvm_imm *vm = test_vm_shared(&none);
	struct test_bo *bo = test_bo_new(test, 2, NULL);
	struct drm_exec exec;

	drm_gpuvm_imm_put(vm);
	EDGE_REPORTED(test, "a core is initialised before it is used", 0,
		      drm_gpuvm_imm_va_start(vm));
	EDGE_REPORTED(test, "a core is initialised before it is used", 0,
		      drm_gpuvm_imm_va_length(vm));
	EDGE_REPORTED(test, "a core is initialised before it is used", 0, drm_gpuvm_imm_va_end(vm));
	EDGE_REPORTED(test, "a core is initialised before it is used", 0,
		      strcmp(drm_gpuvm_imm_name(vm), "none"));
	EDGE_REPORTED(test, "a core is initialised before it is used", true,
		      !drm_gpuvm_imm_resv_obj(vm));
	EDGE_REPORTED(test, "a core is initialised before it is used", false,
		      drm_gpuvm_imm_is_extobj(vm, &bo->base));
	EDGE_REPORTED(test, "a core is initialised before it is used", true,
		      drm_gpuvm_imm_is_broken(vm));

	drm_exec_init(&exec, 0, 0);
	EDGE_REPORTED(test, "a core is initialised before it is used", -EINVAL,
		      drm_gpuvm_imm_lock(vm, &exec, 1));
	kunit_warning_suppress(test) {
		drm_gpuvm_imm_add_fence(vm, &exec, NULL, DMA_RESV_USAGE_BOOKKEEP,
					DMA_RESV_USAGE_BOOKKEEP);
		EXPECT_BROKEN(test, "a core is initialised before it is used");
	}
	drm_exec_fini(&exec);
}

/* The same for those that prepare updates of it */
static void update_of_no_core(struct kunit *test)
{
	DRM_GPUVM_IMM_UPDATE(update);
	struct test_vm *live = test_vm_new(test), none = {};
	struct drm_gpuvm_imm *vm = test_vm_shared(&none);
	struct test_bo *bo = test_bo_new(test, 2, NULL);
	struct drm_gpuvm_bo *vm_bo = drm_gpuvm_imm_obtain_gem(test_vm_shared(live), &bo->base,
							      NULL);
	const u64 at = TEST_START, size = TEST_PAGE;

	KUNIT_ASSERT_FALSE(test, IS_ERR(vm_bo));
	EDGE_REPORTED(test, "a core is initialised before it is used", -EINVAL,
		      PTR_ERR(drm_gpuvm_imm_obtain_gem(vm, &bo->base, NULL)));
	EDGE_REPORTED(test, "a core is initialised before it is used", -EINVAL,
		      PTR_ERR(drm_gpuvm_imm_obtain_gem_interruptible(vm, &bo->base, NULL)));
	EDGE_REPORTED(test, "a core is initialised before it is used", -EINVAL,
		      PTR_ERR(drm_gpuvm_imm_obtain_gem_locked(vm, &bo->base, NULL)));
	EDGE_REPORTED(test, "a core is initialised before it is used", -EINVAL,
		      test_vm_prepare_map(vm, update, bo, at, size, 0));
	EDGE_REPORTED(test, "a core is initialised before it is used", -EINVAL,
		      test_vm_prepare_map_interruptible(vm, update, bo, at, size, 0));
	EDGE_REPORTED(test, "a core is initialised before it is used", -EINVAL,
		      test_vm_prepare_map_locked(vm, update, bo, at, size, 0));
	EDGE_REPORTED(test, "a core is initialised before it is used", -EINVAL,
		      drm_gpuvm_imm_prepare_map_bo(vm, update, vm_bo, at, size, 0));
	EDGE_REPORTED(test, "a core is initialised before it is used", -EINVAL,
		      drm_gpuvm_imm_prepare_map_sparse(vm, update, at, size));
	EDGE_REPORTED(test, "a core is initialised before it is used", -EINVAL,
		      drm_gpuvm_imm_prepare_unmap(vm, update, at, size));
	EDGE_REPORTED(test, "a core is initialised before it is used", -EINVAL,
		      test_vm_prepare_unmap_obj(vm, update, bo));
	EDGE_REPORTED(test, "a core is initialised before it is used", -EINVAL,
		      drm_gpuvm_imm_prepare_split(vm, update, at));

	/* An ERR_PTR() in place of a vm_bo that could not be obtained */
	vm = test_vm_shared(live);
	EDGE_REPORTED(test, "a vm_bo is used with its own VM", -EINVAL,
		      drm_gpuvm_imm_prepare_map_bo(vm, update, NULL, at, size, 0));
	EDGE_REPORTED(test, "a vm_bo is used with its own VM", -EINVAL,
		      drm_gpuvm_imm_prepare_map_bo(vm, update, ERR_PTR(-ENOMEM), at, size, 0));
	drm_gpuvm_imm_bo_put(vm_bo);
}

/* An update whose memory was overwritten is refused. */
static void no_such_update(struct kunit *test)
{
	DRM_GPUVM_IMM_UPDATE(update);
	struct test_vm *vm = test_vm_new(test);

	KUNIT_ASSERT_EQ(test, 0, drm_gpuvm_imm_prepare_map_sparse(test_vm_shared(vm), update,
								  TEST_START, TEST_PAGE));
	update->__kind = DRM_GPUVM_IMM_UPDATE_SPLIT + 1;
	KUNIT_EXPECT_EQ(test, test_run(test, vm, update), -EINVAL);
	KUNIT_EXPECT_EQ(test, vm->maps, 0);
	KUNIT_EXPECT_NULL(test, test_vm_find_first(vm, TEST_START, TEST_PAGE));
	KUNIT_EXPECT_EQ(test, test_map_sparse(test, vm, 0, 1), 0);
}

#ifdef CONFIG_DEBUG_FS
/* A mapping that starts where a reserved range of no length does */
static void show_none_reserved(struct kunit *test)
{
	static const struct drm_gpuvm_imm_config config = {
		.start = TEST_START,
		.range = TEST_PAGES * TEST_PAGE,
		.reserve_start = TEST_START,
	};
	struct test_env *env = test->priv;
	char *buf = kunit_kzalloc(test, SZ_4K, GFP_KERNEL);
	struct test_vm *vm = kunit_kzalloc(test, sizeof(*vm), GFP_KERNEL);
	struct seq_file m = { .buf = buf, .size = SZ_4K - 1 };

	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_ASSERT_NOT_NULL(test, vm);
	mutex_init(&m.lock);
	KUNIT_ASSERT_EQ(test, test_vm_init(vm, env->drm, &config), 0);
	KUNIT_EXPECT_EQ(test, test_map_sparse(test, vm, 0, 1), 0);
	drm_gpuvm_imm_show(&m, test_vm_shared(vm));
	KUNIT_EXPECT_NOT_NULL(test, strstr(buf, "sparse\n"));
	KUNIT_EXPECT_NULL(test, strstr(buf, "reserved"));
	test_vm_fini(vm);
}

static void show(struct kunit *test)
{
	struct test_vm *vm = edge_vm_alloc(test);
	char *buf = kunit_kzalloc(test, SZ_4K, GFP_KERNEL);
	struct seq_file m = { .buf = buf, .size = SZ_4K - 1 };

	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_ASSERT_NOT_NULL(test, vm);
	mutex_init(&m.lock);
	drm_gpuvm_imm_show(&m, test_vm_shared(vm));
	KUNIT_EXPECT_NULL(test, strstr(buf, "reserved"));

	KUNIT_EXPECT_EQ(test, test_map_sparse(test, vm, 0, TEST_PAGES), 0);
	m.count = 0;
	drm_gpuvm_imm_show(&m, test_vm_shared(vm));
	KUNIT_EXPECT_NOT_NULL(test, strstr(buf, "sparse\n"));

	/* No more than fits, and seq_file comes again with a larger buffer. */
	m.count = 0;
	m.size = 8;
	drm_gpuvm_imm_show(&m, test_vm_shared(vm));
	KUNIT_EXPECT_TRUE(test, seq_has_overflowed(&m));

	test_vm_fini(vm);
	kfree(vm);
}
#else
static void show_none_reserved(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_DEBUG_FS");
}

static void show(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_DEBUG_FS");
}
#endif

static struct kunit_case drm_gpuvm_imm_edge_cases[] = {
	KUNIT_CASE(init_fails),
	KUNIT_CASE(shared_resv),
	KUNIT_CASE(empty_update),
	KUNIT_CASE(import_is_no_whole_pages),
	KUNIT_CASE(prepare_map_bo),
	KUNIT_CASE(replaces),
	KUNIT_CASE(reserved),
	KUNIT_CASE(reader),
	KUNIT_CASE(core_never_initialised),
	KUNIT_CASE(core_initialised_twice),
	KUNIT_CASE(type_lacks),
	KUNIT_CASE(granules),
	KUNIT_CASE(type_without_steps),
	KUNIT_CASE(vm_of_no_core),
	KUNIT_CASE(update_of_no_core),
	KUNIT_CASE(no_such_update),
	KUNIT_CASE(show_none_reserved),
	KUNIT_CASE(show),
	{}
};

static struct kunit_suite drm_gpuvm_imm_edge_suite = {
	.name = "drm_gpuvm_imm_edge",
	.init = test_env_init,
	.test_cases = drm_gpuvm_imm_edge_cases,
};

kunit_test_suite(drm_gpuvm_imm_edge_suite);

MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
