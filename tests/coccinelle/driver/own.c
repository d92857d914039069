// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Objects that are not of shmem: for what drm_gem_sgt.h does not do, there is only the core. */
#include "drm_gem_sgt.h"

int foo_own_offset(struct drm_gem_object *gem)
{
	return drm_gem_create_mmap_offset(gem);
}
