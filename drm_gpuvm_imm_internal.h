/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _DRM_GPUVM_IMM_INTERNAL_H
#define _DRM_GPUVM_IMM_INTERNAL_H

#include <linux/atomic.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "drm_gpuvm_imm.h"
#include "drm_safe_core.h"

struct notifier_block;
struct seq_file;

/*
 * Updates take VAs from a pool of spare ones, and give them back. If the pool has more spare VAs
 * than updates hold, plus POOL_MAX, the drain frees spare VAs until the pool has as many as updates
 * hold, plus POOL_MIN. An update fails if the pool would have to grow beyond POOL_LIMIT. The first
 * array of the pool has room for POOL_FIRST VAs, which is enough for one update at a time.
 */
#define DRM_GPUVM_IMM_POOL_MAX	512
#define DRM_GPUVM_IMM_POOL_MIN	64
#define DRM_GPUVM_IMM_POOL_LIMIT	SZ_4M
#define DRM_GPUVM_IMM_POOL_FIRST	4

/* Newer than any era of clean-ups: see struct drm_gpuvm_imm_cleaner */
#define DRM_GPUVM_IMM_NO_ERA	ULONG_MAX

/* The limit for VAs that a task moves under the pool's lock at a time, apart from updates */
#define DRM_GPUVM_IMM_POOL_BATCH	256

/* The number of VAs that are freed at a time, because an array of them is on the stack */
#define DRM_GPUVM_IMM_POOL_FREE		16

/*
 * struct drm_gpuvm_imm - the shared side of an address space
 *
 * To clang's context analysis, it is a lock that its @owner holds.
 *
 * Invariants:
 *
 * - @base counts the references. Each of these holds one: the core, each caller of
 *   drm_gpuvm_imm_get(), each filled update that has no vm_bo, each mapping,
 *   each vm_bo, and @drain while it is queued or runs.
 * - The last reference is put where sleeping is allowed: by @drain or by
 *   drm_gpuvm_imm_fini(). drm_gpuvm_imm_put() hands a last reference over to @drain. The
 *   DRM core itself never puts the last reference: mappings are freed while the
 *   &struct drm_gpuvm_imm_core or its end has a reference, and vm_bos are freed in @drain,
 *   drm_gpuvm_imm_fini() or __drm_gpuvm_imm_obtain(), each of which has a reference. So
 *   the device and the object with the reservation lock are never released in the fence
 *   signalling path.
 * - @core is the core from drm_gpuvm_imm_core_init() until drm_gpuvm_imm_fini() has removed the
 *   last mapping, under @evict_lock and in the @owner; NULL afterwards.
 * - @plain_core is @core if the runs of @type have no context, or else NULL.
 * - Only the task in @owner changes the mappings, @error and @replaces. While @owner is
 *   DRM_GPUVM_IMM_READER, debugfs reads them, and does not sleep. To lockdep, @owner_map is
 *   a lock, which the owner holds.
 * - @error is 0, -ENOTRECOVERABLE if the address space is broken, or -ESHUTDOWN if it was closed.
 *   It is set once and stays set. It is read unlocked: a reader that just misses the change might
 *   as well have come earlier.
 * - Each entry that the steps left in the page table belongs to a mapping, which holds the
 *   object, even if @error is set. See drm_gpuvm_imm_rollback().
 * - Every object that is mapped has @type->obj_funcs, or one of @type->other_funcs, and belongs
 *   to @base.drm.
 * - Each VA is followed by @va_size bytes of driver data.
 * - VAs that are in no tree and no update are either in @pool, with undefined content, or
 *   in @dead, with data that must be released where sleeping is allowed. @dead is NULL, or the link
 *   of any of these: their links are a ring without a head. @drain is queued after each addition
 *   to @dead. A task that moves many VAs may have taken some of them off both; no other task can
 *   reach these.
 * - During one hold of @pool_lock, a task moves no more than DRM_GPUVM_IMM_POOL_BATCH VAs and those
 *   of one update, because other tasks spin for the lock, also in the fence signalling path.
 * - @pool has room for @pool_size VAs. This is enough for the VAs in @pool and those that filled
 *   updates hold, so updates can give back their VAs without an allocation.
 * - @node is in the list of all address spaces from drm_gpuvm_imm_core_init() until vm_free, under
 *   the lock of that list.
 * - @drain_era, under a lock of drm_gpuvm_imm_end.c, is the oldest era of the cleaners that
 *   queued @drain since it last began, or DRM_GPUVM_IMM_NO_ERA.
 * - @vas_left is @max_vas, less the last eighth, which is for updates that unmap, minus the number
 *   of existing VAs. It is negative if more exist than other updates may use. VAs in @dead count
 *   as existing. VAs that are on their way into another array of the pool do not.
 * - @pool_keep is the number of VAs that must stay in @pool, so that no more are in use than
 *   allowed: -@vas_left if @vas_left is negative, or else 0. Unmaps may use the last eighth of
 *   @max_vas.
 * - @pool_trim says that @drain was queued to free spare VAs and has not done so yet.
 * - @pool_shrink says that @pool has much more room than it needs. The next prepare call moves the
 *   VAs to a smaller array. A worker does not, because it has no client to charge the array to.
 */
context_lock_struct(drm_gpuvm_imm) {
	struct drm_gpuvm base;				/* the DRM core's part */
	const struct drm_gpuvm_imm_type *type;		/* the driver's steps */
	struct drm_gpuvm_imm_core *core;		/* the handle that changes mappings */
	struct drm_gpuvm_imm_core *plain_core;		/* the same, for runs without a context */
	struct task_struct *owner;			/* the task that changes mappings */
	struct lockdep_map owner_map;			/* @owner, to lockdep */
	unsigned int va_size;				/* of the driver's data of a mapping */
	unsigned int max_vas;				/* VAs that may be in use */
	s16 error;					/* why updates fail, see above */
	bool replaces;					/* did the last lookup find something? */
	bool va_counted;				/* the driver counts its data of mappings */

	spinlock_t pool_lock;				/* protects the next nine members */
	unsigned int pool_size __guarded_by(&pool_lock);	/* the room in @pool */
	unsigned int pool_count __guarded_by(&pool_lock);	/* the VAs in @pool */
	unsigned int pool_lent __guarded_by(&pool_lock);	/* the VAs that updates hold */
	unsigned int pool_keep __guarded_by(&pool_lock);	/* the VAs that stay in @pool */
	int vas_left __guarded_by(&pool_lock);		/* how many more VAs there may be */
	bool pool_trim __guarded_by(&pool_lock);	/* @drain will free spare VAs */
	bool pool_shrink __guarded_by(&pool_lock);	/* the next update makes @pool smaller */
	struct drm_gpuva **pool __guarded_by(&pool_lock);	/* spare VAs */
	struct list_head *dead __guarded_by(&pool_lock);	/* VAs whose data the drain puts */

	struct mutex evict_lock;			/* keeps @core alive */
	struct work_struct drain;			/* cleans up outside the signalling path */
	unsigned long drain_era;			/* which flushes wait for @drain */
	struct list_head node;				/* in the list of address spaces */
	const char *name;				/* for reports and debugfs */
};

/* With the DRM core's part, 496 bytes on 64-bit kernels for an address space and its first pool */
static_assert(IS_ENABLED(CONFIG_LOCKDEP) || IS_ENABLED(CONFIG_DEBUG_SPINLOCK) ||
	      IS_ENABLED(CONFIG_PREEMPT_RT) ||
	      sizeof(struct drm_gpuvm_imm) - sizeof(struct drm_gpuvm) +
	      DRM_GPUVM_IMM_POOL_FIRST * sizeof(struct drm_gpuva *) <= 208);

/* How many of the VAs that may be in use are for updates that unmap */
static inline unsigned int drm_gpuvm_imm_unmap_vas(const struct drm_gpuvm_imm *vm)
{
	return vm->max_vas / 8;
}

/* Records that @n VAs fewer exist, or more if @n is negative. */
static inline void drm_gpuvm_imm_vas_gone(struct drm_gpuvm_imm *vm, int n)
	__must_hold(&vm->pool_lock) __drm_nonallocating
{
	vm->vas_left += n;
	vm->pool_keep = max(-vm->vas_left, 0);
}

static inline struct drm_gpuvm_imm *to_drm_gpuvm_imm(struct drm_gpuvm *gpuvm)
{
	/* Every drm_gpuvm that gets here was made by drm_gpuvm_imm_core_init(). */
	return container_of(gpuvm, struct drm_gpuvm_imm, base);
}

/* drm_gpuvm_imm_end.c */
void drm_gpuvm_imm_vm_free(struct drm_gpuvm *gpuvm);
void drm_gpuvm_imm_add(struct drm_gpuvm_imm *vm);

/* All address spaces. The lock is held while debugfs looks at them, and never for an allocation. */
extern struct mutex drm_gpuvm_imm_all_lock;
extern struct list_head drm_gpuvm_imm_all __guarded_by(&drm_gpuvm_imm_all_lock);

/* Objects can also be mapped in VMs of other types, whose page tables @type does not know. */
static inline bool drm_gpuvm_imm_is_of(struct drm_gpuvm *gpuvm,
				       const struct drm_gpuvm_imm_type *type)
{
	return gpuvm->ops->vm_free == drm_gpuvm_imm_vm_free &&
	       to_drm_gpuvm_imm(gpuvm)->type == type;
}

#define DRM_GPUVM_IMM_READER	((struct task_struct *)1)

/*
 * Acquire: pairs with the release in drm_gpuvm_imm_unclaim(), see vm-owner.litmus. The
 * acquire makes the last writer's changes to the mappings visible. @seen is the owner that
 * was in the way.
 */
static inline bool drm_gpuvm_imm_claim_once(struct drm_gpuvm_imm *vm,
					    struct task_struct *owner,
					    struct task_struct **seen)
	__cond_acquires(true, vm) __context_unsafe("is the lock") __drm_nonallocating
{
	bool claimed;

	*seen = NULL;
	drm_safe_trusted(claimed = try_cmpxchg_acquire(&vm->owner, seen, owner));
	if (claimed)
		drm_safe_trusted(lock_map_acquire_try(&vm->owner_map));

	return claimed;
}

static inline bool drm_gpuvm_imm_claim_for_reader(struct drm_gpuvm_imm *vm)
	__cond_acquires(true, vm)
{
	struct task_struct *seen;

	return drm_gpuvm_imm_claim_once(vm, DRM_GPUVM_IMM_READER, &seen);
}

void drm_gpuvm_imm_wait_for_reader(struct drm_gpuvm_imm *vm) __drm_nonallocating;

/* Makes this task the one that changes the mappings. Returns false if another task does. */
static inline bool drm_gpuvm_imm_claim(struct drm_gpuvm_imm *vm)
	__cond_acquires(true, vm) __drm_nonallocating
{
	struct task_struct *seen;

	while (unlikely(!drm_gpuvm_imm_claim_once(vm, current, &seen))) {
		if (seen != DRM_GPUVM_IMM_READER)
			return false;
		drm_gpuvm_imm_wait_for_reader(vm);
	}

	return true;
}

static inline void drm_gpuvm_imm_unclaim(struct drm_gpuvm_imm *vm)
	__releases(vm) __context_unsafe("is the lock") __drm_nonallocating
{
	drm_safe_trusted(lock_map_release(&vm->owner_map));
	/* Release: pairs with the acquire in drm_gpuvm_imm_claim_once(), see vm-owner.litmus. */
	smp_store_release(&vm->owner, NULL);
}

/* Initialises a VA from @op, so that it is ready for the tree and for the driver. */
static inline void drm_gpuvm_imm_init_va(struct drm_gpuvm_imm *vm, struct drm_gpuva *va,
					 const struct drm_gpuva_op_map *op,
					 struct drm_gpuvm_bo *vm_bo)
	__drm_nonallocating
{
	drm_gpuva_init_from_op(va, op);
	va->vm = &vm->base;
	va->vm_bo = vm_bo;
	va->flags = op->gem.obj ? 0 : DRM_GPUVA_SPARSE;
}

/*
 * Set the driver's data of a VA. Most drivers have one or two words, for which a call costs more
 * than the work.
 */
static __always_inline void drm_gpuvm_imm_zero_data(const struct drm_gpuvm_imm *vm,
						    struct drm_gpuva *va)
	__drm_nonallocating
{
	void *data = __drm_gpuvm_imm_va_data(va);

	if (vm->va_size == 8)
		drm_safe_trusted(memset(data, 0, 8));
	else if (vm->va_size == 16)
		drm_safe_trusted(memset(data, 0, 16));
	else
		drm_safe_trusted(memset(data, 0, vm->va_size));
}

static __always_inline void drm_gpuvm_imm_copy_data(const struct drm_gpuvm_imm *vm,
						    struct drm_gpuva *to,
						    const struct drm_gpuva *from)
	__drm_nonallocating
{
	void *dst = __drm_gpuvm_imm_va_data(to);
	const void *src = __drm_gpuvm_imm_va_data(from);

	if (vm->va_size == 8)
		drm_safe_trusted(memcpy(dst, src, 8));
	else if (vm->va_size == 16)
		drm_safe_trusted(memcpy(dst, src, 16));
	else
		drm_safe_trusted(memcpy(dst, src, vm->va_size));
}

/* drm_gpuvm_imm_pool.c */
int drm_gpuvm_imm_pool_resize(struct drm_gpuvm_imm *vm, unsigned int size);
void drm_gpuvm_imm_pool_free(struct drm_gpuvm_imm *vm, unsigned int keep);
void drm_gpuvm_imm_pool_shrink(struct drm_gpuvm_imm *vm);
void drm_gpuvm_imm_pool_trim(struct drm_gpuvm_imm *vm);
#if IS_ENABLED(CONFIG_KUNIT)
unsigned int drm_gpuvm_imm_pool_put_some(struct drm_gpuvm_imm *vm, struct drm_gpuva **vas,
					 unsigned int n);
#endif

/* drm_gpuvm_imm_end.c */
int drm_gpuvm_imm_wq_init(void) __must_check;
void drm_gpuvm_imm_wq_exit(void);
void drm_gpuvm_imm_drain(struct work_struct *work);
void drm_gpuvm_imm_put_and_drain(struct drm_gpuvm_imm *vm) __drm_nonallocating;
void drm_gpuvm_imm_end(struct drm_gpuvm_imm *vm);
#if IS_ENABLED(CONFIG_KUNIT)
int drm_gpuvm_imm_module_event(struct notifier_block *nb, unsigned long state, void *module);
#endif

/* drm_gpuvm_imm_run.c */
int drm_gpuvm_imm_sm_step_map(struct drm_gpuva_op *op, void *priv) __drm_nonallocating;
int drm_gpuvm_imm_sm_step_unmap(struct drm_gpuva_op *op, void *priv) __drm_nonallocating;
int drm_gpuvm_imm_sm_step_remap(struct drm_gpuva_op *op, void *priv) __drm_nonallocating;
void drm_gpuvm_imm_unmap_all(struct drm_gpuvm_imm *vm) __must_hold(vm) __drm_nonallocating;
void drm_gpuvm_imm_recycle(struct drm_gpuvm_imm *vm, struct list_head *vas)
	__drm_nonallocating;
#if IS_ENABLED(CONFIG_KUNIT)
void drm_gpuvm_imm_pool_pause(struct drm_gpuvm_imm *vm)
	__must_hold(&vm->pool_lock) __drm_nonallocating;
#endif

/* drm_gpuvm_imm.c */
int drm_gpuvm_imm_module_init(void) __must_check;
void drm_gpuvm_imm_module_exit(void);
bool drm_gpuvm_imm_report_none(void);

/*
 * Returns whether @vm is NULL, because its core has no address space. Reports this, because the
 * caller can do nothing about it, and most callers cannot return an error.
 */
static inline bool drm_gpuvm_imm_is_none(const struct drm_gpuvm_imm *vm)
{
	return unlikely(!vm) && drm_gpuvm_imm_report_none();
}

bool drm_gpuvm_imm_has_kind(const struct drm_gpuvm_imm_type *type,
			    const struct drm_gem_object *obj);

/* drm_gpuvm_imm_debugfs.c */
#ifdef CONFIG_DEBUG_FS
void drm_gpuvm_imm_debugfs_init(void);
void drm_gpuvm_imm_debugfs_exit(void);
#if IS_ENABLED(CONFIG_KUNIT)
extern const struct seq_operations drm_gpuvm_imm_sops;
void drm_gpuvm_imm_show(struct seq_file *m, struct drm_gpuvm_imm *vm);
#endif
#else
static inline void drm_gpuvm_imm_debugfs_init(void) { }
static inline void drm_gpuvm_imm_debugfs_exit(void) { }
#endif

/* For functions that look at mappings */
void drm_gpuvm_imm_assert_readable(const struct drm_gpuvm_imm *vm);

#endif /* _DRM_GPUVM_IMM_INTERNAL_H */
