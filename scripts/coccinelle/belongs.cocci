// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// A device is allocated with the drm_driver of another type of device.
// Misuse class 41. The drm_dev_ctx_entry() in a callback, or in a function that it calls, names
// the type of the device. spatch does not match types among arguments, so this reads the text.
virtual report

@initialize:python@
@@
import re
import drm_safe_names as names
from drm_safe_source import arguments, blanked
seen = set()
alloc = re.compile(r"\bdrm_dev_ctx_alloc(?:_parent)?\(")
ioctls = re.compile(r"\.ioctls\s*=\s*(\w+)")
entry = re.compile(r"\bDRM_DEV_CTX_IOCTL_DEF\(\s*(\w+)")
callback = re.compile(r"\.(?:open|postclose|release|gem_\w+|prime_\w+|dumb_\w+|show_fdinfo)\s*=\s*(\w+)")

# The types that a function, or a function that it calls, takes the device for
def takes(f, known=()):
    found = set()
    for name, _, _, called in names.driver().functions if f not in known else []:
        if name != f:
            continue
        for g, args in called:
            if g == "drm_dev_ctx_entry" and len(args) == 3:
                found.add(" ".join(args[1].split()))
            else:
                found |= takes(g, (*known, f))
    return found

# The text between the braces of an initialised variable
def initializer(declared):
    found = re.search(declared + r" = \x7b(.*?)^\x7d", names.driver().text, re.M | re.S)
    return found[1] if found else ""

# The handlers of a table of ioctls
def handlers(table):
    return [handler for name in entry.findall(initializer(r"\bDRM_DEV_CTX_IOCTLS\(%s\)" % table))
            for handler in re.findall(r"\bDRM_DEV_CTX_IOCTL(?:_UNGUARDED)?\(\s*%s,\s*(\w+)" % name,
                                      names.driver().text)]

# The callbacks of a struct drm_driver, and the handlers of its ioctls
def callbacks(x):
    own = initializer(r"\bstruct drm_driver %s" % x)
    return callback.findall(own) + [f for table in ioctls.findall(own) for f in handlers(table)]

def read(name):
    with open(name, errors="replace") as f:
        text = blanked(f.read())
    for call in alloc.finditer(text):
        args, _ = arguments(text, call.end())
        driver = re.fullmatch(r"&\s*(\w+)", args[-3].strip()) if len(args) >= 4 else None
        if not driver:
            continue
        own = " ".join(args[-2].split())
        others = set().union(*(takes(f) for f in callbacks(driver[1]))) - set([own])
        for other in sorted(others):
            print("%s:%s:1: ERROR: '%s' takes the device for a %s" %
                  (name, text.count("\n", 0, call.start()) + 1, driver[1], other))

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
