// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Proofs, for mappings of each size: copies and fills, also those of userspace in pieces, touch
 * what was asked for and nothing else.
 */

#include "vmap.h"
#include "extracted-vmap.h"
#include "copies.h"
#include "extracted-copies.h"

/*
 * A handle as its invariants have it. cbmc keeps bits of a pointer for itself, so that the
 * mapping ends below them: above all that has two pieces.
 */
static void any_copy(struct drm_vmap *m, struct drm_gem_shmem_object *shmem, u64 off, u64 len)
{
	uintptr_t addr = nondet_size();

	assume(addr < SZ_4K);
	m->addr = (void *)addr;
	m->size = nondet_size();
	m->flags = nondet_uint();
	m->shmem = shmem;
	assume(addr ? m->size : !m->size);
	assume((u64)m->size <= (sizeof(addr) == 8 ? (u64)1 << 48 : 3 * SZ_2M));
	prove_m = m;
	prove_start = off;
	prove_len = len;
	prove_done = 0;
}

static bool all_inside(const struct drm_vmap *m, u64 off, u64 len)
{
	return m->addr && (u128)off + len <= m->size;
}

/* All of it is copied, at one go, or nothing if a part is outside. */
// plant: s/off <= m->size - len/off <= m->size/
// plant: s/off <= m->size - len/off + len <= m->size/
// plant: s/iosys_map_memcpy_to\(&map, offset, src, len\)/iosys_map_memcpy_to(\&map, offset, src, len + 1)/
// plant: s/iosys_map_memset\(&map, offset,/iosys_map_memset(\&map, 0,/
// plant: s/iosys_map_memcpy_from\(dst, &map, offset, len\)/iosys_map_memcpy_from(dst, \&map, offset + 1, len)/
void prove_copies(void)
{
	struct drm_vmap m;
	u64 off = nondet_u64(), len = nondet_u64();
	char other;
	int ret;

	any_copy(&m, NULL, off, len);
	if (nondet_bool())
		ret = __drm_vmap_copy_to(&m, off, &other, len);
	else if (nondet_bool())
		ret = __drm_vmap_copy_from(&m, off, &other, len);
	else
		ret = __drm_vmap_fill(&m, off, 0, len);
	assert(ret == (all_inside(&m, off, len) ? 0 : -EINVAL));
	assert(prove_done == (ret ? 0 : len));
}

/*
 * The pieces of a copy follow each other, and end with it. The proof has four of them, from
 * each start: what holds for one that follows any other holds for all.
 */
// plant: s/n = min_t\(size_t, len, DRM_VMAP_PIECE\)/n = DRM_VMAP_PIECE/
// plant: s/n = min\(len, sizeof\(buf\)\)/n = sizeof(buf)/
// plant: s/for \(; len; dst \+= n, src \+= n, len -= n\)/for (; len; dst += n + 1, src += n, len -= n)/
// plant: s/for \(; len \&\& !ret; dst \+= n, src \+= n, len -= n\)/for (; len \&\& !ret; dst += n, src += n, len -= n - 1)/
// plant: s/drm_vmap_iomem\(m\) \+ offset/drm_vmap_iomem(m)/
// plant: s/off <= m->size - len/off <= m->size/
void prove_user_copies(void)
{
	struct drm_gem_shmem_object shmem = {};
	struct drm_vmap m;
	u64 off = nondet_u64(), len = nondet_u64();
	int ret;

	any_copy(&m, &shmem, off, len);
	if (nondet_bool())
		ret = __drm_vmap_from_user(&m, off, (void *)SZ_4K, len);
	else
		ret = __drm_vmap_to_user(&m, off, (void *)SZ_4K, len);
	assert(all_inside(&m, off, len) || ret);
	assert(ret || prove_done == len);
}
