/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the examples of drm_shmem_kind.h take for granted, see scripts/examples.py. */
#include "drm_shmem_safe.h"
