// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <linux/err.h>

#include "waldo.h"

struct drm_device *waldo_plain_create(struct platform_device *pdev, const struct drm_driver *driver)
{
	struct waldo_device *waldo;

	waldo = devm_drm_dev_alloc(&pdev->dev, driver, struct waldo_device, base);

	if (IS_ERR(waldo))
		return ERR_CAST(waldo);
	waldo->width = 640;

	return &waldo->base;
}

struct drm_device *waldo_wide_create(struct platform_device *pdev, const struct drm_driver *driver,
				     u32 heads)
{
	struct waldo_device *waldo;
	struct waldo_wide *wide;

	wide = devm_drm_dev_alloc(&pdev->dev, driver, struct waldo_wide, base.base);
	if (IS_ERR(wide))
		return ERR_CAST(wide);
	wide->heads = heads;
	waldo = &wide->base;
	waldo->width = 640 * heads;
	if (!heads)
		return ERR_PTR(-EINVAL);

	return &waldo->base;
}
