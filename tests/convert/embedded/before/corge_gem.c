// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <linux/dma-buf.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>

#include "corge_drm.h"
#include "corge_drv.h"

static enum drm_gem_object_status corge_status(struct drm_gem_object *obj)
{
	struct corge_bo *bo = to_corge_bo(obj);

	return bo->base.pages ? DRM_GEM_OBJECT_RESIDENT : 0;
}

/* The last reference is gone. */
void corge_free_object(struct drm_gem_object *obj)
{
	struct corge_device *corge = to_corge(obj->dev);
	struct corge_bo *bo = to_corge_bo(obj);

	if (bo->vaddr)
		vunmap(bo->vaddr);

	mutex_lock(&corge->lock);
	list_del(&bo->node);
	corge->pages -= obj->size >> PAGE_SHIFT;
	mutex_unlock(&corge->lock);

	drm_gem_shmem_free(&bo->base);
}

static int corge_open_object(struct drm_gem_object *obj, struct drm_file *file)
{
	return list_empty(&to_corge_bo(obj)->node) ? -EINVAL : 0;
}

/* Read-only, unless it was made for writing */
static int corge_mmap_object(struct drm_gem_object *obj, struct vm_area_struct *vma)
{
	struct corge_bo *bo = to_corge_bo(obj);
	struct drm_gem_shmem_object *shmem = &bo->base;

	if ((vma->vm_flags & VM_WRITE) && !bo->writable)
		return -EACCES;

	return drm_gem_shmem_mmap(shmem, vma);
}

static size_t corge_rss(struct drm_gem_object *obj)
{
	struct corge_bo *bo = to_corge_bo(obj);

	return READ_ONCE(bo->more);
}

static const struct drm_gem_object_funcs corge_gem_funcs = {
	.free = corge_free_object,
	.open = corge_open_object,
	.print_info = drm_gem_shmem_object_print_info,
	.pin = drm_gem_shmem_object_pin,
	.unpin = drm_gem_shmem_object_unpin,
	.get_sg_table = drm_gem_shmem_object_get_sg_table,
	.vmap = drm_gem_shmem_object_vmap,
	.vunmap = drm_gem_shmem_object_vunmap,
	.mmap = corge_mmap_object,
	.status = corge_status,
	.rss = corge_rss,
	.vm_ops = &drm_gem_shmem_vm_ops,
};

struct drm_gem_object *corge_create_object(struct drm_device *dev, size_t size)
{
	struct corge_bo *bo;
	struct drm_gem_object *obj;

	if (size == 0)
		return ERR_PTR(-EINVAL);

	bo = kzalloc_obj(*bo);
	if (!bo)
		return ERR_PTR(-ENOMEM);
	obj = &bo->base.base;

	obj->funcs = &corge_gem_funcs;
	bo->base.map_wc = true;
	INIT_LIST_HEAD(&bo->node);

	return &bo->base.base;
}

static int corge_bo_finish(struct drm_gem_object *obj)
{
	struct corge_device *corge = to_corge(obj->dev);
	struct corge_bo *bo = to_corge_bo(obj);
	struct sg_table *sgt;

	/* The object keeps this sgt until it ends. */
	sgt = drm_gem_shmem_get_pages_sgt(&bo->base);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);

	mutex_lock(&corge->lock);
	list_add(&bo->node, &corge->bos);
	corge->pages += obj->size >> PAGE_SHIFT;
	mutex_unlock(&corge->lock);

	corge_write_ptes(bo);

	return 0;
}

static struct corge_bo *corge_bo_create(struct drm_device *dev, size_t size)
{
	struct drm_gem_shmem_object *shmem;
	struct corge_bo *bo;
	int ret;

	shmem = drm_gem_shmem_create(dev, size);
	if (IS_ERR(shmem))
		return ERR_CAST(shmem);
	bo = to_corge_bo(&shmem->base);
	bo->vaddr = NULL;

	ret = corge_bo_finish(&shmem->base);
	if (ret)
		goto err_free;

	return bo;

err_free:
	drm_gem_shmem_free(shmem);
	return ERR_PTR(ret);
}

struct drm_gem_object *
corge_prime_import_sg_table(struct drm_device *dev,
			    struct dma_buf_attachment *attach,
			    struct sg_table *sgt)
{
	struct drm_gem_object *obj;
	int ret;

	obj = drm_gem_shmem_prime_import_sg_table(dev, attach, sgt);
	if (IS_ERR(obj))
		return obj;

	ret = corge_bo_finish(obj);
	if (ret) {
		drm_gem_shmem_free(&to_corge_bo(obj)->base);
		return ERR_PTR(ret);
	}

	return obj;
}

/* Left: the driver maps the pages itself. */
static void corge_bo_map(struct corge_bo *bo)
{
	struct drm_gem_shmem_object *shmem = &bo->base;

	bo->vaddr = vmap(shmem->pages, shmem->base.size >> PAGE_SHIFT, VM_MAP, PAGE_KERNEL);
}

int corge_ioctl_create(struct drm_device *dev, void *data, struct drm_file *file)
{
	struct drm_corge_create *args = data;
	struct corge_bo *bo;
	int ret;

	bo = corge_bo_create(dev, args->size);
	if (IS_ERR(bo))
		return PTR_ERR(bo);

	if (args->pad)
		corge_bo_map(bo);
	ret = drm_gem_handle_create(file, &bo->base.base, &args->handle);
	drm_gem_object_put(&bo->base.base);
	return ret;
}

int corge_ioctl_offset(struct drm_device *dev, void *data, struct drm_file *file)
{
	struct drm_corge_offset *args = data;
	struct drm_gem_object *gem;

	gem = drm_gem_object_lookup(file, args->handle);
	if (!gem)
		return -ENOENT;

	args->offset = drm_vma_node_offset_addr(&gem->vma_node);
	drm_gem_object_put(gem);

	return 0;
}

/* Those of a job are kept, as a GEM object and as the driver's. */
int corge_job_init(struct corge_job *job, struct drm_file *file, u32 ring, const u32 *handles)
{
	u32 i;

	job->ring = drm_gem_object_lookup(file, ring);
	if (!job->ring)
		return -ENOENT;

	for (i = 0; i < job->count; i++) {
		struct drm_gem_object *obj = drm_gem_object_lookup(file, handles[i]);

		if (!obj)
			return -ENOENT;

		job->bos[i] = to_corge_bo(obj);
	}
	return 0;
}

/* A GEM object that nothing needs any more */
int corge_bo_handle(struct corge_bo *bo, struct drm_file *file, u32 *handle)
{
	struct drm_gem_object *gem = &bo->base.base;

	return drm_gem_handle_create(file, gem, handle);
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
