/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A driver's own resources: registers, coherent memory and firmware. They are mapped while the
 * parent of a device is bound, and each access needs the proof that the parent is bound.
 */
#ifndef _DRM_DEV_CTX_RES_H
#define _DRM_DEV_CTX_RES_H

#include <linux/dma-mapping.h>

#include "drm_dev_ctx.h"
#include "drm_shmem_vmap.h"

struct drm_dev_ctx_res_entry;
struct resource;

/**
 * struct drm_dev_ctx_res - content of every resource
 *
 * Invariants:
 *
 * - If @__ctx is NULL, the other members mean nothing. Otherwise @__entry is on the list of
 *   entries that are revoked when the parent of @__ctx is unbound, or was revoked then. Until
 *   that revocation, @__addr and @__size describe the mapping of @__entry, which has at least
 *   the minimum size of the resource's type. @__addr is an __iomem address if and only if the
 *   type is for I/O memory.
 * - After the parent was unbound, no proof with @__ctx exists, so no access can follow.
 */
struct drm_dev_ctx_res {
	/* private: */
	struct drm_dev_ctx *__ctx;
	void *__addr;
	size_t __size;
	dma_addr_t __dma;
	struct drm_dev_ctx_res_entry *__entry;
};

/*
 * Marks the member that accessors of mappings ask for. An accessor that is given a resource fails
 * with the message. gcc before 12 lacks the attribute, and says that the pointer is incompatible.
 */
#if __has_attribute(__unavailable__)
#define __drm_dev_ctx_res_no_access						\
	__attribute__((__unavailable__(						\
		"access a resource through the handle that drm_dev_ctx_res_or() declares")))
#else
#define __drm_dev_ctx_res_no_access
#endif

/**
 * DRM_DEV_CTX_RES() - members of a resource of a driver
 * @_type: type of the mapping handle for accesses, such as ``struct foo_regs``, with
 *	DRM_VMAP_IOMEM() for registers, DRM_VMAP() for coherent memory and DRM_VMAP_CONST() for
 *	firmware
 *
 * The driver defines a structure with these members only:
 *
 * .. code-block:: c
 *
 *	struct foo_regs {
 *		DRM_VMAP_IOMEM(SZ_64K);
 *	};
 *
 *	struct foo_regs_res {
 *		DRM_DEV_CTX_RES(struct foo_regs);
 *	};
 *
 *	struct foo_hw {
 *		struct drm_dev_ctx_data base;
 *		struct foo_regs_res regs;
 *	};
 *
 *	static int foo_map(struct foo_hw *hw, const struct drm_dev_ctx_bound *bound,
 *			   struct platform_device *pdev)
 *	{
 *		return drm_dev_ctx_ioremap(&hw->regs, bound,
 *					   platform_get_resource(pdev, IORESOURCE_MEM, 0));
 *	}
 *
 *	static irqreturn_t foo_irq(struct foo_hw *hw, const struct drm_dev_ctx_bound *bound)
 *	{
 *		drm_dev_ctx_res_or(regs, &hw->regs, bound, return IRQ_NONE);
 *		drm_vmap_write32(regs, FOO_IRQ_CLEAR, drm_vmap_read32(regs, FOO_IRQ_STATUS));
 *		return IRQ_HANDLED;
 *	}
 *
 * The structure belongs in the registration data or in the driver's device struct, and must be
 * zeroed at first. The driver may free it at any time, because the library keeps a separate record
 * for unmapping. No cleanup call is needed: at unbind, after the registration has ended, the
 * library unmaps all resources of the device, including those that were mapped after the
 * registration began.
 */
#define DRM_DEV_CTX_RES(_type)							\
	union {									\
		/* private: */							\
		struct drm_dev_ctx_res __only_resources_are_mapped;		\
		_type *__only_resources_are_lent[0];				\
		struct drm_vmap __map[0] __drm_dev_ctx_res_no_access;		\
		u8 __min_size[0][__drm_vmap_min((_type *)0)];			\
		u8 __kind[0][__drm_vmap_kind((_type *)0)];			\
		u8 __align[0][__drm_vmap_align((_type *)0)];			\
	};									\
	__DRM_SAFE_NO_ASSIGN

int __drm_dev_ctx_ioremap(struct drm_dev_ctx_res *res, const struct drm_dev_ctx_bound *bound,
			  const struct resource *where, size_t min, bool wc) __must_check;
int __drm_dev_ctx_dma_alloc(struct drm_dev_ctx_res *res, const struct drm_dev_ctx_bound *bound,
			    u64 size, size_t min, bool wc) __must_check;
int __drm_dev_ctx_firmware(struct drm_dev_ctx_res *res, const struct drm_dev_ctx_bound *bound,
			   const char *name, size_t min) __must_check;
void __drm_dev_ctx_res_release(struct drm_dev_ctx_res *res, const struct drm_dev_ctx_bound *bound);
void __cold __drm_dev_ctx_res_refused(const struct drm_dev_ctx_res *res,
				      const struct drm_dev_ctx_bound *bound) __drm_nonallocating;

/*
 * The base of a resource. Its type carries the minimum size and the kind of memory of the handle
 * that lends it.
 */
#define __drm_dev_ctx_res(_res)		(&(_res)->__only_resources_are_mapped)
#define __drm_dev_ctx_res_min(_res)						\
	(__drm_vmap_min((_res)->__only_resources_are_lent[0]) +		\
	 BUILD_BUG_ON_ZERO(sizeof(*(_res)) != sizeof(struct drm_dev_ctx_res),	\
			   "a resource has the members of DRM_DEV_CTX_RES() only"))
#define __drm_dev_ctx_res_kind(_res)	__drm_vmap_kind((_res)->__only_resources_are_lent[0])

/**
 * drm_dev_ctx_ioremap() - map registers, or other I/O memory
 * @_res: the resource to fill in, of a type with DRM_VMAP_IOMEM(); zeroed or released
 * @_bound: proof that the parent of the device is bound
 * @_where: the &struct resource, for example from platform_get_resource() or
 *	pci_resource_n(); NULL gives -EINVAL
 *
 * Requests the region and maps all of it, uncached, or with non-posted writes if its flags ask
 * for them. This works at any time while the parent is bound. The region stays mapped until the
 * parent is unbound. It outlives the registration even if it is mapped after the registration
 * began, unlike a region that devm_ioremap_resource() maps.
 *
 * Context: May sleep.
 *
 * Return: 0; -EINVAL if @_where is not memory; -ENOSPC if it is smaller than the type, or larger
 * than a size_t can hold; -EBUSY if the region is taken, or, with a report, if the resource is
 * mapped already; -ENOMEM; or, with a report, -ENODEV if the parent is unbound, or -EINVAL if the
 * DMA device was changed.
 */
#define drm_dev_ctx_ioremap(_res, _bound, _where)				\
	__drm_dev_ctx_ioremap_as(_res, _bound, _where, false)

/**
 * drm_dev_ctx_ioremap_wc() - the same, write-combined
 * @_res: the resource to fill in
 * @_bound: proof that the parent of the device is bound
 * @_where: the &struct resource
 *
 * For video memory and doorbells.
 *
 * Context: May sleep.
 *
 * Return: as drm_dev_ctx_ioremap().
 */
#define drm_dev_ctx_ioremap_wc(_res, _bound, _where)				\
	__drm_dev_ctx_ioremap_as(_res, _bound, _where, true)

#define __drm_dev_ctx_ioremap_as(_res, _bound, _where, _wc) ({			\
	static_assert(__drm_dev_ctx_res_kind(_res) == __DRM_VMAP_KIND_IOMEM,	\
		      "I/O memory is accessed through a handle with DRM_VMAP_IOMEM()"); \
	__drm_dev_ctx_ioremap(__drm_dev_ctx_res(_res), __drm_dev_ctx_proven(_bound), _where,	\
			      __drm_dev_ctx_res_min(_res), _wc);		\
})

/**
 * drm_dev_ctx_dma_alloc() - allocate coherent memory
 * @_res: the resource to fill in, of a type with DRM_VMAP(); zeroed or released
 * @_bound: proof that the parent of the device is bound
 * @_size: size in bytes, at least the minimum of the type
 *
 * Allocates zeroed memory for the DMA device of the DRM device, with dma_alloc_coherent().
 *
 * Context: May sleep.
 *
 * Return: 0; -ENOSPC if @_size is smaller than the type, or larger than a size_t can hold; -ENOMEM;
 * or, with a report, -EBUSY if the resource is mapped already, -EINVAL if the DMA device was
 * changed after the registration, the first sg table or the first coherent memory, or -ENODEV if
 * the parent is unbound. The first sg table or coherent memory of a device may also fail with an
 * error of the device link to the DMA device: -EINVAL, -ENODEV or -EPROBE_DEFER, as for the parent
 * in drm_dev_ctx_alloc_parent(), with a line in the log.
 */
#define drm_dev_ctx_dma_alloc(_res, _bound, _size)				\
	__drm_dev_ctx_dma_alloc_as(_res, _bound, _size, false)

/**
 * drm_dev_ctx_dma_alloc_wc() - the same, write-combined
 * @_res: the resource to fill in
 * @_bound: proof that the parent of the device is bound
 * @_size: size in bytes
 *
 * With dma_alloc_wc(), which suits memory that the CPU writes and does not read, like a page table.
 *
 * Context: May sleep.
 *
 * Return: as drm_dev_ctx_dma_alloc().
 */
#define drm_dev_ctx_dma_alloc_wc(_res, _bound, _size)				\
	__drm_dev_ctx_dma_alloc_as(_res, _bound, _size, true)

#define __drm_dev_ctx_dma_alloc_as(_res, _bound, _size, _wc) ({			\
	static_assert(__drm_dev_ctx_res_kind(_res) == __DRM_VMAP_KIND_SYSMEM,	\
		      "coherent memory is accessed through a handle with DRM_VMAP()"); \
	__drm_dev_ctx_dma_alloc(__drm_dev_ctx_res(_res), __drm_dev_ctx_proven(_bound), _size, \
				__drm_dev_ctx_res_min(_res), _wc);		\
})

/**
 * drm_dev_ctx_firmware() - load firmware
 * @_res: the resource to fill in, of a type with DRM_VMAP_CONST(); zeroed or released
 * @_bound: proof that the parent of the device is bound
 * @_name: name of the file, as for request_firmware()
 *
 * Context: May sleep for a long time.
 *
 * Return: 0; -ENOSPC if the file is smaller than the type; with a report, -EBUSY if the resource is
 * in use, -ENODEV if the parent is unbound, or -EINVAL if the DMA device was changed; or an error
 * of request_firmware().
 */
#define drm_dev_ctx_firmware(_res, _bound, _name) ({				\
	static_assert(__drm_dev_ctx_res_kind(_res) == __DRM_VMAP_KIND_CONST,	\
		      "firmware is accessed through a handle with DRM_VMAP_CONST()"); \
	__drm_dev_ctx_firmware(__drm_dev_ctx_res(_res), __drm_dev_ctx_proven(_bound), _name, \
			       __drm_dev_ctx_res_min(_res));			\
})

/**
 * drm_dev_ctx_res_release() - end a resource before the parent is unbound
 * @_res: the resource, which may be empty and is so afterwards
 * @_bound: proof that the parent of its device is bound
 *
 * The caller makes sure that nothing accesses the resource now or later. The cost does
 * not depend on the number of resources. A resource of another device is reported, and
 * stays.
 *
 * Context: May sleep.
 */
#define drm_dev_ctx_res_release(_res, _bound)					\
	__drm_dev_ctx_res_release(__drm_dev_ctx_res(_res), __drm_dev_ctx_proven(_bound))

/* One comparison rejects both an empty resource and a resource of another device. */
static __always_inline bool
__drm_dev_ctx_res_fits(const struct drm_dev_ctx_res *res, const struct drm_dev_ctx_bound *bound)
{
	/*
	 * Another task may be mapping the resource. Acquire: pairs with the release in
	 * drm_dev_ctx_res_publish(), see res-publish.litmus.
	 */
	if (likely(smp_load_acquire(&res->__ctx) == __drm_dev_ctx_proven(bound)->__ctx))
		return true;
	__drm_dev_ctx_res_refused(res, bound);
	return false;
}

static __always_inline struct drm_vmap
__drm_dev_ctx_res_lend(const struct drm_dev_ctx_res *res, const struct drm_dev_ctx_bound *bound,
		       unsigned int kind)
{
	struct drm_vmap m = {};

	if (!__drm_dev_ctx_res_fits(res, bound))
		return m;
	m.addr = res->__addr;
	m.size = res->__size;
	m.flags = kind == __DRM_VMAP_KIND_IOMEM ? __DRM_VMAP_FLAG_IOMEM : 0;
	/* First invariant of struct drm_dev_ctx_res */
	if (!m.addr)
		__builtin_unreachable();
	return m;
}

/**
 * drm_dev_ctx_res_or() - access a resource to the end of the scope
 * @_r: name of the handle from here on, a mapping
 * @_res: the resource
 * @_bound: proof that the parent of its device is bound
 * @...: statement that leaves the scope if nothing is mapped, such as ``return -ENODEV``
 *
 * Declares a mapping handle of the type that DRM_DEV_CTX_RES() was given. The handle lives on the
 * stack, so drm_vmap_read32(), drm_vmap_write32() and their siblings need neither a check nor a
 * load. A resource that was never mapped, or that belongs to another device, is reported. Does
 * not compile if a goto or a case label jumps past this statement into its scope.
 *
 * Context: Any.
 */
#define drm_dev_ctx_res_or(_r, _res, _bound, ...)				\
	const typeof(*(_res)->__only_resources_are_lent[0]) _r[1] __maybe_unused = { { \
		.__only_borrowed_handles_are_made_local =			\
			__drm_dev_ctx_res_lend(__drm_dev_ctx_res(_res), _bound,	\
					       __drm_dev_ctx_res_kind(_res))	\
	} };									\
										\
	if (unlikely(!_r->__map.addr)) {					\
		__VA_ARGS__;							\
		__drm_safe_must_leave();					\
	}									\
	__drm_safe_no_jump(_r, _r)

static __always_inline dma_addr_t
__drm_dev_ctx_res_dma(const struct drm_dev_ctx_res *res, const struct drm_dev_ctx_bound *bound)
{
	return __drm_dev_ctx_res_fits(res, bound) ? res->__dma : DMA_MAPPING_ERROR;
}

/**
 * drm_dev_ctx_res_dma() - the DMA address of coherent memory
 * @_res: the resource, which drm_dev_ctx_dma_alloc() filled in
 * @_bound: proof that the parent of its device is bound
 *
 * Context: Any.
 *
 * Return: the address, for the DMA device; DMA_MAPPING_ERROR if nothing was allocated or the
 * resource belongs to another device, which are reported.
 */
#define drm_dev_ctx_res_dma(_res, _bound) ({					\
	static_assert(__drm_dev_ctx_res_kind(_res) == __DRM_VMAP_KIND_SYSMEM,	\
		      "this resource has no DMA address");			\
	__drm_dev_ctx_res_dma(__drm_dev_ctx_res(_res), _bound);			\
})

#endif /* _DRM_DEV_CTX_RES_H */
