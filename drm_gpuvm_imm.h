/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _DRM_GPUVM_IMM_H
#define _DRM_GPUVM_IMM_H

#include <linux/dma-resv.h>

#include <drm/drm_exec.h>
#include <drm/drm_gpuvm.h>

#include "drm_safe.h"

/*
 * The shared, counted side of an address space, and what a driver's step
 * returns. All are incomplete on purpose: only the library makes them.
 */
struct drm_gpuvm_imm;
struct drm_gpuvm_imm_mapped;
struct drm_gpuvm_imm_unmapped;
struct drm_gpuvm_imm_remapped;

/**
 * struct drm_gpuvm_imm_core - the one handle that can change an address space
 *
 * Embedded by value, with DRM_GPUVM_IMM_CORE(), in the type in which a driver
 * keeps its page table. Who can reach that object can reach the core, and who
 * holds only the shared &struct drm_gpuvm_imm reaches neither.
 *
 * Invariants:
 *
 * - There is one for each address space; it cannot be copied.
 * - It stays where it is from drm_gpuvm_imm_core_init() to drm_gpuvm_imm_fini().
 * - @__self is the core itself from drm_gpuvm_imm_core_init() to drm_gpuvm_imm_fini(), and
 *   then NULL. So memory that was never initialised, and a copy, have no address space.
 */
struct drm_gpuvm_imm_core {
	/* private: */
	struct drm_gpuvm_imm *__vm;
	const struct drm_gpuvm_imm_core *__self;
	__DRM_SAFE_NO_ASSIGN;
};

/**
 * DRM_GPUVM_IMM_CORE() - declare the core as a member of a driver's struct
 * @_name: name of the member
 *
 * The member is an array so that it is not copied by initialisation; the
 * empty one beside it lets clang see that the type cannot be assigned.
 */
#define DRM_GPUVM_IMM_CORE(_name)						\
	struct drm_gpuvm_imm_core _name[1];					\
	const u8 _name##__no_assign[0]

/**
 * struct drm_gpuvm_imm_map_step - a range that is to be mapped
 * @va: the mapping that it is for, with the driver's data. Who looks for it in
 *	the address space finds it already, except in a rollback
 * @obj: the object, or NULL if the mapping is sparse
 * @addr: start of the range, in bytes of GPU address
 * @range: length of the range in bytes
 * @offset: where the range starts in @obj, in bytes
 *
 * The range is all of @va, except when a failed update is rolled back: then
 * it is the part of @va that an earlier step took away.
 */
struct drm_gpuvm_imm_map_step {
	const struct drm_gpuva *va;
	struct drm_gem_object *obj;
	u64 addr;
	u64 range;
	u64 offset;
	/* private: */
	unsigned int __done;
};

/**
 * struct drm_gpuvm_imm_unmap_step - a mapping that is to be removed
 * @va: the mapping, with the driver's data
 * @keep: the same pages get mapped at the same addresses by a later step of
 *	this update, so the page table entries may stay. If that step fails, they are
 *	mapped again for @va, or unmapped at the end
 *
 * The step may fail, except when the core goes.
 */
struct drm_gpuvm_imm_unmap_step {
	const struct drm_gpuva *va;
	bool keep;
	/* private: */
	unsigned int __done;
};

/**
 * struct drm_gpuvm_imm_remap_step - a mapping of which only parts are to stay
 * @va: the mapping as it was, with the driver's data
 * @prev: what stays at its start, or NULL
 * @next: what stays at its end, or NULL
 * @addr: start of what goes, in bytes of GPU address
 * @range: length of what goes in bytes; 0 if the mapping is only split in two
 * @keep: as in &struct drm_gpuvm_imm_unmap_step, for what goes
 *
 * The driver's data of @prev and @next start as copies of that of @va. The
 * page table entries of @prev and @next are in place and should stay so.
 */
struct drm_gpuvm_imm_remap_step {
	const struct drm_gpuva *va;
	const struct drm_gpuva *prev;
	const struct drm_gpuva *next;
	u64 addr;
	u64 range;
	bool keep;
	/* private: */
	unsigned int __done;
};

/**
 * drm_gpuvm_imm_map_done() - complete a map step
 * @op: the operation of this step
 *
 * Call once, when the page table is as @op wants it.
 *
 * Return: what the step has to return.
 */
static __always_inline struct drm_gpuvm_imm_mapped * __must_check
drm_gpuvm_imm_map_done(const struct drm_gpuvm_imm_map_step *op)
{
	/* Drivers see the operation as const; it is a variable of the library. */
	((struct drm_gpuvm_imm_map_step *)op)->__done++;
	return (struct drm_gpuvm_imm_mapped *)op;
}

/**
 * drm_gpuvm_imm_unmap_done() - complete an unmap step
 * @op: the operation of this step
 *
 * Call once, when nothing of the mapping is left in the page table.
 *
 * Return: what the step has to return.
 */
static __always_inline struct drm_gpuvm_imm_unmapped * __must_check
drm_gpuvm_imm_unmap_done(const struct drm_gpuvm_imm_unmap_step *op)
{
	/* See drm_gpuvm_imm_map_done(). */
	((struct drm_gpuvm_imm_unmap_step *)op)->__done++;
	return (struct drm_gpuvm_imm_unmapped *)op;
}

/**
 * drm_gpuvm_imm_remap_done() - complete a remap step
 * @op: the operation of this step
 *
 * Call once, when the page table is as @op wants it.
 *
 * Return: what the step has to return.
 */
static __always_inline struct drm_gpuvm_imm_remapped * __must_check
drm_gpuvm_imm_remap_done(const struct drm_gpuvm_imm_remap_step *op)
{
	/* See drm_gpuvm_imm_map_done(). */
	((struct drm_gpuvm_imm_remap_step *)op)->__done++;
	return (struct drm_gpuvm_imm_remapped *)op;
}

/**
 * struct drm_gpuvm_imm_ops - what an address space needs from its driver
 *
 * Made by DRM_GPUVM_IMM_OPS().
 */
struct drm_gpuvm_imm_ops {
	/* private: */
	size_t va_size;
	size_t bo_size;
	u64 granule;
	const struct drm_gem_object_funcs *obj_funcs;
	bool (*va_counted)(void);
	void (*va_get)(struct drm_gpuva *va) __drm_nonallocating;
	void (*va_put)(struct drm_gpuva *va);
	struct drm_gpuvm_bo *(*bo_alloc)(void);
	int (*bo_init)(struct drm_gpuvm_bo *vm_bo, void *arg);
	void (*bo_fini)(struct drm_gpuvm_bo *vm_bo);
	struct drm_gpuvm_imm_mapped *(*step_map)(struct drm_gpuvm_imm_core *core,
						 const struct drm_gpuvm_imm_map_step *op)
		__drm_nonallocating;
	struct drm_gpuvm_imm_unmapped *(*step_unmap)(struct drm_gpuvm_imm_core *core,
						     const struct drm_gpuvm_imm_unmap_step *op)
		__drm_nonallocating;
	struct drm_gpuvm_imm_remapped *(*step_remap)(struct drm_gpuvm_imm_core *core,
						     const struct drm_gpuvm_imm_remap_step *op)
		__drm_nonallocating;
};

/**
 * struct drm_gpuvm_imm_config - the layout of an address space
 * @name: name of the address space, copied; NULL for "unknown"
 * @resv_obj: object whose reservation lock the address space and its private
 *	objects share; NULL to have one made
 * @start: first address, in bytes
 * @range: length of the address space in bytes, not 0
 * @reserve_start: start of what nothing can be mapped to, in bytes
 * @reserve_range: length of what nothing can be mapped to in bytes, or 0
 */
struct drm_gpuvm_imm_config {
	const char *name;
	struct drm_gem_object *resv_obj;
	u64 start;
	u64 range;
	u64 reserve_start;
	u64 reserve_range;
};

/* private: kinds of struct drm_gpuvm_imm_update */
enum drm_gpuvm_imm_update_kind {
	DRM_GPUVM_IMM_UPDATE_MAP,
	DRM_GPUVM_IMM_UPDATE_UNMAP,
	DRM_GPUVM_IMM_UPDATE_UNMAP_OBJ,
	DRM_GPUVM_IMM_UPDATE_SPLIT,
};

/* private: what the VAs of a struct drm_gpuvm_imm_update are for */
enum drm_gpuvm_imm_update_va {
	DRM_GPUVM_IMM_UPDATE_PREV,		/* what stays at the start of a mapping */
	DRM_GPUVM_IMM_UPDATE_NEXT,		/* what stays at the end of one */
	DRM_GPUVM_IMM_UPDATE_NEW,		/* the update's own mapping */
	DRM_GPUVM_IMM_UPDATE_VAS,
};

/**
 * struct drm_gpuvm_imm_update - a change of an address space, ready to be made
 *
 * Embedded in a driver's job, or declared with DRM_GPUVM_IMM_UPDATE(). Zeroed
 * memory is an empty update. One of the drm_gpuvm_imm_prepare functions fills it
 * with everything that the change can need; drm_gpuvm_imm_core_run() makes the change
 * and drm_gpuvm_imm_update_drop() gives it up. Both leave it empty.
 *
 * Invariants:
 *
 * - Empty, if and only if it has no address space.
 * - If filled, it holds the vm_bo of what is to be mapped or the address space,
 *   which a vm_bo holds too; and as many VAs as the change can need.
 * - Changed by one thread at a time.
 */
struct drm_gpuvm_imm_update {
	/* private: */
	struct drm_gpuvm_imm *__vm;
	struct drm_gpuvm_bo *__vm_bo;
	enum drm_gpuvm_imm_update_kind __kind : 8;
	bool __vm_held;
	u8 __lent;
	u64 __addr;
	u64 __range;
	u64 __offset;
	struct drm_gpuva *__vas[DRM_GPUVM_IMM_UPDATE_VAS];
	struct list_head __removed;
	__DRM_SAFE_NO_ASSIGN;
};

int drm_gpuvm_imm_core_init(struct drm_gpuvm_imm_core *core, struct drm_device *drm,
			    const struct drm_gpuvm_imm_ops *ops,
			    const struct drm_gpuvm_imm_config *config) __must_check;
void drm_gpuvm_imm_fini(struct drm_gpuvm_imm_core *core) __must_not_hold(drm_resv);

void drm_gpuvm_imm_put(struct drm_gpuvm_imm *vm) __drm_nonallocating;
struct drm_gpuvm_imm *drm_gpuvm_imm_get(const struct drm_gpuvm_imm_core *core)
	__must_check __drm_safe_put_with(drm_gpuvm_imm_put);
u64 drm_gpuvm_imm_va_start(const struct drm_gpuvm_imm *vm);
u64 drm_gpuvm_imm_va_length(const struct drm_gpuvm_imm *vm);
u64 drm_gpuvm_imm_va_end(const struct drm_gpuvm_imm *vm);
const char *drm_gpuvm_imm_name(const struct drm_gpuvm_imm *vm);
struct drm_gem_object *drm_gpuvm_imm_resv_obj(const struct drm_gpuvm_imm *vm);
bool drm_gpuvm_imm_is_extobj(struct drm_gpuvm_imm *vm, struct drm_gem_object *obj);
bool drm_gpuvm_imm_is_broken(const struct drm_gpuvm_imm *vm);
void drm_gpuvm_imm_flush(void) __must_not_hold(drm_resv);

void drm_gpuvm_imm_bo_put(struct drm_gpuvm_bo *vm_bo) __drm_nonallocating;
struct drm_gpuvm_bo *drm_gpuvm_imm_obtain(struct drm_gpuvm_imm *vm,
					  struct drm_gem_object *obj)
	__must_check __drm_safe_put_with(drm_gpuvm_imm_bo_put)
	__must_not_hold(drm_resv);
struct drm_gpuvm_bo *drm_gpuvm_imm_obtain_locked(struct drm_gpuvm_imm *vm,
						 struct drm_gem_object *obj)
	__must_check __drm_safe_put_with(drm_gpuvm_imm_bo_put)
	__must_hold(drm_resv);

struct drm_gpuvm_bo *drm_gpuvm_imm_obtain_interruptible(struct drm_gpuvm_imm *vm,
							struct drm_gem_object *obj)
	__must_check __drm_safe_put_with(drm_gpuvm_imm_bo_put)
	__must_not_hold(drm_resv);

/* private: what a function does about the reservation lock of the address space */
enum drm_gpuvm_imm_how {
	DRM_GPUVM_IMM_LOCKS,		/* takes it */
	DRM_GPUVM_IMM_LOCKS_INTERRUPTIBLE, /* takes it, unless there is a signal */
	DRM_GPUVM_IMM_LOCKED,		/* the caller holds it */
};

struct drm_gpuvm_bo *__drm_gpuvm_imm_obtain(struct drm_gpuvm_imm *vm,
					    struct drm_gem_object *obj, void *arg,
					    enum drm_gpuvm_imm_how how) __must_check;

int __drm_gpuvm_imm_prepare_map(struct drm_gpuvm_imm *vm, struct drm_gpuvm_imm_update *update,
				struct drm_gem_object *obj, u64 addr, u64 range,
				u64 offset, void *arg, enum drm_gpuvm_imm_how how) __must_check;
int drm_gpuvm_imm_prepare_map(struct drm_gpuvm_imm *vm, struct drm_gpuvm_imm_update *update,
			      struct drm_gem_object *obj, u64 addr, u64 range,
			      u64 offset) __must_check __must_not_hold(drm_resv);
int drm_gpuvm_imm_prepare_map_interruptible(struct drm_gpuvm_imm *vm,
					    struct drm_gpuvm_imm_update *update,
					    struct drm_gem_object *obj, u64 addr, u64 range,
					    u64 offset) __must_check __must_not_hold(drm_resv);
int drm_gpuvm_imm_prepare_map_locked(struct drm_gpuvm_imm *vm, struct drm_gpuvm_imm_update *update,
				     struct drm_gem_object *obj, u64 addr, u64 range,
				     u64 offset) __must_check __must_hold(drm_resv);
int drm_gpuvm_imm_prepare_map_bo(struct drm_gpuvm_imm *vm, struct drm_gpuvm_imm_update *update,
				 struct drm_gpuvm_bo *vm_bo, u64 addr, u64 range,
				 u64 offset) __must_check;
int drm_gpuvm_imm_prepare_map_sparse(struct drm_gpuvm_imm *vm, struct drm_gpuvm_imm_update *update,
				     u64 addr, u64 range) __must_check;
int drm_gpuvm_imm_prepare_unmap(struct drm_gpuvm_imm *vm, struct drm_gpuvm_imm_update *update,
				u64 addr, u64 range) __must_check;
int drm_gpuvm_imm_prepare_unmap_obj(struct drm_gpuvm_imm *vm, struct drm_gpuvm_imm_update *update,
				    struct drm_gem_object *obj) __must_check;
int drm_gpuvm_imm_prepare_split(struct drm_gpuvm_imm *vm, struct drm_gpuvm_imm_update *update,
				u64 addr) __must_check;
void drm_gpuvm_imm_update_drop(struct drm_gpuvm_imm_update *update) __drm_nonallocating;
int drm_gpuvm_imm_core_run(struct drm_gpuvm_imm_core *core, struct drm_gpuvm_imm_update *update)
	__nonnull_args(1, 2) __must_check __drm_nonallocating;

const struct drm_gpuva *drm_gpuvm_imm_find(const struct drm_gpuvm_imm_core *core,
					   u64 addr, u64 range);
const struct drm_gpuva *drm_gpuvm_imm_find_first(const struct drm_gpuvm_imm_core *core,
						 u64 addr, u64 range);
const struct drm_gpuva *drm_gpuvm_imm_next(const struct drm_gpuvm_imm_core *core,
					   const struct drm_gpuva *va, u64 addr,
					   u64 range);

const struct drm_gpuva *drm_gpuvm_imm_first_of(const struct drm_gpuvm_imm_core *core,
					       struct drm_gem_object *obj);
const struct drm_gpuva *drm_gpuvm_imm_next_of(const struct drm_gpuvm_imm_core *core,
					      const struct drm_gpuva *va);

int drm_gpuvm_imm_lock(struct drm_gpuvm_imm *vm, struct drm_exec *exec,
		       unsigned int num_fences) __must_check;
int drm_gpuvm_imm_lock_range(const struct drm_gpuvm_imm_core *core, struct drm_exec *exec,
			     u64 addr, u64 range, unsigned int num_fences) __must_check;
void drm_gpuvm_imm_add_fence(struct drm_gpuvm_imm *vm, struct drm_exec *exec,
			     struct dma_fence *fence,
			     enum dma_resv_usage private_usage,
			     enum dma_resv_usage extobj_usage);
void drm_gpuvm_imm_evict(struct drm_gem_object *obj, bool evict) __must_hold(drm_resv);
int __drm_gpuvm_imm_core_validate(struct drm_gpuvm_imm_core *core, struct drm_exec *exec,
				  int (*fn)(struct drm_gpuvm_imm_core *core,
					    struct drm_gpuvm_bo *vm_bo,
					    struct drm_exec *exec, void *priv),
				  void *priv) __must_check;

int __drm_gpuvm_imm_evict_each(struct drm_gem_object *obj,
			       const struct drm_gpuvm_imm_ops *ops,
			       int (*fn)(struct drm_gpuvm_imm_core *core,
					 struct drm_gpuvm_bo *vm_bo, void *priv),
			       void *priv) __must_check __must_hold(drm_resv);

struct drm_gpuvm_bo *__drm_gpuvm_imm_bo_alloc(size_t data_size);

/**
 * drm_gpuvm_imm_shared() - the shared side of an address space
 * @core: the core
 *
 * Return: the address space, borrowed for as long as the core lives; NULL if @core was
 * never initialised, was given up, or is a copy. Take a reference of its own with
 * drm_gpuvm_imm_get().
 */
static __always_inline struct drm_gpuvm_imm *
drm_gpuvm_imm_shared(const struct drm_gpuvm_imm_core *core)
{
	return likely(core->__self == core) ? core->__vm : NULL;
}

/* The driver's data of a VA sits behind it: see drm_gpuvm_imm_va_alloc(). */
static __always_inline void *__drm_gpuvm_imm_va_data(const struct drm_gpuva *va)
{
	return (void *)(va + 1);
}

/* That of a vm_bo, too: see __drm_gpuvm_imm_bo_alloc(). */
static __always_inline void *__drm_gpuvm_imm_bo_data(struct drm_gpuvm_bo *vm_bo)
{
	return vm_bo + 1;
}

/* The mapping that a prepared map update is about to make. */
static __always_inline const struct drm_gpuva *
drm_gpuvm_imm_update_va(const struct drm_gpuvm_imm_update *update)
{
	return update->__vas[DRM_GPUVM_IMM_UPDATE_NEW];
}

DEFINE_FREE(drm_gpuvm_imm, struct drm_gpuvm_imm *, if (_T) drm_gpuvm_imm_put(_T))
DEFINE_FREE(drm_gpuvm_imm_bo, struct drm_gpuvm_bo *,
	    if (!IS_ERR_OR_NULL(_T)) drm_gpuvm_imm_bo_put(_T))

static __always_inline void __drm_gpuvm_imm_update_cleanup(struct drm_gpuvm_imm_update (*update)[1])
{
	drm_gpuvm_imm_update_drop(*update);
}

/**
 * DRM_GPUVM_IMM_UPDATE() - declare an update that is dropped with its scope
 * @_name: the name, which is used as a pointer
 */
#define DRM_GPUVM_IMM_UPDATE(_name)						\
	struct drm_gpuvm_imm_update _name[1] __cleanup(__drm_gpuvm_imm_update_cleanup) = {}; \
	__drm_safe_no_jump(_name, _name)

/* The arguments of a walk, evaluated once */
struct drm_gpuvm_imm_walk {
	const struct drm_gpuvm_imm_core *core;
	u64 addr;
	u64 range;
};

/**
 * drm_gpuvm_imm_for_each() - walk over the mappings of a range
 * @_va: name of the &struct drm_gpuva pointer, declared here
 * @_core: the core
 * @_addr: start of the range, in bytes of GPU address
 * @_range: length of the range in bytes
 *
 * Goes in the order of addresses over every mapping that has an address in
 * the range; this is what prefetching one takes. The address space must not be
 * changed by the body.
 */
#define drm_gpuvm_imm_for_each(_va, _core, _addr, _range)			\
	for (const struct drm_gpuvm_imm_walk					\
			__walk = { .core = _core, .addr = _addr, .range = _range }, \
			*__once = &__walk; __once; __once = NULL)		\
		for (const struct drm_gpuva *_va =				\
				drm_gpuvm_imm_find_first(__walk.core, __walk.addr,  \
							 __walk.range);		\
		     _va; _va = drm_gpuvm_imm_next(__walk.core, _va, __walk.addr,  \
						   __walk.range))

/**
 * drm_gpuvm_imm_for_each_of() - walk over the mappings of an object
 * @_va: name of the &struct drm_gpuva pointer, declared here
 * @_core: the core
 * @_gem_obj: the &struct drm_gem_object
 *
 * In no particular order. The address space must not be changed by the body.
 */
#define drm_gpuvm_imm_for_each_of(_va, _core, _gem_obj)				\
	for (const struct drm_gpuvm_imm_walk __walk = { .core = _core },	\
			*__once = &__walk; __once; __once = NULL)		\
		for (const struct drm_gpuva *_va =				\
				drm_gpuvm_imm_first_of(__walk.core, _gem_obj);	\
		     _va; _va = drm_gpuvm_imm_next_of(__walk.core, _va))

/* What both forms of DRM_GPUVM_IMM() declare. */
#define __DRM_GPUVM_IMM(_name, _vm_type, _core, _va_type, _obj_type, _gem)	\
static_assert(__same_type(((_vm_type *)0)->_core, struct drm_gpuvm_imm_core[1]), \
	      "declare the core with DRM_GPUVM_IMM_CORE()");			\
static_assert(__same_type(((_obj_type *)0)->_gem, struct drm_gem_object));	\
static_assert(__alignof__(_va_type) <= __alignof__(struct drm_gpuva));		\
extern const struct drm_gpuvm_imm_ops _name##_ops;				\
										\
static __always_inline _vm_type *_name##_of(struct drm_gpuvm_imm_core *core)	\
{										\
	return container_of(core, _vm_type, _core[0]);				\
}										\
static __always_inline struct drm_gpuvm_imm *_name##_shared(const _vm_type *vm)	\
{										\
	return drm_gpuvm_imm_shared(vm->_core);					\
}										\
static __always_inline _va_type *_name##_va(const struct drm_gpuva *va)		\
{										\
	return __drm_gpuvm_imm_va_data(va);					\
}										\
/* Invariant of the VM: its objects have the functions of @_obj_type. */	\
static __always_inline _obj_type *_name##_obj(const struct drm_gpuva *va)	\
{										\
	return va->gem.obj ? container_of(va->gem.obj, _obj_type, _gem) : NULL;	\
}										\
static __always_inline _va_type *						\
_name##_update_va(const struct drm_gpuvm_imm_update *update)			\
{										\
	const struct drm_gpuva *va = drm_gpuvm_imm_update_va(update);		\
										\
	return va ? __drm_gpuvm_imm_va_data(va) : NULL;				\
}										\
static __always_inline int __must_check						\
_name##_init(_vm_type *vm, struct drm_device *drm,				\
	     const struct drm_gpuvm_imm_config *config)				\
{										\
	return drm_gpuvm_imm_core_init(vm->_core, drm, &_name##_ops, config);	\
}										\
static __always_inline void _name##_fini(_vm_type *vm)				\
	__must_not_hold(drm_resv)						\
{										\
	drm_gpuvm_imm_fini(vm->_core);						\
}										\
static __always_inline int __must_check						\
_name##_prepare_unmap_obj(struct drm_gpuvm_imm *vm,				\
			  struct drm_gpuvm_imm_update *update, _obj_type *obj)	\
{										\
	return drm_gpuvm_imm_prepare_unmap_obj(vm, update, &obj->_gem);		\
}										\
static __always_inline int __must_check						\
_name##_run(_vm_type *vm, struct drm_gpuvm_imm_update *update)			\
{										\
	return drm_gpuvm_imm_core_run(vm->_core, update);			\
}										\
static __always_inline const struct drm_gpuva *					\
_name##_find(const _vm_type *vm, u64 addr, u64 range)				\
{										\
	return drm_gpuvm_imm_find(vm->_core, addr, range);			\
}										\
static __always_inline const struct drm_gpuva *					\
_name##_find_first(const _vm_type *vm, u64 addr, u64 range)			\
{										\
	return drm_gpuvm_imm_find_first(vm->_core, addr, range);		\
}

/* An object in an address space as arguments: alone, or with the driver's data. */
#define __DRM_GPUVM_IMM_OBJ(_name, _b)		__##_name##_bo_obj(_b)
#define __DRM_GPUVM_IMM_OBJ_DATA(_name, _b)	__##_name##_bo_obj(_b), _name##_vm_bo(_b)

/*
 * What calls a function of the driver's for an object in an address space. @_args
 * makes arguments of a vm_bo, which the function takes as the parameters in @...
 */
#define __DRM_GPUVM_IMM_EACH(_name, _vm_type, _core, _obj_type, _gem, _args, ...) \
static inline _obj_type *__##_name##_bo_obj(const struct drm_gpuvm_bo *vm_bo)	\
{										\
	return container_of(vm_bo->obj, _obj_type, _gem);			\
}										\
										\
struct _name##_validate_call {							\
	int (*fn)(_vm_type *vm, __VA_ARGS__, struct drm_exec *exec);		\
};										\
static inline int								\
__##_name##_validate_one(struct drm_gpuvm_imm_core *core, struct drm_gpuvm_bo *vm_bo, \
			 struct drm_exec *exec, void *priv)			\
{										\
	struct _name##_validate_call *call = priv;				\
										\
	return call->fn(_name##_of(core), _args(_name, vm_bo), exec);		\
}										\
static inline int __must_check							\
_name##_validate(_vm_type *vm, struct drm_exec *exec,				\
		 int (*fn)(_vm_type *vm, __VA_ARGS__, struct drm_exec *exec))	\
{										\
	struct _name##_validate_call call = { .fn = fn };			\
										\
	return __drm_gpuvm_imm_core_validate(vm->_core, exec,			\
					     __##_name##_validate_one, &call);	\
}										\
										\
struct _name##_evict_call {							\
	int (*fn)(_vm_type *vm, __VA_ARGS__, struct drm_gpuvm_bo *vm_bo);	\
};										\
static inline int								\
__##_name##_evict_one(struct drm_gpuvm_imm_core *core, struct drm_gpuvm_bo *vm_bo, \
		      void *priv)						\
{										\
	struct _name##_evict_call *call = priv;					\
										\
	return call->fn(_name##_of(core), _args(_name, vm_bo), vm_bo);		\
}										\
static inline int __must_check							\
_name##_evict(_obj_type *obj,							\
	      int (*fn)(_vm_type *vm, __VA_ARGS__, struct drm_gpuvm_bo *vm_bo))	\
	__must_hold(drm_resv)							\
{										\
	struct _name##_evict_call call = { .fn = fn };				\
										\
	return __drm_gpuvm_imm_evict_each(&obj->_gem, &_name##_ops,		\
					  __##_name##_evict_one, &call);	\
}

/**
 * DRM_GPUVM_IMM() - give a driver its typed functions
 * @_name: prefix of the functions
 * @_vm_type: the driver's type with the core
 * @_core: name of the member of @_vm_type that DRM_GPUVM_IMM_CORE() declared
 * @_va_type: the driver's data for each mapping, zeroed at first and copied to
 *	the parts of a mapping that is split; see DRM_GPUVM_IMM_OPS()
 * @_obj_type: the driver's GEM object
 * @_gem: the &struct drm_gem_object in @_obj_type
 *
 * Goes into a header of the driver. See the overview for what it gives.
 */
#define DRM_GPUVM_IMM(_name, _vm_type, _core, _va_type, _obj_type, _gem)	\
__DRM_GPUVM_IMM(_name, _vm_type, _core, _va_type, _obj_type, _gem)		\
struct _name##_data_ops {							\
	void (*va_get)(_va_type *va) __drm_nonallocating;			\
	void (*va_put)(_va_type *va);						\
};										\
enum { __##_name##_bo_size };							\
										\
static inline int __##_name##_bo_init(const struct _name##_data_ops *ops,	\
				      struct drm_gpuvm_bo *vm_bo, void *arg)	\
{										\
	return 0;								\
}										\
static inline void __##_name##_bo_fini(const struct _name##_data_ops *ops,	\
				       struct drm_gpuvm_bo *vm_bo) { }		\
										\
static __always_inline int __must_check						\
_name##_prepare_map(struct drm_gpuvm_imm *vm, struct drm_gpuvm_imm_update *update, \
		    _obj_type *obj, u64 addr, u64 range, u64 offset)		\
	__must_not_hold(drm_resv)						\
{										\
	return drm_gpuvm_imm_prepare_map(vm, update, &obj->_gem, addr, range, offset); \
}										\
static __always_inline int __must_check						\
_name##_prepare_map_interruptible(struct drm_gpuvm_imm *vm,			\
				  struct drm_gpuvm_imm_update *update, _obj_type *obj, \
				  u64 addr, u64 range, u64 offset)		\
	__must_not_hold(drm_resv)						\
{										\
	return drm_gpuvm_imm_prepare_map_interruptible(vm, update, &obj->_gem, addr, \
						       range, offset);		\
}										\
static __always_inline int __must_check						\
_name##_prepare_map_locked(struct drm_gpuvm_imm *vm,				\
			   struct drm_gpuvm_imm_update *update, _obj_type *obj,	\
			   u64 addr, u64 range, u64 offset)			\
	__must_hold(drm_resv)							\
{										\
	return drm_gpuvm_imm_prepare_map_locked(vm, update, &obj->_gem, addr,	\
						range, offset);			\
}										\
__DRM_GPUVM_IMM_EACH(_name, _vm_type, _core, _obj_type, _gem,			\
		     __DRM_GPUVM_IMM_OBJ, _obj_type *obj)			\
struct drm_gpuvm_imm_ops

/**
 * DRM_GPUVM_IMM_VM_BO() - the same, with data of the driver's per vm_bo
 * @_name: prefix of the functions
 * @_vm_type: the driver's type with the core
 * @_core: name of the member of @_vm_type that DRM_GPUVM_IMM_CORE() declared
 * @_va_type: the driver's data for each mapping, as in DRM_GPUVM_IMM()
 * @_obj_type: the driver's GEM object
 * @_gem: the &struct drm_gem_object in @_obj_type
 * @_bo_type: the driver's data for each object in an address space
 * @_arg: type of what initialising a @_bo_type takes
 *
 * The data is made when an object is first obtained for an address space and
 * lives for as long as anything connects the two: mappings, updates, and who
 * obtained it. It is the place for what every mapping of the object needs and
 * what has to be released, like an owned sg table.
 */
#define DRM_GPUVM_IMM_VM_BO(_name, _vm_type, _core, _va_type, _obj_type, _gem,	\
			    _bo_type, _arg)					\
__DRM_GPUVM_IMM(_name, _vm_type, _core, _va_type, _obj_type, _gem)		\
static_assert(__alignof__(_bo_type) <= __alignof__(struct drm_gpuvm_bo));	\
struct _name##_data_ops {							\
	void (*va_get)(_va_type *va) __drm_nonallocating;			\
	void (*va_put)(_va_type *va);						\
	int (*bo_init)(_bo_type *bo, _obj_type *obj, _arg *arg);		\
	void (*bo_fini)(_bo_type *bo);						\
};										\
enum { __##_name##_bo_size = sizeof(_bo_type) };				\
										\
static __always_inline _bo_type *_name##_vm_bo(struct drm_gpuvm_bo *vm_bo)	\
{										\
	return __drm_gpuvm_imm_bo_data(vm_bo);					\
}										\
/* A mapping of an object has a vm_bo, also before it is in the VM. */		\
static __always_inline _bo_type *_name##_bo(const struct drm_gpuva *va)		\
{										\
	return va->vm_bo ? _name##_vm_bo(va->vm_bo) : NULL;			\
}										\
static inline int __##_name##_bo_init(const struct _name##_data_ops *ops,	\
				      struct drm_gpuvm_bo *vm_bo, void *arg)	\
{										\
	return ops->bo_init ?							\
		ops->bo_init(_name##_vm_bo(vm_bo),				\
			     container_of(vm_bo->obj, _obj_type, _gem), arg) : 0; \
}										\
static inline void __##_name##_bo_fini(const struct _name##_data_ops *ops,	\
				       struct drm_gpuvm_bo *vm_bo)		\
{										\
	if (ops->bo_fini)							\
		ops->bo_fini(_name##_vm_bo(vm_bo));				\
}										\
static __always_inline struct drm_gpuvm_bo * __must_check			\
_name##_obtain(struct drm_gpuvm_imm *vm, _obj_type *obj, _arg *arg)		\
	__must_not_hold(drm_resv)						\
{										\
	return __drm_gpuvm_imm_obtain(vm, &obj->_gem, (void *)arg,		\
				      DRM_GPUVM_IMM_LOCKS);			\
}										\
static __always_inline struct drm_gpuvm_bo * __must_check			\
_name##_obtain_interruptible(struct drm_gpuvm_imm *vm, _obj_type *obj, _arg *arg) \
	__must_not_hold(drm_resv)						\
{										\
	return __drm_gpuvm_imm_obtain(vm, &obj->_gem, (void *)arg,		\
				      DRM_GPUVM_IMM_LOCKS_INTERRUPTIBLE);	\
}										\
static __always_inline struct drm_gpuvm_bo * __must_check			\
_name##_obtain_locked(struct drm_gpuvm_imm *vm, _obj_type *obj, _arg *arg)	\
	__must_hold(drm_resv)							\
{										\
	return __drm_gpuvm_imm_obtain(vm, &obj->_gem, (void *)arg,		\
				      DRM_GPUVM_IMM_LOCKED);			\
}										\
static __always_inline int __must_check						\
_name##_prepare_map(struct drm_gpuvm_imm *vm, struct drm_gpuvm_imm_update *update, \
		    _obj_type *obj, u64 addr, u64 range, u64 offset, _arg *arg)	\
	__must_not_hold(drm_resv)						\
{										\
	return __drm_gpuvm_imm_prepare_map(vm, update, &obj->_gem, addr, range,	\
					   offset, (void *)arg, DRM_GPUVM_IMM_LOCKS); \
}										\
static __always_inline int __must_check						\
_name##_prepare_map_interruptible(struct drm_gpuvm_imm *vm,			\
				  struct drm_gpuvm_imm_update *update, _obj_type *obj, \
				  u64 addr, u64 range, u64 offset, _arg *arg)	\
	__must_not_hold(drm_resv)						\
{										\
	return __drm_gpuvm_imm_prepare_map(vm, update, &obj->_gem, addr, range,	\
					   offset, (void *)arg,			\
					   DRM_GPUVM_IMM_LOCKS_INTERRUPTIBLE);	\
}										\
static __always_inline int __must_check						\
_name##_prepare_map_locked(struct drm_gpuvm_imm *vm,				\
			   struct drm_gpuvm_imm_update *update, _obj_type *obj,	\
			   u64 addr, u64 range, u64 offset, _arg *arg)		\
	__must_hold(drm_resv)							\
{										\
	return __drm_gpuvm_imm_prepare_map(vm, update, &obj->_gem, addr, range,	\
					   offset, (void *)arg, DRM_GPUVM_IMM_LOCKED); \
}										\
__DRM_GPUVM_IMM_EACH(_name, _vm_type, _core, _obj_type, _gem,			\
		     __DRM_GPUVM_IMM_OBJ_DATA, _obj_type *obj, _bo_type *bo)	\
struct drm_gpuvm_imm_ops

/**
 * DRM_GPUVM_IMM_OPS() - define what DRM_GPUVM_IMM() declared
 * @_name: the name given to DRM_GPUVM_IMM()
 * @_obj_funcs: the functions by which the driver's own objects are known
 * @_granule: what addresses, ranges and offsets are multiples of, in bytes; a
 *	power of two
 * @...: initialisers of struct _name##_data_ops, all of them optional
 *
 * Goes into one C file of the driver, below its three steps, which are static
 * functions of that file named after @_name:
 *
 * .. code-block:: c
 *
 *	struct drm_gpuvm_imm_mapped *
 *	name_step_map(struct vm *vm, const struct drm_gpuvm_imm_map_step *op);
 *	struct drm_gpuvm_imm_unmapped *
 *	name_step_unmap(struct vm *vm, const struct drm_gpuvm_imm_unmap_step *op);
 *	struct drm_gpuvm_imm_remapped *
 *	name_step_remap(struct vm *vm, const struct drm_gpuvm_imm_remap_step *op);
 *
 * What a driver can add, if its data holds something:
 *
 * - va_get: the data of a mapping was copied to a part of it; take what the copy
 *   has to hold. In the fence signalling path. Comes together with va_put.
 * - va_put: the data of a mapping, or of one that was never made, goes; it may
 *   be zeroed still. From a work item or drm_gpuvm_imm_fini(). It may sleep, end
 *   an address space, and take each lock that is not held around
 *   drm_gpuvm_imm_fini(), as lockdep knows.
 * - bo_init: initialise the data of an object in an address space, which is
 *   zeroed. It gets the last argument of the typed obtain or prepare function.
 *   May sleep, and take the object's reservation lock but for an object that
 *   shares the one which the caller of a _locked function holds. If it fails,
 *   then so does that call, and bo_fini is not called. Two tasks that obtain
 *   the same object at once may both call it; one of the results is dropped.
 * - bo_fini: undo it. The object and the shared side of the address space are
 *   still there; the page table need not be. May sleep, and end an address space.
 *   But data that another task's made superfluous goes where the object is
 *   obtained: its bo_fini takes no reservation lock, since the caller of a _locked
 *   function holds one.
 */
#define DRM_GPUVM_IMM_OPS(_name, _obj_funcs, _granule, ...)			\
static const struct _name##_data_ops __##_name##_data_ops = { __VA_ARGS__ };	\
										\
static struct drm_gpuvm_imm_mapped *						\
__##_name##_step_map(struct drm_gpuvm_imm_core *core,				\
		     const struct drm_gpuvm_imm_map_step *op) __drm_nonallocating \
{										\
	return _name##_step_map(_name##_of(core), op);				\
}										\
static struct drm_gpuvm_imm_unmapped *						\
__##_name##_step_unmap(struct drm_gpuvm_imm_core *core,				\
		       const struct drm_gpuvm_imm_unmap_step *op) __drm_nonallocating \
{										\
	return _name##_step_unmap(_name##_of(core), op);			\
}										\
static struct drm_gpuvm_imm_remapped *						\
__##_name##_step_remap(struct drm_gpuvm_imm_core *core,				\
		       const struct drm_gpuvm_imm_remap_step *op) __drm_nonallocating \
{										\
	return _name##_step_remap(_name##_of(core), op);			\
}										\
static bool __##_name##_va_counted(void)					\
{										\
	compiletime_assert(!__##_name##_data_ops.va_get == !__##_name##_data_ops.va_put, \
			   "va_get and va_put come together");			\
	return __##_name##_data_ops.va_put;					\
}										\
static void __##_name##_va_get(struct drm_gpuva *va) __drm_nonallocating	\
{										\
	if (__##_name##_data_ops.va_get)					\
		__##_name##_data_ops.va_get(_name##_va(va));			\
}										\
static void __##_name##_va_put(struct drm_gpuva *va)				\
{										\
	if (__##_name##_data_ops.va_put)					\
		__##_name##_data_ops.va_put(_name##_va(va));			\
}										\
static struct drm_gpuvm_bo *__##_name##_bo_alloc(void)				\
{										\
	return __drm_gpuvm_imm_bo_alloc(__##_name##_bo_size);			\
}										\
static int __##_name##_op_bo_init(struct drm_gpuvm_bo *vm_bo, void *arg)	\
{										\
	return __##_name##_bo_init(&__##_name##_data_ops, vm_bo, arg);		\
}										\
static void __##_name##_op_bo_fini(struct drm_gpuvm_bo *vm_bo)			\
{										\
	__##_name##_bo_fini(&__##_name##_data_ops, vm_bo);			\
}										\
static_assert((_granule) && !((_granule) & ((_granule) - 1)));			\
const struct drm_gpuvm_imm_ops _name##_ops = {					\
	.va_size = sizeof(*_name##_va(NULL)),					\
	.bo_size = __##_name##_bo_size,						\
	.granule = (_granule),							\
	.obj_funcs = (_obj_funcs),						\
	.va_counted = __##_name##_va_counted,					\
	.va_get = __##_name##_va_get,						\
	.va_put = __##_name##_va_put,						\
	.bo_alloc = __##_name##_bo_alloc,					\
	.bo_init = __##_name##_op_bo_init,					\
	.bo_fini = __##_name##_op_bo_fini,					\
	.step_map = __##_name##_step_map,					\
	.step_unmap = __##_name##_step_unmap,					\
	.step_remap = __##_name##_step_remap,					\
}

#endif /* _DRM_GPUVM_IMM_H */
