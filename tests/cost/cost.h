/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The driver of which the pairs of functions are a part. */
#ifndef _DRM_SAFE_COST_H
#define _DRM_SAFE_COST_H

#include "drm_dev_ctx.h"

struct cost_device {
	struct drm_device drm;
};

DRM_DEV_CTX_NO_FILE(cost, struct cost_device, drm, void);

int hw_by_hand(struct drm_device *drm);
int hw_with_proof(const struct cost_reg *reg);

#endif /* _DRM_SAFE_COST_H */
