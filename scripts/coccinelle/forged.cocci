// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// Handles and proofs that were copied or made by hand, and their private members.
// For drivers only, because the library itself does this. The environment variable DRIVER is
// the directory that defines the driver's structures. A file that includes no header of the
// library cannot forge anything.
virtual report

@initialize:python@
@@
import re
import drm_safe_names as names
private = re.compile(r'__drm_(dev|shmem|vmap|gpuvm|safe)_')
handles = names.names("owned") | names.names("lent") - {"drm_dev_ctx_bound"}

# Structures with handles in them, directly or in an embedded structure
holds = re.compile(r'\b(?:%s)\(|\bstruct (?:%s)\s+\w' % ("|".join(names.HANDLE_MACROS),
                                                         "|".join(names.names("owned"))))
structs = dict(names.driver().structs())
holders = {tag for tag, body in structs.items() if holds.search(body)}
while more := {tag for tag, body in structs.items() if tag not in holders and
               holders & set(re.findall(r'^\s+struct (\w+)\s+\w', body, re.M))}:
    holders |= more

def has_handles(T):
    return names.tag(T) in handles | holders

def say(p, text):
    if names.driver().uses(p[0].file):
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
if names.is_struct(T, "proof"):
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
identifier f = {memcpy, memmove, kmemdup, memset};
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
if has_handles(T):
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
if has_handles(T):
    say(p, "'%s' is a copy of another '%s': handles cannot be copied" % (x, T))

@by_value@
identifier f, x;
type T;
position p;
@@
 f(..., T x@p, ...) { ... }

@script:python depends on report@
T << by_value.T;
x << by_value.x;
p << by_value.p;
@@
if has_handles(T):
    say(p, "'%s' is a copy of another '%s': handles cannot be copied" % (x, T))
