# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Find where a function keeps what it was lent beyond the scope of the loan.

A loan is a proof or a handle: a parameter of a lent type, to the end of the function, or
what a scope of the library declares, to the end of that scope; or what a function like
drm_gpuvm_imm_shared() returns, to the end of the function. Its value is the handle, the
address of one of its members, its sg table, or the address of the mapping. A variable that
is declared inside of the scope may have the value, alone or in a structure, because it ends
with the scope. The value is kept if anything else gets it, or gets a copy of such a variable: by an
assignment, by one of the functions in STORES, or by return.

This reads the text, because spatch cannot tell a variable that ends with the scope from
one that does not.
"""
import re

import drm_safe_names as names
from drm_safe_source import arguments, blanked, closing, functions, library

ASSIGNS = re.compile(r"(?<![=!<>+\-*/%&|^])=(?!=)")
DECLARES = re.compile(r"[;{}:)]\s*((?:\w+[\s*]+)+)(\w+)\s*(?=[=;,\[]|__)")
# What stands behind a value that is no more than looked at
TESTED = re.compile(r"(?:[=!]=|&&|\|\||\?|[<>]|->)")
KEYWORDS = {"if", "while", "for", "switch", "return", "sizeof", "typeof", "else", "do", "goto",
            "case", "static"}

# Functions and macros that put an argument where others find it, by what the first one is:
# an lvalue, or a pointer to where it goes.
LVALUE = r"rcu_(?:assign|replace|swap)_pointer|RCU_INIT_POINTER|WRITE_ONCE|smp_store_mb"
POINTER = (r"smp_store_release|(?:try_)?cmpxchg\w*|xchg\w*|xa_(?:store|insert|alloc)\w*|idr_alloc\w*"
           r"|radix_tree_insert|\w+_set_drvdata|memcpy|memmove")
STORES = re.compile(rf"\b(?:({LVALUE})|({POINTER}))\(")
# Functions whose result ends with the loan that they are given, and how to call it
ADDRESS = "the address of "
GIVES = {"drm_shmem_sgt_table": "the table of ", "drm_gem_sgt_table": "the table of ",
         "drm_vmap_unsafe_ptr": ADDRESS, "drm_vmap_unsafe_map": ADDRESS,
         "drm_vmap_narrow": "", "drm_dev_ctx_reg_live": ""}
# What stands before a pointer that is followed
FOLLOWED = re.compile(r"(?:^|[=({,?:&|])\s*\*\s*(?:\([^()]*\)\s*)?\(*\s*$")
# These copy what their second argument points to.
COPIES = {"memcpy", "memmove"}


def before(text, at, start):
    """Where the left side of an assignment begins."""
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
    """What is left of the beginning of a statement without the if, else or loop before it."""
    while found := re.match(r"\s*(?:(?:else|do)\b|\w+\s*(\())", text):
        end = arguments(text, found.end())[1] if found[1] else found.end()
        if found[1] and not re.match(r"\s*[\w*(]", text[end:]):
            break
        text = text[end:]
    return text.strip()


def after(text, at):
    """Where the expression ends that begins at a place."""
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
    """The function that a place is an argument of and its bracket, or nothing for none."""
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
    """Something that is lent, and the variables that have it."""

    def __init__(self, name, start, end, block, returned=False):
        self.name, self.start, self.end = name, start, end
        # Whether the name is that of a function
        self.returned = returned
        # False for a parameter: returning it is right.
        self.block = block
        # Of each variable: from where on, to where, and what of the loan it has
        self.having = {name: (start, end, "")}
        # Members of structures that have the loan
        self.members = set()
        # What pointers point to
        self.pointers = {}
        # Variables that are declared inside of the scope: whether they are pointers
        self.declared = {}

    def carries(self, value, at):
        """What of the loan a value has, as a text for the report; None if nothing."""
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
        """The same of one place where the name of a variable stands."""
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
        """True unless the target of an assignment ends before the scope does."""
        root = re.match(r"[(*&\s]*(\w+)", target)
        if not root or root[1] not in self.declared:
            return True
        through = "->" in target or target.lstrip("( ").startswith("*") or \
            self.declared[root[1]] and "[" in target
        return bool(through) and self.pointers.get(root[1]) not in self.declared


class Function:
    """The body of one function, and what is kept in it."""

    def __init__(self, text, params, start, end):
        self.text, self.params, self.start, self.end = text, params, start, end
        self.kept = []
        for loan in self.loans():
            self.follow(loan)

    def loans(self):
        """What parameters and scopes lend."""
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
        """Where the scope ends that begins at a place: a block, a statement, or the rest of one."""
        if not library().is_block(name):
            return closing(self.text, at)
        return self.statement_end(at)

    def statement_end(self, at):
        """Where the statement ends that begins at a place."""
        depth = 0
        for i in range(at, self.end):
            depth += (self.text[i] in "({") - (self.text[i] in ")}")
            if not depth and self.text[i] in ";}":
                return i + 1
        return self.end

    def declarations(self, loan):
        """Variables that are declared inside of the scope."""
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
        """Look at each place of the scope that the value may go to."""
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
        """An assignment or initialisation."""
        begin = before(self.text, found.start(), loan.start)
        target = statement(self.text[begin:found.start()])
        # A designator: the value belongs to the initialiser around it.
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
            # The rule "table" is for a variable that is used after the scope, or not.
            self.keep(found.start(), loan, what)

    def is_local(self, name):
        """True if a variable may be one of the function."""
        return any(re.search(rf"\b{name}$", param) for param in self.params) or bool(
            re.compile(rf"(?:\w[\s*]+|,\s*\**){name}\s*(?:[;,=\[]|__)").search(self.text, self.start, self.end))

    def used_after(self, name, loan):
        """True if a variable is used after the scope, unless it is set first."""
        found = re.compile(rf"\b{name}\b(\s*=(?!=))?").search(self.text, loan.end, self.end)
        return bool(found) and not found[1]

    def stored(self, loan, found):
        """A function that puts one of its arguments somewhere."""
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
        """What leaves the scope by return; of the handle itself, the compiler warns."""
        value = self.text[found.end():after(self.text, found.end())]
        bare = re.fullmatch(rf"\s*{loan.name}\s*", value)
        what = loan.carries(value, found.start())
        if what is not None and not bare:
            self.keep(found.start(), loan, what)

    def keep(self, at, loan, what):
        """Remember a place where something is kept."""
        line = self.text.count("\n", 0, at) + 1
        text = f"the result of {loan.name}() is borrowed: keep the result of drm_gpuvm_imm_get()" \
            if loan.returned else f"{what}'{loan.name}' is borrowed for a scope and must not be kept"
        self.kept.append((line, at - self.text.rfind("\n", 0, at) - 1, text))


def kept(path):
    """All places of a file: line, column and what to say."""
    text = blanked(names.read(path))
    return sorted({place for _, _, params, start, end in functions(text)
                   for place in Function(text, params, start, end).kept})
