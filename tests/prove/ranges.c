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
		.max_vas = nondet_u32(),
	};

	type.granule = nondet_u64();
	assume(type.granule && !(type.granule & (type.granule - 1)));
	assume(drm_gpuvm_imm_config_valid(&config));
	vm.base.mm_start = config.start;
	vm.base.mm_range = config.range;
	vm.max_vas = config.max_vas;
	vm.base.kernel_alloc_node.va.addr = config.reserve_start;
	vm.base.kernel_alloc_node.va.range = config.reserve_range;
}

/* Neither range overflows, the reserved one is in the space, and there is a limit. */
// plant: s/config->max_vas > DRM_GPUVM_IMM_VAS_MOST/config->max_vas > DRM_GPUVM_IMM_VAS_MOST + 1/
// plant: 1i #undef check_add_overflow\n#define check_add_overflow(a, b, d) (*(d) = (a) + (b), false)
void prove_config(void)
{
	const struct drm_gpuva *reserved = &vm.base.kernel_alloc_node;

	any_vm();
	assert(vm.base.mm_range);
	assert(vm_end() <= (u64)-1);
	assert(vm.max_vas <= DRM_GPUVM_IMM_VAS_MOST);
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

/* A mapping, which is in the space but not in the reserved range, does not go on there. */
// plant: s/addr == drm_gpuvm_imm_va_end\(vm\) \|\|/1 ||/
// plant: s/addr == reserved->va.addr \+/addr + 1 == reserved->va.addr +/
void prove_edge(void)
{
	const struct drm_gpuva *reserved = &vm.base.kernel_alloc_node;
	u64 addr = nondet_u64(), range = nondet_u64(), at = nondet_u64();

	any_vm();
	assume(range && drm_gpuvm_imm_in_space(&vm, addr, range));
	assume(!reserved->va.range || addr + range <= reserved->va.addr ||
	       addr >= reserved->va.addr + reserved->va.range);
	assert(!drm_gpuvm_imm_is_edge(&vm, at) || at <= addr || at >= addr + range);
	/* Both ends of a space are edges. So are the ends of the reserved range. */
	assert(drm_gpuvm_imm_is_edge(&vm, vm.base.mm_start) && drm_gpuvm_imm_is_edge(&vm, vm_end()));
	assert(!reserved->va.range ||
	       (drm_gpuvm_imm_is_edge(&vm, reserved->va.addr) &&
		drm_gpuvm_imm_is_edge(&vm, reserved->va.addr + reserved->va.range)));
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
