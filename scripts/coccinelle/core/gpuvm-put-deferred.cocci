// SPDX-License-Identifier: GPL-2.0-only OR MIT
// drm/gpuvm: keep a vm_bo until its object's lock is released
//
// drm_gpuvm_bo_put_deferred() calls kref_put_mutex(). If another task takes a reference between the
// two tests of the count, then kref_put_mutex() puts a reference that is not the last one with the
// lock of the GEM object held, and unlocks afterwards. The other task can put the last reference in
// between, and drm_gpuvm_bo_deferred_cleanup() then puts the object. mutex_unlock() works on freed
// memory.
//
// Under the lock, put the reference only if it is the last one. No other task can take a reference
// then, because that needs the lock, and the object stays until the cleanup. Otherwise unlock
// first, and put the reference afterwards.
//
// Files: drivers/gpu/drm/drm_gpuvm.c include/drm/drm_gpuvm.h

@@
typedef bool;
identifier vm_bo;
@@
 bool
 drm_gpuvm_bo_put_deferred(struct drm_gpuvm_bo *vm_bo)
 {
 ...
-return !!kref_put_mutex(&vm_bo->kref,
-			drm_gpuvm_bo_defer_free,
-			&vm_bo->obj->gpuva.lock);
+/* Not kref_put_mutex(): the lock may go with a reference that is not the last one. */
+while (!refcount_dec_not_one(&vm_bo->kref.refcount)) {
+	mutex_lock(&vm_bo->obj->gpuva.lock);
+	if (refcount_dec_if_one(&vm_bo->kref.refcount)) {
+		drm_gpuvm_bo_defer_free(&vm_bo->kref);
+		return true;
+	}
+	mutex_unlock(&vm_bo->obj->gpuva.lock);
+}
+
+return false;
 }

@@
identifier vm_bo;
@@
+#define drm_gpuvm_bo_put_deferred_holds 1
 void drm_gpuvm_bo_extobj_add(struct drm_gpuvm_bo *vm_bo);
