// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 12
// title: sg table of an object that has no shmem pages
// rust: -
// wrong: NULL_PROOF B: a proof is needed here, such as &reg->base.bound, and NULL is none
// wrong: OWNED_WITHOUT_PROOF B: a proof is needed here, such as &reg->base.bound, and NULL is none
// wrong: DEVICE_AS_PROOF B: incompatible pointer
// wrong: FREED W: discards 'const' qualifier|discards qualifiers
// wrong: ASSIGNED B: assignment of read-only|cannot assign to|is not assignable
// wrong: KEPT C: 'sgt' is borrowed for a scope and must not be kept
// wrong: TABLE_USED_AFTER_ITS_SCOPE C: 'table' is borrowed for a scope and must not be kept
// wrong: EXPORTED_BY_THE_CORE C: drm_gem_prime_export\(\) goes behind the handles of drm_shmem_safe.h
// wrong: IMPORTERS_TOLD C: dma_buf_invalidate_mappings\(\) goes behind the handles of drm_shmem_safe.h
// wrong: STEPS_SWAPPED B: incompatible (function )?pointer
// run: drm_shmem_gem_exports.exp_revoked: Importers are notified, and no table of a dma-buf is left.
// run: drm_shmem_gem_exports.exp_static_refused: An importer that cannot be notified gets -EOPNOTSUPP.
// wrong: ENDED_IN_SECTION B: inside of a section, the hardware is still in use: call it in quiesce
// wrong: ENDED_WITH_DEVICE B: incompatible pointer
// run: drm_shmem_gem_exports.exp_ended_misused: A wrong call is reported, and importers keep their tables.
// run: drm_shmem_gem_exports.exp_misused: A type without the steps of an export gives -EINVAL and a report.
// run: drm_shmem_gem_sgt.revoke: The table does not come back, even if the device is bound again.
// run: drm_shmem_gem_sgt.vram_misused: The proof of another device gives -EINVAL.

#include <linux/dma-buf.h>

#include <drm/drm_prime.h>

#include "foo.h"

struct foo_stolen {
	struct drm_gem_object gem;
	struct drm_gem_sgt sgt;
};

struct foo_stolen_job {
	const struct drm_gem_sgt_lent *sgt;
	struct drm_gem_sgt_owned owned;
};

void foo_mmu_map(const struct sg_table *sgt);
void foo_stolen_copy(struct foo_stolen *stolen);

int foo_stolen_bind(struct foo_device *foo, struct foo_stolen *vram, struct foo_stolen_job *job,
		    struct foo_stolen_job *other)
{
	int ret = -ENODEV;

#if defined(NULL_PROOF)
	drm_gem_sgt_guard(sgt, NULL, &vram->sgt, ret)
		foo_mmu_map(drm_gem_sgt_table(sgt));
#elif defined(OWNED_WITHOUT_PROOF)
	ret = drm_gem_sgt_own(&job->owned, NULL, &vram->sgt);
#elif defined(DEVICE_AS_PROOF)
	drm_gem_sgt_guard(sgt, &foo->ctx.drm, &vram->sgt, ret)
		foo_mmu_map(drm_gem_sgt_table(sgt));
#elif defined(ASSIGNED)
	other->owned = job->owned;
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
			ret = drm_gem_sgt_own(&job->owned, &reg->base.bound, &vram->sgt);
	}
#endif
	return ret;
}

struct sg_table *foo_stolen_map(struct drm_gem_object *gem);
void foo_stolen_unmap(struct drm_gem_object *gem, struct sg_table *sgt);
struct sg_table *foo_stolen_map_for(struct drm_gem_object *gem, struct dma_buf_attachment *attach,
				    enum dma_data_direction dir);
void foo_stolen_unmap_for(struct drm_gem_object *gem, struct dma_buf_attachment *attach,
			  struct sg_table *sgt, enum dma_data_direction dir);

const struct drm_gem_sgt_ops foo_stolen_ops = {
	.map = foo_stolen_map,
	.unmap = foo_stolen_unmap,
#if defined(STEPS_SWAPPED)
	.map_for = foo_stolen_map,
#else
	.map_for = foo_stolen_map_for,
#endif
	.unmap_for = foo_stolen_unmap_for,
};

/* Importers must not keep the addresses of the device's memory when the device is gone. */
struct dma_buf *foo_stolen_export(struct drm_gem_object *gem, int flags)
{
#if defined(EXPORTED_BY_THE_CORE)
	return drm_gem_prime_export(gem, flags);
#else
	return drm_gem_sgt_export(&container_of(gem, struct foo_stolen, gem)->sgt, flags);
#endif
}

/* The library notifies importers if it must, and waits until they have stopped using the memory. */
void foo_stolen_move(struct foo_stolen *stolen)
{
	dma_resv_lock(stolen->gem.resv, NULL);
#if defined(IMPORTERS_TOLD)
	dma_buf_invalidate_mappings(stolen->gem.dma_buf);
	foo_stolen_copy(stolen);
#else
	if (!drm_gem_sgt_unmap_locked(&stolen->sgt))
		foo_stolen_copy(stolen);
#endif
	dma_resv_unlock(stolen->gem.resv);
}

struct foo_stolen_hw {
	struct drm_dev_ctx_data base;
};

void foo_stolen_fail_jobs(struct foo_stolen_hw *hw);
void foo_stolen_off(struct foo_stolen_hw *hw);
void foo_stolen_kick(const struct foo_reg *reg);

/* Importers wait for jobs, and use the memory until drm_gem_sgt_exports_end() has returned. */
void foo_stolen_quiesce(const struct drm_dev_ctx_bound *bound, struct drm_dev_ctx_data *data)
{
	struct foo_stolen_hw *hw = container_of(data, struct foo_stolen_hw, base);

	foo_stolen_fail_jobs(hw);
#if defined(ENDED_WITH_DEVICE)
	drm_gem_sgt_exports_end(drm_dev_ctx_bound_drm(bound));
#else
	drm_gem_sgt_exports_end(bound);
#endif
	foo_stolen_off(hw);
}

void foo_stolen_reset(struct foo_device *foo)
{
	drm_dev_ctx_guard(foo_reg, reg, &foo->ctx) {
#if defined(ENDED_IN_SECTION)
		drm_gem_sgt_exports_end(&reg->base.bound);
#endif
		foo_stolen_kick(reg);
	}
}
