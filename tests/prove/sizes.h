/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Stubs for sizes of objects and faults, in addition to kernel.h */
#ifndef _PROVE_SIZES_H
#define _PROVE_SIZES_H

#include "kernel.h"

typedef uintptr_t pgoff_t;
typedef u64 phys_addr_t;
typedef unsigned int vm_fault_t;

/* Pages of 4 KiB to 256 KiB, and entries of the level above for as many as fit in one */
static unsigned int prove_page_shift;
#define PAGE_SHIFT		prove_page_shift
#define PAGE_SIZE		((uintptr_t)1 << PAGE_SHIFT)
#define PMD_SIZE		((uintptr_t)1 << (PAGE_SHIFT + (sizeof(void *) == 8 ? PAGE_SHIFT - 3 : 9)))
#define PMD_MASK		(~(PMD_SIZE - 1))
#define ALIGN_DOWN(_x, _a)	((_x) & ~((typeof(_x))(_a) - 1))
#define ALIGN(_x, _a)		ALIGN_DOWN((_x) + ((typeof(_x))(_a) - 1), _a)
#define PAGE_ALIGN(_x)		ALIGN(_x, PAGE_SIZE)
#define overflows_type(_x, _t)	((u128)(_x) > (_t)-1)

#define VM_FAULT_SIGBUS		2
#define VM_FAULT_NOPAGE		256
#define __must_hold(_lock)

struct page;

struct drm_shmem_obj {
	struct {
		struct drm_gem_object base;
		struct page **pages;
	} base;
	u8 __flags;
};

struct vm_area_struct {
	uintptr_t vm_start, vm_end;
	void *vm_private_data;
};

struct vm_fault {
	struct vm_area_struct *vma;
	uintptr_t address, pgoff;
};

#define __DRM_SHMEM_FAULTED	1

/* The first page of the object in the file, how many it has, and where userspace faulted */
static size_t prove_first, prove_pages, prove_pgoff;

static inline struct drm_shmem_obj *drm_shmem_vma_obj(struct vm_area_struct *vma)
{
	return vma->vm_private_data;
}

static inline uintptr_t drm_vma_node_start(const struct drm_vma_node *node)
{
	return node->start;
}

/* The pages are there, and the fault is in one of them. */
static inline int drm_shmem_mmap_populate(struct drm_shmem_obj *obj)
{
	assert(prove_pgoff >= prove_first && prove_pgoff - prove_first < prove_pages);
	return nondet_bool() ? -ENOMEM : 0;
}

#define page_to_pfn(_page)		0
#define page_folio(_page)		0
#define folio_mark_accessed(_folio)
#define folio_mark_dirty(_folio)						\
	assert(prove_pgoff >= prove_first && prove_pgoff - prove_first < prove_pages)
#define vmf_insert_pfn(_vma, _at, _pfn)	(nondet_bool() ? VM_FAULT_NOPAGE : VM_FAULT_SIGBUS)
#define drm_shmem_insert_pmd(_vmf, _page)	VM_FAULT_SIGBUS

#endif /* _PROVE_SIZES_H */
