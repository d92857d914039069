// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Jobs: from the ioctl through the DRM scheduler to the address space or the
 * engine, and the end of all of them when the device is unplugged.
 *
 * The scheduler gets one job at a time, as there is one engine; that is also
 * what keeps the jobs of an address space in order.
 */

#include <linux/dma-fence-chain.h>
#include <linux/jiffies.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <drm/drm_exec.h>
#include <drm/drm_file.h>
#include <drm/drm_syncobj.h>

#include "sgpu_drv.h"
#include "sgpu_sched.h"
#include "sgpu_vm.h"

static unsigned int sgpu_timeout_ms = 30000;
module_param_named(timeout_ms, sgpu_timeout_ms, uint, 0444);
MODULE_PARM_DESC(timeout_ms, "How long a job may take, in milliseconds (default: 30000)");

/* In the fence signalling path: allocates nothing, takes no resv lock. */
static struct dma_fence *sgpu_run_job(struct drm_sched_job *base)
{
	struct sgpu_job *job = container_of(base, struct sgpu_job, base);
	bool cookie;
	int ret;

	if (job->cmds)
		return sgpu_engine_start(job->vm->hw, job);

	cookie = dma_fence_begin_signalling();
	ret = sgpu_vm_run_binds(job->vm, job->binds, job->count);
	dma_fence_end_signalling(cookie);

	/* No fence: the job is done. */
	return ERR_PTR(ret);
}

/* A real GPU is reset here. The engine ends the job itself, when told so. */
static enum drm_gpu_sched_stat sgpu_timedout_job(struct drm_sched_job *base)
{
	struct sgpu_job *job = container_of(base, struct sgpu_job, base);

	WRITE_ONCE(job->timed_out, true);
	return DRM_GPU_SCHED_STAT_NO_HANG;
}

/* sgpu_hw_stop() has ended every job that reached the engine. */
static void sgpu_cancel_job(struct drm_sched_job *base)
{
}

static void sgpu_job_release(struct sgpu_job *job)
{
	u32 i;

	for (i = 0; i < job->signal_count; i++) {
		dma_fence_chain_free(job->signals[i].chain);
		drm_syncobj_put(job->signals[i].syncobj);
	}
	kfree(job->signals);

	if (dma_fence_was_initialized(job->fence))
		dma_fence_put(job->fence);
	else
		kfree(job->fence);

	if (job->binds)
		sgpu_vm_drop_binds(job->binds, job->count);
	kvfree(job->cmds);
	sgpu_vm_put(job->vm);
	kfree(job);
	if (atomic_dec_and_test(&sgpu_live.jobs))
		wake_up_var(&sgpu_live.jobs);
}

static void sgpu_job_release_work(struct work_struct *work)
{
	sgpu_job_release(container_of(work, struct sgpu_job, release_work));
}

/*
 * The scheduler runs this where other jobs wait for it. What the job holds may
 * be the last reference to imported buffers, whose release takes the exporter's
 * reservation lock.
 */
static void sgpu_free_job(struct drm_sched_job *base)
{
	struct sgpu_job *job = container_of(base, struct sgpu_job, base);

	drm_sched_job_cleanup(base);
	INIT_WORK(&job->release_work, sgpu_job_release_work);
	queue_work(sgpu_wq, &job->release_work);
}

static const struct drm_sched_backend_ops sgpu_sched_ops = {
	.run_job = sgpu_run_job,
	.timedout_job = sgpu_timedout_job,
	.cancel_job = sgpu_cancel_job,
	.free_job = sgpu_free_job,
};

static void sgpu_hw_release(struct kref *ref)
{
	struct sgpu_hw *hw = container_of(ref, struct sgpu_hw, ref);

	mutex_destroy(&hw->lock);
	/* Fences name the scheduler until a grace period after they signal. */
	kfree_rcu(hw, rcu);
}

struct sgpu_hw *sgpu_hw_get(struct sgpu_hw *hw)
{
	kref_get(&hw->ref);
	return hw;
}

void sgpu_hw_put(struct sgpu_hw *hw)
{
	kref_put(&hw->ref, sgpu_hw_release);
}

/* Make the hardware of @dev; ended by sgpu_hw_stop() and sgpu_hw_put(). */
struct sgpu_hw *sgpu_hw_create(struct device *dev)
{
	const struct drm_sched_init_args args = {
		.ops = &sgpu_sched_ops,
		.num_rqs = DRM_SCHED_PRIORITY_COUNT,
		.credit_limit = 1,
		.timeout = msecs_to_jiffies(sgpu_timeout_ms),
		.name = "sgpu",
		.dev = dev,
	};
	struct sgpu_hw *hw;
	int ret;

	hw = kzalloc_obj(*hw);
	if (!hw)
		return ERR_PTR(-ENOMEM);

	kref_init(&hw->ref);
	hw->dev = dev;
	mutex_init(&hw->lock);
	INIT_LIST_HEAD(&hw->queues);
	hw->fence_context = dma_fence_context_alloc(1);

	hw->engine = alloc_ordered_workqueue("sgpu-engine", WQ_MEM_RECLAIM);
	if (!hw->engine) {
		ret = -ENOMEM;
		goto err_put;
	}

	ret = drm_sched_init(&hw->sched, &args);
	if (ret)
		goto err_engine;

	return hw;

err_engine:
	destroy_workqueue(hw->engine);
err_put:
	sgpu_hw_put(hw);
	return ERR_PTR(ret);
}

static void sgpu_queue_end(struct sgpu_queue *queue)
{
	list_del_init(&queue->node);
	drm_sched_entity_fini(&queue->entity);
}

/*
 * The device is unplugged: no ioctl runs and none will. End all jobs, before
 * the memory that the engine accesses is unmapped. Does nothing a second time.
 */
void sgpu_hw_stop(struct sgpu_hw *hw)
{
	struct sgpu_queue *queue, *next;

	if (hw->stopped)
		return;
	WRITE_ONCE(hw->stopped, true);
	scoped_guard(mutex, &hw->lock) {
		/* As in sgpu_queue_kill() */
		drm_sched_wqueue_stop(&hw->sched);
		list_for_each_entry_safe(queue, next, &hw->queues, node)
			sgpu_queue_end(queue);
		drm_sched_wqueue_start(&hw->sched);
	}
	destroy_workqueue(hw->engine);
	drm_sched_fini(&hw->sched);
}

int sgpu_queue_init(struct sgpu_queue *queue, struct sgpu_hw *hw)
{
	struct drm_gpu_scheduler *sched = &hw->sched;
	int ret;

	ret = drm_sched_entity_init(&queue->entity, DRM_SCHED_PRIORITY_NORMAL,
				    &sched, 1, NULL);
	if (ret)
		return ret;

	guard(mutex)(&hw->lock);
	list_add(&queue->node, &hw->queues);
	return 0;
}

/*
 * Cancel the jobs that did not start, and take no more. The scheduler stops for
 * that: one that has just taken a job of the entity, and sees that there is
 * another, puts the entity back among those that have jobs, also if it was ended
 * meanwhile. Nobody would take it out again.
 */
void sgpu_queue_kill(struct sgpu_queue *queue, struct sgpu_hw *hw)
{
	guard(mutex)(&hw->lock);
	if (list_empty(&queue->node))
		return;
	drm_sched_wqueue_stop(&hw->sched);
	sgpu_queue_end(queue);
	drm_sched_wqueue_start(&hw->sched);
}

static int sgpu_job_add_wait(struct sgpu_job *job, struct sgpu_file *file,
			     const struct drm_sgpu_sync *sync)
{
	struct dma_fence *fence;
	int ret;

	ret = drm_syncobj_find_fence(sgpu_file_drm(file), sync->handle,
				     sync->point, 0, &fence);
	return ret ?: drm_sched_job_add_dependency(&job->base, fence);
}

static int sgpu_job_add_signal(struct sgpu_job *job, struct sgpu_file *file,
			       const struct drm_sgpu_sync *sync)
{
	struct sgpu_signal *signal = &job->signals[job->signal_count];

	if (sync->flags & DRM_SGPU_SYNC_TIMELINE) {
		signal->chain = dma_fence_chain_alloc();
		if (!signal->chain)
			return -ENOMEM;
	}
	signal->point = sync->point;
	signal->syncobj = drm_syncobj_find(sgpu_file_drm(file), sync->handle);
	if (!signal->syncobj) {
		dma_fence_chain_free(signal->chain);
		return -ENOENT;
	}
	job->signal_count++;
	return 0;
}

static int sgpu_job_add_sync(struct sgpu_job *job, struct sgpu_file *file,
			     const struct drm_sgpu_sync *sync)
{
	bool timeline = sync->flags & DRM_SGPU_SYNC_TIMELINE;

	if (sync->flags & ~(DRM_SGPU_SYNC_SIGNAL | DRM_SGPU_SYNC_TIMELINE))
		return -EINVAL;
	if (timeline != !!sync->point)
		return -EINVAL;
	if (sync->flags & DRM_SGPU_SYNC_SIGNAL)
		return sgpu_job_add_signal(job, file, sync);
	return sgpu_job_add_wait(job, file, sync);
}

static int sgpu_job_add_syncs(struct sgpu_job *job, struct sgpu_file *file,
			      u64 user, u32 count)
{
	struct drm_sgpu_sync *syncs __free(kfree) = NULL;
	int ret = 0;
	u32 i;

	if (count > DRM_SGPU_MAX_SYNCS)
		return -EINVAL;
	if (!count)
		return 0;

	job->signals = kzalloc_objs(*job->signals, count);
	if (!job->signals)
		return -ENOMEM;

	syncs = memdup_array_user(u64_to_user_ptr(user), count, sizeof(*syncs));
	if (IS_ERR(syncs))
		return PTR_ERR(syncs);

	for (i = 0; i < count && !ret; i++)
		ret = sgpu_job_add_sync(job, file, &syncs[i]);
	return ret;
}

/*
 * A job for @vm, which it holds, with the syncobjs that the client gave. The
 * caller adds what it shall do, and submits or frees it.
 */
struct sgpu_job *sgpu_job_create(struct sgpu_vm *vm, struct sgpu_file *file,
				 u64 syncs, u32 sync_count)
{
	struct sgpu_job *job;
	int ret;

	job = kzalloc_obj(*job, GFP_KERNEL_ACCOUNT);
	if (!job)
		return ERR_PTR(-ENOMEM);

	ret = drm_sched_job_init(&job->base, &vm->queue.entity, 1, vm,
				 sgpu_file_drm(file)->client_id);
	if (ret) {
		kfree(job);
		return ERR_PTR(ret);
	}
	job->vm = sgpu_vm_get(vm);
	atomic_inc(&sgpu_live.jobs);

	ret = sgpu_job_add_syncs(job, file, syncs, sync_count);
	if (ret) {
		sgpu_job_free(job);
		return ERR_PTR(ret);
	}
	return job;
}

/* Free a job that was not submitted. */
void sgpu_job_free(struct sgpu_job *job)
{
	drm_sched_job_cleanup(&job->base);
	sgpu_job_release(job);
}

static void sgpu_job_signal(struct sgpu_job *job, struct dma_fence *fence)
{
	struct sgpu_signal *signal;
	u32 i;

	for (i = 0; i < job->signal_count; i++) {
		signal = &job->signals[i];
		if (signal->chain)
			drm_syncobj_add_point(signal->syncobj, signal->chain,
					      fence, signal->point);
		else
			drm_syncobj_replace_fence(signal->syncobj, fence);
		signal->chain = NULL;
	}
}

/*
 * Arm and queue @job. Commands leave their fence with every buffer that they
 * can reach, which @exec has locked; it orders nothing, but says what is busy.
 */
static int sgpu_job_queue(struct sgpu_job *job, struct drm_exec *exec,
			  u64 *number)
{
	struct sgpu_queue *queue = &job->vm->queue;
	struct dma_fence *fence;

	guard(mutex)(&job->vm->hw->lock);
	if (list_empty(&queue->node))
		return -ENOENT;

	drm_sched_job_arm(&job->base);
	job->number = ++queue->jobs;
	*number = job->number;
	fence = &job->base.s_fence->finished;
	if (exec)
		drm_gpuvm_imm_add_fence(sgpu_gpuvm_shared(job->vm), exec, fence,
					DMA_RESV_USAGE_BOOKKEEP,
					DMA_RESV_USAGE_BOOKKEEP);
	sgpu_job_signal(job, fence);
	drm_sched_entity_push_job(&job->base);
	return 0;
}

/* Tell the shrinker what commands are about to use. */
static void sgpu_job_touch(struct drm_exec *exec)
{
	struct drm_gem_object *gem;
	struct sgpu_bo *bo;

	drm_exec_for_each_locked_object(exec, gem) {
		dma_resv_assert_held(gem->resv);
		bo = to_sgpu_bo(gem);
		if (bo)
			drm_shmem_touch(&bo->shmem, &sgpu_dev(gem->dev)->shrinker);
	}
}

static int sgpu_job_queue_locked(struct sgpu_job *job, u64 *number)
{
	struct drm_exec exec;
	int ret;

	drm_exec_init(&exec, DRM_EXEC_IGNORE_DUPLICATES, 0);
	drm_exec_until_all_locked(&exec) {
		ret = drm_gpuvm_imm_lock(sgpu_gpuvm_shared(job->vm), &exec, 1);
		drm_exec_retry_on_contention(&exec);
		if (ret)
			break;
	}
	if (!ret)
		ret = sgpu_vm_validate(job->vm, &exec);
	if (!ret) {
		sgpu_job_touch(&exec);
		ret = sgpu_job_queue(job, &exec, number);
	}
	drm_exec_fini(&exec);
	return ret;
}

/*
 * Queue @job, which is used up, and tell its number. Fails with -ENOENT if its
 * address space was destroyed meanwhile.
 */
int sgpu_job_submit(struct sgpu_job *job, u64 *number)
{
	int ret = job->cmds ? sgpu_job_queue_locked(job, number) :
			      sgpu_job_queue(job, NULL, number);

	if (ret)
		sgpu_job_free(job);
	return ret;
}
