// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Proofs, for mappings of each size and all offsets: accesses stay inside, at constant,
 * masked, checked and table offsets, and a mapping has the minimum size of its type.
 */

#include "vmap.h"
#include "extracted-vmap.h"

/* Types with a minimum of whole pages, of less, and of no multiple of anything */
struct page_map {
	DRM_VMAP(SZ_4K);
};

struct large_map {
	DRM_VMAP_EITHER(5 * SZ_4K);
};

struct byte_map {
	DRM_VMAP_IOMEM(1);
};

struct odd_map {
	DRM_VMAP(13);
};

struct table {
	u32 head;
	u64 entry[64];
	struct { u32 length, flags; } rest[256];
};

/*
 * A handle as its invariants have it: empty, or of at least @least bytes. Where it is makes
 * no difference; cbmc keeps some bits of a pointer for itself.
 */
static void any_handle(struct drm_vmap *m, size_t least)
{
	uintptr_t addr = nondet_size();

	assume(addr < SZ_4M);
	m->addr = (void *)addr;
	m->size = nondet_size();
	m->flags = nondet_uint();
	assume(addr ? m->size >= least : !m->size);
}

/* Asserts that @n bytes, a power of two, at @off are in the mapping, and aligned in it. */
static bool inside(const struct drm_vmap *m, u128 off, size_t n)
{
	return m->addr && off + n <= m->size && !(off & (n - 1));
}

/* Asserts that an access, which returned @ret, was at @off, or was refused if not @good. */
static void check_access(int ret, bool good, u128 off)
{
	assert(ret == (good ? 0 : -EINVAL));
	assert(ret || prove_off == off);
}

#define check_try(_v, _off, _T) do {						\
	const bool __good = inside(&(_v)->__map, _off, sizeof(_T));		\
	_T __val = 0;								\
										\
	check_access(__drm_vmap_try_read(__drm_vmap_try_args(_v), _off,		\
					 sizeof(_T), &__val), __good, _off);	\
	check_access(__drm_vmap_try_write(__drm_vmap_try_args(_v), _off,	\
					  sizeof(_T), &__val), __good, _off);	\
} while (0)

#define check_widths(_v, _off) do {						\
	check_try(_v, _off, u8);						\
	check_try(_v, _off, u16);						\
	check_try(_v, _off, u32);						\
	check_try(_v, _off, u64);						\
} while (0)

/* An offset that is known at run time, of 32 and of 64 bits, on each width */
// plant: s/off < \(size \& /off <= (size \& /
// plant: s/off < \(size \& ~\(n - 1\)\)/off < size/
// plant: s/return likely\(off < .*/return off + n <= size \&\& !((size_t)off % n);/
// plant: s/ \&\& likely\(!\(\(size_t\)off % n\)\)//
// plant: s/(__drm_vmap_(load|store)\(m->addr), off, 0,/\1, 0, off,/
void prove_checked(void)
{
	struct page_map page;
	struct byte_map byte;
	u64 far = nondet_u64();
	u32 near = nondet_u32();

	any_handle(&page.__map, SZ_4K);
	any_handle(&byte.__map, 1);
	check_widths(&byte, far);
	check_widths(&page, near);
	check_widths(&byte, (size_t)near);
}

/* An offset that the compiler sees to be good. An empty handle is reached in its first 4 KiB. */
#define check_at(_v, _off, _T) do {						\
	const size_t __min = __drm_vmap_min(_v);				\
	const void *__addr = __drm_vmap_at(&(_v)->__map, __min, _off, sizeof(_T));	\
	const uintptr_t __at = (uintptr_t)__addr;				\
	const uintptr_t __start = (uintptr_t)(_v)->__map.addr;			\
										\
	if (__start) {								\
		assert(__at - __start + sizeof(_T) <= __min);			\
		assert(__at - __start == (_off) && (_off) % sizeof(_T) == 0);	\
	} else if (prove_null_is_mapped) {					\
		assert(__at == PAGE_MASK);					\
	} else {								\
		assert((u128)__at + sizeof(_T) <= SZ_4K);			\
	}									\
} while (0)

// plant: s/off <= min - size,/off <= min,/
// plant: s/min >= size \&\&/true \&\&/
// plant: s/off < SZ_4K/off <= SZ_4K/
// plant: s/!\(\(size_t\)off % size\)/true/
// plant: s/addr \+ \(faults \? off : 0\)/addr + off/
void prove_constant(void)
{
	struct large_map large;
	struct page_map page;
	struct byte_map byte;
	struct odd_map odd;
	u64 off = nondet_u64();
	size_t near = nondet_size();

	prove_null_is_mapped = nondet_bool();
	any_handle(&large.__map, 5 * SZ_4K);
	any_handle(&page.__map, SZ_4K);
	any_handle(&byte.__map, 1);
	any_handle(&odd.__map, 13);
	if (nondet_bool())
		check_at(&large, off, u64);
	else if (nondet_bool())
		check_at(&large, near, u8);
	else if (nondet_bool())
		check_at(&page, off, u32);
	else if (nondet_bool())
		check_at(&odd, near, u16);
	else if (nondet_bool())
		check_at(&odd, off, u64);
	else
		check_at(&byte, off, u64);
}

/* Masks and tables whose offsets the compiler can see to be good: they compile. */
// plant: s/off <= min - size,/off < min - size,/
// plant: s/off <= min - size,/off <= min - size - 1,/
void prove_masked(void)
{
	struct page_map page;
	u32 index = nondet_u32();

	any_handle(&page.__map, SZ_4K);
	assume(page.__map.addr);
	prove_compiles = true;
	check_at(&page, index & (SZ_4K - 4), u32);
	check_at(&page, index & (SZ_4K - 1), u8);
	check_at(&page, (index % (SZ_4K / 8)) * 8, u64);
	check_at(&page, offsetof(struct table, rest) + (size_t)(index & 255) * 8 + 4, u32);
}

#define check_elem(_v, _array, _idx) do {					\
	const size_t __n = sizeof(((struct table *)0)->_array[0]);		\
	const u128 __off = offsetof(struct table, _array) + (u128)(_idx) * __n;	\
	const bool __good = (_idx) < ARRAY_SIZE(((struct table *)0)->_array) &&	\
			    inside(&(_v)->__map, __off, __n);			\
	__drm_vmap_elem_t(struct table, _array) __val;				\
										\
	check_access(__drm_vmap_try_read_elem(__drm_vmap_args(_v),		\
					      __drm_vmap_array(_v, struct table, _array), \
					      _idx, &__val), __good, __off);	\
	check_access(__drm_vmap_try_write_elem(__drm_vmap_args(_v),		\
					       __drm_vmap_array(_v, struct table, _array), \
					       _idx, &__val), __good, __off);	\
} while (0)

/* An element of a table, any index: the table may be in the minimum or reach beyond. */
// plant: s/idx >= len/idx > len/
// plant: s/return m->addr;/return true;/
// plant: s/array \+ len \* size <= min/array <= min/
// plant: s/\tidx = 0;//
void prove_table(void)
{
	struct page_map page;
	struct byte_map byte;
	struct odd_map odd;
	u64 far = nondet_u64();
	u32 near = nondet_u32();

	any_handle(&page.__map, SZ_4K);
	any_handle(&byte.__map, 1);
	any_handle(&odd.__map, 13);
	check_elem(&page, entry, far);
	check_elem(&byte, entry, far);
	check_elem(&odd, entry, near);
	check_elem(&byte, rest, near);
}

/* A copy, of any length: an empty handle takes not even none. */
// plant: s/off <= m->size - len/off + len <= m->size/
// plant: s/len - 1 < m->size/len - 1 <= m->size/
// plant: s/!len \&\& m->addr \&\& /!len \&\& /
void prove_copied_range(void)
{
	struct drm_vmap m;
	u64 off = nondet_u64(), len = nondet_u64();

	any_handle(&m, 1);
	assert(drm_vmap_inside(&m, off, len) ==
	       (m.addr && (u128)off + len <= m.size));
}

/* An object of any size; of an imported one, the dma-buf may have fewer bytes. */
static struct dma_buf dmabuf;
static struct dma_buf_attachment attach = { .dmabuf = &dmabuf };

static void any_object(struct drm_gem_object *gem)
{
	gem->size = nondet_size();
	dmabuf.size = nondet_size();
	gem->import_attach = nondet_bool() ? &attach : NULL;
}

static void check_mapped(const struct drm_vmap *m, const struct drm_gem_object *gem, int ret,
			 size_t min, unsigned int kind)
{
	if (ret) {
		assert(!m->addr && !m->size && !prove_users);
		return;
	}
	assert(prove_users == 1 && m->addr);
	assert(m->size >= min && m->size <= gem->size);
	assert(!gem->import_attach || m->size <= dmabuf.size);
	assert(kind != __DRM_VMAP_KIND_SYSMEM || !(m->flags & __DRM_VMAP_FLAG_IOMEM));
	assert(kind != __DRM_VMAP_KIND_IOMEM || (m->flags & __DRM_VMAP_FLAG_IOMEM));
}

static unsigned int any_kind(void)
{
	unsigned int kind = nondet_uint();

	assume(kind >= __DRM_VMAP_KIND_SYSMEM && kind <= __DRM_VMAP_KIND_EITHER);
	return kind;
}

/* A mapping has at least the minimum of its type, and no more than there is. */
// plant: s/if \(unlikely\(size < min\)\)/if (false)/
// plant: s/size < min \? -ENOSPC : 0/0/
// plant: s/size = __drm_gem_bytes\(gem\);/;/
// plant: s/unlikely\(flags \|\| kind == __DRM_VMAP_KIND_IOMEM\)/flags/
void prove_minimum(void)
{
	struct drm_shmem_obj obj = { .__vaddr = (void *)SZ_4K };
	struct drm_vmap m = {};
	size_t min = nondet_size();
	unsigned int kind = any_kind();

	any_object(&obj.base.base);
	assume(min);
	obj.__flags = nondet_bool() ? __DRM_SHMEM_IOMEM : 0;
	if (__drm_gem_bytes(&obj.base.base) < obj.base.base.size)
		obj.__flags |= __DRM_SHMEM_PARTIAL;
	check_mapped(&m, &obj.base.base,
		     __drm_vmap_fill_in(&m, min, kind, &obj, nondet_bool()), min, kind);
}

/* The same, for an object that is no struct drm_shmem_obj. */
// plant: s/if \(size < min\)/if (size + 1 < min)/
// plant: s/size = __drm_gem_bytes\(\&shmem->base\)/size = shmem->base.size/
void prove_minimum_plain(void)
{
	struct drm_gem_shmem_object shmem;
	struct drm_vmap m = {};
	size_t min = nondet_size();
	unsigned int kind = any_kind();

	any_object(&shmem.base);
	assume(min);
	check_mapped(&m, &shmem.base,
		     __drm_vmap_fill_in_plain(&m, min, kind, &shmem, nondet_bool()), min, kind);
}
