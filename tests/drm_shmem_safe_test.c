// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Objects: drm_shmem_obj.c
 */

#include <linux/dma-buf.h>
#include <linux/sizes.h>

#include <drm/drm_drv.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_managed.h>

#include "drm_shmem_internal.h"
#include "drm_shmem_test.h"

static void create_sizes(struct kunit *test)
{
	static const struct {
		u64 size;
		size_t rounded;	/* 0: an error */
	} cases[] = {
		{ 0, 0 },
		{ 1, PAGE_SIZE },
		{ PAGE_SIZE - 1, PAGE_SIZE },
		{ PAGE_SIZE, PAGE_SIZE },
		{ PAGE_SIZE + 1, 2 * PAGE_SIZE },
		{ SZ_1M, SZ_1M },
		/* Not 4 KiB, also where a size_t has 32 bits */
		{ BIT_ULL(32) + 1, sizeof(size_t) > 4 ? BIT_ULL(32) + PAGE_SIZE : 0 },
		{ (u64)SIZE_MAX - PAGE_SIZE + 2, 0 },
		{ SIZE_MAX, 0 },
		{ U64_MAX - PAGE_SIZE, 0 },
		{ U64_MAX - PAGE_SIZE + 1, 0 },
		{ U64_MAX - PAGE_SIZE + 2, 0 },
		{ U64_MAX, 0 },
	};
	struct shmem_test *t = test->priv;

	for (int i = 0; i < ARRAY_SIZE(cases); i++) {
		struct test_bo_unique *bo =
			drm_shmem_create(&test_bo_type, t->drm, cases[i].size, NULL);

		if (!cases[i].rounded) {
			KUNIT_EXPECT_PTR_EQ(test, (void *)bo, ERR_PTR(-EINVAL));
			continue;
		}
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
		KUNIT_EXPECT_EQ(test,
				drm_shmem_size(&drm_shmem_from_unique(&test_bo_type, bo)->obj),
				cases[i].rounded);
		drm_shmem_put(&drm_shmem_from_unique(&test_bo_type, bo)->obj);
	}
	KUNIT_EXPECT_EQ(test, t->live, 0);
}

static void create_init_step(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo_unique *unique;
	struct test_bo *bo;

	unique = drm_shmem_create(&test_bo_type, t->drm, PAGE_SIZE, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unique);
	KUNIT_EXPECT_EQ(test, t->live, 1);
	drm_shmem_from_unique(&test_bo_type, unique)->color = 7;

	bo = drm_shmem_publish(&test_bo_type, &unique);
	KUNIT_EXPECT_NULL(test, unique);
	KUNIT_EXPECT_EQ(test, bo->color, 7);

	drm_shmem_get(&bo->obj);
	drm_shmem_put(&bo->obj);
	KUNIT_EXPECT_EQ(test, t->live, 1);
	drm_shmem_put(&bo->obj);
	KUNIT_EXPECT_EQ(test, t->live, 0);
	KUNIT_EXPECT_EQ(test, t->fini, 1);
}

static void create_init_fails(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	unsigned int refs = kref_read(&t->drm->ref);

	t->init_ret = -EXDEV;
	KUNIT_EXPECT_PTR_EQ(test, (void *)drm_shmem_create(&test_bo_type, t->drm, PAGE_SIZE, NULL),
			    ERR_PTR(-EXDEV));
	KUNIT_EXPECT_EQ(test, t->fini, 0);
	KUNIT_EXPECT_EQ(test, kref_read(&t->drm->ref), refs);
}

static void create_resv_parent(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo *parent = shmem_test_bo(test, PAGE_SIZE);
	struct drm_shmem_opts opts = { .resv_parent = drm_shmem_gem(&parent->obj), .map_wc = true };
	struct drm_device *other =
		shmem_test_device(test, drm_safe_test_parent(test), &shmem_test_driver);
	struct test_bo *bo;
	void *ret;

	bo = test_bo_new(t->drm, 2 * PAGE_SIZE, &opts);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	KUNIT_EXPECT_TRUE(test, bo->obj.base.map_wc);
	KUNIT_EXPECT_PTR_EQ(test, drm_shmem_gem(&bo->obj)->resv, drm_shmem_gem(&parent->obj)->resv);
	KUNIT_EXPECT_EQ(test, kref_read(&drm_shmem_gem(&parent->obj)->refcount), 2);

	/* Not its own: nobody would keep the parent's parent. Nor another device's */
	kunit_warning_suppress(test) {
		opts.resv_parent = drm_shmem_gem(&bo->obj);
		ret = drm_shmem_create(&test_bo_type, t->drm, PAGE_SIZE, &opts);
		KUNIT_EXPECT_PTR_EQ(test, ret, ERR_PTR(-EINVAL));
		opts.resv_parent = drm_shmem_gem(&parent->obj);
		ret = drm_shmem_create(&test_bo_type, other, PAGE_SIZE, &opts);
		KUNIT_EXPECT_PTR_EQ(test, ret, ERR_PTR(-EINVAL));
		EXPECT_BROKEN(test, "a reservation object is shared by its owner",
			      "both are of one device");
	}

	drm_shmem_put(&bo->obj);
	KUNIT_EXPECT_EQ(test, kref_read(&drm_shmem_gem(&parent->obj)->refcount), 1);
}

/* The options match the caller's use of the parent's lock. */
static void create_resv_locked(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo *parent = shmem_test_bo(test, PAGE_SIZE);
	struct drm_shmem_opts opts = { .resv_locked = true };
	struct dma_resv *resv = drm_shmem_gem(&parent->obj)->resv;
	void *ret;

	kunit_warning_suppress(test) {
		ret = drm_shmem_create(&test_bo_type, t->drm, PAGE_SIZE, &opts);
		KUNIT_EXPECT_PTR_EQ(test, ret, ERR_PTR(-EINVAL));
		opts.resv_parent = drm_shmem_gem(&parent->obj);
		ret = drm_shmem_create(&test_bo_type, t->drm, PAGE_SIZE, &opts);
		KUNIT_EXPECT_PTR_EQ(test, ret, ERR_PTR(-EINVAL));
		opts.resv_locked = false;
		dma_resv_lock(resv, NULL);
		ret = drm_shmem_create(&test_bo_type, t->drm, PAGE_SIZE, &opts);
		dma_resv_unlock(resv);
		KUNIT_EXPECT_PTR_EQ(test, ret, ERR_PTR(-EALREADY));
		EXPECT_BROKEN(test, "resv_locked needs a resv_parent",
			      "a _locked call is made with the reservation lock",
			      "the reservation lock is taken once");
	}
	KUNIT_EXPECT_EQ(test, t->live, 1);
	KUNIT_EXPECT_EQ(test, kref_read(&drm_shmem_gem(&parent->obj)->refcount), 1);
}

static void unique_scope(struct kunit *test)
{
	struct shmem_test *t = test->priv;

	{
		struct test_bo_unique *unique __free(drm_shmem) =
			drm_shmem_create(&test_bo_type, t->drm, PAGE_SIZE, NULL);

		KUNIT_EXPECT_NOT_ERR_OR_NULL(test, unique);
		KUNIT_EXPECT_EQ(test, t->live, 1);
	}
	KUNIT_EXPECT_EQ(test, t->live, 0);
}

static void handle_unpublished(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo *bo __free(drm_shmem) = test_bo_new(t->drm, PAGE_SIZE, NULL);
	u32 handle;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, drm_shmem_handle_create(&bo->obj, t->file, &handle), -EINVAL);
		EXPECT_BROKEN(test, "publish before use");
	}
}

static void handles(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE), *found;
	u32 handle = 0;

	KUNIT_ASSERT_EQ(test, drm_shmem_handle_create(&bo->obj, t->file, &handle), 0);
	KUNIT_EXPECT_EQ(test, t->opened, 1);

	found = drm_shmem_lookup(&test_bo_type, t->file, handle);
	KUNIT_EXPECT_PTR_EQ(test, found, bo);
	KUNIT_EXPECT_EQ(test, kref_read(&drm_shmem_gem(&bo->obj)->refcount), 3);
	drm_shmem_put(&found->obj);

	KUNIT_EXPECT_PTR_EQ(test, drm_shmem_lookup(&test_bo_type, t->file, 0), ERR_PTR(-ENOENT));
	KUNIT_EXPECT_PTR_EQ(test, drm_shmem_lookup(&test_bo_type, t->file, handle + 1),
			    ERR_PTR(-ENOENT));

	KUNIT_EXPECT_EQ(test, drm_gem_handle_delete(t->file, handle), 0);
	KUNIT_EXPECT_EQ(test, t->opened, 0);
	KUNIT_EXPECT_PTR_EQ(test, drm_shmem_lookup(&test_bo_type, t->file, handle),
			    ERR_PTR(-ENOENT));
}

/* The handle keeps the object, and the file the handle. */
static void handle_closed_with_file(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct file *filp = drm_safe_test_open(test, t->drm->render);
	struct drm_file *file = filp->private_data;
	struct test_bo_unique *unique = drm_shmem_create(&test_bo_type, t->drm, PAGE_SIZE, NULL);
	struct test_bo *bo;
	u32 handle = 0;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unique);
	bo = drm_shmem_publish(&test_bo_type, &unique);
	KUNIT_EXPECT_EQ(test, drm_shmem_handle_create(&bo->obj, file, &handle), 0);
	drm_shmem_put(&bo->obj);
	KUNIT_EXPECT_EQ(test, t->live, 1);
	drm_safe_test_close(test, filp);
	KUNIT_EXPECT_EQ(test, t->live, 0);
	KUNIT_EXPECT_EQ(test, t->opened, 0);
}

static void handle_open_fails(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);
	u32 handle = 0;

	t->open_ret = -EACCES;
	KUNIT_EXPECT_EQ(test, drm_shmem_handle_create(&bo->obj, t->file, &handle), -EACCES);
	KUNIT_EXPECT_EQ(test, kref_read(&drm_shmem_gem(&bo->obj)->refcount), 1);
	KUNIT_EXPECT_EQ(test, t->opened, 0);
}

static void handle_of_other_device(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_device *other =
		shmem_test_device(test, drm_safe_test_parent(test), &shmem_test_driver);
	struct file *filp = drm_safe_test_open(test, other->render);
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);
	u32 handle = 0;

	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test,
				drm_shmem_handle_create(&bo->obj, filp->private_data, &handle),
				-EINVAL);
		EXPECT_BROKEN(test, "both are of one device");
	}
	KUNIT_EXPECT_EQ(test, t->opened, 0);
}

/* An object that the core made is not taken for one of ours. */
static void lookup_core_made(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_gem_shmem_object *shmem = drm_gem_shmem_create(t->drm, PAGE_SIZE);
	u32 handle = 0;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, shmem);
	KUNIT_EXPECT_NULL(test, drm_shmem_from_gem(&test_bo_type, &shmem->base));
	KUNIT_EXPECT_EQ(test, drm_gem_handle_create(t->file, &shmem->base, &handle), 0);
	KUNIT_EXPECT_PTR_EQ(test, drm_shmem_lookup(&test_bo_type, t->file, handle),
			    ERR_PTR(-EINVAL));
	KUNIT_EXPECT_EQ(test, kref_read(&shmem->base.refcount), 2);
	drm_gem_object_put(&shmem->base);
	KUNIT_EXPECT_EQ(test, t->fini, 0);
}

static void lookup_other_type(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct reclaim_bo *bo = shmem_test_reclaim_bo(test, PAGE_SIZE);
	u32 handle = 0;

	KUNIT_EXPECT_EQ(test, drm_shmem_handle_create(&bo->obj, t->file, &handle), 0);
	KUNIT_EXPECT_NULL(test, drm_shmem_from_gem(&test_bo_type, drm_shmem_gem(&bo->obj)));
	KUNIT_EXPECT_PTR_EQ(test, drm_shmem_lookup(&test_bo_type, t->file, handle),
			    ERR_PTR(-EINVAL));
	KUNIT_EXPECT_PTR_EQ(test, drm_shmem_from_gem(&reclaim_bo_type, drm_shmem_gem(&bo->obj)),
			    bo);
	drm_shmem_put(&bo->obj);
}

static void dumb(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_mode_create_dumb args = { .width = 3, .height = 5, .bpp = 32 };
	struct test_bo *bo;

	KUNIT_ASSERT_EQ(test, t->drm->driver->dumb_create(t->file, t->drm, &args), 0);
	KUNIT_EXPECT_EQ(test, args.pitch, 12);
	KUNIT_EXPECT_EQ(test, args.size, PAGE_SIZE);
	bo = drm_shmem_lookup(&test_bo_type, t->file, args.handle);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	KUNIT_EXPECT_EQ(test, t->live, 1);
	KUNIT_EXPECT_EQ(test, drm_shmem_size(&bo->obj), PAGE_SIZE);
	drm_shmem_put(&bo->obj);
	KUNIT_EXPECT_EQ(test, drm_gem_handle_delete(t->file, args.handle), 0);
	KUNIT_EXPECT_EQ(test, t->live, 0);

	args = (struct drm_mode_create_dumb){ .width = 0, .height = 1, .bpp = 32 };
	KUNIT_EXPECT_EQ(test, t->drm->driver->dumb_create(t->file, t->drm, &args), -EINVAL);
	t->init_ret = -EXDEV;
	args = (struct drm_mode_create_dumb){ .width = 1, .height = 1, .bpp = 32 };
	KUNIT_EXPECT_EQ(test, t->drm->driver->dumb_create(t->file, t->drm, &args), -EXDEV);
}

static void mmap_offset(struct kunit *test)
{
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);
	u64 offset = 0;

	KUNIT_EXPECT_EQ(test, drm_shmem_mmap_offset(&bo->obj, &offset), 0);
	KUNIT_EXPECT_NE(test, offset, 0);
	KUNIT_EXPECT_EQ(test, offset, drm_vma_node_offset_addr(&drm_shmem_gem(&bo->obj)->vma_node));
}

/* Another object has all addresses that there are. */
static void no_mmap_offset(struct kunit *test)
{
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);
	struct drm_vma_offset_manager *addresses = drm_shmem_gem(&bo->obj)->dev->vma_offset_manager;
	struct drm_vma_offset_node all = {};
	u64 offset = 1;

	KUNIT_ASSERT_EQ(test, 0, drm_vma_offset_add(addresses, &all, DRM_FILE_PAGE_OFFSET_SIZE));
	KUNIT_EXPECT_EQ(test, drm_shmem_mmap_offset(&bo->obj, &offset), -ENOSPC);
	KUNIT_EXPECT_EQ(test, offset, 1);
	drm_vma_offset_remove(addresses, &all);
	KUNIT_EXPECT_EQ(test, drm_shmem_mmap_offset(&bo->obj, &offset), 0);
	KUNIT_EXPECT_EQ(test, offset, drm_vma_node_offset_addr(&drm_shmem_gem(&bo->obj)->vma_node));
}

/* An object that the driver made itself may be smaller than an object of the library. */
static struct drm_gem_shmem_object *no_type_made;

static struct drm_gem_object *no_type_create_object(struct drm_device *drm, size_t size)
{
	no_type_made = kzalloc_obj(*no_type_made);
	return no_type_made ? &no_type_made->base : ERR_PTR(-ENOMEM);
}

DEFINE_DRM_GEM_FOPS(no_type_fops);

/* The first has no gem_create_object, the second one of its own. */
static const struct drm_driver no_type_drivers[] = {
	{
		.driver_features = DRIVER_GEM | DRIVER_RENDER,
		.fops = &no_type_fops,
		.name = "no_type",
		DRM_SHMEM_DRIVER_OPS,
	},
	{
		.driver_features = DRIVER_GEM | DRIVER_RENDER,
		.fops = &no_type_fops,
		.name = "no_type",
		.gem_create_object = no_type_create_object,
		DRM_SHMEM_DRIVER_OPS,
	},
};

static void no_type_gen_desc(const struct drm_driver *driver, char *desc)
{
	strscpy(desc, driver->gem_create_object ? "own" : "none", KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(no_type, no_type_drivers, no_type_gen_desc);

/* Dumb buffers and imports are of the type that gem_create_object names. */
static void no_type(struct kunit *test)
{
	struct drm_device *drm = shmem_test_device(test, drm_safe_test_parent(test),
						   test->param_value);
	struct drm_mode_create_dumb args = { .width = 16, .height = 16, .bpp = 32 };
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, PAGE_SIZE);
	struct shmem_test *t = test->priv;

	kunit_warning_suppress(test) {
		KUNIT_EXPECT_PTR_EQ(test, drm->driver->gem_prime_import(drm, dmabuf),
				    ERR_PTR(-EINVAL));
		KUNIT_EXPECT_EQ(test, drm->driver->dumb_create(t->file, drm, &args), -EINVAL);
		EXPECT_BROKEN_TIMES(test, 2, "dumb buffers and imports have a type");
	}
	/* The memory for the dumb buffer is the driver's, and need not be from kzalloc(). */
	if (drm->driver->gem_create_object)
		kfree(no_type_made);
	shmem_test_export_put(dmabuf);
	KUNIT_EXPECT_EQ(test, atomic_read(&e.attached), 0);
}

static struct drm_gem_object *render_create_object(struct drm_device *drm, size_t size)
{
	return drm_shmem_gem_create_object(&test_bo_type);
}

static const struct drm_driver render_drivers[] = {
	{
		.driver_features = DRIVER_GEM | DRIVER_RENDER,
		.fops = &no_type_fops,
		.name = "render",
		.gem_create_object = render_create_object,
		DRM_SHMEM_RENDER_OPS,
	},
	{
		.driver_features = DRIVER_GEM | DRIVER_RENDER,
		.fops = &no_type_fops,
		.name = "render_sgt",
		.gem_create_object = render_create_object,
		DRM_SHMEM_RENDER_OPS_SGT,
	},
};

static void render_gen_desc(const struct drm_driver *driver, char *desc)
{
	strscpy(desc, driver->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(render, render_drivers, render_gen_desc);

/* A driver without a display has no dumb buffers, and imports like any other. */
static void render_ops(struct kunit *test)
{
	struct drm_device *drm = shmem_test_device(test, drm_safe_test_parent(test),
						   test->param_value);
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, PAGE_SIZE);
	struct drm_gem_object *gem = drm->driver->gem_prime_import(drm, dmabuf);

	/* The core's ioctls for dumb buffers fail with -ENOSYS. */
	KUNIT_EXPECT_NULL(test, drm->driver->dumb_create);
	KUNIT_EXPECT_NULL(test, drm->driver->dumb_map_offset);
	KUNIT_EXPECT_TRUE(test, drm->driver->show_fdinfo == drm_shmem_show_fdinfo);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, gem);
	KUNIT_EXPECT_NOT_NULL(test, drm_shmem_from_gem(&test_bo_type, gem));
	KUNIT_EXPECT_EQ(test, e.mapped, !!drm->driver->gem_prime_import_sg_table);
	drm_gem_object_put(gem);
	shmem_test_export_put(dmabuf);
	KUNIT_EXPECT_TRUE(test, e.released);
}

struct bare_bo {
	struct drm_shmem_obj obj;
};

DRM_SHMEM_OBJ_TYPE(bare_bo_type, struct bare_bo, obj, struct bare_bo_unique);

/* Without DRM_SHMEM_OBJ_FUNCS */
const struct bare_bo_type bare_bo_type = {};

static void no_functions(struct kunit *test)
{
	struct shmem_test *t = test->priv;

	kunit_warning_suppress(test) {
		KUNIT_EXPECT_PTR_EQ(test,
				    (void *)drm_shmem_create(&bare_bo_type, t->drm, PAGE_SIZE,
							     NULL),
				    ERR_PTR(-EINVAL));
		KUNIT_EXPECT_PTR_EQ(test, drm_shmem_gem_create_object(&bare_bo_type),
				    ERR_PTR(-EINVAL));
		EXPECT_BROKEN_TIMES(test, 2, "a type has the library's functions");
	}
}

/* Members that a driver sets after DRM_SHMEM_OBJ_FUNCS override it. */
static void own_functions(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct bare_bo_type own_vm_ops = { DRM_SHMEM_OBJ_FUNCS };
	struct bare_bo_type own_vunmap = { DRM_SHMEM_OBJ_FUNCS };

	own_vm_ops.base.funcs.vm_ops = &drm_gem_shmem_vm_ops;
	own_vunmap.base.funcs.vunmap = drm_gem_shmem_object_vunmap;
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_PTR_EQ(test,
				    (void *)drm_shmem_create(&own_vm_ops, t->drm, PAGE_SIZE, NULL),
				    ERR_PTR(-EINVAL));
		KUNIT_EXPECT_PTR_EQ(test, drm_shmem_gem_create_object(&own_vunmap),
				    ERR_PTR(-EINVAL));
		EXPECT_BROKEN_TIMES(test, 2, "a type has the library's functions");
	}
}

/* A step that casts to another type is seen if the debug option is set. */
static void step_of_other_type(struct kunit *test)
{
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);

	kunit_warning_suppress(test) {
		KUNIT_EXPECT_PTR_EQ(test, (void *)drm_shmem_from_obj(&reclaim_bo_type, &bo->obj),
				    (void *)bo);
		EXPECT_BROKEN_TIMES(test, IS_ENABLED(CONFIG_DRM_SAFE_DEBUG),
				    "a step knows the type of its object");
	}
	KUNIT_EXPECT_PTR_EQ(test, drm_shmem_from_obj(&test_bo_type, &bo->obj), bo);
}

static void note_release(struct drm_device *drm, void *data)
{
	*(bool *)data = true;
}

/* An object keeps its struct drm_device. */
static void object_keeps_device(struct kunit *test)
{
	struct device *parent = drm_safe_test_parent(test);
	struct drm_dev_ctx_unreg *unreg =
		drm_dev_ctx_alloc(parent, &shmem_test_driver, struct test_dev, ctx);
	bool released = false;
	struct drm_device *drm;
	struct test_bo *bo;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unreg);
	test_dev(drm_dev_ctx_unreg_drm(unreg))->test = test->priv;
	drm = drm_dev_ctx_bound_drm(&unreg->bound);
	KUNIT_ASSERT_EQ(test, drmm_add_action(drm, note_release, &released), 0);
	bo = test_bo_new(drm, PAGE_SIZE, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	KUNIT_ASSERT_EQ(test, drm_dev_ctx_register(parent, &unreg, NULL, NULL), 0);

	drm_safe_test_unbind(test, parent);
	KUNIT_EXPECT_FALSE(test, released);
	KUNIT_EXPECT_PTR_EQ(test, drm_shmem_gem(&bo->obj)->dev, drm);
	drm_shmem_put(&bo->obj);
	KUNIT_EXPECT_TRUE(test, released);
}

/* A bug of a driver: the last reference goes with the object's lock held. */
static void put_under_own_lock(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo *bo = test_bo_new(t->drm, PAGE_SIZE, NULL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	dma_resv_lock(drm_shmem_gem(&bo->obj)->resv, NULL);
	kunit_warning_suppress(test) {
		drm_shmem_put(&bo->obj);
		EXPECT_BROKEN(test, "an object is not freed under its reservation lock");
	}
	KUNIT_EXPECT_EQ(test, t->live, 1);
	dma_resv_unlock(drm_shmem_gem(&bo->obj)->resv);
	/* Free it after all: it has a reference that nobody has. */
	drm_shmem_put(&bo->obj);
	KUNIT_EXPECT_EQ(test, t->live, 0);
}

static struct kunit_case drm_shmem_obj_cases[] = {
	KUNIT_CASE(create_sizes),
	KUNIT_CASE(create_init_step),
	KUNIT_CASE(create_init_fails),
	KUNIT_CASE(create_resv_parent),
	KUNIT_CASE(create_resv_locked),
	KUNIT_CASE(unique_scope),
	KUNIT_CASE(handle_unpublished),
	KUNIT_CASE(handles),
	KUNIT_CASE(handle_closed_with_file),
	KUNIT_CASE(handle_open_fails),
	KUNIT_CASE(handle_of_other_device),
	KUNIT_CASE(lookup_core_made),
	KUNIT_CASE(lookup_other_type),
	KUNIT_CASE(dumb),
	KUNIT_CASE(mmap_offset),
	KUNIT_CASE(no_mmap_offset),
	KUNIT_CASE_PARAM(no_type, no_type_gen_params),
	KUNIT_CASE_PARAM(render_ops, render_gen_params),
	KUNIT_CASE(no_functions),
	KUNIT_CASE(own_functions),
	KUNIT_CASE(step_of_other_type),
	KUNIT_CASE(object_keeps_device),
	KUNIT_CASE(put_under_own_lock),
	{}
};

static struct kunit_suite drm_shmem_obj_suite = {
	.name = "drm_shmem_obj",
	.init = shmem_test_init,
	.test_cases = drm_shmem_obj_cases,
};

kunit_test_suite(drm_shmem_obj_suite);
