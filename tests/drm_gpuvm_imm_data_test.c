// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * A driver whose data holds something: a reference for each mapping, and one
 * more thing for each object in an address space. On every way that they can
 * go, each is released once.
 */

#include <linux/completion.h>
#include <linux/kref.h>
#include <linux/kthread.h>
#include <linux/prandom.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "drm_gpuvm_imm_internal.h"
#include "drm_gpuvm_imm_test.h"
#include "drm_safe_test.h"

#define DATA_BO_MAGIC	0x626f6461

/* The counts for all VMs of a test */
struct data_count {
	atomic_t refs;			/* held by mappings */
	atomic_t stale;			/* mappings that named a vm_bo when their data went */
	atomic_t inits;
	atomic_t finis;
	int init_fails;			/* what bo_init returns */
	struct test_bo *last_obj;
	struct drm_gpuvm_imm *nest;	/* bo_init obtains the object for it, too */
	struct drm_gpuvm_bo *nested;
};

struct data_vm {
	DRM_GPUVM_IMM_CORE(core);
	unsigned int fail_in;
	unsigned int fail_again_in;
	unsigned int seen;		/* steps that saw the data of the vm_bo */
};

struct data_va {
	struct data_count *count;	/* one reference, if set */
};

struct data_bo {
	struct data_count *count;
	u32 magic;
};

DRM_GPUVM_IMM_TYPE_VM_BO(data_vm_type, struct data_vm, core, struct data_va,
			 struct test_bo, base, struct data_bo, struct data_count);

static void data_va_get(const struct drm_gpuva *va)
	__drm_nonallocating
{
	struct data_va *data = drm_gpuvm_imm_va_data(&data_vm_type, va);

	if (data->count)
		atomic_inc(&data->count->refs);
}

static void data_va_put(const struct drm_gpuva *va)
{
	struct data_va *data = drm_gpuvm_imm_va_data(&data_vm_type, va);

	might_sleep();
	if (!data->count)
		return;
	/* Nothing holds the vm_bo and the object any more. */
	if (va->vm_bo || drm_gpuvm_imm_va_obj(&data_vm_type, va))
		atomic_inc(&data->count->stale);
	atomic_dec(&data->count->refs);
}

/* As if another task had been faster. */
static void data_bo_nest(struct test_bo *bo, struct data_count *count)
{
	struct drm_gpuvm_imm *nest = count->nest;

	if (!nest)
		return;
	count->nest = NULL;
	count->nested = drm_gpuvm_imm_obtain(&data_vm_type, nest, bo, count);
}

static int data_bo_init(struct drm_gpuvm_bo *vm_bo, void *arg)
{
	struct data_bo *data = drm_gpuvm_imm_bo_data(&data_vm_type, vm_bo);
	struct test_bo *bo = drm_gpuvm_imm_bo_obj(&data_vm_type, vm_bo);
	struct data_count *count = arg;

	might_sleep();
	data_bo_nest(bo, count);
	if (data->count || data->magic)
		return -EEXIST;
	if (count->init_fails)
		return count->init_fails;
	/* Two tasks may be here, with the same object. */
	WRITE_ONCE(count->last_obj, bo);
	atomic_inc(&count->inits);
	data->count = count;
	data->magic = DATA_BO_MAGIC;

	return 0;
}

/* How often bo_fini was called without a bo_init that succeeded */
static unsigned int data_odd_finis;

static void data_bo_fini(struct drm_gpuvm_bo *vm_bo)
{
	struct data_bo *data = drm_gpuvm_imm_bo_data(&data_vm_type, vm_bo);

	might_sleep();
	if (data->magic == DATA_BO_MAGIC)
		atomic_inc(&data->count->finis);
	else
		data_odd_finis++;
	data->magic = 0;
}

static int data_vm_step(struct data_vm *vm, const struct drm_gpuva *va)
{
	const struct data_bo *data = drm_gpuvm_imm_va_bo_data(&data_vm_type, va);

	if (va->gem.obj ? data->magic == DATA_BO_MAGIC : !data)
		vm->seen++;
	if (!vm->fail_in || --vm->fail_in)
		return 0;
	vm->fail_in = vm->fail_again_in;
	vm->fail_again_in = 0;

	return -EIO;
}

static struct drm_gpuvm_imm_mapped *
data_vm_map(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_map_step *step)
	__drm_nonallocating
{
	struct data_vm *vm = drm_gpuvm_imm_of(&data_vm_type, core);
	int ret = data_vm_step(vm, step->va);

	return ret ? ERR_PTR(ret) : drm_gpuvm_imm_map_done(step);
}

static struct drm_gpuvm_imm_unmapped *
data_vm_unmap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_unmap_step *step)
	__drm_nonallocating
{
	struct data_vm *vm = drm_gpuvm_imm_of(&data_vm_type, core);
	int ret = data_vm_step(vm, step->va);

	return ret ? ERR_PTR(ret) : drm_gpuvm_imm_unmap_done(step);
}

static struct drm_gpuvm_imm_remapped *
data_vm_remap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_remap_step *step)
	__drm_nonallocating
{
	const struct data_bo *data = drm_gpuvm_imm_va_bo_data(&data_vm_type, step->va);
	struct data_vm *vm = drm_gpuvm_imm_of(&data_vm_type, core);
	int ret = data_vm_step(vm, step->va);

	/* The parts name the data, too. */
	if (step->prev && drm_gpuvm_imm_va_bo_data(&data_vm_type, step->prev) != data)
		vm->seen = 0;
	if (step->next && drm_gpuvm_imm_va_bo_data(&data_vm_type, step->next) != data)
		vm->seen = 0;

	return ret ? ERR_PTR(ret) : drm_gpuvm_imm_remap_done(step);
}

const struct data_vm_type data_vm_type = {
	.base.granule = TEST_PAGE,
	.base.obj_funcs = &test_bo_funcs,
	.base.map = data_vm_map,
	.base.unmap = data_vm_unmap,
	.base.remap = data_vm_remap,
	.base.va_get = data_va_get,
	.base.va_put = data_va_put,
	.base.bo_init = data_bo_init,
	.base.bo_fini = data_bo_fini,
};

struct data_test {
	struct data_count count;
	struct data_vm vm;
	struct test_bo *bo;
};

static int data_vm_setup(struct kunit *test, struct data_vm *vm)
{
	static const struct drm_gpuvm_imm_config config = {
		.name = "data",
		.start = TEST_START,
		.range = TEST_PAGES * TEST_PAGE,
	};
	struct test_env *env = test->priv;

	memset(vm, 0, sizeof(*vm));
	return drm_gpuvm_imm_init(&data_vm_type, vm, env->drm, &config);
}

static struct data_test *data_test_new(struct kunit *test)
{
	struct data_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->bo = test_bo_new(test, 64, NULL);
	KUNIT_ASSERT_EQ(test, data_vm_setup(test, &t->vm), 0);

	return t;
}

/* As an ioctl: the mapping holds one reference from here on. */
static int data_prepare(struct data_test *t, struct drm_gpuvm_imm_update *update, u64 page,
			u64 pages)
{
	int ret = drm_gpuvm_imm_prepare_map(&data_vm_type, drm_gpuvm_imm_shared(t->vm.core), update,
					    t->bo, TEST_START + page * TEST_PAGE, pages * TEST_PAGE,
					    0, &t->count);

	if (ret)
		return ret;
	drm_gpuvm_imm_update_data(&data_vm_type, update)->count = &t->count;
	data_va_get(drm_gpuvm_imm_update_va(update));

	return 0;
}

static int data_run(struct data_test *t, struct drm_gpuvm_imm_update *update)
{
	bool cookie = dma_fence_begin_signalling();
	int ret = drm_gpuvm_imm_run(&data_vm_type, &t->vm, update, NULL);

	dma_fence_end_signalling(cookie);

	return ret;
}

static int data_map(struct data_test *t, u64 page, u64 pages)
{
	DRM_GPUVM_IMM_UPDATE(update);

	return data_prepare(t, update, page, pages) ?: data_run(t, update);
}

static int data_unmap(struct data_test *t, u64 page, u64 pages)
{
	DRM_GPUVM_IMM_UPDATE(update);

	return drm_gpuvm_imm_prepare_unmap(drm_gpuvm_imm_shared(t->vm.core), update, TEST_START +
					   page * TEST_PAGE, pages * TEST_PAGE) ?: data_run(t,
											    update);
}

static int data_map_sparse(struct data_test *t, u64 page, u64 pages)
{
	DRM_GPUVM_IMM_UPDATE(update);
	int ret;

	ret = drm_gpuvm_imm_prepare_map_sparse(drm_gpuvm_imm_shared(t->vm.core), update,
					       TEST_START + page * TEST_PAGE, pages * TEST_PAGE);
	if (ret)
		return ret;
	drm_gpuvm_imm_update_data(&data_vm_type, update)->count = &t->count;
	data_va_get(drm_gpuvm_imm_update_va(update));

	return data_run(t, update);
}

static int data_split(struct data_test *t, u64 page)
{
	DRM_GPUVM_IMM_UPDATE(update);

	return drm_gpuvm_imm_prepare_split(drm_gpuvm_imm_shared(t->vm.core), update, TEST_START +
					   page * TEST_PAGE) ?: data_run(t, update);
}

static int data_unmap_obj(struct data_test *t)
{
	DRM_GPUVM_IMM_UPDATE(update);

	return drm_gpuvm_imm_prepare_unmap_obj(&data_vm_type, drm_gpuvm_imm_shared(t->vm.core),
					       update, t->bo) ?: data_run(t, update);
}

static int data_mappings(struct data_test *t)
{
	int n = 0;

	drm_gpuvm_imm_for_each(va, t->vm.core, TEST_START, TEST_PAGES * TEST_PAGE)
		n++;

	return n;
}

static int data_live(struct data_count *count)
{
	return atomic_read(&count->inits) - atomic_read(&count->finis);
}

/* The ways in which the references of a driver's data can go */
static int data_way_obtain(struct kunit *test, struct data_test *t)
{
	struct drm_gpuvm_bo *vm_bo = drm_gpuvm_imm_obtain(&data_vm_type,
							  drm_gpuvm_imm_shared(t->vm.core), t->bo,
							  &t->count);

	KUNIT_ASSERT_FALSE(test, IS_ERR(vm_bo));
	KUNIT_EXPECT_EQ(test, drm_gpuvm_imm_bo_data(&data_vm_type, vm_bo)->magic, DATA_BO_MAGIC);
	drm_gpuvm_imm_bo_put(vm_bo);

	return 0;
}

static int data_way_obtain_locked(struct kunit *test, struct data_test *t)
{
	struct drm_gpuvm_imm *shared = drm_gpuvm_imm_shared(t->vm.core);
	struct drm_gpuvm_bo *vm_bo;

	dma_resv_lock(drm_gpuvm_imm_resv_obj(shared)->resv, NULL);
	vm_bo = drm_gpuvm_imm_obtain_locked(&data_vm_type, shared, t->bo, &t->count);
	dma_resv_unlock(drm_gpuvm_imm_resv_obj(shared)->resv);
	KUNIT_ASSERT_FALSE(test, IS_ERR(vm_bo));
	drm_gpuvm_imm_bo_put(vm_bo);

	return 0;
}

static int data_way_drop(struct kunit *test, struct data_test *t)
{
	DRM_GPUVM_IMM_UPDATE(update);
	bool cookie;

	KUNIT_ASSERT_EQ(test, data_prepare(t, update, 0, 4), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->count.refs), 1);
	cookie = dma_fence_begin_signalling();
	drm_gpuvm_imm_update_drop(update);
	dma_fence_end_signalling(cookie);

	return 0;
}

static int data_way_unmap(struct kunit *test, struct data_test *t)
{
	return data_map(t, 0, 4) ?: data_unmap(t, 0, 4);
}

static int data_way_replace(struct kunit *test, struct data_test *t)
{
	return data_map(t, 0, 4) ?: data_map(t, 4, 4) ?: data_map_sparse(t, 0, 8) ?:
	       data_unmap(t, 0, 8);
}

static int data_way_unmap_obj(struct kunit *test, struct data_test *t)
{
	return data_map(t, 0, 4) ?: data_map(t, 8, 4) ?: data_unmap_obj(t);
}

static int data_way_split(struct kunit *test, struct data_test *t)
{
	int ret = data_map(t, 0, 9) ?: data_split(t, 3) ?: data_unmap(t, 5, 2);

	KUNIT_EXPECT_EQ(test, data_mappings(t), 3);
	drm_gpuvm_imm_flush();
	KUNIT_EXPECT_EQ(test, atomic_read(&t->count.refs), 3);

	return ret ?: data_unmap(t, 0, 9);
}

/* A step fails, before or after parts were made. */
static int data_way_fail(struct kunit *test, struct data_test *t)
{
	KUNIT_EXPECT_EQ(test, data_map(t, 0, 9), 0);
	for (unsigned int i = 1; i <= 2; i++) {
		t->vm.fail_in = i;
		KUNIT_EXPECT_EQ(test, data_map(t, 3, 3), -EIO);
		drm_gpuvm_imm_flush();
		KUNIT_EXPECT_EQ(test, atomic_read(&t->count.refs), 1);
		t->vm.fail_in = 1;
		KUNIT_EXPECT_EQ(test, data_split(t, 5), -EIO);
		drm_gpuvm_imm_flush();
		KUNIT_EXPECT_EQ(test, atomic_read(&t->count.refs), 1);
	}

	return data_unmap(t, 0, 9);
}

/* Undoing fails, too: a mapping that cannot be restored goes with its references. */
static int data_way_broken(struct kunit *test, struct data_test *t)
{
	KUNIT_EXPECT_EQ(test, data_map(t, 0, 9), 0);
	t->vm.fail_in = 2;
	t->vm.fail_again_in = 1;
	KUNIT_EXPECT_EQ(test, data_map(t, 3, 3), -EIO);
	KUNIT_EXPECT_EQ(test, data_unmap(t, 0, 9), -ENOTRECOVERABLE);

	return 0;
}

static int data_way_leave(struct kunit *test, struct data_test *t)
{
	return data_map(t, 0, 4) ?: data_map(t, 8, 4) ?: data_map_sparse(t, 16, 4) ?:
	       data_split(t, 9);
}

static int data_way_init_fails(struct kunit *test, struct data_test *t)
{
	DRM_GPUVM_IMM_UPDATE(update);
	struct drm_gpuvm_bo *vm_bo;

	t->count.init_fails = -ENXIO;
	data_odd_finis = 0;
	KUNIT_EXPECT_EQ(test, data_prepare(t, update, 0, 4), -ENXIO);
	vm_bo = drm_gpuvm_imm_obtain(&data_vm_type, drm_gpuvm_imm_shared(t->vm.core), t->bo,
				     &t->count);
	KUNIT_EXPECT_EQ(test, PTR_ERR(vm_bo), -ENXIO);
	KUNIT_EXPECT_TRUE(test, list_empty(&t->bo->base.gpuva.list));
	KUNIT_EXPECT_EQ(test, atomic_read(&t->count.inits), 0);
	KUNIT_EXPECT_EQ(test, data_odd_finis, 0);
	t->count.init_fails = 0;

	return data_map(t, 0, 4) ?: data_unmap(t, 0, 4);
}

static int (*const data_ways[])(struct kunit *test, struct data_test *t) = {
	data_way_obtain, data_way_obtain_locked, data_way_drop, data_way_unmap,
	data_way_replace, data_way_unmap_obj, data_way_split, data_way_fail,
	data_way_broken, data_way_leave, data_way_init_fails,
};

/* The first to end is the address space, its shared side, or the object. */
enum data_order {
	DATA_VM_FIRST,
	DATA_OBJ_FIRST,
	DATA_SHARED_LAST,
	DATA_ORDERS,
};

static void data_end(struct kunit *test, struct data_test *t, enum data_order order)
{
	struct drm_gpuvm_imm *shared = drm_gpuvm_imm_get(t->vm.core);

	if (order == DATA_OBJ_FIRST)
		test_bo_end(test, t->bo);
	if (order != DATA_SHARED_LAST)
		drm_gpuvm_imm_put(shared);
	drm_gpuvm_imm_fini(t->vm.core);
	/* No task has to wait for the objects of the VM. */
	KUNIT_EXPECT_EQ(test, atomic_read(&t->count.refs), 0);
	KUNIT_EXPECT_EQ(test, data_live(&t->count), 0);
	if (order == DATA_SHARED_LAST)
		drm_gpuvm_imm_put(shared);
	if (order != DATA_OBJ_FIRST)
		test_bo_end(test, t->bo);
}

static void drm_gpuvm_imm_data_test_ways(struct kunit *test)
{
	for (int i = 0; i < ARRAY_SIZE(data_ways); i++) {
		for (int order = 0; order < DATA_ORDERS; order++) {
			struct data_test *t = data_test_new(test);

			KUNIT_EXPECT_EQ_MSG(test, data_ways[i](test, t), 0, "way %d", i);
			drm_gpuvm_imm_flush();
			if (!data_mappings(t)) {
				KUNIT_EXPECT_EQ_MSG(test, atomic_read(&t->count.refs), 0,
						    "way %d", i);
				KUNIT_EXPECT_EQ_MSG(test, data_live(&t->count), 0, "way %d", i);
			}
			KUNIT_EXPECT_GT_MSG(test, atomic_read(&t->count.inits), 0, "way %d", i);
			data_end(test, t, order);
		}
	}
}

/* One for each object in each address space, whatever is mapped how often. */
static void drm_gpuvm_imm_data_test_bo(struct kunit *test)
{
	struct data_test *t = data_test_new(test);
	struct data_vm *vm2 = kunit_kzalloc(test, sizeof(*vm2), GFP_KERNEL);
	struct test_bo *bo = t->bo, *other = test_bo_new(test, 64, NULL);
	struct drm_gpuvm_bo *vm_bo;
	const struct drm_gpuva *va;

	KUNIT_ASSERT_NOT_NULL(test, vm2);
	KUNIT_ASSERT_EQ(test, data_vm_setup(test, vm2), 0);
	KUNIT_EXPECT_EQ(test, data_map(t, 0, 9), 0);
	KUNIT_EXPECT_PTR_EQ(test, t->count.last_obj, t->bo);
	KUNIT_EXPECT_EQ(test, data_map(t, 16, 4), 0);
	KUNIT_EXPECT_EQ(test, data_split(t, 3), 0);
	KUNIT_EXPECT_EQ(test, data_unmap(t, 5, 2), 0);
	KUNIT_EXPECT_EQ(test, data_map_sparse(t, 18, 2), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->count.inits), 1);

	vm_bo = drm_gpuvm_imm_obtain(&data_vm_type, drm_gpuvm_imm_shared(t->vm.core), bo,
				     &t->count);
	KUNIT_ASSERT_FALSE(test, IS_ERR(vm_bo));
	KUNIT_EXPECT_EQ(test, atomic_read(&t->count.inits), 1);
	drm_gpuvm_imm_for_each_of(of, t->vm.core, &bo->base)
		KUNIT_EXPECT_PTR_EQ(test, drm_gpuvm_imm_va_bo_data(&data_vm_type, of),
				    drm_gpuvm_imm_bo_data(&data_vm_type, vm_bo));
	va = drm_gpuvm_imm_find(t->vm.core, TEST_START + 18 * TEST_PAGE, 2 * TEST_PAGE);
	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_EXPECT_NULL(test, drm_gpuvm_imm_va_bo_data(&data_vm_type, va));
	drm_gpuvm_imm_bo_put(vm_bo);
	/* Each step saw the right data: three maps, a split, two remaps. */
	KUNIT_EXPECT_EQ(test, t->vm.seen, 6);

	t->bo = other;
	KUNIT_EXPECT_EQ(test, data_map(t, 32, 4), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->count.inits), 2);
	vm_bo = drm_gpuvm_imm_obtain(&data_vm_type, drm_gpuvm_imm_shared(vm2->core), bo, &t->count);
	KUNIT_ASSERT_FALSE(test, IS_ERR(vm_bo));
	KUNIT_EXPECT_EQ(test, atomic_read(&t->count.inits), 3);

	drm_gpuvm_imm_fini(t->vm.core);
	KUNIT_EXPECT_EQ(test, data_live(&t->count), 1);
	drm_gpuvm_imm_fini(vm2->core);
	KUNIT_EXPECT_EQ(test, data_live(&t->count), 1);
	drm_gpuvm_imm_bo_put(vm_bo);
	drm_gpuvm_imm_flush();
	KUNIT_EXPECT_EQ(test, data_live(&t->count), 0);
}

/* Data of each size. Every byte belongs to the driver. */
static size_t data_size;

static int data_size_init(struct drm_gpuvm_bo *vm_bo, void *arg)
{
	u8 *data = (u8 *)(vm_bo + 1);

	if (memchr_inv(data, 0, data_size))
		return -EEXIST;
	memset(data, 0x5a, data_size);

	return 0;
}

static void data_size_fini(struct drm_gpuvm_bo *vm_bo)
{
	if (!memchr_inv(vm_bo + 1, 0x5a, data_size))
		data_size = 0;
}

static void drm_gpuvm_imm_data_test_sizes(struct kunit *test)
{
	static const size_t sizes[] = {
		1, 64, 65, 512, 513,
		SZ_256 - sizeof(struct drm_gpuvm_bo), SZ_256 + 1 - sizeof(struct drm_gpuvm_bo),
		SZ_1K - sizeof(struct drm_gpuvm_bo), SZ_1K + 1 - sizeof(struct drm_gpuvm_bo),
		__DRM_GPUVM_IMM_VM_BO_MAX,
	};
	static const struct drm_gpuvm_imm_config config = { .range = SZ_1M };
	struct drm_gpuvm_imm_type type = data_vm_type.base;
	struct test_bo *bo = test_bo_new(test, 1, NULL);
	struct test_env *env = test->priv;

	type.bo_init = data_size_init;
	type.bo_fini = data_size_fini;
	for (int i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct drm_gpuvm_imm_core core[1] = {};
		struct drm_gpuvm_bo *vm_bo;

		data_size = sizes[i];
		KUNIT_ASSERT_EQ(test, 0, drm_gpuvm_imm_core_init(core, env->drm, &type, &config,
								 0, sizes[i], false));
		vm_bo = drm_gpuvm_imm_obtain_gem(drm_gpuvm_imm_shared(core), &bo->base, NULL);
		KUNIT_EXPECT_FALSE(test, IS_ERR(vm_bo));
		if (!IS_ERR(vm_bo)) {
			KUNIT_EXPECT_LE(test, ksize(vm_bo), __DRM_GPUVM_IMM_VM_BO_BYTES);
			drm_gpuvm_imm_bo_put(vm_bo);
		}
		drm_gpuvm_imm_fini(core);
		KUNIT_EXPECT_EQ(test, data_size, 0);
	}
}

/* Data for which no vm_bo has room */
static void drm_gpuvm_imm_data_test_too_large(struct kunit *test)
{
	static const struct drm_gpuvm_imm_config config = { .range = SZ_1M };
	struct drm_gpuvm_imm_core core[1] = {};
	struct test_env *env = test->priv;

	KUNIT_EXPECT_EQ(test, -EINVAL,
			drm_gpuvm_imm_core_init(core, env->drm, &data_vm_type.base, &config, 0,
						__DRM_GPUVM_IMM_VM_BO_MAX + 1, false));
	KUNIT_EXPECT_NULL(test, drm_gpuvm_imm_shared(core));
}

/* After random changes, and some failures, each mapping has one reference. */
static void drm_gpuvm_imm_data_test_random(struct kunit *test)
{
	struct data_test *t = data_test_new(test);
	struct rnd_state rnd;

	prandom_seed_state(&rnd, 7);
	for (int i = 0; i < 2000; i++) {
		u64 page = prandom_u32_state(&rnd) % 64;
		u64 pages = 1 + prandom_u32_state(&rnd) % 32;
		int ret = 0;

		t->vm.fail_in = prandom_u32_state(&rnd) % 6;
		switch (prandom_u32_state(&rnd) % 8) {
		case 0:
			ret = data_unmap(t, page, pages);
			break;
		case 1:
			ret = data_split(t, page);
			break;
		case 2:
			ret = data_map_sparse(t, page, pages);
			break;
		case 3:
			if (page < 8)
				ret = data_unmap_obj(t);
			break;
		default:
			ret = data_map(t, page, pages);
		}
		KUNIT_ASSERT_TRUE(test, ret == 0 || ret == -EIO);
		if (i % 16)
			continue;
		drm_gpuvm_imm_flush();
		KUNIT_ASSERT_EQ_MSG(test, atomic_read(&t->count.refs), data_mappings(t),
				    "change %d", i);
		KUNIT_ASSERT_LE(test, data_live(&t->count), 1);
	}
	t->vm.fail_in = 0;
	data_end(test, t, DATA_SHARED_LAST);
}

/* VAs whose data was put are spare, too, and too many of them are freed. */
static void drm_gpuvm_imm_data_test_pool(struct kunit *test)
{
	struct data_test *t = data_test_new(test);
	struct drm_gpuvm_imm *shared = drm_gpuvm_imm_shared(t->vm.core);
	const unsigned int n = DRM_GPUVM_IMM_POOL_MAX / 2 - 16;
	struct drm_gpuvm_imm_update *updates = kunit_kcalloc(test, n, sizeof(*updates), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, updates);
	/* Three VAs each. Two of them are spare after the run. */
	for (int i = 0; i < n; i++)
		KUNIT_ASSERT_EQ(test, data_prepare(t, &updates[i], i, 1), 0);
	for (int i = 0; i < n; i++)
		KUNIT_EXPECT_EQ(test, data_run(t, &updates[i]), 0);
	drm_gpuvm_imm_flush();
	scoped_guard(spinlock, &shared->pool_lock)
		KUNIT_EXPECT_EQ(test, shared->pool_count, 2 * n);
	KUNIT_EXPECT_EQ(test, data_unmap_obj(t), 0);
	drm_gpuvm_imm_flush();
	scoped_guard(spinlock, &shared->pool_lock)
		KUNIT_EXPECT_EQ(test, shared->pool_count, DRM_GPUVM_IMM_POOL_MIN);
	data_end(test, t, DATA_VM_FIRST);
}

/* The data of the slower task goes again, and both tasks get the data of the other. */
static void drm_gpuvm_imm_data_test_slower(struct kunit *test)
{
	struct data_test *t = data_test_new(test);
	struct drm_gpuvm_bo *vm_bo;

	t->count.nest = drm_gpuvm_imm_shared(t->vm.core);
	vm_bo = drm_gpuvm_imm_obtain(&data_vm_type, drm_gpuvm_imm_shared(t->vm.core), t->bo,
				     &t->count);
	KUNIT_ASSERT_FALSE(test, IS_ERR(vm_bo));
	KUNIT_EXPECT_PTR_EQ(test, vm_bo, t->count.nested);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->count.inits), 2);
	KUNIT_EXPECT_EQ(test, data_live(&t->count), 1);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_imm_bo_data(&data_vm_type, vm_bo)->magic, DATA_BO_MAGIC);
	drm_gpuvm_imm_bo_put(t->count.nested);
	drm_gpuvm_imm_bo_put(vm_bo);
	data_end(test, t, DATA_VM_FIRST);
}

struct data_race {
	struct data_test *t;
	struct completion done;
	int errors;
};

#define DATA_RACE_ROUNDS	(IS_ENABLED(CONFIG_KASAN) ? 500 : 5000)

static int data_race_fn(void *p)
{
	struct data_race *race = p;
	struct data_test *t = race->t;
	struct drm_gpuvm_bo *vm_bo;

	for (int i = 0; i < DATA_RACE_ROUNDS; i++) {
		vm_bo = drm_gpuvm_imm_obtain(&data_vm_type, drm_gpuvm_imm_shared(t->vm.core), t->bo,
					     &t->count);
		if (IS_ERR(vm_bo)) {
			race->errors++;
			continue;
		}
		race->errors += drm_gpuvm_imm_bo_data(&data_vm_type, vm_bo)->magic != DATA_BO_MAGIC;
		drm_gpuvm_imm_bo_put(vm_bo);
	}
	complete(&race->done);

	return 0;
}

static void drm_gpuvm_imm_data_test_race(struct kunit *test)
{
	struct data_test *t = data_test_new(test);
	struct data_race race[2] = { { .t = t }, { .t = t } };

	for (int i = 0; i < 2; i++) {
		init_completion(&race[i].done);
		KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(data_race_fn, &race[i], "data/%d", i)));
	}
	for (int i = 0; i < 2; i++) {
		wait_for_completion(&race[i].done);
		KUNIT_EXPECT_EQ(test, race[i].errors, 0);
	}
	KUNIT_EXPECT_GE(test, atomic_read(&t->count.inits), 1);
	data_end(test, t, DATA_VM_FIRST);
}

static int data_fail_fn(struct kunit *test, void *ctx)
{
	struct data_test *t = ctx;
	int ret = data_vm_setup(test, &t->vm);

	if (ret)
		return ret;
	ret = data_map(t, 0, 9) ?: data_split(t, 3) ?: data_map_sparse(t, 4, 2) ?:
	      data_map(t, 12, 2);
	drm_gpuvm_imm_fini(t->vm.core);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->count.refs), 0);
	KUNIT_EXPECT_EQ(test, data_live(&t->count), 0);

	return ret;
}

static void drm_gpuvm_imm_data_test_fail_alloc(struct kunit *test)
{
	struct data_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->bo = test_bo_new(test, 64, NULL);
	/* Three of the VM, a vm_bo, and seven VAs; debugging has its own. */
	KUNIT_EXPECT_GT(test, drm_safe_fail_nth(test, data_fail_fn, t), 10);
}

/* The mapping of an update has its final values from the time that it is prepared. */
static void drm_gpuvm_imm_data_test_prepared(struct kunit *test)
{
	DRM_GPUVM_IMM_UPDATE(update);
	struct data_test *t = data_test_new(test);
	const struct drm_gpuva *va;
	struct data_bo *data;

	/* Memory of the pool, with its old contents */
	KUNIT_ASSERT_EQ(test, data_map(t, 0, 4), 0);
	KUNIT_ASSERT_EQ(test, data_unmap(t, 0, 4), 0);
	for (int i = 0; i < 2; i++) {
		KUNIT_ASSERT_EQ(test, data_prepare(t, update, 8, 2), 0);
		va = drm_gpuvm_imm_update_va(update);
		KUNIT_EXPECT_EQ(test, va->va.addr, TEST_START + 8 * TEST_PAGE);
		KUNIT_EXPECT_EQ(test, va->va.range, 2 * TEST_PAGE);
		KUNIT_EXPECT_PTR_EQ(test, drm_gpuvm_imm_va_obj(&data_vm_type, va), t->bo);
		data = drm_gpuvm_imm_va_bo_data(&data_vm_type, va);
		KUNIT_ASSERT_NOT_NULL(test, data);
		KUNIT_EXPECT_EQ(test, data->magic, DATA_BO_MAGIC);
		drm_gpuvm_imm_update_drop(update);
	}
	KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_prepare_map_sparse(drm_gpuvm_imm_shared(t->vm.core),
							       update, TEST_START, TEST_PAGE), 0);
	va = drm_gpuvm_imm_update_va(update);
	KUNIT_EXPECT_NULL(test, drm_gpuvm_imm_va_obj(&data_vm_type, va));
	KUNIT_EXPECT_NULL(test, drm_gpuvm_imm_va_bo_data(&data_vm_type, va));
	drm_gpuvm_imm_update_drop(update);
	drm_gpuvm_imm_fini(t->vm.core);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->count.refs), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->count.stale), 0);
}

static struct kunit_case drm_gpuvm_imm_data_test_cases[] = {
	KUNIT_CASE(drm_gpuvm_imm_data_test_prepared),
	KUNIT_CASE(drm_gpuvm_imm_data_test_ways),
	KUNIT_CASE(drm_gpuvm_imm_data_test_bo),
	KUNIT_CASE(drm_gpuvm_imm_data_test_sizes),
	KUNIT_CASE(drm_gpuvm_imm_data_test_too_large),
	KUNIT_CASE(drm_gpuvm_imm_data_test_random),
	KUNIT_CASE(drm_gpuvm_imm_data_test_pool),
	KUNIT_CASE(drm_gpuvm_imm_data_test_slower),
	KUNIT_CASE(drm_gpuvm_imm_data_test_race),
	KUNIT_CASE(drm_gpuvm_imm_data_test_fail_alloc),
	{}
};

static struct kunit_suite drm_gpuvm_imm_data_suite = {
	.name = "drm_gpuvm_imm_data",
	.init = test_env_init,
	.test_cases = drm_gpuvm_imm_data_test_cases,
};

kunit_test_suite(drm_gpuvm_imm_data_suite);
