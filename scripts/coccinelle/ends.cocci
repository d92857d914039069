// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// A driver leaves out the call that ends a registration in time.
// Misuse class 37. The devres action that ends a registration runs after the remove function of
// the bus. virtio expects the driver to have reset the device by then, and calls the driver's
// remove function without a test for NULL. PCI has put its reference of runtime PM by then, so the
// device may be suspended. With a display, the shutdown function of the driver must end the
// registration, because nothing else turns the display off.
virtual report

@initialize:python@
@@
import drm_safe_names as names

def say(p, text):
    print("%s:%s:%s: ERROR: %s" % (p[0].file, p[0].line, p[0].column, text))

@calls@
identifier kind =~ "^(virtio|pci|platform)_driver$";
identifier d;
position p;
@@
 struct kind d@p = { ... };

@script:python depends on report@
p << calls.p;
kind << calls.kind;
d << calls.d;
@@
driver = names.driver()
ends = {name: driver.callback(d, name) in driver.ending for name in ("remove", "shutdown")}
if driver.registers:
    if kind == "virtio_driver" and not ends["remove"]:
        say(p, "%s.remove has to call drm_dev_ctx_unregister(): virtio expects a reset before devres" % d)
    elif kind == "pci_driver" and driver.powers and not ends["remove"]:
        say(p, "%s.remove has to call drm_dev_ctx_unregister(): PCI may suspend the device before devres" % d)
    elif driver.displaying and not ends["shutdown"]:
        say(p, "%s.shutdown has to call drm_dev_ctx_shutdown(), which turns the display off" % d)
