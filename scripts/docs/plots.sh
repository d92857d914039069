#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# plots.sh          draw Documentation/bench-*.svg from the tables of bench-table.txt, and
#                   bench-icount.svg from tests/bench/icount-*.csv
# plots.sh --check  fail if they were drawn from other figures

. "$(dirname "$0")/../env.sh"

DOCS=$TOP/Documentation
TABLE=$DOCS/bench-table.txt
SUM=$(cat "$TABLE" "$TOP"/tests/bench/icount-*.csv | sha1sum | cut -d' ' -f1)

# rows: CPUs, name, N, ratio, raw and safe of each line that has both sides, by tabs.
rows() {
	sed -nE -e '/^\.\. csv-table:: CPUs: /{ s///; h; }' -e '/^   "([^"]*)",([0-9]*),([0-9.]+),([0-9.]+),([0-9.]+)$/{
		s//\1\t\2\t\3\t\4\t\5/; G; s/(.*)\n(.*)/\2\t\1/; p; }' "$TABLE"
}

# of NAME: N, raw and safe on one CPU.
of() { rows | awk -F'\t' -v name="$1" '$1 == 1 && $2 == name { print $3, $5, $6 }'; }

# ratios: name and ratio on one CPU and on two; with the N in the middle where it matters.
ratios() {
	rows | awk -F'\t' '
		$3 && $3 != 10000 { next }
		{ name = $3 ? $2 ", N = " $3 : $2 }
		!(name in seen) { seen[name] = 1; order[n++] = name }
		{ ratio[name, $1] = $4 }
		END { for (i = 0; i < n; i++) print order[i] "\t" n - 1 - i "\t" ratio[order[i], 1] "\t" ratio[order[i], 2] }'
}

# draw NAME WIDTH HEIGHT: run gnuplot on standard input, and name the figures in its picture.
draw() {
	{
		printf 'set terminal svg size %s,%s font "sans,13" background "white"\n' "$2" "$3"
		cat
	} | gnuplot | sed "1a <!-- SPDX-License-Identifier: GPL-2.0-only OR MIT -->\n<!-- drawn by scripts/docs/plots.sh from figures $SUM -->" >"$DOCS/$1.svg"
}

# draw_ratios NAME DATA WHAT TITLE1 TITLE2: two bars for each line of DATA.
draw_ratios() {
	local data=$2

	draw "$1" 640 $((60 + 34 * $(wc -l <"$data"))) <<-EOF
		set datafile separator "\t"
		set xrange [0:1.5<*]
		set yrange [-0.6:$(wc -l <"$data")]
		set ytics scale 0
		set lmargin at screen 0.46
		set xlabel "$3, library / raw"
		set grid xtics
		set key outside top center horizontal
		set arrow from 1, graph 0 to 1, graph 1 nohead lw 1.5 lc rgb "black"
		set style fill solid
		plot "$data" using (\$3 / 2):(\$2 + 0.18):(\$3 / 2):(0.16):ytic(1) with boxxyerror lc rgb "#3465a4" title "$4", \
		     "" using (\$4 / 2):(\$2 - 0.18):(\$4 / 2):(0.16) with boxxyerror lc rgb "#f57900" title "$5"
	EOF
}

# draw_lines PICTURE WORK...: cost against N, a panel for each work.
draw_lines() {
	local picture=$1 dir=$2 name

	shift 2
	{
		echo "set multiplot layout $((($# + 1) / 2)),2"
		printf '%s\n' "set logscale xy" 'set format x "10^{%L}"' "set grid" "set key top left" \
			'set yrange [10:10000]' 'set format y "10^{%L}"' 'set xlabel "N"' 'set ylabel "ns"'
		for name; do
			of "$name" >"$dir/${name// /-}"
			echo "set title \"$name\""
			echo "plot \"$dir/${name// /-}\" using 1:2 with linespoints lw 2 dt 2 lc rgb \"#555753\" title \"raw\"," \
				"\"\" using 1:3 with linespoints lw 2 lc rgb \"#3465a4\" title \"library\""
		done
	} | draw "$picture" 640 $((270 * (($# + 1) / 2)))
}

if [ "${1:-}" = --check ]; then
	for name in ratios gpuvm icount; do
		grep -qs "from figures $SUM" "$DOCS/bench-$name.svg" ||
			die "Documentation/bench-$name.svg is out of date: scripts/docs/plots.sh draws it"
	done
	exit
fi
need_packages gnuplot-nox
tmp=$(mktemp -d)
trap 'rm -r "$tmp"' EXIT
ratios >"$tmp/ratios"
draw_ratios bench-ratios "$tmp/ratios" time "1 CPU" "2 CPUs"
"$TOP/scripts/icount.py" --ratios >"$tmp/icount"
arches=("$TOP"/tests/bench/icount-*.csv)
arches=("${arches[@]##*/icount-}")
arches=("${arches[@]%.csv}")
# With one architecture, all bars of the second are missing.
sed -i '/^[^\t]*\t[^\t]*\t[^\t]*$/s/$/\tNaN/' "$tmp/icount"
draw_ratios bench-icount "$tmp/icount" instructions "${arches[0]}" "${arches[1]:-}"
draw_lines bench-gpuvm "$tmp" map unmap split "whole driver path"
say "written: Documentation/bench-ratios.svg, bench-gpuvm.svg and bench-icount.svg"
