// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// A file that uses the library calls a raw helper, which bypasses the handles.
// Misuse classes 1, 10, 12, 14, 21, 29, 31. The names are in drm_safe_names.py. The raw address
// and the raw table of an object are reported, too.
virtual report

@initialize:python@
@@
import re
import drm_safe_names as names
behind = {"drm_dev_ctx.h": "contexts", "drm_shmem_safe.h": "handles", "drm_gpuvm_imm.h": "core"}

def is_raw(f):
    return any(f in names.raw(header) for header in behind)

def say(p, f):
    for header, part in behind.items():
        if f in names.raw(header) and \
           names.driver().uses(p[0].file, {header} | names.PARTS[header]):
            print("%s:%s:%s: ERROR: %s() goes behind the %s of %s" %
                  (p[0].file, p[0].line, p[0].column, f, part, header))

def say_member(p, m):
    if names.driver().uses(p[0].file, {"drm_shmem_safe.h"} | names.PARTS["drm_shmem_safe.h"]):
        print("%s:%s:%s: ERROR: '%s' goes behind the handles: use %s" %
              (p[0].file, p[0].line, p[0].column, m, {
                  "sgt": "drm_shmem_sgt_guard() or drm_shmem_sgt_own()",
                  "vaddr": "drm_vmap_guard() or drm_vmap_own()"}[m]))

# Check whether E is a struct drm_shmem_obj, whose base is the object of the core.
def is_object(E):
    return re.search(r"\bstruct drm_shmem_obj \*?\s*%s\b" % re.search(r"(\w*)\W*$", E)[1],
                     names.driver().text)

@inside@
struct drm_gem_shmem_object *x;
struct drm_gem_shmem_object y;
identifier m = {sgt, vaddr};
position p;
@@
(
 x->m@p
|
 y.m@p
)

@beside@
expression E;
identifier m = {sgt, vaddr};
position p;
@@
(
 E->base.m@p
|
 E.base.m@p
)

@script:python depends on report@
p << inside.p;
m << inside.m;
@@
say_member(p, m)

@script:python depends on report@
p << beside.p;
m << beside.m;
E << beside.E;
@@
if is_object(E):
    say_member(p, m)

@call@
identifier f : script:python() { is_raw(f) };
position p;
@@
 f@p(...)

@member@
identifier f : script:python() { is_raw(f) };
identifier x, m;
type T;
position p;
@@
 T x = { ..., .m = f@p, ... };

@assigned@
identifier f : script:python() { is_raw(f) };
expression E;
position p;
@@
 E = f@p

@loop@
iterator I : script:python() { is_raw(I) };
position p;
statement S;
@@
 I@p(...) S

@script:python depends on report@
p << loop.p;
I << loop.I;
@@
say(p, I)

@script:python depends on report@
p << call.p;
f << call.f;
@@
say(p, f)

@script:python depends on report@
p << member.p;
f << member.f;
@@
say(p, f)

@script:python depends on report@
p << assigned.p;
f << assigned.f;
@@
say(p, f)
