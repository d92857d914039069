// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 12
// title: sg table of an object that is not of shmem
// rust: -
// wrong: NULL_PROOF B: an sg table needs the proof of a bound parent, such as &reg->base.bound
// wrong: OWNED_WITHOUT_PROOF B: an sg table needs the proof of a bound parent, such as &reg->base.bound
// wrong: DEVICE_AS_PROOF B: incompatible pointer
// wrong: FREED W: discards 'const' qualifier|discards qualifiers
// wrong: ASSIGNED B: assignment of read-only|cannot assign to|is not assignable
// wrong: KEPT C: 'sgt' is borrowed for a scope and must not be kept
// wrong: TABLE_USED_AFTER_ITS_SCOPE C: 'table' is borrowed for a scope and must not be kept
// run: drm_shmem_gem_sgt.revoke: gone for ever, also after the device is bound again
// run: drm_shmem_gem_sgt.vram_misused: -EINVAL for the proof of another device

#include "foo.h"

struct foo_stolen {
	struct drm_gem_object gem;
	struct drm_gem_sgt sgt;
	struct drm_gem_sgt_owned owned;
};

struct foo_stolen_job {
	const struct drm_gem_sgt_lent *sgt;
};

void foo_mmu_map(const struct sg_table *sgt);

int foo_stolen_bind(struct foo_device *foo, struct foo_stolen *vram, struct foo_stolen *other,
		    struct foo_stolen_job *job)
{
	int ret = -ENODEV;

#if defined(NULL_PROOF)
	drm_gem_sgt_guard(sgt, NULL, &vram->sgt, ret)
		foo_mmu_map(drm_gem_sgt_table(sgt));
#elif defined(OWNED_WITHOUT_PROOF)
	ret = drm_gem_sgt_own(&vram->owned, NULL, &vram->sgt);
#elif defined(DEVICE_AS_PROOF)
	drm_gem_sgt_guard(sgt, &foo->ctx.drm, &vram->sgt, ret)
		foo_mmu_map(drm_gem_sgt_table(sgt));
#elif defined(ASSIGNED)
	other->owned = vram->owned;
#elif defined(TABLE_USED_AFTER_ITS_SCOPE)
	const struct sg_table *table = NULL;

	drm_dev_ctx_guard(foo_reg, reg, &foo->ctx) {
		drm_gem_sgt_guard(sgt, &reg->base.bound, &vram->sgt, ret)
			table = drm_gem_sgt_table(sgt);
		if (table)
			foo_mmu_map(table);
	}
#else
	drm_dev_ctx_guard(foo_reg, reg, &foo->ctx) {
		drm_gem_sgt_guard(sgt, &reg->base.bound, &vram->sgt, ret) {
#if defined(KEPT)
			job->sgt = sgt;
#elif defined(FREED)
			sg_free_table(drm_gem_sgt_table(sgt));
#endif
			foo_mmu_map(drm_gem_sgt_table(sgt));
		}
		if (!ret)
			ret = drm_gem_sgt_own(&vram->owned, &reg->base.bound, &vram->sgt);
	}
#endif
	return ret;
}
