// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Objects: drm_shmem_safe.c
 */

#include <linux/dma-buf.h>
#include <linux/sizes.h>

#include "drm_shmem_test.h"

static void create_sizes(struct kunit *test)
{
	static const struct {
		size_t size;
		size_t rounded;	/* 0: an error */
	} cases[] = {
		{ 0, 0 },
		{ 1, PAGE_SIZE },
		{ PAGE_SIZE - 1, PAGE_SIZE },
		{ PAGE_SIZE, PAGE_SIZE },
		{ PAGE_SIZE + 1, 2 * PAGE_SIZE },
		{ SZ_1M, SZ_1M },
		{ SIZE_MAX - PAGE_SIZE, 0 },
		{ SIZE_MAX - PAGE_SIZE + 1, 0 },
		{ SIZE_MAX - PAGE_SIZE + 2, 0 },
		{ SIZE_MAX, 0 },
	};
	struct shmem_test *t = test->priv;

	for (int i = 0; i < ARRAY_SIZE(cases); i++) {
		struct test_bo_unique *bo = test_bo_create(t->drm, cases[i].size, NULL, NULL);

		if (!cases[i].rounded) {
			KUNIT_EXPECT_PTR_EQ(test, (void *)bo, ERR_PTR(-EINVAL));
			continue;
		}
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
		KUNIT_EXPECT_EQ(test, test_bo_size(test_bo_unique_bo(bo)), cases[i].rounded);
		test_bo_put(test_bo_unique_bo(bo));
	}
	KUNIT_EXPECT_EQ(test, t->live, 0);
}

static void create_init_step(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo_args args = { .color = 7 };
	struct test_bo_unique *unique;
	struct test_bo *bo;

	unique = test_bo_create(t->drm, SZ_4K, NULL, &args);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unique);
	KUNIT_EXPECT_EQ(test, t->live, 1);
	KUNIT_EXPECT_EQ(test, test_bo_unique_bo(unique)->color, 7);

	bo = drm_shmem_publish(test_bo, unique);
	KUNIT_EXPECT_NULL(test, unique);
	KUNIT_EXPECT_EQ(test, bo->color, 7);

	KUNIT_EXPECT_PTR_EQ(test, test_bo_get(bo), bo);
	test_bo_put(bo);
	KUNIT_EXPECT_EQ(test, t->live, 1);
	test_bo_put(bo);
	KUNIT_EXPECT_EQ(test, t->live, 0);
	KUNIT_EXPECT_EQ(test, t->fini, 1);
}

static void create_init_fails(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	unsigned int refs = kref_read(&t->drm->ref);

	t->init_ret = -EXDEV;
	KUNIT_EXPECT_PTR_EQ(test, (void *)test_bo_create(t->drm, SZ_4K, NULL, NULL),
			    ERR_PTR(-EXDEV));
	KUNIT_EXPECT_EQ(test, t->fini, 0);
	KUNIT_EXPECT_EQ(test, kref_read(&t->drm->ref), refs);
}

static void create_resv_parent(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo *parent = shmem_test_bo(test, SZ_4K);
	struct drm_shmem_opts opts = { .resv_parent = test_bo_gem(parent), .map_wc = true };
	struct test_bo *bo;
	void *ret;

	bo = test_bo_unique_bo(test_bo_create(t->drm, SZ_8K, &opts, NULL));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	KUNIT_EXPECT_TRUE(test, bo->obj.base.map_wc);
	KUNIT_EXPECT_PTR_EQ(test, test_bo_gem(bo)->resv, test_bo_gem(parent)->resv);
	KUNIT_EXPECT_EQ(test, kref_read(&test_bo_gem(parent)->refcount), 2);

	/* Not its own: nobody would keep the parent's parent. */
	opts.resv_parent = test_bo_gem(bo);
	ret = test_bo_create(t->drm, SZ_4K, &opts, NULL);
	KUNIT_EXPECT_PTR_EQ(test, ret, ERR_PTR(-EINVAL));

	test_bo_put(bo);
	KUNIT_EXPECT_EQ(test, kref_read(&test_bo_gem(parent)->refcount), 1);
}

static void unique_scope(struct kunit *test)
{
	struct shmem_test *t = test->priv;

	{
		struct test_bo_unique *unique __free(test_bo_unique) =
			test_bo_create(t->drm, SZ_4K, NULL, NULL);

		KUNIT_EXPECT_NOT_ERR_OR_NULL(test, unique);
		KUNIT_EXPECT_EQ(test, t->live, 1);
	}
	KUNIT_EXPECT_EQ(test, t->live, 0);
}

static void handle_unpublished(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo_unique *unique __free(test_bo_unique) =
		test_bo_create(t->drm, SZ_4K, NULL, NULL);
	u32 handle;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unique);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, test_bo_handle_create(test_bo_unique_bo(unique), t->file,
							    &handle), -EINVAL);
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1);
	}
}

static struct kunit_case drm_shmem_obj_cases[] = {
	KUNIT_CASE(create_sizes),
	KUNIT_CASE(create_init_step),
	KUNIT_CASE(create_init_fails),
	KUNIT_CASE(create_resv_parent),
	KUNIT_CASE(unique_scope),
	KUNIT_CASE(handle_unpublished),
	{}
};

static struct kunit_suite drm_shmem_obj_suite = {
	.name = "drm_shmem_obj",
	.init = shmem_test_init,
	.test_cases = drm_shmem_obj_cases,
};
kunit_test_suite(drm_shmem_obj_suite);

MODULE_IMPORT_NS("DMA_BUF");
