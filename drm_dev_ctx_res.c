// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/export.h>
#include <linux/firmware.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "drm_dev_ctx_internal.h"
#include "drm_dev_ctx_res.h"

/**
 * DOC: resources
 *
 * Registers, coherent memory and firmware that a driver maps for the parent of its device must
 * not outlive the parent's binding. devm_ioremap_resource() and its siblings unmap them in time
 * only if they were mapped before the device was registered, because devres releases resources in
 * reverse order. A function can still use the address after it was unmapped.
 *
 * Here, each resource is an entry on the list of mappings to revoke when the parent is unbound. One
 * devres action of the device unmaps all of them after the registration has ended, whenever they
 * were mapped. The library lends an address only for the scope of a proof that the parent is bound.
 * One comparison before that catches an unmapped resource and a resource of another device. The
 * lent handle has the accessors of a mapping. Its type has the minimum size of the resource,
 * against which the compiler checks constant offsets.
 */

/*
 * struct drm_dev_ctx_res_entry - a mapped resource
 *
 * Invariants:
 *
 * - It is on the list of @ctx until revocation or drm_dev_ctx_res_release() ends and frees it.
 *   drm_dev_ctx_res_release() needs the proof that the parent is bound, and revocation comes
 *   after the scope of any such proof, so the two cannot race.
 */
struct drm_dev_ctx_res_entry {
	struct drm_dev_ctx_revocable rev;
	struct drm_dev_ctx_handle handle;
	struct drm_dev_ctx *ctx;
	void (*unmap)(struct drm_dev_ctx_res_entry *entry);
	void *addr;
	size_t size;
	union {
		resource_size_t start;
		dma_addr_t dma;
		const struct firmware *fw;
	};
};

static void drm_dev_ctx_res_end(struct drm_dev_ctx_res_entry *entry)
{
	drm_dev_ctx_handle_del(&entry->ctx->drm, &entry->handle);
	entry->unmap(entry);
	kfree(entry);
}

/* There are no references to count, because the list holds the only one. */
static bool drm_dev_ctx_res_get(struct drm_dev_ctx_revocable *rev)
{
	return true;
}

static void drm_dev_ctx_res_revoke(struct drm_dev_ctx_revocable *rev)
{
	drm_dev_ctx_res_end(container_of(rev, struct drm_dev_ctx_res_entry, rev));
}

static const struct drm_dev_ctx_revocable_ops drm_dev_ctx_res_ops = {
	.get = drm_dev_ctx_res_get,
	.revoke = drm_dev_ctx_res_revoke,
};

/* Allocates an entry that maps nothing and is on no list. */
static struct drm_dev_ctx_res_entry *
drm_dev_ctx_res_begin(const struct drm_dev_ctx_res *res, const struct drm_dev_ctx_bound *bound)
{
	struct drm_dev_ctx_res_entry *entry;

	if (READ_ONCE(res->__ctx)) {
		drm_safe_broken(drm_dev_ctx_bound_drm(bound), "a resource is mapped once",
				"it is mapped already: call drm_dev_ctx_res_release() first; or it was not zeroed");
		return ERR_PTR(-EBUSY);
	}
	entry = kzalloc_obj(*entry);
	if (!entry)
		return ERR_PTR(-ENOMEM);
	entry->ctx = bound->__ctx;
	return entry;
}

/*
 * Publishes the mapping. If @ret is an error, nothing was mapped, and this frees the entry. If the
 * parent is unbound, drm_dev_ctx_revocable_add() fails, and this also undoes the mapping.
 */
static int drm_dev_ctx_res_publish(struct drm_dev_ctx_res *res,
				   const struct drm_dev_ctx_bound *bound,
				   struct drm_dev_ctx_res_entry *entry, int ret)
{
	if (ret) {
		kfree(entry);
		return ret;
	}
	drm_dev_ctx_handle_add(&entry->ctx->drm, &entry->handle);
	ret = drm_dev_ctx_revocable_add(bound, &entry->rev, &drm_dev_ctx_res_ops);
	if (ret) {
		drm_dev_ctx_res_end(entry);
		return ret;
	}
	res->__addr = entry->addr;
	res->__size = entry->size;
	res->__dma = entry->dma;
	res->__entry = entry;
	/* Release: pairs with the acquire in __drm_dev_ctx_res_fits(), see res-publish.litmus. */
	smp_store_release(&res->__ctx, entry->ctx);
	return 0;
}

#ifdef CONFIG_HAS_IOMEM
static void drm_dev_ctx_iounmap(struct drm_dev_ctx_res_entry *entry)
{
	/* This address is an __iomem address from drm_dev_ctx_do_ioremap(). */
	iounmap((void __iomem __force *)entry->addr);
	release_mem_region(entry->start, entry->size);
}

static void __iomem *drm_dev_ctx_ioremap_region(const struct resource *where, bool wc)
{
	void __iomem *addr = NULL;

	if (wc)
		return ioremap_wc(where->start, resource_size(where));
	/* Not all architectures have ioremap_np(). */
	if (where->flags & IORESOURCE_MEM_NONPOSTED)
		addr = ioremap_np(where->start, resource_size(where));
	return addr ?: ioremap(where->start, resource_size(where));
}

static int drm_dev_ctx_do_ioremap(struct drm_dev_ctx_res_entry *entry,
				  const struct resource *where, bool wc)
{
	void __iomem *addr;

	if (!request_mem_region(where->start, resource_size(where),
				dev_name(entry->ctx->__dev)))
		return -EBUSY;
	addr = drm_dev_ctx_ioremap_region(where, wc);
	if (!addr) {
		release_mem_region(where->start, resource_size(where));
		return -ENOMEM;
	}
	entry->addr = (void __force *)addr;
	entry->size = resource_size(where);
	entry->start = where->start;
	entry->unmap = drm_dev_ctx_iounmap;
	return 0;
}
#else
static int drm_dev_ctx_do_ioremap(struct drm_dev_ctx_res_entry *entry,
				  const struct resource *where, bool wc)
{
	return -EINVAL;
}
#endif

/**
 * __drm_dev_ctx_ioremap() - map registers, or other I/O memory
 * @res: the resource to fill in
 * @bound: proof that the parent is bound
 * @where: the memory, or NULL
 * @min: least size in bytes
 * @wc: write-combined
 *
 * See drm_dev_ctx_ioremap(), which drivers call.
 *
 * Context: May sleep.
 *
 * Return: 0 or a negative error code.
 */
int __drm_dev_ctx_ioremap(struct drm_dev_ctx_res *res, const struct drm_dev_ctx_bound *bound,
			  const struct resource *where, size_t min, bool wc)
{
	struct drm_dev_ctx_res_entry *entry;

	if (!where || resource_type(where) != IORESOURCE_MEM)
		return -EINVAL;
	if (resource_size(where) < min || overflows_type(resource_size(where), size_t))
		return -ENOSPC;
	entry = drm_dev_ctx_res_begin(res, bound);
	if (IS_ERR(entry))
		return PTR_ERR(entry);
	return drm_dev_ctx_res_publish(res, bound, entry,
				       drm_dev_ctx_do_ioremap(entry, where, wc));
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_ioremap);

static void drm_dev_ctx_dma_free(struct drm_dev_ctx_res_entry *entry)
{
	dma_free_coherent(__drm_dev_ctx_dma_dev(entry->ctx), entry->size, entry->addr,
			  entry->dma);
}

static void drm_dev_ctx_dma_free_wc(struct drm_dev_ctx_res_entry *entry)
{
	dma_free_wc(__drm_dev_ctx_dma_dev(entry->ctx), entry->size, entry->addr, entry->dma);
}

/* Like an sg table, the memory must not outlive the binding of the DMA device. */
static int drm_dev_ctx_do_dma_alloc(struct drm_dev_ctx_res_entry *entry, size_t size, bool wc)
{
	struct device *dev;
	int ret = __drm_dev_ctx_settle_dma_dev(entry->ctx);

	if (ret)
		return ret;
	dev = __drm_dev_ctx_dma_dev(entry->ctx);
	entry->addr = wc ? dma_alloc_wc(dev, size, &entry->dma, GFP_KERNEL) :
			   dma_alloc_coherent(dev, size, &entry->dma, GFP_KERNEL);
	if (!entry->addr)
		return -ENOMEM;
	entry->size = size;
	entry->unmap = wc ? drm_dev_ctx_dma_free_wc : drm_dev_ctx_dma_free;
	return 0;
}

/**
 * __drm_dev_ctx_dma_alloc() - allocate coherent memory
 * @res: the resource to fill in
 * @bound: proof that the parent is bound
 * @size: size in bytes
 * @min: least size in bytes
 * @wc: whether it is write-combined
 *
 * See drm_dev_ctx_dma_alloc(), which drivers call.
 *
 * Context: May sleep.
 *
 * Return: 0 or a negative error code.
 */
int __drm_dev_ctx_dma_alloc(struct drm_dev_ctx_res *res, const struct drm_dev_ctx_bound *bound,
			    u64 size, size_t min, bool wc)
{
	struct drm_dev_ctx_res_entry *entry;

	if (size < min || overflows_type(size, size_t))
		return -ENOSPC;
	entry = drm_dev_ctx_res_begin(res, bound);
	if (IS_ERR(entry))
		return PTR_ERR(entry);
	return drm_dev_ctx_res_publish(res, bound, entry,
				       drm_dev_ctx_do_dma_alloc(entry, size, wc));
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_dma_alloc);

static void drm_dev_ctx_firmware_release(struct drm_dev_ctx_res_entry *entry)
{
	release_firmware(entry->fw);
}

static int drm_dev_ctx_do_firmware(struct drm_dev_ctx_res_entry *entry, const char *name,
				   size_t min)
{
	int ret = request_firmware(&entry->fw, name, entry->ctx->__dev);

	if (ret)
		return ret;
	if (entry->fw->size < min) {
		release_firmware(entry->fw);
		return -ENOSPC;
	}
	/* Handles of such a type cannot write: DRM_VMAP_CONST(). */
	entry->addr = (void *)entry->fw->data;
	entry->size = entry->fw->size;
	entry->unmap = drm_dev_ctx_firmware_release;
	return 0;
}

/**
 * __drm_dev_ctx_firmware() - load firmware
 * @res: the resource to fill in
 * @bound: proof that the parent is bound
 * @name: name of the file
 * @min: least size in bytes
 *
 * See drm_dev_ctx_firmware(), which drivers call.
 *
 * Context: May sleep.
 *
 * Return: 0 or a negative error code.
 */
int __drm_dev_ctx_firmware(struct drm_dev_ctx_res *res, const struct drm_dev_ctx_bound *bound,
			   const char *name, size_t min)
{
	struct drm_dev_ctx_res_entry *entry = drm_dev_ctx_res_begin(res, bound);

	if (IS_ERR(entry))
		return PTR_ERR(entry);
	return drm_dev_ctx_res_publish(res, bound, entry,
				       drm_dev_ctx_do_firmware(entry, name, min));
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_firmware);

/**
 * __drm_dev_ctx_res_release() - end a resource before the parent is unbound
 * @res: the resource
 * @bound: proof that the parent is bound
 *
 * See drm_dev_ctx_res_release(), which drivers call.
 *
 * Context: May sleep.
 */
void __drm_dev_ctx_res_release(struct drm_dev_ctx_res *res, const struct drm_dev_ctx_bound *bound)
{
	struct drm_dev_ctx_res_entry *entry = res->__entry;

	if (!READ_ONCE(res->__ctx) || !__drm_dev_ctx_res_fits(res, bound))
		return;
	WRITE_ONCE(res->__ctx, NULL);
	/* The proof keeps the parent bound, so the entry is on the list. */
	if (WARN_ON(!drm_dev_ctx_revocable_take(entry->ctx, &entry->rev)))
		return;
	drm_dev_ctx_res_end(entry);
	drm_dev_ctx_revocable_done(bound->__ctx);
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_res_release);

/**
 * __drm_dev_ctx_res_refused() - report a resource that is not lent
 * @res: the resource
 * @bound: the proof that was given for it
 *
 * Context: Any.
 */
void __drm_dev_ctx_res_refused(const struct drm_dev_ctx_res *res,
			       const struct drm_dev_ctx_bound *bound)
{
	struct drm_device *drm = drm_dev_ctx_bound_drm(bound);

	if (READ_ONCE(res->__ctx))
		drm_safe_broken(drm, "both are of one device",
				"the resource belongs to another device than the proof");
	else
		drm_safe_broken(drm, "a resource is mapped before it is used",
				"it was never mapped, or it was released");
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_res_refused);
