#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# coccicheck.sh [DIR]: run the rules of scripts/coccinelle over the C files of a
# driver; each report fails. make misuse shows that each rule bites.

. "$(dirname "$0")/env.sh"

need_packages coccinelle libpython3-dev
dir=$(realpath "${1:-$TOP/samples/sgpu}")
rules=$TOP/scripts/coccinelle
# The jobs of spatch leave what they say in the working directory for a while.
mkdir -p "$DRM_SAFE_CACHE"
cd "$DRM_SAFE_CACHE"
# Some drivers have headers of many megabytes.
ulimit -s "$(ulimit -Hs)"
count=$(find "$dir" -name '*.[ch]' | wc -l)

# silent CMD...: does CMD succeed without a word?
silent() {
	local out rc=0

	out=$("$@" 2>&1) || rc=1
	[ -z "$out" ] || { echo "$out"; rc=1; }
	return $rc
}

for rule in "$rules"/*.cocci; do
	check "${rule##*/}: $count files" silent env DRIVER="$dir" \
		spatch --very-quiet --no-includes --include-headers -D report --sp-file "$rule" \
		--macro-file "$rules/scopes.macros" --jobs "$JOBS" --chunksize 10 --dir "$dir"
done
finish
