// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Pins of the pages of an object. Also has the tracepoints of all objects.
 */

#include <linux/export.h>

#include "drm_shmem_internal.h"

#define CREATE_TRACE_POINTS
#include "drm_shmem_trace.h"

EXPORT_TRACEPOINT_SYMBOL_GPL(drm_shmem_vmap);
EXPORT_TRACEPOINT_SYMBOL_GPL(drm_shmem_vunmap);
EXPORT_TRACEPOINT_SYMBOL_GPL(drm_shmem_sgt_map);
EXPORT_TRACEPOINT_SYMBOL_GPL(drm_shmem_sgt_unmap);
EXPORT_TRACEPOINT_SYMBOL_GPL(drm_shmem_sgt_revoke);
EXPORT_TRACEPOINT_SYMBOL_GPL(drm_shmem_sgt_moved);
EXPORT_TRACEPOINT_SYMBOL_GPL(drm_shmem_purge);
EXPORT_TRACEPOINT_SYMBOL_GPL(drm_shmem_evict);

static int drm_shmem_do_pin(struct drm_shmem_obj *obj, enum drm_resv_how how)
{
	struct drm_gem_object *gem = &obj->base.base;
	int ret = drm_shmem_lock_own(gem, how);

	if (ret)
		return ret;
	ret = drm_shmem_check_fillable(obj) ?: drm_gem_shmem_pin_locked(&obj->base);
	if (!ret) {
		obj->__table.__pins++;
		__drm_shmem_relist(obj);
	}
	drm_gem_resv_unlock(gem, false);

	return ret;
}

/**
 * drm_shmem_pin() - keep the pages of an object
 * @obj: the object
 *
 * Mappings and sg tables do this themselves.
 *
 * Context: May sleep. Without the object's reservation lock.
 *
 * Return: 0, -EOPNOTSUPP for imported objects, -ENODATA for purged ones, -ENOMEM or another error
 * of shmem, such as -ENOSPC or -EIO, or -EALREADY if called under the lock, which is reported.
 */
int drm_shmem_pin(struct drm_shmem_obj *obj)
{
	return drm_shmem_do_pin(obj, DRM_RESV_LOCKS);
}
EXPORT_SYMBOL_GPL(drm_shmem_pin);

/**
 * drm_shmem_pin_interruptible() - the same, with an interruptible wait
 * @obj: the object
 *
 * Context: As drm_shmem_pin().
 *
 * Return: as drm_shmem_pin(), or -EINTR if a signal arrived while it waited for the lock,
 * with nothing changed.
 */
int drm_shmem_pin_interruptible(struct drm_shmem_obj *obj)
{
	return drm_shmem_do_pin(obj, DRM_RESV_LOCKS_INTERRUPTIBLE);
}
EXPORT_SYMBOL_GPL(drm_shmem_pin_interruptible);

/**
 * drm_shmem_unpin() - undo drm_shmem_pin()
 * @obj: the object
 *
 * A call without a pin is reported and does nothing: it does not drop the pin of a
 * mapping, an sg table or an importer.
 *
 * Context: May sleep. Without the object's reservation lock.
 */
void drm_shmem_unpin(struct drm_shmem_obj *obj)
{
	struct drm_gem_object *gem = &obj->base.base;
	bool locked;

	__drm_gem_resv_check_call(gem, false);
	locked = drm_gem_resv_is_locked(gem, false);
	drm_gem_resv_lock(gem, locked);
	if (obj->__table.__pins) {
		obj->__table.__pins--;
		drm_shmem_unpin_locked(obj);
	} else {
		drm_safe_broken(gem->dev, "each unpin undoes a pin",
				"drm_shmem_pin() was not called, or its pin was undone before");
	}
	drm_gem_resv_unlock(gem, locked);
}
EXPORT_SYMBOL_GPL(drm_shmem_unpin);

/**
 * drm_shmem_funcs_pin() - &drm_gem_object_funcs.pin
 * @gem: the object
 *
 * Context: May sleep. The caller holds the reservation lock.
 *
 * Return: 0, -ENODATA if the object was purged, -ENOMEM or another error of shmem.
 */
int drm_shmem_funcs_pin(struct drm_gem_object *gem)
{
	struct drm_shmem_obj *obj = to_drm_shmem_obj(gem);
	int ret;

	ret = drm_shmem_check_fillable(obj) ?: drm_gem_shmem_pin_locked(&obj->base);
	if (!ret)
		__drm_shmem_relist(obj);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_shmem_funcs_pin);

/**
 * drm_shmem_funcs_unpin() - &drm_gem_object_funcs.unpin
 * @gem: the object
 *
 * Context: May sleep. The caller holds the reservation lock.
 */
void drm_shmem_funcs_unpin(struct drm_gem_object *gem)
{
	drm_shmem_unpin_locked(to_drm_shmem_obj(gem));
}
EXPORT_SYMBOL_GPL(drm_shmem_funcs_unpin);
