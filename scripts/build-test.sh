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
	KDIR=$BUILD/modules DEBUG=1 "$TOP/scripts/modules.sh" || return
	for ko in drm_safe samples/sgpu/sgpu; do
		modinfo "$TOP/out/modules/$ko.ko" | grep -E '^(license|vermagic|description)' || return
	done
}

# partial CONFIG MESSAGE: for a kernel that lacks something, modules.sh says MESSAGE
# and makes drm_safe.ko without sgpu. The kernel is not built, so that modpost knows
# no symbols.
partial() {
	local dir=$BUILD/$1 config=$1.config message=$2 out

	config_uml "${dir##*/}" "$config" || return
	"${KMAKE[@]}" O="$dir" -j"$JOBS" -s modules_prepare || return
	rm -rf "$TOP/out/modules"
	out=$(KBUILD_MODPOST_WARN=1 KDIR=$dir "$TOP/scripts/modules.sh" 2>&1) || { echo "$out"; return 1; }
	grep -F "$message" <<<"$out" || { echo "$out"; return 1; }
	diff <(echo ./drm_safe.ko) <(cd "$TOP/out/modules" && find . -name '*.ko' ! -path './tests/*')
}

# The sample of a driver outside of the tree is registered in a guest, and unloaded.
external_driver() {
	local out

	out=$(DIR=$TOP/samples/external KO='' DEBUG='' "$TOP/scripts/try.sh" 2>&1) || { echo "$out"; return 1; }
	grep -F 'Initialized foo' <<<"$out" || { echo "$out"; return 1; }
}

# other_setting ARG...: the same driver with CONFIG_DRM_SAFE_DEBUG, for a kernel without.
other_setting() {
	"${KMAKE[@]}" O="$BUILD/demo" M="$TOP/samples/external" MO="$TMP/foo" -j"$JOBS" \
		DRM_SAFE="$TREE/$SAFE" KBUILD_EXTRA_SYMBOLS= DEBUG=1 "$@" modules
}

# modpost refuses it and, if modpost is told not to, the module loader does.
other_setting_is_refused() {
	local out

	! out=$(other_setting 2>&1) || { echo "it is built"; return 1; }
	grep "drm_safe_built_with_debug['\"].*undefined" <<<"$out" || { echo "$out"; return 1; }
	other_setting KBUILD_MODPOST_WARN=1 || return
	! out=$(KO=$TMP/foo/foo.ko DEBUG='' "$TOP/scripts/try.sh" 2>&1) || { echo "it is loaded"; return 1; }
	grep 'foo: Unknown symbol drm_safe_built_with_debug' "$DRM_SAFE_CACHE/log/uml-try.log" ||
		{ echo "$out"; return 1; }
}

no_kernel_is_told() {
	local out

	! out=$(KDIR=$TMP "$TOP/scripts/modules.sh" 2>&1) && [[ $out == "error: KDIR=$TMP is not "* ]]
}

need_packages kmod
prepare_tree
build_uml modules
SOURCE=$(dirname "$(readlink -f "$TREE/Makefile")")
check "install-tree and uninstall-tree" install_is_undone
check "a foreign directory in the tree is kept" foreign_is_kept
check "external modules" external_modules
check "external modules without a kernel" no_kernel_is_told
build_uml demo
check "a driver outside of the tree, in a guest" external_driver
check "a driver with the other setting is refused" other_setting_is_refused
check "external modules for a kernel without DRM_GPUVM" partial without-gpuvm \
	"lacks CONFIG_DRM_GPUVM"
check "external modules for a kernel without DRM_SCHED" partial without-sched \
	"without sgpu: no CONFIG_DRM_SCHED"
finish
