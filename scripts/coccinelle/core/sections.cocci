// SPDX-License-Identifier: GPL-2.0-only OR MIT
// drm: annotate drm_dev_enter() for context analysis, and add a guard
//
// Nothing tells a compiler that drm_dev_exit() belongs to drm_dev_enter(), or that
// drm_dev_unplug() waits for ever in such a section.
//
// Annotate them for clang's context analysis, and add a scope that leaves the section on each
// path. Use it where fdinfo is shown. The analysis treats the sections of all devices as one, because
// they share one SRCU domain.
//
// Files: include/drm/drm_drv.h drivers/gpu/drm/drm_file.c

@script:python names@
enter; leave; unplug;
@@
coccinelle.enter = cocci.make_ident("__cond_acquires_shared(true, drm_dev_section) drm_dev_enter")
coccinelle.leave = cocci.make_ident("__releases_shared(drm_dev_section) drm_dev_exit")
coccinelle.unplug = cocci.make_ident("__must_not_hold(drm_dev_section) drm_dev_unplug")

@token@
typedef bool;
declarer name token_context_lock;
identifier dev, idx;
@@
+/* A section between drm_dev_enter() and drm_dev_exit(), to clang's context analysis */
+#define drm_dev_section drm_dev_section
+token_context_lock(drm_dev_section, __reentrant_ctx_lock);
+
 bool drm_dev_enter(struct drm_device *dev, int *idx);

@@
identifier names.enter;
parameter list ps;
@@
 bool
-drm_dev_enter
+enter
 (ps);

@@
identifier names.leave;
parameter list ps;
@@
 void
-drm_dev_exit
+leave
 (ps);

@@
identifier names.unplug;
parameter list ps;
@@
 void
-drm_dev_unplug
+unplug
 (ps);

@script:python scope@
kind; leave; init; args;
@@
coccinelle.kind = cocci.make_ident("int")
coccinelle.leave = cocci.make_ident("if (_T >= 0) drm_dev_exit(_T)")
coccinelle.init = cocci.make_ident("({ int idx; drm_dev_enter(dev, &idx) ? idx : -ENODEV; })")
coccinelle.args = cocci.make_ident("struct drm_device *dev")

@@
identifier scope.kind;
identifier scope.leave;
identifier scope.init;
identifier scope.args;
parameter list ps;
declarer name DEFINE_CLASS;
@@
+
+/* A section until the end of the scope; the variable is negative if the device is unplugged. */
+DEFINE_CLASS(drm_dev_enter, kind, leave, init, args);
+
 int drm_dev_wedged_event(ps);

@@
identifier idx, dev;
@@
 void drm_show_fdinfo(...)
 {
 ...
-int idx;
+CLASS(drm_dev_enter, section)(dev);
 ...
-if (!drm_dev_enter(dev, &idx))
+if (section < 0)
 	return;
 ...
-drm_dev_exit(idx);
 }
