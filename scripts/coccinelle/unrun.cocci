// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// A local update is prepared, and dropped at the end of its scope without a run.
// Misuse class 50.
virtual report

@initialize:python@
@@
import drm_safe_names as names

def is_prepare(f):
    return f in names.names("prepare")

def leaves_it(f):
    """It does not run the update, nor give it to anybody."""
    return is_prepare(f) or f in names.names("update_data") or f in names.HANDLE_MACROS

def is_own(p, x):
    """Declared by the function that p is in: the last one above"""
    with open(p[0].file) as f:
        above = "".join(f.readlines()[:int(p[0].line)])
    return above.rfind("DRM_GPUVM_IMM_UPDATE(%s)" % x) > above.rfind("\n}")

@prepared@
identifier f, update;
identifier prepare : script:python() { is_prepare(prepare) };
position p;
@@
 f(...) { <+... prepare@p(..., update, ...) ...+> }

@used exists@
identifier prepared.f, prepared.update;
identifier run : script:python() { not leaves_it(run) };
@@
 f(...) { <+... run(..., update, ...) ...+> }

@script:python depends on report && !used@
p << prepared.p;
update << prepared.update;
@@
if is_own(p, update):
    print("%s:%s:%s: ERROR: '%s' is prepared and never run" %
          (p[0].file, p[0].line, p[0].column, update))
