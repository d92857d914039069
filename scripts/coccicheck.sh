#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# coccicheck.sh [DIR]: run the rules of scripts/coccinelle over the C files of a
# driver; each report fails. MACROS=<file> is for the driver's own scopes, in the form
# of scopes.macros. Without DIR, it also shows that each rule bites.

. "$(dirname "$0")/env.sh"

need_packages coccinelle libpython3-dev
rules=$TOP/scripts/coccinelle
export PYTHONPATH=$rules
# The jobs of spatch leave what they say in the working directory for a while.
mkdir -p "$DRM_SAFE_CACHE"
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
export macros=$TMP/macros
cat "$rules/scopes.macros" ${MACROS:+"$MACROS"} >"$macros"
# Some drivers have headers of many megabytes.
ulimit -s "$(ulimit -Hs)"

# rule FILE DIR: what a rule says.
rule() {
	(cd "$DRM_SAFE_CACHE" && DRIVER=$2 spatch --very-quiet --no-includes --include-headers \
		-D report --sp-file "$1" --macro-file "$macros" --dir "$2")
}
export -f rule

# run_rules DIR RULE...: what each says to $TMP/NAME, several at a time.
run_rules() {
	local dir=$1

	shift
	# shellcheck disable=SC2016
	printf '%s\0' "$@" | xargs -0 -P "$JOBS" -n 1 bash -c '
		rule "$2" "$0" >"$1/${2##*/}" 2>&1 || echo "spatch failed" >>"$1/${2##*/}"
		echo ended' "$dir" "$TMP" | progress rules ended $#
}

# silent FILE: is there such a file, and nothing in it?
silent() { [ -e "$1" ] && ! grep . "$1"; }

# sources DIR: its C files, if there is anything for the rules to look at.
sources() {
	[ -d "$1" ] || die "$1 is not a directory"
	find "$1" -name '*.[ch]' | grep . || die "there is no C file in $1"
	(cd "$1" && DRIVER=$1 python3 -c '
import drm_safe_names, sys
sys.exit(not drm_safe_names.driver().uses_library())') ||
		die "no file in $1 includes a header of drm_safe: there is nothing to check"
}

# all_parsed DIR: spatch skips a function with a macro that it does not know, without a
# word. What it has parsed is in $TMP.
all_parsed() {
	local lost

	lost=$(comm -23 <(find "$1" -name '*.[ch]' -print0 | xargs -0 "$rules/functions.pl" | sort -u) \
		<(sort -u "$TMP/functions.spatch"))
	[ -z "$lost" ] ||
		{ printf '%s\n' "$lost" "is not looked at: spatch does not know a macro in it, see MACROS="; return 1; }
}

# driver DIR: all rules on a driver.
driver() {
	local files file

	files=$(sources "$1")
	run_rules "$1" "$rules"/functions.spatch "$rules"/*.cocci
	check "all functions of $(wc -l <<<"$files") files are looked at" all_parsed "$1"
	for file in "$rules"/*.cocci; do
		check "${file##*/}: $(wc -l <<<"$files") files" silent "$TMP/${file##*/}"
	done
}

# bites RULE DIR: it reported the lines that end with its name, and no others.
bites() {
	local name=${1##*/}

	name=${name%.cocci}
	diff <(grep -rn "/\* $name \*/\$" "$2" | cut -d: -f1,2 | sort) \
		<(grep -oE '^[^:]+:[0-9]+' "$TMP/${1##*/}" | sort -u) &&
		grep -rq "/\* $name \*/\$" "$2"
}

# shows_progress DIR: on a terminal, how many rules are left.
shows_progress() {
	local out

	out=$(DRM_SAFE_PROGRESS='' script -qec "'$0' '$1'" /dev/null)
	grep -aq " of [0-9]* rules, [0-9]* s, about [0-9]* s left" <<<"$out" || { echo "$out"; return 1; }
}

if [ -n "${1:-}" ]; then
	driver "$(realpath "$1")"
	finish
	exit
fi

tests=$TOP/tests/coccinelle
driver "$TOP/samples/sgpu"
driver "$TOP/samples/vgpu"
driver "$TOP/samples/edu"
check "a run shows how much is left" shows_progress "$TOP/samples/external"
run_rules "$tests/driver" "$rules"/*.cocci
for file in "$rules"/*.cocci; do
	check "${file##*/} bites" bites "$file" "$tests/driver"
done
check "a driver without the library is an error" \
	fails_with "there is nothing to check" "$0" "$tests/nothing"
check "a directory without files is an error" fails_with "there is no C file" "$0" "$TOP/LICENSES"
check "a directory that is not there is an error" fails_with "not a directory" "$0" "$tests/none"
run_rules "$tests/unparsed" "$rules/functions.spatch"
check "a function that is not parsed is an error" \
	fails_with "macro.c:with_scope" all_parsed "$tests/unparsed"
finish
