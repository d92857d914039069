// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 44
// title: bounds computed from a rounded size
// rust: no
// wrong: ASSUMED B: offset not provably inside of the mapping
// wrong: SIZE_OF_THE_GEM_OBJECT C: this is rounded up for an import
// wrong: SIZE_OF_ITS_MEMBER C: this is rounded up for an import
// run: drm_gpuvm_imm_edge.import_is_no_whole_pages: A page that the exporter owns only in part is not mapped: -EINVAL.
// run: drm_shmem_vmap.import_is_no_whole_pages: A mapping is as large as the dma-buf: -ENOSPC and -EINVAL.

#include "foo.h"

void foo_dma_start(dma_addr_t addr, size_t size);

/* An import may end inside its last page. The mapping knows that, the object does not. */
int foo_bo_write(struct foo_bo *bo, u64 offset, u32 val)
{
	int ret;

	drm_vmap_or(foo_fw, fw, &bo->shmem, ret, return ret);
#if defined(ASSUMED)
	/* An object of this size has these bytes, but its mapping may be shorter. */
	if (offset >= drm_shmem_size(&bo->shmem))
		return -EINVAL;
	drm_vmap_write32(fw, SZ_64K - sizeof(val), val);
	return 0;
#else
	return drm_vmap_try_write32(fw, offset, val);
#endif
}

/* The device may access only the bytes that the exporter has. */
int foo_bo_blit(const struct foo_reg *reg, struct foo_bo *bo)
{
	int ret;

	drm_shmem_sgt_or(sgt, &reg->base.bound, &bo->shmem, ret, return ret);
#if defined(SIZE_OF_THE_GEM_OBJECT)
	foo_dma_start(sg_dma_address(drm_shmem_sgt_table(sgt)->sgl),
		      drm_shmem_gem(&bo->shmem)->size);
#elif defined(SIZE_OF_ITS_MEMBER)
	foo_dma_start(sg_dma_address(drm_shmem_sgt_table(sgt)->sgl), bo->shmem.base.base.size);
#else
	foo_dma_start(sg_dma_address(drm_shmem_sgt_table(sgt)->sgl), drm_shmem_size(&bo->shmem));
#endif
	return 0;
}
