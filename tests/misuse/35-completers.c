// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 35
// title: section in a completer that other sections wait for
// rust: no
// wrong: FENCE_IN_A_SECTION C: dma_fence_signal\(\) ends the wait of others only if a section can be entered
// wrong: COMPLETE_IN_A_BLOCK C: complete\(\) ends the wait of others only if a section can be entered
// wrong: INTERRUPT C: wake_up_all\(\) ends the wait of others only if a section can be entered
// wrong: KTHREAD_WORK C: swake_up_one\(\) ends the wait of others only if a section can be entered
// wrong: TASKLET C: wake_up_process\(\) ends the wait of others only if a section can be entered
// wrong: THREAD C: drm_syncobj_replace_fence\(\) ends the wait of others only if a section can be entered
// wrong: BY_ANOTHER_FUNCTION C: foo_queue_idle\(\) ends the wait of others only if a section can be entered
// wrong: COMPLETE_IN_A_BOUND_BLOCK C: complete\(\) ends the wait of others only if a section can be entered
// wrong: TIMEOUT C: dma_fence_signal\(\) ends the wait of others only if a section can be entered
// wrong: RESET_IN_A_SECTION C: foo_timedout_job\(\) is called for a job that hangs, which sections may wait for
// wrong: RUNTIME_PM C: foo_runtime_resume\(\) is called for runtime PM, which sections wait for, and opens one
// run: drm_dev_ctx.drm_dev_ctx_test_completer_in_section: The report of a long unplug names the completer.
// run: drm_dev_ctx.drm_dev_ctx_test_completer: Without a section in the completer, the wait and the unplug end.
// run: drm_dev_ctx.drm_dev_ctx_test_runtime_pm: A callback of runtime PM needs no section.

#include <linux/completion.h>
#include <linux/dma-fence.h>
#include <linux/interrupt.h>
#include <linux/kthread.h>
#include <linux/pm_runtime.h>
#include <linux/swait.h>
#include <linux/wait.h>

#include <drm/drm_syncobj.h>
#include <drm/gpu_scheduler.h>

#include "foo.h"

struct foo_queue {
	struct foo_device *foo;
	struct work_struct work;
	struct dma_fence *fence;
	struct completion idle;
	wait_queue_head_t waiting;
	struct swait_queue_head swaiting;
	struct kthread_work kwork;
	struct tasklet_struct tasklet;
	struct task_struct *task;
	struct drm_syncobj *syncobj;
};

/* Completers: quiesce ends them, so they own what they use until then. */
void foo_fence_work(struct work_struct *work)
{
	struct foo_queue *queue = container_of(work, struct foo_queue, work);

#if defined(FENCE_IN_A_SECTION)
	drm_dev_ctx_or(foo_reg, reg, &queue->foo->ctx, return);

	foo_hw_submit(reg, 0);
#endif
	dma_fence_signal(queue->fence);
}

void foo_idle_work(struct work_struct *work)
{
	struct foo_queue *queue = container_of(work, struct foo_queue, work);

#if defined(COMPLETE_IN_A_BLOCK)
	drm_dev_ctx_guard(foo_reg, reg, &queue->foo->ctx) {
		if (!foo_hw_submit(reg, 0))
			complete(&queue->idle);
	}
#elif defined(COMPLETE_IN_A_BOUND_BLOCK)
	drm_dev_ctx_guard_live(live, &queue->foo->ctx)
		complete(&queue->idle);
#else
	complete(&queue->idle);
#endif
}

irqreturn_t
foo_irq_thread(int irq, void *data)
{
	struct foo_queue *queue = data;

#if defined(INTERRUPT)
	drm_dev_ctx_or(foo_reg, reg, &queue->foo->ctx, return IRQ_NONE);

#endif
	wake_up_all(&queue->waiting);
	return IRQ_HANDLED;
}

/* An initiator: it completes the wait of others before it enters a section. */
void foo_next_work(struct work_struct *work)
{
	struct foo_queue *queue = container_of(work, struct foo_queue, work);

	complete(&queue->idle);
	drm_dev_ctx_or(foo_reg, reg, &queue->foo->ctx, return);

	foo_hw_submit(reg, 1);
}

void foo_kthread_work(struct kthread_work *work)
{
	struct foo_queue *queue = container_of(work, struct foo_queue, kwork);

#if defined(KTHREAD_WORK)
	drm_dev_ctx_or(foo_reg, reg, &queue->foo->ctx, return);

#endif
	swake_up_one(&queue->swaiting);
}

void foo_tasklet(struct tasklet_struct *tasklet)
{
	struct foo_queue *queue = container_of(tasklet, struct foo_queue, tasklet);

#if defined(TASKLET)
	drm_dev_ctx_guard(foo_reg, reg, &queue->foo->ctx)
		wake_up_process(queue->task);
#else
	wake_up_process(queue->task);
#endif
}

static int foo_thread(void *data)
{
	struct foo_queue *queue = data;

#if defined(THREAD)
	drm_dev_ctx_or(foo_reg, reg, &queue->foo->ctx, return -ENODEV);

#endif
	drm_syncobj_replace_fence(queue->syncobj, queue->fence);
	return 0;
}

int foo_queue_start(struct foo_queue *queue)
{
	queue->task = kthread_run(foo_thread, queue, "foo");
	return PTR_ERR_OR_ZERO(queue->task);
}

static void foo_queue_idle(struct foo_queue *queue)
{
	complete_all(&queue->idle);
}

void foo_drain_work(struct work_struct *work)
{
	struct foo_queue *queue = container_of(work, struct foo_queue, work);

#if defined(BY_ANOTHER_FUNCTION)
	drm_dev_ctx_or(foo_reg, reg, &queue->foo->ctx, return);

#endif
	foo_queue_idle(queue);
}

struct foo_job {
	struct drm_sched_job base;
	struct foo_queue *queue;
};

/* The scheduler waits for this callback, and so does everything that waits for a fence. */
static enum drm_gpu_sched_stat foo_timedout_job(struct drm_sched_job *base)
{
	struct foo_job *job = container_of(base, struct foo_job, base);

#if defined(TIMEOUT)
	drm_dev_ctx_or(foo_reg, reg, &job->queue->foo->ctx, return DRM_GPU_SCHED_STAT_ENODEV);

#elif defined(RESET_IN_A_SECTION)
	drm_dev_ctx_guard(foo_reg, reg, &job->queue->foo->ctx)
		foo_hw_submit(reg, 0);
#endif
	dma_fence_signal(job->queue->fence);
	return DRM_GPU_SCHED_STAT_RESET;
}

const struct drm_sched_backend_ops foo_sched_ops = {
	.timedout_job = foo_timedout_job,
};

/* The queue exists as long as runtime PM is enabled. */
static int foo_runtime_resume(struct device *dev)
{
	struct foo_queue *queue = dev_get_drvdata(dev);

#if defined(RUNTIME_PM)
	drm_dev_ctx_or(foo_reg, reg, &queue->foo->ctx, return -ENODEV);

	foo_hw_submit(reg, 0);
#endif
	wake_up_all(&queue->waiting);
	return 0;
}

const struct dev_pm_ops foo_pm_ops = {
	.runtime_resume = foo_runtime_resume,
};
