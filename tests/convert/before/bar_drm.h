/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _BAR_DRM_H
#define _BAR_DRM_H

#include <drm/drm.h>

struct drm_bar_submit {
	__u32 handle;
	__u32 flags;
};

struct drm_bar_get_param {
	__u32 param;
	__u32 pad;
	__u64 value;
};

struct drm_bar_kick {
	__u32 engine;
	__u32 pad;
};

#define DRM_IOCTL_BAR_SUBMIT	DRM_IOW(DRM_COMMAND_BASE, struct drm_bar_submit)
#define DRM_IOCTL_BAR_GET_PARAM \
	DRM_IOWR(DRM_COMMAND_BASE + 1, struct drm_bar_get_param)
#define DRM_IOCTL_BAR_KICK	DRM_IOW(DRM_COMMAND_BASE + 2, struct drm_bar_kick)
#define DRM_IOCTL_BAR_IDLE	DRM_IO(DRM_COMMAND_BASE + 3)

#endif /* _BAR_DRM_H */
