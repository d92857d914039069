// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// A function puts a reference that belongs to other code.
// Misuse class 15. The library takes no reference for a borrower, as the kernel-doc of functions
// with borrowed results says. A step of an address space may put the reference that another step
// took.
virtual report

@initialize:python@
@@
import drm_safe_names as names
from drm_safe_source import library

def is_lent(f):
    return f in library().borrowed

def say(p, get, put):
    if p[0].current_element not in names.driver().vm_steps:
        print("%s:%s:%s: ERROR: %s() puts a reference that %s() did not take" %
              (p[0].file, p[0].line, p[0].column, put, get))

@at_once@
identifier get : script:python() { is_lent(get) };
identifier put = {drm_gem_object_put, drm_shmem_put, drm_dev_put, drm_gpuvm_imm_put};
position p;
@@
 put@p(<+... get(...) ...+>)

@later exists@
identifier get : script:python() { is_lent(get) };
identifier put = {drm_gem_object_put, drm_shmem_put, drm_dev_put, drm_gpuvm_imm_put};
identifier take = {drm_gem_object_get, drm_shmem_get, drm_dev_get, drm_gpuvm_imm_get};
identifier x, m;
expression E;
type T;
position p;
@@
(
 T *x = get(...);
|
 x = get(...)
)
 ... when != x = E
     when != take(x)
     when != take(&x->m)
(
 put@p(x)
|
 put@p(&x->m)
)

@script:python depends on report@
p << at_once.p;
get << at_once.get;
put << at_once.put;
@@
say(p, get, put)

@script:python depends on report@
p << later.p;
get << later.get;
put << later.put;
@@
say(p, get, put)
