// SPDX-License-Identifier: GPL-2.0-only OR MIT
// drm/gem-shmem: mark pages dirty when a device's pin goes
//
// An importer that pins a GEM shmem object may write to its pages with a device, which the kernel
// does not see. So may a driver that calls drm_gem_shmem_pin(). When the last pin goes, the pages are
// put without being marked dirty. Reclaim can then drop a page without writing it to swap, and the
// data is lost.
//
// Set pages_mark_dirty_on_put where such a pin goes, as drm_gem_shmem_vmap_locked() does.
// drm_gem_shmem_unpin_locked() leaves this to its callers: a caller that pins pages for the page
// tables of userspace knows which of them were written to.
//
// Files: drivers/gpu/drm/drm_gem_shmem_helper.c include/drm/drm_gem_shmem_helper.h

@@
identifier shmem;
@@
 void drm_gem_shmem_unpin(struct drm_gem_shmem_object *shmem)
 {
 ...
+	shmem->pages_mark_dirty_on_put = true;
 	drm_gem_shmem_unpin_locked(shmem);
 ...
 }

@@
identifier obj, shmem;
@@
 void drm_gem_shmem_object_unpin(struct drm_gem_object *obj)
 {
 ...
+	shmem->pages_mark_dirty_on_put = true;
 	drm_gem_shmem_unpin_locked(shmem);
 }
