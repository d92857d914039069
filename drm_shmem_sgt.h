/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _DRM_SHMEM_SGT_H
#define _DRM_SHMEM_SGT_H

#include <linux/scatterlist.h>

#include "drm_shmem_obj.h"

/**
 * struct drm_shmem_sgt - borrowed sg table of an object
 *
 * Lives on the stack, in the scope that drm_shmem_if_sgt() opens, which is
 * inside of the scope of the proof that the parent of the device is bound.
 *
 * Invariants:
 *
 * - @__table is NULL, or mapped for the DMA device until the end of the scope.
 * - @__counted is NULL, or an object of which this is one sg table user.
 */
struct drm_shmem_sgt {
	/* private: */
	struct sg_table *__table;
	struct drm_shmem_obj *__counted;

	__DRM_SAFE_NO_ASSIGN;
};

/**
 * struct drm_shmem_sgt_owned - owned sg table of an object
 *
 * Keeps the object, and keeps its table from being unmapped early or purged.
 * It does not keep the table from being revoked when the parent is unbound:
 * the object's type is told (&drm_shmem_obj_type.sgt_revoked), and
 * drm_shmem_if_sgt_owned() skips its block from then on.
 *
 * For what keeps addresses of the table, like the page tables of a GPU. While
 * it is suspended it keeps the object only, so that the object can be evicted.
 *
 * Invariants:
 *
 * - Changed by one thread at a time, except that drm_shmem_sgt_suspend() may run
 *   during drm_shmem_sgt_release().
 * - While @__obj is not NULL and @__suspended not set, this is one counted user.
 *   The call that exchanges @__suspended from 0 gives up that user. It becomes 0
 *   under the reservation lock, or in a handle that is empty.
 */
struct drm_shmem_sgt_owned {
	/* private: */
	struct drm_shmem_obj *__obj;
	unsigned int __suspended;
#ifdef CONFIG_DRM_SAFE_DEBUG
	struct ref_tracker *__tracker;
	struct drm_dev_ctx_handle __handle;
#endif
	__DRM_SAFE_NO_ASSIGN;
};

int __drm_shmem_sgt_get(const struct drm_dev_ctx_bound *bound, struct drm_shmem_obj *obj,
			struct drm_shmem_sgt *sgt, bool locked);
int __drm_shmem_sgt_own(const struct drm_dev_ctx_bound *bound, struct drm_shmem_obj *obj,
			struct drm_shmem_sgt_owned *own, bool locked) __must_check;
void drm_shmem_sgt_release(struct drm_shmem_sgt_owned *own) __must_not_hold(drm_resv);
void drm_shmem_sgt_move(struct drm_shmem_sgt_owned *to,
			struct drm_shmem_sgt_owned *from);
void drm_shmem_sgt_suspend(struct drm_shmem_sgt_owned *own)
	__nonnull_args(1) __must_hold(drm_resv);
int __drm_shmem_sgt_resume(const struct drm_dev_ctx_bound *bound,
			   struct drm_shmem_sgt_owned *own) __must_check __must_hold(drm_resv);

int __drm_shmem_sgt_check_device(const struct drm_dev_ctx_bound *bound,
				 const struct drm_shmem_obj *obj) __drm_nonallocating;
int drm_shmem_sgt_unmap(struct drm_shmem_obj *obj) __must_check
	__must_not_hold(drm_resv);

/* A function without a body: the build fails if a call of it remains. */
#define __DRM_SHMEM_BUILD_ERROR(_fn, _msg)					\
	void __compiletime_error(_msg) _fn(void)

__DRM_SHMEM_BUILD_ERROR(__drm_shmem_sgt_needs_drm_shmem_obj,
			"sg tables are of a struct drm_shmem_obj: embed it in your object");
__DRM_SHMEM_BUILD_ERROR(__drm_shmem_sgt_needs_drm_dev_ctx_bound,
			"an sg table needs the proof of a bound parent, such as &reg->base.bound");

static __always_inline int __drm_shmem_sgt_begin(const struct drm_dev_ctx_bound *bound,
						 struct drm_shmem_obj *obj,
						 struct drm_shmem_sgt *sgt, bool locked)
{
	struct sg_table *table;
	int ret;

	ret = __drm_shmem_check_call(&obj->base.base, locked);
	if (ret)
		return ret;
	if (likely(obj->base.base.dev == &bound->__ctx->drm &&
		   !(READ_ONCE(obj->__flags) & __DRM_SHMEM_RECLAIM))) {
		/*
		 * Pairs with the release in drm_shmem_sgt_publish(): the entries
		 * are read by way of the pointer, and so after it. The table
		 * stays: only revocation would unmap it, and that comes after
		 * the proof.
		 */
		table = READ_ONCE(obj->__sgt);
		if (!IS_ERR_OR_NULL(table)) {
			sgt->__table = table;
			return 0;
		}
	}
	return __drm_shmem_sgt_get(bound, obj, sgt, locked);
}

static __always_inline void __drm_shmem_sgt_end(void *p)
{
	struct drm_shmem_sgt *sgt = p;

	/*
	 * Release: pairs with the acquire in __drm_shmem_sgt_reclaim(). What was
	 * done with the table comes before it can go.
	 */
	if (sgt->__counted)
		refcount_dec(&sgt->__counted->__sgt_users);
}

/* The argument itself, or a build error that says what it has to be. */
#define __drm_shmem_sgt_obj(_obj)						\
	_Generic((_obj),							\
		 struct drm_shmem_obj *: (_obj),				\
		 default: (__drm_shmem_sgt_needs_drm_shmem_obj(),		\
			   (struct drm_shmem_obj *)NULL))

#define __drm_shmem_sgt_bound(_bound) \
	_Generic((_bound),							\
		 struct drm_dev_ctx_bound *: (_bound),				\
		 const struct drm_dev_ctx_bound *: (_bound),			\
		 default: (__drm_shmem_sgt_needs_drm_dev_ctx_bound(),		\
			   (const struct drm_dev_ctx_bound *)NULL))

#define __drm_shmem_sgt_scope(_s, _bound, _obj, _locked)			\
	(__drm_resv_need(_locked),						\
	 __drm_shmem_sgt_begin(__drm_shmem_sgt_bound(_bound),			\
			       __drm_shmem_sgt_obj(_obj), _s, _locked))

#define __drm_shmem_if_sgt(_s, _bound, _obj, _err, _locked)			\
	for (bool __once = true; __once; __once = false)			\
		for (struct drm_shmem_sgt _s[1] __cleanup(__drm_shmem_sgt_end) = {}; \
		     __once &&							\
		     !((_err) = __drm_shmem_sgt_scope(_s, _bound, _obj, _locked)); \
		     __once = false)						\
			__drm_safe_no_jump_into(_s, __once, __once = false)

#define __drm_shmem_sgt_or(_locked, _s, _bound, _obj, _err, ...)		\
	struct drm_shmem_sgt _s[1] __cleanup(__drm_shmem_sgt_end) = {};		\
	const int __err_##_s = __drm_shmem_sgt_scope(_s, _bound, _obj, _locked);	\
										\
	(_err) = __err_##_s;							\
	if (unlikely(__err_##_s)) {						\
		__VA_ARGS__;							\
		__drm_safe_must_leave();					\
	}									\
	__drm_safe_no_jump(_s, _s)

/**
 * drm_shmem_if_sgt() - run a block with the sg table of an object
 * @_s: name of the handle in the block, a &struct drm_shmem_sgt
 * @_bound: the &struct drm_dev_ctx_bound of the object's device
 * @_obj: the &struct drm_shmem_obj, which the caller keeps alive
 * @_err: variable for the result: 0; -EINVAL if the object belongs to another
 *	device, which is reported; -ENODEV if its table was revoked, also before
 *	the parent of its device was bound again; -ENODATA if it was purged;
 *	-ENOMEM; -EINTR if the task was killed while it waited; or what mapping it
 *	for DMA returned, for an import from the exporter
 *
 * The block is skipped if @_err is set. The first use pins the pages and maps
 * them for drm_dev_dma_dev(); later ones take no lock. Waits for the fences of an
 * imported object; of all signals, only one that kills the task ends that.
 *
 * Context: May sleep. Without the object's reservation lock.
 */
#define drm_shmem_if_sgt(_s, _bound, _obj, _err)				\
	__drm_shmem_if_sgt(_s, _bound, _obj, _err, false)

/**
 * drm_shmem_if_sgt_locked() - the same, with the reservation lock held
 * @_s: name of the handle in the block
 * @_bound: the &struct drm_dev_ctx_bound of the object's device
 * @_obj: the object
 * @_err: variable for the result
 *
 * Context: May sleep. The caller holds the object's reservation lock.
 */
#define drm_shmem_if_sgt_locked(_s, _bound, _obj, _err)				\
	__drm_shmem_if_sgt(_s, _bound, _obj, _err, true)

/**
 * drm_shmem_sgt_or() - borrow the sg table for the rest of the scope
 * @_s: name of the handle
 * @_bound: the &struct drm_dev_ctx_bound of the object's device
 * @_obj: the object
 * @_err: variable for the result, as in drm_shmem_if_sgt()
 * @...: statement that leaves the scope, for when @_err is set
 *
 * Context: As drm_shmem_if_sgt().
 */
#define drm_shmem_sgt_or(_s, _bound, _obj, _err, ...)				\
	__drm_shmem_sgt_or(false, _s, _bound, _obj, _err, __VA_ARGS__)

/**
 * drm_shmem_sgt_or_locked() - the same, with the reservation lock held
 * @_s: name of the handle
 * @_bound: the &struct drm_dev_ctx_bound of the object's device
 * @_obj: the object
 * @_err: variable for the result
 * @...: statement that leaves the scope
 *
 * Context: As drm_shmem_if_sgt_locked().
 */
#define drm_shmem_sgt_or_locked(_s, _bound, _obj, _err, ...)			\
	__drm_shmem_sgt_or(true, _s, _bound, _obj, _err, __VA_ARGS__)

/**
 * drm_shmem_sgt_table() - the table
 * @sgt: the handle
 *
 * For for_each_sgtable_dma_sg() and the like.
 *
 * Return: the table, borrowed for the scope of @sgt.
 */
static __always_inline const struct sg_table *
drm_shmem_sgt_table(const struct drm_shmem_sgt *sgt)
{
	return sgt->__table;
}

/**
 * drm_shmem_sgt_own() - own the sg table of an object
 * @_own: handle to fill in, a zeroed &struct drm_shmem_sgt_owned
 * @_bound: the &struct drm_dev_ctx_bound of the object's device
 * @_obj: the &struct drm_shmem_obj
 *
 * Context: May sleep. Without the object's reservation lock.
 *
 * Return: as the result of drm_shmem_if_sgt(), or -EBUSY if the handle is in
 * use.
 */
#define drm_shmem_sgt_own(_own, _bound, _obj)					\
	(__drm_resv_need(false),						\
	 __drm_shmem_sgt_own(__drm_shmem_sgt_bound(_bound),			\
			     __drm_shmem_sgt_obj(_obj), _own, false))

/**
 * drm_shmem_sgt_own_locked() - the same, with the reservation lock held
 * @_own: handle to fill in
 * @_bound: the &struct drm_dev_ctx_bound of the object's device
 * @_obj: the object
 *
 * Context: May sleep. The caller holds the object's reservation lock.
 *
 * Return: as drm_shmem_sgt_own().
 */
#define drm_shmem_sgt_own_locked(_own, _bound, _obj)				\
	(__drm_resv_need(true),							\
	 __drm_shmem_sgt_own(__drm_shmem_sgt_bound(_bound),			\
			     __drm_shmem_sgt_obj(_obj), _own, true))

/**
 * drm_shmem_sgt_resume() - use an owned sg table again
 * @_own: the handle; nothing happens if it is not suspended
 * @_bound: the &struct drm_dev_ctx_bound of the object's device
 *
 * Other threads may be in drm_shmem_if_sgt_owned() meanwhile.
 *
 * Context: May sleep. The caller holds the object's reservation lock.
 *
 * Return: as the result of drm_shmem_if_sgt(); -EINVAL also if the handle is
 * empty. It stays suspended if this fails.
 */
#define drm_shmem_sgt_resume(_own, _bound)					\
	(__drm_resv_need(true),							\
	 __drm_shmem_sgt_resume(__drm_shmem_sgt_bound(_bound), _own))

/* An owner is a counted user, so the table stays unless it is revoked. */
static __always_inline int __drm_shmem_sgt_try(const struct drm_dev_ctx_bound *bound,
					       const struct drm_shmem_sgt_owned *own,
					       struct drm_shmem_sgt *sgt)
{
	struct sg_table *table;

	if (!own->__obj)
		return -EINVAL;
	if (unlikely(own->__obj->base.base.dev != &bound->__ctx->drm))
		return __drm_shmem_sgt_check_device(bound, own->__obj);
	/* Acquire: pairs with the release in __drm_shmem_sgt_resume(). */
	if (unlikely(smp_load_acquire(&own->__suspended)))
		return -EAGAIN;
	/* The order is as in __drm_shmem_sgt_begin(). */
	table = READ_ONCE(own->__obj->__sgt);
	if (IS_ERR(table))
		return PTR_ERR(table);
	sgt->__table = table;
	return 0;
}

/**
 * drm_shmem_if_sgt_owned() - run a block with an owned sg table
 * @_s: name of the handle in the block, a &struct drm_shmem_sgt
 * @_bound: the &struct drm_dev_ctx_bound of the object's device
 * @_own: the &struct drm_shmem_sgt_owned
 * @_err: variable for the result: 0; -EINVAL if the handle is empty or the
 *	object belongs to another device; -ENODEV if the table was revoked;
 *	-EAGAIN if the handle is suspended
 *
 * The block is skipped if @_err is set. The driver keeps the handle from being
 * suspended while a block is run.
 *
 * Context: Any.
 */
#define drm_shmem_if_sgt_owned(_s, _bound, _own, _err)				\
	for (bool __once = true; __once; __once = false)			\
		for (struct drm_shmem_sgt _s[1] = {};				\
		     __once &&							\
		     !((_err) = __drm_shmem_sgt_try(__drm_shmem_sgt_bound(_bound), _own, _s)); \
		     __once = false)						\
			__drm_safe_no_jump_into(_s, __once, __once = false)

#endif /* _DRM_SHMEM_SGT_H */
