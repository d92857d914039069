#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Check that object files of the fence signalling path call only what is listed.

signalling.py check [--list FILE]... OBJECT...
    Each symbol that the objects take from elsewhere must be in a list. Objects
    that are given together may call each other. kbuild runs this, see
    Makefile.signalling.

signalling.py prove [--list FILE]... VMLINUX...
    No function of the lists may reach, through direct calls in these kernels, one
    that sleeps or allocates, unless its line says why that is right.

signalling.py corpus VMLINUX
    Print all functions that do reach one and are not listed, for the tests.

A line of a list is "NAME", which "prove" looks at; "NAME: reason", for a function
that was read; or "NAME?", for one that not every kernel has. NAME can be a pattern
of the shell. "!NAME: reason" is not allowed, but what it calls is not looked at.
"#" begins a comment.
"""
import argparse
import collections
import fnmatch
import pathlib
import re
import subprocess
import sys

LIST = pathlib.Path(__file__).with_name("signalling.list")

# Where sleeping and allocating ends up.
ROOTS = re.compile(
    r"(__schedule|schedule|schedule_(timeout|hrtimeout|preempt_disabled)\w*|io_schedule\w*|"
    r"__might_sleep|__might_resched|__might_fault|might_fault|__cond_resched\w*|"
    r"__?alloc_(frozen_)?pages\w*|alloc_pages_bulk\w*|__?folio_alloc\w*|"
    r"kmem_cache_alloc\w*|__?kmalloc\w*|__kvmalloc\w*|__vmalloc\w*|vmalloc\w*|vzalloc\w*|"
    r"pcpu_alloc\w*|krealloc\w*|fs_reclaim_acquire)")

# What only reports a bug, or watches the code: it is reached from everywhere.
WATCHERS = re.compile(
    r"(_printk|vprintk\w*|__warn\w*|warn_slowpath_\w*|panic|vpanic|dump_stack\w*|__stack_chk_fail|"
    r"lockdep_\w*|lock_(acquire|release|acquired|contended|is_held_type)|debug_\w*|"
    r"__?kasan_\w*|__asan_\w*|kmemleak_\w*|__ubsan_\w*|__sanitizer_\w*|__kcsan_\w*|__tsan_\w*|"
    r"print_\w*|refcount_warn_saturate|__(list|hlist)_\w*report|trace_\w*|__traceiter_\w*|"
    r"perf_\w*|bpf_\w*|__bug\w*|die\w*|oops_\w*|should_fail\w*|__should_fail\w*|stack_depot_\w*|"
    r"preempt_schedule\w*|__rcu_read_unlock\w*|rcu_\w*|call_rcu\w*|stack_trace_save\w*|"
    r"unwind_\w*|kunit_\w*|segv\w*|fault_\w*)")


class Allowed:
    """The functions of the lists."""

    def __init__(self, paths):
        self.names, self.patterns, self.reasons, self.optional = set(), [], {}, set()
        self.behind = set()
        for path in paths:
            for line in path.read_text(encoding="utf-8").splitlines():
                name, colon, reason = line.partition("#")[0].partition(":")
                name = name.strip()
                if not name:
                    continue
                if name[0] == "!":
                    self.behind.add(name[1:].rstrip("?"))
                    continue
                if name.endswith("?"):
                    name = name[:-1]
                    self.optional.add(name)
                if colon:
                    self.reasons[name] = reason.strip()
                if re.search(r"[*?\[]", name):
                    self.patterns.append(name)
                else:
                    self.names.add(name)
        self.match = re.compile("|".join(map(fnmatch.translate, self.patterns)) or "(?!)").match

    def reason(self, name):
        """Why a function may be called that reaches one that must not."""
        return next((reason for pattern, reason in self.reasons.items()
                     if fnmatch.fnmatchcase(name, pattern)), "")

    def __contains__(self, name):
        return name in self.names or bool(self.match(name))


class Object:
    """An object file: what it defines, and what it takes from elsewhere, for whom."""

    def __init__(self, path, tool):
        self.path, self.source, self.defined = path, pathlib.Path(path).stem + ".c", set()
        self.taken = collections.defaultdict(set)
        self.user_access = set()
        functions, section = collections.defaultdict(list), ""
        out = run(tool, "-t", "-r", path)
        for line in out.splitlines():
            if found := re.match(r"[0-9a-f]+ (.{7}) (\S+)\t[0-9a-f]+ (?:\.hidden |\.protected )?(.*)$", line):
                flags, where, name = found.groups()
                if "f" in flags and where == "*ABS*":
                    self.source = name
                elif where == "*UND*":
                    self.taken[name]  # pylint: disable=pointless-statement
                else:
                    self.defined.add(name)
                if "F" in flags and where != "*UND*":
                    functions[where].append((int(line.split()[0], 16), name))
            elif found := re.match(r"RELOCATION RECORDS FOR \[(.*)\]", line):
                section = found[1]
            elif found := re.match(r"([0-9a-f]+)\s+(R_\S+)\s+(\S+?)(?:[-+]0x[0-9a-f]+)?$", line):
                self.reference(functions[section], section, int(found[1], 16), found[3])

    def reference(self, functions, section, offset, name):
        """One relocation."""
        inside = max((f for f in functions if f[0] <= offset), default=(0, ""))[1]
        inside = re.sub(r"\.(cold|part|constprop|isra|llvm)\b.*", "", inside)
        if name in self.taken and inside:
            self.taken[name].add(inside)
        if section.startswith("__ex_table"):
            self.user_access.add(section)


def run(*command):
    """What a program prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def check(args):
    """The objects take nothing but what is listed."""
    allowed = Allowed(args.list)
    objects = [Object(path, args.objdump) for path in args.file]
    ours = set().union(*(o.defined for o in objects))
    bad = 0
    for obj in objects:
        for name, functions in sorted(obj.taken.items()):
            if name in ours or name in allowed:
                continue
            bad += 1
            for user in sorted(f"{f}()" for f in functions) or ["this file"]:
                print(f"{obj.source}: error: {user} uses {name}, which may sleep or allocate: "
                      f"{args.list[-1].name} does not have it", file=sys.stderr)
        if obj.user_access:
            bad += 1
            print(f"{obj.source}: error: this file accesses memory of userspace, which may fault "
                  "and sleep", file=sys.stderr)
    return bool(bad)


class Kernel:
    """The direct calls of a kernel image; a large one calls through registers."""

    def __init__(self, path, tool):
        self.callers = collections.defaultdict(set)
        self.address = {int(address, 16): base(name) for address, name in
                        re.findall(r"^(\w+) .{6}F .*\s(\S+)$", run(tool, "-t", path), re.M)}
        self.functions = set(self.address.values())
        name, loaded = "", collections.defaultdict(set)
        with subprocess.Popen([tool, "-d", "--no-show-raw-insn", path], text=True,
                              stdout=subprocess.PIPE) as dump:
            for line in dump.stdout:
                if line[0] != " ":
                    if line.endswith(">:\n"):
                        name = base(line[line.index("<") + 1:-3])
                        loaded.clear()
                elif "<" in line:
                    # Within the function, mostly
                    if "+" not in line and (found := re.search(
                            r"\t(?:call|j\w+|bl?)\s.*<([^>+]+)>", line)):
                        self.call(name, base(found[1]))
                elif "movabs" in line:
                    if found := re.search(r"\tmovabs \$0x(\w+),(%\w+)", line):
                        loaded[found[2]].add(int(found[1], 16))
                elif "*" in line and (found := re.search(r"\t(?:call|jmp)\s+\*(%\w+)$", line)):
                    for address in loaded[found[1]]:
                        self.call(name, self.address.get(address, name))

    def call(self, caller, callee):
        """A direct call, or one through a register that was loaded with a constant."""
        if caller != callee:
            self.callers[callee].add(caller)

    def reaching(self, stop):
        """All functions that reach a root, but through @stop, with the next one on the way."""
        way = {f: "" for f in self.functions if ROOTS.fullmatch(f)}
        todo = collections.deque(way)
        while todo:
            callee = todo.popleft()
            for f in self.callers[callee]:
                if f not in way and f not in stop and not WATCHERS.fullmatch(f):
                    way[f] = callee
                    todo.append(f)
        return way


def base(name):
    """A function's name without what the compiler added."""
    return re.sub(r"\.(cold|part|constprop|isra|llvm)\b.*|@plt$", "", name)


def path_from(way, name):
    """The calls from a function to a root."""
    steps = [name]
    while way[steps[-1]]:
        steps.append(way[steps[-1]])
    return " -> ".join(steps)


def prove(args):
    """No listed function sleeps or allocates without a reason."""
    allowed = Allowed(args.list)
    bad, known, needed = 0, set(), set()
    for path in args.file:
        kernel = Kernel(path, args.objdump)
        way = kernel.reaching(allowed.behind | allowed.reasons.keys())
        for name in sorted(f for f in way if f in allowed and not allowed.reason(f)):
            bad += 1
            print(f"{name} reaches one that sleeps or allocates: {path_from(way, name)}")
        known |= kernel.functions
        needed |= {allowed.reason(f) for f in kernel.reaching(allowed.behind)}
    for name in sorted(allowed.names - allowed.optional - allowed.reasons.keys() - known):
        bad += 1
        print(f"{name} is listed, and in none of these kernels")
    for name in sorted(f for f, reason in allowed.reasons.items()
                       if f in known and reason not in needed):
        bad += 1
        print(f"{name} has a reason and needs none")
    print(f"{sum(f in allowed for f in known)} functions of {len(known)} are listed")
    return bool(bad)


def corpus(args):
    """The functions that sleep or allocate, and are not allowed."""
    allowed = Allowed(args.list)
    way = Kernel(args.file[0], args.objdump).reaching(allowed.behind)
    print("\n".join(sorted(f for f in way if f not in allowed)))
    return 0


def main():
    """See above."""
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    args.add_argument("command", choices=["check", "prove", "corpus"])
    args.add_argument("file", nargs="+")
    args.add_argument("--list", type=pathlib.Path, action="append")
    args.add_argument("--objdump", default="objdump")
    args = args.parse_args()
    args.list = args.list or [LIST]
    return {"check": check, "prove": prove, "corpus": corpus}[args.command](args)


if __name__ == "__main__":
    sys.exit(main())
