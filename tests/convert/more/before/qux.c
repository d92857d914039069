// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#include <drm/drm_atomic.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_modeset_helper_vtables.h>

#include "qux_drm.h"

struct qux_device {
	struct drm_device drm;
	u32 reg;
};

static struct qux_device *to_qux(struct drm_device *drm)
{
	return container_of(drm, struct qux_device, drm);
}

static int qux_ioctl_reset(struct drm_device *dev, void *data, struct drm_file *file)
{
	struct drm_qux_reset *args = data;
	struct drm_gem_object *gem;

	gem = drm_gem_object_lookup(file, args->pad);
	if (!gem)
		return -ENOENT;

	args->pad = gem->size >> PAGE_SHIFT;
	drm_gem_object_put(gem);
	return 0;
}

static int qux_ioctl_start(struct drm_device *dev, void *data, struct drm_file *file)
{
	struct drm_qux_start *args = data;
	struct qux_device *qux;

	/* This line would be too long with the call in it. */
	qux = args->pad < sizeof(*qux) ? NULL : args->pad > PAGE_SIZE ? NULL : to_qux(dev);
	if (qux)
		qux->reg = args->pad;
	return 0;
}

static const struct drm_ioctl_desc qux_ioctls[] = {
#define QUX_IOCTL(n, func, flags) \
	DRM_IOCTL_DEF_DRV(QUX_##n, qux_ioctl_##func, flags)

	QUX_IOCTL(RESET, reset, DRM_RENDER_ALLOW),
	QUX_IOCTL(START, start, DRM_RENDER_ALLOW),
};

DEFINE_DRM_GEM_FOPS(qux_fops);

/* A comment that names DRM_GEM_SHMEM_DRIVER_OPS and drm_dev_enter() is no raw call. */
static const struct drm_driver qux_driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER,
	.fops = &qux_fops,
	DRM_GEM_SHMEM_DRIVER_OPS,
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
	int idx;

	buf = kmalloc_obj(*buf);
	if (!buf)
		return;

	if (!drm_dev_enter(drm, &idx))
		goto out_free;

	*buf = to_qux(drm)->reg;

	drm_dev_exit(idx);

out_free:
	kfree(buf);
}

/* A label in front of the exit, at the end of the function. */
static void qux_disable(struct drm_crtc *crtc, struct drm_atomic_commit *state)
{
	struct qux_device *qux = to_qux(crtc->dev);
	int idx;

	if (!crtc->state || !drm_dev_enter(crtc->dev, &idx))
		return;
	if (!qux->reg)
		goto out;
	qux->reg = 0;
out:
	drm_dev_exit(idx);
}

static const struct drm_crtc_helper_funcs qux_crtc_funcs __used = {
	.atomic_enable = qux_enable,
	.atomic_disable = qux_disable,
};

/* Several ways out, and a check that frees first. May run before the registration. */
static int qux_read(struct qux_device *qux, u32 *val)
{
	u32 *buf;
	int idx, ret;

	buf = kmalloc_obj(*buf);
	if (!buf)
		return -ENOMEM;

	if (!drm_dev_enter(&qux->drm, &idx)) {
		ret = -ENODEV;
		goto err_free;
	}

	*buf = qux->reg;
	if (!*buf) {
		ret = -EIO;
		goto err_exit;
	}
	*val = *buf;

	drm_dev_exit(idx);
	kfree(buf);

	return 0;

err_exit:
	drm_dev_exit(idx);
err_free:
	kfree(buf);
	return ret;
}

/* A block, or something else. */
static int qux_check(struct qux_device *qux)
{
	struct drm_device *drm = &qux->drm;
	int idx, ret;

	if (drm_dev_enter(drm, &idx)) {
		ret = qux->reg;
		drm_dev_exit(idx);
	} else {
		ret = -ENODEV;
	}
	return ret;
}

/* Left: its result is of no use. */
static void qux_poke(struct qux_device *qux)
{
	int idx;

	drm_dev_enter(&qux->drm, &idx);
	qux->reg++;
	drm_dev_exit(idx);
}

static struct qux_device *qux_create(struct platform_device *pdev)
{
	struct qux_device *qux;

	qux = devm_drm_dev_alloc(&pdev->dev, &qux_driver, struct qux_device, drm);
	if (IS_ERR(qux))
		return qux;

	platform_set_drvdata(pdev, qux);
	return qux;
}

static int qux_probe(struct platform_device *pdev)
{
	struct qux_device *qux;
	int ret;

	qux = qux_create(pdev);
	if (IS_ERR(qux))
		return PTR_ERR(qux);

	ret = qux_read(qux, &qux->reg);
	if (ret)
		return ret;
	ret = qux_check(qux);
	if (ret)
		return ret;
	qux_poke(qux);
	return drm_dev_register(&qux->drm, 0);
}

static void qux_remove(struct platform_device *pdev)
{
	struct qux_device *qux = platform_get_drvdata(pdev);

	drm_dev_unplug(&qux->drm);
}

static struct platform_driver qux_platform_driver = {
	.probe = qux_probe,
	.remove = qux_remove,
	.driver = { .name = "qux" },
};
module_platform_driver(qux_platform_driver);

MODULE_DESCRIPTION("More input of make convert");
MODULE_LICENSE("Dual MIT/GPL");
