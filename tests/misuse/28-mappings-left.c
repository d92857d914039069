// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 28
// title: VM dropped with mappings left
// rust: no
// run: drm_gpuvm_imm.drm_gpuvm_imm_test_fini: what is left is unmapped by the driver's steps

#include "foo.h"

/* There is nothing to unmap first. */
void foo_vm_destroy(struct foo_vm *vm)
{
	drm_gpuvm_imm_fini(vm->core);
	kfree(vm);
}
