/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _CORGE_DRV_H
#define _CORGE_DRV_H

#include <linux/list.h>
#include <linux/mutex.h>

#include <drm/drm_device.h>

#include "drm_dev_ctx.h"
#include "drm_shmem_safe.h"

struct drm_corge_create;
struct drm_corge_offset;

struct corge_device {
	struct drm_dev_ctx ctx;
	struct drm_dev_ctx_data base;
	struct mutex lock;	/* of the list */
	struct list_head bos;
	u32 pages;
};

struct corge_bo {
	struct drm_shmem_obj obj;

	/* A list of the device's */
	struct list_head node;
	void *vaddr;
	size_t more;	/* bytes in addition to its pages */
	bool writable;
};

DRM_SHMEM_OBJ_TYPE(corge_bo_type, struct corge_bo, obj, struct corge_bo_unique);

struct corge_job {
	struct drm_gem_object *ring;
	struct corge_bo **bos;
	struct drm_gem_object **more;
	u32 count;
};

static inline struct corge_device *to_corge(struct drm_device *drm)
{
	return container_of(drm, struct corge_device, ctx.drm);
}

static inline struct corge_bo *to_corge_bo(struct drm_gem_object *gem)
{
	return drm_shmem_from_gem(&corge_bo_type, gem);
}

struct drm_gem_object *corge_create_object(struct drm_device *dev, size_t size);
void corge_free_object(struct drm_shmem_obj *shmem);
void corge_write_ptes(struct corge_bo *bo, const struct sg_table *sgt);
int corge_ioctl_create(struct drm_dev_ctx_ioctl *ioctl, struct drm_corge_create *args,
		       struct drm_file *file);
int corge_ioctl_offset(struct drm_dev_ctx_ioctl *ioctl, struct drm_corge_offset *args,
		       struct drm_file *file);
int corge_job_init(struct corge_job *job, struct drm_file *file, u32 ring, const u32 *handles);
int corge_job_more(struct corge_job *job, struct drm_file *file, const void __user *handles);
int corge_bo_handle(struct corge_bo *bo, struct drm_file *file, u32 *handle);
int corge_bo_is_listed(struct drm_file *file, u32 handle);

#endif /* _CORGE_DRV_H */
