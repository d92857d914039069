// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <linux/export.h>
#include <linux/interrupt.h>
#include <linux/lockdep.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

#include "drm_dev_ctx_async.h"
#include "drm_safe_core.h"

/**
 * DOC: asynchronous code
 *
 * Work items, timers and interrupts belong to the registration data. A driver that declares
 * them here does not end them:
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
 *		drm_dev_ctx_work_queue(work, system_wq, HZ);
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
 *	drm_dev_ctx_work_queue(&hw->poll, system_wq, 0);
 *	ret = drm_dev_ctx_irq_request(&hw->irq, live, nr, &foo_irq_ops, 0, "foo");
 *	if (ret)
 *		return ret;
 *	return drm_dev_ctx_register(dev, &unreg, &foo_ops, &hw->base);
 *
 * A handler gets the proof of what it needs, and the registration data. What it needs says
 * when it is ended:
 *
 * - An *initiator* takes a &struct drm_dev_ctx_reg. It runs in a section, and is ended when the
 *   device is unplugged. Until the device is registered, it is held back.
 * - A *completer* ends the waits of others: it takes a &struct drm_dev_ctx_live, runs from
 *   drm_dev_ctx_attach() on, and is ended after quiesce. Sections, kms_shutdown and quiesce may
 *   wait for it.
 *
 * All are ended before release: work items first, which may wait for the others, then timers,
 * then interrupts. A completer that waits for another work item is the driver's to avoid. What
 * is embedded in something that goes earlier is ended by drm_dev_ctx_work_fini(),
 * drm_dev_ctx_timer_fini() or drm_dev_ctx_irq_free().
 */

/* Whether there was an init; reports it. */
static bool drm_dev_ctx_async_misses(const struct drm_dev_ctx_async *async)
{
	if (likely(async->__ctx))
		return false;

	drm_safe_broken(NULL, "asynchronous code is initialised before use",
			"there was no drm_dev_ctx_work_init() or drm_dev_ctx_timer_init()");
	return true;
}

/* Whether it has been initialised, and not ended since; reports it. */
static bool drm_dev_ctx_async_is_used(const struct drm_dev_ctx_live *live,
				      const struct drm_dev_ctx_async *async)
{
	if (likely(!async->__ctx))
		return false;

	drm_safe_broken(drm_dev_ctx_live_drm(live), "asynchronous code is initialised once",
			"it belongs to a device already, or is not zeroed");
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

/* A block for @fn. It needs no count, because the end of the registration waits for @fn. */
static void drm_dev_ctx_async_enter_live(struct drm_dev_ctx_section *s,
					 struct drm_dev_ctx_async *async, void *fn)
{
	*s = (struct drm_dev_ctx_section){ .ctx = async->__ctx, .bound = true };
	drm_dev_ctx_async_track(s, fn);
}

static void drm_dev_ctx_async_leave_live(struct drm_dev_ctx_section *s)
{
	__drm_dev_ctx_section_untrack(s);
}

/* A section for @fn. It runs since the device was registered, so no more than that is asked. */
static bool drm_dev_ctx_async_enter_reg(struct drm_dev_ctx_section *s, int *idx,
					struct drm_dev_ctx_async *async, void *fn)
	__context_unsafe("left with drm_dev_ctx_async_leave_reg() if it was entered")
{
	*s = __drm_dev_ctx_try_enter(idx, async->__ctx, true);
	if (unlikely(!s->open)) {
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

/* The lock keeps it so. */
static bool drm_dev_ctx_async_is_held(const struct drm_dev_ctx_async *async)
{
	return __drm_dev_ctx_async_phase(async) == DRM_DEV_CTX_HELD;
}

static bool drm_dev_ctx_async_is_over(const struct drm_dev_ctx_async *async)
{
	return __drm_dev_ctx_async_phase(async) == DRM_DEV_CTX_OVER;
}

/* Work items */

static struct drm_dev_ctx_work *drm_dev_ctx_async_work(const struct drm_dev_ctx_async *async)
{
	return container_of(async, struct drm_dev_ctx_work, __async);
}

/* The handler may free what @work is in. */
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

static const struct drm_dev_ctx_async_ops drm_dev_ctx_work_ops = {
	.start = drm_dev_ctx_work_start,
	.end = drm_dev_ctx_work_end,
	.handler = drm_dev_ctx_work_handler,
	.runs = drm_dev_ctx_work_runs,
};

/* Each work item has a lockdep class of its own, as with INIT_WORK(). */
static void drm_dev_ctx_work_prepare(struct drm_dev_ctx_work *work, work_func_t run,
				     const char *name, struct lock_class_key *key)
{
	INIT_DELAYED_WORK(&work->__work, run);
	drm_work_set_class(&work->__work.work, name, key);
	work->__held = NULL;
}

/* drm_dev_ctx_work_init() with a handler that needs a registration */
void __drm_dev_ctx_work_init_reg(struct drm_dev_ctx_work *work,
				 const struct drm_dev_ctx_live *live,
				 void (*fn)(const struct drm_dev_ctx_reg *reg,
					    struct drm_dev_ctx_data *data,
					    struct drm_dev_ctx_work *work),
				 const char *name, struct lock_class_key *key)
{
	if (drm_dev_ctx_async_is_used(live, &work->__async))
		return;
	drm_dev_ctx_work_prepare(work, drm_dev_ctx_work_run_reg, name, key);
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
				  const char *name, struct lock_class_key *key)
{
	if (drm_dev_ctx_async_is_used(live, &work->__async))
		return;
	drm_dev_ctx_work_prepare(work, drm_dev_ctx_work_run_live, name, key);
	work->__live = fn;
	drm_dev_ctx_async_add(live, &work->__async, &drm_dev_ctx_work_ops, DRM_DEV_CTX_LIVE_WORK);
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_work_init_live);

/*
 * Has a work item queued when its device is registered. If that has happened meanwhile then
 * @held is false. Returns whether it was to be queued before.
 */
static bool drm_dev_ctx_work_hold(struct drm_dev_ctx_work *work, struct workqueue_struct *wq,
				  unsigned long delay, bool mod, bool *held)
{
	bool before;

	guard(raw_spinlock_irqsave)(&work->__async.__ctx->__async_lock);
	*held = drm_dev_ctx_async_is_held(&work->__async);
	if (!*held)
		return false;
	before = work->__held;
	if (mod || !before) {
		work->__held = wq;
		work->__delay = delay;
	}
	return before;
}

/**
 * drm_dev_ctx_work_queue() - queue a work item
 * @work: the work item
 * @wq: the workqueue
 * @delay: in jiffies; 0 for at once
 *
 * As queue_delayed_work(). A work item that needs a registration, of a device that is not
 * registered yet, is queued when it is. Does nothing once the library has ended it.
 *
 * Context: Any but NMI.
 *
 * Return: false if it is queued already, or has been ended.
 */
bool drm_dev_ctx_work_queue(struct drm_dev_ctx_work *work, struct workqueue_struct *wq,
			    unsigned long delay)
{
	bool held, before;

	if (drm_dev_ctx_async_misses(&work->__async))
		return false;
	if (unlikely(drm_dev_ctx_async_is_held(&work->__async))) {
		before = drm_dev_ctx_work_hold(work, wq, delay, false, &held);
		if (held)
			return !before;
	}
	if (unlikely(drm_dev_ctx_async_is_over(&work->__async)))
		return false;
	return queue_delayed_work(wq, &work->__work, delay);
}
EXPORT_SYMBOL_GPL(drm_dev_ctx_work_queue);

/**
 * drm_dev_ctx_work_mod() - queue a work item, or change its delay
 * @work: the work item
 * @wq: the workqueue
 * @delay: in jiffies; 0 for at once
 *
 * As mod_delayed_work(); see drm_dev_ctx_work_queue().
 *
 * Context: Any but NMI.
 *
 * Return: whether it was queued before.
 */
bool drm_dev_ctx_work_mod(struct drm_dev_ctx_work *work, struct workqueue_struct *wq,
			  unsigned long delay)
{
	bool held, before;

	if (drm_dev_ctx_async_misses(&work->__async))
		return false;
	if (unlikely(drm_dev_ctx_async_is_held(&work->__async))) {
		before = drm_dev_ctx_work_hold(work, wq, delay, true, &held);
		if (held)
			return before;
	}
	if (unlikely(drm_dev_ctx_async_is_over(&work->__async)))
		return false;
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
 * drm_dev_ctx_work_cancel_sync() - cancel a work item, and wait until it does not run
 * @work: the work item
 *
 * As cancel_delayed_work_sync(). It can be queued again. Not needed at the end of the
 * registration.
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
 * As flush_delayed_work(). One that is held back is not waited for.
 *
 * Context: May sleep. Not from the handler. If it needs a registration, not from a section.
 *
 * Return: whether there was something to wait for.
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
 * For a work item in something that is freed before the registration ends, or that may be. It
 * can be initialised again afterwards.
 *
 * Context: May sleep. Not from the handler. The device exists.
 */
void drm_dev_ctx_work_fini(struct drm_dev_ctx_work *work)
{
	if (!work->__async.__ctx)
		return;
	drm_dev_ctx_async_take(&work->__async);
	drm_dev_ctx_work_end(&work->__async);
	work->__async.__ctx = NULL;
}
EXPORT_SYMBOL_GPL(drm_dev_ctx_work_fini);

/* Timers */

static struct drm_dev_ctx_timer *drm_dev_ctx_async_timer(const struct drm_dev_ctx_async *async)
{
	return container_of(async, struct drm_dev_ctx_timer, __async);
}

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
				  const char *name, struct lock_class_key *key)
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
				   const char *name, struct lock_class_key *key)
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

/* As drm_dev_ctx_work_hold() */
static bool drm_dev_ctx_timer_hold(struct drm_dev_ctx_timer *timer, unsigned long expires,
				   bool *held)
{
	bool before;

	guard(raw_spinlock_irqsave)(&timer->__async.__ctx->__async_lock);
	*held = drm_dev_ctx_async_is_held(&timer->__async);
	if (!*held)
		return false;
	before = timer->__held;
	timer->__held = true;
	timer->__expires = expires;
	return before;
}

/**
 * drm_dev_ctx_timer_mod() - start a timer, or change when it expires
 * @timer: the timer
 * @expires: when it expires, in jiffies
 *
 * As mod_timer(). A timer that needs a registration, of a device that is not registered
 * yet, is started when it is. Does nothing once the library has ended it.
 *
 * Context: Any but NMI.
 *
 * Return: whether it was started before, and has not expired.
 */
bool drm_dev_ctx_timer_mod(struct drm_dev_ctx_timer *timer, unsigned long expires)
{
	bool held, before;

	if (drm_dev_ctx_async_misses(&timer->__async))
		return false;
	if (unlikely(drm_dev_ctx_async_is_held(&timer->__async))) {
		before = drm_dev_ctx_timer_hold(timer, expires, &held);
		if (held)
			return before;
	}
	if (unlikely(drm_dev_ctx_async_is_over(&timer->__async)))
		return false;
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
 * As timer_delete_sync(). It can be started again. Not needed at the end of the registration.
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
 * As drm_dev_ctx_work_fini().
 *
 * Context: May sleep. Not from the handler. The device exists.
 */
void drm_dev_ctx_timer_fini(struct drm_dev_ctx_timer *timer)
{
	if (!timer->__async.__ctx)
		return;
	drm_dev_ctx_async_take(&timer->__async);
	drm_dev_ctx_timer_end(&timer->__async);
	timer->__async.__ctx = NULL;
}
EXPORT_SYMBOL_GPL(drm_dev_ctx_timer_fini);

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

static irqreturn_t drm_dev_ctx_irq_run_handler(int nr, void *data)
{
	struct drm_dev_ctx_irq *irq = data;

	return drm_dev_ctx_irq_run(irq, irq->__ops->handler);
}

static irqreturn_t drm_dev_ctx_irq_run_thread(int nr, void *data)
{
	struct drm_dev_ctx_irq *irq = data;

	return drm_dev_ctx_irq_run(irq, irq->__ops->thread);
}

/* It was never held back. */
static void drm_dev_ctx_irq_start(struct drm_dev_ctx_async *async) {}

/* free_irq() waits for the handlers. It is called once: see drm_dev_ctx_irq_free(). */
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
};

/**
 * drm_dev_ctx_irq_request() - request an interrupt that belongs to a registration
 * @irq: the interrupt, zeroed, or freed with drm_dev_ctx_irq_free()
 * @live: proof that there is registration data
 * @nr: number of the interrupt, of pci_irq_vector() for example
 * @ops: its handlers
 * @flags: IRQF_* flags of request_threaded_irq(); IRQF_ONESHOT if there is only a thread
 * @name: name in /proc/interrupts; stays until the interrupt is freed
 *
 * The handlers may be called before this returns. They run until after quiesce, which stops
 * the hardware, and the library frees the interrupt before release. No devm function is
 * needed, which would free it too late: the registration data would be gone.
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
	/* The handlers need this, and drm_dev_ctx_async_add() has it freed. */
	irq->__async.__ctx = live->bound.__ctx;
	irq->__ops = ops;
	irq->__irq = nr;
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
 * drm_dev_ctx_irq_free() - free an interrupt before the registration ends
 * @irq: the interrupt; nothing happens if it was never requested and is zeroed
 *
 * Context: May sleep. Not from a handler of it. The device exists.
 */
void drm_dev_ctx_irq_free(struct drm_dev_ctx_irq *irq)
{
	if (!irq->__async.__ctx)
		return;
	if (drm_dev_ctx_async_take(&irq->__async))
		drm_dev_ctx_irq_end(&irq->__async);
	irq->__async.__ctx = NULL;
}
EXPORT_SYMBOL_GPL(drm_dev_ctx_irq_free);
