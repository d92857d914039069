/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _CORGE_DRV_H
#define _CORGE_DRV_H

#include <linux/list.h>
#include <linux/mutex.h>

#include <drm/drm_device.h>
#include <drm/drm_gem_shmem_helper.h>

struct corge_device {
	struct drm_device drm;
	struct mutex lock;	/* of the list */
	struct list_head bos;
	u32 pages;
};

struct corge_bo {
	struct drm_gem_shmem_object base;

	/* A list of the device's */
	struct list_head node;
	void *vaddr;
	size_t more;	/* bytes in addition to its pages */
	bool writable;
};

struct corge_job {
	struct drm_gem_object *ring;
	struct corge_bo **bos;
	struct drm_gem_object **more;
	u32 count;
};

static inline struct corge_device *to_corge(struct drm_device *drm)
{
	return container_of(drm, struct corge_device, drm);
}

static inline struct corge_bo *to_corge_bo(struct drm_gem_object *gem)
{
	return container_of(to_drm_gem_shmem_obj(gem), struct corge_bo, base);
}

struct drm_gem_object *corge_create_object(struct drm_device *dev, size_t size);
struct drm_gem_object *corge_prime_import_sg_table(struct drm_device *dev,
						   struct dma_buf_attachment *attach,
						   struct sg_table *sgt);
void corge_free_object(struct drm_gem_object *obj);
void corge_write_ptes(struct corge_bo *bo);
int corge_ioctl_create(struct drm_device *dev, void *data, struct drm_file *file);
int corge_ioctl_offset(struct drm_device *dev, void *data, struct drm_file *file);
int corge_job_init(struct corge_job *job, struct drm_file *file, u32 ring, const u32 *handles);
int corge_job_more(struct corge_job *job, struct drm_file *file, const void __user *handles);
int corge_bo_handle(struct corge_bo *bo, struct drm_file *file, u32 *handle);
int corge_bo_is_listed(struct drm_file *file, u32 handle);

#endif /* _CORGE_DRV_H */
