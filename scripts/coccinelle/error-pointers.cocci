// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// A result that is a pointer or an ERR_PTR() is tested for NULL.
// Misuse classes 7 and 29.
virtual report

@tested@
identifier x;
position p;
@@
(
 !x@p
|
 x@p == NULL
)

@initialize:python@
@@
import re
import drm_safe_names as names

# The function whose result x got last. This reads the text, because spatch does not see the
# initialisation of a variable with __free().
def made_by(p, x):
    with open(p[0].file, errors="replace") as f:
        text = "".join(f.readlines()[:int(p[0].line) - 1])
    text = text[text.rfind("\n{") + 1:]
    sets = list(re.finditer(r'\b%s\b(?:\s+__free\(\w+\))?\s*=\s*(\w+)\(' % x, text))
    # A function that returns an error code may have such a name, too.
    if not sets or not re.search(r'\*\s*%s\b' % x, text):
        return None
    if re.search(r'ERR\w*\(%s\)' % x, text[sets[-1].end():]):
        return None
    return sets[-1][1] if sets[-1][1] in names.names("error_pointer") else None

@script:python depends on report@
p << tested.p;
x << tested.x;
@@
f = made_by(p, x)
if f:
    print("%s:%s:%s: ERROR: %s() returns an ERR_PTR() and never NULL: test '%s' with IS_ERR()" %
          (p[0].file, p[0].line, p[0].column, f, x))
