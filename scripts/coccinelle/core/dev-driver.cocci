// SPDX-License-Identifier: GPL-2.0-only OR MIT
// drm: let a helper complete a device before its driver releases it
//
// &drm_driver.release ends what a driver has added to a device. If a helper, or the abstraction for
// Rust, fails between __drm_dev_alloc() and the moment when the driver gets the device, then the
// last drm_dev_put() calls it for a device that the driver has never seen. Both therefore allocate the
// device with a copy of the driver that has no such callback, and write &drm_device.driver
// afterwards.
//
// Add a function that replaces the driver, and document which members may differ. "drm/safe: add device
// contexts" uses it. A C helper for the Rust abstraction can use it later.
//
// Files: include/drm/drm_drv.h

@@
identifier dev, flags;
@@
+/**
+ * drm_dev_set_driver - replace the driver of a device that is not complete yet
+ * @dev: DRM device, which no other task has
+ * @driver: the driver, which differs in callbacks only from the one that @dev was allocated with
+ *
+ * For helpers that allocate a device, and must not call &drm_driver.release before the driver has
+ * the device. They allocate it with a driver that has no such callback.
+ */
+static inline void drm_dev_set_driver(struct drm_device *dev, const struct drm_driver *driver)
+{
+	dev->driver = driver;
+}
+#define drm_dev_set_driver drm_dev_set_driver
+
 int drm_dev_register(struct drm_device *dev, unsigned long flags);
