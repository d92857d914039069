/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Declarations for the examples of porting.rst. */

#include <linux/sizes.h>

#include "drm_dev_ctx_res.h"

#define FOO_CONTROL		0x00
#define  FOO_CONTROL_RESET	0x01
#define FOO_STATUS		0x04

struct foo_regs {
	DRM_VMAP_IOMEM(SZ_4K);
};

struct foo_regs_res {
	DRM_DEV_CTX_RES(struct foo_regs);
};

struct foo_hw {
	struct drm_dev_ctx_data base;
	struct foo_regs_res regs;
};

static inline struct foo_hw *foo_live_hw(const struct drm_dev_ctx_live *live)
{
	return container_of(drm_dev_ctx_live_data(live), struct foo_hw, base);
}
