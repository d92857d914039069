// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// Use an owned handle for a mapping that a function makes and ends.
// -D prefix=NAME: the handle is a struct NAME_map_owned. convert.py declares the type, and adds
// __cleanup(drm_vmap_cleanup) to the handle. A mapping whose address or map leaves the function is
// not converted.
virtual patch

@mapped exists@
identifier map;
expression E;
position p, q;
@@
 struct iosys_map map@p;
 ... when any
 drm_gem_vmap@q(E, &map)

// Find maps that are copied, or whose address is stored.
@kept exists@
identifier mapped.map;
position mapped.p;
expression E;
identifier m;
@@
 struct iosys_map map@p;
 ... when any
(
 E->m = map.vaddr
|
 E.m = map.vaddr
|
 E = map
)

@whole exists@
identifier mapped.map;
position mapped.p;
identifier g != {drm_gem_vmap, drm_gem_vunmap};
@@
 struct iosys_map map@p;
 ... when any
 g(..., &map, ...)

// Find mappings that each path unmaps.
@ends@
identifier mapped.map;
position mapped.q;
expression E, E1, ret;
statement S;
@@
(
 ret = drm_gem_vmap@q(E, &map);
 if (ret) S
|
 if (drm_gem_vmap@q(E, &map)) S
)
 ... when any
 drm_gem_vunmap(E1, &map);

@script:python names@
prefix << virtual.prefix;
owned;
@@
coccinelle.owned = prefix + "_map_owned"

@converted depends on ends && !kept && !whole@
identifier mapped.map, names.owned;
position mapped.p;
expression E, P;
@@
-struct iosys_map map@p;
+struct owned map = {};
 <... when any
(
-drm_gem_vmap(&E.base, &map)
+drm_vmap_own(&map, &E)
|
-drm_gem_vmap(&P->base, &map)
+drm_vmap_own(&map, P)
|
-drm_gem_vunmap(E, &map)
+drm_vmap_release(&map)
|
-map.vaddr
+drm_vmap_unsafe_map(&map).vaddr
)
 ...>
