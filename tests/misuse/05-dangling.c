// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 5
// title: mapping left dangling on an error path
// rust: b
// wrong: USED_AFTER_ITS_SCOPE B: 'fw' undeclared|undeclared identifier 'fw'
// wrong: USED_AFTER_RELEASE B: this mapping was released, moved or never made
// wrong: USED_AFTER_MOVE B: this mapping was released, moved or never made
// wrong: RETURNED W: returns address of local variable|address of stack memory
// wrong: KEPT C: 'fw' is borrowed for a scope and must not be kept
// wrong: KEPT_WITHOUT_A_BLOCK C: 'fw' is borrowed for a scope and must not be kept
// wrong: ADDRESS_KEPT C: the address of 'fw' is borrowed for a scope and must not be kept
// wrong: ADDRESS_USED_LATER C: the address of 'fw' is borrowed for a scope and must not be kept
// wrong: NARROWER_KEPT C: 'fw' is borrowed for a scope and must not be kept
// wrong: NOT_CLEANED_UP C: nothing ends 'buf' on an early return
// wrong: FREED_WITH_IT C: 'cnt' is freed with its 'buf': call drm_vmap_cleanup\(\) for it first
// wrong: TABLE_FREED_WITH_IT C: 'cnt' is freed with its 'table': call drm_shmem_sgt_cleanup\(\) for it first
// wrong: FREED_ON_AN_ERROR C: 'cnt' is freed with its 'buf': call drm_vmap_cleanup\(\) for it first
// wrong: END_OF_A_MAPPING C: 'table' is no owned mapping, and drm_vmap_cleanup\(\) takes it for one
// checked: ADDRESS_USED_LATER: A driver uses the address of a mapping after the mapping has ended.
// run: drm_shmem_vmap.borrowed_scope: Every way out of the block unmaps the object.
// run: drm_shmem_vmap.owned_cleanup: Every way out of the scope unmaps the object.
// run: drm_shmem_sgt.owned_cleanup: Every way out of the scope also releases a structure that owns a table.
// run: drm_shmem_vmap.borrowed_outlives: An object that is freed while its mapping is borrowed is reported.

#include <linux/slab.h>

#include "foo.h"

struct foo_perfcnt {
	struct foo_bo *bo;
	struct foo_fw_owned buf;
	struct drm_shmem_sgt_owned table;
	const struct foo_fw *borrowed;
	const struct foo_head *head;
	u32 *words;
};

/* The first part of the firmware */
struct foo_head {
	DRM_VMAP(64);
};

#if defined(RETURNED)
const struct foo_fw *foo_fw_map(struct foo_bo *bo)
{
	int ret;

	drm_vmap_or(foo_fw, fw, &bo->shmem, ret, return NULL);
	return fw;
}
#endif

int foo_perfcnt_boot(struct foo_perfcnt *cnt)
{
	int ret;

	drm_vmap_guard(foo_fw, fw, &cnt->bo->shmem, ret) {
		drm_vmap_write32(fw, 0, 1);
		if (!foo_hw_ready())
			return -EIO;
	}
#if defined(USED_AFTER_ITS_SCOPE)
	drm_vmap_write32(fw, 0, 0);
#endif
	return ret;
}

int foo_perfcnt_reset(struct foo_perfcnt *cnt)
{
	int ret;

	drm_vmap_guard(foo_fw, fw, &cnt->bo->shmem, ret) {
		drm_vmap_fill(fw, 0, 0, SZ_4K);
#if defined(KEPT)
		cnt->borrowed = fw;
#endif
	}
	return ret;
}

int foo_perfcnt_clear(struct foo_perfcnt *cnt)
{
	int ret;

	drm_vmap_or(foo_fw, fw, &cnt->bo->shmem, ret, return ret);
#if defined(KEPT_WITHOUT_A_BLOCK)
	cnt->borrowed = fw;
#endif
	return drm_vmap_fill(fw, 0, 0, SZ_4K);
}

int foo_perfcnt_note(struct foo_perfcnt *cnt)
{
	struct iosys_map map = IOSYS_MAP_INIT_VADDR(NULL);
	int ret;

	drm_vmap_guard(foo_fw, fw, &cnt->bo->shmem, ret) {
		drm_vmap_write32(fw, 0, 1);
#if defined(ADDRESS_KEPT)
		cnt->words = drm_vmap_unsafe_ptr(fw);
#elif defined(ADDRESS_USED_LATER)
		map = drm_vmap_unsafe_map(fw);
#elif defined(NARROWER_KEPT)
		cnt->head = drm_vmap_narrow(foo_head, fw);
#endif
	}
	if (!iosys_map_is_null(&map))
		iosys_map_wr(&map, 0, u32, 0);
	return ret;
}

int foo_perfcnt_enable(struct foo_perfcnt *cnt)
{
#if defined(NOT_CLEANED_UP)
	struct foo_fw_owned buf = {};
#else
	struct foo_fw_owned buf __cleanup(drm_vmap_cleanup) = {};
#endif
	int ret;

	ret = drm_vmap_own(&buf, &cnt->bo->shmem);
	if (ret)
		return ret;

	drm_vmap_fill(&buf, 0, 0, SZ_4K);
	if (!foo_hw_ready())
		return -EIO;

#if defined(USED_AFTER_RELEASE)
	drm_vmap_release(&buf);
	drm_vmap_write32(&buf, 0, 1);
#endif
	drm_vmap_move(&cnt->buf, &buf);
#if defined(USED_AFTER_MOVE)
	drm_vmap_write32(&buf, 0, 1);
#endif
	return 0;
}

void foo_perfcnt_disable(struct foo_perfcnt *cnt)
{
	drm_vmap_release(&cnt->buf);
}

struct foo_perfcnt *foo_perfcnt_create(const struct foo_reg *reg, struct foo_bo *bo)
{
	struct foo_perfcnt *cnt = kzalloc_obj(*cnt);

	if (!cnt)
		return NULL;
	cnt->bo = bo;
	if (drm_vmap_own(&cnt->buf, &bo->shmem)) {
		kfree(cnt);
		return NULL;
	}
	if (drm_shmem_sgt_own(&cnt->table, &reg->base.bound, &bo->shmem)) {
#if !defined(FREED_ON_AN_ERROR)
		drm_vmap_cleanup(&cnt->buf);
#endif
		kfree(cnt);
		return NULL;
	}
	return cnt;
}

void foo_perfcnt_free(struct foo_perfcnt *cnt)
{
#if !defined(FREED_WITH_IT)
	drm_vmap_cleanup(&cnt->buf);
#endif
#if !defined(TABLE_FREED_WITH_IT)
	drm_shmem_sgt_cleanup(&cnt->table);
#endif
	kfree(cnt);
}

/* The addresses of a buffer are read once. */
int foo_perfcnt_program(const struct foo_reg *reg, struct foo_bo *bo)
{
#if defined(END_OF_A_MAPPING)
	struct drm_shmem_sgt_owned table __cleanup(drm_vmap_cleanup) = {};
#else
	struct drm_shmem_sgt_owned table __cleanup(drm_shmem_sgt_cleanup) = {};
#endif

	return drm_shmem_sgt_own(&table, &reg->base.bound, &bo->shmem);
}
