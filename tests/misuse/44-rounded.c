// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 44
// title: bounds from a rounded number
// rust: no
// run: drm_gpuvm_imm_edge.import_is_no_whole_pages: -EINVAL, no page is mapped that is not all the exporter's
// run: drm_shmem_vmap.import_is_no_whole_pages: a mapping is as large as the dma-buf; -ENOSPC, -EINVAL

#include "foo.h"

/* An imported object may have less than its pages: the mapping knows, the object does not. */
int foo_bo_write(struct foo_bo *bo, u64 offset, u32 val)
{
	int ret;

	drm_vmap_or(foo_fw, fw, &bo->shmem, ret, return ret);
	return drm_vmap_try_write32(fw, offset, val);
}
