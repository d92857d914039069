// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Reports about the end of a registration that takes long, and the debugfs file of a device. With
 * CONFIG_DRM_SAFE_DEBUG, both also show open sections and live handles.
 */

#include <kunit/visibility.h>
#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/panic.h>
#include <linux/ref_tracker.h>
#include <linux/sched.h>
#include <linux/sched/debug.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include <drm/drm_debugfs.h>
#include <drm/drm_drv.h>
#include <drm/drm_print.h>

#include "drm_dev_ctx_internal.h"

#define CREATE_TRACE_POINTS
#include "drm_dev_ctx_trace.h"

EXPORT_TRACEPOINT_SYMBOL_GPL(drm_dev_ctx_register);
EXPORT_TRACEPOINT_SYMBOL_GPL(drm_dev_ctx_unplug);
EXPORT_TRACEPOINT_SYMBOL_GPL(drm_dev_ctx_refused);
EXPORT_TRACEPOINT_SYMBOL_GPL(drm_dev_ctx_stuck);
EXPORT_TRACEPOINT_SYMBOL_GPL(drm_dev_ctx_starved);

/*
 * The time before the first report about the end of a registration, in milliseconds. The time
 * doubles with each report.
 */
VISIBLE_IF_KUNIT unsigned int drm_dev_ctx_section_limit_ms = 10000;
EXPORT_SYMBOL_IF_KUNIT(drm_dev_ctx_section_limit_ms);

#ifdef CONFIG_DRM_SAFE_DEBUG

/*
 * All open sections. The lock is raw, and taken with interrupts off, because interrupt
 * handlers open sections, too.
 */
static DEFINE_RAW_SPINLOCK(drm_dev_ctx_sections_lock);
static LIST_HEAD(drm_dev_ctx_sections);

/*
 * A driver can give a device the ioctls of another type, whose handlers then misinterpret the
 * registration data. All sections of a device must have the same type of proof, so a second type
 * reveals this mistake. Blocks, and code that the library itself runs, have the library's types.
 */
static void drm_dev_ctx_check_reg_type(struct drm_dev_ctx_section *s, const char *type)
{
	const char *first;

	if (strstarts(type, "drm_dev_ctx_"))
		return;
	first = cmpxchg_relaxed(&s->ctx->__reg_type, NULL, type);
	if (likely(!first || first == type || !strcmp(first, type)))
		return;
	drm_safe_broken(&s->ctx->drm, "a device has the drm_driver of its type",
			"a section with a struct %s, after sections with a struct %s", type, first);
}

void __drm_dev_ctx_section_track(struct drm_dev_ctx_section *s, const char *type)
{
	drm_dev_ctx_check_reg_type(s, type);
	s->task = current;
	s->where = _RET_IP_;
	INIT_LIST_HEAD(&s->node);
	/* The panic may have stopped the owner of the lock, so do not take it. */
	if (panic_in_progress())
		return;
	guard(raw_spinlock_irqsave)(&drm_dev_ctx_sections_lock);
	list_add_tail(&s->node, &drm_dev_ctx_sections);
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_section_track);

void __drm_dev_ctx_section_untrack(struct drm_dev_ctx_section *s)
{
	if (panic_in_progress())
		return;
	guard(raw_spinlock_irqsave)(&drm_dev_ctx_sections_lock);
	list_del(&s->node);
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_section_untrack);

/*
 * Returns whether this task is in a section, for which the unplug of any device waits. Unless @open
 * is set, this includes blocks and handlers, for which only the end of the registration of their
 * device waits. While a device is registered, a block of drm_dev_ctx_guard_live() is a section,
 * too.
 */
bool drm_dev_ctx_section_held(bool open)
{
	struct drm_dev_ctx_section *s;

	guard(raw_spinlock_irqsave)(&drm_dev_ctx_sections_lock);
	list_for_each_entry(s, &drm_dev_ctx_sections, node)
		if (s->task == current && (s->how == __DRM_DEV_CTX_OPEN || !open))
			return true;
	return false;
}

/*
 * Returns whether the end of the registration of @ctx may wait for @s. Unplugging waits for the
 * sections of all devices, and the steps after it wait for the blocks of this device.
 */
static bool drm_dev_ctx_waits_for(struct drm_dev_ctx *ctx, const struct drm_dev_ctx_section *s)
{
	if (READ_ONCE(ctx->__step) == DRM_DEV_CTX_STEP_SECTIONS)
		return s->how == __DRM_DEV_CTX_OPEN;
	return s->how == __DRM_DEV_CTX_BOUND && s->ctx == ctx;
}

static const char *drm_dev_ctx_section_name(const struct drm_dev_ctx_section *s)
{
	return s->how == __DRM_DEV_CTX_OPEN ? "section" : "block";
}

/* Names the sections and blocks that the end of the registration may wait for. */
static void drm_dev_ctx_report_sections(struct drm_dev_ctx *ctx)
{
	struct drm_dev_ctx_section *s;
	bool none = true;

	guard(raw_spinlock_irqsave)(&drm_dev_ctx_sections_lock);
	list_for_each_entry(s, &drm_dev_ctx_sections, node) {
		if (!drm_dev_ctx_waits_for(ctx, s))
			continue;
		none = false;
		drm_warn(&ctx->drm, "%s of %s: %s[%d] in %pS\n", drm_dev_ctx_section_name(s),
			 dev_name(s->ctx->drm.dev), s->task->comm, task_pid_nr(s->task),
			 (void *)s->where);
		trace_drm_dev_ctx_stuck(&ctx->drm, s->task, (void *)s->where);
		sched_show_task(s->task);
	}
	if (none)
		drm_warn(&ctx->drm, "no open section or block causes this wait\n");
}

static void drm_dev_ctx_sections_show(struct seq_file *m, struct drm_dev_ctx *ctx)
{
	struct drm_dev_ctx_section *s;

	guard(raw_spinlock_irqsave)(&drm_dev_ctx_sections_lock);
	list_for_each_entry(s, &drm_dev_ctx_sections, node)
		if (s->ctx == ctx)
			seq_printf(m, "%s: %s[%d] in %pS\n", drm_dev_ctx_section_name(s),
				   s->task->comm, task_pid_nr(s->task), (void *)s->where);
}

/**
 * drm_dev_ctx_handle_add() - record a handle for debugging
 * @drm: the device that should outlive the handle
 * @handle: the handle, not in use
 *
 * Does nothing without CONFIG_DRM_SAFE_DEBUG, or for a device that drm_dev_ctx_alloc() did not
 * make.
 *
 * Context: Any.
 */
void drm_dev_ctx_handle_add(struct drm_device *drm, struct drm_dev_ctx_handle *handle)
{
	struct drm_dev_ctx *ctx = drm_dev_ctx_find(drm);

	if (ctx)
		ref_tracker_alloc(&ctx->__handles, &handle->__tracker, GFP_NOWAIT);
}
EXPORT_SYMBOL_GPL(drm_dev_ctx_handle_add);

/**
 * drm_dev_ctx_handle_del() - remove the record of a handle
 * @drm: the device, as given to drm_dev_ctx_handle_add()
 * @handle: the handle
 *
 * Context: Any.
 */
void drm_dev_ctx_handle_del(struct drm_device *drm, struct drm_dev_ctx_handle *handle)
{
	struct drm_dev_ctx *ctx = drm_dev_ctx_find(drm);

	if (ctx)
		ref_tracker_free(&ctx->__handles, &handle->__tracker);
}
EXPORT_SYMBOL_GPL(drm_dev_ctx_handle_del);

void drm_dev_ctx_debug_init(struct drm_dev_ctx *ctx)
{
	ref_tracker_dir_init(&ctx->__handles, 0, "drm_dev_ctx");
}

void drm_dev_ctx_debug_exit(struct drm_dev_ctx *ctx)
{
	if (!list_empty(&ctx->__handles.list))
		drm_safe_broken(&ctx->drm, "handles go before their device",
				"the device is released, but handles made at these stacks are still alive");
	ref_tracker_dir_exit(&ctx->__handles);
}

static void drm_dev_ctx_handles_show(struct seq_file *m, struct drm_dev_ctx *ctx)
{
	char *buf __free(kfree) = kmalloc(PAGE_SIZE, GFP_KERNEL);

	if (buf && ref_tracker_dir_snprint(&ctx->__handles, buf, PAGE_SIZE) > 0)
		seq_printf(m, "handles: %s\n", buf);
}
#else
/* Open sections are not recorded, so this only names the tasks that may be in a section. */
static void drm_dev_ctx_report_sections(struct drm_dev_ctx *ctx)
{
	if (READ_ONCE(ctx->__step) == DRM_DEV_CTX_STEP_SECTIONS)
		__drm_dev_ctx_report_sleepers(ctx, READ_ONCE(ctx->__busy));
	drm_warn(&ctx->drm, "CONFIG_DRM_SAFE_DEBUG would name the sections\n");
}

static void drm_dev_ctx_sections_show(struct seq_file *m, struct drm_dev_ctx *ctx) {}
static void drm_dev_ctx_handles_show(struct seq_file *m, struct drm_dev_ctx *ctx) {}
#endif

/*
 * Names the code that was refused a section since the unplug began, or before the registration. If
 * an open section or the probe function waits for such code, then the wait never ends: a completer
 * must not need a section.
 */
static void drm_dev_ctx_report_refused(struct drm_dev_ctx *ctx, const char *when,
				       const char *waits)
{
	for (int i = 0; i < ARRAY_SIZE(ctx->__refused); i++) {
		void *where = (void *)READ_ONCE(ctx->__refused[i]);

		if (!where)
			return;
		drm_warn(&ctx->drm, "refused a section %s: %pS; if it completes what %s waits for, it must not need one\n",
			 when, where, waits);
		trace_drm_dev_ctx_starved(&ctx->drm, where);
	}
}

/* For a device that is not registered (yet), so sections are refused. */
static void drm_dev_ctx_report_early(struct drm_dev_ctx *ctx)
{
	drm_dev_ctx_report_refused(ctx, "before registration", "the probe function");
}

/* Names the handler that the library is ending, and the handlers that are known to run. */
static void drm_dev_ctx_report_async(struct drm_dev_ctx *ctx)
{
	struct drm_dev_ctx_async *async;

	guard(raw_spinlock_irqsave)(&ctx->__async_lock);
	if (ctx->__async_now)
		drm_warn(&ctx->drm, "ending %pS\n",
			 ctx->__async_now->__ops->handler(ctx->__async_now));
	for (int turn = 0; turn < DRM_DEV_CTX_TURNS; turn++)
		list_for_each_entry(async, &ctx->__async[turn], __node)
			if (async->__ops->runs && async->__ops->runs(async))
				drm_warn(&ctx->drm, "%pS runs\n", async->__ops->handler(async));
}

static void drm_dev_ctx_wait_longer(struct drm_dev_ctx *ctx)
{
	schedule_delayed_work(&ctx->__stuck, msecs_to_jiffies(ctx->__stuck_ms));
	ctx->__stuck_ms = min(2 * ctx->__stuck_ms, 600000U);
}

/* Shows the stack of the task that ends the registration, if it is in a callback. */
static void drm_dev_ctx_report_task(struct drm_dev_ctx *ctx)
{
	enum drm_dev_ctx_step step = READ_ONCE(ctx->__step);
	struct task_struct *task;

	/* The worker can exit after it has restored @__busy: see ctx-busy.litmus. */
	guard(rcu)();
	task = READ_ONCE(ctx->__busy);
	/* If @__busy is NULL, the wait is over. */
	if (task && (step == DRM_DEV_CTX_STEP_STOP || step == DRM_DEV_CTX_STEP_KMS_SHUTDOWN ||
		     step == DRM_DEV_CTX_STEP_QUIESCE || step == DRM_DEV_CTX_STEP_REFUSED))
		sched_show_task(task);
}

/* Names the code of other devices for which an entry that comes first waits. */
static void drm_dev_ctx_report_first(struct drm_dev_ctx *ctx)
{
	guard(spinlock)(&ctx->__revocables_lock);
	if (ctx->__revoking)
		ctx->__revoking->__ops->report(ctx->__revoking);
}

/*
 * Revocation waits for the reservation lock of an object, for a task that has put the last
 * reference to an object, or for an importer.
 */
static void drm_dev_ctx_report_tables(struct drm_dev_ctx *ctx)
{
	struct task_struct *task = READ_ONCE(ctx->__revokes);

	drm_warn(&ctx->drm, "unbinding the parent takes long; it waits for sg tables in use\n");
	trace_drm_dev_ctx_stuck(&ctx->drm, task, NULL);
	sched_show_task(task);
	drm_dev_ctx_report_first(ctx);
}

/*
 * Reports why the end of a registration takes long: sections, blocks, or a callback that has not
 * returned. Also names the code that was refused a section and might have ended the wait.
 */
void drm_dev_ctx_stuck(struct work_struct *work)
{
	static const char * const waits[] = {
		[DRM_DEV_CTX_STEP_STOP] = "stop",
		[DRM_DEV_CTX_STEP_SECTIONS] = "the sections of all devices",
		[DRM_DEV_CTX_STEP_KMS_SHUTDOWN] = "kms_shutdown",
		[DRM_DEV_CTX_STEP_QUIESCE] = "quiesce",
		[DRM_DEV_CTX_STEP_REFUSED] = "quiesce of refused data",
		[DRM_DEV_CTX_STEP_BLOCKS] = "the blocks of drm_dev_ctx_guard_live()",
		[DRM_DEV_CTX_STEP_ASYNC] = "work items, timers or interrupts of the registration",
	};
	struct drm_dev_ctx *ctx = container_of(work, struct drm_dev_ctx, __stuck.work);
	enum drm_dev_ctx_step step = READ_ONCE(ctx->__step);
	bool sections = step == DRM_DEV_CTX_STEP_SECTIONS;

	if (step == DRM_DEV_CTX_STEP_TABLES) {
		drm_dev_ctx_report_tables(ctx);
	} else if (sections && READ_ONCE(ctx->__state) == DRM_DEV_CTX_UNREGISTERED) {
		drm_dev_ctx_report_early(ctx);
	} else if (!sections || drm_dev_is_unplugged(&ctx->drm)) {
		/* A device that is being registered is only unplugged if the registration fails. */
		drm_warn(&ctx->drm, "ending the registration takes long; it waits for %s\n",
			 waits[step]);
		drm_dev_ctx_report_task(ctx);
		drm_dev_ctx_report_first(ctx);
		drm_dev_ctx_report_async(ctx);
		drm_dev_ctx_report_sections(ctx);
		drm_dev_ctx_report_refused(ctx, "since", "a section");
	}
	drm_dev_ctx_wait_longer(ctx);
}

void drm_dev_ctx_unwatch(struct drm_dev_ctx *ctx)
{
	/* Cancelling costs some 200 instructions even if nothing is scheduled. */
	if (!ctx->__watched)
		return;
	cancel_delayed_work_sync(&ctx->__stuck);
	ctx->__watched = false;
}

/*
 * drm_dev_ctx_watch() and drm_dev_ctx_unwatch() enclose code that may wait for a long time: the
 * end of a registration with its unplug, revocation, and a probe function from the allocation on,
 * which may wait for its own completers.
 */
void drm_dev_ctx_watch(struct drm_dev_ctx *ctx, enum drm_dev_ctx_step step)
{
	drm_dev_ctx_unwatch(ctx);
	WRITE_ONCE(ctx->__step, step);
	memset(ctx->__refused, 0, sizeof(ctx->__refused));
	ctx->__stuck_ms = drm_dev_ctx_section_limit_ms;
	ctx->__watched = true;
	drm_dev_ctx_wait_longer(ctx);
}

/* The device is not registered: a refused section can be the reason that probe failed. */
void drm_dev_ctx_unwatch_probe(struct drm_dev_ctx *ctx)
{
	drm_dev_ctx_unwatch(ctx);
	drm_dev_ctx_report_early(ctx);
}

/* Records code that was refused a section. May be called in any context, so it takes no lock. */
void drm_dev_ctx_note_refused(struct drm_dev_ctx *ctx, unsigned long where)
	__drm_nonallocating
{
	for (int i = 0; i < ARRAY_SIZE(ctx->__refused); i++) {
		unsigned long old;

		drm_safe_trusted(old = cmpxchg_relaxed(&ctx->__refused[i], 0, where));
		if (!old || old == where)
			return;
	}
}

static size_t drm_dev_ctx_revocables(struct drm_dev_ctx *ctx)
{
	guard(spinlock)(&ctx->__revocables_lock);
	return list_count_nodes(&ctx->__revocables);
}

int drm_dev_ctx_show(struct seq_file *m, void *unused)
{
	static const char * const states[] = {
		[DRM_DEV_CTX_UNREGISTERED] = "unregistered",
		[DRM_DEV_CTX_DROPPED] = "dropped",
		[DRM_DEV_CTX_REGISTERED] = "registered",
		[DRM_DEV_CTX_ENDED] = "ended",
	};
	struct drm_debugfs_entry *entry = m->private;
	/* drm_dev_ctx_alloc() made the device of this file. */
	struct drm_dev_ctx *ctx = to_drm_dev_ctx(entry->dev);

	/* Does not take @__lock, which is held for as long as an unplug takes. */
	seq_printf(m, "context: %s\n", states[READ_ONCE(ctx->__state)]);
	seq_printf(m, "revocables: %zu\n", drm_dev_ctx_revocables(ctx));
	drm_dev_ctx_sections_show(m, ctx);
	drm_dev_ctx_handles_show(m, ctx);
	return 0;
}

/**
 * __drm_dev_ctx_check_outside() - refuse a wait inside a section
 * @drm: the device
 * @what: name of the function that waits
 *
 * A wait inside a section delays each unplug. Blocks of drm_dev_ctx_guard_callback() and handlers
 * with the proof that the device is live may wait, as they may for the locks of the mode
 * configuration.
 *
 * Context: Any.
 *
 * Return: 0; -EINVAL, with a report, if this task is in a section. Only CONFIG_DRM_SAFE_DEBUG can
 * tell.
 */
int __drm_dev_ctx_check_outside(struct drm_device *drm, const char *what)
{
	if (likely(!drm_dev_ctx_section_held(true)))
		return 0;
	drm_safe_broken(drm, "long waits come before the section",
			"%s() is called in a section, for which each unplug waits", what);
	return -EINVAL;
}
