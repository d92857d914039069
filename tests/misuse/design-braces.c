// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: design
// title: a scope as the body of an if needs braces, like scoped_guard()
// rust: -
// wrong: SECTION_BARE W: explicit braces to avoid (ambiguous|dangling)
// wrong: TABLE_BARE W: explicit braces to avoid (ambiguous|dangling)
// wrong: KERNELS_OWN_BARE W: explicit braces to avoid (ambiguous|dangling)

#include <linux/mutex.h>

#include "foo.h"

void foo_mmu_map(const struct sg_table *sgt);

/* A mapping's scope needs no braces, and an else of its own makes the other scopes clear. */
int foo_bo_show(struct foo_device *foo, struct foo_bo *bo, bool once)
{
	int ret = 0;

	if (once)
		drm_vmap_guard(foo_fw, fw, &bo->shmem, ret)
			drm_vmap_write32(fw, 0, 1);
	if (once)
		drm_dev_ctx_guard(foo_reg, reg, &foo->ctx)
			ret = foo_hw_submit(reg, 0);
	else
		bo->flags = 0;
	return ret;
}

int foo_bo_start(const struct foo_reg *reg, struct foo_bo *bo, struct mutex *mutex, bool once)
{
	int ret = 0;

#if defined(TABLE_BARE)
	if (once)
		drm_shmem_sgt_guard(sgt, &reg->base.bound, &bo->shmem, ret)
			foo_mmu_map(drm_shmem_sgt_table(sgt));
#elif defined(KERNELS_OWN_BARE)
	if (once)
		scoped_guard(mutex, mutex)
			bo->flags = 0;
#else
	if (once) {
		drm_shmem_sgt_guard(sgt, &reg->base.bound, &bo->shmem, ret)
			foo_mmu_map(drm_shmem_sgt_table(sgt));
	}
#endif
	return ret;
}

int foo_try(struct foo_device *foo, bool once)
{
	int ret = 0;

#if defined(SECTION_BARE)
	if (once)
		drm_dev_ctx_guard(foo_reg, reg, &foo->ctx)
			ret = foo_hw_submit(reg, 0);
#else
	if (once) {
		drm_dev_ctx_guard(foo_reg, reg, &foo->ctx)
			ret = foo_hw_submit(reg, 0);
	}
#endif
	return ret;
}
