// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// A step of a type of address space takes what it is given for that of another type.
// Misuse class 25. A step is given the core, which every type has.
virtual report

@initialize:python@
@@
import drm_safe_names as names

def is_step(f):
    return f in names.driver().vm_steps

@by_hand@
identifier fn : script:python() { is_step(fn) };
identifier core;
position p;
@@
 fn(..., struct drm_gpuvm_imm_core *core, ...)
 {
 <+...
 container_of@p(core, ...)
 ...+>
 }

@typed@
identifier fn : script:python() { is_step(fn) };
identifier cast = {drm_gpuvm_imm_of, drm_gpuvm_imm_va_data, drm_gpuvm_imm_va_obj,
		   drm_gpuvm_imm_va_bo_data, drm_gpuvm_imm_bo_data, drm_gpuvm_imm_bo_obj};
identifier what;
position p;
@@
 fn(...)
 {
 <+...
 cast@p(&what, ...)
 ...+>
 }

@script:python depends on report@
p << by_hand.p;
fn << by_hand.fn;
@@
print("%s:%s:%s: ERROR: cast this with drm_gpuvm_imm_of(&%s, ...)" %
      (p[0].file, p[0].line, p[0].column, min(names.driver().vm_steps[fn])))

@script:python depends on report@
p << typed.p;
fn << typed.fn;
what << typed.what;
@@
if what not in names.driver().vm_steps[fn]:
    print("%s:%s:%s: ERROR: '%s' is a step of '%s'" %
          (p[0].file, p[0].line, p[0].column, fn, min(names.driver().vm_steps[fn])))
