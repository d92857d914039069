// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 27
// title: half-done map not unwound
// rust: no
// wrong: ERROR_AS_INTEGER W: makes pointer from integer|incompatible integer to pointer
// wrong: NOT_COMPLETED B: incompatible (function )?pointer|incompatible return type
// wrong: COMPLETED_AS_ANOTHER B: incompatible (function )?pointer|incompatible return type
// wrong: COMPLETION_DROPPED W: ignoring return value
// run: drm_gpuvm_imm.drm_gpuvm_imm_test_rollback: The steps before the one that failed are undone.
// run: drm_gpuvm_imm.drm_gpuvm_imm_test_step_misuse: A step that does not complete its change is reported.

#include "foo.h"

int foo_pt_map(struct foo_vm *vm, u64 addr, u64 range, u32 prot) __drm_nonallocating;
void foo_pt_clear(struct foo_vm *vm, u64 addr, u64 range) __drm_nonallocating;

static struct drm_gpuvm_imm_mapped *
foo_vm_map(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_map_step *step)
	__drm_nonallocating
{
	struct foo_vm *vm = drm_gpuvm_imm_of(&foo_vm_type, core);
	struct foo_va *data = drm_gpuvm_imm_va_data(&foo_vm_type, step->va);
	int ret = foo_pt_map(vm, step->addr, step->range, data->prot);

#if defined(ERROR_AS_INTEGER)
	if (ret)
		return ret;
#elif defined(NOT_COMPLETED)
	return step;
#elif defined(COMPLETION_DROPPED)
	drm_gpuvm_imm_map_done(step);
#endif
	return ret ? ERR_PTR(ret) : drm_gpuvm_imm_map_done(step);
}

static struct drm_gpuvm_imm_unmapped *
foo_vm_unmap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_unmap_step *step)
	__drm_nonallocating
{
	struct foo_vm *vm = drm_gpuvm_imm_of(&foo_vm_type, core);

	if (!step->keep)
		foo_pt_clear(vm, step->va->va.addr, step->va->va.range);
#if defined(COMPLETED_AS_ANOTHER)
	return drm_gpuvm_imm_map_done(step);
#else
	return drm_gpuvm_imm_unmap_done(step);
#endif
}

static struct drm_gpuvm_imm_remapped *
foo_vm_remap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_remap_step *step)
	__drm_nonallocating
{
	struct foo_vm *vm = drm_gpuvm_imm_of(&foo_vm_type, core);

	if (!step->keep)
		foo_pt_clear(vm, step->addr, step->range);
	return drm_gpuvm_imm_remap_done(step);
}

const struct foo_vm_type foo_vm_type = {
	.base.granule = SZ_4K,
	.base.obj_funcs = &foo_bo_type.base.funcs,
	.base.map = foo_vm_map,
	.base.unmap = foo_vm_unmap,
	.base.remap = foo_vm_remap,
};
