// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// A function that must not sleep makes a call that may sleep.
// Misuse class 39. The call sleeps the first time, when it maps the object, and may sleep
// later.
virtual report

@initialize:python@
@@
import drm_safe_names as names

def sleeps(f):
    return f in names.names("sleeps")

@call exists@
identifier atomic = {spin_lock, spin_lock_irq, spin_lock_irqsave, spin_lock_bh,
	preempt_disable, local_irq_disable, local_irq_save, local_bh_disable, rcu_read_lock};
identifier undo = {spin_unlock, spin_unlock_irq, spin_unlock_irqrestore, spin_unlock_bh,
	preempt_enable, local_irq_enable, local_irq_restore, local_bh_enable, rcu_read_unlock};
identifier f : script:python() { sleeps(f) };
position p;
@@
 atomic(...)
 ... when != undo(...)
 f@p(...)

@scope exists@
identifier atomic = {spin_lock, spin_lock_irq, spin_lock_irqsave, spin_lock_bh,
	preempt_disable, local_irq_disable, local_irq_save, local_bh_disable, rcu_read_lock};
identifier undo = {spin_unlock, spin_unlock_irq, spin_unlock_irqrestore, spin_unlock_bh,
	preempt_enable, local_irq_enable, local_irq_restore, local_bh_enable, rcu_read_unlock};
iterator name drm_vmap_guard, drm_vmap_guard_locked, drm_shmem_sgt_guard, drm_shmem_sgt_guard_locked;
iterator name drm_vmap_guard_interruptible, drm_shmem_sgt_guard_interruptible;
iterator name drm_vmap_cpu_guard, drm_vmap_sync_guard, drm_shmem_cpu_guard;
iterator name drm_vmap_sync_guard_interruptible;
iterator name drm_gem_sgt_guard, drm_gem_sgt_guard_locked, drm_gem_sgt_guard_interruptible;
iterator name drm_gpuvm_imm_for_each_of, drm_gpuvm_imm_for_each_bo, drm_dev_ctx_ids_for_each;
statement S;
position p;
@@
 atomic(...)
 ... when != undo(...)
(
 drm_vmap_guard@p(...) S
|
 drm_vmap_guard_locked@p(...) S
|
 drm_shmem_sgt_guard@p(...) S
|
 drm_shmem_sgt_guard_locked@p(...) S
|
 drm_vmap_guard_interruptible@p(...) S
|
 drm_shmem_sgt_guard_interruptible@p(...) S
|
 drm_gem_sgt_guard@p(...) S
|
 drm_gem_sgt_guard_locked@p(...) S
|
 drm_gem_sgt_guard_interruptible@p(...) S
|
 drm_vmap_cpu_guard@p(...) S
|
 drm_vmap_sync_guard@p(...) S
|
 drm_vmap_sync_guard_interruptible@p(...) S
|
 drm_shmem_cpu_guard@p(...) S
|
 drm_gpuvm_imm_for_each_of@p(...) S
|
 drm_gpuvm_imm_for_each_bo@p(...) S
|
 drm_dev_ctx_ids_for_each@p(...) S
)

@script:python depends on report@
p << call.p;
f << call.f;
atomic << call.atomic;
@@
print("%s:%s:%s: ERROR: %s() may sleep, and the caller must not: %s()" %
      (p[0].file, p[0].line, p[0].column, f, atomic))

@script:python depends on report@
p << scope.p;
atomic << scope.atomic;
@@
print("%s:%s:%s: ERROR: this may sleep, and the caller must not: %s()" %
      (p[0].file, p[0].line, p[0].column, atomic))
