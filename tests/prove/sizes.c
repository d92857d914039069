// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Proofs, for pages of each size: sizes of objects, and the page at which userspace faults.
 */

#include "sizes.h"
#include "extracted-sizes.h"

/* Only the index of the page matters, not its contents. */
// cbmc: --no-pointer-check
static void any_pages(void)
{
	prove_page_shift = nondet_uint();
	assume(prove_page_shift >= 12 && prove_page_shift <= 18);
}

/* The next whole page, or 0 if that is more than an object can have. */
// plant 32: s/overflows_type\(size, size_t\)/false/
// plant 32: s/PAGE_ALIGN\(size\)/PAGE_ALIGN((size_t)size)/
// plant: s/PAGE_ALIGN\(size\)/ALIGN_DOWN(size, PAGE_SIZE)/
// plant: s/PAGE_ALIGN\(size\)/PAGE_ALIGN(size + 1)/
void prove_page_align(void)
{
	u64 size = nondet_u64();
	size_t aligned;
	u128 whole;

	any_pages();
	aligned = drm_shmem_page_align(size);
	whole = ((u128)size + PAGE_SIZE - 1) / PAGE_SIZE * PAGE_SIZE;
	assert(aligned == (whole <= (size_t)-1 ? whole : 0));
}

/* Any fault in a mapping of userspace is in a page of the object, or is refused. */
// plant: s/if \(nr >= obj->base.base.size >> PAGE_SHIFT\)/if (nr > obj->base.base.size >> PAGE_SHIFT)/
// plant: s/if \(nr >= obj->base.base.size >> PAGE_SHIFT\)/if (nr << PAGE_SHIFT >= obj->base.base.size)/
// plant: s/vmf->pgoff - drm_vma_node_start/vmf->pgoff + drm_vma_node_start/
void prove_fault(void)
{
	struct drm_shmem_obj obj = { .__flags = nondet_uint() };
	struct vm_area_struct vma = { .vm_private_data = &obj };
	struct vm_fault vmf = { .vma = &vma, .pgoff = nondet_size() };
	size_t start = nondet_size();
	unsigned int ret;

	any_pages();
	obj.base.base.size = nondet_size();
	assume(obj.base.base.size % PAGE_SIZE == 0);
	obj.base.base.vma_node.start = start;
	prove_first = start;
	prove_pages = obj.base.base.size >> PAGE_SHIFT;
	/* The object's pages are where userspace sees them, and no more. */
	assume((u128)start + prove_pages <= (size_t)-1);
	prove_pgoff = vmf.pgoff;
	if (nondet_bool())
		ret = drm_shmem_fault_locked(&vmf, 0);
	else
		ret = drm_shmem_mkwrite_locked(&vmf, &obj);
	if (vmf.pgoff < start || vmf.pgoff - start >= prove_pages)
		assert(ret == VM_FAULT_SIGBUS);
}

/* An entry of PMD size is in the VMA, and shows the page at each address. */
// plant: s/start >= vmf->vma->vm_start/start + PMD_SIZE > vmf->vma->vm_start/
// plant: s/vm_end - start >= PMD_SIZE/vm_end >= start/
// plant: s/ == \(phys \& ~PMD_MASK\)/ >= (phys \& ~PMD_MASK)/
void prove_pmd(void)
{
	struct vm_area_struct vma = { .vm_start = nondet_size(), .vm_end = nondet_size() };
	struct vm_fault vmf = { .vma = &vma, .address = nondet_size() };
	u64 phys = nondet_u64();
	u128 start;

	any_pages();
	assume(vma.vm_start < vma.vm_end);
	assume(vmf.address >= vma.vm_start && vmf.address < vma.vm_end);
	if (!drm_shmem_pmd_fits(&vmf, phys))
		return;
	start = vmf.address - vmf.address % PMD_SIZE;
	assert(start >= vma.vm_start && start + PMD_SIZE <= vma.vm_end);
	assert(phys % PMD_SIZE == vmf.address - start);
}
