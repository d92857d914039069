// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <linux/export.h>
#include <linux/sched.h>

#include "drm_dev_ctx_ids.h"
#include "drm_dev_ctx_internal.h"

/**
 * DOC: ids
 *
 * Userspace uses ids for contexts, address spaces and queues. One thread of a client can destroy an
 * object while another thread uses it. An xarray in a driver's code often leads to one of these
 * faults: an object gets its id before it is complete, the ioctl that creates an object uses it
 * after another thread may have destroyed it, a lookup takes its reference too late, or a client
 * fills memory that is not charged to it.
 *
 * A table of ids is part of the driver's structure of an open file. The ioctl reserves an id before
 * it creates the object. When it publishes the complete object, its variable is set to NULL. Each
 * lookup takes a reference under the lock of the table. An id is closed once, by an ioctl or with
 * the file. A job with a reference can use its object after the id or the file was closed. A driver
 * can walk all objects of a client, for example in &drm_driver.show_fdinfo.
 */

static bool drm_dev_ctx_ids_in_use(const struct drm_dev_ctx_ids *ids)
{
	if (likely(ids->__type))
		return true;
	drm_safe_broken(NULL, "a table of ids is initialised before it is used",
			"drm_dev_ctx_ids_init() was not called, or failed, or drm_dev_ctx_ids_fini() ended the table");
	return false;
}

/**
 * __drm_dev_ctx_ids_init() - begin a table of ids
 * @ids: the table
 * @type: type of its objects
 * @file: the open file
 *
 * See drm_dev_ctx_ids_init(), which drivers call.
 *
 * Context: Any.
 */
void __drm_dev_ctx_ids_init(struct drm_dev_ctx_ids *ids, const struct drm_dev_ctx_ids_type *type,
			    struct drm_file *file)
{
	struct drm_device *drm = file->minor->dev;

	if (ids->__type) {
		drm_safe_broken(drm, "a table of ids is initialised once",
				"it is in use, or it was not zeroed");
		return;
	}
	if (!type->max || !type->release) {
		drm_safe_broken(drm, "a type of objects with ids has a limit and a release step",
				"the description has no %s", type->max ? "release" : "max");
		return;
	}
	xa_init_flags(&ids->__objs, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	ids->__drm = drm;
	ids->__type = type;
	drm_dev_ctx_handle_add(drm, &ids->__handle);
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_ids_init);

/* Erases an object from the table. Leaves reserved entries alone. */
static struct drm_dev_ctx_id_obj *drm_dev_ctx_id_take(struct drm_dev_ctx_ids *ids, u32 id)
{
	guard(spinlock)(&ids->__objs.xa_lock);
	return xa_load(&ids->__objs, id) ? __xa_erase(&ids->__objs, id) : NULL;
}

/* Lookups do not find the object any more, or have never found it. */
static void drm_dev_ctx_id_stop(struct drm_dev_ctx_id_obj *obj)
{
	if (obj->__type->close)
		obj->__type->close(obj);
}

static void drm_dev_ctx_id_end(struct drm_dev_ctx_id_obj *obj)
{
	drm_dev_ctx_id_stop(obj);
	drm_dev_ctx_id_put(obj);
}

/**
 * __drm_dev_ctx_ids_fini() - end a table of ids with its file
 * @ids: the table
 *
 * See drm_dev_ctx_ids_fini(), which drivers call.
 *
 * Context: May sleep.
 */
void __drm_dev_ctx_ids_fini(struct drm_dev_ctx_ids *ids)
{
	struct drm_dev_ctx_id_obj *obj;
	unsigned long id;

	might_sleep();
	if (!ids->__type)
		return;
	xa_for_each(&ids->__objs, id, obj) {
		obj = drm_dev_ctx_id_take(ids, id);
		if (obj)
			drm_dev_ctx_id_end(obj);
		cond_resched();
	}
	if (!xa_empty(&ids->__objs))
		drm_safe_broken(ids->__drm, "an id is reserved while its file is open",
				"the file is closed, but some of its ids are still reserved");
	xa_destroy(&ids->__objs);
	drm_dev_ctx_handle_del(ids->__drm, &ids->__handle);
	ids->__type = NULL;
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_ids_fini);

/**
 * __drm_dev_ctx_id_reserve() - reserve an id
 * @ids: the table
 * @slot: filled in with the reserved id
 *
 * See drm_dev_ctx_id_reserve_or(), which drivers call.
 *
 * Context: May sleep.
 *
 * Return: 0 or a negative error code.
 */
int __drm_dev_ctx_id_reserve(struct drm_dev_ctx_ids *ids, struct drm_dev_ctx_id_slot *slot)
{
	int ret;

	might_sleep();
	if (!drm_dev_ctx_ids_in_use(ids))
		return -EINVAL;
	slot->ids = ids;
	ret = xa_alloc(&ids->__objs, &slot->number, NULL, XA_LIMIT(1, ids->__type->max),
		       GFP_KERNEL);
	if (ret)
		slot->number = 0;
	return ret;
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_id_reserve);

/**
 * __drm_dev_ctx_id_slot_end() - end the scope of a reserved id
 * @slot: a &struct drm_dev_ctx_id_slot
 *
 * The argument has no type, because each variable of drm_dev_ctx_id_reserve_or() has its own type.
 *
 * Context: Process context.
 */
void __drm_dev_ctx_id_slot_end(void *slot)
{
	struct drm_dev_ctx_id_slot *s = slot;

	if (s->number)
		xa_erase(&s->ids->__objs, s->number);
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_id_slot_end);

static void drm_dev_ctx_id_not_initialised(struct drm_dev_ctx_ids *ids,
					   struct drm_dev_ctx_id_obj *obj)
{
	drm_safe_broken(ids->__drm, "an object is initialised, and published once",
			"drm_dev_ctx_id_init() was not called for it with the type of the table");
	/* Zeroed memory was never initialised, so the reference is the only one. */
	if (!IS_ERR_OR_NULL(obj) && !obj->__type)
		ids->__type->release(obj);
}

static void drm_dev_ctx_id_published_before(struct drm_dev_ctx_ids *ids,
					    struct drm_dev_ctx_id_obj *obj)
{
	/*
	 * The caller may have the reference of a lookup, or a copy of the pointer that was
	 * published. The count and the table are the same in both cases if another task has a
	 * reference. The put that the first case lacks would free the object of this task in the
	 * second case. So this puts nothing, and the first case leaks.
	 */
	if (obj->__number) {
		drm_safe_broken(ids->__drm, "an object is initialised, and published once",
				"it has an id");
		return;
	}
	drm_safe_broken(ids->__drm, "an id is published with one object",
			"an object was published with this id before");
	drm_dev_ctx_id_put(obj);
}

/**
 * __drm_dev_ctx_id_publish() - let lookups find a complete object
 * @slot: the reserved id
 * @obj: the object, whose reference this uses up
 *
 * See drm_dev_ctx_id_publish(), which drivers call.
 *
 * Context: May sleep.
 *
 * Return: the id, or 0.
 */
u32 __drm_dev_ctx_id_publish(struct drm_dev_ctx_id_slot *slot, struct drm_dev_ctx_id_obj *obj)
{
	struct drm_dev_ctx_ids *ids = slot->ids;
	const u32 number = slot->number;

	might_sleep();
	if (IS_ERR_OR_NULL(obj) || obj->__type != ids->__type) {
		drm_dev_ctx_id_not_initialised(ids, obj);
		return 0;
	}
	if (!number || obj->__number) {
		drm_dev_ctx_id_published_before(ids, obj);
		return 0;
	}
	WRITE_ONCE(obj->__number, number);
	slot->number = 0;
	/* The reserved entry has its memory, so this cannot fail. A release, see the lookup. */
	WARN_ON(xa_is_err(xa_store(&ids->__objs, number, obj, GFP_KERNEL)));
	return number;
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_id_publish);

/**
 * __drm_dev_ctx_id_lookup() - get the object with an id
 * @ids: the table
 * @id: any number
 *
 * See drm_dev_ctx_id_lookup(), which drivers call.
 *
 * Context: Process context.
 *
 * Return: the object with a reference, or an ERR_PTR().
 */
struct drm_dev_ctx_id_obj *__drm_dev_ctx_id_lookup(struct drm_dev_ctx_ids *ids, u32 id)
{
	struct drm_dev_ctx_id_obj *obj;

	if (!drm_dev_ctx_ids_in_use(ids))
		return ERR_PTR(-EINVAL);
	/* The table keeps its reference until the entry is erased under this lock. */
	guard(spinlock)(&ids->__objs.xa_lock);
	obj = xa_load(&ids->__objs, id);
	if (!obj)
		return ERR_PTR(-ENOENT);
	drm_dev_ctx_id_get(obj);
	return obj;
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_id_lookup);

static struct drm_dev_ctx_id_obj *drm_dev_ctx_id_find(struct drm_dev_ctx_ids *ids,
						      unsigned long from)
{
	struct drm_dev_ctx_id_obj *obj;

	guard(spinlock)(&ids->__objs.xa_lock);
	obj = xa_find(&ids->__objs, &from, U32_MAX, XA_PRESENT);
	if (obj)
		drm_dev_ctx_id_get(obj);
	return obj;
}

/**
 * __drm_dev_ctx_id_next() - get the object with the next higher id
 * @ids: the table
 * @obj: the object before, whose reference this puts, or NULL
 * @last: the id of the object before, or 0 for the first object; the id of this object
 *
 * See drm_dev_ctx_ids_for_each(), which drivers use.
 *
 * Context: May sleep.
 *
 * Return: the object with a reference, or NULL.
 */
struct drm_dev_ctx_id_obj *__drm_dev_ctx_id_next(struct drm_dev_ctx_ids *ids,
						 struct drm_dev_ctx_id_obj *obj, u32 *last)
{
	if (obj)
		drm_dev_ctx_id_put(obj);
	if (!drm_dev_ctx_ids_in_use(ids) || *last == U32_MAX)
		return NULL;
	obj = drm_dev_ctx_id_find(ids, *last + 1);
	if (obj)
		*last = obj->__number;
	return obj;
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_id_next);

/**
 * __drm_dev_ctx_id_close() - close an id
 * @ids: the table
 * @id: any number
 *
 * See drm_dev_ctx_id_close(), which drivers call.
 *
 * Context: May sleep.
 *
 * Return: 0 or a negative error code.
 */
int __drm_dev_ctx_id_close(struct drm_dev_ctx_ids *ids, u32 id)
{
	struct drm_dev_ctx_id_obj *obj;

	might_sleep();
	if (!drm_dev_ctx_ids_in_use(ids))
		return -EINVAL;
	obj = drm_dev_ctx_id_take(ids, id);
	if (!obj)
		return -ENOENT;
	drm_dev_ctx_id_end(obj);
	return 0;
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_id_close);

static void drm_dev_ctx_id_release(struct kref *ref)
{
	struct drm_dev_ctx_id_obj *obj = container_of(ref, struct drm_dev_ctx_id_obj, __kref);

	/* The table has stopped a published object. */
	if (!obj->__number)
		drm_dev_ctx_id_stop(obj);
	obj->__type->release(obj);
}

/**
 * drm_dev_ctx_id_put() - put a reference to an object
 * @obj: the object
 *
 * Releases the object if this was the last reference.
 *
 * Context: May sleep. Not in the fence signalling path: &drm_dev_ctx_ids_type.release may wait for
 * fences.
 */
void drm_dev_ctx_id_put(struct drm_dev_ctx_id_obj *obj)
{
	might_sleep();
	/* Accesses of other tasks to the object come before its release: see ids-put.litmus. */
	kref_put(&obj->__kref, drm_dev_ctx_id_release);
}
EXPORT_SYMBOL_GPL(drm_dev_ctx_id_put);
