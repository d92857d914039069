/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Declarations for the examples in drm_gem_sgt.c. */

#include <linux/slab.h>

#include "drm_shmem_safe.h"

struct foo_reg {
	struct drm_dev_ctx_reg base;
};

struct foo_vram;

struct sg_table *foo_vram_table(struct foo_vram *vram);
void foo_vram_table_free(struct foo_vram *vram, struct sg_table *sgt);
void foo_write_ptes(const struct foo_reg *reg, u64 va, dma_addr_t addr, unsigned int size);
