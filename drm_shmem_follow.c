// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/export.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "drm_shmem_internal.h"

/**
 * DOC: imports that follow
 *
 * An exporter may want to move the memory of its dma-buf, or to reclaim it. If the exporter cannot
 * notify an importer of a move, it pins the memory while the import is mapped.
 *
 * A type with DRM_SHMEM_RECLAIM and a moved step follows its exporters. Its imports are attached
 * dynamically, and the exporter pins nothing for them. When the exporter moves the memory, the
 * moved step suspends the handles that own the sg table. Running jobs continue to use the table.
 * The library unmaps the table when the last borrowed handle has ended and all fences that the
 * reservation object had by then are signalled: at once if possible, and otherwise in a work
 * item. While borrowed handles of the old table exist, new attempts to borrow or resume fail
 * with -EAGAIN, after which libdrm repeats the ioctl. Without such handles, the next user waits
 * for the fences, unmaps the old table itself, waits for the fences of the move, and maps the
 * memory at its new place.
 *
 * The exporter waits for the fences of jobs. A job that uses the memory adds its fence to the
 * reservation object, under the same lock under which it has the table. The page table is rewritten
 * for the next job: the moved step calls drm_gpuvm_imm_set_invalid(), and drm_gpuvm_imm_validate()
 * then rewrites it. Revocation does not wait for fences, because the device has stopped by then.
 *
 * An update of a page table that was queued before the move, and runs after it, finds its handle
 * suspended, and maps nothing. Jobs that were validated before and depend on such an update would
 * run into a hole. A driver that queues updates and jobs separately has to order them: it validates
 * a job after the updates that the job depends on have run, or adds the fences of the updates to
 * the reservation object of the import, for which the exporter waits.
 *
 * Memory can move at any time while the device uses it without a fence, such as a framebuffer on a
 * plane. drm_shmem_pin() refuses imports. A driver that shows imports must call dma_buf_pin() for
 * the attachment first, or use a type without a moved step.
 *
 * Imports of DRM_SHMEM_DRIVER_OPS follow. Imports of DRM_SHMEM_DRIVER_OPS_SGT are mapped for
 * their whole lifetime, and are attached as by the core, so the exporter keeps the memory where
 * it is. The same holds for imports of a type that also has a release step: the hardware may use
 * the memory after the last reference is gone, when no step can give the memory back.
 */

/*
 * The private data of the attachment of an import that follows.
 *
 * Invariants:
 *
 * - @over is set when moves no longer concern the import: it is being freed, its table was revoked,
 *   or it was leaked without a table. Until then, a task that holds @lock may access @obj, and get
 *   a reference to it.
 * - @moves is the number of tables whose memory has moved. It is changed under the reservation
 *   lock.
 * - @unmap holds a reference to the object and one to the driver's module while it is queued
 *   or runs. It is not queued while the driver is being unloaded. @end ends an object without
 *   references, and keeps the parent bound.
 * - A work item of the object's end frees this with the attachment. That work item comes
 *   after @unmap. If @end runs, @end queues it.
 */
struct drm_shmem_follow {
	spinlock_t lock;	/* protects @over */
	bool over;
	unsigned int moves;
	struct drm_shmem_obj *obj;
	struct module *owner;
	struct work_struct unmap;
	struct work_struct end;
};

/* How often the work item looks whether the table is still there, in jiffies */
#define DRM_SHMEM_FOLLOW_LOOK	(HZ / 10)

/*
 * Returns the object with a reference, unless it has no table or its end has begun. The parent
 * stays bound until drm_dev_ctx_revocable_done(), so the driver's steps can be called even while it
 * is being unloaded.
 */
static struct drm_shmem_obj *drm_shmem_follow_get(struct drm_shmem_follow *follow)
	__must_hold(drm_resv)
	__context_unsafe("taken if it returns an object")
{
	struct drm_shmem_obj *obj = follow->obj;

	guard(spinlock)(&follow->lock);
	if (follow->over || !drm_shmem_has_sgt(obj) ||
	    !drm_dev_ctx_revocable_hold(__drm_shmem_ctx(obj)))
		return NULL;
	if (drm_gem_object_get_unless_zero(&obj->base.base))
		return obj;
	drm_dev_ctx_revocable_done(__drm_shmem_ctx(obj));
	return NULL;
}

/* Unlocked: whether the table of a move may still be there. */
static bool drm_shmem_follow_has_table(const struct drm_shmem_follow *follow, unsigned int moves)
{
	return READ_ONCE(follow->moves) == moves && __drm_shmem_sgt_is_stale(follow->obj);
}

/*
 * Waits for the jobs that may use the table. Without a user of the table, no new job can use it, so
 * this need not wait for fences that are added later.
 */
static void drm_shmem_follow_wait(const struct drm_shmem_follow *follow, struct dma_fence *jobs,
				  unsigned int moves)
{
	while (drm_shmem_follow_has_table(follow, moves) &&
	       !__drm_shmem_wait_some(jobs, false, DRM_SHMEM_FOLLOW_LOOK))
		;
}

/* Returns false if there is no memory. */
static bool drm_shmem_follow_try_unmap(struct drm_shmem_follow *follow)
{
	struct drm_shmem_obj *obj = follow->obj;
	struct drm_gem_object *gem = &obj->base.base;
	struct dma_fence *jobs;
	unsigned int moves;
	int ret;

	drm_gem_resv_lock(gem, false);
	moves = follow->moves;
	ret = dma_resv_get_singleton(gem->resv, DMA_RESV_USAGE_BOOKKEEP, &jobs);
	drm_gem_resv_unlock(gem, false);
	if (ret)
		return false;
	if (jobs)
		drm_shmem_follow_wait(follow, jobs, moves);
	dma_fence_put(jobs);

	drm_gem_resv_lock(gem, false);
	/* The table of a later move has jobs of its own, for which this item was queued again. */
	if (follow->moves == moves)
		__drm_shmem_sgt_unmap_stale(obj);
	drm_gem_resv_unlock(gem, false);
	return true;
}

static void drm_shmem_follow_unmap_fn(struct work_struct *work)
{
	struct drm_shmem_follow *follow = container_of(work, struct drm_shmem_follow, unmap);
	struct drm_gem_object *gem = &follow->obj->base.base;
	struct module *owner = follow->owner;

	while (!drm_shmem_follow_try_unmap(follow))
		schedule_timeout_idle(DRM_SHMEM_FOLLOW_LOOK);
	/* This may be the last reference, with which @follow is freed. */
	drm_gem_object_put(gem);
	module_put(owner);
}

static void drm_shmem_follow_end_fn(struct work_struct *work)
	__context_unsafe("taken by drm_shmem_follow_get(), in another task")
{
	struct drm_shmem_follow *follow = container_of(work, struct drm_shmem_follow, end);
	struct drm_dev_ctx *ctx = __drm_shmem_ctx(follow->obj);

	drm_dev_ctx_revocable_resume(ctx);
	/* @follow is freed with the object. */
	drm_gem_object_free_dead(&follow->obj->base.base);
	drm_dev_ctx_revocable_done(ctx);
}

/*
 * The exporter moves the memory. It holds the reservation lock, which is the object's, too. If
 * all other references are put meanwhile, a work item ends the object, because an object must
 * not end under that lock.
 */
static void drm_shmem_follow_moved(struct dma_buf_attachment *attach)
	__context_unsafe("the object uses the lock of its exporter")
{
	struct drm_shmem_follow *follow = attach->importer_priv;
	struct drm_shmem_obj *obj;
	struct drm_dev_ctx *ctx;

	obj = drm_shmem_follow_get(follow);
	/*
	 * An object whose end has begun unmaps its table by itself. Revocation unmaps it when the
	 * parent is being unbound, after the device has stopped.
	 */
	if (!obj)
		return;
	ctx = __drm_shmem_ctx(obj);
	/* A work item that is queued by this reads @moves under the lock. */
	if (__drm_shmem_sgt_moved(obj))
		WRITE_ONCE(follow->moves, follow->moves + 1);
	if (drm_gem_object_put_and_test(&obj->base.base)) {
		drm_dev_ctx_revocable_defer(ctx);
		__drm_shmem_queue(__DRM_SHMEM_ENDS, &follow->end);
	} else {
		drm_dev_ctx_revocable_done(ctx);
	}
}

static const struct dma_buf_attach_ops drm_shmem_follow_ops = {
	.invalidate_mappings = drm_shmem_follow_moved,
};

/**
 * __drm_shmem_follow_attach() - attach the DMA device to a dma-buf that may move
 * @dma_buf: the dma-buf
 * @obj: the import, not shared yet
 *
 * Context: May sleep. Takes the reservation lock of the dma-buf.
 *
 * Return: the attachment, or an ERR_PTR().
 */
struct dma_buf_attachment *__drm_shmem_follow_attach(struct dma_buf *dma_buf,
						     struct drm_shmem_obj *obj)
{
	struct drm_shmem_follow *follow = kzalloc_obj(*follow, GFP_KERNEL_ACCOUNT);
	struct drm_device *drm = obj->base.base.dev;
	struct dma_buf_attachment *attach;

	if (!follow)
		return ERR_PTR(-ENOMEM);
	spin_lock_init(&follow->lock);
	follow->obj = obj;
	follow->owner = drm_dev_ctx_owner(drm);
	INIT_WORK(&follow->unmap, drm_shmem_follow_unmap_fn);
	INIT_WORK(&follow->end, drm_shmem_follow_end_fn);

	attach = dma_buf_dynamic_attach(dma_buf, drm_dev_dma_dev(drm), &drm_shmem_follow_ops,
					follow);
	if (IS_ERR(attach))
		kfree(follow);
	return attach;
}

/**
 * __drm_shmem_follow_forget() - moves no longer concern an import
 * @attach: its attachment
 *
 * The import is being freed, or gets no table any more. The driver's module may be freed after
 * this.
 *
 * Context: Any. The exporter can move the memory meanwhile.
 */
void __drm_shmem_follow_forget(struct dma_buf_attachment *attach)
{
	struct drm_shmem_follow *follow = attach->importer_priv;

	if (!follow)
		return;
	guard(spinlock)(&follow->lock);
	follow->over = true;
}

/* The last user has left a table whose memory has moved. Jobs may still use the table. */
static void drm_shmem_follow_left(struct drm_shmem_obj *obj)
{
	struct drm_gem_object *gem = &obj->base.base;
	struct drm_shmem_follow *follow = gem->import_attach->importer_priv;

	/* It was revoked. */
	if (!drm_shmem_has_sgt(obj))
		return;
	/* Unloading the driver unbinds the parent, so the table is revoked soon. */
	if (!try_module_get(follow->owner))
		return;
	/* The caller keeps the object. */
	drm_gem_object_get(gem);
	if (!__drm_shmem_queue(__DRM_SHMEM_FENCES, &follow->unmap)) {
		module_put(follow->owner);
		drm_gem_object_put(gem);
	}
}

/**
 * __drm_shmem_sgt_left() - the last user has left a table whose memory has moved
 * @obj: the object, which the caller keeps
 *
 * A work item unmaps the table after the jobs that may use it, unless the driver is being unloaded.
 *
 * Context: Any thread, with any lock held.
 */
void __drm_shmem_sgt_left(struct drm_shmem_obj *obj) __drm_nonallocating
{
	drm_safe_trusted(drm_shmem_follow_left(obj));
}
