/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _SGPU_SCHED_H
#define _SGPU_SCHED_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>

#include <drm/gpu_scheduler.h>

#include "drm_gpuvm_imm.h"
#include "sgpu_uapi.h"

struct drm_syncobj;
struct sgpu_file;
struct sgpu_vm;

/*
 * struct sgpu_hw - the GPU: a scheduler and the engine that it feeds
 *
 * The registration data of a device. Address spaces hold references, because
 * their jobs name the scheduler until they are freed.
 *
 * Invariants:
 *
 * - @queues lists the queues that can run jobs; @lock protects it, and is
 *   held from the moment a job's fences are armed until the job is queued.
 * - Once @stopped is set, which it stays, no job starts, and the engine ends
 *   the one that it works on.
 */
struct sgpu_hw {
	struct kref ref;
	struct device *dev;
	struct drm_gpu_scheduler sched;
	struct workqueue_struct *engine;
	u64 fence_context;
	u64 fence_seqno;
	bool stopped;

	struct mutex lock;	/* see above */
	struct list_head queues;
	struct rcu_head rcu;
};

/*
 * struct sgpu_queue - the jobs of an address space, in order
 *
 * Invariant: on the hardware's list, if and only if @entity is initialised.
 */
struct sgpu_queue {
	struct list_head node;
	struct drm_sched_entity entity;
	u64 jobs;
};

/*
 * struct sgpu_job - something for an address space to do
 *
 * Either a change of the address space, run by the scheduler itself, or
 * commands, run by the engine.
 */
struct sgpu_job {
	struct drm_sched_job base;
	struct sgpu_vm *vm;
	u64 number;
	u32 count;
	struct drm_gpuvm_update *binds;
	struct drm_sgpu_cmd *cmds;

	/* The engine's fence, for commands; initialised when they start */
	struct dma_fence *fence;
	struct work_struct work;
	bool timed_out;
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
void sgpu_queue_kill(struct sgpu_queue *queue, struct sgpu_hw *hw);

struct sgpu_job *sgpu_job_create(struct sgpu_vm *vm, struct sgpu_file *file,
				 u64 syncs, u32 sync_count);
int sgpu_job_submit(struct sgpu_job *job, u64 *number);
void sgpu_job_free(struct sgpu_job *job);

/* sgpu_engine.c */
struct dma_fence *sgpu_engine_start(struct sgpu_hw *hw, struct sgpu_job *job);

#endif /* _SGPU_SCHED_H */
