/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Tables of objects with ids, such as the contexts, address spaces and queues of a client
 */
#ifndef _DRM_DEV_CTX_IDS_H
#define _DRM_DEV_CTX_IDS_H

#include <linux/kref.h>
#include <linux/xarray.h>

#include "drm_dev_ctx.h"

struct drm_dev_ctx_ids_type;

/**
 * struct drm_dev_ctx_id_obj - an object with an id that userspace uses
 *
 * The first member of the driver's structure.
 *
 * Invariants:
 *
 * - @__number is 0 until the object is published, and constant afterwards.
 * - A published object has a reference of its table until its id is closed.
 */
struct drm_dev_ctx_id_obj {
	/* private: */
	const struct drm_dev_ctx_ids_type *__type;
	struct kref __kref;
	u32 __number;

	__DRM_SAFE_NO_ASSIGN;
};

/**
 * struct drm_dev_ctx_ids_type - a driver's type of objects with ids
 *
 * The first member of the structure that DRM_DEV_CTX_IDS_TYPE() declares. A driver defines a const
 * structure for each type.
 */
struct drm_dev_ctx_ids_type {
	/**
	 * @max:
	 *
	 * The highest id, which limits the ids that a file has at the same time. Not 0. Does not
	 * limit the number of objects: an object outlives its id while a job has a reference to it.
	 */
	u32 max;

	/**
	 * @close:
	 *
	 * Optional. Called once for each object that was initialised, before @release. If the
	 * object was published, its id is closed now, because userspace closes the id or the file.
	 * Lookups do not find the object any more. After this step, the library puts the reference
	 * of the table. If the object was never published, its last reference is put now. May
	 * sleep.
	 *
	 * Jobs and other users can still have references: this step stops them. It also ends the
	 * object's own work items, see drm_dev_ctx_work_fini(). A task that looked up the object
	 * before may be about to start a job. To stop it, set a flag under a lock of the object in
	 * this step, and check the flag under the lock before a job is started. A work item of this
	 * library needs no flag: it cannot be queued once it has ended.
	 */
	void (*close)(struct drm_dev_ctx_id_obj *obj);

	/**
	 * @release:
	 *
	 * Frees the object, after its last reference was put. Called by the task that put the
	 * reference, and may sleep. The file may have been closed long before.
	 */
	void (*release)(struct drm_dev_ctx_id_obj *obj);
};

/**
 * struct drm_dev_ctx_ids - members of a table of ids
 *
 * Invariants:
 *
 * - If @__type is NULL, the table is not in use, and the other members have no meaning.
 * - Each entry of @__objs is a published object, to which the table has a reference, or is
 *   reserved for the slot with its number. The lock of @__objs protects it.
 */
struct drm_dev_ctx_ids {
	/* private: */
	const struct drm_dev_ctx_ids_type *__type;
	struct drm_device *__drm;
	struct xarray __objs;
	struct drm_dev_ctx_handle __handle;
};

/* A table, and an id that is reserved in it; 0 after an object was published with the id */
struct drm_dev_ctx_id_slot {
	struct drm_dev_ctx_ids *ids;
	u32 number;
};

/**
 * DRM_DEV_CTX_IDS() - members of a table of ids
 * @_type: the driver's structure of its objects, which may be defined later
 *
 * The driver defines a structure with these members, and embeds it in its struct for an open file:
 *
 * .. code-block:: c
 *
 *	struct foo_queues {
 *		DRM_DEV_CTX_IDS(struct foo_queue);
 *	};
 *
 *	struct foo_file {
 *		struct foo_queues queues;
 *	};
 *
 *	struct foo_queue {
 *		struct drm_dev_ctx_id_obj obj;
 *		u32 priority;
 *	};
 *
 *	DRM_DEV_CTX_IDS_TYPE(foo_queue_type, struct foo_queue, obj);
 *
 *	static void foo_queue_release(struct drm_dev_ctx_id_obj *obj)
 *	{
 *		kfree(container_of(obj, struct foo_queue, obj));
 *	}
 *
 *	const struct foo_queue_type foo_queue_type = {
 *		.base.max = 16,
 *		.base.release = foo_queue_release,
 *	};
 *
 *	static int foo_ioctl_queue_create(const struct foo_reg *reg, struct drm_foo_queue *args,
 *					  struct drm_file *drm_file)
 *	{
 *		struct foo_file *file = drm_file->driver_priv;
 *		struct foo_queue *queue;
 *		int ret;
 *
 *		drm_dev_ctx_id_reserve_or(slot, &file->queues, ret, return ret);
 *		queue = kzalloc_obj(*queue, GFP_KERNEL_ACCOUNT);
 *		if (!queue)
 *			return -ENOMEM;
 *		drm_dev_ctx_id_init(&foo_queue_type, queue);
 *		queue->priority = args->priority;
 *		args->id = drm_dev_ctx_id_publish(slot, &queue);
 *		return 0;
 *	}
 *
 *	static int foo_ioctl_queue_kick(const struct foo_reg *reg, struct drm_foo_queue *args,
 *					struct drm_file *drm_file)
 *	{
 *		struct foo_file *file = drm_file->driver_priv;
 *		struct foo_queue *queue __free(drm_dev_ctx_id) =
 *			drm_dev_ctx_id_lookup(&file->queues, args->id);
 *
 *		if (IS_ERR(queue))
 *			return PTR_ERR(queue);
 *		return foo_kick(reg, queue->priority);
 *	}
 *
 *	static int foo_ioctl_queue_destroy(const struct foo_reg *reg, struct drm_foo_queue *args,
 *					   struct drm_file *drm_file)
 *	{
 *		struct foo_file *file = drm_file->driver_priv;
 *
 *		return drm_dev_ctx_id_close(&file->queues, args->id);
 *	}
 */
#define DRM_DEV_CTX_IDS(_type)							\
	union {									\
		/* private: */							\
		struct drm_dev_ctx_ids __only_tables_have_ids;			\
		_type *__obj[0];						\
	};									\
	__DRM_SAFE_NO_ASSIGN

/**
 * DRM_DEV_CTX_IDS_TYPE() - declare a type of objects with ids
 * @_name: name of the description of the type, and of the structure of this description
 * @_type: the driver's structure of the objects
 * @_member: its &struct drm_dev_ctx_id_obj, which must be the first member
 *
 * The driver defines the description, a const ``struct _name _name``, see DRM_DEV_CTX_IDS().
 */
#define DRM_DEV_CTX_IDS_TYPE(_name, _type, _member)				\
struct _name {									\
	struct drm_dev_ctx_ids_type base;					\
	/* private: empty, for its type */					\
	_type *__obj[0];							\
};										\
static_assert(offsetof(_type, _member) == 0,					\
	      "the struct drm_dev_ctx_id_obj must be the first member of " #_type); \
static_assert(__same_type(((_type *)0)->_member, struct drm_dev_ctx_id_obj),	\
	      #_type "." #_member " must be a struct drm_dev_ctx_id_obj");	\
extern const struct _name _name

void __drm_dev_ctx_ids_init(struct drm_dev_ctx_ids *ids, const struct drm_dev_ctx_ids_type *type,
			    struct drm_file *file);
void __drm_dev_ctx_ids_fini(struct drm_dev_ctx_ids *ids);
int __drm_dev_ctx_id_reserve(struct drm_dev_ctx_ids *ids, struct drm_dev_ctx_id_slot *slot)
	__must_check;
void __drm_dev_ctx_id_slot_end(void *slot);
u32 __drm_dev_ctx_id_publish(struct drm_dev_ctx_id_slot *slot, struct drm_dev_ctx_id_obj *obj)
	__must_check;
struct drm_dev_ctx_id_obj *__drm_dev_ctx_id_lookup(struct drm_dev_ctx_ids *ids, u32 id)
	__must_check;
struct drm_dev_ctx_id_obj *__drm_dev_ctx_id_next(struct drm_dev_ctx_ids *ids,
						 struct drm_dev_ctx_id_obj *obj, u32 *last);
int __drm_dev_ctx_id_close(struct drm_dev_ctx_ids *ids, u32 id) __must_check;
void drm_dev_ctx_id_put(struct drm_dev_ctx_id_obj *obj) __nonnull_args(1);

#define __drm_dev_ctx_ids(_ids)		(&(_ids)->__only_tables_have_ids)
#define __drm_dev_ctx_id_slot(_slot)	(&(_slot)->__only_reserved_ids_are_published)
#define __drm_dev_ctx_ids_obj(_ids)	typeof((_ids)->__obj[0])

/**
 * drm_dev_ctx_ids_init() - begin a table of ids
 * @_desc: address of the description of the type of its objects
 * @_ids: the table, zeroed, in the driver's structure of the open file
 * @_file: the &struct drm_file
 *
 * For &drm_driver.open. The table is charged to the client. If the description is not complete,
 * this reports it, and the table has no ids.
 *
 * Context: Any.
 */
#define drm_dev_ctx_ids_init(_desc, _ids, _file) ({				\
	static_assert(__same_type((_desc)->__obj[0], (_ids)->__obj[0]),		\
		      "the table is for objects of another type");		\
	__drm_dev_ctx_ids_init(__drm_dev_ctx_ids(_ids), &(_desc)->base, _file);	\
})

/**
 * drm_dev_ctx_ids_fini() - end a table of ids with its file
 * @_ids: the table, which may be zeroed
 *
 * For &drm_driver.postclose, when no ioctl of the file runs any more, and for the error path of
 * &drm_driver.open. Closes all ids, like drm_dev_ctx_id_close(). An object outlives the table while
 * jobs have references to it. With CONFIG_DRM_SAFE_DEBUG, a table that was not ended is reported
 * when the device is released.
 *
 * Context: May sleep.
 */
#define drm_dev_ctx_ids_fini(_ids)	__drm_dev_ctx_ids_fini(__drm_dev_ctx_ids(_ids))

static inline void __drm_dev_ctx_id_init(struct drm_dev_ctx_id_obj *obj,
					 const struct drm_dev_ctx_ids_type *type)
{
	obj->__type = type;
	obj->__number = 0;
	kref_init(&obj->__kref);
}

/**
 * drm_dev_ctx_id_init() - initialise an object that will get an id
 * @_desc: address of the description of its type
 * @_obj: the driver's structure
 *
 * The caller gets the reference, which drm_dev_ctx_id_publish() takes over. If the rest of the
 * creation fails, drm_dev_ctx_id_put() closes and releases the object. Initialise the object last,
 * unless these steps can deal with an object that is not complete.
 *
 * Context: Any.
 */
#define drm_dev_ctx_id_init(_desc, _obj) ({					\
	static_assert(__same_type((_desc)->__obj[0], (_obj)),			\
		      "the description is of another type of object");		\
	__drm_dev_ctx_id_init((struct drm_dev_ctx_id_obj *)(_obj), &(_desc)->base); \
})

/**
 * drm_dev_ctx_id_reserve_or() - reserve an id to the end of the scope
 * @_slot: name of the reserved id from here on
 * @_ids: the table
 * @_err: variable for the result: 0; -EBUSY if the file has as many ids as the type allows;
 *	-ENOMEM; or, with a report, -EINVAL if the table is not in use
 * @...: statement that leaves the scope if @_err is set
 *
 * No lookup finds a reserved id, and drm_dev_ctx_id_close() does not close it. At the end of the
 * scope, the id is free again, unless drm_dev_ctx_id_publish() was called. Reserve the id before
 * anything else: then a client at its limit is refused at once, and the driver can give the id to
 * the hardware. Does not compile if a goto or a case label jumps past this statement into its
 * scope.
 *
 * Context: May sleep. In an ioctl of the file.
 */
#define drm_dev_ctx_id_reserve_or(_slot, _ids, _err, ...)			\
	struct {								\
		struct drm_dev_ctx_id_slot __only_reserved_ids_are_published;	\
		__drm_dev_ctx_ids_obj(_ids) __obj[0];				\
	} _slot[1] __cleanup(__drm_dev_ctx_id_slot_end) = {};			\
	const int __err_##_slot = __drm_dev_ctx_id_reserve(__drm_dev_ctx_ids(_ids), \
							   __drm_dev_ctx_id_slot(_slot)); \
										\
	(_err) = __err_##_slot;							\
	if (unlikely(__err_##_slot)) {						\
		__VA_ARGS__;							\
		__drm_safe_must_leave();					\
	}									\
	__drm_safe_no_jump(_slot, _slot)

/**
 * drm_dev_ctx_id_reserved() - the number of a reserved id
 * @_slot: the reserved id
 *
 * Return: the number, for the hardware. For userspace, use the return value of
 * drm_dev_ctx_id_publish().
 */
#define drm_dev_ctx_id_reserved(_slot)	((u32)__drm_dev_ctx_id_slot(_slot)->number)

/**
 * drm_dev_ctx_id_publish() - let lookups find a complete object
 * @_slot: the reserved id
 * @_pobj: address of the caller's variable with the driver's structure
 *
 * Uses up the caller's reference, and sets the variable to NULL: another thread of the client can
 * close the id before this returns. If the caller needs the object afterwards, it takes a
 * reference with drm_dev_ctx_id_get() first. Cannot fail. An object that was not initialised is
 * reported, gets no id, and is released if it is zeroed. Nothing is done to an ERR_PTR(). An object
 * that was published before is reported and keeps its id. The reference is then leaked, because it
 * may not be the caller's.
 *
 * Context: May sleep.
 *
 * Return: the id; 0 after a report.
 */
#define drm_dev_ctx_id_publish(_slot, _pobj) ({					\
	static_assert(__same_type((_slot)->__obj[0], *(_pobj)),			\
		      "the id is for an object of another type");		\
	__drm_dev_ctx_id_publish(__drm_dev_ctx_id_slot(_slot),			\
				 (struct drm_dev_ctx_id_obj *)drm_safe_take(*(_pobj))); \
})

/**
 * drm_dev_ctx_id_lookup() - get the object with an id
 * @_ids: the table
 * @_id: any u32, from userspace
 *
 * Takes a reference. Declare the variable with ``__free(drm_dev_ctx_id)``, or put the reference
 * with drm_dev_ctx_id_put().
 *
 * Context: Process context.
 *
 * Return: the driver's structure, or an ERR_PTR(): -ENOENT if no published object has the id; or,
 * with a report, -EINVAL if the table is not in use.
 */
#define drm_dev_ctx_id_lookup(_ids, _id) ({					\
	__drm_dev_ctx_id_check(_id);						\
	(__drm_dev_ctx_ids_obj(_ids))__drm_dev_ctx_id_lookup(__drm_dev_ctx_ids(_ids), _id); \
})

/* The rest of a longer number would be ignored, and so be part of the uAPI. */
#define __drm_dev_ctx_id_check(_id)						\
	static_assert(sizeof(_id) <= sizeof(u32), "an id has 32 bits")

/**
 * drm_dev_ctx_id_close() - close an id
 * @_ids: the table
 * @_id: any u32, from userspace
 *
 * If several threads close the same id, one call succeeds. It calls &drm_dev_ctx_ids_type.close and
 * puts the reference of the table. The id can be reserved again at once.
 *
 * Context: May sleep.
 *
 * Return: 0; -ENOENT if no published object has the id; or, with a report, -EINVAL if the table is
 * not in use.
 */
#define drm_dev_ctx_id_close(_ids, _id) ({					\
	__drm_dev_ctx_id_check(_id);						\
	__drm_dev_ctx_id_close(__drm_dev_ctx_ids(_ids), _id);			\
})

/**
 * drm_dev_ctx_ids_for_each() - walk the published objects of a table
 * @_obj: name of the driver's structure in the block, with a reference until the next object
 * @_ids: the table
 *
 * Goes in the order of the ids. Others may publish objects and close ids meanwhile. The block may
 * be left with break, goto or return, and can keep the object with no_free_ptr(). The walk can put
 * the last reference to an object, and so call its release step. &drm_driver.show_fdinfo runs in a
 * section of the core, so each unplug waits for the steps that it calls.
 *
 * Context: May sleep. Not in the fence signalling path. While the file is open.
 */
#define drm_dev_ctx_ids_for_each(_obj, _ids)					\
	for (u32 __last_##_obj = 0, __more_##_obj = 1; __more_##_obj; __more_##_obj = 0) \
		for (__drm_dev_ctx_ids_obj(_ids) _obj __free(drm_dev_ctx_id) =	\
			     __drm_dev_ctx_ids_next(_ids, NULL, &__last_##_obj); \
		     _obj; _obj = __drm_dev_ctx_ids_next(_ids, _obj, &__last_##_obj))

#define __drm_dev_ctx_ids_next(_ids, _obj, _last)				\
	((__drm_dev_ctx_ids_obj(_ids))						\
	 __drm_dev_ctx_id_next(__drm_dev_ctx_ids(_ids), (struct drm_dev_ctx_id_obj *)(_obj), _last))

/**
 * drm_dev_ctx_id_get() - take one more reference
 * @obj: the object, to which the caller has a reference
 *
 * Context: Any.
 */
static inline void drm_dev_ctx_id_get(struct drm_dev_ctx_id_obj *obj)
{
	kref_get(&obj->__kref);
}

/**
 * drm_dev_ctx_id_number() - the id of an object
 * @obj: the object
 *
 * For messages. Another object can have the id by now.
 *
 * Context: Any.
 *
 * Return: the id that drm_dev_ctx_id_publish() returned, or 0 before that.
 */
static inline u32 drm_dev_ctx_id_number(const struct drm_dev_ctx_id_obj *obj)
{
	return READ_ONCE(obj->__number);
}

/*
 * The argument is untyped, as with DEFINE_FREE(). The struct drm_dev_ctx_id_obj is the first member
 * of the driver's structure. No compiler checks the type of the variable.
 */
static __always_inline void __free_drm_dev_ctx_id(void *p)
{
	struct drm_dev_ctx_id_obj *obj = *(struct drm_dev_ctx_id_obj **)p;

	if (!IS_ERR_OR_NULL(obj))
		drm_dev_ctx_id_put(obj);
}

#endif /* _DRM_DEV_CTX_IDS_H */
