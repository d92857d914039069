// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 25
// title: two writers on one VM
// rust: b
// wrong: SHARED_WRITES B: incompatible pointer
// wrong: CORE_ASSIGNED B: read-only|not assignable|cannot assign
// wrong: VM_ASSIGNED B: read-only|cannot assign
// wrong: CORE_INITIALISED B: invalid initializer|must be an initializer list
// wrong: POINTER_IN_PLACE_OF_CORE B: declare the core with DRM_GPUVM_IMM_CORE\(\)
// wrong: CORE_COPIED C: 'copy' is a copy of another 'struct drm_gpuvm_imm_core'
// wrong: VM_COPIED C: 'copy' is a copy of another 'struct foo_vm'
// wrong: VM_BY_VALUE C: 'vm' is a copy of another 'struct foo_vm'
// checked: VM_COPIED: An initialiser copies the structure of a VM: ``struct foo_vm copy = *vm;``. C cannot forbid that.
// run: drm_gpuvm_imm.drm_gpuvm_imm_test_two_writers: The second writer is refused and reported.
// run: drm_gpuvm_imm_race.drm_gpuvm_imm_race_test_writers: A second writer in another thread is refused and reported, too.
// run: drm_gpuvm_imm_close.close_from_step: A close from inside a step is refused and reported.

#include "foo.h"

struct bar_vm {
#if defined(POINTER_IN_PLACE_OF_CORE)
	struct drm_gpuvm_imm_core *core;
#else
	DRM_GPUVM_IMM_CORE(core);
#endif
};

DRM_GPUVM_IMM_TYPE(bar_vm_type, struct bar_vm, core, struct foo_va, struct foo_bo, shmem.base.base);

#if defined(VM_BY_VALUE)
int foo_bind_copy(struct foo_vm vm, struct drm_gpuvm_imm_update *update)
{
	return drm_gpuvm_imm_run(&foo_vm_type, &vm, update, NULL);
}
#endif

int foo_bind_run(struct foo_vm *vm, struct foo_vm *other,
		 struct drm_gpuvm_imm *shared, struct drm_gpuvm_imm_update *update)
{
#if defined(SHARED_WRITES)
	return drm_gpuvm_imm_run(&foo_vm_type, shared, update, NULL);
#elif defined(CORE_ASSIGNED)
	vm->core[0] = other->core[0];
#elif defined(VM_ASSIGNED)
	*vm = *other;
#elif defined(CORE_INITIALISED)
	struct drm_gpuvm_imm_core copy[1] = vm->core;

	return drm_gpuvm_imm_core_run(copy, update);
#elif defined(CORE_COPIED)
	struct drm_gpuvm_imm_core copy = vm->core[0];

	return drm_gpuvm_imm_core_run(&copy, update);
#elif defined(VM_COPIED)
	struct foo_vm copy = *vm;

	return drm_gpuvm_imm_run(&foo_vm_type, &copy, update, NULL);
#endif
	return drm_gpuvm_imm_run(&foo_vm_type, vm, update, NULL);
}
