// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Faults of the core's GEM objects. Documentation/upstream.rst describes each one.
 */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/highmem.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/shmem_fs.h>
#include <linux/swap.h>
#include <linux/uaccess.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_kunit_helpers.h>
#include <drm/drm_prime.h>

#include "drm_upstream_test.h"

#define UPSTREAM_PAGES	4
#define UPSTREAM_SIZE	(UPSTREAM_PAGES * PAGE_SIZE)

struct upstream_dev {
	struct drm_device drm;
};

DEFINE_DRM_GEM_FOPS(upstream_fops);

static const struct drm_driver upstream_driver = {
	.driver_features = DRIVER_GEM,
	.fops = &upstream_fops,
	.name = "upstream",
};

KUNIT_DEFINE_ACTION_WRAPPER(upstream_put, drm_gem_object_put, struct drm_gem_object *);
KUNIT_DEFINE_ACTION_WRAPPER(upstream_put_dma_buf, dma_buf_put, struct dma_buf *);

static int upstream_init(struct kunit *test)
{
	struct upstream_dev *udev;
	struct device *dev;

	dev = drm_kunit_helper_alloc_device(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	udev = drm_kunit_helper_alloc_drm_device_with_driver(test, dev, struct upstream_dev, drm,
							     &upstream_driver);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, udev);
	test->priv = &udev->drm;
	return 0;
}

static struct drm_gem_shmem_object *upstream_shmem(struct kunit *test)
{
	struct drm_gem_shmem_object *shmem = drm_gem_shmem_create(test->priv, UPSTREAM_SIZE);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, shmem);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, upstream_put, &shmem->base), 0);
	return shmem;
}

/* Page i of the object holds i + 1. */
static void upstream_fill(struct kunit *test, struct drm_gem_shmem_object *shmem)
{
	struct iosys_map map;

	KUNIT_ASSERT_EQ(test, drm_gem_vmap(&shmem->base, &map), 0);
	for (unsigned int i = 0; i < UPSTREAM_PAGES; i++)
		iosys_map_wr(&map, i * PAGE_SIZE, u32, i + 1);
	drm_gem_vunmap(&shmem->base, &map);
}

static u32 upstream_read(struct kunit *test, struct drm_gem_shmem_object *shmem, unsigned int page)
{
	struct iosys_map map;
	u32 val;

	KUNIT_ASSERT_EQ(test, drm_gem_vmap(&shmem->base, &map), 0);
	val = iosys_map_rd(&map, page * PAGE_SIZE, u32);
	drm_gem_vunmap(&shmem->base, &map);
	return val;
}

static unsigned long upstream_mmap(struct kunit *test, struct drm_gem_shmem_object *shmem)
{
	struct dma_buf *dma_buf = drm_gem_prime_export(&shmem->base, O_RDWR);
	unsigned long addr;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dma_buf);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, upstream_put_dma_buf, dma_buf), 0);
	addr = kunit_vm_mmap(test, dma_buf->file, 0, UPSTREAM_SIZE, PROT_READ | PROT_WRITE,
			     MAP_SHARED, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	KUNIT_ASSERT_NE(test, addr, 0);
	return addr;
}

static u32 upstream_user_read(struct kunit *test, unsigned long addr)
{
	u32 val = 0;

	KUNIT_ASSERT_EQ(test, get_user(val, (u32 __user *)addr), 0);
	return val;
}

/* The first page of a mapping goes before any page was touched. Checks the other pages. */
static void split_read(struct kunit *test)
{
	struct drm_gem_shmem_object *shmem = upstream_shmem(test);
	unsigned long addr = upstream_mmap(test, shmem);
	u32 whole, part;

	upstream_fill(test, shmem);
	whole = upstream_user_read(test, upstream_mmap(test, shmem) + 2 * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, whole, 3);
	KUNIT_ASSERT_EQ(test, vm_munmap(addr, PAGE_SIZE), 0);
	part = upstream_user_read(test, addr + 2 * PAGE_SIZE);
	kunit_info(test, "page 2 reads %u, right is 3\n", part);
	upstream_tell(test, "split-read", part != 3);
}

/* The same for a write: which page of the object gets it? */
static void split_write(struct kunit *test)
{
	struct drm_gem_shmem_object *shmem = upstream_shmem(test);
	unsigned long addr = upstream_mmap(test, shmem);
	bool hit = false;

	upstream_fill(test, shmem);
	KUNIT_ASSERT_EQ(test, vm_munmap(addr, PAGE_SIZE), 0);
	KUNIT_ASSERT_EQ(test, put_user(77, (u32 __user *)(addr + 2 * PAGE_SIZE)), 0);
	for (unsigned int i = 0; i < UPSTREAM_PAGES; i++)
		hit |= upstream_read(test, shmem, i) == 77;
	KUNIT_ASSERT_TRUE(test, hit);
	upstream_tell(test, "split-write", upstream_read(test, shmem, 2) != 77);
}

/* Returns the contents of a file's page after memory reclaim dropped its clean pages. */
static u32 upstream_after_reclaim(struct kunit *test, struct address_space *mapping)
{
	struct page *page;
	u32 val;

	lru_add_drain_all();
	invalidate_mapping_pages(mapping, 0, -1);
	page = shmem_read_mapping_page(mapping, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, page);
	memcpy_from_page((char *)&val, page, 0, sizeof(val));
	put_page(page);
	return val;
}

/* A page of shmem that is written and left clean is lost. Otherwise the next test shows nothing. */
static void upstream_check_reclaim(struct kunit *test)
{
	struct address_space *mapping = upstream_shmem(test)->base.filp->f_mapping;
	u32 val = 5;
	struct page *page;

	page = shmem_read_mapping_page(mapping, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, page);
	memcpy_to_page(page, 0, (char *)&val, sizeof(val));
	put_page(page);
	KUNIT_ASSERT_EQ(test, upstream_after_reclaim(test, mapping), 0);
}

/* An importer's device writes to pinned pages. Does the write outlive the pin? */
static void unpin_clean(struct kunit *test)
{
	struct drm_gem_shmem_object *shmem = upstream_shmem(test);
	u32 val = 5;

	upstream_check_reclaim(test);
	KUNIT_ASSERT_EQ(test, drm_gem_shmem_pin(shmem), 0);
	memcpy_to_page(shmem->pages[0], 0, (char *)&val, sizeof(val));
	drm_gem_shmem_unpin(shmem);
	KUNIT_ASSERT_NULL(test, shmem->pages);
	upstream_tell(test, "unpin-clean",
		      upstream_after_reclaim(test, shmem->base.filp->f_mapping) != 5);
}

struct upstream_vunmap {
	struct drm_gem_shmem_object *shmem;
	struct iosys_map map;
	bool started;
	struct completion done;
};

static int upstream_vunmap(void *data)
{
	struct upstream_vunmap *v = data;

	allow_signal(SIGUSR1);
	send_sig(SIGUSR1, current, 1);
	WRITE_ONCE(v->started, true);
	drm_gem_shmem_vunmap(v->shmem, &v->map);
	complete(&v->done);
	return 0;
}

/* A task with a signal unmaps while another task holds the lock. Checks the owner afterwards. */
static void vunmap_signal(struct kunit *test)
{
	struct upstream_vunmap *v = kunit_kzalloc(test, sizeof(*v), GFP_KERNEL);
	struct task_struct *task;
	struct dma_resv *resv;
	bool lost;

	KUNIT_ASSERT_NOT_NULL(test, v);
	v->shmem = upstream_shmem(test);
	init_completion(&v->done);
	resv = v->shmem->base.resv;
	KUNIT_ASSERT_EQ(test, drm_gem_shmem_vmap(v->shmem, &v->map), 0);
	task = kthread_create(upstream_vunmap, v, "upstream_vunmap");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	get_task_struct(task);
	dma_resv_lock(resv, NULL);
	wake_up_process(task);
	/* Until it came back, or waits for the lock whatever signals there are. */
	while (!completion_done(&v->done) &&
	       !(READ_ONCE(v->started) && READ_ONCE(task->__state) == TASK_UNINTERRUPTIBLE))
		schedule_timeout_uninterruptible(1);
	lost = !dma_resv_is_locked(resv);
	if (!lost)
		dma_resv_unlock(resv);
	wait_for_completion(&v->done);
	put_task_struct(task);
	upstream_tell(test, "vunmap-signal", lost);
}

struct upstream_scan {
	struct task_struct *scans;	/* the task that scans, or NULL */
	bool frees;
	struct completion freed;
};

struct upstream_obj {
	struct drm_gem_object base;
	struct upstream_scan *scan;
};

static void upstream_obj_free(struct drm_gem_object *obj)
{
	struct upstream_obj *uobj = container_of(obj, struct upstream_obj, base);
	struct upstream_scan *scan = uobj->scan;

	/* A work item may free the object while the scan is still running. */
	scan->frees = scan->scans == current;
	drm_gem_object_release(obj);
	kfree(uobj);
	complete(&scan->freed);
}

static const struct drm_gem_object_funcs upstream_obj_funcs = {
	.free = upstream_obj_free,
};

/* Here another task closes the last handle while the scan has the object. */
static bool upstream_shrink(struct drm_gem_object *obj, struct ww_acquire_ctx *ticket)
{
	drm_gem_object_put(obj);
	return false;
}

/* Is an object freed, which takes locks, in the shrinker, which must not take them? */
static void lru_free(struct kunit *test)
{
	struct upstream_scan *scan = kunit_kzalloc(test, sizeof(*scan), GFP_KERNEL);
	struct upstream_obj *uobj = kzalloc_obj(*uobj);
	struct drm_device *drm = test->priv;
	unsigned long remaining = 0;
	struct drm_gem_lru lru;

	KUNIT_ASSERT_NOT_NULL(test, scan);
	KUNIT_ASSERT_NOT_NULL(test, uobj);
	init_completion(&scan->freed);
	uobj->base.funcs = &upstream_obj_funcs;
	uobj->scan = scan;
	drm_gem_private_object_init(drm, &uobj->base, PAGE_SIZE);
	drm_gem_lru_init(&lru);
	drm_gem_lru_move_tail(&lru, &uobj->base);
	scan->scans = current;
	drm_gem_lru_scan(drm, &lru, 1, &remaining, upstream_shrink, NULL);
	scan->scans = NULL;
	wait_for_completion(&scan->freed);
	upstream_tell(test, "lru-free", scan->frees);
}

static struct sg_table *upstream_map_dma_buf(struct dma_buf_attachment *attach,
					     enum dma_data_direction dir)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static void upstream_unmap_dma_buf(struct dma_buf_attachment *attach, struct sg_table *sgt,
				   enum dma_data_direction dir)
{
}

static void upstream_release(struct dma_buf *dma_buf)
{
}

static int upstream_vmap_nothing(struct dma_buf *dma_buf, struct iosys_map *map)
{
	iosys_map_clear(map);
	return 0;
}

static const struct dma_buf_ops upstream_dma_buf_ops = {
	.map_dma_buf = upstream_map_dma_buf,
	.unmap_dma_buf = upstream_unmap_dma_buf,
	.release = upstream_release,
	.vmap = upstream_vmap_nothing,
};

/* Is a mapping without an address counted? The next call hits a BUG_ON() then. */
static void vmap_null(struct kunit *test)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dma_buf;
	struct iosys_map map;
	bool counted;

	info.ops = &upstream_dma_buf_ops;
	info.size = PAGE_SIZE;
	info.priv = test;
	dma_buf = dma_buf_export(&info);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dma_buf);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, upstream_put_dma_buf, dma_buf), 0);
	dma_resv_lock(dma_buf->resv, NULL);
	counted = !dma_buf_vmap(dma_buf, &map) && dma_buf->vmapping_counter &&
		  iosys_map_is_null(&dma_buf->vmap_ptr);
	/* As if it had failed, for the end of the dma-buf */
	if (counted)
		dma_buf->vmapping_counter = 0;
	dma_resv_unlock(dma_buf->resv);
	upstream_tell(test, "vmap-null", counted);
}

static struct kunit_case upstream_gem_cases[] = {
	KUNIT_CASE(split_read),
	KUNIT_CASE(split_write),
	KUNIT_CASE(unpin_clean),
	KUNIT_CASE(vunmap_signal),
	KUNIT_CASE(lru_free),
	KUNIT_CASE(vmap_null),
	{}
};

static struct kunit_suite upstream_gem_suite = {
	.name = "drm_upstream_gem",
	.init = upstream_init,
	.test_cases = upstream_gem_cases,
};

kunit_test_suite(upstream_gem_suite);

MODULE_DESCRIPTION("Reproducers of faults in the DRM core: GEM objects");
MODULE_LICENSE("Dual MIT/GPL");
MODULE_IMPORT_NS("DMA_BUF");
MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
