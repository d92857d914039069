/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _SGPU_VM_H
#define _SGPU_VM_H

#include <linux/mutex.h>
#include <linux/spinlock.h>

#include "drm_gpuvm_imm.h"
#include "sgpu_bo.h"
#include "sgpu_drv.h"
#include "sgpu_mmu.h"
#include "sgpu_sched.h"

/* The driver's part of a mapping */
struct sgpu_va {
	bool write;
};

/*
 * The driver's part of a vm_bo. The page table has addresses of the sg table unless the handle
 * is suspended.
 */
struct sgpu_vm_bo {
	struct drm_shmem_sgt_owned sgt;
};

/*
 * struct sgpu_vm - an address space, with its page table and its jobs
 *
 * The table of the open file has a reference, until it closes @queue, and so has each job.
 *
 * Invariants:
 *
 * - A task that uses @core holds @lock, except when it releases the last reference. Jobs take
 *   @lock in the fence signalling path, for one operation at a time, so no memory is allocated
 *   under it, and the shrinker only tries it.
 * - The fences of jobs name the scheduler in @queue until a grace period after they signal, so
 *   the memory stays until then.
 */
struct sgpu_vm {
	struct drm_dev_ctx_id_obj obj;
	struct rcu_head rcu;
	struct sgpu_file *file;
	struct sgpu_hw *hw;
	struct sgpu_mmu mmu;
	struct sgpu_queue queue;

	spinlock_t fault_lock;	/* protects @fault */
	struct drm_sgpu_vm_fault fault;

	struct mutex lock;	/* see above */
	struct drm_shmem_group group;	/* buffers that only this VM maps, or tried to map */

	DRM_GPUVM_IMM_CORE(core);
};

/* Obtaining a buffer and running an update both need the proof that the device is registered. */
DRM_GPUVM_IMM_TYPE_CTX(sgpu_vm_type, struct sgpu_vm, core, struct sgpu_va,
		       struct sgpu_bo, shmem.base.base,
		       struct sgpu_vm_bo, const struct sgpu_reg, const struct sgpu_reg);

DRM_DEV_CTX_IDS_TYPE(sgpu_vm_ids_type, struct sgpu_vm, obj);

int sgpu_ioctl_vm_create(const struct sgpu_reg *reg, struct drm_sgpu_vm_create *args,
			 struct drm_file *drm_file);
int sgpu_ioctl_vm_destroy(const struct sgpu_reg *reg, struct drm_sgpu_vm_destroy *args,
			  struct drm_file *drm_file);
int sgpu_ioctl_vm_fault(const struct sgpu_reg *reg, struct drm_sgpu_vm_fault *args,
			struct drm_file *drm_file);
int sgpu_ioctl_exec(struct drm_dev_ctx_ioctl *ioctl, struct drm_sgpu_exec *args,
		    struct drm_file *drm_file);

/* sgpu_run.c */
struct drm_gpuvm_imm_mapped *
sgpu_vm_map(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_map_step *step)
	__drm_nonallocating;
struct drm_gpuvm_imm_unmapped *
sgpu_vm_unmap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_unmap_step *step)
	__drm_nonallocating;
struct drm_gpuvm_imm_remapped *
sgpu_vm_remap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_remap_step *step)
	__drm_nonallocating;
int sgpu_map_bo(const struct sgpu_reg *reg, struct sgpu_vm *vm, const struct drm_gpuva *va,
		const struct sgpu_sg_index *index, u64 addr, u64 size, u64 offset)
	__drm_nonallocating;
int sgpu_bind_run(struct sgpu_job *job);

/* sgpu_bind.c */
void sgpu_bind_drop(struct sgpu_job *job);
int sgpu_ioctl_vm_bind(struct drm_dev_ctx_ioctl *ioctl, struct drm_sgpu_vm_bind *args,
		       struct drm_file *drm_file);

#endif /* _SGPU_VM_H */
