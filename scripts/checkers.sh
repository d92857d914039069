#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# checkers.sh: test that a checker fails if it has nothing to check. Each checker gets an
# empty directory, file or list, or a library without a file. style.sh, coccicheck.sh,
# signalling.sh, prove.sh, w1.sh and sparse.sh have more such tests of their own.

. "$(dirname "$0")/env.sh"
. "$TOP/scripts/guest.sh"
locked "$@"

TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
EMPTY=$TMP/empty
LIBRARY=$TMP/library	# the scripts, without any file to check

# nothing NAME TEXT CMD...: CMD, which has nothing to check, must fail and print TEXT.
nothing() { check "$1: nothing to check is an error" fails_with "${@:2}"; }

# no_results: kunit.py reads a log without results.
no_results() {
	local passed=0 failed=0 skipped=0

	mkdir -p "$TMP/kunit"
	kunit parse "$TMP/kunit" /dev/null >/dev/null
	[ $failed != 0 ] || { echo "$passed passed, $skipped skipped"; return 1; }
}

# of_an_empty_file CMD...: run CMD with kbuild's flags for an empty file.
of_an_empty_file() {
	echo "savedcmd_nothing.o := gcc -c -o nothing.o nothing.c ; true" >"$TMP/cmd"
	"$@"
}

# of_a_row RECORD [N]: check a boot that counted one row, against this record, if any.
of_a_row() {
	local record=$LIBRARY/tests/bench/icount-none.csv

	rm -f "$record"
	[ ! -e "$1" ] || cp "$1" "$record"
	echo "# row: bench,guard,0,1,1000,1000,0,0,0" >"$TMP/row"
	CHECK=1 N=${2:-1000} python3 "$LIBRARY/scripts/icount.py" none "$TMP/row" "$TMP/counted"
}

# made_with COMPILER RESULT: check the same row, whose record is of "a compiler".
made_with() {
	(export MADE=$1; of_a_row "$TMP/made.csv" | grep -F "$2")
}

# of_a_rust_row COST REASONS: check a boot in which a row took 1000 instructions, and COST in Rust,
# if any.
of_a_rust_row() {
	echo "# row: bench,guard,0,1,1000000,1000000,0,0,0" >"$TMP/row"
	[ -z "$1" ] || echo "# row: third,guard,0,$1,0" >>"$TMP/row"
	echo "# row: third,other,0,1000,0" >>"$TMP/row"
	echo "# row: bench,other,0,1,1000,1000,0,0,0" >>"$TMP/row"
	echo "$2" >"$LIBRARY/tests/bench/rust.rows"
	python3 "$LIBRARY/scripts/icount-rust.py" "$TMP/row" "$TMP/counted"
}

# of_the_library FILE SED COMMAND: change a file in a copy of the library, and run COMMAND of
# series.py.
of_the_library() {
	(cd "$TOP" && cp -r -- *.[ch] Kconfig Makefile MAINTAINERS Documentation samples scripts tests "$TMP/copy") &&
		sed -i "$2" "$TMP/copy/$1" && python3 "$TMP/copy/scripts/series.py" "$3"
}

prepare_tree
mkdir -p "$TMP/copy" "$EMPTY" "$LIBRARY/tests/"{misuse,bench} "$LIBRARY/Documentation" "$TMP/include/config"
: >"$TMP/include/config/auto.conf"
cp -r "$TOP/scripts" "$LIBRARY"
: >"$TMP/nothing.c"
: >"$LIBRARY/README.md"
: >"$LIBRARY/tests/rules"
: >"$LIBRARY/Documentation/messages.rst"
for page in dev-ctx shmem gpuvm overview rules tutorial debugging; do
	: >"$LIBRARY/Documentation/$page.rst"
done
gcc -c -o "$TMP/nothing.o" "$TMP/nothing.c"
echo "work,n,raw,safe,raw later,safe later" >"$TMP/no-rows.csv"
{ cat "$TMP/no-rows.csv"; echo "guard,0,1,1,0,0"; } >"$TMP/row.csv"
{ cat "$TMP/no-rows.csv"; echo "guard,100,1,1,0,0"; } >"$TMP/large.csv"
{ cat "$TMP/no-rows.csv"; echo "guard,0,1,1,0,0"; echo "gone,0,1,1,0,0"; } >"$TMP/gone.csv"
echo '{ "files": [] }' >"$TMP/coverage.json"
: >"$TMP/reasons"

nothing "coccicheck" "there is no C file" "$TOP/scripts/coccicheck.sh" "$EMPTY"
nothing "misuse" "there is no C file" of_an_empty_file python3 "$TOP/scripts/misuse.py" \
	--compiler gcc "$TMP" "$TMP/cmd" "" --rules "$TOP/scripts/coccinelle" "$EMPTY"
nothing "misuse, of a driver" "there is no C file" of_an_empty_file python3 "$TOP/scripts/misuse.py" \
	--compiler gcc "$TMP" "$TMP/cmd" "" --rules "$TOP/scripts/coccinelle" \
	--driver "$EMPTY" "$TOP/tests/misuse"
nothing "cost" "nothing to compare" of_an_empty_file python3 "$TOP/scripts/cost.py" \
	"$TMP" "$TMP/cmd" "$TMP/nothing.c"
nothing "icount" "nothing was counted" python3 "$TOP/scripts/icount.py" x86_64 /dev/null "$TMP/counted"
nothing "icount, the record" "nothing is recorded" of_a_row "$EMPTY/none"
nothing "icount, rows of the record" "nothing is recorded" of_a_row "$TMP/no-rows.csv"
nothing "icount, what both have" "nothing is compared" of_a_row "$TMP/large.csv" 10
check "icount: a row that is gone is an error" fails_with "gone: the row is gone" of_a_row "$TMP/gone.csv"
check "icount: a row as recorded passes" of_a_row "$TMP/row.csv"
sed '1a # with a compiler' "$TMP/row.csv" >"$TMP/made.csv"
check "icount: a record of another compiler is skipped" made_with "another compiler" "1 skipped"
check "icount: a record of this compiler is compared" made_with "a compiler" "1 passed"
check "icount: CHECK=1 is not recorded" fails_with "leaves rows out" env CHECK=1 \
	python3 "$TOP/scripts/icount.py" --may-record x86_64
check "icount: a small N is not recorded" fails_with "leaves rows out" env N=0 \
	python3 "$TOP/scripts/icount.py" --may-record x86_64
check "lines: the plugin counts what a guest does" "$TOP/scripts/lines.sh" plugin "$TMP/lines"
: >"$TMP/lines/lines-2.log"
: >"$TMP/lines/lines-2.txt"
nothing "lines" "0 rows and 0 sides" python3 "$TOP/scripts/lines.py" x86_64 "$TMP/lines" "$TMP/counted"
# lines_of WRITTEN PASSED: check one row. Its raw side writes 3 lines in each of 10 repetitions, and
# passes 1 line.
lines_of() {
	local cpus

	for cpus in 2 4; do
		echo "# row: bench,guard, $cpus CPUs,0,1,1,1,0,0,0" >"$TMP/lines/lines-$cpus.log"
		printf '%s\n' "10 30 10" "10 30 10" "10 30 10" "10 $1 $2" >"$TMP/lines/lines-$cpus.txt"
	done
	python3 "$TOP/scripts/lines.py" x86_64 "$TMP/lines" "$TMP/counted"
}
check "lines: a row like the raw side passes" lines_of 30 10
check "lines: a row that writes more is an error" fails_with "FAILED: 2 CPUs, guard" lines_of 40 10
check "lines: a row that passes more is an error" fails_with "FAILED: 4 CPUs, guard" lines_of 30 20
nothing "icount-rust" "nothing was counted" python3 "$TOP/scripts/icount-rust.py" /dev/null "$TMP/counted"
check "icount-rust: a row that costs less in Rust is an error" fails_with "no reason" of_a_rust_row 980000 "#"
check "icount-rust: a row that Rust has not is an error" fails_with "no reason" of_a_rust_row "" "#"
check "icount-rust: a reason that no row needs is an error" fails_with "which no row needs" \
	of_a_rust_row 995000 "guard; fewer; because"
check "icount-rust: a row with a reason passes" of_a_rust_row 980000 "guard; fewer; because"
nothing "examples" "examples: 0 in 0 files" of_an_empty_file python3 "$LIBRARY/scripts/examples.py" \
	--compiler gcc "$TMP" "$TMP/cmd" "" "$LIBRARY"
nothing "layers" "nothing to check" python3 "$TOP/scripts/layers.py"
nothing "layers, the core" "no function to look at" python3 "$TOP/scripts/layers.py" --core "$TMP/nothing.c"
nothing "series, its files" "there is no drm_safe.h" python3 "$LIBRARY/scripts/series.py" left-out
nothing "series, MAINTAINERS" "nothing to check" python3 "$TOP/scripts/series.py" orphans "$TREE"
nothing "rules" "nothing to check: no rules" python3 "$LIBRARY/scripts/rules.py"
nothing "names in the spatch rules" "nothing to check" python3 "$LIBRARY/scripts/rule-names.py" "$TREE"
nothing "signalling, an object" "no function to look at" \
	"$TOP/scripts/signalling.py" check "$TMP/nothing.o"
nothing "signalling, a kernel" "in none of these kernels" \
	"$TOP/scripts/signalling.py" prove "$TMP/nothing.o"
nothing "signalling, what a kernel has" "" "$TOP/scripts/signalling.py" corpus "$TMP/nothing.o"
nothing "conversion" "there is no C file" python3 "$TOP/scripts/convert.py" "$EMPTY"
nothing "coverage" "0.0 %" python3 "$TOP/scripts/coverage.py" "$TMP/coverage.json" "$EMPTY" "$TMP/reasons"
nothing "the log" "no kernel log" "$TOP/scripts/log-clean.sh" "$TMP/nothing.c"
nothing "the logs" "no kernel log" "$TOP/scripts/log-clean.sh"
nothing "index of functions" "no page" python3 "$LIBRARY/scripts/docs/functions.py" "$TREE" --check
check "series: a file in no patch is found" fails_with "no patch has drm_shmem_list.h" \
	of_the_library scripts/series.txt 's/^\(Files:.*\) drm_shmem_list\.h/\1/' left-out
check "series: what stays here is found in a header" fails_with "drm_shmem_list.h:2: /* This" \
	of_the_library drm_shmem_list.h '1a/* This is seen by spatch. */' faults
check "series: what stays here is found in a page" fails_with ": See scripts/check.sh." \
	of_the_library Documentation/shmem.rst '1,9s,^====*$,&\n\nSee scripts/check.sh.,' stays
check "KUnit: a run without results is an error" no_results
SHARE=$EMPTY
check "a guest that says nothing is an error" fails_with "stopped before its work was done" judge nothing 1 0
finish
