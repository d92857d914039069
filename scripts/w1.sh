#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# w1.sh: compile this directory with W=1 as errors: every supported kernel, gcc
# and clang, built in (release) and as modules with all debugging (modular).
# w1.sh NAME CONFIG: one of these, for KVER and LLVM.

. "$(dirname "$0")/env.sh"
locked "$@"

# clang does not like how the kernel's own headers emulate ports on UML. DRM adds
# -Wextra after KCFLAGS, CFLAGS_KERNEL and CFLAGS_MODULE come later still.
flags=()
[ -z "${LLVM:-}" ] || flags=({KCFLAGS,CFLAGS_KERNEL,CFLAGS_MODULE}"=-Wno-null-pointer-arithmetic")

if [ $# -gt 0 ]; then
	prepare_tree
	config_uml "w1-$1" "$2"
	"${KMAKE[@]}" O="$BUILD/w1-$1" -j"$JOBS" -s W=1e "${flags[@]}" drivers/gpu/drm/safe/
	exit
fi

for kver in 7.3 7.2; do
	for llvm in "" -19; do
		for config in release:.kunitconfig modular:modular.kunitconfig; do
			check "W=1: $kver, ${llvm:+LLVM=}${llvm:-gcc}, ${config%:*}" \
				env KVER=$kver LLVM=$llvm "$0" "${config%:*}" "${config#*:}"
		done
	done
done
finish
