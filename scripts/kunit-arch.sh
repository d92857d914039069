#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# kunit-arch.sh all|KERNEL...: run the KUnit suites in QEMU, on kernels with lockdep. A KERNEL is an
# architecture of kunit.py, with optional suffixes for the page size and other options, such as
# arm64-64K, arm-lpae, x86_64-rt or x86_64-up. PAGES, RT=1 and SMP=0 add to the names. FILTER
# is a glob. RECORD=1 writes the result of each kernel into the table of Documentation/testing.rst,
# in place of the last result of that kernel with this FILTER.

. "$(dirname "$0")/env.sh"
. "$TOP/scripts/qemu.sh"
locked "$@"

ALL=(x86_64 x86_64-rt x86_64-up i386 arm64-4K arm64-16K arm64-64K arm-lpae riscv s390)

# options KERNEL: print the configuration symbols for the suffixes of the name.
options() {
	local part parts

	IFS=- read -ra parts <<<"$1"
	for part in "${parts[@]:1}"; do
		case $part in
		4K | 16K | 64K) echo "CONFIG_ARM64_${part}_PAGES=y" ;;
		lpae) printf '%s\n' CONFIG_ARCH_MULTI_V7=y CONFIG_ARM_LPAE=y ;;
		rt) printf '%s\n' CONFIG_EXPERT=y CONFIG_PREEMPT_RT=y ;;
		up) ;;
		*) die "$1 has an unknown part, $part" ;;
		esac
	done
	case $1 in
	# The kernel for two processors covers the suites for one.
	*-up*) ;;
	s390*) ;;
	*) printf '%s\n' CONFIG_SMP=y CONFIG_NR_CPUS=2 ;;
	esac
	echo "CONFIG_PROVE_LOCKING=y"
}

tests() {
	local name=$1 dir=$BUILD/arch-$1 arch=${1%%-*} cpus=2 memory=2G

	qemu_arch "$arch"
	mkdir -p "$dir"
	options "$name" >"$dir/options.config"
	step "building the $name kernel in $dir" qemu_build "$arch" "$dir" \
		"$TOP/tests/arch.kunitconfig" "$dir/options.config" >"$dir.log" 2>&1 ||
		{ tail -n 20 "$dir.log"; return 1; }
	[[ $name != *-up* ]] || ! grep -qx CONFIG_SMP=y "$dir/.config" ||
		die "$arch has no kernel for one processor"
	[[ $name != *-up* && $arch != s390 ]] || cpus=1
	# Each of the many small objects of a suite takes a page.
	[[ $name != *-64K* ]] || memory=4G
	ARGS="kunit_shutdown=reboot kunit.filter_glob=${FILTER:-drm_*}"
	say "running the suites on $name"
	qemu_boot "$dir" -accel tcg -smp $cpus -m $memory | tee "$dir/test.log" |
		grep -E '^( {4})?(not )?ok ' || true
	kunit parse "$dir" "$dir/test.log"
	check "the log of the $name kernel is clean" "$TOP/scripts/log-clean.sh" "$dir/test.log"
}

TABLE=$TOP/Documentation/arch-table.txt

# record NAME PASSED FAILED SKIPPED: write a row of the table.
record() {
	local name=$1 suites=all made old

	shift
	[ -z "${FILTER:-}" ] || suites="\`\`$FILTER\`\`"
	[ -e "$BUILD/arch-$name/vmlinux" ] || return 0
	made="$(<"$BUILD/arch-$name/include/config/kernel.release"),\"$(sed -n \
		's/^CONFIG_CC_VERSION_TEXT="\(.*\)"/\1/p' "$BUILD/arch-$name/.config")\""
	old=$(sed -n 's/^   \([a-z0-9]\)/\1/p' "$TABLE" | grep -vF "$name,$suites,") || true
	{
		printf '%s\n' ".. SPDX-License-Identifier: GPL-2.0-only OR MIT" \
			".. Written by make check-arch RECORD=1" "" \
			".. csv-table:: The suites on other kernels" \
			"   :header: Kernel,Suites,Passed,Failed,Skipped,Linux,Compiler" \
			"   :widths: 16 20 9 9 9 9 28" ""
		printf '%s\n' "$old" "$name,$suites,$1,$2,$3,$made" | grep . | sort | sed 's/^/   /'
	} >"$TABLE.new"
	mv "$TABLE.new" "$TABLE"
}

prepare_tree
[ "${1:-}" != all ] || set -- "${ALL[@]}"
for name; do
	name+=${PAGES:+-$PAGES}
	[ -z "${RT:-}" ] || name+=-rt
	[ "${SMP:-}" != 0 ] || name+=-up
	before=("$passed" "$failed" "$skipped")
	step "KUnit, $name" tests "$name" || failed=$((failed + 1))
	counts=($((passed - before[0])) $((failed - before[1])) $((skipped - before[2])))
	say "$name: ${counts[0]} passed, ${counts[1]} failed, ${counts[2]} skipped"
	[ -z "${RECORD:-}" ] || record "$name" "${counts[@]}"
done
finish
