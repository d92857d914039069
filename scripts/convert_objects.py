# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""For convert.py: turn a driver's objects into objects of a type of the library."""
import re

from convert_embedded import EMBEDDED, Embedded, Stays, drop_function
from convert_text import CALL, aligned, edit_functions, fill, functions, tidy, typed_lookups, without_comments

# The driver's struct drm_driver, with the comment in front of it
OPS = re.compile(r"(?:^/\*(?:[^*]|\*(?!/))*\*/\n)?^static (?:const )?struct drm_driver \w+ = \{\n"
                 r"(?:[^}\n].*\n|\n)*?\tDRM_GEM_SHMEM_DRIVER_OPS,\n", re.M)

# What the library's macros for a struct drm_driver set
MEMBERS = "show_fdinfo|gem_prime_import|gem_prime_import_sg_table|dumb_create|dumb_map_offset"
IMPORTS = {
    ("drm_shmem_prime_import_no_map", None): "",
    ("drm_shmem_prime_import", "drm_shmem_prime_import_sg_table"): "_SGT",
}
DUMB = ("drm_shmem_dumb_create", "drm_shmem_dumb_map_offset")
DRIVER_OPS = re.compile(r"^(?P<head>(?:static )?(?:const )?struct drm_driver \w+ = \{\n)(?P<entries>(?:[^}\n].*\n|\n)*?)\};\n", re.M)
# File operations that are those of the core, and fdinfo
FILE_OPS = re.compile(r"^static const struct file_operations (\w+) = \{\n"
                      r"(?=(?:.*\n){3}\};)(?=(?:\t.*\n)*\t\.owner\s*= THIS_MODULE,\n)(?=(?:\t.*\n)*\tDRM_GEM_FOPS,\n)"
                      r"(?=(?:\t.*\n)*\t\.show_fdinfo\s*= drm_show_fdinfo,\n)(?:.*\n){3}\};\n", re.M)


def explicit(entries):
    """With all members that DRM_SHMEM_DRIVER_OPS sets, if the driver sets one of them otherwise."""
    macro = "\tDRM_SHMEM_DRIVER_OPS,\n"
    own = re.findall(rf"^\t\.({MEMBERS})\s*=", entries, re.M)
    members = {"show_fdinfo": "drm_shmem_show_fdinfo", "gem_prime_import": "drm_shmem_prime_import_no_map",
               **dict(zip(("dumb_create", "dumb_map_offset"), DUMB))}
    if macro not in entries or not own:
        return entries
    lines = {m: f"{aligned(entries, m)}{f},\n" for m, f in members.items() if m not in own}
    if "dumb_create" in own and "dumb_map_offset" in lines:
        offset = lines.pop("dumb_map_offset")
        entries = re.sub(r"^\t\.dumb_create\b.*\n", lambda m: m[0] + offset, entries, flags=re.M)
    return entries.replace(macro, "".join(lines.values()))


def use_ops(driver):
    """Write the library's macro for members of a struct drm_driver if all of them are as the macro has them."""
    for f in [f for text in driver.read().values() for f in functions(text)]:
        only = re.fullmatch(r"\treturn (drm_shmem_prime_import\w*)\((\w+), (\w+)\);\n", f["body"])
        if only and re.fullmatch(rf"\(struct drm_device \*{only[2]},\s*struct dma_buf \*{only[3]}\)", f["params"]):
            driver.edit(lambda text, f=f, only=only: re.sub(rf"\b{f['name']}\b", only[1], drop_function(text, f["name"])))
    code = without_comments(driver.text())
    shows = [f["name"] for text in driver.read().values() for f in functions(text)
             if "drm_shmem_show_fdinfo(" in without_comments(f["body"])]
    # A driver that shows nothing of its own, and whose files are asked for it, would show more.
    asked = re.search(r"\bdrm_show_fdinfo\b|\bDRM_SHMEM_FOPS\b|\bDEFINE_DRM_SHMEM_FOPS\b", code)

    def ops(match):
        # The member is there without procfs, too.
        entries = re.sub(r"^#ifdef CONFIG_PROC_FS\n(\t\.show_fdinfo\b.*\n)#endif\n", r"\1", explicit(match["entries"]), flags=re.M)
        plain = re.sub(r"^#if.*\n(?:.*\n)*?#endif.*\n", "", entries, flags=re.M)
        found = dict(re.findall(rf"^\t\.({MEMBERS})\s*= (\w+),\n", plain, re.M))
        if len(re.findall(rf"\.(?:{MEMBERS})\b", without_comments(entries))) != len(found) \
                or re.search(rf"\*/\n\t\.(?:{MEMBERS})\b", entries):
            return match[0]     # one has a condition, or a comment
        kind = IMPORTS.get((found.get("gem_prime_import"), found.get("gem_prime_import_sg_table")))
        show = found.get("show_fdinfo", None if asked else "drm_shmem_show_fdinfo")
        if kind is None or show not in ("drm_shmem_show_fdinfo", *shows):
            return match[0]
        dumb = (found.get("dumb_create"), found.get("dumb_map_offset")) == DUMB
        macro = f"DRM_SHMEM_{'DRIVER' if dumb else 'RENDER'}_OPS{kind}"
        macro += "" if show == "drm_shmem_show_fdinfo" else f"_FDINFO({show})"
        gone = "show_fdinfo|gem_prime_import_sg_table" + ("|dumb_create|dumb_map_offset" if dumb else "")
        new = re.sub(r"^\t\.gem_prime_import\s*= .*\n", f"\t{macro},\n", entries, flags=re.M)
        new = re.sub(rf"^\t\.(?:{gone})\s*= .*\n", "", new, flags=re.M)
        return f"{match['head']}{tidy(new)}}};\n"

    def change(text):
        new = DRIVER_OPS.sub(ops, text)
        return FILE_OPS.sub(r"DEFINE_DRM_SHMEM_FOPS(\1);\n", new) if re.search(r"^\tDRM_SHMEM_\w+_OPS", new, re.M) else text

    driver.edit(change)


def prepare(driver):
    """Expand a driver's macros and helpers for an embedded object."""
    driver.edit(plain_ops)
    found = list(EMBEDDED.finditer(without_comments(driver.text())))
    if len(found) != 1:
        return
    tag, member = found[0]["tag"], found[0]["member"]
    # Only take macros from the file with the structure. A device may have a member of the same
    # name.
    beside = next(t for t in driver.read().values() if EMBEDDED.search(without_comments(t)))
    macros = re.findall(r"^#define (\w+)\((\w+)\)(?:\s|\\\n)+(.*)\n", beside, re.M)
    for name, arg, body in macros:
        arg = rf"\(?{arg}\)?"
        if re.fullmatch(rf"container_of(?:_const)?\({arg}, struct {tag}, {member}\.base\)", body):
            driver.edit(lambda text, name=name: downcast(text, name, tag, body=f"container_of(gem, struct {tag}, {member}.base)"))
    down = downcasts(driver.text(), tag)
    for name, arg, body in macros:
        up = re.fullmatch(rf"\(?&\({arg}\)->({member}(?:\.base)?)\)?", body)
        if up:
            driver.edit(lambda text, name=name, up=up: plain_member(text, name, up[1]))
        elif down and re.fullmatch(rf"container_of(?:_const)?\(\(?{arg}\)?, struct {tag}, {member}\)", body):
            driver.edit(lambda text, name=name: without_macro(re.sub(
                rf"(?<!define )\b{name}\((\w+)\)", rf"{down[0]}(&\1->base)", text), name))
    driver.edit(lambda text: re.sub(r"(\(struct drm_gem_object \*gem\)\n\{\n[^}]*\}\n)(?=\S)", r"\1\n", text))
    for f in [f for text in driver.read().values() for f in functions(text)]:
        only = re.fullmatch(rf"\treturn drm_gem_shmem_get_pages_sgt\(&(\w+)->{member}\);\n", f["body"])
        if only and re.fullmatch(rf"\(struct {tag} \*{only[1]}\)", f["params"]):
            driver.edit(lambda text, name=f["name"]: re.sub(
                rf"\b{name}\(([\w>-]+)\);", rf"drm_gem_shmem_get_pages_sgt(&\1->{member});", drop_function(text, name)))


def plain_ops(text):
    """What a driver sets of the core's macro for plain objects becomes that macro."""
    def ops(match):
        entries = match["entries"]
        if re.search(r"^\tDRM_GEM_SHMEM_DRIVER_OPS|^\t\.gem_prime_import_sg_table\b", entries, re.M):
            return match[0]
        entries = re.sub(r"^\t\.gem_prime_import\s*= drm_gem_shmem_prime_import_no_map,\n", "\tDRM_GEM_SHMEM_DRIVER_OPS,\n",
                         entries, flags=re.M)
        entries = re.sub(r"^\t\.dumb_create\s*= drm_gem_shmem_dumb_create,\n", "", entries, flags=re.M)
        return f"{match['head']}{entries}}};\n"

    return DRIVER_OPS.sub(ops, text)


def with_handle(text, name):
    """A plain object that the driver makes with a handle, in a function that returns the result"""
    call = re.compile(rf"^\treturn drm_gem_shmem_create_with_handle\((\w+), ([^,;]+), ([^;]+), ([^,;]+)\);\n", re.M)

    def make(match):
        file, drm, size, handle = match.groups()
        return (f"\tnew = drm_shmem_create(&{name}_type, {drm}, {size}, NULL);\n\tif (IS_ERR(new))\n\t\treturn PTR_ERR(new);\n"
                f"\tbo = drm_shmem_publish(&{name}_type, &new);\n\n"
                f"\treturn drm_shmem_handle_create(&bo->obj, {file}, {handle});\n")

    def change(head, _, __, body):
        if len(call.findall(body)) != 1 or re.search(r"\b(?:new|bo|goto)\b", without_comments(body)):
            return None
        return head, (f"\tstruct {name}_unique *new __free(drm_shmem) = NULL;\n\tstruct {name} *bo __free(drm_shmem) = NULL;\n"
                      + call.sub(make, body))

    return edit_functions(text, change)


def read_only_tables(driver):
    """Make parameters const if a function only reads a table, because a borrowed table is const."""
    names, done = {}, None
    while names != done:
        done = dict(names)
        for f in [f for text in driver.read().values() for f in functions(text)]:
            param = re.search(r"[(,]\s*(const )?struct sg_table \*(\w+)\b", f["params"])
            if not param:
                continue
            if re.search(rf"[=,(]\s*&?{f['name']}\s*[,;)]", without_comments(driver.text())):
                continue  # The type of a callback must not change.
            sgt, body = param[2], without_comments(f["body"])
            body = re.sub(rf"\bfor_each_sgtable_\w+\({sgt},|\b{sgt}->(?!\w+\s*=[^=])", "", body)
            if param[1] or not re.search(rf"\b{sgt}\b", body):
                names[f["name"]] = sgt
    for name, sgt in names.items():
        driver.edit(lambda text, name=name, sgt=sgt: re.sub(
            rf"(^\w[^;{{}}()]*\b{name}\([^;{{}}()]*?)(?<!const )(struct sg_table \*)", r"\1const \2", text, flags=re.M))


def downcasts(text, tag):
    """Return the names of the driver's downcasts from a GEM object to its structure."""
    return [f["name"] for f in functions(text)
            if re.search(rf"\bstruct\s+{tag}\s*\*\s*\w+\(struct drm_gem_object \*\w+\)\Z", f["head"])
            and re.fullmatch(r"\treturn [^;]*;\n", f["body"])]


def downcast(text, name, tag, body):
    """Replace a macro by a function, which has a type."""
    return re.sub(rf"^#define {name}\(.*\n(?:.*container_of.*\n)?", f"static inline struct {tag} *{name}(struct drm_gem_object *gem)\n"
                  f"{{\n\treturn {body};\n}}\n", text, flags=re.M)


def without_macro(text, name):
    """Drop the definition of a macro."""
    return re.sub(rf"^#define {name}\((?:.*\\\n)*.*\n\n?", "", text, flags=re.M)


def plain_member(text, name, path):
    """Expand a macro that stands for a member."""
    text = without_macro(text, name)
    text = re.sub(rf"\b{name}(?!\(\))({CALL})->", lambda m: f"{m[1][1:-1]}->{path}.", text)
    return re.sub(rf"\b{name}(?!\(\))({CALL})", lambda m: f"&{m[1][1:-1]}->{path}", text)


class Objects:
    """The GEM shmem objects of a driver."""

    def __init__(self, driver):
        self.driver = driver
        self.prefix = driver.prefix

    def convert(self):
        """Convert the objects, or note the reason against it."""
        if re.search(r"\bDRM_GEM_SHMEM_DRIVER_OPS\b", without_comments(self.driver.text())):
            texts = {path: path.read_text(encoding="utf-8") for path in self.driver.files()}
            several = len([text for text in texts.values() if OPS.search(text)]) > 1
            for path, text in texts.items():
                new = self.plain(text, path.stem if several else self.prefix)
                if new != text:
                    path.write_text(new, encoding="utf-8")
            self.lookups()
        try:
            embedded = Embedded(self.driver)
            self.driver.mixed = embedded.mixed
            embedded.convert()
        except Stays as why:
            self.driver.objects = why.args[0]

    def plain(self, text, prefix):
        """Define a type for the dumb buffers and imports of a driver that adds no data to them."""
        ops = OPS.search(text)
        if not ops or f"{prefix}_bo_type" in text:
            return text
        name, init = f"{prefix}_bo", None
        made = re.search(r"^\t\.gem_create_object\s*= (\w+),\n", text, re.M)
        if made:
            init = self.only_sets(text, made[1])
            if init is None:
                return text
        create = made[1] if made else f"{prefix}_gem_create_object"
        text = edit_functions(text, lambda _, f, __, ___: ("", "\0") if made and f == create else None).replace("\n{\n\0}\n", "")
        new = self.declared(name)
        if init:
            new += f"static int {name}_init(struct drm_shmem_obj *obj)\n{{\n{init}\n\treturn 0;\n}}\n\n"
        new += (f"const struct {name}_type {name}_type = {{\n\tDRM_SHMEM_OBJ_FUNCS,\n"
                + (f"\t.base.init = {name}_init,\n" if init else "") + "};\n\n"
                + fill(f"static struct drm_gem_object *{create}(", ["struct drm_device *drm", "size_t size"], ")\n") + "{\n"
                f"\treturn drm_shmem_gem_create_object(&{name}_type);\n}}\n\n")
        ops = OPS.search(text)
        head = ops[0].replace("\tDRM_GEM_SHMEM_DRIVER_OPS,\n", "\tDRM_SHMEM_DRIVER_OPS,\n"
                              + ("" if made else f"{aligned(self.entries(text, ops), 'gem_create_object')}{create},\n"))
        text = f"{text[:ops.start()]}{head}{text[ops.end():]}"
        # Before each function that makes such an object
        after = with_handle(text, name)
        users = [f.start() for f in functions(after) if f"&{name}_type" in f["body"]]
        at = min([ops.start(), *users])
        at -= len(re.search(r"(?:^/\*(?:[^*]|\*(?!/))*\*/\n)?\Z", after[:at], re.M)[0]) if at != ops.start() else 0
        return f"{after[:at].rstrip()}\n\n{new}{after[at:]}"

    @staticmethod
    def declared(name):
        """A structure of the driver's that has nothing but the library's object, and its type."""
        return (f"struct {name} {{\n\tstruct drm_shmem_obj obj;\n}};\n\n"
                + fill("DRM_SHMEM_OBJ_TYPE(", [f"{name}_type", f"struct {name}", "obj", f"struct {name}_unique"], ");\n\n"))

    @staticmethod
    def entries(text, ops):
        """All that a struct drm_driver sets."""
        return text[ops.start():text.index("\n};\n", ops.start())]

    def lookups(self):
        """Look up handles as objects of the type. Declare the type in a header if several files
        need it."""
        name = f"{self.prefix}_bo"
        declared = self.declared(name)
        texts = self.driver.read()
        source = next((p for p, t in texts.items() if declared in t), None)
        users = [p for p, t in texts.items() if "drm_gem_object_lookup(" in without_comments(t)]
        headers = [p for p, t in texts.items() if p.suffix == ".h" and "#endif" in t and not p.name.endswith("_drm.h")
                   and all(f'#include "{p.name}"' in texts[user] for user in {source, *users})] if source else []
        if not source or not users or not (headers or users == [source]):
            return
        self.driver.edit(lambda text: edit_functions(text, lambda head, _, __, body: (
            head, typed_lookups(body, f"{name}_type", name, "obj")) if "drm_gem_object_lookup(" in body else None))
        self.driver.edit(lambda text: text.replace(declared, "", 1))
        path = self.driver.top / (headers[0] if headers else source)
        text = path.read_text(encoding="utf-8")
        if headers:
            at = text.rindex("#endif")
        else:
            at = [m.end() for m in re.finditer(r"^#include .*\n\n?", text, re.M)][-1]
        path.write_text(f"{text[:at]}{declared}{text[at:]}", encoding="utf-8")

    @staticmethod
    def only_sets(text, create):
        """Return the statements with which a gem_create_object sets members of an object, or None
        if it does more."""
        body = next((f["body"] for f in functions(text) if f["name"] == create), "")
        known = re.fullmatch(r"\tstruct drm_gem_shmem_object \*(\w+);\n\n\t\1 = kzalloc_obj\(\*\1\);\n\tif \(!\1\)\n"
                             r"\t\treturn ERR_PTR\(-ENOMEM\);\n(?P<sets>(?:.*\n)*?)\treturn &\1->base;\n", body)
        if not known:
            return None
        return re.sub(rf"\b{known[1]}->", "obj->base.", known["sets"]).strip("\n")
