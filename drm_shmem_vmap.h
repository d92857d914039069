/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _DRM_SHMEM_VMAP_H
#define _DRM_SHMEM_VMAP_H

#include <linux/io.h>
#include <linux/io-64-nonatomic-lo-hi.h>

#include "drm_shmem_obj.h"

/*
 * struct drm_vmap - content of every mapping handle
 *
 * Invariants:
 *
 * - A handle is in one of three states. It is empty: @addr is NULL, @size is 0 and the other
 *   members mean nothing. Or it is one user of the mapping of @shmem, which has @size bytes at
 *   @addr. Or @shmem is NULL, and a struct drm_dev_ctx_res lends the handle.
 * - @addr is an __iomem address if and only if the iomem flag is set, and the kind of the
 *   handle's type allows that.
 * - While @addr is not NULL, @size is at least the minimum size of the handle's
 *   type, and at most the size of the dma-buf of an imported object.
 */
struct drm_vmap {
	void *addr;
	size_t size;
	struct drm_gem_shmem_object *shmem;
#ifdef CONFIG_DRM_SAFE_DEBUG
	struct ref_tracker *tracker;
	struct drm_dev_ctx_handle handle;
#endif
	unsigned int flags;
};

/* Bits of @flags */
enum {
	__DRM_VMAP_FLAG_IOMEM = BIT(0),	/* same value as __DRM_SHMEM_IOMEM */
	__DRM_VMAP_FLAG_PLAIN = BIT(1),	/* the object is no struct drm_shmem_obj */
};

static_assert((unsigned int)__DRM_VMAP_FLAG_IOMEM == (unsigned int)__DRM_SHMEM_IOMEM);

/* Kinds of memory that the mapping of a handle may be in */
enum {
	__DRM_VMAP_KIND_SYSMEM = 1,
	__DRM_VMAP_KIND_IOMEM,
	__DRM_VMAP_KIND_EITHER,
	__DRM_VMAP_KIND_CONST,		/* system memory, read-only */
};

/* The arrays have no elements. The size of an element carries the information. */
#define __DRM_VMAP(_kind, _min)							\
	static_assert((_min) > 0);						\
	union {									\
		/* private: */							\
		struct drm_vmap __map;						\
		struct drm_vmap __only_borrowed_handles_are_made_local;		\
		u8 __min_size[0][_min];						\
		u8 __kind[0][_kind];						\
		u8 __align[0][sizeof(u64)];					\
	};									\
	__DRM_SAFE_NO_ASSIGN

/**
 * DRM_VMAP() - members of a borrowed mapping handle
 * @_min: minimum size of the mapping in bytes, a constant
 *
 * The driver defines a structure with these members only:
 *
 * .. code-block:: c
 *
 *	struct foo_ring {
 *		DRM_VMAP(SZ_4K);
 *	};
 *
 * The mapping is in system memory. Mapping an object that is smaller than
 * @_min fails with -ENOSPC. Mapping an imported object whose exporter maps I/O
 * memory fails with -EOPNOTSUPP.
 */
#define DRM_VMAP(_min)		__DRM_VMAP(__DRM_VMAP_KIND_SYSMEM, _min)

/**
 * DRM_VMAP_IOMEM() - members of a borrowed handle on a mapping in I/O memory
 * @_min: minimum size of the mapping in bytes
 *
 * Like DRM_VMAP(), but mapping an object in system memory fails with -EOPNOTSUPP.
 */
#define DRM_VMAP_IOMEM(_min)	__DRM_VMAP(__DRM_VMAP_KIND_IOMEM, _min)

/**
 * DRM_VMAP_EITHER() - members of a borrowed handle on a mapping of either kind
 * @_min: minimum size of the mapping in bytes
 *
 * Like DRM_VMAP(), but accepts either kind of memory. Each access tests the kind.
 */
#define DRM_VMAP_EITHER(_min)	__DRM_VMAP(__DRM_VMAP_KIND_EITHER, _min)

/**
 * DRM_VMAP_CONST() - members of a borrowed handle on a read-only mapping
 * @_min: minimum size of the mapping in bytes
 *
 * Like DRM_VMAP(), but code that writes does not compile.
 */
#define DRM_VMAP_CONST(_min)	__DRM_VMAP(__DRM_VMAP_KIND_CONST, _min)

/**
 * DRM_VMAP_OWNED() - members of an owned mapping handle
 * @_type: the borrowed type that the handle can be lent as, such as ``struct foo_ring``
 *
 * An owned handle has the minimum size and the kind of memory of @_type:
 *
 * .. code-block:: c
 *
 *	struct foo_ring_owned {
 *		DRM_VMAP_OWNED(struct foo_ring);
 *	};
 */
#define DRM_VMAP_OWNED(_type)							\
	union {									\
		/* private: */							\
		struct drm_vmap __map;						\
		struct drm_vmap __only_owned_handles_are_filled_moved_or_released; \
		_type __only_owned_handles_are_lent;				\
		u8 __min_size[0][__drm_vmap_min((_type *)0)];			\
		u8 __kind[0][__drm_vmap_kind((_type *)0)];			\
		u8 __align[0][__drm_vmap_align((_type *)0)];			\
	};									\
	__DRM_SAFE_NO_ASSIGN

/*
 * The function at the end of a scope gets the driver's structure and treats it as its
 * content, so the structure must have no other members. Everything that fills in or lends
 * a handle uses the minimum size, so this is the place for the check.
 */
#define __drm_vmap_min(_v)							\
	(sizeof((_v)->__min_size[0]) +						\
	 BUILD_BUG_ON_ZERO(sizeof(*(_v)) != sizeof(struct drm_vmap),		\
			   "a mapping handle has the members of DRM_VMAP() only"))
#define __drm_vmap_kind(_v)	sizeof((_v)->__kind[0])
#define __drm_vmap_align(_v)	sizeof((_v)->__align[0])

/* The size of an access to @_T. It has to be aligned wherever the handle may begin. */
#define __drm_vmap_access(_v, _T)						\
	(sizeof(_T) +								\
	 BUILD_BUG_ON_ZERO(sizeof(_T) <= sizeof(u64) && sizeof(_T) > __drm_vmap_align(_v), \
			   "the structure of this view is aligned to less than this access"))

/* Arguments for the functions below: a handle, with the properties of its type */
#define __drm_vmap_args(_v)	&(_v)->__map, __drm_vmap_min(_v), __drm_vmap_kind(_v)
#define __drm_vmap_try_args(_v)	&(_v)->__map, __drm_vmap_kind(_v)

/* The same for an owned handle. The compiler's message shows the name of the member. */
#define __drm_vmap_owned(_own)							\
	(&(_own)->__only_owned_handles_are_filled_moved_or_released)
#define __drm_vmap_owned_args(_own)						\
	__drm_vmap_owned(_own), __drm_vmap_min(_own), __drm_vmap_kind(_own)

/* More arguments: an object, and whether it is not a struct drm_shmem_obj */
#define __drm_vmap_object(_obj)							\
	_obj, _Generic((_obj), struct drm_shmem_obj *: false,			\
		       struct drm_gem_shmem_object *: true)

int __drm_vmap_first(struct drm_shmem_obj *obj, enum drm_resv_how how);
void __drm_vmap_last(struct drm_shmem_obj *obj, bool locked);
int __drm_vmap_map_plain(struct drm_gem_shmem_object *shmem,
			 struct iosys_map *map, enum drm_resv_how how);
void __drm_vmap_unmap_plain(struct drm_gem_shmem_object *shmem, void *addr,
			    bool iomem, bool locked);
void __drm_vmap_overwritten(const struct drm_gem_object *gem);
void *__drm_vmap_unsafe_ptr(const struct drm_vmap *m, size_t size) __alloc_size(2);
int __drm_vmap_copy_to(const struct drm_vmap *m, u64 offset,
		       const void *src, u64 len);
int __drm_vmap_copy_from(const struct drm_vmap *m, u64 offset,
			 void *dst, u64 len);
int __drm_vmap_fill(const struct drm_vmap *m, u64 offset, u8 value, u64 len);
int __drm_vmap_from_user(const struct drm_vmap *m, u64 offset,
			 const void __user *src, u64 len) __must_not_hold(drm_resv);
int __drm_vmap_to_user(const struct drm_vmap *m, u64 offset,
		       void __user *dst, u64 len) __must_not_hold(drm_resv);

#ifdef CONFIG_DRM_SAFE_DEBUG
void __drm_vmap_track(struct drm_vmap *m);
void __drm_vmap_untrack(struct drm_vmap *m);
#else
static inline void __drm_vmap_track(struct drm_vmap *m) { }
static inline void __drm_vmap_untrack(struct drm_vmap *m) { }
#endif

static __always_inline void __drm_vmap_put(struct drm_shmem_obj *obj, bool locked)
{
	/*
	 * Release: pairs with the acquire in drm_vmap_last_locked(), see vmap-last.litmus.
	 * Accesses through the mapping come before it can be unmapped. The count reaches
	 * zero only under the reservation lock.
	 */
	if (!refcount_dec_not_one(&obj->__vmap_users))
		__drm_vmap_last(obj, locked);
}

static __always_inline bool __drm_vmap_wrong_kind(unsigned int kind, bool iomem)
{
	if (!iomem)
		return kind == __DRM_VMAP_KIND_IOMEM;
	return kind == __DRM_VMAP_KIND_SYSMEM || kind == __DRM_VMAP_KIND_CONST;
}

/* The address is not NULL, which lets the compiler drop checks. */
static __always_inline void
__drm_vmap_set(struct drm_vmap *m, struct drm_gem_shmem_object *shmem, void *addr,
	       size_t size, unsigned int flags)
{
	if (!addr)
		__builtin_unreachable();
	m->addr = addr;
	m->size = size;
	m->shmem = shmem;
	m->flags = flags;
	__drm_vmap_track(m);
}

/* Fills in @m, which is empty. On error @m stays empty. */
static __always_inline int
__drm_vmap_fill_in(struct drm_vmap *m, size_t min, unsigned int kind,
		   struct drm_shmem_obj *obj, enum drm_resv_how how)
{
	const bool locked = how == DRM_RESV_LOCKED;
	struct drm_gem_object *gem = &obj->base.base;
	size_t size = gem->size;
	unsigned int flags;
	int ret;

	ret = __drm_gem_resv_check_call(gem, locked);
	if (ret)
		return ret;
	if (unlikely(size < min))
		return -ENOSPC;
	/*
	 * Acquire: pairs with the release in drm_vmap_first_locked(), see
	 * vmap-first.litmus. A caller that sees a count that is not zero sees the
	 * matching address, and its own count keeps the address there: invariant of
	 * @__vmap_users.
	 */
	if (unlikely(!refcount_inc_not_zero_acquire(&obj->__vmap_users))) {
		ret = __drm_vmap_first(obj, how);
		if (ret)
			return ret;
	}

	/* One test covers most mappings: those of whole pages in system memory. */
	flags = READ_ONCE(obj->__flags) & (__DRM_SHMEM_IOMEM | __DRM_SHMEM_PARTIAL);
	if (unlikely(flags || kind == __DRM_VMAP_KIND_IOMEM)) {
		size = __drm_gem_bytes(gem);
		ret = __drm_vmap_wrong_kind(kind, flags & __DRM_SHMEM_IOMEM) ? -EOPNOTSUPP :
		      size < min ? -ENOSPC : 0;
		if (ret) {
			__drm_vmap_put(obj, locked);
			return ret;
		}
	}

	__drm_vmap_set(m, &obj->base, obj->__vaddr, size, flags & __DRM_SHMEM_IOMEM);
	return 0;
}

/* The same for an object that is not a struct drm_shmem_obj */
static __always_inline int
__drm_vmap_fill_in_plain(struct drm_vmap *m, size_t min, unsigned int kind,
			 struct drm_gem_shmem_object *shmem, enum drm_resv_how how)
{
	const bool locked = how == DRM_RESV_LOCKED;
	const size_t size = __drm_gem_bytes(&shmem->base);
	struct iosys_map map;
	void *addr;
	int ret;

	ret = __drm_gem_resv_check_call(&shmem->base, locked);
	if (ret)
		return ret;
	if (size < min)
		return -ENOSPC;
	ret = __drm_vmap_map_plain(shmem, &map, how);
	if (ret)
		return ret;

	/* The flag matches the address: second invariant of struct drm_vmap. */
	addr = map.is_iomem ? (void __force *)map.vaddr_iomem : map.vaddr;
	if (__drm_vmap_wrong_kind(kind, map.is_iomem)) {
		__drm_vmap_unmap_plain(shmem, addr, map.is_iomem, locked);
		return -EOPNOTSUPP;
	}

	__drm_vmap_set(m, shmem, addr, size, __DRM_VMAP_FLAG_PLAIN |
		       (map.is_iomem ? __DRM_VMAP_FLAG_IOMEM : 0));
	return 0;
}

/* __drm_vmap_object() makes @obj and @plain from the caller's pointer. */
static __always_inline int
__drm_vmap_begin_any(struct drm_vmap *m, size_t min, unsigned int kind,
		     void *obj, bool plain, enum drm_resv_how how)
{
	return plain ? __drm_vmap_fill_in_plain(m, min, kind, obj, how) :
		       __drm_vmap_fill_in(m, min, kind, obj, how);
}

static __always_inline int
__drm_vmap_begin(struct drm_vmap *m, size_t min, unsigned int kind, void *obj, bool plain)
	__must_not_hold(drm_resv)
{
	return __drm_vmap_begin_any(m, min, kind, obj, plain, DRM_RESV_LOCKS);
}

static __always_inline int
__drm_vmap_begin_interruptible(struct drm_vmap *m, size_t min, unsigned int kind, void *obj,
			       bool plain)
	__must_not_hold(drm_resv)
{
	return __drm_vmap_begin_any(m, min, kind, obj, plain, DRM_RESV_LOCKS_INTERRUPTIBLE);
}

static __always_inline int
__drm_vmap_begin_locked(struct drm_vmap *m, size_t min, unsigned int kind,
			void *obj, bool plain)
	__must_hold(drm_resv)
{
	return __drm_vmap_begin_any(m, min, kind, obj, plain, DRM_RESV_LOCKED);
}

/*
 * Ends the handle's use of the mapping. The flag shows which of the two kinds of object @shmem is,
 * so the container_of() is right.
 */
static __always_inline void
__drm_vmap_end(struct drm_vmap *m, bool owned, bool locked)
{
	struct drm_gem_shmem_object *shmem = m->shmem;
	void *addr = m->addr;

	if (!addr)
		return;
	__drm_gem_resv_check_call(&shmem->base, locked);
	__drm_vmap_untrack(m);
	m->addr = NULL;
	m->size = 0;
	if (unlikely(m->flags & __DRM_VMAP_FLAG_PLAIN))
		__drm_vmap_unmap_plain(shmem, addr, m->flags & __DRM_VMAP_FLAG_IOMEM, locked);
	else
		__drm_vmap_put(container_of(shmem, struct drm_shmem_obj, base), locked);
	if (owned)
		drm_gem_object_put(&shmem->base);
}

static __always_inline void __drm_vmap_scope_end(void *m)
	__must_not_hold(drm_resv)
{
	__drm_vmap_end(m, false, false);
}

static __always_inline void __drm_vmap_scope_end_locked(void *m)
	__must_hold(drm_resv)
{
	__drm_vmap_end(m, false, true);
}

/* The end of a block has to wait, even if a signal arrives. */
#define __drm_vmap_scope_end_interruptible	__drm_vmap_scope_end

/* @_sfx: _locked if the caller holds the reservation lock, _interruptible, or nothing */
#define __drm_vmap_guard(_sfx, _type, _v, _obj, _err)				\
	for (bool __once = true; __once; __once = false)			\
		for (struct _type _v[1] __cleanup(__drm_vmap_scope_end##_sfx) = {}; \
		     __once && !((_err) = __drm_vmap_begin##_sfx(__drm_vmap_args(_v), \
								 __drm_vmap_object(_obj))); \
		     __once = false)						\
			__drm_safe_no_jump_into(_v, __once, __once = false)

#define __drm_vmap_or(_sfx, _type, _v, _obj, _err, ...)				\
	struct _type _v[1] __cleanup(__drm_vmap_scope_end##_sfx) = {};		\
	const int __err_##_v = __drm_vmap_begin##_sfx(__drm_vmap_args(_v),	\
						      __drm_vmap_object(_obj));	\
										\
	(_err) = __err_##_v;							\
	if (unlikely(__err_##_v)) {						\
		__VA_ARGS__;							\
		__drm_safe_must_leave();					\
	}									\
	__drm_safe_no_jump(_v, _v)

/**
 * drm_vmap_guard() - run a block with a borrowed mapping
 * @_type: the handle's type without struct, see DRM_VMAP()
 * @_v: name of the handle in the block, a ``struct _type *``
 * @_obj: a &struct drm_shmem_obj or &struct drm_gem_shmem_object, which the
 *	caller keeps alive
 * @_err: variable for the result: 0; -ENOSPC if the object, or the dma-buf of an imported
 *	object, has fewer bytes than the type's minimum; -EOPNOTSUPP; -ENODATA if the
 *	object was purged; -ENOMEM or another error of shmem, which is -ENOSPC, too, where memory
 *	must not be overcommitted; what a dma-buf's exporter returns; -EAGAIN if the wait for a
 *	fence of the exporter failed; -EINTR if the task was killed while it waited for an
 *	exporter; -ENODEV if signals interrupted the exporter while the device was unplugged; or,
 *	with a report, -EALREADY if the caller is found to hold the object's reservation lock
 *
 * The block is skipped if @_err is set. The block is a loop that runs at most once: break
 * leaves it. An object that is mapped already is mapped again without taking its
 * reservation lock, unless it is a &struct drm_gem_shmem_object.
 *
 * Context: May sleep. Without the object's reservation lock, at the start and
 * at the end of the block.
 */
#define drm_vmap_guard(_type, _v, _obj, _err)					\
	__drm_vmap_guard(, _type, _v, _obj, _err)

/**
 * drm_vmap_guard_locked() - the same, with the reservation lock held
 * @_type: the handle's type without struct
 * @_v: name of the handle in the block
 * @_obj: the object
 * @_err: variable for the result, as in drm_vmap_guard(); -EINVAL instead of -EALREADY, if
 *	the caller is found not to hold the lock
 *
 * Context: May sleep. The caller holds the object's reservation lock until
 * the block is left.
 */
#define drm_vmap_guard_locked(_type, _v, _obj, _err)				\
	__drm_vmap_guard(_locked, _type, _v, _obj, _err)

/**
 * drm_vmap_guard_interruptible() - drm_vmap_guard() with an interruptible wait
 * @_type: the handle's type without struct
 * @_v: name of the handle in the block
 * @_obj: the object
 * @_err: variable for the result, as in drm_vmap_guard(); -EINTR if a signal arrived, with
 *	nothing changed. An ioctl returns that, and userspace calls it again
 *
 * Context: As drm_vmap_guard(). A signal ends the wait for the reservation lock at the start
 * of the block. At its end, only the last user of the mapping takes the lock.
 */
#define drm_vmap_guard_interruptible(_type, _v, _obj, _err)			\
	__drm_vmap_guard(_interruptible, _type, _v, _obj, _err)

/**
 * drm_vmap_or() - declare a borrowed mapping for the rest of the scope
 * @_type: the handle's type without struct
 * @_v: name of the handle
 * @_obj: the object
 * @_err: variable for the result, as in drm_vmap_guard()
 * @...: statement that leaves the scope if @_err is set
 *
 * Context: As drm_vmap_guard().
 */
#define drm_vmap_or(_type, _v, _obj, _err, ...)					\
	__drm_vmap_or(, _type, _v, _obj, _err, __VA_ARGS__)

/**
 * drm_vmap_or_locked() - the same, with the reservation lock held
 * @_type: the handle's type without struct
 * @_v: name of the handle
 * @_obj: the object
 * @_err: variable for the result
 * @...: statement that leaves the scope
 *
 * Context: As drm_vmap_guard_locked().
 */
#define drm_vmap_or_locked(_type, _v, _obj, _err, ...)				\
	__drm_vmap_or(_locked, _type, _v, _obj, _err, __VA_ARGS__)

/**
 * drm_vmap_or_interruptible() - drm_vmap_or() with an interruptible wait
 * @_type: the handle's type without struct
 * @_v: name of the handle
 * @_obj: the object
 * @_err: variable for the result
 * @...: statement that leaves the scope
 *
 * Context: As drm_vmap_guard_interruptible().
 */
#define drm_vmap_or_interruptible(_type, _v, _obj, _err, ...)			\
	__drm_vmap_or(_interruptible, _type, _v, _obj, _err, __VA_ARGS__)

static __always_inline int
__drm_vmap_own_any(struct drm_vmap *own, size_t min, unsigned int kind,
		   void *obj, bool plain, enum drm_resv_how how)
{
	int ret;

	if (unlikely(own->addr)) {
		/* Both types of @obj begin with their struct drm_gem_object. */
		__drm_vmap_overwritten(obj);
		return -EBUSY;
	}
	ret = __drm_vmap_begin_any(own, min, kind, obj, plain, how);
	if (!ret)
		drm_gem_object_get(&own->shmem->base);
	return ret;
}

static __always_inline int __must_check
__drm_vmap_own(struct drm_vmap *own, size_t min, unsigned int kind, void *obj, bool plain)
	__must_not_hold(drm_resv)
{
	return __drm_vmap_own_any(own, min, kind, obj, plain, DRM_RESV_LOCKS);
}

static __always_inline int __must_check
__drm_vmap_own_interruptible(struct drm_vmap *own, size_t min, unsigned int kind, void *obj,
			     bool plain)
	__must_not_hold(drm_resv)
{
	return __drm_vmap_own_any(own, min, kind, obj, plain, DRM_RESV_LOCKS_INTERRUPTIBLE);
}

static __always_inline int __must_check
__drm_vmap_own_locked(struct drm_vmap *own, size_t min, unsigned int kind,
		      void *obj, bool plain)
	__must_hold(drm_resv)
{
	return __drm_vmap_own_any(own, min, kind, obj, plain, DRM_RESV_LOCKED);
}

/**
 * drm_vmap_own() - make an owned mapping
 * @_own: handle to fill in, zeroed, see DRM_VMAP_OWNED()
 * @_obj: a &struct drm_shmem_obj or &struct drm_gem_shmem_object
 *
 * The handle keeps the object alive. It ends with drm_vmap_release(), or with
 * the scope if it was declared with __cleanup(drm_vmap_cleanup).
 *
 * Context: May sleep. Without the object's reservation lock.
 *
 * Return: as the result of drm_vmap_guard(), or -EBUSY if the handle is in
 * use.
 */
#define drm_vmap_own(_own, _obj)						\
	__drm_vmap_own(__drm_vmap_owned_args(_own), __drm_vmap_object(_obj))

/**
 * drm_vmap_own_interruptible() - drm_vmap_own() with an interruptible wait
 * @_own: handle to fill in
 * @_obj: the object
 *
 * Context: As drm_vmap_own(), but a signal ends the wait for the reservation lock. Getting the
 * pages cannot be interrupted.
 *
 * Return: as drm_vmap_own(); -EINTR if a signal arrived, with nothing changed.
 */
#define drm_vmap_own_interruptible(_own, _obj)					\
	__drm_vmap_own_interruptible(__drm_vmap_owned_args(_own), __drm_vmap_object(_obj))

/**
 * drm_vmap_own_locked() - the same, with the reservation lock held
 * @_own: handle to fill in
 * @_obj: the object
 *
 * Context: May sleep. The caller holds the object's reservation lock.
 *
 * Return: as drm_vmap_own().
 */
#define drm_vmap_own_locked(_own, _obj)						\
	__drm_vmap_own_locked(__drm_vmap_owned_args(_own), __drm_vmap_object(_obj))

/* A handle that was released, or never filled in, maps nothing. */
static __always_inline struct drm_gem_object *__drm_vmap_gem(const struct drm_vmap *m)
{
	return m->addr ? &m->shmem->base : NULL;
}

/**
 * drm_vmap_gem() - the object that a handle maps
 * @_v: the handle, of any type, borrowed or owned
 *
 * Return: the GEM object, borrowed from the handle; NULL if that is empty.
 */
#define drm_vmap_gem(_v)		__drm_vmap_gem(&(_v)->__map)

/*
 * The compiler cannot know that the handle is empty after the call, so tell it. Clearing
 * the handle again is not possible: the handle may be in the object, which may have been
 * freed.
 */
static __always_inline void __drm_vmap_release(struct drm_vmap *own)
	__must_not_hold(drm_resv)
{
	__drm_vmap_end(own, true, false);
	if (own->addr)
		__builtin_unreachable();
}

static __always_inline void __drm_vmap_release_locked(struct drm_vmap *own)
	__must_hold(drm_resv)
{
	__drm_vmap_end(own, true, true);
	if (own->addr)
		__builtin_unreachable();
}

/**
 * drm_vmap_release() - end an owned mapping
 * @_own: the handle, which may be empty and is so afterwards
 *
 * Context: May sleep. Without the object's reservation lock.
 */
#define drm_vmap_release(_own)		__drm_vmap_release(__drm_vmap_owned(_own))

/**
 * drm_vmap_release_locked() - the same, with the reservation lock held
 * @_own: the handle, which may be empty and is so afterwards
 *
 * Context: May sleep. The caller holds the object's reservation lock and a reference to
 * the object, so that the lock does not go away with it.
 */
#define drm_vmap_release_locked(_own)	__drm_vmap_release_locked(__drm_vmap_owned(_own))

/**
 * drm_vmap_cleanup() - release an owned mapping, at the end of a scope or of a structure
 * @own: the handle, which may be empty and is so afterwards
 *
 * For __cleanup() on the stack, and for the function that frees a structure with the handle.
 * For an sg table, use drm_shmem_sgt_cleanup(). In __cleanup(), this accepts every type of owned
 * mapping, and therefore any pointer: no compiler checks the type there.
 *
 * Context: May sleep. The caller does not hold the object's reservation lock.
 */
static __always_inline void drm_vmap_cleanup(void *own) __must_not_hold(drm_resv)
{
	__drm_vmap_end(own, true, false);
}

/* A call, other than __cleanup(), has a handle whose type can be checked. */
#define drm_vmap_cleanup(_own)	drm_vmap_release(_own)

/* This tests a bool because gcc folds __builtin_constant_p(pointer) to 0. */
static __always_inline const struct drm_vmap *__drm_vmap_live(const struct drm_vmap *m)
{
	bool dead = !m->addr;

	compiletime_assert(!(__builtin_constant_p(dead) && dead),
			   "this mapping was released, moved or never made");
	return m;
}

static __always_inline void __drm_vmap_move(struct drm_vmap *to, struct drm_vmap *from)
{
	__drm_vmap_live(from);
	if (unlikely(to->addr))
		__drm_vmap_overwritten(from->addr ? &from->shmem->base : NULL);
	*to = *from;
	from->addr = NULL;
	from->size = 0;
}

/**
 * drm_vmap_move() - move an owned mapping to another handle
 * @_to: empty handle
 * @_from: handle of the same type, empty afterwards
 *
 * If @_to is in use, this is reported, and its content is leaked, because memory that was
 * never initialised looks the same. On every path @_from ends up empty, which the
 * compiler can see.
 *
 * Context: Any.
 */
#define drm_vmap_move(_to, _from) do {						\
	static_assert(__same_type(*(_to), *(_from)),				\
		      "an owned mapping moves to a handle of its own type");	\
	__drm_vmap_move(__drm_vmap_owned(_to), __drm_vmap_owned(_from));	\
} while (0)

/**
 * drm_vmap_borrow() - lend an owned mapping
 * @_own: the handle
 *
 * An empty handle can be lent. The borrowed handle is then empty, too, and is refused in
 * the same way.
 *
 * Return: the handle as a ``const struct foo *``, of the type that
 * DRM_VMAP_OWNED() was given, valid for as long as @_own.
 */
#define drm_vmap_borrow(_own)							\
	((const typeof((_own)->__only_owned_handles_are_lent) *)		\
	 &(_own)->__only_owned_handles_are_lent)

/* Whether a handle can be lent as another type: one of the same kind, or a read-only one */
#define __drm_vmap_is_a(_v, _other)						\
	(__drm_vmap_kind(_v) == __drm_vmap_kind(_other) ||			\
	 (__drm_vmap_kind(_v) == __DRM_VMAP_KIND_SYSMEM &&			\
	  __drm_vmap_kind(_other) == __DRM_VMAP_KIND_CONST))

/**
 * drm_vmap_narrow() - lend a mapping as one with a smaller minimum
 * @_type: the other type without struct, of the same kind, or with DRM_VMAP_CONST()
 * @_v: the handle
 *
 * Return: the handle as a ``const struct _type *``.
 */
#define drm_vmap_narrow(_type, _v) ({						\
	static_assert(__drm_vmap_min(_v) >= __drm_vmap_min((struct _type *)0),	\
		      "the mapping may be smaller than struct " #_type);	\
	static_assert(__drm_vmap_is_a(_v, (struct _type *)0),			\
		      "struct " #_type " is for another kind of memory");	\
	static_assert(__drm_vmap_align(_v) >= __drm_vmap_align((struct _type *)0), \
		      "struct " #_type " may be aligned to more than the mapping"); \
	(const struct _type *)(_v);						\
})

/**
 * drm_vmap_local() - declare a copy of a borrowed handle for a loop
 * @_l: name of the handle that is the copy
 * @_v: the handle to copy, a borrowed one
 *
 * Through a pointer to a handle, the compiler reloads the address after each write,
 * because the write may have changed the handle as far as the compiler knows. A copy on
 * the stack keeps the address in a register:
 *
 * .. code-block:: c
 *
 *	static void foo_ring_clear(const struct foo_ring *ring)
 *	{
 *		drm_vmap_local(local, ring);
 *
 *		for (int i = 0; i < FOO_RING_SLOTS; i++)
 *			drm_vmap_write32(local, i * sizeof(u32), 0);
 *	}
 *
 * The copy must not be used after the owner's drm_vmap_release(). The handles of
 * drm_vmap_guard() and drm_vmap_or() are on the stack already.
 */
#define drm_vmap_local(_l, _v)							\
	const typeof(*(_v)) _l[1] = { {						\
		.__map = (_v)->__only_borrowed_handles_are_made_local		\
	} };									\
	__drm_safe_no_jump(_l, _l)

/**
 * drm_vmap_size() - size of a mapping in bytes
 * @_v: the handle
 *
 * Return: the size, or 0 if the handle is empty. The size of an imported object is the
 * size of its dma-buf, and need not be a multiple of anything.
 */
#define drm_vmap_size(_v)	((_v)->__map.size)

/*
 * An access through an empty handle must fault. Kernels do not map the first 4 KiB, except on s390,
 * which has the lowcore there, and on arm before ARMv6, which may have the vectors there. The pages
 * after the first 4 KiB may be mapped. So if the offset of an access can reach these, the access
 * through an empty handle ignores the offset.
 */
#define __DRM_VMAP_NULL_IS_MAPPED						\
	(IS_ENABLED(CONFIG_S390) ||						\
	 (IS_ENABLED(CONFIG_ARM) && !IS_ENABLED(CONFIG_CPU_V6) &&		\
	  !IS_ENABLED(CONFIG_CPU_V6K) && !IS_ENABLED(CONFIG_CPU_V7)))

/* The page of the ERR_PTR()s, which no machine maps */
#define __DRM_VMAP_NOWHERE		((void *)PAGE_MASK)

static __always_inline void *
__drm_vmap_place(void *addr, size_t off, bool faults, bool null_is_mapped)
{
	if (null_is_mapped && unlikely(!addr))
		return __DRM_VMAP_NOWHERE;
	return addr + (faults ? off : 0);
}

/* Returns the address of an access. The compiler has to see that the offset is valid. */
static __always_inline void *
__drm_vmap_at(const struct drm_vmap *m, size_t min, u64 off, size_t size)
{
	const bool first = min <= SZ_4K || off < SZ_4K;

	__drm_vmap_live(m);
	compiletime_assert(min >= size && off <= min - size,
			   "offset not provably inside of the mapping: use drm_vmap_try_*");
	compiletime_assert(!((size_t)off % size), "offset not provably aligned");
	return __drm_vmap_place(m->addr, off, (__builtin_constant_p(first) && first) || m->addr,
				__DRM_VMAP_NULL_IS_MAPPED);
}

/*
 * The type decides which access is right, except for the kind "either". The casts to
 * __iomem are right by the flag, see the second invariant of struct drm_vmap.
 */
static __always_inline bool __drm_vmap_is_iomem(const struct drm_vmap *m, unsigned int kind)
{
	return kind == __DRM_VMAP_KIND_IOMEM ||
	       (kind == __DRM_VMAP_KIND_EITHER && unlikely(m->flags & __DRM_VMAP_FLAG_IOMEM));
}

static __always_inline void
__drm_vmap_load_iomem(const void __iomem *io, size_t size, void *val)
{
	switch (size) {
	case 1:
		*(u8 *)val = readb(io);
		break;
	case 2:
		*(u16 *)val = readw(io);
		break;
	case 4:
		*(u32 *)val = readl(io);
		break;
	default:
		*(u64 *)val = readq(io);
		break;
	}
}

static __always_inline void
__drm_vmap_store_iomem(void __iomem *io, size_t size, const void *val)
{
	switch (size) {
	case 1:
		writeb(*(const u8 *)val, io);
		break;
	case 2:
		writew(*(const u16 *)val, io);
		break;
	case 4:
		writel(*(const u32 *)val, io);
		break;
	default:
		writeq(*(const u64 *)val, io);
		break;
	}
}

/* The same two without the ordering against DMA */
static __always_inline void
__drm_vmap_load_relaxed(const void __iomem *io, size_t size, void *val)
{
	switch (size) {
	case 1:
		*(u8 *)val = readb_relaxed(io);
		break;
	case 2:
		*(u16 *)val = readw_relaxed(io);
		break;
	case 4:
		*(u32 *)val = readl_relaxed(io);
		break;
	default:
		*(u64 *)val = readq_relaxed(io);
		break;
	}
}

static __always_inline void
__drm_vmap_store_relaxed(void __iomem *io, size_t size, const void *val)
{
	switch (size) {
	case 1:
		writeb_relaxed(*(const u8 *)val, io);
		break;
	case 2:
		writew_relaxed(*(const u16 *)val, io);
		break;
	case 4:
		writel_relaxed(*(const u32 *)val, io);
		break;
	default:
		writeq_relaxed(*(const u64 *)val, io);
		break;
	}
}

static __always_inline void __drm_vmap_assert_size(size_t size)
{
	compiletime_assert(size == 1 || size == 2 || size == 4 || size == 8,
			   "an access has 8, 16, 32 or 64 bits");
}

/* With a pointer to an array, gcc uses indexed addressing. */
#define __drm_vmap_elem(_T, _addr, _idx)	((*(_T (*)[])(_addr))[_idx])

/*
 * Loads the element @idx of the array at @addr + @off. @val points to a variable of @size
 * bytes, the size of each element. Most mappings of the kind "either" are in system
 * memory.
 */
static __always_inline void
__drm_vmap_load(const void *addr, size_t off, size_t idx, bool iomem, size_t size, void *val)
{
	const void *array = addr + off;

	__drm_vmap_assert_size(size);
	if (unlikely(iomem))
		__drm_vmap_load_iomem((const void __iomem __force *)addr + (off + idx * size),
				      size, val);
	else if (size == 1)
		*(u8 *)val = READ_ONCE(__drm_vmap_elem(const u8, array, idx));
	else if (size == 2)
		*(u16 *)val = READ_ONCE(__drm_vmap_elem(const u16, array, idx));
	else if (size == 4)
		*(u32 *)val = READ_ONCE(__drm_vmap_elem(const u32, array, idx));
	else
		*(u64 *)val = READ_ONCE(__drm_vmap_elem(const u64, array, idx));
}

#define __drm_vmap_assert_writable(_kind)					\
	compiletime_assert((_kind) != __DRM_VMAP_KIND_CONST,			\
			   "this mapping is not written to: its type has DRM_VMAP_CONST()")

/* The same for storing */
static __always_inline void
__drm_vmap_store(void *addr, size_t off, size_t idx, bool iomem, size_t size, const void *val)
{
	void *array = addr + off;

	__drm_vmap_assert_size(size);
	if (unlikely(iomem))
		__drm_vmap_store_iomem((void __iomem __force *)addr + (off + idx * size),
				       size, val);
	else if (size == 1)
		WRITE_ONCE(__drm_vmap_elem(u8, array, idx), *(const u8 *)val);
	else if (size == 2)
		WRITE_ONCE(__drm_vmap_elem(u16, array, idx), *(const u16 *)val);
	else if (size == 4)
		WRITE_ONCE(__drm_vmap_elem(u32, array, idx), *(const u32 *)val);
	else
		WRITE_ONCE(__drm_vmap_elem(u64, array, idx), *(const u64 *)val);
}

static __always_inline void
__drm_vmap_read(const struct drm_vmap *m, size_t min, unsigned int kind, u64 off,
		size_t size, void *val)
{
	__drm_vmap_load(__drm_vmap_at(m, min, off, size), 0, 0,
			__drm_vmap_is_iomem(m, kind), size, val);
}

static __always_inline void
__drm_vmap_write(const struct drm_vmap *m, size_t min, unsigned int kind, u64 off,
		 size_t size, const void *val)
{
	__drm_vmap_assert_writable(kind);
	__drm_vmap_store(__drm_vmap_at(m, min, off, size), 0, 0,
			 __drm_vmap_is_iomem(m, kind), size, val);
}

/* Reads with @_fn, which stores at its last argument: in a union, because @_T may be const */
#define __drm_vmap_read_with(_fn, _T, _v, _off) ({				\
	union { _T val; u8 raw[sizeof(_T)]; } __read;				\
										\
	_fn(__drm_vmap_args(_v), _off, __drm_vmap_access(_v, _T), __read.raw);	\
	__read.val;								\
})

/**
 * drm_vmap_read() - read a value of some type at a constant offset
 * @_T: the type, of 8, 16, 32 or 64 bits
 * @_v: the handle, borrowed or owned
 * @_off: offset in bytes, which must be a compile-time provable multiple of the size of
 *	@_T, with room for @_T in the minimum size of the handle's type
 *
 * This compiles to the same instruction as READ_ONCE() of a pointer, or as readl() if the
 * type is for I/O memory. Through an empty handle, it accesses a page that no kernel
 * maps: the page at NULL, or the last page where NULL is mapped.
 *
 * Return: the value.
 */
#define drm_vmap_read(_T, _v, _off)	__drm_vmap_read_with(__drm_vmap_read, _T, _v, _off)
/** drm_vmap_read8() - see drm_vmap_read() */
#define drm_vmap_read8(_v, _off)	drm_vmap_read(u8, _v, _off)
/** drm_vmap_read16() - see drm_vmap_read() */
#define drm_vmap_read16(_v, _off)	drm_vmap_read(u16, _v, _off)
/** drm_vmap_read32() - see drm_vmap_read() */
#define drm_vmap_read32(_v, _off)	drm_vmap_read(u32, _v, _off)
/** drm_vmap_read64() - see drm_vmap_read() */
#define drm_vmap_read64(_v, _off)	drm_vmap_read(u64, _v, _off)

/*
 * Writes with @_fn, which starts with @_args. The value goes into a variable, because a
 * compound literal would accept a number as the first member of a structure or of an array.
 */
#define __drm_vmap_write_with(_fn, _args, _T, _v, _off, _val) ({		\
	const typeof(_T) __val = (_val);					\
										\
	_fn(_args, _off, __drm_vmap_access(_v, _T), &__val);			\
})

/**
 * drm_vmap_write() - write a value of some type at a constant offset
 * @_T: the type
 * @_v: the handle
 * @_off: offset in bytes, as in drm_vmap_read()
 * @_val: the value
 */
#define drm_vmap_write(_T, _v, _off, _val)					\
	__drm_vmap_write_with(__drm_vmap_write, __drm_vmap_args(_v), _T, _v, _off, _val)
/** drm_vmap_write8() - see drm_vmap_write() */
#define drm_vmap_write8(_v, _off, _val)		drm_vmap_write(u8, _v, _off, _val)
/** drm_vmap_write16() - see drm_vmap_write() */
#define drm_vmap_write16(_v, _off, _val)	drm_vmap_write(u16, _v, _off, _val)
/** drm_vmap_write32() - see drm_vmap_write() */
#define drm_vmap_write32(_v, _off, _val)	drm_vmap_write(u32, _v, _off, _val)
/** drm_vmap_write64() - see drm_vmap_write() */
#define drm_vmap_write64(_v, _off, _val)	drm_vmap_write(u64, _v, _off, _val)

/* Relaxed accesses are for I/O memory only: READ_ONCE() and WRITE_ONCE() are relaxed already. */
#define __drm_vmap_assert_iomem(_kind)						\
	compiletime_assert((_kind) == __DRM_VMAP_KIND_IOMEM,			\
			   "a relaxed access is for I/O memory: a type with DRM_VMAP_IOMEM()")

static __always_inline void
__drm_vmap_read_relaxed(const struct drm_vmap *m, size_t min, unsigned int kind, u64 off,
			size_t size, void *val)
{
	__drm_vmap_assert_size(size);
	__drm_vmap_assert_iomem(kind);
	__drm_vmap_load_relaxed((const void __iomem __force *)__drm_vmap_at(m, min, off, size),
				size, val);
}

static __always_inline void
__drm_vmap_write_relaxed(const struct drm_vmap *m, size_t min, unsigned int kind, u64 off,
			 size_t size, const void *val)
{
	__drm_vmap_assert_size(size);
	__drm_vmap_assert_iomem(kind);
	__drm_vmap_store_relaxed((void __iomem __force *)__drm_vmap_at(m, min, off, size),
				 size, val);
}

/**
 * drm_vmap_read_relaxed() - read a register without ordering against DMA
 * @_T: the type, of 8, 16, 32 or 64 bits
 * @_v: the handle, of a type with DRM_VMAP_IOMEM()
 * @_off: offset in bytes, as in drm_vmap_read()
 *
 * Compiles to readl_relaxed(), for example. The access stays in order with other accesses to the
 * same device, but not with accesses to memory that the device reads or writes by DMA. Where that
 * order matters, such as before a doorbell or after the status of an interrupt, use
 * drm_vmap_write32() or drm_vmap_read32(). See Documentation/memory-barriers.txt.
 *
 * Return: the value.
 */
#define drm_vmap_read_relaxed(_T, _v, _off)					\
	__drm_vmap_read_with(__drm_vmap_read_relaxed, _T, _v, _off)
/** drm_vmap_read8_relaxed() - see drm_vmap_read_relaxed() */
#define drm_vmap_read8_relaxed(_v, _off)	drm_vmap_read_relaxed(u8, _v, _off)
/** drm_vmap_read16_relaxed() - see drm_vmap_read_relaxed() */
#define drm_vmap_read16_relaxed(_v, _off)	drm_vmap_read_relaxed(u16, _v, _off)
/** drm_vmap_read32_relaxed() - see drm_vmap_read_relaxed() */
#define drm_vmap_read32_relaxed(_v, _off)	drm_vmap_read_relaxed(u32, _v, _off)
/** drm_vmap_read64_relaxed() - see drm_vmap_read_relaxed() */
#define drm_vmap_read64_relaxed(_v, _off)	drm_vmap_read_relaxed(u64, _v, _off)

/**
 * drm_vmap_write_relaxed() - write a register without ordering against DMA
 * @_T: the type
 * @_v: the handle, of a type with DRM_VMAP_IOMEM()
 * @_off: offset in bytes, as in drm_vmap_read()
 * @_val: the value
 *
 * The write counterpart of drm_vmap_read_relaxed().
 */
#define drm_vmap_write_relaxed(_T, _v, _off, _val)				\
	__drm_vmap_write_with(__drm_vmap_write_relaxed, __drm_vmap_args(_v), _T, _v, _off, _val)
/** drm_vmap_write8_relaxed() - see drm_vmap_write_relaxed() */
#define drm_vmap_write8_relaxed(_v, _off, _val)	drm_vmap_write_relaxed(u8, _v, _off, _val)
/** drm_vmap_write16_relaxed() - see drm_vmap_write_relaxed() */
#define drm_vmap_write16_relaxed(_v, _off, _val)	drm_vmap_write_relaxed(u16, _v, _off, _val)
/** drm_vmap_write32_relaxed() - see drm_vmap_write_relaxed() */
#define drm_vmap_write32_relaxed(_v, _off, _val)	drm_vmap_write_relaxed(u32, _v, _off, _val)
/** drm_vmap_write64_relaxed() - see drm_vmap_write_relaxed() */
#define drm_vmap_write64_relaxed(_v, _off, _val)	drm_vmap_write_relaxed(u64, _v, _off, _val)

/* The offset of a member. The whole struct has to fit into the smallest mapping. */
static __always_inline size_t
__drm_vmap_member(size_t min, size_t size_of_struct, size_t off)
{
	compiletime_assert(size_of_struct <= min, "the struct may be larger than the mapping");
	return off;
}

#define __drm_vmap_field_t(_struct, _member)	typeof(((_struct *)0)->_member)
#define __drm_vmap_field_off(_v, _struct, _member)				\
	__drm_vmap_member(__drm_vmap_min(_v), sizeof(_struct), offsetof(_struct, _member))

/**
 * drm_vmap_read_field() - read a member of the structure at the mapping's start
 * @_v: the handle, with a minimum size of at least the struct's
 * @_struct: the struct, for example struct foo_hdr
 * @_member: the member, also of a nested structure or array: ring[3].head
 *
 * Return: the member's value, in the member's type.
 */
#define drm_vmap_read_field(_v, _struct, _member)				\
	drm_vmap_read(__drm_vmap_field_t(_struct, _member), _v,			\
		      __drm_vmap_field_off(_v, _struct, _member))

/**
 * drm_vmap_write_field() - write a member of the structure at the mapping's start
 * @_v: the handle
 * @_struct: the struct
 * @_member: the member
 * @_val: the value
 */
#define drm_vmap_write_field(_v, _struct, _member, _val)			\
	drm_vmap_write(__drm_vmap_field_t(_struct, _member), _v,		\
		       __drm_vmap_field_off(_v, _struct, _member), _val)

/*
 * Returns whether an access of @n bytes, a power of two, at a multiple of @n is inside
 * @size bytes. Such an offset leaves room for the access if it is below the size rounded
 * down. Nothing is subtracted that could wrap: with a size of 0, no offset fits.
 *
 * likely() and unlikely(), here and below, are placed so that gcc and clang emit no more
 * instructions than for hand-written code, see tests/cost.
 */
static __always_inline bool __drm_vmap_fits(size_t size, u64 off, size_t n)
{
	return likely(off < (size & ~(n - 1))) && likely(!((size_t)off % n));
}

static __always_inline int
__drm_vmap_try_read(const struct drm_vmap *m, unsigned int kind, u64 off, size_t size,
		    void *val)
{
	__drm_vmap_live(m);
	if (!__drm_vmap_fits(m->size, off, size))
		return -EINVAL;
	__drm_vmap_load(m->addr, off, 0, __drm_vmap_is_iomem(m, kind), size, val);
	return 0;
}

static __always_inline int
__drm_vmap_try_write(const struct drm_vmap *m, unsigned int kind, u64 off, size_t size,
		     const void *val)
{
	__drm_vmap_assert_writable(kind);
	__drm_vmap_live(m);
	if (!__drm_vmap_fits(m->size, off, size))
		return -EINVAL;
	__drm_vmap_store(m->addr, off, 0, __drm_vmap_is_iomem(m, kind), size, val);
	return 0;
}

/* Stores at @_out what @_try read into __got. __got is a union because @_T may be const. */
#define __drm_vmap_got(_T, _out, _try) ({					\
	union { _T val; u8 raw[sizeof(_T)]; } __got;				\
	const int __failed = (_try);						\
										\
	if (!__failed)								\
		*(_out) = __got.val;						\
	__failed;								\
})

/**
 * drm_vmap_try_read() - read a value of some type at any offset
 * @_T: the type, of 8, 16, 32 or 64 bits
 * @_v: the handle
 * @_off: offset in bytes. This tests that all of @_T is inside the mapping, and that the
 *	offset is a multiple of the size of @_T
 * @_out: pointer to where the value goes
 *
 * Return: 0, or -EINVAL for a bad offset or an empty handle; in that case nothing is read.
 */
#define drm_vmap_try_read(_T, _v, _off, _out)					\
	__drm_vmap_got(_T, _out, __drm_vmap_try_read(__drm_vmap_try_args(_v), _off, \
						     __drm_vmap_access(_v, _T), __got.raw))
/** drm_vmap_try_read8() - see drm_vmap_try_read() */
#define drm_vmap_try_read8(_v, _off, _out)	drm_vmap_try_read(u8, _v, _off, _out)
/** drm_vmap_try_read16() - see drm_vmap_try_read() */
#define drm_vmap_try_read16(_v, _off, _out)	drm_vmap_try_read(u16, _v, _off, _out)
/** drm_vmap_try_read32() - see drm_vmap_try_read() */
#define drm_vmap_try_read32(_v, _off, _out)	drm_vmap_try_read(u32, _v, _off, _out)
/** drm_vmap_try_read64() - see drm_vmap_try_read() */
#define drm_vmap_try_read64(_v, _off, _out)	drm_vmap_try_read(u64, _v, _off, _out)

/**
 * drm_vmap_try_write() - write a value of some type at any offset
 * @_T: the type
 * @_v: the handle
 * @_off: offset in bytes, as in drm_vmap_try_read()
 * @_val: the value
 *
 * Return: 0, or -EINVAL for a bad offset or an empty handle; nothing is written
 * then.
 */
#define drm_vmap_try_write(_T, _v, _off, _val)					\
	__drm_vmap_write_with(__drm_vmap_try_write, __drm_vmap_try_args(_v), _T, _v, _off, _val)
/** drm_vmap_try_write8() - see drm_vmap_try_write() */
#define drm_vmap_try_write8(_v, _off, _val)	drm_vmap_try_write(u8, _v, _off, _val)
/** drm_vmap_try_write16() - see drm_vmap_try_write() */
#define drm_vmap_try_write16(_v, _off, _val)	drm_vmap_try_write(u16, _v, _off, _val)
/** drm_vmap_try_write32() - see drm_vmap_try_write() */
#define drm_vmap_try_write32(_v, _off, _val)	drm_vmap_try_write(u32, _v, _off, _val)
/** drm_vmap_try_write64() - see drm_vmap_try_write() */
#define drm_vmap_try_write64(_v, _off, _val)	drm_vmap_try_write(u64, _v, _off, _val)

static __always_inline int
__drm_vmap_try_read_relaxed(const struct drm_vmap *m, unsigned int kind, u64 off, size_t size,
			    void *val)
{
	__drm_vmap_assert_size(size);
	__drm_vmap_assert_iomem(kind);
	__drm_vmap_live(m);
	if (!__drm_vmap_fits(m->size, off, size))
		return -EINVAL;
	__drm_vmap_load_relaxed((const void __iomem __force *)m->addr + off, size, val);
	return 0;
}

static __always_inline int
__drm_vmap_try_write_relaxed(const struct drm_vmap *m, unsigned int kind, u64 off, size_t size,
			     const void *val)
{
	__drm_vmap_assert_size(size);
	__drm_vmap_assert_iomem(kind);
	__drm_vmap_live(m);
	if (!__drm_vmap_fits(m->size, off, size))
		return -EINVAL;
	__drm_vmap_store_relaxed((void __iomem __force *)m->addr + off, size, val);
	return 0;
}

/**
 * drm_vmap_try_read_relaxed() - drm_vmap_try_read() without ordering against DMA
 * @_T: the type, of 8, 16, 32 or 64 bits
 * @_v: the handle, of a type with DRM_VMAP_IOMEM()
 * @_off: offset in bytes, as in drm_vmap_try_read()
 * @_out: pointer to where the value goes
 *
 * See drm_vmap_read_relaxed().
 *
 * Return: as drm_vmap_try_read().
 */
#define drm_vmap_try_read_relaxed(_T, _v, _off, _out)				\
	__drm_vmap_got(_T, _out, __drm_vmap_try_read_relaxed(__drm_vmap_try_args(_v), _off, \
							     __drm_vmap_access(_v, _T),	\
							     __got.raw))
/** drm_vmap_try_read32_relaxed() - see drm_vmap_try_read_relaxed() */
#define drm_vmap_try_read32_relaxed(_v, _off, _out)				\
	drm_vmap_try_read_relaxed(u32, _v, _off, _out)

/**
 * drm_vmap_try_write_relaxed() - drm_vmap_try_write() without ordering against DMA
 * @_T: the type
 * @_v: the handle, of a type with DRM_VMAP_IOMEM()
 * @_off: offset in bytes, as in drm_vmap_try_read()
 * @_val: the value
 *
 * See drm_vmap_read_relaxed().
 *
 * Return: as drm_vmap_try_write().
 */
#define drm_vmap_try_write_relaxed(_T, _v, _off, _val)				\
	__drm_vmap_write_with(__drm_vmap_try_write_relaxed, __drm_vmap_try_args(_v), \
			      _T, _v, _off, _val)
/** drm_vmap_try_write32_relaxed() - see drm_vmap_try_write_relaxed() */
#define drm_vmap_try_write32_relaxed(_v, _off, _val)				\
	drm_vmap_try_write_relaxed(u32, _v, _off, _val)

/* An array that fits into the smallest mapping fits into every mapping that is not empty. */
static __always_inline bool
__drm_vmap_has_elem(const struct drm_vmap *m, size_t min, size_t array, size_t len,
		    size_t size, u64 idx)
{
	compiletime_assert(!(array % size), "the array is not aligned in the struct");
	if (unlikely(idx >= len))
		return false;
	__drm_vmap_live(m);
	if (array + len * size <= min)
		return m->addr;
	return __drm_vmap_fits(m->size, array + idx * size, size);
}

static __always_inline int
__drm_vmap_try_read_elem(const struct drm_vmap *m, size_t min, unsigned int kind,
			 size_t array, size_t len, size_t size, u64 idx, void *val)
{
	if (unlikely(!__drm_vmap_has_elem(m, min, array, len, size, idx)))
		return -EINVAL;
	if (array + len * size > min) {
		/* Computed for the test already */
		array += idx * size;
		idx = 0;
	}
	__drm_vmap_load(m->addr, array, idx, __drm_vmap_is_iomem(m, kind), size, val);
	return 0;
}

static __always_inline int
__drm_vmap_try_write_elem(const struct drm_vmap *m, size_t min, unsigned int kind,
			  size_t array, size_t len, size_t size, u64 idx, const void *val)
{
	__drm_vmap_assert_writable(kind);
	if (unlikely(!__drm_vmap_has_elem(m, min, array, len, size, idx)))
		return -EINVAL;
	if (array + len * size > min) {
		/* Computed for the test already */
		array += idx * size;
		idx = 0;
	}
	__drm_vmap_store(m->addr, array, idx, __drm_vmap_is_iomem(m, kind), size, val);
	return 0;
}

/* Arguments: the array of a struct, by offset, length and size of an element */
#define __drm_vmap_elem_t(_struct, _array)	typeof(((_struct *)0)->_array[0])
#define __drm_vmap_array(_v, _struct, _array)					\
	offsetof(_struct, _array), ARRAY_SIZE(((_struct *)0)->_array),		\
	__drm_vmap_access(_v, __drm_vmap_elem_t(_struct, _array))

/**
 * drm_vmap_try_read_elem() - read an element of an array in the structure at the
 *	mapping's start
 * @_v: the handle
 * @_struct: the struct
 * @_array: its member, an array
 * @_idx: any index
 * @_out: pointer to where the value goes
 *
 * Return: 0, or -EINVAL if @_idx is not below the array's length, the element is not
 * inside the mapping, or the handle is empty.
 */
#define drm_vmap_try_read_elem(_v, _struct, _array, _idx, _out)			\
	__drm_vmap_got(__drm_vmap_elem_t(_struct, _array), _out,		\
		       __drm_vmap_try_read_elem(__drm_vmap_args(_v),		\
						__drm_vmap_array(_v, _struct, _array), \
						_idx, __got.raw))

/**
 * drm_vmap_try_write_elem() - write an element of an array in the structure at
 *	the mapping's start
 * @_v: the handle
 * @_struct: the struct
 * @_array: its member, an array
 * @_idx: any index
 * @_val: the value
 *
 * Return: as drm_vmap_try_read_elem().
 */
#define drm_vmap_try_write_elem(_v, _struct, _array, _idx, _val) ({		\
	const __drm_vmap_elem_t(_struct, _array) __val = (_val);		\
										\
	__drm_vmap_try_write_elem(__drm_vmap_args(_v),				\
				  __drm_vmap_array(_v, _struct, _array), _idx, &__val); \
})

#define __drm_vmap_use(_v)	__drm_vmap_live(&(_v)->__map)
#define __drm_vmap_use_to_write(_v) ({						\
	__drm_vmap_assert_writable(__drm_vmap_kind(_v));			\
	__drm_vmap_use(_v);							\
})

/**
 * drm_vmap_copy_to() - copy memory into a mapping
 * @_v: the handle
 * @_off: offset in bytes
 * @_src: the memory
 * @_len: number of bytes, may be 0
 *
 * Return: 0; or -EINVAL, with nothing copied, if the range is not completely inside the mapping,
 * or if the handle is empty.
 */
#define drm_vmap_copy_to(_v, _off, _src, _len)					\
	__drm_vmap_copy_to(__drm_vmap_use_to_write(_v), _off, _src, _len)

/**
 * drm_vmap_copy_from() - copy memory out of a mapping
 * @_v: the handle
 * @_off: offset in bytes
 * @_dst: the memory
 * @_len: number of bytes, may be 0
 *
 * Return: as drm_vmap_copy_to().
 */
#define drm_vmap_copy_from(_v, _off, _dst, _len)				\
	__drm_vmap_copy_from(__drm_vmap_use(_v), _off, _dst, _len)

/**
 * drm_vmap_fill() - fill a part of a mapping with a byte
 * @_v: the handle
 * @_off: offset in bytes
 * @_value: the byte
 * @_len: number of bytes, may be 0
 *
 * Return: as drm_vmap_copy_to().
 */
#define drm_vmap_fill(_v, _off, _value, _len)					\
	__drm_vmap_fill(__drm_vmap_use_to_write(_v), _off, _value, _len)

/**
 * drm_vmap_from_user() - copy from userspace into a mapping
 * @_v: the handle
 * @_off: offset in bytes
 * @_src: userspace pointer
 * @_len: number of bytes, may be 0
 *
 * Context: May fault, so it may sleep. Not under a reservation lock: the page fault may
 * take one, and deadlocks if the source is a mapping of the object.
 *
 * Return: 0; -EINVAL if the range is not completely inside the mapping; with a report, -EALREADY if
 * the caller holds the object's reservation lock; or -EFAULT. After -EFAULT, the first bytes may
 * have been copied, and the others are unchanged.
 */
#define drm_vmap_from_user(_v, _off, _src, _len)				\
	__drm_vmap_from_user(__drm_vmap_use_to_write(_v), _off, _src, _len)

/**
 * drm_vmap_to_user() - copy from a mapping to userspace
 * @_v: the handle
 * @_off: offset in bytes
 * @_dst: userspace pointer
 * @_len: number of bytes, may be 0
 *
 * Context: As drm_vmap_from_user().
 *
 * Return: as drm_vmap_from_user().
 */
#define drm_vmap_to_user(_v, _off, _dst, _len)					\
	__drm_vmap_to_user(__drm_vmap_use(_v), _off, _dst, _len)

/**
 * drm_vmap_unsafe_ptr() - the address of a mapping in system memory
 * @_v: the handle
 *
 * The library cannot check accesses through the address. The caller must respect the minimum size
 * of the type and the lifetime of the handle.
 *
 * Return: the address, or NULL if the handle is empty. The compiler knows the
 * minimum size.
 */
#define drm_vmap_unsafe_ptr(_v) ({						\
	static_assert(__drm_vmap_kind(_v) == __DRM_VMAP_KIND_SYSMEM,		\
		      "this handle may be on I/O memory: use drm_vmap_unsafe_map()"); \
	__drm_vmap_unsafe_ptr(__drm_vmap_use(_v), __drm_vmap_min(_v));		\
})

static __always_inline struct iosys_map
__drm_vmap_unsafe_map(const struct drm_vmap *m, unsigned int kind)
{
	struct iosys_map map;

	if (__drm_vmap_is_iomem(m, kind))
		iosys_map_set_vaddr_iomem(&map, (void __iomem __force *)m->addr);
	else
		iosys_map_set_vaddr(&map, m->addr);
	return map;
}

/**
 * drm_vmap_unsafe_map() - the address of a mapping of any kind
 * @_v: the handle
 *
 * Like drm_vmap_unsafe_ptr().
 *
 * Return: a &struct iosys_map, for which iosys_map_is_null() is true if the handle is empty.
 */
#define drm_vmap_unsafe_map(_v)							\
	__drm_vmap_unsafe_map(__drm_vmap_use_to_write(_v), __drm_vmap_kind(_v))

/**
 * drm_vmap_obj() - the driver's object that a handle maps
 * @_desc: address of the description of the object's type
 * @_v: the handle, of any type, borrowed or owned
 *
 * Return: the driver's structure, borrowed from the handle; NULL if that is empty, or maps an
 * object of another type.
 */
#define drm_vmap_obj(_desc, _v)		drm_shmem_from_gem(_desc, drm_vmap_gem(_v))

#endif /* _DRM_SHMEM_VMAP_H */
