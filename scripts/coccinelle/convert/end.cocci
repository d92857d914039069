// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// End the registration of a device that device.cocci converted, in any file.
// convert.py replaces DRM_SAFE_CTX(the DRM device) by a struct drm_dev_ctx.
virtual patch

@ended@
expression drm;
identifier f = {drm_dev_unregister, drm_dev_unplug};
@@
-f(drm)
+drm_dev_ctx_unregister(DRM_SAFE_CTX(drm))
