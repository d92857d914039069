#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Measure the form of the API: Documentation/api-figures.txt.

figures.py TREE          write the file if it differs
figures.py TREE --check  fail if it differs

TREE is a kernel tree. The file has a row for each header that drivers include: the lines of code,
the share of lines in macros, the number of macros, the lines of the longest macro, and the
functions that ctags finds. A list follows, with the names that the sample driver calls and that
ctags does not find, because macros generate them.
"""
import pathlib
import re
import subprocess
import sys

import rst

TOP = pathlib.Path(__file__).resolve().parents[2]
FILE = TOP / "Documentation/api-figures.txt"
PRIVATE = re.compile(r"_(?:internal|trace|core)\.h$")


def code(path):
    """The lines of a file that are neither empty nor comment."""
    text = re.sub(r"/\*.*?\*/", lambda found: "\n" * found[0].count("\n"),
                  path.read_text(encoding="utf-8"), flags=re.S)
    return [line for line in re.sub(r"//.*", "", text).splitlines() if line.strip()]


def tags(files, kinds):
    """The names that ctags finds, with the attributes of declarations left out."""
    files = [str(path) for path in files]
    words = set()
    for path in files:
        text = pathlib.Path(path).read_text(encoding="utf-8")
        words |= {f"__{name}{'+' if bracket else ''}" for name, bracket in
                  re.findall(r"\b__((?!drm)[a-z_]+|drm_nonallocating|drm_safe_put_with)\b(\()?", text)}
    ignored = ["-I", ",".join(sorted(words))] if words else []
    out = subprocess.run(["ctags", "-x", f"--c-kinds={kinds}", "--language-force=C", *ignored, *files],
                         capture_output=True, text=True, check=True).stdout
    return {line.split()[0] for line in out.splitlines()}


def measure(path):
    """Lines, lines in macros, macros, lines of the longest one, and functions."""
    lines, macros, inside = code(path), [], False
    for line in lines:
        if not inside and re.match(r"\s*#\s*define\b", line):
            inside = True
            macros.append(0)
        if inside:
            macros[-1] += 1
            inside = line.rstrip().endswith("\\")
    return [len(lines), sum(macros), len(macros), max(macros, default=0), len(tags([path], "fp"))]


def sample(tree, headers):
    """Return the names that the sample driver calls, and the ones without a tag."""
    files = sorted((TOP / "samples/sgpu").glob("*.[ch]"))
    text = "\n".join(line for path in files for line in code(path))
    names = set(re.findall(r"\b(\w*sgpu_\w+|drmm?_(?:dev_ctx|shmem|vmap|gpuvm)_\w+"
                           r"|DRM_(?:DEV_CTX|SHMEM|VMAP|GPUVM)_\w+)\s*\(", text))
    # Some of the names may belong to the core's GPUVM.
    found = tags([*headers, *files, tree / "include/drm/drm_gpuvm.h"], "+pxd")
    return names, sorted(names - found)


def table(tree):
    """Return the text of the file."""
    version = subprocess.run(["ctags", "--version"], capture_output=True, text=True,
                             check=True).stdout.split(",")[0]
    headers = sorted(path for path in TOP.glob("*.h") if not PRIVATE.search(path.name))
    rows, total = [], [0] * 5
    for path in headers:
        figures = measure(path)
        rows.append([f"``{path.name}``", *figures])
        total = [max(a, b) if i == 3 else a + b for i, (a, b) in enumerate(zip(total, figures))]
    rows.append(["all", *total])
    out = [f".. {rst.SPDX}", f".. Written by make docs from the headers, with {version}.", ""]
    out += rst.table((40, 12, 14, 20, 14),
                     [["Header", "Lines", "Macros, share", "Macros, longest", "Tags"],
                      *([name, lines, f"{100 * inside // lines} %", f"{macros}, {longest}", functions]
                        for name, lines, inside, macros, longest, functions in rows)])
    names, missing = sample(tree, headers)
    out += [f"The sample driver calls {len(names)} names of the library and its own. "
            + ("ctags finds all of them." if not missing else
               f"ctags does not find {len(missing)}, which macros generate:"), ""]
    if missing:
        out += [", ".join(f"``{name}``" for name in missing) + ".", ""]
    return "\n".join(out)


def main():
    """Write the file, or check that it is up to date."""
    new = table(pathlib.Path(sys.argv[1]))
    old = FILE.read_text(encoding="utf-8") if FILE.exists() else ""
    if old == new:
        return 0
    if sys.argv[2:] != ["--check"]:
        FILE.write_text(new, encoding="utf-8")
        print("Documentation/api-figures.txt is written anew")
        return 0
    # Another version may find other functions.
    if old and old.splitlines()[1] != new.splitlines()[1]:
        return 0
    print("Documentation/api-figures.txt is out of date: make docs writes it")
    return 1


if __name__ == "__main__":
    sys.exit(main())
