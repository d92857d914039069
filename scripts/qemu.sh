# SPDX-License-Identifier: GPL-2.0-only OR MIT
# shellcheck shell=bash
#
# Sourced after env.sh: build and boot kernels for QEMU, with Debian's cross compilers and the
# architectures of kunit.py. kunit.py itself would let QEMU use KVM, which many virtual machines
# lack, and would build everything that is on by default.

# qemu_arch ARCH: set CROSS, KCONFIG, IMAGE, CMDLINE and QEMU for an architecture of kunit.py, and
# install its packages.
qemu_arch() {
	local packages

	case $1 in
	x86_64 | i386) CROSS='' packages=(qemu-system-x86) ;;
	arm64) CROSS=aarch64-linux-gnu- packages=(qemu-system-arm gcc-aarch64-linux-gnu) ;;
	arm) CROSS=arm-linux-gnueabihf- packages=(qemu-system-arm gcc-arm-linux-gnueabihf) ;;
	riscv) CROSS=riscv64-linux-gnu- packages=(qemu-system-misc opensbi gcc-riscv64-linux-gnu) ;;
	s390) CROSS=s390x-linux-gnu- packages=(qemu-system-misc gcc-s390x-linux-gnu) ;;
	powerpc) CROSS=powerpc64-linux-gnu- packages=(qemu-system-ppc gcc-powerpc64-linux-gnu) ;;
	*) die "ARCH is x86_64, i386, arm64, arm, riscv, s390 or powerpc" ;;
	esac
	need_packages libelf-dev "${packages[@]}"
	mapfile -t QEMU < <(PYTHONPATH=$TREE/tools/testing python3 -c '
import importlib
import sys
arch = importlib.import_module("kunit.qemu_configs." + sys.argv[1]).QEMU_ARCH
print(arch.kconfig.strip().replace("\n", " "), arch.kernel_path, arch.kernel_command_line,
      "qemu-system-" + arch.qemu_arch, *arch.extra_qemu_params, sep="\n")' "$1")
	[ ${#QEMU[@]} -ge 4 ] || die "kunit.py knows no $1"
	KCONFIG=${QEMU[0]// /$'\n'} IMAGE=${QEMU[1]} CMDLINE=${QEMU[2]} QEMU=("${QEMU[@]:3}")
	[[ " ${QEMU[*]} " == *" -cpu "* || $1 == s390 ]] || QEMU+=(-cpu max)
}

# qemu_make ARCH DIR ARG...: call the kernel's make for a build directory.
qemu_make() {
	local arch=$1 dir=$2

	shift 2
	make -C "$TREE" --no-print-directory -s ARCH="$arch" CROSS_COMPILE="$CROSS" O="$dir" "$@"
}

# qemu_build ARCH DIR CONFIG...: build a kernel with only the symbols that the files list and the
# console needs. BUILD_ONLY limits the build to one target.
qemu_build() {
	local arch=$1 dir=$2

	shift 2
	mkdir -p "$dir"
	{ cat "$@"; echo "$KCONFIG"; } >"$dir/all.config"
	qemu_make "$arch" "$dir" KCONFIG_ALLCONFIG="$dir/all.config" allnoconfig \
		2>"$dir/config.log" || { cat "$dir/config.log" >&2; return 1; }
	check_config "$dir/all.config" "$dir/.config"
	qemu_make "$arch" "$dir" -j"$JOBS" "${BUILD_ONLY:-${IMAGE##*/}}"
}

# qemu_boot DIR ARG...: boot, and run until the kernel reboots, which ends QEMU. ARG are arguments
# for QEMU, and $ARGS are arguments for the kernel.
qemu_boot() {
	local dir=$1

	shift
	timeout -s KILL 3600 "${QEMU[@]}" "$@" -nodefaults -nographic -no-reboot -serial stdio \
		-kernel "$dir/$IMAGE" -append "$CMDLINE $ARGS" </dev/null
}
