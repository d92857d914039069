// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The look-ups at the start of an ioctl: the objects of its handles and ids, the tables of objects
 * without shmem pages, and the device's own memory.
 */

#include <linux/dma-mapping.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>

#include "bench.h"
#include "drm_dev_ctx_ids.h"
#include "drm_dev_ctx_res.h"
#include "drm_gem_sgt.h"
#include "drm_safe_test.h"
#include "drm_shmem_safe.h"

#define FIND_HANDLES	16

struct find_dev {
	struct drm_dev_ctx ctx;
};

/* Proof that a struct find_dev is registered */
struct find_reg {
	struct drm_dev_ctx_reg base;
};

struct find_bo {
	struct drm_shmem_obj obj;
};

DRM_SHMEM_OBJ_TYPE(find_bo_type, struct find_bo, obj, struct find_bo_unique);

const struct find_bo_type find_bo_type = {
	DRM_SHMEM_OBJ_FUNCS,
};

struct find_bos {
	DRM_SHMEM_OBJS(struct find_bo);
};

struct find_ring {
	DRM_VMAP(SZ_4K);
};

struct find_ring_res {
	DRM_DEV_CTX_RES(struct find_ring);
};

struct find_queues {
	DRM_DEV_CTX_IDS(struct find_queue);
};

struct find_queue {
	struct drm_dev_ctx_id_obj obj;
	u32 value;
};

DRM_DEV_CTX_IDS_TYPE(find_queue_type, struct find_queue, obj);

static void find_queue_release(struct drm_dev_ctx_id_obj *obj)
{
	kfree(container_of(obj, struct find_queue, obj));
}

const struct find_queue_type find_queue_type = {
	.base.max = 16,
	.base.release = find_queue_release,
};

/* The same without the library */
struct find_raw_queue {
	struct kref ref;
	u32 value;
};

static void find_raw_release(struct kref *ref)
{
	kfree(container_of(ref, struct find_raw_queue, ref));
}

/* An object without shmem pages. A driver without the library keeps @table. */
struct find_mem {
	struct drm_gem_object gem;
	struct drm_gem_sgt sgt;
	struct sg_table *table;
	struct page *page;
};

static struct sg_table *find_mem_map(struct drm_gem_object *gem)
{
	struct find_mem *mem = container_of(gem, struct find_mem, gem);
	struct sg_table *sgt = kzalloc_obj(*sgt);
	int ret = sgt ? sg_alloc_table(sgt, 1, GFP_KERNEL) : -ENOMEM;

	if (ret)
		goto err_free;
	sg_set_page(sgt->sgl, mem->page, PAGE_SIZE, 0);
	ret = dma_map_sgtable(drm_dev_dma_dev(gem->dev), sgt, DMA_BIDIRECTIONAL, 0);
	if (ret)
		goto err_table;
	return sgt;

err_table:
	sg_free_table(sgt);
err_free:
	kfree(sgt);
	return ERR_PTR(ret);
}

static void find_mem_unmap(struct drm_gem_object *gem, struct sg_table *sgt)
{
	dma_unmap_sgtable(drm_dev_dma_dev(gem->dev), sgt, DMA_BIDIRECTIONAL, 0);
	sg_free_table(sgt);
	kfree(sgt);
}

static const struct drm_gem_sgt_ops find_mem_sgt_ops = {
	.map = find_mem_map,
	.unmap = find_mem_unmap,
};

static void find_mem_free(struct drm_gem_object *gem)
{
	struct find_mem *mem = container_of(gem, struct find_mem, gem);

	drm_gem_sgt_fini(&mem->sgt);
	if (mem->table)
		find_mem_unmap(gem, mem->table);
	drm_gem_object_release(gem);
	__free_page(mem->page);
	kfree(mem);
}

static const struct drm_gem_object_funcs find_mem_funcs = {
	.free = find_mem_free,
};

DEFINE_DRM_GEM_FOPS(find_fops);

static const struct drm_driver find_driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER,
	.fops = &find_fops,
	.name = "bench_find",
	.desc = "benchmark of lookups",
	DRM_SHMEM_DRIVER_OPS,
};

struct bench_find {
	struct drm_device *drm;
	struct drm_file *file;
	const struct drm_dev_ctx_bound *bound;
	u32 handles[FIND_HANDLES];
	struct find_mem *mem;
	struct find_ring_res ring;
	u32 *raw_ring;
	struct find_queues queues;
	struct xarray raw_queues;
	u32 id;
};

static bench_alone u32 handles_by_hand(struct drm_file *file, const u32 *handles, u32 count)
{
	struct drm_gem_object **gems =
		kvmalloc_array(count, sizeof(*gems), GFP_KERNEL_ACCOUNT);
	u32 i, found = 0;

	if (!gems)
		return 0;
	for (i = 0; i < count; i++) {
		gems[i] = drm_gem_object_lookup(file, handles[i]);
		if (!gems[i])
			break;
		found++;
	}
	while (i--)
		drm_gem_object_put(gems[i]);
	kvfree(gems);
	return found;
}

static bench_alone u32 handles_once(struct drm_file *file, const u32 *handles, u32 count)
{
	struct find_bos *bos __free(drm_shmem_objs) =
		drm_shmem_lookup_handles(&find_bo_type, find_bos, file, handles, count);

	return IS_ERR(bos) ? 0 : drm_shmem_objs_count(bos);
}

static u64 handles_raw(void *ctx, unsigned int loops)
{
	struct bench_find *b = ctx;

	return BENCH_LOOP(loops, handles_by_hand(b->file, b->handles, FIND_HANDLES));
}

static u64 handles_safe(void *ctx, unsigned int loops)
{
	struct bench_find *b = ctx;

	return BENCH_LOOP(loops, handles_once(b->file, b->handles, FIND_HANDLES));
}

static bench_alone u32 id_by_hand(struct xarray *queues, u32 id)
{
	struct find_raw_queue *queue;
	u32 value;

	xa_lock(queues);
	queue = xa_load(queues, id);
	if (queue)
		kref_get(&queue->ref);
	xa_unlock(queues);
	if (!queue)
		return 0;
	value = READ_ONCE(queue->value);
	kref_put(&queue->ref, find_raw_release);
	return value;
}

static bench_alone u32 id_once(struct find_queues *queues, u32 id)
{
	struct find_queue *queue __free(drm_dev_ctx_id) = drm_dev_ctx_id_lookup(queues, id);

	return IS_ERR(queue) ? 0 : READ_ONCE(queue->value);
}

static u64 id_raw(void *ctx, unsigned int loops)
{
	struct bench_find *b = ctx;

	return BENCH_LOOP(loops, id_by_hand(&b->raw_queues, b->id));
}

static u64 id_safe(void *ctx, unsigned int loops)
{
	struct bench_find *b = ctx;

	return BENCH_LOOP(loops, id_once(&b->queues, b->id));
}

/* The lock keeps the table: another task may unmap it. */
static bench_alone unsigned int mem_by_hand(struct find_mem *mem)
{
	unsigned int nents;

	dma_resv_lock(mem->gem.resv, NULL);
	nents = mem->table ? mem->table->nents : 0;
	dma_resv_unlock(mem->gem.resv);
	return nents;
}

static bench_alone unsigned int mem_once(const struct drm_dev_ctx_bound *bound,
					 struct find_mem *mem)
{
	unsigned int nents = 0;
	int ret;

	drm_gem_sgt_guard(sgt, bound, &mem->sgt, ret)
		nents = drm_gem_sgt_table(sgt)->nents;
	return nents;
}

static u64 mem_raw(void *ctx, unsigned int loops)
{
	struct bench_find *b = ctx;

	return BENCH_LOOP(loops, mem_by_hand(b->mem));
}

static u64 mem_safe(void *ctx, unsigned int loops)
{
	struct bench_find *b = ctx;

	return BENCH_LOOP(loops, mem_once(b->bound, b->mem));
}

static bench_alone void ring_by_hand(struct bench_find *b, u32 value)
{
	WRITE_ONCE(b->raw_ring[8], value);
}

static bench_alone void ring_once(struct bench_find *b, const struct drm_dev_ctx_bound *bound,
				  u32 value)
{
	drm_dev_ctx_res_or(ring, &b->ring, bound, return);
	drm_vmap_write32(ring, 32, value);
}

static u64 ring_raw(void *ctx, unsigned int loops)
{
	return BENCH_LOOP(loops, ring_by_hand(ctx, __i));
}

static u64 ring_safe(void *ctx, unsigned int loops)
{
	struct bench_find *b = ctx;

	return BENCH_LOOP(loops, ring_once(b, b->bound, __i));
}

static const struct bench_pair bench_find_pairs[] = {
	{ "lookup, 16 handles", handles_raw, handles_safe, 10000 },
	{ "lookup, id", id_raw, id_safe, 100000 },
	{ "sg table of any object", mem_raw, mem_safe, 100000 },
	{ "resource, lend and write", ring_raw, ring_safe, 1000000 },
};

static void find_handles(struct kunit *test, struct bench_find *b)
{
	for (int i = 0; i < FIND_HANDLES; i++) {
		struct find_bo_unique *unique =
			drm_shmem_create(&find_bo_type, b->drm, SZ_4K, NULL);

		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unique);

		struct find_bo *bo __free(drm_shmem) = drm_shmem_publish(&find_bo_type, &unique);
		int ret = drm_shmem_handle_create(&bo->obj, b->file, &b->handles[i]);

		KUNIT_ASSERT_EQ(test, ret, 0);
	}
	KUNIT_EXPECT_EQ(test, handles_by_hand(b->file, b->handles, FIND_HANDLES), FIND_HANDLES);
	KUNIT_EXPECT_EQ(test, handles_once(b->file, b->handles, FIND_HANDLES), FIND_HANDLES);
}

static void find_ids(struct kunit *test, struct bench_find *b)
{
	struct find_raw_queue *raw = kzalloc_obj(*raw);
	struct find_queue *queue = kzalloc_obj(*queue);
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, raw);
	KUNIT_ASSERT_NOT_NULL(test, queue);
	kref_init(&raw->ref);
	raw->value = 1;
	xa_init_flags(&b->raw_queues, XA_FLAGS_ALLOC1);
	KUNIT_ASSERT_EQ(test, xa_alloc(&b->raw_queues, &b->id, raw, xa_limit_31b, GFP_KERNEL), 0);

	drm_dev_ctx_ids_init(&find_queue_type, &b->queues, b->file);
	drm_dev_ctx_id_init(&find_queue_type, queue);
	queue->value = 1;
	drm_dev_ctx_id_reserve_or(slot, &b->queues, ret,
				  KUNIT_FAIL(test, "no id: %d", ret); return);
	KUNIT_ASSERT_EQ(test, drm_dev_ctx_id_publish(slot, &queue), b->id);
	KUNIT_EXPECT_EQ(test, id_by_hand(&b->raw_queues, b->id), 1);
	KUNIT_EXPECT_EQ(test, id_once(&b->queues, b->id), 1);
}

static void find_mem(struct kunit *test, struct bench_find *b)
{
	struct find_mem *mem = kzalloc_obj(*mem);

	KUNIT_ASSERT_NOT_NULL(test, mem);
	mem->page = alloc_page(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, mem->page);
	mem->gem.funcs = &find_mem_funcs;
	drm_gem_private_object_init(b->drm, &mem->gem, PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, drm_gem_sgt_init(&mem->sgt, &mem->gem, &find_mem_sgt_ops), 0);
	b->mem = mem;
	mem->table = find_mem_map(&mem->gem);
	KUNIT_ASSERT_FALSE(test, IS_ERR(mem->table));
	KUNIT_EXPECT_EQ(test, mem_by_hand(mem), 1);
	KUNIT_EXPECT_EQ(test, mem_once(b->bound, mem), 1);
}

static void find_ring(struct kunit *test, struct bench_find *b)
{
	KUNIT_ASSERT_EQ(test, drm_dev_ctx_dma_alloc(&b->ring, b->bound, SZ_4K), 0);
	b->raw_ring = kunit_kzalloc(test, SZ_4K, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, b->raw_ring);
	ring_once(b, b->bound, 42);
	drm_dev_ctx_res_or(ring, &b->ring, b->bound, return);
	KUNIT_EXPECT_EQ(test, drm_vmap_read32(ring, 32), 42);
}

static void find_put(struct bench_find *b)
{
	struct find_raw_queue *raw = xa_erase(&b->raw_queues, b->id);

	kref_put(&raw->ref, find_raw_release);
	xa_destroy(&b->raw_queues);
	drm_dev_ctx_ids_fini(&b->queues);
	drm_gem_object_put(&b->mem->gem);
}

static void bench_find_all(struct kunit *test)
{
	struct bench_find b[BENCH_CPUS] = {};
	void *const each[BENCH_CPUS] = BENCH_EACH(b);
	struct device *parent = drm_safe_test_parent(test);
	struct drm_dev_ctx_unreg *unreg =
		drm_dev_ctx_alloc(parent, &find_driver, struct find_dev, ctx);
	struct drm_device *drm;
	struct file *filp;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unreg);
	drm = drm_dev_ctx_unreg_drm(unreg);
	KUNIT_ASSERT_EQ(test, drm_dev_ctx_register(parent, &unreg, NULL, NULL), 0);
	drm_dev_ctx_guard(find_reg, reg, to_drm_dev_ctx(drm)) {
		for (int i = 0; i < bench_cpus(); i++) {
			filp = drm_safe_test_open(test, drm->render);
			KUNIT_ASSERT_NOT_ERR_OR_NULL(test, filp);
			b[i].drm = drm;
			b[i].file = filp->private_data;
			b[i].bound = &reg->base.bound;
			find_handles(test, &b[i]);
			find_ids(test, &b[i]);
			find_mem(test, &b[i]);
			find_ring(test, &b[i]);
		}
		for (int i = 0; i < ARRAY_SIZE(bench_find_pairs); i++)
			bench_compare(test, &bench_find_pairs[i], 0, each);
		for (int i = 0; i < bench_cpus(); i++)
			find_put(&b[i]);
	}
}

static struct kunit_case bench_find_cases[] = {
	KUNIT_CASE_ATTR(bench_find_all, {.speed = KUNIT_SPEED_VERY_SLOW}),
	{}
};

struct kunit_suite bench_find_suite = {
	.name = "drm_safe_bench_find",
	.test_cases = bench_find_cases,
};
