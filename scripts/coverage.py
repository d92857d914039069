#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Print the results of gcovr, and compare them with the reasons for unreached branches.

coverage.py REPORT.json SOURCES REASONS

REASONS has a line for the branches of equal lines of a function that no test takes,

    FILE: FUNCTION: NUMBER: the line

and indented lines with the reason below it. A ? for the number means that it
depends on the order of tasks. The check fails for an unreached branch without a
reason, a reason for a branch that is reached, and less than 95 % of the branches.

An always-inlined function of a header has a copy for each caller. The copies of a
branch count as one, which is taken if any copy is taken.
"""
import collections
import json
import pathlib
import re
import sys

GOAL = 95


def function_of(text, number):
    """Return the name of the function around a line: the last one that begins in column one."""
    for line in reversed(text[:number]):
        begin = re.match(r"(?!#|static_assert|EXPORT)(?:\w.*?\W)??(\w+)\(", line)
        if begin:
            return begin[1]
    return "?"


def branches(line, merge):
    """Return how often each branch of a line was taken. Merge the copies of the line."""
    counts = [b["count"] for b in line["branches"] if not b.get("gcovr/excluded")]
    if merge and len(counts) > 2:
        return [sum(counts[0::2]), sum(counts[1::2])]
    return counts


class File:
    """The coverage of a file."""

    def __init__(self, entry, sources):
        self.name = pathlib.Path(entry["file"]).name
        self.text = (sources / self.name).read_text(encoding="utf-8").splitlines()
        lines = [l for l in entry["lines"] if not l.get("gcovr/noncode")]
        self.lines = [bool(l["count"]) for l in lines]
        self.branches = {l["line_number"]: branches(l, self.name.endswith(".h")) for l in lines}

    def taken(self):
        """Return for each branch whether it was taken."""
        return [bool(count) for counts in self.branches.values() for count in counts]

    def missed(self):
        """Return the number of branches not taken, by function and line."""
        count = collections.Counter()
        for number, counts in self.branches.items():
            where = f"{self.name}: {function_of(self.text, number)}"
            count[where, " ".join(self.text[number - 1].split())] += counts.count(0)
        return +count


def reasons(path):
    """Read REASONS: the number of branches by function and line."""
    known = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and line[0] not in "#\t":
            file, function, number, text = line.split(": ", 3)
            known[f"{file}: {function}", text] = number
    return known


def share(what):
    """Format a share as numbers and in percent."""
    return f"{sum(what):5} of {len(what):5} {100 * sum(what) / max(len(what), 1):6.1f} %"


def row(name, files):
    """Print a row of the table. Return the percentage of branches that were taken."""
    lines = [l for f in files for l in f.lines]
    taken = [t for f in files for t in f.taken()]
    print(f"{name:28} lines {share(lines)}   branches {share(taken)}")
    return 100 * sum(taken) / max(len(taken), 1)


def main():
    """See above."""
    report, sources, path = map(pathlib.Path, sys.argv[1:])
    files = [File(e, sources) for e in json.loads(report.read_text(encoding="utf-8"))["files"]]
    for file in files:
        row(file.name, [file])
    bad = row("all", files) < GOAL
    missed = sum((file.missed() for file in files), collections.Counter())
    known = reasons(path)
    for key in sorted(missed.keys() | known.keys()):
        have, want = missed[key], known.get(key, "0")
        if want not in ("?", str(have)):
            bad = True
            print(f"{key[0]}: {have}: {key[1]}\n\t{have} not taken, with a reason for {want}")
    return bad


if __name__ == "__main__":
    sys.exit(main())
