// SPDX-License-Identifier: GPL-2.0-only OR MIT
// drm/gpuvm: release the lock before the reference in drm_gpuva_unlink_defer()
//
// drm_gpuva_unlink_defer() puts the reference to the vm_bo with the lock of the GEM object held, and
// unlocks afterwards. If the reference is not the last one, then another task can put the last one in
// between, and drm_gpuvm_bo_deferred_cleanup() puts the object. mutex_unlock() works on freed memory.
//
// Unlink under the lock, release it, and leave the reference to drm_gpuvm_bo_put_deferred(). That
// function takes the lock again only for what may be the last reference. Another task may now see a
// vm_bo without mappings on the list of the object, as it does between drm_gpuvm_bo_obtain_locked() and
// drm_gpuva_link().
//
// panthor is the only user.
//
// Files: drivers/gpu/drm/drm_gpuvm.c

@@
identifier va, vm_bo, obj, should_defer_bo;
typedef bool;
@@
 void
 drm_gpuva_unlink_defer(struct drm_gpuva *va)
 {
 	struct drm_gem_object *obj = va->gem.obj;
 	struct drm_gpuvm_bo *vm_bo = va->vm_bo;
-	bool should_defer_bo;
 ...
 	mutex_lock(&obj->gpuva.lock);
 	list_del_init(&va->gem.entry);
-
-	should_defer_bo = kref_put(&vm_bo->kref, drm_gpuvm_bo_into_zombie);
 	mutex_unlock(&obj->gpuva.lock);
-	if (should_defer_bo)
-		drm_gpuvm_bo_defer_zombie_cleanup(vm_bo);
-
 	va->vm_bo = NULL;
+
+	/* The lock may go with the reference. */
+	drm_gpuvm_bo_put_deferred(vm_bo);
 }
