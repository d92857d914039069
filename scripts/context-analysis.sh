#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# context-analysis.sh: what clang 23 proves of the library and its sample: that each
# path holds the locks it has to (context analysis), and that nothing in the fence
# signalling path allocates (function effects). make misuse shows that both bite.
# context-analysis.sh CONFIG FLAG OBJECT...: in the root: one of these.

. "$(dirname "$0")/env.sh"
locked "$@"

safe=drivers/gpu/drm/safe
export LLVM=-23

if [ $# -gt 0 ]; then
	config=$1
	# See w1.sh for the first of the flags and why it is given more than once.
	flags=({KCFLAGS,CFLAGS_KERNEL,CFLAGS_MODULE}"=-Wno-null-pointer-arithmetic $2")
	shift 2
	prepare_tree
	config_uml "context-${config%.kunitconfig}" "$config"
	"${KMAKE[@]}" O="$BUILD/context-${config%.kunitconfig}" -j"$JOBS" -s W=e "${flags[@]}" "$@"
	exit
fi

sid() { "$TOP/scripts/sid-root.sh" "$0" "$@"; }

# Locks and sections: all there are with debugging on. Allocations: without what
# debugging calls in between, which no one has declared.
"$TOP/scripts/sid-root.sh" true
check "context analysis, 7.3" sid debug.kunitconfig "" $safe/
check "context analysis, 7.2" env KVER=7.2 "$TOP/scripts/sid-root.sh" \
	"$0" debug.kunitconfig "" $safe/
check "function effects, 7.3" sid .kunitconfig -Wfunction-effects \
	$safe/drm_gpuvm_imm_run.o $safe/samples/sgpu/sgpu_{vm,mmu}.o
finish
