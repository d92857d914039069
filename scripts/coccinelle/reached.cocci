// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// A work item, timer or interrupt reaches the registration data without a proof.
// Misuse class 37. container_of() in a handler makes the registration data of the work item in it, at
// whatever time: nothing has ended the handler, or nothing keeps the device registered. A handler
// of drm_dev_ctx_async.h is given the data as an argument, and ended in time.
virtual report

@initialize:python@
@@
import drm_safe_names as names

def say(p, f, t, s):
    if t not in names.driver().data:
        return
    if s.startswith("drm_dev_ctx_"):
        text = "take the registration data from the argument of %s(), not from its struct %s" % (f, s)
    else:
        text = "%s() reaches the registration data, struct %s, without a proof: see drm_dev_ctx_async.h" % (f, t)
    print("%s:%s:%s: ERROR: %s" % (p[0].file, p[0].line, p[0].column, text))

@item@
identifier f, a, s, t;
expression e;
position p;
@@
 f(..., struct s *a, ...)
 {
 <+...
(
 container_of@p(a, struct t, e)
|
 container_of_const@p(a, struct t, e)
)
 ...+>
 }

@timer@
identifier f, a, s, t, x, e;
position p;
@@
 f(..., struct s *a, ...)
 {
 <+...
 struct t *x = timer_container_of@p(x, a, e);
 ...+>
 }

@irq@
identifier f, a, t, x;
position p;
@@
 f(..., void *a)
 {
 <+...
 struct t *x@p = a;
 ...+>
 }

@script:python depends on report@
p << item.p;
f << item.f;
s << item.s;
t << item.t;
@@
if names.is_handler_item(s):
    say(p, f, t, s)

@script:python depends on report@
p << timer.p;
f << timer.f;
s << timer.s;
t << timer.t;
@@
say(p, f, t, s)

@script:python depends on report@
p << irq.p;
f << irq.f;
t << irq.t;
@@
if f in names.driver().handlers:
    say(p, f, t, "irqaction")
