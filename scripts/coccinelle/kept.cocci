// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// A borrowed pointer is kept beyond its scope.
// Misuse classes 5 and 13.
virtual report

@initialize:python@
@@
import drm_safe_kept
seen = set()

// Report the places that drm_safe_kept.py finds in a file.
@definition@
identifier f;
position p;
@@
 f@p(...) { ... }

@script:python depends on report@
p << definition.p;
@@
if p[0].file not in seen:
    seen.add(p[0].file)
    for line, column, text in drm_safe_kept.kept(p[0].file):
        print("%s:%s:%s: ERROR: %s" % (p[0].file, line, column, text))

@table exists@
identifier v, x;
expression a, b, c, E;
iterator name drm_shmem_sgt_guard, drm_shmem_sgt_guard_locked, drm_shmem_sgt_guard_owned;
position p, q;
@@
(
 drm_shmem_sgt_guard(v, a, b, c) { <+... x =@q drm_shmem_sgt_table(v) ...+> }
|
 drm_shmem_sgt_guard(v, a, b, c) x =@q drm_shmem_sgt_table(v);
|
 drm_shmem_sgt_guard_locked(v, a, b, c) { <+... x =@q drm_shmem_sgt_table(v) ...+> }
|
 drm_shmem_sgt_guard_locked(v, a, b, c) x =@q drm_shmem_sgt_table(v);
|
 drm_shmem_sgt_guard_owned(v, a, b, c) { <+... x =@q drm_shmem_sgt_table(v) ...+> }
|
 drm_shmem_sgt_guard_owned(v, a, b, c) x =@q drm_shmem_sgt_table(v);
)
 ... when != x = E
 x@p

@script:python depends on report@
p << table.p;
x << table.x;
@@
print("%s:%s:%s: ERROR: '%s' is borrowed for a scope and must not be kept" %
      (p[0].file, p[0].line, p[0].column, x))

@gem_table exists@
identifier v, x;
expression a, b, c, E;
iterator name drm_gem_sgt_guard, drm_gem_sgt_guard_locked, drm_gem_sgt_guard_owned;
iterator name drm_gem_sgt_guard_interruptible;
position p, q;
@@
(
 drm_gem_sgt_guard(v, a, b, c) { <+... x =@q drm_gem_sgt_table(v) ...+> }
|
 drm_gem_sgt_guard(v, a, b, c) x =@q drm_gem_sgt_table(v);
|
 drm_gem_sgt_guard_locked(v, a, b, c) { <+... x =@q drm_gem_sgt_table(v) ...+> }
|
 drm_gem_sgt_guard_locked(v, a, b, c) x =@q drm_gem_sgt_table(v);
|
 drm_gem_sgt_guard_interruptible(v, a, b, c) { <+... x =@q drm_gem_sgt_table(v) ...+> }
|
 drm_gem_sgt_guard_interruptible(v, a, b, c) x =@q drm_gem_sgt_table(v);
|
 drm_gem_sgt_guard_owned(v, a, b, c) { <+... x =@q drm_gem_sgt_table(v) ...+> }
|
 drm_gem_sgt_guard_owned(v, a, b, c) x =@q drm_gem_sgt_table(v);
)
 ... when != x = E
 x@p

@script:python depends on report@
p << gem_table.p;
x << gem_table.x;
@@
print("%s:%s:%s: ERROR: '%s' is borrowed for a scope and must not be kept" %
      (p[0].file, p[0].line, p[0].column, x))
