// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 8
// title: iomem map used as system memory
// rust: r
// wrong: POINTER_TO_IOMEM B: this handle may be on I/O memory: use drm_vmap_unsafe_map\(\)
// wrong: NARROWED B: struct foo_fw is for another kind of memory
// wrong: WRONG_TYPE B: incompatible pointer
// wrong: ADDRESS_AS_SYSTEM_MEMORY C(sparse): incorrect type in argument 1 \(different address spaces\)
// run: drm_shmem_vmap.wrong_kind: The other kind of memory gives -EOPNOTSUPP.
// run: drm_shmem_vmap.iomem_is_not_sysmem: An imported object in I/O memory gives the same.
// run: drm_shmem_vmap.iomem_rw: The type for I/O memory works.
// run: drm_shmem_vmap.either: The type for both kinds of memory works.

#include "foo.h"

static void foo_ring_kick(const struct foo_fw *fw)
{
	drm_vmap_write32(fw, 0, 1);
}

static void foo_vram_kick(const struct foo_vram *vram)
{
	drm_vmap_write32(vram, 0, 1);
}

int foo_vram_clear(struct foo_bo *bo)
{
	int ret;

	drm_vmap_guard(foo_vram, vram, &bo->shmem, ret) {
#if defined(POINTER_TO_IOMEM)
		memset(drm_vmap_unsafe_ptr(vram), 0, SZ_4K);
#elif defined(ADDRESS_AS_SYSTEM_MEMORY)
		memset(drm_vmap_unsafe_map(vram).vaddr_iomem, 0, SZ_4K);
		foo_vram_kick(vram);
#elif defined(NARROWED)
		foo_ring_kick(drm_vmap_narrow(foo_fw, vram));
#elif defined(WRONG_TYPE)
		foo_ring_kick(vram);
#else
		drm_vmap_fill(vram, 0, 0, SZ_4K);
		foo_vram_kick(vram);
#endif
	}
	if (ret == -EOPNOTSUPP)
		drm_vmap_guard(foo_fw, fw, &bo->shmem, ret)
			foo_ring_kick(fw);
	return ret;
}
