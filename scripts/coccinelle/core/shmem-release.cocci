// SPDX-License-Identifier: GPL-2.0-only OR MIT
// drm/gem-shmem: wait for no lock when an object is released
//
// drm_gem_shmem_release() takes the reservation lock of an object that nobody else has. That is
// only there for the assertions of what it calls. A task that puts a last reference while it
// holds the reservation lock of another object waits for nothing, and lockdep still reports it:
// all reservation locks are of one class.
//
// Try the lock. It can be taken only if the object shares the lock of another one, and then it
// is not needed: use the one that is in the object.
//
// Files: drivers/gpu/drm/drm_gem_shmem_helper.c include/drm/drm_gem_shmem_helper.h

@@
identifier shmem;
@@
 void drm_gem_shmem_release(struct drm_gem_shmem_object *shmem)
 {
 <...
-dma_resv_lock(shmem->base.resv, NULL);
+/* Nobody else has the object, so that its own lock is free. */
+shmem->base.resv = &shmem->base._resv;
+drm_WARN_ON(shmem->base.dev, !dma_resv_trylock(shmem->base.resv));
 ...>
 }

@@
identifier shmem;
@@
+#define drm_gem_shmem_release_tries 1
 void drm_gem_shmem_release(struct drm_gem_shmem_object *shmem);
