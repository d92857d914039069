// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// A function does not release everything that it owns on each path.
// Misuse classes 5 and 15. Not for variables with __free() or __cleanup().
virtual report

@initialize:python@
@@
import re
import drm_safe_freed
import drm_safe_names as names
seen = set()

def is_get(f):
    return f in names.puts()

def is_put(f):
    return f in names.puts().values()

def is_free(f):
    return f in names.FREES

def above(p):
    with open(p[0].file) as f:
        return "".join(f.readlines()[:int(p[0].line)])

# Only look at this function, because other functions may have a variable with the same name.
def cleans_up(p, x):
    text = above(p)
    return re.search(r'\b%s\s+__(free|cleanup)\(' % x, text[text.rfind("\n}") + 1:])

# A function that returns an error code has no result to give back.
def is_pointer(p, x):
    return above(p).rfind("*" + x) > above(p).rfind("\n}")

// clang does not warn about an ignored result below the cast of a macro.
@dropped@
identifier get : script:python() { is_get(get) };
position p;
@@
 get@p(...);

@script:python depends on report@
p << dropped.p;
get << dropped.get;
@@
print("%s:%s:%s: ERROR: the result of %s() is dropped, and never given back" %
      (p[0].file, p[0].line, p[0].column, get))

@pointer exists@
identifier x;
expression E;
identifier get : script:python() { is_get(get) };
identifier put : script:python() { is_put(put) };
identifier m;
expression d;
type T;
position q, p;
@@
(
 T *x = get@q(...);
|
 x = get@q(...);
)
 ... when != put(x)
     when != put(&x->m)
     when != drm_shmem_publish(d, &x)
     when != E = x
     when != return x;
     when != no_free_ptr(x)
 return@p ...;

@checked exists@
identifier pointer.x;
position pointer.p;
@@
 if (<+... \(IS_ERR(x)\|IS_ERR_OR_NULL(x)\|!x\|x == NULL\) ...+>) { ... return@p ...; }

@given exists@
identifier pointer.x;
position pointer.p;
expression d;
@@
 return@p <+... drm_shmem_publish(d, &x) ...+>;

@script:python depends on report && !checked && !given@
p << pointer.p;
q << pointer.q;
x << pointer.x;
get << pointer.get;
@@
if is_pointer(q, x) and not cleans_up(q, x):
    print("%s:%s:%s: ERROR: '%s', from %s() on line %s, is leaked on this path: declare it with __free()" %
          (p[0].file, p[0].line, p[0].column, x, get, q[0].line))

@bare@
identifier x;
type T;
position p;
@@
(
 T x@p = { ... };
|
 T x@p[1] = { ... };
)

@script:python depends on report@
p << bare.p;
x << bare.x;
T << bare.T;
@@
if names.is_struct(T, "owned") and not cleans_up(p, x):
    with_what = {"drm_gpuvm_imm_update": "DRM_GPUVM_IMM_UPDATE()",
                 "drm_shmem_sgt_owned": "__cleanup(drm_shmem_sgt_cleanup)"
                 }.get(names.tag(T), "__cleanup(drm_vmap_cleanup)")
    print("%s:%s:%s: ERROR: nothing ends '%s' on an early return: declare it with %s" %
          (p[0].file, p[0].line, p[0].column, x, with_what))

// Report the structures that drm_safe_freed.py finds, which are freed with owned handles.
@definition@
identifier f;
position p;
@@
 f@p(...) { ... }

@script:python depends on report@
p << definition.p;
@@
if p[0].file not in seen:
    seen.add(p[0].file)
    for found in (drm_safe_freed.freed, drm_safe_freed.wrong_ends, drm_safe_freed.counted,
                  drm_safe_freed.published):
        for line, text in found(p[0].file):
            print("%s:%s:1: ERROR: %s" % (p[0].file, line, text))

// The same in the function that allocated the structure, after it got a handle
@filled exists@
identifier own = {drm_vmap_own, drm_vmap_own_locked, drm_shmem_sgt_own, drm_shmem_sgt_own_locked};
identifier end = {drm_vmap_release, drm_vmap_release_locked, drm_vmap_cleanup,
		  drm_shmem_sgt_release, drm_shmem_sgt_cleanup};
identifier move = {drm_vmap_move, drm_shmem_sgt_move};
identifier free : script:python() { is_free(free) };
identifier other : script:python() { not is_free(other) };
identifier x, m;
expression ret, E;
statement S;
position p;
@@
(
 ret = own(&x->m, ...);
 if (\(ret\|ret < 0\)) S
|
 if (own(&x->m, ...)) S
)
 ... when any
     when != end(&x->m)
     when != move(E, &x->m)
     when != other(x, ...)
     when != x = E
 free@p(x, ...)

@script:python depends on report@
p << filled.p;
x << filled.x;
m << filled.m;
own << filled.own;
@@
print("%s:%s:%s: ERROR: '%s' is freed with its '%s': call %s() for it first" %
      (p[0].file, p[0].line, p[0].column, x, m,
       "drm_shmem_sgt_cleanup" if "sgt" in own else "drm_vmap_cleanup"))
