# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Find where a function keeps a borrowed value beyond the scope of the loan.

A loan is a proof or a handle. A parameter of a lent type, and the result of a function like
drm_gpuvm_imm_shared(), is lent until the end of the function. A variable that a scope of the
library declares is lent until the end of this scope. The value of a loan is the handle, the address
of one of its members, its sg table, or the address of the mapping. A variable that is declared
inside of the scope may have the value, alone or in a structure, because it ends with the scope. The
value is kept if it is assigned to anything else, passed to one of the functions in STORES, or
returned. The same holds for a copy of such a variable.

This reads the text, because spatch cannot tell a variable that ends with the scope from
one that does not.
"""
import re

import drm_safe_names as names
from drm_safe_source import arguments, blanked, closing, functions, library

ASSIGNS = re.compile(r"(?<![=!<>+\-*/%&|^])=(?!=)")
DECLARES = re.compile(r"[;{}:)]\s*((?:\w+[\s*]+)+)(\w+)\s*(?=[=;,\[]|__)")
# Operators after a value that is only tested
TESTED = re.compile(r"(?:[=!]=|&&|\|\||\?|[<>]|->)")
KEYWORDS = {"if", "while", "for", "switch", "return", "sizeof", "typeof", "else", "do", "goto",
            "case", "static"}

# Functions and macros that store an argument where other code finds it. The first argument is the
# destination: an lvalue, or a pointer to it.
LVALUE = r"rcu_(?:assign|replace|swap)_pointer|RCU_INIT_POINTER|WRITE_ONCE|smp_store_mb"
POINTER = (r"smp_store_release|(?:try_)?cmpxchg\w*|xchg\w*|xa_(?:store|insert|alloc)\w*|idr_alloc\w*"
           r"|radix_tree_insert|\w+_set_drvdata|memcpy|memmove")
STORES = re.compile(rf"\b(?:({LVALUE})|({POINTER}))\(")
# Functions whose result ends with the loan in their argument, and a name for this result
ADDRESS = "the address of "
GIVES = {"drm_shmem_sgt_table": "the table of ", "drm_gem_sgt_table": "the table of ",
         "drm_vmap_unsafe_ptr": ADDRESS, "drm_vmap_unsafe_map": ADDRESS,
         "drm_vmap_narrow": "", "drm_dev_ctx_reg_live": ""}
# Code in front of a pointer that is dereferenced
FOLLOWED = re.compile(r"(?:^|[=({,?:&|])\s*\*\s*(?:\([^()]*\)\s*)?\(*\s*$")
# These functions copy the object that their second argument points to.
COPIES = {"memcpy", "memmove"}


def before(text, at, start):
    """Return the place at which the left side of an assignment begins."""
    depth = 0
    for i in range(at - 1, start - 1, -1):
        if text[i] in ")]":
            depth += 1
        elif text[i] in "([" and depth:
            depth -= 1
        elif text[i] in "([;{}" or text[i] == "," and not depth:
            return i + 1
    return start


def statement(text):
    """Drop an if, else or loop in front of a statement."""
    while found := re.match(r"\s*(?:(?:else|do)\b|\w+\s*(\())", text):
        end = arguments(text, found.end())[1] if found[1] else found.end()
        if found[1] and not re.match(r"\s*[\w*(]", text[end:]):
            break
        text = text[end:]
    return text.strip()


def after(text, at):
    """Return the end of the expression that begins at a place."""
    depth = 0
    for i in range(at, len(text)):
        if text[i] in "([{":
            depth += 1
        elif text[i] in ")]}" and depth:
            depth -= 1
        elif text[i] in ")]};" or text[i] == "," and not depth:
            return i
    return len(text)


def called(text, at):
    """Return the function whose argument is at a place, and its bracket, or nothing."""
    depth = 0
    for i in range(at - 1, -1, -1):
        if text[i] in ")]":
            depth += 1
        elif text[i] in "([" and depth:
            depth -= 1
        elif text[i] == "[":
            return "[]", i
        elif text[i] == "(":
            if found := re.search(r"(\w+)\s*$", text[:i]):
                return found[1], i
    return "", 0


class Loan:
    """A borrowed value, and the variables that hold it."""

    def __init__(self, name, start, end, block, returned=False):
        self.name, self.start, self.end = name, start, end
        # True if the loan is the result of a function
        self.returned = returned
        # False for a parameter, which the function may return
        self.block = block
        # For each variable, the range of code in which it holds the loan, and the part that it
        # holds
        self.having = {name: (start, end, "")}
        # Members of structures that hold the loan
        self.members = set()
        # The variables that pointers point to
        self.pointers = {}
        # The variables that are declared inside of the scope, and whether each is a pointer
        self.declared = {}

    def carries(self, value, at):
        """Return the part of the loan that a value holds, as a text for the report, or None."""
        for name, (start, end, what) in list(self.having.items()):
            if not start <= at <= end:
                continue
            call = r"(?=\()" if self.returned and name == self.name else r"(?!\s*\()"
            for use in re.finditer(rf"(?<![\w.])(?<!->){name}\b{call}", value):
                if (part := self.used(value, name, use)) is not None:
                    self.note_member(value, use.start())
                    return part or what
        return None

    def used(self, value, name, use):
        """Do the same for one use of a variable."""
        end = use.end()
        if self.returned and name == self.name:
            _, end = arguments(value, end + 1)
        left, right = value[:use.start()].rstrip(), value[end:].lstrip()
        address = re.search(r"(?<!&)&[\s(]*$", left)
        if TESTED.match(right) and not right.startswith("->") or \
           re.search(r"(?:[=!]=|&&|\|\||!)$", left):
            return None
        if found := re.match(r"(?:\.|->)(\w+)", right):
            if not (address if name == self.name and not self.returned else found[1] in self.members):
                return None
        elif right.startswith("[") and not address or re.search(r"(?:^|[=({,?:])\s*\*$", left):
            return None
        what = ""
        function, opens = called(value, use.start())
        while function in GIVES:
            what = what or GIVES[function]
            start = value.rindex(function, 0, opens)
            _, end = arguments(value, opens + 1)
            right = value[end:].lstrip(" )")
            if TESTED.match(right) or right.startswith(("[", ".is_iomem")) or \
               FOLLOWED.search(value[:start]):
                return None
            function, opens = called(value, start)
        return None if function else what

    def note_member(self, value, at):
        """Remember the member of an initialiser that gets the loan."""
        if found := re.search(r"\.(\w+)\s*=[^,{};]*$", value[:at]):
            self.members.add(found[1])

    def escapes(self, target):
        """Return True unless the target of an assignment ends with the scope."""
        root = re.match(r"[(*&\s]*(\w+)", target)
        if not root or root[1] not in self.declared:
            return True
        through = "->" in target or target.lstrip("( ").startswith("*") or \
            self.declared[root[1]] and "[" in target
        return bool(through) and self.pointers.get(root[1]) not in self.declared


class Function:
    """The body of a function, and the loans that it keeps."""

    def __init__(self, text, params, start, end):
        self.text, self.params, self.start, self.end = text, params, start, end
        self.kept = []
        for loan in self.loans():
            self.follow(loan)

    def loans(self):
        """Yield the loans of parameters and scopes."""
        for param in self.params:
            found = re.fullmatch(r"const struct (\w+) ?\* ?(?:const )?(\w+)", " ".join(param.split()))
            if found and found[1] in names.names("lent"):
                yield Loan(found[2], self.start, self.end, False)
        for name in sorted(names.names("shared")):
            if re.compile(rf"\b{name}\(").search(self.text, self.start, self.end):
                yield Loan(name, self.start, self.end, False, True)
        scopes = library().scopes
        for scope in re.compile(r"\b(\w+)\s*\(").finditer(self.text, self.start, self.end):
            if scope[1] not in scopes or "for_each" in scope[1]:
                continue
            args, at = arguments(self.text, scope.end())
            if len(args) > scopes[scope[1]]:
                yield Loan(args[scopes[scope[1]]], at, self.scope_end(scope[1], at), True)

    def scope_end(self, name, at):
        """Return the end of the scope that begins at a place: a block, a statement, or the rest of
        a block."""
        if not library().is_block(name):
            return closing(self.text, at)
        return self.statement_end(at)

    def statement_end(self, at):
        """Return the end of the statement that begins at a place."""
        depth = 0
        for i in range(at, self.end):
            depth += (self.text[i] in "({") - (self.text[i] in ")}")
            if not depth and self.text[i] in ";}":
                return i + 1
        return self.end

    def declarations(self, loan):
        """Note the variables that are declared inside of the scope."""
        for found in DECLARES.finditer(self.text, loan.start - 1, loan.end):
            if KEYWORDS & set(found[1].split()):
                continue
            loan.declared[found[2]] = "*" in found[1]
            rest = self.text[found.end():self.statement_end(found.end())].rstrip(";")
            for part in arguments(rest + ")", 0)[0][1:]:
                if name := re.match(r"(\**)\s*(\w+)", part):
                    loan.declared[name[2]] = bool(name[1])
        if not loan.block:
            for param in self.params:
                if name := re.search(r"(\**)\s*(\w+)(?:\[\w*\])?$", param):
                    loan.declared[name[2]] = True

    def follow(self, loan):
        """Look at each place in the scope that may store the value."""
        self.declarations(loan)
        places = [(m.start(), self.assigned, m) for m in
                  ASSIGNS.finditer(self.text, loan.start, loan.end)]
        places += [(m.start(), self.stored, m) for m in
                   STORES.finditer(self.text, loan.start, loan.end)]
        if loan.block:
            places += [(m.start(), self.returned, m) for m in
                       re.compile(r"\breturn\b").finditer(self.text, loan.start, loan.end)]
        for _, look, found in sorted(places, key=lambda place: place[0]):
            look(loan, found)

    def assigned(self, loan, found):
        """Handle an assignment or initialisation."""
        begin = before(self.text, found.start(), loan.start)
        target = statement(self.text[begin:found.start()])
        # This is a designator. The value belongs to the initialiser around it.
        if not target or target[0] in ".[":
            return
        value = self.text[found.end():after(self.text, found.end())]
        declares = re.match(r"(?:\w+[\s*]+)+(\w+)", target) or \
            self.text[begin - 1] == "," and re.match(r"\**\s*(\w+)$", target)
        name = declares[1] if declares else re.match(r"[(*&\s]*(\w*)", target)[1]
        if local := re.fullmatch(r"\s*&\s*(\w+)\s*", value):
            loan.pointers[name] = local[1]
        what = loan.carries(value, found.start())
        if what is None:
            return
        if declares or not loan.escapes(target):
            if member := re.search(r"(?:\.|->)(\w+)(?:\[[^\]]*\])?$", target):
                loan.members.add(member[1])
            for has in {name, loan.pointers.get(name, name)}:
                loan.having[has] = found.start(), loan.end, what
        elif not what or not re.fullmatch(r"\w+", target) or not self.is_local(target) or \
                what == ADDRESS and self.used_after(target, loan):
            # The rule "table" checks whether a variable is used after the scope.
            self.keep(found.start(), loan, what)

    def is_local(self, name):
        """Return True if a variable may be local to the function."""
        return any(re.search(rf"\b{name}$", param) for param in self.params) or bool(
            re.compile(rf"(?:\w[\s*]+|,\s*\**){name}\s*(?:[;,=\[]|__)").search(self.text, self.start, self.end))

    def used_after(self, name, loan):
        """True if a variable is used after the scope, unless it is set first."""
        found = re.compile(rf"\b{name}\b(\s*=(?!=))?").search(self.text, loan.end, self.end)
        return bool(found) and not found[1]

    def stored(self, loan, found):
        """Handle a call of a function that stores one of its arguments."""
        args, _ = arguments(self.text, found.end())
        if len(args) < 2:
            return
        target = args[0] if found[1] else args[0][1:] if args[0].startswith("&") else f"*{args[0]}"
        if not loan.escapes(target):
            return
        if found[2] in COPIES:
            copied = re.fullmatch(r"&\s*(\w+)", args[1])
            if copied and copied[1] != loan.name and copied[1] in loan.having:
                self.keep(found.start(), loan, loan.having[copied[1]][2])
            return
        for what in (loan.carries(arg, found.start()) for arg in args[1:]):
            if what is not None:
                self.keep(found.start(), loan, what)

    def returned(self, loan, found):
        """Handle a return of the value. The compiler warns about a return of the handle itself."""
        value = self.text[found.end():after(self.text, found.end())]
        bare = re.fullmatch(rf"\s*{loan.name}\s*", value)
        what = loan.carries(value, found.start())
        if what is not None and not bare:
            self.keep(found.start(), loan, what)

    def keep(self, at, loan, what):
        """Remember a place that keeps the loan."""
        line = self.text.count("\n", 0, at) + 1
        text = f"the result of {loan.name}() is borrowed: keep the result of drm_gpuvm_imm_get()" \
            if loan.returned else f"{what}'{loan.name}' is borrowed for a scope and must not be kept"
        self.kept.append((line, at - self.text.rfind("\n", 0, at) - 1, text))


def kept(path):
    """Return all places of a file: line, column and text of the report."""
    text = blanked(names.read(path))
    return sorted({place for _, _, params, start, end in functions(text)
                   for place in Function(text, params, start, end).kept})
