// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 11
// title: a step of an address space allocates, somewhere below
// rust: no
// wrong: STEP_ALLOCATES C(context): 'nonallocating' function 'foo_vm_step_map'
// wrong: CALLS_WHAT_MAY_ALLOCATE C(context): 'nonallocating' function 'foo_vm_step_map'
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
foo_vm_step_map(struct foo_vm *vm, const struct drm_gpuvm_imm_map_step *op)
{
#if defined(STEP_ALLOCATES)
	if (!vm->root)
		vm->root = (u64)foo_pt_alloc();
#elif defined(CALLS_WHAT_MAY_ALLOCATE)
	foo_log(vm);
#endif
	foo_pt_write(vm, op->addr, op->range);
	return drm_gpuvm_imm_map_done(op);
}

static struct drm_gpuvm_imm_unmapped *
foo_vm_step_unmap(struct foo_vm *vm, const struct drm_gpuvm_imm_unmap_step *op)
{
	foo_pt_write(vm, op->va->va.addr, op->va->va.range);
	return drm_gpuvm_imm_unmap_done(op);
}

static struct drm_gpuvm_imm_remapped *
foo_vm_step_remap(struct foo_vm *vm, const struct drm_gpuvm_imm_remap_step *op)
{
	foo_pt_write(vm, op->addr, op->range);
	return drm_gpuvm_imm_remap_done(op);
}

DRM_GPUVM_IMM_OPS(foo_vm, &foo_bo_type.base.funcs, SZ_4K);
