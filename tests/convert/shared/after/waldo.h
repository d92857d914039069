/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _WALDO_H
#define _WALDO_H

#include <linux/platform_device.h>

#include <drm/drm_device.h>
#include <drm/drm_drv.h>

#include "drm_dev_ctx.h"

/* What all models have */
struct waldo_device {
	struct drm_dev_ctx ctx;
	struct drm_dev_ctx_data reg_data;
	u32 width;
};

static inline struct waldo_device *to_waldo_device(struct drm_device *drm)
{
	return container_of(drm, struct waldo_device, ctx.drm);
}

struct waldo_wide {
	struct waldo_device base;
	u32 heads;
};

static inline struct waldo_wide *to_waldo_wide(struct drm_device *drm)
{
	return container_of(to_waldo_device(drm), struct waldo_wide, base);
}

struct drm_device *waldo_plain_create(struct platform_device *pdev, const struct drm_driver *driver,
				      struct drm_dev_ctx_unreg **unreg);
struct drm_device *waldo_wide_create(struct platform_device *pdev, const struct drm_driver *driver,
				     u32 heads, struct drm_dev_ctx_unreg **unreg);

#endif
