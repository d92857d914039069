// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * How many VAs an address space may have. Its mappings count, and so do the VAs that its updates
 * were given. Each case compares the library's count with one of its own, to the last VA.
 */

#include <linux/prandom.h>
#include <linux/slab.h>

#include <kunit/static_stub.h>
#include <kunit/test-bug.h>

#include "drm_gpuvm_imm_internal.h"
#include "drm_gpuvm_imm_test.h"
#include "drm_safe_test.h"

#define LIMIT_MAX	64
#define LIMIT_LAST	(LIMIT_MAX / 8)		/* for updates that unmap */
#define LIMIT_MAP	(LIMIT_MAX - LIMIT_LAST)
#define LIMIT_PAGES	(TEST_PAGES - 16)	/* the others are reserved */
#define LIMIT_UPDATES	(2 * LIMIT_MAX)
#define LIMIT_STEPS	20000

/* The arguments of a kind of update */
enum limit_kind { LIMIT_A_MAP, LIMIT_A_SPARSE, LIMIT_A_HOLE, LIMIT_AN_UNMAP, LIMIT_A_SPLIT };

static const unsigned int limit_wants[] = { 3, 3, 1, 2, 2 };

struct limit_test {
	struct test_vm vm;
	struct drm_gpuvm_imm *shared;
	struct test_bo *bo;
	struct drm_gpuvm_bo *vm_bo;
	struct drm_gpuvm_imm_update update[LIMIT_UPDATES];
	unsigned int lent[LIMIT_UPDATES];
	struct rnd_state rnd;
	unsigned int seen;
};

static int limit_prepare(struct limit_test *t, struct drm_gpuvm_imm_update *update,
			 enum limit_kind kind, u64 page, u64 pages)
{
	const u64 addr = TEST_START + page * TEST_PAGE, range = pages * TEST_PAGE;

	switch (kind) {
	case LIMIT_A_MAP:
		return drm_gpuvm_imm_prepare_map_bo(t->shared, update, t->vm_bo, addr, range,
						    page * TEST_PAGE);
	case LIMIT_A_SPARSE:
		return drm_gpuvm_imm_prepare_map_sparse(t->shared, update, addr, range);
	case LIMIT_A_HOLE:
		return drm_gpuvm_imm_prepare_map_hole(t->shared, update, t->vm_bo, addr, range,
						      page * TEST_PAGE);
	case LIMIT_AN_UNMAP:
		return drm_gpuvm_imm_prepare_unmap(t->shared, update, addr, range);
	case LIMIT_A_SPLIT:
		return drm_gpuvm_imm_prepare_split(t->shared, update, addr);
	}

	return -EINVAL;
}

static int limit_do(struct kunit *test, struct limit_test *t, enum limit_kind kind, u64 page,
		    u64 pages)
{
	DRM_GPUVM_IMM_UPDATE(update);
	int ret = limit_prepare(t, update, kind, page, pages);

	return ret ?: test_run(test, &t->vm, update);
}

/* How many VAs updates of a kind get that are all prepared at a time */
static unsigned int limit_left(struct kunit *test, struct limit_test *t, enum limit_kind kind)
{
	struct drm_gpuvm_imm_update *more = kunit_kcalloc(test, LIMIT_MAX + 1, sizeof(*more),
							  GFP_KERNEL);
	unsigned int n = 0;
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, more);
	do {
		ret = limit_prepare(t, &more[n], kind, 3, 1);
		n += !ret;
	} while (!ret && n <= LIMIT_MAX);
	KUNIT_EXPECT_EQ(test, ret, -ENOSPC);
	for (unsigned int i = 0; i < n; i++)
		drm_gpuvm_imm_update_drop(&more[i]);
	kunit_kfree(test, more);

	return n * limit_wants[kind];
}

static unsigned int limit_mapped(struct limit_test *t)
{
	unsigned int n = 0;

	drm_gpuvm_imm_for_each(va, t->vm.core, TEST_START, TEST_PAGES * TEST_PAGE)
		n++;

	return n;
}

/* The remaining room equals the unmapped VAs, whatever was done before. */
static void limit_check(struct kunit *test, struct limit_test *t)
{
	unsigned int n = limit_mapped(t);

	KUNIT_EXPECT_EQ(test, limit_left(test, t, LIMIT_A_HOLE), n < LIMIT_MAP ? LIMIT_MAP - n : 0);
	KUNIT_EXPECT_EQ(test, limit_left(test, t, LIMIT_AN_UNMAP), round_down(LIMIT_MAX - n, 2));
	/* All of it may be given out again. */
	KUNIT_EXPECT_EQ(test, limit_left(test, t, LIMIT_A_SPARSE),
			n < LIMIT_MAP ? rounddown(LIMIT_MAP - n, 3) : 0);
}

static void limit_end(void *res)
{
	struct limit_test *t = res;

	drm_gpuvm_imm_bo_put(t->vm_bo);
	test_vm_fini(&t->vm);
	kvfree(t);
}

static struct limit_test *limit_new(struct kunit *test)
{
	static const struct drm_gpuvm_imm_config config = {
		.name = "limit",
		.start = TEST_START,
		.range = TEST_PAGES * TEST_PAGE,
		.reserve_start = TEST_START + LIMIT_PAGES * TEST_PAGE,
		.reserve_range = (TEST_PAGES - LIMIT_PAGES) * TEST_PAGE,
		.max_vas = LIMIT_MAX,
	};
	struct test_bo *bo = test_bo_new(test, LIMIT_PAGES, NULL);
	struct limit_test *t = kvzalloc_obj(*t);
	struct test_env *env = test->priv;

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->bo = bo;
	KUNIT_ASSERT_EQ(test, test_vm_init(&t->vm, env->drm, &config), 0);
	t->shared = test_vm_shared(&t->vm);
	t->vm_bo = drm_gpuvm_imm_obtain(&test_vm_type, t->shared, t->bo, NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(t->vm_bo));
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, limit_end, t), 0);
	env->more = t;

	return t;
}

/* The limits of the limit, and the one of a driver that names none */
static void limits(struct kunit *test)
{
	const u32 max_vas[] = { 0, 1, DRM_GPUVM_IMM_VAS_LEAST - 1, DRM_GPUVM_IMM_VAS_LEAST,
				DRM_GPUVM_IMM_VAS_MOST, DRM_GPUVM_IMM_VAS_MOST + 1, U32_MAX };
	const u32 are[] = { DRM_GPUVM_IMM_VAS_DEFAULT, 0, 0, DRM_GPUVM_IMM_VAS_LEAST,
			    DRM_GPUVM_IMM_VAS_MOST, 0, 0 };
	struct test_vm *vm = kunit_kzalloc(test, sizeof(*vm), GFP_KERNEL);
	struct test_env *env = test->priv;

	KUNIT_ASSERT_NOT_NULL(test, vm);
	for (int i = 0; i < ARRAY_SIZE(are); i++) {
		const struct drm_gpuvm_imm_config config = {
			.range = SZ_1M, .max_vas = max_vas[i],
		};

		KUNIT_ASSERT_EQ_MSG(test, test_vm_init(vm, env->drm, &config),
				    are[i] ? 0 : -EINVAL, "max_vas %u", max_vas[i]);
		if (are[i])
			KUNIT_EXPECT_EQ(test, test_vm_shared(vm)->max_vas, are[i]);
		test_vm_fini(vm);
	}
}

/* Updates of each kind: as many as there may be, and not one more */
static void in_flight(struct kunit *test)
{
	struct limit_test *t = limit_new(test);

	KUNIT_EXPECT_EQ(test, limit_left(test, t, LIMIT_A_HOLE), LIMIT_MAP);
	KUNIT_EXPECT_EQ(test, limit_left(test, t, LIMIT_A_MAP), LIMIT_MAP - LIMIT_MAP % 3);
	KUNIT_EXPECT_EQ(test, limit_left(test, t, LIMIT_A_SPARSE), LIMIT_MAP - LIMIT_MAP % 3);
	KUNIT_EXPECT_EQ(test, limit_left(test, t, LIMIT_A_SPLIT), LIMIT_MAP);
	KUNIT_EXPECT_EQ(test, limit_left(test, t, LIMIT_AN_UNMAP), LIMIT_MAX);
	/* Spare VAs that the unmaps were given are no more than the others may have. */
	KUNIT_EXPECT_EQ(test, limit_left(test, t, LIMIT_A_HOLE), LIMIT_MAP);
	limit_check(test, t);
}

/* Exactly at the limit by mapping and by splitting, and one above it */
static void at_limit(struct kunit *test)
{
	struct limit_test *t = limit_new(test);
	unsigned int n = 0;
	int ret;

	do {
		ret = limit_do(test, t, LIMIT_A_MAP, 4 * n, 3);
		n += !ret;
	} while (!ret && n < LIMIT_MAX);
	KUNIT_EXPECT_EQ(test, ret, -ENOSPC);
	KUNIT_EXPECT_EQ(test, n, LIMIT_MAP - 2);
	limit_check(test, t);
	KUNIT_EXPECT_EQ(test, limit_do(test, t, LIMIT_A_SPARSE, 1, 1), -ENOSPC);
	KUNIT_EXPECT_EQ(test, limit_do(test, t, LIMIT_A_SPLIT, 1, 0), 0);
	KUNIT_EXPECT_EQ(test, limit_mapped(t), LIMIT_MAP - 1);
	KUNIT_EXPECT_EQ(test, limit_do(test, t, LIMIT_A_SPLIT, 5, 0), -ENOSPC);
	KUNIT_EXPECT_EQ(test, limit_do(test, t, LIMIT_A_HOLE, 3, 1), 0);
	KUNIT_EXPECT_EQ(test, limit_mapped(t), LIMIT_MAP);
	KUNIT_EXPECT_EQ(test, limit_do(test, t, LIMIT_A_HOLE, 7, 1), -ENOSPC);
	limit_check(test, t);

	/* A mapping inside of another makes two more of it. */
	KUNIT_EXPECT_EQ(test, limit_do(test, t, LIMIT_AN_UNMAP, 0, 12), 0);
	KUNIT_EXPECT_EQ(test, limit_mapped(t), LIMIT_MAP - 5);
	KUNIT_EXPECT_EQ(test, limit_do(test, t, LIMIT_A_SPARSE, 13, 1), 0);
	KUNIT_EXPECT_EQ(test, limit_mapped(t), LIMIT_MAP - 3);
	KUNIT_EXPECT_EQ(test, limit_do(test, t, LIMIT_A_SPARSE, 17, 1), 0);
	KUNIT_EXPECT_EQ(test, limit_mapped(t), LIMIT_MAP - 1);
	KUNIT_EXPECT_EQ(test, limit_do(test, t, LIMIT_A_SPARSE, 21, 1), -ENOSPC);
	limit_check(test, t);
}

/* Unmaps have the last eighth, even where they split. All, or all of an object, always goes. */
static void unmaps(struct kunit *test)
{
	DRM_GPUVM_IMM_UPDATE(unmap_obj);
	DRM_GPUVM_IMM_UPDATE(unmap_all);
	struct limit_test *t = limit_new(test);
	unsigned int n = 0;
	int ret;

	for (n = 0; n < LIMIT_MAP; n++)
		KUNIT_ASSERT_EQ(test, limit_do(test, t, LIMIT_A_HOLE, 4 * n, 3), 0);
	KUNIT_EXPECT_EQ(test, limit_left(test, t, LIMIT_AN_UNMAP), LIMIT_LAST);
	for (n = 0, ret = 0; !ret && n < LIMIT_MAX; n += !ret)
		ret = limit_do(test, t, LIMIT_AN_UNMAP, 4 * n + 1, 1);
	KUNIT_EXPECT_EQ(test, ret, -ENOSPC);
	KUNIT_EXPECT_EQ(test, n, LIMIT_LAST - 1);
	KUNIT_EXPECT_EQ(test, limit_mapped(t), LIMIT_MAX - 1);
	limit_check(test, t);
	KUNIT_EXPECT_EQ(test, limit_do(test, t, LIMIT_AN_UNMAP, 0, LIMIT_PAGES - 1), -ENOSPC);
	KUNIT_EXPECT_EQ(test, limit_do(test, t, LIMIT_AN_UNMAP, 1, LIMIT_PAGES - 1), -ENOSPC);
	KUNIT_EXPECT_EQ(test, limit_do(test, t, LIMIT_A_HOLE, LIMIT_PAGES - 1, 1), -ENOSPC);

	/* Two at a time. Neither of them got a VA. */
	KUNIT_EXPECT_EQ(test, test_vm_prepare_unmap_obj(t->shared, unmap_obj, t->bo), 0);
	KUNIT_EXPECT_EQ(test, limit_prepare(t, unmap_all, LIMIT_AN_UNMAP, 0, LIMIT_PAGES), 0);
	KUNIT_EXPECT_EQ(test, test_run(test, &t->vm, unmap_all), 0);
	KUNIT_EXPECT_EQ(test, limit_mapped(t), 0);
	KUNIT_EXPECT_EQ(test, test_run(test, &t->vm, unmap_obj), 0);
	limit_check(test, t);
}

/* Without a reserved range, and with one at the start or in the middle */
static void edges(struct kunit *test)
{
	static const struct {
		u64 reserve, pages;
		u64 page[2];
		int ret[2];
	} shapes[] = {
		{ 0, 0, { 0, 256 }, { 0, -ENOSPC } },
		{ 0, 16, { 16, 240 }, { 0, -ENOSPC } },
		{ 100, 10, { 0, 100 }, { 0, -ENOSPC } },
		{ 100, 10, { 110, 146 }, { 0, -ENOSPC } },
	};
	struct test_env *env = test->priv;

	for (int i = 0; i < ARRAY_SIZE(shapes); i++) {
		DRM_GPUVM_IMM_UPDATE(update);
		const struct drm_gpuvm_imm_config config = {
			.start = TEST_START, .range = TEST_PAGES * TEST_PAGE,
			.reserve_start = TEST_START + shapes[i].reserve * TEST_PAGE,
			.reserve_range = shapes[i].pages * TEST_PAGE,
			.max_vas = DRM_GPUVM_IMM_VAS_LEAST,
		};
		const u64 addr = TEST_START + shapes[i].page[0] * TEST_PAGE;
		const u64 range = shapes[i].page[1] * TEST_PAGE;
		struct drm_gpuvm_imm_update updates[DRM_GPUVM_IMM_VAS_LEAST / 2] = {};
		struct test_vm *vm = kunit_kzalloc(test, sizeof(*vm), GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, vm);
		KUNIT_ASSERT_EQ(test, test_vm_init(vm, env->drm, &config), 0);
		for (int k = 0; k < ARRAY_SIZE(updates); k++)
			KUNIT_EXPECT_EQ(test, drm_gpuvm_imm_prepare_unmap(test_vm_shared(vm),
									  &updates[k],
									  addr, range), 0);
		KUNIT_EXPECT_EQ(test, drm_gpuvm_imm_prepare_unmap(test_vm_shared(vm), update,
								  addr, range), 0);
		KUNIT_EXPECT_EQ(test, test_run(test, vm, update), 0);
		KUNIT_EXPECT_EQ(test, -ENOSPC,
				drm_gpuvm_imm_prepare_unmap(test_vm_shared(vm), update,
							    addr, range - TEST_PAGE));
		KUNIT_EXPECT_EQ(test, -ENOSPC,
				drm_gpuvm_imm_prepare_unmap(test_vm_shared(vm), update,
							    addr + TEST_PAGE, range - TEST_PAGE));
		for (int k = 0; k < ARRAY_SIZE(updates); k++)
			drm_gpuvm_imm_update_drop(&updates[k]);
		test_vm_fini(vm);
		kunit_kfree(test, vm);
	}
}

/* An update that was dropped, changed nothing, was undone, or broke the VM, returns its VAs. */
static void given_back(struct kunit *test)
{
	struct limit_test *t = limit_new(test);

	KUNIT_ASSERT_EQ(test, limit_do(test, t, LIMIT_A_MAP, 0, 200), 0);
	for (unsigned int i = 0; i < 3 * LIMIT_MAX; i++) {
		DRM_GPUVM_IMM_UPDATE(update);

		KUNIT_ASSERT_EQ(test, limit_prepare(t, update, i % 5, 10, 5), 0);
		drm_gpuvm_imm_update_drop(update);
		KUNIT_ASSERT_EQ(test, limit_prepare(t, update, i % 5, 10, 5), 0);
		/* The remap step, the map step after it, or there is something in the hole. */
		t->vm.fail_in = i % 5 > LIMIT_A_SPARSE ? 1 : 1 + i % 2;
		KUNIT_EXPECT_NE(test, test_run(test, &t->vm, update), 0);
		t->vm.fail_in = 0;
	}
	KUNIT_EXPECT_EQ(test, limit_mapped(t), 1);
	limit_check(test, t);

	/* The same pages again, which are kept, and a range with nothing in it */
	for (unsigned int i = 0; i < 3 * LIMIT_MAX; i++) {
		KUNIT_ASSERT_EQ(test, limit_do(test, t, LIMIT_A_MAP, 0, 200), 0);
		KUNIT_ASSERT_EQ(test, limit_do(test, t, LIMIT_AN_UNMAP, 210, 5), 0);
		KUNIT_ASSERT_EQ(test, limit_do(test, t, LIMIT_A_SPLIT, 0, 0), 0);
	}
	KUNIT_EXPECT_GT(test, t->vm.keeps, LIMIT_MAX);
	KUNIT_EXPECT_EQ(test, limit_mapped(t), 1);
	limit_check(test, t);
}

/* An address space that is broken keeps its count, as does one whose core is given up. */
static void broken_and_ended(struct kunit *test)
{
	DRM_GPUVM_IMM_UPDATE(update);
	struct limit_test *t = limit_new(test);
	struct drm_gpuvm_imm *shared = drm_gpuvm_imm_get(t->vm.core);

	for (unsigned int i = 0; i < 20; i++)
		KUNIT_ASSERT_EQ(test, limit_do(test, t, LIMIT_A_MAP, 4 * i, 3), 0);
	KUNIT_ASSERT_EQ(test, limit_prepare(t, update, LIMIT_A_HOLE, 3, 1), 0);
	t->vm.fail_in = 3;
	t->vm.fail_again_in = 1;
	KUNIT_EXPECT_NE(test, limit_do(test, t, LIMIT_AN_UNMAP, 1, 60), 0);
	KUNIT_EXPECT_TRUE(test, drm_gpuvm_imm_is_broken(shared));
	/* The memory of the core stays, and with it the object's handle. */
	test_vm_fini(&t->vm);
	scoped_guard(spinlock, &shared->pool_lock)
		KUNIT_EXPECT_EQ(test, shared->vas_left + shared->pool_count, LIMIT_MAP - 1);
	drm_gpuvm_imm_update_drop(update);
	scoped_guard(spinlock, &shared->pool_lock)
		KUNIT_EXPECT_EQ(test, shared->vas_left + shared->pool_count, LIMIT_MAP);
	drm_gpuvm_imm_put(shared);
}

static void ended(struct kunit *test)
{
	struct limit_test *t = limit_new(test);

	for (unsigned int i = 0; i < LIMIT_MAP; i++)
		KUNIT_ASSERT_EQ(test, limit_do(test, t, LIMIT_A_HOLE, 2 * i, 1), 0);
	KUNIT_EXPECT_EQ(test, limit_left(test, t, LIMIT_A_HOLE), 0);
	/* The vm_bo holds the address space, for which updates can be prepared still. */
	test_vm_fini(&t->vm);
	KUNIT_EXPECT_EQ(test, limit_left(test, t, LIMIT_A_HOLE), LIMIT_MAP);
	KUNIT_EXPECT_EQ(test, limit_left(test, t, LIMIT_AN_UNMAP), LIMIT_MAX);
	KUNIT_EXPECT_EQ(test, limit_left(test, t, LIMIT_A_HOLE), LIMIT_MAP);
}

/* More mappings are removed than the pool has room for, so that some are freed at once. */
static void no_room(struct kunit *test)
{
	struct limit_test *t = limit_new(test);

	for (unsigned int round = 0; round < 3; round++) {
		for (unsigned int i = 0; i < LIMIT_MAP; i++)
			KUNIT_ASSERT_EQ(test, limit_do(test, t, LIMIT_A_HOLE, i, 1), 0);
		scoped_guard(spinlock, &t->shared->pool_lock)
			KUNIT_EXPECT_LT(test, t->shared->pool_size, LIMIT_MAP);
		KUNIT_ASSERT_EQ(test, limit_do(test, t, LIMIT_AN_UNMAP, 0, LIMIT_PAGES), 0);
	}
	limit_check(test, t);
}

/* The drain frees spare VAs, and a smaller array leaves some out. */
static void spares_freed(struct kunit *test)
{
	struct limit_test *t = limit_new(test);

	limit_check(test, t);
	drm_gpuvm_imm_pool_free(t->shared, 5);
	scoped_guard(spinlock, &t->shared->pool_lock)
		KUNIT_EXPECT_EQ(test, t->shared->pool_count, 5);
	limit_check(test, t);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_imm_pool_resize(t->shared, LIMIT_MAX), 0);
	limit_check(test, t);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_imm_pool_resize(t->shared, 2 * LIMIT_MAX), 0);
	limit_check(test, t);
}

/* As another task, while the spare VAs are in neither array */
static unsigned int limit_put_some(struct drm_gpuvm_imm *vm, struct drm_gpuva **vas,
				   unsigned int n)
{
	struct kunit *test = kunit_get_current_test();
	struct limit_test *t = ((struct test_env *)test->priv)->more;

	kunit_deactivate_static_stub(test, drm_gpuvm_imm_pool_put_some);
	for (t->seen = 0; t->seen < LIMIT_UPDATES; t->seen++)
		if (limit_prepare(t, &t->update[t->seen], LIMIT_A_HOLE, 3, 1))
			break;

	return drm_gpuvm_imm_pool_put_some(vm, vas, n);
}

static void spares_moved(struct kunit *test)
{
	DRM_GPUVM_IMM_UPDATE(more);
	struct limit_test *t = limit_new(test);

	KUNIT_EXPECT_EQ(test, limit_left(test, t, LIMIT_A_HOLE), LIMIT_MAP);
	kunit_activate_static_stub(test, drm_gpuvm_imm_pool_put_some, limit_put_some);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_imm_pool_resize(t->shared, 4 * LIMIT_MAX), 0);
	/* Other updates get all VAs up to the limit, and none of the VAs that come back then. */
	KUNIT_EXPECT_EQ(test, t->seen, LIMIT_MAP);
	scoped_guard(spinlock, &t->shared->pool_lock)
		KUNIT_EXPECT_EQ(test, t->shared->pool_count, LIMIT_MAP);
	KUNIT_EXPECT_EQ(test, limit_prepare(t, more, LIMIT_A_HOLE, 3, 1), -ENOSPC);
	KUNIT_EXPECT_EQ(test, limit_left(test, t, LIMIT_AN_UNMAP), LIMIT_LAST);
	drm_gpuvm_imm_update_drop(&t->update[0]);
	KUNIT_EXPECT_EQ(test, limit_prepare(t, more, LIMIT_A_HOLE, 3, 1), 0);
	for (unsigned int i = 1; i < t->seen; i++)
		drm_gpuvm_imm_update_drop(&t->update[i]);
	drm_gpuvm_imm_update_drop(more);
	limit_check(test, t);
	drm_gpuvm_imm_pool_free(t->shared, 0);
	limit_check(test, t);
}

static int limit_fail_fn(struct kunit *test, void *ctx)
{
	DRM_GPUVM_IMM_UPDATE(a);
	DRM_GPUVM_IMM_UPDATE(b);
	struct limit_test *t = ctx;

	drm_gpuvm_imm_pool_free(t->shared, 0);

	return limit_prepare(t, a, LIMIT_A_MAP, 0, 1) ?: limit_prepare(t, b, LIMIT_A_MAP, 0, 1);
}

/* VAs that could not be allocated do not count. */
static void no_memory(struct kunit *test)
{
	struct limit_test *t = limit_new(test);

	for (unsigned int i = 0; i < LIMIT_MAX; i++)
		KUNIT_EXPECT_GE(test, drm_safe_fail_nth(test, limit_fail_fn, t), 6);
	limit_check(test, t);
}

/* Data that a removed mapping holds is put later. The mapping counts until then. */
struct limit_va {
	u32 nothing;
};

struct limit_vm {
	DRM_GPUVM_IMM_CORE(core);
};

DRM_GPUVM_IMM_TYPE(limit_vm_type, struct limit_vm, core, struct limit_va, struct test_bo, base);

static struct drm_gpuvm_imm_mapped *
limit_vm_map(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_map_step *step)
	__drm_nonallocating
{
	return drm_gpuvm_imm_map_done(step);
}

static struct drm_gpuvm_imm_unmapped *
limit_vm_unmap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_unmap_step *step)
	__drm_nonallocating
{
	return drm_gpuvm_imm_unmap_done(step);
}

static struct drm_gpuvm_imm_remapped *
limit_vm_remap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_remap_step *step)
	__drm_nonallocating
{
	return drm_gpuvm_imm_remap_done(step);
}

static void limit_va_get(const struct drm_gpuva *va)
	__drm_nonallocating
{
}

static struct drm_gpuvm_imm *limit_counted;
static unsigned int limit_put, limit_got_in_put;

static void limit_va_put(const struct drm_gpuva *va)
{
	struct drm_gpuvm_imm_update updates[4] = {};
	unsigned int n = 0;

	if (limit_put++)
		return;
	while (n < ARRAY_SIZE(updates) &&
	       !drm_gpuvm_imm_prepare_unmap(limit_counted, &updates[n], TEST_START, TEST_PAGE))
		n++;
	limit_got_in_put = n;
	while (n--)
		drm_gpuvm_imm_update_drop(&updates[n]);
}

const struct limit_vm_type limit_vm_type = {
	.base.granule = TEST_PAGE,
	.base.obj_funcs = &test_bo_funcs,
	.base.map = limit_vm_map,
	.base.unmap = limit_vm_unmap,
	.base.remap = limit_vm_remap,
	.base.va_get = limit_va_get,
	.base.va_put = limit_va_put,
};

static int limit_sparse(struct limit_vm *vm, unsigned int page)
{
	DRM_GPUVM_IMM_UPDATE(update);
	int ret = drm_gpuvm_imm_prepare_map_sparse(drm_gpuvm_imm_shared(vm->core), update,
						   TEST_START + page * TEST_PAGE, TEST_PAGE);

	return ret ?: drm_gpuvm_imm_run(&limit_vm_type, vm, update, NULL);
}

static void counted_data(struct kunit *test)
{
	const struct drm_gpuvm_imm_config config = {
		.start = TEST_START, .range = TEST_PAGES * TEST_PAGE,
		.max_vas = DRM_GPUVM_IMM_VAS_LEAST,
	};
	struct test_env *env = test->priv;
	struct limit_vm vm = {};
	unsigned int n;

	KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_init(&limit_vm_type, &vm, env->drm, &config), 0);
	limit_counted = drm_gpuvm_imm_shared(vm.core);
	for (unsigned int round = 0; round < 3; round++) {
		DRM_GPUVM_IMM_UPDATE(unmap);

		for (n = 0; !limit_sparse(&vm, n); n++)
			;
		/* 14 are for maps, and the last one took three. */
		KUNIT_EXPECT_EQ(test, n, 12);
		limit_put = 0;
		limit_got_in_put = 0;
		KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_prepare_unmap(limit_counted, unmap, TEST_START,
								  n * TEST_PAGE), 0);
		KUNIT_EXPECT_EQ(test, drm_gpuvm_imm_run(&limit_vm_type, &vm, unmap, NULL), 0);
		drm_gpuvm_imm_flush();
		KUNIT_EXPECT_EQ(test, limit_put, n);
		/* 12 of 16 are dead. */
		KUNIT_EXPECT_EQ(test, limit_got_in_put, 2);
	}
	drm_gpuvm_imm_fini(vm.core);
}

static u32 limit_random(struct limit_test *t, u32 below)
{
	return prandom_u32_state(&t->rnd) % below;
}

static unsigned int limit_in_use(struct limit_test *t)
{
	unsigned int n = limit_mapped(t);

	for (unsigned int i = 0; i < LIMIT_UPDATES; i++)
		n += t->lent[i];

	return n;
}

static void limit_random_prepare(struct kunit *test, struct limit_test *t, unsigned int i)
{
	enum limit_kind kind = limit_random(t, ARRAY_SIZE(limit_wants));
	unsigned int limit = kind == LIMIT_AN_UNMAP ? LIMIT_MAX : LIMIT_MAP;
	unsigned int page = limit_random(t, LIMIT_PAGES - 16), pages = 1 + limit_random(t, 16);
	unsigned int used = limit_in_use(t);
	bool fits = used + limit_wants[kind] <= limit;

	if (!limit_random(t, 64) && kind == LIMIT_AN_UNMAP) {
		page = 0;
		pages = LIMIT_PAGES;
	}
	KUNIT_EXPECT_EQ(test, limit_prepare(t, &t->update[i], kind, page, pages),
			fits || pages == LIMIT_PAGES ? 0 : -ENOSPC);
	t->seen += !fits;
	if (fits)
		t->lent[i] = limit_wants[kind];
}

/* One of many updates is prepared, run or dropped, or a step of it fails. */
static void limit_random_step(struct kunit *test, struct limit_test *t)
{
	unsigned int i = limit_random(t, LIMIT_UPDATES);

	if (!t->update[i].__vm) {
		limit_random_prepare(test, t, i);
		return;
	}
	t->lent[i] = 0;
	if (!limit_random(t, 4)) {
		drm_gpuvm_imm_update_drop(&t->update[i]);
		return;
	}
	t->vm.fail_in = limit_random(t, 4) ? 0 : 1 + limit_random(t, 6);
	/* Steps fail, and holes are full. */
	if (test_run(test, &t->vm, &t->update[i]))
		cond_resched();
	t->vm.fail_in = 0;
}

static void random_updates(struct kunit *test)
{
	struct limit_test *t = limit_new(test);

	prandom_seed_state(&t->rnd, 0x766173);
	for (unsigned int i = 0; i < LIMIT_STEPS; i++) {
		limit_random_step(test, t);
		KUNIT_ASSERT_LE(test, limit_in_use(t), LIMIT_MAX);
		if (!limit_random(t, 512))
			drm_gpuvm_imm_pool_free(t->shared, limit_random(t, 32));
	}
	KUNIT_EXPECT_GT(test, t->seen, LIMIT_STEPS / 20);
	for (unsigned int i = 0; i < LIMIT_UPDATES; i++)
		drm_gpuvm_imm_update_drop(&t->update[i]);
	limit_check(test, t);
}

static struct kunit_case drm_gpuvm_imm_limit_cases[] = {
	KUNIT_CASE(limits),
	KUNIT_CASE(in_flight),
	KUNIT_CASE(at_limit),
	KUNIT_CASE(unmaps),
	KUNIT_CASE(edges),
	KUNIT_CASE(given_back),
	KUNIT_CASE(broken_and_ended),
	KUNIT_CASE(ended),
	KUNIT_CASE(no_room),
	KUNIT_CASE(spares_freed),
	KUNIT_CASE(spares_moved),
	KUNIT_CASE(no_memory),
	KUNIT_CASE(counted_data),
	KUNIT_CASE(random_updates),
	{}
};

static struct kunit_suite drm_gpuvm_imm_limit_suite = {
	.name = "drm_gpuvm_imm_limit",
	.init = test_env_init,
	.test_cases = drm_gpuvm_imm_limit_cases,
};

kunit_test_suite(drm_gpuvm_imm_limit_suite);
