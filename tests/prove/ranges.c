// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Proofs, for all values: ranges of address spaces and objects, at their ends too. cbmc
 * starts at each function prove_*().
 */

#include "gpuvm.h"
#include "extracted-pool.h"

/* An address space that drm_gpuvm_imm_core_init() accepted */
static struct drm_gpuvm_imm_type type;
static struct drm_gpuvm_imm vm = { .type = &type };

static void prove_lock(int *lock)
{
}

static u128 vm_end(void)
{
	return (u128)vm.base.mm_start + vm.base.mm_range;
}

static void any_vm(void)
{
	struct drm_gpuvm_imm_config config = {
		.start = nondet_u64(), .range = nondet_u64(),
		.reserve_start = nondet_u64(), .reserve_range = nondet_u64(),
	};

	type.granule = nondet_u64();
	assume(type.granule && !(type.granule & (type.granule - 1)));
	assume(drm_gpuvm_imm_config_valid(&config));
	vm.base.mm_start = config.start;
	vm.base.mm_range = config.range;
	vm.base.kernel_alloc_node.va.addr = config.reserve_start;
	vm.base.kernel_alloc_node.va.range = config.reserve_range;
}

/* Neither range overflows, and the reserved one is in the space. */
// plant: 1i #undef check_add_overflow\n#define check_add_overflow(a, b, d) (*(d) = (a) + (b), false)
void prove_config(void)
{
	const struct drm_gpuva *reserved = &vm.base.kernel_alloc_node;

	any_vm();
	assert(vm.base.mm_range);
	assert(vm_end() <= (u64)-1);
	assert((u64)vm_end() == drm_gpuvm_imm_va_end(&vm));
	if (reserved->va.range) {
		assert(reserved->va.addr >= vm.base.mm_start);
		assert((u128)reserved->va.addr + reserved->va.range <= vm_end());
	}
}

/* A range in the space is that without the wrap of 64 bits. */
// plant: 1i #undef check_add_overflow\n#define check_add_overflow(a, b, d) (*(d) = (a) + (b), false)
// plant: s/end <= drm_gpuvm_imm_va_end/end < drm_gpuvm_imm_va_end/
void prove_in_space(void)
{
	u64 addr = nondet_u64(), range = nondet_u64();

	any_vm();
	assert(drm_gpuvm_imm_in_space(&vm, addr, range) ==
	       (addr >= vm.base.mm_start && (u128)addr + range <= vm_end()));
}

/* Each aligned address of the space, and its end, but none inside of the reserved range */
// plant: s/addr <= reserved/addr < reserved/
// plant: s/addr <= drm_gpuvm_imm_va_end/addr < drm_gpuvm_imm_va_end/
void prove_split(void)
{
	const struct drm_gpuva *reserved = &vm.base.kernel_alloc_node;
	u64 addr = nondet_u64();
	bool inside;

	any_vm();
	inside = addr > reserved->va.addr &&
		 addr < (u128)reserved->va.addr + reserved->va.range;
	assert(drm_gpuvm_imm_split_ok(&vm, addr) ==
	       (addr % type.granule == 0 && addr >= vm.base.mm_start && addr <= vm_end() &&
		!inside));
}

/* A part of an object ends in it, whatever its size is. */
// plant: 1i #undef check_add_overflow\n#define check_add_overflow(a, b, d) (*(d) = (a) + (b), false)
void prove_part(void)
{
	struct drm_gem_object obj = { .size = nondet_size() };
	u64 range = nondet_u64(), offset = nondet_u64();

	any_vm();
	assert(drm_gpuvm_imm_part_ok(&vm, &obj, range, offset) ==
	       (offset % type.granule == 0 && (u128)offset + range <= obj.size));
}
