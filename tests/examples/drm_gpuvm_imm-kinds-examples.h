/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The driver of the example with buffers of shmem and objects in VRAM. */

#include "drm_gpuvm_imm.h"
#include "drm_shmem_safe.h"

struct foo_bo {
	struct drm_shmem_obj shmem;
};

DRM_SHMEM_OBJ_TYPE(foo_bo_type, struct foo_bo, shmem, struct foo_bo_unique);

struct foo_vram {
	struct drm_gem_object gem;
	struct drm_gem_sgt sgt;
};

extern const struct drm_gem_object_funcs foo_vram_funcs;

struct foo_any_vm {
	DRM_GPUVM_IMM_CORE(core);
};

struct foo_va {
	u32 prot;
};

struct drm_gpuvm_imm_mapped *
foo_any_vm_map(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_map_step *step)
	__drm_nonallocating;
struct drm_gpuvm_imm_unmapped *
foo_any_vm_unmap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_unmap_step *step)
	__drm_nonallocating;
struct drm_gpuvm_imm_remapped *
foo_any_vm_remap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_remap_step *step)
	__drm_nonallocating;
