// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// A path uses a token or handle after a call that used it up.
// Misuse classes 5, 29, 33 and 56. The compiler only sees a mistake that all paths make.
virtual report

@initialize:python@
@@
import drm_safe_names as names
frees = names.frees

@token exists@
expression a, E;
identifier x, m;
identifier f != {IS_ERR, IS_ERR_OR_NULL, PTR_ERR, drm_safe_take, no_free_ptr};
position p, q;
@@
(
 drm_dev_ctx_register@q(a, &x, ...)
|
 drm_dev_ctx_drop@q(&x)
|
 drm_dev_ctx_id_publish@q(a, &x)
)
 ... when != x = E
     when != IS_ERR_OR_NULL(x)
(
 f@p(..., x, ...)
|
 f@p(..., &x->m, ...)
|
 x@p->m
)

@handle exists@
expression E, h;
identifier f != {drm_vmap_release, drm_vmap_release_locked, drm_vmap_own,
		 drm_vmap_own_locked, drm_vmap_move,
		 drm_shmem_sgt_release, drm_shmem_sgt_own, drm_shmem_sgt_own_locked,
		 drm_shmem_sgt_move};
position p, q;
@@
(
 drm_vmap_release@q(h);
|
 drm_vmap_release_locked@q(h);
|
 drm_vmap_move@q(E, h);
|
 drm_shmem_sgt_release@q(h);
|
 drm_shmem_sgt_move@q(E, h);
)
 ... when != drm_vmap_own(h, ...)
     when != drm_vmap_own_locked(h, ...)
     when != drm_vmap_move(h, ...)
     when != drm_shmem_sgt_own(h, ...)
     when != drm_shmem_sgt_own_locked(h, ...)
     when != drm_shmem_sgt_move(h, ...)
 f@p(..., h, ...)

// A copy of a borrowed handle, or a view through one, is used after its owner gave up the mapping.
@onstack exists@
expression E, h;
identifier l, f;
position p, q;
@@
(
 drm_vmap_local(l, drm_vmap_borrow(h));
|
 drm_vmap_view(..., l, drm_vmap_borrow(h), ...);
|
 drm_vmap_view_or(..., l, drm_vmap_borrow(h), ...);
|
 drm_vmap_view_elem_or(..., l, drm_vmap_borrow(h), ...);
|
 drm_vmap_range_or(..., l, drm_vmap_borrow(h), ...);
)
 ... when any
(
 drm_vmap_release@q(h);
|
 drm_vmap_release_locked@q(h);
|
 drm_vmap_move@q(E, h);
)
 ... when any
 f@p(..., l, ...)

// The registration releases its data, also if it fails.
@data exists@
expression a, b, c, E;
identifier d, m;
identifier f : script:python() { frees(f) };
position p, q;
@@
 drm_dev_ctx_register@q(a, b, c, &d->m)
 ... when != d = E
 f@p(d, ...)

// A mapping is used after an update that may have removed it.
@mapping exists@
const struct drm_gpuva *va;
expression E, vm;
identifier find : script:python() { find in names.names("find") };
identifier run : script:python() { run in names.names("run") };
identifier m;
position p, q;
@@
 va = find(...)
 ... when != va = E
 run@q(vm, ...)
 ... when != va = E
 va@p->m

@script:python depends on report@
p << data.p;
q << data.q;
d << data.d;
@@
print("%s:%s:%s: ERROR: '%s' belongs to the registration since line %s, even if the registration failed" %
      (p[0].file, p[0].line, p[0].column, d, q[0].line))

@script:python depends on report@
p << mapping.p;
q << mapping.q;
va << mapping.va;
@@
print("%s:%s:%s: ERROR: the update on line %s may have removed '%s'" %
      (p[0].file, p[0].line, p[0].column, q[0].line, va))

@script:python depends on report@
p << onstack.p;
q << onstack.q;
l << onstack.l;
@@
print("%s:%s:%s: ERROR: '%s' is a copy of a handle that was released or moved on line %s" %
      (p[0].file, p[0].line, p[0].column, l, q[0].line))

@script:python depends on report@
p << token.p;
q << token.q;
x << token.x;
@@
print("%s:%s:%s: ERROR: '%s' was used up on line %s, on a path to here" %
      (p[0].file, p[0].line, p[0].column, x, q[0].line))

@script:python depends on report@
p << handle.p;
q << handle.q;
h << handle.h;
@@
print("%s:%s:%s: ERROR: '%s' was released or moved on line %s, on a path to here" %
      (p[0].file, p[0].line, p[0].column, h.replace(" ", ""), q[0].line))
