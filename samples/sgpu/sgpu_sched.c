// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Jobs: from the ioctl through the DRM scheduler to the address space or the
 * engine, and the end of all of them when the device is unplugged.
 *
 * The scheduler of an address space gets one job at a time, which keeps the jobs in order. A
 * job holds no lock that an ioctl of another client takes while it waits.
 */

#include <linux/dma-fence-chain.h>
#include <linux/jiffies.h>
#include <linux/moduleparam.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include <drm/drm_exec.h>
#include <drm/drm_file.h>
#include <drm/drm_syncobj.h>

#include "sgpu_drv.h"
#include "sgpu_fault.h"
#include "sgpu_sched.h"
#include "sgpu_vm.h"

static unsigned int sgpu_timeout_ms = 30000;
module_param_named(timeout_ms, sgpu_timeout_ms, uint, 0644);
MODULE_PARM_DESC(timeout_ms, "How long a job of a new VM may take, in milliseconds (default: 30000)");

/*
 * A driver for a real GPU resets it here. The software GPU calls sgpu_job_check() often, and ends a
 * job that takes too long by itself. The scheduler's timeout does not help, because it includes the
 * time that the job waits for the engine.
 */
static enum drm_gpu_sched_stat sgpu_timedout_job(struct drm_sched_job *base)
{
	return DRM_GPU_SCHED_STAT_NO_HANG;
}

static void sgpu_job_release(struct sgpu_job *job)
{
	u32 i;

	for (i = 0; i < job->signal_count; i++) {
		dma_fence_chain_free(job->signals[i].chain);
		drm_syncobj_put(job->signals[i].syncobj);
	}
	kfree(job->signals);

	if (dma_fence_was_initialized(job->fence)) {
		/* The work item uses the scheduler, in the address space, after the job is done. */
		flush_work(&job->work);
		dma_fence_put(job->fence);
	} else {
		kfree(job->fence);
	}

	if (job->binds)
		sgpu_bind_drop(job);
	kvfree(job->cmds);
	atomic_dec(&job->vm->file->job_count);
	drm_dev_ctx_id_put(&job->vm->obj);
	kfree(job);
	if (atomic_dec_and_test(&sgpu_live.jobs))
		wake_up_var(&sgpu_live.jobs);
}

static void sgpu_job_release_work(struct work_struct *work)
{
	sgpu_job_release(container_of(work, struct sgpu_job, release_work));
}

/*
 * Other jobs wait while the scheduler runs this. The job may hold the last reference to
 * imported buffers, and releasing these takes the reservation lock of the exporter. So a work
 * item frees the job.
 */
static void sgpu_free_job(struct drm_sched_job *base)
{
	struct sgpu_job *job = container_of(base, struct sgpu_job, base);

	drm_sched_job_cleanup(base);
	INIT_WORK(&job->release_work, sgpu_job_release_work);
	/* The work item may end the wait of sgpu_wait_for_end(). For RCU, see sgpu_release(). */
	guard(rcu)();
	queue_work(sgpu_wq, &job->release_work);
}

static const struct drm_sched_backend_ops sgpu_sched_ops = {
	.run_job = sgpu_run_job,
	.timedout_job = sgpu_timedout_job,
	.free_job = sgpu_free_job,
};

static void sgpu_hw_release(struct kref *ref)
{
	struct sgpu_hw *hw = container_of(ref, struct sgpu_hw, ref);

	if (hw->engine)
		destroy_workqueue(hw->engine);
	if (hw->submit_wq)
		destroy_workqueue(hw->submit_wq);
	kfree(hw);
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

/*
 * Creates the hardware of @dev. sgpu_hw_stop() and sgpu_hw_put() end it. The schedulers share
 * an unordered workqueue: each scheduler starts one job at a time, and none waits for another.
 */
struct sgpu_hw *sgpu_hw_create(struct device *dev)
{
	struct sgpu_hw *hw = kzalloc_obj(*hw);

	if (!hw)
		return ERR_PTR(-ENOMEM);

	kref_init(&hw->ref);
	hw->dev = dev;
	hw->submit_wq = alloc_workqueue("sgpu-submit", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	hw->engine = alloc_ordered_workqueue("sgpu-engine", WQ_MEM_RECLAIM);
	if (!hw->submit_wq || !hw->engine) {
		sgpu_hw_put(hw);
		return ERR_PTR(-ENOMEM);
	}
	return hw;
}

/*
 * Ends all running jobs, before the memory that they access is unmapped, and keeps other jobs from
 * starting. Waiting jobs fail when their turn comes.
 */
void sgpu_hw_stop(struct sgpu_hw *hw)
{
	WRITE_ONCE(hw->stopped, true);
	/* See the invariant of struct sgpu_hw. */
	flush_workqueue(hw->submit_wq);
	flush_workqueue(hw->engine);
}

int sgpu_queue_init(struct sgpu_queue *queue, struct sgpu_hw *hw)
{
	const struct drm_sched_init_args args = {
		.ops = &sgpu_sched_ops,
		.submit_wq = hw->submit_wq,
		.num_rqs = 1,
		.credit_limit = 1,
		.timeout = msecs_to_jiffies(READ_ONCE(sgpu_timeout_ms)) ?: 1,
		.name = "sgpu",
		.dev = hw->dev,
	};
	struct drm_gpu_scheduler *sched = &queue->sched;
	int ret;

	ret = drm_sched_init(sched, &args);
	if (ret)
		return ret;
	ret = drm_sched_entity_init(&queue->entity, DRM_SCHED_PRIORITY_KERNEL,
				    &sched, 1, NULL);
	if (ret) {
		drm_sched_fini(sched);
		return ret;
	}
	mutex_init(&queue->lock);
	queue->fence_context = dma_fence_context_alloc(1);
	return 0;
}

/*
 * Stops the scheduler. drm_sched_wqueue_stop() first cancels the work item that runs jobs, and then
 * the one that frees jobs. The latter may have just seen a running scheduler, and queue the former
 * again. After the first call, both see that the scheduler is stopped, so the second call cancels
 * whatever is left.
 */
static void sgpu_queue_stop(struct sgpu_queue *queue)
{
	drm_sched_wqueue_stop(&queue->sched);
	drm_sched_wqueue_stop(&queue->sched);
}

/*
 * Ends the running job, cancels the others, and accepts no more. Stops the scheduler while it
 * destroys the entity: a running scheduler that has just taken a job of the entity, and sees
 * another job, would put the entity back on its list after the entity was destroyed.
 *
 * The callback of a dependency's fence may also have seen a running scheduler, and can still
 * queue the work item that runs jobs. The entity then stays on the list. This is harmless,
 * because the entity has no job, and is freed together with the scheduler.
 */
void sgpu_queue_close(struct sgpu_queue *queue)
{
	scoped_guard(mutex, &queue->lock)
		WRITE_ONCE(queue->closed, true);
	sgpu_queue_stop(queue);
	drm_sched_entity_fini(&queue->entity);
	drm_sched_wqueue_start(&queue->sched);
}

/*
 * The queue is closed, and all jobs are freed. But a fence that a job waited for may still be
 * running its callback, which uses the scheduler until it returns. drm_sched_entity_fini() does
 * not wait for this callback once the entity has dropped the fence. The callback runs under the
 * lock of its fence, which is an RCU read-side critical section, so synchronize_rcu() waits for
 * it.
 *
 * drm_sched_fini() does not wait for all work items either. It stops the scheduler only once,
 * and then frees data that the work item that runs jobs uses. Freeing the last job can call this
 * function while the work item that frees jobs is not done with that job.
 */
void sgpu_queue_fini(struct sgpu_queue *queue)
{
	synchronize_rcu();
	sgpu_queue_stop(queue);
	drm_sched_fini(&queue->sched);
	mutex_destroy(&queue->lock);
}

static int sgpu_job_add_wait(struct sgpu_job *job, struct sgpu_file *file,
			     const struct drm_sgpu_sync *sync)
{
	struct dma_fence *fence;
	int ret;

	ret = drm_syncobj_find_fence(file->drm, sync->handle, sync->point, 0, &fence);
	return ret ?: drm_sched_job_add_dependency(&job->base, fence);
}

static int sgpu_job_add_signal(struct sgpu_job *job, struct sgpu_file *file,
			       const struct drm_sgpu_sync *sync)
{
	struct sgpu_signal *signal = &job->signals[job->signal_count];

	if (sync->flags & DRM_SGPU_SYNC_TIMELINE) {
		/* dma_fence_chain_alloc() does not charge the client. */
		signal->chain = kmalloc_obj(struct dma_fence_chain,
					    GFP_KERNEL_ACCOUNT);
		if (!signal->chain)
			return -ENOMEM;
	}
	signal->point = sync->point;
	signal->syncobj = drm_syncobj_find(file->drm, sync->handle);
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
			      const struct drm_sgpu_sync *syncs, u32 count)
{
	int ret = 0;
	u32 i;

	if (!count)
		return 0;

	job->signals = kzalloc_objs(*job->signals, count, GFP_KERNEL_ACCOUNT);
	if (!job->signals)
		return -ENOMEM;

	for (i = 0; i < count && !ret; i++)
		ret = sgpu_job_add_sync(job, file, &syncs[i]);
	return ret;
}

/* Frees a job that was not submitted. */
static void sgpu_job_free(struct sgpu_job *job)
{
	drm_sched_job_cleanup(&job->base);
	sgpu_job_release(job);
}

/*
 * Allocates a job for the address space @vm_id, with a reference to it and with the syncobjs of
 * the client. The caller adds the operations or commands, and submits the job.
 */
struct sgpu_job *sgpu_job_create(struct sgpu_file *file, u32 vm_id,
				 const struct drm_sgpu_sync *syncs, u32 sync_count)
{
	struct sgpu_vm *vm __free(drm_dev_ctx_id) = drm_dev_ctx_id_lookup(&file->vms, vm_id);
	struct sgpu_job *job;
	int ret;

	if (IS_ERR(vm))
		return ERR_CAST(vm);
	if (drm_gpuvm_imm_is_broken(drm_gpuvm_imm_shared(vm->core)))
		return ERR_PTR(-ENOTRECOVERABLE);
	if (!atomic_add_unless(&file->job_count, 1, DRM_SGPU_MAX_JOBS))
		return ERR_PTR(-EBUSY);

	job = kzalloc_obj(*job, GFP_KERNEL_ACCOUNT);
	ret = job ? drm_sched_job_init(&job->base, &vm->queue.entity, 1, vm, file->drm->client_id) :
		    -ENOMEM;
	if (ret) {
		kfree(job);
		atomic_dec(&file->job_count);
		return ERR_PTR(ret);
	}
	drm_dev_ctx_id_get(&vm->obj);
	job->vm = vm;
	atomic_inc(&sgpu_live.jobs);

	ret = sgpu_job_add_syncs(job, file, syncs, sync_count);
	if (ret) {
		sgpu_job_free(job);
		return ERR_PTR(ret);
	}
	return job;
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
 * Arms and queues @job. For a job with commands, @exec has locked every buffer that the commands
 * can reach, and this adds the fence of the job to all of them. The fence does not order jobs.
 * It only marks the buffers as busy.
 */
static int sgpu_job_queue(struct sgpu_job *job, struct drm_exec *exec,
			  u64 *number)
{
	struct sgpu_queue *queue = &job->vm->queue;
	struct dma_fence *fence;
	int ret;

	ACQUIRE(mutex_intr, lock)(&queue->lock);
	ret = ACQUIRE_ERR(mutex_intr, &lock);
	if (ret)
		return ret;
	if (queue->closed)
		return -ENOENT;

	drm_sched_job_arm(&job->base);
	job->number = ++queue->jobs;
	*number = job->number;
	fence = &job->base.s_fence->finished;
	if (exec)
		drm_gpuvm_imm_add_fence(drm_gpuvm_imm_shared(job->vm->core), exec, fence,
					DMA_RESV_USAGE_BOOKKEEP, DMA_RESV_USAGE_BOOKKEEP);
	sgpu_job_signal(job, fence);
	drm_sched_entity_push_job(&job->base);
	return 0;
}

/* Tells the shrinker that commands are about to use the address space and its buffers. */
static void sgpu_job_touch(struct sgpu_vm *vm, struct drm_exec *exec)
{
	struct drm_gem_object *gem;
	struct sgpu_bo *bo;

	drm_shmem_group_touch(&vm->group);
	drm_exec_for_each_locked_object(exec, gem) {
		dma_resv_assert_held(gem->resv);
		bo = drm_shmem_from_gem(&sgpu_bo_type, gem);
		if (bo)
			drm_shmem_touch_for(&bo->shmem, &vm->group);
	}
}

static int sgpu_job_queue_locked(struct sgpu_job *job, u64 *number)
{
	struct drm_exec exec;
	int ret;

	drm_exec_init(&exec, DRM_EXEC_INTERRUPTIBLE_WAIT | DRM_EXEC_IGNORE_DUPLICATES, 0);
	drm_exec_until_all_locked(&exec) {
		ret = drm_gpuvm_imm_lock(drm_gpuvm_imm_shared(job->vm->core), &exec, 1);
		drm_exec_retry_on_contention(&exec);
		if (ret)
			break;
	}
	if (!ret)
		ret = drm_gpuvm_imm_validate(job->vm->core, &exec);
	if (!ret) {
		sgpu_job_touch(job->vm, &exec);
		ret = sgpu_job_queue(job, &exec, number);
	}
	drm_exec_fini(&exec);
	return ret;
}

/*
 * Queues @job and returns its number in @number. Frees @job if this fails, or if @ret is an error
 * from filling the job. Returns -ENOENT if the address space was destroyed in between.
 */
int sgpu_job_submit(struct sgpu_job *job, int ret, u64 *number)
{
	if (!ret && !job->cmds)
		sgpu_fault_hold_vm(job->vm);
	if (!ret)
		ret = job->cmds ? sgpu_job_queue_locked(job, number) :
				  sgpu_job_queue(job, NULL, number);
	if (ret)
		sgpu_job_free(job);
	return ret;
}
