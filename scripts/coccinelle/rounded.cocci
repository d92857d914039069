// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// The size of a GEM object, which the core rounds up to whole pages, is used as the size of its memory.
// Misuse class 44. The buffer of an import may be smaller. drm_shmem_size() is the real size of an
// object, and drm_vmap_size() the size of a mapping.
virtual report

@initialize:python@
@@
import drm_safe_names as names

@typed@
struct drm_gem_object *gem;
position p;
@@
 gem->size@p

@member@
expression E;
position p;
@@
(
 E.base.base.size@p
|
 E->base.base.size@p
|
 drm_shmem_gem(E)->size@p
)

@script:python depends on report@
p << typed.p;
@@
if names.driver().uses(p[0].file):
    print("%s:%s:%s: ERROR: this is rounded up for an import: use drm_shmem_size() or drm_vmap_size()" %
          (p[0].file, p[0].line, p[0].column))

@script:python depends on report@
p << member.p;
@@
if names.driver().uses(p[0].file):
    print("%s:%s:%s: ERROR: this is rounded up for an import: use drm_shmem_size() or drm_vmap_size()" %
          (p[0].file, p[0].line, p[0].column))
