/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _SGPU_BO_H
#define _SGPU_BO_H

#include "drm_shmem_safe.h"
#include "sgpu_drv.h"

struct sgpu_vmap;

/* A buffer, without members of its own */
struct sgpu_bo {
	struct drm_shmem_obj shmem;
};

DRM_SHMEM_OBJ_TYPE(sgpu_bo_type, struct sgpu_bo, shmem, struct sgpu_bo_unique);

struct drm_gem_object *sgpu_gem_create_object(struct drm_device *drm, size_t size);
void sgpu_vmap_free(struct sgpu_vmap *vmap);

int sgpu_ioctl_bo_create(const struct sgpu_reg *reg, struct drm_sgpu_bo_create *args,
			 struct drm_file *drm_file);
int sgpu_ioctl_bo_mmap_offset(struct drm_dev_ctx_ioctl *ioctl, struct drm_sgpu_bo_mmap_offset *args,
			      struct drm_file *drm_file);
int sgpu_ioctl_bo_madvise(struct drm_dev_ctx_ioctl *ioctl, struct drm_sgpu_bo_madvise *args,
			  struct drm_file *drm_file);
int sgpu_ioctl_bo_vmap(struct drm_dev_ctx_ioctl *ioctl, struct drm_sgpu_bo_vmap *args,
		       struct drm_file *drm_file);
int sgpu_ioctl_bo_vunmap(struct drm_dev_ctx_ioctl *ioctl, struct drm_sgpu_bo_vunmap *args,
			 struct drm_file *drm_file);

#endif /* _SGPU_BO_H */
