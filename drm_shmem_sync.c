// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <kunit/static_stub.h>
#include <kunit/visibility.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/highmem.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include <drm/drm_prime.h>
#include <drm/drm_print.h>

#include "drm_shmem_internal.h"

/**
 * DOC: cache maintenance
 *
 * A device that is not coherent does not see the CPU caches, and a cached line can hide a write
 * of the device from the CPU. A device that cannot reach all memory works on a copy in a bounce
 * buffer. In both cases, code must bracket a CPU access with a begin and an end call. For a
 * coherent device that reaches all memory, these calls do nothing.
 *
 * - The kernel accesses an object in a block of drm_vmap_sync_guard(), or of
 *   drm_vmap_cpu_guard() with a long-lived mapping. The block takes the reservation lock, and
 *   needs no proof: under the lock, there either is no table or it is mapped.
 * - An ioctl with which userspace brackets its accesses calls drm_shmem_cpu_begin() and
 *   drm_shmem_cpu_end().
 * - drm_shmem_sync_for_cpu(), drm_shmem_sync_for_device() and their variants for a range work
 *   in any context. Their proof of a bound parent makes the table stay mapped.
 *
 * The library implements DMA_BUF_IOCTL_SYNC and dma_buf_begin_cpu_access() for its dma-bufs,
 * for its own device and for each device that the dma-buf is mapped for, after the fences of their
 * jobs. An imported object belongs to another driver, and the library asks that driver in the same
 * way.
 *
 * Data that the kernel writes before an object is mapped for a device needs no call: mapping
 * it does the maintenance, also for a device that imports it. After drm_gem_map_dma_buf()
 * alone, an importer would read the old content of cleared memory.
 *
 * A write-combined CPU mapping has no cached lines. It needs no maintenance, unless the device
 * may use a bounce buffer.
 */

/*
 * The two calls of the DMA API that reach the device. The tests replace them with a
 * device that has its own memory.
 */
VISIBLE_IF_KUNIT void drm_shmem_dma_sync_table(struct device *dev, struct sg_table *sgt,
					       enum dma_data_direction dir, bool to_device)
{
	KUNIT_STATIC_STUB_REDIRECT(drm_shmem_dma_sync_table, dev, sgt, dir, to_device);
	if (to_device)
		dma_sync_sgtable_for_device(dev, sgt, dir);
	else
		dma_sync_sgtable_for_cpu(dev, sgt, dir);
}
EXPORT_SYMBOL_IF_KUNIT(drm_shmem_dma_sync_table);

VISIBLE_IF_KUNIT void drm_shmem_dma_sync_piece(struct device *dev, dma_addr_t addr, size_t len,
					       enum dma_data_direction dir, bool to_device)
{
	KUNIT_STATIC_STUB_REDIRECT(drm_shmem_dma_sync_piece, dev, addr, len, dir, to_device);
	if (to_device)
		dma_sync_single_for_device(dev, addr, len, dir);
	else
		dma_sync_single_for_cpu(dev, addr, len, dir);
}
EXPORT_SYMBOL_IF_KUNIT(drm_shmem_dma_sync_piece);

/*
 * Returns whether the object's own table needs maintenance. If the device takes mappings
 * of any size, no bounce buffer is ever used.
 */
static bool drm_shmem_table_syncs(const struct drm_shmem_obj *obj, struct device *dev)
{
	return dma_dev_need_sync(dev) &&
	       (!obj->base.map_wc || dma_max_mapping_size(dev) != SIZE_MAX);
}

/* The start of a segment of a table, in bytes from the start of the object */
struct drm_shmem_seg {
	struct scatterlist *sg;
	u64 start;
};

static void drm_shmem_seg_seek(struct drm_shmem_seg *seg, u64 offset)
{
	while (offset - seg->start >= seg->sg->length) {
		seg->start += seg->sg->length;
		seg->sg = sg_next(seg->sg);
	}
}

/* The same for the segments of the device */
static void drm_shmem_seg_seek_dma(struct drm_shmem_seg *seg, u64 offset)
{
	while (offset - seg->start >= sg_dma_len(seg->sg)) {
		seg->start += sg_dma_len(seg->sg);
		seg->sg = sg_next(seg->sg);
	}
}

/*
 * Both kinds of segments have the object's bytes in order. Each piece is inside one segment
 * of each kind, because the DMA API assumes that the memory at a piece's first address is
 * contiguous. The range is inside the object, so the lists do not end before it.
 */
VISIBLE_IF_KUNIT void drm_shmem_sync_pieces(struct device *dev, struct sg_table *sgt, u64 offset,
					    u64 len, enum dma_data_direction dir, bool to_device)
{
	struct drm_shmem_seg cpu = { .sg = sgt->sgl };
	struct drm_shmem_seg dma = { .sg = sgt->sgl };
	u64 piece;

	for (; len; offset += piece, len -= piece) {
		drm_shmem_seg_seek(&cpu, offset);
		drm_shmem_seg_seek_dma(&dma, offset);
		piece = min3(len, cpu.start + cpu.sg->length - offset,
			     dma.start + sg_dma_len(dma.sg) - offset);
		drm_shmem_dma_sync_piece(dev, sg_dma_address(dma.sg) + (offset - dma.start),
					 piece, dir, to_device);
	}
}
EXPORT_SYMBOL_IF_KUNIT(drm_shmem_sync_pieces);

/*
 * Checks that the proof belongs to the object's device, and that the library does the
 * maintenance.
 */
static int drm_shmem_sync_check(const struct drm_dev_ctx_bound *bound,
				const struct drm_shmem_obj *obj)
{
	int ret = __drm_gem_sgt_check_drm(bound, obj->base.base.dev);

	return ret ?: drm_gem_is_imported(&obj->base.base) ? -EOPNOTSUPP : 0;
}

/*
 * Returns the object's table if it needs maintenance, or NULL, or an ERR_PTR(). The caller has
 * to call __drm_shmem_sgt_unuse() for a table.
 */
static struct sg_table *drm_shmem_sync_begin(const struct drm_dev_ctx_bound *bound,
					     struct drm_shmem_obj *obj)
{
	struct device *dev = __drm_dev_ctx_dma_dev(bound->__ctx);
	int ret = drm_shmem_sync_check(bound, obj);

	if (ret)
		return ERR_PTR(ret);
	/* Without a device, there was no table yet. */
	return dev && drm_shmem_table_syncs(obj, dev) ? __drm_shmem_sgt_use(obj) : NULL;
}

/**
 * __drm_shmem_sync() - cache maintenance of a whole object, with the proof
 * @bound: proof that the parent of the object's device is bound
 * @obj: the object
 * @dir: direction
 * @to_device: true for the device, false for the CPU
 *
 * See drm_shmem_sync_for_cpu() and drm_shmem_sync_for_device(), which drivers call.
 *
 * Context: Any.
 *
 * Return: 0 or a negative error code.
 */
int __drm_shmem_sync(const struct drm_dev_ctx_bound *bound, struct drm_shmem_obj *obj,
		     enum dma_data_direction dir, bool to_device)
{
	struct sg_table *sgt = drm_shmem_sync_begin(bound, obj);

	if (IS_ERR_OR_NULL(sgt))
		return PTR_ERR_OR_ZERO(sgt);
	drm_shmem_dma_sync_table(__drm_dev_ctx_dma_dev(bound->__ctx), sgt, dir, to_device);
	__drm_shmem_sgt_unuse(obj);
	return 0;
}
EXPORT_SYMBOL_GPL(__drm_shmem_sync);

/**
 * __drm_shmem_sync_range() - cache maintenance of a part of an object, with the proof
 * @bound: proof that the parent of the object's device is bound
 * @obj: the object
 * @offset: in bytes
 * @len: in bytes
 * @dir: direction
 * @to_device: true for the device, false for the CPU
 *
 * See drm_shmem_sync_range_for_cpu() and drm_shmem_sync_range_for_device(), which drivers call.
 *
 * Context: Any.
 *
 * Return: 0 or a negative error code.
 */
int __drm_shmem_sync_range(const struct drm_dev_ctx_bound *bound, struct drm_shmem_obj *obj,
			   u64 offset, u64 len, enum dma_data_direction dir, bool to_device)
{
	const u64 size = drm_shmem_size(obj);
	struct sg_table *sgt;

	if (!valid_dma_direction(dir) || len > size || offset > size - len)
		return -EINVAL;
	sgt = drm_shmem_sync_begin(bound, obj);
	if (IS_ERR_OR_NULL(sgt))
		return PTR_ERR_OR_ZERO(sgt);
	drm_shmem_sync_pieces(__drm_dev_ctx_dma_dev(bound->__ctx), sgt, offset, len, dir,
			      to_device);
	__drm_shmem_sgt_unuse(obj);
	return 0;
}
EXPORT_SYMBOL_GPL(__drm_shmem_sync_range);

/* A table that the core mapped for an importer, on the list of its attachment */
struct drm_shmem_attached {
	struct drm_shmem_attached *next;
	struct sg_table *sgt;
	enum dma_data_direction dir;
};

/* Returns the part of @dir that concerns a table that is mapped for @mapped, or DMA_NONE. */
static enum dma_data_direction drm_shmem_common_dir(enum dma_data_direction mapped,
						    enum dma_data_direction dir)
{
	if (mapped == DMA_BIDIRECTIONAL)
		return dir;
	return dir == DMA_BIDIRECTIONAL || dir == mapped ? mapped : DMA_NONE;
}

/**
 * __drm_shmem_sync_attached() - cache maintenance for an importer of an object
 * @attach: its attachment
 * @dir: direction
 * @to_device: true for the device, false for the CPU
 *
 * Context: May sleep. The caller holds the reservation lock.
 */
void __drm_shmem_sync_attached(struct dma_buf_attachment *attach, enum dma_data_direction dir,
			       bool to_device)
{
	const struct drm_shmem_attached *at;
	enum dma_data_direction common;

	if (!dma_dev_need_sync(attach->dev))
		return;
	for (at = attach->priv; at; at = at->next) {
		common = drm_shmem_common_dir(at->dir, dir);
		if (common != DMA_NONE)
			drm_shmem_dma_sync_table(attach->dev, at->sgt, common, to_device);
	}
}

/* For caches in which a vmalloc address has cache lines of its own */
static void drm_shmem_sync_vmap(const struct drm_shmem_obj *obj, bool to_device)
	__must_hold(drm_resv)
{
	size_t left = drm_shmem_size(obj);
	void *addr = obj->__vaddr;
	size_t n;

	if (!drm_shmem_has_vmap(obj))
		return;
	/* The flush functions take an int. */
	for (; left; addr += n, left -= n) {
		n = min_t(size_t, left, SZ_1G);
		if (to_device)
			flush_kernel_vmap_range(addr, n);
		else
			invalidate_kernel_vmap_range(addr, n);
	}
}

/* Cache maintenance for the object's own device. The parent is bound while there is a table. */
static void drm_shmem_sync_table(const struct drm_shmem_obj *obj, enum dma_data_direction dir,
				 bool to_device)
	__must_hold(drm_resv)
{
	struct device *dev;

	if (!drm_shmem_has_sgt(obj))
		return;
	dev = __drm_dev_ctx_dma_dev(__drm_shmem_ctx(obj));
	if (drm_shmem_table_syncs(obj, dev))
		drm_shmem_dma_sync_table(dev, obj->__table.__sgt, dir, to_device);
}

/* The same for all devices that an object is mapped for */
static void drm_shmem_sync_locked(struct drm_shmem_obj *obj, enum dma_data_direction dir,
				  bool to_device)
	__must_hold(drm_resv)
{
	dma_resv_assert_held(obj->base.base.resv);
	if (to_device)
		drm_shmem_sync_vmap(obj, true);
	drm_shmem_sync_table(obj, dir, to_device);
	__drm_shmem_exports_sync(obj, dir, to_device);
	if (!to_device)
		drm_shmem_sync_vmap(obj, false);
}

static int drm_shmem_sync_own(struct drm_shmem_obj *obj, enum dma_data_direction dir,
			      bool to_device, enum drm_resv_how how)
	__must_not_hold(drm_resv)
{
	int ret = drm_resv_lock_how(obj->base.base.resv, how);

	if (ret)
		return ret;
	drm_shmem_sync_locked(obj, dir, to_device);
	drm_gem_resv_unlock(&obj->base.base, false);
	return 0;
}

/* The end of a CPU access that a killed task does not wait for */
struct drm_shmem_late_end {
	struct drm_shmem_late base;
	enum dma_data_direction dir;
};

static void drm_shmem_late_end_locked(struct drm_shmem_late *late) __must_hold(drm_resv)
{
	struct drm_shmem_late_end *end = container_of(late, struct drm_shmem_late_end, base);

	drm_shmem_sync_locked(to_drm_shmem_obj(late->gem), end->dir, true);
}

/* Returns false if there is no memory. */
static bool drm_shmem_end_late(struct drm_shmem_obj *obj, enum dma_data_direction dir)
{
	struct drm_shmem_late_end *end = kzalloc_obj(*end, GFP_KERNEL_ACCOUNT);

	if (!end)
		return false;
	end->dir = dir;
	if (__drm_shmem_late(&end->base, &obj->base.base, drm_shmem_late_end_locked))
		return true;
	kfree(end);
	return false;
}

/*
 * dma_buf_begin_cpu_access() waits for the fences of the dma-buf, and any signal ends that
 * wait. So this waits first, unless the task is killed, and again after each signal: see
 * __drm_shmem_again().
 */
static int drm_shmem_import_begin(struct drm_gem_object *gem, enum dma_data_direction dir)
{
	const enum dma_resv_usage usage = dma_resv_usage_rw(dir != DMA_FROM_DEVICE);
	struct dma_buf *dma_buf = gem->import_attach->dmabuf;
	int ret;

	do {
		ret = __drm_shmem_wait(dma_buf->resv, usage);
		if (ret)
			return ret;
		ret = dma_buf_begin_cpu_access(dma_buf, dir);
	} while (__drm_shmem_again(gem->dev, &ret));
	return ret;
}

/* Like drm_gem_fb_end_cpu_access(): most callers cannot report an error. */
static int drm_shmem_import_end(struct drm_gem_object *gem, enum dma_data_direction dir)
{
	int ret;

	do {
		ret = dma_buf_end_cpu_access(gem->import_attach->dmabuf, dir);
		/* For a task that exits, an exporter with this library ends the access later. */
	} while (!(current->flags & PF_EXITING) && __drm_shmem_again(NULL, &ret));
	/* The exporter may end the access of a killed task later. */
	if (ret && ret != -EINTR)
		drm_err_ratelimited(gem->dev, "an exporter failed to end a CPU access: %d\n",
				    ret);
	return ret;
}

/**
 * __drm_shmem_cpu_begin() - begin a CPU access that may need maintenance
 * @obj: the object
 * @dir: direction
 *
 * See drm_shmem_cpu_begin(), which drivers call.
 *
 * Context: May sleep. Without the object's reservation lock.
 *
 * Return: 0 or a negative error code.
 */
int __drm_shmem_cpu_begin(struct drm_shmem_obj *obj, enum dma_data_direction dir)
{
	struct drm_gem_object *gem = &obj->base.base;
	int ret = drm_gem_resv_check_slow(gem, false);

	if (ret)
		return ret;
	if (drm_gem_is_imported(gem))
		return drm_shmem_import_begin(gem, dir);
	return drm_shmem_sync_own(obj, dir, false, DRM_RESV_LOCKS_KILLABLE);
}
EXPORT_SYMBOL_GPL(__drm_shmem_cpu_begin);

/**
 * __drm_shmem_cpu_end() - end a CPU access that may need maintenance
 * @obj: the object
 * @dir: direction
 *
 * See drm_shmem_cpu_end(), which drivers call.
 *
 * Context: May sleep. Without the object's reservation lock.
 *
 * Return: 0 or a negative error code.
 */
int __drm_shmem_cpu_end(struct drm_shmem_obj *obj, enum dma_data_direction dir)
{
	struct drm_gem_object *gem = &obj->base.base;
	int ret = drm_gem_resv_check_slow(gem, false);

	if (ret)
		return ret;
	if (drm_gem_is_imported(gem))
		return drm_shmem_import_end(gem, dir);
	/* A killed task has to undo what it began, before it goes on. */
	return drm_shmem_sync_own(obj, dir, true, DRM_RESV_LOCKS);
}
EXPORT_SYMBOL_GPL(__drm_shmem_cpu_end);

/**
 * __drm_vmap_cpu_obj() - the object of a mapping that the CPU is about to access
 * @m: the handle
 * @err: set to -EINVAL if it is empty, or to -EOPNOTSUPP if it maps a plain object or a resource
 *
 * See drm_vmap_cpu_guard(), which drivers call.
 *
 * Context: Any.
 *
 * Return: the object, or NULL if @err is set.
 */
struct drm_shmem_obj *__drm_vmap_cpu_obj(const struct drm_vmap *m, int *err)
{
	const bool plain = !m->shmem || m->flags & __DRM_VMAP_FLAG_PLAIN;

	*err = !m->addr ? -EINVAL : plain ? -EOPNOTSUPP : 0;
	/* Without the flag, the object is a struct drm_shmem_obj: see __drm_vmap_end(). */
	return *err ? NULL : container_of(m->shmem, struct drm_shmem_obj, base);
}
EXPORT_SYMBOL_GPL(__drm_vmap_cpu_obj);

/* Returns a table that is mapped for an importer, without the maintenance, or an ERR_PTR(). */
static struct sg_table *drm_shmem_map_for(struct dma_buf_attachment *attach,
					  enum dma_data_direction dir)
	__must_hold(drm_resv)
{
	struct drm_shmem_obj *obj = to_drm_shmem_obj(attach->dmabuf->priv);
	struct sg_table *sgt;
	int ret;

	if (!valid_dma_direction(dir))
		return ERR_PTR(-EINVAL);
	sgt = __drm_shmem_sgt_alloc(obj, __drm_dev_ctx_dma_max_segment(attach->dev));
	if (IS_ERR(sgt))
		return sgt;
	/* drm_gem_unmap_dma_buf() has the same attribute. */
	ret = dma_map_sgtable(attach->dev, sgt, dir, DMA_ATTR_SKIP_CPU_SYNC);
	if (ret) {
		sg_free_table(sgt);
		kfree(sgt);
		return ERR_PTR(ret);
	}
	return sgt;
}

/**
 * __drm_shmem_sync_map() - map an object for an importer, with the maintenance
 * @attach: the attachment
 * @dir: direction
 *
 * Unlike drm_gem_map_dma_buf(), this does the maintenance, and its segments fit the importer's
 * device rather than the object's own. Keeps the table on the list of the attachment.
 *
 * Context: May sleep. The caller holds the reservation lock.
 *
 * Return: the table, or an ERR_PTR().
 */
struct sg_table *__drm_shmem_sync_map(struct dma_buf_attachment *attach,
				      enum dma_data_direction dir)
{
	struct drm_shmem_attached *at = kmalloc_obj(*at, GFP_KERNEL_ACCOUNT);
	struct sg_table *sgt;

	if (!at)
		return ERR_PTR(-ENOMEM);
	sgt = drm_shmem_map_for(attach, dir);
	if (IS_ERR(sgt)) {
		kfree(at);
		return sgt;
	}
	*at = (struct drm_shmem_attached) { .next = attach->priv, .sgt = sgt, .dir = dir };
	attach->priv = at;
	if (dma_dev_need_sync(attach->dev))
		drm_shmem_dma_sync_table(attach->dev, sgt, dir, true);
	return sgt;
}

/*
 * Returns the link to the entry of a mapped table. The cast is right because @priv is the
 * head of the list, and only the library uses it.
 */
static struct drm_shmem_attached **drm_shmem_attached_find(struct dma_buf_attachment *attach,
							   const struct sg_table *sgt)
	__must_hold(drm_resv)
{
	struct drm_shmem_attached **at = (struct drm_shmem_attached **)&attach->priv;

	while (*at && (*at)->sgt != sgt)
		at = &(*at)->next;
	return at;
}

/**
 * __drm_shmem_sync_unmap() - undo __drm_shmem_sync_map()
 * @attach: the attachment
 * @sgt: the table
 * @dir: direction
 *
 * Does the maintenance, which drm_gem_unmap_dma_buf() does not do, and then calls that function.
 *
 * Context: May sleep. The caller holds the reservation lock.
 */
void __drm_shmem_sync_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			    enum dma_data_direction dir)
{
	struct drm_shmem_attached **link = drm_shmem_attached_find(attach, sgt);
	struct drm_shmem_attached *at = *link;

	if (at) {
		*link = at->next;
		kfree(at);
	}
	if (dma_dev_need_sync(attach->dev))
		drm_shmem_dma_sync_table(attach->dev, sgt, dir, false);
	drm_gem_unmap_dma_buf(attach, sgt, dir);
}

/**
 * __drm_shmem_export_begin() - &dma_buf_ops.begin_cpu_access
 * @dma_buf: a dma-buf of the library
 * @dir: direction
 *
 * dma_buf_begin_cpu_access() waits for the fences only after it has called this. That is too late,
 * because the CPU would not see what devices write after the maintenance. So this waits for the
 * current fences first. It does not wait for jobs that begin meanwhile, which might go on forever.
 *
 * Context: May sleep. Takes the reservation lock.
 *
 * Return: 0, -EINTR if the task was killed while it waited for a fence or for the lock, or -ENOMEM.
 */
int __drm_shmem_export_begin(struct dma_buf *dma_buf, enum dma_data_direction dir)
{
	struct drm_gem_object *gem = dma_buf->priv;

	return __drm_shmem_wait(gem->resv, dma_resv_usage_rw(dir != DMA_FROM_DEVICE)) ?:
	       drm_shmem_sync_own(to_drm_shmem_obj(gem), dir, false, DRM_RESV_LOCKS_KILLABLE);
}

/**
 * __drm_shmem_export_end() - &dma_buf_ops.end_cpu_access
 * @dma_buf: a dma-buf of the library
 * @dir: direction
 *
 * A task that was killed or exits does not wait for the lock, which importers can hold for long. A
 * work item does the maintenance then, unless there is no memory for it.
 *
 * Context: May sleep. Takes the reservation lock.
 *
 * Return: 0, or -EINTR if a work item does the maintenance.
 */
int __drm_shmem_export_end(struct dma_buf *dma_buf, enum dma_data_direction dir)
{
	struct drm_gem_object *gem = dma_buf->priv;
	struct drm_shmem_obj *obj = to_drm_shmem_obj(gem);

	if (__drm_shmem_lock_unless_killed(gem)) {
		drm_shmem_sync_locked(obj, dir, true);
		drm_gem_resv_unlock(gem, false);
		return 0;
	}
	if (drm_shmem_end_late(obj, dir))
		return -EINTR;
	return drm_shmem_sync_own(obj, dir, true, DRM_RESV_LOCKS);
}
