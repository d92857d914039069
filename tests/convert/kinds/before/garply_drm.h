/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _GARPLY_DRM_H
#define _GARPLY_DRM_H

#include <drm/drm.h>

#define DRM_GARPLY_CREATE	0x00
#define DRM_GARPLY_OFFSET	0x01

struct drm_garply_create {
	__u64 size;
	__u32 handle;
	__u32 carved;
};

struct drm_garply_offset {
	__u64 offset;
	__u64 handles;
	__u32 handle;
	__u32 count;
};

#define DRM_IOCTL_GARPLY_CREATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_GARPLY_CREATE, struct drm_garply_create)
#define DRM_IOCTL_GARPLY_OFFSET \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_GARPLY_OFFSET, struct drm_garply_offset)

#endif /* _GARPLY_DRM_H */
