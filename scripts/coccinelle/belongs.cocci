// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// A device is allocated with the drm_driver of another type of device.
// Misuse class 41. Where callbacks are those of the kernel or of the driver alone, nothing is
// said.
virtual report

@initialize:python@
@@
import re
import drm_safe_names as names
callback = re.compile(r"\.(?:open|postclose|ioctls)\s*=\s*(\w+?)_(?:drm_open|drm_postclose|ioctls)\b")

def is_alloc(f):
    return f.endswith(("_dev_alloc", "_dev_alloc_parent"))

# The types whose callbacks a struct drm_driver has
def types(x):
    found = re.search(r"\bstruct drm_driver %s = \x7b(.*?)^\x7d" % x, names.driver().text, re.M | re.S)
    return set(callback.findall(found[1])) & names.names("ctx") if found else set()

@call@
identifier f : script:python() { is_alloc(f) };
identifier x;
position p;
@@
 f@p(..., &x)

@script:python depends on report@
p << call.p;
f << call.f;
x << call.x;
@@
own = re.sub(r"_dev_alloc(_parent)?$", "", f)
for other in sorted(types(x) - set([own])) if own in names.names("ctx") else []:
    print("%s:%s:%s: ERROR: %s() is given '%s', which has callbacks of '%s'" %
          (p[0].file, p[0].line, p[0].column, f, x, other))
