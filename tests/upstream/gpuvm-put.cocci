// SPDX-License-Identifier: GPL-2.0-only OR MIT
// The end of an address space, with its last puts, is a work item.
// Files: include/drm/drm_gpuvm.h drivers/gpu/drm/drm_gpuvm.c

@@
@@
 struct drm_gpuvm {
 	...
+	struct work_struct free_work;
 };

@@
identifier kref, gpuvm;
@@
-drm_gpuvm_free(struct kref *kref)
+drm_gpuvm_free_work(struct work_struct *work)
 {
-struct drm_gpuvm *gpuvm = container_of(kref, struct drm_gpuvm, kref);
+struct drm_gpuvm *gpuvm = container_of(work, struct drm_gpuvm, free_work);
 ...
 }

@@
identifier gpuvm;
@@
+static void drm_gpuvm_free(struct kref *kref)
+{
+	struct drm_gpuvm *gpuvm = container_of(kref, struct drm_gpuvm, kref);
+
+	INIT_WORK(&gpuvm->free_work, drm_gpuvm_free_work);
+	schedule_work(&gpuvm->free_work);
+}
+
 void drm_gpuvm_put(struct drm_gpuvm *gpuvm) { ... }
