// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The part of a job that the scheduler runs, in the fence signalling path.
 */

#include "drm_safe_signalling.h"

#include <linux/dma-fence.h>
#include <linux/jiffies.h>
#include <linux/sched.h>

#include "sgpu_sched.h"
#include "sgpu_vm.h"

/* The job runs from here on. The time of its waits does not count. */
void sgpu_job_begin(struct sgpu_job *job)
{
	job->deadline = (jiffies + job->vm->queue.sched.timeout) ?: 1;
}

/*
 * Returns whether a job may go on, between two of its steps. Other tasks set each flag once,
 * and a flag only ends the job. The thread that runs the job has set its deadline.
 */
int sgpu_job_check(struct sgpu_job *job)
{
	struct sgpu_vm *vm = job->vm;

	if (READ_ONCE(vm->hw->stopped))
		return -ENODEV;
	if (READ_ONCE(vm->queue.closed))
		return -ESRCH;
	if (job->deadline && time_after_eq(jiffies, job->deadline))
		return -ETIME;
	cond_resched();
	return 0;
}

/* In the fence signalling path: allocates nothing, takes no resv lock. */
struct dma_fence *sgpu_run_job(struct drm_sched_job *base)
{
	struct sgpu_job *job = container_of(base, struct sgpu_job, base);
	bool cookie = dma_fence_begin_signalling();
	struct dma_fence *fence;
	int ret;

	ret = sgpu_job_check(job);
	/* An earlier job has broken the VM: the page table may contain anything. */
	if (!ret && drm_gpuvm_imm_is_broken(drm_gpuvm_imm_shared(job->vm->core)))
		ret = -ENOTRECOVERABLE;
	if (!ret && job->binds)
		ret = sgpu_bind_run(job);

	/* Returning no fence tells the scheduler that the job is done. */
	fence = ret || job->binds ? ERR_PTR(ret) : sgpu_engine_start(job);
	dma_fence_end_signalling(cookie);
	return fence;
}
