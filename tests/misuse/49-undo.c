// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 49
// title: failure inside an undo
// rust: no
// wrong: LOCK_IGNORED W: ignoring return value
// wrong: VALIDATE_IGNORED W: ignoring return value
// run: drm_gpuvm_imm_undo.undo_each: No entry to freed pages stays, whichever two steps fail.
// run: drm_gpuvm_imm_undo.undo_each: Nothing uses the broken VM.
// run: drm_gpuvm_imm.drm_gpuvm_imm_test_fini: An unmap step that fails when the core ends is reported.

#include "foo.h"

/* Prepares a job. A VM that has lost mappings refuses. */
int foo_exec(struct foo_vm *vm, struct drm_exec *exec, struct dma_fence *fence)
{
	struct drm_gpuvm_imm *shared = drm_gpuvm_imm_shared(vm->core);
	int ret;

	drm_exec_until_all_locked(exec) {
#if defined(LOCK_IGNORED)
		drm_gpuvm_imm_lock(shared, exec, 1);
#endif
		ret = drm_gpuvm_imm_lock(shared, exec, 1);
		drm_exec_retry_on_contention(exec);
		if (ret)
			return ret;
	}
#if defined(VALIDATE_IGNORED)
	drm_gpuvm_imm_validate(vm->core, exec);
#endif
	ret = drm_gpuvm_imm_validate(vm->core, exec);
	if (ret)
		return ret;
	drm_gpuvm_imm_add_fence(shared, exec, fence, DMA_RESV_USAGE_BOOKKEEP,
				DMA_RESV_USAGE_BOOKKEEP);
	return 0;
}

/* Tells userspace whether its VM has lost mappings. */
bool foo_vm_is_lost(struct foo_vm *vm)
{
	return drm_gpuvm_imm_is_broken(drm_gpuvm_imm_shared(vm->core));
}
