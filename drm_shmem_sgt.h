/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _DRM_SHMEM_SGT_H
#define _DRM_SHMEM_SGT_H

#include "drm_shmem_obj.h"

/**
 * struct drm_shmem_sgt - borrowed sg table of an object
 *
 * Lives on the stack, in the scope that drm_shmem_sgt_guard() opens. That scope is inside
 * the scope of the proof that the parent of the device is bound.
 *
 * Invariants:
 *
 * - @__table is mapped for the DMA device until the end of the scope. Functions that make
 *   a handle may set it to an ERR_PTR(), in which case there is no handle.
 * - @__counted is NULL, or the object whose sg table counts this handle as a user.
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
 * Holds a reference to the object, and keeps its table from being unmapped early or
 * purged. It does not keep the table from being revoked when the parent is unbound: the
 * library tells the object's type (&drm_shmem_obj_type.sgt_revoked), and
 * drm_shmem_sgt_guard_owned() skips its block from then on.
 *
 * For code that keeps addresses of the table, like the page tables of a GPU. A suspended
 * handle keeps the object only, so that the object can be evicted.
 *
 * Invariants:
 *
 * - @__own is as for any object, see struct drm_gem_table_own. Its table belongs to a
 *   &struct drm_shmem_obj.
 */
struct drm_shmem_sgt_owned {
	/* private: */
	struct drm_gem_table_own __own;
#ifdef CONFIG_DRM_SAFE_DEBUG
	struct ref_tracker *__tracker;
#endif
	__DRM_SAFE_NO_ASSIGN;
};

/* Returns the object of a handle, or NULL. */
static __always_inline struct drm_shmem_obj *
__drm_shmem_sgt_of(const struct drm_shmem_sgt_owned *own)
{
	struct drm_gem_table *table = own->__own.__of;

	return table ? container_of(table, struct drm_shmem_obj, __table) : NULL;
}

struct drm_shmem_sgt __drm_shmem_sgt_get(const struct drm_dev_ctx_bound *bound,
					 struct drm_shmem_obj *obj, enum drm_resv_how how);
int __drm_shmem_sgt_own(struct drm_shmem_sgt_owned *own, const struct drm_dev_ctx_bound *bound,
			struct drm_shmem_obj *obj, enum drm_resv_how how) __must_check;
void drm_shmem_sgt_release(struct drm_shmem_sgt_owned *own) __must_not_hold(drm_resv);

/**
 * drm_shmem_sgt_cleanup() - release an owned sg table, at the end of a scope or of a structure
 * @own: the handle, which may be empty and is so afterwards
 *
 * Like drm_vmap_cleanup() for a mapping: for __cleanup() on the stack, and for the function
 * that frees a structure with the handle.
 *
 * Context: As drm_shmem_sgt_release().
 */
static inline void drm_shmem_sgt_cleanup(struct drm_shmem_sgt_owned *own) __must_not_hold(drm_resv)
{
	drm_shmem_sgt_release(own);
}

/**
 * drm_shmem_sgt_is_empty() - is an owned handle empty?
 * @own: the handle
 *
 * Context: Any. The answer can change at once, unless the caller keeps other tasks from filling or
 * releasing @own.
 *
 * Return: whether the handle was never filled, or was released since. A handle that is suspended,
 * or whose table was revoked, is not empty.
 */
static inline bool drm_shmem_sgt_is_empty(const struct drm_shmem_sgt_owned *own)
{
	return !READ_ONCE(own->__own.__of);
}

int __drm_shmem_sgt_prepare(struct drm_shmem_obj *obj) __must_check __must_hold(drm_resv);
int __drm_shmem_lock_prepared(struct drm_shmem_obj *obj)
	__must_check __cond_acquires(0, drm_resv) __must_not_hold(drm_resv);

/**
 * drm_shmem_sgt_prepare_locked() - map the sg table of an object, before a section uses it
 * @obj: the object
 *
 * An unplug of any device waits for all sections, so a section should not wait for long. Mapping
 * a table can take long: pages may have to be swapped in, and the exporter of an import may
 * first move its memory, as amdgpu and xe do from VRAM. This function does these waits outside
 * of a section, as well as the wait for the fences that tell when the memory is in place.
 * Meanwhile, only the unbind of this device's parent has to wait. In a section under the same
 * lock, drm_shmem_sgt_own_locked(), drm_shmem_sgt_guard_locked() and drm_shmem_sgt_resume() then
 * find the table.
 *
 * The table has no user yet, so the memory may be evicted or moved once the caller releases the
 * lock. Call drm_shmem_touch() or drm_shmem_touch_for() right after this, so that the shrinker
 * finds the object even if the caller fails later.
 *
 * Context: May sleep. In no section. The caller holds the object's reservation lock.
 *
 * Return: 0; -ERESTARTSYS or -EINTR if a signal arrived; -EAGAIN if there are still users of a
 * table whose memory was moved, or if the wait for a fence of the exporter failed; -ENODEV unless
 * the device is registered; -ENODATA if the object was purged; -EINVAL, with a report, if the lock
 * is not held, the last reference to an import is gone, the DMA device was changed, or, if
 * CONFIG_DRM_SAFE_DEBUG sees it, in a section; or what shmem, such as -ENOMEM, the DMA API or the
 * exporter returned.
 */
static inline int __must_check drm_shmem_sgt_prepare_locked(struct drm_shmem_obj *obj)
	__must_hold(drm_resv) __must_not_hold(drm_dev_section)
{
	return __drm_shmem_sgt_prepare(obj);
}

#define drm_shmem_sgt_prepare_locked(_obj)					\
	drm_shmem_sgt_prepare_locked(({ __drm_dev_ctx_assert_outside(); (_obj); }))

/**
 * drm_shmem_lock_prepared_interruptible() - lock an object, and map its sg table
 * @obj: the object
 *
 * Like drm_shmem_sgt_prepare_locked(), but first waits for the current fences without the lock,
 * which others need. Under the lock, this waits only for the fences that were added in between. The
 * caller releases the lock with dma_resv_unlock().
 *
 * Context: May sleep. In no section. Without the object's reservation lock.
 *
 * Return: 0, with the object's reservation lock held; -EALREADY if called under the lock, which is
 * reported; or an error of drm_shmem_sgt_prepare_locked().
 */
static inline int __must_check drm_shmem_lock_prepared_interruptible(struct drm_shmem_obj *obj)
	__cond_acquires(0, drm_resv) __must_not_hold(drm_resv) __must_not_hold(drm_dev_section)
{
	return __drm_shmem_lock_prepared(obj);
}

#define drm_shmem_lock_prepared_interruptible(_obj)				\
	drm_shmem_lock_prepared_interruptible(({ __drm_dev_ctx_assert_outside(); (_obj); }))

void drm_shmem_sgt_move(struct drm_shmem_sgt_owned *to,
			struct drm_shmem_sgt_owned *from);
void drm_shmem_sgt_suspend(struct drm_shmem_sgt_owned *own)
	__nonnull_args(1) __must_hold(drm_resv);
int __drm_shmem_sgt_resume(struct drm_shmem_sgt_owned *own,
			   const struct drm_dev_ctx_bound *bound)
	__must_check __must_hold(drm_resv);

struct drm_shmem_sgt __drm_shmem_sgt_share(struct drm_shmem_obj *obj) __drm_nonallocating;
void __drm_shmem_sgt_uncount(struct drm_shmem_obj *obj) __drm_nonallocating;
int drm_shmem_sgt_unmap(struct drm_shmem_obj *obj) __must_check
	__must_not_hold(drm_resv);
int drm_shmem_sgt_unmap_interruptible(struct drm_shmem_obj *obj) __must_check
	__must_not_hold(drm_resv);

static __always_inline struct drm_shmem_sgt
__drm_shmem_sgt_begin(const struct drm_dev_ctx_bound *bound, struct drm_shmem_obj *obj,
		      enum drm_resv_how how)
{
	struct sg_table *table;
	int ret;

	__drm_dev_ctx_proven(bound);
	ret = __drm_gem_resv_check_call(&obj->base.base, how == DRM_RESV_LOCKED);
	if (ret)
		return (struct drm_shmem_sgt) { .__table = ERR_PTR(ret) };
	if (likely(obj->base.base.dev == &bound->__ctx->drm &&
		   !(READ_ONCE(obj->__flags) & __DRM_SHMEM_RECLAIM))) {
		/*
		 * Pairs with the first release in __drm_gem_table_publish(): reads of the
		 * entries depend on the pointer, so they come after its load, see
		 * sgt-begin.litmus. The table stays mapped: only revocation could unmap
		 * it, and revocation comes after the end of the proof, see
		 * sgt-section.litmus.
		 */
		table = READ_ONCE(obj->__table.__sgt);
		if (likely(__drm_gem_is_table(table)))
			return (struct drm_shmem_sgt) { .__table = table };
	}
	return __drm_shmem_sgt_get(bound, obj, how);
}

/*
 * An owner is a counted user, so the table stays unless it is revoked. Suspending the owner during
 * the block gives up that user, so the block is a counted user of its own if the table can be
 * unmapped early.
 */
static __always_inline struct drm_shmem_sgt
__drm_shmem_sgt_try(const struct drm_dev_ctx_bound *bound, const struct drm_shmem_sgt_owned *own)
{
	struct drm_shmem_obj *obj = container_of(own->__own.__of, struct drm_shmem_obj, __table);

	__drm_dev_ctx_proven(bound);
	if (!own->__own.__of)
		return (struct drm_shmem_sgt) { .__table = ERR_PTR(-EINVAL) };
	if (unlikely(obj->base.base.dev != &bound->__ctx->drm))
		return (struct drm_shmem_sgt) {
			.__table = ERR_PTR(__drm_gem_sgt_check_drm(bound, obj->base.base.dev)),
		};
	/* Acquire: pairs with the release in __drm_gem_table_resumed(), see sgt-resume.litmus. */
	if (unlikely(smp_load_acquire(&own->__own.__suspended)))
		return (struct drm_shmem_sgt) { .__table = ERR_PTR(-EAGAIN) };
	if (READ_ONCE(obj->__flags) & __DRM_SHMEM_RECLAIM)
		return __drm_shmem_sgt_share(obj);
	/* The ordering is the same as in __drm_shmem_sgt_begin(). */
	return (struct drm_shmem_sgt) { .__table = READ_ONCE(obj->__table.__sgt) };
}

/*
 * Returns the error in a separate variable, because callers that test the handle would need an
 * extra branch.
 */
static __always_inline struct drm_shmem_sgt
__drm_shmem_sgt_result(struct drm_shmem_sgt sgt, int *err)
{
	*err = PTR_ERR_OR_ZERO(sgt.__table);
	return sgt;
}

/*
 * The classes that scoped_guard() uses. They do not use DEFINE_CLASS(), so that tags find
 * the functions, and so that clang's context analysis sees which lock is held.
 */
typedef struct drm_shmem_sgt class_drm_shmem_sgt_t;
typedef struct drm_shmem_sgt class_drm_shmem_sgt_interruptible_t;
typedef struct drm_shmem_sgt class_drm_shmem_sgt_locked_t;
typedef struct drm_shmem_sgt class_drm_shmem_sgt_owned_t;

static __always_inline struct drm_shmem_sgt
class_drm_shmem_sgt_constructor(const struct drm_dev_ctx_bound *bound, struct drm_shmem_obj *obj,
				int *err)
	__must_not_hold(drm_resv)
{
	return __drm_shmem_sgt_result(__drm_shmem_sgt_begin(bound, obj, DRM_RESV_LOCKS), err);
}

static __always_inline struct drm_shmem_sgt
class_drm_shmem_sgt_interruptible_constructor(const struct drm_dev_ctx_bound *bound,
					      struct drm_shmem_obj *obj, int *err)
	__must_not_hold(drm_resv)
{
	return __drm_shmem_sgt_result(__drm_shmem_sgt_begin(bound, obj,
							    DRM_RESV_LOCKS_INTERRUPTIBLE), err);
}

static __always_inline struct drm_shmem_sgt
class_drm_shmem_sgt_locked_constructor(const struct drm_dev_ctx_bound *bound,
				       struct drm_shmem_obj *obj, int *err)
	__must_hold(drm_resv)
{
	return __drm_shmem_sgt_result(__drm_shmem_sgt_begin(bound, obj, DRM_RESV_LOCKED), err);
}

static __always_inline struct drm_shmem_sgt
class_drm_shmem_sgt_owned_constructor(const struct drm_dev_ctx_bound *bound,
				      const struct drm_shmem_sgt_owned *own, int *err)
{
	return __drm_shmem_sgt_result(__drm_shmem_sgt_try(bound, own), err);
}

static __always_inline void class_drm_shmem_sgt_destructor(struct drm_shmem_sgt *sgt)
{
	if (sgt->__counted)
		__drm_shmem_sgt_uncount(sgt->__counted);
}

static __always_inline void *class_drm_shmem_sgt_lock_ptr(struct drm_shmem_sgt *sgt)
{
	return IS_ERR(sgt->__table) ? NULL : sgt;
}

#define class_drm_shmem_sgt_is_conditional		true
#define class_drm_shmem_sgt_interruptible_destructor	class_drm_shmem_sgt_destructor
#define class_drm_shmem_sgt_interruptible_lock_ptr	class_drm_shmem_sgt_lock_ptr
#define class_drm_shmem_sgt_interruptible_is_conditional true
#define class_drm_shmem_sgt_locked_destructor		class_drm_shmem_sgt_destructor
#define class_drm_shmem_sgt_locked_lock_ptr		class_drm_shmem_sgt_lock_ptr
#define class_drm_shmem_sgt_locked_is_conditional	true
#define class_drm_shmem_sgt_owned_destructor		class_drm_shmem_sgt_destructor
#define class_drm_shmem_sgt_owned_lock_ptr		class_drm_shmem_sgt_lock_ptr
#define class_drm_shmem_sgt_owned_is_conditional	true

/*
 * The block of scoped_guard(), with its handle under the driver's name. The handle is an
 * array, so it can be neither copied nor returned. A jump into the block does not
 * compile.
 */
#define __drm_shmem_sgt_guard(_class, _s, _bound, _from, _err)			\
	scoped_guard(_class, _bound, _from, &(_err))				\
		for (const struct drm_shmem_sgt _s[1] __maybe_unused = { scope }, \
		     *__once = _s; __once; __once = NULL)			\
			__drm_safe_no_jump_into(_s, __once, __once = NULL)

/* The same to the end of the scope. The last argument is a statement that leaves the scope. */
#define __drm_shmem_sgt_or(_class, _s, _bound, _obj, _err, ...)			\
	CLASS(_class, __scope_##_s)(_bound, _obj, &(_err));			\
	if (IS_ERR(__scope_##_s.__table)) {					\
		__VA_ARGS__;							\
		__drm_safe_must_leave();					\
	}									\
	__drm_safe_no_jump(_s, __scope_##_s);					\
	const struct drm_shmem_sgt _s[1] __maybe_unused = { __scope_##_s }

/**
 * drm_shmem_sgt_guard() - run a block with the sg table of an object
 * @_s: name of the handle in the block, a const &struct drm_shmem_sgt
 * @_bound: the &struct drm_dev_ctx_bound of the object's device
 * @_obj: the &struct drm_shmem_obj, which the caller keeps alive
 * @_err: variable for the result: 0; -EINVAL if the object belongs to another device, or
 *	the DMA device was changed after the registration, which are reported; -ENODEV if
 *	its table was revoked, even if the parent of its device was bound again since;
 *	-ENODATA if it was purged; -ENOMEM or another error of shmem, such as -ENOSPC or -EIO;
 *	-EAGAIN if its exporter has moved it while others use the table, or if the wait for a
 *	fence of the exporter failed; -EINTR if the task was killed while it waited; -ENODEV also
 *	if the device was unplugged while signals interrupted the exporter; the error of the DMA
 *	mapping, which for an import comes from the exporter; or, for the first table of a
 *	device, the error of a device link to the DMA device, as for drm_dev_ctx_dma_alloc()
 *
 * The block is skipped if @_err is set. The first use pins the pages and maps them for
 * drm_dev_dma_dev(). Later uses take no lock. The first use of an imported object waits for its
 * fences, unless drm_shmem_lock_prepared_interruptible() has mapped the table before. Only a fatal
 * signal ends that wait. The block is a loop that runs at most once: break leaves it.
 *
 * Context: May sleep. Without the object's reservation lock.
 */
#define drm_shmem_sgt_guard(_s, _bound, _obj, _err)				\
	__drm_shmem_sgt_guard(drm_shmem_sgt, _s, _bound, _obj, _err)

/**
 * drm_shmem_sgt_guard_locked() - the same, with the reservation lock held
 * @_s: name of the handle in the block
 * @_bound: the &struct drm_dev_ctx_bound of the object's device
 * @_obj: the object
 * @_err: variable for the result
 *
 * Context: May sleep. The caller holds the object's reservation lock.
 */
#define drm_shmem_sgt_guard_locked(_s, _bound, _obj, _err)			\
	__drm_shmem_sgt_guard(drm_shmem_sgt_locked, _s, _bound, _obj, _err)

/**
 * drm_shmem_sgt_guard_interruptible() - drm_shmem_sgt_guard() with an interruptible wait
 * @_s: name of the handle in the block
 * @_bound: the &struct drm_dev_ctx_bound of the object's device
 * @_obj: the object
 * @_err: variable for the result, as in drm_shmem_sgt_guard(); -EINTR if a signal arrived,
 *	with nothing changed. An ioctl returns that, and userspace calls it again
 *
 * Context: As drm_shmem_sgt_guard(), but a signal ends the wait for the reservation lock.
 */
#define drm_shmem_sgt_guard_interruptible(_s, _bound, _obj, _err)		\
	__drm_shmem_sgt_guard(drm_shmem_sgt_interruptible, _s, _bound, _obj, _err)

/**
 * drm_shmem_sgt_guard_owned() - run a block with an owned sg table
 * @_s: name of the handle in the block, a const &struct drm_shmem_sgt
 * @_bound: the &struct drm_dev_ctx_bound of the object's device
 * @_own: the &struct drm_shmem_sgt_owned
 * @_err: variable for the result: 0; -EINVAL if the handle is empty or the
 *	object belongs to another device; -ENODEV if the table was revoked;
 *	-EAGAIN if the handle is suspended
 *
 * The block is skipped if @_err is set. If the handle is suspended while the block runs, the table
 * stays mapped until the end of the block.
 *
 * Context: Any.
 */
#define drm_shmem_sgt_guard_owned(_s, _bound, _own, _err)			\
	__drm_shmem_sgt_guard(drm_shmem_sgt_owned, _s, _bound, _own, _err)

/**
 * drm_shmem_sgt_or() - borrow the sg table for the rest of the scope
 * @_s: name of the handle
 * @_bound: the &struct drm_dev_ctx_bound of the object's device
 * @_obj: the object
 * @_err: variable for the result, as in drm_shmem_sgt_guard()
 * @...: statement that leaves the scope if @_err is set
 *
 * Context: As drm_shmem_sgt_guard().
 */
#define drm_shmem_sgt_or(_s, _bound, _obj, _err, ...)				\
	__drm_shmem_sgt_or(drm_shmem_sgt, _s, _bound, _obj, _err, __VA_ARGS__)

/**
 * drm_shmem_sgt_or_locked() - the same, with the reservation lock held
 * @_s: name of the handle
 * @_bound: the &struct drm_dev_ctx_bound of the object's device
 * @_obj: the object
 * @_err: variable for the result
 * @...: statement that leaves the scope
 *
 * Context: As drm_shmem_sgt_guard_locked().
 */
#define drm_shmem_sgt_or_locked(_s, _bound, _obj, _err, ...)			\
	__drm_shmem_sgt_or(drm_shmem_sgt_locked, _s, _bound, _obj, _err, __VA_ARGS__)

/**
 * drm_shmem_sgt_or_interruptible() - drm_shmem_sgt_or() with an interruptible wait
 * @_s: name of the handle
 * @_bound: the &struct drm_dev_ctx_bound of the object's device
 * @_obj: the object
 * @_err: variable for the result
 * @...: statement that leaves the scope
 *
 * Context: As drm_shmem_sgt_guard_interruptible().
 */
#define drm_shmem_sgt_or_interruptible(_s, _bound, _obj, _err, ...)		\
	__drm_shmem_sgt_or(drm_shmem_sgt_interruptible, _s, _bound, _obj, _err, __VA_ARGS__)

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
 * @own: handle to fill in, a zeroed &struct drm_shmem_sgt_owned
 * @bound: the &struct drm_dev_ctx_bound of the object's device
 * @obj: the object
 *
 * For an import that follows moves, see &drm_shmem_obj_type.moved, this always takes the
 * reservation lock, so that the moved step cannot miss @own.
 *
 * Context: May sleep. Without the object's reservation lock.
 *
 * Return: as the result of drm_shmem_sgt_guard(), or -EBUSY if the handle is in
 * use.
 */
static __always_inline int __must_check
drm_shmem_sgt_own(struct drm_shmem_sgt_owned *own, const struct drm_dev_ctx_bound *bound,
		  struct drm_shmem_obj *obj)
	__must_not_hold(drm_resv)
{
	return __drm_shmem_sgt_own(own, __drm_dev_ctx_proven(bound), obj, DRM_RESV_LOCKS);
}

/**
 * drm_shmem_sgt_own_interruptible() - drm_shmem_sgt_own() with an interruptible wait
 * @own: handle to fill in
 * @bound: the &struct drm_dev_ctx_bound of the object's device
 * @obj: the object
 *
 * Context: As drm_shmem_sgt_own(), but a signal ends the wait for the reservation lock.
 *
 * Return: as drm_shmem_sgt_own(); -EINTR if a signal came, with nothing changed.
 */
static __always_inline int __must_check
drm_shmem_sgt_own_interruptible(struct drm_shmem_sgt_owned *own,
				const struct drm_dev_ctx_bound *bound, struct drm_shmem_obj *obj)
	__must_not_hold(drm_resv)
{
	return __drm_shmem_sgt_own(own, __drm_dev_ctx_proven(bound), obj,
				   DRM_RESV_LOCKS_INTERRUPTIBLE);
}

/**
 * drm_shmem_sgt_own_locked() - the same, with the reservation lock held
 * @own: handle to fill in
 * @bound: the &struct drm_dev_ctx_bound of the object's device
 * @obj: the object
 *
 * Context: May sleep. The caller holds the object's reservation lock.
 *
 * Return: as drm_shmem_sgt_own().
 */
static __always_inline int __must_check
drm_shmem_sgt_own_locked(struct drm_shmem_sgt_owned *own, const struct drm_dev_ctx_bound *bound,
			 struct drm_shmem_obj *obj)
	__must_hold(drm_resv)
{
	return __drm_shmem_sgt_own(own, __drm_dev_ctx_proven(bound), obj, DRM_RESV_LOCKED);
}

/**
 * drm_shmem_sgt_resume() - use an owned sg table again
 * @own: the handle; nothing happens if it is not suspended
 * @bound: the &struct drm_dev_ctx_bound of the object's device
 *
 * Other threads may be in drm_shmem_sgt_guard_owned() meanwhile.
 *
 * Context: May sleep. The caller holds the object's reservation lock.
 *
 * Return: as the result of drm_shmem_sgt_guard(); -EINVAL also if the handle is empty. On
 * failure the handle stays suspended.
 */
static __always_inline int __must_check
drm_shmem_sgt_resume(struct drm_shmem_sgt_owned *own, const struct drm_dev_ctx_bound *bound)
	__must_hold(drm_resv)
{
	return __drm_shmem_sgt_resume(own, __drm_dev_ctx_proven(bound));
}

#endif /* _DRM_SHMEM_SGT_H */
