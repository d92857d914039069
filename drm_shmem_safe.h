/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _DRM_SHMEM_SAFE_H
#define _DRM_SHMEM_SAFE_H

#include "drm_shmem_kind.h"
#include "drm_shmem_device.h"
#include "drm_shmem_list.h"
#include "drm_shmem_obj.h"
#include "drm_gem_sgt.h"
#include "drm_shmem_ends.h"
#include "drm_shmem_objs.h"
#include "drm_shmem_reclaim.h"
#include "drm_shmem_sgt.h"
#include "drm_shmem_sync.h"
#include "drm_shmem_vmap.h"
#include "drm_vmap_view.h"

#endif /* _DRM_SHMEM_SAFE_H */
