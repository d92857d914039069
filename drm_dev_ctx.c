// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <kunit/static_stub.h>
#include <kunit/visibility.h>
#include <linux/cache.h>
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/export.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/overflow.h>
#include <linux/panic.h>
#include <linux/ref_tracker.h>
#include <linux/sched.h>
#include <linux/sched/debug.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/slab.h>
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

#ifndef drm_device_ctx
#include <linux/xarray.h>
#endif

#define CREATE_TRACE_POINTS
#include "drm_dev_ctx_trace.h"

EXPORT_TRACEPOINT_SYMBOL_GPL(drm_dev_ctx_register);
EXPORT_TRACEPOINT_SYMBOL_GPL(drm_dev_ctx_unplug);
EXPORT_TRACEPOINT_SYMBOL_GPL(drm_dev_ctx_refused);
EXPORT_TRACEPOINT_SYMBOL_GPL(drm_dev_ctx_stuck);
EXPORT_TRACEPOINT_SYMBOL_GPL(drm_dev_ctx_starved);

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
 *		struct drm_dev_ctx_reg base;	// the proof, and nothing beside it
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

/*
 * The devices that drm_dev_ctx_alloc() and drm_dev_ctx_alloc_parent() made. The lock also protects
 * which of them has which registration data.
 */
static LIST_HEAD(drm_dev_ctx_known);
static DEFINE_SPINLOCK(drm_dev_ctx_known_lock);

#ifndef drm_device_ctx
/* The same devices, to look one up. Goes with drm_dev_set_ctx() of drm_safe_core.h. */
static DEFINE_XARRAY(drm_dev_ctx_devices);

/* Granularity of the index below, in bytes: at most the size of a struct drm_device */
#define DRM_DEV_CTX_SLOT	SZ_512

/*
 * A small index keeps the xarray flat: the full address of a device would take eleven nodes. No
 * two devices of the library share an index, because each is larger than a slot. A foreign
 * device may have the same index as a device of the library.
 */
static unsigned long drm_dev_ctx_index(const struct drm_device *drm)
{
	BUILD_BUG_ON(sizeof(*drm) < DRM_DEV_CTX_SLOT);
	return ((unsigned long)drm - PAGE_OFFSET) / DRM_DEV_CTX_SLOT;
}

VISIBLE_IF_KUNIT int drm_dev_ctx_insert(struct drm_dev_ctx *ctx)
{
	KUNIT_STATIC_STUB_REDIRECT(drm_dev_ctx_insert, ctx);

	return xa_insert(&drm_dev_ctx_devices, drm_dev_ctx_index(&ctx->drm), ctx, GFP_KERNEL);
}
EXPORT_SYMBOL_IF_KUNIT(drm_dev_ctx_insert);
#endif

/* From here on, the device is one of the library's. */
static void drm_dev_ctx_make_known(struct drm_dev_ctx *ctx)
{
	drm_dev_set_ctx(&ctx->drm, ctx);
	guard(spinlock)(&drm_dev_ctx_known_lock);
	list_add(&ctx->__known, &drm_dev_ctx_known);
}

/* If the allocation has failed, the device need not be known. */
static void drm_dev_ctx_forget(struct drm_dev_ctx *ctx)
{
	drm_dev_set_ctx(&ctx->drm, NULL);
#ifndef drm_device_ctx
	xa_erase(&drm_dev_ctx_devices, drm_dev_ctx_index(&ctx->drm));
#endif
	guard(spinlock)(&drm_dev_ctx_known_lock);
	list_del_init(&ctx->__known);
}

/*
 * Returns NULL for a foreign device, which is not part of a struct drm_dev_ctx. A foreign
 * struct drm_device may be the last thing in its allocation, so this must not read the members
 * of struct drm_dev_ctx.
 */
static struct drm_dev_ctx *drm_dev_ctx_find(const struct drm_device *drm)
{
#ifdef drm_device_ctx
	return drm->ctx;
#else
	struct drm_dev_ctx *ctx = xa_load(&drm_dev_ctx_devices, drm_dev_ctx_index(drm));

	return ctx && &ctx->drm == drm ? ctx : NULL;
#endif
}

/*
 * Returns whether @driver has a device of another type. Reads nothing that belongs to a driver:
 * the driver may have been unloaded and have left a device behind.
 */
static bool drm_dev_ctx_differs(const struct drm_driver *driver, u32 type_hash)
{
	struct drm_dev_ctx *ctx;

	guard(spinlock)(&drm_dev_ctx_known_lock);
	list_for_each_entry(ctx, &drm_dev_ctx_known, __known)
		if (ctx->__driver == driver && ctx->__type_hash != type_hash)
			return true;
	return false;
}

/* Returns whether another device than @ctx has the registration data @data. */
static bool drm_dev_ctx_others_have(const struct drm_dev_ctx *ctx,
				    const struct drm_dev_ctx_data *data)
	__must_hold(&drm_dev_ctx_known_lock)
{
	struct drm_dev_ctx *other;

	if (!data)
		return false;
	list_for_each_entry(other, &drm_dev_ctx_known, __known)
		if (other != ctx && other->__data == data)
			return true;
	return false;
}

/*
 * Makes a device the owner of registration data, which may be NULL. Returns false if another device
 * has the data. The member @__ctx of the data cannot tell: the driver need not zero it, and it
 * keeps its value when a driver reuses the data after a registration has ended.
 */
static bool drm_dev_ctx_claim(struct drm_dev_ctx *ctx, struct drm_dev_ctx_data *data)
{
	guard(spinlock)(&drm_dev_ctx_known_lock);
	if (drm_dev_ctx_others_have(ctx, data))
		return false;
	WRITE_ONCE(ctx->__data, data);
	return true;
}

/*
 * Undoes drm_dev_ctx_claim(), before the release step: the driver can free the data in that step,
 * or give it to another device. Returns the data.
 */
static struct drm_dev_ctx_data *drm_dev_ctx_disclaim(struct drm_dev_ctx *ctx)
{
	struct drm_dev_ctx_data *data = ctx->__data;

	guard(spinlock)(&drm_dev_ctx_known_lock);
	WRITE_ONCE(ctx->__data, NULL);
	return data;
}

/* Returns whether a device other than @ctx, which may be NULL, has the data and will end it. */
static bool drm_dev_ctx_is_owned(const struct drm_dev_ctx *ctx,
				 const struct drm_dev_ctx_data *data)
{
	guard(spinlock)(&drm_dev_ctx_known_lock);
	return drm_dev_ctx_others_have(ctx, data);
}

/**
 * __drm_dev_ctx_registered() - the contexts of a device that is or was registered
 * @drm: any device
 *
 * Context: Any.
 *
 * Return: the contexts; or NULL if the device was not registered yet, or if drm_dev_ctx_alloc() did
 * not make it.
 */
struct drm_dev_ctx *__drm_dev_ctx_registered(const struct drm_device *drm)
{
	struct drm_dev_ctx *ctx = drm_dev_ctx_find(drm);

	/* Acquire: pairs with the release in drm_dev_ctx_go_live(), see ctx-registered.litmus. */
	return ctx && smp_load_acquire(&ctx->__registered) ? ctx : NULL;
}

/**
 * drm_dev_ctx_owner() - the module whose functions a device calls
 * @drm: any device
 *
 * Context: Any.
 *
 * Return: the driver's module; or NULL if it is built in, or has no file operations.
 */
struct module *drm_dev_ctx_owner(const struct drm_device *drm)
{
	KUNIT_STATIC_STUB_REDIRECT(drm_dev_ctx_owner, drm);

	return drm->driver->fops ? drm->driver->fops->owner : NULL;
}
EXPORT_SYMBOL_IF_KUNIT(drm_dev_ctx_owner);

static bool drm_dev_ctx_is_known(const struct drm_dev_ctx *ctx) __drm_nonallocating
{
	struct drm_dev_ctx *known;

	drm_safe_trusted(known = drm_dev_ctx_find(&ctx->drm));
	return known;
}

/* Returns whether @ctx is foreign, that is, not made by drm_dev_ctx_alloc(), and reports it. */
static bool drm_dev_ctx_misses(struct drm_dev_ctx *ctx) __drm_nonallocating
{
	if (likely(drm_dev_ctx_is_known(ctx)))
		return false;

	drm_safe_broken(NULL, "own devices",
			"the device was not allocated with drm_dev_ctx_alloc()");
	return true;
}

/*
 * How long the end of a registration waits before it reports what it waits for, in
 * milliseconds. The time doubles with each report.
 */
VISIBLE_IF_KUNIT unsigned int drm_dev_ctx_section_limit_ms = 10000;
EXPORT_SYMBOL_IF_KUNIT(drm_dev_ctx_section_limit_ms);

/*
 * How long quiesce waits for the users of entries that come first when the system goes down, in
 * milliseconds. They belong to other devices, which may have been shut down already.
 */
VISIBLE_IF_KUNIT unsigned int drm_dev_ctx_shutdown_limit_ms = 5000;
EXPORT_SYMBOL_IF_KUNIT(drm_dev_ctx_shutdown_limit_ms);

#ifdef CONFIG_DRM_SAFE_DEBUG

#ifndef drm_device_ctx
/* Like drm_dev_ctx_misses(), but without a report */
bool __drm_dev_ctx_is_foreign(const struct drm_dev_ctx *ctx)
{
	return !drm_dev_ctx_is_known(ctx);
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_is_foreign);
#endif

/*
 * All open sections. The lock is raw, and taken with interrupts off, because interrupt
 * handlers open sections, too.
 */
static DEFINE_RAW_SPINLOCK(drm_dev_ctx_sections_lock);
static LIST_HEAD(drm_dev_ctx_sections);

/*
 * A driver can give a device the ioctls of another type, whose handlers then misinterpret the
 * registration data. The type of the proof shows that, because it is the same in all sections
 * of a device. Blocks, and code that the library itself runs, have the library's proof types.
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
			"a section of %s, after those of %s", type, first);
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
 * Returns whether this task is in a section, for which the unplug of any device waits, or, unless
 * @open, in a block or a handler, for which the end of the registration of its device waits. As
 * long as a device is registered, a block of drm_dev_ctx_guard_live() is a section, too.
 */
static bool drm_dev_ctx_section_held(bool open)
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
	if (READ_ONCE(ctx->__waits_for) == DRM_DEV_CTX_WAITS_SECTIONS)
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
		drm_warn(&ctx->drm, "no section or block is open that this waits for\n");
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
 * drm_dev_ctx_handle_add() - remember a handle for debugging
 * @drm: the device that should outlive it
 * @handle: not in use
 *
 * Does nothing without CONFIG_DRM_SAFE_DEBUG, or for a device that is not of
 * this library.
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
 * drm_dev_ctx_handle_del() - forget a handle
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

static void drm_dev_ctx_debug_init(struct drm_dev_ctx *ctx)
{
	ref_tracker_dir_init(&ctx->__handles, 0, "drm_dev_ctx");
}

static void drm_dev_ctx_debug_exit(struct drm_dev_ctx *ctx)
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
static bool drm_dev_ctx_section_held(bool open)
{
	return false;
}

/* Sections are not counted, so this only names the tasks that may be in one. */
static void drm_dev_ctx_report_sections(struct drm_dev_ctx *ctx)
{
	if (READ_ONCE(ctx->__waits_for) == DRM_DEV_CTX_WAITS_SECTIONS)
		__drm_dev_ctx_report_sleepers(ctx, READ_ONCE(ctx->__busy));
	drm_warn(&ctx->drm, "CONFIG_DRM_SAFE_DEBUG would name the sections\n");
}

static void drm_dev_ctx_sections_show(struct seq_file *m, struct drm_dev_ctx *ctx) {}
static void drm_dev_ctx_debug_init(struct drm_dev_ctx *ctx) {}
static void drm_dev_ctx_debug_exit(struct drm_dev_ctx *ctx) {}
static void drm_dev_ctx_handles_show(struct seq_file *m, struct drm_dev_ctx *ctx) {}
#endif

/*
 * Names the places that were refused a section since the device began to be unplugged, or
 * before it was registered. If such a place should complete something that an open
 * section or the probe function waits for, the wait never ends: a completer must not need
 * a section.
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

/* For a device that is not registered (yet). Sections are refused until it is. */
static void drm_dev_ctx_report_early(struct drm_dev_ctx *ctx)
{
	drm_dev_ctx_report_refused(ctx, "before registration", "the probe function");
}

/* Names the driver's function that is being ended, and those that are known to run. */
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

/* If the task that ends the registration is in a callback, shows its stack. */
static void drm_dev_ctx_report_task(struct drm_dev_ctx *ctx)
{
	enum drm_dev_ctx_wait waits = READ_ONCE(ctx->__waits_for);
	struct task_struct *task;

	/* The worker can exit after it has restored @__busy: see ctx-busy.litmus. */
	guard(rcu)();
	task = READ_ONCE(ctx->__busy);
	/* If @__busy is NULL, the wait is over. */
	if (task && (waits == DRM_DEV_CTX_WAITS_STOP || waits == DRM_DEV_CTX_WAITS_KMS_SHUTDOWN ||
		     waits == DRM_DEV_CTX_WAITS_QUIESCE || waits == DRM_DEV_CTX_WAITS_REFUSED))
		sched_show_task(task);
}

/* Names what an entry that comes first waits for, which is code of other devices. */
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
 * Reports what keeps a registration from ending: sections, blocks, or the callback that has not
 * returned. Also names the places that were refused a section and might have ended the wait.
 */
static void drm_dev_ctx_stuck(struct work_struct *work)
{
	static const char * const waits[] = {
		[DRM_DEV_CTX_WAITS_STOP] = "stop",
		[DRM_DEV_CTX_WAITS_SECTIONS] = "the sections of all devices",
		[DRM_DEV_CTX_WAITS_KMS_SHUTDOWN] = "kms_shutdown",
		[DRM_DEV_CTX_WAITS_QUIESCE] = "quiesce",
		[DRM_DEV_CTX_WAITS_REFUSED] = "quiesce of data that it refused",
		[DRM_DEV_CTX_WAITS_BLOCKS] = "the blocks of drm_dev_ctx_guard_live()",
		[DRM_DEV_CTX_WAITS_ASYNC] = "work items, timers or interrupts of the registration",
	};
	struct drm_dev_ctx *ctx = container_of(work, struct drm_dev_ctx, __stuck.work);
	enum drm_dev_ctx_wait what = READ_ONCE(ctx->__waits_for);
	bool sections = what == DRM_DEV_CTX_WAITS_SECTIONS;

	if (what == DRM_DEV_CTX_WAITS_TABLES) {
		drm_dev_ctx_report_tables(ctx);
	} else if (sections && READ_ONCE(ctx->__state) == DRM_DEV_CTX_UNREGISTERED) {
		drm_dev_ctx_report_early(ctx);
	} else if (!sections || drm_dev_is_unplugged(&ctx->drm)) {
		/* A device that is being registered is only unplugged if the registration fails. */
		drm_warn(&ctx->drm, "ending the registration takes long; it waits for %s\n",
			 waits[what]);
		drm_dev_ctx_report_task(ctx);
		drm_dev_ctx_report_first(ctx);
		drm_dev_ctx_report_async(ctx);
		drm_dev_ctx_report_sections(ctx);
		drm_dev_ctx_report_refused(ctx, "since", "a section");
	}
	drm_dev_ctx_wait_longer(ctx);
}

static void drm_dev_ctx_unwatch(struct drm_dev_ctx *ctx)
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
static void drm_dev_ctx_watch(struct drm_dev_ctx *ctx, enum drm_dev_ctx_wait waits)
{
	drm_dev_ctx_unwatch(ctx);
	WRITE_ONCE(ctx->__waits_for, waits);
	memset(ctx->__refused, 0, sizeof(ctx->__refused));
	ctx->__stuck_ms = drm_dev_ctx_section_limit_ms;
	ctx->__watched = true;
	drm_dev_ctx_wait_longer(ctx);
}

/* Records a place that was refused a section. May be called in any context, so it takes no lock. */
static void drm_dev_ctx_note_refused(struct drm_dev_ctx *ctx, unsigned long where)
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

static int drm_dev_ctx_show(struct seq_file *m, void *unused)
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

/* Takes the next entry that has a reference off the list, or returns NULL. */
static struct drm_dev_ctx_revocable *drm_dev_ctx_next_revocable(struct drm_dev_ctx *ctx)
{
	struct drm_dev_ctx_revocable *rev;

	guard(spinlock)(&ctx->__revocables_lock);
	/* Under the lock: see revocable-done.litmus and revocable-retry.litmus. */
	WRITE_ONCE(ctx->__unbound, true);
	list_for_each_entry(rev, &ctx->__revocables, __node) {
		/*
		 * This fails only for the few entries whose last reference another task is
		 * dropping.
		 */
		if (!rev->__ops->get(rev))
			continue;
		list_del_init(&rev->__node);
		return rev;
	}
	return NULL;
}

static bool drm_dev_ctx_all_ended(struct drm_dev_ctx *ctx)
{
	/* Under the lock: see revocable-done.litmus and revocable-take.litmus. */
	guard(spinlock)(&ctx->__revocables_lock);
	return list_empty(&ctx->__revocables) && !ctx->__ends;
}

/*
 * The condition of a wait: returns true when there is an entry @rev to revoke, or when no entry is
 * left, with @rev NULL. Entries without a reference stay on the list. For each of these, some task
 * takes the entry off, or restores the reference and calls drm_dev_ctx_revocable_retry().
 */
static bool drm_dev_ctx_revokes(struct drm_dev_ctx *ctx, struct drm_dev_ctx_revocable **rev)
{
	*rev = drm_dev_ctx_next_revocable(ctx);
	return *rev || drm_dev_ctx_all_ended(ctx);
}

/*
 * The condition of a wait: returns true when there is an entry @rev to revoke that comes first, or
 * when none is left, with @rev NULL. Entries without a reference need not be waited for.
 */
static bool drm_dev_ctx_revokes_first(struct drm_dev_ctx *ctx, struct drm_dev_ctx_revocable **rev)
{
	struct drm_dev_ctx_revocable *entry;

	*rev = NULL;
	guard(spinlock)(&ctx->__revocables_lock);
	ctx->__first_over = true;
	/* Another task revokes one. */
	if (ctx->__revoking)
		return false;
	list_for_each_entry(entry, &ctx->__revocables, __node) {
		/* Those that come first are in front of all others. */
		if (!entry->__ops->revoke_first)
			break;
		if (!entry->__ops->get(entry))
			continue;
		list_del_init(&entry->__node);
		ctx->__revoking = entry;
		*rev = entry;
		break;
	}
	return true;
}

/* Under the lock: once the last task leaves it, the device may be freed. */
static void drm_dev_ctx_revoked_first(struct drm_dev_ctx *ctx)
{
	guard(spinlock)(&ctx->__revocables_lock);
	ctx->__revoking = NULL;
	wake_up(&ctx->__ended);
}

/*
 * Reports an entry that comes first and is still in use, and puts it back on the list behind the
 * others that come first. Returns how many these are.
 */
static size_t drm_dev_ctx_keep_first(struct drm_dev_ctx *ctx)
{
	struct drm_dev_ctx_revocable *entry;
	size_t others = 0;

	guard(spinlock)(&ctx->__revocables_lock);
	if (!ctx->__first_kept)
		drm_warn(&ctx->drm, "the system goes down: quiesce does not wait for importers any longer\n");
	ctx->__first_kept = true;
	ctx->__revoking->__ops->report(ctx->__revoking);
	list_for_each_entry(entry, &ctx->__revocables, __node) {
		if (!entry->__ops->revoke_first)
			break;
		others++;
	}
	list_add_tail(&ctx->__revoking->__node, &entry->__node);
	return others;
}

/*
 * Revokes the entries that come first. No such entry is added later. None is left, unless @timeout,
 * in jiffies, is shorter than what their users take. All users are told in any case.
 */
static void drm_dev_ctx_revoke_all_first(struct drm_dev_ctx *ctx, long timeout)
{
	struct drm_dev_ctx_revocable *rev;
	size_t turns = SIZE_MAX;

	while (turns--) {
		wait_event(ctx->__ended, drm_dev_ctx_revokes_first(ctx, &rev));
		if (!rev)
			break;
		timeout = rev->__ops->revoke_first(rev, max(timeout, 1L));
		/* Those that are kept have had their turn. */
		if (!timeout)
			turns = min(turns, drm_dev_ctx_keep_first(ctx));
		drm_dev_ctx_revoked_first(ctx);
		rev->__ops->put(rev);
	}
}

/* Tells lockdep, even if there is nothing to wait for this time. */
static void drm_dev_ctx_might_wait_for_ends(struct drm_dev_ctx *ctx)
{
	lock_map_acquire(&ctx->__ends_map);
	lock_map_release(&ctx->__ends_map);
}

static void drm_dev_ctx_revoke_all(struct drm_dev_ctx *ctx)
{
	struct drm_dev_ctx_revocable *rev;

	do {
		/* Nothing is added any more, so an empty list stays empty. */
		lock_map_acquire(&ctx->__ends_map);
		wait_event(ctx->__ended, drm_dev_ctx_revokes(ctx, &rev));
		lock_map_release(&ctx->__ends_map);
		if (rev)
			rev->__ops->revoke(rev);
	} while (rev);
}

/* The device is not registered: a refused section can be the reason that probe failed. */
static void drm_dev_ctx_unwatch_probe(struct drm_dev_ctx *ctx)
{
	drm_dev_ctx_unwatch(ctx);
	drm_dev_ctx_report_early(ctx);
}

/* Returns whether there is nothing to revoke, as for most devices. No entry is added if so. */
static bool drm_dev_ctx_has_no_revocable(struct drm_dev_ctx *ctx)
{
	/* Under the lock: see revocable-hold.litmus. */
	guard(spinlock)(&ctx->__revocables_lock);
	if (!list_empty(&ctx->__revocables) || ctx->__revoking || ctx->__ends)
		return false;
	WRITE_ONCE(ctx->__unbound, true);
	return true;
}

/*
 * Revokes all entries, and reports it if that takes long. Nobody else watches any more: the
 * registration has ended, and the token is used up.
 */
static void drm_dev_ctx_revoke_watched(struct drm_dev_ctx *ctx)
{
	drm_dev_ctx_might_wait_for_ends(ctx);
	if (drm_dev_ctx_has_no_revocable(ctx))
		return;
	WRITE_ONCE(ctx->__revokes, current);
	drm_dev_ctx_watch(ctx, DRM_DEV_CTX_WAITS_TABLES);
	/*
	 * This waits for other devices, while @__unbound is not set yet: imports of this device
	 * give back their tables meanwhile, even if the other device waits for that in this place.
	 */
	drm_dev_ctx_revoke_all_first(ctx, MAX_SCHEDULE_TIMEOUT);
	drm_dev_ctx_revoke_all(ctx);
	drm_dev_ctx_unwatch(ctx);
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
	WRITE_ONCE(ctx->__waits_for, DRM_DEV_CTX_WAITS_KMS_SHUTDOWN);
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

	WRITE_ONCE(ctx->__waits_for, DRM_DEV_CTX_WAITS_ASYNC);
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
	WRITE_ONCE(ctx->__waits_for, DRM_DEV_CTX_WAITS_BLOCKS);
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
	WRITE_ONCE(ctx->__waits_for, DRM_DEV_CTX_WAITS_QUIESCE);
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

	WRITE_ONCE(ctx->__waits_for, DRM_DEV_CTX_WAITS_SECTIONS);
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
	WRITE_ONCE(ctx->__waits_for, DRM_DEV_CTX_WAITS_STOP);
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
	drm_dev_ctx_watch(ctx, DRM_DEV_CTX_WAITS_SECTIONS);
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
	drm_dev_ctx_watch(ctx, DRM_DEV_CTX_WAITS_SECTIONS);
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

/**
 * __drm_dev_ctx_check_outside() - refuse a wait that holds up unplugs
 * @drm: the device
 * @what: what the caller does
 *
 * Blocks of drm_dev_ctx_guard_callback() and handlers with the proof that the device is live may
 * wait, as they may for the locks of the mode configuration.
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
	drm_safe_broken(drm, "what takes long comes before the section",
			"%s() is called in one, for which each unplug waits", what);
	return -EINVAL;
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
				"%s is not being bound to this driver; use drm_dev_ctx_alloc_parent() with the device that is",
				dev_name(args->dev));
		return true;
	}
	if (fops && fops->owner != args->owner) {
		drm_safe_broken(NULL, "file operations have an owner",
				"those of %s are not owned by the module that allocates a device; use DEFINE_DRM_GEM_FOPS()",
				args->driver->name);
		return true;
	}
	return false;
}

static u32 drm_dev_ctx_type_hash(const struct drm_dev_ctx_args *args)
{
	return full_name_hash(NULL, args->type, strlen(args->type));
}

/*
 * Returns whether a device with the same struct drm_driver was allocated as another struct. The
 * callbacks of a driver expect one type of device. A device is in the array until its last
 * reference is put.
 */
static bool drm_dev_ctx_other_type(const struct drm_dev_ctx_args *args)
{
	if (!drm_dev_ctx_differs(args->driver, drm_dev_ctx_type_hash(args)))
		return false;

	drm_safe_broken(NULL, "a device has the drm_driver of its type",
			"%s is that of another struct than %s", args->driver->name, args->type);
	return true;
}

/* Returns whether this task probes a device. The probing task holds the device lock. */
static bool drm_dev_ctx_probes(struct device *dev)
{
	return drm_device_links_state(dev) == DL_DEV_PROBING && drm_mutex_is_held(&dev->mutex);
}

/*
 * Returns 0 if a device that has a driver can be a supplier, or logs and returns an error. For a
 * supplier that is already being unbound, a link comes too late. For a supplier that another task
 * probes, a link comes too early: if that probe function fails, the driver core unbinds no
 * consumer.
 */
static int drm_dev_ctx_check_supplier(struct device *dev, struct device *supplier,
				      const char *what)
{
	enum dl_dev_state state = drm_device_links_state(supplier);

	if (state == DL_DEV_DRIVER_BOUND || drm_dev_ctx_probes(supplier))
		return 0;
	if (state == DL_DEV_UNBINDING) {
		dev_err(dev, "%s, the %s of its DRM device, is being unbound\n",
			dev_name(supplier), what);
		return -ENODEV;
	}
	dev_info(dev, "%s, the %s of its DRM device, is not bound yet\n",
		 dev_name(supplier), what);
	return -EPROBE_DEFER;
}

/*
 * Keeps a device from being unbound. The driver core calls the notifier after it has set the state
 * DL_DEV_UNBINDING, and before it frees the device links.
 */
struct drm_dev_ctx_keeper {
	struct notifier_block nb;
	struct device *dev;
	struct mutex lock;	/* held while @dev stays bound */
};

static int drm_dev_ctx_keep_bound(struct notifier_block *nb, unsigned long action, void *data)
{
	struct drm_dev_ctx_keeper *keeper = container_of(nb, struct drm_dev_ctx_keeper, nb);

	if (action == BUS_NOTIFY_UNBIND_DRIVER && data == keeper->dev) {
		mutex_lock(&keeper->lock);
		mutex_unlock(&keeper->lock);
	}
	return NOTIFY_DONE;
}

VISIBLE_IF_KUNIT struct device_link *drm_dev_ctx_add_link(struct device *dev,
							  struct device *supplier)
{
	KUNIT_STATIC_STUB_REDIRECT(drm_dev_ctx_add_link, dev, supplier);

	return device_link_add(dev, supplier, DL_FLAG_AUTOREMOVE_CONSUMER);
}
EXPORT_SYMBOL_IF_KUNIT(drm_dev_ctx_add_link);

VISIBLE_IF_KUNIT int drm_dev_ctx_watch_bus(const struct bus_type *bus, struct notifier_block *nb)
{
	KUNIT_STATIC_STUB_REDIRECT(drm_dev_ctx_watch_bus, bus, nb);

	return bus_register_notifier(bus, nb);
}
EXPORT_SYMBOL_IF_KUNIT(drm_dev_ctx_watch_bus);

/* Adds a link from @dev, and returns in @waited_for whether it has an effect. */
static int drm_dev_ctx_link(struct device *dev, struct device *supplier, const char *what,
			    bool *waited_for)
{
	struct drm_dev_ctx_keeper keeper = {
		.nb.notifier_call = drm_dev_ctx_keep_bound,
		.dev = supplier,
	};
	struct device_link *link;
	int ret;

	mutex_init(&keeper.lock);
	ret = drm_dev_ctx_watch_bus(supplier->bus, &keeper.nb);
	if (ret)
		return ret;
	mutex_lock(&keeper.lock);
	/*
	 * Again: since the caller's check, the supplier may have been unbound, which frees older
	 * links. An unbind that begins now waits for the lock in the notifier.
	 */
	ret = drm_dev_ctx_check_supplier(dev, supplier, what);
	if (ret)
		goto out;
	link = drm_dev_ctx_add_link(dev, supplier);
	if (!link) {
		dev_err(dev, "cannot be unbound before %s, the %s of its DRM device\n",
			dev_name(supplier), what);
		ret = -EINVAL;
	}
	/* After the link: a supplier whose unbinding begins later waits for @dev. */
	ret = ret ?: drm_dev_ctx_check_supplier(dev, supplier, what);
	/*
	 * The link may have existed before. The core frees one that the supplier does not wait
	 * for together with the supplier, which is bound, and stays so until the lock is released.
	 */
	if (!ret)
		*waited_for = drm_device_link_is_waited_for(link);
out:
	mutex_unlock(&keeper.lock);
	bus_unregister_notifier(supplier->bus, &keeper.nb);
	mutex_destroy(&keeper.lock);
	return ret;
}

/*
 * Makes the driver core unbind @dev before it unbinds @supplier. @what names the role of the
 * supplier in messages. The core refuses a link if @supplier depends on @dev already or, with
 * CONFIG_PM_SLEEP, has no power management, as is the case for faux devices. The last component of
 * a master is a special case: its probe function allocates a DRM device for the master, which is
 * bound already. No link works then, and the remove function of that component ends the DRM device.
 */
static int drm_dev_ctx_follow(struct device *dev, struct device *supplier, const char *what)
{
	bool waited_for;
	int ret;

	/* A device without a driver stays as it is. */
	if (supplier == dev || !READ_ONCE(supplier->driver))
		return 0;
	/* A link that comes too late or too early could not be taken back. */
	ret = drm_dev_ctx_check_supplier(dev, supplier, what);
	if (ret)
		return ret;
	if (device_is_bound(dev) && drm_dev_ctx_probes(supplier))
		return 0;
	ret = drm_dev_ctx_link(dev, supplier, what, &waited_for);
	if (ret)
		return ret;
	if (waited_for)
		return 0;
	dev_err(dev, "%s, the %s of its DRM device, has a device link without effect\n",
		dev_name(supplier), what);
	/* Probing @dev again makes a new link. If @dev is bound already, the link stays useless. */
	return device_is_bound(dev) ? -ENODEV : -EPROBE_DEFER;
}

/* Serialises the calls that set @__dma_dev. */
static DEFINE_MUTEX(drm_dev_ctx_settle_lock);

/* Returns whether the DMA device had a driver when it was settled, and has none now. */
static bool drm_dev_ctx_dma_dev_is_lost(struct drm_dev_ctx *ctx)
{
	guard(mutex)(&drm_dev_ctx_settle_lock);
	return ctx->__dma_had_driver && !READ_ONCE(ctx->__dma_dev->driver);
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
	struct drm_driver early;
	struct drm_dev_ctx *ctx;
	void *device;
	int ret;

	if (drm_dev_ctx_misfits(args) || drm_dev_ctx_other_type(args))
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
	ctx->__type_hash = drm_dev_ctx_type_hash(args);
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
	drm_dev_ctx_watch(ctx, DRM_DEV_CTX_WAITS_SECTIONS);
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
			"the probe function that allocated it has returned: %s is bound",
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

/* Publishes registration data. Returns false, with a report, if it is that of another device. */
static bool drm_dev_ctx_publish(struct drm_dev_ctx *ctx, const struct drm_dev_ctx_ops *ops,
				struct drm_dev_ctx_data *data)
{
	if (!drm_dev_ctx_claim(ctx, data)) {
		drm_safe_broken(&ctx->drm, "registration data has one device",
				"another device has it, and ends it");
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

	drm_dev_ctx_watch(ctx, DRM_DEV_CTX_WAITS_SECTIONS);
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

static bool drm_dev_ctx_is_unbound(struct drm_dev_ctx *ctx)
{
	guard(spinlock)(&ctx->__revocables_lock);
	return ctx->__unbound;
}

/*
 * Quiesces data that a device refuses because it has other data. The device goes on, so this ends
 * nothing that belongs to the device.
 */
static void drm_dev_ctx_quiesce_refused(struct drm_dev_ctx *ctx, const struct drm_dev_ctx_ops *ops,
					struct drm_dev_ctx_data *data)
{
	enum drm_dev_ctx_wait waits = READ_ONCE(ctx->__waits_for);

	WRITE_ONCE(ctx->__waits_for, DRM_DEV_CTX_WAITS_REFUSED);
	drm_dev_ctx_quiesce(ops, &ctx->__unreg.bound, data);
	WRITE_ONCE(ctx->__waits_for, waits);
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
	WRITE_ONCE(ctx->__waits_for, DRM_DEV_CTX_WAITS_QUIESCE);
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
		drm_dev_ctx_watch(ctx, DRM_DEV_CTX_WAITS_ASYNC);
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
			"it has or had data, or callbacks for it, from drm_dev_ctx_attach()");
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
	drm_dev_ctx_watch(ctx, DRM_DEV_CTX_WAITS_ASYNC);
	drm_dev_ctx_end_registration(ctx);
	drm_dev_ctx_watch(ctx, DRM_DEV_CTX_WAITS_SECTIONS);
}

/* Restores @__waits_for, which the end of refused data changed, while probe is still watched. */
static void drm_dev_ctx_watch_probe_again(struct drm_dev_ctx *ctx)
{
	if (ctx->__state == DRM_DEV_CTX_UNREGISTERED)
		WRITE_ONCE(ctx->__waits_for, DRM_DEV_CTX_WAITS_SECTIONS);
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
				"called from a callback of the registration, which has to return first");
		return -EDEADLK;
	}
	if (drm_dev_ctx_in_handler(ctx)) {
		drm_safe_broken(&ctx->drm, "unregister from outside",
				"called from a handler that belongs to the registration, which has to return first");
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

/*
 * Returns the DRM device after @last that belongs to @dev, with a reference, or the first one for
 * NULL. The caller has a reference to @last, which therefore stays on the list.
 */
static struct drm_dev_ctx *drm_dev_ctx_next_on(struct device *dev, struct drm_dev_ctx *last)
{
	struct drm_dev_ctx *ctx;

	guard(spinlock)(&drm_dev_ctx_known_lock);
	ctx = list_prepare_entry(last, &drm_dev_ctx_known, __known);
	list_for_each_entry_continue(ctx, &drm_dev_ctx_known, __known)
		if (ctx->__dev == dev && kref_get_unless_zero(&ctx->drm.ref))
			return ctx;
	return NULL;
}

/* Calls a function for each DRM device that belongs to @dev. */
static void drm_dev_ctx_visit(struct device *dev, void (*fn)(struct drm_dev_ctx *ctx))
{
	struct drm_dev_ctx *ctx = drm_dev_ctx_next_on(dev, NULL), *next;

	for (; ctx; ctx = next) {
		fn(ctx);
		next = drm_dev_ctx_next_on(dev, ctx);
		drm_dev_put(&ctx->drm);
	}
}

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
 * __drm_dev_ctx_refuses_dma_dev() - check whether something can be mapped for a DMA device
 * @ctx: the contexts of the device
 * @dma_dev: the DMA device
 *
 * Context: Task context. Does not sleep.
 *
 * Return: true, with a report, if the DMA device was settled before and is another one: no device
 * link exists for @dma_dev.
 */
bool __drm_dev_ctx_refuses_dma_dev(struct drm_dev_ctx *ctx, const struct device *dma_dev)
{
	/* Unordered: @__dma_dev is set once, and only compared here. */
	const struct device *first = READ_ONCE(ctx->__dma_dev);

	if (!first || likely(first == dma_dev))
		return false;

	if (READ_ONCE(ctx->__registered))
		drm_safe_broken(&ctx->drm, "a DMA device is set before the registration",
				"drm_dev_set_dma_dev() was called since; %s may be unbound first",
				dev_name(dma_dev));
	else
		drm_safe_broken(&ctx->drm, "a DMA device is set before the first sg table",
				"there is, or was, a table or coherent memory that is mapped for %s",
				dev_name(first));
	return true;
}

/* Reports a proof that the parent is bound, which was kept after it was unbound. */
static int drm_dev_ctx_proof_was_kept(struct drm_dev_ctx *ctx)
{
	drm_safe_broken(&ctx->drm, "proofs end with their scope",
			"the parent is unbound, and the proof that it is bound was kept");
	return -ENODEV;
}

static int drm_dev_ctx_settle_first(struct drm_dev_ctx *ctx, struct device *dma_dev)
{
	bool had_driver;
	int ret;

	guard(mutex)(&drm_dev_ctx_settle_lock);
	if (ctx->__dma_dev)
		return 0;
	/* @__dev is not accessed once it is unbound. */
	if (drm_dev_ctx_is_unbound(ctx))
		return drm_dev_ctx_proof_was_kept(ctx);
	had_driver = dma_dev != ctx->__dev && READ_ONCE(dma_dev->driver);
	ret = drm_dev_ctx_follow(ctx->__dev, dma_dev, "DMA device");
	if (ret)
		return ret;
	ctx->__dma_had_driver = had_driver;
	/* Unordered: see __drm_dev_ctx_refuses_dma_dev(). A lock of the core orders links. */
	WRITE_ONCE(ctx->__dma_dev, get_device(dma_dev));
	return 0;
}

/**
 * __drm_dev_ctx_settle_dma_dev() - fix the DMA device, and keep it bound from now on
 * @ctx: the contexts of the device
 *
 * Called before a table is mapped or coherent memory is allocated, and by the registration. A
 * device link makes the driver core unbind the bound device before the DMA device.
 *
 * Context: May sleep, also if the caller holds a reservation lock. The parent is bound.
 *
 * Return: 0; or
 *
 * * with a report: -EINVAL if the driver changed the DMA device after it was settled; -ENODEV if
 *   drm_dev_ctx_alloc() did not make the device, or if the parent is unbound
 * * with a line in the log: -EINVAL if the driver core refuses the device link; -ENODEV if the DMA
 *   device is being unbound, or if an older device link has no effect and @__dev is bound already;
 *   -EPROBE_DEFER if another task probes the DMA device, if its probe function has just failed, or
 *   if an older device link has no effect and @__dev is being probed
 */
int __drm_dev_ctx_settle_dma_dev(struct drm_dev_ctx *ctx)
{
	struct device *dma_dev = drm_dev_dma_dev(&ctx->drm);
	int ret;

	if (drm_dev_ctx_misses(ctx))
		return -ENODEV;
	if (!READ_ONCE(ctx->__dma_dev)) {
		ret = drm_dev_ctx_settle_first(ctx, dma_dev);
		if (ret)
			return ret;
	}
	return __drm_dev_ctx_refuses_dma_dev(ctx, dma_dev) ? -EINVAL : 0;
}

/**
 * drm_dev_ctx_revocable_add() - revoke an entry when the parent is unbound
 * @bound: proof that the parent is bound
 * @rev: zeroed, or taken off the list before
 * @ops: how to revoke it
 *
 * Allocates no memory. Refuses and reports a proof that was kept after the parent was unbound,
 * and a device that drm_dev_ctx_alloc() did not make.
 *
 * Context: Task context, not with interrupts off: this takes a spinlock that
 * leaves them on. Does not sleep.
 *
 * Return: 0; -ENODEV if the parent is unbound or the device has no contexts; or -EINVAL, with a
 * report, if the DMA device was changed after the registration or the first sg table. Nothing calls
 * @ops then.
 */
int drm_dev_ctx_revocable_add(const struct drm_dev_ctx_bound *bound,
			      struct drm_dev_ctx_revocable *rev,
			      const struct drm_dev_ctx_revocable_ops *ops)
	__context_unsafe("the proof keeps the parent bound")
{
	struct drm_dev_ctx *ctx = bound->__ctx;
	int ret;

	/*
	 * A table needs an entry, so this check keeps foreign devices out of the functions
	 * below: they are only called for added entries.
	 */
	if (drm_dev_ctx_misses(ctx))
		return -ENODEV;
	ret = drm_dev_ctx_revocable_add_held(ctx, rev, ops);
	return ret == -ENODEV ? drm_dev_ctx_proof_was_kept(ctx) : ret;
}
EXPORT_SYMBOL_GPL(drm_dev_ctx_revocable_add);

/**
 * drm_dev_ctx_revocable_add_held() - the same for a task that keeps the parent bound
 * @ctx: the device, after drm_dev_ctx_revocable_hold()
 * @rev: zeroed, or taken off the list before
 * @ops: how to revoke it
 *
 * Revocation may have begun meanwhile. It then waits for the caller, and the list takes no new
 * entry.
 *
 * Context: As drm_dev_ctx_revocable_add().
 *
 * Return: 0; -ENODEV if revocation has begun, or, for an entry that comes first, after
 * drm_dev_ctx_revoke_first(); or -EINVAL as drm_dev_ctx_revocable_add(). Nothing calls @ops then.
 */
int drm_dev_ctx_revocable_add_held(struct drm_dev_ctx *ctx, struct drm_dev_ctx_revocable *rev,
				   const struct drm_dev_ctx_revocable_ops *ops)
{
	if (__drm_dev_ctx_refuses_dma_dev(ctx, drm_dev_dma_dev(&ctx->drm)))
		return -EINVAL;

	rev->__ops = ops;
	INIT_LIST_HEAD(&rev->__node);

	guard(spinlock)(&ctx->__revocables_lock);
	if (READ_ONCE(ctx->__unbound) || (ops->revoke_first && ctx->__first_over))
		return -ENODEV;
	/* Those that come first are in front of all others, in no order. */
	if (ops->revoke_first)
		list_add(&rev->__node, &ctx->__revocables);
	else
		list_add_tail(&rev->__node, &ctx->__revocables);
	return 0;
}
EXPORT_SYMBOL_GPL(drm_dev_ctx_revocable_add_held);

/**
 * drm_dev_ctx_revocable_take() - take an entry off the list, in order to end it
 * @ctx: the device that @rev was added to, if it was
 * @rev: on the list, taken off before, revoked, or zeroed
 *
 * On success the parent stays bound, and the device exists, until the caller
 * calls drm_dev_ctx_revocable_done().
 *
 * The owner of the last reference always succeeds if the entry is on the list, because
 * revocation leaves such an entry there.
 *
 * Context: Task context, not with interrupts off: this takes a spinlock that
 * leaves them on. Does not sleep.
 *
 * Return: whether the entry was on the list. If it was not, it was revoked, or is being
 * revoked now.
 */
bool drm_dev_ctx_revocable_take(struct drm_dev_ctx *ctx, struct drm_dev_ctx_revocable *rev)
{
	/* Never added: @ctx need not be valid. */
	if (!rev->__node.next)
		return false;

	/* The task that takes the entry off ends it: see revocable-take.litmus. */
	scoped_guard(spinlock, &ctx->__revocables_lock) {
		if (list_empty(&rev->__node))
			return false;
		list_del_init(&rev->__node);
		ctx->__ends++;
	}
	/* Recursive: ending one object can put the last reference to another. */
	lock_map_acquire_read(&ctx->__ends_map);
	return true;
}
EXPORT_SYMBOL_GPL(drm_dev_ctx_revocable_take);

/**
 * drm_dev_ctx_revocable_hold() - keep the parent bound, without an entry
 * @ctx: the device
 *
 * On success the parent stays bound, the device exists, and its driver is not unloaded, until the
 * caller calls drm_dev_ctx_revocable_done(). A reference to the driver's module cannot be taken
 * while the driver is being unloaded, which unbinds the parent.
 *
 * Context: Task context, not with interrupts off: this takes a spinlock that
 * leaves them on. Does not sleep.
 *
 * Return: false if the parent is unbound, or the revocation of entries has begun that do not come
 * first, or if drm_dev_ctx_alloc() did not make the device.
 */
bool drm_dev_ctx_revocable_hold(struct drm_dev_ctx *ctx)
{
	if (!drm_dev_ctx_find(&ctx->drm))
		return false;

	/* Revocation waits for the end if it comes later: see revocable-hold.litmus. */
	scoped_guard(spinlock, &ctx->__revocables_lock) {
		if (READ_ONCE(ctx->__unbound))
			return false;
		ctx->__ends++;
	}
	lock_map_acquire_read(&ctx->__ends_map);
	return true;
}

/**
 * drm_dev_ctx_revocable_done() - let the parent be unbound again
 * @ctx: the device of the entry
 *
 * The entry that drm_dev_ctx_revocable_take() took off has been ended, or the parent need not stay
 * bound any more.
 *
 * Context: The task that called drm_dev_ctx_revocable_take(), drm_dev_ctx_revocable_hold(), or
 * drm_dev_ctx_revocable_resume(). Does not sleep.
 */
void drm_dev_ctx_revocable_done(struct drm_dev_ctx *ctx)
	__context_unsafe("as drm_dev_ctx_revocable_take()")
{
	lock_map_release(&ctx->__ends_map);
	/*
	 * Under the lock: once the last task leaves it, the device may be freed. The end of
	 * the entry comes before that, see revocable-take.litmus, and so do wake-ups, see
	 * revocable-done.litmus.
	 */
	guard(spinlock)(&ctx->__revocables_lock);
	ctx->__ends--;
	if (READ_ONCE(ctx->__unbound))
		wake_up(&ctx->__ended);
}
EXPORT_SYMBOL_GPL(drm_dev_ctx_revocable_done);

/**
 * drm_dev_ctx_revocable_defer() - leave the end of an entry to another task
 * @ctx: the device of the entry
 *
 * The other task calls drm_dev_ctx_revocable_resume() before it ends the entry, and
 * drm_dev_ctx_revocable_done() afterwards.
 *
 * Context: The task that called drm_dev_ctx_revocable_take(). Does not sleep.
 */
void drm_dev_ctx_revocable_defer(struct drm_dev_ctx *ctx)
	__context_unsafe("as drm_dev_ctx_revocable_take()")
{
	lock_map_release(&ctx->__ends_map);
}
EXPORT_SYMBOL_GPL(drm_dev_ctx_revocable_defer);

/**
 * drm_dev_ctx_revocable_resume() - end an entry that another task took off
 * @ctx: the device of the entry
 *
 * See drm_dev_ctx_revocable_defer().
 *
 * Context: Any. Does not sleep.
 */
void drm_dev_ctx_revocable_resume(struct drm_dev_ctx *ctx)
	__context_unsafe("as drm_dev_ctx_revocable_take()")
{
	lock_map_acquire_read(&ctx->__ends_map);
}
EXPORT_SYMBOL_GPL(drm_dev_ctx_revocable_resume);

/**
 * drm_dev_ctx_revocable_retry() - revoke an entry that has a reference again
 * @ctx: the device, which has the entry on its list, or had it
 *
 * A task that drops the last reference, but neither ends the entry nor calls
 * drm_dev_ctx_revocable_take(), restores the reference and calls this. If the parent is being
 * unbound, &drm_dev_ctx_revocable_ops.get may have failed for the entry, and is called again.
 *
 * Context: Task context. Does not sleep.
 */
void drm_dev_ctx_revocable_retry(struct drm_dev_ctx *ctx)
{
	/*
	 * Under the lock, like &drm_dev_ctx_revocable_ops.get. If @get has failed, the
	 * unbinding task waits already, or will look again: see revocable-retry.litmus.
	 */
	guard(spinlock)(&ctx->__revocables_lock);
	if (READ_ONCE(ctx->__unbound))
		wake_up(&ctx->__ended);
}
EXPORT_SYMBOL_GPL(drm_dev_ctx_revocable_retry);

/*
 * Returns whether a proof comes from elsewhere than the device's quiesce, and reports it unless it
 * comes from quiesce of data that the device refused.
 */
static bool drm_dev_ctx_not_quiescing(struct drm_dev_ctx *ctx, const char *what)
{
	if (drm_dev_ctx_is_unbound(ctx)) {
		drm_dev_ctx_proof_was_kept(ctx);
		return true;
	}
	/* The driver was told that this data is refused. The device needs its exports. */
	if (READ_ONCE(ctx->__waits_for) == DRM_DEV_CTX_WAITS_REFUSED)
		return true;
	if (READ_ONCE(ctx->__waits_for) != DRM_DEV_CTX_WAITS_QUIESCE) {
		drm_safe_broken(&ctx->drm, "exports end in quiesce",
				"%s() is called while quiesce does not run", what);
		return true;
	}
	return __drm_dev_ctx_check_outside(&ctx->drm, what);
}

/* Returns whether this has waited for users of entries that come first for long enough. */
static bool drm_dev_ctx_has_kept_first(struct drm_dev_ctx *ctx)
{
	guard(spinlock)(&ctx->__revocables_lock);
	return ctx->__first_kept;
}

/**
 * drm_dev_ctx_revoke_first() - revoke the entries that come first, in quiesce
 * @bound: the proof that quiesce has
 * @what: the function that the driver called, for reports
 *
 * The device will not be registered again, so from here on it takes no more of such entries. If
 * another task revokes them, this waits for that task. A call from elsewhere than quiesce, or than
 * code that quiesce waits for, is reported, and does nothing. In quiesce of data that the device
 * refused because it has other data, this does nothing either.
 *
 * When the system goes down, this waits for some seconds. Entries that are still in use are
 * reported, and stay on the list for an unbind.
 *
 * Context: May sleep.
 */
void drm_dev_ctx_revoke_first(const struct drm_dev_ctx_bound *bound, const char *what)
{
	struct drm_dev_ctx *ctx = bound->__ctx;

	if (drm_dev_ctx_not_quiescing(ctx, what))
		return;
	if (!READ_ONCE(ctx->__goes_down))
		drm_dev_ctx_revoke_all_first(ctx, MAX_SCHEDULE_TIMEOUT);
	else if (!drm_dev_ctx_has_kept_first(ctx))
		drm_dev_ctx_revoke_all_first(ctx, msecs_to_jiffies(drm_dev_ctx_shutdown_limit_ms));
}

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
