// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The memory of page tables, which is allocated before a change of a table starts.
 */

#include <linux/math.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "sgpu_fault.h"
#include "sgpu_pt.h"

/* Returns how many of @size bytes at @va are whole leaf regions in the same mid-level table. */
static u64 sgpu_mid_part(u64 va, u64 size)
{
	return min(round_down(size, SGPU_LEAF_SPAN), SGPU_MID_SPAN - va % SGPU_MID_SPAN);
}

/*
 * Any thread can add a table at any time. cmpxchg() publishes the zeroed table. A task that changes
 * entries has prepared the tables before. A task that only reads entries uses READ_ONCE() for the
 * pointers, and may or may not see a new table.
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
 * Adds the tables that a change of [va, va + size) can need. If @pages is set, pages will be
 * mapped, which needs all tables of the range. May sleep. After a failure, the tables that were
 * added are empty, and the next attempt uses them. Stops if the client was killed.
 */
int sgpu_mmu_prepare(struct sgpu_mmu *mmu, u64 va, u64 size, bool pages)
{
	struct sgpu_mid *mid;
	u64 part;

	for (; size; va += part, size -= part) {
		part = sgpu_leaf_part(va, size);
		sgpu_fault_hold(SGPU_HOLD_TABLES);
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
 * Makes an index of a buffer's sg table, for many mappings at any offsets. The caller frees it
 * with kvfree(). May sleep.
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
		/* Count pages like for_each_sgtable_dma_page(). */
		page += PAGE_ALIGN(sg->offset + sg_dma_len(sg)) >> PAGE_SHIFT;
	}
	return index;
}
