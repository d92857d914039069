// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * A driver whose page table has one table for each 16 pages. The job brings the memory for
 * tables along, and takes back what is not used any more: both by the context of a run.
 */

#include <linux/dma-fence.h>
#include <linux/kthread.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "drm_gpuvm_imm_internal.h"
#include "drm_gpuvm_imm_test.h"
#include "drm_safe_test.h"

#define CTX_TABLE_PAGES		16

struct ctx_vm {
	DRM_GPUVM_IMM_CORE(core);
	void *tables[TEST_PAGES / CTX_TABLE_PAGES];
	unsigned int without;		/* unmap steps that had no context */
	unsigned int fail_in;		/* 1: the next step fails, and so on */
	struct ctx_vm *in_step;		/* which to run an update of in the next step */
	struct drm_gpuvm_imm_update *update;
};

/* The memory of a job: tables for any change, and room for as many old ones */
struct ctx_run {
	struct ctx_vm *vm;		/* the address space that this is for */
	unsigned int count;
	void *tables[2 * TEST_PAGES / CTX_TABLE_PAGES];
	unsigned int maps;
	unsigned int unmaps;
	unsigned int remaps;
	unsigned int strays;		/* steps of another address space */
	bool unowned;			/* lockdep saw no owner */
};

DRM_GPUVM_IMM_TYPE_CTX(ctx_vm_type, struct ctx_vm, core, struct drm_gpuvm_imm_no_data,
		       struct test_bo, base, struct drm_gpuvm_imm_no_data, void, struct ctx_run);

/* Whether lockdep sees that this task changes the address space */
static bool ctx_owner_is_seen(const struct drm_gpuvm_imm_core *core)
{
	return lock_is_held(&drm_gpuvm_imm_shared(core)->owner_map);
}

static bool ctx_fails(struct ctx_vm *vm)
{
	return vm->fail_in && !--vm->fail_in;
}

static void ctx_take_tables(struct ctx_vm *vm, struct ctx_run *run, u64 addr, u64 range)
{
	u64 first = test_page(addr) / CTX_TABLE_PAGES;
	u64 last = test_page(addr + range - 1) / CTX_TABLE_PAGES;

	run->strays += run->vm != vm;
	for (u64 i = first; i <= last; i++) {
		if (!vm->tables[i])
			vm->tables[i] = run->tables[--run->count];
	}
}

static void ctx_give_tables(struct ctx_vm *vm, struct ctx_run *run, u64 addr, u64 range)
{
	u64 i = DIV_ROUND_UP(test_page(addr), CTX_TABLE_PAGES);

	run->strays += run->vm != vm;
	for (; (i + 1) * CTX_TABLE_PAGES <= test_page(addr + range); i++) {
		if (vm->tables[i])
			run->tables[run->count++] = vm->tables[i];
		vm->tables[i] = NULL;
	}
}

static struct drm_gpuvm_imm_mapped *
ctx_map(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_map_step *step)
	__drm_nonallocating
{
	struct ctx_vm *vm = drm_gpuvm_imm_of(&ctx_vm_type, core);
	struct ctx_run *run = drm_gpuvm_imm_step_ctx(&ctx_vm_type, core, step);

	if (IS_ENABLED(CONFIG_LOCKDEP))
		run->unowned |= !ctx_owner_is_seen(core);
	run->maps++;
	if (ctx_fails(vm))
		return ERR_PTR(-EIO);
	ctx_take_tables(vm, run, step->addr, step->range);
	return drm_gpuvm_imm_map_done(step);
}

static struct drm_gpuvm_imm_unmapped *
ctx_unmap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_unmap_step *step)
	__drm_nonallocating
{
	struct ctx_vm *vm = drm_gpuvm_imm_of(&ctx_vm_type, core);
	struct ctx_run *run = drm_gpuvm_imm_unmap_ctx(&ctx_vm_type, core, step);

	if (!run) {
		vm->without++;
		return drm_gpuvm_imm_unmap_done(step);
	}
	run->unmaps++;
	if (ctx_fails(vm))
		return ERR_PTR(-EIO);
	if (!step->keep)
		ctx_give_tables(vm, run, step->va->va.addr, step->va->va.range);
	return drm_gpuvm_imm_unmap_done(step);
}

/* A step that has another address space changed, whose steps have a context of their own */
static void ctx_run_other(struct ctx_vm *vm, struct ctx_run *run)
	__drm_nonallocating
{
	struct ctx_run other = { .vm = vm->in_step };

	if (!vm->in_step)
		return;
	run->strays += !!drm_gpuvm_imm_run(&ctx_vm_type, vm->in_step, vm->update, &other);
	run->strays += other.strays + (other.unmaps != 1);
	vm->in_step = NULL;
}

static struct drm_gpuvm_imm_remapped *
ctx_remap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_remap_step *step)
	__drm_nonallocating
{
	struct ctx_vm *vm = drm_gpuvm_imm_of(&ctx_vm_type, core);
	struct ctx_run *run = drm_gpuvm_imm_step_ctx(&ctx_vm_type, core, step);

	ctx_run_other(vm, run);
	run->remaps++;
	if (ctx_fails(vm))
		return ERR_PTR(-EIO);
	if (!step->keep && step->range)
		ctx_give_tables(vm, run, step->addr, step->range);
	return drm_gpuvm_imm_remap_done(step);
}

const struct ctx_vm_type ctx_vm_type = {
	.base.granule = TEST_PAGE,
	.base.obj_funcs = &test_bo_funcs,
	.base.map = ctx_map,
	.base.unmap = ctx_unmap,
	.base.remap = ctx_remap,
};

static void ctx_vm_free(void *res)
{
	struct ctx_vm *vm = res;

	drm_gpuvm_imm_fini(vm->core);
	for (int i = 0; i < ARRAY_SIZE(vm->tables); i++)
		kfree(vm->tables[i]);
	kfree(vm);
}

static struct ctx_vm *ctx_vm_new(struct kunit *test)
{
	static const struct drm_gpuvm_imm_config config = {
		.name = "ctx",
		.start = TEST_START,
		.range = TEST_PAGES * TEST_PAGE,
	};
	struct test_env *env = test->priv;
	struct ctx_vm *vm = kzalloc_obj(*vm);

	KUNIT_ASSERT_NOT_NULL(test, vm);
	KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_init(&ctx_vm_type, vm, env->drm, &config), 0);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, ctx_vm_free, vm));

	return vm;
}

/* As in a job: the memory is allocated before the run, and the rest is freed after it. */
static int ctx_run(struct kunit *test, struct ctx_vm *vm, struct drm_gpuvm_imm_update *update,
		   struct ctx_run *run)
{
	bool cookie;
	int ret;

	*run = (struct ctx_run) { .vm = vm };
	for (int i = 0; i < ARRAY_SIZE(vm->tables); i++) {
		run->tables[i] = kzalloc(64, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, run->tables[i]);
		run->count++;
	}
	cookie = dma_fence_begin_signalling();
	ret = drm_gpuvm_imm_run(&ctx_vm_type, vm, update, run);
	dma_fence_end_signalling(cookie);
	while (run->count)
		kfree(run->tables[--run->count]);
	KUNIT_EXPECT_EQ(test, run->strays, 0);
	KUNIT_EXPECT_FALSE(test, run->unowned);
	if (IS_ENABLED(CONFIG_LOCKDEP))
		KUNIT_EXPECT_FALSE(test, ctx_owner_is_seen(vm->core));

	return ret;
}

static int ctx_map_pages(struct kunit *test, struct ctx_vm *vm, struct test_bo *bo, u64 page,
			 u64 pages, struct ctx_run *run)
{
	DRM_GPUVM_IMM_UPDATE(update);
	int ret = drm_gpuvm_imm_prepare_map(&ctx_vm_type, drm_gpuvm_imm_shared(vm->core), update,
					    bo, TEST_START + page * TEST_PAGE, pages * TEST_PAGE, 0,
					    NULL);

	return ret ?: ctx_run(test, vm, update, run);
}

static int ctx_prepare_unmap(struct ctx_vm *vm, struct drm_gpuvm_imm_update *update, u64 page,
			     u64 pages)
{
	return drm_gpuvm_imm_prepare_unmap(drm_gpuvm_imm_shared(vm->core), update,
					   TEST_START + page * TEST_PAGE, pages * TEST_PAGE);
}

static unsigned int ctx_mappings(struct ctx_vm *vm)
{
	unsigned int n = 0;

	drm_gpuvm_imm_for_each(va, vm->core, TEST_START, TEST_PAGES * TEST_PAGE)
		n++;

	return n;
}

/* Each step has the context of its run, of any kind of step and of change. */
static void each_step(struct kunit *test)
{
	DRM_GPUVM_IMM_UPDATE(update);
	struct test_bo *bo = test_bo_new(test, TEST_PAGES, NULL);
	struct ctx_vm *vm = ctx_vm_new(test);
	struct ctx_run run;

	KUNIT_ASSERT_EQ(test, ctx_map_pages(test, vm, bo, 0, 64, &run), 0);
	KUNIT_EXPECT_EQ(test, run.maps, 1);
	KUNIT_EXPECT_NOT_NULL(test, vm->tables[3]);

	/* One end of the replaced mapping is in the middle of a table. */
	KUNIT_ASSERT_EQ(test, ctx_map_pages(test, vm, bo, 8, 56, &run), 0);
	KUNIT_EXPECT_EQ(test, run.remaps, 1);
	KUNIT_EXPECT_EQ(test, run.maps, 1);

	KUNIT_ASSERT_EQ(test, ctx_prepare_unmap(vm, update, 16, 16), 0);
	KUNIT_ASSERT_EQ(test, ctx_run(test, vm, update, &run), 0);
	KUNIT_EXPECT_EQ(test, run.remaps, 1);
	KUNIT_EXPECT_NULL(test, vm->tables[1]);

	KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_prepare_split(drm_gpuvm_imm_shared(vm->core), update,
							  TEST_START + 40 * TEST_PAGE), 0);
	KUNIT_ASSERT_EQ(test, ctx_run(test, vm, update, &run), 0);
	KUNIT_EXPECT_EQ(test, run.remaps, 1);

	KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_prepare_unmap_obj(&ctx_vm_type,
							      drm_gpuvm_imm_shared(vm->core),
							      update, bo), 0);
	KUNIT_ASSERT_EQ(test, ctx_run(test, vm, update, &run), 0);
	KUNIT_EXPECT_EQ(test, run.unmaps, 4);
	KUNIT_EXPECT_EQ(test, ctx_mappings(vm), 0);
	KUNIT_EXPECT_EQ(test, vm->without, 0);
}

/* The steps that undo others have it, too, and it is gone with its run. */
static void undo(struct kunit *test)
{
	struct test_bo *bo = test_bo_new(test, TEST_PAGES, NULL);
	struct ctx_vm *vm = ctx_vm_new(test);
	struct ctx_run run;

	KUNIT_ASSERT_EQ(test, ctx_map_pages(test, vm, bo, 0, 16, &run), 0);
	KUNIT_ASSERT_EQ(test, ctx_map_pages(test, vm, bo, 16, 16, &run), 0);
	vm->fail_in = 3;
	KUNIT_EXPECT_EQ(test, ctx_map_pages(test, vm, bo, 0, 32, &run), -EIO);
	/* The new mapping, and the two that were unmapped for it */
	KUNIT_EXPECT_EQ(test, run.unmaps, 2);
	KUNIT_EXPECT_EQ(test, run.maps, 3);
	KUNIT_EXPECT_NOT_NULL(test, vm->tables[0]);
	KUNIT_EXPECT_NOT_NULL(test, vm->tables[1]);
	KUNIT_EXPECT_EQ(test, ctx_mappings(vm), 2);
	KUNIT_EXPECT_NULL(test, vm->core->__ctx);

	vm->fail_in = 1;
	KUNIT_EXPECT_EQ(test, ctx_map_pages(test, vm, bo, 64, 16, &run), -EIO);
	KUNIT_EXPECT_NULL(test, vm->core->__ctx);
}

/* The core goes without a run. */
static void at_the_end(struct kunit *test)
{
	struct test_bo *bo = test_bo_new(test, TEST_PAGES, NULL);
	struct ctx_vm *vm = ctx_vm_new(test);
	struct ctx_run run;

	KUNIT_ASSERT_EQ(test, ctx_map_pages(test, vm, bo, 0, 16, &run), 0);
	KUNIT_ASSERT_EQ(test, ctx_map_pages(test, vm, bo, 32, 16, &run), 0);
	drm_gpuvm_imm_fini(vm->core);
	KUNIT_EXPECT_EQ(test, vm->without, 2);
}

/* A run inside of a step of another address space */
static void nested(struct kunit *test)
{
	DRM_GPUVM_IMM_UPDATE(update);
	struct test_bo *bo = test_bo_new(test, TEST_PAGES, NULL);
	struct ctx_vm *vm = ctx_vm_new(test), *other = ctx_vm_new(test);
	struct ctx_run run;

	KUNIT_ASSERT_EQ(test, ctx_map_pages(test, vm, bo, 0, 16, &run), 0);
	KUNIT_ASSERT_EQ(test, ctx_map_pages(test, other, bo, 0, 8, &run), 0);
	KUNIT_ASSERT_EQ(test, ctx_prepare_unmap(other, update, 0, 8), 0);
	vm->in_step = other;
	vm->update = update;
	KUNIT_EXPECT_EQ(test, ctx_map_pages(test, vm, bo, 4, 8, &run), 0);
	KUNIT_EXPECT_NULL(test, vm->in_step);
	KUNIT_EXPECT_EQ(test, ctx_mappings(other), 0);
}

/* Past the macro that knows the type: no step is called without its context. */
static void forgotten(struct kunit *test)
{
	DRM_GPUVM_IMM_UPDATE(update);
	struct test_bo *bo = test_bo_new(test, TEST_PAGES, NULL);
	struct ctx_vm *vm = ctx_vm_new(test);
	struct ctx_run run, *none = NULL;

	KUNIT_ASSERT_EQ(test, ctx_map_pages(test, vm, bo, 0, 16, &run), 0);

	KUNIT_ASSERT_EQ(test, ctx_prepare_unmap(vm, update, 0, 16), 0);
	EXPECT_REFUSED(test, "a run has a context if its type has one",
		       drm_gpuvm_imm_core_run(vm->core, update), -EINVAL);
	KUNIT_EXPECT_NULL(test, update->__vm);

	KUNIT_ASSERT_EQ(test, ctx_prepare_unmap(vm, update, 0, 16), 0);
	OPTIMIZER_HIDE_VAR(none);
	EXPECT_REFUSED(test, "a run has a context if its type has one",
		       drm_gpuvm_imm_run(&ctx_vm_type, vm, update, none), -EINVAL);
	KUNIT_EXPECT_NULL(test, update->__vm);
	KUNIT_EXPECT_EQ(test, ctx_mappings(vm), 1);
	KUNIT_EXPECT_EQ(test, vm->without, 0);
}

static struct kunit_case drm_gpuvm_imm_ctx_cases[] = {
	KUNIT_CASE(each_step),
	KUNIT_CASE(undo),
	KUNIT_CASE(at_the_end),
	KUNIT_CASE(nested),
	KUNIT_CASE(forgotten),
	{}
};

static struct kunit_suite drm_gpuvm_imm_ctx_suite = {
	.name = "drm_gpuvm_imm_ctx",
	.init = test_env_init,
	.test_cases = drm_gpuvm_imm_ctx_cases,
};

kunit_test_suite(drm_gpuvm_imm_ctx_suite);
