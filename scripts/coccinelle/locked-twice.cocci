// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// A caller that holds a reservation lock makes a call that takes one.
// Misuse class 3. Any reservation lock counts, because drm_exec must lock several objects. spatch
// knows neither the classes of guard() nor the end of their scopes, so this also reads the text.
virtual report

@initialize:python@
@@
import re
import drm_safe_names as names
from drm_safe_source import blanked, functions, opened
seen = set()
guards = re.compile(r"\b(guard|ACQUIRE|CLASS|scoped_guard|scoped_cond_guard)\(\s*drm_resv\w*\b")

# The parts of a body in which a guard holds the lock. guard(class) has a second pair of
# parentheses.
def held(body):
    for m in guards.finditer(body):
        scoped = m[1].startswith("scoped")
        opens = re.compile(r"\(").search(body, m.start())
        yield opened(body, opens, not scoped)

def read(name):
    with open(name, errors="replace") as f:
        text = blanked(f.read())
    for _, _, _, start, end in functions(text):
        body, said = text[start:end], set()
        for begin, stop in held(body):
            for call in re.compile(r"\b(\w+)\(").finditer(body, begin, stop):
                at = start + call.start()
                if takes(call[1]) and at not in said:
                    said.add(at)
                    print("%s:%s:1: ERROR: %s() takes the reservation lock, which is held: %s" %
                          (name, text.count("\n", 0, at) + 1, call[1], instead(call[1])))

# Check whether a place is on the error path of the lock, which does not hold it.
branch = re.compile(r"[^;]*;\s*if \((?:[^()]|\([^()]*\))*\)\s*(?:\x7b[^\x7d]*\x7d|[^;]*;)")

def failed(lock, where, p):
    if lock in ("dma_resv_lock", "drm_gem_lock"):
        return False
    with open(p[0].file, errors="replace") as f:
        text = f.read()
    starts = [0, *(m.end() for m in re.finditer("\n", text))]
    found = branch.match(text, starts[int(where[0].line) - 1])
    if not found:
        return False
    at, jump = starts[int(p[0].line) - 1], re.search(r"\bgoto (\w+);", found[0])
    label = re.compile(r"^\s*%s:" % jump[1], re.M).search(text, found.end()) if jump else None
    return at < found.end() or bool(label) and at > label.start()

def takes(f):
    return f in names.names("locks")

def instead(f):
    return "use its _locked form" if f + "_locked" in names.names("sleeps") else "release it first"

@call exists@
expression resv;
identifier lock = {dma_resv_lock, dma_resv_lock_interruptible, drm_resv_lock_killable, drm_gem_lock};
identifier unlock = {dma_resv_unlock, drm_gem_unlock};
identifier f : script:python() { takes(f) };
position p, q;
@@
 lock@q(resv, ...)
 ... when != unlock(resv, ...)
 f@p(...)

@scope exists@
expression resv;
identifier lock = {dma_resv_lock, dma_resv_lock_interruptible, drm_resv_lock_killable, drm_gem_lock};
identifier unlock = {dma_resv_unlock, drm_gem_unlock};
iterator name drm_vmap_guard, drm_shmem_sgt_guard, drm_gem_sgt_guard;
iterator name drm_vmap_guard_interruptible, drm_shmem_sgt_guard_interruptible;
iterator name drm_gem_sgt_guard_interruptible;
statement S;
position p, q;
@@
 lock@q(resv, ...)
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
identifier lock = {dma_resv_lock, dma_resv_lock_interruptible, drm_resv_lock_killable, drm_gem_lock};
identifier unlock = {dma_resv_unlock, drm_gem_unlock};
iterator name drm_vmap_cpu_guard, drm_vmap_sync_guard, drm_shmem_cpu_guard;
iterator name drm_vmap_sync_guard_interruptible;
statement S;
position p, q;
@@
 lock@q(resv, ...)
 ... when != unlock(resv, ...)
(
 drm_vmap_cpu_guard@p(...) S
|
 drm_vmap_sync_guard@p(...) S
|
 drm_vmap_sync_guard_interruptible@p(...) S
|
 drm_shmem_cpu_guard@p(...) S
)

@script:python depends on report@
p << call.p;
q << call.q;
lock << call.lock;
f << call.f;
@@
if not failed(lock, q, p):
    print("%s:%s:%s: ERROR: %s() takes the reservation lock, which is held: %s" %
          (p[0].file, p[0].line, p[0].column, f, instead(f)))

@script:python depends on report@
p << scope.p;
q << scope.q;
lock << scope.lock;
@@
if not failed(lock, q, p):
    print("%s:%s:%s: ERROR: this takes the reservation lock, which is held: use its _locked form" %
          (p[0].file, p[0].line, p[0].column))

@script:python depends on report@
p << access.p;
q << access.q;
lock << access.lock;
@@
if not failed(lock, q, p):
    print("%s:%s:%s: ERROR: this takes the reservation lock, which is held: do this before you take it" %
          (p[0].file, p[0].line, p[0].column))

@definition@
identifier fn;
position p;
@@
 fn@p(...) { ... }

@script:python depends on report@
p << definition.p;
@@
if p[0].file not in seen:
    seen.add(p[0].file)
    read(p[0].file)
