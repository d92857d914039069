/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The driver of the example that only puts its ioctls into a table. */

#include "tests/examples/drm_dev_ctx-examples.h"

struct foo_reg {
	struct drm_dev_ctx_reg base;
};

static inline int foo_ioctl_submit(const struct foo_reg *reg, struct drm_foo_submit *args,
				   struct drm_file *file)
{
	return 0;
}

DRM_DEV_CTX_IOCTL(FOO_SUBMIT, foo_ioctl_submit, foo_reg, struct drm_foo_submit);
