// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <linux/device.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/virtio.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_ioctl.h>

#include "drm_dev_ctx.h"
#include "quux_drm.h"

/* The DRM device, which the driver's structure points to */
struct quux_drm {
	struct drm_dev_ctx ctx;
	struct drm_dev_ctx_data base;
};

static inline struct quux_drm *to_quux_drm(struct drm_device *drm)
{
	return container_of(drm, struct quux_drm, ctx.drm);
}

struct quux_device {
	struct drm_device *drm;
	u32 id;
};

/* The structure of another ioctl has the same members. */
static int quux_ioctl_close(struct drm_dev_ctx_ioctl *ioctl, struct drm_quux_close *args,
			    struct drm_file *file)
{
	struct quux_device *quux = drm_dev_ctx_ioctl_drm(ioctl)->dev_private;

	return args->id == quux->id ? 0 : -ENOENT;
}

DRM_DEV_CTX_IOCTL_UNGUARDED(QUUX_CLOSE, quux_ioctl_close, struct drm_quux_close);

DRM_DEV_CTX_IOCTLS(quux_ioctls) = {
	DRM_DEV_CTX_IOCTL_DEF(QUUX_CLOSE, DRM_RENDER_ALLOW),
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
	drm_dev_ctx_live_or(live, to_drm_dev_ctx(quux->drm), {
		if (id)
			quux->id = 0;
		return -ENODEV;
	});
	quux->id = id;
	return 0;
}

static int quux_probe(struct virtio_device *vdev)
{
	const struct drm_dev_ctx_live *live;
	struct drm_dev_ctx_unreg *unreg __free(drm_dev_ctx_unreg) = NULL;
	struct quux_device *quux;
	struct drm_device *drm;
	int ret;

	quux = devm_kzalloc(&vdev->dev, sizeof(*quux), GFP_KERNEL);
	if (!quux)
		return -ENOMEM;

	unreg = drm_dev_ctx_alloc_parent(&vdev->dev, vdev->dev.parent, &quux_driver,
					 struct quux_drm, ctx);
	if (IS_ERR(unreg)) {
		ret = PTR_ERR(unreg);
		goto err_id;
	}
	drm = drm_dev_ctx_unreg_drm(unreg);
	live = drm_dev_ctx_attach(unreg, NULL, &to_quux_drm(drm)->base);
	if (IS_ERR(live)) {
		ret = PTR_ERR(live);
		goto err_id;
	}
	drm->dev_private = quux;
	quux->drm = drm;
	vdev->priv = quux;

	ret = quux_send(quux, 1);
	if (ret)
		goto err_id;
	ret = drm_dev_ctx_register(&vdev->dev, &unreg, NULL, &to_quux_drm(drm)->base);
	if (ret)
		goto err_id;
	return 0;

err_id:
	quux->id = 0;
	return ret;
}

static void quux_remove(struct virtio_device *vdev)
{
	struct quux_device *quux = vdev->priv;

	drm_dev_ctx_unregister(to_drm_dev_ctx(quux->drm));
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
