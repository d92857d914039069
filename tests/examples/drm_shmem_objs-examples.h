/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Declarations for the examples of drm_shmem_objs.h, see scripts/examples.py. */
#include <linux/sizes.h>

#include "drm_shmem_safe.h"

struct foo_bo {
	struct drm_shmem_obj obj;
};

DRM_SHMEM_OBJ_TYPE(foo_bo_type, struct foo_bo, obj, struct foo_bo_unique);
