// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/idr.h>
#include <linux/spinlock.h>

#include <drm/drm_file.h>

#include "drm_shmem_internal.h"

/**
 * DOC: memory statistics
 *
 * The fdinfo of a client's file shows the memory of the client, for tools such as nvtop: see
 * Documentation/gpu/drm-usage-stats.rst. DRM_SHMEM_DRIVER_OPS and DEFINE_DRM_SHMEM_FOPS() provide
 * it. The region "memory" counts the device's own objects. The region "imported" counts imported
 * objects, whose memory belongs to another device. Each region has these values:
 *
 * - total: all objects to which the file has a handle. An object counts with its size, or with its
 *   resident memory if that is larger;
 * - shared: the objects to which another file has a handle, or that have a dma-buf;
 * - resident: the objects that have pages, plus the result of the rss step of their type. An import
 *   has pages while it is mapped;
 * - purgeable: the resident objects that userspace does not need, see drm_shmem_madvise(), unless
 *   they are active;
 * - active: the objects with an unsignalled fence.
 */

/*
 * Returns whether an object may have memory in addition to its own pages, and sets @parts to the
 * size of this memory. The object is complete, because it has a handle.
 */
static bool drm_shmem_has_parts(struct drm_gem_object *gem, u64 *parts)
{
	const struct drm_shmem_obj_type *type;

	*parts = 0;
	if (gem->funcs->vm_ops != &__drm_shmem_vm_ops || drm_gem_is_imported(gem))
		return false;
	type = drm_shmem_obj_type(to_drm_shmem_obj(gem));
	if (!type->rss)
		return false;
	*parts = type->rss(to_drm_shmem_obj(gem));
	return true;
}

/*
 * Adds the values of one object, by the rules of drm_show_memory_stats(). The size of an object
 * need not include its parts, but the total includes all resident memory, and the resident memory
 * includes all active memory.
 */
static void drm_shmem_add_stats(struct drm_memory_stats *stats, struct drm_gem_object *gem)
{
	const struct drm_gem_object_funcs *funcs = gem->funcs;
	const enum drm_gem_object_status status = funcs->status ? funcs->status(gem) : 0;
	const u64 size = funcs->rss ? funcs->rss(gem) : gem->size;
	const u64 pages = status & DRM_GEM_OBJECT_RESIDENT ? size : 0;
	const bool active = !dma_resv_test_signaled(gem->resv, dma_resv_usage_rw(true));
	u64 parts;
	const bool has_parts = drm_shmem_has_parts(gem, &parts);
	const u64 total = max_t(u64, gem->size, pages + parts);

	if (drm_gem_object_is_shared_for_memory_stats(gem))
		stats->shared += total;
	else
		stats->private += total;
	stats->resident += pages + parts;
	if (active)
		stats->active += has_parts ? pages + parts : size;
	else if (status & DRM_GEM_OBJECT_PURGEABLE)
		stats->purgeable += pages;
}

/**
 * drm_shmem_show_fdinfo() - &drm_driver.show_fdinfo
 * @p: the printer
 * @file: the client
 *
 * Part of DRM_SHMEM_DRIVER_OPS. A driver with a function of its own calls this in that function.
 * Other objects of the driver count as in drm_show_memory_stats(), which has no region for imports,
 * and leaves out values that no object has.
 *
 * Context: May sleep.
 */
void drm_shmem_show_fdinfo(struct drm_printer *p, struct drm_file *file)
{
	const enum drm_gem_object_status all =
		DRM_GEM_OBJECT_RESIDENT | DRM_GEM_OBJECT_PURGEABLE | DRM_GEM_OBJECT_ACTIVE;
	struct drm_memory_stats own = {}, imported = {};
	struct drm_gem_object *gem;
	int id;

	scoped_guard(spinlock, &file->table_lock)
		idr_for_each_entry(&file->object_idr, gem, id)
			drm_shmem_add_stats(drm_gem_is_imported(gem) ? &imported : &own, gem);

	drm_print_memory_stats(p, &own, all, "memory");
	drm_print_memory_stats(p, &imported, all, "imported");
}
EXPORT_SYMBOL_GPL(drm_shmem_show_fdinfo);
