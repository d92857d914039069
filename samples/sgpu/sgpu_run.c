// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Updates of address spaces: the job, and the steps that the library calls for it. The library
 * finds the mappings that an update overlaps, and decides which of them it splits or removes.
 * All of this runs in the fence signalling path.
 */

#include "drm_safe_signalling.h"

#include "sgpu_fault.h"
#include "sgpu_vm.h"

int sgpu_map_bo(const struct sgpu_reg *reg, struct sgpu_vm *vm, const struct drm_gpuva *va,
		const struct sgpu_sg_index *index, u64 addr, u64 size, u64 offset)
{
	struct sgpu_vm_bo *data = drm_gpuvm_imm_bo_data(&sgpu_vm_type, va->vm_bo);
	int ret = 0;

	drm_shmem_sgt_guard_owned(sgt, &reg->base.bound, &data->sgt, ret)
		ret = sgpu_mmu_map(&vm->mmu, addr, size, drm_shmem_sgt_table(sgt), index, offset,
				   drm_gpuvm_imm_va_data(&sgpu_vm_type, va)->write);
	/* Evicted: the next EXEC maps the pages. */
	return ret == -EAGAIN ? 0 : ret;
}

struct drm_gpuvm_imm_mapped *
sgpu_vm_map(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_map_step *step)
	__drm_nonallocating
{
	const struct sgpu_reg *reg = drm_gpuvm_imm_step_ctx(&sgpu_vm_type, core, step);
	struct sgpu_vm *vm = drm_gpuvm_imm_of(&sgpu_vm_type, core);
	int ret = 0;

	if (step->obj)
		ret = sgpu_map_bo(reg, vm, step->va, NULL, step->addr, step->range, step->offset);
	else
		sgpu_mmu_map_sparse(&vm->mmu, step->addr, step->range);
	return ret ? ERR_PTR(ret) : drm_gpuvm_imm_map_done(step);
}

struct drm_gpuvm_imm_unmapped *
sgpu_vm_unmap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_unmap_step *step)
	__drm_nonallocating
{
	struct sgpu_vm *vm = drm_gpuvm_imm_of(&sgpu_vm_type, core);

	if (!step->keep)
		sgpu_mmu_unmap(&vm->mmu, step->va->va.addr, step->va->va.range);
	return drm_gpuvm_imm_unmap_done(step);
}

struct drm_gpuvm_imm_remapped *
sgpu_vm_remap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_remap_step *step)
	__drm_nonallocating
{
	struct sgpu_vm *vm = drm_gpuvm_imm_of(&sgpu_vm_type, core);

	if (!step->keep)
		sgpu_mmu_unmap(&vm->mmu, step->addr, step->range);
	return drm_gpuvm_imm_remap_done(step);
}

/*
 * If an operation fails, or the job has to end, the effects of earlier operations stay. Other tasks
 * may use the page table between two operations. The device stays registered during an operation,
 * and while a failed operation is undone.
 */
int sgpu_bind_run(struct sgpu_job *job)
{
	struct drm_gem_object *gem = drm_gpuvm_imm_resv_obj(drm_gpuvm_imm_shared(job->vm->core));
	int ret = 0;

	sgpu_job_begin(job);
	for (u32 i = 0; i < job->count && !ret; i++) {
		ret = sgpu_job_check(job) ?: sgpu_fault_hang(job);
		if (ret)
			break;
		guard(mutex)(&job->vm->lock);
		drm_dev_ctx_or(sgpu_reg, reg, to_drm_dev_ctx(gem->dev), return -ENODEV);
		ret = drm_gpuvm_imm_run(&sgpu_vm_type, job->vm, &job->binds[i], reg);
	}
	return ret;
}
