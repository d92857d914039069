// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// Handles and proofs that were copied or made by hand, and their private members.
// For drivers: the library itself does what is reported here.
virtual report

@initialize:python@
@@
import re
proof = re.compile(r'struct (\w+_(unreg|reg|ioctl|unique)|drm_dev_(bound|unreg|reg)|drm_gpuvm_(un|re)?mapped|drm_shmem_sgt)\b')
private = re.compile(r'__drm_(dev|shmem|vmap|gpuvm|safe)_')
handle = re.compile(r'struct (\w+_owned|drm_gpuvm_(core|update)|drm_shmem_sgt\w*|\w+_reg)\b')

def say(p, text):
    print("%s:%s:%s: ERROR: %s" % (p[0].file, p[0].line, p[0].column, text))

@cast@
type T;
expression E;
position p;
@@
 (T *@p)E

@script:python depends on report@
T << cast.T;
p << cast.p;
@@
if proof.match(T.replace("const ", "")):
    say(p, "cast to '%s *': only the library makes one" % T)

@member@
expression E;
identifier m =~ "^__[a-z]";
position p;
@@
(
 E.m@p
|
 E->m@p
)

@script:python depends on report@
m << member.m;
p << member.p;
@@
say(p, "'%s' is private to the library" % m)

@call@
identifier f : script:python() { bool(private.match(f)) };
position p;
@@
 f@p(...)

@script:python depends on report@
f << call.f;
p << call.p;
@@
say(p, "%s() is private to the library" % f)

@copied@
type T;
T *x;
T y;
expression E, size;
identifier f = {memcpy, memmove, memdup, kmemdup, memset};
position p;
@@
(
 f@p(x, E, size)
|
 f@p(E, x, size)
|
 f@p(&y, E, size)
|
 f@p(E, &y, size)
)

@script:python depends on report@
T << copied.T;
f << copied.f;
p << copied.p;
@@
if handle.match(T.replace("const ", "")):
    say(p, "%s() of a '%s': handles cannot be copied" % (f, T))

@initialised@
type T;
expression E;
identifier x;
position p;
@@
 T x@p = E;

@script:python depends on report@
T << initialised.T;
x << initialised.x;
p << initialised.p;
@@
if handle.match(T.replace("const ", "")):
    say(p, "'%s' is a copy of another '%s': handles cannot be copied" % (x, T))
