/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Declarations for all suites of drm_shmem_safe: a registered device whose buffers
 * are struct test_bo, and a file on it.
 */
#ifndef _DRM_SHMEM_TEST_H
#define _DRM_SHMEM_TEST_H

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/workqueue.h>

#include "drm_safe_test.h"
#include "drm_shmem_safe.h"

struct shmem_test {
	struct device *parent;
	struct drm_device *drm;	/* NULL once shmem_test_unbind() was called */
	struct drm_file *file;

	/* Counted by the steps of struct test_bo, in any thread */
	spinlock_t lock;
	int live;
	int fini;
	int opened;
	int revoked;

	int init_ret;		/* the result of the init step, or of open */
	int open_ret;
};

struct test_dev {
	struct drm_dev_ctx ctx;
	struct shmem_test *test;
	struct drm_shmem_shrinker shrinker;
};

/* Proof that a struct test_dev is registered */
struct test_reg {
	struct drm_dev_ctx_reg base;
};

static inline struct test_dev *test_dev(struct drm_device *drm)
{
	return drm_dev_ctx_entry(drm, struct test_dev, ctx);
}

static inline struct drm_dev_ctx *test_ctx(struct drm_device *drm)
{
	return &test_dev(drm)->ctx;
}

static inline struct test_dev *test_reg_dev(const struct test_reg *reg)
{
	return test_dev(drm_dev_ctx_reg_drm(&reg->base));
}

struct test_bo {
	struct drm_shmem_obj obj;
	u32 color;
};

DRM_SHMEM_OBJ_TYPE(test_bo_type, struct test_bo, obj, struct test_bo_unique);

/* One that is never published, by its own type. May be an ERR_PTR(). */
static inline struct test_bo *test_bo_new(struct drm_device *drm, size_t size,
					  const struct drm_shmem_opts *opts)
{
	return (struct test_bo *)drm_shmem_create(&test_bo_type, drm, size, opts);
}

/* The same, with the early unmap and purging that DRM_SHMEM_RECLAIM gives. */
struct reclaim_bo {
	struct drm_shmem_obj obj;
};

DRM_SHMEM_OBJ_TYPE(reclaim_bo_type, struct reclaim_bo, obj, struct reclaim_bo_unique);

extern const struct drm_driver shmem_test_driver;
extern const struct drm_driver shmem_test_driver_sgt;	/* maps imports at once */

/* A dma-buf that is neither DRM's nor in shmem, and the counts of its calls */
struct shmem_test_export {
	bool iomem;		/* its mapping is in I/O memory */
	bool null_map;		/* it maps, and gives no address */
	int vmap_ret;		/* the result of vmap, or of map */
	int map_ret;
	unsigned int vmap_signals;	/* how often a signal ends its vmap */
	unsigned int segments;	/* of its table, all of one length; 0 for 1 */
	atomic_t attached;	/* without a lock */
	int mapped;
	int vmapped;
	int maps;
	void (*on_map)(struct shmem_test_export *e, struct dma_buf *dmabuf);
	void (*on_map_fails)(struct shmem_test_export *e, struct dma_buf *dmabuf);
	bool released;
	void *mem;
	size_t size;
};

int shmem_test_init(struct kunit *test);
struct drm_device *shmem_test_device(struct kunit *test, struct device *parent,
				     const struct drm_driver *driver);
void shmem_test_unbind(struct kunit *test);
long shmem_test_mmap(struct kunit *test, struct drm_gem_object *gem, unsigned long flags);
struct test_bo *shmem_test_bo(struct kunit *test, size_t size);
struct reclaim_bo *shmem_test_reclaim_bo(struct kunit *test, size_t size);
struct dma_buf *shmem_test_export(struct kunit *test, struct shmem_test_export *e, size_t size);
void shmem_test_export_put(struct dma_buf *dmabuf);
struct test_bo *shmem_test_import(struct kunit *test, struct drm_device *drm,
				  struct dma_buf *dmabuf);
extern int shmem_test_files;	/* how many shmem_test_mmap() has made */
extern int shmem_test_watched;	/* the number of one of them, */
extern bool shmem_test_gone;	/* which is gone */

unsigned long shmem_test_scan_once(struct drm_shmem_shrinker *s, gfp_t gfp, unsigned long nr);
unsigned long shmem_test_scan(struct drm_shmem_shrinker *s, unsigned long nr);
unsigned long shmem_test_count(struct drm_shmem_shrinker *s);
void shmem_test_touch(struct drm_shmem_obj *obj, struct drm_shmem_shrinker *s);
void shmem_test_suspend(struct drm_shmem_obj *obj, struct drm_shmem_sgt_owned *own);
/* A task that holds a reservation lock until the test ends it */
struct shmem_test_holder {
	struct work_struct work;
	unsigned int time;	/* in jiffies */
	struct dma_resv *resv;
	struct completion locked;
	struct completion leave;
	bool left;
};

struct shmem_test_holder *shmem_test_hold(struct kunit *test, struct dma_resv *resv);
struct shmem_test_holder *shmem_test_hold_for(struct kunit *test, struct dma_resv *resv,
					      unsigned int time);
bool shmem_test_leave(struct shmem_test_holder *holder);
int shmem_test_io_init(struct kunit_suite *suite);
void shmem_test_io_exit(struct kunit_suite *suite);

struct sg_table *shmem_test_table(struct device *dev, void *mem, size_t size,
				  enum dma_data_direction dir);
void shmem_test_table_free(struct device *dev, struct sg_table *sgt, enum dma_data_direction dir);

#endif /* _DRM_SHMEM_TEST_H */
