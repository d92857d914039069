// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Handlers of each kind that end a wait of each kind: in a section, which is wrong, and before one. */

#include "../include/surface.h"

static void post_complete_all_work(struct work_struct *work)
{
	struct post *post = container_of(work, struct post, work);

	drm_dev_ctx_or(card_reg, reg, &post->card->ctx, return);

	complete_all(&post->done);				/* completers */
}

static void right_complete_all_work(struct work_struct *work)
{
	struct post *post = container_of(work, struct post, work);

	complete_all(&post->done);
	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx)
		surface_kick(reg);
}

static void post_complete_on_current_cpu_kwork(struct kthread_work *work)
{
	struct post *post = container_of(work, struct post, kwork);

	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx) {
		surface_kick(reg);
		complete_on_current_cpu(&post->done);		/* completers */
	}
}

static void right_complete_on_current_cpu_kwork(struct kthread_work *work)
{
	struct post *post = container_of(work, struct post, kwork);

	complete_on_current_cpu(&post->done);
	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx)
		surface_kick(reg);
}

static void post_swake_up_one_timer(struct timer_list *timer)
{
	struct post *post = container_of(timer, struct post, timer);

	drm_dev_ctx_or(card_reg, reg, &post->card->ctx, return);

	swake_up_one(&post->swait);				/* completers */
}

static void right_swake_up_one_timer(struct timer_list *timer)
{
	struct post *post = container_of(timer, struct post, timer);

	swake_up_one(&post->swait);
	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx)
		surface_kick(reg);
}

static void post_swake_up_all_tasklet(struct tasklet_struct *tasklet)
{
	struct post *post = container_of(tasklet, struct post, tasklet);

	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx) {
		surface_kick(reg);
		swake_up_all(&post->swait);			/* completers */
	}
}

static void right_swake_up_all_tasklet(struct tasklet_struct *tasklet)
{
	struct post *post = container_of(tasklet, struct post, tasklet);

	swake_up_all(&post->swait);
	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx)
		surface_kick(reg);
}

static void post_wake_up_process_irq_work(struct irq_work *work)
{
	struct post *post = container_of(work, struct post, irq_work);

	drm_dev_ctx_or(card_reg, reg, &post->card->ctx, return);

	wake_up_process(post->task);				/* completers */
}

static void right_wake_up_process_irq_work(struct irq_work *work)
{
	struct post *post = container_of(work, struct post, irq_work);

	wake_up_process(post->task);
	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx)
		surface_kick(reg);
}

static void post_wake_up_state_rcu(struct rcu_head *rcu)
{
	struct post *post = container_of(rcu, struct post, rcu);

	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx) {
		surface_kick(reg);
		wake_up_state(post->task, TASK_NORMAL);		/* completers */
	}
}

static void right_wake_up_state_rcu(struct rcu_head *rcu)
{
	struct post *post = container_of(rcu, struct post, rcu);

	wake_up_state(post->task, TASK_NORMAL);
	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx)
		surface_kick(reg);
}

static void post_wake_up_fence_cb(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct post *post = container_of(cb, struct post, cb);

	drm_dev_ctx_or(card_reg, reg, &post->card->ctx, return);

	wake_up(&post->wait);					/* completers */
}

static void right_wake_up_fence_cb(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct post *post = container_of(cb, struct post, cb);

	wake_up(&post->wait);
	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx)
		surface_kick(reg);
}

static int post_wake_up_all_notifier(struct notifier_block *nb, unsigned long event, void *data)
{
	struct post *post = container_of(nb, struct post, nb);

	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx) {
		surface_kick(reg);
		wake_up_all(&post->wait);			/* completers */
	}
	return NOTIFY_OK;
}

static int right_wake_up_all_notifier(struct notifier_block *nb, unsigned long event, void *data)
{
	struct post *post = container_of(nb, struct post, nb);

	wake_up_all(&post->wait);
	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx)
		surface_kick(reg);
	return NOTIFY_OK;
}

static int post_wake_up_interruptible_poll_woken(struct wait_queue_entry *entry, unsigned int mode, int flags, void *key)
{
	struct post *post = container_of(entry, struct post, entry);

	drm_dev_ctx_or(card_reg, reg, &post->card->ctx, return 0);

	wake_up_interruptible_poll(&post->wait, EPOLLIN);	/* completers */
	return 0;
}

static int right_wake_up_interruptible_poll_woken(struct wait_queue_entry *entry, unsigned int mode, int flags, void *key)
{
	struct post *post = container_of(entry, struct post, entry);

	wake_up_interruptible_poll(&post->wait, EPOLLIN);
	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx)
		surface_kick(reg);
	return 0;
}

static irqreturn_t
post_wake_up_var_irq(int irq, void *data)
{
	struct post *post = data;

	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx) {
		surface_kick(reg);
		wake_up_var(post);				/* completers */
	}
	return IRQ_HANDLED;
}

static irqreturn_t
right_wake_up_var_irq(int irq, void *data)
{
	struct post *post = data;

	wake_up_var(post);
	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx)
		surface_kick(reg);
	return IRQ_HANDLED;
}

static enum hrtimer_restart
post_wake_up_bit_hrtimer(struct hrtimer *timer)
{
	struct post *post = container_of(timer, struct post, hrtimer);

	drm_dev_ctx_or(card_reg, reg, &post->card->ctx, return HRTIMER_NORESTART);

	wake_up_bit(&post->flags, 0);				/* completers */
	return HRTIMER_NORESTART;
}

static enum hrtimer_restart
right_wake_up_bit_hrtimer(struct hrtimer *timer)
{
	struct post *post = container_of(timer, struct post, hrtimer);

	wake_up_bit(&post->flags, 0);
	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx)
		surface_kick(reg);
	return HRTIMER_NORESTART;
}

static void post_clear_and_wake_up_bit_async(void *data, async_cookie_t cookie)
{
	struct post *post = data;

	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx) {
		surface_kick(reg);
		clear_and_wake_up_bit(0, &post->flags);		/* completers */
	}
}

static void right_clear_and_wake_up_bit_async(void *data, async_cookie_t cookie)
{
	struct post *post = data;

	clear_and_wake_up_bit(0, &post->flags);
	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx)
		surface_kick(reg);
}

static void post_store_release_wake_up_work(struct work_struct *work)
{
	struct post *post = container_of(work, struct post, work);

	drm_dev_ctx_or(card_reg, reg, &post->card->ctx, return);

	store_release_wake_up(&post->idle, true);		/* completers */
}

static void right_store_release_wake_up_work(struct work_struct *work)
{
	struct post *post = container_of(work, struct post, work);

	store_release_wake_up(&post->idle, true);
	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx)
		surface_kick(reg);
}

static void post_atomic_dec_and_wake_up_kwork(struct kthread_work *work)
{
	struct post *post = container_of(work, struct post, kwork);

	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx) {
		surface_kick(reg);
		atomic_dec_and_wake_up(&post->count);		/* completers */
	}
}

static void right_atomic_dec_and_wake_up_kwork(struct kthread_work *work)
{
	struct post *post = container_of(work, struct post, kwork);

	atomic_dec_and_wake_up(&post->count);
	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx)
		surface_kick(reg);
}

static void post_rcuwait_wake_up_timer(struct timer_list *timer)
{
	struct post *post = container_of(timer, struct post, timer);

	drm_dev_ctx_or(card_reg, reg, &post->card->ctx, return);

	rcuwait_wake_up(&post->rcuwait);			/* completers */
}

static void right_rcuwait_wake_up_timer(struct timer_list *timer)
{
	struct post *post = container_of(timer, struct post, timer);

	rcuwait_wake_up(&post->rcuwait);
	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx)
		surface_kick(reg);
}

static void post_up_tasklet(struct tasklet_struct *tasklet)
{
	struct post *post = container_of(tasklet, struct post, tasklet);

	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx) {
		surface_kick(reg);
		up(&post->sem);					/* completers */
	}
}

static void right_up_tasklet(struct tasklet_struct *tasklet)
{
	struct post *post = container_of(tasklet, struct post, tasklet);

	up(&post->sem);
	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx)
		surface_kick(reg);
}

static void post_dma_fence_signal_locked_irq_work(struct irq_work *work)
{
	struct post *post = container_of(work, struct post, irq_work);

	drm_dev_ctx_or(card_reg, reg, &post->card->ctx, return);

	dma_fence_signal_locked(post->fence);			/* completers */
}

static void right_dma_fence_signal_locked_irq_work(struct irq_work *work)
{
	struct post *post = container_of(work, struct post, irq_work);

	dma_fence_signal_locked(post->fence);
	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx)
		surface_kick(reg);
}

static void post_dma_fence_signal_timestamp_rcu(struct rcu_head *rcu)
{
	struct post *post = container_of(rcu, struct post, rcu);

	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx) {
		surface_kick(reg);
		dma_fence_signal_timestamp(post->fence, 0);	/* completers */
	}
}

static void right_dma_fence_signal_timestamp_rcu(struct rcu_head *rcu)
{
	struct post *post = container_of(rcu, struct post, rcu);

	dma_fence_signal_timestamp(post->fence, 0);
	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx)
		surface_kick(reg);
}

static void post_dma_fence_check_and_signal_fence_cb(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct post *post = container_of(cb, struct post, cb);

	drm_dev_ctx_or(card_reg, reg, &post->card->ctx, return);

	dma_fence_check_and_signal(post->fence);		/* completers */
}

static void right_dma_fence_check_and_signal_fence_cb(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct post *post = container_of(cb, struct post, cb);

	dma_fence_check_and_signal(post->fence);
	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx)
		surface_kick(reg);
}

static int post_drm_syncobj_replace_fence_notifier(struct notifier_block *nb, unsigned long event, void *data)
{
	struct post *post = container_of(nb, struct post, nb);

	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx) {
		surface_kick(reg);
		drm_syncobj_replace_fence(post->syncobj, post->fence);	/* completers */
	}
	return NOTIFY_OK;
}

static int right_drm_syncobj_replace_fence_notifier(struct notifier_block *nb, unsigned long event, void *data)
{
	struct post *post = container_of(nb, struct post, nb);

	drm_syncobj_replace_fence(post->syncobj, post->fence);
	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx)
		surface_kick(reg);
	return NOTIFY_OK;
}

static int post_drm_syncobj_add_point_woken(struct wait_queue_entry *entry, unsigned int mode, int flags, void *key)
{
	struct post *post = container_of(entry, struct post, entry);

	drm_dev_ctx_or(card_reg, reg, &post->card->ctx, return 0);

	drm_syncobj_add_point(post->syncobj, NULL, post->fence, 1);	/* completers */
	return 0;
}

static int right_drm_syncobj_add_point_woken(struct wait_queue_entry *entry, unsigned int mode, int flags, void *key)
{
	struct post *post = container_of(entry, struct post, entry);

	drm_syncobj_add_point(post->syncobj, NULL, post->fence, 1);
	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx)
		surface_kick(reg);
	return 0;
}

static irqreturn_t
post_drm_crtc_send_vblank_event_irq(int irq, void *data)
{
	struct post *post = data;

	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx) {
		surface_kick(reg);
		drm_crtc_send_vblank_event(post->crtc, post->event);	/* completers */
	}
	return IRQ_HANDLED;
}

static irqreturn_t
right_drm_crtc_send_vblank_event_irq(int irq, void *data)
{
	struct post *post = data;

	drm_crtc_send_vblank_event(post->crtc, post->event);
	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx)
		surface_kick(reg);
	return IRQ_HANDLED;
}

static enum hrtimer_restart
post_drm_send_event_locked_hrtimer(struct hrtimer *timer)
{
	struct post *post = container_of(timer, struct post, hrtimer);

	drm_dev_ctx_or(card_reg, reg, &post->card->ctx, return HRTIMER_NORESTART);

	drm_send_event_locked(&post->card->drm, post->base);	/* completers */
	return HRTIMER_NORESTART;
}

static enum hrtimer_restart
right_drm_send_event_locked_hrtimer(struct hrtimer *timer)
{
	struct post *post = container_of(timer, struct post, hrtimer);

	drm_send_event_locked(&post->card->drm, post->base);
	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx)
		surface_kick(reg);
	return HRTIMER_NORESTART;
}

static void post_drm_writeback_signal_completion_async(void *data, async_cookie_t cookie)
{
	struct post *post = data;

	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx) {
		surface_kick(reg);
		drm_writeback_signal_completion(post->writeback, 0);	/* completers */
	}
}

static void right_drm_writeback_signal_completion_async(void *data, async_cookie_t cookie)
{
	struct post *post = data;

	drm_writeback_signal_completion(post->writeback, 0);
	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx)
		surface_kick(reg);
}

static void post_eventfd_signal_work(struct work_struct *work)
{
	struct post *post = container_of(work, struct post, work);

	drm_dev_ctx_or(card_reg, reg, &post->card->ctx, return);

	eventfd_signal(post->eventfd);				/* completers */
}

static void right_eventfd_signal_work(struct work_struct *work)
{
	struct post *post = container_of(work, struct post, work);

	eventfd_signal(post->eventfd);
	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx)
		surface_kick(reg);
}

static int post_thread(void *data)
{
	struct post *post = data;

	drm_dev_ctx_or(card_reg, reg, &post->card->ctx, return -ENODEV);

	complete(&post->done);						/* completers */
	return 0;
}

static void post_tasklet(unsigned long data)
{
	struct post *post = (void *)data;

	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx)
		wake_up_all(&post->wait);				/* completers */
}

static void post_dma_done(void *data)
{
	struct post *post = data;

	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx)
		wake_up_all(&post->wait);				/* completers */
}

static void post_answer(struct post *post)
{
	post->idle = true;
	dma_fence_signal(post->fence);
}

/* The handler that calls it is below. */
static void post_drain(struct post *post)
{
	drm_dev_ctx_guard(card_reg, reg, &post->card->ctx)
		post_answer(post);					/* completers */
}

static void post_drain_work(struct work_struct *work)
{
	post_drain(container_of(work, struct post, work));
}

/* This is no handler: its callers need no answer. */
static int post_submit(struct post *post)
{
	drm_dev_ctx_or(card_reg, reg, &post->card->ctx, return -ENODEV);

	post_answer(post);
	return 0;
}

static int post_start(struct post *post, struct dma_async_tx_descriptor *desc)
{
	tasklet_init(&post->tasklet, post_tasklet, (unsigned long)post);
	desc->callback = post_dma_done;
	post->task = kthread_run(post_thread, post, "post");
	return PTR_ERR_OR_ZERO(post->task);
}

/* Before registration, and after quiesce, a block is refused as a section is. */
static void post_bound_work(struct work_struct *work)
{
	struct post *post = container_of(work, struct post, work);

	drm_dev_ctx_guard_live(live, &post->card->ctx) {
		surface_stop(&live->bound);
		complete(&post->done);				/* completers */
	}
}

static void right_bound_work(struct work_struct *work)
{
	struct post *post = container_of(work, struct post, work);

	drm_dev_ctx_guard_live(live, &post->card->ctx)
		surface_stop(&live->bound);
	complete(&post->done);
}

/* Open for as long as anyone waits */
static void right_callback_work(struct work_struct *work)
{
	struct post *post = container_of(work, struct post, work);

	drm_dev_ctx_guard_callback(live, &post->card->ctx)
		complete(&post->done);
}

static void post_live_or_work(struct work_struct *work)
{
	struct post *post = container_of(work, struct post, work);

	drm_dev_ctx_live_or(live, &post->card->ctx, return);

	surface_stop(&live->bound);
	complete(&post->done);					/* completers */
}

static void post_guard_else_work(struct work_struct *work)
{
	struct post *post = container_of(work, struct post, work);

	drm_dev_ctx_guard_else(card_reg, reg, &post->card->ctx, post->idle = true) {
		surface_kick(reg);
		complete(&post->done);				/* completers */
	}
}

static void post_guard_live_else_work(struct work_struct *work)
{
	struct post *post = container_of(work, struct post, work);

	drm_dev_ctx_guard_live_else(live, &post->card->ctx, post->idle = true)
		complete(&post->done);				/* completers */
}

static enum drm_gpu_sched_stat post_timedout_job(struct drm_sched_job *job)	/* completers */
{
	struct post *post = container_of(job, struct post, job);

	drm_dev_ctx_or(card_reg, reg, &post->card->ctx, return DRM_GPU_SCHED_STAT_ENODEV);

	dma_fence_signal(post->fence);				/* completers */
	return DRM_GPU_SCHED_STAT_RESET;
}

static const struct drm_sched_backend_ops post_sched_ops = {
	.timedout_job = post_timedout_job,
};

/* The function is in another file, and completes what it stops. */
static const struct drm_sched_backend_ops line_sched_ops = {
	.timedout_job = line_timedout_job,
};

static int post_power(struct post *post)			/* completers */
{
	drm_dev_ctx_or(card_reg, reg, &post->card->ctx, return -ENODEV);

	return surface_kick(reg);
}

static int post_resume(struct device *dev)
{
	return post_power(dev_get_drvdata(dev));
}

/* The data that it uses outlives pm_runtime_disable(). */
static int right_suspend(struct device *dev)
{
	struct post *post = dev_get_drvdata(dev);

	post->idle = true;
	return 0;
}

static int post_idle(struct device *dev)			/* completers */
{
	struct post *post = dev_get_drvdata(dev);

	drm_dev_ctx_guard_live(live, &post->card->ctx)
		surface_stop(&live->bound);
	return 0;
}

static DEFINE_RUNTIME_DEV_PM_OPS(post_pm_ops, right_suspend, post_resume, post_idle);
