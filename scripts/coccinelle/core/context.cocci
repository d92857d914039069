// SPDX-License-Identifier: GPL-2.0-only OR MIT
// drm: add a pointer from a device to its contexts
//
// A helper that embeds struct drm_device in a struct of its own gets devices that the driver may have
// allocated in another way. To tell them apart, the helper has to look up the address in a table of
// all devices.
//
// Add a pointer, which is NULL for all other devices.
//
// Files: include/drm/drm_device.h

@@
@@
 struct drm_device {
 	...
 	struct mutex gem_lru_mutex;
+
+	/**
+	 * @ctx:
+	 *
+	 * The struct drm_dev_ctx that this device is in; NULL for other devices.
+	 */
+	struct drm_dev_ctx *ctx;
 };
+#define drm_device_ctx 1
