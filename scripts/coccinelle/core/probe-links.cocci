// SPDX-License-Identifier: GPL-2.0-only OR MIT
// driver core: keep suppliers bound until a failed probe has released its resources
//
// If a probe function fails, really_probe() calls device_links_no_driver() before
// device_unbind_cleanup(). The device links of the consumer are gone by then, or no longer in a
// state that device_links_busy() waits for. So another task can unbind a supplier while devres
// still releases what the consumer got from it, such as DMA mappings that were made for it.
//
// Clean up first. __device_release_driver() has this order: device_links_driver_cleanup() comes
// after device_unbind_cleanup(). A task that unbinds a supplier then finds the link in the state
// "consumer probe", and waits for the probe to end. A driver whose devres unbinds a supplier of its
// own device would wait for itself, but the unbinding of its device waits for itself today.
//
// Files: drivers/base/dd.c

@@
identifier dev;
@@
-device_links_no_driver(dev);
 device_unbind_cleanup(dev);
+device_links_no_driver(dev);
