// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 12
// title: sg table used or unmapped after the device is unbound
// rust: b
// wrong: NO_PROOF B: an sg table needs the proof of a bound parent, such as &reg->base.bound
// wrong: NULL_PROOF B: an sg table needs the proof of a bound parent, such as &reg->base.bound
// wrong: DEVICE_AS_PROOF B: an sg table needs the proof of a bound parent, such as &reg->base.bound
// wrong: PLAIN_OBJECT B: sg tables are of a struct drm_shmem_obj: embed it in your object
// run: drm_shmem_sgt.revoked: unmapped on unbind, -ENODEV afterwards
// run: drm_shmem_sgt.revoked_rebind: also after the device is bound again
// run: drm_shmem_sgt.owned_revoked: an owner is told
// run: drm_shmem_sgt.wrong_device: -EINVAL for the proof of another device
// run: drm_shmem_race.get_against_unbind: first use against unbind

#include "foo.h"

void foo_mmu_map(const struct sg_table *sgt);

int foo_bo_bind(struct foo_device *foo, struct foo_bo *bo)
{
	int ret = -ENODEV;

#if defined(NO_PROOF)
	drm_shmem_if_sgt(sgt, &foo->ctx.drm, &bo->shmem, ret)
		foo_mmu_map(drm_shmem_sgt_table(sgt));
#elif defined(NULL_PROOF)
	drm_shmem_if_sgt(sgt, NULL, &bo->shmem, ret)
		foo_mmu_map(drm_shmem_sgt_table(sgt));
#elif defined(DEVICE_AS_PROOF)
	drm_shmem_if_sgt(sgt, foo->ctx.drm.dev, &bo->shmem, ret)
		foo_mmu_map(drm_shmem_sgt_table(sgt));
#elif defined(PLAIN_OBJECT)
	drm_dev_ctx_guard(foo_reg, reg, &foo->ctx)
		drm_shmem_if_sgt(sgt, &reg->base.bound, &bo->shmem.base, ret)
			foo_mmu_map(drm_shmem_sgt_table(sgt));
#else
	drm_dev_ctx_guard(foo_reg, reg, &foo->ctx)
		drm_shmem_if_sgt(sgt, &reg->base.bound, &bo->shmem, ret)
			foo_mmu_map(drm_shmem_sgt_table(sgt));
#endif
	return ret;
}
