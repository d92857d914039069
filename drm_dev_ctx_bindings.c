// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The binding of a device: the entries that end with it, and the suppliers that must stay bound as
 * long.
 */

#include <kunit/static_stub.h>
#include <kunit/visibility.h>
#include <linux/device.h>
#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include <drm/drm_drv.h>
#include <drm/drm_print.h>

#include "drm_dev_ctx_internal.h"
#include "drm_safe_core.h"

/*
 * The time that quiesce waits for the users of entries that come first when the system goes down,
 * in milliseconds. The users belong to other devices, which may have been shut down already.
 */
VISIBLE_IF_KUNIT unsigned int drm_dev_ctx_shutdown_limit_ms = 5000;
EXPORT_SYMBOL_IF_KUNIT(drm_dev_ctx_shutdown_limit_ms);

/* Takes the next entry that has a reference off the list, or returns NULL. */
static struct drm_dev_ctx_revocable *drm_dev_ctx_next_revocable(struct drm_dev_ctx *ctx)
{
	struct drm_dev_ctx_revocable *rev;

	guard(spinlock)(&ctx->__revocables_lock);
	/* Under the lock: see revocable-done.litmus and revocable-retry.litmus. */
	WRITE_ONCE(ctx->__unbound, true);
	list_for_each_entry(rev, &ctx->__revocables, __node) {
		/*
		 * This fails only for entries whose last reference another task is
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
 * The condition of a wait. Returns true when @rev is an entry to revoke, or when no entry is left
 * and @rev is NULL. Entries without a reference stay on the list. For each of them, a task takes
 * the entry off, or restores the reference and calls drm_dev_ctx_revocable_retry().
 */
static bool drm_dev_ctx_revokes(struct drm_dev_ctx *ctx, struct drm_dev_ctx_revocable **rev)
{
	*rev = drm_dev_ctx_next_revocable(ctx);
	return *rev || drm_dev_ctx_all_ended(ctx);
}

/*
 * The condition of a wait. Returns true when @rev is an entry to revoke that comes first, or when
 * no such entry is left and @rev is NULL. Does not wait for entries without a reference.
 */
static bool drm_dev_ctx_revokes_first(struct drm_dev_ctx *ctx, struct drm_dev_ctx_revocable **rev)
{
	struct drm_dev_ctx_revocable *entry;

	*rev = NULL;
	guard(spinlock)(&ctx->__revocables_lock);
	ctx->__first_over = true;
	/* Another task is revoking an entry. */
	if (ctx->__revoking)
		return false;
	list_for_each_entry(entry, &ctx->__revocables, __node) {
		/* The entries that come first are in front of all others. */
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
 * Reports an entry that comes first and is still in use, and puts it back on the list, behind the
 * others that come first. Returns the number of these others.
 */
static size_t drm_dev_ctx_keep_first(struct drm_dev_ctx *ctx)
{
	struct drm_dev_ctx_revocable *entry;
	size_t others = 0;

	guard(spinlock)(&ctx->__revocables_lock);
	if (!ctx->__first_kept)
		drm_warn(&ctx->drm, "the system goes down: quiesce stops waiting for importers\n");
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
 * Revokes the entries that come first. No such entry is added later. Some entries are left only if
 * their users take longer than @timeout jiffies. All users are notified in any case.
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
		/* Kept entries are not tried again, so try at most the others. */
		if (!timeout)
			turns = min(turns, drm_dev_ctx_keep_first(ctx));
		drm_dev_ctx_revoked_first(ctx);
		rev->__ops->put(rev);
	}
}

/* Tells lockdep about the wait, even if there is nothing to wait for this time. */
static void drm_dev_ctx_might_wait_for_ends(struct drm_dev_ctx *ctx)
{
	lock_map_acquire(&ctx->__ends_map);
	lock_map_release(&ctx->__ends_map);
}

static void drm_dev_ctx_revoke_all(struct drm_dev_ctx *ctx)
{
	struct drm_dev_ctx_revocable *rev;

	do {
		/* No entry is added any more, so an empty list stays empty. */
		lock_map_acquire(&ctx->__ends_map);
		wait_event(ctx->__ended, drm_dev_ctx_revokes(ctx, &rev));
		lock_map_release(&ctx->__ends_map);
		if (rev)
			rev->__ops->revoke(rev);
	} while (rev);
}

/* Returns true if there is nothing to revoke, as for most devices. No entry is added then. */
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
 * Revokes all entries, and reports a long wait. This does its own watch: the registration has ended
 * and the token is used up, so no other watch runs.
 */
void drm_dev_ctx_revoke_watched(struct drm_dev_ctx *ctx)
{
	drm_dev_ctx_might_wait_for_ends(ctx);
	if (drm_dev_ctx_has_no_revocable(ctx))
		return;
	WRITE_ONCE(ctx->__revokes, current);
	drm_dev_ctx_watch(ctx, DRM_DEV_CTX_STEP_TABLES);
	/*
	 * This waits for other devices, and @__unbound is not set yet. So imports of this device
	 * can give back their tables meanwhile, even if the other device waits for them here, too.
	 */
	drm_dev_ctx_revoke_all_first(ctx, MAX_SCHEDULE_TIMEOUT);
	drm_dev_ctx_revoke_all(ctx);
	drm_dev_ctx_unwatch(ctx);
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
	 * Check again: since the caller's check, the supplier may have been unbound, which frees
	 * older links. An unbind that begins now waits for the lock in the notifier.
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
	/* The link exists now, so an unbind of the supplier that begins later waits for @dev. */
	ret = ret ?: drm_dev_ctx_check_supplier(dev, supplier, what);
	/*
	 * The link may have existed before, without effect. The core frees such a link together
	 * with the supplier, which stays bound until the lock is released.
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
int drm_dev_ctx_follow(struct device *dev, struct device *supplier, const char *what)
{
	bool waited_for;
	int ret;

	/* A supplier without a driver needs no link. */
	if (supplier == dev || !READ_ONCE(supplier->driver))
		return 0;
	/* Check first: a link that comes too late or too early could not be removed. */
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
	/* A new probe of @dev makes a new link. If @dev is bound, the link has no effect. */
	return device_is_bound(dev) ? -ENODEV : -EPROBE_DEFER;
}

/* Serialises the calls that set @__dma_dev. */
static DEFINE_MUTEX(drm_dev_ctx_settle_lock);

/* Returns whether the DMA device had a driver when it was settled, but has none now. */
bool drm_dev_ctx_dma_dev_is_lost(struct drm_dev_ctx *ctx)
{
	guard(mutex)(&drm_dev_ctx_settle_lock);
	return ctx->__dma_had_driver && !READ_ONCE(ctx->__dma_dev->driver);
}

/**
 * __drm_dev_ctx_refuses_dma_dev() - check whether memory can be mapped for a DMA device
 * @ctx: the contexts of the device
 * @dma_dev: the DMA device
 *
 * Context: Task context. Does not sleep.
 *
 * Return: true, with a report, if another DMA device was settled before. No device link exists for
 * @dma_dev in that case.
 */
bool __drm_dev_ctx_refuses_dma_dev(struct drm_dev_ctx *ctx, const struct device *dma_dev)
{
	/* Unordered: @__dma_dev is set once, and only compared here. */
	const struct device *first = READ_ONCE(ctx->__dma_dev);

	if (!first || likely(first == dma_dev))
		return false;

	if (READ_ONCE(ctx->__registered))
		drm_safe_broken(&ctx->drm, "a DMA device is set before the registration",
				"drm_dev_set_dma_dev() was called after the registration; %s may be unbound first",
				dev_name(dma_dev));
	else
		drm_safe_broken(&ctx->drm, "a DMA device is set before the first sg table",
				"a table or coherent memory is, or was, mapped for %s",
				dev_name(first));
	return true;
}

/* Reports a proof that was kept after the parent was unbound. */
static int drm_dev_ctx_proof_was_kept(struct drm_dev_ctx *ctx)
{
	drm_safe_broken(&ctx->drm, "proofs end with their scope",
			"a proof that the parent is bound was kept after the unbind");
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
 * drm_dev_ctx_revocable_add_held() - add an entry in a task that keeps the parent bound
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
	/* The entries that come first are in front of all others, in no order. */
	if (ops->revoke_first)
		list_add(&rev->__node, &ctx->__revocables);
	else
		list_add_tail(&rev->__node, &ctx->__revocables);
	return 0;
}
EXPORT_SYMBOL_GPL(drm_dev_ctx_revocable_add_held);

/**
 * drm_dev_ctx_revocable_take() - take an entry off the list, in order to end it
 * @ctx: the device to which @rev was added, if it was added
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
 * Return: true if the entry was on the list; false if it was never added, was taken off or revoked
 * before, or is being revoked now.
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
 * Return: false if the parent is unbound, if the revocation of the entries that do not come first
 * has begun, or if drm_dev_ctx_alloc() did not make the device.
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
 * Ends what drm_dev_ctx_revocable_take() and drm_dev_ctx_revocable_hold() began, after the entry
 * was ended, or when the parent need not stay bound any more.
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
	 * unbinding task waits already, or will check again: see revocable-retry.litmus.
	 */
	guard(spinlock)(&ctx->__revocables_lock);
	if (READ_ONCE(ctx->__unbound))
		wake_up(&ctx->__ended);
}
EXPORT_SYMBOL_GPL(drm_dev_ctx_revocable_retry);

/*
 * Returns whether a proof does not come from the device's quiesce step. Reports such a proof,
 * unless it comes from the quiesce step of data that the device refused.
 */
static bool drm_dev_ctx_not_quiescing(struct drm_dev_ctx *ctx, const char *what)
{
	if (drm_dev_ctx_is_unbound(ctx)) {
		drm_dev_ctx_proof_was_kept(ctx);
		return true;
	}
	/* The driver was told that this data is refused. The device needs its exports. */
	if (READ_ONCE(ctx->__step) == DRM_DEV_CTX_STEP_REFUSED)
		return true;
	if (READ_ONCE(ctx->__step) != DRM_DEV_CTX_STEP_QUIESCE) {
		drm_safe_broken(&ctx->drm, "exports end in quiesce",
				"%s() is called while quiesce does not run", what);
		return true;
	}
	return __drm_dev_ctx_check_outside(&ctx->drm, what);
}

/* Returns whether an earlier wait for the users of entries that come first has timed out. */
static bool drm_dev_ctx_has_kept_first(struct drm_dev_ctx *ctx)
{
	guard(spinlock)(&ctx->__revocables_lock);
	return ctx->__first_kept;
}

/**
 * drm_dev_ctx_revoke_first() - revoke the entries that come first, in quiesce
 * @bound: the proof of the quiesce step
 * @what: the function that the driver called, for reports
 *
 * The device will not be registered again, so it takes no more of these entries. If another task
 * is revoking them, this waits for that task. A call outside the quiesce step, and outside of code
 * that quiesce waits for, does nothing and is reported. In the quiesce step of data that the device
 * refused, because it has other data, this does nothing.
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
