// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#include <drm/drm_atomic.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_modeset_helper_vtables.h>

#include "drm_dev_ctx.h"
#include "drm_shmem_safe.h"
#include "qux_drm.h"

struct qux_bo {
	struct drm_shmem_obj obj;
};

DRM_SHMEM_OBJ_TYPE(qux_bo_type, struct qux_bo, obj, struct qux_bo_unique);

struct qux_device {
	struct drm_dev_ctx ctx;
	struct drm_dev_ctx_data base;
	u32 reg;
};

static struct qux_device *to_qux(struct drm_device *drm)
{
	return container_of(drm, struct qux_device, ctx.drm);
}

static int qux_ioctl_reset(struct drm_dev_ctx_ioctl *ioctl, struct drm_qux_reset *args,
			   struct drm_file *file)
{
	struct qux_bo *bo;

	bo = drm_shmem_lookup(&qux_bo_type, file, args->pad);
	if (IS_ERR(bo))
		return PTR_ERR(bo);

	args->pad = bo->obj.base.base.size >> PAGE_SHIFT;
	drm_shmem_put(&bo->obj);
	return 0;
}

static int qux_ioctl_start(struct drm_dev_ctx_ioctl *ioctl, struct drm_qux_start *args,
			   struct drm_file *file)
{
	struct drm_device *dev = drm_dev_ctx_ioctl_drm(ioctl);
	struct qux_device *qux;

	/* This line would be too long with the call in it. */
	qux = args->pad < sizeof(*qux) ? NULL : args->pad > PAGE_SIZE ? NULL : to_qux(dev);
	if (qux)
		qux->reg = args->pad;
	return 0;
}

DRM_DEV_CTX_IOCTL_UNGUARDED(QUX_RESET, qux_ioctl_reset, struct drm_qux_reset);
DRM_DEV_CTX_IOCTL_UNGUARDED(QUX_START, qux_ioctl_start, struct drm_qux_start);

DRM_DEV_CTX_IOCTLS(qux_ioctls) = {
	DRM_DEV_CTX_IOCTL_DEF(QUX_RESET, DRM_RENDER_ALLOW),
	DRM_DEV_CTX_IOCTL_DEF(QUX_START, DRM_RENDER_ALLOW),
};

DEFINE_DRM_GEM_FOPS(qux_fops);

const struct qux_bo_type qux_bo_type = {
	DRM_SHMEM_OBJ_FUNCS,
};

static struct drm_gem_object *qux_gem_create_object(struct drm_device *drm, size_t size)
{
	return drm_shmem_gem_create_object(&qux_bo_type);
}

/* A comment that names DRM_GEM_SHMEM_DRIVER_OPS and drm_dev_enter() is no raw call. */
static const struct drm_driver qux_driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER,
	.fops = &qux_fops,
	DRM_SHMEM_DRIVER_OPS,
	.gem_create_object = qux_gem_create_object,
	.ioctls = qux_ioctls,
	.num_ioctls = ARRAY_SIZE(qux_ioctls),
	.name = "qux",
	.desc = "qux",
	.major = 1,
};

/* The check goes to what follows the section. */
static void qux_enable(struct drm_crtc *crtc, struct drm_atomic_commit *state)
{
	struct drm_device *drm = crtc->dev;
	u32 *buf;

	buf = kmalloc_obj(*buf);
	if (!buf)
		return;

	drm_dev_ctx_guard_live(live, to_drm_dev_ctx(drm)) {
		*buf = to_qux(drm)->reg;
	}

	kfree(buf);
}

/* A label in front of the exit, at the end of the function. */
static void qux_disable(struct drm_crtc *crtc, struct drm_atomic_commit *state)
{
	struct qux_device *qux = to_qux(crtc->dev);

	if (!crtc->state)
		return;
	drm_dev_ctx_live_or(live, to_drm_dev_ctx(crtc->dev), return);
	if (!qux->reg)
		return;
	qux->reg = 0;
}

static const struct drm_crtc_helper_funcs qux_crtc_funcs __used = {
	.atomic_enable = qux_enable,
	.atomic_disable = qux_disable,
};

/* Several ways out, and a check that frees first. May run before the registration. */
static int qux_read(struct qux_device *qux, u32 *val)
{
	u32 *buf;
	int ret;

	buf = kmalloc_obj(*buf);
	if (!buf)
		return -ENOMEM;

	drm_dev_ctx_live_or(live, &qux->ctx, {
		ret = -ENODEV;
		kfree(buf);
		return ret;
	});

	*buf = qux->reg;
	if (!*buf) {
		ret = -EIO;
		goto err_exit;
	}
	*val = *buf;

	kfree(buf);

	return 0;

err_exit:
	kfree(buf);
	return ret;
}

/* A block, or something else. */
static int qux_check(struct qux_device *qux)
{
	int ret;

	drm_dev_ctx_guard_live_else(live, &qux->ctx, ret = -ENODEV) {
		ret = qux->reg;
	}
	return ret;
}

/* Left: its result is of no use. */
static void qux_poke(struct qux_device *qux)
{
	int idx;

	drm_dev_enter(&qux->ctx.drm, &idx);
	qux->reg++;
	drm_dev_exit(idx);
}

static struct qux_device *qux_create(struct platform_device *pdev, struct drm_dev_ctx_unreg **unreg)
{
	const struct drm_dev_ctx_live *live;
	struct qux_device *qux;

	*unreg = drm_dev_ctx_alloc(&pdev->dev, &qux_driver, struct qux_device, ctx);
	if (IS_ERR(*unreg))
		return ERR_CAST(*unreg);
	qux = to_qux(drm_dev_ctx_unreg_drm(*unreg));
	live = drm_dev_ctx_attach(*unreg, NULL, &qux->base);
	if (IS_ERR(live))
		return ERR_CAST(live);

	platform_set_drvdata(pdev, qux);
	return qux;
}

static int qux_probe(struct platform_device *pdev)
{
	struct drm_dev_ctx_unreg *unreg __free(drm_dev_ctx_unreg) = NULL;
	struct qux_device *qux;
	int ret;

	qux = qux_create(pdev, &unreg);
	if (IS_ERR(qux))
		return PTR_ERR(qux);

	ret = qux_read(qux, &qux->reg);
	if (ret)
		return ret;
	ret = qux_check(qux);
	if (ret)
		return ret;
	qux_poke(qux);
	return drm_dev_ctx_register(qux->ctx.drm.dev, &unreg, NULL, &qux->base);
}

static void qux_remove(struct platform_device *pdev)
{
	struct qux_device *qux = platform_get_drvdata(pdev);

	drm_dev_ctx_unregister(&qux->ctx);
}

static struct platform_driver qux_platform_driver = {
	.probe = qux_probe,
	.remove = qux_remove,
	.driver = { .name = "qux" },
};
module_platform_driver(qux_platform_driver);

MODULE_DESCRIPTION("More input of make convert");
MODULE_LICENSE("Dual MIT/GPL");
