// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <linux/anon_inodes.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/logic_iomem.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/shrinker.h>
#include <linux/sizes.h>

#include "drm_shmem_internal.h"
#include "drm_shmem_test.h"

static struct shmem_test *test_bo_test(struct test_bo *bo)
{
	return test_dev(drm_shmem_gem(&bo->obj)->dev)->test;
}

static int test_bo_init(struct drm_shmem_obj *obj)
{
	struct shmem_test *t = test_bo_test(drm_shmem_from_obj(&test_bo_type, obj));

	if (t->init_ret)
		return t->init_ret;
	guard(spinlock)(&t->lock);
	t->live++;
	return 0;
}

static void test_bo_fini(struct drm_shmem_obj *obj)
{
	struct shmem_test *t = test_bo_test(drm_shmem_from_obj(&test_bo_type, obj));

	guard(spinlock)(&t->lock);
	t->live--;
	t->fini++;
}

static int test_bo_open(struct drm_shmem_obj *obj, struct drm_file *file)
{
	struct shmem_test *t = test_bo_test(drm_shmem_from_obj(&test_bo_type, obj));

	if (!t->open_ret)
		t->opened++;
	return t->open_ret;
}

static void test_bo_close(struct drm_shmem_obj *obj, struct drm_file *file)
{
	test_bo_test(drm_shmem_from_obj(&test_bo_type, obj))->opened--;
}

static void test_bo_sgt_revoked(struct drm_shmem_obj *obj)
{
	struct shmem_test *t = test_bo_test(drm_shmem_from_obj(&test_bo_type, obj));

	dma_resv_assert_held(drm_shmem_gem(obj)->resv);
	guard(spinlock)(&t->lock);
	t->revoked++;
}

const struct test_bo_type test_bo_type = {
	DRM_SHMEM_OBJ_FUNCS,
	.base.init = test_bo_init,
	.base.fini = test_bo_fini,
	.base.open = test_bo_open,
	.base.close = test_bo_close,
	.base.sgt_revoked = test_bo_sgt_revoked,
};

const struct reclaim_bo_type reclaim_bo_type = {
	DRM_SHMEM_OBJ_FUNCS,
	.base.flags = DRM_SHMEM_RECLAIM,
};

static struct drm_gem_object *shmem_test_create_object(struct drm_device *drm, size_t size)
{
	return drm_shmem_gem_create_object(&test_bo_type);
}

DEFINE_DRM_SHMEM_FOPS(shmem_test_fops);

const struct drm_driver shmem_test_driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER,
	.fops = &shmem_test_fops,
	.name = "shmem_test",
	.desc = "test device of drm_shmem_safe",
	.gem_create_object = shmem_test_create_object,
	DRM_SHMEM_DRIVER_OPS,
};

const struct drm_driver shmem_test_driver_sgt = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER,
	.fops = &shmem_test_fops,
	.name = "shmem_test_sgt",
	.desc = "test device of drm_shmem_safe",
	.gem_create_object = shmem_test_create_object,
	DRM_SHMEM_DRIVER_OPS_SGT,
};

KUNIT_DEFINE_ACTION_WRAPPER(shmem_test_dev_put, drm_dev_put, struct drm_device *);

/* A registered device on @parent, with a reference until the end of the test. */
struct drm_device *shmem_test_device(struct kunit *test, struct device *parent,
				     const struct drm_driver *driver)
{
	struct drm_dev_ctx_unreg *unreg = drm_dev_ctx_alloc(parent, driver, struct test_dev, ctx);
	struct drm_device *drm;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unreg);
	test_dev(drm_dev_ctx_unreg_drm(unreg))->test = test->priv;
	drm = drm_dev_ctx_bound_drm(&unreg->bound);
	drm_dev_get(drm);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, shmem_test_dev_put, drm), 0);
	KUNIT_ASSERT_EQ(test, drm_dev_ctx_register(parent, &unreg, NULL, NULL), 0);
	return drm;
}

/* The first action, so it is the last that runs: every object is gone. */
static void shmem_test_check(void *data)
{
	struct kunit *test = data;
	struct shmem_test *t = test->priv;

	/* A file that was closed and an import that was put may end later. */
	flush_delayed_fput();
	drm_shmem_flush_work();
	KUNIT_EXPECT_EQ(test, t->live, 0);
	KUNIT_EXPECT_EQ(test, t->opened, 0);
}

int shmem_test_init(struct kunit *test)
{
	struct shmem_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	struct file *filp;

	KUNIT_ASSERT_NOT_NULL(test, t);
	spin_lock_init(&t->lock);
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

KUNIT_DEFINE_ACTION_WRAPPER(shmem_test_bo_put, drm_shmem_put, struct drm_shmem_obj *);

unsigned long shmem_test_scan_once(struct drm_shmem_shrinker *s, gfp_t gfp, unsigned long nr)
{
	struct shrink_control sc = { .gfp_mask = gfp, .nr_to_scan = nr };

	return s->__shrinker->scan_objects(s->__shrinker, &sc);
}

/* As under memory pressure: purges @nr pages, until it gives up, and says how many were. */
unsigned long shmem_test_scan(struct drm_shmem_shrinker *s, unsigned long nr)
{
	return shmem_test_scan_once(s, GFP_KERNEL, nr) ?: shmem_test_scan_once(s, GFP_KERNEL, nr);
}

unsigned long shmem_test_count(struct drm_shmem_shrinker *s)
{
	struct shrink_control sc = { .gfp_mask = GFP_KERNEL };

	return s->__shrinker->count_objects(s->__shrinker, &sc);
}

/* As an EXEC ioctl, which has locked the object */
void shmem_test_touch(struct drm_shmem_obj *obj, struct drm_shmem_shrinker *s)
{
	dma_resv_lock(obj->base.base.resv, NULL);
	drm_shmem_touch(obj, s);
	dma_resv_unlock(obj->base.base.resv);
}

/* As an evict step, for a handle to the object's table */
void shmem_test_suspend(struct drm_shmem_obj *obj, struct drm_shmem_sgt_owned *own)
{
	dma_resv_lock(obj->base.base.resv, NULL);
	drm_shmem_sgt_suspend(own);
	dma_resv_unlock(obj->base.base.resv);
}

/*
 * An offset that mmap() takes in pages may be too large for vm_mmap(), which takes bytes.
 * So a test maps from 0 on, and the file knows the object.
 */
struct shmem_test_file {
	struct drm_file *file;
	struct drm_gem_object *gem;
	int nr;
};

int shmem_test_files;
int shmem_test_watched;
bool shmem_test_gone;

static int shmem_test_fop_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct shmem_test_file *f = filp->private_data;
	int ret;

	vma->vm_pgoff += drm_vma_node_start(&f->gem->vma_node);
	filp->private_data = f->file;
	ret = drm_gem_mmap(filp, vma);
	filp->private_data = f;
	return ret;
}

static int shmem_test_fop_release(struct inode *inode, struct file *filp)
{
	struct shmem_test_file *f = filp->private_data;

	if (f->nr == READ_ONCE(shmem_test_watched))
		WRITE_ONCE(shmem_test_gone, true);
	kfree(f);
	return 0;
}

static const struct file_operations shmem_test_mmap_fops = {
	.owner = THIS_MODULE,
	.mmap = shmem_test_fop_mmap,
	.release = shmem_test_fop_release,
};

/*
 * Maps an object as a client does that has the test's file, which is none that mmap()
 * takes: it has no path. Returns the address, 0 or a negative error code.
 */
long shmem_test_mmap(struct kunit *test, struct drm_gem_object *gem, unsigned long flags)
{
	struct shmem_test *t = test->priv;
	struct shmem_test_file *f = kzalloc_obj(*f);
	struct file *filp;
	long addr;

	KUNIT_ASSERT_NOT_NULL(test, f);
	f->file = t->file;
	f->gem = gem;
	f->nr = ++shmem_test_files;
	filp = anon_inode_getfile("shmem_test", &shmem_test_mmap_fops, f, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, filp);
	KUNIT_EXPECT_EQ(test, drm_gem_create_mmap_offset(gem), 0);
	filp->f_mapping = gem->dev->anon_inode->i_mapping;
	addr = kunit_vm_mmap(test, filp, 0, gem->size, PROT_READ | PROT_WRITE, flags, 0);
	fput(filp);
	return addr;
}

static void shmem_test_hold_fn(struct work_struct *work)
{
	struct shmem_test_holder *holder = container_of(work, struct shmem_test_holder, work);

	dma_resv_lock(holder->resv, NULL);
	complete(&holder->locked);
	/* A test that waits for the lock by mistake fails, and does not hang. */
	wait_for_completion_timeout(&holder->leave, holder->time);
	WRITE_ONCE(holder->left, true);
	dma_resv_unlock(holder->resv);
}

/* Another task has the lock on return, for some time. */
struct shmem_test_holder *shmem_test_hold_for(struct kunit *test, struct dma_resv *resv,
					      unsigned int time)
{
	struct shmem_test_holder *holder = kunit_kzalloc(test, sizeof(*holder), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, holder);
	holder->resv = resv;
	holder->time = time;
	init_completion(&holder->locked);
	init_completion(&holder->leave);
	INIT_WORK(&holder->work, shmem_test_hold_fn);
	schedule_work(&holder->work);
	wait_for_completion(&holder->locked);
	return holder;
}

struct shmem_test_holder *shmem_test_hold(struct kunit *test, struct dma_resv *resv)
{
	return shmem_test_hold_for(test, resv, 60 * HZ);
}

/* Returns whether the other task had the lock until now. */
bool shmem_test_leave(struct shmem_test_holder *holder)
{
	const bool held = !READ_ONCE(holder->left);

	complete(&holder->leave);
	flush_work(&holder->work);
	return held;
}

/* A published object that is put at the end of the test. */
struct test_bo *shmem_test_bo(struct kunit *test, size_t size)
{
	struct shmem_test *t = test->priv;
	struct test_bo_unique *unique = drm_shmem_create(&test_bo_type, t->drm, size, NULL);
	struct test_bo *bo;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unique);
	bo = drm_shmem_publish(&test_bo_type, &unique);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, shmem_test_bo_put, &bo->obj), 0);
	return bo;
}

/* Another one, of the type that gives back its memory. The test puts it. */
struct reclaim_bo *shmem_test_reclaim_bo(struct kunit *test, size_t size)
{
	struct shmem_test *t = test->priv;
	struct reclaim_bo_unique *unique = drm_shmem_create(&reclaim_bo_type, t->drm, size, NULL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unique);
	return drm_shmem_publish(&reclaim_bo_type, &unique);
}

/*
 * I/O memory to test on. Where the kernel emulates all of it, as on UML, this
 * is a region of its own; elsewhere any memory can be accessed that way.
 */
#define SHMEM_TEST_IO_SIZE	(16 * PAGE_SIZE)
static u8 shmem_test_io[SHMEM_TEST_IO_SIZE];

#if IS_ENABLED(CONFIG_INDIRECT_IOMEM)
#define SHMEM_TEST_IO_START	BIT_ULL(40)

static struct resource *shmem_test_io_res;

static unsigned long shmem_test_io_read(void *priv, unsigned int offset, int size)
{
	unsigned long val = 0;

	memcpy(&val, priv + offset, size);
	return val;
}

static void shmem_test_io_write(void *priv, unsigned int offset, int size,
				unsigned long val)
{
	memcpy(priv + offset, &val, size);
}

static const struct logic_iomem_ops shmem_test_io_ops = {
	.read = shmem_test_io_read,
	.write = shmem_test_io_write,
};

static long shmem_test_io_map(unsigned long offset, size_t size,
			      const struct logic_iomem_ops **ops, void **priv)
{
	*ops = &shmem_test_io_ops;
	*priv = shmem_test_io;
	return offset;
}

static const struct logic_iomem_region_ops shmem_test_io_region = {
	.map = shmem_test_io_map,
};

int shmem_test_io_init(struct kunit_suite *suite)
{
	struct resource *res = kzalloc_obj(*res);

	if (!res)
		return -ENOMEM;
	res->name = "drm_shmem_test";
	res->flags = IORESOURCE_MEM;
	res->start = SHMEM_TEST_IO_START;
	res->end = SHMEM_TEST_IO_START + SHMEM_TEST_IO_SIZE - 1;
	shmem_test_io_res = res;
	return logic_iomem_add_region(res, &shmem_test_io_region);
}

/* Regions stay for ever: leave one that nothing is in. */
void shmem_test_io_exit(struct kunit_suite *suite)
{
	if (!shmem_test_io_res)
		return;
	shmem_test_io_res->start = RESOURCE_SIZE_MAX;
	shmem_test_io_res->end = 0;
}

static void __iomem *shmem_test_ioremap(size_t size)
{
	return ioremap(SHMEM_TEST_IO_START, size);
}

static void shmem_test_iounmap(void __iomem *addr)
{
	iounmap(addr);
}
#else
int shmem_test_io_init(struct kunit_suite *suite)
{
	return 0;
}

void shmem_test_io_exit(struct kunit_suite *suite)
{
}

static void __iomem *shmem_test_ioremap(size_t size)
{
	return (void __iomem __force *)shmem_test_io;
}

static void shmem_test_iounmap(void __iomem *addr)
{
}
#endif

static int shmem_export_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct shmem_test_export *e = dmabuf->priv;

	atomic_inc(&e->attached);
	return 0;
}

static void shmem_export_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct shmem_test_export *e = dmabuf->priv;

	atomic_dec(&e->attached);
}

static struct sg_table *shmem_export_map(struct dma_buf_attachment *attach,
					 enum dma_data_direction dir)
{
	struct shmem_test_export *e = attach->dmabuf->priv;
	unsigned int n = e->segments ?: 1;
	struct scatterlist *sg;
	struct sg_table *sgt;
	int ret = e->map_ret;
	unsigned int i;

	if (ret) {
		if (e->on_map_fails)
			e->on_map_fails(e, attach->dmabuf);
		return ERR_PTR(ret);
	}
	sgt = kzalloc_obj(*sgt);
	if (!sgt)
		return ERR_PTR(-ENOMEM);
	ret = sg_alloc_table(sgt, n, GFP_KERNEL);
	if (ret)
		goto err_free;
	for_each_sgtable_sg(sgt, sg, i)
		sg_set_buf(sg, e->mem + i * (e->size / n), e->size / n);
	ret = dma_map_sgtable(attach->dev, sgt, dir, 0);
	if (ret)
		goto err_free_table;
	e->mapped++;
	e->maps++;
	if (e->on_map)
		e->on_map(e, attach->dmabuf);
	return sgt;

err_free_table:
	sg_free_table(sgt);
err_free:
	kfree(sgt);
	return ERR_PTR(ret);
}

static void shmem_export_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			       enum dma_data_direction dir)
{
	struct shmem_test_export *e = attach->dmabuf->priv;

	dma_unmap_sgtable(attach->dev, sgt, dir, 0);
	sg_free_table(sgt);
	kfree(sgt);
	e->mapped--;
}

static void shmem_export_release(struct dma_buf *dmabuf)
{
	struct shmem_test_export *e = dmabuf->priv;

	e->released = true;
}

static int shmem_export_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct shmem_test_export *e = dmabuf->priv;
	void __iomem *io;

	if (e->vmap_ret)
		return e->vmap_ret;
	if (e->vmap_signals) {
		e->vmap_signals--;
		return -ERESTARTSYS;
	}
	if (e->null_map) {
		iosys_map_set_vaddr(map, NULL);
		return 0;
	}
	if (e->iomem) {
		io = shmem_test_ioremap(e->size);
		if (!io)
			return -ENOMEM;
		iosys_map_set_vaddr_iomem(map, io);
	} else {
		iosys_map_set_vaddr(map, e->mem);
	}
	e->vmapped++;
	return 0;
}

static void shmem_export_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct shmem_test_export *e = dmabuf->priv;

	if (e->iomem)
		shmem_test_iounmap(map->vaddr_iomem);
	e->vmapped--;
}

static const struct dma_buf_ops shmem_export_ops = {
	.attach = shmem_export_attach,
	.detach = shmem_export_detach,
	.map_dma_buf = shmem_export_map,
	.unmap_dma_buf = shmem_export_unmap,
	.release = shmem_export_release,
	.vmap = shmem_export_vmap,
	.vunmap = shmem_export_vunmap,
};

/* A dma-buf of @size bytes, the caller's until shmem_test_export_put(). */
struct dma_buf *shmem_test_export(struct kunit *test, struct shmem_test_export *e, size_t size)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	KUNIT_ASSERT_LE(test, size, SHMEM_TEST_IO_SIZE);
	e->size = size;
	e->mem = kunit_kzalloc(test, size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, e->mem);
	memset(shmem_test_io, 0, sizeof(shmem_test_io));
	info.ops = &shmem_export_ops;
	info.size = size;
	info.flags = O_RDWR;
	info.priv = e;
	dmabuf = dma_buf_export(&info);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	return dmabuf;
}

/*
 * Puts a dma-buf; if that was the last reference then it is gone on return. So are imports
 * whose last reference was put.
 */
void shmem_test_export_put(struct dma_buf *dmabuf)
{
	drm_shmem_flush_work();
	dma_buf_put(dmabuf);
	flush_delayed_fput();
}

/* Imports a dma-buf as the core does; put the object before the test ends. */
struct test_bo *shmem_test_import(struct kunit *test, struct drm_device *drm,
				  struct dma_buf *dmabuf)
{
	struct drm_gem_object *gem;

	if (drm->driver->gem_prime_import)
		gem = drm->driver->gem_prime_import(drm, dmabuf);
	else
		gem = drm_gem_prime_import(drm, dmabuf);
	if (IS_ERR(gem))
		return ERR_CAST(gem);
	KUNIT_EXPECT_NOT_NULL(test, drm_shmem_from_gem(&test_bo_type, gem));
	return drm_shmem_from_gem(&test_bo_type, gem);
}

MODULE_IMPORT_NS("DMA_BUF");
MODULE_DESCRIPTION("KUnit tests for the DRM safe helpers: GEM shmem objects");
MODULE_LICENSE("Dual MIT/GPL");

/* A table of the memory of an object that is not of shmem, mapped for a device */
struct sg_table *shmem_test_table(struct device *dev, void *mem, size_t size,
				  enum dma_data_direction dir)
{
	struct sg_table *sgt = kzalloc_obj(*sgt);
	int ret;

	if (!sgt)
		return ERR_PTR(-ENOMEM);
	ret = sg_alloc_table(sgt, 1, GFP_KERNEL);
	if (ret)
		goto err_free;
	sg_set_buf(sgt->sgl, mem, size);
	ret = dma_map_sgtable(dev, sgt, dir, 0);
	if (!ret)
		return sgt;
	sg_free_table(sgt);
err_free:
	kfree(sgt);
	return ERR_PTR(ret);
}

void shmem_test_table_free(struct device *dev, struct sg_table *sgt, enum dma_data_direction dir)
{
	dma_unmap_sgtable(dev, sgt, dir, 0);
	sg_free_table(sgt);
	kfree(sgt);
}
