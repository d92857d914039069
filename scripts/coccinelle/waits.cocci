// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// A function that gets the proof of a registration ends one, so it waits for itself; or it makes a
/// long call, for which an unplug waits.
// Misuse classes 32 and 36. In the scope of a section, the compiler refuses such calls.
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

@slow@
identifier f, v, call = {drm_shmem_sgt_prepare_locked, drm_shmem_lock_prepared_interruptible, drm_gem_sgt_prepare_locked};
type T;
position p;
@@
 f(..., T v, ...)
 {
 <+...
 call@p(...)
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

@script:python depends on report@
p << slow.p;
T << slow.T;
v << slow.v;
call << slow.call;
@@
if T.startswith("const ") and names.tag(T.rstrip("* ")) in names.names("section"):
    print("%s:%s:%s: ERROR: '%s' is a section, and %s() takes long: call it before" %
          (p[0].file, p[0].line, p[0].column, v, call))
