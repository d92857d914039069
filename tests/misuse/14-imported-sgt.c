// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 14
// title: imported sg table freed as the object's own
// rust: no
// wrong: FREED W: discards 'const' qualifier|discards qualifiers
// wrong: UNMAPPED W: discards 'const' qualifier|discards qualifiers

#include "foo.h"

int foo_bo_unbind(const struct foo_reg *reg, struct foo_bo *bo)
{
	int ret = 0;

#if defined(FREED)
	drm_shmem_if_sgt(sgt, &reg->bound, &bo->shmem, ret)
		sg_free_table(drm_shmem_sgt_table(sgt));
#elif defined(UNMAPPED)
	drm_shmem_if_sgt(sgt, &reg->bound, &bo->shmem, ret)
		dma_unmap_sgtable(drm_dev_bound_parent(&reg->bound),
				  drm_shmem_sgt_table(sgt), DMA_BIDIRECTIONAL, 0);
#else
	ret = drm_shmem_sgt_unmap(&bo->shmem);
#endif
	return ret;
}
