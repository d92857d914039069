// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Commands on their way to the device and back. Each queue has a fixed number of slots for
 * commands, which limits the number of commands that wait for the device. Answers arrive in the
 * callback of the virtqueue. Tasks in a section wait for answers, so the callback must not open
 * a section. Instead it uses a block, which can be entered until the reset has ended all
 * callbacks.
 */

#include <linux/pci.h>
#include <linux/rcupdate.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>
#include <linux/vmalloc.h>

#include <drm/drm_print.h>

#include "vgpu.h"

/* Waits for @_cond, which is evaluated until it is true once, like drm_dev_ctx_wait_event(). */
#define vgpu_wait_event(_q, _live, _cond, _limit)				\
	((_live) ? drm_dev_ctx_wait_event(_live, (_q)->wait, _cond, _limit) :	\
	 wait_event_timeout((_q)->wait, _cond, _limit) ? 0 : -ETIMEDOUT)

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

static void vgpu_cmd_init(struct vgpu_cmd *cmd, u32 type, size_t req_len, unsigned int life)
{
	memset_after(cmd, 0, users);
	cmd->life = life;
	cmd->req_len = req_len;
	cmd->req.hdr.type = cpu_to_le32(type);
}

/* Returns the error for a wait that ended early. A timeout means that the device has failed. */
static int vgpu_wait_error(struct vgpu_queue *q, unsigned int life, int ret)
{
	if (ret == -ETIMEDOUT)
		vgpu_hw_fail(q->hw, life);
	return ret == -EINTR ? ret : -ENODEV;
}

/*
 * Waits for a free slot, and takes it for a command of @req_len bytes, which the device gets in
 * @life or never. Returns the command, or an ERR_PTR(): -ENODEV if the device has failed or is
 * about to be unplugged, or -EINTR.
 */
struct vgpu_cmd *vgpu_cmd_get(struct vgpu_queue *q, u32 type, size_t req_len, unsigned int life,
			      const struct drm_dev_ctx_live *live)
{
	struct vgpu_cmd *cmd = NULL;
	int ret;

	ret = vgpu_wait_event(q, live, !READ_ONCE(q->live) || (cmd = vgpu_cmd_take(q)),
			      VGPU_LIMIT);
	if (!cmd)
		return ERR_PTR(vgpu_wait_error(q, life, ret));
	vgpu_cmd_init(cmd, type, req_len, life);
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

/* Returns the answer as an error code that no other part of the command's path returns. */
static int vgpu_answer(struct vgpu_cmd *cmd, unsigned int len)
{
	const struct virtio_gpu_ctrl_hdr *hdr = cmd->in_len ? cmd->data : &cmd->resp;
	u32 type;

	/* Commands for the cursor have no answer. */
	if (cmd->queue == &cmd->queue->hw->cursor)
		return 0;
	type = len < sizeof(*hdr) ? 0 : le32_to_cpu(hdr->type);
	if (type >= VIRTIO_GPU_RESP_OK_NODATA && type < VIRTIO_GPU_RESP_ERR_UNSPEC)
		return 0;
	if (type == VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID &&
	    cmd->req.hdr.type == cpu_to_le32(VIRTIO_GPU_CMD_RESOURCE_UNREF))
		return -ENOENT;
	drm_err_ratelimited(&cmd->queue->hw->ctx->drm, "the answer to command %#x is %#x\n",
			    le32_to_cpu(cmd->req.hdr.type), type);
	return -EREMOTEIO;
}

/* The device is done with a command, by an answer or by a reset. */
static void vgpu_cmd_finish(struct vgpu_cmd *cmd, int result)
{
	cmd->result = result;
	if (cmd->fb)
		vgpu_fb_forgotten(cmd->queue->hw, cmd->fb, result);
	/* Pairs with vgpu_cmd_is_done(): a task that sees @done also sees the answer. */
	smp_store_release(&cmd->done, true);
	wake_up_all(&cmd->queue->wait);
	vgpu_cmd_put(cmd);
}

static bool vgpu_cmd_is_done(struct vgpu_cmd *cmd)
{
	/* Pairs with vgpu_cmd_finish(). */
	return smp_load_acquire(&cmd->done);
}

/* Returns the next command that the device has finished, or NULL after the callback is on again. */
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
	/* The virtqueue has room now for commands that already have a slot. */
	wake_up_all(&q->wait);
}

static void vgpu_vq_done(struct virtqueue *vq)
{
	drm_dev_ctx_guard_callback(live, vq->vdev->priv) {
		struct vgpu_hw *hw = vgpu_live_hw(live);

		vgpu_queue_done(vq->index ? &hw->cursor : &hw->ctrl);
	}
}

/* Fills in the pages of @data. An entry is no longer than the limit of a bounce buffer. */
static int vgpu_data_sgs(struct vgpu_hw *hw, struct sg_table *sgt, void *data, size_t len)
{
	const bool paged = is_vmalloc_addr(data);
	const size_t most = paged ? PAGE_SIZE : min(len, virtio_max_dma_size(hw->vdev));
	struct scatterlist *sg;
	unsigned int i;
	int ret;

	ret = sg_alloc_table(sgt, DIV_ROUND_UP(len, most), GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;
	for_each_sgtable_sg(sgt, sg, i) {
		const size_t part = min(len, most);

		if (paged)
			sg_set_page(sg, vmalloc_to_page(data), part, 0);
		else
			sg_set_buf(sg, data, part);
		data += part;
		len -= part;
	}
	return 0;
}

/*
 * Gives a command to the device, which is a user of it from here on. Returns -ENOSPC if the queue
 * has no room, -ENOMEM if the command cannot be mapped, and -E2BIG if the command is too long.
 */
static int vgpu_cmd_add(struct vgpu_cmd *cmd, struct scatterlist *out)
{
	struct scatterlist req, in, *sgs[3];
	struct vgpu_queue *q = cmd->queue;
	unsigned int outs = 0, ins = 0;
	int ret;

	lockdep_assert_held(&q->lock);
	if (!q->live || cmd->life != q->hw->life)
		return -ENODEV;

	sg_init_one(&req, &cmd->req, cmd->req_len);
	sgs[outs++] = &req;
	if (out)
		sgs[outs++] = out;
	if (cmd->in_len)
		sg_init_one(&in, cmd->data, cmd->in_len);
	else
		sg_init_one(&in, &cmd->resp, sizeof(cmd->resp));
	if (q != &q->hw->cursor)
		sgs[outs + ins++] = &in;
	if (outs + ins - !!out + sg_nents(out) > virtqueue_get_vring_size(q->vq))
		return -E2BIG;

	ret = virtqueue_add_sgs(q->vq, sgs, outs, ins, cmd, GFP_ATOMIC);
	/* A packed virtqueue returns -EIO, too, if it cannot map a command. */
	if (ret == -EIO && !virtqueue_is_broken(q->vq))
		return -ENOMEM;
	if (!ret)
		cmd->users++;
	return ret;
}

/*
 * Notifies the device without the lock: a virtual device can be busy with another command, and the
 * callback waits for the lock with interrupts off. Only a full virtqueue is notified by the virtio
 * core, with the lock. vgpu_hw_stop() and vgpu_reset_prepare() wait for the RCU section.
 */
static int vgpu_cmd_try_add(struct vgpu_cmd *cmd, struct scatterlist *out)
{
	struct vgpu_queue *q = cmd->queue;
	bool kick = false;
	int ret;

	guard(rcu)();
	scoped_guard(spinlock_irqsave, &q->lock) {
		ret = vgpu_cmd_add(cmd, out);
		kick = !ret && virtqueue_kick_prepare(q->vq);
	}
	return kick && !virtqueue_notify(q->vq) ? -EIO : ret;
}

/*
 * Gives a command to the device. If necessary, waits for room in the virtqueue, and for memory
 * to map the command. There is no notification for the latter, so this retries periodically.
 */
int vgpu_cmd_queue(struct vgpu_cmd *cmd, const struct drm_dev_ctx_live *live)
{
	const u64 end = get_jiffies_64() + VGPU_LIMIT;
	struct vgpu_queue *q = cmd->queue;
	struct sg_table sgt = {};
	int ret = 0, err;

	if (cmd->out_len)
		ret = vgpu_data_sgs(q->hw, &sgt, cmd->data, cmd->out_len);
	if (ret)
		return ret;

	do {
		err = vgpu_wait_event(q, live, (ret = vgpu_cmd_try_add(cmd, sgt.sgl)) != -ENOSPC &&
				      ret != -ENOMEM, HZ / 20 + 1);
	} while (err == -ETIMEDOUT && time_before64(get_jiffies_64(), end));
	if (err && (ret == -ENOSPC || err != -ETIMEDOUT))
		ret = vgpu_wait_error(q, cmd->life, err);
	else if (ret == -EIO)		/* The device has broken the virtqueue. */
		vgpu_hw_fail(q->hw, cmd->life);
	sg_free_table(&sgt);
	return ret;
}

/*
 * Waits for the answer to a command. If the wait ends early, the device keeps the slot and the
 * command's data. Returns 0; -EREMOTEIO for an error from the device; -ENOENT if the device does
 * not know the resource that it should forget; -ENODEV if the device is lost or about to go; or
 * -EINTR.
 */
int vgpu_cmd_wait(struct vgpu_cmd *cmd, const struct drm_dev_ctx_live *live)
{
	struct vgpu_queue *q = cmd->queue;
	int ret;

	ret = vgpu_wait_event(q, live, vgpu_cmd_is_done(cmd) || !READ_ONCE(q->live), VGPU_LIMIT);
	return vgpu_cmd_is_done(cmd) ? cmd->result : vgpu_wait_error(q, cmd->life, ret);
}

/* Gives a command to the device, and waits for the answer. */
int vgpu_cmd_run(struct vgpu_cmd *cmd, const struct drm_dev_ctx_live *live)
{
	return vgpu_cmd_queue(cmd, live) ?: vgpu_cmd_wait(cmd, live);
}

/*
 * Gives the device a command in a panic, without waiting. If the lock is taken, then the panic may
 * have come from the code that holds it. This notifies the device in any case, because
 * virtqueue_kick_prepare() can leave that to a task that the panic has stopped.
 */
void vgpu_panic_send(struct vgpu_hw *hw, size_t req_len, const union vgpu_req *req,
		     unsigned int life)
{
	struct vgpu_queue *q = &hw->ctrl;
	struct vgpu_cmd *cmd;

	if (!spin_trylock(&q->lock))
		return;
	cmd = list_first_entry_or_null(list_empty(&q->free) ? &q->panic : &q->free,
				       struct vgpu_cmd, node);
	if (cmd) {
		vgpu_cmd_init(cmd, 0, req_len, life);
		cmd->req = *req;
		if (!vgpu_cmd_add(cmd, NULL)) {
			list_del_init(&cmd->node);
			virtqueue_notify(q->vq);
		}
	}
	spin_unlock(&q->lock);
}

static void vgpu_queue_start(struct vgpu_queue *q, struct virtqueue *vq)
{
	guard(spinlock_irqsave)(&q->lock);
	q->vq = vq;
	q->live = true;
}

/* Ends all waits. Returns whether the queue was in use, in that life. */
static bool vgpu_queue_stop(struct vgpu_queue *q, unsigned int life)
{
	guard(spinlock_irqsave)(&q->lock);
	if (!q->live || q->hw->life != life)
		return false;
	q->live = false;
	wake_up_all(&q->wait);
	return true;
}

static void vgpu_queue_reclaim(struct vgpu_queue *q)
{
	struct vgpu_cmd *cmd;

	while ((cmd = virtqueue_detach_unused_buf(q->vq)))
		vgpu_cmd_finish(cmd, -ENODEV);
}

/*
 * Marks the device as failed in @life, so that it gets no more commands. Until a reset, the
 * device may still access memory. A reset has no time limit, and the caller may be in a section,
 * so the reset is left to vgpu_recover_work(). The delay gives a device that has just failed some
 * time.
 */
void vgpu_hw_fail(struct vgpu_hw *hw, unsigned int life)
{
	if (!vgpu_queue_stop(&hw->ctrl, life))
		return;
	vgpu_queue_stop(&hw->cursor, life);
	if (time_after64(get_jiffies_64(), hw->started + VGPU_STEADY))
		atomic_set(&hw->tries, 0);
	drm_err(&hw->ctx->drm, "the device has failed and is reset\n");
	drm_dev_ctx_work_mod(&hw->recover_work, system_freezable_wq, HZ);
}

/* A device that was physically removed accesses no memory, and never confirms a reset. */
bool vgpu_hw_is_gone(const struct vgpu_hw *hw)
{
	struct device *dev = hw->vdev->dev.parent;

	return dev_is_pci(dev) && (pci_channel_offline(to_pci_dev(dev)) ||
				   !pci_device_is_present(to_pci_dev(dev)));
}

/*
 * Ends all waits for the device, and resets it. The virtqueues stay. Not in a section, because a
 * reset has no time limit.
 */
void vgpu_hw_reset(struct vgpu_hw *hw)
{
	guard(mutex)(&hw->reset_lock);
	vgpu_queue_stop(&hw->ctrl, hw->life);
	vgpu_queue_stop(&hw->cursor, hw->life);
	synchronize_rcu();
	if (!vgpu_hw_is_gone(hw))
		virtio_reset_device(hw->vdev);
}

/*
 * Resets the device, and frees its virtqueues. After that, the device has no addresses, so
 * vgpu_fb_free_kept() frees the framebuffers that were kept. Not in a section, and not while the
 * bus or the virtio core can start the device.
 */
void vgpu_hw_stop(struct vgpu_hw *hw)
{
	vgpu_hw_reset(hw);
	guard(mutex)(&hw->reset_lock);
	if (hw->has_vqs) {
		vgpu_queue_reclaim(&hw->ctrl);
		vgpu_queue_reclaim(&hw->cursor);
		hw->vdev->config->del_vqs(hw->vdev);
	}
	hw->has_vqs = false;
	scoped_guard(spinlock_irqsave, &hw->ctrl.lock)
		hw->life++;
}

/* The virtio core does this before probe and restore, but not after a reset by this driver. */
static int vgpu_hw_negotiate(struct virtio_device *vdev)
{
	int ret;

	if (vdev->config->get_status(vdev) & VIRTIO_CONFIG_S_FEATURES_OK)
		return 0;
	virtio_add_status(vdev, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	virtio_add_status(vdev, VIRTIO_CONFIG_S_DRIVER);
	ret = vdev->config->finalize_features(vdev);
	if (ret)
		return ret;
	virtio_add_status(vdev, VIRTIO_CONFIG_S_FEATURES_OK);
	return vdev->config->get_status(vdev) & VIRTIO_CONFIG_S_FEATURES_OK ? 0 : -ENODEV;
}

/* Starts a device that was reset and knows no resource, unless the registration is ending. */
int vgpu_hw_start(const struct drm_dev_ctx_live *live)
{
	struct vgpu_hw *hw = vgpu_live_hw(live);
	struct virtqueue_info info[] = {
		{ "control", vgpu_vq_done },
		{ "cursor", vgpu_vq_done },
	};
	struct virtqueue *vqs[ARRAY_SIZE(info)];
	int ret;

	guard(mutex)(&hw->reset_lock);
	if (drm_dev_ctx_live_ending(live) || vgpu_hw_is_gone(hw))
		return -ENODEV;
	ret = vgpu_hw_negotiate(hw->vdev);
	if (!ret)
		ret = virtio_find_vqs(hw->vdev, ARRAY_SIZE(vqs), vqs, info, NULL);
	if (ret)
		return ret;
	hw->has_vqs = true;
	hw->started = get_jiffies_64();
	virtio_device_ready(hw->vdev);
	vgpu_queue_start(&hw->ctrl, vqs[0]);
	vgpu_queue_start(&hw->cursor, vqs[1]);
	return 0;
}

static void vgpu_queue_init(struct vgpu_queue *q, struct vgpu_hw *hw)
{
	q->hw = hw;
	spin_lock_init(&q->lock);
	INIT_LIST_HEAD(&q->free);
	INIT_LIST_HEAD(&q->panic);
	init_waitqueue_head(&q->wait);
	for (unsigned int i = 0; i < ARRAY_SIZE(q->cmds); i++) {
		q->cmds[i].queue = q;
		list_add(&q->cmds[i].node, i < VGPU_CMDS ? &q->free : &q->panic);
	}
}

void vgpu_hw_free(struct drm_dev_ctx_data *data)
{
	struct vgpu_hw *hw = container_of(data, struct vgpu_hw, base);

	ida_destroy(&hw->ids);
	kfree(hw);
}

struct vgpu_hw *vgpu_hw_create(struct virtio_device *vdev, struct drm_dev_ctx *ctx)
{
	struct vgpu_hw *hw = kzalloc_obj(*hw);

	if (!hw)
		return ERR_PTR(-ENOMEM);
	hw->vdev = vdev;
	vdev->priv = ctx;
	hw->ctx = ctx;
	hw->life = 1;
	INIT_LIST_HEAD(&hw->kept);
	atomic_set(&hw->tries, VGPU_RETRIES);	/* A device that never answered is given up. */
	mutex_init(&hw->reset_lock);
	ida_init(&hw->ids);
	vgpu_queue_init(&hw->ctrl, hw);
	vgpu_queue_init(&hw->cursor, hw);
	return hw;
}
