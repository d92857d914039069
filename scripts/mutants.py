#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Change the library in small ways, and check whether a test notices.

mutants.py list TOP [GLOB]
mutants.py run TOP TREE BUILD OUT [MUTANTS=n] [MINUTES=n] [SEED=n] [FILES=glob]

Each mutant is one change of one file: it negates a condition, changes a comparison by one, drops a
call, an assignment or a barrier, swaps two statements, or replaces a result. A mutant is killed if
it does not compile, or if the suites fail, hang or leave a report in the log. The suites run on the
release kernel first, quick ones before the others. Then they run on the SMP debug kernel, which can
fail allocations. At last they run as modules, whose removal shows leaked memory.

A change that does not change the code of any kernel is not a mutant. tests/mutants.accepted lists
mutants that no test can notice for another reason, with the reason.

OUT/results.tsv has the result of each mutant. The next run uses this result if the mutated file is
still the same.
"""
import fnmatch
import hashlib
import os
import pathlib
import random
import re
import subprocess
import sys
import time

SAME = "same code"
SAFE = "drivers/gpu/drm/safe"
# The stages in their order: the kernel, whether to run only quick suites, whether to run only the
# suites of the part, and the seconds after which the stage counts as hung.
STAGES = [("release", True, True, 60), ("release", False, False, 300),
          ("debug", True, True, 900), ("debug", False, True, 900)]
ARGS = {"release": [], "debug": ["ncpus=2", "seccomp=on", "kasan_multi_shot"]}
# The suites of each part, by the prefix of a file. The suites of drm_gem_* and of the views use
# objects of drm_shmem_*. All parts include drm_safe_*.
PARTS = {"drm_dev_ctx": "drm_dev_ctx*", "drm_shmem": "drm_shmem*",
         "drm_gpuvm_imm": "drm_gpuvm_imm*", "drm_gem": "drm_shmem*",
         "drm_vmap_view": "drm_[sv]*", "drm_safe": "drm_*"}
GOAL = 0.9
SWAPPED = {"&&": "||", "||": "&&", "<": "<=", "<=": "<", ">": ">=", ">=": ">",
           "==": "!=", "!=": "==", "+": "-", "-": "+"}
RELAXED = {r"smp_store_release\(&([^,]+),": r"WRITE_ONCE(\1,",
           r"smp_load_acquire\(&": r"READ_ONCE(",
           r"refcount_set_release\(": r"refcount_set(",
           r"refcount_inc_not_zero_acquire\(": r"refcount_inc_not_zero(",
           r"try_cmpxchg_acquire\(": r"try_cmpxchg_relaxed("}
RETURNS = [(r"return (-E\w+|ret);", "return 0;"), (r"return 0;", "return -EINVAL;"),
           (r"return true;", "return false;"), (r"return false;", "return true;")]
CALL = r"[a-z_]\w*\([^;{}]*\);"
ASSIGN = r"\*?[a-z_][\w.>\[\]-]* [|&+-]?= [^;{}]*;"


def blank(text):
    """Blank everything that is not code. The length stays the same."""
    def spaces(match):
        return re.sub(r"[^\n]", " ", match[0])

    text = re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', spaces, text, flags=re.S)
    text = re.sub(r"^(?:EXPORT|MODULE)_\w+\([^)]*\);", spaces, text, flags=re.M)
    return re.sub(r"^#(?!\s*define)[^\n]*", spaces, text, flags=re.M)


def closing(text, start):
    """Return the position of the parenthesis that closes the one at @start."""
    depth = 0
    for i in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[i], 0)
        if not depth:
            return i
    raise ValueError("unbalanced")


def changes(text):
    """Yield all mutants of a file: kind, start, end, and the new text for this range."""
    code = blank(text)
    for m in re.finditer(r"\b(?:if|while) (\()", code):
        end = closing(code, m.start(1))
        yield "negate", m.end(), end, f"!({text[m.end():end]})"
    for m in re.finditer(r" (&&|\|\||[<>]=?|[!=]=)(?=[ \n])", code):
        yield "compare", m.start(1), m.end(1), SWAPPED[m[1]]
    for m in re.finditer(r"(?<=[\w)]) ([+-])(?= [\w(])", code):
        yield "arithmetic", m.start(1), m.end(1), SWAPPED[m[1]]
    for m in re.finditer(rf"^\t+({CALL}|{ASSIGN})", code, re.M):
        kind = "barrier" if m[1].startswith("smp_") else "drop"
        # Keep the number of lines, because WARN() compiles line numbers into the code.
        yield kind, m.start(1), m.end(1), ";" + "\n" * m[1].count("\n")
    for m in re.finditer(rf"^(\t+)((?:{CALL}|{ASSIGN})\n)\1((?:{CALL}|{ASSIGN})\n)", code, re.M):
        # Only swap single lines. The order of two plain assignments hardly ever matters.
        if "\n" not in m[2][:-1] + m[3][:-1] and "(" in m[2] + m[3]:
            yield ("swap", m.start(2), m.end(3),
                   text[m.start(3):m.end(3)] + m[1] + text[m.start(2):m.end(2)])
    for find, put in RELAXED.items():
        for m in re.finditer(find, code):
            yield "barrier", m.start(), m.end(), m.expand(put)
    for find, put in RETURNS:
        for m in re.finditer(find, code):
            yield "return", m.start(), m.end(), put


class Mutant:
    """One change."""

    def __init__(self, path, text, change):
        self.path, self.text = path, text
        self.kind, self.start, self.end, self.put = change

    def line(self):
        """Return the number of the changed line."""
        return self.text.count("\n", 0, self.start) + 1

    def mutated(self):
        """Return the text of the changed file."""
        return self.text[:self.start] + self.put + self.text[self.end:]

    def name(self):
        """Return a name that stays the same when lines move."""
        start = self.text.rfind("\n", 0, self.start) + 1
        end = self.text.find("\n", self.start)
        new = self.put if self.kind != "swap" else "the next line first"
        line = " ".join(self.text[start:end].split())
        return f"{self.path.name}: {self.kind}: {line} => {' '.join(new.split()) or 'nothing'}"


def mutants(top, glob):
    """Return the mutants of all files of the library that match @glob."""
    found = []
    for path in sorted([*top.glob("drm_*.c"), *top.glob("drm_*.h")]):
        if fnmatch.fnmatch(path.name, glob) and "_trace" not in path.name:
            text = path.read_text(encoding="utf-8")
            found += [Mutant(path, text, c) for c in changes(text)]
    return found


class Runner:
    """Builds kernels and runs the suites in them."""

    def __init__(self, top, tree, build, log):
        self.top, self.tree, self.build, self.log = top, tree, build, log
        self.original = {}

    def run(self, *cmd):
        """Run a command. Return whether it succeeds."""
        self.log.flush()
        return subprocess.run(cmd, cwd=self.tree, stdin=subprocess.DEVNULL, stdout=self.log,
                              stderr=subprocess.STDOUT, check=False).returncode == 0

    def make(self, kernel, target):
        """Return whether kbuild can make @target."""
        return self.run("make", "ARCH=um", f"O={self.build}/{kernel}", "-s",
                        f"-j{os.environ.get('JOBS', '2')}", target)

    def objects(self, kernel):
        """Return a hash of the library's object files."""
        digest = hashlib.sha256()
        for path in sorted(pathlib.Path(self.build, kernel, SAFE).rglob("*.o")):
            digest.update(path.read_bytes())
        return digest.digest()

    def suites(self, kernel, quick, glob, seconds):
        """Return whether the suites pass and leave no report in the log."""
        outdir = f"{self.build}/{kernel}"
        args = [f"--kernel_args={a}" for a in ARGS[kernel]]
        if quick:
            args += ["--filter=speed>very_slow", "--filter_action=skip"]
        return (self.run("./tools/testing/kunit/kunit.py", "exec", "--build_dir", outdir,
                         f"--timeout={seconds}", *args, glob) and
                self.run(f"{self.top}/scripts/log-clean.sh", f"{outdir}/test.log"))

    def modules(self, glob):
        """Return whether the suites pass as modules and leak nothing."""
        return self.run("env", f"FILTER={glob}", f"{self.top}/scripts/kunit-modules.sh")

    def killed(self, name):
        """Return the stage that the tree does not pass, SAME if the code of no kernel differs, or
        None."""
        glob = next(PARTS[p] for p in PARTS if name.startswith(p))
        differs = False
        for kernel, quick, own, seconds in STAGES:
            if not self.make(kernel, f"{SAFE}/"):
                return "build"
            if self.objects(kernel) == self.original.get(kernel):
                continue
            differs = True
            if not self.make(kernel, "linux"):
                return "build"
            if not self.suites(kernel, quick, glob if own else "*", seconds):
                return kernel
        if not differs:
            return SAME
        return None if self.modules(glob) else "modules"

    def begin(self):
        """Return whether the unchanged library passes. Remember the hash of its code."""
        for kernel in ARGS:
            if not self.make(kernel, "all") or not self.suites(kernel, True, "*", 900):
                return False
            self.original[kernel] = self.objects(kernel)
        return self.modules("*")

    def judge(self, mutant):
        """Return the stage that kills the mutant, SAME, or None."""
        target = pathlib.Path(self.tree, SAFE, mutant.path.name)
        target.write_text(mutant.mutated(), encoding="utf-8")
        try:
            return self.killed(mutant.path.name)
        finally:
            target.write_text(mutant.text, encoding="utf-8")


class Results:
    """The results of mutants, in a file that the next run reads."""

    def __init__(self, path):
        self.path, self.known = path, {}
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                key, why = line.split("\t")[:2]
                self.known[key] = None if why == "SURVIVED" else why

    @staticmethod
    def key(mutant):
        """Return a key for the mutant and the text of its file."""
        return hashlib.sha256((mutant.path.name + mutant.mutated()).encode()).hexdigest()[:16]

    def add(self, mutant, why, where):
        """Store the result of a mutant."""
        self.known[self.key(mutant)] = why
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(f"{self.key(mutant)}\t{why or 'SURVIVED'}\t{where}\t{mutant.name()}\n")


def accepted(path):
    """Return the names of the accepted mutants, which no test can notice."""
    lines = pathlib.Path(path).read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line and line[0] not in "# \t"}


def table(results):
    """Print the number of mutants of each kind that each stage killed."""
    kinds = sorted({m.kind for m, _ in results})
    rows = [(k, [why for m, why in results if m.kind == k]) for k in kinds]
    rows.append(("all", [why for _, why in results]))
    by = ["build", *ARGS, "modules", None]
    print(f"\n{'':12} {'mutants':>9}" + "".join(f"{b or 'survived':>9}" for b in by))
    for name, whys in rows:
        print(f"{name:12} {len(whys):9}" + "".join(f"{whys.count(b):9}" for b in by))


def run(top, tree, build, out, *options):
    """Run a sample of mutants. Print and store the results."""
    given = dict(o.split("=", 1) for o in options)
    deadline = time.monotonic() + 60 * float(given["MINUTES"])
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    sample = mutants(top, given["FILES"])
    total = len(sample)
    reasons = accepted(top / "tests/mutants.accepted")
    random.Random(int(given["SEED"])).shuffle(sample)
    sample = sample[:int(given["MUTANTS"])]
    known = Results(out / "results.tsv")
    results, left = [], 0
    with open(out / "build.log", "w", encoding="utf-8") as log:
        runner = Runner(top, tree, build, log)
        if not runner.begin():
            sys.exit(f"error: the library as it is does not pass; see {out}/build.log")
        for mutant in sample:
            where = f"{mutant.path.name}:{mutant.line()}"
            start = time.monotonic()
            if known.key(mutant) not in known.known:
                if start > deadline:
                    left += 1
                    continue
                known.add(mutant, runner.judge(mutant), where)
            why = known.known[known.key(mutant)]
            if why == SAME:
                continue
            results.append((mutant, why))
            print(f"{time.monotonic() - start:5.0f} s  {why or 'SURVIVED':10} {where} {mutant.kind}",
                  flush=True)
    table(results)
    bad = [m for m, why in results if not why and m.name() not in reasons]
    for mutant in bad:
        print(f"SURVIVED {mutant.path.name}:{mutant.line()}: {mutant.name()}")
    share = 1 - len(bad) / len(results) if results else 0
    print(f"{len(results)} of {total} possible mutants, {left} not tried for want of time, "
          f"{100 * share:.1f} % killed or accepted")
    return share < GOAL


def main():
    """See above."""
    top = pathlib.Path(sys.argv[2])
    if sys.argv[1] == "list":
        for mutant in mutants(top, sys.argv[3] if len(sys.argv) > 3 else "*"):
            print(f"{mutant.line()}: {mutant.name()}")
        return 0
    return run(top, *sys.argv[3:])


if __name__ == "__main__":
    sys.exit(main())
