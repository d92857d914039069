// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// Memory that a client makes the driver allocate is not charged to the client.
// Misuse class 48. Checks functions that get the per-file data.
virtual report

@initialize:python@
@@
import re
import drm_safe_names as names

def is_file(t):
    return t in names.names("file")

def say(p, what):
    print("%s:%s:%s: ERROR: %s is not charged to the client: allocate with GFP_KERNEL_ACCOUNT" %
          (p[0].file, p[0].line, p[0].column, what))

# Check whether this file, or another file of the driver, initialises the XArray without the flag
# that charges its nodes.
def is_free(p, m):
    init = re.compile(r"\bxa_init(?:_flags)?\(&[^;]*\b%s\b[^;]*;" % m)
    with open(p[0].file, errors="replace") as f:
        found = init.findall(f.read()) or init.findall(names.driver().text)
    return any("XA_FLAGS_ACCOUNT" not in text for text in found)

@client@
identifier f, v;
identifier t : script:python() { is_file(t) };
@@
 f(..., struct t *v, ...) { ... }

// Flags that charge have other names, such as GFP_KERNEL_ACCOUNT.
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

// These functions take no flags, and never charge.
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

// The array's own flag charges the nodes, which are allocated under its lock.
@nodes@
identifier client.f, m;
identifier store = {xa_alloc, xa_alloc_irq, xa_alloc_bh, xa_alloc_cyclic, xa_insert, xa_store};
expression E;
position p;
@@
 f(...)
 {
 <+...
 store@p(&E->m, ...)
 ...+>
 }

@script:python depends on report@
p << nodes.p;
m << nodes.m;
@@
if is_free(p, m):
    print("%s:%s:%s: ERROR: the nodes of '%s' are not charged to the client: give xa_init_flags() XA_FLAGS_ACCOUNT" %
          (p[0].file, p[0].line, p[0].column, m))

@script:python depends on report@
p << flags.p;
alloc << flags.alloc;
@@
say(p, "memory that %s() allocates" % alloc)

@script:python depends on report@
p << object.p;
alloc << object.alloc;
@@
say(p, "memory that %s() allocates" % alloc)

@script:python depends on report@
p << objects.p;
alloc << objects.alloc;
@@
say(p, "memory that %s() allocates" % alloc)

@script:python depends on report@
p << user.p;
alloc << user.alloc;
@@
say(p, "the copy that %s() makes" % alloc)
