# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Read C: the functions of a text, and the library's macros, declarations and kernel-doc."""
import functools
import pathlib
import re

BLANK = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'"
                   r"|^[ \t]*#(?:\\\n|[^\n])*", re.S | re.M)


def arguments(code, start):
    """Return the arguments after the parenthesis before a place, and the place at which they
    end."""
    args, depth, begin = [], 0, start
    for at in range(start, len(code)):
        sign = code[at]
        if sign == "," and not depth or sign == ")" and not depth:
            args.append(code[begin:at].strip())
            begin = at + 1
            if sign == ")":
                return args, at + 1
        depth += (sign in "([{") - (sign in ")]}")
    return args, len(code)


def closing(code, start):
    """Return the end of the block that opens before a place."""
    depth = 1
    for at in range(start, len(code)):
        depth += (code[at] == "{") - (code[at] == "}")
        if not depth:
            return at
    return len(code)


def opened(code, scope, rest):
    """Return the part of the code in which a scope is open, as start and end. @scope matches the
    macro and its bracket. The scope is the block or statement after it, or with @rest, the rest of
    the block around it."""
    at = arguments(code, scope.end())[1]
    if rest:
        return at, closing(code, at)
    block = re.match(r"\s*\{", code[at:])
    return at, closing(code, at + block.end()) if block else code.find(";", at) + 1


def calls(code):
    """Return the calls in some code: names and arguments. A scope calls its constructor."""
    found = [(m[1], arguments(code, m.end())[0]) for m in re.finditer(r"\b(\w+)\(", code)]
    return found + [(f"class_{args[0]}_constructor", args[1:]) for name, args in found
                    if name in ("CLASS", "scoped_guard", "guard") and args]


def kernel_doc(path):
    """Yield the subject and the text of each kernel-doc comment of a file."""
    for text in re.findall(r"/\*\*\n(.*?)\*/", path.read_text(encoding="utf-8"), re.S):
        text = re.sub(r"^\t* \* ?", "", text, flags=re.M)
        found = re.match(r"(?:DOC: (.*)|(@\w+):|(?:(?:struct|union|enum|define) )?(\w+)(?:\(\))?)",
                         text)
        if found:
            yield (found[1] or found[2] or found[3]).strip(), text
    for member, text in re.findall(r"/\*\* (@\w+): (.*?)\*/", path.read_text(encoding="utf-8"),
                                   re.S):
        yield member, re.sub(r"\n\t* \* ?", " ", text)


def blanked(text):
    """Blank comments, strings and preprocessor lines. All other characters keep their places."""
    return BLANK.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)


def functions(text):
    """Yield the functions of a blanked text: name, return type, parameters, start and end of the
    body."""
    at = 0
    while (brace := text.find("{", at)) >= 0:
        end = closing(text, brace + 1)
        start = at + text[at:brace].rfind(";") + 1
        head = text[start:brace]
        # Only attributes may follow the parameters.
        found = re.search(r"\b(?!__\w+\s*\()(\w+)\s*\(", head)
        if found and "=" not in head:
            params, _ = arguments(text, start + found.end())
            yield found[1], head[:found.start()], params, brace + 1, end
        at = end + 1


class Source:
    """The library's sources, without comments."""

    def __init__(self, top):
        self.paths = sorted(top.glob("drm_*.[ch]"))
        self.code = "\n".join(p.read_text(encoding="utf-8") for p in self.paths)
        self.code = re.sub(r"/\*.*?\*/|//[^\n]*", " ", self.code, flags=re.S)
        self.macros = {}
        for name, rest in re.findall(r"^#define (\w+)\(((?:.*\\\n)*.*)", self.code, re.M):
            params, end = arguments(rest, 0)
            self.macros[name] = params, rest[end:].replace("\\\n", "\n")
        self.functions = self.declared(self.code)

    @staticmethod
    def declared(code):
        """Return the annotations after the parameters of each declared function."""
        found = {}
        for name in re.finditer(r"^[ \t]*\w[\w \t*]*[ \t\n*](\w+)\(", code, re.M):
            _, end = arguments(code, name.end())
            if tail := re.match(r"[^;{}#=]*(?=[;{])", code[end:end + 400]):
                found[name[1]] = found.get(name[1], "") + tail[0]
        return found

    def expanded(self, name, args):
        """Return the body of a macro with its arguments filled in, with a space around each."""
        names, body = self.macros[name]
        for param, arg in zip(names, args or []):
            body = re.sub(rf"(?:##\s*)?\b{param}\b(?:\s*##)?", lambda m, a=arg:
                          a if "##" in m[0] else f" {a} ", body) if param.isidentifier() else body
        return body

    def annotated(self, name, text, args=None, seen=()):
        """Return True if the declaration of a function has an annotation, or one that a macro
        calls."""
        if text in self.functions.get(name, ""):
            return True
        if name in seen or name not in self.macros:
            return False
        return any(self.annotated(called, text, given, (*seen, name))
                   for called, given in calls(self.expanded(name, args)))

    @functools.cached_property
    def contexts(self):
        """The "Context" of the kernel-doc of each function and macro."""
        found = {}
        for path in self.paths:
            for about, text in kernel_doc(path):
                if context := re.search(r"^Context:(.*?)(?:\n\s*\n|\Z)", text, re.M | re.S):
                    found[about] = " ".join(context[1].split())
        return found

    def sleeps(self, name, args=None, seen=()):
        """Return True if the kernel-doc of a function, or of a call in a macro, says that it may
        sleep."""
        if context := self.contexts.get(name):
            if re.search(r"\b[Mm]ay sleep\b(?! if)", context):
                return True
            # "As drm_shmem_sgt_guard()", but not "Any. As drm_vmap_release() if ..."
            same = re.match(r"As ((?:drm|__drm)\w+)\(\)", context)
            return bool(same) and same[1] not in seen and self.sleeps(same[1], None, (*seen, name))
        if self.locks(name, args):
            return True
        if name in seen or name not in self.macros:
            return False
        return any(self.sleeps(called, given, (*seen, name))
                   for called, given in calls(self.expanded(name, args)))

    def locks(self, name, args=None):
        """Return True if a function must not be called with a reservation lock held."""
        return self.annotated(name, "__must_not_hold(drm_resv)", args)

    @functools.cached_property
    def public(self):
        """The functions and macros of the library's headers that a driver calls."""
        headers = "\n".join(p.read_text(encoding="utf-8") for p in self.paths
                            if p.suffix == ".h" and "_internal" not in p.name)
        called = set(re.findall(r"\b(drmm?_(?!gem_(?!sgt_))[a-z]\w*)\(", headers))
        return called & {*self.functions, *self.macros}

    @functools.cached_property
    def scopes(self):
        """The macros that open a block or a scope: name, and index of the argument that they
        declare."""
        found = {}
        for path in self.paths:
            for about, text in kernel_doc(path):
                declares = re.search(r"^@(\w+): name of the (?:proof|handle|&struct drm_gpu\w+)",
                                     text, re.M)
                if about in self.macros and declares:
                    found[about] = self.macros[about][0].index(declares[1])
        return found

    def not_jumped(self, name, args, seen=()):
        """Return the variable of a macro that no jump may skip, or nothing."""
        for called, given in calls(self.expanded(name, args)):
            if called == "__drm_safe_no_jump":
                return given[0].strip()
            if called in self.macros and called not in (*seen, name) and \
                    (found := self.not_jumped(called, given, (*seen, name))):
                return found
        return None

    def skipped(self):
        """The public macros that declare such a variable: name, and index of the argument."""
        found = {}
        for name, (params, _) in self.macros.items():
            if not name.startswith("__") and (arg := self.not_jumped(name, params)) in params:
                found[name] = params.index(arg)
        return found

    @functools.cached_property
    def borrowed(self):
        """The functions and macros whose kernel-doc says that the result is borrowed."""
        return {about for path in self.paths for about, text in kernel_doc(path)
                if re.search(r"^Return:[^.;]*\bborrowed\b", text, re.M)}

    def device_scopes(self, live=True):
        """Return the macros that open a section or a block of a device. Without @live, only
        sections count."""
        proofs = {about for path in self.paths for about, text in kernel_doc(path)
                  if re.search(r"^@\w+: name of the proof", text, re.M)}
        return sorted(name for name in proofs & self.macros.keys() if name.startswith("drm_dev_ctx_") and
                      (live or not re.search("live|callback", name)))

    def is_block(self, name):
        """Return True if a block follows the macro."""
        return bool(re.search(r"\bfor \(", self.expanded(name, None))) or \
            any(self.is_block(called) for called, _ in calls(self.macros[name][1])
                if called in self.macros and called != name)

    def body(self, name, args, seen=()):
        """Return a macro with its declaring macros expanded."""
        text = self.expanded(name, args)
        for called in re.finditer(r"\b(__DRM_\w+)\(", text):
            if called[1] in self.macros and called[1] not in (*seen, name):
                given, _ = arguments(text, called.end())
                text += "\n" + self.body(called[1], given, (*seen, name))
        return text

    def given(self, macro, check):
        """Return patterns for the functions that a declaring macro defines for a driver, and that
        pass a check."""
        params = self.macros[macro][0]
        text = self.body(macro, ["NAME", *params[1:]])
        bodies = {}
        for name in re.finditer(r"^[ \t]*\w[\w \t*]*[ \t\n*](\w*NAME\w*)\(", text, re.M):
            _, end = arguments(text, name.end())
            if tail := re.match(r"([^;{}#=]*)\{", text[end:]):
                start = end + tail.end()
                bodies[name[1]] = tail[1], text[start:closing(text, start)]
        known = set()
        while more := {name for name, (tail, inner) in bodies.items() if name not in known and
                       (check(name, tail) or any(called in known or check(called, "", given)
                                                 for called, given in calls(inner)))}:
            known |= more
        return {name.replace("NAME", "{}") for name in known if not name.startswith("__")}

    def declaring(self):
        """The macros that declare a driver's functions, and take their prefix first."""
        return [name for name, (params, _) in self.macros.items()
                if re.match(r"(DEFINE_)?DRM_[A-Z_]+$", name) and params[:1] == ["_name"]]

    def lists(self, check):
        """Return the library's functions that pass a check, and patterns for each declaring
        macro."""
        own = {name for name in self.public if check(name, "")}
        return own, {macro: found for macro in self.declaring()
                     if (found := self.given(macro, check))}

    def locking(self):
        """The functions that take a reservation lock, see lists()."""
        return self.lists(lambda name, tail, args=None: "__must_not_hold(drm_resv)" in tail or
                          self.locks(name, args))

    def sleeping(self):
        """The functions that may sleep, see lists()."""
        return self.lists(lambda name, tail, args=None: "__must_not_hold(drm_resv)" in tail or
                          self.sleeps(name, args))


@functools.cache
def library():
    """Return the sources of the library that these rules belong to."""
    return Source(pathlib.Path(__file__).resolve().parents[2])
