/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Declarations for the examples of drm_vmap_view.h, see scripts/examples.py. */
#include <linux/sizes.h>

#include "drm_shmem_safe.h"

struct foo_slot {
	u32 seq;
	u32 cmd;
	u32 arg;
};

struct foo_ring_mem {
	u64 head;
	struct foo_slot slots[32];
};

struct foo_ring {
	DRM_VMAP(SZ_4K);
};
