// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <linux/dma-buf.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>

#include "corge_drm.h"
#include "corge_drv.h"
#include "drm_dev_ctx.h"
#include "drm_shmem_safe.h"

/* The last reference is gone. */
void corge_free_object(struct drm_shmem_obj *shmem)
{
	struct drm_gem_object *obj = drm_shmem_gem(shmem);
	struct corge_device *corge = to_corge(obj->dev);
	struct corge_bo *bo = drm_shmem_from_obj(&corge_bo_type, shmem);

	if (bo->vaddr)
		vunmap(bo->vaddr);

	mutex_lock(&corge->lock);
	list_del(&bo->node);
	corge->pages -= obj->size >> PAGE_SHIFT;
	mutex_unlock(&corge->lock);
}

static int corge_open_object(struct drm_shmem_obj *shmem, struct drm_file *file)
{
	return list_empty(&drm_shmem_from_obj(&corge_bo_type, shmem)->node) ? -EINVAL : 0;
}

/* Read-only, unless it was made for writing */
static int corge_mmap_object(struct drm_shmem_obj *shmem, const struct vm_area_struct *vma)
{
	struct corge_bo *bo = drm_shmem_from_obj(&corge_bo_type, shmem);

	if ((vma->vm_flags & VM_WRITE) && !bo->writable)
		return -EACCES;

	return 0;
}

static size_t corge_rss(const struct drm_shmem_obj *shmem)
{
	const struct corge_bo *bo = drm_shmem_from_obj(&corge_bo_type, shmem);

	return READ_ONCE(bo->more);
}

struct drm_gem_object *corge_create_object(struct drm_device *dev, size_t size)
{
	return drm_shmem_gem_create_object(&corge_bo_type);
}

static int corge_bo_finish(struct corge_bo *bo)
{
	struct drm_gem_object *obj = &bo->obj.base.base;
	struct corge_device *corge = to_corge(obj->dev);
	const struct sg_table *sgt;
	int ret;

	drm_dev_ctx_live_or(live, to_drm_dev_ctx(bo->obj.base.base.dev), return -ENODEV);
	drm_shmem_sgt_or(lent, &live->bound, &bo->obj, ret, return ret);
	sgt = drm_shmem_sgt_table(lent);

	mutex_lock(&corge->lock);
	list_add(&bo->node, &corge->bos);
	corge->pages += obj->size >> PAGE_SHIFT;
	mutex_unlock(&corge->lock);

	corge_write_ptes(bo, sgt);

	return 0;
}

static int corge_bo_init(struct drm_shmem_obj *shmem)
{
	struct corge_bo *bo = drm_shmem_from_obj(&corge_bo_type, shmem);

	bo->obj.base.map_wc = true;
	INIT_LIST_HEAD(&bo->node);

	return corge_bo_finish(bo);
}

const struct corge_bo_type corge_bo_type = {
	DRM_SHMEM_OBJ_FUNCS,
	.base.init = corge_bo_init,
	.base.fini = corge_free_object,
	.base.open = corge_open_object,
	.base.mmap = corge_mmap_object,
	.base.rss = corge_rss,
};

static struct corge_bo *corge_bo_create(struct drm_device *dev, size_t size)
{
	struct corge_bo_unique *new __free(drm_shmem) = NULL;
	struct corge_bo *bo __free(drm_shmem) = NULL;

	new = drm_shmem_create(&corge_bo_type, dev, size, NULL);
	if (IS_ERR(new))
		return ERR_CAST(new);
	bo = drm_shmem_publish(&corge_bo_type, &new);
	bo->vaddr = NULL;

	return no_free_ptr(bo);
}

/* Left: the driver maps the pages itself. */
static void corge_bo_map(struct corge_bo *bo)
{
	struct drm_gem_shmem_object *shmem = &bo->obj.base;

	bo->vaddr = vmap(shmem->pages, shmem->base.size >> PAGE_SHIFT, VM_MAP, PAGE_KERNEL);
}

int corge_ioctl_create(struct drm_dev_ctx_ioctl *ioctl, struct drm_corge_create *args,
		       struct drm_file *file)
{
	struct corge_bo *bo;
	int ret;

	bo = corge_bo_create(drm_dev_ctx_ioctl_drm(ioctl), args->size);
	if (IS_ERR(bo))
		return PTR_ERR(bo);

	if (args->pad)
		corge_bo_map(bo);
	ret = drm_shmem_handle_create(&bo->obj, file, &args->handle);
	drm_shmem_put(&bo->obj);
	return ret;
}

int corge_ioctl_offset(struct drm_dev_ctx_ioctl *ioctl, struct drm_corge_offset *args,
		       struct drm_file *file)
{
	struct corge_bo *bo;
	int ret;

	bo = drm_shmem_lookup(&corge_bo_type, file, args->handle);
	if (IS_ERR(bo))
		return PTR_ERR(bo);

	ret = drm_shmem_mmap_offset(&bo->obj, &args->offset);
	drm_shmem_put(&bo->obj);

	return ret;
}

/* Those of a job are kept, as a GEM object and as the driver's. */
int corge_job_init(struct corge_job *job, struct drm_file *file, u32 ring, const u32 *handles)
{
	struct corge_bo *bo;
	u32 i;

	bo = drm_shmem_lookup(&corge_bo_type, file, ring);
	if (IS_ERR(bo))
		return PTR_ERR(bo);
	job->ring = &bo->obj.base.base;

	for (i = 0; i < job->count; i++) {
		struct corge_bo *found = drm_shmem_lookup(&corge_bo_type, file, handles[i]);

		if (IS_ERR(found))
			return PTR_ERR(found);

		job->bos[i] = found;
	}
	return 0;
}

/* A GEM object that nothing needs any more */
int corge_bo_handle(struct corge_bo *bo, struct drm_file *file, u32 *handle)
{
	return drm_shmem_handle_create(&bo->obj, file, handle);
}

/* Left: an array of GEM objects */
int corge_job_more(struct corge_job *job, struct drm_file *file, const void __user *handles)
{
	return drm_gem_objects_lookup(file, (void __user *)handles, job->count, &job->more);
}

/* Left: a failure puts it, too, for which NULL is no object. */
int corge_bo_is_listed(struct drm_file *file, u32 handle)
{
	struct drm_gem_object *gem;
	int ret = 0;

	gem = drm_gem_object_lookup(file, handle);
	if (!gem) {
		ret = -ENOENT;
		goto out_put;
	}
	ret = !list_empty(&to_corge_bo(gem)->node);

out_put:
	drm_gem_object_put(gem);
	return ret;
}
