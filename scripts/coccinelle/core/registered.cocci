// SPDX-License-Identifier: GPL-2.0-only OR MIT
// drm: publish drm_device.registered
//
// drm_dev_register() sets &drm_device.registered with a plain store. A reader that does not hold
// the lock of drm_dev_register(), such as drm_connector_register(), can see the flag
// before it sees what the driver prepared.
//
// Store the flag with release, and load it with acquire, in a function of its own. Convert the two
// readers in drm_connector.c, which act on the flag.
//
// Files: include/drm/drm_drv.h drivers/gpu/drm/drm_drv.c drivers/gpu/drm/drm_connector.c

@@
typedef bool;
identifier dev;
@@
+/**
+ * drm_dev_is_registered - is a DRM device registered?
+ * @dev: DRM device
+ *
+ * The caller sees all that the driver prepared before it called drm_dev_register(). Unless the
+ * caller keeps the device from being unregistered, it can be at any time.
+ *
+ * RETURNS:
+ * True from drm_dev_register() until drm_dev_unregister().
+ */
+static inline bool drm_dev_is_registered(const struct drm_device *dev)
+{
+	/* Pairs with the release in drm_dev_register() */
+	return smp_load_acquire(&dev->registered);
+}
+#define drm_dev_is_registered drm_dev_is_registered
+
 void drm_dev_get(struct drm_device *dev);

@@
struct drm_device *dev;
@@
-dev->registered = true;
+/* Pairs with drm_dev_is_registered() */
+smp_store_release(&dev->registered, true);

@@
struct drm_device *dev;
@@
-dev->registered = false;
+WRITE_ONCE(dev->registered, false);

@@
struct drm_device *dev;
statement S;
@@
 if (
-dev->registered
+drm_dev_is_registered(dev)
 ) S

@@
struct drm_connector *connector;
statement S;
@@
 if (!
-connector->dev->registered
+drm_dev_is_registered(connector->dev)
 ) S
