// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Asks the DMA API which memory a device can reach.
 */

#include <kunit/static_stub.h>
#include <kunit/visibility.h>
#include <linux/dma-mapping.h>
#include <linux/export.h>
#include <linux/mm.h>

#include "drm_dev_ctx_internal.h"

/*
 * Returns whether there is memory that the device cannot reach. A device without DMA has no limit.
 */
bool drm_dev_ctx_dma_is_limited(struct device *dev)
{
	KUNIT_STATIC_STUB_REDIRECT(drm_dev_ctx_dma_is_limited, dev);
	return dev->dma_mask && dma_addressing_limited(dev);
}
EXPORT_SYMBOL_IF_KUNIT(drm_dev_ctx_dma_is_limited);

/* The longest mapping that the DMA API makes, in bytes: a bounce buffer has a limit. */
VISIBLE_IF_KUNIT size_t drm_dev_ctx_dma_max_mapping(struct device *dev)
{
	KUNIT_STATIC_STUB_REDIRECT(drm_dev_ctx_dma_max_mapping, dev);
	return dma_max_mapping_size(dev);
}
EXPORT_SYMBOL_IF_KUNIT(drm_dev_ctx_dma_max_mapping);

/**
 * __drm_dev_ctx_dma_max_segment() - the longest segment of a table
 * @dev: the DMA device
 *
 * Context: Any.
 *
 * Return: the size in bytes, at least a page. If the device takes less than a page, mapping the
 * table reports the segments that are too long.
 */
unsigned int __drm_dev_ctx_dma_max_segment(struct device *dev)
{
	size_t max = min_not_zero(drm_dev_ctx_dma_max_mapping(dev),
				  (size_t)dma_get_max_seg_size(dev));

	return max(max, PAGE_SIZE);
}
EXPORT_SYMBOL_IF_KUNIT(__drm_dev_ctx_dma_max_segment);

/**
 * __drm_dev_ctx_record_dma() - record which memory the DMA device can reach
 * @ctx: the contexts of the device that is being registered
 *
 * Clients can still create and export objects after the parent was unbound. The bus may have torn
 * down the DMA configuration of the device by then.
 *
 * Context: Any. The parent is bound.
 */
void __drm_dev_ctx_record_dma(struct drm_dev_ctx *ctx)
{
	ctx->__dma_limited = drm_dev_ctx_dma_is_limited(ctx->__dma_dev);
	ctx->__dma_max_segment = __drm_dev_ctx_dma_max_segment(ctx->__dma_dev);
}
