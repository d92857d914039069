// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 44
// title: bounds from a rounded number
// rust: no
// wrong: ASSUMED B: offset not provably inside of the mapping
// run: drm_gpuvm_imm_edge.import_is_no_whole_pages: -EINVAL, no page is mapped that is not all the exporter's
// run: drm_shmem_vmap.import_is_no_whole_pages: a mapping is as large as the dma-buf; -ENOSPC, -EINVAL

#include "foo.h"

/* An imported object may have less than its pages: the mapping knows, the object does not. */
int foo_bo_write(struct foo_bo *bo, u64 offset, u32 val)
{
	int ret;

	drm_vmap_or(foo_fw, fw, &bo->shmem, ret, return ret);
#if defined(ASSUMED)
	/* An object of that size has these bytes. Its mapping need not. */
	if (offset >= drm_shmem_size(&bo->shmem))
		return -EINVAL;
	drm_vmap_write32(fw, SZ_64K - sizeof(val), val);
	return 0;
#else
	return drm_vmap_try_write32(fw, offset, val);
#endif
}
