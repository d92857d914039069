#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Compile the corpus of misuse and compare the results with the promises of its files.

A file of the corpus is a part of a driver. It must compile without a diagnostic as it is,
and must be refused when the name of a case is defined. Its first lines are its description:

    // class: 9                         number, or "design" for a promise
    // title: access outside the mapping
    // rust: b                          whether Rust refuses the mistake: b, r, partly, no
    // wrong: CASE B: regex             level and first diagnostic of the case
    // unseen: CASE: sentence           no tool refuses the case; unseen.txt has the sentence
    // checked: CASE: sentence          only a checker refuses it; unseen-compilers.txt has that
    // run: suite.case: sentence        KUnit case that proves level R

The level of a case is B for an error, W for a warning that is on by default, U for a
warning that a driver's Makefile can turn on, and C for a report from a checker. C alone
means the rules of scripts/coccinelle. C(context) means clang's context analysis and
function effects, and C(sparse) means sparse. U(gcc) means that only gcc has the warning;
a C line beside it then gives the checker for other compilers. The file "classes" in the
corpus lists the levels that each class must reach.

A directory without "classes" is a driver, and so is the argument of --driver. The files
of a driver must pass every compiler and checker, and may have cases of their own. Files
that the driver's Makefile leaves out in this configuration are skipped.
"""
import argparse
import concurrent.futures
import functools
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from misuse_doc import RUST, Results, diagnostic, write

# Flags that a driver's Makefile can add to the kernel's.
USER_FLAGS = ["-Wdangling-pointer", "-Wjump-misses-init"]
TOP = pathlib.Path(__file__).resolve().parents[1]


# Flags that the kernel's Makefile passes to sparse, besides the compiler's.
SPARSE = ("-D__linux__ -Dlinux -D__STDC__ -Dunix -D__unix__ -Wbitwise "
          "-Wno-return-void -Wno-unknown-attribute -Wno-decl --arch=um -m64 "
          "-mlittle-endian").split()


class Compiler:
    """The kernel's command for a file of this directory, without the file."""

    def __init__(self, top, corpus, name, builddir, cmdfile, wrapper):
        text = pathlib.Path(cmdfile).read_text(encoding="utf-8").splitlines()[0]
        command = text.partition(" := ")[2].partition(" ; ")[0]
        # Use the headers of this clone, not the copies in the kernel tree.
        words = [w for w in shlex.split(command)
                 if not w.startswith("-Wp,-MMD") and not w.endswith("drivers/gpu/drm/safe")]
        self.name = name
        self.dir = builddir
        self.checks = name in ("context", "sparse")
        wrap = shlex.split(wrapper)
        if name == "sparse":
            words[:1] = [*wrap, *SPARSE]
            self.label = name
        else:
            words[:0] = wrap
            version = subprocess.run([*words[:len(wrap) + 1], "-dumpversion"], text=True,
                                     capture_output=True, check=True).stdout.split(".")[0].strip()
            self.label = f"{name} {version}"
        if name == "context":
            words[len(wrap) + 1:len(wrap) + 1] = ["-Wfunction-effects", "-DDRM_SAFE_CHECK_EFFECTS"]
            self.label = f"clang {version} context"
        # The functions of the corpus are neither declared nor called. The last flag
        # silences a warning from clang about the kernel's own io.h on UML.
        self.words = words[:words.index("-c")] + [
            "-Wno-missing-prototypes", "-Wno-missing-declarations",
            "-Wno-null-pointer-arithmetic", "-DDRM_SAFE_SIGNALLING_CHECKED",
            f"-I{top}", f"-I{corpus}"]
        self.slow = self.words
        self.env = {**os.environ, "LC_ALL": "C"}

    def precompile(self, header, out):
        """Precompile foo.h with everything that the kernel includes in every file."""
        subprocess.run([*self.words, "-x", "c-header", "-o", f"{out}.gch", header],
                       cwd=self.dir, env=self.env, check=True)
        self.words = [w for before, w in zip(["", *self.slow], self.slow)
                      if "-include" not in (before, w)] + ["-include", str(out)]

    def compile(self, words, more, signalling):
        """Compile a file. On request, check its object as Makefile.signalling does."""
        if not signalling or self.name == "sparse":
            return self.call([*words, *more])
        with tempfile.TemporaryDirectory() as tmp:
            out = f"{tmp}/object.o"
            more = ["-c" if word == "-S" else out if word == "-" else word for word in more]
            done = self.call([*words, *more])
            return done if done.returncode else \
                self.call([TOP / "scripts" / "signalling.py", "check", out])

    def call(self, words):
        """Run a command in the kernel's build directory."""
        return subprocess.run(words, cwd=self.dir, env=self.env, capture_output=True, text=True,
                              check=False)

    def run(self, source, case=None, flags=()):
        """Return the level at which the file is refused, and all diagnostics."""
        more = [*flags, *([f"-D{case}"] if case else []), "-S", "-o", "-", str(source.resolve())]
        first = re.search(r"^#include (.*)$", source.read_text(encoding="utf-8"), re.M)
        first = first[1] if first else ""
        if self.name == "sparse":
            more = more[:-4] + more[-1:]
        for words in (self.words, self.slow) if first == '"foo.h"' else (self.slow,):
            # The build of a driver checks its own files together, with the driver's list.
            done = self.compile(words, more, "drm_safe_signalling.h" in first and
                                (source.parent / "classes").exists())
            # gcc cannot always load a precompiled header at the address that it needs.
            if "PCH" not in done.stderr:
                break
        found = re.findall(r"^\S*: (?:fatal )?(error|warning): (.*)$", done.stderr, re.M)
        if self.name == "sparse":
            return ("W" if found else "-"), [text for _, text in found]
        if done.returncode:
            return "B", [text for kind, text in found if kind == "error"] or [done.stderr]
        return ("W" if found else "-"), [text for _, text in found]


class Corpus:
    """One file, and its promises."""

    def __init__(self, path):
        self.path = path
        self.title, self.number, self.rust = "", "", "-"
        self.wrong, self.runs, self.checked = [], [], []
        text = path.read_text(encoding="utf-8")
        for key, value in re.findall(r"^// (\w+): (.*)$", text, re.M):
            if key == "class":
                self.number = value
            elif key == "wrong":
                self.wrong.append(re.match(r"(\w+) ([BWUC])(?:\((\w+)\))?: (.*)",
                                           value).groups())
            elif key == "unseen":
                case, sentence = re.match(r"(\w+): (.*)", value).groups()
                self.wrong.append((case, "N", None, sentence))
            elif key == "checked":
                self.checked.append(re.match(r"(\w+): (.*)", value).groups())
            elif key == "run":
                self.runs.append(re.match(r"([\w.]+): (.*)", value).groups())
            elif key in ("title", "rust"):
                setattr(self, key, value)
            else:
                sys.exit(f"{path}: unknown line '{key}'")
        named = {case for case, *_ in self.wrong}
        if lost := {case for case, _ in self.checked} - {c[0] for c in self.wrong if c[1] == "C"}:
            sys.exit(f"{path}: cases {sorted(lost)} are not at level C")
        if not self.number:
            return
        used = set(re.findall(r"^#\s*(?:el)?if.*?\b(?:defined\(|def )?([A-Z][A-Z0-9_]+)\b",
                              text, re.M))
        if named != used:
            sys.exit(f"{path}: cases {sorted(named ^ used)} are not both described and written")


def left_out(directory, builddir):
    """Files that a driver's Makefile does not build, because an option is not set."""
    config = pathlib.Path(builddir, "include/config/auto.conf").read_text(encoding="utf-8")
    found = set()
    for makefile in directory.glob("Makefile"):
        text = makefile.read_text(encoding="utf-8").replace("\\\n", " ")
        for name, option, objects in re.findall(r"^(\w+)-\$\((CONFIG_\w+)\)\s*\+?=(.*)$", text, re.M):
            # obj-y and obj-m are for the driver as a whole.
            if name != "obj" and not re.search(rf"^{option}=", config, re.M):
                found |= set(re.findall(r"(\w+)\.o", objects))
    return {f"{name}.c" for name in found}


def judge(compiler, corpus, case):
    """Return the level, the diagnostics, and the difference from the promise, if any."""
    if case is None:
        flags = [f for f in USER_FLAGS if supports(compiler, f)]
        level, said = compiler.run(corpus.path, None, flags)
        return level, said, f"refused: {said[0]}" if said else ""
    name, wanted, only, regex = case
    if wanted == "N":
        level, said = compiler.run(corpus.path, name,
                                   [f for f in USER_FLAGS if supports(compiler, f)])
        return level, said, f"a tool sees this, so it is not unseen: {said[0]}" if said else ""
    if compiler.name == "sparse" and only != "sparse":
        return "", [], ""
    if wanted == "C":
        level, said = compiler.run(corpus.path, name)
        found = [text for text in said if re.search(regex, text)]
        # Another line of the case may say that this compiler refuses it without a checker.
        if any(c == name and sees == compiler.name for c, _, sees, _ in corpus.wrong):
            return level, [], ""
        if not compiler.checks:
            return level, [], f"refused by the compiler: {said[0]}" if said else ""
        if level == "B" or only != compiler.name:
            return level.replace("W", "C"), [], f"does not compile: {said[0]}" if level == "B" else ""
        return ("C" if found else "-"), found, "" if found else f"not refused, but: {said}"
    flags = [f for f in USER_FLAGS if supports(compiler, f)] if wanted == "U" else []
    level, said = compiler.run(corpus.path, name, flags)
    if level == "W" and wanted == "U":
        level = "U"
    if level == "-":
        return level, said, "not refused" if only in (None, compiler.name) else ""
    if not re.search(regex, said[0]):
        return level, said, f"refused for another reason: {said[0]}"
    if "BWU".index(level) > "BWU".index(wanted):
        return level, said, f"refused at level {level}, not {wanted}"
    return level, said, ""


@functools.cache
def supports(compiler, flag):
    """True if the compiler has a warning."""
    if compiler.checks:
        return False
    done = subprocess.run([compiler.words[0], "-Werror", flag, "-x", "c", "-S", "-o", "-",
                           "/dev/null"], capture_output=True, check=False)
    return done.returncode == 0


class Spatch:
    """The rules of scripts/coccinelle. Each rule runs once over all its files."""

    def __init__(self, rules, corpus, files, tmp):
        self.rules, self.tmp, self.said = sorted(rules.glob("*.cocci")), tmp / "spatch", {}
        self.env = {**os.environ, "DRIVER": str(corpus), "PYTHONPATH": str(rules)}
        self.macros = rules / "scopes.macros"
        self.tmp.mkdir()
        for f in files:
            for case in [None, *(c for c in f.wrong if c[1] in "CN")]:
                self.write(self.tmp, f, case)

    def run(self, rule):
        """Run one rule, and return its reports: the file's name without .c, and the text."""
        done = subprocess.run(["spatch", "--very-quiet", "--no-includes", "-D", "report",
                               "--macro-file", self.macros, "--sp-file", rule,
                               "--dir", self.tmp], capture_output=True, text=True, check=True,
                              env=self.env)
        return re.findall(r"^\S*?([^/\s]+)\.c:\d+:\d+: ERROR: (.*)$", done.stdout, re.M)

    def reports(self, found):
        """Store the reports of the rules."""
        for name, text in found:
            self.said.setdefault(name, []).append(text)

    @staticmethod
    def write(tmp, corpus, case):
        """Write the source with only the code of one case."""
        path = tmp / (corpus.path.stem + (f".{case[0]}" if case else "") + ".c")
        if not corpus.wrong:
            shutil.copy(corpus.path, path)
            return
        defines = [f"-{'D' if case and c[0] == case[0] else 'U'}{c[0]}" for c in corpus.wrong]
        with open(path, "w", encoding="utf-8") as out:
            subprocess.run(["unifdef", *defines, corpus.path], stdout=out, check=False)

    def judge(self, corpus, case):
        """Like judge() above, for the rules."""
        said = self.said.get(corpus.path.stem + (f".{case[0]}" if case else ""), [])
        if case is None:
            return "-", said, f"refused: {said[0]}" if said else ""
        if case[1] == "N":
            return "-", said, f"a tool sees this, so it is not unseen: {said[0]}" if said else ""
        found = [text for text in said if re.search(case[3], text)]
        if case[2]:
            return ("C" if said else "-"), [], ""
        return ("C" if found else "-"), found, "" if found else f"not refused, but: {said}"


class Progress:
    """Show how many jobs are left, in the same way as progress() of env.sh."""

    def __init__(self, total):
        self.total, self.done, self.start = total, 0, time.monotonic()
        self.shown, self.lock = self.start, threading.Lock()
        self.out = int(os.environ.get("DRM_SAFE_PROGRESS", 1))

    def __call__(self, _job):
        """Count a job that has ended."""
        with self.lock:
            self.done += 1
            now, terminal = time.monotonic(), os.isatty(self.out)
            if now - self.shown < (1 if terminal else 30):
                return
            self.shown = now
            spent = now - self.start
            left = spent * (self.total - self.done) / self.done
            text = f"    {self.done} of {self.total} runs, {spent:.0f} s, about {left:.0f} s left"
            os.write(self.out, (text + ("\x1b[K\r" if terminal else "\n")).encode())


class Classes:
    """The levels that the classes must reach, and the levels that they reach."""

    def __init__(self, path):
        self.needs, self.later, self.reached = {}, set(), {}
        for line in path.read_text(encoding="utf-8").splitlines():
            if line and line[0] != "#":
                number, needs, _, *later = line.split("\t")
                self.needs[number] = needs.split()
                self.later |= {number} if later == ["later"] else set()

    def add(self, number, level):
        """Add the level of a case to its class."""
        self.reached.setdefault(number, set()).add(level)

    def problems(self):
        """Yield the levels that each class does not reach: number, text, and whether this is
        allowed."""
        for number in self.reached.keys() - self.needs.keys() - {"design", "unseen"}:
            yield number, "is not in the list of classes", False
        for number, needs in self.needs.items():
            reached = self.reached.get(number, set())
            lacks = [n for n in needs if not reached & set(n.split("|"))]
            if lacks:
                yield number, f"has no case at level {' nor '.join(lacks)}", number in self.later
            else:
                yield number, "is there: take out 'later'" if number in self.later else "", False


def kunit_cases(tests):
    """All KUnit cases of the sources in a directory, as suite.case."""
    cases = set()
    for path in tests.glob("*.c"):
        text = path.read_text(encoding="utf-8")
        arrays = dict(re.findall(r"struct kunit_case (\w+)\[\] = \{(.*?)\};", text, re.S))
        for body in re.findall(r"struct kunit_suite \w+ = \{(.*?)\};", text, re.S):
            suite = re.search(r"\.name = \"(.*?)\"", body)[1]
            array = re.search(r"\.test_cases = (\w+)", body)[1]
            cases |= {f"{suite}.{case}"
                      for case in re.findall(r"KUNIT_CASE\w*\(\s*(\w+)", arrays[array])}
    return cases


def kunit_passed(log):
    """The cases that passed, according to the output of kunit.py."""
    passed, suite = set(), ""
    for line in pathlib.Path(log).read_text(encoding="utf-8", errors="replace").splitlines():
        line = re.sub(r"\x1b\[[0-9;]*m", "", line)
        if found := re.search(r"=+ (\w+) \(\d+ subtests?\) =+", line):
            suite = found[1]
        elif found := re.search(r"\[PASSED\] (\w+)", line):
            passed.add(f"{suite}.{found[1]}")
    return passed


def main():
    """Run the corpus."""
    args = argparse.ArgumentParser()
    args.add_argument("corpus", type=pathlib.Path)
    args.add_argument("--compiler", nargs=4, action="append", required=True,
                      metavar=("NAME", "BUILDDIR", "CMDFILE", "WRAPPER"))
    args.add_argument("--rules", type=pathlib.Path, required=True)
    args.add_argument("--jobs", type=int, default=2)
    args.add_argument("--pages", action="store_true", help="write the pages, if they are stale")
    args.add_argument("--log", help="output of kunit.py")
    args.add_argument("--driver", type=pathlib.Path, help="directory of a driver to check, too")
    args.add_argument("--only", default="", help="files whose names contain this")
    args = args.parse_args()

    corpus = args.corpus.resolve()
    compilers = [Compiler(TOP, corpus, *words) for words in args.compiler]
    classes = Classes(corpus / "classes") if (corpus / "classes").exists() else None

    def sources(directory):
        if not list(directory.glob("*.c")):
            sys.exit(f"error: there is no C file in {directory}")
        skip = left_out(directory, compilers[0].dir) if not (directory / "classes").exists() else ()
        return [Corpus(path) for path in sorted(directory.glob("*.c"))
                if args.only in path.name and path.name not in skip]

    files = sources(corpus)
    looked_at = list(files)
    if args.driver:
        files += sources(args.driver.resolve())
    if not files:
        sys.exit(f"error: there is no C file in {corpus}")
    known = kunit_cases(corpus.parent)
    ran = kunit_passed(args.log) if args.log else known
    rows, passed, failed, skipped = [], 0, 0, 0
    labels = [*(c.label for c in compilers), "spatch"]
    found = Results(labels)

    def result(what, problem):
        nonlocal passed, failed
        if problem:
            failed += 1
            print(f"FAILED: {what}: {problem}")
        else:
            passed += 1

    with tempfile.TemporaryDirectory() as tmp, \
            concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for c in compilers:
            if c.name == "sparse" or not (corpus / "foo.h").exists():
                continue
            c.precompile(corpus / "foo.h", pathlib.Path(tmp) / f"{c.name}.h")
        jobs = {(c, f, case): pool.submit(judge, c, f, case)
                for f in files for case in [None, *f.wrong] for c in compilers}
        # make coccicheck checks the other driver.
        spatch = Spatch(args.rules, corpus, looked_at, pathlib.Path(tmp))
        rules = [pool.submit(spatch.run, rule) for rule in spatch.rules]
        progress = Progress(len(jobs) + len(rules))
        for job in [*jobs.values(), *rules]:
            job.add_done_callback(progress)
        for rule in rules:
            spatch.reports(rule.result())
    names = [*(c.name for c in compilers), "spatch"]
    for f in files:
        for case in [None, *f.wrong]:
            results = [jobs[c, f, case].result() for c in compilers]
            if case is None or case[1] in "CN":
                results.append(spatch.judge(f, case))
            name = case[0] if case else "as it is"
            for who, (_, _, problem) in zip(names, results):
                result(f"{f.path.name}: {name}: {who}", problem)
            results += [("", [], "")] * (len(names) - len(results))
            if case:
                if classes:
                    classes.add(f.number, case[1])
                for label, (gave, said, _) in zip(labels, results) if f in looked_at else []:
                    if gave and case[1] != "N":
                        found.add(f.path.name, case[0], label, gave, diagnostic(said[0]) if said else "")
                rows.append([f.number, f.title, case[0], case[1], *[r[0] for r in results],
                             diagnostic(([r[1] for r in results if r[1]] or [[""]])[0][0]), RUST[f.rust]])
        for name, shows in f.runs:
            there = name in known and name in ran
            if classes:
                classes.add(f.number, "R")
            result(f"{f.path.name}: {name}", "" if there else
                   "no such KUnit case" if name not in known else "did not pass")
            rows.append([f.number, f.title, name, "R",
                         *["" if c.checks else "R" if there else "-" for c in compilers],
                         "", shows, RUST[f.rust]])

    for number, text, later in classes.problems() if classes and not args.only else []:
        if text and later:
            skipped += 1
            print(f"skipped: class {number} {text}")
        else:
            result(f"class {number}", text)

    for row in rows:
        print("{:>6} {:42.42} {:36.36} {:2}".format(*row[:4]), *[f"{r:2}" for r in row[4:-2]],
              f"{row[-2]:.60} ({row[-1]})")
    if args.pages and not args.only:
        old = Results.read(corpus / "results")
        missing = [name for name in ("context", "sparse") if name not in names]
        skipped += sum(case[2] in missing for f in files for case in f.wrong)
        found.carry(old, missing)
        # Other compilers may differ between errors and warnings, so do not write the table.
        if not set(old.tools) <= set(found.tools):
            skipped += 1
        else:
            stale = write(corpus, found)
            result("the pages", f"were out of date and are now written: {' '.join(stale)}"
                   if stale else "")
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
