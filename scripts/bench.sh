#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# bench.sh: time the library against the raw helpers in one boot of a release
# kernel under UML: a table, and out/bench/bench.csv and plots. ROUNDS=15

. "$(dirname "$0")/env.sh"
locked "$@"

OUT=$TOP/out/bench

# rows KIND: the lines of that kind in the kernel's log, without what is before.
rows() {
	sed -n "s/.*# [a-z_]*: $1,//p" "$BUILD/bench/test.log"
}

# table: ratios below 1 say that this library is faster.
table() {
	awk -F'\t' 'BEGIN { printf "%-34s %7s %11s %11s %7s\n", "", "N", "raw, ns", "safe, ns", "ratio" }
		{ printf "%-34s %7s %11.2f %11.2f %7s\n", $1, $2 ? $2 : "", $4 / 1000, $5 / 1000,
		  $4 ? sprintf("%.2f", $5 / $4) : "" }' "$OUT/bench.tsv"
	rows size | awk -F, '{ print "bytes of one " $1 ": raw " $2 ", safe " $3 }'
	size -t "$BUILD"/bench/drivers/gpu/drm/safe/drm_*.o | awk 'END { print "text of the library: " $1 " bytes" }'
}

# plot NAME: cost against N, as SVG.
plot() {
	gnuplot <<-EOF
		set terminal svg size 640,420
		set output "$OUT/${1// /-}.svg"
		set logscale x
		set xlabel "N"
		set ylabel "ns"
		set yrange [0:*]
		set key left top
		set datafile separator "\t"
		plot "< awk -F'\t' '\$1 == \"$1\"' $OUT/bench.tsv" using 2:(\$4/1000) with linespoints title "raw", \
		     "" using 2:(\$5/1000) with linespoints title "safe"
	EOF
}

need_packages gnuplot-nox binutils
prepare_tree
build_uml bench bench/.kunitconfig
kunit exec "$BUILD/bench" --build_dir "$BUILD/bench" --kernel_args "drm_safe_bench.rounds=${ROUNDS:-15}" \
	'drm_safe_bench*'
mkdir -p "$OUT"
# A name may have a comma: the last six are the numbers.
rows bench | sed -E 's/,([0-9]+),([0-9]+),([0-9]+),([0-9]+),([0-9]+),([0-9]+)$/\t\1\t\2\t\3\t\4\t\5\t\6/' >"$OUT/bench.tsv"
{
	echo '"work","n","rounds","raw median, ps","safe median, ps","raw minimum, ps","safe minimum, ps"'
	sed 's/^\([^\t]*\)/"\1"/; s/\t/,/g' "$OUT/bench.tsv"
} >"$OUT/bench.csv"
table
cut -f1,2 "$OUT/bench.tsv" | awk -F'\t' '$2 { print $1 }' | sort -u | while read -r name; do plot "$name"; done
say "written: $OUT/bench.csv and $(find "$OUT" -name '*.svg' | wc -l) plots"
finish
