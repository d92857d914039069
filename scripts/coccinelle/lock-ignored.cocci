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

@script:python depends on report@
p << ignored.p;
lock << ignored.lock;
@@
print("%s:%s:%s: ERROR: the result of %s() is ignored: the lock may not be held" %
      (p[0].file, p[0].line, p[0].column, lock))
