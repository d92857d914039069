// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// Something borrowed is kept beyond its scope.
// Misuse classes 5 and 13. The forms that end in _or are not seen.
virtual report

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
 drm_dev_if_bound(v, a) { <+... E =@p v ...+> }
|
 drm_shmem_if_vmap(a, v, b, c) { <+... E =@p v ...+> }
|
 drm_shmem_if_vmap_locked(a, v, b, c) { <+... E =@p v ...+> }
|
 drm_shmem_if_sgt(v, a, b, c) { <+... E =@p v ...+> }
|
 drm_shmem_if_sgt_locked(v, a, b, c) { <+... E =@p v ...+> }
|
 drm_shmem_if_sgt_owned(v, a, b, c) { <+... E =@p v ...+> }
)

@script:python depends on report@
p << scope.p;
v << scope.v;
@@
print("%s:%s:%s: ERROR: '%s' is borrowed for a scope and must not be kept" %
      (p[0].file, p[0].line, p[0].column, v))
