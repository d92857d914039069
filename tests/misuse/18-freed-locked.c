// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 18
// title: GEM object freed under its own lock
// rust: partly
// run: drm_shmem_obj.put_under_own_lock: reported, and the object stays

#include "foo.h"

void foo_bo_forget(struct foo_bo *bo)
{
	dma_resv_lock(foo_bo_gem(bo)->resv, NULL);
	bo->flags = 0;
	dma_resv_unlock(foo_bo_gem(bo)->resv);
	foo_bo_put(bo);
}
