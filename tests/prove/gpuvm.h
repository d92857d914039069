/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Stubs for the functions of address spaces, in addition to kernel.h */
#ifndef _PROVE_GPUVM_H
#define _PROVE_GPUVM_H

#include "kernel.h"

#define GFP_KERNEL_ACCOUNT	0
#define __must_hold(_lock)
#define __drm_nonallocating
#define guard(_lock)		prove_lock
#define scoped_guard(_kind, _lock)	prove_lock(_lock);

struct drm_gpuva {
	struct { u64 addr, range; } va;
};

struct drm_gpuvm_imm_type {
	u64 granule;
};

struct drm_gpuvm_imm_config {
	struct drm_gem_object *resv_obj;
	u64 start, range, reserve_start, reserve_range;
	u32 max_vas;
};

struct drm_gpuvm_imm {
	struct {
		u64 mm_start, mm_range;
		struct drm_gpuva kernel_alloc_node;
	} base;
	const struct drm_gpuvm_imm_type *type;
	int pool_lock;
	unsigned int max_vas;
	unsigned int pool_size, pool_count, pool_lent, pool_keep;
	int vas_left;
	struct drm_gpuva **pool;
};

/* The function of drm_safe_core.h takes a struct drm_gpuvm. */
#define drm_gpuvm_reserved(_base)	(&(_base)->kernel_alloc_node)

/* Other tasks, before the lock is taken */
static void prove_lock(int *lock);

static inline bool drm_gpuvm_imm_is_none(const struct drm_gpuvm_imm *vm)
{
	return !vm;
}

/* The size of an import is any number, also one that is no whole pages. */
static inline size_t __drm_gem_bytes(const struct drm_gem_object *obj)
{
	return obj->size;
}

/* The target and size of the copy, which the proof checks */
static struct drm_gpuva **prove_copied_to;
static size_t prove_copied, prove_put_back;
#define memcpy(_to, _from, _n)							\
	(prove_copied_to = (_to), prove_copied = (_n),				\
	 prove_put_back += (_n) / sizeof(*prove_copied_to))

/* VAs that were freed, and the array that was allocated */
static unsigned int prove_freed, prove_room;
static struct drm_gpuva **prove_array;

static inline void kfree(struct drm_gpuva *va)
{
	prove_freed++;
}

static inline void kvfree(struct drm_gpuva **pool)
{
}

static inline void *kvmalloc_array(size_t n, size_t size, int flags)
{
	assert((u128)n * size <= (size_t)-1);
	if (nondet_bool())
		return NULL;
	prove_room = n;
	return prove_array;
}

#endif /* _PROVE_GPUVM_H */
