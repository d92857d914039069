/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Several objects, looked up at once: all or none, each of the type that is asked for.
 */
#ifndef _DRM_SHMEM_OBJS_H
#define _DRM_SHMEM_OBJS_H

#include <linux/nospec.h>

#include <drm/drm_exec.h>

#include "drm_shmem_obj.h"

/**
 * struct drm_shmem_objs - objects that were looked up at once
 *
 * The layout of what DRM_SHMEM_OBJS() declares.
 *
 * Invariants:
 *
 * - There are @__count objects, each with a reference, all of one type or of kinds of one base.
 */
struct drm_shmem_objs {
	/* private: */
	u32 __count;
	struct drm_shmem_obj *__obj[] __counted_by(__count);
};

/**
 * DRM_SHMEM_OBJS() - members of an array of objects
 * @_type: the driver's structure of the objects, of a type or of a base
 *
 * The driver defines a structure with these members only:
 *
 * .. code-block:: c
 *
 *	struct foo_bos {
 *		DRM_SHMEM_OBJS(struct foo_bo);
 *	};
 *
 *	static int foo_submit_bos(struct drm_file *file, u64 handles, u32 count)
 *	{
 *		struct foo_bos *bos __free(drm_shmem_objs) =
 *			drm_shmem_lookup_user(&foo_bo_type, foo_bos, file,
 *					      u64_to_user_ptr(handles), count, 1024);
 *		struct foo_bo *bo;
 *		u64 size = 0;
 *		u32 i;
 *
 *		if (IS_ERR(bos))
 *			return PTR_ERR(bos);
 *		drm_shmem_objs_for_each(i, bo, bos)
 *			size += drm_shmem_size(&bo->obj);
 *		return size > SZ_1G ? -ENOSPC : 0;
 *	}
 *
 * A pointer to it owns the array and a reference to each object.
 */
#define DRM_SHMEM_OBJS(_type)							\
	/* private: */								\
	const u32 __count;							\
	_type *const __obj[] __counted_by(__count)

struct drm_shmem_objs *
__drm_shmem_lookup_user(const struct drm_shmem_obj_type *type,
			const struct drm_shmem_obj_base *base, struct drm_file *file,
			const void __user *handles, u64 count, u32 limit)
	__must_check __must_not_hold(drm_resv) __must_not_hold(drm_dev_section);
struct drm_shmem_objs *
__drm_shmem_lookup_objs(const struct drm_shmem_obj_type *type,
			const struct drm_shmem_obj_base *base, struct drm_file *file,
			const void *handles, size_t stride, u64 count)
	__must_check __must_not_hold(drm_resv);
struct drm_shmem_objs *__drm_shmem_objs_dup(const struct drm_shmem_objs *objs) __must_check;
void __drm_shmem_objs_free(struct drm_shmem_objs *objs) __must_not_hold(drm_resv);

/* The arguments of the functions above: a type, or the kinds of a base */
#define __drm_shmem_what(_desc)							\
	__drm_shmem_if(_desc, struct drm_shmem_obj_type),			\
	__drm_shmem_if(_desc, struct drm_shmem_obj_base)
#define __drm_shmem_if(_desc, _type)						\
	((const _type *)(__same_type((_desc)->base, _type) ? (const void *)&(_desc)->base : NULL))

/* The result as a struct @_objs, an array of the driver's structure */
#define __drm_shmem_objs_cast(_desc, _objs, _found) ({				\
	static_assert(__same_type(*((struct _objs *)0)->__obj[0], *(_desc)->__obj[0]), \
		      "struct " #_objs " is an array of another type of object"); \
	static_assert(sizeof(struct _objs) == sizeof(struct drm_shmem_objs) &&	\
		      offsetof(struct _objs, __obj) == offsetof(struct drm_shmem_objs, __obj), \
		      "an array of objects has the members of DRM_SHMEM_OBJS() only"); \
	(struct _objs *)(_found);						\
})

/**
 * drm_shmem_lookup_user() - the objects that handles in userspace's memory stand for
 * @_desc: address of the description of the type that each has to be of, or of a base for
 *	objects of any of its kinds
 * @_objs: the array's type without struct, see DRM_SHMEM_OBJS()
 * @_file: the file that the handles are from
 * @_handles: userspace pointer to an array of u32
 * @_count: number of handles, a u64, which may come from userspace and may be 0
 * @_limit: maximum number of handles that the driver accepts
 *
 * Returns all objects or none: if one object is not found or is of another type, this puts the
 * references to the objects before it. The objects are in the order of the handles. A handle
 * that occurs twice yields its object twice, with a reference each; see drm_shmem_objs_prepare()
 * for their locks. The array is charged to the client. Declare the variable with
 * ``__free(drm_shmem_objs)``.
 *
 * Context: May sleep, and fault. Without any reservation lock: a page fault may take one. In no
 * section: userspace decides how long a page fault takes. A section takes the handles that were
 * copied before, see drm_shmem_lookup_handles().
 *
 * Return: the array, or an ERR_PTR(): -E2BIG for more than @_limit handles; -ENOENT if there
 * is no such handle; -EINVAL if the object of one is of another type; -EFAULT; -ENOMEM; or
 * -EINTR if the task was killed.
 */
#define drm_shmem_lookup_user(_desc, _objs, _file, _handles, _count, _limit) ({	\
	__drm_dev_ctx_assert_outside();						\
	__drm_shmem_objs_cast(_desc, _objs,					\
			      __drm_shmem_lookup_user(__drm_shmem_what(_desc), _file, \
						      _handles, _count, _limit)); \
})

/**
 * drm_shmem_lookup_handles() - the objects that handles in the kernel's memory stand for
 * @_desc: address of the description of the type, or of a base
 * @_objs: the array's type without struct
 * @_file: the file that the handles are from
 * @_handles: array of u32
 * @_count: number of handles, a u64, which may be 0; @_handles must have at least as many elements
 *
 * Like drm_shmem_lookup_user().
 *
 * Context: May sleep. Without any reservation lock: on failure, this puts references, which can be
 * the last ones by then.
 *
 * Return: as drm_shmem_lookup_user(), but not -EFAULT, and -E2BIG only for more handles than a u32
 * counts.
 */
#define drm_shmem_lookup_handles(_desc, _objs, _file, _handles, _count) ({	\
	const u32 *__handles = (_handles);					\
										\
	__drm_shmem_objs_cast(_desc, _objs,					\
			      __drm_shmem_lookup_objs(__drm_shmem_what(_desc), _file, \
						      __handles, sizeof(u32), _count)); \
})

/**
 * drm_shmem_lookup_members() - the objects whose handles are a member of structures
 * @_desc: address of the description of the type, or of a base
 * @_objs: the array's type without struct
 * @_file: the file that the handles are from
 * @_array: array of structures in the kernel's memory
 * @_count: number of structures, a u64, which may be 0
 * @_member: the handle in the structure, a u32
 *
 * Like drm_shmem_lookup_handles(), for handles that come with flags or addresses.
 *
 * Context: May sleep. Without any reservation lock: on failure, this puts references, which can be
 * the last ones by then.
 *
 * Return: as drm_shmem_lookup_handles().
 */
#define drm_shmem_lookup_members(_desc, _objs, _file, _array, _count, _member) ({ \
	const typeof(*(_array)) *__array = (_array);				\
										\
	static_assert(__same_type(__array->_member, u32),			\
		      #_member " is no handle: it must be a u32");		\
	__drm_shmem_objs_cast(_desc, _objs,					\
			      __drm_shmem_lookup_objs(__drm_shmem_what(_desc), _file, \
						      &__array->_member,	\
						      sizeof(*__array), _count)); \
})

/* The driver's structure has the layout of the library's: __drm_shmem_objs_cast() */
#define __drm_shmem_objs(_objs) ({						\
	typeof(_objs) __some = (_objs);						\
										\
	static_assert(__same_type(__some->__count, u32));			\
	(struct drm_shmem_objs *)__some;					\
})

/**
 * drm_shmem_objs_dup() - copy an array of objects
 * @_objs: the array
 *
 * Several jobs of a submit can use the same objects. A second lookup is no substitute: it can find
 * other objects. The copy has a reference to each object, and is charged to the client.
 *
 * Context: May sleep.
 *
 * Return: the copy, of the same type, or ERR_PTR(-ENOMEM).
 */
#define drm_shmem_objs_dup(_objs)						\
	((typeof(_objs))__drm_shmem_objs_dup(__drm_shmem_objs(_objs)))

/**
 * drm_shmem_objs_free() - give up an array of objects
 * @_objs: the array, or NULL
 *
 * Also puts the reference to each object, like drm_shmem_put(). A variable that is declared
 * with ``__free(drm_shmem_objs)`` does the same at the end of its scope; no_free_ptr() takes
 * the array out of the variable, so that a job can keep it.
 *
 * Context: May sleep. The reservation locks of the objects must not be held.
 */
#define drm_shmem_objs_free(_objs)	__drm_shmem_objs_free(__drm_shmem_objs(_objs))

/*
 * The argument is untyped, as with DEFINE_FREE(): arrays of all types have the same layout.
 * No compiler checks the type of the variable.
 */
static __always_inline void __free_drm_shmem_objs(void *p) __must_not_hold(drm_resv)
{
	struct drm_shmem_objs *objs = *(struct drm_shmem_objs **)p;

	if (!IS_ERR_OR_NULL(objs))
		__drm_shmem_objs_free(objs);
}

/**
 * drm_shmem_objs_count() - the number of objects in an array
 * @_objs: the array
 *
 * Return: the number of handles that were looked up.
 */
#define drm_shmem_objs_count(_objs)	((u32)(_objs)->__count)

/**
 * drm_shmem_objs_at() - the object at some index
 * @_objs: the array
 * @_idx: any index, which may come from userspace
 *
 * Takes no reference. Keeps the processor from speculating past the end of the array.
 *
 * Return: the driver's structure, for as long as the array; NULL past the end.
 */
#define drm_shmem_objs_at(_objs, _idx) ({					\
	typeof(_objs) __at = (_objs);						\
	u64 __idx = (_idx);							\
										\
	likely(__idx < __at->__count) ?						\
		__at->__obj[array_index_nospec((unsigned long)__idx, __at->__count)] : NULL; \
})

/**
 * drm_shmem_objs_for_each() - for each object of an array
 * @_i: variable for the index, a u32
 * @_bo: variable for the driver's structure, without a reference
 * @_objs: the array
 */
#define drm_shmem_objs_for_each(_i, _bo, _objs)					\
	for ((_i) = 0; (_i) < (_objs)->__count && ((_bo) = (_objs)->__obj[_i], true); (_i)++)

static inline int __drm_shmem_objs_prepare(struct drm_exec *exec, struct drm_shmem_objs *objs,
					   unsigned int num_fences)
{
	/*
	 * The driver's structure begins with its struct drm_shmem_obj, which begins with its GEM
	 * object, so the array of pointers can be cast.
	 */
	return drm_exec_prepare_array(exec, (struct drm_gem_object **)objs->__obj,
				      objs->__count, num_fences);
}

/**
 * drm_shmem_objs_prepare() - lock the objects of an array, and reserve fence slots
 * @_exec: the &struct drm_exec
 * @_objs: the array
 * @_num_fences: number of fence slots to reserve for each object, at least 1
 *
 * Like drm_exec_prepare_array(), in the loop of drm_exec_until_all_locked(). An object that
 * occurs twice, or objects that share a reservation object, need DRM_EXEC_IGNORE_DUPLICATES.
 * For drivers that select DRM_EXEC.
 *
 * Context: May sleep.
 *
 * Return: 0; -EALREADY for a lock that is taken twice without that flag; -EINTR if the
 * &struct drm_exec is interruptible and a signal arrived; -ENOMEM; or -EDEADLK, which
 * drm_exec_retry_on_contention() handles.
 */
#define drm_shmem_objs_prepare(_exec, _objs, _num_fences)			\
	__drm_shmem_objs_prepare(_exec, __drm_shmem_objs(_objs), _num_fences)

#endif /* _DRM_SHMEM_OBJS_H */
