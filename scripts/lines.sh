#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# lines.sh             on two and on four processors, count the cache lines that each operation of
#                      the library and of the raw helpers writes, and those that it shares with
#                      another processor, if one of them writes the line
# lines.sh plugin DIR  build the QEMU plugin that counts them in DIR, and check its counts in a
#                      guest of a few instructions
#
# The kernel is the kernel of make bench-icount, with marked repetitions. A row may be worse than
# the raw side only as far as tests/bench/lines.targets allows. ARCH is x86_64 (the default) or
# arm64. N=1000 is the largest number of objects for which rows are counted. RECORD=1 writes the
# table of Documentation/bench.rst.

. "$(dirname "$0")/env.sh"
. "$TOP/scripts/qemu.sh"
locked "$@"

COUNTS=(-accel "tcg,thread=single" -icount "shift=0,sleep=off")

# build_plugin QEMU DIR: build the plugin for this version of QEMU, because QEMU 9 refuses plugins
# for the first version of the interface.
build_plugin() {
	local version

	version=$("$1" --version | sed -n 's/^QEMU emulator version \([0-9]*\).*/\1/p')
	gcc -O2 -Wall -Wextra -Wno-unused-parameter -Werror -fPIC -shared -fvisibility=hidden \
		-DLINES_PLUGIN_VERSION=$((version < 9 ? 1 : 2)) -o "$2/lines.so" \
		"$TOP/tests/bench/lines.c"
}

# marks FILE: print the addresses in this program at which a side of a pair begins, a repetition
# ends, and the work of a processor ends.
marks() {
	nm "$1" | sed -nE -e 's/^(\w+) [aAtT] bench_once$/side \1/p' \
		-e 's/^(\w+) [aAtT] bench_repeats_[0-9]+$/repeats \1/p' \
		-e 's/^(\w+) [aAtT] bench_stop(_[0-9]+)?$/stop \1/p'
}

# plugin DIR: build the plugin in DIR, and check its counts.
plugin() {
	local dir=$1 counted

	need_packages gcc binutils qemu-system-x86
	mkdir -p "$dir"
	build_plugin qemu-system-x86_64 "$dir"
	gcc -m32 -nostdlib -static -Wl,-Ttext=0x100000,--build-id=none -o "$dir/lines-guest" \
		"$TOP/tests/bench/lines-guest.S"
	marks "$dir/lines-guest" >"$dir/lines-guest.marks"
	timeout -s KILL 600 qemu-system-x86_64 "${COUNTS[@]}" -smp 2 -nodefaults -nographic \
		-no-reboot -device isa-debug-exit,iobase=0xf4,iosize=1 -kernel "$dir/lines-guest" \
		-plugin "$dir/lines.so,marks=$dir/lines-guest.marks,out=$dir/lines-guest.txt" || true
	counted=$(<"$dir/lines-guest.txt")
	[ "$counted" = "$(sed -n 's/.*counts: \([0-9 ]*\)\..*/\1/p' "$TOP/tests/bench/lines-guest.S")" ] ||
		{ echo "the plugin counts $counted"; return 1; }
}

count_on() {
	local cpus=$1 log=$DIR/lines-$1.log

	say "counting on $cpus processors"
	qemu_boot "$DIR" "${COUNTS[@]}" -smp "$cpus" -m 3G \
		-plugin "$DIR/lines.so,marks=$DIR/lines.marks,out=$DIR/lines-$cpus.txt" |
		tee "$log" | progress rows '# [a-z_]*: bench,' || true
	kunit parse "$DIR" "$log"
}

if [ "${1:-}" = plugin ]; then
	plugin "$2"
	exit
fi

ARCH=${ARCH:-x86_64}
CONFIGS=("$TOP/tests/bench/icount.kunitconfig" "$TOP/tests/bench/icount-$ARCH.config")
DIR=$BUILD/icount-$ARCH
ARGS="kunit_shutdown=reboot kunit.filter_glob=${FILTER:-drm_safe_bench*} nokaslr"
ARGS+=" rcutree.use_softirq=0 drm_safe_bench.rounds=1 drm_safe_bench.divide=1000"
ARGS+=" drm_safe_bench.most=${N:-1000}"
[ "$ARCH" != x86_64 ] || ARGS+=" tsc=reliable"

prepare_tree
qemu_arch "$ARCH"
mkdir -p "$DIR"
# Only the objects of the benchmark use this symbol.
echo CONFIG_DRM_SAFE_BENCH_MARKS=y >"$DIR/marks.config"
CONFIGS+=("$DIR/marks.config")
step "building the kernel for $ARCH in $DIR" qemu_build "$ARCH" "$DIR" "${CONFIGS[@]}" ||
	die "the kernel does not build"
check "the plugin counts what a guest does" plugin "$DIR"
[ "$ARCH" = x86_64 ] || build_plugin "${QEMU[0]}" "$DIR"
marks "$DIR/vmlinux" >"$DIR/lines.marks"
for cpus in 2 4; do
	count_on $cpus
done
[ "$failed" = 0 ] || { finish; exit; }
mkdir -p "$TOP/out/bench"
rc=0
"$TOP/scripts/lines.py" "$ARCH" "$DIR" "$TOP/out/bench/lines-$ARCH.txt" || rc=$?
[ -z "${RECORD:-}" ] || cp "$TOP/out/bench/lines-$ARCH.txt" "$TOP/Documentation/lines-table.txt"
exit $rc
