/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the example in drm_dev_ctx_async.c takes for granted. */

#include "drm_dev_ctx_async.h"

extern const struct drm_dev_ctx_ops foo_ops;
