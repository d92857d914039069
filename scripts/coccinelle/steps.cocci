// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// A step of a type of address space treats its argument as another type's, or uses an argument
/// that may be NULL.
// Misuse class 25. A step gets the core, which every type has.
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
		   drm_gpuvm_imm_va_bo_data, drm_gpuvm_imm_bo_data, drm_gpuvm_imm_bo_obj,
		   drm_gpuvm_imm_step_ctx, drm_gpuvm_imm_unmap_ctx};
identifier what;
position p;
@@
 fn(...)
 {
 <+...
 cast@p(&what, ...)
 ...+>
 }

// The context of an unmap step may be NULL. Find accesses after a test for NULL.
@asked@
identifier x, m;
expression E;
position p;
@@
(
 x ? <+... x@p->m ...+> : E
|
 x && <+... x@p->m ...+>
)

@unasked exists@
type T;
identifier x, m;
position p != asked.p;
@@
 T *x = drm_gpuvm_imm_unmap_ctx(...);
 ... when != x
 x@p->m

@script:python depends on report@
p << unasked.p;
x << unasked.x;
@@
print("%s:%s:%s: ERROR: '%s' is NULL if drm_gpuvm_imm_fini() calls this step: test it before the first use" %
      (p[0].file, p[0].line, p[0].column, x))

@script:python depends on report@
p << by_hand.p;
fn << by_hand.fn;
@@
print("%s:%s:%s: ERROR: container_of() checks no type: get the structure with drm_gpuvm_imm_of(&%s, core)" %
      (p[0].file, p[0].line, p[0].column, min(names.driver().vm_steps[fn])))

@script:python depends on report@
p << typed.p;
fn << typed.fn;
cast << typed.cast;
what << typed.what;
@@
if what not in names.driver().vm_steps[fn]:
    print("%s:%s:%s: ERROR: %s() is given '%s', but %s() is a step of '%s', and gets its address spaces" %
          (p[0].file, p[0].line, p[0].column, cast, what, fn, min(names.driver().vm_steps[fn])))
