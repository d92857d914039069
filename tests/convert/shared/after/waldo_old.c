// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <linux/module.h>
#include <linux/sizes.h>

#include <drm/drm_dumb_buffers.h>
#include <drm/drm_file.h>

#include "drm_dev_ctx.h"
#include "drm_shmem_safe.h"
#include "waldo.h"

struct waldo_old {
	struct waldo_device waldo;
	u32 revision;
};

DEFINE_DRM_GEM_FOPS(waldo_old_fops);

struct waldo_old_bo {
	struct drm_shmem_obj obj;
};

DRM_SHMEM_OBJ_TYPE(waldo_old_bo_type, struct waldo_old_bo, obj, struct waldo_old_bo_unique);

const struct waldo_old_bo_type waldo_old_bo_type = {
	DRM_SHMEM_OBJ_FUNCS,
};

static struct drm_gem_object *waldo_old_gem_create_object(struct drm_device *drm, size_t size)
{
	return drm_shmem_gem_create_object(&waldo_old_bo_type);
}

/* Objects of this type, with a pitch of the driver's */
static int waldo_old_dumb_create(struct drm_file *file, struct drm_device *drm,
				 struct drm_mode_create_dumb *args)
{
	struct waldo_old_bo_unique *new __free(drm_shmem) = NULL;
	struct waldo_old_bo *bo __free(drm_shmem) = NULL;
	int ret;

	ret = drm_mode_size_dumb(drm, args, SZ_64, 0);
	if (ret)
		return ret;

	new = drm_shmem_create(&waldo_old_bo_type, drm, args->size, NULL);
	if (IS_ERR(new))
		return PTR_ERR(new);
	bo = drm_shmem_publish(&waldo_old_bo_type, &new);

	return drm_shmem_handle_create(&bo->obj, file, &args->handle);
}

static const struct drm_driver waldo_old_driver = {
	.driver_features	= DRIVER_GEM,
	.fops			= &waldo_old_fops,
	DRM_SHMEM_RENDER_OPS,
	.gem_create_object	= waldo_old_gem_create_object,
	.dumb_create		= waldo_old_dumb_create,
	.dumb_map_offset	= drm_shmem_dumb_map_offset,
	.name			= "waldo-old",
	.desc			= "waldo-old",
	.major			= 1,
};

static int waldo_old_probe(struct platform_device *pdev)
{
	const struct drm_dev_ctx_live *live;
	struct drm_dev_ctx_unreg *unreg __free(drm_dev_ctx_unreg) = NULL;
	struct waldo_old *old;

	unreg = drm_dev_ctx_alloc(&pdev->dev, &waldo_old_driver, struct waldo_old, waldo.ctx);
	if (IS_ERR(unreg)) {
		dev_err(&pdev->dev, "no memory for the device\n");
		return PTR_ERR(unreg);
	}
	old = container_of(drm_dev_ctx_unreg_drm(unreg), struct waldo_old, waldo.ctx.drm);
	live = drm_dev_ctx_attach(unreg, NULL, &old->waldo.reg_data);
	if (IS_ERR(live))
		return PTR_ERR(live);
	old->revision = pdev->id;
	old->waldo.width = 320;
	platform_set_drvdata(pdev, old);

	return drm_dev_ctx_register(old->waldo.ctx.drm.dev, &unreg, NULL, &old->waldo.reg_data);
}

static void waldo_old_remove(struct platform_device *pdev)
{
	struct waldo_old *old = platform_get_drvdata(pdev);

	drm_dev_ctx_unregister(&old->waldo.ctx);
}

static struct platform_driver waldo_old_platform_driver = {
	.probe = waldo_old_probe,
	.remove = waldo_old_remove,
	.driver = { .name = "waldo-old" },
};
module_platform_driver(waldo_old_platform_driver);

MODULE_DESCRIPTION("Input of make convert, with a device that begins with the structure of others");
MODULE_LICENSE("Dual MIT/GPL");
