#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# context-analysis.sh: prove with clang 23 that each path of the library and its sample
# holds the locks that it needs (context analysis), and that nothing in the fence
# signalling path allocates (function effects). make misuse tests that both find mistakes.
# context-analysis.sh CONFIG FLAG OBJECT...: run one of these checks, inside of the root.
# DIR=<driver> checks a driver elsewhere. Function effects are checked in its files that
# declare functions __drm_nonallocating.

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
	if [ -n "${DIR:-}" ]; then
		compile_driver "$(realpath "$DIR")" "context-driver-${config%.kunitconfig}" \
			"$config" W=e "${flags[@]}" "$@"
		exit
	fi
	config_uml "context-${config%.kunitconfig}" "$config"
	"${KMAKE[@]}" O="$BUILD/context-${config%.kunitconfig}" -j"$JOBS" -s W=e "${flags[@]}" "$@"
	# make fails if an object that is given by name cannot be built.
	[ "$1" != $safe/ ] || has_objects "$BUILD/context-${config%.kunitconfig}"
	exit
fi

effects="-Wfunction-effects -DDRM_SAFE_CHECK_EFFECTS"

# Use clang 23 of this machine, or of a root that only root can make.
in_root=("$TOP/scripts/sid-root.sh")
! command -v clang-23 >/dev/null || in_root=()
if [ ${#in_root[@]} -gt 0 ] && ! "${in_root[@]}" true; then
	skipped=3
	say "skipped: there is no clang 23, nor a root of Debian sid that has it"
	finish
	exit
fi

if [ -n "${DIR:-}" ]; then
	[ -d "$DIR" ] || die "DIR=$DIR is not a directory"
	check "context analysis: $DIR" "${in_root[@]}" "$0" modular.kunitconfig \
		--system-header-prefix=drm/ CONTEXT_ANALYSIS=y
	check "function effects: $DIR" "${in_root[@]}" "$0" driver.kunitconfig "$effects"
	finish
	exit
fi

# Check locks and sections with all debug options. Check allocations without them, because
# the functions that they add have no annotations.
for kver in 7.3 7.2; do
	check "context analysis, $kver" env KVER=$kver "${in_root[@]}" "$0" debug.kunitconfig "" $safe/
done
check "function effects, 7.3" "${in_root[@]}" "$0" .kunitconfig "$effects" \
	$safe/drm_{dev_ctx,shmem_sgt,gpuvm_imm,gpuvm_imm_run,gpuvm_imm_end}.o \
	$safe/samples/sgpu/sgpu_{vm,mmu}.o
finish
