#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Turn a driver's raw calls into safe ones.

Prints a diff, and what is left to be done by hand. The rules are semantic
patches, in scripts/coccinelle/convert; what those cannot write is written here.
"""
import argparse
import difflib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

RULES = pathlib.Path(__file__).parent / "coccinelle" / "convert"
INCLUDE = "ccflags-y += -I$(srctree)/drivers/gpu/drm/safe\n"

HANDLER = r"\(struct drm_device \*(\w+),\s*void \*(\w+),\s*struct drm_file \*(\w+)\)"
STRUCT = r"^(?:static )?struct {} \{{.*?^\}}.*?;\n"
DECLARATIONS = r"\t(?:const )?(?:struct|enum|unsigned|bool|int|size_t|[us]\d+)\b[^;]*;\n"
CONTEXTS = r"\bdrm_dev_ctx_\w+\(|\bDRM_DEV_CTX_|\bstruct drm_dev_ctx "
WIDTH = 100

# What is converted, and why some of it is left.
RAW = {
    r"drm_gem_v(?:un)?map":
        "the address is stored, or the map is used as a whole: keep an owned handle",
    r"drm_gem_shmem_v(?:un)?map(?:_locked)?":
        "the caller holds the lock, or this is a callback of the object",
    r"drm_gem_shmem_get_pages_sgt": "takes a struct drm_shmem_obj and a proof: hand both in",
    r"drm_dev_alloc": "embed a struct drm_dev_ctx in a structure of the driver's",
    r"devm_drm_dev_alloc|drm_dev_register": "registered in another function: hand the token on",
    r"drm_dev_unregister|drm_dev_unplug": "ends a registration that was not converted",
    r"drm_dev_enter|drm_dev_exit":
        "may run before the registration, where it succeeds: see drm_dev_ctx_guard()",
    r"DRM_IOCTL_DEF_DRV":
        "a table by another macro, or the device, the handler or its argument was not found",
}


class Driver:
    """A copy of a driver's directory, which the rules change."""

    def __init__(self, directory, work, uapi):
        self.top = work
        shutil.copytree(directory, work, ignore=shutil.ignore_patterns("*.o", ".*"))
        self.before = self.read()
        self.raw = self.text()
        found = set(re.findall(r"devm_drm_dev_alloc\([^;]*?struct\s+(\w+),\s*(\w+)\)", self.raw))
        self.device, self.member = found.pop() if len(found) == 1 else (None, None)
        self.unclear = "the directory has devices of several types" if len(found) > 1 else None
        self.prefix = re.sub(r"_(dev|device)$", "", self.device or directory.name)
        self.names = {"prefix": self.prefix, "proof": f"{self.prefix}_reg",
                      "device": str(self.device), "member": str(self.member)}
        self.arguments = uapi_arguments([*uapi, *self.files("h")])

    def files(self, suffixes="ch"):
        """Sources, or headers alone."""
        return sorted(p for p in self.top.rglob("*") if p.suffix in [f".{s}" for s in suffixes])

    def read(self):
        """All files, by path."""
        return {p.relative_to(self.top): p.read_text(encoding="utf-8")
                for p in sorted(self.top.rglob("*"))
                if p.suffix in (".c", ".h") or p.name in ("Makefile", "Kconfig")}

    def text(self):
        """All files as one."""
        return "\n".join(self.read().values())

    def spatch(self, rule, target=None, **env):
        """Apply a rule to every file, or to one."""
        defines = [w for pair in self.names.items() for w in ("-D", "=".join(pair))]
        done = subprocess.run(
            ["spatch", "--very-quiet", "--no-includes", "--include-headers", "--in-place",
             "-D", "patch", *defines,
             "--macro-file", RULES.parent / "scopes.macros",
             "--sp-file", RULES / f"{rule}.cocci", *([target] if target else ["--dir", self.top])],
            env={**os.environ, **env}, capture_output=True, text=True, check=False)
        if done.returncode or "previous modification" in done.stderr + done.stdout:
            sys.exit(f"{rule}.cocci: {done.stderr[:2000]}")

    def edit(self, function):
        """Change each source with a function of its text."""
        for path in self.files():
            old = path.read_text(encoding="utf-8")
            new = function(old)
            if new != old:
                path.write_text(new, encoding="utf-8")

    def structure(self, tag):
        """The definition of a structure of the driver's."""
        found = re.search(STRUCT.format(tag), self.raw, re.M | re.S)
        return found[0] if found else None

    def is_device(self, owner, name, before):
        """Is this the driver's device? None: unknown. Before: the text in front of its use."""
        declared = r"\bstruct (\w+)\s+(?:\*\s*)*{}\b"
        if owner:
            owners = set(re.findall(declared.format(owner), self.raw))
            members = [self.structure(tag) for tag in owners]
            types = set(re.findall(declared.format(name), "".join(m for m in members if m)))
        else:
            declared = declared.format(name)
            types = set(re.findall(declared, before)[-1:] or re.findall(declared, self.raw))
        if re.search(rf"#define {name}\((?:.|\\\n)*struct {self.device}, {self.member}\)|"
                     rf"^static struct {self.device} \{{[^}}]*\}} \*{name};", self.raw, re.M):
            types.add(self.device)
        if len(types) > 1:  # Nothing is known of the kernel's structures.
            types = {t for t in types if re.search(rf"\b{self.member}\b",
                                                   self.structure(t) or self.member)}
        if types == {self.device}:
            return True
        return None if not types or self.device in types else False

    def rename_member(self, text, to):
        """Change each use of the device's struct drm_device, if each is clear."""
        def use(match):
            known = self.is_device(match["owner"], match["name"], text[:match.start()])
            if known is None:
                self.unclear = f"what has the member in {match[0]} was not found"
            return match["all"] + (to if known else self.member)

        unnamed = re.search(rf"typeof\([^)]*\),\s*{self.member}\b", text)
        if unnamed:
            self.unclear = f"name the structure in {unnamed[0]}"

        call = r"\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)"
        text = re.sub(rf"(?P<all>(?:\b(?P<owner>\w+)(?:{call}|\[[^]]*\])*\)*(?:->|\.))?"
                      rf"\b(?P<name>\w+)(?:{call}|\[[^]]*\])*\)*(?:->|\.))"
                      rf"{self.member}\b", use, text)
        return re.sub(rf"\b(struct {self.device},\s*){self.member}\b", rf"\1{to}", text)

    def definition(self, text):
        """Where the device's structure is defined."""
        return self.device and re.search(STRUCT.format(self.device), text, re.M | re.S)

    def choose_names(self):
        """Of the new members, and of the function that gives the device."""
        defined = self.definition(self.text())
        for name, choice in {"ctx": ("ctx", "drm_ctx"), "data": ("base", "reg_data")}.items():
            self.names[name] = next(n for n in choice if not re.search(rf"\b{n}\b", defined[0]))
        container = rf"container_of(?:_const)?\([^,]*, struct {self.device}, {self.member}\)"
        text = next(t for t in self.before.values() if self.definition(t))
        own = (re.search(rf"\*\s*(\w+)\([^()]*\)\n\{{\n\treturn {container};", text)
               or re.search(rf"#define (\w+)\(\w+\)(?:\s|\\\n)*.*{container}", text))
        self.names["to"] = own[1] if own else next(
            n for n in (f"to_{self.prefix}", f"{self.prefix}_of") if n not in self.raw)
        return not own

    def convert_device(self):
        """The device, and with it all that needs its contexts."""
        if not self.definition(self.raw):
            return
        self.edit(lambda text: self.rename_member(text, self.member))
        if self.unclear:
            return
        helper = self.choose_names()
        self.spatch("device")
        if "drm_dev_ctx_alloc(" not in self.text():
            return
        # Nothing but its file knows a structure that no header has.
        where = next(p for p in self.files() if self.definition(p.read_text(encoding="utf-8")))
        where = where if where.suffix == ".c" else None
        entries = self.entries()
        self.spatch("end", where)
        self.spatch("section", where, HANDLERS=" ".join(h for _, h in entries))
        self.edit(self.finish_contexts)
        to = f"{self.names['ctx']}.drm"
        self.edit(lambda text: self.define(self.rename_member(text, to), helper))
        handlers = [self.handler(*e) for e in entries]
        self.edit(lambda text: self.convert_ioctls(text, handlers))

    def table(self, text):
        """A plain table of ioctls, and all of its entries."""
        entry = r"\s*DRM_IOCTL_DEF_DRV\((\w+),\s*(\w+),[^)]*\),?"
        found = re.search(r"static (?:const )?struct drm_ioctl_desc (\w+)\[\] = \{"
                          rf"((?:{entry})+)\s*\}};\n", text)
        return found, re.findall(entry, found[2]) if found else []

    def entries(self):
        """Those whose handler is the driver's, used for nothing else, and its type known."""
        texts = re.sub(r"/\*.*?\*/", "", self.text(), flags=re.S)
        entries = [e for text in self.read().values() for e in self.table(text)[1]]
        return [(i, h) for i, h in entries if i in self.arguments
                and re.search(rf"\b{h}{HANDLER}\n\{{\n", texts)
                and len(re.findall(rf"(?<!TRACE_EVENT\()\b{h}\b", texts))
                == len(re.findall(rf"\b{h}{HANDLER}", texts)) + 1]

    def handler(self, ioctl, name):
        """How it is to be called: with a proof, if it is a section from its start."""
        proof, struct = self.names["proof"], f"struct {self.arguments[ioctl]}"
        body = re.search(rf"\b{name}{HANDLER}\n\{{\n(.*?)^\}}", self.text(), re.M | re.S)[4]
        args = re.search(rf"^\t{struct} \*(\w+) = \w+;\n", body, re.M)
        found = {"ioctl": ioctl, "name": name, "struct": struct,
                 "args": args[1] if args else "args", "drop": [args[0]] if args else []}
        section = f"\tdrm_dev_ctx_or({proof}, reg, ioctl, return -ENODEV);\n"
        start, needs, _ = body.partition(section)
        if needs and not re.sub(DECLARATIONS, "", start).strip():
            return {**found, "context": f"const struct {proof} *reg",
                    "drm": "drm_dev_ctx_reg_drm(&reg->base)",
                    "doc": "@reg: proof that the device is registered",
                    "drop": [*found["drop"], f"{section}\n", section],
                    "entry": fill("DRM_DEV_CTX_IOCTL(", [ioctl, name, proof, struct], ");\n")}
        return {**found, "context": "struct drm_dev_ctx_ioctl *ioctl",
                "drm": "drm_dev_ctx_ioctl_drm(ioctl)",
                "doc": "@ioctl: the device, which may be unplugged",
                "entry": fill("DRM_DEV_CTX_IOCTL_UNGUARDED(", [ioctl, name, struct], ");\n")}

    def convert_ioctls(self, text, handlers):
        """Give handlers their types, and make entry points and the table anew."""
        for handler in handlers:
            text = typed(text, handler)
        table, _ = self.table(text)
        if not table or not handlers:
            return text
        new = re.sub(r".*\[\] = ", f"DRM_DEV_CTX_IOCTLS({table[1]}) = ", table[0], count=1)
        for handler in handlers:
            new = re.sub(rf"DRM_IOCTL_DEF_DRV\({handler['ioctl']},\s*{handler['name']},",
                         f"DRM_DEV_CTX_IOCTL_DEF({handler['ioctl']},", new)
        return text.replace(table[0], "".join(h["entry"] for h in handlers) + "\n" + new)

    def finish_contexts(self, text):
        """Write what a semantic patch cannot: of devices and sections."""
        def context(match):
            drm = match[1]
            inside = text[text.rfind("\n{\n", 0, match.start()):match.start()]
            known = (re.fullmatch(rf"&(.+)->{self.member}", drm)
                     or re.search(rf"\b(\w+) = {self.names['to']}\({re.escape(drm)}\);", inside)
                     or re.search(rf"\b{re.escape(drm)} = &(\w+)->{self.member};", inside))
            device = known[1] if known else f"{self.names['to']}({drm})"
            return f"&{device}->{self.names['ctx']}"

        text = re.sub(r"\bDRM_SAFE_CTX\(((?:[^()]|\([^()]*\))*)\)", context, text)
        text = re.sub(r"\n\t+\n(?=\t+return|\t\w+ = \w+\(drm_dev_ctx_unreg_drm)", "\n", text)
        text = re.sub(r"^(\t.*\bdrm_dev_ctx_(?:alloc|register)\()([^;]*\);)",
                      lambda m: fill(m[1], re.split(r",\s+", m[2]), ""), text, flags=re.M)
        return returns(re.sub(r"(\tstruct (drm_dev_ctx_unreg) \*unreg) = NULL;",
                              r"\1 __free(\2) = NULL;", text))

    def define(self, text, helper):
        """Make the device a drm_dev_ctx, and write what belongs to it."""
        defined = self.definition(text)
        if not defined:
            return text
        proof, ctx, data, to = (self.names[n] for n in ("proof", "ctx", "data", "to"))
        new = re.sub(rf"^\tstruct drm_device {self.member};", f"\tstruct drm_dev_ctx {ctx};\n"
                     f"\tstruct drm_dev_ctx_data {data};", defined[0], flags=re.M)
        if re.search(rf"\b{proof}\b", self.text()) and not self.structure(proof):
            new += (f"\n/* Proof that a struct {self.device} is registered */\n"
                    f"struct {proof} {{\n\tstruct drm_dev_ctx_reg base;\n}};\n")
        if helper:
            new += (f"\nstatic inline struct {self.device} *{to}(struct drm_device *drm)\n{{\n"
                    f"\treturn container_of(drm, struct {self.device}, {ctx}.drm);\n}}\n")
        return text.replace(defined[0], new)

    def convert(self):
        """Run all rules."""
        self.convert_device()
        self.spatch("vmap")
        self.spatch("sgt")
        self.edit(self.finish)
        if self.read() != self.before:
            self.build_files()

    def finish(self, text):
        """Write what a semantic patch cannot: of mappings; and what the text refers to."""
        text = re.sub(r"^(\s+struct \w+_map_owned \w+) = \{\s*\};",
                      r"\1 __cleanup(drm_vmap_cleanup) = {};", text, flags=re.M)
        text = returns(text)
        handle = f"struct {self.prefix}_map"
        if f"{handle}_owned" in text and f"{handle} {{" not in self.raw:
            text = include(text, "drm_shmem_safe.h", "\n/* The least that an object has */\n"
                           f"{handle} {{\n\tDRM_VMAP(PAGE_SIZE);\n}};\n\n"
                           f"{handle}_owned {{\n\tDRM_VMAP_OWNED({handle});\n}};\n")
        elif "drm_shmem_sgt_or(" in text:
            text = include(text, "drm_shmem_safe.h")
        if re.search(CONTEXTS, text):
            text = include(text, "drm_dev_ctx.h")
        return text

    def build_files(self):
        """Have the compiler find the headers, and Kconfig the module."""
        path = self.top / "Makefile"
        if path.exists() and INCLUDE not in self.raw:
            text = path.read_text(encoding="utf-8")
            head = re.match(r"(#.*\n)*\n?", text)[0]
            path.write_text(head + INCLUDE + "\n" + text[len(head):], encoding="utf-8")
        path = self.top / "Kconfig"
        if path.exists() and "select DRM_SAFE\n" not in self.raw:
            text = path.read_text(encoding="utf-8")
            path.write_text(re.sub(r"^(\s+)help$", r"\1select DRM_SAFE\n\1help", text, count=1,
                                   flags=re.M), encoding="utf-8")

    def diff(self, name):
        """The change, for patch -p1."""
        after = self.read()
        return "".join(
            line for path, old in self.before.items()
            for line in difflib.unified_diff(old.splitlines(True), after[path].splitlines(True),
                                             f"a/{name}/{path}", f"b/{name}/{path}"))

    def left(self):
        """What is raw yet: (path, line, call, why)."""
        unclear = {"devm_drm_dev_alloc": self.unclear} if self.unclear else {}
        for path, text in self.read().items():
            for number, line in enumerate(text.splitlines(), 1):
                for regex, why in RAW.items():
                    for call in re.findall(rf"(?<!define )\b({regex})\(", line):
                        yield path, number, call, unclear.get(call, why)

    def count(self, texts):
        """How many raw calls there are."""
        return sum(len(re.findall(rf"\b(?:{regex})\(", t)) for t in texts.values() for regex in RAW)


def fill(head, args, tail):
    """A call or a declaration, in lines that are short enough."""
    column = len(head.expandtabs())
    lines = [head]
    for n, arg in enumerate(args):
        arg += tail.rstrip("\n") if n == len(args) - 1 else ","
        if len(f"{lines[-1]} {arg}".expandtabs()) > WIDTH:
            lines.append("\t" * (column // 8) + " " * (column % 8) + arg)
        else:
            lines[-1] += arg if n == 0 else f" {arg}"
    return "\n".join(lines) + tail[len(tail.rstrip("\n")):]


def returns(text):
    """Make a statement of what a semantic patch has as the last argument of a call."""
    def call(match):
        args = re.split(r",\s+", match[2].strip())
        return fill(match[1], [*args, f"return {match[3]}".strip()], ");")

    return re.sub(r"^(\t+\w+_or\()([^;]*),\s+DRM_SAFE_RETURN\(([^;]*)\)\);", call, text, flags=re.M)


def include(text, header, more=""):
    """Include a header, in order where there is one, and write more after all of them."""
    last = [m.end() for m in re.finditer(r"^#include .*\n", text, re.M)]
    end = last[-1] if last else 0
    text = text[:end] + more + text[end:]
    if f'"{header}"' in text:
        return text
    quoted = re.finditer(r'^#include "(.*)"\n', text, re.M)
    at = next((m.start() for m in quoted if m[1] > header), end)
    return f'{text[:at]}#include "{header}"\n{text[at:]}'


def declare(struct, text):
    """Declare a structure in a header that has come to use it."""
    known = CONTEXTS if struct == "drm_dev_ctx_ioctl" else r"_drm\.h[\">]"
    if re.search(rf"{known}|^struct {struct}\b", text, re.M):
        return text
    at = [m.end() for m in re.finditer(r"^#include .*\n", text, re.M)][-1]
    others = re.match(r"\n((?:struct \w+;\n)*)", text[at:])[1]
    new = "".join(sorted([*others.splitlines(True), f"struct {struct};\n"]))
    return f"{text[:at]}\n{new}{text[at + (len(others) + 1 if others else 0):]}"


def rename(name, to, code):
    """Give a variable another name, and say how often."""
    parts = re.split(r"(/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\])*\")", code, flags=re.S)
    done = [re.subn(rf"(?<![\w>.]){name}\b", to, part) for part in parts[::2]]
    parts[::2] = [text for text, _ in done]
    return "".join(parts), sum(count for _, count in done)


def typed(text, handler):
    """Give a handler its types: where it is declared, and where it is defined."""
    name = handler["name"]
    found = re.search(rf"^(.*\b{name}){HANDLER}(;|\n\{{\n)", text, re.M)
    if not found:
        return text
    head, drm, data, file, tail = found.groups()
    new = fill(f"{head}(", [handler["context"], f"{handler['struct']} *{handler['args']}",
                            f"struct drm_file *{file}"], ")" + tail)
    if tail == ";":
        text = text.replace(found[0], new)
        for types in (handler["context"], handler["struct"]):
            text = declare(re.search(r"struct (\w+)", types)[1], text)
        return typed(text, handler)
    end = text.index("\n}\n", found.end())
    body = text[found.end():end]
    for line in handler["drop"]:
        body = body.replace(line, "", 1)
    body, _ = rename(data, handler["args"], body)
    direct, uses = rename(drm, handler["drm"], body)
    if uses == 1:
        body = direct
    elif uses:
        body = f"\tstruct drm_device *{drm} = {handler['drm']};\n{body}"
    before = re.sub(r"/\*\*\n(?: \*.*\n)+(?:\w.*\n)?\Z", lambda doc: re.sub(
        rf"@{drm}:.*", handler["doc"], re.sub(rf"@{data}\b", f"@{handler['args']}", doc[0])),
                    text[:found.start()])
    return typed(before + new + body.lstrip("\n") + text[end:], handler)


def uapi_arguments(headers):
    """The struct of each ioctl: of those whose argument is one."""
    found = {}
    for path in headers:
        text = path.read_text(encoding="utf-8", errors="replace").replace("\\\n", " ")
        found.update(re.findall(r"#define\s+DRM_IOCTL_(\w+)\s+DRM_IOWR?\s*\([^,]*,\s*"
                                r"struct\s+(\w+)\s*\)", text))
        found.update(re.findall(r"#define\s+DRM_IOCTL_(\w+)\s+DRM_IO(?:R|W)\s*\([^,]*,\s*"
                                r"struct\s+(\w+)\s*\)", text))
    return found


def main():
    """Convert one driver."""
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("directory", type=pathlib.Path)
    args.add_argument("--name", help="of the directory, in the diff")
    args.add_argument("--uapi", type=pathlib.Path, help="directory of uAPI headers")
    args.add_argument("--apply", action="store_true", help="change the driver")
    args.add_argument("--to", type=pathlib.Path, help="keep the converted driver there")
    args.add_argument("--row", action="store_true", help="print the report as a row of a table")
    args = args.parse_args()

    directory = args.directory.resolve()
    uapi = args.uapi or next((p / "include/uapi/drm" for p in directory.parents
                              if (p / "include/uapi/drm").is_dir()), None)
    with tempfile.TemporaryDirectory() as tmp:
        driver = Driver(directory, args.to or pathlib.Path(tmp) / directory.name,
                        sorted(uapi.glob("*.h")) if uapi else [])
        driver.convert()
        diff = driver.diff(args.name or directory.name)
        added = len(re.findall(r"^\+(?!\+\+ )", diff, re.M))
        removed = len(re.findall(r"^-(?!-- )", diff, re.M))
        left = list(driver.left())
        raw = driver.count(driver.before)
        if args.row:
            print(f"{directory.name}|{raw}|{raw - len(left)}|+{added} -{removed}")
        else:
            sys.stdout.write(diff)
            print(f"{directory.name}: {raw} raw calls, {raw - len(left)} converted, "
                  f"+{added} -{removed} lines", file=sys.stderr)
        for path, number, call, why in left:
            print(f"{path}:{number}: {call}(): {why}", file=sys.stdout if args.row else sys.stderr)
        if args.apply:
            for path, text in driver.read().items():
                if text != driver.before[path]:
                    (directory / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
