// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 2
// title: unlock after a failed interruptible lock
// rust: b
// wrong: RESULT_IGNORED C: the result of dma_resv_lock_interruptible\(\) is ignored
// wrong: NOT_ASKED C: ACQUIRE_ERR\(drm_resv_kill, &lock\) is not checked
// wrong: UNDER_A_GUARD C(context): cannot call function '__drm_vmap_begin' while context lock
// run: drm_shmem_edge.signal_interrupts: A signal ends the wait, and nothing has changed.
// run: drm_shmem_edge.guard_killable: Only a fatal signal ends the wait.

#include "foo.h"

/* The block locks and unlocks on its own, so no lock is left to undo. */
int foo_bo_clear(struct foo_bo *bo)
{
	int ret;

	drm_vmap_guard(foo_fw, fw, &bo->shmem, ret)
		drm_vmap_fill(fw, 0, 0, SZ_4K);
	return ret;
}

/* A reservation lock has the same guards as a mutex has. */
int foo_bo_clear_killable(struct foo_bo *bo)
{
	int ret;

	ACQUIRE(drm_resv_kill, lock)(drm_shmem_gem(&bo->shmem)->resv);
#if !defined(NOT_ASKED)
	ret = ACQUIRE_ERR(drm_resv_kill, &lock);
	if (ret)
		return ret;
#endif
	drm_vmap_guard_locked(foo_fw, fw, &bo->shmem, ret)
		drm_vmap_fill(fw, 0, 0, SZ_4K);
	return ret;
}

int foo_bo_clear_guarded(struct foo_bo *bo)
{
	int ret;

	guard(drm_resv)(drm_shmem_gem(&bo->shmem)->resv);
#if defined(UNDER_A_GUARD)
	drm_vmap_guard(foo_fw, fw, &bo->shmem, ret)
#else
	drm_vmap_guard_locked(foo_fw, fw, &bo->shmem, ret)
#endif
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
