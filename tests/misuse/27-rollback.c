// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 27
// title: half-done map not unwound
// rust: no
// wrong: ERROR_AS_INTEGER W: makes pointer from integer|incompatible integer to pointer
// wrong: NOT_COMPLETED B: incompatible (function )?pointer|incompatible return type
// wrong: COMPLETED_AS_ANOTHER B: incompatible (function )?pointer|incompatible return type
// wrong: COMPLETION_DROPPED W: ignoring return value
// run: drm_gpuvm_imm.drm_gpuvm_imm_test_rollback: the steps before the one that failed are undone
// run: drm_gpuvm_imm.drm_gpuvm_imm_test_step_misuse: a step that does not complete is reported

#include "foo.h"

int foo_pt_map(struct foo_vm *vm, u64 addr, u64 range, u32 prot) __drm_nonallocating;
void foo_pt_clear(struct foo_vm *vm, u64 addr, u64 range) __drm_nonallocating;

static struct drm_gpuvm_imm_mapped *
foo_vm_step_map(struct foo_vm *vm, const struct drm_gpuvm_imm_map_step *op)
{
	int ret = foo_pt_map(vm, op->addr, op->range, foo_vm_va(op->va)->prot);

#if defined(ERROR_AS_INTEGER)
	if (ret)
		return ret;
#elif defined(NOT_COMPLETED)
	return op;
#elif defined(COMPLETION_DROPPED)
	drm_gpuvm_imm_map_done(op);
#endif
	return ret ? ERR_PTR(ret) : drm_gpuvm_imm_map_done(op);
}

static struct drm_gpuvm_imm_unmapped *
foo_vm_step_unmap(struct foo_vm *vm, const struct drm_gpuvm_imm_unmap_step *op)
{
	if (!op->keep)
		foo_pt_clear(vm, op->va->va.addr, op->va->va.range);
#if defined(COMPLETED_AS_ANOTHER)
	return drm_gpuvm_imm_map_done(op);
#else
	return drm_gpuvm_imm_unmap_done(op);
#endif
}

static struct drm_gpuvm_imm_remapped *
foo_vm_step_remap(struct foo_vm *vm, const struct drm_gpuvm_imm_remap_step *op)
{
	if (!op->keep)
		foo_pt_clear(vm, op->addr, op->range);
	return drm_gpuvm_imm_remap_done(op);
}

DRM_GPUVM_IMM_OPS(foo_vm, &foo_bo_type.base.funcs, SZ_4K);
