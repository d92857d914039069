#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# icount.sh: count the instructions of the library and of the raw helpers, in one boot of QEMU
# with -icount. The guest's clock then advances one nanosecond for each instruction, so each run
# gives the same figures. ARCH is x86_64 (the default) or arm64.
#
# The rows are compared with tests/bench/icount-ARCH.csv and with tests/bench/icount.targets. RECORD=1
# lists the rows that are worse than the record, and writes a new record, with the tables and the plot
# of Documentation/bench.rst. CHECK=1 leaves out the targets, and the rows of many objects, so that
# it takes no longer than the boot. N=100000 is the largest number of objects for which rows are counted.
# A record has the rows of all suites, and no smaller N than the record before it. It is valid for
# one compiler and one kernel. With others, the comparison counts as skipped.
# SHOW='guard_raw guard_safe' only disassembles these functions of tests/bench, and builds no kernel.
#
# RUST=1 lets the kernel's Rust abstractions do the same work in the same boot, in a root of Debian
# sid with its gcc and rustc. It prints all three figures, and the rows that cost less in Rust.
# Without a Rust toolchain, this is skipped.

. "$(dirname "$0")/env.sh"
. "$TOP/scripts/qemu.sh"
locked "$@"

ARCH=${ARCH:-x86_64}

# rust_toolchain: provide a toolchain that the kernel's own script accepts.
rust_toolchain() {
	need_packages rustc rust-src bindgen rustfmt binutils
	make -C "$TREE" --no-print-directory -s ARCH="$ARCH" rustavailable
}

# without_rust WHY: count the comparison with Rust as skipped.
without_rust() {
	echo "skipped: the Rust abstractions: $1"
	skipped=1
	finish
	exit
}

if [ -n "${RUST:-}" ] && [ -z "${SID_ROOT:-}" ]; then
	[ -z "${RECORD:-}" ] || die "the record is of a kernel without Rust"
	prepare_tree
	cd "$TOP"
	why=$(scripts/sid-root.sh true 2>&1 3>&1) ||
		without_rust "no root of Debian sid: ${why##*$'\n'}"
	DRM_SAFE_PREPARED=$TREE exec scripts/sid-root.sh "$TOP/scripts/icount.sh" "$@"
fi
[ -z "${RUST:-}" ] || why=$(rust_toolchain 2>&1) || without_rust "no toolchain: $why"
CONFIGS=("$TOP/tests/bench/icount.kunitconfig" "$TOP/tests/bench/icount-$ARCH.config")
DIR=$BUILD/icount-$ARCH
if [ -n "${RUST:-}" ]; then
	CONFIGS+=("$TOP/tests/bench/rust.config")
	DIR+=-rust
fi
ARGS="kunit_shutdown=reboot kunit.filter_glob=${FILTER:-drm_safe_bench*} nokaslr maxcpus=1"
# All deferred work runs in threads, whose time can be read.
ARGS+=" rcutree.use_softirq=0"
[ -z "${CHECK:-}" ] || N=${N:-1000}
export N=${N:-100000}
# All rounds are equal, and the clock counts single instructions.
ARGS+=" drm_safe_bench.rounds=${ROUNDS:-1} drm_safe_bench.divide=100 drm_safe_bench.most=$N"
[ "$ARCH" != x86_64 ] || ARGS+=" tsc=reliable"

# show FUNCTION...: disassemble the functions in the objects.
show() {
	local objects="$DIR/drivers/gpu/drm/safe/tests/bench" file name found

	for name; do
		found=
		for file in "$objects"/bench_*.o; do
			"${CROSS}objdump" -dr --no-show-raw-insn "$file" |
				awk -v name="<$name>:" '$2 == name { there = on = 1 } on
					/^$/ { on = 0 } END { exit !there }' || continue
			found=1
		done
		[ -n "$found" ] || { echo "tests/bench has no $name"; return 1; }
	done
}

[ -z "${RECORD:-}" ] || "$TOP/scripts/icount.py" --may-record "$ARCH" || die "this cannot be recorded"
prepare_tree
qemu_arch "$ARCH"
if [ -n "${SHOW:-}" ]; then
	BUILD_ONLY=drivers/gpu/drm/safe/tests/bench/ step "compiling the benchmark for $ARCH" \
		qemu_build "$ARCH" "$DIR" "${CONFIGS[@]}" || die "the benchmark does not build"
	read -ra functions <<<"$SHOW"
	show "${functions[@]}"
	exit
fi
step "building the kernel for $ARCH in $DIR" qemu_build "$ARCH" "$DIR" "${CONFIGS[@]}" ||
	die "the kernel does not build"
MADE="$(sed -n 's/^CONFIG_CC_VERSION_TEXT="\(.*\)"/\1/p' "$DIR/.config"), Linux $(<"$DIR/include/config/kernel.release")"
export MADE
say "counting"
qemu_boot "$DIR" -accel tcg,thread=single -icount shift=0,sleep=off -smp 1 -m 3G |
	tee "$DIR/test.log" | progress rows '# [a-z_]*: bench,' || true
kunit parse "$DIR" "$DIR/test.log"
mkdir -p "$TOP/out/bench"
# The counts of a suite that fails cannot be compared.
[ $failed = 0 ] || { finish; exit; }
rc=0
if [ -n "${RUST:-}" ]; then
	"$TOP/scripts/icount-rust.py" "$DIR/test.log" "$TOP/out/bench/icount-$ARCH-rust.txt"
	exit
fi
"$TOP/scripts/icount.py" "$ARCH" "$DIR/test.log" "$TOP/out/bench/icount-$ARCH.csv" || rc=$?
if [ -n "${RECORD:-}" ]; then
	need_packages dwarves
	"$TOP/scripts/icount.py" --table >"$TOP/Documentation/icount-table.txt"
	[ "$ARCH" != x86_64 ] || "$TOP/scripts/memory.py" "$DIR" >"$TOP/Documentation/memory-table.txt"
	"$TOP/scripts/docs/plots.sh"
fi
exit $rc
