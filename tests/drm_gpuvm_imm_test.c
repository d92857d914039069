// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <linux/debug_locks.h>
#include <linux/module.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>

#include "drm_gpuvm_imm_internal.h"
#include "drm_gpuvm_imm_test.h"
#include "drm_safe_test.h"

#ifdef CONFIG_TRACEPOINTS
#include <trace/events/kmem.h>
#endif

static u64 *test_model(struct kunit *test)
{
	u64 *model = kunit_kcalloc(test, TEST_PAGES, sizeof(*model), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, model);
	return model;
}

static void model_set(u64 *model, const struct test_bo *bo, u32 tag, u64 page,
		      u64 pages, u64 from)
{
	for (u64 i = 0; i < pages; i++)
		model[page + i] = test_pte(bo, tag, from + i);
}

static unsigned int vm_refs(struct test_vm *vm)
{
	return kref_read(&test_vm_shared(vm)->base.kref);
}

static unsigned int bo_refs(struct test_bo *bo)
{
	return kref_read(&bo->base.refcount);
}

/* How many VMs know the object, live ones and those that wait for the drain. */
static unsigned int bo_vms(struct test_bo *bo)
{
	struct drm_gpuvm_bo *vm_bo;
	unsigned int n = 0;

	guard(mutex)(&bo->base.gpuva.lock);
	drm_gem_for_each_gpuvm_bo(vm_bo, &bo->base)
		n++;

	return n;
}

static void drm_gpuvm_imm_test_describe(struct kunit *test)
{
	struct test_vm *vm = test_vm_new(test);
	struct drm_gpuvm_imm *shared = test_vm_shared(vm);

	KUNIT_EXPECT_EQ(test, drm_gpuvm_imm_va_start(shared), TEST_START);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_imm_va_length(shared), TEST_PAGES * TEST_PAGE);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_imm_va_end(shared),
			TEST_START + TEST_PAGES * TEST_PAGE);
	KUNIT_EXPECT_STREQ(test, drm_gpuvm_imm_name(shared), "test");
	KUNIT_EXPECT_NOT_NULL(test, drm_gpuvm_imm_resv_obj(shared));
	KUNIT_EXPECT_PTR_EQ(test, drm_gpuvm_imm_of(&test_vm_type, vm->core), vm);
}

static void drm_gpuvm_imm_test_config(struct kunit *test)
{
	static const struct drm_gpuvm_imm_config bad[] = {
		{ .start = SZ_4K },
		{ .start = SZ_4K, .range = U64_MAX - SZ_4K + 1 },
		{ .start = U64_MAX, .range = 1 },
		{ .range = SZ_1M, .reserve_start = SZ_1M, .reserve_range = SZ_4K },
		{ .range = SZ_1M, .reserve_start = SZ_1M - SZ_4K, .reserve_range = SZ_8K },
		{ .start = SZ_1M, .range = SZ_1M, .reserve_range = SZ_4K },
		{ .range = SZ_1M, .reserve_start = U64_MAX, .reserve_range = SZ_4K },
	};
	static const struct drm_gpuvm_imm_config good[] = {
		{ .range = 1 },
		{ .range = U64_MAX },
		{ .start = U64_MAX - 1, .range = 1 },
		{ .range = SZ_1M, .reserve_range = SZ_1M },
		{ .range = SZ_1M, .reserve_start = SZ_8M },
	};
	struct test_env *env = test->priv;
	struct test_vm *vm = kunit_kzalloc(test, sizeof(*vm), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, vm);
	for (int i = 0; i < ARRAY_SIZE(bad); i++) {
		KUNIT_EXPECT_EQ_MSG(test, test_vm_init(vm, env->drm, &bad[i]), -EINVAL,
				    "bad config %d", i);
		KUNIT_EXPECT_NULL(test, test_vm_shared(vm));
		test_vm_fini(vm);
	}
	for (int i = 0; i < ARRAY_SIZE(good); i++) {
		KUNIT_ASSERT_EQ_MSG(test, test_vm_init(vm, env->drm, &good[i]), 0,
				    "good config %d", i);
		KUNIT_EXPECT_STREQ(test, drm_gpuvm_imm_name(test_vm_shared(vm)), "unknown");
		test_vm_fini(vm);
		KUNIT_EXPECT_NULL(test, test_vm_shared(vm));
	}
}

/* The object for the reservation lock: counted, and of the same device. */
static void drm_gpuvm_imm_test_config_resv_obj(struct kunit *test)
{
	struct test_env *env = test->priv;
	struct test_bo *bo = test_bo_new(test, 1, NULL);
	struct drm_gpuvm_imm_config config = { .range = SZ_1M, .resv_obj = &bo->base };
	struct test_vm *vm = kunit_kzalloc(test, sizeof(*vm), GFP_KERNEL);
	struct drm_gpuvm_imm *shared;
	struct drm_device *other;

	KUNIT_ASSERT_NOT_NULL(test, vm);
	KUNIT_ASSERT_EQ(test, test_vm_init(vm, env->drm, &config), 0);
	KUNIT_EXPECT_PTR_EQ(test, drm_gpuvm_imm_resv_obj(test_vm_shared(vm)), &bo->base);
	KUNIT_EXPECT_FALSE(test, drm_gpuvm_imm_is_extobj(test_vm_shared(vm), &bo->base));
	shared = drm_gpuvm_imm_get(vm->core);
	test_vm_fini(vm);
	test_bo_end(test, bo);
	KUNIT_EXPECT_EQ(test, atomic_read(&env->live_bos), 1);
	drm_gpuvm_imm_put(shared);
	drm_gpuvm_imm_flush();
	KUNIT_EXPECT_EQ(test, atomic_read(&env->live_bos), 0);

	other = drm_dev_alloc(env->drm->driver, drm_safe_test_parent(test));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other);
	bo = test_bo_new(test, 1, NULL);
	config.resv_obj = &bo->base;
	EXPECT_REFUSED(test, "a VM shares the reservation lock of an object of its device",
		       test_vm_init(vm, other, &config), -EINVAL);
	KUNIT_EXPECT_EQ(test, bo_refs(bo), 1);
	drm_dev_put(other);
}

static void drm_gpuvm_imm_test_map(struct kunit *test)
{
	struct test_vm *vm = test_vm_new(test);
	struct test_bo *bo = test_bo_new(test, 16, NULL);
	u64 *model = test_model(test);
	const struct drm_gpuva *va;

	KUNIT_EXPECT_EQ(test, test_map(test, vm, bo, 7, 10, 5, 3), 0);
	model_set(model, bo, 7, 10, 5, 3);
	test_check(test, vm, model);
	KUNIT_EXPECT_EQ(test, vm->maps, 1);
	KUNIT_EXPECT_EQ(test, vm->unmaps + vm->remaps, 0);

	va = test_vm_find(vm, TEST_START + 10 * TEST_PAGE, 5 * TEST_PAGE);
	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_EXPECT_PTR_EQ(test, test_vm_obj(va), bo);
	KUNIT_EXPECT_EQ(test, test_vm_va(va)->tag, 7);

	KUNIT_EXPECT_EQ(test, test_unmap(test, vm, 0, TEST_PAGES - 16), 0);
	memset(model, 0, TEST_PAGES * sizeof(*model));
	test_check(test, vm, model);
	KUNIT_EXPECT_EQ(test, vm->unmaps, 1);

	/* The drain gives the object back. */
	drm_gpuvm_imm_flush();
	KUNIT_EXPECT_EQ(test, bo_refs(bo), 1);
	KUNIT_EXPECT_EQ(test, vm_refs(vm), 1);
}

/* Every place of a new mapping, or a hole, against three old mappings. */
static void test_overlaps(struct kunit *test, bool map)
{
	struct test_vm *vm = test_vm_new(test);
	struct test_bo *old[3], *bo = test_bo_new(test, 32, NULL);
	u64 *model = test_model(test);

	for (int i = 0; i < 3; i++)
		old[i] = test_bo_new(test, 32, NULL);

	for (u64 start = 0; start < 14; start++) {
		for (u64 end = start + 1; end <= 14; end++) {
			memset(model, 0, TEST_PAGES * sizeof(*model));
			KUNIT_ASSERT_EQ(test, test_unmap(test, vm, 0, 32), 0);
			/* [1, 5) [5, 8) [9, 13), and a hole at 8 */
			KUNIT_ASSERT_EQ(test, test_map(test, vm, old[0], 1, 1, 4, 2), 0);
			model_set(model, old[0], 1, 1, 4, 2);
			KUNIT_ASSERT_EQ(test, test_map(test, vm, old[1], 2, 5, 3, 4), 0);
			model_set(model, old[1], 2, 5, 3, 4);
			KUNIT_ASSERT_EQ(test, test_map_sparse(test, vm, 9, 4), 0);
			model_set(model, NULL, 0, 9, 4, 0);
			test_check(test, vm, model);

			if (map) {
				KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 9, start,
							       end - start, 3), 0);
				model_set(model, bo, 9, start, end - start, 3);
			} else {
				KUNIT_ASSERT_EQ(test, test_unmap(test, vm, start,
								 end - start), 0);
				memset64(model + start, 0, end - start);
			}
			test_check(test, vm, model);
		}
	}
}

static void drm_gpuvm_imm_test_map_overlaps(struct kunit *test)
{
	test_overlaps(test, true);
}

static void drm_gpuvm_imm_test_unmap_overlaps(struct kunit *test)
{
	test_overlaps(test, false);
}

/* Mapping the same pages at the same place again lets the driver keep them. */
static void drm_gpuvm_imm_test_keep(struct kunit *test)
{
	struct test_vm *vm = test_vm_new(test);
	struct test_bo *bo = test_bo_new(test, 16, NULL);
	u64 *model = test_model(test);

	KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 1, 4, 8, 4), 0);
	KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 1, 4, 8, 4), 0);
	KUNIT_EXPECT_EQ(test, vm->keeps, 1);
	KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 1, 6, 2, 6), 0);
	KUNIT_EXPECT_EQ(test, vm->keeps, 2);
	KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 1, 6, 2, 7), 0);
	KUNIT_EXPECT_EQ(test, vm->keeps, 2);
	model_set(model, bo, 1, 4, 8, 4);
	model_set(model, bo, 1, 6, 2, 7);
	test_check(test, vm, model);
}

/* Both parts of a split mapping have a copy of its data. */
static void drm_gpuvm_imm_test_split(struct kunit *test)
{
	struct test_vm *vm = test_vm_new(test);
	struct test_bo *bo = test_bo_new(test, 16, NULL);
	u64 *model = test_model(test);
	const struct drm_gpuva *va;
	unsigned int n = 0;

	KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 5, 4, 8, 4), 0);
	KUNIT_ASSERT_EQ(test, test_map_sparse(test, vm, 16, 8), 0);
	model_set(model, bo, 5, 4, 8, 4);
	model_set(model, NULL, 0, 16, 8, 0);

	/* At the ends, in nothing, at a start, inside, inside of a sparse one, reserved */
	for (u64 at = 0; at <= TEST_PAGES; at += 2) {
		DRM_GPUVM_IMM_UPDATE(update);
		u64 addr = TEST_START + at * TEST_PAGE;
		bool ok = at <= TEST_PAGES - 16 || at == TEST_PAGES;

		KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_prepare_split(test_vm_shared(vm), update, addr),
				ok ? 0 : -EINVAL);
		if (ok)
			KUNIT_ASSERT_EQ(test, test_run(test, vm, update), 0);
	}
	test_check(test, vm, model);
	KUNIT_EXPECT_EQ(test, vm->remaps, 6);

	drm_gpuvm_imm_for_each(each, vm->core, TEST_START, TEST_PAGES * TEST_PAGE) {
		KUNIT_EXPECT_EQ(test, each->va.range, 2 * TEST_PAGE);
		n++;
	}
	KUNIT_EXPECT_EQ(test, n, 8);

	va = test_vm_find(vm, TEST_START + 6 * TEST_PAGE, 2 * TEST_PAGE);
	KUNIT_ASSERT_NOT_NULL(test, va);
	test_vm_va(va)->tag = 6;
	va = test_vm_find(vm, TEST_START + 8 * TEST_PAGE, 2 * TEST_PAGE);
	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_EXPECT_EQ(test, test_vm_va(va)->tag, 5);
}

static void drm_gpuvm_imm_test_unmap_obj(struct kunit *test)
{
	DRM_GPUVM_IMM_UPDATE(update);
	struct test_vm *vm = test_vm_new(test), *vm2 = test_vm_new(test);
	struct test_bo *bo = test_bo_new(test, 16, NULL);
	struct test_bo *other = test_bo_new(test, 16, NULL);
	u64 *model = test_model(test), *model2 = test_model(test);

	for (int i = 0; i < 20; i++) {
		struct test_bo *each = i % 3 ? bo : other;

		KUNIT_ASSERT_EQ(test, test_map(test, vm, each, i, i * 4, 3, i % 8), 0);
		if (each == other)
			model_set(model, other, i, i * 4, 3, i % 8);
	}
	KUNIT_ASSERT_EQ(test, test_map(test, vm2, bo, 1, 0, 3, 0), 0);
	model_set(model2, bo, 1, 0, 3, 0);

	KUNIT_ASSERT_EQ(test, test_vm_prepare_unmap_obj(test_vm_shared(vm), update, bo), 0);
	KUNIT_ASSERT_EQ(test, test_run(test, vm, update), 0);
	test_check(test, vm, model);
	test_check(test, vm2, model2);
	KUNIT_EXPECT_EQ(test, vm->unmaps, 13);

	/* Nothing left to do is no error, here nor for an unknown object. */
	KUNIT_ASSERT_EQ(test, test_vm_prepare_unmap_obj(test_vm_shared(vm), update, bo), 0);
	KUNIT_ASSERT_EQ(test, test_run(test, vm, update), 0);
	KUNIT_ASSERT_EQ(test, test_vm_prepare_unmap_obj(test_vm_shared(vm2), update, other), 0);
	KUNIT_ASSERT_EQ(test, test_run(test, vm2, update), 0);
	test_check(test, vm, model);
	test_check(test, vm2, model2);
}

static void drm_gpuvm_imm_test_find(struct kunit *test)
{
	struct test_vm *vm = test_vm_new(test);
	struct test_bo *bo = test_bo_new(test, 16, NULL);
	const u64 at = TEST_START + 8 * TEST_PAGE, len = 4 * TEST_PAGE;
	unsigned int n = 0;

	KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 1, 8, 4, 0), 0);
	KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 2, 20, 4, 0), 0);

	KUNIT_EXPECT_NOT_NULL(test, test_vm_find(vm, at, len));
	KUNIT_EXPECT_NULL(test, test_vm_find(vm, at, len - 1));
	KUNIT_EXPECT_NULL(test, test_vm_find(vm, at + 1, len));
	KUNIT_EXPECT_NULL(test, test_vm_find(vm, at, 0));
	KUNIT_EXPECT_NOT_NULL(test, test_vm_find_first(vm, at + len - 1, 1));
	KUNIT_EXPECT_NULL(test, test_vm_find_first(vm, at + len, 8 * TEST_PAGE));
	KUNIT_EXPECT_NULL(test, test_vm_find_first(vm, at, 0));
	KUNIT_EXPECT_NULL(test, test_vm_find_first(vm, at, U64_MAX));
	KUNIT_EXPECT_NULL(test, test_vm_find_first(vm, 0, TEST_START));
	/* A reserved range is no mapping. */
	KUNIT_EXPECT_NULL(test, test_vm_find_first(vm, TEST_START + 32 * TEST_PAGE,
						   TEST_PAGES * TEST_PAGE));

	drm_gpuvm_imm_for_each(va, vm->core, at + len - 1, 8 * TEST_PAGE + 2)
		n += test_vm_va(va)->tag;
	KUNIT_EXPECT_EQ(test, n, 3);
	drm_gpuvm_imm_for_each(va, vm->core, at + len, 8 * TEST_PAGE)
		n++;
	KUNIT_EXPECT_EQ(test, n, 3);
}

/* Wrong calls are refused, and leave nothing behind. */
static void drm_gpuvm_imm_test_prepare_invalid(struct kunit *test)
{
	DRM_GPUVM_IMM_UPDATE(update);
	static const struct {
		u64 addr, range, offset;
	} bad[] = {
		{ TEST_START, 0, 0 },
		{ 0, TEST_PAGE, 0 },
		{ TEST_START - TEST_PAGE, 2 * TEST_PAGE, 0 },
		{ TEST_START + TEST_PAGES * TEST_PAGE, TEST_PAGE, 0 },
		{ TEST_START + (TEST_PAGES - 17) * TEST_PAGE, 2 * TEST_PAGE, 0 },
		{ TEST_START + (TEST_PAGES - 1) * TEST_PAGE, TEST_PAGE, 0 },
		{ TEST_START + 1, TEST_PAGE, 0 },
		{ TEST_START, TEST_PAGE + 1, 0 },
		{ TEST_START, 1, 0 },
		{ TEST_START, -TEST_PAGE, 0 },
		{ TEST_START, U64_MAX & ~(u64)(TEST_PAGE - 1), 0 },
		{ -(u64)TEST_PAGE, TEST_PAGE, 0 },
		/* from here on the range is fine and the offset is not */
		{ TEST_START, TEST_PAGE, 1 },
		{ TEST_START, TEST_PAGE, 16 * TEST_PAGE },
		{ TEST_START, 17 * TEST_PAGE, 0 },
		{ TEST_START, 16 * TEST_PAGE, TEST_PAGE },
		{ TEST_START, TEST_PAGE, -(u64)TEST_PAGE },
	};
	struct test_vm *vm = test_vm_new(test);
	struct drm_gpuvm_imm *shared = test_vm_shared(vm);
	struct test_bo *bo = test_bo_new(test, 16, NULL);
	struct drm_gpuvm_bo *vm_bo;

	for (int i = 0; i < ARRAY_SIZE(bad); i++) {
		u64 addr = bad[i].addr, range = bad[i].range, offset = bad[i].offset;

		KUNIT_EXPECT_EQ_MSG(test, test_vm_prepare_map(shared, update, bo, addr,
							      range, offset),
				    -EINVAL, "case %d", i);
		if (i >= 12)
			continue;
		KUNIT_EXPECT_EQ_MSG(test, drm_gpuvm_imm_prepare_unmap(shared, update, addr, range),
				    -EINVAL, "case %d", i);
		KUNIT_EXPECT_EQ_MSG(test, drm_gpuvm_imm_prepare_map_sparse(shared, update, addr,
									   range),
				    -EINVAL, "case %d", i);
	}
	KUNIT_EXPECT_EQ(test, drm_gpuvm_imm_prepare_split(shared, update, TEST_START + 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_imm_prepare_split(shared, update, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_imm_prepare_split(shared, update, TEST_START - TEST_PAGE),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, -EINVAL,
			drm_gpuvm_imm_prepare_split(shared, update,
						    TEST_START + (TEST_PAGES + 1) * TEST_PAGE));
	EXPECT_REFUSED(test, "a VM takes objects of its own device and type",
		       drm_gpuvm_imm_prepare_map_gem(shared, update, NULL, TEST_START,
						     TEST_PAGE, 0, NULL), -EINVAL);

	/* The same through a vm_bo. */
	vm_bo = drm_gpuvm_imm_obtain_gem(shared, &bo->base, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vm_bo);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_imm_prepare_map_bo(shared, update, vm_bo, TEST_START,
							   17 * TEST_PAGE, 0), -EINVAL);
	drm_gpuvm_imm_bo_put(vm_bo);

	drm_gpuvm_imm_flush();
	KUNIT_EXPECT_EQ(test, bo_refs(bo), 1);
	KUNIT_EXPECT_EQ(test, bo_vms(bo), 0);
	KUNIT_EXPECT_EQ(test, vm_refs(vm), 1);
}

/* An object that does not belong here can be neither mapped, unmapped nor obtained. */
static void test_foreign_refused(struct kunit *test, struct test_vm *vm,
				 struct drm_gpuvm_imm_update *update, struct test_bo *bo)
{
	struct drm_gpuvm_imm *shared = test_vm_shared(vm);

	EXPECT_REFUSED(test, "a VM takes objects of its own device and type",
		       test_map(test, vm, bo, 0, 0, 1, 0), -EINVAL);
	EXPECT_REFUSED(test, "a VM takes objects of its own device and type",
		       test_vm_prepare_unmap_obj(shared, update, bo), -EINVAL);
	EXPECT_REFUSED(test, "a VM takes objects of its own device and type",
		       PTR_ERR(drm_gpuvm_imm_obtain_gem(shared, &bo->base, NULL)), -EINVAL);
}

/* Objects and vm_bos that do not belong here. */
static void drm_gpuvm_imm_test_foreign(struct kunit *test)
{
	DRM_GPUVM_IMM_UPDATE(update);
	static const struct drm_gem_object_funcs other_funcs = {};
	struct test_env *env = test->priv;
	struct test_vm *vm = test_vm_new(test), *vm2 = test_vm_new(test);
	struct drm_gpuvm_imm *shared = test_vm_shared(vm);
	struct test_bo *bo = test_bo_new(test, 16, NULL);
	struct drm_device *other_dev;
	struct drm_gpuvm_bo *vm_bo;

	/* of another driver */
	bo->base.funcs = &other_funcs;
	test_foreign_refused(test, vm, update, bo);
	dma_resv_lock(bo->base.resv, NULL);
	EXPECT_REFUSED(test, "a VM takes objects of its own device and type",
		       drm_gpuvm_imm_evict_gem(&test_vm_type.base, &bo->base), -EINVAL);
	dma_resv_unlock(bo->base.resv);
	bo->base.funcs = &test_bo_funcs;

	/* of another device */
	other_dev = drm_dev_alloc(env->drm->driver, drm_safe_test_parent(test));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other_dev);
	bo->base.dev = other_dev;
	test_foreign_refused(test, vm, update, bo);
	EXPECT_REFUSED(test, "a VM takes objects of its own device and type",
		       drm_gpuvm_imm_is_extobj(shared, &bo->base), false);
	bo->base.dev = env->drm;
	drm_dev_put(other_dev);

	/* none at all */
	EXPECT_REFUSED(test, "a VM takes objects of its own device and type",
		       drm_gpuvm_imm_prepare_unmap_gem(shared, update, NULL), -EINVAL);
	EXPECT_REFUSED(test, "a VM takes objects of its own device and type",
		       PTR_ERR(drm_gpuvm_imm_obtain_gem(shared, NULL, NULL)), -EINVAL);

	/* of another VM */
	vm_bo = drm_gpuvm_imm_obtain_gem(test_vm_shared(vm2), &bo->base, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vm_bo);
	EXPECT_REFUSED(test, "a vm_bo is used with its own VM",
		       drm_gpuvm_imm_prepare_map_bo(shared, update, vm_bo, TEST_START,
						    TEST_PAGE, 0), -EINVAL);
	drm_gpuvm_imm_bo_put(vm_bo);
	drm_gpuvm_imm_flush();
	KUNIT_EXPECT_EQ(test, bo_refs(bo), 1);
	KUNIT_EXPECT_EQ(test, vm_refs(vm), 1);
	KUNIT_EXPECT_EQ(test, vm_refs(vm2), 1);
}

/* A mapping, and the core of another VM */
/* A hole that is known to be one takes one VA, and nothing else is changed if it is none. */
static void drm_gpuvm_imm_test_map_hole(struct kunit *test)
{
	DRM_GPUVM_IMM_UPDATE(update);
	struct test_bo *bo = test_bo_new(test, 16, NULL);
	struct test_vm *vm = test_vm_new(test), *vm2 = test_vm_new(test);
	struct drm_gpuvm_imm *shared = test_vm_shared(vm);
	u64 *model = test_model(test);
	struct drm_gpuvm_bo *vm_bo;

	vm_bo = drm_gpuvm_imm_obtain(&test_vm_type, shared, bo, NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(vm_bo));
	KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_prepare_map_hole(shared, update, vm_bo, TEST_START,
							     4 * TEST_PAGE, TEST_PAGE), 0);
	KUNIT_EXPECT_NULL(test, update->__vas[DRM_GPUVM_IMM_UPDATE_PREV]);
	KUNIT_EXPECT_NULL(test, update->__vas[DRM_GPUVM_IMM_UPDATE_NEXT]);
	test_vm_update_va(update)->tag = 7;
	KUNIT_EXPECT_EQ(test, test_run(test, vm, update), 0);
	model_set(model, bo, 7, 0, 4, 1);
	test_check(test, vm, model);

	/* It is none any more. */
	KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_prepare_map_hole(shared, update, vm_bo,
							     TEST_START + 3 * TEST_PAGE,
							     4 * TEST_PAGE, 0), 0);
	KUNIT_EXPECT_EQ(test, test_run(test, vm, update), -EEXIST);
	KUNIT_EXPECT_EQ(test, vm->maps, 1);
	KUNIT_EXPECT_EQ(test, vm->unmaps + vm->remaps, 0);
	test_check(test, vm, model);

	/* The step fails. */
	KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_prepare_map_hole(shared, update, vm_bo,
							     TEST_START + 4 * TEST_PAGE,
							     4 * TEST_PAGE, 0), 0);
	vm->fail_in = 1;
	KUNIT_EXPECT_EQ(test, test_run(test, vm, update), -EIO);
	test_check(test, vm, model);

	/* Not run */
	KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_prepare_map_hole(shared, update, vm_bo, TEST_START,
							     4 * TEST_PAGE, 0), 0);
	drm_gpuvm_imm_update_drop(update);

	/* Refused as by drm_gpuvm_imm_prepare_map_bo() */
	KUNIT_EXPECT_EQ(test, drm_gpuvm_imm_prepare_map_hole(shared, update, vm_bo, TEST_START,
							     17 * TEST_PAGE, 0), -EINVAL);
	EXPECT_REFUSED(test, "a vm_bo is used with its own VM",
		       drm_gpuvm_imm_prepare_map_hole(test_vm_shared(vm2), update, vm_bo,
						      TEST_START, TEST_PAGE, 0), -EINVAL);
	EXPECT_REFUSED(test, "a vm_bo is used with its own VM",
		       drm_gpuvm_imm_prepare_map_hole(shared, update, NULL, TEST_START,
						      TEST_PAGE, 0), -EINVAL);
	drm_gpuvm_imm_bo_put(vm_bo);
	test_check(test, vm, model);
}

static void drm_gpuvm_imm_test_foreign_va(struct kunit *test)
{
	struct test_vm *vm = test_vm_new(test), *vm2 = test_vm_new(test);
	struct test_bo *bo = test_bo_new(test, 2, NULL);
	const struct drm_gpuva *first, *second;

	KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 0, 0, 1, 0), 0);
	KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 0, 1, 1, 1), 0);
	first = test_vm_find(vm, TEST_START, TEST_PAGE);
	KUNIT_ASSERT_NOT_NULL(test, first);
	second = drm_gpuvm_imm_next(vm->core, first, TEST_START, 2 * TEST_PAGE);
	KUNIT_ASSERT_NOT_NULL(test, second);
	KUNIT_EXPECT_PTR_EQ(test, drm_gpuvm_imm_next_of(vm->core, first), second);

	EXPECT_REFUSED(test, "a mapping is used with the core of its VM",
		       PTR_ERR(drm_gpuvm_imm_next(vm2->core, first, TEST_START, 2 * TEST_PAGE)), 0);
	EXPECT_REFUSED(test, "a mapping is used with the core of its VM",
		       PTR_ERR(drm_gpuvm_imm_next_of(vm2->core, first)), 0);
}

static void test_plain_vm_free(struct drm_gpuvm *gpuvm)
{
}

/* An object that is mapped in a VM of another mode has other locking rules. */
static void drm_gpuvm_imm_test_other_mode(struct kunit *test)
{
	DRM_GPUVM_IMM_UPDATE(update);
	static const struct drm_gpuvm_ops ops = { .vm_free = test_plain_vm_free };
	struct test_env *env = test->priv;
	struct test_vm *vm = test_vm_new(test);
	struct test_bo *bo = test_bo_new(test, 16, NULL);
	struct drm_gpuvm *plain = kunit_kzalloc(test, sizeof(*plain), GFP_KERNEL);
	struct drm_gpuvm_bo *vm_bo;

	KUNIT_ASSERT_NOT_NULL(test, plain);
	drm_gpuvm_init(plain, "plain", 0, env->drm, &bo->base, 0, SZ_1M, 0, 0, &ops);
	dma_resv_lock(bo->base.resv, NULL);
	vm_bo = drm_gpuvm_bo_obtain_locked(plain, &bo->base);
	dma_resv_unlock(bo->base.resv);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vm_bo);

	EXPECT_REFUSED(test, "an object is in VMs of one mode", test_map(test, vm, bo, 0, 0, 1, 0),
		       -EINVAL);
	EXPECT_REFUSED(test, "an object is in VMs of one mode",
		       PTR_ERR(drm_gpuvm_imm_obtain_gem(test_vm_shared(vm), &bo->base, NULL)),
		       -EINVAL);
	EXPECT_REFUSED(test, "an object is in VMs of one mode",
		       test_vm_prepare_unmap_obj(test_vm_shared(vm), update, bo), -EINVAL);
	EXPECT_REFUSED(test, "an object is in VMs of one mode",
		       PTR_ERR(drm_gpuvm_imm_first_of(vm->core, &bo->base)), 0);
	KUNIT_EXPECT_EQ(test, bo_vms(bo), 1);

	dma_resv_lock(bo->base.resv, NULL);
	drm_gpuvm_bo_put(vm_bo);
	dma_resv_unlock(bo->base.resv);
	drm_gpuvm_put(plain);
	KUNIT_EXPECT_EQ(test, test_map(test, vm, bo, 0, 0, 1, 0), 0);
}

static void drm_gpuvm_imm_test_update_misuse(struct kunit *test)
{
	DRM_GPUVM_IMM_UPDATE(update);
	struct test_vm *vm = test_vm_new(test), *vm2 = test_vm_new(test);
	struct drm_gpuvm_imm *shared = test_vm_shared(vm);
	struct test_bo *bo = test_bo_new(test, 16, NULL);
	struct drm_gpuvm_imm_core copy[1];
	u64 *model = test_model(test);

	/* prepared twice: the first one stays */
	KUNIT_ASSERT_EQ(test, test_vm_prepare_map(shared, update, bo, TEST_START,
						  TEST_PAGE, 0), 0);
	EXPECT_REFUSED(test, "an update is prepared once",
		       test_vm_prepare_map(shared, update, bo, TEST_START, TEST_PAGE, 0), -EBUSY);
	EXPECT_REFUSED(test, "an update is prepared once",
		       drm_gpuvm_imm_prepare_map_sparse(shared, update, TEST_START, TEST_PAGE),
		       -EBUSY);
	EXPECT_REFUSED(test, "an update is prepared once",
		       drm_gpuvm_imm_prepare_unmap(shared, update, TEST_START, TEST_PAGE), -EBUSY);
	EXPECT_REFUSED(test, "an update is prepared once",
		       test_vm_prepare_unmap_obj(shared, update, bo), -EBUSY);
	EXPECT_REFUSED(test, "an update is prepared once",
		       drm_gpuvm_imm_prepare_split(shared, update, TEST_START), -EBUSY);
	KUNIT_EXPECT_EQ(test, test_run(test, vm, update), 0);
	model_set(model, bo, 0, 0, 1, 0);
	test_check(test, vm, model);

	/* run twice */
	EXPECT_REFUSED(test, "an update is run once, by the core of the VM it was prepared for",
		       test_run(test, vm, update), -EINVAL);
	test_check(test, vm, model);

	/* run by another VM */
	KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_prepare_unmap(shared, update, TEST_START,
							  TEST_PAGE), 0);
	EXPECT_REFUSED(test, "an update is run once, by the core of the VM it was prepared for",
		       test_run(test, vm2, update), -EINVAL);
	test_check(test, vm, model);
	KUNIT_EXPECT_EQ(test, vm2->unmaps, 0);

	/* run and ended by a copy of the core, which the steps would not be called with */
	memcpy(copy, vm->core, sizeof(copy));
	KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_prepare_unmap(shared, update, TEST_START,
							  TEST_PAGE), 0);
	EXPECT_REFUSED(test, "an update is run once, by the core of the VM it was prepared for",
		       drm_gpuvm_imm_core_run(copy, update), -EINVAL);
	kunit_warning_suppress(test) {
		drm_gpuvm_imm_fini(copy);
		EXPECT_BROKEN(test, "a core stays where it was initialised");
	}
	test_check(test, vm, model);

	/* run after the end of its VM, and dropped twice */
	KUNIT_ASSERT_EQ(test, test_vm_prepare_map(shared, update, bo, TEST_START,
						  TEST_PAGE, 0), 0);
	shared = drm_gpuvm_imm_get(vm->core);
	test_vm_fini(vm);
	EXPECT_REFUSED(test, "an update is run once, by the core of the VM it was prepared for",
		       test_run(test, vm, update), -EINVAL);
	drm_gpuvm_imm_update_drop(update);
	drm_gpuvm_imm_update_drop(update);
	drm_gpuvm_imm_put(shared);
}

/* Wrong step functions */
static void drm_gpuvm_imm_test_step_misuse(struct kunit *test)
{
	static const struct {
		enum test_misbehave what;
		int ret;
	} cases[] = {
		{ TEST_RETURN_NULL, -EINVAL },
		{ TEST_RETURN_OTHER, -EINVAL },
		{ TEST_RETURN_STALE, -EINVAL },
		{ TEST_DO_NOT_COMPLETE, -EINVAL },
		{ TEST_COMPLETE_TWICE, -EINVAL },
		{ TEST_COMPLETE_AND_FAIL, -EIO },
	};
	struct test_vm *vm = test_vm_new(test);
	struct test_bo *bo = test_bo_new(test, 16, NULL);
	u64 *model = test_model(test);

	KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 1, 0, 8, 0), 0);
	model_set(model, bo, 1, 0, 8, 0);

	for (int i = 0; i < ARRAY_SIZE(cases); i++) {
		vm->misbehave = cases[i].what;
		EXPECT_REFUSED(test, "a step is completed once, and returns its result",
			       test_map(test, vm, bo, 2, 8, 1, 0), cases[i].ret);
		test_check(test, vm, model);
		vm->misbehave = cases[i].what;
		EXPECT_REFUSED(test, "a step is completed once, and returns its result",
			       test_unmap(test, vm, 0, 8), cases[i].ret);
		test_check(test, vm, model);
		vm->misbehave = cases[i].what;
		EXPECT_REFUSED(test, "a step is completed once, and returns its result",
			       test_unmap(test, vm, 2, 2), cases[i].ret);
		test_check(test, vm, model);
	}
	drm_gpuvm_imm_flush();
	KUNIT_EXPECT_EQ(test, bo_vms(bo), 1);
	KUNIT_EXPECT_EQ(test, vm_refs(vm), 3);
}

static struct drm_gpuvm_imm_update *test_nested;
static int test_nested_ret;

static void test_run_in_step(struct test_vm *vm)
{
	test_nested_ret = test_vm_run(vm, test_nested);
}

static void test_fini_in_step(struct test_vm *vm)
{
	test_vm_fini(vm);
}

static void test_find_in_step(struct test_vm *vm)
{
	test_nested_ret = !!test_vm_find_first(vm, TEST_START, TEST_PAGE);
}

/* One writer at a time: a step must not call for another change. */
static void drm_gpuvm_imm_test_two_writers(struct kunit *test)
{
	DRM_GPUVM_IMM_UPDATE(nested);
	struct test_vm *vm = test_vm_new(test);
	struct test_bo *bo = test_bo_new(test, 16, NULL);
	u64 *model = test_model(test);

	KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_prepare_unmap(test_vm_shared(vm), nested, TEST_START,
							  TEST_PAGE), 0);
	test_nested = nested;
	vm->in_step = test_run_in_step;
	EXPECT_REFUSED(test, "a VM has one writer at a time", test_map(test, vm, bo, 1, 0, 4, 0),
		       0);
	KUNIT_EXPECT_EQ(test, test_nested_ret, -EBUSY);
	model_set(model, bo, 1, 0, 4, 0);
	test_check(test, vm, model);

	/* A step cannot end the VM, either. */
	vm->in_step = test_fini_in_step;
	EXPECT_REFUSED(test, "the core outlives its users", test_map(test, vm, bo, 1, 4, 4, 4), 0);
	model_set(model, bo, 1, 4, 4, 4);
	test_check(test, vm, model);

	/* To look is fine. */
	vm->in_step = test_find_in_step;
	KUNIT_EXPECT_EQ(test, test_map(test, vm, bo, 1, 8, 4, 8), 0);
	KUNIT_EXPECT_EQ(test, test_nested_ret, 1);
}

/* A step fails: everything is as before, whichever step it is. */
static void drm_gpuvm_imm_test_rollback(struct kunit *test)
{
	struct test_vm *vm = test_vm_new(test);
	struct test_bo *bo = test_bo_new(test, 64, NULL);
	u64 *model = test_model(test);
	unsigned int refs;

	KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 1, 0, 8, 0), 0);
	model_set(model, bo, 1, 0, 8, 0);
	KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 2, 8, 8, 8), 0);
	model_set(model, bo, 2, 8, 8, 8);
	KUNIT_ASSERT_EQ(test, test_map_sparse(test, vm, 16, 8), 0);
	model_set(model, NULL, 0, 16, 8, 0);
	KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 3, 24, 8, 16), 0);
	model_set(model, bo, 3, 24, 8, 16);
	refs = vm_refs(vm);

	/* remap, unmap, unmap, remap, map */
	for (unsigned int nth = 1; nth <= 5; nth++) {
		vm->fail_in = nth;
		KUNIT_EXPECT_EQ(test, test_map(test, vm, bo, 4, 4, 24, 0), -EIO);
		test_check(test, vm, model);
		/* The first step is undone last: it took pages 4 to 7 away. */
		if (nth > 1)
			KUNIT_EXPECT_EQ(test, vm->last_map, TEST_START + 4 * TEST_PAGE);
		vm->fail_in = nth;
		KUNIT_EXPECT_EQ(test, test_unmap(test, vm, 4, 24), nth < 5 ? -EIO : 0);
		if (nth < 5)
			test_check(test, vm, model);
	}
	vm->fail_in = 0;
	memset64(model + 4, 0, 24);
	test_check(test, vm, model);
	KUNIT_EXPECT_EQ(test, vm_refs(vm), refs - 2);

	/* the middle of one mapping, and the same pages again */
	KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 5, 32, 16, 0), 0);
	model_set(model, bo, 5, 32, 16, 0);
	for (unsigned int nth = 1; nth <= 2; nth++) {
		vm->fail_in = nth;
		KUNIT_EXPECT_EQ(test, test_map(test, vm, bo, 6, 36, 4, 30), -EIO);
		test_check(test, vm, model);
		vm->fail_in = nth;
		KUNIT_EXPECT_EQ(test, test_map(test, vm, bo, 6, 36, 4, 4), -EIO);
		test_check(test, vm, model);
		vm->fail_in = nth;
		KUNIT_EXPECT_EQ(test, test_map(test, vm, bo, 6, 32, 16, 0), -EIO);
		test_check(test, vm, model);
	}
	vm->fail_in = 0;
	KUNIT_EXPECT_FALSE(test, drm_gpuvm_imm_is_broken(test_vm_shared(vm)));
}

static void drm_gpuvm_imm_test_rollback_unmap_obj(struct kunit *test)
{
	struct test_vm *vm = test_vm_new(test);
	struct test_bo *bo = test_bo_new(test, 64, NULL);
	u64 *model = test_model(test);

	for (int i = 0; i < 10; i++) {
		KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, i, i * 4, 3, i), 0);
		model_set(model, bo, i, i * 4, 3, i);
	}
	for (unsigned int nth = 1; nth <= 10; nth++) {
		DRM_GPUVM_IMM_UPDATE(update);

		KUNIT_ASSERT_EQ(test, test_vm_prepare_unmap_obj(test_vm_shared(vm), update, bo), 0);
		vm->fail_in = nth;
		KUNIT_EXPECT_EQ(test, test_run(test, vm, update), -EIO);
		test_check(test, vm, model);
	}
}

/* Undoing fails, too: the VM matches the page table, and takes no more updates. */
static void drm_gpuvm_imm_test_broken(struct kunit *test)
{
	/* steps: remap, unmap, remap, map */
	for (unsigned int nth = 2; nth <= 4; nth++) {
		for (unsigned int again = 1; again < nth; again++) {
			struct test_vm *vm = test_vm_new(test);
			struct test_bo *bo = test_bo_new(test, 64, NULL);
			u64 *seen = test_model(test);

			KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 1, 0, 8, 0), 0);
			KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 2, 8, 8, 8), 0);
			KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 3, 16, 8, 16), 0);

			vm->fail_in = nth;
			vm->fail_again_in = again;
			KUNIT_EXPECT_EQ(test, test_map(test, vm, bo, 4, 4, 16, 0), -EIO);
			KUNIT_EXPECT_TRUE(test, drm_gpuvm_imm_is_broken(test_vm_shared(vm)));
			memcpy(seen, vm->pt, sizeof(vm->pt));
			test_check(test, vm, seen);

			KUNIT_EXPECT_EQ(test, test_unmap(test, vm, 0, 1), -ENOTRECOVERABLE);
			KUNIT_EXPECT_EQ(test, test_map(test, vm, bo, 4, 0, 1, 0),
					-ENOTRECOVERABLE);
			test_check(test, vm, seen);
			test_vm_end(test, vm);
			KUNIT_EXPECT_EQ(test, bo_refs(bo), 1);
		}
	}
}

static int test_validate_one(struct test_vm *vm, struct test_bo *bo, struct drm_exec *exec)
{
	vm->validated++;
	if (vm->fail_in)
		return -ENOMEM;

	/* The object has other pages now, and the page table must have their addresses. */
	bo->evicted = false;
	bo->id += 100;
	drm_gpuvm_imm_for_each_of(va, vm->core, &bo->base)
		test_vm_write(vm, va, va->va.addr, va->va.range, va->gem.offset);
	return 0;
}

/* The end of a VM: its steps get to see every mapping that is left. */
static void drm_gpuvm_imm_test_fini(struct kunit *test)
{
	struct test_env *env = test->priv;
	struct test_vm *vm = kunit_kzalloc(test, sizeof(*vm), GFP_KERNEL);
	struct drm_gpuvm_imm_config config = {
		.start = TEST_START,
		.range = TEST_PAGES * TEST_PAGE,
		.reserve_start = TEST_START,
		.reserve_range = TEST_PAGE,
	};
	struct test_bo *bo = test_bo_new(test, 64, NULL);
	u64 *model = test_model(test);

	KUNIT_ASSERT_NOT_NULL(test, vm);
	KUNIT_ASSERT_EQ(test, test_vm_init(vm, env->drm, &config), 0);
	for (int i = 1; i < 100; i++) {
		if (i % 5)
			KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, i, i * 2, 2, i % 50), 0);
		else
			KUNIT_ASSERT_EQ(test, test_map_sparse(test, vm, i * 2, 1), 0);
	}
	/* Steps that fail are reported, and nothing is left in spite of that. */
	vm->fail_in = 10;
	vm->fail_again_in = 20;
	kunit_warning_suppress(test) {
		test_vm_fini(vm);
		EXPECT_BROKEN_TIMES(test, 2, "an unmap step succeeds when the core goes");
	}
	KUNIT_EXPECT_EQ(test, vm->unmaps, 99);
	for (int i = 0, left = 0; i < TEST_PAGES; i++)
		KUNIT_EXPECT_LE(test, left += !!vm->pt[i], 4);
	KUNIT_EXPECT_EQ(test, bo_refs(bo), 1);
	KUNIT_EXPECT_EQ(test, bo_vms(bo), 0);

	/* An ended VM has nothing, and ends again without harm. */
	test_vm_fini(vm);
	KUNIT_EXPECT_NULL(test, drm_gpuvm_imm_get(vm->core));
	KUNIT_EXPECT_NULL(test, test_vm_find_first(vm, TEST_START, TEST_PAGE));
	KUNIT_EXPECT_NULL(test, drm_gpuvm_imm_first_of(vm->core, &bo->base));
	KUNIT_EXPECT_EQ(test, test_vm_validate(vm, NULL, test_validate_one), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_imm_lock_range(vm->core, NULL, TEST_START,
						       TEST_PAGE, 1), -EINVAL);

	/* The same memory serves another VM. */
	memset(vm, 0, sizeof(*vm));
	KUNIT_ASSERT_EQ(test, test_vm_init(vm, env->drm, &config), 0);
	test_check(test, vm, model);
	test_vm_fini(vm);
}

/* Core, shared VM, vm_bo, object and update go in each possible order. */
static void drm_gpuvm_imm_test_any_order(struct kunit *test)
{
	struct test_env *env = test->priv;

	for (unsigned int order = 0; order < 5 * 5 * 5 * 5 * 5; order++) {
		struct drm_gpuvm_imm_update *update;
		struct drm_gpuvm_imm *shared;
		struct drm_gpuvm_bo *vm_bo;
		unsigned int seen = 0;
		struct test_vm *vm;
		struct test_bo *bo;

		for (unsigned int i = 0, n = order; i < 5; i++, n /= 5)
			seen |= BIT(n % 5);
		if (seen != 0x1f)
			continue;

		vm = test_vm_new(test);
		bo = test_bo_new(test, 16, NULL);
		update = kunit_kzalloc(test, sizeof(*update), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, update);
		shared = drm_gpuvm_imm_get(vm->core);
		vm_bo = drm_gpuvm_imm_obtain_gem(shared, &bo->base, NULL);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vm_bo);
		KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 0, 0, 16, 0), 0);
		KUNIT_ASSERT_EQ(test, test_map_sparse(test, vm, 4, 4), 0);
		KUNIT_ASSERT_EQ(test, test_vm_prepare_map(shared, update, bo, TEST_START,
							  TEST_PAGE, 0), 0);

		for (unsigned int i = 0, n = order; i < 5; i++, n /= 5) {
			switch (n % 5) {
			case 0:
				test_vm_end(test, vm);
				break;
			case 1:
				drm_gpuvm_imm_put(shared);
				break;
			case 2:
				drm_gpuvm_imm_bo_put(vm_bo);
				break;
			case 3:
				test_bo_end(test, bo);
				break;
			case 4:
				drm_gpuvm_imm_update_drop(update);
				break;
			}
		}
		drm_gpuvm_imm_flush();
		KUNIT_ASSERT_EQ(test, atomic_read(&env->live_bos), 0);
	}
}

/* The last reference of all can be put where nothing may be waited for. */
static void drm_gpuvm_imm_test_drop_signalling(struct kunit *test)
{
	struct test_env *env = test->priv;
	struct test_vm *vm = test_vm_new(test);
	struct test_bo *bo = test_bo_new(test, 16, NULL);
	struct drm_gpuvm_imm_update update = {};
	bool cookie;

	KUNIT_ASSERT_EQ(test, test_vm_prepare_map(test_vm_shared(vm), &update, bo, TEST_START,
						  TEST_PAGE, 0), 0);
	test_vm_end(test, vm);
	test_bo_end(test, bo);
	KUNIT_EXPECT_EQ(test, atomic_read(&env->live_bos), 1);
	cookie = dma_fence_begin_signalling();
	drm_gpuvm_imm_update_drop(&update);
	dma_fence_end_signalling(cookie);
	drm_gpuvm_imm_flush();
	KUNIT_EXPECT_EQ(test, atomic_read(&env->live_bos), 0);
}

/* True in a section that dma_fence_begin_signalling() began, if lockdep is there to tell. */
static bool test_is_signalling(void)
{
	bool nested = dma_fence_begin_signalling();

	dma_fence_end_signalling(nested);

	return nested;
}

static void test_note_signalling(struct test_vm *vm)
{
	vm->signalling = test_is_signalling();
}

/* lockdep checks the steps, whether or not the driver began a section itself. */
static void drm_gpuvm_imm_test_run_signalling(struct kunit *test)
{
	struct test_vm *vm = test_vm_new(test);
	struct test_bo *bo = test_bo_new(test, 16, NULL);
	struct drm_gpuvm_imm_update update = {};

	if (test_is_signalling())
		kunit_skip(test, "no CONFIG_LOCKDEP");

	vm->in_step = test_note_signalling;
	KUNIT_ASSERT_EQ(test, test_vm_prepare_map(test_vm_shared(vm), &update, bo, TEST_START,
						  TEST_PAGE, 0), 0);
	KUNIT_ASSERT_EQ(test, test_vm_run(vm, &update), 0);
	KUNIT_EXPECT_TRUE(test, vm->signalling);
	KUNIT_EXPECT_FALSE(test, test_is_signalling());
}

static void drm_gpuvm_imm_test_extobj(struct kunit *test)
{
	DRM_GPUVM_IMM_UPDATE(update);
	struct test_vm *vm = test_vm_new(test);
	struct drm_gpuvm_imm *shared = test_vm_shared(vm);
	struct test_bo *ext = test_bo_new(test, 16, NULL);
	struct test_bo *priv = test_bo_new(test, 16, drm_gpuvm_imm_resv_obj(shared));
	struct drm_gpuvm_bo *ext_bo, *priv_bo, *again;
	struct dma_resv *resv = drm_gpuvm_imm_resv_obj(shared)->resv;

	KUNIT_EXPECT_TRUE(test, drm_gpuvm_imm_is_extobj(shared, &ext->base));
	KUNIT_EXPECT_FALSE(test, drm_gpuvm_imm_is_extobj(shared, &priv->base));

	ext_bo = drm_gpuvm_imm_obtain_gem(shared, &ext->base, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ext_bo);
	KUNIT_EXPECT_FALSE(test, list_empty(&ext_bo->list.entry.extobj));
	priv_bo = drm_gpuvm_imm_obtain_gem(shared, &priv->base, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, priv_bo);
	KUNIT_EXPECT_TRUE(test, list_empty(&priv_bo->list.entry.extobj));

	again = drm_gpuvm_imm_obtain_gem(shared, &ext->base, NULL);
	KUNIT_EXPECT_PTR_EQ(test, again, ext_bo);
	drm_gpuvm_imm_bo_put(again);
	drm_gpuvm_imm_bo_put(ext_bo);
	drm_gpuvm_imm_bo_put(priv_bo);
	drm_gpuvm_imm_bo_put(NULL);
	drm_gpuvm_imm_flush();
	KUNIT_EXPECT_TRUE(test, list_empty(&shared->base.extobj.list));

	/* The same for a caller that holds the VM's lock. */
	dma_resv_lock(resv, NULL);
	again = drm_gpuvm_imm_obtain_gem_locked(shared, &ext->base, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, again);
	KUNIT_EXPECT_FALSE(test, list_empty(&again->list.entry.extobj));
	KUNIT_EXPECT_EQ(test, test_vm_prepare_map_locked(shared, update, ext, TEST_START,
							 TEST_PAGE, 0), 0);
	EXPECT_REFUSED(test, "a _locked call is made with the VM's reservation lock",
		       PTR_ERR(drm_gpuvm_imm_obtain_gem(shared, &ext->base, NULL)), -EALREADY);
	dma_resv_unlock(resv);
	drm_gpuvm_imm_bo_put(again);

	EXPECT_REFUSED(test, "a _locked call is made with the VM's reservation lock",
		       PTR_ERR(drm_gpuvm_imm_obtain_gem_locked(shared, &ext->base, NULL)), -EINVAL);
	KUNIT_EXPECT_EQ(test, test_run(test, vm, update), 0);
}

static unsigned int vm_spare_vas(struct test_vm *vm)
{
	struct drm_gpuvm_imm *shared = test_vm_shared(vm);

	guard(spinlock)(&shared->pool_lock);
	return shared->pool_count;
}

/* VAs are used again, and those that are too many are not kept. */
static void drm_gpuvm_imm_test_pool(struct kunit *test)
{
	DRM_GPUVM_IMM_UPDATE(update);
	struct test_vm *vm = test_vm_new(test);
	struct drm_gpuvm_imm *shared = test_vm_shared(vm);
	struct test_bo *bo = test_bo_new(test, 16, NULL);
	const unsigned int many = TEST_PAGES - 20;
	const unsigned int prepared = DRM_GPUVM_IMM_POOL_MAX / 3 + 3;
	struct drm_gpuvm_imm_update *updates;
	u64 *model = test_model(test);

	KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 3, 0, 1, 0), 0);
	KUNIT_EXPECT_EQ(test, vm_spare_vas(vm), 2);
	KUNIT_ASSERT_EQ(test, test_unmap(test, vm, 0, 1), 0);
	KUNIT_EXPECT_EQ(test, vm_spare_vas(vm), 3);

	/* The data of a mapping starts as zeroes, also in a VA that was used. */
	for (int i = 0; i < 4; i++) {
		KUNIT_ASSERT_EQ(test, test_vm_prepare_map(shared, update, bo, TEST_START,
							  TEST_PAGE, 0), 0);
		KUNIT_EXPECT_EQ(test, vm_spare_vas(vm), 0);
		KUNIT_EXPECT_EQ(test, test_vm_update_va(update)->tag, 0);
		test_vm_update_va(update)->tag = 9;
		drm_gpuvm_imm_update_drop(update);
		KUNIT_EXPECT_EQ(test, vm_spare_vas(vm), 3);
		KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_prepare_map_sparse(shared, update, TEST_START,
								       TEST_PAGE), 0);
		KUNIT_EXPECT_EQ(test, test_vm_update_va(update)->tag, 0);
		test_vm_update_va(update)->tag = 9;
		drm_gpuvm_imm_update_drop(update);
	}
	KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 1, 0, 1, 0), 0);
	model_set(model, bo, 1, 0, 1, 0);
	test_check(test, vm, model);

	/* Many removed, one by one and at once: as many are kept as there is room. */
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < many; i++)
			KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 1, i, 1, 0), 0);
		for (int i = 0; !round && i < many; i++)
			KUNIT_ASSERT_EQ(test, test_unmap(test, vm, i, 1), 0);
		KUNIT_ASSERT_EQ(test, test_unmap(test, vm, 0, many), 0);
		KUNIT_EXPECT_EQ(test, vm_spare_vas(vm), DRM_GPUVM_IMM_POOL_FIRST);
	}

	/*
	 * Many prepared: what they were given can be put back, and is used again. Only the last
	 * update that is dropped makes the pool too large, so that the drain starts then.
	 */
	updates = kunit_kcalloc(test, prepared, sizeof(*updates), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, updates);
	for (int run = 0; run < 2; run++) {
		drm_gpuvm_imm_flush();
		for (int i = 0; i < prepared; i++)
			KUNIT_ASSERT_EQ(test, 0,
					drm_gpuvm_imm_prepare_map_sparse(shared, &updates[i],
									 TEST_START, TEST_PAGE));
		KUNIT_EXPECT_EQ(test, vm_spare_vas(vm), 0);
		for (int i = 0; i < prepared - 1; i++)
			drm_gpuvm_imm_update_drop(&updates[i]);

		/* One is prepared still: the drain frees most all the same. */
		drm_gpuvm_imm_flush();
		KUNIT_EXPECT_EQ(test, vm_spare_vas(vm), DRM_GPUVM_IMM_POOL_MIN + 3);
		if (run)
			KUNIT_EXPECT_EQ(test, test_vm_run(vm, &updates[prepared - 1]), 0);
		else
			drm_gpuvm_imm_update_drop(&updates[prepared - 1]);
		KUNIT_EXPECT_EQ(test, vm_spare_vas(vm), DRM_GPUVM_IMM_POOL_MIN + 6 - run);
	}
}

static unsigned int vm_pool_size(struct test_vm *vm)
{
	struct drm_gpuvm_imm *shared = test_vm_shared(vm);

	guard(spinlock)(&shared->pool_lock);
	return shared->pool_size;
}

/* How this task allocates the array of the pool */
struct vm_pool_alloc {
	struct task_struct *task;
	size_t bytes;
	unsigned int seen;
	gfp_t gfp;
};

#ifdef CONFIG_TRACEPOINTS
static void vm_pool_alloc_probe(void *data, unsigned long site, const void *ptr,
				size_t bytes_req, size_t bytes_alloc, gfp_t gfp, int node)
{
	struct vm_pool_alloc *alloc = data;

	if (current != alloc->task || bytes_req != alloc->bytes)
		return;
	alloc->seen++;
	alloc->gfp = gfp;
}

static int vm_pool_alloc_prepare(struct vm_pool_alloc *alloc, struct drm_gpuvm_imm *shared,
				 struct drm_gpuvm_imm_update *update)
{
	int ret;

	alloc->task = current;
	ret = register_trace_kmalloc(vm_pool_alloc_probe, alloc);
	if (ret)
		return ret;
	ret = drm_gpuvm_imm_prepare_map_sparse(shared, update, TEST_START, TEST_PAGE);
	unregister_trace_kmalloc(vm_pool_alloc_probe, alloc);
	tracepoint_synchronize_unregister();

	return ret;
}
#else
static int vm_pool_alloc_prepare(struct vm_pool_alloc *alloc, struct drm_gpuvm_imm *shared,
				 struct drm_gpuvm_imm_update *update)
{
	return drm_gpuvm_imm_prepare_map_sparse(shared, update, TEST_START, TEST_PAGE);
}
#endif

/*
 * The room for spare VAs goes as well, except for what updates need. The drain allocates no smaller
 * array, because a worker is charged for nothing: the next update does. No task is killed for that.
 */
static void drm_gpuvm_imm_test_pool_shrinks(struct kunit *test)
{
	struct vm_pool_alloc alloc = { .bytes = DRM_GPUVM_IMM_POOL_MAX * sizeof(void *) };
	struct test_vm *vm = test_vm_new(test);
	struct drm_gpuvm_imm *shared = test_vm_shared(vm);
	/* Eight stay prepared. Only the last drop makes the pool too large and queues the drain. */
	const unsigned int n = 8 + DRM_GPUVM_IMM_POOL_MAX / 3 + 9;
	const unsigned int size = 4 * DRM_GPUVM_IMM_POOL_MAX;
	struct drm_gpuvm_imm_update *updates = kunit_kcalloc(test, n, sizeof(*updates), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, updates);
	for (int i = 0; i < n; i++)
		KUNIT_ASSERT_EQ(test, 0, drm_gpuvm_imm_prepare_map_sparse(shared, &updates[i],
									  TEST_START, TEST_PAGE));
	KUNIT_EXPECT_GE(test, vm_pool_size(vm), 3 * n);
	/* As if more had been prepared */
	KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_pool_resize(shared, size), 0);
	for (int i = 8; i < n - 1; i++)
		drm_gpuvm_imm_update_drop(&updates[i]);
	drm_gpuvm_imm_flush();
	KUNIT_EXPECT_EQ(test, vm_spare_vas(vm), 3 * (n - 1 - 8));
	drm_gpuvm_imm_update_drop(&updates[n - 1]);
	drm_gpuvm_imm_flush();
	KUNIT_EXPECT_EQ(test, vm_spare_vas(vm), DRM_GPUVM_IMM_POOL_MIN + 3 * 8);
	KUNIT_EXPECT_EQ(test, vm_pool_size(vm), size);
	KUNIT_ASSERT_EQ(test, vm_pool_alloc_prepare(&alloc, shared, &updates[8]), 0);
	KUNIT_EXPECT_LE(test, vm_pool_size(vm), DRM_GPUVM_IMM_POOL_MAX);
	if (IS_ENABLED(CONFIG_TRACEPOINTS)) {
		KUNIT_EXPECT_EQ(test, alloc.seen, 1);
		KUNIT_EXPECT_TRUE(test, alloc.gfp & __GFP_NORETRY);
	}
	drm_gpuvm_imm_update_drop(&updates[8]);
	KUNIT_EXPECT_LE(test, vm_spare_vas(vm), DRM_GPUVM_IMM_POOL_MIN + 3 * 8);

	/* Another thread took the room meanwhile. */
	KUNIT_EXPECT_EQ(test, drm_gpuvm_imm_pool_resize(shared, 3 * 8), 0);
	KUNIT_EXPECT_GE(test, vm_pool_size(vm), vm_spare_vas(vm) + 3 * 8);
	for (int i = 0; i < 8; i++)
		drm_gpuvm_imm_update_drop(&updates[i]);

	/* The end of the core frees spare VAs, although another one has the address space. */
	for (int i = 0; i < DRM_GPUVM_IMM_POOL_MIN; i++)
		KUNIT_ASSERT_EQ(test, 0, drm_gpuvm_imm_prepare_map_sparse(shared, &updates[i],
									  TEST_START, TEST_PAGE));
	for (int i = 0; i < DRM_GPUVM_IMM_POOL_MIN; i++)
		drm_gpuvm_imm_update_drop(&updates[i]);
	KUNIT_EXPECT_EQ(test, vm_spare_vas(vm), 3 * DRM_GPUVM_IMM_POOL_MIN);
	KUNIT_EXPECT_PTR_EQ(test, drm_gpuvm_imm_get(vm->core), shared);
	test_vm_end(test, vm);
	scoped_guard(spinlock, &shared->pool_lock)
		KUNIT_EXPECT_EQ(test, shared->pool_count, DRM_GPUVM_IMM_POOL_MIN);
	drm_gpuvm_imm_put(shared);
}

/* More updates than anybody needs are refused, rather than the allocation warn. */
static void drm_gpuvm_imm_test_pool_limit(struct kunit *test)
{
	DRM_GPUVM_IMM_UPDATE(update);
	struct test_vm *vm = test_vm_new(test);
	struct drm_gpuvm_imm *shared = test_vm_shared(vm);
	unsigned int size;

	KUNIT_ASSERT_EQ(test, test_map_sparse(test, vm, 0, 1), 0);
	/* As if so many had been lent */
	scoped_guard(spinlock, &shared->pool_lock) {
		size = shared->pool_size;
		shared->pool_size = DRM_GPUVM_IMM_POOL_LIMIT;
		shared->pool_lent = DRM_GPUVM_IMM_POOL_LIMIT - 2;
	}
	KUNIT_EXPECT_EQ(test, -ENOMEM, drm_gpuvm_imm_prepare_map_sparse(shared, update, TEST_START,
									TEST_PAGE));
	KUNIT_EXPECT_EQ(test, 0,
			drm_gpuvm_imm_prepare_unmap(shared, update, TEST_START, TEST_PAGE));
	drm_gpuvm_imm_update_drop(update);
	scoped_guard(spinlock, &shared->pool_lock) {
		shared->pool_size = size;
		shared->pool_lent = 0;
	}
	KUNIT_EXPECT_EQ(test, test_map_sparse(test, vm, 0, 1), 0);
}

/* Removed VAs do not take the room of those that updates were given. */
static void drm_gpuvm_imm_test_pool_room(struct kunit *test)
{
	DRM_GPUVM_IMM_UPDATE(update);
	struct test_vm *vm = test_vm_new(test);
	struct drm_gpuvm_imm *shared = test_vm_shared(vm);
	struct test_bo *bo = test_bo_new(test, 16, NULL);
	const unsigned int n = DRM_GPUVM_IMM_POOL_MIN / 3;
	struct drm_gpuvm_imm_update *updates = kunit_kcalloc(test, n, sizeof(*updates), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, updates);
	for (int i = 0; i < 8; i++)
		KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 1, i, 1, 0), 0);
	for (int i = 0; i < n; i++)
		KUNIT_ASSERT_EQ(test, 0, drm_gpuvm_imm_prepare_map_sparse(shared, &updates[i],
									  TEST_START, TEST_PAGE));
	KUNIT_ASSERT_EQ(test, test_vm_prepare_unmap_obj(shared, update, bo), 0);
	KUNIT_ASSERT_EQ(test, test_run(test, vm, update), 0);
	KUNIT_EXPECT_EQ(test, vm_spare_vas(vm), DRM_GPUVM_IMM_POOL_MIN % 3);
	for (int i = 0; i < n; i++)
		drm_gpuvm_imm_update_drop(&updates[i]);
	KUNIT_EXPECT_EQ(test, vm_spare_vas(vm), DRM_GPUVM_IMM_POOL_MIN);
}

/* Locks a VM for execution and lets @fn look at it. */
static void test_exec(struct kunit *test, struct test_vm *vm,
		      void (*fn)(struct kunit *test, struct test_vm *vm,
				 struct drm_exec *exec))
{
	struct drm_exec exec;
	int ret = test_vm_lock(vm, &exec);

	KUNIT_EXPECT_EQ(test, ret, 0);
	if (!ret)
		fn(test, vm, &exec);
	drm_exec_fini(&exec);
}

static const char *test_fence_name(struct dma_fence *fence)
{
	return "test";
}

static const struct dma_fence_ops test_fence_ops = {
	.get_driver_name = test_fence_name,
	.get_timeline_name = test_fence_name,
};

static unsigned int test_fences(struct drm_gem_object *obj, enum dma_resv_usage usage)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	unsigned int n = 0;

	dma_resv_for_each_fence(&cursor, obj->resv, usage, fence)
		n += dma_resv_iter_usage(&cursor) == usage;

	return n;
}

static void test_exec_fences(struct kunit *test, struct test_vm *vm, struct drm_exec *exec)
{
	struct dma_fence *fence = kzalloc_obj(*fence);
	struct drm_gem_object *obj;
	static DEFINE_SPINLOCK(lock);
	unsigned int n = 0;

	KUNIT_ASSERT_NOT_NULL(test, fence);
	dma_fence_init(fence, &test_fence_ops, &lock, dma_fence_context_alloc(1), 1);
	drm_gpuvm_imm_add_fence(test_vm_shared(vm), exec, fence, DMA_RESV_USAGE_BOOKKEEP,
				DMA_RESV_USAGE_WRITE);
	drm_exec_for_each_locked_object(exec, obj) {
		bool ext = drm_gpuvm_imm_is_extobj(test_vm_shared(vm), obj);

		KUNIT_EXPECT_EQ(test, test_fences(obj, DMA_RESV_USAGE_WRITE), ext);
		KUNIT_EXPECT_EQ(test, test_fences(obj, DMA_RESV_USAGE_BOOKKEEP), !ext);
		n++;
	}
	/* The VM's own, and two external objects; private ones share its lock. */
	KUNIT_EXPECT_EQ(test, n, 3);
	dma_fence_signal(fence);
	dma_fence_put(fence);
}

static void drm_gpuvm_imm_test_exec(struct kunit *test)
{
	struct test_vm *vm = test_vm_new(test);
	struct drm_gpuvm_imm *shared = test_vm_shared(vm);
	struct test_bo *ext1 = test_bo_new(test, 16, NULL);
	struct test_bo *ext2 = test_bo_new(test, 16, NULL);
	struct test_bo *gone = test_bo_new(test, 16, NULL);
	struct test_bo *priv = test_bo_new(test, 16, drm_gpuvm_imm_resv_obj(shared));

	KUNIT_ASSERT_EQ(test, test_map(test, vm, ext1, 0, 0, 4, 0), 0);
	KUNIT_ASSERT_EQ(test, test_map(test, vm, ext1, 0, 4, 4, 0), 0);
	KUNIT_ASSERT_EQ(test, test_map(test, vm, ext2, 0, 8, 4, 0), 0);
	KUNIT_ASSERT_EQ(test, test_map(test, vm, priv, 0, 12, 4, 0), 0);
	KUNIT_ASSERT_EQ(test, test_map(test, vm, gone, 0, 16, 4, 0), 0);
	KUNIT_ASSERT_EQ(test, test_map_sparse(test, vm, 16, 4), 0);
	test_exec(test, vm, test_exec_fences);
}

/* Lock the objects of some pages, until drm_exec_fini(). */
static int test_lock_range(struct test_vm *vm, struct drm_exec *exec, u64 page, u64 pages)
{
	int ret;

	drm_exec_init(exec, DRM_EXEC_IGNORE_DUPLICATES, 0);
	drm_exec_until_all_locked(exec) {
		ret = drm_gpuvm_imm_lock_range(vm->core, exec, TEST_START + page * TEST_PAGE,
					       pages * TEST_PAGE, 1);
		drm_exec_retry_on_contention(exec);
		if (ret)
			break;
	}

	return ret;
}

static void drm_gpuvm_imm_test_exec_range(struct kunit *test)
{
	struct test_vm *vm = test_vm_new(test);
	struct test_bo *bo[3];
	struct drm_exec exec;

	for (int i = 0; i < 3; i++) {
		bo[i] = test_bo_new(test, 16, NULL);
		KUNIT_ASSERT_EQ(test, test_map(test, vm, bo[i], 0, i * 8, 4, 0), 0);
	}
	KUNIT_ASSERT_EQ(test, test_map(test, vm, bo[1], 0, 4, 4, 0), 0);
	KUNIT_ASSERT_EQ(test, test_map_sparse(test, vm, 12, 4), 0);

	KUNIT_EXPECT_EQ(test, test_lock_range(vm, &exec, 4, 12), 0);
	KUNIT_EXPECT_EQ(test, exec.num_objects, 1);
	KUNIT_EXPECT_TRUE(test, dma_resv_is_locked(bo[1]->base.resv));
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(bo[0]->base.resv));
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(bo[2]->base.resv));

	KUNIT_EXPECT_EQ(test, drm_gpuvm_imm_lock_range(vm->core, &exec, TEST_START, 0, 1),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_imm_lock_range(vm->core, &exec, 0, TEST_PAGE, 1),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_imm_lock_range(vm->core, &exec, TEST_START, U64_MAX, 1),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_imm_lock_range(vm->core, &exec, TEST_START,
						       (TEST_PAGES + 1) * TEST_PAGE, 1), -EINVAL);
	drm_exec_fini(&exec);

	/* The rest of the address space, and nothing but the reserved range */
	KUNIT_EXPECT_EQ(test, test_lock_range(vm, &exec, 8, TEST_PAGES - 8), 0);
	KUNIT_EXPECT_EQ(test, exec.num_objects, 2);
	KUNIT_EXPECT_TRUE(test, dma_resv_is_locked(bo[2]->base.resv));
	drm_exec_fini(&exec);
	KUNIT_EXPECT_EQ(test, test_lock_range(vm, &exec, TEST_PAGES - 16, 16), 0);
	KUNIT_EXPECT_EQ(test, exec.num_objects, 0);
	drm_exec_fini(&exec);
}

static void test_evict(struct test_bo *bo)
{
	dma_resv_lock(bo->base.resv, NULL);
	bo->evicted = true;
	drm_gpuvm_imm_set_invalid(&bo->base);
	dma_resv_unlock(bo->base.resv);
}

static void test_exec_validate(struct kunit *test, struct test_vm *vm, struct drm_exec *exec)
{
	KUNIT_EXPECT_EQ(test, test_vm_validate(vm, exec, test_validate_one),
			vm->fail_in ? -ENOMEM : 0);
}

static void test_exec_lock_only(struct kunit *test, struct test_vm *vm, struct drm_exec *exec)
{
	KUNIT_EXPECT_FALSE(test, list_empty(&test_vm_shared(vm)->base.evict.list));
}

/* Evicted objects are validated by the next execution of each VM, once. */
static void drm_gpuvm_imm_test_evict(struct kunit *test)
{
	struct test_vm *vm = test_vm_new(test), *vm2 = test_vm_new(test);
	struct drm_gpuvm_imm *shared = test_vm_shared(vm);
	struct test_bo *ext = test_bo_new(test, 16, NULL);
	struct test_bo *priv = test_bo_new(test, 16, drm_gpuvm_imm_resv_obj(shared));
	struct test_bo *gone = test_bo_new(test, 16, NULL);
	u64 *model = test_model(test);

	KUNIT_ASSERT_EQ(test, test_map(test, vm, ext, 0, 0, 4, 1), 0);
	KUNIT_ASSERT_EQ(test, test_map(test, vm, ext, 1, 4, 4, 2), 0);
	KUNIT_ASSERT_EQ(test, test_map(test, vm, priv, 2, 8, 4, 3), 0);
	KUNIT_ASSERT_EQ(test, test_map(test, vm, gone, 3, 12, 4, 4), 0);
	KUNIT_ASSERT_EQ(test, test_map(test, vm2, ext, 0, 0, 4, 1), 0);
	test_exec(test, vm, test_exec_validate);
	KUNIT_EXPECT_EQ(test, vm->validated, 0);

	test_evict(ext);
	test_evict(priv);
	test_evict(gone);
	KUNIT_ASSERT_EQ(test, test_unmap(test, vm, 12, 4), 0);

	/* It fails: to be done again. */
	vm->fail_in = 1;
	test_exec(test, vm, test_exec_validate);
	KUNIT_EXPECT_EQ(test, vm->validated, 1);
	vm->fail_in = 0;
	test_exec(test, vm, test_exec_validate);
	KUNIT_EXPECT_EQ(test, vm->validated, 3);
	KUNIT_EXPECT_FALSE(test, ext->evicted);
	KUNIT_EXPECT_FALSE(test, priv->evicted);
	KUNIT_EXPECT_TRUE(test, gone->evicted);
	model_set(model, ext, 0, 0, 4, 1);
	model_set(model, ext, 1, 4, 4, 2);
	model_set(model, priv, 2, 8, 4, 3);
	test_check(test, vm, model);
	test_exec(test, vm, test_exec_validate);
	KUNIT_EXPECT_EQ(test, vm->validated, 3);

	/* The other VM has its own say. */
	test_exec(test, vm2, test_exec_validate);
	KUNIT_EXPECT_EQ(test, vm2->validated, 1);

	/* An object that is back before the next job needs no validation. */
	test_evict(ext);
	test_evict(priv);
	dma_resv_lock(ext->base.resv, NULL);
	drm_gpuvm_imm_set_valid(&ext->base);
	dma_resv_unlock(ext->base.resv);
	dma_resv_lock(priv->base.resv, NULL);
	drm_gpuvm_imm_set_valid(&priv->base);
	dma_resv_unlock(priv->base.resv);
	test_exec(test, vm, test_exec_validate);
	KUNIT_EXPECT_EQ(test, vm->validated, 3);

	/* A VM ends while objects are evicted. */
	test_evict(ext);
	test_evict(priv);
	test_exec(test, vm2, test_exec_lock_only);
}

struct test_fail {
	struct test_vm vm;
	struct test_bo *bo[2];
};

/* Every kind of update, once; the run itself must not fail. */
static int test_fail_updates(struct kunit *test, struct test_fail *fail)
{
	DRM_GPUVM_IMM_UPDATE(update);
	struct drm_gpuvm_imm *shared = test_vm_shared(&fail->vm);
	const u64 at = TEST_START, len = 8 * TEST_PAGE;
	int ret = 0;

	for (int kind = 0; !ret && kind < 6; kind++) {
		switch (kind) {
		case 0:
			ret = test_vm_prepare_map(shared, update, fail->bo[0], at, len, 0);
			break;
		case 1:
			ret = test_vm_prepare_map(shared, update, fail->bo[1], at, len / 2, 0);
			break;
		case 2:
			ret = drm_gpuvm_imm_prepare_map_sparse(shared, update, at + len, len);
			break;
		case 3:
			ret = drm_gpuvm_imm_prepare_split(shared, update, at + len + TEST_PAGE);
			break;
		case 4:
			ret = drm_gpuvm_imm_prepare_unmap(shared, update, at, TEST_PAGE);
			break;
		case 5:
			ret = test_vm_prepare_unmap_obj(shared, update, fail->bo[0]);
			break;
		}
		if (!ret)
			KUNIT_EXPECT_EQ(test, test_vm_run(&fail->vm, update), 0);
	}

	return ret ?: test_vm_exec(&fail->vm, NULL);
}

static int test_fail_fn(struct kunit *test, void *ctx)
{
	static const struct drm_gpuvm_imm_config config = {
		.name = "fail",
		.start = TEST_START,
		.range = TEST_PAGES * TEST_PAGE,
	};
	struct test_env *env = test->priv;
	struct test_fail *fail = ctx;
	int ret;

	memset(&fail->vm, 0, sizeof(fail->vm));
	ret = test_vm_init(&fail->vm, env->drm, &config);
	if (ret) {
		KUNIT_EXPECT_NULL(test, test_vm_shared(&fail->vm));
	} else {
		ret = test_fail_updates(test, fail);
		test_vm_fini(&fail->vm);
	}
	KUNIT_EXPECT_EQ(test, bo_refs(fail->bo[0]), 1);
	KUNIT_EXPECT_EQ(test, bo_refs(fail->bo[1]), 1);

	return ret;
}

/* Each allocation fails once, and nothing is left over. */
static void drm_gpuvm_imm_test_fail_alloc(struct kunit *test)
{
	struct test_fail *fail = kunit_kzalloc(test, sizeof(*fail), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fail);
	fail->bo[0] = test_bo_new(test, 16, NULL);
	fail->bo[1] = test_bo_new(test, 16, NULL);
	/* name, VM, object; two vm_bos; three VAs and more; locks and fences */
	KUNIT_EXPECT_GT(test, drm_safe_fail_nth(test, test_fail_fn, fail), 10);
}

static struct kunit_case drm_gpuvm_imm_test_cases[] = {
	KUNIT_CASE(drm_gpuvm_imm_test_describe),
	KUNIT_CASE(drm_gpuvm_imm_test_config),
	KUNIT_CASE(drm_gpuvm_imm_test_config_resv_obj),
	KUNIT_CASE(drm_gpuvm_imm_test_map),
	KUNIT_CASE(drm_gpuvm_imm_test_map_overlaps),
	KUNIT_CASE(drm_gpuvm_imm_test_unmap_overlaps),
	KUNIT_CASE(drm_gpuvm_imm_test_keep),
	KUNIT_CASE(drm_gpuvm_imm_test_split),
	KUNIT_CASE(drm_gpuvm_imm_test_unmap_obj),
	KUNIT_CASE(drm_gpuvm_imm_test_find),
	KUNIT_CASE(drm_gpuvm_imm_test_prepare_invalid),
	KUNIT_CASE(drm_gpuvm_imm_test_foreign),
	KUNIT_CASE(drm_gpuvm_imm_test_map_hole),
	KUNIT_CASE(drm_gpuvm_imm_test_foreign_va),
	KUNIT_CASE(drm_gpuvm_imm_test_other_mode),
	KUNIT_CASE(drm_gpuvm_imm_test_update_misuse),
	KUNIT_CASE(drm_gpuvm_imm_test_step_misuse),
	KUNIT_CASE(drm_gpuvm_imm_test_two_writers),
	KUNIT_CASE(drm_gpuvm_imm_test_rollback),
	KUNIT_CASE(drm_gpuvm_imm_test_rollback_unmap_obj),
	KUNIT_CASE(drm_gpuvm_imm_test_broken),
	KUNIT_CASE(drm_gpuvm_imm_test_fini),
	KUNIT_CASE(drm_gpuvm_imm_test_any_order),
	KUNIT_CASE(drm_gpuvm_imm_test_drop_signalling),
	KUNIT_CASE(drm_gpuvm_imm_test_run_signalling),
	KUNIT_CASE(drm_gpuvm_imm_test_extobj),
	KUNIT_CASE(drm_gpuvm_imm_test_pool),
	KUNIT_CASE(drm_gpuvm_imm_test_pool_room),
	KUNIT_CASE(drm_gpuvm_imm_test_pool_shrinks),
	KUNIT_CASE(drm_gpuvm_imm_test_pool_limit),
	KUNIT_CASE(drm_gpuvm_imm_test_exec),
	KUNIT_CASE(drm_gpuvm_imm_test_exec_range),
	KUNIT_CASE(drm_gpuvm_imm_test_evict),
	KUNIT_CASE(drm_gpuvm_imm_test_fail_alloc),
	{}
};

static struct kunit_suite drm_gpuvm_imm_suite = {
	.name = "drm_gpuvm_imm",
	.init = test_env_init,
	.test_cases = drm_gpuvm_imm_test_cases,
};

kunit_test_suite(drm_gpuvm_imm_suite);

MODULE_DESCRIPTION("KUnit tests for the DRM safe helpers: GPU address spaces");
MODULE_LICENSE("Dual MIT/GPL");
