// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <linux/export.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>

#include <kunit/static_stub.h>
#include <kunit/visibility.h>

#include "drm_gpuvm_imm_internal.h"
#include "drm_safe_core.h"

#include "drm_gpuvm_imm_trace.h"

/**
 * DOC: GPU address spaces in immediate mode
 *
 * A GPU address space has one owner. The owner's type embeds the core, the only handle that
 * changes mappings and the only way to the driver's page table; all other code holds the shared
 * &struct drm_gpuvm_imm, a counted reference that is used to prepare updates. An update has two
 * stages:
 *
 * - *Prepare*, in the ioctl: may sleep and fail. Checks the range against the address space and
 *   the object, obtains the vm_bo, and allocates the VAs for the worst split.
 * - *Run*, in the fence signalling path, say in &drm_sched_backend_ops.run_job:
 *   allocates nothing, takes no reservation lock, and calls the driver's steps.
 *
 * If a step fails, the library undoes the steps before it, with the driver's own steps. Mappings
 * that are left when the core is given up are unmapped the same way, and a work item cleans up
 * vm_bos that were dropped in the signalling path. No cleanup call is needed, and teardown order
 * does not matter.
 *
 * A driver describes its types once, in a header:
 *
 * .. code-block:: c
 *
 *	struct foo_vm {
 *		DRM_GPUVM_IMM_CORE(core);
 *		struct mutex lock;		// one user of the core at a time
 *		struct foo_pt pt;
 *	};
 *	struct foo_va {				// plain data of each mapping
 *		u32 prot;
 *	};
 *	DRM_GPUVM_IMM_TYPE(foo_vm_type, struct foo_vm, core, struct foo_va,
 *			   struct foo_bo, shmem.base.base);
 *
 * and writes the three steps in a C file. A step is completed once, by the function that provides
 * the return value. A step that fails returns an ERR_PTR() and leaves the page table as it was:
 *
 * .. code-block:: c
 *
 *	static struct drm_gpuvm_imm_mapped *
 *	foo_vm_map(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_map_step *step)
 *		__drm_nonallocating
 *	{
 *		struct foo_vm *vm = drm_gpuvm_imm_of(&foo_vm_type, core);
 *		struct foo_va *data = drm_gpuvm_imm_va_data(&foo_vm_type, step->va);
 *		struct foo_bo *bo = drm_gpuvm_imm_va_obj(&foo_vm_type, step->va); // NULL if sparse
 *		int ret = foo_pt_map(&vm->pt, bo, step->addr, step->range,
 *				     step->offset, data->prot);
 *
 *		return ret ? ERR_PTR(ret) : drm_gpuvm_imm_map_done(step);
 *	}
 *
 *	static struct drm_gpuvm_imm_unmapped *
 *	foo_vm_unmap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_unmap_step *step)
 *		__drm_nonallocating
 *	{
 *		struct foo_vm *vm = drm_gpuvm_imm_of(&foo_vm_type, core);
 *
 *		if (!step->keep)
 *			foo_pt_clear(&vm->pt, step->va->va.addr, step->va->va.range);
 *		return drm_gpuvm_imm_unmap_done(step);
 *	}
 *
 *	static struct drm_gpuvm_imm_remapped *
 *	foo_vm_remap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_remap_step *step)
 *		__drm_nonallocating
 *	{
 *		struct foo_vm *vm = drm_gpuvm_imm_of(&foo_vm_type, core);
 *
 *		if (!step->keep)
 *			foo_pt_clear(&vm->pt, step->addr, step->range);
 *		return drm_gpuvm_imm_remap_done(step);
 *	}
 *
 *	const struct foo_vm_type foo_vm_type = {
 *		.base.granule = SZ_4K,
 *		.base.obj_funcs = &foo_bo_type.base.funcs,
 *		.base.map = foo_vm_map,
 *		.base.unmap = foo_vm_unmap,
 *		.base.remap = foo_vm_remap,
 *		.base.validate = foo_vm_validate,
 *	};
 *
 * A page table may need memory for a split. The driver's job allocates it, and drm_gpuvm_imm_run()
 * passes it to each step of the run, as the context that the type declares with
 * DRM_GPUVM_IMM_TYPE_CTX(). The context is NULL if the type declares none.
 *
 * A step may need data for each object in an address space, like an sg table: see
 * DRM_GPUVM_IMM_TYPE_VM_BO(). &drm_gpuvm_imm_type.bo_init, which may sleep, makes this data when an
 * object is first mapped. &drm_gpuvm_imm_type.bo_fini releases the data when no mapping or update
 * connects the object and the address space any more. If the data of a mapping holds references,
 * &drm_gpuvm_imm_type.va_get and &drm_gpuvm_imm_type.va_put count them.
 *
 * .. example: after drm_gpuvm_imm-vm_bo
 * .. code-block:: c
 *
 *	static int foo_vm_bo_init(struct drm_gpuvm_bo *vm_bo, void *arg)
 *	{
 *		struct foo_vm_bo *data = drm_gpuvm_imm_bo_data(&foo_vm_type, vm_bo);
 *		struct foo_bo *bo = drm_gpuvm_imm_bo_obj(&foo_vm_type, vm_bo);
 *		const struct drm_dev_ctx_bound *bound = arg;
 *
 *		return drm_shmem_sgt_own(&data->sgt, bound, &bo->shmem);
 *	}
 *
 *	static void foo_vm_bo_fini(struct drm_gpuvm_bo *vm_bo)
 *	{
 *		drm_shmem_sgt_release(&drm_gpuvm_imm_bo_data(&foo_vm_type, vm_bo)->sgt);
 *	}
 *
 * Setting up, binding and tearing down:
 *
 * .. example: in int foo_vm_example(struct foo_vm *vm, struct drm_device *drm,
 *    struct foo_job *job, struct foo_bo *bo, struct foo_bind *args, int ret)
 * .. code-block:: c
 *
 *	static const struct drm_gpuvm_imm_config config = { .name = "foo", .range = SZ_1G };
 *
 *	ret = drm_gpuvm_imm_init(&foo_vm_type, vm, drm, &config);
 *
 *	// ioctl; job->update is a struct drm_gpuvm_imm_update in zeroed memory
 *	ret = drm_gpuvm_imm_prepare_map_interruptible(&foo_vm_type,
 *						      drm_gpuvm_imm_shared(vm->core),
 *						      &job->update, bo, args->addr, args->range,
 *						      args->offset, NULL);
 *	if (ret)
 *		return ret;
 *	drm_gpuvm_imm_update_data(&foo_vm_type, &job->update)->prot = args->prot;
 *
 *	// run_job
 *	scoped_guard(mutex, &vm->lock)
 *		ret = drm_gpuvm_imm_run(&foo_vm_type, vm, &job->update, NULL);
 *
 *	// free_job; nothing happens if the update was run
 *	drm_gpuvm_imm_update_drop(&job->update);
 *
 *	drm_gpuvm_imm_fini(vm->core);
 *
 * An execution takes the reservation locks of the address space and of all external objects through
 * &struct drm_exec, validates evicted objects, and adds its fence to all objects:
 *
 * .. example: in int foo_vm_exec(struct foo_vm *vm, struct drm_exec exec,
 *    struct dma_fence *fence, int ret)
 * .. code-block:: c
 *
 *	drm_exec_until_all_locked(&exec) {
 *		ret = drm_gpuvm_imm_lock(drm_gpuvm_imm_shared(vm->core), &exec, 1);
 *		drm_exec_retry_on_contention(&exec);
 *		if (ret)
 *			goto out;
 *	}
 *	ret = drm_gpuvm_imm_validate(vm->core, &exec);
 *	if (ret)
 *		goto out;
 *	drm_gpuvm_imm_add_fence(drm_gpuvm_imm_shared(vm->core), &exec, fence,
 *				DMA_RESV_USAGE_BOOKKEEP, DMA_RESV_USAGE_BOOKKEEP);
 *	...
 *	out:
 *		drm_exec_fini(&exec);
 *
 * The driver's lock around the core is taken in the fence signalling path: nothing under it may
 * wait for memory, a reservation lock or a fence. Therefore &drm_gpuvm_imm_type.validate takes the
 * lock only while it rewrites the page table, and drm_gpuvm_imm_for_each_of() tells it where the
 * object is mapped.
 *
 * Under memory pressure, the evict step of an idle object's type (see &drm_shmem_obj_type.evict)
 * takes the object out of the page tables, until the next execution validates it. Meanwhile, a VM
 * only keeps a suspended handle of the object:
 *
 * .. example: after drm_gpuvm_imm-vm_bo
 * .. code-block:: c
 *
 *	static int foo_vm_evict(struct drm_gpuvm_imm_core *core, struct drm_gpuvm_bo *vm_bo)
 *		__must_hold(drm_resv)
 *	{
 *		struct foo_vm *vm = drm_gpuvm_imm_of(&foo_vm_type, core);
 *
 *		if (!mutex_trylock(&vm->lock))
 *			return -EBUSY;
 *		drm_gpuvm_imm_bo_for_each_va(va, vm_bo)
 *			foo_pt_clear(&vm->pt, va->va.addr, va->va.range);
 *		drm_shmem_sgt_suspend(&drm_gpuvm_imm_bo_data(&foo_vm_type, vm_bo)->sgt);
 *		mutex_unlock(&vm->lock);
 *		return 0;
 *	}
 *
 *	static int foo_bo_evict(struct drm_shmem_obj *obj)
 *		__must_hold(drm_resv)
 *	{
 *		return drm_gpuvm_imm_evict(&foo_vm_type, drm_shmem_from_obj(&foo_bo_type, obj));
 *	}
 *
 * &drm_gpuvm_imm_type.evict is called for each VM that has a vm_bo of the object, even if the first
 * mapping is only prepared. If the mapping is being made at that moment, the trylock fails. A map
 * step that finds the handle suspended does nothing: &drm_gpuvm_imm_type.validate makes its mapping
 * later. Drivers that move objects in other ways call drm_gpuvm_imm_set_invalid().
 *
 * The library checks these rules, and reports a broken rule once: one task at a time uses the
 * core; a step is completed once; an update is run once, by the core that it was prepared for.
 *
 * /sys/kernel/debug/drm_gpuvm_imm lists the mappings of every address space.
 * The tracepoints of drm_gpuvm_imm mark each prepared update, run, step,
 * rollback and clean-up.
 *
 * A driver's file with code of the signalling path alone includes drm_safe_signalling.h first. This
 * makes sure that the driver's Makefile names the object. After compiling, the undefined symbols of
 * the object are compared with the list of functions that neither allocate memory nor take a
 * reservation lock.
 */

/*
 * The core does not pass the VM to vm_bo_alloc, so each size class of a vm_bo with the driver's
 * data has a function of its own. The largest class is __DRM_GPUVM_IMM_VM_BO_BYTES. One function
 * will be enough once drm_gpuvm_bo_create() passes on the VM. DRM_GPUVM_IMM_TYPE_VM_BO() checked
 * the alignment of the data.
 */
static struct drm_gpuvm_bo *drm_gpuvm_imm_bo_alloc_bare(void)
{
	return kzalloc(sizeof(struct drm_gpuvm_bo), GFP_KERNEL_ACCOUNT);
}

static struct drm_gpuvm_bo *drm_gpuvm_imm_bo_alloc_256(void)
{
	return kzalloc(256, GFP_KERNEL_ACCOUNT);
}

static struct drm_gpuvm_bo *drm_gpuvm_imm_bo_alloc_1k(void)
{
	return kzalloc(SZ_1K, GFP_KERNEL_ACCOUNT);
}

static struct drm_gpuvm_bo *drm_gpuvm_imm_bo_alloc_4k(void)
{
	return kzalloc(SZ_4K, GFP_KERNEL_ACCOUNT);
}

/* For drm_gpuvm_validate() */
static int drm_gpuvm_imm_vm_bo_validate(struct drm_gpuvm_bo *vm_bo, struct drm_exec *exec)
{
	struct drm_gpuvm_imm *vm = to_drm_gpuvm_imm(vm_bo->vm);
	int ret;

	ret = vm->type->validate(vm->core, vm_bo, exec);
	if (!ret)
		drm_gpuvm_bo_evict(vm_bo, false);

	return ret;
}

static void drm_gpuvm_imm_vm_bo_free(struct drm_gpuvm_bo *vm_bo)
{
	const struct drm_gpuvm_imm_type *type = to_drm_gpuvm_imm(vm_bo->vm)->type;

	if (type->bo_fini)
		type->bo_fini(vm_bo);
	kfree(vm_bo);
}

#define DRM_GPUVM_IMM_BASE_OPS(_bo_alloc) {					\
	.vm_free = drm_gpuvm_imm_vm_free,					\
	.vm_bo_alloc = _bo_alloc,						\
	.vm_bo_free = drm_gpuvm_imm_vm_bo_free,					\
	.vm_bo_validate = drm_gpuvm_imm_vm_bo_validate,				\
	.sm_step_map = drm_gpuvm_imm_sm_step_map,				\
	.sm_step_unmap = drm_gpuvm_imm_sm_step_unmap,				\
	.sm_step_remap = drm_gpuvm_imm_sm_step_remap,				\
}

/* The larger classes match the kmalloc() size classes, so no part of an allocation is wasted. */
static const struct {
	size_t bytes;
	struct drm_gpuvm_ops ops;
} drm_gpuvm_imm_bo_classes[] = {
	{ sizeof(struct drm_gpuvm_bo), DRM_GPUVM_IMM_BASE_OPS(drm_gpuvm_imm_bo_alloc_bare) },
	{ 256, DRM_GPUVM_IMM_BASE_OPS(drm_gpuvm_imm_bo_alloc_256) },
	{ SZ_1K, DRM_GPUVM_IMM_BASE_OPS(drm_gpuvm_imm_bo_alloc_1k) },
	{ __DRM_GPUVM_IMM_VM_BO_BYTES, DRM_GPUVM_IMM_BASE_OPS(drm_gpuvm_imm_bo_alloc_4k) },
};

/*
 * Returns the ops of address spaces with @data_size bytes in each vm_bo, or NULL if no class is
 * large enough.
 */
static const struct drm_gpuvm_ops *drm_gpuvm_imm_base_ops(size_t data_size)
{
	for (int i = 0; i < ARRAY_SIZE(drm_gpuvm_imm_bo_classes); i++)
		if (data_size <= drm_gpuvm_imm_bo_classes[i].bytes - sizeof(struct drm_gpuvm_bo))
			return &drm_gpuvm_imm_bo_classes[i].ops;
	return NULL;
}

static bool drm_gpuvm_imm_config_valid(const struct drm_gpuvm_imm_config *config)
{
	u64 end, reserve_end;

	if (!config->range ||
	    check_add_overflow(config->start, config->range, &end) ||
	    check_add_overflow(config->reserve_start, config->reserve_range,
			       &reserve_end))
		return false;

	if (config->max_vas && (config->max_vas < DRM_GPUVM_IMM_VAS_LEAST ||
				config->max_vas > DRM_GPUVM_IMM_VAS_MOST))
		return false;

	return !config->reserve_range ||
	       (config->reserve_start >= config->start && reserve_end <= end);
}

/* Returns what is wrong with a driver's description of its type, or NULL. */
static const char *drm_gpuvm_imm_type_lacks(const struct drm_gpuvm_imm_type *type)
{
	if (!type->granule || (type->granule & (type->granule - 1)))
		return "the granule must be a power of two";
	if (!type->obj_funcs)
		return "obj_funcs must be set";
	if (!type->map || !type->unmap || !type->remap)
		return "map, unmap and remap must be set";
	if (!type->va_get != !type->va_put)
		return "va_get and va_put need each other";
	if (type->evict && !type->validate)
		return "evict needs validate";

	return NULL;
}

static bool drm_gpuvm_imm_type_valid(struct drm_device *drm,
				     const struct drm_gpuvm_imm_type *type)
{
	const char *what = drm_gpuvm_imm_type_lacks(type);

	if (what)
		drm_safe_broken(drm, "the type of a VM is complete", "%s", what);

	return !what;
}

static bool drm_gpuvm_imm_resv_obj_valid(struct drm_device *drm,
					 const struct drm_gem_object *resv_obj)
{
	if (!resv_obj || resv_obj->dev == drm)
		return true;

	drm_safe_broken(drm, "a VM shares the reservation lock of an object of its device",
			"resv_obj is an object of another device");

	return false;
}

static bool drm_gpuvm_imm_aligned(const struct drm_gpuvm_imm *vm, u64 bytes)
{
	return !(bytes & (vm->type->granule - 1));
}

static bool drm_gpuvm_imm_range_ok(struct drm_gpuvm_imm *vm, u64 addr, u64 range)
{
	return range && drm_gpuvm_imm_aligned(vm, addr | range) &&
	       drm_gpuvm_range_valid(&vm->base, addr, range);
}

/* Returns whether no mapping can start before and end after @addr. */
static bool drm_gpuvm_imm_is_edge(struct drm_gpuvm_imm *vm, u64 addr)
{
	const struct drm_gpuva *reserved = drm_gpuvm_reserved(&vm->base);

	return addr == drm_gpuvm_imm_va_start(vm) || addr == drm_gpuvm_imm_va_end(vm) ||
	       (reserved->va.range && (addr == reserved->va.addr ||
				       addr == reserved->va.addr + reserved->va.range));
}

static void drm_gpuvm_imm_report_foreign(const struct drm_gpuvm_imm *vm,
					 const struct drm_gem_object *obj)
{
	drm_safe_broken(vm->base.drm, "a VM takes objects of its own device and type",
			"%s: %s", vm->base.name,
			!obj ? "no object was given" :
			obj->dev != vm->base.drm ? "the object belongs to another device" :
			"the object is of another type");
}

/* Does a type take objects of another kind than its first one, such as @obj? */
bool drm_gpuvm_imm_has_kind(const struct drm_gpuvm_imm_type *type,
			    const struct drm_gem_object *obj)
{
	const struct drm_gem_object_funcs *const *funcs = type->other_funcs;

	while (funcs && *funcs && *funcs != obj->funcs)
		funcs++;

	return funcs && *funcs;
}

static noinline bool drm_gpuvm_imm_other_obj_ok(const struct drm_gpuvm_imm *vm,
						const struct drm_gem_object *obj)
{
	if (obj && obj->dev == vm->base.drm && drm_gpuvm_imm_has_kind(vm->type, obj))
		return true;

	drm_gpuvm_imm_report_foreign(vm, obj);

	return false;
}

/* Most address spaces take one kind of objects, so the first one is compared inline. */
static bool drm_gpuvm_imm_obj_ok(const struct drm_gpuvm_imm *vm,
				 const struct drm_gem_object *obj)
{
	if (likely(obj && obj->funcs == vm->type->obj_funcs && obj->dev == vm->base.drm))
		return true;

	return drm_gpuvm_imm_other_obj_ok(vm, obj);
}

static noinline void drm_gpuvm_imm_report_bo(const struct drm_gpuvm_imm *vm,
					     const struct drm_gpuvm_bo *vm_bo)
{
	drm_safe_broken(vm->base.drm, "a vm_bo is used with its own VM",
			"%s: %s", vm->base.name,
			IS_ERR_OR_NULL(vm_bo) ?
			"no vm_bo was given: check the result of drm_gpuvm_imm_obtain()" :
			"the vm_bo belongs to another VM");
}

static bool drm_gpuvm_imm_bo_ok(const struct drm_gpuvm_imm *vm,
				const struct drm_gpuvm_bo *vm_bo)
{
	if (!IS_ERR_OR_NULL(vm_bo) && vm_bo->vm == &vm->base)
		return true;

	drm_gpuvm_imm_report_bo(vm, vm_bo);

	return false;
}

static bool drm_gpuvm_imm_part_ok(const struct drm_gpuvm_imm *vm,
				  const struct drm_gem_object *obj, u64 range,
				  u64 offset)
{
	u64 end;

	return drm_gpuvm_imm_aligned(vm, offset) &&
	       !check_add_overflow(offset, range, &end) && end <= __drm_gem_bytes(obj);
}

/* All of these are caller errors, so return -EINVAL. */
static int drm_gpuvm_imm_map_check(struct drm_gpuvm_imm *vm,
				   const struct drm_gem_object *obj, u64 addr,
				   u64 range, u64 offset)
{
	if (!drm_gpuvm_imm_range_ok(vm, addr, range) ||
	    !drm_gpuvm_imm_obj_ok(vm, obj) ||
	    !drm_gpuvm_imm_part_ok(vm, obj, range, offset))
		return -EINVAL;

	return 0;
}

static noinline struct drm_gpuvm_bo *
drm_gpuvm_imm_report_mode(const struct drm_gpuvm_imm *vm)
{
	drm_safe_broken(vm->base.drm, "an object is in VMs of one mode",
			"%s: the object is in a VM that is not in immediate mode", vm->base.name);

	return ERR_PTR(-EINVAL);
}

/*
 * All vm_bos of an object have the same mode. So a vm_bo of this VM needs no check, and if there is
 * none, it is enough to check one. A vm_bo of this VM has references as long as it is on the
 * list, because the last one is put in the section of the lock that takes the vm_bo off.
 */
static __always_inline struct drm_gpuvm_bo *
drm_gpuvm_imm_bo_find(struct drm_gpuvm_imm *vm, struct drm_gem_object *obj)
{
	struct drm_gpuvm *other = NULL;
	struct drm_gpuvm_bo *vm_bo;

	guard(mutex)(&obj->gpuva.lock);

	drm_gem_for_each_gpuvm_bo(vm_bo, obj) {
		if (vm_bo->vm == &vm->base)
			return drm_gpuvm_bo_get(vm_bo);
		other = vm_bo->vm;
	}
	if (unlikely(other && !drm_gpuvm_immediate_mode(other)))
		return drm_gpuvm_imm_report_mode(vm);

	return NULL;
}

/* Tells lockdep what a call may do, even if the call needs no allocation this time. */
static inline void drm_gpuvm_imm_might_alloc(void)
{
	/* With voluntary preemption, might_alloc() alone would emit a call. */
	if (IS_ENABLED(CONFIG_PROVE_LOCKING))
		might_alloc(GFP_KERNEL_ACCOUNT);
}

static struct drm_gpuvm_bo *
drm_gpuvm_imm_find_or_create(struct drm_gpuvm_imm *vm, struct drm_gem_object *obj,
			     void *arg)
{
	struct drm_gpuvm_bo *vm_bo;
	int ret;

	drm_gpuvm_imm_might_alloc();
	vm_bo = drm_gpuvm_imm_bo_find(vm, obj);
	if (vm_bo)
		return vm_bo;

	vm_bo = drm_gpuvm_bo_create(&vm->base, obj);
	if (!vm_bo)
		return ERR_PTR(-ENOMEM);

	ret = vm->type->bo_init ? vm->type->bo_init(vm_bo, arg) : 0;
	if (ret) {
		drm_gpuvm_bo_uncreate(vm_bo);
		kfree(vm_bo);
		return ERR_PTR(ret);
	}

	return drm_gpuvm_bo_obtain_prealloc(vm_bo);
}

/*
 * Unlocked: a vm_bo leaves the list only when its last reference is gone, and the caller
 * has one. If another task is just adding it, that task holds the reservation lock, and
 * every later holder of the lock sees the vm_bo: see vm-extobj.litmus.
 */
static bool drm_gpuvm_imm_needs_extobj(struct drm_gpuvm_imm *vm,
				       struct drm_gpuvm_bo *vm_bo)
{
	return drm_gpuvm_is_extobj(&vm->base, vm_bo->obj) &&
	       !drm_gpuvm_bo_is_extobj(vm_bo);
}

static int drm_gpuvm_imm_add_extobj(struct dma_resv *resv, struct drm_gpuvm_bo *vm_bo,
				    enum drm_resv_how how)
	__context_unsafe("see drm_resv_lock_how()")
{
	int ret = drm_resv_lock_how(resv, how);

	if (ret)
		return ret;

	/* Under the lock: see vm-extobj.litmus. */
	drm_gpuvm_bo_extobj_add(vm_bo);
	if (how != DRM_RESV_LOCKED)
		dma_resv_unlock(resv);

	return 0;
}

/* Reserves @n VAs for an allocation. Returns false if that would exceed the limit. */
static __always_inline bool drm_gpuvm_imm_vas_reserve(struct drm_gpuvm_imm *vm, unsigned int n,
						      unsigned int last)
	__must_hold(&vm->pool_lock)
{
	int left = vm->vas_left - (int)n;

	if (unlikely(left + (int)last < 0))
		return false;

	vm->vas_left = left;
	/* An update that may not use the last eighth does not make @vas_left negative. */
	if (last)
		drm_gpuvm_imm_vas_gone(vm, 0);

	return true;
}

/* Gives back @n VAs, and the room for @want, because the update would exceed the limit. */
static noinline int drm_gpuvm_imm_pool_refuse(struct drm_gpuvm_imm *vm, struct drm_gpuva **vas,
					      unsigned int want, unsigned int n)
	__must_hold(&vm->pool_lock)
{
	vm->pool_lent -= want;
	for (; n; vas[n] = NULL)
		vm->pool[vm->pool_count++] = vas[--n];

	return -ENOSPC;
}

/*
 * Reserves room for putting back @want more VAs, takes up to @want VAs from the pool, and counts
 * the VAs that the caller has to allocate. @last is the number of VAs of the last eighth that the
 * caller may use. Returns 0, the size to which the pool must grow first, or -ENOSPC.
 *
 * Spare VAs were counted when they were allocated, so taking them needs no check unless more exist
 * than may be in use.
 */
static __always_inline int drm_gpuvm_imm_pool_lend(struct drm_gpuvm_imm *vm,
						   struct drm_gpuva **vas, unsigned int want,
						   unsigned int last, unsigned int *got)
{
	unsigned int keep, n;

	guard(spinlock)(&vm->pool_lock);

	if (unlikely(max(vm->pool_count, want) + vm->pool_lent > vm->pool_size))
		return max(2 * vm->pool_size, DRM_GPUVM_IMM_POOL_FIRST);

	vm->pool_lent += want;
	keep = vm->pool_keep > last ? vm->pool_keep - last : 0;
	for (n = 0; n < want; n++) {
		if (vm->pool_count <= keep) {
			if (!drm_gpuvm_imm_vas_reserve(vm, want - n, last))
				return drm_gpuvm_imm_pool_refuse(vm, vas, want, n);
			break;
		}
		vas[n] = vm->pool[--vm->pool_count];
	}
	*got = n;

	return 0;
}

/* Does not initialise the memory: no code reads a VA before drm_gpuvm_imm_init_va(). */
static struct drm_gpuva *drm_gpuvm_imm_va_alloc(struct drm_gpuvm_imm *vm)
{
	struct drm_gpuva *va;

	/* The driver's data follows; DRM_GPUVM_IMM_TYPE() checked its alignment. */
	return kmalloc(sizeof(*va) + vm->va_size, GFP_KERNEL_ACCOUNT);
}

/*
 * Initialises the update's own VA as the new mapping. The driver may read the VA, and set its data.
 */
static void drm_gpuvm_imm_init_new(struct drm_gpuvm_imm *vm, struct drm_gpuvm_imm_update *update)
{
	struct drm_gpuva *va = update->__vas[DRM_GPUVM_IMM_UPDATE_NEW];
	const struct drm_gpuva_op_map op = {
		.va.addr = update->__addr,
		.va.range = update->__range,
		.gem.obj = update->__vm_bo ? update->__vm_bo->obj : NULL,
		.gem.offset = update->__offset,
	};

	drm_gpuvm_imm_init_va(vm, va, &op, update->__vm_bo);
	drm_gpuvm_imm_zero_data(vm, va);
}

/*
 * Like drm_gpuvm_imm_pool_lend(), but makes the pool larger if necessary, and lets updates that
 * unmap use the last eighth. Returns how many VAs it took from the pool, or an error.
 */
static noinline int drm_gpuvm_imm_pool_lend_more(struct drm_gpuvm_imm *vm,
						 const struct drm_gpuvm_imm_update *update,
						 struct drm_gpuva **vas, unsigned int want)
{
	const unsigned int last =
		update->__kind == DRM_GPUVM_IMM_UPDATE_UNMAP ? drm_gpuvm_imm_unmap_vas(vm) : 0;
	unsigned int got;
	int size, ret;

	while ((size = drm_gpuvm_imm_pool_lend(vm, vas, want, last, &got)) > 0) {
		if (size > DRM_GPUVM_IMM_POOL_LIMIT)
			return -ENOMEM;
		ret = drm_gpuvm_imm_pool_resize(vm, size);
		if (ret)
			return ret;
	}

	return size ?: got;
}

/* Undoes drm_gpuvm_imm_vas_reserve() for @n VAs whose allocation failed. */
static noinline void drm_gpuvm_imm_vas_unreserve(struct drm_gpuvm_imm *vm, unsigned int n)
{
	guard(spinlock)(&vm->pool_lock);
	drm_gpuvm_imm_vas_gone(vm, n);
}

/* Returns whether an update removes mappings without splitting one, so that it needs no VA. */
static bool drm_gpuvm_imm_splits_nothing(struct drm_gpuvm_imm *vm,
					 const struct drm_gpuvm_imm_update *update)
{
	return update->__kind == DRM_GPUVM_IMM_UPDATE_UNMAP &&
	       drm_gpuvm_imm_is_edge(vm, update->__addr) &&
	       drm_gpuvm_imm_is_edge(vm, update->__addr + update->__range);
}

/*
 * Allocates VAs for the remaining parts of split mappings, and for the update's own mapping:
 * those from @first on, and before @end.
 */
static __always_inline int drm_gpuvm_imm_update_alloc(struct drm_gpuvm_imm *vm,
						      struct drm_gpuvm_imm_update *update,
						      enum drm_gpuvm_imm_update_va first,
						      enum drm_gpuvm_imm_update_va end)
{
	struct drm_gpuva **vas = update->__vas + first;
	unsigned int n = 0, want = end - first;
	bool shrink;
	int ret;

	drm_gpuvm_imm_might_alloc();
	/* Unlocked: the next update sees what this one misses. */
	shrink = context_unsafe(READ_ONCE(vm->pool_shrink));
	if (unlikely(shrink))
		drm_gpuvm_imm_pool_shrink(vm);
	if (unlikely(drm_gpuvm_imm_pool_lend(vm, vas, want, 0, &n))) {
		ret = drm_gpuvm_imm_pool_lend_more(vm, update, vas, want);
		/* A client that has too many mappings can always remove all of them. */
		if (ret == -ENOSPC && drm_gpuvm_imm_splits_nothing(vm, update))
			return 0;
		if (ret < 0)
			return ret;
		n = ret;
	}
	update->__lent = want;
	for (; n < want; n++) {
		vas[n] = drm_gpuvm_imm_va_alloc(vm);
		if (unlikely(!vas[n])) {
			drm_gpuvm_imm_vas_unreserve(vm, want - n);
			return -ENOMEM;
		}
	}
	if (end > DRM_GPUVM_IMM_UPDATE_NEW)
		drm_gpuvm_imm_init_new(vm, update);

	return 0;
}

/* Drops an update that cannot get the memory it needs. Returns @ret. */
static noinline int drm_gpuvm_imm_update_fail(struct drm_gpuvm_imm_update *update, int ret)
{
	drm_gpuvm_imm_update_drop(update);

	return ret;
}

/* Fills @update, and consumes @vm_bo, also on failure. On failure, @update is empty. */
static int drm_gpuvm_imm_update_fill(struct drm_gpuvm_imm *vm,
				     struct drm_gpuvm_imm_update *update,
				     enum drm_gpuvm_imm_update_kind kind,
				     struct drm_gpuvm_bo *vm_bo, u64 addr,
				     u64 range, u64 offset)
{
	int ret = 0;

	if (!vm_bo)
		drm_gpuvm_get(&vm->base);
	update->__vm_held = !vm_bo;
	update->__vm = vm;
	update->__vm_bo = vm_bo;
	update->__kind = kind;
	update->__addr = addr;
	update->__range = range;
	update->__offset = offset;
	INIT_LIST_HEAD(&update->__removed);

	if (kind != DRM_GPUVM_IMM_UPDATE_UNMAP_OBJ)
		ret = drm_gpuvm_imm_update_alloc(vm, update,
						 kind == DRM_GPUVM_IMM_UPDATE_MAP_HOLE ?
						 DRM_GPUVM_IMM_UPDATE_NEW :
						 DRM_GPUVM_IMM_UPDATE_PREV,
						 kind == DRM_GPUVM_IMM_UPDATE_MAP ||
						 kind == DRM_GPUVM_IMM_UPDATE_MAP_HOLE ?
						 DRM_GPUVM_IMM_UPDATE_VAS :
						 DRM_GPUVM_IMM_UPDATE_NEW);
	trace_drm_gpuvm_imm_prepare(update, ret);

	return unlikely(ret) ? drm_gpuvm_imm_update_fail(update, ret) : 0;
}

/* Reports a missing address space. Returns true, for use in conditions. */
noinline bool drm_gpuvm_imm_report_none(void)
{
	drm_safe_broken(NULL, "a core is initialised before it is used",
			"the address space is NULL: its core was never initialised, was ended, or is a copy");

	return true;
}

#ifdef CONFIG_DRM_SAFE_DEBUG
/**
 * __drm_gpuvm_imm_check() - report an address space that is used as another type
 * @type: the type as which it is used
 * @vm: the address space, or NULL
 *
 * Context: Any.
 */
void __drm_gpuvm_imm_check(const struct drm_gpuvm_imm_type *type, const struct drm_gpuvm_imm *vm)
{
	if (likely(!vm || vm->type == type))
		return;
	drm_safe_broken(vm->base.drm, "a call names the type of its VM",
			"%s: the description in the call is not of the type of the VM, vm_bo, mapping or update",
			vm->base.name);
}
EXPORT_SYMBOL_GPL(__drm_gpuvm_imm_check);

/**
 * __drm_gpuvm_imm_check_base() - the same for the address space of a mapping or a vm_bo
 * @type: the type as which the address space is used
 * @base: the core's part of it, or NULL
 *
 * Context: Any.
 */
void __drm_gpuvm_imm_check_base(const struct drm_gpuvm_imm_type *type, const struct drm_gpuvm *base)
{
	if (base)
		__drm_gpuvm_imm_check(type, container_of(base, struct drm_gpuvm_imm, base));
}
EXPORT_SYMBOL_GPL(__drm_gpuvm_imm_check_base);
#endif

static noinline int drm_gpuvm_imm_prepare_refused(struct drm_gpuvm_imm *vm,
						  const struct drm_gpuvm_imm_update *update)
{
	if (drm_gpuvm_imm_is_none(vm))
		return -EINVAL;
	/* It stays set: see the invariants of @error. */
	if (!update->__vm)
		return READ_ONCE(vm->error);

	drm_safe_broken(vm->base.drm, "an update is prepared once",
			"%s: run or drop the update before you prepare it again",
			vm->base.name);
	return -EBUSY;
}

/* The checks with which every function that prepares an update begins */
static int drm_gpuvm_imm_prepare_check(struct drm_gpuvm_imm *vm,
				       const struct drm_gpuvm_imm_update *update)
{
	/* Unlocked: see the invariants of @error. */
	if (likely(vm && !update->__vm && !READ_ONCE(vm->error)))
		return 0;

	return drm_gpuvm_imm_prepare_refused(vm, update);
}

static void drm_gpuvm_imm_resv_free(struct drm_gem_object *obj)
{
	drm_gem_object_release(obj);
	kfree(obj);
}

/*
 * Like drm_gpuvm_resv_object_alloc(), but charges the object to the client. Once the core's
 * function does that, too, this one can be dropped.
 */
static struct drm_gem_object *drm_gpuvm_imm_resv_alloc(struct drm_device *drm)
{
	static const struct drm_gem_object_funcs funcs = { .free = drm_gpuvm_imm_resv_free };
	struct drm_gem_object *obj = kzalloc_obj(*obj, GFP_KERNEL_ACCOUNT);

	if (!obj)
		return NULL;

	obj->funcs = &funcs;
	drm_gem_private_object_init(drm, obj, 0);

	return obj;
}

/**
 * drm_gpuvm_imm_core_init() - drm_gpuvm_imm_init() with the core alone
 * @core: the core, in zeroed memory that stays where it is
 * @drm: the device
 * @type: the type
 * @config: the layout; not used after the call
 * @va_size: size of the driver's data of a mapping in bytes
 * @vm_bo_size: size of the driver's data of an object in an address space in bytes
 * @has_ctx: each run has a context
 *
 * Drivers call drm_gpuvm_imm_init(), which derives the last three from the type.
 *
 * Context: May sleep.
 *
 * Return: 0; -EINVAL if the layout is invalid, or for these driver bugs: the object for the
 * reservation lock belongs to another device, @type is not complete, or @vm_bo_size is more
 * than DRM_GPUVM_IMM_TYPE_VM_BO() accepts; -ENOMEM; or -EBUSY if @core is initialised
 * already, which is a driver bug, too.
 */
int drm_gpuvm_imm_core_init(struct drm_gpuvm_imm_core *core, struct drm_device *drm,
			    const struct drm_gpuvm_imm_type *type,
			    const struct drm_gpuvm_imm_config *config,
			    size_t va_size, size_t vm_bo_size, bool has_ctx)
{
	static struct lock_class_key owner_key;
	const struct drm_gpuvm_ops *ops = drm_gpuvm_imm_base_ops(vm_bo_size);
	struct drm_gem_object *resv_obj = config->resv_obj;
	struct drm_gpuvm_imm *vm;
	const char *name;

	if (!drm_gpuvm_imm_type_valid(drm, type) || !drm_gpuvm_imm_config_valid(config) ||
	    !drm_gpuvm_imm_resv_obj_valid(drm, config->resv_obj) || !ops)
		return -EINVAL;
	if (drm_gpuvm_imm_shared(core)) {
		drm_safe_broken(drm, "a core is initialised once",
				"%s: call drm_gpuvm_imm_fini() first",
				drm_gpuvm_imm_shared(core)->name);
		return -EBUSY;
	}

	name = kstrdup_const(config->name ?: "unknown", GFP_KERNEL_ACCOUNT);
	vm = kzalloc_obj(*vm, GFP_KERNEL_ACCOUNT);
	if (resv_obj)
		drm_gem_object_get(resv_obj);
	else
		resv_obj = drm_gpuvm_imm_resv_alloc(drm);
	if (!name || !vm || !resv_obj) {
		drm_gem_object_put(resv_obj);
		kfree(vm);
		kfree_const(name);
		return -ENOMEM;
	}

	drm_gpuvm_init(&vm->base, name,
		       DRM_GPUVM_RESV_PROTECTED | DRM_GPUVM_IMMEDIATE_MODE,
		       drm, resv_obj, config->start, config->range,
		       config->reserve_start, config->reserve_range, ops);
	/* @base has its own reference. */
	drm_gem_object_put(resv_obj);
	vm->type = type;
	vm->va_size = va_size;
	vm->va_counted = type->va_put;
	vm->core = core;
	vm->plain_core = has_ctx ? NULL : core;
	vm->max_vas = config->max_vas ?: DRM_GPUVM_IMM_VAS_DEFAULT;
	vm->name = name;
	drm_dev_get(drm);
	lockdep_init_map(&vm->owner_map, "drm_gpuvm_imm_owner", &owner_key, 0);
	mutex_init(&vm->evict_lock);
	spin_lock_init(&vm->pool_lock);
	/* Nobody else has it yet. The last eighth of @max_vas is for updates that unmap. */
	context_unsafe(vm->vas_left = vm->max_vas - drm_gpuvm_imm_unmap_vas(vm));
	INIT_WORK(&vm->drain, drm_gpuvm_imm_drain);
	vm->drain_era = DRM_GPUVM_IMM_NO_ERA;
	core->__vm = vm;
	core->__self = core;
	drm_gpuvm_imm_add(vm);

	return 0;
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_core_init);

/**
 * drm_gpuvm_imm_fini() - give up the core of an address space
 * @core: the core; zeroed memory that was never initialised is fine
 *
 * Unmaps all mappings through the driver's unmap step, which must not fail here, and
 * cleans up the vm_bos. When this returns, the address space is gone, unless something
 * else holds the address space or an update for it.
 *
 * Waits for this address space only: for its reservation lock, for an eviction from it,
 * and for its clean-up in another task. A call inside a clean-up, that is, from va_put, bo_fini or
 * the end of an object, does not wait for the clean-up of another task. That task then puts the
 * references that it has found.
 *
 * The end of an object may run under the reservation locks of other objects, because drm_exec puts
 * objects one after the other. Code that frees an object must therefore leave this call to a work
 * item. So must &drm_gpuvm_imm_type.bo_fini if the driver uses drm_gpuvm_imm_obtain_locked() or
 * drm_gpuvm_imm_prepare_map_locked(). If the caller holds the lock of this address space, the
 * library reports that, and a work item cleans up.
 *
 * Context: May sleep. Takes the reservation lock of the address space; the caller holds
 * none. Any thread, also of a workqueue for memory reclaim, and any function of the
 * driver that may sleep. Not from inside a step.
 */
void drm_gpuvm_imm_fini(struct drm_gpuvm_imm_core *core)
{
	struct drm_gpuvm_imm *vm = drm_gpuvm_imm_shared(core);

	might_sleep();
	if (!vm) {
		/* A copy is refused: the steps would be called with the original. */
		if (core->__self || core->__vm)
			drm_safe_broken(NULL, "a core stays where it was initialised",
					"%s() was called on a copy or on uninitialised memory",
					__func__);
		return;
	}

	if (!drm_gpuvm_imm_claim(vm)) {
		bool inside = READ_ONCE(vm->owner) == current;

		drm_safe_broken(vm->base.drm, "the core outlives its users",
				"%s: dropped %s", vm->base.name,
				inside ? "from a step; it stays" :
				"while another task uses it");
		if (inside)
			return;
		lock_map_acquire(&vm->owner_map);
		lock_map_release(&vm->owner_map);
		while (!drm_gpuvm_imm_claim(vm))
			schedule_timeout_uninterruptible(1);
	}

	scoped_guard(mutex, &vm->evict_lock) {
		drm_gpuvm_imm_unmap_all(vm);
		WRITE_ONCE(vm->core, NULL);
		WRITE_ONCE(vm->plain_core, NULL);
	}
	core->__vm = NULL;
	core->__self = NULL;
	drm_gpuvm_imm_unclaim(vm);

	if (likely(!drm_resv_is_held(drm_gpuvm_resv(&vm->base)))) {
		drm_gpuvm_imm_end(vm);
		return;
	}
	drm_safe_broken(vm->base.drm, "an address space ends without its reservation lock",
			"%s: the caller holds the lock; a work item cleans up", vm->base.name);
	drm_gpuvm_imm_put_and_drain(vm);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_fini);

/**
 * drm_gpuvm_imm_get() - take a reference to an address space
 * @core: the core
 *
 * Context: Any.
 *
 * Return: the address space, to be put with drm_gpuvm_imm_put(), or NULL as
 * drm_gpuvm_imm_shared(). The reference identifies the address space and is used to
 * prepare updates, but the address space cannot be changed through it.
 */
struct drm_gpuvm_imm *drm_gpuvm_imm_get(const struct drm_gpuvm_imm_core *core)
{
	struct drm_gpuvm_imm *vm = drm_gpuvm_imm_shared(core);

	if (vm)
		drm_gpuvm_get(&vm->base);

	return vm;
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_get);

/**
 * drm_gpuvm_imm_va_start() - where an address space starts
 * @vm: the address space
 *
 * Context: Any.
 *
 * Return: the first address, in bytes; 0 if @vm is NULL, which is a driver bug.
 */
u64 drm_gpuvm_imm_va_start(const struct drm_gpuvm_imm *vm)
{
	return drm_gpuvm_imm_is_none(vm) ? 0 : vm->base.mm_start;
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_va_start);

/**
 * drm_gpuvm_imm_va_length() - how long an address space is
 * @vm: the address space
 *
 * Context: Any.
 *
 * Return: the length in bytes; 0 if @vm is NULL, which is a driver bug.
 */
u64 drm_gpuvm_imm_va_length(const struct drm_gpuvm_imm *vm)
{
	return drm_gpuvm_imm_is_none(vm) ? 0 : vm->base.mm_range;
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_va_length);

/**
 * drm_gpuvm_imm_va_end() - where an address space ends
 * @vm: the address space
 *
 * Context: Any.
 *
 * Return: the first address after it, in bytes; 0 if @vm is NULL, which is a driver bug.
 */
u64 drm_gpuvm_imm_va_end(const struct drm_gpuvm_imm *vm)
{
	if (drm_gpuvm_imm_is_none(vm))
		return 0;

	/* drm_gpuvm_imm_config_valid() has checked that this does not overflow. */
	return vm->base.mm_start + vm->base.mm_range;
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_va_end);

/**
 * drm_gpuvm_imm_name() - the name of an address space
 * @vm: the address space
 *
 * Context: Any.
 *
 * Return: the name, which lives as long as @vm; "none" if @vm is NULL, which is a driver
 * bug.
 */
const char *drm_gpuvm_imm_name(const struct drm_gpuvm_imm *vm)
{
	return drm_gpuvm_imm_is_none(vm) ? "none" : vm->name;
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_name);

/**
 * drm_gpuvm_imm_resv_obj() - the object that has the reservation lock
 * @vm: the address space
 *
 * Objects that share the reservation object of this object are private to the address
 * space: one lock protects all of them. They must hold this object.
 *
 * Context: Any.
 *
 * Return: the object, borrowed from @vm; NULL if @vm is NULL, which is a driver bug.
 */
struct drm_gem_object *drm_gpuvm_imm_resv_obj(const struct drm_gpuvm_imm *vm)
{
	return drm_gpuvm_imm_is_none(vm) ? NULL : drm_gpuvm_resv_obj(&vm->base);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_resv_obj);

/**
 * drm_gpuvm_imm_is_extobj() - is an object external to an address space?
 * @vm: the address space
 * @obj: the object
 *
 * @obj can be any object that drm_exec has locked, such as the one whose reservation lock @vm
 * shares.
 *
 * Context: Any.
 *
 * Return: true if @obj does not share the reservation lock of @vm; false if @vm is NULL, or
 * @obj is of another device, which are driver bugs.
 */
bool drm_gpuvm_imm_is_extobj(struct drm_gpuvm_imm *vm, struct drm_gem_object *obj)
{
	if (drm_gpuvm_imm_is_none(vm))
		return false;
	if (unlikely(obj->dev != vm->base.drm)) {
		drm_gpuvm_imm_report_foreign(vm, obj);
		return false;
	}
	return drm_gpuvm_is_extobj(&vm->base, obj);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_is_extobj);

/**
 * drm_gpuvm_imm_is_broken() - did an address space lose mappings?
 * @vm: the address space
 *
 * An address space is broken if a step of an update failed, and a step that should have undone
 * earlier steps failed as well. The address space has lost mappings in that case, and can no longer
 * be used: preparing and running updates, locking and validating fail with -ENOTRECOVERABLE.
 * Eviction and drm_gpuvm_imm_fini() still work. A driver may report this to userspace, like a
 * hung GPU context.
 *
 * Context: Any. A broken address space stays broken.
 *
 * Return: true if @vm is broken, or NULL, which is a driver bug.
 */
bool drm_gpuvm_imm_is_broken(const struct drm_gpuvm_imm *vm)
{
	/* Unlocked: see the invariants of @error. */
	return drm_gpuvm_imm_is_none(vm) || READ_ONCE(vm->error) == -ENOTRECOVERABLE;
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_is_broken);

static struct drm_gpuvm_bo *__drm_gpuvm_imm_obtain(struct drm_gpuvm_imm *vm,
						   struct drm_gem_object *obj, void *arg,
						   enum drm_resv_how how)
{
	bool locked = how == DRM_RESV_LOCKED;
	struct drm_gpuvm_bo *vm_bo;
	struct dma_resv *resv;
	int ret;

	if (drm_gpuvm_imm_is_none(vm) || !drm_gpuvm_imm_obj_ok(vm, obj))
		return ERR_PTR(-EINVAL);

	resv = drm_gpuvm_resv(&vm->base);
	if (drm_resv_is_held(resv) != locked) {
		drm_safe_broken(vm->base.drm,
				"a _locked call is made with the VM's reservation lock",
				"%s: the caller %s", vm->base.name,
				locked ? "does not hold it" :
				"holds it already: use the _locked form");
		return ERR_PTR(locked ? -EINVAL : -EALREADY);
	}
	/* Even if the connection exists. */
	if (!locked)
		drm_resv_might_lock(resv);

	vm_bo = drm_gpuvm_imm_find_or_create(vm, obj, arg);
	if (IS_ERR(vm_bo) || !drm_gpuvm_imm_needs_extobj(vm, vm_bo))
		return vm_bo;

	ret = drm_gpuvm_imm_add_extobj(resv, vm_bo, how);
	if (ret) {
		drm_gpuvm_imm_bo_put(vm_bo);
		return ERR_PTR(ret);
	}

	return vm_bo;
}

/**
 * drm_gpuvm_imm_obtain_gem() - get or make the vm_bo that connects an object to a VM
 * @vm: the address space
 * @obj: the object, of the driver's own kind
 * @arg: what &drm_gpuvm_imm_type.bo_init is given
 *
 * Drivers call drm_gpuvm_imm_obtain(), which takes their own type of object.
 *
 * Context: As drm_gpuvm_imm_obtain().
 *
 * Return: as drm_gpuvm_imm_obtain(); ERR_PTR(-EINVAL) also if @obj is NULL, which is a driver
 * bug.
 */
struct drm_gpuvm_bo *drm_gpuvm_imm_obtain_gem(struct drm_gpuvm_imm *vm,
					      struct drm_gem_object *obj, void *arg)
{
	return __drm_gpuvm_imm_obtain(vm, obj, arg, DRM_RESV_LOCKS);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_obtain_gem);

/**
 * drm_gpuvm_imm_obtain_gem_interruptible() - drm_gpuvm_imm_obtain() with an interruptible wait
 * @vm: the address space
 * @obj: the object, of the driver's own kind
 * @arg: what &drm_gpuvm_imm_type.bo_init is given
 *
 * Context: As drm_gpuvm_imm_obtain_interruptible().
 *
 * Return: as drm_gpuvm_imm_obtain_interruptible().
 */
struct drm_gpuvm_bo *drm_gpuvm_imm_obtain_gem_interruptible(struct drm_gpuvm_imm *vm,
							    struct drm_gem_object *obj,
							    void *arg)
{
	return __drm_gpuvm_imm_obtain(vm, obj, arg, DRM_RESV_LOCKS_INTERRUPTIBLE);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_obtain_gem_interruptible);

/**
 * drm_gpuvm_imm_obtain_gem_locked() - drm_gpuvm_imm_obtain() under the VM's lock
 * @vm: the address space
 * @obj: the object, of the driver's own kind
 * @arg: what &drm_gpuvm_imm_type.bo_init is given
 *
 * Context: May sleep. The caller holds the reservation lock of @vm.
 *
 * Return: as drm_gpuvm_imm_obtain_locked().
 */
struct drm_gpuvm_bo *drm_gpuvm_imm_obtain_gem_locked(struct drm_gpuvm_imm *vm,
						     struct drm_gem_object *obj, void *arg)
{
	return __drm_gpuvm_imm_obtain(vm, obj, arg, DRM_RESV_LOCKED);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_obtain_gem_locked);

/**
 * drm_gpuvm_imm_bo_put() - put a vm_bo
 * @vm_bo: a vm_bo from drm_gpuvm_imm_obtain(), or NULL
 *
 * Context: Any thread, also in the fence signalling path.
 */
void drm_gpuvm_imm_bo_put(struct drm_gpuvm_bo *vm_bo)
	__drm_nonallocating
{
	struct drm_gpuvm_imm *vm;

	if (!vm_bo)
		return;

	/* Only the last put takes the lock. */
	drm_safe_trusted(might_lock(&vm_bo->obj->gpuva.lock));
	/* The vm_bo may hold the only reference to the address space. */
	vm = to_drm_gpuvm_imm(vm_bo->vm);
	drm_safe_trusted(drm_gpuvm_get(&vm->base));
	if (drm_gpuvm_bo_put_late(vm_bo))
		drm_gpuvm_imm_put_and_drain(vm);
	else
		drm_gpuvm_imm_put(vm);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_bo_put);

static __always_inline int
__drm_gpuvm_imm_prepare_map(struct drm_gpuvm_imm *vm, struct drm_gpuvm_imm_update *update,
			    struct drm_gem_object *obj, u64 addr, u64 range, u64 offset,
			    void *arg, enum drm_resv_how how)
{
	struct drm_gpuvm_bo *vm_bo;
	int ret;

	ret = drm_gpuvm_imm_prepare_check(vm, update);
	if (ret)
		return ret;

	ret = drm_gpuvm_imm_map_check(vm, obj, addr, range, offset);
	if (ret)
		return ret;

	vm_bo = __drm_gpuvm_imm_obtain(vm, obj, arg, how);
	if (IS_ERR(vm_bo))
		return PTR_ERR(vm_bo);

	return drm_gpuvm_imm_update_fill(vm, update, DRM_GPUVM_IMM_UPDATE_MAP, vm_bo,
					 addr, range, offset);
}

/**
 * drm_gpuvm_imm_prepare_map_gem() - prepare to map a part of an object
 * @vm: the address space
 * @update: an empty update
 * @obj: the object, of the driver's own kind
 * @addr: where to map it, in bytes of GPU address
 * @range: how much of it, in bytes
 * @offset: from where on, in bytes from the start of @obj
 * @arg: what &drm_gpuvm_imm_type.bo_init is given
 *
 * When the update runs, it replaces everything that is mapped in the range. Drivers call
 * drm_gpuvm_imm_prepare_map(), which takes their own type of object, and may set the data
 * of the new mapping afterwards.
 *
 * Context: As drm_gpuvm_imm_prepare_map().
 *
 * Return: as drm_gpuvm_imm_prepare_map().
 */
int drm_gpuvm_imm_prepare_map_gem(struct drm_gpuvm_imm *vm,
				  struct drm_gpuvm_imm_update *update,
				  struct drm_gem_object *obj, u64 addr, u64 range,
				  u64 offset, void *arg)
{
	return __drm_gpuvm_imm_prepare_map(vm, update, obj, addr, range, offset, arg,
					   DRM_RESV_LOCKS);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_prepare_map_gem);

/**
 * drm_gpuvm_imm_prepare_map_gem_interruptible() - the same, with an interruptible wait
 * @vm: the address space
 * @update: an empty update
 * @obj: the object, of the driver's own kind
 * @addr: where to map it, in bytes of GPU address
 * @range: how much of it, in bytes
 * @offset: from where on, in bytes from the start of @obj
 * @arg: what &drm_gpuvm_imm_type.bo_init is given
 *
 * Context: As drm_gpuvm_imm_prepare_map_interruptible().
 *
 * Return: as drm_gpuvm_imm_prepare_map_interruptible().
 */
int drm_gpuvm_imm_prepare_map_gem_interruptible(struct drm_gpuvm_imm *vm,
						struct drm_gpuvm_imm_update *update,
						struct drm_gem_object *obj, u64 addr,
						u64 range, u64 offset, void *arg)
{
	return __drm_gpuvm_imm_prepare_map(vm, update, obj, addr, range, offset, arg,
					   DRM_RESV_LOCKS_INTERRUPTIBLE);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_prepare_map_gem_interruptible);

/**
 * drm_gpuvm_imm_prepare_map_gem_locked() - drm_gpuvm_imm_prepare_map() under the VM's lock
 * @vm: the address space
 * @update: an empty update
 * @obj: the object, of the driver's own kind
 * @addr: where to map it, in bytes of GPU address
 * @range: how much of it, in bytes
 * @offset: from where on, in bytes from the start of @obj
 * @arg: what &drm_gpuvm_imm_type.bo_init is given
 *
 * Context: May sleep. The caller holds the reservation lock of @vm.
 *
 * Return: as drm_gpuvm_imm_prepare_map_locked().
 */
int drm_gpuvm_imm_prepare_map_gem_locked(struct drm_gpuvm_imm *vm,
					 struct drm_gpuvm_imm_update *update,
					 struct drm_gem_object *obj, u64 addr, u64 range,
					 u64 offset, void *arg)
{
	return __drm_gpuvm_imm_prepare_map(vm, update, obj, addr, range, offset, arg,
					   DRM_RESV_LOCKED);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_prepare_map_gem_locked);

static __always_inline int
drm_gpuvm_imm_prepare_vm_bo(struct drm_gpuvm_imm *vm, struct drm_gpuvm_imm_update *update,
			    enum drm_gpuvm_imm_update_kind kind, struct drm_gpuvm_bo *vm_bo,
			    u64 addr, u64 range, u64 offset)
{
	int ret;

	ret = drm_gpuvm_imm_prepare_check(vm, update);
	if (ret)
		return ret;

	if (!drm_gpuvm_imm_bo_ok(vm, vm_bo))
		return -EINVAL;

	ret = drm_gpuvm_imm_map_check(vm, vm_bo->obj, addr, range, offset);
	if (ret)
		return ret;

	return drm_gpuvm_imm_update_fill(vm, update, kind, drm_gpuvm_bo_get(vm_bo), addr, range,
					 offset);
}

/**
 * drm_gpuvm_imm_prepare_map_bo() - prepare to map through a vm_bo
 * @vm: the address space
 * @update: an empty update
 * @vm_bo: a vm_bo of @vm; the update takes a reference of its own
 * @addr: where to map its object, in bytes of GPU address
 * @range: how much of it, in bytes
 * @offset: from where on, in bytes from the start of the object
 *
 * Context: May sleep. Takes no lock.
 *
 * Return: as drm_gpuvm_imm_prepare_map(); -EINVAL also if @vm_bo is NULL, an ERR_PTR() or
 * another address space's, which are driver bugs.
 */
int drm_gpuvm_imm_prepare_map_bo(struct drm_gpuvm_imm *vm, struct drm_gpuvm_imm_update *update,
				 struct drm_gpuvm_bo *vm_bo, u64 addr, u64 range,
				 u64 offset)
{
	return drm_gpuvm_imm_prepare_vm_bo(vm, update, DRM_GPUVM_IMM_UPDATE_MAP, vm_bo, addr,
					   range, offset);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_prepare_map_bo);

/**
 * drm_gpuvm_imm_prepare_map_hole() - prepare to map where nothing is mapped
 * @vm: the address space
 * @update: an empty update
 * @vm_bo: a vm_bo of @vm; the update takes a reference of its own
 * @addr: where to map its object, in bytes of GPU address
 * @range: how much of it, in bytes
 * @offset: from where on, in bytes from the start of the object
 *
 * For addresses that the driver allocates itself, say with &struct drm_mm. Nothing is split, so
 * this allocates one VA instead of three, and the run needs no lookup. If something is mapped
 * in the range, the run changes nothing and returns -EEXIST.
 *
 * Context: May sleep. Takes no lock.
 *
 * Return: as drm_gpuvm_imm_prepare_map_bo().
 */
int drm_gpuvm_imm_prepare_map_hole(struct drm_gpuvm_imm *vm, struct drm_gpuvm_imm_update *update,
				   struct drm_gpuvm_bo *vm_bo, u64 addr, u64 range,
				   u64 offset)
{
	return drm_gpuvm_imm_prepare_vm_bo(vm, update, DRM_GPUVM_IMM_UPDATE_MAP_HOLE, vm_bo, addr,
					   range, offset);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_prepare_map_hole);

/**
 * drm_gpuvm_imm_prepare_map_sparse() - prepare to map a range without an object
 * @vm: the address space
 * @update: an empty update
 * @addr: start of the range, in bytes of GPU address
 * @range: length of the range in bytes
 *
 * The step gets no object. Reads of such a range return zeroes, or whatever else the
 * driver's page table defines for it.
 *
 * Context: May sleep. Takes no lock.
 *
 * Return: as drm_gpuvm_imm_prepare_map().
 */
int drm_gpuvm_imm_prepare_map_sparse(struct drm_gpuvm_imm *vm,
				     struct drm_gpuvm_imm_update *update, u64 addr,
				     u64 range)
{
	int ret;

	ret = drm_gpuvm_imm_prepare_check(vm, update);
	if (ret)
		return ret;

	if (!drm_gpuvm_imm_range_ok(vm, addr, range))
		return -EINVAL;

	return drm_gpuvm_imm_update_fill(vm, update, DRM_GPUVM_IMM_UPDATE_MAP, NULL, addr,
					 range, 0);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_prepare_map_sparse);

/**
 * drm_gpuvm_imm_prepare_unmap() - prepare to unmap a range
 * @vm: the address space
 * @update: an empty update
 * @addr: start of the range, in bytes of GPU address
 * @range: length of the range in bytes
 *
 * Mappings that are only partly in the range are split. An empty range is not an error.
 *
 * The last eighth of &drm_gpuvm_imm_config.max_vas is for these updates. They can use it up, if
 * each of them splits one mapping into two. The limit does not apply if the range begins and ends
 * where @vm or its reserved range does, because no mapping can reach beyond such a range.
 *
 * Context: May sleep. Takes no lock.
 *
 * Return: as drm_gpuvm_imm_prepare_map().
 */
int drm_gpuvm_imm_prepare_unmap(struct drm_gpuvm_imm *vm, struct drm_gpuvm_imm_update *update,
				u64 addr, u64 range)
{
	int ret;

	ret = drm_gpuvm_imm_prepare_check(vm, update);
	if (ret)
		return ret;

	if (!drm_gpuvm_imm_range_ok(vm, addr, range))
		return -EINVAL;

	return drm_gpuvm_imm_update_fill(vm, update, DRM_GPUVM_IMM_UPDATE_UNMAP, NULL,
					 addr, range, 0);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_prepare_unmap);

/**
 * drm_gpuvm_imm_bo_vm() - the address space of a vm_bo
 * @vm_bo: the vm_bo
 *
 * Context: Any.
 *
 * Return: the shared side of the address space, borrowed from @vm_bo.
 */
struct drm_gpuvm_imm *drm_gpuvm_imm_bo_vm(const struct drm_gpuvm_bo *vm_bo)
{
	return to_drm_gpuvm_imm(vm_bo->vm);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_bo_vm);

int __init drm_gpuvm_imm_module_init(void)
{
	int ret = drm_gpuvm_imm_wq_init();

	if (ret)
		return ret;

	drm_gpuvm_imm_debugfs_init();

	return 0;
}

void drm_gpuvm_imm_module_exit(void)
{
	drm_gpuvm_imm_debugfs_exit();
	drm_gpuvm_imm_wq_exit();
}

/**
 * drm_gpuvm_imm_prepare_unmap_gem() - prepare to unmap all of an object
 * @vm: the address space
 * @update: an empty update
 * @obj: the object, of the driver's own kind
 *
 * The run removes every mapping that @obj has in @vm at that time, which may be none. But if no
 * vm_bo connects @obj to @vm when this is called, the run removes nothing, even if @obj was mapped
 * in between.
 *
 * Context: May sleep.
 *
 * Return: as drm_gpuvm_imm_prepare_map().
 */
int drm_gpuvm_imm_prepare_unmap_gem(struct drm_gpuvm_imm *vm,
				    struct drm_gpuvm_imm_update *update,
				    struct drm_gem_object *obj)
{
	struct drm_gpuvm_bo *vm_bo;
	int ret;

	ret = drm_gpuvm_imm_prepare_check(vm, update);
	if (ret)
		return ret;

	if (!drm_gpuvm_imm_obj_ok(vm, obj))
		return -EINVAL;

	vm_bo = drm_gpuvm_imm_bo_find(vm, obj);
	if (IS_ERR(vm_bo))
		return PTR_ERR(vm_bo);

	return drm_gpuvm_imm_update_fill(vm, update, DRM_GPUVM_IMM_UPDATE_UNMAP_OBJ,
					 vm_bo, 0, 0, 0);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_prepare_unmap_gem);

/* Returns whether @addr is a valid split point: in the address space, not in the reserved range */
static bool drm_gpuvm_imm_split_ok(struct drm_gpuvm_imm *vm, u64 addr)
{
	const struct drm_gpuva *reserved = drm_gpuvm_reserved(&vm->base);

	return drm_gpuvm_imm_aligned(vm, addr) &&
	       addr >= drm_gpuvm_imm_va_start(vm) && addr <= drm_gpuvm_imm_va_end(vm) &&
	       (addr <= reserved->va.addr ||
		addr >= reserved->va.addr + reserved->va.range);
}

/**
 * drm_gpuvm_imm_prepare_split() - prepare to split a mapping in two
 * @vm: the address space
 * @update: an empty update
 * @addr: where to split, in bytes of GPU address
 *
 * If a mapping starts before and ends after @addr when the update runs, the update splits it into
 * two, each with a copy of its data. Otherwise nothing happens, for example at the start or end of
 * @vm or of its reserved range. With one such update at each end of a range, the range has mappings
 * of its own, whose data can then be changed, as for madvise().
 *
 * Context: May sleep. Takes no lock.
 *
 * Return: as drm_gpuvm_imm_prepare_map().
 */
int drm_gpuvm_imm_prepare_split(struct drm_gpuvm_imm *vm, struct drm_gpuvm_imm_update *update,
				u64 addr)
{
	int ret;

	ret = drm_gpuvm_imm_prepare_check(vm, update);
	if (ret)
		return ret;

	if (!drm_gpuvm_imm_split_ok(vm, addr))
		return -EINVAL;

	return drm_gpuvm_imm_update_fill(vm, update, DRM_GPUVM_IMM_UPDATE_SPLIT, NULL,
					 addr, 0, 0);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_prepare_split);

/* Reports a driver that reads the mappings while another task changes them. */
void drm_gpuvm_imm_assert_readable(const struct drm_gpuvm_imm *vm)
{
	struct task_struct *owner = READ_ONCE(vm->owner);

	if (unlikely(owner && owner != current && owner != DRM_GPUVM_IMM_READER))
		drm_safe_broken(vm->base.drm, "a VM has one writer at a time",
				"%s: read while another task changes it; take a driver lock around all uses of the core",
				vm->base.name);
}

static bool drm_gpuvm_imm_is_mapping(const struct drm_gpuvm_imm *vm,
				     const struct drm_gpuva *va)
{
	return va != drm_gpuvm_reserved(&vm->base);
}

/* Returns the first mapping from @va on, or NULL if it starts at @end or later. */
static const struct drm_gpuva *
drm_gpuvm_imm_skip(const struct drm_gpuvm_imm *vm, struct drm_gpuva *va, u64 end)
{
	while (va && !drm_gpuvm_imm_is_mapping(vm, va))
		va = __drm_gpuva_next(va);

	return va && va->va.addr < end ? va : NULL;
}

/**
 * drm_gpuvm_imm_find() - find the mapping of exactly a range
 * @core: the core
 * @addr: start of the range, in bytes of GPU address
 * @range: length of the range in bytes
 *
 * Context: Any; the driver keeps others from changing the address space.
 *
 * Return: the mapping, valid until the address space is changed; NULL if there is none,
 * or @core has no address space.
 */
const struct drm_gpuva *drm_gpuvm_imm_find(const struct drm_gpuvm_imm_core *core,
					   u64 addr, u64 range)
{
	const struct drm_gpuva *va = drm_gpuvm_imm_find_first(core, addr, range);

	return va && va->va.addr == addr && va->va.range == range ? va : NULL;
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_find);

/**
 * drm_gpuvm_imm_find_first() - find the first mapping in a range
 * @core: the core
 * @addr: start of the range, in bytes of GPU address
 * @range: length of the range in bytes
 *
 * Context: Any; the driver keeps others from changing the address space.
 *
 * Return: the first mapping that has an address in the range, valid until the
 * address space is changed; NULL if there is none, the range is empty or overflows, or
 * @core has no address space.
 */
const struct drm_gpuva *drm_gpuvm_imm_find_first(const struct drm_gpuvm_imm_core *core,
						 u64 addr, u64 range)
{
	struct drm_gpuvm_imm *vm = drm_gpuvm_imm_shared(core);
	u64 end;

	if (!vm || !range || check_add_overflow(addr, range, &end))
		return NULL;

	drm_gpuvm_imm_assert_readable(vm);

	return drm_gpuvm_imm_skip(vm, drm_gpuva_find_first(&vm->base, addr, range),
				  end);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_find_first);

/*
 * Returns the address space of a core. Returns NULL, with a report, if the mapping is in
 * another one.
 */
static struct drm_gpuvm_imm *drm_gpuvm_imm_of_va(const struct drm_gpuvm_imm_core *core,
						 const struct drm_gpuva *va)
{
	struct drm_gpuvm_imm *vm = drm_gpuvm_imm_shared(core);

	if (likely(!vm || va->vm == &vm->base))
		return vm;

	drm_safe_broken(vm->base.drm, "a mapping is used with the core of its VM",
			"%s: the mapping belongs to %s", vm->base.name, va->vm->name);

	return NULL;
}

/**
 * drm_gpuvm_imm_next() - the next mapping in a range
 * @core: the core
 * @va: a mapping in the range
 * @addr: start of the range, in bytes of GPU address
 * @range: length of the range in bytes
 *
 * Context: Any; the driver keeps others from changing the address space.
 *
 * Return: as drm_gpuvm_imm_find_first(); NULL also if @va is a mapping of another address
 * space, which is a driver bug.
 */
const struct drm_gpuva *drm_gpuvm_imm_next(const struct drm_gpuvm_imm_core *core,
					   const struct drm_gpuva *va, u64 addr,
					   u64 range)
{
	struct drm_gpuvm_imm *vm = drm_gpuvm_imm_of_va(core, va);

	/* The VA belongs to this VM. It is const only for drivers, so the cast is right. */
	return vm ? drm_gpuvm_imm_skip(vm, __drm_gpuva_next((struct drm_gpuva *)va),
				       addr + range) : NULL;
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_next);

/**
 * drm_gpuvm_imm_first_of() - find a mapping of an object
 * @core: the core
 * @obj: the object
 *
 * Context: May sleep. Takes the gpuva lock of @obj; the driver keeps others from
 * changing the address space.
 *
 * Return: one of the mappings of @obj, valid until the address space is changed;
 * NULL if there is none, or @core has no address space.
 */
const struct drm_gpuva *drm_gpuvm_imm_first_of(const struct drm_gpuvm_imm_core *core,
					       struct drm_gem_object *obj)
{
	struct drm_gpuvm_imm *vm = drm_gpuvm_imm_shared(core);
	const struct drm_gpuva *va;
	struct drm_gpuvm_bo *vm_bo;

	if (!vm)
		return NULL;

	drm_gpuvm_imm_assert_readable(vm);
	vm_bo = drm_gpuvm_imm_bo_find(vm, obj);
	if (IS_ERR_OR_NULL(vm_bo))
		return NULL;

	/* Only the owner of the VM changes this list, so it needs no lock. */
	va = drm_gpuvm_bo_first_va(vm_bo);
	drm_gpuvm_imm_bo_put(vm_bo);

	return va;
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_first_of);

/**
 * drm_gpuvm_imm_next_of() - find another mapping of an object
 * @core: the core
 * @va: a mapping of the object
 *
 * Context: As drm_gpuvm_imm_first_of(), without the lock.
 *
 * Return: the next mapping of the same object; NULL if @va is the last one, or, which is a
 * driver bug, a mapping of another address space.
 */
const struct drm_gpuva *drm_gpuvm_imm_next_of(const struct drm_gpuvm_imm_core *core,
					      const struct drm_gpuva *va)
{
	struct drm_gpuvm_imm *vm = drm_gpuvm_imm_of_va(core, va);

	if (!vm)
		return NULL;

	drm_gpuvm_imm_assert_readable(vm);

	return drm_gpuvm_bo_next_va(va);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_next_of);

static noinline bool drm_gpuvm_imm_report_unlocked(const struct drm_gem_object *obj)
{
	drm_safe_broken(obj->dev, "the mappings of an object are walked under its gpuva lock",
			"the caller does not hold the lock: use drm_gpuvm_imm_for_each_bo(), or drm_gpuvm_imm_for_each_of() if it has the core");

	return false;
}

/* In a step, no other task changes the mappings, so the walk needs no lock. */
static bool drm_gpuvm_imm_may_walk(struct drm_gem_object *obj, const struct drm_gpuvm_imm *vm)
{
	if (likely(drm_mutex_is_held(&obj->gpuva.lock) ||
		   (vm && READ_ONCE(vm->owner) == current)))
		return true;

	return drm_gpuvm_imm_report_unlocked(obj);
}

/**
 * drm_gpuvm_imm_bo_first_va() - a mapping of a vm_bo
 * @vm_bo: the vm_bo
 *
 * Drivers call drm_gpuvm_imm_bo_for_each_va().
 *
 * Context: In a step of the address space, or with the gpuva lock of the object.
 *
 * Return: one of the mappings, valid until the lock is dropped or the step returns; NULL if
 * there is none, or the caller has neither, which is a driver bug.
 */
const struct drm_gpuva *drm_gpuvm_imm_bo_first_va(struct drm_gpuvm_bo *vm_bo)
{
	if (!drm_gpuvm_imm_may_walk(vm_bo->obj, to_drm_gpuvm_imm(vm_bo->vm)))
		return NULL;

	return drm_gpuvm_bo_first_va(vm_bo);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_bo_first_va);

/**
 * drm_gpuvm_imm_bo_next_va() - another mapping of the same vm_bo
 * @va: the mapping before it
 *
 * Context: As drm_gpuvm_imm_bo_first_va().
 *
 * Return: the next mapping, as drm_gpuvm_imm_bo_first_va(); NULL if @va is the last one.
 */
const struct drm_gpuva *drm_gpuvm_imm_bo_next_va(const struct drm_gpuva *va)
{
	if (!drm_gpuvm_imm_may_walk(va->gem.obj, to_drm_gpuvm_imm(va->vm)))
		return NULL;

	return drm_gpuvm_bo_next_va(va);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_bo_next_va);

/**
 * drm_gpuvm_imm_next_bo() - the next address space of a type that an object is in
 * @type: the type
 * @obj: the object
 * @vm_bo: the vm_bo of the previous address space, or NULL
 *
 * Drivers call drm_gpuvm_imm_for_each_bo().
 *
 * Context: With the gpuva lock of @obj.
 *
 * Return: the vm_bo, valid until the lock is dropped; NULL if there is none, or the caller does
 * not hold the lock, which is a driver bug.
 */
struct drm_gpuvm_bo *drm_gpuvm_imm_next_bo(const struct drm_gpuvm_imm_type *type,
					   struct drm_gem_object *obj, struct drm_gpuvm_bo *vm_bo)
{
	if (!drm_gpuvm_imm_may_walk(obj, NULL))
		return NULL;
	do {
		vm_bo = drm_gem_next_gpuvm_bo(obj, vm_bo);
	} while (vm_bo && !drm_gpuvm_imm_is_of(vm_bo->vm, type));

	return vm_bo;
}
EXPORT_SYMBOL_GPL(drm_gpuvm_imm_next_bo);
