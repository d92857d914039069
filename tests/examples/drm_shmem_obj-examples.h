/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the example in drm_shmem_obj.h takes for granted: it lists what this declares. */

#include "drm_shmem_safe.h"

struct foo_bo {
	struct drm_shmem_obj obj;
};

typedef u32 arg;

DRM_SHMEM_OBJ(foo_bo, struct foo_bo, obj, arg);
