/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the examples of dev-ctx.rst take for granted. */
#ifndef _DEV_CTX_EXAMPLES_H
#define _DEV_CTX_EXAMPLES_H

#include <drm/drm_atomic.h>
#include <drm/drm_crtc.h>

#include "drm_dev_ctx.h"

struct foo_crtc {
	struct drm_crtc base;
};

static inline struct foo_crtc *to_foo_crtc(struct drm_crtc *crtc)
{
	return container_of(crtc, struct foo_crtc, base);
}

void foo_hw_display_off(struct foo_crtc *crtc);

#endif /* _DEV_CTX_EXAMPLES_H */
