/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _DRM_SHMEM_VMAP_H
#define _DRM_SHMEM_VMAP_H

#include <linux/io.h>
#include <linux/io-64-nonatomic-lo-hi.h>

#include "drm_shmem_obj.h"

/*
 * struct __drm_vmap - what is inside of every vmap handle
 *
 * Invariants:
 *
 * - @addr is NULL and @size is 0, and nothing else means anything; or the handle
 *   is one user of the mapping of @shmem, which is @size bytes at @addr.
 * - @addr is an __iomem address exactly if the iomem flag is set, and the kind
 *   of the handle's type allows for it.
 * - While @addr is not NULL, @size is at least the minimum size of the handle's
 *   type, and no more than what the exporter of an imported object has.
 */
struct __drm_vmap {
	void *addr;
	size_t size;
	struct drm_gem_shmem_object *shmem;
#ifdef CONFIG_DRM_SAFE_DEBUG
	struct ref_tracker *tracker;
	struct drm_dev_ctx_handle handle;
#endif
	unsigned int flags;
};

#define __DRM_VMAP_IOMEM	BIT(0)	/* same value as __DRM_SHMEM_IOMEM */
#define __DRM_VMAP_PLAIN	BIT(1)	/* the object is no struct drm_shmem_obj */

static_assert(__DRM_VMAP_IOMEM == __DRM_SHMEM_IOMEM);

/* What the mapping of a handle may be: sizes of a member that has no elements. */
#define __DRM_VMAP_KIND_SYSMEM	1
#define __DRM_VMAP_KIND_IOMEM	2
#define __DRM_VMAP_KIND_EITHER	3

#define __DRM_VMAP_BODY(_kind, _min)						\
	union {									\
		/* private: */							\
		unsigned long __opaque[sizeof(struct __drm_vmap) / sizeof(long)]; \
		u8 __min_size[0][_min];						\
		u8 __kind[0][_kind];						\
	};									\
	__DRM_SAFE_NO_ASSIGN

#define __DEFINE_DRM_VMAP(_name, _kind, _min)					\
struct _name {									\
	__DRM_VMAP_BODY(_kind, _min);						\
};										\
										\
struct _name##_owned {								\
	union {									\
		/* private: */							\
		unsigned long __opaque[sizeof(struct __drm_vmap) / sizeof(long)]; \
		u8 __min_size[0][_min];						\
		u8 __kind[0][_kind];						\
		u8 __only_owned_handles_are_filled_moved_or_released[0];	\
		struct _name __only_owned_handles_are_lent;			\
	};									\
	__DRM_SAFE_NO_ASSIGN;							\
};										\
										\
static_assert((_min) > 0)

/**
 * DEFINE_DRM_VMAP() - define the types of a handle on a mapping
 * @_name: of the types: struct _name is a borrowed handle, struct _name_owned
 *	an owned one
 * @_min: least size of the mapping in bytes, a constant
 *
 * The mapping is in system memory. Mapping an object that is smaller than
 * @_min fails with -ENOSPC; an imported one whose exporter maps I/O memory,
 * with -EOPNOTSUPP.
 */
#define DEFINE_DRM_VMAP(_name, _min)						\
	__DEFINE_DRM_VMAP(_name, __DRM_VMAP_KIND_SYSMEM, _min)

/**
 * DEFINE_DRM_VMAP_IOMEM() - the same, for mappings in I/O memory
 * @_name: of the types
 * @_min: least size of the mapping in bytes
 *
 * Mapping an object in system memory fails with -EOPNOTSUPP.
 */
#define DEFINE_DRM_VMAP_IOMEM(_name, _min)					\
	__DEFINE_DRM_VMAP(_name, __DRM_VMAP_KIND_IOMEM, _min)

/**
 * DEFINE_DRM_VMAP_EITHER() - the same, for mappings of either kind
 * @_name: of the types
 * @_min: least size of the mapping in bytes
 *
 * Each access tests which kind it is.
 */
#define DEFINE_DRM_VMAP_EITHER(_name, _min)					\
	__DEFINE_DRM_VMAP(_name, __DRM_VMAP_KIND_EITHER, _min)

#define __drm_vmap(_v)		((struct __drm_vmap *)(_v)->__opaque)
#define __drm_vmap_min(_v)	sizeof((_v)->__min_size[0])
#define __drm_vmap_kind(_v)	sizeof((_v)->__kind[0])

int __drm_shmem_vmap_first(struct drm_shmem_obj *obj, bool locked);
void __drm_shmem_vunmap_last(struct drm_shmem_obj *obj, bool locked);
int __drm_shmem_vmap_plain(struct drm_gem_shmem_object *shmem,
			   struct iosys_map *map, bool locked);
void __drm_shmem_vunmap_plain(struct drm_gem_shmem_object *shmem, void *addr,
			      bool iomem, bool locked);
void __drm_vmap_overwritten(struct __drm_vmap *h);
void __drm_vmap_replaced(struct __drm_vmap *h);
void *__drm_vmap_unsafe(const struct __drm_vmap *h, size_t size) __alloc_size(2);
int __drm_vmap_copy_to(const struct __drm_vmap *h, u64 offset,
		       const void *src, u64 len);
int __drm_vmap_copy_from(const struct __drm_vmap *h, u64 offset,
			 void *dst, u64 len);
int __drm_vmap_fill(const struct __drm_vmap *h, u64 offset, u8 value,
		    u64 len);
int __drm_vmap_from_user(const struct __drm_vmap *h, u64 offset,
			 const void __user *src, u64 len) __must_not_hold(drm_resv);
int __drm_vmap_to_user(const struct __drm_vmap *h, u64 offset,
		       void __user *dst, u64 len) __must_not_hold(drm_resv);

#ifdef CONFIG_DRM_SAFE_DEBUG
void __drm_vmap_track(struct __drm_vmap *h);
void __drm_vmap_untrack(struct __drm_vmap *h);
#else
static inline void __drm_vmap_track(struct __drm_vmap *h) { }
static inline void __drm_vmap_untrack(struct __drm_vmap *h) { }
#endif

static __always_inline void
__drm_shmem_put_mapping(struct drm_shmem_obj *obj, bool locked)
{
	/*
	 * Release: what was done through the mapping comes before it can go.
	 * The count reaches zero only under the reservation lock.
	 */
	if (!refcount_dec_not_one(&obj->__vmap_users))
		__drm_shmem_vunmap_last(obj, locked);
}

static __always_inline bool __drm_vmap_wrong_kind(unsigned int kind, bool iomem)
{
	return kind == (iomem ? __DRM_VMAP_KIND_SYSMEM : __DRM_VMAP_KIND_IOMEM);
}

/* The address is not NULL, of which the compiler makes use. */
static __always_inline void
__drm_vmap_set(struct __drm_vmap *h, struct drm_gem_shmem_object *shmem, void *addr,
	       size_t size, unsigned int flags)
{
	if (!addr)
		__builtin_unreachable();
	h->addr = addr;
	h->size = size;
	h->shmem = shmem;
	h->flags = flags;
	__drm_vmap_track(h);
}

/* Fill in @h, which is empty; if this fails then it stays so. */
static __always_inline int
__drm_shmem_vmap(struct __drm_vmap *h, struct drm_shmem_obj *obj, size_t min,
		 unsigned int kind, bool locked)
{
	struct drm_gem_object *gem = &obj->base.base;
	size_t size = gem->size;
	unsigned int flags;
	int ret;

	ret = __drm_shmem_check_call(gem, locked);
	if (ret)
		return ret;
	if (unlikely(size < min))
		return -ENOSPC;
	/*
	 * Acquire: pairs with the release in __drm_shmem_vmap_first(). A caller
	 * that sees the count not zero sees the address that belongs to it, and
	 * keeps it there: invariant of @__vmap_users.
	 */
	if (unlikely(!refcount_inc_not_zero_acquire(&obj->__vmap_users))) {
		ret = __drm_shmem_vmap_first(obj, locked);
		if (ret)
			return ret;
	}

	/* One test for most mappings: system memory, of whole pages. */
	flags = READ_ONCE(obj->__flags) & (__DRM_SHMEM_IOMEM | __DRM_SHMEM_PARTIAL);
	if (unlikely(flags || kind == __DRM_VMAP_KIND_IOMEM)) {
		size = __drm_gem_bytes(gem);
		ret = __drm_vmap_wrong_kind(kind, flags & __DRM_SHMEM_IOMEM) ? -EOPNOTSUPP :
		      size < min ? -ENOSPC : 0;
		if (ret) {
			__drm_shmem_put_mapping(obj, locked);
			return ret;
		}
	}

	__drm_vmap_set(h, &obj->base, obj->__vaddr, size, flags & __DRM_SHMEM_IOMEM);
	return 0;
}

static __always_inline int
__drm_shmem_vmap_raw(struct __drm_vmap *h, struct drm_gem_shmem_object *shmem,
		     size_t min, unsigned int kind, bool locked)
{
	const size_t size = __drm_gem_bytes(&shmem->base);
	struct iosys_map map;
	void *addr;
	int ret;

	ret = __drm_shmem_check_call(&shmem->base, locked);
	if (ret)
		return ret;
	if (size < min)
		return -ENOSPC;
	ret = __drm_shmem_vmap_plain(shmem, &map, locked);
	if (ret)
		return ret;

	/* The flag goes with the address: second invariant of struct __drm_vmap. */
	addr = map.is_iomem ? (void __force *)map.vaddr_iomem : map.vaddr;
	if (__drm_vmap_wrong_kind(kind, map.is_iomem)) {
		__drm_shmem_vunmap_plain(shmem, addr, map.is_iomem, locked);
		return -EOPNOTSUPP;
	}

	__drm_vmap_set(h, shmem, addr, size,
		       __DRM_VMAP_PLAIN | (map.is_iomem ? __DRM_VMAP_IOMEM : 0));
	return 0;
}

/*
 * Drop what a handle holds. The flag tells which of the two kinds of object
 * @shmem is, which makes the container_of() right.
 */
static __always_inline void
__drm_vmap_end(struct __drm_vmap *h, bool owned, bool locked)
{
	struct drm_gem_shmem_object *shmem = h->shmem;
	void *addr = h->addr;

	if (!addr)
		return;
	__drm_shmem_check_call(&shmem->base, locked);
	__drm_vmap_untrack(h);
	h->addr = NULL;
	h->size = 0;
	if (unlikely(h->flags & __DRM_VMAP_PLAIN))
		__drm_shmem_vunmap_plain(shmem, addr, h->flags & __DRM_VMAP_IOMEM, locked);
	else
		__drm_shmem_put_mapping(container_of(shmem, struct drm_shmem_obj, base),
					locked);
	if (owned)
		drm_gem_object_put(&shmem->base);
}

static __always_inline void __drm_vmap_scope_end(void *v)
	__must_not_hold(drm_resv)
{
	__drm_vmap_end(v, false, false);
}

static __always_inline void __drm_vmap_scope_end_locked(void *v)
	__must_hold(drm_resv)
{
	__drm_vmap_end(v, false, true);
}

#define __drm_vmap_get(_v, _obj, _locked)					\
	(__drm_resv_need(_locked),						\
	 _Generic((_obj),							\
		  struct drm_shmem_obj *: __drm_shmem_vmap,			\
		  struct drm_gem_shmem_object *: __drm_shmem_vmap_raw)		\
		(__drm_vmap(_v), _obj, __drm_vmap_min(_v), __drm_vmap_kind(_v), _locked))

#define __drm_shmem_if_vmap(_end, _locked, _type, _v, _obj, _err)		\
	for (bool __once = true; __once; __once = false)			\
		for (struct _type _v[1] __cleanup(_end) = {};			\
		     __once && !((_err) = __drm_vmap_get(_v, _obj, _locked));	\
		     __once = false)						\
			__drm_safe_no_jump_into(_v, __once, __once = false)

#define __drm_shmem_vmap_or(_end, _locked, _type, _v, _obj, _err, ...)		\
	struct _type _v[1] __cleanup(_end) = {};				\
	const int __err_##_v = __drm_vmap_get(_v, _obj, _locked);		\
										\
	(_err) = __err_##_v;							\
	if (unlikely(__err_##_v)) {						\
		__VA_ARGS__;							\
		__drm_safe_must_leave();					\
	}									\
	__drm_safe_no_jump(_v, _v)

/**
 * drm_shmem_if_vmap() - run a block with a borrowed mapping
 * @_type: type of the handle, from DEFINE_DRM_VMAP() or one of its siblings
 * @_v: name of the handle in the block, a struct _type
 * @_obj: a &struct drm_shmem_obj or &struct drm_gem_shmem_object, which the
 *	caller keeps alive
 * @_err: variable for the result: 0; -ENOSPC if the object has fewer bytes than
 *	the type's minimum, where an imported one has those of its dma-buf;
 *	-EOPNOTSUPP; -ENODATA if the object was purged; -ENOMEM; what a dma-buf's
 *	exporter returns; or -EDEADLK if the caller is seen to hold the object's
 *	reservation lock, which is reported
 *
 * The block is skipped if @_err is set. An object that is mapped already is
 * mapped again without its reservation lock, unless it is a
 * &struct drm_gem_shmem_object.
 *
 * Context: May sleep. Without the object's reservation lock, at the start and
 * at the end of the block.
 */
#define drm_shmem_if_vmap(_type, _v, _obj, _err)				\
	__drm_shmem_if_vmap(__drm_vmap_scope_end, false, _type, _v, _obj, _err)

/**
 * drm_shmem_if_vmap_locked() - the same, with the reservation lock held
 * @_type: type of the handle
 * @_v: name of the handle in the block
 * @_obj: the object
 * @_err: variable for the result, as in drm_shmem_if_vmap(); -EINVAL instead of
 *	-EDEADLK, if the caller is seen not to hold the lock
 *
 * Context: May sleep. The caller holds the object's reservation lock until
 * the block is left.
 */
#define drm_shmem_if_vmap_locked(_type, _v, _obj, _err)				\
	__drm_shmem_if_vmap(__drm_vmap_scope_end_locked, true, _type, _v, _obj, _err)

/**
 * drm_shmem_vmap_or() - declare a borrowed mapping for the rest of the scope
 * @_type: type of the handle
 * @_v: name of the handle
 * @_obj: the object
 * @_err: variable for the result, as in drm_shmem_if_vmap()
 * @...: statement that leaves the scope, for when @_err is set
 *
 * Context: As drm_shmem_if_vmap().
 */
#define drm_shmem_vmap_or(_type, _v, _obj, _err, ...)				\
	__drm_shmem_vmap_or(__drm_vmap_scope_end, false, _type, _v, _obj, _err, __VA_ARGS__)

/**
 * drm_shmem_vmap_or_locked() - the same, with the reservation lock held
 * @_type: type of the handle
 * @_v: name of the handle
 * @_obj: the object
 * @_err: variable for the result
 * @...: statement that leaves the scope
 *
 * Context: As drm_shmem_if_vmap_locked().
 */
#define drm_shmem_vmap_or_locked(_type, _v, _obj, _err, ...)			\
	__drm_shmem_vmap_or(__drm_vmap_scope_end_locked, true, _type, _v, _obj, _err, __VA_ARGS__)

/*
 * Only owned handles have the member: the others end with their scope. Its name
 * is what the compiler says.
 */
#define __drm_vmap_owned(_own)							\
	((void)sizeof((_own)->__only_owned_handles_are_filled_moved_or_released), \
	 __drm_vmap(_own))

/*
 * The compiler is told at the end what it cannot know after the calls, that
 * the handle is empty. It is not written then, for it may be in the object.
 */
#define __drm_vmap_release(_own, _locked) do {					\
	struct __drm_vmap *__released = __drm_vmap_owned(_own);			\
										\
	__drm_resv_need(_locked);						\
	__drm_vmap_end(__released, true, _locked);				\
	if (__released->addr)							\
		__builtin_unreachable();					\
} while (0)

/* A result that must be looked at has to come from a call, not from ({ }). */
static __always_inline __must_check int __drm_shmem_must_check(int ret)
{
	return ret;
}

#define __drm_shmem_vmap_own(_own, _obj, _locked) __drm_shmem_must_check(({	\
	__drm_vmap_bind(__v, _own);						\
	struct __drm_vmap *__own = __drm_vmap_owned(__v);			\
	int __ret = -EBUSY;							\
										\
	if (unlikely(__own->addr)) {						\
		__drm_vmap_overwritten(__own);					\
	} else {								\
		__ret = __drm_vmap_get(__v, _obj, _locked);			\
		if (!__ret)							\
			drm_gem_object_get(&__own->shmem->base);		\
	}									\
	__ret;									\
}))

/**
 * drm_shmem_vmap_own() - make an owned mapping
 * @_own: handle to fill in, a zeroed struct _type_owned
 * @_obj: a &struct drm_shmem_obj or &struct drm_gem_shmem_object
 *
 * The handle keeps the object alive. It ends with drm_vmap_release(), or with
 * the scope if it was declared with __cleanup(drm_vmap_cleanup).
 *
 * Context: May sleep. Without the object's reservation lock.
 *
 * Return: as the result of drm_shmem_if_vmap(), or -EBUSY if the handle is in
 * use.
 */
#define drm_shmem_vmap_own(_own, _obj)		__drm_shmem_vmap_own(_own, _obj, false)

/**
 * drm_shmem_vmap_own_locked() - the same, with the reservation lock held
 * @_own: handle to fill in
 * @_obj: the object
 *
 * Context: May sleep. The caller holds the object's reservation lock.
 *
 * Return: as drm_shmem_vmap_own().
 */
#define drm_shmem_vmap_own_locked(_own, _obj)					\
	__drm_shmem_vmap_own(_own, _obj, true)

/**
 * drm_vmap_release() - end an owned mapping
 * @_own: the handle, which may be empty and is so afterwards
 *
 * Context: May sleep. Without the object's reservation lock.
 */
#define drm_vmap_release(_own)		__drm_vmap_release(_own, false)

/**
 * drm_vmap_release_locked() - the same, with the reservation lock held
 * @_own: the handle, which may be empty and is so afterwards
 *
 * Context: May sleep. The caller holds the object's reservation lock and, so
 * that the lock does not go away with it, a reference to the object.
 */
#define drm_vmap_release_locked(_own)	__drm_vmap_release(_own, true)

/**
 * drm_vmap_cleanup() - release an owned mapping at the end of a scope
 * @own: the handle, for __cleanup()
 *
 * Context: May sleep. The caller does not hold the object's reservation lock.
 */
static __always_inline void drm_vmap_cleanup(void *own) __must_not_hold(drm_resv)
{
	__drm_vmap_end(own, true, false);
}

/**
 * drm_vmap_move() - move an owned mapping to another handle
 * @_to: empty handle
 * @_from: handle of the same type, empty afterwards
 *
 * If @_to is in use then that is reported, and what it holds is released: on
 * every path @_from is empty, which the compiler can see.
 *
 * Context: Any. As drm_vmap_release() if @_to is in use.
 */
#define drm_vmap_move(_to, _from) do {						\
	struct __drm_vmap *__to = __drm_vmap_owned(_to);			\
	struct __drm_vmap *__from = __drm_vmap_owned(_from);			\
										\
	static_assert(__same_type(*(_to), *(_from)),				\
		      "an owned mapping moves to a handle of its own type");	\
	__drm_vmap_assert_not_null(__from->addr);				\
	if (unlikely(__to->addr))						\
		__drm_vmap_replaced(__to);					\
	*__to = *__from;							\
	__from->addr = NULL;							\
	__from->size = 0;							\
} while (0)

/**
 * drm_vmap_borrow() - lend an owned mapping
 * @_own: the handle
 *
 * An empty handle can be lent: what is lent is as empty, and refused like it.
 *
 * Return: the handle as a const struct _type \*, valid for as long as @_own.
 */
#define drm_vmap_borrow(_own)							\
	((const typeof((_own)->__only_owned_handles_are_lent) *)		\
	 &(_own)->__only_owned_handles_are_lent)

/**
 * drm_vmap_narrow() - lend a mapping as one with a smaller minimum
 * @_type: the other type, of the same kind
 * @_v: the handle
 *
 * Return: the handle as a const struct _type \*.
 */
#define drm_vmap_narrow(_type, _v) ({						\
	static_assert(__drm_vmap_min(_v) >= __drm_vmap_min((struct _type *)0),	\
		      "the mapping may be smaller than struct " #_type);	\
	static_assert(__drm_vmap_kind(_v) == __drm_vmap_kind((struct _type *)0), \
		      "struct " #_type " is for another kind of memory");	\
	(const struct _type *)(_v);						\
})

/**
 * drm_vmap_size() - size of a mapping in bytes
 * @_v: the handle
 *
 * Return: the size, which for an imported object is that of its dma-buf and need
 * not be a multiple of anything; 0 if the handle is empty.
 */
#define drm_vmap_size(_v)	(__drm_vmap(_v)->size)

/* The test is on a bool because gcc folds __builtin_constant_p(pointer) to 0. */
#define __drm_vmap_assert_not_null(_addr) do {					\
	bool __dead = !(_addr);							\
										\
	compiletime_assert(!(__builtin_constant_p(__dead) && __dead),		\
			   "this mapping was released, moved or never made");	\
} while (0)

#define __drm_vmap_assert_live(_v)	__drm_vmap_assert_not_null(__drm_vmap(_v)->addr)

/* An offset of userspace is a u64, also where addresses have 32 bits. */
#define __drm_vmap_off_t(_off)							\
	typeof(__builtin_choose_expr(sizeof(_off) > sizeof(size_t), (u64)0, (size_t)0))

#define __drm_vmap_assert_width(_T)						\
	static_assert(sizeof(_T) <= sizeof(u64) && !(sizeof(_T) & (sizeof(_T) - 1)), \
		      "an access has 8, 16, 32 or 64 bits")

/*
 * An access through an empty handle faults: no kernel maps the first 4 KiB, except that of
 * s390, which has the lowcore there. What lies behind them may be mapped, so there the
 * offset is left out.
 */
#define __DRM_VMAP_NULL_IS_MAPPED	IS_ENABLED(CONFIG_S390)

/* Where nothing is mapped on any machine: the page of the ERR_PTR()s */
#define __DRM_VMAP_NOWHERE		((void *)PAGE_MASK)

static __always_inline void *
__drm_vmap_place(void *addr, size_t off, bool faults, bool null_is_mapped)
{
	if (null_is_mapped && unlikely(!addr))
		return __DRM_VMAP_NOWHERE;
	return addr + (faults ? off : 0);
}

#define __drm_vmap_faults(_v, _off) ({						\
	const bool __first = __drm_vmap_min(_v) <= SZ_4K || (_off) < SZ_4K;	\
										\
	(__builtin_constant_p(__first) && __first) || __drm_vmap(_v)->addr;	\
})

#define __drm_vmap_at(_v, _off, _T) ({						\
	const __drm_vmap_off_t(_off) __off = (_off);				\
										\
	__drm_vmap_assert_live(_v);						\
	__drm_vmap_assert_width(_T);						\
	compiletime_assert(__drm_vmap_min(_v) >= sizeof(_T) &&			\
			   __off <= __drm_vmap_min(_v) - sizeof(_T),		\
			   "offset not provably inside of the mapping: use drm_vmap_try_*"); \
	compiletime_assert(!(__off % sizeof(_T)),				\
			   "offset not provably aligned");			\
	__drm_vmap_place(__drm_vmap(_v)->addr, __off, __drm_vmap_faults(_v, __off),	\
			 __DRM_VMAP_NULL_IS_MAPPED);				\
})

/*
 * Which access it takes is known from the type, but for the kind "either".
 * Casts to __iomem: the flag says so, second invariant of struct __drm_vmap.
 */
#define __drm_vmap_is_iomem(_v)							\
	(__drm_vmap_kind(_v) == __DRM_VMAP_KIND_IOMEM ||			\
	 (__drm_vmap_kind(_v) == __DRM_VMAP_KIND_EITHER &&			\
	  (__drm_vmap(_v)->flags & __DRM_VMAP_IOMEM)))

static __always_inline u64 __drm_vmap_io_read(const void *addr, size_t size)
{
	const void __iomem *io = (const void __iomem __force *)addr;

	switch (size) {
	case 1:
		return readb(io);
	case 2:
		return readw(io);
	case 4:
		return readl(io);
	default:
		return readq(io);
	}
}

static __always_inline void
__drm_vmap_io_write(void *addr, size_t size, u64 val)
{
	void __iomem *io = (void __iomem __force *)addr;

	switch (size) {
	case 1:
		writeb(val & U8_MAX, io);
		break;
	case 2:
		writew(val & U16_MAX, io);
		break;
	case 4:
		writel(val & U32_MAX, io);
		break;
	default:
		writeq(val, io);
		break;
	}
}

#define __drm_vmap_load(_v, _T, _addr)						\
	(__drm_vmap_is_iomem(_v) ?						\
	 (__force _T)__drm_vmap_io_read(_addr, sizeof(_T)) :			\
	 READ_ONCE(*(_T *)(_addr)))

#define __drm_vmap_store(_v, _T, _addr, _val) do {				\
	const _T __val = (_val);						\
										\
	if (__drm_vmap_is_iomem(_v))						\
		__drm_vmap_io_write(_addr, sizeof(_T), (__force u64)__val);	\
	else									\
		WRITE_ONCE(*(_T *)(_addr), __val);				\
} while (0)

/* The handle, evaluated once; in the type that knows its size and kind */
#define __drm_vmap_bind(_h, _v)	typeof(&*(_v)) _h = (_v)

#define __drm_vmap_read(_v, _off, _T) ({					\
	__drm_vmap_bind(__v, _v);						\
	const void *__addr = __drm_vmap_at(__v, _off, _T);			\
										\
	__drm_vmap_load(__v, _T, __addr);					\
})

#define __drm_vmap_write(_v, _off, _T, _val) do {				\
	__drm_vmap_bind(__v, _v);						\
	void *__addr = __drm_vmap_at(__v, _off, _T);				\
										\
	__drm_vmap_store(__v, _T, __addr, _val);				\
} while (0)

/**
 * drm_vmap_read8() - read a byte at a constant offset
 * @_v: the handle, borrowed or owned
 * @_off: offset in bytes, which the compiler must see to be below the
 *	minimum size of the type; drm_vmap_read16() and so on also want it
 *	to be a multiple of the size of the access
 *
 * The same instruction as READ_ONCE() of a pointer, or as readb() if the type
 * is for I/O memory. Through an empty handle, it is an access to a page that no kernel
 * maps: the one at NULL, or on s390 the last one.
 *
 * Return: the value.
 */
#define drm_vmap_read8(_v, _off)	__drm_vmap_read(_v, _off, u8)
/** drm_vmap_read16() - see drm_vmap_read8() */
#define drm_vmap_read16(_v, _off)	__drm_vmap_read(_v, _off, u16)
/** drm_vmap_read32() - see drm_vmap_read8() */
#define drm_vmap_read32(_v, _off)	__drm_vmap_read(_v, _off, u32)
/** drm_vmap_read64() - see drm_vmap_read8() */
#define drm_vmap_read64(_v, _off)	__drm_vmap_read(_v, _off, u64)

/**
 * drm_vmap_write8() - write a byte at a constant offset
 * @_v: the handle
 * @_off: offset in bytes, as in drm_vmap_read8()
 * @_val: the value
 */
#define drm_vmap_write8(_v, _off, _val)		__drm_vmap_write(_v, _off, u8, _val)
/** drm_vmap_write16() - see drm_vmap_write8() */
#define drm_vmap_write16(_v, _off, _val)	__drm_vmap_write(_v, _off, u16, _val)
/** drm_vmap_write32() - see drm_vmap_write8() */
#define drm_vmap_write32(_v, _off, _val)	__drm_vmap_write(_v, _off, u32, _val)
/** drm_vmap_write64() - see drm_vmap_write8() */
#define drm_vmap_write64(_v, _off, _val)	__drm_vmap_write(_v, _off, u64, _val)

#define __drm_vmap_field_t(_struct, _member)	typeof(((_struct *)0)->_member)

/**
 * drm_vmap_read_field() - read a member of the structure at the mapping's start
 * @_v: the handle, with a minimum size of at least the struct's
 * @_struct: the struct, for example struct foo_hdr
 * @_member: the member, also of a nested structure or array: ring[3].head
 *
 * Return: the member's value, in the member's type.
 */
#define drm_vmap_read_field(_v, _struct, _member) ({				\
	static_assert(sizeof(_struct) <= __drm_vmap_min(_v),			\
		      #_struct " may be larger than the mapping");		\
	__drm_vmap_read(_v, offsetof(_struct, _member),				\
			__drm_vmap_field_t(_struct, _member));			\
})

/**
 * drm_vmap_write_field() - write a member of the structure at the mapping's start
 * @_v: the handle
 * @_struct: the struct
 * @_member: the member
 * @_val: the value
 */
#define drm_vmap_write_field(_v, _struct, _member, _val) do {			\
	static_assert(sizeof(_struct) <= __drm_vmap_min(_v),			\
		      #_struct " may be larger than the mapping");		\
	__drm_vmap_write(_v, offsetof(_struct, _member),			\
			 __drm_vmap_field_t(_struct, _member), _val);		\
} while (0)

/*
 * Whether an access of @_n bytes, a power of two, at a multiple of that is inside
 * of @_size bytes. Such an offset leaves room for the access if it is below the size
 * rounded down. Nothing is subtracted that could wrap: a size of 0 has no offset.
 */
#define __drm_vmap_fits(_size, _off, _n)					\
	((_off) < ((_size) & ~((typeof(_size))(_n) - 1)) && !((_off) % (_n)))

#define __drm_vmap_try_at(_v, _off, _T)						\
	__drm_vmap_fits(__drm_vmap(_v)->size, _off, sizeof(_T))

/* The access, if the offset is known to be good. */
#define __drm_vmap_tried(_v, _good, ...) ({					\
	int __ret = -EINVAL;							\
										\
	__drm_vmap_assert_live(_v);						\
	if (likely(_good)) {							\
		__VA_ARGS__;							\
		__ret = 0;							\
	}									\
	__ret;									\
})

#define __drm_vmap_try_read(_v, _off, _T, _out) ({				\
	__drm_vmap_bind(__v, _v);						\
	const __drm_vmap_off_t(_off) __off = (_off);				\
										\
	__drm_vmap_assert_width(_T);						\
	__drm_vmap_tried(__v, __drm_vmap_try_at(__v, __off, _T),		\
			 *(_out) = __drm_vmap_load(__v, _T, __drm_vmap(__v)->addr + __off)); \
})

#define __drm_vmap_try_write(_v, _off, _T, _val) ({				\
	__drm_vmap_bind(__v, _v);						\
	const __drm_vmap_off_t(_off) __off = (_off);				\
										\
	__drm_vmap_assert_width(_T);						\
	__drm_vmap_tried(__v, __drm_vmap_try_at(__v, __off, _T),		\
			 __drm_vmap_store(__v, _T, __drm_vmap(__v)->addr + __off, _val)); \
})

/**
 * drm_vmap_try_read8() - read a byte at any offset
 * @_v: the handle
 * @_off: offset in bytes, tested against the size of the mapping;
 *	drm_vmap_try_read16() and so on also test that it is a multiple of the
 *	size of the access
 * @_out: pointer to where the value goes
 *
 * Return: 0, or -EINVAL for a bad offset or an empty handle; nothing is read then.
 */
#define drm_vmap_try_read8(_v, _off, _out)	__drm_vmap_try_read(_v, _off, u8, _out)
/** drm_vmap_try_read16() - see drm_vmap_try_read8() */
#define drm_vmap_try_read16(_v, _off, _out)	__drm_vmap_try_read(_v, _off, u16, _out)
/** drm_vmap_try_read32() - see drm_vmap_try_read8() */
#define drm_vmap_try_read32(_v, _off, _out)	__drm_vmap_try_read(_v, _off, u32, _out)
/** drm_vmap_try_read64() - see drm_vmap_try_read8() */
#define drm_vmap_try_read64(_v, _off, _out)	__drm_vmap_try_read(_v, _off, u64, _out)

/**
 * drm_vmap_try_write8() - write a byte at any offset
 * @_v: the handle
 * @_off: offset in bytes, as in drm_vmap_try_read8()
 * @_val: the value
 *
 * Return: 0, or -EINVAL for a bad offset or an empty handle; nothing is written
 * then.
 */
#define drm_vmap_try_write8(_v, _off, _val)	__drm_vmap_try_write(_v, _off, u8, _val)
/** drm_vmap_try_write16() - see drm_vmap_try_write8() */
#define drm_vmap_try_write16(_v, _off, _val)	__drm_vmap_try_write(_v, _off, u16, _val)
/** drm_vmap_try_write32() - see drm_vmap_try_write8() */
#define drm_vmap_try_write32(_v, _off, _val)	__drm_vmap_try_write(_v, _off, u32, _val)
/** drm_vmap_try_write64() - see drm_vmap_try_write8() */
#define drm_vmap_try_write64(_v, _off, _val)	__drm_vmap_try_write(_v, _off, u64, _val)

#define __drm_vmap_elem_t(_struct, _array)	typeof(((_struct *)0)->_array[0])

#define __drm_vmap_elem_off(_struct, _array, _idx)				\
	(offsetof(_struct, _array) + (_idx) * sizeof(__drm_vmap_elem_t(_struct, _array)))

/* An array that is inside of the least mapping is in every one that is not empty. */
#define __drm_vmap_try_elem(_v, _struct, _array, _idx)				\
	((_idx) < ARRAY_SIZE(((_struct *)0)->_array) &&				\
	 (offsetofend(_struct, _array) <= __drm_vmap_min(_v) ?			\
	  !!__drm_vmap(_v)->addr :						\
	  __drm_vmap_try_at(_v, __drm_vmap_elem_off(_struct, _array, _idx),	\
			    __drm_vmap_elem_t(_struct, _array))))

#define __drm_vmap_assert_elem_aligned(_struct, _array)				\
	static_assert(!(offsetof(_struct, _array) %				\
			sizeof(__drm_vmap_elem_t(_struct, _array))),		\
		      #_array " is not aligned in " #_struct)

/**
 * drm_vmap_try_read_elem() - read an element of an array in the structure at the
 *	mapping's start
 * @_v: the handle
 * @_struct: the struct
 * @_array: its member, an array
 * @_idx: any index
 * @_out: pointer to where the value goes
 *
 * Return: 0, or -EINVAL if @_idx is not below the array's length, the element not
 * inside of the mapping, or the handle empty.
 */
#define drm_vmap_try_read_elem(_v, _struct, _array, _idx, _out) ({		\
	__drm_vmap_bind(__v, _v);						\
	const __drm_vmap_off_t(_idx) __idx = (_idx);				\
										\
	__drm_vmap_assert_elem_aligned(_struct, _array);			\
	__drm_vmap_assert_width(__drm_vmap_elem_t(_struct, _array));		\
	__drm_vmap_tried(__v, __drm_vmap_try_elem(__v, _struct, _array, __idx),	\
			 *(_out) = __drm_vmap_load(__v, __drm_vmap_elem_t(_struct, _array), \
						   __drm_vmap(__v)->addr +	\
						   __drm_vmap_elem_off(_struct, _array, __idx))); \
})

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
	__drm_vmap_bind(__v, _v);						\
	const __drm_vmap_off_t(_idx) __idx = (_idx);				\
										\
	__drm_vmap_assert_elem_aligned(_struct, _array);			\
	__drm_vmap_assert_width(__drm_vmap_elem_t(_struct, _array));		\
	__drm_vmap_tried(__v, __drm_vmap_try_elem(__v, _struct, _array, __idx),	\
			 __drm_vmap_store(__v, __drm_vmap_elem_t(_struct, _array), \
					  __drm_vmap(__v)->addr +		\
					  __drm_vmap_elem_off(_struct, _array, __idx), \
					  _val));				\
})

#define __drm_vmap_bulk(_fn, _v, ...) ({					\
	__drm_vmap_bind(__v, _v);						\
										\
	__drm_vmap_assert_live(__v);						\
	_fn(__drm_vmap(__v), __VA_ARGS__);					\
})

/**
 * drm_vmap_copy_to() - copy memory into a mapping
 * @_v: the handle
 * @_off: offset in bytes
 * @_src: the memory
 * @_len: number of bytes, may be 0
 *
 * Return: 0, or -EINVAL unless all of it is inside, also if the handle is empty;
 * nothing is copied then.
 */
#define drm_vmap_copy_to(_v, _off, _src, _len)					\
	__drm_vmap_bulk(__drm_vmap_copy_to, _v, _off, _src, _len)

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
	__drm_vmap_bulk(__drm_vmap_copy_from, _v, _off, _dst, _len)

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
	__drm_vmap_bulk(__drm_vmap_fill, _v, _off, _value, _len)

/**
 * drm_vmap_from_user() - copy from userspace into a mapping
 * @_v: the handle
 * @_off: offset in bytes
 * @_src: userspace pointer
 * @_len: number of bytes, may be 0
 *
 * Context: May fault, so it may sleep. Not under a reservation lock: the page
 * fault may take one, and for ever if the source is a mapping of the object.
 *
 * Return: 0; -EINVAL unless all of it is inside; -EDEADLK if the caller holds the
 * object's reservation lock, which is reported; or -EFAULT. After -EFAULT, the
 * first bytes may have been copied, and the others are what they were.
 */
#define drm_vmap_from_user(_v, _off, _src, _len)				\
	__drm_vmap_bulk(__drm_vmap_from_user, _v, _off, _src, _len)

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
	__drm_vmap_bulk(__drm_vmap_to_user, _v, _off, _dst, _len)

/**
 * drm_vmap_unsafe_ptr() - the address of a mapping in system memory
 * @_v: the handle
 *
 * Nothing guarantees any more what the handle does: the caller keeps to the
 * minimum size of the type and to the life of the handle.
 *
 * Return: the address, or NULL if the handle is empty. The compiler knows the
 * minimum size.
 */
#define drm_vmap_unsafe_ptr(_v) ({						\
	__drm_vmap_bind(__v, _v);						\
										\
	static_assert(__drm_vmap_kind(__v) == __DRM_VMAP_KIND_SYSMEM,		\
		      "this handle may be on I/O memory: use drm_vmap_unsafe_map()"); \
	__drm_vmap_assert_live(__v);						\
	__drm_vmap_unsafe(__drm_vmap(__v), __drm_vmap_min(__v));		\
})

/**
 * drm_vmap_unsafe_map() - the address of a mapping of any kind
 * @_v: the handle
 *
 * As drm_vmap_unsafe_ptr().
 *
 * Return: a &struct iosys_map, which iosys_map_is_null() if the handle is empty.
 */
#define drm_vmap_unsafe_map(_v) ({						\
	__drm_vmap_bind(__v, _v);						\
	struct iosys_map __map;							\
										\
	__drm_vmap_assert_live(__v);						\
	if (__drm_vmap_is_iomem(__v))						\
		iosys_map_set_vaddr_iomem(&__map,				\
			(void __iomem __force *)__drm_vmap(__v)->addr);		\
	else									\
		iosys_map_set_vaddr(&__map, __drm_vmap(__v)->addr);		\
	__map;									\
})

#endif /* _DRM_SHMEM_VMAP_H */
