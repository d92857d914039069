/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _DRM_SHMEM_OBJ_H
#define _DRM_SHMEM_OBJ_H

#include <linux/ref_tracker.h>
#include <linux/refcount.h>

#include <drm/drm_file.h>
#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_vma_manager.h>

#include "drm_dev_ctx.h"
#include "drm_gem_sgt.h"

struct dma_buf;
struct drm_mode_create_dumb;
struct drm_printer;
struct drm_scanout_buffer;
struct drm_shmem_obj_type;
struct drm_shmem_put_off;
struct drm_shmem_row;
struct vm_operations_struct;

/**
 * struct drm_shmem_obj - GEM shmem object whose mappings are handles
 * @base: the GEM shmem object; this library replaces the core's helpers for vmap, pin, sg tables,
 *	madvise and purge
 *
 * Must be the first member of the driver's own struct.
 *
 * Invariants:
 *
 * - @base's &drm_gem_object.funcs point into the driver's &struct drm_shmem_obj_type exactly
 *   when the object is complete, that is, when it was allocated with that type's size and its
 *   init step has succeeded. Until then they point into an internal type of the library, whose
 *   steps do nothing, and which allows no handle, dma-buf or userspace mapping.
 * - The object holds a reference to its &struct drm_device. If it shares the reservation object
 *   of another object, it holds a reference to that object, too.
 * - It has no mmap offset before it is published, except while the core makes an import. A
 *   lookup that finds it during that time gets a reference, but no permission.
 * - While @__vmap_users is not zero, @__vaddr is not NULL, @__vaddr and the flags for iomem and
 *   partial are constant, and the object holds one mapping of @base. All of them change under
 *   the reservation lock. @__vmap_users may also change without the lock, but not from or to
 *   zero.
 * - Until the library turns the memory into an object, @__made_for is the type for which
 *   drm_shmem_gem_create_object() allocated the memory. Until then, and forever if the core makes
 *   the object, @base has the functions of the core.
 * - @__table is like the table of any object, see struct drm_gem_table. It also counts as revoked
 *   after the core got back the table of an import whose init step failed.
 * - @__flags is changed before the object is complete, or under the reservation
 *   lock, and read with READ_ONCE() without either.
 * - The object is on no list of a shrinker unless __DRM_SHMEM_LRU is set. Once set, that flag
 *   stays set. See &struct drm_shmem_shrinker for how the list changes.
 * - @__evictions counts how often its pages were evicted, up to 255. It is changed under the
 *   reservation lock, and read with READ_ONCE() without.
 * - @__published is set once, without a lock, by the task that has the unique object.
 *   Until then the object has no handle, no dma-buf and no mmap offset, and is on no
 *   list of a shrinker.
 * - @__ending is zero unless the end was put off. It is changed under the lock of
 *   &struct drm_shmem_ends.
 * - @__mmaps counts the userspace VMAs that map the object. It leaves zero only under the
 *   reservation lock. The page table entries of these VMAs exist only while __DRM_SHMEM_FAULTED
 *   is set, which stands for one pin of @base. This flag outlasts the last VMA only if another
 *   task held the lock when that VMA was closed.
 * - @__table.__pins counts the pins of drm_shmem_pin(). Each of them is also a pin of @base. It is
 *   changed under the reservation lock.
 * - @__dma_bufs counts the existing dma-bufs of the object. Once there was a dma-buf with the
 *   driver's own operations, __DRM_SHMEM_FOREIGN is added forever, because the library does not
 *   learn when such a dma-buf ends. Each table of an importer that can be notified adds
 *   __DRM_SHMEM_TOLD, under the reservation lock, and stands for one pin of @base.
 * - @__row leaves NULL once, under the lock of the lists, and then is constant until the object is
 *   freed.
 * - While __DRM_SHMEM_STALE is set, @__table.__users is exactly the number of counted users. The
 *   last user to leave drops the count to zero, and makes the library unmap the table.
 */
struct drm_shmem_obj {
	struct drm_gem_shmem_object base;
	/* private: */
	union {
		void *__vaddr;		/* of the mapping in the kernel */
		const struct drm_shmem_obj_type *__made_for;
	};
	refcount_t __vmap_users;	/* of @__vaddr */
	refcount_t __mmaps;		/* VMAs of userspace */
	atomic_t __dma_bufs;		/* that exist */
	u8 __flags;			/* a bit for each of the properties below */
	u8 __evictions;			/* how often, up to 255 */
	bool __published;		/* no longer unique */
	u8 __ending;			/* what its end waits for */
	/* Next to @__flags, because freeing an object and borrowing its table read both. */
	struct drm_gem_table __table;	/* the sg table, which ends with the binding */
#ifdef CONFIG_DEBUG_FS
	struct drm_shmem_row *__row;	/* of the list in debugfs */
#endif
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
	__DRM_SHMEM_PARTIAL	= BIT(4),	/* @__vaddr maps a part of the object */
	__DRM_SHMEM_FAULTED	= BIT(5),	/* userspace's mappings pin the pages */
	__DRM_SHMEM_SHARES	= BIT(6),	/* several groups use it, or none */
	__DRM_SHMEM_STALE	= BIT(7),	/* the memory of @__table has moved */
};

/*
 * The layout of @__dma_bufs: two counts and a flag. The pins are what keeps the pages of an object.
 * So if a count overflows, the worst case is that the shrinker tries in vain, or skips the object.
 */
#define __DRM_SHMEM_TOLD_SHIFT	15
#define __DRM_SHMEM_TOLD	BIT(__DRM_SHMEM_TOLD_SHIFT)
#define __DRM_SHMEM_TOLD_MASK	GENMASK(14, 0)
#define __DRM_SHMEM_FOREIGN	BIT(30)

/* The two flags that an object gets from its type. The type's flags also have DRM_SHMEM_DMA32. */
#define __DRM_SHMEM_TYPE_SHIFT	1
#define __DRM_SHMEM_TYPE_BITS	2
#define __DRM_SHMEM_TYPE_FLAGS	3

/*
 * The list of a &struct drm_shmem_shrinker that an object is on. A scan takes the lists
 * in this order, and stops before those whose objects have no memory to give back.
 */
enum __drm_shmem_list {
	__DRM_SHMEM_PURGEABLE,
	__DRM_SHMEM_UNUSED,
	__DRM_SHMEM_MMAPPED,
	__DRM_SHMEM_GROUPED,
	__DRM_SHMEM_SHARED,
	__DRM_SHMEM_PARKED,
	__DRM_SHMEM_DEAD,
	__DRM_SHMEM_UNLISTED,
};

static_assert(IS_ENABLED(CONFIG_DRM_SAFE_DEBUG) ||
	      sizeof(struct drm_shmem_obj) - sizeof(struct drm_gem_shmem_object) <=
	      (IS_ENABLED(CONFIG_DEBUG_FS) ? 72 : 64));

/**
 * struct drm_shmem_opts - how to create an object
 */
struct drm_shmem_opts {
	/** @map_wc: map the object write-combined */
	bool map_wc;

	/**
	 * @no_mmap:
	 *
	 * Userspace cannot map this object, neither through the device nor through a
	 * dma-buf: both return -EPERM. See DRM_SHMEM_NO_MMAP for a whole type.
	 */
	bool no_mmap;

	/**
	 * @resv_parent:
	 *
	 * Share the reservation object of this GEM object. The new object holds a
	 * reference to it. This GEM object must use its own reservation object.
	 */
	struct drm_gem_object *resv_parent;

	/**
	 * @resv_locked:
	 *
	 * Whether creation happens under the reservation lock of @resv_parent. It must say what
	 * is the case. If it is set, the init step uses the _locked forms of calls. So a type
	 * whose init step maps is always created with this set, or never. The step runs without
	 * the lock for imports and dumb buffers.
	 */
	bool resv_locked;
};

/**
 * DRM_SHMEM_RECLAIM - objects of this type give back their memory
 *
 * For &drm_shmem_obj_type.flags. The sg tables of such objects can be unmapped early, and
 * the objects can be evicted or purged. In return, each use of a table is counted, which
 * costs two atomic operations.
 */
#define DRM_SHMEM_RECLAIM	(__DRM_SHMEM_RECLAIM >> __DRM_SHMEM_TYPE_SHIFT)

/**
 * DRM_SHMEM_NO_MMAP - userspace cannot map objects of this type
 *
 * For &drm_shmem_obj_type.flags. Asking for an mmap offset of such an object fails with
 * -EPERM, and so does mmap() of the device or of a dma-buf. For memory that only the
 * hardware and the kernel may see, such as firmware or page tables. Kernel mappings, sg
 * tables and exports still work.
 */
#define DRM_SHMEM_NO_MMAP	(__DRM_SHMEM_NO_MMAP >> __DRM_SHMEM_TYPE_SHIFT)

/**
 * DRM_SHMEM_DMA32 - the pages of objects of this type are below 4 GiB
 *
 * For &drm_shmem_obj_type.flags. For objects whose address must fit into a 32-bit register of a
 * device that can otherwise reach more memory. The DMA mask of the device applies to all types,
 * see &drm_shmem_device_opts.dma_mask. An import has the pages that its exporter chose.
 */
#define DRM_SHMEM_DMA32		BIT(__DRM_SHMEM_TYPE_BITS)

/**
 * struct drm_shmem_obj_type - a driver's type of object
 *
 * The base of what DRM_SHMEM_OBJ_TYPE() declares. A driver defines a const one for each
 * of its types, with DRM_SHMEM_OBJ_FUNCS and with the steps that it adds. All steps are
 * optional. They get an object of this type, which drm_shmem_from_obj() turns into the
 * driver's structure. The object is complete, except for @init.
 */
struct drm_shmem_obj_type {
	/**
	 * @funcs:
	 *
	 * The functions of the objects, set with DRM_SHMEM_OBJ_FUNCS. Their address
	 * identifies the type.
	 */
	struct drm_gem_object_funcs funcs;

	/** @flags: any of DRM_SHMEM_RECLAIM, DRM_SHMEM_NO_MMAP and DRM_SHMEM_DMA32 */
	u8 flags : __DRM_SHMEM_TYPE_FLAGS;

	/**
	 * @kind: set by DRM_SHMEM_OBJ_KIND_OF(): this type is part of a
	 * &struct drm_shmem_obj_kind
	 */
	u8 kind : 1;

	/**
	 * @init:
	 *
	 * Initialises the driver's part, which is zeroed. The object can be mapped, but is
	 * not complete: drm_shmem_from_gem() does not know it yet. If this fails, no other
	 * step is called. The driver sets everything that depends on more than the object
	 * after drm_shmem_create(), while the object is unique.
	 */
	int (*init)(struct drm_shmem_obj *obj);

	/**
	 * @release:
	 *
	 * The last reference is gone, and the object is on no list. For a device that may use
	 * the object until it has answered a command: the step puts off the end with
	 * drm_shmem_put_off(), sends the command, and returns what drm_shmem_put_off() returned.
	 * If the step returns NULL, the object ends at once. The step runs in the thread that
	 * puts the last reference, perhaps with reservation locks of other objects held, so it
	 * must not wait.
	 */
	struct drm_shmem_put_off *(*release)(struct drm_shmem_obj *obj);

	/**
	 * @fini:
	 *
	 * Undoes @init. The last reference is gone, and neither @evict nor @sgt_revoked runs
	 * or will run. If the object has an sg table that was not revoked, the table is still
	 * mapped, and unbinding the parent waits for this to return. While the parent is being
	 * unbound, this step may run in the unbinding task. Like @release, it may run with
	 * reservation locks of other objects held, so it must take no reservation lock, and must
	 * not map an import. The library reports the latter.
	 */
	void (*fini)(struct drm_shmem_obj *obj);

	/** @open: a file gets a handle of the object; an error refuses the handle */
	int (*open)(struct drm_shmem_obj *obj, struct drm_file *file);

	/** @close: a file gives up its handle of the object */
	void (*close)(struct drm_shmem_obj *obj, struct drm_file *file);

	/**
	 * @print_info: like &drm_gem_object_funcs.print_info, called after the common part is
	 * printed
	 */
	void (*print_info)(struct drm_printer *p, unsigned int indent,
			   const struct drm_shmem_obj *obj);

	/**
	 * @mmap:
	 *
	 * Userspace maps the object, through the device or a dma-buf of the library. An error
	 * refuses the mapping. Called after the library's own checks, when @vma is as it will be:
	 * the step reads the range, the offset and the mm, and may add an MMU notifier with
	 * mmu_interval_notifier_insert_locked(). The offset in the object, in pages, is
	 * vm_pgoff less drm_vma_node_start(), also for a dma-buf. Nothing is mapped yet. The
	 * step keeps no pointer to @vma, which is split, moved, inherited by fork(), and ended
	 * without this step; a notifier tells of that in its own mm. Called with the mmap lock
	 * held for writing, without a reservation lock: the step may sleep and allocate, but
	 * must not fault in memory of userspace, and must not wait for the fence of a job that
	 * may do so. Not called for imports. Not for a type with DRM_SHMEM_NO_MMAP.
	 */
	int (*mmap)(struct drm_shmem_obj *obj, const struct vm_area_struct *vma);

	/**
	 * @rss:
	 *
	 * Returns the bytes of memory that belong to the object in addition to its own pages, such
	 * as the parts of a heap that grows, to which no file has a handle. drm_shmem_show_fdinfo()
	 * adds them to the resident memory. Such an object counts as active with its resident
	 * memory, and in total with its size, or its resident memory if that is larger. A purge of
	 * the object does not free the parts. Called under a spinlock of the file: the step takes
	 * no lock that sleeps, allocates nothing, waits for nothing, and uses READ_ONCE() for
	 * members that others change. Not called for imports.
	 */
	size_t (*rss)(const struct drm_shmem_obj *obj);

	/**
	 * @export:
	 *
	 * Like &drm_gem_object_funcs.export. The step calls drm_shmem_export(), or makes a
	 * dma-buf with operations of its own. In the latter case, the object is neither purged
	 * nor evicted any more.
	 */
	struct dma_buf *(*export)(struct drm_shmem_obj *obj, int flags);

	/**
	 * @sgt_revoked:
	 *
	 * The sg table was revoked, because the parent of the device is being unbound.
	 * Called once, under the reservation lock, with a reference. If @init is running
	 * at that time, this is called after it, unless the task is killed: then the object
	 * ends, and only @fini is called.
	 */
	void (*sgt_revoked)(struct drm_shmem_obj *obj);

	/**
	 * @moved:
	 *
	 * The exporter of an import moves its memory, or takes it away. Only for a type with
	 * DRM_SHMEM_RECLAIM. Having this step makes the imports of the type follow such moves,
	 * unless the type also has a release step: the hardware may use the memory of an object
	 * whose end is put off, so the exporter must keep the memory of such imports in place.
	 *
	 * Called with a reference, for an object that has an sg table. The step suspends the
	 * handles that own the table, with drm_shmem_sgt_suspend(), and calls
	 * drm_gpuvm_imm_set_invalid(), so that page tables with its addresses are rewritten
	 * before the next job. The exporter waits for the fences of running jobs. Called under
	 * the reservation lock, perhaps in memory reclaim: the step must not allocate memory or
	 * wait for a fence, and must not take a lock under which other code allocates memory. If
	 * @init is running when the memory moves, this is called after it, like @sgt_revoked.
	 */
	void (*moved)(struct drm_shmem_obj *obj);

	/**
	 * @evict:
	 *
	 * The object is idle and has an sg table, and its pages are about to be evicted or
	 * purged. Called with a reference. The step must remove the table's addresses from all
	 * page tables, and suspend the handles that own the table, with drm_shmem_sgt_suspend().
	 * If that is not possible right now, it returns -EBUSY, and handles that it has suspended
	 * stay suspended.
	 *
	 * A block of drm_shmem_sgt_guard_owned() may still be running, and store addresses after
	 * this step. Either the step excludes such blocks with a lock, or it also removes the
	 * addresses of handles that are suspended already when it is called again.
	 *
	 * Called under the reservation lock, perhaps in memory reclaim: the step must not
	 * allocate memory, and may only trylock other sleeping locks. Only for a type with
	 * DRM_SHMEM_RECLAIM.
	 */
	int (*evict)(struct drm_shmem_obj *obj);
};

/**
 * struct drm_shmem_obj_base - common base of several types of object of a driver
 *
 * The base of what DRM_SHMEM_OBJ_BASE() declares. Its address identifies the base.
 */
struct drm_shmem_obj_base {
	/** @name: of the base, for reports */
	const char *name;
};

/**
 * struct drm_shmem_obj_kind - a driver's type of object that is one of several kinds
 *
 * The layout of what DRM_SHMEM_OBJ_KIND() declares.
 *
 * Invariants:
 *
 * - A &struct drm_shmem_obj_type with &drm_shmem_obj_type.kind set is the first member of one.
 */
struct drm_shmem_obj_kind {
	/** @base: the type, see &struct drm_shmem_obj_type */
	struct drm_shmem_obj_type base;

	/** @of: the base that all kinds share */
	const struct drm_shmem_obj_base *of;

	/** @ops: the operations of this kind, in the base's type of operations */
	const void *ops;
};

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
 * Return: the size in bytes, which is whole pages except for an import. For an import it is
 * the size of the exporter's dma-buf, while the size of the &struct drm_gem_object is
 * rounded up.
 */
static __always_inline size_t drm_shmem_size(const struct drm_shmem_obj *obj)
{
	return __drm_gem_bytes(&obj->base.base);
}

/**
 * drm_shmem_has_vmap() - is an object mapped into the kernel right now?
 * @obj: the object
 *
 * No mapping is made or kept, so the answer can be stale when it is used, unless the
 * caller knows of a handle. Mappings that go through the core's helpers alone do not
 * count.
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
 * No table is made or kept, so the answer can be stale when it is used, unless the caller
 * knows of a handle, or holds the reservation lock.
 *
 * Context: Any.
 *
 * Return: whether there is an sg table. A revoked one does not count.
 */
static inline bool drm_shmem_has_sgt(const struct drm_shmem_obj *obj)
{
	return __drm_gem_is_table(READ_ONCE(obj->__table.__sgt));
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
 * same. It may hold a pointer to an object of any type, shared or unique, NULL, or an
 * ERR_PTR().
 *
 * Does not wait for an unbind, for other objects, or for the exporter of an imported object: a
 * work item detaches such an object from its dma-buf. An object holds a reference to its
 * drm_device, so a driver that keeps objects for the device itself must put them when the parent is
 * unbound, for example in &drm_dev_ctx_ops.release. Otherwise the objects keep the device alive.
 *
 * Context: May sleep. The caller must not hold the object's own reservation lock, but may hold
 * the locks of other objects, as in drm_exec_fini(). The lock of an import belongs to the exporter:
 * the caller may hold it only if something else keeps the dma-buf, such as another import.
 */
static inline void drm_shmem_put(struct drm_shmem_obj *obj) __must_not_hold(drm_resv)
{
	if (obj)
		drm_gem_object_put(&obj->base.base);
}

/*
 * The argument is untyped, as with DEFINE_FREE(). The variable can hold a pointer to a
 * driver's structure of any type, because the struct drm_shmem_obj is its first member.
 * A cleanup function has one prototype, so no compiler can check this.
 */
static __always_inline void __free_drm_shmem(void *p) __must_not_hold(drm_resv)
{
	struct drm_shmem_obj *obj = *(struct drm_shmem_obj **)p;

	if (!IS_ERR_OR_NULL(obj))
		drm_shmem_put(obj);
}

int drm_shmem_funcs_pin(struct drm_gem_object *gem) __must_hold(drm_resv);
void drm_shmem_funcs_unpin(struct drm_gem_object *gem) __must_hold(drm_resv);

int drm_shmem_panic_scanout(struct drm_shmem_obj *obj, struct drm_scanout_buffer *sb) __must_check;

int drm_shmem_funcs_mmap(struct drm_gem_object *gem, struct vm_area_struct *vma)
	__must_not_hold(drm_resv);
extern const struct vm_operations_struct __drm_shmem_vm_ops;

void __drm_shmem_publish(struct drm_shmem_obj *obj);
struct drm_shmem_obj *
__drm_shmem_create(const struct drm_shmem_obj_type *type, size_t type_size,
		   struct drm_device *drm, u64 size,
		   const struct drm_shmem_opts *opts) __must_check;
int drm_shmem_handle_create(struct drm_shmem_obj *obj, struct drm_file *file,
			    u32 *handle) __must_check;
struct drm_shmem_obj *
__drm_shmem_lookup(const struct drm_shmem_obj_type *type, struct drm_file *file,
		   u32 handle) __must_check;
struct drm_shmem_obj *
__drm_shmem_lookup_base(const struct drm_shmem_obj_base *base, struct drm_file *file,
			u32 handle) __must_check;
int drm_shmem_mmap_offset(struct drm_shmem_obj *obj, u64 *offset) __must_check
	__must_not_hold(drm_resv);
int drm_shmem_mmap_offset_interruptible(struct drm_shmem_obj *obj, u64 *offset) __must_check
	__must_not_hold(drm_resv);
struct dma_buf *drm_shmem_export(struct drm_shmem_obj *obj, int flags)
	__must_check __nonnull_args(1);

/* For struct drm_driver */
struct drm_gem_object *
__drm_shmem_alloc(const struct drm_shmem_obj_type *type, size_t type_size) __must_check;
void drm_shmem_show_fdinfo(struct drm_printer *p, struct drm_file *file);
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

/* For struct drm_gem_object_funcs, by DRM_SHMEM_OBJ_FUNCS, with the three above */
void drm_shmem_funcs_free(struct drm_gem_object *gem) __must_not_hold(drm_resv);
int drm_shmem_funcs_open(struct drm_gem_object *gem, struct drm_file *file);
void drm_shmem_funcs_close(struct drm_gem_object *gem, struct drm_file *file);
void drm_shmem_funcs_print_info(struct drm_printer *p, unsigned int indent,
				const struct drm_gem_object *gem);
struct dma_buf *drm_shmem_funcs_export(struct drm_gem_object *gem, int flags);
struct sg_table *drm_shmem_funcs_get_sg_table(struct drm_gem_object *gem);
int drm_shmem_funcs_vmap(struct drm_gem_object *gem, struct iosys_map *map)
	__must_hold(drm_resv);
void drm_shmem_funcs_vunmap(struct drm_gem_object *gem, struct iosys_map *map)
	__must_hold(drm_resv);
enum drm_gem_object_status drm_shmem_funcs_status(struct drm_gem_object *gem);

/* The functions identify an object of the library: first invariant of drm_shmem_obj. */
static __always_inline struct drm_shmem_obj *
__drm_shmem_obj_of(const struct drm_shmem_obj_type *type, struct drm_gem_object *gem)
{
	if (!gem || gem->funcs != &type->funcs)
		return NULL;
	return container_of(gem, struct drm_shmem_obj, base.base);
}

/* The base of a type that is one of several kinds, or NULL */
static __always_inline const struct drm_shmem_obj_base *
__drm_shmem_type_base(const struct drm_shmem_obj_type *type)
{
	/* The flag makes this right: invariant of struct drm_shmem_obj_kind. */
	return type->kind ? container_of(type, struct drm_shmem_obj_kind, base)->of : NULL;
}

/* Only objects of the library have these vm_ops, and their functions are in their type. */
static __always_inline struct drm_shmem_obj *
__drm_shmem_obj_of_base(const struct drm_shmem_obj_base *base, struct drm_gem_object *gem)
{
	const struct drm_gem_object_funcs *funcs = gem ? gem->funcs : NULL;

	if (!funcs || funcs->vm_ops != &__drm_shmem_vm_ops ||
	    __drm_shmem_type_base(container_of(funcs, struct drm_shmem_obj_type, funcs)) != base)
		return NULL;
	return container_of(gem, struct drm_shmem_obj, base.base);
}

#ifdef CONFIG_DRM_SAFE_DEBUG
void __drm_shmem_check_type(const struct drm_shmem_obj_type *type,
			    const struct drm_shmem_obj *obj);
void __drm_shmem_check_base(const struct drm_shmem_obj_base *base,
			    const struct drm_shmem_obj *obj);
#else
static inline void __drm_shmem_check_base(const struct drm_shmem_obj_base *base,
					  const struct drm_shmem_obj *obj) { }
static inline void __drm_shmem_check_type(const struct drm_shmem_obj_type *type,
					  const struct drm_shmem_obj *obj) { }
#endif

static __always_inline const struct drm_shmem_obj *
__drm_shmem_of_type(const struct drm_shmem_obj_type *type, const struct drm_shmem_obj *obj)
{
	__drm_shmem_check_type(type, obj);
	return obj;
}

static __always_inline const struct drm_shmem_obj *
__drm_shmem_of_base(const struct drm_shmem_obj_base *base, const struct drm_shmem_obj *obj)
{
	__drm_shmem_check_base(base, obj);
	return obj;
}

const struct drm_shmem_obj_type *__drm_shmem_kind_broken(const struct drm_shmem_obj_type *type);

/* A description that is larger than its type describes a kind. A kind has a base and operations. */
static __always_inline const struct drm_shmem_obj_type *
__drm_shmem_whole(const struct drm_shmem_obj_type *type, size_t size)
{
	const struct drm_shmem_obj_kind *kind = (const void *)type;

	if (size > sizeof(*type) && unlikely(!type->kind || !kind->of || !kind->ops))
		return __drm_shmem_kind_broken(type);
	return type;
}

/**
 * DRM_SHMEM_OBJ_TYPE() - declare a driver's type of object
 * @_name: name of the type's description, a const &struct drm_shmem_obj_type as its base
 * @_type: the driver's structure
 * @_member: its &struct drm_shmem_obj, which must come first
 * @_unique: a structure tag of the driver's choice, never defined: the type of an object that
 *	is not shared yet
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
 * For the definition of what DRM_SHMEM_OBJ_TYPE() declared. The library makes no object of a type
 * that lacks these functions, or that overrides one of them: a driver adds steps instead.
 */
#define DRM_SHMEM_OBJ_FUNCS							\
	.base.funcs = {								\
		.free = drm_shmem_funcs_free,					\
		.open = drm_shmem_funcs_open,					\
		.close = drm_shmem_funcs_close,					\
		.print_info = drm_shmem_funcs_print_info,				\
		.export = drm_shmem_funcs_export,					\
		.pin = drm_shmem_funcs_pin,					\
		.unpin = drm_shmem_funcs_unpin,					\
		.get_sg_table = drm_shmem_funcs_get_sg_table,			\
		.vmap = drm_shmem_funcs_vmap,					\
		.vunmap = drm_shmem_funcs_vunmap,					\
		.mmap = drm_shmem_funcs_mmap,					\
		.status = drm_shmem_funcs_status,					\
		.vm_ops = &__drm_shmem_vm_ops,					\
	}

/* The size of the driver's structure that a description is about */
#define __drm_shmem_sizeof(_desc)	sizeof(*(_desc)->__obj[0])
#define __drm_shmem_cast(_desc, _obj)	((typeof(*(_desc)->__obj[0]) *)(_obj))

/* Selects one of two functions: for the description of a type, or of a base */
#define __drm_shmem_type_or_base(_desc, _for_type, _for_base)			\
	_Generic(&(_desc)->base,						\
		 const struct drm_shmem_obj_type *: _for_type,			\
		 const struct drm_shmem_obj_base *: _for_base)

/* The type of the object to create */
#define __drm_shmem_type(_desc)							\
	__drm_shmem_whole(&(_desc)->base, sizeof(*(_desc)))

/**
 * drm_shmem_create() - create an object
 * @_desc: address of the description of its type
 * @_drm: its device
 * @_size: size in bytes, which may come from userspace; it is rounded up to whole pages
 * @_opts: a const &struct drm_shmem_opts, or NULL
 *
 * The object is unique: it has no handle, no dma-buf and no mmap offset, and gets none
 * before drm_shmem_publish() consumes it. Its type, the @_unique tag of
 * DRM_SHMEM_OBJ_TYPE(), keeps it away from functions that take a shared object. Declare the
 * variable with ``__free(drm_shmem)``.
 *
 * Context: May sleep. Calls the type's init step. If that maps the sg table, this takes the
 * reservation lock, unless &drm_shmem_opts.resv_locked says that the caller holds it.
 *
 * Return: the unique object, or an ERR_PTR(): -EINVAL for size 0, for a size that no object
 * of this kernel can have, and, with a report, for a &drm_shmem_opts.resv_parent of another
 * device or without its own reservation object, for &drm_shmem_opts.resv_locked without the
 * lock, and for an incomplete description of a type; -EALREADY, with a report, if the caller
 * holds the lock without &drm_shmem_opts.resv_locked; -ENOMEM; -ENOSPC; -EINTR if the task was
 * killed while it waited for the reservation lock of a parent; or the error of the init step.
 */
#define drm_shmem_create(_desc, _drm, _size, _opts)				\
	((typeof(*(_desc)->__unique[0]) *)					\
	 __drm_shmem_create(__drm_shmem_type(_desc), __drm_shmem_sizeof(_desc), _drm, _size, _opts))

/* A unique object is the object itself. Its type says that no one else has it. */
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
 * @_desc: address of the description of the type that the object must have, or of a base for
 *	an object of any of its kinds
 * @_file: the file that the handle is from
 * @_handle: the handle
 *
 * Context: May sleep.
 *
 * Return: the driver's structure with a reference; ERR_PTR(-ENOENT) if there is no such
 * handle; ERR_PTR(-EINVAL) if its object is of another type.
 */
#define drm_shmem_lookup(_desc, _file, _handle)					\
	__drm_shmem_cast(_desc, __drm_shmem_type_or_base(_desc, __drm_shmem_lookup,	\
							 __drm_shmem_lookup_base)	\
				(&(_desc)->base, _file, _handle))

/**
 * drm_shmem_from_gem() - the driver's structure of a GEM object
 * @_desc: address of the description of the type, or of a base
 * @_gem: the &struct drm_gem_object, or NULL
 *
 * Takes no reference.
 *
 * Context: Any.
 *
 * Return: the driver's structure, or NULL if @_gem is not an object of the type, or not complete.
 */
#define drm_shmem_from_gem(_desc, _gem)						\
	__drm_shmem_cast(_desc, __drm_shmem_type_or_base(_desc, __drm_shmem_obj_of,	\
							 __drm_shmem_obj_of_base)	\
				(&(_desc)->base, _gem))

#define __drm_shmem_as(_desc, _obj)						\
	__drm_shmem_type_or_base(_desc, __drm_shmem_of_type, __drm_shmem_of_base) \
		(&(_desc)->base, _obj)

/**
 * drm_shmem_from_obj() - get the driver's structure in a step of its type
 * @_desc: address of the description of the type, or of a base whose kinds share the step
 * @_obj: the argument of the step, which may be const
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
			__drm_shmem_cast(_desc, __drm_shmem_as(_desc, _obj)),	\
		 const struct drm_shmem_obj *:					\
			(const typeof(*(_desc)->__obj[0]) *)			\
			__drm_shmem_as(_desc, _obj))

/**
 * drm_shmem_gem_create_object() - body of &drm_driver.gem_create_object
 * @_desc: address of the description of the type of the driver's dumb buffers and imports
 *
 * If the driver calls drm_gem_shmem_create(), the core turns the memory into an object with the
 * core's functions, which is not of this type.
 *
 * Context: May sleep.
 *
 * Return: memory for an object, or an ERR_PTR(): -ENOMEM, or -EINVAL, with a report, for a
 * type with other functions than DRM_SHMEM_OBJ_FUNCS.
 */
#define drm_shmem_gem_create_object(_desc)					\
	__drm_shmem_alloc(__drm_shmem_type(_desc), __drm_shmem_sizeof(_desc))

/* What a driver with a display has in addition */
#define __DRM_SHMEM_DUMB_OPS							\
	.dumb_create = drm_shmem_dumb_create,					\
	.dumb_map_offset = drm_shmem_dumb_map_offset

/**
 * DRM_SHMEM_RENDER_OPS_FDINFO() - GEM callbacks of &struct drm_driver, without dumb buffers
 * @_show: the driver's own &drm_driver.show_fdinfo, which calls drm_shmem_show_fdinfo()
 *
 * Like DRM_SHMEM_RENDER_OPS, for a driver that shows more about a client than its memory.
 */
#define DRM_SHMEM_RENDER_OPS_FDINFO(_show)					\
	.show_fdinfo = _show,							\
	.gem_prime_import = drm_shmem_prime_import_no_map

/**
 * DRM_SHMEM_RENDER_OPS - GEM callbacks of &struct drm_driver, without dumb buffers
 *
 * For a driver without a display, whose clients create buffers with an ioctl of the driver. In
 * addition, the driver sets &drm_driver.gem_create_object to a function that calls
 * drm_shmem_gem_create_object(): its imported objects are of that type.
 *
 * A dma-buf that this device has exported, also with drm_gem_sgt_export(), is imported as the
 * object that it was made of. PRIME imports are mapped for the device when their sg table is first
 * used. The fdinfo of each client shows its memory if the driver uses DEFINE_DRM_SHMEM_FOPS().
 */
#define DRM_SHMEM_RENDER_OPS	DRM_SHMEM_RENDER_OPS_FDINFO(drm_shmem_show_fdinfo)

/**
 * DRM_SHMEM_RENDER_OPS_SGT_FDINFO() - the same, with imports mapped at once
 * @_show: the driver's own &drm_driver.show_fdinfo, which calls drm_shmem_show_fdinfo()
 */
#define DRM_SHMEM_RENDER_OPS_SGT_FDINFO(_show)					\
	.show_fdinfo = _show,							\
	.gem_prime_import = drm_shmem_prime_import,				\
	.gem_prime_import_sg_table = drm_shmem_prime_import_sg_table

/**
 * DRM_SHMEM_RENDER_OPS_SGT - GEM callbacks without dumb buffers that map imports at once
 *
 * For devices that drm_dev_ctx_alloc() or drm_dev_ctx_alloc_parent() made. An import on
 * such a device returns -ENODEV unless the device is registered. An import on any other
 * device reports that, and returns -ENODEV.
 */
#define DRM_SHMEM_RENDER_OPS_SGT	DRM_SHMEM_RENDER_OPS_SGT_FDINFO(drm_shmem_show_fdinfo)

/**
 * DRM_SHMEM_DRIVER_OPS_FDINFO() - GEM callbacks of &struct drm_driver
 * @_show: the driver's own &drm_driver.show_fdinfo, which calls drm_shmem_show_fdinfo()
 *
 * Like DRM_SHMEM_DRIVER_OPS, for a driver that shows more about a client than its memory.
 */
#define DRM_SHMEM_DRIVER_OPS_FDINFO(_show)					\
	DRM_SHMEM_RENDER_OPS_FDINFO(_show),					\
	__DRM_SHMEM_DUMB_OPS

/**
 * DRM_SHMEM_DRIVER_OPS - GEM callbacks of &struct drm_driver
 *
 * Like DRM_SHMEM_RENDER_OPS, with dumb buffers. These are of the type that
 * &drm_driver.gem_create_object names, too. A dumb buffer gets an mmap offset by the same rules as
 * any other object.
 */
#define DRM_SHMEM_DRIVER_OPS	DRM_SHMEM_DRIVER_OPS_FDINFO(drm_shmem_show_fdinfo)

/**
 * DRM_SHMEM_DRIVER_OPS_SGT_FDINFO() - the same, with imports mapped at once
 * @_show: the driver's own &drm_driver.show_fdinfo, which calls drm_shmem_show_fdinfo()
 */
#define DRM_SHMEM_DRIVER_OPS_SGT_FDINFO(_show)					\
	DRM_SHMEM_RENDER_OPS_SGT_FDINFO(_show),					\
	__DRM_SHMEM_DUMB_OPS

/**
 * DRM_SHMEM_DRIVER_OPS_SGT - GEM callbacks that map imports at once
 *
 * Like DRM_SHMEM_RENDER_OPS_SGT, with dumb buffers.
 */
#define DRM_SHMEM_DRIVER_OPS_SGT	DRM_SHMEM_DRIVER_OPS_SGT_FDINFO(drm_shmem_show_fdinfo)

/**
 * DRM_SHMEM_FOPS - file operations of a device
 *
 * DRM_GEM_FOPS, plus the fdinfo that DRM_SHMEM_DRIVER_OPS and DRM_SHMEM_RENDER_OPS provide.
 */
#define DRM_SHMEM_FOPS								\
	DRM_GEM_FOPS,								\
	.show_fdinfo = drm_show_fdinfo

/**
 * DEFINE_DRM_SHMEM_FOPS() - define the file operations of a driver
 * @_name: name of the static const &struct file_operations
 *
 * Like DEFINE_DRM_GEM_FOPS(), with DRM_SHMEM_FOPS. The file operations belong to the
 * module that defines them.
 */
#define DEFINE_DRM_SHMEM_FOPS(_name)						\
	static const struct file_operations _name = {				\
		.owner = THIS_MODULE,						\
		DRM_SHMEM_FOPS,							\
	}

#endif /* _DRM_SHMEM_OBJ_H */
