// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * edu: a driver for the educational PCI device of QEMU, on the DRM safe helpers. This file has the
 * device: its beginning and end, its registers, and its interrupt.
 */

#include <linux/dma-fence.h>
#include <linux/iopoll.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_print.h>

#include "edu.h"

#define EDU_LIVENESS	0x04	/* reads as the complement of the last written value */
#define EDU_IRQ_STATUS	0x24
#define EDU_IRQ_ACK	0x64
#define EDU_DMA_SRC	0x80
#define EDU_DMA_DST	0x88
#define EDU_DMA_COUNT	0x90
#define EDU_DMA_CMD	0x98
#define  EDU_CMD_RUN		BIT(0)
#define  EDU_CMD_TO_MACHINE	BIT(1)
#define  EDU_CMD_IRQ		BIT(2)

/* How long the device may take for a step */
#define EDU_LIMIT	(10 * HZ)

/* Starts the next step of a job, and returns 1; or 0 if the job has none, or an error. */
static int edu_start_step(struct edu_hw *hw, const struct drm_dev_ctx_bound *bound,
			  struct edu_job *job)
{
	struct edu_step step;
	int ret;

	drm_dev_ctx_res_or(regs, &hw->regs, bound, return -ENODEV);
	ret = job->next(job, hw, bound, &step);
	if (ret <= 0)
		return ret;
	if (hw->stopped)
		return -ENODEV;
	drm_vmap_write32(regs, EDU_DMA_SRC, step.src);
	drm_vmap_write32(regs, EDU_DMA_DST, step.dst);
	drm_vmap_write32(regs, EDU_DMA_COUNT, step.len);
	drm_vmap_write32(regs, EDU_DMA_CMD, EDU_CMD_RUN | EDU_CMD_IRQ |
			 (step.to_machine ? EDU_CMD_TO_MACHINE : 0));
	hw->deadline = jiffies + EDU_LIMIT;
	drm_dev_ctx_timer_mod(&hw->limit, hw->deadline);
	return 1;
}

/* The device does nothing. Starts the next step, and ends the jobs that have none. */
static void edu_advance(struct edu_hw *hw, const struct drm_dev_ctx_bound *bound)
	__must_hold(&hw->lock)
{
	struct edu_job *job;
	int ret;

	while (hw->running || !list_empty(&hw->jobs)) {
		if (!hw->running) {
			hw->running = list_first_entry(&hw->jobs, struct edu_job, node);
			list_del(&hw->running->node);
			hw->began = ktime_get_ns();
		}
		job = hw->running;
		ret = edu_start_step(hw, bound, job);
		if (ret > 0)
			return;
		hw->running = NULL;
		job->end(job, hw, bound, ret);
	}
	wake_up(&hw->idle);
}

/* Queues a job. On failure, the job was not touched. */
int edu_queue(const struct drm_dev_ctx_live *live, struct edu_job *job)
{
	struct edu_hw *hw = edu_live_hw(live);

	guard(spinlock_irqsave)(&hw->lock);
	if (hw->stopped)
		return -ENODEV;
	list_add_tail(&job->node, &hw->jobs);
	if (!hw->running)
		edu_advance(hw, &live->bound);
	return 0;
}

/* If the device is done with its step, starts the next one. Returns whether it is done. */
static bool edu_answered(struct edu_hw *hw, const struct edu_regs *regs,
			 const struct drm_dev_ctx_bound *bound) __must_hold(&hw->lock)
{
	if (drm_vmap_read32(regs, EDU_DMA_CMD) & EDU_CMD_RUN)
		return false;
	if (hw->running)
		edu_advance(hw, bound);
	return true;
}

/* Clients, and quiesce, wait for this: a completer. */
static irqreturn_t edu_irq(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data,
			   struct drm_dev_ctx_irq *irq)
{
	struct edu_hw *hw = edu_live_hw(live);
	u32 status;

	drm_dev_ctx_res_or(regs, &hw->regs, &live->bound, return IRQ_NONE);
	status = drm_vmap_read32(regs, EDU_IRQ_STATUS);
	if (!status)
		return IRQ_NONE;
	drm_vmap_write32(regs, EDU_IRQ_ACK, status);
	guard(spinlock_irqsave)(&hw->lock);
	edu_answered(hw, regs, &live->bound);
	return IRQ_HANDLED;
}

static const struct drm_dev_ctx_irq_ops edu_irq_ops = {
	.handler = edu_irq,
};

/*
 * The device has not answered in time. Nobody has to wait for it any longer, but it may still write
 * to memory: the jobs keep that until the device answers, or quiesce cuts it off.
 */
static void edu_limit(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data,
		      struct drm_dev_ctx_timer *timer)
{
	struct edu_hw *hw = edu_live_hw(live);
	struct edu_job *job;

	drm_dev_ctx_res_or(regs, &hw->regs, &live->bound, return);
	guard(spinlock_irqsave)(&hw->lock);
	/* The timer may have expired just before the device began another step. */
	if (!hw->running || time_before(jiffies, hw->deadline) ||
	    edu_answered(hw, regs, &live->bound))
		return;
	drm_err(drm_dev_ctx_live_drm(live), "the device does not answer\n");
	hw->stopped = true;
	edu_signal(hw->running, -ETIMEDOUT);
	list_for_each_entry(job, &hw->jobs, node)
		edu_signal(job, -ETIMEDOUT);
}

static void edu_free_work(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data,
			  struct drm_dev_ctx_work *work)
{
	edu_free_over(edu_live_hw(live));
}

int edu_clear_next(struct edu_job *job, struct edu_hw *hw, const struct drm_dev_ctx_bound *bound,
		   struct edu_step *step)
{
	struct edu_clear *clear = container_of(job, struct edu_clear, job);

	if (clear->started)
		return 0;
	clear->started = true;
	*step = (struct edu_step) {
		.src = drm_dev_ctx_res_dma(&hw->mem, bound),
		.dst = clear->addr,
		.len = clear->len,
	};
	return 1;
}

static void edu_clear_end(struct edu_job *job, struct edu_hw *hw,
			  const struct drm_dev_ctx_bound *bound, int ret)
{
}

/*
 * Waits for the running step and starts no other. A step takes the device a tenth of a second. If
 * it does not answer at all, it is kept from the memory of the machine.
 */
static void edu_quiesce(const struct drm_dev_ctx_bound *bound, struct drm_dev_ctx_data *data)
{
	struct edu_hw *hw = container_of(data, struct edu_hw, base);
	struct edu_job *job;

	scoped_guard(spinlock_irq, &hw->lock)
		hw->stopped = true;
	wait_event_timeout(hw->idle, !READ_ONCE(hw->running), EDU_LIMIT);
	pci_clear_master(hw->pdev);

	guard(spinlock_irq)(&hw->lock);
	job = hw->running;
	if (job) {
		hw->running = NULL;
		job->end(job, hw, bound, -ENODEV);
		edu_advance(hw, bound);
	}
}

static void edu_release(struct drm_dev_ctx_data *data)
{
	struct edu_hw *hw = container_of(data, struct edu_hw, base);

	edu_free_over(hw);
	kfree(hw);
}

static const struct drm_dev_ctx_ops edu_reg_ops = {
	.quiesce = edu_quiesce,
	.release = edu_release,
};

static int edu_open(struct drm_device *drm, struct drm_file *drm_file)
{
	struct edu_file *file = kzalloc_obj(*file, GFP_KERNEL_ACCOUNT);

	if (!file)
		return -ENOMEM;
	kref_init(&file->ref);
	drm_file->driver_priv = file;
	return 0;
}

static void edu_file_release(struct kref *ref)
{
	kfree(container_of(ref, struct edu_file, ref));
}

void edu_file_put(struct edu_file *file)
{
	kref_put(&file->ref, edu_file_release);
}

static void edu_postclose(struct drm_device *drm, struct drm_file *drm_file)
{
	edu_file_put(drm_file->driver_priv);
}

static void edu_show_fdinfo(struct drm_printer *p, struct drm_file *drm_file)
{
	struct edu_file *file = drm_file->driver_priv;

	drm_shmem_show_fdinfo(p, drm_file);
	drm_printf(p, "drm-engine-dma:\t%llu ns\n", (u64)atomic64_read(&file->busy_ns));
}

DRM_DEV_CTX_IOCTLS(edu_ioctls) = {
	DRM_DEV_CTX_IOCTL_DEF(EDU_BO_CREATE, DRM_RENDER_ALLOW),
	DRM_DEV_CTX_IOCTL_DEF(EDU_BO_MMAP_OFFSET, DRM_RENDER_ALLOW),
	DRM_DEV_CTX_IOCTL_DEF(EDU_BO_FILL, DRM_RENDER_ALLOW),
	DRM_DEV_CTX_IOCTL_DEF(EDU_BO_LABEL, DRM_RENDER_ALLOW),
	DRM_DEV_CTX_IOCTL_DEF(EDU_SUBMIT, DRM_RENDER_ALLOW),
	DRM_DEV_CTX_IOCTL_DEF(EDU_WAIT, DRM_RENDER_ALLOW),
};

DEFINE_DRM_SHMEM_FOPS(edu_fops);

static const struct drm_driver edu_driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER | DRIVER_SYNCOBJ,
	.open = edu_open,
	.postclose = edu_postclose,
	.ioctls = edu_ioctls,
	.num_ioctls = ARRAY_SIZE(edu_ioctls),
	.fops = &edu_fops,
	.gem_create_object = edu_gem_create_object,
	DRM_SHMEM_RENDER_OPS_FDINFO(edu_show_fdinfo),
	.name = "edu",
	.desc = "educational device of QEMU",
	.major = 1,
};

/* The device has 28 address lines. */
static const struct drm_shmem_device_opts edu_device_opts = {
	.dma_mask = DMA_BIT_MASK(28),
	.max_segment = EDU_WINDOW_SIZE,
};

static int edu_map(struct edu_hw *hw, const struct drm_dev_ctx_bound *bound)
{
	u32 value;
	int ret;

	ret = drm_dev_ctx_ioremap(&hw->regs, bound, pci_resource_n(hw->pdev, 0));
	if (ret)
		return ret;
	ret = drm_dev_ctx_dma_alloc(&hw->mem, bound, EDU_USED + DRM_EDU_SLOT_SIZE);
	if (ret)
		return ret;

	drm_dev_ctx_res_or(regs, &hw->regs, bound, return -ENODEV);
	drm_vmap_write32(regs, EDU_LIVENESS, EDU_WINDOW);
	if (drm_vmap_read32(regs, EDU_LIVENESS) != ~EDU_WINDOW)
		return -ENODEV;
	/* Somebody may have left the device busy, such as the kernel before this one. */
	ret = read_poll_timeout(drm_vmap_read32, value, !(value & EDU_CMD_RUN), 10 * USEC_PER_MSEC,
				10 * USEC_PER_SEC, false, regs, EDU_DMA_CMD);
	drm_vmap_write32(regs, EDU_IRQ_ACK, drm_vmap_read32(regs, EDU_IRQ_STATUS));
	return ret;
}

/* From here on, the device does DMA and interrupts. */
static int edu_start(const struct drm_dev_ctx_live *live)
{
	struct edu_hw *hw = edu_live_hw(live);
	int ret;

	ret = edu_map(hw, &live->bound);
	if (ret)
		return ret;
	drm_dev_ctx_timer_init(&hw->limit, live, edu_limit);
	drm_dev_ctx_work_init(&hw->free_work, live, edu_free_work);
	ret = pci_alloc_irq_vectors(hw->pdev, 1, 1, PCI_IRQ_ALL_TYPES);
	if (ret < 0)
		return ret;
	ret = drm_dev_ctx_irq_request(&hw->irq, live, pci_irq_vector(hw->pdev, 0), &edu_irq_ops,
				      IRQF_SHARED, "edu");
	if (ret)
		return ret;
	pci_set_master(hw->pdev);
	return edu_queue(live, &hw->clear.job);
}

static struct edu_hw *edu_hw_create(struct pci_dev *pdev)
{
	struct edu_hw *hw = kzalloc_obj(*hw);

	if (!hw)
		return NULL;
	hw->pdev = pdev;
	hw->clear = (struct edu_clear) {
		.job = { .next = edu_clear_next, .end = edu_clear_end },
		.addr = EDU_WINDOW,
		.len = EDU_USED,
	};
	mutex_init(&hw->order);
	spin_lock_init(&hw->lock);
	init_waitqueue_head(&hw->idle);
	INIT_LIST_HEAD(&hw->jobs);
	init_llist_head(&hw->over);
	return hw;
}

static int edu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	const struct drm_dev_ctx_live *live;
	struct edu_device *edu;
	struct edu_hw *hw;
	int ret;

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;

	struct drm_dev_ctx_unreg *unreg __free(drm_dev_ctx_unreg) =
		drm_dev_ctx_alloc(&pdev->dev, &edu_driver, struct edu_device, ctx);
	if (IS_ERR(unreg))
		return PTR_ERR(unreg);
	edu = to_edu(drm_dev_ctx_unreg_drm(unreg));
	ida_init(&edu->slots);
	edu->context = dma_fence_context_alloc(1);
	ret = drm_shmem_set_device_opts(unreg, &edu_device_opts);
	if (ret)
		return ret;
	ret = drm_shmem_ends_init(&edu->ends, &unreg->bound);
	if (ret)
		return ret;

	hw = edu_hw_create(pdev);
	if (!hw)
		return -ENOMEM;
	live = drm_dev_ctx_attach(unreg, &edu_reg_ops, &hw->base);
	if (IS_ERR(live))
		return PTR_ERR(live);
	ret = edu_start(live);
	if (ret)
		return ret;
	pci_set_drvdata(pdev, &edu->ctx);
	return drm_dev_ctx_register(&pdev->dev, &unreg, NULL, NULL);
}

/* PCI may suspend the device when this returns, so devres would be too late. */
static void edu_remove(struct pci_dev *pdev)
{
	drm_dev_ctx_unregister(pci_get_drvdata(pdev));
}

static void edu_shutdown(struct pci_dev *pdev)
{
	drm_dev_ctx_shutdown(&pdev->dev);
}

static const struct pci_device_id edu_ids[] = { { PCI_DEVICE(0x1234, 0x11e8) }, { } };
MODULE_DEVICE_TABLE(pci, edu_ids);

static struct pci_driver edu_pci_driver = {
	.name = KBUILD_MODNAME,
	.id_table = edu_ids,
	.probe = edu_probe,
	.remove = edu_remove,
	.shutdown = edu_shutdown,
};
module_pci_driver(edu_pci_driver);

MODULE_DESCRIPTION("Educational device of QEMU, a sample for the DRM safe helpers");
MODULE_LICENSE("Dual MIT/GPL");
MODULE_IMPORT_NS("DMA_BUF");
