// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <linux/export.h>
#include <linux/iosys-map.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <drm/drm_panic.h>

#include "drm_shmem_internal.h"
#include "drm_shmem_trace.h"

/**
 * DOC: mappings
 *
 * All handles of a &struct drm_shmem_obj share one mapping of the GEM shmem object. This mapping is
 * one user in &drm_gem_shmem_object.vmap_use_count, besides users of the core's helpers, such as a
 * dma-buf. The core sets this count without a release, and its address is valid only under the
 * reservation lock. So the library has a count and an address of its own, which it publishes with a
 * release and reads with an acquire. Only the first and the last handle take the lock.
 *
 * A plain &struct drm_gem_shmem_object has no room for these members. Its handles go
 * through the core's helpers under the lock each time.
 */

#ifdef CONFIG_DRM_SAFE_DEBUG
/* A plain object has no place to record its handles, but its device may have one. */
static struct ref_tracker_dir *drm_vmap_tracker_dir(const struct drm_vmap *m)
{
	if (m->flags & __DRM_VMAP_FLAG_PLAIN)
		return NULL;
	return &container_of(m->shmem, struct drm_shmem_obj, base)->__handles;
}

/**
 * __drm_vmap_track() - record a handle with the stack that made it
 * @m: the handle
 *
 * Context: May sleep.
 */
void __drm_vmap_track(struct drm_vmap *m)
{
	struct ref_tracker_dir *dir = drm_vmap_tracker_dir(m);

	if (dir)
		ref_tracker_alloc(dir, &m->tracker, GFP_KERNEL);
	drm_dev_ctx_handle_add(m->shmem->base.dev, &m->handle);
}
EXPORT_SYMBOL_GPL(__drm_vmap_track);

/**
 * __drm_vmap_untrack() - undo __drm_vmap_track()
 * @m: the handle
 *
 * Context: Any.
 */
void __drm_vmap_untrack(struct drm_vmap *m)
{
	struct ref_tracker_dir *dir = drm_vmap_tracker_dir(m);

	if (dir)
		ref_tracker_free(dir, &m->tracker);
	drm_dev_ctx_handle_del(m->shmem->base.dev, &m->handle);
}
EXPORT_SYMBOL_GPL(__drm_vmap_untrack);
#endif

/* The flag next to an address says which of the two kinds it is. */
static void drm_vmap_map(void *addr, bool iomem, struct iosys_map *map)
{
	if (iomem)
		iosys_map_set_vaddr_iomem(map, (void __iomem __force *)addr);
	else
		iosys_map_set_vaddr(map, addr);
}

/*
 * Takes the lock under which an object is mapped. Others need the lock of an exporter, so this
 * waits for its fences first.
 */
static int drm_vmap_lock(struct drm_gem_object *gem, enum drm_resv_how how)
	__cond_acquires(0, drm_resv)
	__context_unsafe("see drm_gem_resv_lock_how()")
{
	int ret = drm_gem_check_not_ending(gem);

	if (!ret && how != DRM_RESV_LOCKED && drm_gem_is_imported(gem))
		ret = __drm_shmem_wait(gem->resv, DMA_RESV_USAGE_KERNEL);
	return ret ?: drm_gem_resv_lock_how(gem, how);
}

/**
 * __drm_shmem_vmap() - map an object in spite of signals
 * @gem: the object
 * @vmap: what maps it
 * @map: where the mapping is stored
 *
 * An exporter may wait for its fences, and any signal may end that wait. See __drm_shmem_again().
 *
 * Context: May sleep. The caller holds the reservation lock.
 *
 * Return: 0, -ENOMEM also if there is no address, an error of __drm_shmem_again(), or what @vmap
 * returned.
 */
int __drm_shmem_vmap(struct drm_gem_object *gem,
		     int (*vmap)(struct drm_gem_object *gem, struct iosys_map *map),
		     struct iosys_map *map)
{
	int ret;

	if (!drm_gem_is_imported(gem))
		return vmap(gem, map) ?: drm_shmem_check_map(gem, map);
	do {
		ret = __drm_shmem_wait(gem->resv, DMA_RESV_USAGE_KERNEL);
		if (ret)
			return ret;
		ret = vmap(gem, map);
	} while (__drm_shmem_again(gem->dev, &ret));
	return ret ?: drm_shmem_check_map(gem, map);
}

static int drm_vmap_first_locked(struct drm_shmem_obj *obj)
	__must_hold(drm_resv)
{
	const u8 about_map = __DRM_SHMEM_IOMEM | __DRM_SHMEM_PARTIAL;
	struct drm_gem_object *gem = &obj->base.base;
	struct iosys_map map = {};
	u8 flags = 0;
	int ret;

	if (refcount_inc_not_zero(&obj->__vmap_users))
		return 0;

	ret = drm_shmem_check_fillable(obj) ?:
	      __drm_shmem_vmap(gem, drm_gem_shmem_object_vmap, &map);
	if (ret)
		return ret;

	if (map.is_iomem)
		flags |= __DRM_SHMEM_IOMEM;
	if (__drm_gem_bytes(gem) != gem->size)
		flags |= __DRM_SHMEM_PARTIAL;
	obj->__vaddr = map.is_iomem ? (void __force *)map.vaddr_iomem : map.vaddr;
	WRITE_ONCE(obj->__flags, (obj->__flags & ~about_map) | flags);
	trace_drm_shmem_vmap(gem);
	__drm_shmem_relist(obj);
	/*
	 * Release: pairs with the acquire in __drm_vmap_fill_in() and in
	 * drm_shmem_panic_scanout(), see vmap-first.litmus.
	 */
	refcount_set_release(&obj->__vmap_users, 1);
	return 0;
}

/**
 * __drm_vmap_first() - become a user of an object's mapping, and make the mapping if necessary
 * @obj: the object
 * @how: how to take the reservation lock
 *
 * Context: May sleep.
 *
 * Return: 0, -ENODATA if the object was purged, -ENOMEM, the error of a dma-buf's exporter, an
 * error of __drm_shmem_again(), -EINTR if the task was killed while it waited for the lock of an
 * exporter, or an error of __drm_gem_resv_check().
 */
int __drm_vmap_first(struct drm_shmem_obj *obj, enum drm_resv_how how)
{
	struct drm_gem_object *gem = &obj->base.base;
	int ret;

	ret = drm_vmap_lock(gem, how);
	if (ret)
		return ret;
	ret = drm_vmap_first_locked(obj);
	drm_gem_resv_unlock(gem, how == DRM_RESV_LOCKED);

	return ret;
}
EXPORT_SYMBOL_GPL(__drm_vmap_first);

/* The end of a mapping for which a killed task does not wait */
struct drm_vmap_late {
	struct drm_shmem_late base;
	struct iosys_map map;	/* of a plain object */
};

/* Leaves the end of a mapping to a work item. Returns false if that is not possible. */
static bool drm_vmap_end_late(struct drm_gem_object *gem, const struct iosys_map *map,
			      void (*end)(struct drm_shmem_late *late))
{
	struct drm_vmap_late *late = kzalloc_obj(*late, GFP_KERNEL_ACCOUNT);

	if (!late)
		return false;
	late->map = *map;
	if (__drm_shmem_late(&late->base, gem, end))
		return true;
	kfree(late);
	return false;
}

/*
 * Takes the reservation lock to unmap an object, unless the driver's call holds it. For a killed
 * task, a work item waits for the lock of an exporter, unless there is no memory for the work item,
 * the driver is being unloaded, or the object ends. @published is false in the init step of an
 * import. A task in that step always waits, because the lock of an object changes if its import
 * fails. Returns false if a work item ends the mapping.
 */
static bool drm_vmap_end_lock(struct drm_gem_object *gem, bool locked, bool published,
			      const struct iosys_map *map,
			      void (*end)(struct drm_shmem_late *late))
	__cond_acquires(true, drm_resv)
	__context_unsafe("see drm_gem_resv_lock()")
{
	if (!locked && published && drm_gem_is_imported(gem)) {
		if (__drm_shmem_lock_unless_killed(gem))
			return true;
		if (drm_vmap_end_late(gem, map, end))
			return false;
	}
	drm_gem_resv_lock(gem, locked);
	return true;
}

static void drm_vmap_last_locked(struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	struct drm_gem_object *gem = &obj->base.base;
	struct iosys_map map;

	/*
	 * Other users may have arrived meanwhile: only the lock makes this the last one.
	 * Acquire: pairs with the release in __drm_vmap_put(), see vmap-last.litmus.
	 */
	if (refcount_dec_and_test(&obj->__vmap_users)) {
		trace_drm_shmem_vunmap(gem);
		drm_vmap_map(obj->__vaddr, READ_ONCE(obj->__flags) & __DRM_SHMEM_IOMEM, &map);
		obj->__vaddr = NULL;
		drm_gem_shmem_vunmap_locked(&obj->base, &map);
		__drm_shmem_relist(obj);
	}
}

static void drm_vmap_late_last(struct drm_shmem_late *late) __must_hold(drm_resv)
{
	drm_vmap_last_locked(to_drm_shmem_obj(late->gem));
}

/**
 * __drm_vmap_last() - stop being a user of an object's mapping,
 *	perhaps the last one
 * @obj: the object
 * @locked: whether the caller holds the reservation lock
 *
 * Context: May sleep.
 */
void __drm_vmap_last(struct drm_shmem_obj *obj, bool locked)
{
	struct drm_gem_object *gem = &obj->base.base;
	const struct iosys_map none = {};

	locked = drm_gem_resv_is_locked(gem, locked);
	if (!drm_vmap_end_lock(gem, locked, READ_ONCE(obj->__published), &none,
			       drm_vmap_late_last))
		return;
	drm_vmap_last_locked(obj);
	drm_gem_resv_unlock(gem, locked);
}
EXPORT_SYMBOL_GPL(__drm_vmap_last);

/**
 * drm_shmem_panic_scanout() - let drm_panic draw on an object
 * @obj: the object of a framebuffer that is on a plane
 * @sb: the argument of &drm_plane_helper_funcs.get_scanout_buffer; its first map is set, or its
 *	pages
 *
 * Takes no lock and waits for nothing. The memory that this returns is there for as long as the
 * framebuffer is pinned: &drm_plane_helper_funcs.prepare_fb has called drm_shmem_pin(), or has
 * an owned mapping handle. If the object is mapped into the kernel, drm_panic draws on the
 * mapping. Otherwise it draws on the pages, one at a time.
 *
 * Context: Any, also NMI, in a panic. A driver calls it from get_scanout_buffer alone.
 *
 * Return: 0, or -ENODEV if the object has neither a mapping nor pages that drm_panic could map,
 * which may be the case for an imported object.
 */
int drm_shmem_panic_scanout(struct drm_shmem_obj *obj, struct drm_scanout_buffer *sb)
{
	struct page **pages = READ_ONCE(obj->base.pages);
	void *vaddr = drm_gem_shmem_vaddr(&obj->base);

	/* Acquire: pairs with the release in drm_vmap_first_locked(), see vmap-first.litmus. */
	if (atomic_read_acquire(&obj->__vmap_users.refs)) {
		drm_vmap_map(obj->__vaddr, READ_ONCE(obj->__flags) & __DRM_SHMEM_IOMEM,
			     &sb->map[0]);
		return 0;
	}
	/* The core's own mapping, made for a client in the kernel */
	if (vaddr) {
		iosys_map_set_vaddr(&sb->map[0], vaddr);
		return 0;
	}
	if (!pages)
		return -ENODEV;
	sb->pages = pages;
	return 0;
}
EXPORT_SYMBOL_GPL(drm_shmem_panic_scanout);

/**
 * __drm_vmap_map_plain() - map an object that is not a &struct drm_shmem_obj
 * @shmem: the object
 * @map: where the mapping is stored
 * @how: how to take the reservation lock
 *
 * Context: May sleep.
 *
 * Return: 0, -EOPNOTSUPP if the object has no vmap function, -ENOMEM if that function gave
 * no address, the error of that function, an error of __drm_shmem_again(), -EINTR if the task was
 * killed while it waited for the lock of an exporter, or an error of __drm_gem_resv_check().
 */
int __drm_vmap_map_plain(struct drm_gem_shmem_object *shmem,
			 struct iosys_map *map, enum drm_resv_how how)
{
	struct drm_gem_object *gem = &shmem->base;
	int ret;

	if (!gem->funcs->vmap)
		return -EOPNOTSUPP;
	ret = drm_vmap_lock(gem, how);
	if (ret)
		return ret;
	ret = __drm_shmem_vmap(gem, gem->funcs->vmap, map);
	drm_gem_resv_unlock(gem, how == DRM_RESV_LOCKED);

	return ret;
}
EXPORT_SYMBOL_GPL(__drm_vmap_map_plain);

static void drm_vmap_late_unmap_plain(struct drm_shmem_late *late) __must_hold(drm_resv)
{
	late->gem->funcs->vunmap(late->gem, &container_of(late, struct drm_vmap_late, base)->map);
}

/**
 * __drm_vmap_unmap_plain() - undo __drm_vmap_map_plain()
 * @shmem: the object
 * @addr: where it was mapped
 * @iomem: whether that is an __iomem address
 * @locked: whether the caller holds the reservation lock
 *
 * Context: May sleep.
 */
void __drm_vmap_unmap_plain(struct drm_gem_shmem_object *shmem, void *addr,
			    bool iomem, bool locked)
{
	struct drm_gem_object *gem = &shmem->base;
	struct iosys_map map;

	if (!gem->funcs->vunmap)
		return;

	drm_vmap_map(addr, iomem, &map);
	locked = drm_gem_resv_is_locked(gem, locked);
	/* An object of the core becomes an import only after the driver has made it. */
	if (!drm_vmap_end_lock(gem, locked, true, &map, drm_vmap_late_unmap_plain))
		return;
	gem->funcs->vunmap(gem, &map);
	drm_gem_resv_unlock(gem, locked);
}
EXPORT_SYMBOL_GPL(__drm_vmap_unmap_plain);

/**
 * __drm_vmap_overwritten() - report that a handle in use is filled or moved to
 * @gem: the new object of the handle, or NULL
 *
 * This does not look at the content of the handle, because a handle that was never
 * initialised looks the same.
 *
 * Context: Any.
 */
void __drm_vmap_overwritten(const struct drm_gem_object *gem)
{
	drm_safe_broken(gem ? gem->dev : NULL, "an owned handle is not overwritten",
			"it is in use: call drm_vmap_release() first; or it was not zeroed");
}
EXPORT_SYMBOL_GPL(__drm_vmap_overwritten);

/**
 * __drm_vmap_unsafe_ptr() - the address in a handle
 * @m: the handle
 * @size: the size that the compiler may rely on
 *
 * This is out of line so that the compiler knows the size from the declaration.
 *
 * Context: Any.
 *
 * Return: the address.
 */
void *__drm_vmap_unsafe_ptr(const struct drm_vmap *m, size_t size)
{
	return m->addr;
}
EXPORT_SYMBOL_GPL(__drm_vmap_unsafe_ptr);

/*
 * No range is inside an empty handle, not even one of length 0. The first test is false for such
 * a handle, whose size is 0, and for a length of 0, which is rare.
 */
static bool drm_vmap_inside(const struct drm_vmap *m, u64 off, u64 len)
{
	if (likely(len - 1 < m->size))
		return likely(off <= m->size - len);
	return !len && m->addr && off <= m->size;
}

/**
 * __drm_vmap_copy_to() - copy memory into a mapping
 * @m: the handle
 * @offset: in bytes
 * @src: the memory
 * @len: in bytes
 *
 * Context: Any.
 *
 * Return: 0, or -EINVAL unless all of it is inside.
 */
int __drm_vmap_copy_to(const struct drm_vmap *m, u64 offset,
		       const void *src, u64 len)
{
	struct iosys_map map;

	if (unlikely(!drm_vmap_inside(m, offset, len)))
		return -EINVAL;
	drm_vmap_map(m->addr, m->flags & __DRM_VMAP_FLAG_IOMEM, &map);
	iosys_map_memcpy_to(&map, offset, src, len);
	return 0;
}
EXPORT_SYMBOL_GPL(__drm_vmap_copy_to);

/**
 * __drm_vmap_copy_from() - copy memory out of a mapping
 * @m: the handle
 * @offset: in bytes
 * @dst: the memory
 * @len: in bytes
 *
 * Context: Any.
 *
 * Return: 0, or -EINVAL unless all of it is inside.
 */
int __drm_vmap_copy_from(const struct drm_vmap *m, u64 offset,
			 void *dst, u64 len)
{
	struct iosys_map map;

	if (unlikely(!drm_vmap_inside(m, offset, len)))
		return -EINVAL;
	drm_vmap_map(m->addr, m->flags & __DRM_VMAP_FLAG_IOMEM, &map);
	iosys_map_memcpy_from(dst, &map, offset, len);
	return 0;
}
EXPORT_SYMBOL_GPL(__drm_vmap_copy_from);

/**
 * __drm_vmap_fill() - fill a part of a mapping
 * @m: the handle
 * @offset: in bytes
 * @value: the byte to fill it with
 * @len: in bytes
 *
 * Context: Any.
 *
 * Return: 0, or -EINVAL unless all of it is inside.
 */
int __drm_vmap_fill(const struct drm_vmap *m, u64 offset, u8 value,
		    u64 len)
{
	struct iosys_map map;

	if (unlikely(!drm_vmap_inside(m, offset, len)))
		return -EINVAL;
	drm_vmap_map(m->addr, m->flags & __DRM_VMAP_FLAG_IOMEM, &map);
	iosys_map_memset(&map, offset, value, len);
	return 0;
}
EXPORT_SYMBOL_GPL(__drm_vmap_fill);

/* For a handle with the iomem flag: second invariant of struct drm_vmap */
static void __iomem *drm_vmap_iomem(const struct drm_vmap *m)
{
	return (void __iomem __force *)m->addr;
}

/* Copies between userspace and I/O memory use pieces of this many bytes. */
#define DRM_VMAP_BOUNCE	256

/*
 * Copies between userspace and system memory: copy_to_user() refuses more than INT_MAX bytes at
 * once.
 */
#define DRM_VMAP_PIECE	SZ_2M

/*
 * A page fault takes the reservation lock of the object that is mapped at the address,
 * which may be this object. Check this in each call, because most calls find the page
 * present.
 */
static int drm_vmap_check_user(const struct drm_vmap *m, u64 offset, u64 len)
{
	if (unlikely(!drm_vmap_inside(m, offset, len)))
		return -EINVAL;
	/* A resource of a driver has no such lock. */
	if (!m->shmem || !drm_resv_is_held(m->shmem->base.resv)) {
		/* lockdep checks the other reservation locks. */
		might_fault();
		return 0;
	}

	drm_safe_broken(m->shmem->base.dev, "userspace is copied without the reservation lock",
			"a page fault would wait for the lock that the caller holds");
	return -EALREADY;
}

static int drm_vmap_bounce_from_user(void __iomem *dst, const void __user *src, size_t len)
{
	u8 buf[DRM_VMAP_BOUNCE];
	size_t n;

	for (; len; dst += n, src += n, len -= n) {
		n = min(len, sizeof(buf));
		if (copy_from_user(buf, src, n))
			return -EFAULT;
		memcpy_toio(dst, buf, n);
	}
	return 0;
}

/* Unlike copy_from_user(), this does not change bytes that it does not copy. */
static int drm_vmap_copy_piece(void *dst, const void __user *src, size_t len)
{
	if (!access_ok(src, len))
		return -EFAULT;
	/* As in copy_from_user(): no speculation past access_ok(). */
	barrier_nospec();
	return __copy_from_user(dst, src, len) ? -EFAULT : 0;
}

static int drm_vmap_copy_from_user(void *dst, const void __user *src, size_t len)
{
	size_t n;
	int ret = 0;

	for (; len && !ret; dst += n, src += n, len -= n) {
		n = min_t(size_t, len, DRM_VMAP_PIECE);
		ret = drm_vmap_copy_piece(dst, src, n);
	}
	return ret;
}

/**
 * __drm_vmap_from_user() - copy from userspace into a mapping
 * @m: the handle
 * @offset: in bytes
 * @src: userspace pointer
 * @len: in bytes
 *
 * Context: May sleep. Without the object's reservation lock.
 *
 * Return: 0, -EINVAL unless all of it is inside, -EALREADY, or -EFAULT.
 */
int __drm_vmap_from_user(const struct drm_vmap *m, u64 offset,
			 const void __user *src, u64 len)
{
	int ret = drm_vmap_check_user(m, offset, len);

	if (ret)
		return ret;
	if (m->flags & __DRM_VMAP_FLAG_IOMEM)
		return drm_vmap_bounce_from_user(drm_vmap_iomem(m) + offset, src, len);
	return drm_vmap_copy_from_user(m->addr + offset, src, len);
}
EXPORT_SYMBOL_GPL(__drm_vmap_from_user);

static int drm_vmap_bounce_to_user(void __user *dst, const void __iomem *src, size_t len)
{
	u8 buf[DRM_VMAP_BOUNCE];
	size_t n;

	for (; len; dst += n, src += n, len -= n) {
		n = min(len, sizeof(buf));
		memcpy_fromio(buf, src, n);
		if (copy_to_user(dst, buf, n))
			return -EFAULT;
	}
	return 0;
}

static int drm_vmap_copy_to_user(void __user *dst, const void *src, size_t len)
{
	size_t n;

	for (; len; dst += n, src += n, len -= n) {
		n = min_t(size_t, len, DRM_VMAP_PIECE);
		if (copy_to_user(dst, src, n))
			return -EFAULT;
	}
	return 0;
}

/**
 * __drm_vmap_to_user() - copy from a mapping to userspace
 * @m: the handle
 * @offset: in bytes
 * @dst: userspace pointer
 * @len: in bytes
 *
 * Context: May sleep. Without the object's reservation lock.
 *
 * Return: 0, -EINVAL unless all of it is inside, -EALREADY, or -EFAULT.
 */
int __drm_vmap_to_user(const struct drm_vmap *m, u64 offset,
		       void __user *dst, u64 len)
{
	int ret = drm_vmap_check_user(m, offset, len);

	if (ret)
		return ret;
	if (m->flags & __DRM_VMAP_FLAG_IOMEM)
		return drm_vmap_bounce_to_user(dst, drm_vmap_iomem(m) + offset, len);
	return drm_vmap_copy_to_user(dst, m->addr + offset, len);
}
EXPORT_SYMBOL_GPL(__drm_vmap_to_user);
