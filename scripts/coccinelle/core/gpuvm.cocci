// SPDX-License-Identifier: GPL-2.0-only OR MIT
// drm/gpuvm: add accessors for users in the fence signalling path
//
// A user of immediate mode that changes an address space in the fence signalling path must not
// put the last reference there. It has to know whether drm_gpuvm_bo_deferred_cleanup() has work to
// do, and walks the mappings of a vm_bo. Today it has to read members that are documented as
// private.
//
// Add functions, and document what such users may rely on. Use drm_gpuvm_has_deferred()
// where an address space ends. "drm/safe: add updates of address spaces that run in the fence signalling
// path", "drm/safe: add address spaces in immediate mode" and "drm/safe: add walks, locks and eviction of
// address spaces" use the others.
//
// Files: include/drm/drm_gpuvm.h drivers/gpu/drm/drm_gpuvm.c

@@
typedef bool;
identifier gpuvm;
@@
+/**
+ * drm_gpuvm_put_unless_last() - drop a reference that is not the last one
+ * @gpuvm: the &drm_gpuvm to release the reference of
+ *
+ * May be called from atomic context and in the fence signalling path.
+ *
+ * Returns: true if the reference was dropped; false if it is the last one, which stays.
+ */
+static inline bool drm_gpuvm_put_unless_last(struct drm_gpuvm *gpuvm)
+{
+	return refcount_dec_not_one(&gpuvm->kref.refcount);
+}
+#define drm_gpuvm_put_unless_last drm_gpuvm_put_unless_last
+
+/**
+ * drm_gpuvm_put_not_last() - drop a reference; the caller knows that another one exists
+ * @gpuvm: the &drm_gpuvm to release the reference of
+ *
+ * May be called from atomic context and in the fence signalling path.
+ */
+static inline void drm_gpuvm_put_not_last(struct drm_gpuvm *gpuvm)
+{
+	refcount_dec(&gpuvm->kref.refcount);
+}
+
+/**
+ * drm_gpuvm_has_deferred() - does drm_gpuvm_bo_deferred_cleanup() have work to do?
+ * @gpuvm: the &drm_gpuvm to check
+ *
+ * Returns: true if a &drm_gpuvm_bo waits for its cleanup.
+ */
+static inline bool drm_gpuvm_has_deferred(const struct drm_gpuvm *gpuvm)
+{
+	return !llist_empty(&gpuvm->bo_defer);
+}
+#define drm_gpuvm_has_deferred drm_gpuvm_has_deferred
+
+/**
+ * drm_gpuvm_reserved() - the range that drm_gpuvm_init() was told to reserve
+ * @gpuvm: the &drm_gpuvm
+ *
+ * Returns: the &drm_gpuva of the range, which is in the tree if the range is not empty.
+ */
+static inline const struct drm_gpuva *drm_gpuvm_reserved(const struct drm_gpuvm *gpuvm)
+{
+	return &gpuvm->kernel_alloc_node;
+}
+#define drm_gpuvm_reserved drm_gpuvm_reserved
+
 void drm_gpuvm_put(struct drm_gpuvm *gpuvm);

@@
typedef bool;
iterator name list_for_each_entry_continue;
identifier vm_bo;
@@
+/**
+ * drm_gpuvm_bo_is_extobj() - has drm_gpuvm_bo_extobj_add() been called?
+ * @vm_bo: the &drm_gpuvm_bo
+ *
+ * Unlocked: the answer stays true as long as there is a reference to @vm_bo.
+ *
+ * Returns: true if @vm_bo is in the list of external objects.
+ */
+static inline bool drm_gpuvm_bo_is_extobj(const struct drm_gpuvm_bo *vm_bo)
+{
+	return !list_empty_careful(&vm_bo->list.entry.extobj);
+}
+#define drm_gpuvm_bo_is_extobj drm_gpuvm_bo_is_extobj
+
+/**
+ * drm_gpuva_link_owned() - link a &drm_gpuva that has a reference to its &drm_gpuvm_bo
+ * @va: the &drm_gpuva, whose @vm_bo is set
+ *
+ * As drm_gpuva_link(), which takes another reference.
+ */
+static inline void drm_gpuva_link_owned(struct drm_gpuva *va)
+{
+	drm_gem_gpuva_assert_lock_held(va->vm, va->gem.obj);
+	list_add_tail(&va->gem.entry, &va->vm_bo->list.gpuva);
+}
+#define drm_gpuva_link_owned drm_gpuva_link_owned
+
+/**
+ * drm_gpuva_unlink_owned() - unlink a &drm_gpuva that keeps its reference to its &drm_gpuvm_bo
+ * @va: the &drm_gpuva
+ *
+ * As drm_gpuva_unlink(), which puts the reference. The caller does so with
+ * drm_gpuvm_bo_put_deferred(), after it has released the lock, because the lock goes with the last
+ * reference.
+ */
+static inline void drm_gpuva_unlink_owned(struct drm_gpuva *va)
+{
+	drm_gem_gpuva_assert_lock_held(va->vm, va->gem.obj);
+	list_del_init(&va->gem.entry);
+}
+
+/**
+ * drm_gpuvm_bo_first_va() - the first mapping of a &drm_gpuvm_bo
+ * @vm_bo: the &drm_gpuvm_bo
+ *
+ * The caller holds the lock that drm_gem_gpuva_assert_lock_held() wants, or is the only task that
+ * links and unlinks mappings of this address space. Lockdep cannot know the second, so there is no
+ * assertion.
+ *
+ * Returns: the mapping, or NULL if there is none.
+ */
+static inline struct drm_gpuva *drm_gpuvm_bo_first_va(struct drm_gpuvm_bo *vm_bo)
+{
+	return list_first_entry_or_null(&vm_bo->list.gpuva, struct drm_gpuva, gem.entry);
+}
+#define drm_gpuvm_bo_first_va drm_gpuvm_bo_first_va
+
+/**
+ * drm_gpuvm_bo_next_va() - the mapping of a &drm_gpuvm_bo after another
+ * @va: the other
+ *
+ * See drm_gpuvm_bo_first_va() for what the caller holds.
+ *
+ * Returns: the mapping, or NULL if @va is the last one.
+ */
+static inline const struct drm_gpuva *drm_gpuvm_bo_next_va(const struct drm_gpuva *va)
+{
+	if (list_is_last(&va->gem.entry, &va->vm_bo->list.gpuva))
+		return NULL;
+	return list_next_entry(va, gem.entry);
+}
+
+/**
+ * drm_gem_next_gpuvm_bo() - the &drm_gpuvm_bo of an object after another
+ * @obj: the object
+ * @vm_bo: the other, or NULL for the first one
+ *
+ * For immediate mode. The caller holds &drm_gem_object.gpuva.lock.
+ *
+ * Returns: the &drm_gpuvm_bo, or NULL if @vm_bo is the last one.
+ */
+static inline struct drm_gpuvm_bo *drm_gem_next_gpuvm_bo(struct drm_gem_object *obj,
+							  struct drm_gpuvm_bo *vm_bo)
+{
+	lockdep_assert_held(&obj->gpuva.lock);
+	vm_bo = list_prepare_entry(vm_bo, &obj->gpuva.list, list.entry.gem);
+	list_for_each_entry_continue(vm_bo, &obj->gpuva.list, list.entry.gem)
+		return vm_bo;
+	return NULL;
+}
+#define drm_gem_next_gpuvm_bo drm_gem_next_gpuvm_bo
+
+void drm_gpuvm_bo_uncreate(struct drm_gpuvm_bo *vm_bo);
+#define drm_gpuvm_bo_uncreate drm_gpuvm_bo_uncreate
+
 void drm_gpuvm_bo_extobj_add(struct drm_gpuvm_bo *vm_bo);

@@
identifier gpuvm;
@@
 drm_gpuvm_fini(struct drm_gpuvm *gpuvm)
 {
 <...
-!llist_empty(&gpuvm->bo_defer)
+drm_gpuvm_has_deferred(gpuvm)
 ...>
 }

@@
declarer name EXPORT_SYMBOL_GPL;
@@
 EXPORT_SYMBOL_GPL(drm_gpuvm_bo_put_deferred);
+/**
+ * drm_gpuvm_bo_uncreate() - put what drm_gpuvm_bo_create() has taken
+ * @vm_bo: a &drm_gpuvm_bo that was not published, and that no other task has
+ *
+ * For a &drm_gpuvm_bo that the driver could not initialise, which is not one for
+ * &drm_gpuvm_ops.vm_bo_free. The caller frees the memory.
+ */
+void drm_gpuvm_bo_uncreate(struct drm_gpuvm_bo *vm_bo)
+{
+	drm_gem_object_put(vm_bo->obj);
+	drm_gpuvm_put(vm_bo->vm);
+}
+EXPORT_SYMBOL_GPL(drm_gpuvm_bo_uncreate);
