#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Compile every example of the documentation.

An example is a block of C after ".. code-block:: c" in a comment of the library's
sources or on a page of Documentation, or between ```c and ``` in README.md. The
examples of one file are compiled together, in their order, after
tests/examples/NAME-examples.h, which has the declarations that they need. NAME is the name
of the file without its suffix. A comment before an example, which is not rendered, changes
that:

    .. example: in int foo(struct foo_bo *bo)    statements of this function
    .. example: after NAME                       with NAME's header, after NAME's examples
    .. example: alone                            apart from the others

It may continue on the next line. In README.md, it is "<!-- example: ... -->". A line "..." is left out.
"""
import argparse
import pathlib
import re
import sys
import tempfile

from misuse import Compiler

# The examples show functions that nothing here calls.
FLAGS = ["-Wno-unused-function", "-Wno-unused-variable", "-Wno-unused-const-variable",
         "-Wno-unused-but-set-parameter"]


class Example:
    """A block, where it is, and what its comment says."""

    def __init__(self, path, number, lines, how):
        self.path, self.number = path, number
        word, _, rest = how.partition(" ")
        if word not in ("", "in", "after", "alone"):
            sys.exit(f"{path}:{number}: unknown comment '{how}'")
        self.unit = number if word == "alone" else 0
        self.header = rest if word == "after" else path.stem
        self.function = rest if word == "in" else ""
        self.lines = ["" if line.strip() == "..." else line for line in lines]

    def text(self):
        """Return the code to compile, with the line numbers of the source."""
        head = f'\n{self.function}; {self.function}\n{{\n' if self.function else "\n"
        # An example may leave out the last return of a function.
        end = "\nreturn 0;" if self.function.startswith("int ") else ""
        tail = f"{end}\n}}\n" if self.function else "\n"
        return (head + f'#line {self.number} "{self.path}"\n' + "\n".join(self.lines) + tail)


def indent(line):
    """Return the width of the white space at the start of a line."""
    line = line.expandtabs()
    return len(line) - len(line.lstrip())


def blocks(path, lines):
    """Find the examples in reStructuredText, given as (number, line)."""
    how = ""
    for i, (number, line) in enumerate(lines):
        if found := re.match(r"\s*\.\. example: (.*)$", line):
            more = [text.strip() for _, text in lines[i + 1:i + 4]]
            while more and more[0] and not more[0].startswith(".. "):
                found, more = [0, f"{found[1]} {more[0]}"], more[1:]
            how = found[1].strip()
        elif re.match(r"\s*\.\. code-block:: c$", line):
            body = []
            for _, inside in lines[i + 1:]:
                if inside.strip() and indent(inside) <= indent(line):
                    break
                body.append(inside)
            first = number + 1
            while body and not body[0].strip():
                body, first = body[1:], first + 1
            if not body:
                sys.exit(f"{path}:{number}: an example without a line")
            yield Example(path, first, body, how)
            how = ""


def refuse_unmarked(path, lines):
    """Fail if there is C in a literal block that is not marked as an example."""
    for i, (number, line) in enumerate(lines):
        if line.endswith("::") and not line.lstrip().startswith(".. "):
            body = [inside for _, inside in lines[i + 1:i + 4] if inside.strip()]
            if body and re.search(r"[;{,]$|\w+ \*$", body[0]):
                sys.exit(f"{path}:{number}: C that is not compiled: use .. code-block:: c")


def of_source(path):
    """Find the examples in the comments of a C file."""
    lines = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if found := re.match(r" \* ?(.*)$", line):
            lines.append((number, found[1]))
        else:
            lines.append((number, "" if line.startswith("/*") else "."))
    refuse_unmarked(path, lines)
    return blocks(path, lines)


def of_page(path):
    """Find the examples on a page."""
    lines = list(enumerate(path.read_text(encoding="utf-8").splitlines(), 1))
    refuse_unmarked(path, lines)
    return blocks(path, lines)


def of_readme(path):
    """Find the examples in a page of Markdown."""
    how, body, first = "", None, 0
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if found := re.match(r"<!-- example: (.*) -->$", line):
            how = found[1]
        elif line == "```c":
            body, first = [], number + 1
        elif line == "```" and body is not None:
            yield Example(path, first, body, how)
            how, body = "", None
        elif body is not None:
            body.append(line)


def units(examples):
    """Return the examples that are compiled together, and the header of each group."""
    found = {}
    for e in examples:
        found.setdefault((e.header, e.unit), []).append(e)
    return [(header, unit) for (header, _), unit in found.items()]


def main():
    """Compile all of them."""
    args = argparse.ArgumentParser()
    args.add_argument("--compiler", nargs=4, action="append", required=True,
                      metavar=("NAME", "BUILDDIR", "CMDFILE", "WRAPPER"))
    args.add_argument("top", type=pathlib.Path)
    args = args.parse_args()

    top = args.top.resolve()
    compilers = [Compiler(top, top, *words) for words in args.compiler]
    found = {path: list(of_source(path)) for path in sorted(top.glob("*.[ch]"))}
    found.update({path: list(of_page(path)) for path in sorted(top.glob("Documentation/*.rst"))
                  # make misuse compiles the examples on these pages.
                  if not path.name.startswith("misuse-")})
    found[top / "README.md"] = list(of_readme(top / "README.md"))
    found = {path: examples for path, examples in found.items() if examples}
    headers = {path.name.removesuffix("-examples.h")
               for path in (top / "tests/examples").glob("*-examples.h")}
    wanted = {e.header for examples in found.values() for e in examples}
    failed = 0

    # A page that has lost its examples, or a pattern that finds none, is a failure.
    for name in sorted(headers ^ wanted):
        print(f"FAILED: {name}: " + ("tests/examples has no header for its examples"
                                     if name in wanted else "no example was found in it"))
        failed += 1
    with tempfile.TemporaryDirectory() as tmp:
        for path, examples in found.items():
            for number, (header, unit) in enumerate(units(examples)):
                source = pathlib.Path(tmp) / f"{path.stem}-{number}.c"
                source.write_text(f'#include "tests/examples/{header}-examples.h"\n' +
                                  "".join(e.text() for e in unit), encoding="utf-8")
                for c in compilers:
                    _, said = c.run(source, flags=[] if c.name == "sparse" else FLAGS)
                    for text in said:
                        print(f"FAILED: {path.relative_to(top)}, after {header}, {c.name}: {text}")
                    failed += bool(said)
    total = sum(len(examples) for examples in found.values())
    print(f"examples: {total} in {len(found)} files, with {', '.join(c.name for c in compilers)}: "
          + (f"{failed} do not compile" if failed else "all compile"))
    return 1 if failed or not total else 0


if __name__ == "__main__":
    sys.exit(main())
