#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# fresh-root.sh [SUITE [CMD...]]: run CMD, or make kernel and make kunit, in a
# clone of the last commit in a new Debian root with nothing but git, make and
# gcc. The root stays in the cache until the next run.

. "$(dirname "$0")/env.sh"
. "$TOP/scripts/apt.sh"

SUITE=${1:-bookworm}
ROOT=$DRM_SAFE_CACHE/root-$SUITE
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- bash -ec 'time make kernel; time make kunit'

[ "$(id -u)" = 0 ] || die "a new root takes root"
# The kernel removes the mounts of a mount name space with its last process.
[ -n "${FRESH_ROOT:-}" ] || FRESH_ROOT=1 exec unshare --mount --pid --fork --kill-child \
	"$0" "$SUITE" "$@"

need_packages debootstrap
rm -rf --one-file-system "$ROOT"
step "debootstrap of $SUITE" debootstrap --include=git,make,gcc,ca-certificates \
	"$SUITE" "$ROOT" "$(debian_mirror)" >"$DRM_SAFE_CACHE/debootstrap.log" ||
	die "see $DRM_SAFE_CACHE/debootstrap.log"
mirror_options >"$ROOT/etc/apt/apt.conf.d/99mirror"
mount -t proc proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
mount -t tmpfs tmpfs "$ROOT/dev/shm"
git clone -q "$TOP" "$ROOT/src/drm_safe"
step "in $SUITE: $*" chroot "$ROOT" env -i HOME=/root PATH="$PATH" \
	bash -c 'cd /src/drm_safe && exec "$@"' bash "$@"
