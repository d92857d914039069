// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Statistics, labels and the list of all objects: drm_shmem_list.c
 */

#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/mman.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <drm/drm_gem.h>
#include <drm/drm_prime.h>
#include <drm/drm_print.h>

#include "drm_shmem_internal.h"
#include "drm_shmem_test.h"

#define LIST_TEXT	SZ_16K
/* Whole pages, and like no other object's size */
#define LIST_IMPORT	(3 * PAGE_SIZE)

/* Returns the value of a line of fdinfo in bytes, or -1 if there is none. */
static s64 fdinfo_value(const char *text, const char *stat, const char *region)
{
	char key[64], unit[4] = "";
	const char *line;
	u64 value;

	snprintf(key, sizeof(key), "drm-%s-%s:", stat, region);
	line = strstr(text, key);
	if (!line || sscanf(line + strlen(key), " %llu %3s", &value, unit) < 1)
		return -1;
	if (!strncmp(unit, "KiB", 3))
		return value * SZ_1K;
	if (!strncmp(unit, "MiB", 3))
		return value * SZ_1M;
	return value;
}

static char *fdinfo_read(struct kunit *test, struct drm_file *file)
{
	struct drm_print_iterator iter = { .remain = LIST_TEXT - 1 };
	struct drm_printer p;

	iter.data = kunit_kzalloc(test, LIST_TEXT, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, iter.data);
	p = drm_coredump_printer(&iter);
	file->minor->dev->driver->show_fdinfo(&p, file);
	return iter.data;
}

/* A client's expectation of its own objects, by region */
struct fdinfo_view {
	s64 total, shared, resident, purgeable, active;
};

static void expect_fdinfo(struct kunit *test, const char *text, const char *region,
			  const struct fdinfo_view *view)
{
	KUNIT_EXPECT_EQ(test, fdinfo_value(text, "total", region), view->total);
	KUNIT_EXPECT_EQ(test, fdinfo_value(text, "shared", region), view->shared);
	KUNIT_EXPECT_EQ(test, fdinfo_value(text, "resident", region), view->resident);
	KUNIT_EXPECT_EQ(test, fdinfo_value(text, "purgeable", region), view->purgeable);
	KUNIT_EXPECT_EQ(test, fdinfo_value(text, "active", region), view->active);
}

static void expect_view(struct kunit *test, const struct fdinfo_view *own,
			const struct fdinfo_view *imported)
{
	struct shmem_test *t = test->priv;
	const char *text = fdinfo_read(test, t->file);

	expect_fdinfo(test, text, "memory", own);
	expect_fdinfo(test, text, "imported", imported);
}

static const char *fdinfo_fence_name(struct dma_fence *fence)
{
	return "list";
}

static const struct dma_fence_ops fdinfo_fence_ops = {
	.get_driver_name = fdinfo_fence_name,
	.get_timeline_name = fdinfo_fence_name,
};

static DEFINE_SPINLOCK(fdinfo_fence_lock);

static struct dma_fence *fdinfo_busy(struct kunit *test, struct drm_shmem_obj *obj)
{
	struct dma_resv *resv = drm_shmem_gem(obj)->resv;
	struct dma_fence *fence = kzalloc_obj(*fence);

	KUNIT_ASSERT_NOT_NULL(test, fence);
	dma_fence_init(fence, &fdinfo_fence_ops, &fdinfo_fence_lock, dma_fence_context_alloc(1), 1);
	dma_resv_lock(resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(resv, 1), 0);
	dma_resv_add_fence(resv, fence, DMA_RESV_USAGE_READ);
	dma_resv_unlock(resv);
	return fence;
}

static u32 list_handle(struct kunit *test, struct drm_shmem_obj *obj)
{
	struct shmem_test *t = test->priv;
	u32 handle = 0;

	KUNIT_ASSERT_EQ(test, drm_shmem_handle_create(obj, t->file, &handle), 0);
	return handle;
}

/* A heap, whose parts are objects without a handle */
struct heap_bo {
	struct drm_shmem_obj obj;
	size_t parts;
};

DRM_SHMEM_OBJ_TYPE(heap_bo_type, struct heap_bo, obj, struct heap_bo_unique);

static int heap_asked;

static size_t heap_rss(const struct drm_shmem_obj *obj)
{
	heap_asked++;
	return READ_ONCE(drm_shmem_from_obj(&heap_bo_type, obj)->parts);
}

const struct heap_bo_type heap_bo_type = {
	DRM_SHMEM_OBJ_FUNCS,
	.base.rss = heap_rss,
};

/* The parts of a heap are resident, with and without pages of the heap. */
static void rss_of_heap(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct fdinfo_view own = {}, imported = {};
	struct heap_bo_unique *unique = drm_shmem_create(&heap_bo_type, t->drm, SZ_1M, NULL);
	struct dma_fence *fence;
	struct heap_bo *heap;
	u32 handle;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unique);
	heap = drm_shmem_publish(&heap_bo_type, &unique);
	handle = list_handle(test, &heap->obj);
	own.total = SZ_1M;
	expect_view(test, &own, &imported);
	WRITE_ONCE(heap->parts, SZ_128K);
	own.resident = SZ_128K;
	expect_view(test, &own, &imported);
	/* Active memory is part of the resident memory, which is part of the total. */
	fence = fdinfo_busy(test, &heap->obj);
	own.active = SZ_128K;
	expect_view(test, &own, &imported);
	WRITE_ONCE(heap->parts, SZ_2M);
	own.total = SZ_2M;
	own.resident = SZ_2M;
	own.active = SZ_2M;
	expect_view(test, &own, &imported);
	KUNIT_ASSERT_EQ(test, drm_shmem_pin(&heap->obj), 0);
	own.total = SZ_1M + SZ_2M;
	own.resident = SZ_1M + SZ_2M;
	own.active = SZ_1M + SZ_2M;
	expect_view(test, &own, &imported);
	dma_fence_signal(fence);
	dma_fence_put(fence);
	own.active = 0;
	expect_view(test, &own, &imported);
	drm_shmem_unpin(&heap->obj);
	KUNIT_EXPECT_EQ(test, drm_gem_handle_delete(t->file, handle), 0);
	drm_shmem_put(&heap->obj);
}

/* A purge frees the pages, and not the parts. */
static void rss_is_not_purgeable(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct fdinfo_view own = { .total = SZ_64K }, imported = {};
	struct heap_bo_unique *unique = drm_shmem_create(&heap_bo_type, t->drm, SZ_64K, NULL);
	struct heap_bo *heap;
	u32 handle;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unique);
	heap = drm_shmem_publish(&heap_bo_type, &unique);
	handle = list_handle(test, &heap->obj);
	WRITE_ONCE(heap->parts, SZ_2M);
	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm)) {
		int ret = 0;

		drm_shmem_sgt_guard(sgt, &reg->base.bound, &heap->obj, ret)
			;
		KUNIT_EXPECT_EQ(test, ret, 0);
	}
	KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&heap->obj, DRM_SHMEM_DONTNEED, NULL), 1);
	own.total = SZ_64K + SZ_2M;
	own.resident = SZ_64K + SZ_2M;
	own.purgeable = SZ_64K;
	expect_view(test, &own, &imported);
	KUNIT_EXPECT_EQ(test, drm_gem_handle_delete(t->file, handle), 0);
	drm_shmem_put(&heap->obj);
}

static struct drm_gem_object *heap_create_object(struct drm_device *drm, size_t size)
{
	return drm_shmem_gem_create_object(&heap_bo_type);
}

DEFINE_DRM_GEM_FOPS(heap_fops);

static const struct drm_driver heap_driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER,
	.fops = &heap_fops,
	.name = "heap_test",
	.desc = "test device of drm_shmem_safe",
	.gem_create_object = heap_create_object,
	DRM_SHMEM_DRIVER_OPS,
};

/* The memory of an import is its exporter's: its type is not asked. */
static void rss_of_import(struct kunit *test)
{
	struct drm_device *drm =
		shmem_test_device(test, drm_safe_test_parent(test), &heap_driver);
	struct file *filp = drm_safe_test_open(test, drm->render);
	struct fdinfo_view imported = { .total = LIST_IMPORT };
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, LIST_IMPORT);
	struct drm_gem_object *gem;
	struct drm_file *file;
	u32 handle;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, filp);
	file = filp->private_data;
	gem = drm->driver->gem_prime_import(drm, dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, gem);
	WRITE_ONCE(drm_shmem_from_gem(&heap_bo_type, gem)->parts, SZ_128K);
	KUNIT_ASSERT_EQ(test, drm_gem_handle_create(file, gem, &handle), 0);
	heap_asked = 0;
	expect_fdinfo(test, fdinfo_read(test, file), "imported", &imported);
	KUNIT_EXPECT_EQ(test, heap_asked, 0);
	KUNIT_EXPECT_EQ(test, drm_gem_handle_delete(file, handle), 0);
	drm_gem_object_put(gem);
	shmem_test_export_put(dmabuf);
}

/* The sums are those that a client adds up, step by step. Each object has a size of its own. */
static void client_sees_its_memory(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct fdinfo_view own = {}, imported = {};
	struct test_bo *idle = shmem_test_bo(test, SZ_64K), *import;
	struct reclaim_bo *bo = shmem_test_reclaim_bo(test, SZ_128K);
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, LIST_IMPORT), *own_buf;
	struct dma_fence *fence;
	u32 handle, other;

	expect_view(test, &own, &imported);
	list_handle(test, &idle->obj);
	handle = list_handle(test, &bo->obj);
	own.total = SZ_64K + SZ_128K;
	expect_view(test, &own, &imported);

	KUNIT_ASSERT_EQ(test, drm_shmem_pin(&bo->obj), 0);
	own.resident = SZ_128K;
	expect_view(test, &own, &imported);
	drm_shmem_unpin(&bo->obj);
	own.resident = 0;
	expect_view(test, &own, &imported);

	/* With pages again, and given up: purgeable unless it is active */
	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm)) {
		int ret = 0;

		drm_shmem_sgt_guard(sgt, &reg->base.bound, &bo->obj, ret)
			;
		KUNIT_EXPECT_EQ(test, ret, 0);
	}
	own.resident = SZ_128K;
	KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&bo->obj, DRM_SHMEM_DONTNEED, NULL), 1);
	own.purgeable = SZ_128K;
	expect_view(test, &own, &imported);
	fence = fdinfo_busy(test, &bo->obj);
	own.active = SZ_128K;
	own.purgeable = 0;
	expect_view(test, &own, &imported);
	dma_fence_signal(fence);
	dma_fence_put(fence);
	own.active = 0;
	own.purgeable = SZ_128K;
	expect_view(test, &own, &imported);
	KUNIT_EXPECT_EQ(test, drm_shmem_purge(&bo->obj), 0);
	own.resident = 0;
	own.purgeable = 0;
	expect_view(test, &own, &imported);

	/* Shared with the holder of the dma-buf */
	other = list_handle(test, &idle->obj);
	own.total += SZ_64K;
	own.shared = 2 * SZ_64K;
	expect_view(test, &own, &imported);
	KUNIT_EXPECT_EQ(test, drm_gem_handle_delete(t->file, other), 0);
	own.total -= SZ_64K;
	own.shared = 0;
	expect_view(test, &own, &imported);
	other = list_handle(test, &idle->obj);
	own_buf = drm_gem_prime_handle_to_dmabuf(t->drm, t->file, other, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, own_buf);
	KUNIT_EXPECT_EQ(test, drm_gem_handle_delete(t->file, other), 0);
	own.shared = SZ_64K;
	expect_view(test, &own, &imported);

	/* Made of another device's memory */
	import = shmem_test_import(test, t->drm, dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, import);
	other = list_handle(test, &import->obj);
	imported.total = LIST_IMPORT;
	expect_view(test, &own, &imported);
	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm)) {
		int ret = 0;

		drm_shmem_sgt_guard(sgt, &reg->base.bound, &import->obj, ret)
			;
		KUNIT_EXPECT_EQ(test, ret, 0);
	}
	imported.resident = LIST_IMPORT;
	expect_view(test, &own, &imported);
	drm_shmem_put(&import->obj);

	KUNIT_EXPECT_EQ(test, drm_gem_handle_delete(t->file, handle), 0);
	own.total -= SZ_128K;
	expect_view(test, &own, &imported);
	KUNIT_EXPECT_EQ(test, drm_gem_handle_delete(t->file, other), 0);
	memset(&imported, 0, sizeof(imported));
	expect_view(test, &own, &imported);
	drm_shmem_put(&bo->obj);
	shmem_test_export_put(own_buf);
	shmem_test_export_put(dmabuf);
}

#ifdef CONFIG_DEBUG_FS
static char *list_read(struct kunit *test)
{
	struct seq_file m = { .size = LIST_TEXT };

	m.buf = kunit_kzalloc(test, LIST_TEXT, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m.buf);
	mutex_init(&m.lock);
	KUNIT_EXPECT_EQ(test, drm_shmem_list_show(&m, NULL), 0);
	KUNIT_ASSERT_FALSE(test, seq_has_overflowed(&m));
	m.buf[m.count] = '\0';
	return m.buf;
}

/* The part of the list that is about a device, or NULL */
static char *list_device(struct kunit *test, struct drm_device *drm)
{
	char *text = list_read(test), *from, *to, name[96];

	snprintf(name, sizeof(name), "\n%s %s\n", dev_name(drm->dev), drm->driver->name);
	from = strstr(text, name);
	if (!from)
		return NULL;
	from += strlen(name);
	to = strstr(from, "  objects ");
	KUNIT_ASSERT_NOT_NULL(test, to);
	to = strchr(to, '\n');
	KUNIT_ASSERT_NOT_NULL(test, to);
	to[1] = '\0';
	return from;
}

static void expect_listed(struct kunit *test, const char *text, bool listed)
{
	struct shmem_test *t = test->priv;
	const char *device = list_device(test, t->drm);

	KUNIT_EXPECT_EQ_MSG(test, device && strstr(device, text), listed, "%s\nin:\n%s", text,
			    device ?: "(no device)");
}

static __printf(2, 3) void expect_row(struct kunit *test, const char *fmt, ...)
{
	char row[96];
	va_list args;

	va_start(args, fmt);
	vsnprintf(row, sizeof(row), fmt, args);
	va_end(args);
	expect_listed(test, row, true);
}

static int list_map(struct drm_device *drm, struct drm_shmem_obj *obj)
{
	int ret = -ENODEV;

	drm_dev_ctx_guard(test_reg, reg, test_ctx(drm))
		drm_shmem_sgt_guard(sgt, &reg->base.bound, obj, ret)
			continue;
	return ret;
}

static void all_are_listed(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, LIST_IMPORT);
	struct reclaim_bo *bo;
	struct test_bo *import;
	char row[96];
	int ret = -1;

	KUNIT_EXPECT_NULL(test, list_device(test, t->drm));
	bo = shmem_test_reclaim_bo(test, SZ_64K);
	snprintf(row, sizeof(row), "%s/%d 65536 0 0 0 -\n", current->group_leader->comm,
		 task_tgid_nr(current));
	expect_listed(test, row, true);
	expect_listed(test, "  objects 1 size 65536 resident 0 ", true);
	expect_listed(test, " purgeable 0 evictable 0 imported 0\n", true);

	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm))
		drm_shmem_sgt_guard(sgt, &reg->base.bound, &bo->obj, ret)
			snprintf(row, sizeof(row), " 65536 0 %u 0 resident,mapped\n",
				 drm_shmem_sgt_table(sgt)->nents);
	KUNIT_EXPECT_EQ(test, ret, 0);
	expect_listed(test, row, true);
	KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&bo->obj, DRM_SHMEM_DONTNEED, NULL), 1);
	expect_listed(test, " resident,mapped,purgeable\n", true);
	/* The list does not wait for the lock. */
	dma_resv_lock(drm_shmem_gem(&bo->obj)->resv, NULL);
	expect_listed(test, " 65536 0 ? 0 resident,mapped,purgeable\n", true);
	dma_resv_unlock(drm_shmem_gem(&bo->obj)->resv);
	expect_listed(test, "  objects 1 size 65536 resident 65536 ", true);
	expect_listed(test, " purgeable 65536 evictable 0 imported 0\n", true);
	KUNIT_EXPECT_EQ(test, drm_shmem_purge(&bo->obj), 0);
	expect_listed(test, " 65536 0 0 0 purged\n", true);

	import = shmem_test_import(test, t->drm, dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, import);
	expect_row(test, " %lu 0 0 0 imported\n", LIST_IMPORT);
	expect_row(test, "  objects 2 size %lu resident 0 ", SZ_64K + LIST_IMPORT);
	expect_row(test, " purgeable 0 evictable 0 imported %lu\n", LIST_IMPORT);
	drm_shmem_put(&bo->obj);
	expect_row(test, "objects 1 size %lu ", LIST_IMPORT);
	drm_shmem_put(&import->obj);
	KUNIT_EXPECT_NULL(test, list_device(test, t->drm));
	shmem_test_export_put(dmabuf);
}

/* How often an object was evicted, whether it is, and how much a scan would find */
static void evictions_are_listed(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_shmem_shrinker *s = &test_dev(t->drm)->shrinker;
	struct reclaim_bo *bo = shmem_test_reclaim_bo(test, 4 * PAGE_SIZE);
	struct reclaim_bo *other = shmem_test_reclaim_bo(test, 2 * PAGE_SIZE);

	KUNIT_ASSERT_EQ(test, drmm_shmem_shrinker_init(t->drm, s), 0);
	KUNIT_ASSERT_EQ(test, list_map(t->drm, &other->obj), 0);
	for (int i = 1; i < 3; i++) {
		KUNIT_ASSERT_EQ(test, list_map(t->drm, &bo->obj), 0);
		shmem_test_touch(&bo->obj, s);
		expect_row(test, " evictable %lu imported 0\n", 4 * PAGE_SIZE);
		KUNIT_EXPECT_EQ(test, drm_shmem_evict(&bo->obj), 0);
		expect_listed(test, " evictable 0 imported 0\n", true);
		expect_row(test, " %lu 0 0 %d evicted\n", 4 * PAGE_SIZE, i);
	}
	KUNIT_ASSERT_EQ(test, list_map(t->drm, &bo->obj), 0);
	expect_listed(test, " 2 resident,mapped\n", true);
	KUNIT_EXPECT_EQ(test, drm_shmem_madvise(&bo->obj, DRM_SHMEM_DONTNEED, s), 1);
	expect_row(test, " purgeable %lu evictable 0 ", 4 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, drm_shmem_purge(&bo->obj), 0);
	expect_row(test, " %lu 0 0 2 purged\n", 4 * PAGE_SIZE);
	drm_shmem_put(&bo->obj);
	drm_shmem_put(&other->obj);
}

/* An incomplete object is not listed. */
static void incomplete_is_not(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bo *bo;

	t->init_ret = -EIO;
	bo = test_bo_new(t->drm, SZ_4K, NULL);
	KUNIT_EXPECT_PTR_EQ(test, bo, ERR_PTR(-EIO));
	KUNIT_EXPECT_NULL(test, list_device(test, t->drm));
	t->init_ret = 0;
}

/* Objects of several devices, in whatever order they go */
static void by_device(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_device *other =
		shmem_test_device(test, drm_safe_test_parent(test), &shmem_test_driver);
	struct test_bo *bos[4];
	char row[96];

	for (int i = 0; i < ARRAY_SIZE(bos); i++) {
		bos[i] = test_bo_new(i % 2 ? other : t->drm, PAGE_SIZE << i, NULL);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bos[i]);
	}
	expect_row(test, "objects 2 size %lu ", 5 * PAGE_SIZE);
	snprintf(row, sizeof(row), "objects 2 size %lu ", 10 * PAGE_SIZE);
	KUNIT_ASSERT_NOT_NULL(test, list_device(test, other));
	KUNIT_EXPECT_NOT_NULL(test, strstr(list_device(test, other), row));
	drm_shmem_put(&bos[0]->obj);
	drm_shmem_put(&bos[2]->obj);
	KUNIT_EXPECT_NULL(test, list_device(test, t->drm));
	KUNIT_EXPECT_NOT_NULL(test, list_device(test, other));
	drm_shmem_put(&bos[1]->obj);
	drm_shmem_put(&bos[3]->obj);
	KUNIT_EXPECT_NULL(test, list_device(test, other));
}

/* A leaked object stays listed when its driver is gone, and the driver's name with it. */
static void driver_gone(struct kunit *test)
{
	struct drm_driver *driver = kunit_kzalloc(test, sizeof(*driver), GFP_KERNEL);
	char *name = kunit_kzalloc(test, 16, GFP_KERNEL);
	struct drm_device *drm;
	struct test_bo *bo;
	char row[96];

	KUNIT_ASSERT_NOT_NULL(test, driver);
	KUNIT_ASSERT_NOT_NULL(test, name);
	strscpy(name, "unloaded", 16);
	*driver = shmem_test_driver;
	driver->name = name;
	drm = shmem_test_device(test, drm_safe_test_parent(test), driver);
	bo = test_bo_new(drm, SZ_4K, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	snprintf(row, sizeof(row), "\n%s unloaded\n", dev_name(drm->dev));
	KUNIT_EXPECT_NOT_NULL(test, strstr(list_read(test), row));
	/* As if the memory were another module's by now */
	strscpy(name, "other", 16);
	KUNIT_EXPECT_NOT_NULL(test, strstr(list_read(test), row));
	drm_shmem_put(&bo->obj);
}

static void labels(struct kunit *test)
{
	char *large = kunit_kzalloc(test, DRM_SHMEM_LABEL_MAX + 1, GFP_KERNEL);
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);

	KUNIT_ASSERT_NOT_NULL(test, large);
	KUNIT_EXPECT_EQ(test, drm_shmem_set_label(&bo->obj, "ring 0"), 0);
	expect_listed(test, " - ring 0\n", true);
	KUNIT_EXPECT_EQ(test, drm_shmem_set_label(&bo->obj, "heap"), 0);
	expect_listed(test, " - heap\n", true);
	expect_listed(test, "ring", false);

	memset(large, 'x', DRM_SHMEM_LABEL_MAX);
	KUNIT_EXPECT_EQ(test, drm_shmem_set_label(&bo->obj, large), -E2BIG);
	expect_listed(test, " - heap\n", true);
	large[DRM_SHMEM_LABEL_MAX - 1] = '\0';
	KUNIT_EXPECT_EQ(test, drm_shmem_set_label(&bo->obj, large), 0);
	expect_listed(test, large, true);

	/* A label is no second row. */
	KUNIT_EXPECT_EQ(test, drm_shmem_set_label(&bo->obj, "a\n  objects 9\t\\"), 0);
	expect_listed(test, " - a\\012  objects 9\\011\\134\n", true);
	KUNIT_EXPECT_EQ(test, drm_shmem_set_label(&bo->obj, ""), 0);
	expect_row(test, " %lu 0 0 0 -\n", PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, drm_shmem_set_label(&bo->obj, "last"), 0);
	KUNIT_EXPECT_EQ(test, drm_shmem_set_label(&bo->obj, NULL), 0);
	expect_row(test, " %lu 0 0 0 -\n", PAGE_SIZE);
	/* Goes with the object, which kmemleak sees. */
	KUNIT_EXPECT_EQ(test, drm_shmem_set_label(&bo->obj, "last"), 0);
}

static void labels_of_userspace(struct kunit *test)
{
	const unsigned long size = DRM_SHMEM_LABEL_MAX + PAGE_SIZE;
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);
	unsigned long addr = kunit_vm_mmap(test, NULL, 0, size, PROT_READ | PROT_WRITE,
					   MAP_ANONYMOUS | MAP_PRIVATE, 0);
	char __user *label = (char __user *)addr;

	KUNIT_ASSERT_NE(test, addr, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	KUNIT_ASSERT_EQ(test, copy_to_user(label, "from user", 10), 0);
	KUNIT_EXPECT_EQ(test, drm_shmem_set_label_user(&bo->obj, label), 0);
	expect_listed(test, " - from user\n", true);
	KUNIT_EXPECT_EQ(test, drm_shmem_set_label_user(&bo->obj, NULL), -EFAULT);
	expect_listed(test, " - from user\n", true);

	for (unsigned int i = 0; i < DRM_SHMEM_LABEL_MAX; i++)
		KUNIT_ASSERT_EQ(test, put_user('y', label + i), 0);
	KUNIT_EXPECT_EQ(test, drm_shmem_set_label_user(&bo->obj, label), -E2BIG);
	expect_listed(test, " - from user\n", true);
	KUNIT_ASSERT_EQ(test, put_user('\0', label + DRM_SHMEM_LABEL_MAX - 1), 0);
	KUNIT_EXPECT_EQ(test, drm_shmem_set_label_user(&bo->obj, label), 0);
	expect_listed(test, " - yyyy", true);
	KUNIT_ASSERT_EQ(test, put_user('\0', label), 0);
	KUNIT_EXPECT_EQ(test, drm_shmem_set_label_user(&bo->obj, label), 0);
	expect_row(test, " %lu 0 0 0 -\n", PAGE_SIZE);
}

static int label_fn(struct kunit *test, void *ctx)
{
	struct drm_shmem_obj *obj = ctx;
	int ret = drm_shmem_set_label(obj, "new");
	unsigned int left = drm_safe_fail_pause();

	expect_listed(test, ret ? " - old\n" : " - new\n", true);
	drm_safe_fail_resume(left);
	return ret;
}

static void label_fails(struct kunit *test)
{
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);

	KUNIT_ASSERT_EQ(test, drm_shmem_set_label(&bo->obj, "old"), 0);
	KUNIT_EXPECT_GE(test, drm_safe_fail_nth(test, label_fn, &bo->obj), 1);
}

struct label_bo {
	struct drm_shmem_obj obj;
};

DRM_SHMEM_OBJ_TYPE(label_bo_type, struct label_bo, obj, struct label_bo_unique);

static int label_bo_init(struct drm_shmem_obj *obj)
{
	return drm_shmem_set_label(obj, "first");
}

const struct label_bo_type label_bo_type = {
	DRM_SHMEM_OBJ_FUNCS,
	.base.init = label_bo_init,
};

static int label_create_fn(struct kunit *test, void *ctx)
{
	struct label_bo_unique *unique = drm_shmem_create(&label_bo_type, ctx, PAGE_SIZE, NULL);
	unsigned int left = drm_safe_fail_pause();
	struct label_bo *bo;

	if (IS_ERR(unique))
		return PTR_ERR(unique);
	/* Without memory for its row, the object may not be listed. */
	if (left || list_device(test, ctx))
		expect_listed(test, " - first\n", true);
	bo = drm_shmem_publish(&label_bo_type, &unique);
	KUNIT_EXPECT_EQ(test, drm_shmem_set_label(&bo->obj, "second"), 0);
	expect_listed(test, "first", false);
	KUNIT_EXPECT_EQ(test, drm_shmem_set_label(&bo->obj, NULL), 0);
	drm_shmem_put(&bo->obj);
	drm_safe_fail_resume(left);
	return 0;
}

/* An object can have a label before it is listed, or when it never is. */
static void labels_unlisted(struct kunit *test)
{
	struct shmem_test *t = test->priv;

	KUNIT_EXPECT_GE(test, drm_safe_fail_nth(test, label_create_fn, t->drm), 4);
	KUNIT_EXPECT_NULL(test, list_device(test, t->drm));
}

static int label_beside_fn(struct kunit *test, void *ctx)
{
	struct label_bo_unique *unique = drm_shmem_create(&label_bo_type, ctx, PAGE_SIZE, NULL);
	unsigned int left = drm_safe_fail_pause();
	struct label_bo *bo;

	if (IS_ERR(unique))
		return PTR_ERR(unique);
	expect_listed(test, " - first\n", true);
	bo = drm_shmem_publish(&label_bo_type, &unique);
	drm_shmem_put(&bo->obj);
	drm_safe_fail_resume(left);
	return 0;
}

/* If the device is listed, an object that has a row needs no memory to be listed, too. */
static void labels_listed(struct kunit *test)
{
	struct shmem_test *t = test->priv;

	shmem_test_bo(test, PAGE_SIZE);
	KUNIT_EXPECT_GE(test, drm_safe_fail_nth(test, label_beside_fn, t->drm), 3);
}

static int list_create_fn(struct kunit *test, void *ctx)
{
	struct drm_device *drm = ctx;
	struct test_bo *bo = test_bo_new(drm, SZ_4K, NULL);
	unsigned int left = drm_safe_fail_pause();

	if (IS_ERR(bo))
		return PTR_ERR(bo);
	/* Makes the row of an object that has none. */
	KUNIT_EXPECT_EQ(test, drm_shmem_set_label(&bo->obj, "late"), 0);
	drm_shmem_put(&bo->obj);
	drm_safe_fail_resume(left);
	return 0;
}

/* An object for which the list had no memory is one without. */
static void list_fails(struct kunit *test)
{
	struct shmem_test *t = test->priv;

	KUNIT_EXPECT_GE(test, drm_safe_fail_nth(test, list_create_fn, t->drm), 3);
	KUNIT_EXPECT_NULL(test, list_device(test, t->drm));
}
#else
/* Userspace's labels are accepted, but not shown. */
static void labels_do_nothing(struct kunit *test)
{
	struct test_bo *bo = shmem_test_bo(test, PAGE_SIZE);

	KUNIT_EXPECT_EQ(test, drm_shmem_set_label(&bo->obj, "ring"), 0);
	KUNIT_EXPECT_EQ(test, drm_shmem_set_label_user(&bo->obj, NULL), 0);
}
#endif

static struct kunit_case drm_shmem_list_cases[] = {
	KUNIT_CASE(client_sees_its_memory),
	KUNIT_CASE(rss_of_heap),
	KUNIT_CASE(rss_is_not_purgeable),
	KUNIT_CASE(rss_of_import),
#ifdef CONFIG_DEBUG_FS
	KUNIT_CASE(all_are_listed),
	KUNIT_CASE(evictions_are_listed),
	KUNIT_CASE(incomplete_is_not),
	KUNIT_CASE(by_device),
	KUNIT_CASE(driver_gone),
	KUNIT_CASE(labels),
	KUNIT_CASE(labels_of_userspace),
	KUNIT_CASE(label_fails),
	KUNIT_CASE(labels_unlisted),
	KUNIT_CASE(labels_listed),
	KUNIT_CASE(list_fails),
#else
	KUNIT_CASE(labels_do_nothing),
#endif
	{}
};

static struct kunit_suite drm_shmem_list_suite = {
	.name = "drm_shmem_list",
	.init = shmem_test_init,
	.test_cases = drm_shmem_list_cases,
};

kunit_test_suite(drm_shmem_list_suite);
