#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# coccicheck.sh [DIR]: run the rules of scripts/coccinelle over the C files of a
# driver; each report fails. make misuse shows that each rule bites.

. "$(dirname "$0")/env.sh"

need_packages coccinelle
dir=$(realpath "${1:-$TOP/samples/sgpu}")
cd "$TOP"
mapfile -t files < <(find "$dir" -name '*.[ch]' | sort)
for rule in scripts/coccinelle/*.cocci; do
	reports=$(spatch --very-quiet --no-includes -D report --sp-file "$rule" \
		--macro-file scripts/coccinelle/scopes.macros "${files[@]}" 2>&1)
	check "${rule##*/}: ${#files[@]} files" eval '[ -z "$reports" ] || { echo "$reports"; false; }'
done
finish
