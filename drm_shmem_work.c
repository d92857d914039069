// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <kunit/static_stub.h>
#include <kunit/visibility.h>
#include <linux/container_of.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "drm_shmem_internal.h"

/*
 * Work that a caller puts off, because the caller must not wait. Work that other drivers can
 * hold up has separate workqueues, because a workqueue runs a limited number of items at a time.
 * So the end of an object never waits behind work for an exporter, and work that waits for an
 * exporter's lock never waits behind the fences of another one.
 */
static struct workqueue_struct *drm_shmem_wqs[__DRM_SHMEM_QUEUES];

static const char *const drm_shmem_wq_names[] = {
	[__DRM_SHMEM_FENCES] = "drm_shmem_fences",
	[__DRM_SHMEM_ENDS] = "drm_shmem_ends",
	[__DRM_SHMEM_LOCKS] = "drm_shmem_locks",
};

static_assert(ARRAY_SIZE(drm_shmem_wq_names) == __DRM_SHMEM_QUEUES);

/**
 * __drm_shmem_queue() - put work off
 * @queue: the queue for this kind of wait
 * @work: the work item
 *
 * Unloading the library waits for the work.
 *
 * Context: Any.
 *
 * Return: false if @work is queued already.
 */
bool __drm_shmem_queue(enum __drm_shmem_queue queue, struct work_struct *work)
{
	return queue_work(drm_shmem_wqs[queue], work);
}

static void drm_shmem_late_fn(struct work_struct *work)
{
	struct drm_shmem_late *late = container_of(work, struct drm_shmem_late, work);
	struct drm_gem_object *gem = late->gem;
	struct module *owner = drm_dev_ctx_owner(gem->dev);

	drm_gem_resv_lock(gem, false);
	late->locked(late);
	drm_gem_resv_unlock(gem, false);
	kfree(late);
	drm_gem_object_put(gem);
	module_put(owner);
}

/**
 * __drm_shmem_late() - do something with an object under its lock, later
 * @late: first member of a struct with the data for the work, allocated with kmalloc() or the like;
 *	freed after the work
 * @gem: any object
 * @locked: called under the lock
 *
 * For a task that must not wait for the lock, or was killed. Other drivers can hold the lock for
 * long: the exporter of an import, or the importers of an export. The object is published, so its
 * lock does not change. The work has a reference to the object and one to the driver's module.
 *
 * Context: Any.
 *
 * Return: false if the driver is being unloaded, or the object ends, in which case the caller still
 * has @late.
 */
bool __drm_shmem_late(struct drm_shmem_late *late, struct drm_gem_object *gem,
		      void (*locked)(struct drm_shmem_late *late))
{
	struct module *owner = drm_dev_ctx_owner(gem->dev);

	if (!try_module_get(owner))
		return false;
	if (!drm_gem_object_get_unless_zero(gem)) {
		module_put(owner);
		return false;
	}
	late->gem = gem;
	late->locked = locked;
	INIT_WORK(&late->work, drm_shmem_late_fn);
	__drm_shmem_queue(__DRM_SHMEM_LOCKS, &late->work);
	return true;
}

/**
 * __drm_shmem_lock_unless_killed() - take the reservation lock, if the task may wait for it
 * @gem: any object
 *
 * An exiting task no longer has a fatal signal pending, but still closes its files, so check for
 * PF_EXITING, too.
 *
 * Context: May sleep.
 *
 * Return: whether the lock was taken.
 */
bool __drm_shmem_lock_unless_killed(struct drm_gem_object *gem)
	__context_unsafe("a lock that is tried, or taken")
{
	if (current->flags & PF_EXITING)
		return dma_resv_trylock(gem->resv);
	return !drm_resv_lock_how(gem->resv, DRM_RESV_LOCKS_KILLABLE);
}

#if IS_ENABLED(CONFIG_KUNIT)
/* Waits until the objects that have ended have also released the references that they held. */
void drm_shmem_flush_work(void)
{
	/* Twice: ending an object can put an import, and ending the import can put an object. */
	for (int i = 0; i < 2 * __DRM_SHMEM_QUEUES; i++)
		flush_workqueue(drm_shmem_wqs[i % __DRM_SHMEM_QUEUES]);
}
EXPORT_SYMBOL_IF_KUNIT(drm_shmem_flush_work);
#endif

/* Waits for the ends of objects, whose drivers may be gone by now. */
void __drm_shmem_work_exit(void)
{
	for (int i = 0; i < __DRM_SHMEM_QUEUES; i++)
		if (drm_shmem_wqs[i])
			destroy_workqueue(drm_shmem_wqs[i]);
}

int __init __drm_shmem_work_init(void)
{
	for (int i = 0; i < __DRM_SHMEM_QUEUES; i++) {
		drm_shmem_wqs[i] = alloc_workqueue("%s", WQ_UNBOUND, 0, drm_shmem_wq_names[i]);
		if (!drm_shmem_wqs[i]) {
			__drm_shmem_work_exit();
			return -ENOMEM;
		}
	}
	return 0;
}
