// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// A block of a live device waits without a limit.
// Misuse class 36. The data is released when all blocks have been left, so an unbind waits for the
// block. A device that was never registered has no stop step, so nothing ends the wait. Checks
// blocks, and functions that get the proof, but not sections, whose waits stop can end. Follows calls
// of the driver's own functions. This reads the text.
virtual report

@initialize:python@
@@
import re
import drm_safe_names as names
from drm_safe_source import arguments, blanked, functions, library, opened
seen = set()
opens = re.compile(r"\b(%s)\(" % "|".join(name for name in library().device_scopes()
                                          if re.search("live|callback", name)))
given = re.compile(r"^const struct drm_dev_ctx_live \*")

def blocks(params, body):
    if any(given.match(p) for p in params):
        yield 0, len(body)
    for macro in opens.finditer(body):
        yield opened(body, macro, macro[1].endswith("or"))

def waits(text, call):
    return names.waits(call[1], arguments(text, call.end())[0]) or call[1] in names.driver().waiting

def read(name):
    with open(name, errors="replace") as f:
        text = blanked(f.read())
    for _, _, params, start, end in functions(text):
        body, said = text[start:end], set()
        for begin, stop in blocks(params, body):
            for call in re.compile(r"\b(\w+)\(").finditer(body, begin, stop):
                at = start + call.start()
                if waits(body, call) and at not in said:
                    said.add(at)
                    print("%s:%s:1: ERROR: %s() may wait without end in a block, which an unbind waits for: use drm_dev_ctx_wait_event(), or a time limit" %
                          (name, text.count("\n", 0, at) + 1, call[1]))

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
