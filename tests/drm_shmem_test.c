// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <linux/fs.h>
#include <linux/module.h>

#include "drm_shmem_test.h"

static struct shmem_test *test_bo_test(struct test_bo *bo)
{
	return test_dev(test_bo_gem(bo)->dev)->test;
}

static int test_bo_init(struct test_bo *bo, struct test_bo_args *args)
{
	struct shmem_test *t = test_bo_test(bo);

	if (t->init_ret)
		return t->init_ret;
	bo->color = args ? args->color : 0;
	t->live++;
	return 0;
}

static void test_bo_fini(struct test_bo *bo)
{
	struct shmem_test *t = test_bo_test(bo);

	t->live--;
	t->fini++;
}

static int test_bo_open(struct test_bo *bo, struct drm_file *file)
{
	test_bo_test(bo)->opened++;
	return 0;
}

static void test_bo_close(struct test_bo *bo, struct drm_file *file)
{
	test_bo_test(bo)->opened--;
}

static void test_bo_sgt_revoked(struct test_bo *bo)
{
	dma_resv_assert_held(test_bo_gem(bo)->resv);
	test_bo_test(bo)->revoked++;
}

DRM_SHMEM_OBJ_DEFINE(test_bo, 0,
		     .init = test_bo_init,
		     .fini = test_bo_fini,
		     .open = test_bo_open,
		     .close = test_bo_close,
		     .sgt_revoked = test_bo_sgt_revoked);

DRM_SHMEM_OBJ_DEFINE(reclaim_bo, DRM_SHMEM_RECLAIM);

DEFINE_DRM_GEM_FOPS(shmem_test_fops);

const struct drm_driver shmem_test_driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER,
	.fops = &shmem_test_fops,
	.name = "shmem_test",
	.desc = "test device of drm_shmem_safe",
	DRM_SHMEM_DRIVER_OPS(test_bo),
};

KUNIT_DEFINE_ACTION_WRAPPER(shmem_test_dev_put, drm_dev_put, struct drm_device *);

/* A registered device on @parent, with a reference until the end of the test. */
struct drm_device *shmem_test_device(struct kunit *test, struct device *parent,
				     const struct drm_driver *driver)
{
	struct test_unreg *unreg = test_dev_alloc(parent, driver);
	struct drm_device *drm;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unreg);
	test_unreg_dev(unreg)->test = test->priv;
	drm = drm_dev_bound_drm(&unreg->bound);
	drm_dev_get(drm);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, shmem_test_dev_put, drm), 0);
	KUNIT_ASSERT_EQ(test, drm_dev_ctx_register(test, parent, unreg, NULL, NULL), 0);
	return drm;
}

/* The first action, so it is the last that runs: every object is gone. */
static void shmem_test_check(void *data)
{
	struct kunit *test = data;
	struct shmem_test *t = test->priv;

	KUNIT_EXPECT_EQ(test, t->live, 0);
	KUNIT_EXPECT_EQ(test, t->opened, 0);
}

int shmem_test_init(struct kunit *test)
{
	struct shmem_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	struct file *filp;

	KUNIT_ASSERT_NOT_NULL(test, t);
	test->priv = t;
	KUNIT_ASSERT_EQ(test, kunit_add_action(test, shmem_test_check, test), 0);
	t->parent = drm_safe_test_parent(test);
	t->drm = shmem_test_device(test, t->parent, &shmem_test_driver);
	filp = drm_safe_test_open(test, t->drm->render);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, filp);
	t->file = filp->private_data;
	return 0;
}

/* The parent goes away; the device and its objects stay. */
void shmem_test_unbind(struct kunit *test)
{
	struct shmem_test *t = test->priv;

	drm_safe_test_unbind(test, t->parent);
}

KUNIT_DEFINE_ACTION_WRAPPER(shmem_test_bo_put, test_bo_put, struct test_bo *);

/* A published object that is put at the end of the test. */
struct test_bo *shmem_test_bo(struct kunit *test, size_t size)
{
	struct shmem_test *t = test->priv;
	struct test_bo_unique *unique = test_bo_create(t->drm, size, NULL, NULL);
	struct test_bo *bo;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unique);
	bo = drm_shmem_publish(test_bo, unique);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, shmem_test_bo_put, bo), 0);
	return bo;
}

MODULE_DESCRIPTION("KUnit suites of drm_shmem_safe");
MODULE_LICENSE("Dual MIT/GPL");
