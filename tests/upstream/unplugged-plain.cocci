// SPDX-License-Identifier: GPL-2.0-only OR MIT
// The flag is read without a lock while it is written.
// Files: drivers/gpu/drm/drm_drv.c

@@
struct drm_device *dev;
@@
-if (dev->unplugged)
+if (READ_ONCE(dev->unplugged))
 { ... }

@@
struct drm_device *dev;
expression E;
@@
-dev->unplugged = E;
+WRITE_ONCE(dev->unplugged, E);
