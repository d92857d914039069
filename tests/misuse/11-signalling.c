// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 11
// title: allocation, vmap or reservation lock in the fence signalling path
// rust: no
// wrong: ALLOCATES B: foo_bind_run\(\) uses \w+, which may sleep or allocate
// wrong: ALLOCATES_A_STRING B: foo_bind_run\(\) uses \w+, which may sleep or allocate
// wrong: ALLOCATES_A_NUMBER B: foo_bind_run\(\) uses \w+, which may sleep or allocate
// wrong: ALLOCATES_MANAGED B: foo_bind_run\(\) uses \w+, which may sleep or allocate
// wrong: STORES B: foo_bind_run\(\) uses \w+, which may sleep or allocate
// wrong: COLLECTS_FENCES B: foo_bind_run\(\) uses \w+, which may sleep or allocate
// wrong: GROWS B: foo_bind_run\(\) uses \w+, which may sleep or allocate
// wrong: NOT_CHECKED B: this file is not checked
// wrong: LOCKS B: foo_bind_run\(\) uses \w+, which may sleep or allocate
// wrong: LOCKS_OBJECT B: foo_bind_run\(\) uses \w+, which may sleep or allocate
// wrong: LOCKS_SLOW B: foo_bind_run\(\) uses \w+, which may sleep or allocate
// wrong: LOCKS_WW B: foo_bind_run\(\) uses \w+, which may sleep or allocate
// wrong: LOCKS_EXEC B: foo_bind_run\(\) uses \w+, which may sleep or allocate
// wrong: LOCKS_VM B: foo_bind_run\(\) uses \w+, which may sleep or allocate
// wrong: RESERVES B: foo_bind_run\(\) uses \w+, which may sleep or allocate
// wrong: MAKES_HANDLE B: foo_bind_run\(\) uses \w+, which may sleep or allocate
// wrong: WAITS B: foo_bind_run\(\) uses \w+, which may sleep or allocate
// wrong: WAITS_ALL B: foo_bind_run\(\) uses \w+, which may sleep or allocate
// wrong: WAITS_FOR_HANDLE B: foo_bind_run\(\) uses \w+, which may sleep or allocate
// wrong: WAITS_FOR_SUBMIT B: foo_bind_run\(\) uses \w+, which may sleep or allocate
// wrong: MAPS B: foo_bind_run\(\) uses \w+, which may sleep or allocate
// wrong: RESUMES B: foo_bind_run\(\) uses \w+, which may sleep or allocate
// wrong: EVICTS B: foo_bind_run\(\) uses \w+, which may sleep or allocate
// wrong: PREPARES B: foo_bind_run\(\) uses \w+, which may sleep or allocate
// wrong: PUTS_OBJECT B: foo_bind_run\(\) uses \w+, which may sleep or allocate
// wrong: PUTS_BO B: foo_bind_run\(\) uses \w+, which may sleep or allocate
// wrong: CLEANS_UP B: foo_bind_run\(\) uses \w+, which may sleep or allocate
// wrong: FLUSHES B: foo_bind_run\(\) uses \w+, which may sleep or allocate
// wrong: WAITS_FOR_COMPLETION B: foo_bind_run\(\) uses \w+, which may sleep or allocate
// wrong: READS_USERSPACE B: foo_bind_run\(\) uses \w+, which may sleep or allocate
// wrong: SLEEPS B: foo_bind_run\(\) uses \w+, which may sleep or allocate
// wrong: CALLS_ANOTHER_FILE B: foo_bind_run\(\) uses foo_hw_ready, which may sleep or allocate
// wrong: USES_A_VARIABLE B: foo_bind_run\(\) uses foo_verbose, a variable or the address of a function
// wrong: OBTAINS B: foo_bind_run\(\) uses \w+, which may sleep or allocate
// run: drm_gpuvm_imm.drm_gpuvm_imm_test_drop_signalling: Code that runs in the fence signalling path does not allocate.

#if defined(NOT_CHECKED)
#undef DRM_SAFE_SIGNALLING_CHECKED
#endif
#include "drm_safe_signalling.h"
#include <linux/delay.h>
#include <linux/uaccess.h>
#include <drm/drm_syncobj.h>
#include "foo.h"

/* Another file defines this: foo_bind_run() may use it only if the driver's list names it. */
extern bool foo_verbose;

/* &drm_sched_backend_ops.run_job */
int foo_bind_run(struct foo_vm *vm, struct drm_gpuvm_imm_update *update,
		 struct foo_bo *bo, struct drm_exec *exec, struct drm_file *file,
		 struct dma_fence *last)
{
#if defined(ALLOCATES)
	u64 *pt = kzalloc(SZ_4K, GFP_KERNEL);

	if (!pt)
		return -ENOMEM;
	vm->root = (u64)pt;
#elif defined(ALLOCATES_A_STRING)
	const char *name = kasprintf(GFP_KERNEL, "%llu", vm->root);

	if (!name)
		return -ENOMEM;
#elif defined(ALLOCATES_A_NUMBER)
	u32 id;

	if (xa_alloc(&file->syncobj_xa, &id, bo, xa_limit_32b, GFP_KERNEL))
		return -ENOMEM;
#elif defined(ALLOCATES_MANAGED)
	if (!devm_kzalloc(drm_shmem_gem(&bo->shmem)->dev->dev, SZ_4K, GFP_KERNEL))
		return -ENOMEM;
#elif defined(STORES)
	if (xa_is_err(xa_store(&file->syncobj_xa, 0, bo, GFP_KERNEL)))
		return -ENOMEM;
#elif defined(COLLECTS_FENCES)
	struct dma_fence **fences;
	unsigned int count;

	if (dma_resv_get_fences(drm_shmem_gem(&bo->shmem)->resv, DMA_RESV_USAGE_READ, &count,
				&fences))
		return -ENOMEM;
#elif defined(GROWS)
	u64 *pt = krealloc((u64 *)vm->root, SZ_8K, GFP_KERNEL);

	if (!pt)
		return -ENOMEM;
#elif defined(LOCKS)
	dma_resv_lock(drm_shmem_gem(&bo->shmem)->resv, NULL);
	dma_resv_unlock(drm_shmem_gem(&bo->shmem)->resv);
#elif defined(LOCKS_OBJECT)
	drm_gem_lock(drm_shmem_gem(&bo->shmem));
	drm_gem_unlock(drm_shmem_gem(&bo->shmem));
#elif defined(LOCKS_SLOW)
	dma_resv_lock_slow(drm_shmem_gem(&bo->shmem)->resv, &exec->ticket);
	dma_resv_unlock(drm_shmem_gem(&bo->shmem)->resv);
#elif defined(LOCKS_WW)
	if (ww_mutex_lock_interruptible(&drm_shmem_gem(&bo->shmem)->resv->lock, NULL))
		return -ERESTARTSYS;
	ww_mutex_unlock(&drm_shmem_gem(&bo->shmem)->resv->lock);
#elif defined(LOCKS_EXEC)
	if (drm_exec_lock_obj(exec, drm_shmem_gem(&bo->shmem)))
		return -EDEADLK;
#elif defined(LOCKS_VM)
	if (drm_gpuvm_imm_lock(drm_gpuvm_imm_shared(vm->core), exec, 1))
		return -EDEADLK;
#elif defined(RESERVES)
	if (dma_resv_reserve_fences(drm_shmem_gem(&bo->shmem)->resv, 1))
		return -ENOMEM;
#elif defined(MAKES_HANDLE)
	u32 handle;

	if (drm_gem_handle_create(file, drm_shmem_gem(&bo->shmem), &handle))
		return -ENOMEM;
#elif defined(WAITS)
	dma_fence_wait(last, false);
#elif defined(WAITS_ALL)
	dma_resv_wait_timeout(drm_shmem_gem(&bo->shmem)->resv, DMA_RESV_USAGE_READ, false,
			      MAX_SCHEDULE_TIMEOUT);
#elif defined(WAITS_FOR_HANDLE)
	drm_gem_dma_resv_wait(file, 1, true, MAX_SCHEDULE_TIMEOUT);
#elif defined(WAITS_FOR_SUBMIT)
	if (drm_syncobj_find_fence(file, 1, 0, DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT, &last))
		return -ENOENT;
#elif defined(MAPS)
	int ret;

	drm_vmap_guard(foo_fw, fw, &bo->shmem, ret)
		drm_vmap_write32(fw, 0, 1);
#elif defined(RESUMES)
	static struct drm_shmem_sgt_owned table;
	int ret = -ENODEV;

	drm_dev_ctx_guard(foo_reg, reg, to_drm_dev_ctx(drm_shmem_gem(&bo->shmem)->dev))
		ret = drm_shmem_sgt_resume(&table, &reg->base.bound);
	if (ret)
		return ret;
#elif defined(EVICTS)
	if (drm_shmem_evict(&bo->shmem))
		return -EBUSY;
#elif defined(PREPARES)
	int ret = drm_gpuvm_imm_prepare_map(&foo_vm_type, drm_gpuvm_imm_shared(vm->core), update,
					    bo, 0, SZ_4K, 0, NULL);

	if (ret)
		return ret;
#elif defined(OBTAINS)
	drm_gpuvm_imm_bo_put(drm_gpuvm_imm_obtain_gem(drm_gpuvm_imm_shared(vm->core),
						      drm_shmem_gem(&bo->shmem), NULL));
#elif defined(PUTS_OBJECT)
	drm_shmem_put(&bo->shmem);
#elif defined(PUTS_BO)
	drm_gpuvm_bo_put((struct drm_gpuvm_bo *)vm);
#elif defined(CLEANS_UP)
	drm_gpuvm_bo_deferred_cleanup(NULL);
#elif defined(FLUSHES)
	flush_work((struct work_struct *)vm);
#elif defined(WAITS_FOR_COMPLETION)
	wait_for_completion((struct completion *)vm);
#elif defined(READS_USERSPACE)
	if (copy_from_user(&bo->flags, u64_to_user_ptr(vm->root), sizeof(bo->flags)))
		return -EFAULT;
#elif defined(SLEEPS)
	msleep(1);
#elif defined(CALLS_ANOTHER_FILE)
	if (!foo_hw_ready())
		return -EBUSY;
#elif defined(USES_A_VARIABLE)
	if (foo_verbose)
		vm->root++;
#endif
	return drm_gpuvm_imm_run(&foo_vm_type, vm, update, NULL);
}
