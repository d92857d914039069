/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Declarations for the examples in Documentation/shmem.rst. */

#include <linux/sizes.h>

#include <drm/drm_print.h>

#include "drm_shmem_safe.h"

struct foo_bo {
	struct drm_shmem_obj obj;
};

DRM_SHMEM_OBJ_TYPE(foo_bo_type, struct foo_bo, obj, struct foo_bo_unique);

struct foo_device {
	struct drm_shmem_shrinker shrinker;
};

struct foo_vm {
	struct drm_shmem_group group;
};

/* Proof that a struct foo_device is registered */
struct foo_reg {
	struct drm_dev_ctx_reg base;
};

struct foo_bos {
	DRM_SHMEM_OBJS(struct foo_bo);
};

struct drm_foo_blit {
	__u32 handles[2];
};

int foo_blit(const struct foo_reg *reg, struct foo_bo *src, struct foo_bo *dst);

struct foo_fw_map {
	DRM_VMAP(SZ_64K);
};
