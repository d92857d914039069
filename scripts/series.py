#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Make a series of patches for a kernel tree from the library. series.txt describes the patches.

series.py list                       the names of the patches
series.py letters                    the cover letters: name, directory, and the last patch of each
series.py show NAME KEY              the values of KEY, such as Suites, one per line
series.py core NAME                  the files that a semantic patch of the core changes
series.py marks                      the macros by which the library sees a change of the core
series.py message NAME               the commit message
series.py later NAME                 names that files of a patch use, and only a later patch adds
series.py write NAME TREE            write the files of a patch to TREE, and print their names
series.py lost NAME TREE             lines that a semantic patch of the core has not added to TREE
series.py tidy series|core FILE...   bring the output of spatch into the form of the kernel
series.py converted DIR              the same for a converted driver
series.py cover NAME FILE            fill in the cover letter that git made
series.py letter NAME                the text of the cover letter
series.py config NAME                the configuration of its KUnit suites
series.py left-out                   the library's files that no patch adds
series.py faults                     lines that name things which no patch adds, or only a later one
series.py stays                      lines of the pages that name things missing in a kernel tree
series.py unnamed                    functions added to the core without their user in the message
series.py unaccepted                 checkpatch --terse reports that are not in checkpatch.accepted
series.py orphans TREE FILE...       files that the entry in MAINTAINERS does not name
"""
import fnmatch
import functools
import os
import pathlib
import re
import subprocess
import sys
import textwrap

TOP = pathlib.Path(__file__).resolve().parent.parent
DRM = "drivers/gpu/drm"
SAMPLE = "SAMPLE_DRM_SGPU"
LITMUS = "Documentation/litmus-tests/drm-safe"
# Names in drm_safe_core.h that stand for functions of a core with all changes
ALIASES = {"drm_gem_create_huge_mnt": "drm_gem_huge_mnt_create",
           "drm_gem_shmem_release_unlocked": "drm_gem_shmem_release",
           "drm_resv_might_lock": "dma_resv_might_lock",
           "drm_mutex_is_held": "mutex_held_by_current",
           "drm_resv_is_held": "dma_resv_held_by_current",
           "drm_dma_buf_dentry": "dma_buf_dentry",
           "drm_dma_buf_get_unless_dead": "dma_buf_dentry_get_unless_dead",
           "drm_device_links_state": "device_links_state",
           "drm_device_link_is_waited_for": "device_link_is_waited_for",
           "drm_init_delayed_work_key": "INIT_DELAYED_WORK_KEY",
           "drm_gem_object_link_entry": "link",
           "drm_gpuva_link_entry": "rb.link",
           "drm_gpuvm_bo_put_late": "drm_gpuvm_bo_put_deferred"}
# The token of all reservation locks. dma-buf's header then has it, under the name dma_resv.
TOKEN = re.compile(r"(\b(?:__|token_context_lock)\w*\((?:\w+, )?)drm_resv(?=[,)])")
GUARD = re.compile(r"\b(class_)?drm_resv(?=(_try|_intr|_kill)?(_constructor)?\b)")
# A function that does nothing with such a core
EMPTY = "drm_gem_shmem_release_locked"
LITMUS_README = """DRM SAFE HELPERS (/drm-safe directory)
--------------------------------------

Each of these litmus tests has the barriers of one place in the DRM safe
helpers, where a comment names the test.  Some use drm_safe.def:  run herd7
with "-macros drm_safe.def" in that directory.


"""
# Declarations of clang's function effects. The series leaves them out.
EFFECTS = r"__drm_nonallocating|drm_safe_signalling|function effects"
# Text that no file and no message of a series may have
REFUSED = re.compile(rf"\b7\.[0-9]|{EFFECTS}|drm_safe_trusted|drm_safe_effects|drm_safe_core|__drm_safe_setting"
                     r"|drm_dev_ctx_insert|drm_dev_ctx_devices|drm_dev_ctx \*__registered|core's member"
                     r"|\bspatch\b|\.cocci\b|[Mm]isuse class|DRM_SAFE_(CHECK_EFFECTS|SIGNALLING_CHECKED)")
# Prefixes of our files in directories with other files
PREFIXES = ("drm_dev_ctx", "drm_gem_sgt", "drm_gem_table", "drm_gpuvm_imm", "drm_safe", "drm_shmem", "drm_vmap_view")
INTERNAL = re.compile(r"(.*_internal|.*_trace|drm_safe_core)\.h")


def sections():
    """Read all patches and letters: {name: {key: [values]}}. The key "text" has the message."""
    found, patch = {}, None
    # series.sh tests the checks with another list.
    path = pathlib.Path(os.environ.get("SERIES", TOP / "scripts/series.txt"))
    for line in path.read_text(encoding="utf-8").splitlines():
        if re.fullmatch(r"\[[\w-]+\]", line):
            patch = found.setdefault(line[1:-1], {"text": []})
        elif patch is None:
            continue
        elif not patch["text"] and (key := re.fullmatch(r"([A-Z]\w+): (.*)", line)):
            words = [key[2]] if key[1] in ("Subject", "Until") else key[2].split()
            patch.setdefault(key[1], []).extend(words)
        elif line or patch["text"]:
            patch["text"].append(line)
    return found


def patches():
    return {name: patch for name, patch in sections().items() if "Letter" not in patch}


def letters():
    """Yield each cover letter with its directory and its last patch."""
    found = []
    for name, section in sections().items():
        if "Letter" in section:
            found.append([name, section["Letter"][0], None])
        else:
            found[-1][2] = name
    return found


def core_head(name):
    """Return the lines of the comment at the start of a core patch, and the files that the patch
    changes."""
    head = re.match(r"(//.*\n)+", (TOP / f"scripts/coccinelle/core/{name}.cocci").read_text(encoding="utf-8"))
    lines = [line[2:].strip() for line in head[0].splitlines()][1:]
    files = [file for line in lines if line.startswith("Files: ") for file in line.split()[1:]]
    return [line for line in lines if not line.startswith("Files: ")], files


def message(patch):
    text = patch["text"]
    subject = patch.get("Subject", [""])[0]
    if not any(text):
        subject, *text = core_head(patch["Core"][0])[0]
    body = "\n".join(text).strip("\n")
    # Wrap a mail at 75 columns, except for indented tables.
    paragraphs = [part if part.startswith("  ") else
                  textwrap.fill(" ".join(part.split()), 75, break_long_words=False, break_on_hyphens=False)
                  for part in re.split(r"\n\n+", body)]
    return subject + "\n\n" + "\n\n".join(paragraphs) + "\n"


# The subsystem that takes a patch, by the files that it changes. The first match counts.
TAKERS = (("driver core", r"drivers/base/|include/linux/device"), ("workqueue", r"include/linux/workqueue"),
          ("locking", r"kernel/locking/|include/linux/(ww_)?mutex"),
          ("DRM scheduler", r"drivers/gpu/drm/scheduler/|include/drm/gpu_scheduler"),
          ("dma-buf", r"drivers/dma-buf/|include/linux/dma-"), ("DRM", r""))


def takers(letter):
    """Return a list of the core patches after a letter, with their numbers, by the subsystem that
    takes them."""
    found, number, own = {}, 0, None
    for name, section in sections().items():
        if "Letter" in section:
            own = name
        elif own == letter:
            number += 1
            files = [file for core in section.get("Core", []) for file in core_head(core)[1]]
            who = [next(taker for taker, files_of in TAKERS if re.match(files_of, file)) for file in files]
            # If a patch changes files of several subsystems, the first one of TAKERS takes it.
            who = min(who, key=[taker for taker, _ in TAKERS].index)
            found.setdefault(who, []).append((number, message(section).split("\n")[0]))
    return "\n".join("\n".join([f"  {who}:", *(f"    {number:2} {subject}" for number, subject in found[who])])
                     for who, _ in TAKERS if who in found)


def lines_of(text):
    """Count the lines of a C file that have code."""
    return sum(bool(line.strip()) for line in code(text).splitlines())


def csv_value(name, what):
    found = re.search(rf'^ *"?{re.escape(what)}"?,(.*)$', (TOP / "Documentation" / name).read_text(encoding="utf-8"), re.M)
    return found[1].split(",")


def figures():
    """Return the figures for the letter of the helpers, counted from the series and from the
    pages."""
    before, rows = {}, []
    for name, patch in patches().items():
        if not patch.get("Files") and not patch.get("Tests"):
            continue
        now = Series(name)
        texts = {place(file): now.text(file) for file in now.files + [f"tests/{test}" for test in now.tests]
                 if file.endswith((".c", ".h"))}
        lines = {path: lines_of(text) for path, text in texts.items()}
        new = {path: count - before.get(path, 0) for path, count in lines.items()}
        before = lines
        tests = sum(count for path, count in new.items() if path.startswith(f"{DRM}/tests/"))
        cases = sum(now.text(f"tests/{test}").count("KUNIT_CASE") for test in patch.get("Tests", []))
        rows.append((name, sum(new.values()) - tests, tests, cases))
    code_rows = [row for row in rows if row[1] or row[2]]
    out = [f"  {'Lines without comments':32}{'code':>8}{'tests':>8}{'cases':>8}"]
    for name, lines, _, _ in code_rows:
        if name.endswith("-tests"):
            continue
        _, _, tests, cases = next((row for row in rows if row[0] == f"{name}-tests"), (0, 0, 0, 0))
        out.append(f"  {name:32}{lines:8}{tests or '':>8}{cases or '':>8}")
    for name, _, tests, cases in code_rows:
        if name.endswith("-tests") and not any(row[0] == name.removesuffix("-tests") for row in rows):
            out.append(f"  {name:32}{'':8}{tests:8}{cases:8}")
    out.append(f"  {'all':32}{sum(row[1] for row in rows):8}{sum(row[2] for row in rows):8}{sum(row[3] for row in rows):8}")
    out += ["", f"  {'Mistakes of drivers, by class, refused':52}{'here':>8}{'Rust':>8}"]
    table = (TOP / "Documentation/misuse-table.txt").read_text(encoding="utf-8")
    for what, ours, theirs in re.findall(r"^   \* - (\w[^\n]*)\n     - ?(\d*) *\n     - ?(\d*) *\n", table, re.M):
        out.append(f"  {what:52}{ours:>8}{theirs:>8}")
    drivers = re.findall(r"^   \* - ([\w-]+)\n     - \d+\n     - \d+\n     - (\d+)\n     - \d+\n     - .*\n"
                         r"     - (.*)\n",
                         (TOP / "Documentation/convert-table.txt").read_text(encoding="utf-8"), re.M)
    whole = sum(percent == "100" and "gcc" in builds for _, percent, builds in drivers)
    if not whole:
        sys.exit("convert-table.txt: no driver is converted whole, or the table has another form")
    out += ["", f"  {'code of drm_safe.ko on x86-64, bytes':52}{csv_value('bench-table.txt', 'code of drm_safe.ko')[1]:>8}"]
    for what in ("one object", "one VM"):
        raw, safe = csv_value("bench-table.txt", what)
        out.append(f"  {'bytes of ' + what + ', without and with the helpers':52}{raw:>8}{safe:>8}")
    out.append(f"  {'drivers that the converter converts whole, of those tried':58}{whole} of {len(drivers)}")
    return "\n".join(out)


def letter_text(name):
    """Subject and body of a cover letter."""
    section = sections()[name]
    numbers, at, own = {}, 0, None
    for patch, found in sections().items():
        own, at = (patch, 0) if "Letter" in found else (own, at + 1)
        if own == name:
            numbers[patch] = at
    text = re.sub(r"\{number of ([\w-]+)\}", lambda found: str(numbers[found[1]]), "\n".join(section["text"]))
    text = text.replace("{takers}", takers(name)) if "{takers}" in text else text
    text = text.replace("{figures}", figures()) if "{figures}" in text else text
    return message({**section, "text": text.split("\n")})


def marks(pattern=r"( (\1|1)$|\()"):
    """Return the macros by which the library sees that the core has a change."""
    # spatch only adds a macro of several lines as an identifier.
    return sorted({mark[0] for path in (TOP / "scripts/coccinelle/core").glob("*.cocci")
                   for mark in re.findall(rf'^(?:\+#define |coccinelle\.\w+ = cocci\.make_ident\(""")(?!class_)(\w+){pattern}',
                                          path.read_text(encoding="utf-8"), re.M)})


def lost(name, tree):
    """Yield the lines of a semantic patch that were not added to any file, because a rule has no
    match."""
    def squashed(text):
        return re.sub(r"\s", "", text)

    cocci = (TOP / f"scripts/coccinelle/core/{name}.cocci").read_text(encoding="utf-8")
    text = squashed("".join((tree / file).read_text(encoding="utf-8") for file in core_head(name)[1]))
    # Look for the text that a script rule makes, as often as the rule makes it.
    words = {word for line in re.findall(r"^@script:python \w+@\n(.*)\n", cocci, re.M) for word in re.findall(r"\w+", line)}
    made = [literal for call in re.findall(r"^coccinelle\.\w+ = \w[\w.]*\((.*)\)$", cocci, re.M)
            for literal in re.findall(r'"((?:[^"\\]|\\.)*)"', call)]
    for line in re.findall(r"^\+(.*)$", cocci, re.M):
        if not words & set(re.findall(r"\w+", line)) and squashed(line) not in text:
            yield line
    for literal in set(made):
        if text.count(squashed(literal)) < made.count(literal):
            yield literal


def in_core(text):
    """Replace ALIASES by the names in a core with all changes."""
    for ours, theirs in ALIASES.items():
        text = text.replace(f"#define {ours} {theirs}\n", "")
        text = re.sub(rf"\b{ours}\b", theirs, text)
    text = re.sub(rf"^(/\* .* \*/\n|/\*\n( \*.*\n)+)?static inline void {EMPTY}\(.*\n(\t.*\n)*{{\n}}\n\n", "", text, flags=re.M)
    text = re.sub(rf"^\t+{EMPTY}\(.*\);\n", "", text, flags=re.M)
    return TOKEN.sub(r"\1dma_resv", text)


def broken(line):
    """Break a long prototype of two arguments into two lines."""
    match = re.fullmatch(r"((?:static inline )?[\w ]+ \**\w+\()([^,]*, )(.*)", line)
    if not match or len(line) <= 100:
        return line
    return f"{match[1]}{match[2].rstrip()}\n" + "\t" * (len(match[1]) // 8) + " " * (len(match[1]) % 8) + match[3]


def tidy(path, series):
    """Fix the form of code that spatch wrote. For a series, drop the marks as well."""
    text = path.read_text(encoding="utf-8")
    if series:
        for mark in marks(r"( (\1|1)$)"):
            text = re.sub(rf"^#define {mark} ({mark}|1)\n", "", text, flags=re.M)
        text = in_core(text)
    text = re.sub(r"^(.*?) ((?:__must_not_hold|__(?:cond_)?(?:acquires|releases)(?:_shared)?)\([^()]*\)(?: __no_context_analysis)?) "
                  r"(\w+\([^()]*\))", r"\1 \3\n\t\2", text, flags=re.M)
    text = re.sub(r"^((?:\w|\t+ *(?:const )?struct ).*\)){$", r"\1\n{", text, flags=re.M)
    text = re.sub(r"^((?:DEFINE_(?:CLASS|LOCK_GUARD_1\w*)|DECLARE_LOCK_GUARD_1_ATTRS)\(.*(?:\n[ \t].*){0,4}\));$", r"\1",
                  text, flags=re.M)
    text = re.sub(r"^(.*;)\n(?=/\* .* \*/\ntoken_context_lock)", r"\1\n\n", text, flags=re.M)
    text = re.sub(r"^(\t\} while \(0\)\n)(?=extern )", r"\1\n", text, flags=re.M)
    # Drop a comment of the core behind a line that has become too long.
    text = re.sub(r"^(?=.{94})(.*drm_vma_node_start.*;) /\* [^*]* \*/$", r"\1", text, flags=re.M)
    text = text.replace("(loff_t) - 1", "(loff_t)-1")
    # The core's drm_gem.c has such a space itself.
    if path.name != "drm_gem.c":
        text = re.sub(r"(\blist_for_each_\w+) \(", r"\1(", text)
    if path.suffix == ".h":
        text = re.sub(r"^static inline .*\)$", lambda line: broken(line[0]), text, flags=re.M)
    path.write_text(text, encoding="utf-8")


# Files that a kernel tree does not need
NOT_IN_A_TREE = ("drm_safe_core.h", "drm_safe_effects.h", "drm_safe_signalling.h", "tests/drm_safe_gcov.c")


def unifdef(text, *flags):
    """Run unifdef on C code. In other files, it takes an apostrophe for the start of a string."""
    done = subprocess.run(["unifdef", "-B", *flags], input=text, text=True, capture_output=True, check=False)
    if done.returncode > 1:
        raise RuntimeError(done.stderr)
    return done.stdout


def place(name):
    """Return the path in a kernel tree of a file of this directory."""
    path = pathlib.PurePath(name)
    if name.startswith("tests/litmus/"):
        return f"{LITMUS}/{path.name}"
    if name.startswith("tests/"):
        return f"{DRM}/tests/{path.name}"
    if name.startswith("samples/sgpu/"):
        return name
    if name.startswith("Documentation/"):
        return f"Documentation/gpu/drm-safe/{path.name}"
    if path.suffix == ".h" and not INTERNAL.fullmatch(path.name):
        return f"include/drm/{path.name}"
    return f"{DRM}/{path.name}"


def include(name, target):
    """Return the #include argument for another file of ours in the file @name of a kernel tree."""
    if (TOP / target).exists() and not INTERNAL.fullmatch(target):
        return f"<drm/{target}>"
    if (TOP / target).exists() and name.startswith(f"{DRM}/tests/"):
        return f'"../{target}"'
    return f'"{target}"'


def column(text):
    return len(text.expandtabs(8))


def tabs(width):
    return "\t" * (width // 8) + " " * (width % 8)


def backslash(text, at):
    """Move the backslash of a line of a macro to a column."""
    text = text.rstrip("\\").rstrip()
    at -= at % 8
    while column(text) < at:
        text += "\t"
    return text + ("\\" if text.endswith("\t") else " \\")


def dedented(line, by):
    """Move a line @by columns to the left."""
    rest = line.lstrip("\t ")
    new = tabs(column(line[:len(line) - len(rest)]) - by) + rest
    return backslash(new, column(line[:-1])) if line.endswith("\\") else new


def trusted(text):
    """Unwrap the statements in drm_safe_trusted()."""
    while found := re.search(r"^([^\n]*)\bdrm_safe_trusted(?=\()", text, re.M):
        depth = 0
        for close in range(found.end(), len(text)):
            depth += {"(": 1, ")": -1}.get(text[close], 0)
            if not depth:
                break
        first = found.end() + len(re.match(r"\((?:\s*\\\n)?\s*", text[found.end():])[0])
        start, end = text.rindex("\n", 0, first) + 1, text.index("\n", close)
        shift = column(text[start:first]) - column(found[1])
        head, *lines = (text[first:close] + text[close + 1:end]).split("\n")
        line = text[start:].split("\n", 1)[0]
        head = backslash(found[1] + head, column(line[:-1])) if line.endswith("\\") else found[1] + head
        lines = [head, *(dedented(line, shift) for line in lines)]
        if len(lines) == 2 and column(joined := f"{head} {lines[1].strip()}") <= 100 and not head.endswith(("\\", "(")):
            lines = [joined]
        text = text[:found.start()] + "\n".join(lines) + text[end:]
    return text


def without_effects(text):
    """Drop clang's function effects, and paragraphs of comments about them."""
    def comment(match):
        paragraphs = [part for part in re.split(r"(?<=\n)[ \t]*\*\n", match[0]) if not re.search(EFFECTS, part)]
        if len(paragraphs) == len(re.split(r"(?<=\n)[ \t]*\*\n", match[0])):
            return match[0]
        if not paragraphs or not paragraphs[0].lstrip().startswith("/*"):
            return ""
        new = re.match(r"[ \t]*", match[0])[0] + " *\n"
        new = new.join(paragraphs)
        return new if new.rstrip().endswith("*/") else new + re.search(r"[ \t]*\*/\n\Z", match[0])[0]

    text = re.sub(rf"\n[ \t]*(\*[ \t]*)?__drm_nonallocating(?=[;\n])", "", text)
    text = re.sub(r"^[ \t]*/\*(?:(?!\*/).)*\*/\n", comment, text, flags=re.M | re.S)
    text = re.sub(r" __drm_nonallocating\b", "", text)
    text = re.sub(r'^#include "drm_safe_(effects|signalling)\.h"\n', "", text, flags=re.M)
    return trusted(text)


def with_ctx(text):
    """Adapt the text to a core whose struct drm_device points to its context. Such code never reads
    the memory behind a foreign device."""
    text = re.sub(r" The value is the address of this structure\.(?:(?!\n \* - ).)*?memory is not read\.", "", text, flags=re.S)
    text = text.replace("\tstruct drm_dev_ctx *__registered;", "\tbool __registered;")
    text = re.sub(r"(READ_ONCE|smp_load_acquire)(\(&?ctx->__registered\)) != ctx\b", r"!\1\2", text)
    text = text.replace("smp_store_release(&ctx->__registered, ctx)", "smp_store_release(&ctx->__registered, true)")
    text = re.sub(r"^\t/\* If this is known, the memory behind a foreign device is not read\. \*/\n", "", text, flags=re.M)
    return re.sub(r"(a device that was never registered), and on a\n\t \* foreign one\.", r"\1.", text)


def without_setting(text):
    """Drop the symbol that keeps modules with different settings apart. Only modules outside of the
    tree need it."""
    text = re.sub(r"^/\*\n \* Handles and objects are larger with CONFIG_DRM_SAFE_DEBUG(?:.*\n)+? \*/\n(?:.*\n)+?"
                  r"__ADDRESSABLE\(__drm_safe_setting\);\n#endif\n\n", "", text, flags=re.M)
    return re.sub(r"^/\* The name of the symbol carries.*\n.*__drm_safe_setting = 1;\n.*__drm_safe_setting\);\n\n", "",
                  text, flags=re.M)


def core_functions():
    """Return the functions of drm_safe_core.h that are left with a changed core: {name: text}, with
    comments."""
    text = in_core(unifdef((TOP / "drm_safe_core.h").read_text(encoding="utf-8"), *(f"-D{mark}" for mark in marks())))
    return {found[2]: found[1].replace("static inline ", "static ", 1) + "\n" for found in
            re.finditer(r"^((?:/\*(?:(?!\*/).)*\*/\n)?static inline [^;{]*?(\w+)\([^;{]*\{\n.*?^\}\n)", text, re.M | re.S)}


def with_core(name, text):
    """Add the functions of core_functions() that a file calls. Only one file calls each of them."""
    text = re.sub(r'^#include "drm_safe_core\.h"\n', "", text, flags=re.M)
    ours = [function for called, function in core_functions().items()
            if re.search(rf"\b{called}\(", text) and name.endswith(".c")]
    if not ours:
        return text
    at = [found.end() for found in re.finditer(r"^#include .*\n", text[:text.index("\n{\n")], re.M)][-1]
    return text[:at] + "\n" + "".join(ours) + text[at:]


@functools.cache
def kernel_form(name):
    """Return the text of a file for a kernel tree."""
    text = (TOP / name).read_text(encoding="utf-8")
    to = place(name)
    if name.endswith((".rst", ".txt")):
        # The function index is generated here. In a tree, Sphinx makes an index.
        text = re.sub(r"^Index\n=+\n\n\.\. include:: functions-.*\n\n", "", text, flags=re.M)
        # Drop text about the scripts, which a tree does not have.
        text = re.sub(r"^\.\. here only:\n\n.*?^\.\. end of what is here only\n\n?", "", text, flags=re.M | re.S)
        text = re.sub(r"\s+(The\s+spatch\s+rule|``make\s+coccicheck``|The\s+rule\s+``\w+``\s+of\s+spatch)\s[^.]*\.(?=\s)",
                      "", text)
        text = re.sub(r"(?<=   \* - the array of the pages\n)(     .*\n)+", "     - when it is allocated, by the core\n", text)
        text = GUARD.sub(r"\1dma_resv", text)
        text = re.sub(rf"{DRM}/safe/([\w/-]+\.[ch])", lambda path: place(path[1]), text)
        text = text.replace(f"{DRM}/safe/samples", "samples")
        text = text.replace(f"{DRM}/safe/tests", f"{DRM}/tests").replace(f"{DRM}/safe", DRM)
        return text.replace("DRM_SAFE_SGPU", SAMPLE)
    if name == "drm_safe_context.h":
        text = unifdef(text, "-UWARN_CONTEXT_ANALYSIS")
        text = text.replace("/* The analysis needs annotations that the kernel's headers do not have. */\n", "")
        text = re.sub(r"^#define __DRM_TOKEN\(.*\n", "", text, flags=re.M)
    if name.endswith((".c", ".h")):
        text = text.replace("#if defined(CONFIG_DRM_SAFE_DEBUG) && !defined(DRM_SAFE_SIGNALLING_CHECKED)",
                            "#ifdef CONFIG_DRM_SAFE_DEBUG")
        text = unifdef(text, "-UDRM_SAFE_CHECK_EFFECTS", *(f"-D{mark}" for mark in marks()))
    if name == "samples/sgpu/sgpu_uapi.h":
        # The header's userspace client is not part of the series.
        text = unifdef(text, "-D__KERNEL__", "-U__cplusplus")
    if name == "drm_safe_resv.h":
        # The core has these guards.
        text = re.sub(r"^(DEFINE_LOCK_GUARD_1\(drm_resv,(.*\n\t+)?|DEFINE_LOCK_GUARD_1_COND\(drm_resv, (_try|_intr)|"
                      r"DECLARE_LOCK_GUARD_1_ATTRS\(drm_resv(_try|_intr)?,|"
                      r"#define class_drm_resv(_try|_intr)?_constructor).*\n", "", text, flags=re.M)
    text = GUARD.sub(r"\1dma_resv", text)
    # The overloads of IS_ERR() that make a token a lock are not part of the series.
    text = re.sub(r"^__DRM_TOKEN\(.*;\n\n", "", in_core(text), flags=re.M)
    text = re.sub(r"^\t__releases\(\*unreg\) (__no_context_analysis\n)?", lambda found: "" if found[1] else "\t", text, flags=re.M)
    if name.endswith((".c", ".h")):
        text = with_core(name, without_setting(without_effects(with_ctx(text))))
    text = re.sub(r'^#include "([\w.]+)"', lambda match: f"#include {include(to, match[1])}", text, flags=re.M)
    text = text.replace("#define TRACE_INCLUDE_PATH .", f"#define TRACE_INCLUDE_PATH ../../{DRM}")
    return re.sub(r"\n\n\n+", "\n\n", text)


def until(text, mark):
    """Cut a text before the comment or the line that has @mark. Keep the #endif of a header."""
    at = text.index(mark)
    start = text.rfind("\n/*", 0, at)
    if start < 0 or "*/" in text[start:at]:
        start = text.rfind("\n", 0, at)
    end = re.search(r"\n#endif[^\n]*\n\Z", text)
    return text[:start + 1].rstrip("\n") + "\n" + ("\n" + end[0].lstrip("\n") if end else "")


class Series:
    """The contents of a tree after a patch and all patches before it."""
    def __init__(self, name):
        self.files, self.until, self.symbols, self.tests = [], {}, [], []
        all_patches = patches()
        for self.last, patch in all_patches.items():
            for pattern in patch.get("Files", []):
                names = sorted(str(p.relative_to(TOP)) for p in TOP.glob(pattern))
                if not names:
                    sys.exit(f"series.txt: there is no {pattern}")
                for file in names:
                    self.until.pop(file, None)
                self.files += [file for file in names if file not in self.files]
            for line in patch.get("Until", []):
                file, mark = line.split(" ", 1)
                self.until[file] = mark
            self.symbols += patch.get("Symbols", [])
            self.tests += patch.get("Tests", [])
            if self.last == name:
                break

    def objects(self, directory):
        return {pathlib.PurePath(f).stem for f in self.files + [f"tests/{t}" for t in self.tests]
                if f.endswith(".c") and str(pathlib.PurePath(f).parent) == directory}

    def text(self, file):
        text = kernel_form(file)
        if "drm_gpuvm_imm.c" not in self.files:
            text = re.sub(r"^#if IS_ENABLED\(CONFIG_DRM_SAFE_GPUVM\)\n[^#]*(?:#include[^#]*)*#else\n([^#]*)#endif\n",
                          r"\n\1", text, flags=re.M)
        if file == "drm_dev_ctx.h" and "drm_shmem_ends.h" not in self.files:
            text = text.replace("struct drm_shmem_ends;\n", "")
            text = re.sub(r"^\t/\*\n(?:\t \*.*\n)+\tstruct drm_shmem_ends \*__shmem_ends;\n", "", text, flags=re.M)
        for header, source in (("drm_gpuvm_imm_internal.h", "drm_gpuvm_imm_debugfs.c"),
                               ("drm_shmem_internal.h", "drm_shmem_list.c")):
            if file == header and source not in self.files:
                # Use the stubs for a kernel without debugfs until a patch adds these functions.
                text = re.sub(rf"^/\* {re.escape(source)} \*/\n#ifdef CONFIG_DEBUG_FS\n.*?^#else\n(.*?)#endif\n", r"\1",
                              text, flags=re.M | re.S)
        if file == "drm_shmem_safe.h":
            text = re.sub(r"^#include <drm/(.*)>\n", lambda line: line[0] if line[1] in self.files else "",
                          text, flags=re.M)
        if file in self.until:
            text = until(text, self.until[file])
            # Drop declarations that only the cut part needs.
            text = re.sub(r"^static inline \w+ drm_gpuvm_imm_module_\w+\(void\) \{.*\}\n", "", text, flags=re.M)
            text = re.sub(r'#include "drm_shmem_internal.h"\n', '#include "drm_dev_ctx_internal.h"\n', text) \
                if "drm_shmem_obj.c" not in self.files else text
        # Drop empty lines that a cut leaves at the end of a file.
        return re.sub(r"\n\n\n+", "\n\n", text).rstrip("\n") + "\n"

    def kconfig(self, *wanted):
        """Return the Kconfig entries of the symbols that a patch has added so far."""
        text = (TOP / "Kconfig").read_text(encoding="utf-8")
        entries = [entry.rstrip("\n") + "\n" for entry in re.split(r"\n(?=config )", text)[1:]
                   if re.match(r"config (\w+)", entry)[1] in set(wanted) & set(self.symbols)]
        text = "\n".join(entries)
        for symbol in {"DRM_SAFE_GPUVM", "DRM_SAFE_SGPU", "DRM_SAFE_BENCH"} - set(self.symbols):
            text = re.sub(rf"^\tselect ({symbol}|\w+ if {symbol})\n", "", text, flags=re.M)
        if "drm_shmem_pages.c" not in self.files:
            text = text.replace("\tselect DRM_GEM_SHMEM_HELPER\n", "")
        return text + "\n" if text else ""

    def listed(self, variable):
        """Return the objects of a variable of our Makefile whose sources were added so far."""
        text = (TOP / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
        names = re.search(rf"^{re.escape(variable)} [:+]= (.*)$", text, re.M)[1].split()
        return [name for name in names if name.removesuffix(".o") in self.objects(".")]

    def makefile(self):
        """Return the lines of the library's Makefile for the objects that were added so far."""
        base = self.listed("drm_safe-y")
        if not base:
            return ""
        lines = ["drm_safe-y := \\\n\t" + " \\\n\t".join(base)]
        gpuvm = self.listed("drm_safe-$(CONFIG_DRM_SAFE_GPUVM)")
        debugfs = ["drm_gpuvm_imm_debugfs.o"] if "drm_gpuvm_imm_debugfs.c" in self.files else []
        if gpuvm:
            lines.append("drm_safe-$(CONFIG_DRM_SAFE_GPUVM) += \\\n\t" + " \\\n\t".join(gpuvm))
            if debugfs:
                lines.append(f"ifdef CONFIG_DEBUG_FS\ndrm_safe-$(CONFIG_DRM_SAFE_GPUVM) += {debugfs[0]}\nendif")
        lines.append("obj-$(CONFIG_DRM_SAFE) += drm_safe.o")
        objects = [*base, *gpuvm, *debugfs]
        # define_trace.h includes the header by its name.
        lines += [f"CFLAGS_{name} := -I$(src)" for name in objects
                  if "\n#define CREATE_TRACE_POINTS\n" in self.text(name.removesuffix("o") + "c")]
        lines += [f"CONTEXT_ANALYSIS_{name} := y" for name in objects]
        lines.append("")
        return "\n".join(lines)

    def tests_makefile(self):
        text = (TOP / "tests/Makefile").read_text(encoding="utf-8")
        text = text[text.index("obj-$(CONFIG_DRM_SAFE_KUNIT_TEST)"):text.index("# CONFIG_GCOV")]
        present, kept = self.objects("tests"), []
        for block in text.strip().split("\n\n"):
            head, *lines = block.split("\n")
            lines = [line.rstrip(" \\") for line in lines]
            lines = [line for line in lines if (stem := line.strip()[:-2]) in present or
                     stem.endswith("_kunit") and any(t.startswith(stem[:9]) for t in present)]
            if lines:
                kept.append("\n".join([head, *(line + " \\" for line in lines[:-1]), lines[-1]]))
        return "\n" + "\n\n".join(kept) + "\n" if kept else ""

    def maintainers(self):
        """Return the entry of MAINTAINERS for the files that were added so far."""
        places = {place(f) for f in self.files} | {place(f"tests/{t}") for t in self.tests}
        patterns = {re.sub(r"(/sgpu|/drm-safe)/.*", r"\1/", p) for p in places}
        for prefix in PREFIXES:
            patterns = {re.sub(rf"(/{prefix})[\w.]*$", r"\1*", p) for p in patterns}
        text = (TOP / "MAINTAINERS").read_text(encoding="utf-8")
        return re.sub(r"^F:.*\n", "", text, flags=re.M) + "".join(f"F:\t{p}\n" for p in sorted(patterns)) + "\n"


written = []	# all files of the tree that put() was called for


def put(path, text):
    written.append(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def insert(tree, name, *inserts):
    """Insert texts into git's version of a file of the kernel, each before a line."""
    path = tree / name
    old = subprocess.run(["git", "-C", tree, "show", f"refs/drm-safe/base:{name}"], text=True,
                         capture_output=True, check=True).stdout
    for text, before in inserts:
        match = re.search(before, old, re.M)
        if not match:
            sys.exit(f"{name}: there is no line that matches {before}")
        old = old[:match.start()] + text + old[match.start():]
    put(path, old)


def converted(directory):
    """Include the headers of the library from the series' directory."""
    for path in directory.glob("*.[ch]"):
        text = path.read_text(encoding="utf-8")
        ours = re.findall(r'^#include "(drm_(?:dev_ctx|shmem_safe|gpuvm_imm)\.h)"\n', text, flags=re.M)
        for header in ours:
            text = text.replace(f'#include "{header}"\n', "", 1)
            # Keep the alphabetical order. Without one, insert the header before the first larger
            # name.
            others = list(re.finditer(r"^#include <drm/([\w/.]+)>\n", text, re.M))
            after = [other.start() for other in others if "/" not in other[1] and other[1] > header]
            at = after[0] if after else others[-1].end()
            text = f"{text[:at]}#include <drm/{header}>\n{text[at:]}"
        put(path, text)
        for function in re.findall(r"^\{\n.*?^\}", code(text), re.M | re.S):
            if re.search(r"__free\(|__cleanup\(|\bdrm_\w+_or\(|guard(_\w+)?\(", function) and re.search(r"\bgoto\b", function):
                sys.exit(f"{path.name}: a function has both a goto and a cleanup, see <linux/cleanup.h>:\n{function}")
    path = directory / "Makefile"
    put(path, re.sub(r"^ccflags-y \+= .*drm/safe\n\n?", "", path.read_text(encoding="utf-8"), flags=re.M))


def included_later(now):
    """Yield headers of ours that a file includes before a patch adds them."""
    there = {pathlib.PurePath(file).name for file in now.files + now.tests}
    ours = {path.name for pattern in ("*.h", "tests/*.h", "samples/sgpu/*.h") for path in TOP.glob(pattern)}
    for file in now.files + [f"tests/{test}" for test in now.tests]:
        if file.endswith((".c", ".h")):
            for header in re.findall(r'^#include ["<](?:drm/|\.\./)?([\w.]+)[">]', now.text(file), re.M):
                if header in ours - there:
                    yield f"{file} includes {header}, which is in no patch yet"


def code(text):
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\])*"', " ", text, flags=re.S)


def without_events(text):
    """Drop the names of tracepoints, because a function can have the same name."""
    return re.sub(r"_EVENT\((\w+, )?\w+,|EXPORT_TRACEPOINT_SYMBOL_GPL\(\w+\)", "", text)


def called_later(now):
    """Yield functions of ours that a file calls before a patch defines them."""
    for file in now.files + [f"tests/{test}" for test in now.tests]:
        text = without_events(code(now.text(file))) if file.endswith(".c") else ""
        for name in sorted(set(re.findall(r"\b_*drm\w+\b", text)) & not_defined(now.last)):
            if not re.search(rf"\b{name}\([^;]*\)\s*{{", text):
                yield f"{file} calls {name}(), which is in no patch yet"


@functools.cache
def in_headers(name):
    """Return two sets of names in the headers after a patch: functions, macros, types and constants
    that they define; and these with all types that they declare."""
    now, defined, declared = Series(name), set(), set()
    for file in now.files + [f"tests/{test}" for test in now.tests]:
        if file.endswith(".h"):
            text = code(now.text(file))
            defined |= set(re.findall(r"^#define (\w+)", text, re.M)) | set(re.findall(r"\b(?:struct|enum|union) (\w+) {", text))
            defined |= set(re.findall(r"^[a-z_][\w *]*?\b(\w+)\(", text, re.M)) | set(re.findall(r"^\t(_*[A-Z]\w+)\b", text, re.M))
            declared |= set(re.findall(r"\b(?:struct|enum|union) (\w+)", text))
    defined = {word for word in defined if re.match(r"_*(drm|sgpu)", word, re.I)}
    return defined, defined | declared


@functools.cache
def where_defined():
    """Return the file of each function of ours that is not static."""
    return {match: path.name for path in TOP.glob("drm_*.c")
            for match in re.findall(r"^(?!static)[\w *]*?\b(_*drm\w+)\([^;{}]*\)[^;{}]*\n{", code(path.read_text()), re.M)}


@functools.cache
def not_defined(name):
    """Return the functions of ours that no file defines after a patch, not even inline in a header."""
    now = Series(name)
    inline = {function for file in now.files if file.endswith(".h")
              for function in re.findall(r"^static inline [^;{}]*?\b(\w+)\([^;{}]*\)\s*{", code(now.text(file)), re.M)}
    return {function for function, file in where_defined().items() if file not in now.files} - inline


def named_later(now):
    """Yield names that a header of ours uses before a patch declares them, and functions that it
    declares before a patch defines them."""
    ours, there = in_headers(list(patches())[-1])[0], in_headers(now.last)[1]
    for file in now.files:
        text = without_events(code(now.text(file))) if file.endswith(".h") else ""
        for name in sorted(set(re.findall(r"\w+", text)) & ours - there):
            yield f"{file} names {name}, which no patch declares yet"
        for name in sorted(set(re.findall(r"\b(_*drm\w+)\(", text)) & not_defined(now.last)):
            yield f"{file} has {name}(), which no patch defines yet"


def traced_later(now):
    """Yield tracepoints that a file uses before a patch makes them."""
    texts = {file: now.text(file) for file in now.files if re.fullmatch(r"\w+\.[ch]", file)}
    made = {event for text in texts.values() for header in re.findall(r'^#define CREATE_TRACE_POINTS\n#include "(\w+\.h)"', text, re.M)
            for event in re.findall(r"_EVENT\((?:\w+,\s*)?(drm_\w+),", texts[header])}
    for file, text in texts.items():
        for event in sorted(set(re.findall(r"\btrace_(drm_\w+)\(", code(text))) - made):
            yield f"{file} uses the tracepoint {event}, which no patch makes yet"


def added_to_core(name):
    """Return the functions and macros that a patch adds to the core and does not use there
    itself."""
    text = "\n".join((TOP / f"scripts/coccinelle/core/{core}.cocci").read_text(encoding="utf-8")
                     for core in patches()[name].get("Core", []))
    lines = [line for line in re.findall(r"^\+(.*)$", text, re.M) if not re.match(r" \*|/\*|EXPORT_SYMBOL", line)]
    defined = re.compile(r"(?:#define |(?:extern |static inline )?[a-z]\w*[ *][\w *]*?)\b(\w+)(?:\(|$| \1$)")
    added = {found[1] for line in lines if (found := defined.match(line))} - {"if", "return"}
    used = {word for line in lines if not defined.match(line) for word in re.findall(r"\w+", line)}
    # A function that a script rule makes only appears here by the name of its mark.
    made = set(re.findall(r"^(?:\w+ << .*|identifier \w+\.(\w+);)$", text, re.M))
    return {ALIASES.get(word, word) for word in added - used - made
            if re.search(r"[a-z]", word) and not word.startswith(("class_", "__"))}


def unnamed_users():
    """Yield the functions of the core patches whose message does not name the first patch that uses
    them."""
    users = {}
    for name, patch in patches().items():
        if patch.get("Files"):
            now = Series(name)
            for file in now.files:
                if file.endswith((".c", ".h")):
                    for word in re.findall(r"\w+", code(now.text(file))):
                        users.setdefault(word, patch["Subject"][0])
    own = None
    for name, section in sections().items():
        own = name if "Letter" in section else own
        if own == "core" and "Core" in section:
            text = " ".join(message(section).split())
            for function in sorted(added_to_core(name)):
                if f'"{users.get(function, "")}"' not in text and function in users:
                    yield f'{name}: "{users[function]}" is the first to use {function}, and not in the message'
                elif function not in users:
                    yield f"{name}: nothing uses {function}"


def later(now):
    return [*included_later(now), *called_later(now), *named_later(now), *traced_later(now)]


def refused(texts):
    """Yield lines of files and messages that are only true in this directory."""
    for name, text in texts:
        for number, line in enumerate(text.splitlines(), 1):
            if REFUSED.search(line):
                yield f"{name}:{number}: {line.strip()}"


def faults(name):
    """Return lines of a patch that name things which a kernel tree does not have, or does not have
    yet."""
    now = Series(name)
    files = now.files + [f"tests/{test}" for test in now.tests]
    return [*refused([*((file, now.text(file)) for file in files), (name, message(patches()[name]))]), *later(now)]


def write(name, tree):
    now = Series(name)
    if lines := faults(name):
        sys.exit("\n".join(lines))
    for file in now.files:
        put(tree / place(file), now.text(file))
    for test in now.tests:
        put(tree / place(f"tests/{test}"), now.text(f"tests/{test}"))
    sgpu = "DRM_SAFE_SGPU" in now.symbols
    insert(tree, f"{DRM}/Kconfig", (now.kconfig("DRM_SAFE", "DRM_SAFE_GPUVM"), r"^config DRM_SCHED$"))
    insert(tree, f"{DRM}/Kconfig.debug", (now.kconfig("DRM_SAFE_DEBUG", "DRM_SAFE_KUNIT_TEST"),
                                          r"^config DRM_EXPORT_FOR_TESTS$"))
    insert(tree, f"{DRM}/Makefile", (now.makefile() + "\n", r"^drm_suballoc_helper-y"))
    insert(tree, f"{DRM}/tests/Makefile", (now.tests_makefile(), r"\Z"))
    insert(tree, f"{DRM}/tests/.kunitconfig",
           ("CONFIG_DRM_SAFE_KUNIT_TEST=y\n" if "DRM_SAFE_KUNIT_TEST" in now.symbols else "", r"\Z"))
    insert(tree, "Documentation/litmus-tests/README", (LITMUS_README, r"^RCU \(/rcu directory\)$"))
    insert(tree, "MAINTAINERS", (now.maintainers(), r"^DRM TTM SUBSYSTEM\n"))
    if sgpu:
        objects = " \\\n\t".join(sorted(f"{o}.o" for o in now.objects("samples/sgpu") if o != "sgpu_fault"))
        put(tree / "samples/sgpu/Makefile", "# SPDX-License-Identifier: GPL-2.0-only OR MIT\n\n"
            f"obj-$(CONFIG_{SAMPLE}) += sgpu.o\nsgpu-y := \\\n\t{objects}\n"
            "sgpu-$(CONFIG_FAULT_INJECTION_DEBUG_FS) += sgpu_fault.o\n")
        insert(tree, "samples/Kconfig", (now.kconfig("DRM_SAFE_SGPU").replace("DRM_SAFE_SGPU", SAMPLE),
                                         r'^source "samples/rust/Kconfig"$'))
        insert(tree, "samples/Makefile", (f"obj-$(CONFIG_{SAMPLE})\t\t+= sgpu/\n", r"^obj-\$\(CONFIG_SAMPLE_TSM_MR\)|\Z"))
    if "Documentation/index.rst" in now.files:
        pages = {pathlib.PurePath(f).stem for f in now.files if f.endswith(".rst")}
        index = kernel_form("Documentation/index.rst")
        put(tree / "Documentation/gpu/drm-safe/index.rst", "".join(
            line for line in index.splitlines(keepends=True)
            if not re.fullmatch(r"   [a-z-]+\n", line) or line.strip() in pages))
        insert(tree, "Documentation/gpu/index.rst", ("   drm-safe/index\n", r"(?<=^   drm-compute\n)"))


def left_out():
    """Return files of the library and its tests that no patch adds."""
    last = Series(list(patches())[-1])
    have = set(last.files) | {f"tests/{test}" for test in last.tests} | set(NOT_IN_A_TREE)
    files = [*TOP.glob("drm_*.[ch]"), *TOP.glob("tests/drm_*.[ch]"), *TOP.glob("samples/sgpu/*.[ch]")]
    if not files:
        sys.exit("there is nothing to check")
    return sorted({str(path.relative_to(TOP)) for path in files} - have)


def stays():
    """Yield lines of the pages that name a script, a target or a page which a kernel tree does not
    have."""
    pages = [file for file in Series(list(patches())[-1]).files if file.endswith(".rst")]
    names = "|".join(pathlib.PurePath(file).stem for file in pages)
    for file in pages:
        for number, line in enumerate(kernel_form(file).splitlines(), 1):
            if re.search(rf"``make [a-z]|\bscripts/|spatch|coccicheck|signalling\b.*\.(h|list)|samples/(?!sgpu)|/safe/|drm_resv\b"
                         rf"|:doc:`(?!({names})`)", line):
                yield f"{place(file)}:{number}: {line.strip()}"


# Wrong reports of checkpatch for a patch that it does not make for a file. It misreads a path with
# slashes, annotations after arguments, a sum of calls in a macro, and the statement at the end of a
# class. One report is about a macro in the style of the macros around it.
TAKEN_WRONGLY = dict.fromkeys((f"{DRM}/{name}" for name in (
    "drm_dev_ctx_trace.h", "drm_gpuvm_imm_trace.h", "drm_shmem_trace.h", "drm_gpuvm_imm_run.c",
    "tests/drm_gpuvm_imm_test.c", "tests/drm_gpuvm_imm_pool_test.c")), ["SPACING"])
TAKEN_WRONGLY |= dict.fromkeys(("include/drm/drm_shmem_ends.h", "include/drm/drm_shmem_sgt.h"), ["SPACING"])
# checkpatch takes the lock in an annotation for an argument.
ANNOTATED = re.compile(r"function definition argument '(dma_resv|vm)' should also have an identifier name")
TAKEN_WRONGLY |= {"include/linux/dma-resv.h": ["SPACING"], "include/drm/drm_gem.h": ["SPACING"],
                  "include/linux/workqueue.h": ["MACRO_ARG_REUSE"],
                  "include/drm/drm_drv.h": ["FUNCTION_ARGUMENTS", "SUSPECT_CODE_INDENT"]}


def unaccepted(reports):
    """Yield the reports of a kind that checkpatch.accepted does not list for the file."""
    accepted = dict(TAKEN_WRONGLY)
    for line in (TOP / "scripts/checkpatch.accepted").read_text(encoding="utf-8").splitlines():
        name, *kinds = line.split()
        if name != "#":
            accepted[place(name)] = kinds + TAKEN_WRONGLY.get(place(name), [])
    for report in reports:
        match = re.match(r"([^:]+):\d+: (?:[A-Z]+:)([A-Z_]+): ", report)
        if not match or match[2] not in accepted.get(match[1], ()) and not ANNOTATED.search(report):
            yield report


def orphans(tree, files):
    """Yield files that no pattern of our entry in MAINTAINERS matches, and patterns without a
    file."""
    text = (tree / "MAINTAINERS").read_text(encoding="utf-8")
    entry = re.search(r"^DRM SAFE HELPERS\n(.+\n)*", text, re.M)
    patterns = re.findall(r"^F:\t(.*)$", entry[0], re.M) if entry else []
    for file in files:
        if not any(fnmatch.fnmatchcase(file, p + "*" if p.endswith("/") else p) for p in patterns):
            yield f"{file}: not in MAINTAINERS"
    for pattern in patterns:
        if not any(tree.glob(pattern)):
            yield f"MAINTAINERS: no file is {pattern}"


def main():
    command, *args = sys.argv[1:]
    found = sections()
    if command == "list":
        print("\n".join(patches()))
    elif command == "letters":
        for letter in letters():
            print(*letter)
    elif command == "left-out":
        files = left_out()
        print(*(f"no patch has {file}" for file in files), sep="\n", end="\n" if files else "")
        sys.exit(bool(files))
    elif command == "orphans":
        lines = list(orphans(pathlib.Path(args[0]), args[1:]))
        if not args[1:]:
            lines.append("there is nothing to check")
        print("\n".join(lines), end="\n" if lines else "")
        sys.exit(bool(lines))
    elif command == "faults":
        lines = dict.fromkeys(line for name in patches() for line in faults(name))
        print(*lines, sep="\n", end="\n" if lines else "")
        sys.exit(bool(lines))
    elif command == "stays":
        lines = list(stays())
        print(*lines, sep="\n", end="\n" if lines else "")
        sys.exit(bool(lines))
    elif command == "unnamed":
        lines = list(unnamed_users())
        print(*lines, sep="\n", end="\n" if lines else "")
        sys.exit(bool(lines))
    elif command == "unaccepted":
        lines = list(unaccepted(sys.stdin))
        print(*lines, sep="", end="")
        sys.exit(bool(lines))
    elif command == "core":
        print("\n".join(core_head(args[0])[1]))
    elif command == "show":
        print("\n".join(found[args[0]].get(args[1], [])))
    elif command == "marks":
        print("\n".join(marks()))
    elif command == "tidy":
        for path in args[1:]:
            tidy(pathlib.Path(path), args[0] == "series")
    elif command == "message":
        text = message(found[args[0]])
        lines = list(refused([(args[0], text)]))
        subjects = [section.get("Subject", [""])[0] for section in found.values()]
        lines += [f"{args[0]}: no patch is {quoted}" for quoted in re.findall(r'"(drm/safe: [^"]*)"', " ".join(text.split()))
                  if quoted not in subjects]
        if lines:
            sys.exit("\n".join(lines))
        print(text, end="")
    elif command == "later":
        lines = later(Series(args[0]))
        print(*lines, sep="\n", end="\n" if lines else "")
        sys.exit(bool(lines))
    elif command == "write":
        write(args[0], pathlib.Path(args[1]))
        print(*(path.relative_to(args[1]) for path in written), sep="\n")
    elif command == "lost":
        missing = list(lost(args[0], pathlib.Path(args[1])))
        print(*(f"not added: {line}" for line in missing), sep="\n", end="\n" if missing else "")
        sys.exit(bool(missing))
    elif command == "converted":
        converted(pathlib.Path(args[0]))
    elif command == "cover":
        path = pathlib.Path(args[1])
        subject, body = letter_text(args[0]).split("\n\n", 1)
        if lines := list(refused([(args[0], subject + body)])):
            sys.exit("\n".join(lines))
        text = path.read_text(encoding="utf-8")
        put(path, text.replace("*** SUBJECT HERE ***", subject).replace("*** BLURB HERE ***", body.rstrip("\n")))
    elif command == "letter":
        print(letter_text(args[0]), end="")
    elif command == "config":
        symbols = Series(args[0]).symbols
        name = os.environ.get("KCONFIG", "")
        for file in ("small.config", f"{name}.kunitconfig"):
            for line in (TOP / "tests" / file).read_text(encoding="utf-8").splitlines():
                symbol = re.match(r"CONFIG_(DRM_SAFE_\w+)=", line)
                if not symbol or symbol[1] in symbols:
                    print(line)
        print("CONFIG_PROC_SYSCTL=y\nCONFIG_DRM_VGEM=y")
        if "DRM_SAFE_SGPU" in symbols:
            # sgpu_fault.c needs these.
            print(f"CONFIG_SAMPLES=y\nCONFIG_{SAMPLE}=y")
            print("CONFIG_DEBUG_KERNEL=y\nCONFIG_DEBUG_FS=y\nCONFIG_FAULT_INJECTION=y\nCONFIG_FAULT_INJECTION_DEBUG_FS=y")
    else:
        sys.exit(__doc__)


main()
