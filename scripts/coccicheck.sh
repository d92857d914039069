#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# coccicheck.sh [DIR]: run the rules of scripts/coccinelle over the C files of a
# driver; each report fails. make misuse shows that each rule bites.

. "$(dirname "$0")/env.sh"

need_packages coccinelle libpython3-dev
dir=$(realpath "${1:-$TOP/samples/sgpu}")
cd "$TOP"
count=$(find "$dir" -name '*.[ch]' | wc -l)

# silent CMD...: does CMD succeed without a word?
silent() {
	local out rc=0

	out=$("$@" 2>&1) || rc=1
	[ -z "$out" ] || { echo "$out"; rc=1; }
	return $rc
}

for rule in scripts/coccinelle/*.cocci; do
	check "${rule##*/}: $count files" silent env DRIVER="$dir" \
		spatch --very-quiet --no-includes --include-headers -D report --sp-file "$rule" \
		--macro-file scripts/coccinelle/scopes.macros --dir "$dir"
done
finish
