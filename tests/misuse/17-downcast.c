// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 17
// title: downcast of another driver's, a core-made or an imported object
// rust: no
// wrong: GEM_AS_BO B: incompatible pointer
// wrong: BO_AS_OTHER B: incompatible pointer
// wrong: SHMEM_AS_GEM B: incompatible pointer
// wrong: NOT_FIRST B: must be the first member of struct bar_bo
// wrong: WRONG_MEMBER B: must be a struct drm_shmem_obj
// run: drm_shmem_obj.lookup_other_type: -EINVAL for an object of another type
// run: drm_shmem_obj.lookup_core_made: -EINVAL for one that the core made
// run: drm_shmem_obj.import_wrong_type: -EINVAL and a report for an own object of another type
// run: drm_shmem_obj.dumb: dumb buffers are full objects
// run: drm_shmem_obj.import_foreign: so are imported ones

#include "foo.h"

struct bar_bo {
#if defined(NOT_FIRST)
	u32 flags;
	struct drm_shmem_obj shmem;
#elif defined(WRONG_MEMBER)
	struct drm_gem_shmem_object shmem;
#else
	struct drm_shmem_obj shmem;
#endif
};

DRM_SHMEM_OBJ(bar_bo, struct bar_bo, shmem, void);

u32 foo_bo_flags(struct foo_bo *bo)
{
	return bo->flags;
}

u32 foo_gem_flags(struct drm_gem_object *gem)
{
#if defined(GEM_AS_BO)
	struct foo_bo *bo = gem;
#elif defined(BO_AS_OTHER)
	struct foo_bo *bo = to_bar_bo(gem);
#elif defined(SHMEM_AS_GEM)
	struct foo_bo *bo = to_foo_bo(to_drm_gem_shmem_obj(gem));
#else
	struct foo_bo *bo = to_foo_bo(gem);
#endif

	return bo ? foo_bo_flags(bo) : 0;
}
