// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Buffers and their ioctls. Dumb buffers and imported buffers are objects of the same type.
 */

#include <linux/slab.h>
#include <linux/xarray.h>

#include "sgpu_bo.h"
#include "sgpu_vm.h"

static int sgpu_bo_init(struct drm_shmem_obj *obj)
{
	atomic_inc(&sgpu_live.bos);
	return 0;
}

static void sgpu_bo_fini(struct drm_shmem_obj *obj)
{
	atomic_dec(&sgpu_live.bos);
}

/* Take an idle buffer out of all page tables. */
static int sgpu_bo_evict(struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	return drm_gpuvm_imm_evict(&sgpu_vm_type, drm_shmem_from_obj(&sgpu_bo_type, obj));
}

const struct sgpu_bo_type sgpu_bo_type = {
	DRM_SHMEM_OBJ_FUNCS,
	.base.flags = DRM_SHMEM_RECLAIM,
	.base.init = sgpu_bo_init,
	.base.fini = sgpu_bo_fini,
	.base.evict = sgpu_bo_evict,
};

struct drm_gem_object *sgpu_gem_create_object(struct drm_device *drm, size_t size)
{
	return drm_shmem_gem_create_object(&sgpu_bo_type);
}

/* BO_VMAP reads 8 bytes. Each buffer has them, because buffers are whole pages. */
struct sgpu_map {
	DRM_VMAP(sizeof(u64));
};

struct sgpu_map_owned {
	DRM_VMAP_OWNED(struct sgpu_map);
};

/* A kernel mapping that a client holds */
struct sgpu_vmap {
	struct sgpu_map_owned map;
};

int sgpu_ioctl_bo_create(const struct sgpu_reg *reg, struct drm_sgpu_bo_create *args,
			 struct drm_file *file)
{
	const struct drm_shmem_opts opts = {
		.map_wc = args->flags & DRM_SGPU_BO_WC,
	};
	struct drm_device *drm = drm_dev_ctx_reg_drm(&reg->base);
	struct sgpu_bo_unique *unique;
	int ret;

	if (args->flags & ~DRM_SGPU_BO_WC || args->handle)
		return -EINVAL;
	/* A VM has no more addresses to bind. */
	if (args->size > SGPU_VA_END - SGPU_VA_START)
		return -EINVAL;

	unique = drm_shmem_create(&sgpu_bo_type, drm, args->size, &opts);
	if (IS_ERR(unique))
		return PTR_ERR(unique);

	struct sgpu_bo *bo __free(drm_shmem) = drm_shmem_publish(&sgpu_bo_type, &unique);

	ret = drm_shmem_handle_create(&bo->shmem, file, &args->handle);
	if (ret)
		return ret;
	args->size = drm_shmem_size(&bo->shmem);
	return 0;
}

int sgpu_ioctl_bo_mmap_offset(struct drm_dev_ctx_ioctl *ioctl, struct drm_sgpu_bo_mmap_offset *args,
			      struct drm_file *file)
{
	struct sgpu_bo *bo __free(drm_shmem) = drm_shmem_lookup(&sgpu_bo_type, file, args->handle);

	if (IS_ERR(bo))
		return PTR_ERR(bo);
	if (args->pad)
		return -EINVAL;
	return drm_shmem_mmap_offset_interruptible(&bo->shmem, &args->offset);
}

/* A buffer in use by jobs, BO_VMAP or a dma-buf is not purged. Bindings and mmap() do not count. */
static int sgpu_bo_advise(struct sgpu_bo *bo, u32 madv)
{
	struct drm_shmem_shrinker *shrinker = &sgpu_dev(drm_shmem_gem(&bo->shmem)->dev)->shrinker;

	switch (madv) {
	case DRM_SGPU_MADV_WILLNEED:
		return drm_shmem_madvise_interruptible(&bo->shmem, DRM_SHMEM_WILLNEED, shrinker);
	case DRM_SGPU_MADV_DONTNEED:
		/* A purge would take the contents from other clients, too. */
		if (drm_shmem_is_shared(&bo->shmem))
			return -EBUSY;
		return drm_shmem_madvise_interruptible(&bo->shmem, DRM_SHMEM_DONTNEED, shrinker);
	case DRM_SGPU_MADV_PAGEOUT:
		/* Other clients would have to get it back. */
		if (drm_shmem_is_shared(&bo->shmem))
			return -EBUSY;
		return drm_shmem_evict_interruptible(&bo->shmem) ?: 1;
	}
	return -EINVAL;
}

int sgpu_ioctl_bo_madvise(struct drm_dev_ctx_ioctl *ioctl, struct drm_sgpu_bo_madvise *args,
			  struct drm_file *file)
{
	struct sgpu_bo *bo __free(drm_shmem) = drm_shmem_lookup(&sgpu_bo_type, file, args->handle);
	int ret;

	if (IS_ERR(bo))
		return PTR_ERR(bo);
	if (args->pad)
		return -EINVAL;

	ret = sgpu_bo_advise(bo, args->madv);
	if (ret < 0)
		return ret;
	args->retained = ret;
	return 0;
}

/* May wait for the lock of the buffer, which another client can hold for long. */
void sgpu_vmap_free(struct sgpu_vmap *vmap)
{
	drm_vmap_release(&vmap->map);
	kfree(vmap);
	atomic_dec(&sgpu_live.vmaps);
}

/* Another thread can end the mapping as soon as it is in the array. */
static int sgpu_vmap_create(struct sgpu_file *file, struct sgpu_bo *bo, u32 id, u64 *first)
{
	struct sgpu_vmap *vmap = kzalloc_obj(*vmap, GFP_KERNEL_ACCOUNT);
	int ret;

	if (!vmap)
		return -ENOMEM;
	ret = drm_vmap_own_interruptible(&vmap->map, &bo->shmem);
	if (ret) {
		kfree(vmap);
		return ret;
	}
	atomic_inc(&sgpu_live.vmaps);
	*first = drm_vmap_read64(&vmap->map, 0);
	/* Cannot fail, because the entry was allocated. */
	xa_store(&file->vmaps, id, vmap, GFP_KERNEL_ACCOUNT);
	return 0;
}

int sgpu_ioctl_bo_vmap(struct drm_dev_ctx_ioctl *ioctl, struct drm_sgpu_bo_vmap *args,
		       struct drm_file *drm_file)
{
	struct sgpu_file *file = drm_file->driver_priv;
	struct sgpu_bo *bo __free(drm_shmem) =
		drm_shmem_lookup(&sgpu_bo_type, drm_file, args->handle);
	u32 id;
	int ret;

	if (IS_ERR(bo))
		return PTR_ERR(bo);
	if (args->id || args->first)
		return -EINVAL;

	/* Allocate the number first, because giving up a mapping can take long. */
	ret = xa_alloc(&file->vmaps, &id, NULL, XA_LIMIT(1, DRM_SGPU_MAX_VMAPS),
		       GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;
	ret = sgpu_vmap_create(file, bo, id, &args->first);
	if (ret) {
		xa_erase(&file->vmaps, id);
		return ret;
	}
	/* Set this last: after a signal, userspace repeats the call with the same argument. */
	args->id = id;
	return 0;
}

/* Returns the buffer that is mapped, with a reference, or NULL. */
static struct sgpu_bo *sgpu_vmap_lookup(struct sgpu_file *file, u32 id)
{
	struct sgpu_bo *bo = NULL;
	struct sgpu_vmap *vmap;

	/* A mapping in the array is there until it is erased. */
	guard(spinlock)(&file->vmaps.xa_lock);
	vmap = xa_load(&file->vmaps, id);
	if (vmap) {
		bo = drm_vmap_obj(&sgpu_bo_type, &vmap->map);
		drm_shmem_get(&bo->shmem);
	}
	return bo;
}

/* Takes the mapping of @bo. Returns NULL if another thread did so. */
static struct sgpu_vmap *sgpu_vmap_take(struct sgpu_file *file, u32 id, struct sgpu_bo *bo)
{
	struct sgpu_vmap *vmap;

	guard(spinlock)(&file->vmaps.xa_lock);
	vmap = xa_load(&file->vmaps, id);
	if (!vmap || drm_vmap_obj(&sgpu_bo_type, &vmap->map) != bo)
		return NULL;
	return __xa_erase(&file->vmaps, id);
}

/* Ending the last mapping of a buffer needs the lock of the buffer, so take the lock first. */
int sgpu_ioctl_bo_vunmap(struct drm_dev_ctx_ioctl *ioctl, struct drm_sgpu_bo_vunmap *args,
			 struct drm_file *drm_file)
{
	struct sgpu_file *file = drm_file->driver_priv;
	struct sgpu_bo *bo __free(drm_shmem) = sgpu_vmap_lookup(file, args->id);
	struct sgpu_vmap *vmap;
	int ret;

	if (args->pad)
		return -EINVAL;
	if (!bo)
		return -ENOENT;

	ACQUIRE(drm_resv_intr, lock)(drm_shmem_gem(&bo->shmem)->resv);
	ret = ACQUIRE_ERR(drm_resv_intr, &lock);
	if (ret)
		return ret;
	vmap = sgpu_vmap_take(file, args->id, bo);
	if (!vmap)
		return -ENOENT;
	drm_vmap_release_locked(&vmap->map);
	kfree(vmap);
	atomic_dec(&sgpu_live.vmaps);
	return 0;
}
