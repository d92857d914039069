/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The driver that contains the pairs of functions. */
#ifndef _DRM_SAFE_COST_H
#define _DRM_SAFE_COST_H

#include "drm_dev_ctx.h"

struct cost_device {
	struct drm_dev_ctx ctx;
};

/* Proof that a struct cost_device is registered */
struct cost_reg {
	struct drm_dev_ctx_reg base;
};

static inline struct cost_device *cost_dev(struct drm_device *drm)
{
	return drm_dev_ctx_entry(drm, struct cost_device, ctx);
}

static inline struct cost_device *cost_reg_dev(const struct cost_reg *reg)
{
	return cost_dev(drm_dev_ctx_reg_drm(&reg->base));
}

int hw_by_hand(struct drm_device *drm);
int hw_table(const struct sg_table *sgt);
int hw_with_proof(const struct cost_reg *reg);

#endif /* _DRM_SAFE_COST_H */
