# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Objects of a driver become objects of a type of the library, for convert.py."""
import re

from convert_embedded import Embedded, Stays
from convert_text import edit_functions, functions, without_comments

# The driver's functions, with the comment in front of them
OPS = re.compile(r"(?:^/\*(?:[^*]|\*(?!/))*\*/\n)?^static (?:const )?struct drm_driver \w+ = \{\n"
                 r"(?:[^}\n].*\n|\n)*?\tDRM_GEM_SHMEM_DRIVER_OPS,\n", re.M)


class Objects:
    """The GEM shmem objects of a driver."""

    def __init__(self, driver):
        self.driver = driver
        self.prefix = driver.prefix

    def convert(self):
        """All kinds that are known."""
        if re.search(r"\bDRM_GEM_SHMEM_DRIVER_OPS\b", without_comments(self.driver.text())):
            self.driver.edit(self.plain)
        try:
            Embedded(self.driver).convert()
        except Stays as why:
            self.driver.objects = why.args[0]

    def plain(self, text):
        """Dumb buffers and imports without anything of the driver's in them get a type."""
        ops = OPS.search(text)
        if not ops or f"{self.prefix}_bo_type" in text:
            return text
        name, init = f"{self.prefix}_bo", None
        made = re.search(r"^\t\.gem_create_object\s*= (\w+),\n", text, re.M)
        if made:
            init = self.only_sets(text, made[1])
            if init is None:
                return text
        create = made[1] if made else f"{self.prefix}_gem_create_object"
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

    @staticmethod
    def only_sets(text, create):
        """What a gem_create_object sets in a plain object, as statements; None if it does more."""
        body = next((f["body"] for f in functions(text) if f["name"] == create), "")
        known = re.fullmatch(r"\tstruct drm_gem_shmem_object \*(\w+);\n\n\t\1 = kzalloc_obj\(\*\1\);\n\tif \(!\1\)\n"
                             r"\t\treturn ERR_PTR\(-ENOMEM\);\n(?P<sets>(?:.*\n)*?)\treturn &\1->base;\n", body)
        if not known:
            return None
        return re.sub(rf"\b{known[1]}->", "obj->base.", known["sets"]).strip("\n")
