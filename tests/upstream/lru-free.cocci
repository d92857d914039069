// SPDX-License-Identifier: GPL-2.0-only OR MIT
// A scan leaves last references to a work item.
// Files: drivers/gpu/drm/drm_gem.c

@declared@
declarer name DEFINE_SPINLOCK;
declarer name DECLARE_WORK;
declarer name LIST_HEAD;
@@
+static LIST_HEAD(drm_gem_lru_dead);
+static DEFINE_SPINLOCK(drm_gem_lru_dead_lock);
+
+static void drm_gem_lru_free(struct work_struct *work)
+{
+	struct drm_gem_object *obj;
+	struct list_head dead;
+
+	INIT_LIST_HEAD(&dead);
+	spin_lock(&drm_gem_lru_dead_lock);
+	list_splice_init(&drm_gem_lru_dead, &dead);
+	spin_unlock(&drm_gem_lru_dead_lock);
+	while (!list_empty(&dead)) {
+		obj = list_first_entry(&dead, struct drm_gem_object, lru_node);
+		list_del(&obj->lru_node);
+		drm_gem_object_put(obj);
+	}
+}
+
+static DECLARE_WORK(drm_gem_lru_free_work, drm_gem_lru_free);
+
+static void drm_gem_lru_put(struct drm_gem_object *obj)
+{
+	if (refcount_dec_not_one(&obj->refcount.refcount))
+		return;
+	drm_gem_lru_remove(obj);
+	spin_lock(&drm_gem_lru_dead_lock);
+	list_add(&obj->lru_node, &drm_gem_lru_dead);
+	spin_unlock(&drm_gem_lru_dead_lock);
+	schedule_work(&drm_gem_lru_free_work);
+}
+
 unsigned long drm_gem_lru_scan(...) { ... }

@@
expression obj;
@@
 drm_gem_lru_scan(...)
 {
 <...
-drm_gem_object_put(obj);
+drm_gem_lru_put(obj);
 ...>
 }
