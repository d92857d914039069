# SPDX-License-Identifier: GPL-2.0-only OR MIT
# shellcheck shell=bash
#
# Sourced after env.sh, apt.sh and guest.sh: fetch Debian's own kernel, to run the modules
# in QEMU. Nothing is installed on this machine.
#
#   VM_KVER  series of the kernel (7.2 or 7.3)

STOCK=		# the kernel's packages, unpacked
KDIR=		# the kernel's headers, to build modules
MODULES=	# the kernel's own modules, and vmlinuz

# run_with_newer_libc DIR LIBC: start the tools in DIR with the loader of LIBC, because they
# may need a newer libc than this machine has.
run_with_newer_libc() {
	local tool lib=$2/usr/lib/x86_64-linux-gnu

	find "$1" -type f -executable | while read -r tool; do
		[ "$(head -c4 "$tool" | tail -c3 | tr -d '\0')" = ELF ] || continue
		mv "$tool" "$tool.elf"
		cat >"$tool" <<-END
			#!/bin/sh
			exec "$lib/ld-linux-x86-64.so.2" --library-path "$lib" --argv0 "\$0" "\$0.elf" "\$@"
		END
		chmod +x "$tool"
	done
}

# fetch_stock: fetch and unpack the newest kernel of the series, its headers and kbuild's
# tools, and move them to their place.
fetch_stock() {
	local release version pkg tmp=$DRM_SAFE_CACHE/unpacking-stock

	update_apt || return
	release=$(own_apt apt-cache pkgnames "linux-binary-$VM_KVER." |
		sed -n 's/^linux-binary-\([0-9.]*+deb[0-9]*-amd64\)$/\1/p' | sort -V | tail -n1)
	[ -n "$release" ] || die "no linux-binary-$VM_KVER.*-amd64 at $(debian_mirror)"
	version=$(newest_version "linux-binary-$release")
	rm -rf "$tmp"
	mkdir -p "$tmp"
	for pkg in "headers-$release" "headers-${release%-amd64}-common" \
		"kbuild-${release%-amd64}" "binary-$release" "modules-$release"; do
		unpack_package "linux-$pkg" "$version" "$tmp" || return
	done
	for pkg in libc6 libelf1t64 zlib1g libzstd1; do
		unpack_package "$pkg" "$(newest_version "$pkg")" "$tmp/libc" || return
	done

	adapt_headers "$tmp/usr/src/linux-headers-$release" \
		"$STOCK/usr/src/linux-headers-$release" || return
	run_with_newer_libc "$tmp/usr/lib" "$STOCK/libc" || return
	mv "$tmp" "$STOCK"
}

# adapt_headers DIR PLACE: let modules build in DIR, after it is moved to PLACE, with this machine's
# gcc, which need not be the compiler of the kernel.
adapt_headers() {
	printf '%s\n' "KBUILD_OUTPUT=$2" "include ${2%-amd64}-common/Makefile" >"$1/Makefile" || return
	sed -i '/^CC = /d' "$1/.kernelvariables" || return
	# Older compilers than gcc 14 and 15 lack these features.
	sed -i -E '/CC_HAS_(MIN_FUNCTION_ALIGNMENT|COUNTED_BY)/d' \
		"$1"/include/{config/auto.conf,generated/autoconf.h} || return
	# Without a vmlinux, kbuild makes no BTF, so pahole is not needed.
	rm "$1/vmlinux"
}

# need_stock: provide the kernel of VM_KVER, and set STOCK, KDIR and MODULES.
need_stock() {
	need_packages qemu-system-x86 make gcc libc6-dev
	STOCK=$DRM_SAFE_CACHE/stock-$VM_KVER
	[ -d "$STOCK" ] || step "fetching Debian's kernel $VM_KVER" fetch_stock || return
	# shellcheck disable=SC2034
	KDIR=$(echo "$STOCK"/usr/src/linux-headers-*-amd64)
	MODULES=$(echo "$STOCK"/usr/lib/modules/*-amd64)
}

# stock_modules PATH...: print the files of the kernel's own modules, compressed or not.
stock_modules() {
	local path file

	for path; do
		for file in "$MODULES/kernel/$path".ko*; do
			[ -e "$file" ] || die "there is no module $path in $MODULES"
			echo "$file"
		done
	done
}
