#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Convert a driver's raw calls to safe ones.

Prints a diff, and the raw calls that a person has to convert. The rules are semantic patches in
scripts/coccinelle/convert. This file makes the changes that semantic patches cannot make.
"""
import argparse
import difflib
import functools
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from convert_embedded import drop_function, EMBEDDED
from convert_objects import Objects, prepare, read_only_tables, use_ops
from convert_text import (arguments, CALL, NODES, Section, add_argument, add_parameter, charged, charged_nodes, drop_variable,
                          edit_functions, end_labels, fill, for_clients, free_by_scope, functions, merged_labels,
                          no_blank, tidy, unused_labels, WIDTH, without_comments, wrap)

sys.path.insert(0, str(pathlib.Path(__file__).parent / "coccinelle"))

import drm_safe_names as safe  # pylint: disable=wrong-import-position

RULES = pathlib.Path(__file__).parent / "coccinelle" / "convert"
INCLUDE = "ccflags-y += -I$(srctree)/drivers/gpu/drm/safe\n"

HANDLER = r"\(struct drm_device \*(\w+),\s*void \*(\w+),\s*struct drm_file \*(\w+)\)"
STRUCT = r"^(?:static )?struct {} \{{.*?^\}}.*?;\n"
DECLARATIONS = r"\t(?:const )?(?:struct|enum|unsigned|bool|int|size_t|[us]\d+)\b[^;]*;\n"
CONTEXTS = r"\bdrm_dev_ctx_\w+\(|\bDRM_DEV_CTX_|\bstruct drm_dev_ctx "

# The raw calls, and the work for a person on each call that is not converted
RAW = {
    r"drm_gem_v(?:un)?map\(":
        "the address is stored, or the map is used as a whole: keep an owned handle",
    r"drm_gem_shmem_v(?:un)?map(?:_locked)?\(":
        "the caller holds the lock, or this is a callback of the object: keep an owned handle",
    r"drm_gem_shmem_get_pages_sgt\(":
        "the table is kept, or its object is not converted: own it, with the proof of a section",
    r"drm_dev_alloc\(": "embed a struct drm_dev_ctx in a structure of the driver's",
    r"devm_drm_dev_alloc\(|drm_dev_register\(": "registered in another function: hand the token on",
    r"drm_dev_unregister\(|drm_dev_unplug\(": "ends a registration that was not converted",
    r"drm_dev_enter\(|drm_dev_exit\(":
        "not a scope: a jump leads past its start, its result is ignored, or it ends elsewhere",
    r"DRM_IOCTL_DEF_DRV\(":
        "the handler is used for something else, or its argument has no structure",
    r"DRM_GEM_SHMEM_DRIVER_OPS\w*\b": "the driver's objects are of several kinds: declare a type for each",
    r"(?<=\t)struct drm_gem_shmem_object(?= \w+;)": "embed a struct drm_shmem_obj, and declare its type",
    r"drm_gem_shmem_(?:create|free|object_free)\(": "create an object of a type, and put it",
    r"drm_gem_shmem_prime_import_sg_table\(": "do in the type's init step what follows the import",
    r"drm_gem_shmem_(?:un)?pin(?:_locked)?\(": "use drm_shmem_pin(), with the object of the type",
    r"drm_gem_shmem_(?:madvise|purge)_locked\(": "use drm_shmem_madvise() and the library's shrinker",
    r"&drm_gem_shmem_vm_ops\b": "the functions of a type come from DRM_SHMEM_OBJ_FUNCS",
}

# The same for drivers with GEM shmem objects only. An object of the library has no offset before
# drm_shmem_mmap_offset().
RAW_SHMEM = {
    r"drm_vma_node_offset_addr\(": "ask drm_shmem_mmap_offset() of the object of the type",
    r"vmap\((?=\w+(?:->|\.)(?:\w+\.)*pages\b)": "the driver maps the pages itself: keep an owned handle",
}

# More names of the rule "raw" that occur in drivers. The calls for objects count only in drivers
# with GEM shmem objects, because the library does not replace them for other objects.
OTHERS = {
    "drm_gem_object_lookup": 
        "a failure goes on with it, or objects that are not of the type have handles: use drm_shmem_lookup(), or ask "
        "drm_shmem_from_gem() where it must be one",
    "drm_gem_objects_lookup": "the driver keeps an array of GEM objects: keep one of its own, from drm_shmem_lookup_user()",
    "drm_gem_handle_create": "objects that are not of the type get handles, too: use drm_shmem_handle_create() for the others",
    "drm_gem_create_mmap_offset":
        "an object that is not of the library has an offset: use drm_shmem_mmap_offset() for the others",
    "drm_gem_free_mmap_offset": "the end of an object that is not of the library: it stays",
    "drm_gem_dumb_map_offset": "objects that are not of the type have offsets, too: it stays",
    "drm_gem_huge_mnt_create": "set huge_pages in what drm_shmem_set_device_opts() is given",
    "drm_gem_private_object_fini": "the end of an object that is not of the library: it stays",
    "drm_gem_prime_import": "use drm_shmem_prime_import()",
    "drm_gem_map_dma_buf": "the driver has its own dma_buf_ops: drop them, or write the export step",
    "drm_gem_unmap_dma_buf": "the driver has its own dma_buf_ops: drop them, or write the export step",
    "dma_buf_vmap": "the driver maps a dma-buf itself: keep an owned handle of the import",
    "dma_buf_vunmap": "the driver maps a dma-buf itself: keep an owned handle of the import",
    "drm_gem_dmabuf_export": "the driver has its own dma_buf_ops: drop them, or write the export step",
    "drm_gem_shmem_object_vmap": "this is a callback of the object: keep an owned handle",
    "drm_gem_shmem_object_vunmap": "this is a callback of the object: keep an owned handle",
    "dma_buf_dynamic_attach": "an import that is not mapped is an object of another kind: it stays",
}
# The same for a driver whose structure also holds objects of other kinds
MIXED = {
    "drm_gem_object_lookup": "the handle may stand for an object of another kind: it stays",
    "drm_gem_handle_create": "the object may be one of another kind: it stays",
    "drm_gem_create_mmap_offset": "this makes an object of another kind: it stays",
    "drm_gem_free_mmap_offset": "this ends an object of another kind: it stays",
    "drm_gem_private_object_fini": "this ends an object of another kind: it stays",
    "drm_gem_map_dma_buf": "the driver has its own dma_buf_ops, which are one for all kinds of object: it stays",
    "drm_gem_unmap_dma_buf": "the driver has its own dma_buf_ops, which are one for all kinds of object: it stays",
}
OTHERS_ELSE = "goes behind the library: scripts/coccinelle/raw.cocci says which part of it"

# The calls that the conversion of embedded objects would replace
OBJECT_CALLS = ("&drm_gem_shmem_vm_ops", "struct drm_gem_shmem_object", "drm_gem_shmem_create", "drm_gem_shmem_free",
                "drm_gem_shmem_object_free", "drm_gem_shmem_prime_import_sg_table", "drm_gem_object_lookup",
                "drm_gem_handle_create", "to_drm_gem_shmem_obj", "drm_gem_shmem_mmap")


class Driver:
    """A copy of a driver's directory. The rules change the copy."""

    def __init__(self, directory, work, uapi):
        self.top = work
        self.directory = directory.stem
        copy_driver(directory, work)
        self.before = self.read()
        self.edit(expand)
        self.raw = self.text()
        calls = set(re.findall(r"devm_drm_dev_alloc\([^;]*?struct\s+(\w+),\s*([\w.]+)\)", self.raw))
        # The device can only be converted in a structure that belongs to this driver alone.
        found = {self.resolve(tag, path) for tag, path in calls}
        shared = not directory.is_dir() and any("." in path for _, path in calls)
        self.device, self.member = found.pop() if len(found) == 1 and None not in found and not shared else (None, None)
        self.unclear = None
        if shared and None not in found:
            self.unclear = "the device is in a structure of other drivers, too: convert their directory"
        elif None in found:
            self.unclear = "the device is in a structure of the kernel's: embed a struct drm_dev_ctx beside it"
        elif len(found) > 1:
            self.unclear = "the driver has devices of several types"
        self.prefix = prefix(self.device or directory.stem)
        self.objects = None     # the reason for which the objects are not converted
        self.mixed = False      # True if the structure also holds objects of other kinds
        self.separate = None
        self.attach = False
        self.names = {"prefix": self.prefix, "proof": f"{self.prefix}_reg",
                      "device": str(self.device), "member": str(self.member), "ops": "NULL"}
        self.arguments = uapi_arguments([*uapi, *self.files("h")])
        if not self.device:
            self.choose_separate()

    def files(self, suffixes="ch"):
        """Return the paths of all sources and headers, or of files with these suffixes."""
        return sorted(p for p in self.top.rglob("*") if p.suffix in [f".{s}" for s in suffixes])

    def read(self):
        """Return the text of each file, by path."""
        return {p.relative_to(self.top): p.read_text(encoding="utf-8")
                for p in sorted(self.top.rglob("*"))
                if p.suffix in (".c", ".h") or p.name in ("Makefile", "Kconfig")}

    def text(self):
        """Return the text of all files in one string."""
        return "\n".join(self.read().values())

    def spatch(self, rule, target=None, names=None, **env):
        """Apply a rule to every file, or to one. If @names are given, spatch includes the driver's
        headers."""
        defines = [w for pair in (names or self.names).items() for w in ("-D", "=".join(pair))]
        # spatch takes the function in __free() for a type, and skips each function that calls this
        # function.
        self.edit(lambda text: re.sub(r"\b__free\((\w+)\)", r"__free(DRM_SAFE_\1)", text))
        done = subprocess.run(
            ["spatch", "--very-quiet", "--local-includes" if names else "--no-includes", "--include-headers", "--in-place",
             "-D", "patch", *defines,
             "--macro-file", RULES.parent / "scopes.macros",
             "--sp-file", RULES / f"{rule}.cocci", *([target] if target else ["--dir", self.top])],
            env={**os.environ, **env}, capture_output=True, text=True, check=False)
        self.edit(lambda text: text.replace("__free(DRM_SAFE_", "__free("))
        if done.returncode or re.search("previous modification|already tagged token|Not found a value", done.stderr + done.stdout):
            sys.exit(f"{rule}.cocci: {done.stderr[:2000]}")

    def edit(self, function):
        """Change each source with a function of its text."""
        for path in self.files():
            old = path.read_text(encoding="utf-8")
            new = function(old)
            if new != old:
                path.write_text(new, encoding="utf-8")

    def structure(self, tag):
        """Return the definition of one of the driver's structures."""
        found = re.search(STRUCT.format(tag), self.raw, re.M | re.S)
        return found[0] if found else None

    def resolve(self, tag, path):
        """Return the structure that has the last member of a path, and this member. Return None if
        the structure is not the driver's."""
        *through, member = path.split(".")
        for name in through:
            found = re.search(rf"^\tstruct (\w+)\s+{name};", self.structure(tag) or "", re.M)
            if not found or not self.structure(found[1]):
                return None
            tag = found[1]
        return tag, member

    def is_device(self, owner, name, before):
        """Check whether this is the driver's device. Return None if unknown. @before is the text
        before the use."""
        declared = r"\bstruct (\w+)\s+(?:\*\s*)*(?:\w+(?:\s*=\s*[^;,{{}}]*)?,\s*(?:\*\s*)*)*{}\b"
        if owner:
            owners = set(re.findall(declared.format(owner), self.raw))
            members = [self.structure(tag) for tag in owners]
            if owners and not any(members):  # The kernel's structures do not hold it.
                return False
            types = set(re.findall(declared.format(name), "".join(m for m in members if m)))
        else:
            declared = declared.format(name)
            types = set(re.findall(declared, before)[-1:] or re.findall(declared, self.raw))
        if re.search(rf"#define {name}\((?:.|\\\n)*struct {self.device}, {self.member}\)|"
                     rf"^static struct {self.device} \{{[^}}]*\}} \*{name};", self.raw, re.M):
            types.add(self.device)
        if len(types) > 1:  # The members of the kernel's structures are not known here.
            types = {t for t in types if re.search(rf"\b{self.member}\b",
                                                   self.structure(t) or self.member)}
        if types == {self.device}:
            return True
        return None if not types or self.device in types else False

    def rename_member(self, text, to):
        """Rename the struct drm_device of the device at each use. Set self.unclear if a use is not
        clear."""
        def use(match):
            known = self.is_device(match["owner"], match["name"], text[:match.start()])
            if known is None:
                self.unclear = f"what has the member in {match[0]} was not found"
            return match["all"] + (to if known else self.member)

        # The device is in a common structure at the start of the structures of several kinds of
        # device.
        text = re.sub(rf"\b(struct (\w+),\s*(\w+(?:\.\w+)*)\.){self.member}\b", lambda m:
                      f"{m[1]}\0" if self.resolve(m[2], f"{m[3]}.{self.member}") == (self.device, self.member) else m[0], text)
        unnamed = re.search(rf"typeof\([^)]*\),\s*{self.member}\b", text)
        if unnamed:
            self.unclear = f"name the structure in {unnamed[0]}"

        call = r"\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)"
        text = re.sub(rf"(?P<all>(?:\b(?P<owner>\w+)(?:{call}|\[[^]]*\])*\)*(?:->|\.))?"
                      rf"\b(?P<name>\w+)(?:{call}|\[[^]]*\])*\)*(?:->|\.))"
                      rf"{self.member}\b", use, text)
        # A second pass finds x->dev.dev, if the struct drm_device and its struct device have the
        # same name.
        text = re.sub(rf"(?P<all>(?P<owner>)\b(?P<name>\w+)(?:->|\.)){self.member}(?=\.{self.member}\b)", use, text)
        return re.sub(rf"\b(struct {self.device},\s*){self.member}\b", rf"\1{to}", text).replace("\0", to)

    def definition(self, text):
        """Find the definition of the device's structure."""
        return self.device and re.search(STRUCT.format(self.device), text, re.M | re.S)

    def choose_names(self):
        """Choose names for the new members and the downcast to the device. Return whether the
        downcast is new."""
        defined = self.definition(self.text())
        for name, choice in {"ctx": ("ctx", "drm_ctx"), "data": ("base", "reg_data")}.items():
            self.names[name] = next(n for n in choice if not re.search(rf"\b{n}\b", defined[0]))
        container = rf"container_of(?:_const)?\([^,]*, struct {self.device}, {self.member}\)"
        text = next(t for t in self.before.values() if self.definition(t))
        own = (re.search(rf"\*\s*(\w+)\([^()]*\)\n\{{\n\treturn {container};", text)
               or re.search(rf"#define (\w+)\(\w+\)(?:\s|\\\n)*.*{container}", text))
        self.names["to"] = own[1] if own else next(
            n for n in (f"to_{self.prefix}", f"{self.prefix}_of", f"{self.prefix}_from_drm") if n not in self.raw)
        return not own

    def choose_separate(self):
        """Choose a new structure for a device that drm_dev_alloc() allocates."""
        if re.search(r"\bdrm_dev_ctx_alloc", self.raw) or len(re.findall(r"(?<!devm_)\bdrm_dev_alloc\(", self.raw)) != 1:
            return
        for text in self.read().values():
            for f in functions(text):
                call = re.search(r"\b(\w+) = drm_dev_alloc\((.+?), (.+)\);\n", f["body"])
                if call and "drm_dev_register(" in f["body"]:
                    owner = re.search(r"^struct (\w+) \{[^}]*?\tstruct drm_device \*\w+;", self.raw, re.M)
                    if owner:
                        self.prefix = prefix(owner[1])
                    self.separate = {"function": f["name"], "drm": call[1], "driver": call[2], "parent": call[3]}
                    self.device, self.member = f"{self.prefix}_drm", "drm"
                    self.names.update(prefix=self.prefix, proof=f"{self.prefix}_reg", device=self.device,
                                      member=self.member, ctx="ctx", data="base")

    def convert_separate(self):
        """Convert the allocation, the registration and the end of such a device."""
        found, ctx = self.separate, self.names["ctx"]
        drm, parent = found["drm"], found["parent"]
        bound = re.fullmatch(r"(.+)->dev\.parent", parent)
        device = f"&{bound[1]}->dev" if bound else parent
        how = "drm_dev_ctx_alloc_parent" if bound else "drm_dev_ctx_alloc"
        args = [device, *([parent] if bound else []), found["driver"], f"struct {self.device}", ctx]

        def alloc(head, name, _, body):
            if name != found["function"]:
                return None
            body = re.sub(rf"^\t{drm} = drm_dev_alloc\(.*\);\n\tif \(IS_ERR\({drm}\)\)(?P<leave>( \{{\n(\t\t.*\n)+\t\}}|\n\t\t.*)\n)",
                          lambda m: fill(f"\tunreg = {how}(", args, ");\n")
                          + f"\tif (IS_ERR(unreg)){m['leave'].replace(f'ERR({drm})', 'ERR(unreg)')}"
                          f"\t{drm} = drm_dev_ctx_unreg_drm(unreg);\n", body, count=1, flags=re.M)
            body = re.sub(r"\bdrm_dev_register\((.*), 0\)",
                          lambda m: fill("drm_dev_ctx_register(", [
                              device, "&unreg", self.names["ops"],
                              f"&to_{self.device}({m[1]})->{self.names['data']}"], ")"),
                          body)
            body = merged_labels(re.sub(rf"^\tdrm_dev_put\({drm}\);\n", "", body, flags=re.M))
            return head, "\tstruct drm_dev_ctx_unreg *unreg __free(drm_dev_ctx_unreg) = NULL;\n" + body

        def end(head, _, __, body):
            if not re.search(r"\bdrm_dev_(unregister|unplug)\(", body):
                return None
            body = re.sub(r"^\tdrm_dev_put\(.*\);\n", "", body, flags=re.M)
            return head, re.sub(rf"\bdrm_dev_(?:unregister|unplug)({CALL})",
                                r"drm_dev_ctx_unregister(to_drm_dev_ctx\1)", body)

        self.edit(lambda text: edit_functions(edit_functions(text, alloc), end))
        owner = re.search(r"^struct (\w+) \{[^}]*?\tstruct drm_device \*\w+;", self.raw, re.M)
        new = (f"/* The DRM device, which the driver's structure points to */\nstruct {self.device} {{\n"
               f"\tstruct drm_dev_ctx {ctx};\n\tstruct drm_dev_ctx_data {self.names['data']};\n}};\n\n"
               f"static inline struct {self.device} *to_{self.device}(struct drm_device *drm)\n{{\n"
               f"\treturn container_of(drm, struct {self.device}, {ctx}.drm);\n}}\n\n")
        if owner:
            self.edit(lambda text: text.replace(f"\nstruct {owner[1]} {{", f"\n{new}struct {owner[1]} {{", 1)
                      if new not in text else text)
        return bool(owner)

    def convert_device(self):
        """Convert the device, and the sections and ioctls, which need its context."""
        if self.separate:
            if not self.convert_separate():
                return
        else:
            if not self.definition(self.raw):
                return
            self.edit(lambda text: self.rename_member(text, self.member))
            if self.unclear:
                return
            helper = self.choose_names()
            if not self.hand_on():
                return
            self.spatch("device")
        if not re.search(r"\bdrm_dev_ctx_alloc(_parent)?\(", self.text()):
            return
        # If a C file defines the structure, only this file can use it.
        where = next(p for p in self.files() if self.definition(p.read_text(encoding="utf-8")))
        where = where if where.suffix == ".c" else None
        entries = self.entries()
        if not self.separate:
            self.spatch("end", where)
            self.spatch("section", where, HANDLERS=" ".join(h for _, h in entries))
        self.edit(lambda text: self.convert_sections(text, [h for _, h in entries]))
        self.edit(self.finish_contexts)
        self.edit(lambda text: edit_functions(text, end_sections))
        # A table may be lent before the registration, and mode setting runs after it. Both need a
        # live device.
        if self.attach or re.search(r"\bdrm_gem_shmem_get_pages_sgt\(|\bdrm_dev_ctx_(?:guard_)?live", self.raw):
            self.edit(self.attach_data)
        if self.separate:
            self.edit(self.define_proof)
        else:
            to = f"{self.names['ctx']}.drm"
            self.edit(lambda text: self.define(self.rename_member(text, to), helper))
        handlers = [self.handler(*e) for e in entries]
        self.edit(lambda text: self.convert_ioctls(text, handlers))

    def hand_on(self):
        """
        Pass the token on where one function allocates a device and another one registers it. Return
        False if it is not clear which function registers which device.
        """
        found = {f["name"]: f for text in self.read().values() for f in functions(text)}
        makers = {n for n, f in found.items() if "devm_drm_dev_alloc(" in without_comments(f["body"])}
        users = {n for n, f in found.items() if re.search(r"\bdrm_dev_register\(", without_comments(f["body"]))}
        code = without_comments(self.text())

        def calls(caller, name):
            return len(re.findall(rf"\b{name}\(", without_comments(found[caller]["body"])))

        def alone(name, caller):
            return all(f["name"] in (name, caller) or not re.search(rf"\b{name}\b", without_comments(f["body"]))
                       for f in found.values()) and not re.search(rf"[=&,(]\s*{name}\s*[,;)}}]", code)

        pairs = {user: {m for m in makers - users if calls(user, m) == 1 and alone(m, user)} for user in users}
        if makers - users == set().union(*pairs.values()) and all(own or user in makers for user, own in pairs.items()):
            for user, own in pairs.items():
                # device.cocci does this, except for a device in a common structure of several kinds
                # of device.
                here = {user} & makers if re.search(rf"struct \w+,\s*\w+(?:\.\w+)*\.{self.member}\)", found[user]["body"]) else set()
                if own | here:
                    self.edit(lambda text, user=user, own=own | here: self.hand_token(text, own, user, up=True))
            return True
        if len(makers) == len(users) == 1 and not makers & users:
            (maker,), (user,) = makers, users
            if calls(maker, user) == 1 and alone(user, maker):
                self.edit(lambda text: self.hand_token(text, makers, user, up=False))
                return True
        return False

    def hand_token(self, text, makers, user, up):
        """Add a parameter for the token. With @up, @user calls the functions that allocate;
        otherwise, one of them calls @user."""
        handed = (makers if up else {user}) - (makers & {user})
        param = "struct drm_dev_ctx_unreg **unreg"
        local = "\tstruct drm_dev_ctx_unreg *unreg __free(drm_dev_ctx_unreg) = NULL;\n"
        to, ctx = self.names["to"], self.names["ctx"]

        def allocate(match, token):
            *args, tag, path = re.split(r",\s*", match[2])
            path = re.sub(rf"\b{self.member}\Z", ctx, path)
            made = f"drm_dev_ctx_unreg_drm({token})"
            down = self.downcast(text, tag.split()[1])
            made = f"{down}({made})" if down else f"container_of({made}, {tag}, {path}.drm)"
            leave = re.sub(rf"(ERR|CAST)\({match[1]}\)", rf"\1({token})", match["leave"])
            leave = re.sub(rf"return {match[1]};", f"return ERR_CAST({token});", leave)
            return (fill(f"\t{token} = drm_dev_ctx_alloc(", [*args, tag, path], ");\n")
                    + f"\tif (IS_ERR({token})){leave}\n\t{match[1]} = {made};")

        def register(match, params, body, path):
            tag = re.search(rf"struct {self.device} \*(\w+)", f"{params}{body}")
            if path:
                data = f"{path[1]}->{path[2]}{self.names['data']}"
            elif tag and re.search(rf"\b{tag[1]} = .*(?:\n.*)*drm_dev_register\(|\*{tag[1]}[,)]", f"{body}\n{params}"):
                data = f"{tag[1]}->{self.names['data']}"
            else:
                data = f"{to}({match[1]}{match[2]})->{self.names['data']}"
            return fill("drm_dev_ctx_register(", [f"{match[2]}{'.' if match[1] else '->'}dev", "&unreg" if up else "unreg",
                                                  "NULL", f"&{data}"], ")")

        def change(head, name, params, body):
            if name != user and name not in makers:
                return None
            path = None
            if name == user:
                path = re.search(rf"\b(\w+) = devm_drm_dev_alloc\([^;]*struct \w+,\s*((?:\w+\.)*){self.member}\)", body)
                body = re.sub(r"\bdrm_dev_register\((&?)(.*), [^,()]+\)", lambda m: register(m, params, body, path), body)
            if name in makers:
                token = "*unreg" if name in handed else "unreg"
                body = re.sub(r"^\t(\w+) = devm_drm_dev_alloc\(([^;]*?,\s*struct \w+,\s*[\w.]+)\);\n"
                              r"\n*\tif \(IS_ERR\(\1\)\)(?P<leave> \{\n(?:\t\t.*\n)*?\t\}|[^;{]*;)", lambda m: allocate(m, token), body, count=1, flags=re.M)
            if name in handed:
                head = head[:-len(params)] + wrap(head[:-len(params)], add_parameter(params, param))
            else:
                body = local + body
                for callee in handed:
                    body = add_argument(body, callee, "&unreg")
            return head, body

        text = edit_functions(text, change)
        for name in handed:
            text = re.sub(rf"^(\w[\w \t*]*\b{name})(\([^;{{}}]*?\));",
                          lambda m: m[1] + wrap(m[1], add_parameter(m[2], param)) + ";", text, flags=re.M)
        return text

    def downcast(self, text, tag):
        """Return the downcast to a structure with the device in it, if this text or a header
        defines one."""
        if tag == self.device:
            return self.names["to"]
        headers = [path.read_text(encoding="utf-8") for path in self.files("h")]
        found = [re.search(rf"\bstruct {tag} \*(\w+)\(struct drm_device \*\w+\)\n\{{\n\treturn container_of\(", t)
                 for t in [text, *headers]]
        return next((f[1] for f in found if f), None)

    def convert_sections(self, text, handlers):
        """Make scopes of the sections that the semantic patch left."""
        proof = self.names["proof"]

        def context(drm, name, body):
            known = re.fullmatch(rf"&(.+)->{self.member}", drm) or re.search(
                rf"^\t(?:struct drm_device \*)?{re.escape(drm)} = &(\w+)->{self.member};\n", body, re.M)
            if name in handlers:
                return "ioctl"
            return f"&{known[1]}->{self.names['ctx']}" if known and not self.separate else f"to_drm_dev_ctx({drm})"

        def change(head, name, params, body):
            if "drm_dev_enter(" not in without_comments(body):
                return None
            commits = re.search(r"struct drm_atomic_(commit|state) \*", params)
            # A mode is also set after the unplug, when the display is shut down.
            registered = name in handlers or (not commits and re.search(r"struct vm_fault \*", params))
            forms = {
                "or": lambda drm, leave: f"drm_dev_ctx_or({proof}, reg, {context(drm, name, body)}, {leave});",
                "guard": lambda drm: f"drm_dev_ctx_guard({proof}, reg, {context(drm, name, body)})",
                "guard_else": lambda drm, leave:
                    f"drm_dev_ctx_guard_else({proof}, reg, {context(drm, name, body)}, {leave})",
            } if registered else {
                "or": lambda drm, leave: f"drm_dev_ctx_live_or(live, {context(drm, name, body)}, {leave});",
                "guard": lambda drm: f"drm_dev_ctx_guard_live(live, {context(drm, name, body)})",
                "guard_else": lambda drm, leave:
                    f"drm_dev_ctx_guard_live_else(live, {context(drm, name, body)}, {leave})",
            }
            if commits:
                forms["ignored"] = True
            new = Section(forms).convert(free_by_scope(body))
            if not new:
                return None
            self.attach |= not registered and not commits
            for line, drm in re.findall(rf"^(\tstruct drm_device \*(\w+) = &\w+->{self.member};\n)", new, re.M):
                if len(re.findall(rf"\b{drm}\b", without_comments(new.replace(line, "")))) == 0:
                    new = tidy(new.replace(line, ""))
            return head, new

        return edit_functions(text, change)

    def attach_data(self, text):
        """Attach the data before the registration, because functions with sections may run before
        it."""
        data = self.names["data"]

        def change(head, _, __, body):
            found = re.search(r"^\t(\w+) = \w+\(drm_dev_ctx_unreg_drm\((?P<token>\*?unreg)\)(?:, struct \w+, [\w.]+)?\);\n"
                              if not self.separate else
                              r"^\t(\w+) = drm_dev_ctx_unreg_drm\((?P<token>unreg)\);\n", body, re.M)
            leave = re.search(r"if \(IS_ERR\(\*?unreg\)\)(?P<leave> \{\n(?:\t\t.*\n)*\t\}\n|\n\t\t.*\n)", body)
            if not found or not leave:
                return None
            path = re.search(rf"\bdrm_dev_ctx_alloc\([^;]*struct \w+,\s*((?:\w+\.)*){self.names['ctx']}\);", body)
            at = f"to_{self.device}({found[1]})" if self.separate else found[1]
            at = f"&{at}->{path[1] if path else ''}{data}"
            new = (f"\tlive = drm_dev_ctx_attach({found['token']}, {self.names['ops']}, {at});\n"
                   f"\tif (IS_ERR(live)){without_messages(leave['leave']).replace(found['token'], 'live').rstrip()}\n")
            body = body[:found.end()] + new + body[found.end():]
            return head, f"\tconst struct drm_dev_ctx_live *live;\n{body}"

        return edit_functions(text, change)

    def define_proof(self, text):
        """Define the proof for a device from choose_separate()."""
        proof = self.names["proof"]
        defined = self.definition(text)
        if not defined or self.structure(proof) or not re.search(rf"\b{proof}\b", self.text()):
            return text
        return text.replace(defined[0], f"{defined[0]}\n/* Proof that the device is registered */\n"
                            f"struct {proof} {{\n\tstruct drm_dev_ctx_reg base;\n}};\n")

    def table(self, text):
        """Find a plain table of ioctls, and all of its entries."""
        entry = r"(?:\s*/\*(?:[^*]|\*(?!/))*\*/)*\s*DRM_IOCTL_DEF_DRV\((\w+),\s*(\w+),[^)]*\),?"
        found = re.search(r"(?:static )?(?:const )?struct drm_ioctl_desc (\w+)\[[^]]*\] = \{"
                          rf"((?:{entry})+)\s*\}};\n", text)
        return found, re.findall(entry, found[2]) if found else []

    def entries(self):
        """Return the entries whose argument has a known type and whose handler is a function of the
        driver that has no other use."""
        texts = re.sub(r"/\*.*?\*/", "", self.text(), flags=re.S)
        entries = [e for text in self.read().values() for e in self.table(text)[1]]
        return [(i, h) for i, h in entries if i in self.arguments
                and re.search(rf"\b{h}{HANDLER}\n\{{\n", texts)
                and len(re.findall(rf"(?<!TRACE_EVENT\()\b{h}\b", texts))
                == len(re.findall(rf"\b{h}{HANDLER}", texts)) + 1]

    def handler(self, ioctl, name):
        """Describe the new form of a handler. It gets a proof if all of it is a section."""
        proof, struct = self.names["proof"], f"struct {self.arguments[ioctl]}"
        body = re.search(rf"\b{name}{HANDLER}\n\{{\n(.*?)^\}}", self.text(), re.M | re.S)[4]
        # The handler's own name for the argument. It may have the structure of another ioctl there.
        data = re.search(rf"\b{name}{HANDLER}\n\{{\n", self.text())[2]
        args = (re.search(rf"^\t{struct} \*(\w+) = \w+;\n", body, re.M)
                or re.search(rf"^\t(?:const )?struct \w+ \*(\w+) = {data};\n", body, re.M))
        found = {"ioctl": ioctl, "name": name, "struct": struct,
                 "args": args[1] if args else "args", "drop": [args[0]] if args else []}
        section = f"\tdrm_dev_ctx_or({proof}, reg, ioctl, return -ENODEV);\n"
        start, needs, _ = body.partition(section)
        if needs and not re.sub(DECLARATIONS, "", start).strip():
            return {**found, "context": f"const struct {proof} *reg",
                    "drm": "drm_dev_ctx_reg_drm(&reg->base)",
                    "doc": "@reg: proof that the device is registered",
                    "drop": [*found["drop"], f"{section}\n", section],
                    "entry": fill("DRM_DEV_CTX_IOCTL(", [ioctl, name, proof, struct], ");\n")}
        return {**found, "context": "struct drm_dev_ctx_ioctl *ioctl",
                "drm": "drm_dev_ctx_ioctl_drm(ioctl)",
                "doc": "@ioctl: the device, which may be unplugged",
                "entry": fill("DRM_DEV_CTX_IOCTL_UNGUARDED(", [ioctl, name, struct], ");\n")}

    def convert_ioctls(self, text, handlers):
        """Give handlers their types, and write entry points and a new table."""
        for handler in handlers:
            text = typed(text, handler)
        table, _ = self.table(text)
        if handlers:  # The table is const now, also for other files.
            text = text.replace("extern struct drm_ioctl_desc ", "extern const struct drm_ioctl_desc ")
        if not table or not handlers:
            return text
        kind = "DRM_DEV_CTX_IOCTLS" if table[0].startswith("static") else "DRM_DEV_CTX_IOCTLS_EXTERN"
        new = re.sub(r".*\[[^]]*\] = ", f"{kind}({table[1]}) = ", table[0], count=1)
        for handler in handlers:
            new = re.sub(rf"DRM_IOCTL_DEF_DRV\({handler['ioctl']},\s*{handler['name']},\s*",
                         f"DRM_DEV_CTX_IOCTL_DEF({handler['ioctl']}, ", new)
        about = re.search(r"(?:^/\*(?:[^*]|\*(?!/))*\*/\n)?\Z", text[:table.start()], re.M)[0]
        return text.replace(about + table[0], "".join(h["entry"] for h in handlers) + "\n" + about + new)

    def finish_contexts(self, text):
        """Write the parts of devices and sections that a semantic patch cannot write."""
        def context(match):
            drm = match[1]
            inside = text[text.rfind("\n{\n", 0, match.start()):match.start()]
            known = (re.fullmatch(rf"&(.+)->{self.member}", drm)
                     or re.search(rf"\b(\w+) = {self.names['to']}\({re.escape(drm)}\);", inside)
                     or re.search(rf"\b{re.escape(drm)} = &(\w+)->{self.member};", inside))
            device = known[1] if known else f"{self.names['to']}({drm})"
            return f"&{device}->{self.names['ctx']}"

        text = re.sub(r"\bDRM_SAFE_CTX\(((?:[^()]|\([^()]*\))*)\)", context, text)
        text = re.sub(r"\n\t+\n(?=\t+return|\t\w+ = \w+\(drm_dev_ctx_unreg_drm)", "\n", text)
        text = re.sub(r"^(\t.*\bdrm_dev_ctx_(?:alloc|register)\()([^;]*\);)",
                      lambda m: fill(m[1], re.split(r",\s+", m[2]), ""), text, flags=re.M)
        return returns(re.sub(r"(\tstruct (drm_dev_ctx_unreg) \*unreg) = NULL;",
                              r"\1 __free(\2) = NULL;", text))

    def define(self, text, helper):
        """Make the device a drm_dev_ctx, and define its proof and its downcast."""
        defined = self.definition(text)
        if not defined:
            return text
        proof, ctx, data, to = (self.names[n] for n in ("proof", "ctx", "data", "to"))
        new = re.sub(rf"^\tstruct drm_device\s+{self.member};", f"\tstruct drm_dev_ctx {ctx};\n"
                     f"\tstruct drm_dev_ctx_data {data};", defined[0], flags=re.M)
        if re.search(rf"\b{proof}\b", self.text()) and not self.structure(proof):
            new += (f"\n/* Proof that a struct {self.device} is registered */\n"
                    f"struct {proof} {{\n\tstruct drm_dev_ctx_reg base;\n}};\n")
        if helper:
            new += (f"\nstatic inline struct {self.device} *{to}(struct drm_device *drm)\n{{\n"
                    f"\treturn container_of(drm, struct {self.device}, {ctx}.drm);\n}}\n")
        return text.replace(defined[0], new)

    def check_reached(self):
        """Nothing stands behind a return, where a patch has lost a label, or a check of a result."""
        before = without_comments("\n".join(self.before.values()))
        for text in self.read().values():
            for f in functions(text):
                lost = re.search(r"^\treturn\b[^;]*;\n\n*(\t(?![}\t])\S.*)", without_comments(f["body"]), re.M)
                if lost and lost[0] not in before:
                    sys.exit(f"{f['name']}() would return before {lost[1].strip()}")

    def own_patch(self):
        """Apply the semantic patch for this driver, if there is one. It converts code that no
        general rule fits."""
        patch = f"drivers/{self.directory}"
        # If the driver still embeds the core's objects, the patch was not applied yet.
        if (RULES / f"{patch}.cocci").exists() and EMBEDDED.search(without_comments(self.text())):
            old = [f for text in self.read().values() for f in functions(text)]
            before = {f["body"] for f in old}
            self.spatch(patch)
            left = {f["name"] for text in self.read().values() for f in functions(text)}
            for name in {f["name"] for f in old} - left:
                self.edit(lambda text, name=name: drop_function(text, name))
            self.edit(lambda text: re.sub(r"^(\t*)(\} \w+;)(?=struct )", r"\1\2\n\1", re.sub(
                r"\)\{$", ")\n{", text, flags=re.M), flags=re.M))
            self.edit(lambda text: re.sub(r"^\}\n(?=[a-z][\w \t*]*[(=])", "}\n\n", text, flags=re.M))
            self.edit(lambda text: returns(edit_functions(text, lambda head, name, params, body: None if body in before else
                                                          blank_lines(head, name, params, body))))
            self.edit(lambda text: edit_functions(text, lambda head, _, __, body: None if body in before else (
                head, unused_variables(body))))
            self.raw = self.text()
            ops = re.search(r"^static const struct drm_dev_ctx_ops (\w+) = \{", self.text(), re.M)
            self.names["ops"] = f"&{ops[1]}" if ops else "NULL"

    def convert(self):
        """Run all rules."""
        prepare(self)
        self.own_patch()
        self.convert_device()
        Objects(self).convert()
        if "drm_shmem_sgt_" in self.text():
            read_only_tables(self)
        self.spatch("vmap")
        # Pass the library's object, and not the core's object in it.
        self.edit(lambda text: re.sub(r"(\bdrm_vmap_own\([^;]*->(?:obj|shmem|shmem_obj))\.base\)", r"\1)", text))
        self.spatch("sgt")
        self.edit(self.finish)
        self.check_reached()
        use_ops(self)
        if self.read() != self.before:
            self.charge()
            self.tidy_lines()
            self.build_files()

    def tidy_lines(self):
        """Without includes that nothing needs any more, and without lines that became too long."""
        for path in self.files():
            text = path.read_text(encoding="utf-8")
            old = self.before[path.relative_to(self.top)]
            new = short_lines(unneeded_includes(text, old), old)
            if new != text:
                path.write_text(new, encoding="utf-8")

    def charge(self):
        """Charge an allocation to the client if the function has the client's file or data, as the
        rule "accounted" demands."""
        text = without_comments(self.text())
        types = sorted({"drm_file", *safe.FILE_TYPE.findall(text)})
        self.edit(lambda t: charged(t, types))
        members = sorted({m for f in for_clients(text, types) for m in NODES.findall(f["body"])})
        if members:
            self.edit(lambda t: charged_nodes(t, "|".join(members)))

    def finish(self, text):
        """Write the parts of mappings that a semantic patch cannot write, and the includes that the
        text needs."""
        if text in self.before.values():    # unchanged, so it needs no new includes
            return text
        text = re.sub(r"^(\s+struct \w+_map_owned \w+) = \{\s*\};",
                      r"\1 __cleanup(drm_vmap_cleanup) = {};", text, flags=re.M)
        text = edit_functions(returns(text), plain_token)
        handle = f"struct {self.prefix}_map"
        if f"{handle}_owned" in text and f"{handle} {{" not in self.raw:
            text = include(text, "drm_shmem_safe.h", "\n/* The least that an object has */\n"
                           f"{handle} {{\n\tDRM_VMAP(PAGE_SIZE);\n}};\n\n"
                           f"{handle}_owned {{\n\tDRM_VMAP_OWNED({handle});\n}};\n")
        elif re.search(r"\bdrm_shmem_\w+\(|DRM_SHMEM_OBJ_TYPE\(|^\tstruct drm_shmem_\w+\s+\w+;", text, re.M):
            text = include(text, "drm_shmem_safe.h")
        # A downcast from what the structure has
        text = re.sub(rf"&{self.names.get('to')}\(&([\w>.-]+)\.drm\)->{self.names.get('ctx')}\b",
                      lambda m: f"&{m[1]}" if m[1].endswith(self.names["ctx"]) else m[0], text)
        if re.search(CONTEXTS, text):
            text = include(text, "drm_dev_ctx.h")
        return text

    def build_files(self):
        """Have the compiler find the headers, and Kconfig the module."""
        for path in self.top.rglob("Makefile"):
            find_headers(path)
        path = self.top / "Kconfig"
        if path.exists() and "select DRM_SAFE\n" not in self.raw:
            text = path.read_text(encoding="utf-8")
            # If the directory has several drivers, select DRM_SAFE for each.
            options = re.split(r"^(?=config )", text, flags=re.M)
            shmem = [n for n, option in enumerate(options) if re.search(r"^\s+select DRM_GEM_SHMEM_HELPER$", option, re.M)]
            chosen = shmem if len(shmem) > 1 else [n for n, option in enumerate(options) if re.search(r"^\s+help$", option, re.M)][:1]
            for n in chosen:
                options[n] = re.sub(r"^(\s+)help$", r"\1select DRM_SAFE\n\1help", options[n], count=1, flags=re.M)
            path.write_text("".join(options), encoding="utf-8")

    def diff(self, name):
        """Return the changes as a diff for patch -p1."""
        after = self.read()
        return "".join(
            line for path, old in self.before.items()
            for line in difflib.unified_diff(old.splitlines(True), after[path].splitlines(True),
                                             f"a/{name}/{path}", f"b/{name}/{path}"))

    def left(self):
        """Yield each raw call that is left: path, line, call and reason."""
        unclear = {call: self.unclear for call in ("devm_drm_dev_alloc", "drm_dev_register")} if self.unclear else {}
        if self.objects:
            unclear.update({call: self.objects for call in OBJECT_CALLS})
        others = {**OTHERS, **(MIXED if self.mixed else {})}
        for path, text in self.read().items():
            for number, line in enumerate(without_comments(text).splitlines(), 1):
                for regex, why in self.raw_calls.items():
                    for call in re.findall(rf"(?<!define )(?<!\w)({regex})", line):
                        call = call.rstrip("(")
                        yield path, number, call, unclear.get(call, why or others.get(call, OTHERS_ELSE))

    def count(self, texts):
        """Count the raw calls, outside of comments and after expand()."""
        return sum(len(re.findall(rf"(?<!define )(?<!\w)(?:{regex})", without_comments(expand(t))))
                   for path, t in texts.items() if path.suffix in (".c", ".h") for regex in self.raw_calls)

    @functools.cached_property
    def raw_calls(self):
        """Return the expressions for raw calls in this driver: RAW, and further names of the rule
        "raw"."""
        code = without_comments("\n".join(self.before.values()))
        names, known = set(safe.raw("drm_dev_ctx.h")), RAW
        if re.search(r"\bstruct drm_gem_shmem_object\s+\w+;", code):
            known = {**RAW, **RAW_SHMEM}
        if re.search(r"\bdrm_gem_shmem_(?!helper\b)\w|\bDRM_GEM_SHMEM_DRIVER_OPS|\bdrm_shmem_", code):
            names |= safe.raw("drm_shmem_safe.h")
        others = sorted(n for n in names if not any(re.fullmatch(regex, f"{n}(") for regex in known))
        return {**known, rf"(?:{'|'.join(others)})\(": None}


def prefix(tag):
    """What the names of a driver begin with, by its structure of the device."""
    return re.sub(r"_(dev|device|(drm_)?priv(ate)?)$", "", tag)


def unneeded_includes(text, old):
    """Without headers of the core that the library's include, if what the driver used of them is gone."""
    for header, of, names in (
            ("drm/drm_drv.h", "drm_dev_ctx.h",
             r"\b(?:drm_dev_(?!ctx_)\w+|drm_put_dev|devm_drm_dev_alloc|struct drm_driver|DRIVER_[A-Z]+|drm_core_\w+|drm_drv_\w+|"
             r"drm_firmware_drivers_only)\b"),
            ("drm/drm_gem_shmem_helper.h", "drm_shmem_safe.h", r"\b(?:struct drm_gem_shmem_object|drm_gem_shmem_(?!helper\b)\w+|"
             r"DRM_GEM_SHMEM_DRIVER_OPS\w*|to_drm_gem_shmem_obj)\b")):
        if f'"{of}"' in text and re.search(names, without_comments(old)) and not re.search(names, without_comments(text)):
            text = re.sub(rf"(?<=\n\n)#include <{header}>\n\n|^#include <{header}>\n", "", text, flags=re.M)
    return text


def short_lines(text, old):
    """With calls in several lines that an edit has made too long for one."""
    def call(match):
        if len(match[0].expandtabs()) <= WIDTH or match[0] in old:
            return match[0]
        args = arguments(match[2])
        return fill(match[1], args, ");") if len(args) > 1 else match[0]

    return re.sub(r"^(\t+(?:[\w>.*-]+ = |return )?\w+\()([^\n\"]*)\);$", call, text, flags=re.M)


def without_messages(block):
    """What leaves a function, without messages about another call, and without braces for those."""
    block = re.sub(r"^\t+(?:DRM_\w*ERROR|\w+_(?:err|warn)(?:_probe)?)\([^;]*\);\n", "", block, flags=re.M)
    return re.sub(r"^ \{\n(\t+[^;]*;\n)\t+\}\n", r"\n\1", block)


def unused_variables(body):
    """Drop declarations of variables, and labels, that a semantic patch has left without a use."""
    for line in re.findall(r"^\t+(?:const )?(?:struct \w+|int|unsigned int|u32|u64|bool|size_t|void) [^;()]*;", body, re.M):
        for name in re.findall(r"(\w+)(?:\s*=[^,;]*)?\s*[,;]", line):
            body = drop_variable(body, name)
    for line, name in re.findall(r"^(\tstruct \w+ \*(\w+) = \w+\([^;]*\);\n)", body, re.M):
        if len(re.findall(rf"(?<!->)(?<!\.)\b{name}\b", without_comments(body))) == 1:
            body = body.replace(line, "", 1)
    return unused_labels(body)


def blank_lines(head, _, __, body):
    """Drop blank lines at the start of a body, and other bad white space that a semantic patch
    leaves."""
    new = re.sub(r"^\n+|(?<=\n)[ \t]+(?=\n)", "", re.sub(r"^[ \t]+$", "", body, flags=re.M))
    new = re.sub(r"\n{3,}", "\n\n", new)
    # Of an initializer, a semantic patch indents the end, too.
    new = re.sub(r"(?<=[^,\n])(\n\t+)\t\};$", r",\1};", new, flags=re.M)
    new = no_blank(new, r"\b(drm_\w*_guard(?:_\w+)?|\w*for_each\w*) (?=\()")
    new = re.sub(r"^(\t+)(if \([^;{}\n]*\))(\w+\([^;]*\);)",
                 lambda m: f"{m[1]}{m[2]}\n{m[1]}\t" + re.sub(r"\s+", " ", m[3]), new, flags=re.M)
    return (head, new) if new != body else None


def plain_token(head, _, __, body):
    """Drop the cleanup of a token that each path uses up. <linux/cleanup.h> forbids cleanups in a
    function with gotos."""
    code = without_comments(body)
    found = re.search(r"^\tunreg = drm_dev_ctx_alloc\w*\([^;]*;\n\tif \(IS_ERR\(unreg\)\)(?: \{\n(?:\t\t.*\n)*\t\}\n|\n\t\t.*\n)"
                      r"(?P<between>(?:.*\n)*?.*?)\bdrm_dev_ctx_register\(", code, re.M)
    if "__free(drm_dev_ctx_unreg)" not in code or not found or not re.search(r"\bgoto\b", code) \
            or re.search(r"\b(goto|return)\b[^;]*;|\bunreg\b\s*[,)=]", found["between"].replace("unreg_drm(unreg)", "")):
        return None
    body = re.sub(r"^\tif \(!IS_ERR_OR_NULL\(unreg\)\)\n\t\tdrm_dev_ctx_drop\(&unreg\);\n", "", body, flags=re.M)
    return head, body.replace(" *unreg __free(drm_dev_ctx_unreg) = NULL;", " *unreg;")


def end_sections(head, _, __, body):
    """Drop labels that the semantic patch left at the end of a section."""
    new = end_labels(body) if re.search(r"\bdrm_dev_ctx_\w*or\(", body) else body
    return (head, new) if new != body else None


def find_headers(makefile):
    """Add the path of the library's headers to a Makefile, unless it has it."""
    text = makefile.read_text(encoding="utf-8")
    if INCLUDE not in text:
        head = re.match(r"(#.*\n)*\n?", text)[0]
        makefile.write_text(head + INCLUDE + "\n" + text[len(head):], encoding="utf-8")


def copy_driver(directory, work):
    """Copy a directory, or one driver of a directory in which each file is a driver."""
    if directory.is_dir():
        shutil.copytree(directory, work, ignore=shutil.ignore_patterns("*.o", ".*"))
        return
    work.mkdir(parents=True)
    shutil.copy(directory, work)
    for name in re.findall(r'^#include "(\w[\w.-]*)"', directory.read_text(encoding="utf-8"), re.M):
        if (directory.parent / name).exists():
            shutil.copy(directory.parent / name, work)
    config = re.search(rf"^obj-(.*)\+= {directory.stem}\.o$",
                       (directory.parent / "Makefile").read_text(encoding="utf-8"), re.M)
    (work / "Makefile").write_text(f"{config[0]}\n", encoding="utf-8")


def plain_check(head, _, __, body):
    """Put a check into its if statement if nothing reads the variable with the result later."""
    def check(match):
        after = re.search(rf"(?<![\w>.]){match['to']}\b(?! = )", without_comments(body[match.end():]))
        anew = re.search(rf"(?<![\w>.]){match['to']} = ", without_comments(body[match.end():]))
        if after and not (anew and anew.start() < after.start()):
            return match[0]
        return f"{match['tabs']}if (!drm_dev_enter({match['args']}))"

    new = re.sub(r"^(?P<tabs>\t+)(?P<to>\w+) = drm_dev_enter\((?P<args>[^;]*)\);\n(?P=tabs)if \(!(?P=to)\)", check, body, flags=re.M)
    return (head, drop_variable(new, re.search(r"(\w+) = drm_dev_enter\(", body)[1])) if new != body else None


def expand(text):
    """Replace typeof(), and a driver's macro for entries of an ioctl table. They hide a type or a
    call."""
    text = edit_functions(text, plain_check)
    for name in re.findall(r"\b(\w+) = devm_drm_dev_alloc\([^;]*?typeof\(\*\1\)", text):
        tag = re.search(rf"\bstruct (\w+) \*{name};", text)
        if tag:
            text = re.sub(rf"(\b{name} = devm_drm_dev_alloc\([^;]*?)typeof\(\*{name}\)", rf"\1struct {tag[1]}", text)
    found = re.search(r"^[ \t]*#define (\w+)\(([^)]*)\)((?:.*\\\n)*.*\bDRM_IOCTL_DEF_DRV\(.*)\n\n?", text, re.M)
    if not found or not re.search(rf"^\t{found[1]}\(", text, re.M):
        return text
    names = re.split(r",\s*", found[2])
    body = re.sub(r"\s*\\?\n\s*", "", found[3].replace("\\\n", " ")).strip()

    def call(match):
        args = dict(zip(names, re.split(r",\s*", match[1][1:-1])))
        new = re.sub(r"\s*##\s*", "##", body)
        new = re.sub(r"\w+", lambda word: args.get(word[0], word[0]), new)
        return "\t" + new.replace("##", "")

    text = text.replace(found[0], "")
    return re.sub(rf"^\t{found[1]}({CALL})", call, text, flags=re.M)


def returns(text):
    """Make a return statement of DRM_SAFE_RETURN(), which a semantic patch wrote as the last
    argument of a call."""
    def call(match):
        args = re.split(r",\s+", match[2].strip())
        return fill(match[1], [*args, f"return {match[3]}".strip()], ");")

    return re.sub(r"^(\t+\w+_or\()([^;]*),\s+DRM_SAFE_RETURN\(([^;]*)\)\);", call, text, flags=re.M)


def include(text, header, more=""):
    """Include a header, in alphabetical order if possible, and write @more after all includes."""
    last = [m.end() for m in re.finditer(r"^#include .*\n", text, re.M)]
    end = last[-1] if last else 0
    text = text[:end] + more + text[end:]
    if f'"{header}"' in text:
        return text
    quoted = list(re.finditer(r'^#include "(.*)"\n', text, re.M))
    at = next((m.start() for m in quoted if m[1] > header), end)
    blank = "\n" if last and not quoted else ""
    return f'{text[:at]}{blank}#include "{header}"\n{text[at:]}'


def declare(struct, text):
    """Declare a structure in a header that uses it now."""
    known = CONTEXTS if struct == "drm_dev_ctx_ioctl" else r"_drm\.h[\">]"
    if re.search(rf"{known}|^struct {struct}\b", text, re.M):
        return text
    at = [m.end() for m in re.finditer(r"^#include .*\n", text, re.M)][-1]
    others = re.match(r"\n((?:struct \w+;\n)*)", text[at:])[1]
    new = "".join(sorted([*others.splitlines(True), f"struct {struct};\n"]))
    return f"{text[:at]}\n{new}{text[at + (len(others) + 1 if others else 0):]}"


def rename(name, to, code):
    """Rename a variable. Return the code and the number of its uses."""
    parts = re.split(r"(/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\])*\")", code, flags=re.S)
    done = [re.subn(rf"(?<![\w>.]){name}\b", to, part) for part in parts[::2]]
    parts[::2] = [text for text, _ in done]
    return "".join(parts), sum(count for _, count in done)


def typed(text, handler):
    """Give a handler its types, at its declaration and at its definition."""
    name = handler["name"]
    found = re.search(rf"^(.*\b{name}){HANDLER}(;|\n\{{\n)", text, re.M)
    if not found:
        return text
    head, drm, data, file, tail = found.groups()
    new = fill(f"{head}(", [handler["context"], f"{handler['struct']} *{handler['args']}",
                            f"struct drm_file *{file}"], ")" + tail)
    if tail == ";":
        text = text.replace(found[0], new)
        for types in (handler["context"], handler["struct"]):
            text = declare(re.search(r"struct (\w+)", types)[1], text)
        return typed(text, handler)
    end = text.index("\n}\n", found.end())
    body = text[found.end():end]
    for line in handler["drop"]:
        body = body.replace(line, "", 1)
    body, _ = rename(data, handler["args"], body)
    direct, uses = rename(drm, handler["drm"], body)
    if uses == 1 and all(len(line.expandtabs()) <= WIDTH for line in direct.splitlines()):
        body = direct
    elif uses:
        body = f"\tstruct drm_device *{drm} = {handler['drm']};\n{body}"
    before = re.sub(r"/\*\*\n(?: \*.*\n)+(?:\w.*\n)?\Z", lambda doc: re.sub(
        rf"@{drm}:.*", handler["doc"], re.sub(rf"@{data}\b", f"@{handler['args']}", doc[0])),
                    text[:found.start()])
    return typed(before + new + body.lstrip("\n") + text[end:], handler)


def uapi_arguments(headers):
    """Return the structure of each ioctl whose argument is a structure."""
    found = {}
    for path in headers:
        text = path.read_text(encoding="utf-8", errors="replace").replace("\\\n", " ")
        for name, params, body in re.findall(r"^#define (\w+)\(([^)]*)\)\s+(.*\bstruct \w*\s*##.*)$", text, re.M):
            names = re.split(r",\s*", params)
            struct = re.search(r"\bstruct ((?:\w+\s*##\s*)+\w+)", body)[1]
            for ioctl, args in re.findall(rf"\bDRM_IOCTL_(\w+)\s*=?\s+{name}\(([^)]*)\)", text):
                given = dict(zip(names, re.split(r",\s*", args)))
                found[ioctl] = "".join(given.get(w, w) for w in re.split(r"\s*##\s*", struct))
        found.update(re.findall(r"#define\s+DRM_IOCTL_(\w+)\s+DRM_IOWR?\s*\([^,]*,\s*"
                                r"struct\s+(\w+)\s*\)", text))
        found.update(re.findall(r"#define\s+DRM_IOCTL_(\w+)\s+DRM_IO(?:R|W)\s*\([^,]*,\s*"
                                r"struct\s+(\w+)\s*\)", text))
    return found


def main():
    """Convert one driver."""
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("directory", type=pathlib.Path)
    args.add_argument("--name", help="of the directory, in the diff")
    args.add_argument("--uapi", type=pathlib.Path, help="directory of uAPI headers")
    args.add_argument("--apply", action="store_true", help="change the driver")
    args.add_argument("--to", type=pathlib.Path, help="keep the converted driver there")
    args.add_argument("--row", action="store_true", help="print the report as a row of a table")
    args = args.parse_args()

    directory = args.directory.resolve()
    if directory.is_dir() and not list(directory.rglob("*.c")):
        sys.exit(f"there is no C file in {directory}")
    uapi = args.uapi or next((p / "include/uapi/drm" for p in directory.parents
                              if (p / "include/uapi/drm").is_dir()), None)
    with tempfile.TemporaryDirectory() as tmp:
        driver = Driver(directory, args.to or pathlib.Path(tmp) / (directory.name if directory.is_dir() else directory.stem),
                        sorted(uapi.glob("*.h")) if uapi else [])
        driver.convert()
        diff = driver.diff(args.name or directory.name)
        added = len(re.findall(r"^\+(?!\+\+ )", diff, re.M))
        removed = len(re.findall(r"^-(?!-- )", diff, re.M))
        left = list(driver.left())
        raw = driver.count(driver.before)
        if args.row:
            print(f"{directory.name}|{raw}|{raw - len(left)}|+{added} -{removed}")
        else:
            sys.stdout.write(diff)
            print(f"{directory.name}: {raw} raw calls, {raw - len(left)} converted, "
                  f"+{added} -{removed} lines", file=sys.stderr)
        for path, number, call, why in left:
            print(f"{path}:{number}: {call}(): {why}", file=sys.stdout if args.row else sys.stderr)
        if args.apply:
            for path, text in driver.read().items():
                if text == driver.before[path]:
                    continue
                if directory.is_dir():
                    (directory / path).write_text(text, encoding="utf-8")
                elif path.name == "Makefile":
                    find_headers(directory.parent / path)
                else:
                    (directory.parent / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
