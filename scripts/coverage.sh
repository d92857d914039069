#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# coverage.sh: measure the lines and branches of the library that the KUnit suites reach.
# Prints a table, and writes HTML to out/coverage. tests/coverage.reasons has a reason for
# each branch that they do not reach.
#
# A statement without a condition of its own contains no decision of the library. Its
# branches belong to macros or inlined functions of the kernel, such as tracepoints,
# one-time warnings and kmalloc() of a constant size, so they are left out. Conditions of
# WARN_ON_ONCE() are never true.

. "$(dirname "$0")/env.sh"
locked "$@"

OUT=$TOP/out/coverage
DIR=$BUILD/coverage
NO_DECISION='^(?!.*(\b(if|while|for|switch)\b|for_each|\?|&&|\|\||return .* [<>=!]=? )).*;\s*$'
NO_DECISION+='|^\s*drm_safe_broken\(|.*WARN_ON_ONCE\(|^DEFINE_SEQ_ATTRIBUTE'

# report: write a table, HTML and JSON for the library's own files.
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
# Remove the counts of an earlier run.
find "$DIR" -name '*.gcda' -delete
# kunit.sh uses slab_debug=F, too. With it, only requested allocations count.
kunit exec "$DIR" --build_dir "$DIR" --kernel_args slab_debug=F ${FILTER:+"$FILTER"}
check "the report" report
python3 "$TOP/scripts/coverage.py" "$OUT/coverage.json" "$TREE/$SAFE" "$TOP/tests/coverage.reasons" &&
	passed=$((passed + 1)) || failed=$((failed + 1))
say "written: $OUT/index.html"
finish
