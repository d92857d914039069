/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _CORGE_DRM_H
#define _CORGE_DRM_H

#include <drm/drm.h>

#define DRM_CORGE_CREATE	0x00
#define DRM_CORGE_OFFSET	0x01

struct drm_corge_create {
	__u64 size;
	__u32 handle;
	__u32 pad;
};

struct drm_corge_offset {
	__u32 handle;
	__u32 pad;
	__u64 offset;
};

#define DRM_IOCTL_CORGE_CREATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_CORGE_CREATE, struct drm_corge_create)
#define DRM_IOCTL_CORGE_OFFSET \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_CORGE_OFFSET, struct drm_corge_offset)

#endif /* _CORGE_DRM_H */
