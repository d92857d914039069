/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Declarations of the driver foo. The files in this directory are parts of this driver.
 */
#ifndef _FOO_H
#define _FOO_H

#include <linux/sizes.h>
#include <linux/workqueue.h>

#include "drm_dev_ctx.h"
#include "drm_gpuvm_imm.h"
#include "drm_shmem_safe.h"

/* A device, its registration data, and an open file */
struct foo_device {
	struct drm_dev_ctx ctx;
	struct work_struct hangcheck;
};

struct foo_hw {
	struct drm_dev_ctx_data base;
	void __iomem *regs;
	struct work_struct reset;
};

struct foo_file {
	u32 flags;
};

/* Proof that a struct foo_device is registered */
struct foo_reg {
	struct drm_dev_ctx_reg base;
};

static inline struct foo_device *foo_dev(struct drm_device *drm)
{
	return drm_dev_ctx_entry(drm, struct foo_device, ctx);
}

static inline struct foo_device *foo_reg_dev(const struct foo_reg *reg)
{
	return foo_dev(drm_dev_ctx_reg_drm(&reg->base));
}

static inline struct foo_hw *foo_reg_data(const struct foo_reg *reg)
{
	return container_of(drm_dev_ctx_reg_data(&reg->base), struct foo_hw, base);
}

/* A buffer */
struct foo_bo {
	struct drm_shmem_obj shmem;
	u32 flags;
};

DRM_SHMEM_OBJ_TYPE(foo_bo_type, struct foo_bo, shmem, struct foo_bo_unique);

/* Mappings: of firmware, of a ring, and of a buffer in video memory */
struct foo_fw_hdr {
	u32 magic;
	u32 entry;
	u32 section[16];
};

struct foo_fw {
	DRM_VMAP(SZ_4K);
};

struct foo_fw_owned {
	DRM_VMAP_OWNED(struct foo_fw);
};

struct foo_ring {
	DRM_VMAP(SZ_64K);
};

struct foo_ring_owned {
	DRM_VMAP_OWNED(struct foo_ring);
};

struct foo_vram {
	DRM_VMAP_IOMEM(SZ_4K);
};

/* An address space */
struct foo_va {
	u32 prot;
};

struct foo_vm {
	DRM_GPUVM_IMM_CORE(core);
	u64 root;
};

DRM_GPUVM_IMM_TYPE(foo_vm_type, struct foo_vm, core, struct foo_va, struct foo_bo, shmem.base.base);

/* The rest of the driver */
int foo_hw_submit(const struct foo_reg *reg, u32 doorbell);
void foo_hw_stop(const struct drm_dev_ctx_bound *bound, struct foo_hw *hw);
void foo_hw_free(struct foo_hw *hw);
struct foo_hw *foo_hw_init(const struct drm_dev_ctx_bound *bound,
			   struct foo_device *foo);
int foo_hw_ready(void);

extern const struct drm_driver foo_driver;
extern const struct drm_dev_ctx_ops foo_reg_ops;

#endif /* _FOO_H */
