// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <kunit/static_stub.h>
#include <kunit/visibility.h>
#include <linux/dma-mapping.h>
#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/pagemap.h>

#include <drm/drm_print.h>

#include "drm_shmem_internal.h"

/**
 * DOC: device options
 *
 * One call states which memory a device can reach:
 *
 * .. example: in int foo_set_opts(struct drm_dev_ctx_unreg *unreg)
 * .. code-block:: c
 *
 *	static const struct drm_shmem_device_opts opts = {
 *		.dma_mask = DMA_BIT_MASK(40),
 *		.max_segment = UINT_MAX,
 *		.huge_pages = true,
 *	};
 *
 *	return drm_shmem_set_device_opts(unreg, &opts);
 *
 * The library respects this, and the limits from the bus or from another driver:
 *
 * - The segments of an object's table are no longer than dma_get_max_seg_size() and
 *   dma_max_mapping_size().
 * - If dma_addressing_limited() says that the device cannot reach all memory, objects get their
 *   pages from below 4 GiB. If pages are still out of reach, the DMA API copies them, or
 *   refuses to map them.
 * - Objects of a type with DRM_SHMEM_DMA32 are below 4 GiB on any device.
 *
 * The registration fixes these limits, because objects can be created after the parent was unbound.
 * The table for an importer has segments that fit the importer's device.
 *
 * An import has the segments and the pages that its exporter chose. A segment that is too long
 * is reported.
 */

/* Returns whether the kernel can tell pages below 4 GiB from others, if there are others. */
VISIBLE_IF_KUNIT bool drm_shmem_has_dma32(void)
{
	KUNIT_STATIC_STUB_REDIRECT(drm_shmem_has_dma32);
	return IS_ENABLED(CONFIG_ZONE_DMA32);
}
EXPORT_SYMBOL_IF_KUNIT(drm_shmem_has_dma32);

/* Returns whether there is memory that the DMA device of @drm cannot reach. */
static bool drm_shmem_own_is_limited(struct drm_device *drm)
{
	const struct drm_dev_ctx *ctx = __drm_dev_ctx_registered(drm);

	return ctx ? ctx->__dma_limited : drm_dev_ctx_dma_is_limited(drm_dev_dma_dev(drm));
}

/**
 * __drm_shmem_own_max_segment() - the longest segment that the DMA device of a DRM device takes
 * @drm: the DRM device
 *
 * Context: Any. Unlike __drm_dev_ctx_dma_max_segment(), also after the parent was unbound, if @drm
 * was registered before.
 *
 * Return: the size in bytes, at least a page.
 */
unsigned int __drm_shmem_own_max_segment(struct drm_device *drm)
{
	const struct drm_dev_ctx *ctx = __drm_dev_ctx_registered(drm);

	return ctx ? ctx->__dma_max_segment : __drm_dev_ctx_dma_max_segment(drm_dev_dma_dev(drm));
}

/**
 * __drm_shmem_place() - place the pages of an object where its device can reach them
 * @obj: the object, which has no page yet
 * @dma32: whether its type has DRM_SHMEM_DMA32
 *
 * drm_gem_get_pages() has a BUG_ON() for pages of such an object that are elsewhere, so this
 * does nothing if the kernel cannot tell such pages from others.
 *
 * Context: Any.
 */
void __drm_shmem_place(struct drm_shmem_obj *obj, bool dma32)
{
	struct drm_gem_object *gem = &obj->base.base;
	struct address_space *mapping = gem->filp->f_mapping;

	if (!drm_shmem_has_dma32())
		return;
	if (!dma32 && likely(!drm_shmem_own_is_limited(gem->dev)))
		return;
	mapping_set_gfp_mask(mapping,
			     (mapping_gfp_mask(mapping) & ~__GFP_HIGHMEM) | __GFP_DMA32);
}

/* On failure the device stays as it was. */
static void drm_shmem_mount_huge(struct drm_device *drm)
{
	int ret;

	if (!IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE))
		return;
	ret = drm_gem_create_huge_mnt(drm, "within_size");
	if (ret)
		drm_info(drm, "objects have no huge pages: %d\n", ret);
}

/* Returns whether the device keeps a limit, or has a lower one anyway. */
static bool drm_shmem_keeps_segment(struct device *dma, unsigned int max)
{
	return !max || dma->dma_parms || dma_get_max_seg_size(dma) <= max;
}

/**
 * drm_shmem_set_device_opts() - state which memory a device can reach, and how objects get memory
 * @unreg: the device, which has no objects yet
 * @opts: the options
 *
 * drm_gem_get_huge_mnt() tells whether objects have huge pages. The DMA mask is also the mask for
 * coherent memory, so call this before drm_dev_ctx_dma_alloc().
 *
 * Context: May sleep.
 *
 * Return: 0; -EIO if the device cannot have such a DMA mask; -EOPNOTSUPP if its bus has no room
 * for such a limit of segments; or -EBUSY if an sg table was mapped for another DMA device, which
 * is reported. On failure, nothing is changed.
 */
int drm_shmem_set_device_opts(const struct drm_dev_ctx_unreg *unreg,
			      const struct drm_shmem_device_opts *opts)
{
	struct drm_device *drm = drm_dev_ctx_unreg_drm(unreg);
	struct device *dma = opts->dma_dev ?: drm_dev_dma_dev(drm);
	int ret;

	if (opts->dma_dev && __drm_dev_ctx_refuses_dma_dev(unreg->bound.__ctx, opts->dma_dev))
		return -EBUSY;
	if (!drm_shmem_keeps_segment(dma, opts->max_segment))
		return -EOPNOTSUPP;
	if (opts->dma_mask) {
		ret = dma_set_mask_and_coherent(dma, opts->dma_mask);
		if (ret)
			return ret;
	}
	if (opts->dma_dev)
		drm_dev_set_dma_dev(drm, opts->dma_dev);
	/* With a limit below a page, dma-iommu would merge pages into segments of any length. */
	if (opts->max_segment && dma->dma_parms)
		dma_set_max_seg_size(dma, max_t(size_t, opts->max_segment, PAGE_SIZE));
	if (opts->huge_pages)
		drm_shmem_mount_huge(drm);
	return 0;
}
EXPORT_SYMBOL_GPL(drm_shmem_set_device_opts);
