# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Find where a handler reaches the hardware from its argument without a proof.

The check depends on the structure, and not on the handler. The structure belongs to the driver, and
has both the argument of a handler, such as a work item, and access to the hardware: the
registration data, or a mapping of registers and the like. Each function that goes from the item to
the structure is reported, also a helper function, and also if a macro does so. If a handler gets a
``void *``, the check looks for a conversion to such a structure in the handler and in the functions
that it calls.

This reads the text, because spatch does not know the types of members, and takes the driver's
macros for functions.
"""
import functools
import re

import drm_safe_names as names
from drm_safe_source import BLANK, arguments, blanked, calls, functions

# The kernel's macros that go from a member to its structure, by a type or by a variable's type
OF_TYPE = {"container_of", "container_of_const"}
OF_VARIABLE = {"from_work", "from_timer", "timer_container_of", "from_tasklet"}
FORMS = re.compile(rf"\b({'|'.join(sorted(OF_TYPE | OF_VARIABLE))}|offsetof)\s*\(")
MACRO = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)\(([^()]*)\)((?:\\\n|[^\n])*)", re.M)


def without_comments(text):
    """Return the text without comments. Unlike blanked(), keep the preprocessor lines."""
    return BLANK.sub(lambda m: m[0] if m[0].lstrip().startswith("#") else re.sub(r"[^\n]", " ", m[0]), text)


def variable_type(name, text):
    """Return the tag of the structure that a variable points to, by its last declaration."""
    found = re.findall(rf"\bstruct (\w+)\s*(?:const\s*)?\*[^;(){{}}]*?\b{name}\b", text)
    return found[-1] if found else ""


def tag_of(kind, before):
    """Return the tag of a type in the form of container_of()."""
    if found := re.fullmatch(r"(?:const\s+)?struct\s+(\w+)", kind):
        return found[1]
    found = re.fullmatch(r"(?:__)?typeof(?:__)?\s*\(\s*\*\s*\(?(\w+)\)?\s*\)", kind)
    return variable_type(found[1], before) if found else ""


def form(name, args, before):
    """Return the structure and the member of a use of one of these macros, or nothing."""
    if name == "offsetof" and len(args) == 2 and re.search(r"-\s*$", before):
        return tag_of(args[0], before), args[1]
    if name in OF_TYPE and len(args) == 3:
        return tag_of(args[1], before), args[2]
    if name in OF_VARIABLE and len(args) == 3:
        return variable_type(args[0], before), args[2]
    return "", ""


@functools.cache
def macros():
    """Return the driver's macros: parameters and body."""
    return {name: ([p.strip() for p in params.split(",")], body.replace("\\\n", " "))
            for name, params, body in MACRO.findall(without_comments(names.driver().text))}


def uses(code, before, known):
    """Yield where code goes from a member to a structure: place, structure, member."""
    for found in FORMS.finditer(code):
        args, _ = arguments(code, found.end())
        yield (found.start(), *form(found[1], args, before + code[:found.start()]))
    for found in re.finditer(r"\b(\w+)\s*\(", code):
        if found[1] in known:
            params, body = known[found[1]]
            args = dict(zip(params, arguments(code, found.end())[0]))
            given = re.sub(r"\b\w+\b", lambda m, args=args: args.get(m[0], m[0]), body)
            others = {name: macro for name, macro in known.items() if name != found[1]}
            for _, tag, member in uses(given, before + code[:found.start()] + " ", others):
                yield found.start(), tag, member


def proven(params):
    """Return True if a function has a parameter with a proof."""
    return any(re.search(rf"\bstruct (?:{'|'.join(map(re.escape, sorted(names.names('proof'))))}) ?\*", p)
               for p in params)


def said(function, params, tag, member, freed):
    """Return the text of the report for a place, or nothing."""
    what = names.driver().hardware.get(tag)
    item = names.driver().item(tag, member)
    if not what or freed and item in ("rcu_head", "callback_head"):
        return ""
    if item in names.OWN_ITEMS:
        # Apart from the registration data, the hardware may belong to the item.
        if not what.startswith("the reg"):
            return ""
        return f"take the registration data from the argument of {function}(), not from its struct {item}"
    if not item and (proven(params) or not names.driver().wraps(tag, member)):
        return ""
    return f"{function}() reaches {what} struct {tag}{',' * what.endswith(',')} without a proof: see drm_dev_ctx_async.h"


def untyped(function, params, body):
    """Yield where a handler converts its void * to a structure: place, structure."""
    pointers = [m[1] for p in params if (m := re.fullmatch(r"(?:const )?void ?\* ?(\w+)", " ".join(p.split())))]
    if function not in names.driver().handlers or not pointers or proven(params):
        return
    given = rf"(?:{'|'.join(pointers)})"
    for found in re.finditer(rf"\b(\w+)\s*=\s*{given}\s*[;,]", body):
        yield found.start(1), variable_type(found[1], body[:found.end(1)])
    for found in re.finditer(rf"\(\s*(?:const )?struct (\w+) \*\s*\)\s*{given}\b", body):
        yield found.start(), found[1]
    taking = {name: params for name, _, params, _ in names.driver().functions}
    for found in re.finditer(r"\b(\w+)\s*\(", body):
        for param, arg in zip(taking.get(found[1], []), arguments(body, found.end())[0]):
            if re.fullmatch(given, arg) and (tag := re.match(r"(?:const )?struct (\w+) ?\*", param)):
                yield found.start(), tag[1]


def places(text):
    """Yield all places of a text, and the text of the report for each."""
    known, plain = macros(), blanked(text)
    for name, _, params, start, end in functions(plain):
        body, head = plain[start:end], "; ".join(params) + "; "
        for at, tag, member in uses(body, head, known):
            freed = re.search(r"(\w+)\s*\(\s*$", body[:at])
            yield start + at, said(name, params, tag, member, freed and freed[1] in names.FREES)
        for at, tag in untyped(name, params, body):
            if what := names.driver().hardware.get(tag):
                yield start + at, f"{name}() reaches {what} struct {tag}{',' * what.endswith(',')} " \
                    "without a proof: see drm_dev_ctx_async.h"


def reached(path):
    """Return all places of a file: line, column and text of the report."""
    text = names.read(path)
    return sorted({(text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at) - 1, what)
                   for at, what in places(text) if what})
