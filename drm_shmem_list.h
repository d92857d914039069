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
#else
static inline int drm_shmem_set_label(struct drm_shmem_obj *obj, const char *label)
{
	return 0;
}
#endif

/* Without CONFIG_DEBUG_FS, this has no body, and is not called. */
int __drm_shmem_set_label_user(struct drm_shmem_obj *obj, const char __user *label)
	__must_check __must_not_hold(drm_resv);

/**
 * drm_shmem_set_label_user() - drm_shmem_set_label() with a userspace string
 * @obj: the object
 * @label: userspace pointer to the name, which ends with a zero byte
 *
 * Context: May sleep, and fault. Without any reservation lock, because a page fault may take one.
 * In no section: userspace decides how long a page fault takes.
 *
 * Return: as drm_shmem_set_label(), or -EFAULT.
 */
static inline int __must_check
drm_shmem_set_label_user(struct drm_shmem_obj *obj, const char __user *label)
	__must_not_hold(drm_resv) __must_not_hold(drm_dev_section)
{
	return IS_ENABLED(CONFIG_DEBUG_FS) ? __drm_shmem_set_label_user(obj, label) : 0;
}

#define drm_shmem_set_label_user(_obj, _label)					\
	drm_shmem_set_label_user(({ __drm_dev_ctx_assert_outside(); (_obj); }), _label)

#endif /* _DRM_SHMEM_LIST_H */
