// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Updates of address spaces: the steps that the library calls, and the job that has it
 * do so. What overlaps what in an update, and is split or goes, is the library's to find
 * out. All of this is in the fence signalling path.
 */

#include "drm_safe_signalling.h"

#include "sgpu_fault.h"
#include "sgpu_vm.h"

int sgpu_vm_map_pages(struct sgpu_vm *vm, const struct drm_gpuva *va,
		      const struct sgpu_sg_index *index, u64 addr, u64 size, u64 offset)
{
	int ret = -ENODEV;

	drm_dev_ctx_guard(sgpu_reg, reg, sgpu_ctx(va->gem.obj->dev))
		drm_shmem_sgt_guard_owned(sgt, &reg->base.bound, &sgpu_gpuvm_bo(va)->sgt, ret)
			ret = sgpu_mmu_map(&vm->mmu, addr, size,
					   drm_shmem_sgt_table(sgt), index, offset,
					   sgpu_gpuvm_va(va)->write);
	/* Evicted: the next EXEC maps the pages. */
	return ret == -EAGAIN ? 0 : ret;
}

static struct drm_gpuvm_imm_mapped *
sgpu_gpuvm_step_map(struct sgpu_vm *vm, const struct drm_gpuvm_imm_map_step *op)
{
	int ret = 0;

	if (op->obj)
		ret = sgpu_vm_map_pages(vm, op->va, NULL, op->addr, op->range,
					op->offset);
	else
		sgpu_mmu_map_sparse(&vm->mmu, op->addr, op->range);
	return ret ? ERR_PTR(ret) : drm_gpuvm_imm_map_done(op);
}

static struct drm_gpuvm_imm_unmapped *
sgpu_gpuvm_step_unmap(struct sgpu_vm *vm, const struct drm_gpuvm_imm_unmap_step *op)
{
	if (!op->keep)
		sgpu_mmu_unmap(&vm->mmu, op->va->va.addr, op->va->va.range);
	return drm_gpuvm_imm_unmap_done(op);
}

static struct drm_gpuvm_imm_remapped *
sgpu_gpuvm_step_remap(struct sgpu_vm *vm, const struct drm_gpuvm_imm_remap_step *op)
{
	if (!op->keep)
		sgpu_mmu_unmap(&vm->mmu, op->addr, op->range);
	return drm_gpuvm_imm_remap_done(op);
}

DRM_GPUVM_IMM_OPS(sgpu_gpuvm, &sgpu_bo_type.base.funcs, PAGE_SIZE,
		  .bo_init = sgpu_vm_bo_init,
		  .bo_fini = sgpu_vm_bo_fini);

/*
 * What was done before an operation fails, or the job has to end, stays. Others may use
 * the page table between two operations.
 */
int sgpu_bind_run(struct sgpu_job *job)
{
	int ret = 0;
	u32 i;

	sgpu_job_begin(job);
	for (i = 0; i < job->count && !ret; i++) {
		ret = sgpu_job_check(job) ?: sgpu_fault_hang(job);
		if (ret)
			break;
		guard(mutex)(&job->vm->lock);
		ret = sgpu_gpuvm_run(job->vm, &job->binds[i]);
	}
	return ret;
}
