// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 3
// title: reservation lock taken twice
// rust: no
// wrong: MAPS C: this takes the reservation lock, which is held: use its _locked form
// wrong: TAKES_SGT C: this takes the reservation lock, which is held: use its _locked form
// wrong: MAPS_FROM_THERE_ON C: drm_vmap_or\(\) takes the reservation lock, which is held
// wrong: TAKES_SGT_FROM_THERE_ON C: drm_shmem_sgt_or\(\) takes the reservation lock, which is held
// wrong: OWNS C: drm_vmap_own\(\) takes the reservation lock, which is held
// wrong: BINDS C: drm_gpuvm_imm_prepare_map\(\) takes the reservation lock, which is held
// wrong: OWNS_UNDER_GUARD C: drm_shmem_sgt_own\(\) takes the reservation lock, which is held: use its _locked form
// wrong: PUTS_UNDER_GUARD C: drm_shmem_put\(\) takes the reservation lock, which is held: release it first
// run: drm_shmem_vmap.wrong_lock: A call that takes the lock reports a caller that already holds it.

#include "foo.h"

int foo_bo_update(const struct foo_reg *reg, struct foo_bo *bo,
		  struct foo_fw_owned *own, struct foo_vm *vm,
		  struct drm_gpuvm_imm_update *update)
{
	int ret;

	dma_resv_lock(drm_shmem_gem(&bo->shmem)->resv, NULL);
#if defined(MAPS)
	drm_vmap_guard(foo_fw, fw, &bo->shmem, ret)
		drm_vmap_fill(fw, 0, 0, SZ_4K);
#elif defined(TAKES_SGT)
	drm_shmem_sgt_guard(sgt, &reg->base.bound, &bo->shmem, ret)
		pr_debug("%u\n", drm_shmem_sgt_table(sgt)->nents);
#elif defined(MAPS_FROM_THERE_ON)
	drm_vmap_or(foo_fw, fw, &bo->shmem, ret, return ret);
	drm_vmap_fill(fw, 0, 0, SZ_4K);
#elif defined(TAKES_SGT_FROM_THERE_ON)
	drm_shmem_sgt_or(sgt, &reg->base.bound, &bo->shmem, ret, return ret);
	pr_debug("%u\n", drm_shmem_sgt_table(sgt)->nents);
#elif defined(OWNS)
	ret = drm_vmap_own(own, &bo->shmem);
#elif defined(BINDS)
	ret = drm_gpuvm_imm_prepare_map(&foo_vm_type, drm_gpuvm_imm_shared(vm->core), update, bo, 0,
					SZ_4K, 0, NULL);
#else
	drm_vmap_guard_locked(foo_fw, fw, &bo->shmem, ret)
		drm_vmap_fill(fw, 0, 0, SZ_4K);
	if (!ret)
		ret = drm_vmap_own_locked(own, &bo->shmem);
	if (!ret)
		ret = drm_gpuvm_imm_prepare_map_locked(&foo_vm_type, drm_gpuvm_imm_shared(vm->core),
						       update, bo, 0, SZ_4K, 0, NULL);
	if (!ret) {
		drm_shmem_sgt_guard_locked(sgt, &reg->base.bound, &bo->shmem, ret)
			pr_debug("%u\n", drm_shmem_sgt_table(sgt)->nents);
	}
#endif
	dma_resv_unlock(drm_shmem_gem(&bo->shmem)->resv);
	return ret;
}

int foo_bo_own(const struct foo_reg *reg, struct foo_bo *bo, struct drm_shmem_sgt_owned *own)
{
	guard(drm_resv)(drm_shmem_gem(&bo->shmem)->resv);
	bo->flags++;
#if defined(OWNS_UNDER_GUARD)
	return drm_shmem_sgt_own(own, &reg->base.bound, &bo->shmem);
#else
	return drm_shmem_sgt_own_locked(own, &reg->base.bound, &bo->shmem);
#endif
}

void foo_bo_drop(struct foo_bo *bo)
{
	scoped_guard(drm_resv, drm_shmem_gem(&bo->shmem)->resv) {
		bo->flags = 0;
#if defined(PUTS_UNDER_GUARD)
		drm_shmem_put(&bo->shmem);
#endif
	}
#if !defined(PUTS_UNDER_GUARD)
	drm_shmem_put(&bo->shmem);
#endif
}
