// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// An evict or rss step waits for a lock, or allocates.
// Misuse classes 23 and 39. An evict step runs in memory reclaim, which a task with that lock may
// wait for, and an rss step under a spinlock.
// Checks the steps of both kinds of types, and the functions that they call. Spinlocks are fine,
// because no task waits for memory under one. spatch cannot tell the classes of guard(), so this
// reads the text.
virtual report

@initialize:python@
@@
import re
import drm_safe_names as names
from drm_safe_source import blanked, functions
seen = set()
waits = re.compile(r"mutex_lock\w*|down|down_(?:read|write|killable|interruptible|timeout)(?:_(?!trylock)\w+)?"
                   r"|dma_resv_lock\w*|ww_mutex_lock\w*|drm_gem_lock|drm_exec_(?:lock|prepare)\w*"
                   r"|wait_(?:event|for|on|var)\w*|flush_\w*work\w*|cancel_\w*work_sync|synchronize_\w+"
                   r"|msleep\w*|usleep_range|fsleep|schedule(?:_timeout\w*)?|dma_fence_wait\w*|dma_resv_wait_timeout"
                   r"|class_(?:mutex|rwsem_read|rwsem_write|ww_mutex)(?:_intr|_kill)?_constructor")

# A scope names the class in its first argument.
def called(body):
    yield from ((m[1], m.start()) for m in re.finditer(r"\b(\w+)\(", body))
    for m in re.finditer(r"\b(?:guard|ACQUIRE|CLASS|scoped_guard|(?:scoped_)?cond_guard)\(\s*(\w+)", body):
        yield "class_%s_constructor" % m[1], m.start()

def fault(f):
    if waits.fullmatch(f) or f in names.names("locks"):
        return "waits for a lock, which it may only try"
    return "allocates" if names.ALLOCATES.fullmatch(f) else None

def read(name):
    with open(name, errors="replace") as f:
        text = blanked(f.read())
    for step, _, _, start, end in functions(text):
        kind = next((kind for kind, steps in (("an evict", names.driver().evicting), ("an rss", names.driver().counting))
                     if step in steps), None)
        if not kind:
            continue
        for f, at in called(text[start:end]):
            if what := fault(f):
                f = re.sub(r"^class_(\w+)_constructor\(\)$", r"guard(\1)", f + "()")
                print("%s:%s:1: ERROR: %s() is part of %s step, and %s: %s" %
                      (name, text.count("\n", 0, start + at) + 1, step, kind, what, f))

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
    read(p[0].file)
