/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _QUUX_DRM_H
#define _QUUX_DRM_H

#include <drm/drm.h>

#define DRM_QUUX_CLOSE	0x00

struct drm_quux_open {
	__u32 id;
};

struct drm_quux_close {
	__u32 id;
};

#define DRM_IOCTL_QUUX_CLOSE	DRM_IOW(DRM_COMMAND_BASE + DRM_QUUX_CLOSE, struct drm_quux_close)

#endif /* _QUUX_DRM_H */
