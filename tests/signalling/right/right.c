// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Correct code of a driver in the fence signalling path. kbuild must build it, with any
 * debug options of the kernel.
 */

#include "drm_safe_signalling.h"

#include <linux/bitmap.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/dma-fence.h>
#include <linux/io.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timer.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include <drm/drm_drv.h>
#include <drm/drm_print.h>

#include "drm_dev_ctx.h"
#include "drm_dev_ctx_res.h"
#include "drm_gpuvm_imm.h"
#include "drm_shmem_safe.h"

struct right {
	struct drm_dev_ctx ctx;
	struct drm_device *drm;
	struct mutex lock;
	spinlock_t irq_lock;
	struct list_head jobs;
	struct llist_head dead;
	struct rb_root tree;
	struct rb_node node;
	struct xarray jobs_by_id;
	struct work_struct work;
	struct delayed_work later;
	struct timer_list timer;
	struct completion done;
	wait_queue_head_t wait;
	struct kref ref;
	void __iomem *regs;
	u64 *table;
	char name[16];
	unsigned long used[4];
};

struct right_reg {
	struct drm_dev_ctx_reg base;
};

struct right_job {
	struct list_head link;
	struct llist_node dead;
	struct dma_fence *fence;
};

static void right_release(struct kref *ref)
{
	kfree(container_of(ref, struct right, ref));
}

void right_write(struct right *right, const struct sg_table *sgt, u64 offset);
void right_write(struct right *right, const struct sg_table *sgt, u64 offset)
{
	struct sg_dma_page_iter iter;
	unsigned int i = 0;

	for_each_sgtable_dma_page(sgt, &iter, offset >> PAGE_SHIFT)
		right->table[i++] = sg_page_iter_dma_address(&iter);
	memset64(right->table, 0, i);
	memcpy(right->table + i, right->table, i * sizeof(u64));
	bitmap_set(right->used, 0, i);
	if (find_first_zero_bit(right->used, 256) >= 256)
		drm_warn(right->drm, "%s is full\n", right->name);
}

/* Each way for a step to get a proof. */
int right_step(struct right *right, struct drm_shmem_sgt_owned *owned);
int right_step(struct right *right, struct drm_shmem_sgt_owned *owned)
{
	int ret = -ENODEV;

	drm_dev_ctx_guard(right_reg, reg, &right->ctx)
		drm_shmem_sgt_guard_owned(sgt, &reg->base.bound, owned, ret)
			right_write(right, drm_shmem_sgt_table(sgt), 0);
	drm_dev_ctx_guard_live(live, &right->ctx)
		drm_shmem_sgt_guard_owned(sgt, &live->bound, owned, ret)
			right_write(right, drm_shmem_sgt_table(sgt), 0);
	drm_dev_ctx_or(right_reg, reg, &right->ctx, return -ENODEV);
	return drm_dev_ctx_reg_drm(&reg->base) == right->drm ? ret : -EINVAL;
}

struct right_ring {
	DRM_VMAP(SZ_4K);
};

struct right_regs {
	DRM_VMAP_IOMEM(SZ_4K);
};

struct right_hw {
	DRM_DEV_CTX_RES(struct right_regs);
};

/* Registers, and the caches of a device that is not coherent */
int right_touch(struct right *right, struct right_hw *hw, struct drm_shmem_obj *obj);
int right_touch(struct right *right, struct right_hw *hw, struct drm_shmem_obj *obj)
{
	drm_dev_ctx_or(right_reg, reg, &right->ctx, return -ENODEV);
	drm_dev_ctx_res_or(regs, hw, &reg->base.bound, return -ENODEV);

	drm_vmap_write32(regs, 0, 1);
	return drm_shmem_sync_for_device(&reg->base.bound, obj, DMA_TO_DEVICE) ?:
	       drm_shmem_sync_range_for_cpu(&reg->base.bound, obj, 0, 8, DMA_FROM_DEVICE);
}

/* The data that a step reads, and the objects that it puts */
u64 right_look(struct right *right, struct drm_gpuvm_imm_core *core,
	       const struct right_ring *ring, struct drm_gpuvm_bo *vm_bo);
u64 right_look(struct right *right, struct drm_gpuvm_imm_core *core,
	       const struct right_ring *ring, struct drm_gpuvm_bo *vm_bo)
{
	struct drm_gpuvm_imm *vm = drm_gpuvm_imm_get(core);
	u64 mapped = 0;

	if (drm_gpuvm_imm_is_broken(vm))
		drm_warn(right->drm, "%s is broken\n", drm_gpuvm_imm_name(vm));
	drm_gpuvm_imm_for_each(va, core, drm_gpuvm_imm_va_start(vm), drm_gpuvm_imm_va_length(vm))
		mapped += va->va.range;
	if (drm_gpuvm_imm_find(core, 0, mapped) ||
	    drm_gpuvm_imm_is_extobj(vm, drm_gpuvm_imm_resv_obj(vm)))
		mapped = drm_gpuvm_imm_va_end(vm);
	drm_vmap_write64(ring, 0, mapped);
	if (drm_vmap_fill(ring, 8, 0, 8) || drm_vmap_copy_to(ring, 16, right->name, 16) ||
	    drm_vmap_copy_from(ring, 16, right->name, 16))
		mapped = 0;
	drm_gpuvm_imm_bo_put(vm_bo);
	drm_gpuvm_imm_put(vm);
	return mapped;
}

static void right_end(struct right *right, struct right_job *job)
{
	scoped_guard(spinlock_irqsave, &right->irq_lock) {
		list_del_init(&job->link);
		llist_add(&job->dead, &right->dead);
	}
	if (dma_fence_is_signaled(job->fence))
		drm_err_ratelimited(right->drm, "ended twice\n");
	dma_fence_set_error(job->fence, -EIO);
	dma_fence_signal(job->fence);
	dma_fence_put(job->fence);
	queue_work(system_percpu_wq, &right->work);
	mod_delayed_work(system_percpu_wq, &right->later, HZ);
	mod_timer(&right->timer, jiffies + HZ);
	complete_all(&right->done);
	wake_up_all(&right->wait);
}

int right_run(struct right *right, struct drm_gpuvm_imm_core *core,
	      struct drm_gpuvm_imm_update *update, unsigned long id);
int right_run(struct right *right, struct drm_gpuvm_imm_core *core,
	      struct drm_gpuvm_imm_update *update, unsigned long id)
{
	struct right_job *job = xa_load(&right->jobs_by_id, id);
	int idx, ret;

	if (WARN_ON_ONCE(!job))
		return -ENOENT;
	if (!drm_dev_enter(right->drm, &idx))
		return -ENODEV;

	mutex_lock(&right->lock);
	ret = drm_gpuvm_imm_core_run(core, update);
	rb_erase(&right->node, &right->tree);
	mutex_unlock(&right->lock);

	writel(1, right->regs);
	udelay(2);
	if (!readl(right->regs))
		snprintf(right->name, sizeof(right->name), "job %lu", id);
	drm_dev_exit(idx);
	right_end(right, job);
	kref_put(&right->ref, right_release);
	return ret;
}

MODULE_DESCRIPTION("What a driver may do in the fence signalling path");
MODULE_LICENSE("Dual MIT/GPL");
