// SPDX-License-Identifier: GPL-2.0-only OR MIT
// workqueue: add INIT_DELAYED_WORK_KEY()
//
// INIT_WORK() and its like take the lockdep class of a work item from their place in the source. A
// helper that initialises the work items of all drivers in one place gives all of them one class, and
// lockdep reports deadlocks between drivers that have nothing to do with each other.
//
// INIT_WORK_ONSTACK_KEY() takes the key from its caller. Add the same for a delayed work item. "drm/safe:
// add work items, timers and interrupts that end with a registration" uses it.
//
// Files: include/linux/workqueue.h

@script:python names@
macro;
@@
coccinelle.macro = cocci.make_ident("""INIT_DELAYED_WORK_KEY(_work, _func, _key)			\\
	do {								\\
		__INIT_WORK_KEY(&(_work)->work, (_func), 0, (_key));	\\
		__timer_init(&(_work)->timer,				\\
			     delayed_work_timer_fn,			\\
			     TIMER_IRQSAFE);				\\
	} while (0)""")

@@
typedef bool;
identifier names.macro;
identifier cpu, wq, work;
@@
+/* The caller chooses the lockdep class. */
+#define macro
 extern bool queue_work_on(int cpu, struct workqueue_struct *wq, struct work_struct *work);
