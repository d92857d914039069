// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// A function that is given the proof of a registration ends one: it waits for itself.
// Misuse class 32. In the scope of a section, the compiler sees it.
virtual report

@waits@
identifier f, v;
type T;
position p;
@@
 f(..., T v, ...)
 {
 <+...
 drm_dev_ctx_unregister@p(...)
 ...+>
 }

@initialize:python@
@@
import drm_safe_names as names

@script:python depends on report@
p << waits.p;
T << waits.T;
v << waits.v;
@@
if T.startswith("const ") and names.tag(T.rstrip("* ")) in names.names("section"):
    print("%s:%s:%s: ERROR: '%s' is a section that this waits for: have a work item do it" %
          (p[0].file, p[0].line, p[0].column, v))
