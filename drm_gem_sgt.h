/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _DRM_GEM_SGT_H
#define _DRM_GEM_SGT_H

#include <linux/dma-direction.h>
#include <linux/refcount.h>
#include <linux/scatterlist.h>

#include "drm_dev_ctx.h"
#include "drm_safe_resv.h"

struct dma_buf;
struct dma_buf_attachment;
struct drm_gem_object;

/*
 * struct drm_gem_table - the sg table of an object, which is revoked when the parent is unbound
 *
 * Embedded in &struct drm_gem_sgt and &struct drm_shmem_obj, which know the object and make the
 * table.
 *
 * Invariants:
 *
 * - @__sgt is NULL, a table that is mapped, or ERR_PTR(-ENODEV) forever after revocation. It is
 *   changed under the reservation lock, or by the task that frees the object. While a table
 *   exists, @__revocable is on the list of entries to revoke when the parent is unbound, or the
 *   task that is about to unmap the table has taken the entry off.
 * - @__users is zero while @__sgt is NULL, and one more than the number of counted users
 *   otherwise. It goes to and from zero under the reservation lock. For the exception, see
 *   __DRM_SHMEM_STALE in &struct drm_shmem_obj.
 * - @__pins belongs to &struct drm_shmem_obj, and is here to fill a hole.
 */
struct drm_gem_table {
	/* private: */
	struct sg_table *__sgt;
	refcount_t __users;
	unsigned int __pins;
	struct drm_dev_ctx_revocable __revocable;
};

/*
 * struct drm_gem_table_own - one user of a table, which can be suspended
 *
 * The base of the owned handles, which add the type of the object.
 *
 * Invariants:
 *
 * - One thread at a time changes a handle, except that one thread may suspend the handle while
 *   another releases it.
 * - While @__of is not NULL and @__suspended is not set, the handle is one counted user. The call
 *   that exchanges @__suspended from 0 to 1 gives up that user. @__suspended becomes 0 under the
 *   reservation lock, or in an empty handle.
 * - While @__of is not NULL, the handle holds a reference to the object.
 */
struct drm_gem_table_own {
	/* private: */
	struct drm_gem_table *__of;
	unsigned int __suspended;
	struct drm_dev_ctx_handle __handle;
};

/* Returns whether the @__sgt of a table is mapped, and neither NULL nor an error. */
static __always_inline bool __drm_gem_is_table(const struct sg_table *sgt)
{
	return !IS_ERR_OR_NULL(sgt);
}

int __drm_gem_sgt_check_drm(const struct drm_dev_ctx_bound *bound, struct drm_device *drm)
	__drm_nonallocating;

int __drm_gem_resv_check(struct drm_gem_object *gem, bool locked);

/*
 * Checks whether the caller uses the right form of a function, with or without _locked, in a
 * context that may sleep. With lockdep, this checks each call. Without lockdep, only slow paths
 * check the form: see drm_gem_resv_check_slow().
 */
static __always_inline int __drm_gem_resv_check_call(struct drm_gem_object *gem, bool locked)
{
	/* Unlike might_sleep(), this compiles to nothing unless it is configured. */
	__might_sleep(__FILE__, __LINE__);
	if (IS_ENABLED(CONFIG_PROVE_LOCKING))
		return __drm_gem_resv_check(gem, locked);
	return 0;
}

/**
 * struct drm_gem_sgt_ops - where the sg table of an object comes from
 *
 * @map is called once for each table, and then @unmap once.
 */
struct drm_gem_sgt_ops {
	/**
	 * @map:
	 *
	 * Makes the table, mapped for drm_dev_dma_dev() of the object's device. The memory must
	 * not move until @unmap. May sleep. Called under the reservation lock. Returns the table
	 * or an ERR_PTR(). The library reports NULL as an error.
	 *
	 * The parent is bound, and the registration data is not released before the step
	 * returns. If drm_gem_sgt_prepare_locked() calls the step, quiesce may run or have returned
	 * meanwhile, and the end of the registration waits for the step, which must not wait for
	 * that end.
	 */
	struct sg_table *(*map)(struct drm_gem_object *gem);

	/**
	 * @unmap:
	 *
	 * Undoes @map, and frees the table. May sleep, also in memory reclaim. Called
	 * under the reservation lock, unless the object is being freed, and has no user.
	 */
	void (*unmap)(struct drm_gem_object *gem, struct sg_table *sgt);

	/**
	 * @revoked:
	 *
	 * Optional. The table was unmapped because the parent of the device is being unbound.
	 * Called once, under the reservation lock, with a reference.
	 */
	void (*revoked)(struct drm_gem_object *gem);

	/**
	 * @map_for:
	 *
	 * Optional, for drm_gem_sgt_export(). Makes a table that is mapped for @attach->dev, an
	 * importer of a dma-buf of the object. The memory stays where it is until @unmap_for. May
	 * sleep. Called under the reservation lock, and in a section, so that an unplug waits for
	 * it. Returns the table or an ERR_PTR(), and not NULL, which is reported.
	 */
	struct sg_table *(*map_for)(struct drm_gem_object *gem, struct dma_buf_attachment *attach,
				    enum dma_data_direction dir);

	/**
	 * @unmap_for:
	 *
	 * Undoes @map_for, and frees the table. Called under the reservation lock, which the
	 * importer may hold in memory reclaim, and while the parent is bound, but perhaps after
	 * the registration data was released. An unbind waits for this step, so it takes no
	 * lock that is held around the unbind.
	 */
	void (*unmap_for)(struct drm_gem_object *gem, struct dma_buf_attachment *attach,
			  struct sg_table *sgt, enum dma_data_direction dir);
};

/**
 * struct drm_gem_sgt - the sg table of an object that is not a &struct drm_shmem_obj
 *
 * The driver embeds this in the structure of a GEM object whose memory is not shmem, but for
 * example VRAM, coherent memory or a carveout. The library maps the table when it is first
 * needed, and unmaps it exactly once, like the table of a &struct drm_shmem_obj.
 *
 * Invariants:
 *
 * - @__gem is NULL before drm_gem_sgt_init() and after drm_gem_sgt_fini(), and the object
 *   that this is part of in between.
 * - @__importers is the number of tables that importers of its dma-bufs have. It is changed under
 *   the reservation lock.
 */
struct drm_gem_sgt {
	/* private: */
	struct drm_gem_table __table;
	struct drm_gem_object *__gem;
	const struct drm_gem_sgt_ops *__ops;
	unsigned int __importers;

	__DRM_SAFE_NO_ASSIGN;
};

/**
 * struct drm_gem_sgt_lent - borrowed sg table of any object
 *
 * See &struct drm_shmem_sgt.
 *
 * Invariants:
 *
 * - @__of counts this handle as a user, and @__table is mapped until the end of the scope.
 *   Functions that make a handle may set @__table to an ERR_PTR(), in which case there is no
 *   handle, and @__of is NULL.
 */
struct drm_gem_sgt_lent {
	/* private: */
	struct sg_table *__table;
	struct drm_gem_sgt *__of;

	__DRM_SAFE_NO_ASSIGN;
};

/**
 * struct drm_gem_sgt_owned - owned sg table of any object
 *
 * Like &struct drm_shmem_sgt_owned, this keeps the object, and protects the table from everything
 * but revocation. A suspended handle keeps only the object. Put the handle in the structure that
 * has the addresses, such as a mapping, and not in the object, which it would keep for ever.
 */
struct drm_gem_sgt_owned {
	/* private: */
	struct drm_gem_table_own __own;

	__DRM_SAFE_NO_ASSIGN;
};

int drm_gem_sgt_init(struct drm_gem_sgt *sgt, struct drm_gem_object *gem,
		     const struct drm_gem_sgt_ops *ops) __must_check __nonnull_args(1, 2, 3);
void drm_gem_sgt_fini(struct drm_gem_sgt *sgt) __nonnull_args(1);
int drm_gem_sgt_unmap_locked(struct drm_gem_sgt *sgt)
	__must_check __nonnull_args(1) __must_hold(drm_resv);

struct dma_buf *drm_gem_sgt_export(struct drm_gem_sgt *sgt, int flags)
	__must_check __nonnull_args(1);
struct drm_gem_object *drm_gem_sgt_prime_import(struct drm_device *drm, struct dma_buf *dma_buf)
	__must_check __nonnull_args(1, 2);
void __drm_gem_sgt_exports_end(const struct drm_dev_ctx_bound *bound);

/**
 * drm_gem_sgt_exports_end() - end the exports of a device, in quiesce
 * @bound: the proof that &drm_dev_ctx_ops.quiesce gets
 *
 * For a driver whose quiesce step turns off memory of drm_gem_sgt_export(). Does earlier what the
 * unbind would do: notifies all importers, waits for the fences of their jobs, and then until they
 * have unmapped the last table. drm_gem_sgt_export() fails from here on. Later calls have nothing
 * left to do. If several tasks make this call at the same time, each returns when all importers
 * have unmapped.
 *
 * An importer may wait for the fences of the device's own jobs, so these are signalled before. The
 * wait ends when the last importer has unmapped. In drm_dev_ctx_shutdown(), it ends after some
 * seconds: importers that still have a table are named in the log, and quiesce goes on.
 *
 * Does not compile in the scope of drm_dev_ctx_guard() or drm_dev_ctx_or(). A call outside the
 * quiesce step, and outside of code that quiesce waits for, does nothing and is reported. In the
 * quiesce step of data that a device refused, because it has other data, this does nothing: the
 * device goes on.
 *
 * Context: May sleep. In no section. Without any reservation lock. The caller holds no lock that
 * the steps of exported objects take.
 */
static inline void drm_gem_sgt_exports_end(const struct drm_dev_ctx_bound *bound)
	__must_not_hold(drm_resv) __must_not_hold(drm_dev_section)
{
	__drm_gem_sgt_exports_end(__drm_dev_ctx_proven(bound));
}

#define drm_gem_sgt_exports_end(_bound)						\
	drm_gem_sgt_exports_end(({ __drm_dev_ctx_assert_quiesce(); (_bound); }))

int __drm_gem_sgt_prepare(struct drm_gem_sgt *sgt)
	__must_check __nonnull_args(1) __must_hold(drm_resv);
struct sg_table *__drm_gem_sgt_share(struct drm_gem_sgt *sgt) __must_check __drm_nonallocating;
struct sg_table *__drm_gem_sgt_get(const struct drm_dev_ctx_bound *bound, struct drm_gem_sgt *sgt,
				   enum drm_resv_how how);
int __drm_gem_sgt_own(struct drm_gem_sgt_owned *own, const struct drm_dev_ctx_bound *bound,
		      struct drm_gem_sgt *sgt, enum drm_resv_how how) __must_check;
int __drm_gem_sgt_resume(struct drm_gem_sgt_owned *own, const struct drm_dev_ctx_bound *bound)
	__must_check __must_hold(drm_resv);
void drm_gem_sgt_release(struct drm_gem_sgt_owned *own) __nonnull_args(1);

/**
 * drm_gem_sgt_cleanup() - release an owned sg table, at the end of a scope or of a structure
 * @own: the handle, which may be empty and is so afterwards
 *
 * Like drm_shmem_sgt_cleanup().
 *
 * Context: As drm_gem_sgt_release().
 */
static inline void drm_gem_sgt_cleanup(struct drm_gem_sgt_owned *own)
{
	drm_gem_sgt_release(own);
}

/**
 * drm_gem_sgt_is_empty() - is an owned handle empty?
 * @own: the handle
 *
 * Like drm_shmem_sgt_is_empty().
 *
 * Context: Any.
 *
 * Return: whether it was never filled, or was released since.
 */
static inline bool drm_gem_sgt_is_empty(const struct drm_gem_sgt_owned *own)
{
	return !READ_ONCE(own->__own.__of);
}

void drm_gem_sgt_move(struct drm_gem_sgt_owned *to, struct drm_gem_sgt_owned *from)
	__nonnull_args(1, 2);
void drm_gem_sgt_suspend(struct drm_gem_sgt_owned *own)
	__nonnull_args(1) __must_hold(drm_resv);

static __always_inline struct drm_gem_sgt_lent
__drm_gem_sgt_begin(const struct drm_dev_ctx_bound *bound, struct drm_gem_sgt *sgt,
		    enum drm_resv_how how, int *err)
{
	struct sg_table *table;

	__drm_dev_ctx_proven(bound);
	table = __drm_gem_sgt_get(bound, sgt, how);
	*err = PTR_ERR_OR_ZERO(table);
	return (struct drm_gem_sgt_lent) {
		.__table = table,
		.__of = IS_ERR(table) ? NULL : sgt,
	};
}

/*
 * An owner is a counted user, so the table stays unless it is revoked. Suspending the owner during
 * the block gives up that user, so the block is a counted user of its own.
 */
static __always_inline struct drm_gem_sgt_lent
__drm_gem_sgt_try(const struct drm_dev_ctx_bound *bound, const struct drm_gem_sgt_owned *own,
		  int *err)
{
	struct drm_gem_sgt *of = container_of(own->__own.__of, struct drm_gem_sgt, __table);
	struct sg_table *table;

	__drm_dev_ctx_proven(bound);
	if (!own->__own.__of)
		table = ERR_PTR(-EINVAL);
	else if (unlikely(of->__gem->dev != &bound->__ctx->drm))
		table = ERR_PTR(__drm_gem_sgt_check_drm(bound, of->__gem->dev));
	/* Acquire: pairs with the release in __drm_gem_table_resumed(), see sgt-resume.litmus. */
	else if (unlikely(smp_load_acquire(&own->__own.__suspended)))
		table = ERR_PTR(-EAGAIN);
	else
		table = __drm_gem_sgt_share(of);
	*err = PTR_ERR_OR_ZERO(table);
	return (struct drm_gem_sgt_lent) {
		.__table = table,
		.__of = IS_ERR(table) ? NULL : of,
	};
}

/* The classes that scoped_guard() uses. They do not use DEFINE_CLASS(), as in drm_shmem_sgt.h. */
typedef struct drm_gem_sgt_lent class_drm_gem_sgt_t;
typedef struct drm_gem_sgt_lent class_drm_gem_sgt_interruptible_t;
typedef struct drm_gem_sgt_lent class_drm_gem_sgt_locked_t;
typedef struct drm_gem_sgt_lent class_drm_gem_sgt_owned_t;

static __always_inline struct drm_gem_sgt_lent
class_drm_gem_sgt_constructor(const struct drm_dev_ctx_bound *bound, struct drm_gem_sgt *sgt,
			      int *err)
	__must_not_hold(drm_resv)
{
	return __drm_gem_sgt_begin(bound, sgt, DRM_RESV_LOCKS, err);
}

static __always_inline struct drm_gem_sgt_lent
class_drm_gem_sgt_interruptible_constructor(const struct drm_dev_ctx_bound *bound,
					    struct drm_gem_sgt *sgt, int *err)
	__must_not_hold(drm_resv)
{
	return __drm_gem_sgt_begin(bound, sgt, DRM_RESV_LOCKS_INTERRUPTIBLE, err);
}

static __always_inline struct drm_gem_sgt_lent
class_drm_gem_sgt_locked_constructor(const struct drm_dev_ctx_bound *bound,
				     struct drm_gem_sgt *sgt, int *err)
	__must_hold(drm_resv)
{
	return __drm_gem_sgt_begin(bound, sgt, DRM_RESV_LOCKED, err);
}

static __always_inline struct drm_gem_sgt_lent
class_drm_gem_sgt_owned_constructor(const struct drm_dev_ctx_bound *bound,
				    const struct drm_gem_sgt_owned *own, int *err)
{
	return __drm_gem_sgt_try(bound, own, err);
}

static __always_inline void class_drm_gem_sgt_destructor(struct drm_gem_sgt_lent *lent)
{
	/*
	 * Release: pairs with the acquire in __drm_gem_table_unmap_idle(), see
	 * sgt-reclaim.litmus. Accesses through the table come before it can be unmapped.
	 */
	if (lent->__of)
		refcount_dec(&lent->__of->__table.__users);
}

static __always_inline void *class_drm_gem_sgt_lock_ptr(struct drm_gem_sgt_lent *lent)
{
	return IS_ERR(lent->__table) ? NULL : lent;
}

#define class_drm_gem_sgt_is_conditional		true
#define class_drm_gem_sgt_interruptible_destructor	class_drm_gem_sgt_destructor
#define class_drm_gem_sgt_interruptible_lock_ptr	class_drm_gem_sgt_lock_ptr
#define class_drm_gem_sgt_interruptible_is_conditional	true
#define class_drm_gem_sgt_locked_destructor		class_drm_gem_sgt_destructor
#define class_drm_gem_sgt_locked_lock_ptr		class_drm_gem_sgt_lock_ptr
#define class_drm_gem_sgt_locked_is_conditional		true
#define class_drm_gem_sgt_owned_destructor		class_drm_gem_sgt_destructor
#define class_drm_gem_sgt_owned_lock_ptr		class_drm_gem_sgt_lock_ptr
#define class_drm_gem_sgt_owned_is_conditional		true

/* Like __drm_shmem_sgt_guard() */
#define __drm_gem_sgt_guard(_class, _s, _bound, _from, _err)			\
	scoped_guard(_class, _bound, _from, &(_err))				\
		for (const struct drm_gem_sgt_lent _s[1] __maybe_unused = { scope }, \
		     *__once = _s; __once; __once = NULL)			\
			__drm_safe_no_jump_into(_s, __once, __once = NULL)

/* Like __drm_shmem_sgt_or() */
#define __drm_gem_sgt_or(_class, _s, _bound, _sgt, _err, ...)			\
	CLASS(_class, __scope_##_s)(_bound, _sgt, &(_err));			\
	if (IS_ERR(__scope_##_s.__table)) {					\
		__VA_ARGS__;							\
		__drm_safe_must_leave();					\
	}									\
	__drm_safe_no_jump(_s, __scope_##_s);					\
	const struct drm_gem_sgt_lent _s[1] __maybe_unused = { __scope_##_s }

/**
 * drm_gem_sgt_guard() - run a block with the sg table of any object
 * @_s: name of the handle in the block, a const &struct drm_gem_sgt_lent
 * @_bound: the &struct drm_dev_ctx_bound of the object's device
 * @_sgt: the &struct drm_gem_sgt of the object, which the caller keeps alive
 * @_err: variable for the result: 0; with a report, -EINVAL if the object belongs to another
 *	device, if drm_gem_sgt_init() was not called, or if the DMA device was changed after the
 *	first table; -ENODEV if the table was revoked; -EINTR if the object is imported and the
 *	task was killed while it waited for the exporter's lock; with a report, -EALREADY if the
 *	caller is found to hold the lock; an error of the map step; or, for the first table of a
 *	device, an error of the device link to the DMA device, as for drm_dev_ctx_dma_alloc()
 *
 * The block is skipped if @_err is set. The block is a loop that runs at most once: break
 * leaves it.
 *
 * Context: May sleep. Without the object's reservation lock.
 */
#define drm_gem_sgt_guard(_s, _bound, _sgt, _err)				\
	__drm_gem_sgt_guard(drm_gem_sgt, _s, _bound, _sgt, _err)

/**
 * drm_gem_sgt_guard_locked() - the same, with the reservation lock held
 * @_s: name of the handle in the block
 * @_bound: the &struct drm_dev_ctx_bound of the object's device
 * @_sgt: the &struct drm_gem_sgt of the object
 * @_err: variable for the result
 *
 * Context: May sleep. The caller holds the object's reservation lock.
 */
#define drm_gem_sgt_guard_locked(_s, _bound, _sgt, _err)			\
	__drm_gem_sgt_guard(drm_gem_sgt_locked, _s, _bound, _sgt, _err)

/**
 * drm_gem_sgt_guard_interruptible() - drm_gem_sgt_guard() with an interruptible wait
 * @_s: name of the handle in the block
 * @_bound: the &struct drm_dev_ctx_bound of the object's device
 * @_sgt: the &struct drm_gem_sgt of the object
 * @_err: variable for the result, as in drm_gem_sgt_guard(); or -EINTR if a signal arrived, with
 *	nothing changed: the ioctl returns this error, and userspace repeats the ioctl
 *
 * Context: As drm_gem_sgt_guard(), but a signal ends the wait for the reservation lock.
 */
#define drm_gem_sgt_guard_interruptible(_s, _bound, _sgt, _err)			\
	__drm_gem_sgt_guard(drm_gem_sgt_interruptible, _s, _bound, _sgt, _err)

/**
 * drm_gem_sgt_guard_owned() - run a block with an owned sg table
 * @_s: name of the handle in the block
 * @_bound: the &struct drm_dev_ctx_bound of the object's device
 * @_own: the &struct drm_gem_sgt_owned
 * @_err: variable for the result: 0; -EINVAL if the handle is empty or the object belongs to
 *	another device; -ENODEV if the table was revoked; -EAGAIN if the handle is suspended
 *
 * The block is skipped if @_err is set. If the handle is suspended while the block runs, the table
 * stays mapped until the end of the block.
 *
 * Context: Any.
 */
#define drm_gem_sgt_guard_owned(_s, _bound, _own, _err)				\
	__drm_gem_sgt_guard(drm_gem_sgt_owned, _s, _bound, _own, _err)

/**
 * drm_gem_sgt_or() - borrow the sg table of any object for the rest of the scope
 * @_s: name of the handle
 * @_bound: the &struct drm_dev_ctx_bound of the object's device
 * @_sgt: the &struct drm_gem_sgt of the object
 * @_err: variable for the result, as in drm_gem_sgt_guard()
 * @...: statement that leaves the scope if @_err is set
 *
 * Context: As drm_gem_sgt_guard().
 */
#define drm_gem_sgt_or(_s, _bound, _sgt, _err, ...)				\
	__drm_gem_sgt_or(drm_gem_sgt, _s, _bound, _sgt, _err, __VA_ARGS__)

/**
 * drm_gem_sgt_or_locked() - the same, with the reservation lock held
 * @_s: name of the handle
 * @_bound: the &struct drm_dev_ctx_bound of the object's device
 * @_sgt: the &struct drm_gem_sgt of the object
 * @_err: variable for the result
 * @...: statement that leaves the scope
 *
 * Context: As drm_gem_sgt_guard_locked().
 */
#define drm_gem_sgt_or_locked(_s, _bound, _sgt, _err, ...)			\
	__drm_gem_sgt_or(drm_gem_sgt_locked, _s, _bound, _sgt, _err, __VA_ARGS__)

/**
 * drm_gem_sgt_or_interruptible() - drm_gem_sgt_or() with an interruptible wait
 * @_s: name of the handle
 * @_bound: the &struct drm_dev_ctx_bound of the object's device
 * @_sgt: the &struct drm_gem_sgt of the object
 * @_err: variable for the result
 * @...: statement that leaves the scope
 *
 * Context: As drm_gem_sgt_guard_interruptible().
 */
#define drm_gem_sgt_or_interruptible(_s, _bound, _sgt, _err, ...)		\
	__drm_gem_sgt_or(drm_gem_sgt_interruptible, _s, _bound, _sgt, _err, __VA_ARGS__)

/**
 * drm_gem_sgt_prepare_locked() - map the sg table of any object, before a section uses it
 * @sgt: the &struct drm_gem_sgt of the object
 *
 * Like drm_shmem_sgt_prepare_locked(): an unplug of any device waits for all sections, and the map
 * step can take long, for example if memory has to be swapped in or an exporter moves its memory.
 * Only the end of this device's own registration waits for the map step, because the step may use
 * the registration data. In a section under the same lock, drm_gem_sgt_own_locked(),
 * drm_gem_sgt_guard_locked() and drm_gem_sgt_resume() then find the table, which has no user yet.
 *
 * Context: May sleep. In no section. The caller holds the object's reservation lock.
 *
 * Return: 0; -ENODEV unless the device is registered, or if the table was revoked; -EINVAL, with a
 * report, if @sgt is not initialised, the lock is not held, the DMA device was changed, or, if
 * CONFIG_DRM_SAFE_DEBUG sees it, in a section; or an error of the map step.
 */
static inline int __must_check drm_gem_sgt_prepare_locked(struct drm_gem_sgt *sgt)
	__must_hold(drm_resv) __must_not_hold(drm_dev_section)
{
	return __drm_gem_sgt_prepare(sgt);
}

#define drm_gem_sgt_prepare_locked(_sgt)					\
	drm_gem_sgt_prepare_locked(({ __drm_dev_ctx_assert_outside(); (_sgt); }))

/**
 * drm_gem_sgt_table() - the table
 * @lent: the handle
 *
 * Return: the table, borrowed for the scope of @lent.
 */
static __always_inline const struct sg_table *drm_gem_sgt_table(const struct drm_gem_sgt_lent *lent)
{
	return lent->__table;
}

/**
 * drm_gem_sgt_own() - own the sg table of any object
 * @own: handle to fill in, a zeroed &struct drm_gem_sgt_owned
 * @bound: the &struct drm_dev_ctx_bound of the object's device
 * @sgt: the &struct drm_gem_sgt of the object
 *
 * Context: May sleep. Without the object's reservation lock.
 *
 * Return: as the result of drm_gem_sgt_guard(), or -EBUSY if the handle is in use.
 */
static __always_inline int __must_check
drm_gem_sgt_own(struct drm_gem_sgt_owned *own, const struct drm_dev_ctx_bound *bound,
		struct drm_gem_sgt *sgt)
	__must_not_hold(drm_resv)
{
	return __drm_gem_sgt_own(own, __drm_dev_ctx_proven(bound), sgt, DRM_RESV_LOCKS);
}

/**
 * drm_gem_sgt_own_interruptible() - drm_gem_sgt_own() with an interruptible wait
 * @own: handle to fill in
 * @bound: the &struct drm_dev_ctx_bound of the object's device
 * @sgt: the &struct drm_gem_sgt of the object
 *
 * Context: As drm_gem_sgt_own(), but a signal ends the wait for the reservation lock.
 *
 * Return: as drm_gem_sgt_own(); or -EINTR if a signal arrived, with nothing changed.
 */
static __always_inline int __must_check
drm_gem_sgt_own_interruptible(struct drm_gem_sgt_owned *own,
			      const struct drm_dev_ctx_bound *bound, struct drm_gem_sgt *sgt)
	__must_not_hold(drm_resv)
{
	return __drm_gem_sgt_own(own, __drm_dev_ctx_proven(bound), sgt,
				 DRM_RESV_LOCKS_INTERRUPTIBLE);
}

/**
 * drm_gem_sgt_own_locked() - the same, with the reservation lock held
 * @own: handle to fill in
 * @bound: the &struct drm_dev_ctx_bound of the object's device
 * @sgt: the &struct drm_gem_sgt of the object
 *
 * Context: May sleep. The caller holds the object's reservation lock.
 *
 * Return: as drm_gem_sgt_own().
 */
static __always_inline int __must_check
drm_gem_sgt_own_locked(struct drm_gem_sgt_owned *own, const struct drm_dev_ctx_bound *bound,
		       struct drm_gem_sgt *sgt)
	__must_hold(drm_resv)
{
	return __drm_gem_sgt_own(own, __drm_dev_ctx_proven(bound), sgt, DRM_RESV_LOCKED);
}

/**
 * drm_gem_sgt_resume() - use an owned sg table again
 * @own: the handle; nothing happens if it is not suspended
 * @bound: the &struct drm_dev_ctx_bound of the object's device
 *
 * Context: May sleep. The caller holds the object's reservation lock.
 *
 * Return: as the result of drm_gem_sgt_guard(); -EINVAL also if the handle is empty. On
 * failure the handle stays suspended.
 */
static __always_inline int __must_check
drm_gem_sgt_resume(struct drm_gem_sgt_owned *own, const struct drm_dev_ctx_bound *bound)
	__must_hold(drm_resv)
{
	return __drm_gem_sgt_resume(own, __drm_dev_ctx_proven(bound));
}

#endif /* _DRM_GEM_SGT_H */
