// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// Reach a GEM shmem object through the struct drm_shmem_obj that embeds it.
// -D object=TAG: the driver's structure; -D from=M: its struct drm_gem_shmem_object;
// -D obj=M: the struct drm_shmem_obj that takes its place. Needs the types of the driver's
// functions, so it is applied with the headers of the driver.
virtual patch

@pointer@
identifier virtual.object, virtual.from, virtual.obj;
struct object *E;
@@
-E->from
+E->obj.base

@value@
identifier virtual.object, virtual.from, virtual.obj;
struct object E;
@@
-E.from
+E.obj.base

@handle@
identifier virtual.object, virtual.obj;
struct object *E;
expression file, handle;
@@
-drm_gem_handle_create(file, &E->obj.base.base, handle)
+drm_shmem_handle_create(&E->obj, file, handle)

@put@
identifier virtual.object, virtual.obj;
struct object *E;
@@
-drm_gem_object_put(&E->obj.base.base)
+drm_shmem_put(&E->obj)

@get@
identifier virtual.object, virtual.obj;
struct object *E;
@@
-drm_gem_object_get(&E->obj.base.base)
+drm_shmem_get(&E->obj)
