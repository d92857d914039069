/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _DRM_SAFE_CORE_H
/*
 * Core internals that the library touches, each in one small function. A change of the DRM core can
 * replace each function. "Goes when ...: name.cocci" in a comment names this change, a semantic
 * patch in scripts/coccinelle/core. A core with the change defines a macro that disables the
 * function here. scripts/layers.py finds internals in other files, and functions in this file
 * without a semantic patch.
 */
#define _DRM_SAFE_CORE_H

#include <linux/dcache.h>
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/lockref.h>
#include <linux/mutex.h>
#include <linux/pagemap.h>
#include <linux/poison.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/workqueue.h>
#include <linux/ww_mutex.h>

#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_gpuvm.h>
#include <drm/drm_print.h>

#include "drm_safe_context.h"
#include "drm_safe_effects.h"
#include "drm_safe_resv.h"

struct drm_dev_ctx;

#ifdef dma_resv_held_by_current
#define drm_mutex_is_held mutex_held_by_current
#define drm_resv_is_held dma_resv_held_by_current
#else
/*
 * Returns whether the caller holds a mutex, or the mutex in a ww_mutex. mutex_is_locked() and
 * dma_resv_is_locked() cannot tell the caller from another task, and lockdep_is_held() needs
 * lockdep. Goes, with the two functions below, when mutex and ww_mutex have a function for it:
 * held.cocci.
 *
 * The unlocked read of the owner is safe. Only this task makes itself the owner, apart from an
 * unlocking task that hands the lock over while this task waits. While this task is the owner, no
 * other task changes the owner.
 */
#ifdef CONFIG_PREEMPT_RT
#define drm_lock_is_held(_lock)	(rt_mutex_owner(&(_lock)->rtmutex) == current)
#else
/* The low bits are flags: MUTEX_FLAGS of kernel/locking/mutex.h. Goes with held.cocci. */
#define drm_lock_is_held(_lock)	((atomic_long_read(&(_lock)->owner) & ~7L) == (long)current)
#endif

/* Return whether the caller holds a lock. Both go with drm_lock_is_held(): held.cocci. */
static inline bool drm_mutex_is_held(struct mutex *lock)
{
	return drm_lock_is_held(lock);
}

static inline bool drm_resv_is_held(struct dma_resv *resv)
{
	return drm_lock_is_held(&resv->lock.base);
}
#endif

#ifndef dma_buf_vmap_refuses_null
/*
 * Forgets a mapping without an address that an exporter returned as a success:
 * dma_buf_vmap() counts it, and both dma_buf_vunmap() and the next dma_buf_vmap() hit a
 * BUG_ON(). Goes when dma_buf_vmap() returns -ENOMEM for such a mapping: vmap-null.cocci.
 */
static inline void drm_dma_buf_forget_null_map(struct dma_buf *dma_buf)
{
	dma_resv_assert_held(dma_buf->resv);
	if (dma_buf->vmapping_counter && iosys_map_is_null(&dma_buf->vmap_ptr))
		dma_buf->vmapping_counter = 0;
}
#endif

#ifdef dma_buf_dentry_get_unless_dead
#define drm_dma_buf_dentry dma_buf_dentry
#define drm_dma_buf_get_unless_dead dma_buf_dentry_get_unless_dead
#else
/*
 * drm_dma_buf_dentry() returns the dentry of a dma-buf, whose release also releases the dma-buf.
 * An O_PATH file can keep the dentry after &dma_buf.file was freed, so the caller must hold a
 * reference to the dma-buf. drm_dma_buf_get_unless_dead() takes a reference to a dentry unless its
 * release has begun. The caller knows that the memory of the dentry was not freed yet. Both go when
 * the core has them: dma-buf-dentry.cocci.
 */
static inline struct dentry *drm_dma_buf_dentry(const struct dma_buf *dma_buf)
{
	return dma_buf->file->f_path.dentry;
}

static inline bool drm_dma_buf_get_unless_dead(struct dentry *dentry)
{
	return lockref_get_not_dead(&dentry->d_lockref);
}
#endif

#ifndef drm_dev_is_registered
/*
 * Returns whether a device is registered. READ_ONCE(): a driver that breaks the rules may have
 * another task in drm_dev_unregister(). Goes when the core publishes the member:
 * registered.cocci.
 */
static inline bool drm_dev_is_registered(const struct drm_device *drm)
{
	return READ_ONCE(drm->registered);
}
#endif

#ifdef drm_device_ctx
/* Sets the pointer of a device to its contexts. */
static inline void drm_dev_set_ctx(struct drm_device *drm, struct drm_dev_ctx *ctx)
{
	drm->ctx = ctx;
}
#else
/*
 * Does nothing, because the library looks up its devices in a table. Goes when struct drm_device
 * has a pointer to its contexts: context.cocci.
 */
static inline void drm_dev_set_ctx(struct drm_device *drm, struct drm_dev_ctx *ctx)
{
}
#endif

#ifdef device_link_is_waited_for
#define drm_device_links_state device_links_state
#define drm_device_link_is_waited_for device_link_is_waited_for
#else
/*
 * Returns the state of a device in the driver core: being probed, bound, or being unbound, which
 * means that the core has already collected the consumers to unbind first. A link that is added to
 * a supplier in the wrong state has no effect, cannot be removed, and makes the core warn later.
 * device_link_add() accepts such a supplier, because other callers add links to suppliers that are
 * bound later. Goes when the core tells the state: links.cocci.
 */
static inline enum dl_dev_state drm_device_links_state(const struct device *dev)
{
	return READ_ONCE(dev->links.status);
}

/*
 * Returns whether the supplier of a link waits for the consumer: before it is unbound, the driver
 * core waits for the probe function of the consumer, or unbinds the consumer. Any other link can be
 * freed with the supplier, because device_link_add() returns no reference. So the caller keeps the
 * supplier bound. Goes when the core has this: links.cocci.
 */
static inline bool drm_device_link_is_waited_for(const struct device_link *link)
{
	enum device_link_state state = READ_ONCE(link->status);

	return state == DL_STATE_CONSUMER_PROBE || state == DL_STATE_ACTIVE;
}
#endif

#ifdef INIT_DELAYED_WORK_KEY
#define drm_init_delayed_work_key INIT_DELAYED_WORK_KEY
#else
/*
 * As INIT_DELAYED_WORK(), which derives the lockdep class of a work item from its place in the
 * source, but with a key. Goes when the workqueues have this: work-class.cocci.
 */
static inline void drm_init_delayed_work_key(struct delayed_work *work, work_func_t func,
					     struct lock_class_key *key)
{
	__INIT_WORK_KEY(&work->work, func, 0, key);
	__timer_init(&work->timer, delayed_work_timer_fn, TIMER_IRQSAFE);
}
#endif

#ifndef drm_dev_set_driver
/*
 * Replaces the driver of a device that no other task can reach yet. The two drivers may only
 * differ in callbacks. rust/kernel/drm/device.rs does the same. Goes when the core has this:
 * dev-driver.cocci.
 */
static inline void drm_dev_set_driver(struct drm_device *drm, const struct drm_driver *driver)
{
	drm->driver = driver;
}
#endif

#ifndef drm_client_sysrq_unregister_again
/*
 * Prepares a device that was unregistered before for another drm_dev_unregister(). That
 * function deletes the device from the core's sysrq list each time, and deleting it twice
 * corrupts the list. So this adds the entry to @own, a list of the caller, from which the
 * second call deletes it. The first call has poisoned the entry, so it is on no list, and
 * needs no lock. Without CONFIG_DRM_CLIENT, or while the first call has not deleted the
 * entry, this does nothing. Goes when drm_client_sysrq_unregister() ignores a device that is
 * on no list: sysrq.cocci.
 */
static inline void drm_dev_relist_sysrq(struct drm_device *drm, struct list_head *own)
{
	if (READ_ONCE(drm->client_sysrq_list.next) == LIST_POISON1)
		list_add(&drm->client_sysrq_list, own);
}
#endif

#ifndef drm_resv_might_lock
/* Tells lockdep that a call may take a reservation lock. Goes with resv.cocci. */
#define drm_resv_might_lock(_resv)	might_lock(&(_resv)->lock.base)
#endif

#ifndef drm_gem_object_get_unless_zero
/*
 * Access the reference count of a GEM object, because scans and revocation can find objects whose
 * last reference is gone. Both functions go when the core has them: gem-refs.cocci.
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
/* Does nothing: see drm_gem_object_put_and_test(), with which it goes. */
static inline void __drm_gem_object_stays(struct kref *ref)
{
}

/*
 * Puts a reference to an object, without freeing the object. Earlier accesses to the object are
 * ordered before it is freed: see gem-put.litmus. Return: true if that was the last reference, in
 * which case the caller calls drm_gem_object_free_dead(). Both functions go when the core has them:
 * gem-refs.cocci.
 */
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
 * Leaks an object that a driver frees while it is in use, after the mistake was reported, because
 * &drm_gem_object_funcs.free cannot refuse. The object gets a reference that is never put, so that
 * an unbind still revokes its table. Stays here: no other code may revive an object without
 * references.
 */
static inline void drm_gem_leak_freed(struct drm_gem_object *gem)
{
	kref_init(&gem->refcount);
}

#ifndef drm_gem_object_is_named_twice
/*
 * Returns whether an object has more than one handle, or a name. Unlocked, so only for
 * callers for whom the answer cannot change. Goes when the core has this: gem-names.cocci.
 */
static inline bool drm_gem_object_is_named_twice(const struct drm_gem_object *gem)
{
	return READ_ONCE(gem->handle_count) > 1 || READ_ONCE(gem->name);
}

/*
 * Returns how many handles an object has. Unlocked, for debugfs. Goes when the core has this:
 * gem-names.cocci.
 */
static inline unsigned int drm_gem_handles(const struct drm_gem_object *gem)
{
	return READ_ONCE(gem->handle_count);
}
#endif

#ifndef drm_gem_lock_freed
/*
 * Returns the object whose reservation lock @gem shares, or NULL. Goes when the core has this:
 * gem-resv.cocci.
 */
static inline struct drm_gem_object *drm_gem_resv_owner(const struct drm_gem_object *gem)
{
	if (gem->resv == &gem->_resv)
		return NULL;
	return container_of(gem->resv, struct drm_gem_object, _resv);
}

/* Makes an object use its own reservation lock. Goes with the function above: gem-resv.cocci. */
static inline void drm_gem_unshare_resv(struct drm_gem_object *gem)
{
	gem->resv = &gem->_resv;
}

/*
 * Locks an object that is being freed. This takes the object's own lock, even if the object shared
 * the lock of another object. No other task has the object, so this does not wait, and the caller
 * may hold the reservation locks of other objects. Goes when the core has this: gem-resv.cocci.
 */
static inline void drm_gem_lock_freed(struct drm_gem_object *gem)
	__acquires(drm_resv) __context_unsafe("a lock that is tried, and taken")
{
	drm_gem_unshare_resv(gem);
	drm_WARN_ON(gem->dev, !dma_resv_trylock(gem->resv));
}
#endif

#ifndef drm_gem_shmem_init_hidden
/*
 * Like drm_gem_shmem_init(), but gives the object no mmap offset. So no lookup finds the object
 * before drm_gem_create_mmap_offset(). Goes when the core has this: gem-hidden.cocci.
 */
static inline int drm_gem_shmem_init_hidden(struct drm_device *drm,
					    struct drm_gem_shmem_object *shmem, size_t size)
{
	struct drm_gem_object *gem = &shmem->base;
	int ret = drm_gem_object_init(drm, gem, size);

	if (ret) {
		drm_gem_private_object_fini(gem);
		return ret;
	}
	INIT_LIST_HEAD(&shmem->madv_list);
	/* The pages get pinned, so they must not come from the movable zone. */
	mapping_set_gfp_mask(gem->filp->f_mapping,
			     GFP_HIGHUSER | __GFP_RETRY_MAYFAIL | __GFP_NOWARN);
	return 0;
}
#endif

#ifndef drm_gem_shmem_vaddr
/*
 * Returns the core's own mapping of an object for an in-kernel client, or NULL. Unlocked, for
 * drm_panic: a mapping with users stays as long as the framebuffer is on a plane, and the core
 * drops the count to zero before it unmaps. Goes when the core has this: shmem-counts.cocci.
 */
static inline void *drm_gem_shmem_vaddr(const struct drm_gem_shmem_object *shmem)
{
	return refcount_read(&shmem->vmap_use_count) ? READ_ONCE(shmem->vaddr) : NULL;
}
#endif

#ifdef drm_gem_shmem_release_tries
/* Does nothing: drm_gem_shmem_release() does all of it. */
static inline void drm_gem_shmem_release_locked(struct drm_gem_shmem_object *shmem)
	__must_hold(drm_resv)
{
}

#define drm_gem_shmem_release_unlocked drm_gem_shmem_release
#else
/*
 * Together do the work of drm_gem_shmem_release() for an object with its own pages. The first part
 * runs under the lock of drm_gem_lock_freed(), which the caller needs anyway: taking the lock twice
 * would double the cost. Both go when drm_gem_shmem_release() waits for no lock:
 * shmem-release.cocci.
 */
static inline void drm_gem_shmem_release_locked(struct drm_gem_shmem_object *shmem)
	__must_hold(drm_resv)
{
	struct drm_gem_object *gem = &shmem->base;

	drm_WARN_ON(gem->dev, refcount_read(&shmem->vmap_use_count));
	if (shmem->pages)
		drm_gem_shmem_put_pages_locked(shmem);
	drm_WARN_ON(gem->dev, refcount_read(&shmem->pages_use_count));
	drm_WARN_ON(gem->dev, refcount_read(&shmem->pages_pin_count));
}

static inline void drm_gem_shmem_release_unlocked(struct drm_gem_shmem_object *shmem)
{
	drm_gem_object_release(&shmem->base);
}
#endif

#ifndef drm_gem_shmem_pins
/*
 * Return how many pins and how many users the pages of an object have. The caller holds
 * the reservation lock. Both go when the core has them: shmem-counts.cocci.
 */
static inline unsigned int drm_gem_shmem_pins(const struct drm_gem_shmem_object *shmem)
{
	dma_resv_assert_held(shmem->base.resv);
	return refcount_read(&shmem->pages_pin_count);
}

static inline unsigned int drm_gem_shmem_page_users(const struct drm_gem_shmem_object *shmem)
{
	dma_resv_assert_held(shmem->base.resv);
	return refcount_read(&shmem->pages_use_count);
}
#endif

#ifndef drm_gem_shmem_purge_backing
/*
 * Does the last part of drm_gem_shmem_purge_locked(), for an object that has no pages any more and
 * no sg table from the core. Goes when the core has a separate function for this part:
 * shmem-counts.cocci.
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

#ifdef drm_gem_huge_mnt_create_undoes
#define drm_gem_create_huge_mnt drm_gem_huge_mnt_create
#else
/*
 * Like drm_gem_huge_mnt_create(), but resets the mount on failure. The core's function leaves an
 * error pointer or a freed mount behind, which each later object then uses. Goes when that function
 * no longer does this: huge-mnt.cocci.
 */
static inline int drm_gem_create_huge_mnt(struct drm_device *drm, const char *value)
{
	int ret = drm_gem_huge_mnt_create(drm, value);

	ret = ret ?: PTR_ERR_OR_ZERO(drm_gem_get_huge_mnt(drm));
#ifdef CONFIG_TRANSPARENT_HUGEPAGE
	if (ret)
		drm->huge_mnt = NULL;
#endif
	return ret;
}
#endif

#ifndef drm_gem_has_mmap_offset
/*
 * Returns whether userspace can find an object in the device's file. Goes when the core has
 * this: gem-refs.cocci.
 */
static inline bool drm_gem_has_mmap_offset(const struct drm_gem_object *gem)
{
	return drm_mm_node_allocated(&gem->vma_node.vm_node);
}
#endif

#ifdef drm_vma_node_unmap_pages
/* Unmaps an object from userspace. */
static inline void drm_gem_unmap_userspace(struct drm_gem_object *gem)
{
	drm_vma_node_unmap(&gem->vma_node, gem->dev->anon_inode->i_mapping);
}
#else
/*
 * Unmaps an object from userspace. drm_vma_node_unmap() uses bytes, which
 * unmap_mapping_range() truncates to 32 bits where pgoff_t is that small, so it misses
 * offsets from 4 GiB on. Goes when it uses pages: vma-node.cocci.
 */
static inline void drm_gem_unmap_userspace(struct drm_gem_object *gem)
{
	unmap_mapping_pages(gem->dev->anon_inode->i_mapping, drm_vma_node_start(&gem->vma_node),
			    drm_vma_node_size(&gem->vma_node), true);
}
#endif

#ifndef drm_gem_lru_first_locked
/*
 * Return the list that an object is on, and the first object of a list. The library needs them for
 * its own scan: drm_gem_lru_scan() puts last references in memory reclaim, keeps objects off the
 * list for so long that other tasks miss them, and frees a list that is left behind. Both functions
 * go when the core has them: gem-lru.cocci.
 */
static inline struct drm_gem_lru *drm_gem_object_lru_locked(const struct drm_gem_object *gem)
{
	lockdep_assert_held(&gem->dev->gem_lru_mutex);
	return gem->lru;
}

static inline struct drm_gem_object *drm_gem_lru_first_locked(struct drm_gem_lru *lru)
{
	struct drm_gem_object *gem;

	gem = list_first_entry_or_null(&lru->list, struct drm_gem_object, lru_node);
	if (gem)
		lockdep_assert_held(&gem->dev->gem_lru_mutex);
	return gem;
}
#endif

#ifdef drm_gem_object_has_link
#define drm_gem_object_link_entry link
#else
/*
 * The list head in a GEM object that is on no LRU, for a list of the library. Goes when struct
 * drm_gem_object has a link for the driver: gem-links.cocci.
 */
#define drm_gem_object_link_entry lru_node
#endif

#ifdef drm_gpuva_has_link
#define drm_gpuva_link_entry rb.link
#else
/*
 * The list head in a VA that is in no tree, for a list of the library. Goes when struct drm_gpuva
 * has a link for the driver: gem-links.cocci.
 */
#define drm_gpuva_link_entry rb.entry
#endif

#ifndef drm_gpuvm_reserved
/* Returns the range that drm_gpuvm_init() reserved. Goes when the core does: gpuvm.cocci. */
static inline const struct drm_gpuva *drm_gpuvm_reserved(const struct drm_gpuvm *gpuvm)
{
	return &gpuvm->kernel_alloc_node;
}
#endif

#ifndef drm_gpuvm_put_unless_last
/*
 * Put a reference to an address space in the fence signalling path. The first function does not put
 * the last reference, and returns whether it put one. The second is for a caller who knows that
 * another reference exists. Both go when the core has functions for this: gpuvm.cocci.
 */
static inline bool drm_gpuvm_put_unless_last(struct drm_gpuvm *gpuvm)
{
	/* Release: earlier accesses come before the last put, see vm-put.litmus. */
	return refcount_dec_not_one(&gpuvm->kref.refcount);
}

static inline void drm_gpuvm_put_not_last(struct drm_gpuvm *gpuvm)
{
	/* Release: as above, see vm-put.litmus. */
	refcount_dec(&gpuvm->kref.refcount);
}
#endif

#ifndef drm_gpuvm_has_deferred
/*
 * Returns whether drm_gpuvm_bo_deferred_cleanup() has work to do. Goes when the core has
 * this: gpuvm.cocci.
 */
static inline bool drm_gpuvm_has_deferred(const struct drm_gpuvm *gpuvm)
{
	return !llist_empty(&gpuvm->bo_defer);
}
#endif

#ifndef drm_gpuvm_bo_uncreate
/*
 * Puts the references that drm_gpuvm_bo_create() has taken. The vm_bo is on no list, no other task
 * has it, and the caller frees its memory. Goes when the core exports this: gpuvm.cocci.
 */
static inline void drm_gpuvm_bo_uncreate(struct drm_gpuvm_bo *vm_bo)
{
	drm_gem_object_put(vm_bo->obj);
	drm_gpuvm_put(vm_bo->vm);
}
#endif

#ifndef drm_gpuvm_bo_put_deferred_holds
/*
 * Like drm_gpuvm_bo_put_deferred(), which can put a reference that is not the last one under the
 * lock of the object, and then unlocks. As soon as it has put the reference, another task can put
 * the last one, and the object goes with its lock. This keeps the reference until it has released
 * the lock, or has found that it is the last one. Returns whether it was. What a task did with the
 * vm_bo comes before the vm_bo is freed, see vm-bo-put.litmus. Goes when the core does that:
 * gpuvm-put-deferred.cocci.
 */
static inline bool drm_gpuvm_bo_put_late(struct drm_gpuvm_bo *vm_bo)
	__drm_nonallocating
{
	struct drm_gem_object *obj = vm_bo->obj;
	refcount_t *refs = &vm_bo->kref.refcount;
	bool put, last;

	for (;;) {
		drm_safe_trusted(put = refcount_dec_not_one(refs));
		if (put)
			return false;
		mutex_lock(&obj->gpuva.lock);
		/* If this is the only reference, no task can take another one without the lock. */
		drm_safe_trusted(last = refcount_dec_if_one(refs));
		if (last)
			list_del(&vm_bo->list.entry.gem);
		mutex_unlock(&obj->gpuva.lock);
		if (last)
			break;
	}
	drm_safe_trusted(llist_add(&vm_bo->list.entry.bo_defer, &vm_bo->vm->bo_defer));
	return true;
}
#else
#define drm_gpuvm_bo_put_late drm_gpuvm_bo_put_deferred
#endif

#ifndef drm_gpuvm_bo_is_extobj
/*
 * Returns whether drm_gpuvm_bo_extobj_add() has been called. The caller has a reference to
 * @vm_bo, so @vm_bo stays on the list. Goes when the core has this: gpuvm.cocci.
 */
static inline bool drm_gpuvm_bo_is_extobj(const struct drm_gpuvm_bo *vm_bo)
{
	return !list_empty(&vm_bo->list.entry.extobj);
}
#endif

#ifndef drm_gpuva_link_owned
/*
 * Like drm_gpuva_link(), for a VA that has a reference to its vm_bo already. Goes when the
 * core has this: gpuvm.cocci.
 */
static inline void drm_gpuva_link_owned(struct drm_gpuva *va)
{
	list_add_tail(&va->gem.entry, &va->vm_bo->list.gpuva);
}

/*
 * Like drm_gpuva_unlink(), but the VA keeps its reference to the vm_bo. Goes when the core has
 * this: gpuvm.cocci.
 */
static inline void drm_gpuva_unlink_owned(struct drm_gpuva *va)
{
	list_del_init(&va->gem.entry);
}
#endif

#ifndef drm_gem_next_gpuvm_bo
/* Returns the next vm_bo of an object, or the first one. Goes when the core does: gpuvm.cocci. */
static inline struct drm_gpuvm_bo *drm_gem_next_gpuvm_bo(struct drm_gem_object *obj,
							 struct drm_gpuvm_bo *vm_bo)
{
	lockdep_assert_held(&obj->gpuva.lock);
	vm_bo = list_prepare_entry(vm_bo, &obj->gpuva.list, list.entry.gem);
	list_for_each_entry_continue(vm_bo, &obj->gpuva.list, list.entry.gem)
		return vm_bo;
	return NULL;
}
#endif

#ifndef drm_gpuvm_bo_first_va
/* Walk over the mappings of a vm_bo. Both go when the core has them: gpuvm.cocci. */
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
