# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""For convert.py: turn a driver's objects into objects of a type of the library."""
import re

from convert_embedded import EMBEDDED, Embedded, Stays, drop_function
from convert_text import CALL, edit_functions, functions, typed_lookups, without_comments

# The driver's struct drm_driver, with the comment in front of it
OPS = re.compile(r"(?:^/\*(?:[^*]|\*(?!/))*\*/\n)?^static (?:const )?struct drm_driver \w+ = \{\n"
                 r"(?:[^}\n].*\n|\n)*?\tDRM_GEM_SHMEM_DRIVER_OPS,\n", re.M)


def prepare(driver):
    """Expand a driver's macros and helpers for an embedded object."""
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
        new = (f"struct {name} {{\n\tstruct drm_shmem_obj obj;\n}};\n\n"
               f"DRM_SHMEM_OBJ_TYPE({name}_type, struct {name}, obj, struct {name}_unique);\n\n")
        if init:
            new += f"static int {name}_init(struct drm_shmem_obj *obj)\n{{\n{init}\n\treturn 0;\n}}\n\n"
        new += (f"const struct {name}_type {name}_type = {{\n\tDRM_SHMEM_OBJ_FUNCS,\n"
                + (f"\t.base.init = {name}_init,\n" if init else "") + "};\n\n"
                f"static struct drm_gem_object *{create}(struct drm_device *drm, size_t size)\n{{\n"
                f"\treturn drm_shmem_gem_create_object(&{name}_type);\n}}\n\n")
        ops = OPS.search(text)
        head = ops[0].replace("\tDRM_GEM_SHMEM_DRIVER_OPS,\n", "\tDRM_SHMEM_DRIVER_OPS,\n"
                              + ("" if made else f"\t.gem_create_object = {create},\n"))
        return f"{text[:ops.start()].rstrip()}\n\n{new}{head}{text[ops.end():]}"

    def lookups(self):
        """Look up handles as objects of the type. Declare the type in a header if several files
        need it."""
        name = f"{self.prefix}_bo"
        declared = (f"struct {name} {{\n\tstruct drm_shmem_obj obj;\n}};\n\n"
                    f"DRM_SHMEM_OBJ_TYPE({name}_type, struct {name}, obj, struct {name}_unique);\n\n")
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
