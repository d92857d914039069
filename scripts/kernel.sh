#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# kernel.sh source  provide a kernel source in $TREE, with this directory in it
# kernel.sh         ... and build the UML kernels from it

. "$(dirname "$0")/env.sh"
. "$TOP/scripts/apt.sh"
. "$TOP/scripts/tree.sh"
locked "$@"

# fetch_source: fetch the newest linux-source of the series.
fetch_source() {
	local pkg=linux-source-$KVER version

	update_apt
	version=$(newest_version "$pkg")
	[ -n "$version" ] ||
		die "no $pkg at $(debian_mirror): give a kernel source with KSRC=<dir>"
	fetch_linux "$pkg" "$version"
}

newest_source() {
	find "$DRM_SAFE_CACHE" -maxdepth 1 -name "linux-$KVER.*" | sort -V | tail -n1
}

need_packages gcc libc6-dev make flex bison bc perl python3 binutils xz-utils
if [ -n "$KSRC" ]; then
	source=$(realpath "$KSRC")
	[ -f "$source/drivers/gpu/drm/Kconfig" ] || die "KSRC=$KSRC is not a kernel source tree"
else
	[ -n "$(newest_source)" ] || fetch_source
	source=$(newest_source)
fi
# A source can be older than object files from the previous source.
if [ -L "$TREE/Makefile" ] && [ ! "$TREE/Makefile" -ef "$source/Makefile" ]; then
	rm -rf "$TREE" "$BUILD"
fi
link_tree "$source" "$TREE"
copy_files "$TREE"

[ "${1:-}" = source ] && exit
export DRM_SAFE_SEVERAL=1
build_uml release .kunitconfig
build_uml debug
build_uml modules
say "kernels of $source are ready in $BUILD"
