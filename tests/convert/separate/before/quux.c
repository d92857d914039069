// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <linux/device.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/virtio.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_ioctl.h>

#include "quux_drm.h"

struct quux_device {
	struct drm_device *drm;
	u32 id;
};

/* The structure of another ioctl has the same members. */
static int quux_ioctl_close(struct drm_device *dev, void *data, struct drm_file *file)
{
	struct quux_device *quux = dev->dev_private;
	struct drm_quux_open *args = data;

	return args->id == quux->id ? 0 : -ENOENT;
}

static const struct drm_ioctl_desc quux_ioctls[] = {
	DRM_IOCTL_DEF_DRV(QUUX_CLOSE, quux_ioctl_close, DRM_RENDER_ALLOW),
};

static const struct drm_driver quux_driver = {
	.driver_features = DRIVER_RENDER,
	.ioctls = quux_ioctls,
	.num_ioctls = ARRAY_SIZE(quux_ioctls),
	.name = "quux",
	.desc = "quux",
	.major = 1,
};

static int quux_send(struct quux_device *quux, u32 id)
{
	int idx;

	if (!drm_dev_enter(quux->drm, &idx)) {
		if (id)
			quux->id = 0;
		return -ENODEV;
	}
	quux->id = id;
	drm_dev_exit(idx);
	return 0;
}

static int quux_probe(struct virtio_device *vdev)
{
	struct quux_device *quux;
	struct drm_device *drm;
	int ret;

	quux = devm_kzalloc(&vdev->dev, sizeof(*quux), GFP_KERNEL);
	if (!quux)
		return -ENOMEM;

	drm = drm_dev_alloc(&quux_driver, vdev->dev.parent);
	if (IS_ERR(drm)) {
		ret = PTR_ERR(drm);
		goto err_id;
	}
	drm->dev_private = quux;
	quux->drm = drm;
	vdev->priv = quux;

	ret = quux_send(quux, 1);
	if (ret)
		goto err_put;
	ret = drm_dev_register(drm, 0);
	if (ret)
		goto err_put;
	return 0;

err_put:
	drm_dev_put(drm);
err_id:
	quux->id = 0;
	return ret;
}

static void quux_remove(struct virtio_device *vdev)
{
	struct quux_device *quux = vdev->priv;

	drm_dev_unplug(quux->drm);
	drm_dev_put(quux->drm);
}

static const struct virtio_device_id quux_ids[] = {
	{ 0xfff0, VIRTIO_DEV_ANY_ID },
	{ 0 },
};
MODULE_DEVICE_TABLE(virtio, quux_ids);

static struct virtio_driver quux_virtio_driver = {
	.driver.name = "quux",
	.id_table = quux_ids,
	.probe = quux_probe,
	.remove = quux_remove,
};
module_virtio_driver(quux_virtio_driver);

MODULE_DESCRIPTION("Input of make convert: a device that is pointed to");
MODULE_LICENSE("Dual MIT/GPL");
