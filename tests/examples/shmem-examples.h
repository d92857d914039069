/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the examples in Documentation/shmem.rst take for granted. */

#include <linux/dma-mapping.h>
#include <linux/pagemap.h>

#include "drm_shmem_safe.h"

struct foo_bo {
	struct drm_shmem_obj obj;
};
