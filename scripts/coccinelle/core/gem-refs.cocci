// SPDX-License-Identifier: GPL-2.0-only OR MIT
// drm/gem: add functions for objects whose last reference is gone
//
// An LRU scan and the revocation of mappings meet objects that another task is about to free.
// They call kref functions on &drm_gem_object.refcount. A shrinker must not free the object itself
// either, because that takes locks.
//
// Add functions for this, and one that tells whether userspace can map an object. Use
// drm_gem_object_get_unless_zero() in drm_gem_lru_scan() and in drm_gem_object_lookup_at_offset(). The
// helpers use the others: "drm/safe: add the state of a table that ends with the binding" takes
// references, "drm/safe: add scatter-gather tables that are revoked at unbind" puts last references, and
// "drm/safe: add mappings of userspace, exports and accesses by the CPU" checks for the offset.
//
// Files: include/drm/drm_gem.h drivers/gpu/drm/drm_gem.c

@@
struct drm_gem_object *obj;
@@
-kref_get_unless_zero(&obj->refcount)
+drm_gem_object_get_unless_zero(obj)

@@
typedef bool, u32;
identifier file, obj, handle;
@@
+/**
+ * drm_gem_object_has_refs - does an object have references?
+ * @obj: GEM buffer object
+ *
+ * Returns: false if its last reference is gone: a task is about to free it.
+ */
+static inline bool drm_gem_object_has_refs(const struct drm_gem_object *obj)
+{
+	return kref_read(&obj->refcount);
+}
+
+/**
+ * drm_gem_object_get_unless_zero - acquire a reference to an object that may be freed
+ * @obj: GEM buffer object, which a lock keeps from being freed
+ *
+ * Returns: true if the caller has a reference now.
+ */
+static inline bool drm_gem_object_get_unless_zero(struct drm_gem_object *obj)
+{
+	return kref_get_unless_zero(&obj->refcount);
+}
+#define drm_gem_object_get_unless_zero drm_gem_object_get_unless_zero
+
+/**
+ * drm_gem_object_put_and_test - release a reference, and free nothing
+ * @obj: GEM buffer object
+ *
+ * For memory reclaim, where an object must not be freed.
+ *
+ * Returns: true if it was the last reference. The caller then calls drm_gem_object_free_dead()
+ * from where it may wait.
+ */
+static inline bool drm_gem_object_put_and_test(struct drm_gem_object *obj)
+{
+	return refcount_dec_and_test(&obj->refcount.refcount);
+}
+#define drm_gem_object_put_and_test drm_gem_object_put_and_test
+
+/**
+ * drm_gem_object_free_dead - free an object whose last reference is gone
+ * @obj: GEM buffer object, for which drm_gem_object_put_and_test() returned true
+ */
+static inline void drm_gem_object_free_dead(struct drm_gem_object *obj)
+{
+	drm_gem_object_free(&obj->refcount);
+}
+
 int drm_gem_handle_create(struct drm_file *file, struct drm_gem_object *obj, u32 *handle);

@@
typedef bool;
identifier obj;
@@
+/**
+ * drm_gem_has_mmap_offset - can userspace map an object?
+ * @obj: GEM buffer object
+ *
+ * Returns: true from drm_gem_create_mmap_offset() until drm_gem_free_mmap_offset().
+ */
+static inline bool drm_gem_has_mmap_offset(const struct drm_gem_object *obj)
+{
+	return drm_mm_node_allocated(&obj->vma_node.vm_node);
+}
+#define drm_gem_has_mmap_offset drm_gem_has_mmap_offset
+
 void drm_gem_free_mmap_offset(struct drm_gem_object *obj);
