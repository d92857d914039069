/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Declarations for the examples in drm_shmem_ends.c. */

#include "drm_shmem_safe.h"

struct foo_bo {
	struct drm_shmem_obj obj;
};

struct foo_device {
	struct drm_shmem_ends ends;
};

DRM_SHMEM_OBJ_TYPE(foo_bo_type, struct foo_bo, obj, struct foo_bo_unique);

struct foo_device *foo_bo_dev(struct foo_bo *bo);
void foo_send_unref(struct foo_device *foo, struct foo_bo *bo);
