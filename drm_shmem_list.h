/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _DRM_SHMEM_LIST_H
#define _DRM_SHMEM_LIST_H

#include "drm_shmem_obj.h"

/**
 * DRM_SHMEM_LABEL_MAX - how long the label of an object can be
 *
 * In bytes, with the zero byte at its end.
 */
#define DRM_SHMEM_LABEL_MAX	SZ_4K

#ifdef CONFIG_DEBUG_FS
int drm_shmem_set_label(struct drm_shmem_obj *obj, const char *label);
int drm_shmem_set_label_user(struct drm_shmem_obj *obj, const char __user *label)
	__must_check __must_not_hold(drm_resv);
#else
static inline int drm_shmem_set_label(struct drm_shmem_obj *obj, const char *label)
{
	return 0;
}

static inline int __must_check
drm_shmem_set_label_user(struct drm_shmem_obj *obj, const char __user *label)
	__must_not_hold(drm_resv)
{
	return 0;
}
#endif

#endif /* _DRM_SHMEM_LIST_H */
