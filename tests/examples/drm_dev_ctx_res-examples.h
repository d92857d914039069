/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Declarations for the examples of drm_dev_ctx_res.h, see scripts/examples.py. */
#include <linux/interrupt.h>
#include <linux/platform_device.h>
#include <linux/sizes.h>

#include "drm_dev_ctx_res.h"

#define FOO_IRQ_STATUS	0x20
#define FOO_IRQ_CLEAR	0x24
