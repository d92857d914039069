#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# try.sh: build the driver in DIR, outside the kernel tree, with the library. Load both in a
# guest, show the kernel's log, and unload them. KO=<file.ko>... loads modules that were built
# for that kernel instead. CLIENT=<file.c> is compiled statically, and runs in the guest while
# the driver is loaded. CLIENT can also be a program or a shell script. DEBUG=1 uses the kernel
# that scans for leaks, where the library has CONFIG_DRM_SAFE_DEBUG.

source=${CLIENT:-}
. "$(dirname "$0")/env.sh"
. "$TOP/scripts/guest.sh"
locked "$@"

# external DIR OUT ARG...: build a driver with its Makefile, for the guest's kernel.
external() {
	local dir=$1 out=$2

	shift 2
	rm -rf "$out"
	"${KMAKE[@]}" O="$BUILD/$GUEST" M="$dir" MO="$out" -j"$JOBS" DRM_SAFE="$TREE/$SAFE" \
		KBUILD_EXTRA_SYMBOLS= DEBUG="${DEBUG:-}" "$@" modules
}

# build_driver: set kos to the modules of DIR, or to KO.
build_driver() {
	if [ -n "${KO:-}" ]; then
		read -ra kos <<<"$KO"
		return
	fi
	external "$(realpath "$DIR")" "$BUILD/$GUEST.try" || return
	mapfile -t kos < <(find "$BUILD/$GUEST.try" -name '*.ko' | sort)
	[ ${#kos[@]} -gt 0 ] || { echo "$DIR gives no module"; return 1; }
}

# add_client: set client to the guest's name of the CLIENT program. <drm/drm.h> and similar headers
# come from the kernel's source, without installation, and so do headers that they include and this
# machine lacks.
add_client() {
	[ -n "$source" ] || return 0
	client=$SHARE/client
	case $source in
	*.c)
		mkdir "$SHARE/include" && ln -s "$TREE/include/uapi/drm" "$SHARE/include" || return
		gcc -static -O2 -Wall ${DIR:+-I "$DIR"} -isystem "$SHARE/include" \
			-idirafter "$TREE/include/uapi" -D__user= -o "$client" "$source"
		;;
	*) install "$source" "$client" ;;
	esac
}

# load_all: let the guest load the modules $kos, and run the client.
load_all() {
	local INITRD=$BUILD/$GUEST/initramfs-try.gz UML_ARGS=(kunit.enable=0) modules

	mapfile -t modules < <(our_modules)
	make_initramfs "$BUILD/$GUEST" ${client:+"$client"} "${modules[@]}" "${kos[@]}" || return
	basename -as .ko "${kos[@]}" >"$SHARE/in/modules"
	run_guest uml try
}

# try: build and run everything. Count each line of the guest's report that begins with ok or not
# ok.
try() {
	local rc=0

	step "building the driver" build_driver || return
	add_client || return
	load_all || rc=1
	[ -e "$SHARE/report" ] || return
	passed=$(grep -c '^ok ' "$SHARE/report") || true
	failed=$(grep -c '^not ok ' "$SHARE/report") || true
	return $rc
}

[ -n "${KO:-}" ] || [ -d "${DIR:-}" ] ||
	die "name the directory of a driver with DIR=<dir>, or modules with KO=<file.ko>"
[ -z "$source" ] || [ -f "$source" ] || die "CLIENT=$source is not a file"
. "$TOP/scripts/tree.sh"
GUEST=demo
[ -z "${DEBUG:-}" ] || GUEST=modules
client=
need_packages gcc libc6-dev
prepare_tree
build_uml "$GUEST"
new_share
try || [ "$failed" != 0 ] || failed=1
finish
