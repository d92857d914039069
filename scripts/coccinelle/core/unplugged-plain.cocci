// SPDX-License-Identifier: GPL-2.0-only OR MIT
// drm: mark the accesses to drm_device.unplugged
//
// drm_dev_enter() reads the flag without a lock, while drm_dev_unplug() and drm_dev_register() write
// it. The accesses are plain, so the compiler may tear, repeat or move them, and KCSAN reports a
// race.
//
// Use READ_ONCE() and WRITE_ONCE(). SRCU orders the section and the unplug.
//
// Files: drivers/gpu/drm/drm_drv.c

@@
struct drm_device *dev;
@@
-if (dev->unplugged)
+if (READ_ONCE(dev->unplugged))
 { ... }

@@
struct drm_device *dev;
@@
-dev->unplugged = true;
+WRITE_ONCE(dev->unplugged, true);

@@
struct drm_device *dev;
@@
-dev->unplugged = false;
+WRITE_ONCE(dev->unplugged, false);
