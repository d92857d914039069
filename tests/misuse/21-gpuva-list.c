// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 21
// title: gpuva list touched under the wrong lock
// rust: b
// wrong: UNLINKED W: discards 'const' qualifier|discards qualifiers
// wrong: LINKED W: discards 'const' qualifier|discards qualifiers
// wrong: CHANGED B: read-only object|const-qualified
// wrong: REMOVED W: discards 'const' qualifier|discards qualifiers
// wrong: INSIDE_OF_THE_VM B: incomplete|undefined type
// wrong: RAW_VAS C: drm_gpuvm_bo_for_each_va\(\) goes behind the core
// wrong: RAW_VM_BOS C: drm_gem_for_each_gpuvm_bo\(\) goes behind the core
// wrong: WALKED_AND_CHANGED B: read-only object|const-qualified
// wrong: USED_AFTER_AN_UPDATE C: the update on line \d+ may have removed 'va'
// run: drm_gpuvm_imm_evict.walk_unlocked: A walk without the lock ends at once and is reported.

#include "foo.h"

u64 foo_vm_mapped(struct foo_vm *vm, struct drm_gpuvm_bo *vm_bo)
{
	u64 bytes = 0;

	drm_gpuvm_imm_for_each(va, vm->core, 0, SZ_1G) {
		bytes += va->va.range;
		drm_gpuvm_imm_va_data(&foo_vm_type, va)->prot = 1;
#if defined(UNLINKED)
		drm_gpuva_unlink(va);
#elif defined(LINKED)
		drm_gpuva_link(va, vm_bo);
#elif defined(CHANGED)
		va->va.addr = 0;
#elif defined(REMOVED)
		drm_gpuva_remove(va);
#elif defined(INSIDE_OF_THE_VM)
		bytes += drm_gpuvm_imm_shared(vm->core)->base.mm_range;
#endif
	}
	return bytes;
}

/* Returns how many bytes of GPU addresses map the buffer, in all address spaces. */
u64 foo_bo_mapped(struct foo_bo *bo)
{
	u64 bytes = 0;

#if defined(RAW_VM_BOS)
	struct drm_gpuvm_bo *vm_bo;

	drm_gem_for_each_gpuvm_bo(vm_bo, drm_shmem_gem(&bo->shmem)) {
#else
	drm_gpuvm_imm_for_each_bo(vm_bo, &foo_vm_type, bo) {
#endif
#if defined(RAW_VAS)
		struct drm_gpuva *va;

		drm_gpuvm_bo_for_each_va(va, vm_bo)
#else
		drm_gpuvm_imm_bo_for_each_va(va, vm_bo)
#endif
#if defined(WALKED_AND_CHANGED)
			va->va.range = 0;
#else
			bytes += va->va.range;
#endif
	}
	return bytes;
}

u64 foo_vm_replace(struct foo_vm *vm, struct drm_gpuvm_imm_update *update, u64 addr)
{
	const struct drm_gpuva *va = drm_gpuvm_imm_find(vm->core, addr, SZ_4K);
	u64 offset;

	if (!va)
		return 0;
	offset = va->gem.offset;
	if (drm_gpuvm_imm_run(&foo_vm_type, vm, update, NULL))
		return 0;
#if defined(USED_AFTER_AN_UPDATE)
	offset = va->gem.offset;
#endif
	return offset;
}
