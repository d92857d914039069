// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * VM_BIND: the ioctl prepares each update and adds it to a job. The job runs the updates in
 * the fence signalling path.
 */

#include <linux/slab.h>

#include <drm/drm_exec.h>

#include "sgpu_fault.h"
#include "sgpu_vm.h"

/* Takes both locks at once. A signal to the client ends the wait. */
static int sgpu_bind_lock(struct sgpu_vm *vm, struct sgpu_bo *bo, struct drm_exec *exec)
{
	struct drm_gpuvm_imm *shared = drm_gpuvm_imm_shared(vm->core);
	int ret = 0;

	drm_exec_init(exec, DRM_EXEC_INTERRUPTIBLE_WAIT, 2);
	drm_exec_until_all_locked(exec) {
		ret = drm_exec_lock_obj(exec, drm_gpuvm_imm_resv_obj(shared)) ?:
		      drm_exec_lock_obj(exec, drm_shmem_gem(&bo->shmem));
		drm_exec_retry_on_contention(exec);
		if (ret)
			break;
	}
	return ret;
}

/*
 * Getting the memory of a buffer can take long: the memory may be swapped out, and an import waits
 * for its exporter. An unplug waits for sections, so this maps the table before it opens one.
 */
static int sgpu_bind_prepare_bo(struct sgpu_vm *vm, struct drm_gpuvm_imm_update *bind,
				struct sgpu_bo *bo, const struct drm_sgpu_bind_op *op)
{
	struct drm_gem_object *gem = drm_shmem_gem(&bo->shmem);
	int ret;

	sgpu_fault_hold(SGPU_HOLD_LOCKS);
	dma_resv_assert_held(gem->resv);
	ret = drm_shmem_sgt_prepare_locked(&bo->shmem);
	if (ret)
		return ret;
	/* The buffer has pages now. Tell the shrinker, because an EXEC may never follow. */
	drm_shmem_touch_for(&bo->shmem, &vm->group);

	drm_dev_ctx_or(sgpu_reg, reg, to_drm_dev_ctx(gem->dev), return -ENODEV);

	ret = drm_gpuvm_imm_prepare_map_locked(&sgpu_vm_type, drm_gpuvm_imm_shared(vm->core), bind,
					       bo, op->addr, op->size, op->offset, reg);
	if (ret)
		return ret;
	drm_gpuvm_imm_update_data(&sgpu_vm_type, bind)->write =
		!(op->flags & DRM_SGPU_BIND_READONLY);
	return 0;
}

static int sgpu_bind_prepare_map(struct sgpu_vm *vm, struct drm_gpuvm_imm_update *bind,
				 struct sgpu_file *file, const struct drm_sgpu_bind_op *op)
{
	struct sgpu_bo *bo __free(drm_shmem) =
		drm_shmem_lookup(&sgpu_bo_type, file->drm, op->handle);
	struct drm_exec exec;
	int ret;

	if (IS_ERR(bo))
		return PTR_ERR(bo);

	ret = sgpu_bind_lock(vm, bo, &exec) ?: sgpu_bind_prepare_bo(vm, bind, bo, op);
	drm_exec_fini(&exec);
	return ret;
}

static int sgpu_bind_prepare(struct sgpu_vm *vm, struct drm_gpuvm_imm_update *bind,
			     struct sgpu_file *file, const struct drm_sgpu_bind_op *op)
{
	struct drm_gpuvm_imm *shared = drm_gpuvm_imm_shared(vm->core);
	bool map = op->op == DRM_SGPU_BIND_MAP;
	int ret;

	if (op->pad || (op->flags & ~(map ? DRM_SGPU_BIND_READONLY : 0)) ||
	    (!map && (op->handle || op->offset)))
		return -EINVAL;

	switch (op->op) {
	case DRM_SGPU_BIND_MAP:
		ret = sgpu_bind_prepare_map(vm, bind, file, op);
		break;
	case DRM_SGPU_BIND_UNMAP:
		ret = drm_gpuvm_imm_prepare_unmap(shared, bind, op->addr, op->size);
		break;
	case DRM_SGPU_BIND_SPARSE:
		ret = drm_gpuvm_imm_prepare_map_sparse(shared, bind, op->addr, op->size);
		break;
	default:
		return -EINVAL;
	}

	/* The range has been checked. */
	return ret ?: sgpu_mmu_prepare(&vm->mmu, op->addr, op->size, map);
}

/* Drops the updates that have not run. */
void sgpu_bind_drop(struct sgpu_job *job)
{
	for (u32 i = 0; i < job->count; i++)
		drm_gpuvm_imm_update_drop(&job->binds[i]);
	kvfree(job->binds);
}

/*
 * Bounds the time of a job. @range limits how much of the page table the job walks. @reach
 * limits how much it walks of the buffers' sg tables, each from its start to the end of the
 * mapped part. The sums cannot overflow, because each operation was checked.
 */
struct sgpu_bind_work {
	u64 range;
	u64 reach;
};

static int sgpu_bind_account(struct sgpu_bind_work *work, const struct drm_sgpu_bind_op *op)
{
	work->range += op->size;
	if (op->op == DRM_SGPU_BIND_MAP)
		work->reach += op->offset + op->size;
	if (work->range > SGPU_VA_END - SGPU_VA_START || work->reach > DRM_SGPU_MAX_REACH)
		return -E2BIG;
	return 0;
}

static int sgpu_job_add_binds(struct sgpu_job *job, struct sgpu_file *file,
			      const struct drm_sgpu_bind_op *ops, u32 count)
{
	struct sgpu_bind_work work = {};
	int ret = 0;

	job->binds = kvzalloc_objs(*job->binds, count, GFP_KERNEL_ACCOUNT);
	if (!job->binds)
		return -ENOMEM;
	job->count = count;

	for (u32 i = 0; i < count && !ret; i++)
		ret = sgpu_bind_prepare(job->vm, &job->binds[i], file, &ops[i]) ?:
		      sgpu_bind_account(&work, &ops[i]);
	return ret;
}

/*
 * Opens no section for the whole ioctl: userspace can delay the page faults of the copies below,
 * and would thereby delay an unplug. Only map operations open a section, after they have taken
 * the locks. A job that starts after an unplug fails.
 */
int sgpu_ioctl_vm_bind(struct drm_dev_ctx_ioctl *ioctl, struct drm_sgpu_vm_bind *args,
		       struct drm_file *drm_file)
{
	struct sgpu_file *file = drm_file->driver_priv;
	struct drm_sgpu_sync *syncs __free(kvfree) = NULL;
	struct drm_sgpu_bind_op *ops __free(kvfree) = NULL;
	struct sgpu_job *job;
	int ret;

	if (args->pad || !args->op_count || args->op_count > DRM_SGPU_MAX_OPS ||
	    args->sync_count > DRM_SGPU_MAX_SYNCS)
		return -EINVAL;

	ops = sgpu_copy_array(args->ops, args->op_count, sizeof(*ops));
	if (IS_ERR(ops))
		return PTR_ERR(ops);
	syncs = sgpu_copy_array(args->syncs, args->sync_count, sizeof(*syncs));
	if (IS_ERR(syncs))
		return PTR_ERR(syncs);

	job = sgpu_job_create(file, args->vm_id, syncs, args->sync_count);
	if (IS_ERR(job))
		return PTR_ERR(job);

	ret = sgpu_job_add_binds(job, file, ops, args->op_count);
	return sgpu_job_submit(job, ret, &args->job);
}
