// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// Allocate and register a device through its contexts.
// -D device=TAG -D member=M: the driver's structure, and the struct drm_device in it;
// -D to=F: the driver's container_of(); -D ctx=M -D data=M: the new members. The device is
// its own registration data. convert.py makes "__free(drm_dev_ctx_unreg) = NULL" of the
// token's "= NULL".
virtual patch

@allocated@
identifier x, f, virtual.device, virtual.member;
expression parent, driver;
@@
 f(...)
 {
 <+...
 x = devm_drm_dev_alloc(parent, driver, struct device, member);
 ...+>
 }

// Convert a device if the function that allocates it also registers it.
@converted@
identifier allocated.x, allocated.f, virtual.device, virtual.member;
identifier virtual.to, virtual.ctx, virtual.data;
expression parent, driver, drm;
statement S;
@@
 f(...)
 {
+struct drm_dev_ctx_unreg *unreg = NULL;
 ...
-x = devm_drm_dev_alloc(parent, driver, struct device, member);
-if (IS_ERR(x)) S
+unreg = drm_dev_ctx_alloc(parent, driver, struct device, ctx);
+if (IS_ERR(unreg)) S
+x = to(drm_dev_ctx_unreg_drm(unreg));
 <+...
-drm_dev_register(drm, 0)
+drm_dev_ctx_register(parent, &unreg, NULL, &x->data)
 ...+>
 }

@failed depends on converted@
identifier allocated.x, allocated.f;
@@
 f(...)
 {
 ...
 if (IS_ERR(unreg))
 	return
(
-	PTR_ERR(x)
+	PTR_ERR(unreg)
|
-	x
+	ERR_CAST(unreg)
)
	;
 ...
 }

// The error path has several statements.
@jumped depends on converted@
identifier allocated.x, allocated.f;
@@
 f(...)
 {
 ...
 if (IS_ERR(unreg)) {
 <...
-PTR_ERR(x)
+PTR_ERR(unreg)
 ...>
 }
 ...
 }

// devres_release_group() releases the device before the scope of the token ends, so drop the token.
@dropped depends on converted@
identifier allocated.f;
expression list args;
@@
 f(...)
 {
 <...
+if (!IS_ERR_OR_NULL(unreg))
+	drm_dev_ctx_drop(&unreg);
 devres_release_group(args);
 ...>
 }

// Drop a variable for the DRM device that only the old calls used.
@idle depends on converted@
identifier allocated.f, virtual.member, d;
expression x;
@@
 f(...)
 {
 ... when any
-struct drm_device *d;
 ... when != d
-d = &x->member;
 ... when != d
 }
