#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Check that object files of the fence signalling path call only listed functions.

signalling.py check [--list FILE]... OBJECT...
    Each symbol that the objects import must be in a list. Objects of one command
    may call each other. kbuild runs this, see Makefile.signalling.

signalling.py prove [--list FILE]... VMLINUX...
    No listed function may reach, through direct calls in these kernels, a function
    that sleeps or allocates, unless its line has a reason. Each line must name a
    symbol of one of the kernels.

signalling.py corpus VMLINUX
    Print all other functions that reach such a function, for the tests.

A line of a list is "NAME", which "prove" checks; "NAME: reason", for a function
that a person has checked; or "NAME?", for a function that not every kernel has. NAME can
be a pattern of the shell. "&NAME" allows storing the address, but not calling the
function: another context calls it. "!NAME: reason" is not allowed, but "prove" does not
follow its calls. "#" begins a comment.
"""
import argparse
import collections
import fnmatch
import functools
import pathlib
import re
import subprocess
import sys

LIST = pathlib.Path(__file__).with_name("signalling.list")

# The functions that sleep or allocate themselves
ROOTS = re.compile(
    r"(__schedule|schedule|schedule_(timeout|hrtimeout|preempt_disabled)\w*|io_schedule\w*|"
    r"__might_sleep|__might_resched|__might_fault|might_fault|__cond_resched\w*|"
    r"__?alloc_(frozen_)?pages\w*|alloc_pages_bulk\w*|__?folio_alloc\w*|"
    r"kmem_cache_alloc\w*|__?kmalloc\w*|__kvmalloc\w*|__vmalloc\w*|vmalloc\w*|vzalloc\w*|"
    r"pcpu_alloc\w*|krealloc\w*|fs_reclaim_acquire)")

# Functions that only report a bug, or check the code. All code reaches them.
WATCHERS = re.compile(
    r"(_printk|vprintk\w*|__warn\w*|warn_slowpath_\w*|panic|vpanic|dump_stack\w*|__stack_chk_fail|"
    r"lockdep_\w*|lock_(acquire|release|acquired|contended|is_held_type)|debug_\w*|"
    r"__?kasan_\w*|__asan_\w*|kmemleak_\w*|__ubsan_\w*|__sanitizer_\w*|__kcsan_\w*|__tsan_\w*|"
    r"print_\w*|refcount_warn_saturate|__(list|hlist)_\w*report|trace_\w*|__traceiter_\w*|"
    r"perf_\w*|bpf_\w*|__bug\w*|die\w*|oops_\w*|should_fail\w*|__should_fail\w*|stack_depot_\w*|"
    r"preempt_schedule\w*|__rcu_read_unlock\w*|rcu_(?!barrier|sync_)\w*|call_rcu\w*|"
    r"stack_trace_save\w*|unwind_\w*|kunit_\w*|segv\w*)")

# Relocations that load an address. On x86-64, the instruction shows whether one does.
LOADS = re.compile(r"R_(AARCH64_(AD|LDST)\w+|ARM_(THM_)?MOV\w+|390_PC32DBL|PPC64_TOC16\w*|RISCV_(HI20|LO12_\w)|386_32)")

# The registers of x86-64 with all their names, and the registers that a call overwrites
REGISTERS = {name: f"r{x}x" for x in "abcd" for name in (f"r{x}x", f"e{x}x", f"{x}x", f"{x}l")} | \
    {name: f"r{x}" for x in ("si", "di", "bp") for name in (f"r{x}", f"e{x}", x, f"{x}l")} | \
    {f"r{n}{width}": f"r{n}" for n in range(8, 16) for width in ("", "d", "w", "b")}
OVERWRITTEN = {"rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11"}


class Allowed:
    """The functions of the lists."""

    def __init__(self, paths):
        self.names, self.patterns, self.reasons, self.optional = set(), [], {}, set()
        self.behind, self.stored = set(), set()
        for path in paths:
            for line in path.read_text(encoding="utf-8").splitlines():
                name, colon, reason = line.partition("#")[0].partition(":")
                name = name.strip()
                if not name:
                    continue
                if name[0] == "!":
                    self.behind.add(name[1:].rstrip("?"))
                    if name.endswith("?"):
                        self.optional.add(name[1:-1])
                    continue
                if name.endswith("?"):
                    name = name[:-1]
                    self.optional.add(name.lstrip("&"))
                if name[0] == "&":
                    self.stored.add(name[1:])
                    continue
                if colon:
                    self.reasons[name] = reason.strip()
                if re.search(r"[*?\[]", name):
                    self.patterns.append(name)
                else:
                    self.names.add(name)
        self.match = re.compile("|".join(map(fnmatch.translate, self.patterns)) or "(?!)").match

    def reason(self, name):
        """Return the reason for which a function may be called although it reaches a forbidden
        one."""
        return next((reason for pattern, reason in self.reasons.items()
                     if fnmatch.fnmatchcase(name, pattern)), "")

    def missing(self, functions, symbols):
        """Return the entries without a symbol, apart from entries that not every kernel needs."""
        found = {*self.names, *self.behind} - functions | self.stored - symbols
        found |= {p for p in self.patterns if not fnmatch.filter(functions | symbols, p)}
        return found - self.optional

    def __contains__(self, name):
        return name in self.names or bool(self.match(name))


class Code:
    """The instructions of one function of x86-64, as objdump prints them."""

    def __init__(self):
        self.lines = []

    @functools.cached_property
    def index(self):
        """Map addresses to instructions."""
        return {self.address(n): n for n in range(len(self.lines))}

    def address(self, at):
        """Return the address of an instruction."""
        return int(self.lines[at].partition(":")[0], 16)

    def instruction(self, at):
        """Return the mnemonic and the operands of an instruction."""
        text = re.sub(r"^(notrack|bnd)\s+", "", self.lines[at].partition("\t")[2].strip())
        kind, _, what = text.partition(" ")
        return kind, what.strip()

    def called(self, start, register):
        """Return True if a call may use the value that an instruction loads into a register."""
        todo, seen = [(start + 1, REGISTERS.get(register, register))], set()
        while todo:
            at, reg = todo.pop()
            while at is not None and at < len(self.lines) and (at, reg) not in seen:
                seen.add((at, reg))
                kind, what = self.instruction(at)
                if kind in ("call", "jmp") and what[0] == "*":
                    if what == f"*%{reg}" or kind == "jmp":
                        return True
                if kind == "call" and reg in OVERWRITTEN or kind[:3] in ("ret", "ud2"):
                    break
                if kind[0] == "j":
                    target = self.index.get(int(what.split()[0], 16))
                    if kind == "jmp":
                        at = target
                        continue
                    todo.append((target, reg))
                elif kind[:3] in ("mov", "cmo") and \
                        (copied := re.fullmatch(rf"%{reg},%(\w+)", what)):
                    todo.append((at + 1, REGISTERS.get(copied[1], copied[1])))
                if self.writes(kind, what, reg):
                    break
                at += 1
        return False

    @staticmethod
    def writes(kind, what, register):
        """True if an instruction overwrites a register."""
        last = re.search(r"(?:^|,)%(\w+)$", what)
        return bool(last) and REGISTERS.get(last[1]) == register and \
            not kind.startswith(("cmov", "cmp", "test", "push", "bt", "call", "j"))


class Object:
    """An object file: the symbols that it defines, and the symbols that its functions import."""

    def __init__(self, path, tool):
        self.path, self.source, self.defined = path, pathlib.Path(path).stem + ".c", set()
        self.tool = tool
        # For each symbol, the functions that name it, and each reference to it
        self.taken = collections.defaultdict(set)
        self.places = collections.defaultdict(list)
        self.user_access, self.discarded = set(), set()
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
                self.reference(functions[section], section, int(found[1], 16), *found.groups()[1:])
        # A symbol that only discarded sections name is not used.
        for name in self.discarded:
            if not self.taken[name] and not self.places[name]:
                del self.taken[name]

    def reference(self, functions, section, offset, kind, name):
        """Note a relocation."""
        if section.startswith((".discard", ".debug")):
            if section.startswith(".discard"):
                self.discarded.add(name)
            return
        inside = max((f for f in functions if f[0] <= offset), default=(0, ""))[1]
        inside = base(inside)
        if section.startswith("__ex_table"):
            self.user_access.add(section)
        if name not in self.taken:
            return
        if inside:
            self.taken[name].add(inside)
        self.places[name].append((section, offset, inside, kind))

    def calls(self, name):
        """Return the functions that call a symbol that they name, or may call it."""
        return {inside for section, offset, inside, kind in self.places[name]
                if inside and not LOADS.fullmatch(kind) and (kind == "R_X86_64_PLT32" or
                not (kind.startswith("R_X86_64") and self.is_stored(section, offset)))}

    def is_stored(self, section, offset):
        """Return True if the instruction calls nothing, and loads no address that is called
        later."""
        code, at = max(((code, at) for code in self.code[section]
                        for start, at in code.index.items() if start <= offset),
                       key=lambda found: found[0].address(found[1]), default=(None, 0))
        if not code:
            return False
        kind, what = code.instruction(at)
        if kind.startswith(("call", "j", "push")):
            return False
        # Instructions that compare, that write to memory, or that compute with a variable load no
        # address.
        register, loads = re.search(r",%(\w+)$", what), kind.startswith(("mov", "lea"))
        if kind.startswith(("cmp", "test")) or not register or not loads and what[0] != "$":
            return True
        return loads and not code.called(at, register[1])

    @functools.cached_property
    def code(self):
        """The functions of each section."""
        found, section = collections.defaultdict(list), ""
        for line in run(self.tool, "-d", "--no-show-raw-insn", self.path).splitlines():
            if line.startswith("Disassembly of section "):
                section = line.split()[-1].rstrip(":")
            elif line.endswith(">:"):
                found[section].append(Code())
            elif re.match(r"\s+[0-9a-f]+:\t", line):
                found[section][-1].lines.append(line)
        return found


def run(*command):
    """Run a program, and return its output."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def check(args):
    """Check that the objects import only listed symbols."""
    allowed = Allowed(args.list)
    objects = [Object(path, args.objdump) for path in args.file]
    if empty := [path for path, o in zip(args.file, objects) if not o.defined]:
        print(f"{empty[0]}: error: there is no function to look at", file=sys.stderr)
        return 1
    ours = set().union(*(o.defined for o in objects))
    bad = 0
    for obj in objects:
        for name, functions in sorted(obj.taken.items()):
            if name in ours or name in allowed:
                continue
            called = obj.calls(name)
            why = f"which may sleep or allocate: {args.list[-1].name} does not have it"
            if name in allowed.stored:
                functions = called
                if not functions:
                    continue
                why = f"which may sleep or allocate: {args.list[-1].name} has its address only"
            elif obj.places[name] and not called:
                why = f"a variable or the address of a function: '&{name}' in the driver's list allows it"
            bad += 1
            for user in sorted(f"{f}()" for f in functions) or ["this file"]:
                print(f"{obj.source}: error: {user} uses {name}, {why}", file=sys.stderr)
        if obj.user_access:
            bad += 1
            print(f"{obj.source}: error: this file accesses memory of userspace, which may fault "
                  "and sleep", file=sys.stderr)
    return bool(bad)


class Kernel:
    """The direct calls of a kernel image. A large image also calls through registers."""

    def __init__(self, path, tool):
        self.callers = collections.defaultdict(set)
        symbols = run(tool, "-t", path)
        self.symbols = set(re.findall(r"^\w+ .{7} .*\s(\S+)$", symbols, re.M))
        self.address = {int(address, 16): base(name) for address, name in
                        re.findall(r"^(\w+) .{6}F .*\s(\S+)$", symbols, re.M)}
        self.functions = set(self.address.values())
        name, code = "", Code()
        with subprocess.Popen([tool, "-d", "--no-show-raw-insn", path], text=True,
                              stdout=subprocess.PIPE) as dump:
            for line in dump.stdout:
                if line[0] == " ":
                    code.lines.append(line[:-1])
                    # Most jumps stay in the function.
                    if "<" in line and "+" not in line and (found := re.search(
                            r"\t(?:call|j\w+|bl?)\s.*<([^>+]+)>", line)):
                        self.call(name, base(found[1]))
                elif line.endswith(">:\n"):
                    self.loads(name, code)
                    name, code = base(line[line.index("<") + 1:-3]), Code()
        self.loads(name, code)

    def loads(self, name, code):
        """The calls through registers of one function."""
        for at, line in enumerate(code.lines):
            if "\tmovabs" in line and (found := re.search(r"\tmovabs \$0x(\w+),%(\w+)", line)):
                callee = self.address.get(int(found[1], 16))
                if callee and code.called(at, found[2]):
                    self.call(name, callee)

    def call(self, caller, callee):
        """A direct call, or one through a register that was loaded with a constant."""
        if caller != callee:
            self.callers[callee].add(caller)

    def reaching(self, stop):
        """Return all functions that reach a root without a function of @stop, each with the next
        function on the way."""
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
    """Return the name of a function without suffixes that the compiler added."""
    return re.sub(r"\.(cold|part|constprop|isra|llvm)\b.*|@plt$", "", name)


def path_from(way, name):
    """Return the calls from a function to a root."""
    steps = [name]
    while way[steps[-1]]:
        steps.append(way[steps[-1]])
    return " -> ".join(steps)


def prove(args):
    """Check that no listed function sleeps or allocates without a reason."""
    allowed = Allowed(args.list)
    bad, known, symbols, needed = 0, set(), set(), set()
    for path in args.file:
        kernel = Kernel(path, args.objdump)
        way = kernel.reaching(allowed.behind | allowed.reasons.keys())
        for name in sorted(f for f in way if f in allowed and not allowed.reason(f)):
            bad += 1
            print(f"{name} reaches one that sleeps or allocates: {path_from(way, name)}")
        known |= kernel.functions
        symbols |= kernel.symbols
        needed |= {allowed.reason(f) for f in kernel.reaching(allowed.behind)}
    for name in sorted(allowed.missing(known, symbols)):
        bad += 1
        print(f"{name} is listed, and in none of these kernels")
    for name in sorted(f for f, reason in allowed.reasons.items()
                       if f in known and reason not in needed):
        bad += 1
        print(f"{name} has a reason and needs none")
    print(f"{sum(f in allowed for f in known)} functions of {len(known)} are listed")
    return bool(bad)


def corpus(args):
    """Print the functions that sleep or allocate, and are not allowed."""
    allowed = Allowed(args.list)
    way = Kernel(args.file[0], args.objdump).reaching(allowed.behind)
    found = sorted(f for f in way if f not in allowed)
    print("\n".join(found))
    return not found


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
