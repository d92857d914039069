// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 11
// title: allocation, vmap or resv lock in the fence signalling path
// rust: no
// wrong: ALLOCATES B: memory is allocated in a file of the fence signalling path
// wrong: LOCKS B: a reservation lock is taken in a file of the fence signalling path
// wrong: LOCKS_OBJECT B: a reservation lock is taken in a file of the fence signalling path
// wrong: MAPS B: this may wait, in a file of the fence signalling path
// wrong: PREPARES B: this may wait, in a file of the fence signalling path
// run: drm_gpuvm_imm.drm_gpuvm_imm_test_drop_signalling: what runs there does not allocate

#include "drm_safe_signalling.h"
#include "foo.h"

/* &drm_sched_backend_ops.run_job */
int foo_bind_run(struct foo_vm *vm, struct drm_gpuvm_update *update,
		 struct foo_bo *bo)
{
#if defined(ALLOCATES)
	u64 *pt = kzalloc(SZ_4K, GFP_KERNEL);

	if (!pt)
		return -ENOMEM;
	vm->root = (u64)pt;
#elif defined(LOCKS)
	dma_resv_lock(foo_bo_gem(bo)->resv, NULL);
	dma_resv_unlock(foo_bo_gem(bo)->resv);
#elif defined(LOCKS_OBJECT)
	drm_gem_lock(foo_bo_gem(bo));
	drm_gem_unlock(foo_bo_gem(bo));
#elif defined(MAPS)
	int ret;

	drm_shmem_if_vmap(foo_fw, fw, &bo->shmem, ret)
		drm_vmap_write32(fw, 0, 1);
#elif defined(PREPARES)
	int ret = foo_vm_prepare_map(foo_vm_shared(vm), update, bo, 0, SZ_4K, 0);

	if (ret)
		return ret;
#endif
	return foo_vm_run(vm, update);
}
