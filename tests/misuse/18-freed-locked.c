// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 18
// title: GEM object freed under its own lock
// rust: partly
// run: drm_shmem_obj.put_under_own_lock: The call is reported, and the object is not freed.

#include "foo.h"

void foo_bo_forget(struct foo_bo *bo)
{
	dma_resv_lock(drm_shmem_gem(&bo->shmem)->resv, NULL);
	bo->flags = 0;
	dma_resv_unlock(drm_shmem_gem(&bo->shmem)->resv);
	drm_shmem_put(&bo->shmem);
}
