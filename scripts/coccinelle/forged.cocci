// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// Handles and proofs that were copied or made by hand, and their private members.
// For drivers: the library itself does what is reported here. The environment's DRIVER
// is the directory that defines the driver's structures; one that includes nothing of
// the library has nothing to forge.
virtual report

@initialize:python@
@@
import glob
import os
import re
proof = re.compile(r'struct (\w+_(unreg|reg|ioctl|unique)|drm_dev_(bound|unreg|reg)|drm_gpuvm_(un|re)?mapped|drm_shmem_sgt)\b')
private = re.compile(r'__drm_(dev|shmem|vmap|gpuvm|safe)_')
handle = re.compile(r'struct (\w+_owned|drm_gpuvm_(core|update)|drm_shmem_sgt\w*|\w+_reg)\b')

# Structures that have handles in them, or structures that have.
holds = re.compile(r'\bDRM_GPUVM_(?:CORE|UPDATE)\(|\bstruct (?:\w+_owned|drm_gpuvm_core|drm_gpuvm_update)\s+\w')
library = re.compile(r'^#include "(?:.*/)?drm_(?:dev_ctx|shmem_\w+|gpuvm_imm)\.h"', re.M)
structs = {}
uses_library = False
for path in glob.glob(os.environ["DRIVER"] + "/**/*.[ch]", recursive=True):
    with open(path, errors="replace") as f:
        text = f.read()
    uses_library = uses_library or bool(library.search(text))
    structs.update(re.findall(r'^struct (\w+) \{\n(.*?)^\}', text, re.M | re.S))
holders = {tag for tag, body in structs.items() if holds.search(body)}
while more := {tag for tag, body in structs.items() if tag not in holders and
               holders & set(re.findall(r'^\s+struct (\w+)\s+\w', body, re.M))}:
    holders |= more

def has_handles(T):
    T = T.replace("const ", "")
    return "*" not in T and bool(handle.match(T) or T.replace("struct ", "") in holders)

def say(p, text):
    if uses_library:
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
