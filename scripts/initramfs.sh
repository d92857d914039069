#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# initramfs.sh OUT.gz FILE...: make an initramfs with busybox and the files. `init` becomes
# /init, modules go where depmod looks for them, and programs and scripts go to /bin, with
# the shared libraries that they need. The kernel makes the device nodes (devtmpfs), so
# this works without root.

. "$(dirname "$0")/env.sh"

# add_program FILE: add a program as /bin/FILE, with its libraries where the loader looks. A library
# that this machine lacks must be among the files.
add_program() {
	local lib

	install -D "$1" "$root/bin/${1##*/}"
	while read -r lib; do
		[ ! -e "$lib" ] || [ -e "$root$lib" ] || install -D "$lib" "$root$lib"
	done < <(ldd "$1" 2>/dev/null | grep -oE '/[^ ]+')
}

# add_module FILE: add a module uncompressed, because not every kernel and busybox can decompress
# it.
add_module() {
	local to=$root/lib/modules/all/${1##*/}

	mkdir -p "${to%/*}"
	case $1 in
	*.xz)
		need_packages xz-utils
		xz -dc "$1" >"${to%.xz}"
		;;
	*.zst)
		need_packages zstd
		zstd -qdc "$1" >"${to%.zst}"
		;;
	*) cp "$1" "$to" ;;
	esac
}

[ $# -ge 2 ] || die "usage: initramfs.sh OUT.gz FILE..."
need_packages busybox-static cpio
out=$1
shift
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{bin,dev,proc,sys,tmp,host,lib/modules/all}
add_program "$(command -v busybox)"
ln -s busybox "$root/bin/sh"
for file; do
	[ -f "$file" ] || die "$file is not a file"
	case ${file##*/} in
	init) install "$file" "$root/init" ;;
	*.ko | *.ko.*) add_module "$file" ;;
	*) add_program "$file" ;;
	esac
done
[ -e "$root/init" ] || die "$out needs a file named init"
(cd "$root" && find . | cpio --quiet -o -H newc -R 0:0 | gzip -1) >"$out.new"
mv "$out.new" "$out"
