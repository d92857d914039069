// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The planes: a primary plane and a cursor for each output. DRM also calls the functions of a
 * commit while the registration ends, in order to turn the display off, so they use blocks of
 * drm_dev_ctx_guard_live().
 */

#include <drm/drm_atomic.h>
#include <drm/drm_atomic_helper.h>
#include <drm/drm_blend.h>
#include <drm/drm_damage_helper.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_gem_atomic_helper.h>
#include <drm/drm_panic.h>
#include <drm/drm_print.h>

#include "vgpu.h"

static struct virtio_gpu_rect vgpu_rect(const struct drm_rect *rect)
{
	return (struct virtio_gpu_rect) {
		.x = cpu_to_le32(rect->x1),
		.y = cpu_to_le32(rect->y1),
		.width = cpu_to_le32(drm_rect_width(rect)),
		.height = cpu_to_le32(drm_rect_height(rect)),
	};
}

static void vgpu_fill_transfer(union vgpu_req *req, struct vgpu_fb *fb,
			       const struct drm_rect *rect)
{
	const u64 start = (u64)rect->y1 * fb->base.pitches[0] + rect->x1 * 4;

	req->transfer.resource_id = cpu_to_le32(fb->id);
	req->transfer.r = vgpu_rect(rect);
	req->transfer.offset = cpu_to_le64(fb->base.offsets[0] + start);
}

static void vgpu_fill_flush(union vgpu_req *req, struct vgpu_fb *fb, const struct drm_rect *rect)
{
	req->flush.resource_id = cpu_to_le32(fb->id);
	req->flush.r = vgpu_rect(rect);
}

static void vgpu_fill_scanout(union vgpu_req *req, unsigned int index, u32 id,
			      const struct drm_rect *rect)
{
	req->scanout.scanout_id = cpu_to_le32(index);
	req->scanout.resource_id = cpu_to_le32(id);
	req->scanout.r = vgpu_rect(rect);
}

/* A small framebuffer has shorter or longer lines than its resource. */
static bool vgpu_by_lines(const struct drm_framebuffer *fb)
{
	return vgpu_fb_is_small(fb) && fb->pitches[0] != VGPU_CURSOR_SIZE * 4;
}

/*
 * Makes the device copy a part of the buffer into the resource that it has in @life. If @wait,
 * waits for the copy.
 */
static int vgpu_transfer(const struct drm_dev_ctx_live *live, struct vgpu_fb *fb,
			 unsigned int life, const struct drm_rect *rect, bool wait)
{
	int ret = vgpu_fb_sync(live, fb);
	struct drm_rect part = *rect;

	for (; !ret && part.y1 < rect->y2; part.y1 = part.y2) {
		part.y2 = vgpu_by_lines(&fb->base) ? part.y1 + 1 : rect->y2;

		struct vgpu_cmd *cmd __free(vgpu_cmd) =
			vgpu_cmd_new(&vgpu_live_hw(live)->ctrl, VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D,
				     transfer, life, NULL);
		if (IS_ERR(cmd))
			return PTR_ERR(cmd);
		vgpu_fill_transfer(&cmd->req, fb, &part);
		ret = wait && part.y2 == rect->y2 ? vgpu_cmd_run(cmd, NULL) :
						    vgpu_cmd_queue(cmd, NULL);
	}
	return ret;
}

/* Makes an output show a part of a framebuffer. Without an @id, it shows nothing. */
int vgpu_scanout(struct vgpu_hw *hw, unsigned int index, u32 id, unsigned int life,
		 const struct drm_rect *rect)
{
	struct vgpu_cmd *cmd __free(vgpu_cmd) =
		vgpu_cmd_new(&hw->ctrl, VIRTIO_GPU_CMD_SET_SCANOUT, scanout, life, NULL);

	if (IS_ERR(cmd))
		return PTR_ERR(cmd);
	vgpu_fill_scanout(&cmd->req, index, id, rect);
	return vgpu_cmd_queue(cmd, NULL);
}

/*
 * Makes the device show a part of a resource. With a fence, the answer means that the part is
 * shown, and that the device has read the buffer, so clients may draw to it once the commit is
 * done.
 */
static int vgpu_flush(struct vgpu_hw *hw, struct vgpu_fb *fb, unsigned int life,
		      const struct drm_rect *rect)
{
	struct vgpu_cmd *cmd __free(vgpu_cmd) =
		vgpu_cmd_new(&hw->ctrl, VIRTIO_GPU_CMD_RESOURCE_FLUSH, flush, life, NULL);

	if (IS_ERR(cmd))
		return PTR_ERR(cmd);
	vgpu_fill_flush(&cmd->req, fb, rect);
	cmd->req.hdr.flags = cpu_to_le32(VIRTIO_GPU_FLAG_FENCE);
	cmd->req.hdr.fence_id = cpu_to_le64(atomic64_inc_return(&hw->fences));
	return vgpu_cmd_run(cmd, NULL);
}

static int vgpu_primary_show(const struct drm_dev_ctx_live *live, struct drm_plane_state *old,
			     struct drm_plane_state *new, unsigned int life, bool shown)
{
	struct vgpu_hw *hw = vgpu_live_hw(live);
	struct vgpu_fb *fb = to_vgpu_fb(new->fb);
	struct drm_rect src, damage;
	int ret;

	/* Each framebuffer has a copy of its own on the device, which may not be whole. */
	new->ignore_damage_clips |= !shown;
	if (!drm_atomic_helper_damage_merged(old, new, &damage))
		return 0;

	ret = vgpu_transfer(live, fb, life, &damage, false);
	drm_rect_fp_to_int(&src, &new->src);
	if (!ret && !(shown && drm_rect_equals(&new->src, &old->src)))
		ret = vgpu_scanout(hw, drm_crtc_index(new->crtc), fb->id, life, &src);
	return ret ?: vgpu_flush(hw, fb, life, &damage);
}

/* Moves or changes the cursor. Without an @id, the plane shows nothing. */
static int vgpu_move_cursor(struct vgpu_hw *hw, u32 type, u32 id, unsigned int life,
			    const struct drm_plane_state *state)
{
	struct vgpu_cmd *cmd __free(vgpu_cmd) = vgpu_cmd_new(&hw->cursor, type, cursor, life, NULL);

	if (IS_ERR(cmd))
		return PTR_ERR(cmd);
	cmd->req.cursor.pos.scanout_id = cpu_to_le32(drm_crtc_index(state->crtc));
	cmd->req.cursor.pos.x = cpu_to_le32(state->crtc_x);
	cmd->req.cursor.pos.y = cpu_to_le32(state->crtc_y);
	cmd->req.cursor.hot_x = cpu_to_le32(state->hotspot_x);
	cmd->req.cursor.hot_y = cpu_to_le32(state->hotspot_y);
	cmd->req.cursor.resource_id = cpu_to_le32(id);
	return vgpu_cmd_queue(cmd, NULL);
}

/* A cursor command can overtake a transfer, which has another queue: this waits for the copy. */
static int vgpu_cursor_show(const struct drm_dev_ctx_live *live, struct drm_plane_state *old,
			    struct drm_plane_state *new, unsigned int life, bool shown)
{
	struct vgpu_hw *hw = vgpu_live_hw(live);
	struct vgpu_fb *fb = to_vgpu_fb(new->fb);
	const struct drm_rect all = DRM_RECT_INIT(0, 0, fb->base.width, fb->base.height);

	if (shown && new->hotspot_x == old->hotspot_x && new->hotspot_y == old->hotspot_y)
		return vgpu_move_cursor(hw, VIRTIO_GPU_CMD_MOVE_CURSOR, fb->id, life, new);

	return vgpu_transfer(live, fb, life, &all, true) ?:
	       vgpu_move_cursor(hw, VIRTIO_GPU_CMD_UPDATE_CURSOR, fb->id, life, new);
}

/*
 * All commands of an update are for one life of the device. If the device is reset meanwhile, the
 * rest of them fail, even if another commit has made the framebuffer known to it again.
 */
static void vgpu_plane_update(struct drm_plane *plane, struct drm_atomic_commit *commit)
{
	struct drm_plane_state *old = drm_atomic_get_old_plane_state(commit, plane);
	struct drm_plane_state *new = drm_atomic_get_new_plane_state(commit, plane);
	struct drm_crtc_state *crtc = drm_atomic_get_new_crtc_state(commit, new->crtc);
	const unsigned int life = READ_ONCE(to_vgpu_fb(new->fb)->life);
	/* True if the device has shown this framebuffer on the plane since the last commit. */
	const bool shown = new->fb == old->fb && !drm_atomic_crtc_needs_modeset(crtc) &&
			   to_vgpu_plane(plane)->shown == life;
	int ret = -ENODEV;

	drm_dev_ctx_guard_live(live, to_drm_dev_ctx(plane->dev))
		ret = !crtc->active ? 0 : plane->type == DRM_PLANE_TYPE_CURSOR ?
		      vgpu_cursor_show(live, old, new, life, shown) :
		      vgpu_primary_show(live, old, new, life, shown);
	WRITE_ONCE(to_vgpu_plane(plane)->shown, ret ? 0 : life);
	if (ret && ret != -ENODEV)
		drm_err_ratelimited(plane->dev, "plane %u is not shown: %d\n", plane->index, ret);
}

static void vgpu_plane_disable(struct drm_plane *plane, struct drm_atomic_commit *commit)
{
	struct drm_plane_state *old = drm_atomic_get_old_plane_state(commit, plane);

	drm_dev_ctx_guard_live(live, to_drm_dev_ctx(plane->dev)) {
		struct vgpu_hw *hw = vgpu_live_hw(live);
		const unsigned int life = READ_ONCE(hw->life);

		if (plane->type == DRM_PLANE_TYPE_CURSOR)
			vgpu_move_cursor(hw, VIRTIO_GPU_CMD_UPDATE_CURSOR, 0, life, old);
		else
			vgpu_scanout(hw, drm_crtc_index(old->crtc), 0, life, &(struct drm_rect) {});
	}
}

/* The device shows all of a cursor's resource, into which the framebuffer was copied. */
static bool vgpu_fits_cursor(const struct drm_plane_state *state)
{
	const struct drm_framebuffer *fb = state->fb;
	const struct drm_rect src = drm_plane_state_src(state);

	return vgpu_fb_is_small(fb) &&
	       drm_rect_equals(&src, &DRM_RECT_INIT(0, 0, fb->width << 16, fb->height << 16));
}

static int vgpu_plane_check(struct drm_plane *plane, struct drm_atomic_commit *commit)
{
	struct drm_plane_state *new = drm_atomic_get_new_plane_state(commit, plane);
	const bool cursor = plane->type == DRM_PLANE_TYPE_CURSOR;

	if (!new->crtc)
		return 0;
	if (cursor && !vgpu_fits_cursor(new))
		return -EINVAL;
	return drm_atomic_helper_check_plane_state(new,
						   drm_atomic_get_new_crtc_state(commit, new->crtc),
						   DRM_PLANE_NO_SCALING, DRM_PLANE_NO_SCALING,
						   cursor, true);
}

/* Does everything that can fail, or that waits for other drivers */
static int vgpu_plane_prepare(struct drm_plane *plane, struct drm_plane_state *new)
{
	if (!new->fb)
		return 0;
	return drm_gem_plane_helper_prepare_fb(plane, new) ?: vgpu_fb_show(to_vgpu_fb(new->fb));
}

/* vgpu_fb_show() has checked the object. Its pages stay while the framebuffer owns its table. */
static int vgpu_get_scanout_buffer(struct drm_plane *plane, struct drm_scanout_buffer *sb)
{
	struct drm_framebuffer *fb = plane->state ? plane->state->fb : NULL;

	if (!fb || plane->type == DRM_PLANE_TYPE_CURSOR || !plane->state->visible ||
	    fb->offsets[0] || vgpu_by_lines(fb) || drm_gem_is_imported(fb->obj[0]))
		return -ENODEV;
	sb->format = fb->format;
	sb->width = fb->width;
	sb->height = fb->height;
	sb->pitch[0] = fb->pitches[0];
	return drm_shmem_panic_scanout(&drm_shmem_from_gem(&vgpu_bo_type, fb->obj[0])->shmem, sb);
}

/*
 * A panic screen can be shown only if no task was using the queue. Mapping a command for the device
 * takes locks that an NMI may have interrupted.
 */
static void vgpu_panic_flush(struct drm_plane *plane)
{
	struct vgpu_fb *fb = to_vgpu_fb(plane->state->fb);
	const struct drm_rect all = DRM_RECT_INIT(0, 0, fb->base.width, fb->base.height);
	const unsigned int life = READ_ONCE(fb->life);
	union vgpu_req req = { .hdr.type = cpu_to_le32(VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D) };

	drm_dev_ctx_guard_callback(live, to_drm_dev_ctx(plane->dev)) {
		if (in_nmi() || vgpu_fb_sync(live, fb))
			return;
		vgpu_fill_transfer(&req, fb, &all);
		vgpu_panic_send(vgpu_live_hw(live), sizeof(req.transfer), &req, life);
		req = (union vgpu_req) { .hdr.type = cpu_to_le32(VIRTIO_GPU_CMD_SET_SCANOUT) };
		vgpu_fill_scanout(&req, drm_crtc_index(plane->state->crtc), fb->id, &all);
		vgpu_panic_send(vgpu_live_hw(live), sizeof(req.scanout), &req, life);
		req = (union vgpu_req) { .hdr.type = cpu_to_le32(VIRTIO_GPU_CMD_RESOURCE_FLUSH) };
		vgpu_fill_flush(&req, fb, &all);
		vgpu_panic_send(vgpu_live_hw(live), sizeof(req.flush), &req, life);
	}
}

static const struct drm_plane_funcs vgpu_plane_funcs = {
	.update_plane = drm_atomic_helper_update_plane,
	.disable_plane = drm_atomic_helper_disable_plane,
	.reset = drm_atomic_helper_plane_reset,
	.atomic_duplicate_state = drm_atomic_helper_plane_duplicate_state,
	.atomic_destroy_state = drm_atomic_helper_plane_destroy_state,
};

static const struct drm_plane_helper_funcs vgpu_plane_helper_funcs = {
	.prepare_fb = vgpu_plane_prepare,
	.atomic_check = vgpu_plane_check,
	.atomic_update = vgpu_plane_update,
	.atomic_disable = vgpu_plane_disable,
	.get_scanout_buffer = vgpu_get_scanout_buffer,
	.panic_flush = vgpu_panic_flush,
};

static const u32 vgpu_formats[] = { DRM_FORMAT_HOST_XRGB8888, DRM_FORMAT_HOST_ARGB8888 };

struct drm_plane *vgpu_plane_create(struct drm_device *drm, enum drm_plane_type type,
				    unsigned int index)
{
	const bool cursor = type == DRM_PLANE_TYPE_CURSOR;
	struct vgpu_plane *plane;

	plane = drmm_universal_plane_alloc(drm, struct vgpu_plane, base, BIT(index),
					   &vgpu_plane_funcs, &vgpu_formats[cursor], 1, NULL, type,
					   NULL);
	if (IS_ERR(plane))
		return ERR_CAST(plane);
	drm_plane_helper_add(&plane->base, &vgpu_plane_helper_funcs);
	if (cursor)
		drm_plane_create_blend_mode_property(&plane->base, BIT(DRM_MODE_BLEND_PREMULTI));
	else
		drm_plane_enable_fb_damage_clips(&plane->base);
	return &plane->base;
}
