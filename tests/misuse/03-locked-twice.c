// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 3
// title: reservation lock taken twice
// rust: no
// run: drm_shmem_vmap.wrong_lock: a call that takes the lock says so if the caller has it

#include "foo.h"

int foo_bo_update(const struct foo_reg *reg, struct foo_bo *bo)
{
	int ret;

	dma_resv_lock(foo_bo_gem(bo)->resv, NULL);
	drm_shmem_if_vmap_locked(foo_fw, fw, &bo->shmem, ret)
		drm_vmap_fill(fw, 0, 0, SZ_4K);
	if (!ret)
		drm_shmem_if_sgt_locked(sgt, &reg->bound, &bo->shmem, ret)
			pr_debug("%u\n", drm_shmem_sgt_table(sgt)->nents);
	dma_resv_unlock(foo_bo_gem(bo)->resv);
	return ret;
}
