// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <linux/export.h>

#include "drm_shmem_internal.h"

/**
 * DOC: ends that wait
 *
 * The device may use the memory of an object until it has answered a command: a virtual GPU keeps
 * the addresses of a resource until the resource is unreferenced. The last put of an object never
 * waits, so it cannot wait for the answer.
 *
 * A type with a release step puts off the end. The step calls drm_shmem_put_off(), sends the
 * command, and returns what drm_shmem_put_off() returned. The handler of the answer calls
 * drm_shmem_end(), in an interrupt or anywhere else, and a work item of the device ends the
 * object: fini step, sg table, pages. Until then the table stays mapped.
 *
 * .. code-block:: c
 *
 *	static struct drm_shmem_put_off *foo_bo_release(struct drm_shmem_obj *obj)
 *	{
 *		struct foo_bo *bo = drm_shmem_from_obj(&foo_bo_type, obj);
 *		struct foo_device *foo = foo_bo_dev(bo);
 *		struct drm_shmem_put_off *later = drm_shmem_put_off(obj, &foo->ends);
 *
 *		if (later)
 *			foo_send_unref(foo, bo);
 *		return later;
 *	}
 *
 *	static void foo_unref_answered(struct foo_device *foo, struct foo_bo *bo)
 *	{
 *		drm_shmem_end(&bo->obj, &foo->ends);
 *	}
 *
 * The step reaches the hardware in a block of drm_dev_ctx_guard_live(). If there is no such block,
 * the hardware has stopped, and the step returns NULL without putting off the end.
 *
 * When the parent is unbound, after the quiesce step, the library ends the remaining objects: the
 * hardware has stopped by then, and no answer can come. From then on, ends are not put off.
 *
 * The memory of objects whose end was put off belongs to no client. An ioctl that creates objects
 * limits it with drm_shmem_ends_wait().
 *
 * Only shmem objects have such an end. An object with a &struct drm_gem_sgt ends in the free
 * function of its driver. If the device has to answer first, as for virtio_gpu_vram_free(), that
 * function calls drm_gem_sgt_fini(), and the handler of the answer frees the memory.
 *
 * The idea comes from virtio_gpu_free_object(), which frees the object in the handler of the
 * answer, and leaks it if none comes.
 */

/* Bits of &drm_shmem_obj.__ending: the reasons why the end of an object waits */
enum {
	DRM_SHMEM_IN_STEP	= BIT(0),	/* the release step runs */
	DRM_SHMEM_IN_HARDWARE	= BIT(1),	/* drm_shmem_end() was not called */
};

static struct drm_shmem_put_off *drm_shmem_ends_token(struct drm_shmem_ends *ends)
{
	return (struct drm_shmem_put_off *)ends;
}

/*
 * Queues the work item. The work item needs no references: the device and its driver stay until the
 * parent is unbound, and unbinding waits for the work item, see drm_shmem_ends_revoke().
 */
static void drm_shmem_ends_queue(struct drm_shmem_ends *ends)
{
	lockdep_assert_held(&ends->__lock);
	if (ends->__queued)
		return;
	ends->__queued = true;
	__drm_shmem_queue(__DRM_SHMEM_ENDS, &ends->__work);
}

/* The object no longer waits for @bit. */
static void drm_shmem_ends_clear(struct drm_shmem_ends *ends, struct drm_shmem_obj *obj, u8 bit)
{
	lockdep_assert_held(&ends->__lock);
	obj->__ending &= ~bit;
	if (obj->__ending)
		return;
	list_move_tail(&obj->base.base.drm_gem_object_link_entry, &ends->__over);
	drm_shmem_ends_queue(ends);
}

/*
 * Returns the next object to end, or NULL. After NULL, the work item must not touch the device or
 * its driver, which may be gone. The next object to end queues the work item again.
 */
static struct drm_gem_object *drm_shmem_ends_next(struct drm_shmem_ends *ends)
{
	struct drm_gem_object *gem;

	guard(spinlock_irq)(&ends->__lock);
	gem = list_first_entry_or_null(&ends->__over, struct drm_gem_object,
				       drm_gem_object_link_entry);
	if (gem) {
		list_del(&gem->drm_gem_object_link_entry);
	} else {
		ends->__queued = false;
		/* Under the lock, which unbinding takes before it goes on */
		wake_up_all(&ends->__changed);
	}
	return gem;
}

static void drm_shmem_ends_ended(struct drm_shmem_ends *ends, size_t bytes)
{
	scoped_guard(spinlock_irq, &ends->__lock) {
		ends->__count--;
		ends->__bytes -= bytes;
	}
	wake_up_all(&ends->__changed);
}

/* Tells lockdep that unbinding waits for this, like for the end of other entries. */
static void drm_shmem_ends_finish(struct drm_shmem_ends *ends, struct drm_shmem_obj *obj)
	__context_unsafe("the entry is not taken off")
{
	struct drm_dev_ctx *ctx = to_drm_dev_ctx(ends->__drm);

	drm_dev_ctx_revocable_resume(ctx);
	__drm_shmem_finish(obj);
	drm_dev_ctx_revocable_defer(ctx);
}

static void drm_shmem_ends_fn(struct work_struct *work)
{
	struct drm_shmem_ends *ends = container_of(work, struct drm_shmem_ends, __work);
	struct drm_gem_object *gem;
	size_t bytes;

	while ((gem = drm_shmem_ends_next(ends))) {
		bytes = gem->size;
		drm_shmem_ends_finish(ends, to_drm_shmem_obj(gem));
		drm_shmem_ends_ended(ends, bytes);
	}
}

static bool drm_shmem_ends_is_idle(struct drm_shmem_ends *ends)
{
	guard(spinlock_irq)(&ends->__lock);
	return !ends->__count && !ends->__queued;
}

/* Ends everything that is left: the hardware has stopped. */
static void drm_shmem_ends_close(struct drm_shmem_ends *ends)
{
	struct drm_gem_object *gem, *next;

	guard(spinlock_irq)(&ends->__lock);
	ends->__closed = true;
	list_for_each_entry_safe(gem, next, &ends->__waits, drm_gem_object_link_entry)
		drm_shmem_ends_clear(ends, to_drm_shmem_obj(gem), DRM_SHMEM_IN_HARDWARE);
}

static struct drm_shmem_ends *to_drm_shmem_ends(struct drm_dev_ctx_revocable *rev)
{
	return container_of(rev, struct drm_shmem_ends, __revocable);
}

/* The device that embeds @rev is held until the parent is unbound. */
static bool drm_shmem_ends_get(struct drm_dev_ctx_revocable *rev)
{
	return true;
}

static void drm_shmem_ends_revoke(struct drm_dev_ctx_revocable *rev)
{
	struct drm_shmem_ends *ends = to_drm_shmem_ends(rev);

	drm_shmem_ends_close(ends);
	/*
	 * This also waits for running release steps. After this, nothing queues the work item. Do
	 * not use flush_work(): the task that unbinds the parent may be a WQ_MEM_RECLAIM worker.
	 */
	wait_event(ends->__changed, drm_shmem_ends_is_idle(ends));
}

static const struct drm_dev_ctx_revocable_ops drm_shmem_ends_revocable_ops = {
	.get = drm_shmem_ends_get,
	.revoke = drm_shmem_ends_revoke,
};

/*
 * Adds @ends to the entries that are revoked, and makes it the only one of its device, because
 * objects have no pointer to a struct drm_shmem_ends.
 */
static int drm_shmem_ends_add(struct drm_shmem_ends *ends, const struct drm_dev_ctx_bound *bound)
{
	struct drm_dev_ctx *ctx = bound->__ctx;
	int ret;

	ret = drm_dev_ctx_revocable_add(bound, &ends->__revocable, &drm_shmem_ends_revocable_ops);
	if (ret)
		return ret;
	/* Unordered: only read after drm_shmem_put_off(), whose caller has @ends already. */
	if (!cmpxchg_relaxed(&ctx->__shmem_ends, NULL, ends))
		return 0;
	drm_safe_broken(&ctx->drm, "a device has one drm_shmem_ends struct",
			"another one is initialised for this device");
	/* The proof keeps the parent bound, so the entry was not revoked. */
	if (drm_dev_ctx_revocable_take(ctx, &ends->__revocable))
		drm_dev_ctx_revocable_done(ctx);
	return -EBUSY;
}

/**
 * drm_shmem_ends_init() - allow ends of objects to wait for the hardware
 * @ends: zeroed, part of the driver's device struct
 * @bound: the proof that the parent is bound, such as &unreg->bound in probe
 *
 * Needs no cleanup. A device has one &struct drm_shmem_ends.
 *
 * Context: Task context. Does not sleep.
 *
 * Return: 0; -EBUSY if @ends is in use, or the device has another one, which are reported; -EINVAL
 * if the DMA device was changed after the first sg table, which is reported; -ENODEV for a device
 * without contexts, or if @bound was kept beyond its end.
 */
int drm_shmem_ends_init(struct drm_shmem_ends *ends, const struct drm_dev_ctx_bound *bound)
{
	struct drm_device *drm = drm_dev_ctx_bound_drm(bound);
	int ret;

	if (ends->__drm) {
		drm_safe_broken(drm, "ends are initialised once",
				"already in use: each device needs its own struct");
		return -EBUSY;
	}

	spin_lock_init(&ends->__lock);
	INIT_LIST_HEAD(&ends->__waits);
	INIT_LIST_HEAD(&ends->__over);
	INIT_WORK(&ends->__work, drm_shmem_ends_fn);
	init_waitqueue_head(&ends->__changed);
	ret = drm_shmem_ends_add(ends, bound);
	if (!ret)
		ends->__drm = drm;
	return ret;
}
EXPORT_SYMBOL_GPL(drm_shmem_ends_init);

static bool drm_shmem_ends_check(const struct drm_shmem_obj *obj,
				 const struct drm_shmem_ends *ends)
{
	struct drm_device *drm = obj->base.base.dev;

	if (!ends->__drm) {
		drm_safe_broken(drm, "ends are initialised before use",
				"call drm_shmem_ends_init() first");
		return false;
	}
	if (ends->__drm != drm) {
		drm_safe_broken(drm, "both are of one device",
				"the object and the struct drm_shmem_ends belong to different devices");
		return false;
	}
	return true;
}

/**
 * drm_shmem_put_off() - put off the end of an object until the hardware is done
 * @obj: the object of the release step
 * @ends: of the object's device
 *
 * Call this once, before the hardware can answer. The object stays at least until the release step
 * has returned. If the step does not return the result of this call, the library reports that, and
 * still puts off the end.
 *
 * Context: In the release step. Does not sleep.
 *
 * Return: the result for the release step; or NULL if the parent was unbound, so the hardware no
 * longer uses the object. NULL, with a report, if @ends was not initialised or belongs to another
 * device, or if the object is not in its release step.
 */
struct drm_shmem_put_off *drm_shmem_put_off(struct drm_shmem_obj *obj, struct drm_shmem_ends *ends)
{
	struct drm_gem_object *gem = &obj->base.base;

	if (!drm_shmem_ends_check(obj, ends))
		return NULL;
	if (drm_gem_object_has_refs(gem) || obj->__ending) {
		drm_safe_broken(gem->dev, "an end is put off once, in the release step",
				"the object has references, or its end was put off already");
		return NULL;
	}

	guard(spinlock_irqsave)(&ends->__lock);
	if (ends->__closed)
		return NULL;
	obj->__ending = DRM_SHMEM_IN_STEP | DRM_SHMEM_IN_HARDWARE;
	list_add_tail(&gem->drm_gem_object_link_entry, &ends->__waits);
	ends->__count++;
	ends->__bytes += gem->size;
	return drm_shmem_ends_token(ends);
}
EXPORT_SYMBOL_GPL(drm_shmem_put_off);

/**
 * __drm_shmem_forgotten() - report a release step that does not return drm_shmem_put_off()'s result
 * @obj: the object, whose release step returned NULL
 *
 * Context: Any.
 *
 * Return: the value that the step should have returned: NULL, unless it put off the end.
 */
struct drm_shmem_put_off *__drm_shmem_forgotten(const struct drm_shmem_obj *obj)
{
	struct drm_device *drm = obj->base.base.dev;

	/* Unlocked: only __drm_shmem_released() clears this bit. */
	if (likely(!(data_race(obj->__ending) & DRM_SHMEM_IN_STEP)))
		return NULL;
	drm_safe_broken(drm, "release returns what drm_shmem_put_off() returned",
			"it returned NULL, although drm_shmem_put_off() has put off the end");
	return drm_shmem_ends_token(to_drm_dev_ctx(drm)->__shmem_ends);
}

/**
 * __drm_shmem_released() - the release step of an object has returned
 * @obj: the object, which the caller does not touch any more
 * @later: the result of the step, not NULL
 *
 * Context: May sleep.
 */
void __drm_shmem_released(struct drm_shmem_obj *obj, struct drm_shmem_put_off *later)
{
	struct drm_shmem_ends *ends = (struct drm_shmem_ends *)later;

	guard(spinlock_irqsave)(&ends->__lock);
	drm_shmem_ends_clear(ends, obj, DRM_SHMEM_IN_STEP);
}

/**
 * drm_shmem_end() - the hardware is done with an object whose end was put off
 * @obj: the object, which is gone afterwards
 * @ends: as given to drm_shmem_put_off()
 *
 * Call this once for each object, perhaps already in the release step, but not after the quiesce
 * step of the registration: after that, the library ends the remaining objects. It does so after
 * the last block of drm_dev_ctx_guard_live(), so such a block may still call this.
 *
 * Context: Any thread, also in an interrupt.
 */
void drm_shmem_end(struct drm_shmem_obj *obj, struct drm_shmem_ends *ends)
{
	if (!drm_shmem_ends_check(obj, ends))
		return;

	guard(spinlock_irqsave)(&ends->__lock);
	if (!(obj->__ending & DRM_SHMEM_IN_HARDWARE)) {
		drm_safe_broken(ends->__drm, "an end that was put off is over once",
				"the end was not put off, or is over already");
		return;
	}
	drm_shmem_ends_clear(ends, obj, DRM_SHMEM_IN_HARDWARE);
}
EXPORT_SYMBOL_GPL(drm_shmem_end);

/**
 * drm_shmem_ends_bytes() - amount of memory that waits for the hardware
 * @ends: the ends of a device
 *
 * Context: Any thread.
 *
 * Return: the size of all objects whose end was put off, in bytes.
 */
u64 drm_shmem_ends_bytes(struct drm_shmem_ends *ends)
{
	guard(spinlock_irqsave)(&ends->__lock);
	return ends->__bytes;
}
EXPORT_SYMBOL_GPL(drm_shmem_ends_bytes);

/**
 * drm_shmem_ends_wait() - wait until less memory waits for the hardware
 * @ends: the ends of a device, initialised
 * @bytes: how much may be left
 *
 * For ioctls that create objects: a client that creates and frees objects faster than the hardware
 * answers has to wait here. Unbinding the parent ends the wait.
 *
 * Context: May sleep. Without any reservation lock, and outside of sections, because an unplug
 * would wait, too.
 *
 * Return: 0, or -EINTR if the task was killed.
 */
int drm_shmem_ends_wait(struct drm_shmem_ends *ends, u64 bytes)
{
	if (wait_event_killable(ends->__changed, drm_shmem_ends_bytes(ends) <= bytes))
		return -EINTR;
	return 0;
}
EXPORT_SYMBOL_GPL(drm_shmem_ends_wait);
