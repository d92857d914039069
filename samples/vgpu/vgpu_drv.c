// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * vgpu: a driver for virtio GPUs in 2D, on the DRM safe helpers. This file has the module, and the
 * beginning and end of a device.
 */

#include <linux/aperture.h>
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>

#include <drm/clients/drm_client_setup.h>
#include <drm/drm_atomic_helper.h>
#include <drm/drm_fbdev_shmem.h>
#include <drm/drm_print.h>
#include <drm/drm_probe_helper.h>

#include "vgpu.h"

DEFINE_DRM_SHMEM_FOPS(vgpu_fops);

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

/* If the device was physically removed, ends the waits for its answers before the unplug. */
static void vgpu_stop(const struct drm_dev_ctx_reg *reg, struct drm_dev_ctx_data *data)
{
	struct vgpu_hw *hw = container_of(data, struct vgpu_hw, base);

	if (vgpu_hw_is_gone(hw))
		vgpu_hw_fail(hw, READ_ONCE(hw->life));
}

/* No client can reach the device any more, and no code turns the display on again. */
static void vgpu_kms_shutdown(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data)
{
	drm_dev_ctx_work_cancel_sync(&vgpu_live_hw(live)->recover_work);
	drm_atomic_helper_shutdown(drm_dev_ctx_live_drm(live));
}

/* The display is off. */
static void vgpu_quiesce(const struct drm_dev_ctx_bound *bound, struct drm_dev_ctx_data *data)
{
	struct vgpu_hw *hw = container_of(data, struct vgpu_hw, base);

	vgpu_hw_stop(hw);
	vgpu_fb_free_kept(hw);
}

static const struct drm_dev_ctx_ops vgpu_reg_ops = {
	.stop = vgpu_stop,
	.kms_shutdown = vgpu_kms_shutdown,
	.quiesce = vgpu_quiesce,
	.release = vgpu_hw_free,
};

/* On a VGA-compatible device, the firmware may have left a framebuffer. */
static int vgpu_take_over(struct device *dev)
{
	return dev_is_pci(dev) && pci_is_vga(to_pci_dev(dev)) ?
	       aperture_remove_conflicting_pci_devices(to_pci_dev(dev), vgpu_driver.name) : 0;
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

/*
 * Makes a device that was reset, and started if @ret is 0, show the current state. The state may
 * have changed meanwhile, because commits do not fail while the device is down.
 */
static int vgpu_restart(const struct drm_dev_ctx_live *live, int ret)
{
	struct vgpu_hw *hw = vgpu_live_hw(live);

	ret = ret ?: vgpu_display_update(live) ?: vgpu_display_show(live);
	/* A commit succeeds even if the device has failed, so check that. */
	if (!ret && !READ_ONCE(hw->ctrl.live))
		ret = -ENODEV;
	if (ret) {
		drm_dev_ctx_work_queue(&hw->recover_work, system_freezable_wq, HZ);
		if (!drm_dev_ctx_live_ending(live))
			vgpu_hw_fail(hw, READ_ONCE(hw->life));
		return ret;
	}
	drm_kms_helper_hotplug_event(drm_dev_ctx_live_drm(live));
	return 0;
}

/* Calls vgpu_restart(), unless too many attempts in a row have failed. */
static void vgpu_try_again(const struct drm_dev_ctx_live *live, int ret)
{
	struct drm_device *drm = drm_dev_ctx_live_drm(live);
	struct vgpu_hw *hw = vgpu_live_hw(live);

	if (atomic_inc_return(&hw->tries) > VGPU_RETRIES) {
		drm_err(drm, "the device is given up\n");
		drm_dev_wedged_event(drm, DRM_WEDGE_RECOVERY_REBIND | DRM_WEDGE_RECOVERY_BUS_RESET,
				     NULL);
	} else if (!vgpu_restart(live, ret)) {
		drm_info(drm, "the device was started again\n");
	}
}

/*
 * The device has failed, or could not be started, or does not show all outputs. Like
 * vgpu_config_work(), this must not be in a section. If the registration is about to end, this
 * leaves the reset to vgpu_quiesce(). The bus and the virtio core hold the locks of the devices
 * while they reset, start or probe the device, or put it to sleep. The locks are not held during
 * the first reset, which may end only when the bus resets the device, and not while waiting for the
 * device or for clients. After that, the device answers a reset at once. It is reset again with the
 * locks held, as the core may have started it meanwhile.
 */
static void vgpu_recover_work(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data,
			      struct drm_dev_ctx_work *work)
{
	struct vgpu_hw *hw = vgpu_live_hw(live);
	struct device *dev = &hw->vdev->dev;
	int ret;

	if (drm_dev_ctx_live_ending(live))
		return;
	if (READ_ONCE(hw->ctrl.live)) {
		vgpu_restart(live, 0);
		return;
	}
	if (mutex_is_locked(&dev->mutex) || mutex_is_locked(&dev->parent->mutex))
		goto later;
	vgpu_hw_reset(hw);
	scoped_cond_guard(mutex_try, goto later, &dev->parent->mutex)
		scoped_cond_guard(mutex_try, goto later, &dev->mutex) {
			vgpu_hw_stop(hw);
			ret = atomic_read(&hw->tries) < VGPU_RETRIES ? vgpu_hw_start(live) :
								       -ENODEV;
		}
	vgpu_fb_free_kept(hw);
	vgpu_try_again(live, ret);
	return;
later:
	drm_dev_ctx_work_queue(work, system_freezable_wq, HZ);
}

static void vgpu_free_work(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data,
			   struct drm_dev_ctx_work *work)
{
	vgpu_fb_free_kept(vgpu_live_hw(live));
}

/* Starts the device, and checks that it answers, before the DRM device is registered. */
static int vgpu_setup(const struct drm_dev_ctx_live *live)
{
	struct vgpu_hw *hw = vgpu_live_hw(live);
	int ret;

	drm_dev_ctx_work_init(&hw->config_work, live, vgpu_config_work);
	drm_dev_ctx_work_init(&hw->recover_work, live, vgpu_recover_work);
	drm_dev_ctx_work_init(&hw->free_work, live, vgpu_free_work);
	ret = vgpu_hw_start(live);
	if (ret)
		return ret;
	vgpu_set_dma_dev(drm_dev_ctx_live_drm(live), hw);
	ret = vgpu_display_init(live);
	if (!ret)
		atomic_set(&hw->tries, 0);
	return ret;
}

static int vgpu_probe(struct virtio_device *vdev)
{
	const struct drm_dev_ctx_live *live;
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

	hw = vgpu_hw_create(vdev, to_drm_dev_ctx(drm_dev_ctx_unreg_drm(unreg)));
	if (IS_ERR(hw))
		return PTR_ERR(hw);
	live = drm_dev_ctx_attach(unreg, &vgpu_reg_ops, &hw->base);
	if (IS_ERR(live))
		return PTR_ERR(live);
	ret = vgpu_setup(live) ?: drm_dev_ctx_register(&vdev->dev, &unreg, NULL, NULL);
	if (!ret)
		drm_client_setup(&hw->ctx->drm, NULL);
	return ret;
}

/*
 * The virtio core expects that the device is reset when this returns. The library would end the
 * registration later by itself.
 */
static void vgpu_remove(struct virtio_device *vdev)
{
	drm_dev_ctx_unregister(vdev->priv);
}

static void vgpu_shutdown(struct virtio_device *vdev)
{
	drm_dev_ctx_shutdown(&vdev->dev);
}

static void vgpu_config_changed(struct virtio_device *vdev)
{
	drm_dev_ctx_guard_callback(live, vdev->priv)
		drm_dev_ctx_work_queue(&vgpu_live_hw(live)->config_work, system_freezable_wq, 0);
}

/*
 * The device forgets everything while it sleeps, but the DRM state stays. The workqueue of our work
 * items is frozen, too. After resume, vgpu_recover_work() makes the device show the state again.
 */
static int vgpu_freeze(struct virtio_device *vdev)
{
	drm_dev_ctx_guard_callback(live, vdev->priv) {
		struct vgpu_hw *hw = vgpu_live_hw(live);

		vgpu_hw_stop(hw);
		vgpu_fb_free_kept(hw);
		drm_dev_ctx_work_mod(&hw->recover_work, system_freezable_wq, 0);
	}
	return 0;
}

/*
 * This only starts the device. If that fails, vgpu_recover_work() tries again. Showing the state
 * takes the locks of the mode configuration, so it is left to that work item: a commit can hold
 * these locks while it waits for a fence of another device, which may be resumed later.
 */
static int vgpu_restore(struct virtio_device *vdev)
{
	drm_dev_ctx_guard_callback(live, vdev->priv) {
		atomic_set(&vgpu_live_hw(live)->tries, 0);
		vgpu_hw_start(live);
	}
	return 0;
}

/*
 * The bus resets the device, and vgpu_recover_work() may wait for this reset. So this only waits
 * until no task notifies the device.
 */
static int vgpu_reset_prepare(struct virtio_device *vdev)
{
	drm_dev_ctx_guard_callback(live, vdev->priv) {
		vgpu_hw_fail(vgpu_live_hw(live), READ_ONCE(vgpu_live_hw(live)->life));
		synchronize_rcu();
	}
	return 0;
}

/*
 * The bus still holds the device lock, which an unbind takes, too. So this must not wait for
 * clients, or for a work item that does. vgpu_recover_work() does the rest when the lock is
 * free. That work item may have missed the reset that it waits for, because the core has changed
 * the status since then, so it gets another one.
 */
static int vgpu_reset_done(struct virtio_device *vdev)
{
	drm_dev_ctx_guard_callback(live, vdev->priv) {
		struct vgpu_hw *hw = vgpu_live_hw(live);

		atomic_set(&hw->tries, 0);
		drm_dev_ctx_work_mod(&hw->recover_work, system_freezable_wq, HZ / 10);
		if (mutex_is_locked(&hw->reset_lock)) {
			virtio_reset_device(vdev);
			wait_event_timeout(hw->ctrl.wait, !mutex_is_locked(&hw->reset_lock), HZ);
		}
	}
	return 0;
}

static const struct virtio_device_id vgpu_ids[] = { { VIRTIO_ID_GPU, VIRTIO_DEV_ANY_ID }, { 0 } };
MODULE_DEVICE_TABLE(virtio, vgpu_ids);

static const unsigned int vgpu_features[] = { VIRTIO_GPU_F_EDID };

static struct virtio_driver vgpu_virtio_driver = {
	.feature_table = vgpu_features,
	.feature_table_size = ARRAY_SIZE(vgpu_features),
	.driver.name = KBUILD_MODNAME,
	.id_table = vgpu_ids,
	.probe = vgpu_probe,
	.remove = vgpu_remove,
	.shutdown = vgpu_shutdown,
	.config_changed = vgpu_config_changed,
	.reset_prepare = vgpu_reset_prepare,
	.reset_done = vgpu_reset_done,
	.freeze = pm_sleep_ptr(vgpu_freeze),
	.restore = pm_sleep_ptr(vgpu_restore),
};
module_virtio_driver(vgpu_virtio_driver);

MODULE_DESCRIPTION("virtio GPU, a sample for the DRM safe helpers");
MODULE_LICENSE("Dual MIT/GPL");
MODULE_IMPORT_NS("DMA_BUF");
