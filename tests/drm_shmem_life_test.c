// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The beginning and the end of an object, with other threads inside: lookups,
 * the shrinker, revocation, and drm_exec.
 */

#include <kunit/static_stub.h>
#include <linux/completion.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/workqueue.h>

#include <drm/drm_exec.h>
#include <drm/drm_prime.h>

#include "drm_shmem_internal.h"
#include "drm_shmem_test.h"

struct life_page {
	DRM_VMAP(PAGE_SIZE);
};

struct life_page_owned {
	DRM_VMAP_OWNED(struct life_page);
};

struct life_bo {
	struct drm_shmem_obj obj;
	struct drm_shmem_sgt_owned table;
	int *part;			/* made by init, freed by fini */
};

DRM_SHMEM_OBJ_TYPE(life_bo_type, struct life_bo, obj, struct life_bo_unique);

/* The behaviour of the steps of a test's objects, and their log */
struct life {
	struct kunit *test;
	int (*init)(struct life_bo *bo);
	void (*evict)(struct life_bo *bo);
	void (*fini)(struct life_bo *bo);
	bool fini_waits;
	struct completion in_fini;
	struct completion leave_fini;
	struct drm_gem_object *found;
	struct work_struct *unbind;
	int inits, finis, evicts, revoked;
	unsigned int revoked_refs;
};

/* One test runs at a time, and imports have no argument. */
static struct life *life;

static int life_bo_init(struct drm_shmem_obj *obj)
{
	struct life_bo *bo = drm_shmem_from_obj(&life_bo_type, obj);
	int ret = life->init ? life->init(bo) : 0;

	if (ret)
		return ret;
	bo->part = kzalloc_obj(*bo->part);
	if (!bo->part)
		return -ENOMEM;
	life->inits++;
	return 0;
}

static void life_bo_fini(struct drm_shmem_obj *obj)
{
	struct life_bo *bo = drm_shmem_from_obj(&life_bo_type, obj);

	kfree(bo->part);
	life->finis++;
	if (life->fini)
		life->fini(bo);
	if (life->fini_waits) {
		complete(&life->in_fini);
		wait_for_completion(&life->leave_fini);
	}
}

static int life_bo_evict(struct drm_shmem_obj *obj)
{
	struct life_bo *bo = drm_shmem_from_obj(&life_bo_type, obj);

	life->evicts++;
	if (life->evict)
		life->evict(bo);
	drm_shmem_sgt_suspend(&bo->table);
	return *bo->part;
}

static void life_bo_sgt_revoked(struct drm_shmem_obj *obj)
{
	struct life_bo *bo = drm_shmem_from_obj(&life_bo_type, obj);

	life->revoked++;
	life->revoked_refs = kref_read(&drm_shmem_gem(obj)->refcount);
	KUNIT_EXPECT_EQ(life->test, *bo->part, 0);
}

const struct life_bo_type life_bo_type = {
	DRM_SHMEM_OBJ_FUNCS,
	.base.flags = DRM_SHMEM_RECLAIM,
	.base.init = life_bo_init,
	.base.fini = life_bo_fini,
	.base.evict = life_bo_evict,
	.base.sgt_revoked = life_bo_sgt_revoked,
};

static struct drm_gem_object *life_gem_create_object(struct drm_device *drm, size_t size)
{
	return drm_shmem_gem_create_object(&life_bo_type);
}

DEFINE_DRM_GEM_FOPS(life_fops);

static const struct drm_driver life_driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER,
	.fops = &life_fops,
	.name = "life_test",
	.desc = "test device of drm_shmem_safe",
	.gem_create_object = life_gem_create_object,
	DRM_SHMEM_DRIVER_OPS,
};

static const struct drm_driver life_driver_sgt = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER,
	.fops = &life_fops,
	.name = "life_test_sgt",
	.desc = "test device of drm_shmem_safe",
	.gem_create_object = life_gem_create_object,
	DRM_SHMEM_DRIVER_OPS_SGT,
};

static int life_init(struct kunit *test)
{
	int ret = shmem_test_init(test);

	if (ret)
		return ret;
	life = kunit_kzalloc(test, sizeof(*life), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, life);
	life->test = test;
	init_completion(&life->in_fini);
	init_completion(&life->leave_fini);
	return 0;
}

static struct life_bo *life_bo(struct kunit *test, struct drm_gem_object *parent)
{
	struct shmem_test *t = test->priv;
	struct drm_shmem_opts opts = { .resv_parent = parent };
	struct life_bo_unique *unique = drm_shmem_create(&life_bo_type, t->drm, 2 * PAGE_SIZE,
							 &opts);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unique);
	return drm_shmem_publish(&life_bo_type, &unique);
}

static int life_map(struct drm_device *drm, struct life_bo *bo)
{
	int ret;

	drm_dev_ctx_or(test_reg, reg, test_ctx(drm), return -ESHUTDOWN);
	drm_shmem_sgt_or(sgt, &reg->base.bound, &bo->obj, ret, return ret);
	return 0;
}

static struct life_bo *life_bo_mapped(struct kunit *test, struct drm_gem_object *parent)
{
	struct shmem_test *t = test->priv;
	struct life_bo *bo = life_bo(test, parent);

	KUNIT_ASSERT_EQ(test, life_map(t->drm, bo), 0);
	return bo;
}

/* A put from another thread */
struct life_put {
	struct work_struct work;
	struct life_bo *bo;
};

static void life_put_fn(struct work_struct *work)
{
	drm_shmem_put(&container_of(work, struct life_put, work)->bo->obj);
}

static struct work_struct *life_put(struct kunit *test, struct life_bo *bo)
{
	struct life_put *put = kunit_kzalloc(test, sizeof(*put), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, put);
	INIT_WORK(&put->work, life_put_fn);
	put->bo = bo;
	return &put->work;
}

static bool life_has_offset(struct life_bo *bo)
{
	return drm_vma_node_start(&drm_shmem_gem(&bo->obj)->vma_node);
}

/* For an import, as mmap() of a guessed offset, between the two steps of the core's lookup */
static int init_found(struct life_bo *bo)
{
	life->found = drm_shmem_gem(&bo->obj);
	drm_gem_object_get(life->found);
	return -EXDEV;
}

/* An object whose init step failed goes with its last reference, without fini. */
static void init_fails_while_found(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo *parent = shmem_test_bo(test, PAGE_SIZE);
	struct drm_shmem_opts opts = { .resv_parent = drm_shmem_gem(&parent->obj) };
	unsigned int refs = kref_read(&t->drm->ref);
	void *ret;

	life->init = init_found;
	for (int i = 0; i < 2; i++) {
		ret = drm_shmem_create(&life_bo_type, t->drm, 2 * PAGE_SIZE, i ? &opts : NULL);
		KUNIT_EXPECT_PTR_EQ(test, ret, ERR_PTR(-EXDEV));
		KUNIT_ASSERT_NOT_NULL(test, life->found);
		KUNIT_EXPECT_EQ(test, kref_read(&life->found->refcount), 1);
		KUNIT_EXPECT_EQ(test, kref_read(&t->drm->ref), refs + 1);
		KUNIT_EXPECT_NULL(test, drm_shmem_from_gem(&life_bo_type, life->found));
		drm_gem_object_put(life->found);
		KUNIT_EXPECT_EQ(test, kref_read(&t->drm->ref), refs);
	}
	KUNIT_EXPECT_EQ(test, kref_read(&drm_shmem_gem(&parent->obj)->refcount), 1);
	KUNIT_EXPECT_EQ(test, life->finis, 0);
}

/* Maps the table, for which a caller may hold the lock */
static int init_maps_locked(struct life_bo *bo)
{
	struct drm_gem_object *gem = drm_shmem_gem(&bo->obj);
	int ret;

	drm_dev_ctx_or(test_reg, reg, test_ctx(gem->dev), return -ESHUTDOWN);
	drm_shmem_sgt_or_locked(sgt, &reg->base.bound, &bo->obj, ret, return ret);
	return 0;
}

/* The lock of the parent can be held all along. */
static void init_maps_under_lock(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo *parent = shmem_test_bo(test, PAGE_SIZE);
	struct drm_shmem_opts opts = {
		.resv_parent = drm_shmem_gem(&parent->obj), .resv_locked = true,
	};
	struct life_bo_unique *unique;
	struct life_bo *bo;

	life->init = init_maps_locked;
	dma_resv_lock(opts.resv_parent->resv, NULL);
	unique = drm_shmem_create(&life_bo_type, t->drm, 2 * PAGE_SIZE, &opts);
	KUNIT_EXPECT_TRUE(test, drm_resv_is_held(opts.resv_parent->resv));
	dma_resv_unlock(opts.resv_parent->resv);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unique);
	bo = drm_shmem_publish(&life_bo_type, &unique);
	KUNIT_EXPECT_TRUE(test, drm_shmem_has_sgt(&bo->obj));
	drm_shmem_put(&bo->obj);
	KUNIT_EXPECT_EQ(test, life->finis, 1);
}

static struct shmem_test_holder *life_holder;

/* Maps the table, whose lock another task has afterwards, when the task is killed */
static int init_maps_and_is_killed(struct life_bo *bo)
{
	struct drm_gem_object *gem = drm_shmem_gem(&bo->obj);
	int ret = life_map(gem->dev, bo);

	life_holder = shmem_test_hold(life->test, gem->resv);
	sigaddset(&current->pending.signal, SIGKILL);
	set_thread_flag(TIF_SIGPENDING);
	return ret;
}

static void import_killed_after_init(struct kunit *test)
{
	struct drm_device *drm = shmem_test_device(test, drm_safe_test_parent(test), &life_driver);
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, 2 * PAGE_SIZE);

	life->init = init_maps_and_is_killed;
	KUNIT_EXPECT_PTR_EQ(test, drm->driver->gem_prime_import(drm, dmabuf), ERR_PTR(-EINTR));
	sigdelset(&current->pending.signal, SIGKILL);
	clear_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_EQ(test, life->inits, 1);
	KUNIT_EXPECT_EQ(test, life->finis, 1);
	KUNIT_EXPECT_TRUE(test, shmem_test_leave(life_holder));
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, e.mapped, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&e.attached), 0);
	shmem_test_export_put(dmabuf);
	KUNIT_EXPECT_TRUE(test, e.released);
}

static void fini_maps_import(struct life_bo *bo)
{
	struct drm_device *drm = drm_shmem_gem(&bo->obj)->dev;
	int ret;

	drm_vmap_guard(life_page, map, &bo->obj, ret)
		KUNIT_FAIL(life->test, "the object ends");
	KUNIT_EXPECT_EQ(life->test, ret, -EINVAL);
	KUNIT_EXPECT_EQ(life->test, life_map(drm, bo), -EINVAL);

	/* It does not begin to wait for the lock either, which the signal would end. */
	life_holder = shmem_test_hold(life->test, drm_shmem_gem(&bo->obj)->resv);
	set_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_EQ(life->test, drm_shmem_lock_prepared_interruptible(&bo->obj), -EINVAL);
	clear_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_TRUE(life->test, shmem_test_leave(life_holder));
}

/* The end of an import may run under the locks of others, and waits for no exporter. */
static void import_not_mapped_at_end(struct kunit *test)
{
	struct drm_device *drm = shmem_test_device(test, drm_safe_test_parent(test), &life_driver);
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, 2 * PAGE_SIZE);
	struct drm_gem_object *gem = drm->driver->gem_prime_import(drm, dmabuf);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, gem);
	life->fini = fini_maps_import;
	kunit_warning_suppress(test) {
		drm_gem_object_put(gem);
		EXPECT_BROKEN_TIMES(test, 3, "an import is not mapped at its end");
	}
	KUNIT_EXPECT_EQ(test, e.maps, 0);
	KUNIT_EXPECT_EQ(test, e.vmapped, 0);
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, atomic_read(&e.attached), 0);
	shmem_test_export_put(dmabuf);
	KUNIT_EXPECT_TRUE(test, e.released);
}

static const struct drm_driver *const life_drivers[] = { &life_driver, &life_driver_sgt };

static void life_driver_desc(const struct drm_driver *const *driver, char *desc)
{
	strscpy(desc, (*driver)->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(life_driver, life_drivers, life_driver_desc);

static struct drm_gem_object *life_import(struct drm_device *drm, struct dma_buf *dmabuf)
{
	if (drm->driver->gem_prime_import)
		return drm->driver->gem_prime_import(drm, dmabuf);
	return drm_gem_prime_import(drm, dmabuf);
}

static struct drm_device *life_device(struct kunit *test)
{
	const struct drm_driver *const *driver = test->param_value;

	return shmem_test_device(test, drm_safe_test_parent(test), *driver);
}

static void import_init_fails_while_found(struct kunit *test)
{
	struct drm_device *drm = life_device(test);
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, 2 * PAGE_SIZE);
	unsigned int refs = kref_read(&drm->ref);

	life->init = init_found;
	KUNIT_EXPECT_PTR_EQ(test, life_import(drm, dmabuf), ERR_PTR(-EXDEV));
	KUNIT_ASSERT_NOT_NULL(test, life->found);
	KUNIT_EXPECT_EQ(test, kref_read(&life->found->refcount), 1);
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, e.mapped, 0);
	drm_gem_object_put(life->found);
	KUNIT_EXPECT_EQ(test, kref_read(&drm->ref), refs);
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, atomic_read(&e.attached), 0);
	KUNIT_EXPECT_EQ(test, life->finis, 0);
	shmem_test_export_put(dmabuf);
	KUNIT_EXPECT_TRUE(test, e.released);
}

/* The ways to create an object. Each allocation fails in turn. */
struct life_way {
	const char *name;
	const struct drm_driver *driver;
	bool import, dumb, shared;
};

static const struct life_way life_ways[] = {
	{ "create", &life_driver },
	{ "create, shared lock", &life_driver, .shared = true },
	{ "dumb buffer", &life_driver, .dumb = true },
	{ "import", &life_driver, .import = true },
	{ "import, mapped at once", &life_driver_sgt, .import = true },
};

static void life_way_desc(const struct life_way *way, char *desc)
{
	strscpy(desc, way->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(life_way, life_ways, life_way_desc);

struct life_making {
	const struct life_way *way;
	struct drm_device *drm;
	struct drm_file *file;
	struct drm_gem_object *parent;
	struct shmem_test_export e;
	struct dma_buf *dmabuf;
	u32 handle;
};

/* Another task has found the object, and holds it when the next step fails. */
static int init_is_found(struct life_bo *bo)
{
	life->found = drm_shmem_gem(&bo->obj);
	drm_gem_object_get(life->found);
	return 0;
}

/* An object with a reference, or with a handle if it is a dumb buffer */
static struct drm_gem_object *life_make(struct life_making *m)
{
	struct drm_mode_create_dumb args = { .width = 64, .height = 64, .bpp = 32 };
	struct drm_shmem_opts opts = { .resv_parent = m->parent };
	struct life_bo_unique *unique;
	int ret;

	if (m->way->import)
		return life_import(m->drm, m->dmabuf);
	if (m->way->dumb) {
		ret = m->drm->driver->dumb_create(m->file, m->drm, &args);
		m->handle = args.handle;
		return ret ? ERR_PTR(ret) : NULL;
	}
	unique = drm_shmem_create(&life_bo_type, m->drm, 2 * PAGE_SIZE, &opts);
	if (IS_ERR(unique))
		return ERR_CAST(unique);
	return drm_shmem_gem(&drm_shmem_publish(&life_bo_type, &unique)->obj);
}

/* Only the other task's references are left, and then nothing at all. */
static void life_check_gone(struct kunit *test, struct life_making *m, unsigned int refs)
{
	if (life->found) {
		KUNIT_EXPECT_EQ(test, kref_read(&life->found->refcount), 1);
		KUNIT_EXPECT_EQ(test, life->found->handle_count, 0);
		KUNIT_EXPECT_EQ(test, drm_vma_node_start(&life->found->vma_node), 0);
		drm_gem_object_put(life->found);
	}
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, life->finis, life->inits);
	KUNIT_EXPECT_EQ(test, kref_read(&m->drm->ref), refs);
	KUNIT_EXPECT_TRUE(test, idr_is_empty(&m->file->object_idr));
	KUNIT_EXPECT_EQ(test, atomic_read(&m->e.attached), 0);
	KUNIT_EXPECT_EQ(test, m->e.mapped, 0);
	if (m->parent)
		KUNIT_EXPECT_EQ(test, kref_read(&m->parent->refcount), 1);
}

static int life_make_fn(struct kunit *test, void *ctx)
{
	struct life_making *m = ctx;
	unsigned int refs = kref_read(&m->drm->ref), left;
	struct drm_gem_object *gem;

	life->found = NULL;
	gem = life_make(m);
	left = drm_safe_fail_pause();
	if (!gem)
		drm_gem_handle_delete(m->file, m->handle);
	else if (!IS_ERR(gem))
		drm_gem_object_put(gem);
	life_check_gone(test, m, refs);
	drm_safe_fail_resume(left);
	return PTR_ERR_OR_ZERO(gem);
}

/* Whichever step fails, an object that is found goes with its last reference, and once. */
static void each_step_fails(struct kunit *test)
{
	const struct life_way *way = test->param_value;
	struct drm_device *drm = shmem_test_device(test, drm_safe_test_parent(test), way->driver);
	struct file *filp = drm_safe_test_open(test, drm->render);
	struct life_making m = { .way = way, .drm = drm };

	if (!IS_ENABLED(CONFIG_FAULT_INJECTION_DEBUG_FS))
		kunit_skip(test, "needs CONFIG_FAULT_INJECTION_DEBUG_FS");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, filp);
	m.file = filp->private_data;
	m.dmabuf = shmem_test_export(test, &m.e, 2 * PAGE_SIZE);
	if (way->shared) {
		struct life_bo_unique *unique = drm_shmem_create(&life_bo_type, drm, PAGE_SIZE,
								 NULL);

		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unique);
		m.parent = drm_shmem_gem(&drm_shmem_publish(&life_bo_type, &unique)->obj);
		life->inits = 0;
	}
	life->init = init_is_found;
	KUNIT_EXPECT_GE(test, drm_safe_fail_nth(test, life_make_fn, &m), 3);
	if (m.parent)
		drm_gem_object_put(m.parent);
	shmem_test_export_put(m.dmabuf);
	KUNIT_EXPECT_TRUE(test, m.e.released);
}

/* The init step of an import finds the table that there is, and makes no second. */
static int init_maps(struct life_bo *bo)
{
	return life_map(drm_shmem_gem(&bo->obj)->dev, bo);
}

static void import_init_maps(struct kunit *test)
{
	struct drm_device *drm = life_device(test);
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, 2 * PAGE_SIZE);
	struct drm_gem_object *gem;

	life->init = init_maps;
	gem = life_import(drm, dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, gem);
	KUNIT_EXPECT_EQ(test, e.maps, 1);
	drm_gem_object_put(gem);
	KUNIT_EXPECT_EQ(test, life->finis, 1);
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, e.mapped, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&e.attached), 0);
	shmem_test_export_put(dmabuf);
}

/* An init step that owns the table, and fails without giving it back */
static int init_owns(struct life_bo *bo)
{
	life->found = drm_shmem_gem(&bo->obj);
	drm_dev_ctx_or(test_reg, reg, test_ctx(life->found->dev), return -ESHUTDOWN);
	return drm_shmem_sgt_own(&bo->table, &reg->base.bound, &bo->obj) ?: -EXDEV;
}

/* The core has the table back: owned handles are refused, and counted as before. */
static void import_init_owns_and_fails(struct kunit *test)
{
	struct drm_device *drm = shmem_test_device(test, drm_safe_test_parent(test),
						   &life_driver_sgt);
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, 2 * PAGE_SIZE);
	struct drm_shmem_sgt_owned other = {};
	struct life_bo *bo;
	int ret = 0;

	life->init = init_owns;
	KUNIT_EXPECT_PTR_EQ(test, life_import(drm, dmabuf), ERR_PTR(-EXDEV));
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, e.mapped, 0);
	bo = container_of(life->found, struct life_bo, obj.base.base);
	drm_dev_ctx_guard(test_reg, reg, test_ctx(drm)) {
		drm_shmem_sgt_guard_owned(sgt, &reg->base.bound, &bo->table, ret)
			KUNIT_FAIL(test, "the table is the core's");
		KUNIT_EXPECT_EQ(test, ret, -ENODEV);
		KUNIT_EXPECT_EQ(test, drm_shmem_sgt_own(&other, &reg->base.bound, &bo->obj),
				-ENODEV);
	}
	KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.__table.__users), 2);
	drm_gem_object_get(life->found);
	drm_shmem_sgt_release(&bo->table);
	KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.__table.__users), 1);
	KUNIT_EXPECT_EQ(test, kref_read(&life->found->refcount), 1);
	drm_gem_object_put(life->found);
	shmem_test_export_put(dmabuf);
	KUNIT_EXPECT_TRUE(test, e.released);
}

/* Expects that neither a handle, nor a dma-buf, nor an offset is made, and no shrinker told. */
static void expect_private(struct kunit *test, struct life_bo *bo)
{
	struct shmem_test *t = test->priv;
	struct drm_shmem_shrinker *s = &test_dev(t->drm)->shrinker;
	struct drm_gem_object *gem = drm_shmem_gem(&bo->obj);
	u64 offset = 0;
	u32 handle;

	KUNIT_EXPECT_FALSE(test, life_has_offset(bo));
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, drm_gem_handle_create(t->file, gem, &handle), -EINVAL);
		KUNIT_EXPECT_PTR_EQ(test, gem->funcs->export(gem, 0), ERR_PTR(-EINVAL));
		KUNIT_EXPECT_EQ(test, drm_shmem_mmap_offset(&bo->obj, &offset), -EINVAL);
		KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&bo->obj, DRM_SHMEM_DONTNEED, s), -EINVAL);
		shmem_test_touch(&bo->obj, s);
		EXPECT_BROKEN_TIMES(test, 5, "publish before use");
	}
	KUNIT_EXPECT_EQ(test, bo->obj.base.madv, 0);
	KUNIT_EXPECT_NULL(test, gem->lru);
	KUNIT_EXPECT_FALSE(test, life_has_offset(bo));
	KUNIT_EXPECT_EQ(test, kref_read(&gem->refcount), 1);
}

static int init_private(struct life_bo *bo)
{
	struct vm_area_struct vma = {};
	int ret;

	expect_private(life->test, bo);
	KUNIT_EXPECT_NULL(life->test, drm_shmem_from_gem(&life_bo_type, drm_shmem_gem(&bo->obj)));
	KUNIT_EXPECT_EQ(life->test,
			drm_shmem_gem(&bo->obj)->funcs->mmap(drm_shmem_gem(&bo->obj), &vma),
			-EINVAL);
	KUNIT_EXPECT_EQ(life->test, drm_shmem_evict(&bo->obj), 0);

	/* The init step can fill it. */
	drm_vmap_guard(life_page, map, &bo->obj, ret)
		drm_vmap_write32(map, 0, 4711);
	return ret ?: init_maps(bo);
}

/* An object is not found before it is published, and by offset only if userspace asks for one. */
static void private_until_published(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct life_bo_unique *unique;
	struct life_bo *bo;
	u64 offset = 0;

	KUNIT_ASSERT_EQ(test, drmm_shmem_shrinker_init(t->drm, &test_dev(t->drm)->shrinker), 0);
	life->init = init_private;
	unique = drm_shmem_create(&life_bo_type, t->drm, 2 * PAGE_SIZE, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unique);
	bo = drm_shmem_from_unique(&life_bo_type, unique);
	KUNIT_EXPECT_PTR_EQ(test, drm_shmem_from_gem(&life_bo_type, drm_shmem_gem(&bo->obj)), bo);
	expect_private(test, bo);

	bo = drm_shmem_publish(&life_bo_type, &unique);
	KUNIT_EXPECT_FALSE(test, life_has_offset(bo));
	KUNIT_EXPECT_EQ(test, drm_shmem_mmap_offset(&bo->obj, &offset), 0);
	KUNIT_EXPECT_TRUE(test, life_has_offset(bo));
	drm_shmem_put(&bo->obj);
	KUNIT_EXPECT_EQ(test, life->finis, 1);
}

/* An object that the shrinker would evict, if its type were not incomplete */
static int init_evicted(struct life_bo *bo)
{
	int ret = init_maps(bo);

	KUNIT_EXPECT_EQ(life->test, drm_shmem_evict(&bo->obj), -EBUSY);
	return ret;
}

static void init_is_not_evicted(struct kunit *test)
{
	life->init = init_evicted;
	drm_shmem_put(&life_bo(test, NULL)->obj);
	KUNIT_EXPECT_EQ(test, life->evicts, 0);
}

/* A dma-buf has an offset, at which the core maps and unmaps it. */
static void exported_has_offset(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct life_bo *bo = life_bo(test, NULL);
	struct dma_buf *dmabuf;
	u32 handle;

	KUNIT_ASSERT_EQ(test, drm_shmem_handle_create(&bo->obj, t->file, &handle), 0);
	KUNIT_EXPECT_FALSE(test, life_has_offset(bo));
	dmabuf = drm_gem_prime_handle_to_dmabuf(t->drm, t->file, handle, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	KUNIT_EXPECT_TRUE(test, life_has_offset(bo));
	KUNIT_EXPECT_EQ(test, drm_gem_handle_delete(t->file, handle), 0);
	shmem_test_export_put(dmabuf);
	drm_shmem_put(&bo->obj);
}

/* The init step mapped the table, and then the parent is unbound. */
static int init_unbound(struct life_bo *bo)
{
	int ret = init_maps(bo);

	shmem_test_unbind(life->test);
	KUNIT_EXPECT_EQ(life->test, life->revoked, 0);
	return ret;
}

static int init_unbound_fails(struct life_bo *bo)
{
	return init_unbound(bo) ?: -EXDEV;
}

static void init_revoked(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct life_bo_unique *unique;

	life->init = init_unbound;
	unique = drm_shmem_create(&life_bo_type, t->drm, 2 * PAGE_SIZE, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unique);
	/* Told when there was somebody to tell */
	KUNIT_EXPECT_EQ(test, life->revoked, 1);
	drm_shmem_put(&drm_shmem_from_unique(&life_bo_type, unique)->obj);
	KUNIT_EXPECT_EQ(test, life->revoked, 1);
	KUNIT_EXPECT_EQ(test, life->finis, 1);
}

static void init_revoked_fails(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	unsigned int refs = kref_read(&t->drm->ref);
	void *ret;

	life->init = init_unbound_fails;
	ret = drm_shmem_create(&life_bo_type, t->drm, 2 * PAGE_SIZE, NULL);
	KUNIT_EXPECT_PTR_EQ(test, ret, ERR_PTR(-EXDEV));
	KUNIT_EXPECT_EQ(test, life->revoked, 0);
	KUNIT_EXPECT_EQ(test, life->finis, 0);
	/* Unbinding put one. */
	KUNIT_EXPECT_EQ(test, kref_read(&t->drm->ref), refs - 1);
}

/*
 * A device that is plugged, and whose parent is not bound: one that was never registered,
 * and that nobody can open. The table stays the core's then.
 */
static void import_unbound(struct kunit *test)
{
	struct device *parent = drm_safe_test_parent(test);
	struct drm_dev_ctx_unreg *unreg =
		drm_dev_ctx_alloc(parent, &life_driver_sgt, struct test_dev, ctx);
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, 2 * PAGE_SIZE);
	struct drm_device *drm;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unreg);
	drm = drm_dev_ctx_bound_drm(&unreg->bound);
	drm_dev_get(drm);
	drm_dev_ctx_drop(&unreg);
	drm_safe_test_unbind(test, parent);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_PTR_EQ(test, life_import(drm, dmabuf), ERR_PTR(-ENODEV));
		EXPECT_BROKEN(test, "proofs end with their scope");
	}
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, atomic_read(&e.attached), 0);
	KUNIT_EXPECT_EQ(test, e.mapped, 0);
	KUNIT_EXPECT_EQ(test, life->inits, 0);
	drm_dev_put(drm);
	shmem_test_export_put(dmabuf);
}

static bool can_swap(void)
{
	return true;
}

/* The shrinker asks nothing of an object whose end began. */
static void no_evict_after_fini(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_shmem_shrinker *s = &test_dev(t->drm)->shrinker;
	struct life_bo *bo;
	struct work_struct *put;

	KUNIT_ASSERT_EQ(test, drmm_shmem_shrinker_init(t->drm, s), 0);
	kunit_activate_static_stub(test, drm_shmem_can_swap, can_swap);
	bo = life_bo_mapped(test, NULL);
	shmem_test_touch(&bo->obj, s);
	put = life_put(test, bo);

	life->fini_waits = true;
	schedule_work(put);
	wait_for_completion(&life->in_fini);
	KUNIT_EXPECT_EQ(test, shmem_test_scan(s, 100), SHRINK_STOP);
	KUNIT_EXPECT_EQ(test, life->evicts, 0);
	complete(&life->leave_fini);
	flush_work(put);
}

/* Unbinding waits for an object whose end began, and tells it nothing. */
static void no_revoke_after_fini(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct work_struct *unbind = drm_safe_test_unbind_work(test, t->parent);
	struct life_bo *bo = life_bo_mapped(test, NULL);
	struct work_struct *put = life_put(test, bo);

	life->fini_waits = true;
	schedule_work(put);
	wait_for_completion(&life->in_fini);
	/* Its table stays mapped until the driver is done with it. */
	drm_safe_test_work_waits(test, unbind, wq_has_sleeper(&test_ctx(t->drm)->__ended));
	KUNIT_EXPECT_TRUE(test, drm_shmem_has_sgt(&bo->obj));
	complete(&life->leave_fini);
	flush_work(put);
	flush_work(unbind);
	KUNIT_EXPECT_EQ(test, life->revoked, 0);
	KUNIT_EXPECT_EQ(test, life->finis, 1);
}

/*
 * The last put of an import does not wait for the lock of its exporter; what needs the lock
 * is done later.
 */
static void import_put_does_not_wait(struct kunit *test)
{
	struct drm_device *drm = life_device(test);
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, 2 * PAGE_SIZE);
	struct drm_gem_object *gem = life_import(drm, dmabuf);
	struct shmem_test_holder *holder;
	int mapped = e.mapped;
	unsigned int refs;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, gem);
	refs = kref_read(&drm->ref);
	holder = shmem_test_hold(test, dmabuf->resv);
	drm_gem_object_put(gem);
	KUNIT_EXPECT_EQ(test, life->finis, 1);
	/* Only the attachment and its table are left. */
	KUNIT_EXPECT_EQ(test, kref_read(&drm->ref), refs - 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&e.attached), 1);
	KUNIT_EXPECT_EQ(test, e.mapped, mapped);
	KUNIT_EXPECT_TRUE(test, shmem_test_leave(holder));
	shmem_test_export_put(dmabuf);
	KUNIT_EXPECT_EQ(test, atomic_read(&e.attached), 0);
	KUNIT_EXPECT_EQ(test, e.mapped, 0);
	KUNIT_EXPECT_TRUE(test, e.released);
}

/* Unbinding does: it waits until a table that is left was unmapped. */
static void import_put_then_unbind(struct kunit *test)
{
	struct device *parent = drm_safe_test_parent(test);
	struct drm_device *drm = shmem_test_device(test, parent, &life_driver_sgt);
	struct work_struct *unbind = drm_safe_test_unbind_work(test, parent);
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, 2 * PAGE_SIZE);
	struct drm_gem_object *gem = life_import(drm, dmabuf);
	struct shmem_test_holder *holder;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, gem);
	holder = shmem_test_hold(test, dmabuf->resv);
	drm_gem_object_put(gem);
	drm_safe_test_work_waits(test, unbind, wq_has_sleeper(&test_ctx(drm)->__ended));
	KUNIT_EXPECT_EQ(test, e.mapped, 1);
	KUNIT_EXPECT_TRUE(test, shmem_test_leave(holder));
	flush_work(unbind);
	KUNIT_EXPECT_EQ(test, e.mapped, 0);
	KUNIT_EXPECT_EQ(test, life->revoked, 0);
	shmem_test_export_put(dmabuf);
	KUNIT_EXPECT_EQ(test, atomic_read(&e.attached), 0);
}

/* A put waits for no revocation: revocation has a reference of its own. */
static void revoked_with_reference(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo *parent = shmem_test_bo(test, PAGE_SIZE);
	struct dma_resv *resv = drm_shmem_gem(&parent->obj)->resv;
	struct life_bo *bo = life_bo_mapped(test, drm_shmem_gem(&parent->obj));
	struct work_struct *unbind = drm_safe_test_unbind_work(test, t->parent);
	struct work_struct *put = life_put(test, bo);

	dma_resv_lock(resv, NULL);
	drm_safe_test_work_waits(test, unbind, drm_safe_test_lock_waits(&resv->lock.base));
	schedule_work(put);
	flush_work(put);
	KUNIT_EXPECT_EQ(test, life->finis, 0);
	KUNIT_EXPECT_EQ(test, life->revoked, 0);
	dma_resv_unlock(resv);
	flush_work(unbind);
	KUNIT_EXPECT_EQ(test, life->revoked, 1);
	KUNIT_EXPECT_EQ(test, life->revoked_refs, 1);
	KUNIT_EXPECT_EQ(test, life->finis, 1);
}

/* drm_exec puts one object while it holds the lock of another. */
struct life_exec {
	struct work_struct work;
	struct life_bo *bo[2];
	struct completion locked;
	struct completion go;
};

static void life_exec_fn(struct work_struct *work)
{
	struct life_exec *w = container_of(work, struct life_exec, work);
	struct drm_exec exec;
	int ret;

	drm_exec_init(&exec, 0, 2);
	drm_exec_until_all_locked(&exec) {
		for (int i = 0; i < 2; i++) {
			ret = drm_exec_lock_obj(&exec, drm_shmem_gem(&w->bo[i]->obj));
			drm_exec_retry_on_contention(&exec);
			KUNIT_EXPECT_EQ(life->test, ret, 0);
		}
	}
	/* Now drm_exec has the last references. */
	for (int i = 0; i < 2; i++)
		drm_shmem_put(&w->bo[i]->obj);
	complete(&w->locked);
	wait_for_completion(&w->go);
	drm_exec_fini(&exec);
}

static struct life_exec *life_exec_empty(struct kunit *test)
{
	struct life_exec *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, w);
	INIT_WORK(&w->work, life_exec_fn);
	init_completion(&w->locked);
	init_completion(&w->go);
	return w;
}

static struct life_exec *life_exec(struct kunit *test)
{
	struct life_exec *w = life_exec_empty(test);

	for (int i = 0; i < 2; i++)
		w->bo[i] = life_bo(test, NULL);
	return w;
}

static bool life_exec_blocks(struct life_exec *w)
{
	return drm_safe_test_lock_waits(&drm_shmem_gem(&w->bo[0]->obj)->resv->lock.base) ||
	       drm_safe_test_lock_waits(&drm_shmem_gem(&w->bo[1]->obj)->resv->lock.base);
}

/* Revocation waits for the lock of the one or the other when drm_exec puts both. */
static void exec_against_unbind(struct kunit *test, int first)
{
	struct shmem_test *t = test->priv;
	struct life_exec *w = life_exec(test);
	struct work_struct *unbind = drm_safe_test_unbind_work(test, t->parent);

	KUNIT_ASSERT_EQ(test, life_map(t->drm, w->bo[first]), 0);
	KUNIT_ASSERT_EQ(test, life_map(t->drm, w->bo[!first]), 0);
	schedule_work(&w->work);
	wait_for_completion(&w->locked);
	drm_safe_test_work_waits(test, unbind, life_exec_blocks(w));
	complete(&w->go);
	flush_work(&w->work);
	flush_work(unbind);
	KUNIT_EXPECT_EQ(test, life->finis, 2);
}

static void exec_puts_last(struct kunit *test)
{
	exec_against_unbind(test, 0);
}

static void exec_puts_last_reverse(struct kunit *test)
{
	exec_against_unbind(test, 1);
}

/* Without an unbind, and with lockdep */
static void exec_puts_last_alone(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct life_exec *w = life_exec(test);

	KUNIT_ASSERT_EQ(test, life_map(t->drm, w->bo[1]), 0);
	complete(&w->go);
	schedule_work(&w->work);
	flush_work(&w->work);
	KUNIT_EXPECT_EQ(test, life->finis, 2);
}

/*
 * The same with two imports: the one is put under the lock of the other, and an older
 * submission of their exporter, which holds the lock of the former, waits for the latter.
 */
static void exec_puts_imports(struct kunit *test)
{
	struct drm_device *drm = life_device(test);
	struct life_exec *w = life_exec_empty(test);
	struct shmem_test_export e[2] = {};
	struct dma_buf *dmabuf[2];

	for (int i = 0; i < 2; i++) {
		struct drm_gem_object *gem;

		dmabuf[i] = shmem_test_export(test, &e[i], 2 * PAGE_SIZE);
		gem = life_import(drm, dmabuf[i]);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, gem);
		w->bo[i] = drm_shmem_from_gem(&life_bo_type, gem);
	}
	complete(&w->go);
	schedule_work(&w->work);
	flush_work(&w->work);
	KUNIT_EXPECT_EQ(test, life->finis, 2);
	for (int i = 0; i < 2; i++) {
		shmem_test_export_put(dmabuf[i]);
		KUNIT_EXPECT_EQ(test, atomic_read(&e[i].attached), 0);
		KUNIT_EXPECT_TRUE(test, e[i].released);
	}
}

/* Shrinker, unbinding and the last put meet. */
static void free_meets_shrinker_and_unbind(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_shmem_shrinker *s = &test_dev(t->drm)->shrinker;
	struct work_struct *unbind = drm_safe_test_unbind_work(test, t->parent);
	struct drm_device *drm = t->drm;
	struct work_struct *put;
	struct dma_resv *resv;
	struct life_bo *bo;

	KUNIT_ASSERT_EQ(test, drmm_shmem_shrinker_init(drm, s), 0);
	bo = life_bo_mapped(test, NULL);
	resv = drm_shmem_gem(&bo->obj)->resv;
	put = life_put(test, bo);
	KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&bo->obj, DRM_SHMEM_DONTNEED, s), 1);

	/* As a shrinker that has found the object, and works on it */
	mutex_lock(&drm->gem_lru_mutex);
	KUNIT_ASSERT_TRUE(test, dma_resv_trylock(resv));
	drm_safe_test_work_waits(test, put, drm_safe_test_lock_waits(&drm->gem_lru_mutex));
	drm_safe_test_work_waits(test, unbind, wq_has_sleeper(&test_ctx(drm)->__ended));
	dma_resv_unlock(resv);
	mutex_unlock(&drm->gem_lru_mutex);
	flush_work(put);
	flush_work(unbind);
	KUNIT_EXPECT_EQ(test, life->finis, 1);
	KUNIT_EXPECT_EQ(test, life->revoked, 0);
}

/* The driver's evict step is at work when the parent is unbound. */
static void evict_unbinds(struct life_bo *bo)
{
	const unsigned int refs = kref_read(&drm_shmem_gem(&bo->obj)->refcount);

	/* Revocation has a reference when it waits for the lock, which this task holds. */
	schedule_work(life->unbind);
	while (kref_read(&drm_shmem_gem(&bo->obj)->refcount) == refs)
		schedule_timeout_idle(1);
}

static void evict_meets_unbind(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct life_bo *bo = life_bo_mapped(test, NULL);

	life->unbind = drm_safe_test_unbind_work(test, t->parent);
	life->evict = evict_unbinds;
	KUNIT_EXPECT_EQ(test, drm_shmem_evict(&bo->obj), -EBUSY);
	flush_work(life->unbind);
	KUNIT_EXPECT_EQ(test, life->revoked, 1);
	KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.base.pages_pin_count), 0);
	drm_shmem_put(&bo->obj);
}

/* A type that counts the users of tables, and a proof that was kept */
static void counted_after_revocation(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_dev_ctx_bound stale = { .__ctx = test_ctx(t->drm) };
	struct life_bo *bo = life_bo_mapped(test, NULL);
	int ret;

	shmem_test_unbind(test);
	drm_shmem_sgt_guard(sgt, &stale, &bo->obj, ret)
		KUNIT_FAIL(test, "revoked");
	KUNIT_EXPECT_EQ(test, ret, -ENODEV);
	KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.__table.__users), 1);
	drm_shmem_put(&bo->obj);
}

/* A borrowed table does not keep its object, although its end writes to the object. */
static void put_while_borrowed(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct life_bo *bo = life_bo(test, NULL);
	int ret = -1;

	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm)) {
		drm_shmem_sgt_guard(sgt, &reg->base.bound, &bo->obj, ret) {
			kunit_warning_suppress(test) {
				drm_shmem_put(&bo->obj);
				EXPECT_BROKEN(test,
					      "a borrowed sg table does not keep the object");
			}
			KUNIT_EXPECT_EQ(test, life->finis, 0);
		}
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	/* It was leaked, and has a reference again. */
	drm_shmem_put(&bo->obj);
	KUNIT_EXPECT_EQ(test, life->finis, 1);
}

/* A fini step that uses the table, although there was none */
static void fini_maps(struct life_bo *bo)
{
	KUNIT_EXPECT_EQ(life->test, life_map(drm_shmem_gem(&bo->obj)->dev, bo), 0);
	KUNIT_EXPECT_EQ(life->test, drm_shmem_sgt_unmap(&bo->obj), life->inits > 1 ? -EBUSY : 0);
	KUNIT_EXPECT_EQ(life->test, life_map(drm_shmem_gem(&bo->obj)->dev, bo), 0);
}

static void table_in_fini(struct kunit *test)
{
	struct life_bo *bo = life_bo(test, NULL);

	life->fini = fini_maps;
	drm_shmem_put(&bo->obj);
	/* The same with a table that the end of the object keeps */
	drm_shmem_put(&life_bo_mapped(test, NULL)->obj);
	KUNIT_EXPECT_EQ(test, life->finis, 2);
}

/* A fini step that makes a call that puts an object on a list */
static void fini_lists(struct life_bo *bo)
{
	struct drm_gem_object *gem = drm_shmem_gem(&bo->obj);
	struct drm_shmem_shrinker *s = &test_dev(gem->dev)->shrinker;

	/* It has no pages: the type's evict step is not called. */
	KUNIT_EXPECT_EQ(life->test, drm_shmem_evict(&bo->obj), 0);
	KUNIT_EXPECT_EQ(life->test, life_map(gem->dev, bo), 0);
	dma_resv_lock(gem->resv, NULL);
	drm_shmem_touch(&bo->obj, s);
	dma_resv_unlock(gem->resv);
	KUNIT_EXPECT_EQ(life->test, drm_shmem_madvise(&bo->obj, DRM_SHMEM_DONTNEED, s), 1);
	KUNIT_EXPECT_NULL(life->test, gem->lru);
}

/* An object that was evicted, and nothing lists it again once its end began. */
static void evicted_in_fini(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_shmem_shrinker *s = &test_dev(t->drm)->shrinker;
	struct life_bo *bo = life_bo(test, NULL);

	KUNIT_ASSERT_EQ(test, drmm_shmem_shrinker_init(t->drm, s), 0);
	KUNIT_EXPECT_EQ(test, life_map(t->drm, bo), 0);
	dma_resv_lock(drm_shmem_gem(&bo->obj)->resv, NULL);
	drm_shmem_touch(&bo->obj, s);
	dma_resv_unlock(drm_shmem_gem(&bo->obj)->resv);
	KUNIT_EXPECT_EQ(test, drm_shmem_evict(&bo->obj), 0);
	KUNIT_EXPECT_NOT_NULL(test, drm_shmem_gem(&bo->obj)->lru);
	life->fini = fini_lists;
	drm_shmem_put(&bo->obj);
	KUNIT_EXPECT_EQ(test, life->finis, 1);
}

/* A shared lock is not the object's own, and stays. */
static void put_under_shared_lock(struct kunit *test)
{
	struct test_bo *parent = shmem_test_bo(test, PAGE_SIZE);
	struct life_bo *bo = life_bo_mapped(test, drm_shmem_gem(&parent->obj));

	dma_resv_lock(drm_shmem_gem(&parent->obj)->resv, NULL);
	kunit_warning_suppress(test) {
		drm_shmem_put(&bo->obj);
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 0);
	}
	KUNIT_EXPECT_EQ(test, life->finis, 1);
	dma_resv_unlock(drm_shmem_gem(&parent->obj)->resv);
}

/* An object that is leaked, because its lock is held, is still revoked. */
static void leaked_is_revoked(struct kunit *test)
{
	struct life_bo *bo = life_bo_mapped(test, NULL);

	dma_resv_lock(drm_shmem_gem(&bo->obj)->resv, NULL);
	kunit_warning_suppress(test) {
		drm_shmem_put(&bo->obj);
		EXPECT_BROKEN(test, "an object is not freed under its reservation lock");
	}
	KUNIT_EXPECT_EQ(test, life->finis, 0);
	dma_resv_unlock(drm_shmem_gem(&bo->obj)->resv);
	shmem_test_unbind(test);
	KUNIT_EXPECT_EQ(test, life->revoked, 1);
	KUNIT_EXPECT_FALSE(test, drm_shmem_has_sgt(&bo->obj));
	/* The reference of the leaked object */
	drm_shmem_put(&bo->obj);
	KUNIT_EXPECT_EQ(test, life->finis, 1);
}

/* Unbinds the parent when the last put has begun, and before it has seen a mistake */
struct life_hold {
	struct work_struct work;
	struct kunit *test;
	struct drm_gem_object *gem;
	struct work_struct *unbind;
	struct completion held;
};

static void life_hold_fn(struct work_struct *work)
{
	struct life_hold *hold = container_of(work, struct life_hold, work);
	struct mutex *lru = &hold->gem->dev->gem_lru_mutex;

	mutex_lock(lru);
	complete(&hold->held);
	while (kref_read(&hold->gem->refcount))
		schedule_timeout_idle(1);
	drm_safe_test_work_waits(hold->test, hold->unbind,
				 wq_has_sleeper(&test_ctx(hold->gem->dev)->__ended));
	mutex_unlock(lru);
}

/* Unbinding found an object without a reference, and that is leaked afterwards. */
static void unbind_meets_leak(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_shmem_shrinker *s = &test_dev(t->drm)->shrinker;
	struct life_hold *hold = kunit_kzalloc(test, sizeof(*hold), GFP_KERNEL);
	struct life_bo *bo;
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, hold);
	KUNIT_ASSERT_EQ(test, drmm_shmem_shrinker_init(t->drm, s), 0);
	bo = life_bo_mapped(test, NULL);
	KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&bo->obj, DRM_SHMEM_DONTNEED, s), 1);
	INIT_WORK(&hold->work, life_hold_fn);
	init_completion(&hold->held);
	hold->test = test;
	hold->gem = drm_shmem_gem(&bo->obj);
	hold->unbind = drm_safe_test_unbind_work(test, t->parent);

	drm_vmap_guard(life_page, map, &bo->obj, ret) {
		schedule_work(&hold->work);
		wait_for_completion(&hold->held);
		kunit_warning_suppress(test) {
			drm_shmem_put(&bo->obj);
			EXPECT_BROKEN(test, "a borrowed mapping does not keep the object");
		}
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	flush_work(&hold->work);
	flush_work(hold->unbind);
	KUNIT_EXPECT_EQ(test, life->revoked, 1);
	KUNIT_EXPECT_EQ(test, life->finis, 0);
	/* The reference of the leaked object */
	drm_shmem_put(&bo->obj);
	KUNIT_EXPECT_EQ(test, life->finis, 1);
}

/* A handle to a mapping that another thread makes, or ends */
struct life_vmap {
	struct work_struct work;
	struct life_bo *bo;
	struct life_page_owned map;
	int ret;
};

static void life_vmap_fn(struct work_struct *work)
{
	struct life_vmap *v = container_of(work, struct life_vmap, work);

	v->ret = drm_vmap_own(&v->map, &v->bo->obj);
}

static void life_vunmap_fn(struct work_struct *work)
{
	drm_vmap_release(&container_of(work, struct life_vmap, work)->map);
}

/* Another user comes while the first, or the last, waits for the lock. */
static void vmap_meets_another(struct kunit *test)
{
	struct life_vmap *v = kunit_kzalloc(test, sizeof(*v), GFP_KERNEL);
	struct life_bo *bo = life_bo(test, NULL);
	struct dma_resv *resv = drm_shmem_gem(&bo->obj)->resv;
	struct life_page_owned map = {};

	KUNIT_ASSERT_NOT_NULL(test, v);
	v->bo = bo;
	INIT_WORK(&v->work, life_vmap_fn);
	dma_resv_lock(resv, NULL);
	drm_safe_test_work_waits(test, &v->work, drm_safe_test_lock_waits(&resv->lock.base));
	KUNIT_EXPECT_EQ(test, drm_vmap_own_locked(&map, &bo->obj), 0);
	dma_resv_unlock(resv);
	flush_work(&v->work);
	KUNIT_EXPECT_EQ(test, v->ret, 0);
	KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.__vmap_users), 2);
	drm_vmap_release(&map);

	INIT_WORK(&v->work, life_vunmap_fn);
	dma_resv_lock(resv, NULL);
	drm_safe_test_work_waits(test, &v->work, drm_safe_test_lock_waits(&resv->lock.base));
	KUNIT_EXPECT_EQ(test, drm_vmap_own_locked(&map, &bo->obj), 0);
	dma_resv_unlock(resv);
	flush_work(&v->work);
	KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.__vmap_users), 1);
	KUNIT_EXPECT_NOT_NULL(test, bo->obj.base.vaddr);
	drm_vmap_release(&map);
	KUNIT_EXPECT_NULL(test, bo->obj.base.vaddr);
	drm_shmem_put(&bo->obj);
}

static struct kunit_case drm_shmem_life_cases[] = {
	KUNIT_CASE(init_maps_under_lock),
	KUNIT_CASE(import_killed_after_init),
	KUNIT_CASE(import_not_mapped_at_end),
	KUNIT_CASE(init_fails_while_found),
	KUNIT_CASE_PARAM(import_init_fails_while_found, life_driver_gen_params),
	KUNIT_CASE_PARAM(each_step_fails, life_way_gen_params),
	KUNIT_CASE_PARAM(import_init_maps, life_driver_gen_params),
	KUNIT_CASE(import_init_owns_and_fails),
	KUNIT_CASE(private_until_published),
	KUNIT_CASE(init_is_not_evicted),
	KUNIT_CASE(exported_has_offset),
	KUNIT_CASE(init_revoked),
	KUNIT_CASE(init_revoked_fails),
	KUNIT_CASE(import_unbound),
	KUNIT_CASE_PARAM(import_put_does_not_wait, life_driver_gen_params),
	KUNIT_CASE(import_put_then_unbind),
	KUNIT_CASE(no_evict_after_fini),
	KUNIT_CASE(no_revoke_after_fini),
	KUNIT_CASE(revoked_with_reference),
	KUNIT_CASE(exec_puts_last),
	KUNIT_CASE(exec_puts_last_reverse),
	KUNIT_CASE(exec_puts_last_alone),
	KUNIT_CASE_PARAM(exec_puts_imports, life_driver_gen_params),
	KUNIT_CASE(free_meets_shrinker_and_unbind),
	KUNIT_CASE(evict_meets_unbind),
	KUNIT_CASE(counted_after_revocation),
	KUNIT_CASE(put_while_borrowed),
	KUNIT_CASE(table_in_fini),
	KUNIT_CASE(evicted_in_fini),
	KUNIT_CASE(put_under_shared_lock),
	KUNIT_CASE(leaked_is_revoked),
	KUNIT_CASE(unbind_meets_leak),
	KUNIT_CASE(vmap_meets_another),
	{}
};

static struct kunit_suite drm_shmem_life_suite = {
	.name = "drm_shmem_life",
	.init = life_init,
	.test_cases = drm_shmem_life_cases,
};

kunit_test_suite(drm_shmem_life_suite);

MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
