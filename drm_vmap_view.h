/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Views of a part of a mapping: a structure at some offset, an element of an array, a range.
 * The offset is checked once, where the view is declared, and no access checks it again.
 */
#ifndef _DRM_VMAP_VIEW_H
#define _DRM_VMAP_VIEW_H

#include <linux/overflow.h>

#include "drm_shmem_vmap.h"

/* The alignment of a structure of this size in an array of them, up to 8 bytes */
#define __drm_vmap_natural(_size)						\
	(((_size) & -(_size)) < sizeof(u64) ? ((_size) & -(_size)) : sizeof(u64))

/**
 * DRM_VMAP_VIEW() - members of a view of a structure inside a mapping
 * @_type: the mapping's type, ``struct foo_ring``: a view is in the same kind of memory
 * @_struct: the viewed structure
 *
 * The driver defines a structure with these members only:
 *
 * .. code-block:: c
 *
 *	struct foo_slot_view {
 *		DRM_VMAP_VIEW(struct foo_ring, struct foo_slot);
 *	};
 *
 *	static int foo_ring_push(const struct foo_ring *ring, u32 idx, u32 cmd)
 *	{
 *		drm_vmap_view_elem_or(foo_slot_view, slot, ring, struct foo_ring_mem, slots, idx,
 *				      return -EINVAL);
 *		drm_vmap_set(slot, cmd, cmd);
 *		drm_vmap_set(slot, seq, drm_vmap_get(slot, seq) + 1);
 *		return 0;
 *	}
 *
 * A view is a mapping handle, so all accessors of a mapping handle work on it, and it can be
 * viewed again. It is aligned to the largest power of two that divides the structure's size, up
 * to 8. An access to more bytes than that does not compile.
 */
#define DRM_VMAP_VIEW(_type, _struct)						\
	union {									\
		/* private: */							\
		struct drm_vmap __map;						\
		struct drm_vmap __only_borrowed_handles_are_made_local;		\
		u8 __min_size[0][sizeof(_struct)];				\
		u8 __kind[0][__drm_vmap_kind((_type *)0)];			\
		u8 __align[0][__drm_vmap_natural(sizeof(_struct))];		\
		_struct *__viewed[0];						\
	};									\
	__DRM_SAFE_NO_ASSIGN

/*
 * Returns @size bytes of @m at @off, which are inside @m. Returns an empty handle for an empty
 * handle.
 */
static __always_inline struct drm_vmap
__drm_vmap_part(const struct drm_vmap *m, size_t off, size_t size)
{
	struct drm_vmap part = {};

	if (unlikely(!m->addr))
		return part;
	part.addr = m->addr + off;
	part.size = size;
	part.shmem = m->shmem;
	part.flags = m->flags;
	/* Lets the compiler drop checks: a mapping does not end at the last address. */
	if (!part.addr)
		__builtin_unreachable();
	return part;
}

/* A view at an offset that the compiler knows to be valid */
static __always_inline struct drm_vmap
__drm_vmap_part_at(const struct drm_vmap *m, size_t min, u64 off, size_t size, size_t align)
{
	__drm_vmap_live(m);
	compiletime_assert(min >= size && off <= min - size,
			   "view not provably inside of the mapping: use drm_vmap_view_or()");
	compiletime_assert(!((size_t)off % align), "view not provably aligned");
	return __drm_vmap_part(m, off, size);
}

/* A view at any offset. Returns an empty handle if the offset is not valid. */
static __always_inline struct drm_vmap
__drm_vmap_part_try(const struct drm_vmap *m, u64 off, u64 size, size_t align)
{
	static const struct drm_vmap empty;

	__drm_vmap_live(m);
	if (size > m->size || off > m->size - size || (size_t)off % align)
		return empty;
	return __drm_vmap_part(m, off, size);
}

/* A range that is large enough for its type */
static __always_inline struct drm_vmap
__drm_vmap_range(const struct drm_vmap *m, u64 off, u64 len, size_t min, size_t align)
{
	static const struct drm_vmap empty;

	return len < min ? empty : __drm_vmap_part_try(m, off, len, align);
}

/* An element of an array that the compiler knows to be inside the mapping */
static __always_inline struct drm_vmap
__drm_vmap_part_elem(const struct drm_vmap *m, size_t min, size_t array, size_t len, size_t size,
		     size_t align, u64 idx)
{
	static const struct drm_vmap empty;

	__drm_vmap_live(m);
	compiletime_assert(array + len * size <= min, "the array may be larger than the mapping");
	compiletime_assert(!(array % align), "the array is not aligned in the struct");
	if (unlikely(idx >= len))
		return empty;
	return __drm_vmap_part(m, array + idx * size, size);
}

/*
 * Returns the first of @count structures, if all of them are inside. Otherwise returns an empty
 * handle and an error.
 */
static __always_inline struct drm_vmap
__drm_vmap_part_first(const struct drm_vmap *m, u64 off, u64 count, size_t size, size_t align,
		      int *err)
{
	struct drm_vmap first = {};
	u64 bytes;

	*err = -EINVAL;
	if (check_mul_overflow(count, (u64)size, &bytes))
		return first;
	first = __drm_vmap_part_try(m, off, bytes, align);
	if (!first.addr)
		return first;
	*err = 0;
	first.size = size;
	return first;
}

/* Checks that the type of a view matches the type of the viewed handle. */
#define __drm_vmap_viewable(_type, _v) ({					\
	static_assert(__drm_vmap_is_a(_v, (struct _type *)0),			\
		      "struct " #_type " is for another kind of memory");	\
	static_assert(__drm_vmap_align(_v) >= __drm_vmap_align((struct _type *)0), \
		      "struct " #_type " may be aligned to more than the mapping"); \
	&(_v)->__map;								\
})
#define __drm_vmap_need(_type)							\
	__drm_vmap_min((struct _type *)0), __drm_vmap_align((struct _type *)0)

/* Declares the handle @_w for the rest of the scope. */
#define __drm_vmap_declare(_type, _w, _part)					\
	const struct _type _w[1] __maybe_unused = { {				\
		.__only_borrowed_handles_are_made_local = _part			\
	} };									\
	__drm_safe_no_jump(_w, _w)

#define __drm_vmap_declare_or(_type, _w, _part, ...)				\
	const struct _type _w[1] __maybe_unused = { {				\
		.__only_borrowed_handles_are_made_local = _part			\
	} };									\
										\
	if (unlikely(!_w->__map.addr)) {					\
		__VA_ARGS__;							\
		__drm_safe_must_leave();					\
	}									\
	__drm_safe_no_jump(_w, _w)

/**
 * drm_vmap_view() - view a structure at a constant offset of a mapping
 * @_type: the view's type without struct, see DRM_VMAP_VIEW()
 * @_w: name of the handle, the view, for the rest of the scope
 * @_v: the mapping handle, borrowed or owned, or another view
 * @_off: offset in bytes, which must be compile-time provably aligned for the structure, with
 *	room for it in the minimum size of the handle's type
 *
 * The view ends with the scope. Do not use it after drm_vmap_release() of the viewed handle.
 * Does not compile if a goto or a case label jumps past it into its scope.
 *
 * Context: Any.
 */
#define drm_vmap_view(_type, _w, _v, _off)					\
	__drm_vmap_declare(_type, _w,						\
			   __drm_vmap_part_at(__drm_vmap_viewable(_type, _v),	\
					      __drm_vmap_min(_v), _off, __drm_vmap_need(_type)))

/**
 * drm_vmap_view_or() - view a structure at any offset of a mapping
 * @_type: the view's type without struct
 * @_w: name of the handle, the view, for the rest of the scope
 * @_v: the mapping handle, or another view
 * @_off: offset in bytes, which may come from userspace
 * @...: statement that leaves the scope if the structure is not completely inside, or not
 *	aligned, or the handle is empty; such as ``return -EINVAL``
 *
 * Like drm_vmap_view(), but checks the offset at run time. Accesses do not check it
 * again.
 *
 * Context: Any.
 */
#define drm_vmap_view_or(_type, _w, _v, _off, ...)				\
	__drm_vmap_declare_or(_type, _w,					\
			      __drm_vmap_part_try(__drm_vmap_viewable(_type, _v), _off, \
						  __drm_vmap_need(_type)),	\
			      __VA_ARGS__)

/**
 * drm_vmap_view_elem_or() - view an element of an array of structures
 * @_type: the view's type without struct, of the array's structure
 * @_w: name of the handle, the view, for the rest of the scope
 * @_v: the mapping handle, or another view
 * @_struct: the structure at the beginning of the mapping, not larger than its minimum size
 * @_array: its member, an array
 * @_idx: any index, which may come from userspace
 * @...: statement that leaves the scope if @_idx is not below the array's length, or the handle
 *	is empty
 *
 * Like drm_vmap_view_or().
 *
 * Context: Any.
 */
#define drm_vmap_view_elem_or(_type, _w, _v, _struct, _array, _idx, ...)	\
	static_assert(__same_type(__drm_vmap_elem_t(_struct, _array),		\
				  *((struct _type *)0)->__viewed[0]),		\
		      "struct " #_type " views another structure");		\
	__drm_vmap_declare_or(_type, _w,					\
			      __drm_vmap_part_elem(__drm_vmap_viewable(_type, _v), \
						   __drm_vmap_min(_v),		\
						   offsetof(_struct, _array),	\
						   ARRAY_SIZE(((_struct *)0)->_array), \
						   __drm_vmap_need(_type), _idx), \
			      __VA_ARGS__)

/**
 * drm_vmap_range_or() - view a range of a mapping
 * @_type: type of the handle without struct, of the same kind: see DRM_VMAP()
 * @_w: name of the handle, for the rest of the scope
 * @_v: the mapping handle, or a view
 * @_off: offset in bytes, a multiple of 8, or of the alignment of a view's type
 * @_len: number of bytes, at least the minimum size of @_type; @_w cannot access bytes
 *	beyond these
 * @...: statement that leaves the scope if the range is not inside, is not aligned, or is too
 *	small for the type, or if the handle is empty
 *
 * Like drm_vmap_view_or().
 *
 * Context: Any.
 */
#define drm_vmap_range_or(_type, _w, _v, _off, _len, ...)			\
	__drm_vmap_declare_or(_type, _w,					\
			      __drm_vmap_range(__drm_vmap_viewable(_type, _v), _off, _len, \
					       __drm_vmap_need(_type)),		\
			      __VA_ARGS__)

/**
 * drm_vmap_view_for_each() - run a block for each structure of an array
 * @_type: the view's type without struct
 * @_w: name of the handle in the block, the view
 * @_v: the mapping handle, or another view
 * @_off: offset of the first structure in bytes, which may come from userspace
 * @_count: number of structures, which may come from userspace
 * @_err: variable for the result: 0, or -EINVAL if not all of them are inside the mapping, or
 *	they are not aligned, or the handle is empty
 *
 * Checks all structures once, before the first run of the block. The block does not run if @_err
 * is set. break leaves the loop.
 *
 * Context: Any.
 */
#define drm_vmap_view_for_each(_type, _w, _v, _off, _count, _err)		\
	for (u64 __count_##_w = (_count), *__once_##_w = &__count_##_w; __once_##_w; \
	     __once_##_w = NULL)						\
		__drm_vmap_for_each(_type, _w,					\
				    __drm_vmap_part_first(__drm_vmap_viewable(_type, _v), _off, \
							  __count_##_w, __drm_vmap_need(_type), \
							  &(_err)),		\
				    __count_##_w)

/*
 * The second of the two handles is not a real handle: its size is the number of structures that
 * are left.
 */
#define __drm_vmap_for_each(_type, _w, _first, _count)				\
	for (struct _type _w[2] = {						\
		     { .__only_borrowed_handles_are_made_local = _first },	\
		     { .__map.size = _count },					\
	     };									\
	     _w[0].__map.addr && _w[1].__map.size;				\
	     _w[0].__map.addr += __drm_vmap_min((struct _type *)0), _w[1].__map.size--)

/**
 * drm_vmap_get() - read a member of the viewed structure
 * @_w: the view
 * @_member: the member, also of a nested structure or array
 *
 * Return: the member's value, in the member's type.
 */
#define drm_vmap_get(_w, _member)						\
	drm_vmap_read_field(_w, typeof(*(_w)->__viewed[0]), _member)

/**
 * drm_vmap_set() - write a member of the viewed structure
 * @_w: the view
 * @_member: the member, also of a nested structure or array
 * @_val: the value
 */
#define drm_vmap_set(_w, _member, _val)						\
	drm_vmap_write_field(_w, typeof(*(_w)->__viewed[0]), _member, _val)

#endif /* _DRM_VMAP_VIEW_H */
