// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What objects need of mappings, tables and reclaim, which the next patches add: each of
 * them takes its part from this file.
 */

#include <linux/export.h>
#include <linux/workqueue.h>

#include "drm_shmem_internal.h"

/* drm_shmem_sgt.c */
int __drm_shmem_sgt_adopt(const struct drm_dev_ctx_bound *bound, struct drm_shmem_obj *obj,
			  struct sg_table *sgt)
{
	return -EOPNOTSUPP;
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

int __drm_shmem_sgt_wait(struct dma_resv *resv)
{
	return 0;
}

bool __drm_shmem_sgt_again(struct sg_table **sgt)
{
	return false;
}

int drm_shmem_sgt_unmap(struct drm_shmem_obj *obj)
{
	return 0;
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

/* drm_shmem_reclaim.c */
void __drm_shmem_is_back(struct drm_shmem_obj *obj)
{
}

void __drm_shmem_is_filled(struct drm_shmem_obj *obj)
{
}

void __drm_shmem_is_gone(struct drm_shmem_obj *obj)
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

int __drm_shmem_reclaim_init(void)
{
	return 0;
}

void __drm_shmem_queue_work(struct work_struct *work)
{
	queue_work(system_dfl_wq, work);
}

void __drm_shmem_reclaim_exit(void)
{
}
