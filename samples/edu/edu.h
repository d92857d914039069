/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _EDU_H
#define _EDU_H

#include <linux/idr.h>
#include <linux/kref.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include <drm/drm_device.h>

#include "drm_dev_ctx.h"
#include "drm_dev_ctx_async.h"
#include "drm_dev_ctx_res.h"
#include "drm_shmem_safe.h"
#include "edu_uapi.h"

/* The device's own memory, as the device sees it: a window for copies, and the slots */
#define EDU_WINDOW	0x40000
#define EDU_WINDOW_SIZE	SZ_2K
#define EDU_FIRST_SLOT	(EDU_WINDOW + EDU_WINDOW_SIZE)
#define EDU_USED	(EDU_WINDOW_SIZE + DRM_EDU_NUM_SLOTS * DRM_EDU_SLOT_SIZE)

/* The registers */
struct edu_regs {
	DRM_VMAP_IOMEM(SZ_1M);
};

struct edu_regs_res {
	DRM_DEV_CTX_RES(struct edu_regs);
};

/* Coherent memory: zeroes to clear slots, and a buffer for copies between two slots */
struct edu_mem {
	DRM_VMAP(EDU_USED + DRM_EDU_SLOT_SIZE);
};

struct edu_mem_res {
	DRM_DEV_CTX_RES(struct edu_mem);
};

/* A transfer between the machine's memory and the device's; @src is one of them */
struct edu_step {
	u32 src;
	u32 dst;
	u32 len;
	bool to_machine;
};

struct edu_hw;

/*
 * struct edu_job - transfers that the device does one after the other
 *
 * Both functions are called with the lock of the hardware held.
 *
 * Invariants:
 *
 * - @fence is NULL for a job without one, and once it was signalled.
 */
struct edu_job {
	struct list_head node;
	struct dma_fence *fence;
	/* Fills in the next step. Returns 0 if no step is left. */
	int (*next)(struct edu_job *job, struct edu_hw *hw, const struct drm_dev_ctx_bound *bound,
		    struct edu_step *step);
	/* The device does not use the job any more, and has done all steps if @ret is 0. */
	void (*end)(struct edu_job *job, struct edu_hw *hw, const struct drm_dev_ctx_bound *bound,
		    int ret);
};

/* Writes zeroes to @len bytes at @addr of the device's memory. */
struct edu_clear {
	struct edu_job job;
	u32 addr;
	u32 len;
	bool started;
};

/*
 * struct edu_hw - the PCI device, as long as the registration
 *
 * Invariants:
 *
 * - @jobs, @running, @stopped, @deadline and @began are protected by @lock. No job joins @jobs
 *   once @stopped is set.
 * - The device does a step of @running, or nothing if that is NULL. It may still do one after
 *   quiesce has kept it from the memory of the machine.
 * - @over has submits that ended and are not freed yet.
 */
struct edu_hw {
	struct drm_dev_ctx_data base;
	struct pci_dev *pdev;
	struct edu_regs_res regs;
	struct edu_mem_res mem;
	struct drm_dev_ctx_irq irq;
	struct drm_dev_ctx_timer limit;
	struct drm_dev_ctx_work free_work;
	struct llist_head over;
	struct edu_clear clear;		/* of the whole memory, before the first client comes */

	struct mutex order;		/* of the fences: the order of the jobs in @jobs */
	u64 seqno;			/* of the last fence */
	spinlock_t lock;		/* also in interrupts */
	wait_queue_head_t idle;
	struct list_head jobs;
	struct edu_job *running;
	bool stopped;
	unsigned long deadline;		/* of the running step, in jiffies */
	u64 began;			/* when @running began, in ns */
};

/* A device, which lives until its last reference is gone */
struct edu_device {
	struct drm_dev_ctx ctx;
	struct drm_shmem_ends ends;
	struct ida slots;
	u64 context;			/* of the fences */
};

/* Proof that a struct edu_device is registered */
struct edu_reg {
	struct drm_dev_ctx_reg base;
};

/* An open file, which its jobs outlive */
struct edu_file {
	struct kref ref;
	atomic_t jobs;
	atomic64_t busy_ns;
};

static inline struct edu_device *to_edu(struct drm_device *drm)
{
	return drm_dev_ctx_entry(drm, struct edu_device, ctx);
}

static inline struct edu_hw *edu_live_hw(const struct drm_dev_ctx_live *live)
{
	return container_of(drm_dev_ctx_live_data(live), struct edu_hw, base);
}

/* An object of either kind */
struct edu_bo {
	struct drm_shmem_obj shmem;
};

/* Where a part of an object is for the device, and how many bytes are there in one piece */
struct edu_place {
	u32 addr;
	u32 len;
	bool in_device;
};

struct edu_bo_ops {
	size_t (*size)(struct edu_bo *bo);
	/* @sgt is owned, for a buffer, and @offset is less than the size. */
	int (*place)(struct edu_bo *bo, const struct drm_dev_ctx_bound *bound,
		     const struct drm_shmem_sgt_owned *sgt, u64 offset, struct edu_place *place);
};

DRM_SHMEM_OBJ_BASE(edu_bo_base, struct edu_bo, shmem, struct edu_bo_ops);

struct edu_buffer {
	struct edu_bo bo;
};

DRM_SHMEM_OBJ_KIND(edu_buffer_type, struct edu_buffer, bo, struct edu_buffer_unique, edu_bo_base);

/* Has no pages, because the memory is the device's. The end waits until that is cleared. */
struct edu_slot {
	struct edu_bo bo;
	int index;
	struct edu_clear clear;
};

DRM_SHMEM_OBJ_KIND(edu_slot_type, struct edu_slot, bo, struct edu_slot_unique, edu_bo_base);

struct edu_bos {
	DRM_SHMEM_OBJS(struct edu_bo);
};

/* edu_drv.c */
int edu_clear_next(struct edu_job *job, struct edu_hw *hw, const struct drm_dev_ctx_bound *bound,
		   struct edu_step *step);
int edu_queue(const struct drm_dev_ctx_live *live, struct edu_job *job);
void edu_file_put(struct edu_file *file);

/* edu_bo.c */
struct drm_gem_object *edu_gem_create_object(struct drm_device *drm, size_t size);

/* edu_submit.c */
void edu_signal(struct edu_job *job, int ret);
void edu_free_over(struct edu_hw *hw);

DRM_DEV_CTX_IOCTL_DECLARE(EDU_BO_CREATE);
DRM_DEV_CTX_IOCTL_DECLARE(EDU_BO_MMAP_OFFSET);
DRM_DEV_CTX_IOCTL_DECLARE(EDU_BO_FILL);
DRM_DEV_CTX_IOCTL_DECLARE(EDU_BO_LABEL);
DRM_DEV_CTX_IOCTL_DECLARE(EDU_SUBMIT);
DRM_DEV_CTX_IOCTL_DECLARE(EDU_WAIT);

#endif /* _EDU_H */
