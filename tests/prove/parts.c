// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Proofs, for all mappings: the two parts of one that is split, and what becomes of one whose
 * removal cannot be undone.
 */

#include "parts.h"
#include "extracted-parts.h"

/* In the tree, so not empty, and its end is one of 64 bits. So is that of its part of the object. */
static void any_va(struct drm_gpuva *va)
{
	va->va.addr = nondet_u64();
	va->va.range = nondet_u64();
	va->gem.offset = nondet_u64();
	assume(va->va.range);
	assume((u128)va->va.addr + va->va.range <= (u64)-1);
	assume((u128)va->gem.offset + va->va.range <= (u64)-1);
}

/* The two parts are the mapping, each with its part of the object. */
// plant: s/prev.va.range = at - va->va.addr;/prev.va.range = at - va->va.addr - 1;/
// plant: s/next.va.range = va->va.range - prev.va.range/next.va.range = va->va.range - at/
// plant: s/next.gem.offset = va->gem.offset \+ prev.va.range/next.gem.offset = va->gem.offset + next.va.range/
// plant: s/ \|\| va->va.addr == at\)/)/
void prove_split_parts(void)
{
	struct drm_gpuvm_imm vm = {};
	struct drm_gpuvm_imm_update update = { .__addr = nondet_u64() };
	struct drm_gpuva va = {};

	any_va(&va);
	prove_vas[0] = &va;
	drm_gpuvm_imm_split(&vm, &update);
	assert(prove_remapped == (prove_has(&va, update.__addr) && va.va.addr != update.__addr));
	if (!prove_remapped)
		return;
	assert(prove_prev.va.range && prove_next.va.range);
	assert(prove_prev.va.addr == va.va.addr && prove_next.va.addr == update.__addr);
	assert(prove_prev.va.addr + prove_prev.va.range == prove_next.va.addr);
	assert(prove_next.va.addr + prove_next.va.range == va.va.addr + va.va.range);
	assert(prove_prev.gem.offset == va.gem.offset);
	assert(prove_next.gem.offset - prove_next.va.addr == va.gem.offset - va.va.addr);
}

/* The part that a step removed from a mapping is mapped again: all of it, and nothing else. */
// plant: s/parts.next = drm_gpuva_find_first\(&vm->base, \*end - 1, 1\)/parts.next = drm_gpuva_find_first(\&vm->base, *end, 1)/
// plant: s/\*start = parts.prev->va.addr \+ parts.prev->va.range;/*start = parts.prev->va.addr + parts.prev->va.range - 1;/
// plant: s/old->gem.offset \+= start - old->va.addr;//
// plant: s/old->va.range = end - start/old->va.range = end - start - 1/
void prove_reinsert(void)
{
	struct drm_gpuvm_imm vm = {};
	struct drm_gem_object obj = {};
	struct drm_gpuvm_bo vm_bo = { .obj = &obj };
	struct drm_gpuva old = {}, prev = {}, next = {}, was;
	u64 start, end;

	any_va(&old);
	old.vm_bo = &vm_bo;
	was = old;
	start = nondet_u64();
	end = nondet_u64();
	assume(old.va.addr <= start && start < end && end <= old.va.addr + old.va.range);
	if (start != old.va.addr) {
		prev.va.addr = old.va.addr;
		prev.va.range = start - old.va.addr;
		prove_vas[0] = &prev;
	}
	if (end != old.va.addr + old.va.range) {
		next.va.addr = end;
		next.va.range = old.va.addr + old.va.range - end;
		prove_vas[1] = &next;
	}
	drm_gpuvm_imm_reinsert(&vm, &old);
	assert(old.va.addr == start && old.va.range == end - start);
	assert(old.gem.offset - old.va.addr == was.gem.offset - was.va.addr);
	assert(!obj.gpuva.lock);
}
