// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Proofs, for mappings and structures of each size and all offsets: a view is inside of what it
 * views, aligned, and exactly as large as asked for; a view that would not be is refused.
 */

#include "vmap.h"

#define check_mul_overflow(a, b, d)	__builtin_mul_overflow(a, b, d)
/* The assumptions of the compiler about views are proved, too. */
#define __builtin_unreachable()		assert(false)

#include "extracted-views.h"

/*
 * A handle as its invariants have it: empty, or of at least @least bytes, which do not reach the
 * last address.
 */
static void any_handle(struct drm_vmap *m, size_t least)
{
	m->addr = nondet_size();
	m->size = nondet_size();
	m->flags = nondet_uint();
	assume(m->addr ? m->size && m->size >= least : !m->size);
	assume((u128)m->addr + m->size <= (size_t)-1);
}

/* The possible alignments of a structure */
static size_t any_align(void)
{
	return 1UL << (nondet_uint() & 3);
}

u16 nondet_u16(void);

/* Asserts that a view is @size bytes at @off, or empty if it is not @good. */
static void check_view(const struct drm_vmap *m, const struct drm_vmap *view, bool good, u128 off,
		       u128 size, size_t align)
{
	assert(!view->addr == !good);
	assert(good || !view->size);
	if (!good)
		return;
	assert(view->addr == m->addr + off && view->size == size);
	assert(off + size <= m->size && !(off & (align - 1)));
	assert(view->flags == m->flags && view->shmem == m->shmem);
}

static bool inside(const struct drm_vmap *m, u128 off, u128 size, size_t align)
{
	return m->addr && off + size <= m->size && !(off & (align - 1));
}

/* At an offset that the compiler sees to be good, of a mapping that may be empty */
// plant: s/off <= min - size,/off <= min,/
// plant: s/min >= size \&\&/true \&\&/
// plant: s/!\(\(size_t\)off % align\)/true/
// plant: s/unlikely\(!m->addr\)/false/
// plant: s/part.size = size;/part.size = m->size;/
// plant: s/part.flags = m->flags;//
void prove_view_constant(void)
{
	const size_t min = nondet_size(), size = nondet_size(), align = any_align();
	u64 off = nondet_u64();
	struct drm_vmap m, view;

	any_handle(&m, min);
	view = __drm_vmap_part_at(&m, min, off, size, align);
	check_view(&m, &view, m.addr, off, size, align);
}

/* At any offset */
// plant: s/off > m->size - size/off + size > m->size/
// plant: s/off > m->size - size/off > m->size - size + 1/
// plant: s/off > m->size - size/off >= m->size - size/
// plant: s/size > m->size \|\| //
// plant: s/ \|\| \(size_t\)off % align\)/)/
// plant 32: s/off > m->size - size/(size_t)off > m->size - size/
void prove_view_any(void)
{
	const size_t align = any_align();
	u64 off = nondet_u64(), size = nondet_u64();
	struct drm_vmap m, view;

	any_handle(&m, 1);
	view = __drm_vmap_part_try(&m, off, size, align);
	check_view(&m, &view, inside(&m, off, size, align), off, size, align);
}

/* A range of any length, which is large enough for its type */
// plant: s/len < min \?/len + 1 < min ?/
// plant: s/len < min \?/len <= min ?/
// plant: s/off > m->size - size/off + size > m->size/
void prove_view_range(void)
{
	const size_t min = nondet_size(), align = any_align();
	u64 off = nondet_u64(), len = nondet_u64();
	struct drm_vmap m, view;

	any_handle(&m, 1);
	view = __drm_vmap_range(&m, off, len, min, align);
	check_view(&m, &view, len >= min && inside(&m, off, len, align), off, len, align);
}

/*
 * An element of an array of structures of @_size bytes each. The array has up to 65535 of them:
 * products of large numbers take cbmc hours.
 */
#define check_elem(_size) do {							\
	const size_t __array = nondet_size(), __len = nondet_u16();		\
	const size_t __min = nondet_size(), __align = __drm_vmap_natural(_size); \
	const u64 __idx = nondet_u64();						\
	struct drm_vmap __m, __view;						\
										\
	any_handle(&__m, __min);						\
	/* The array is in a struct. */						\
	assume(__array + (u128)__len * (_size) <= (size_t)-1);			\
	__view = __drm_vmap_part_elem(&__m, __min, __array, __len, _size, __align, __idx); \
	check_view(&__m, &__view, __m.addr && __idx < __len,			\
		   __idx < __len ? __array + (u128)(u16)__idx * (_size) : 0,	\
		   _size, __align);						\
} while (0)

// plant: s/idx >= len/idx > len/
// plant: s/array \+ len \* size <= min/len * size <= min/
// plant: s/!\(array % align\)/true/
// plant: s/array \+ idx \* size, size/array + idx, size/
// plant: s/< sizeof\(u64\) \? /< sizeof(u64) ? 2 * /
// plant 32: s/unlikely\(idx >= len\)/(size_t)idx >= len/
void prove_view_elem(void)
{
	check_elem(1);
	check_elem(12);
	check_elem(24);
}

/* The first of any number of structures: all of them are inside, or none is viewed. */
#define check_first(_size) do {							\
	const u64 __off = nondet_u64(), __count = nondet_u64();			\
	const size_t __align = __drm_vmap_natural(_size);			\
	struct drm_vmap __m, __view;						\
	int __err = 1;								\
	bool __good;								\
										\
	any_handle(&__m, 1);							\
	__view = __drm_vmap_part_first(&__m, __off, __count, _size, __align, &__err); \
	__good = inside(&__m, __off, (u128)__count * (_size), __align);		\
	assert(__err == (__good ? 0 : -EINVAL));				\
	/* Of no structures, none is accessed. */				\
	if (__count || !__good)							\
		check_view(&__m, &__view, __good, __off, _size, __align);	\
} while (0)

// plant: s/check_mul_overflow\(count, \(u64\)size, \&bytes\)/(bytes = count * size, false)/
// plant: s/__drm_vmap_part_try\(m, off, bytes, align\)/__drm_vmap_part_try(m, off, size, align)/
// plant: s/\*err = 0;//
// plant: s/\tfirst.size = size;//
void prove_view_first(void)
{
	check_first(1);
	check_first(12);
	check_first(24);
}
