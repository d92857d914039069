// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The page table of the software GPU: three levels of 512 entries.
 *
 * A real GPU's driver writes the same things to memory that the GPU reads.
 * Two rules come from updates being made in the fence signalling path: all
 * tables that an update can need are there before it starts, and a sparse
 * range costs one bit for each region that a last-level table would cover.
 */

#include <linux/bitmap.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "sgpu_fault.h"
#include "sgpu_mmu.h"

/* For clang's function effects: the kernel's iterator allocates nothing. */
void __sg_page_iter_start(struct sg_page_iter *piter, struct scatterlist *sglist,
			  unsigned int nents, unsigned long pgoffset) __drm_nonallocating;
bool __sg_page_iter_dma_next(struct sg_dma_page_iter *dma_iter) __drm_nonallocating;

/* Bytes of address space that one table of the level covers */
#define SGPU_LEAF_SHIFT		(PAGE_SHIFT + SGPU_TABLE_BITS)
#define SGPU_LEAF_SPAN		BIT_ULL(SGPU_LEAF_SHIFT)
#define SGPU_MID_SHIFT		(SGPU_LEAF_SHIFT + SGPU_TABLE_BITS)
#define SGPU_MID_SPAN		BIT_ULL(SGPU_MID_SHIFT)

struct sgpu_leaf {
	u64 pte[SGPU_TABLE_SIZE];
};

/*
 * Invariant: where a bit in @sparse is set, the whole region is sparse and
 * the entries of its leaf, if there is one, are 0.
 */
struct sgpu_mid {
	struct sgpu_leaf *leaf[SGPU_TABLE_SIZE];
	DECLARE_BITMAP(sparse, SGPU_TABLE_SIZE);
};

static unsigned int sgpu_mid_index(u64 va)
{
	return va >> SGPU_MID_SHIFT;
}

static unsigned int sgpu_leaf_index(u64 va)
{
	return (va >> SGPU_LEAF_SHIFT) % SGPU_TABLE_SIZE;
}

static unsigned int sgpu_pte_index(u64 va)
{
	return (va >> PAGE_SHIFT) % SGPU_TABLE_SIZE;
}

/* How many of @size bytes at @va one last-level table covers */
static u64 sgpu_leaf_part(u64 va, u64 size)
{
	return min(size, SGPU_LEAF_SPAN - va % SGPU_LEAF_SPAN);
}

/* How many of them are whole regions of the same table above */
static u64 sgpu_mid_part(u64 va, u64 size)
{
	return min(round_down(size, SGPU_LEAF_SPAN), SGPU_MID_SPAN - va % SGPU_MID_SPAN);
}

/*
 * Tables are added by any thread at any time, zeroed, and published by
 * cmpxchg(). Who changes entries has prepared the tables; who only looks may
 * see a table or not, and reads the pointers with READ_ONCE().
 */
#define sgpu_table_get(slot) ({							\
	typeof(slot) _slot = (slot);						\
	typeof(*_slot) _fresh, _table = READ_ONCE(*_slot);			\
										\
	if (!_table) {								\
		_fresh = kzalloc_obj(*_fresh, GFP_KERNEL_ACCOUNT);		\
		_table = _fresh ? cmpxchg(_slot, NULL, _fresh) : NULL;		\
		if (_table)							\
			kfree(_fresh);						\
		else								\
			_table = _fresh;					\
	}									\
	_table;									\
})

/* The leaf of a region of which only a part changes */
static struct sgpu_leaf *sgpu_leaf_split(struct sgpu_mid *mid, unsigned int i)
{
	struct sgpu_leaf *leaf = mid->leaf[i];

	if (__test_and_clear_bit(i, mid->sparse))
		memset64(leaf->pte, SGPU_PTE_SPARSE, SGPU_TABLE_SIZE);
	return leaf;
}

/* Make [va, va + size) sparse or empty; all its tables were prepared. */
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

void sgpu_mmu_init(struct sgpu_mmu *mmu)
{
	mutex_init(&mmu->lock);
}

void sgpu_mmu_fini(struct sgpu_mmu *mmu)
{
	unsigned int i, j;

	for (i = 0; i < SGPU_TABLE_SIZE; i++) {
		if (!mmu->mid[i])
			continue;
		for (j = 0; j < SGPU_TABLE_SIZE; j++)
			kfree(mmu->mid[i]->leaf[j]);
		kfree(mmu->mid[i]);
		cond_resched();
	}
	mutex_destroy(&mmu->lock);
}

/*
 * Add the tables that a change of [va, va + size) can need, all of them if
 * @pages will be mapped. May sleep. Tables that a failure leaves behind are
 * empty, and there for the next try. A client that was killed does not wait.
 */
int sgpu_mmu_prepare(struct sgpu_mmu *mmu, u64 va, u64 size, bool pages)
{
	struct sgpu_mid *mid;
	u64 part;

	for (; size; va += part, size -= part) {
		part = sgpu_leaf_part(va, size);
		mid = sgpu_table_get(&mmu->mid[sgpu_mid_index(va)]);
		if (!mid)
			return -ENOMEM;
		if (!pages && part == SGPU_LEAF_SPAN)
			part = sgpu_mid_part(va, size);
		else if (!sgpu_table_get(&mid->leaf[sgpu_leaf_index(va)]))
			return -ENOMEM;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/*
 * Make an index for the mappings of a buffer that many of them can be made with, each
 * at any offset. The caller frees it with kvfree(). May sleep.
 */
struct sgpu_sg_index *sgpu_sg_index_create(const struct sg_table *sgt)
{
	unsigned int i, count = DIV_ROUND_UP(sgt->nents, SGPU_SG_STEP);
	struct sgpu_sg_index *index;
	struct scatterlist *sg;
	unsigned long page = 0;

	index = kvzalloc_flex(*index, at, count, GFP_KERNEL_ACCOUNT);
	if (!index)
		return ERR_PTR(-ENOMEM);
	index->count = count;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		if (i % SGPU_SG_STEP == 0) {
			index->at[i / SGPU_SG_STEP].sg = sg;
			index->at[i / SGPU_SG_STEP].page = page;
			cond_resched();
		}
		/* As for_each_sgtable_dma_page() counts them */
		page += PAGE_ALIGN(sg->offset + sg_dma_len(sg)) >> PAGE_SHIFT;
	}
	return index;
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

/* Where a walk of @sgt finds the page: at its start, or at a mark of @index. */
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
 * Map the part of @sgt that starts @offset bytes into it, or change nothing. @index is
 * that of @sgt, or NULL.
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

void sgpu_mmu_map_sparse(struct sgpu_mmu *mmu, u64 va, u64 size)
{
	guard(mutex)(&mmu->lock);
	sgpu_mmu_set(mmu, va, size, true);
}

/* The entry for @va: 0 if nothing is mapped there. Under the lock. */
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
