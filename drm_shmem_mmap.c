// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <kunit/visibility.h>
#include <linux/dma-buf.h>
#include <linux/export.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/swap.h>

#include <drm/drm_prime.h>

#include "drm_shmem_internal.h"

/**
 * DOC: mappings of userspace
 *
 * Userspace maps an object through the device, at the offset that drm_shmem_mmap_offset()
 * returns, or through a dma-buf. A mapping costs no memory until it is touched. The first
 * page fault gets the pages, and charges them to the faulting task.
 *
 * A mapping keeps the object, but not its pages. Eviction removes an object from all page
 * tables, and the next access gets it back. A purge removes it, too, and an access raises
 * SIGBUS from then on. The pages go back to the system in both cases, and also when the
 * last mapping ends. An access for which there is no memory raises SIGBUS. The end of a
 * mapping does not wait for the reservation lock: if another task holds it, the pages stay
 * until the object is evicted, purged, mapped and unmapped again, or freed.
 *
 * Each address shows the page of the object that was mapped there, also after the
 * mapping was split by munmap() or mprotect(), moved by mremap(), or inherited by
 * fork(). A write marks the page that it hits as dirty.
 *
 * mmap() of an import is forwarded to its exporter, as the core does: the mapping has the file
 * of the dma-buf and the exporter's operations. The exporter serves its faults, takes its pages
 * away, and keeps it, so the import may end first. The library does not count such a mapping,
 * calls no step for it, and takes nothing out of it when the importing device is unbound.
 * Userspace that writes through it brackets its accesses with DMA_BUF_IOCTL_SYNC of the dma-buf.
 * An exporter without mmap() refuses with -EINVAL. If an object has &drm_shmem_opts.no_mmap, or
 * its type DRM_SHMEM_NO_MMAP, mmap() returns -EPERM.
 *
 * The lock order is &mm_struct.mmap_lock before the reservation lock. The page fault
 * handler waits for the reservation lock without the mmap lock where the architecture can
 * retry, and holds a reference to the file meanwhile, which keeps the driver. It waits
 * with the mmap lock held for the first write to a page that was read, and if the fault
 * was retried already. A signal ends both waits, and the access is tried again after the
 * signal was handled.
 */

static struct drm_shmem_obj *drm_shmem_vma_obj(const struct vm_area_struct *vma)
{
	return to_drm_shmem_obj(vma->vm_private_data);
}

/*
 * The page of the object at the faulting address. A split moves vm_pgoff together with
 * the start of the VMA, and a dma-buf can be mapped from any offset, so the offset in the
 * VMA is not enough. drm_gem_prime_mmap() adds the start of the node to the vm_pgoff of a
 * dma-buf's mapping. The node stays until the object is purged, which happens under the
 * lock.
 */
static pgoff_t drm_shmem_fault_page(const struct vm_fault *vmf, struct drm_shmem_obj *obj)
	__must_hold(drm_resv)
{
	return vmf->pgoff - drm_vma_node_start(&obj->base.base.vma_node);
}

/*
 * Locks the object while the lock of the mapping is held, or returns the value for the fault
 * handler. After VM_FAULT_NOPAGE the access faults again: in user mode after the signal was
 * handled, but on UML and in the kernel at once. So this sleeps first, to let the lock holder
 * run, and makes the access of a killed task fail.
 */
static vm_fault_t drm_shmem_fault_lock_mapped(struct vm_fault *vmf, struct drm_gem_object *gem)
	__cond_acquires(0, drm_resv)
{
	if (!dma_resv_lock_interruptible(gem->resv, NULL))
		return 0;
	if (fatal_signal_pending(current))
		return VM_FAULT_SIGBUS;
	schedule_timeout_killable(1);
	return VM_FAULT_NOPAGE;
}

/*
 * Waits for the object with neither the mmap lock nor the lock of the VMA held. The VMA
 * can go away meanwhile, with its references to the object and to the file, which keeps
 * the driver.
 */
static void drm_shmem_fault_wait(struct vm_fault *vmf, struct drm_gem_object *gem)
	__must_not_hold(drm_resv)
{
	struct file *filp = get_file(vmf->vma->vm_file);

	drm_gem_object_get(gem);
	release_fault_lock(vmf);
	if (!dma_resv_lock_interruptible(gem->resv, NULL))
		dma_resv_unlock(gem->resv);
	drm_gem_object_put(gem);
	fput(filp);
}

/*
 * Locks the object, or returns the value for the fault handler. If a fault can be
 * retried, its first attempt does not wait while the mapping is locked.
 */
static vm_fault_t drm_shmem_fault_lock(struct vm_fault *vmf, struct drm_gem_object *gem)
	__cond_acquires(0, drm_resv)
{
	if (dma_resv_trylock(gem->resv))
		return 0;
	if (!fault_flag_allow_retry_first(vmf->flags))
		return drm_shmem_fault_lock_mapped(vmf, gem);
	if (!(vmf->flags & FAULT_FLAG_RETRY_NOWAIT))
		drm_shmem_fault_wait(vmf, gem);
	return VM_FAULT_RETRY;
}

/* Takes one pin, for all page table entries of userspace. */
static int drm_shmem_mmap_populate(struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	int ret = drm_shmem_check_purged(obj);

	if (ret || (obj->__flags & __DRM_SHMEM_FAULTED))
		return ret;
	ret = drm_gem_shmem_pin_locked(&obj->base);
	if (ret)
		return ret;
	WRITE_ONCE(obj->__flags, obj->__flags | __DRM_SHMEM_FAULTED);
	__drm_shmem_relist(obj);
	return 0;
}

/**
 * __drm_shmem_mmap_unpopulate() - give up the pages that userspace had mapped
 * @obj: the object
 *
 * No page table entry is left when this is called. Each page that was written to has been
 * marked dirty.
 *
 * Context: May sleep. The caller holds the reservation lock.
 */
void __drm_shmem_mmap_unpopulate(struct drm_shmem_obj *obj)
{
	if (!(obj->__flags & __DRM_SHMEM_FAULTED))
		return;
	WRITE_ONCE(obj->__flags, obj->__flags & ~__DRM_SHMEM_FAULTED);
	drm_gem_shmem_unpin_locked(&obj->base);
	__drm_shmem_relist(obj);
}
EXPORT_SYMBOL_IF_KUNIT(__drm_shmem_mmap_unpopulate);

/**
 * __drm_shmem_mmap_zap() - take the pages of an object from userspace
 * @obj: the object
 *
 * The next access faults. Finds the mappings of the device's files and of dma-bufs that
 * drm_gem_dmabuf_export() made, because these share one address_space. An object whose dma-buf has
 * the driver's own operations is never zapped, because it is neither purged nor evicted.
 *
 * Context: May sleep, also in memory reclaim. The caller holds the reservation lock.
 */
void __drm_shmem_mmap_zap(struct drm_shmem_obj *obj)
{
	struct drm_gem_object *gem = &obj->base.base;

	dma_resv_assert_held(gem->resv);
	if (obj->__flags & __DRM_SHMEM_FAULTED)
		drm_gem_unmap_userspace(gem);
	__drm_shmem_mmap_unpopulate(obj);
}

/*
 * Returns whether a page table entry of PMD size with the page at @phys would map the right
 * page at each address, and nothing outside the mapping.
 */
VISIBLE_IF_KUNIT __maybe_unused
bool drm_shmem_pmd_fits(const struct vm_fault *vmf, phys_addr_t phys)
{
	const unsigned long start = ALIGN_DOWN(vmf->address, PMD_SIZE);

	return start >= vmf->vma->vm_start && vmf->vma->vm_end - start >= PMD_SIZE &&
	       (vmf->address & ~PMD_MASK) == (phys & ~PMD_MASK);
}
EXPORT_SYMBOL_IF_KUNIT(drm_shmem_pmd_fits);

#ifdef CONFIG_ARCH_SUPPORTS_PMD_PFNMAP
/*
 * A page table entry of PMD size does not become writable through pfn_mkwrite, so this
 * records a write.
 */
static vm_fault_t drm_shmem_insert_pmd(struct vm_fault *vmf, struct page *page)
{
	const bool write = vmf->flags & FAULT_FLAG_WRITE;
	phys_addr_t phys = page_to_phys(page);
	struct folio *folio = page_folio(page);
	vm_fault_t ret;

	if (!drm_shmem_pmd_fits(vmf, phys) || !folio_test_pmd_mappable(folio))
		return VM_FAULT_FALLBACK;

	ret = vmf_insert_pfn_pmd(vmf, PHYS_PFN(phys & PMD_MASK), write);
	if (ret == VM_FAULT_NOPAGE && write)
		folio_mark_dirty(folio);
	return ret;
}
#else
static vm_fault_t drm_shmem_insert_pmd(struct vm_fault *vmf, struct page *page)
{
	return VM_FAULT_FALLBACK;
}
#endif

static vm_fault_t drm_shmem_fault_locked(struct vm_fault *vmf, unsigned int order)
	__must_hold(drm_resv)
{
	struct drm_shmem_obj *obj = drm_shmem_vma_obj(vmf->vma);
	pgoff_t nr = drm_shmem_fault_page(vmf, obj);
	struct page *page;
	vm_fault_t ret;
	int err;

	if (nr >= obj->base.base.size >> PAGE_SHIFT)
		return VM_FAULT_SIGBUS;
	/*
	 * VM_FAULT_OOM would make the access fault again forever, because the pages are
	 * allocated without waking the OOM killer.
	 */
	err = drm_shmem_mmap_populate(obj);
	if (err)
		return VM_FAULT_SIGBUS;

	page = obj->base.pages[nr];
	if (order)
		ret = drm_shmem_insert_pmd(vmf, page);
	else
		ret = vmf_insert_pfn(vmf->vma, vmf->address, page_to_pfn(page));
	if (ret == VM_FAULT_NOPAGE)
		folio_mark_accessed(page_folio(page));
	return ret;
}

VISIBLE_IF_KUNIT vm_fault_t drm_shmem_any_fault(struct vm_fault *vmf, unsigned int order)
{
	struct drm_gem_object *gem = &drm_shmem_vma_obj(vmf->vma)->base.base;
	vm_fault_t ret;

	if (order && order != PMD_ORDER)
		return VM_FAULT_FALLBACK;

	ret = drm_shmem_fault_lock(vmf, gem);
	if (ret)
		return ret;
	ret = drm_shmem_fault_locked(vmf, order);
	dma_resv_unlock(gem->resv);

	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(drm_shmem_any_fault);

static vm_fault_t drm_shmem_fault(struct vm_fault *vmf)
{
	return drm_shmem_any_fault(vmf, 0);
}

static vm_fault_t drm_shmem_mkwrite_locked(struct vm_fault *vmf, struct drm_shmem_obj *obj)
	__must_hold(drm_resv)
{
	const pgoff_t nr = drm_shmem_fault_page(vmf, obj);

	if (nr >= obj->base.base.size >> PAGE_SHIFT)
		return VM_FAULT_SIGBUS;
	/* Another task has removed the page meanwhile: the access faults again. */
	if (!(obj->__flags & __DRM_SHMEM_FAULTED))
		return VM_FAULT_NOPAGE;
	folio_mark_dirty(page_folio(obj->base.pages[nr]));
	return 0;
}

/*
 * The first write to a mapped page. The memory management does not expect VM_FAULT_RETRY
 * here, so the mapping stays locked.
 */
static vm_fault_t drm_shmem_pfn_mkwrite(struct vm_fault *vmf)
{
	struct drm_shmem_obj *obj = drm_shmem_vma_obj(vmf->vma);
	struct drm_gem_object *gem = &obj->base.base;
	vm_fault_t ret;

	file_update_time(vmf->vma->vm_file);

	ret = drm_shmem_fault_lock_mapped(vmf, gem);
	if (ret)
		return ret;
	ret = drm_shmem_mkwrite_locked(vmf, obj);
	dma_resv_unlock(gem->resv);

	return ret;
}

/* One more part of an existing mapping, which was split, moved, or inherited. */
static void drm_shmem_vm_open(struct vm_area_struct *vma)
{
	refcount_inc(&drm_shmem_vma_obj(vma)->__mmaps);
	drm_gem_vm_open(vma);
}

/*
 * Does not wait, because the end of a mapping must not fail, not even for a killed task.
 * If another task holds the lock, the pages stay until the next eviction, purge or end of
 * a mapping, or until the object is freed.
 */
static void drm_shmem_mmap_end(struct drm_shmem_obj *obj)
	__context_unsafe("a lock that is tried")
{
	struct dma_resv *resv = obj->base.base.resv;
	const bool locked = dma_resv_trylock(resv);
	/* Pairs with the release in drm_shmem_vm_close(), see mmap-last.litmus. */
	const bool last = refcount_dec_and_test(&obj->__mmaps);

	if (!locked)
		return;
	if (last)
		__drm_shmem_mmap_unpopulate(obj);
	dma_resv_unlock(resv);
}

static void drm_shmem_vm_close(struct vm_area_struct *vma)
{
	struct drm_shmem_obj *obj = drm_shmem_vma_obj(vma);

	/* Release: the core has removed the entries of the VMA, see mmap-last.litmus. */
	if (!refcount_dec_not_one(&obj->__mmaps))
		drm_shmem_mmap_end(obj);
	drm_gem_vm_close(vma);
}

/* &drm_gem_object_funcs.vm_ops of the library's types */
const struct vm_operations_struct __drm_shmem_vm_ops = {
	.fault = drm_shmem_fault,
#ifdef CONFIG_ARCH_SUPPORTS_PMD_PFNMAP
	.huge_fault = drm_shmem_any_fault,
#endif
	.open = drm_shmem_vm_open,
	.close = drm_shmem_vm_close,
	.pfn_mkwrite = drm_shmem_pfn_mkwrite,
};
EXPORT_SYMBOL_GPL(__drm_shmem_vm_ops);

static int drm_shmem_check_mmap(const struct drm_shmem_obj *obj)
{
	if (READ_ONCE(obj->__flags) & __DRM_SHMEM_NO_MMAP)
		return -EPERM;
	if (drm_gem_is_imported(&obj->base.base))
		return 0;
	/*
	 * Faults of such an object could not be served, and the kernel repeats a fault that lacks
	 * memory.
	 */
	return drm_shmem_check_large(obj);
}

static int drm_shmem_mmap_begin(struct drm_shmem_obj *obj)
{
	struct drm_gem_object *gem = &obj->base.base;
	int ret;

	ret = drm_gem_resv_lock_call(gem, DRM_RESV_LOCKS_KILLABLE);
	if (ret)
		return ret;
	ret = drm_shmem_check_purged(obj);
	/* Without an offset, the mapping could not be found again. */
	if (!ret && !drm_gem_has_mmap_offset(gem))
		ret = -EINVAL;
	if (!ret && !refcount_inc_not_zero(&obj->__mmaps))
		refcount_set(&obj->__mmaps, 1);
	drm_gem_resv_unlock(gem, false);

	return ret;
}

/* Returns whether writes go to copies of the pages. The kernel's name for this has changed. */
static bool drm_shmem_mmap_is_private(const struct vm_area_struct *vma)
{
	return (vma->vm_flags & (VM_SHARED | VM_MAYWRITE)) == VM_MAYWRITE;
}

/*
 * Not gem->dma_buf, as the core has it: that is put with the last handle, which another task may
 * close.
 */
static int drm_shmem_mmap_import(struct drm_gem_object *gem, struct vm_area_struct *vma)
{
	int ret;

	/* An exporter that does not set these must not find the library's. */
	vma->vm_private_data = NULL;
	vma->vm_ops = NULL;
	ret = dma_buf_mmap(gem->import_attach->dmabuf, vma, 0);
	if (ret)
		return ret;

	/* The core warns without it, also of an exporter's mapping. */
	vm_flags_set(vma, VM_DONTEXPAND);
	/* The core's reference is for vm_close(), which is the exporter's. */
	drm_gem_object_put(gem);
	return 0;
}

/* The last thing that can fail, so it needs no step that undoes it. */
static int drm_shmem_step_mmap(struct drm_shmem_obj *obj, const struct vm_area_struct *vma)
{
	const struct drm_shmem_obj_type *type = drm_shmem_obj_type(obj);
	int ret = type->mmap ? type->mmap(obj, vma) : 0;

	if (ret > 0) {
		drm_safe_broken(obj->base.base.dev, "an mmap step returns an error or 0",
				"it returned a positive number, which mmap() would not take for an error");
		ret = -EINVAL;
	}
	if (ret)
		drm_shmem_mmap_end(obj);
	return ret;
}

static int drm_shmem_mmap_own(struct drm_shmem_obj *obj, struct vm_area_struct *vma)
{
	int ret = drm_shmem_mmap_is_private(vma) ? -EINVAL : drm_shmem_mmap_begin(obj);

	if (ret)
		return ret;

	vm_flags_set(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_page_prot = vm_get_page_prot(vma->vm_flags);
	if (obj->base.map_wc)
		vma->vm_page_prot = pgprot_writecombine(vma->vm_page_prot);
	return drm_shmem_step_mmap(obj, vma);
}

/**
 * drm_shmem_funcs_mmap() - &drm_gem_object_funcs.mmap
 * @gem: the object
 * @vma: where it is mapped
 *
 * Context: May sleep. Takes the reservation lock, except for imports.
 *
 * Return: 0; -EINVAL for private mappings, for a dma-buf that was not made by the export step, and
 * for an import whose exporter has no mmap(); -EPERM if userspace cannot map the object; -ENODATA
 * if it was purged; -ENOMEM if it is larger than memory; -EINTR if the task was killed while
 * it waited for the lock; or what the type's mmap step, or the exporter of an import, returned.
 */
int drm_shmem_funcs_mmap(struct drm_gem_object *gem, struct vm_area_struct *vma)
{
	struct drm_shmem_obj *obj = to_drm_shmem_obj(gem);
	int ret = drm_shmem_check_mmap(obj);

	if (ret)
		return ret;
	return drm_gem_is_imported(gem) ? drm_shmem_mmap_import(gem, vma) :
					  drm_shmem_mmap_own(obj, vma);
}
EXPORT_SYMBOL_GPL(drm_shmem_funcs_mmap);
