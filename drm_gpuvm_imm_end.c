// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The end of references and address spaces. Code in the fence signalling path must not free
 * vm_bos and VAs, so updates leave them behind. A work item of the address space, the drain,
 * frees them, or the task that ends the core does.
 */

#include <linux/export.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <drm/drm_drv.h>

#include <kunit/visibility.h>

#include "drm_gpuvm_imm_internal.h"

#define CREATE_TRACE_POINTS
#include "drm_gpuvm_imm_trace.h"

/* The test suites use these. */
EXPORT_TRACEPOINT_SYMBOL_GPL(drm_gpuvm_imm_prepare);
EXPORT_TRACEPOINT_SYMBOL_GPL(drm_gpuvm_imm_run);
EXPORT_TRACEPOINT_SYMBOL_GPL(drm_gpuvm_imm_rollback);
EXPORT_TRACEPOINT_SYMBOL_GPL(drm_gpuvm_imm_step);
EXPORT_TRACEPOINT_SYMBOL_GPL(drm_gpuvm_imm_drain);

static struct workqueue_struct *drm_gpuvm_imm_wq;

/*
 * struct drm_gpuvm_imm_cleaner - a task that cleans up an address space
 *
 * A cleaner is on the stack of a task while that task calls the driver's va_put and bo_fini, and
 * puts objects or an address space. Putting an address space also puts an object and the device.
 * Any of these calls can end another address space.
 *
 * A cleaner can queue drains. A flush also waits for these drains, but not for drains that other
 * tasks queue meanwhile, because then it might never end. Eras tell them apart. Each flush
 * begins an era, and a cleaner belongs to the era in which it begins. But if a cleaner of an
 * older era has queued the drain, or if the clean-up runs inside a cleaner of an older era, the
 * new cleaner belongs to that older era.
 *
 * Invariants:
 *
 * - No task waits for a clean-up while it is in the list of cleaners. So no two clean-ups wait for
 *   each other, and none waits for itself.
 * - As long as the library may call the driver for an address space, the address space is in the
 *   list of all address spaces, or a task that cleans it up is in the list of cleaners.
 * - A drain is in the list of cleaners when it queues other drains. drm_gpuvm_imm_inherited counts
 *   the drains that cleaners of an older era than the current one have queued.
 */
struct drm_gpuvm_imm_cleaner {
	struct list_head node;
	struct task_struct *task;
	const struct drm_gpuvm_imm_type *type;	/* of the address space, which may be gone */
	const struct drm_driver *driver;
	unsigned long era;
	bool queued;		/* this, or a cleaner inside of it, has queued a drain */
};

static DEFINE_SPINLOCK(drm_gpuvm_imm_cleaners_lock);
static __guarded_by(&drm_gpuvm_imm_cleaners_lock) LIST_HEAD(drm_gpuvm_imm_cleaners);
static __guarded_by(&drm_gpuvm_imm_cleaners_lock) unsigned long drm_gpuvm_imm_era;
static __guarded_by(&drm_gpuvm_imm_cleaners_lock) unsigned long drm_gpuvm_imm_inherited;

/* Protects the list of all address spaces, and keeps them while debugfs looks at them. */
DEFINE_MUTEX(drm_gpuvm_imm_all_lock);
LIST_HEAD(drm_gpuvm_imm_all);

/* Flushes take turns: the era belongs to the flush that holds the lock. */
static DEFINE_MUTEX(drm_gpuvm_imm_flush_lock);

/* To lockdep, a clean-up is a lock that cleaners share and that other tasks wait for. */
#ifdef CONFIG_LOCKDEP
static struct lockdep_map drm_gpuvm_imm_cleaners_map =
	STATIC_LOCKDEP_MAP_INIT("drm_gpuvm_imm_cleaners", &drm_gpuvm_imm_cleaners_map);
#endif

/* Returns the innermost cleaner of this task, or NULL. */
static struct drm_gpuvm_imm_cleaner *drm_gpuvm_imm_current_cleaner(void)
	__must_hold(&drm_gpuvm_imm_cleaners_lock) __drm_nonallocating
{
	struct drm_gpuvm_imm_cleaner *each;

	list_for_each_entry(each, &drm_gpuvm_imm_cleaners, node) {
		if (each->task == current)
			return each;
	}

	return NULL;
}

/*
 * Returns the era of a cleaner that begins. If the drain has been queued again, @drain_era stays,
 * because the newly queued drain may be the one that inherited this era.
 */
static unsigned long drm_gpuvm_imm_begin_in_era(struct drm_gpuvm_imm *vm)
	__must_hold(&drm_gpuvm_imm_cleaners_lock)
{
	struct drm_gpuvm_imm_cleaner *outer = drm_gpuvm_imm_current_cleaner();
	unsigned long era = min(vm->drain_era, drm_gpuvm_imm_era);

	if (!work_pending(&vm->drain))
		vm->drain_era = DRM_GPUVM_IMM_NO_ERA;

	return outer ? min(era, outer->era) : era;
}

static void drm_gpuvm_imm_cleaner_enter(struct drm_gpuvm_imm_cleaner *self,
					struct drm_gpuvm_imm *vm)
{
	self->task = current;
	self->queued = false;
	self->type = vm->type;
	self->driver = vm->base.drm->driver;
	scoped_guard(spinlock, &drm_gpuvm_imm_cleaners_lock) {
		self->era = drm_gpuvm_imm_begin_in_era(vm);
		list_add(&self->node, &drm_gpuvm_imm_cleaners);
	}
	lock_map_acquire_read(&drm_gpuvm_imm_cleaners_map);
}

static void drm_gpuvm_imm_cleaner_leave(struct drm_gpuvm_imm_cleaner *self)
{
	struct drm_gpuvm_imm_cleaner *outer;

	lock_map_release(&drm_gpuvm_imm_cleaners_map);
	guard(spinlock)(&drm_gpuvm_imm_cleaners_lock);
	list_del(&self->node);
	outer = drm_gpuvm_imm_current_cleaner();
	if (outer)
		outer->queued |= self->queued;
}

/* The end of the address space takes it off the list. */
void drm_gpuvm_imm_add(struct drm_gpuvm_imm *vm)
{
	guard(mutex)(&drm_gpuvm_imm_all_lock);
	list_add_tail(&vm->node, &drm_gpuvm_imm_all);
}

static void drm_gpuvm_imm_del(struct drm_gpuvm_imm *vm)
{
	guard(mutex)(&drm_gpuvm_imm_all_lock);
	list_del(&vm->node);
}

static bool drm_gpuvm_imm_is_cleaner(void)
{
	guard(spinlock)(&drm_gpuvm_imm_cleaners_lock);

	return drm_gpuvm_imm_current_cleaner();
}

static void drm_gpuvm_imm_begin_era(void)
{
	guard(spinlock)(&drm_gpuvm_imm_cleaners_lock);
	drm_gpuvm_imm_era++;
}

static unsigned long drm_gpuvm_imm_count_inherited(void)
{
	guard(spinlock)(&drm_gpuvm_imm_cleaners_lock);

	return drm_gpuvm_imm_inherited;
}

/*
 * If this task is a cleaner, the drain that it is about to queue inherits its era. The caller
 * queues the drain under the lock, so the drain sees this when it begins.
 */
static void drm_gpuvm_imm_inherit_era(struct drm_gpuvm_imm *vm)
	__must_hold(&drm_gpuvm_imm_cleaners_lock) __drm_nonallocating
{
	struct drm_gpuvm_imm_cleaner *self = drm_gpuvm_imm_current_cleaner();

	if (!self)
		return;
	self->queued = true;
	vm->drain_era = min(vm->drain_era, self->era);
	if (self->era != drm_gpuvm_imm_era)
		drm_gpuvm_imm_inherited++;
}

static bool drm_gpuvm_imm_queue_drain(struct drm_gpuvm_imm *vm)
	__drm_nonallocating
{
	bool queued;

	/* A cleaner sees itself in the list. */
	if (likely(context_unsafe(list_empty(&drm_gpuvm_imm_cleaners))))
		return queue_work(drm_gpuvm_imm_wq, &vm->drain);

	drm_safe_trusted(spin_lock(&drm_gpuvm_imm_cleaners_lock));
	drm_gpuvm_imm_inherit_era(vm);
	queued = queue_work(drm_gpuvm_imm_wq, &vm->drain);
	drm_safe_trusted(spin_unlock(&drm_gpuvm_imm_cleaners_lock));

	return queued;
}

/* Tells lockdep that this task is about to wait for cleaners. */
static void drm_gpuvm_imm_might_wait_for_cleaners(void)
{
	lock_map_acquire(&drm_gpuvm_imm_cleaners_map);
	lock_map_release(&drm_gpuvm_imm_cleaners_map);
}

/* Puts the references that the driver's data of dead VAs holds. */
static void drm_gpuvm_imm_put_dead(struct drm_gpuvm_imm *vm)
{
	struct drm_gpuva *va;
	LIST_HEAD(dead);

	if (!vm->va_counted)
		return;

	scoped_guard(spinlock, &vm->pool_lock) {
		if (vm->dead)
			list_add_tail(&dead, vm->dead);
		vm->dead = NULL;
	}
	list_for_each_entry(va, &dead, drm_gpuva_link_entry)
		vm->type->va_put(va);
	drm_gpuvm_imm_recycle(vm, &dead);
}

/*
 * Cleans up all vm_bos and VAs that were left behind before the call. The caller holds a reference,
 * and is a cleaner. Two tasks can do this at the same time: each cleans up the ones that it finds.
 */
static void drm_gpuvm_imm_clean(struct drm_gpuvm_imm *vm)
{
	trace_drm_gpuvm_imm_drain(vm);
	drm_gpuvm_imm_put_dead(vm);
	drm_gpuvm_bo_deferred_cleanup(&vm->base);
}

/* This may put the last reference to the address space: see vm-put.litmus. */
void drm_gpuvm_imm_drain(struct work_struct *work)
{
	struct drm_gpuvm_imm *vm = container_of(work, struct drm_gpuvm_imm, drain);
	struct drm_gpuvm_imm_cleaner self;

	drm_gpuvm_imm_cleaner_enter(&self, vm);
	/* The workqueue code has a barrier before this: see vm-drain.litmus. */
	drm_gpuvm_imm_clean(vm);
	drm_gpuvm_imm_pool_trim(vm);
	drm_gpuvm_put(&vm->base);
	drm_gpuvm_imm_cleaner_leave(&self);
}

/*
 * The vm_free callback of the core. By the invariants, only a cleaner gets here, and it
 * may sleep. Other tasks can only get here if they use functions of the core to put
 * references that the library counts.
 */
void drm_gpuvm_imm_vm_free(struct drm_gpuvm *gpuvm)
{
	struct drm_gpuvm_imm *vm = to_drm_gpuvm_imm(gpuvm);
	struct drm_device *drm = gpuvm->drm;
	int left;

	if (unlikely(!drm_gpuvm_imm_is_cleaner()))
		drm_safe_broken(drm, "a clean-up puts the last reference to an address space",
				"%s: call drm_gpuvm_imm_put() or drm_gpuvm_imm_bo_put(), not the core's functions",
				vm->name);

	/* From here on, only the list of cleaners shows that the driver is still needed. */
	drm_gpuvm_imm_del(vm);
	drm_gpuvm_imm_pool_free(vm, 0);
	/* No other task has the address space any more. */
	kvfree(context_unsafe(vm->pool));
	/* Unlocked, too. All allocations and frees of VAs must have been counted. */
	left = context_unsafe(vm->vas_left);
	WARN_ON_ONCE(left != vm->max_vas - drm_gpuvm_imm_unmap_vas(vm));
	mutex_destroy(&vm->evict_lock);
	kfree_const(vm->name);
	kfree(vm);
	/* The core may put its own reference to the device before this, or after. */
	drm_dev_put(drm);
}

/*
 * Passes the caller's reference to the drain, which cleans up the caller's VAs and vm_bos. If the
 * drain is queued already, it has a reference of its own and will see them, so this puts the
 * caller's reference. If the drain has run in between, this can be the last reference. If
 * drm_gpuvm_imm_end() is cancelling the drain, then that function sees them, and still holds the
 * core's reference.
 */
void drm_gpuvm_imm_put_and_drain(struct drm_gpuvm_imm *vm)
	__drm_nonallocating
{
	/*
	 * queue_work() guarantees no ordering if it returns false. With this barrier, a drain that
	 * was queued before sees the caller's VAs and vm_bos: see vm-drain.litmus.
	 */
	smp_mb();
	if (!drm_gpuvm_imm_queue_drain(vm))
		drm_gpuvm_imm_put(vm);
}

/**
 * drm_gpuvm_imm_put() - put a reference to an address space
 * @vm: the address space, or NULL
 *
 * Context: Any thread, also in the fence signalling path. A work item releases the device and the
 * memory when the last reference was put.
 */
void drm_gpuvm_imm_put(struct drm_gpuvm_imm *vm)
	__drm_nonallocating
{
	bool put;

	if (!vm)
		return;

	drm_safe_trusted(put = drm_gpuvm_put_unless_last(&vm->base));
	if (!put)
		drm_gpuvm_imm_put_and_drain(vm);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_put);

/*
 * Cancels a drain that has not started, and waits for a running drain, unless this task is a
 * cleaner, for which other tasks may be waiting. Never waits for a worker to start the drain,
 * because a new worker may need memory that this task is about to free. Returns true if a drain
 * was cancelled, in which case the caller takes over its reference.
 */
static bool drm_gpuvm_imm_cancel_drain(struct drm_gpuvm_imm *vm)
{
	if (drm_gpuvm_imm_is_cleaner())
		return cancel_work(&vm->drain);

	drm_gpuvm_imm_might_wait_for_cleaners();

	return cancel_work_sync(&vm->drain);
}

/*
 * Does the work of a drain that has not started. Cancelling the drain comes first, so that the
 * clean-up sees everything that was left for that drain, also by tasks that could not queue it
 * again. If the clean-up itself leaves more behind, this repeats the clean-up. Whatever other
 * tasks leave behind later is left to the drain, because they might go on forever.
 */
static void drm_gpuvm_imm_clean_all(struct drm_gpuvm_imm *vm)
{
	struct drm_gpuvm_imm_cleaner self;

	do {
		/* This is not the last reference, since the core's reference still exists. */
		if (drm_gpuvm_imm_cancel_drain(vm))
			drm_gpuvm_put(&vm->base);
		drm_gpuvm_imm_cleaner_enter(&self, vm);
		drm_gpuvm_imm_clean(vm);
		drm_gpuvm_imm_cleaner_leave(&self);
	} while (self.queued);
}

/*
 * Puts the reference of the core, which has been given up. If only drains have other
 * references, nothing is left when this returns.
 */
void drm_gpuvm_imm_end(struct drm_gpuvm_imm *vm)
{
	struct drm_gpuvm_imm_cleaner self;

	/*
	 * Tell lockdep even if no clean-up is needed: the caller must hold no reservation
	 * lock.
	 */
	drm_resv_might_lock(drm_gpuvm_resv(&vm->base));

	drm_gpuvm_imm_clean_all(vm);
	/*
	 * Other tasks can hold the address space for long, but prepare few updates any more,
	 * so free spare VAs. Keep the array: a smaller one would be an allocation, and memory
	 * reclaim may wait for this task.
	 */
	drm_gpuvm_imm_pool_free(vm, DRM_GPUVM_IMM_POOL_MIN);

	drm_gpuvm_imm_cleaner_enter(&self, vm);
	drm_gpuvm_put(&vm->base);
	drm_gpuvm_imm_cleaner_leave(&self);
}

/**
 * drm_gpuvm_imm_flush() - wait until everything that was dropped is gone
 *
 * When this returns, updates and references that were dropped before the call no longer hold
 * memory, objects or devices. This waits for the drains of all address spaces of all drivers,
 * for the drains that these drains queue, and so on. It waits neither for a clean-up that
 * another task has begun in drm_gpuvm_imm_fini(), nor for anything that is dropped after the
 * call. So it ends even if other tasks keep dropping updates.
 *
 * A driver need not call this to protect the code of its module: the library flushes between the
 * exit function and the release of the memory of the module that contains the &struct drm_driver
 * or the type. A driver must call this if its exit function destroys something that va_put,
 * bo_fini or the end of an object use, such as a slab cache, or if these call functions of
 * another module through pointers. Tests call it before they check for leaks.
 *
 * Context: May sleep. The caller holds no reservation lock. Not from va_put, bo_fini, the end of an
 * object or the release of the device, because this waits for these.
 */
void drm_gpuvm_imm_flush(void)
{
	unsigned long inherited;

	if (drm_gpuvm_imm_is_cleaner()) {
		drm_safe_broken(NULL, "a clean-up does not wait for itself",
				"the call is in va_put, in bo_fini, or at the end of an object or device");
		return;
	}

	drm_gpuvm_imm_might_wait_for_cleaners();
	guard(mutex)(&drm_gpuvm_imm_flush_lock);
	flush_workqueue(drm_gpuvm_imm_wq);
	/*
	 * The drains that were queued before the call have ended in an older era, and those that
	 * they queued inherit it.
	 */
	drm_gpuvm_imm_begin_era();
	do {
		inherited = drm_gpuvm_imm_count_inherited();
		flush_workqueue(drm_gpuvm_imm_wq);
	} while (drm_gpuvm_imm_count_inherited() != inherited);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_flush);

static bool drm_gpuvm_imm_is_of_module(const struct drm_gpuvm_imm_type *type,
				       const struct drm_driver *driver,
				       const struct module *module)
{
	return within_module((unsigned long)type, module) ||
	       within_module((unsigned long)driver, module);
}

/*
 * Returns whether an address space of a driver in @module exists or is being cleaned up. Only
 * compares addresses, because the modules of other drivers may be gone.
 */
static bool drm_gpuvm_imm_needs_module(const struct module *module)
{
	struct drm_gpuvm_imm_cleaner *cleaner;
	struct drm_gpuvm_imm *vm;

	/* Whatever leaves the list of all leaves the list of cleaners later. */
	guard(mutex)(&drm_gpuvm_imm_all_lock);
	list_for_each_entry(vm, &drm_gpuvm_imm_all, node)
		if (drm_gpuvm_imm_is_of_module(vm->type, vm->base.drm->driver, module))
			return true;
	guard(spinlock)(&drm_gpuvm_imm_cleaners_lock);
	list_for_each_entry(cleaner, &drm_gpuvm_imm_cleaners, node)
		if (drm_gpuvm_imm_is_of_module(cleaner->type, cleaner->driver, module))
			return true;
	return false;
}

/*
 * The exit function of a module has returned, and the memory of the module is still there.
 * Clean-ups call va_put, bo_fini and the functions that end objects, which may be in that memory.
 * The modules that the driver's module depends on are unloaded later. Most modules have no address
 * spaces, and so do not wait for the address spaces of other modules.
 */
VISIBLE_IF_KUNIT int drm_gpuvm_imm_module_event(struct notifier_block *nb,
						unsigned long state, void *module)
{
	if (state == MODULE_STATE_GOING && drm_gpuvm_imm_needs_module(module))
		drm_gpuvm_imm_flush();

	return NOTIFY_DONE;
}
EXPORT_SYMBOL_IF_KUNIT(drm_gpuvm_imm_module_event);

static struct notifier_block drm_gpuvm_imm_module_nb = {
	.notifier_call = drm_gpuvm_imm_module_event,
};

int __init drm_gpuvm_imm_wq_init(void)
{
	int ret;

	drm_gpuvm_imm_wq = alloc_workqueue("drm_gpuvm_imm", WQ_UNBOUND, 0);
	if (!drm_gpuvm_imm_wq)
		return -ENOMEM;

	ret = register_module_notifier(&drm_gpuvm_imm_module_nb);
	if (ret)
		destroy_workqueue(drm_gpuvm_imm_wq);

	return ret;
}

void drm_gpuvm_imm_wq_exit(void)
{
	unregister_module_notifier(&drm_gpuvm_imm_module_nb);
	destroy_workqueue(drm_gpuvm_imm_wq);
}
