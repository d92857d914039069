/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _DRM_SHMEM_SAFE_H
#define _DRM_SHMEM_SAFE_H

#include "drm_shmem_obj.h"
#include "drm_shmem_reclaim.h"
#include "drm_shmem_sgt.h"
#include "drm_shmem_vmap.h"

#endif /* _DRM_SHMEM_SAFE_H */
