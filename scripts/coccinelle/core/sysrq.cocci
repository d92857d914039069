// SPDX-License-Identifier: GPL-2.0-only OR MIT
// drm/client: let a device be unregistered from sysrq twice
//
// A driver can call drm_dev_unregister() and then drm_dev_unplug(), for instance because it
// unregisters by hand and with devres. The core then deletes the device twice from the list that
// the sysrq key walks. The second list_del() finds poison, and corrupts memory if
// CONFIG_DEBUG_LIST is off.
//
// Initialise the entry when it leaves the list, so the second deletion does nothing. A device
// that was never on the list has null pointers there, and is still reported.
//
// Files: drivers/gpu/drm/drm_client_sysrq.c include/drm/drm_device.h

@@
identifier dev;
@@
 drm_client_sysrq_unregister(struct drm_device *dev)
 {
 ...
-if (!drm_WARN_ON(dev, list_empty(&dev->client_sysrq_list)))
-	list_del(&dev->client_sysrq_list);
+if (!drm_WARN_ON(dev, !dev->client_sysrq_list.next))
+	list_del_init(&dev->client_sysrq_list);
 ...
 }

@@
@@
 struct drm_device {
 	...
 };
+#define drm_client_sysrq_unregister_again 1
