// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 3
// title: reservation lock taken twice, or not released, on some path
// rust: no
// wrong: TAKEN_TWICE C(context): cannot call function '__drm_resv_lock_alone' while
// wrong: PINNED_UNDER_IT C(context): cannot call function 'drm_shmem_pin' while __ctx_lock_drm_resv 'drm_resv' is held
// wrong: MAPPED_UNDER_IT C(context): cannot call function '__drm_vmap_begin' while
// wrong: IN_A_CALLEE C(context): cannot call function 'foo_bo_sync' while __ctx_lock_drm_resv 'drm_resv' is held
// wrong: NOT_HELD C(context): requires holding __ctx_lock_drm_resv 'drm_resv'
// wrong: NOT_UNLOCKED C(context): __ctx_lock_drm_resv 'drm_resv' is not held on every path|is still held
// wrong: NOT_LOCKED C(context): releasing __ctx_lock_drm_resv 'drm_resv' that was not held
// wrong: ENDS_UNLOCKED C(context): requires holding __ctx_lock_drm_resv 'drm_resv'

#include "foo.h"

/* This function takes the lock itself, and its annotation says so. */
int foo_bo_sync(struct foo_bo *bo) __must_not_hold(drm_resv);
int foo_bo_sync(struct foo_bo *bo)
{
	int ret = drm_shmem_pin(&bo->shmem);

	if (!ret)
		drm_shmem_unpin(&bo->shmem);
	return ret;
}

static int foo_bo_clear(struct foo_bo *bo) __must_hold(drm_resv)
{
	int ret;

	drm_vmap_or_locked(foo_fw, fw, &bo->shmem, ret, return ret);

#if defined(ENDS_UNLOCKED)
	dma_resv_unlock(drm_shmem_gem(&bo->shmem)->resv);
	dma_resv_lock(drm_shmem_gem(&bo->shmem)->resv, NULL);
	dma_resv_unlock(drm_shmem_gem(&bo->shmem)->resv);
#endif
	return drm_vmap_fill(fw, 0, 0, SZ_4K);
}

int foo_bo_update(struct foo_bo *bo, struct foo_bo *other, bool sync)
{
	struct dma_resv *resv = drm_shmem_gem(&bo->shmem)->resv;
	int ret;

#if defined(NOT_HELD)
	ret = foo_bo_clear(bo);
	if (ret)
		return ret;
#endif
	dma_resv_lock(resv, NULL);
#if defined(TAKEN_TWICE)
	dma_resv_lock(drm_shmem_gem(&other->shmem)->resv, NULL);
	dma_resv_unlock(drm_shmem_gem(&other->shmem)->resv);
#elif defined(PINNED_UNDER_IT)
	ret = drm_shmem_pin(&other->shmem);
#elif defined(MAPPED_UNDER_IT)
	drm_vmap_guard(foo_fw, fw, &other->shmem, ret)
		drm_vmap_write32(fw, 0, 1);
#elif defined(IN_A_CALLEE)
	ret = foo_bo_sync(other);
#endif
	ret = foo_bo_clear(bo);
#if defined(NOT_UNLOCKED)
	if (ret)
		return ret;
#elif defined(NOT_LOCKED)
	if (ret)
		dma_resv_unlock(resv);
#endif
	dma_resv_unlock(resv);
	return ret ?: sync ? foo_bo_sync(bo) : 0;
}
