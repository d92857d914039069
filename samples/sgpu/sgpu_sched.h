/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _SGPU_SCHED_H
#define _SGPU_SCHED_H

#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>

#include <drm/gpu_scheduler.h>

#include "drm_gpuvm_imm.h"
#include "sgpu_drv.h"

struct drm_syncobj;
struct sgpu_vm;

/*
 * struct sgpu_hw - the GPU: the engine, and the workqueue of the schedulers
 *
 * The registration data of a device. Address spaces hold references, because
 * their schedulers use the workqueue until they are freed.
 *
 * Invariants:
 *
 * - @stopped is set once and stays set. After that, a job that starts on @submit_wq fails, and a
 *   running job ends at its next step. So flushing @submit_wq and then @engine waits for all jobs.
 */
struct sgpu_hw {
	struct drm_dev_ctx_data base;
	struct kref ref;
	struct device *dev;
	struct workqueue_struct *submit_wq;	/* starts jobs, and makes binds */
	struct workqueue_struct *engine;	/* executes commands, one job at a time */
	bool stopped;
};

static inline struct sgpu_hw *sgpu_reg_data(const struct sgpu_reg *reg)
{
	return container_of(drm_dev_ctx_reg_data(&reg->base), struct sgpu_hw, base);
}

/*
 * struct sgpu_queue - the jobs of an address space, in order
 *
 * Each address space has a scheduler of its own, so its jobs do not wait for those of others,
 * except that the engine executes one job with commands at a time.
 *
 * Invariants:
 *
 * - @lock is held from the arming of a job's fences until the job is queued. Its holder waits
 *   for nothing.
 * - Once @closed is set, under @lock, no job is queued, and a running job ends at its next
 *   step.
 */
struct sgpu_queue {
	struct drm_gpu_scheduler sched;
	struct drm_sched_entity entity;
	struct mutex lock;	/* see above */
	bool closed;
	u64 jobs;
	u64 fence_context;
};

/*
 * struct sgpu_job - a job of an address space
 *
 * A job either changes the address space, in the scheduler's work item, or has commands that the
 * engine executes.
 *
 * Invariant: @deadline, in jiffies, is 0 until the job runs. The thread that runs the
 * job sets and reads it, and ends the job at its first step after that time.
 */
struct sgpu_job {
	struct drm_sched_job base;
	struct sgpu_vm *vm;
	u64 number;
	u32 count;
	struct drm_gpuvm_imm_update *binds;
	struct drm_sgpu_cmd *cmds;

	/* The engine's fence, for commands; initialised when they start */
	struct dma_fence *fence;
	struct work_struct work;
	unsigned long deadline;
	struct work_struct release_work;

	/* Out syncobjs, each with its reference, and a chain for a timeline */
	struct sgpu_signal {
		struct drm_syncobj *syncobj;
		struct dma_fence_chain *chain;
		u64 point;
	} *signals;
	u32 signal_count;
};

struct sgpu_hw *sgpu_hw_create(struct device *dev);
void sgpu_hw_stop(struct sgpu_hw *hw);
struct sgpu_hw *sgpu_hw_get(struct sgpu_hw *hw);
void sgpu_hw_put(struct sgpu_hw *hw);

int sgpu_queue_init(struct sgpu_queue *queue, struct sgpu_hw *hw);
void sgpu_queue_close(struct sgpu_queue *queue);
void sgpu_queue_fini(struct sgpu_queue *queue);

struct sgpu_job *sgpu_job_create(struct sgpu_file *file, u32 vm_id,
				 const struct drm_sgpu_sync *syncs, u32 sync_count);
int sgpu_job_submit(struct sgpu_job *job, int ret, u64 *number);

/* sgpu_job.c */
void sgpu_job_begin(struct sgpu_job *job);
int sgpu_job_check(struct sgpu_job *job);
struct dma_fence *sgpu_run_job(struct drm_sched_job *base);

/* sgpu_engine.c */
struct dma_fence *sgpu_engine_start(struct sgpu_job *job);

#endif /* _SGPU_SCHED_H */
