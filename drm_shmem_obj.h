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
struct drm_scanout_buffer;
struct drm_shmem_obj_type;
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
 * - @__made_for is the type that drm_shmem_gem_create_object() made the memory for, until
 *   the library makes an object of it. Until then, and for ever if the core makes it,
 *   @base has the functions of the core.
 * - @__sgt is NULL, or a table that is mapped for the DMA device, or
 *   ERR_PTR(-ENODEV) for ever after revocation, or once the core has the table of an
 *   import back whose init step failed. It is changed under the
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
 * - @__mmaps counts the VMAs of userspace that show the object. It goes from zero under
 *   the reservation lock. Their page table entries exist only while
 *   __DRM_SHMEM_FAULTED is set, which stands for one pin of @base, and which stays set
 *   after the last VMA only if another task had the lock when that went.
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
	/* Comes first, to be in @base's last cache line: the end of each object reads it. */
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
	union {
		void *__vaddr;
		const struct drm_shmem_obj_type *__made_for;
	};
#ifdef CONFIG_DRM_SAFE_DEBUG
	const struct drm_shmem_obj_type *__type;
	struct ref_tracker_dir __handles;
#endif
};

/* private: bits of &drm_shmem_obj.__flags */
enum {
	__DRM_SHMEM_IOMEM	= BIT(0),	/* @__vaddr is an __iomem address */
	__DRM_SHMEM_RECLAIM	= BIT(1),	/* sg table users are counted */
	__DRM_SHMEM_NO_MMAP	= BIT(2),	/* userspace cannot map it */
	__DRM_SHMEM_LRU		= BIT(3),	/* has been on the LRU of a shrinker */
	__DRM_SHMEM_PARTIAL	= BIT(4),	/* @__vaddr has less than the object's pages */
	__DRM_SHMEM_FAULTED	= BIT(5),	/* userspace's mappings pin the pages */
};

/* The two that an object has from its type, whose flags have no other bits */
#define __DRM_SHMEM_TYPE_SHIFT	1
#define __DRM_SHMEM_TYPE_BITS	2

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
 * For &drm_shmem_obj_type.flags. Its objects' sg tables can be unmapped early and its
 * objects can be evicted or purged; in return each use of a table is counted, which costs
 * two atomic operations.
 */
#define DRM_SHMEM_RECLAIM	(__DRM_SHMEM_RECLAIM >> __DRM_SHMEM_TYPE_SHIFT)

/**
 * DRM_SHMEM_NO_MMAP - userspace cannot map objects of this type
 *
 * For &drm_shmem_obj_type.flags. An mmap offset of such an object is refused with -EPERM,
 * and so is mmap() of the device or of a dma-buf. For memory that only the hardware and
 * the kernel may see, such as firmware or page tables. Mappings of the kernel, sg tables
 * and exports work.
 */
#define DRM_SHMEM_NO_MMAP	(__DRM_SHMEM_NO_MMAP >> __DRM_SHMEM_TYPE_SHIFT)

/**
 * struct drm_shmem_obj_type - a driver's type of object
 *
 * The base of what DRM_SHMEM_OBJ_TYPE() declares. A driver defines one for each of its
 * types, const, with DRM_SHMEM_OBJ_FUNCS and with the steps that it adds. All steps are
 * optional. They are given an object of this type, which drm_shmem_from_obj() turns into
 * the driver's structure. The object is complete, except for @init.
 */
struct drm_shmem_obj_type {
	/**
	 * @funcs:
	 *
	 * The functions of the objects, by DRM_SHMEM_OBJ_FUNCS. Their address tells one
	 * type from another.
	 */
	struct drm_gem_object_funcs funcs;

	/** @flags: DRM_SHMEM_RECLAIM, DRM_SHMEM_NO_MMAP, or both */
	u8 flags : __DRM_SHMEM_TYPE_BITS;

	/**
	 * @init:
	 *
	 * Initialises the driver's part, which is zeroed. The object can be mapped, but is
	 * not complete: drm_shmem_from_gem() does not know it yet. If this fails then no
	 * other step is called. What a driver has to know beyond the object it sets
	 * after drm_shmem_create(), while the object is unique.
	 */
	int (*init)(struct drm_shmem_obj *obj);

	/**
	 * @fini:
	 *
	 * Undoes @init. The last reference is gone, and neither @evict nor @sgt_revoked
	 * runs, nor will. The sg table is still mapped, unless it was revoked, and unbinding
	 * the parent waits for this to return. While the parent is being unbound, it may run
	 * in the task that unbinds it.
	 */
	void (*fini)(struct drm_shmem_obj *obj);

	/** @open: a file gets a handle of the object; an error refuses that */
	int (*open)(struct drm_shmem_obj *obj, struct drm_file *file);

	/** @close: a file gives up its handle of the object */
	void (*close)(struct drm_shmem_obj *obj, struct drm_file *file);

	/** @print_info: as &drm_gem_object_funcs.print_info, after what every object prints */
	void (*print_info)(struct drm_printer *p, unsigned int indent,
			   const struct drm_shmem_obj *obj);

	/**
	 * @export:
	 *
	 * As &drm_gem_object_funcs.export. Calls drm_shmem_export() for the dma-buf unless it
	 * makes one with operations of its own. The object of such a dma-buf is neither
	 * purged nor evicted any more.
	 */
	struct dma_buf *(*export)(struct drm_shmem_obj *obj, int flags);

	/**
	 * @sgt_revoked:
	 *
	 * The sg table was revoked, because the parent of the device is being unbound.
	 * Called once, under the reservation lock, with a reference. If @init runs at that
	 * time then this is called after it.
	 */
	void (*sgt_revoked)(struct drm_shmem_obj *obj);

	/**
	 * @evict:
	 *
	 * The object is idle, has an sg table, and its pages are to go: it is evicted or
	 * purged. Called with a reference. Take the table's addresses from all page tables
	 * and suspend the handles that own it, with drm_shmem_sgt_suspend(). If that cannot
	 * be done right now, return -EBUSY; what was suspended stays so. Under the
	 * reservation lock, in memory reclaim: it allocates nothing, and other locks that
	 * sleep it only tries.
	 */
	int (*evict)(struct drm_shmem_obj *obj);
};

struct drm_shmem_obj *
__drm_shmem_create(const struct drm_shmem_obj_type *type, size_t type_size,
		   struct drm_device *drm, u64 size,
		   const struct drm_shmem_opts *opts) __must_check;
void __drm_shmem_publish(struct drm_shmem_obj *obj);
int drm_shmem_handle_create(struct drm_shmem_obj *obj, struct drm_file *file,
			    u32 *handle) __must_check;
struct drm_shmem_obj *
__drm_shmem_lookup(const struct drm_shmem_obj_type *type, struct drm_file *file,
		   u32 handle) __must_check;
int drm_shmem_mmap_offset(struct drm_shmem_obj *obj, u64 *offset) __must_check
	__must_not_hold(drm_resv);
int drm_shmem_mmap_offset_interruptible(struct drm_shmem_obj *obj, u64 *offset) __must_check
	__must_not_hold(drm_resv);
int drm_shmem_panic_scanout(struct drm_shmem_obj *obj, struct drm_scanout_buffer *sb) __must_check;
struct dma_buf *drm_shmem_export(struct drm_shmem_obj *obj, int flags)
	__must_check __nonnull_args(1) __must_not_hold(drm_resv);

/* For struct drm_driver */
struct drm_gem_object *
__drm_shmem_alloc(const struct drm_shmem_obj_type *type, size_t type_size) __must_check;
int drm_shmem_dumb_create(struct drm_file *file, struct drm_device *drm,
			  struct drm_mode_create_dumb *args);
int drm_shmem_dumb_map_offset(struct drm_file *file, struct drm_device *drm, u32 handle,
			      u64 *offset) __must_not_hold(drm_resv);
struct drm_gem_object *drm_shmem_prime_import_no_map(struct drm_device *drm,
						     struct dma_buf *dma_buf);
struct drm_gem_object *drm_shmem_prime_import(struct drm_device *drm,
					      struct dma_buf *dma_buf);
struct drm_gem_object *drm_shmem_prime_import_sg_table(struct drm_device *drm,
						       struct dma_buf_attachment *attach,
						       struct sg_table *sgt);

/* For struct drm_gem_object_funcs, by DRM_SHMEM_OBJ_FUNCS */
void drm_shmem_gem_free(struct drm_gem_object *gem) __must_not_hold(drm_resv);
int drm_shmem_gem_open(struct drm_gem_object *gem, struct drm_file *file);
void drm_shmem_gem_close(struct drm_gem_object *gem, struct drm_file *file);
void drm_shmem_gem_print_info(struct drm_printer *p, unsigned int indent,
			      const struct drm_gem_object *gem);
struct dma_buf *drm_shmem_gem_export(struct drm_gem_object *gem, int flags);
int drm_shmem_gem_pin(struct drm_gem_object *gem) __must_hold(drm_resv);
void drm_shmem_gem_unpin(struct drm_gem_object *gem) __must_hold(drm_resv);
struct sg_table *drm_shmem_gem_get_sg_table(struct drm_gem_object *gem);
int drm_shmem_gem_vmap(struct drm_gem_object *gem, struct iosys_map *map)
	__must_hold(drm_resv);
void drm_shmem_gem_vunmap(struct drm_gem_object *gem, struct iosys_map *map)
	__must_hold(drm_resv);
int drm_shmem_gem_mmap(struct drm_gem_object *gem, struct vm_area_struct *vma)
	__must_not_hold(drm_resv);
enum drm_gem_object_status drm_shmem_gem_status(struct drm_gem_object *gem);
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
 * drm_shmem_gem() - the GEM object of an object
 * @obj: the object
 *
 * Return: the GEM object, which is the same memory.
 */
static __always_inline struct drm_gem_object *drm_shmem_gem(struct drm_shmem_obj *obj)
{
	return &obj->base.base;
}

/**
 * drm_shmem_size() - the size of an object
 * @obj: the object
 *
 * Return: the size in bytes, in whole pages.
 */
static __always_inline size_t drm_shmem_size(const struct drm_shmem_obj *obj)
{
	return obj->base.base.size;
}

/**
 * drm_shmem_has_vmap() - is an object mapped into the kernel right now?
 * @obj: the object
 *
 * Nothing is made or kept: the answer can be wrong when it is used, unless the caller knows
 * of a handle. Mappings that go through the core's helpers alone do not count.
 *
 * Context: Any.
 *
 * Return: whether a mapping handle of the library is in use.
 */
static inline bool drm_shmem_has_vmap(const struct drm_shmem_obj *obj)
{
	return refcount_read(&obj->__vmap_users);
}

/**
 * drm_shmem_has_sgt() - is an object mapped for the DMA device right now?
 * @obj: the object
 *
 * Nothing is made or kept: the answer can be wrong when it is used, unless the caller knows of a
 * handle, or the reservation lock is held.
 *
 * Context: Any.
 *
 * Return: whether there is an sg table. One that was revoked is none.
 */
static inline bool drm_shmem_has_sgt(const struct drm_shmem_obj *obj)
{
	return !IS_ERR_OR_NULL(READ_ONCE(obj->__sgt));
}

/**
 * drm_shmem_get() - get a reference to an object
 * @obj: the object
 *
 * Context: Any.
 */
static inline void drm_shmem_get(struct drm_shmem_obj *obj)
{
	drm_gem_object_get(&obj->base.base);
}

/**
 * drm_shmem_put() - give up a reference to an object
 * @obj: the object, or NULL
 *
 * At the end of a scope, a variable that is declared with ``__free(drm_shmem)`` does the
 * same. It may hold a pointer to an object of any type, also to a unique one, NULL, or an
 * ERR_PTR().
 *
 * Waits for no unbind, for no other object, and not for the exporter of an imported object: a
 * work item detaches from its dma-buf. An object holds its drm_device: what the
 * device keeps for itself must be put when it is unbound (for example by
 * &drm_dev_ctx_ops.release), for it would keep the device alive otherwise.
 *
 * Context: May sleep. The object's own reservation lock must not be held. Those of other
 * objects may be, as in drm_exec_fini().
 */
static inline void drm_shmem_put(struct drm_shmem_obj *obj) __must_not_hold(drm_resv)
{
	if (obj)
		drm_gem_object_put(&obj->base.base);
}

/*
 * Untyped, as with DEFINE_FREE(). The variable can hold a pointer to a driver's struct of any
 * type, because the struct drm_shmem_obj is its first member.
 */
static __always_inline void __free_drm_shmem(void *p) __must_not_hold(drm_resv)
{
	struct drm_shmem_obj *obj = *(struct drm_shmem_obj **)p;

	if (!IS_ERR_OR_NULL(obj))
		drm_shmem_put(obj);
}

/* The functions say that the object is one: first invariant of drm_shmem_obj. */
static __always_inline struct drm_shmem_obj *
__drm_shmem_obj_of(const struct drm_shmem_obj_type *type, struct drm_gem_object *gem)
{
	if (!gem || gem->funcs != &type->funcs)
		return NULL;
	return container_of(gem, struct drm_shmem_obj, base.base);
}

#ifdef CONFIG_DRM_SAFE_DEBUG
void __drm_shmem_check_type(const struct drm_shmem_obj_type *type,
			    const struct drm_shmem_obj *obj);
#else
static inline void __drm_shmem_check_type(const struct drm_shmem_obj_type *type,
					  const struct drm_shmem_obj *obj) { }
#endif

static __always_inline const struct drm_shmem_obj *
__drm_shmem_of_type(const struct drm_shmem_obj_type *type, const struct drm_shmem_obj *obj)
{
	__drm_shmem_check_type(type, obj);
	return obj;
}

/**
 * DRM_SHMEM_OBJ_TYPE() - declare a driver's type of object
 * @_name: name of the type's description, a const &struct drm_shmem_obj_type as its base
 * @_type: the driver's structure
 * @_member: its &struct drm_shmem_obj, which must come first
 * @_unique: a structure tag of the driver's choice, never defined: an object that nobody else has
 *
 * Goes into the driver's header. One of its C files defines the description:
 *
 * .. example: alone
 * .. code-block:: c
 *
 *	struct foo_bo {
 *		struct drm_shmem_obj obj;
 *	};
 *
 *	DRM_SHMEM_OBJ_TYPE(foo_bo_type, struct foo_bo, obj, struct foo_bo_unique);
 *
 *	const struct foo_bo_type foo_bo_type = {
 *		DRM_SHMEM_OBJ_FUNCS,
 *		.base.flags = DRM_SHMEM_RECLAIM,
 *	};
 */
#define DRM_SHMEM_OBJ_TYPE(_name, _type, _member, _unique)			\
_unique;									\
struct _name {									\
	struct drm_shmem_obj_type base;						\
	/* private: empty, for their types */					\
	_type *__obj[0];							\
	_unique *__unique[0];							\
};										\
static_assert(offsetof(_type, _member) == 0,					\
	      "the struct drm_shmem_obj must be the first member of " #_type);	\
static_assert(__same_type(((_type *)0)->_member, struct drm_shmem_obj),		\
	      #_type "." #_member " must be a struct drm_shmem_obj");		\
extern const struct _name _name

/**
 * DRM_SHMEM_OBJ_FUNCS - the functions of a type's objects
 *
 * For the definition of what DRM_SHMEM_OBJ_TYPE() declared. Objects of a type without them
 * are not made, nor those of a type that sets one of them itself: what a driver adds are the steps.
 */
#define DRM_SHMEM_OBJ_FUNCS							\
	.base.funcs = {								\
		.free = drm_shmem_gem_free,					\
		.open = drm_shmem_gem_open,					\
		.close = drm_shmem_gem_close,					\
		.print_info = drm_shmem_gem_print_info,				\
		.export = drm_shmem_gem_export,					\
		.pin = drm_shmem_gem_pin,					\
		.unpin = drm_shmem_gem_unpin,					\
		.get_sg_table = drm_shmem_gem_get_sg_table,			\
		.vmap = drm_shmem_gem_vmap,					\
		.vunmap = drm_shmem_gem_vunmap,					\
		.mmap = drm_shmem_gem_mmap,					\
		.status = drm_shmem_gem_status,					\
		.vm_ops = &__drm_shmem_vm_ops,					\
	}

/* What a description is about: the driver's structure */
#define __drm_shmem_sizeof(_desc)	sizeof(*(_desc)->__obj[0])
#define __drm_shmem_cast(_desc, _obj)	((typeof(*(_desc)->__obj[0]) *)(_obj))

/**
 * drm_shmem_create() - create an object
 * @_desc: address of the description of its type
 * @_drm: its device
 * @_size: size in bytes, also one that userspace gave; it is rounded up to whole pages
 * @_opts: a const &struct drm_shmem_opts, or NULL
 *
 * The object is unique: it has no handle, no dma-buf and no mmap offset, and gets none
 * before drm_shmem_publish() consumes it. Its type, the structure that DRM_SHMEM_OBJ_TYPE()
 * was given for that, keeps it away from what takes a shared object. Declare the
 * variable with ``__free(drm_shmem)``.
 *
 * Context: May sleep. Calls the type's init step.
 *
 * Return: the unique object, or an ERR_PTR(): -EINVAL for size 0, for one that no object of
 * this kernel can have, for a &drm_shmem_opts.resv_parent of another device or without its
 * own reservation object, and for a type with other functions than DRM_SHMEM_OBJ_FUNCS, of
 * which the last three are reported; -ENOMEM; -ENOSPC; or what the init step returned.
 */
#define drm_shmem_create(_desc, _drm, _size, _opts)				\
	((typeof(*(_desc)->__unique[0]) *)					\
	 __drm_shmem_create(&(_desc)->base, __drm_shmem_sizeof(_desc), _drm, _size, _opts))

/* A unique object is the object itself; the type says that no one else has it. */
static __always_inline struct drm_shmem_obj *__drm_shmem_unique_obj(void *unique)
{
	return drm_safe_live(unique);
}

static __always_inline struct drm_shmem_obj *__drm_shmem_share(void **unique)
{
	struct drm_shmem_obj *obj = drm_safe_take(*unique);

	__drm_shmem_publish(obj);
	return obj;
}

/**
 * drm_shmem_from_unique() - the driver's structure of a unique object
 * @_desc: address of the description of its type
 * @_unique: the unique object
 *
 * Return: the struct, as long as @_unique is not consumed.
 */
#define drm_shmem_from_unique(_desc, _unique)					\
	__drm_shmem_cast(_desc, __drm_shmem_unique_obj((typeof(*(_desc)->__unique[0]) *) \
						       { (_unique) }))

/**
 * drm_shmem_publish() - turn a unique object into a shared one
 * @_desc: address of the description of its type
 * @_unique: address of the variable that holds the unique object; the variable is NULL
 *	afterwards
 *
 * Context: Any.
 *
 * Return: the driver's structure, with the reference that the variable had.
 */
#define drm_shmem_publish(_desc, _unique)					\
	__drm_shmem_cast(_desc, __drm_shmem_share((void **)			\
		(typeof(*(_desc)->__unique[0]) **) { (_unique) }))

/**
 * drm_shmem_lookup() - the object that a handle stands for
 * @_desc: address of the description of the type that it has to be of
 * @_file: the file that the handle is from
 * @_handle: the handle
 *
 * Context: May sleep.
 *
 * Return: the driver's structure with a reference; ERR_PTR(-ENOENT) if there is no such
 * handle; ERR_PTR(-EINVAL) if its object is of another type.
 */
#define drm_shmem_lookup(_desc, _file, _handle)					\
	__drm_shmem_cast(_desc, __drm_shmem_lookup(&(_desc)->base, _file, _handle))

/**
 * drm_shmem_from_gem() - the driver's structure of a GEM object
 * @_desc: address of the description of the type
 * @_gem: the &struct drm_gem_object, or NULL
 *
 * Takes no reference.
 *
 * Context: Any.
 *
 * Return: the driver's structure, or NULL if @_gem is not an object of the type, or not complete.
 */
#define drm_shmem_from_gem(_desc, _gem)						\
	__drm_shmem_cast(_desc, __drm_shmem_obj_of(&(_desc)->base, _gem))

/**
 * drm_shmem_from_obj() - the driver's structure in a step of its type
 * @_desc: address of the description of the type
 * @_obj: what the step was given, which may be const
 *
 * With CONFIG_DRM_SAFE_DEBUG, an object of another type is reported.
 *
 * Context: Any.
 *
 * Return: the driver's structure, const if @_obj is.
 */
#define drm_shmem_from_obj(_desc, _obj)						\
	_Generic((_obj),							\
		 struct drm_shmem_obj *:					\
			__drm_shmem_cast(_desc, __drm_shmem_of_type(&(_desc)->base, _obj)), \
		 const struct drm_shmem_obj *:					\
			(const typeof(*(_desc)->__obj[0]) *)			\
			__drm_shmem_of_type(&(_desc)->base, _obj))

/**
 * drm_shmem_gem_create_object() - body of &drm_driver.gem_create_object
 * @_desc: address of the description of the type of the driver's dumb buffers and imports
 *
 * What the driver has the core make of the memory, by drm_gem_shmem_create(), is an object
 * with the core's functions, which is not of the type.
 *
 * Context: May sleep.
 *
 * Return: memory for an object, or an ERR_PTR(): -ENOMEM, or -EINVAL, with a report, for a
 * type with other functions than DRM_SHMEM_OBJ_FUNCS.
 */
#define drm_shmem_gem_create_object(_desc)					\
	__drm_shmem_alloc(&(_desc)->base, __drm_shmem_sizeof(_desc))

/**
 * DRM_SHMEM_DRIVER_OPS - GEM callbacks of &struct drm_driver
 *
 * Beside them, the driver sets &drm_driver.gem_create_object to a function that calls
 * drm_shmem_gem_create_object(): its dumb buffers and imported objects are of that type.
 *
 * PRIME imports are mapped for the device when their sg table is first used. The mmap
 * offset of a dumb buffer is given by the same rules as that of any object.
 */
#define DRM_SHMEM_DRIVER_OPS							\
	.dumb_create = drm_shmem_dumb_create,					\
	.dumb_map_offset = drm_shmem_dumb_map_offset,				\
	.gem_prime_import = drm_shmem_prime_import_no_map

/**
 * DRM_SHMEM_DRIVER_OPS_SGT - the same, with imports mapped at once
 *
 * For devices that drm_dev_ctx_alloc() or drm_dev_ctx_alloc_parent() made. Importing needs
 * the device registered: it returns -ENODEV otherwise. On another device it reports that,
 * and returns -ENODEV.
 */
#define DRM_SHMEM_DRIVER_OPS_SGT						\
	.dumb_create = drm_shmem_dumb_create,					\
	.dumb_map_offset = drm_shmem_dumb_map_offset,				\
	.gem_prime_import = drm_shmem_prime_import,				\
	.gem_prime_import_sg_table = drm_shmem_prime_import_sg_table

#endif /* _DRM_SHMEM_OBJ_H */
