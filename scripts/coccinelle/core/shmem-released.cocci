// SPDX-License-Identifier: GPL-2.0-only OR MIT
// drm/gem-shmem: use drm_gem_lock_freed() when an object is released
//
// drm_gem_shmem_release() takes the lock of an object that no other task has. drm_gem_lock_freed() does
// this for any GEM object.
//
// Use it. This needs the patches of gem-resv and shmem-release.
//
// Files: drivers/gpu/drm/drm_gem_shmem_helper.c

@@
identifier shmem, obj;
@@
 void drm_gem_shmem_release(struct drm_gem_shmem_object *shmem)
 {
 	struct drm_gem_object *obj = &shmem->base;
 <...
-/* No other task has the object, so its own lock is free. */
-shmem->base.resv = &shmem->base._resv;
-drm_WARN_ON(shmem->base.dev, !dma_resv_trylock(shmem->base.resv));
+drm_gem_lock_freed(obj);
 ...>
 }
