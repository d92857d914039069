/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Declarations for the examples in drm_shmem_obj.c and drm_shmem_obj.h. */

#include <linux/sizes.h>

#include "drm_shmem_safe.h"

/* Proof that a struct foo_device is registered */
struct foo_reg {
	struct drm_dev_ctx_reg base;
};

struct drm_foo_bo_create {
	__u64 size;
	__u32 flags;
	__u32 handle;
};

#define FOO_BO_DEFAULT	1

struct foo_ring {
	u32 head;
	u32 tail;
};

void foo_write_ptes(const struct foo_reg *reg, dma_addr_t addr, unsigned int len);
