// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 52
// title: object of one kind taken for an object of another kind
// rust: partly
// wrong: KIND_OF_OTHER_BASE B: incompatible pointer
// wrong: KIND_IS_A_TYPE B: no member named 'of'
// wrong: BASE_AS_KIND B: incompatible pointer
// wrong: BASE_CREATED B: no member named '__unique'
// wrong: BASE_NOT_FIRST B: the base must be the first member of struct foo_heap
// wrong: WRONG_BASE B: must be the structure of foo_any
// wrong: OPS_OF_OTHER B: incompatible pointer
// wrong: DEFINED_FOR_OTHER B: incompatible pointer
// wrong: NO_KIND_OF_THE_VM B: struct foo_root is no kind of the objects of foo_any_vm_type
// wrong: GEM_NOT_FIRST B: struct foo_stolen is no kind of the objects of foo_any_vm_type
// run: drm_gpuvm_imm_kind.kind_not_taken: A kind that the VM does not take gives -EINVAL and a report.
// run: drm_shmem_kind.kind_lookup: An object of another kind gives NULL.
// run: drm_shmem_kind.kind_refused: An object that is no kind of the base gives -EINVAL.
// run: drm_shmem_kind.kind_of_none: A kind without a base gives -EINVAL and a report.
// run: drm_shmem_kind.kind_step_of_other: A step that casts an object to another base is reported.

#include "foo.h"

struct foo_any {
	struct drm_shmem_obj shmem;
	u32 flags;
};

struct foo_any_ops {
	u64 (*addr)(struct foo_any *any);
};

DRM_SHMEM_OBJ_BASE(foo_any_base, struct foo_any, shmem, struct foo_any_ops);

/* Another base of the driver, for its page tables */
struct foo_pt {
	struct drm_shmem_obj shmem;
};

struct foo_pt_ops {
	int (*clear)(struct foo_pt *pt);
};

DRM_SHMEM_OBJ_BASE(foo_pt_base, struct foo_pt, shmem, struct foo_pt_ops);

struct foo_root {
	struct foo_pt pt;
};

DRM_SHMEM_OBJ_KIND(foo_root_type, struct foo_root, pt, struct foo_root_unique, foo_pt_base);

struct foo_heap {
#if defined(BASE_NOT_FIRST)
	u64 addr;
	struct foo_any any;
#elif defined(WRONG_BASE)
	struct foo_pt any;
	u64 addr;
#else
	struct foo_any any;
	u64 addr;
#endif
};

DRM_SHMEM_OBJ_KIND(foo_heap_type, struct foo_heap, any, struct foo_heap_unique, foo_any_base);

static u64 foo_heap_addr(struct foo_any *any)
{
#if defined(KIND_OF_OTHER_BASE)
	struct foo_root *heap = drm_shmem_kind(&foo_root_type, any);

	return heap ? 1 : 0;
#elif defined(KIND_IS_A_TYPE)
	struct foo_bo *heap = drm_shmem_kind(&foo_bo_type, any);

	return heap ? 1 : 0;
#else
	struct foo_heap *heap = drm_shmem_kind(&foo_heap_type, any);

	return heap ? heap->addr : 0;
#endif
}

static const struct foo_any_ops foo_heap_ops = {
	.addr = foo_heap_addr,
};

#if defined(OPS_OF_OTHER)
static const struct foo_pt_ops foo_pt_ops;
#endif

const struct foo_heap_type foo_heap_type = {
#if defined(OPS_OF_OTHER)
	DRM_SHMEM_OBJ_KIND_OF(foo_any_base, &foo_pt_ops),
#elif defined(DEFINED_FOR_OTHER)
	DRM_SHMEM_OBJ_KIND_OF(foo_pt_base, &foo_heap_ops),
#else
	DRM_SHMEM_OBJ_KIND_OF(foo_any_base, &foo_heap_ops),
#endif
};

u64 foo_handle_addr(struct drm_file *file, u32 handle)
{
#if defined(BASE_AS_KIND)
	struct foo_heap *any __free(drm_shmem) = drm_shmem_lookup(&foo_any_base, file, handle);

	return IS_ERR(any) ? 0 : any->addr;
#else
	struct foo_any *any __free(drm_shmem) = drm_shmem_lookup(&foo_any_base, file, handle);

	return IS_ERR(any) ? 0 : drm_shmem_ops(&foo_any_base, any)->addr(any);
#endif
}

#if defined(BASE_CREATED)
void *foo_any_create(struct drm_device *drm, u64 size)
{
	return drm_shmem_create(&foo_any_base, drm, size, NULL);
}
#else
struct foo_heap_unique *foo_heap_create(struct drm_device *drm, u64 size)
{
	return drm_shmem_create(&foo_heap_type, drm, size, NULL);
}
#endif

/* An address space that takes two kinds, and knows only their base */
struct foo_any_vm {
	DRM_GPUVM_IMM_CORE(core);
};

DRM_GPUVM_IMM_TYPE(foo_any_vm_type, struct foo_any_vm, core, struct foo_va, struct foo_any,
		   shmem.base.base);

struct foo_ring_bo {
	struct foo_any any;
};

DRM_SHMEM_OBJ_KIND(foo_ring_type, struct foo_ring_bo, any, struct foo_ring_unique, foo_any_base);

struct foo_stolen {
	u64 addr;
	struct drm_gem_object gem;
};

const struct foo_any_vm_type foo_any_vm_type = {
	.base.granule = SZ_4K,
	.base.obj_funcs = &foo_heap_type.base.funcs,
	.base.other_funcs = DRM_GPUVM_IMM_KINDS(
#if defined(NO_KIND_OF_THE_VM)
		DRM_GPUVM_IMM_KIND(foo_any_vm_type, struct foo_root, pt, &foo_root_type.base.funcs),
#elif defined(GEM_NOT_FIRST)
		DRM_GPUVM_IMM_KIND(foo_any_vm_type, struct foo_stolen, gem, &foo_root_type.base.funcs),
#endif
		DRM_GPUVM_IMM_KIND(foo_any_vm_type, struct foo_ring_bo, any, &foo_ring_type.base.funcs)),
};
