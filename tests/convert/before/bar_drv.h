/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _BAR_DRV_H
#define _BAR_DRV_H

#include <drm/drm_device.h>
#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_print.h>

#include "drm_shmem_safe.h"

struct bar_device;

/* Members of the same names, of other types */
struct bar_link {
	struct bar_device *dev;
	struct device *drm;
};

struct bar_port {
	struct device *dev;
};

struct bar_device {
	struct drm_device drm;
	struct bar_link link;
	u32 doorbell;
	u64 param;
};

struct bar_bo {
	struct drm_gem_shmem_object base;
	void *vaddr;
};

/* An object that has been converted */
struct bar_heap {
	struct drm_shmem_obj shmem;
};

static inline struct bar_device *to_bar(struct drm_device *drm)
{
	return container_of(drm, struct bar_device, drm);
}

#define bar_dbg(bar, fmt, ...) drm_dbg(&(bar)->drm, fmt, ##__VA_ARGS__)

static inline int bar_link_up(struct bar_link *link, struct drm_device *drm)
{
	link->drm = link->dev->drm.dev;
	return &link->dev->drm == drm ? 0 : -ENODEV;
}

int bar_submit_ioctl(struct drm_device *dev, void *data,
		     struct drm_file *file);
int bar_bo_clear(struct bar_bo *bo, bool twice);
int bar_bo_open(struct bar_bo *bo);
void bar_bo_close(struct bar_bo *bo);
int bar_heap_map(const struct drm_dev_ctx_bound *bound, struct bar_heap *heap);
void bar_stop(struct bar_device *bar);
void bar_mmu_write(const struct sg_table *sgt);

#endif /* _BAR_DRV_H */
