#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Check the rendered pages.

rendered.py TREE HTML: TREE is the kernel tree with this directory in it, HTML the
directory with the pages. Fails, with a line for each, if

- a block of code has no language;
- a word of prose is marked up as a type, as in "the struct of the driver";
- a page has kernel-doc's & before a name, which means nothing there;
- a struct is shown with empty braces;
- a page or a DOC section names a function, macro or type of the library's headers that
  has no kernel-doc on any page. That of drm_foo_read() is enough for drm_foo_read32();
- a page names something with one of the library's prefixes that does not exist.
"""
import html
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]

# Prefixes of the library's names. Its headers also have some names of the kernel.
OURS = r"(?:DRM_|drm_|drmm_|DEFINE_DRM_)"
PREFIXES = r"(?:drm_dev_ctx|drm_shmem|drmm_shmem|drm_vmap|drm_gpuvm|drm_safe)_"


def without_comments(path):
    """The code of a C file."""
    return re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.S)


def defined(path):
    """The macros, types and functions of a header."""
    text = without_comments(path)
    found = set(re.findall(r"^#define (\w+)(?!\w)(?! *$)", text, re.M))
    found |= set(re.findall(r"^(?:struct|union|enum) (\w+) \{", text, re.M))
    # Do not look at the bodies of macros.
    text = re.sub(r"^#.*(?:\\\n.*)*", "", text, flags=re.M)
    found |= set(re.findall(r"^[A-Za-z_][\w\s\*]*?\b(\w+)\((?!_)", text, re.M))
    return {name for name in found if re.match(OURS, name)}


def told():
    """Return the files that tell drivers what to use: the pages, and the DOC sections that they
    include."""
    for path in sorted(TOP.glob("Documentation/*.rst")):
        if not path.name.startswith("misuse-"):
            yield path.name, re.sub(r"\b\w+\.[ch]\b", "", path.read_text(encoding="utf-8"))
    for path in sorted(TOP.glob("*.[ch]")):
        for section in re.findall(r"/\*\*\n \* DOC: .*?\*/", path.read_text(encoding="utf-8"), re.S):
            yield path.name, section


def words(files):
    """All words of some files."""
    return set().union(*(re.findall(r"\b\w+\b", path.read_text(encoding="utf-8", errors="replace"))
                         for path in files))


def is_type(tree, kind, name):
    """Check whether a word after "struct" and the like is a type. A word of prose has no
    underscore."""
    if "_" in name:
        return True
    pattern = re.compile(rf"^\s*{kind} {name} \{{", re.M)
    return any(pattern.search(path.read_text(encoding="utf-8", errors="replace"))
               for where in ("include/linux", "include/drm") for path in (tree / where).glob("*.h"))


def without_kernel_doc(core, pages):
    """Yield names that the pages tell drivers to use and that have no description."""
    documented = set(re.findall(r'id="c\.([\w]+)', "".join(pages.values())))
    ours = set().union(*(defined(path) for path in TOP.glob("*.h")
                         if not re.search(r"_(?:internal|trace|core)\.h$", path.name)))
    documented |= {name for name in ours if documented & {re.sub(r"\d+(?=$|_relaxed$)", "", name),
                                                          re.sub(r"\d+$", "8", name)}}
    for where, text in told():
        for name in sorted(set(re.findall(r"\b\w+\b", text)) & ours - core - documented):
            yield f"{where}: {name} has no kernel-doc on any page"


def on_page(source, known, tree):
    """Yield the problems of a page."""
    for code in re.findall(r'<div class="highlight-(?:none|default) .*?<pre>(.*?)</pre>', source, re.S):
        first = html.unescape(re.sub(r"<[^>]*>", "", code)).strip().splitlines()[0]
        yield f"a block without a language: {first}"
    for kind, name in re.findall(
            r'<code class="xref c c-(?:struct|union|enum|type)[^>]*>'
            r'<span class="pre">(struct|union|enum|typedef)</span> <span class="pre">(\w+)', source):
        if not is_type(tree, kind, name):
            yield f'prose taken for a type: "{kind} {name}"'
    body = source[source.index('<div class="body"'):]
    prose = re.sub(r'<pre>.*?</pre>|<code class="docutils literal.*?</code>|<[^>]*>', "", body,
                   flags=re.S)
    for name in re.findall(r"&(?:(?:struct|union|enum) \w+|[a-z]\w*\.\w+)", html.unescape(prose)):
        yield f"the & of kernel-doc is shown: {name}"
    text = html.unescape(re.sub(r"<[^>]*>", "", body))
    for name in re.findall(r"^((?:struct|union) \w+) \{\s*\};", text, re.M):
        yield f"{name} has empty braces"
    names = re.findall(rf"\b({PREFIXES}\w+|DRM_(?:DEV_CTX|SHMEM|VMAP|GPUVM)_\w+)\(\)", text)
    names += re.findall(rf"\bstruct ({PREFIXES}\w+)\b", text)
    for name in sorted(set(names) - known):
        yield f"there is no {name}"


def main():
    """Check all pages."""
    tree = pathlib.Path(sys.argv[1])
    pages = {path.stem: path.read_text(encoding="utf-8")
             for path in sorted(pathlib.Path(sys.argv[2]).glob("*.html"))
             if path.stem not in ("genindex", "search")}
    core = words([*(tree / "include/drm").rglob("*.h"), *(tree / "include/uapi/drm").glob("*.h")])
    known = core | words(path for where in ("*.[ch]", "samples/*/*.[ch]") for path in TOP.glob(where))
    problems = [f"{stem}: {problem}" for stem, source in pages.items()
                for problem in on_page(source, known, tree)]
    problems += without_kernel_doc(core, pages)
    if problems:
        print("\n".join(problems))
    return 1 if problems or not pages else 0


if __name__ == "__main__":
    sys.exit(main())
