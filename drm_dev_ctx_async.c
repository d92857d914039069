// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <linux/export.h>
#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/kthread.h>
#include <linux/lockdep.h>
#include <linux/sched/task.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

#include "drm_dev_ctx_async.h"
#include "drm_dev_ctx_internal.h"
#include "drm_safe_core.h"

/**
 * DOC: asynchronous code
 *
 * Work items, timers, threads and interrupts belong to the registration data. A driver that
 * declares them here need not end them:
 *
 * .. code-block:: c
 *
 *	struct foo_hw {
 *		struct drm_dev_ctx_data base;
 *		struct drm_dev_ctx_work poll;
 *		struct drm_dev_ctx_irq irq;
 *		...
 *	};
 *
 *	static void foo_poll(const struct drm_dev_ctx_reg *reg, struct drm_dev_ctx_data *data,
 *			     struct drm_dev_ctx_work *work)
 *	{
 *		...
 *		drm_dev_ctx_work_queue(work, system_percpu_wq, HZ);
 *	}
 *
 *	static irqreturn_t foo_irq(const struct drm_dev_ctx_live *live,
 *				   struct drm_dev_ctx_data *data, struct drm_dev_ctx_irq *irq)
 *	{
 *		...
 *		return IRQ_HANDLED;
 *	}
 *
 *	static const struct drm_dev_ctx_irq_ops foo_irq_ops = {
 *		.handler = foo_irq,
 *	};
 *
 * In the probe function:
 *
 * .. example: in int foo_probe(struct device *dev, struct drm_dev_ctx_unreg *unreg,
 *    struct foo_hw *hw, int nr, int ret, const struct drm_dev_ctx_live *live)
 * .. code-block:: c
 *
 *	live = drm_dev_ctx_attach(unreg, &foo_ops, &hw->base);
 *	if (IS_ERR(live))
 *		return PTR_ERR(live);
 *	drm_dev_ctx_work_init(&hw->poll, live, foo_poll);
 *	drm_dev_ctx_work_queue(&hw->poll, system_percpu_wq, 0);
 *	ret = drm_dev_ctx_irq_request(&hw->irq, live, nr, &foo_irq_ops, 0, "foo");
 *	if (ret)
 *		return ret;
 *	return drm_dev_ctx_register(dev, &unreg, &foo_ops, &hw->base);
 *
 * A handler gets a proof of the context that it needs, and the registration data. The context
 * decides when the library ends the handler:
 *
 * - An *initiator* takes a &struct drm_dev_ctx_reg, and runs in a section. The library holds it
 *   back until the device is registered, and ends it when the device is unplugged.
 * - A *completer* ends the waits of others. It takes a &struct drm_dev_ctx_live, and runs from
 *   drm_dev_ctx_attach() on. The library ends it after quiesce, so sections, kms_shutdown and
 *   quiesce may wait for it.
 *
 * A thread takes a &struct drm_dev_ctx_live, because it runs all the time. It opens a section for
 * each operation that it starts, and completes nothing inside a section.
 *
 * The library ends all of them before the release step: first work items and threads, which may
 * wait for the others, then timers, then interrupts. The driver must avoid a completer that waits
 * for another work item. To free the structure that embeds one of them earlier, first end it with
 * drm_dev_ctx_work_fini(), drm_dev_ctx_timer_fini(), drm_dev_ctx_hrtimer_fini(),
 * drm_dev_ctx_kthread_stop() or drm_dev_ctx_irq_free().
 */

/* Whether @async was initialised and not ended since. The driver orders calls for one structure. */
static bool drm_dev_ctx_async_is_alive(const struct drm_dev_ctx_async *async)
{
	return async->__ctx && !async->__ended;
}

/*
 * Returns whether @async cannot be started: the driver has ended it, or has never initialised it,
 * which this reports. A task that looked up an object may start its code while another task ends
 * it, so that is no misuse.
 */
static bool drm_dev_ctx_async_misses(const struct drm_dev_ctx_async *async)
{
	if (unlikely(READ_ONCE(async->__ended)))
		return true;
	if (likely(async->__ctx))
		return false;

	drm_safe_broken(NULL, "asynchronous code is initialised before use",
			"call drm_dev_ctx_work_init(), or the function for a timer or thread, first");
	return true;
}

/* Returns whether @async is alive already, and reports that. */
static bool drm_dev_ctx_async_is_used(const struct drm_dev_ctx_live *live,
				      const struct drm_dev_ctx_async *async)
{
	if (likely(!drm_dev_ctx_async_is_alive(async)))
		return false;

	drm_safe_broken(drm_dev_ctx_live_drm(live), "asynchronous code is initialised once",
			"it belongs to a device already, or was not zeroed");
	return true;
}

/* Reports and debugfs name the driver's function. */
static void drm_dev_ctx_async_track(struct drm_dev_ctx_section *s, void *fn)
{
	__drm_dev_ctx_section_track(s, "drm_dev_ctx_async");
#ifdef CONFIG_DRM_SAFE_DEBUG
	s->where = (unsigned long)fn;
#endif
}

/*
 * Enters a block for @fn. The block need not be counted, because the end of the registration waits
 * for @fn itself.
 */
static void drm_dev_ctx_async_enter_live(struct drm_dev_ctx_section *s,
					 struct drm_dev_ctx_async *async, void *fn)
{
	*s = (struct drm_dev_ctx_section){
		.ctx = async->__ctx,
		.how = __DRM_DEV_CTX_BOUND,
	};
	drm_dev_ctx_async_track(s, fn);
}

static void drm_dev_ctx_async_leave_live(struct drm_dev_ctx_section *s)
{
	__drm_dev_ctx_section_untrack(s);
}

/*
 * Enters a section for @fn. Code that needs a registration never runs before the device is
 * registered, so this only checks for an unplug.
 */
static bool drm_dev_ctx_async_enter_reg(struct drm_dev_ctx_section *s, int *idx,
					struct drm_dev_ctx_async *async, void *fn)
	__context_unsafe("left with drm_dev_ctx_async_leave_reg() if it was entered")
{
	*s = __drm_dev_ctx_try_enter(idx, async->__ctx, true);
	if (unlikely(!s->how)) {
		__drm_dev_ctx_refused_at(async->__ctx, (unsigned long)fn);
		return false;
	}
	drm_dev_ctx_async_track(s, fn);
	return true;
}

static void drm_dev_ctx_async_leave_reg(struct drm_dev_ctx_section *s)
	__context_unsafe("see drm_dev_ctx_async_enter_reg()")
{
	__drm_dev_ctx_section_untrack(s);
	drm_dev_exit(*s->idx);
}

/* Under @__async_lock the answer stays valid. Without the lock it is only a hint. */
static bool drm_dev_ctx_async_is_held(const struct drm_dev_ctx_async *async)
{
	return __drm_dev_ctx_async_phase(async) == DRM_DEV_CTX_HELD;
}

static bool drm_dev_ctx_async_is_over(const struct drm_dev_ctx_async *async)
{
	return __drm_dev_ctx_async_phase(async) == DRM_DEV_CTX_OVER;
}

/* Does nothing if @async was never initialised, or has ended already. */
static void drm_dev_ctx_async_fini(struct drm_dev_ctx_async *async)
{
	if (!drm_dev_ctx_async_is_alive(async))
		return;
	if (drm_dev_ctx_async_take(async))
		async->__ops->end(async);
	WRITE_ONCE(async->__ended, true);
}

/* Work items */

static struct drm_dev_ctx_work *drm_dev_ctx_async_work(const struct drm_dev_ctx_async *async)
{
	return container_of(async, struct drm_dev_ctx_work, __async);
}

/* The handler sees the registration data: see async-open.litmus. */
static void drm_dev_ctx_work_run_reg(struct work_struct *base)
{
	struct drm_dev_ctx_work *work = container_of(base, struct drm_dev_ctx_work, __work.work);
	const struct drm_dev_ctx_reg reg = { .bound.__ctx = work->__async.__ctx };
	struct drm_dev_ctx_section s;
	int idx;

	if (!drm_dev_ctx_async_enter_reg(&s, &idx, &work->__async, work->__reg))
		return;
	work->__reg(&reg, drm_dev_ctx_reg_data(&reg), work);
	drm_dev_ctx_async_leave_reg(&s);
}

/* Like drm_dev_ctx_work_run_reg(), see async-open.litmus. */
static void drm_dev_ctx_work_run_live(struct work_struct *base)
{
	struct drm_dev_ctx_work *work = container_of(base, struct drm_dev_ctx_work, __work.work);
	const struct drm_dev_ctx_live live = { .bound.__ctx = work->__async.__ctx };
	struct drm_dev_ctx_section s;

	drm_dev_ctx_async_enter_live(&s, &work->__async, work->__live);
	work->__live(&live, drm_dev_ctx_live_data(&live), work);
	drm_dev_ctx_async_leave_live(&s);
}

static void drm_dev_ctx_work_start(struct drm_dev_ctx_async *async)
{
	struct drm_dev_ctx_work *work = drm_dev_ctx_async_work(async);

	if (work->__held)
		queue_delayed_work(work->__held, &work->__work, work->__delay);
	work->__held = NULL;
}

static void drm_dev_ctx_work_end(struct drm_dev_ctx_async *async)
{
	disable_delayed_work_sync(&drm_dev_ctx_async_work(async)->__work);
}

static void *drm_dev_ctx_work_handler(const struct drm_dev_ctx_async *async)
{
	struct drm_dev_ctx_work *work = drm_dev_ctx_async_work(async);

	return __drm_dev_ctx_needs_reg(async->__turn) ? (void *)work->__reg :
						       (void *)work->__live;
}

static bool drm_dev_ctx_work_runs(struct drm_dev_ctx_async *async)
{
	return work_busy(&drm_dev_ctx_async_work(async)->__work.work) & WORK_BUSY_RUNNING;
}

static bool drm_dev_ctx_work_is_current(struct drm_dev_ctx_async *async)
{
	return current_work() == &drm_dev_ctx_async_work(async)->__work.work;
}

static const struct drm_dev_ctx_async_ops drm_dev_ctx_work_ops = {
	.start = drm_dev_ctx_work_start,
	.end = drm_dev_ctx_work_end,
	.handler = drm_dev_ctx_work_handler,
	.runs = drm_dev_ctx_work_runs,
	.is_current = drm_dev_ctx_work_is_current,
};

/* Each work item has a lockdep class of its own, as with INIT_WORK(). */
static void drm_dev_ctx_work_prepare(struct drm_dev_ctx_work *work, work_func_t run,
				     struct lock_class_key *key)
{
	drm_init_delayed_work_key(&work->__work, run, key);
	work->__held = NULL;
}

/* drm_dev_ctx_work_init() with a handler that needs a registration */
void __drm_dev_ctx_work_init_reg(struct drm_dev_ctx_work *work,
				 const struct drm_dev_ctx_live *live,
				 void (*fn)(const struct drm_dev_ctx_reg *reg,
					    struct drm_dev_ctx_data *data,
					    struct drm_dev_ctx_work *work),
				 struct lock_class_key *key)
{
	if (drm_dev_ctx_async_is_used(live, &work->__async))
		return;
	drm_dev_ctx_work_prepare(work, drm_dev_ctx_work_run_reg, key);
	work->__reg = fn;
	drm_dev_ctx_async_add(live, &work->__async, &drm_dev_ctx_work_ops, DRM_DEV_CTX_REG_WORK);
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_work_init_reg);

/* The same with one that needs a live device */
void __drm_dev_ctx_work_init_live(struct drm_dev_ctx_work *work,
				  const struct drm_dev_ctx_live *live,
				  void (*fn)(const struct drm_dev_ctx_live *live,
					     struct drm_dev_ctx_data *data,
					     struct drm_dev_ctx_work *work),
				  struct lock_class_key *key)
{
	if (drm_dev_ctx_async_is_used(live, &work->__async))
		return;
	drm_dev_ctx_work_prepare(work, drm_dev_ctx_work_run_live, key);
	work->__live = fn;
	drm_dev_ctx_async_add(live, &work->__async, &drm_dev_ctx_work_ops, DRM_DEV_CTX_LIVE_WORK);
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_work_init_live);

/*
 * Defers the queueing of a work item until its device is registered. Returns false if the
 * device has been registered meanwhile. Otherwise sets @before to whether the work item
 * was already deferred. Under the lock: see async-hold.litmus.
 */
static bool drm_dev_ctx_work_hold(struct drm_dev_ctx_work *work, struct workqueue_struct *wq,
				  unsigned long delay, bool mod, bool *before)
{
	guard(raw_spinlock_irqsave)(&work->__async.__ctx->__async_lock);
	if (!drm_dev_ctx_async_is_held(&work->__async))
		return false;
	*before = work->__held;
	if (mod || !*before) {
		work->__held = wq;
		work->__delay = delay;
	}
	return true;
}

/*
 * Returns whether a work item must not be queued now, because it is held back, was ended,
 * or was never initialised. In that case, @ret is the return value for the caller.
 */
static bool drm_dev_ctx_work_put_off(struct drm_dev_ctx_work *work, struct workqueue_struct *wq,
				     unsigned long delay, bool mod, bool *ret)
{
	bool before;

	*ret = false;
	if (drm_dev_ctx_async_misses(&work->__async))
		return true;
	if (unlikely(drm_dev_ctx_async_is_held(&work->__async)) &&
	    drm_dev_ctx_work_hold(work, wq, delay, mod, &before)) {
		*ret = before == mod;
		return true;
	}
	return unlikely(drm_dev_ctx_async_is_over(&work->__async));
}

/**
 * drm_dev_ctx_work_queue() - queue a work item
 * @work: the work item
 * @wq: the workqueue
 * @delay: in jiffies; 0 for at once
 *
 * Like queue_delayed_work(). If the work item needs a registration and the device is not
 * registered yet, registration queues the work item. Does nothing once the library has ended
 * the work item.
 *
 * Context: Any but NMI.
 *
 * Return: false if the work item is queued already, or has been ended.
 */
bool drm_dev_ctx_work_queue(struct drm_dev_ctx_work *work, struct workqueue_struct *wq,
			    unsigned long delay)
{
	bool ret;

	if (drm_dev_ctx_work_put_off(work, wq, delay, false, &ret))
		return ret;
	/* Orders the load of the phase before the handler: see async-open.litmus. */
	return queue_delayed_work(wq, &work->__work, delay);
}
EXPORT_SYMBOL_GPL(drm_dev_ctx_work_queue);

/**
 * drm_dev_ctx_work_mod() - queue a work item, or change its delay
 * @work: the work item
 * @wq: the workqueue
 * @delay: in jiffies; 0 for at once
 *
 * Like mod_delayed_work(); see drm_dev_ctx_work_queue().
 *
 * Context: Any but NMI.
 *
 * Return: whether it was queued before.
 */
bool drm_dev_ctx_work_mod(struct drm_dev_ctx_work *work, struct workqueue_struct *wq,
			  unsigned long delay)
{
	bool ret;

	if (drm_dev_ctx_work_put_off(work, wq, delay, true, &ret))
		return ret;
	return mod_delayed_work(wq, &work->__work, delay);
}
EXPORT_SYMBOL_GPL(drm_dev_ctx_work_mod);

/* Returns whether it was to be queued. */
static bool drm_dev_ctx_work_unhold(struct drm_dev_ctx_work *work)
{
	bool held;

	guard(raw_spinlock_irqsave)(&work->__async.__ctx->__async_lock);
	held = work->__held;
	work->__held = NULL;
	return held;
}

/**
 * drm_dev_ctx_work_cancel_sync() - cancel a work item, and wait until it no longer runs
 * @work: the work item
 *
 * Like cancel_delayed_work_sync(). The work item can be queued again. Not needed at the
 * end of the registration.
 *
 * Context: May sleep. Not from the handler.
 *
 * Return: whether it was queued.
 */
bool drm_dev_ctx_work_cancel_sync(struct drm_dev_ctx_work *work)
{
	bool held;

	if (drm_dev_ctx_async_misses(&work->__async))
		return false;
	held = drm_dev_ctx_work_unhold(work);
	return cancel_delayed_work_sync(&work->__work) || held;
}
EXPORT_SYMBOL_GPL(drm_dev_ctx_work_cancel_sync);

/**
 * drm_dev_ctx_work_flush() - wait for a work item
 * @work: the work item
 *
 * Like flush_delayed_work(). Does not wait for a work item that is held back.
 *
 * Context: May sleep. Not from the handler. Not from a section, if the work item needs a
 * registration.
 *
 * Return: whether the work item was queued or running.
 */
bool drm_dev_ctx_work_flush(struct drm_dev_ctx_work *work)
{
	if (drm_dev_ctx_async_misses(&work->__async))
		return false;
	return flush_delayed_work(&work->__work);
}
EXPORT_SYMBOL_GPL(drm_dev_ctx_work_flush);

/**
 * drm_dev_ctx_work_fini() - end a work item before the registration ends
 * @work: the work item; nothing happens if it was never initialised and is zeroed
 *
 * For a work item in memory that is freed, or may be freed, before the registration ends. Other
 * tasks may still call drm_dev_ctx_work_queue() meanwhile and afterwards, which does nothing. The
 * work item can be initialised again.
 *
 * Context: May sleep. Not from the handler. The device exists.
 */
void drm_dev_ctx_work_fini(struct drm_dev_ctx_work *work)
{
	drm_dev_ctx_async_fini(&work->__async);
}
EXPORT_SYMBOL_GPL(drm_dev_ctx_work_fini);

/* Timers */

static struct drm_dev_ctx_timer *drm_dev_ctx_async_timer(const struct drm_dev_ctx_async *async)
{
	return container_of(async, struct drm_dev_ctx_timer, __async);
}

/* The handler sees the registration data: see async-open.litmus. */
static void drm_dev_ctx_timer_run_reg(struct timer_list *base)
{
	struct drm_dev_ctx_timer *timer = timer_container_of(timer, base, __timer);
	const struct drm_dev_ctx_reg reg = { .bound.__ctx = timer->__async.__ctx };
	struct drm_dev_ctx_section s;
	int idx;

	if (!drm_dev_ctx_async_enter_reg(&s, &idx, &timer->__async, timer->__reg))
		return;
	timer->__reg(&reg, drm_dev_ctx_reg_data(&reg), timer);
	drm_dev_ctx_async_leave_reg(&s);
}

/* Like drm_dev_ctx_timer_run_reg(), see async-open.litmus. */
static void drm_dev_ctx_timer_run_live(struct timer_list *base)
{
	struct drm_dev_ctx_timer *timer = timer_container_of(timer, base, __timer);
	const struct drm_dev_ctx_live live = { .bound.__ctx = timer->__async.__ctx };
	struct drm_dev_ctx_section s;

	drm_dev_ctx_async_enter_live(&s, &timer->__async, timer->__live);
	timer->__live(&live, drm_dev_ctx_live_data(&live), timer);
	drm_dev_ctx_async_leave_live(&s);
}

static void drm_dev_ctx_timer_start(struct drm_dev_ctx_async *async)
{
	struct drm_dev_ctx_timer *timer = drm_dev_ctx_async_timer(async);

	if (timer->__held)
		mod_timer(&timer->__timer, timer->__expires);
	timer->__held = false;
}

static void drm_dev_ctx_timer_end(struct drm_dev_ctx_async *async)
{
	timer_shutdown_sync(&drm_dev_ctx_async_timer(async)->__timer);
}

static void *drm_dev_ctx_timer_handler(const struct drm_dev_ctx_async *async)
{
	struct drm_dev_ctx_timer *timer = drm_dev_ctx_async_timer(async);

	return __drm_dev_ctx_needs_reg(async->__turn) ? (void *)timer->__reg :
						       (void *)timer->__live;
}

static const struct drm_dev_ctx_async_ops drm_dev_ctx_timer_ops = {
	.start = drm_dev_ctx_timer_start,
	.end = drm_dev_ctx_timer_end,
	.handler = drm_dev_ctx_timer_handler,
};

/* drm_dev_ctx_timer_init() with a handler that needs a registration */
void __drm_dev_ctx_timer_init_reg(struct drm_dev_ctx_timer *timer,
				  const struct drm_dev_ctx_live *live,
				  void (*fn)(const struct drm_dev_ctx_reg *reg,
					     struct drm_dev_ctx_data *data,
					     struct drm_dev_ctx_timer *timer),
				  struct lock_class_key *key, const char *name)
{
	if (drm_dev_ctx_async_is_used(live, &timer->__async))
		return;
	timer_init_key(&timer->__timer, drm_dev_ctx_timer_run_reg, 0, name, key);
	timer->__reg = fn;
	timer->__held = false;
	drm_dev_ctx_async_add(live, &timer->__async, &drm_dev_ctx_timer_ops,
			      DRM_DEV_CTX_REG_TIMER);
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_timer_init_reg);

/* The same with one that needs a live device */
void __drm_dev_ctx_timer_init_live(struct drm_dev_ctx_timer *timer,
				   const struct drm_dev_ctx_live *live,
				   void (*fn)(const struct drm_dev_ctx_live *live,
					      struct drm_dev_ctx_data *data,
					      struct drm_dev_ctx_timer *timer),
				   struct lock_class_key *key, const char *name)
{
	if (drm_dev_ctx_async_is_used(live, &timer->__async))
		return;
	timer_init_key(&timer->__timer, drm_dev_ctx_timer_run_live, 0, name, key);
	timer->__live = fn;
	timer->__held = false;
	drm_dev_ctx_async_add(live, &timer->__async, &drm_dev_ctx_timer_ops,
			      DRM_DEV_CTX_LIVE_TIMER);
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_timer_init_live);

/* Like drm_dev_ctx_work_hold(), see async-hold.litmus. */
static bool drm_dev_ctx_timer_hold(struct drm_dev_ctx_timer *timer, unsigned long expires,
				   bool *before)
{
	guard(raw_spinlock_irqsave)(&timer->__async.__ctx->__async_lock);
	if (!drm_dev_ctx_async_is_held(&timer->__async))
		return false;
	*before = timer->__held;
	timer->__held = true;
	timer->__expires = expires;
	return true;
}

/**
 * drm_dev_ctx_timer_mod() - start a timer, or change when it expires
 * @timer: the timer
 * @expires: when it expires, in jiffies
 *
 * Like mod_timer(). If the timer needs a registration and the device is not registered
 * yet, it is started on registration. Does nothing once the library has ended the timer.
 *
 * Context: Any but NMI.
 *
 * Return: whether it was started before, and has not expired.
 */
bool drm_dev_ctx_timer_mod(struct drm_dev_ctx_timer *timer, unsigned long expires)
{
	bool before;

	if (drm_dev_ctx_async_misses(&timer->__async))
		return false;
	if (unlikely(drm_dev_ctx_async_is_held(&timer->__async)) &&
	    drm_dev_ctx_timer_hold(timer, expires, &before))
		return before;
	if (unlikely(drm_dev_ctx_async_is_over(&timer->__async)))
		return false;
	/* Orders the load of the phase before the handler: see async-open.litmus. */
	return mod_timer(&timer->__timer, expires);
}
EXPORT_SYMBOL_GPL(drm_dev_ctx_timer_mod);

/* Returns whether it was to be started. */
static bool drm_dev_ctx_timer_unhold(struct drm_dev_ctx_timer *timer)
{
	bool held;

	guard(raw_spinlock_irqsave)(&timer->__async.__ctx->__async_lock);
	held = timer->__held;
	timer->__held = false;
	return held;
}

/**
 * drm_dev_ctx_timer_delete_sync() - stop a timer, and wait until it does not run
 * @timer: the timer
 *
 * Like timer_delete_sync(). The timer can be started again. Not needed at the end of the
 * registration.
 *
 * Context: Task context, not with interrupts off. Not from the handler.
 *
 * Return: whether it was started, and had not expired.
 */
bool drm_dev_ctx_timer_delete_sync(struct drm_dev_ctx_timer *timer)
{
	bool held;

	if (drm_dev_ctx_async_misses(&timer->__async))
		return false;
	held = drm_dev_ctx_timer_unhold(timer);
	return timer_delete_sync(&timer->__timer) || held;
}
EXPORT_SYMBOL_GPL(drm_dev_ctx_timer_delete_sync);

/**
 * drm_dev_ctx_timer_fini() - end a timer before the registration ends
 * @timer: the timer; nothing happens if it was never initialised and is zeroed
 *
 * Like drm_dev_ctx_work_fini().
 *
 * Context: May sleep. Not from the handler. The device exists.
 */
void drm_dev_ctx_timer_fini(struct drm_dev_ctx_timer *timer)
{
	drm_dev_ctx_async_fini(&timer->__async);
}
EXPORT_SYMBOL_GPL(drm_dev_ctx_timer_fini);

/* High-resolution timers */

static struct drm_dev_ctx_hrtimer *
drm_dev_ctx_async_hrtimer(const struct drm_dev_ctx_async *async)
{
	return container_of(async, struct drm_dev_ctx_hrtimer, __async);
}

static enum hrtimer_restart drm_dev_ctx_hrtimer_run_reg(struct hrtimer *base)
{
	struct drm_dev_ctx_hrtimer *timer = container_of(base, struct drm_dev_ctx_hrtimer, __timer);
	const struct drm_dev_ctx_reg reg = { .bound.__ctx = timer->__async.__ctx };
	struct drm_dev_ctx_section s;
	enum hrtimer_restart ret;
	int idx;

	if (!drm_dev_ctx_async_enter_reg(&s, &idx, &timer->__async, timer->__reg))
		return HRTIMER_NORESTART;
	ret = timer->__reg(&reg, drm_dev_ctx_reg_data(&reg), timer);
	drm_dev_ctx_async_leave_reg(&s);
	return ret;
}

static enum hrtimer_restart drm_dev_ctx_hrtimer_run_live(struct hrtimer *base)
{
	struct drm_dev_ctx_hrtimer *timer = container_of(base, struct drm_dev_ctx_hrtimer, __timer);
	const struct drm_dev_ctx_live live = { .bound.__ctx = timer->__async.__ctx };
	struct drm_dev_ctx_section s;
	enum hrtimer_restart ret;

	drm_dev_ctx_async_enter_live(&s, &timer->__async, timer->__live);
	ret = timer->__live(&live, drm_dev_ctx_live_data(&live), timer);
	drm_dev_ctx_async_leave_live(&s);
	return ret;
}

static void drm_dev_ctx_hrtimer_begin(struct drm_dev_ctx_async *async)
{
	struct drm_dev_ctx_hrtimer *timer = drm_dev_ctx_async_hrtimer(async);

	if (timer->__held)
		hrtimer_start_range_ns(&timer->__timer, timer->__expires, timer->__range_ns,
				       timer->__mode);
	timer->__held = false;
}

/* The kernel cannot shut down an hrtimer, so each call that starts it checks @__over. */
static void drm_dev_ctx_hrtimer_end(struct drm_dev_ctx_async *async)
{
	struct drm_dev_ctx_hrtimer *timer = drm_dev_ctx_async_hrtimer(async);

	scoped_guard(raw_spinlock_irqsave, &async->__ctx->__async_lock)
		timer->__over = true;
	/* This also works if the handler restarts the timer. */
	hrtimer_cancel(&timer->__timer);
}

static void *drm_dev_ctx_hrtimer_handler(const struct drm_dev_ctx_async *async)
{
	struct drm_dev_ctx_hrtimer *timer = drm_dev_ctx_async_hrtimer(async);

	return __drm_dev_ctx_needs_reg(async->__turn) ? (void *)timer->__reg :
						       (void *)timer->__live;
}

static const struct drm_dev_ctx_async_ops drm_dev_ctx_hrtimer_ops = {
	.start = drm_dev_ctx_hrtimer_begin,
	.end = drm_dev_ctx_hrtimer_end,
	.handler = drm_dev_ctx_hrtimer_handler,
};

static void drm_dev_ctx_hrtimer_add(struct drm_dev_ctx_hrtimer *timer,
				    const struct drm_dev_ctx_live *live,
				    enum drm_dev_ctx_turn turn)
{
	/* Set these before drm_dev_ctx_async_add(): the device can end the timer after that. */
	timer->__held = false;
	timer->__over = false;
	drm_dev_ctx_async_add(live, &timer->__async, &drm_dev_ctx_hrtimer_ops, turn);
}

/* drm_dev_ctx_hrtimer_init() with a handler that needs a registration */
void __drm_dev_ctx_hrtimer_init_reg(struct drm_dev_ctx_hrtimer *timer,
				    const struct drm_dev_ctx_live *live,
				    enum hrtimer_restart (*fn)(const struct drm_dev_ctx_reg *reg,
							       struct drm_dev_ctx_data *data,
							       struct drm_dev_ctx_hrtimer *timer),
				    clockid_t clock_id, enum hrtimer_mode mode)
{
	if (drm_dev_ctx_async_is_used(live, &timer->__async))
		return;
	hrtimer_setup(&timer->__timer, drm_dev_ctx_hrtimer_run_reg, clock_id, mode);
	timer->__reg = fn;
	drm_dev_ctx_hrtimer_add(timer, live, DRM_DEV_CTX_REG_TIMER);
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_hrtimer_init_reg);

/* The same with one that needs a live device */
void __drm_dev_ctx_hrtimer_init_live(struct drm_dev_ctx_hrtimer *timer,
				     const struct drm_dev_ctx_live *live,
				     enum hrtimer_restart (*fn)(const struct drm_dev_ctx_live *live,
								struct drm_dev_ctx_data *data,
								struct drm_dev_ctx_hrtimer *timer),
				     clockid_t clock_id, enum hrtimer_mode mode)
{
	if (drm_dev_ctx_async_is_used(live, &timer->__async))
		return;
	hrtimer_setup(&timer->__timer, drm_dev_ctx_hrtimer_run_live, clock_id, mode);
	timer->__live = fn;
	drm_dev_ctx_hrtimer_add(timer, live, DRM_DEV_CTX_LIVE_TIMER);
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_hrtimer_init_live);

/**
 * drm_dev_ctx_hrtimer_start() - start a high-resolution timer, or change when it expires
 * @timer: the timer
 * @expires: when it expires, as @mode says
 * @range_ns: how many nanoseconds it may be late
 * @mode: as for hrtimer_start_range_ns(), and of the kind that the timer was prepared with
 *
 * If the timer needs a registration and the device is not registered yet, it is started on
 * registration. Does nothing once the library has ended the timer. Takes a raw spinlock of
 * the device.
 *
 * Context: Any but NMI.
 */
void drm_dev_ctx_hrtimer_start(struct drm_dev_ctx_hrtimer *timer, ktime_t expires, u64 range_ns,
			       enum hrtimer_mode mode)
{
	if (drm_dev_ctx_async_misses(&timer->__async))
		return;
	guard(raw_spinlock_irqsave)(&timer->__async.__ctx->__async_lock);
	if (timer->__over || drm_dev_ctx_async_is_over(&timer->__async))
		return;
	timer->__held = true;
	timer->__expires = expires;
	timer->__range_ns = range_ns;
	timer->__mode = mode;
	if (!drm_dev_ctx_async_is_held(&timer->__async))
		drm_dev_ctx_hrtimer_begin(&timer->__async);
}
EXPORT_SYMBOL_GPL(drm_dev_ctx_hrtimer_start);

/**
 * drm_dev_ctx_hrtimer_forward_now() - make a timer expire again, from its handler
 * @timer: the timer
 * @interval: added to the last expiry time, as often as needed to reach the future
 *
 * Like hrtimer_forward_now(). The handler then returns HRTIMER_RESTART.
 *
 * Context: Only from the handler of @timer.
 *
 * Return: the number of intervals that were added.
 */
u64 drm_dev_ctx_hrtimer_forward_now(struct drm_dev_ctx_hrtimer *timer, ktime_t interval)
{
	return hrtimer_forward_now(&timer->__timer, interval);
}
EXPORT_SYMBOL_GPL(drm_dev_ctx_hrtimer_forward_now);

/* Returns whether it was to be started. */
static bool drm_dev_ctx_hrtimer_unhold(struct drm_dev_ctx_hrtimer *timer)
{
	bool held;

	guard(raw_spinlock_irqsave)(&timer->__async.__ctx->__async_lock);
	held = timer->__held;
	timer->__held = false;
	return held;
}

/**
 * drm_dev_ctx_hrtimer_cancel() - stop a timer, and wait until it does not run
 * @timer: the timer
 *
 * Like hrtimer_cancel(). The timer can be started again. Not needed at the end of the
 * registration.
 *
 * Context: Task context, not with interrupts off. Not from the handler.
 *
 * Return: whether it was started, and had not expired.
 */
bool drm_dev_ctx_hrtimer_cancel(struct drm_dev_ctx_hrtimer *timer)
{
	bool held;

	if (drm_dev_ctx_async_misses(&timer->__async))
		return false;
	held = drm_dev_ctx_hrtimer_unhold(timer);
	return hrtimer_cancel(&timer->__timer) || held;
}
EXPORT_SYMBOL_GPL(drm_dev_ctx_hrtimer_cancel);

/**
 * drm_dev_ctx_hrtimer_fini() - end a timer before the registration ends
 * @timer: the timer; nothing happens if it was never initialised and is zeroed
 *
 * Like drm_dev_ctx_work_fini().
 *
 * Context: May sleep. Not from the handler. The device exists.
 */
void drm_dev_ctx_hrtimer_fini(struct drm_dev_ctx_hrtimer *timer)
{
	drm_dev_ctx_async_fini(&timer->__async);
}
EXPORT_SYMBOL_GPL(drm_dev_ctx_hrtimer_fini);

/* Threads */

static struct drm_dev_ctx_kthread *
drm_dev_ctx_async_kthread(const struct drm_dev_ctx_async *async)
{
	return container_of(async, struct drm_dev_ctx_kthread, __async);
}

static int drm_dev_ctx_kthread_fn(void *data)
{
	struct drm_dev_ctx_kthread *kthread = data;
	const struct drm_dev_ctx_live live = { .bound.__ctx = kthread->__async.__ctx };

	kthread->__live(&live, drm_dev_ctx_live_data(&live), kthread);
	return 0;
}

/* It was never held back. */
static void drm_dev_ctx_kthread_begin(struct drm_dev_ctx_async *async) {}

/*
 * The reference keeps the task_struct of a thread that has returned. Timers and interrupts end
 * later than threads, and may still try to wake up the thread.
 */
static void drm_dev_ctx_kthread_end(struct drm_dev_ctx_async *async)
{
	struct drm_dev_ctx_kthread *kthread = drm_dev_ctx_async_kthread(async);
	struct task_struct *task = kthread->__task;

	kthread_stop(task);
	scoped_guard(raw_spinlock_irqsave, &async->__ctx->__async_lock)
		kthread->__task = NULL;
	put_task_struct(task);
}

static void *drm_dev_ctx_kthread_handler(const struct drm_dev_ctx_async *async)
{
	return drm_dev_ctx_async_kthread(async)->__live;
}

static bool drm_dev_ctx_kthread_is_current(struct drm_dev_ctx_async *async)
{
	return drm_dev_ctx_async_kthread(async)->__task == current;
}

static const struct drm_dev_ctx_async_ops drm_dev_ctx_kthread_ops = {
	.start = drm_dev_ctx_kthread_begin,
	.end = drm_dev_ctx_kthread_end,
	.handler = drm_dev_ctx_kthread_handler,
	.is_current = drm_dev_ctx_kthread_is_current,
};

/**
 * drm_dev_ctx_kthread_run() - run a thread that belongs to a registration
 * @kthread: the thread, zeroed, or stopped with drm_dev_ctx_kthread_stop()
 * @live: proof that there is registration data
 * @fn: its function, which returns soon after kthread_should_stop() is true
 * @name: name of the thread
 *
 * The thread runs from now on, whether the device is registered or not. After quiesce, the
 * library calls kthread_stop(), which wakes up the thread and waits for it. The function may
 * return earlier.
 *
 * Context: May sleep.
 *
 * Return: 0; -EINVAL if @kthread is in use, which is reported; -ENODEV if the registration ended;
 * -EINTR if the task was killed; or -ENOMEM.
 */
int drm_dev_ctx_kthread_run(struct drm_dev_ctx_kthread *kthread,
			    const struct drm_dev_ctx_live *live,
			    void (*fn)(const struct drm_dev_ctx_live *live,
				       struct drm_dev_ctx_data *data,
				       struct drm_dev_ctx_kthread *kthread),
			    const char *name)
{
	struct task_struct *task;
	int ret;

	if (drm_dev_ctx_async_is_used(live, &kthread->__async))
		return -EINVAL;
	task = kthread_create(drm_dev_ctx_kthread_fn, kthread, "%s", name);
	if (IS_ERR(task))
		return PTR_ERR(task);
	/*
	 * Two references: one for drm_dev_ctx_kthread_end(), which can run at any time from now on,
	 * and one for this function
	 */
	get_task_struct(task);
	get_task_struct(task);
	kthread->__task = task;
	kthread->__live = fn;
	ret = drm_dev_ctx_async_add(live, &kthread->__async, &drm_dev_ctx_kthread_ops,
				    DRM_DEV_CTX_LIVE_WORK);
	if (ret) {
		/* The thread was never woken up, so it does not call @fn. */
		drm_dev_ctx_kthread_end(&kthread->__async);
		kthread->__async.__ctx = NULL;
	} else {
		wake_up_process(task);
	}
	put_task_struct(task);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_dev_ctx_kthread_run);

/**
 * drm_dev_ctx_kthread_wake_up() - wake up a thread
 * @kthread: the thread, which runs or has returned
 *
 * As with wake_up_process(), the thread sets its state first, and checks for work after that.
 * Does nothing once the thread has been stopped. Takes a raw spinlock of the device.
 *
 * Context: Any but NMI.
 *
 * Return: whether the thread was asleep.
 */
bool drm_dev_ctx_kthread_wake_up(struct drm_dev_ctx_kthread *kthread)
{
	if (drm_dev_ctx_async_misses(&kthread->__async))
		return false;
	guard(raw_spinlock_irqsave)(&kthread->__async.__ctx->__async_lock);
	return kthread->__task && wake_up_process(kthread->__task);
}
EXPORT_SYMBOL_GPL(drm_dev_ctx_kthread_wake_up);

/**
 * drm_dev_ctx_kthread_stop() - stop a thread before the registration ends
 * @kthread: the thread; nothing happens if it was never started and is zeroed
 *
 * Context: May sleep. Not from the thread itself. The device exists.
 */
void drm_dev_ctx_kthread_stop(struct drm_dev_ctx_kthread *kthread)
{
	drm_dev_ctx_async_fini(&kthread->__async);
}
EXPORT_SYMBOL_GPL(drm_dev_ctx_kthread_stop);

/* Interrupts */

static struct drm_dev_ctx_irq *drm_dev_ctx_async_irq(const struct drm_dev_ctx_async *async)
{
	return container_of(async, struct drm_dev_ctx_irq, __async);
}

static irqreturn_t drm_dev_ctx_irq_run(struct drm_dev_ctx_irq *irq,
				       irqreturn_t (*fn)(const struct drm_dev_ctx_live *live,
							 struct drm_dev_ctx_data *data,
							 struct drm_dev_ctx_irq *irq))
{
	const struct drm_dev_ctx_live live = { .bound.__ctx = irq->__async.__ctx };
	struct drm_dev_ctx_section s;
	irqreturn_t ret;

	drm_dev_ctx_async_enter_live(&s, &irq->__async, fn);
	ret = fn(&live, drm_dev_ctx_live_data(&live), irq);
	drm_dev_ctx_async_leave_live(&s);
	return ret;
}

/* With PREEMPT_RT or threadirqs, the kernel may run this in a thread. */
static irqreturn_t drm_dev_ctx_irq_run_handler(int nr, void *data)
{
	struct drm_dev_ctx_irq *irq = data;
	irqreturn_t ret;

	WRITE_ONCE(irq->__handler_task, in_task() ? current : NULL);
	ret = drm_dev_ctx_irq_run(irq, irq->__ops->handler);
	WRITE_ONCE(irq->__handler_task, NULL);
	return ret;
}

static irqreturn_t drm_dev_ctx_irq_run_thread(int nr, void *data)
{
	struct drm_dev_ctx_irq *irq = data;
	irqreturn_t ret;

	WRITE_ONCE(irq->__thread_task, current);
	ret = drm_dev_ctx_irq_run(irq, irq->__ops->thread);
	WRITE_ONCE(irq->__thread_task, NULL);
	return ret;
}

/*
 * No other task sets a member to this task. Each handler has its own member, because both can run
 * at the same time, in a thread each.
 */
static bool drm_dev_ctx_irq_is_current(struct drm_dev_ctx_async *async)
{
	const struct drm_dev_ctx_irq *irq = drm_dev_ctx_async_irq(async);

	return READ_ONCE(irq->__handler_task) == current ||
	       READ_ONCE(irq->__thread_task) == current;
}

/* It was never held back. */
static void drm_dev_ctx_irq_start(struct drm_dev_ctx_async *async) {}

/* free_irq() waits for the handlers. */
static void drm_dev_ctx_irq_end(struct drm_dev_ctx_async *async)
{
	struct drm_dev_ctx_irq *irq = drm_dev_ctx_async_irq(async);

	free_irq(irq->__irq, irq);
}

static void *drm_dev_ctx_irq_handler(const struct drm_dev_ctx_async *async)
{
	const struct drm_dev_ctx_irq_ops *ops = drm_dev_ctx_async_irq(async)->__ops;

	return ops->thread ?: ops->handler;
}

static const struct drm_dev_ctx_async_ops drm_dev_ctx_irq_async_ops = {
	.start = drm_dev_ctx_irq_start,
	.end = drm_dev_ctx_irq_end,
	.handler = drm_dev_ctx_irq_handler,
	.is_current = drm_dev_ctx_irq_is_current,
};

/**
 * drm_dev_ctx_irq_request() - request an interrupt that belongs to a registration
 * @irq: the interrupt, zeroed, or freed with drm_dev_ctx_irq_free()
 * @live: proof that there is registration data
 * @nr: number of the interrupt, from pci_irq_vector() for example
 * @ops: its handlers
 * @flags: IRQF_* flags of request_threaded_irq(); IRQF_ONESHOT if there is only a thread
 * @name: name in /proc/interrupts; stays until the interrupt is freed
 *
 * The handlers may be called before this returns. They run until after quiesce, which stops the
 * hardware, and the library frees the interrupt before the release step. Do not use a devm function
 * instead: it would free the interrupt after the registration data.
 *
 * Context: May sleep.
 *
 * Return: 0; -EINVAL if @irq is in use, which is reported; -ENODEV if the registration ended;
 * what request_threaded_irq() returned.
 */
int drm_dev_ctx_irq_request(struct drm_dev_ctx_irq *irq, const struct drm_dev_ctx_live *live,
			    unsigned int nr, const struct drm_dev_ctx_irq_ops *ops,
			    unsigned long flags, const char *name)
{
	int ret;

	if (drm_dev_ctx_async_is_used(live, &irq->__async))
		return -EINVAL;
	/*
	 * The handlers can run as soon as the interrupt is requested, so set these first. From
	 * drm_dev_ctx_async_add() on, the device can free the interrupt.
	 */
	irq->__async.__ctx = live->bound.__ctx;
	irq->__ops = ops;
	irq->__irq = nr;
	irq->__handler_task = NULL;
	irq->__thread_task = NULL;
	ret = request_threaded_irq(nr, ops->handler ? drm_dev_ctx_irq_run_handler : NULL,
				   ops->thread ? drm_dev_ctx_irq_run_thread : NULL,
				   flags, name, irq);
	if (ret)
		goto err;
	ret = drm_dev_ctx_async_add(live, &irq->__async, &drm_dev_ctx_irq_async_ops,
				    DRM_DEV_CTX_LIVE_IRQ);
	if (ret) {
		free_irq(nr, irq);
		goto err;
	}
	return 0;

err:
	irq->__async.__ctx = NULL;
	return ret;
}
EXPORT_SYMBOL_GPL(drm_dev_ctx_irq_request);

/**
 * drm_dev_ctx_irq_synchronize() - wait until the handlers of an interrupt have returned
 * @irq: the interrupt; nothing happens if it was never requested and is zeroed
 *
 * Like synchronize_irq(), for code that has masked the interrupt in the hardware, and resets the
 * hardware or powers it down next. On a shared line, another device can still make the kernel call
 * the handlers afterwards. Not needed at the end of the registration.
 *
 * Context: May sleep. Not from a handler of the interrupt. The device exists.
 */
void drm_dev_ctx_irq_synchronize(struct drm_dev_ctx_irq *irq)
{
	if (drm_dev_ctx_async_is_alive(&irq->__async))
		synchronize_irq(irq->__irq);
}
EXPORT_SYMBOL_GPL(drm_dev_ctx_irq_synchronize);

/**
 * drm_dev_ctx_irq_free() - free an interrupt before the registration ends
 * @irq: the interrupt; nothing happens if it was never requested and is zeroed
 *
 * Context: May sleep. Not from a handler of the interrupt. The device exists.
 */
void drm_dev_ctx_irq_free(struct drm_dev_ctx_irq *irq)
{
	drm_dev_ctx_async_fini(&irq->__async);
}
EXPORT_SYMBOL_GPL(drm_dev_ctx_irq_free);
