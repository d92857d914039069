/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the examples in drm_dev_ctx.c take for granted. */

#include <linux/device/faux.h>
#include <linux/workqueue.h>

#include "drm_dev_ctx.h"
#include "samples/sgpu/sgpu_uapi.h"

struct sgpu_device;
struct sgpu_file;
struct sgpu_hw;

struct drm_sgpu_bo_info {
	__u32 handle;
	__u32 pad;
};

#define DRM_IOCTL_SGPU_BO_INFO	DRM_IOWR(DRM_COMMAND_BASE + 0x20, struct drm_sgpu_bo_info)

extern const struct drm_driver sgpu_driver;

struct sgpu_hw *sgpu_hw_init(const struct drm_dev_bound *bound, struct sgpu_device *sdev);
void sgpu_hw_stop(const struct drm_dev_bound *bound, struct sgpu_hw *hw);
void sgpu_hw_free(struct sgpu_hw *hw);
void sgpu_hw_kick(struct sgpu_hw *hw);
