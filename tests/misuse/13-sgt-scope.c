// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 13
// title: sg table freed between get and use
// rust: b
// wrong: USED_AFTER_ITS_SCOPE B: 'sgt' undeclared|undeclared identifier 'sgt'
// wrong: OUTLIVES_THE_PROOF B: 'reg' undeclared|undeclared identifier 'reg'
// wrong: RETURNED W: returns address of local variable|address of stack memory
// wrong: STORED U(gcc): storing the address of local variable 'sgt'
// wrong: KEPT C: 'sgt' is borrowed for a scope and must not be kept
// wrong: KEPT_WITHOUT_A_BLOCK C: 'lent' is borrowed for a scope and must not be kept
// wrong: PROOF_KEPT C: 'reg' is borrowed for a scope and must not be kept
// wrong: PROOF_OF_THE_CALLER_KEPT C: 'reg' is borrowed for a scope and must not be kept
// wrong: BOUND_KEPT C: 'reg' is borrowed for a scope and must not be kept
// wrong: BOUND_KEPT_BY_ANOTHER_NAME C: 'reg' is borrowed for a scope and must not be kept
// wrong: BOUND_KEPT_IN_A_COPY C: 'reg' is borrowed for a scope and must not be kept
// wrong: BOUND_KEPT_IN_A_LITERAL C: 'reg' is borrowed for a scope and must not be kept
// wrong: TABLE_KEPT C: the table of 'lent' is borrowed for a scope and must not be kept
// wrong: TABLE_USED_AFTER_ITS_SCOPE C: 'table' is borrowed for a scope and must not be kept
// wrong: ASSIGNED B: assignment of read-only|cannot assign to|is not assignable
// wrong: NOT_LEFT B: the last argument must leave the scope
// wrong: FREED W: discards 'const' qualifier|discards qualifiers
// checked: KEPT_WITHOUT_A_BLOCK: A driver stores a borrowed pointer in a structure. gcc sees the simple cases with ``-Wdangling-pointer``.
// checked: PROOF_OF_THE_CALLER_KEPT: A function stores a proof that its caller passed.
// run: drm_shmem_life.put_while_borrowed: An object that is freed too early is reported, if its type counts users.
// run: drm_shmem_sgt.freed_before_unbind: The table is unmapped once, with its object.
// run: drm_shmem_sgt.unmap_early: A table that somebody uses is not unmapped.
// run: drm_shmem_race.free_against_unbind: The table is unmapped once, whether the object or the device goes first.

#include "foo.h"

struct foo_job {
	const struct drm_shmem_sgt *sgt;
	const struct foo_reg *reg;
	const struct drm_dev_ctx_bound *bound;
	const struct sg_table *table;
};

void foo_mmu_map(const struct sg_table *sgt);
void foo_job_prepare(struct foo_job *job);

#if defined(RETURNED)
const struct drm_shmem_sgt *foo_bo_sgt(const struct foo_reg *reg, struct foo_bo *bo)
{
	int ret;

	drm_shmem_sgt_or(sgt, &reg->base.bound, &bo->shmem, ret, return NULL);
	return sgt;
}
#endif

int foo_bo_bind(struct foo_device *foo, struct foo_bo *bo, struct foo_job *job)
{
	int ret = -ENODEV;

	drm_dev_ctx_guard(foo_reg, reg, &foo->ctx) {
		drm_shmem_sgt_guard(sgt, &reg->base.bound, &bo->shmem, ret) {
			foo_mmu_map(drm_shmem_sgt_table(sgt));
#if defined(STORED)
			job->sgt = sgt;
#elif defined(KEPT)
			job->sgt = sgt;
#elif defined(ASSIGNED)
			*sgt = (struct drm_shmem_sgt) {};
#elif defined(FREED)
			sg_free_table(drm_shmem_sgt_table(sgt));
#endif
		}
#if defined(USED_AFTER_ITS_SCOPE)
		foo_mmu_map(drm_shmem_sgt_table(sgt));
#endif
	}
#if defined(OUTLIVES_THE_PROOF)
	drm_shmem_sgt_guard(sgt, &reg->base.bound, &bo->shmem, ret)
		foo_mmu_map(drm_shmem_sgt_table(sgt));
#endif
	return ret;
}

int foo_job_run(struct foo_device *foo, struct foo_bo *bo, struct foo_job *job)
{
	int ret;

	drm_dev_ctx_or(foo_reg, reg, &foo->ctx, return -ENODEV);
#if defined(NOT_LEFT)
	drm_shmem_sgt_or(lent, &reg->base.bound, &bo->shmem, ret, ret = 0);
#else
	drm_shmem_sgt_or(lent, &reg->base.bound, &bo->shmem, ret, return ret);
#endif
#if defined(KEPT_WITHOUT_A_BLOCK)
	job->sgt = lent;
#elif defined(PROOF_KEPT)
	job->reg = reg;
#elif defined(TABLE_KEPT)
	job->table = drm_shmem_sgt_table(lent);
#endif
	foo_mmu_map(drm_shmem_sgt_table(lent));
	return 0;
}

/* A handler of an ioctl */
int foo_ioctl_bind(const struct foo_reg *reg, struct foo_job *job, struct foo_bo *bo)
{
#if defined(TABLE_USED_AFTER_ITS_SCOPE)
	const struct sg_table *table = NULL;
#endif
	int ret;

	drm_shmem_sgt_guard(sgt, &reg->base.bound, &bo->shmem, ret)
#if defined(TABLE_USED_AFTER_ITS_SCOPE)
		table = drm_shmem_sgt_table(sgt);
	if (!ret)
		foo_mmu_map(table);
#else
		foo_mmu_map(drm_shmem_sgt_table(sgt));
#endif
#if defined(PROOF_OF_THE_CALLER_KEPT)
	job->reg = reg;
#elif defined(BOUND_KEPT)
	job->bound = &reg->base.bound;
#endif
	return ret;
}

/* A structure may hold a borrowed pointer if the structure goes first. */
void foo_ioctl_prepare(const struct foo_reg *reg, struct foo_job *job, struct foo_job *queue)
{
	const struct drm_dev_ctx_bound *bound = &reg->base.bound;
	struct foo_job first = { .bound = bound };

	foo_job_prepare(&first);
#if defined(BOUND_KEPT_BY_ANOTHER_NAME)
	job->bound = bound;
#elif defined(BOUND_KEPT_IN_A_COPY)
	*queue = first;
#elif defined(BOUND_KEPT_IN_A_LITERAL)
	*job = (struct foo_job) { .bound = &reg->base.bound };
#endif
}
