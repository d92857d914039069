#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""layers.py FILE...: print each line that uses internals of the DRM core, or of a higher layer.

Only drm_safe_core.h may use internals of the core. A line that only reads a member that drivers may
read, such as &drm_gem_shmem_object.pages, is not printed. Calls within the shmem part must go in
one direction, too: see ORDER.

layers.py --core FILE: print each function of drm_safe_core.h that has no semantic patch of the
core, or whose comment does not name the patch.
layers.py --test: check that each planted line and function is found.
"""
import pathlib
import re
import sys

# The patterns, and a line that each must find
RULES = {
    r"drm(->|\.)(managed|registered|unplugged|client_sysrq_list|open_count|filelist\w*)\b":
        "if (ctx->drm.registered)",
    r"(->|\.)(final_kfree|anon_inode)\b": "mapping = gem->dev->anon_inode->i_mapping;",
    r"(->|\.)(pages_(use|pin)_count|vmap_use_count)\b": "refcount_read(&shmem->pages_pin_count);",
    r"\b(base|shmem)(->|\.)(sgt|vaddr)\b": "sgt = obj->base.sgt;",
    r"\b(base|shmem)(->|\.)(madv|pages)\s*=[^=]": "shmem->madv = -1;",
    r"(->|\.)(_resv|handle_count|vm_node|lru_node)\b": "gem->resv = &gem->_resv;",
    r"\bgem(->|\.)(lru|name)\b": "return gem->lru;",
    r"\blist\.(gpuva|entry)\b": "list_empty(&vm_bo->list.entry.extobj);",
    r"\bgem\.entry\b": "list_next_entry(va, gem.entry);",
    r"\brb\.(entry|node|tree|list)\b": "list_add(&va->rb.entry, removed);",
    r"(->|\.)(bo_defer|kernel_alloc_node)\b": "va == &vm->base.kernel_alloc_node",
    r"(->|\.)(extobj|evict)\.(list|lock|local_list)\b": "spin_lock(&gpuvm->extobj.lock);",
    r"(->|\.)k?ref(count)?\.refcount\b": "refcount_dec(&vm->base.kref.refcount);",
    r"\bkref_\w+\(&?[\w.>()-]*(gem|obj|base)[\w.>()-]*(->|\.)(kref|refcount)": "kref_put(&gem->refcount, fn);",
    r"&gem(->|\.)refcount\b": "drm_gem_object_free(&gem->refcount);",
    r"(->|\.)(vmapping_counter|vmap_ptr)\b": "dma_buf->vmapping_counter = 0;",
    r"(->|\.)(lock\.base|wait_lock|dep_map|lockdep_map)\b": "might_lock(&resv->lock.base);",
    # A header for drivers must not redefine names of the kernel.
    r"^#\s*(define|undef)\s+(IS_ERR\w*|dma_(resv|fence|buf)_\w+|mutex_\w+|copy_(to|from)_user)\b":
        "#define dma_resv_lock(_resv, _ticket) 0",
    r"^(\w[\w *]*[ *])(mutex_(un)?lock(_nested)?|queue_work_on|warn_slowpath_fmt|drm_dev_(enter|exit|unplug)"
    r"|drm_gem_(un)?lock|drm_gpuva_(insert|remove|(un)?link\w*|remap|unmap|find_first)"
    r"|drm_gpuvm_(put|sm_\w+|bo_put_deferred)|dma_\w+)\((?!\)).*(;|[^{]\n)":
        "void mutex_unlock(struct mutex *lock) __drm_nonallocating;",
}

# Names that files with such a prefix must not use. Device contexts are below objects. Objects and
# address spaces do not use each other.
ABOVE = {
    "drm_dev_ctx": r"\b_*drm_(shmem|gem_sgt|gem_table|gem_exports|gpuvm_imm)\w*\(",
    "drm_shmem": r"\b_*drm_gpuvm_imm\w*",
    "drm_gem": r"\b_*drm_(gpuvm_imm\w*|shmem\w*\(|shmem_internal)",
    "drm_gpuvm": r"\b_*drm_shmem\w*",
}

# The order of the patches of the shmem part. Only files in the same row and in the rows below may
# use the functions of a file.
ORDER = [
    "drm_gem_table drm_gem_exports drm_shmem_device drm_shmem_work drm_shmem_wait drm_shmem_lru drm_shmem_pages",
    "drm_shmem_vmap",
    "drm_gem_sgt drm_shmem_sgt drm_shmem_follow",
    "drm_shmem_sync drm_shmem_exports drm_shmem_mmap drm_shmem_reclaim drm_shmem_shrinker",
    "drm_shmem_obj drm_shmem_objs drm_shmem_prime drm_shmem_ends drm_shmem_list",
]
FUNCTION = r"^(?:[a-z][\w ]*[ *]+\n?)(\w+)\((?:[^;{}()]|\([^()]*\))*\)[^;{}()]*(?:\([^()]*\)[^;{}()]*)*\n\{"


def code(text):
    """The text without comments and strings, line by line."""
    def blank(match):
        return re.sub(r"[^\n]+", " ", match[0])

    return re.sub(r'/\*.*?\*/|//[^\n]*|"(\\.|[^"\\])*"', blank, text, flags=re.S)


def findings(name, text):
    above = [rule for part, rule in ABOVE.items() if name.startswith(part)]
    for number, line in enumerate(code(text).splitlines(keepends=True), 1):
        for rule in [*RULES, *above]:
            if re.search(rule, line):
                yield number, line.strip()
                break


def upward(texts):
    """Yield the lines that use a function of a row below. @texts has the text of each file by
    name."""
    row = {f"{name}.c": n for n, names in enumerate(ORDER) for name in names.split()}
    # A tracepoint can have the name of a function.
    texts = {name: re.sub(r"EXPORT_TRACEPOINT_SYMBOL_GPL\(\w+\)", "", code(text))
             for name, text in texts.items() if name in row}
    defined = {function: name for name, text in texts.items()
               for function in re.findall(FUNCTION, re.sub(r"^static\b.*", "", text, flags=re.M), re.M)}
    for name, text in texts.items():
        for number, line in enumerate(text.splitlines(), 1):
            for word in re.findall(r"\w+", line):
                if row[defined.get(word, name)] > row[name]:
                    yield name, number, f"{line.strip()}: a function of {defined[word]}"


def changes():
    """Return the semantic patch for each macro by which the library sees a change of the core."""
    core = pathlib.Path(__file__).resolve().parent / "coccinelle/core"
    return {mark: path.name for path in core.glob("*.cocci")
            for mark in re.findall(r'^(?:\+#define |coccinelle\.\w+ = cocci\.make_ident\(""")(\w+)',
                                   path.read_text(encoding="utf-8"), re.M)}


def unexplained(text):
    """Yield functions and macros that belong to no semantic patch, or whose comment does not name
    it."""
    marks, blocks, comment, named, last = changes(), [], "", 0, None
    for item in re.finditer(r"^#if(?P<kind>n?def)? *(?P<mark>\w+)|^#(?P<part>else|endif)|"
                            r"^(?P<comment>/\*.*?\*/)$|^static inline [^;{]*?(?P<name>\w+)\(|"
                            r"^#define (?P<macro>\w+)[(\s]+", text, re.M | re.S):
        found = {key: value for key, value in item.groupdict().items() if value}
        if "comment" in found:
            comment, named = found["comment"], 0
        elif "mark" in found:
            # A core with the change compiles the text behind a "+".
            known = found["mark"] in marks
            blocks.append(("+" if found.get("kind") == "def" else "") + found["mark"] if known else "")
            comment = "" if known else comment
        elif found.get("part") == "else" and blocks[-1]:
            blocks[-1] = blocks[-1][1:] if blocks[-1][0] == "+" else "+" + blocks[-1]
        elif found.get("part") == "endif":
            blocks.pop()
        elif name := found.get("name") or found.get("macro"):
            named, again, last = named + 1, name == last, name
            mark = next((block for block in reversed(blocks) if block), "")
            words = r"\bGo(es)?\b" if named == 1 else r"\bGoes with"
            if again or mark.startswith("+") or name.startswith("_DRM_SAFE"):
                continue
            if not mark and re.search(r"\bStays here: \w", comment):
                continue
            if not mark:
                yield f"{name}: no semantic patch of the core makes it unnecessary"
            elif not re.search(words + r"|[Bb]oth\b.*\bgo\b|with which it goes", comment, re.S):
                yield f"{name}: which change of the core makes it unnecessary?"
            elif marks[mark] not in comment and "with which it goes" not in comment:
                yield f"{name}: the comment does not name {marks[mark]}"


def main():
    if sys.argv[1:2] == ["--core"]:
        with open(sys.argv[2], encoding="utf-8") as file:
            text = file.read()
        lines = list(unexplained(text))
        if "static inline" not in text:
            lines.append("there is no function to look at")
        print(*lines, sep="\n", end="\n" if lines else "")
        sys.exit(bool(lines))
    if sys.argv[1:] == ["--test"]:
        missed = [line for rule, line in RULES.items() if not re.search(rule, code(line + "\n"))]
        missed += [line for line in RULES.values() if list(findings("", f"/* {line} */\n"))]
        for name, line in (("drm_dev_ctx.c", "__drm_shmem_record(ctx);"), ("drm_gpuvm_imm.h", "drm_shmem_size(obj)"),
                           ("drm_shmem_obj.c", "struct drm_gpuvm_imm *vm;"), ("drm_gem_sgt.c", "drm_gpuvm_imm_put(vm);")):
            missed += [] if list(findings(name, line)) else [line]
        wrong = {"drm_shmem_sgt.c": "static void f(void)\n{\n\tdrm_g();\n}\n",
                 "drm_shmem_obj.c": "int drm_g(int (*f)(void))\n\t__must_hold(a)\n{\n}\n"}
        missed += [] if len(list(upward(wrong))) == 1 else ["drm_g() of a part above"]
        missed += [] if not list(upward({"drm_shmem_obj.c": wrong["drm_shmem_sgt.c"],
                                         "drm_shmem_sgt.c": wrong["drm_shmem_obj.c"]})) else ["drm_g() of a part below"]
        mark, file = sorted(changes().items())[0]
        function = "static inline int drm_f(void)\n{\n}\n"
        goes = f"/* Goes with {file}. */\n{function}"
        other = function.replace("drm_f", "drm_g")
        for wrong, text in ((1, function), (1, goes), (1, f"#ifdef CONFIG_X\n{goes}#endif\n"),
                            (1, f"#ifndef {mark}\n{function}#endif\n"),
                            (1, f"#ifndef {mark}\n/* {file} has it. */\n{function}#endif\n"),
                            (1, f"#ifndef {mark}\n/* Goes soon. */\n{function}#endif\n"),
                            (0, f"#ifndef {mark}\n{goes}#endif\n"),
                            (0, f"#ifdef {mark}\n{function}#else\n{goes}#endif\n"),
                            (1, f"#ifndef {mark}\n{goes}#else\n{function}#endif\n{other}"),
                            (0, f"#ifndef {mark}\n{goes}#ifdef CONFIG_X\n{goes}#endif\n{goes}#endif\n"),
                            (0, f"/* Stays here: it is a leak. */\n{function}"), (1, f"/* Stays here. */\n{function}"),
                            (1, f"#ifndef {mark}\n/* {file}. Goes soon. */\n{function}{other}#endif\n")):
            if len(list(unexplained(text))) != wrong:
                missed.append(text)
        print("\n".join(missed), end="")
        sys.exit(bool(missed))
    if not sys.argv[1:]:
        sys.exit("there is nothing to check")
    texts = {name: pathlib.Path(name).read_text(encoding="utf-8") for name in sys.argv[1:]}
    found = [(name, *line) for name, text in texts.items() for line in findings(pathlib.Path(name).name, text)]
    found += upward({pathlib.Path(name).name: text for name, text in texts.items()})
    for name, number, line in found:
        print(f"{name}:{number}: {line}")
    sys.exit(bool(found))


main()
