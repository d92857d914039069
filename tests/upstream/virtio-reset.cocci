// SPDX-License-Identifier: GPL-2.0-only OR MIT
// virtio: do not call a driver that is being unbound
//
// virtio_device_reset_prepare() and virtio_device_reset_done() read the driver of the device and call
// it without the lock of the device. The bus holds the lock of the parent. An unbind by the driver's
// file in sysfs takes only the lock of the virtio device, so the driver can be called while its
// remove function runs, and after it has freed its data. Take the lock of the virtio device.
//
// Files: drivers/virtio/virtio.c

@@
identifier dev, drv;
@@
 int \(virtio_device_reset_prepare\|virtio_device_reset_done\)(struct virtio_device *dev)
 {
-	struct virtio_driver *drv = drv_to_virtio(dev->dev.driver);
+	struct virtio_driver *drv;
 	...
+
+	guard(device)(&dev->dev);
+	drv = drv_to_virtio(dev->dev.driver);
 	if (!drv || ...) { ... }
 	...
 }
