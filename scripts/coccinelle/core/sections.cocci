// SPDX-License-Identifier: GPL-2.0-only OR MIT
// drm: annotate drm_dev_enter() for context analysis
//
// Nothing tells a compiler that drm_dev_exit() belongs to drm_dev_enter(), or that
// drm_dev_unplug() waits for ever in such a section.
//
// Annotate them for clang's context analysis. All devices are one token, because the sections of
// all share one SRCU domain.
//
// Files: include/drm/drm_drv.h

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
