// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 35
// title: section in what completes what sections wait for
// rust: no
// wrong: FENCE_IN_A_SECTION C: dma_fence_signal\(\) ends the wait of others only if a section can be entered
// wrong: COMPLETE_IN_A_BLOCK C: complete\(\) ends the wait of others only if a section can be entered
// wrong: INTERRUPT C: wake_up_all\(\) ends the wait of others only if a section can be entered
// run: drm_dev_ctx.drm_dev_ctx_test_completer_in_section: the report of a long unplug names it
// run: drm_dev_ctx.drm_dev_ctx_test_completer: without a section, the wait and the unplug end

#include <linux/completion.h>
#include <linux/dma-fence.h>
#include <linux/interrupt.h>
#include <linux/wait.h>

#include "foo.h"

struct foo_queue {
	struct foo_device *foo;
	struct work_struct work;
	struct dma_fence *fence;
	struct completion idle;
	wait_queue_head_t waiting;
};

/* Completers: what they need is theirs until quiesce has ended them. */
void foo_fence_work(struct work_struct *work)
{
	struct foo_queue *queue = container_of(work, struct foo_queue, work);

#if defined(FENCE_IN_A_SECTION)
	drm_dev_registered_or(foo, reg, &queue->foo->drm, return);

	foo_hw_submit(reg, 0);
#endif
	dma_fence_signal(queue->fence);
}

void foo_idle_work(struct work_struct *work)
{
	struct foo_queue *queue = container_of(work, struct foo_queue, work);

#if defined(COMPLETE_IN_A_BLOCK)
	drm_dev_if_registered(foo, reg, &queue->foo->drm) {
		if (!foo_hw_submit(reg, 0))
			complete(&queue->idle);
	}
#else
	complete(&queue->idle);
#endif
}

irqreturn_t foo_irq_thread(int irq, void *data)
{
	struct foo_queue *queue = data;

#if defined(INTERRUPT)
	drm_dev_registered_or(foo, reg, &queue->foo->drm, return IRQ_NONE);

#endif
	wake_up_all(&queue->waiting);
	return IRQ_HANDLED;
}

/* An initiator: first it has ended the wait of others, then it starts something. */
void foo_next_work(struct work_struct *work)
{
	struct foo_queue *queue = container_of(work, struct foo_queue, work);

	complete(&queue->idle);
	drm_dev_registered_or(foo, reg, &queue->foo->drm, return);

	foo_hw_submit(reg, 1);
}
