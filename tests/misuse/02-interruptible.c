// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 2
// title: unlock after a failed interruptible lock
// rust: b
// wrong: RESULT_IGNORED C: the result of dma_resv_lock_interruptible\(\) is ignored

#include "foo.h"

/* The library's own lock is not interruptible, and there is none to undo. */
int foo_bo_clear(struct foo_bo *bo)
{
	int ret;

	drm_vmap_guard(foo_fw, fw, &bo->shmem, ret)
		drm_vmap_fill(fw, 0, 0, SZ_4K);
	return ret;
}

int foo_bo_clear_interruptible(struct foo_bo *bo)
{
	int ret;

#if defined(RESULT_IGNORED)
	dma_resv_lock_interruptible(drm_shmem_gem(&bo->shmem)->resv, NULL);
#else
	ret = dma_resv_lock_interruptible(drm_shmem_gem(&bo->shmem)->resv, NULL);
	if (ret)
		return ret;
#endif
	drm_vmap_guard_locked(foo_fw, fw, &bo->shmem, ret)
		drm_vmap_fill(fw, 0, 0, SZ_4K);
	dma_resv_unlock(drm_shmem_gem(&bo->shmem)->resv);
	return ret;
}
