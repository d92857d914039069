/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The page table of the software GPU: three levels of 512 entries.
 *
 * The driver of a real GPU writes such tables to memory that the GPU reads. Updates run in the
 * fence signalling path, which has two consequences: all tables that an update can need exist
 * before it starts, and a sparse range costs one bit for each region that a last-level table
 * would cover.
 */
#ifndef _SGPU_PT_H
#define _SGPU_PT_H

#include <linux/bitmap.h>
#include <linux/minmax.h>

#include "sgpu_mmu.h"

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

static inline unsigned int sgpu_mid_index(u64 va)
{
	return va >> SGPU_MID_SHIFT;
}

static inline unsigned int sgpu_leaf_index(u64 va)
{
	return (va >> SGPU_LEAF_SHIFT) % SGPU_TABLE_SIZE;
}

static inline unsigned int sgpu_pte_index(u64 va)
{
	return (va >> PAGE_SHIFT) % SGPU_TABLE_SIZE;
}

/* The number of bytes, of @size bytes at @va, that one last-level table covers */
static inline u64 sgpu_leaf_part(u64 va, u64 size)
{
	return min(size, SGPU_LEAF_SPAN - va % SGPU_LEAF_SPAN);
}

#endif /* _SGPU_PT_H */
