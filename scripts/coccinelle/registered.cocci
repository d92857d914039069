// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// A callback of a registration casts the registration data to another struct.
// Misuse class 29. drm_dev_ctx_register() and drm_dev_ctx_attach() take the callbacks and the base of
// the data, and container_of() in a callback can cast the base to any struct.
virtual report

@registered@
identifier ops, m, t;
struct t *x;
expression dev, unreg;
@@
(
 drm_dev_ctx_register(dev, unreg, &ops, &x->m)
|
 drm_dev_ctx_attach(unreg, &ops, &x->m)
)

@callback@
identifier registered.ops;
identifier fn;
identifier cb =~ "^(stop|kms_shutdown|quiesce|release)$";
@@
 struct drm_dev_ctx_ops ops = { ..., .cb = fn, ... };

@cast@
identifier callback.fn, data, u, member;
position p;
@@
 fn(..., struct drm_dev_ctx_data *data)
 {
 <+...
 container_of@p(data, struct u, member)
 ...+>
 }

@script:python depends on report@
t << registered.t;
u << cast.u;
p << cast.p;
@@
if u != t:
    print("%s:%s:%s: ERROR: the registered data is a struct %s" %
          (p[0].file, p[0].line, p[0].column, t))
