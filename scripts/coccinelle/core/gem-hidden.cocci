// SPDX-License-Identifier: GPL-2.0-only OR MIT
// drm/gem-shmem: add an init function that makes no mmap offset
//
// drm_gem_shmem_init() gives each object an mmap offset, although many objects are never mapped by
// userspace. From then on, a lookup by the offset finds the object, which the driver has not
// completed. A driver that publishes its objects when they are complete has to take the offset back
// at once, which costs as much as the rest of the call, and a lookup can come in between.
//
// Add drm_gem_shmem_init_hidden(), which leaves the offset to drm_gem_create_mmap_offset().
// "drm/safe: add typed GEM shmem objects" uses it.
//
// Files: drivers/gpu/drm/drm_gem_shmem_helper.c include/drm/drm_gem_shmem_helper.h

@@
typedef bool;
identifier dev, shmem, size, private, obj, ret, err_release;
@@
 static int __drm_gem_shmem_init(struct drm_device *dev, struct drm_gem_shmem_object *shmem,
-				size_t size, bool private)
+				size_t size, bool private, bool hidden)
 {
 ...
-ret = drm_gem_create_mmap_offset(obj);
-if (ret)
-	goto err_release;
+if (!hidden) {
+	ret = drm_gem_create_mmap_offset(obj);
+	if (ret)
+		goto err_release;
+}
 ...
 }

@@
expression dev, shmem, size, private;
@@
-__drm_gem_shmem_init(dev, shmem, size, private)
+__drm_gem_shmem_init(dev, shmem, size, private, false)

@@
declarer name EXPORT_SYMBOL_GPL;
@@
 EXPORT_SYMBOL_GPL(drm_gem_shmem_init);
+/**
+ * drm_gem_shmem_init_hidden - Initialize an allocated object that userspace cannot find yet.
+ * @dev: DRM device
+ * @shmem: shmem GEM object to initialize
+ * @size: Buffer size in bytes
+ *
+ * As drm_gem_shmem_init(), but the object has no mmap offset. The driver calls
+ * drm_gem_create_mmap_offset() when the object is complete, if userspace may map it.
+ *
+ * Returns:
+ * 0 on success, or a negative error code on failure.
+ */
+int drm_gem_shmem_init_hidden(struct drm_device *dev, struct drm_gem_shmem_object *shmem, size_t size)
+{
+	return __drm_gem_shmem_init(dev, shmem, size, false, true);
+}
+EXPORT_SYMBOL_GPL(drm_gem_shmem_init_hidden);

@@
identifier dev, shmem, size;
@@
+int drm_gem_shmem_init_hidden(struct drm_device *dev, struct drm_gem_shmem_object *shmem, size_t size);
+#define drm_gem_shmem_init_hidden drm_gem_shmem_init_hidden
 int drm_gem_shmem_init(struct drm_device *dev, struct drm_gem_shmem_object *shmem, size_t size);
