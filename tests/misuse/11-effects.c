// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 11
// title: step of an address space that calls a function that allocates
// rust: no
// wrong: STEP_ALLOCATES C(context): 'nonallocating' function 'foo_vm_map'
// wrong: CALLS_WHAT_MAY_ALLOCATE C(context): 'nonallocating' function 'foo_vm_map'
// wrong: DECLARED_AND_ALLOCATES C(context): 'nonallocating' function 'foo_pt_alloc'

#include "foo.h"

void foo_tlb_flush(struct foo_vm *vm, u64 addr, u64 range) __drm_nonallocating;
void foo_log(struct foo_vm *vm);

#if defined(STEP_ALLOCATES) || defined(DECLARED_AND_ALLOCATES)
static u64 *foo_pt_alloc(void)
{
	return kzalloc(SZ_4K, GFP_KERNEL);
}
#endif

void foo_pt_write(struct foo_vm *vm, u64 addr, u64 range) __drm_nonallocating;
void foo_pt_write(struct foo_vm *vm, u64 addr, u64 range)
{
#if defined(DECLARED_AND_ALLOCATES)
	if (!vm->root)
		vm->root = (u64)foo_pt_alloc();
#endif
	foo_tlb_flush(vm, addr, range);
}

static struct drm_gpuvm_imm_mapped *
foo_vm_map(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_map_step *step)
	__drm_nonallocating
{
	struct foo_vm *vm = drm_gpuvm_imm_of(&foo_vm_type, core);

#if defined(STEP_ALLOCATES)
	if (!vm->root)
		vm->root = (u64)foo_pt_alloc();
#elif defined(CALLS_WHAT_MAY_ALLOCATE)
	foo_log(vm);
#endif
	foo_pt_write(vm, step->addr, step->range);
	return drm_gpuvm_imm_map_done(step);
}

static struct drm_gpuvm_imm_unmapped *
foo_vm_unmap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_unmap_step *step)
	__drm_nonallocating
{
	struct foo_vm *vm = drm_gpuvm_imm_of(&foo_vm_type, core);

	foo_pt_write(vm, step->va->va.addr, step->va->va.range);
	return drm_gpuvm_imm_unmap_done(step);
}

static struct drm_gpuvm_imm_remapped *
foo_vm_remap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_remap_step *step)
	__drm_nonallocating
{
	struct foo_vm *vm = drm_gpuvm_imm_of(&foo_vm_type, core);

	foo_pt_write(vm, step->addr, step->range);
	return drm_gpuvm_imm_remap_done(step);
}

const struct foo_vm_type foo_vm_type = {
	.base.granule = SZ_4K,
	.base.obj_funcs = &foo_bo_type.base.funcs,
	.base.map = foo_vm_map,
	.base.unmap = foo_vm_unmap,
	.base.remap = foo_vm_remap,
};
