// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// Memory of userspace is accessed in a section.
// Misuse class 36. Userspace decides when the page fault ends, and an unplug waits for that.
// Checks functions that get the proof, and code from the start of a section or block to the end of
// the surrounding block. Follows calls of the driver's own functions. spatch does not see the end of
// the macros' scopes, so this reads the text.
virtual report

@initialize:python@
@@
import re
import drm_safe_names as names
from drm_safe_source import blanked, functions, library, opened
seen = set()
opens = re.compile(r"\b(%s)\(" % "|".join(library().device_scopes()))

def copies(f):
    return names.COPIES_USER.fullmatch(f) or f in names.driver().copying

def sections(params, body):
    if any(tag in names.names("section") for p in params
           for tag in re.findall(r"^const struct (\w+) \*", p)):
        yield 0, len(body)
    for macro in opens.finditer(body):
        yield opened(body, macro, macro[1].endswith("or"))

def read(name):
    with open(name, errors="replace") as f:
        text = blanked(f.read())
    for _, _, params, start, end in functions(text):
        body, said = text[start:end], set()
        for begin, stop in sections(params, body):
            for m in re.finditer(r"\b(\w+)\(", body[begin:stop]):
                at = start + begin + m.start()
                if copies(m[1]) and at not in said:
                    said.add(at)
                    print("%s:%s:1: ERROR: %s() may wait for userspace in a section, which an unplug waits for" %
                          (name, text.count("\n", 0, at) + 1, m[1]))

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
