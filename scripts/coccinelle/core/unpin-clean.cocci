// SPDX-License-Identifier: GPL-2.0-only OR MIT
// drm/gem-shmem: mark pages dirty when the last pin goes
//
// An importer that pins a GEM shmem object may write to its pages with a device, which the kernel
// does not see. drm_gem_shmem_unpin_locked() puts the pages without marking them dirty. Reclaim
// can then drop a page without writing it to swap, and the data is lost.
//
// Set pages_mark_dirty_on_put when the last pin goes, as drm_gem_shmem_vmap_locked() does.
//
// Files: drivers/gpu/drm/drm_gem_shmem_helper.c

@@
identifier shmem;
@@
 void drm_gem_shmem_unpin_locked(struct drm_gem_shmem_object *shmem)
 {
 ...
-if (refcount_dec_and_test(&shmem->pages_pin_count))
+if (refcount_dec_and_test(&shmem->pages_pin_count)) {
+	shmem->pages_mark_dirty_on_put = true;
 	drm_gem_shmem_put_pages_locked(shmem);
+}
 }
