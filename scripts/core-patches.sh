#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# core-patches.sh: the semantic patches of scripts/coccinelle/core apply to each supported
# kernel, and with them the library compiles without what it does in drm_safe_core.h
# instead. A semantic patch names the files that it changes.
# core-patches.sh build: the second, for KVER.
# core-patches.sh run: and the library's KUnit suites pass in a kernel with all of them.
#
# Sourced, it gives the functions only.

CORE=scripts/coccinelle/core

series() { python3 "$TOP/scripts/series.py" "$@"; }

# change_core FORM TREE NAME: each file has to change. The FORM is that of a series, or core:
# with the macros that tell the library.
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

# own FILE: of a tree of links, as a copy.
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

# applies NAME
applies() {
	local file

	for file in $(series core "$1"); do own "$file" || return; done
	change_core core "$tree" "$1"
}

# each_is_used: the library looks for each macro that tells it of a change.
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

# builds: what the core has now as well would be defined twice. All of the library, and the files of
# the core that changed.
builds() {
	local library core=(make ARCH=um -C "$tree" O="$BUILD/core" --no-print-directory -s -j"$JOBS")

	# UML has no MMU_NOTIFIER, which amdxdna needs.
	mapfile -t objects < <(for name in "${names[@]}"; do series core "$name"; done | sed -n '/^drivers\/accel\/amdxdna\//d; s/\.c$/.o/p' | sort -u)
	# What is built in has no drm_safe.o.
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

# no_name_is_left FILE: where a function of the core has another name than the library's, the
# library's is a macro, which is gone after the preprocessor.
no_name_is_left() {
	local names

	mapfile -t names < <(sed -n 's/^#define \(drm_[a-z_]*\) [a-z_]*$/\1/p' "$TOP/drm_safe_core.h")
	some "${names[@]}" && grep -qw drm_gem_has_mmap_offset "$1" || return
	! grep -nw "${names[@]/#/-e}" "$1"
}

# What the library calls only in a core without the changes, and what only in one with them.
# unmap_mapping_pages() is none: an inline function of the core with the changes calls it.
AROUND='drm_gem_object_init shmem_truncate_range invalidate_mapping_pages xa_load'
CHANGED='drm_gem_object_lru_locked drm_gem_shmem_init_hidden drm_gem_shmem_purge_backing drm_gpuvm_bo_uncreate'

# not_compiled: the objects call the core, and no way around.
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
