// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * An address space with several kinds of objects: of shmem, and of memory that is not of shmem
 */

#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include <drm/drm_exec.h>
#include <drm/drm_gem.h>

#include "drm_gem_sgt.h"
#include "drm_gpuvm_imm.h"
#include "drm_safe_core.h"
#include "drm_shmem_test.h"

#define KIND_PAGES	64
#define KIND_START	SZ_16M

/* All that the kinds have in common */
struct kind_gem {
	struct drm_gem_object base;
};

struct kind_buf {
	struct drm_shmem_obj obj;
};

DRM_SHMEM_OBJ_TYPE(kind_buf_type, struct kind_buf, obj, struct kind_buf_unique);

struct kind_vram {
	struct drm_gem_object gem;
	struct drm_gem_sgt sgt;
	struct kind_log *log;
	void *mem;
};

/* The log of the VRAM objects of a test */
struct kind_log {
	unsigned int mapped, revoked, freed;
};

/* The data of an object of either kind in an address space */
struct kind_bo {
	struct drm_shmem_sgt_owned shmem;
	struct drm_gem_sgt_owned vram;
};

struct kind_vm {
	DRM_GPUVM_IMM_CORE(core);
	dma_addr_t pt[KIND_PAGES];
	unsigned int validated;
};

DRM_GPUVM_IMM_TYPE_CTX(kind_vm_type, struct kind_vm, core, struct drm_gpuvm_imm_no_data,
		       struct kind_gem, base, struct kind_bo, const struct test_reg,
		       const struct test_reg);

static bool is_buf(const struct drm_gem_object *gem)
{
	return gem->funcs == &kind_buf_type.base.funcs;
}

static struct kind_vram *to_kind_vram(struct drm_gem_object *gem)
{
	return container_of(gem, struct kind_vram, gem);
}

static struct sg_table *kind_vram_map(struct drm_gem_object *gem)
{
	struct kind_vram *vram = to_kind_vram(gem);
	struct sg_table *sgt = shmem_test_table(drm_dev_dma_dev(gem->dev), vram->mem, gem->size,
						DMA_BIDIRECTIONAL);

	if (!IS_ERR(sgt))
		vram->log->mapped++;
	return sgt;
}

static void kind_vram_unmap(struct drm_gem_object *gem, struct sg_table *sgt)
{
	shmem_test_table_free(drm_dev_dma_dev(gem->dev), sgt, DMA_BIDIRECTIONAL);
	to_kind_vram(gem)->log->mapped--;
}

static void kind_vram_revoked(struct drm_gem_object *gem)
{
	to_kind_vram(gem)->log->revoked++;
	drm_gpuvm_imm_set_invalid(gem);
}

static const struct drm_gem_sgt_ops kind_vram_ops = {
	.map = kind_vram_map,
	.unmap = kind_vram_unmap,
	.revoked = kind_vram_revoked,
};

static void kind_vram_free(struct drm_gem_object *gem)
{
	struct kind_vram *vram = to_kind_vram(gem);
	struct drm_device *drm = gem->dev;

	drm_gem_sgt_fini(&vram->sgt);
	drm_gem_object_release(gem);
	vram->log->freed++;
	kfree(vram->mem);
	kfree(vram);
	drm_dev_put(drm);
}

static const struct drm_gem_object_funcs kind_vram_funcs = {
	.free = kind_vram_free,
};

/* A kind that the type does not name */
static const struct drm_gem_object_funcs kind_stray_funcs = {
	.free = kind_vram_free,
};

static struct kind_vram *kind_vram_new(struct kunit *test, struct kind_log *log,
				       const struct drm_gem_object_funcs *funcs)
{
	struct shmem_test *t = test->priv;
	struct kind_vram *vram = kzalloc_obj(*vram);

	KUNIT_ASSERT_NOT_NULL(test, vram);
	vram->mem = kzalloc(4 * PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, vram->mem);
	vram->log = log;
	vram->gem.funcs = funcs;
	drm_dev_get(t->drm);
	drm_gem_private_object_init(t->drm, &vram->gem, 4 * PAGE_SIZE);
	drm_gem_gpuva_init(&vram->gem);
	KUNIT_ASSERT_EQ(test, drm_gem_sgt_init(&vram->sgt, &vram->gem, &kind_vram_ops), 0);
	return vram;
}

static struct kind_buf *kind_buf_new(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct kind_buf_unique *unique = drm_shmem_create(&kind_buf_type, t->drm, 4 * PAGE_SIZE,
							  NULL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unique);
	return drm_shmem_publish(&kind_buf_type, &unique);
}

static int kind_bo_init(struct drm_gpuvm_bo *vm_bo, void *arg)
{
	struct kind_bo *data = drm_gpuvm_imm_bo_data(&kind_vm_type, vm_bo);
	struct drm_gem_object *gem = &drm_gpuvm_imm_bo_obj(&kind_vm_type, vm_bo)->base;
	const struct test_reg *reg = arg;

	if (is_buf(gem))
		return drm_shmem_sgt_own(&data->shmem, &reg->base.bound,
					 &drm_shmem_from_gem(&kind_buf_type, gem)->obj);
	return drm_gem_sgt_own(&data->vram, &reg->base.bound, &to_kind_vram(gem)->sgt);
}

static void kind_bo_fini(struct drm_gpuvm_bo *vm_bo)
{
	struct kind_bo *data = drm_gpuvm_imm_bo_data(&kind_vm_type, vm_bo);

	drm_shmem_sgt_release(&data->shmem);
	drm_gem_sgt_release(&data->vram);
}

static dma_addr_t kind_addr(const struct sg_table *sgt, u64 offset)
{
	struct scatterlist *sg;
	int i;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		if (offset < sg_dma_len(sg))
			return sg_dma_address(sg) + offset;
		offset -= sg_dma_len(sg);
	}
	return 0;
}

static void kind_write_page(struct kind_vm *vm, u64 addr, const struct sg_table *sgt, u64 offset)
{
	vm->pt[(addr - KIND_START) / PAGE_SIZE] = kind_addr(sgt, offset);
}

/* Writes the addresses of an object of either kind. */
static int kind_write(struct kind_vm *vm, const struct test_reg *reg, const struct kind_bo *data,
		      u64 addr, u64 range, u64 offset)
{
	int ret;

	if (drm_gem_sgt_is_empty(&data->vram)) {
		drm_shmem_sgt_guard_owned(sgt, &reg->base.bound, &data->shmem, ret)
			for (u64 i = 0; i < range; i += PAGE_SIZE)
				kind_write_page(vm, addr + i, drm_shmem_sgt_table(sgt), offset + i);
		return ret;
	}
	drm_gem_sgt_guard_owned(sgt, &reg->base.bound, &data->vram, ret)
		for (u64 i = 0; i < range; i += PAGE_SIZE)
			kind_write_page(vm, addr + i, drm_gem_sgt_table(sgt), offset + i);
	return ret;
}

static void kind_clear(struct kind_vm *vm, u64 addr, u64 range)
{
	memset(vm->pt + (addr - KIND_START) / PAGE_SIZE, 0,
	       range / PAGE_SIZE * sizeof(vm->pt[0]));
}

static struct drm_gpuvm_imm_mapped *
kind_map(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_map_step *step)
	__drm_nonallocating
{
	struct kind_vm *vm = drm_gpuvm_imm_of(&kind_vm_type, core);
	const struct test_reg *reg = drm_gpuvm_imm_step_ctx(&kind_vm_type, core, step);
	int ret = kind_write(vm, reg, drm_gpuvm_imm_bo_data(&kind_vm_type, step->va->vm_bo),
			     step->addr, step->range, step->offset);

	return ret ? ERR_PTR(ret) : drm_gpuvm_imm_map_done(step);
}

static struct drm_gpuvm_imm_unmapped *
kind_unmap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_unmap_step *step)
	__drm_nonallocating
{
	struct kind_vm *vm = drm_gpuvm_imm_of(&kind_vm_type, core);

	if (!step->keep)
		kind_clear(vm, step->va->va.addr, step->va->va.range);
	return drm_gpuvm_imm_unmap_done(step);
}

static struct drm_gpuvm_imm_remapped *
kind_remap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_remap_step *step)
	__drm_nonallocating
{
	struct kind_vm *vm = drm_gpuvm_imm_of(&kind_vm_type, core);

	if (!step->keep)
		kind_clear(vm, step->addr, step->range);
	return drm_gpuvm_imm_remap_done(step);
}

static int kind_validate(struct drm_gpuvm_imm_core *core, struct drm_gpuvm_bo *vm_bo,
			 struct drm_exec *exec)
	__must_hold(drm_resv)
{
	struct kind_vm *vm = drm_gpuvm_imm_of(&kind_vm_type, core);
	struct kind_bo *data = drm_gpuvm_imm_bo_data(&kind_vm_type, vm_bo);
	int ret;

	drm_dev_ctx_or(test_reg, reg, to_drm_dev_ctx(vm_bo->obj->dev), return -ENODEV);
	if (is_buf(vm_bo->obj))
		ret = drm_shmem_sgt_resume(&data->shmem, &reg->base.bound);
	else
		ret = drm_gem_sgt_resume(&data->vram, &reg->base.bound);
	if (ret)
		return ret;
	vm->validated++;
	drm_gpuvm_imm_for_each_of(va, core, vm_bo->obj) {
		ret = kind_write(vm, reg, data, va->va.addr, va->va.range, va->gem.offset);
		if (ret)
			return ret;
	}
	return 0;
}

static int kind_evict(struct drm_gpuvm_imm_core *core, struct drm_gpuvm_bo *vm_bo)
	__must_hold(drm_resv)
{
	struct kind_vm *vm = drm_gpuvm_imm_of(&kind_vm_type, core);
	struct kind_bo *data = drm_gpuvm_imm_bo_data(&kind_vm_type, vm_bo);

	drm_gpuvm_imm_bo_for_each_va(va, vm_bo)
		kind_clear(vm, va->va.addr, va->va.range);
	if (is_buf(vm_bo->obj))
		drm_shmem_sgt_suspend(&data->shmem);
	else
		drm_gem_sgt_suspend(&data->vram);
	return 0;
}

const struct kind_vm_type kind_vm_type = {
	.base.granule = PAGE_SIZE,
	.base.obj_funcs = &kind_buf_type.base.funcs,
	.base.other_funcs =
		DRM_GPUVM_IMM_KINDS(DRM_GPUVM_IMM_KIND(kind_vm_type, struct test_bo, obj.base.base,
						       &test_bo_type.base.funcs),
				    DRM_GPUVM_IMM_KIND(kind_vm_type, struct kind_vram, gem,
						       &kind_vram_funcs)),
	.base.map = kind_map,
	.base.unmap = kind_unmap,
	.base.remap = kind_remap,
	.base.bo_init = kind_bo_init,
	.base.bo_fini = kind_bo_fini,
	.base.validate = kind_validate,
	.base.evict = kind_evict,
};

static int kind_buf_evict(struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	return drm_gpuvm_imm_evict_gem(&kind_vm_type.base, drm_shmem_gem(obj));
}

static void kind_buf_revoked(struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	drm_gpuvm_imm_set_invalid(drm_shmem_gem(obj));
}

const struct kind_buf_type kind_buf_type = {
	DRM_SHMEM_OBJ_FUNCS,
	.base.flags = DRM_SHMEM_RECLAIM,
	.base.evict = kind_buf_evict,
	.base.sgt_revoked = kind_buf_revoked,
};

/* One object of each kind in an address space: the buffer at page 0, the VRAM at page 8 */
struct kinds {
	struct kind_log log;
	struct kind_vm *vm;
	struct kind_buf *buf;
	struct kind_vram *vram;
};

static int kinds_map(struct kunit *test, struct kind_vm *vm, struct drm_gem_object *gem, u64 page)
{
	DRM_GPUVM_IMM_UPDATE(update);
	struct shmem_test *t = test->priv;
	int ret;

	drm_dev_ctx_or(test_reg, reg, test_ctx(t->drm), return -ENODEV);
	ret = drm_gpuvm_imm_prepare_map_gem(drm_gpuvm_imm_shared(vm->core), update, gem,
					    KIND_START + page * PAGE_SIZE, 4 * PAGE_SIZE, 0,
					    (void *)reg);
	return ret ?: drm_gpuvm_imm_run(&kind_vm_type, vm, update, reg);
}

static struct kinds *kinds_begin(struct kunit *test)
{
	static const struct drm_gpuvm_imm_config config = {
		.start = KIND_START,
		.range = KIND_PAGES * PAGE_SIZE,
	};
	struct kinds *k = kunit_kzalloc(test, sizeof(*k), GFP_KERNEL);
	struct shmem_test *t = test->priv;

	KUNIT_ASSERT_NOT_NULL(test, k);
	k->vm = kunit_kzalloc(test, sizeof(*k->vm), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, k->vm);
	KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_init(&kind_vm_type, k->vm, t->drm, &config), 0);
	k->buf = kind_buf_new(test);
	k->vram = kind_vram_new(test, &k->log, &kind_vram_funcs);
	KUNIT_ASSERT_EQ(test, kinds_map(test, k->vm, drm_shmem_gem(&k->buf->obj), 0), 0);
	KUNIT_ASSERT_EQ(test, kinds_map(test, k->vm, &k->vram->gem, 8), 0);
	return k;
}

static void kinds_end(struct kunit *test, struct kinds *k)
{
	drm_gpuvm_imm_fini(k->vm->core);
	drm_gpuvm_imm_flush();
	drm_shmem_put(&k->buf->obj);
	drm_gem_object_put(&k->vram->gem);
	KUNIT_EXPECT_EQ(test, k->log.mapped, 0);
	KUNIT_EXPECT_EQ(test, k->log.freed, 1);
}

static int kinds_validate(struct kinds *k)
{
	struct drm_exec exec;
	int ret = 0;

	drm_exec_init(&exec, DRM_EXEC_IGNORE_DUPLICATES, 0);
	drm_exec_until_all_locked(&exec) {
		ret = drm_gpuvm_imm_lock(drm_gpuvm_imm_shared(k->vm->core), &exec, 1);
		drm_exec_retry_on_contention(&exec);
		if (ret)
			break;
	}
	ret = ret ?: drm_gpuvm_imm_validate(k->vm->core, &exec);
	drm_exec_fini(&exec);
	return ret;
}

/* Each of the two is in the page table with its own addresses. */
static void kinds_mapped(struct kunit *test)
{
	struct kinds *k = kinds_begin(test);
	const struct drm_gpuva *va;

	KUNIT_EXPECT_NE(test, k->vm->pt[0], 0);
	KUNIT_EXPECT_EQ(test, k->vm->pt[4], 0);
	for (int i = 1; i < 4; i++)
		KUNIT_EXPECT_EQ(test, k->vm->pt[8 + i], k->vm->pt[8] + i * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, k->log.mapped, 1);
	va = drm_gpuvm_imm_find(k->vm->core, KIND_START + 8 * PAGE_SIZE, 4 * PAGE_SIZE);
	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_EXPECT_PTR_EQ(test, &drm_gpuvm_imm_va_obj(&kind_vm_type, va)->base, &k->vram->gem);
	va = drm_gpuvm_imm_find(k->vm->core, KIND_START, 4 * PAGE_SIZE);
	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_EXPECT_PTR_EQ(test, &drm_gpuvm_imm_va_obj(&kind_vm_type, va)->base,
			    drm_shmem_gem(&k->buf->obj));
	/* One replaces the other. */
	KUNIT_EXPECT_EQ(test, kinds_map(test, k->vm, &k->vram->gem, 2), 0);
	KUNIT_EXPECT_EQ(test, k->vm->pt[2], k->vm->pt[8]);
	KUNIT_EXPECT_NE(test, k->vm->pt[1], 0);
	kinds_end(test, k);
}

/* Both are evicted, by their own means, and come back when the address space is validated. */
static void kinds_evicted(struct kunit *test)
{
	struct kinds *k = kinds_begin(test);
	const dma_addr_t at = k->vm->pt[8];

	KUNIT_EXPECT_EQ(test, drm_shmem_evict(&k->buf->obj), 0);
	KUNIT_EXPECT_EQ(test, k->vm->pt[0], 0);
	KUNIT_EXPECT_EQ(test, k->vm->pt[8], at);

	dma_resv_lock(k->vram->gem.resv, NULL);
	KUNIT_EXPECT_EQ(test, drm_gem_sgt_unmap_locked(&k->vram->sgt), -EBUSY);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_imm_evict_gem(&kind_vm_type.base, &k->vram->gem), 0);
	KUNIT_EXPECT_EQ(test, drm_gem_sgt_unmap_locked(&k->vram->sgt), 0);
	dma_resv_unlock(k->vram->gem.resv);
	KUNIT_EXPECT_EQ(test, k->log.mapped, 0);
	KUNIT_EXPECT_EQ(test, k->vm->pt[8], 0);

	KUNIT_EXPECT_EQ(test, kinds_validate(k), 0);
	KUNIT_EXPECT_EQ(test, k->vm->validated, 2);
	KUNIT_EXPECT_NE(test, k->vm->pt[0], 0);
	KUNIT_EXPECT_EQ(test, k->vm->pt[8], at);
	KUNIT_EXPECT_EQ(test, k->log.mapped, 1);
	KUNIT_EXPECT_EQ(test, kinds_validate(k), 0);
	KUNIT_EXPECT_EQ(test, k->vm->validated, 2);
	kinds_end(test, k);
}

/* The parent is unbound: both tables are gone, for good, and the address space ends later. */
static void kinds_revoked(struct kunit *test)
{
	struct kinds *k = kinds_begin(test);

	shmem_test_unbind(test);
	KUNIT_EXPECT_EQ(test, k->log.mapped, 0);
	KUNIT_EXPECT_EQ(test, k->log.revoked, 1);
	KUNIT_EXPECT_EQ(test, kinds_validate(k), -ENODEV);
	KUNIT_EXPECT_EQ(test, k->vm->validated, 0);
	KUNIT_EXPECT_EQ(test, kinds_map(test, k->vm, &k->vram->gem, 16), -ENODEV);
	kinds_end(test, k);
}

/* The kind of a shmem type that is named second, and one that is named nowhere */
static void kind_not_taken(struct kunit *test)
{
	struct kinds *k = kinds_begin(test);
	struct test_bo *second = shmem_test_bo(test, 4 * PAGE_SIZE);
	struct kind_log log = {};
	struct kind_vram *stray = kind_vram_new(test, &log, &kind_stray_funcs);
	struct drm_gpuvm_bo *vm_bo;

	vm_bo = drm_gpuvm_imm_obtain_gem(drm_gpuvm_imm_shared(k->vm->core), &k->vram->gem, NULL);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, vm_bo);
	if (!IS_ERR_OR_NULL(vm_bo))
		drm_gpuvm_imm_bo_put(vm_bo);
	KUNIT_EXPECT_TRUE(test, drm_shmem_gem(&second->obj)->funcs == &test_bo_type.base.funcs);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, kinds_map(test, k->vm, &stray->gem, 16), -EINVAL);
		EXPECT_BROKEN(test, "a VM takes objects of its own device and type");
	}
	kunit_warning_suppress(test) {
		dma_resv_lock(stray->gem.resv, NULL);
		KUNIT_EXPECT_EQ(test, drm_gpuvm_imm_evict_gem(&kind_vm_type.base, &stray->gem),
				-EINVAL);
		dma_resv_unlock(stray->gem.resv);
		EXPECT_BROKEN(test, "a VM takes objects of its own device and type");
	}
	KUNIT_EXPECT_EQ(test, k->vm->pt[16], 0);
	drm_gem_object_put(&stray->gem);
	KUNIT_EXPECT_EQ(test, log.freed, 1);
	kinds_end(test, k);
}

static struct kunit_case drm_gpuvm_imm_kind_cases[] = {
	KUNIT_CASE(kinds_mapped),
	KUNIT_CASE(kinds_evicted),
	KUNIT_CASE(kinds_revoked),
	KUNIT_CASE(kind_not_taken),
	{}
};

static struct kunit_suite drm_gpuvm_imm_kind_suite = {
	.name = "drm_gpuvm_imm_kind",
	.init = shmem_test_init,
	.test_cases = drm_gpuvm_imm_kind_cases,
};

kunit_test_suite(drm_gpuvm_imm_kind_suite);
