/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _SGPU_VM_H
#define _SGPU_VM_H

#include <linux/kref.h>
#include <linux/spinlock.h>

#include "drm_gpuvm_imm.h"
#include "sgpu_bo.h"
#include "sgpu_drv.h"
#include "sgpu_mmu.h"
#include "sgpu_sched.h"

/*
 * struct sgpu_va - what the driver keeps for a mapping
 *
 * Invariant: @sgt, if the mapping is not sparse, is the table of its buffer. The
 * mapping holds the buffer, whose table stays until the device is unbound, and
 * the hardware, without which no job runs, is stopped before that.
 */
struct sgpu_va {
	const struct sg_table *sgt;
	bool write;
};

/*
 * struct sgpu_vm - an address space, with its page table and its jobs
 *
 * Held by the file that it belongs to, and by each of its jobs.
 *
 * Invariant: jobs, of which one runs at a time, and the release of the last
 * reference are all that uses @core.
 */
struct sgpu_vm {
	struct kref ref;
	struct sgpu_hw *hw;
	struct sgpu_mmu mmu;
	struct sgpu_queue queue;

	spinlock_t fault_lock;	/* protects @fault */
	struct drm_sgpu_vm_fault fault;

	DRM_GPUVM_CORE(core);
};

/* A change of an address space that a job makes */
struct sgpu_bind {
	struct drm_gpuvm_update update;
};

DRM_GPUVM_IMM(sgpu_gpuvm, struct sgpu_vm, core, struct sgpu_va,
	      struct sgpu_bo, shmem.base.base);

struct sgpu_vm *sgpu_vm_lookup(struct sgpu_file *file, u32 id);
struct sgpu_vm *sgpu_vm_get(struct sgpu_vm *vm);
void sgpu_vm_put(struct sgpu_vm *vm);
void sgpu_vm_close(struct sgpu_vm *vm);
int sgpu_vm_run_binds(struct sgpu_vm *vm, struct sgpu_bind *binds, u32 count);
void sgpu_vm_drop_binds(struct sgpu_bind *binds, u32 count);

int sgpu_ioctl_vm_create(const struct sgpu_reg *reg,
			 struct drm_sgpu_vm_create *args,
			 struct sgpu_file *file);
int sgpu_ioctl_vm_destroy(const struct sgpu_reg *reg,
			  struct drm_sgpu_vm_destroy *args,
			  struct sgpu_file *file);
int sgpu_ioctl_vm_bind(const struct sgpu_reg *reg,
		       struct drm_sgpu_vm_bind *args, struct sgpu_file *file);
int sgpu_ioctl_vm_fault(const struct sgpu_reg *reg,
			struct drm_sgpu_vm_fault *args, struct sgpu_file *file);
int sgpu_ioctl_exec(const struct sgpu_reg *reg, struct drm_sgpu_exec *args,
		    struct sgpu_file *file);

DEFINE_FREE(sgpu_vm, struct sgpu_vm *, if (_T) sgpu_vm_put(_T))

#endif /* _SGPU_VM_H */
