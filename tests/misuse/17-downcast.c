// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 17
// title: downcast of another driver's, a core-made or an imported object
// rust: no
// wrong: GEM_AS_BO B: incompatible pointer
// wrong: BO_AS_OTHER B: incompatible pointer
// wrong: SHMEM_AS_GEM B: incompatible pointer
// wrong: NOT_FIRST B: must be the first member of struct bar_bo
// wrong: WRONG_MEMBER B: must be a struct drm_shmem_obj
// wrong: LOOKED_UP_AS_OTHER B: incompatible (pointer|return type)
// wrong: TYPED_STEP B: incompatible (function )?pointer
// wrong: STEP_CASTS_BY_HAND C: container_of\(\) checks no type: get the structure with drm_shmem_from_obj\(&foo_bo_type, ...\)
// wrong: STEP_CASTS_TO_OTHER C: drm_shmem_from_obj\(\) is given '\w+', but \w+\(\) is a step of 'foo_bo_type'
// wrong: FLAG_OF_NO_TYPE W: changes value from|changes value
// wrong: SIZE_BY_HAND C: __drm_shmem_create\(\) is private to the library
// run: drm_shmem_obj.lookup_other_type: An object of another type gives -EINVAL.
// run: drm_shmem_obj.lookup_core_made: An object that the core made gives -EINVAL.
// run: drm_shmem_obj.no_type: A gem_create_object callback without a type gives -EINVAL and a report.
// run: drm_shmem_obj.no_functions: A type without functions gives -EINVAL and a report.
// run: drm_shmem_obj.own_functions: A type that replaces one of the functions gives the same.
// run: drm_shmem_obj.step_of_other_type: A step that casts to another type is reported.
// run: drm_shmem_obj.dumb: Dumb buffers are full objects of the type.
// run: drm_shmem_prime.import_foreign: Imports are full objects of the type.

#include "foo.h"

struct bar_bo {
#if defined(NOT_FIRST)
	u32 flags;
	struct drm_shmem_obj shmem;
#elif defined(WRONG_MEMBER)
	struct drm_gem_shmem_object shmem;
#else
	struct drm_shmem_obj shmem;
	u64 more;
#endif
};

DRM_SHMEM_OBJ_TYPE(bar_bo_type, struct bar_bo, shmem, struct bar_bo_unique);

u32 foo_bo_flags(struct foo_bo *bo)
{
	return bo->flags;
}

u32 foo_gem_flags(struct drm_gem_object *gem)
{
#if defined(GEM_AS_BO)
	struct foo_bo *bo = gem;
#elif defined(BO_AS_OTHER)
	struct foo_bo *bo = drm_shmem_from_gem(&bar_bo_type, gem);
#elif defined(SHMEM_AS_GEM)
	struct foo_bo *bo = drm_shmem_from_gem(&foo_bo_type, to_drm_gem_shmem_obj(gem));
#else
	struct foo_bo *bo = drm_shmem_from_gem(&foo_bo_type, gem);
#endif

	return bo ? foo_bo_flags(bo) : 0;
}

struct foo_bo *foo_handle_bo(struct drm_file *file, u32 handle)
{
#if defined(LOOKED_UP_AS_OTHER)
	return drm_shmem_lookup(&bar_bo_type, file, handle);
#else
	return drm_shmem_lookup(&foo_bo_type, file, handle);
#endif
}

#if defined(TYPED_STEP)
static void foo_bo_fini(struct foo_bo *bo)
{
	bo->flags = 0;
}
#elif defined(STEP_CASTS_BY_HAND)
static void foo_bo_fini(struct drm_shmem_obj *obj)
{
	container_of(obj, struct foo_bo, shmem)->flags = 0;
}
#elif defined(STEP_CASTS_TO_OTHER)
static void foo_bo_fini(struct drm_shmem_obj *obj)
{
	drm_shmem_from_obj(&bar_bo_type, obj)->more = 0;
}
#else
static void foo_bo_fini(struct drm_shmem_obj *obj)
{
	drm_shmem_from_obj(&foo_bo_type, obj)->flags = 0;
}
#endif

const struct foo_bo_type foo_bo_type = {
	DRM_SHMEM_OBJ_FUNCS,
#if defined(FLAG_OF_NO_TYPE)
	.base.flags = __DRM_SHMEM_FAULTED,
#endif
	.base.fini = foo_bo_fini,
};

struct foo_bo_unique *foo_bo_create(struct drm_device *drm, u64 size)
{
#if defined(SIZE_BY_HAND)
	/* This is the size of the library's part, without the flags of struct foo_bo. */
	return (void *)__drm_shmem_create(&foo_bo_type.base, sizeof(struct drm_shmem_obj),
					  drm, size, NULL);
#else
	return drm_shmem_create(&foo_bo_type, drm, size, NULL);
#endif
}
