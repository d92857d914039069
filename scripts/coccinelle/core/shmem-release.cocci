// SPDX-License-Identifier: GPL-2.0-only OR MIT
// drm/gem-shmem: do not wait for a lock when an object is released
//
// drm_gem_shmem_release() takes the reservation lock of an object that no other task has, only to
// satisfy the assertions of the functions that it calls. If the object shares the lock of another
// object, a task that puts the last reference with that lock held deadlocks. If it does not, a
// task that holds the lock of another object gets a report of lockdep, because all reservation
// locks are of one class.
//
// Take the object's own lock with a trylock instead. No other task can hold this lock.
//
// Files: drivers/gpu/drm/drm_gem_shmem_helper.c include/drm/drm_gem_shmem_helper.h

@@
identifier shmem;
@@
 void drm_gem_shmem_release(struct drm_gem_shmem_object *shmem)
 {
 <...
-dma_resv_lock(shmem->base.resv, NULL);
+/* No other task has the object, so its own lock is free. */
+shmem->base.resv = &shmem->base._resv;
+drm_WARN_ON(shmem->base.dev, !dma_resv_trylock(shmem->base.resv));
 ...>
 }

@@
identifier shmem;
@@
+#define drm_gem_shmem_release_tries 1
 void drm_gem_shmem_release(struct drm_gem_shmem_object *shmem);
