/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Stubs for copies, in addition to vmap.h. Each records its place in the mapping. */
#ifndef _PROVE_COPIES_H
#define _PROVE_COPIES_H

#include "vmap.h"

#define EFAULT			14
#define EALREADY			114
#define SZ_2M			0x200000
#define __user
#define min_t(_t, a, b)		min((_t)(a), (_t)(b))
#define EXPORT_SYMBOL_GPL(_name)
#define might_fault()
#define access_ok(_p, _n)	nondet_bool()
#define barrier_nospec()
#define drm_resv_is_held(_resv)	nondet_bool()
#define drm_safe_broken(...)

/* The mapping, the requested range, and the touched part of it, in order */
static const struct drm_vmap *prove_m;
static u64 prove_start, prove_len, prove_done;
static unsigned int prove_pieces;

static inline void prove_touch_at(u64 off, u64 n)
{
	assert(prove_m->addr);
	assert(off == prove_start + prove_done);
	assert((u128)prove_done + n <= prove_len);
	assert((u128)off + n <= prove_m->size);
	prove_done += n;
}

static inline void prove_touch(const void *at, size_t n)
{
	prove_touch_at((uintptr_t)at - (uintptr_t)prove_m->addr, n);
}

/* The bytes that are not copied, which ends the copy: the fourth piece is the last one checked. */
static inline size_t prove_fault(void)
{
	return ++prove_pieces >= 4 || nondet_bool();
}

static inline void prove_map(const struct iosys_map *map)
{
	const bool iomem = prove_m->flags & __DRM_VMAP_FLAG_IOMEM;

	assert(map->is_iomem == iomem);
	assert((iomem ? map->vaddr_iomem : map->vaddr) == prove_m->addr);
}

static inline void iosys_map_set_vaddr(struct iosys_map *map, void *addr)
{
	map->is_iomem = false;
	map->vaddr = addr;
}

static inline void iosys_map_set_vaddr_iomem(struct iosys_map *map, void *addr)
{
	map->is_iomem = true;
	map->vaddr_iomem = addr;
}

static inline void
iosys_map_memcpy_to(struct iosys_map *map, size_t off, const void *src, size_t len)
{
	prove_map(map);
	prove_touch_at(off, len);
}

static inline void
iosys_map_memcpy_from(void *dst, const struct iosys_map *map, size_t off, size_t len)
{
	prove_map(map);
	prove_touch_at(off, len);
}

static inline void iosys_map_memset(struct iosys_map *map, size_t off, int value, size_t len)
{
	prove_map(map);
	prove_touch_at(off, len);
}

/* The bounce buffer is the stack's, and the mapping is the other side. */
static inline bool prove_is_bounce(void)
{
	return prove_m->flags & __DRM_VMAP_FLAG_IOMEM;
}

static inline size_t prove_user(const void *at, size_t n)
{
	if (prove_is_bounce())
		assert(n <= 256);
	else
		prove_touch(at, n);
	return prove_fault();
}

#define copy_from_user(_to, _from, _n)	prove_user(_to, _n)
#define __copy_from_user(_to, _from, _n)	prove_user(_to, _n)
#define copy_to_user(_to, _from, _n)	prove_user(_from, _n)
#define memcpy_toio(_to, _from, _n)	prove_touch(_to, _n)
#define memcpy_fromio(_to, _from, _n)	prove_touch(_from, _n)

#endif /* _PROVE_COPIES_H */
