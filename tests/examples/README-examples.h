/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Declarations for the examples in README.md. */

#include "drm_shmem_safe.h"

struct foo_hw {
	struct drm_dev_ctx_data base;
};

struct foo_file {
	u32 flags;
};

/* Proof that a struct foo_device is registered */
struct foo_reg {
	struct drm_dev_ctx_reg base;
};

/* The driver before */
struct foo_raw_device {
	struct drm_device drm;
	struct foo_hw *hw;
};

static inline struct foo_raw_device *to_foo_raw(struct drm_device *drm)
{
	return container_of(drm, struct foo_raw_device, drm);
}

/* A driver that has not been converted embeds the core's object. */
struct foo_raw_bo {
	struct drm_gem_shmem_object base;
};

struct foo_bo {
	struct drm_shmem_obj base;
};

/* A piece of the GPU's page table */
struct foo_mapping {
	struct drm_shmem_sgt_owned sgt;
	u64 addr;
};

struct foo_fw_hdr {
	u32 version;
};

#define FOO_FW_VERSION	3

struct drm_foo_submit {
	__u64 cmds;
};

#define DRM_IOCTL_FOO_SUBMIT	DRM_IOW(DRM_COMMAND_BASE, struct drm_foo_submit)

int foo_submit(struct foo_hw *hw, struct drm_foo_submit *args, struct foo_file *file);
int foo_mmu_map(struct foo_hw *hw, u64 addr, const struct sg_table *sgt);
