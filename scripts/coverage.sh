#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# coverage.sh: what the KUnit suites reach of the library's lines and branches: a
# table, and HTML in out/coverage. Each branch that they do not reach has its reason
# in tests/coverage.reasons.
#
# A statement without a condition of its own has no decision of the library in it. Its
# branches, which are left out, are those of a macro or inlined function of the
# kernel's: tracepoints, warnings that come once, kmalloc() of a constant size. What
# is asked with WARN_ON_ONCE() never happens.

. "$(dirname "$0")/env.sh"
locked "$@"

OUT=$TOP/out/coverage
DIR=$BUILD/coverage
NO_DECISION='^(?!.*(\b(if|while|for|switch)\b|for_each|\?|&&|\|\||return .* [<>=!]=? )).*;\s*$'
NO_DECISION+='|^\s*drm_safe_broken\(|.*WARN_ON_ONCE\(|^DEFINE_SEQ_ATTRIBUTE'

# report: a table, HTML and JSON of the library's own files.
report() {
	local args=(--root "$TREE/$SAFE" --exclude-unreachable-branches
		--exclude-branches-by-pattern "$NO_DECISION" --exclude '.*_trace\.h' --exclude '.*/tests/'
		--filter "$TREE/$SAFE/drm_")

	rm -rf "$OUT"
	mkdir -p "$OUT"
	(cd "$DIR" && gcovr "${args[@]}" "$DIR/$SAFE" --json "$OUT/coverage.json" \
		--html-details "$OUT/index.html")
}

. "$TOP/scripts/tree.sh"
need_packages gcovr
prepare_tree
build_uml coverage
# What an earlier run reached does not count.
find "$DIR" -name '*.gcda' -delete
# As in kunit.sh, so that no allocation counts but those that are asked for.
kunit exec "$DIR" --build_dir "$DIR" --kernel_args slab_debug=F ${FILTER:+"$FILTER"}
check "the report" report
python3 "$TOP/scripts/coverage.py" "$OUT/coverage.json" "$TREE/$SAFE" "$TOP/tests/coverage.reasons" &&
	passed=$((passed + 1)) || failed=$((failed + 1))
say "written: $OUT/index.html"
finish
