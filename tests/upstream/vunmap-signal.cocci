// SPDX-License-Identifier: GPL-2.0-only OR MIT
// A function that cannot fail waits for the lock, whatever signals there are.
// Files: drivers/gpu/drm/drm_gem_shmem_helper.c

@@
identifier shmem, map, obj;
@@
 void drm_gem_shmem_vunmap(struct drm_gem_shmem_object *shmem, struct iosys_map *map)
 {
 ...
-dma_resv_lock_interruptible(obj->resv, NULL);
+dma_resv_lock(obj->resv, NULL);
 ...
 }
