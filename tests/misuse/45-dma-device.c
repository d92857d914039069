// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 45
// title: DMA through another device, or segments longer than the device takes
// rust: no
// wrong: MAPPED_AGAIN W: discards 'const' qualifier|discards qualifiers
// run: drm_shmem_sgt.late_dma_device: A DMA device that is set too late is reported, and no table is mapped for it.
// run: drm_shmem_device.dma_device_stays: Once a table is mapped, another DMA device gives -EBUSY and a report.
// run: drm_shmem_sgt.other_dma_device: The table is mapped for the DMA device.
// run: drm_shmem_sgt.other_dma_device_import: Imports are attached to the DMA device.
// run: drm_shmem_edge.dma_map_fails: Pages that the device cannot reach give -EIO, and nothing is left.
// run: drm_shmem_sgt.long_segments: Segments that are too long are reported once, and used.

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
