// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 42
// title: address space used before it is initialised
// rust: b
// wrong: RESULT_LOST W: warn_unused_result|unused-result
// wrong: NONE W: nonnull|null passed to a callee
// run: drm_gpuvm_imm_edge.core_never_initialised: Calls give -EINVAL or find nothing, whatever the memory holds.
// run: drm_gpuvm_imm_edge.core_initialised_twice: The second call gives -EBUSY, and the first core stays.
// run: drm_gpuvm_imm_edge.vm_of_no_core: Calls do nothing and are reported.
// run: drm_gpuvm_imm_edge.update_of_no_core: Calls give -EINVAL and a report.

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
