/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The driver of the example that only puts its steps together. */

#include "tests/examples/drm_gpuvm_imm-examples.h"

struct foo_vm {
	DRM_GPUVM_IMM_CORE(core);
	struct foo_pt pt;
};

struct foo_va {
	u32 prot;
};

DRM_GPUVM_IMM_TYPE(foo_vm_type, struct foo_vm, core, struct foo_va, struct foo_bo,
		   shmem.base.base);

struct drm_gpuvm_imm_mapped *
foo_vm_map(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_map_step *step)
	__drm_nonallocating;
struct drm_gpuvm_imm_unmapped *
foo_vm_unmap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_unmap_step *step)
	__drm_nonallocating;
struct drm_gpuvm_imm_remapped *
foo_vm_remap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_remap_step *step)
	__drm_nonallocating;
