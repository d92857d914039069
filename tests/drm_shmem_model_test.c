// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Random use of some objects, from their creation to their end, with devices
 * that are unbound meanwhile, against a model of what each object should be.
 */

#include <kunit/static_stub.h>
#include <linux/dma-resv.h>
#include <linux/moduleparam.h>
#include <linux/prandom.h>
#include <linux/shrinker.h>
#include <linux/sizes.h>

#include "drm_shmem_internal.h"
#include "drm_shmem_test.h"

#define MODEL_BOS	8
#define MODEL_PAGES	4
#define MODEL_HANDLES	2
#define MODEL_OFFSET	64

/* Debug kernels take much longer for each. */
#define MODEL_OPS	(IS_ENABLED(CONFIG_KASAN) || IS_ENABLED(CONFIG_LOCKDEP) ? 5000 : 200000)

static unsigned int model_ops = MODEL_OPS;
module_param(model_ops, uint, 0444);
MODULE_PARM_DESC(model_ops, "how many random calls are made");

static unsigned int model_seed = 0x73686d65;
module_param(model_seed, uint, 0444);
MODULE_PARM_DESC(model_seed, "what makes the random calls others");

struct model_page {
	DRM_VMAP(PAGE_SIZE);
};

struct model_page_owned {
	DRM_VMAP_OWNED(struct model_page);
};

enum model_table { MODEL_NO_TABLE, MODEL_MAPPED, MODEL_REVOKED };

/* An object, and its expected state. Handles keep it when the reference is gone. */
struct model_bo {
	struct drm_shmem_obj *obj;
	struct model_page_owned vmap[MODEL_HANDLES];
	struct drm_shmem_sgt_owned sgt[MODEL_HANDLES];

	bool reclaim;			/* of a type with DRM_SHMEM_RECLAIM */
	bool ref;
	bool vmapped[MODEL_HANDLES];
	bool held[MODEL_HANDLES];
	bool suspended[MODEL_HANDLES];	/* of those that are held */
	unsigned int pins;
	enum model_table table;
	bool needed;
	bool listed;			/* for the shrinker to purge, */
	bool touched;			/* or to evict, */
	bool evicted;			/* or to look at when the pages are back */
	bool purged;
	bool populated;			/* since it has been mapped or pinned once */
	u32 word;			/* at MODEL_OFFSET */
};

struct model {
	struct device *parent;
	struct drm_device *drm;
	struct model_bo bo[MODEL_BOS];
	struct rnd_state rnd;
	int revoked;
	unsigned int purged, unmapped, evicted, unbound;
};

static u32 model_random(struct model *model, u32 below)
{
	return prandom_u32_state(&model->rnd) % below;
}

static struct drm_gem_object *model_gem(const struct model_bo *bo)
{
	return &bo->obj->base.base;
}

static struct drm_shmem_shrinker *model_shrinker(struct drm_device *drm)
{
	return &test_dev(drm)->shrinker;
}

static unsigned int model_count(const bool *flags)
{
	return flags[0] + flags[1];
}

/* How many of the handles use the table. */
static unsigned int model_users(const struct model_bo *bo)
{
	return model_count(bo->held) - model_count(bo->suspended);
}

static bool model_is_bound(const struct model *model, const struct model_bo *bo)
{
	return model_gem(bo)->dev == model->drm;
}

static void model_bind(struct kunit *test, struct model *model)
{
	model->parent = drm_safe_test_parent(test);
	model->drm = shmem_test_device(test, model->parent, &shmem_test_driver);
	KUNIT_ASSERT_EQ(test, drmm_shmem_shrinker_init(model->drm, model_shrinker(model->drm)), 0);
}

/* All tables are gone, even used ones; objects and mappings stay. */
static void model_rebind(struct kunit *test, struct model *model)
{
	drm_safe_test_unbind(test, model->parent);
	for (int i = 0; i < MODEL_BOS; i++) {
		struct model_bo *bo = &model->bo[i];

		if (!bo->obj || bo->table != MODEL_MAPPED)
			continue;
		bo->table = MODEL_REVOKED;
		/* The other type has no step to be told by. */
		model->revoked += !bo->reclaim;
	}
	model->unbound++;
	model_bind(test, model);
}

static struct drm_shmem_obj *model_obj(struct model *model, size_t size, bool reclaim)
{
	struct reclaim_bo_unique *r;
	struct test_bo_unique *t;

	if (reclaim) {
		r = drm_shmem_create(&reclaim_bo_type, model->drm, size, NULL);
		return IS_ERR(r) ? NULL : &drm_shmem_publish(&reclaim_bo_type, &r)->obj;
	}
	t = drm_shmem_create(&test_bo_type, model->drm, size, NULL);
	return IS_ERR(t) ? NULL : &drm_shmem_publish(&test_bo_type, &t)->obj;
}

static void model_create(struct kunit *test, struct model *model, struct model_bo *bo)
{
	const bool reclaim = model_random(model, 4);
	const size_t size = 1 + model_random(model, MODEL_PAGES * PAGE_SIZE);

	bo->obj = model_obj(model, size, reclaim);
	KUNIT_ASSERT_NOT_NULL(test, bo->obj);
	bo->reclaim = reclaim;
	bo->ref = true;
	bo->table = MODEL_NO_TABLE;
	bo->needed = true;
	bo->listed = false;
	bo->touched = false;
	bo->evicted = false;
	bo->purged = false;
	bo->populated = false;
	bo->word = 0;
	KUNIT_ASSERT_EQ(test, model_gem(bo)->size, PAGE_ALIGN(size));
}

/* Its last user is gone, and so is the object. */
static void model_put_last(struct model_bo *bo)
{
	if (!bo->ref && !model_count(bo->vmapped) && !model_count(bo->held))
		bo->obj = NULL;
}

static void model_put(struct model_bo *bo)
{
	/* The core reports pins that are left. */
	while (bo->pins) {
		drm_shmem_unpin(bo->obj);
		bo->pins--;
	}
	drm_gem_object_put(model_gem(bo));
	bo->ref = false;
	model_put_last(bo);
}

static void model_write(struct kunit *test, struct model_bo *bo, const struct model_page *map)
{
	KUNIT_ASSERT_EQ(test, drm_vmap_read32(map, MODEL_OFFSET), bo->word);
	drm_vmap_write32(map, MODEL_OFFSET, ++bo->word);
}

static void model_borrow(struct kunit *test, struct model_bo *bo)
{
	int ret;

	drm_vmap_guard(model_page, map, bo->obj, ret)
		model_write(test, bo, map);
	KUNIT_ASSERT_EQ(test, ret, bo->purged ? -ENODATA : 0);
	bo->populated = true;
}

/* Own a mapping, use it, have it elsewhere, give it back: rarely, so that some can be purged. */
static void model_vmap(struct kunit *test, struct model *model, struct model_bo *bo)
{
	const int i = model_random(model, MODEL_HANDLES), other = !i;

	if (!bo->vmapped[i]) {
		if (!bo->ref || model_random(model, 4))
			return;
		KUNIT_ASSERT_EQ(test, drm_vmap_own(&bo->vmap[i], bo->obj),
				bo->purged ? -ENODATA : 0);
		bo->vmapped[i] = !bo->purged;
		bo->populated = true;
		return;
	}
	model_write(test, bo, drm_vmap_borrow(&bo->vmap[i]));
	if (!bo->vmapped[other] && model_random(model, 2)) {
		drm_vmap_move(&bo->vmap[other], &bo->vmap[i]);
		bo->vmapped[other] = true;
	} else {
		drm_vmap_release(&bo->vmap[i]);
	}
	bo->vmapped[i] = false;
	model_put_last(bo);
}

/* The expected result of a request for the table, and its effect on the object. */
static int model_map_table(const struct model *model, struct model_bo *bo)
{
	if (!model_is_bound(model, bo))
		return -ESHUTDOWN;
	if (bo->purged)
		return -ENODATA;
	bo->table = MODEL_MAPPED;
	bo->populated = true;
	bo->touched |= bo->evicted;
	bo->evicted = false;
	return 0;
}

static void model_borrow_table(struct kunit *test, struct model *model, struct model_bo *bo)
{
	unsigned int nents = 0;
	int ret = -ESHUTDOWN;

	/* An assertion in the section would leave it open. */
	drm_dev_ctx_guard(test_reg, reg, test_ctx(model_gem(bo)->dev))
		drm_shmem_sgt_guard(sgt, &reg->base.bound, bo->obj, ret)
			nents = drm_shmem_sgt_table(sgt)->nents;
	KUNIT_ASSERT_EQ(test, ret, model_map_table(model, bo));
	KUNIT_ASSERT_EQ(test, nents > 0, !ret);
}

static void model_suspend(struct model_bo *bo, int i)
{
	shmem_test_suspend(bo->obj, &bo->sgt[i]);
	bo->suspended[i] = true;
}

static void model_resume(struct kunit *test, struct model *model, struct model_bo *bo, int i)
{
	int tried = -ESHUTDOWN, ret = -ESHUTDOWN;

	drm_dev_ctx_guard(test_reg, reg, test_ctx(model_gem(bo)->dev)) {
		drm_shmem_sgt_guard_owned(sgt, &reg->base.bound, &bo->sgt[i], tried)
			;
		dma_resv_lock(model_gem(bo)->resv, NULL);
		ret = drm_shmem_sgt_resume(&bo->sgt[i], &reg->base.bound);
		dma_resv_unlock(model_gem(bo)->resv);
	}
	KUNIT_ASSERT_EQ(test, tried, !model_is_bound(model, bo) ? -ESHUTDOWN :
				     bo->suspended[i] ? -EAGAIN : 0);
	KUNIT_ASSERT_EQ(test, ret, model_map_table(model, bo));
	bo->suspended[i] &= !!ret;
}

static void model_own_table(struct kunit *test, struct model *model, struct model_bo *bo)
{
	const int i = model_random(model, MODEL_HANDLES), other = !i;
	int ret = -ESHUTDOWN;

	if (!bo->held[i]) {
		if (!bo->ref || model_random(model, 4))
			return;
		drm_dev_ctx_guard(test_reg, reg, test_ctx(model_gem(bo)->dev))
			ret = drm_shmem_sgt_own(&bo->sgt[i], &reg->base.bound, bo->obj);
		KUNIT_ASSERT_EQ(test, ret, model_map_table(model, bo));
		bo->held[i] = !ret;
		return;
	}
	switch (model_random(model, 4)) {
	case 0:
		model_suspend(bo, i);
		return;
	case 1:
		model_resume(test, model, bo, i);
		return;
	case 2:
		if (bo->held[other])
			return;
		drm_shmem_sgt_move(&bo->sgt[other], &bo->sgt[i]);
		bo->held[other] = true;
		bo->suspended[other] = bo->suspended[i];
		break;
	default:
		drm_shmem_sgt_release(&bo->sgt[i]);
	}
	bo->held[i] = false;
	bo->suspended[i] = false;
	model_put_last(bo);
}

/* The expected result of an early unmap of the table, and its effect on the object. */
static int model_unmap_table(struct model_bo *bo)
{
	if (bo->table != MODEL_MAPPED)
		return 0;
	if (!bo->reclaim)
		return -EOPNOTSUPP;
	if (model_users(bo))
		return -EBUSY;
	bo->table = MODEL_NO_TABLE;
	return 0;
}

static void model_unmap(struct kunit *test, struct model *model, struct model_bo *bo)
{
	model->unmapped += bo->table == MODEL_MAPPED;
	KUNIT_ASSERT_EQ(test, drm_shmem_sgt_unmap(bo->obj), model_unmap_table(bo));
	model->unmapped -= bo->table == MODEL_MAPPED;
}

static void model_pin(struct kunit *test, struct model *model, struct model_bo *bo)
{
	if (bo->pins && model_random(model, 4)) {
		drm_shmem_unpin(bo->obj);
		bo->pins--;
		return;
	}
	if (model_random(model, 4))
		return;
	KUNIT_ASSERT_EQ(test, drm_shmem_pin(bo->obj), bo->purged ? -ENODATA : 0);
	bo->pins += !bo->purged;
	bo->populated = true;
}

static bool model_has_pages(const struct model_bo *bo)
{
	return bo->pins || model_count(bo->vmapped) || bo->table == MODEL_MAPPED;
}

static void model_madvise(struct kunit *test, struct model *model, struct model_bo *bo)
{
	const bool needed = !model_random(model, 3);

	KUNIT_ASSERT_EQ(test, drm_shmem_madvise(bo->obj, needed ? DRM_SHMEM_WILLNEED :
						DRM_SHMEM_DONTNEED,
						model_shrinker(model_gem(bo)->dev)), !bo->purged);
	bo->needed = needed;
	bo->listed = !needed && !bo->purged;
	bo->touched = needed && !bo->purged && bo->reclaim && model_has_pages(bo);
	bo->evicted = needed && !bo->purged && bo->reclaim && !model_has_pages(bo);
}

static void model_touch(struct model_bo *bo)
{
	shmem_test_touch(bo->obj, model_shrinker(model_gem(bo)->dev));
	if (!bo->needed || !bo->reclaim || bo->purged)
		return;
	bo->touched = model_has_pages(bo);
	bo->evicted = !bo->touched;
}

/* The expected result of an eviction, and its effect on the object. */
static int model_evict_one(struct model *model, struct model_bo *bo)
{
	const bool busy = bo->pins || model_count(bo->vmapped);
	int ret = 0;

	if (!bo->reclaim)
		return -EOPNOTSUPP;
	if (busy)
		return -EBUSY;
	if (bo->table == MODEL_MAPPED) {
		ret = model_unmap_table(bo);
		model->evicted += !ret;
	} else if (bo->purged) {
		ret = -ENODATA;
	}
	if (!ret) {
		bo->evicted |= bo->touched;
		bo->touched = false;
	}
	return ret;
}

static void model_evict(struct kunit *test, struct model *model, struct model_bo *bo)
{
	if (model_random(model, 2))
		model_touch(bo);
	else
		KUNIT_ASSERT_EQ(test, drm_shmem_evict(bo->obj), model_evict_one(model, bo));
}

/* The expected result of a purge, and its effect on the object. */
static int model_purge_one(struct model *model, struct model_bo *bo)
{
	int ret;

	if (bo->purged)
		return 0;
	if (bo->needed || bo->pins || model_count(bo->vmapped))
		return -EBUSY;
	ret = model_unmap_table(bo);
	if (ret)
		return ret;
	bo->purged = true;
	bo->listed = false;
	model->purged++;
	return 0;
}

static void model_purge(struct kunit *test, struct model *model, struct model_bo *bo)
{
	KUNIT_ASSERT_EQ(test, drm_shmem_purge(bo->obj), model_purge_one(model, bo));
}

static bool model_is_listed(const struct model *model, const struct model_bo *bo)
{
	const bool pinned = bo->pins || model_count(bo->vmapped);
	/* Without counted users, a table stays until the object ends. */
	const bool stays = bo->table == MODEL_MAPPED && !bo->reclaim;

	return bo->obj && !pinned && model_is_bound(model, bo) &&
	       ((bo->listed && bo->populated && !stays) || bo->touched);
}

/* An object without pages is not on the list for eviction. */
static void model_settle(struct model_bo *bo)
{
	if (!bo->obj || !bo->touched || model_has_pages(bo))
		return;
	bo->touched = false;
	bo->evicted = true;
}

/* Did the shrinker get pages of this one? */
static bool model_shrink(struct model *model, struct model_bo *bo)
{
	const unsigned int evicted = model->evicted;

	if (bo->listed)
		return !model_purge_one(model, bo) && bo->populated;
	return !model_evict_one(model, bo) && model->evicted > evicted;
}

static void model_scan(struct kunit *test, struct model *model)
{
	unsigned long pages = 0;

	for (int i = 0; i < MODEL_BOS; i++) {
		struct model_bo *bo = &model->bo[i];

		if (model_is_listed(model, bo) && model_shrink(model, bo))
			pages += model_gem(bo)->size / PAGE_SIZE;
	}
	KUNIT_ASSERT_EQ(test, shmem_test_scan(model_shrinker(model->drm), ULONG_MAX),
			pages ?: SHRINK_STOP);
}

static void model_step(struct kunit *test, struct model *model)
{
	struct model_bo *bo = &model->bo[model_random(model, MODEL_BOS)];
	const u32 op = model_random(model, 1000);

	if (op == 0)
		model_rebind(test, model);
	else if (op < 20)
		model_scan(test, model);
	else if (!bo->obj)
		model_create(test, model, bo);
	else if (op < 200)
		model_vmap(test, model, bo);
	else if (op < 380)
		model_own_table(test, model, bo);
	else if (!bo->ref)
		return;
	else if (op < 440)
		model_put(bo);
	else if (op < 510)
		model_borrow(test, bo);
	else if (op < 580)
		model_borrow_table(test, model, bo);
	else if (op < 650)
		model_unmap(test, model, bo);
	else if (op < 740)
		model_evict(test, model, bo);
	else if (op < 830)
		model_pin(test, model, bo);
	else if (op < 930)
		model_madvise(test, model, bo);
	else
		model_purge(test, model, bo);
}

static void model_check_bo(struct kunit *test, const struct model_bo *bo, unsigned int op)
{
	struct drm_shmem_obj *obj = bo->obj;
	const unsigned int vmapped = model_count(bo->vmapped), held = model_count(bo->held);

	KUNIT_ASSERT_EQ_MSG(test, kref_read(&model_gem(bo)->refcount), bo->ref + vmapped + held,
			    "references, op %u", op);
	KUNIT_ASSERT_EQ_MSG(test, refcount_read(&obj->__vmap_users), vmapped,
			    "users of the mapping, op %u", op);
	KUNIT_ASSERT_EQ_MSG(test, refcount_read(&obj->base.pages_pin_count),
			    bo->pins + !!vmapped + (bo->table == MODEL_MAPPED), "pins, op %u", op);
	KUNIT_ASSERT_EQ_MSG(test, obj->base.madv < 0, bo->purged, "purged, op %u", op);
	KUNIT_ASSERT_EQ_MSG(test, PTR_ERR_OR_ZERO(obj->__table.__sgt),
			    bo->table == MODEL_REVOKED ? -ENODEV : 0, "revoked, op %u", op);
	KUNIT_ASSERT_EQ_MSG(test, !!obj->__table.__sgt, bo->table != MODEL_NO_TABLE,
			    "table, op %u", op);
	KUNIT_ASSERT_EQ_MSG(test, refcount_read(&obj->__table.__users),
			    bo->table == MODEL_NO_TABLE ? 0 : 1 + model_users(bo),
			    "users of the table, op %u", op);
}

static void model_check(struct kunit *test, struct model *model, unsigned int op)
{
	struct shmem_test *t = test->priv;
	unsigned long listed = 0;
	int live = 0;

	for (int i = 0; i < MODEL_BOS; i++)
		model_settle(&model->bo[i]);
	for (int i = 0; i < MODEL_BOS; i++) {
		const struct model_bo *bo = &model->bo[i];

		if (!bo->obj)
			continue;
		model_check_bo(test, bo, op);
		live += !bo->reclaim;
		if (model_is_listed(model, bo))
			listed += model_gem(bo)->size / PAGE_SIZE;
	}
	KUNIT_ASSERT_EQ_MSG(test, t->live, live, "objects, op %u", op);
	KUNIT_ASSERT_EQ_MSG(test, t->revoked, model->revoked, "told of revocation, op %u", op);
	KUNIT_ASSERT_EQ_MSG(test, shmem_test_count(model_shrinker(model->drm)),
			    listed ?: SHRINK_EMPTY, "on the LRU, op %u", op);
}

/* Objects that are left go by handles or by references, whichever are there. */
static void model_end(struct kunit *test, struct model *model)
{
	for (int i = 0; i < MODEL_BOS; i++) {
		struct model_bo *bo = &model->bo[i];

		while (bo->obj) {
			if (bo->ref)
				model_put(bo);
			else if (model_count(bo->vmapped))
				model_vmap(test, model, bo);
			else
				model_own_table(test, model, bo);
		}
	}
	model_check(test, model, model_ops);
}

static bool model_can_swap(void)
{
	return true;
}

static void random_calls(struct kunit *test)
{
	struct model *model = kunit_kzalloc(test, sizeof(*model), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, model);
	prandom_seed_state(&model->rnd, model_seed);
	kunit_activate_static_stub(test, drm_shmem_can_swap, model_can_swap);
	model_bind(test, model);
	for (unsigned int op = 0; op < model_ops; op++) {
		model_step(test, model);
		model_check(test, model, op);
	}
	model_end(test, model);

	kunit_info(test, "%u calls: %u purged, %u evicted, %u tables unmapped early, %d revoked, %u unbinds",
		   model_ops, model->purged, model->evicted, model->unmapped, model->revoked,
		   model->unbound);
	KUNIT_EXPECT_GT(test, model->purged, model_ops / 400);
	KUNIT_EXPECT_GT(test, model->unmapped, model_ops / 400);
	KUNIT_EXPECT_GT(test, model->evicted, model_ops / 1000);
	KUNIT_EXPECT_GT(test, model->revoked, 0);
}

static struct kunit_case drm_shmem_model_cases[] = {
	KUNIT_CASE_ATTR(random_calls, {.speed = KUNIT_SPEED_VERY_SLOW}),
	{}
};

static struct kunit_suite drm_shmem_model_suite = {
	.name = "drm_shmem_model",
	.init = shmem_test_init,
	.test_cases = drm_shmem_model_cases,
};

kunit_test_suite(drm_shmem_model_suite);
