// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What objects need of mappings, tables and reclaim, which the next patches add: each of
 * them takes its part from this file.
 */

#include <kunit/visibility.h>
#include <linux/export.h>
#include <linux/workqueue.h>

#include "drm_shmem_internal.h"

/* drm_shmem_vmap.c */
int __drm_shmem_vmap(struct drm_gem_object *gem,
		     int (*vmap)(struct drm_gem_object *gem, struct iosys_map *map),
		     struct iosys_map *map)
{
	return vmap(gem, map);
}

/* drm_shmem_sgt.c */
int __drm_shmem_sgt_adopt(const struct drm_dev_ctx_bound *bound, struct drm_shmem_obj *obj,
			  struct sg_table *sgt)
{
	return -EOPNOTSUPP;
}

struct sg_table *__drm_shmem_sgt_alloc(struct drm_shmem_obj *obj, unsigned int max_segment)
{
	return ERR_PTR(-EOPNOTSUPP);
}

void __drm_shmem_sgt_disown(struct drm_shmem_obj *obj)
{
}

bool __drm_shmem_sgt_take(struct drm_shmem_obj *obj)
{
	return false;
}

void __drm_shmem_sgt_destroy(struct drm_shmem_obj *obj)
{
}

bool __drm_shmem_sgt_moved(struct drm_shmem_obj *obj)
{
	return false;
}

int __drm_shmem_sgt_unmap_stale(struct drm_shmem_obj *obj)
{
	return 0;
}

bool __drm_shmem_wait_some(struct dma_fence *fence, bool intr, long time)
{
	return dma_fence_wait_timeout(fence, intr, time) > 0;
}

int __drm_shmem_wait(struct dma_resv *resv, enum dma_resv_usage usage)
{
	return 0;
}

bool __drm_shmem_again(struct drm_device *drm, int *ret)
{
	return false;
}

bool __drm_shmem_sgt_again(struct drm_device *drm, struct sg_table **sgt)
{
	return false;
}

int drm_shmem_sgt_unmap(struct drm_shmem_obj *obj)
{
	return 0;
}

void drm_shmem_sgt_suspend(struct drm_shmem_sgt_owned *own)
{
}
EXPORT_SYMBOL_GPL(drm_shmem_sgt_suspend);

/* drm_shmem_sync.c */
struct sg_table *__drm_shmem_sync_map(struct dma_buf_attachment *attach,
				      enum dma_data_direction dir)
{
	return ERR_PTR(-EOPNOTSUPP);
}

void __drm_shmem_sync_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			    enum dma_data_direction dir)
{
}

void __drm_shmem_sync_attached(struct dma_buf_attachment *attach, enum dma_data_direction dir,
			       bool to_device)
{
}

int __drm_shmem_export_begin(struct dma_buf *dma_buf, enum dma_data_direction dir)
{
	return -EOPNOTSUPP;
}

int __drm_shmem_export_end(struct dma_buf *dma_buf, enum dma_data_direction dir)
{
	return -EOPNOTSUPP;
}

/* drm_shmem_mmap.c */
const struct vm_operations_struct __drm_shmem_vm_ops = {
};
EXPORT_SYMBOL_GPL(__drm_shmem_vm_ops);

void __drm_shmem_mmap_unpopulate(struct drm_shmem_obj *obj)
{
}

int drm_shmem_gem_mmap(struct drm_gem_object *gem, struct vm_area_struct *vma)
{
	return -EOPNOTSUPP;
}
EXPORT_SYMBOL_GPL(drm_shmem_gem_mmap);

/* drm_shmem_reclaim.c, drm_shmem_shrinker.c */
void __drm_shmem_relist(struct drm_shmem_obj *obj)
{
}

bool __drm_shmem_try_relist(struct drm_shmem_obj *obj)
{
	return true;
}

void __drm_shmem_leave_lru(struct drm_shmem_obj *obj)
{
}

int drm_shmem_evict(struct drm_shmem_obj *obj)
{
	return -EOPNOTSUPP;
}

int drm_shmem_purge(struct drm_shmem_obj *obj)
{
	return -EOPNOTSUPP;
}

int drmm_shmem_shrinker_init(struct drm_device *drm, struct drm_shmem_shrinker *shrinker)
{
	return 0;
}
EXPORT_SYMBOL_GPL(drmm_shmem_shrinker_init);

struct module *drm_shmem_owner(const struct drm_device *drm)
{
	return drm->driver->fops ? drm->driver->fops->owner : NULL;
}

int drm_shmem_pin(struct drm_shmem_obj *obj)
{
	int ret;

	dma_resv_lock(obj->base.base.resv, NULL);
	ret = drm_gem_shmem_pin_locked(&obj->base);
	dma_resv_unlock(obj->base.base.resv);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_shmem_pin);

void drm_shmem_unpin(struct drm_shmem_obj *obj)
{
	dma_resv_lock(obj->base.base.resv, NULL);
	drm_shmem_unpin_locked(obj);
	dma_resv_unlock(obj->base.base.resv);
}
EXPORT_SYMBOL_GPL(drm_shmem_unpin);

void drm_shmem_touch(struct drm_shmem_obj *obj, struct drm_shmem_shrinker *shrinker)
{
}
EXPORT_SYMBOL_GPL(drm_shmem_touch);

void __drm_shmem_reclaim_init(void)
{
}

void __drm_shmem_reclaim_exit(void)
{
}
