// SPDX-License-Identifier: GPL-2.0-only OR MIT
// What an importer's device wrote to pinned pages is kept.
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
