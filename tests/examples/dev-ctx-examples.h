/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Declarations for the examples of dev-ctx.rst. */
#ifndef _DEV_CTX_EXAMPLES_H
#define _DEV_CTX_EXAMPLES_H

#include <linux/bits.h>
#include <linux/iopoll.h>
#include <linux/platform_device.h>
#include <linux/pm.h>
#include <linux/sizes.h>
#include <linux/time64.h>
#include <linux/virtio.h>
#include <linux/wait.h>

#include <drm/drm_atomic.h>
#include <drm/drm_atomic_helper.h>
#include <drm/drm_crtc.h>
#include <drm/gpu_scheduler.h>

#include "drm_dev_ctx_async.h"
#include "drm_dev_ctx_res.h"

#define FOO_STATUS	0x10
#define FOO_BUSY	BIT(0)

struct foo_regs {
	DRM_VMAP_IOMEM(SZ_64K);
};

struct foo_regs_res {
	DRM_DEV_CTX_RES(struct foo_regs);
};

struct foo_hw {
	struct drm_dev_ctx_data base;
	struct foo_regs_res regs;
	struct drm_gpu_scheduler sched;
	struct drm_dev_ctx_irq irq;
	wait_queue_head_t room;
};

struct foo_device {
	struct drm_dev_ctx ctx;
};

struct foo_reg {
	struct drm_dev_ctx_reg base;
};

struct foo_crtc {
	struct drm_crtc base;
};

static inline struct foo_crtc *to_foo_crtc(struct drm_crtc *crtc)
{
	return container_of(crtc, struct foo_crtc, base);
}

static inline struct foo_hw *foo_live_hw(const struct drm_dev_ctx_live *live)
{
	return container_of(drm_dev_ctx_live_data(live), struct foo_hw, base);
}

static inline struct foo_hw *foo_reg_hw(const struct foo_reg *reg)
{
	return foo_live_hw(drm_dev_ctx_reg_live(&reg->base));
}

extern const struct drm_driver foo_driver;
extern const struct drm_dev_ctx_ops foo_ops;
extern const struct drm_dev_ctx_irq_ops foo_irq_ops;

bool foo_ring_has_room(struct foo_hw *hw);
int foo_ring_init(const struct drm_dev_ctx_bound *bound);
int foo_hw_ask(struct foo_hw *hw);
int foo_hw_open(struct foo_hw *hw, struct drm_file *file);
int foo_resume(struct device *dev);
void foo_hw_display_off(struct foo_hw *hw, struct foo_crtc *crtc);

#endif /* _DEV_CTX_EXAMPLES_H */
