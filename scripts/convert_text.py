# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""For convert.py: edit comments, functions and sections in the text of C files."""
import re

CALL = r"\((?:[^()]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))*\)"
WIDTH = 100
FUNCTION = re.compile(r"^(?P<head>(?:\w[\w \t*]*\n)?(?:[a-z_][\w \t*]*?\b)??(?P<name>\w+)(?P<params>\([^;{}]*?\)))\n"
                      r"\{\n(?P<body>.*?)^\}\n", re.M | re.S)


def without_comments(text):
    """Blank comments and strings, and keep all lines."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match[0]) if match[0][0] == "/" else '""'

    return re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"", blank, text, flags=re.S)


def functions(text):
    """Find all definitions of functions. A match has head, name, params and body."""
    return FUNCTION.finditer(text)


def edit_functions(text, edit):
    """Change functions. edit(head, name, params, body) returns the new head and body, or None."""
    def function(match):
        new = edit(match["head"], match["name"], match["params"], match["body"])
        return f"{new[0]}\n{{\n{new[1]}}}\n" if new else match[0]

    return FUNCTION.sub(function, text)


def tidy(body):
    """Drop blank lines that an edit left."""
    body = re.sub(r"\n{3,}", "\n\n", body)
    body = re.sub(r"\n\n(\t*\})", r"\n\1", body)
    body = re.sub(r"\{\n\n", "{\n", body)
    body = re.sub(r"^\t+\n", "", body, flags=re.M)
    return body.lstrip("\n").rstrip("\n") + "\n" if body.strip() else ""


def drop_variable(body, name):
    """Drop the declaration of a variable if nothing uses it."""
    if len(re.findall(rf"(?<!->)(?<!\.)\b{name}\b", without_comments(body))) != 1:
        return body

    def declaration(match):
        names = [n for n in re.split(r",\s*", match["names"]) if not re.match(rf"\**{name}\b", n)]
        return f"{match['type']}{', '.join(names)};\n" if names else ""

    return re.sub(rf"^(?P<type>\t+(?:const )?(?:struct \w+|int|unsigned int|u32|bool|size_t|void) )"
                  rf"(?P<names>[^;()]*\b{name}\b[^;()]*(?:= [^;]*)?);\n", declaration, body, count=1, flags=re.M)


def drop_exits(text, idx):
    """Drop drm_dev_exit(), and braces that were only needed for it."""
    text = re.sub(rf"\{{\n\t+drm_dev_exit\({idx}\);\n(\t+)(return\b[^;{{}}]*;|goto \w+;)\n\t+\}}(?! else)\n",
                  r"\n\1\2\n", text)
    text = re.sub(rf"^\t+drm_dev_exit\({idx}\);\n", "", text, flags=re.M)
    return re.sub(r"[ \t]+\n", "\n", text)


def end_labels(body):
    """Replace jumps to a label at the end of a function by returns."""
    found = re.search(r"^(\w+):\n*\Z", body, re.M)
    while found:
        label = found[1]
        body = re.sub(rf"\bgoto {label};", "return;", body[:found.start()])
        found = re.search(r"^(\w+):\n*\Z", body, re.M)
    return re.sub(r"\n\treturn;\n\Z", "\n", body).rstrip("\n") + "\n"


def unused_labels(body):
    """Drop labels that no goto names."""
    for label in re.findall(r"^(\w+):$", body, re.M):
        if label != "default" and not re.search(rf"\bgoto {label};", body):
            body = re.sub(rf"^{label}:\n", "", body, count=1, flags=re.M)
    return body


def merged_labels(body):
    """With one label where several stand for the same place"""
    while found := re.search(r"^(\w+):\n(\w+):\n", body, re.M):
        body = re.sub(rf"\bgoto {found[1]};", f"goto {found[2]};", body.replace(found[0], f"{found[2]}:\n", 1))
    return body


def free_by_scope(body):
    """
    Free memory by the end of its scope, if each path out of the rest of the function frees it.
    <linux/cleanup.h> forbids to mix such scopes with gotos to a cleanup label.
    """
    found = re.search(r"^(?P<label>\w+):\n\tkfree\((?P<name>\w+)\);\n\treturn (?P<result>\w+);\n\Z", body, re.M)
    if not found:
        return body
    name, label, result = found["name"], found["label"], found["result"]
    declared = re.search(rf"^\t(?P<type>(?:struct )?\w+) \*{name};\n", body, re.M)
    made = re.search(rf"^\t{name} = k[mzc]alloc\w*\([^;]*\);\n\tif \(!{name}\)\n\t\treturn [^;]*;\n", body, re.M)
    if not declared or not made or declared.end() > made.start():
        return body
    rest = body[made.end():found.start()]
    ways = re.findall(rf"^\t*kfree\({name}\);\n\n?(?=\t*return\b)", rest, re.M)
    if len(ways) != len(re.findall(r"\breturn\b", rest)) or len(re.findall(rf"\b{name} = ", body)) != 1 \
            or rest.count(f"kfree({name})") != len(ways) or f"goto {label};" in body[:made.start()]:
        return body
    rest = re.sub(rf"^\t*kfree\({name}\);\n\n?(?=\t*return\b)", "", rest, flags=re.M)
    # Labels that only end the section fell through to the label that was dropped.
    ends = re.search(r"(?:^\w+:\n\tdrm_dev_exit\(\w+\);\n)*\Z", rest, re.M)[0]
    labels = [label, *re.findall(r"^(\w+):", ends, re.M)]
    rest = rest[:len(rest) - len(ends)].rstrip("\n") + "\n"
    # Class Section looks for drm_dev_exit() and drops it, so keep it here.
    idx = re.search(r"drm_dev_exit\((\w+)\);", ends)
    leave = rf"\1drm_dev_exit({idx[1]});\n\1" if idx else r"\1"
    for jump in labels:
        at = leave if jump != label else r"\1"
        rest = re.sub(rf"^(\t+){result} = (-E\w+);\n\t+goto {jump};\n", rf"{at}return \2;\n", rest, flags=re.M)
        rest = re.sub(rf"^(\t+)goto {jump};\n", rf"{at}return {result};\n", rest, flags=re.M)
    # The change only helps if no jump is left, and the rest must not fall through to the dropped
    # label.
    if re.search(r"\bgoto\b", rest) or not re.search(r"^\treturn\b[^;]*;\n\Z", rest, re.M):
        return body
    rest = re.sub(r" \{\n(\t+return [^;]*;\n)\t+\}\n", r"\n\1", rest)
    made = re.sub(rf"^\t{name} = ", f"\t{declared['type']} *{name} __free(kfree) = ", made[0])
    return body[:declared.start()] + body[declared.end():body.index(f"\t{name} = ")] + made + rest


def indent(text):
    """Indent all lines except labels by one tab."""
    return re.sub(r"^(?=[^\n])(?!\w+:$)", "\t", text, flags=re.M)


class Section:
    """Turns sections of a function into scopes."""

    start = re.compile(r"^(?P<tabs>\t+)if \((?P<first>[^\n]*? \|\| )?!drm_dev_enter\((?P<drm>[^\n]*), &(?P<idx>\w+)\)\)"
                       r"(?: \{(?P<block>\n(?:(?P=tabs)\t[^\n]*\n|\n)+?)(?P=tabs)\}\n|\n\t+(?P<stay>return\b[^;]*|goto \w+);\n)",
                       re.M)
    inside = re.compile(r"^(?P<tabs>\t+)if \((?P<first>(?!\()[^|;{}]*? &&\s+)?drm_dev_enter\((?P<drm>[^\n]*), &(?P<idx>\w+)\)\) \{\n"
                        r"(?P<block>.*?)^(?P=tabs)\}(?:\s+else \{\n\t+(?P<other>[^;\n]*);\n\t+\}|(?P<more>[^\n]*))\n",
                        re.M | re.S)

    def __init__(self, forms):
        self.forms = forms      # the forms of a scope: {"or": f(drm, leave), "guard": f(drm)}

    def convert(self, body):
        """Return the body of a function with scopes, or None if a section cannot become a scope."""
        while True:
            new = self.one_inside(body) or ("ignored" in self.forms and self.ignored(body)) or self.one(body)
            if not new:
                return body
            if new is body:
                return None
            body = new

    def one_inside(self, body):
        """Make a block of "if (drm_dev_enter()) { }"."""
        found = self.inside.search(body)
        if not found:
            return None
        idx, block = found["idx"], found["block"]
        if found["more"] or re.search(rf"drm_dev_enter\([^;]*&{idx}\b", block) or (found["first"] and found["other"]):
            return body
        block = drop_exits(block, idx)
        form = (self.forms["guard_else"](found["drm"], found["other"]) if found["other"]
                else self.forms["guard"](found["drm"]))
        new = f"{found['tabs']}{form} {{\n{tidy(block)}{found['tabs']}}}\n"
        if found["first"]:
            first = re.sub(r"\s*&&\s*\Z", "", found["first"])
            new = f"{found['tabs']}if ({first}) {{\n{indent(new)}{found['tabs']}}}\n"
        body = body[:found.start()] + new + body[found.end():]
        return tidy(drop_variable(body, idx))

    def ignored(self, body):
        """Make a block of a section whose check is ignored. This is a bug, because only a
        successful check allows the exit."""
        found = re.search(r"^\tdrm_dev_enter\((?P<drm>[^\n]*), &(?P<idx>\w+)\);\n(?P<block>(?:\t.*\n|\n)*?)"
                          r"\tdrm_dev_exit\((?P=idx)\);\n", body, re.M)
        if not found or "return" in found["block"]:
            return None
        new = f"\t{self.forms['guard'](found['drm'])} {{\n{tidy(indent(found['block']))}\t}}\n"
        return tidy(drop_variable(body[:found.start()] + new + body[found.end():], found["idx"]))

    def one(self, body):
        """Convert the first section."""
        found = self.start.search(body)
        if not found:
            return body if "drm_dev_enter(" in body else None
        tabs, idx = found["tabs"], found["idx"]
        rest = body[found.end():]
        closed = re.search(rf"^\t{{0,{len(tabs) - 1}}}\}}", rest, re.M)
        scope, after = (rest[:closed.start()], rest[closed.start():]) if closed else (rest, "")
        if not re.search(rf"^\t+drm_dev_exit\({idx}\);", scope, re.M) or f"drm_dev_exit({idx})" in after:
            return body
        before = body[:found.start()]
        if found["first"]:
            if not (found["stay"] or "").startswith("return"):
                return body
            first = found["first"][:-4]
            before += f"{tabs}if ({first})\n{tabs}\t{found['stay']};\n"
        new = None
        if not re.search(rf"drm_dev_enter\([^;]*&{idx}\b", scope):
            new = self.to_the_end(before, found, scope, after)
        new = new or self.as_block(before, found, scope, after)
        return tidy(drop_variable(new, idx)) if new else body

    def to_the_end(self, before, found, scope, after):
        """Extend the section to the end of the scope, if no jump leads past its start, and a failed
        check leaves the scope."""
        leave = found["stay"] or self.leaves(found["block"], scope + after)
        before = self.short_jumps(before, scope + after)
        if not leave or leave.startswith("goto") or self.jumps_in(before, scope + after):
            return None
        # Cleanups later in the scope then run in the section. They did before, apart from locks
        # taken earlier.
        new = self.forms["or"](found["drm"], leave.replace("\n", f"\n{found['tabs']}"))
        scope = drop_exits(scope, found["idx"])
        body = f"{before}{found['tabs']}{new}\n{scope}{after}"
        return unused_labels(end_labels(body) if not after else body)

    @staticmethod
    def short_jumps(before, rest):
        """Copy the code after the last label, if it is short, to blocks that jump there."""
        tail = re.search(r"^(\w+):\n((?:\t[^\n]*;\n){0,3}\treturn\b[^;\n]*;\n)\Z", rest, re.M)
        if not tail:
            return before
        return re.sub(rf"^(\t+)goto {tail[1]};\n(?=\t+\}})", lambda m: re.sub(r"^\t", m[1], tail[2], flags=re.M), before, flags=re.M)

    @staticmethod
    def leaves(block, rest):
        """Return the code of a failed check. If it jumps to a label with short code, return that
        code as well."""
        lines = [line.strip() for line in block.strip().splitlines()]
        jump = re.fullmatch(r"goto (\w+);", lines[-1])
        if jump:
            tail = re.search(rf"^{jump[1]}:\n((?:\t[^\n]*;\n|\n){{0,4}}\treturn\b[^;\n]*;\n)\Z", rest, re.M)
            if not tail:
                return None
            lines[-1:] = [line.strip() for line in tail[1].splitlines() if line]
        if not lines[-1].startswith("return") or any(not re.search(r";$|^if \(.*\)$", line) for line in lines):
            return None
        if len(lines) == 1:
            return lines[0][:-1]
        tabs = ["\t\t" if line.endswith(")") else "\t" for line in ["", *lines]]
        return "\n".join(["{", *(tab + line for tab, line in zip(tabs, lines)), "}"])

    @staticmethod
    def jumps_in(before, rest):
        """Check whether a jump in @before leads to a label in @rest."""
        return any(re.search(rf"^\s*{label}:", rest, re.M) for label in re.findall(r"\bgoto (\w+);", before))

    def as_block(self, before, found, scope, after):
        """Make a block that ends at the exit, if a failed check goes to the code after the exit, or
        leaves."""
        tabs, idx = found["tabs"], found["idx"]
        exits = [m for m in re.finditer(rf"^(\t+)drm_dev_exit\({idx}\);\n", scope, re.M) if m[1] == tabs]
        enters = re.search(rf"drm_dev_enter\([^;]*&{idx}\b", scope)
        exits = [m for m in exits if not enters or m.start() < enters.start()]
        if not exits:
            return None
        last = exits[-1]
        region, tail = scope[:last.start()], scope[last.end():]
        stay = found["stay"]
        follows = re.match(r"\n*(\w+):\n", tail)
        if stay and stay.startswith("goto "):
            if not follows or follows[1] != stay[5:]:
                return None
            leave = None
        else:
            leave = stay
        # A jump to a label directly before the exit becomes a break out of the block.
        label = re.search(r"\n(\w+):\n*\Z", region)
        if label:
            if re.search(r"\b(for|while|switch|\w*for_each\w*) ?\(", region):
                return None
            if re.search(rf"\bgoto {label[1]};", before):
                return None
            region = re.sub(rf"\bgoto {label[1]};", "break;", region[:label.start() + 1])
        if self.jumps_in(before, region) or re.search(r"^\w+:$", region, re.M):
            return None
        region = tidy(indent(drop_exits(region, idx)))
        if leave or found["block"]:
            text = self.forms["guard_else"](found["drm"], leave) if leave else None
            if not text:
                return None
        else:
            text = self.forms["guard"](found["drm"])
        body = f"{before}{tabs}{text} {{\n{region}{tabs}}}\n\n{tail}{after}"
        if follows and not re.search(rf"\bgoto {follows[1]};", body):
            body = re.sub(rf"\n+{follows[1]}:\n", "\n\n", body, count=1)
        return body


OBJECT = re.compile(rf"\bk(?:v?[mz]alloc)_obj(?P<many>s)?(?P<args>{CALL})")
NODES = re.compile(r"\bxa_(?:alloc|alloc_irq|alloc_bh|alloc_cyclic|insert|store)\(&[^,;]*?(\w+),")


def for_clients(text, types):
    """Return the functions that have a parameter of one of these types, which hold the data of a
    file."""
    given = re.compile(rf"[(,]\s*(?:const )?struct (?:{'|'.join(types)}) \*\w+")
    return [f for f in functions(text) if given.search(f["params"])]


def charged(text, types):
    """Charge memory that the driver allocates for a client to the client."""
    def flags(match):
        args = re.split(r",\s*(?![^()]*\))", match["args"][1:-1])
        plain = len(args) == (2 if match["many"] else 1)
        return match[0][:-1] + ", GFP_KERNEL_ACCOUNT)" if plain else match[0]

    names = {f["name"] for f in for_clients(text, types)}
    return edit_functions(text, lambda head, name, _, body: (head, OBJECT.sub(flags, re.sub(
        r"\bGFP_(?:HIGH)?USER(?=\))", r"\g<0> | __GFP_ACCOUNT", re.sub(r"\bGFP_KERNEL(?=\))", "GFP_KERNEL_ACCOUNT", body))))
                          if name in names else None)


def charged_nodes(text, members):
    """Charge the nodes of an XArray as well, which are allocated under its lock."""
    text = re.sub(rf"\bxa_init(\(&[^;]*\b(?:{members}))\);", r"xa_init_flags\1, XA_FLAGS_ACCOUNT);", text)
    return re.sub(rf"\b(xa_init_flags\(&[^,;]*\b(?:{members}), )((?:(?!XA_FLAGS_ACCOUNT)[^;])*)\);", r"\1\2 | XA_FLAGS_ACCOUNT);", text)


def add_parameter(params, param):
    """Add a parameter at the end of a list of parameters."""
    inner = params[1:-1].rstrip()
    return f"({param})" if inner in ("", "void") else f"({inner}, {param})"


def add_argument(text, name, argument):
    """Add an argument to each call of a function."""
    return re.sub(rf"(?<![\w.>])({name})({CALL})", lambda m: m[1] + add_parameter(m[2], argument), text)


def wrap(head, params):
    """Wrap a list of parameters at WIDTH columns."""
    return fill(f"{head}(".rsplit("\n", 1)[-1], re.split(r",\s*", params[1:-1]), ")")[len(head.rsplit("\n", 1)[-1]):]


def aligned(entries, member):
    """The start of an entry ".member = ", as the others of a table are aligned."""
    others = re.findall(r"^(\t\.\w+)(\s+)= ", entries, re.M)
    blanks = next((blank for _, blank in others if blank != " "), " ")
    column = max((len((name + blank).expandtabs()) for name, blank in others if blank != " "), default=0)
    start = f"\t.{member}"
    missing = column - len(start.expandtabs())
    if "\t" in blanks:
        return start + "\t" * max(1, -(-missing // 8)) + "= "
    return start + " " * max(1, missing) + "= "


def arguments(text):
    """The arguments of a call, from what is between its parentheses; none if these are not a pair."""
    found, depth = [""], 0
    for char in text:
        depth += {"(": 1, ")": -1}.get(char, 0)
        if depth < 0:
            return []
        if char == "," and not depth:
            found.append("")
        else:
            found[-1] += char
    return [arg.strip() for arg in found]


def no_blank(text, names):
    """Without the blank that a semantic patch writes in front of some calls' arguments, and with these aligned."""
    while found := re.search(names, text):
        call = re.match(CALL, text[found.end():])
        old = call[0] if call else ""
        args = re.sub(r"\n([ \t]+)", lambda m: "\n" + indentation(len(m[1].expandtabs()) - 1), old)
        text = text[:found.start()] + found[1] + args + text[found.end() + len(old):]
    return text


def indentation(column):
    """Tabs and blanks up to a column"""
    return "\t" * (column // 8) + " " * (column % 8)


def fill(head, args, tail):
    """Write a call or a declaration, wrapped at WIDTH columns."""
    column = len(head.expandtabs())
    lines = [head]
    for n, arg in enumerate(args):
        arg += tail.rstrip("\n") if n == len(args) - 1 else ","
        if len(f"{lines[-1]} {arg}".expandtabs()) > WIDTH:
            lines.append(indentation(column) + arg)
        else:
            lines[-1] += arg if n == 0 else f" {arg}"
    return "\n".join(lines) + tail[len(tail.rstrip("\n")):]


LOOKUP = re.compile(rf"^(?P<tabs>\t+)(?P<decl>struct drm_gem_object \*)?(?P<to>[\w.>\[\]-]+) = drm_gem_object_lookup(?P<args>{CALL});\n\n?"
                    r"(?P=tabs)if \((?:!(?P=to)|(?P=to) == NULL)\)(?P<leave> \{\n(?:.*\n)*?(?P=tabs)\}\n|\n(?P=tabs)\t[^;]*;\n)", re.M)


def typed_lookups(body, desc, tag, obj, downcast=None):
    """Look up handles as objects of the type, and use the driver's structure from there on."""
    at = 0
    while found := LOOKUP.search(body, at):
        new = typed_lookup(body, found, desc, (tag, obj), downcast)
        at = found.end() if new is None else found.start() + 1
        body = body if new is None else new
    return body


def typed_lookup(body, found, desc, struct, downcast):
    """Convert one lookup. Return None if its error path uses the object, or if the variable may
    hold another object."""
    to, tabs, (tag, obj) = found["to"], found["tabs"], struct
    used = rf"(?<![\w>.]){re.escape(to)}(?![\w\[])"
    before, rest = body[:found.start()], body[found.end():]
    jump = re.search(r"\bgoto (\w+);", found["leave"])
    failed = re.search(rf"^{jump[1]}:\n(.*)", rest, re.M | re.S) if jump else None
    if (jump and not failed) or re.search(used, found["leave"]) or (failed and re.search(used, without_comments(failed[1]))):
        return None
    bo = next(n for n in ("bo", "found", f"{tag}_found") if not re.search(rf"\b{n}\b", before + rest))
    declared = f"struct {tag} *{bo};\n"
    if not re.fullmatch(r"\w+", to):
        before = f"\t{declared}{before}"
        rest = f"{tabs}{to} = &{bo}->{obj}.base.base;\n{rest}"
    else:
        own = re.search(rf"^\t+struct drm_gem_object \*{to}(?: = NULL)?;\n", before, re.M)
        if not (own or found["decl"]) or len(re.findall(rf"{used} = (?!NULL)", body)) > 1 or re.search(rf"&{used}(?!->)", body):
            return None
        known = downcast and re.match(rf"\n*{tabs}(\w+) = {downcast}\({to}\);\n", rest)
        if known and len(re.findall(rf"(?<![\w>.]){known[1]} = (?!NULL)", body)) == 1 and re.search(
                rf"^\t+struct {tag} \*{known[1]}(?: = NULL)?;\n", before, re.M):
            bo, declared, rest = known[1], "", rest[known.end():]
        if own:
            indent_of = re.match(r"\t+", own[0])[0]
            before = before.replace(own[0], indent_of + declared if declared else "", 1)
        elif declared:
            declared = f"struct {tag} *"
        if downcast:
            rest = re.sub(rf"\b{downcast}\({to}\)", bo, rest)
        rest = re.sub(rf"\bdrm_gem_object_put\({to}\)", f"drm_shmem_put(&{bo}->{obj})", rest)
        rest = re.sub(rf"{used}->", f"{bo}->{obj}.base.base.", rest)
        rest = re.sub(used, f"&{bo}->{obj}.base.base", rest)
    leave = found["leave"].replace("ERR_PTR(-ENOENT)", f"ERR_CAST({bo})").replace("-ENOENT", f"PTR_ERR({bo})")
    head = f"{tabs}{declared if found['decl'] and declared else ''}{bo} = drm_shmem_lookup("
    call = fill(head, [f"&{desc}", *re.split(r",\s*(?![^()]*\))", found["args"][1:-1])], ");\n")
    return before + call + ("\n" if found["decl"] else "") + f"{tabs}if (IS_ERR({bo})){leave}{rest}"
