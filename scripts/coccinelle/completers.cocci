// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// What others wait for is completed only if a section can be entered.
// Misuse class 35: a work item, a timer or an interrupt handler that is refused a
// section completes nothing; an open section that waits for it keeps the device from
// being unplugged.
virtual report

@initialize:python@
@@
import re
handlers = re.compile(r'struct (work_struct|timer_list|hrtimer|dma_fence_cb) \*$')

def say(p, f, T, done):
    with open(p[0].file) as text:
        thread = re.search(r'^(?:static )?irqreturn_t %s\(' % f, text.read(), re.M)
    if thread or handlers.match(T):
        print("%s:%s:%s: ERROR: %s() ends the wait of others only if a section can be entered" %
              (p[0].file, p[0].line, p[0].column, done))

@scope exists@
identifier f, a;
type T;
identifier done = {complete, complete_all, dma_fence_signal, dma_fence_signal_locked,
	wake_up, wake_up_all, wake_up_var, wake_up_interruptible, wake_up_interruptible_all};
position p;
@@
 f(..., T a)
 {
 ... when any
 drm_dev_registered_or(...);
 ... when any
 done@p(...)
 ... when any
 }

@block exists@
identifier f, a;
type T;
identifier done = {complete, complete_all, dma_fence_signal, dma_fence_signal_locked,
	wake_up, wake_up_all, wake_up_var, wake_up_interruptible, wake_up_interruptible_all};
iterator name drm_dev_if_registered;
position p;
@@
 f(..., T a)
 {
 <+...
(
 drm_dev_if_registered(...) { <+... done@p(...) ...+> }
|
 drm_dev_if_registered(...) done@p(...);
)
 ...+>
 }

@script:python depends on report@
p << scope.p;
f << scope.f;
T << scope.T;
done << scope.done;
@@
say(p, f, T, done)

@script:python depends on report@
p << block.p;
f << block.f;
T << block.T;
done << block.done;
@@
say(p, f, T, done)
