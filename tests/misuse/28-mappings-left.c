// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 28
// title: VM dropped with mappings left
// rust: no
// wrong: CLOSED_BY_A_SHARER B: incompatible pointer
// run: drm_gpuvm_imm.drm_gpuvm_imm_test_fini: The driver's steps unmap the mappings that are left.
// run: drm_gpuvm_imm_close.close_unmaps: A close unmaps everything, even while others hold references.
// run: drm_gpuvm_imm_close.close_refuses: A bind after the close gives -ESHUTDOWN.

#include "foo.h"

/* drm_gpuvm_imm_fini() unmaps the mappings that are left. */
void foo_vm_destroy(struct foo_vm *vm)
{
	drm_gpuvm_imm_fini(vm->core);
	kfree(vm);
}

/* Userspace has destroyed the VM, but a queue of jobs still references the structure. */
void foo_vm_close(struct foo_vm *vm, struct drm_gpuvm_imm *shared)
{
#if defined(CLOSED_BY_A_SHARER)
	drm_gpuvm_imm_close(shared);
#else
	drm_gpuvm_imm_close(vm->core);
#endif
}
