// SPDX-License-Identifier: GPL-2.0-only OR MIT
// drm/gem: let a helper walk an LRU
//
// drm_gem_lru_scan() puts last references in memory reclaim, where an object must not be freed. It
// takes objects off their list while it checks them, so other tasks do not find them there. A helper
// that needs another behaviour has to read members of the LRU.
//
// Add functions that return the list of an object, and the first object of a list. Use the second in
// drm_gem_lru_scan(). "drm/safe: add the common base of GEM shmem objects" uses the first.
//
// Files: include/drm/drm_gem.h drivers/gpu/drm/drm_gem.c

@@
identifier lru, obj;
@@
 drm_gem_lru_scan(..., struct drm_gem_lru *lru, ...)
 {
 <...
-obj = list_first_entry_or_null(&lru->list, typeof(*obj), lru_node);
+obj = drm_gem_lru_first_locked(lru);
 ...>
 }

@@
identifier lru;
@@
+struct drm_gem_object *drm_gem_lru_first_locked(struct drm_gem_lru *lru);
+#define drm_gem_lru_first_locked drm_gem_lru_first_locked
+struct drm_gem_lru *drm_gem_object_lru_locked(const struct drm_gem_object *obj);
 void drm_gem_lru_init(struct drm_gem_lru *lru);

@@
declarer name EXPORT_SYMBOL;
@@
 EXPORT_SYMBOL(drm_gem_lru_remove);
+/**
+ * drm_gem_object_lru_locked - the LRU that an object is on
+ * @obj: GEM buffer object
+ *
+ * The caller holds &drm_device.gem_lru_mutex.
+ *
+ * Returns: the LRU, or NULL.
+ */
+struct drm_gem_lru *drm_gem_object_lru_locked(const struct drm_gem_object *obj)
+{
+	lockdep_assert_held(&obj->dev->gem_lru_mutex);
+	return obj->lru;
+}
+EXPORT_SYMBOL(drm_gem_object_lru_locked);
+
+/**
+ * drm_gem_lru_first_locked - the first object of an LRU
+ * @lru: the LRU
+ *
+ * The caller holds &drm_device.gem_lru_mutex. The object may have no reference any more, so
+ * another task may be about to free it.
+ *
+ * Returns: the object, or NULL if the LRU is empty.
+ */
+struct drm_gem_object *drm_gem_lru_first_locked(struct drm_gem_lru *lru)
+{
+	struct drm_gem_object *obj;
+
+	obj = list_first_entry_or_null(&lru->list, struct drm_gem_object, lru_node);
+	if (obj)
+		lockdep_assert_held(&obj->dev->gem_lru_mutex);
+	return obj;
+}
+EXPORT_SYMBOL(drm_gem_lru_first_locked);
