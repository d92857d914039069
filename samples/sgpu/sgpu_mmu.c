// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Changes of the page table, in the fence signalling path.
 */

#include "drm_safe_signalling.h"

#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "sgpu_fault.h"
#include "sgpu_pt.h"

#ifdef DRM_SAFE_CHECK_EFFECTS
/* For clang's function effects: the kernel's iterator allocates nothing. */
void __sg_page_iter_start(struct sg_page_iter *piter, struct scatterlist *sglist,
			  unsigned int nents, unsigned long pgoffset) __drm_nonallocating;
bool __sg_page_iter_dma_next(struct sg_dma_page_iter *dma_iter) __drm_nonallocating;
#endif

/* Returns the leaf of a region that changes only in part. A sparse region gets sparse entries. */
static struct sgpu_leaf *sgpu_leaf_split(struct sgpu_mid *mid, unsigned int i)
{
	struct sgpu_leaf *leaf = mid->leaf[i];

	if (__test_and_clear_bit(i, mid->sparse))
		memset64(leaf->pte, SGPU_PTE_SPARSE, SGPU_TABLE_SIZE);
	return leaf;
}

/* Makes [va, va + size) sparse or empty. All its tables were prepared. */
static void sgpu_mmu_set(struct sgpu_mmu *mmu, u64 va, u64 size, bool sparse)
	__drm_nonallocating
{
	struct sgpu_leaf *leaf;
	struct sgpu_mid *mid;
	unsigned int i;
	u64 part;

	for (; size; va += part, size -= part) {
		drm_safe_trusted(cond_resched());
		part = sgpu_leaf_part(va, size);
		i = sgpu_leaf_index(va);
		mid = mmu->mid[sgpu_mid_index(va)];
		if (part == SGPU_LEAF_SPAN) {
			__assign_bit(i, mid->sparse, sparse);
			leaf = READ_ONCE(mid->leaf[i]);
			if (leaf)
				memset64(leaf->pte, 0, SGPU_TABLE_SIZE);
		} else {
			leaf = sgpu_leaf_split(mid, i);
			memset64(leaf->pte + sgpu_pte_index(va),
				 sparse ? SGPU_PTE_SPARSE : 0,
				 part >> PAGE_SHIFT);
		}
	}
}

/* The last mark of @index at or before @page: the first is at page 0. */
static unsigned int sgpu_sg_index_find(const struct sgpu_sg_index *index,
				       unsigned long page)
{
	unsigned int low = 0, high = index->count, mid;

	while (high - low > 1) {
		mid = low + (high - low) / 2;
		if (index->at[mid].page <= page)
			low = mid;
		else
			high = mid;
	}
	return low;
}

/* The entry at which a walk of @sgt begins: its start, or a mark of @index. */
static void sgpu_sg_start(struct sg_dma_page_iter *iter, const struct sg_table *sgt,
			  const struct sgpu_sg_index *index, unsigned long page)
{
	struct scatterlist *sg = sgt->sgl;
	unsigned int i, nents = sgt->nents;

	if (index && index->count) {
		i = sgpu_sg_index_find(index, page);
		sg = index->at[i].sg;
		nents -= i * SGPU_SG_STEP;
		page -= index->at[i].page;
	}
	__sg_page_iter_start(&iter->base, sg, nents, page);
}

/*
 * Maps the part of @sgt that starts at @offset bytes, or changes nothing. @index is the index
 * of @sgt, or NULL.
 */
int sgpu_mmu_map(struct sgpu_mmu *mmu, u64 va, u64 size,
		 const struct sg_table *sgt, const struct sgpu_sg_index *index,
		 u64 offset, bool write)
{
	u64 flags = SGPU_PTE_VALID | (write ? SGPU_PTE_WRITE : 0);
	u64 end = va + size;
	struct sg_dma_page_iter iter;
	struct sgpu_leaf *leaf;

	if (sgpu_fault_due(SGPU_FAIL_MAP))
		return -EIO;
	sgpu_fault_hold(SGPU_HOLD_MAP);

	guard(mutex)(&mmu->lock);
	sgpu_sg_start(&iter, sgt, index, offset >> PAGE_SHIFT);
	while (va != end && __sg_page_iter_dma_next(&iter)) {
		drm_safe_trusted(cond_resched());
		leaf = sgpu_leaf_split(mmu->mid[sgpu_mid_index(va)],
				       sgpu_leaf_index(va));
		leaf->pte[sgpu_pte_index(va)] =
			sg_page_iter_dma_address(&iter) | flags;
		va += PAGE_SIZE;
	}
	return 0;
}

void sgpu_mmu_unmap(struct sgpu_mmu *mmu, u64 va, u64 size)
{
	guard(mutex)(&mmu->lock);
	sgpu_mmu_set(mmu, va, size, false);
}

/* The same for the evict step, which had to take the lock with a trylock */
void sgpu_mmu_unmap_locked(struct sgpu_mmu *mmu, u64 va, u64 size)
{
	lockdep_assert_held(&mmu->lock);
	sgpu_mmu_set(mmu, va, size, false);
}

void sgpu_mmu_map_sparse(struct sgpu_mmu *mmu, u64 va, u64 size)
{
	guard(mutex)(&mmu->lock);
	sgpu_mmu_set(mmu, va, size, true);
}

/* Returns the entry for @va, or 0 if nothing is mapped there. The caller holds the lock. */
u64 sgpu_mmu_walk(struct sgpu_mmu *mmu, u64 va)
{
	unsigned int i = sgpu_leaf_index(va);
	struct sgpu_leaf *leaf;
	struct sgpu_mid *mid;

	lockdep_assert_held(&mmu->lock);
	if (va >= SGPU_VA_END)
		return 0;
	mid = READ_ONCE(mmu->mid[sgpu_mid_index(va)]);
	if (!mid)
		return 0;
	if (test_bit(i, mid->sparse))
		return SGPU_PTE_SPARSE;
	leaf = READ_ONCE(mid->leaf[i]);
	return leaf ? leaf->pte[sgpu_pte_index(va)] : 0;
}
