// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The end of references and address spaces. Updates leave vm_bos and VAs behind, since
 * the fence signalling path cannot sleep. A work item of the address space cleans
 * them up, or the task that ends the core.
 */

#include <linux/export.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <drm/drm_drv.h>

#include <kunit/visibility.h>

#include "drm_gpuvm_imm_internal.h"
#include "drm_gpuvm_imm_trace.h"

static struct workqueue_struct *drm_gpuvm_imm_wq;

/*
 * struct drm_gpuvm_imm_cleaner - a task that cleans up an address space
 *
 * On the stack of a task while that calls the driver's va_put and bo_fini and puts
 * objects, or an address space, which puts an object and the device. Any of these can end
 * an address space.
 *
 * Invariants:
 *
 * - No task waits for a clean-up while it is in a list of these. So no two clean-ups
 *   wait for each other, and none for itself.
 * - A drain is in the list when it queues others, and leaves it with its last step.
 *   drm_gpuvm_imm_cleaners_left counts those that left.
 */
struct drm_gpuvm_imm_cleaner {
	struct list_head node;
	struct task_struct *task;
};

static DEFINE_SPINLOCK(drm_gpuvm_imm_cleaners_lock);
static __guarded_by(&drm_gpuvm_imm_cleaners_lock) LIST_HEAD(drm_gpuvm_imm_cleaners);
static __guarded_by(&drm_gpuvm_imm_cleaners_lock) unsigned long drm_gpuvm_imm_cleaners_left;

/* To lockdep, a clean-up is a lock that cleaners share and that others wait for. */
#ifdef CONFIG_LOCKDEP
static struct lockdep_map drm_gpuvm_imm_cleaners_map =
	STATIC_LOCKDEP_MAP_INIT("drm_gpuvm_imm_cleaners", &drm_gpuvm_imm_cleaners_map);
#endif

static void drm_gpuvm_imm_cleaner_enter(struct drm_gpuvm_imm_cleaner *self)
{
	self->task = current;
	scoped_guard(spinlock, &drm_gpuvm_imm_cleaners_lock)
		list_add(&self->node, &drm_gpuvm_imm_cleaners);
	lock_map_acquire_read(&drm_gpuvm_imm_cleaners_map);
}

static void drm_gpuvm_imm_cleaner_leave(struct drm_gpuvm_imm_cleaner *self)
{
	lock_map_release(&drm_gpuvm_imm_cleaners_map);
	guard(spinlock)(&drm_gpuvm_imm_cleaners_lock);
	list_del(&self->node);
	drm_gpuvm_imm_cleaners_left++;
}

static unsigned long drm_gpuvm_imm_count_left_cleaners(void)
{
	guard(spinlock)(&drm_gpuvm_imm_cleaners_lock);

	return drm_gpuvm_imm_cleaners_left;
}

static bool drm_gpuvm_imm_is_cleaner(void)
{
	struct drm_gpuvm_imm_cleaner *each;

	guard(spinlock)(&drm_gpuvm_imm_cleaners_lock);
	list_for_each_entry(each, &drm_gpuvm_imm_cleaners, node) {
		if (each->task == current)
			return true;
	}

	return false;
}

/* Have lockdep see that this task is about to wait for cleaners. */
static void drm_gpuvm_imm_might_wait_for_cleaners(void)
{
	lock_map_acquire(&drm_gpuvm_imm_cleaners_map);
	lock_map_release(&drm_gpuvm_imm_cleaners_map);
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
	list_for_each_entry(va, &dead, drm_gpuva_link_entry)
		vm->type->va_put(va);
	drm_gpuvm_imm_recycle(vm, &dead);
}

/*
 * Clean up all vm_bos and VAs that were left behind before the call. The caller holds a
 * reference, and is a cleaner. Two tasks can do so at once: each takes the ones that it
 * finds.
 */
static void drm_gpuvm_imm_clean(struct drm_gpuvm_imm *vm)
{
	trace_drm_gpuvm_imm_drain(vm);
	drm_gpuvm_imm_put_dead(vm);
	drm_gpuvm_bo_deferred_cleanup(&vm->base);
}

void drm_gpuvm_imm_drain(struct work_struct *work)
{
	struct drm_gpuvm_imm *vm = container_of(work, struct drm_gpuvm_imm, drain);
	struct drm_gpuvm_imm_cleaner self;

	drm_gpuvm_imm_cleaner_enter(&self);
	drm_gpuvm_imm_clean(vm);
	drm_gpuvm_imm_pool_trim(vm);
	drm_gpuvm_put(&vm->base);
	drm_gpuvm_imm_cleaner_leave(&self);
}

/*
 * @vm_free of the core. By the invariants, a cleaner is here, which may sleep. Other tasks
 * get here by functions of the core that put what the library counts.
 */
void drm_gpuvm_imm_vm_free(struct drm_gpuvm *gpuvm)
{
	struct drm_gpuvm_imm *vm = to_drm_gpuvm_imm(gpuvm);
	struct drm_gem_object *resv_obj = vm->resv_obj;
	struct drm_device *drm = gpuvm->drm;

	if (unlikely(!drm_gpuvm_imm_is_cleaner()))
		drm_safe_broken(drm, "a clean-up puts the last reference to an address space",
				"%s: call drm_gpuvm_imm_put() or drm_gpuvm_imm_bo_put(), not the core's functions",
				vm->name);

	drm_gpuvm_imm_pool_free(vm, 0);
	/* Nobody else has the address space any more. */
	kvfree(context_unsafe(vm->pool));
	mutex_destroy(&vm->evict_lock);
	kfree_const(vm->name);
	kfree(vm);
	drm_gem_object_put(resv_obj);
	/* The core puts its own before or after this: 7.3 after. */
	drm_dev_put(drm);
}

/*
 * Give a reference to the drain, which cleans up what the caller left behind. If the
 * drain is queued already, with a reference of its own, it sees that too, and the
 * caller's is put. It can be the last one if the drain ran meanwhile. If the drain is
 * being cancelled, drm_gpuvm_imm_end() sees it, and still has the core's reference.
 */
void drm_gpuvm_imm_put_and_drain(struct drm_gpuvm_imm *vm)
	__drm_nonallocating
{
	if (!queue_work(drm_gpuvm_imm_wq, &vm->drain))
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

	drm_safe_trusted(put = drm_gpuvm_put_unless_last(&vm->base));
	if (!put)
		drm_gpuvm_imm_put_and_drain(vm);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_put);

/*
 * Take the reference of a drain that has not started, and wait for one that runs, unless
 * somebody may be waiting for this task. Never for one that a worker has yet to start:
 * the new worker may need memory that this task is to free.
 */
static bool drm_gpuvm_imm_cancel_drain(struct drm_gpuvm_imm *vm)
{
	if (drm_gpuvm_imm_is_cleaner())
		return cancel_work(&vm->drain);

	drm_gpuvm_imm_might_wait_for_cleaners();

	return cancel_work_sync(&vm->drain);
}

static bool drm_gpuvm_imm_is_clean(struct drm_gpuvm_imm *vm)
{
	guard(spinlock)(&vm->pool_lock);

	return list_empty(&vm->dead) && !drm_gpuvm_has_deferred(&vm->base);
}

/*
 * This task does what a drain that has not started would do. That is cancelled last: what
 * a task left that could not queue it meanwhile, or that it would have cleaned up, is
 * seen after that.
 */
static void drm_gpuvm_imm_clean_all(struct drm_gpuvm_imm *vm)
{
	struct drm_gpuvm_imm_cleaner self;

	do {
		drm_gpuvm_imm_cleaner_enter(&self);
		drm_gpuvm_imm_clean(vm);
		drm_gpuvm_imm_cleaner_leave(&self);
		/* Not the last reference, since the core's is there still. */
		if (drm_gpuvm_imm_cancel_drain(vm))
			drm_gpuvm_put(&vm->base);
	} while (!drm_gpuvm_imm_is_clean(vm));
}

/*
 * Put the reference of the core, which is gone. If nobody else but drains has one,
 * nothing is left when this returns.
 */
void drm_gpuvm_imm_end(struct drm_gpuvm_imm *vm)
{
	struct drm_gpuvm_imm_cleaner self;

	/* Also if nothing is to be cleaned up: the caller holds no reservation lock. */
	drm_resv_might_lock(drm_gpuvm_resv(&vm->base));

	drm_gpuvm_imm_clean_all(vm);
	/*
	 * Others can hold the address space for long, but prepare little any more. No smaller
	 * array: that is an allocation, and memory reclaim may wait for this task.
	 */
	drm_gpuvm_imm_pool_free(vm, DRM_GPUVM_IMM_POOL_MIN);

	drm_gpuvm_imm_cleaner_enter(&self);
	drm_gpuvm_put(&vm->base);
	drm_gpuvm_imm_cleaner_leave(&self);
}

/**
 * drm_gpuvm_imm_flush() - wait until what was dropped is gone
 *
 * Updates and references that were dropped before the call hold no memory, no
 * object and no device when it returns, if they were the last that did. It waits for every
 * address space of every driver, and for those that these were the last to hold, and so on.
 * What another task has begun to clean up in drm_gpuvm_imm_fini() is that task's.
 *
 * The code of a module needs no call of this, because the library flushes between the
 * module's exit function and the release of its memory. A driver calls this for what the
 * exit function itself takes away and va_put, bo_fini or the end of an object use, such as
 * a slab cache. Tests call it to look at what is left.
 *
 * Context: May sleep. The caller holds no reservation lock, and is not called from
 * va_put, bo_fini, the end of an object or the release of the device: these are what
 * it waits for.
 */
void drm_gpuvm_imm_flush(void)
{
	unsigned long left;

	if (drm_gpuvm_imm_is_cleaner()) {
		drm_safe_broken(NULL, "a clean-up does not wait for itself",
				"a flush was asked for in va_put, bo_fini or the end of an object or device");
		return;
	}

	drm_gpuvm_imm_might_wait_for_cleaners();
	/* A drain can queue others. If none left the list, none was queued when it began. */
	do {
		left = drm_gpuvm_imm_count_left_cleaners();
		flush_workqueue(drm_gpuvm_imm_wq);
	} while (drm_gpuvm_imm_count_left_cleaners() != left);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_flush);

/*
 * The exit function of a module has returned, and the memory of the module is still there.
 * Clean-ups call va_put, bo_fini and the end of objects, which may be in that memory.
 */
VISIBLE_IF_KUNIT int drm_gpuvm_imm_module_event(struct notifier_block *nb,
						unsigned long state, void *module)
{
	if (state == MODULE_STATE_GOING)
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
