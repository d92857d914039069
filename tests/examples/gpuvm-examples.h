/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Declarations for the examples of gpuvm.rst. */

#include <linux/mutex.h>
#include <linux/sizes.h>

#include <drm/drm_exec.h>

#include "drm_gem_sgt.h"
#include "drm_gpuvm_imm.h"
#include "drm_shmem_safe.h"

/* Proof that a device is registered */
struct foo_reg {
	struct drm_dev_ctx_reg base;
};

struct foo_bo {
	struct drm_shmem_obj shmem;
};

DRM_SHMEM_OBJ_TYPE(foo_bo_type, struct foo_bo, shmem, struct foo_bo_unique);

struct foo_vram {
	struct drm_gem_object gem;
	struct drm_gem_sgt sgt;
};

static inline struct foo_vram *to_foo_vram(struct drm_gem_object *gem)
{
	return container_of(gem, struct foo_vram, gem);
}

extern const struct drm_gem_object_funcs foo_vram_funcs;

struct foo_pt {
	u64 *entries;
};

struct foo_vm {
	DRM_GPUVM_IMM_CORE(core);
	struct mutex lock;	/* one user of the core at a time */
	struct foo_pt pt;
};

struct foo_va {
	u32 prot;
};

struct foo_job {
	struct drm_gpuvm_imm_update update;
};

struct foo_bind_args {
	__u64 addr;
	__u64 range;
	__u64 offset;
	__u32 handle;
};

struct foo_vm_bo;

int foo_pt_map(struct foo_vm *vm, const struct foo_reg *reg, struct foo_vm_bo *data, u64 addr,
	       u64 range, u64 offset);
void foo_pt_clear(struct foo_pt *pt, u64 addr, u64 range) __drm_nonallocating;
int foo_vram_move_out(struct foo_vram *vram) __must_hold(drm_resv);
int foo_vram_move_in(struct foo_vram *vram) __must_hold(drm_resv);

int foo_vm_validate(struct drm_gpuvm_imm_core *core, struct drm_gpuvm_bo *vm_bo,
		    struct drm_exec *exec)
	__must_hold(drm_resv);
int foo_vm_evict(struct drm_gpuvm_imm_core *core, struct drm_gpuvm_bo *vm_bo)
	__must_hold(drm_resv);
struct drm_gpuvm_imm_mapped *
foo_vm_map(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_map_step *step)
	__drm_nonallocating;
struct drm_gpuvm_imm_unmapped *
foo_vm_unmap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_unmap_step *step)
	__drm_nonallocating;
struct drm_gpuvm_imm_remapped *
foo_vm_remap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_remap_step *step)
	__drm_nonallocating;
