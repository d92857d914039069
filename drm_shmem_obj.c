// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/unroll.h>

#include <drm/drm_drv.h>
#include <drm/drm_dumb_buffers.h>
#include <drm/drm_prime.h>
#include <drm/drm_print.h>

#include "drm_shmem_internal.h"
#include "drm_shmem_trace.h"

/**
 * DOC: overview
 *
 * This part of the library provides GEM shmem objects whose kernel mappings and sg tables are
 * accessed through handles. A handle cannot be copied, and ends with its scope or its owner. The
 * type of a handle carries the result of earlier checks, so most accesses need no test, and wrong
 * accesses do not compile.
 *
 * A driver embeds &struct drm_shmem_obj in a type of its own and declares the
 * type once:
 *
 * .. code-block:: c
 *
 *	struct foo_bo {
 *		struct drm_shmem_obj obj;
 *		u32 flags;
 *	};
 *
 *	DRM_SHMEM_OBJ_TYPE(foo_bo_type, struct foo_bo, obj, struct foo_bo_unique);
 *
 * In a C file, it describes the type with the steps that it adds:
 *
 * .. code-block:: c
 *
 *	static int foo_bo_init(struct drm_shmem_obj *obj)
 *	{
 *		struct foo_bo *bo = drm_shmem_from_obj(&foo_bo_type, obj);
 *
 *		bo->flags = FOO_BO_DEFAULT;
 *		return 0;
 *	}
 *
 *	const struct foo_bo_type foo_bo_type = {
 *		DRM_SHMEM_OBJ_FUNCS,
 *		.base.init = foo_bo_init,
 *	};
 *
 *	static struct drm_gem_object *foo_gem_create_object(struct drm_device *drm, size_t size)
 *	{
 *		return drm_shmem_gem_create_object(&foo_bo_type);
 *	}
 *
 *	DEFINE_DRM_GEM_FOPS(foo_fops);
 *
 *	static const struct drm_driver foo_driver = {
 *		.driver_features = DRIVER_GEM | DRIVER_RENDER,
 *		.fops = &foo_fops,
 *		.gem_create_object = foo_gem_create_object,
 *		DRM_SHMEM_RENDER_OPS,
 *	};
 *
 * PRIME imports of this driver are then struct foo_bo, too. A driver with a display uses
 * DRM_SHMEM_DRIVER_OPS, whose dumb buffers are also struct foo_bo. The ioctl that creates one:
 *
 * .. code-block:: c
 *
 *	static int foo_ioctl_bo_create(const struct foo_reg *r,
 *				       struct drm_foo_bo_create *args,
 *				       struct drm_file *file)
 *	{
 *		struct drm_device *drm = drm_dev_ctx_reg_drm(&r->base);
 *		struct foo_bo_unique *unique __free(drm_shmem) =
 *			drm_shmem_create(&foo_bo_type, drm, args->size, NULL);
 *
 *		if (IS_ERR(unique))
 *			return PTR_ERR(unique);
 *		drm_shmem_from_unique(&foo_bo_type, unique)->flags = args->flags;
 *
 *		struct foo_bo *bo __free(drm_shmem) = drm_shmem_publish(&foo_bo_type, &unique);
 *
 *		return drm_shmem_handle_create(&bo->obj, file, &args->handle);
 *	}
 *
 * The type of a CPU mapping carries the minimum size of the mapping. The compiler checks constant
 * offsets and members against that size. For offsets that are only known at run time, use
 * drm_vmap_try_read32() and its siblings:
 *
 * .. code-block:: c
 *
 *	struct foo_ring_map {
 *		DRM_VMAP(SZ_4K);
 *	};
 *
 *	struct foo_ring_map_owned {
 *		DRM_VMAP_OWNED(struct foo_ring_map);
 *	};
 *
 *	static void foo_ring_kick(const struct foo_ring_map *map, u32 tail)
 *	{
 *		drm_vmap_write_field(map, struct foo_ring, tail, tail);
 *	}
 *
 *	static int foo_ring_reset(struct foo_bo *bo)
 *	{
 *		int ret;
 *
 *		drm_vmap_guard(foo_ring_map, map, &bo->obj, ret)
 *			foo_ring_kick(map, 0);
 *
 *		return ret;
 *	}
 *
 * A structure that needs a long-lived mapping owns the mapping, and through it the object:
 *
 * .. code-block:: c
 *
 *	struct foo_queue {
 *		struct foo_ring_map_owned ring;
 *	};
 *
 *	static int foo_queue_init(struct foo_queue *queue, struct foo_bo *bo)
 *	{
 *		return drm_vmap_own(&queue->ring, &bo->obj);
 *	}
 *
 *	static void foo_queue_kick(struct foo_queue *queue, u32 tail)
 *	{
 *		foo_ring_kick(drm_vmap_borrow(&queue->ring), tail);
 *	}
 *
 *	static void foo_queue_fini(struct foo_queue *queue)
 *	{
 *		drm_vmap_release(&queue->ring);
 *	}
 *
 * Mappings need only a &struct drm_gem_shmem_object. sg tables need the whole
 * &struct drm_shmem_obj, and the proof that the parent of the device is bound:
 *
 * .. code-block:: c
 *
 *	struct foo_mapping {
 *		struct drm_shmem_sgt_owned sgt;
 *	};
 *
 *	static int foo_map_gpu(const struct foo_reg *r, struct foo_bo *bo,
 *			       struct foo_mapping *map)
 *	{
 *		struct scatterlist *sg;
 *		int i, ret;
 *
 *		ret = drm_shmem_sgt_own(&map->sgt, &r->base.bound, &bo->obj);
 *		if (ret)
 *			return ret;
 *
 *		drm_shmem_sgt_guard_owned(sgt, &r->base.bound, &map->sgt, ret)
 *			for_each_sgtable_dma_sg(drm_shmem_sgt_table(sgt), sg, i)
 *				foo_write_ptes(r, sg_dma_address(sg), sg_dma_len(sg));
 *
 *		return ret;
 *	}
 *
 * When the parent is unbound, the library unmaps each table once, and the object gets no other
 * table after that. Code that keeps addresses of a table holds a &struct drm_shmem_sgt_owned,
 * and the type's sgt_revoked step tells it about the unbind. Code that only reads a table while
 * a block runs borrows the table, with drm_shmem_sgt_guard().
 *
 * Locking: functions without the suffix _locked take the reservation lock where they have to,
 * and must be called without it. Functions with the suffix _interruptible fail with -EINTR if a
 * signal arrives while they wait for that lock. An ioctl calls one of these, or it takes the
 * lock with dma_resv_lock_interruptible() and calls a function with the suffix _locked: each
 * function that can fail and waits for the lock has one of these two forms.
 *
 * Other waits only end early, with -EINTR, if a signal kills the task: waits in system calls
 * that the core serves, such as mmap() of the device, and waits for the exporter of an imported
 * object, for the lock or for fences. The steps of a driver and of a dma-buf's exporter may
 * return any error.
 *
 * Lifetime: an object keeps its &struct drm_device, but not the binding of the parent. An owned
 * handle holds a reference to its object. Do not store the handle in that same object: the object
 * would never be freed.
 */

/*
 * The object that the reservation object belongs to. __drm_shmem_create()
 * accepts only parents that use their own, so the container is right.
 */
static struct drm_gem_object *drm_shmem_resv_parent(struct drm_shmem_obj *obj)
{
	struct drm_gem_object *gem = &obj->base.base;

	return drm_gem_is_imported(gem) ? NULL : drm_gem_resv_owner(gem);
}

/*
 * The caller may hold the reservation locks of other objects, including the one that this object
 * shares.
 */
static void drm_shmem_release_own(struct drm_shmem_obj *obj, bool mapped)
{
	struct drm_gem_object *gem = &obj->base.base;

	drm_gem_lock_freed(gem);
	if (mapped)
		__drm_shmem_sgt_destroy(obj);
	/* Another task may have held the lock when the last userspace mapping ended. */
	__drm_shmem_mmap_unpopulate(obj);
	drm_gem_shmem_release_locked(&obj->base);
	dma_resv_unlock(gem->resv);
	drm_gem_shmem_release_unlocked(&obj->base);
}

/* @mapped says that __drm_shmem_sgt_take() succeeded. Does not wait for the exporter's lock. */
static void drm_shmem_destroy_import(struct drm_shmem_obj *obj, bool mapped)
{
	struct drm_gem_object *gem = &obj->base.base;
	struct dma_buf_attachment *attach = gem->import_attach;
	struct sg_table *sgt = mapped ? obj->__table.__sgt : NULL;
	struct drm_dev_ctx *ctx = mapped ? __drm_shmem_ctx(obj) : NULL;
	struct drm_device *drm = gem->dev;

	if (mapped)
		trace_drm_shmem_sgt_unmap(gem);
	drm_shmem_debug_fini(obj);
	__drm_shmem_free_row(obj);
	drm_gem_object_release(gem);
	__drm_shmem_prime_end(obj, attach, sgt, ctx);
	drm_dev_put(drm);
}

static void drm_shmem_destroy_own(struct drm_shmem_obj *obj, bool mapped)
{
	struct drm_gem_object *parent = drm_shmem_resv_parent(obj);
	struct drm_device *drm = obj->base.base.dev;

	drm_shmem_debug_fini(obj);
	__drm_shmem_free_row(obj);
	drm_shmem_release_own(obj, mapped);
	kfree(obj);
	drm_gem_object_put(parent);
	drm_dev_put(drm);
}

static struct dma_buf *drm_shmem_incomplete_export(struct drm_gem_object *gem, int flags)
{
	return ERR_PTR(drm_shmem_check_published(gem));
}

static int drm_shmem_incomplete_mmap(struct drm_gem_object *gem, struct vm_area_struct *vma)
{
	return -EINVAL;
}

static int drm_shmem_incomplete_evict(struct drm_shmem_obj *obj)
{
	return -EBUSY;
}

/*
 * The type of an object until its init step has succeeded. The init step can map the
 * object. Putting the last reference frees it, without the driver's fini step.
 */
static const struct drm_shmem_obj_type drm_shmem_incomplete_type = {
	.funcs = {
		.free = drm_shmem_funcs_free,
		.open = drm_shmem_funcs_open,
		.print_info = drm_gem_shmem_object_print_info,
		.export = drm_shmem_incomplete_export,
		.pin = drm_shmem_funcs_pin,
		.unpin = drm_shmem_funcs_unpin,
		.get_sg_table = drm_shmem_funcs_get_sg_table,
		.vmap = drm_shmem_funcs_vmap,
		.vunmap = drm_shmem_funcs_vunmap,
		.mmap = drm_shmem_incomplete_mmap,
		.status = drm_shmem_funcs_status,
		.vm_ops = &__drm_shmem_vm_ops,
	},
	.evict = drm_shmem_incomplete_evict,
};

/*
 * The functions of an object that the core makes of the memory that
 * drm_shmem_gem_create_object() returns: copies of the core's functions, because the core's
 * struct is static. Their address tells such memory from memory that a driver allocates by
 * itself.
 */
static const struct drm_gem_object_funcs drm_shmem_core_funcs = {
	.free = drm_gem_shmem_object_free,
	.print_info = drm_gem_shmem_object_print_info,
	.pin = drm_gem_shmem_object_pin,
	.unpin = drm_gem_shmem_object_unpin,
	.get_sg_table = drm_gem_shmem_object_get_sg_table,
	.vmap = drm_gem_shmem_object_vmap,
	.vunmap = drm_gem_shmem_object_vunmap,
	.mmap = drm_gem_shmem_object_mmap,
	.vm_ops = &drm_gem_shmem_vm_ops,
};

/* From here on the last reference frees the object. */
static void drm_shmem_begin(const struct drm_shmem_obj_type *type,
			    struct drm_device *drm, struct drm_shmem_obj *obj)
{
	drm_dev_get(drm);
	drm_shmem_debug_init(obj, type);
	obj->base.base.funcs = &drm_shmem_incomplete_type.funcs;
	/* The union no longer holds @__made_for. */
	obj->__vaddr = NULL;
	obj->__flags = (type->flags & ~DRM_SHMEM_DMA32) << __DRM_SHMEM_TYPE_SHIFT;
}

/* Again for a core that does this for some drivers only */
static void drm_shmem_init_gpuva(struct drm_gem_object *gem)
{
	drm_gem_gpuva_init(gem);
}

/*
 * Completes @obj as an object of @type. The memory of @obj has that type's size. On
 * failure the caller puts the object.
 *
 * If the init step has mapped the table, this takes the reservation lock, unless the caller holds
 * it already (@locked), because it belongs to a parent. If the task is killed while it waits, the
 * object is complete, and ends like any other one.
 */
static int drm_shmem_complete(const struct drm_shmem_obj_type *type,
			      struct drm_shmem_obj *obj, bool locked)
{
	struct drm_gem_object *gem = &obj->base.base;
	int ret = type->init ? type->init(obj) : 0;

	if (ret)
		return ret;

	if (!READ_ONCE(obj->__table.__sgt)) {
		gem->funcs = &type->funcs;
		__drm_shmem_show(obj);
		return 0;
	}

	ret = drm_resv_lock_how(gem->resv, locked ? DRM_RESV_LOCKED : DRM_RESV_LOCKS_KILLABLE);
	gem->funcs = &type->funcs;
	if (ret)
		return ret;
	/* The init step mapped the table. Since then, it may have been revoked or moved. */
	if (IS_ERR(READ_ONCE(obj->__table.__sgt)))
		drm_shmem_step_sgt_revoked(obj);
	else if (obj->__flags & __DRM_SHMEM_STALE)
		drm_shmem_step_moved(obj);
	drm_gem_resv_unlock(gem, locked);
	__drm_shmem_show(obj);
	return 0;
}

/* Turns memory into an object that is not complete yet. Frees the memory on failure. */
static int drm_shmem_init(const struct drm_shmem_obj_type *type, struct drm_device *drm,
			  struct drm_shmem_obj *obj, size_t size, struct drm_gem_object *parent)
{
	int ret;

	drm_shmem_begin(type, drm, obj);
	if (parent) {
		drm_gem_object_get(parent);
		obj->base.base.resv = parent->resv;
	}
	ret = drm_gem_shmem_init_hidden(drm, &obj->base, size);
	if (ret) {
		drm_shmem_debug_fini(obj);
		kfree(obj);
		drm_gem_object_put(parent);
		drm_dev_put(drm);
		return ret;
	}
	drm_shmem_init_gpuva(&obj->base.base);
	__drm_shmem_place(obj, type->flags & DRM_SHMEM_DMA32);
	return 0;
}

/* Turns memory into an object. Frees the memory on failure. */
static int drm_shmem_make(const struct drm_shmem_obj_type *type, struct drm_device *drm,
			  struct drm_shmem_obj *obj, size_t size,
			  const struct drm_shmem_opts *opts)
{
	int ret;

	ret = drm_shmem_init(type, drm, obj, size, opts->resv_parent);
	if (ret)
		return ret;
	obj->base.map_wc = opts->map_wc;
	if (opts->no_mmap)
		WRITE_ONCE(obj->__flags, obj->__flags | __DRM_SHMEM_NO_MMAP);

	ret = drm_shmem_complete(type, obj, opts->resv_locked);
	if (ret)
		drm_gem_object_put(&obj->base.base);
	return ret;
}

/* The size in whole pages, or 0 if no object can have it */
static size_t drm_shmem_page_align(u64 size)
{
	/* A size that overflows is rounded to zero, too. */
	size = PAGE_ALIGN(size);
	return overflows_type(size, size_t) ? 0 : size;
}

/* Returns 0, -EINVAL or -EALREADY. */
static int drm_shmem_check_parent(struct drm_device *drm, const struct drm_shmem_opts *opts)
{
	struct drm_gem_object *parent = opts->resv_parent;

	if (!parent) {
		if (!opts->resv_locked)
			return 0;
		drm_safe_broken(drm, "resv_locked needs a resv_parent",
				"resv_locked is set, but no resv_parent");
		return -EINVAL;
	}
	if (parent->dev != drm) {
		drm_safe_broken(drm, "both are of one device",
				"resv_parent belongs to another device");
		return -EINVAL;
	}
	if (drm_gem_resv_owner(parent)) {
		drm_safe_broken(drm, "a reservation object is shared by its owner",
				"resv_parent shares the lock of another object: pass that object");
		return -EINVAL;
	}
	return __drm_gem_resv_check(parent, opts->resv_locked);
}

/*
 * The library knows an object by its functions, and each function keeps invariants. All of
 * them are in this module, so their addresses are the same for each driver.
 */
static bool drm_shmem_type_is_whole(const struct drm_shmem_obj_type *type)
{
	static const struct {
		struct drm_shmem_obj_type base;
	} whole = {
		DRM_SHMEM_OBJ_FUNCS,
	};
	const unsigned long *is = (const unsigned long *)&type->funcs;
	const unsigned long *should = (const unsigned long *)&whole.base.funcs;
	unsigned long differs = 0;

	/* This runs for each object, and memcmp() would take three times as many instructions. */
	unrolled_full
	for (size_t i = 0; i < sizeof(type->funcs) / sizeof(*is); i++)
		differs |= is[i] ^ should[i];

	return !differs;
}

/**
 * __drm_shmem_kind_broken() - report an incomplete description of a kind
 * @type: its type
 *
 * Context: Any.
 *
 * Return: NULL, for which no object is made.
 */
const struct drm_shmem_obj_type *__drm_shmem_kind_broken(const struct drm_shmem_obj_type *type)
{
	drm_safe_broken(NULL, "a kind has a base and operations",
			"use DRM_SHMEM_OBJ_KIND_OF() in the definition of the kind");
	return NULL;
}
EXPORT_SYMBOL_GPL(__drm_shmem_kind_broken);

/* Reports a step that needs to know when the last user of a table has left. */
static bool drm_shmem_type_is_uncounted(const struct drm_shmem_obj_type *type)
{
	if (type->flags & DRM_SHMEM_RECLAIM)
		return false;
	if (type->moved)
		drm_safe_broken(NULL, "a type that follows counts the users of its tables",
				"it has a moved step, but its flags lack DRM_SHMEM_RECLAIM");
	if (type->evict)
		drm_safe_broken(NULL, "a type that evicts counts the users of its tables",
				"it has an evict step, but its flags lack DRM_SHMEM_RECLAIM");
	return type->moved || type->evict;
}

/* Reports a step that is never called. */
static bool drm_shmem_type_is_unmapped(const struct drm_shmem_obj_type *type)
{
	if (!type->mmap || !(type->flags & DRM_SHMEM_NO_MMAP))
		return false;
	drm_safe_broken(NULL, "a type with an mmap step can be mapped",
			"it has an mmap step, but its flags have DRM_SHMEM_NO_MMAP");
	return true;
}

/**
 * __drm_shmem_alloc() - memory for an object that the core makes
 * @type: its type
 * @type_size: size of the driver's structure
 *
 * See drm_shmem_gem_create_object(), which drivers call.
 *
 * Context: May sleep.
 *
 * Return: the zeroed object, or an ERR_PTR().
 */
struct drm_gem_object *__drm_shmem_alloc(const struct drm_shmem_obj_type *type, size_t type_size)
{
	struct drm_shmem_obj *obj;

	/* __drm_shmem_kind_broken() has reported this. */
	if (!type)
		return ERR_PTR(-EINVAL);
	if (!drm_shmem_type_is_whole(type)) {
		drm_safe_broken(NULL, "a type has the library's functions",
				"use DRM_SHMEM_OBJ_FUNCS in the definition of the type, and override none of its functions");
		return ERR_PTR(-EINVAL);
	}
	if (drm_shmem_type_is_uncounted(type) || drm_shmem_type_is_unmapped(type))
		return ERR_PTR(-EINVAL);

	obj = kzalloc(type_size, GFP_KERNEL_ACCOUNT);
	if (!obj)
		return ERR_PTR(-ENOMEM);
	obj->base.base.funcs = &drm_shmem_core_funcs;
	obj->__made_for = type;
	return &obj->base.base;
}
EXPORT_SYMBOL_GPL(__drm_shmem_alloc);

/**
 * __drm_shmem_create() - create an object
 * @type: its type
 * @type_size: size of the driver's structure
 * @drm: its device
 * @size: size in bytes
 * @opts: options, or NULL
 *
 * See drm_shmem_create(), which drivers call.
 *
 * Context: May sleep.
 *
 * Return: the object, or an ERR_PTR().
 */
struct drm_shmem_obj *
__drm_shmem_create(const struct drm_shmem_obj_type *type, size_t type_size,
		   struct drm_device *drm, u64 size, const struct drm_shmem_opts *opts)
{
	static const struct drm_shmem_opts none;
	const size_t aligned = drm_shmem_page_align(size);
	struct drm_gem_object *gem;
	int ret;

	opts = opts ?: &none;
	if (!aligned)
		return ERR_PTR(-EINVAL);
	ret = drm_shmem_check_parent(drm, opts);
	if (ret)
		return ERR_PTR(ret);

	gem = __drm_shmem_alloc(type, type_size);
	if (IS_ERR(gem))
		return ERR_CAST(gem);
	ret = drm_shmem_make(type, drm, to_drm_shmem_obj(gem), aligned, opts);
	return ret ? ERR_PTR(ret) : to_drm_shmem_obj(gem);
}
EXPORT_SYMBOL_GPL(__drm_shmem_create);

/**
 * __drm_shmem_publish() - let others have an object
 * @obj: the object, not shared yet
 *
 * See drm_shmem_publish(), which drivers call.
 *
 * Context: Any.
 */
void __drm_shmem_publish(struct drm_shmem_obj *obj)
{
	/* Not a bit of @__flags, because revocation and eviction may change those concurrently. */
	WRITE_ONCE(obj->__published, true);
}
EXPORT_SYMBOL_GPL(__drm_shmem_publish);

/**
 * drm_shmem_handle_create() - make a handle to an object
 * @obj: the object
 * @file: the file that gets the handle
 * @handle: where the handle is stored
 *
 * Context: May sleep. Calls the type's open step.
 *
 * Return: 0, -EINVAL for a file of another device or an object that was not
 * published, -ENOMEM, -ENOSPC, or the error of the open step.
 */
int drm_shmem_handle_create(struct drm_shmem_obj *obj, struct drm_file *file, u32 *handle)
{
	struct drm_gem_object *gem = &obj->base.base;

	if (file->minor->dev != gem->dev) {
		drm_safe_broken(gem->dev, "both are of one device",
				"the file belongs to another device");
		return -EINVAL;
	}
	return drm_gem_handle_create(file, gem, handle);
}
EXPORT_SYMBOL_GPL(drm_shmem_handle_create);

/**
 * __drm_shmem_lookup() - the object that a handle stands for
 * @type: the type that it has to be of
 * @file: the file that the handle is from
 * @handle: the handle
 *
 * See drm_shmem_lookup(), which drivers call.
 *
 * Context: May sleep.
 *
 * Return: the object with a reference, ERR_PTR(-ENOENT), or ERR_PTR(-EINVAL)
 * if it is of another type.
 */
struct drm_shmem_obj *
__drm_shmem_lookup(const struct drm_shmem_obj_type *type, struct drm_file *file,
		   u32 handle)
{
	struct drm_gem_object *gem = drm_gem_object_lookup(file, handle);

	if (!gem)
		return ERR_PTR(-ENOENT);
	if (gem->funcs != &type->funcs) {
		drm_gem_object_put(gem);
		return ERR_PTR(-EINVAL);
	}
	return to_drm_shmem_obj(gem);
}
EXPORT_SYMBOL_GPL(__drm_shmem_lookup);

/**
 * __drm_shmem_lookup_base() - the object that a handle stands for, of any kind of a base
 * @base: the base that its type has to be a kind of
 * @file: the file that the handle is from
 * @handle: the handle
 *
 * See drm_shmem_lookup(), which drivers call.
 *
 * Context: May sleep.
 *
 * Return: as __drm_shmem_lookup().
 */
struct drm_shmem_obj *
__drm_shmem_lookup_base(const struct drm_shmem_obj_base *base, struct drm_file *file,
			u32 handle)
{
	struct drm_gem_object *gem = drm_gem_object_lookup(file, handle);

	if (!gem)
		return ERR_PTR(-ENOENT);
	if (!__drm_shmem_obj_of_base(base, gem)) {
		drm_gem_object_put(gem);
		return ERR_PTR(-EINVAL);
	}
	return to_drm_shmem_obj(gem);
}
EXPORT_SYMBOL_GPL(__drm_shmem_lookup_base);

static int drm_shmem_core_mmap_offset(struct drm_gem_object *gem, u64 *offset)
{
	int ret = drm_gem_create_mmap_offset(gem);

	if (!ret)
		*offset = drm_vma_node_offset_addr(&gem->vma_node);
	return ret;
}

/*
 * Gives the object its mmap offset, unless userspace cannot map it. No lookup finds the
 * object by an offset before this.
 */
static int drm_shmem_add_offset(struct drm_shmem_obj *obj, u64 *offset, enum drm_resv_how how)
{
	struct drm_gem_object *gem = &obj->base.base;
	int ret = drm_shmem_check_published(gem);

	if (ret)
		return ret;
	/* Nothing purges an import, and its lock is the exporter's. */
	if (drm_gem_is_imported(gem))
		return drm_shmem_core_mmap_offset(gem, offset);

	ret = drm_gem_resv_lock_call(gem, how);
	if (ret)
		return ret;

	ret = drm_shmem_check_purged(obj) ?: drm_gem_create_mmap_offset(gem);
	if (!ret)
		*offset = drm_vma_node_offset_addr(&gem->vma_node);
	dma_resv_unlock(gem->resv);

	return ret;
}

static int drm_shmem_do_mmap_offset(struct drm_shmem_obj *obj, u64 *offset,
				    enum drm_resv_how how)
{
	if (READ_ONCE(obj->__flags) & __DRM_SHMEM_NO_MMAP)
		return -EPERM;
	return drm_shmem_add_offset(obj, offset, how);
}

/**
 * drm_shmem_mmap_offset() - offset at which userspace can mmap an object
 * @obj: the object
 * @offset: where the offset is stored, in bytes
 *
 * The exporter of an import decides whether mmap() at its offset succeeds.
 *
 * Context: May sleep. Takes the reservation lock, except for imports.
 *
 * Return: 0, -EINVAL for objects that were not published, -EPERM if userspace cannot map the
 * object, -ENODATA for purged ones, -ENOSPC, -ENOMEM, or -EALREADY if called under the lock, which
 * is reported.
 */
int drm_shmem_mmap_offset(struct drm_shmem_obj *obj, u64 *offset)
{
	return drm_shmem_do_mmap_offset(obj, offset, DRM_RESV_LOCKS);
}
EXPORT_SYMBOL_GPL(drm_shmem_mmap_offset);

/**
 * drm_shmem_mmap_offset_interruptible() - the same, with an interruptible wait
 * @obj: the object
 * @offset: where the offset is stored, in bytes
 *
 * Context: As drm_shmem_mmap_offset().
 *
 * Return: as drm_shmem_mmap_offset(), or -EINTR if a signal came while it waited for the
 * lock.
 */
int drm_shmem_mmap_offset_interruptible(struct drm_shmem_obj *obj, u64 *offset)
{
	return drm_shmem_do_mmap_offset(obj, offset, DRM_RESV_LOCKS_INTERRUPTIBLE);
}
EXPORT_SYMBOL_GPL(drm_shmem_mmap_offset_interruptible);

/**
 * drm_shmem_dumb_map_offset() - &drm_driver.dumb_map_offset
 * @file: the file that the handle is from
 * @drm: the device
 * @handle: the handle
 * @offset: where the offset is stored, in bytes
 *
 * Part of DRM_SHMEM_DRIVER_OPS. The core's drm_gem_dumb_map_offset() gives an offset to
 * objects that userspace cannot map, and to purged ones. This function still does what
 * the core's does for objects of the driver that are not of a type of the library, and like the
 * core's it refuses imports.
 *
 * Context: May sleep.
 *
 * Return: 0, -ENOENT if there is no such handle, -EINVAL for imports, -EINTR if the task was killed
 * while it waited for the lock, or as drm_shmem_mmap_offset().
 */
int drm_shmem_dumb_map_offset(struct drm_file *file, struct drm_device *drm, u32 handle,
			      u64 *offset)
{
	struct drm_gem_object *gem = drm_gem_object_lookup(file, handle);
	int ret;

	if (!gem)
		return -ENOENT;
	if (drm_gem_is_imported(gem))
		ret = -EINVAL;
	else if (gem->funcs->vm_ops == &__drm_shmem_vm_ops)
		ret = drm_shmem_do_mmap_offset(to_drm_shmem_obj(gem), offset,
					       DRM_RESV_LOCKS_KILLABLE);
	else	/* Not the core's function: the handle may belong to another object by now. */
		ret = drm_shmem_core_mmap_offset(gem, offset);
	drm_gem_object_put(gem);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_shmem_dumb_map_offset);

/**
 * drm_shmem_export_check() - whether an object may have a dma-buf
 * @gem: the object, complete
 *
 * Gives the object an mmap offset, because the core maps and unmaps a dma-buf there.
 *
 * The core calls this under a lock that all clients of the device need, so this does not wait for
 * the reservation lock. The object can be purged right after this. Uses of its dma-buf then fail.
 *
 * Context: May sleep. The caller may hold any reservation lock.
 *
 * Return: 0, -EINVAL for imported objects and those that were not published, -ENODATA for purged
 * ones, -ENOSPC, or -ENOMEM.
 */
int drm_shmem_export_check(struct drm_gem_object *gem)
{
	const struct drm_shmem_obj *obj = to_drm_shmem_obj(gem);
	int ret = drm_gem_is_imported(gem) ? -EINVAL : drm_shmem_check_published(gem);

	if (ret)
		return ret;
	/* Unlocked: see above */
	if (data_race(obj->base.madv) < 0)
		return -ENODATA;
	return READ_ONCE(obj->__flags) & __DRM_SHMEM_NO_MMAP ? 0 : drm_gem_create_mmap_offset(gem);
}

/*
 * Returns the type that &drm_driver.gem_create_object made @gem for, or NULL if it is not
 * a type of the library. @gem is only memory so far, or an object of the core.
 */
static const struct drm_shmem_obj_type *drm_shmem_made_for(struct drm_device *drm,
							   struct drm_gem_object *gem)
{
	if (gem && gem->funcs == &drm_shmem_core_funcs)
		return to_drm_shmem_obj(gem)->__made_for;

	drm_safe_broken(drm, "dumb buffers and imports have a type",
			"gem_create_object of the struct drm_driver does not call drm_shmem_gem_create_object()");
	return NULL;
}

/* Makes a dumb buffer, of the type that the driver uses for objects that the core makes. */
static struct drm_shmem_obj *drm_shmem_create_dumb(struct drm_device *drm, u64 size)
{
	static const struct drm_shmem_opts none;
	const size_t aligned = drm_shmem_page_align(size);
	const struct drm_shmem_obj_type *type;
	struct drm_gem_object *gem;
	int ret;

	if (!aligned)
		return ERR_PTR(-EINVAL);
	gem = drm->driver->gem_create_object ? drm->driver->gem_create_object(drm, aligned) : NULL;
	if (IS_ERR(gem))
		return ERR_CAST(gem);
	type = drm_shmem_made_for(drm, gem);
	/*
	 * kfree() may not be the right way to free the driver's memory, and the memory need not
	 * begin at @gem. So leak it.
	 */
	if (!type)
		return ERR_PTR(-EINVAL);
	ret = drm_shmem_make(type, drm, to_drm_shmem_obj(gem), aligned, &none);
	return ret ? ERR_PTR(ret) : to_drm_shmem_obj(gem);
}

/**
 * drm_shmem_dumb_create() - &drm_driver.dumb_create
 * @file: the file that gets the handle
 * @drm: the device
 * @args: the ioctl's argument
 *
 * Part of DRM_SHMEM_DRIVER_OPS.
 *
 * Context: May sleep.
 *
 * Return: 0 or a negative error code.
 */
int drm_shmem_dumb_create(struct drm_file *file, struct drm_device *drm,
			  struct drm_mode_create_dumb *args)
{
	struct drm_shmem_obj *obj;
	int ret;

	ret = drm_mode_size_dumb(drm, args, 0, 0);
	if (ret)
		return ret;

	obj = drm_shmem_create_dumb(drm, args->size);
	if (IS_ERR(obj))
		return PTR_ERR(obj);

	__drm_shmem_publish(obj);
	ret = drm_shmem_handle_create(obj, file, &args->handle);
	drm_gem_object_put(&obj->base.base);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_shmem_dumb_create);

/*
 * Makes an import that is neither complete nor attached, and returns its future type.
 */
static struct drm_shmem_obj *drm_shmem_alloc_import(struct drm_device *drm,
						    struct dma_buf *dma_buf,
						    const struct drm_shmem_obj_type **type)
{
	/* The core only reads the dma-buf from the attachment. */
	struct dma_buf_attachment of = { .dmabuf = dma_buf };
	struct drm_gem_object *gem;
	struct drm_shmem_obj *obj;

	/* A lookup may find this object, but does not put the last reference to it. */
	gem = drm_gem_shmem_prime_import_sg_table(drm, &of, NULL);
	if (IS_ERR(gem))
		return ERR_CAST(gem);
	*type = drm_shmem_made_for(drm, gem);
	if (!*type) {
		drm_gem_object_put(gem);
		return ERR_PTR(-EINVAL);
	}

	obj = to_drm_shmem_obj(gem);
	drm_shmem_begin(*type, drm, obj);
	/*
	 * The core makes an import with an mmap offset, where a lookup can find it. A lookup that
	 * found it may hold a reference for a while. After this, lookups cannot find it.
	 */
	drm_gem_free_mmap_offset(gem);
	drm_shmem_init_gpuva(gem);
	return obj;
}

/*
 * Once the end of an import that follows has begun, the library no longer handles moves of its
 * memory. So if ends of a type may wait for the hardware, the exporter has to pin the memory.
 */
static bool drm_shmem_type_follows(const struct drm_shmem_obj_type *type)
{
	return type->moved && !type->release;
}

/* Puts @obj on failure. */
static int drm_shmem_attach_import(const struct drm_shmem_obj_type *type,
				   struct drm_shmem_obj *obj, struct dma_buf *dma_buf)
{
	struct drm_gem_object *gem = &obj->base.base;
	struct dma_buf_attachment *attach;

	/* The exporter can call back as soon as the object is attached. */
	gem->resv = dma_buf->resv;
	attach = __drm_shmem_prime_attach(gem->dev, dma_buf,
					  drm_shmem_type_follows(type) ? obj : NULL);
	if (IS_ERR(attach)) {
		drm_gem_unshare_resv(gem);
		drm_gem_object_put(gem);
		return PTR_ERR(attach);
	}
	gem->import_attach = attach;
	return 0;
}

/**
 * drm_shmem_prime_import_no_map() - &drm_driver.gem_prime_import
 * @drm: the device
 * @dma_buf: the dma-buf to import
 *
 * Like drm_gem_shmem_prime_import_no_map(), but attaches the DMA device. Part of
 * DRM_SHMEM_DRIVER_OPS.
 *
 * Context: May sleep. Takes the reservation lock of the dma-buf.
 *
 * Return: the object with a reference, or an ERR_PTR(): -EINTR if the task was killed while
 * it waited for the exporter's lock; -ENOMEM; or what the exporter or the type's init step
 * returned.
 */
struct drm_gem_object *drm_shmem_prime_import_no_map(struct drm_device *drm,
						     struct dma_buf *dma_buf)
{
	const struct drm_shmem_obj_type *type;
	struct drm_gem_object *gem;
	struct drm_shmem_obj *obj;
	int ret;

	gem = __drm_shmem_prime_own(drm, dma_buf);
	if (gem)
		return gem;

	obj = drm_shmem_alloc_import(drm, dma_buf, &type);
	if (IS_ERR(obj))
		return ERR_CAST(obj);
	ret = drm_shmem_attach_import(type, obj, dma_buf);
	if (ret)
		return ERR_PTR(ret);

	gem = &obj->base.base;
	ret = drm_shmem_complete(type, obj, false);
	if (ret) {
		drm_gem_object_put(gem);
		return ERR_PTR(ret);
	}
	__drm_shmem_publish(obj);
	return gem;
}
EXPORT_SYMBOL_GPL(drm_shmem_prime_import_no_map);

/* In the init step, the table belongs to the object. On failure the table belongs to the core. */
static int drm_shmem_complete_import(const struct drm_shmem_obj_type *type,
				     struct drm_shmem_obj *obj, struct sg_table *sgt)
{
	/* drm_dev_ctx_revocable_add() refuses a device without contexts. */
	const struct drm_dev_ctx_bound bound = { .__ctx = __drm_shmem_ctx(obj) };
	int ret;

	ret = __drm_shmem_sgt_adopt(&bound, obj, sgt);
	if (ret)
		return ret;
	ret = type->init ? type->init(obj) : 0;
	if (ret) {
		__drm_shmem_sgt_disown(obj);
		return ret;
	}
	/*
	 * This runs in a section, so the table was not revoked. No step needs to be called, and no
	 * lock taken.
	 */
	obj->base.base.funcs = &type->funcs;
	__drm_shmem_show(obj);
	return 0;
}

/**
 * drm_shmem_prime_import_sg_table() - &drm_driver.gem_prime_import_sg_table
 * @drm: the device
 * @attach: attachment of the device to the dma-buf, made by the core or drm_shmem_prime_import(),
 *	which also use its private data
 * @sgt: the dma-buf's sg table, mapped for the device
 *
 * Part of DRM_SHMEM_DRIVER_OPS_SGT. On success, the object owns the attachment and the table. If a
 * driver wraps this in a callback that may fail and put the object again, the driver must import
 * with drm_shmem_prime_import(), because the core would unmap and detach a second time. An init
 * step of the type is a simpler place for such code.
 *
 * Context: May sleep.
 *
 * Return: the object with a reference; ERR_PTR(-ENODEV) unless the device is
 * registered; or another ERR_PTR().
 */
struct drm_gem_object *drm_shmem_prime_import_sg_table(struct drm_device *drm,
						       struct dma_buf_attachment *attach,
						       struct sg_table *sgt)
{
	const struct drm_shmem_obj_type *type;
	struct drm_gem_object *gem;
	struct drm_shmem_obj *obj;
	int idx, ret;

	/* A file of the device is open: if it is plugged, its parent is bound. */
	if (!drm_dev_enter(drm, &idx))
		return ERR_PTR(-ENODEV);

	obj = drm_shmem_alloc_import(drm, attach->dmabuf, &type);
	if (IS_ERR(obj)) {
		gem = ERR_CAST(obj);
		goto out;
	}

	gem = &obj->base.base;
	gem->import_attach = attach;
	gem->resv = attach->dmabuf->resv;
	ret = drm_shmem_complete_import(type, obj, sgt);
	if (ret) {
		/* The attachment and the table still belong to the core. */
		gem->import_attach = NULL;
		drm_gem_unshare_resv(gem);
		drm_gem_object_put(gem);
		gem = ERR_PTR(ret);
		goto out;
	}
	__drm_shmem_prime_taken(attach);
	__drm_shmem_publish(obj);
out:
	drm_dev_exit(idx);
	return gem;
}
EXPORT_SYMBOL_GPL(drm_shmem_prime_import_sg_table);

#ifdef CONFIG_DRM_SAFE_DEBUG
/**
 * __drm_shmem_check_type() - report an object that is used as another type
 * @type: the type as which it is used
 * @obj: the object
 *
 * Context: Any.
 */
void __drm_shmem_check_type(const struct drm_shmem_obj_type *type,
			    const struct drm_shmem_obj *obj)
{
	if (obj->__type != type)
		drm_safe_broken(obj->base.base.dev, "a step knows the type of its object",
				"drm_shmem_from_obj() was given the description of another type");
}
EXPORT_SYMBOL_GPL(__drm_shmem_check_type);

/**
 * __drm_shmem_check_base() - report an object that is used with another base
 * @base: the base as which it is used
 * @obj: the object
 *
 * Context: Any.
 */
void __drm_shmem_check_base(const struct drm_shmem_obj_base *base,
			    const struct drm_shmem_obj *obj)
{
	if (__drm_shmem_type_base(obj->__type) != base)
		drm_safe_broken(obj->base.base.dev, "a step knows the type of its object",
				"drm_shmem_from_obj() was given the base '%s', but the type has another one",
				base->name);
}
EXPORT_SYMBOL_GPL(__drm_shmem_check_base);
#endif

static bool drm_shmem_may_free(struct drm_shmem_obj *obj)
{
	struct drm_gem_object *gem = &obj->base.base;

	/*
	 * A shared lock belongs to another object, and outlives this one. The lock of an import
	 * belongs to the exporter. The caller may hold it for another import of the same dma-buf.
	 */
	if (!drm_gem_resv_owner(gem) && drm_resv_is_held(gem->resv)) {
		drm_safe_broken(gem->dev, "an object is not freed under its reservation lock",
				"last reference dropped with the lock held; the object is leaked");
		return false;
	}
	if (refcount_read(&obj->__vmap_users)) {
		drm_safe_broken(gem->dev, "a borrowed mapping does not keep the object",
				"last reference dropped with a mapping in use; the object is leaked");
		drm_shmem_debug_print(obj);
		return false;
	}
	/*
	 * One user is the table itself, unless it is stale. An owned handle keeps the object,
	 * so the others can only be borrowed. Objects of other types do not count users.
	 */
	if (refcount_read(&obj->__table.__users) > !(obj->__flags & __DRM_SHMEM_STALE)) {
		drm_safe_broken(gem->dev, "a borrowed sg table does not keep the object",
				"last reference dropped with a table in use; the object is leaked");
		return false;
	}
	return true;
}

/* Gives the object a reference that is never put. Its table is still revoked. */
static void drm_shmem_leak(struct drm_shmem_obj *obj)
{
	struct drm_gem_object *gem = &obj->base.base;

	drm_gem_leak_freed(gem);
	/* The exporter may call the library when it moves the memory. */
	if (drm_gem_is_imported(gem))
		__module_get(THIS_MODULE);
	/* If unbinding has found no reference before, it waits for this. */
	if (drm_shmem_has_sgt(obj))
		drm_dev_ctx_revocable_retry(__drm_shmem_ctx(obj));
	else if (drm_gem_is_imported(gem))
		/* The driver may be unloaded before the exporter moves the memory. */
		__drm_shmem_follow_forget(gem->import_attach);
}

/**
 * drm_shmem_funcs_free() - &drm_gem_object_funcs.free
 * @gem: the object
 *
 * An object ends in this order: lookups stop finding it, the type's release step runs, the
 * hardware answers if that step put off the end, the fini step runs, and the memory is freed.
 *
 * Unmapping the table of an imported object and detaching the object take the lock of its exporter,
 * so a work item does that later. Unbinding waits until the table is unmapped.
 *
 * Context: May sleep. The caller may hold the reservation locks of other objects,
 * also the one that this object shares.
 */
void drm_shmem_funcs_free(struct drm_gem_object *gem)
{
	struct drm_shmem_obj *obj = to_drm_shmem_obj(gem);
	const struct drm_shmem_obj_type *type = drm_shmem_obj_type(obj);
	struct drm_shmem_put_off *later;

	/*
	 * The shrinker cannot get a reference any more, and does not count the object from here on.
	 */
	__drm_shmem_leave_lru(obj);
	if (!drm_shmem_may_free(obj)) {
		drm_shmem_leak(obj);
		return;
	}

	__drm_shmem_hide(obj);
	later = type->release ? type->release(obj) ?: __drm_shmem_forgotten(obj) : NULL;
	if (later)
		__drm_shmem_released(obj, later);
	else
		__drm_shmem_finish(obj);
}
EXPORT_SYMBOL_GPL(drm_shmem_funcs_free);

/**
 * __drm_shmem_finish() - free an object that nothing uses any more
 * @obj: the object, without a reference
 *
 * Context: May sleep. The caller may hold the reservation locks of other objects.
 */
void __drm_shmem_finish(struct drm_shmem_obj *obj)
{
	bool mapped;

	/* The parent stays bound, and the table mapped, for the fini step. */
	mapped = __drm_shmem_sgt_take(obj);
	drm_shmem_step_fini(obj);
	mapped = mapped || __drm_shmem_sgt_take(obj);
	if (drm_gem_is_imported(&obj->base.base))
		drm_shmem_destroy_import(obj, mapped);
	else
		drm_shmem_destroy_own(obj, mapped);
}

/**
 * drm_shmem_funcs_open() - &drm_gem_object_funcs.open
 * @gem: the object
 * @file: the file that gets a handle
 *
 * Context: May sleep.
 *
 * Return: 0, -EINVAL if the object was not published, or the error of the type's open step.
 */
int drm_shmem_funcs_open(struct drm_gem_object *gem, struct drm_file *file)
{
	struct drm_shmem_obj *obj = to_drm_shmem_obj(gem);
	const struct drm_shmem_obj_type *type = drm_shmem_obj_type(obj);
	int ret = drm_shmem_check_published(gem);

	return ret || !type->open ? ret : type->open(obj, file);
}
EXPORT_SYMBOL_GPL(drm_shmem_funcs_open);

/**
 * drm_shmem_funcs_close() - &drm_gem_object_funcs.close
 * @gem: the object
 * @file: the file that gives up a handle
 *
 * Context: May sleep.
 */
void drm_shmem_funcs_close(struct drm_gem_object *gem, struct drm_file *file)
{
	struct drm_shmem_obj *obj = to_drm_shmem_obj(gem);
	const struct drm_shmem_obj_type *type = drm_shmem_obj_type(obj);

	if (type->close)
		type->close(obj, file);
}
EXPORT_SYMBOL_GPL(drm_shmem_funcs_close);

/**
 * drm_shmem_funcs_print_info() - &drm_gem_object_funcs.print_info
 * @p: where to print
 * @indent: tabs before each line
 * @gem: the object
 *
 * Context: Any.
 */
void drm_shmem_funcs_print_info(struct drm_printer *p, unsigned int indent,
				const struct drm_gem_object *gem)
{
	const struct drm_shmem_obj *obj = container_of(gem, struct drm_shmem_obj, base.base);
	const struct drm_shmem_obj_type *type = drm_shmem_obj_type(obj);

	drm_gem_shmem_object_print_info(p, indent, gem);
	/* Read without the lock, because this is a statistic */
	drm_printf_indent(p, indent, "evictions=%u\n", READ_ONCE(obj->__evictions));
	if (type->print_info)
		type->print_info(p, indent, obj);
}
EXPORT_SYMBOL_GPL(drm_shmem_funcs_print_info);

/**
 * drm_shmem_funcs_get_sg_table() - &drm_gem_object_funcs.get_sg_table
 * @gem: the object
 *
 * The core calls this for importers of a dma-buf with the core's operations. The core does not pass
 * the device of the importer, so the segments fit the object's own device.
 *
 * Context: May sleep.
 *
 * Return: a table of the object's pages, which are pinned, or an ERR_PTR().
 */
struct sg_table *drm_shmem_funcs_get_sg_table(struct drm_gem_object *gem)
{
	return __drm_shmem_sgt_alloc(to_drm_shmem_obj(gem), __drm_shmem_own_max_segment(gem->dev));
}
EXPORT_SYMBOL_GPL(drm_shmem_funcs_get_sg_table);

/**
 * drm_shmem_funcs_vmap() - &drm_gem_object_funcs.vmap
 * @gem: the object
 * @map: the mapping
 *
 * Context: May sleep. The caller holds the reservation lock.
 *
 * Return: 0, -ENODATA if the object was purged, -ENOMEM also if an exporter gave no
 * address, or another error code.
 */
int drm_shmem_funcs_vmap(struct drm_gem_object *gem, struct iosys_map *map)
{
	struct drm_shmem_obj *obj = to_drm_shmem_obj(gem);
	int ret;

	ret = drm_shmem_check_fillable(obj) ?:
	      __drm_shmem_vmap(gem, drm_gem_shmem_object_vmap, map);
	if (!ret)
		__drm_shmem_relist(obj);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_shmem_funcs_vmap);

/**
 * drm_shmem_funcs_vunmap() - &drm_gem_object_funcs.vunmap
 * @gem: the object
 * @map: the mapping
 *
 * Context: May sleep. The caller holds the reservation lock.
 */
void drm_shmem_funcs_vunmap(struct drm_gem_object *gem, struct iosys_map *map)
{
	struct drm_shmem_obj *obj = to_drm_shmem_obj(gem);

	drm_gem_shmem_vunmap_locked(&obj->base, map);
	__drm_shmem_relist(obj);
}
EXPORT_SYMBOL_GPL(drm_shmem_funcs_vunmap);

static bool drm_shmem_is_resident(const struct drm_shmem_obj *obj)
{
	/* An exporter's pages count as resident while the object maps them. */
	if (drm_gem_is_imported(&obj->base.base))
		return drm_shmem_has_sgt(obj) || refcount_read(&obj->__vmap_users);
	/* Read without the lock: statistics may be stale when they are printed. */
	return data_race(obj->base.pages);
}

/**
 * drm_shmem_funcs_status() - &drm_gem_object_funcs.status
 * @gem: the object
 *
 * Context: Any.
 *
 * Return: the status for memory statistics.
 */
enum drm_gem_object_status drm_shmem_funcs_status(struct drm_gem_object *gem)
{
	struct drm_shmem_obj *obj = to_drm_shmem_obj(gem);
	enum drm_gem_object_status status = 0;

	if (drm_shmem_is_resident(obj))
		status |= DRM_GEM_OBJECT_RESIDENT;
	/* Read without the lock, too */
	if (data_race(obj->base.madv) > 0)
		status |= DRM_GEM_OBJECT_PURGEABLE;
	return status;
}
EXPORT_SYMBOL_GPL(drm_shmem_funcs_status);

MODULE_IMPORT_NS("DMA_BUF");
