#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# bench.sh: time the library and the raw helpers in one boot of a release kernel under
# UML, and in one boot of an SMP kernel, on two processors at a time. Prints a table, and
# writes out/bench/bench.csv and plots. ROUNDS=15 DOCS=1 writes the table of
# Documentation/bench.rst.

. "$(dirname "$0")/env.sh"
locked "$@"

OUT=$TOP/out/bench

# rows KIND KERNEL...: print the lines of that kind in the kernels' logs, without their prefix.
rows() {
	local kind=$1

	shift
	sed -n "s/.*# [a-z_]*: $kind,//p" "${@/%//test.log}"
}

# time_on KERNEL CONFIG ARG...: build the kernel, and run the benchmark on it.
time_on() {
	local name=$1

	build_uml "$1" "$2"
	shift 2
	kunit exec "$BUILD/$name" --build_dir "$BUILD/$name" "$@" \
		--kernel_args "drm_safe_bench.rounds=${ROUNDS:-15}" 'drm_safe_bench*'
}

# table: print the results. A ratio below 1 means that the library is faster.
table() {
	awk -F'\t' 'BEGIN { printf "%-42s %7s %11s %11s %7s\n", "", "N", "raw, ns", "safe, ns", "ratio" }
		{ printf "%-42s %7s %11.2f %11.2f %7s\n", $1, $2 ? $2 : "", $4 / 1000, $5 / 1000,
		  $4 ? sprintf("%.2f", $8 / 1000) : "" }' "$OUT/bench.tsv"
	rows size "$BUILD/bench" | awk -F, '{ print "bytes of one " $1 ": raw " $2 ", safe " $3 }'
	echo "text of the library: $(text_size) bytes"
}

# docs_table: print the same as reStructuredText, with a table for each number of CPUs.
docs_table() {
	local cpus

	printf '%s\n' ".. SPDX-License-Identifier: GPL-2.0-only OR MIT" \
		".. Written by make bench DOCS=1: Linux $("${KMAKE[@]}" -s kernelversion), ${ROUNDS:-15} rounds."
	for cpus in 1 2; do
		printf '%s\n' "" ".. csv-table:: CPUs: $cpus" "   :header: Work,N,Ratio,\"Raw, ns\",\"Safe, ns\"" \
			"   :widths: 40 12 12 18 18" ""
		awk -F'\t' -v cpus=$cpus '
			function ns(ps) { return !ps ? "" : sprintf(ps < 1e6 ? "%.2f" : "%.0f", ps / 1000) }
			sub(/, 2 CPUs$/, "", $1) + 1 == cpus {
				printf "   \"%s\",%s,%s,%s,%s\n", $1, $2 ? $2 : "",
				       $4 ? sprintf("%.2f", $8 / 1000) : "", ns($4), ns($5) }' "$OUT/bench.tsv"
	done
	printf '%s\n' "" ".. csv-table::" "   :header: Memory,\"Raw, bytes\",\"Safe, bytes\"" ""
	rows size "$BUILD/bench" | awk -F, '{ print "   one " $1 "," $2 "," $3 }'
	echo "   \"code of drm_safe.ko\",,$(text_size)"
}

# text_size: print the size of the library's code, in bytes.
text_size() {
	size -t "$BUILD"/bench/drivers/gpu/drm/safe/drm_*.o | awk 'END { print $1 }'
}

# plot NAME: plot the cost against N, as SVG.
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
time_on bench bench/.kunitconfig
time_on bench-smp bench/smp.kunitconfig --kernel_args ncpus=2 --kernel_args seccomp=on
mkdir -p "$OUT"
# A name may have a comma, so take the last seven fields as the numbers.
rows bench "$BUILD"/bench{,-smp} | sed -E ':a; s/,([0-9]+(\t[0-9\t]+)?)$/\t\1/; ta' >"$OUT/bench.tsv"
{
	echo '"work","n","rounds","raw median, ps","safe median, ps","raw minimum, ps","safe minimum, ps","median ratio, 1/1000"'
	sed 's/^\([^\t]*\)/"\1"/; s/\t/,/g' "$OUT/bench.tsv"
} >"$OUT/bench.csv"
table
cut -f1,2 "$OUT/bench.tsv" | awk -F'\t' '$2 { print $1 }' | sort -u | while read -r name; do plot "$name"; done
[ -z "${DOCS:-}" ] || { docs_table >"$TOP/Documentation/bench-table.txt" && "$TOP/scripts/docs/plots.sh"; }
say "written: $OUT/bench.csv and $(find "$OUT" -name '*.svg' | wc -l) plots"
finish
