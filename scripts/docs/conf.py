# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""The kernel's Sphinx configuration, with changes that these pages need until the kernel has them.

If all members of a struct are private, then kernel-doc prints empty braces, and a heading without
members. Leave out both. A browser breaks a line after the minus of an error code, so keep the minus
and the name together.
"""
# pylint: disable=exec-used,invalid-name,missing-function-docstring,undefined-variable
import os
import re

from docutils import nodes

with open(os.path.join(os.environ["srctree"], "Documentation/conf.py"), encoding="utf-8") as file:
    exec(compile(file.read(), __file__, "exec"))

html_static_path.append(os.environ["DRM_SAFE_DOCS"])
html_css_files.append("pages.css")
kernel_setup = setup


def opaque(_app, doctree):
    """Leave out empty definitions, and headings that nothing follows."""
    for definition in list(doctree.findall(nodes.literal_block)):
        if not re.fullmatch(r"(struct|union) \w+ \{\s*\};?", definition.astext()):
            continue
        container = definition.parent
        before = container[container.index(definition) - 1]
        for node in (before, definition):
            container.remove(node)
        if container.astext() == "Members":
            container.parent.remove(container)


def breakable(table):
    """Allow line breaks in the names of a table only after an underscore: see pages.css."""
    return re.sub(r"(?<=[A-Za-z])_(?=\w)(?![^<]*>)", "_<wbr>", table[0])


def lines(_app, _page, _template, context, _doctree):
    """Mark places for line breaks, and keep a minus and the name of an error together."""
    if "body" in context:
        body = re.sub(r"(?<=[\s(])-E[A-Z]{2,}\b", r'<span class="together">\g<0></span>', context["body"])
        context["body"] = re.sub(r"<table\b.*?</table>", breakable, body, flags=re.S)


def setup(app):
    kernel_setup(app)
    app.connect("doctree-read", opaque)
    app.connect("html-page-context", lines)
