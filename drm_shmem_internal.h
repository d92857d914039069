/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Internals that the files of the GEM shmem part share. Drivers do not include this.
 */
#ifndef _DRM_SHMEM_INTERNAL_H
#define _DRM_SHMEM_INTERNAL_H

#include <linux/dma-resv.h>
#include <linux/mm.h>
#include <linux/mm_types.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "drm_gem_internal.h"
#include "drm_shmem_safe.h"

void __drm_shmem_relist(struct drm_shmem_obj *obj) __must_hold(drm_resv);

/* @gem is an object of the library: its funcs, vm_ops or dma-buf operations are the library's. */
static inline struct drm_shmem_obj *to_drm_shmem_obj(struct drm_gem_object *gem)
{
	return container_of(gem, struct drm_shmem_obj, base.base);
}

/*
 * A device may have written to the pinned pages, which the kernel does not notice. Reclaim would
 * drop shmem pages that look clean, so mark the pages dirty.
 */
static inline void drm_shmem_unpin_locked(struct drm_shmem_obj *obj)
	__must_hold(drm_resv)
{
	obj->base.pages_mark_dirty_on_put = true;
	drm_gem_shmem_unpin_locked(&obj->base);
	__drm_shmem_relist(obj);
}

/* A purged object has lost its contents and can never be mapped again. */
static inline int drm_shmem_check_purged(const struct drm_shmem_obj *obj)
	__must_hold(drm_resv)
{
	return drm_shmem_is_purged(obj) ? -ENODATA : 0;
}

/*
 * An object that is larger than memory cannot get pages, because it needs all of them at the
 * same time. The core would first allocate an array for them, whose size depends on the client,
 * and a failure of that allocation would be logged.
 */
static inline int drm_shmem_check_large(const struct drm_shmem_obj *obj)
{
	if (drm_gem_is_imported(&obj->base.base))
		return 0;
	return obj->base.base.size >> PAGE_SHIFT > totalram_pages() ? -ENOMEM : 0;
}

/* Checks whether an object may get its pages. */
static inline int drm_shmem_check_fillable(const struct drm_shmem_obj *obj)
	__must_hold(drm_resv)
{
	return drm_shmem_check_purged(obj) ?: drm_shmem_check_large(obj);
}

/* A mapping without an address counts as a failure, as in drm_gem_vmap(). */
static inline int drm_shmem_check_map(struct drm_gem_object *gem, const struct iosys_map *map)
	__must_hold(drm_resv)
{
	if (!iosys_map_is_null(map))
		return 0;
#ifndef dma_buf_vmap_refuses_null
	if (drm_gem_is_imported(gem))
		drm_dma_buf_forget_null_map(gem->import_attach->dmabuf);
#endif
	return -ENOMEM;
}

/* An incomplete object has an internal type, whose steps refuse whatever they can. */
static inline const struct drm_shmem_obj_type *
drm_shmem_obj_type(const struct drm_shmem_obj *obj)
{
	return container_of(obj->base.base.funcs, struct drm_shmem_obj_type, funcs);
}

/* The steps that a type may leave out */
static inline void drm_shmem_step_fini(struct drm_shmem_obj *obj)
{
	const struct drm_shmem_obj_type *type = drm_shmem_obj_type(obj);

	if (type->fini)
		type->fini(obj);
}

static inline void drm_shmem_step_sgt_revoked(struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	const struct drm_shmem_obj_type *type = drm_shmem_obj_type(obj);

	if (type->sgt_revoked)
		type->sgt_revoked(obj);
}

static inline void drm_shmem_step_moved(struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	const struct drm_shmem_obj_type *type = drm_shmem_obj_type(obj);

	if (type->moved)
		type->moved(obj);
}

static inline int drm_shmem_step_evict(struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	const struct drm_shmem_obj_type *type = drm_shmem_obj_type(obj);

	return type->evict ? type->evict(obj) : 0;
}

/*
 * Records each handle of an object with the stack that made it, for debugfs and for
 * reports. If there is no memory for the record, the handle is only counted.
 */
#ifdef CONFIG_DRM_SAFE_DEBUG
static inline void drm_shmem_debug_init(struct drm_shmem_obj *obj,
					const struct drm_shmem_obj_type *type)
{
	obj->__type = type;
	ref_tracker_dir_init(&obj->__handles, 0, "drm_shmem");
}

static inline void drm_shmem_debug_fini(struct drm_shmem_obj *obj)
{
	ref_tracker_dir_exit(&obj->__handles);
}

static inline void drm_shmem_debug_print(struct drm_shmem_obj *obj)
{
	ref_tracker_dir_print(&obj->__handles, 16);
}
#else
static inline void drm_shmem_debug_init(struct drm_shmem_obj *obj,
					const struct drm_shmem_obj_type *type) { }
static inline void drm_shmem_debug_fini(struct drm_shmem_obj *obj) { }
static inline void drm_shmem_debug_print(struct drm_shmem_obj *obj) { }
#endif

bool __drm_shmem_wait_some(struct dma_fence *fence, bool intr, long time) __must_check;
int __drm_shmem_wait_how(struct dma_resv *resv, enum dma_resv_usage usage, bool intr) __must_check;
int __drm_shmem_wait(struct dma_resv *resv, enum dma_resv_usage usage) __must_check;
bool __drm_shmem_again(struct drm_device *drm, int *ret) __must_check;
bool __drm_shmem_sgt_again(struct drm_device *drm, struct sg_table **sgt) __must_check;

/*
 * Returns the contexts of an object's device. The device has contexts if the object has,
 * or had, a table of its own: drm_dev_ctx_revocable_add() checks that.
 */
static inline struct drm_dev_ctx *__drm_shmem_ctx(const struct drm_shmem_obj *obj)
{
	return to_drm_dev_ctx(obj->base.base.dev);
}

/*
 * Whether the object has a table whose memory has moved. Unlocked, unless the caller holds the
 * reservation lock.
 */
static inline bool __drm_shmem_sgt_is_stale(const struct drm_shmem_obj *obj)
{
	return (READ_ONCE(obj->__flags) & __DRM_SHMEM_STALE) && drm_shmem_has_sgt(obj);
}

int drm_shmem_check_published(struct drm_gem_object *gem) __must_check;

void __drm_shmem_place(struct drm_shmem_obj *obj, bool dma32);
unsigned int __drm_shmem_own_max_segment(struct drm_device *drm);

/* Whether there was a dma-buf with the driver's own operations. The object is not evicted. */
static inline bool __drm_shmem_is_foreign(const struct drm_shmem_obj *obj)
{
	return atomic_read(&obj->__dma_bufs) & __DRM_SHMEM_FOREIGN;
}

/* Returns how many pins the sg table and the mappings of userspace have. */
static inline unsigned int drm_shmem_own_pins(const struct drm_shmem_obj *obj)
{
	return drm_shmem_has_sgt(obj) + !!(obj->__flags & __DRM_SHMEM_FAULTED);
}

/* Returns how many tables have importers that can be asked to give them back. */
static inline unsigned int __drm_shmem_told(const struct drm_shmem_obj *obj)
	__must_hold(drm_resv)
{
	return (atomic_read(&obj->__dma_bufs) >> __DRM_SHMEM_TOLD_SHIFT) & __DRM_SHMEM_TOLD_MASK;
}

/* Returns whether the object stays pinned even if all importers that can be notified unmap it. */
static inline bool __drm_shmem_stays_pinned(const struct drm_shmem_obj *obj)
	__must_hold(drm_resv)
{
	return drm_gem_shmem_pins(&obj->base) > drm_shmem_own_pins(obj) + __drm_shmem_told(obj);
}

/*
 * Takes the lock for a call about the pages of an object. The pages of an import belong to the
 * exporter.
 */
static inline int drm_shmem_lock_own(struct drm_gem_object *gem, enum drm_resv_how how)
	__cond_acquires(0, drm_resv)
	__context_unsafe("see drm_resv_lock_how()")
{
	return drm_gem_is_imported(gem) ? -EOPNOTSUPP : drm_gem_resv_lock_call(gem, how);
}

static inline unsigned long drm_shmem_pages(const struct drm_gem_object *gem)
{
	return gem->size >> PAGE_SHIFT;
}

bool __drm_shmem_check_shrinker(struct drm_gem_object *gem,
				const struct drm_shmem_shrinker *shrinker);
struct drm_shmem_shrinker *__drm_shmem_listed_by(const struct drm_shmem_obj *obj)
	__must_hold(drm_resv);
bool __drm_shmem_is_evictable(const struct drm_shmem_obj *obj);
void __drm_shmem_list(struct drm_shmem_obj *obj, struct drm_shmem_shrinker *s)
	__must_hold(drm_resv);
bool __drm_shmem_try_relist(struct drm_shmem_obj *obj);
void __drm_shmem_leave_lru(struct drm_shmem_obj *obj);
void __drm_shmem_lru_move_locked(struct drm_gem_object *gem, struct __drm_shmem_lru *to);
enum __drm_shmem_list __drm_shmem_belongs(struct drm_shmem_obj *obj,
					  const struct drm_shmem_shrinker *s)
	__must_hold(drm_resv);

/* The workqueues. Work that waits for different things is on different queues. */
enum __drm_shmem_queue {
	__DRM_SHMEM_FENCES,		/* jobs of other drivers */
	__DRM_SHMEM_ENDS,		/* no other driver: the end of objects */
	__DRM_SHMEM_LOCKS,		/* reservation locks that other drivers hold */
	__DRM_SHMEM_QUEUES,
};

int __drm_shmem_work_init(void) __must_check;
void __drm_shmem_work_exit(void);
bool __drm_shmem_queue(enum __drm_shmem_queue queue, struct work_struct *work);

struct drm_shmem_late {
	struct work_struct work;
	struct drm_gem_object *gem;
	void (*locked)(struct drm_shmem_late *late) __must_hold(drm_resv);
};

bool __drm_shmem_late(struct drm_shmem_late *late, struct drm_gem_object *gem,
		      void (*locked)(struct drm_shmem_late *late)) __must_check;
bool __drm_shmem_lock_unless_killed(struct drm_gem_object *gem)
	__must_check __cond_acquires(true, drm_resv);

struct module *drm_shmem_owner(const struct drm_device *drm);

#if IS_ENABLED(CONFIG_KUNIT)
bool drm_shmem_has_dma32(void);
void drm_shmem_flush_work(void);
enum __drm_shmem_list drm_shmem_right_list(const struct drm_shmem_obj *obj) __must_hold(drm_resv);
#endif

/* Kernel mappings */
int __drm_shmem_vmap(struct drm_gem_object *gem,
		     int (*vmap)(struct drm_gem_object *gem, struct iosys_map *map),
		     struct iosys_map *map) __must_check __must_hold(drm_resv);

/* Tables */
struct sg_table *__drm_shmem_sgt_alloc(struct drm_shmem_obj *obj, unsigned int max_segment)
	__must_check;
struct sg_table *__drm_shmem_sgt_use(struct drm_shmem_obj *obj) __must_check;
void __drm_shmem_sgt_unuse(struct drm_shmem_obj *obj);
int __drm_shmem_sgt_adopt(const struct drm_dev_ctx_bound *bound, struct drm_shmem_obj *obj,
			  struct sg_table *sgt);
void __drm_shmem_sgt_disown(struct drm_shmem_obj *obj);
bool __drm_shmem_sgt_take(struct drm_shmem_obj *obj) __must_check;
void __drm_shmem_sgt_destroy(struct drm_shmem_obj *obj) __must_hold(drm_resv);
int __drm_shmem_sgt_reclaim(struct drm_shmem_obj *obj) __must_hold(drm_resv);
bool __drm_shmem_sgt_moved(struct drm_shmem_obj *obj) __must_check __must_hold(drm_resv);
void __drm_shmem_sgt_left(struct drm_shmem_obj *obj) __drm_nonallocating;
int __drm_shmem_sgt_unmap_stale(struct drm_shmem_obj *obj) __must_hold(drm_resv);

struct dma_buf_attachment *__drm_shmem_follow_attach(struct dma_buf *dma_buf,
						     struct drm_shmem_obj *obj)
	__must_check __must_not_hold(drm_resv);
void __drm_shmem_follow_forget(struct dma_buf_attachment *attach);

/* Userspace mappings and exports */
void __drm_shmem_mmap_zap(struct drm_shmem_obj *obj) __must_hold(drm_resv);
void __drm_shmem_mmap_unpopulate(struct drm_shmem_obj *obj) __must_hold(drm_resv);

struct drm_shmem_exported;
struct drm_shmem_exported *__drm_shmem_exports_alloc(void) __must_check;
void __drm_shmem_exports_add(struct drm_shmem_exported *exported, struct drm_gem_object *gem,
			     struct dma_buf *dma_buf);
void __drm_shmem_exports_relist(struct drm_shmem_exported *exported, struct drm_gem_object *gem);
void __drm_shmem_exports_end(const struct dma_buf *dma_buf);
void __drm_shmem_exports_invalidate(struct drm_shmem_obj *obj) __must_hold(drm_resv);
int __drm_shmem_dma_buf_attach(struct dma_buf *dma_buf, struct dma_buf_attachment *attach);
void __drm_shmem_dma_buf_detach(struct dma_buf *dma_buf, struct dma_buf_attachment *attach);
int __drm_shmem_dma_buf_pin(struct dma_buf_attachment *attach) __must_hold(drm_resv);
void __drm_shmem_dma_buf_unpin(struct dma_buf_attachment *attach) __must_hold(drm_resv);
struct sg_table *__drm_shmem_dma_buf_map(struct dma_buf_attachment *attach,
					 enum dma_data_direction dir) __must_hold(drm_resv);
void __drm_shmem_dma_buf_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			       enum dma_data_direction dir) __must_hold(drm_resv);

struct sg_table *__drm_shmem_sync_map(struct dma_buf_attachment *attach,
				      enum dma_data_direction dir)
	__must_check __must_hold(drm_resv);
void __drm_shmem_sync_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			    enum dma_data_direction dir) __must_hold(drm_resv);
void __drm_shmem_sync_attached(struct dma_buf_attachment *attach, enum dma_data_direction dir,
			       bool to_device) __must_hold(drm_resv);
void __drm_shmem_exports_sync(struct drm_shmem_obj *obj, enum dma_data_direction dir,
			      bool to_device) __must_hold(drm_resv);
int __drm_shmem_export_begin(struct dma_buf *dma_buf, enum dma_data_direction dir)
	__must_check __must_not_hold(drm_resv);
int __drm_shmem_export_end(struct dma_buf *dma_buf, enum dma_data_direction dir)
	__must_check __must_not_hold(drm_resv);

#if IS_ENABLED(CONFIG_KUNIT)
void drm_shmem_dma_sync_table(struct device *dev, struct sg_table *sgt,
			      enum dma_data_direction dir, bool to_device);
void drm_shmem_dma_sync_piece(struct device *dev, dma_addr_t addr, size_t len,
			      enum dma_data_direction dir, bool to_device);
void drm_shmem_sync_pieces(struct device *dev, struct sg_table *sgt, u64 offset, u64 len,
			   enum dma_data_direction dir, bool to_device);
bool drm_shmem_pmd_fits(const struct vm_fault *vmf, phys_addr_t phys);
vm_fault_t drm_shmem_any_fault(struct vm_fault *vmf, unsigned int order);
#endif

/* Eviction */
int __drm_shmem_purge_locked(struct drm_shmem_obj *obj) __must_hold(drm_resv);
int __drm_shmem_evict_locked(struct drm_shmem_obj *obj) __must_hold(drm_resv);
void __drm_shmem_reclaim_init(void);
void __drm_shmem_reclaim_exit(void);

#if IS_ENABLED(CONFIG_KUNIT)
void drm_shmem_driver_goes(const struct module *owner);
bool drm_shmem_can_swap(void);
#endif

/* Objects */
void __drm_shmem_finish(struct drm_shmem_obj *obj);
struct drm_shmem_put_off *__drm_shmem_forgotten(const struct drm_shmem_obj *obj) __must_check;
void __drm_shmem_released(struct drm_shmem_obj *obj, struct drm_shmem_put_off *later);
int drm_shmem_export_check(struct drm_gem_object *gem) __must_check;

struct drm_gem_object *__drm_shmem_prime_own(struct drm_device *drm, struct dma_buf *dma_buf);
void __drm_shmem_prime_taken(struct dma_buf_attachment *attach);
struct dma_buf_attachment *__drm_shmem_prime_attach(struct drm_device *drm,
						    struct dma_buf *dma_buf,
						    struct drm_shmem_obj *follows)
	__must_check __must_not_hold(drm_resv);
void __drm_shmem_prime_detach(struct dma_buf_attachment *attach) __must_not_hold(drm_resv);
void __drm_shmem_prime_end(struct drm_shmem_obj *obj, struct dma_buf_attachment *attach,
			   struct sg_table *sgt, struct drm_dev_ctx *ctx);

/* drm_shmem_list.c */
#ifdef CONFIG_DEBUG_FS
void __drm_shmem_show(struct drm_shmem_obj *obj);
void __drm_shmem_hide(struct drm_shmem_obj *obj);
void __drm_shmem_free_row(struct drm_shmem_obj *obj);
void __drm_shmem_list_init(void);
void __drm_shmem_list_exit(void);
#else
static inline void __drm_shmem_free_row(struct drm_shmem_obj *obj) { }
static inline void __drm_shmem_show(struct drm_shmem_obj *obj) { }
static inline void __drm_shmem_hide(struct drm_shmem_obj *obj) { }
static inline void __drm_shmem_list_init(void) { }
static inline void __drm_shmem_list_exit(void) { }
#endif

/* For tests of the list of objects */
#if IS_ENABLED(CONFIG_KUNIT)
int drm_shmem_list_show(struct seq_file *m, void *data);
#endif

#endif /* _DRM_SHMEM_INTERNAL_H */
