#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# core-patches.sh: check that the semantic patches of scripts/coccinelle/core apply to each
# supported kernel, and that the library then compiles without the replacements in
# drm_safe_core.h. A semantic patch names the files that it changes.
# core-patches.sh build: only compile the library, for KVER.
# core-patches.sh run: also run the library's KUnit suites in a kernel with all of them.
#
# If sourced, it only defines the functions.

CORE=scripts/coccinelle/core

series() { python3 "$TOP/scripts/series.py" "$@"; }

# change_core FORM TREE NAME: apply a semantic patch. Each of its files must change. FORM is series,
# or core, which adds the macros by which the library detects the change.
change_core() {
	local tree=$2 files file

	mapfile -t files < <(series core "$3")
	for file in "${files[@]}"; do
		[ -f "$tree/$file" ] || { echo "there is no $file"; return 1; }
		(cd "$tree" && spatch --very-quiet --sp-file "$TOP/$CORE/$3.cocci" -o "$tree/$file.new" "$file") >/dev/null || return
		if [ ! -s "$tree/$file.new" ] || cmp -s "$tree/$file" "$tree/$file.new"; then
			echo "$file: nothing matches, or the core has it already"
			rm -f "$tree/$file.new"
			return 1
		fi
		mv "$tree/$file.new" "$tree/$file"
	done
	series lost "$3" "$tree" || return
	(cd "$tree" && series tidy "$1" "${files[@]}")
}

# own FILE: replace a link of the tree with a copy.
own() {
	local dir link

	while dir=$(dirname "$1"); [ "$(realpath "$tree/$dir")" != "$tree/$dir" ]; do
		while [ ! -L "$tree/$dir" ]; do dir=$(dirname "$dir"); done
		link=$(readlink -f "$tree/$dir")
		rm "$tree/$dir"
		mkdir "$tree/$dir"
		ln -s -t "$tree/$dir" "$link"/*
	done
	# Another semantic patch may have changed it.
	[ ! -L "$tree/$1" ] || cp --remove-destination "$(readlink -f "$tree/$1")" "$tree/$1"
}

# applies NAME: apply a semantic patch to the tree.
applies() {
	local file

	for file in $(series core "$1"); do own "$file" || return; done
	change_core core "$tree" "$1"
}

# each_is_used: check that the library tests each macro that marks a change.
each_is_used() {
	local marks mark rc=0

	marks=$(series marks)
	# shellcheck disable=SC2086
	some $marks || return
	for mark in $marks; do
		grep -qE "^#if(n)?def $mark\$" "$TOP"/*.[ch] "$TOP"/scripts/analysis/*.h ||
			{ echo "nothing looks for $mark"; rc=1; }
	done
	return $rc
}

# builds: compile all of the library, and the changed files of the core. A replacement that is still
# in the library would be defined twice.
builds() {
	local library core=(make ARCH=um -C "$tree" O="$BUILD/core" --no-print-directory -s -j"$JOBS")

	# UML has no MMU_NOTIFIER, which amdxdna needs.
	mapfile -t objects < <(for name in "${names[@]}"; do series core "$name"; done | sed -n '/^drivers\/accel\/amdxdna\//d; s/\.c$/.o/p' | sort -u)
	# Built-in code has no drm_safe.o.
	library=("$TOP"/drm_*.c)
	library=("${library[@]#"$TOP/"}")
	library=("${library[@]/%.c/.o}")
	mkdir -p "$BUILD/core"
	cat "$TOP/tests/small.config" "$TOP/tests/.kunitconfig" >"$BUILD/core/all.config"
	# In Linux 7.2, CONFIG_SYSCTL is only selected, by this symbol.
	echo CONFIG_PROC_SYSCTL=y >>"$BUILD/core/all.config"
	"${core[@]}" KCONFIG_ALLCONFIG="$BUILD/core/all.config" allnoconfig &&
		"${core[@]}" W=1e "${library[@]/#/$SAFE/}" "${objects[@]}" &&
		not_compiled &&
		"${core[@]}" "$SAFE/drm_shmem_exports.i" &&
		no_name_is_left "$BUILD/core/$SAFE/drm_shmem_exports.i"
}

# no_name_is_left FILE: check that the preprocessor has replaced all names of the library for which
# the core has a function of another name.
no_name_is_left() {
	local names

	mapfile -t names < <(sed -n 's/^#define \(drm_[a-z_]*\) [a-z_]*$/\1/p' "$TOP/drm_safe_core.h")
	some "${names[@]}" && grep -qw drm_gem_has_mmap_offset "$1" || return
	! grep -nw "${names[@]/#/-e}" "$1"
}

# Functions that the library calls only without the core's changes, and functions that it calls only
# with them. unmap_mapping_pages() is not listed: an inline function of the changed core calls it.
AROUND='drm_gem_object_init shmem_truncate_range invalidate_mapping_pages xa_load'
CHANGED='drm_gem_object_lru_locked drm_gem_shmem_init_hidden drm_gem_shmem_purge_backing drm_gpuvm_bo_uncreate'

# not_compiled: check that the objects call the core's functions, and no replacement.
not_compiled() {
	local name calls rc=0

	calls=$(cd "$BUILD/core/$SAFE" && nm "${library[@]}" | sed -n 's/^ *U //p')
	for name in $AROUND; do
		grep -q "\b$name(" "$TOP"/drm_*.[ch] || { echo "the library has no way around that calls $name()"; rc=1; }
		! grep -qx "$name" <<<"$calls" || { echo "the library still calls $name()"; rc=1; }
	done
	for name in $CHANGED; do
		grep -qx "$name" <<<"$calls" || { echo "the library does not call $name()"; rc=1; }
	done
	return $rc
}

# library_passes: add the results to the counts.
library_passes() {
	local TREE=$tree dir=$BUILD/core-kunit

	KMAKE=(make ARCH=um -C "$TREE" --no-print-directory ${CC:+"CC=$CC"} ${LLVM:+"LLVM=$LLVM"})
	build_uml core-kunit .kunitconfig && kunit exec "$dir" --build_dir "$dir" --timeout 1800 ${FILTER:+"$FILTER"}
}

[ "${BASH_SOURCE[0]}" = "$0" ] || return 0
. "$(dirname "$0")/env.sh"
. "$TOP/scripts/tree.sh"
locked "$@"

need_packages coccinelle libpython3-dev unifdef
mapfile -t names < <(basename -s .cocci "$TOP/$CORE"/*.cocci)
if [[ ${1:-} = build || ${1:-} = run ]]; then
	prepare_tree
	tree=$DRM_SAFE_CACHE/core-tree$KEY
	rm -rf "$tree"
	link_tree "$(dirname "$(readlink -f "$TREE/Makefile")")" "$tree"
	copy_files "$tree"
	for name in "${names[@]}"; do check "$KVER: $name applies" applies "$name"; done
	check "$KVER: the library builds without what is now the core's" builds
	[ "$1" = build ] || library_passes || failed=$((failed + 1))
	finish
	exit
fi
check "the library looks for each change of the core" each_is_used
for kver in 7.3 7.2; do
	out=$(KVER=$kver KSRC='' "$0" build) || true
	echo "$out" | sed '$d'
	read -r ok _ bad _ <<<"$(tail -n1 <<<"$out")"
	passed=$((passed + ok))
	failed=$((failed + bad))
done
finish
