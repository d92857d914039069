// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Commands on their way to the device and back. Each queue has a fixed number of slots
 * for commands, so what waits for the device has a bound. An answer comes by the
 * callback of the virtqueue, which ends the waits of those who are in a section. So the
 * callback opens none: it takes the hardware from the virtio device, and is ended by
 * the reset.
 */

#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>
#include <linux/vmalloc.h>

#include <drm/drm_print.h>

#include "vgpu.h"

#define VGPU_CTRL_CMDS		64
#define VGPU_CURSOR_CMDS	16
#define VGPU_PANIC_CMDS		2

/* Wait for @_cond, which is evaluated until it is true once. As wait_event_timeout(). */
#define vgpu_wait_event(_q, _cond, _killable)					\
	((_killable) ?								\
	 wait_event_killable_timeout((_q)->wait, _cond, VGPU_LIMIT) :		\
	 wait_event_timeout((_q)->wait, _cond, VGPU_LIMIT))

/* The waits that a kill ends are those of sections: they end before an unplug, too. */
static bool vgpu_leaves(struct vgpu_queue *q, bool killable)
{
	return !READ_ONCE(q->live) || (killable && READ_ONCE(q->stopped));
}

static struct vgpu_cmd *vgpu_cmd_take(struct vgpu_queue *q)
{
	struct vgpu_cmd *cmd;

	guard(spinlock_irqsave)(&q->lock);
	cmd = list_first_entry_or_null(&q->free, struct vgpu_cmd, node);
	if (cmd) {
		list_del_init(&cmd->node);
		cmd->users = 1;
	}
	return cmd;
}

static void vgpu_cmd_init(struct vgpu_cmd *cmd, u32 type, size_t req_len)
{
	cmd->done = false;
	cmd->out_len = 0;
	cmd->in_len = 0;
	cmd->req_len = req_len;
	memset(&cmd->req, 0, sizeof(cmd->req));
	memset(&cmd->resp, 0, sizeof(cmd->resp));
	cmd->req.hdr.type = cpu_to_le32(type);
}

/* Why a wait has ended without what it waited for: what is left of its time says so. */
static int vgpu_wait_error(struct vgpu_queue *q, long left)
{
	if (!left)
		vgpu_hw_reset(q->hw);
	return left < 0 ? -EINTR : -ENODEV;
}

/*
 * Get a free slot for a command of @req_len bytes, and wait until there is one. Returns an
 * ERR_PTR(): -ENODEV if the device is lost or about to go, or -EINTR.
 */
struct vgpu_cmd *vgpu_cmd_get(struct vgpu_queue *q, u32 type, size_t req_len, bool killable)
{
	struct vgpu_cmd *cmd = NULL;
	long left;

	left = vgpu_wait_event(q, vgpu_leaves(q, killable) || (cmd = vgpu_cmd_take(q)), killable);
	if (!cmd)
		return ERR_PTR(vgpu_wait_error(q, left));
	vgpu_cmd_init(cmd, type, req_len);
	return cmd;
}

void vgpu_cmd_put(struct vgpu_cmd *cmd)
{
	struct vgpu_queue *q = cmd->queue;
	void *data = NULL;

	scoped_guard(spinlock_irqsave, &q->lock) {
		if (--cmd->users)
			return;
		swap(data, cmd->data);
		list_add(&cmd->node, &q->free);
	}
	kvfree(data);
	wake_up(&q->wait);
}

/* Commands for the cursor have no answer. */
static bool vgpu_answers(const struct vgpu_queue *q)
{
	return q != &q->hw->cursor;
}

/* What the device says, as an error code that no step on the way to it returns */
static int vgpu_answer(struct vgpu_cmd *cmd, unsigned int len)
{
	const struct virtio_gpu_ctrl_hdr *hdr = cmd->in_len ? cmd->data : &cmd->resp;
	u32 type;

	if (!vgpu_answers(cmd->queue))
		return 0;
	type = len < sizeof(*hdr) ? 0 : le32_to_cpu(hdr->type);
	if (type >= VIRTIO_GPU_RESP_OK_NODATA && type < VIRTIO_GPU_RESP_ERR_UNSPEC)
		return 0;
	return type == VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY ? -ENOSPC : -EREMOTEIO;
}

/* The device is done with a command, by an answer or by a reset. */
static void vgpu_cmd_finish(struct vgpu_cmd *cmd, int result)
{
	cmd->result = result;
	/* Pairs with vgpu_cmd_is_done(): whoever sees it set reads the answer. */
	smp_store_release(&cmd->done, true);
	wake_up_all(&cmd->queue->wait);
	vgpu_cmd_put(cmd);
}

static bool vgpu_cmd_is_done(struct vgpu_cmd *cmd)
{
	/* Pairs with vgpu_cmd_finish(). */
	return smp_load_acquire(&cmd->done);
}

/* The next command that the device is done with; the callback stays off until it is NULL. */
static struct vgpu_cmd *vgpu_queue_next(struct vgpu_queue *q, unsigned int *len)
{
	struct vgpu_cmd *cmd = NULL;

	guard(spinlock_irqsave)(&q->lock);
	if (!q->live)
		return NULL;
	do {
		virtqueue_disable_cb(q->vq);
		cmd = virtqueue_get_buf(q->vq, len);
	} while (!cmd && !virtqueue_enable_cb(q->vq));
	return cmd;
}

static void vgpu_queue_done(struct vgpu_queue *q)
{
	struct vgpu_cmd *cmd;
	unsigned int len;

	while ((cmd = vgpu_queue_next(q, &len)))
		vgpu_cmd_finish(cmd, vgpu_answer(cmd, len));
	/* There is room now, also for a command that has its slot. */
	wake_up_all(&q->wait);
}

static void vgpu_ctrl_done(struct virtqueue *vq)
{
	struct vgpu_hw *hw = vq->vdev->priv;

	vgpu_queue_done(&hw->ctrl);
}

static void vgpu_cursor_done(struct virtqueue *vq)
{
	struct vgpu_hw *hw = vq->vdev->priv;

	vgpu_queue_done(&hw->cursor);
}

/* The pages of @data, which may be in vmalloc's memory */
static int vgpu_data_sgs(struct sg_table *sgt, void *data, size_t len)
{
	const bool paged = is_vmalloc_addr(data);
	struct scatterlist *sg;
	unsigned int i;
	int ret;

	ret = sg_alloc_table(sgt, paged ? DIV_ROUND_UP(len, PAGE_SIZE) : 1, GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;
	for_each_sgtable_sg(sgt, sg, i) {
		const size_t part = paged ? min(len, PAGE_SIZE) : len;

		if (paged)
			sg_set_page(sg, vmalloc_to_page(data), part, 0);
		else
			sg_set_buf(sg, data, part);
		data += part;
		len -= part;
	}
	return 0;
}

/* Give a command to the device, which is its second user from here on. */
static int vgpu_cmd_add(struct vgpu_cmd *cmd, struct scatterlist *out)
{
	struct scatterlist req, in, *sgs[3];
	struct vgpu_queue *q = cmd->queue;
	unsigned int outs = 0, ins = 0;
	int ret;

	lockdep_assert_held(&q->lock);
	if (!q->live)
		return -ENODEV;

	sg_init_one(&req, &cmd->req, cmd->req_len);
	sgs[outs++] = &req;
	if (out)
		sgs[outs++] = out;
	if (cmd->in_len)
		sg_init_one(&in, cmd->data, cmd->in_len);
	else
		sg_init_one(&in, &cmd->resp, sizeof(cmd->resp));
	if (vgpu_answers(q))
		sgs[outs + ins++] = &in;

	ret = virtqueue_add_sgs(q->vq, sgs, outs, ins, cmd, GFP_ATOMIC);
	if (ret)
		return ret;
	cmd->users++;
	virtqueue_kick(q->vq);
	return 0;
}

static int vgpu_cmd_try_add(struct vgpu_cmd *cmd, struct scatterlist *out)
{
	guard(spinlock_irqsave)(&cmd->queue->lock);
	return vgpu_cmd_add(cmd, out);
}

/* Give a command to the device. Waits for room in the virtqueue if there is none. */
int vgpu_cmd_queue(struct vgpu_cmd *cmd, bool killable)
{
	struct vgpu_queue *q = cmd->queue;
	struct sg_table sgt = {};
	int ret = 0;
	long left;

	if (cmd->out_len)
		ret = vgpu_data_sgs(&sgt, cmd->data, cmd->out_len);
	if (ret)
		return ret;

	left = vgpu_wait_event(q, (ret = vgpu_cmd_try_add(cmd, sgt.sgl)) != -ENOSPC ||
			       vgpu_leaves(q, killable), killable);
	if (ret == -ENOSPC)
		ret = vgpu_wait_error(q, left);
	sg_free_table(&sgt);
	return ret;
}

/*
 * Wait for the answer to a command. The device keeps the slot, and the command's data, if
 * the wait ends early. Returns 0, or a negative error code: -ENOSPC or -EREMOTEIO from
 * the device; -ENODEV if it is lost or about to go; -EINTR.
 */
int vgpu_cmd_wait(struct vgpu_cmd *cmd, bool killable)
{
	struct vgpu_queue *q = cmd->queue;
	long left;

	left = vgpu_wait_event(q, vgpu_cmd_is_done(cmd) || (killable && READ_ONCE(q->stopped)),
			       killable);
	if (vgpu_cmd_is_done(cmd))
		return cmd->result;
	return vgpu_wait_error(q, left);
}

/* Give a command to the device, wait for the answer, and put it. */
int vgpu_cmd_run(struct vgpu_cmd *cmd, bool killable)
{
	int ret;

	ret = vgpu_cmd_queue(cmd, killable);
	if (!ret)
		ret = vgpu_cmd_wait(cmd, killable);
	vgpu_cmd_put(cmd);
	return ret;
}

/* Give a command to the device, and put it. */
int vgpu_cmd_send(struct vgpu_cmd *cmd)
{
	int ret;

	ret = vgpu_cmd_queue(cmd, false);
	vgpu_cmd_put(cmd);
	return ret;
}

/* A command for a panic, which has a slot of its own. Returns NULL if the device has it. */
struct vgpu_cmd *vgpu_cmd_panic_get(struct vgpu_cmd *cmd, u32 type, size_t req_len)
{
	if (!vgpu_cmd_is_done(cmd))
		return NULL;
	vgpu_cmd_init(cmd, type, req_len);
	return cmd;
}

/*
 * Give the device a command in a panic, which waits for nothing. If the lock is taken,
 * then the panic may have come from the code that holds it.
 */
void vgpu_cmd_panic(struct vgpu_cmd *cmd)
{
	struct vgpu_queue *q = cmd->queue;
	int ret = -EBUSY;

	if (spin_trylock(&q->lock)) {
		ret = vgpu_cmd_add(cmd, NULL);
		spin_unlock(&q->lock);
	}
	if (ret)
		cmd->done = true;
}

static void vgpu_queue_set_live(struct vgpu_queue *q, bool live)
{
	guard(spinlock_irqsave)(&q->lock);
	q->live = live;
}

static void vgpu_queue_reclaim(struct vgpu_queue *q)
{
	struct vgpu_cmd *cmd;

	while ((cmd = virtqueue_detach_unused_buf(q->vq)))
		vgpu_cmd_finish(cmd, -ENODEV);
	wake_up_all(&q->wait);
}

static void vgpu_hw_reset_locked(struct vgpu_hw *hw)
{
	lockdep_assert_held(&hw->reset_lock);
	vgpu_queue_set_live(&hw->ctrl, false);
	vgpu_queue_set_live(&hw->cursor, false);
	virtio_reset_device(hw->vdev);
	if (!hw->has_vqs)
		return;
	/* No callback runs any more, and the device has no address. */
	vgpu_queue_reclaim(&hw->ctrl);
	vgpu_queue_reclaim(&hw->cursor);
}

/* The device does not answer: take all memory from it before that is used for more. */
void vgpu_hw_reset(struct vgpu_hw *hw)
{
	guard(mutex)(&hw->reset_lock);
	if (!hw->ctrl.live)
		return;
	drm_err(&hw->ctx->drm, "the device does not answer and is reset\n");
	vgpu_hw_reset_locked(hw);
}

/* Reset the device and give back its virtqueues. All who wait for it are told. */
void vgpu_hw_stop(struct vgpu_hw *hw)
{
	guard(mutex)(&hw->reset_lock);
	vgpu_hw_reset_locked(hw);
	if (hw->has_vqs)
		hw->vdev->config->del_vqs(hw->vdev);
	hw->has_vqs = false;
}

/* The device is about to be unplugged: end the waits in sections, which that waits for. */
void vgpu_hw_leave(struct vgpu_hw *hw)
{
	WRITE_ONCE(hw->ctrl.stopped, true);
	WRITE_ONCE(hw->cursor.stopped, true);
	wake_up_all(&hw->ctrl.wait);
	wake_up_all(&hw->cursor.wait);
}

/* Start a device that was reset and knows no resource. */
int vgpu_hw_start(struct vgpu_hw *hw)
{
	struct virtqueue_info info[] = {
		{ "control", vgpu_ctrl_done },
		{ "cursor", vgpu_cursor_done },
	};
	struct virtqueue *vqs[ARRAY_SIZE(info)];
	int ret;

	guard(mutex)(&hw->reset_lock);
	ret = virtio_find_vqs(hw->vdev, ARRAY_SIZE(vqs), vqs, info, NULL);
	if (ret)
		return ret;
	hw->has_vqs = true;
	hw->ctrl.vq = vqs[0];
	hw->cursor.vq = vqs[1];
	hw->life++;
	virtio_device_ready(hw->vdev);
	vgpu_queue_set_live(&hw->ctrl, true);
	vgpu_queue_set_live(&hw->cursor, true);
	return 0;
}

static int vgpu_queue_init(struct vgpu_queue *q, struct vgpu_hw *hw, unsigned int count)
{
	q->hw = hw;
	spin_lock_init(&q->lock);
	INIT_LIST_HEAD(&q->free);
	init_waitqueue_head(&q->wait);
	q->cmds = kzalloc_objs(*q->cmds, count);
	if (!q->cmds)
		return -ENOMEM;
	for (unsigned int i = 0; i < count; i++) {
		q->cmds[i].queue = q;
		list_add(&q->cmds[i].node, &q->free);
	}
	return 0;
}

/* Commands that are on no list, and not on a virtqueue either: done, with one user for ever */
static void vgpu_panic_init(struct vgpu_queue *q, struct vgpu_cmd *cmds, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		cmds[i].queue = q;
		cmds[i].users = 1;
		cmds[i].done = true;
	}
}

void vgpu_hw_free(struct vgpu_hw *hw)
{
	ida_destroy(&hw->ids);
	kfree(hw->ctrl.cmds);
	kfree(hw->cursor.cmds);
	kfree(hw->panic);
	kfree(hw);
}

struct vgpu_hw *vgpu_hw_create(struct virtio_device *vdev, struct drm_dev_ctx *ctx)
{
	struct vgpu_hw *hw = kzalloc_obj(*hw);

	if (!hw)
		return ERR_PTR(-ENOMEM);
	hw->vdev = vdev;
	vdev->priv = hw;
	hw->ctx = ctx;
	mutex_init(&hw->reset_lock);
	ida_init(&hw->ids);

	hw->panic = kzalloc_objs(*hw->panic, VGPU_PANIC_CMDS);
	if (!hw->panic || vgpu_queue_init(&hw->ctrl, hw, VGPU_CTRL_CMDS) ||
	    vgpu_queue_init(&hw->cursor, hw, VGPU_CURSOR_CMDS)) {
		vgpu_hw_free(hw);
		return ERR_PTR(-ENOMEM);
	}
	vgpu_panic_init(&hw->ctrl, hw->panic, VGPU_PANIC_CMDS);
	return hw;
}
