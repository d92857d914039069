// SPDX-License-Identifier: GPL-2.0-only OR MIT
// driver core: add functions that check whether a link protects its consumer
//
// A driver adds a device link so that the driver core unbinds it before its supplier.
// device_link_add() returns a link in other cases, too, for instance if the supplier is being
// unbound already, or is probed by another task. Such a link has no effect for this binding, and
// the caller cannot see that. device_link_add() cannot refuse such links, because other callers add
// links to suppliers that have no driver yet.
//
// Add two functions for callers that have to know: the state of a device, and whether the supplier
// of a link waits for its consumer. "drm/safe: add entries that end with the binding of a device" uses
// them.
//
// Files: include/linux/device.h

@@
typedef bool, u32;
identifier link, flags;
@@
+/**
+ * device_links_state() - the state of a device for device links
+ * @dev: the device
+ *
+ * Unlocked. A caller that adds a link to a supplier looks at the state before and afterwards.
+ *
+ * Return: whether @dev is being probed, is bound, or is about to be unbound. The driver core asks
+ * for its consumers after the last of these states is set.
+ */
+static inline enum dl_dev_state device_links_state(const struct device *dev)
+{
+	return READ_ONCE(dev->links.status);
+}
+
+/**
+ * device_link_is_waited_for() - does the supplier of a link wait for the consumer?
+ * @link: a managed link, which must exist
+ *
+ * Unlocked. A link that is not waited for can be freed with its supplier, so the caller keeps the
+ * supplier bound.
+ *
+ * Return: true if the driver core waits for the probe function of the consumer, or unbinds the
+ * consumer, before it unbinds the supplier.
+ */
+static inline bool device_link_is_waited_for(const struct device_link *link)
+{
+	enum device_link_state state = READ_ONCE(link->status);
+
+	return state == DL_STATE_CONSUMER_PROBE || state == DL_STATE_ACTIVE;
+}
+#define device_link_is_waited_for device_link_is_waited_for
+
 static inline bool device_link_test(const struct device_link *link, u32 flags) { ... }
