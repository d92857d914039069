# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""What the rules beside this file know of the library and of a driver.

The tables are the one place that has the library's names. A driver's names come from
the macros that declare them, in the driver (the directory DRIVER of the environment)
or in a header that it includes.
"""
import functools
import os
import pathlib
import re

# What each macro declares for the name that it is given: kind of name, pattern.
DECLARES = {
    r"DRM_DEV_CTX(?:_NO_FILE)?": {
        "error_pointer": ["{}_dev_alloc", "{}_dev_alloc_parent"],
        "sleeps": ["{}_dev_alloc", "{}_dev_alloc_parent"],
        "proof": ["{}_unreg", "{}_reg", "{}_ioctl"],
        "section": ["{}_reg"],
        "lent": ["{}_reg"],
    },
    r"DRM_SHMEM_OBJ": {
        "error_pointer": ["{}_create", "{}_lookup"],
        "get": ["{}_lookup {}_put"],
        "sleeps": ["{}_create", "{}_put", "{}_handle_create", "{}_mmap_offset"],
        "proof": ["{}_unique"],
    },
    r"DRM_GPUVM_IMM(?:_VM_BO)?": {
        "error_pointer": ["{}_obtain", "{}_obtain_interruptible", "{}_obtain_locked"],
        "get": ["{}_obtain drm_gpuvm_imm_bo_put", "{}_obtain_interruptible drm_gpuvm_imm_bo_put",
                "{}_obtain_locked drm_gpuvm_imm_bo_put"],
        "locks": ["{}_prepare_map", "{}_prepare_map_interruptible", "{}_prepare_unmap_obj",
                  "{}_obtain", "{}_obtain_interruptible"],
        "sleeps": ["{}_prepare_map", "{}_prepare_map_interruptible", "{}_prepare_map_locked",
                   "{}_prepare_unmap_obj", "{}_obtain", "{}_obtain_interruptible",
                   "{}_obtain_locked"],
        "find": ["{}_find", "{}_find_first"],
        "run": ["{}_run"],
        "prepare": ["{}_prepare_map", "{}_prepare_map_interruptible", "{}_prepare_map_locked",
                    "{}_prepare_unmap_obj"],
        "update_data": ["{}_update_va"],
        "shared": ["{}_shared"],
    },
    r"DEFINE_DRM_VMAP(?:_IOMEM|_EITHER)?": {
        "owned": ["{}_owned"],
        "lent": ["{}"],
    },
}

# The library's own.
NAMES = {
    "error_pointer": ["drm_gpuvm_imm_obtain", "drm_gpuvm_imm_obtain_interruptible",
                      "drm_gpuvm_imm_obtain_locked"],
    "get": ["drm_gpuvm_imm_obtain drm_gpuvm_imm_bo_put",
            "drm_gpuvm_imm_obtain_interruptible drm_gpuvm_imm_bo_put",
            "drm_gpuvm_imm_obtain_locked drm_gpuvm_imm_bo_put",
            "drm_gpuvm_imm_get drm_gpuvm_imm_put"],
    "locks": ["drm_shmem_vmap_own", "drm_shmem_sgt_own", "drm_shmem_vmap_or", "drm_shmem_sgt_or",
              "drm_shmem_pin", "drm_shmem_purge", "drm_shmem_madvise", "drm_shmem_sgt_unmap",
              "drm_vmap_release", "drm_gpuvm_imm_obtain", "drm_gpuvm_imm_obtain_interruptible",
              "drm_gpuvm_prepare_map", "drm_gpuvm_prepare_map_interruptible",
              "drm_gpuvm_prepare_unmap_obj"],
    "sleeps": ["drm_shmem_vmap_own", "drm_shmem_vmap_own_locked", "drm_shmem_vmap_or",
               "drm_shmem_vmap_or_locked", "drm_shmem_sgt_own", "drm_shmem_sgt_own_locked",
               "drm_shmem_sgt_or", "drm_shmem_sgt_or_locked", "drm_shmem_sgt_release",
               "drm_shmem_sgt_resume", "drm_shmem_sgt_unmap", "drm_shmem_pin", "drm_shmem_unpin",
               "drm_shmem_purge", "drm_shmem_madvise", "drm_vmap_release",
               "drm_vmap_release_locked", "drm_vmap_from_user", "drm_vmap_to_user",
               "drm_gpuvm_imm_obtain", "drm_gpuvm_imm_obtain_interruptible",
               "drm_gpuvm_imm_obtain_locked", "drm_gpuvm_prepare_map",
               "drm_gpuvm_prepare_map_interruptible",
               "drm_gpuvm_prepare_unmap", "drm_gpuvm_prepare_unmap_obj",
               "drm_dev_ctx_register", "drm_dev_ctx_unregister"],
    "proof": ["drm_dev_bound", "drm_dev_unreg", "drm_dev_reg", "drm_gpuvm_mapped",
              "drm_gpuvm_unmapped", "drm_gpuvm_remapped", "drm_shmem_sgt"],
    "section": [],
    "lent": ["drm_dev_bound", "drm_shmem_sgt"],
    "owned": ["drm_gpuvm_update", "drm_gpuvm_core", "drm_shmem_sgt_owned"],
    "find": ["drm_gpuvm_core_find", "drm_gpuvm_core_find_first"],
    "run": ["drm_gpuvm_run"],
    "prepare": ["drm_gpuvm_prepare_map", "drm_gpuvm_prepare_map_interruptible",
                "drm_gpuvm_prepare_map_locked",
                "drm_gpuvm_prepare_map_bo", "drm_gpuvm_prepare_map_sparse",
                "drm_gpuvm_prepare_unmap", "drm_gpuvm_prepare_unmap_obj",
                "drm_gpuvm_prepare_split"],
    "update_data": ["drm_gpuvm_update_va"],
    "shared": ["drm_gpuvm_core_vm"],
    "file": [],
}

# The per-file data of a driver: the fifth argument
FILE_TYPE = re.compile(r"^[ \t]*DRM_DEV_CTX\((?:[^,;]*,){4}\s*struct (\w+)\s*\)", re.M)

# What declares a handle in a structure.
HANDLE_MACROS = ["DRM_GPUVM_CORE", "DRM_GPUVM_UPDATE"]

# Headers that stand for another one: who includes them uses that part.
PARTS = {
    "drm_dev_ctx.h": set(),
    "drm_shmem_safe.h": {"drm_shmem_obj.h", "drm_shmem_sgt.h", "drm_shmem_reclaim.h"},
    "drm_gpuvm_imm.h": set(),
}

# What frees memory; a driver's functions that call one of them with their argument do so too.
FREES = {"kfree", "kvfree", "kfree_sensitive", "vfree", "kfree_rcu", "kmem_cache_free", "put_device"}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+[<"](.*?)[>"]', re.M)


@functools.cache
def library_headers():
    """Names of the library's headers."""
    top = pathlib.Path(__file__).resolve().parents[2]
    return frozenset(path.name for path in top.glob("drm_*.h"))


@functools.cache
def read(path):
    """The text of a file."""
    return pathlib.Path(path).read_text(encoding="utf-8", errors="replace")


class Driver:
    """A directory of sources, and the headers outside of it that they include."""

    def __init__(self, directory):
        self.dir = pathlib.Path(directory).resolve()
        self.files = sorted(p for p in self.dir.rglob("*.[ch]") if p.is_file())
        self.by_name = {p.name: p for p in self.files if p.suffix == ".h"}
        self.known = {}
        texts = [read(p) for p in self.everything()]
        self.text = "\n".join(texts)
        self.names = {kind: set(names) for kind, names in NAMES.items()}
        for macro, kinds in DECLARES.items():
            for name in re.findall(rf"^[ \t]*{macro}\(\s*(\w+)", self.text, re.M):
                for kind, patterns in kinds.items():
                    self.names[kind] |= {pattern.replace("{}", name) for pattern in patterns}
        self.names["file"] |= set(FILE_TYPE.findall(self.text))

    def find(self, name, beside):
        """The file that an #include means, or None if it is not the driver's."""
        if os.path.basename(name) in library_headers():
            return None
        path = (beside.parent / name).resolve()
        return path if path.is_file() else self.by_name.get(os.path.basename(name))

    def included(self, path):
        """All files that one includes, by way of others too: (names, paths)."""
        path = pathlib.Path(path).resolve()
        if path not in self.known:
            names, paths, todo = set(), {path}, [path]
            while todo:
                beside = todo.pop()
                for name in INCLUDE.findall(read(beside)):
                    names.add(os.path.basename(name))
                    found = self.find(name, beside)
                    if found and found not in paths:
                        paths.add(found)
                        todo.append(found)
            self.known[path] = names, paths
        return self.known[path]

    def everything(self):
        """The driver's files and all that they include."""
        return sorted(set(self.files).union(*(self.included(p)[1] for p in self.files)))

    def uses(self, path, headers=None):
        """True if a file includes one of the library's headers, or of some."""
        return bool(self.included(path)[0] & (headers or library_headers()))

    def uses_library(self):
        """True if any file does."""
        return any(self.uses(path) for path in self.files)

    def structs(self):
        """The structures of the driver: tag and body."""
        return re.findall(r"^struct (\w+) \{\n(.*?)^\}", self.text, re.M | re.S)

    @functools.cached_property
    def freeing(self):
        """Functions that free what their first argument points to, and all that are known."""
        bodies = re.findall(r"\b(\w+)\(\s*[\w ]+[ *](\w+)\s*[,)][^;{}]*\n\{\n(.*?)^\}", self.text,
                            re.M | re.S)
        released = set(re.findall(r"\.release\s*=\s*(\w+)", self.text))
        found = FREES | released
        while more := {f for f, arg, body in bodies if f not in found and
                       any(g in found for g in re.findall(rf"\b(\w+)\(\s*{arg}\s*[,)]", body))}:
            found |= more
        return found, found | {f for f, _, _ in bodies}


@functools.cache
def driver():
    """The driver that the rules look at."""
    return Driver(os.environ["DRIVER"])


def names(kind):
    """All names of a kind; those of "get" with what they are put with."""
    return driver().names[kind]


@functools.cache
def puts():
    """What gives back the result of each function that gets something."""
    return dict(pair.split() for pair in names("get"))


def frees(function):
    """True if it frees its first argument; of one without a body, the name tells."""
    found, known = driver().freeing
    return function in found or function not in known and \
        function.endswith(("_free", "_destroy", "_release"))


def tag(declaration):
    """The structure's tag of a type, or nothing if it is a pointer or no structure."""
    found = re.fullmatch(r"(?:const )?struct (\w+)(?: const)?", declaration.strip())
    return found[1] if found else ""


def is_struct(declaration, kind):
    """True for a structure of a kind, not for a pointer to one."""
    return tag(declaration) in names(kind)
