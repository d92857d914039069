// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The outputs of the device, and the displays that are connected to them.
 */

#include <linux/slab.h>
#include <linux/virtio_config.h>

#include <drm/drm_atomic_helper.h>
#include <drm/drm_edid.h>
#include <drm/drm_encoder.h>
#include <drm/drm_managed.h>
#include <drm/drm_print.h>
#include <drm/drm_probe_helper.h>
#include <drm/drm_vblank.h>
#include <drm/drm_vblank_helper.h>

#include "vgpu.h"

#define VGPU_MIN_SIZE		16	/* QEMU refuses smaller displays. */
#define VGPU_MAX_SIZE		8192

#define connector_to_output(_connector) container_of(_connector, struct vgpu_output, connector)

/*
 * Sends a query to the device, and waits for an answer of @in_len bytes, whose memory is freed with
 * the command. Returns the command, or an ERR_PTR().
 */
static struct vgpu_cmd *vgpu_query(const struct drm_dev_ctx_live *live, u32 type, size_t req_len,
				   unsigned int scanout, size_t in_len)
{
	struct vgpu_hw *hw = vgpu_live_hw(live);
	int ret;

	void *data __free(kfree) = kzalloc(in_len, GFP_KERNEL);
	if (!data)
		return ERR_PTR(-ENOMEM);
	struct vgpu_cmd *cmd __free(vgpu_cmd) =
		vgpu_cmd_get(&hw->ctrl, type, req_len, READ_ONCE(hw->life), live);
	if (IS_ERR(cmd))
		return no_free_ptr(cmd);
	cmd->data = no_free_ptr(data);
	cmd->in_len = in_len;
	cmd->req.edid.scanout = cpu_to_le32(scanout);
	ret = vgpu_cmd_run(cmd, live);
	return ret ? ERR_PTR(ret) : no_free_ptr(cmd);
}

/* Asks the device which displays are connected. */
int vgpu_display_update(const struct drm_dev_ctx_live *live)
{
	struct vgpu_device *vgpu = to_vgpu(drm_dev_ctx_live_drm(live));
	struct vgpu_cmd *cmd __free(vgpu_cmd) =
		vgpu_query(live, VIRTIO_GPU_CMD_GET_DISPLAY_INFO, sizeof(cmd->req.hdr), 0,
			   sizeof(struct virtio_gpu_resp_display_info));
	const struct virtio_gpu_resp_display_info *info;

	if (IS_ERR(cmd))
		return PTR_ERR(cmd);
	info = cmd->data;
	guard(mutex)(&vgpu->ctx.drm.mode_config.mutex);
	for (unsigned int i = 0; i < vgpu->num_outputs; i++) {
		struct vgpu_output *out = &vgpu->outputs[i];

		out->enabled = le32_to_cpu(info->pmodes[i].enabled);
		out->width = min(le32_to_cpu(info->pmodes[i].r.width), VGPU_MAX_SIZE);
		out->height = min(le32_to_cpu(info->pmodes[i].r.height), VGPU_MAX_SIZE);
	}
	return 0;
}

static int vgpu_edid_block(void *context, u8 *buf, unsigned int block, size_t len)
{
	const struct virtio_gpu_resp_edid *resp = context;
	const size_t size = min(le32_to_cpu(resp->size), sizeof(resp->edid));
	const size_t start = block * EDID_LENGTH;

	if (start > size || len > size - start)
		return -EINVAL;
	memcpy(buf, resp->edid + start, len);
	return 0;
}

static void vgpu_read_edid(const struct drm_dev_ctx_live *live, struct vgpu_output *out)
{
	const struct drm_edid *edid;

	if (!virtio_has_feature(vgpu_live_hw(live)->vdev, VIRTIO_GPU_F_EDID))
		return;

	struct vgpu_cmd *cmd __free(vgpu_cmd) =
		vgpu_query(live, VIRTIO_GPU_CMD_GET_EDID, sizeof(cmd->req.edid),
			   drm_crtc_index(&out->crtc), sizeof(struct virtio_gpu_resp_edid));
	if (IS_ERR(cmd))
		return;
	edid = drm_edid_read_custom(&out->connector, vgpu_edid_block, cmd->data);
	drm_edid_connector_update(&out->connector, edid);
	drm_edid_free(edid);
}

/* Adds modes for a device that reports only the size of its window */
static int vgpu_add_modes(struct drm_connector *connector)
{
	struct vgpu_output *out = connector_to_output(connector);
	struct drm_display_mode *mode;
	int count;

	count = drm_add_modes_noedid(connector, VGPU_MAX_SIZE, VGPU_MAX_SIZE);
	if (!out->width || !out->height) {
		drm_set_preferred_mode(connector, 1024, 768);
		return count;
	}
	mode = drm_cvt_mode(connector->dev, out->width, out->height, 60, false, false, false);
	if (mode) {
		mode->type |= DRM_MODE_TYPE_PREFERRED;
		drm_mode_probed_add(connector, mode);
		count++;
	}
	return count;
}

/* Without an answer, the EDID stays what it was. */
static int vgpu_get_modes(struct drm_connector *connector)
{
	drm_dev_ctx_guard_live(live, to_drm_dev_ctx(connector->dev))
		vgpu_read_edid(live, connector_to_output(connector));
	return drm_edid_connector_add_modes(connector) ?: vgpu_add_modes(connector);
}

static enum drm_connector_status vgpu_detect(struct drm_connector *connector, bool force)
{
	return connector_to_output(connector)->enabled ? connector_status_connected :
							 connector_status_disconnected;
}

static void vgpu_crtc_disable(struct drm_crtc *crtc, struct drm_atomic_commit *commit)
{
	drm_crtc_vblank_off(crtc);
	drm_dev_ctx_guard_live(live, to_drm_dev_ctx(crtc->dev))
		vgpu_scanout(vgpu_live_hw(live), drm_crtc_index(crtc), 0,
			     READ_ONCE(vgpu_live_hw(live)->life), &(struct drm_rect) {});
}

static enum drm_mode_status vgpu_mode_valid(struct drm_crtc *crtc,
					    const struct drm_display_mode *mode)
{
	/* The vblank timer has the period of the mode. */
	return min(mode->hdisplay, mode->vdisplay) < VGPU_MIN_SIZE ||
	       !in_range(drm_mode_vrefresh(mode), 1, 1000) ? MODE_BAD : MODE_OK;
}

static const struct drm_crtc_funcs vgpu_crtc_funcs = {
	.set_config = drm_atomic_helper_set_config,
	.page_flip = drm_atomic_helper_page_flip,
	.reset = drm_atomic_helper_crtc_reset,
	.atomic_duplicate_state = drm_atomic_helper_crtc_duplicate_state,
	.atomic_destroy_state = drm_atomic_helper_crtc_destroy_state,
	DRM_CRTC_VBLANK_TIMER_FUNCS,
};

static const struct drm_crtc_helper_funcs vgpu_crtc_helper_funcs = {
	.mode_valid = vgpu_mode_valid,
	.atomic_flush = drm_crtc_vblank_atomic_flush,
	.atomic_enable = drm_crtc_vblank_atomic_enable,
	.atomic_disable = vgpu_crtc_disable,
};

static const struct drm_connector_funcs vgpu_connector_funcs = {
	.detect = vgpu_detect,
	.fill_modes = drm_helper_probe_single_connector_modes,
	.reset = drm_atomic_helper_connector_reset,
	.atomic_duplicate_state = drm_atomic_helper_connector_duplicate_state,
	.atomic_destroy_state = drm_atomic_helper_connector_destroy_state,
};

static const struct drm_connector_helper_funcs vgpu_connector_helper_funcs = {
	.get_modes = vgpu_get_modes,
};

static const struct drm_mode_config_funcs vgpu_mode_config_funcs = {
	.fb_create = vgpu_fb_create,
	.atomic_check = drm_atomic_helper_check,
	.atomic_commit = drm_atomic_helper_commit,
};

static int vgpu_output_init(struct drm_device *drm, struct vgpu_output *out, unsigned int index)
{
	struct drm_plane *primary, *cursor;
	struct drm_encoder *encoder;
	int ret;

	primary = vgpu_plane_create(drm, DRM_PLANE_TYPE_PRIMARY, index);
	if (IS_ERR(primary))
		return PTR_ERR(primary);
	cursor = vgpu_plane_create(drm, DRM_PLANE_TYPE_CURSOR, index);
	if (IS_ERR(cursor))
		return PTR_ERR(cursor);
	ret = drmm_crtc_init_with_planes(drm, &out->crtc, primary, cursor, &vgpu_crtc_funcs, NULL);
	if (ret)
		return ret;
	drm_crtc_helper_add(&out->crtc, &vgpu_crtc_helper_funcs);

	ret = drmm_connector_init(drm, &out->connector, &vgpu_connector_funcs,
				  DRM_MODE_CONNECTOR_VIRTUAL, NULL);
	if (ret)
		return ret;
	drm_connector_helper_add(&out->connector, &vgpu_connector_helper_funcs);
	drm_connector_attach_edid_property(&out->connector);

	encoder = drmm_plain_encoder_alloc(drm, NULL, DRM_MODE_ENCODER_VIRTUAL, NULL);
	if (IS_ERR(encoder))
		return PTR_ERR(encoder);
	encoder->possible_crtcs = BIT(index);
	return drm_connector_attach_encoder(&out->connector, encoder);
}

/* Makes the outputs of a device that is not registered yet. */
int vgpu_display_init(const struct drm_dev_ctx_live *live)
{
	struct drm_device *drm = drm_dev_ctx_live_drm(live);
	struct vgpu_device *vgpu = to_vgpu(drm);
	u32 count;
	int ret;

	virtio_cread_le(vgpu_live_hw(live)->vdev, struct virtio_gpu_config, num_scanouts, &count);
	count = min(count, VIRTIO_GPU_MAX_SCANOUTS);
	if (!count)
		return -ENODEV;
	vgpu->outputs = drmm_kcalloc(drm, count, sizeof(*vgpu->outputs), GFP_KERNEL);
	if (!vgpu->outputs)
		return -ENOMEM;
	vgpu->num_outputs = count;

	ret = drmm_mode_config_init(drm);
	if (ret)
		return ret;
	drm->mode_config.funcs = &vgpu_mode_config_funcs;
	drm->mode_config.max_width = VGPU_MAX_SIZE;
	drm->mode_config.max_height = VGPU_MAX_SIZE;
	drm->mode_config.fb_modifiers_not_supported = true;
	drm->mode_config.quirk_addfb_prefer_host_byte_order = true;

	for (unsigned int i = 0; i < count; i++) {
		ret = vgpu_output_init(drm, &vgpu->outputs[i], i);
		if (ret)
			return ret;
	}
	ret = drm_vblank_init(drm, count);
	if (ret)
		return ret;
	drm_mode_config_reset(drm);
	return vgpu_display_update(live);
}

/* Returns whether the device shows less on an output than the state. */
static bool vgpu_is_dark(struct vgpu_hw *hw, struct drm_crtc *crtc)
{
	struct drm_plane *plane;

	drm_for_each_plane_mask(plane, crtc->dev, crtc->state->plane_mask)
		if (READ_ONCE(to_vgpu_plane(plane)->shown) != READ_ONCE(hw->life))
			return true;
	return false;
}

/*
 * Makes a restarted device show the current state, including all resources that this needs. If one
 * output fails, the others are still shown, and recover_work tries again later.
 */
int vgpu_display_show(const struct drm_dev_ctx_live *live)
{
	struct drm_device *drm = drm_dev_ctx_live_drm(live);
	struct vgpu_hw *hw = vgpu_live_hw(live);
	struct drm_modeset_acquire_ctx ctx;
	struct drm_crtc *crtc;
	int ret;

	DRM_MODESET_LOCK_ALL_BEGIN(drm, ctx, 0, ret);
	drm_for_each_crtc(crtc, drm) {
		if (!vgpu_is_dark(hw, crtc))
			continue;
		ret = drm_atomic_helper_reset_crtc(crtc, &ctx);
		if (ret == -EDEADLK)
			break;
		if (ret || vgpu_is_dark(hw, crtc)) {
			drm_err(drm, "output %u is not shown: %d\n", drm_crtc_index(crtc), ret);
			drm_dev_ctx_work_queue(&hw->recover_work, system_freezable_wq, VGPU_LIMIT);
		}
		ret = 0;
	}
	DRM_MODESET_LOCK_ALL_END(drm, ctx, ret);
	return ret;
}

/*
 * Handles a change of the outputs or of the device status. If reading the outputs fails here, the
 * restart of the device reads them again, so no change is lost. This must not be in a section, for
 * which an unplug would wait: a commit can hold the locks of the mode configuration while it waits
 * for the fences of clients.
 */
void vgpu_config_work(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data,
		      struct drm_dev_ctx_work *work)
{
	struct vgpu_hw *hw = vgpu_live_hw(live);
	const unsigned int life = READ_ONCE(hw->life);
	u32 events;

	if (hw->vdev->config->get_status(hw->vdev) & VIRTIO_CONFIG_S_NEEDS_RESET) {
		vgpu_hw_fail(hw, life);
		return;
	}
	virtio_cread_le(hw->vdev, struct virtio_gpu_config, events_read, &events);
	events &= VIRTIO_GPU_EVENT_DISPLAY;
	if (!events)
		return;
	/* A change after this raises another event. */
	virtio_cwrite_le(hw->vdev, struct virtio_gpu_config, events_clear, &events);
	if (!vgpu_display_update(live))
		drm_kms_helper_hotplug_event(drm_dev_ctx_live_drm(live));
	else if (!drm_dev_ctx_live_ending(live))
		vgpu_hw_fail(hw, life);
}
