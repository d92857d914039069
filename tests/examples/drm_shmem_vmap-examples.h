/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Declarations for the examples of drm_shmem_vmap.h, see scripts/examples.py. */
#include <linux/sizes.h>

#include "drm_shmem_safe.h"

#define FOO_RING_SLOTS	16
