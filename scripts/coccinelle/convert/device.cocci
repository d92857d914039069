// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// Allocate and register a device through its contexts.
// -D prefix=NAME, the name given to DRM_DEV_CTX(). The device is its own registration
// data. convert.py makes "= NULL" of the token "__free(NAME_unreg) = NULL".
virtual patch

@allocated@
identifier x, m, f;
type T;
expression parent, driver;
@@
 f(...)
 {
 <+...
 x = devm_drm_dev_alloc(parent, driver, T, m);
 ...+>
 }

@script:python names@
prefix << virtual.prefix;
unreg;
make;
device;
@@
coccinelle.unreg = prefix + "_unreg"
coccinelle.make = prefix + "_dev_alloc"
coccinelle.device = prefix + "_unreg_dev"

// Only where the same function registers it.
@converted@
identifier allocated.x, allocated.f, allocated.m, names.unreg, names.make, names.device;
identifier virtual.prefix;
type allocated.T;
expression parent, driver, drm;
@@
 f(...)
 {
+struct unreg *token = NULL;
 ...
-x = devm_drm_dev_alloc(parent, driver, T, m);
-if (IS_ERR(x))
-	return PTR_ERR(x);
+token = make(parent, driver);
+if (IS_ERR(token))
+	return PTR_ERR(token);
+x = device(token);
 <+...
-drm_dev_register(drm, 0)
+drm_dev_ctx_register(prefix, parent, token, NULL, x)
 ...+>
 }

// Another way out: it stays.
@checked depends on !converted@
identifier allocated.x, allocated.f, allocated.m, names.unreg, names.make, names.device;
identifier virtual.prefix;
type allocated.T;
expression parent, driver, drm;
@@
 f(...)
 {
+struct unreg *token = NULL;
 ...
-x = devm_drm_dev_alloc(parent, driver, T, m);
+token = make(parent, driver);
+x = IS_ERR(token) ? ERR_CAST(token) : device(token);
 <+...
-drm_dev_register(drm, 0)
+drm_dev_ctx_register(prefix, parent, token, NULL, x)
 ...+>
 }

// Here the device goes before the scope of the token does.
@dropped depends on converted || checked@
identifier allocated.f, virtual.prefix;
expression list args;
@@
 f(...)
 {
 <...
+if (!IS_ERR_OR_NULL(token))
+	drm_dev_ctx_drop(prefix, token);
 devres_release_group(args);
 ...>
 }

// The DRM device was had for that only.
@idle depends on converted || checked@
identifier allocated.f, allocated.m, d;
expression x;
@@
 f(...)
 {
 ... when any
-struct drm_device *d;
 ... when != d
-d = &x->m;
 ... when != d
 }

@ended depends on converted || checked@
expression drm;
identifier f = {drm_dev_unregister, drm_dev_unplug};
@@
-f(drm)
+drm_dev_ctx_unregister(drm)
