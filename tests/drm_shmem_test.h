/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the suites of drm_shmem_safe share: a registered device whose buffers
 * are struct test_bo, and a file on it.
 */
#ifndef _DRM_SHMEM_TEST_H
#define _DRM_SHMEM_TEST_H

#include <kunit/test.h>

#include "drm_safe_test.h"
#include "drm_shmem_safe.h"

struct shmem_test {
	struct device *parent;
	struct drm_device *drm;	/* NULL once shmem_test_unbind() was called */
	struct drm_file *file;

	/* Counted by the steps of struct test_bo */
	int live;
	int fini;
	int opened;
	int revoked;

	int init_ret;		/* what the init step returns */
};

struct test_dev {
	struct drm_device drm;
	struct shmem_test *test;
};
DRM_DEV_CTX_NO_FILE(test, struct test_dev, drm, void);

struct test_bo {
	struct drm_shmem_obj obj;
	u32 color;
};

struct test_bo_args {
	u32 color;
};
DRM_SHMEM_OBJ(test_bo, struct test_bo, obj, struct test_bo_args);

/* The same, with the early unmap and purging that DRM_SHMEM_RECLAIM gives. */
struct reclaim_bo {
	struct drm_shmem_obj obj;
};
DRM_SHMEM_OBJ(reclaim_bo, struct reclaim_bo, obj, void);

extern const struct drm_driver shmem_test_driver;

int shmem_test_init(struct kunit *test);
struct drm_device *shmem_test_device(struct kunit *test, struct device *parent,
				     const struct drm_driver *driver);
void shmem_test_unbind(struct kunit *test);
struct test_bo *shmem_test_bo(struct kunit *test, size_t size);

#endif /* _DRM_SHMEM_TEST_H */
