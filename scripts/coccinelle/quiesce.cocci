// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// Quiesce does not end code that runs later.
// Misuse class 37. Checks work items, timers and tasklets in the registration data, and interrupts
// that the driver requests, also with devm_request_irq(): devres frees them after the data. Quiesce,
// or a function that it calls, must call the functions that end them. This reads the text.
virtual report

@initialize:python@
@@
import re
import drm_safe_names as names
from drm_safe_source import blanked, calls, functions
seen = set()
member = re.compile(r"^\s+struct (?:work_struct|delayed_work|timer_list|hrtimer|tasklet_struct|kthread_work"
                    r"|kthread_delayed_work|irq_work|rcu_work) (\w+);", re.M)
arms = re.compile(r"\b((?:__)?(?:INIT_\w*WORK\w*|timer_setup\w*|hrtimer_setup\w*|hrtimer_init|tasklet_(?:init|setup)"
                  r"|kthread_init_(?:delayed_)?work|init_irq_work))\(\s*&\s*(\w+)->(\w+)\s*[,)]")
irqs = re.compile(r"\b((?:devm_|pci_)?request_(?:threaded_|any_context_|percpu_)?irq)\(")
ends_irq = re.compile(r"(?:devm_|pci_)?free_irq|disable_irq\w*|disable_percpu_irq|free_percpu_irq|synchronize_irq")
ends = re.compile(r"(?:disable|cancel)_(?:delayed_|rcu_)?work_sync|flush_(?:delayed_|rcu_)?work"
                  r"|timer_(?:shutdown|delete)_sync|hrtimer_cancel|tasklet_(?:kill|disable)"
                  r"|kthread_(?:cancel_(?:delayed_)?work_sync|flush_work)|irq_work_sync")

# The items in registration data that run code later, by structure
def later():
    return {tag: set(member.findall(blanked(body))) for tag, body in names.driver().structs()
            if re.search(r"\bstruct drm_dev_ctx_data \w+;", body)}

# The calls of quiesce, and of the functions that it calls. Take functions of this file from its
# text.
def ended(text):
    own = {f: calls(text[start:end]) for f, _, _, start, end in functions(text)}
    known = {}
    for f, _, _, called in names.driver().functions:
        known[f] = known.get(f, []) + called
    known |= own
    todo = set(re.findall(r"\.quiesce\s*=\s*(\w+)", names.driver().text))
    done, found = set(), []
    while todo:
        f = todo.pop()
        done.add(f)
        found += known.get(f, [])
        todo |= {callee for callee, _ in known.get(f, []) if callee in known} - done
    return found

# The tag of the structure that a variable of a function points to
def tag_of(params, body, variable):
    found = re.search(r"\bstruct (\w+) \*\s*%s\b" % variable, " ".join(params) + ";" + body)
    return found[1] if found else ""

def say(name, text, at, what, how):
    print("%s:%s:1: ERROR: quiesce does not end %s: call %s there" %
          (name, text.count("\n", 0, at) + 1, what, how))

def read(name):
    with open(name, errors="replace") as f:
        text = blanked(f.read())
    data, found = later(), ended(text)
    if not data:
        return
    for _, _, params, start, end in functions(text):
        body = text[start:end]
        for m in arms.finditer(body):
            tag = tag_of(params, body, m[2])
            if m[3] in data.get(tag, ()) and not any(
                    ends.fullmatch(f) and re.search(r"\b%s\b" % m[3], arg)
                    for f, args in found for arg in args):
                say(name, text, start + m.start(), "'%s' of struct %s" % (m[3], tag),
                    "disable_work_sync(), timer_shutdown_sync() or the like")
        for m in irqs.finditer(body):
            if not any(ends_irq.fullmatch(f) for f, _ in found):
                say(name, text, start + m.start(), "the interrupt of %s()" % m[1], "free_irq()")

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
