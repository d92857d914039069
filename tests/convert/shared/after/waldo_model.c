// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <linux/err.h>

#include "drm_dev_ctx.h"
#include "waldo.h"

struct drm_device *waldo_plain_create(struct platform_device *pdev, const struct drm_driver *driver,
				      struct drm_dev_ctx_unreg **unreg)
{
	const struct drm_dev_ctx_live *live;
	struct waldo_device *waldo;

	*unreg = drm_dev_ctx_alloc(&pdev->dev, driver, struct waldo_device, ctx);
	if (IS_ERR(*unreg))
		return ERR_CAST(*unreg);
	waldo = to_waldo_device(drm_dev_ctx_unreg_drm(*unreg));
	live = drm_dev_ctx_attach(*unreg, NULL, &waldo->reg_data);
	if (IS_ERR(live))
		return ERR_CAST(live);
	waldo->width = 640;

	return &waldo->ctx.drm;
}

struct drm_device *waldo_wide_create(struct platform_device *pdev, const struct drm_driver *driver,
				     u32 heads, struct drm_dev_ctx_unreg **unreg)
{
	const struct drm_dev_ctx_live *live;
	struct waldo_device *waldo;
	struct waldo_wide *wide;

	*unreg = drm_dev_ctx_alloc(&pdev->dev, driver, struct waldo_wide, base.ctx);
	if (IS_ERR(*unreg))
		return ERR_CAST(*unreg);
	wide = to_waldo_wide(drm_dev_ctx_unreg_drm(*unreg));
	live = drm_dev_ctx_attach(*unreg, NULL, &wide->base.reg_data);
	if (IS_ERR(live))
		return ERR_CAST(live);
	wide->heads = heads;
	waldo = &wide->base;
	waldo->width = 640 * heads;
	if (!heads)
		return ERR_PTR(-EINVAL);

	return &waldo->ctx.drm;
}
