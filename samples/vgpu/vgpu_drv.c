// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * vgpu: a driver for virtio GPUs in 2D, on the DRM safe helpers. This file has what makes
 * it a driver: the module, and the beginning and end of a device.
 */

#include <linux/aperture.h>
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>

#include <drm/clients/drm_client_setup.h>
#include <drm/drm_atomic_helper.h>
#include <drm/drm_drv.h>
#include <drm/drm_fbdev_shmem.h>
#include <drm/drm_gem.h>
#include <drm/drm_modeset_helper.h>
#include <drm/drm_probe_helper.h>

#include "vgpu.h"

DEFINE_DRM_GEM_FOPS(vgpu_fops);

static const struct drm_driver vgpu_driver = {
	.driver_features = DRIVER_MODESET | DRIVER_ATOMIC | DRIVER_GEM | DRIVER_CURSOR_HOTSPOT |
			   DRIVER_SYNCOBJ | DRIVER_SYNCOBJ_TIMELINE,
	.fops = &vgpu_fops,
	.gem_create_object = vgpu_gem_create_object,
	DRM_SHMEM_DRIVER_OPS,
	DRM_FBDEV_SHMEM_DRIVER_OPS,
	.name = "vgpu",
	.desc = "virtio GPU",
	.major = 1,
};

/* No client can reach the device any more, and the display is off. */
static void vgpu_quiesce(const struct drm_dev_ctx_bound *bound, struct drm_dev_ctx_data *data)
{
	struct vgpu_hw *hw = container_of(data, struct vgpu_hw, base);

	disable_work_sync(&hw->config_work);
	vgpu_hw_stop(hw);
}

static void vgpu_release(struct drm_dev_ctx_data *data)
{
	vgpu_hw_free(container_of(data, struct vgpu_hw, base));
}

static const struct drm_dev_ctx_ops vgpu_reg_ops = {
	.kms_shutdown = drm_atomic_helper_shutdown,
	.quiesce = vgpu_quiesce,
	.release = vgpu_release,
};

/* The firmware may have left a framebuffer on a device that can be a VGA, too. */
static int vgpu_take_over(struct device *dev)
{
	if (!dev_is_pci(dev) || !pci_is_vga(to_pci_dev(dev)))
		return 0;
	return aperture_remove_conflicting_pci_devices(to_pci_dev(dev), vgpu_driver.name);
}

/* The device that accesses the memory, if that is not the parent of the virtio device */
static void vgpu_set_dma_dev(struct drm_device *drm, struct vgpu_hw *hw)
{
	struct device *dev = virtqueue_dma_dev(hw->ctrl.vq);

	if (dev)
		drm_dev_set_dma_dev(drm, dev);
	dev = drm_dev_dma_dev(drm);
	dma_set_max_seg_size(dev, min(dma_max_mapping_size(dev), UINT_MAX));
}

static int vgpu_setup(struct vgpu_device *vgpu, struct vgpu_hw *hw)
{
	int ret;

	vgpu->hw = hw;
	ret = vgpu_hw_start(hw);
	if (ret)
		return ret;
	vgpu_set_dma_dev(&vgpu->ctx.drm, hw);
	return vgpu_display_init(vgpu, hw);
}

static int vgpu_probe(struct virtio_device *vdev)
{
	struct vgpu_device *vgpu;
	struct vgpu_hw *hw;
	int ret;

	if (drm_firmware_drivers_only() || !virtio_has_feature(vdev, VIRTIO_F_VERSION_1))
		return -ENODEV;
	ret = vgpu_take_over(vdev->dev.parent);
	if (ret)
		return ret;

	struct drm_dev_ctx_unreg *unreg __free(drm_dev_ctx_unreg) =
		drm_dev_ctx_alloc_parent(&vdev->dev, vdev->dev.parent, &vgpu_driver,
					 struct vgpu_device, ctx);
	if (IS_ERR(unreg))
		return PTR_ERR(unreg);
	vgpu = to_vgpu(drm_dev_ctx_unreg_drm(unreg));

	hw = vgpu_hw_create(vdev, &vgpu->ctx);
	if (IS_ERR(hw))
		return PTR_ERR(hw);
	ret = vgpu_setup(vgpu, hw);
	if (ret) {
		vgpu_hw_stop(hw);
		vgpu_hw_free(hw);
		return ret;
	}
	ret = drm_dev_ctx_register(&vdev->dev, &unreg, &vgpu_reg_ops, &hw->base);
	if (!ret)
		drm_client_setup(&vgpu->ctx.drm, NULL);
	return ret;
}

/*
 * The virtio core wants the device reset when this returns, which is before the library
 * would end the registration by itself.
 */
static void vgpu_remove(struct virtio_device *vdev)
{
	struct vgpu_hw *hw = vdev->priv;

	vgpu_hw_leave(hw);
	drm_dev_ctx_unregister(hw->ctx);
}

static void vgpu_config_changed(struct virtio_device *vdev)
{
	struct vgpu_hw *hw = vdev->priv;

	schedule_work(&hw->config_work);
}

/* The device forgets everything while it sleeps. There are no news of its outputs meanwhile. */
static int vgpu_freeze(struct virtio_device *vdev)
{
	struct vgpu_hw *hw = vdev->priv;
	int ret;

	cancel_work_sync(&hw->config_work);
	ret = drm_mode_config_helper_suspend(&hw->ctx->drm);
	if (ret)
		schedule_work(&hw->config_work);
	else
		vgpu_hw_stop(hw);
	return ret;
}

/*
 * The commit that shows the display again has the device know what is shown. It is made, and
 * fails, also if the device cannot be started.
 */
static int vgpu_restore(struct virtio_device *vdev)
{
	struct vgpu_hw *hw = vdev->priv;
	struct drm_device *drm = &hw->ctx->drm;
	int ret, err;

	ret = vgpu_hw_start(hw) ?: vgpu_display_update(to_vgpu(drm), hw);
	err = drm_mode_config_helper_resume(drm);
	drm_kms_helper_hotplug_event(drm);
	return ret ?: err;
}

static const struct virtio_device_id vgpu_ids[] = {
	{ VIRTIO_ID_GPU, VIRTIO_DEV_ANY_ID },
	{ 0 },
};
MODULE_DEVICE_TABLE(virtio, vgpu_ids);

static const unsigned int vgpu_features[] = {
	VIRTIO_GPU_F_EDID,
};

static struct virtio_driver vgpu_virtio_driver = {
	.feature_table = vgpu_features,
	.feature_table_size = ARRAY_SIZE(vgpu_features),
	.driver.name = KBUILD_MODNAME,
	.id_table = vgpu_ids,
	.probe = vgpu_probe,
	.remove = vgpu_remove,
	.shutdown = vgpu_remove,
	.config_changed = vgpu_config_changed,
	.freeze = pm_sleep_ptr(vgpu_freeze),
	.restore = pm_sleep_ptr(vgpu_restore),
};
module_virtio_driver(vgpu_virtio_driver);

MODULE_DESCRIPTION("virtio GPU, a sample for the DRM safe helpers");
MODULE_LICENSE("Dual MIT/GPL");
MODULE_IMPORT_NS("DMA_BUF");
