#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Compare the names in the rules of scripts/coccinelle with names in the kernel and the library.

- Each function of the kernel that a rule names is declared by its headers.
- Each function of WRAPPED headers is in the rule "raw", or on the list of functions that a driver
  may call. For other headers, this holds for the functions that the library calls.
- Each function of the kernel's headers that ends a wait is known to the rule "completers".
- Each exported function with kernel-doc says what context it may be called from.
- Each scope of the library is known to the rules that look for scopes, and to spatch.
- Each function by which drm_dev_ctx_sleepers.c knows a task is in the kernel or in the library.
"""
import argparse
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parents[1]
RULES = TOP / "scripts/coccinelle"
sys.path.insert(0, str(RULES))

import drm_safe_names as names  # pylint: disable=wrong-import-position
from drm_safe_source import arguments, kernel_doc, library  # pylint: disable=wrong-import-position

# Headers whose functions are all wrapped, or may be called
WRAPPED = ["drm/drm_drv.h", "drm/drm_gem_shmem_helper.h", "drm/drm_gpuvm.h"]

# The headers with functions that end a wait, and a pattern for these functions
WAKING = ["linux/completion.h", "linux/wait.h", "linux/wait_bit.h", "linux/swait.h",
          "linux/rcuwait.h", "linux/semaphore.h", "linux/sched.h", "linux/sched/wake_q.h",
          "linux/kthread.h", "linux/dma-fence.h", "linux/eventfd.h", "drm/drm_syncobj.h",
          "drm/drm_file.h", "drm/drm_vblank.h", "drm/drm_writeback.h", "drm/gpu_scheduler.h"]
WAKES = re.compile(r"(?:^|_)wake_?up|_wake$|^complete(?!_acquire|_release)|_signal(?:l?ed|l?ing)?(?:_|$)"
                   r"|_send_event|handle_vblank|(?:send|arm)_vblank|syncobj_(?:replace|add)")


def declared(path):
    """The functions and function-like macros of a header."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", " ", path.read_text(encoding="utf-8"), flags=re.S)
    found = set(re.findall(r"^#[ \t]*define[ \t]+(\w+)\(", text, re.M))
    text = re.sub(r"^#(?:\\\n|[^\n])*", "", text, flags=re.M)
    # Find declarations and heads of inline functions, but not calls in a body.
    for name in re.finditer(r"^(?!return|else|goto|case)(?:\w[\w \t*]*[ \t\n*])(\w+)\(", text, re.M):
        _, end = arguments(text, name.end())
        if re.match(r"[^;{}=]*[;{]", text[end:end + 400]):
            found.add(name[1])
    return found


def check_raw(headers, series, more):
    """Yield the problems of the rule "raw"."""
    named, other = {}, set()
    for part in (*names.RAW.values(), names.RAW_ALLOWED):
        for header, text in part.items():
            for name, _, only in (word.partition("@") for word in text.split()):
                named.setdefault(header, set()).add(name)
                other |= {name} if only not in ("", series) else set()
    for name in more:
        named["drm/drm_gem.h"].add(name)
    for header, known in sorted(named.items()):
        there = headers(header)
        for name in sorted(known - there - other):
            yield f"{header} declares no {name}()"
        prefixed = {name for name in there if re.match(r"(?:__)?(?:devm_|drm|dma_buf|to_drm|video)", name)}
        missing = prefixed - known
        if header not in WRAPPED:
            missing &= {name for name in prefixed if re.search(rf"\b{name}\(", library().code)}
        for name in sorted(missing):
            yield f"the library wraps {name}() of {header}, or a driver may call it: say which"


def check_completers(headers):
    """Yield functions that end a wait and that the rule "completers" does not know."""
    for header in WAKING:
        for name in sorted(headers(header)):
            if WAKES.search(name) and not name.startswith("___") and \
               not names.COMPLETES.fullmatch(name) and not names.COMPLETES_NOT.fullmatch(name):
                yield f"{name}() of {header} may end a wait: see COMPLETES"


def driver_words(tree, rule):
    """Return the names in a driver, if the rule is for one driver."""
    if rule.parent.name != "drivers":
        return set()
    return {word for top in ("gpu/drm", "accel")
            for path in sorted((tree / "drivers" / top / rule.stem).rglob("*.[ch]"))
            for word in re.findall(r"\b\w+\b", path.read_text(encoding="utf-8", errors="replace"))}


def check_lists(tree):
    """Yield names in the lists of the rules that the kernel does not have."""
    text = "\n".join(path.read_text(encoding="utf-8", errors="replace")
                     for top in ("include/linux", "include/drm", "include/asm-generic")
                     for path in sorted((tree / top).rglob("*.h")))
    words = set(re.findall(r"\b\w+\b", text))
    # The classes of guard() and ACQUIRE() are not functions.
    words |= set(re.findall(r"\bclass_(\w+)_constructor\b", library().code))
    for rule in sorted(RULES.rglob("*.cocci")):
        own = driver_words(tree, rule)
        for listed in re.findall(r"^identifier \w+ = \{(.*?)\}", rule.read_text(encoding="utf-8"),
                                 re.M | re.S):
            for name in re.findall(r"\w+", listed):
                if name not in words | library().public | own:
                    yield f"{rule.name}: there is no {name}()"


def check_contexts():
    """Yield functions whose kernel-doc does not say whether they sleep."""
    exported = set(re.findall(r"EXPORT_SYMBOL\w*\((\w+)\)", library().code))
    documented = {about for path in library().paths for about, _ in kernel_doc(path)}
    for name in sorted(exported & documented - library().contexts.keys()):
        yield f"the kernel-doc of {name}() has no Context:"


def check_scopes(tree):
    """Yield scopes that a rule or spatch does not know."""
    headers_text = "\n".join(path.read_text(encoding="utf-8") for path in (tree / "include/drm").glob("*.h"))
    scopes = library().scopes
    blocks = {name for name in scopes if library().is_block(name)}
    macros = set(re.findall(r"^#define (drm_\w+) YACFE_ITERATOR",
                            (RULES / "scopes.macros").read_text(encoding="utf-8"), re.M))
    # Some scopes take a variable of the driver, and declare none.
    others = {name for name in macros & library().macros.keys() if library().is_block(name)}
    for name in sorted(blocks - macros | {name for name in macros - blocks - others if not
                                          re.search(rf"\b{name}\(", headers_text)}):
        yield f"scopes.macros: {name} is {'missing' if name in blocks else 'no block'}"
    for rule, takes in (("atomic", library().sleeps), ("locked-twice", library().locks)):
        text = (RULES / f"{rule}.cocci").read_text(encoding="utf-8")
        known = set(re.findall(r"\bdrm_\w+", " ".join(re.findall(r"^iterator name (.*?);", text, re.M | re.S))))
        for name in sorted({name for name in blocks | others if takes(name)} ^ known):
            yield f"{rule}.cocci: {name} is {'no such scope' if name in known else 'missing'}"
    # A completer may open a block of drm_dev_ctx_guard_callback().
    refused = [name for name in library().device_scopes() if "callback" not in name]
    for rule, wanted in (("completers", refused), ("display", library().device_scopes(live=False))):
        text = re.sub(r"//.*", "", (RULES / f"{rule}.cocci").read_text(encoding="utf-8"))
        for name in set(wanted) - set(re.findall(r"\b(drm_dev_ctx_\w+)(?:@p)?\(", text)):
            yield f"{rule}.cocci: {name} is missing"


def check_callbacks():
    """Yield callbacks with registration data that the rule about its type does not know."""
    ops = re.search(r"struct drm_dev_ctx_ops \{(.*?)^\};", library().code, re.M | re.S)[1]
    known = re.search(r'identifier cb =~ "\^\((.*?)\)\$"', (RULES / "registered.cocci").read_text(encoding="utf-8"))[1]
    for name in set(re.findall(r"\(\*(\w+)\)", ops)) ^ set(known.split("|")):
        yield f"registered.cocci: {name} is {'no such callback' if name in known else 'missing'}"


def check_sleepers(tree):
    """Yield functions that drm_dev_ctx_sleepers.c looks for and that do not exist."""
    code = library().code + "\n".join(path.read_text(encoding="utf-8")
                                      for top in ("gpu/drm", "gpu/drm/scheduler", "accel")
                                      for path in sorted((tree / "drivers" / top).glob("*.c")))
    listed = re.search(r"\bnames\[\] = \{(.*?)\}", (TOP / "drm_dev_ctx_sleepers.c").read_text(encoding="utf-8"), re.S)
    for name in re.findall(r'"(\w+)"', listed[1]):
        if not re.search(rf"^\w[\w \t*]*\b{name}\([^;{{}}]*\)\s*\{{", code, re.M):
            yield f"drm_dev_ctx_sleepers.c: there is no {name}()"


def main():
    """Print all problems."""
    args = argparse.ArgumentParser(description=__doc__,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("tree", type=pathlib.Path, help="the kernel's source")
    args.add_argument("--raw", action="append", default=[], help="one more name for drm_gem.h")
    args = args.parse_args()

    def headers(name):
        return declared(args.tree / "include" / name)

    if not list(RULES.glob("*.cocci")) or not library().public:
        sys.exit("there is nothing to check")
    makefile = (args.tree / "Makefile").read_text(encoding="utf-8")
    series = ".".join(re.findall(r"^(?:VERSION|PATCHLEVEL) = (\d+)$", makefile, re.M))
    bad = [*check_raw(headers, series, args.raw), *check_completers(headers), *check_lists(args.tree),
           *check_contexts(), *check_scopes(args.tree), *check_callbacks(), *check_sleepers(args.tree)]
    print("\n".join([*bad, f"{len(bad)} problems"]))
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
