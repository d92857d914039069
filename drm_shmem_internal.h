/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the files of the GEM shmem part share and drivers do not see.
 */
#ifndef _DRM_SHMEM_INTERNAL_H
#define _DRM_SHMEM_INTERNAL_H

#include <linux/dma-resv.h>
#include <linux/mm_types.h>

#include "drm_safe_core.h"
#include "drm_shmem_safe.h"

void __drm_shmem_is_back(struct drm_shmem_obj *obj) __must_hold(drm_resv);
void __drm_shmem_is_filled(struct drm_shmem_obj *obj) __must_hold(drm_resv);
void __drm_shmem_is_gone(struct drm_shmem_obj *obj) __must_hold(drm_resv);

/* @gem is one: its funcs, vm_ops or dma-buf operations are the library's. */
static inline struct drm_shmem_obj *to_drm_shmem_obj(struct drm_gem_object *gem)
{
	return container_of(gem, struct drm_shmem_obj, base.base);
}

/*
 * The reservation lock: a driver's call holds it, or the call takes it for
 * itself. Uninterruptible, and without a context it cannot fail.
 */
static inline void drm_shmem_lock(struct drm_gem_object *gem, bool locked)
	__acquires(drm_resv)
	__context_unsafe("the analysis knows what the caller holds by the call's name")
{
	if (locked)
		dma_resv_assert_held(gem->resv);
	else
		dma_resv_lock(gem->resv, NULL);
}

static inline void drm_shmem_unlock(struct drm_gem_object *gem, bool locked)
	__releases(drm_resv) __context_unsafe("see drm_shmem_lock()")
{
	if (!locked)
		dma_resv_unlock(gem->resv);
}

/*
 * For functions that look at the lock anyway: the check that __drm_shmem_check_call()
 * leaves out without lockdep. With it, the call was checked before.
 */
static inline int drm_shmem_check_slow(struct drm_gem_object *gem, bool locked)
{
	return IS_ENABLED(CONFIG_PROVE_LOCKING) ? 0 : __drm_shmem_check_locked(gem, locked);
}

/*
 * The same where nothing can be refused. Return: whether the caller holds the lock,
 * so that a wrong call does the right thing after it was reported.
 */
static inline bool drm_shmem_caller_locked(struct drm_gem_object *gem, bool locked)
{
	drm_shmem_check_slow(gem, locked);
	return drm_resv_is_held(gem->resv);
}

/*
 * The reservation lock, for a call that can fail. Also makes the check of
 * drm_shmem_check_slow(). Return: 0; -EINTR; -EINVAL or -EDEADLK for the wrong form of a call.
 */
static inline int drm_shmem_lock_how(struct drm_gem_object *gem, enum drm_resv_how how)
	__cond_acquires(0, drm_resv)
	__context_unsafe("the analysis knows what the caller holds by the call's name")
{
	int ret = drm_shmem_check_slow(gem, how == DRM_RESV_LOCKED);

	if (ret)
		return ret;
	/* An import has its exporter's lock. The exporter can hold it for long. */
	if (how == DRM_RESV_LOCKS && drm_gem_is_imported(gem))
		how = DRM_RESV_LOCKS_KILLABLE;
	return drm_resv_lock_how(gem->resv, how);
}

/* The same for a function without a _locked form, whose call was not checked before */
static inline int drm_shmem_lock_call(struct drm_gem_object *gem, enum drm_resv_how how)
	__cond_acquires(0, drm_resv)
	__context_unsafe("see drm_shmem_lock_how()")
{
	return __drm_shmem_check_call(gem, false) ?: drm_shmem_lock_how(gem, how);
}

/*
 * Whoever pinned the pages could write to them, by way of a device, where the
 * kernel does not see it. Reclaim drops pages of shmem that look unwritten.
 */
static inline void drm_shmem_unpin_locked(struct drm_shmem_obj *obj)
	__must_hold(drm_resv)
{
	obj->base.pages_mark_dirty_on_put = true;
	drm_gem_shmem_unpin_locked(&obj->base);
	__drm_shmem_is_gone(obj);
}

/* A purged object has lost its contents and never maps again. */
static inline int drm_shmem_check_purged(const struct drm_shmem_obj *obj)
	__must_hold(drm_resv)
{
	return drm_shmem_is_purged(obj) ? -ENODATA : 0;
}

/* A mapping without an address is none, as for drm_gem_vmap(). */
static inline int drm_shmem_check_map(struct drm_gem_object *gem, const struct iosys_map *map)
	__must_hold(drm_resv)
{
	if (!iosys_map_is_null(map))
		return 0;
	if (drm_gem_is_imported(gem))
		drm_dma_buf_forget_null_map(gem->import_attach->dmabuf);
	return -ENOMEM;
}

/* An object that is not complete has a type, too, which refuses what it can. */
static inline const struct drm_shmem_obj_type *
drm_shmem_obj_type(const struct drm_shmem_obj *obj)
{
	return container_of(obj->base.base.funcs, struct drm_shmem_obj_type, funcs);
}

/* The steps that a type may leave out */
static inline void drm_shmem_step_fini(struct drm_shmem_obj *obj)
{
	const struct drm_shmem_obj_type *type = drm_shmem_obj_type(obj);

	if (type->fini)
		type->fini(obj);
}

static inline void drm_shmem_step_sgt_revoked(struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	const struct drm_shmem_obj_type *type = drm_shmem_obj_type(obj);

	if (type->sgt_revoked)
		type->sgt_revoked(obj);
}

static inline int drm_shmem_step_evict(struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	const struct drm_shmem_obj_type *type = drm_shmem_obj_type(obj);

	return type->evict ? type->evict(obj) : 0;
}

/*
 * Every handle of an object with the stack that made it, for debugfs and for
 * reports. A handle that cannot be recorded for want of memory only counts.
 */
#ifdef CONFIG_DRM_SAFE_DEBUG
static inline void drm_shmem_debug_init(struct drm_shmem_obj *obj,
					const struct drm_shmem_obj_type *type)
{
	obj->__type = type;
	ref_tracker_dir_init(&obj->__handles, 0, "drm_shmem");
}

static inline void drm_shmem_debug_fini(struct drm_shmem_obj *obj)
{
	ref_tracker_dir_exit(&obj->__handles);
}

static inline void drm_shmem_debug_print(struct drm_shmem_obj *obj)
{
	ref_tracker_dir_print(&obj->__handles, 16);
}
#else
static inline void drm_shmem_debug_init(struct drm_shmem_obj *obj,
					const struct drm_shmem_obj_type *type) { }
static inline void drm_shmem_debug_fini(struct drm_shmem_obj *obj) { }
static inline void drm_shmem_debug_print(struct drm_shmem_obj *obj) { }
#endif

int __drm_shmem_sgt_wait(struct dma_resv *resv) __must_check __must_hold(drm_resv);
bool __drm_shmem_sgt_again(struct sg_table **sgt) __must_check;

/*
 * The contexts of an object's device, if it has any. It has if the object has, or had, a
 * table of its own: drm_dev_ctx_revocable_add() looks.
 */
static inline struct drm_dev_ctx *__drm_shmem_ctx(const struct drm_shmem_obj *obj)
{
	return to_drm_dev_ctx(obj->base.base.dev);
}

int drm_shmem_check_published(struct drm_gem_object *gem) __must_check;
int drm_shmem_export_check(struct drm_gem_object *gem) __must_check
	__must_not_hold(drm_resv);

int __drm_shmem_sgt_adopt(const struct drm_dev_ctx_bound *bound, struct drm_shmem_obj *obj,
			  struct sg_table *sgt);
void __drm_shmem_sgt_disown(struct drm_shmem_obj *obj);
bool __drm_shmem_sgt_take(struct drm_shmem_obj *obj) __must_check;
void __drm_shmem_sgt_destroy(struct drm_shmem_obj *obj);
int __drm_shmem_sgt_reclaim(struct drm_shmem_obj *obj) __must_hold(drm_resv);

int __drm_shmem_reclaim_init(void);
void __drm_shmem_queue_work(struct work_struct *work);
void __drm_shmem_reclaim_exit(void);
void __drm_shmem_mmap_zap(struct drm_shmem_obj *obj) __must_hold(drm_resv);
void __drm_shmem_mmap_unpopulate(struct drm_shmem_obj *obj) __must_hold(drm_resv);
struct drm_gem_object *__drm_shmem_prime_own(struct drm_device *drm, struct dma_buf *dma_buf);
struct dma_buf_attachment *__drm_shmem_prime_attach(struct drm_device *drm,
						    struct dma_buf *dma_buf)
	__must_check __must_not_hold(drm_resv);
void __drm_shmem_prime_detach(struct dma_buf_attachment *attach) __must_not_hold(drm_resv);
void __drm_shmem_prime_end(struct drm_shmem_obj *obj, struct dma_buf_attachment *attach,
			   struct sg_table *sgt, struct drm_dev_ctx *ctx);

struct module *drm_shmem_owner(const struct drm_device *drm);

#if IS_ENABLED(CONFIG_KUNIT)
void drm_shmem_flush_work(void);
bool drm_shmem_can_swap(void);
bool drm_shmem_pmd_fits(const struct vm_fault *vmf, phys_addr_t phys);
vm_fault_t drm_shmem_any_fault(struct vm_fault *vmf, unsigned int order);
#endif

#endif /* _DRM_SHMEM_INTERNAL_H */
