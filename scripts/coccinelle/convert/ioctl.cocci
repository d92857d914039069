// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// Handlers of a plain table of ioctls get the driver's device and their own argument.
// -D prefix=NAME -D device=TAG -D member=M; the environment's HANDLERS has
// "function=struct" for each handler, and GUARDED those with a section: they get the
// context of an ioctl.
virtual patch

@initialize:python@
@@
import os
handlers = dict(pair.split("=") for pair in os.environ["HANDLERS"].split())
guarded = os.environ["GUARDED"].split()

@opens@
identifier f : script:python() { (f in guarded) };
identifier drm, data, file;
@@
 f(struct drm_device *drm, void *data, struct drm_file *file) { ... }

@script:python types@
f << opens.f;
prefix << virtual.prefix;
argument;
context;
of_ioctl;
@@
coccinelle.argument = handlers[f]
coccinelle.context = prefix + "_ioctl"
coccinelle.of_ioctl = prefix + "_ioctl_dev"

@section@
identifier opens.f, opens.drm, opens.data, opens.file, virtual.device, x, conv;
identifier types.argument, types.context, types.of_ioctl;
@@
-f(struct drm_device *drm, void *data, struct drm_file *file)
+f(struct context *ioctl, struct argument *data, struct drm_file *file)
 {
 ...
 struct device *x =
-	conv(drm)
+	of_ioctl(ioctl)
 ;
 ...
 }

@bare@
identifier opens.f, opens.drm, opens.data, opens.file, virtual.device;
identifier types.argument, types.context, types.of_ioctl;
@@
-f(struct drm_device *drm, void *data, struct drm_file *file)
+f(struct context *ioctl, struct argument *data, struct drm_file *file)
 { ... }

// It still uses the DRM device.
@uses@
identifier opens.f, opens.drm, types.context;
@@
 f(struct context *ioctl, ...)
 {
 <+...
 drm
 ...+>
 }

@has depends on uses@
identifier opens.f, opens.drm, types.context, types.of_ioctl, virtual.member;
@@
 f(struct context *ioctl, ...)
 {
+struct drm_device *drm = &of_ioctl(ioctl)->member;
 ...
 }

@takes@
identifier opens.f, opens.data, opens.file, types.context, types.argument, args;
@@
-f(struct context *ioctl, struct argument *data, struct drm_file *file)
+f(struct context *ioctl, struct argument *args, struct drm_file *file)
 {
 ...
-struct argument *args = data;
 <...
-data
+args
 ...>
 }

@handler@
identifier f : script:python() { (f in handlers) };
identifier drm, data, file;
@@
 f(struct drm_device *drm, void *data, struct drm_file *file) { ... }

@script:python names@
f << handler.f;
argument;
@@
coccinelle.argument = handlers[f]

@named@
identifier handler.f, drm, data, file, names.argument, virtual.device, x, conv;
@@
-f(struct drm_device *drm, void *data, struct drm_file *file)
+f(struct device *x, struct argument *data, struct drm_file *file)
 {
 ...
-struct device *x = conv(drm);
 ...
 }

@plain@
identifier handler.f, drm, data, file, names.argument, virtual.device;
@@
-f(struct drm_device *drm, void *data, struct drm_file *file)
+f(struct device *self, struct argument *data, struct drm_file *file)
 { ... }

// The handler still uses the DRM device.
@used@
identifier handler.f, handler.drm, data, file, virtual.device, names.argument, x;
@@
 f(struct device *x, struct argument *data, struct drm_file *file)
 {
 <+...
 drm
 ...+>
 }

@again depends on used@
identifier handler.f, handler.drm, data, file, virtual.device, virtual.member, names.argument, x;
@@
 f(struct device *x, struct argument *data, struct drm_file *file)
 {
+struct drm_device *drm = &x->member;
 ...
 }

@args@
identifier handler.f, data, file, virtual.device, names.argument, x, args;
@@
-f(struct device *x, struct argument *data, struct drm_file *file)
+f(struct device *x, struct argument *args, struct drm_file *file)
 {
 ...
-struct argument *args = data;
 <...
-data
+args
 ...>
 }
