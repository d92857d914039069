/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Declarations for the examples of drm_dev_ctx_ids.h, see scripts/examples.py. */
#include <linux/slab.h>

#include "drm_dev_ctx_ids.h"

struct foo_reg {
	struct drm_dev_ctx_reg base;
};

struct drm_foo_queue {
	u32 priority;
	u32 id;
};

int foo_kick(const struct foo_reg *reg, u32 priority);
