// SPDX-License-Identifier: GPL-2.0-only OR MIT
// drm/gem: add functions for objects that share the reservation lock of another object
//
// An object can use the reservation object of another object, to which it has a reference. Freeing
// the object must not wait for that lock: the caller may hold it, or may hold the lock of a third
// object, which lockdep treats as the same lock. No other task can reach an object that is being freed,
// so a trylock of its own lock always succeeds, and satisfies the functions that need a lock. Drivers
// read and write &drm_gem_object.resv and &drm_gem_object._resv for this.
//
// Add functions that return the owner of an object's lock, switch an object back to its own lock,
// and lock an object that is being freed.
//
// Files: include/drm/drm_gem.h

@script:python names@
lock_freed;
@@
coccinelle.lock_freed = cocci.make_ident(" __acquires(drm_resv) __no_context_analysis drm_gem_lock_freed")

@@
identifier names.lock_freed;
identifier obj;
@@
+/**
+ * drm_gem_resv_owner - the object whose reservation lock an object uses
+ * @obj: GEM buffer object, which uses its own lock or that of another GEM buffer object
+ *
+ * Returns: the other object, or NULL if @obj uses its own lock.
+ */
+static inline struct drm_gem_object *drm_gem_resv_owner(const struct drm_gem_object *obj)
+{
+	if (obj->resv == &obj->_resv)
+		return NULL;
+	return container_of(obj->resv, struct drm_gem_object, _resv);
+}
+
+/**
+ * drm_gem_unshare_resv - make an object use its own reservation lock
+ * @obj: GEM buffer object, which no other task has
+ */
+static inline void drm_gem_unshare_resv(struct drm_gem_object *obj)
+{
+	obj->resv = &obj->_resv;
+}
+
+/**
+ * drm_gem_lock_freed - lock an object that is being freed
+ * @obj: GEM buffer object, which no other task has
+ *
+ * Takes the own lock of the object, even if it used another one. Waits for nothing, so the caller
+ * may hold the locks of other objects.
+ */
+static inline void lock_freed(struct drm_gem_object *obj)
+{
+	drm_gem_unshare_resv(obj);
+	WARN_ON(!dma_resv_trylock(obj->resv));
+}
+#define drm_gem_lock_freed drm_gem_lock_freed
+
 int drm_gem_evict_locked(struct drm_gem_object *obj);
