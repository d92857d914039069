/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Functions for GEM objects of any kind. The files of the GEM shmem part use them, too. Drivers do
 * not see them.
 */
#ifndef _DRM_GEM_INTERNAL_H
#define _DRM_GEM_INTERNAL_H

#include <linux/dma-resv.h>

#include <drm/drm_gem.h>

#include "drm_dev_ctx_internal.h"
#include "drm_gem_sgt.h"
#include "drm_safe_core.h"

/*
 * Takes the reservation lock unless the driver's call holds it. The lock is taken
 * uninterruptibly, which cannot fail without a ww context.
 */
static inline void drm_gem_resv_lock(struct drm_gem_object *gem, bool locked)
	__acquires(drm_resv)
	__context_unsafe("the analysis knows what the caller holds by the call's name")
{
	if (locked)
		dma_resv_assert_held(gem->resv);
	else
		dma_resv_lock(gem->resv, NULL);
}

static inline void drm_gem_resv_unlock(struct drm_gem_object *gem, bool locked)
	__releases(drm_resv) __context_unsafe("see drm_gem_resv_lock()")
{
	if (!locked)
		dma_resv_unlock(gem->resv);
}

/*
 * Does the check that __drm_gem_resv_check_call() omits without lockdep. For slow paths, which
 * access the lock anyway. With lockdep, the call was checked before.
 */
static inline int drm_gem_resv_check_slow(struct drm_gem_object *gem, bool locked)
{
	return IS_ENABLED(CONFIG_PROVE_LOCKING) ? 0 : __drm_gem_resv_check(gem, locked);
}

/*
 * The same for a function that cannot fail. Return: whether the caller really holds the lock, so
 * that the function still works if the wrong form was called, and reported.
 */
static inline bool drm_gem_resv_is_locked(struct drm_gem_object *gem, bool locked)
{
	drm_gem_resv_check_slow(gem, locked);
	return drm_resv_is_held(gem->resv);
}

/*
 * Takes the reservation lock, for a call that can fail. Also does the check of
 * drm_gem_resv_check_slow(). Return: 0; -EINTR; -EINVAL or -EALREADY for the wrong form of a call.
 */
static inline int drm_gem_resv_lock_how(struct drm_gem_object *gem, enum drm_resv_how how)
	__cond_acquires(0, drm_resv)
	__context_unsafe("the analysis knows what the caller holds by the call's name")
{
	int ret = drm_gem_resv_check_slow(gem, how == DRM_RESV_LOCKED);

	if (ret)
		return ret;
	/* The lock of an import belongs to the exporter, which can hold it for long. */
	if (how == DRM_RESV_LOCKS && drm_gem_is_imported(gem))
		how = DRM_RESV_LOCKS_KILLABLE;
	return drm_resv_lock_how(gem->resv, how);
}

/* The same for a function without a _locked form, whose call was not checked before */
static inline int drm_gem_resv_lock_call(struct drm_gem_object *gem, enum drm_resv_how how)
	__cond_acquires(0, drm_resv)
	__context_unsafe("see drm_gem_resv_lock_how()")
{
	return __drm_gem_resv_check_call(gem, false) ?: drm_gem_resv_lock_how(gem, how);
}

/*
 * Refuses to map an import whose last reference is gone. Objects can be freed under the locks of
 * other objects, as in drm_exec_fini(), and the exporter may be waiting for one of these locks.
 */
static inline int drm_gem_check_not_ending(struct drm_gem_object *gem)
{
	if (likely(!drm_gem_is_imported(gem) || drm_gem_object_has_refs(gem)))
		return 0;
	drm_safe_broken(gem->dev, "an import is not mapped at its end",
			"its last reference is gone, and mapping it waits for the exporter");
	return -EINVAL;
}

/* The table of any object, see drm_gem_table.c */
void __drm_gem_table_unmap(struct drm_gem_table *table, struct drm_gem_object *gem,
			   const struct drm_gem_sgt_ops *ops, struct sg_table *next);
void __drm_gem_table_revoke(struct drm_gem_table *table, struct drm_gem_object *gem,
			    const struct drm_gem_sgt_ops *ops) __must_not_hold(drm_resv);
int __drm_gem_table_unmap_idle(struct drm_gem_table *table, struct drm_gem_object *gem,
			       const struct drm_gem_sgt_ops *ops)
	__must_check __must_hold(drm_resv);
bool __drm_gem_table_take(struct drm_gem_table *table, struct drm_gem_object *gem)
	__must_check __cond_acquires_shared(true, drm_dev_revocation);
int __drm_gem_table_publish(struct drm_gem_table *table, struct drm_gem_object *gem,
			    const struct drm_dev_ctx_bound *bound,
			    const struct drm_dev_ctx_revocable_ops *revocable_ops,
			    struct sg_table *sgt) __must_check;
struct sg_table *__drm_gem_table_map(struct drm_gem_table *table, struct drm_gem_object *gem,
				     const struct drm_dev_ctx_bound *bound,
				     const struct drm_dev_ctx_revocable_ops *revocable_ops,
				     const struct drm_gem_sgt_ops *ops)
	__must_check __must_hold(drm_resv);
struct sg_table *__drm_gem_table_count(struct drm_gem_table *table)
	__must_check __drm_nonallocating;
int __drm_gem_table_check_empty(const struct drm_gem_table_own *own, struct drm_device *drm)
	__must_check;
void __drm_gem_table_own(struct drm_gem_table_own *own, struct drm_gem_table *table,
			 struct drm_gem_object *gem);
bool __drm_gem_table_give_up(struct drm_gem_table_own *own) __must_check;
void __drm_gem_table_disown(struct drm_gem_table_own *own, struct drm_gem_object *gem);
void __drm_gem_table_resumed(struct drm_gem_table_own *own) __must_hold(drm_resv);
void __drm_gem_table_move(struct drm_gem_table_own *to, struct drm_gem_table_own *from,
			  struct drm_device *drm);

int __drm_gem_sgt_check_init(const struct drm_gem_sgt *sgt, struct drm_device *drm) __must_check;
struct drm_gem_object *__drm_gem_exports_own(const struct drm_device *drm,
					     const struct dma_buf *dma_buf) __must_check;

#endif /* _DRM_GEM_INTERNAL_H */
