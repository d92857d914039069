// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Address spaces in immediate mode, except for their updates, which are in sgpu_run.c.
 */

#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "sgpu_vm.h"

/* From here on the address space keeps the pages of a buffer, and their DMA addresses. */
static int sgpu_vm_bo_init(struct drm_gpuvm_bo *vm_bo, void *arg)
{
	struct sgpu_vm_bo *data = drm_gpuvm_imm_bo_data(&sgpu_vm_type, vm_bo);
	struct sgpu_bo *bo = drm_gpuvm_imm_bo_obj(&sgpu_vm_type, vm_bo);
	const struct sgpu_reg *reg = arg;

	dma_resv_assert_held(drm_shmem_gem(&bo->shmem)->resv);
	return drm_shmem_sgt_own_locked(&data->sgt, &reg->base.bound, &bo->shmem);
}

static void sgpu_vm_bo_fini(struct drm_gpuvm_bo *vm_bo)
{
	drm_shmem_sgt_release(&drm_gpuvm_imm_bo_data(&sgpu_vm_type, vm_bo)->sgt);
}

/*
 * Brings back the pages of an evicted buffer. Returns an index of its table, which the caller
 * frees with kvfree(). The index is valid as long as the table, and while the caller holds the
 * lock of the buffer.
 */
static struct sgpu_sg_index *sgpu_vm_resume_bo(const struct sgpu_reg *reg, struct sgpu_vm *vm,
					       struct sgpu_bo *bo, struct sgpu_vm_bo *vm_bo)
	__must_hold(drm_resv)
{
	struct sgpu_sg_index *index = NULL;
	int ret = drm_shmem_sgt_resume(&vm_bo->sgt, &reg->base.bound);

	if (ret)
		return ERR_PTR(ret);
	/* Tell the shrinker now: the buffer keeps its pages even if this EXEC fails later. */
	drm_shmem_touch_for(&bo->shmem, &vm->group);
	drm_shmem_sgt_guard_owned(sgt, &reg->base.bound, &vm_bo->sgt, ret)
		index = sgpu_sg_index_create(drm_shmem_sgt_table(sgt));
	return ret ? ERR_PTR(ret) : index;
}

/*
 * Maps an evicted buffer again, for an EXEC. With the index, the time depends on the size of the
 * mappings, and not on their offset in the buffer. If the client is killed, this stops, and the
 * buffer stays evicted in this address space until the next EXEC.
 */
static int sgpu_vm_validate(struct drm_gpuvm_imm_core *core, struct drm_gpuvm_bo *vm_bo,
			    struct drm_exec *exec)
	__must_hold(drm_resv)
{
	struct sgpu_vm *vm = drm_gpuvm_imm_of(&sgpu_vm_type, core);
	struct sgpu_bo *bo = drm_gpuvm_imm_bo_obj(&sgpu_vm_type, vm_bo);
	int ret;

	/* Before the section, so that no unplug waits for the pages of an evicted buffer. */
	ret = drm_shmem_sgt_prepare_locked(&bo->shmem);
	if (ret)
		return ret;

	drm_dev_ctx_or(sgpu_reg, reg, to_drm_dev_ctx(vm_bo->obj->dev), return -ENODEV);

	struct sgpu_sg_index *index __free(kvfree) =
		sgpu_vm_resume_bo(reg, vm, bo, drm_gpuvm_imm_bo_data(&sgpu_vm_type, vm_bo));

	if (IS_ERR(index))
		return PTR_ERR(index);

	ACQUIRE(mutex_intr, lock)(&vm->lock);
	ret = ACQUIRE_ERR(mutex_intr, &lock);
	if (ret)
		return ret;
	drm_gpuvm_imm_for_each_of(va, core, vm_bo->obj) {
		ret = sgpu_map_bo(reg, vm, va, index, va->va.addr, va->va.range, va->gem.offset) ?:
		      (fatal_signal_pending(current) ? -EINTR : 0);
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * Takes an idle buffer out of the page table, unless a job changes the table or the engine
 * accesses memory through it. This runs in memory reclaim, and a task that waits for memory may
 * hold either lock, so it only tries them.
 */
static int sgpu_vm_evict(struct drm_gpuvm_imm_core *core, struct drm_gpuvm_bo *vm_bo)
	__must_hold(drm_resv)
{
	struct sgpu_vm *vm = drm_gpuvm_imm_of(&sgpu_vm_type, core);

	ACQUIRE(mutex_try, lock)(&vm->lock);
	ACQUIRE(mutex_try, mmu_lock)(&vm->mmu.lock);
	if (ACQUIRE_ERR(mutex_try, &lock) || ACQUIRE_ERR(mutex_try, &mmu_lock))
		return -EBUSY;
	drm_gpuvm_imm_bo_for_each_va(va, vm_bo)
		sgpu_mmu_unmap_locked(&vm->mmu, va->va.addr, va->va.range);
	drm_shmem_sgt_suspend(&drm_gpuvm_imm_bo_data(&sgpu_vm_type, vm_bo)->sgt);
	return 0;
}

const struct sgpu_vm_type sgpu_vm_type = {
	.base.granule = PAGE_SIZE,
	.base.obj_funcs = &sgpu_bo_type.base.funcs,
	.base.map = sgpu_vm_map,
	.base.unmap = sgpu_vm_unmap,
	.base.remap = sgpu_vm_remap,
	.base.bo_init = sgpu_vm_bo_init,
	.base.bo_fini = sgpu_vm_bo_fini,
	.base.validate = sgpu_vm_validate,
	.base.evict = sgpu_vm_evict,
	.base.max_evict = DRM_SGPU_MAX_EVICT,
};

/* May sleep, and takes reservation locks, so code in the signalling path puts no reference. */
static void sgpu_vm_release(struct drm_dev_ctx_id_obj *obj)
{
	struct sgpu_vm *vm = container_of(obj, struct sgpu_vm, obj);

	sgpu_queue_fini(&vm->queue);
	/* Removes the remaining mappings from the page table, so before sgpu_mmu_fini(). */
	drm_gpuvm_imm_fini(vm->core);
	drm_shmem_group_fini(&vm->group);
	sgpu_mmu_fini(&vm->mmu);
	mutex_destroy(&vm->lock);
	sgpu_hw_put(vm->hw);
	atomic_dec(&vm->file->vm_count);
	sgpu_file_put(vm->file);
	kfree_rcu(vm, rcu);
	atomic_dec(&sgpu_live.vms);
}

static void sgpu_vm_close(struct drm_dev_ctx_id_obj *obj)
{
	sgpu_queue_close(&container_of(obj, struct sgpu_vm, obj)->queue);
}

const struct sgpu_vm_ids_type sgpu_vm_ids_type = {
	.base.max = DRM_SGPU_MAX_VMS,
	.base.close = sgpu_vm_close,
	.base.release = sgpu_vm_release,
};

static struct sgpu_vm *sgpu_vm_new(const struct sgpu_reg *reg, struct sgpu_file *file)
{
	const struct drm_gpuvm_imm_config config = {
		.name = "sgpu",
		.start = SGPU_VA_START,
		.range = SGPU_VA_END - SGPU_VA_START,
		.max_vas = DRM_SGPU_MAX_VAS,
	};
	struct sgpu_vm *vm;
	int ret = -ENOMEM;

	if (!atomic_add_unless(&file->vm_count, 1, DRM_SGPU_MAX_VMS))
		return ERR_PTR(-EBUSY);

	vm = kzalloc_obj(*vm, GFP_KERNEL_ACCOUNT);
	if (!vm)
		goto err_count;

	drm_dev_ctx_id_init(&sgpu_vm_ids_type, vm);
	spin_lock_init(&vm->fault_lock);
	mutex_init(&vm->lock);
	sgpu_mmu_init(&vm->mmu);
	ret = drm_shmem_group_init(&vm->group, &sgpu_reg_dev(reg)->shrinker);
	if (ret)
		goto err_free;
	ret = drm_gpuvm_imm_init(&sgpu_vm_type, vm, drm_dev_ctx_reg_drm(&reg->base), &config);
	if (ret)
		goto err_group;

	ret = sgpu_queue_init(&vm->queue, sgpu_reg_data(reg));
	if (ret)
		goto err_fini;

	vm->hw = sgpu_hw_get(sgpu_reg_data(reg));
	vm->file = sgpu_file_get(file);
	atomic_inc(&sgpu_live.vms);
	return vm;

err_fini:
	drm_gpuvm_imm_fini(vm->core);
err_group:
	drm_shmem_group_fini(&vm->group);
err_free:
	sgpu_mmu_fini(&vm->mmu);
	kfree(vm);
err_count:
	atomic_dec(&file->vm_count);
	return ERR_PTR(ret);
}

int sgpu_ioctl_vm_create(const struct sgpu_reg *reg, struct drm_sgpu_vm_create *args,
			 struct drm_file *drm_file)
{
	struct sgpu_file *file = drm_file->driver_priv;
	struct sgpu_vm *vm;
	int ret;

	if (args->pad)
		return -EINVAL;

	drm_dev_ctx_id_reserve_or(slot, &file->vms, ret, return ret);
	vm = sgpu_vm_new(reg, file);
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	args->id = drm_dev_ctx_id_publish(slot, &vm);
	return 0;
}

int sgpu_ioctl_vm_destroy(const struct sgpu_reg *reg, struct drm_sgpu_vm_destroy *args,
			  struct drm_file *drm_file)
{
	struct sgpu_file *file = drm_file->driver_priv;

	if (args->pad)
		return -EINVAL;
	return drm_dev_ctx_id_close(&file->vms, args->id);
}
