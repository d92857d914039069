/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _GRAULT_DRM_H
#define _GRAULT_DRM_H

#include <drm/drm.h>

#define DRM_GRAULT_CREATE	0x00
#define DRM_GRAULT_PREP		0x01

struct drm_grault_create {
	__u64 size;
	__u64 offset;
	__u32 handle;
	__u32 pad;
};

struct drm_grault_prep {
	__u32 handle;
	__u32 done;
};

#define DRM_IOCTL_GRAULT_CREATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_GRAULT_CREATE, struct drm_grault_create)
#define DRM_IOCTL_GRAULT_PREP \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_GRAULT_PREP, struct drm_grault_prep)

#endif /* _GRAULT_DRM_H */
