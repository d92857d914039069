/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The driver of which the files here are parts: what its author declares once.
 */
#ifndef _FOO_H
#define _FOO_H

#include <linux/sizes.h>
#include <linux/workqueue.h>

#include "drm_dev_ctx.h"
#include "drm_gpuvm_imm.h"
#include "drm_shmem_safe.h"

/* A device, what lives as long as its registration, and an open file */
struct foo_device {
	struct drm_device drm;
	struct work_struct hangcheck;
};

struct foo_hw {
	void __iomem *regs;
	struct work_struct reset;
};

struct foo_file {
	struct drm_file *drm;
};

DRM_DEV_CTX(foo, struct foo_device, drm, struct foo_hw, struct foo_file);

/* A buffer */
struct foo_bo {
	struct drm_shmem_obj shmem;
	u32 flags;
};

DRM_SHMEM_OBJ(foo_bo, struct foo_bo, shmem, u32);

/* Mappings: of firmware, of a ring, and of a buffer in video memory */
struct foo_fw_hdr {
	u32 magic;
	u32 entry;
	u32 section[16];
};

DEFINE_DRM_VMAP(foo_fw, SZ_4K);
DEFINE_DRM_VMAP(foo_ring, SZ_64K);
DEFINE_DRM_VMAP_IOMEM(foo_vram, SZ_4K);

/* An address space */
struct foo_va {
	u32 prot;
};

struct foo_vm {
	DRM_GPUVM_CORE(core);
	u64 root;
};

DRM_GPUVM_IMM(foo_vm, struct foo_vm, core, struct foo_va, struct foo_bo,
	      shmem.base.base);

/* The rest of the driver */
int foo_hw_submit(const struct foo_reg *reg, u32 doorbell);
void foo_hw_stop(const struct drm_dev_bound *bound, struct foo_hw *hw);
void foo_hw_free(struct foo_hw *hw);
struct foo_hw *foo_hw_init(const struct drm_dev_bound *bound,
			   struct foo_device *foo);
int foo_hw_ready(void);

extern const struct drm_driver foo_driver;
extern const struct foo_reg_ops foo_reg_ops;

#endif /* _FOO_H */
