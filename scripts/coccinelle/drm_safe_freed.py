# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Find where a function frees a structure, but does not give back the owned handles in it.

A function that frees a structure must pass each owned handle in it to a function that ends the
handle, or pass the structure to a function that does so. A function that allocated the structure
may free it while it is empty. The rule in leaked.cocci follows this case.

No function may free an object or a device of the library, because its last reference does.

This reads the text, because only the types show the handles of a structure.
"""
import re

import drm_safe_names as names
from drm_safe_source import blanked, calls, functions


def variables(params, body):
    """Return the pointers to structures with owned handles, and the initial value of each."""
    owners = "|".join(names.driver().owners)
    if not owners:
        return
    for param in params:
        if found := re.fullmatch(rf"(?:const )?struct ({owners}) \*\s*(\w+)", param):
            yield found[2], found[1], ""
    for found in re.finditer(rf"\bstruct ({owners}) \*\s*(\w+)([^;]*);", body):
        yield found[2], found[1], found[3]


def allocated(variable, body):
    """True if the function may have made the structure."""
    for made in re.findall(rf"\b{variable}\s*(?:__free\(\w+\)\s*)?=(?!=)\s*([^;]*);", body):
        if any(names.ALLOCATES.fullmatch(callee) for callee, _ in calls(made)):
            return True
    return False


def ending(kind):
    """Return how to end a handle of a kind, or a structure with such handles."""
    if kind in names.driver().owners:
        return "end"
    return names.ENDS.get(kind, "drm_vmap_cleanup") + "()"


def arrays(body, called):
    """Yield owned handles that are freed through a pointer in a structure: place, what, kind."""
    pointers = {name: tag for _, members in names.driver().structs() for tag, name in
                re.findall(r"^\s+struct (\w+) \*(\w+);", members, re.M)
                if tag in names.names("owned")}
    for found in re.finditer(rf"\b(?:{'|'.join(names.FREES)})\(\s*\w+->(\w+)\s*[,)]", body):
        member = found[1]
        if member in pointers and not re.search(rf"->{member}\s*=(?!=)", body) and not any(
                re.search(rf"->{member}\b", arg) for callee, args in called
                if callee not in names.FREES for arg in args):
            yield found.start(), member, pointers[member]


def freed(path):
    """Yield structures that are freed with owned handles in them: line, text."""
    with open(path, errors="replace", encoding="utf-8") as file:
        text = blanked(file.read())
    for _, _, params, start, end in functions(text):
        body = text[start:end]
        called = calls(body)
        for at, member, kind in arrays(body, called):
            yield text.count("\n", 0, start + at) + 1, \
                "'%s' are freed without their end: call %s for each first" % (member, ending(kind))
        for variable, tag, _ in variables(params, body):
            free = re.search(rf"\b({'|'.join(names.FREES)})\(\s*{variable}\s*[,)]", body)
            if not free or allocated(variable, body):
                continue
            line = text.count("\n", 0, start + free.start()) + 1
            for member, kind in names.driver().owners[tag].items():
                if not names.driver().hands_on(variable, member, called):
                    yield line, "'%s' is freed with its '%s': call %s for it first" % (
                        variable, member, ending(kind))


def wrong_ends(path):
    """Yield variables whose cleanup is for another kind of handle or object: line, text."""
    with open(path, errors="replace", encoding="utf-8") as file:
        text = blanked(file.read())
    mappings = names.names("owned") - names.ENDS.keys()
    for found in re.finditer(r"\bstruct (\w+)\s+(\*?)\s*(\w+)(?:\[\w*\])?\s+__cleanup\(drm_vmap_cleanup\)", text):
        if found[1] not in mappings or found[2]:
            yield text.count("\n", 0, found.start()) + 1, \
                "'%s' is no owned mapping, and drm_vmap_cleanup() takes it for one" % found[3]
    classes = "|".join(names.CLASSES)
    for found in re.finditer(rf"\b((?:struct )?\w+)(\s*\*+\s*|\s+)(\w+)\s+__free\(({classes})\)", text):
        what, called = names.CLASSES[found[4]]
        kind = names.tag(found[1]) if found[2].strip() == "*" else ""
        if found[1] != "auto" and not (kind and names.driver().begins_with(kind, what, path)):
            yield text.count("\n", 0, found.start()) + 1, \
                "'%s' is no %s, and __free(%s) takes it for one" % (found[3], called, found[4])


def counted(path):
    """Yield structures that are freed although references may be left: line, text."""
    with open(path, errors="replace", encoding="utf-8") as file:
        text = blanked(file.read())
    structs = names.driver().embedding
    frees = "|".join(names.FREES)
    pointer = re.compile(rf"\bstruct ({'|'.join(structs)}) \*\s*(\w+)\b(?:\s+__free\((\w+)\))?")
    for _, _, params, start, end in functions(text):
        # Only the types of variables and parameters of this function are known.
        for found in [*pointer.finditer(text, start, end), *(m for p in params for m in pointer.finditer(p))]:
            tag, variable, cleanup = found.groups()
            places = [m.start() for m in re.compile(
                rf"\b(?:{frees})\(\s*(?:no_free_ptr\(\s*)?{variable}\s*[,)]").finditer(text, start, end)]
            if cleanup in names.FREES:
                places.append(found.start())
            for at in places:
                yield text.count("\n", 0, at) + 1, \
                    "'%s' goes with its last reference: give it up with %s" % (variable, structs[tag])


def published(path):
    """Yield objects that are published although a lookup by id returned them: line, text."""
    with open(path, errors="replace", encoding="utf-8") as file:
        text = blanked(file.read())
    for _, _, _, start, end in functions(text):
        for found in re.compile(r"\b(\w+)\s*(?:__free\(\w+\)\s*)?=\s*drm_dev_ctx_id_lookup\(").finditer(text, start, end):
            use = re.compile(rf"\b{found[1]}\s*=(?!=)|\bdrm_dev_ctx_id_publish\([^;,]*,\s*&\s*{found[1]}\s*\)").search(
                text, found.end(), end)
            if use and use[0].startswith("drm_dev_ctx_id_publish"):
                yield text.count("\n", 0, use.start()) + 1, \
                    "'%s' has an id: publishing it once more leaks a reference" % found[1]
