// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// A callback needs a section to turn the display off, but sections are refused by then.
// Misuse class 30. kms_shutdown runs after the unplug, when sections are refused and the
// hardware is still there. drm_dev_ctx_guard_live() opens a block for both. The section may be
// in a function that the callback calls.
virtual report

@initialize:python@
@@
import drm_safe_names as names

@section@
identifier f;
iterator name drm_dev_ctx_guard, drm_dev_ctx_guard_else;
position p;
statement S;
@@
 f(...)
 {
 <+...
(
 drm_dev_ctx_or@p(...);
|
 drm_dev_ctx_guard@p(...) S
|
 drm_dev_ctx_guard_else@p(...) S
)
 ...+>
 }

@script:python depends on report@
p << section.p;
f << section.f;
@@
if f in names.driver().displaying:
    print("%s:%s:%s: ERROR: %s() is skipped when the display is turned off: use drm_dev_ctx_guard_live()" %
          (p[0].file, p[0].line, p[0].column, f))
