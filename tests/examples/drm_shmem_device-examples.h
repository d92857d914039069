/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Declarations for the examples in drm_shmem_device.c. */

#include <linux/dma-mapping.h>

#include "drm_shmem_safe.h"
