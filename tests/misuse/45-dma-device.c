// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 45
// title: DMA through another device, or segments longer than it takes
// rust: no
// wrong: MAPPED_AGAIN W: discards 'const' qualifier|discards qualifiers
// run: drm_shmem_sgt.late_dma_device: none is mapped for one that is set too late, which is reported
// run: drm_shmem_device.dma_device_stays: -EBUSY once a table is mapped for one, which is reported
// run: drm_shmem_sgt.other_dma_device: the table is mapped for the DMA device
// run: drm_shmem_sgt.other_dma_device_import: imports are attached to it
// run: drm_shmem_edge.dma_map_fails: pages that the device cannot reach are -EIO, and nothing is left
// run: drm_shmem_sgt.long_segments: reported once, and used

#include "foo.h"

int foo_dma_init(struct foo_device *foo, struct device *controller)
{
	drm_dev_set_dma_dev(&foo->ctx.drm, controller);
	dma_set_max_seg_size(controller, SZ_2M);
	return 0;
}

int foo_bo_send(const struct foo_reg *reg, struct foo_bo *bo)
{
	int ret;

	drm_shmem_sgt_guard(sgt, &reg->base.bound, &bo->shmem, ret) {
#if defined(MAPPED_AGAIN)
		ret = dma_map_sgtable(drm_dev_dma_dev(&foo_reg_dev(reg)->ctx.drm),
				      drm_shmem_sgt_table(sgt), DMA_TO_DEVICE, 0);
#else
		ret = foo_hw_submit(reg, sg_dma_len(drm_shmem_sgt_table(sgt)->sgl));
#endif
	}
	return ret;
}
