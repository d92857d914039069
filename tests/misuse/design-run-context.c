// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: design
// title: each step gets the context of its run, in the type's own structure
// rust: b
// wrong: NO_CONTEXT B: or be NULL
// wrong: ANOTHER_KIND B: or be NULL|incompatible pointer
// wrong: PLAIN_POINTER B: or be NULL
// wrong: NOT_ASKED_FOR B: or be NULL
// wrong: WITHOUT_A_RUN B: unmap steps call drm_gpuvm_imm_unmap_ctx\(\) instead
// wrong: OF_A_TYPE_WITHOUT B: the type has no context
// wrong: TAKEN_FOR_ANOTHER B: incompatible pointer
// wrong: END_FORGOTTEN C: 'run' is NULL if drm_gpuvm_imm_fini\(\) calls this step: test it
// wrong: NO_ARGUMENT B: or be NULL
// run: drm_gpuvm_imm_ctx.each_step: Each kind of step gets the context of its run.
// run: drm_gpuvm_imm_ctx.undo: The steps that undo others get it, too.
// run: drm_gpuvm_imm_ctx.at_the_end: An unmap step gets no context when the core ends.
// run: drm_gpuvm_imm_ctx.forgotten: A run without a context, past the macro, is refused and reported.

#include "foo.h"

/* A job preallocates memory for page tables for one change. */
struct bar_run {
	void *tables[8];
	u32 count;
};

struct bar_vm {
	DRM_GPUVM_IMM_CORE(core);
	u64 root;
};

struct bar_vm_bo {
	u32 slot;
};

DRM_GPUVM_IMM_TYPE_CTX(bar_vm_type, struct bar_vm, core, struct foo_va, struct foo_bo,
		       shmem.base.base, struct bar_vm_bo, struct foo_hw, struct bar_run);

int bar_pt_map(struct bar_vm *vm, struct bar_run *run, u64 addr, u64 range) __drm_nonallocating;
void bar_pt_clear(struct bar_vm *vm, struct bar_run *run, u64 addr, u64 range)
	__drm_nonallocating;

static struct drm_gpuvm_imm_mapped *
bar_vm_map(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_map_step *step)
	__drm_nonallocating
{
	struct bar_vm *vm = drm_gpuvm_imm_of(&bar_vm_type, core);
#if defined(OF_A_TYPE_WITHOUT)
	struct bar_run *run = drm_gpuvm_imm_step_ctx(&foo_vm_type, core, step);
#elif defined(TAKEN_FOR_ANOTHER)
	struct foo_hw *run = drm_gpuvm_imm_step_ctx(&bar_vm_type, core, step);
#else
	struct bar_run *run = drm_gpuvm_imm_step_ctx(&bar_vm_type, core, step);
#endif
	int ret = bar_pt_map(vm, run, step->addr, step->range);

	return ret ? ERR_PTR(ret) : drm_gpuvm_imm_map_done(step);
}

static struct drm_gpuvm_imm_unmapped *
bar_vm_unmap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_unmap_step *step)
	__drm_nonallocating
{
	struct bar_vm *vm = drm_gpuvm_imm_of(&bar_vm_type, core);
#if defined(WITHOUT_A_RUN)
	struct bar_run *run = drm_gpuvm_imm_step_ctx(&bar_vm_type, core, step);
#else
	/* NULL when the core ends: the page table then goes with all its tables. */
	struct bar_run *run = drm_gpuvm_imm_unmap_ctx(&bar_vm_type, core, step);
#endif

#if defined(END_FORGOTTEN)
	run->count++;
#endif
	bar_pt_clear(vm, run, step->va->va.addr, step->va->va.range);
	return drm_gpuvm_imm_unmap_done(step);
}

int bar_bind(struct bar_vm *vm, struct foo_bo *bo, struct foo_hw *hw, u64 addr)
{
	DRM_GPUVM_IMM_UPDATE(update);
	struct bar_run run = {};
#if defined(NO_ARGUMENT)
	int ret = drm_gpuvm_imm_prepare_map(&bar_vm_type, drm_gpuvm_imm_shared(vm->core), update,
					    bo, addr, SZ_4K, 0, NULL);
#else
	int ret = drm_gpuvm_imm_prepare_map(&bar_vm_type, drm_gpuvm_imm_shared(vm->core), update,
					    bo, addr, SZ_4K, 0, hw);
#endif

	if (ret)
		return ret;
#if defined(NO_CONTEXT)
	return drm_gpuvm_imm_run(&bar_vm_type, vm, update, NULL);
#elif defined(ANOTHER_KIND)
	return drm_gpuvm_imm_run(&bar_vm_type, vm, update, hw);
#elif defined(PLAIN_POINTER)
	void *any = &run;

	return drm_gpuvm_imm_run(&bar_vm_type, vm, update, any);
#else
	return drm_gpuvm_imm_run(&bar_vm_type, vm, update, &run);
#endif
}

int foo_unmap(struct foo_vm *vm, u64 addr)
{
	DRM_GPUVM_IMM_UPDATE(update);
	int ret = drm_gpuvm_imm_prepare_unmap(drm_gpuvm_imm_shared(vm->core), update, addr, SZ_4K);

	if (ret)
		return ret;
#if defined(NOT_ASKED_FOR)
	struct bar_run run = {};

	return drm_gpuvm_imm_run(&foo_vm_type, vm, update, &run);
#else
	return drm_gpuvm_imm_run(&foo_vm_type, vm, update, NULL);
#endif
}

const struct bar_vm_type bar_vm_type = {
	.base.map = bar_vm_map,
	.base.unmap = bar_vm_unmap,
};
