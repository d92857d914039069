/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the examples in drm_shmem_safe.c take for granted. */

#include <linux/sizes.h>

#include "drm_shmem_safe.h"

struct foo_device {
	struct drm_device drm;
};

struct foo_hw;

struct foo_file {
	struct drm_file *drm;
};

DRM_DEV_CTX(foo, struct foo_device, drm, struct foo_hw, struct foo_file);

struct drm_foo_bo_create {
	__u64 size;
	__u32 flags;
	__u32 handle;
};

struct foo_ring {
	u32 head;
	u32 tail;
};

void foo_write_ptes(const struct foo_reg *reg, dma_addr_t addr, unsigned int len);
