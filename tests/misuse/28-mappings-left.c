// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 28
// title: VM dropped with mappings left
// rust: no
// wrong: CLOSED_BY_A_SHARER B: incompatible pointer
// run: drm_gpuvm_imm.drm_gpuvm_imm_test_fini: what is left is unmapped by the driver's steps
// run: drm_gpuvm_imm_close.close_unmaps: a close unmaps everything, while others have references
// run: drm_gpuvm_imm_close.close_refuses: -ESHUTDOWN for a bind after the close

#include "foo.h"

/* There is nothing to unmap first. */
void foo_vm_destroy(struct foo_vm *vm)
{
	drm_gpuvm_imm_fini(vm->core);
	kfree(vm);
}

/* Userspace has destroyed it, and a queue of jobs still has a reference to the structure. */
void foo_vm_close(struct foo_vm *vm, struct drm_gpuvm_imm *shared)
{
#if defined(CLOSED_BY_A_SHARER)
	drm_gpuvm_imm_close(shared);
#else
	drm_gpuvm_imm_close(vm->core);
#endif
}
