// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 42
// title: use of an address space that was never initialised
// rust: b
// wrong: RESULT_LOST W: warn_unused_result|unused-result
// wrong: NONE W: nonnull|null passed to a callee
// run: drm_gpuvm_imm_edge.core_never_initialised: -EINVAL or nothing found, whatever is in the memory
// run: drm_gpuvm_imm_edge.core_initialised_twice: -EBUSY, the first one stays
// run: drm_gpuvm_imm_edge.vm_of_no_core: nothing, reported
// run: drm_gpuvm_imm_edge.update_of_no_core: -EINVAL, reported

#include "foo.h"

int foo_vm_setup(struct foo_vm *vm, struct drm_device *drm,
		 const struct drm_gpuvm_imm_config *config)
{
#if defined(RESULT_LOST)
	drm_gpuvm_imm_init(&foo_vm_type, vm, drm, config);
	return 0;
#else
	return drm_gpuvm_imm_init(&foo_vm_type, vm, drm, config);
#endif
}

int foo_vm_change(struct foo_vm *vm, struct drm_gpuvm_imm_update *update)
{
#if defined(NONE)
	return drm_gpuvm_imm_core_run(NULL, update);
#else
	return drm_gpuvm_imm_run(&foo_vm_type, vm, update, NULL);
#endif
}
