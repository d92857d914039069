// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Address spaces: VM_BIND in immediate mode.
 *
 * The ioctl prepares each update and puts it into a job; the job makes the
 * updates in the fence signalling path. What overlaps what, and is split or
 * goes, is the library's to find out. It has three steps made here.
 */

#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/xarray.h>

#include "sgpu_vm.h"

/* The buffer's pages are pinned and mapped for the device here, if ever. */
static int sgpu_vm_bo_init(struct sgpu_vm_bo *vm_bo, struct sgpu_bo *bo,
			   const struct sgpu_reg *reg)
{
	return drm_shmem_sgt_own(&vm_bo->sgt, &reg->bound, &bo->shmem);
}

static void sgpu_vm_bo_fini(struct sgpu_vm_bo *vm_bo)
{
	drm_shmem_sgt_release(&vm_bo->sgt);
}

static int sgpu_vm_map_pages(struct sgpu_vm *vm, const struct drm_gpuva *va,
			     u64 addr, u64 size, u64 offset)
{
	int ret = -ENODEV;

	drm_dev_if_registered(sgpu, reg, va->gem.obj->dev)
		drm_shmem_if_sgt_owned(sgt, &reg->bound,
				       &sgpu_gpuvm_bo(va)->sgt, ret)
			sgpu_mmu_map(&vm->mmu, addr, size,
				     drm_shmem_sgt_table(sgt), offset,
				     sgpu_gpuvm_va(va)->write);
	/* Evicted: the next EXEC maps the pages. */
	return ret == -EAGAIN ? 0 : ret;
}

static struct drm_gpuvm_mapped *
sgpu_gpuvm_step_map(struct sgpu_vm *vm, const struct drm_gpuvm_op_map *op)
{
	int ret = 0;

	if (op->obj)
		ret = sgpu_vm_map_pages(vm, op->va, op->addr, op->range, op->offset);
	else
		sgpu_mmu_map_sparse(&vm->mmu, op->addr, op->range);
	return ret ? ERR_PTR(ret) : drm_gpuvm_op_map_done(op);
}

static struct drm_gpuvm_unmapped *
sgpu_gpuvm_step_unmap(struct sgpu_vm *vm, const struct drm_gpuvm_op_unmap *op)
{
	if (!op->keep)
		sgpu_mmu_unmap(&vm->mmu, op->va->va.addr, op->va->va.range);
	return drm_gpuvm_op_unmap_done(op);
}

static struct drm_gpuvm_remapped *
sgpu_gpuvm_step_remap(struct sgpu_vm *vm, const struct drm_gpuvm_op_remap *op)
{
	if (!op->keep)
		sgpu_mmu_unmap(&vm->mmu, op->addr, op->range);
	return drm_gpuvm_op_remap_done(op);
}

DRM_GPUVM_IMM_OPS(sgpu_gpuvm, &sgpu_bo_obj_type.funcs, PAGE_SIZE,
		  .bo_init = sgpu_vm_bo_init,
		  .bo_fini = sgpu_vm_bo_fini);

/* An EXEC brings back what was evicted. */
static int sgpu_vm_validate_bo(struct sgpu_vm *vm, struct sgpu_bo *bo,
			       struct sgpu_vm_bo *vm_bo, struct drm_exec *exec)
	__must_hold(drm_resv)
{
	int ret = -ENODEV;

	drm_dev_if_registered(sgpu, reg, sgpu_bo_gem(bo)->dev)
		ret = drm_shmem_sgt_resume(&vm_bo->sgt, &reg->bound);
	if (ret)
		return ret;

	guard(mutex)(&vm->lock);
	drm_gpuvm_core_for_each_of(va, vm->core, sgpu_bo_gem(bo)) {
		ret = sgpu_vm_map_pages(vm, va, va->va.addr, va->va.range,
					va->gem.offset);
		if (ret)
			return ret;
	}
	return 0;
}

int sgpu_vm_validate(struct sgpu_vm *vm, struct drm_exec *exec)
{
	return sgpu_gpuvm_validate(vm, exec, sgpu_vm_validate_bo);
}

static int sgpu_vm_evict_bo(struct sgpu_vm *vm, struct sgpu_bo *bo,
			    struct sgpu_vm_bo *data, struct drm_gpuvm_bo *vm_bo)
	__must_hold(drm_resv)
{
	struct drm_gpuva *va;

	if (!mutex_trylock(&vm->lock))
		return -EBUSY;
	drm_gpuvm_bo_for_each_va(va, vm_bo)
		sgpu_mmu_unmap(&vm->mmu, va->va.addr, va->va.range);
	drm_shmem_sgt_suspend(&data->sgt);
	mutex_unlock(&vm->lock);
	return 0;
}

/* Take an idle buffer out of all page tables. */
int sgpu_vm_evict(struct sgpu_bo *bo)
{
	return sgpu_gpuvm_evict(bo, sgpu_vm_evict_bo);
}

static void sgpu_vm_release(struct kref *ref)
{
	struct sgpu_vm *vm = container_of(ref, struct sgpu_vm, ref);

	/* Takes what is still mapped out of the page table first. */
	sgpu_gpuvm_fini(vm);
	sgpu_mmu_fini(&vm->mmu);
	mutex_destroy(&vm->lock);
	sgpu_hw_put(vm->hw);
	kfree(vm);
	atomic_dec(&sgpu_live.vms);
}

struct sgpu_vm *sgpu_vm_get(struct sgpu_vm *vm)
{
	kref_get(&vm->ref);
	return vm;
}

/* May sleep, and takes reservation locks: not for where jobs run. */
void sgpu_vm_put(struct sgpu_vm *vm)
{
	kref_put(&vm->ref, sgpu_vm_release);
}

/* Put the file's reference. */
void sgpu_vm_close(struct sgpu_vm *vm)
{
	sgpu_queue_kill(&vm->queue, vm->hw);
	sgpu_vm_put(vm);
}

/* Returns the address space with a reference, or NULL. */
struct sgpu_vm *sgpu_vm_lookup(struct sgpu_file *file, u32 id)
{
	struct sgpu_vm *vm;

	/* What is in the array has a reference until it was erased. */
	xa_lock(&file->vms);
	vm = xa_load(&file->vms, id);
	if (vm)
		sgpu_vm_get(vm);
	xa_unlock(&file->vms);
	return vm;
}

static struct sgpu_vm *sgpu_vm_new(const struct sgpu_reg *reg)
{
	const struct drm_gpuvm_imm_config config = {
		.name = "sgpu",
		.start = SGPU_VA_START,
		.range = SGPU_VA_END - SGPU_VA_START,
	};
	struct sgpu_vm *vm;
	int ret;

	vm = kzalloc_obj(*vm, GFP_KERNEL_ACCOUNT);
	if (!vm)
		return ERR_PTR(-ENOMEM);

	kref_init(&vm->ref);
	spin_lock_init(&vm->fault_lock);
	mutex_init(&vm->lock);
	sgpu_mmu_init(&vm->mmu);
	ret = sgpu_gpuvm_init(vm, &sgpu_reg_dev(reg)->drm, &config);
	if (ret)
		goto err_free;

	vm->hw = sgpu_hw_get(sgpu_reg_data(reg));
	ret = sgpu_queue_init(&vm->queue, vm->hw);
	if (ret)
		goto err_fini;

	atomic_inc(&sgpu_live.vms);
	return vm;

err_fini:
	sgpu_hw_put(vm->hw);
	sgpu_gpuvm_fini(vm);
err_free:
	sgpu_mmu_fini(&vm->mmu);
	kfree(vm);
	return ERR_PTR(ret);
}

int sgpu_ioctl_vm_create(const struct sgpu_reg *reg,
			 struct drm_sgpu_vm_create *args,
			 struct sgpu_file *file)
{
	struct sgpu_vm *vm;
	int ret;

	if (args->pad)
		return -EINVAL;

	vm = sgpu_vm_new(reg);
	if (IS_ERR(vm))
		return PTR_ERR(vm);

	/* Complete: other threads can use it as soon as it has a number. */
	ret = xa_alloc(&file->vms, &args->id, vm, xa_limit_31b, GFP_KERNEL);
	if (ret)
		sgpu_vm_close(vm);
	return ret;
}

int sgpu_ioctl_vm_destroy(const struct sgpu_reg *reg,
			  struct drm_sgpu_vm_destroy *args,
			  struct sgpu_file *file)
{
	struct sgpu_vm *vm;

	if (args->pad)
		return -EINVAL;

	vm = xa_erase(&file->vms, args->id);
	if (!vm)
		return -ENOENT;
	sgpu_vm_close(vm);
	return 0;
}

static int sgpu_bind_prepare_map(const struct sgpu_reg *reg, struct sgpu_vm *vm,
				 struct drm_gpuvm_update *bind,
				 struct sgpu_file *file,
				 const struct drm_sgpu_bind_op *op)
{
	struct sgpu_bo *bo __free(sgpu_bo) =
		sgpu_bo_lookup(sgpu_file_drm(file), op->handle);
	int ret;

	if (IS_ERR(bo))
		return PTR_ERR(bo);

	ret = sgpu_gpuvm_prepare_map(sgpu_gpuvm_shared(vm), bind, bo, op->addr,
				     op->size, op->offset, reg);
	if (!ret)
		sgpu_gpuvm_update_va(bind)->write = !(op->flags & DRM_SGPU_BIND_READONLY);
	return ret;
}

static int sgpu_bind_prepare(const struct sgpu_reg *reg, struct sgpu_vm *vm,
			     struct drm_gpuvm_update *bind,
			     struct sgpu_file *file,
			     const struct drm_sgpu_bind_op *op)
{
	struct drm_gpuvm_imm *shared = sgpu_gpuvm_shared(vm);
	bool map = op->op == DRM_SGPU_BIND_MAP;
	int ret;

	if (op->pad || (op->flags & ~(map ? DRM_SGPU_BIND_READONLY : 0)) ||
	    (!map && (op->handle || op->offset)))
		return -EINVAL;

	switch (op->op) {
	case DRM_SGPU_BIND_MAP:
		ret = sgpu_bind_prepare_map(reg, vm, bind, file, op);
		break;
	case DRM_SGPU_BIND_UNMAP:
		ret = drm_gpuvm_prepare_unmap(shared, bind, op->addr, op->size);
		break;
	case DRM_SGPU_BIND_SPARSE:
		ret = drm_gpuvm_prepare_map_sparse(shared, bind, op->addr,
						   op->size);
		break;
	default:
		return -EINVAL;
	}

	/* The range has been checked. */
	return ret ?: sgpu_mmu_prepare(&vm->mmu, op->addr, op->size, map);
}

/* In the fence signalling path. */
int sgpu_vm_run_binds(struct sgpu_vm *vm, struct drm_gpuvm_update *binds, u32 count)
{
	int ret = 0;
	u32 i;

	guard(mutex)(&vm->lock);
	for (i = 0; i < count && !ret; i++)
		ret = sgpu_gpuvm_run(vm, &binds[i]);
	return ret;
}

void sgpu_vm_drop_binds(struct drm_gpuvm_update *binds, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		drm_gpuvm_update_drop(&binds[i]);
	kvfree(binds);
}

static int sgpu_job_add_binds(const struct sgpu_reg *reg, struct sgpu_job *job,
			      struct sgpu_file *file, u64 user, u32 count)
{
	struct drm_sgpu_bind_op *ops __free(kvfree) = NULL;
	int ret = 0;
	u32 i;

	job->binds = kvzalloc_objs(*job->binds, count, GFP_KERNEL_ACCOUNT);
	if (!job->binds)
		return -ENOMEM;
	job->count = count;

	ops = vmemdup_array_user(u64_to_user_ptr(user), count, sizeof(*ops));
	if (IS_ERR(ops))
		return PTR_ERR(ops);

	for (i = 0; i < count && !ret; i++)
		ret = sgpu_bind_prepare(reg, job->vm, &job->binds[i], file,
					&ops[i]);
	return ret;
}

int sgpu_ioctl_vm_bind(const struct sgpu_reg *reg,
		       struct drm_sgpu_vm_bind *args, struct sgpu_file *file)
{
	struct sgpu_vm *vm __free(sgpu_vm) = sgpu_vm_lookup(file, args->vm_id);
	struct sgpu_job *job;
	int ret;

	if (!vm)
		return -ENOENT;
	if (args->pad || !args->op_count || args->op_count > DRM_SGPU_MAX_OPS)
		return -EINVAL;

	job = sgpu_job_create(vm, file, args->syncs, args->sync_count);
	if (IS_ERR(job))
		return PTR_ERR(job);

	ret = sgpu_job_add_binds(reg, job, file, args->ops, args->op_count);
	if (ret) {
		sgpu_job_free(job);
		return ret;
	}
	return sgpu_job_submit(job, &args->job);
}
