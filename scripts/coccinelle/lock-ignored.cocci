// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// The result of an interruptible lock is ignored: it may not be held.
// Misuse class 2.
virtual report

@ignored@
expression list args;
identifier lock = {
	dma_resv_lock_interruptible, dma_resv_lock_slow_interruptible,
	ww_mutex_lock_interruptible, ww_mutex_lock_slow_interruptible
};
position p;
@@
 lock@p(args);

// drm_safe_resv.h and mutex.h have these.
@acquired@
identifier lock = {drm_resv_intr, drm_resv_kill, drm_resv_try, mutex_intr, mutex_kill, mutex_try};
identifier x;
expression E;
position p;
@@
 ACQUIRE@p(lock, x)(E);
 ... when != ACQUIRE_ERR(lock, &x)

@script:python depends on report@
p << acquired.p;
lock << acquired.lock;
x << acquired.x;
@@
print("%s:%s:%s: ERROR: ACQUIRE_ERR(%s, &%s) is not checked: the lock may not be held" %
      (p[0].file, p[0].line, p[0].column, lock, x))

@script:python depends on report@
p << ignored.p;
lock << ignored.lock;
@@
print("%s:%s:%s: ERROR: the result of %s() is ignored: the lock may not be held" %
      (p[0].file, p[0].line, p[0].column, lock))
