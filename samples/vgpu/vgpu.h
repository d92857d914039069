/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _VGPU_H
#define _VGPU_H

#include <linux/cleanup.h>
#include <linux/idr.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/virtio.h>
#include <linux/virtio_gpu.h>
#include <linux/wait.h>

#include <drm/drm_connector.h>
#include <drm/drm_crtc.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_plane.h>

#include "drm_dev_ctx.h"
#include "drm_dev_ctx_async.h"
#include "drm_shmem_safe.h"

/* The cursor of every virtio GPU has this size. */
#define VGPU_CURSOR_SIZE	64

/* The number of commands of a queue: they wait, are with the device, or are answered. */
#define VGPU_CMDS		16

/*
 * The number of additional commands, which a panic takes if no other command is free.
 * vgpu_panic_flush() takes three for each output.
 */
#define VGPU_PANIC_CMDS		3

/* The time that a device has for an answer. After that it is reset, and started again. */
#define VGPU_LIMIT		(15 * HZ)

/* The limit for restarts of a device in a row */
#define VGPU_RETRIES		3

/* If a device has worked for this long, a new failure starts a new count of retries. */
#define VGPU_STEADY		(4 * VGPU_LIMIT)

/* The request at the beginning of a command */
union vgpu_req {
	struct virtio_gpu_ctrl_hdr hdr;
	struct virtio_gpu_resource_create_2d create;
	struct virtio_gpu_resource_unref unref;
	struct virtio_gpu_resource_attach_backing attach;
	struct virtio_gpu_transfer_to_host_2d transfer;
	struct virtio_gpu_resource_flush flush;
	struct virtio_gpu_set_scanout scanout;
	struct virtio_gpu_cmd_get_edid edid;
	struct virtio_gpu_update_cursor cursor;
};

/*
 * struct vgpu_cmd - a command, in one of the slots of its queue
 *
 * Invariants:
 *
 * - @users counts the driver and, until the answer or the reset, the device. The slot is
 *   free when it is zero. Under the lock of @queue.
 * - The device gets the command in @life, or never.
 * - @done is set once @result and the answer are there.
 * - @fb is the framebuffer that the device should forget, or NULL. It exists until the answer.
 * - @data belongs to the command, and is freed with it: @out_len bytes that the device
 *   reads after @req, or @in_len bytes that it writes in place of @resp.
 */
struct vgpu_cmd {
	struct vgpu_queue *queue;
	struct list_head node;
	unsigned int users;
	unsigned int life;
	bool done;
	int result;
	struct vgpu_fb *fb;
	void *data;
	size_t out_len;
	size_t in_len;
	size_t req_len;
	union vgpu_req req;
	struct virtio_gpu_ctrl_hdr resp __aligned(ARCH_DMA_MINALIGN);
} __aligned(ARCH_DMA_MINALIGN);

/*
 * struct vgpu_queue - a virtqueue, and all commands that can be on it
 *
 * Invariants:
 *
 * - @vq is accessed under @lock, and only while @live is set: the device was started, and
 *   has not failed. The device is notified after that, in the same RCU section.
 * - A command that is on no list has a user. Only a panic takes one from @panic.
 */
struct vgpu_queue {
	struct vgpu_hw *hw;
	spinlock_t lock;		/* also in interrupts */
	struct virtqueue *vq;
	bool live;
	struct list_head free;
	struct list_head panic;
	wait_queue_head_t wait;		/* for a free slot, room in @vq, or an answer */
	struct vgpu_cmd cmds[VGPU_CMDS + VGPU_PANIC_CMDS];
};

/*
 * struct vgpu_hw - the virtio device, as long as the registration
 *
 * Invariants:
 *
 * - @has_vqs is accessed under @reset_lock, and the @live of both queues is set under it. It
 *   may be held for as long as a reset takes, so not in a section.
 * - @life changes when the device was reset, and has forgotten all resources and addresses.
 *   It does not change while a queue is live.
 * - @kept has the framebuffers that were destroyed, but may be known to the device in this
 *   @life. Both are changed under the lock of @ctrl. vgpu_fb_free_kept() takes the
 *   framebuffers off while it waits for the device.
 * - @tries counts the attempts to start the device again, since it was last live for VGPU_STEADY.
 *   After VGPU_RETRIES attempts, the driver gives up the device.
 */
struct vgpu_hw {
	struct drm_dev_ctx_data base;
	struct virtio_device *vdev;
	struct drm_dev_ctx *ctx;
	struct vgpu_queue ctrl;
	struct vgpu_queue cursor;
	struct drm_dev_ctx_work config_work;
	struct drm_dev_ctx_work recover_work;
	struct drm_dev_ctx_work free_work;
	struct mutex reset_lock;	/* around the start and the reset of the device */
	bool has_vqs;
	unsigned int life;
	struct list_head kept;
	u64 started;			/* time of the last start, in jiffies */
	atomic_t tries;
	struct ida ids;
	atomic64_t fences;
};

/* An output: the device calls it a scanout, by the index of its CRTC. */
struct vgpu_output {
	struct drm_crtc crtc;
	struct drm_connector connector;
	/* The device's description, under the mutex of the mode configuration */
	bool enabled;
	u32 width;
	u32 height;
};

struct vgpu_plane {
	struct drm_plane base;
	/* The life in which the device shows the last commit on this plane, or 0 if it does not */
	unsigned int shown;
};

/* A device, which lives until its last reference is gone */
struct vgpu_device {
	struct drm_dev_ctx ctx;
	struct vgpu_output *outputs;
	unsigned int num_outputs;
};

/* A buffer, without members of its own */
struct vgpu_bo {
	struct drm_shmem_obj shmem;
};

DRM_SHMEM_OBJ_TYPE(vgpu_bo_type, struct vgpu_bo, shmem, struct vgpu_bo_unique);

/*
 * struct vgpu_fb - a framebuffer, which the device knows as a resource
 *
 * Invariants:
 *
 * - @sgt is filled in and @id allocated when the framebuffer is shown first. Both stay so to
 *   its end.
 * - While @life equals the hardware's, the device has the addresses of @sgt, until the
 *   framebuffer is destroyed, and commands can name @id.
 * - While @asked equals the hardware's life, the device may have the addresses. It is set before
 *   the device gets them, and cleared when the device has forgotten them.
 */
struct vgpu_fb {
	struct drm_framebuffer base;	/* first: drm_gem_fb_destroy() frees it */
	struct mutex lock;		/* protects the next four members */
	struct drm_shmem_sgt_owned sgt;
	u32 id;
	unsigned int life;
	unsigned int asked;
	struct list_head kept;		/* in the list of the hardware, once destroyed */
};

#define to_vgpu(_drm) drm_dev_ctx_entry(_drm, struct vgpu_device, ctx)
#define to_vgpu_plane(_plane) container_of(_plane, struct vgpu_plane, base)
#define to_vgpu_fb(_fb) container_of(_fb, struct vgpu_fb, base)

static inline struct vgpu_hw *vgpu_live_hw(const struct drm_dev_ctx_live *live)
{
	return container_of(drm_dev_ctx_live_data(live), struct vgpu_hw, base);
}

static inline bool vgpu_hw_is_live(const struct vgpu_hw *hw, unsigned int life)
{
	return READ_ONCE(hw->ctrl.live) && READ_ONCE(hw->life) == life;
}

/* The result of a commit after the device failed: 0 if a restart will show the state. */
static inline int vgpu_hw_lost(const struct vgpu_hw *hw)
{
	return atomic_read(&hw->tries) <= VGPU_RETRIES ? 0 : -ENODEV;
}

/* vgpu_queue.c */
struct vgpu_hw *vgpu_hw_create(struct virtio_device *vdev, struct drm_dev_ctx *ctx);
void vgpu_hw_free(struct drm_dev_ctx_data *data);
int vgpu_hw_start(const struct drm_dev_ctx_live *live);
void vgpu_hw_fail(struct vgpu_hw *hw, unsigned int life);
void vgpu_hw_reset(struct vgpu_hw *hw);
void vgpu_hw_stop(struct vgpu_hw *hw);
bool vgpu_hw_is_gone(const struct vgpu_hw *hw);
/*
 * A wait with a @live also ends when the task is killed, and when the registration is about to
 * end. With NULL, the answer or the limit ends it.
 */
struct vgpu_cmd *vgpu_cmd_get(struct vgpu_queue *q, u32 type, size_t req_len, unsigned int life,
			      const struct drm_dev_ctx_live *live);
void vgpu_cmd_put(struct vgpu_cmd *cmd);
int vgpu_cmd_queue(struct vgpu_cmd *cmd, const struct drm_dev_ctx_live *live);
int vgpu_cmd_wait(struct vgpu_cmd *cmd, const struct drm_dev_ctx_live *live);
int vgpu_cmd_run(struct vgpu_cmd *cmd, const struct drm_dev_ctx_live *live);
void vgpu_panic_send(struct vgpu_hw *hw, size_t req_len, const union vgpu_req *req,
		     unsigned int life);

DEFINE_FREE(vgpu_cmd, struct vgpu_cmd *, if (!IS_ERR_OR_NULL(_T)) vgpu_cmd_put(_T))

#define vgpu_cmd_new(_q, _type, _member, _life, _live)				\
	vgpu_cmd_get(_q, _type, sizeof_field(union vgpu_req, _member), _life, _live)

/* vgpu_object.c */
struct drm_gem_object *vgpu_gem_create_object(struct drm_device *drm, size_t size);
struct drm_framebuffer *vgpu_fb_create(struct drm_device *drm, struct drm_file *file,
				       const struct drm_format_info *info,
				       const struct drm_mode_fb_cmd2 *mode_cmd);
int vgpu_fb_show(struct vgpu_fb *fb);
bool vgpu_fb_is_small(const struct drm_framebuffer *fb);
int vgpu_fb_sync(const struct drm_dev_ctx_live *live, struct vgpu_fb *fb);
void vgpu_fb_forgotten(struct vgpu_hw *hw, struct vgpu_fb *fb, int result);
void vgpu_fb_free_kept(struct vgpu_hw *hw);

/* vgpu_plane.c */
struct drm_plane *vgpu_plane_create(struct drm_device *drm, enum drm_plane_type type,
				    unsigned int index);
int vgpu_scanout(struct vgpu_hw *hw, unsigned int index, u32 id, unsigned int life,
		 const struct drm_rect *rect);

/* vgpu_display.c */
int vgpu_display_init(const struct drm_dev_ctx_live *live);
int vgpu_display_update(const struct drm_dev_ctx_live *live);
int vgpu_display_show(const struct drm_dev_ctx_live *live);
void vgpu_config_work(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data,
		      struct drm_dev_ctx_work *work);

#endif /* _VGPU_H */
