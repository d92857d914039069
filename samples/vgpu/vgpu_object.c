// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Framebuffers, which are the resources of the device. A resource has a width, a height
 * and a format, as a framebuffer has, and its backing is the sg table of the buffer. The
 * device keeps the addresses, so the framebuffer owns the table.
 */

#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>

#include <drm/drm_damage_helper.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_gem_framebuffer_helper.h>

#include "vgpu.h"

const struct vgpu_bo_type vgpu_bo_type = {
	DRM_SHMEM_OBJ_FUNCS,
};

struct drm_gem_object *vgpu_gem_create_object(struct drm_device *drm, size_t size)
{
	return drm_shmem_gem_create_object(&vgpu_bo_type);
}

/*
 * Returns the device's name for one of the two formats of the planes. DRM names the bytes
 * of a pixel from the last to the first, virtio from the first to the last.
 */
static u32 vgpu_format(const struct drm_framebuffer *fb)
{
	const bool alpha = fb->format->has_alpha;

	if (IS_ENABLED(CONFIG_CPU_BIG_ENDIAN))
		return alpha ? VIRTIO_GPU_FORMAT_A8R8G8B8_UNORM : VIRTIO_GPU_FORMAT_X8R8G8B8_UNORM;
	return alpha ? VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM : VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM;
}

/* A resource that can be a cursor has the size of one. */
bool vgpu_fb_is_small(const struct drm_framebuffer *fb)
{
	return fb->width <= VGPU_CURSOR_SIZE && fb->height <= VGPU_CURSOR_SIZE;
}

static int vgpu_create(const struct drm_dev_ctx_live *live, struct vgpu_fb *fb)
{
	const bool small = vgpu_fb_is_small(&fb->base);
	struct vgpu_cmd *cmd __free(vgpu_cmd) =
		vgpu_cmd_new(&vgpu_live_hw(live)->ctrl, VIRTIO_GPU_CMD_RESOURCE_CREATE_2D, create,
			     fb->asked, live);

	if (IS_ERR(cmd))
		return PTR_ERR(cmd);
	cmd->req.create.resource_id = cpu_to_le32(fb->id);
	cmd->req.create.format = cpu_to_le32(vgpu_format(&fb->base));
	/*
	 * The device expects lines of one length in the buffer and in the resource. See
	 * vgpu_transfer() for others.
	 */
	cmd->req.create.width = cpu_to_le32(small ? VGPU_CURSOR_SIZE : fb->base.pitches[0] / 4);
	cmd->req.create.height = cpu_to_le32(small ? VGPU_CURSOR_SIZE : fb->base.height);
	/* If the device refuses, it does not know the resource of the next command. */
	return vgpu_cmd_queue(cmd, live);
}

/*
 * Returns the addresses of the part of the buffer that the framebuffer uses. Without
 * VIRTIO_F_ACCESS_PLATFORM, the device uses physical addresses, and bypasses any IOMMU. The
 * driver must not access the pages of an import, so it has only DMA addresses for them. Without the
 * feature, these are refused if there is an IOMMU, or a bounce buffer or a cache, which would never
 * be synced.
 */
static struct virtio_gpu_mem_entry *
vgpu_entries(struct vgpu_hw *hw, const struct sg_table *table, const struct drm_framebuffer *fb,
	     unsigned int *count)
{
	u64 left = fb->offsets[0] + (u64)fb->pitches[0] * fb->height;
	const bool imported = drm_gem_is_imported(fb->obj[0]);
	const bool dma = imported || !virtio_has_dma_quirk(hw->vdev);
	struct device *dev = drm_dev_dma_dev(&hw->ctx->drm);
	struct virtio_gpu_mem_entry *entries;
	struct scatterlist *sg;
	unsigned int i;

	if (imported && virtio_has_dma_quirk(hw->vdev) &&
	    (device_iommu_mapped(dev) || dma_max_mapping_size(dev) != SIZE_MAX ||
	     dma_need_sync(dev, sg_dma_address(table->sgl))))
		return ERR_PTR(-EOPNOTSUPP);

	*count = dma ? table->nents : table->orig_nents;
	/* The device takes only a few pieces, so try hard to get a contiguous array. */
	entries = kvzalloc_objs(*entries, *count, GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL);
	if (!entries)
		return ERR_PTR(-ENOMEM);
	for_each_sg(table->sgl, sg, *count, i) {
		const unsigned int len = min(left, dma ? sg_dma_len(sg) : sg->length);

		if (!len)
			break;
		entries[i].addr = cpu_to_le64(dma ? sg_dma_address(sg) : sg_phys(sg));
		entries[i].length = cpu_to_le32(len);
		left -= len;
	}
	*count = i;
	return entries;
}

static int vgpu_attach(const struct drm_dev_ctx_live *live, struct vgpu_fb *fb,
		       const struct sg_table *table)
{
	struct vgpu_hw *hw = vgpu_live_hw(live);
	unsigned int count;

	struct virtio_gpu_mem_entry *entries __free(kvfree) =
		vgpu_entries(hw, table, &fb->base, &count);
	if (IS_ERR(entries))
		return PTR_ERR(entries);
	struct vgpu_cmd *cmd __free(vgpu_cmd) =
		vgpu_cmd_new(&hw->ctrl, VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING, attach, fb->asked,
			     live);
	if (IS_ERR(cmd))
		return PTR_ERR(cmd);
	cmd->req.attach.resource_id = cpu_to_le32(fb->id);
	cmd->req.attach.nr_entries = cpu_to_le32(count);
	cmd->out_len = array_size(count, sizeof(*entries));
	cmd->data = no_free_ptr(entries);
	return vgpu_cmd_run(cmd, live);
}

/* Makes the device forget a resource. vgpu_fb_wait_forgotten() waits for the answer. */
static void vgpu_fb_forget(struct vgpu_hw *hw, struct vgpu_fb *fb)
{
	struct vgpu_cmd *cmd __free(vgpu_cmd) =
		vgpu_cmd_new(&hw->ctrl, VIRTIO_GPU_CMD_RESOURCE_UNREF, unref, fb->asked, NULL);

	if (!IS_ERR(cmd)) {
		cmd->req.unref.resource_id = cpu_to_le32(fb->id);
		cmd->fb = fb;
	}
	if (IS_ERR(cmd) || vgpu_cmd_queue(cmd, NULL))
		vgpu_hw_fail(hw, fb->asked);
}

/*
 * Called by the callback of the answer. The device has no address of the buffer any more if it
 * reports that it has forgotten the resource, or that it does not know the resource. Otherwise it
 * may have addresses until it is reset. Another task can free the framebuffer as soon as @asked is
 * cleared.
 */
void vgpu_fb_forgotten(struct vgpu_hw *hw, struct vgpu_fb *fb, int result)
{
	if (!result || result == -ENOENT)
		WRITE_ONCE(fb->asked, 0);
	else
		vgpu_hw_fail(hw, fb->asked);
}

static void vgpu_fb_wait_forgotten(struct vgpu_hw *hw, struct vgpu_fb *fb)
{
	if (!wait_event_timeout(hw->ctrl.wait, !vgpu_hw_is_live(hw, READ_ONCE(fb->asked)),
				VGPU_LIMIT))
		vgpu_hw_fail(hw, READ_ONCE(fb->asked));
}

/*
 * Takes ownership of the sg table of the buffer. Mapping the table can take long, because an import
 * waits for its exporter's lock and fences. An unplug waits for the block below, so this maps the
 * table before the block.
 */
static int vgpu_fb_own(struct vgpu_fb *fb, struct vgpu_bo *bo)
{
	int ret = drm_shmem_lock_prepared_interruptible(&bo->shmem);

	if (ret)
		return ret;
	ret = -ENODEV;
	drm_dev_ctx_guard_live(live, to_drm_dev_ctx(fb->base.dev))
		ret = drm_shmem_sgt_own_locked(&fb->sgt, &live->bound, &bo->shmem);
	dma_resv_unlock(drm_shmem_gem(&bo->shmem)->resv);
	return ret;
}

/* Makes a resource of a framebuffer, if the device does not know it. */
static int vgpu_fb_attach(const struct drm_dev_ctx_live *live, struct vgpu_fb *fb)
{
	struct vgpu_hw *hw = vgpu_live_hw(live);
	const unsigned int life = READ_ONCE(hw->life);
	int ret;

	if (!vgpu_hw_is_live(hw, life))
		return vgpu_hw_lost(hw);
	if (fb->life == life)
		return 0;
	if (!fb->id) {
		ret = ida_alloc_min(&hw->ids, 1, GFP_KERNEL_ACCOUNT);
		if (ret < 0)
			return ret;
		fb->id = ret;
	}
	WRITE_ONCE(fb->asked, life);
	ret = vgpu_create(live, fb);
	if (!ret) {
		drm_shmem_sgt_guard_owned(sgt, &live->bound, &fb->sgt, ret)
			ret = vgpu_attach(live, fb, drm_shmem_sgt_table(sgt));
	}
	WRITE_ONCE(fb->life, ret ? 0 : life);
	if (ret) {
		vgpu_fb_forget(hw, fb);
		vgpu_fb_wait_forgotten(hw, fb);
	}
	return vgpu_hw_is_live(hw, life) ? ret : vgpu_hw_lost(hw);
}

/* Makes a framebuffer known to the device, in the ioctl, before the commit that shows it. */
int vgpu_fb_show(struct vgpu_fb *fb)
{
	struct vgpu_bo *bo = drm_shmem_from_gem(&vgpu_bo_type, fb->base.obj[0]);
	int ret;

	if (!bo)
		return -EINVAL;
	ret = mutex_lock_interruptible(&fb->lock);
	if (ret)
		return ret;
	if (drm_shmem_sgt_is_empty(&fb->sgt))
		ret = vgpu_fb_own(fb, bo);
	if (!ret) {
		ret = -ENODEV;
		drm_dev_ctx_guard_live(live, to_drm_dev_ctx(fb->base.dev)) {
			ret = vgpu_fb_attach(live, fb);
			/* The device may have no memory until it frees a destroyed framebuffer. */
			if (ret == -EREMOTEIO &&
			    drm_dev_ctx_work_flush(&vgpu_live_hw(live)->free_work))
				ret = vgpu_fb_attach(live, fb);
		}
	}
	mutex_unlock(&fb->lock);
	return ret;
}

/*
 * Makes the drawn pixels visible to the device. For an import, only the exporter can do this. It
 * does so at the end of a CPU access, if it takes care of the devices of importers.
 */
int vgpu_fb_sync(const struct drm_dev_ctx_live *live, struct vgpu_fb *fb)
{
	struct device *dev = drm_dev_dma_dev(drm_dev_ctx_live_drm(live));
	const struct sg_table *table;
	int ret;

	drm_shmem_sgt_guard_owned(sgt, &live->bound, &fb->sgt, ret) {
		table = drm_shmem_sgt_table(sgt);
		if (!drm_gem_is_imported(fb->base.obj[0]))
			dma_sync_sg_for_device(dev, table->sgl, table->orig_nents, DMA_TO_DEVICE);
	}
	return ret;
}

/* Frees a framebuffer that the device does not know. @hw is NULL if the registration has ended. */
static void vgpu_fb_free(struct vgpu_hw *hw, struct vgpu_fb *fb)
{
	if (hw && fb->id)
		ida_free(&hw->ids, fb->id);
	drm_shmem_sgt_release(&fb->sgt);
	mutex_destroy(&fb->lock);
	drm_gem_fb_destroy(&fb->base);
}

/*
 * Keeps a destroyed framebuffer if the device may know it, until the device has forgotten it or is
 * reset. Returns false if that has happened.
 */
static bool vgpu_fb_keep(struct vgpu_hw *hw, struct vgpu_fb *fb)
{
	guard(spinlock_irqsave)(&hw->ctrl.lock);
	if (READ_ONCE(fb->asked) != hw->life)
		return false;
	list_add_tail(&fb->kept, &hw->kept);
	return true;
}

/*
 * Frees the kept framebuffers, once the device has forgotten them or was reset. A command keeps its
 * slot only until the answer, so this sends all commands before it waits.
 */
void vgpu_fb_free_kept(struct vgpu_hw *hw)
{
	struct vgpu_fb *fb, *next;
	LIST_HEAD(kept);

	scoped_guard(spinlock_irqsave, &hw->ctrl.lock)
		list_splice_init(&hw->kept, &kept);
	list_for_each_entry(fb, &kept, kept)
		vgpu_fb_forget(hw, fb);
	list_for_each_entry_safe(fb, next, &kept, kept) {
		list_del(&fb->kept);
		vgpu_fb_wait_forgotten(hw, fb);
		if (!vgpu_fb_keep(hw, fb))
			vgpu_fb_free(hw, fb);
	}
}

/*
 * The task that destroys a framebuffer is in a section here, so it does not wait for a slot, for
 * memory, or for the device. The work item waits instead. If the device has failed,
 * vgpu_recover_work() frees the framebuffer after the reset. If the block does not run, the device
 * was reset, and has no address.
 */
static void vgpu_fb_destroy(struct drm_framebuffer *base)
{
	struct vgpu_fb *fb = to_vgpu_fb(base);

	drm_dev_ctx_guard_live_else(live, to_drm_dev_ctx(base->dev), vgpu_fb_free(NULL, fb)) {
		struct vgpu_hw *hw = vgpu_live_hw(live);

		if (!vgpu_fb_keep(hw, fb))
			vgpu_fb_free(hw, fb);
		else if (READ_ONCE(hw->ctrl.live))
			drm_dev_ctx_work_queue(&hw->free_work, system_long_wq, 0);
	}
}

static const struct drm_framebuffer_funcs vgpu_fb_funcs = {
	.create_handle = drm_gem_fb_create_handle,
	.dirty = drm_atomic_helper_dirtyfb,
	.destroy = vgpu_fb_destroy,
};

struct drm_framebuffer *vgpu_fb_create(struct drm_device *drm, struct drm_file *file,
				       const struct drm_format_info *info,
				       const struct drm_mode_fb_cmd2 *mode_cmd)
{
	int ret;

	if (mode_cmd->pitches[0] % 4)
		return ERR_PTR(-EINVAL);

	struct vgpu_fb *fb __free(kfree) = kzalloc_obj(*fb, GFP_KERNEL_ACCOUNT);
	if (!fb)
		return ERR_PTR(-ENOMEM);
	mutex_init(&fb->lock);
	ret = drm_gem_fb_init_with_funcs(drm, &fb->base, file, info, mode_cmd, &vgpu_fb_funcs);
	return ret ? ERR_PTR(ret) : &no_free_ptr(fb)->base;
}
