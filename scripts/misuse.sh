#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# misuse.sh: compile tests/misuse with gcc and clang, with the kernel's flags for this
# directory, and compare the diagnostics with the promises of each file. tests/cost
# compares the instructions of each pair of functions in the same way. The sample and the
# examples of the documentation must compile without a diagnostic.
# misuse.sh flags FILE: write these flags, for KVER and LLVM, to FILE.
#
# DIR=<driver> checks the files of a driver instead. They must pass, apart from the
# driver's own cases.

. "$(dirname "$0")/env.sh"
locked "$@"

if [ "${1:-}" = flags ]; then
	object=drivers/gpu/drm/safe/drm_dev_ctx.o
	prepare_tree
	config_uml misuse least.kunitconfig
	"${KMAKE[@]}" O="$BUILD/misuse" -j"$JOBS" -s "$object"
	printf '%s\n' "$BUILD/misuse" "$BUILD/misuse/$(dirname $object)/.$(basename $object).cmd" >"$2"
	exit
fi

need_packages clang-19 lld-19 llvm-19 coccinelle libpython3-dev unifdef
run=()
# add NAME LLVM TOOL WRAPPER: add a compiler or checker. TOOL stands before its command,
# and WRAPPER before this script when it gets the flags.
add() {
	local flags=$DRM_SAFE_CACHE/misuse-$1

	# shellcheck disable=SC2086
	LLVM=$2 $4 "$0" flags "$flags"
	mapfile -t lines <"$flags"
	run+=(--compiler "$1" "${lines[@]}" "$3")
}

corpus=$TOP/tests/misuse
# sid-root.sh must find the directory, too, and runs where the kernel is built.
[ -z "${DIR:-}" ] || corpus=$(realpath "$DIR") DIR=$(realpath "$DIR")
[ -d "$corpus" ] || die "DIR=$DIR is not a directory"
export DIR
# cost: measure the library's functions, in instructions.
cost() { [ -n "${DIR:-}" ] || "$TOP/scripts/cost.py" "${lines[@]}" "$TOP"/tests/cost/*.c; }

add gcc "" "" ""
cost
add clang -19 "" ""
cost
[ -n "${DIR:-}" ] || python3 "$TOP/scripts/examples.py" "${run[@]}" "$TOP"
sparse=$("$TOP/scripts/sparse.sh" tool)
add sparse "" "$sparse" ""
# Use clang 23 of this machine, or of the root that make context-analysis has set up.
if command -v clang-23 >/dev/null; then
	add context -23 "" ""
elif [ -d "$DRM_SAFE_CACHE/root-sid" ] && [ "$(id -u)" = 0 ]; then
	add context -23 "$TOP/scripts/sid-root.sh" "$TOP/scripts/sid-root.sh"
fi
cd "$TOP"
[ -n "${DIR:-}" ] || run+=(--pages --driver samples/sgpu)
python3 scripts/misuse.py --jobs "$JOBS" --rules scripts/coccinelle ${LOG:+--log "$LOG"} \
	${ONLY:+--only "$ONLY"} "${run[@]}" "$corpus"
