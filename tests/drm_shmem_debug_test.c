// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Help for debugging: the live handles, and the tracepoints.
 */

#include <linux/ref_tracker.h>
#include <linux/sizes.h>

#include "drm_shmem_test.h"
#include "drm_shmem_trace.h"

struct debug_map {
	DRM_VMAP(PAGE_SIZE);
};

struct debug_map_owned {
	DRM_VMAP_OWNED(struct debug_map);
};

struct debug_test {
	char list[SZ_8K];
};

static struct debug_test *debug_test(struct kunit *test)
{
	struct debug_test *d = kunit_kzalloc(test, sizeof(*d), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, d);
	return d;
}

/* How many handles the device knows to be alive */
static int debug_device_handles(struct kunit *test, struct drm_device *drm)
{
	struct debug_test *d = debug_test(test);
	int alike, live = 0, read;
	const char *handles;

	drm_safe_test_debugfs(test, drm, d->list, sizeof(d->list));
	handles = strstr(d->list, "handles: ");
	if (handles) {
		handles = strstr(handles, "has ");
		KUNIT_EXPECT_NOT_NULL(test, handles);
		/* "has 1/2 users" are one of two in all, from the same place */
		read = sscanf(handles, "has %d/%d users", &alike, &live);
		KUNIT_EXPECT_EQ(test, read, 2);
	}
	return live;
}

#ifdef CONFIG_DRM_SAFE_DEBUG
static bool debug_object_has_handle(struct kunit *test, struct test_bo *bo)
{
	struct debug_test *d = debug_test(test);

	ref_tracker_dir_snprint(&bo->obj.__handles, d->list, sizeof(d->list));
	return strstr(d->list, "has 1/1 users");
}
#else
static bool debug_object_has_handle(struct kunit *test, struct test_bo *bo)
{
	return false;
}
#endif

/* Each kind of handle is known to its object and its device while it lives. */
static void debug_lists_handles(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);
	struct drm_shmem_sgt_owned table = {}, moved = {};
	struct debug_map_owned own = {};
	int ret;

	if (!IS_ENABLED(CONFIG_DRM_SAFE_DEBUG))
		kunit_skip(test, "needs CONFIG_DRM_SAFE_DEBUG");

	KUNIT_EXPECT_EQ(test, debug_device_handles(test, t->drm), 0);
	drm_vmap_guard(debug_map, map, &bo->obj, ret) {
		KUNIT_EXPECT_TRUE(test, debug_object_has_handle(test, bo));
		KUNIT_EXPECT_EQ(test, debug_device_handles(test, t->drm), 1);
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_FALSE(test, debug_object_has_handle(test, bo));
	KUNIT_EXPECT_EQ(test, debug_device_handles(test, t->drm), 0);

	KUNIT_ASSERT_EQ(test, drm_vmap_own(&own, &bo->obj), 0);
	KUNIT_EXPECT_TRUE(test, debug_object_has_handle(test, bo));
	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm))
		KUNIT_EXPECT_EQ(test, drm_shmem_sgt_own(&table, &reg->base.bound, &bo->obj), 0);
	KUNIT_EXPECT_EQ(test, debug_device_handles(test, t->drm), 2);
	drm_vmap_release(&own);
	drm_shmem_sgt_move(&moved, &table);
	KUNIT_EXPECT_TRUE(test, debug_object_has_handle(test, bo));
	KUNIT_EXPECT_EQ(test, debug_device_handles(test, t->drm), 1);
	drm_shmem_sgt_release(&moved);
	KUNIT_EXPECT_FALSE(test, debug_object_has_handle(test, bo));
	KUNIT_EXPECT_EQ(test, debug_device_handles(test, t->drm), 0);
}

/* The device also has the handles of objects that are not of this library. */
static void debug_lists_plain_handles(struct kunit *test)
{
	struct drm_device *drm = shmem_test_device(test, drm_safe_test_parent(test),
						   drm_safe_test_driver());
	struct drm_gem_shmem_object *shmem = drm_gem_shmem_create(drm, PAGE_SIZE);
	int ret;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, shmem);
	if (IS_ENABLED(CONFIG_DRM_SAFE_DEBUG)) {
		drm_vmap_guard(debug_map, map, shmem, ret)
			KUNIT_EXPECT_EQ(test, debug_device_handles(test, drm), 1);
		KUNIT_EXPECT_EQ(test, ret, 0);
		KUNIT_EXPECT_EQ(test, debug_device_handles(test, drm), 0);
	}
	drm_gem_object_put(&shmem->base);
}

/* The tracepoint events of an object, a letter each */
struct debug_traced {
	struct drm_gem_object *gem;
	char seen[8];
	int len;
};

static void debug_trace(struct debug_traced *traced, struct drm_gem_object *gem, char what)
{
	if (gem == traced->gem && traced->len < sizeof(traced->seen) - 1)
		traced->seen[traced->len++] = what;
}

#define DEBUG_PROBE(_event, _what)						\
static void _event##_probe(void *data, struct drm_gem_object *gem)		\
{										\
	debug_trace(data, gem, _what);						\
}

DEBUG_PROBE(drm_shmem_vmap, 'v')
DEBUG_PROBE(drm_shmem_vunmap, 'V')
DEBUG_PROBE(drm_shmem_sgt_map, 's')
DEBUG_PROBE(drm_shmem_sgt_unmap, 'S')
DEBUG_PROBE(drm_shmem_sgt_revoke, 'r')
DEBUG_PROBE(drm_shmem_purge, 'p')
DEBUG_PROBE(drm_shmem_evict, 'e')

#define DEBUG_REGISTER(_event) \
	KUNIT_EXPECT_EQ(test, register_trace_##_event(_event##_probe, traced), 0)

static void debug_trace_begin(struct kunit *test, struct debug_traced *traced)
{
	if (!IS_ENABLED(CONFIG_TRACEPOINTS))
		kunit_skip(test, "needs CONFIG_TRACEPOINTS");
	DEBUG_REGISTER(drm_shmem_vmap);
	DEBUG_REGISTER(drm_shmem_vunmap);
	DEBUG_REGISTER(drm_shmem_sgt_map);
	DEBUG_REGISTER(drm_shmem_sgt_unmap);
	DEBUG_REGISTER(drm_shmem_sgt_revoke);
	DEBUG_REGISTER(drm_shmem_purge);
	DEBUG_REGISTER(drm_shmem_evict);
}

static void debug_trace_end(struct kunit *test, struct debug_traced *traced)
{
	unregister_trace_drm_shmem_vmap(drm_shmem_vmap_probe, traced);
	unregister_trace_drm_shmem_vunmap(drm_shmem_vunmap_probe, traced);
	unregister_trace_drm_shmem_sgt_map(drm_shmem_sgt_map_probe, traced);
	unregister_trace_drm_shmem_sgt_unmap(drm_shmem_sgt_unmap_probe, traced);
	unregister_trace_drm_shmem_sgt_revoke(drm_shmem_sgt_revoke_probe, traced);
	unregister_trace_drm_shmem_purge(drm_shmem_purge_probe, traced);
	unregister_trace_drm_shmem_evict(drm_shmem_evict_probe, traced);
	tracepoint_synchronize_unregister();
}

/* Begins with a new object. */
static struct reclaim_bo *debug_trace_bo(struct kunit *test, struct debug_traced *traced)
{
	struct reclaim_bo *bo;

	debug_trace_begin(test, traced);
	bo = shmem_test_reclaim_bo(test, PAGE_SIZE);
	traced->gem = drm_shmem_gem(&bo->obj);
	return bo;
}

/* The table of an object that is freed goes with it. */
static void debug_traces_free(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct debug_traced traced = { };
	struct reclaim_bo *bo = debug_trace_bo(test, &traced);
	int ret;

	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm))
		drm_shmem_sgt_guard(sgt, &reg->base.bound, &bo->obj, ret)
			KUNIT_EXPECT_STREQ(test, traced.seen, "s");
	drm_shmem_put(&bo->obj);
	debug_trace_end(test, &traced);
	KUNIT_EXPECT_STREQ(test, traced.seen, "sS");
}

/* One event for the first and the last user, none for those in between. */
static void debug_traces_mappings(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);
	struct debug_traced traced = { .gem = drm_shmem_gem(&bo->obj) };
	int ret;

	debug_trace_begin(test, &traced);
	drm_vmap_guard(debug_map, outer, &bo->obj, ret)
		drm_vmap_guard(debug_map, inner, &bo->obj, ret)
			KUNIT_EXPECT_STREQ(test, traced.seen, "v");
	KUNIT_EXPECT_EQ(test, ret, 0);
	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm))
		for (int i = 0; i < 2; i++)
			drm_shmem_sgt_guard(sgt, &reg->base.bound, &bo->obj, ret)
				KUNIT_EXPECT_STREQ(test, traced.seen, "vVs");
	shmem_test_unbind(test);
	debug_trace_end(test, &traced);
	KUNIT_EXPECT_STREQ(test, traced.seen, "vVsrS");
}

static void debug_traces_purge(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct debug_traced traced = { };
	struct reclaim_bo *bo = debug_trace_bo(test, &traced);
	int ret;

	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm))
		drm_shmem_sgt_guard(sgt, &reg->base.bound, &bo->obj, ret)
			KUNIT_EXPECT_EQ(test, drm_shmem_purge(&bo->obj), -EBUSY);
	KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&bo->obj, DRM_SHMEM_DONTNEED, NULL), 1);
	KUNIT_EXPECT_EQ(test, drm_shmem_purge(&bo->obj), 0);
	debug_trace_end(test, &traced);
	KUNIT_EXPECT_STREQ(test, traced.seen, "sSp");
	drm_shmem_put(&bo->obj);
}

/* An eviction that fails, or has nothing to do, is none. */
static void debug_traces_evict(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct debug_traced traced = { };
	struct reclaim_bo *bo = debug_trace_bo(test, &traced);
	int ret;

	KUNIT_EXPECT_EQ(test, drm_shmem_evict(&bo->obj), 0);
	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm))
		drm_shmem_sgt_guard(sgt, &reg->base.bound, &bo->obj, ret)
			KUNIT_EXPECT_EQ(test, drm_shmem_evict(&bo->obj), -EBUSY);
	for (int i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, drm_shmem_evict(&bo->obj), 0);
	debug_trace_end(test, &traced);
	KUNIT_EXPECT_STREQ(test, traced.seen, "sSe");
	drm_shmem_put(&bo->obj);
}

static struct kunit_case drm_shmem_debug_cases[] = {
	KUNIT_CASE(debug_lists_handles),
	KUNIT_CASE(debug_lists_plain_handles),
	KUNIT_CASE(debug_traces_mappings),
	KUNIT_CASE(debug_traces_free),
	KUNIT_CASE(debug_traces_purge),
	KUNIT_CASE(debug_traces_evict),
	{}
};

static struct kunit_suite drm_shmem_debug_suite = {
	.name = "drm_shmem_debug",
	.init = shmem_test_init,
	.test_cases = drm_shmem_debug_cases,
};

kunit_test_suite(drm_shmem_debug_suite);
