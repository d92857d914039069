// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <linux/completion.h>
#include <linux/device.h>
#include <linux/export.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/panic.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/stringhash.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <drm/drm_debugfs.h>
#include <drm/drm_managed.h>
#include <drm/drm_print.h>

#include "drm_dev_ctx_internal.h"
#include "drm_safe_core.h"

#include "drm_dev_ctx_trace.h"

/**
 * DOC: overview
 *
 * A DRM device has three nested lifetimes. The &struct drm_device lives as long as someone, such
 * as an open file, holds a reference. For a part of that time, the &struct device below it is bound
 * to its driver. For a part of that again, the device is registered and not unplugged, and clients
 * may use the hardware. Each function of a driver runs in one of these contexts, which decides what
 * the function may do. This library turns the contexts into types: a function takes the context
 * that it needs as a parameter, and a call from another context does not compile.
 *
 * A driver embeds the library's structs in its own:
 *
 * .. code-block:: c
 *
 *	struct foo_device {
 *		struct drm_dev_ctx ctx;		// has the struct drm_device: ctx.drm
 *	};
 *
 *	struct foo_hw {
 *		struct drm_dev_ctx_data base;	// lives as long as the registration
 *		...
 *	};
 *
 *	struct foo_reg {
 *		struct drm_dev_ctx_reg base;	// the proof, and no other member
 *	};
 *
 *	static inline struct foo_device *to_foo(struct drm_device *drm)
 *	{
 *		return drm_dev_ctx_entry(drm, struct foo_device, ctx);
 *	}
 *
 *	static inline struct foo_hw *foo_live_hw(const struct drm_dev_ctx_live *live)
 *	{
 *		return container_of(drm_dev_ctx_live_data(live), struct foo_hw, base);
 *	}
 *
 *	static inline struct foo_hw *foo_reg_hw(const struct foo_reg *reg)
 *	{
 *		return foo_live_hw(drm_dev_ctx_reg_live(&reg->base));
 *	}
 *
 * From the weakest to the strongest, the contexts are:
 *
 * - *Normal*, the ``struct foo_device``. It may not be registered yet, and the parent
 *   may be unbound already.
 * - *Ioctl*, a ``struct drm_dev_ctx_ioctl *``: the device has been registered, and may
 *   be unplugged by now.
 * - *Bound*, a ``const struct drm_dev_ctx_bound *``: the parent is bound. The structs of
 *   the next three contexts contain this one, as their member bound.
 * - *Unregistered*, a ``struct drm_dev_ctx_unreg *``: a token that exists once and is
 *   used up by registration.
 * - *Live*, a ``const struct drm_dev_ctx_live *``: the hardware and the registration data are
 *   there, registered or not. It exists in the scope of drm_dev_ctx_guard_live() or
 *   drm_dev_ctx_live_or(), and in completers, which end the waits of others.
 * - *Registered*, a ``const struct foo_reg *``. It exists in the scope of drm_dev_ctx_guard() or
 *   drm_dev_ctx_or(), and in the ioctls that ask for it. It gives access to the registration
 *   data.
 *
 * A driver's probe function:
 *
 * .. code-block:: c
 *
 *	static const struct drm_dev_ctx_ops foo_ops = {
 *		.quiesce = foo_quiesce,		// (bound, struct drm_dev_ctx_data *)
 *		.release = foo_release,		// (struct drm_dev_ctx_data *)
 *	};
 *
 *	static int foo_probe(struct faux_device *fdev)
 *	{
 *		struct drm_dev_ctx_unreg *unreg __free(drm_dev_ctx_unreg) =
 *			drm_dev_ctx_alloc(&fdev->dev, &foo_driver, struct foo_device, ctx);
 *		struct foo_hw *hw;
 *
 *		if (IS_ERR(unreg))
 *			return PTR_ERR(unreg);
 *
 *		hw = foo_hw_init(&unreg->bound, to_foo(drm_dev_ctx_unreg_drm(unreg)));
 *		if (IS_ERR(hw))
 *			return PTR_ERR(hw);
 *
 *		return drm_dev_ctx_register(&fdev->dev, &unreg, &foo_ops, &hw->base);
 *	}
 *
 * The driver needs no remove function. When the parent is unbound, the library unplugs the device,
 * waits for all sections that need the registration, quiesces the hardware, and releases the
 * registration data, in this order. If drm_dev_ctx_register() fails, it has quiesced and released
 * as well. On some buses, devres runs too late for this: see *A bus that needs the hardware to stop
 * earlier*. The shutdown function of the driver calls drm_dev_ctx_shutdown().
 *
 * An ioctl has a typed handler, an entry point that takes one line to define, and a place in the
 * table:
 *
 * .. code-block:: c
 *
 *	int foo_ioctl_submit(const struct foo_reg *reg, struct drm_foo_submit *args,
 *			     struct drm_file *file);
 *	int foo_ioctl_info(struct drm_dev_ctx_ioctl *ioctl, struct drm_foo_info *args,
 *			   struct drm_file *file);
 *
 *	DRM_DEV_CTX_IOCTL(FOO_SUBMIT, foo_ioctl_submit, foo_reg, struct drm_foo_submit);
 *	DRM_DEV_CTX_IOCTL_UNGUARDED(FOO_INFO, foo_ioctl_info, struct drm_foo_info);
 *
 *	DRM_DEV_CTX_IOCTLS(foo_ioctls) = {
 *		DRM_DEV_CTX_IOCTL_DEF(FOO_SUBMIT, DRM_RENDER_ALLOW),
 *		DRM_DEV_CTX_IOCTL_DEF(FOO_INFO, DRM_RENDER_ALLOW),
 *	};
 *
 *	const struct drm_driver foo_driver = {
 *		.ioctls = foo_ioctls,
 *		.num_ioctls = ARRAY_SIZE(foo_ioctls),
 *		...
 *	};
 *
 * Every other entry point that starts something opens a section with one line: the open
 * callback, callbacks of GEM objects, page faults, and callbacks from other parts of the kernel,
 * such as this one:
 *
 * .. code-block:: c
 *
 *	static int foo_reboot(struct notifier_block *nb, unsigned long action, void *unused)
 *	{
 *		struct foo_notifier *notifier = container_of(nb, struct foo_notifier, nb);
 *
 *		drm_dev_ctx_or(foo_reg, reg, notifier->ctx, return NOTIFY_DONE);
 *
 *		foo_hw_kick(foo_reg_hw(reg));
 *		return NOTIFY_OK;
 *	}
 *
 * A driver declares work items, timers and interrupts with the context they need, see
 * drm_dev_ctx_async.h. The library opens their sections, and ends them.
 *
 * All of these are initiators. A completer is a function that ends the waits of others: an
 * interrupt handler or a work item that signals fences, calls complete() or reads the hardware's
 * responses. A runtime PM callback is a completer, too, because sections wait for it in
 * pm_runtime_resume_and_get(). So is &drm_sched_backend_ops.timedout_job, which ends a job that
 * hangs. A completer must not open a section:
 *
 * .. code-block:: c
 *
 *	static irqreturn_t foo_irq_thread(const struct drm_dev_ctx_live *live,
 *					  struct drm_dev_ctx_data *data,
 *					  struct drm_dev_ctx_irq *irq)
 *	{
 *		foo_hw_signal_done(foo_live_hw(live));
 *		return IRQ_HANDLED;
 *	}
 *
 * Unplugging waits for the open sections, and an open section can wait for the completer. If the
 * completer is refused a section, it completes nothing, so neither the section nor the unplug ever
 * ends. Sections are also refused before registration, so a probe function that waits for such a
 * completer would wait forever. Such a probe function calls drm_dev_ctx_attach() first. A completer
 * takes its data from the registration data. The completer can run, and the hardware is there,
 * until quiesce has returned and the library has ended the completer.
 *
 * A section protects the hardware, but not the timer, work item or notifier that calls the
 * function. Everything that can call the driver later must belong to the registration data, and
 * quiesce ends it unless drm_dev_ctx_async.h does. Quiesce waits for such callers, so code in a
 * section must not wait for quiesce.
 */

static void drm_dev_ctx_lock(struct drm_dev_ctx *ctx) __acquires(&ctx->__lock)
{
	mutex_lock(&ctx->__lock);
	WRITE_ONCE(ctx->__busy, current);
}

static void drm_dev_ctx_unlock(struct drm_dev_ctx *ctx) __releases(&ctx->__lock)
{
	WRITE_ONCE(ctx->__busy, NULL);
	mutex_unlock(&ctx->__lock);
}

/*
 * Returns whether this task runs a callback of the registration, or is about to. No other
 * task sets @__busy to this task.
 */
static bool drm_dev_ctx_is_busy(struct drm_dev_ctx *ctx)
{
	return READ_ONCE(ctx->__busy) == current;
}

/*
 * The device ends. Waits in sections and blocks end with it, because the next steps wait for
 * sections and blocks: see ctx-wait.litmus.
 */
static void drm_dev_ctx_set_ending(struct drm_dev_ctx *ctx, enum drm_dev_ctx_state state)
{
	WRITE_ONCE(ctx->__state, state);
	wake_up_all(&ctx->__waits);
}

/* Uses up the token of a device that is still unregistered, and will not be registered. */
static void drm_dev_ctx_lose_token(struct drm_dev_ctx *ctx)
{
	lockdep_assert_held(&ctx->__lock);
	if (ctx->__state != DRM_DEV_CTX_UNREGISTERED)
		return;
	drm_dev_ctx_set_ending(ctx, DRM_DEV_CTX_DROPPED);
	drm_dev_ctx_unwatch_probe(ctx);
}

/* The older devres action, which runs last. drm_dev_ctx_remove() may call it earlier. */
static void drm_dev_ctx_unbind(void *res)
{
	struct drm_dev_ctx *ctx = res;

	drm_dev_ctx_lock(ctx);
	drm_dev_ctx_lose_token(ctx);
	/* The caller may put the last reference after this, so nothing may be watched by then. */
	drm_dev_ctx_unwatch(ctx);
	drm_dev_ctx_unlock(ctx);
	drm_dev_ctx_revoke_watched(ctx);
	drm_dev_put(&ctx->drm);
}

static void drm_dev_ctx_shutdown_fn(struct work_struct *work)
{
	struct drm_dev_ctx *ctx = container_of(work, struct drm_dev_ctx, __shutdown);
	struct task_struct *ending = ctx->__busy;

	WRITE_ONCE(ctx->__busy, current);
	ctx->__ops->kms_shutdown(&ctx->__live, ctx->__data);
	/* A report may look at this worker: see ctx-busy.litmus. */
	WRITE_ONCE(ctx->__busy, ending);
}

/*
 * drm_atomic_helper_shutdown() waits interruptibly, and leaves the display on if a signal arrives.
 * Workers get no signals, so use one. If this task is a worker already, call kms_shutdown directly:
 * its workqueue may have WQ_MEM_RECLAIM, and must not wait for a workqueue without that flag.
 */
static void drm_dev_ctx_shutdown_kms(struct drm_dev_ctx *ctx)
{
	if (!ctx->__ops || !ctx->__ops->kms_shutdown)
		return;
	WRITE_ONCE(ctx->__step, DRM_DEV_CTX_STEP_KMS_SHUTDOWN);
	if (current->flags & PF_WQ_WORKER) {
		ctx->__ops->kms_shutdown(&ctx->__live, ctx->__data);
		return;
	}
	queue_work(system_dfl_wq, &ctx->__shutdown);
	flush_work(&ctx->__shutdown);
}

static void drm_dev_ctx_init_shutdown(struct drm_dev_ctx *ctx)
{
	lockdep_register_key(&ctx->__shutdown_key);
	__INIT_WORK_KEY(&ctx->__shutdown, drm_dev_ctx_shutdown_fn, 0, &ctx->__shutdown_key);
}

static void drm_dev_ctx_quiesce(const struct drm_dev_ctx_ops *ops,
				const struct drm_dev_ctx_bound *bound,
				struct drm_dev_ctx_data *data)
{
	if (ops && ops->quiesce)
		ops->quiesce(bound, data);
}

static void drm_dev_ctx_release(const struct drm_dev_ctx_ops *ops,
				struct drm_dev_ctx_data *data)
{
	if (ops && ops->release)
		ops->release(data);
}

/* Code that needs a registration if @reg, or else a live device, may run from here on. */
static void drm_dev_ctx_open_async(struct drm_dev_ctx *ctx, bool reg)
{
	struct drm_dev_ctx_async *async;

	guard(raw_spinlock_irqsave)(&ctx->__async_lock);
	for (int turn = 0; turn < DRM_DEV_CTX_TURNS; turn++) {
		if (__drm_dev_ctx_needs_reg(turn) != reg)
			continue;
		/*
		 * Release: pairs with the calls that start code after they have read the
		 * phase in __drm_dev_ctx_async_phase(), see async-open.litmus. The
		 * release also publishes the registration data. Code that is held back is
		 * started here. A task that is just about to hold code back sees the open
		 * phase, and starts the code itself: see async-hold.litmus.
		 */
		smp_store_release(&ctx->__phase[turn], DRM_DEV_CTX_OPEN);
		list_for_each_entry(async, &ctx->__async[turn], __node)
			async->__ops->start(async);
	}
}

/* Takes the code that is to be ended next in a turn off the list, or returns NULL. */
static struct drm_dev_ctx_async *drm_dev_ctx_next_async(struct drm_dev_ctx *ctx,
							enum drm_dev_ctx_turn turn)
{
	struct drm_dev_ctx_async *async;

	guard(raw_spinlock_irqsave)(&ctx->__async_lock);
	/* Under the lock: see async-over.litmus. */
	WRITE_ONCE(ctx->__phase[turn], DRM_DEV_CTX_OVER);
	async = list_first_entry_or_null(&ctx->__async[turn], struct drm_dev_ctx_async, __node);
	if (async) {
		list_del_init(&async->__node);
		async->__ending = true;
		ctx->__async_now = async;
	}
	return async;
}

/*
 * @async can be freed from here on: see drm_dev_ctx_async_take(), async-end.litmus and
 * async-wake.litmus.
 */
static void drm_dev_ctx_async_has_ended(struct drm_dev_ctx *ctx, struct drm_dev_ctx_async *async)
{
	scoped_guard(raw_spinlock_irqsave, &ctx->__async_lock) {
		async->__ending = false;
		ctx->__async_now = NULL;
	}
	wake_up(&ctx->__async_ended);
}

/*
 * Ends the code of all turns from @first to @last. Within a turn, code that was added last is ended
 * first.
 */
static void drm_dev_ctx_end_async(struct drm_dev_ctx *ctx, enum drm_dev_ctx_turn first,
				  enum drm_dev_ctx_turn last)
{
	struct drm_dev_ctx_async *async;

	WRITE_ONCE(ctx->__step, DRM_DEV_CTX_STEP_ASYNC);
	for (enum drm_dev_ctx_turn turn = first; turn <= last; turn++) {
		while ((async = drm_dev_ctx_next_async(ctx, turn))) {
			async->__ops->end(async);
			drm_dev_ctx_async_has_ended(ctx, async);
		}
	}
}

/*
 * From here on, drm_dev_ctx_guard_live() runs its block without a section if it cannot enter
 * one.
 */
static void drm_dev_ctx_open_bound(struct drm_dev_ctx *ctx)
{
	/*
	 * Release: pairs with __drm_dev_ctx_bound_enter(), after which the registration data
	 * is read, see ctx-open.litmus. No block is open, because the end of earlier
	 * registration data has waited for all blocks.
	 */
	atomic_set_release(&ctx->__bound_users, 0);
}

/* No block can be entered after this. Returns whether there are open blocks to wait for. */
static bool drm_dev_ctx_close_bound(struct drm_dev_ctx *ctx)
{
	/* If there are no open blocks, this makes visible what blocks did: see ctx-block.litmus. */
	return atomic_fetch_or(DRM_DEV_CTX_CLOSED, &ctx->__bound_users);
}

/* Tells lockdep about the wait for blocks even if none is open, as synchronize_srcu() does. */
static void drm_dev_ctx_might_wait_for_blocks(struct drm_dev_ctx *ctx)
{
#ifdef CONFIG_LOCKDEP
	lock_map_sync(&ctx->__bound_map);
#endif
}

/*
 * Quiesce has returned, and has ended all work that belongs to the registration. So only
 * work that does not belong to the registration can still be in a block.
 */
static void drm_dev_ctx_drain_bound(struct drm_dev_ctx *ctx)
{
	WRITE_ONCE(ctx->__step, DRM_DEV_CTX_STEP_BLOCKS);
	drm_dev_ctx_might_wait_for_blocks(ctx);
	if (drm_dev_ctx_close_bound(ctx))
		wait_for_completion(&ctx->__bound_left);
}

/*
 * Ends what belongs to the registration. Nothing needs the registration any more: see
 * ctx-section.litmus.
 */
static void drm_dev_ctx_end_registration(struct drm_dev_ctx *ctx)
{
	/* If the device was never registered, this code was held back until now. */
	drm_dev_ctx_end_async(ctx, DRM_DEV_CTX_REG_WORK, DRM_DEV_CTX_REG_TIMER);
	WRITE_ONCE(ctx->__step, DRM_DEV_CTX_STEP_QUIESCE);
	drm_dev_ctx_quiesce(ctx->__ops, &ctx->__unreg.bound, ctx->__data);
	drm_dev_ctx_drain_bound(ctx);
	/* This comes after the wait for blocks, because a block can wait for an interrupt. */
	drm_dev_ctx_end_async(ctx, DRM_DEV_CTX_LIVE_WORK, DRM_DEV_CTX_LIVE_IRQ);
	drm_dev_ctx_release(ctx->__ops, drm_dev_ctx_disclaim(ctx));
	ctx->__ops = NULL;
	ctx->__attached = false;
}

/* Other code has unregistered the device. Returns whether the device is unplugged. */
static bool drm_dev_ctx_left_behind(struct drm_device *drm)
{
	drm_safe_broken(drm, "unplug with drm_dev_ctx_unregister()",
			"drm_dev_unplug() or drm_dev_unregister() was called on a device of drm_dev_ctx");

	/* drm_dev_unplug() waits for all sections before it unregisters. */
	return drm_dev_is_unplugged(drm);
}

/* Like drm_dev_unplug(), but also for a device that was unregistered before. */
static void drm_dev_ctx_unplug_again(struct drm_device *drm, bool unregistered)
{
#ifndef drm_client_sysrq_unregister_again
	LIST_HEAD(own);

	if (unregistered)
		drm_dev_relist_sysrq(drm, &own);
#endif
	drm_dev_unplug(drm);
}

/*
 * Nothing needs the registration any more when this returns: see ctx-section.litmus and
 * sgt-section.litmus.
 */
static void drm_dev_ctx_leave(struct drm_dev_ctx *ctx)
{
	bool unregistered = !drm_dev_is_registered(&ctx->drm);

	if (unlikely(unregistered) && drm_dev_ctx_left_behind(&ctx->drm))
		return;

	WRITE_ONCE(ctx->__step, DRM_DEV_CTX_STEP_SECTIONS);
	drm_dev_ctx_unplug_again(&ctx->drm, unregistered);
}

/*
 * Makes the driver end the waits inside sections. The section justifies the proof, whose type
 * is the library's. There is no section if other code has unplugged the device.
 */
static void drm_dev_ctx_stop(struct drm_dev_ctx *ctx)
{
	int idx;

	if (!ctx->__ops || !ctx->__ops->stop)
		return;
	WRITE_ONCE(ctx->__step, DRM_DEV_CTX_STEP_STOP);
	scoped_guard(drm_dev_ctx_section, &idx, ctx, true) {
		const struct drm_dev_ctx_reg reg = {
			.bound.__ctx = __drm_dev_ctx_section_ctx(&scope, "drm_dev_ctx_reg"),
		};

		ctx->__ops->stop(&reg, ctx->__data);
	}
}

/* How often to check whether drm_dev_register() has failed, in milliseconds */
#define DRM_DEV_CTX_LATE_STOP_MS	50

/*
 * If drm_dev_register() fails, it unplugs the device and waits for the sections that were
 * entered while the minors were live. This work item cannot enter a section any more. Its proof is
 * still valid, because the waiting task cancels the work item before it ends the registration data.
 */
static void drm_dev_ctx_late_stop(struct work_struct *work)
{
	struct drm_dev_ctx *ctx = container_of(work, struct drm_dev_ctx, __late_stop.work);
	const struct drm_dev_ctx_reg reg = { .bound.__ctx = ctx };
	struct task_struct *registering = ctx->__busy;

	if (!drm_dev_is_unplugged(&ctx->drm)) {
		schedule_delayed_work(&ctx->__late_stop,
				      msecs_to_jiffies(DRM_DEV_CTX_LATE_STOP_MS));
		return;
	}
	/* Before @stop: see drm_dev_ctx_reg_ending(). */
	drm_dev_ctx_set_ending(ctx, DRM_DEV_CTX_ENDED);
	if (!ctx->__ops || !ctx->__ops->stop)
		return;
	WRITE_ONCE(ctx->__busy, current);
	ctx->__ops->stop(&reg, ctx->__data);
	WRITE_ONCE(ctx->__busy, registering);
}

/* Like drm_dev_register(), but if that fails and waits for sections, has stop end their waits. */
static int drm_dev_ctx_register_core(struct drm_dev_ctx *ctx)
{
	int ret;

	schedule_delayed_work(&ctx->__late_stop, msecs_to_jiffies(DRM_DEV_CTX_LATE_STOP_MS));
	ret = drm_dev_register(&ctx->drm, 0);
	cancel_delayed_work_sync(&ctx->__late_stop);
	return ret;
}

static void drm_dev_ctx_end_registered(struct drm_dev_ctx *ctx)
{
	trace_drm_dev_ctx_unplug(&ctx->drm);
	/* Before @stop: see drm_dev_ctx_reg_ending(). */
	drm_dev_ctx_set_ending(ctx, DRM_DEV_CTX_ENDED);
	drm_dev_ctx_watch(ctx, DRM_DEV_CTX_STEP_SECTIONS);
	drm_dev_ctx_stop(ctx);
	drm_dev_ctx_leave(ctx);
	drm_dev_ctx_end_async(ctx, DRM_DEV_CTX_REG_WORK, DRM_DEV_CTX_REG_TIMER);
	drm_dev_ctx_shutdown_kms(ctx);
	drm_dev_ctx_end_registration(ctx);
	drm_dev_ctx_unwatch(ctx);
}

/* For a device that will not be registered, but may have registration data. */
static void drm_dev_ctx_end_attached(struct drm_dev_ctx *ctx)
{
	lockdep_assert_held(&ctx->__lock);
	if (!ctx->__attached)
		return;
	drm_dev_ctx_watch(ctx, DRM_DEV_CTX_STEP_SECTIONS);
	drm_dev_ctx_end_registration(ctx);
	drm_dev_ctx_unwatch(ctx);
}

/* Returns whether there was a registration to end. @goes_down says that the system does. */
static bool drm_dev_ctx_end(struct drm_dev_ctx *ctx, bool goes_down)
{
	bool registered;

	drm_dev_ctx_lock(ctx);
	registered = ctx->__state == DRM_DEV_CTX_REGISTERED;
	if (registered) {
		/* Read in quiesce, and in tasks that quiesce waits for. */
		WRITE_ONCE(ctx->__goes_down, goes_down);
		drm_dev_ctx_end_registered(ctx);
	}
	drm_dev_ctx_unlock(ctx);

	return registered;
}

static bool drm_dev_ctx_async_is_current(struct drm_dev_ctx_async *async)
{
	return async->__ops->is_current && async->__ops->is_current(async);
}

/*
 * Returns whether this is called from a handler that the end of the registration waits for.
 * A handler that the device is about to end is not on any list.
 */
static bool drm_dev_ctx_in_handler(struct drm_dev_ctx *ctx)
{
	struct drm_dev_ctx_async *async;

	/* Not in a task: in a timer or an interrupt */
	if (!in_task())
		return true;
	guard(raw_spinlock_irqsave)(&ctx->__async_lock);
	if (ctx->__async_now && drm_dev_ctx_async_is_current(ctx->__async_now))
		return true;
	for (int turn = 0; turn < DRM_DEV_CTX_TURNS; turn++)
		list_for_each_entry(async, &ctx->__async[turn], __node)
			if (drm_dev_ctx_async_is_current(async))
				return true;
	return false;
}

/* Returns whether this task may wait until no task needs a registration any more. */
static bool drm_dev_ctx_may_wait(struct drm_device *drm)
{
	if (likely(!drm_dev_ctx_section_held(false)))
		return true;

	drm_safe_broken(drm, "unregister from outside",
			"this waits for all sections that need a registration, but the caller is in one: leave it first");
	return false;
}

/* The younger devres action, which runs first: the parent is being unbound. */
static void drm_dev_ctx_unplug(void *res)
{
	struct drm_dev_ctx *ctx = res;

	/* An unbind cannot be refused. Inside a section it never ends, so report that. */
	drm_dev_ctx_may_wait(&ctx->drm);
	drm_dev_ctx_end(ctx, false);
}

/* Like drm_dev_ctx_unplug(), for a device that was attached: the token may be left. */
static void drm_dev_ctx_detach(void *res)
{
	struct drm_dev_ctx *ctx = res;

	drm_dev_ctx_unplug(ctx);
	drm_dev_ctx_lock(ctx);
	drm_dev_ctx_lose_token(ctx);
	drm_dev_ctx_end_attached(ctx);
	drm_dev_ctx_unlock(ctx);
}

/* The last reference to the device is gone. */
static void drm_dev_ctx_fini(struct drm_device *drm, void *res)
{
	struct drm_dev_ctx *ctx = res;

	drm_dev_ctx_debug_exit(ctx);
	drm_dev_ctx_forget(ctx);
	put_device(ctx->__dma_dev);
	mutex_destroy(&ctx->__lock);
	lockdep_unregister_key(&ctx->__key);
	lockdep_unregister_key(&ctx->__shutdown_key);
}

/* Returns whether the driver of @args->dev and the caller are in different modules. */
static bool drm_dev_ctx_other_module(const struct drm_dev_ctx_args *args)
{
	const struct device_driver *drv = args->dev->driver;

	if (drv->owner != args->owner)
		return true;
	/* Both are built in. */
	return !drv->owner && strcmp(drv->mod_name, args->modname);
}

/*
 * Returns whether some driver other than the caller's is binding @args->dev, which is the case if
 *
 * - the driver of @args->dev is in another module, unless the caller stated the parent.
 *   @args->modname tells two built-in drivers apart. A built-in driver whose object files are not
 *   linked into one has several such names, so it has to state the parent.
 * - the probe function for @args->dev has returned, unless the caller stated this device as its own
 *   parent, as component masters do.
 *
 * Faux devices share one driver, so this check does not work for them.
 */
static bool drm_dev_ctx_foreign(const struct drm_dev_ctx_args *args)
{
	const struct device_driver *drv = args->dev->driver;

	if (!drv->owner && !drv->mod_name)
		return false;
	if (!args->stated && drm_dev_ctx_other_module(args))
		return true;
	if (args->stated && args->dev == args->parent)
		return false;
	return device_is_bound(args->dev);
}

/* Returns whether the arguments contradict each other, and reports it. */
static bool drm_dev_ctx_misfits(const struct drm_dev_ctx_args *args)
{
	const struct file_operations *fops = args->driver->fops;

	if (!args->dev || !args->parent || !args->dev->driver) {
		drm_safe_broken(NULL, "bound parents",
				"a device is allocated in the probe function of its parent's driver");
		return true;
	}
	if (drm_dev_ctx_foreign(args)) {
		drm_safe_broken(NULL, "a foreign parent is stated",
				"%s is not being bound to this driver; call drm_dev_ctx_alloc_parent() with the device that is being bound",
				dev_name(args->dev));
		return true;
	}
	if (fops && fops->owner != args->owner) {
		drm_safe_broken(NULL, "file operations have an owner",
				"the module that allocates the device does not own the file operations of %s; use DEFINE_DRM_GEM_FOPS()",
				args->driver->name);
		return true;
	}
	return false;
}

static u32 drm_dev_ctx_type_hash(const struct drm_dev_ctx_args *args)
{
	return hashlen_hash(hashlen_string(NULL, args->type));
}

/*
 * Returns whether a device with the same struct drm_driver was allocated as another struct. The
 * callbacks of a driver expect one type of device. A device is in the array until its last
 * reference is put.
 */
static bool drm_dev_ctx_other_type(const struct drm_dev_ctx_args *args, u32 type_hash)
{
	if (!drm_dev_ctx_differs(args->driver, type_hash))
		return false;

	drm_safe_broken(NULL, "a device has the drm_driver of its type",
			"a device of %s exists in another struct than %s", args->driver->name,
			args->type);
	return true;
}

static void drm_dev_ctx_init_async(struct drm_dev_ctx *ctx)
{
	raw_spin_lock_init(&ctx->__async_lock);
	for (int turn = 0; turn < DRM_DEV_CTX_TURNS; turn++) {
		/* Nobody else has it yet. */
		context_unsafe(INIT_LIST_HEAD(&ctx->__async[turn]));
	}
	init_waitqueue_head(&ctx->__async_ended);
	init_waitqueue_head(&ctx->__waits);
}

/**
 * __drm_dev_ctx_alloc() - allocate a device in its unregistered context
 * @args: the arguments of the allocation
 *
 * Drivers call drm_dev_ctx_alloc() or drm_dev_ctx_alloc_parent(). The memory stays
 * allocated until &drm_dev_ctx_args.dev is unbound, or its probe function fails, and
 * longer if someone holds a reference.
 *
 * Context: May sleep. Called from the probe function of the driver of
 * &drm_dev_ctx_args.dev.
 *
 * Return: the token, or an ERR_PTR().
 */
struct drm_dev_ctx_unreg *__drm_dev_ctx_alloc(const struct drm_dev_ctx_args *args)
{
	static struct lock_class_key bound_key, ends_key;
	const struct drm_driver *driver = args->driver;
	const u32 type_hash = drm_dev_ctx_type_hash(args);
	struct drm_driver early;
	struct drm_dev_ctx *ctx;
	void *device;
	int ret;

	if (drm_dev_ctx_misfits(args) || drm_dev_ctx_other_type(args, type_hash))
		return ERR_PTR(-EINVAL);
	ret = drm_dev_ctx_follow(args->dev, args->parent, "parent");
	if (ret)
		return ERR_PTR(ret);

	/*
	 * If anything below fails, the driver has nothing to release, because it never got the
	 * device. Few drivers have this callback.
	 */
	if (driver->release) {
		early = *driver;
		early.release = NULL;
		driver = &early;
	}
	device = __drm_dev_alloc(args->parent, driver, args->size, args->offset);
	if (IS_ERR(device))
		return ERR_CAST(device);

	/* @offset says where the member drm of a struct drm_dev_ctx is. */
	ctx = to_drm_dev_ctx(device + args->offset);
	ctx->__type = args->type;
	ctx->__driver = args->driver;
	ctx->__type_hash = type_hash;
	INIT_LIST_HEAD(&ctx->__known);
	ctx->__dev = args->dev;
	ctx->__in_probe = !device_is_bound(args->dev);
	ctx->__unreg.bound.__ctx = ctx;
	ctx->__live.bound.__ctx = ctx;
	lockdep_register_key(&ctx->__key);
	mutex_init(&ctx->__lock);
	lockdep_set_class(&ctx->__lock, &ctx->__key);
	drm_dev_ctx_init_shutdown(ctx);
	drm_dev_ctx_init_async(ctx);
	atomic_set(&ctx->__bound_users, DRM_DEV_CTX_CLOSED);
	init_completion(&ctx->__bound_left);
	lockdep_init_map(&ctx->__bound_map, "drm_dev_ctx_guard_live", &bound_key, 0);
	spin_lock_init(&ctx->__revocables_lock);
	/* Nobody else has it yet. */
	context_unsafe(INIT_LIST_HEAD(&ctx->__revocables));
	init_waitqueue_head(&ctx->__ended);
	lockdep_init_map(&ctx->__ends_map, "drm_dev_ctx_ends", &ends_key, 0);
	INIT_DELAYED_WORK(&ctx->__stuck, drm_dev_ctx_stuck);
	INIT_DELAYED_WORK(&ctx->__late_stop, drm_dev_ctx_late_stop);
	drm_dev_ctx_debug_init(ctx);

	ret = drmm_add_action_or_reset(&ctx->drm, drm_dev_ctx_fini, ctx);
	if (ret) {
		drm_dev_put(&ctx->drm);
		return ERR_PTR(ret);
	}
	ret = devm_add_action_or_reset(ctx->__dev, drm_dev_ctx_unbind, ctx);
	if (ret)
		return ERR_PTR(ret);

	/* From here on drm_dev_ctx_shutdown() can find it, so it is complete. */
#ifndef drm_device_ctx
	ret = drm_dev_ctx_insert(ctx);
	if (ret) {
		devm_release_action(ctx->__dev, drm_dev_ctx_unbind, ctx);
		return ERR_PTR(ret);
	}
#endif
	drm_dev_ctx_make_known(ctx);

	drm_dev_set_driver(&ctx->drm, args->driver);
	drm_debugfs_add_file(&ctx->drm, "drm_dev_ctx", drm_dev_ctx_show, NULL);
	drm_dev_ctx_watch(ctx, DRM_DEV_CTX_STEP_SECTIONS);
	return &ctx->__unreg;
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_alloc);

/* Returns whether a token is NULL or an ERR_PTR(), and reports it. */
static bool drm_dev_ctx_unreg_missing(struct drm_dev_ctx_unreg *unreg)
{
	if (!IS_ERR_OR_NULL(unreg))
		return false;

	drm_safe_broken(NULL, "a token is used once",
			"the token is NULL or an ERR_PTR(): it was used up, or the allocation failed");
	return true;
}

/* Returns whether the token of a device was used up before, and reports it. */
static bool drm_dev_ctx_used_up(struct drm_dev_ctx *ctx)
{
	lockdep_assert_held(&ctx->__lock);

	if (ctx->__state == DRM_DEV_CTX_UNREGISTERED)
		return false;

	drm_safe_broken(&ctx->drm, "a token is used once",
			"this device was registered or dropped before");
	return true;
}

/**
 * __drm_dev_ctx_drop() - give up a device that was not registered
 * @unreg: the token
 *
 * Drivers call drm_dev_ctx_drop(), or leave the scope of a token that is __free(). Ends the
 * registration data that drm_dev_ctx_attach() was given.
 *
 * Context: May sleep.
 */
void __drm_dev_ctx_drop(struct drm_dev_ctx_unreg *unreg)
{
	struct drm_dev_ctx *ctx;

	if (drm_dev_ctx_unreg_missing(unreg))
		return;
	ctx = container_of(unreg, struct drm_dev_ctx, __unreg);

	drm_dev_ctx_lock(ctx);
	if (!drm_dev_ctx_used_up(ctx)) {
		drm_dev_ctx_lose_token(ctx);
		drm_dev_ctx_end_attached(ctx);
	}
	drm_dev_ctx_unlock(ctx);
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_drop);

/*
 * Returns whether the probe function that allocated the device has returned, and reports it. If
 * the parent was bound before the allocation, as for a component master or a faux device, this
 * cannot tell, and returns false.
 */
static bool drm_dev_ctx_is_late(struct drm_dev_ctx *ctx)
{
	if (!ctx->__in_probe || !device_is_bound(ctx->__dev))
		return false;

	drm_safe_broken(&ctx->drm, "a device is registered in its probe function",
			"the probe function that allocated the device has returned: %s is bound",
			dev_name(ctx->__dev));
	return true;
}

/*
 * The driver may have set the DMA device since the allocation. Since the DMA device was settled, it
 * may have got a driver, or lost its driver because a probe function failed.
 */
static int drm_dev_ctx_register_dma_dev(struct drm_dev_ctx *ctx)
{
	int ret = __drm_dev_ctx_settle_dma_dev(ctx);

	if (ret)
		return ret;
	if (drm_dev_ctx_dma_dev_is_lost(ctx)) {
		dev_err(ctx->__dev, "%s, the DMA device of its DRM device, has lost its driver\n",
			dev_name(ctx->__dma_dev));
		return -ENODEV;
	}
	ret = drm_dev_ctx_follow(ctx->__dev, ctx->__dma_dev, "DMA device");
	if (ret)
		return ret;
	__drm_dev_ctx_record_dma(ctx);
	return 0;
}

static int drm_dev_ctx_go_live(struct drm_dev_ctx *ctx, struct device *dev)
{
	int ret;

	/* drm_dev_register() waits for sections if it fails. */
	if (!drm_dev_ctx_may_wait(&ctx->drm))
		return -EDEADLK;
	if (dev != ctx->__dev) {
		drm_safe_broken(&ctx->drm, "a device is registered where it was allocated",
				"registered with %s, allocated with %s",
				dev ? dev_name(dev) : "no device", dev_name(ctx->__dev));
		return -EINVAL;
	}
	if (drm_dev_ctx_is_late(ctx))
		return -EINVAL;

	ret = drm_dev_ctx_register_dma_dev(ctx);
	if (ret)
		return ret;

	/* Before the device goes live, because nothing may fail after that. */
	ret = devm_add_action(dev, drm_dev_ctx_unplug, ctx);
	if (ret)
		return ret;

	/*
	 * Release: pairs with the acquire in __drm_dev_ctx_try_enter() and in
	 * __drm_dev_ctx_registered(), see ctx-registered.litmus. The minors can be
	 * live before drm_dev_register() returns, so sections can be entered from now on.
	 * If drm_dev_register() fails, it waits for them.
	 */
	smp_store_release(&ctx->__registered, ctx);
	ret = drm_dev_ctx_register_core(ctx);
	if (ret) {
		/*
		 * The minors may have been live for a moment. drm_dev_register()
		 * unplugged the device and waited for sections, but a display
		 * may be on.
		 */
		drm_dev_ctx_set_ending(ctx, DRM_DEV_CTX_ENDED);
		drm_dev_ctx_shutdown_kms(ctx);
		devm_remove_action(dev, drm_dev_ctx_unplug, ctx);
	}
	return ret;
}

/* Publishes registration data. Returns false, with a report, if another device has the data. */
static bool drm_dev_ctx_publish(struct drm_dev_ctx *ctx, const struct drm_dev_ctx_ops *ops,
				struct drm_dev_ctx_data *data)
{
	if (!drm_dev_ctx_claim(ctx, data)) {
		drm_safe_broken(&ctx->drm, "registration data has one device",
				"another device has this data, and will end it");
		return false;
	}
	ctx->__ops = ops;
	if (data)
		data->__ctx = ctx;
	drm_dev_ctx_open_async(ctx, false);
	drm_dev_ctx_open_bound(ctx);
	return true;
}

/* Publishes the device, which has its registration data. Ends the registration if that fails. */
static int drm_dev_ctx_begin(struct drm_dev_ctx *ctx, struct device *dev)
{
	int ret;

	drm_dev_ctx_watch(ctx, DRM_DEV_CTX_STEP_SECTIONS);
	ret = drm_dev_ctx_go_live(ctx, dev);
	trace_drm_dev_ctx_register(&ctx->drm, ret);
	if (ret) {
		drm_dev_ctx_set_ending(ctx, DRM_DEV_CTX_ENDED);
		drm_dev_ctx_end_registration(ctx);
	} else {
		drm_dev_ctx_open_async(ctx, true);
	}
	drm_dev_ctx_unwatch(ctx);
	return ret;
}

/*
 * Quiesces data that a device refuses because it has other data. The device goes on, so this ends
 * nothing that belongs to the device.
 */
static void drm_dev_ctx_quiesce_refused(struct drm_dev_ctx *ctx, const struct drm_dev_ctx_ops *ops,
					struct drm_dev_ctx_data *data)
{
	enum drm_dev_ctx_step step = READ_ONCE(ctx->__step);

	WRITE_ONCE(ctx->__step, DRM_DEV_CTX_STEP_REFUSED);
	drm_dev_ctx_quiesce(ops, &ctx->__unreg.bound, data);
	WRITE_ONCE(ctx->__step, step);
}

/*
 * The same for a device that has no data, and will not be registered. No task waits in a block of
 * its own data any more.
 */
static void drm_dev_ctx_quiesce_late(struct drm_dev_ctx *ctx, const struct drm_dev_ctx_ops *ops,
				     struct drm_dev_ctx_data *data)
{
	/* No code is added for this data, because the device does not end it. */
	drm_dev_ctx_end_async(ctx, DRM_DEV_CTX_REG_WORK, DRM_DEV_CTX_LIVE_IRQ);
	/* Completers that quiesce waits for may enter blocks, which use this data. */
	if (!drm_dev_ctx_claim(ctx, data))
		return;
	drm_dev_ctx_open_bound(ctx);
	WRITE_ONCE(ctx->__step, DRM_DEV_CTX_STEP_QUIESCE);
	drm_dev_ctx_quiesce(ops, &ctx->__unreg.bound, data);
	drm_dev_ctx_drain_bound(ctx);
	drm_dev_ctx_release(ops, drm_dev_ctx_disclaim(ctx));
}

/*
 * Ends data that a device cannot take, because the device has or had other data, or was dropped.
 * In any case the data no longer belongs to the caller. The data is quiesced only if the parent is
 * bound, because quiesce needs the proof of that. Data of another device is left to that device.
 */
static void drm_dev_ctx_refuse_data(struct drm_dev_ctx *ctx, const struct drm_dev_ctx_ops *ops,
				    struct drm_dev_ctx_data *data)
{
	bool watched = ctx->__watched;

	/* The same data was given twice. It is ended with the device. */
	if (data == ctx->__data && (data || ops == ctx->__ops))
		return;
	if (drm_dev_ctx_is_owned(ctx, data))
		return;
	if (data)
		data->__ctx = ctx;
	if (drm_dev_ctx_is_unbound(ctx)) {
		drm_dev_ctx_release(ops, data);
		return;
	}
	/* Unless probe is watched, the watch ended with the token. */
	if (!watched)
		drm_dev_ctx_watch(ctx, DRM_DEV_CTX_STEP_ASYNC);
	if (ctx->__state == DRM_DEV_CTX_REGISTERED || ctx->__attached) {
		/* Blocks can be entered now, and use the other data. */
		drm_dev_ctx_quiesce_refused(ctx, ops, data);
		drm_dev_ctx_release(ops, data);
	} else {
		drm_dev_ctx_quiesce_late(ctx, ops, data);
	}
	if (!watched)
		drm_dev_ctx_unwatch(ctx);
}

/* Returns whether the device got registration data before, and reports it. */
static bool drm_dev_ctx_had_data(struct drm_dev_ctx *ctx)
{
	if (!ctx->__attached && !ctx->__lost)
		return false;

	drm_safe_broken(&ctx->drm, "a device has one registration data",
			"the device already has, or had, data or callbacks from drm_dev_ctx_attach()");
	return true;
}

/*
 * Returns whether the device has other registration data than this, or lost its data, and reports
 * it. @ops and @data may be NULL if the device has data.
 */
static bool drm_dev_ctx_other_data(struct drm_dev_ctx *ctx, const struct drm_dev_ctx_ops *ops,
				   struct drm_dev_ctx_data *data)
{
	bool other = (ops || data) && (ops != ctx->__ops || data != ctx->__data);

	return (other || ctx->__lost) && drm_dev_ctx_had_data(ctx);
}

/*
 * Ends the data of a device that stays unregistered, and that accepts no other data: this ends all
 * asynchronous code of the device, and a phase that is over does not begin again.
 */
static void drm_dev_ctx_lose_data(struct drm_dev_ctx *ctx)
{
	/* Waits in blocks end, as in drm_dev_ctx_set_ending(): see ctx-wait.litmus. */
	WRITE_ONCE(ctx->__lost, true);
	wake_up_all(&ctx->__waits);
	drm_dev_ctx_unwatch_probe(ctx);
	drm_dev_ctx_watch(ctx, DRM_DEV_CTX_STEP_ASYNC);
	drm_dev_ctx_end_registration(ctx);
	drm_dev_ctx_watch(ctx, DRM_DEV_CTX_STEP_SECTIONS);
}

/* Restores @__step, which the end of refused data changed, while probe is still watched. */
static void drm_dev_ctx_watch_probe_again(struct drm_dev_ctx *ctx)
{
	if (ctx->__state == DRM_DEV_CTX_UNREGISTERED)
		WRITE_ONCE(ctx->__step, DRM_DEV_CTX_STEP_SECTIONS);
}

static int drm_dev_ctx_attach_data(struct drm_dev_ctx *ctx, const struct drm_dev_ctx_ops *ops,
				   struct drm_dev_ctx_data *data)
{
	int ret;

	if (drm_dev_ctx_used_up(ctx) || drm_dev_ctx_had_data(ctx)) {
		drm_dev_ctx_refuse_data(ctx, ops, data);
		return -EINVAL;
	}
	if (!drm_dev_ctx_publish(ctx, ops, data)) {
		/* Nothing was published or has to end. As on any failure, refuse more data. */
		WRITE_ONCE(ctx->__lost, true);
		return -EINVAL;
	}
	/*
	 * Runs after the devres actions that the driver adds later, and before those it added
	 * earlier.
	 */
	ret = devm_add_action(ctx->__dev, drm_dev_ctx_detach, ctx);
	if (ret)
		drm_dev_ctx_lose_data(ctx);
	else
		ctx->__attached = true;
	return ret;
}

/*
 * Releases data that came without a valid token. Without a device, no proof exists for quiesce.
 * Data that a device already has is ended with that device.
 */
static void drm_dev_ctx_release_lost(const struct drm_dev_ctx_ops *ops,
				     struct drm_dev_ctx_data *data)
{
	if (!drm_dev_ctx_is_owned(NULL, data))
		drm_dev_ctx_release(ops, data);
}

/**
 * __drm_dev_ctx_attach() - give a device its registration data before it is registered
 * @unreg: the token
 * @ops: the driver's part of the registration, or NULL
 * @data: registration data, owned by the device
 *
 * See drm_dev_ctx_attach(), which drivers call.
 *
 * Context: May sleep.
 *
 * Return: the proof, or an ERR_PTR().
 */
const struct drm_dev_ctx_live *
__drm_dev_ctx_attach(struct drm_dev_ctx_unreg *unreg, const struct drm_dev_ctx_ops *ops,
		     struct drm_dev_ctx_data *data)
{
	struct drm_dev_ctx *ctx;
	int ret;

	if (drm_dev_ctx_unreg_missing(unreg)) {
		drm_dev_ctx_release_lost(ops, data);
		return ERR_PTR(-EINVAL);
	}
	ctx = container_of(unreg, struct drm_dev_ctx, __unreg);

	drm_dev_ctx_lock(ctx);
	ret = drm_dev_ctx_attach_data(ctx, ops, data);
	if (ret)
		drm_dev_ctx_watch_probe_again(ctx);
	drm_dev_ctx_unlock(ctx);

	return ret ? ERR_PTR(ret) : &ctx->__live;
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_attach);

static int drm_dev_ctx_register_locked(struct drm_dev_ctx *ctx, struct device *dev,
				       const struct drm_dev_ctx_ops *ops,
				       struct drm_dev_ctx_data *data)
{
	if (drm_dev_ctx_used_up(ctx)) {
		drm_dev_ctx_refuse_data(ctx, ops, data);
		return -EINVAL;
	}
	if (drm_dev_ctx_other_data(ctx, ops, data)) {
		drm_dev_ctx_set_ending(ctx, DRM_DEV_CTX_ENDED);
		drm_dev_ctx_unwatch_probe(ctx);
		drm_dev_ctx_refuse_data(ctx, ops, data);
		drm_dev_ctx_end_attached(ctx);
		return -EINVAL;
	}
	if (!ctx->__attached && !drm_dev_ctx_publish(ctx, ops, data)) {
		drm_dev_ctx_set_ending(ctx, DRM_DEV_CTX_ENDED);
		drm_dev_ctx_unwatch_probe(ctx);
		return -EINVAL;
	}
	WRITE_ONCE(ctx->__state, DRM_DEV_CTX_REGISTERED);
	return drm_dev_ctx_begin(ctx, dev);
}

/**
 * __drm_dev_ctx_register() - register a device
 * @dev: the device that is being bound
 * @unreg: the token, consumed
 * @ops: the driver's part of the registration, or NULL
 * @data: registration data, owned by the registration
 *
 * See drm_dev_ctx_register(), which drivers call.
 *
 * Context: May sleep.
 *
 * Return: 0 or a negative error code.
 */
int __drm_dev_ctx_register(struct device *dev, struct drm_dev_ctx_unreg *unreg,
			   const struct drm_dev_ctx_ops *ops, struct drm_dev_ctx_data *data)
{
	struct drm_dev_ctx *ctx;
	int ret;

	if (drm_dev_ctx_unreg_missing(unreg)) {
		drm_dev_ctx_release_lost(ops, data);
		return -EINVAL;
	}
	ctx = container_of(unreg, struct drm_dev_ctx, __unreg);

	drm_dev_ctx_lock(ctx);
	ret = drm_dev_ctx_register_locked(ctx, dev, ops, data);
	drm_dev_ctx_unlock(ctx);

	return ret;
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_register);

static int drm_dev_ctx_do_unregister(struct drm_dev_ctx *ctx, bool goes_down)
{
	if (drm_dev_ctx_misses(ctx))
		return -EINVAL;

	if (drm_dev_ctx_is_busy(ctx)) {
		drm_safe_broken(&ctx->drm, "unregister from outside",
				"called from a callback of the registration, which must return first");
		return -EDEADLK;
	}
	if (drm_dev_ctx_in_handler(ctx)) {
		drm_safe_broken(&ctx->drm, "unregister from outside",
				"called from a handler of the registration, which must return first");
		return -EDEADLK;
	}
	if (!drm_dev_ctx_may_wait(&ctx->drm))
		return -EDEADLK;

	return drm_dev_ctx_end(ctx, goes_down) ? 0 : -ENODEV;
}

/**
 * __drm_dev_ctx_unregister() - end a registration
 * @ctx: the device
 *
 * See drm_dev_ctx_unregister(), which drivers call.
 *
 * Context: May sleep.
 *
 * Return: 0 or a negative error code.
 */
int __drm_dev_ctx_unregister(struct drm_dev_ctx *ctx)
{
	return drm_dev_ctx_do_unregister(ctx, false);
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_unregister);

/* Runs a devres action now, unless another task runs it or ran it, or there is none. */
static void drm_dev_ctx_act_now(struct drm_dev_ctx *ctx, void (*action)(void *res))
{
	if (!devm_remove_action_nowarn(ctx->__dev, action, ctx))
		action(ctx);
}

/*
 * Runs the actions in the order of devres. The caller has a reference, because the last action
 * puts the binding's reference.
 */
static void drm_dev_ctx_unbind_now(struct drm_dev_ctx *ctx)
{
	/* The token still exists, so leave the device alone. */
	if (READ_ONCE(ctx->__state) == DRM_DEV_CTX_UNREGISTERED)
		return;
	if (__drm_dev_ctx_unregister(ctx) == -EDEADLK)
		return;

	devm_remove_action_nowarn(ctx->__dev, drm_dev_ctx_unplug, ctx);
	drm_dev_ctx_act_now(ctx, drm_dev_ctx_detach);
	drm_dev_ctx_act_now(ctx, drm_dev_ctx_unbind);
}

/**
 * __drm_dev_ctx_remove() - do what unbinding a device does to its DRM devices
 * @dev: the device that drm_dev_ctx_alloc() was given
 *
 * See drm_dev_ctx_remove(), which drivers call.
 *
 * Context: May sleep.
 */
void __drm_dev_ctx_remove(struct device *dev)
{
	drm_dev_ctx_visit(dev, drm_dev_ctx_unbind_now);
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_remove);

static void drm_dev_ctx_shut_down_now(struct drm_dev_ctx *ctx)
{
	drm_dev_ctx_do_unregister(ctx, true);
}

/**
 * drm_dev_ctx_shutdown() - end the registrations on a device when the system goes down
 * @dev: the device that drm_dev_ctx_alloc() was given
 *
 * For the shutdown function of a driver, which the kernel calls at reboot, at power-off, and
 * before kexec runs another kernel. Turns the display off and stops the hardware, so that no
 * DMA continues: does what drm_dev_ctx_unregister() does, for each DRM device on @dev. The
 * sg tables stay mapped. Does nothing if there is no registration.
 *
 * Importers of dma-bufs may have been shut down before, and never unmap. So
 * drm_gem_sgt_exports_end() waits for them for some seconds only, and reports those that still have
 * a table.
 *
 * Context: May sleep. Not from a section that needs a registration, nor from a
 * callback of &struct drm_dev_ctx_ops, nor from a handler of drm_dev_ctx_async.h.
 */
void drm_dev_ctx_shutdown(struct device *dev)
{
	drm_dev_ctx_visit(dev, drm_dev_ctx_shut_down_now);
}
EXPORT_SYMBOL_GPL(drm_dev_ctx_shutdown);

#ifdef CONFIG_DRM_SAFE_DEBUG
/*
 * A driver can allocate a device with the &struct drm_driver of another type, whose
 * callbacks would interpret the memory around the &struct drm_device as that type.
 */
void __drm_dev_ctx_check_type(struct drm_dev_ctx *ctx, const char *type)
{
	if (drm_dev_ctx_misses(ctx))
		return;
	/*
	 * The compiler usually merges equal strings of a file. KBUILD_MODNAME would tell
	 * drivers apart, but differs among the objects of a driver that is only built in.
	 */
	if (likely(ctx->__type == type || !strcmp(ctx->__type, type)))
		return;

	drm_safe_broken(&ctx->drm, "a device has the drm_driver of its type",
			"allocated as %s, but used as %s", ctx->__type, type);
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_check_type);
#endif

/*
 * A section of one of the library's devices was not entered at @where. This is out of line to
 * keep the fast path short.
 */
void __cold __drm_dev_ctx_refused_at(struct drm_dev_ctx *ctx, unsigned long where)
{
	bool unplugged = drm_dev_is_unplugged(&ctx->drm);

	if (unplugged || READ_ONCE(ctx->__state) == DRM_DEV_CTX_UNREGISTERED)
		drm_dev_ctx_note_refused(ctx, where);
	trace_drm_dev_ctx_refused(&ctx->drm, unplugged, (void *)where);
}

void __cold __drm_dev_ctx_refused(struct drm_dev_ctx *ctx)
{
	if (!drm_dev_ctx_misses(ctx))
		__drm_dev_ctx_refused_at(ctx, _RET_IP_);
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_refused);

/*
 * The hardware is there if there is registration data and quiesce has not returned. The end
 * of the registration then waits for __drm_dev_ctx_bound_leave(). Takes no lock: in a panic,
 * the task that holds it may have been stopped. See ctx-open.litmus.
 */
bool __drm_dev_ctx_bound_enter(struct drm_dev_ctx *ctx)
{
	/* A foreign device has no such members. */
	if (drm_dev_ctx_misses(ctx))
		return false;
	if (!atomic_inc_unless_negative(&ctx->__bound_users)) {
		__drm_dev_ctx_refused_at(ctx, _RET_IP_);
		return false;
	}
	lock_map_acquire_read(&ctx->__bound_map);
	return true;
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_bound_enter);

/*
 * Undoes __drm_dev_ctx_bound_enter(). The device can be freed as soon as the count drops, unless
 * the end of the registration waits for this block. In that case the end waits for the completion,
 * so the device still exists here. See ctx-block.litmus.
 */
void __drm_dev_ctx_bound_leave(struct drm_dev_ctx *ctx)
{
	lock_map_release(&ctx->__bound_map);
	if (atomic_dec_return(&ctx->__bound_users) != DRM_DEV_CTX_CLOSED)
		return;
	/* The panic has stopped the waiter, which may hold the lock of the completion. */
	if (!panic_in_progress())
		complete(&ctx->__bound_left);
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_bound_leave);

/**
 * drm_dev_ctx_async_add() - end asynchronous code with the registration
 * @live: proof that there is registration data
 * @async: zeroed, or taken off the list before
 * @ops: how to end it
 * @turn: the kind of code, and the context that it needs
 *
 * Context: Any but NMI.
 *
 * Return: 0, or -ENODEV if the code of this turn has been ended already. Nothing calls @ops
 * in that case.
 */
int drm_dev_ctx_async_add(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_async *async,
			  const struct drm_dev_ctx_async_ops *ops, enum drm_dev_ctx_turn turn)
{
	struct drm_dev_ctx *ctx = live->bound.__ctx;

	INIT_LIST_HEAD(&async->__node);
	async->__ctx = ctx;
	async->__ops = ops;
	async->__turn = turn;
	async->__ending = false;
	WRITE_ONCE(async->__ended, false);

	/* Under the lock: see async-over.litmus. */
	guard(raw_spinlock_irqsave)(&ctx->__async_lock);
	if (ctx->__phase[turn] == DRM_DEV_CTX_OVER)
		return -ENODEV;
	list_add(&async->__node, &ctx->__async[turn]);
	return 0;
}

/* Returns whether the device is about to end @async: see async-end.litmus. */
static bool drm_dev_ctx_async_is_ending(struct drm_dev_ctx_async *async)
{
	guard(raw_spinlock_irqsave)(&async->__ctx->__async_lock);
	return async->__ending;
}

/**
 * drm_dev_ctx_async_take() - take asynchronous code off the list, in order to end it
 * @async: the code, which was added
 *
 * The caller frees @async afterwards. If the device is ending it, this waits until it has
 * ended.
 *
 * Context: May sleep. Not from the code itself.
 *
 * Return: whether @async was on the list. If not, the device has ended it.
 */
bool drm_dev_ctx_async_take(struct drm_dev_ctx_async *async)
{
	struct drm_dev_ctx *ctx = async->__ctx;
	bool listed;

	scoped_guard(raw_spinlock_irqsave, &ctx->__async_lock) {
		listed = !list_empty(&async->__node);
		list_del_init(&async->__node);
	}
	/* See async-end.litmus and async-wake.litmus. */
	if (!listed)
		wait_event(ctx->__async_ended, !drm_dev_ctx_async_is_ending(async));
	return listed;
}
