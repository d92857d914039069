#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# docs.sh             build the documentation as HTML; a warning is an error
# docs.sh --check     the same, but silent unless it fails
# docs.sh --pictures  the same, and take pictures of the pages
#
# The kernel's own Sphinx configuration and extensions do the work; scripts/docs/conf.py
# adds a little. The pages are built at the place that they would have in a kernel tree, so
# that a page that passes here also works there. Parts of some pages are generated from the
# headers: these are written first, and with --check they must be up to date.

. "$(dirname "$0")/env.sh"
locked "$@"

OUT=$TOP/out/docs
PAGES=$OUT/Documentation/gpu/drm-safe

# html: build all pages without a cache, because Sphinx does not repeat the warnings of
# cached pages.
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

# has_sections, wants_sections: print "file: title" of the DOC sections in the sources, and of the
# sections that pages include.
has_sections() {
	(cd "$TOP" && grep '^ \* DOC: ' /dev/null ./*.[ch]) | sed 's|^\./||; s|: \* DOC: |: |' | sort
}

wants_sections() {
	awk '$2 == "kernel-doc::" { sub(".*/", "", $3); file = $3 }
	     $1 == ":doc:" { sub(" *:doc: *", ""); print file ": " $0 }' "$PAGES"/*.rst | sort
}

# has_messages, tells_messages: print the messages of the library, in the sources and on the page
# about them.
has_messages() {
	perl -0ne 'print map { "$_\n" } grep { !/^drm_safe: / }
		/(?:drm_safe_broken|compiletime_error|compiletime_assert|BUILD_ERROR|BUILD_BUG_ON_ZERO)\([^";]*?"([^"]+)"/g,
		/^#error "([^"]+)"/mg,
		/static_assert\((?:[^"#;]|##)*"([^"#]+)"\s*\)/g,
		/__unavailable__\([\s\\]*"([^"]+)"/g,
		map { "no member named \x27$_\x27" } /\b(__only_\w+)(?:\[0\])?;/g' "$TOP"/*.[ch] | sort -u
}

tells_messages() { perl -ne 'print map { "$_\n" } /``(.*?)``/g if /^``/' "$PAGES/messages.rst" | sort; }

# has_events, tells_events: print the tracepoints, in the sources and on the page about them.
has_events() {
	perl -0ne 'print map { "$_\n" } /^(?:TRACE_EVENT\(|DEFINE_EVENT\(\w+,\s*)(\w+)/mg' \
		/dev/null "$TOP"/*_trace.h | sort
}

tells_events() {
	perl -ne 'print map { "$_\n" } /``(.*?)``/g if /^   \* - ``/' "$PAGES/debugging.rst" | sort
}

# complete: check for omissions that Sphinx and kernel-doc do not report.
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

# generated [--check]: write or check the files that are made from the headers.
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
