// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Objects that are taken out of the page tables, as a type's evict step does it
 */

#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "drm_gpuvm_imm_internal.h"
#include "drm_gpuvm_imm_test.h"
#include "drm_safe_test.h"

/* Another type of VM, for the same objects */
struct other_vm {
	DRM_GPUVM_IMM_CORE(core);
};

DRM_GPUVM_IMM_TYPE(other_vm_type, struct other_vm, core, struct test_va, struct test_bo, base);

static struct drm_gpuvm_imm_mapped *
other_vm_map(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_map_step *step)
	__drm_nonallocating
{
	return drm_gpuvm_imm_map_done(step);
}

static struct drm_gpuvm_imm_unmapped *
other_vm_unmap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_unmap_step *step)
	__drm_nonallocating
{
	return drm_gpuvm_imm_unmap_done(step);
}

static struct drm_gpuvm_imm_remapped *
other_vm_remap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_remap_step *step)
	__drm_nonallocating
{
	return drm_gpuvm_imm_remap_done(step);
}

const struct other_vm_type other_vm_type = {
	.base.granule = TEST_PAGE,
	.base.obj_funcs = &test_bo_funcs,
	.base.map = other_vm_map,
	.base.unmap = other_vm_unmap,
	.base.remap = other_vm_remap,
};

/* A type that takes few mappings out of page tables */
struct few_vm {
	DRM_GPUVM_IMM_CORE(core);
	unsigned int evicted;
};

DRM_GPUVM_IMM_TYPE(few_vm_type, struct few_vm, core, struct test_va, struct test_bo, base);

static int few_vm_validate(struct drm_gpuvm_imm_core *core, struct drm_gpuvm_bo *vm_bo,
			   struct drm_exec *exec)
{
	return 0;
}

static int few_vm_evict(struct drm_gpuvm_imm_core *core, struct drm_gpuvm_bo *vm_bo)
{
	drm_gpuvm_imm_of(&few_vm_type, core)->evicted++;
	return 0;
}

const struct few_vm_type few_vm_type = {
	.base.granule = TEST_PAGE,
	.base.obj_funcs = &test_bo_funcs,
	.base.map = other_vm_map,
	.base.unmap = other_vm_unmap,
	.base.remap = other_vm_remap,
	.base.validate = few_vm_validate,
	.base.evict = few_vm_evict,
	.base.max_evict = 3,
};

/* The next call for this VM fails. */
static struct test_vm *evict_fails;

/* Like a driver's lock: held around all uses of the core of any VM here */
static DEFINE_MUTEX(evict_vm_lock);

static int evict_one(struct test_vm *vm, struct test_bo *bo, struct drm_gpuvm_bo *vm_bo)
{
	if (vm == evict_fails)
		return -EAGAIN;
	if (!mutex_trylock(&evict_vm_lock))
		return -EBUSY;
	vm->evicted++;
	bo->evicted = true;
	drm_gpuvm_imm_bo_for_each_va(va, vm_bo)
		memset64(vm->pt + test_page(va->va.addr), 0, va->va.range / TEST_PAGE);
	mutex_unlock(&evict_vm_lock);
	return 0;
}

static int evict(struct test_bo *bo)
{
	int ret;

	dma_resv_lock(bo->base.resv, NULL);
	ret = test_vm_evict(bo, evict_one);
	dma_resv_unlock(bo->base.resv);
	return ret;
}

static int validate_one(struct test_vm *vm, struct test_bo *bo, struct drm_exec *exec)
{
	vm->validated++;
	drm_gpuvm_imm_for_each_of(va, vm->core, &bo->base)
		test_vm_write(vm, va, va->va.addr, va->va.range, va->gem.offset);
	return 0;
}

static int validate(struct test_vm *vm)
{
	return test_vm_exec(vm, validate_one);
}

/* Out of every page table that has it, and back when each VM is used. */
static void evict_each(struct kunit *test)
{
	struct test_vm *vm[3] = { test_vm_new(test), test_vm_new(test), test_vm_new(test) };
	struct test_bo *ext = test_bo_new(test, 16, NULL);
	struct drm_gpuvm_imm *shared = test_vm_shared(vm[0]);
	struct test_bo *priv = test_bo_new(test, 16, drm_gpuvm_imm_resv_obj(shared));
	u64 *model = kunit_kcalloc(test, TEST_PAGES, sizeof(*model), GFP_KERNEL);
	struct drm_gpuvm_bo *vm_bo;

	KUNIT_ASSERT_NOT_NULL(test, model);
	KUNIT_EXPECT_EQ(test, evict(ext), 0);
	KUNIT_ASSERT_EQ(test, test_map(test, vm[0], ext, 1, 0, 4, 2), 0);
	KUNIT_ASSERT_EQ(test, test_map(test, vm[0], ext, 2, 8, 1, 0), 0);
	KUNIT_ASSERT_EQ(test, test_map(test, vm[0], priv, 3, 12, 2, 0), 0);
	KUNIT_ASSERT_EQ(test, test_map(test, vm[1], ext, 1, 0, 1, 0), 0);
	for (int i = 0; i < 4; i++)
		model[i] = test_pte(ext, 1, 2 + i);
	model[8] = test_pte(ext, 2, 0);
	model[12] = test_pte(priv, 3, 0);
	model[13] = test_pte(priv, 3, 1);
	/* One that has the object, and no mapping of it yet */
	vm_bo = drm_gpuvm_imm_obtain_gem(test_vm_shared(vm[2]), &ext->base, NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(vm_bo));

	KUNIT_EXPECT_EQ(test, evict(ext), 0);
	KUNIT_EXPECT_EQ(test, evict(priv), 0);
	KUNIT_EXPECT_EQ(test, vm[0]->evicted, 2);
	KUNIT_EXPECT_EQ(test, vm[1]->evicted, 1);
	KUNIT_EXPECT_EQ(test, vm[2]->evicted, 1);
	KUNIT_EXPECT_EQ(test, vm[0]->pt[0] | vm[0]->pt[8] | vm[0]->pt[12] | vm[1]->pt[0], 0);

	for (int i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, validate(vm[i]), 0);
	KUNIT_EXPECT_EQ(test, vm[0]->validated, 2);
	KUNIT_EXPECT_EQ(test, vm[1]->validated, 1);
	KUNIT_EXPECT_EQ(test, vm[2]->validated, 1);
	test_check(test, vm[0], model);

	/* Once more, and then it is unmapped: nothing is left to be brought back. */
	KUNIT_EXPECT_EQ(test, evict(ext), 0);
	KUNIT_ASSERT_EQ(test, test_unmap(test, vm[0], 0, 9), 0);
	memset64(model, 0, 9);
	KUNIT_EXPECT_EQ(test, validate(vm[0]), 0);
	KUNIT_EXPECT_EQ(test, vm[0]->validated, 2);
	test_check(test, vm[0], model);
	drm_gpuvm_imm_bo_put(vm_bo);
}

static struct test_bo *evict_in_step_bo;
static int evict_in_step_ret;

/* As a shrinker that comes after the step looked up the pages */
static void evict_in_step(struct test_vm *vm)
{
	if (!dma_resv_trylock(evict_in_step_bo->base.resv))
		return;
	evict_in_step_ret = test_vm_evict(evict_in_step_bo, evict_one);
	dma_resv_unlock(evict_in_step_bo->base.resv);
}

/* The first mapping in the VM is being made, and then another one. */
static void evict_while_mapped(struct kunit *test)
{
	struct test_vm *vm = test_vm_new(test);
	u64 *model = kunit_kcalloc(test, TEST_PAGES, sizeof(*model), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, model);
	evict_in_step_bo = test_bo_new(test, 16, NULL);
	for (int i = 0; i < 2; i++) {
		evict_in_step_ret = 0;
		vm->in_step = evict_in_step;
		scoped_guard(mutex, &evict_vm_lock)
			KUNIT_EXPECT_EQ(test, 0, test_map(test, vm, evict_in_step_bo, 1, i, 1, i));
		KUNIT_EXPECT_EQ(test, evict_in_step_ret, -EBUSY);
		model[i] = test_pte(evict_in_step_bo, 1, i);
		test_check(test, vm, model);
	}
	KUNIT_EXPECT_EQ(test, vm->evicted, 0);
}

/* Evicted between the two stages of the first update: the next execution brings it back. */
static void evict_while_prepared(struct kunit *test)
{
	DRM_GPUVM_IMM_UPDATE(update);
	struct test_vm *vm = test_vm_new(test);
	struct test_bo *bo = test_bo_new(test, 16, NULL);
	u64 *model = kunit_kcalloc(test, TEST_PAGES, sizeof(*model), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, model);
	KUNIT_ASSERT_EQ(test, 0, test_vm_prepare_map(test_vm_shared(vm), update, bo, TEST_START,
						     TEST_PAGE, 0));
	KUNIT_EXPECT_EQ(test, evict(bo), 0);
	KUNIT_EXPECT_EQ(test, vm->evicted, 1);
	KUNIT_ASSERT_EQ(test, test_run(test, vm, update), 0);
	/* The pages are others by now. */
	bo->id += 100;
	KUNIT_EXPECT_EQ(test, validate(vm), 0);
	KUNIT_EXPECT_EQ(test, vm->validated, 1);
	model[0] = test_pte(bo, 0, 0);
	test_check(test, vm, model);

	/* An update that outlives the core maps nothing any more. */
	KUNIT_ASSERT_EQ(test, 0, test_vm_prepare_map(test_vm_shared(vm), update, bo, TEST_START,
						     TEST_PAGE, 0));
	test_vm_end(test, vm);
	KUNIT_EXPECT_EQ(test, evict(bo), 0);
	drm_gpuvm_imm_update_drop(update);
}

/* One does not let go of it: the others did, and get it back like that. */
static void evict_some(struct kunit *test)
{
	struct test_vm *vm[2] = { test_vm_new(test), test_vm_new(test) };
	struct drm_gpuvm_imm *shared = test_vm_shared(vm[0]);
	struct test_bo *bo = test_bo_new(test, 16, NULL);

	for (int i = 0; i < 2; i++)
		KUNIT_ASSERT_EQ(test, test_map(test, vm[i], bo, 1, 0, 4, 2), 0);

	for (int i = 0; i < 2; i++) {
		evict_fails = vm[i];
		KUNIT_EXPECT_EQ(test, evict(bo), -EAGAIN);
		KUNIT_EXPECT_EQ(test, vm[i]->pt[0], test_pte(bo, 1, 2));
		for (int j = 0; j < 2; j++) {
			KUNIT_EXPECT_EQ(test, validate(vm[j]), 0);
			KUNIT_EXPECT_EQ(test, vm[j]->validated, vm[j]->evicted);
		}
	}
	/* The same one came first, both times. */
	KUNIT_EXPECT_EQ(test, vm[0]->evicted + vm[1]->evicted, 1);

	/* The core of one VM just goes, without a call. */
	evict_fails = NULL;
	dma_resv_lock(bo->base.resv, NULL);
	mutex_lock(&shared->evict_lock);
	KUNIT_EXPECT_EQ(test, test_vm_evict(bo, evict_one), -EBUSY);
	KUNIT_EXPECT_EQ(test, vm[0]->pt[0], test_pte(bo, 1, 2));
	mutex_unlock(&shared->evict_lock);
	dma_resv_unlock(bo->base.resv);
	KUNIT_EXPECT_EQ(test, evict(bo), 0);
}

static struct few_vm *few_vm_new(struct kunit *test)
{
	static const struct drm_gpuvm_imm_config config = { .name = "few", .range = SZ_16M };
	struct few_vm *vm = kunit_kzalloc(test, sizeof(*vm), GFP_KERNEL);
	struct test_env *env = test->priv;

	KUNIT_ASSERT_NOT_NULL(test, vm);
	KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_init(&few_vm_type, vm, env->drm, &config), 0);
	return vm;
}

static void few_map(struct kunit *test, struct few_vm *vm, struct test_bo *bo, u64 addr, u64 range)
{
	DRM_GPUVM_IMM_UPDATE(update);

	KUNIT_ASSERT_EQ(test, 0, drm_gpuvm_imm_prepare_map(&few_vm_type,
							   drm_gpuvm_imm_shared(vm->core), update,
							   bo, addr, range, 0, NULL));
	KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_run(&few_vm_type, vm, update, NULL), 0);
}

static int few_evict(struct test_bo *bo)
{
	int ret;

	dma_resv_lock(bo->base.resv, NULL);
	ret = drm_gpuvm_imm_evict(&few_vm_type, bo);
	dma_resv_unlock(bo->base.resv);
	return ret;
}

/* An object with very many mappings stays, in however many address spaces they are. */
static void evict_few(struct kunit *test)
{
	struct few_vm *vm[4] = { few_vm_new(test), few_vm_new(test), few_vm_new(test),
				 few_vm_new(test) };
	struct test_bo *bo = test_bo_new(test, 1, NULL);
	struct test_bo *large = test_bo_new(test, SZ_8M / TEST_PAGE, NULL);
	struct test_bo *in_all = test_bo_new(test, 1, NULL);
	struct drm_gpuvm_bo *vm_bo[4];

	few_map(test, vm[0], bo, 0, TEST_PAGE);
	few_map(test, vm[0], bo, TEST_PAGE, TEST_PAGE);
	few_map(test, vm[1], bo, 0, TEST_PAGE);
	KUNIT_EXPECT_EQ(test, few_evict(bo), 0);
	few_map(test, vm[1], bo, TEST_PAGE, TEST_PAGE);
	KUNIT_EXPECT_EQ(test, few_evict(bo), -EBUSY);
	KUNIT_EXPECT_EQ(test, vm[0]->evicted, 1);
	KUNIT_EXPECT_EQ(test, vm[1]->evicted, 1);

	/* These mappings take the places of those above. */
	few_map(test, vm[0], large, 0, 2 * DRM_GPUVM_IMM_EVICT_PART);
	KUNIT_EXPECT_EQ(test, few_evict(bo), 0);
	KUNIT_EXPECT_EQ(test, few_evict(large), 0);
	few_map(test, vm[0], large, 0, 3 * DRM_GPUVM_IMM_EVICT_PART);
	KUNIT_EXPECT_EQ(test, few_evict(large), -EBUSY);

	/* Address spaces that have no mapping of the object yet */
	for (int i = 0; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, few_evict(in_all), 0);
		vm_bo[i] = drm_gpuvm_imm_obtain(&few_vm_type, drm_gpuvm_imm_shared(vm[i]->core),
						in_all, NULL);
		KUNIT_ASSERT_FALSE(test, IS_ERR(vm_bo[i]));
	}
	KUNIT_EXPECT_EQ(test, few_evict(in_all), -EBUSY);

	for (int i = 0; i < 4; i++) {
		drm_gpuvm_imm_bo_put(vm_bo[i]);
		drm_gpuvm_imm_fini(vm[i]->core);
	}
}

/* A killed task ends, unless it waits for the memory. */
static void evict_killed(struct kunit *test)
{
	struct few_vm *vm = few_vm_new(test);
	struct test_bo *bo = test_bo_new(test, 1, NULL);
	unsigned int flags;

	few_map(test, vm, bo, 0, TEST_PAGE);
	sigaddset(&current->pending.signal, SIGKILL);
	set_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_EQ(test, few_evict(bo), -EINTR);
	KUNIT_EXPECT_EQ(test, vm->evicted, 0);
	flags = memalloc_noreclaim_save();
	KUNIT_EXPECT_EQ(test, few_evict(bo), 0);
	memalloc_noreclaim_restore(flags);
	KUNIT_EXPECT_EQ(test, vm->evicted, 1);
	sigdelset(&current->pending.signal, SIGKILL);
	clear_thread_flag(TIF_SIGPENDING);
	drm_gpuvm_imm_fini(vm->core);
}

static void plain_vm_free(struct drm_gpuvm *gpuvm)
{
}

/* A VM of another type, whose page table this driver does not know */
static void evict_foreign(struct kunit *test)
{
	DRM_GPUVM_IMM_UPDATE(update);
	static const struct drm_gpuvm_imm_config config = { .range = SZ_1M };
	static const struct drm_gpuvm_ops plain_ops = { .vm_free = plain_vm_free };
	struct test_env *env = test->priv;
	struct other_vm *other = kunit_kzalloc(test, sizeof(*other), GFP_KERNEL);
	struct drm_gpuvm *plain = kunit_kzalloc(test, sizeof(*plain), GFP_KERNEL);
	struct drm_gpuva *va = kunit_kzalloc(test, sizeof(*va), GFP_KERNEL);
	struct test_bo *bo = test_bo_new(test, 16, NULL);
	struct drm_gpuva_op_map op = { .va.range = TEST_PAGE, .gem.obj = &bo->base };
	struct drm_gpuvm_bo *vm_bo;

	KUNIT_ASSERT_TRUE(test, other && plain && va);
	KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_init(&other_vm_type, other, env->drm, &config), 0);
	KUNIT_ASSERT_EQ(test, 0, drm_gpuvm_imm_prepare_map(&other_vm_type,
							   drm_gpuvm_imm_shared(other->core),
							   update, bo, 0, TEST_PAGE, 0, NULL));
	KUNIT_EXPECT_EQ(test, evict(bo), -EBUSY);
	KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_run(&other_vm_type, other, update, NULL), 0);
	KUNIT_EXPECT_EQ(test, evict(bo), -EBUSY);
	drm_gpuvm_imm_fini(other->core);
	KUNIT_EXPECT_EQ(test, evict(bo), 0);

	drm_gpuvm_init(plain, "plain", DRM_GPUVM_RESV_PROTECTED | DRM_GPUVM_IMMEDIATE_MODE,
		       env->drm, &bo->base, 0, SZ_1M, 0, 0, &plain_ops);
	vm_bo = drm_gpuvm_bo_obtain_prealloc(drm_gpuvm_bo_create(plain, &bo->base));
	drm_gpuva_init_from_op(va, &op);
	KUNIT_ASSERT_EQ(test, drm_gpuva_insert(plain, va), 0);
	mutex_lock(&bo->base.gpuva.lock);
	drm_gpuva_link(va, vm_bo);
	mutex_unlock(&bo->base.gpuva.lock);
	KUNIT_EXPECT_EQ(test, evict(bo), -EBUSY);

	drm_gpuva_remove(va);
	drm_gpuva_unlink_defer(va);
	KUNIT_EXPECT_EQ(test, evict(bo), -EBUSY);
	drm_gpuvm_bo_put_deferred(vm_bo);
	KUNIT_EXPECT_EQ(test, evict(bo), 0);
	drm_gpuvm_bo_deferred_cleanup(plain);
	drm_gpuvm_put(plain);
}

/* The counts of a walk: address spaces and mappings */
struct walk {
	unsigned int vms;
	unsigned int vas;
	unsigned int mine;		/* mappings of the objects, in VMs of the test's */
};

static struct walk walk_obj(struct test_bo *bo, const struct test_vm *vm)
{
	struct walk seen = {};

	drm_gpuvm_imm_for_each_bo(vm_bo, &test_vm_type, bo) {
		seen.vms++;
		drm_gpuvm_imm_bo_for_each_va(va, vm_bo) {
			seen.vas++;
			seen.mine += test_vm_obj(va) == bo &&
				     drm_gpuvm_imm_bo_vm(vm_bo) == test_vm_shared(vm);
		}
	}

	return seen;
}

/* True if the walk was left on the way, which gives the lock back. */
static bool walk_left(struct test_bo *bo, bool by_break)
{
	drm_gpuvm_imm_for_each_bo(vm_bo, &test_vm_type, bo) {
		if (by_break)
			break;
		return !mutex_trylock(&bo->base.gpuva.lock);
	}

	return by_break;
}

/* All address spaces of the type that an object is in, and all mappings in each */
static void walk_objects(struct kunit *test)
{
	static const struct drm_gpuvm_imm_config config = { .range = SZ_1M };
	struct test_env *env = test->priv;
	struct test_bo *bo = test_bo_new(test, 16, NULL), *alone = test_bo_new(test, 16, NULL);
	struct test_vm *vm = test_vm_new(test), *vm2 = test_vm_new(test);
	struct other_vm *other = kunit_kzalloc(test, sizeof(*other), GFP_KERNEL);
	struct drm_gpuvm_bo *vm_bo;
	struct walk seen;

	KUNIT_ASSERT_NOT_NULL(test, other);
	KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_init(&other_vm_type, other, env->drm, &config), 0);
	vm_bo = drm_gpuvm_imm_obtain(&other_vm_type, drm_gpuvm_imm_shared(other->core), bo, NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(vm_bo));
	seen = walk_obj(bo, vm);
	KUNIT_EXPECT_EQ(test, seen.vms, 0);

	KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 0, 0, 4, 0), 0);
	KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 0, 8, 4, 4), 0);
	KUNIT_ASSERT_EQ(test, test_map(test, vm, alone, 0, 16, 4, 0), 0);
	KUNIT_ASSERT_EQ(test, test_map(test, vm2, bo, 0, 0, 16, 0), 0);
	seen = walk_obj(bo, vm);
	KUNIT_EXPECT_EQ(test, seen.vms, 2);
	KUNIT_EXPECT_EQ(test, seen.vas, 3);
	KUNIT_EXPECT_EQ(test, seen.mine, 2);
	seen = walk_obj(alone, vm);
	KUNIT_EXPECT_EQ(test, seen.vms, 1);
	KUNIT_EXPECT_EQ(test, seen.vas, 1);

	KUNIT_EXPECT_TRUE(test, walk_left(bo, true));
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&bo->base.gpuva.lock));
	KUNIT_EXPECT_TRUE(test, walk_left(bo, false));
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&bo->base.gpuva.lock));

	drm_gpuvm_imm_bo_put(vm_bo);
	drm_gpuvm_imm_fini(other->core);
}

static struct drm_gpuvm_bo *walked;
static unsigned int walked_vas;

static void walk_in_step(struct test_vm *vm)
{
	drm_gpuvm_imm_bo_for_each_va(va, walked)
		walked_vas++;
}

/* A step needs no lock, because no other task changes the mappings. */
static void walk_step(struct kunit *test)
{
	struct test_bo *bo = test_bo_new(test, 16, NULL);
	struct test_vm *vm = test_vm_new(test);

	walked = drm_gpuvm_imm_obtain(&test_vm_type, test_vm_shared(vm), bo, NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(walked));
	KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 0, 0, 4, 0), 0);
	walked_vas = 0;
	vm->in_step = walk_in_step;
	KUNIT_EXPECT_EQ(test, test_map(test, vm, bo, 0, 8, 4, 0), 0);
	KUNIT_EXPECT_EQ(test, walked_vas, 1);
	drm_gpuvm_imm_bo_put(walked);
}

static int walk_lock_fn(void *obj)
{
	struct test_bo *bo = obj;

	mutex_lock(&bo->base.gpuva.lock);
	wait_for_completion(&((struct test_holder *)bo->hook)->unlock);
	mutex_unlock(&bo->base.gpuva.lock);
	complete(&((struct test_holder *)bo->hook)->done);

	return 0;
}

/* Without the lock, also while another task has it */
static void walk_unlocked(struct kunit *test)
{
	struct test_bo *bo = test_bo_new(test, 16, NULL);
	struct test_vm *vm = test_vm_new(test);
	struct test_holder holder = {};
	const struct drm_gpuva *va;
	struct drm_gpuvm_bo *vm_bo;

	KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 0, 0, 4, 0), 0);
	va = test_vm_find_first(vm, TEST_START, TEST_PAGE);
	KUNIT_ASSERT_NOT_NULL(test, va);
	vm_bo = va->vm_bo;
	init_completion(&holder.unlock);
	init_completion(&holder.done);
	bo->hook = &holder;
	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(walk_lock_fn, bo, "walk_lock")));
	while (!mutex_is_locked(&bo->base.gpuva.lock))
		cond_resched();

	kunit_warning_suppress(test) {
		KUNIT_EXPECT_NULL(test, drm_gpuvm_imm_bo_first_va(vm_bo));
		EXPECT_BROKEN(test, "the mappings of an object are walked under its gpuva lock");
	}
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_NULL(test, drm_gpuvm_imm_bo_next_va(va));
		EXPECT_BROKEN(test, "the mappings of an object are walked under its gpuva lock");
	}
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_NULL(test,
				  drm_gpuvm_imm_next_bo(&test_vm_type.base, &bo->base, NULL));
		EXPECT_BROKEN(test, "the mappings of an object are walked under its gpuva lock");
	}
	complete(&holder.unlock);
	wait_for_completion(&holder.done);
}

static struct kunit_case drm_gpuvm_imm_evict_cases[] = {
	KUNIT_CASE(evict_each),
	KUNIT_CASE(evict_while_mapped),
	KUNIT_CASE(evict_while_prepared),
	KUNIT_CASE(evict_some),
	KUNIT_CASE(evict_few),
	KUNIT_CASE(evict_killed),
	KUNIT_CASE(evict_foreign),
	KUNIT_CASE(walk_objects),
	KUNIT_CASE(walk_step),
	KUNIT_CASE(walk_unlocked),
	{}
};

static struct kunit_suite drm_gpuvm_imm_evict_suite = {
	.name = "drm_gpuvm_imm_evict",
	.init = test_env_init,
	.test_cases = drm_gpuvm_imm_evict_cases,
};

kunit_test_suite(drm_gpuvm_imm_evict_suite);
