/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Declarations for the examples in drm_gem_exports.c. */

#include <linux/dma-buf.h>
#include <linux/dma-buf-mapping.h>
#include <linux/pci-p2pdma.h>
#include <linux/pci.h>

#include <drm/drm_gem.h>

#include "drm_gem_sgt.h"

struct foo_hw {
	struct drm_dev_ctx_data base;
};

void foo_hw_stop(struct foo_hw *hw);
void foo_hw_fail_jobs(struct foo_hw *hw);
void foo_hw_vram_off(struct foo_hw *hw);

struct foo_vram {
	struct drm_gem_object gem;
	struct drm_gem_sgt sgt;
	phys_addr_t addr;
};

#define FOO_VRAM_BAR	2

struct sg_table *foo_vram_map(struct drm_gem_object *gem);
void foo_vram_unmap(struct drm_gem_object *gem, struct sg_table *sgt);
void foo_vram_free(struct drm_gem_object *gem);
