#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# docs.sh             build the documentation as HTML; a warning is an error
# docs.sh --check     the same, silent unless it fails
# docs.sh --pictures  the same, and take pictures of the pages
#
# The kernel's own Sphinx configuration and extensions do the work; scripts/docs/conf.py
# adds a little. The pages are built at the place that they would have in a kernel tree, so
# that what passes here can be moved there. Parts of some pages are generated from the
# headers: these are written anew first, and with --check have to be up to date.

. "$(dirname "$0")/env.sh"
locked "$@"

OUT=$TOP/out/docs
PAGES=$OUT/Documentation/gpu/drm-safe

# html: everything is read anew each time, as Sphinx does not repeat the warnings
# of pages that it took from its cache.
html() {
	rm -rf "$OUT"
	mkdir -p "$PAGES" "$OUT/conf"
	cp "$TOP"/Documentation/* "$PAGES"
	ln -s "$TREE"/Documentation/* "$OUT/conf"
	ln -sf "$TOP/scripts/docs/conf.py" "$OUT/conf"
	ln -s "$TREE"/{drivers,MAINTAINERS} "$OUT"
	srctree=$TREE DRM_SAFE_DOCS=$TOP/scripts/docs sphinx-build -b html -W --keep-going -q -c "$OUT/conf" \
		-D kerneldoc_srctree="$TREE" -D html_title="DRM safe helpers" \
		-D project="DRM safe helpers" -D version="Linux $("${KMAKE[@]}" -s kernelversion)" \
		-d "$OUT/doctrees" "$PAGES" "$OUT/html"
}

# has_sections, wants_sections: "file: title" of the DOC sections of the sources, and
# of those that pages ask for.
has_sections() {
	(cd "$TOP" && grep '^ \* DOC: ' /dev/null ./*.[ch]) | sed 's|^\./||; s|: \* DOC: |: |' | sort
}

wants_sections() {
	awk '$2 == "kernel-doc::" { sub(".*/", "", $3); file = $3 }
	     $1 == ":doc:" { sub(" *:doc: *", ""); print file ": " $0 }' "$PAGES"/*.rst | sort
}

# has_messages, tells_messages: what the library says of broken rules, in the sources
# and on the page about it.
has_messages() {
	perl -0ne 'print map { "$_\n" } grep { !/^drm_safe: / }
		/(?:drm_safe_broken|compiletime_error|compiletime_assert|BUILD_ERROR|BUILD_BUG_ON_ZERO)\([^";]*?"([^"]+)"/g,
		/^#error "([^"]+)"/mg,
		/static_assert\((?:[^"#;]|##)*"([^"#]+)"\s*\)/g,
		/__unavailable__\([\s\\]*"([^"]+)"/g,
		map { "no member named \x27$_\x27" } /\b(__only_\w+)(?:\[0\])?;/g' "$TOP"/*.[ch] | sort -u
}

tells_messages() { perl -ne 'print map { "$_\n" } /``(.*?)``/g if /^``/' "$PAGES/messages.rst" | sort; }

# has_events, tells_events: the tracepoints, in the sources and on the page about them.
has_events() {
	perl -0ne 'print map { "$_\n" } /^(?:TRACE_EVENT\(|DEFINE_EVENT\(\w+,\s*)(\w+)/mg' \
		/dev/null "$TOP"/*_trace.h | sort
}

tells_events() {
	perl -ne 'print map { "$_\n" } /``(.*?)``/g if /^   \* - ``/' "$PAGES/debugging.rst" | sort
}

# complete: what Sphinx and kernel-doc leave out without a word.
complete() {
	local symbol rc=0

	diff -u --label "DOC sections" --label "on the pages" \
		<(has_sections) <(wants_sections) || rc=1
	diff -u --label "messages" --label "on the page" \
		<(has_messages) <(tells_messages) || rc=1
	diff -u --label "tracepoints" --label "on the page" <(has_events) <(tells_events) || rc=1
	while read -r symbol; do
		grep -q "id=\"c\.$symbol\"" "$OUT"/html/*.html ||
			{ echo "$symbol() is exported, and on no page"; rc=1; }
	done < <(sed -n 's/^EXPORT_SYMBOL_GPL(\([a-z].*\));/\1/p' "$TOP"/*.c)
	python3 "$TOP/scripts/docs/rendered.py" "$TREE" "$OUT/html" || rc=1
	"$TOP/scripts/docs/plots.sh" --check || rc=1
	return $rc
}

# generated [--check]: what is made of the headers and their comments.
generated() {
	local rc=0

	python3 "$TOP/scripts/docs/functions.py" "$TREE" "$@" || rc=1
	python3 "$TOP/scripts/docs/figures.py" "$TREE" "$@" || rc=1
	return $rc
}

build() { generated "$@" && html && complete; }

need_packages python3-sphinx python3-yaml graphviz universal-ctags
prepare_tree
if [ "${1:-}" = --check ]; then
	log=$(build --check 2>&1) || die "the documentation does not build:"$'\n'"$log"
else
	step "building the documentation" build
	say "read $OUT/html/index.html"
fi
if [ "${1:-}" = --pictures ]; then
	need_packages chromium
	python3 "$TOP/scripts/docs/pictures.py" "$OUT/html" "$OUT/pictures"
fi
