#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Write the index of functions of each page, Documentation/functions-*.txt.

functions.py TREE          write the files that are out of date, and name them
functions.py TREE --check  name the files that are out of date, and fail

TREE is a kernel tree with this directory in it. The index of a page lists the functions, macros and
types of the page's kernel-doc directives, below the headings of the page. A page has an index if it
includes the file.
"""
import pathlib
import re
import subprocess
import sys

import rst

TOP = pathlib.Path(__file__).resolve().parents[2]
PAGES = TOP / "Documentation"


def directives(page):
    """Each kernel-doc directive of a page: the heading above it, its file and its options."""
    lines = page.read_text(encoding="utf-8").splitlines()
    heading = ""
    for i, line in enumerate(lines):
        if i and re.fullmatch(r"(=+|-+|~+)", line) and len(line) == len(lines[i - 1]):
            heading = lines[i - 1]
        elif found := re.match(r"\.\. kernel-doc:: (\S+)", line):
            options = {}
            for option in lines[i + 1:]:
                if not (match := re.match(r"   :([a-z-]+): ?(.*)", option)):
                    break
                options[match[1]] = match[2].split()
            if "doc" not in options:
                yield heading, found[1], options


def kernel_doc(tree, file, options):
    """Yield the kind, name and purpose of each thing that a directive shows."""
    words = [f"-{kind}" for kind in ("internal", "export") if kind in options]
    words += [word for name in options.get("identifiers", []) for word in ("-function", name)]
    words += [word for name in options.get("no-identifiers", []) for word in ("-nosymbol", name)]
    out = subprocess.run([sys.executable, tree / "scripts/kernel-doc", "-rst", *words, file],
                         cwd=tree, capture_output=True, text=True, check=True).stdout
    # kernel-doc puts the prototype of a macro between its name and its purpose.
    for kind, what, prototype, purpose in re.findall(
            r"^\.\. c:(\w+):: (.*)\n\n(``.*``\n\n)?((?:  +\S.*\n)*)", out, re.M):
        if "(" in prototype:
            kind = "function"
        name = re.search(r"(\w+) ?\(|(\w+)$", what)
        yield kind, name[1] or name[2], " ".join(purpose.split())


def role(kind, name):
    """Return a reference in reStructuredText."""
    kind = {"function": "func", "struct": "struct", "union": "union", "enum": "enum",
            "type": "type", "typedef": "type"}.get(kind, "macro")
    return f":c:{kind}:`{name}`"


def index(tree, page):
    """The index of a page."""
    sections = {}
    for heading, file, options in directives(page):
        sections.setdefault(heading, []).extend(kernel_doc(tree, file, options))
    out = [f".. {rst.SPDX}", ".. Written by make docs from the kernel-doc comments.", ""]
    for heading, found in sections.items():
        if not found:
            continue
        out += [f".. rubric:: {heading}", ""]
        out += rst.table((42, 58), [(role(kind, name), purpose) for kind, name, purpose in
                                    sorted(set(found), key=lambda row: (row[1].lower(), row))],
                         header=False)
    return "\n".join(out)


def main():
    """Write or check the index of each page."""
    tree, check = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:] == ["--check"]
    stale, pages = False, 0
    for page in sorted(PAGES.glob("*.rst")):
        name = f"functions-{page.stem}.txt"
        if f".. include:: {name}" not in page.read_text(encoding="utf-8"):
            continue
        pages += 1
        text, path = index(tree, page), PAGES / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale = True
        if not check:
            path.write_text(text, encoding="utf-8")
        print(f"Documentation/{name} " + ("is out of date: make docs writes it" if check else "is written anew"))
    if not pages:
        sys.exit("no page includes an index of functions")
    return 1 if stale and check else 0


if __name__ == "__main__":
    sys.exit(main())
