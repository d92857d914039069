/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the functions that are proved take from the kernel and from the library's structs.
 * The functions themselves come from the library's own files: see scripts/prove.sh.
 */
#ifndef _PROVE_KERNEL_H
#define _PROVE_KERNEL_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t u64;

#define __nonnull_args(...)
#define __must_check
#define unlikely(x)		(x)
#define likely(x)		(x)
#define VISIBLE_IF_KUNIT	static
#define KUNIT_STATIC_STUB_REDIRECT(...)
#define guard(_lock)		prove_lock
#define min(a, b)		((a) < (b) ? (a) : (b))
#ifdef PLANT
#define max(a, b)		(a)
#else
#define max(a, b)		((a) > (b) ? (a) : (b))
#endif
#define SZ_4M			0x400000

/* Planted faults: overflows and the room of a pool are not looked at. Each proof must fail. */
#ifdef PLANT
#define check_add_overflow(a, b, d)	(*(d) = (a) + (b), false)
#define min3(a, b, c)			min(a, c)
#else
#define check_add_overflow(a, b, d)	__builtin_add_overflow(a, b, d)
#define min3(a, b, c)			min(a, min(b, c))
#endif

struct drm_device;

struct drm_gem_object {
	struct drm_device *dev;
	size_t size;
};

struct drm_gpuva {
	struct { u64 addr, range; } va;
};

struct drm_gpuvm_imm_type {
	u64 granule;
};

struct drm_gpuvm_imm_config {
	struct drm_gem_object *resv_obj;
	u64 start, range, reserve_start, reserve_range;
};

struct drm_gpuvm_imm {
	struct {
		u64 mm_start, mm_range;
		struct drm_gpuva kernel_alloc_node;
	} base;
	const struct drm_gpuvm_imm_type *type;
	int pool_lock;
	unsigned int pool_size, pool_count, pool_lent;
	struct drm_gpuva **pool;
};

static inline void prove_lock(int *lock)
{
}

static inline bool drm_gpuvm_imm_is_none(const struct drm_gpuvm_imm *vm)
{
	return !vm;
}

/* The size of an import is any number, also one that is no whole pages. */
static inline size_t __drm_gem_bytes(const struct drm_gem_object *obj)
{
	return obj->size;
}

/* Where the copy goes, and how much of it: what the proof looks at. */
static struct drm_gpuva **prove_copied_to;
static size_t prove_copied;
#define memcpy(_to, _from, _n)	(prove_copied_to = (_to), prove_copied = (_n))

#endif /* _PROVE_KERNEL_H */
