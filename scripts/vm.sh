#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# vm.sh: the same modules on a kernel that others built. Fetch Debian's own, build
# drm_safe.ko and sgpu.ko against its headers, and run the sample's client and programs
# of others on it in QEMU. Nothing of what was fetched gets installed on this machine.
#
#   VM_KVER  series of the kernel (7.2 or 7.3)

. "$(dirname "$0")/env.sh"
. "$TOP/scripts/apt.sh"
. "$TOP/scripts/guest.sh"
VM_KVER=${VM_KVER:-7.2}
locked "$@"

# run_with_newer_libc DIR LIBC: the tools in DIR want a newer libc than there may
# be here. Start each by way of LIBC's loader.
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

# fetch_stock: the newest kernel of the series, its headers and the tools that
# kbuild needs, unpacked and moved to where they are.
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

# adapt_headers DIR PLACE: let modules build in DIR, once that is moved to PLACE,
# with this machine's gcc, which need not be the one that built the kernel.
adapt_headers() {
	printf '%s\n' "KBUILD_OUTPUT=$2" "include ${2%-amd64}-common/Makefile" >"$1/Makefile" || return
	sed -i '/^CC = /d' "$1/.kernelvariables" || return
	# These came with gcc 14 and 15.
	sed -i -E '/CC_HAS_(MIN_FUNCTION_ALIGNMENT|COUNTED_BY)/d' \
		"$1"/include/{config/auto.conf,generated/autoconf.h} || return
	# Without a vmlinux there is no BTF to make, nor a need for pahole.
	rm "$1/vmlinux"
}

# fetch_i386: libdrm for 32-bit programs, and what that runs on.
fetch_i386() (
	APT_ARCH=i386
	. "$TOP/scripts/apt.sh"
	tmp=$I386.new
	update_apt || return
	rm -rf "$tmp"
	for pkg in libc6 libdrm2 libdrm-dev; do
		unpack_package "$pkg" "$(newest_version "$pkg")" "$tmp" || return
	done
	mv "$tmp" "$I386"
)

# build_client32: the client as a 32-bit program, which finds its libraries in /bin,
# where the initramfs has them. They are newer than what it is linked to here.
build_client32() {
	need_packages gcc-multilib
	PKG_CONFIG_LIBDIR=$(echo "$I386"/usr/lib/*/pkgconfig) PKG_CONFIG_SYSROOT_DIR=$I386 \
		make -s -C "$TOP/samples/sgpu/client" O="${CLIENT32%/*}" CC="gcc -m32" \
		LDFLAGS="-Wl,--allow-shlib-undefined,-rpath,/bin,--dynamic-linker,/bin/ld-linux.so.2"
	mv "${CLIENT32%/*}/sgpu" "$CLIENT32"
}

# qemu_command STEPS: set CMD to boot Debian's kernel.
qemu_command() {
	CMD=(qemu-system-x86_64 -accel tcg -cpu max -smp 2 -m 2G -nographic -vga none -nic none
		-no-reboot -kernel "$MODULES/vmlinuz" -initrd "$INITRD"
		-virtfs "local,path=$SHARE,mount_tag=host,security_model=none"
		-virtfs "local,path=$USERSPACE/usr,mount_tag=usr,security_model=none,readonly=on"
		-append "console=ttyS0 oops=panic panic=-1 STEPS=$1")
}

# carries STEPS: they bring a file through unchanged.
carries() {
	rm -rf "$SHARE"/{in,out}
	mkdir "$SHARE"/{in,out}
	cp "$TOP/LICENSES/GPL-2.0" "$SHARE/in"
	run_guest qemu "$1" || return 1
	cmp "$SHARE"/{in,out}/GPL-2.0
}

need_packages qemu-system-x86 make gcc libc6-dev
STOCK=$DRM_SAFE_CACHE/stock-$VM_KVER
[ -d "$STOCK" ] || step "fetching Debian's kernel $VM_KVER" fetch_stock
KDIR=$(echo "$STOCK"/usr/src/linux-headers-*-amd64)
MODULES=$(echo "$STOCK"/usr/lib/modules/*-amd64)
INITRD=$STOCK/initramfs.gz
KDIR=$KDIR "$TOP/scripts/modules.sh"
build_client
I386=$DRM_SAFE_CACHE/i386 CLIENT32=$TOP/out/client32/sgpu32
[ -d "$I386" ] || step "fetching 32-bit libraries" fetch_i386
build_client32
need_userspace
make_initramfs "$MODULES" "$CLIENT" "$CLIENT32" \
	"$I386"/usr/lib/*/{ld-linux.so.2,libc.so.6,libdrm.so.2} \
	"$TOP"/out/modules/{drm_safe,samples/sgpu/sgpu}.ko \
	"$MODULES"/kernel/{fs/9p/9p,net/9p/9pnet_virtio,drivers/gpu/drm/vgem/vgem}.ko.xz
new_share
check "the demo on Debian's kernel" carries demo
check "the demo and self-test of a 32-bit client there" carries compat
check_steps "the client's self-test there" qemu selftest
check_steps "unbinding devices in use there" qemu stress
check_steps "libdrm's own programs there" qemu libdrm
check_steps "the graphics tests (IGT) there" qemu igt
check_steps "Mesa drawing there" qemu mesa
finish
