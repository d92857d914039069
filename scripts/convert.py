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

BREAK = " \\\n\t  "
HANDLER = r"\(struct drm_device \*\w+,\s*void \*\w+,\s*struct drm_file \*\w+\)"

# What is converted, and why some of it is left.
RAW = {
    r"drm_gem_v(?:un)?map": "the address is stored, or the map is used as a whole: keep an owned handle",
    r"drm_gem_shmem_v(?:un)?map(?:_locked)?":
        "the caller holds the lock, or this is a callback of the object",
    r"drm_gem_shmem_get_pages_sgt": "takes a struct drm_shmem_obj and a proof: hand both in",
    r"drm_dev_alloc": "embed the struct drm_device in a structure of the driver's",
    r"devm_drm_dev_alloc|drm_dev_register": "registered in another function: hand the token on",
    r"drm_dev_unregister|drm_dev_unplug": "ends a registration that was not converted",
    r"drm_dev_enter|drm_dev_exit": "may run before the registration, where it succeeds: see drm_dev_if_registered()",
    r"DRM_IOCTL_DEF_DRV": "a table by another macro, or the device, a handler or its argument was not found",
}


class Driver:
    """A copy of a driver's directory, which the rules change."""

    def __init__(self, directory, work, uapi):
        self.top = work
        shutil.copytree(directory, work, ignore=shutil.ignore_patterns("*.o", ".*"))
        self.before = self.read()
        text = "\n".join(self.before.values())
        found = re.search(r"devm_drm_dev_alloc\([^;]*?struct\s+(\w+),\s*(\w+)\)", text)
        self.device, self.member = found.groups() if found else (None, None)
        self.prefix = re.sub(r"_(dev|device)$", "", self.device or directory.name)
        self.contexts = False
        self.arguments = uapi_arguments([*uapi, *self.files("h")])

    def files(self, suffixes="ch"):
        """Sources, or headers alone."""
        return sorted(p for p in self.top.rglob("*") if p.suffix in [f".{s}" for s in suffixes])

    def read(self):
        """All files, by path."""
        return {p.relative_to(self.top): p.read_text(encoding="utf-8")
                for p in sorted(self.top.rglob("*"))
                if p.suffix in (".c", ".h") or p.name in ("Makefile", "Kconfig")}

    def spatch(self, rule, **env):
        """Apply a rule to every file."""
        values = {"prefix": self.prefix, "device": self.device, "member": self.member}
        defines = [w for name, value in values.items() if value for w in ("-D", f"{name}={value}")]
        done = subprocess.run(
            ["spatch", "--very-quiet", "--no-includes", "--include-headers", "--in-place",
             "-D", "patch", *defines,
             "--macro-file", RULES.parent / "scopes.macros",
             "--sp-file", RULES / f"{rule}.cocci", "--dir", self.top],
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

    def table(self):
        """A plain table of ioctls, and the handlers of all of its entries."""
        entry = r"\s*DRM_IOCTL_DEF_DRV\((\w+),\s*(\w+),\s*([^)]*)\),?"
        for text in self.read().values():
            found = re.search(r"static (?:const )?struct drm_ioctl_desc (\w+)\[\] = \{"
                              rf"((?:{entry})+)\s*\}};", text)
            if found:
                entries = re.findall(entry, found[2])
                return found[1], found[0], entries
        return None, None, []

    def plain_table(self):
        """The same, if each handler is the driver's, used for nothing else, and its type known."""
        name, old, entries = self.table()
        text = re.sub(r"/\*.*?\*/", "", "\n".join(self.read().values()), flags=re.S)
        if not any(self.definition(p.read_text(encoding="utf-8")) for p in self.files("h")):
            return None, None, []
        for ioctl, handler, _ in entries:
            uses = re.findall(rf"(?<!TRACE_EVENT\()\b{handler}\b", text)
            places = re.findall(rf"\b{handler}{HANDLER}", text)
            if ioctl not in self.arguments or len(uses) != len(places) + 1 or not places:
                return None, None, []
        return name, old, entries

    def convert_ioctls(self, name, old, entries):
        """Make the table anew, and its handlers."""
        text = "\n".join(self.read().values())
        arguments = {h: self.arguments[i] for i, h, _ in entries}
        guarded = [h for h in arguments if re.search(
            rf"\b{h}{HANDLER}\n\{{((?!\n\}}).)*drm_dev_registered_or\(", text, re.S)]
        self.spatch("ioctl", GUARDED=" ".join(guarded),
                    HANDLERS=" ".join(f"{h}={a}" for h, a in arguments.items()))
        for handler, argument in arguments.items():
            first = f"{self.prefix}_ioctl" if handler in guarded else self.device
            self.edit(lambda text, h=handler, a=argument, f=first: declare(a, text, re.sub(
                rf"(\b{h}\(struct )drm_device (\*\w+,\s*)void (\*\w+,\s*struct drm_file \*\w+\);)",
                rf"\g<1>{f} \2struct {a} \3", text)))
        rows = " \\\n".join(
            f"\tX({i}, struct {arguments[h]},{' ' if len(i + 2 * h + flags) < 70 else BREAK}{h}, "
            f"{'IOCTL' if h in guarded else 'NORMAL'}, {flags})" for i, h, flags in entries)
        upper = self.prefix.upper()
        new = (f"#define {upper}_IOCTLS(X) \\\n{rows}\n\n"
               f"DRM_DEV_IOCTL_TABLE({self.prefix}, {upper}_IOCTLS);")
        self.edit(lambda text: re.sub(rf"\b{name}\b", f"{self.prefix}_ioctls",
                                      text.replace(old, new)))

    def definition(self, text):
        """Where the device's structure is defined."""
        return self.device and re.search(rf"^(?:static )?struct {self.device} \{{.*?^\}}.*?;\n",
                                         text, re.M | re.S)

    def uses_contexts(self, text):
        """Does it need what DRM_DEV_CTX() declares?"""
        return re.search(rf"\bDRM_DEV_IOCTL_TABLE\b|\bdrm_dev_(ctx_|registered_or)|"
                         rf"\b{self.prefix}_unreg\b", text)

    def convert(self):
        """Run all rules."""
        registers = [t for t in self.before.values()
                     if "devm_drm_dev_alloc(" in t and "drm_dev_register(" in t]
        if self.device and registers:
            self.spatch("device")
        name, old, entries = self.plain_table()
        if self.device:
            self.spatch("section", HANDLERS=" ".join(h for _, h, _ in entries))
        if entries:
            self.convert_ioctls(name, old, entries)
        self.spatch("vmap")
        self.spatch("sgt")
        self.contexts = any(self.uses_contexts(text) for text in self.read().values())
        self.edit(self.finish)
        if self.read() != self.before:
            self.build_files()

    def finish(self, text):
        """Write what a semantic patch cannot."""
        text = re.sub(r"^(\tstruct (\w+_unreg) \*\w+) = NULL;", r"\1 __free(\2) = NULL;", text,
                      flags=re.M)
        text = re.sub(r"^(\s+struct \w+_map_owned \w+) = \{\s*\};",
                      r"\1 __cleanup(drm_vmap_cleanup) = {};", text, flags=re.M)
        text = re.sub(r"\bDRM_SAFE_RETURN\((.*?)\)\)", r"return \1)", text).replace("return )", "return)")
        uses_ctx = self.uses_contexts(text)
        uses_map = re.search(r"\w+_map_owned", text)
        defined = self.contexts and self.definition(text)
        if defined:
            text = text.replace(defined[0], f"{defined[0]}\nDRM_DEV_CTX_NO_FILE({self.prefix}, "
                                f"struct {self.device}, {self.member}, struct {self.device});\n")
        headers = (["drm_dev_ctx.h"] if uses_ctx or defined else []) + (
            ["drm_shmem_safe.h"] if uses_map or "drm_shmem_sgt_or(" in text else [])
        last = [m.end() for m in re.finditer(r"^#include .*\n", text, re.M)]
        at = last[-1] if last else 0
        new = "".join(f'#include "{h}"\n' for h in headers if f'"{h}"' not in text)
        if uses_map:
            new += ("\n/* The least that an object has */\n"
                    f"DEFINE_DRM_VMAP({self.prefix}_map, PAGE_SIZE);\n")
        return text[:at] + new + text[at:]

    def build_files(self):
        """Have the compiler find the headers, and Kconfig the module."""
        path = self.top / "Makefile"
        if path.exists():
            text = path.read_text(encoding="utf-8")
            head = re.match(r"(#.*\n)*\n?", text)[0]
            path.write_text(head + INCLUDE + "\n" + text[len(head):], encoding="utf-8")
        path = self.top / "Kconfig"
        if path.exists():
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
        for path, text in self.read().items():
            for number, line in enumerate(text.splitlines(), 1):
                for regex, why in RAW.items():
                    for call in re.findall(rf"(?<!define )\b({regex})\(", line):
                        yield path, number, call, why

    def count(self, texts):
        """How many raw calls there are."""
        return sum(len(re.findall(rf"\b(?:{regex})\(", t)) for t in texts.values() for regex in RAW)


def declare(struct, old, new):
    """Declare a structure in a header that has come to use it."""
    if old == new or re.search(rf"_drm\.h[\">]|^struct {struct}\b", new, re.M):
        return new
    at = [m.end() for m in re.finditer(r"^#include .*\n", new, re.M)][-1]
    return f"{new[:at]}\nstruct {struct};\n{new[at:]}"


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
