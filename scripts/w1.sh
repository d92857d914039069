#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# w1.sh: compile this directory with W=1 and warnings as errors, for every supported
# kernel, with gcc and clang, built in with the smallest configuration (least) and as
# modules with all debugging (modular).
# w1.sh short: compile two of these builds, which cover each kernel, compiler and configuration.
# w1.sh NAME CONFIG: compile one of these builds, for KVER and LLVM.
# DIR=<driver> compiles a driver in another tree, as modules.

. "$(dirname "$0")/env.sh"
locked "$@"

# clang warns about the port emulation in the kernel's own headers on UML. DRM adds
# -Wextra after KCFLAGS. CFLAGS_KERNEL and CFLAGS_MODULE come later than that.
flags=()
[ -z "${LLVM:-}" ] || flags=({KCFLAGS,CFLAGS_KERNEL,CFLAGS_MODULE}"=-Wno-null-pointer-arithmetic")

if [ $# -gt 1 ]; then
	prepare_tree
	if [ -n "${DIR:-}" ]; then
		compile_driver "$(realpath "$DIR")" "w1-driver-$1" "$2" W=1e "${flags[@]}"
		exit
	fi
	config_uml "w1-$1" "$2"
	compile "$BUILD/w1-$1" W=1e "${flags[@]}" drivers/gpu/drm/safe/
	has_objects "$BUILD/w1-$1"
	exit
fi

check "a run that compiles nothing is an error" fails_with "nothing was compiled" has_objects /nowhere
least=least
if [ -n "${DIR:-}" ]; then
	[ -d "$DIR" ] || die "DIR=$DIR is not a directory"
	least=driver
fi
runs=(
	"7.3 gcc modular" "7.2 clang $least"
	"7.3 gcc $least" "7.3 clang modular" "7.3 clang $least"
	"7.2 gcc modular" "7.2 gcc $least" "7.2 clang modular"
)
[ "${1:-}" != short ] || runs=("${runs[@]:0:2}")
for run in "${runs[@]}"; do
	read -r kver compiler config <<<"$run"
	llvm=
	[ "$compiler" = gcc ] || llvm=-19
	check "W=1: $kver, $compiler, $config" \
		env KVER="$kver" LLVM=$llvm "$0" "$config" "$config.kunitconfig"
done
finish
