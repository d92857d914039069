/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The driver of the examples that have data of an object in an address space. */

#include "tests/examples/drm_gpuvm_imm-examples.h"

struct foo_vm {
	DRM_GPUVM_IMM_CORE(core);
	struct mutex lock;	/* one user of the core at a time */
	struct foo_pt pt;
};

struct foo_va {
	u32 prot;
};

struct foo_vm_bo {
	struct drm_shmem_sgt_owned sgt;
};

DRM_GPUVM_IMM_TYPE_VM_BO(foo_vm_type, struct foo_vm, core, struct foo_va, struct foo_bo,
			 shmem.base.base, struct foo_vm_bo, const struct drm_dev_ctx_bound);
