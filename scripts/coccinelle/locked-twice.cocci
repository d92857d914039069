// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// A call that takes a reservation lock, while the caller holds one.
// Misuse class 3. Any lock counts: of two objects, drm_exec locks both.
virtual report

@initialize:python@
@@
import drm_safe_names as names

def takes(f):
    return f in names.names("locks")

def instead(f):
    return "use its _locked form" if f + "_locked" in names.names("sleeps") else "release it first"

@call exists@
expression resv;
identifier lock = {dma_resv_lock, dma_resv_lock_interruptible, drm_gem_lock};
identifier unlock = {dma_resv_unlock, drm_gem_unlock};
identifier f : script:python() { takes(f) };
position p;
@@
 lock(resv, ...)
 ... when != unlock(resv, ...)
 f@p(...)

@scope exists@
expression resv;
identifier lock = {dma_resv_lock, dma_resv_lock_interruptible, drm_gem_lock};
identifier unlock = {dma_resv_unlock, drm_gem_unlock};
iterator name drm_vmap_guard, drm_shmem_sgt_guard, drm_gem_sgt_guard;
iterator name drm_vmap_guard_interruptible, drm_shmem_sgt_guard_interruptible;
iterator name drm_gem_sgt_guard_interruptible;
statement S;
position p;
@@
 lock(resv, ...)
 ... when != unlock(resv, ...)
(
 drm_vmap_guard@p(...) S
|
 drm_shmem_sgt_guard@p(...) S
|
 drm_vmap_guard_interruptible@p(...) S
|
 drm_shmem_sgt_guard_interruptible@p(...) S
|
 drm_gem_sgt_guard@p(...) S
|
 drm_gem_sgt_guard_interruptible@p(...) S
)

@access exists@
expression resv;
identifier lock = {dma_resv_lock, dma_resv_lock_interruptible, drm_gem_lock};
identifier unlock = {dma_resv_unlock, drm_gem_unlock};
iterator name drm_vmap_cpu_guard, drm_vmap_sync_guard, drm_shmem_cpu_guard;
statement S;
position p;
@@
 lock(resv, ...)
 ... when != unlock(resv, ...)
(
 drm_vmap_cpu_guard@p(...) S
|
 drm_vmap_sync_guard@p(...) S
|
 drm_shmem_cpu_guard@p(...) S
)

@script:python depends on report@
p << call.p;
f << call.f;
@@
print("%s:%s:%s: ERROR: %s() takes the reservation lock, which is held: %s" %
      (p[0].file, p[0].line, p[0].column, f, instead(f)))

@script:python depends on report@
p << scope.p;
@@
print("%s:%s:%s: ERROR: this takes the reservation lock, which is held: use its _locked form" %
      (p[0].file, p[0].line, p[0].column))

@script:python depends on report@
p << access.p;
@@
print("%s:%s:%s: ERROR: this takes the reservation lock, which is held: do it before" %
      (p[0].file, p[0].line, p[0].column))
