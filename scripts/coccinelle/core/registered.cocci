// SPDX-License-Identifier: GPL-2.0-only OR MIT
// drm: publish drm_device.registered
//
// drm_dev_register() sets &drm_device.registered after it has made the minors, with a plain
// store, and drm_dev_unregister() clears it. Readers without a lock, such as
// drm_connector_dynamic_register(), may see the flag before what
// the driver prepared.
//
// Store with release, load with acquire, in a function of its own.
//
// Files: include/drm/drm_drv.h drivers/gpu/drm/drm_drv.c

@@
typedef bool;
identifier dev;
@@
+/**
+ * drm_dev_is_unregistered - is a DRM device not registered, or not any more?
+ * @dev: DRM device
+ *
+ * Pairs with the release in drm_dev_register(): a device that is found registered has all
+ * that was prepared before.
+ *
+ * RETURNS:
+ * False from drm_dev_register() until drm_dev_unregister().
+ */
+static inline bool drm_dev_is_unregistered(const struct drm_device *dev)
+{
+	/* Pairs with the release in drm_dev_register() */
+	return !smp_load_acquire(&dev->registered);
+}
+#define drm_dev_is_unregistered drm_dev_is_unregistered
+
 void drm_dev_get(struct drm_device *dev);

@@
struct drm_device *dev;
@@
-dev->registered = true;
+/* Pairs with drm_dev_is_unregistered() */
+smp_store_release(&dev->registered, true);

@@
struct drm_device *dev;
@@
-dev->registered = false;
+WRITE_ONCE(dev->registered, false);
