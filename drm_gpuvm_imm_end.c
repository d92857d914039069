// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The end of references and address spaces. Updates leave vm_bos and VAs behind, since
 * the fence signalling path cannot sleep. A work item of the address space cleans
 * them up, or the task that ends the core.
 */

#include <linux/export.h>
#include <linux/lockdep.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

#include <drm/drm_drv.h>

#include "drm_gpuvm_imm_internal.h"
#include "drm_gpuvm_imm_trace.h"

static struct workqueue_struct *drm_gpuvm_imm_wq;

/*
 * struct drm_gpuvm_cleaner - a task that cleans up an address space
 *
 * On the stack of a task while that calls the driver's va_put and bo_fini and puts
 * objects. Any of these can end an address space.
 *
 * Invariant: no task waits for a clean-up while it is in a list of these. So no two
 * clean-ups wait for each other, and none for itself.
 */
struct drm_gpuvm_cleaner {
	struct list_head node;
	struct task_struct *task;
};

static DEFINE_SPINLOCK(drm_gpuvm_cleaners_lock);
static __guarded_by(&drm_gpuvm_cleaners_lock) LIST_HEAD(drm_gpuvm_cleaners);

/* To lockdep, a clean-up is a lock that cleaners share and that others wait for. */
#ifdef CONFIG_LOCKDEP
static struct lockdep_map drm_gpuvm_cleaners_map =
	STATIC_LOCKDEP_MAP_INIT("drm_gpuvm_cleaners", &drm_gpuvm_cleaners_map);
#endif

static void drm_gpuvm_cleaner_enter(struct drm_gpuvm_cleaner *self)
{
	self->task = current;
	scoped_guard(spinlock, &drm_gpuvm_cleaners_lock)
		list_add(&self->node, &drm_gpuvm_cleaners);
	lock_map_acquire_read(&drm_gpuvm_cleaners_map);
}

static void drm_gpuvm_cleaner_leave(struct drm_gpuvm_cleaner *self)
{
	lock_map_release(&drm_gpuvm_cleaners_map);
	guard(spinlock)(&drm_gpuvm_cleaners_lock);
	list_del(&self->node);
}

static bool drm_gpuvm_is_cleaner(void)
{
	struct drm_gpuvm_cleaner *each;

	guard(spinlock)(&drm_gpuvm_cleaners_lock);
	list_for_each_entry(each, &drm_gpuvm_cleaners, node) {
		if (each->task == current)
			return true;
	}

	return false;
}

/* Have lockdep see that this task is about to wait for cleaners. */
static void drm_gpuvm_might_wait_for_cleaners(void)
{
	lock_map_acquire(&drm_gpuvm_cleaners_map);
	lock_map_release(&drm_gpuvm_cleaners_map);
}

/* Put what the driver's data of dead VAs holds. */
static void drm_gpuvm_imm_put_dead(struct drm_gpuvm_imm *vm)
{
	struct drm_gpuva *va;
	LIST_HEAD(dead);

	if (!vm->va_counted)
		return;

	scoped_guard(spinlock, &vm->pool_lock)
		list_splice_init(&vm->dead, &dead);
	list_for_each_entry(va, &dead, rb.entry)
		vm->ops->va_put(va);
	drm_gpuvm_imm_recycle(vm, &dead);
}

/*
 * Clean up all vm_bos and VAs that were left behind before the call. The caller holds a
 * reference. Two tasks can do so at once: each takes the ones that it finds.
 */
static void drm_gpuvm_imm_clean(struct drm_gpuvm_imm *vm)
{
	struct drm_gpuvm_cleaner self;

	trace_drm_gpuvm_drain(vm);
	drm_gpuvm_cleaner_enter(&self);
	drm_gpuvm_imm_put_dead(vm);
	drm_gpuvm_bo_deferred_cleanup(&vm->base);
	drm_gpuvm_cleaner_leave(&self);
}

/*
 * Put the reference of a drain. True if it is the last one, which then is the
 * caller's. drm_gpuvm_imm_end() sees both changes or none, since it looks under the same
 * lock. That is not one of the address space, which can be gone right after this.
 */
static bool drm_gpuvm_imm_drained(struct drm_gpuvm_imm *vm)
{
	void *waited_for = &vm->drains;
	bool last;

	scoped_guard(spinlock, &drm_gpuvm_cleaners_lock) {
		atomic_dec(&vm->drains);
		last = !refcount_dec_not_one(&vm->base.kref.refcount);
	}
	/* A task that saw a drain under the lock is in the queue already, which is seen here. */
	wake_up_var(waited_for);

	return last;
}

void drm_gpuvm_imm_drain(struct work_struct *work)
{
	struct drm_gpuvm_imm *vm = container_of(work, struct drm_gpuvm_imm, drain);

	drm_gpuvm_imm_clean(vm);
	drm_gpuvm_pool_trim(vm);
	if (drm_gpuvm_imm_drained(vm))
		drm_gpuvm_put(&vm->base);
}

/* @vm_free of the core, by the invariants where sleeping is allowed */
void drm_gpuvm_imm_vm_free(struct drm_gpuvm *gpuvm)
{
	struct drm_gpuvm_imm *vm = to_drm_gpuvm_imm(gpuvm);
	struct drm_gem_object *resv_obj = vm->resv_obj;
	struct drm_device *drm = gpuvm->drm;

	might_sleep();
	drm_gpuvm_pool_free(vm, 0);
	/* Nobody else has the address space any more. */
	kvfree(context_unsafe(vm->pool));
	mutex_destroy(&vm->evict_lock);
	kfree_const(vm->name);
	kfree(vm);
	drm_gem_object_put(resv_obj);
	/* The core puts its own before or after this: 7.3 after. */
	drm_dev_put(drm);
}

/* The drain is queued already: one less, of which the caller has the reference. */
static void drm_gpuvm_imm_undrain(struct drm_gpuvm_imm *vm)
{
	atomic_dec(&vm->drains);
	/* Pairs with the one of wait_var_event(): it sees no drain, or is woken up. */
	smp_mb__after_atomic();
	wake_up_var(&vm->drains);
}

/*
 * Give a reference to the drain, which cleans up what the caller left behind. If the
 * drain is queued already, with a reference of its own, it sees that too, and the
 * caller's is put. It can be the last one if the drain ran meanwhile.
 */
void drm_gpuvm_imm_put_and_drain(struct drm_gpuvm_imm *vm)
	__drm_nonallocating
{
	drm_safe_trusted(atomic_inc(&vm->drains));
	if (queue_work(drm_gpuvm_imm_wq, &vm->drain))
		return;

	drm_safe_trusted(drm_gpuvm_imm_undrain(vm));
	drm_gpuvm_imm_put(vm);
}

/**
 * drm_gpuvm_imm_put() - put a reference to an address space
 * @vm: the address space, or NULL
 *
 * Context: Any thread, also in the fence signalling path. What the last reference
 * holds, like the device, is released by a work item.
 */
void drm_gpuvm_imm_put(struct drm_gpuvm_imm *vm)
	__drm_nonallocating
{
	bool put;

	if (!vm)
		return;

	drm_safe_trusted(put = refcount_dec_not_one(&vm->base.kref.refcount));
	if (!put)
		drm_gpuvm_imm_put_and_drain(vm);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_put);

static bool drm_gpuvm_imm_has_no_drain(struct drm_gpuvm_imm *vm)
{
	/* See drm_gpuvm_imm_drained(). */
	guard(spinlock)(&drm_gpuvm_cleaners_lock);

	return !atomic_read(&vm->drains);
}

/* Wait for other cleaners of @vm, unless somebody may be waiting for this task. */
static void drm_gpuvm_imm_wait_for_drain(struct drm_gpuvm_imm *vm)
{
	if (drm_gpuvm_is_cleaner())
		return;

	drm_gpuvm_might_wait_for_cleaners();
	wait_var_event(&vm->drains, drm_gpuvm_imm_has_no_drain(vm));
}

/*
 * Put the reference of the core, which is gone. If nobody else but drains has one,
 * nothing is left when this returns.
 */
void drm_gpuvm_imm_end(struct drm_gpuvm_imm *vm)
{
	/* Also if nothing is to be cleaned up: the caller holds no reservation lock. */
	might_lock(&drm_gpuvm_resv(&vm->base)->lock.base);

	do {
		/* This task does what a drain that has not started would do. */
		if (cancel_work(&vm->drain))
			WARN_ON_ONCE(drm_gpuvm_imm_drained(vm));
		drm_gpuvm_imm_clean(vm);
		drm_gpuvm_imm_wait_for_drain(vm);
	} while (work_pending(&vm->drain));

	/*
	 * Others can hold the address space for long, but prepare little any more. No smaller
	 * array: that is an allocation, and memory reclaim may wait for this task.
	 */
	drm_gpuvm_pool_free(vm, DRM_GPUVM_POOL_MIN);
	drm_gpuvm_put(&vm->base);
}

/**
 * drm_gpuvm_imm_flush() - wait until what was dropped is gone
 *
 * Updates and references that were dropped before the call hold no memory, no
 * object and no device when it returns, if they were the last that did. Only
 * tests and the end of a module need this. It waits for every address space of
 * every driver.
 *
 * Context: May sleep. The caller holds no reservation lock, and is not called from
 * va_put, bo_fini or the end of an object: these are what it waits for.
 */
void drm_gpuvm_imm_flush(void)
{
	if (drm_gpuvm_is_cleaner()) {
		drm_safe_broken(NULL, "a clean-up does not wait for itself",
				"a flush was asked for in va_put, bo_fini or the end of an object");
		return;
	}

	drm_gpuvm_might_wait_for_cleaners();
	/* The second round is for what the first one put last. */
	flush_workqueue(drm_gpuvm_imm_wq);
	flush_workqueue(drm_gpuvm_imm_wq);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_flush);

int __init drm_gpuvm_imm_wq_init(void)
{
	drm_gpuvm_imm_wq = alloc_workqueue("drm_gpuvm_imm", WQ_UNBOUND, 0);

	return drm_gpuvm_imm_wq ? 0 : -ENOMEM;
}

void drm_gpuvm_imm_wq_exit(void)
{
	destroy_workqueue(drm_gpuvm_imm_wq);
}
