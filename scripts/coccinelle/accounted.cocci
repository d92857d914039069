// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// What a client makes the driver allocate is charged to nobody.
// Misuse class 48. Looks where a function is given the per-file data.
virtual report

@initialize:python@
@@
import drm_safe_names as names

def is_file(t):
    return t in names.names("file")

def say(p, what):
    print("%s:%s:%s: ERROR: %s is not charged to the client: allocate with GFP_KERNEL_ACCOUNT" %
          (p[0].file, p[0].line, p[0].column, what))

@client@
identifier f, v;
identifier t : script:python() { is_file(t) };
@@
 f(..., struct t *v, ...) { ... }

// The flags that charge have a name of their own.
@flags@
identifier client.f, alloc;
position p;
@@
 f(...)
 {
 <+...
 alloc@p(..., \(GFP_KERNEL\|GFP_USER\|GFP_HIGHUSER\))
 ...+>
 }

// No flags at all: GFP_KERNEL
@object@
identifier client.f;
identifier alloc = {kmalloc_obj, kzalloc_obj, kvmalloc_obj, kvzalloc_obj};
expression E;
type T;
position p;
@@
 f(...)
 {
 <+...
(
 alloc@p(E)
|
 alloc@p(T)
)
 ...+>
 }

@objects@
identifier client.f;
identifier alloc = {kmalloc_objs, kzalloc_objs, kvmalloc_objs, kvzalloc_objs};
expression E, n;
type T;
position p;
@@
 f(...)
 {
 <+...
(
 alloc@p(E, n)
|
 alloc@p(T, n)
)
 ...+>
 }

// They take no flags.
@user@
identifier client.f;
identifier alloc = {memdup_user, memdup_user_nul, vmemdup_user, memdup_array_user,
		    vmemdup_array_user, strndup_user};
position p;
@@
 f(...)
 {
 <+...
 alloc@p(...)
 ...+>
 }

@script:python depends on report@
p << flags.p;
alloc << flags.alloc;
@@
say(p, "what %s() allocates" % alloc)

@script:python depends on report@
p << object.p;
alloc << object.alloc;
@@
say(p, "what %s() allocates" % alloc)

@script:python depends on report@
p << objects.p;
alloc << objects.alloc;
@@
say(p, "what %s() allocates" % alloc)

@script:python depends on report@
p << user.p;
alloc << user.alloc;
@@
say(p, "the copy that %s() makes" % alloc)
