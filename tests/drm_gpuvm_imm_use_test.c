// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Operations of drivers on an address space: arguments of steps, prefetch, madvise, look-up
 * and locking of ranges.
 */

#include <linux/slab.h>

#include <trace/events/kmem.h>

#include "drm_gpuvm_imm_internal.h"
#include "drm_gpuvm_imm_test.h"
#include "drm_safe_test.h"

#define USE_LOG		1024

/* Its steps record their arguments, with addresses and lengths in pages. */
struct use_vm {
	DRM_GPUVM_IMM_CORE(core);
	size_t len;
	char log[USE_LOG];
};

struct use_va {
	u32 tag;
};

DRM_GPUVM_IMM_TYPE(use_vm_type, struct use_vm, core, struct use_va, struct test_bo, base);

static __printf(2, 3) void use_log(struct use_vm *vm, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vm->len += vscnprintf(vm->log + vm->len, USE_LOG - vm->len, fmt, args);
	va_end(args);
}

static void use_log_range(struct use_vm *vm, u64 addr, u64 range)
{
	use_log(vm, " %llu+%llu", (addr - TEST_START) / TEST_PAGE, range / TEST_PAGE);
}

static void use_log_va(struct use_vm *vm, const char *name, const struct drm_gpuva *va)
{
	if (!va)
		return;
	use_log(vm, "%s", name);
	use_log_range(vm, va->va.addr, va->va.range);
	if (drm_gpuvm_imm_va_obj(&use_vm_type, va))
		use_log(vm, "@%llu", va->gem.offset / TEST_PAGE);
	use_log(vm, "#%u", drm_gpuvm_imm_va_data(&use_vm_type, va)->tag);
}

static struct drm_gpuvm_imm_mapped *
use_vm_map(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_map_step *step)
	__drm_nonallocating
{
	struct use_vm *vm = drm_gpuvm_imm_of(&use_vm_type, core);

	use_log(vm, "map");
	use_log_range(vm, step->addr, step->range);
	if (step->obj)
		use_log(vm, "@%llu", step->offset / TEST_PAGE);
	use_log_va(vm, " of", step->va);
	use_log(vm, "\n");

	return drm_gpuvm_imm_map_done(step);
}

static struct drm_gpuvm_imm_unmapped *
use_vm_unmap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_unmap_step *step)
	__drm_nonallocating
{
	struct use_vm *vm = drm_gpuvm_imm_of(&use_vm_type, core);

	use_log(vm, "unmap");
	use_log_va(vm, "", step->va);
	use_log(vm, "%s\n", step->keep ? " keep" : "");

	return drm_gpuvm_imm_unmap_done(step);
}

static struct drm_gpuvm_imm_remapped *
use_vm_remap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_remap_step *step)
	__drm_nonallocating
{
	struct use_vm *vm = drm_gpuvm_imm_of(&use_vm_type, core);

	use_log(vm, "remap");
	use_log_range(vm, step->addr, step->range);
	use_log_va(vm, " of", step->va);
	use_log_va(vm, " prev", step->prev);
	use_log_va(vm, " next", step->next);
	use_log(vm, "%s\n", step->keep ? " keep" : "");

	return drm_gpuvm_imm_remap_done(step);
}

const struct use_vm_type use_vm_type = {
	.base.granule = TEST_PAGE,
	.base.obj_funcs = &test_bo_funcs,
	.base.map = use_vm_map,
	.base.unmap = use_vm_unmap,
	.base.remap = use_vm_remap,
};

static void use_vm_free(void *res)
{
	struct use_vm *vm = res;

	drm_gpuvm_imm_fini(vm->core);
}

static struct use_vm *use_vm_new(struct kunit *test)
{
	static const struct drm_gpuvm_imm_config config = {
		.name = "use",
		.start = TEST_START,
		.range = TEST_PAGES * TEST_PAGE,
	};
	struct use_vm *vm = kunit_kzalloc(test, sizeof(*vm), GFP_KERNEL);
	struct test_env *env = test->priv;

	KUNIT_ASSERT_NOT_NULL(test, vm);
	KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_init(&use_vm_type, vm, env->drm, &config), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, use_vm_free, vm), 0);

	return vm;
}

/* Returns the records since the last call. */
static void use_expect(struct kunit *test, struct use_vm *vm, const char *text)
{
	KUNIT_EXPECT_STREQ(test, vm->log, text);
	vm->len = 0;
	vm->log[0] = '\0';
}

static void use_map(struct kunit *test, struct use_vm *vm, struct test_bo *bo, u32 tag,
		    u64 page, u64 pages, u64 from)
{
	DRM_GPUVM_IMM_UPDATE(update);
	u64 addr = TEST_START + page * TEST_PAGE, range = pages * TEST_PAGE;

	if (bo)
		KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_prepare_map(&use_vm_type,
								drm_gpuvm_imm_shared(vm->core),
								update, bo, addr, range,
								from * TEST_PAGE, NULL), 0);
	else
		KUNIT_ASSERT_EQ(test,
				drm_gpuvm_imm_prepare_map_sparse(drm_gpuvm_imm_shared(vm->core),
								 update, addr, range), 0);
	drm_gpuvm_imm_update_data(&use_vm_type, update)->tag = tag;
	KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_run(&use_vm_type, vm, update, NULL), 0);
}

static void use_unmap(struct kunit *test, struct use_vm *vm, u64 page, u64 pages)
{
	DRM_GPUVM_IMM_UPDATE(update);

	KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_prepare_unmap(drm_gpuvm_imm_shared(vm->core), update,
							  TEST_START + page * TEST_PAGE,
							  pages * TEST_PAGE), 0);
	KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_run(&use_vm_type, vm, update, NULL), 0);
}

static void use_split(struct kunit *test, struct use_vm *vm, u64 page)
{
	DRM_GPUVM_IMM_UPDATE(update);

	KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_prepare_split(drm_gpuvm_imm_shared(vm->core), update,
							  TEST_START + page * TEST_PAGE), 0);
	KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_run(&use_vm_type, vm, update, NULL), 0);
}

/* Each step gets the old mapping with its data, and the parts that stay. */
static void drm_gpuvm_imm_use_test_steps(struct kunit *test)
{
	DRM_GPUVM_IMM_UPDATE(update);
	struct use_vm *vm = use_vm_new(test);
	struct test_bo *a = test_bo_new(test, 16, NULL), *b = test_bo_new(test, 16, NULL);

	use_map(test, vm, a, 1, 0, 8, 2);
	use_expect(test, vm, "map 0+8@2 of 0+8@2#1\n");

	use_map(test, vm, b, 2, 2, 2, 5);
	use_expect(test, vm,
		   "remap 2+2 of 0+8@2#1 prev 0+2@2#1 next 4+4@6#1\n"
		   "map 2+2@5 of 2+2@5#2\n");

	use_unmap(test, vm, 1, 4);
	use_expect(test, vm,
		   "remap 1+1 of 0+2@2#1 prev 0+1@2#1\n"
		   "unmap 2+2@5#2\n"
		   "remap 4+1 of 4+4@6#1 next 5+3@7#1\n");

	use_map(test, vm, NULL, 3, 5, 3, 0);
	use_expect(test, vm,
		   "unmap 5+3@7#1\n"
		   "map 5+3 of 5+3#3\n");

	use_split(test, vm, 6);
	use_expect(test, vm, "remap 6+0 of 5+3#3 prev 5+1#3 next 6+2#3\n");

	/* The same pages once more, and a part of them. */
	use_map(test, vm, a, 4, 10, 4, 0);
	use_map(test, vm, a, 5, 10, 4, 0);
	use_map(test, vm, a, 6, 11, 1, 1);
	use_expect(test, vm,
		   "map 10+4@0 of 10+4@0#4\n"
		   "unmap 10+4@0#4 keep\n"
		   "map 10+4@0 of 10+4@0#5\n"
		   "remap 11+1 of 10+4@0#5 prev 10+1@0#5 next 12+2@2#5 keep\n"
		   "map 11+1@1 of 11+1@1#6\n");

	KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_prepare_unmap_obj(&use_vm_type,
							      drm_gpuvm_imm_shared(vm->core),
							      update, a), 0);
	KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_run(&use_vm_type, vm, update, NULL), 0);
	use_expect(test, vm,
		   "unmap 0+1@2#1\n"
		   "unmap 10+1@0#5\n"
		   "unmap 12+2@2#5\n"
		   "unmap 11+1@1#6\n");

	drm_gpuvm_imm_fini(vm->core);
	use_expect(test, vm,
		   "unmap 5+1#3\n"
		   "unmap 6+2#3\n");
}

/* Prefetch: the mappings of a range, in order, with object and offset. */
static void drm_gpuvm_imm_use_test_prefetch(struct kunit *test)
{
	struct use_vm *vm = use_vm_new(test);
	struct test_bo *a = test_bo_new(test, 16, NULL), *b = test_bo_new(test, 16, NULL);
	int counted = 0, seen = 0;

	use_map(test, vm, a, 1, 20, 4, 3);
	use_map(test, vm, b, 2, 0, 4, 0);
	use_map(test, vm, NULL, 3, 8, 4, 0);
	use_map(test, vm, a, 4, 4, 4, 7);
	use_expect(test, vm,
		   "map 20+4@3 of 20+4@3#1\n"
		   "map 0+4@0 of 0+4@0#2\n"
		   "map 8+4 of 8+4#3\n"
		   "map 4+4@7 of 4+4@7#4\n");

	drm_gpuvm_imm_for_each(va, vm->core, TEST_START + 3 * TEST_PAGE, 18 * TEST_PAGE) {
		use_log_va(vm, " see", va);
		KUNIT_EXPECT_PTR_EQ(test, drm_gpuvm_imm_va_obj(&use_vm_type, va),
				    drm_gpuvm_imm_va_data(&use_vm_type, va)->tag == 2 ? b :
				    drm_gpuvm_imm_va_data(&use_vm_type, va)->tag == 3 ? NULL : a);
	}
	use_expect(test, vm, " see 0+4@0#2 see 4+4@7#4 see 8+4#3 see 20+4@3#1");

	drm_gpuvm_imm_for_each(va, vm->core, TEST_START + 4 * TEST_PAGE, 16 * TEST_PAGE)
		use_log_va(vm, " see", va);
	use_expect(test, vm, " see 4+4@7#4 see 8+4#3");

	drm_gpuvm_imm_for_each(va, vm->core, TEST_START + 12 * TEST_PAGE, 8 * TEST_PAGE)
		use_log_va(vm, " see", va);
	use_expect(test, vm, "");

	/* The arguments are evaluated once, however many mappings there are. */
	drm_gpuvm_imm_for_each(va, vm->core, TEST_START + counted++, TEST_PAGES * TEST_PAGE - 1)
		seen++;
	KUNIT_EXPECT_GT(test, seen, 1);
	KUNIT_EXPECT_EQ(test, counted, 1);
}

/* As in an ioctl: a mapping that crosses an end of the range is split there. */
static void use_madvise(struct kunit *test, struct use_vm *vm, u64 page, u64 pages, u32 tag)
{
	u64 addr = TEST_START + page * TEST_PAGE, range = pages * TEST_PAGE;

	use_split(test, vm, page);
	use_split(test, vm, page + pages);
	drm_gpuvm_imm_for_each(va, vm->core, addr, range) {
		KUNIT_EXPECT_GE(test, va->va.addr, addr);
		KUNIT_EXPECT_LE(test, va->va.addr + va->va.range, addr + range);
		drm_gpuvm_imm_va_data(&use_vm_type, va)->tag = tag;
	}
	vm->len = 0;
	vm->log[0] = '\0';
	drm_gpuvm_imm_for_each(va, vm->core, TEST_START, TEST_PAGES * TEST_PAGE)
		use_log_va(vm, " see", va);
}

/* Madvise: exactly the range gets the advice. */
static void drm_gpuvm_imm_use_test_madvise(struct kunit *test)
{
	struct use_vm *vm = use_vm_new(test);
	struct test_bo *bo = test_bo_new(test, 16, NULL);

	use_map(test, vm, bo, 1, 0, 8, 4);
	use_map(test, vm, NULL, 2, 8, 4, 0);
	use_map(test, vm, bo, 3, 16, 4, 0);

	/* Inside of one, */
	use_madvise(test, vm, 2, 3, 7);
	use_expect(test, vm, " see 0+2@4#1 see 2+3@6#7 see 5+3@9#1 see 8+4#2 see 16+4@0#3");
	/* over several, to one without an object, */
	use_unmap(test, vm, 16, 4);
	use_madvise(test, vm, 4, 5, 8);
	use_expect(test, vm,
		   " see 0+2@4#1 see 2+2@6#7 see 4+1@8#8 see 5+3@9#8 see 8+1#8 see 9+3#2");
	use_map(test, vm, bo, 3, 16, 4, 0);
	/* over a hole, */
	use_unmap(test, vm, 0, 9);
	use_madvise(test, vm, 10, 8, 9);
	use_expect(test, vm, " see 9+1#2 see 10+2#9 see 16+2@0#9 see 18+2@2#3");
	/* exactly one, and none. */
	use_madvise(test, vm, 16, 2, 10);
	use_madvise(test, vm, 12, 4, 11);
	use_expect(test, vm, " see 9+1#2 see 10+2#9 see 16+2@0#10 see 18+2@2#3");
}

static void drm_gpuvm_imm_use_test_mappings_of(struct kunit *test)
{
	struct use_vm *vm = use_vm_new(test), *vm2 = use_vm_new(test);
	struct test_bo *a = test_bo_new(test, 16, NULL), *b = test_bo_new(test, 16, NULL);
	u64 sum = 0;

	use_map(test, vm, a, 1, 0, 8, 0);
	use_map(test, vm, b, 2, 2, 2, 0);
	use_map(test, vm, NULL, 3, 20, 2, 0);
	use_map(test, vm, a, 4, 32, 2, 0);
	use_map(test, vm2, a, 5, 64, 2, 0);

	drm_gpuvm_imm_for_each_of(va, vm->core, &a->base) {
		KUNIT_EXPECT_PTR_EQ(test, drm_gpuvm_imm_va_obj(&use_vm_type, va), a);
		sum += BIT((va->va.addr - TEST_START) / TEST_PAGE);
	}
	KUNIT_EXPECT_EQ(test, sum, BIT(0) | BIT(4) | BIT_ULL(32));

	/* It is in no list any more when it is unmapped, nor one that never was. */
	use_unmap(test, vm, 2, 2);
	KUNIT_EXPECT_NULL(test, drm_gpuvm_imm_first_of(vm->core, &b->base));
	KUNIT_EXPECT_NULL(test, drm_gpuvm_imm_first_of(vm2->core, &b->base));
}

/* A vm_bo that a driver has saves the look-up; the update has its own reference. */
static void drm_gpuvm_imm_use_test_map_bo(struct kunit *test)
{
	DRM_GPUVM_IMM_UPDATE(update);
	struct use_vm *vm = use_vm_new(test);
	struct test_bo *bo = test_bo_new(test, 16, NULL);
	struct drm_gpuvm_imm *shared = drm_gpuvm_imm_shared(vm->core);
	struct drm_gpuvm_bo *vm_bo = drm_gpuvm_imm_obtain_gem(shared, &bo->base, NULL);
	const u64 at = TEST_START + 3 * TEST_PAGE;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vm_bo);
	KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_prepare_map_bo(shared, update, vm_bo, at,
							   2 * TEST_PAGE, TEST_PAGE), 0);
	KUNIT_EXPECT_EQ(test, kref_read(&vm_bo->kref), 2);
	drm_gpuvm_imm_update_drop(update);
	KUNIT_EXPECT_EQ(test, kref_read(&vm_bo->kref), 1);

	KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_prepare_map_bo(shared, update, vm_bo, at,
							   2 * TEST_PAGE, TEST_PAGE), 0);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, drm_gpuvm_imm_prepare_map_bo(shared, update, vm_bo, at,
								   TEST_PAGE, 0), -EBUSY);
		EXPECT_BROKEN(test, "an update is prepared once");
	}
	drm_gpuvm_imm_bo_put(vm_bo);
	KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_run(&use_vm_type, vm, update, NULL), 0);
	use_expect(test, vm, "map 3+2@1 of 3+2@1#0\n");
}

static void use_scope(struct kunit *test, struct use_vm *vm, struct test_bo *bo)
{
	DRM_GPUVM_IMM_UPDATE(update);
	struct drm_gpuvm_imm *shared __free(drm_gpuvm_imm) = drm_gpuvm_imm_get(vm->core);
	struct drm_gpuvm_bo *vm_bo __free(drm_gpuvm_imm_bo) = drm_gpuvm_imm_obtain_gem(shared,
										       &bo->base,
										       NULL);

	KUNIT_EXPECT_FALSE(test, IS_ERR(vm_bo));
	KUNIT_EXPECT_EQ(test, drm_gpuvm_imm_prepare_map(&use_vm_type, shared, update, bo,
							TEST_START, TEST_PAGE, 0, NULL), 0);
	/* The core, the one from get, and vm_bo. */
	KUNIT_EXPECT_EQ(test, kref_read(&shared->base.kref), 3);
}

/* Not inlined, so that the compiler does not know the value at the end of the scope. */
static noinline void use_give(struct drm_gpuvm_imm *shared, struct drm_gpuvm_bo *vm_bo)
{
	struct drm_gpuvm_imm *own_vm __free(drm_gpuvm_imm) = shared;
	struct drm_gpuvm_bo *own_bo __free(drm_gpuvm_imm_bo) = vm_bo;
}

/* A variable with a cleanup ends with its scope, whatever its value is. */
static void drm_gpuvm_imm_use_test_scopes(struct kunit *test)
{
	struct use_vm *vm = use_vm_new(test);
	struct drm_gpuvm_imm *shared = drm_gpuvm_imm_shared(vm->core);
	struct test_bo *bo = test_bo_new(test, 16, NULL);
	struct drm_gpuvm_bo *bad = NULL;

	kunit_warning_suppress(test)
		bad = drm_gpuvm_imm_obtain_gem(shared, drm_gpuvm_imm_resv_obj(shared), NULL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(bad), -EINVAL);
	use_give(drm_gpuvm_imm_get(vm->core), bad);
	use_give(NULL, drm_gpuvm_imm_obtain_gem(shared, &bo->base, NULL));
	use_give(NULL, NULL);
	drm_gpuvm_imm_flush();
	use_scope(test, vm, bo);
	drm_gpuvm_imm_flush();
	KUNIT_EXPECT_EQ(test, kref_read(&drm_gpuvm_imm_shared(vm->core)->base.kref), 1);
	KUNIT_EXPECT_EQ(test, kref_read(&bo->base.refcount), 1);
}

static const char *use_fence_name(struct dma_fence *fence)
{
	return "use";
}

static const struct dma_fence_ops use_fence_ops = {
	.get_driver_name = use_fence_name,
	.get_timeline_name = use_fence_name,
};

/* As an EXEC that knows its addresses: only these objects are locked and fenced. */
static void drm_gpuvm_imm_use_test_range_fences(struct kunit *test)
{
	static DEFINE_SPINLOCK(lock);
	struct use_vm *vm = use_vm_new(test);
	struct drm_gpuvm_imm *shared = drm_gpuvm_imm_shared(vm->core);
	struct test_bo *ext = test_bo_new(test, 16, NULL), *out = test_bo_new(test, 16, NULL);
	struct test_bo *priv = test_bo_new(test, 16, drm_gpuvm_imm_resv_obj(shared));
	struct dma_fence *fence = kzalloc_obj(*fence);
	struct drm_exec exec;
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, fence);
	dma_fence_init(fence, &use_fence_ops, &lock, dma_fence_context_alloc(1), 1);
	use_map(test, vm, ext, 0, 0, 4, 0);
	use_map(test, vm, priv, 0, 4, 4, 0);
	use_map(test, vm, ext, 0, 8, 4, 0);
	use_map(test, vm, out, 0, 12, 4, 0);

	drm_exec_init(&exec, DRM_EXEC_IGNORE_DUPLICATES, 0);
	drm_exec_until_all_locked(&exec) {
		ret = drm_gpuvm_imm_lock_range(vm->core, &exec, TEST_START, 12 * TEST_PAGE, 1);
		drm_exec_retry_on_contention(&exec);
		if (ret)
			break;
	}
	KUNIT_ASSERT_EQ(test, ret, 0);
	drm_gpuvm_imm_add_fence(shared, &exec, fence, DMA_RESV_USAGE_BOOKKEEP,
				DMA_RESV_USAGE_READ);
	drm_exec_fini(&exec);

	KUNIT_EXPECT_FALSE(test, dma_resv_test_signaled(ext->base.resv, DMA_RESV_USAGE_READ));
	KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(priv->base.resv, DMA_RESV_USAGE_READ));
	KUNIT_EXPECT_FALSE(test, dma_resv_test_signaled(priv->base.resv, DMA_RESV_USAGE_BOOKKEEP));
	KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(out->base.resv, DMA_RESV_USAGE_BOOKKEEP));
	dma_fence_signal(fence);
	KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(ext->base.resv, DMA_RESV_USAGE_BOOKKEEP));
	dma_fence_put(fence);
}

/* The allocations of a task, and how much of them is not charged to its client */
struct use_allocs {
	struct task_struct *task;
	unsigned int vms, bos, vas, all, unaccounted;
};

static void use_kmalloc_probe(void *data, unsigned long call_site, const void *ptr,
			      size_t bytes_req, size_t bytes_alloc, gfp_t gfp, int node)
{
	struct use_allocs *allocs = data;

	if (current != allocs->task)
		return;
	allocs->vms += bytes_req == sizeof(struct drm_gpuvm_imm);
	allocs->bos += bytes_req == sizeof(struct drm_gpuvm_bo);
	allocs->vas += bytes_req == sizeof(struct drm_gpuva) + sizeof(struct test_va);
	allocs->all++;
	allocs->unaccounted += !(gfp & __GFP_ACCOUNT);
}

static int use_all_that_allocates(struct test_vm *vm, struct test_bo *bo,
				  struct drm_device *drm)
{
	/* Not a constant: it is copied. */
	char name[] = "accounted";
	const struct drm_gpuvm_imm_config config = { .name = name, .range = SZ_1M };
	struct drm_gpuvm_imm_update update[2] = {};
	int ret = test_vm_init(vm, drm, &config);

	if (!ret)
		ret = test_vm_prepare_map(test_vm_shared(vm), &update[0], bo, 0, TEST_PAGE, 0);
	if (!ret)
		ret = drm_gpuvm_imm_prepare_unmap(test_vm_shared(vm), &update[1], 0, TEST_PAGE);
	for (int i = 0; i < ARRAY_SIZE(update); i++)
		drm_gpuvm_imm_update_drop(&update[i]);

	return ret ?: drm_gpuvm_imm_pool_resize(test_vm_shared(vm), 2 * DRM_GPUVM_IMM_POOL_MIN);
}

/* All allocations of an ioctl are charged to the client. */
static void drm_gpuvm_imm_use_test_accounted(struct kunit *test)
{
	struct use_allocs allocs = { .task = current };
	struct test_env *env = test->priv;
	struct test_bo *bo = test_bo_new(test, 1, NULL);
	struct test_vm *vm = kunit_kzalloc(test, sizeof(*vm), GFP_KERNEL);
	int ret;

	if (!IS_ENABLED(CONFIG_TRACEPOINTS))
		kunit_skip(test, "needs CONFIG_TRACEPOINTS");
	KUNIT_ASSERT_NOT_NULL(test, vm);
	KUNIT_ASSERT_EQ(test, register_trace_kmalloc(use_kmalloc_probe, &allocs), 0);
	ret = use_all_that_allocates(vm, bo, env->drm);
	unregister_trace_kmalloc(use_kmalloc_probe, &allocs);
	tracepoint_synchronize_unregister();
	test_vm_fini(vm);

	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, allocs.vms, 1);
	KUNIT_EXPECT_EQ(test, allocs.bos, 1);
	KUNIT_EXPECT_EQ(test, allocs.vas, 5);
	/* Beside these the name, the object with the lock, and two arrays of a pool */
	KUNIT_EXPECT_GE(test, allocs.all, 11);
	KUNIT_EXPECT_EQ(test, allocs.unaccounted, 0);
}

#if defined(CONFIG_TRACEPOINTS) && defined(CONFIG_LOCKDEP)
/* Lockdep learns that preparing waits and allocates, even if all memory is there. */
static void drm_gpuvm_imm_use_test_tells_lockdep(struct kunit *test)
{
	struct drm_gpuvm_imm_update update[3] = {};
	struct test_vm *vm = test_vm_new(test);
	struct drm_gpuvm_imm *shared = test_vm_shared(vm);
	struct test_bo *bo = test_bo_new(test, 2, NULL);
	struct drm_gpuvm_bo *vm_bo = drm_gpuvm_imm_obtain_gem(shared, &bo->base, NULL), *again;
	struct test_told told = {
		.resv = &drm_gpuvm_imm_resv_obj(shared)->resv->lock.base.dep_map,
	};
	int ret[ARRAY_SIZE(update)];

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vm_bo);
	/* For the pool */
	for (int i = 0; i < ARRAY_SIZE(update); i++)
		KUNIT_ASSERT_EQ(test, 0, test_vm_prepare_map(shared, &update[i], bo, TEST_START,
							     TEST_PAGE, 0));
	for (int i = 0; i < ARRAY_SIZE(update); i++)
		drm_gpuvm_imm_update_drop(&update[i]);

	test_told_begin(test, &told);
	again = drm_gpuvm_imm_obtain_gem(shared, &bo->base, NULL);
	ret[0] = test_vm_prepare_map(shared, &update[0], bo, TEST_START, TEST_PAGE, 0);
	ret[1] = test_vm_prepare_map_interruptible(shared, &update[1], bo, TEST_START,
						   TEST_PAGE, 0);
	ret[2] = drm_gpuvm_imm_prepare_unmap(shared, &update[2], TEST_START, TEST_PAGE);
	test_told_end(test, &told);

	KUNIT_EXPECT_EQ(test, told.resvs, 3);
	KUNIT_EXPECT_EQ(test, told.reclaims, 6);
	KUNIT_EXPECT_PTR_EQ(test, again, vm_bo);
	for (int i = 0; i < ARRAY_SIZE(update); i++) {
		KUNIT_EXPECT_EQ(test, ret[i], 0);
		drm_gpuvm_imm_update_drop(&update[i]);
	}
	drm_gpuvm_imm_bo_put(again);
	drm_gpuvm_imm_bo_put(vm_bo);
}
#else
static void drm_gpuvm_imm_use_test_tells_lockdep(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_LOCKDEP and CONFIG_TRACEPOINTS");
}
#endif

static struct kunit_case drm_gpuvm_imm_use_test_cases[] = {
	KUNIT_CASE(drm_gpuvm_imm_use_test_steps),
	KUNIT_CASE(drm_gpuvm_imm_use_test_prefetch),
	KUNIT_CASE(drm_gpuvm_imm_use_test_madvise),
	KUNIT_CASE(drm_gpuvm_imm_use_test_mappings_of),
	KUNIT_CASE(drm_gpuvm_imm_use_test_map_bo),
	KUNIT_CASE(drm_gpuvm_imm_use_test_scopes),
	KUNIT_CASE(drm_gpuvm_imm_use_test_range_fences),
	KUNIT_CASE(drm_gpuvm_imm_use_test_accounted),
	KUNIT_CASE(drm_gpuvm_imm_use_test_tells_lockdep),
	{}
};

static struct kunit_suite drm_gpuvm_imm_use_suite = {
	.name = "drm_gpuvm_imm_use",
	.init = test_env_init,
	.test_cases = drm_gpuvm_imm_use_test_cases,
};

kunit_test_suite(drm_gpuvm_imm_use_suite);
