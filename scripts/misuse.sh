#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# misuse.sh: compile tests/misuse with gcc and clang, with the flags that the
# kernel uses for this directory, and compare with what each file promises; so
# for tests/cost and the instructions that each pair of functions takes.
# misuse.sh flags FILE: write these flags, for KVER and LLVM, to FILE.

. "$(dirname "$0")/env.sh"
locked "$@"

if [ "${1:-}" = flags ]; then
	object=drivers/gpu/drm/safe/drm_dev_ctx.o
	prepare_tree
	config_uml misuse .kunitconfig
	"${KMAKE[@]}" O="$BUILD/misuse" -j"$JOBS" -s "$object"
	printf '%s\n' "$BUILD/misuse" "$BUILD/misuse/$(dirname $object)/.$(basename $object).cmd" >"$2"
	exit
fi

need_packages clang-19 lld-19 llvm-19 coccinelle libpython3-dev unifdef
run=()
for compiler in gcc: clang:-19; do
	flags=$DRM_SAFE_CACHE/misuse-${compiler%%:*}
	LLVM=${compiler#*:} "$0" flags "$flags"
	mapfile -t lines <"$flags"
	run+=(--compiler "${compiler%%:*}" "${lines[@]}")
	"$TOP/scripts/cost.py" "${lines[@]}" "$TOP"/tests/cost/*.c
done
cd "$TOP"
python3 scripts/misuse.py --jobs "$JOBS" --rules scripts/coccinelle --table Documentation/misuse-table.txt \
	${LOG:+--log "$LOG"} "${run[@]}" tests/misuse
