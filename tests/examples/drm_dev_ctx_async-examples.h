/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Declarations for the examples in drm_dev_ctx_async.c. */

#include "drm_dev_ctx_async.h"

extern const struct drm_dev_ctx_ops foo_ops;
