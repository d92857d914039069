// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <linux/slab.h>
#ifdef CONFIG_TRACEPOINTS
#include <linux/tracepoint.h>
#endif

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_managed.h>

#include "drm_gpuvm_imm_test.h"
#include "drm_safe_test.h"

/* True if this step is to fail; the count of failures in @fail_again_in follows. */
static bool test_vm_fails(struct test_vm *vm)
{
	if (!vm->fail_in || --vm->fail_in)
		return false;

	vm->fail_in = vm->fail_again_in;
	vm->fail_again_in = 0;
	return true;
}

static void test_vm_hook(struct test_vm *vm)
{
	void (*in_step)(struct test_vm *vm) = vm->in_step;

	vm->in_step = NULL;
	if (in_step)
		in_step(vm);
}

/* Returns the result of a step of each kind, right or wrong. */
#define TEST_DONE(vm, op, kind) ({						\
	struct drm_gpuvm_imm_##kind##_step __other = *(op);				\
	enum test_misbehave __what = (vm)->misbehave;				\
	typeof(drm_gpuvm_imm_##kind##_done(op)) __ret;			\
										\
	(vm)->misbehave = TEST_BEHAVE;						\
	switch (__what) {							\
	case TEST_RETURN_NULL:							\
		__ret = NULL;							\
		break;								\
	case TEST_RETURN_OTHER:							\
		__ret = drm_gpuvm_imm_##kind##_done(op);			\
		__ret = drm_gpuvm_imm_##kind##_done(&__other);		\
		/* gcc sees that this is wrong. */				\
		OPTIMIZER_HIDE_VAR(__ret);					\
		break;								\
	case TEST_RETURN_STALE:							\
		__ret = (vm)->stale;						\
		break;								\
	case TEST_DO_NOT_COMPLETE:						\
		__ret = (void *)(op);						\
		break;								\
	case TEST_COMPLETE_TWICE:						\
		__ret = drm_gpuvm_imm_##kind##_done(op);			\
		__ret = drm_gpuvm_imm_##kind##_done(op);			\
		break;								\
	case TEST_COMPLETE_AND_FAIL:						\
		__ret = drm_gpuvm_imm_##kind##_done(op);			\
		__ret = ERR_PTR(-EIO);						\
		break;								\
	default:								\
		__ret = drm_gpuvm_imm_##kind##_done(op);			\
	}									\
	(vm)->stale = __ret;							\
	__ret;									\
})

u64 test_pte(const struct test_bo *bo, u32 tag, u64 page)
{
	return bo ? (u64)bo->id << 32 | tag << 16 | page : TEST_PTE_SPARSE;
}

/* Writes a part of a mapping to the page table. */
void test_vm_write(struct test_vm *vm, const struct drm_gpuva *va, u64 addr, u64 range,
		   u64 offset)
{
	for (u64 i = 0; i < range / TEST_PAGE; i++)
		vm->pt[test_page(addr) + i] = test_pte(test_vm_obj(va), test_vm_va(va)->tag,
						       offset / TEST_PAGE + i);
}

static struct drm_gpuvm_imm_mapped *
test_vm_map(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_map_step *step)
	__drm_nonallocating
{
	struct test_vm *vm = drm_gpuvm_imm_of(&test_vm_type, core);

	vm->maps++;
	vm->last_map = step->addr;
	test_vm_hook(vm);
	if (test_vm_fails(vm))
		return ERR_PTR(-EIO);
	if (vm->misbehave)
		return TEST_DONE(vm, step, map);

	test_vm_write(vm, step->va, step->addr, step->range, step->offset);
	return TEST_DONE(vm, step, map);
}

static struct drm_gpuvm_imm_unmapped *
test_vm_unmap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_unmap_step *step)
	__drm_nonallocating
{
	struct test_vm *vm = drm_gpuvm_imm_of(&test_vm_type, core);

	vm->unmaps++;
	vm->keeps += step->keep;
	test_vm_hook(vm);
	if (test_vm_fails(vm))
		return ERR_PTR(-EIO);
	if (vm->misbehave)
		return TEST_DONE(vm, step, unmap);

	if (!step->keep)
		memset64(vm->pt + test_page(step->va->va.addr), 0,
			 step->va->va.range / TEST_PAGE);
	return TEST_DONE(vm, step, unmap);
}

static struct drm_gpuvm_imm_remapped *
test_vm_remap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_remap_step *step)
	__drm_nonallocating
{
	struct test_vm *vm = drm_gpuvm_imm_of(&test_vm_type, core);

	vm->remaps++;
	vm->keeps += step->keep;
	test_vm_hook(vm);
	if (test_vm_fails(vm))
		return ERR_PTR(-EIO);
	if (vm->misbehave)
		return TEST_DONE(vm, step, remap);

	if (!step->keep)
		memset64(vm->pt + test_page(step->addr), 0, step->range / TEST_PAGE);
	return TEST_DONE(vm, step, remap);
}

static int test_vm_validate_bo(struct drm_gpuvm_imm_core *core, struct drm_gpuvm_bo *vm_bo,
			       struct drm_exec *exec)
{
	struct test_vm *vm = drm_gpuvm_imm_of(&test_vm_type, core);

	return vm->validate(vm, drm_gpuvm_imm_bo_obj(&test_vm_type, vm_bo), exec);
}

static int test_vm_evict_bo(struct drm_gpuvm_imm_core *core, struct drm_gpuvm_bo *vm_bo)
{
	struct test_bo *bo = drm_gpuvm_imm_bo_obj(&test_vm_type, vm_bo);

	return bo->evict(drm_gpuvm_imm_of(&test_vm_type, core), bo, vm_bo);
}

const struct test_vm_type test_vm_type = {
	.base.granule = TEST_PAGE,
	.base.obj_funcs = &test_bo_funcs,
	.base.map = test_vm_map,
	.base.unmap = test_vm_unmap,
	.base.remap = test_vm_remap,
	.base.validate = test_vm_validate_bo,
	.base.evict = test_vm_evict_bo,
};

/* Validate with a function of the test's. */
int test_vm_validate(struct test_vm *vm, struct drm_exec *exec,
		     int (*fn)(struct test_vm *vm, struct test_bo *bo, struct drm_exec *exec))
{
	vm->validate = fn;

	return drm_gpuvm_imm_validate(vm->core, exec);
}

/* Evict with a function of the test's. */
int test_vm_evict(struct test_bo *bo,
		  int (*fn)(struct test_vm *vm, struct test_bo *bo, struct drm_gpuvm_bo *vm_bo))
{
	bo->evict = fn;

	return drm_gpuvm_imm_evict(&test_vm_type, bo);
}

static void test_bo_free(struct drm_gem_object *obj)
{
	struct test_bo *bo = container_of(obj, struct test_bo, base);

	drm_gem_object_release(obj);
	if (bo->resv_obj)
		drm_gem_object_put(bo->resv_obj);
	if (bo->in_free)
		bo->in_free(bo);
	atomic_dec(bo->live);
	kfree(bo);
}

const struct drm_gem_object_funcs test_bo_funcs = {
	.free = test_bo_free,
};

KUNIT_DEFINE_ACTION_WRAPPER(test_bo_put, drm_gem_object_put, struct drm_gem_object *);

/* An object without pages, put at the end of the test or by test_bo_end(). */
struct test_bo *test_bo_new(struct kunit *test, unsigned int pages,
			    struct drm_gem_object *resv_obj)
{
	struct test_env *env = test->priv;
	struct test_bo *bo = kzalloc_obj(*bo);

	KUNIT_ASSERT_NOT_NULL(test, bo);
	bo->base.funcs = &test_bo_funcs;
	bo->live = &env->live_bos;
	bo->id = ++env->next_id;
	if (resv_obj) {
		drm_gem_object_get(resv_obj);
		bo->resv_obj = resv_obj;
		bo->base.resv = resv_obj->resv;
	}
	drm_gem_private_object_init(env->drm, &bo->base, (size_t)pages * TEST_PAGE);
	/* Again for a core that does this for some drivers only. */
	drm_gem_gpuva_init(&bo->base);
	atomic_inc(&env->live_bos);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, test_bo_put, &bo->base));

	return bo;
}

#if defined(CONFIG_TRACEPOINTS) && defined(CONFIG_LOCKDEP)
static void test_told_lock(void *data, struct lockdep_map *lock, unsigned int subclass,
			   int trylock, int read, int check, struct lockdep_map *next,
			   unsigned long ip)
{
	struct test_told *told = data;

	if (current != told->task || trylock || read)
		return;
	told->resvs += lock == told->resv;
	told->waits += !strcmp(lock->name, "drm_gpuvm_imm_cleaners");
	told->reclaims += !strcmp(lock->name, "fs_reclaim");
}

static void test_find_tracepoint(struct tracepoint *tp, void *priv)
{
	struct test_told *told = priv;

	if (!strcmp(tp->name, "lock_acquire"))
		told->tp = tp;
}

void test_told_begin(struct kunit *test, struct test_told *told)
{
	told->task = current;
	for_each_kernel_tracepoint(test_find_tracepoint, told);
	KUNIT_ASSERT_NOT_NULL(test, told->tp);
	KUNIT_ASSERT_EQ(test, tracepoint_probe_register(told->tp, test_told_lock, told), 0);
}

void test_told_end(struct kunit *test, struct test_told *told)
{
	KUNIT_EXPECT_EQ(test, tracepoint_probe_unregister(told->tp, test_told_lock, told), 0);
	tracepoint_synchronize_unregister();
}
#endif

int test_holder_fn(void *data)
{
	struct test_holder *holder = data;

	dma_resv_lock(holder->resv, NULL);
	complete(&holder->locked);
	wait_for_completion(&holder->unlock);
	dma_resv_unlock(holder->resv);
	complete(&holder->done);

	return 0;
}

void test_bo_end(struct kunit *test, struct test_bo *bo)
{
	kunit_release_action(test, test_bo_put, &bo->base);
}

static void test_vm_free(void *res)
{
	struct test_vm *vm = res;

	test_vm_fini(vm);
	kfree(vm);
}

/* An address space of TEST_PAGES pages, the last 16 of them reserved. */
struct test_vm *test_vm_new(struct kunit *test)
{
	static const struct drm_gpuvm_imm_config config = {
		.name = "test",
		.start = TEST_START,
		.range = TEST_PAGES * TEST_PAGE,
		.reserve_start = TEST_START + (TEST_PAGES - 16) * TEST_PAGE,
		.reserve_range = 16 * TEST_PAGE,
	};
	struct test_env *env = test->priv;
	struct test_vm *vm = kzalloc_obj(*vm);

	KUNIT_ASSERT_NOT_NULL(test, vm);
	KUNIT_ASSERT_EQ(test, 0, test_vm_init(vm, env->drm, &config));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, test_vm_free, vm));

	return vm;
}

void test_vm_end(struct kunit *test, struct test_vm *vm)
{
	kunit_release_action(test, test_vm_free, vm);
}

/* Runs an update as a driver's run_job would, for lockdep and failslab to see. */
int test_run(struct kunit *test, struct test_vm *vm, struct drm_gpuvm_imm_update *update)
{
	bool cookie = dma_fence_begin_signalling();
	int ret;

#ifdef CONFIG_FAULT_INJECTION
	current->fail_nth = 1;
#endif
	ret = test_vm_run(vm, update);
#ifdef CONFIG_FAULT_INJECTION
	/* Nothing was allocated, or the failure would have been used up. */
	KUNIT_EXPECT_EQ(test, current->fail_nth, 1);
	current->fail_nth = 0;
#endif
	dma_fence_end_signalling(cookie);

	return ret;
}

/* Lock all, as an EXEC ioctl does, until drm_exec_fini(). */
int test_vm_lock(struct test_vm *vm, struct drm_exec *exec)
{
	int ret;

	drm_exec_init(exec, DRM_EXEC_IGNORE_DUPLICATES, 0);
	drm_exec_until_all_locked(exec) {
		ret = drm_gpuvm_imm_lock(test_vm_shared(vm), exec, 1);
		drm_exec_retry_on_contention(exec);
		if (ret)
			break;
	}

	return ret;
}

/* The same for a moment, and validates evicted objects, unless @fn is NULL. */
int test_vm_exec(struct test_vm *vm, int (*fn)(struct test_vm *vm, struct test_bo *bo,
					       struct drm_exec *exec))
{
	struct drm_exec exec;
	int ret = test_vm_lock(vm, &exec);

	if (!ret && fn)
		ret = test_vm_validate(vm, &exec, fn);
	drm_exec_fini(&exec);

	return ret;
}

int test_map(struct kunit *test, struct test_vm *vm, struct test_bo *bo, u32 tag,
	     u64 page, u64 pages, u64 from)
{
	DRM_GPUVM_IMM_UPDATE(update);
	int ret;

	ret = test_vm_prepare_map(test_vm_shared(vm), update, bo,
				  TEST_START + page * TEST_PAGE,
				  pages * TEST_PAGE, from * TEST_PAGE);
	if (ret)
		return ret;
	test_vm_update_va(update)->tag = tag;

	return test_run(test, vm, update);
}

int test_map_sparse(struct kunit *test, struct test_vm *vm, u64 page, u64 pages)
{
	DRM_GPUVM_IMM_UPDATE(update);
	int ret;

	ret = drm_gpuvm_imm_prepare_map_sparse(test_vm_shared(vm), update,
					       TEST_START + page * TEST_PAGE,
					       pages * TEST_PAGE);
	if (ret)
		return ret;

	return test_run(test, vm, update);
}

int test_unmap(struct kunit *test, struct test_vm *vm, u64 page, u64 pages)
{
	DRM_GPUVM_IMM_UPDATE(update);
	int ret;

	ret = drm_gpuvm_imm_prepare_unmap(test_vm_shared(vm), update,
					  TEST_START + page * TEST_PAGE,
					  pages * TEST_PAGE);
	if (ret)
		return ret;

	return test_run(test, vm, update);
}

/* The mappings and the page table both say what @model says, page by page. */
void test_check(struct kunit *test, struct test_vm *vm, const u64 *model)
{
	u64 *seen = kunit_kcalloc(test, TEST_PAGES, sizeof(*seen), GFP_KERNEL);
	u64 end = 0;

	KUNIT_ASSERT_NOT_NULL(test, seen);
	drm_gpuvm_imm_for_each(va, vm->core, TEST_START, TEST_PAGES * TEST_PAGE) {
		KUNIT_EXPECT_GE(test, va->va.addr, end);
		end = va->va.addr + va->va.range;
		KUNIT_EXPECT_EQ(test, !va->gem.obj, !!(va->flags & DRM_GPUVA_SPARSE));
		KUNIT_EXPECT_EQ(test, !va->gem.obj, !va->vm_bo);
		if (!va->gem.obj)
			KUNIT_EXPECT_EQ(test, va->gem.offset, 0);
		for (u64 i = 0; i < va->va.range / TEST_PAGE; i++)
			seen[test_page(va->va.addr) + i] =
				test_pte(test_vm_obj(va), test_vm_va(va)->tag,
					 va->gem.offset / TEST_PAGE + i);
	}
	KUNIT_EXPECT_MEMEQ(test, seen, model, TEST_PAGES * sizeof(*seen));
	KUNIT_EXPECT_MEMEQ(test, vm->pt, model, TEST_PAGES * sizeof(*seen));
	kunit_kfree(test, seen);
}

static const struct drm_driver test_driver = {
	.driver_features = DRIVER_GEM,
	.name = "drm_gpuvm_imm_test",
	.desc = "test driver of drm_gpuvm_imm",
};

static void test_dev_gone(struct drm_device *drm, void *res)
{
	atomic_t *live_devs = res;

	atomic_dec(live_devs);
}

/* Nothing that the test made is left, neither objects nor the device. */
static void test_env_end(void *res)
{
	struct kunit *test = res;
	struct test_env *env = test->priv;

	drm_gpuvm_imm_flush();
	KUNIT_EXPECT_EQ(test, atomic_read(&env->live_bos), 0);
	if (!IS_ERR_OR_NULL(env->drm))
		drm_dev_put(env->drm);
	KUNIT_EXPECT_EQ(test, atomic_read(&env->live_devs), 0);
}

/* Added before anything the test adds, so that it comes after it. */
int test_env_init(struct kunit *test)
{
	struct test_env *env = kunit_kzalloc(test, sizeof(*env), GFP_KERNEL);
	struct device *parent;

	KUNIT_ASSERT_NOT_NULL(test, env);
	test->priv = env;

	parent = drm_safe_test_parent(test);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, test_env_end, test));

	env->drm = drm_dev_alloc(&test_driver, parent);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, env->drm);
	atomic_inc(&env->live_devs);
	KUNIT_ASSERT_EQ(test, 0, drmm_add_action(env->drm, test_dev_gone, &env->live_devs));

	return 0;
}
