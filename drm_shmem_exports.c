// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <linux/dcache.h>
#include <linux/dma-buf.h>
#include <linux/hashtable.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include <drm/drm_prime.h>

#include "drm_shmem_internal.h"

/**
 * DOC: exports that are taken back
 *
 * An exported object can be evicted. An importer "can be notified" if it accepts invalidations
 * (dma_buf_attach_revocable()). Such an importer pins the pages only while it has a table.
 * Before an eviction, the library asks these importers to give back their tables, and evicts
 * the object if they all do. Their next table has the new location of the pages. Other importers
 * pin the pages for as long as they are attached, as with the core's helpers. Importers that
 * call dma_buf_pin() pin them, too.
 *
 * An object that has a dma-buf is not purged, because its contents belong to someone else, too.
 * An object whose dma-buf has the driver's own operations is not evicted either, because the
 * library knows nothing about its importers.
 *
 * Unbinding the parent leaves exports alone. The pages are system memory, and importers have
 * mapped them for their own devices. Exports of other memory end with the binding, see
 * drm_gem_sgt_export().
 */

/*
 * An existing dma-buf. &drm_gem_object.dma_buf points to one dma-buf or to none, because
 * it is cleared with the last handle. This entry is in the table before any task has the
 * dma-buf, and until the release of the dma-buf frees the entry. So the dma-buf and its
 * dentry exist while the lock is held. Its file may be gone: the dentry can outlive the file.
 */
struct drm_shmem_exported {
	struct drm_shmem_late late;	/* after the release, see __drm_shmem_exports_relist() */
	struct hlist_node node;
	struct drm_gem_object *gem;
	struct dma_buf *dma_buf;
	struct dentry *dentry;
};

static DEFINE_HASHTABLE(drm_shmem_exports, 6);
static DEFINE_SPINLOCK(drm_shmem_exports_lock);

/**
 * __drm_shmem_exports_alloc() - allocate the entry for a dma-buf
 *
 * Context: May sleep.
 *
 * Return: the memory, which is freed by __drm_shmem_exports_relist() or __drm_shmem_exports_end();
 * or NULL.
 */
struct drm_shmem_exported *__drm_shmem_exports_alloc(void)
{
	return kzalloc_obj(struct drm_shmem_exported, GFP_KERNEL_ACCOUNT);
}

/**
 * __drm_shmem_exports_add() - record a new dma-buf of an object
 * @exported: of __drm_shmem_exports_alloc()
 * @gem: the object
 * @dma_buf: the dma-buf, not shared yet
 *
 * Context: Any.
 */
void __drm_shmem_exports_add(struct drm_shmem_exported *exported, struct drm_gem_object *gem,
			     struct dma_buf *dma_buf)
{
	exported->gem = gem;
	exported->dma_buf = dma_buf;
	exported->dentry = drm_dma_buf_dentry(dma_buf);
	guard(spinlock)(&drm_shmem_exports_lock);
	hash_add(drm_shmem_exports, &exported->node, (unsigned long)gem);
}

static struct drm_shmem_exported *drm_shmem_exports_find(const struct dma_buf *dma_buf)
{
	struct drm_shmem_exported *exported;

	lockdep_assert_held(&drm_shmem_exports_lock);
	hash_for_each_possible(drm_shmem_exports, exported, node, (unsigned long)dma_buf->priv)
		if (exported->dma_buf == dma_buf)
			return exported;
	return NULL;
}

static struct drm_shmem_exported *drm_shmem_exports_del(const struct dma_buf *dma_buf)
{
	struct drm_shmem_exported *exported;

	guard(spinlock)(&drm_shmem_exports_lock);
	exported = drm_shmem_exports_find(dma_buf);
	if (exported)
		hash_del(&exported->node);
	return exported;
}

static void drm_shmem_exports_relist_locked(struct drm_shmem_late *late) __must_hold(drm_resv)
{
	__drm_shmem_relist(to_drm_shmem_obj(late->gem));
}

/**
 * __drm_shmem_exports_relist() - an object has one dma-buf less
 * @exported: the entry of that dma-buf, which is in no table. Frees it
 * @gem: the object
 *
 * A purge may succeed now, so the shrinker has to look at the object again. If another task has
 * the lock, a work item waits for it.
 *
 * Context: May sleep, also in memory reclaim. The caller may hold any reservation lock.
 */
void __drm_shmem_exports_relist(struct drm_shmem_exported *exported, struct drm_gem_object *gem)
	__context_unsafe("a lock that is tried")
{
	/* If the driver is being unloaded, the shrinker goes, too. */
	if (__drm_shmem_try_relist(to_drm_shmem_obj(gem)) ||
	    !__drm_shmem_late(&exported->late, gem, drm_shmem_exports_relist_locked))
		kfree(exported);
}

/**
 * __drm_shmem_exports_end() - forget a dma-buf that is being released
 * @dma_buf: the dma-buf, which still has the object
 *
 * Context: May sleep, also in memory reclaim. The caller may hold any reservation lock.
 */
void __drm_shmem_exports_end(const struct dma_buf *dma_buf)
{
	struct drm_shmem_exported *exported = drm_shmem_exports_del(dma_buf);

	atomic_dec(&to_drm_shmem_obj(dma_buf->priv)->__dma_bufs);
	if (exported)
		__drm_shmem_exports_relist(exported, dma_buf->priv);
}

/* Skips a dma-buf that is being released, which has no importers any more. */
static bool drm_shmem_exports_get(struct drm_shmem_exported *exported,
				  const struct drm_gem_object *gem)
{
	return exported->gem == gem && drm_dma_buf_get_unless_dead(exported->dentry);
}

/* Returns the entry after @last, or the first one of the hash bucket for an object. */
static struct drm_shmem_exported *drm_shmem_exports_from(const struct drm_gem_object *gem,
							 const struct drm_shmem_exported *last)
{
	const u32 bucket = hash_min((unsigned long)gem, HASH_BITS(drm_shmem_exports));
	struct hlist_node *node = last ? last->node.next : drm_shmem_exports[bucket].first;

	lockdep_assert_held(&drm_shmem_exports_lock);
	return hlist_entry_safe(node, struct drm_shmem_exported, node);
}

/*
 * Returns the next dma-buf of an object with a reference, and puts @last. Returns the first one if
 * @last is NULL, and NULL after the last one. The reference keeps @last in the table. A dma-buf
 * that is made meanwhile is mapped for no device, because the caller holds the reservation lock.
 *
 * If this puts the last reference, the dma-buf is released here, and the entry is freed. That takes
 * no reservation lock, and does not put the last reference to the object, which the caller keeps.
 */
static struct drm_shmem_exported *drm_shmem_exports_next(const struct drm_gem_object *gem,
							 struct drm_shmem_exported *last)
	__must_hold(drm_resv)
{
	struct drm_shmem_exported *exported;

	scoped_guard(spinlock, &drm_shmem_exports_lock) {
		exported = drm_shmem_exports_from(gem, last);
		hlist_for_each_entry_from(exported, node)
			if (drm_shmem_exports_get(exported, gem))
				break;
	}
	if (last)
		dput(last->dentry);
	return exported;
}

/**
 * __drm_shmem_exports_invalidate() - make the importers of an object give back their tables
 * @obj: the object
 *
 * Importers that cannot be notified keep their tables. Other importers may keep them for a
 * while.
 *
 * Context: May sleep, also in memory reclaim. The caller holds the reservation lock.
 */
void __drm_shmem_exports_invalidate(struct drm_shmem_obj *obj)
{
	struct drm_shmem_exported *exported = NULL;

	while ((exported = drm_shmem_exports_next(&obj->base.base, exported)))
		dma_buf_invalidate_mappings(exported->dma_buf);
}

/**
 * __drm_shmem_exports_sync() - cache maintenance for all importers of an object
 * @obj: the object
 * @dir: direction
 * @to_device: whether for the devices or for the CPU
 *
 * Context: May sleep. The caller holds the reservation lock.
 */
void __drm_shmem_exports_sync(struct drm_shmem_obj *obj, enum dma_data_direction dir,
			      bool to_device)
{
	struct drm_shmem_exported *exported = NULL;
	struct dma_buf_attachment *attach;

	if (!atomic_read(&obj->__dma_bufs))
		return;
	while ((exported = drm_shmem_exports_next(&obj->base.base, exported)))
		list_for_each_entry(attach, &exported->dma_buf->attachments, node)
			__drm_shmem_sync_attached(attach, dir, to_device);
}

/**
 * __drm_shmem_dma_buf_attach() - &dma_buf_ops.attach
 * @dma_buf: the dma-buf
 * @attach: the attachment
 *
 * Return: 0 or a negative error code.
 */
int __drm_shmem_dma_buf_attach(struct dma_buf *dma_buf, struct dma_buf_attachment *attach)
{
	return dma_buf_attach_revocable(attach) ? 0 : drm_gem_map_attach(dma_buf, attach);
}

/**
 * __drm_shmem_dma_buf_detach() - &dma_buf_ops.detach
 * @dma_buf: the dma-buf
 * @attach: the attachment
 */
void __drm_shmem_dma_buf_detach(struct dma_buf *dma_buf, struct dma_buf_attachment *attach)
{
	if (!dma_buf_attach_revocable(attach))
		drm_gem_map_detach(dma_buf, attach);
}

/**
 * __drm_shmem_dma_buf_pin() - &dma_buf_ops.pin
 * @attach: the attachment
 *
 * Context: May sleep. The caller holds the reservation lock.
 *
 * Return: 0 or a negative error code.
 */
int __drm_shmem_dma_buf_pin(struct dma_buf_attachment *attach)
{
	return drm_shmem_funcs_pin(attach->dmabuf->priv);
}

/**
 * __drm_shmem_dma_buf_unpin() - &dma_buf_ops.unpin
 * @attach: the attachment
 *
 * Context: May sleep. The caller holds the reservation lock.
 */
void __drm_shmem_dma_buf_unpin(struct dma_buf_attachment *attach)
{
	drm_shmem_funcs_unpin(attach->dmabuf->priv);
}

/* Counts a table of an importer that can be notified, before its pin is taken or dropped. */
static void drm_shmem_exports_told(struct dma_buf_attachment *attach, int tables)
	__must_hold(drm_resv)
{
	if (dma_buf_attach_revocable(attach))
		atomic_add(tables * (int)__DRM_SHMEM_TOLD,
			   &to_drm_shmem_obj(attach->dmabuf->priv)->__dma_bufs);
}

/**
 * __drm_shmem_dma_buf_map() - &dma_buf_ops.map_dma_buf
 * @attach: the attachment
 * @dir: the direction
 *
 * The table pins the pages.
 *
 * Context: May sleep. The caller holds the reservation lock.
 *
 * Return: the table, or an ERR_PTR().
 */
struct sg_table *__drm_shmem_dma_buf_map(struct dma_buf_attachment *attach,
					 enum dma_data_direction dir)
{
	struct drm_gem_object *gem = attach->dmabuf->priv;
	struct sg_table *sgt;
	int ret;

	drm_shmem_exports_told(attach, 1);
	ret = drm_shmem_funcs_pin(gem);
	if (ret) {
		drm_shmem_exports_told(attach, -1);
		return ERR_PTR(ret);
	}
	sgt = __drm_shmem_sync_map(attach, dir);
	if (IS_ERR(sgt)) {
		drm_shmem_exports_told(attach, -1);
		drm_shmem_funcs_unpin(gem);
	}
	return sgt;
}

/**
 * __drm_shmem_dma_buf_unmap() - &dma_buf_ops.unmap_dma_buf
 * @attach: the attachment
 * @sgt: the table
 * @dir: the direction
 *
 * Context: May sleep. The caller holds the reservation lock.
 */
void __drm_shmem_dma_buf_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			       enum dma_data_direction dir)
{
	__drm_shmem_sync_unmap(attach, sgt, dir);
	drm_shmem_exports_told(attach, -1);
	drm_shmem_funcs_unpin(attach->dmabuf->priv);
}
