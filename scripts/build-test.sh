#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# build-test.sh: the two ways to build this directory, external modules and a
# kernel tree, do what the README says.

. "$(dirname "$0")/env.sh"
. "$TOP/scripts/tree.sh"
locked "$@"

TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
DRM=drivers/gpu/drm

# tree_state: what the kernel tree in $TMP looks like.
tree_state() { (cd "$TMP/tree" && find . -type f -exec sha1sum {} + | sort -k2); }

# Install twice and uninstall: the second time changes nothing, and nothing stays.
install_is_undone() {
	local before once

	mkdir -p "$TMP/tree/$DRM"
	cp -L "$SOURCE/$DRM/Kconfig" "$SOURCE/$DRM/Makefile" "$TMP/tree/$DRM"
	before=$(tree_state)
	"$TOP/scripts/tree.sh" install "$TMP/tree" || return
	once=$(tree_state)
	"$TOP/scripts/tree.sh" install "$TMP/tree" || return
	diff <(echo "$once") <(tree_state) || return
	grep -qxF "$KCONFIG_HOOK" "$TMP/tree/$DRM/Kconfig" || return
	grep -qxF "$MAKEFILE_HOOK" "$TMP/tree/$DRM/Makefile" || return
	"$TOP/scripts/tree.sh" uninstall "$TMP/tree" || return
	diff <(echo "$before") <(tree_state)
}

# A directory that install-tree did not make is left alone.
foreign_is_kept() {
	mkdir -p "$TMP/tree/$SAFE"
	touch "$TMP/tree/$SAFE/mine"
	! "$TOP/scripts/tree.sh" install "$TMP/tree" || return
	! "$TOP/scripts/tree.sh" uninstall "$TMP/tree" || return
	[ -e "$TMP/tree/$SAFE/mine" ]
}

external_modules() {
	local ko

	rm -rf "$TOP/out/modules"
	KDIR=$BUILD/modular DEBUG=1 "$TOP/scripts/modules.sh" || return
	for ko in drm_safe samples/sgpu/sgpu; do
		modinfo "$TOP/out/modules/$ko.ko" | grep -E '^(license|vermagic|description)' || return
	done
}

no_kernel_is_told() {
	local out

	! out=$(KDIR=$TMP "$TOP/scripts/modules.sh" 2>&1) && [[ $out == "error: KDIR=$TMP is not "* ]]
}

need_packages kmod
prepare_tree
build_uml modular
SOURCE=$(dirname "$(readlink -f "$TREE/Makefile")")
check "install-tree and uninstall-tree" install_is_undone
check "a foreign directory in the tree is kept" foreign_is_kept
check "external modules" external_modules
check "external modules without a kernel" no_kernel_is_told
finish
