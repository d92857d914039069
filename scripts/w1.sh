#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# w1.sh: compile this directory with W=1 as errors: every supported kernel, gcc
# and clang, built in (release) and as modules with all debugging (modular).
# w1.sh NAME CONFIG: one of these, for KVER and LLVM.
# DIR=<driver> compiles a driver elsewhere, as modules.

. "$(dirname "$0")/env.sh"
locked "$@"

# clang does not like how the kernel's own headers emulate ports on UML. DRM adds
# -Wextra after KCFLAGS, CFLAGS_KERNEL and CFLAGS_MODULE come later still.
flags=()
[ -z "${LLVM:-}" ] || flags=({KCFLAGS,CFLAGS_KERNEL,CFLAGS_MODULE}"=-Wno-null-pointer-arithmetic")

if [ $# -gt 0 ]; then
	prepare_tree
	if [ -n "${DIR:-}" ]; then
		compile_driver "$(realpath "$DIR")" "w1-driver-$1" "$2" W=1e "${flags[@]}"
		exit
	fi
	config_uml "w1-$1" "$2"
	compile "$BUILD/w1-$1" W=1e "${flags[@]}" drivers/gpu/drm/safe/
	exit
fi

configs=(release:.kunitconfig modular:modular.kunitconfig)
if [ -n "${DIR:-}" ]; then
	[ -d "$DIR" ] || die "DIR=$DIR is not a directory"
	configs=(release:driver.kunitconfig debug:modular.kunitconfig)
fi
for kver in 7.3 7.2; do
	for llvm in "" -19; do
		for config in "${configs[@]}"; do
			check "W=1: $kver, ${llvm:+LLVM=}${llvm:-gcc}, ${config%:*}" \
				env KVER=$kver LLVM=$llvm "$0" "${config%:*}" "${config#*:}"
		done
	done
done
finish
