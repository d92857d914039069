// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 14
// title: imported sg table freed as the object's own
// rust: no
// wrong: FREED W: discards 'const' qualifier|discards qualifiers
// wrong: UNMAPPED W: discards 'const' qualifier|discards qualifiers
// wrong: RAW_TABLE C: drm_gem_shmem_get_pages_sgt\(\) goes behind the handles
// wrong: RAW_MEMBER C: 'sgt' goes behind the handles: use drm_shmem_sgt_guard\(\) or drm_shmem_sgt_own\(\)
// run: drm_shmem_sgt.imported_freed: The exporter frees the table.
// run: drm_shmem_sgt.imported_revoked: The exporter frees the table when the importer is unbound, too.
// run: drm_shmem_sgt.imported_at_once_freed: The exporter also frees a table that was mapped at import.

#include "foo.h"

int foo_bo_unbind(const struct foo_reg *reg, struct foo_bo *bo)
{
	int ret = 0;

#if defined(FREED)
	drm_shmem_sgt_guard(sgt, &reg->base.bound, &bo->shmem, ret)
		sg_free_table(drm_shmem_sgt_table(sgt));
#elif defined(UNMAPPED)
	drm_shmem_sgt_guard(sgt, &reg->base.bound, &bo->shmem, ret)
		dma_unmap_sgtable(drm_dev_ctx_bound_parent(&reg->base.bound),
				  drm_shmem_sgt_table(sgt), DMA_BIDIRECTIONAL, 0);
#elif defined(RAW_TABLE)
	struct sg_table *sgt = drm_gem_shmem_get_pages_sgt(&bo->shmem.base);

	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	sg_free_table(sgt);
#elif defined(RAW_MEMBER)
	sg_free_table(bo->shmem.base.sgt);
#else
	ret = drm_shmem_sgt_unmap(&bo->shmem);
#endif
	return ret;
}
