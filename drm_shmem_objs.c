// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <linux/export.h>
#include <linux/idr.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "drm_shmem_internal.h"

/**
 * DOC: several objects
 *
 * An ioctl that takes an array of handles looks them up with one call, and gets all objects or
 * none, each of the requested type. drm_gem_objects_lookup(), which drivers use for this, has
 * neither a type nor a limit, does not charge its allocations, and holds the spinlock of the
 * file for as many handles as userspace likes. This library looks up a few handles at a time.
 * In between, a killed task stops, and another task may close a handle that has not been looked
 * up yet.
 */

/* How many handles are looked up under one lock hold, and copied from userspace at once */
#define DRM_SHMEM_OBJS_CHUNK	64u

/* The arguments of a lookup: objects of @type or, if @type is NULL, of any kind of @base */
struct drm_shmem_lookup {
	const struct drm_shmem_obj_type *type;
	const struct drm_shmem_obj_base *base;
	struct drm_file *file;
	struct drm_shmem_objs *objs;
};

/* Allocates an empty array for @count objects, charged to the client. */
static struct drm_shmem_objs *drm_shmem_objs_alloc(u32 count)
{
	struct drm_shmem_objs *objs =
		kvmalloc(struct_size_t(struct drm_shmem_objs, __obj, count),
			 GFP_KERNEL_ACCOUNT | __GFP_NOWARN);

	if (objs)
		objs->__count = 0;
	return objs;
}

/* Adds the object of a handle. The lock keeps the handle, and so the object. */
static int drm_shmem_lookup_one(const struct drm_shmem_lookup *l, u32 handle)
{
	struct drm_gem_object *gem = idr_find(&l->file->object_idr, handle);
	struct drm_shmem_obj *obj;
	u32 i = l->objs->__count;

	if (!gem)
		return -ENOENT;
	obj = l->type ? __drm_shmem_obj_of(l->type, gem) : __drm_shmem_obj_of_base(l->base, gem);
	if (!obj)
		return -EINVAL;
	drm_shmem_get(obj);
	l->objs->__count = i + 1;
	l->objs->__obj[i] = obj;
	return 0;
}

static int drm_shmem_lookup_chunk(const struct drm_shmem_lookup *l, const void *handles,
				  size_t stride, u32 count)
{
	int ret = 0;

	guard(spinlock)(&l->file->table_lock);
	for (u32 i = 0; i < count && !ret; i++)
		ret = drm_shmem_lookup_one(l, *(const u32 *)(handles + i * stride));
	return ret;
}

/* Called between two chunks */
static int drm_shmem_lookup_rests(void)
{
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
}

static int drm_shmem_lookup_all(const struct drm_shmem_lookup *l, const void *handles,
				size_t stride, u32 count)
{
	int ret = 0;
	u32 n;

	for (; count && !ret; count -= n, handles += n * stride) {
		n = min(count, DRM_SHMEM_OBJS_CHUNK);
		ret = drm_shmem_lookup_rests() ?: drm_shmem_lookup_chunk(l, handles, stride, n);
	}
	return ret;
}

static int drm_shmem_lookup_all_user(const struct drm_shmem_lookup *l,
				     const u32 __user *handles, u32 count)
{
	u32 chunk[DRM_SHMEM_OBJS_CHUNK];
	int ret = 0;
	u32 n;

	for (; count && !ret; count -= n, handles += n) {
		n = min(count, DRM_SHMEM_OBJS_CHUNK);
		ret = drm_shmem_lookup_rests();
		if (!ret && copy_from_user(chunk, handles, n * sizeof(*chunk)))
			ret = -EFAULT;
		if (!ret)
			ret = drm_shmem_lookup_chunk(l, chunk, sizeof(*chunk), n);
	}
	return ret;
}

/* Returns all objects or none. @l->objs has the objects that were found before @ret. */
static struct drm_shmem_objs *drm_shmem_lookup_ends(const struct drm_shmem_lookup *l, int ret)
{
	if (!ret)
		return l->objs;
	__drm_shmem_objs_free(l->objs);
	return ERR_PTR(ret);
}

/**
 * __drm_shmem_lookup_user() - the objects that handles in userspace's memory stand for
 * @type: the type that they have to be of, or NULL
 * @base: the base that the type of each has to be a kind of, if @type is NULL
 * @file: the file that the handles are from
 * @handles: the handles, of 32 bits
 * @count: number of handles
 * @limit: maximum number of handles
 *
 * See drm_shmem_lookup_user(), which drivers call.
 *
 * Context: May sleep, and fault.
 *
 * Return: the array, or an ERR_PTR().
 */
struct drm_shmem_objs *
__drm_shmem_lookup_user(const struct drm_shmem_obj_type *type,
			const struct drm_shmem_obj_base *base, struct drm_file *file,
			const void __user *handles, u64 count, u32 limit)
{
	struct drm_shmem_lookup l = { .type = type, .base = base, .file = file };

	might_fault();
	if (count > limit)
		return ERR_PTR(-E2BIG);
	l.objs = drm_shmem_objs_alloc(count);
	if (!l.objs)
		return ERR_PTR(-ENOMEM);
	return drm_shmem_lookup_ends(&l, drm_shmem_lookup_all_user(&l, handles, count));
}
EXPORT_SYMBOL_GPL(__drm_shmem_lookup_user);

/**
 * __drm_shmem_lookup_objs() - the objects that handles in the kernel's memory stand for
 * @type: the type that they have to be of, or NULL
 * @base: the base that the type of each has to be a kind of, if @type is NULL
 * @file: the file that the handles are from
 * @handles: the first handle, of 32 bits
 * @stride: distance between handles, in bytes
 * @count: number of handles
 *
 * See drm_shmem_lookup_handles() and drm_shmem_lookup_members(), which drivers call.
 *
 * Context: May sleep. Without any reservation lock.
 *
 * Return: the array, or an ERR_PTR().
 */
struct drm_shmem_objs *
__drm_shmem_lookup_objs(const struct drm_shmem_obj_type *type,
			const struct drm_shmem_obj_base *base, struct drm_file *file,
			const void *handles, size_t stride, u64 count)
{
	struct drm_shmem_lookup l = { .type = type, .base = base, .file = file };

	might_sleep();
	if (count > U32_MAX)
		return ERR_PTR(-E2BIG);
	l.objs = drm_shmem_objs_alloc(count);
	if (!l.objs)
		return ERR_PTR(-ENOMEM);
	return drm_shmem_lookup_ends(&l, drm_shmem_lookup_all(&l, handles, stride, count));
}
EXPORT_SYMBOL_GPL(__drm_shmem_lookup_objs);

/**
 * __drm_shmem_objs_dup() - copy an array of objects
 * @objs: the array
 *
 * See drm_shmem_objs_dup(), which drivers call.
 *
 * Context: May sleep.
 *
 * Return: the copy, or ERR_PTR(-ENOMEM).
 */
struct drm_shmem_objs *__drm_shmem_objs_dup(const struct drm_shmem_objs *objs)
{
	struct drm_shmem_objs *copy = drm_shmem_objs_alloc(objs->__count);

	if (!copy)
		return ERR_PTR(-ENOMEM);
	copy->__count = objs->__count;
	for (u32 i = 0; i < objs->__count; i++) {
		copy->__obj[i] = objs->__obj[i];
		drm_shmem_get(copy->__obj[i]);
	}
	return copy;
}
EXPORT_SYMBOL_GPL(__drm_shmem_objs_dup);

/**
 * __drm_shmem_objs_free() - give up an array of objects
 * @objs: the array, or NULL
 *
 * See drm_shmem_objs_free(), which drivers call.
 *
 * Context: May sleep. The reservation locks of the objects must not be held.
 */
void __drm_shmem_objs_free(struct drm_shmem_objs *objs)
{
	if (!objs)
		return;
	for (u32 i = 0; i < objs->__count; i++)
		drm_shmem_put(objs->__obj[i]);
	kvfree(objs);
}
EXPORT_SYMBOL_GPL(__drm_shmem_objs_free);
