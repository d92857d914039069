#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""The library as files of a kernel tree, one patch after the other: see series.txt.

series.py list           the patches, one a line: name, kind and what it needs
series.py show NAME KEY  the values of KEY, such as Suites, one a line
series.py core NAME      the files that a semantic patch of the core changes
series.py marks          the macros that tell the library that the core has a change
series.py message NAME   the commit message
series.py write NAME TREE  make what a patch of files changes in TREE; print the files
series.py lost NAME TREE   what a semantic patch of the core should have added to TREE
series.py tidy series|core FILE...  bring what spatch wrote into the kernel's form
series.py converted DIR    the same for a driver that was converted
series.py cover FILE       fill in the letter that git made
series.py config NAME      the configuration of its KUnit suites
"""
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
DRM = "drivers/gpu/drm"
INTERNAL = re.compile(r"(.*_internal|.*_trace|drm_safe_core)\.h")


def patches():
    """All patches: {name: {key: [values]}}; "text" is the message's."""
    found, patch = {}, None
    for line in (TOP / "scripts/series.txt").read_text(encoding="utf-8").splitlines():
        if re.fullmatch(r"\[[\w-]+\]", line):
            patch = found.setdefault(line[1:-1], {"text": []})
        elif patch is None:
            continue
        elif not patch["text"] and (key := re.fullmatch(r"([A-Z]\w+): (.*)", line)):
            words = [key[2]] if key[1] in ("Subject", "Until") else key[2].split()
            patch.setdefault(key[1], []).extend(words)
        elif line or patch["text"]:
            patch["text"].append(line)
    return found


def core_head(name):
    """The comment that a semantic patch of the core begins with: lines, and its files."""
    head = re.match(r"(//.*\n)+", (TOP / f"scripts/coccinelle/core/{name}.cocci").read_text(encoding="utf-8"))
    lines = [line[2:].strip() for line in head[0].splitlines()][1:]
    files = next(line for line in lines if line.startswith("Files: ")).split()[1:]
    return [line for line in lines if not line.startswith("Files: ")], files


def message(patch):
    text = patch["text"]
    subject = patch.get("Subject", [""])[0]
    if "Core" in patch:
        subject, *text = core_head(patch["Core"][0])[0]
    body = "\n".join(text).strip()
    # Mails have 75 columns.
    paragraphs = [subprocess.run(["fmt", "-w", "75"], input=part, text=True, capture_output=True,
                                 check=True).stdout.strip() for part in re.split(r"\n\n+", body)]
    return subject + "\n\n" + "\n\n".join(paragraphs) + "\n"


def marks(pattern=r"( (\1|1)$|\()"):
    """The macros that tell the library that a change of the core is there."""
    return sorted({mark[0] for path in (TOP / "scripts/coccinelle/core").glob("*.cocci")
                   for mark in re.findall(rf"^\+#define (\w+){pattern}", path.read_text(encoding="utf-8"), re.M)})


def lost(name, tree):
    """The lines that a semantic patch adds and that no file has after it: rules without a match."""
    def squashed(text):
        return re.sub(r"\s", "", text)

    cocci = (TOP / f"scripts/coccinelle/core/{name}.cocci").read_text(encoding="utf-8")
    text = squashed("".join((tree / file).read_text(encoding="utf-8") for file in core_head(name)[1]))
    # What a script makes is found by its text, as often as it makes it.
    words = {word for line in re.findall(r"^@script:python \w+@\n(.*)\n", cocci, re.M) for word in re.findall(r"\w+", line)}
    made = [literal for call in re.findall(r"^coccinelle\.\w+ = \w[\w.]*\((.*)\)$", cocci, re.M)
            for literal in re.findall(r'"((?:[^"\\]|\\.)*)"', call)]
    for line in re.findall(r"^\+(.*)$", cocci, re.M):
        if not words & set(re.findall(r"\w+", line)) and squashed(line) not in text:
            yield line
    for literal in set(made):
        if text.count(squashed(literal)) < made.count(literal):
            yield literal


def tidy(path, series):
    """What spatch cannot write in the kernel's form; a series needs no marks either."""
    text = path.read_text(encoding="utf-8")
    if series:
        for mark in marks(r"( (\1|1)$)"):
            text = re.sub(rf"^#define {mark} ({mark}|1)\n", "", text, flags=re.M)
    text = re.sub(r"^(.*?) ((?:__must_not_hold|__(?:cond_)?(?:acquires|releases)(?:_shared)?)\([^()]*\)(?: __no_context_analysis)?) "
                  r"(\w+\([^()]*\))", r"\1 \3\n\t\2", text, flags=re.M)
    text = re.sub(r"^(\w.*\)){$", r"\1\n{", text, flags=re.M)
    text = re.sub(r"^(DEFINE_(?:CLASS|GUARD)\((?:.*\n){0,4}?.*\));$", r"\1", text, flags=re.M)
    # The core's comments beside a line that has become too long
    text = re.sub(r"^(?=.{94})(.*drm_vma_node_start.*;) /\* [^*]* \*/$", r"\1", text, flags=re.M)
    text = text.replace("(loff_t) - 1", "(loff_t)-1")
    path.write_text(text, encoding="utf-8")


def unifdef(text, *flags):
    return subprocess.run(["unifdef", "-B", *flags], input=text, text=True,
                          capture_output=True, check=False).stdout


def place(name):
    """Where a file of this directory is in a kernel tree."""
    path = pathlib.PurePath(name)
    if name.startswith("tests/"):
        return f"{DRM}/tests/{path.name}"
    if path.name == "sgpu_uapi.h":
        return "include/uapi/drm/sgpu_drm.h"
    if name.startswith("samples/sgpu/"):
        return f"{DRM}/sgpu/{path.name}"
    if name.startswith("Documentation/"):
        return f"Documentation/gpu/drm-safe/{path.name}"
    if path.suffix == ".h" and not INTERNAL.fullmatch(path.name):
        return f"include/drm/{path.name}"
    return f"{DRM}/{path.name}"


def include(name, target):
    """How a file that is at @name in a kernel tree includes another file of ours."""
    if target == "drm_safe_signalling.h":
        target = "drm_safe_effects.h"
    if target == "sgpu_uapi.h":
        return "<drm/sgpu_drm.h>"
    if (TOP / target).exists() and not INTERNAL.fullmatch(target):
        return f"<drm/{target}>"
    if (TOP / target).exists() and name.startswith(f"{DRM}/tests/"):
        return f'"../{target}"'
    return f'"{target}"'


def kernel_form(name):
    """The text of a file as a kernel tree has it."""
    text = (TOP / name).read_text(encoding="utf-8")
    to = place(name)
    if name.endswith((".rst", ".txt")):
        text = re.sub(rf"{DRM}/safe/([\w/-]+\.[ch])", lambda path: place(path[1]), text)
        return text.replace(f"{DRM}/safe/tests", f"{DRM}/tests").replace(f"{DRM}/safe", DRM)
    if name == "drm_safe_context.h":
        text = unifdef(text, "-UWARN_CONTEXT_ANALYSIS")
        text = text.replace("/* Only the analysis has a use for what the kernel's headers do not say. */\n", "")
    text = unifdef(text, "-UDRM_SAFE_CHECK_EFFECTS", *(f"-D{mark}" for mark in marks()))
    text = re.sub(r'^#include "([\w.]+)"', lambda match: f"#include {include(to, match[1])}", text, flags=re.M)
    text = text.replace("#define TRACE_INCLUDE_PATH .", f"#define TRACE_INCLUDE_PATH ../../{DRM}")
    if to.startswith("include/uapi/"):
        text = text.replace("GPL-2.0-only OR MIT", "((GPL-2.0-only WITH Linux-syscall-note) OR MIT)")
    return re.sub(r"\n\n\n+", "\n\n", text)


def until(text, mark):
    """What is before the comment, or the line, that has @mark; a header keeps its end."""
    at = text.index(mark)
    start = text.rfind("\n/*", 0, at)
    if start < 0 or "*/" in text[start:at]:
        start = text.rfind("\n", 0, at)
    end = re.search(r"\n#endif[^\n]*\n\Z", text)
    return text[:start + 1].rstrip("\n") + "\n" + ("\n" + end[0].lstrip("\n") if end else "")


class Series:
    """What a tree has after a patch and all those before it."""
    def __init__(self, name):
        self.files, self.until, self.symbols, self.tests = [], {}, [], []
        all_patches = patches()
        for self.last, patch in all_patches.items():
            for pattern in patch.get("Files", []):
                names = sorted(str(p.relative_to(TOP)) for p in TOP.glob(pattern))
                if not names:
                    sys.exit(f"series.txt: there is no {pattern}")
                for file in names:
                    self.until.pop(file, None)
                self.files += [file for file in names if file not in self.files]
            for line in patch.get("Until", []):
                file, mark = line.split(" ", 1)
                self.until[file] = mark
            self.symbols += patch.get("Symbols", [])
            self.tests += patch.get("Tests", [])
            if self.last == name:
                break

    def objects(self, directory):
        return {pathlib.PurePath(f).stem for f in self.files + [f"tests/{t}" for t in self.tests]
                if f.endswith(".c") and str(pathlib.PurePath(f).parent) == directory}

    def text(self, file):
        text = kernel_form(file)
        if "DRM_SAFE_GPUVM" not in self.symbols:
            text = re.sub(r"^#if IS_ENABLED\(CONFIG_DRM_SAFE_GPUVM\)\n[^#]*(?:#include[^#]*)*#else\n([^#]*)#endif\n",
                          r"\n\1", text, flags=re.M)
        if file in self.until:
            text = until(text, self.until[file])
            # What is included for the rest comes with it.
            text = re.sub(r'^#if IS_ENABLED.*?^#endif\n', "", text, flags=re.M | re.S) if file.endswith(".c") else text
            text = re.sub(r'#include "drm_shmem_internal.h"\n', "#include <drm/drm_safe.h>\n", text) \
                if "drm_shmem_obj.c" not in self.files else text
        return text

    def kconfig(self):
        text = (TOP / "Kconfig").read_text(encoding="utf-8")
        missing = {"DRM_SAFE_GPUVM", "DRM_SAFE_SGPU", "DRM_SAFE_BENCH"} - set(self.symbols)
        blocks = [block for block in re.split(r"\n(?=config )", text)[1:]
                  if re.match(r"config (\w+)", block)[1] in self.symbols]
        text = "\n".join(block.rstrip("\n") + "\n" for block in blocks)
        for symbol in missing:
            text = re.sub(rf"^\tselect ({symbol}|\w+ if {symbol})\n", "", text, flags=re.M)
        return text

    def makefile(self):
        """Of the library: the lines of our Makefile that name objects."""
        objects = self.objects(".")
        base = [f"{o}.o" for o in ("drm_safe_main", "drm_dev_ctx", "drm_shmem_obj", "drm_shmem_prime", "drm_shmem_vmap",
                                   "drm_shmem_sgt", "drm_shmem_mmap", "drm_shmem_reclaim") if o in objects]
        if self.stubs():
            base.append("drm_shmem_stubs.o")
        lines = ["drm_safe-y := \\\n\t" + " \\\n\t".join(base)]
        gpuvm = [f"{o}.o" for o in ("drm_gpuvm_imm", "drm_gpuvm_imm_run", "drm_gpuvm_imm_exec", "drm_gpuvm_imm_end")
                 if o in objects]
        if gpuvm:
            lines.append("drm_safe-$(CONFIG_DRM_SAFE_GPUVM) += \\\n\t" + " \\\n\t".join(gpuvm))
            lines.append("ifdef CONFIG_DEBUG_FS\ndrm_safe-$(CONFIG_DRM_SAFE_GPUVM) += drm_gpuvm_imm_debugfs.o\nendif")
        lines.append("obj-$(CONFIG_DRM_SAFE) += drm_safe.o\n")
        return "\n".join(lines)

    def tests_makefile(self):
        text = (TOP / "tests/Makefile").read_text(encoding="utf-8")
        text = text[text.index("obj-$(CONFIG_DRM_SAFE_KUNIT_TEST)"):text.index("# CONFIG_GCOV")]
        present, kept = self.objects("tests"), []
        for block in text.strip().split("\n\n"):
            head, *lines = block.split("\n")
            lines = [line.rstrip(" \\") for line in lines]
            lines = [line for line in lines if (stem := line.strip()[:-2]) in present or
                     stem.endswith("_kunit") and any(t.startswith(stem[:9]) for t in present)]
            if lines:
                kept.append("\n".join([head, *(line + " \\" for line in lines[:-1]), lines[-1]]))
        return "\n\n".join(kept) + "\n"

    def stubs(self):
        """Definitions for what a later patch defines."""
        if "drm_shmem_obj.c" not in self.files:
            return ""
        text = (TOP / "scripts/series-stubs.c").read_text(encoding="utf-8")
        head, *parts = re.split(r"^/\* (drm_shmem_\w+\.c) \*/\n", text, flags=re.M)
        left = [part for file, part in zip(parts[::2], parts[1::2]) if file not in self.files]
        return head.rstrip("\n") + "\n\n" + "\n".join(part.strip("\n") + "\n" for part in left) if left else ""

    def maintainers(self):
        patterns = ["Documentation/gpu/drm-safe/"]
        places = [place(f) for f in self.files] + [place(f"tests/{t}") for t in self.tests]
        for prefix in ("drm_dev_ctx", "drm_gpuvm_imm", "drm_safe", "drm_shmem", "sgpu"):
            for directory in (f"{DRM}/", f"{DRM}/tests/", "include/drm/", "include/uapi/drm/"):
                if any(re.fullmatch(rf"{directory}{prefix}[\w.]*", p) for p in places):
                    patterns.append(f"{directory}{prefix}*")
        patterns.append(f"{DRM}/sgpu/")
        text = (TOP / "MAINTAINERS").read_text(encoding="utf-8")
        return re.sub(r"^F:.*\n", "", text, flags=re.M) + "".join(f"F:\t{p}\n" for p in sorted(patterns))


written = []	# all files of the tree that have what put() was given


def put(path, text):
    written.append(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def block(tree, name, text, after, before_next=False):
    """Have @text in a file of the kernel, between what git has of it: after the line @after."""
    path = tree / name
    old = subprocess.run(["git", "-C", tree, "show", f"refs/drm-safe/base:{name}"], text=True,
                         capture_output=True, check=True).stdout
    match = re.search(after, old, re.M)
    if not match:
        sys.exit(f"{name}: there is no line that matches {after}")
    at = match.start() if before_next else match.end()
    put(path, old[:at] + text + old[at:])


def converted(directory):
    """Include the headers from where the series has them."""
    def sort(includes):
        return "".join(sorted(includes[0].splitlines(keepends=True)))

    for path in directory.glob("*.[ch]"):
        text = path.read_text(encoding="utf-8")
        ours = re.findall(r'^#include "(drm_(?:dev_ctx|shmem_safe|gpuvm_imm)\.h)"\n', text, flags=re.M)
        for header in ours:
            text = text.replace(f'#include "{header}"\n', "", 1)
            text = re.sub(r"^#include <drm/", f"#include <drm/{header}>\n#include <drm/", text, count=1, flags=re.M)
        put(path, re.sub(r"(^#include <drm/.*\n)+", sort, text, flags=re.M) if ours else text)
    path = directory / "Makefile"
    put(path, re.sub(r"^ccflags-y \+= .*drm/safe\n\n?", "", path.read_text(encoding="utf-8"), flags=re.M))


def write(name, tree):
    now = Series(name)
    for file in now.files:
        put(tree / place(file), now.text(file))
    for test in now.tests:
        put(tree / place(f"tests/{test}"), now.text(f"tests/{test}"))
    stubs = tree / DRM / "drm_shmem_stubs.c"
    if now.stubs():
        put(stubs, now.stubs())
    else:
        stubs.unlink(missing_ok=True)
    sgpu = "DRM_SAFE_SGPU" in now.symbols
    block(tree, f"{DRM}/Kconfig", now.kconfig() + "\n", r'^source "drivers/gpu/drm/clients/Kconfig"', True)
    block(tree, f"{DRM}/Makefile", now.makefile() + ("obj-$(CONFIG_DRM_SAFE_SGPU) += sgpu/\n" if sgpu else "") + "\n",
          r"^drm_suballoc_helper-y", True)
    block(tree, f"{DRM}/tests/Makefile", "\n" + now.tests_makefile(), r"(?s)\Z|\n\Z")
    if sgpu:
        objects = " \\\n\t".join(sorted(f"{o}.o" for o in now.objects("samples/sgpu") if o != "sgpu_fault"))
        put(tree / DRM / "sgpu/Makefile", "# SPDX-License-Identifier: GPL-2.0-only OR MIT\n\n"
            f"obj-$(CONFIG_DRM_SAFE_SGPU) += sgpu.o\nsgpu-y := \\\n\t{objects}\n"
            "sgpu-$(CONFIG_FAULT_INJECTION_DEBUG_FS) += sgpu_fault.o\n")
    if "Documentation/index.rst" in now.files:
        pages = {pathlib.PurePath(f).stem for f in now.files if f.endswith(".rst")}
        index = (TOP / "Documentation/index.rst").read_text(encoding="utf-8")
        put(tree / "Documentation/gpu/drm-safe/index.rst", "".join(
            line for line in index.splitlines(keepends=True)
            if not re.fullmatch(r"   [a-z-]+\n", line) or line.strip() in pages))
        block(tree, "Documentation/gpu/index.rst", "   drm-safe/index\n", r"^   drm-compute\n")
        block(tree, "MAINTAINERS", now.maintainers() + "\n", r"^DRM TTM SUBSYSTEM\n", True)


def main():
    command, *args = sys.argv[1:]
    found = patches()
    if command == "list":
        for name, patch in found.items():
            if name != "cover":
                kind = "core" if "Core" in patch else "convert" if "Convert" in patch else "files"
                print(name, kind, *patch.get("Core", patch.get("Convert", [])))
    elif command == "core":
        print("\n".join(core_head(args[0])[1]))
    elif command == "show":
        print("\n".join(found[args[0]].get(args[1], [])))
    elif command == "marks":
        print("\n".join(marks()))
    elif command == "tidy":
        for path in args[1:]:
            tidy(pathlib.Path(path), args[0] == "series")
    elif command == "message":
        print(message(found[args[0]]), end="")
    elif command == "write":
        write(args[0], pathlib.Path(args[1]))
        print(*(path.relative_to(args[1]) for path in written), sep="\n")
    elif command == "lost":
        missing = list(lost(args[0], pathlib.Path(args[1])))
        print(*(f"not added: {line}" for line in missing), sep="\n", end="\n" if missing else "")
        sys.exit(bool(missing))
    elif command == "converted":
        converted(pathlib.Path(args[0]))
    elif command == "cover":
        path = pathlib.Path(args[0])
        subject, body = message(found["cover"]).split("\n\n", 1)
        text = path.read_text(encoding="utf-8")
        put(path, text.replace("*** SUBJECT HERE ***", subject).replace("*** BLURB HERE ***", body.rstrip("\n")))
    elif command == "config":
        symbols = Series(args[0]).symbols
        lines = (TOP / "tests/.kunitconfig").read_text(encoding="utf-8").splitlines()
        print("\n".join(line for line in lines if not re.match(r"CONFIG_DRM_SAFE_(\w+)=", line) or
                        re.match(r"CONFIG_(\w+)=", line)[1] in symbols))
        print("CONFIG_DRM_KUNIT_TEST=y\nCONFIG_DRM_VGEM=y\nCONFIG_DRM_VKMS=y")
    else:
        sys.exit(__doc__)


main()
