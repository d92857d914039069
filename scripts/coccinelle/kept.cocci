// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// Something borrowed is kept beyond its scope.
// Misuse classes 5 and 13.
virtual report

@initialize:python@
@@
import drm_safe_names as names

def is_lent(r):
    return r in names.names("lent")

def is_shared(f):
    return f in names.names("shared")

def say(p, v, what=""):
    print("%s:%s:%s: ERROR: %s'%s' is borrowed for a scope and must not be kept" %
          (p[0].file, p[0].line, p[0].column, what, v))

@scope exists@
identifier v;
expression E, a, b, c;
iterator name drm_dev_if_registered, drm_dev_if_bound, drm_shmem_if_vmap;
iterator name drm_shmem_if_vmap_locked, drm_shmem_if_sgt, drm_shmem_if_sgt_locked;
iterator name drm_shmem_if_sgt_owned;
position p;
@@
(
 drm_dev_if_registered(a, v, b) { <+... E =@p v ...+> }
|
 drm_dev_if_registered(a, v, b) E =@p v;
|
 drm_dev_if_bound(v, a) { <+... E =@p v ...+> }
|
 drm_dev_if_bound(v, a) E =@p v;
|
 drm_shmem_if_vmap(a, v, b, c) { <+... E =@p v ...+> }
|
 drm_shmem_if_vmap(a, v, b, c) E =@p v;
|
 drm_shmem_if_vmap_locked(a, v, b, c) { <+... E =@p v ...+> }
|
 drm_shmem_if_vmap_locked(a, v, b, c) E =@p v;
|
 drm_shmem_if_sgt(v, a, b, c) { <+... E =@p v ...+> }
|
 drm_shmem_if_sgt(v, a, b, c) E =@p v;
|
 drm_shmem_if_sgt_locked(v, a, b, c) { <+... E =@p v ...+> }
|
 drm_shmem_if_sgt_locked(v, a, b, c) E =@p v;
|
 drm_shmem_if_sgt_owned(v, a, b, c) { <+... E =@p v ...+> }
|
 drm_shmem_if_sgt_owned(v, a, b, c) E =@p v;
)

// spatch leaves the last argument of these out, which is a statement.
@vmap exists@
identifier v;
identifier f = {drm_shmem_vmap_or, drm_shmem_vmap_or_locked};
expression E, a, b, c;
position p;
@@
 f(a, v, b, c, ...);
 ... when any
 E =@p v

@sgt exists@
identifier v;
identifier f = {drm_shmem_sgt_or, drm_shmem_sgt_or_locked};
expression E, a, b, c;
position p;
@@
 f(v, a, b, c, ...);
 ... when any
 E =@p v

@registered exists@
identifier v;
expression E, a, b;
position p;
@@
 drm_dev_registered_or(a, v, b, ...);
 ... when any
 E =@p v

// What a function was lent by its caller.
@lender@
identifier f, v;
identifier r : script:python() { is_lent(r) };
@@
 f(..., const struct r *v, ...) { ... }

@lent@
identifier lender.f, lender.v, lender.r, m;
expression E;
position p;
@@
 f(..., const struct r *v, ...)
 {
 <+...
(
 E->m =@p v
|
 E->m =@p &v->bound
)
 ...+>
 }

@table exists@
identifier v, x;
expression a, b, c, E;
iterator name drm_shmem_if_sgt, drm_shmem_if_sgt_locked, drm_shmem_if_sgt_owned;
position p, q;
@@
(
 drm_shmem_if_sgt(v, a, b, c) { <+... x =@q drm_shmem_sgt_table(v) ...+> }
|
 drm_shmem_if_sgt(v, a, b, c) x =@q drm_shmem_sgt_table(v);
|
 drm_shmem_if_sgt_locked(v, a, b, c) { <+... x =@q drm_shmem_sgt_table(v) ...+> }
|
 drm_shmem_if_sgt_locked(v, a, b, c) x =@q drm_shmem_sgt_table(v);
|
 drm_shmem_if_sgt_owned(v, a, b, c) { <+... x =@q drm_shmem_sgt_table(v) ...+> }
|
 drm_shmem_if_sgt_owned(v, a, b, c) x =@q drm_shmem_sgt_table(v);
)
 ... when != x = E
 x@p

@member@
identifier v, m;
expression E;
position p;
@@
 E->m =@p drm_shmem_sgt_table(v)

@shared@
identifier m;
identifier f : script:python() { is_shared(f) };
expression E;
position p;
@@
 E->m =@p f(...)

@script:python depends on report@
p << scope.p;
v << scope.v;
@@
say(p, v)

@script:python depends on report@
p << vmap.p;
v << vmap.v;
@@
say(p, v)

@script:python depends on report@
p << sgt.p;
v << sgt.v;
@@
say(p, v)

@script:python depends on report@
p << registered.p;
v << registered.v;
@@
say(p, v)

@script:python depends on report@
p << lent.p;
v << lender.v;
@@
say(p, v)

@script:python depends on report@
p << table.p;
x << table.x;
@@
say(p, x)

@script:python depends on report@
p << member.p;
v << member.v;
@@
say(p, v, "the table of ")

@script:python depends on report@
p << shared.p;
f << shared.f;
@@
print("%s:%s:%s: ERROR: what %s() returns is borrowed: keep what drm_gpuvm_imm_get() does" %
      (p[0].file, p[0].line, p[0].column, f))
