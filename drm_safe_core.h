/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _DRM_SAFE_CORE_H
/*
 * Core internals that the library touches, each in one small function. The
 * comment names the core change that makes the function unnecessary. Where
 * scripts/coccinelle/core has that change, the changed core defines a macro, and the
 * function is not compiled. scripts/style.sh finds internals in other files.
 */
#define _DRM_SAFE_CORE_H

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/list.h>
#include <linux/poison.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>

#include <drm/drm_device.h>
#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_gpuvm.h>
#include <drm/drm_print.h>

#include "drm_safe_context.h"

/*
 * Whether the caller holds a reservation lock. dma_resv_is_locked() cannot tell
 * the caller from another task, and lockdep_is_held() needs lockdep. Goes when
 * ww_mutex has a function for it.
 *
 * Unlocked read of the owner: only this task sets it to @current, apart from an unlocker
 * that hands the lock over to this task while it waits. While @current is the owner, only
 * this task changes it.
 */
static inline bool drm_resv_is_held(struct dma_resv *resv)
{
#ifdef CONFIG_PREEMPT_RT
	return rt_mutex_owner(&resv->lock.base.rtmutex) == current;
#else
	/* The low bits are flags: MUTEX_FLAGS of kernel/locking/mutex.h. */
	return (atomic_long_read(&resv->lock.base.owner) & ~7L) == (long)current;
#endif
}

/*
 * Another task may have to run, for the sake of what a pending signal keeps this one from
 * waiting for. Return: false if the task was killed, and has to give up.
 */
static inline bool drm_resv_try_again(void)
{
	if (fatal_signal_pending(current))
		return false;
	schedule_timeout_killable(1);
	return true;
}

/* How a call gets a reservation lock */
enum drm_resv_how {
	DRM_RESV_LOCKS,
	DRM_RESV_LOCKS_INTERRUPTIBLE,	/* a signal ends the wait */
	DRM_RESV_LOCKS_KILLABLE,	/* the end of the task does */
	DRM_RESV_LOCKED,		/* the caller holds it */
};

static inline enum drm_resv_how drm_resv_how(bool locked)
{
	return locked ? DRM_RESV_LOCKED : DRM_RESV_LOCKS;
}

/*
 * Lock a reservation object, without a context. The loop goes when ww_mutex waits in any
 * task state, as struct mutex does.
 *
 * Return: 0, or -EINTR if the wait ended early.
 */
static inline int drm_resv_lock_how(struct dma_resv *resv, enum drm_resv_how how)
	__cond_acquires(0, drm_resv)
	__context_unsafe("the analysis knows what the caller holds by the call's name")
{
	int ret;

	if (how == DRM_RESV_LOCKED)
		return 0;
	if (how == DRM_RESV_LOCKS)
		return dma_resv_lock(resv, NULL);
	do {
		ret = dma_resv_lock_interruptible(resv, NULL);
	} while (ret && how == DRM_RESV_LOCKS_KILLABLE && drm_resv_try_again());
	return ret;
}

/*
 * Forget a mapping without an address, which an exporter passed off as a success:
 * dma_buf_vmap() counts it, and both dma_buf_vunmap() and the next dma_buf_vmap() hit a
 * BUG_ON(). Goes when dma_buf_vmap() returns -ENOMEM for it.
 */
static inline void drm_dma_buf_forget_null_map(struct dma_buf *dma_buf)
{
#ifndef dma_buf_vmap_refuses_null
	dma_resv_assert_held(dma_buf->resv);
	if (dma_buf->vmapping_counter && iosys_map_is_null(&dma_buf->vmap_ptr))
		dma_buf->vmapping_counter = 0;
#endif
}

#ifndef drm_dev_is_unregistered
/*
 * Whether a device is not registered, or not any more. Marked: another task may be in
 * drm_dev_unregister(), which is reported. Goes when the core publishes the member.
 */
static inline bool drm_dev_is_unregistered(const struct drm_device *drm)
{
	return !READ_ONCE(drm->registered);
}
#endif

/*
 * The lockdep class of a work item, which INIT_DELAYED_WORK() takes from its own place in the
 * source. Goes when the workqueues have an initialiser that takes name and key.
 */
static inline void drm_work_set_class(struct work_struct *work, const char *name,
				      struct lock_class_key *key)
{
#ifdef CONFIG_LOCKDEP
	lockdep_init_map(&work->lockdep_map, name, key, 0);
#endif
}

/*
 * Gives a device that nobody else has yet another driver, which differs in callbacks only, as
 * rust/kernel/drm/device.rs does. Goes when __drm_dev_alloc() leaves &drm_driver.release alone
 * until its caller says that the device is complete.
 */
static inline void drm_dev_set_driver(struct drm_device *drm, const struct drm_driver *driver)
{
	drm->driver = driver;
}

/*
 * Prepare a device that was unregistered before for another drm_dev_unregister(). That
 * function deletes the device from the core's sysrq list each time, and deleting it twice
 * corrupts the list. So add the entry to @own, a list of the caller's, for the second call
 * to delete it from there. The first call poisoned the entry: it is on no list, and needs no
 * lock. Without CONFIG_DRM_CLIENT, or while the first call has not deleted the entry, this
 * does nothing. Goes when drm_client_sysrq_unregister() ignores a device that is on no list.
 */
static inline void drm_dev_relist_sysrq(struct drm_device *drm, struct list_head *own)
{
#ifndef drm_client_sysrq_unregister_again
	if (READ_ONCE(drm->client_sysrq_list.next) == LIST_POISON1)
		list_add(&drm->client_sysrq_list, own);
#endif
}

#ifndef drm_resv_might_lock
/* Tell lockdep that a call may take a reservation lock. Goes when dma_resv has it. */
#define drm_resv_might_lock(_resv)	might_lock(&(_resv)->lock.base)
#endif

#ifndef drm_gem_object_get_unless_zero
/*
 * The references of a GEM object. A scan and a revocation meet objects whose last reference
 * is gone. Both go when the core has functions for it.
 */
static inline bool drm_gem_object_has_refs(const struct drm_gem_object *gem)
{
	return kref_read(&gem->refcount);
}

static inline bool drm_gem_object_get_unless_zero(struct drm_gem_object *gem)
{
	return kref_get_unless_zero(&gem->refcount);
}
#endif

#ifndef drm_gem_object_put_and_test
/*
 * Put a reference to an object, without freeing the object. Return: true if that was the
 * last reference: the caller calls drm_gem_object_free_dead(). Goes when drm_gem_lru_scan() has
 * last references put where waiting is allowed.
 */
static inline void __drm_gem_object_stays(struct kref *ref)
{
}

static inline bool drm_gem_object_put_and_test(struct drm_gem_object *gem)
{
	return kref_put(&gem->refcount, __drm_gem_object_stays);
}

static inline void drm_gem_object_free_dead(struct drm_gem_object *gem)
{
	drm_gem_object_free(&gem->refcount);
}
#endif

/*
 * Give an object that is not to be freed a reference that nobody has. Goes when
 * &drm_gem_object_funcs.free can refuse.
 */
static inline void drm_gem_object_revive(struct drm_gem_object *gem)
{
	kref_init(&gem->refcount);
}

/*
 * Whether an object has more than one handle, or a name. Unlocked, so for callers to whom
 * that cannot change. Goes when drm_gem_object_is_shared_for_memory_stats() knows names.
 */
static inline bool drm_gem_object_is_named_twice(const struct drm_gem_object *gem)
{
	return READ_ONCE(gem->handle_count) > 1 || READ_ONCE(gem->name);
}

/* The object whose reservation lock @gem shares, or NULL. Goes when the core counts it. */
static inline struct drm_gem_object *drm_gem_resv_owner(const struct drm_gem_object *gem)
{
	if (gem->resv == &gem->_resv)
		return NULL;
	return container_of(gem->resv, struct drm_gem_object, _resv);
}

/* Have an object lock itself with the lock that it has for itself. As above. */
static inline void drm_gem_unshare_resv(struct drm_gem_object *gem)
{
	gem->resv = &gem->_resv;
}

/*
 * Lock an object that is freed, with the lock that it has for itself. Nobody else has
 * the object, so that this waits for nothing: the caller may hold the reservation locks of
 * other objects. Goes when drm_gem_shmem_release() waits for no lock.
 *
 * Return: the lock that the object has instead, for drm_gem_unlock_freed().
 */
static inline struct dma_resv *drm_gem_lock_freed(struct drm_gem_object *gem)
	__acquires(drm_resv) __context_unsafe("a lock that is tried, and taken")
{
	struct dma_resv *shared = gem->resv;

	drm_gem_unshare_resv(gem);
	drm_WARN_ON(gem->dev, !dma_resv_trylock(gem->resv));
	return shared;
}

static inline void drm_gem_unlock_freed(struct drm_gem_object *gem, struct dma_resv *shared)
	__releases(drm_resv)
{
	dma_resv_unlock(gem->resv);
	gem->resv = shared;
}

/*
 * The core's own mapping of an object, of a client in the kernel, or NULL. Unlocked, for
 * drm_panic: the mapping stays for as long as the framebuffer is on a plane. Goes when the core
 * has a function for get_scanout_buffer.
 */
static inline void *drm_gem_shmem_vaddr(const struct drm_gem_shmem_object *shmem)
{
	return READ_ONCE(shmem->vaddr);
}

/* drm_gem_shmem_release() for an object of its own pages, under drm_gem_lock_freed() */
static inline void drm_gem_shmem_release_freed(struct drm_gem_shmem_object *shmem)
	__context_unsafe("see drm_gem_lock_freed()")
{
#ifdef drm_gem_shmem_release_tries
	drm_gem_unshare_resv(&shmem->base);
	drm_gem_shmem_release(shmem);
#else
	struct drm_gem_object *gem = &shmem->base;

	drm_gem_lock_freed(gem);
	drm_WARN_ON(gem->dev, refcount_read(&shmem->vmap_use_count));
	if (shmem->pages)
		drm_gem_shmem_put_pages_locked(shmem);
	drm_WARN_ON(gem->dev, refcount_read(&shmem->pages_use_count));
	drm_WARN_ON(gem->dev, refcount_read(&shmem->pages_pin_count));
	dma_resv_unlock(gem->resv);

	drm_gem_object_release(gem);
#endif
}

#ifndef drm_gem_shmem_pins
/*
 * How many pins and how many users the pages of an object have. The caller holds the
 * reservation lock. Go when the core tells.
 */
static inline unsigned int drm_gem_shmem_pins(const struct drm_gem_shmem_object *shmem)
{
	return refcount_read(&shmem->pages_pin_count);
}

static inline unsigned int drm_gem_shmem_page_users(const struct drm_gem_shmem_object *shmem)
{
	return refcount_read(&shmem->pages_use_count);
}
#endif

#ifndef drm_gem_shmem_purge_backing
/*
 * The last part of drm_gem_shmem_purge_locked(), for an object that has no table of the core
 * and no pages any more. Goes when the core has this part for itself.
 */
static inline void drm_gem_shmem_purge_backing(struct drm_gem_shmem_object *shmem)
{
	struct inode *inode = file_inode(shmem->base.filp);

	shmem->madv = -1;
	drm_gem_free_mmap_offset(&shmem->base);
	shmem_truncate_range(inode, 0, (loff_t)-1);
	invalidate_mapping_pages(inode->i_mapping, 0, (loff_t)-1);
}
#endif

#ifndef drm_gem_has_mmap_offset
/* Whether userspace can find an object in the device's file. Goes when the core tells. */
static inline bool drm_gem_has_mmap_offset(const struct drm_gem_object *gem)
{
	return drm_mm_node_allocated(&gem->vma_node.vm_node);
}
#endif

/*
 * Take an object from userspace. drm_vma_node_unmap() takes bytes, which
 * unmap_mapping_range() cuts to 32 bits where a pgoff_t has no more: it misses an offset
 * from 4 GiB on. Goes when it takes pages.
 */
static inline void drm_gem_unmap_userspace(struct drm_gem_object *gem)
{
#ifdef drm_vma_node_unmap_pages
	drm_vma_node_unmap(&gem->vma_node, gem->dev->anon_inode->i_mapping);
#else
	unmap_mapping_pages(gem->dev->anon_inode->i_mapping, drm_vma_node_start(&gem->vma_node),
			    drm_vma_node_size(&gem->vma_node), true);
#endif
}

/*
 * The list that an object is on, and the first object of a list. drm_gem_lru_scan() puts last
 * references in memory reclaim, keeps objects off the list for so long that others look
 * for them there, and frees a list that is left behind. Go when it does not.
 */
static inline struct drm_gem_lru *drm_gem_object_lru(const struct drm_gem_object *gem)
{
	guard(mutex)(&gem->dev->gem_lru_mutex);
	return gem->lru;
}

static inline struct drm_gem_object *drm_gem_lru_first_locked(struct drm_gem_lru *lru)
{
	return list_first_entry_or_null(&lru->list, struct drm_gem_object, lru_node);
}

/* A list of VAs that are in no tree. Goes when struct drm_gpuva has a link for the driver. */
#define drm_gpuva_link_entry	rb.entry

#ifndef drm_gpuvm_reserved
/* What drm_gpuvm_init() was told to reserve. Goes when the core has a function for it. */
static inline const struct drm_gpuva *drm_gpuvm_reserved(const struct drm_gpuvm *gpuvm)
{
	return &gpuvm->kernel_alloc_node;
}
#endif

#ifndef drm_gpuvm_put_unless_last
/*
 * Put a reference to an address space in the fence signalling path: unless it is the last
 * one; or where the caller knows that there is another. Go when the core has functions for it.
 *
 * Return: whether the reference was put.
 */
static inline bool drm_gpuvm_put_unless_last(struct drm_gpuvm *gpuvm)
{
	return refcount_dec_not_one(&gpuvm->kref.refcount);
}

static inline void drm_gpuvm_put_not_last(struct drm_gpuvm *gpuvm)
{
	refcount_dec(&gpuvm->kref.refcount);
}
#endif

#ifndef drm_gpuvm_has_deferred
/* Whether drm_gpuvm_bo_deferred_cleanup() has something to do. Goes when the core tells. */
static inline bool drm_gpuvm_has_deferred(const struct drm_gpuvm *gpuvm)
{
	return !llist_empty(&gpuvm->bo_defer);
}
#endif

#ifndef drm_gpuvm_bo_uncreate
/*
 * Undo drm_gpuvm_bo_create(): the vm_bo is in no list, and nobody else's. Goes when
 * drm_gpuvm_bo_destroy_not_in_lists() is exported.
 */
static inline void drm_gpuvm_bo_uncreate(struct drm_gpuvm_bo *vm_bo)
{
	drm_gem_object_put(vm_bo->obj);
	drm_gpuvm_put(vm_bo->vm);
	kfree(vm_bo);
}
#endif

#ifndef drm_gpuvm_bo_is_extobj
/* Whether drm_gpuvm_bo_extobj_add() has been called. Goes when the core tells. */
static inline bool drm_gpuvm_bo_is_extobj(const struct drm_gpuvm_bo *vm_bo)
{
	return !list_empty_careful(&vm_bo->list.entry.extobj);
}
#endif

#ifndef drm_gpuva_link_owned
/*
 * As drm_gpuva_link(), for a VA that has a reference to its vm_bo already. Goes when the core
 * has it.
 */
static inline void drm_gpuva_link_owned(struct drm_gpuva *va)
{
	list_add_tail(&va->gem.entry, &va->vm_bo->list.gpuva);
}
#endif

#ifndef drm_gpuvm_bo_first_va
/* The mappings of a vm_bo, one by one. Go when the core has them. */
static inline struct drm_gpuva *drm_gpuvm_bo_first_va(struct drm_gpuvm_bo *vm_bo)
{
	return list_first_entry_or_null(&vm_bo->list.gpuva, struct drm_gpuva, gem.entry);
}

static inline const struct drm_gpuva *drm_gpuvm_bo_next_va(const struct drm_gpuva *va)
{
	if (list_is_last(&va->gem.entry, &va->vm_bo->list.gpuva))
		return NULL;
	return list_next_entry(va, gem.entry);
}
#endif

#endif /* _DRM_SAFE_CORE_H */
