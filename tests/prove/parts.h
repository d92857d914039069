/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Stubs for the parts of a mapping, in addition to kernel.h */
#ifndef _PROVE_PARTS_H
#define _PROVE_PARTS_H

#include "kernel.h"

#define __must_hold(_lock)
#define __drm_nonallocating
#define WARN_ON_ONCE(_cond)	assert(!(_cond))
#define DRM_GPUVA_OP_REMAP	0

struct list_head {
	int unused;
};

struct drm_gpuvm_bo {
	struct drm_gem_object *obj;
};

struct drm_gpuva {
	struct drm_gpuvm_bo *vm_bo;
	struct { u64 addr, range; } va;
	struct { u64 offset; struct drm_gem_object *obj; } gem;
	struct list_head drm_gpuva_link_entry;
};

struct drm_gpuvm_imm {
	int base;
};

struct drm_gpuvm_imm_update {
	u64 __addr;
};

struct drm_gpuva_op_map {
	struct { u64 addr, range; } va;
	struct { u64 offset; struct drm_gem_object *obj; } gem;
};

struct drm_gpuva_op_unmap {
	struct drm_gpuva *va;
};

struct drm_gpuva_op {
	int op;
	struct {
		struct drm_gpuva_op_map *prev, *next;
		struct drm_gpuva_op_unmap *unmap;
	} remap;
};

/* A mapping changes under the lock of its object. */
#define mutex_lock(_lock)	prove_mutex(_lock, 0)
#define mutex_unlock(_lock)	prove_mutex(_lock, 1)

static inline void prove_mutex(int *lock, int held)
{
	assert(*lock == held);
	*lock = !held;
}

/* All that is mapped where a mapping was, or is */
static struct drm_gpuva *prove_vas[2];

static inline bool prove_has(const struct drm_gpuva *va, u64 addr)
{
	return va && addr >= va->va.addr && addr - va->va.addr < va->va.range;
}

static inline struct drm_gpuva *drm_gpuva_find_first(int *base, u64 addr, u64 range)
{
	assert(range == 1);
	return prove_has(prove_vas[0], addr) ? prove_vas[0] :
	       prove_has(prove_vas[1], addr) ? prove_vas[1] : NULL;
}

static inline void list_del(struct list_head *entry)
{
}

/* The tree refuses overlaps. */
static inline int drm_gpuva_insert(int *base, const struct drm_gpuva *va)
{
	const u128 end = (u128)va->va.addr + va->va.range;

	for (int i = 0; i < 2; i++) {
		const struct drm_gpuva *other = prove_vas[i];

		if (other && va->va.addr < (u128)other->va.addr + other->va.range &&
		    end > other->va.addr)
			return -EINVAL;
	}
	return va->va.range && end <= (u64)-1 ? 0 : -EINVAL;
}

static struct drm_gpuva_op_map prove_prev, prove_next;
static bool prove_remapped;

static inline int
drm_gpuvm_imm_sm_step_remap(struct drm_gpuva_op *op, struct drm_gpuvm_imm_update *update)
{
	prove_prev = *op->remap.prev;
	prove_next = *op->remap.next;
	prove_remapped = true;
	return 0;
}

#endif /* _PROVE_PARTS_H */
