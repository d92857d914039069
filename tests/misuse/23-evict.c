// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 23
// title: evict list unprotected
// rust: -
// wrong: RAW_VALIDATE B: incompatible (function )?pointer|incompatible return type
// wrong: RAW_CALLBACK B: incompatible (function )?pointer|incompatible return type
// run: drm_gpuvm_imm_race.drm_gpuvm_imm_race_test_all: evicted and validated by many threads
// run: drm_gpuvm_imm.drm_gpuvm_imm_test_evict: evicted objects are found and validated

#include "foo.h"

int foo_bo_make_resident(struct foo_bo *bo);

#if defined(RAW_CALLBACK)
static int foo_bo_validate(struct drm_gpuvm_bo *vm_bo, struct drm_exec *exec)
{
	return 0;
}
#else
static int foo_bo_validate(struct foo_vm *vm, struct foo_bo *bo, struct drm_exec *exec)
{
	return foo_bo_make_resident(bo);
}
#endif

int foo_vm_make_resident(struct foo_vm *vm, struct drm_exec *exec)
{
#if defined(RAW_VALIDATE)
	return drm_gpuvm_validate(foo_vm_shared(vm), exec);
#endif
	return foo_vm_validate(vm, exec, foo_bo_validate);
}
