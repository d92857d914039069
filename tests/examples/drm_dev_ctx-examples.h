/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Declarations for the examples in drm_dev_ctx.c. */

#include <linux/device/faux.h>
#include <linux/interrupt.h>
#include <linux/notifier.h>

#include "drm_dev_ctx_async.h"

struct foo_device;
struct foo_hw;

struct drm_foo_submit {
	__u64 cmds;
};

struct drm_foo_info {
	__u32 param;
	__u32 value;
};

#define DRM_IOCTL_FOO_SUBMIT	DRM_IOW(DRM_COMMAND_BASE, struct drm_foo_submit)
#define DRM_IOCTL_FOO_INFO	DRM_IOWR(DRM_COMMAND_BASE + 1, struct drm_foo_info)

extern const struct drm_driver foo_driver;

struct foo_hw *foo_hw_init(const struct drm_dev_ctx_bound *bound, struct foo_device *foo);
void foo_quiesce(const struct drm_dev_ctx_bound *bound, struct drm_dev_ctx_data *data);
void foo_release(struct drm_dev_ctx_data *data);
void foo_hw_kick(struct foo_hw *hw);

struct foo_notifier {
	struct notifier_block nb;
	struct drm_dev_ctx *ctx;
};

void foo_hw_signal_done(struct foo_hw *hw);
