// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 46
// title: CPU access without cache maintenance, or export without begin and end
// rust: no
// wrong: NO_PROOF B: a proof is needed here
// wrong: BY_HAND W: discards 'const' qualifier|discards qualifiers
// wrong: NOT_CHECKED W: ignoring return value|warn_unused_result
// wrong: JUMPED_INTO B: jump into scope|cannot jump
// wrong: UNDER_THE_LOCK C: this takes the reservation lock, which is held: do this before you take it
// wrong: ATOMIC C: this may sleep, and the caller must not: spin_lock
// wrong: BORROWED_BY_A_DOMAIN B: incompatible pointer type|incompatible pointer types
// run: drm_shmem_sync.write_is_visible: The device sees a write once its block has ended, on every path.
// run: drm_shmem_sync.read_is_current: The CPU sees the data that the device wrote.
// run: drm_shmem_sync.range_is_exact: No byte outside a range is synchronised.
// run: drm_shmem_sync.import_asks_exporter: For an import, the library asks the exporter.
// run: drm_shmem_sync.export_serves_all: DMA_BUF_IOCTL_SYNC reaches the device and all importers.
// run: drm_shmem_sync.wrong_direction: An access in the wrong direction is refused on each device.
// run: drm_shmem_sync.wrong_lock: The form that does not match the caller's lock is refused and reported.

#include "foo.h"

int foo_fw_load(struct foo_bo *bo, const void *image, size_t len)
{
	int ret;

#if defined(JUMPED_INTO)
	if (!len)
		goto write;
#endif
	drm_vmap_sync_guard(foo_fw, map, &bo->shmem, DMA_TO_DEVICE, ret) {
#if defined(JUMPED_INTO)
write:
#endif
		ret = drm_vmap_copy_to(map, 0, image, len);
	}
	return ret;
}

/* The path that signals the fence calls this when the results are ready. */
int foo_results(const struct foo_reg *reg, struct foo_bo *bo)
{
#if defined(NO_PROOF)
	return drm_shmem_sync_for_cpu(NULL, &bo->shmem, DMA_FROM_DEVICE);
#elif defined(BY_HAND)
	int ret;

	drm_shmem_sgt_guard(sgt, &reg->base.bound, &bo->shmem, ret)
		dma_sync_sgtable_for_cpu(drm_dev_dma_dev(&foo_reg_dev(reg)->ctx.drm),
					 drm_shmem_sgt_table(sgt), DMA_FROM_DEVICE);
	return ret;
#else
	return drm_shmem_sync_for_cpu(&reg->base.bound, &bo->shmem, DMA_FROM_DEVICE);
#endif
}

int foo_ioctl_prep(const struct foo_reg *reg, struct foo_bo *bo)
{
#if defined(NOT_CHECKED)
	drm_shmem_cpu_begin(&bo->shmem, DMA_BIDIRECTIONAL);
	return 0;
#else
	return drm_shmem_cpu_begin(&bo->shmem, DMA_BIDIRECTIONAL);
#endif
}

/* A ring that stays mapped: each kick is an access of its own. */
int foo_ring_kick(struct foo_bo *bo, struct foo_ring_owned *ring, u32 tail, spinlock_t *lock)
{
	int ret;

#if defined(UNDER_THE_LOCK)
	dma_resv_lock(drm_shmem_gem(&bo->shmem)->resv, NULL);
#elif defined(ATOMIC)
	spin_lock(lock);
#endif
	drm_vmap_cpu_guard(ring, DMA_TO_DEVICE, ret)
		drm_vmap_write32(ring, 0, tail);
#if defined(UNDER_THE_LOCK)
	dma_resv_unlock(drm_shmem_gem(&bo->shmem)->resv);
#elif defined(ATOMIC)
	spin_unlock(lock);
#endif
	return ret;
}

/* The driver's own IOMMU domain keeps addresses, so the driver must own the table. */
ssize_t foo_domain_map(const struct foo_reg *reg, struct foo_bo *bo,
		       struct drm_shmem_sgt_owned *own, struct iommu_domain *domain)
{
	int ret;

#if defined(BORROWED_BY_A_DOMAIN)
	drm_shmem_sgt_or(sgt, &reg->base.bound, &bo->shmem, ret, return ret);
	return drm_shmem_sgt_iommu_map(&reg->base.bound, sgt, domain, 0, IOMMU_READ);
#else
	ret = drm_shmem_sgt_own(own, &reg->base.bound, &bo->shmem);
	if (ret)
		return ret;
	return drm_shmem_sgt_iommu_map(&reg->base.bound, own, domain, 0, IOMMU_READ);
#endif
}
