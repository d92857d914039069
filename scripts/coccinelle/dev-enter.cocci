// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// A path returns without drm_dev_exit() from a section of drm_dev_enter().
// Misuse class 4.
virtual report

@entered@
expression drm, idx;
position q;
@@
 drm_dev_enter@q(drm, &idx)

@kept exists@
expression drm, idx, E;
position entered.q, p;
statement S;
@@
(
 if (!drm_dev_enter@q(drm, &idx)) S
 ... when != drm_dev_exit(idx)
 return@p ...;
|
 if (drm_dev_enter@q(drm, &idx)) {
 ... when != drm_dev_exit(idx)
 return@p ...;
 }
|
 E = drm_dev_enter@q(drm, &idx);
 if (!E) S
 ... when != drm_dev_exit(idx)
 return@p ...;
)

@script:python depends on report@
p << kept.p;
q << entered.q;
@@
# A return directly after the check is on the path that did not enter the section.
if int(p[0].line) > int(q[0].line) + 1:
    print("%s:%s:%s: ERROR: return without drm_dev_exit(); entered on line %s: use drm_dev_ctx_guard()" %
          (p[0].file, p[0].line, p[0].column, q[0].line))
