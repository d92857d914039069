// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Random changes of an address space, with random failures of steps, compared with an
 * array of the expected pages.
 */

#include <linux/moduleparam.h>
#include <linux/prandom.h>

#include "drm_gpuvm_imm_internal.h"
#include "drm_gpuvm_imm_test.h"

#define MODEL_PAGES	(TEST_PAGES - 16)
#define MODEL_BOS	6
#define MODEL_BO_PAGES	64

/* Debug kernels take a hundred times longer for each. */
#define MODEL_OPS	(IS_ENABLED(CONFIG_KASAN) || IS_ENABLED(CONFIG_LOCKDEP) ? \
			 30000 : 1000000)

/* On the kernel's command line: drm_gpuvm_imm_kunit.model_ops=1000000 */
static unsigned int model_ops = MODEL_OPS;
module_param(model_ops, uint, 0444);
MODULE_PARM_DESC(model_ops, "how many random changes are made");

static unsigned int model_seed = 0x67707576;
module_param(model_seed, uint, 0444);
MODULE_PARM_DESC(model_seed, "what makes the random changes others");

/* The target of each page, and whether a mapping starts at it */
struct model_state {
	u64 pte[TEST_PAGES];
	bool start[TEST_PAGES];
};

struct model {
	struct test_vm *vm;
	struct test_bo *bo[MODEL_BOS];
	struct rnd_state rnd;
	struct model_state is;
	struct model_state seen;
	unsigned int failed;
};

static u32 model_random(struct model *model, u32 below)
{
	return prandom_u32_state(&model->rnd) % below;
}

/* The mappings around the range end and start at its edges. */
static void model_cut(struct model_state *state, u64 page)
{
	if (page < TEST_PAGES && state->pte[page])
		state->start[page] = true;
}

static void model_unmap(struct model_state *state, u64 page, u64 pages)
{
	model_cut(state, page + pages);
	memset64(state->pte + page, 0, pages);
	memset(state->start + page, 0, pages);
}

static void model_map(struct model_state *state, const struct test_bo *bo, u32 tag,
		      u64 page, u64 pages, u64 from)
{
	model_unmap(state, page, pages);
	for (u64 i = 0; i < pages; i++)
		state->pte[page + i] = test_pte(bo, tag, from + i);
	state->start[page] = true;
}

static void model_unmap_obj(struct model_state *state, const struct test_bo *bo)
{
	for (u64 i = 0; i < TEST_PAGES; i++) {
		if (state->pte[i] >> 32 != bo->id)
			continue;
		state->pte[i] = 0;
		state->start[i] = false;
	}
}

static int model_run(struct kunit *test, struct model *model,
		     struct drm_gpuvm_imm_update *update)
{
	struct test_vm *vm = model->vm;
	int ret;

	vm->fail_in = model_random(model, 4) ? 0 : 1 + model_random(model, 6);
	ret = test_run(test, vm, update);
	if (ret) {
		KUNIT_EXPECT_EQ(test, ret, -EIO);
		model->failed++;
	}
	vm->fail_in = 0;

	return ret;
}

/* One change; the model has it only if it succeeds. */
static void model_step(struct kunit *test, struct model *model)
{
	DRM_GPUVM_IMM_UPDATE(update);
	struct drm_gpuvm_imm *shared = test_vm_shared(model->vm);
	struct test_bo *bo = model->bo[model_random(model, MODEL_BOS)];
	u64 page = model_random(model, MODEL_PAGES);
	u64 pages = 1 + model_random(model, min(MODEL_PAGES - page, MODEL_BO_PAGES));
	u64 addr = TEST_START + page * TEST_PAGE;
	u64 from = model_random(model, MODEL_BO_PAGES - pages + 1);
	u32 tag = model_random(model, 3);

	switch (model_random(model, 16)) {
	default:
		/* Half of them where the same pages may be mapped already. */
		if (model_random(model, 2)) {
			bo = model->bo[0];
			page = model_random(model, MODEL_BO_PAGES - pages + 1);
			addr = TEST_START + page * TEST_PAGE;
			from = page;
		}
		KUNIT_ASSERT_EQ(test, 0, test_vm_prepare_map(shared, update, bo, addr,
							     pages * TEST_PAGE,
							     from * TEST_PAGE));
		/* A step that keeps entries relies on their being the same. */
		tag = from == page ? 0 : tag + 1;
		test_vm_update_va(update)->tag = tag;
		if (!model_run(test, model, update))
			model_map(&model->is, bo, tag, page, pages, from);
		break;
	case 0:
	case 1:
		KUNIT_ASSERT_EQ(test, 0, drm_gpuvm_imm_prepare_map_sparse(shared, update, addr,
									  pages * TEST_PAGE));
		if (!model_run(test, model, update))
			model_map(&model->is, NULL, 0, page, pages, 0);
		break;
	case 2:
	case 3:
	case 4:
	case 5:
		KUNIT_ASSERT_EQ(test, 0, drm_gpuvm_imm_prepare_unmap(shared, update, addr,
								     pages * TEST_PAGE));
		if (!model_run(test, model, update))
			model_unmap(&model->is, page, pages);
		break;
	case 6:
		KUNIT_ASSERT_EQ(test, 0, test_vm_prepare_unmap_obj(shared, update, bo));
		if (!model_run(test, model, update))
			model_unmap_obj(&model->is, bo);
		break;
	case 7:
	case 8:
		KUNIT_ASSERT_EQ(test, 0, drm_gpuvm_imm_prepare_split(shared, update, addr));
		if (!model_run(test, model, update))
			model_cut(&model->is, page);
		break;
	case 9:
		KUNIT_ASSERT_EQ(test, 0, drm_gpuvm_imm_prepare_unmap(shared, update, addr,
								     pages * TEST_PAGE));
		drm_gpuvm_imm_update_drop(update);
		break;
	}
}

/* The mappings and the page table, read back as the model has them. */
static void model_check(struct kunit *test, struct model *model, unsigned int op)
{
	struct model_state *seen = &model->seen;

	memset(seen, 0, sizeof(*seen));
	drm_gpuvm_imm_for_each(va, model->vm->core, TEST_START, TEST_PAGES * TEST_PAGE) {
		u64 first = (va->va.addr - TEST_START) / TEST_PAGE;

		KUNIT_ASSERT_EQ(test, va->flags, va->gem.obj ? 0 : DRM_GPUVA_SPARSE);
		seen->start[first] = true;
		for (u64 i = 0; i < va->va.range / TEST_PAGE; i++)
			seen->pte[first + i] = test_pte(test_vm_obj(va), test_vm_va(va)->tag,
							va->gem.offset / TEST_PAGE + i);
	}
	KUNIT_ASSERT_MEMEQ_MSG(test, seen->pte, model->is.pte, sizeof(seen->pte),
			       "mappings, op %u", op);
	KUNIT_ASSERT_MEMEQ_MSG(test, seen->start, model->is.start, sizeof(seen->start),
			       "starts, op %u", op);
	KUNIT_ASSERT_MEMEQ_MSG(test, model->vm->pt, model->is.pte, sizeof(seen->pte),
			       "page table, op %u", op);
}

static void drm_gpuvm_imm_model_test_random(struct kunit *test)
{
	struct model *model = kunit_kzalloc(test, sizeof(*model), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, model);
	prandom_seed_state(&model->rnd, model_seed);
	model->vm = test_vm_new(test);
	for (int i = 0; i < MODEL_BOS; i++)
		model->bo[i] = test_bo_new(test, MODEL_BO_PAGES, NULL);

	for (unsigned int op = 0; op < model_ops; op++) {
		model_step(test, model);
		model_check(test, model, op);
	}

	kunit_info(test, "%u changes, %u of them failed; %u maps, %u unmaps, %u remaps, %u kept",
		   model_ops, model->failed, model->vm->maps, model->vm->unmaps,
		   model->vm->remaps, model->vm->keeps);
	/* Each kind of step was there, and a good part of them failed. */
	KUNIT_EXPECT_GT(test, model->failed, model_ops / 20);
	KUNIT_EXPECT_GT(test, model->vm->unmaps, model_ops / 4);
	KUNIT_EXPECT_GT(test, model->vm->remaps, model_ops / 4);
	KUNIT_EXPECT_GT(test, model->vm->keeps, model_ops / 100);
	KUNIT_EXPECT_FALSE(test, drm_gpuvm_imm_is_broken(test_vm_shared(model->vm)));
}

static struct kunit_case drm_gpuvm_imm_model_test_cases[] = {
	KUNIT_CASE_ATTR(drm_gpuvm_imm_model_test_random, {.speed = KUNIT_SPEED_VERY_SLOW}),
	{}
};

static struct kunit_suite drm_gpuvm_imm_model_suite = {
	.name = "drm_gpuvm_imm_model",
	.init = test_env_init,
	.test_cases = drm_gpuvm_imm_model_test_cases,
};

kunit_test_suite(drm_gpuvm_imm_model_suite);
