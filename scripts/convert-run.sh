#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# convert-run.sh: run drivers of the kernel, from Debian's package and converted by make convert, on
# Debian's kernel in QEMU. Both run the same graphics tests, which are compared subtest by subtest, and
# the same storm, which takes the device away. A driver that Debian does not ship is built twice, from
# the kernel's sources and converted.
#
#   DRIVERS  names of drivers: "vgem vkms virtio_gpu bochs cirrus_qemu udl"
#   ROUNDS   rounds of the storm; 20 unless set
#   TESTS    tests of IGT, instead of the driver's tests in tests/convert/igt.list
#   VM_KVER  series of Debian's kernel

. "$(dirname "$0")/env.sh"
. "$TOP/scripts/apt.sh"
. "$TOP/scripts/guest.sh"
. "$TOP/scripts/stock.sh"
locked "$@"
VM_KVER=${VM_KVER:-7.3}
DRIVERS=${DRIVERS:-vgem vkms virtio_gpu bochs cirrus_qemu udl}
ROUNDS=${ROUNDS:-20}

KMS=$TOP/out/kms/kms
GADGET=$TOP/out/kms/udl-gadget
OUT=$TOP/out/convert
USERSPACE=$DRM_SAFE_CACHE/userspace
work=$DRM_SAFE_CACHE/convert-run
# The directories of their sources, and the names of their modules
declare -A source=([vgem]=vgem [vkms]=vkms [virtio_gpu]=virtio [bochs]=tiny/bochs.c [cirrus_qemu]=tiny/cirrus-qemu.c
	[udl]=udl)
declare -A module=([vgem]=vgem/vgem [virtio_gpu]=virtio/virtio-gpu [bochs]=tiny/bochs [cirrus_qemu]=tiny/cirrus-qemu
	[udl]=udl/udl)

# The drivers that Debian does not ship, with their configuration symbols
declare -A unshipped=([vkms]=DRM_VKMS)

# The drivers for a device of QEMU
declare -A device=([virtio_gpu]="virtio-gpu-pci,disable-legacy=on" [bochs]=bochs-display [cirrus_qemu]=cirrus-vga)

build_kms() {
	need_packages gcc libc6-dev make pkg-config libdrm-dev
	make -s -C "$TOP/tests/kms" O="${KMS%/*}"
}

# built DRIVER DIR: build the driver in DIR for Debian's kernel, with the library's symbols.
built() {
	local symbol=${unshipped[$1]:-}

	# Debian's headers lack the directory next to the driver's.
	find "$2" -name '*.h' -exec sed -i "s|^#define TRACE_INCLUDE_PATH .*|#define TRACE_INCLUDE_PATH $2|" {} +
	make -C "$KDIR" --no-print-directory -s -j"$JOBS" M="$2" ${symbol:+"CONFIG_$symbol=m"} \
		KCPPFLAGS="-I$TOP${symbol:+ -DCONFIG_${symbol}_MODULE=1}" \
		KBUILD_EXTRA_SYMBOLS="$TOP/out/modules/Module.symvers" modules || return
	[ -n "$(ko "$1" "$2")" ]
}

# converted DRIVER: convert the kernel's driver, and build it.
converted() {
	local dir=$work/$1

	rm -rf "$dir"
	python3 "$TOP/scripts/convert.py" --row --to "$dir" "$TREE/drivers/gpu/drm/${source[$1]}" >"$work/$1.report" || return
	built "$1" "$dir"
}

# as_it_is DRIVER: build a copy of the kernel's sources, because Debian has no module.
as_it_is() {
	rm -rf "$work/$1.before"
	cp -rL "$TREE/drivers/gpu/drm/${source[$1]}" "$work/$1.before" &&
		built "$1" "$work/$1.before"
}

# ko DRIVER DIR: print the module that was built in DIR.
ko() { find "$2" -name "${1//_/[-_]}.ko" -print -quit; }

# guest_command STEPS: set CMD to boot Debian's kernel with the driver.
guest_command() {
	CMD=(qemu-system-x86_64 -accel tcg -cpu max -smp 2 -m 2G -machine q35 -nodefaults -nographic -no-reboot
		-serial stdio -kernel "$MODULES/vmlinuz" -initrd "$INITRD" ${device[$DRIVER]:+-device "${device[$DRIVER]}"}
		-virtfs "local,path=$SHARE,mount_tag=host,security_model=none"
		-virtfs "local,path=$USERSPACE/usr,mount_tag=usr,security_model=none,readonly=on"
		-append "console=ttyS0 oops=panic panic=-1 no_timer_check DRIVER=$DRIVER ROUNDS=$ROUNDS STEPS=$1")
}

# run WHICH: run the guest, with Debian's driver ("before") or the converted one ("after").
run() {
	local own modules=()

	own=$(stock_modules fs/9p/9p net/9p/9pnet_virtio)
	mapfile -t modules <<<"$own"
	if [ "$DRIVER" = udl ]; then
		own=$(stock_modules drivers/usb/gadget/udc/dummy_hcd drivers/usb/gadget/function/usb_f_fs)
		mapfile -t -O ${#modules[@]} modules <<<"$own"
		modules+=("$GADGET")
	fi
	if [ "$1" = after ]; then
		modules+=("$TOP/out/modules/drm_safe.ko" "$(ko "$DRIVER" "$work/$DRIVER")")
	elif [ -n "${unshipped[$DRIVER]:-}" ]; then
		modules+=("$(ko "$DRIVER" "$work/$DRIVER.before")")
	else
		modules+=("$(stock_modules "drivers/gpu/drm/${module[$DRIVER]}")")
	fi
	INITRD=$work/initramfs-$1.gz LOG=$DRM_SAFE_CACHE/log/convert-$DRIVER-$1.log
	make_initramfs "$MODULES" "$KMS" "${modules[@]}" || return
	run_guest guest convert 1800
}

# tests: print the driver's tests of IGT.
tests() {
	if [ -n "${TESTS:-}" ]; then
		tr ' ' '\n' <<<"$TESTS"
	else
		sed -n "s/^$DRIVER: //p" "$TOP/tests/convert/igt.list" | tr ' ' '\n'
	fi
}

# table: print the results of each subtest before and after the conversion.
table() { join -a1 -a2 -e MISSING -o 0,1.2,2.2 "$OUT/$DRIVER.before" "$OUT/$DRIVER.after"; }

# as_before: check that some subtests pass on Debian's driver, and that each of them passes on the
# converted driver.
as_before() {
	! awk '$2 == "SUCCESS" && $3 != "SUCCESS"' "$OUT/$DRIVER.txt" | grep . &&
		grep -q ' SUCCESS SUCCESS$' "$OUT/$DRIVER.txt"
}

need_stock
need_packages libdrm-tests cpio python3 coccinelle libpython3-dev
need_userspace
prepare_tree
build_kms
KDIR=$KDIR "$TOP/scripts/modules.sh" >"$DRM_SAFE_CACHE/log/modules" 2>&1 || { cat "$DRM_SAFE_CACHE/log/modules"; die "the library does not build"; }
mkdir -p "$work" "$OUT"
new_share
for DRIVER in $DRIVERS; do
	check "$DRIVER: converts, and builds" converted "$DRIVER"
	[ -z "${unshipped[$DRIVER]:-}" ] || check "$DRIVER: builds as it is" as_it_is "$DRIVER"
	tests >"$SHARE/in/tests"
	for which in before after; do
		rm -f "$SHARE/out/igt"
		if [ $which = before ]; then
			run before >"$DRM_SAFE_CACHE/log/$DRIVER-before" 2>&1 || say "$DRIVER, as Debian ships it: not all is well, see $DRM_SAFE_CACHE/log/$DRIVER-before"
		else
			check "$DRIVER, converted: tests, a storm of $ROUNDS rounds, and a clean log" run after
		fi
		sort "$SHARE/out/igt" >"$OUT/$DRIVER.$which" || true
	done
	table >"$OUT/$DRIVER.txt"
	awk '{ print $2, $3 }' "$OUT/$DRIVER.txt" | sort | uniq -c | awk -v d="$DRIVER" '{ printf "%s: %d subtests: %s before, %s after\n", d, $1, $2, $3 }'
	check "$DRIVER: each subtest that passes before passes after" as_before
done
finish
