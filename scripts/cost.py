#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Compare the instructions of hand-written code and of our code.

cost.py BUILDDIR CMDFILE FILE...: CMDFILE is a file that kbuild wrote in
BUILDDIR for an object of this directory. The command in it compiles each FILE. A line

    /* cost: NAME LIMIT: why */

in a FILE says that NAME_of_ours() may take LIMIT instructions more than
NAME_by_hand(), from the start of the function to its first return. If LIMIT is
"same" then the instructions must be the same.
"""
import pathlib
import re
import shlex
import subprocess
import sys


def assembly(builddir, cmdfile, source):
    """Compile a file with the kernel's flags for the directory."""
    text = pathlib.Path(cmdfile).read_text(encoding="utf-8").splitlines()[0]
    words = shlex.split(text.partition(" := ")[2].partition(" ; ")[0])
    words = [w for w in words[:words.index("-c")] if not w.startswith("-Wp,-MMD")]
    top = source.resolve().parents[2]
    done = subprocess.run([words[0], f"-I{top}", *words[1:], "-w", "-S", "-o", "-",
                           str(source.resolve())],
                          cwd=builddir, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


def way_through(text, name):
    """List the instructions of a function up to its first return."""
    body = re.search(rf"^{name}:[^\n]*\n(.*?)^\s+\.size\s+{name},", text, re.M | re.S)
    way = []
    for line in body.group(1).splitlines():
        words = line.split("#")[0].split()
        if not words or words[0].startswith(".") or words[0].endswith(":"):
            continue
        way.append(" ".join(words))
        # A tail call ends the function as well.
        if words[0].startswith("ret") or (words[0].startswith("jmp") and "*" in words[1]):
            return way
    sys.exit(f"{name} does not return")


def main():
    """Print a line for each pair, and fail if one is over its limit."""
    builddir, cmdfile, *sources = sys.argv[1:]
    failed = False
    for source in map(pathlib.Path, sources):
        pairs = re.findall(r"^/\* cost: (\w+) (\d+|same):",
                           source.read_text(encoding="utf-8"), re.M)
        text = assembly(builddir, cmdfile, source)
        for name, limit in pairs:
            hand = way_through(text, f"{name}_by_hand")
            ours = way_through(text, f"{name}_of_ours")
            if limit == "same":
                over = hand != ours
            else:
                over = len(ours) - len(hand) > int(limit)
            failed |= over
            print(f"{'FAILED' if over else 'ok':6} {source.stem} {name}: by hand {len(hand)}, "
                  f"ours {len(ours)}, limit {limit}")
        if not pairs:
            print(f"FAILED {source.stem}: there is nothing to compare")
            failed = True
    if not sources:
        sys.exit("there is nothing to compare")
    return failed


if __name__ == "__main__":
    sys.exit(main())
