// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// A completer ends the wait of others only if it can enter a section or a block.
// Misuse class 35. After an unplug has begun, a handler is refused a section, and completes
// nothing. An open section that waits for the handler then blocks the unplug. Handlers are work
// items of each kind, timers, tasklets, interrupts, threads, and callbacks of fences, wait queues,
// DMA engines, mailboxes and the like: see HANDLER_* in drm_safe_names.py. COMPLETES there lists
// the functions that end a wait: complete(), wake_up(), swake_up(), wake_up_process(), up(),
// dma_fence_signal(), drm_syncobj_replace_fence(), vblank events and the like, with all variants.
// The section and the call may be in functions that the handler calls. A block of
// drm_dev_ctx_guard_live() is refused as well, before registration and after quiesce. A block of
// drm_dev_ctx_guard_callback() is not refused as long as anyone waits. A callback of runtime PM
// completes pm_runtime_get_sync() by returning, so it must not open a section or a block.
// timedout_job must not, either, because the scheduler ends the jobs that it returns a status for.
virtual report

@initialize:python@
@@
import drm_safe_names as names
said = set()

def completes(f):
    return bool(names.COMPLETES.fullmatch(f)) or f in names.driver().completing

def say(p, f, done):
    place = p[0].file, p[0].line, p[0].column
    if f in names.driver().handlers and place not in said:
        said.add(place)
        print("%s:%s:%s: ERROR: %s() ends the wait of others only if a section can be entered" %
              (*place, done))

@scope exists@
identifier f;
identifier done : script:python() { completes(done) };
position p;
@@
 f(...)
 {
 ... when any
(
 drm_dev_ctx_or(...);
|
 drm_dev_ctx_live_or(...);
)
 ... when any
 done@p(...)
 ... when any
 }

@block exists@
identifier f;
identifier done : script:python() { completes(done) };
iterator name drm_dev_ctx_guard, drm_dev_ctx_guard_else, drm_dev_ctx_guard_live, drm_dev_ctx_guard_live_else;
position p;
@@
 f(...)
 {
 <+...
(
 drm_dev_ctx_guard(...) { <+... done@p(...) ...+> }
|
 drm_dev_ctx_guard(...) done@p(...);
|
 drm_dev_ctx_guard_else(...) { <+... done@p(...) ...+> }
|
 drm_dev_ctx_guard_else(...) done@p(...);
|
 drm_dev_ctx_guard_live(...) { <+... done@p(...) ...+> }
|
 drm_dev_ctx_guard_live(...) done@p(...);
|
 drm_dev_ctx_guard_live_else(...) { <+... done@p(...) ...+> }
|
 drm_dev_ctx_guard_live_else(...) done@p(...);
)
 ...+>
 }

@powers@
identifier f;
iterator name drm_dev_ctx_guard, drm_dev_ctx_guard_else, drm_dev_ctx_guard_live, drm_dev_ctx_guard_live_else;
position p;
statement S;
@@
 f@p(...)
 {
 <+...
(
 drm_dev_ctx_or(...);
|
 drm_dev_ctx_live_or(...);
|
 drm_dev_ctx_guard(...) S
|
 drm_dev_ctx_guard_else(...) S
|
 drm_dev_ctx_guard_live(...) S
|
 drm_dev_ctx_guard_live_else(...) S
)
 ...+>
 }

@script:python depends on report@
p << powers.p;
f << powers.f;
@@
for called, why in (names.driver().powering, "for runtime PM, which sections wait for"), \
                   (names.driver().timing_out, "for a job that hangs, which sections may wait for"):
    if f in called:
        print("%s:%s:%s: ERROR: %s() is called %s, and opens one" %
              (p[0].file, p[0].line, p[0].column, f, why))

@script:python depends on report@
p << scope.p;
f << scope.f;
done << scope.done;
@@
say(p, f, done)

@script:python depends on report@
p << block.p;
f << block.f;
done << block.done;
@@
say(p, f, done)
