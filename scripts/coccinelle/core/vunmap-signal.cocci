// SPDX-License-Identifier: GPL-2.0-only OR MIT
// drm/gem-shmem: take the lock in drm_gem_shmem_vunmap() despite pending signals
//
// drm_gem_shmem_vunmap() ignores the result of dma_resv_lock_interruptible(). If a signal is pending
// and another task holds the lock, the function unmaps without the lock, and then releases the lock
// of the other task. The function cannot fail, so it must not give up either.
//
// Use dma_resv_lock(). Only KUnit tests call the function.
//
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
