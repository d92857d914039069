#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# check.sh: everything that proves the library, each part once. A part is a
# command that ends in "N passed, N failed[, N skipped]"; one that does not, or
# that fails without saying what, counts as one.

. "$(dirname "$0")/env.sh"
locked "$@"
report=

# part NAME CMD...
part() {
	local name=$1 log=$DRM_SAFE_CACHE/part.log start=$SECONDS rc=0 p=0 f=0 s=0

	shift
	say "$name"
	"$@" </dev/null 2>&1 | tee "$log" || rc=$?
	if [[ $(tail -n1 "$log") =~ ^([0-9]+)" passed, "([0-9]+)" failed"(, ([0-9]+) skipped)?$ ]]; then
		p=${BASH_REMATCH[1]} f=${BASH_REMATCH[2]} s=${BASH_REMATCH[4]:-0}
	elif [ $rc = 0 ]; then
		p=1
	fi
	[ $rc = 0 ] || [ "$f" != 0 ] || f=1
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	report+=$(printf '%6d s  %-28s %5d passed %3d failed %3d skipped' \
		$((SECONDS - start)) "$name" "$p" "$f" "$s")$'\n'
}

cd "$TOP"
part "kernel source" scripts/kernel.sh source
part "style" scripts/style.sh
part "KUnit, release" scripts/kunit.sh release
part "KUnit, debug" scripts/kunit.sh debug
part "demo, KUnit as modules" scripts/demo.sh --check
part "documentation" scripts/docs.sh --check
part "misuse" scripts/misuse.sh
part "Coccinelle" scripts/coccicheck.sh
part "W=1" scripts/w1.sh
part "external modules, kernel tree" scripts/build-test.sh
printf '\n%s\n' "$report"
finish
