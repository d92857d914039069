/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the examples in drm_shmem_device.c take for granted. */

#include <linux/dma-mapping.h>

#include "drm_shmem_safe.h"
