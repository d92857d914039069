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
 * Work that a caller puts off, because it must not wait itself. What others can hold up has a
 * workqueue of its own, because a workqueue runs only so many items at a time: the end of an object
 * waits for no exporter, and an exporter's lock is not waited for behind another one's fences.
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
 * @queue: by what the work waits for
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

/* The driver module, whose steps the end of an object calls */
struct module *drm_shmem_owner(const struct drm_device *drm)
{
	KUNIT_STATIC_STUB_REDIRECT(drm_shmem_owner, drm);

	return drm->driver->fops ? drm->driver->fops->owner : NULL;
}
EXPORT_SYMBOL_IF_KUNIT(drm_shmem_owner);

static void drm_shmem_late_fn(struct work_struct *work)
{
	struct drm_shmem_late *late = container_of(work, struct drm_shmem_late, work);
	struct drm_gem_object *gem = late->gem;
	struct module *owner = drm_shmem_owner(gem->dev);

	drm_gem_resv_lock(gem, false);
	late->locked(late);
	drm_gem_resv_unlock(gem, false);
	kfree(late);
	drm_gem_object_put(gem);
	module_put(owner);
}

/**
 * __drm_shmem_late() - do something with an object under its lock, later
 * @late: memory, which is the first member of what the work needs, and is freed after the work
 * @gem: any object
 * @locked: called under the lock
 *
 * For a task that must not wait for the lock, or was killed. Other drivers can hold the lock for
 * long: the exporter of an import, or the importers of an export. The object is published, so its
 * lock stays what it is. The work has a reference to the object and one to the driver's module.
 *
 * Context: Any.
 *
 * Return: false if the driver is being unloaded, or the object ends, in which case the caller still
 * has @late.
 */
bool __drm_shmem_late(struct drm_shmem_late *late, struct drm_gem_object *gem,
		      void (*locked)(struct drm_shmem_late *late))
{
	struct module *owner = drm_shmem_owner(gem->dev);

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
 * A task that exits has no fatal signal pending any more, and closes its files.
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
/* When this returns, what has ended by now has also given back what it had from others. */
void drm_shmem_flush_work(void)
{
	/* What ends can be the last user of an import, what is given back the last reference. */
	for (int i = 0; i < 2 * __DRM_SHMEM_QUEUES; i++)
		flush_workqueue(drm_shmem_wqs[i % __DRM_SHMEM_QUEUES]);
}
EXPORT_SYMBOL_IF_KUNIT(drm_shmem_flush_work);
#endif

/* Waits until objects have ended whose drivers may be gone by now. */
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
