/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Stubs for mappings, in addition to kernel.h */
#ifndef _PROVE_VMAP_H
#define _PROVE_VMAP_H

#include "kernel.h"

/* A machine of either kind: s390 has memory at NULL. */
static bool prove_null_is_mapped;
#define IS_ENABLED(_config)	prove_null_is_mapped
#define PAGE_MASK		(~(uintptr_t)(SZ_4K - 1))

/* The compiler may or may not see that a value is constant. */
#define __builtin_constant_p(_x)	nondet_bool()

/*
 * A condition that does not hold for all values breaks the build. A proof about code that compiles
 * assumes the condition. A proof that code compiles asserts it.
 */
static bool prove_compiles;
#define compiletime_assert(_cond, _text)					\
	do {									\
		if (prove_compiles)						\
			assert(_cond);						\
		else								\
			assume(_cond);						\
	} while (0)

#define __DRM_SAFE_NO_ASSIGN	const u8 __no_assign[0]

struct iosys_map {
	bool is_iomem;
	void *vaddr, *vaddr_iomem;
};

struct drm_gem_shmem_object {
	struct drm_gem_object base;
};

struct drm_shmem_obj {
	struct drm_gem_shmem_object base;
	int __vmap_users;
	u8 __flags;
	void *__vaddr;
};

static unsigned int prove_users;

static inline int __drm_gem_resv_check_call(struct drm_gem_object *gem, bool locked)
{
	return nondet_bool() ? -EINVAL : 0;
}

static inline bool refcount_inc_not_zero_acquire(int *count)
{
	bool mapped = nondet_bool();

	prove_users += mapped;
	return mapped;
}

static inline int __drm_vmap_first(struct drm_shmem_obj *obj, bool locked)
{
	int ret = nondet_bool() ? -ENOMEM : 0;

	prove_users += !ret;
	return ret;
}

static inline void __drm_vmap_put(struct drm_shmem_obj *obj, bool locked)
{
	prove_users--;
}

static inline int
__drm_vmap_map_plain(struct drm_gem_shmem_object *shmem, struct iosys_map *map, bool locked)
{
	if (nondet_bool())
		return -ENOMEM;
	map->is_iomem = nondet_bool();
	map->vaddr = map->vaddr_iomem = (void *)SZ_4K;
	prove_users++;
	return 0;
}

static inline void
__drm_vmap_unmap_plain(struct drm_gem_shmem_object *shmem, void *addr, bool iomem, bool locked)
{
	prove_users--;
}

#define __force
#define __iomem
#define __drm_vmap_track(_m)

/* Where an access was, in a mapping */
static u128 prove_off;

static inline void
__drm_vmap_load(const void *addr, size_t off, size_t idx, bool iomem, size_t size, void *val)
{
	prove_off = off + (u128)idx * size;
}

static inline void
__drm_vmap_store(void *addr, size_t off, size_t idx, bool iomem, size_t size, const void *val)
{
	prove_off = off + (u128)idx * size;
}

#endif /* _PROVE_VMAP_H */
