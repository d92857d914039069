// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 20
// title: vm_bo put in the signalling path, or deferred cleanup forgotten
// rust: no
// wrong: CLEANUP_BY_HAND B: incompatible pointer
// run: drm_gpuvm_imm.drm_gpuvm_imm_test_drop_signalling: A vm_bo is dropped in the signalling path and cleaned up elsewhere.
// run: drm_gpuvm_imm_race.drm_gpuvm_imm_race_test_end: Nothing is left, in whatever order the threads end.

#include "foo.h"

int foo_unbind_run(struct foo_vm *vm, struct drm_gpuvm_imm_update *update)
{
	int ret = drm_gpuvm_imm_run(&foo_vm_type, vm, update, NULL);

#if defined(CLEANUP_BY_HAND)
	drm_gpuvm_bo_deferred_cleanup(drm_gpuvm_imm_shared(vm->core));
#endif
	return ret;
}
