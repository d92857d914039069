/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _DRM_GPUVM_IMM_H
#define _DRM_GPUVM_IMM_H

#include <linux/dma-resv.h>
#include <linux/sizes.h>

#include <drm/drm_exec.h>
#include <drm/drm_gpuvm.h>

#include "drm_safe.h"

/*
 * The shared, reference-counted side of an address space, and the return types of a driver's
 * steps. All of them are incomplete on purpose: only the library makes them.
 */
struct drm_gpuvm_imm;
struct drm_gpuvm_imm_mapped;
struct drm_gpuvm_imm_unmapped;
struct drm_gpuvm_imm_remapped;

/**
 * struct drm_gpuvm_imm_core - the one handle that can change an address space
 *
 * The driver embeds it by value, with DRM_GPUVM_IMM_CORE(), in the type in which it keeps
 * its page table. Code with access to that type has access to the core. The shared
 * &struct drm_gpuvm_imm gives access to neither.
 *
 * Invariants:
 *
 * - There is one core for each address space. It cannot be copied.
 * - It does not move between drm_gpuvm_imm_core_init() and drm_gpuvm_imm_fini().
 * - @__self is the address of the core from drm_gpuvm_imm_core_init() to drm_gpuvm_imm_fini(),
 *   and then NULL. So neither uninitialised memory nor a copy has an address space.
 * - @__ctx is the context of the current run, or NULL. The task that runs the update sets and
 *   clears it. If the type has no context, @__ctx is always NULL.
 */
struct drm_gpuvm_imm_core {
	/* private: */
	struct drm_gpuvm_imm *__vm;
	const struct drm_gpuvm_imm_core *__self;
	void *__ctx;
	__DRM_SAFE_NO_ASSIGN;
};

/**
 * DRM_GPUVM_IMM_CORE() - declare the core as a member of a driver's struct
 * @_name: name of the member
 *
 * The member is an array, so an initialisation cannot copy it. An additional empty member makes
 * clang refuse to assign the structure.
 */
#define DRM_GPUVM_IMM_CORE(_name)						\
	struct drm_gpuvm_imm_core _name[1];					\
	const u8 _name##__no_assign[0]

/**
 * struct drm_gpuvm_imm_map_step - a range to map
 * @va: the mapping that the range belongs to, with the driver's data. It is in the
 *	address space already, except in a rollback
 * @obj: the object, or NULL if the mapping is sparse
 * @addr: start of the range, in bytes of GPU address
 * @range: length of the range in bytes
 * @offset: where the range starts in @obj, in bytes
 *
 * The range is all of @va, except in the rollback of a failed update: there it is the
 * part of @va that an earlier step removed.
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
 * struct drm_gpuvm_imm_unmap_step - a mapping to remove
 * @va: the mapping, with the driver's data
 * @keep: a later step of this update maps the same pages at the same addresses, so the
 *	page table entries may stay. If that later step fails, the library has them mapped
 *	again for @va, or unmapped when the core is given up
 *
 * The step may fail, except when the core is closed or given up.
 */
struct drm_gpuvm_imm_unmap_step {
	const struct drm_gpuva *va;
	bool keep;
	/* private: */
	unsigned int __done;
};

/**
 * struct drm_gpuvm_imm_remap_step - a mapping that loses a part
 * @va: the mapping as it was, with the driver's data
 * @prev: the part that stays at its start, or NULL
 * @next: the part that stays at its end, or NULL
 * @addr: start of the removed part, in bytes of GPU address
 * @range: length of the removed part in bytes; 0 if the mapping is only split in two
 * @keep: as in &struct drm_gpuvm_imm_unmap_step, for the removed part
 *
 * The driver's data of @prev and @next start as copies of the data of @va. The page table
 * entries of @prev and @next are in place and should stay in place. If one entry covers a part
 * of @prev or @next and of the removed range, as the entry of a huge page does, the step replaces
 * it, under a lock of the hardware if the hardware may use @prev or @next meanwhile.
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
 * @step: the step
 *
 * Call once, when the page table is as @step wants it.
 *
 * Return: the value that the driver's function returns.
 */
static __always_inline struct drm_gpuvm_imm_mapped * __must_check
drm_gpuvm_imm_map_done(const struct drm_gpuvm_imm_map_step *step)
{
	/* Drivers see the step as const; it is a variable of the library. */
	((struct drm_gpuvm_imm_map_step *)drm_safe_live(step))->__done++;
	return (struct drm_gpuvm_imm_mapped *)step;
}

/**
 * drm_gpuvm_imm_unmap_done() - complete an unmap step
 * @step: the step
 *
 * Call once, when nothing of the mapping is left in the page table.
 *
 * Return: the value that the driver's function returns.
 */
static __always_inline struct drm_gpuvm_imm_unmapped * __must_check
drm_gpuvm_imm_unmap_done(const struct drm_gpuvm_imm_unmap_step *step)
{
	/* See drm_gpuvm_imm_map_done(). */
	((struct drm_gpuvm_imm_unmap_step *)drm_safe_live(step))->__done++;
	return (struct drm_gpuvm_imm_unmapped *)step;
}

/**
 * drm_gpuvm_imm_remap_done() - complete a remap step
 * @step: the step
 *
 * Call once, when the page table is as @step wants it.
 *
 * Return: the value that the driver's function returns.
 */
static __always_inline struct drm_gpuvm_imm_remapped * __must_check
drm_gpuvm_imm_remap_done(const struct drm_gpuvm_imm_remap_step *step)
{
	/* See drm_gpuvm_imm_map_done(). */
	((struct drm_gpuvm_imm_remap_step *)drm_safe_live(step))->__done++;
	return (struct drm_gpuvm_imm_remapped *)step;
}

/**
 * struct drm_gpuvm_imm_type - a driver's type of address space
 *
 * The base of what DRM_GPUVM_IMM_TYPE() declares. A driver defines a const one for each of its
 * types. @granule, @obj_funcs, @map, @unmap and @remap are required. The rest is optional.
 */
struct drm_gpuvm_imm_type {
	/**
	 * @granule:
	 *
	 * Addresses, ranges and offsets are multiples of this many bytes; a power of two.
	 */
	u64 granule;

	/** @obj_funcs: the functions that identify the driver's own objects */
	const struct drm_gem_object_funcs *obj_funcs;

	/**
	 * @other_funcs:
	 *
	 * Optional. The functions of other kinds of objects that the address space takes, from
	 * DRM_GPUVM_IMM_KINDS(). The kind that is mapped most is @obj_funcs, which is compared
	 * first.
	 */
	const struct drm_gem_object_funcs *const *other_funcs;

	/**
	 * @map:
	 *
	 * Maps a range in the page table. Like @unmap and @remap, it completes its step once,
	 * with the function that provides the return value. If it fails, it returns an
	 * ERR_PTR() and leaves the page table as it was. All three run in the fence signalling
	 * path.
	 *
	 * All three are annotated with __drm_nonallocating.
	 */
	struct drm_gpuvm_imm_mapped *(*map)(struct drm_gpuvm_imm_core *core,
					    const struct drm_gpuvm_imm_map_step *step)
		__drm_nonallocating;

	/**
	 * @unmap: removes a mapping from the page table; must not fail when the core is closed or
	 * given up
	 */
	struct drm_gpuvm_imm_unmapped *(*unmap)(struct drm_gpuvm_imm_core *core,
						const struct drm_gpuvm_imm_unmap_step *step)
		__drm_nonallocating;

	/** @remap: removes a part of a mapping from the page table */
	struct drm_gpuvm_imm_remapped *(*remap)(struct drm_gpuvm_imm_core *core,
						const struct drm_gpuvm_imm_remap_step *step)
		__drm_nonallocating;

	/**
	 * @va_get:
	 *
	 * Called after the driver's data of a mapping was copied to a remaining part of it.
	 * Takes the references that the copy must hold. Runs in the fence signalling path.
	 * Requires @va_put.
	 */
	void (*va_get)(const struct drm_gpuva *va) __drm_nonallocating;

	/**
	 * @va_put:
	 *
	 * Puts the references in the driver's data of a mapping, which is about to be freed. If
	 * the mapping was only prepared, the data may still be zeroed. The object may be gone, so
	 * drm_gpuvm_imm_va_obj() returns NULL. Runs in a work item or in drm_gpuvm_imm_fini(). May
	 * sleep, end an address space, and take any lock that is not held around
	 * drm_gpuvm_imm_fini(), which lockdep checks.
	 */
	void (*va_put)(const struct drm_gpuva *va);

	/**
	 * @bo_init:
	 *
	 * Initialises the driver's data of an object in an address space, which is zeroed. @arg
	 * is the last argument of the obtain or prepare call. May sleep, and take the object's
	 * reservation lock, unless the caller of a _locked function holds that lock because the
	 * object shares it. A driver whose callers of _locked functions also hold the object's
	 * lock calls drm_shmem_sgt_own_locked() here, and no other form. If this fails, the
	 * obtain or prepare call fails, too, and @bo_fini is not called. Two tasks that obtain
	 * the same object concurrently may both get here; one of the results is dropped.
	 */
	int (*bo_init)(struct drm_gpuvm_bo *vm_bo, void *arg);

	/**
	 * @bo_fini:
	 *
	 * Undoes @bo_init. The object and the shared side of the address space still exist, but
	 * the page table may be gone. May sleep. If two tasks obtained the object concurrently,
	 * the obtaining call uses this to drop the superfluous data. The caller of a _locked
	 * function holds a reservation lock there, so in drivers with _locked calls this must
	 * take no reservation lock and end no address space. drm_shmem_sgt_release() and
	 * drm_gem_sgt_release() are fine, because they take no reservation lock while the object
	 * exists.
	 */
	void (*bo_fini)(struct drm_gpuvm_bo *vm_bo);

	/**
	 * @validate:
	 *
	 * Brings back an evicted object, and maps it where it was mapped before. Called
	 * by drm_gpuvm_imm_validate(), with the reservation lock of the object.
	 */
	int (*validate)(struct drm_gpuvm_imm_core *core, struct drm_gpuvm_bo *vm_bo,
			struct drm_exec *exec);

	/**
	 * @evict:
	 *
	 * Takes an object out of the page table. Called by drm_gpuvm_imm_evict(), with the
	 * reservation lock of the object and its gpuva lock held, perhaps in memory reclaim. The
	 * step must not allocate memory, and may only trylock other sleeping locks. If a trylock
	 * fails, the step returns -EBUSY. A step that fails leaves all mappings of the object in
	 * the page table: the next execution does not validate the object. Requires @validate.
	 */
	int (*evict)(struct drm_gpuvm_imm_core *core, struct drm_gpuvm_bo *vm_bo);

	/**
	 * @max_evict:
	 *
	 * Limits the work of drm_gpuvm_imm_evict(). This is the maximum number of mappings of an
	 * object in all address spaces together, where a mapping counts as one more for each
	 * DRM_GPUVM_IMM_EVICT_PART bytes. It is also the maximum number of address spaces. An
	 * object that exceeds it is not evicted. The importers of such an object are asked to
	 * give back their tables before the limit is checked, and map the object again. 0 stands
	 * for DRM_GPUVM_IMM_EVICT_DEFAULT. The limit cannot be turned off.
	 */
	u32 max_evict;
};

/* For struct drm_gpuvm_imm_type.max_evict */
#define DRM_GPUVM_IMM_EVICT_DEFAULT	SZ_64K
#define DRM_GPUVM_IMM_EVICT_PART	SZ_2M

/**
 * struct drm_gpuvm_imm_config - the layout of an address space
 * @name: name of the address space, copied; NULL for "unknown"
 * @resv_obj: object whose reservation lock the address space and its private objects
 *	share; NULL to make one
 * @start: first address, in bytes
 * @range: length of the address space in bytes, not 0
 * @reserve_start: start of the reserved range, to which nothing can be mapped, in bytes
 * @reserve_range: length of the reserved range in bytes, or 0
 * @max_vas: how many VAs the address space may have, from DRM_GPUVM_IMM_VAS_LEAST to
 *	DRM_GPUVM_IMM_VAS_MOST; 0 stands for DRM_GPUVM_IMM_VAS_DEFAULT. The limit cannot be
 *	turned off
 *
 * Each mapping is a VA. Until an update is run or dropped, the VAs that it holds for the worst case
 * count, too: three for a mapping, one for a mapping in a hole, two to unmap a range or to split a
 * mapping, none to unmap an object. The last eighth of @max_vas is for updates that unmap a range.
 * A removed mapping counts until &drm_gpuvm_imm_type.va_put has returned.
 */
struct drm_gpuvm_imm_config {
	const char *name;
	struct drm_gem_object *resv_obj;
	u64 start;
	u64 range;
	u64 reserve_start;
	u64 reserve_range;
	u32 max_vas;
};

/* Limits of struct drm_gpuvm_imm_config.max_vas */
#define DRM_GPUVM_IMM_VAS_LEAST		16
#define DRM_GPUVM_IMM_VAS_DEFAULT	SZ_64K
#define DRM_GPUVM_IMM_VAS_MOST		SZ_4M

/* private: kinds of struct drm_gpuvm_imm_update */
enum drm_gpuvm_imm_update_kind {
	DRM_GPUVM_IMM_UPDATE_MAP,
	DRM_GPUVM_IMM_UPDATE_MAP_HOLE,
	DRM_GPUVM_IMM_UPDATE_UNMAP,
	DRM_GPUVM_IMM_UPDATE_UNMAP_OBJ,
	DRM_GPUVM_IMM_UPDATE_SPLIT,
};

/* private: the uses of the VAs of a struct drm_gpuvm_imm_update */
enum drm_gpuvm_imm_update_va {
	DRM_GPUVM_IMM_UPDATE_PREV,		/* the part that stays at the start */
	DRM_GPUVM_IMM_UPDATE_NEXT,		/* the part that stays at the end */
	DRM_GPUVM_IMM_UPDATE_NEW,		/* the update's own mapping */
	DRM_GPUVM_IMM_UPDATE_VAS,
};

/**
 * struct drm_gpuvm_imm_update - a change of an address space, ready to be made
 *
 * A driver embeds it in its job, or declares it with DRM_GPUVM_IMM_UPDATE(). Zeroed
 * memory is an empty update. One of the drm_gpuvm_imm_prepare functions fills it with
 * everything that the change can need. drm_gpuvm_imm_core_run() makes the change and
 * drm_gpuvm_imm_update_drop() gives it up. Both leave it empty.
 *
 * Invariants:
 *
 * - An update is empty if and only if it has no address space.
 * - A filled update holds the vm_bo of the object to map, which holds the address space, or
 *   else the address space itself. It also holds as many VAs as the change can need.
 * - One thread at a time changes an update.
 */
struct drm_gpuvm_imm_update {
	/* private: */
	struct drm_gpuvm_imm *__vm;		/* the address space */
	struct drm_gpuvm_bo *__vm_bo;		/* of the object to map */
	enum drm_gpuvm_imm_update_kind __kind : 8;	/* what the run does */
	bool __vm_held;				/* whether @__vm is a reference */
	u8 __lent;				/* VAs that the pool has room for */
	u64 __addr;				/* start of the range to change */
	u64 __range;				/* length of that range */
	u64 __offset;				/* where the range starts in the object */
	struct drm_gpuva *__vas[DRM_GPUVM_IMM_UPDATE_VAS];	/* for the new mappings */
	struct list_head __removed;		/* VAs that the run removed */
	__DRM_SAFE_NO_ASSIGN;
};

void drm_gpuvm_imm_close(struct drm_gpuvm_imm_core *core) __drm_nonallocating;
void drm_gpuvm_imm_put(struct drm_gpuvm_imm *vm) __drm_nonallocating;
void drm_gpuvm_imm_flush(void) __must_not_hold(drm_resv);
void drm_gpuvm_imm_update_drop(struct drm_gpuvm_imm_update *update) __drm_nonallocating;
int drm_gpuvm_imm_core_run(struct drm_gpuvm_imm_core *core, struct drm_gpuvm_imm_update *update)
	__nonnull_args(1, 2) __must_check __drm_nonallocating;
int drm_gpuvm_imm_core_run_ctx(struct drm_gpuvm_imm_core *core,
			       struct drm_gpuvm_imm_update *update, void *ctx)
	__nonnull_args(1, 2) __must_check __drm_nonallocating;

/**
 * drm_gpuvm_imm_shared() - the shared side of an address space
 * @core: the core
 *
 * Return: the address space, borrowed for as long as the core lives; NULL if @core was
 * never initialised, was given up, or is a copy. Call drm_gpuvm_imm_get() for a separate
 * reference.
 */
static __always_inline struct drm_gpuvm_imm *
drm_gpuvm_imm_shared(const struct drm_gpuvm_imm_core *core)
{
	return likely(core->__self == core) ? core->__vm : NULL;
}

/**
 * drm_gpuvm_imm_update_va() - the mapping that a prepared update makes
 * @update: the update
 *
 * Return: the mapping, which is not in the address space yet; NULL if @update maps nothing.
 */
static __always_inline const struct drm_gpuva *
drm_gpuvm_imm_update_va(const struct drm_gpuvm_imm_update *update)
{
	return update->__vas[DRM_GPUVM_IMM_UPDATE_NEW];
}

/* The driver's data of a VA, and of a vm_bo, sits behind it. */
static __always_inline void *__drm_gpuvm_imm_va_data(const struct drm_gpuva *va)
{
	return (void *)(va + 1);
}

/* From creation to prepared updates */
int drm_gpuvm_imm_core_init(struct drm_gpuvm_imm_core *core, struct drm_device *drm,
			    const struct drm_gpuvm_imm_type *type,
			    const struct drm_gpuvm_imm_config *config,
			    size_t va_size, size_t vm_bo_size, bool has_ctx) __must_check;
void drm_gpuvm_imm_fini(struct drm_gpuvm_imm_core *core) __must_not_hold(drm_resv);

struct drm_gpuvm_imm *drm_gpuvm_imm_get(const struct drm_gpuvm_imm_core *core)
	__must_check __drm_safe_put_with(drm_gpuvm_imm_put);
u64 drm_gpuvm_imm_va_start(const struct drm_gpuvm_imm *vm);
u64 drm_gpuvm_imm_va_length(const struct drm_gpuvm_imm *vm);
u64 drm_gpuvm_imm_va_end(const struct drm_gpuvm_imm *vm);
const char *drm_gpuvm_imm_name(const struct drm_gpuvm_imm *vm);
struct drm_gem_object *drm_gpuvm_imm_resv_obj(const struct drm_gpuvm_imm *vm);
bool drm_gpuvm_imm_is_extobj(struct drm_gpuvm_imm *vm, struct drm_gem_object *obj);
bool drm_gpuvm_imm_is_broken(const struct drm_gpuvm_imm *vm);

struct drm_gpuvm_imm *drm_gpuvm_imm_bo_vm(const struct drm_gpuvm_bo *vm_bo);
void drm_gpuvm_imm_bo_put(struct drm_gpuvm_bo *vm_bo) __drm_nonallocating;
struct drm_gpuvm_bo *drm_gpuvm_imm_obtain_gem(struct drm_gpuvm_imm *vm,
					      struct drm_gem_object *obj, void *arg)
	__must_check __drm_safe_put_with(drm_gpuvm_imm_bo_put)
	__must_not_hold(drm_resv);
struct drm_gpuvm_bo *drm_gpuvm_imm_obtain_gem_interruptible(struct drm_gpuvm_imm *vm,
							    struct drm_gem_object *obj,
							    void *arg)
	__must_check __drm_safe_put_with(drm_gpuvm_imm_bo_put)
	__must_not_hold(drm_resv);
struct drm_gpuvm_bo *drm_gpuvm_imm_obtain_gem_locked(struct drm_gpuvm_imm *vm,
						     struct drm_gem_object *obj, void *arg)
	__must_check __drm_safe_put_with(drm_gpuvm_imm_bo_put)
	__must_hold(drm_resv);

int drm_gpuvm_imm_prepare_map_gem(struct drm_gpuvm_imm *vm,
				  struct drm_gpuvm_imm_update *update,
				  struct drm_gem_object *obj, u64 addr, u64 range,
				  u64 offset, void *arg)
	__must_check __must_not_hold(drm_resv);
int drm_gpuvm_imm_prepare_map_gem_interruptible(struct drm_gpuvm_imm *vm,
						struct drm_gpuvm_imm_update *update,
						struct drm_gem_object *obj, u64 addr,
						u64 range, u64 offset, void *arg)
	__must_check __must_not_hold(drm_resv);
int drm_gpuvm_imm_prepare_map_gem_locked(struct drm_gpuvm_imm *vm,
					 struct drm_gpuvm_imm_update *update,
					 struct drm_gem_object *obj, u64 addr, u64 range,
					 u64 offset, void *arg)
	__must_check __must_hold(drm_resv);
int drm_gpuvm_imm_prepare_map_bo(struct drm_gpuvm_imm *vm, struct drm_gpuvm_imm_update *update,
				 struct drm_gpuvm_bo *vm_bo, u64 addr, u64 range,
				 u64 offset) __must_check;
int drm_gpuvm_imm_prepare_map_hole(struct drm_gpuvm_imm *vm, struct drm_gpuvm_imm_update *update,
				   struct drm_gpuvm_bo *vm_bo, u64 addr, u64 range,
				   u64 offset) __must_check;
int drm_gpuvm_imm_prepare_map_sparse(struct drm_gpuvm_imm *vm, struct drm_gpuvm_imm_update *update,
				     u64 addr, u64 range) __must_check;
int drm_gpuvm_imm_prepare_unmap(struct drm_gpuvm_imm *vm, struct drm_gpuvm_imm_update *update,
				u64 addr, u64 range) __must_check;

/* DEFINE_FREE() would take the address of a variable of any type. */
static __always_inline void __free_drm_gpuvm_imm(struct drm_gpuvm_imm **vm)
{
	if (*vm)
		drm_gpuvm_imm_put(*vm);
}

static __always_inline void __free_drm_gpuvm_imm_bo(struct drm_gpuvm_bo **vm_bo)
{
	if (!IS_ERR_OR_NULL(*vm_bo))
		drm_gpuvm_imm_bo_put(*vm_bo);
}

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

/**
 * struct drm_gpuvm_imm_no_data - no driver data
 *
 * An empty struct, which costs nothing. For types that keep no data for each mapping, or no data
 * for each object in an address space.
 */
struct drm_gpuvm_imm_no_data {};

/* The largest allocation for a vm_bo, and how much of it is left for a driver's data */
#define __DRM_GPUVM_IMM_VM_BO_BYTES	SZ_4K
#define __DRM_GPUVM_IMM_VM_BO_MAX						\
	(__DRM_GPUVM_IMM_VM_BO_BYTES - sizeof(struct drm_gpuvm_bo))

/**
 * DRM_GPUVM_IMM_TYPE() - declare a driver's type of address space
 * @_name: name of the type's description, with a const &struct drm_gpuvm_imm_type as its base
 * @_vm_type: the driver's type with the core
 * @_core: name of the member of @_vm_type that DRM_GPUVM_IMM_CORE() declared
 * @_va_type: the driver's data for each mapping, zeroed at first and copied to
 *	the parts of a mapping that is split; see &drm_gpuvm_imm_type.va_get.
 *	&struct drm_gpuvm_imm_no_data if there is none
 * @_obj_type: the driver's GEM object
 * @_gem: the &struct drm_gem_object in @_obj_type
 *
 * Put this in the driver's header. One of the driver's C files defines the description:
 *
 * .. example: after drm_gpuvm_imm-steps
 * .. code-block:: c
 *
 *	const struct foo_vm_type foo_vm_type = {
 *		.base.granule = SZ_4K,
 *		.base.obj_funcs = &foo_bo_type.base.funcs,
 *		.base.map = foo_vm_map,
 *		.base.unmap = foo_vm_unmap,
 *		.base.remap = foo_vm_remap,
 *	};
 */
#define DRM_GPUVM_IMM_TYPE(_name, _vm_type, _core, _va_type, _obj_type, _gem)	\
	DRM_GPUVM_IMM_TYPE_VM_BO(_name, _vm_type, _core, _va_type, _obj_type, _gem, \
				 struct drm_gpuvm_imm_no_data, void)

/*
 * Asserts that the arguments fit: the members have the stated types, and the data fits into its
 * place.
 */
#define __DRM_GPUVM_IMM_ASSERT_TYPE(_vm_type, _core, _va_type, _obj_type, _gem, _bo_type) \
static_assert(__same_type(((_vm_type *)0)->_core, struct drm_gpuvm_imm_core[1]), \
	      "declare the core with DRM_GPUVM_IMM_CORE()");			\
static_assert(__same_type(((_obj_type *)0)->_gem, struct drm_gem_object));	\
static_assert(__alignof__(_va_type) <= __alignof__(struct drm_gpuva));		\
static_assert(__alignof__(_bo_type) <= __alignof__(struct drm_gpuvm_bo));	\
static_assert(sizeof(_bo_type) <= __DRM_GPUVM_IMM_VM_BO_MAX)

/**
 * DRM_GPUVM_IMM_TYPE_VM_BO() - the same, with driver data for each vm_bo
 * @_name: name of the type's description
 * @_vm_type: the driver's type with the core
 * @_core: name of the member of @_vm_type that DRM_GPUVM_IMM_CORE() declared
 * @_va_type: the driver's data for each mapping, as in DRM_GPUVM_IMM_TYPE()
 * @_obj_type: the driver's GEM object
 * @_gem: the &struct drm_gem_object in @_obj_type
 * @_bo_type: the driver's data for each object in an address space
 * @_arg: type that &drm_gpuvm_imm_type.bo_init takes a pointer to
 *
 * The library makes the data when an object is first obtained for an address space. The data lives
 * as long as anything connects the two: mappings, updates, and callers that obtained the object.
 * Use it for anything that every mapping of the object needs and that has to be released, like an
 * owned sg table.
 */
#define DRM_GPUVM_IMM_TYPE_VM_BO(_name, _vm_type, _core, _va_type, _obj_type, _gem, \
				 _bo_type, _arg)				\
	DRM_GPUVM_IMM_TYPE_CTX(_name, _vm_type, _core, _va_type, _obj_type, _gem, \
			       _bo_type, _arg, void)

/**
 * DRM_GPUVM_IMM_TYPE_CTX() - the same, with a context that each run gives its steps
 * @_name: name of the type's description
 * @_vm_type: the driver's type with the core
 * @_core: name of the member of @_vm_type that DRM_GPUVM_IMM_CORE() declared
 * @_va_type: the driver's data for each mapping, as in DRM_GPUVM_IMM_TYPE()
 * @_obj_type: the driver's GEM object
 * @_gem: the &struct drm_gem_object in @_obj_type
 * @_bo_type: the driver's data for each object in an address space, as in
 *	DRM_GPUVM_IMM_TYPE_VM_BO(); &struct drm_gpuvm_imm_no_data if there is none
 * @_arg: type that &drm_gpuvm_imm_type.bo_init takes a pointer to, or void
 * @_ctx: type that drm_gpuvm_imm_run() takes a pointer to, or void
 *
 * A context holds things that belong to one change rather than to the address space:
 * page-table memory that the job brought along, a fence, a proof that the device is
 * registered. The steps get it with drm_gpuvm_imm_step_ctx() and
 * drm_gpuvm_imm_unmap_ctx().
 */
#define DRM_GPUVM_IMM_TYPE_CTX(_name, _vm_type, _core, _va_type, _obj_type, _gem, \
			       _bo_type, _arg, _ctx)				\
struct _name {									\
	struct drm_gpuvm_imm_type base;						\
	/* private: empty, for their types and sizes */				\
	_vm_type *__vm[0];							\
	_va_type *__va[0];							\
	_obj_type *__obj[0];							\
	_bo_type *__bo[0];							\
	_arg *__arg[0];								\
	_ctx *__ctx[0];								\
	u8 __core_at[0][offsetof(_vm_type, _core) + 1];				\
	u8 __gem_at[0][offsetof(_obj_type, _gem) + 1];				\
};										\
__DRM_GPUVM_IMM_ASSERT_TYPE(_vm_type, _core, _va_type, _obj_type, _gem, _bo_type); \
extern const struct _name _name

/* The size of a zero-sized structure, so that it can be added to an address in an initialiser */
#define __drm_gpuvm_imm_must(_cond, _msg)					\
	((int)sizeof(struct { static_assert(_cond, _msg); }))

/* Is a member where the type's object is, and either that or all that the type knows of one? */
#define __drm_gpuvm_imm_is_kind(_obj_type, _type, _member)			\
	(offsetof(_type, _member) == 0 &&					\
	 (__same_type(((_type *)0)->_member, _obj_type) ||			\
	  (__same_type(((_type *)0)->_member, struct drm_gem_object) &&		\
	   sizeof(_obj_type) == sizeof(struct drm_gem_object))))

/**
 * DRM_GPUVM_IMM_KIND() - one more kind of objects that an address space takes
 * @_name: name of the description of the address space's type
 * @_type: the driver's structure of the objects of this kind
 * @_member: what @_type begins with: the type's structure of objects, or the &struct
 *	drm_gem_object if that structure has no other member
 * @_funcs: address of the functions of these objects
 *
 * For DRM_GPUVM_IMM_KINDS().
 */
#define DRM_GPUVM_IMM_KIND(_name, _type, _member, _funcs)			\
	((_funcs) + __drm_gpuvm_imm_must(__drm_gpuvm_imm_is_kind(typeof(*(_name).__obj[0]), \
								 _type, _member), \
					 #_type " is no kind of the objects of " #_name))

/**
 * DRM_GPUVM_IMM_KINDS() - the other kinds of objects that an address space takes
 * @...: one DRM_GPUVM_IMM_KIND() for each kind except &drm_gpuvm_imm_type.obj_funcs
 *
 * Without it, an address space takes the objects of one type only. A driver with a heap and
 * buffers, or with shmem and VRAM, maps both. Calls that take or return the type's structure of
 * objects work for all kinds, which begin with it. For kinds of DRM_SHMEM_OBJ_BASE(), that is the
 * base. Kinds that have nothing in common but the &struct drm_gem_object have a structure with
 * just that, and the driver asks drm_shmem_from_gem(), or compares the functions:
 *
 * .. example: after drm_gpuvm_imm-kinds
 * .. code-block:: c
 *
 *	struct foo_gem {
 *		struct drm_gem_object base;
 *	};
 *
 *	DRM_GPUVM_IMM_TYPE(foo_any_vm_type, struct foo_any_vm, core, struct foo_va,
 *			   struct foo_gem, base);
 *
 *	const struct foo_any_vm_type foo_any_vm_type = {
 *		.base.granule = SZ_4K,
 *		.base.obj_funcs = &foo_bo_type.base.funcs,
 *		.base.other_funcs = DRM_GPUVM_IMM_KINDS(
 *			DRM_GPUVM_IMM_KIND(foo_any_vm_type, struct foo_vram, gem, &foo_vram_funcs)),
 *		.base.map = foo_any_vm_map,
 *		.base.unmap = foo_any_vm_unmap,
 *		.base.remap = foo_any_vm_remap,
 *	};
 *
 * Such objects are given to drm_gpuvm_imm_obtain_gem(), drm_gpuvm_imm_prepare_map_gem() and
 * drm_gpuvm_imm_evict_gem(), which take any object and check it.
 */
#define DRM_GPUVM_IMM_KINDS(...)						\
	((const struct drm_gem_object_funcs *const []) { __VA_ARGS__, NULL })

/* The pointer type for a part of a description: its vm, va, obj, bo, arg or ctx */
#define __drm_gpuvm_imm_ptr(_desc, _what)	typeof(*(_desc)->__##_what[0]) *

/* @_x, as a pointer of the right type. The compiler complains if it has another type. */
#define __drm_gpuvm_imm_is(_desc, _what, _x) ({					\
	__drm_gpuvm_imm_ptr(_desc, _what) __is_##_what = (_x);			\
										\
	__is_##_what;								\
})

/* Does a type lack an arg, or a ctx? */
#define __drm_gpuvm_imm_lacks(_desc, _what)					\
	__same_type(*(_desc)->__##_what[0], void)

/*
 * @_x, for a part that a type may lack. @_x is NULL if and only if the type lacks that part, and is
 * never a plain void *.
 */
#define __drm_gpuvm_imm_given(_desc, _what, _x) ({				\
	static_assert(__same_type(*(_x), *(_desc)->__##_what[0]),		\
		      "this must point to the structure that the type names, or be NULL"); \
	(void *)__drm_gpuvm_imm_is(_desc, _what, _x);				\
})

/*
 * With CONFIG_DRM_SAFE_DEBUG, this reports an address space of another type than the one that a
 * call names.
 *
 * A file that includes drm_safe_signalling.h must not name the description, so this does nothing
 * there: the rule "steps" of spatch looks at those files instead.
 */
#if defined(CONFIG_DRM_SAFE_DEBUG) && !defined(DRM_SAFE_SIGNALLING_CHECKED)
void __drm_gpuvm_imm_check(const struct drm_gpuvm_imm_type *type,
			   const struct drm_gpuvm_imm *vm) __drm_nonallocating;
void __drm_gpuvm_imm_check_base(const struct drm_gpuvm_imm_type *type,
				const struct drm_gpuvm *base) __drm_nonallocating;
#else
static __always_inline void __drm_gpuvm_imm_check(const struct drm_gpuvm_imm_type *type,
						  const struct drm_gpuvm_imm *vm) { }
static __always_inline void __drm_gpuvm_imm_check_base(const struct drm_gpuvm_imm_type *type,
						       const struct drm_gpuvm *base) { }
#endif

static __always_inline struct drm_gpuvm_imm *
__drm_gpuvm_imm_checked(const struct drm_gpuvm_imm_type *type, struct drm_gpuvm_imm *vm)
{
	__drm_gpuvm_imm_check(type, vm);
	return vm;
}

/* The shared side, checked against the type that the call names */
#define __drm_gpuvm_imm_vm(_desc, _shared)	__drm_gpuvm_imm_checked(&(_desc)->base, _shared)

/* The offsets of the core in the driver's struct, and of the GEM object in its object */
#define __drm_gpuvm_imm_at(_desc, _what)	(sizeof((_desc)->__##_what##_at[0]) - 1)

#define __drm_gpuvm_imm_core_of(_desc, _vm)					\
	((struct drm_gpuvm_imm_core *)((void *)__drm_gpuvm_imm_is(_desc, vm, _vm) + \
				       __drm_gpuvm_imm_at(_desc, core)))
#define __drm_gpuvm_imm_gem_of(_desc, _obj)					\
	((struct drm_gem_object *)((void *)__drm_gpuvm_imm_is(_desc, obj, _obj) + \
				   __drm_gpuvm_imm_at(_desc, gem)))
#define __drm_gpuvm_imm_arg(_desc, _x)	__drm_gpuvm_imm_given(_desc, arg, _x)

static __always_inline void *
__drm_gpuvm_imm_vm_of(const struct drm_gpuvm_imm_type *type, struct drm_gpuvm_imm_core *core,
		      size_t at)
{
	__drm_gpuvm_imm_check(type, drm_gpuvm_imm_shared(core));
	return (void *)core - at;
}

static __always_inline void *
__drm_gpuvm_imm_obj_of(const struct drm_gpuvm_imm_type *type, const struct drm_gpuvm *base,
		       struct drm_gem_object *obj, size_t at)
{
	__drm_gpuvm_imm_check_base(type, base);
	return obj ? (void *)obj - at : NULL;
}

static __always_inline void *
__drm_gpuvm_imm_va_obj(const struct drm_gpuvm_imm_type *type, const struct drm_gpuva *va,
		       size_t at)
{
	return __drm_gpuvm_imm_obj_of(type, va->vm, va->gem.obj, at);
}

static __always_inline void *
__drm_gpuvm_imm_bo_obj(const struct drm_gpuvm_imm_type *type, struct drm_gpuvm_bo *vm_bo,
		       size_t at)
{
	return __drm_gpuvm_imm_obj_of(type, vm_bo->vm, vm_bo->obj, at);
}

/* Steps get the core itself, not a copy. No other task runs an update meanwhile. */
static __always_inline void *
__drm_gpuvm_imm_ctx_of(const struct drm_gpuvm_imm_type *type,
		       const struct drm_gpuvm_imm_core *core)
{
	__drm_gpuvm_imm_check(type, drm_gpuvm_imm_shared(core));
	return core->__ctx;
}

#define __drm_gpuvm_imm_is_step(_kind, _ptr)					\
	__same_type(*(_ptr), struct drm_gpuvm_imm_##_kind##_step)

static __always_inline void *
__drm_gpuvm_imm_va_data_of(const struct drm_gpuvm_imm_type *type, const struct drm_gpuva *va)
{
	__drm_gpuvm_imm_check_base(type, va->vm);
	return __drm_gpuvm_imm_va_data(va);
}

static __always_inline void *
__drm_gpuvm_imm_bo_data(const struct drm_gpuvm_imm_type *type, struct drm_gpuvm_bo *vm_bo)
{
	__drm_gpuvm_imm_check_base(type, vm_bo->vm);
	return vm_bo + 1;
}

static __always_inline void *
__drm_gpuvm_imm_update_data(const struct drm_gpuvm_imm_type *type,
			    const struct drm_gpuvm_imm_update *update)
{
	const struct drm_gpuva *va = drm_gpuvm_imm_update_va(update);

	return va ? __drm_gpuvm_imm_va_data_of(type, va) : NULL;
}

/* A mapping of an object has a vm_bo from the time that it is prepared. */
static __always_inline void *
__drm_gpuvm_imm_va_bo_data(const struct drm_gpuvm_imm_type *type, const struct drm_gpuva *va)
{
	return va->vm_bo ? __drm_gpuvm_imm_bo_data(type, va->vm_bo) : NULL;
}

/**
 * drm_gpuvm_imm_of() - the driver's address space, from the core of a step
 * @_desc: address of the description of the type
 * @_core: the core that the step got
 *
 * Return: the struct.
 */
#define drm_gpuvm_imm_of(_desc, _core)						\
	((__drm_gpuvm_imm_ptr(_desc, vm))					\
	 __drm_gpuvm_imm_vm_of(&(_desc)->base, _core, __drm_gpuvm_imm_at(_desc, core)))

/**
 * drm_gpuvm_imm_step_ctx() - the context of a run, in a map or remap step
 * @_desc: address of the description of the type
 * @_core: the core that the step got
 * @_step: the step, as the proof that an update is running
 *
 * A step that undoes another one gets the context of the run that failed.
 *
 * Return: the context, borrowed until the step returns; never NULL.
 */
#define drm_gpuvm_imm_step_ctx(_desc, _core, _step) ({				\
	static_assert(!__drm_gpuvm_imm_lacks(_desc, ctx), "the type has no context"); \
	static_assert(__drm_gpuvm_imm_is_step(map, _step) ||			\
		      __drm_gpuvm_imm_is_step(remap, _step),			\
		      "unmap steps call drm_gpuvm_imm_unmap_ctx() instead"); \
	(__drm_gpuvm_imm_ptr(_desc, ctx))__drm_gpuvm_imm_ctx_of(&(_desc)->base, _core); \
})

/**
 * drm_gpuvm_imm_unmap_ctx() - the context of a run, in an unmap step
 * @_desc: address of the description of the type
 * @_core: the core that the step got
 * @_step: the step
 *
 * drm_gpuvm_imm_fini() calls unmap steps without a run, and so without a context: the end of an
 * address space must not depend on memory that could be missing. Unmapping a whole mapping needs
 * none.
 *
 * Return: the context, borrowed until the step returns; NULL if drm_gpuvm_imm_fini() calls
 * the step.
 */
#define drm_gpuvm_imm_unmap_ctx(_desc, _core, _step) ({				\
	static_assert(!__drm_gpuvm_imm_lacks(_desc, ctx), "the type has no context"); \
	static_assert(__drm_gpuvm_imm_is_step(unmap, _step),			\
		      "map and remap steps call drm_gpuvm_imm_step_ctx() instead");	\
	(__drm_gpuvm_imm_ptr(_desc, ctx))__drm_gpuvm_imm_ctx_of(&(_desc)->base, _core); \
})

/**
 * drm_gpuvm_imm_va_data() - the driver's data of a mapping
 * @_desc: address of the description of the type
 * @_va: the mapping
 *
 * Return: the data.
 */
#define drm_gpuvm_imm_va_data(_desc, _va)					\
	((__drm_gpuvm_imm_ptr(_desc, va))__drm_gpuvm_imm_va_data_of(&(_desc)->base, _va))

/**
 * drm_gpuvm_imm_va_obj() - the driver's object of a mapping
 * @_desc: address of the description of the type
 * @_va: the mapping
 *
 * Return: the object, borrowed from the mapping; NULL if the mapping is sparse, and in va_put.
 */
#define drm_gpuvm_imm_va_obj(_desc, _va)					\
	((__drm_gpuvm_imm_ptr(_desc, obj))					\
	 __drm_gpuvm_imm_va_obj(&(_desc)->base, _va, __drm_gpuvm_imm_at(_desc, gem)))

/**
 * drm_gpuvm_imm_va_bo_data() - the driver's data of a mapping's object
 * @_desc: address of the description of the type
 * @_va: the mapping
 *
 * Return: the data, as drm_gpuvm_imm_bo_data(); NULL if the mapping is sparse.
 */
#define drm_gpuvm_imm_va_bo_data(_desc, _va)					\
	((__drm_gpuvm_imm_ptr(_desc, bo))__drm_gpuvm_imm_va_bo_data(&(_desc)->base, _va))

/**
 * drm_gpuvm_imm_bo_data() - the driver's data of an object in an address space
 * @_desc: address of the description of the type
 * @_vm_bo: the &struct drm_gpuvm_bo
 *
 * Return: the data.
 */
#define drm_gpuvm_imm_bo_data(_desc, _vm_bo)					\
	((__drm_gpuvm_imm_ptr(_desc, bo))__drm_gpuvm_imm_bo_data(&(_desc)->base, _vm_bo))

/**
 * drm_gpuvm_imm_bo_obj() - the driver's object of a vm_bo
 * @_desc: address of the description of the type
 * @_vm_bo: the &struct drm_gpuvm_bo
 *
 * Return: the object, borrowed from @_vm_bo.
 */
#define drm_gpuvm_imm_bo_obj(_desc, _vm_bo)					\
	((__drm_gpuvm_imm_ptr(_desc, obj))					\
	 __drm_gpuvm_imm_bo_obj(&(_desc)->base, _vm_bo, __drm_gpuvm_imm_at(_desc, gem)))

/**
 * drm_gpuvm_imm_update_data() - the driver's data of the mapping that an update makes
 * @_desc: address of the description of the type
 * @_update: the prepared update
 *
 * Return: the data, to be set before the update runs; NULL if @_update maps nothing.
 */
#define drm_gpuvm_imm_update_data(_desc, _update)				\
	((__drm_gpuvm_imm_ptr(_desc, va))__drm_gpuvm_imm_update_data(&(_desc)->base, _update))

/**
 * drm_gpuvm_imm_init() - make an address space
 * @_desc: address of the description of its type
 * @_vm: the driver's struct, zeroed and at its final address; drm_gpuvm_imm_fini() ends
 *	its core
 * @_drm: the device
 * @_config: the layout, a const &struct drm_gpuvm_imm_config; not used after the call
 *
 * Context: May sleep.
 *
 * Return: as drm_gpuvm_imm_core_init().
 */
#define drm_gpuvm_imm_init(_desc, _vm, _drm, _config)				\
	drm_gpuvm_imm_core_init(__drm_gpuvm_imm_core_of(_desc, _vm), _drm,	\
				&(_desc)->base, _config,			\
				sizeof(*(_desc)->__va[0]), sizeof(*(_desc)->__bo[0]), \
				!__drm_gpuvm_imm_lacks(_desc, ctx))

/**
 * drm_gpuvm_imm_run() - make a prepared change
 * @_desc: address of the description of the type
 * @_vm: the driver's type with the core
 * @_update: the update; empty afterwards, whatever is returned
 * @_ctx: the context for each step of this run, a pointer to the type that
 *	DRM_GPUVM_IMM_TYPE_CTX() names; NULL if the type has no context
 *
 * A type without a context pays nothing for this.
 *
 * Context: As drm_gpuvm_imm_core_run().
 *
 * Return: as drm_gpuvm_imm_core_run_ctx().
 */
#define drm_gpuvm_imm_run(_desc, _vm, _update, _ctx)				\
	__builtin_choose_expr(__drm_gpuvm_imm_lacks(_desc, ctx),		\
		drm_gpuvm_imm_core_run(__drm_gpuvm_imm_core_of(_desc, _vm), _update), \
		drm_gpuvm_imm_core_run_ctx(__drm_gpuvm_imm_core_of(_desc, _vm), _update, \
					   __drm_gpuvm_imm_given(_desc, ctx, _ctx)))

/**
 * drm_gpuvm_imm_obtain() - get or make the vm_bo that connects an object to a VM
 * @_desc: address of the description of the type
 * @_shared: the address space
 * @_obj: the driver's object
 * @_arg: the argument for &drm_gpuvm_imm_type.bo_init; NULL if the type has no data for
 *	each vm_bo
 *
 * From here on, drm_gpuvm_imm_lock() locks the object if it is external.
 *
 * Context: May sleep. Takes the reservation lock of @_shared unless the connection exists
 * already. Other tasks may hold it for long, and no signal ends the wait: ioctls call
 * drm_gpuvm_imm_obtain_interruptible(). The wait for the gpuva lock of @_obj is short.
 *
 * Return: the vm_bo, to be put with drm_gpuvm_imm_bo_put(); ERR_PTR(-EINVAL) if @_shared is
 * NULL, or @_obj is of another type or device, or in a VM that is not in immediate mode,
 * which are driver bugs; ERR_PTR(-ENOMEM); what &drm_gpuvm_imm_type.bo_init returned;
 * ERR_PTR(-EALREADY) if the caller is found to hold the reservation lock, which is a driver
 * bug, too.
 */
#define drm_gpuvm_imm_obtain(_desc, _shared, _obj, _arg)			\
	drm_gpuvm_imm_obtain_gem(__drm_gpuvm_imm_vm(_desc, _shared),		\
				 __drm_gpuvm_imm_gem_of(_desc, _obj),		\
				 __drm_gpuvm_imm_arg(_desc, _arg))

/**
 * drm_gpuvm_imm_obtain_interruptible() - drm_gpuvm_imm_obtain() with an interruptible wait
 * @_desc: address of the description of the type
 * @_shared: the address space
 * @_obj: the driver's object
 * @_arg: the argument for &drm_gpuvm_imm_type.bo_init
 *
 * Context: As drm_gpuvm_imm_obtain(), but a signal ends the wait for the reservation lock.
 *
 * Return: as drm_gpuvm_imm_obtain(); ERR_PTR(-EINTR) if a signal arrived, with nothing
 * changed. An ioctl returns that, and userspace calls it again.
 */
#define drm_gpuvm_imm_obtain_interruptible(_desc, _shared, _obj, _arg)		\
	drm_gpuvm_imm_obtain_gem_interruptible(__drm_gpuvm_imm_vm(_desc, _shared), \
					       __drm_gpuvm_imm_gem_of(_desc, _obj), \
					       __drm_gpuvm_imm_arg(_desc, _arg))

/**
 * drm_gpuvm_imm_obtain_locked() - drm_gpuvm_imm_obtain() under the VM's lock
 * @_desc: address of the description of the type
 * @_shared: the address space
 * @_obj: the driver's object
 * @_arg: the argument for &drm_gpuvm_imm_type.bo_init
 *
 * Context: May sleep. The caller holds the reservation lock of @_shared.
 *
 * Return: as drm_gpuvm_imm_obtain(), except for -EALREADY; ERR_PTR(-EINVAL) also if the caller
 * does not hold the reservation lock, which is a driver bug.
 */
#define drm_gpuvm_imm_obtain_locked(_desc, _shared, _obj, _arg)			\
	drm_gpuvm_imm_obtain_gem_locked(__drm_gpuvm_imm_vm(_desc, _shared),	\
					__drm_gpuvm_imm_gem_of(_desc, _obj),	\
					__drm_gpuvm_imm_arg(_desc, _arg))

/**
 * drm_gpuvm_imm_prepare_map() - prepare to map a part of an object
 * @_desc: address of the description of the type
 * @_shared: the address space
 * @_update: an empty update
 * @_obj: the driver's object
 * @_addr: where to map it, in bytes of GPU address
 * @_range: how much of it, in bytes
 * @_offset: from where on, in bytes from the start of @_obj
 * @_arg: the argument for &drm_gpuvm_imm_type.bo_init, as in drm_gpuvm_imm_obtain()
 *
 * When the update runs, it replaces everything that is mapped in the range. Between this call and
 * the run, the caller may set the data of the new mapping, see drm_gpuvm_imm_update_data().
 *
 * Context: May sleep. May take the reservation lock of @_shared, as drm_gpuvm_imm_obtain():
 * ioctls call drm_gpuvm_imm_prepare_map_interruptible().
 *
 * Return:
 * * 0, and the caller must run or drop @_update; or, with nothing changed:
 * * -EINVAL if the range is empty, not a multiple of the driver's granule, or not inside
 *   @_shared and @_obj; or as drm_gpuvm_imm_obtain(), also if @_shared is NULL because its
 *   core has no address space
 * * -ENOMEM, also if millions of updates of @_shared are prepared
 * * -ENOSPC if @_shared could have more VAs than &drm_gpuvm_imm_config.max_vas allows
 * * -ENOTRECOVERABLE if @_shared is broken, see drm_gpuvm_imm_is_broken()
 * * -ESHUTDOWN if @_shared was closed, see drm_gpuvm_imm_close()
 * * -EBUSY if @_update is not empty, which is a driver bug
 * * -EALREADY, or what &drm_gpuvm_imm_type.bo_init returned, as drm_gpuvm_imm_obtain()
 */
#define drm_gpuvm_imm_prepare_map(_desc, _shared, _update, _obj, _addr, _range, _offset, _arg) \
	drm_gpuvm_imm_prepare_map_gem(__drm_gpuvm_imm_vm(_desc, _shared), _update, \
				      __drm_gpuvm_imm_gem_of(_desc, _obj), _addr, _range, \
				      _offset, __drm_gpuvm_imm_arg(_desc, _arg))

/**
 * drm_gpuvm_imm_prepare_map_interruptible() - the same, with an interruptible wait
 * @_desc: address of the description of the type
 * @_shared: the address space
 * @_update: an empty update
 * @_obj: the driver's object
 * @_addr: where to map it, in bytes of GPU address
 * @_range: how much of it, in bytes
 * @_offset: from where on, in bytes from the start of @_obj
 * @_arg: the argument for &drm_gpuvm_imm_type.bo_init
 *
 * Context: As drm_gpuvm_imm_prepare_map(), but a signal ends the wait for the reservation
 * lock.
 *
 * Return: as drm_gpuvm_imm_prepare_map(); -EINTR if a signal arrived, with nothing changed.
 * An ioctl returns that, and userspace calls it again.
 */
#define drm_gpuvm_imm_prepare_map_interruptible(_desc, _shared, _update, _obj, _addr, _range, \
						_offset, _arg)			\
	drm_gpuvm_imm_prepare_map_gem_interruptible(__drm_gpuvm_imm_vm(_desc, _shared), _update, \
						    __drm_gpuvm_imm_gem_of(_desc, _obj), _addr, \
						    _range, _offset,		\
						    __drm_gpuvm_imm_arg(_desc, _arg))

/**
 * drm_gpuvm_imm_prepare_map_locked() - drm_gpuvm_imm_prepare_map() under the VM's lock
 * @_desc: address of the description of the type
 * @_shared: the address space
 * @_update: an empty update
 * @_obj: the driver's object
 * @_addr: where to map it, in bytes of GPU address
 * @_range: how much of it, in bytes
 * @_offset: from where on, in bytes from the start of @_obj
 * @_arg: the argument for &drm_gpuvm_imm_type.bo_init
 *
 * Context: May sleep. The caller holds the reservation lock of @_shared.
 *
 * Return: as drm_gpuvm_imm_prepare_map(), except for -EALREADY; -EINVAL also if the caller does
 * not hold the reservation lock, which is a driver bug.
 */
#define drm_gpuvm_imm_prepare_map_locked(_desc, _shared, _update, _obj, _addr, _range, \
					 _offset, _arg)				\
	drm_gpuvm_imm_prepare_map_gem_locked(__drm_gpuvm_imm_vm(_desc, _shared), _update, \
					     __drm_gpuvm_imm_gem_of(_desc, _obj), _addr, \
					     _range, _offset, __drm_gpuvm_imm_arg(_desc, _arg))

int drm_gpuvm_imm_prepare_unmap_gem(struct drm_gpuvm_imm *vm, struct drm_gpuvm_imm_update *update,
				    struct drm_gem_object *obj) __must_check;
int drm_gpuvm_imm_prepare_split(struct drm_gpuvm_imm *vm, struct drm_gpuvm_imm_update *update,
				u64 addr) __must_check;

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

const struct drm_gpuva *drm_gpuvm_imm_bo_first_va(struct drm_gpuvm_bo *vm_bo);
const struct drm_gpuva *drm_gpuvm_imm_bo_next_va(const struct drm_gpuva *va);
struct drm_gpuvm_bo *drm_gpuvm_imm_next_bo(const struct drm_gpuvm_imm_type *type,
					   struct drm_gem_object *obj, struct drm_gpuvm_bo *vm_bo);

int drm_gpuvm_imm_lock(struct drm_gpuvm_imm *vm, struct drm_exec *exec,
		       unsigned int num_fences) __must_check;
int drm_gpuvm_imm_lock_range(const struct drm_gpuvm_imm_core *core, struct drm_exec *exec,
			     u64 addr, u64 range, unsigned int num_fences) __must_check;
void drm_gpuvm_imm_add_fence(struct drm_gpuvm_imm *vm, struct drm_exec *exec,
			     struct dma_fence *fence,
			     enum dma_resv_usage private_usage,
			     enum dma_resv_usage extobj_usage);
void drm_gpuvm_imm_set_invalid(struct drm_gem_object *obj) __must_hold(drm_resv);
void drm_gpuvm_imm_set_valid(struct drm_gem_object *obj) __must_hold(drm_resv);
int drm_gpuvm_imm_validate(struct drm_gpuvm_imm_core *core, struct drm_exec *exec) __must_check;
int drm_gpuvm_imm_evict_gem(const struct drm_gpuvm_imm_type *type, struct drm_gem_object *obj)
	__must_check __must_hold(drm_resv);

/**
 * drm_gpuvm_imm_prepare_unmap_obj() - prepare to unmap all of an object
 * @_desc: address of the description of the type
 * @_shared: the address space
 * @_update: an empty update
 * @_obj: the driver's object
 *
 * Context: As drm_gpuvm_imm_prepare_unmap_gem().
 *
 * Return: as drm_gpuvm_imm_prepare_unmap_gem().
 */
#define drm_gpuvm_imm_prepare_unmap_obj(_desc, _shared, _update, _obj)		\
	drm_gpuvm_imm_prepare_unmap_gem(__drm_gpuvm_imm_vm(_desc, _shared), _update, \
					__drm_gpuvm_imm_gem_of(_desc, _obj))

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
 * Visits every mapping that has an address in the range, in the order of addresses, for
 * example to prefetch the range. The body must not change the address space.
 */
#define drm_gpuvm_imm_for_each(_va, _core, _addr, _range)			\
	for (const struct drm_gpuvm_imm_walk					\
			__walk = { .core = _core, .addr = _addr, .range = _range }, \
			*__once = &__walk; __once; __once = NULL)		\
		for (const struct drm_gpuva *_va =				\
				drm_gpuvm_imm_find_first(__walk.core, __walk.addr,  \
							 __walk.range),		\
				**__found = &_va; __found; __found = NULL)	\
			__drm_safe_no_jump_into(_va, _va,			\
						_va = drm_gpuvm_imm_next(__walk.core, _va, \
									 __walk.addr, \
									 __walk.range))

/**
 * drm_gpuvm_imm_for_each_of() - walk over the mappings of an object
 * @_va: name of the &struct drm_gpuva pointer, declared here
 * @_core: the core
 * @_gem_obj: the &struct drm_gem_object
 *
 * Visits the mappings in no particular order. The body must not change the address space.
 */
#define drm_gpuvm_imm_for_each_of(_va, _core, _gem_obj)				\
	for (const struct drm_gpuvm_imm_walk __walk = { .core = _core },	\
			*__once = &__walk; __once; __once = NULL)		\
		for (const struct drm_gpuva *_va =				\
				drm_gpuvm_imm_first_of(__walk.core, _gem_obj),	\
				**__found = &_va; __found; __found = NULL)	\
			__drm_safe_no_jump_into(_va, _va,			\
						_va = drm_gpuvm_imm_next_of(__walk.core, _va))

/**
 * drm_gpuvm_imm_bo_for_each_va() - walk over the mappings of a vm_bo
 * @_va: name of the &struct drm_gpuva pointer, declared here
 * @_vm_bo: the &struct drm_gpuvm_bo
 *
 * For &drm_gpuvm_imm_type.evict, for steps, and for the body of drm_gpuvm_imm_for_each_bo(), where
 * the mappings cannot change. Code that holds the driver's lock around the core calls
 * drm_gpuvm_imm_for_each_of() instead.
 *
 * Visits the mappings in no particular order. While an update runs, this includes the mappings that
 * the update has removed, and the remaining parts of them. The body must not change the address
 * space.
 *
 * Context: As drm_gpuvm_imm_bo_first_va().
 */
#define drm_gpuvm_imm_bo_for_each_va(_va, _vm_bo)				\
	for (const struct drm_gpuva *_va = drm_gpuvm_imm_bo_first_va(_vm_bo),	\
			**__found = &_va; __found; __found = NULL)		\
		__drm_safe_no_jump_into(_va, _va, _va = drm_gpuvm_imm_bo_next_va(_va))

/* The lock of the vm_bos and mappings that connect an object to address spaces */
DEFINE_LOCK_GUARD_1(drm_gpuvm_imm_bos, struct drm_gem_object,
		    mutex_lock(&_T->lock->gpuva.lock), mutex_unlock(&_T->lock->gpuva.lock))

/**
 * drm_gpuvm_imm_for_each_bo() - walk over the address spaces of a type that an object is in
 * @_vm_bo: name of the &struct drm_gpuvm_bo pointer, declared here
 * @_desc: address of the description of the type
 * @_obj: the driver's object
 *
 * Visits each address space of the type that the object was obtained for and that still exists,
 * even if the object is not mapped there. Use drm_gpuvm_imm_bo_data() and drm_gpuvm_imm_bo_vm() on
 * @_vm_bo.
 *
 * The gpuva lock of @_obj is held until the block is left, on any path. Steps wait for that lock in
 * the fence signalling path, so allocations in the body must not wait. The body must not put a
 * vm_bo, take the lock, or run an update. Lockdep checks this.
 *
 * Context: May sleep. The wait for the gpuva lock is short.
 */
#define drm_gpuvm_imm_for_each_bo(_vm_bo, _desc, _obj)				\
	scoped_guard(drm_gpuvm_imm_bos, __drm_gpuvm_imm_gem_of(_desc, _obj))	\
		for (struct drm_gpuvm_bo *_vm_bo =				\
				drm_gpuvm_imm_next_bo(&(_desc)->base, scope.lock, NULL), \
				**__found = &_vm_bo; __found; __found = NULL)	\
			__drm_safe_no_jump_into(_vm_bo, _vm_bo,			\
						_vm_bo = drm_gpuvm_imm_next_bo(&(_desc)->base, \
									       scope.lock, \
									       _vm_bo))

/**
 * drm_gpuvm_imm_evict() - take an object out of the page tables
 * @_desc: address of the description of the type
 * @_obj: the driver's object
 *
 * Context: As drm_gpuvm_imm_evict_gem().
 *
 * Return: as drm_gpuvm_imm_evict_gem().
 */
#define drm_gpuvm_imm_evict(_desc, _obj)					\
	drm_gpuvm_imm_evict_gem(&(_desc)->base, __drm_gpuvm_imm_gem_of(_desc, _obj))

#endif /* _DRM_GPUVM_IMM_H */
