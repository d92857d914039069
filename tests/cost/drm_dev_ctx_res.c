// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The cost of a driver's registers and coherent memory: by hand, through a pointer in its
 * structure, and lent for the scope of a proof. Only the second one knows that the device is bound.
 */

#include <linux/io.h>

#include "cost.h"
#include "drm_dev_ctx_res.h"

struct cost_regs {
	DRM_VMAP_IOMEM(SZ_64K);
};

struct cost_regs_res {
	DRM_DEV_CTX_RES(struct cost_regs);
};

struct cost_mem {
	DRM_VMAP(SZ_4K);
};

struct cost_mem_res {
	DRM_DEV_CTX_RES(struct cost_mem);
};

struct cost_hw {
	void __iomem *io;
	u32 *mem;
	struct cost_regs_res regs;
	struct cost_mem_res ring;
};

/* cost: reg_read 3: whether it is mapped, and for this device: a load, a comparison, a branch */
u32 reg_read_by_hand(struct cost_hw *hw, const struct drm_dev_ctx_bound *bound)
{
	return readl(hw->io + SZ_8K);
}

u32 reg_read_of_ours(struct cost_hw *hw, const struct drm_dev_ctx_bound *bound)
{
	drm_dev_ctx_res_or(regs, &hw->regs, bound, return 0);
	return drm_vmap_read32(regs, SZ_8K);
}

/* cost: reg_poke 3: the same; the kernel's relaxed access adds nothing, and neither does ours */
void reg_poke_by_hand(struct cost_hw *hw, const struct drm_dev_ctx_bound *bound, u32 val)
{
	writel_relaxed(val, hw->io + SZ_4K);
	writel_relaxed(readl_relaxed(hw->io + SZ_8K) | val, hw->io + SZ_8K);
}

void reg_poke_of_ours(struct cost_hw *hw, const struct drm_dev_ctx_bound *bound, u32 val)
{
	drm_dev_ctx_res_or(regs, &hw->regs, bound, return);
	drm_vmap_write32_relaxed(regs, SZ_4K, val);
	drm_vmap_write32_relaxed(regs, SZ_8K, drm_vmap_read32_relaxed(regs, SZ_8K) | val);
}

/* cost: mem_write 3: the same; no access adds to that */
void mem_write_by_hand(struct cost_hw *hw, const struct drm_dev_ctx_bound *bound, u32 val)
{
	WRITE_ONCE(hw->mem[0], val);
	WRITE_ONCE(hw->mem[4], val);
	WRITE_ONCE(hw->mem[8], val);
	WRITE_ONCE(hw->mem[12], val);
}

void mem_write_of_ours(struct cost_hw *hw, const struct drm_dev_ctx_bound *bound, u32 val)
{
	drm_dev_ctx_res_or(ring, &hw->ring, bound, return);
	drm_vmap_write32(ring, 0, val);
	drm_vmap_write32(ring, 16, val);
	drm_vmap_write32(ring, 32, val);
	drm_vmap_write32(ring, 48, val);
}
