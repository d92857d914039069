#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Write the pages about refused mistakes from tests/misuse and the results of make misuse.

misuse_doc.py             write the pages in Documentation from the sources and the
                          recorded results in tests/misuse, without a compiler
misuse_doc.py --check     fail if a page is out of date

The file tests/misuse/results has a line for each case and tool, with the level that the
tool reached and its first message.
"""
import difflib
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path.append(str(TOP / "scripts/docs"))
import rst  # pylint: disable=wrong-import-position
RUST = {"b": "build", "r": "run time", "partly": "partly", "no": "no", "-": "-"}
RUST_SAYS = {"build": "Rust's abstractions refuse this mistake at build time.",
             "run time": "Rust's abstractions refuse this mistake at run time.",
             "run time, no": "Rust's abstractions refuse a part of these mistakes at run time.",
             "partly": "Rust's abstractions refuse a part of these mistakes.",
             "no": "Rust's abstractions do not refuse this mistake.",
             "-": "Rust's abstractions have no counterpart."}
LEVELS = {"B": "error", "W": "warning", "U": "warning that a driver turns on",
          "C": "report from a checker"}

# The pages: name, title, and the first class on it.
PAGES = [("mappings", "Locks and mappings", "1"),
         ("objects", "Scatter-gather tables and objects", "12"),
         ("gpuvm", "Address spaces", "19"),
         ("devices", "Devices", "29"),
         ("across", "Across the parts", "39"),
         ("design", "Promises of the library", "design")]


def diagnostic(said):
    """A diagnostic without the text that differs between compilers."""
    text = re.sub(r"^call to .*? declared with (?:attribute error|'error' attribute): ", "", said)
    text = re.sub(r"^static assertion failed(?: due to requirement .*?)?: ", "", text)
    # gcc names an anonymous union differently in each run.
    text = re.sub(r"\.<U[^>]*>", "", text)
    text = re.sub(r" \(first use in this function\).*| \[-W.*?\]$", "", text).strip('"')
    return text.replace("‘", "'").replace("’", "'")


def escaped(text):
    """The text with reStructuredText's markup escaped."""
    return re.sub(r"([\\*`|_])", r"\\\1", text)


def literal(text):
    """The text as inline literal text."""
    return f"``{text}``"


class Results:
    """The level and the message of each tool for each case."""

    def __init__(self, tools=()):
        self.tools, self.found = list(tools), {}

    @classmethod
    def read(cls, path):
        """Read the results from the file, if it exists."""
        results = cls()
        if path.exists():
            lines = path.read_text(encoding="utf-8").splitlines()
            results.tools = lines[1].partition(", with ")[2].split(", ")
            for line in lines[2:]:
                file, case, tool, gave, *said = line.split("\t")
                results.add(file, case, tool, gave, said[0] if said else "")
        return results

    def add(self, file, case, tool, gave, said):
        """Add the level and the message of one tool."""
        self.found.setdefault((file, case), {})[tool] = (gave, said)

    def carry(self, old, names):
        """Take over the old results of the checkers that are not installed."""
        for tool in old.tools:
            if tool.split()[-1] not in names or tool in self.tools:
                continue
            self.tools.insert(old.tools.index(tool), tool)
            for key, cases in old.found.items():
                if key in self.found and tool in cases:
                    self.found[key][tool] = cases[tool]

    def of(self, file, case):
        """The results of a case, in the order of the tools."""
        found = self.found.get((file, case), {})
        return {tool: found[tool] for tool in self.tools if tool in found}

    def text(self):
        """The text of the file."""
        out = [f"# {rst.SPDX}", f"# Written by make misuse, with {', '.join(self.tools)}"]
        for file, case in self.found:
            out += ["\t".join((file, case, tool, *found)).rstrip("\t")
                    for tool, found in self.of(file, case).items()]
        return "\n".join(out) + "\n"


class Source:
    """A file of the corpus, with the code of each case."""

    def __init__(self, path):
        self.path, self.cases = path, []
        self.title, self.number, self.rust, self.runs = "", "", "-", []
        for key, value in re.findall(r"^// (\w+): (.*)$", path.read_text(encoding="utf-8"), re.M):
            if key == "class":
                self.number = value
            elif key == "wrong":
                self.cases.append(re.match(r"(\w+) ([BWUC])", value).groups())
            elif key == "run":
                self.runs.append(re.match(r"([\w.]+): (.*)", value).groups())
            else:
                setattr(self, key, value)

    def lines(self, case=None):
        """The lines of the code, without the description and the common include."""
        defines = [f"-{'D' if name == case else 'U'}{name}" for name, _ in self.cases]
        # unifdef returns 1 if it has changed the text.
        text = subprocess.run(["unifdef", *defines, self.path], capture_output=True, text=True,
                              check=False).stdout
        text = re.sub(r'^// .*\n|^#include "foo.h"\n', "", text, flags=re.M)
        return re.sub(r"\n{3,}", "\n\n", text).strip("\n").expandtabs(8).splitlines()


def functions(lines):
    """For each line, the first line of its function, or an empty string."""
    inside, found = "", []
    for line in lines:
        if re.match(r"[A-Za-z_].*\(", line):
            inside = line
        found.append(inside)
        if line == "}" or line.endswith(");") and line[:1].isalpha():
            inside = ""
    return found


def changes(right, wrong):
    """The change of a case, as a diff whose hunks name the function."""
    inside, out = functions(right), []
    for line in list(difflib.unified_diff(right, wrong, n=1, lineterm=""))[2:]:
        if hunk := re.match(r"@@ -(\d+)", line):
            line = f"@@ {inside[max(int(hunk[1]) - 1, 0)]}".rstrip() if right else "@@"
        out.append(line)
    # The hunk header is redundant if the hunk starts with the same line.
    return [line for i, line in enumerate(out)
            if not (line.startswith("@@") and out[i + 1:i + 2] == [f" {line[3:]}"])]


def block(language, lines):
    """A block of code."""
    return [f".. code-block:: {language}", "", *(f"   {line}".rstrip() for line in lines), ""]


def heading(text, mark):
    """A heading."""
    return [text, mark * len(text), ""]


def said_by(tools, level):
    """The messages of a case: a list in which tools with the same message share an item."""
    groups = {}
    for tool, (gave, said) in tools.items():
        if gave and (gave != "-" or level in "BWU"):
            groups.setdefault(said if gave != "-" else "", []).append(tool)
    return [f"- {', '.join(names)}: {literal(said) if said else 'no message'}"
            for said, names in sorted(groups.items(), key=lambda group: not group[0])]


def section_of_file(source, results):
    """The right code of a file, and each of its cases."""
    right = source.lines()
    out = block("c", right)
    for name, level in source.cases:
        tools = results.of(source.path.name, name)
        out += [f"**{escaped(name)}**: {LEVELS[level]} ({level})", ""]
        out += block("diff", changes(right, source.lines(name)))
        out += [*said_by(tools, level), ""]
    if source.runs:
        out += ["KUnit cases show the behaviour at run time (R):", ""]
        out += [f"- {literal(name)}: {escaped(shows)}" for name, shows in source.runs] + [""]
    return out


def number_of(page):
    """The first class of a page, as a number."""
    return 10000 if page[2] == "design" else int(page[2])


class Corpus:
    """All files of the corpus, by class."""

    def __init__(self, directory):
        self.titles, self.files = {}, {}
        for line in (directory / "classes").read_text(encoding="utf-8").splitlines():
            if line and line[0] != "#":
                number, _, title, *_ = line.split("\t")
                self.titles[number] = title
        self.titles["design"] = PAGES[-1][1]
        for path in sorted(directory.glob("*.c")):
            source = Source(path)
            self.files.setdefault(source.number, []).append(source)

    def on_page(self, page):
        """The numbers of the classes on a page."""
        after = [number_of(p) for p in PAGES] + [1 << 30]
        first, end = number_of(page), min(n for n in after if n > number_of(page))
        return [n for n in self.titles
                if n in self.files and first <= (10000 if n == "design" else int(n)) < end]

    def counts(self, number):
        """The number of cases of a class at each level."""
        files = self.files[number]
        found = {level: sum(case[1] == level for f in files for case in f.cases) for level in LEVELS}
        return {**found, "R": sum(len(f.runs) for f in files)}

    def rust(self, number):
        """Return the points at which Rust's abstractions refuse a class."""
        found = {f.rust for f in self.files[number]} - {"-"}
        return ", ".join(RUST[r] for r in RUST if r in found) or "-"


def page_of_classes(corpus, results, page):
    """A page with a section for each class."""
    name, title, _ = page
    head = f"What is refused: {title[0].lower()}{title[1:]}"
    out = [f".. {rst.SPDX}", ".. Written by make misuse from tests/misuse.", "",
           "=" * len(head), head, "=" * len(head), "",
           "Each section starts with code that compiles. The diff of a case shows the change that makes the",
           "code wrong, and the list below the diff shows what each tool prints. :doc:`misuse` explains the",
           "levels.", ""]
    for number in corpus.on_page(page):
        files = corpus.files[number]
        out += [f".. _drm_safe_misuse_{number}:", ""]
        if number != "design":
            out += heading(escaped(f"Class {number}: {corpus.titles[number]}"), "=")
            out += [f"{RUST_SAYS[corpus.rust(number)]}", ""]
        for source in files:
            if len(files) > 1 or number == "design":
                out += heading(escaped(source.title[0].upper() + source.title[1:]),
                               "=" if number == "design" else "-")
            out += section_of_file(source, results)
    return f"misuse-{name}.rst", "\n".join(out).rstrip("\n") + "\n"


def best(counts):
    """The earliest point at which a class is refused."""
    return next((text for levels, text in (("BW", "build"), ("UC", "checker"), ("R", "run time"))
                 if any(counts[level] for level in levels)), "no")


def summary(corpus, results):
    """Write the number of classes refused at each point, and of cases of each class at each
    level."""
    numbers = [n for n in corpus.titles if n in corpus.files]
    classes = [n for n in numbers if n != "design"]
    first = [best(corpus.counts(n)) for n in classes]
    # Count the earliest point for Rust, as for the library.
    rust = [corpus.rust(n).split(", ")[0] for n in classes]
    out = [f".. {rst.SPDX}",
           f".. Written by make misuse from tests/misuse, with {', '.join(results.tools)}.", ""]
    rows = [["Classes refused", "Library", "Rust"]]
    for text, ours, theirs in (("when the driver is compiled", "build", "build"),
                               ("by a checker, or by a warning that a driver turns on", "checker", ""),
                               ("when the driver runs", "run time", "run time"),
                               ("partly", "", "partly"), ("never", "no", "no"),
                               ("without a counterpart in Rust", "", "-")):
        counts = [first.count(ours) if ours else "", rust.count(theirs) if theirs else ""]
        if any(counts):
            rows.append([text, *counts])
    out += rst.table((70, 15, 15), rows)
    total = {level: 0 for level in "BWUCR"}
    for page in PAGES:
        if not corpus.on_page(page):
            continue
        rows = [[f":doc:`{page[1]} <misuse-{page[0]}>`", "Cases", "Rust"]]
        for number in corpus.on_page(page):
            counts = corpus.counts(number)
            total = {level: total[level] + counts[level] for level in total}
            text = "" if number == "design" else f"{number}: "
            rows.append([f":ref:`{text}{corpus.titles[number]} <drm_safe_misuse_{number}>`"
                         if number != "design" else "promises without a class",
                         ", ".join(f"{counts[level]}\N{NO-BREAK SPACE}{level}" for level in "BWUCR" if counts[level]),
                         corpus.rust(number)])
        out += rst.table((60, 24, 16), rows)
    out += [f"In all, there are {sum(total.values())} cases: "
            + ", ".join(f"{count} at level {level}" for level, count in total.items()) + ".", ""]
    out += [".. toctree::", "   :maxdepth: 1", "", *(f"   misuse-{page[0]}" for page in PAGES)]
    return "misuse-table.txt", "\n".join(out) + "\n"


def pages(directory, results):
    """All pages: their names and texts."""
    corpus = Corpus(directory)
    return [summary(corpus, results), *(page_of_classes(corpus, results, page) for page in PAGES)]


def write(directory, results):
    """Write the files that differ, and return their names."""
    files = [(TOP / "Documentation" / name, text) for name, text in pages(directory, results)]
    files.append((directory / "results", results.text()))
    stale = [(path, text) for path, text in files
             if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path, text in stale:
        path.write_text(text, encoding="utf-8")
    return [str(path.relative_to(TOP)) for path, _ in stale]


def main():
    """Write the pages, or list those that are out of date."""
    directory = TOP / "tests/misuse"
    results = Results.read(directory / "results")
    if sys.argv[1:] != ["--check"]:
        for name in write(directory, results):
            print(f"{name} written")
        return 0
    stale = [name for name, text in pages(directory, results)
             if not (TOP / "Documentation" / name).exists()
             or (TOP / "Documentation" / name).read_text(encoding="utf-8") != text]
    for name in stale:
        print(f"Documentation/{name} is out of date: run scripts/misuse_doc.py")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
