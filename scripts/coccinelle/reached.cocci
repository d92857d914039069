// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// A work item, timer or interrupt reaches the hardware without a proof.
// Misuse class 37. In a handler, container_of() gives the registration data of the work item at any
// time, even if the device is not registered any more. A handler of drm_dev_ctx_async.h gets the data
// as an argument, and is ended in time. The same holds for an item and registers in another
// structure. This reads the text: see drm_safe_reached.py.
virtual report

@initialize:python@
@@
import drm_safe_reached
seen = set()

@definition@
identifier f;
position p;
@@
 f@p(...) { ... }

@script:python depends on report@
p << definition.p;
@@
if p[0].file not in seen:
    seen.add(p[0].file)
    for line, column, text in drm_safe_reached.reached(p[0].file):
        print("%s:%s:%s: ERROR: %s" % (p[0].file, line, column, text))
