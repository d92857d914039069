/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Declarations for the examples of drm_shmem_kind.h, see scripts/examples.py. */
#include "drm_shmem_safe.h"
