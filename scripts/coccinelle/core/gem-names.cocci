// SPDX-License-Identifier: GPL-2.0-only OR MIT
// drm/gem: add functions that tell how userspace can reach an object
//
// A driver that reuses the object of a client has to know whether another client can reach it, and
// debugfs files show the number of handles. Both read members that &drm_device.object_name_lock
// protects.
//
// Add functions that read them without the lock, and document when a caller can rely on the result.
// Use the first in exynos, panfrost and panthor, which read the number of handles. "drm/safe: add
// eviction and a shrinker" uses the second.
//
// Files: include/drm/drm_gem.h drivers/gpu/drm/exynos/exynos_drm_gem.c
// Files: drivers/gpu/drm/panfrost/panfrost_gem.c drivers/gpu/drm/panthor/panthor_gem.c

@@
struct drm_gem_object *obj;
@@
-obj->handle_count
+drm_gem_handles(obj)

@@
expression bo;
@@
(
-bo->base.base.handle_count
+drm_gem_handles(&bo->base.base)
|
-bo->obj->handle_count
+drm_gem_handles(bo->obj)
)

@@
typedef bool, u32;
identifier file, obj, handle;
@@
+/**
+ * drm_gem_handles - how many handles an object has
+ * @obj: GEM buffer object
+ *
+ * Unlocked, for statistics.
+ *
+ * Returns: the number of handles of all clients.
+ */
+static inline unsigned int drm_gem_handles(const struct drm_gem_object *obj)
+{
+	return READ_ONCE(obj->handle_count);
+}
+
+/**
+ * drm_gem_object_is_named_twice - can userspace find an object by more than one handle?
+ * @obj: GEM buffer object
+ *
+ * Does not count dma-bufs. Unlocked, so only for callers for whom the answer cannot change: an
+ * ioctl of the client that has the one handle.
+ *
+ * Returns: true if the object has a second handle, or a name.
+ */
+static inline bool drm_gem_object_is_named_twice(const struct drm_gem_object *obj)
+{
+	return drm_gem_handles(obj) > 1 || READ_ONCE(obj->name);
+}
+#define drm_gem_object_is_named_twice drm_gem_object_is_named_twice
+
 int drm_gem_handle_create(struct drm_file *file, struct drm_gem_object *obj, u32 *handle);
