// SPDX-License-Identifier: GPL-2.0-only OR MIT
// drm: have a device know its contexts
//
// A helper that embeds struct drm_device in a struct of its own cannot tell whether a device that it
// is given is part of such a struct, because the driver may have allocated the device otherwise. The
// helper has to look the address up in a table of all devices.
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
