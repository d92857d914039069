// SPDX-License-Identifier: GPL-2.0-only OR MIT
// driver core: keep suppliers bound until a failed probe has released its resources
//
// If a probe function fails, really_probe() calls device_links_no_driver() before
// device_unbind_cleanup(). The device links of the consumer are gone by then, or no longer in a
// state that device_links_busy() waits for. So another task can unbind a supplier while devres
// still releases what the consumer got from it, such as DMA mappings that were made for it.
//
// Give up the links to suppliers after the clean-up. __device_release_driver() has this order:
// device_links_driver_cleanup() comes after device_unbind_cleanup(). A task that unbinds a supplier
// then finds the link in the state "consumer probe", and waits for the probe to end. The links to
// consumers still end first: devres may remove a consumer that was bound meanwhile, and that consumer
// must not find a supplier that is still probing. A driver whose devres unbinds a supplier of its own
// device would wait for itself, but the unbinding of its device waits for itself today.
//
// Files: drivers/base/dd.c drivers/base/core.c drivers/base/base.h

@@
identifier dev;
@@
-device_links_no_driver(dev);
+device_links_no_consumers(dev);
 device_unbind_cleanup(dev);
+device_links_no_driver(dev);

@@
identifier dev;
iterator name list_for_each_entry;
@@
 static void __device_links_no_driver(struct device *dev) { ... }
+
+static void __device_links_no_consumers(struct device *dev)
+{
+	struct device_link *link;
+
+	list_for_each_entry(link, &dev->links.consumers, s_node) {
+		if (!device_link_test(link, DL_FLAG_MANAGED))
+			continue;
+
+		/*
+		 * The probe has failed, so if the status of the link is
+		 * "consumer probe" or "active", it must have been added by
+		 * a probing consumer while this device was still probing.
+		 * Change its state to "dormant", as it represents a valid
+		 * relationship, but it is not functionally meaningful.
+		 */
+		if (link->status == DL_STATE_CONSUMER_PROBE ||
+		    link->status == DL_STATE_ACTIVE)
+			WRITE_ONCE(link->status, DL_STATE_DORMANT);
+	}
+}
+
+/**
+ * device_links_no_consumers - Update the links to the consumers of a device whose probe failed.
+ * @dev: Device whose probe failed.
+ *
+ * Called before the resources of @dev are released. That may remove consumers that were bound while
+ * @dev was probed. device_links_no_driver() gives up the links to suppliers afterwards.
+ */
+void device_links_no_consumers(struct device *dev)
+{
+	device_links_write_lock();
+	__device_links_no_consumers(dev);
+	device_links_write_unlock();
+}

@@
identifier dev, link;
iterator name list_for_each_entry;
symbol s_node;
@@
 void device_links_no_driver(struct device *dev)
 {
-	struct device_link *link;
 	device_links_write_lock();
+	__device_links_no_consumers(dev);
-	list_for_each_entry(link, &dev->links.consumers, s_node) {
-		...
-	}
 	__device_links_no_driver(dev);
 	device_links_write_unlock();
 }

@@
identifier dev;
@@
+void device_links_no_consumers(struct device *dev);
 void device_links_no_driver(struct device *dev);
