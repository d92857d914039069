#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# coccicheck.sh [DIR]: run the rules of scripts/coccinelle over the C files of a
# driver; each report fails. MACROS=<file> is for the driver's own scopes, in the form
# of scopes.macros. Without DIR, it also tests that each rule finds its mistakes.

. "$(dirname "$0")/env.sh"

need_packages coccinelle libpython3-dev
rules=$TOP/scripts/coccinelle
export PYTHONPATH=$rules
# The jobs of spatch keep their output in the working directory for a while.
mkdir -p "$DRM_SAFE_CACHE"
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
export macros=$TMP/macros
cat "$rules/scopes.macros" ${MACROS:+"$MACROS"} >"$macros"
# Some drivers have headers of many megabytes.
ulimit -s "$(ulimit -Hs)"

# rule FILE DIR: print the reports of a rule.
rule() {
	(cd "$DRM_SAFE_CACHE" && DRIVER=$2 spatch --very-quiet --no-includes --include-headers \
		-D report --sp-file "$1" --macro-file "$macros" --dir "$2")
}
export -f rule

# run_rules DIR RULE...: write the reports of each rule to $TMP/NAME, several at a time.
run_rules() {
	local dir=$1

	shift
	# shellcheck disable=SC2016
	printf '%s\0' "$@" | xargs -0 -P "$JOBS" -n 1 bash -c '
		rule "$2" "$0" >"$1/${2##*/}" 2>&1 || echo "spatch failed" >>"$1/${2##*/}"
		echo ended' "$dir" "$TMP" | progress rules ended $#
}

# silent FILE: check that the file exists and is empty.
silent() { [ -e "$1" ] && ! grep . "$1"; }

# sources DIR: print the C files of a directory, if the rules have anything to check there.
sources() {
	[ -d "$1" ] || die "$1 is not a directory"
	find "$1" -name '*.[ch]' | grep . || die "there is no C file in $1"
	(cd "$1" && DRIVER=$1 python3 -c '
import drm_safe_names, sys
sys.exit(not drm_safe_names.driver().uses_library())') ||
		die "no file in $1 includes a header of drm_safe: there is nothing to check"
}

# all_parsed DIR: check that spatch has parsed all functions. It silently skips a function with
# an unknown macro. $TMP has the parsed functions.
all_parsed() {
	local lost

	lost=$(comm -23 <(find "$1" -name '*.[ch]' -print0 | xargs -0 "$rules/functions.pl" | sort -u) \
		<(sort -u "$TMP/functions.spatch"))
	[ -z "$lost" ] ||
		{ printf '%s\n' "$lost" "is not looked at: spatch does not know a macro in it, see MACROS="; return 1; }
}

# only_lost DIR FUNCTION: check that this one function is not parsed.
only_lost() {
	local lost

	lost=$(all_parsed "$1") && return 1
	[ "$(grep -c . <<<"$lost")" = 2 ] && grep -q ":$2\$" <<<"$lost"
}

# driver DIR: run all rules on a driver.
driver() {
	local files file

	files=$(sources "$1")
	run_rules "$1" "$rules"/functions.spatch "$rules"/*.cocci
	check "all functions of $(wc -l <<<"$files") files are looked at" all_parsed "$1"
	for file in "$rules"/*.cocci; do
		check "${file##*/}: $(wc -l <<<"$files") files" silent "$TMP/${file##*/}"
	done
}

# bites RULE DIR: check that the rule reported the lines that end with its name, and no others.
bites() {
	local name=${1##*/}

	name=${name%.cocci}
	diff <(grep -rn "/\* $name \*/\$" "$2" | cut -d: -f1,2 | sort) \
		<(grep -oE '^[^:]+:[0-9]+' "$TMP/${1##*/}" | sort -u) &&
		grep -rq "/\* $name \*/\$" "$2"
}

# shows_progress DIR: check that a terminal shows how many rules are left.
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
check "and none that the preprocessor leaves out" only_lost "$tests/unparsed" with_scope
finish
