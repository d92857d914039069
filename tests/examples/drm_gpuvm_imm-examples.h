/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Declarations for the examples in drm_gpuvm_imm.[ch]. */

#include <linux/sizes.h>

#include <drm/drm_exec.h>

#include "drm_gpuvm_imm.h"
#include "drm_shmem_safe.h"

struct vm;

struct foo_pt {
	u64 *entries;
};

struct foo_bo {
	struct drm_shmem_obj shmem;
};

DRM_SHMEM_OBJ_TYPE(foo_bo_type, struct foo_bo, shmem, struct foo_bo_unique);

struct foo_bind {
	__u64 addr;
	__u64 range;
	__u64 offset;
	__u32 prot;
};

struct foo_job {
	struct drm_gpuvm_imm_update update;
};

int foo_pt_map(struct foo_pt *pt, struct foo_bo *bo, u64 addr, u64 range, u64 offset, u32 prot)
	__drm_nonallocating;
void foo_pt_clear(struct foo_pt *pt, u64 addr, u64 range) __drm_nonallocating;
int foo_vm_validate(struct drm_gpuvm_imm_core *core, struct drm_gpuvm_bo *vm_bo,
		    struct drm_exec *exec);
