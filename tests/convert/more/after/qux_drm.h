/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _QUX_DRM_H
#define _QUX_DRM_H

#include <drm/drm.h>

#define DRM_QUX_RESET	0x00
#define DRM_QUX_START	0x01

struct drm_qux_reset {
	__u32 pad;
};

struct drm_qux_start {
	__u32 pad;
};

#define DRM_IOCTL_QUX(_access, _id, _type) \
	DRM_IO ## _access(DRM_COMMAND_BASE + DRM_QUX_ ## _id, struct drm_qux_ ## _type)

enum {
	DRM_IOCTL_QUX_RESET = DRM_IOCTL_QUX(W, RESET, reset),
	DRM_IOCTL_QUX_START =
		DRM_IOCTL_QUX(WR, START, start),
};

#endif /* _QUX_DRM_H */
