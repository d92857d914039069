#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# docs.sh          build the documentation as HTML; a warning is an error
# docs.sh --check  the same, silent unless it fails
#
# The kernel's own Sphinx configuration and extensions do the work. The pages are
# built at the place that they would have in a kernel tree, so that what passes
# here can be moved there.

. "$(dirname "$0")/env.sh"
locked "$@"

OUT=$TOP/out/docs
PAGES=$OUT/Documentation/gpu/drm-safe

# Everything is read anew each time: Sphinx does not repeat the warnings of pages
# that it took from its cache.
build() {
	rm -rf "$OUT"
	mkdir -p "$PAGES"
	cp "$TOP"/Documentation/*.rst "$PAGES"
	ln -s "$TREE"/{drivers,MAINTAINERS} "$OUT"
	srctree=$TREE sphinx-build -b html -W --keep-going -q -c "$TREE/Documentation" \
		-D kerneldoc_srctree="$TREE" -D html_title="DRM safe helpers" \
		-D project="DRM safe helpers" -D version="Linux $("${KMAKE[@]}" -s kernelversion)" \
		-d "$OUT/doctrees" "$PAGES" "$OUT/html"
}

need_packages python3-sphinx python3-yaml graphviz
prepare_tree
if [ "${1:-}" = --check ]; then
	log=$( (build) 2>&1) || die "the documentation does not build:"$'\n'"$log"
else
	step "building the documentation" build
	say "read $OUT/html/index.html"
fi
