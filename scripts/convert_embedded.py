# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""For convert.py: turn a driver's embedded struct drm_gem_shmem_object into a struct drm_shmem_obj.

All uses of the objects are converted, or none. If this file cannot convert a use, the report names
the reason.
"""
import functools
import re

from convert_text import (CALL, add_argument, add_parameter, drop_variable, edit_functions, fill, functions,
                          tidy, typed_lookups, unused_labels, without_comments, wrap)

EMBEDDED = re.compile(r"^struct (?P<tag>\w+) \{\n(?P<before>(?:[^}\n].*\n|\n)*?)"
                      r"\tstruct drm_gem_shmem_object\s+(?P<member>\w+);\n(?:[^}\n].*\n|\n)*?\};\n", re.M)
TABLE = re.compile(r"^static const struct drm_gem_object_funcs (?P<name>\w+) = \{\n(?P<entries>(?:\t.*\n)*)\};\n", re.M)
# The library's functions do the same as these.
PLAIN = r"drm_gem_shmem_object_(print_info|pin|unpin|get_sg_table|vmap|vunmap|mmap|free)|&drm_gem_shmem_vm_ops"
STEPS = {"free": "fini", "open": "open", "close": "close", "export": "export", "release": "release",
         "evict": "evict", "mmap": "mmap", "rss": "rss", "sgt_revoked": "sgt_revoked"}
# The return type and the second parameter of steps, for functions that objects of other kinds share
SHARED = {"open": ("int", "struct drm_file *file", "file"), "close": ("void", "struct drm_file *file", "file"),
          "export": ("struct dma_buf *", "int flags", "flags")}
# An mmap function of an object calls the core at its start or at its end.
MAPS = re.compile(r"^\t(\w+) = drm_gem_shmem_mmap\([^;]*\);\n\tif \(\1\)\n\t\treturn \1;\n\n?", re.M)
MAPS_LAST = re.compile(r"^\treturn drm_gem_shmem_mmap\([^;]*\);\n\Z", re.M)
FREE = r"drm_gem_shmem_(?:object_)?free"


class Stays(Exception):
    """Raised with the reason for which a driver's objects are not converted."""


class Embedded:
    """The objects of a driver whose objects are all of one kind."""

    def __init__(self, driver):
        self.driver = driver
        code = without_comments(driver.text())
        found = list(EMBEDDED.finditer(code))
        if not found:
            raise Stays(None)
        if len(found) > 1:
            raise Stays("the driver's objects are of several kinds: declare a type for each")
        if re.search(r"^\t\w", found[0]["before"], re.M):
            raise Stays("the struct drm_shmem_obj must be the first member: move it")
        self.tag, self.member = found[0]["tag"], found[0]["member"]
        self.obj = next(n for n in ("obj", "shmem", "shmem_obj") if n != self.member
                        and not re.search(rf"\b{n};", found[0][0]))
        self.type, self.unique = f"{self.tag}_type", f"{self.tag}_unique"
        self.made = next(n for n in ("created", "is_created") if not re.search(rf"\b{n};", found[0][0]))
        self.functions = {f["name"]: f for text in driver.read().values() for f in functions(text)}
        self.lent = {}
        self.find_downcast(code)
        self.find_table(code)
        self.find_create(code)
        self.drop_idle()
        self.check(code)

    def find_downcast(self, code):
        """Find the driver's downcast from a GEM object to its structure."""
        found = [f for f in self.functions.values()
                 if re.search(rf"\bstruct\s+{self.tag}\s*\*\s*\w+\(struct drm_gem_object \*\w+\)\Z", f["head"])
                 and re.fullmatch(r"\treturn [^;]*;\n", f["body"])]
        if len(found) != 1:
            raise Stays("the driver has no downcast that is a function: write one with drm_shmem_from_gem()")
        self.downcast = found[0]["name"]
        if re.search(rf"&\s*{self.downcast}\b(?!\()", code):
            raise Stays("the downcast is used as a pointer")

    def find_table(self, code):
        """Find the functions of the objects. They become steps."""
        tables = [t for t in TABLE.finditer(code) if "&drm_gem_shmem_vm_ops" in t[0]]
        others = "".join(t["entries"] for t in TABLE.finditer(code) if "&drm_gem_shmem_vm_ops" not in t[0])
        # If so, the structure also holds objects of other kinds, which have no shmem.
        self.mixed = bool(others) and "drm_gem_private_object_init(" in code
        for function in re.findall(r"\.mmap\s*= (?!drm_gem_shmem_object_mmap)(\w+)", "".join(t["entries"] for t in tables)):
            if not self.told_of(function):
                raise Stays(f"{function}() maps in its own way: what it does beyond the mapping becomes the type's mmap step")
        if len(tables) != 1 or (others and not self.mixed):
            raise Stays("the driver's objects are of several kinds: declare a type for each")
        self.flags = ""
        self.table, self.steps, self.drop, self.shared = tables[0]["name"], {}, [], {}
        for name, function in re.findall(r"\t\.(\w+)\s*= ([&\w]+),", tables[0]["entries"]):
            if re.fullmatch(PLAIN, function):
                continue
            if name == "flags":     # These come from the driver's own semantic patch.
                self.flags = f"\t.base.flags = {function},\n"
                continue
            body = self.functions[function]["body"] if function in self.functions else ""
            if name == "status" and self.only_reads(body):
                self.drop.append(function)      # The library reports about the same status.
            elif name in SHARED and re.search(rf"\b{function},", others):
                self.shared[name] = function
            elif name in STEPS and function in self.functions:
                self.steps[name] = function
            else:
                raise Stays(f"the driver has its own {name} for its objects: declare a type for those that differ")

    def told_of(self, function, seen=()):
        """Check that an mmap function leaves the mapping to the core, and that neither it nor its
        callees change it."""
        body = self.functions[function]["body"] if function in self.functions else "mmap("
        body = without_comments(body if seen else MAPS_LAST.sub("", MAPS.sub("", body)))
        if re.search(r"mmap\w*\(|\bvma->[\w.]+\s*=[^=]|\bvm_flags_\w+\(|\bvmf?_insert_\w+\(", body):
            return False
        called = set(re.findall(r"\b(\w+)\(", body)) & set(self.functions)
        return all(self.told_of(f, (*seen, function)) for f in called - {*seen, function, self.downcast})

    def only_reads(self, body):
        """Check that the body only calls functions that change nothing and call nothing."""
        called = set(re.findall(r"\b(?!if\b)(\w+)\(", body)) - {"drm_gem_is_imported", self.downcast}
        return all(f in self.functions and not re.search(r"\w\(|[^=!<>]=[^=]", self.functions[f]["body"]) for f in called)

    def drop_idle(self):
        """Drop a free step that does no more than the library."""
        free = self.steps.get("free")
        if free and not self.step(self.functions[free]["head"], self.functions[free]["body"], "free", half=False)[1].strip():
            del self.steps["free"]
            self.drop.append(free)

    def find_create(self, code):
        """Find the function that allocates an object, and the function that completes it."""
        made = set(re.findall(r"\.gem_create_object\s*= (\w+),", code))
        self.create = made.pop() if len(made) == 1 else None
        body = self.functions[self.create]["body"] if self.create in self.functions else ""
        known = re.search(r"\t(\w+) = kzalloc_obj\(\*\1\);\n\tif \(!\1\)\n\t\treturn ERR_PTR\(-ENOMEM\);\n", body)
        if not known:
            raise Stays("how the driver makes the memory of an object is not known: use drm_shmem_gem_create_object()")
        self.var = known[1]
        self.imports = [f["name"] for f in self.functions.values()
                        if "drm_gem_shmem_prime_import_sg_table(" in without_comments(f["body"])]
        self.finish = None
        for name in self.imports:
            f = self.functions[name]
            after = re.fullmatch(
                r"\tstruct drm_gem_object \*(\w+);\n\tint (\w+);\n\n"
                r"\t\1 = drm_gem_shmem_prime_import_sg_table\([^;]*\);\n\tif \(IS_ERR\(\1\)\)\n\t\treturn \1;\n\n"
                rf"\t\2 = (\w+)\(\1\);\n\tif \(\2\) \{{\n\t\t{FREE}\([^;]*\);\n\t\treturn ERR_PTR\(\2\);\n\t\}}\n\n"
                r"\treturn \1;\n", f["body"])
            if not after or self.finish or after[3] not in self.functions:
                raise Stays("do in the type's init step what follows the import")
            self.finish = after[3]
        if self.finish and not re.search(r"\(struct drm_gem_object \*\w+\)\Z", self.functions[self.finish]["head"]):
            raise Stays("do in the type's init step what follows the import")

    def check(self, code):
        """Check that the driver does nothing that the library does for its objects."""
        alias = [self.member, *re.findall(r"\bstruct drm_gem_shmem_object \*(\w+)\b", code)]
        names = "|".join(sorted(set(alias)))
        if re.search(rf"\b(?:{names})(?:\.|->)(?:pages|sgt|vaddr|madv)\s*=[^=]", code):
            raise Stays("the driver fills in pages or tables itself: give such objects a type of their own")
        if re.search(r"\bdrm_gem_shmem_(?:un)?pin|\bdrm_gem_shmem_v(?:un)?map|\bdrm_gem_shmem_(?:madvise|purge)", code):
            raise Stays("the driver pins, maps or purges with the core's functions: use the library's, with the object of the type")
        if "drm_gem_shmem_get_pages_sgt(" in code and not re.search(r"\bdrm_dev_ctx_alloc", code):
            raise Stays("its device was not converted: tables need the proof that its parent is bound")
        if self.half and re.search(r"\.gem_prime_import_sg_table|\.dumb_create|DRIVER_OPS", code):
            raise Stays("an object can end half made: have its free function find out what was done")
        own = set(re.findall(r"\.gem_prime_import\s*= (\w+),", code)) & set(self.functions)
        if "drm_gem_shmem_prime_import_sg_table" in code and any("drm_shmem_prime_import" not in self.functions[name]["body"] for name in own):
            raise Stays("the driver has its own import: write the export step, and use drm_shmem_prime_import()")

        for f in self.functions.values():
            self.try_function(f)
        if self.finish and any(re.search(rf"\b{self.downcast}\(", self.functions[n]["body"]) for n in set(re.findall(
                r"\b(\w+)\(", self.functions[self.finish]["body"])) & set(self.functions) - {self.downcast}):
            raise Stays("what completes an object looks for it by its functions, which it does not have yet")

    def try_function(self, f):
        """Check that the conversion of a function leaves nothing that an object of the library
        forbids."""
        if f["name"] in (*self.imports, *self.drop, *self.table_users):
            return
        new = self.edit_function(f["head"], f["name"], f["params"], f["body"])
        body = without_comments(new[1] if new else f["body"])
        if re.search(rf"\bdrm_gem_shmem_create\(|\b{FREE}\(", body):
            raise Stays("how an object is created and freed is not known: create an object of a type, and put it")
        if re.search(r"\bdrm_gem_shmem_get_pages_sgt\(", body):
            raise Stays("the table is kept, or handed on: own it, with the proof of a section")
        aliases = [self.member, self.obj + r"\.base", *re.findall(r"\bstruct drm_gem_shmem_object \*(\w+)\b", body)]
        if re.search(rf"(?:->|\.|\b)(?:{'|'.join(aliases)})(?:->|\.)sgt\b", body):
            raise Stays("the driver reads the table of the core: lend it, or own it")
        if re.search(r"\bdrm_vma_node_offset_addr\(", body):
            raise Stays("ask drm_shmem_mmap_offset() of the object of the type")

    def convert(self):
        """Convert all uses of the objects."""
        driver = self.driver
        driver.edit(self.change)
        driver.edit(dumb_offsets)
        driver.edit(lambda text: re.sub(r"\bdrm_show_memory_stats\b", "drm_shmem_show_fdinfo", text))
        for path in driver.files():
            if re.search(rf"\bstruct {self.tag}\b|\b{self.downcast}\(|(?:->|\.){self.member}\.base\b", path.read_text(encoding="utf-8")):
                driver.spatch("members", path, {"object": self.tag, "from": self.member, "obj": self.obj})
        driver.edit(self.far_members)
        driver.edit(lambda text: re.sub(r"^(\t+)((?: {8})+)", lambda m: m[1] + "\t" * (len(m[2]) // 8), text, flags=re.M))
        driver.edit(self.declare)
        # Drop a static downcast that has no caller any more.
        code = without_comments(driver.text())
        if re.search(rf"^static (?!inline )[^;{{}}()]*\b{self.downcast}\(", code, re.M) and len(re.findall(rf"\b{self.downcast}\b", code)) == 1:
            driver.edit(lambda text: drop_function(text, self.downcast))

    def far_members(self, text):
        """Rename members that spatch does not know the type of, if each structure declares them
        with the same type."""
        def use(match):
            types = set(re.findall(rf"\bstruct (\w+)\s+\*{match[1]};", self.driver.raw))
            return f"->{match[1]}->{self.obj}.base.base" if types == {self.tag} else match[0]

        return re.sub(rf"->(\w+)->{self.member}\.base\b", use, text)

    def change(self, text):
        """Change the functions of a file. The members still have their old names."""
        text = edit_functions(text, self.edit_function)
        for name in self.drop + self.imports:
            text = drop_function(text, name)
        for name in (*self.steps.values(), *([self.finish] if self.finish else [])):
            param = f"struct {self.tag} *bo" if name == self.finish else "struct drm_shmem_obj *shmem"
            if name == self.steps.get("rss"):
                param = f"const {param}"
            if name == self.steps.get("mmap"):
                text = re.sub(rf"^(\w[^\n;=]*\b{name}\([^;{{}}()]*?)(struct vm_area_struct[^;{{}}()]*\);)$", r"\1const \2", text, flags=re.M)
            text = re.sub(rf"^(\w[^\n;=]*\b{name}\()struct drm_gem_object \*\w+([^;{{}}()]*\);)$", rf"\1{param}\2", text, flags=re.M)
        text = re.sub(r"^(\t\.gem_prime_import_sg_table)(\s*)= (?:" + "|".join([*self.imports, "drm_gem_shmem_prime_import_sg_table"])
                      + r"),\n", r"\t.gem_prime_import\2= drm_shmem_prime_import,\n\1\2= drm_shmem_prime_import_sg_table,\n",
                      text, flags=re.M)
        return self.hand_table(text)

    def edit_function(self, head, name, params, body):
        """Change one function."""
        new = (head, body)
        if name == self.downcast:
            param = re.search(r"\*(\w+)\)\Z", params)[1]
            if self.mixed:
                return head, f"\treturn container_of({param}, struct {self.tag}, {self.obj}.base.base);\n"
            return head, f"\treturn drm_shmem_from_gem(&{self.type}, {param});\n"
        if name == self.create:
            return head, f"\treturn drm_shmem_gem_create_object(&{self.type});\n"
        step = next((s for s, f in self.steps.items() if f == name), None)
        if step:
            new = self.step(head, body, step)
        elif name == self.finish:
            new = self.finisher(head, params, body)
        elif "drm_gem_shmem_create(" in without_comments(body):
            new = head, self.creator(body)
        new = new[0], self.lookup(self.offset(self.sync(self.borrow(self.call_steps(self.is_of_type(new[1])), name))))
        return new if new != (head, body) else None

    def call_steps(self, body):
        """Pass the library's object where the driver calls a step itself."""
        for step in self.steps.values():
            body = re.sub(rf"\b{step}\(&([^;,()]*)->{self.member}\.base([,)])", rf"{step}(&\1->{self.obj}\2", body)
        return body

    def is_of_type(self, body):
        """Replace a comparison of an object's functions by a check of its type."""
        return re.sub(rf"(\b\w+->(?:{self.member}\.)?base)\.funcs == &{self.table}\b",
                      rf"drm_shmem_from_gem(&{self.type}, &\1)", body)

    def step(self, head, body, step, half=None):
        """Make a function of the object a step of its type."""
        half = self.half if half is None else half
        gem = re.search(r"\bstruct drm_gem_object \*(\w+)", head)[1]
        head = head.replace(f"struct drm_gem_object *{gem}", "struct drm_shmem_obj *shmem")
        if step == "rss":
            head = head.replace("struct drm_shmem_obj", "const struct drm_shmem_obj")
            body = re.sub(rf"^(\t)(struct {self.tag} \*\w+ = {self.downcast}\({gem}\);)", r"\1const \2", body, flags=re.M)
        if step == "mmap":      # The library has mapped the object before this step.
            head = head.replace("struct vm_area_struct", "const struct vm_area_struct")
            body = MAPS_LAST.sub("\treturn 0;\n", MAPS.sub("", body))
            for alias in re.findall(rf"^\tstruct drm_gem_shmem_object \*(\w+) = [^;]*;", body, re.M):
                body = drop_variable(body, alias)
        body = re.sub(rf"\b{self.downcast}\({gem}\)", f"drm_shmem_from_obj(&{self.type}, shmem)", body)
        if step == "free":
            body = re.sub(rf"^\t{FREE}\([^;]*\);\n", "", body, flags=re.M)
            # The library marks all pages of a device dirty.
            body = re.sub(r"(?:^\t/\*.*\*/\n)?^\t[^\n;=]*\bpages_mark_dirty_on_put = true;\n", "", body, flags=re.M)
            for alias in re.findall(rf"^\tstruct drm_gem_shmem_object \*(\w+) = [^;]*;", body, re.M):
                body = drop_variable(body, alias)
        if step == "export":
            body = re.sub(rf"\bdrm_gem_prime_export\({gem},", "drm_shmem_export(shmem,", body)
        if re.search(rf"\b{gem}\b", without_comments(body)):
            body = (f"\tconst struct drm_gem_object *{gem} = &shmem->base.base;\n{body}" if step == "rss" else
                    f"\tstruct drm_gem_object *{gem} = drm_shmem_gem(shmem);\n{body}")
        if step == "free" and half:
            bo = re.search(rf"\tstruct {self.tag} \*(\w+)\b", body)[1]
            start = re.match(r"(?:\t(?:struct|size_t|int|unsigned|u32|u64|bool)\b[^;]*;\n)*\n?", body).end()
            body = (f"{body[:start].rstrip()}\n\n\t/* An object whose creation failed has been undone. */\n"
                    f"\tif (!{bo}->{self.made})\n\t\treturn;\n\n{body[start:]}")
        return head, tidy(body)

    @functools.cached_property
    def half(self):
        """Check whether an object can end before it is complete, without the driver's free
        function."""
        if "free" not in self.steps or self.downcast not in self.functions[self.steps["free"]]["body"]:
            return False
        return any(re.search(rf"\b{FREE}\(", without_comments(f["body"])) and self.frees(f)
                   for f in self.functions.values())

    def frees(self, f):
        """Check whether a function frees an object that it has begun to fill in."""
        if f["name"] in self.steps.values() or f["name"] in self.imports or "drm_gem_shmem_create(" not in f["body"]:
            return False
        begun = f["body"]
        if self.finish:
            begun = re.sub(rf"\t(\w+) = {self.finish}\([^;]*\);\n\tif \(\1\)\n", "", begun)
        return bool(re.search(r"\bif \((?:ret|err|IS_ERR)\b", begun.split("drm_gem_shmem_create(", 1)[1].split(";", 2)[2]))

    def finisher(self, head, params, body):
        """Change the function that completes an object. The init step calls it from now on."""
        gem = re.search(r"\*(\w+)\)\Z", params)[1]
        head = head.replace(params, f"(struct {self.tag} *bo)")
        own = re.search(rf"^\tstruct {self.tag} \*(\w+) = {self.downcast}\({gem}\);\n", body, re.M)
        if own:
            body = re.sub(rf"\b{own[1]}\b", "bo", body.replace(own[0], "", 1)) if own[1] != "bo" else body.replace(own[0], "", 1)
        body = re.sub(rf"\b{self.downcast}\({gem}\)", "bo", body)
        if re.search(rf"\b{gem}\b", without_comments(body)):
            body = f"\tstruct drm_gem_object *{gem} = &bo->{self.obj}.base.base;\n{body}"
        return head, body

    def creator(self, body):
        """Create an object of the type. The end of the scope puts it unless it is passed on."""
        call = re.search(r"^\t(\w+) = drm_gem_shmem_create\((.*)\);\n\tif \(IS_ERR\(\1\)\)\n\t\treturn (ERR_CAST|PTR_ERR)\(\1\);\n",
                         body, re.M)
        if not call:
            return body
        shmem = call[1]
        gem = re.search(rf"^\t(\w+) = &{shmem}->base;\n", body, re.M)
        source = rf"(?:&{shmem}->base{'|' + gem[1] if gem else ''})"
        own = re.search(rf"^\t(\w+) = {self.downcast}\({source}\);\n", body, re.M)
        if not own:
            return body
        bo = own[1]
        where = f"{bo}->{self.obj}.base"
        body = body.replace(own[0], "", 1)
        args = re.split(r",\s*(?![^()]*\))", call[2])
        made = (fill("\tnew = drm_shmem_create(", [f"&{self.type}", *args, *["NULL"][len(args) - 2:]], ");\n")
                + f"\tif (IS_ERR(new))\n\t\treturn {call[3]}(new);\n"
                f"\t{bo} = drm_shmem_publish(&{self.type}, &new);\n")
        if gem:
            made += f"\t{gem[1]} = &{where}.base;\n"
            body = body.replace(gem[0], "", 1)
        body = body.replace(call[0], made, 1)
        if self.finish:
            body = re.sub(rf"^\t(\w+) = {self.finish}\([^;]*\);\n\tif \(\1\)\n\t\tgoto \w+;\n\n?", "", body, flags=re.M)
        body = self.undo(body, shmem, gem[1] if gem else None, bo)
        body = re.sub(rf"&{shmem}->base\b", f"&{where}.base", body)
        body = re.sub(rf"\b{shmem}->", f"{where}.", body)
        body = re.sub(rf"^\tstruct drm_gem_shmem_object \*{shmem};\n", "", body, flags=re.M)
        body = re.sub(rf"(?<![\w>.*]){shmem}\b(?!\()", f"&{where}", body)
        body = re.sub(rf"^\tstruct {self.tag} \*{bo};\n", "", body, flags=re.M)
        body = re.sub(rf"\b{bo}->{self.member}\b", where, body)
        body = (f"\tstruct {self.unique} *new __free(drm_shmem) = NULL;\n"
                f"\tstruct {self.tag} *{bo} __free(drm_shmem) = NULL;\n{body}")
        for variable in ("ret", "err"):
            body = drop_variable(body, variable)
        return tidy(body)

    def undo(self, body, shmem, gem, bo):
        """Drop calls that free or put the object, and labels for them alone, because the scope puts
        it."""
        half = bool(re.search(rf"^\t{FREE}\(", body, re.M)) and self.half
        body = re.sub(rf"^\t{FREE}\((?:{shmem}|{gem})\);\n", "", body, flags=re.M)
        label = re.search(r"^(\w+):\n\n*(\treturn [^;]*;\n)\Z", body, re.M)
        if label:
            body = re.sub(rf"\bgoto {label[1]};", label[2].strip(), body)
            body = body.replace(f"{label[1]}:\n", "", 1)
            # Without a label, code after a return never runs.
            if not re.search(r"^\w+:$", body, re.M):
                body = re.sub(r"(^\treturn [^;]*;\n)\n*\treturn [^;]*;\n\Z", r"\1", body, flags=re.M)
        done = f"\t{bo}->{self.made} = true;\n" if half else ""
        if gem:
            body = re.sub(rf"^\tdrm_gem_object_put\({gem}\);\n", done, body, count=1, flags=re.M)
        body = re.sub(rf"^(\t\*\w+ = ){bo};\n(?=\treturn 0;\n)", rf"\1no_free_ptr({bo});\n", body, flags=re.M)
        if re.search(rf"^\treturn {bo};\n", body, re.M):
            body = re.sub(rf"^\treturn {bo};\n", f"{done if not gem else ''}\treturn no_free_ptr({bo});\n", body, flags=re.M)
        return body

    def borrow(self, body, name):
        """Borrow the table for a section, until the end of the scope."""
        for alias, bo in re.findall(rf"^\tstruct drm_gem_shmem_object \*(\w+) = &(\w+)->{self.member};\n", body, re.M):
            body = body.replace(f"drm_gem_shmem_get_pages_sgt({alias})", f"drm_gem_shmem_get_pages_sgt(&{bo}->{self.member})")
        # What the driver says about the core's table is not true of one that is lent.
        body = re.sub(r"^\t/\*(?:[^*]|\*(?!/))*\b(?:sgt|sg_table|shmem)\b(?:[^*]|\*(?!/))*\*/\n(?=\t\w+ = drm_gem_shmem_get_pages_sgt\()",
                      "", body, flags=re.M)
        call = re.search(rf"^\t(\w+) = drm_gem_shmem_get_pages_sgt\(&((?:\w+->)*\w+)->(?:{self.member}|{self.obj}\.base)\);\n"
                         r"\tif \((?:WARN_ON\()?IS_ERR\(\1\)\)?\)(?:\n\t\treturn PTR_ERR\(\1\);\n"
                         r"| \{\n\t\t(?:\w+) = PTR_ERR\(\1\);\n\t\treturn (?P<err>ERR_PTR\()?(?:\w+)\)?;\n\t\}\n)", body, re.M)
        if not call or "goto " in body[:call.start()]:
            return body
        sgt, bo = call[1], call[2]
        error = re.search(r"^\tint (?:\w+, )*(ret|err)\b", body, re.M)
        if not error:
            body, error = body.replace("\n\n", "\n\tint ret;\n\n", 1), (None, "ret")
        at = body.index(call[0])
        leave = "return ERR_PTR({})" if call["err"] else "return {}"
        new = (f"\tdrm_dev_ctx_live_or(live, to_drm_dev_ctx({bo}->{self.obj}.base.base.dev), {leave.format('-ENODEV')});\n"
               f"\tdrm_shmem_sgt_or(lent, &live->bound, &{bo}->{self.obj}, {error[1]}, {leave.format(error[1])});\n")
        rest = body[at + len(call[0]):]
        rest = re.sub(rf"\b(?:\w+->)?(?:{self.member}->sgt|{self.member}\.sgt|{self.obj}\.base\.sgt)\b", sgt, rest)
        rest = re.sub(rf"^(.*)\biommu_map_sgtable\(([^;]*?),\s*{sgt},\s*([^;]*?)\);",
                      lambda m: fill(f"{m[1]}iommu_map_sg(", [*re.split(r",\s*", m[2]), f"{sgt}->sgl", f"{sgt}->orig_nents",
                                                              m[3], "GFP_KERNEL"], ");"), rest, flags=re.M)
        rest = re.sub(rf"\bdma_sync_sgtable_for_(\w+)\(([^;]*?),\s*{sgt},\s*(\w+)\);",
                      rf"dma_sync_sg_for_\1(\2, {sgt}->sgl, {sgt}->orig_nents, \3);", rest)
        self.lent[name] = sgt
        for user in self.table_users:
            rest = add_argument(rest, user, sgt)
        if re.search(rf"\b{sgt}\b", without_comments(rest)):
            new += f"\t{sgt} = drm_shmem_sgt_table(lent);\n"
            before = re.sub(rf"^\tstruct sg_table \*{sgt};", f"\tconst struct sg_table *{sgt};", body[:at], flags=re.M)
        else:
            before = re.sub(rf"^\tstruct sg_table \*{sgt};\n", "", body[:at], flags=re.M)
        return before + new + rest

    @functools.cached_property
    def table_users(self):
        """Return the functions that read the table of an object in their parameter."""
        return [name for name, f in self.functions.items()
                if name not in self.steps.values()
                and "drm_gem_shmem_get_pages_sgt(" not in f["body"]
                and any(re.search(rf"\b{alias}->sgt\b", f["body"]) for alias in re.findall(
                    rf"^\tstruct drm_gem_shmem_object \*(\w+) = &\w+->{self.member};\n", f["body"], re.M))
                and f["params"].count(",") == 0]

    def hand_table(self, text):
        """Pass the table to these functions as a parameter."""
        def change(head, name, params, body):
            if name not in self.table_users:
                return None
            alias = re.search(rf"^\tstruct drm_gem_shmem_object \*(\w+) = &\w+->{self.member};\n", body, re.M)[1]
            new = add_parameter(params, "const struct sg_table *sgt")
            body = re.sub(rf"\b{alias}->sgt\b", "sgt", body)
            if len(re.findall(rf"\b{alias}\b", without_comments(body))) == 1:
                body = re.sub(rf"^\tstruct drm_gem_shmem_object \*{alias} = .*;\n", "", body, flags=re.M)
            return head.replace(params, wrap(head[:-len(params)], new)), body

        text = edit_functions(text, change)
        for name in self.table_users:
            text = re.sub(rf"^(\w.*\b{name})(\([^;{{}}]*?\));",
                          lambda m: m[1] + wrap(m[1], add_parameter(m[2], "const struct sg_table *sgt")) + ";", text, flags=re.M)
        return text

    def sync(self, body):
        """Replace the synchronisation of a whole table by an access of the CPU."""
        for alias, bo in re.findall(rf"^\t(\w+) = &([^;]+)->{self.member};\n", body, re.M):
            for how, call in (("cpu", "begin"), ("device", "end")):
                raw = re.search(rf"^\tdma_sync_sgtable_for_{how}\([^;]*?, {alias}->sgt, (\w+)\);\n", body, re.M)
                if not raw:
                    continue
                new = f"drm_shmem_cpu_{call}(&{bo}->{self.obj}, {raw[1]});\n"
                known = re.search(r"^\t(?:int|long) (ret|err)\b", body, re.M)
                if call == "begin" and known:
                    new = f"if (!{known[1]})\n\t\t{known[1]} = {new}"
                elif call == "begin":
                    continue
                body = body.replace(raw[0], f"\t{new}", 1)
            if not re.search(rf"\b{alias}->", body):
                body = re.sub(rf"^\t{alias} = &[^;]*;\n", "", body, flags=re.M)
                body = drop_variable(body, alias)
        return tidy(body)

    def offset(self, body):
        """Ask drm_shmem_mmap_offset() for an offset. It creates the offset at the first call."""
        body = re.sub(r"^\t(\w+) = drm_gem_create_mmap_offset\((\w+)\);\n\tif \((?:!\1|\1 == 0)\)\n"
                      r"\t\t([^\n=]*?) = drm_vma_node_offset_addr\(&\2->vma_node\);\n",
                      rf"\t\1 = drm_shmem_mmap_offset(&{self.downcast}(\2)->{self.obj}, &\3);\n", body, flags=re.M)
        call = re.search(r"^\t([^\n=]*?) = drm_vma_node_offset_addr\(&(\w+)->vma_node\);\n", body, re.M)
        if not call:
            return body
        bo = (re.search(rf"\b{call[2]} = &(\w+)->{self.member}\.base;", body)
              or re.search(rf"\b(\w+) = (?:{self.downcast}\({call[2]}\)|drm_shmem_publish\()", body))
        obj = f"&{bo[1] if bo else f'{self.downcast}({call[2]})'}->{self.obj}"
        to = call[1][1:] if call[1].startswith("*") else f"&{call[1]}"
        known = re.search(r"^\tint (?:\w+, )*(ret|err)\b", body, re.M)
        ret = known[1] if known else "ret"
        new = f"\t{ret} = drm_shmem_mmap_offset({obj}, {to});\n"
        rest = body[call.end():]
        made = re.search(rf"^\t{ret} = drm_gem_create_mmap_offset\({call[2]}\);\n", body, re.M)
        if made and made.start() < call.start():
            # The core creates the offset in one call, and returns it in another one.
            return body.replace(call[0], "", 1).replace(made[0], new, 1)
        last = re.match(rf"(\n*\tdrm_gem_object_put\({call[2]}\);\n\n*\treturn )0;\n\Z", rest)
        jump = re.search(rf"\tif \({ret}\)\n(\t\tgoto \w+;\n)", rest)
        if last:
            body = f"{body[:call.start()]}{new}{last[1]}{ret};\n"
        elif jump:
            body = f"{body[:call.start()]}{new}\tif ({ret})\n{jump[1]}{rest}"
        else:
            return body
        return body if known else body.replace("\n\n", f"\n\tint {ret};\n\n", 1)

    def lookup(self, body):
        """Look up handles as objects of the type, and create handles to such objects."""
        if self.mixed:
            return body
        body = typed_lookups(body, self.type, self.tag, self.obj, self.downcast)
        member = rf"(?:{self.member}|{self.obj}\.base)\.base"

        # The semantic patch converts a call that names the member of the structure.
        def handle(match):
            gem = match["gem"]
            own = (re.search(rf"^\t+(?:struct drm_gem_object \*)?{re.escape(gem)} = &(\w+)->{member};\n", body, re.M)
                   or re.search(rf"^\t+(?:struct {self.tag} \*)?(\w+) = {self.downcast}\({re.escape(gem)}\);\n", body, re.M))
            return fill(f"{match['to']}drm_shmem_handle_create(", [f"&{own[1]}->{self.obj}", match["file"], match["handle"]],
                        ");\n") if own else match[0]

        new = re.sub(r"^(?P<to>\t[^\n(]*)\bdrm_gem_handle_create\((?P<file>[^;,]+),\s*(?P<gem>[^;,]+),\s*(?P<handle>[^;]+)\);\n",
                     handle, body, flags=re.M)
        return new if new == body else self.unset(new)

    @staticmethod
    def unset(body):
        """Drop variables for GEM objects that are set, but not used."""
        for name in re.findall(r"^\tstruct drm_gem_object \*(\w+);\n", body, re.M):
            if re.findall(rf"^.*\b{name}\b.*\n", without_comments(body), re.M) == [
                    f"\tstruct drm_gem_object *{name};\n", *re.findall(rf"^\t{name} = &[\w>.-]+;\n", body, re.M)[:1]]:
                body = re.sub(rf"^\t(?:struct drm_gem_object \*{name}|{name} = &[\w>.-]+);\n", "", body, flags=re.M)
        for line, name in re.findall(r"^(\tstruct drm_gem_object \*(\w+) = &[\w>.-]+;\n)", body, re.M):
            if len(re.findall(rf"(?<![\w>.]){name}\b", without_comments(body))) == 1:
                body = tidy(body.replace(line, "", 1))
        return body

    def declare(self, text):
        """Change the structure, and write its type and the description of the type."""
        # DRM_SHMEM_OBJ_TYPE() asserts the same.
        text = re.sub(rf"^static_assert\(offsetof\(struct {self.tag}, {self.member}\) == 0[^;]*;\n\n?", "", text, flags=re.M)
        found = re.search(rf"^struct {self.tag} \{{\n(?:.*\n)*?\}};\n", text, re.M)
        if found and f"struct drm_gem_shmem_object" in found[0]:
            new = re.sub(rf"\tstruct drm_gem_shmem_object(\s+){self.member};", rf"\tstruct drm_shmem_obj\1{self.obj};", found[0])
            if self.half:
                new = new.replace("\n};\n", f"\n\n\t/* The driver's part is complete. */\n\tbool {self.made};\n}};\n")
            text = text.replace(found[0], f"{new}\n" + fill("DRM_SHMEM_OBJ_TYPE(", [
                self.type, f"struct {self.tag}", self.obj, f"struct {self.unique}"], ");\n"))
        table = re.search(rf"(?:^/\*(?:[^*]|\*(?!/))*\*/\n)?^static const struct drm_gem_object_funcs {self.table} = \{{\n(?:\t.*\n)*\}};\n\n?",
                          text, re.M)
        if not table or ";" in table[0].split("{")[0]:
            return text
        text = re.sub(rf"^static const struct drm_gem_object_funcs {self.table};\n\n?", "", text, flags=re.M)
        text = text.replace(table[0], "")
        after = max(m.end() for m in re.finditer(r"^\}\n", text, re.M)
                    if self.ends(text, m.end()))
        init = self.init()
        init = self.wrappers() + init
        new = (f"\n{init}const struct {self.type} {self.type} = {{\n\tDRM_SHMEM_OBJ_FUNCS,\n{self.flags}"
               + (f"\t.base.init = {self.tag}_init,\n" if f"{self.tag}_init(" in init else "")
               + "".join(f"\t.base.{STEPS[s]} = {f},\n" for s, f in self.steps.items())
               + "".join(f"\t.base.{s} = {self.tag}_{s},\n" for s in self.shared) + "};\n")
        return text[:after] + new + text[after:]

    @staticmethod
    def after_declarations(body):
        """Put a blank line before the first statement."""
        start = re.match(r"(?:\tstruct \w+ \*\w+(?: = [^;]*)?;\n)*", body.lstrip("\n")).end()
        body = body.strip("\n")
        return f"{body[:start]}\n{body[start:]}"

    def ends(self, text, end):
        """Check whether a function ends at @end that the description must follow."""
        names = [self.create, self.finish, *self.steps.values()]
        return any(f["name"] in names and f.end() == end for f in functions(text))

    def wrappers(self):
        """Write steps that call functions which objects of other kinds share."""
        new = ""
        for step, function in self.shared.items():
            returned, param, arg = SHARED[step]
            call = f"{function}(drm_shmem_gem(shmem), {arg});\n"
            space = "" if returned.endswith("*") else " "
            new += (f"static {returned}{space}{self.tag}_{step}(struct drm_shmem_obj *shmem, {param})\n{{\n"
                    f"\t{'' if returned == 'void' else 'return '}{call}}}\n\n")
        return new

    def init(self):
        """Write the init step: it does what gem_create_object does after the allocation, and
        completes the object."""
        body, var = self.functions[self.create]["body"], self.var
        body = re.sub(rf"^\t{var} = kzalloc_obj\(\*{var}\);\n\tif \(!{var}\)\n\t\treturn ERR_PTR\(-ENOMEM\);\n", "", body, flags=re.M)
        body = re.sub(r"^\tif \(size == 0(?: \|\| !PAGE_ALIGNED\(size\))?\)\n\t\treturn ERR_PTR\(-EINVAL\);\n", "", body, flags=re.M)
        body = re.sub(rf"^\t[^\n;=]*funcs = &{self.table};\n", "", body, flags=re.M)
        body = re.sub(r"^\treturn [^;]*;\n", "", body, flags=re.M)
        body = re.sub(rf"^\tstruct {self.tag} \*{var};\n", "", body, flags=re.M)
        alias = re.search(rf"^\t(\w+) = &{var}->{self.member}\.base;\n", body, re.M)
        if alias:
            rest = body.replace(alias[0], "", 1)
            body = drop_variable(rest, alias[1]) if len(re.findall(rf"\b{alias[1]}\b", rest)) == 1 else body
        body = re.sub(rf"\b{var}->{self.member}\b", f"{var}->{self.obj}.base", body)
        body = re.sub(r"^\t[^\n;=]*\bpages_mark_dirty_on_put = true;.*\n", "", body, flags=re.M)
        if not body.strip() and not self.finish:
            return ""
        dev = re.match(r"\(struct drm_device \*(\w+)", self.functions[self.create]["params"])
        if dev and re.search(rf"\b{dev[1]}\b", body):
            body = f"\tstruct drm_device *{dev[1]} = drm_shmem_gem(shmem)->dev;\n{body}"
        last = f"\n\treturn {self.finish}({var});\n" if self.finish else "\n\treturn 0;\n"
        return (f"static int {self.tag}_init(struct drm_shmem_obj *shmem)\n{{\n"
                + tidy(f"\tstruct {self.tag} *{var} = drm_shmem_from_obj(&{self.type}, shmem);\n{self.after_declarations(body)}\n{last}")
                + "}\n\n")


def dumb_offsets(text):
    """Use the library's function for the offset of a dumb buffer. It creates the offset."""
    text = re.sub(r"\bdrm_gem_dumb_map_offset\b", "drm_shmem_dumb_map_offset", text)
    if ".dumb_map_offset" not in text:
        text = re.sub(r"^(\t\.dumb_create)(\s*)= (\w+),\n", r"\1\2= \3,\n\t.dumb_map_offset\2= drm_shmem_dumb_map_offset,\n",
                      text, flags=re.M)
    return text


def drop_function(text, name):
    """Drop a function and its declarations."""
    text = edit_functions(text, lambda _, f, __, ___: ("", "\0") if f == name else None)
    text = re.sub(r"(?:^/\*(?:[^*]|\*(?!/))*\*/\n)?\n\{\n\0\}\n\n?", "", text, flags=re.M)
    return re.sub(rf"^\w[^;{{}}#]*\b{name}\([^;{{}}]*\);\n", "", text, flags=re.M)
