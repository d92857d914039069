// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Several kinds of object: drm_shmem_kind.h
 */

#include <linux/sizes.h>

#include <drm/drm_drv.h>

#include "drm_shmem_internal.h"
#include "drm_shmem_test.h"

/* Two kinds of one base, and a kind of another base */
struct kind_bo {
	struct drm_shmem_obj obj;
	u32 inits;
};

struct kind_ops {
	u64 (*addr)(struct kind_bo *bo);
};

DRM_SHMEM_OBJ_BASE(kind_base, struct kind_bo, obj, struct kind_ops);

struct kind_heap {
	struct kind_bo bo;
	u64 addr;
};

struct kind_ring {
	struct kind_bo bo;
	u32 slot;
};

DRM_SHMEM_OBJ_KIND(kind_heap_type, struct kind_heap, bo, struct kind_heap_unique, kind_base);
DRM_SHMEM_OBJ_KIND(kind_ring_type, struct kind_ring, bo, struct kind_ring_unique, kind_base);
/* A kind whose definition names no base */
DRM_SHMEM_OBJ_KIND(kind_none_type, struct kind_ring, bo, struct kind_none_unique, kind_base);

struct other_bo {
	struct drm_shmem_obj obj;
};

struct other_buf {
	struct other_bo bo;
};

DRM_SHMEM_OBJ_BASE(other_base, struct other_bo, obj, struct kind_ops);
DRM_SHMEM_OBJ_KIND(other_type, struct other_buf, bo, struct other_unique, other_base);

struct kind_bos {
	DRM_SHMEM_OBJS(struct kind_bo);
};

const struct kind_base kind_base = {
	.base.name = "kind_bo",
};

const struct other_base other_base = {
	.base.name = "other_bo",
};

/* A step that all kinds share */
static int kind_init(struct drm_shmem_obj *obj)
{
	struct kind_bo *bo = drm_shmem_from_obj(&kind_base, obj);

	/* Not complete, and so of no kind */
	if (drm_shmem_kind(&kind_heap_type, bo) || drm_shmem_kind(&kind_ring_type, bo) ||
	    drm_shmem_ops(&kind_base, bo) || drm_shmem_from_gem(&kind_base, drm_shmem_gem(obj)))
		return -EXDEV;
	bo->inits++;
	return 0;
}

static u64 kind_heap_addr(struct kind_bo *bo)
{
	return drm_shmem_from_obj(&kind_heap_type, &bo->obj)->addr;
}

static u64 kind_ring_addr(struct kind_bo *bo)
{
	return drm_shmem_from_obj(&kind_ring_type, &bo->obj)->slot * SZ_4K;
}

static const struct kind_ops kind_heap_ops = {
	.addr = kind_heap_addr,
};

static const struct kind_ops kind_ring_ops = {
	.addr = kind_ring_addr,
};

const struct kind_heap_type kind_heap_type = {
	DRM_SHMEM_OBJ_KIND_OF(kind_base, &kind_heap_ops),
	.base.init = kind_init,
};

const struct kind_ring_type kind_ring_type = {
	DRM_SHMEM_OBJ_KIND_OF(kind_base, &kind_ring_ops),
	.base.init = kind_init,
};

const struct kind_none_type kind_none_type = {
	DRM_SHMEM_OBJ_FUNCS,
};

const struct other_type other_type = {
	DRM_SHMEM_OBJ_KIND_OF(other_base, &kind_ring_ops),
};

struct kind_test {
	struct kind_heap *heap;
	struct kind_ring *ring;
	struct other_buf *other;
	u32 handle[3];
};

static void kind_make(struct kunit *test, struct kind_test *k)
{
	struct shmem_test *t = test->priv;
	struct kind_heap_unique *heap = drm_shmem_create(&kind_heap_type, t->drm, SZ_4K, NULL);
	struct kind_ring_unique *ring = drm_shmem_create(&kind_ring_type, t->drm, SZ_4K, NULL);
	struct other_unique *other = drm_shmem_create(&other_type, t->drm, SZ_4K, NULL);
	struct drm_shmem_obj **objs;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, heap);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ring);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other);
	k->heap = drm_shmem_publish(&kind_heap_type, &heap);
	k->ring = drm_shmem_publish(&kind_ring_type, &ring);
	k->other = drm_shmem_publish(&other_type, &other);
	k->heap->addr = SZ_1M;
	k->ring->slot = 3;
	objs = (struct drm_shmem_obj *[]) { &k->heap->bo.obj, &k->ring->bo.obj, &k->other->bo.obj };
	for (int i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, drm_shmem_handle_create(objs[i], t->file, &k->handle[i]), 0);
}

static unsigned int kind_refs(struct drm_shmem_obj *obj)
{
	return kref_read(&drm_shmem_gem(obj)->refcount);
}

static void kind_end(struct kunit *test, struct kind_test *k)
{
	KUNIT_EXPECT_EQ(test, kind_refs(&k->heap->bo.obj), 2);
	KUNIT_EXPECT_EQ(test, kind_refs(&k->ring->bo.obj), 2);
	KUNIT_EXPECT_EQ(test, kind_refs(&k->other->bo.obj), 2);
	drm_shmem_put(&k->heap->bo.obj);
	drm_shmem_put(&k->ring->bo.obj);
	drm_shmem_put(&k->other->bo.obj);
}

/* A look-up of any kind, and from there to each */
static void kind_lookup(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct kind_test k;
	struct kind_bo *bo;

	kind_make(test, &k);
	KUNIT_EXPECT_EQ(test, k.heap->bo.inits, 1);

	bo = drm_shmem_lookup(&kind_base, t->file, k.handle[0]);
	KUNIT_ASSERT_PTR_EQ(test, bo, &k.heap->bo);
	KUNIT_EXPECT_PTR_EQ(test, drm_shmem_kind(&kind_heap_type, bo), k.heap);
	KUNIT_EXPECT_NULL(test, drm_shmem_kind(&kind_ring_type, bo));
	KUNIT_EXPECT_EQ(test, drm_shmem_ops(&kind_base, bo)->addr(bo), SZ_1M);
	drm_shmem_put(&bo->obj);

	bo = drm_shmem_lookup(&kind_base, t->file, k.handle[1]);
	KUNIT_ASSERT_PTR_EQ(test, bo, &k.ring->bo);
	KUNIT_EXPECT_PTR_EQ(test, drm_shmem_kind(&kind_ring_type, bo), k.ring);
	KUNIT_EXPECT_NULL(test, drm_shmem_kind(&kind_heap_type, bo));
	KUNIT_EXPECT_EQ(test, drm_shmem_ops(&kind_base, bo)->addr(bo), 3 * SZ_4K);
	drm_shmem_put(&bo->obj);

	KUNIT_EXPECT_NULL(test, drm_shmem_kind(&kind_heap_type, (struct kind_bo *)NULL));
	kind_end(test, &k);
}

/* A kind by its own type; another kind, another base, no kind and no object of the library */
static void kind_refused(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo *plain = shmem_test_bo(test, SZ_4K);
	struct drm_gem_shmem_object *shmem = drm_gem_shmem_create(t->drm, SZ_4K);
	struct kind_heap *heap;
	struct kind_test k;
	u32 handle[2] = {};

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, shmem);
	KUNIT_EXPECT_EQ(test, drm_gem_handle_create(t->file, &shmem->base, &handle[0]), 0);
	KUNIT_EXPECT_EQ(test, drm_shmem_handle_create(&plain->obj, t->file, &handle[1]), 0);
	kind_make(test, &k);

	heap = drm_shmem_lookup(&kind_heap_type, t->file, k.handle[0]);
	KUNIT_EXPECT_PTR_EQ(test, heap, k.heap);
	drm_shmem_put(&heap->bo.obj);
	heap = drm_shmem_lookup(&kind_heap_type, t->file, k.handle[1]);
	KUNIT_EXPECT_PTR_EQ(test, (void *)heap, ERR_PTR(-EINVAL));

	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-EINVAL),
			    (void *)drm_shmem_lookup(&kind_base, t->file, k.handle[2]));
	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-EINVAL),
			    (void *)drm_shmem_lookup(&kind_base, t->file, handle[0]));
	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-EINVAL),
			    (void *)drm_shmem_lookup(&kind_base, t->file, handle[1]));
	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-ENOENT),
			    (void *)drm_shmem_lookup(&kind_base, t->file, 0));
	KUNIT_EXPECT_NULL(test, drm_shmem_from_gem(&kind_base, &shmem->base));
	KUNIT_EXPECT_NULL(test, drm_shmem_from_gem(&kind_base, drm_shmem_gem(&plain->obj)));
	KUNIT_EXPECT_NULL(test, drm_shmem_from_gem(&kind_base, drm_shmem_gem(&k.other->bo.obj)));
	KUNIT_EXPECT_PTR_EQ(test, &k.ring->bo,
			    drm_shmem_from_gem(&kind_base, drm_shmem_gem(&k.ring->bo.obj)));
	kind_end(test, &k);
	drm_gem_object_put(&shmem->base);
}

static void kind_several(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct kind_bos *bos;
	struct kind_test k;

	kind_make(test, &k);
	bos = drm_shmem_lookup_handles(&kind_base, kind_bos, t->file, k.handle, 2);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bos);
	KUNIT_EXPECT_PTR_EQ(test, drm_shmem_objs_at(bos, 0), &k.heap->bo);
	KUNIT_EXPECT_PTR_EQ(test, drm_shmem_objs_at(bos, 1), &k.ring->bo);
	drm_shmem_objs_free(bos);
	bos = drm_shmem_lookup_handles(&kind_base, kind_bos, t->file, k.handle, 3);
	KUNIT_EXPECT_PTR_EQ(test, (void *)bos, ERR_PTR(-EINVAL));
	kind_end(test, &k);
}

/* A kind that is not defined as one makes no objects. */
static void kind_of_none(struct kunit *test)
{
	struct shmem_test *t = test->priv;

	kunit_warning_suppress(test) {
		KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-EINVAL),
				    (void *)drm_shmem_create(&kind_none_type, t->drm, SZ_4K, NULL));
		KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-EINVAL),
				    (void *)drm_shmem_gem_create_object(&kind_none_type));
		EXPECT_BROKEN_TIMES(test, 2, "a kind has a base and operations");
	}
}

/* A step that takes an object for one of another base */
static void kind_step_of_other(struct kunit *test)
{
	struct kind_test k;

	kind_make(test, &k);
	kunit_warning_suppress(test) {
		drm_shmem_from_obj(&kind_base, &k.other->bo.obj);
		drm_shmem_from_obj(&kind_base, &k.heap->bo.obj);
		EXPECT_BROKEN_TIMES(test, IS_ENABLED(CONFIG_DRM_SAFE_DEBUG),
				    "a step knows the type of its object");
	}
	kind_end(test, &k);
}

static struct kunit_case drm_shmem_kind_cases[] = {
	KUNIT_CASE(kind_lookup),
	KUNIT_CASE(kind_refused),
	KUNIT_CASE(kind_several),
	KUNIT_CASE(kind_of_none),
	KUNIT_CASE(kind_step_of_other),
	{}
};

static struct kunit_suite drm_shmem_kind_suite = {
	.name = "drm_shmem_kind",
	.init = shmem_test_init,
	.test_cases = drm_shmem_kind_cases,
};

kunit_test_suite(drm_shmem_kind_suite);
