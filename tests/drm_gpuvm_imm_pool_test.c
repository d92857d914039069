// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The lock of the spare VAs: no task holds it for many VAs at a time, and other tasks may
 * change the pool between two holds. In these tests, they do so when a hold ends.
 */

#include <linux/slab.h>

#include <kunit/static_stub.h>
#include <kunit/test-bug.h>

#include "drm_gpuvm_imm_internal.h"
#include "drm_gpuvm_imm_test.h"

#define POOL_PAGES	1000
#define POOL_SIZE	4096
#define POOL_FILLED	200
#define POOL_UPDATES	400

/* An address space without a page table */
struct pool_vm {
	DRM_GPUVM_IMM_CORE(core);
};

struct pool_va {
	u32 nothing;
};

DRM_GPUVM_IMM_TYPE(pool_vm_type, struct pool_vm, core, struct pool_va, struct test_bo, base);

static struct drm_gpuvm_imm_mapped *
pool_vm_map(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_map_step *step)
	__drm_nonallocating
{
	return drm_gpuvm_imm_map_done(step);
}

static struct drm_gpuvm_imm_unmapped *
pool_vm_unmap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_unmap_step *step)
	__drm_nonallocating
{
	return drm_gpuvm_imm_unmap_done(step);
}

static struct drm_gpuvm_imm_remapped *
pool_vm_remap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_remap_step *step)
	__drm_nonallocating
{
	return drm_gpuvm_imm_remap_done(step);
}

const struct pool_vm_type pool_vm_type = {
	.base.granule = TEST_PAGE,
	.base.obj_funcs = &test_bo_funcs,
	.base.map = pool_vm_map,
	.base.unmap = pool_vm_unmap,
	.base.remap = pool_vm_remap,
};

/* The event between two holds of the lock */
struct pool_test {
	struct pool_vm vm;
	struct drm_gpuvm_imm *shared;
	struct drm_gpuvm_imm_update *updates;	/* POOL_UPDATES of them */
	unsigned int filled;			/* of these, the first ones */
	unsigned int count;			/* VAs in the pool at the start of a hold */
	unsigned int holds;
	unsigned int moved;
	unsigned int size;			/* to make the pool of, or 0 */
	unsigned int prepares;
	bool once;				/* but not after the first hold */
	unsigned int drops;
};

static unsigned int pool_count(struct pool_test *t)
{
	guard(spinlock)(&t->shared->pool_lock);
	return t->shared->pool_count;
}

/* There is room for all that is in the pool or may come back. */
static void pool_check_room(struct kunit *test, struct pool_test *t)
{
	guard(spinlock)(&t->shared->pool_lock);
	KUNIT_EXPECT_LE(test, t->shared->pool_count + t->shared->pool_lent,
			t->shared->pool_size);
}

static void pool_prepare(struct kunit *test, struct pool_test *t, unsigned int n)
{
	for (; n; n--)
		KUNIT_EXPECT_EQ(test, 0,
				drm_gpuvm_imm_prepare_map_sparse(t->shared,
								 &t->updates[t->filled++],
								 TEST_START, TEST_PAGE));
}

static void pool_drop(struct pool_test *t, unsigned int n)
{
	for (; n; n--)
		drm_gpuvm_imm_update_drop(&t->updates[--t->filled]);
}

/* As other tasks, which had waited for the lock */
static void pool_between_holds(struct kunit *test, struct pool_test *t)
{
	pool_drop(t, t->drops);
	pool_prepare(test, t, t->prepares);
	if (t->once)
		t->prepares = 0;
	if (t->size)
		KUNIT_EXPECT_EQ(test, drm_gpuvm_imm_pool_resize(t->shared, t->size), 0);
}

static void pool_pause(struct drm_gpuvm_imm *vm)
	__must_hold(&vm->pool_lock)
{
	struct kunit *test = kunit_get_current_test();
	struct pool_test *t = ((struct test_env *)test->priv)->more;

	/* The first hold has the update's own VAs, too. */
	KUNIT_EXPECT_LE(test, vm->pool_count - t->count,
			DRM_GPUVM_IMM_POOL_BATCH + DRM_GPUVM_IMM_UPDATE_VAS);
	t->holds++;
	spin_unlock(&vm->pool_lock);
	pool_between_holds(test, t);
	spin_lock(&vm->pool_lock);
	t->count = vm->pool_count;
}

static unsigned int pool_put_some(struct drm_gpuvm_imm *vm, struct drm_gpuva **vas,
				  unsigned int n)
{
	struct kunit *test = kunit_get_current_test();
	struct pool_test *t = ((struct test_env *)test->priv)->more;

	kunit_deactivate_static_stub(test, drm_gpuvm_imm_pool_put_some);
	n = drm_gpuvm_imm_pool_put_some(vm, vas, n);
	KUNIT_EXPECT_LE(test, n, DRM_GPUVM_IMM_POOL_BATCH);
	t->holds++;
	t->moved += n;
	pool_between_holds(test, t);
	kunit_activate_static_stub(test, drm_gpuvm_imm_pool_put_some, pool_put_some);
	return n;
}

static void pool_run(struct kunit *test, struct pool_test *t, struct drm_gpuvm_imm_update *update)
{
	KUNIT_EXPECT_EQ(test, drm_gpuvm_imm_run(&pool_vm_type, &t->vm, update, NULL), 0);
}

static void pool_unmap(struct kunit *test, struct pool_test *t)
{
	DRM_GPUVM_IMM_UPDATE(update);

	KUNIT_ASSERT_EQ(test, 0, drm_gpuvm_imm_prepare_unmap(t->shared, update, TEST_START,
							     POOL_PAGES * TEST_PAGE));
	t->count = pool_count(t);
	pool_run(test, t, update);
}

/*
 * An address space with many mappings, room for them as spare VAs, and so many updates
 * that nothing is freed for being spare.
 */
static struct pool_test *pool_test_new(struct kunit *test)
{
	const struct drm_gpuvm_imm_config config = {
		.start = TEST_START, .range = POOL_PAGES * TEST_PAGE,
	};
	struct pool_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	struct test_env *env = test->priv;
	struct drm_gpuvm_imm_update update = {};

	KUNIT_ASSERT_NOT_NULL(test, t);
	env->more = t;
	t->updates = kunit_kcalloc(test, POOL_UPDATES, sizeof(*t->updates), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->updates);
	KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_init(&pool_vm_type, &t->vm, env->drm, &config), 0);
	t->shared = drm_gpuvm_imm_shared(t->vm.core);
	pool_prepare(test, t, POOL_FILLED);
	for (u64 i = 0; i < POOL_PAGES; i++) {
		KUNIT_EXPECT_EQ(test, 0,
				drm_gpuvm_imm_prepare_map_sparse(t->shared, &update,
								 TEST_START + i * TEST_PAGE,
								 TEST_PAGE));
		pool_run(test, t, &update);
	}
	KUNIT_EXPECT_EQ(test, drm_gpuvm_imm_pool_resize(t->shared, POOL_SIZE), 0);

	return t;
}

static void pool_test_end(struct kunit *test, struct pool_test *t)
{
	t->drops = 0;
	t->prepares = 0;
	t->size = 0;
	pool_drop(t, t->filled);
	pool_check_room(test, t);
	drm_gpuvm_imm_fini(t->vm.core);
}

/* An update that removes many mappings, while others are dropped */
static void many_removed(struct kunit *test)
{
	struct pool_test *t = pool_test_new(test);
	unsigned int spare = pool_count(t);

	t->drops = 2;
	kunit_activate_static_stub(test, drm_gpuvm_imm_pool_pause, pool_pause);
	pool_unmap(test, t);
	KUNIT_EXPECT_EQ(test, t->holds, (POOL_PAGES - 1) / DRM_GPUVM_IMM_POOL_BATCH);
	KUNIT_EXPECT_EQ(test, pool_count(t), spare + POOL_PAGES + t->holds * 2 * 3);
	pool_check_room(test, t);
	pool_test_end(test, t);
}

/* The end of a core that has many mappings, while the pool gets smaller */
static void many_left(struct kunit *test)
{
	struct pool_test *t = pool_test_new(test);
	struct drm_gpuvm_imm *shared = drm_gpuvm_imm_get(t->vm.core);

	kunit_activate_static_stub(test, drm_gpuvm_imm_pool_pause, pool_pause);
	pool_drop(t, t->filled);
	drm_gpuvm_imm_flush();
	KUNIT_EXPECT_EQ(test, drm_gpuvm_imm_pool_resize(shared, POOL_SIZE), 0);
	t->count = pool_count(t);
	/* There is room for no more, and the walk over the mappings ends. */
	t->size = t->count + DRM_GPUVM_IMM_POOL_BATCH;
	drm_gpuvm_imm_fini(t->vm.core);
	KUNIT_EXPECT_EQ(test, t->holds, 1);
	pool_check_room(test, t);
	drm_gpuvm_imm_put(shared);
}

/* A larger array, while other tasks prepare and drop, and also ask for a larger one */
static void many_moved(struct kunit *test)
{
	struct pool_test *t = pool_test_new(test);
	unsigned int spare;

	pool_unmap(test, t);
	spare = pool_count(t);
	KUNIT_ASSERT_GE(test, spare, POOL_PAGES);
	kunit_activate_static_stub(test, drm_gpuvm_imm_pool_put_some, pool_put_some);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_imm_pool_resize(t->shared, POOL_SIZE + 1), 0);
	KUNIT_EXPECT_EQ(test, t->holds, DIV_ROUND_UP(spare, DRM_GPUVM_IMM_POOL_BATCH));
	KUNIT_EXPECT_EQ(test, t->moved, spare);
	KUNIT_EXPECT_EQ(test, pool_count(t), spare);

	t->holds = 0;
	t->prepares = 3;
	t->drops = 1;
	t->size = 2 * POOL_SIZE;
	KUNIT_EXPECT_EQ(test, drm_gpuvm_imm_pool_resize(t->shared, POOL_SIZE), 0);
	KUNIT_EXPECT_GE(test, t->holds, DIV_ROUND_UP(spare, DRM_GPUVM_IMM_POOL_BATCH));
	KUNIT_EXPECT_EQ(test, pool_count(t), spare - t->holds * 2 * 3);
	pool_check_room(test, t);
	pool_test_end(test, t);
}

/* A smaller array, whose room other tasks take meanwhile */
static void no_room_left(struct kunit *test)
{
	struct pool_test *t = pool_test_new(test);
	unsigned int spare;

	pool_unmap(test, t);
	spare = pool_count(t);
	t->prepares = 100;
	t->once = true;
	kunit_activate_static_stub(test, drm_gpuvm_imm_pool_put_some, pool_put_some);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_imm_pool_resize(t->shared, spare + 3 * t->filled), 0);
	KUNIT_EXPECT_LT(test, t->moved, spare);
	pool_check_room(test, t);
	pool_test_end(test, t);
}

static struct kunit_case drm_gpuvm_imm_pool_cases[] = {
	KUNIT_CASE(many_removed),
	KUNIT_CASE(many_left),
	KUNIT_CASE(many_moved),
	KUNIT_CASE(no_room_left),
	{}
};

static struct kunit_suite drm_gpuvm_imm_pool_suite = {
	.name = "drm_gpuvm_imm_pool",
	.init = test_env_init,
	.test_cases = drm_gpuvm_imm_pool_cases,
};

kunit_test_suite(drm_gpuvm_imm_pool_suite);
