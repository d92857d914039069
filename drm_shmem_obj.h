/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _DRM_SHMEM_OBJ_H
#define _DRM_SHMEM_OBJ_H

#include <linux/ref_tracker.h>
#include <linux/refcount.h>

#include <drm/drm_file.h>
#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_vma_manager.h>

#include "drm_dev_ctx.h"

struct dma_buf;
struct drm_mode_create_dumb;
struct vm_operations_struct;

/**
 * struct drm_shmem_obj - GEM shmem object whose mappings are handles
 * @base: the GEM shmem object; its own helpers for vmap, pin, sg tables,
 *	madvise and purge are replaced by those of this library
 *
 * The first member of the driver's own struct.
 *
 * Invariants:
 *
 * - @base's &drm_gem_object.funcs are those of the driver's &struct
 *   drm_shmem_obj_type exactly when the object is complete: allocated with that
 *   type's size, and its init step has succeeded. Until then they are those of
 *   a type of the library's own, whose steps do nothing and which gives out no
 *   handle, dma-buf or mapping of userspace.
 * - It holds a reference to its &struct drm_device and, if it shares one, to the
 *   object that the reservation object belongs to.
 * - It has no mmap offset before it is published, except while the core makes
 *   it. A lookup that finds it there gets a reference and no permission.
 * - While @__vmap_users is not zero, @__vaddr is not NULL, it and the flags for
 *   iomem and partial are constant, and the object holds one mapping of @base. All
 *   are changed under the reservation lock, the count from and to zero only then.
 * - @__sgt is NULL, or a table that is mapped for the DMA device, or
 *   ERR_PTR(-ENODEV) for ever after revocation. It is changed under the
 *   reservation lock, or by the task that frees the object. With a table,
 *   @__revocable is on the list of what dies with the parent's binding, or was
 *   taken off by the task that is about to unmap the table.
 * - @__flags is changed before the object is complete, or under the reservation
 *   lock, and read with READ_ONCE() without either.
 * - @__list says which list of a shrinker the object is on. Both are changed under the
 *   reservation lock, until the last reference is gone. A scan moves the object within
 *   its list without that lock.
 * - @__published is set once, without a lock, by the task that has the unique object.
 *   Until then the object has no handle, no dma-buf and no mmap offset, and is on no
 *   list of a shrinker.
 * - @__mmaps counts the VMAs of userspace that show the object. It goes to and from
 *   zero under the reservation lock. Their page table entries exist only while
 *   __DRM_SHMEM_FAULTED is set, which stands for one pin of @base.
 * - @__pins counts the pins of drm_shmem_pin(), each of which is one of @base. It is
 *   changed under the reservation lock.
 * - @__dma_bufs counts the dma-bufs of the object that exist. One whose operations are
 *   the driver's own counts for ever, because nothing tells when it ends.
 * - @__sgt_users is zero while @__sgt is NULL, and one more than the number of
 *   counted users otherwise. It goes to and from zero under the reservation
 *   lock.
 */
struct drm_shmem_obj {
	struct drm_gem_shmem_object base;
	/* private: */
	/* First, in @base's last cache line: read at the end of each object. */
	struct sg_table *__sgt;
	refcount_t __vmap_users;
	refcount_t __sgt_users;
	refcount_t __mmaps;
	atomic_t __dma_bufs;
	unsigned int __pins;
	u8 __flags;
	u8 __list;			/* enum __drm_shmem_list */
	bool __published;		/* no longer unique */
	struct drm_dev_ctx_revocable __revocable;
	void *__vaddr;
#ifdef CONFIG_DRM_SAFE_DEBUG
	struct ref_tracker_dir __handles;
#endif
};

#define __DRM_SHMEM_IOMEM	BIT(0)	/* @__vaddr is an __iomem address */
#define __DRM_SHMEM_RECLAIM	BIT(1)	/* sg table users are counted */
#define __DRM_SHMEM_LRU		BIT(2)	/* has been on the LRU of a shrinker */
#define __DRM_SHMEM_PARTIAL	BIT(3)	/* @__vaddr has less than the object's pages */
#define __DRM_SHMEM_NO_MMAP	BIT(4)	/* userspace cannot map it */
#define __DRM_SHMEM_FAULTED	BIT(5)	/* userspace's mappings pin the pages */

/* The list of a &struct drm_shmem_shrinker that an object is on */
enum __drm_shmem_list {
	__DRM_SHMEM_UNLISTED,
	__DRM_SHMEM_PURGEABLE,
	__DRM_SHMEM_EVICTABLE,
	__DRM_SHMEM_EVICTED,
};

static_assert(IS_ENABLED(CONFIG_DRM_SAFE_DEBUG) ||
	      sizeof(struct drm_shmem_obj) - sizeof(struct drm_gem_shmem_object) <= 64);

/**
 * struct drm_shmem_opts - how to create an object
 */
struct drm_shmem_opts {
	/** @map_wc: map the object write-combined */
	bool map_wc;

	/**
	 * @no_mmap:
	 *
	 * Userspace cannot map this object, neither through the device nor through
	 * a dma-buf: both return -EPERM. See DRM_SHMEM_NO_MMAP for a whole type.
	 */
	bool no_mmap;

	/**
	 * @resv_parent:
	 *
	 * Share the reservation object of this GEM object, which is kept alive
	 * for as long as the new object. It must use its own one.
	 */
	struct drm_gem_object *resv_parent;
};

/**
 * DRM_SHMEM_RECLAIM - objects of this type give back their memory
 *
 * Flag of a type, see DRM_SHMEM_OBJ_DEFINE(). Its objects' sg tables can be
 * unmapped early and its objects can be evicted or purged; in return each use
 * of a table is counted, which costs two atomic operations.
 */
#define DRM_SHMEM_RECLAIM	__DRM_SHMEM_RECLAIM

/**
 * DRM_SHMEM_NO_MMAP - userspace cannot map objects of this type
 *
 * Flag of a type, see DRM_SHMEM_OBJ_DEFINE(). An mmap offset of such an object is
 * refused with -EPERM, and so is mmap() of the device or of a dma-buf. For memory that
 * only the hardware and the kernel may see, such as firmware or page tables. Mappings
 * of the kernel, sg tables and exports work.
 */
#define DRM_SHMEM_NO_MMAP	__DRM_SHMEM_NO_MMAP

/*
 * struct drm_shmem_obj_type - a driver's type of object
 *
 * Made by DRM_SHMEM_OBJ_DEFINE(). The address of @funcs in an object is what
 * tells one type from another.
 */
struct drm_shmem_obj_type {
	struct drm_gem_object_funcs funcs;
	struct drm_gem_object *(*create)(struct drm_device *drm, size_t size);
	size_t size;
	u8 flags;
	int (*init)(struct drm_shmem_obj *obj, const void *arg);
	void (*fini)(struct drm_shmem_obj *obj);
	void (*sgt_revoked)(struct drm_shmem_obj *obj);
	int (*evict)(struct drm_shmem_obj *obj);
};

/* A function without a body: the build fails if a call of it remains. */
#define __DRM_SHMEM_BUILD_ERROR(_fn, _msg)					\
	void __compiletime_error(_msg) _fn(void)

struct drm_shmem_obj *
__drm_shmem_create(const struct drm_shmem_obj_type *type,
		   struct drm_device *drm, u64 size,
		   const struct drm_shmem_opts *opts, const void *arg) __must_check;
void __drm_shmem_publish(struct drm_shmem_obj *obj);
int __drm_shmem_handle_create(struct drm_shmem_obj *obj, struct drm_file *file,
			      u32 *handle) __must_check;
struct drm_shmem_obj *
__drm_shmem_lookup(const struct drm_shmem_obj_type *type, struct drm_file *file,
		   u32 handle) __must_check;
int __drm_shmem_mmap_offset(struct drm_shmem_obj *obj, u64 *offset) __must_check
	__must_not_hold(drm_resv);
int drm_shmem_dumb_map_offset(struct drm_file *file, struct drm_device *drm, u32 handle,
			      u64 *offset) __must_not_hold(drm_resv);

int __drm_shmem_check_published(struct drm_gem_object *gem) __must_check;
int __drm_shmem_export_check(struct drm_gem_object *gem) __must_check
	__must_not_hold(drm_resv);

struct drm_gem_object *
__drm_shmem_gem_create_object(const struct drm_shmem_obj_type *type);
int __drm_shmem_dumb_create(const struct drm_shmem_obj_type *type,
			    struct drm_file *file, struct drm_device *drm,
			    struct drm_mode_create_dumb *args);
struct drm_gem_object *
__drm_shmem_prime_import(const struct drm_shmem_obj_type *type,
			 struct drm_device *drm, struct dma_buf *dma_buf);
struct drm_gem_object *
__drm_shmem_prime_import_sg_table(const struct drm_shmem_obj_type *type,
				  struct drm_device *drm,
				  struct dma_buf_attachment *attach,
				  struct sg_table *sgt);

void __drm_shmem_free(struct drm_gem_object *gem) __must_not_hold(drm_resv);
int __drm_shmem_pin_cb(struct drm_gem_object *gem) __must_hold(drm_resv);
void __drm_shmem_unpin_cb(struct drm_gem_object *gem) __must_hold(drm_resv);
int __drm_shmem_vmap_cb(struct drm_gem_object *gem, struct iosys_map *map)
	__must_hold(drm_resv);
int __drm_shmem_mmap_cb(struct drm_gem_object *gem, struct vm_area_struct *vma)
	__must_not_hold(drm_resv);
struct dma_buf *__drm_shmem_export_cb(struct drm_gem_object *gem, int flags);
struct dma_buf *__drm_shmem_exported(struct drm_gem_object *gem, struct dma_buf *dma_buf);
enum drm_gem_object_status __drm_shmem_status_cb(struct drm_gem_object *gem);

struct dma_buf *drm_shmem_export(struct drm_shmem_obj *obj, int flags)
	__must_check __nonnull_args(1) __must_not_hold(drm_resv);
struct drm_gem_object *drm_shmem_prime_import(struct drm_device *drm,
					      struct dma_buf *dma_buf);

extern const struct vm_operations_struct __drm_shmem_vm_ops;

int __drm_shmem_check_locked(struct drm_gem_object *gem, bool locked);

/*
 * Whether the right form of a call is made, and where it may sleep. With lockdep,
 * each call is checked; without it, only those that look at the lock anyway.
 */
static __always_inline int __drm_shmem_check_call(struct drm_gem_object *gem, bool locked)
{
	/* Unlike might_sleep(), this is nothing unless it is configured. */
	__might_sleep(__FILE__, __LINE__);
	if (IS_ENABLED(CONFIG_PROVE_LOCKING))
		return __drm_shmem_check_locked(gem, locked);
	return 0;
}

/**
 * DRM_SHMEM_OBJ() - declare a driver's type of object
 * @_name: prefix of everything this declares
 * @_type: the driver's struct
 * @_member: its &struct drm_shmem_obj, which must come first
 * @_arg: type of the argument of the type's init step
 *
 * Goes into the driver's header; DRM_SHMEM_OBJ_DEFINE() goes with it into one
 * of its C files. Declares, for _name "foo_bo" and _type "struct foo_bo":
 *
 * .. code-block:: c
 *
 *	struct foo_bo_unique *foo_bo_create(struct drm_device *drm, u64 size,
 *					    const struct drm_shmem_opts *opts, arg *arg);
 *	struct foo_bo *foo_bo_unique_bo(struct foo_bo_unique *unique);
 *	int foo_bo_handle_create(struct foo_bo *bo, struct drm_file *file, u32 *handle);
 *	struct foo_bo *foo_bo_lookup(struct drm_file *file, u32 handle);
 *	int foo_bo_mmap_offset(struct foo_bo *bo, u64 *offset);
 *	struct foo_bo *foo_bo_get(struct foo_bo *bo);
 *	void foo_bo_put(struct foo_bo *bo);
 *	struct drm_gem_object *foo_bo_gem(struct foo_bo *bo);
 *	struct foo_bo *to_foo_bo(struct drm_gem_object *gem);
 *	size_t foo_bo_size(struct foo_bo *bo);
 *
 * together with __free(foo_bo), __free(foo_bo_unique), struct foo_bo_ops, and
 * the callbacks that DRM_SHMEM_DRIVER_OPS() names.
 *
 * foo_bo_create() gives an object that nobody else can reach: it has no handle,
 * no dma-buf and no mmap offset, and gets none before drm_shmem_publish()
 * consumes it. Its type keeps it away from what takes a shared object. The size may
 * be any that userspace gave, and is rounded up to whole pages. It returns an
 * ERR_PTR(): -EINVAL for size 0, for one that no object of this kernel can have, or
 * a @resv_parent of another device or without its own reservation object, which
 * are reported; -ENOMEM; -ENOSPC; or what the init step returned.
 *
 * foo_bo_lookup() returns an object with a reference, ERR_PTR(-ENOENT) if
 * there is no such handle, or ERR_PTR(-EINVAL) if its object is not a struct
 * foo_bo. to_foo_bo() takes no reference and returns NULL if the object is
 * not one. foo_bo_handle_create() returns -EINVAL for a file of another
 * device, which is reported. foo_bo_mmap_offset() gives the object its offset. It
 * returns -EINVAL for imported objects, -EPERM for those that userspace cannot map,
 * and -ENODATA for purged ones.
 *
 * All of them may sleep. foo_bo_put() must be called without the object's own
 * reservation lock; the caller may hold those of other objects, as
 * drm_exec_fini() does, unless the object was imported. It waits for no unbind
 * and for no other object. An object holds its drm_device: what the device keeps
 * for itself must be put when it is unbound (for example by
 * &drm_dev_ctx_ops.release), for it would keep the device alive otherwise.
 */
#define DRM_SHMEM_OBJ(_name, _type, _member, _arg)				\
static_assert(offsetof(_type, _member) == 0,					\
	      "the struct drm_shmem_obj must be the first member of " #_type);	\
static_assert(__same_type(((_type *)0)->_member, struct drm_shmem_obj),	\
	      #_type "." #_member " must be a struct drm_shmem_obj");		\
										\
struct _name##_unique;								\
										\
struct _name##_ops {								\
	int (*init)(_type *bo, _arg *arg);					\
	void (*fini)(_type *bo);						\
	int (*open)(_type *bo, struct drm_file *file);				\
	void (*close)(_type *bo, struct drm_file *file);			\
	void (*print_info)(struct drm_printer *p, unsigned int indent,		\
			   const _type *bo);					\
	struct dma_buf *(*export)(_type *bo, int flags);			\
	void (*sgt_revoked)(_type *bo);						\
	int (*evict)(_type *bo);						\
};										\
										\
extern const struct drm_shmem_obj_type _name##_obj_type;			\
struct drm_gem_object *_name##_gem_create_object(struct drm_device *drm, size_t size); \
int _name##_dumb_create(struct drm_file *file, struct drm_device *drm,		\
			struct drm_mode_create_dumb *args);			\
struct drm_gem_object *_name##_prime_import(struct drm_device *drm,		\
					    struct dma_buf *dma_buf);		\
struct drm_gem_object *								\
_name##_prime_import_sg_table(struct drm_device *drm,				\
			      struct dma_buf_attachment *attach,		\
			      struct sg_table *sgt);				\
										\
static inline _type *__##_name(struct drm_shmem_obj *obj)			\
{										\
	return container_of(obj, _type, _member);				\
}										\
										\
static inline struct drm_gem_object *_name##_gem(_type *bo)			\
{										\
	return &bo->_member.base.base;						\
}										\
										\
static inline size_t _name##_size(_type *bo)					\
{										\
	return bo->_member.base.base.size;					\
}										\
										\
/* The vtable says that the object is one: first invariant of drm_shmem_obj. */	\
static inline _type *to_##_name(struct drm_gem_object *gem)			\
{										\
	if (!gem || gem->funcs != &_name##_obj_type.funcs)			\
		return NULL;							\
	return container_of(gem, _type, _member.base.base);			\
}										\
										\
static inline _type *_name##_get(_type *bo)					\
{										\
	drm_gem_object_get(_name##_gem(bo));					\
	return bo;								\
}										\
										\
static inline void _name##_put(_type *bo) __must_not_hold(drm_resv)		\
{										\
	if (bo)									\
		drm_gem_object_put(_name##_gem(bo));				\
}										\
										\
/* A unique object is the object itself; the type says that no one else has it. */ \
static __always_inline _type *_name##_unique_bo(struct _name##_unique *unique)	\
{										\
	return (_type *)drm_safe_live(unique);					\
}										\
										\
static inline __must_check struct _name##_unique *				\
_name##_create(struct drm_device *drm, u64 size,				\
	       const struct drm_shmem_opts *opts, _arg *arg)			\
{										\
	return (struct _name##_unique *)					\
		__drm_shmem_create(&_name##_obj_type, drm, size, opts, arg);	\
}										\
										\
static inline _type *__##_name##_publish(struct _name##_unique *unique)	\
{										\
	_type *bo = _name##_unique_bo(unique);					\
										\
	__drm_shmem_publish(&bo->_member);					\
	return bo;								\
}										\
										\
static inline __must_check int							\
_name##_handle_create(_type *bo, struct drm_file *file, u32 *handle)		\
{										\
	return __drm_shmem_handle_create(&bo->_member, file, handle);		\
}										\
										\
static inline __must_check _type *						\
_name##_lookup(struct drm_file *file, u32 handle)				\
{										\
	return (_type *)__drm_shmem_lookup(&_name##_obj_type, file, handle);	\
}										\
										\
static inline __must_check int _name##_mmap_offset(_type *bo, u64 *offset)	\
	__must_not_hold(drm_resv)						\
{										\
	return __drm_shmem_mmap_offset(&bo->_member, offset);			\
}										\
										\
DEFINE_FREE(_name, _type *, if (!IS_ERR_OR_NULL(_T)) _name##_put(_T))		\
DEFINE_FREE(_name##_unique, struct _name##_unique *,				\
	    if (!IS_ERR_OR_NULL(_T)) _name##_put(_name##_unique_bo(_T)))

/**
 * drm_shmem_publish() - turn a unique object into a shared one
 * @_name: the type's name
 * @_unique: variable that holds the unique object; NULL afterwards
 *
 * Return: the object, with the reference that @_unique had.
 */
#define drm_shmem_publish(_name, _unique)	__##_name##_publish(drm_safe_take(_unique))

/**
 * DRM_SHMEM_OBJ_DEFINE() - define a driver's type of object
 * @_name: as in DRM_SHMEM_OBJ()
 * @_flags: 0, DRM_SHMEM_RECLAIM, DRM_SHMEM_NO_MMAP, or both
 * @...: initialisers of struct _name##_ops, all of them optional
 *
 * The steps a driver can add, none of which is given an object of another
 * type or one that is not complete:
 *
 * - init: initialise the driver's part, which is zeroed. @arg is what was
 *   given to create, or NULL for dumb buffers and imported objects. The object
 *   can be mapped, but is not complete: to_foo_bo() does not know it yet. If
 *   init fails then no other step is called.
 * - fini: undo it. The last reference is gone, and so are evict and sgt_revoked:
 *   neither runs, nor will. The sg table is still mapped, unless it was revoked,
 *   and unbinding the parent waits for fini to return. While the parent is being
 *   unbound, fini may run in the task that unbinds it.
 * - open, close: a handle is made or goes away.
 * - print_info: as in &struct drm_gem_object_funcs.
 * - export: the same. The step calls drm_shmem_export() for the dma-buf unless it
 *   makes one with operations of its own. The object of such a dma-buf is neither
 *   purged nor evicted any more.
 * - sgt_revoked: the sg table was revoked, because the parent of the device is
 *   being unbound. Called once, under the reservation lock, with a reference. If
 *   the init step runs at that time then it is called after that.
 * - evict: the object is idle, has an sg table, and its pages are to go: it is evicted or
 *   purged. Called with a reference. Take the table's addresses from all page tables and
 *   suspend the handles that own it, with drm_shmem_sgt_suspend(). If that cannot be done
 *   right now, return -EBUSY; what
 *   was suspended stays so. Under the reservation lock, in memory reclaim: it
 *   allocates nothing, and other locks it only tries.
 */
#define DRM_SHMEM_OBJ_DEFINE(_name, _flags, ...)				\
static const struct _name##_ops __##_name##_ops = { __VA_ARGS__ };		\
										\
/* The type of the argument is that of create, which may be const or not. */	\
static int __##_name##_init(struct drm_shmem_obj *obj, const void *arg)	\
{										\
	return __##_name##_ops.init ?						\
		__##_name##_ops.init(__##_name(obj), (void *)arg) : 0;		\
}										\
										\
static void __##_name##_fini(struct drm_shmem_obj *obj)			\
{										\
	if (__##_name##_ops.fini)						\
		__##_name##_ops.fini(__##_name(obj));				\
}										\
										\
static void __##_name##_sgt_revoked(struct drm_shmem_obj *obj)			\
{										\
	if (__##_name##_ops.sgt_revoked)					\
		__##_name##_ops.sgt_revoked(__##_name(obj));			\
}										\
										\
static int __##_name##_evict(struct drm_shmem_obj *obj)			\
{										\
	return __##_name##_ops.evict ? __##_name##_ops.evict(__##_name(obj)) : 0; \
}										\
										\
static int __##_name##_open(struct drm_gem_object *gem, struct drm_file *file)	\
{										\
	int ret = __drm_shmem_check_published(gem);				\
										\
	if (ret || !__##_name##_ops.open)					\
		return ret;							\
	return __##_name##_ops.open(to_##_name(gem), file);			\
}										\
										\
static void __##_name##_close(struct drm_gem_object *gem, struct drm_file *file) \
{										\
	if (__##_name##_ops.close)						\
		__##_name##_ops.close(to_##_name(gem), file);			\
}										\
										\
static void __##_name##_print_info(struct drm_printer *p, unsigned int indent,	\
				   const struct drm_gem_object *gem)		\
{										\
	drm_gem_shmem_object_print_info(p, indent, gem);			\
	if (__##_name##_ops.print_info)						\
		__##_name##_ops.print_info(p, indent,				\
					   to_##_name((struct drm_gem_object *)gem)); \
}										\
										\
static struct dma_buf *__##_name##_export(struct drm_gem_object *gem, int flags) \
{										\
	int ret;								\
										\
	if (!__##_name##_ops.export)						\
		return __drm_shmem_export_cb(gem, flags);			\
	ret = __drm_shmem_export_check(gem);					\
	if (ret)								\
		return ERR_PTR(ret);						\
	return __drm_shmem_exported(gem, __##_name##_ops.export(to_##_name(gem), flags)); \
}										\
										\
const struct drm_shmem_obj_type _name##_obj_type = {				\
	.funcs = {								\
		.free = __drm_shmem_free,					\
		.open = __##_name##_open,					\
		.close = __##_name##_close,					\
		.print_info = __##_name##_print_info,				\
		.export = __##_name##_export,					\
		.pin = __drm_shmem_pin_cb,					\
		.unpin = __drm_shmem_unpin_cb,					\
		.get_sg_table = drm_gem_shmem_object_get_sg_table,		\
		.vmap = __drm_shmem_vmap_cb,					\
		.vunmap = drm_gem_shmem_object_vunmap,				\
		.mmap = __drm_shmem_mmap_cb,					\
		.status = __drm_shmem_status_cb,				\
		.vm_ops = &__drm_shmem_vm_ops,					\
	},									\
	.create = _name##_gem_create_object,					\
	.size = sizeof(*to_##_name(NULL)),					\
	.flags = (_flags),							\
	.init = __##_name##_init,						\
	.fini = __##_name##_fini,						\
	.sgt_revoked = __##_name##_sgt_revoked,					\
	.evict = __##_name##_evict,						\
};										\
										\
struct drm_gem_object *								\
_name##_gem_create_object(struct drm_device *drm, size_t size)			\
{										\
	return __drm_shmem_gem_create_object(&_name##_obj_type);		\
}										\
										\
int _name##_dumb_create(struct drm_file *file, struct drm_device *drm,		\
			struct drm_mode_create_dumb *args)			\
{										\
	return __drm_shmem_dumb_create(&_name##_obj_type, file, drm, args);	\
}										\
										\
struct drm_gem_object *								\
_name##_prime_import(struct drm_device *drm, struct dma_buf *dma_buf)		\
{										\
	return __drm_shmem_prime_import(&_name##_obj_type, drm, dma_buf);	\
}										\
										\
struct drm_gem_object *								\
_name##_prime_import_sg_table(struct drm_device *drm,				\
			      struct dma_buf_attachment *attach,		\
			      struct sg_table *sgt)				\
{										\
	return __drm_shmem_prime_import_sg_table(&_name##_obj_type, drm,	\
						 attach, sgt);			\
}										\
static_assert(!((_flags) & ~(DRM_SHMEM_RECLAIM | DRM_SHMEM_NO_MMAP)))

/**
 * DRM_SHMEM_DRIVER_OPS() - GEM callbacks of &struct drm_driver
 * @_name: the type of the driver's dumb buffers and imported objects
 *
 * PRIME imports are mapped for the device when their sg table is first used. The mmap
 * offset of a dumb buffer is given by the same rules as that of any object.
 */
#define DRM_SHMEM_DRIVER_OPS(_name)						\
	.gem_create_object = _name##_gem_create_object,				\
	.dumb_create = _name##_dumb_create,					\
	.dumb_map_offset = drm_shmem_dumb_map_offset,				\
	.gem_prime_import = _name##_prime_import

/**
 * DRM_SHMEM_DRIVER_OPS_SGT() - the same, with imports mapped at once
 * @_name: the type of the driver's dumb buffers and imported objects
 *
 * For devices that drm_dev_ctx made. Importing needs the device registered:
 * it returns -ENODEV otherwise.
 */
#define DRM_SHMEM_DRIVER_OPS_SGT(_name)						\
	.gem_create_object = _name##_gem_create_object,				\
	.dumb_create = _name##_dumb_create,					\
	.dumb_map_offset = drm_shmem_dumb_map_offset,				\
	.gem_prime_import = drm_shmem_prime_import,				\
	.gem_prime_import_sg_table = _name##_prime_import_sg_table

#endif /* _DRM_SHMEM_OBJ_H */
