// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <kunit/visibility.h>
#include <linux/cache.h>
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/export.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/ref_tracker.h>
#include <linux/sched.h>
#include <linux/sched/debug.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <drm/drm_debugfs.h>
#include <drm/drm_managed.h>
#include <drm/drm_print.h>

#include "drm_dev_ctx.h"
#include "drm_safe_core.h"

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
 * A DRM device has three lifetimes. The &struct drm_device lives as long as
 * someone holds a reference, an open file for example. The &struct device below
 * it is bound to its driver for a part of that time. The hardware may be used
 * while the device is registered and not unplugged, which is a part of the
 * latter. Each function of a driver runs in one of these contexts, and what it
 * may do depends on which. The contexts of a device are types here: a function
 * asks for the one it needs in its parameters, and to call it from another one
 * does not compile.
 *
 * One line in the driver's header declares them:
 *
 * .. code-block:: c
 *
 *	struct sgpu_device {
 *		struct drm_device drm;
 *		struct work_struct hangcheck;
 *	};
 *
 *	struct sgpu_hw;			// lives as long as the registration
 *
 *	struct sgpu_file {
 *		struct drm_file *drm;	// set for the driver
 *		...
 *	};
 *
 *	DRM_DEV_CTX(sgpu, struct sgpu_device, drm, struct sgpu_hw,
 *		    struct sgpu_file);
 *
 * From the weakest to the strongest:
 *
 * - *Normal* is the ``struct sgpu_device``. It may not be registered yet, and
 *   the parent may be unbound already. sgpu_dev() gets it from the
 *   &struct drm_device, sgpu_unreg_dev(), sgpu_ioctl_dev() and sgpu_reg_dev()
 *   from the other contexts.
 * - *Ioctl* is ``struct sgpu_ioctl *``: the device has been registered, and may
 *   be unplugged by now.
 * - *Bound* is ``const struct drm_dev_bound *``: the parent is bound. Part of the
 *   two that follow, as the address of their member bound.
 * - *Unregistered* is ``struct sgpu_unreg *``, a token that exists once and is
 *   used up by registration.
 * - *Registered* is ``const struct sgpu_reg *``. It exists in the scope of
 *   drm_dev_if_registered() or drm_dev_registered_or(), and in the ioctls that
 *   ask for it. It gives the registration data: sgpu_reg_data().
 *
 * A driver's probe function:
 *
 * .. code-block:: c
 *
 *	static const struct sgpu_reg_ops sgpu_reg_ops = {
 *		.quiesce = sgpu_hw_stop,	// (bound, struct sgpu_hw *)
 *		.release = sgpu_hw_free,	// (struct sgpu_hw *)
 *	};
 *
 *	static int sgpu_probe(struct faux_device *fdev)
 *	{
 *		struct sgpu_unreg *unreg __free(sgpu_unreg) =
 *			sgpu_dev_alloc(&fdev->dev, &sgpu_driver);
 *		struct sgpu_hw *hw;
 *
 *		if (IS_ERR(unreg))
 *			return PTR_ERR(unreg);
 *
 *		hw = sgpu_hw_init(&unreg->bound, sgpu_unreg_dev(unreg));
 *		if (IS_ERR(hw))
 *			return PTR_ERR(hw);
 *
 *		return drm_dev_ctx_register(sgpu, &fdev->dev, unreg,
 *					    &sgpu_reg_ops, hw);
 *	}
 *
 * There is no remove function: when the parent is unbound, the device is
 * unplugged, all sections that need the registration are waited for, the
 * hardware is quiesced, and the registration data is released, in this order. If
 * drm_dev_ctx_register() fails then it has quiesced and released as well.
 *
 * Ioctls and files:
 *
 * .. code-block:: c
 *
 *	int sgpu_ioctl_bo_create(const struct sgpu_reg *reg,
 *				 struct drm_sgpu_bo_create *args, struct sgpu_file *file);
 *	int sgpu_ioctl_bo_info(struct sgpu_device *sdev,
 *			       struct drm_sgpu_bo_info *args, struct sgpu_file *file);
 *	struct sgpu_file *sgpu_open(const struct sgpu_reg *reg, struct drm_file *file);
 *	void sgpu_postclose(struct sgpu_device *sdev, struct sgpu_file *file);
 *
 *	#define SGPU_IOCTLS(X)						\
 *		X(SGPU_BO_CREATE, struct drm_sgpu_bo_create,		\
 *		  sgpu_ioctl_bo_create, REGISTERED, DRM_RENDER_ALLOW)	\
 *		X(SGPU_BO_INFO, struct drm_sgpu_bo_info,		\
 *		  sgpu_ioctl_bo_info, NORMAL, DRM_RENDER_ALLOW)
 *
 *	DRM_DEV_IOCTL_TABLE(sgpu, SGPU_IOCTLS);
 *	DRM_DEV_FILE_OPS(sgpu, REGISTERED, sgpu_open, sgpu_postclose);
 *
 *	static const struct drm_driver sgpu_driver = {
 *		.open = sgpu_drm_open,
 *		.postclose = sgpu_drm_postclose,
 *		.ioctls = sgpu_ioctls,
 *		.num_ioctls = ARRAY_SIZE(sgpu_ioctls),
 *		...
 *	};
 *
 * Every other entry point that starts something opens a section with one line:
 * callbacks of GEM objects, page faults, runtime PM callbacks, and work items and
 * timers such as this one:
 *
 * .. code-block:: c
 *
 *	static void sgpu_hangcheck(struct work_struct *work)
 *	{
 *		struct sgpu_device *sdev = container_of(work, struct sgpu_device, hangcheck);
 *
 *		drm_dev_registered_or(sgpu, reg, &sdev->drm, return);
 *
 *		sgpu_hw_kick(sgpu_reg_data(reg));
 *	}
 *
 * All of these are initiators. A completer is a function that ends the wait of
 * others: an interrupt handler or a work item that signals fences, calls
 * complete() or reads the hardware's responses. A completer must not open a
 * section:
 *
 * .. code-block:: c
 *
 *	static irqreturn_t sgpu_irq_thread(int irq, void *data)
 *	{
 *		struct sgpu_hw *hw = data;	// quiesce calls free_irq()
 *
 *		sgpu_hw_signal_done(hw);
 *		return IRQ_HANDLED;
 *	}
 *
 * Unplugging waits for the open sections, and an open section can wait for the
 * completer. If the completer is refused a section, then it completes nothing,
 * and all three wait for ever. Before registration a section is refused as well:
 * a probe function that waits for such a completer gets no answer. A completer
 * takes what it needs from the registration data, and runs until quiesce ends
 * it; the hardware is there until then.
 *
 * If an unplug takes long, then the kernel log names the functions that were
 * refused a section meanwhile and, with CONFIG_DRM_SAFE_DEBUG, the open sections.
 *
 * The section keeps the hardware, it does not keep the work item: what can run
 * later belongs to the registration data and is ended in quiesce, by
 * disable_work_sync(), disable_delayed_work_sync(), timer_shutdown_sync() or
 * free_irq(). No such function may wait for itself, so nothing that runs in a
 * section may wait for quiesce.
 *
 * The DRM device's parent is the device that is being bound. Where it is another
 * one, such as the PCI device below a virtio device, the driver states both:
 *
 * .. code-block:: c
 *
 *	unreg = sgpu_dev_alloc_parent(&vdev->dev, vdev->dev.parent, &sgpu_driver);
 *	...
 *	return drm_dev_ctx_register(sgpu, &vdev->dev, unreg, &sgpu_reg_ops, hw);
 *
 * The first device is the one whose probe function runs: its unbinding ends the
 * registration. A device link has the driver core unbind it before the parent. A
 * component master states itself twice if its bind callback can run in the probe
 * function of a component. sgpu_dev_alloc() refuses a parent that was bound before,
 * or is bound to a driver in another module. sgpu_dev_alloc_parent() refuses a first
 * device that was bound before, unless it is the parent as well.
 *
 * A driver with a display sets kms_shutdown to drm_atomic_helper_shutdown(). It
 * runs when the device is unplugged, so that no user can race with it, and
 * before quiesce. The callbacks it calls find the device unplugged, but the
 * hardware there: they use drm_dev_if_bound() where others use
 * drm_dev_if_registered(). So do workers that kms_shutdown or quiesce waits for.
 *
 * Unplugging any device waits for the sections of all devices, as
 * drm_dev_unplug() does. To end a registration inside of a section therefore
 * does not compile where the compiler sees the section, and fails with -EDEADLK
 * under CONFIG_DRM_SAFE_DEBUG wherever it is. Without, it waits for ever, and
 * CONFIG_PROVE_LOCKING knows why: the sections are those of an SRCU domain.
 */

enum drm_dev_ctx_state {
	DRM_DEV_CTX_UNREGISTERED,
	DRM_DEV_CTX_DROPPED,
	DRM_DEV_CTX_REGISTERED,
	DRM_DEV_CTX_ENDED,
};

/* How many places that were refused a section a report names */
#define DRM_DEV_REFUSED_MAX	4

/*
 * struct drm_dev_ctx - what the library keeps for a device
 *
 * Sits in front of the driver's struct in the same allocation, so that it is
 * reached from the struct drm_device without a look-up and lives as long.
 *
 * Invariants:
 *
 * - @magic is first, and points to drm_dev_ctx_magic.
 * - The devres action of @dev holds @drm while @dev is bound, which is what a
 *   bound parent means. @dev is the parent of @drm or, if the driver said so, a
 *   consumer of the parent by a device link, so that it is unbound first. It is
 *   not looked at after that.
 * - @name and @modname say which DRM_DEV_CTX() declared the type that embeds @drm. The
 *   strings are in the driver's module, which stays while its callbacks can be called.
 * - @state goes from unregistered to dropped or registered, and from registered
 *   to ended; under @lock.
 * - @call, @ops and @data are set while the device is registered or being so;
 *   under @lock, or from a section that needs the registration.
 * - @busy is the task that holds @lock.
 * - @lock has a lockdep class of its own, @key: the callbacks of one device can
 *   end the registration of another one, of the same driver or not.
 * - @going_live is set while drm_dev_register() runs, after @ops and @data.
 * - @bound_open, @bound_users and @bound_left are under @bound_lock. @bound_open is set
 *   from the beginning of a registration until its quiesce has returned. @bound_users
 *   counts the blocks of drm_dev_if_bound() that were entered without a section, which is
 *   while @bound_open is set; @data is not released before it is zero. Then the last one
 *   of them completes @bound_left.
 * - @refused has the places that were refused a section since unplugging began,
 *   each once, in front of zeroes. They are only ever added meanwhile.
 * - @revocables, @ends and @unbound are under @revocables_lock. @unbound is set
 *   before the first entry is revoked, and nothing is added after that.
 * - @ends counts the entries that drm_dev_revocable_take() took off and
 *   drm_dev_revocable_done() has not been called for. @ended is woken when it
 *   changes after @unbound was set, and when an entry has a reference again.
 * - The parent is bound, and @drm is held, until @unbound is set, @revocables is
 *   empty and @ends is zero.
 */
struct drm_dev_ctx {
	const void *magic;
	struct drm_device *drm;
	struct device *dev;
	struct drm_dev_unreg unreg;
	const char *name;
	const char *modname;

	struct mutex lock;	/* @state, and the callbacks of the registration */
	struct lock_class_key key;
	struct task_struct *busy;
	enum drm_dev_ctx_state state;
	bool going_live;
	drm_dev_reg_call_t *call;
	const void *ops;
	void *data;

	raw_spinlock_t bound_lock;	/* The three that follow, in interrupts, too */
	bool bound_open __guarded_by(&bound_lock);
	unsigned int bound_users __guarded_by(&bound_lock);
	struct completion bound_left;

	spinlock_t revocables_lock;	/* The three that follow */
	struct list_head revocables __guarded_by(&revocables_lock);
	unsigned int ends __guarded_by(&revocables_lock);
	bool unbound __guarded_by(&revocables_lock);
	wait_queue_head_t ended;
	struct lockdep_map ends_map;	/* Unbinding waits for @ends. */

	/* The report of an unplug that waits for long */
	struct delayed_work stuck;
	unsigned int stuck_ms;
	unsigned long refused[DRM_DEV_REFUSED_MAX];

#ifdef CONFIG_DRM_SAFE_DEBUG
	struct ref_tracker_dir handles;
#endif
};

/* Its address is in no memory but that of devices which were made here. */
static const char drm_dev_ctx_magic;

static bool drm_dev_ctx_is_own(struct drm_device *drm)
{
	/*
	 * The first word of the allocation of any struct drm_device can be
	 * read, for it is at least as large as a struct drm_device.
	 */
	struct drm_dev_ctx *ctx = drm->managed.final_kfree;

	return ctx && ctx->magic == &drm_dev_ctx_magic;
}

static struct drm_dev_ctx *to_drm_dev_ctx(struct drm_device *drm)
{
	/* By the first invariant of struct drm_dev_ctx. */
	if (likely(drm_dev_ctx_is_own(drm)))
		return drm->managed.final_kfree;

	drm_safe_broken(drm, "own devices",
			"the device was not allocated with drm_dev_ctx; see DRM_DEV_CTX()");
	return NULL;
}

static size_t drm_dev_ctx_size(void)
{
	return ALIGN(sizeof(struct drm_dev_ctx), SMP_CACHE_BYTES);
}

/* How long unplugging waits before it says for what, in milliseconds; doubles each time */
VISIBLE_IF_KUNIT unsigned int drm_dev_section_limit_ms = 10000;
EXPORT_SYMBOL_IF_KUNIT(drm_dev_section_limit_ms);

#ifdef CONFIG_DRM_SAFE_DEBUG

/*
 * All open sections. Raw, and with interrupts off: sections are opened in
 * interrupt handlers, too.
 */
static DEFINE_RAW_SPINLOCK(drm_dev_sections_lock);
static LIST_HEAD(drm_dev_sections);

void __drm_dev_section_track(struct drm_dev_section *s)
{
	s->task = current;
	s->where = _RET_IP_;
	guard(raw_spinlock_irqsave)(&drm_dev_sections_lock);
	list_add_tail(&s->node, &drm_dev_sections);
}
EXPORT_SYMBOL_GPL(__drm_dev_section_track);

void __drm_dev_section_untrack(struct drm_dev_section *s)
{
	guard(raw_spinlock_irqsave)(&drm_dev_sections_lock);
	list_del(&s->node);
}
EXPORT_SYMBOL_GPL(__drm_dev_section_untrack);

/* The unplug of any device waits for the sections of all devices. */
static bool drm_dev_section_held(void)
{
	struct drm_dev_section *s;

	guard(raw_spinlock_irqsave)(&drm_dev_sections_lock);
	list_for_each_entry(s, &drm_dev_sections, node)
		if (s->task == current)
			return true;
	return false;
}

/* Names all open sections: unplugging waits for those of all devices. */
static void drm_dev_ctx_report_sections(struct drm_dev_ctx *ctx)
{
	struct drm_dev_section *s;

	guard(raw_spinlock_irqsave)(&drm_dev_sections_lock);
	if (list_empty(&drm_dev_sections))
		drm_warn(ctx->drm, "no section is open\n");
	list_for_each_entry(s, &drm_dev_sections, node) {
		drm_warn(ctx->drm, "section of %s: %s[%d] in %pS\n", dev_name(s->drm->dev),
			 s->task->comm, task_pid_nr(s->task), (void *)s->where);
		trace_drm_dev_ctx_stuck(ctx->drm, s->task, (void *)s->where);
		sched_show_task(s->task);
	}
}

static void drm_dev_sections_show(struct seq_file *m, struct drm_device *drm)
{
	struct drm_dev_section *s;

	guard(raw_spinlock_irqsave)(&drm_dev_sections_lock);
	list_for_each_entry(s, &drm_dev_sections, node)
		if (s->drm == drm)
			seq_printf(m, "section: %s[%d] in %pS\n", s->task->comm,
				   task_pid_nr(s->task), (void *)s->where);
}

/**
 * drm_dev_handle_add() - remember a handle for debugging
 * @drm: the device that should outlive it
 * @handle: not in use
 *
 * Does nothing without CONFIG_DRM_SAFE_DEBUG, or for a device that is not of
 * this library.
 *
 * Context: Any.
 */
void drm_dev_handle_add(struct drm_device *drm, struct drm_dev_handle *handle)
{
	struct drm_dev_ctx *ctx = drm->managed.final_kfree;

	if (drm_dev_ctx_is_own(drm))
		ref_tracker_alloc(&ctx->handles, &handle->__tracker, GFP_NOWAIT);
}
EXPORT_SYMBOL_GPL(drm_dev_handle_add);

/**
 * drm_dev_handle_del() - forget a handle
 * @drm: the device, as given to drm_dev_handle_add()
 * @handle: the handle
 *
 * Context: Any.
 */
void drm_dev_handle_del(struct drm_device *drm, struct drm_dev_handle *handle)
{
	struct drm_dev_ctx *ctx = drm->managed.final_kfree;

	if (drm_dev_ctx_is_own(drm))
		ref_tracker_free(&ctx->handles, &handle->__tracker);
}
EXPORT_SYMBOL_GPL(drm_dev_handle_del);

static void drm_dev_ctx_debug_init(struct drm_dev_ctx *ctx)
{
	ref_tracker_dir_init(&ctx->handles, 0, "drm_dev_ctx");
}

static void drm_dev_ctx_debug_exit(struct drm_dev_ctx *ctx)
{
	if (!list_empty(&ctx->handles.list))
		drm_safe_broken(ctx->drm, "handles go before their device",
				"the device is released; the stacks below made what is alive");
	ref_tracker_dir_exit(&ctx->handles);
}

static void drm_dev_handles_show(struct seq_file *m, struct drm_dev_ctx *ctx)
{
	char *buf __free(kfree) = kmalloc(PAGE_SIZE, GFP_KERNEL);

	if (buf && ref_tracker_dir_snprint(&ctx->handles, buf, PAGE_SIZE) > 0)
		seq_printf(m, "handles: %s\n", buf);
}
#else
static bool drm_dev_section_held(void)
{
	return false;
}

static void drm_dev_ctx_report_sections(struct drm_dev_ctx *ctx)
{
	drm_warn(ctx->drm, "CONFIG_DRM_SAFE_DEBUG would name the sections\n");
}

static void drm_dev_sections_show(struct seq_file *m, struct drm_device *drm) {}
static void drm_dev_ctx_debug_init(struct drm_dev_ctx *ctx) {}
static void drm_dev_ctx_debug_exit(struct drm_dev_ctx *ctx) {}
static void drm_dev_handles_show(struct seq_file *m, struct drm_dev_ctx *ctx) {}
#endif

/*
 * Names the places that were refused a section since the device began to be
 * unplugged. If such a place completes what an open section waits for, then the
 * section waits for ever: a completer must not need a section.
 */
static void drm_dev_ctx_report_refused(struct drm_dev_ctx *ctx)
{
	for (int i = 0; i < ARRAY_SIZE(ctx->refused); i++) {
		void *where = (void *)READ_ONCE(ctx->refused[i]);

		if (!where)
			return;
		drm_warn(ctx->drm, "refused a section since: %pS; if it completes what a section waits for, it must not need one\n",
			 where);
		trace_drm_dev_ctx_starved(ctx->drm, where);
	}
}

static void drm_dev_ctx_wait_longer(struct drm_dev_ctx *ctx)
{
	schedule_delayed_work(&ctx->stuck, msecs_to_jiffies(ctx->stuck_ms));
	ctx->stuck_ms = min(2 * ctx->stuck_ms, 600000U);
}

/* Says what may keep a registration from ending, and what could not end that. */
static void drm_dev_ctx_stuck(struct work_struct *work)
{
	struct drm_dev_ctx *ctx = container_of(work, struct drm_dev_ctx, stuck.work);

	/* While a device is being registered, only failing unplugs it. */
	if (drm_dev_is_unplugged(ctx->drm)) {
		drm_warn(ctx->drm, "ending the registration takes long; it waits for the sections of all devices\n");
		drm_dev_ctx_report_sections(ctx);
		drm_dev_ctx_report_refused(ctx);
	}
	drm_dev_ctx_wait_longer(ctx);
}

/* Around what may wait for sections */
static void drm_dev_ctx_unplug_begins(struct drm_dev_ctx *ctx)
{
	memset(ctx->refused, 0, sizeof(ctx->refused));
	ctx->stuck_ms = drm_dev_section_limit_ms;
	drm_dev_ctx_wait_longer(ctx);
}

static void drm_dev_ctx_unplug_ends(struct drm_dev_ctx *ctx)
{
	cancel_delayed_work_sync(&ctx->stuck);
}

/* Remembers a place that was refused a section. In any context; takes no lock. */
static void drm_dev_ctx_note_refused(struct drm_dev_ctx *ctx, unsigned long where)
	__drm_nonallocating
{
	for (int i = 0; i < ARRAY_SIZE(ctx->refused); i++) {
		unsigned long old;

		drm_safe_trusted(old = cmpxchg_relaxed(&ctx->refused[i], 0, where));
		if (!old || old == where)
			return;
	}
}

static size_t drm_dev_ctx_revocables(struct drm_dev_ctx *ctx)
{
	guard(spinlock)(&ctx->revocables_lock);
	return list_count_nodes(&ctx->revocables);
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
	struct drm_device *drm = entry->dev;
	struct drm_dev_ctx *ctx = to_drm_dev_ctx(drm);

	if (!ctx)
		return -EINVAL;

	/* Not under @lock, which is held for as long as an unplug takes. */
	seq_printf(m, "context: %s\n", states[READ_ONCE(ctx->state)]);
	seq_printf(m, "revocables: %zu\n", drm_dev_ctx_revocables(ctx));
	drm_dev_sections_show(m, drm);
	drm_dev_handles_show(m, ctx);
	return 0;
}

static void drm_dev_ctx_lock(struct drm_dev_ctx *ctx) __acquires(&ctx->lock)
{
	mutex_lock(&ctx->lock);
	WRITE_ONCE(ctx->busy, current);
}

static void drm_dev_ctx_unlock(struct drm_dev_ctx *ctx) __releases(&ctx->lock)
{
	WRITE_ONCE(ctx->busy, NULL);
	mutex_unlock(&ctx->lock);
}

/* Whether this task holds @lock; nobody else can make that so. */
static bool drm_dev_ctx_is_busy(struct drm_dev_ctx *ctx)
{
	return READ_ONCE(ctx->busy) == current;
}

/* Take the next entry that has a reference off the list, or return NULL. */
static struct drm_dev_revocable *drm_dev_ctx_next_revocable(struct drm_dev_ctx *ctx)
{
	struct drm_dev_revocable *rev;

	guard(spinlock)(&ctx->revocables_lock);
	ctx->unbound = true;
	list_for_each_entry(rev, &ctx->revocables, __node) {
		/* Those that fail here are few: a task ends each, or revives it. */
		if (!rev->__ops->get(rev))
			continue;
		list_del_init(&rev->__node);
		return rev;
	}
	return NULL;
}

static bool drm_dev_ctx_all_ended(struct drm_dev_ctx *ctx)
{
	guard(spinlock)(&ctx->revocables_lock);
	return list_empty(&ctx->revocables) && !ctx->ends;
}

/*
 * Entries without a reference stay on the list. Each has a task that takes it off,
 * or that gives the reference back and calls drm_dev_revocable_retry(). Returns false
 * until it has found an entry to revoke, or until none is left and @rev is NULL.
 */
static bool drm_dev_ctx_revokes(struct drm_dev_ctx *ctx, struct drm_dev_revocable **rev)
{
	*rev = drm_dev_ctx_next_revocable(ctx);
	return *rev || drm_dev_ctx_all_ended(ctx);
}

static void drm_dev_ctx_revoke_all(struct drm_dev_ctx *ctx)
{
	struct drm_dev_revocable *rev;

	do {
		/* Nothing is added any more, so what has all ended stays so. */
		lock_map_acquire(&ctx->ends_map);
		wait_event(ctx->ended, drm_dev_ctx_revokes(ctx, &rev));
		lock_map_release(&ctx->ends_map);
		if (rev)
			rev->__ops->revoke(rev);
	} while (rev);
}

/* The older devres action: the parent has no driver any more. */
static void drm_dev_ctx_unbind(void *res)
{
	struct drm_dev_ctx *ctx = res;

	drm_dev_ctx_revoke_all(ctx);
	drm_dev_put(ctx->drm);
}

static void drm_dev_ctx_call(struct drm_dev_ctx *ctx, enum drm_dev_reg_step step)
{
	if (ctx->ops)
		ctx->call(ctx->ops, step, ctx->drm, &ctx->unreg.bound, ctx->data);
}

/* From here on, drm_dev_if_bound() does without a section, if it gets none. */
static void drm_dev_ctx_open_bound(struct drm_dev_ctx *ctx)
{
	guard(raw_spinlock_irqsave)(&ctx->bound_lock);
	ctx->bound_open = true;
}

/* Let no one in any more; returns how many blocks have to be waited for. */
static unsigned int drm_dev_ctx_close_bound(struct drm_dev_ctx *ctx)
{
	guard(raw_spinlock_irqsave)(&ctx->bound_lock);
	ctx->bound_open = false;
	return ctx->bound_users;
}

/*
 * Quiesce has returned. It has ended all work that belongs to the registration, so there
 * is a block to wait for only if the work is not the registration's.
 */
static void drm_dev_ctx_drain_bound(struct drm_dev_ctx *ctx)
{
	unsigned int ms = drm_dev_section_limit_ms;

	if (!drm_dev_ctx_close_bound(ctx))
		return;
	while (!wait_for_completion_timeout(&ctx->bound_left, msecs_to_jiffies(ms))) {
		drm_warn(ctx->drm, "quiesce has returned, and a block of drm_dev_if_bound() has not been left\n");
		ms = min(2 * ms, 600000U);
	}
	/* The block that completed it may hold the lock still; the device goes after that. */
	drm_dev_ctx_close_bound(ctx);
}

/* Nothing needs the registration any more; end what belongs to it. */
static void drm_dev_ctx_end_data(struct drm_dev_ctx *ctx)
{
	drm_dev_ctx_call(ctx, DRM_DEV_REG_QUIESCE);
	drm_dev_ctx_drain_bound(ctx);
	drm_dev_ctx_call(ctx, DRM_DEV_REG_RELEASE);
	ctx->ops = NULL;
	ctx->data = NULL;
}

/* Somebody else unregistered the device; returns whether it is unplugged. */
static bool drm_dev_ctx_left_behind(struct drm_device *drm)
{
	drm_safe_broken(drm, "unplug with drm_dev_ctx_unregister()",
			"drm_dev_unplug() or drm_dev_unregister() was called on a device of drm_dev_ctx");

	/* drm_dev_unplug() waits for all sections before it unregisters. */
	return drm_dev_is_unplugged(drm);
}

/* As drm_dev_unplug(), also of a device that was unregistered before. */
static void drm_dev_ctx_unplug_again(struct drm_device *drm, bool unregistered)
{
	LIST_HEAD(own);

	if (unregistered)
		drm_dev_relist_sysrq(drm, &own);
	drm_dev_unplug(drm);
}

/* Nothing needs the registration any more when this returns. */
static void drm_dev_ctx_leave(struct drm_dev_ctx *ctx)
{
	bool unregistered = !ctx->drm->registered;

	if (unlikely(unregistered) && drm_dev_ctx_left_behind(ctx->drm))
		return;

	drm_dev_ctx_unplug_begins(ctx);
	drm_dev_ctx_unplug_again(ctx->drm, unregistered);
	drm_dev_ctx_unplug_ends(ctx);
}

/* Returns whether there was a registration to end. */
static bool drm_dev_ctx_end(struct drm_dev_ctx *ctx)
{
	bool registered;

	drm_dev_ctx_lock(ctx);
	registered = ctx->state == DRM_DEV_CTX_REGISTERED;
	if (registered) {
		trace_drm_dev_ctx_unplug(ctx->drm);
		WRITE_ONCE(ctx->state, DRM_DEV_CTX_ENDED);
		drm_dev_ctx_leave(ctx);
		drm_dev_ctx_call(ctx, DRM_DEV_REG_KMS_SHUTDOWN);
		drm_dev_ctx_end_data(ctx);
	}
	drm_dev_ctx_unlock(ctx);

	return registered;
}

/* Whether this task may wait until nobody needs a registration any more. */
static bool drm_dev_ctx_may_wait(struct drm_device *drm)
{
	if (likely(!drm_dev_section_held()))
		return true;

	drm_safe_broken(drm, "unregister from outside",
			"this waits for all sections that need a registration, and is inside of one; leave it first");
	return false;
}

/* The younger devres action: the parent is being unbound. */
static void drm_dev_ctx_unplug(void *res)
{
	struct drm_dev_ctx *ctx = res;

	/* There is no way back from here: reports it, and waits for ever. */
	drm_dev_ctx_may_wait(ctx->drm);
	drm_dev_ctx_end(ctx);
}

/* The last reference to the device is gone. */
static void drm_dev_ctx_fini(struct drm_device *drm, void *res)
{
	struct drm_dev_ctx *ctx = res;

	drm_dev_ctx_debug_exit(ctx);
	mutex_destroy(&ctx->lock);
	lockdep_unregister_key(&ctx->key);
}

/* Whether @args->dev is bound to a driver in another module than the one that allocates. */
static bool drm_dev_ctx_other_module(const struct drm_dev_ctx_args *args)
{
	const struct device_driver *drv = args->dev->driver;

	if (drv->owner != args->owner)
		return true;
	/* Both are built in. */
	return !drv->owner && strcmp(drv->mod_name, args->modname);
}

/*
 * Whether the driver that @args->dev is bound to is not the one that allocates: a
 * driver in another module, unless the driver states the device, or one whose probe
 * function returned before, unless it states the device as both, as component
 * masters do. Faux devices have no driver of their own, and nothing can be said of
 * them.
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

/* Whether things were given together that do not belong together. */
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
				"%s is not being bound to this driver; use NAME_dev_alloc_parent() with the device that is",
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

/*
 * Have the driver core unbind @dev before it unbinds @parent, which does DMA for
 * it. The core refuses if @parent depends on @dev already or, with
 * CONFIG_PM_SLEEP, is outside of power management, as faux devices are.
 */
static int drm_dev_ctx_follow_parent(struct device *dev, struct device *parent)
{
	/* A device without a driver stays as it is. */
	if (parent == dev || !parent->driver)
		return 0;
	if (device_link_add(dev, parent, DL_FLAG_AUTOREMOVE_CONSUMER))
		return 0;

	dev_err(dev, "cannot be unbound before %s, the parent of its DRM device\n",
		dev_name(parent));
	return -EINVAL;
}

/**
 * __drm_dev_ctx_alloc() - allocate a device in its unregistered context
 * @args: what it is allocated from
 *
 * Drivers call the functions that DRM_DEV_CTX() declares. The memory stays until
 * &drm_dev_ctx_args.dev is unbound, or its probe function fails, and longer if
 * someone holds a reference.
 *
 * Context: May sleep. Called from the probe function of the driver of
 * &drm_dev_ctx_args.dev.
 *
 * Return: the token, or an ERR_PTR().
 */
struct drm_dev_unreg *__drm_dev_ctx_alloc(const struct drm_dev_ctx_args *args)
{
	static struct lock_class_key ends_key;
	size_t offset = args->offset;
	struct drm_dev_ctx *ctx;
	int ret;

	if (size_add(offset, sizeof(struct drm_device)) > args->size ||
	    args->size > KMALLOC_MAX_SIZE - drm_dev_ctx_size())
		return ERR_PTR(-EINVAL);
	if (drm_dev_ctx_misfits(args))
		return ERR_PTR(-EINVAL);
	ret = drm_dev_ctx_follow_parent(args->dev, args->parent);
	if (ret)
		return ERR_PTR(ret);

	offset += drm_dev_ctx_size();
	ctx = __drm_dev_alloc(args->parent, args->driver, drm_dev_ctx_size() + args->size,
			      offset);
	if (IS_ERR(ctx))
		return ERR_CAST(ctx);

	ctx->magic = &drm_dev_ctx_magic;
	ctx->dev = args->dev;
	ctx->drm = (void *)ctx + offset;
	ctx->unreg.bound.__drm = ctx->drm;
	ctx->name = args->name;
	ctx->modname = args->modname;
	lockdep_register_key(&ctx->key);
	mutex_init(&ctx->lock);
	lockdep_set_class(&ctx->lock, &ctx->key);
	raw_spin_lock_init(&ctx->bound_lock);
	init_completion(&ctx->bound_left);
	spin_lock_init(&ctx->revocables_lock);
	/* Nobody else has it yet. */
	context_unsafe(INIT_LIST_HEAD(&ctx->revocables));
	init_waitqueue_head(&ctx->ended);
	lockdep_init_map(&ctx->ends_map, "drm_dev_ctx_ends", &ends_key, 0);
	INIT_DELAYED_WORK(&ctx->stuck, drm_dev_ctx_stuck);
	drm_dev_ctx_debug_init(ctx);

	ret = drmm_add_action_or_reset(ctx->drm, drm_dev_ctx_fini, ctx);
	if (ret) {
		drm_dev_put(ctx->drm);
		return ERR_PTR(ret);
	}
	ret = devm_add_action_or_reset(ctx->dev, drm_dev_ctx_unbind, ctx);
	if (ret)
		return ERR_PTR(ret);

	drm_debugfs_add_file(ctx->drm, "drm_dev_ctx", drm_dev_ctx_show, NULL);
	return &ctx->unreg;
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_alloc);

/* A token that is no more than NULL or an error, where one is needed. */
static bool drm_dev_unreg_missing(struct drm_dev_unreg *unreg)
{
	if (!IS_ERR_OR_NULL(unreg))
		return false;

	drm_safe_broken(NULL, "a token is used once",
			"no device: the token was used up before, or is the error of an allocation");
	return true;
}

/* Uses up a token; @state is what becomes of the device. */
static int drm_dev_ctx_use_up(struct drm_dev_ctx *ctx, enum drm_dev_ctx_state state)
{
	lockdep_assert_held(&ctx->lock);

	if (ctx->state != DRM_DEV_CTX_UNREGISTERED) {
		drm_safe_broken(ctx->drm, "a token is used once",
				"this device was registered or dropped before");
		return -EINVAL;
	}
	WRITE_ONCE(ctx->state, state);
	return 0;
}

/**
 * __drm_dev_unreg_drop() - give up a device that was not registered
 * @unreg: the token
 *
 * Drivers call the function that DRM_DEV_CTX() declares, or leave the scope of
 * a token that is __free().
 *
 * Context: May sleep.
 */
void __drm_dev_unreg_drop(struct drm_dev_unreg *unreg)
{
	struct drm_dev_ctx *ctx;

	if (drm_dev_unreg_missing(unreg))
		return;
	ctx = container_of(unreg, struct drm_dev_ctx, unreg);

	drm_dev_ctx_lock(ctx);
	drm_dev_ctx_use_up(ctx, DRM_DEV_CTX_DROPPED);
	drm_dev_ctx_unlock(ctx);
}
EXPORT_SYMBOL_GPL(__drm_dev_unreg_drop);

static int drm_dev_ctx_go_live(struct drm_dev_ctx *ctx, struct device *dev)
{
	int ret;

	if (dev != ctx->dev) {
		drm_safe_broken(ctx->drm, "a device is registered where it was allocated",
				"registered with %s, allocated with %s",
				dev ? dev_name(dev) : "no device", dev_name(ctx->dev));
		return -EINVAL;
	}

	/* Before the device goes live, for then nothing may fail any more. */
	ret = devm_add_action(dev, drm_dev_ctx_unplug, ctx);
	if (ret)
		return ret;

	/*
	 * Publishes @ops and @data before @going_live and, in drm_dev_register(),
	 * @registered are set; pairs with the acquires in
	 * __drm_dev_section_enter() and drm_dev_ctx_is_going_live(). The context of
	 * an ioctl needs neither: minors are published and looked up under a lock.
	 */
	smp_wmb();
	WRITE_ONCE(ctx->going_live, true);
	drm_dev_ctx_unplug_begins(ctx);
	ret = drm_dev_register(ctx->drm, 0);
	drm_dev_ctx_unplug_ends(ctx);
	/* Release: pairs with the acquire in drm_dev_ctx_is_going_live(). */
	smp_store_release(&ctx->going_live, false);
	if (ret) {
		/*
		 * The minors may have been live for a moment. drm_dev_register()
		 * unplugged the device and waited for whoever got in, but a
		 * display may be on.
		 */
		WRITE_ONCE(ctx->state, DRM_DEV_CTX_ENDED);
		drm_dev_ctx_call(ctx, DRM_DEV_REG_KMS_SHUTDOWN);
		devm_remove_action(dev, drm_dev_ctx_unplug, ctx);
	}
	return ret;
}

/**
 * __drm_dev_ctx_register() - register a device
 * @dev: the device that is being bound
 * @unreg: the token, consumed
 * @call: calls the callbacks in @ops
 * @ops: the driver's part of the registration, or NULL
 * @data: registration data, owned by the registration
 *
 * See drm_dev_ctx_register(), which drivers call.
 *
 * Context: May sleep.
 *
 * Return: 0 or a negative error code.
 */
int __drm_dev_ctx_register(struct device *dev, struct drm_dev_unreg *unreg,
			   drm_dev_reg_call_t *call, const void *ops, void *data)
{
	struct drm_dev_ctx *ctx;
	int ret = -EINVAL;

	if (drm_dev_unreg_missing(unreg)) {
		/* No device, no proof: what runs by now cannot be ended. */
		if (ops)
			call(ops, DRM_DEV_REG_RELEASE, NULL, NULL, data);
		return ret;
	}
	ctx = container_of(unreg, struct drm_dev_ctx, unreg);

	/* As drm_dev_register() does if it fails. */
	if (!drm_dev_ctx_may_wait(ctx->drm)) {
		ret = -EDEADLK;
		goto err_data;
	}

	drm_dev_ctx_lock(ctx);
	ret = drm_dev_ctx_use_up(ctx, DRM_DEV_CTX_REGISTERED);
	if (ret) {
		drm_dev_ctx_unlock(ctx);
		goto err_data;
	}

	ctx->call = call;
	ctx->ops = ops;
	ctx->data = data;
	drm_dev_ctx_open_bound(ctx);
	ret = drm_dev_ctx_go_live(ctx, dev);
	trace_drm_dev_ctx_register(ctx->drm, ret);
	if (ret) {
		WRITE_ONCE(ctx->state, DRM_DEV_CTX_ENDED);
		drm_dev_ctx_end_data(ctx);
	}
	drm_dev_ctx_unlock(ctx);

	return ret;

err_data:
	/* The caller's data is consumed, whatever is wrong. The parent is bound. */
	if (ops) {
		call(ops, DRM_DEV_REG_QUIESCE, ctx->drm, &unreg->bound, data);
		call(ops, DRM_DEV_REG_RELEASE, NULL, NULL, data);
	}
	return ret;
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_register);

/**
 * __drm_dev_ctx_unregister() - end a registration
 * @drm: the device
 *
 * See drm_dev_ctx_unregister(), which drivers call.
 *
 * Context: May sleep.
 *
 * Return: 0 or a negative error code.
 */
int __drm_dev_ctx_unregister(struct drm_device *drm)
{
	struct drm_dev_ctx *ctx = to_drm_dev_ctx(drm);

	if (!ctx)
		return -EINVAL;

	if (drm_dev_ctx_is_busy(ctx)) {
		drm_safe_broken(drm, "unregister from outside",
				"called from a callback of the registration, which has to return first");
		return -EDEADLK;
	}
	if (!drm_dev_ctx_may_wait(drm))
		return -EDEADLK;

	return drm_dev_ctx_end(ctx) ? 0 : -ENODEV;
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_unregister);

/**
 * drm_dev_bound_device() - the bound device to which a DRM device belongs
 * @bound: the proof that it is bound
 *
 * The device that the driver's probe function was called for: the place of the
 * driver's managed allocations and driver data. See also drm_dev_bound_parent().
 *
 * Context: Any.
 *
 * Return: the device, borrowed for the scope of the proof. NULL if the DRM device
 * is not one of this library, which is reported.
 */
struct device *drm_dev_bound_device(const struct drm_dev_bound *bound)
{
	struct drm_dev_ctx *ctx = to_drm_dev_ctx(bound->__drm);

	return ctx ? ctx->dev : NULL;
}
EXPORT_SYMBOL_GPL(drm_dev_bound_device);

/**
 * __drm_dev_check_type() - whether a device is of the type that a callback is for
 * @drm: the device
 * @name: what the callback's DRM_DEV_CTX() was given
 * @modname: its module
 *
 * A device can be allocated with the &struct drm_driver of another one. Its callbacks would take
 * the memory around the &struct drm_device for their own type.
 *
 * Context: Any.
 *
 * Return: 0, or -EINVAL, which is reported.
 */
int __drm_dev_check_type(struct drm_device *drm, const char *name, const char *modname)
{
	struct drm_dev_ctx *ctx = to_drm_dev_ctx(drm);

	if (!ctx)
		return -EINVAL;
	/* Most often, the compiler has each string once. */
	if (likely(ctx->name == name && ctx->modname == modname))
		return 0;
	if (!strcmp(ctx->name, name) && !strcmp(ctx->modname, modname))
		return 0;

	drm_safe_broken(drm, "a device has the drm_driver of its type",
			"allocated by %s_dev_alloc() of %s, and its driver has callbacks of %s of %s",
			ctx->name, ctx->modname, name, modname);
	return -EINVAL;
}
EXPORT_SYMBOL_GPL(__drm_dev_check_type);

/**
 * __drm_dev_reg_data() - the registration data
 * @reg: proof that there is some
 *
 * Context: Any.
 *
 * Return: what was given to drm_dev_ctx_register(), for the scope of @reg.
 */
void *__drm_dev_reg_data(const struct drm_dev_reg *reg)
{
	struct drm_dev_ctx *ctx = to_drm_dev_ctx(reg->bound.__drm);

	return ctx ? ctx->data : NULL;
}
EXPORT_SYMBOL_GPL(__drm_dev_reg_data);

static void drm_dev_ctx_refuse(struct drm_device *drm, unsigned long where)
	__drm_nonallocating
{
	bool unplugged = drm_dev_is_unplugged(drm);

	if (unplugged && drm_dev_ctx_is_own(drm))
		drm_dev_ctx_note_refused(drm->managed.final_kfree, where);
	drm_safe_trusted(trace_drm_dev_ctx_refused(drm, unplugged, (void *)where));
}

/* A section was not entered. Kept out of the way of those that are. */
void __cold __drm_dev_refused(struct drm_device *drm)
{
	drm_dev_ctx_refuse(drm, _RET_IP_);
}
EXPORT_SYMBOL_GPL(__drm_dev_refused);

/*
 * Whether DRM does not count the device as registered only because it is still at
 * it: its minors can be live before it does.
 */
static bool drm_dev_ctx_is_going_live(struct drm_device *drm)
{
	struct drm_dev_ctx *ctx = drm->managed.final_kfree;

	if (!drm_dev_ctx_is_own(drm))
		return false;
	/* Acquire: registration data first; and @registered is not older than this. */
	if (smp_load_acquire(&ctx->going_live))
		return true;
	/* It may have been set between the caller's look at it and this one. */
	return smp_load_acquire(&drm->registered);
}

/*
 * In an SRCU section of DRM's, of a device that does not count as registered. If it
 * is being registered then this makes a section of ours of it, which
 * drm_dev_register() waits for if it fails, and returns @drm. If not, then the
 * section is left, and this returns NULL.
 */
struct drm_device *__cold __drm_dev_enter_early(struct drm_device *drm, int idx)
	__context_unsafe("the caller's section begins only if this does not return NULL")
{
	if (drm_dev_ctx_is_going_live(drm))
		return drm;

	drm_dev_exit(idx);
	drm_dev_ctx_refuse(drm, _RET_IP_);
	return NULL;
}
EXPORT_SYMBOL_GPL(__drm_dev_enter_early);

/*
 * Whether the hardware is there though no section can be entered: the registration is
 * ending, and quiesce has not returned. It waits for the caller to leave.
 */
bool __drm_dev_bound_enter(struct drm_device *drm)
{
	struct drm_dev_ctx *ctx = to_drm_dev_ctx(drm);

	if (!ctx)
		return false;
	guard(raw_spinlock_irqsave)(&ctx->bound_lock);
	if (!ctx->bound_open)
		return false;
	ctx->bound_users++;
	return true;
}
EXPORT_SYMBOL_GPL(__drm_dev_bound_enter);

/* Undo __drm_dev_bound_enter(). */
void __drm_dev_bound_leave(struct drm_device *drm)
{
	/* Not NULL: it was entered. */
	struct drm_dev_ctx *ctx = to_drm_dev_ctx(drm);

	guard(raw_spinlock_irqsave)(&ctx->bound_lock);
	ctx->bound_users--;
	if (ctx->bound_open || ctx->bound_users)
		return;
	complete(&ctx->bound_left);
}
EXPORT_SYMBOL_GPL(__drm_dev_bound_leave);

/**
 * drm_dev_ctx_is_unbound() - whether the parent that a device had was unbound
 * @drm: the device
 *
 * The parent may be bound again, for another &struct drm_device.
 *
 * Context: Task context. Does not sleep.
 *
 * Return: whether what was mapped for the parent was revoked, or is being so; false
 * for a device that is not of this library.
 */
bool drm_dev_ctx_is_unbound(struct drm_device *drm)
{
	struct drm_dev_ctx *ctx = drm->managed.final_kfree;

	if (!drm_dev_ctx_is_own(drm))
		return false;
	guard(spinlock)(&ctx->revocables_lock);
	return ctx->unbound;
}
EXPORT_SYMBOL_GPL(drm_dev_ctx_is_unbound);

/**
 * drm_dev_revocable_add() - have something revoked when the parent is unbound
 * @bound: proof that it is bound
 * @rev: zeroed, or taken off the list before
 * @ops: how to revoke it
 *
 * Allocates nothing. Refuses and reports a proof that was kept after the parent
 * was unbound.
 *
 * Context: Task context, not with interrupts off: this takes a spinlock that
 * leaves them on. Does not sleep.
 *
 * Return: 0, or -ENODEV if the parent is unbound or the device is not one of
 * this library: then nothing calls @ops.
 */
int drm_dev_revocable_add(const struct drm_dev_bound *bound,
			  struct drm_dev_revocable *rev,
			  const struct drm_dev_revocable_ops *ops)
{
	struct drm_dev_ctx *ctx = to_drm_dev_ctx(bound->__drm);

	rev->__ops = ops;
	INIT_LIST_HEAD(&rev->__node);
	if (!ctx)
		return -ENODEV;

	scoped_guard(spinlock, &ctx->revocables_lock) {
		if (!ctx->unbound) {
			list_add_tail(&rev->__node, &ctx->revocables);
			return 0;
		}
	}
	drm_safe_broken(ctx->drm, "proofs end with their scope",
			"the parent is unbound, and the proof that it is bound was kept");
	return -ENODEV;
}
EXPORT_SYMBOL_GPL(drm_dev_revocable_add);

/**
 * drm_dev_revocable_take() - take something off the list, in order to end it
 * @drm: the device
 * @rev: on the list, taken off before, revoked, or zeroed
 *
 * On success the parent stays bound, and the device exists, until the caller
 * calls drm_dev_revocable_done().
 *
 * The owner of the last reference always succeeds if the entry is on the list:
 * revocation leaves it there.
 *
 * Context: Task context, not with interrupts off: this takes a spinlock that
 * leaves them on. Does not sleep.
 *
 * Return: whether the entry was on the list. If it was not then it was revoked,
 * or is being revoked now.
 */
bool drm_dev_revocable_take(struct drm_device *drm, struct drm_dev_revocable *rev)
	__context_unsafe("a device without a context has nothing on its list")
{
	struct drm_dev_ctx *ctx = to_drm_dev_ctx(drm);

	if (!ctx)
		return false;

	scoped_guard(spinlock, &ctx->revocables_lock) {
		/* NULL: it was never added. */
		if (!rev->__node.next || list_empty(&rev->__node))
			return false;
		list_del_init(&rev->__node);
		ctx->ends++;
	}
	/* Recursive: ending one object can put the last reference to another. */
	lock_map_acquire_read(&ctx->ends_map);
	return true;
}
EXPORT_SYMBOL_GPL(drm_dev_revocable_take);

/**
 * drm_dev_revocable_done() - let the parent be unbound again
 * @drm: the device
 *
 * What drm_dev_revocable_take() took off has been ended.
 *
 * Context: The task that called drm_dev_revocable_take(). Does not sleep.
 */
void drm_dev_revocable_done(struct drm_device *drm)
	__context_unsafe("as drm_dev_revocable_take()")
{
	/* Not NULL: an entry of this device was taken off. */
	struct drm_dev_ctx *ctx = to_drm_dev_ctx(drm);

	lock_map_release(&ctx->ends_map);
	/* Under the lock: the last one to leave it may see the device freed. */
	guard(spinlock)(&ctx->revocables_lock);
	ctx->ends--;
	if (ctx->unbound)
		wake_up(&ctx->ended);
}
EXPORT_SYMBOL_GPL(drm_dev_revocable_done);

/**
 * drm_dev_revocable_retry() - have an entry revoked that has a reference again
 * @drm: the device, which has the entry on its list, or had it
 *
 * For an owner of the last reference that neither ends the entry nor calls
 * drm_dev_revocable_take(): it gives the reference back and calls this. If the
 * parent is being unbound meanwhile, &drm_dev_revocable_ops.get has failed, and is
 * called again.
 *
 * Context: Task context. Does not sleep.
 */
void drm_dev_revocable_retry(struct drm_device *drm)
	__context_unsafe("as drm_dev_revocable_take()")
{
	struct drm_dev_ctx *ctx = to_drm_dev_ctx(drm);

	if (!ctx)
		return;
	/*
	 * Under the lock, as is &drm_dev_revocable_ops.get: if that has failed then
	 * the unbinding task waits already, or will look again.
	 */
	guard(spinlock)(&ctx->revocables_lock);
	if (ctx->unbound)
		wake_up(&ctx->ended);
}
EXPORT_SYMBOL_GPL(drm_dev_revocable_retry);

MODULE_DESCRIPTION("DRM safe helpers");
MODULE_LICENSE("Dual MIT/GPL");
