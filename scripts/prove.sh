#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# prove.sh: proofs of the library's arithmetic, by cbmc, from the text of its own files.
# Each is for all values; a fault that is planted in what they stand on must be found.

. "$(dirname "$0")/env.sh"
. "$TOP/scripts/apt.sh"
locked "$@"

CBMC=$DRM_SAFE_CACHE/cbmc/bin/cbmc

# extract FILE NAME...: the functions of a file, as they stand there.
extract() {
	local file=$1 name text

	shift
	for name; do
		text=$(sed -n "/^[A-Za-z].*\b$name(/,/^}/p" "$TOP/$file")
		[ -n "$text" ] || die "$file has no function $name()"
		printf '%s\n\n' "$text"
	done
}

# extract_all: in the order in which they call each other.
extract_all() {
	grep -hE '^#define DRM_GPUVM_IMM_POOL_' "$TOP/drm_gpuvm_imm_internal.h"
	extract drm_gpuvm_imm.c drm_gpuvm_imm_va_start drm_gpuvm_imm_va_end \
		drm_gpuvm_imm_config_valid drm_gpuvm_imm_aligned drm_gpuvm_imm_split_ok \
		drm_gpuvm_imm_part_ok drm_gpuvm_imm_pool_lend drm_gpuvm_imm_pool_put_some
	extract drm_gpuvm_imm_exec.c drm_gpuvm_imm_in_space
}

# prove FUNCTION FILE [FLAG...]
prove() {
	local function=$1 file=$2

	shift 2
	"$CBMC" "$@" -I "$TMP" -I "$TOP/tests/prove" --function "$function" --bounds-check \
		--signed-overflow-check --div-by-zero-check --unwind 5 --unwinding-assertions \
		"$file" >"$TMP/$function.log" 2>&1
}

proved() { prove "$@" || { tail -n 30 "$TMP/$1.log"; return 1; }; }

# Not for another reason, such as a file that does not compile.
found() {
	! prove "$@" || { echo "nothing was found"; return 1; }
	grep '^VERIFICATION FAILED' "$TMP/$1.log"
}

[ -x "$CBMC" ] || step "fetching cbmc" unpack_tool cbmc \
	cbmc minisat zlib1g libstdc++6 libgcc-s1 libc6 >&2
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
extract_all >"$TMP/extracted.h"
for file in "$TOP"/tests/prove/*.c; do
	mapfile -t names < <(sed -n 's/^void \(prove_[a-z_]*\)(void)$/\1/p' "$file")
	[ ${#names[@]} -gt 0 ] || die "there is nothing to prove in $file"
	for name in "${names[@]}"; do
		check "$name" proved "$name" "$file"
		check "$name finds a planted fault" found "$name" "$file" -DPLANT
	done
done
finish
