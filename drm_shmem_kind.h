/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Several kinds of object in one driver. All kinds share a base, which a look-up returns. Each kind
 * has its own operations, and drm_shmem_kind() is a checked cast from the base to a kind.
 */
#ifndef _DRM_SHMEM_KIND_H
#define _DRM_SHMEM_KIND_H

#include "drm_shmem_obj.h"

/**
 * DRM_SHMEM_OBJ_BASE() - declare the common base of several kinds of a driver's objects
 * @_name: name of the base's description, a const &struct drm_shmem_obj_base as its base
 * @_type: the driver's structure that each kind begins with
 * @_member: its &struct drm_shmem_obj, which must come first
 * @_ops: the structure of the operations that each kind has, such as struct foo_bo_ops
 *
 * Goes into the driver's header, before DRM_SHMEM_OBJ_KIND() for each kind. One of its C files
 * defines the description:
 *
 * .. example: alone
 * .. code-block:: c
 *
 *	struct foo_bo {
 *		struct drm_shmem_obj obj;
 *		u32 flags;
 *	};
 *
 *	struct foo_bo_ops {
 *		u64 (*addr)(struct foo_bo *bo);
 *	};
 *
 *	DRM_SHMEM_OBJ_BASE(foo_bo_base, struct foo_bo, obj, struct foo_bo_ops);
 *
 *	struct foo_heap {
 *		struct foo_bo bo;
 *		u64 addr;
 *	};
 *
 *	DRM_SHMEM_OBJ_KIND(foo_heap_type, struct foo_heap, bo, struct foo_heap_unique, foo_bo_base);
 *
 *	const struct foo_bo_base foo_bo_base = {
 *		.base.name = "foo_bo",
 *	};
 *
 *	static u64 foo_heap_addr(struct foo_bo *bo)
 *	{
 *		struct foo_heap *heap = drm_shmem_kind(&foo_heap_type, bo);
 *
 *		return heap ? heap->addr : 0;
 *	}
 *
 *	static const struct foo_bo_ops foo_heap_ops = {
 *		.addr = foo_heap_addr,
 *	};
 *
 *	const struct foo_heap_type foo_heap_type = {
 *		DRM_SHMEM_OBJ_KIND_OF(foo_bo_base, &foo_heap_ops),
 *		.base.flags = DRM_SHMEM_NO_MMAP,
 *	};
 *
 * Some functions take the description of a base instead of a type's: drm_shmem_lookup(),
 * drm_shmem_lookup_user() and its siblings, drm_shmem_from_gem(), and, in a step that several kinds
 * share, drm_shmem_from_obj(). There are no objects of a base itself.
 */
#define DRM_SHMEM_OBJ_BASE(_name, _type, _member, _ops)				\
struct _name {									\
	struct drm_shmem_obj_base base;						\
	/* private: empty, for their types */					\
	_type *__obj[0];							\
	const _ops *__ops[0];							\
};										\
static_assert(offsetof(_type, _member) == 0,					\
	      "the struct drm_shmem_obj must be the first member of " #_type);	\
static_assert(__same_type(((_type *)0)->_member, struct drm_shmem_obj),		\
	      #_type "." #_member " must be a struct drm_shmem_obj");		\
extern const struct _name _name

/**
 * DRM_SHMEM_OBJ_KIND() - declare a driver's type of object that is one of several kinds
 * @_name: name of the kind's description, a const &struct drm_shmem_obj_type as its base
 * @_type: the driver's structure of this kind
 * @_member: its structure of the base, which must come first
 * @_unique: a structure tag of the driver's choice, never defined: the type of an object that is
 *	not shared yet
 * @_base: the base's description, which DRM_SHMEM_OBJ_BASE() declared
 *
 * Like DRM_SHMEM_OBJ_TYPE(). A kind is a type: each function that takes the description of a
 * type also takes the description of a kind.
 */
#define DRM_SHMEM_OBJ_KIND(_name, _type, _member, _unique, _base)		\
_unique;									\
struct _name {									\
	struct drm_shmem_obj_type base;						\
	const typeof(_base) *of;						\
	typeof((_base).__ops[0]) ops;						\
	/* private: empty, for their types */					\
	_type *__obj[0];							\
	_unique *__unique[0];							\
};										\
static_assert(sizeof(struct _name) == sizeof(struct drm_shmem_obj_kind) &&	\
	      offsetof(struct _name, of) == offsetof(struct drm_shmem_obj_kind, of) && \
	      offsetof(struct _name, ops) == offsetof(struct drm_shmem_obj_kind, ops)); \
static_assert(offsetof(_type, _member) == 0,					\
	      "the base must be the first member of " #_type);			\
static_assert(__same_type(((_type *)0)->_member, *(_base).__obj[0]),		\
	      #_type "." #_member " must be the structure of " #_base);		\
extern const struct _name _name

/**
 * DRM_SHMEM_OBJ_KIND_OF() - the functions, the base and the operations of a kind
 * @_base: the base's description, which the kind was declared with
 * @_ops: address of the operations of this kind
 *
 * For the definition of a kind, in place of DRM_SHMEM_OBJ_FUNCS. A kind has the same flags and
 * steps as any type: .base.flags, .base.init and so on. The library makes no object of a kind that
 * is defined without the macro.
 */
#define DRM_SHMEM_OBJ_KIND_OF(_base, _ops)					\
	DRM_SHMEM_OBJ_FUNCS,							\
	.base.kind = true,							\
	.of = &(_base),								\
	.ops = (_ops)

/**
 * drm_shmem_kind() - the driver's structure of an object that may be of a kind
 * @_desc: address of the description of the kind
 * @_bo: the driver's structure of the base, or NULL
 *
 * Takes no reference. Does not compile if the kind is not one of the base's.
 *
 * Context: Any.
 *
 * Return: the structure of the kind, or NULL if the object is of another kind, or not
 * complete.
 */
#define drm_shmem_kind(_desc, _bo) ({						\
	typeof(*(_desc)->of->__obj[0]) *__kind_of = (_bo);			\
										\
	/* The base begins with a struct drm_shmem_obj, and that with its GEM object. */ \
	__drm_shmem_cast(_desc, __drm_shmem_obj_of(&(_desc)->base,		\
						   (struct drm_gem_object *)__kind_of)); \
})

static __always_inline const void *__drm_shmem_ops(const struct drm_shmem_obj *obj)
{
	const struct drm_shmem_obj_type *type =
		container_of(obj->base.base.funcs, struct drm_shmem_obj_type, funcs);

	/* An object that is not complete is of no kind: its type belongs to the library. */
	return likely(type->kind) ? container_of(type, struct drm_shmem_obj_kind, base)->ops : NULL;
}

/**
 * drm_shmem_ops() - the operations of an object's kind
 * @_base: address of the description of the base
 * @_bo: the driver's structure of the base
 *
 * Context: Any.
 *
 * Return: the operations that the kind was defined with; NULL in the init step, where the
 * object is not complete.
 */
#define drm_shmem_ops(_base, _bo) ({						\
	const typeof(*(_base)->__obj[0]) *__ops_of = (_bo);			\
										\
	(typeof((_base)->__ops[0]))__drm_shmem_ops((const struct drm_shmem_obj *)__ops_of); \
})

#endif /* _DRM_SHMEM_KIND_H */
