#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# vm.sh: test the modules on a distribution's kernel. Fetch Debian's kernel, build
# drm_safe.ko and sgpu.ko with its headers, and run the sample's client and other programs
# on it in QEMU. Nothing is installed on this machine.
#
#   VM_KVER  series of the kernel (7.2 or 7.3)

. "$(dirname "$0")/env.sh"
. "$TOP/scripts/apt.sh"
. "$TOP/scripts/guest.sh"
. "$TOP/scripts/stock.sh"
VM_KVER=${VM_KVER:-7.2}
locked "$@"

# fetch_i386: fetch libdrm for 32-bit programs, and its libraries.
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

# build_client32: build the client as a 32-bit program, which finds its libraries in /bin
# of the initramfs. They are newer than the ones that it is linked with here.
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

# carries STEPS: check that the steps copy a file unchanged.
carries() {
	rm -rf "$SHARE"/{in,out}
	mkdir "$SHARE"/{in,out}
	cp "$TOP/LICENSES/GPL-2.0" "$SHARE/in"
	run_guest qemu "$1" || return 1
	cmp "$SHARE"/{in,out}/GPL-2.0
}

need_stock
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
