// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 34
// title: goto or case into or past a scope
// rust: b
// wrong: PROOF_AFTER_GOTO B: jump into scope|cannot jump
// wrong: LIVE_AFTER_GOTO B: jump into scope|cannot jump
// wrong: MAPPING_AFTER_GOTO B: jump into scope|cannot jump
// wrong: TABLE_AFTER_GOTO B: jump into scope|cannot jump
// wrong: PAST_A_SECTION B: jump into scope|cannot jump
// wrong: PAST_A_MAPPING B: jump into scope|cannot jump
// wrong: PAST_A_LOCAL_COPY B: jump into scope|cannot jump
// wrong: PAST_A_TABLE B: jump into scope|cannot jump
// wrong: GEM_TABLE_AFTER_GOTO B: jump into scope|cannot jump
// wrong: PAST_A_GEM_TABLE B: jump into scope|cannot jump
// wrong: PAST_AN_UPDATE B: jump into scope|cannot jump
// wrong: INTO_A_SECTION B: jump into scope|cannot jump
// wrong: INTO_A_MAPPING B: jump into scope|cannot jump
// wrong: INTO_A_TABLE B: jump into scope|cannot jump
// wrong: INTO_A_LIVE_BLOCK B: jump into scope|cannot jump
// wrong: INTO_A_WALK B: jump into scope|cannot jump
// wrong: INTO_A_WALK_OF_AN_OBJECT B: jump into scope|cannot jump
// wrong: INTO_A_WALK_OF_VMS B: jump into scope|cannot jump
// wrong: INTO_A_WALK_OF_A_VM_BO B: jump into scope|cannot jump
// wrong: CASE_PAST_A_SECTION B: switch jumps into scope|cannot jump from switch
// wrong: CASE_PAST_A_LIVE_DEVICE B: switch jumps into scope|cannot jump from switch
// wrong: CASE_PAST_A_MAPPING B: switch jumps into scope|cannot jump from switch
// wrong: CASE_PAST_A_LOCAL_COPY B: switch jumps into scope|cannot jump from switch
// wrong: CASE_PAST_A_TABLE B: switch jumps into scope|cannot jump from switch
// wrong: CASE_PAST_AN_UPDATE B: switch jumps into scope|cannot jump from switch
// wrong: CASE_INTO_A_BLOCK B: switch jumps into scope|cannot jump from switch
// wrong: CASE_INTO_A_WALK B: switch jumps into scope|cannot jump from switch
// wrong: CASE_INTO_A_WALK_OF_VMS B: switch jumps into scope|cannot jump from switch
// wrong: DEFAULT_PAST_A_MAPPING B: switch jumps into scope|cannot jump from switch
// wrong: PAST_A_TOKEN U: jump skips variable initialization|cannot jump
// wrong: PAST_A_HANDLE U: jump skips variable initialization|cannot jump

#include "foo.h"

void foo_hw_off(const struct drm_dev_ctx_live *live);
void foo_update_fill(struct drm_gpuvm_imm_update *update);

/* Each way out ends the scopes, and everything used after a label is made before the goto. */
int foo_start(struct foo_device *foo, struct foo_bo *bo, bool idle)
{
	int ret = -EBUSY;

#if defined(PAST_A_SECTION)
	if (idle)
		goto out;
#endif
#if defined(PROOF_AFTER_GOTO)
	drm_dev_ctx_or(foo_reg, reg, &foo->ctx, goto out);
#else
	drm_dev_ctx_or(foo_reg, reg, &foo->ctx, return -ENODEV);
#endif

#if defined(PAST_A_TABLE)
	if (idle)
		goto out;
#endif
#if defined(TABLE_AFTER_GOTO)
	drm_shmem_sgt_or(sgt, &reg->base.bound, &bo->shmem, ret, goto out);
#else
	drm_shmem_sgt_or(sgt, &reg->base.bound, &bo->shmem, ret, return ret);
#endif

#if defined(PAST_A_MAPPING)
	if (idle)
		goto out;
#endif
#if defined(MAPPING_AFTER_GOTO)
	drm_vmap_or(foo_ring, ring, &bo->shmem, ret, goto out);
#else
	drm_vmap_or(foo_ring, ring, &bo->shmem, ret, return ret);
#endif

#if defined(PAST_A_LOCAL_COPY)
	if (idle)
		goto out;
#endif
	drm_vmap_local(local, ring);

	if (idle)
		goto out;
	ret = foo_hw_submit(reg, drm_shmem_sgt_table(sgt)->nents);
out:
	drm_vmap_write32(local, 0, ret);
	return ret;
}

int foo_start_stolen(const struct foo_reg *reg, struct drm_gem_sgt *stolen, bool idle)
{
	int ret = -EBUSY;

#if defined(PAST_A_GEM_TABLE)
	if (idle)
		goto out;
#else
	if (idle)
		return ret;
#endif
#if defined(GEM_TABLE_AFTER_GOTO)
	drm_gem_sgt_or(sgt, &reg->base.bound, stolen, ret, goto out);
#else
	drm_gem_sgt_or(sgt, &reg->base.bound, stolen, ret, return ret);
#endif
	ret = foo_hw_submit(reg, drm_gem_sgt_table(sgt)->nents);
#if defined(PAST_A_GEM_TABLE) || defined(GEM_TABLE_AFTER_GOTO)
out:
#endif
	return ret;
}

int foo_blocks(struct foo_device *foo, struct foo_bo *bo, int what)
{
	int ret = 0;

#if defined(INTO_A_SECTION)
	if (what == 1)
		goto section;
#elif defined(INTO_A_MAPPING)
	if (what == 1)
		goto mapping;
#elif defined(INTO_A_TABLE)
	if (what == 1)
		goto table;
#endif
	drm_dev_ctx_guard(foo_reg, reg, &foo->ctx) {
		if (what == 2)
			goto out;
#if defined(INTO_A_SECTION)
section:
#endif
		foo_hw_submit(reg, 0);
		drm_shmem_sgt_guard(sgt, &reg->base.bound, &bo->shmem, ret) {
			if (what == 3)
				goto out;
#if defined(INTO_A_TABLE)
table:
#endif
			foo_hw_submit(reg, drm_shmem_sgt_table(sgt)->nents);
		}
	}
	drm_vmap_guard(foo_ring, ring, &bo->shmem, ret) {
		if (what == 4)
			goto out;
#if defined(INTO_A_MAPPING)
mapping:
#endif
		drm_vmap_write32(ring, 0, 1);
	}
out:
	return ret;
}

int foo_bind(struct foo_vm *vm, u64 addr, bool idle)
{
	int ret = 0;

#if defined(PAST_AN_UPDATE)
	if (idle)
		goto out;
#else
	if (idle)
		return 0;
#endif
	DRM_GPUVM_IMM_UPDATE(update);

	ret = drm_gpuvm_imm_prepare_unmap(drm_gpuvm_imm_shared(vm->core), update, addr, SZ_4K);
	if (ret)
		goto out;
	ret = drm_gpuvm_imm_run(&foo_vm_type, vm, update, NULL);
out:
	return ret;
}

int foo_ioctl(struct foo_device *foo, int what)
{
	switch (what) {
#if defined(CASE_PAST_A_SECTION)
	case 1:
		drm_dev_ctx_or(foo_reg, reg, &foo->ctx, return -ENODEV);

		return foo_hw_submit(reg, 0);
#else
	case 1: {
		drm_dev_ctx_or(foo_reg, reg, &foo->ctx, return -ENODEV);

		return foo_hw_submit(reg, 0);
	}
#endif
	case 2:
		return foo_hw_ready();
	default:
		return -EINVAL;
	}
}

/* The braces end the scope of each handle with its case. */
int foo_switch(const struct foo_reg *reg, struct foo_device *foo, struct foo_bo *bo,
	       const struct foo_ring *lent, int what)
{
	int ret = 0;

	switch (what) {
	case 0: {
		drm_vmap_or(foo_ring, ring, &bo->shmem, ret, return ret);

		drm_vmap_write32(ring, 0, 1);
		break;
	}
	case 1:
#if defined(CASE_PAST_A_LIVE_DEVICE)
		drm_dev_ctx_live_or(live, &foo->ctx, return -ENODEV);
		foo_hw_off(live);
#elif defined(CASE_PAST_A_MAPPING)
		drm_vmap_or(foo_ring, ring, &bo->shmem, ret, return ret);
		drm_vmap_write32(ring, 0, 1);
#elif defined(CASE_PAST_A_LOCAL_COPY)
		drm_vmap_local(local, lent);
		drm_vmap_write32(local, 0, 1);
#elif defined(CASE_PAST_A_TABLE)
		drm_shmem_sgt_or(sgt, &reg->base.bound, &bo->shmem, ret, return ret);
		ret = foo_hw_submit(reg, drm_shmem_sgt_table(sgt)->nents);
#elif defined(CASE_PAST_AN_UPDATE)
		DRM_GPUVM_IMM_UPDATE(update);
		foo_update_fill(update);
#else
		ret = foo_hw_ready();
#endif
		break;
	case 2:
		drm_vmap_guard(foo_ring, ring, &bo->shmem, ret) {
#if defined(CASE_INTO_A_BLOCK)
	case 3:
#endif
			drm_vmap_write32(ring, 0, 1);
		}
		break;
	case 4:
#if defined(DEFAULT_PAST_A_MAPPING)
		drm_vmap_or(foo_ring, last, &bo->shmem, ret, return ret);
		drm_vmap_write32(last, 0, 1);
#endif
		break;
	default:
		return -EINVAL;
	}
	return ret;
}

/* These walk the mappings of an address space and of a buffer. A break may end each walk. */
int foo_count(struct foo_vm *vm, struct foo_bo *bo, int what)
{
	int n = 0;

#if defined(INTO_A_WALK)
	if (what == 1)
		goto walk;
#elif defined(INTO_A_WALK_OF_AN_OBJECT)
	if (what == 1)
		goto object;
#elif defined(INTO_A_WALK_OF_VMS)
	if (what == 1)
		goto vms;
#elif defined(INTO_A_WALK_OF_A_VM_BO)
	if (what == 1)
		goto vm_bo;
#endif
	drm_gpuvm_imm_for_each(va, vm->core, 0, SZ_1G) {
#if defined(INTO_A_WALK)
walk:
#endif
		if (drm_gpuvm_imm_va_obj(&foo_vm_type, va) == bo)
			break;
		n++;
	}
	drm_gpuvm_imm_for_each_of(va, vm->core, drm_shmem_gem(&bo->shmem)) {
#if defined(INTO_A_WALK_OF_AN_OBJECT)
object:
#endif
		if (drm_gpuvm_imm_va_obj(&foo_vm_type, va) != bo)
			continue;
		n++;
	}
	drm_gpuvm_imm_for_each_bo(vm_bo, &foo_vm_type, bo) {
#if defined(INTO_A_WALK_OF_VMS)
vms:
#endif
		if (n > what)
			break;
		drm_gpuvm_imm_bo_for_each_va(va, vm_bo) {
#if defined(INTO_A_WALK_OF_A_VM_BO)
vm_bo:
#endif
			n += drm_gpuvm_imm_va_obj(&foo_vm_type, va) == bo;
		}
	}
	return n;
}

int foo_count_in(struct foo_vm *vm, struct foo_bo *bo, int what)
{
	int n = 0;

	switch (what) {
#if defined(CASE_INTO_A_WALK)
		drm_gpuvm_imm_for_each(va, vm->core, 0, SZ_1G)
	case 1:
			n += drm_gpuvm_imm_va_obj(&foo_vm_type, va) == bo;
		break;
#elif defined(CASE_INTO_A_WALK_OF_VMS)
		drm_gpuvm_imm_for_each_bo(vm_bo, &foo_vm_type, bo)
	case 1:
			n += !!drm_gpuvm_imm_bo_vm(vm_bo);
		break;
#endif
	default:
		break;
	}
	return n;
}

/* Turns off the hardware of a device that may be unplugged. */
int foo_off(struct foo_device *foo, bool idle)
{
#if defined(INTO_A_LIVE_BLOCK)
	if (idle)
		goto off;
#elif defined(LIVE_AFTER_GOTO)
	if (idle)
		goto out;
#else
	if (idle)
		return 0;
#endif
	drm_dev_ctx_guard_live(live, &foo->ctx) {
#if defined(INTO_A_LIVE_BLOCK)
off:
#endif
		foo_hw_off(live);
	}
	drm_dev_ctx_live_or(last, &foo->ctx, return -ENODEV);
#if defined(LIVE_AFTER_GOTO)
out:
#endif
	foo_hw_off(last);
	return 0;
}

/* No goto jumps past the declaration of a variable with a cleanup. */
int foo_probe(struct device *dev, struct foo_bo *bo, struct foo_hw *hw)
{
	int ret = -ENODEV;

#if defined(PAST_A_TOKEN)
	if (!hw)
		goto out;
#endif
	struct drm_dev_ctx_unreg *unreg __free(drm_dev_ctx_unreg) =
		drm_dev_ctx_alloc(dev, &foo_driver, struct foo_device, ctx);

	if (IS_ERR(unreg))
		return PTR_ERR(unreg);
#if defined(PAST_A_HANDLE)
	if (!hw)
		goto out;
#endif
	struct foo_ring_owned ring __cleanup(drm_vmap_cleanup) = {};

	ret = drm_vmap_own(&ring, &bo->shmem);
	if (ret)
		return ret;
	drm_vmap_write32(&ring, 0, 1);
	return drm_dev_ctx_register(dev, &unreg, &foo_reg_ops, &hw->base);
#if defined(PAST_A_TOKEN) || defined(PAST_A_HANDLE)
out:
	return ret;
#endif
}
