// SPDX-License-Identifier: GPL-2.0-only OR MIT
// drm/gem-shmem: add accessors for the counts of pins and users
//
// A helper that evicts objects has to know whether another user pins or uses their pages, and has
// to drop the backing storage of an object whose sg table it manages itself. For both, it has to
// read and write members that belong to drm_gem_shmem_helper.c. So does a driver that draws on an
// object in a panic, where it must not take the lock.
//
// Add functions for the counts and for the mapping, and move the last part of
// drm_gem_shmem_purge_locked() to a function. Use the counts in drm_gem_shmem_release(). "drm/safe: add
// kernel mappings with a size in their type" uses the function for the mapping.
//
// drm_gem_shmem_purge_locked() now sets madv after it has unmapped the object, instead of before. Both
// happen under the reservation lock, which the fault handler holds when it reads madv.
//
// Files: drivers/gpu/drm/drm_gem_shmem_helper.c include/drm/drm_gem_shmem_helper.h

@@
identifier shmem;
@@
+/**
+ * drm_gem_shmem_pins - how many pins an object has
+ * @shmem: shmem GEM object
+ *
+ * The caller holds the reservation lock.
+ *
+ * Returns: the number of pins
+ */
+static inline unsigned int drm_gem_shmem_pins(const struct drm_gem_shmem_object *shmem)
+{
+	dma_resv_assert_held(shmem->base.resv);
+	return refcount_read(&shmem->pages_pin_count);
+}
+#define drm_gem_shmem_pins drm_gem_shmem_pins
+
+/**
+ * drm_gem_shmem_page_users - how many users the pages of an object have
+ * @shmem: shmem GEM object
+ *
+ * All pins are one user. The caller holds the reservation lock.
+ *
+ * Returns: the number of users
+ */
+static inline unsigned int drm_gem_shmem_page_users(const struct drm_gem_shmem_object *shmem)
+{
+	dma_resv_assert_held(shmem->base.resv);
+	return refcount_read(&shmem->pages_use_count);
+}
+
+/**
+ * drm_gem_shmem_vaddr - the mapping of an object, without its lock
+ * @shmem: shmem GEM object of a framebuffer that is on a plane
+ *
+ * For &drm_plane_helper_funcs.get_scanout_buffer. A mapping with users stays for as long as the
+ * framebuffer is on the plane, and the count of users drops to zero before the mapping goes.
+ *
+ * Returns: the address, or NULL if the object is not mapped
+ */
+static inline void *drm_gem_shmem_vaddr(const struct drm_gem_shmem_object *shmem)
+{
+	return refcount_read(&shmem->vmap_use_count) ? READ_ONCE(shmem->vaddr) : NULL;
+}
+#define drm_gem_shmem_vaddr drm_gem_shmem_vaddr
+
+void drm_gem_shmem_purge_backing(struct drm_gem_shmem_object *shmem);
+#define drm_gem_shmem_purge_backing drm_gem_shmem_purge_backing
 void drm_gem_shmem_purge_locked(struct drm_gem_shmem_object *shmem);

@@
identifier shmem;
@@
 void drm_gem_shmem_release(struct drm_gem_shmem_object *shmem)
 {
 <...
(
-refcount_read(&shmem->pages_use_count)
+drm_gem_shmem_page_users(shmem)
|
-refcount_read(&shmem->pages_pin_count)
+drm_gem_shmem_pins(shmem)
)
 ...>
 }

@purge@
identifier shmem, obj, dev;
@@
 void drm_gem_shmem_purge_locked(struct drm_gem_shmem_object *shmem)
 {
 	struct drm_gem_object *obj = &shmem->base;
 	struct drm_device *dev = obj->dev;
 	...
-	shmem->madv = -1;
-
 	drm_vma_node_unmap(...);
-	drm_gem_free_mmap_offset(obj);
-
-	shmem_truncate_range(file_inode(obj->filp), 0, (loff_t)-1);
-
-	invalidate_mapping_pages(file_inode(obj->filp)->i_mapping, 0, (loff_t)-1);
+	drm_gem_shmem_purge_backing(shmem);
 }

@@
declarer name EXPORT_SYMBOL_GPL;
@@
 EXPORT_SYMBOL_GPL(drm_gem_shmem_madvise_locked);
+/**
+ * drm_gem_shmem_purge_backing - drop the backing storage of an object without pages
+ * @shmem: shmem GEM object
+ *
+ * The last part of drm_gem_shmem_purge_locked(), for users that have unmapped the object and put
+ * its pages themselves. The caller holds the reservation lock. The object can neither get pages
+ * nor be mapped any more.
+ */
+void drm_gem_shmem_purge_backing(struct drm_gem_shmem_object *shmem)
+{
+	struct drm_gem_object *obj = &shmem->base;
+
+	dma_resv_assert_held(obj->resv);
+
+	shmem->madv = -1;
+	drm_gem_free_mmap_offset(obj);
+
+	/* Reclaim may call this: give the pages back now. */
+	shmem_truncate_range(file_inode(obj->filp), 0, (loff_t)-1);
+	invalidate_mapping_pages(file_inode(obj->filp)->i_mapping, 0, (loff_t)-1);
+}
+EXPORT_SYMBOL_GPL(drm_gem_shmem_purge_backing);
