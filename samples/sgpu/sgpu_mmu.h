/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _SGPU_MMU_H
#define _SGPU_MMU_H

#include <linux/bits.h>
#include <linux/mutex.h>
#include <linux/sizes.h>
#include <linux/types.h>

#include "drm_safe_effects.h"

struct scatterlist;
struct sg_table;
struct sgpu_mid;

#define SGPU_TABLE_BITS		9
#define SGPU_TABLE_SIZE		BIT(SGPU_TABLE_BITS)

/* The address space ends with the page table; its first MiB stays empty. */
#define SGPU_VA_START		((u64)SZ_1M)
#define SGPU_VA_END		BIT_ULL(PAGE_SHIFT + 3 * SGPU_TABLE_BITS)

/* Flags in the low bits of a page table entry, which also has a DMA address */
#define SGPU_PTE_VALID		BIT_ULL(0)
#define SGPU_PTE_WRITE		BIT_ULL(1)
#define SGPU_PTE_SPARSE		BIT_ULL(2)
#define SGPU_PTE_ADDR		(~(u64)(PAGE_SIZE - 1))

/*
 * struct sgpu_mmu - page table of an address space, which the GPU walks
 *
 * Invariants:
 *
 * - Tables are added by sgpu_mmu_prepare() and stay until sgpu_mmu_fini().
 * - Entries are read and written under @lock, which is taken in the fence signalling path, so
 *   no memory is allocated under it. The GPU holds it for each access, so the page is not
 *   unmapped during the access. A driver for a real GPU flushes the TLB for this.
 */
struct sgpu_mmu {
	struct mutex lock;	/* see above */
	struct sgpu_mid *mid[SGPU_TABLE_SIZE];
};

/*
 * struct sgpu_sg_index - finds an offset in an sg table without a walk from its start
 *
 * Invariant: @at has each SGPU_SG_STEP-th entry of the table, in order, with the first page of
 * the entry in the buffer. It is valid for as long as the table is.
 */
struct sgpu_sg_index {
	unsigned int count;
	struct sgpu_sg_mark {
		struct scatterlist *sg;
		unsigned long page;
	} at[] __counted_by(count);
};

#define SGPU_SG_STEP	32

void sgpu_mmu_init(struct sgpu_mmu *mmu);
void sgpu_mmu_fini(struct sgpu_mmu *mmu);
int sgpu_mmu_prepare(struct sgpu_mmu *mmu, u64 va, u64 size, bool pages);
struct sgpu_sg_index *sgpu_sg_index_create(const struct sg_table *sgt);
int sgpu_mmu_map(struct sgpu_mmu *mmu, u64 va, u64 size,
		 const struct sg_table *sgt, const struct sgpu_sg_index *index,
		 u64 offset, bool write) __drm_nonallocating;
void sgpu_mmu_unmap(struct sgpu_mmu *mmu, u64 va, u64 size) __drm_nonallocating;
void sgpu_mmu_unmap_locked(struct sgpu_mmu *mmu, u64 va, u64 size) __drm_nonallocating;
void sgpu_mmu_map_sparse(struct sgpu_mmu *mmu, u64 va, u64 size) __drm_nonallocating;
u64 sgpu_mmu_walk(struct sgpu_mmu *mmu, u64 va);

#endif /* _SGPU_MMU_H */
