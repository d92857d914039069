// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// A step of a type of objects casts its object to another type.
// Misuse class 17. A step gets the library's object, which container_of() can cast to any
// type. drm_shmem_from_obj() checks the type, if the configuration has this check.
virtual report

@step@
identifier desc, type, fn;
identifier cb =~ "^(init|fini|open|close|print_info|export|sgt_revoked|evict)$";
@@
 const struct type desc = { ..., .base.cb = fn, ... };

@by_hand@
identifier step.fn, obj, t, m;
position p;
@@
 fn(..., struct drm_shmem_obj *obj, ...)
 {
 <+...
 container_of@p(obj, struct t, m)
 ...+>
 }

@other@
identifier step.fn, obj, what;
position p;
@@
 fn(..., struct drm_shmem_obj *obj, ...)
 {
 <+...
 drm_shmem_from_obj@p(&what, obj)
 ...+>
 }

@script:python depends on report@
p << by_hand.p;
d << step.desc;
@@
print("%s:%s:%s: ERROR: container_of() checks no type: get the structure with drm_shmem_from_obj(&%s, ...)" %
      (p[0].file, p[0].line, p[0].column, d))

@script:python depends on report@
p << other.p;
what << other.what;
fn << step.fn;
d << step.desc;
@@
if what != d:
    print("%s:%s:%s: ERROR: drm_shmem_from_obj() is given '%s', but %s() is a step of '%s', and gets its objects" %
          (p[0].file, p[0].line, p[0].column, what, fn, d))
