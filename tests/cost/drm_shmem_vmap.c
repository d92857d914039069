// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The cost of accesses to a mapping: by hand, through an address and a size that
 * a driver keeps, and with a handle.
 */

#include <linux/sizes.h>

#include "cost.h"
#include "drm_shmem_safe.h"

/* In the order of the handle, so that the offsets are the same. */
struct cost_addr {
	void *addr;
	size_t size;
};

struct cost_ring {
	u32 head;
	u32 tail;
	u64 entry[8];
};

struct cost_map {
	DRM_VMAP(SZ_4K);
};

struct cost_iomap {
	DRM_VMAP_IOMEM(SZ_4K);
};

/* cost: read8 same: a constant offset is checked when compiled */
u8 read8_by_hand(const struct cost_addr *a)
{
	return READ_ONCE(*(u8 *)(a->addr + 5));
}

u8 read8_of_ours(const struct cost_map *map)
{
	return drm_vmap_read8(map, 5);
}

/* cost: read32 same: as above */
u32 read32_by_hand(const struct cost_addr *a)
{
	return READ_ONCE(*(u32 *)(a->addr + 8));
}

u32 read32_of_ours(const struct cost_map *map)
{
	return drm_vmap_read32(map, 8);
}

/* cost: write64 same: as above */
void write64_by_hand(const struct cost_addr *a, u64 val)
{
	WRITE_ONCE(*(u64 *)(a->addr + SZ_4K - 8), val);
}

void write64_of_ours(const struct cost_map *map, u64 val)
{
	drm_vmap_write64(map, SZ_4K - 8, val);
}

/* cost: field same: so is a member of a struct */
void field_by_hand(const struct cost_addr *a, u32 val)
{
	struct cost_ring *ring = a->addr;

	WRITE_ONCE(ring->tail, READ_ONCE(ring->head) - val);
}

void field_of_ours(const struct cost_map *map, u32 val)
{
	drm_vmap_write_field(map, struct cost_ring, tail,
			     drm_vmap_read_field(map, struct cost_ring, head) - val);
}

/* cost: loop 0: a local handle keeps the address, also where memory may have changed */
void loop_by_hand(const struct cost_addr *a, unsigned int n)
{
	void *addr = a->addr;

	for (unsigned int i = 0; i < n; i++) {
		WRITE_ONCE(*(u32 *)(addr + 8), i);
		barrier();
	}
}

void loop_of_ours(const struct cost_map *map, unsigned int n)
{
	drm_vmap_local(local, map);

	for (unsigned int i = 0; i < n; i++) {
		drm_vmap_write32(local, 8, i);
		barrier();
	}
}

/* cost: masked 1: nor is a masked offset tested; clang unrolls the loop in another way */
void masked_by_hand(const struct cost_addr *a, unsigned int n)
{
	u32 *words = a->addr;

	for (unsigned int i = 0; i < n; i++)
		WRITE_ONCE(words[i & 1023], i);
}

void masked_of_ours(const struct cost_map *map, unsigned int n)
{
	drm_vmap_local(local, map);

	for (unsigned int i = 0; i < n; i++)
		drm_vmap_write32(local, (size_t)(i & 1023) * 4, i);
}

/* cost: iomem same: the type says that it is I/O memory */
u32 iomem_by_hand(const struct cost_addr *a)
{
	return readl((const void __iomem *)a->addr + 8);
}

u32 iomem_of_ours(const struct cost_iomap *map)
{
	return drm_vmap_read32(map, 8);
}

/* cost: checked 0: no more than the test written out without one for an empty mapping */
int checked_by_hand(const struct cost_addr *a, size_t off, u32 val)
{
	if (off > a->size - sizeof(u32) || off % sizeof(u32))
		return -EINVAL;
	WRITE_ONCE(*(u32 *)(a->addr + off), val);
	return 0;
}

int checked_of_ours(const struct cost_map *map, size_t off, u32 val)
{
	return drm_vmap_try_write32(map, off, val);
}

/* cost: element 0: index and mapping are tested once */
int element_by_hand(const struct cost_addr *a, size_t idx, u64 val)
{
	struct cost_ring *ring = a->addr;

	if (!ring || idx >= ARRAY_SIZE(ring->entry))
		return -EINVAL;
	WRITE_ONCE(ring->entry[idx], val);
	return 0;
}

int element_of_ours(const struct cost_map *map, size_t idx, u64 val)
{
	return drm_vmap_try_write_elem(map, struct cost_ring, entry, idx, val);
}

/*
 * In a scope, a mapping is there: the index alone is tested. Without the rest of the
 * scope, which is another pair's to count.
 */
static __always_inline void cost_scope(struct drm_vmap *m, struct drm_shmem_obj *obj)
{
	__drm_vmap_set(m, &obj->base, obj->__vaddr, obj->base.base.size, 0);
}

/* cost: scoped 0: as above */
int scoped_by_hand(struct drm_shmem_obj *obj, size_t idx, u64 val)
{
	struct cost_ring *ring = obj->__vaddr;

	if (idx >= ARRAY_SIZE(ring->entry))
		return -EINVAL;
	WRITE_ONCE(ring->entry[idx], val);
	return 0;
}

int scoped_of_ours(struct drm_shmem_obj *obj, size_t idx, u64 val)
{
	struct cost_map map[1] = {};

	cost_scope(&map->__map, obj);
	return drm_vmap_try_write_elem(map, struct cost_ring, entry, idx, val);
}
