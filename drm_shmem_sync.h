/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _DRM_SHMEM_SYNC_H
#define _DRM_SHMEM_SYNC_H

#include <linux/dma-direction.h>
#include <linux/dma-mapping.h>
#include <linux/iommu.h>

#include "drm_shmem_sgt.h"
#include "drm_shmem_vmap.h"

int __drm_shmem_cpu_begin(struct drm_shmem_obj *obj, enum dma_data_direction dir)
	__must_check __must_not_hold(drm_resv);
int __drm_shmem_cpu_end(struct drm_shmem_obj *obj, enum dma_data_direction dir)
	__must_not_hold(drm_resv);
int __drm_shmem_sync(const struct drm_dev_ctx_bound *bound, struct drm_shmem_obj *obj,
		     enum dma_data_direction dir, bool to_device) __must_check;
int __drm_shmem_sync_range(const struct drm_dev_ctx_bound *bound, struct drm_shmem_obj *obj,
			   u64 offset, u64 len, enum dma_data_direction dir, bool to_device)
	__must_check;
struct drm_shmem_obj *__drm_vmap_cpu_obj(const struct drm_vmap *m, int *err);

/*
 * Returns whether a CPU access may need cache maintenance, or copies to and from a bounce
 * buffer. An object with dma-bufs may be mapped for other devices, too.
 */
static __always_inline bool __drm_shmem_cpu_syncs(const struct drm_shmem_obj *obj)
{
	const struct drm_gem_object *gem = &obj->base.base;

	return drm_gem_is_imported(gem) || dma_dev_need_sync(drm_dev_dma_dev(gem->dev)) ||
	       atomic_read(&obj->__dma_bufs);
}

/* With a constant direction, the compiler drops this check. */
static __always_inline int
__drm_shmem_cpu_check(struct drm_shmem_obj *obj, enum dma_data_direction dir)
{
	if (!valid_dma_direction(dir))
		return -EINVAL;
	return __drm_gem_resv_check_call(&obj->base.base, false);
}

/**
 * drm_shmem_cpu_begin() - begin a CPU access to an object
 * @obj: the object
 * @dir: DMA_FROM_DEVICE for reads, DMA_TO_DEVICE for writes, DMA_BIDIRECTIONAL for both, and for
 *	writes to a part of an object that devices write to as well
 *
 * Makes writes of devices visible to the CPU. An ioctl with which userspace brackets its
 * accesses calls this. Kernel code uses blocks of drm_shmem_cpu_guard().
 *
 * The library asks the exporter of an imported object, and the core waits for the fences of the
 * dma-buf. For other objects this waits for no fence, so the caller has to know that the device
 * is done. This covers the devices of importers, too.
 *
 * With a coherent device and no bounce buffer, this costs a few loads.
 *
 * Context: May sleep. Without the object's reservation lock.
 *
 * Return: 0; -EINVAL for any other direction; -EINTR if the task was killed while it waited
 * for the lock, for an exporter, or for its fences; -ENODEV if signals interrupted the exporter
 * while the device was unplugged; -EAGAIN if the wait for a fence of the exporter failed; -ENOMEM;
 * -EALREADY if called under the lock, which is reported; or the error of the exporter.
 */
static inline int __must_check
drm_shmem_cpu_begin(struct drm_shmem_obj *obj, enum dma_data_direction dir)
	__must_not_hold(drm_resv)
{
	int ret = __drm_shmem_cpu_check(obj, dir);

	if (ret || likely(!__drm_shmem_cpu_syncs(obj)))
		return ret;
	return __drm_shmem_cpu_begin(obj, dir);
}

/**
 * drm_shmem_cpu_end() - end a CPU access to an object
 * @obj: the object
 * @dir: as given to drm_shmem_cpu_begin()
 *
 * Makes writes of the CPU visible to devices, including devices that the object is mapped for
 * later.
 *
 * Context: May sleep. Without the object's reservation lock.
 *
 * Return: 0; -EINVAL for any other direction; -EALREADY if called under the lock, which is
 * reported; -EAGAIN if a wait for a fence of the exporter failed; or what the exporter of an
 * imported object returned.
 */
static inline int
drm_shmem_cpu_end(struct drm_shmem_obj *obj, enum dma_data_direction dir)
	__must_not_hold(drm_resv)
{
	int ret = __drm_shmem_cpu_check(obj, dir);

	if (ret || likely(!__drm_shmem_cpu_syncs(obj)))
		return ret;
	return __drm_shmem_cpu_end(obj, dir);
}

/* A CPU access. @__obj is NULL if it did not begin. */
struct __drm_shmem_cpu {
	struct drm_shmem_obj *__obj;
	enum dma_data_direction __dir;
};

/* These do not use DEFINE_CLASS(), like the classes of the sg tables. */
typedef struct __drm_shmem_cpu class_drm_shmem_cpu_t;
typedef struct __drm_shmem_cpu class_drm_vmap_cpu_t;

static __always_inline struct __drm_shmem_cpu
class_drm_shmem_cpu_constructor(struct drm_shmem_obj *obj, enum dma_data_direction dir, int *err)
	__must_not_hold(drm_resv)
{
	*err = drm_shmem_cpu_begin(obj, dir);
	return (struct __drm_shmem_cpu) { .__obj = *err ? NULL : obj, .__dir = dir };
}

static __always_inline struct __drm_shmem_cpu
class_drm_vmap_cpu_constructor(const struct drm_vmap *m, enum dma_data_direction dir, int *err)
	__must_not_hold(drm_resv)
{
	struct drm_shmem_obj *obj = __drm_vmap_cpu_obj(m, err);

	return obj ? class_drm_shmem_cpu_constructor(obj, dir, err) : (struct __drm_shmem_cpu) {};
}

static __always_inline void class_drm_shmem_cpu_destructor(struct __drm_shmem_cpu *cpu)
	__must_not_hold(drm_resv)
{
	/* An error comes from the exporter, and was reported. */
	if (cpu->__obj)
		drm_shmem_cpu_end(cpu->__obj, cpu->__dir);
}

static __always_inline void *class_drm_shmem_cpu_lock_ptr(struct __drm_shmem_cpu *cpu)
{
	return cpu->__obj;
}

#define class_drm_shmem_cpu_is_conditional	true
#define class_drm_vmap_cpu_destructor		class_drm_shmem_cpu_destructor
#define class_drm_vmap_cpu_lock_ptr		class_drm_shmem_cpu_lock_ptr
#define class_drm_vmap_cpu_is_conditional	true

/* The block of scoped_guard(). A jump into it does not compile. */
#define __drm_shmem_cpu_guard(_class, _from, _dir, _err)			\
	scoped_guard(_class, _from, _dir, &(_err))				\
		for (bool __once = true; __once; __once = false)		\
			__drm_safe_no_jump_into(__once, __once, __once = false)

/**
 * drm_shmem_cpu_guard() - run a block in which the CPU accesses an object
 * @_obj: the &struct drm_shmem_obj, which the caller keeps alive
 * @_dir: direction, as in drm_shmem_cpu_begin()
 * @_err: variable for the result, as of drm_shmem_cpu_begin()
 *
 * The block is skipped if @_err is set. Leaving the block, on any path, makes the CPU's writes
 * in it visible to devices. For an import, the exporter does this. An exporter with this library
 * may do this only after the block, if the task was killed or exits. The block is a loop that
 * runs at most once: break leaves it.
 *
 * Context: May sleep. Without the object's reservation lock, at the start and at the end of
 * the block.
 */
#define drm_shmem_cpu_guard(_obj, _dir, _err)					\
	__drm_shmem_cpu_guard(drm_shmem_cpu, _obj, _dir, _err)

/**
 * drm_vmap_cpu_guard() - run a block whose accesses through a mapping are visible to devices
 * @_v: a mapping handle, borrowed or owned, of a &struct drm_shmem_obj
 * @_dir: as in drm_shmem_cpu_guard()
 * @_err: variable for the result: as of drm_shmem_cpu_begin(); -EINVAL if the handle is
 *	empty; -EOPNOTSUPP if its object is a plain &struct drm_gem_shmem_object, or if it maps a
 *	resource of the device, which needs no maintenance
 *
 * Like drm_shmem_cpu_guard() for the mapped object. Each block is one access through a
 * long-lived mapping, such as an update of a ring.
 *
 * Context: As drm_shmem_cpu_guard().
 */
#define drm_vmap_cpu_guard(_v, _dir, _err)					\
	__drm_shmem_cpu_guard(drm_vmap_cpu, &(_v)->__map, _dir, _err)

/**
 * drm_vmap_sync_guard() - run a block with a borrowed mapping whose accesses are visible to devices
 * @_type: the handle's type without struct, see DRM_VMAP()
 * @_v: name of the handle in the block, a ``struct _type *``
 * @_obj: a &struct drm_shmem_obj, which the caller keeps alive
 * @_dir: as in drm_shmem_cpu_guard()
 * @_err: variable for the result, as in drm_vmap_guard() or drm_shmem_cpu_guard()
 *
 * Combines drm_vmap_guard() and drm_vmap_cpu_guard(): a write through the mapping is visible
 * to devices when the block is left. drm_vmap_sync_guard_interruptible() is the form for ioctls.
 *
 * Context: As drm_vmap_guard().
 */
#define drm_vmap_sync_guard(_type, _v, _obj, _dir, _err)			\
	drm_vmap_guard(_type, _v, _obj, _err)					\
		drm_vmap_cpu_guard(_v, _dir, _err)

/**
 * drm_vmap_sync_guard_interruptible() - drm_vmap_sync_guard() with an interruptible wait
 * @_type: the handle's type without struct
 * @_v: name of the handle in the block
 * @_obj: the &struct drm_shmem_obj
 * @_dir: direction
 * @_err: variable for the result, as in drm_vmap_sync_guard(); -EINTR if a signal arrived, with
 *	nothing changed. An ioctl returns that, and userspace calls it again
 *
 * Combines drm_vmap_guard_interruptible() and drm_vmap_cpu_guard(). A signal ends the wait for the
 * mapping. Once the object is mapped, only a signal that kills the task ends the wait of
 * drm_shmem_cpu_begin().
 *
 * Context: As drm_vmap_guard_interruptible().
 */
#define drm_vmap_sync_guard_interruptible(_type, _v, _obj, _dir, _err)		\
	drm_vmap_guard_interruptible(_type, _v, _obj, _err)			\
		drm_vmap_cpu_guard(_v, _dir, _err)

static __always_inline int
__drm_shmem_sync_any(const struct drm_dev_ctx_bound *bound, struct drm_shmem_obj *obj,
		     enum dma_data_direction dir, bool to_device)
{
	__drm_dev_ctx_proven(bound);
	if (!valid_dma_direction(dir))
		return -EINVAL;
	/* Refuse a wrong call on a coherent device, too. */
	if (likely(obj->base.base.dev == &bound->__ctx->drm &&
		   !drm_gem_is_imported(&obj->base.base) &&
		   !dma_dev_need_sync(drm_dev_dma_dev(obj->base.base.dev))))
		return 0;
	return __drm_shmem_sync(bound, obj, dir, to_device);
}

/**
 * drm_shmem_sync_for_cpu() - make writes of the device visible to the CPU
 * @bound: the &struct drm_dev_ctx_bound of the object's device
 * @obj: the object
 * @dir: DMA_FROM_DEVICE if the device wrote, DMA_BIDIRECTIONAL if the CPU wrote as well
 *
 * Takes no lock, so it can be used where a fence is signalled: the sg table stays mapped as long
 * as the proof is valid. Does nothing if the object is not mapped for the device.
 * drm_vmap_sync_guard() is simpler if the CPU access is one block.
 *
 * Context: Any.
 *
 * Return: 0; -EINVAL for any other direction, or if the object belongs to another device, which
 * is reported; -ENODEV if the parent of its device was bound again since; -EOPNOTSUPP if it is
 * imported, in which case drm_shmem_cpu_begin() asks the exporter.
 */
static __always_inline int __must_check
drm_shmem_sync_for_cpu(const struct drm_dev_ctx_bound *bound, struct drm_shmem_obj *obj,
		       enum dma_data_direction dir)
{
	return __drm_shmem_sync_any(bound, obj, dir, false);
}

/**
 * drm_shmem_sync_for_device() - make writes of the CPU visible to the device
 * @bound: the &struct drm_dev_ctx_bound of the object's device
 * @obj: the object
 * @dir: DMA_TO_DEVICE if the device reads, DMA_BIDIRECTIONAL if it writes as well
 *
 * See drm_shmem_sync_for_cpu().
 *
 * Context: Any.
 *
 * Return: as drm_shmem_sync_for_cpu().
 */
static __always_inline int __must_check
drm_shmem_sync_for_device(const struct drm_dev_ctx_bound *bound, struct drm_shmem_obj *obj,
			  enum dma_data_direction dir)
{
	return __drm_shmem_sync_any(bound, obj, dir, true);
}

/**
 * drm_shmem_sync_range_for_cpu() - the same for a part of an object
 * @bound: the &struct drm_dev_ctx_bound of the object's device
 * @obj: the object
 * @offset: in bytes, which may come from userspace
 * @len: in bytes
 * @dir: as in drm_shmem_sync_for_cpu()
 *
 * Touches no byte outside the range, except for the rest of the first and last cache line.
 * Each byte is found by its own DMA address, so segments that an IOMMU merged from scattered
 * pages are handled correctly.
 *
 * Context: Any.
 *
 * Return: as drm_shmem_sync_for_cpu(); -EINVAL also if the range is not inside the object.
 */
static __always_inline int __must_check
drm_shmem_sync_range_for_cpu(const struct drm_dev_ctx_bound *bound, struct drm_shmem_obj *obj,
			     u64 offset, u64 len, enum dma_data_direction dir)
{
	return __drm_shmem_sync_range(__drm_dev_ctx_proven(bound), obj, offset, len, dir, false);
}

/**
 * drm_shmem_sync_range_for_device() - the same for a part of an object
 * @bound: the &struct drm_dev_ctx_bound of the object's device
 * @obj: the object
 * @offset: in bytes, which may come from userspace
 * @len: in bytes
 * @dir: as in drm_shmem_sync_for_device()
 *
 * See drm_shmem_sync_range_for_cpu(). To write back and invalidate, call this with
 * DMA_TO_DEVICE and then drm_shmem_sync_range_for_cpu() with DMA_FROM_DEVICE.
 *
 * Context: Any.
 *
 * Return: as drm_shmem_sync_range_for_cpu().
 */
static __always_inline int __must_check
drm_shmem_sync_range_for_device(const struct drm_dev_ctx_bound *bound, struct drm_shmem_obj *obj,
				u64 offset, u64 len, enum dma_data_direction dir)
{
	return __drm_shmem_sync_range(__drm_dev_ctx_proven(bound), obj, offset, len, dir, true);
}

/**
 * drm_shmem_sgt_iommu_map() - map an owned sg table in an IOMMU domain
 * @bound: the &struct drm_dev_ctx_bound of the object's device
 * @own: the handle
 * @domain: the domain
 * @iova: where it is mapped, in bytes
 * @prot: IOMMU_READ and the like
 *
 * Like iommu_map_sgtable(), whose table argument is not const. The domain keeps addresses of
 * the pages, so this takes a handle that owns the table. The range must be unmapped, with
 * iommu_unmap(), in the type's steps sgt_revoked and evict, and before @own is released.
 *
 * Context: May sleep. As drm_shmem_sgt_guard_owned().
 *
 * Return: how many bytes were mapped; as the result of drm_shmem_sgt_guard_owned();
 * -EOPNOTSUPP if the object is imported, because its table need not have pages; or what the
 * core returned.
 */
static inline ssize_t __must_check
drm_shmem_sgt_iommu_map(const struct drm_dev_ctx_bound *bound,
			const struct drm_shmem_sgt_owned *own, struct iommu_domain *domain,
			unsigned long iova, int prot)
{
	ssize_t mapped = 0;
	int ret;

	drm_shmem_sgt_guard_owned(sgt, bound, own, ret) {
		if (drm_gem_is_imported(&__drm_shmem_sgt_of(own)->base.base))
			return -EOPNOTSUPP;
		mapped = iommu_map_sgtable(domain, iova, sgt->__table, prot);
	}
	return ret ?: mapped;
}

#endif /* _DRM_SHMEM_SYNC_H */
