#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# try.sh: build the driver in DIR, which is outside of the kernel tree, with the library;
# load both in a guest, show what the kernel says, and unload them. KO=<file.ko>... loads
# modules that were built for that kernel instead. DEBUG=1 takes the kernel with all
# debugging, where the library has CONFIG_DRM_SAFE_DEBUG.

. "$(dirname "$0")/env.sh"
. "$TOP/scripts/guest.sh"
locked "$@"

# external DIR OUT ARG...: build a driver as its Makefile says, for the guest's kernel.
external() {
	local dir=$1 out=$2

	shift 2
	rm -rf "$out"
	"${KMAKE[@]}" O="$BUILD/$GUEST" M="$dir" MO="$out" -j"$JOBS" DRM_SAFE="$TREE/$SAFE" \
		KBUILD_EXTRA_SYMBOLS= DEBUG="${DEBUG:-}" "$@" modules
}

# load_all: let the guest load the modules $kos.
load_all() {
	local INITRD=$BUILD/$GUEST/initramfs-try.gz UML_ARGS=(kunit.enable=0) modules

	mapfile -t modules < <(our_modules)
	make_initramfs "$BUILD/$GUEST" "${modules[@]}" "${kos[@]}" || return
	basename -as .ko "${kos[@]}" >"$SHARE/in/modules"
	run_guest uml try
}

. "$TOP/scripts/tree.sh"
GUEST=demo
[ -z "${DEBUG:-}" ] || GUEST=modules
prepare_tree
build_uml "$GUEST"
new_share
if [ -n "${KO:-}" ]; then
	read -ra kos <<<"$KO"
else
	[ -d "${DIR:-}" ] || die "name the directory of a driver with DIR=<dir>, or modules with KO=<file.ko>"
	external "$(realpath "$DIR")" "$BUILD/$GUEST.try"
	mapfile -t kos < <(find "$BUILD/$GUEST.try" -name '*.ko' | sort)
	[ ${#kos[@]} -gt 0 ] || die "$DIR gives no module"
fi
load_all
