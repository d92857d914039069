#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# sid-root.sh CMD...: run CMD in a root of Debian sid with clang 23. This directory, the
# cache and /tmp have the same names there. The root is made once and stays in the cache.

. "$(dirname "$0")/env.sh"
. "$TOP/scripts/apt.sh"

ROOT=$DRM_SAFE_CACHE/root-sid
LLVM_SID=-23
packages=(make gcc libc6-dev flex bison bc perl python3 xz-utils ca-certificates
	"clang$LLVM_SID" "lld$LLVM_SID" "llvm$LLVM_SID")

make_root() {
	need_packages debootstrap
	rm -rf --one-file-system "$ROOT" "$ROOT.new"
	debootstrap --variant=minbase sid "$ROOT.new" "$(debian_mirror)" || return
	mirror_options >"$ROOT.new/etc/apt/apt.conf.d/99mirror"
	# Do not sync files. After a crash, make the root again.
	echo force-unsafe-io >"$ROOT.new/etc/dpkg/dpkg.cfg.d/unsafe-io"
	chroot "$ROOT.new" apt-get -q update || return
	DEBIAN_FRONTEND=noninteractive chroot "$ROOT.new" \
		apt-get -q install --no-install-recommends -y "${packages[@]}" || return
	mv "$ROOT.new" "$ROOT"
}

[ "$(id -u)" = 0 ] || die "a root of its own takes root"
# The kernel removes the mounts of a mount name space with its last process.
[ -n "${SID_ROOT:-}" ] ||
	SID_ROOT=1 exec unshare --mount --pid --fork --kill-child "$TOP/scripts/sid-root.sh" "$@"

[ -d "$ROOT" ] || step "making a root of Debian sid in $ROOT" make_root >"$ROOT.log" 2>&1 ||
	die "no root of Debian sid, see $ROOT.log"
mount -t proc proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
for dir in "$DRM_SAFE_CACHE" "$TOP" /tmp ${DIR:+"$(realpath "$DIR")"}; do
	mkdir -p "$ROOT$dir"
	mount --bind "$dir" "$ROOT$dir"
done
exec chroot "$ROOT" env -C "$PWD" "$@"
