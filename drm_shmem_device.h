/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _DRM_SHMEM_DEVICE_H
#define _DRM_SHMEM_DEVICE_H

#include "drm_shmem_obj.h"

/**
 * struct drm_shmem_device_opts - DMA limits of a device, and how its objects get memory
 *
 * All members are optional: zero keeps the current setting.
 */
struct drm_shmem_device_opts {
	/**
	 * @dma_dev: the device that does the DMA, see drm_dev_set_dma_dev(); the parent by default
	 */
	struct device *dma_dev;

	/**
	 * @dma_mask:
	 *
	 * The addresses that the device can reach, such as DMA_BIT_MASK(40). If the system has
	 * memory beyond them, the device's objects get their pages from below 4 GiB, so that no
	 * bounce buffer is needed.
	 */
	u64 dma_mask;

	/**
	 * @max_segment:
	 *
	 * The longest segment that the device takes, in bytes, or UINT_MAX for any length.
	 * No segment of an sg table is longer, except that one page is always possible: a limit
	 * below PAGE_SIZE counts as PAGE_SIZE, and the driver splits segments itself. If a device
	 * has no &device.dma_parms, as on the faux, auxiliary and virtio buses, its
	 * segments have 64 KiB at most: a higher limit is ignored, and a lower one is refused.
	 * A driver that sets &device.dma_parms first can set any limit.
	 */
	unsigned int max_segment;

	/**
	 * @huge_pages:
	 *
	 * Objects that are at least as large as a huge page use huge pages, see
	 * drm_gem_huge_mnt_create(). If that is not possible, the log has a message, and objects
	 * get small pages.
	 */
	bool huge_pages;
};

int drm_shmem_set_device_opts(const struct drm_dev_ctx_unreg *unreg,
			      const struct drm_shmem_device_opts *opts)
	__must_check __nonnull_args(1, 2);

#endif /* _DRM_SHMEM_DEVICE_H */
