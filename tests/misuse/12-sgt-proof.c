// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 12
// title: sg table used or unmapped after the device is unbound
// rust: b
// wrong: NO_PROOF B: incompatible pointer
// wrong: NULL_PROOF B: a proof is needed here, such as &reg->base.bound, and NULL is none
// wrong: DEVICE_AS_PROOF B: incompatible pointer
// wrong: PLAIN_OBJECT B: incompatible pointer
// wrong: OWNED_WITHOUT_PROOF B: a proof is needed here, such as &reg->base.bound, and NULL is none
// run: drm_shmem_sgt.revoked: The unbind unmaps the table, and later calls return -ENODEV.
// run: drm_shmem_sgt.revoked_rebind: The table does not come back when the device is bound again.
// run: drm_shmem_sgt.owned_revoked: The owner of a table is notified.
// run: drm_shmem_sgt.wrong_device: The proof of another device gives -EINVAL.
// run: drm_shmem_race.get_against_unbind: The first use races with an unbind.

#include "foo.h"

void foo_mmu_map(const struct sg_table *sgt);

/* Owned, because the MMU keeps the addresses */
static struct drm_shmem_sgt_owned foo_table;

int foo_bo_bind(struct foo_device *foo, struct foo_bo *bo)
{
	int ret = -ENODEV;

#if defined(NO_PROOF)
	drm_shmem_sgt_guard(sgt, &foo->ctx.drm, &bo->shmem, ret)
		foo_mmu_map(drm_shmem_sgt_table(sgt));
#elif defined(NULL_PROOF)
	drm_shmem_sgt_guard(sgt, NULL, &bo->shmem, ret)
		foo_mmu_map(drm_shmem_sgt_table(sgt));
#elif defined(OWNED_WITHOUT_PROOF)
	ret = drm_shmem_sgt_own(&foo_table, NULL, &bo->shmem);
#elif defined(DEVICE_AS_PROOF)
	drm_shmem_sgt_guard(sgt, foo->ctx.drm.dev, &bo->shmem, ret)
		foo_mmu_map(drm_shmem_sgt_table(sgt));
#elif defined(PLAIN_OBJECT)
	drm_dev_ctx_guard(foo_reg, reg, &foo->ctx)
		drm_shmem_sgt_guard(sgt, &reg->base.bound, &bo->shmem.base, ret)
			foo_mmu_map(drm_shmem_sgt_table(sgt));
#else
	drm_dev_ctx_guard(foo_reg, reg, &foo->ctx) {
		drm_shmem_sgt_guard(sgt, &reg->base.bound, &bo->shmem, ret)
			foo_mmu_map(drm_shmem_sgt_table(sgt));
		if (!ret)
			ret = drm_shmem_sgt_own(&foo_table, &reg->base.bound, &bo->shmem);
	}
#endif
	return ret;
}
