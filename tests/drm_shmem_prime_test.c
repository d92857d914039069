// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Exports to other drivers, and imports from them: drm_shmem_prime.c
 */

#include <linux/completion.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/mman.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include <drm/drm_drv.h>

#include <trace/events/kmem.h>

#include "drm_shmem_internal.h"
#include "drm_shmem_test.h"

/* The allocations of a task for objects: their sizes, and the part that is not charged */
struct obj_allocs {
	struct task_struct *task;
	unsigned int objects, tables, segments, unaccounted;
};

static void obj_kmalloc_probe(void *data, unsigned long call_site, const void *ptr,
			      size_t bytes_req, size_t bytes_alloc, gfp_t gfp, int node)
{
	struct obj_allocs *allocs = data;
	unsigned int *count;

	if (current != allocs->task)
		return;
	if (bytes_req == sizeof(struct test_bo))
		count = &allocs->objects;
	else if (bytes_req == sizeof(struct sg_table))
		count = &allocs->tables;
	else if (bytes_req == sizeof(struct scatterlist))
		count = &allocs->segments;
	else
		return;
	(*count)++;
	allocs->unaccounted += !(gfp & __GFP_ACCOUNT);
}

static int obj_map_table(struct drm_device *drm, struct drm_shmem_obj *obj)
{
	int ret;

	drm_dev_ctx_or(test_reg, reg, test_ctx(drm), return -ESHUTDOWN);
	drm_shmem_sgt_or(sgt, &reg->base.bound, obj, ret, return ret);
	return 0;
}

/* The table that an importer gets */
static int obj_import_table(struct drm_shmem_obj *obj)
{
	struct drm_gem_object *gem = drm_shmem_gem(obj);
	struct sg_table *sgt;
	int ret = drm_shmem_pin(obj);

	if (ret)
		return ret;
	sgt = gem->funcs->get_sg_table(gem);
	drm_shmem_unpin(obj);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	sg_free_table(sgt);
	kfree(sgt);
	return 0;
}

/* Memory that an ioctl allocates is charged to the client. */
static void accounted(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct obj_allocs allocs = { .task = current };
	struct shmem_test_export e = {};
	struct test_bo *imported, *bo;
	struct dma_buf *dmabuf;
	int ret;

	if (!IS_ENABLED(CONFIG_TRACEPOINTS))
		kunit_skip(test, "needs CONFIG_TRACEPOINTS");
	dmabuf = shmem_test_export(test, &e, PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, register_trace_kmalloc(obj_kmalloc_probe, &allocs), 0);
	bo = test_bo_new(t->drm, PAGE_SIZE, NULL);
	imported = shmem_test_import(test, t->drm, dmabuf);
	ret = IS_ERR(bo) ? PTR_ERR(bo) :
	      obj_map_table(t->drm, &bo->obj) ?: obj_import_table(&bo->obj);
	unregister_trace_kmalloc(obj_kmalloc_probe, &allocs);
	tracepoint_synchronize_unregister();

	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_GE(test, allocs.objects, 2);
	KUNIT_EXPECT_GE(test, allocs.tables, 2);
	KUNIT_EXPECT_GE(test, allocs.segments, 2);
	KUNIT_EXPECT_EQ(test, allocs.unaccounted, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, imported);
	drm_shmem_put(&bo->obj);
	drm_shmem_put(&imported->obj);
	shmem_test_export_put(dmabuf);
}

struct obj_page {
	DRM_VMAP(PAGE_SIZE);
};

/* Userspace and a mapping see the same memory, through the dma-buf's file. */
static void mmap_user(struct kunit *test)
{
	struct test_bo *bo = shmem_test_bo(test, 2 * PAGE_SIZE);
	struct dma_buf *dmabuf = drm_shmem_export(&bo->obj, O_RDWR);
	unsigned long addr;
	u32 val = 0;
	int ret;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	addr = kunit_vm_mmap(test, dmabuf->file, 0, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_SHARED, 0);
	dma_buf_put(dmabuf);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	KUNIT_ASSERT_NE(test, addr, 0);
	drm_vmap_guard(obj_page, map, &bo->obj, ret) {
		drm_vmap_write32(map, 0, 1234);
		KUNIT_EXPECT_EQ(test, get_user(val, (u32 __user *)addr), 0);
		KUNIT_EXPECT_EQ(test, val, 1234);
		KUNIT_EXPECT_EQ(test, put_user(5678, (u32 __user *)(addr + 4)), 0);
		KUNIT_EXPECT_EQ(test, drm_vmap_read32(map, 4), 5678);
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, vm_munmap(addr, 2 * PAGE_SIZE), 0);
	flush_delayed_fput();
	KUNIT_EXPECT_EQ(test, kref_read(&drm_shmem_gem(&bo->obj)->refcount), 1);
	KUNIT_EXPECT_NULL(test, bo->obj.base.pages);
}

/* The part of a test for each of the two drivers, one per kind of import */
static const struct drm_driver *const import_drivers[] = {
	&shmem_test_driver,
	&shmem_test_driver_sgt,
};

static void import_driver_desc(const struct drm_driver *const *driver, char *desc)
{
	strscpy(desc, (*driver)->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(import_driver, import_drivers, import_driver_desc);

static struct drm_device *import_device(struct kunit *test)
{
	const struct drm_driver *const *driver = test->param_value;

	return shmem_test_device(test, drm_safe_test_parent(test), *driver);
}

static void import_foreign(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_device *drm = import_device(test);
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, 2 * PAGE_SIZE);
	struct test_bo *bo = shmem_test_import(test, drm, dmabuf);
	struct file *filp;
	u64 offset;
	u32 handle;
	int ret;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	KUNIT_EXPECT_EQ(test, t->live, 1);
	KUNIT_EXPECT_EQ(test, drm_shmem_size(&bo->obj), 2 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, atomic_read(&e.attached), 1);
	KUNIT_EXPECT_PTR_EQ(test, drm_shmem_gem(&bo->obj)->resv, dmabuf->resv);
	KUNIT_EXPECT_EQ(test, drm_shmem_mmap_offset(&bo->obj, &offset), 0);
	filp = drm_safe_test_open(test, drm->render);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, filp);
	KUNIT_EXPECT_EQ(test, drm_shmem_handle_create(&bo->obj, filp->private_data, &handle), 0);
	drm_safe_test_close(test, filp);

	drm_vmap_guard(obj_page, map, &bo->obj, ret) {
		drm_vmap_write32(map, 0, 3);
		KUNIT_EXPECT_EQ(test, *(u32 *)e.mem, 3);
		KUNIT_EXPECT_EQ(test, e.vmapped, 1);
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, e.vmapped, 0);

	drm_shmem_put(&bo->obj);
	shmem_test_export_put(dmabuf);
	KUNIT_EXPECT_EQ(test, t->live, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&e.attached), 0);
	KUNIT_EXPECT_EQ(test, e.mapped, 0);
	KUNIT_EXPECT_TRUE(test, e.released);
}

static void import_init_fails(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_device *drm = import_device(test);
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, PAGE_SIZE);
	unsigned int refs = kref_read(&drm->ref);

	t->init_ret = -EXDEV;
	KUNIT_EXPECT_PTR_EQ(test, shmem_test_import(test, drm, dmabuf), ERR_PTR(-EXDEV));
	KUNIT_EXPECT_EQ(test, t->fini, 0);
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, atomic_read(&e.attached), 0);
	KUNIT_EXPECT_EQ(test, e.mapped, 0);
	KUNIT_EXPECT_EQ(test, kref_read(&drm->ref), refs);
	shmem_test_export_put(dmabuf);
	KUNIT_EXPECT_TRUE(test, e.released);
}

static void import_own_one(struct kunit *test, struct drm_device *drm, struct test_bo *bo,
			   struct dma_buf *dmabuf)
{
	struct test_bo *again;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	again = shmem_test_import(test, drm, dmabuf);
	KUNIT_EXPECT_PTR_EQ(test, again, bo);
	drm_shmem_put(&again->obj);
	shmem_test_export_put(dmabuf);
	KUNIT_EXPECT_EQ(test, kref_read(&drm_shmem_gem(&bo->obj)->refcount), 1);
}

/* Two imports share the lock of their exporter: one goes while the other is locked. */
static void import_twice(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_device *drm = import_device(test);
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, PAGE_SIZE);
	struct test_bo *bo[2];

	for (int i = 0; i < 2; i++) {
		bo[i] = shmem_test_import(test, drm, dmabuf);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo[i]);
		KUNIT_EXPECT_EQ(test, obj_map_table(drm, &bo[i]->obj), 0);
	}
	KUNIT_EXPECT_PTR_NE(test, bo[0], bo[1]);
	dma_resv_lock(drm_shmem_gem(&bo[1]->obj)->resv, NULL);
	kunit_warning_suppress(test) {
		drm_shmem_put(&bo[0]->obj);
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 0);
	}
	drm_safe_test_forget_broken();
	KUNIT_EXPECT_EQ(test, t->live, 1);
	KUNIT_EXPECT_EQ(test, t->fini, 1);
	dma_resv_unlock(drm_shmem_gem(&bo[1]->obj)->resv);
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, e.mapped, 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&e.attached), 1);
	drm_shmem_put(&bo[1]->obj);
	shmem_test_export_put(dmabuf);
	KUNIT_EXPECT_EQ(test, t->fini, 2);
	KUNIT_EXPECT_EQ(test, e.mapped, 0);
	KUNIT_EXPECT_TRUE(test, e.released);
}

/* Its own export comes back as the same object, whichever way it was made. */
static void import_own(struct kunit *test)
{
	struct drm_device *drm = import_device(test);
	struct test_bo *bo = test_bo_new(drm, PAGE_SIZE, NULL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	__drm_shmem_publish(&bo->obj);
	import_own_one(test, drm, bo, drm_shmem_export(&bo->obj, O_RDWR));
	import_own_one(test, drm, bo, drm_gem_prime_export(drm_shmem_gem(&bo->obj), O_RDWR));
	drm_shmem_put(&bo->obj);
}

/* From one device of ours to another, both with mappings and tables. */
static void import_between(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_device *drm = import_device(test);
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE), *other;
	struct dma_buf *dmabuf = drm_shmem_export(&bo->obj, O_RDWR);
	int ret, ret2 = -1;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	other = shmem_test_import(test, drm, dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other);
	KUNIT_EXPECT_PTR_NE(test, other, bo);
	KUNIT_EXPECT_EQ(test, t->live, 2);

	drm_vmap_guard(obj_page, map, &bo->obj, ret) {
		drm_vmap_guard(obj_page, map2, &other->obj, ret2) {
			drm_vmap_write32(map, 0, 10);
			KUNIT_EXPECT_EQ(test, drm_vmap_read32(map2, 0), 10);
		}
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, ret2, 0);
	drm_dev_ctx_guard(test_reg, reg, test_ctx(drm)) {
		drm_shmem_sgt_guard(sgt, &reg->base.bound, &other->obj, ret)
			KUNIT_EXPECT_NE(test, drm_shmem_sgt_table(sgt)->nents, 0);
	}
	KUNIT_EXPECT_EQ(test, ret, 0);

	drm_shmem_put(&other->obj);
	shmem_test_export_put(dmabuf);
	KUNIT_EXPECT_EQ(test, kref_read(&drm_shmem_gem(&bo->obj)->refcount), 1);
	KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.base.pages_pin_count), 0);
}

/* Mapping for the device at once needs the device; see DRM_SHMEM_DRIVER_OPS_SGT */
static void import_unplugged(struct kunit *test)
{
	struct device *parent = drm_safe_test_parent(test);
	struct drm_device *drm = shmem_test_device(test, parent, &shmem_test_driver_sgt);
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, PAGE_SIZE);

	drm_dev_ctx_unregister(test_ctx(drm));
	KUNIT_EXPECT_PTR_EQ(test, shmem_test_import(test, drm, dmabuf), ERR_PTR(-ENODEV));
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, atomic_read(&e.attached), 0);
	KUNIT_EXPECT_EQ(test, e.mapped, 0);
	shmem_test_export_put(dmabuf);
}

/* A driver's own callback, which has something left that can fail */
static struct drm_gem_object *late_import_sg_table(struct drm_device *drm,
						   struct dma_buf_attachment *attach,
						   struct sg_table *sgt)
{
	struct drm_gem_object *gem = drm_shmem_prime_import_sg_table(drm, attach, sgt);

	if (IS_ERR(gem))
		return gem;
	drm_gem_object_put(gem);
	return ERR_PTR(-EXDEV);
}

/* The object has ended then, with the table and the attachment. They are not ended twice. */
static void import_fails_late(struct kunit *test)
{
	static struct drm_driver driver;
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, PAGE_SIZE);
	struct drm_device *drm;

	driver = shmem_test_driver_sgt;
	driver.gem_prime_import_sg_table = late_import_sg_table;
	drm = shmem_test_device(test, drm_safe_test_parent(test), &driver);
	for (int i = 0; i < 2; i++) {
		KUNIT_EXPECT_PTR_EQ(test, shmem_test_import(test, drm, dmabuf), ERR_PTR(-EXDEV));
		drm_shmem_flush_work();
		KUNIT_EXPECT_EQ(test, e.maps, i + 1);
		KUNIT_EXPECT_EQ(test, e.mapped, 0);
		KUNIT_EXPECT_EQ(test, atomic_read(&e.attached), 0);
	}
	shmem_test_export_put(dmabuf);
	KUNIT_EXPECT_TRUE(test, e.released);
}

/* One whose init step fails while another task has the exporter's lock */
struct locked_bo {
	struct drm_shmem_obj obj;
};

DRM_SHMEM_OBJ_TYPE(locked_bo_type, struct locked_bo, obj, struct locked_bo_unique);

static struct kunit *locked_test;
static struct shmem_test_holder *locked_holder;

static int locked_bo_init(struct drm_shmem_obj *obj)
{
	locked_holder = shmem_test_hold(locked_test, drm_shmem_gem(obj)->resv);
	return -EXDEV;
}

const struct locked_bo_type locked_bo_type = {
	DRM_SHMEM_OBJ_FUNCS,
	.base.init = locked_bo_init,
};

static struct drm_gem_object *locked_create_object(struct drm_device *drm, size_t size)
{
	return drm_shmem_gem_create_object(&locked_bo_type);
}

DEFINE_DRM_SHMEM_FOPS(locked_fops);

static const struct drm_driver locked_driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER,
	.fops = &locked_fops,
	.name = "shmem_locked",
	.desc = "test device of drm_shmem_safe",
	.gem_create_object = locked_create_object,
	DRM_SHMEM_DRIVER_OPS_SGT,
};

struct locked_import {
	struct work_struct import, unplug;
	struct drm_device *drm;
	struct dma_buf *dmabuf;
	struct drm_gem_object *gem;
	struct completion imported, unplugged;
};

static void locked_import_fn(struct work_struct *work)
{
	struct locked_import *l = container_of(work, struct locked_import, import);

	l->gem = l->drm->driver->gem_prime_import(l->drm, l->dmabuf);
	complete(&l->imported);
}

static void locked_unplug_fn(struct work_struct *work)
{
	struct locked_import *l = container_of(work, struct locked_import, unplug);

	drm_dev_ctx_unregister(test_ctx(l->drm));
	complete(&l->unplugged);
}

/* Neither an import that fails nor an unplug waits for the exporter. Unbinding does. */
static void import_fails_locked(struct kunit *test)
{
	struct locked_import *l = kunit_kzalloc(test, sizeof(*l), GFP_KERNEL);
	struct shmem_test_export e = {};

	KUNIT_ASSERT_NOT_NULL(test, l);
	l->drm = shmem_test_device(test, drm_safe_test_parent(test), &locked_driver);
	l->dmabuf = shmem_test_export(test, &e, PAGE_SIZE);
	INIT_WORK(&l->import, locked_import_fn);
	INIT_WORK(&l->unplug, locked_unplug_fn);
	init_completion(&l->imported);
	init_completion(&l->unplugged);
	locked_test = test;
	schedule_work(&l->import);
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&l->imported, 60 * HZ), 0);
	KUNIT_EXPECT_EQ(test, e.mapped, 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&e.attached), 1);
	schedule_work(&l->unplug);
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&l->unplugged, 60 * HZ), 0);
	KUNIT_EXPECT_TRUE(test, shmem_test_leave(locked_holder));
	flush_work(&l->import);
	flush_work(&l->unplug);
	KUNIT_EXPECT_PTR_EQ(test, l->gem, ERR_PTR(-EXDEV));
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, e.mapped, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&e.attached), 0);
	shmem_test_export_put(l->dmabuf);
	KUNIT_EXPECT_TRUE(test, e.released);
}

/* One whose init step maps it, and is killed at the end of that while another task has the lock */
struct killed_bo {
	struct drm_shmem_obj obj;
};

DRM_SHMEM_OBJ_TYPE(killed_bo_type, struct killed_bo, obj, struct killed_bo_unique);

static int killed_bo_init(struct drm_shmem_obj *obj)
{
	int ret;

	drm_vmap_guard(obj_page, map, obj, ret) {
		locked_holder = shmem_test_hold_for(locked_test, drm_shmem_gem(obj)->resv,
						    HZ / 10);
		sigaddset(&current->pending.signal, SIGKILL);
		set_thread_flag(TIF_SIGPENDING);
	}
	KUNIT_EXPECT_EQ(locked_test, ret, 0);
	return -EXDEV;
}

const struct killed_bo_type killed_bo_type = {
	DRM_SHMEM_OBJ_FUNCS,
	.base.init = killed_bo_init,
};

static struct drm_gem_object *killed_create_object(struct drm_device *drm, size_t size)
{
	return drm_shmem_gem_create_object(&killed_bo_type);
}

static const struct drm_driver killed_driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER,
	.fops = &locked_fops,
	.name = "shmem_killed",
	.desc = "test device of drm_shmem_safe",
	.gem_create_object = killed_create_object,
	DRM_SHMEM_DRIVER_OPS_SGT,
};

/* An import that fails gives the exporter's lock back, so nothing that takes it comes later. */
static void import_killed_in_init(struct kunit *test)
{
	struct drm_device *drm = shmem_test_device(test, drm_safe_test_parent(test),
						   &killed_driver);
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, PAGE_SIZE);
	bool locked;

	locked_test = test;
	KUNIT_EXPECT_PTR_EQ(test, drm->driver->gem_prime_import(drm, dmabuf), ERR_PTR(-EXDEV));
	sigdelset(&current->pending.signal, SIGKILL);
	clear_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_EQ(test, e.vmapped, 0);
	KUNIT_EXPECT_FALSE(test, shmem_test_leave(locked_holder));
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, e.mapped, 0);
	locked = dma_resv_trylock(dmabuf->resv);
	KUNIT_EXPECT_TRUE(test, locked);
	if (locked)
		dma_resv_unlock(dmabuf->resv);
	shmem_test_export_put(dmabuf);
	KUNIT_EXPECT_TRUE(test, e.released);
}

/* The core exports under a lock that all clients need, so an export waits for no other one. */
static void export_does_not_wait(struct kunit *test)
{
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);
	struct shmem_test_holder *holder = shmem_test_hold(test, drm_shmem_gem(&bo->obj)->resv);
	struct dma_buf *dmabuf = drm_shmem_funcs_export(drm_shmem_gem(&bo->obj), O_RDWR);

	KUNIT_EXPECT_TRUE(test, shmem_test_leave(holder));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	shmem_test_export_put(dmabuf);
}

struct parked {
	struct reclaim_bo *bo;
	struct drm_shmem_shrinker *s;
	unsigned int fails, relists;
};

static bool parked_is_on(struct parked *p, enum __drm_shmem_list list)
{
	return p->s->__lrus[list].base.count;
}

static int parked_export(struct kunit *test, void *ctx)
{
	struct parked *p = ctx;
	struct drm_gem_object *gem = drm_shmem_gem(&p->bo->obj);
	struct dma_buf *dmabuf;

	dma_resv_lock(gem->resv, NULL);
	__drm_shmem_relist(&p->bo->obj);
	dma_resv_unlock(gem->resv);
	KUNIT_EXPECT_TRUE(test, parked_is_on(p, __DRM_SHMEM_PURGEABLE));
	/* A scan looks at the object while its dma-buf is being made. */
	atomic_inc(&p->bo->obj.__dma_bufs);
	KUNIT_EXPECT_EQ(test, shmem_test_scan(p->s, 1), SHRINK_STOP);
	KUNIT_EXPECT_TRUE(test, parked_is_on(p, __DRM_SHMEM_PARKED));
	atomic_dec(&p->bo->obj.__dma_bufs);

	dmabuf = drm_shmem_export(&p->bo->obj, O_RDWR);
	if (!IS_ERR(dmabuf)) {
		shmem_test_export_put(dmabuf);
		return 0;
	}
	p->fails++;
	p->relists += parked_is_on(p, __DRM_SHMEM_PURGEABLE);
	return PTR_ERR(dmabuf);
}

/* An object that could not be purged for an export that failed is looked at again. */
static void export_fails_relists(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct parked p = { .s = &test_dev(t->drm)->shrinker };

	if (!IS_ENABLED(CONFIG_FAULT_INJECTION_DEBUG_FS))
		kunit_skip(test, "needs CONFIG_FAULT_INJECTION_DEBUG_FS");
	KUNIT_ASSERT_EQ(test, drmm_shmem_shrinker_init(t->drm, p.s), 0);
	p.bo = shmem_test_reclaim_bo(test, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, drm_shmem_pin(&p.bo->obj), 0);
	drm_shmem_unpin(&p.bo->obj);
	KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&p.bo->obj, DRM_SHMEM_DONTNEED, p.s), 1);
	KUNIT_EXPECT_GE(test, drm_safe_fail_nth(test, parked_export, &p), 2);
	/* When the first allocation fails, the export has not begun. */
	KUNIT_EXPECT_EQ(test, p.relists, p.fails - 1);
	drm_shmem_put(&p.bo->obj);
}

static struct kunit_case drm_shmem_prime_cases[] = {
	KUNIT_CASE(accounted),
	KUNIT_CASE(mmap_user),
	KUNIT_CASE(import_killed_in_init),
	KUNIT_CASE(export_does_not_wait),
	KUNIT_CASE(export_fails_relists),
	KUNIT_CASE_PARAM(import_foreign, import_driver_gen_params),
	KUNIT_CASE_PARAM(import_init_fails, import_driver_gen_params),
	KUNIT_CASE_PARAM(import_twice, import_driver_gen_params),
	KUNIT_CASE_PARAM(import_own, import_driver_gen_params),
	KUNIT_CASE_PARAM(import_between, import_driver_gen_params),
	KUNIT_CASE(import_unplugged),
	KUNIT_CASE(import_fails_late),
	KUNIT_CASE(import_fails_locked),
	{}
};

static struct kunit_suite drm_shmem_prime_suite = {
	.name = "drm_shmem_prime",
	.init = shmem_test_init,
	.test_cases = drm_shmem_prime_cases,
};

kunit_test_suite(drm_shmem_prime_suite);
