// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The cost of objects and their sg tables: by hand, with the core's helpers, and with the
 * type and the handles.
 */

#include "cost.h"
#include "drm_shmem_safe.h"

struct cost_bo {
	struct drm_shmem_obj shmem;
	u32 flags;
};

DRM_SHMEM_OBJ_TYPE(cost_bo_type, struct cost_bo, shmem, struct cost_bo_unique);

/* cost: downcast 1: the functions tell the type */
u32 downcast_by_hand(struct drm_gem_object *gem)
{
	struct cost_bo *bo = NULL;

	if (gem && gem->funcs == &cost_bo_type.base.funcs)
		bo = container_of(gem, struct cost_bo, shmem.base.base);
	return bo ? bo->flags : 0;
}

u32 downcast_of_ours(struct drm_gem_object *gem)
{
	struct cost_bo *bo = drm_shmem_from_gem(&cost_bo_type, gem);

	return bo ? bo->flags : 0;
}

/* cost: table 20: the device of the proof, whether users are counted, the handle's end */
int table_by_hand(struct drm_gem_shmem_object *shmem)
{
	struct sg_table *sgt = READ_ONCE(shmem->sgt);

	if (IS_ERR_OR_NULL(sgt))
		return drm_gem_shmem_pin(shmem);
	hw_table(sgt);
	return 0;
}

int table_of_ours(const struct drm_dev_ctx_bound *bound, struct cost_bo *bo)
{
	int ret;

	drm_shmem_sgt_guard(sgt, bound, &bo->shmem, ret)
		hw_table(drm_shmem_sgt_table(sgt));
	return ret;
}

/* cost: table_or 20: the same to the end of the scope */
int table_or_by_hand(struct drm_gem_shmem_object *shmem)
{
	return table_by_hand(shmem);
}

int table_or_of_ours(const struct drm_dev_ctx_bound *bound, struct cost_bo *bo)
{
	int ret;

	drm_shmem_sgt_or(sgt, bound, &bo->shmem, ret, return ret);
	hw_table(drm_shmem_sgt_table(sgt));
	return 0;
}
