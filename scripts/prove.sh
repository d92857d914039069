#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# prove.sh: prove the library's arithmetic with cbmc, from the text of its own files, for all
# values, on 32 and on 64 bits. The proofs name faults, such as a limit that is off by one or a
# sum that overflows. Each fault is planted in the text, and the proof must fail then.
# ONLY is the beginning of the names of the files with proofs.

. "$(dirname "$0")/env.sh"
. "$TOP/scripts/apt.sh"
locked "$@"

CBMC=$DRM_SAFE_CACHE/cbmc/bin/cbmc

# extract FILE NAME...: print the functions, macros and structs of a file.
extract() {
	local file=$1 name text

	shift
	for name; do
		text=$(awk -v name="$name" '
			$0 ~ "^#define " name "[( \t]" || $0 ~ "^struct " name " \\{" ||
			($0 ~ "^[A-Za-z].*[ *]" name "\\(" && $0 !~ /;$/) { on = 1 }
			index($0, name "(") == 1 { print before; on = 1 }
			{ before = $0 }
			on { print }
			on && (/^#define/ || more) { more = /\\$/; if (!more) exit }
			on && /^}/ && !more { exit }' "$TOP/$file")
		[ -n "$text" ] || die "$file has no $name"
		printf '%s\n\n' "$text"
	done
}

# extract_pool and so on: print the parts for a proof. Each part follows the parts that it needs.
extract_pool() {
	grep -hE '^#define DRM_GPUVM_IMM_(POOL|VAS)_' "$TOP"/drm_gpuvm_imm{,_internal}.h
	extract drm_gpuvm_imm_internal.h drm_gpuvm_imm_vas_gone
	extract drm_gpuvm_imm.c drm_gpuvm_imm_va_start drm_gpuvm_imm_va_end \
		drm_gpuvm_imm_config_valid drm_gpuvm_imm_aligned drm_gpuvm_imm_split_ok \
		drm_gpuvm_imm_is_edge drm_gpuvm_imm_part_ok drm_gpuvm_imm_vas_reserve drm_gpuvm_imm_pool_refuse \
		drm_gpuvm_imm_pool_lend
	extract drm_gpuvm_imm_pool.c drm_gpuvm_imm_pool_put_some drm_gpuvm_imm_pool_pop \
		drm_gpuvm_imm_pool_refill drm_gpuvm_imm_pool_replace drm_gpuvm_imm_pool_resize drm_gpuvm_imm_pool_smaller
	extract drm_gpuvm_imm_exec.c drm_gpuvm_imm_in_space
}

extract_vmap() {
	extract drm_safe.h __drm_gem_bytes
	# extract() does not print enums.
	sed -n '/^enum drm_resv_how {$/,/^};$/p' "$TOP/drm_safe_resv.h"
	sed -n '/^enum {$/,/^};$/p' "$TOP/drm_shmem_obj.h" "$TOP/drm_shmem_vmap.h"
	grep -hE '^#define __DRM_VMAP_NOWHERE\b' "$TOP/drm_shmem_vmap.h"
	extract drm_shmem_vmap.h drm_vmap __DRM_VMAP DRM_VMAP DRM_VMAP_IOMEM DRM_VMAP_EITHER \
		__drm_vmap_min __drm_vmap_kind __drm_vmap_align __drm_vmap_access __drm_vmap_args __drm_vmap_try_args \
		__drm_vmap_wrong_kind __drm_vmap_set __drm_vmap_fill_in __drm_vmap_fill_in_plain \
		__drm_vmap_live __DRM_VMAP_NULL_IS_MAPPED __drm_vmap_place __drm_vmap_at \
		__drm_vmap_is_iomem __drm_vmap_fits __drm_vmap_assert_writable __drm_vmap_try_read __drm_vmap_try_write \
		__drm_vmap_has_elem __drm_vmap_try_read_elem __drm_vmap_try_write_elem \
		__drm_vmap_elem_t __drm_vmap_array
	extract drm_shmem_vmap.c drm_vmap_inside
}

# An address is a number here, because cbmc reserves some bits of a pointer.
extract_views() {
	extract drm_shmem_vmap.h drm_vmap | sed 's/void \*addr;/uintptr_t addr;/'
	extract drm_shmem_vmap.h __drm_vmap_live
	extract drm_vmap_view.h __drm_vmap_natural __drm_vmap_part __drm_vmap_part_at \
		__drm_vmap_part_try __drm_vmap_range __drm_vmap_part_elem __drm_vmap_part_first
}

extract_copies() {
	grep -hE '^#define DRM_VMAP_(BOUNCE|PIECE)\b' "$TOP/drm_shmem_vmap.c"
	extract drm_shmem_vmap.c drm_vmap_map __drm_vmap_copy_to __drm_vmap_copy_from __drm_vmap_fill \
		drm_vmap_iomem drm_vmap_check_user drm_vmap_bounce_from_user drm_vmap_copy_piece \
		drm_vmap_copy_from_user __drm_vmap_from_user drm_vmap_bounce_to_user \
		drm_vmap_copy_to_user __drm_vmap_to_user
}

extract_sizes() {
	extract drm_shmem_obj.c drm_shmem_page_align
	extract drm_shmem_mmap.c drm_shmem_fault_page drm_shmem_pmd_fits drm_shmem_fault_locked \
		drm_shmem_mkwrite_locked
}

extract_parts() {
	extract drm_gpuvm_imm_run.c drm_gpuvm_imm_parts drm_gpuvm_imm_find_removed \
		drm_gpuvm_imm_reinsert drm_gpuvm_imm_split
}

# plants FILE FUNCTION BITS: print the changes from the "plant:" lines above a proof, one per line.
# A change of a "plant 32:" line is a fault only on 32 bits.
plants() {
	awk -v function_="$2" -v bits="$3" '
		/^\/\/ plant( [0-9]+)?: / {
			if ($2 == "plant:" || $3 == bits ":") {
				sub("^// plant[^:]*: ", "")
				plants = plants $0 "\n"
			}
			next
		}
		index($0, "void " function_ "(void)") == 1 { printf "%s", plants }
		/^}/ { plants = "" }' "$1"
}

# prove BITS FUNCTION FILE [EXTRACTED [FLAG...]]: run cbmc on a proof.
prove() {
	local bits=$1 function=$2 file=$3 dir=${4:-$TMP} flags

	mapfile -t flags < <(sed -n 's,^// cbmc: ,,p' "$file")
	"$CBMC" "--$bits" "${flags[@]}" "${@:5}" -I "$dir" -I "$TOP/tests/prove" --function "$function" \
		--bounds-check --signed-overflow-check --div-by-zero-check --unwind 6 \
		--unwinding-assertions "$file" >"$TMP/$function.log" 2>&1
}

proved() { prove "$@" || { grep -E 'FAILURE|error' "$TMP/$2.log"; tail -n 30 "$TMP/$2.log"; return 1; }; }

# found CHANGE BITS FUNCTION FILE: check that the proof fails with this change of the text, and
# not for another reason, such as a file that does not compile.
found() {
	local change=$1 dir=$TMP/planted text changed=

	shift
	rm -rf "$dir"
	mkdir "$dir"
	for text in "$TMP"/extracted-*.h; do
		sed -E "$change" "$text" >"$dir/${text##*/}"
		cmp -s "$text" "$dir/${text##*/}" || changed=1
	done
	[ -n "$changed" ] || { echo "nothing is changed by $change"; return 1; }
	# The first failure is enough, because finding the others takes minutes.
	! prove "$@" "$dir" --stop-on-fail || { echo "nothing was found"; return 1; }
	grep '^VERIFICATION FAILED' "$TMP/$2.log" || { tail -n 30 "$TMP/$2.log"; return 1; }
}

[ -x "$CBMC" ] || step "fetching cbmc" unpack_tool cbmc \
	cbmc minisat zlib1g libstdc++6 libgcc-s1 libc6 >&2
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
extract_pool >"$TMP/extracted-pool.h"
extract_vmap >"$TMP/extracted-vmap.h"
extract_views >"$TMP/extracted-views.h"
extract_copies >"$TMP/extracted-copies.h"
extract_sizes >"$TMP/extracted-sizes.h"
extract_parts >"$TMP/extracted-parts.h"
for file in "$TOP/tests/prove/${ONLY:-}"*.c; do
	mapfile -t names < <(sed -n 's/^void \(prove_[a-z_]*\)(void)$/\1/p' "$file")
	[ ${#names[@]} -gt 0 ] || die "there is nothing to prove in $file"
	for name in "${names[@]}"; do
		for bits in 32 64; do
			mapfile -t changes < <(plants "$file" "$name" $bits)
			[ ${#changes[@]} -gt 0 ] || die "no fault is planted for $name"
			check "$name, $bits bits" proved $bits "$name" "$file"
			for change in "${changes[@]}"; do
				check "$name, $bits bits, finds $change" found "$change" $bits "$name" "$file"
			done
		done
	done
done
finish
