#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# vgpu.sh: test the sample driver with a display, and the kernel's own driver for the same
# device, on Debian's kernel in QEMU, with an IOMMU that reports wrong accesses.
#
#   DRIVERS  names of drivers: "vgpu virtio_gpu". The first one must pass. The results of the
#            other one are shown for comparison.
#   STEPS    the steps to run, in this order; "short" for the steps of make check:
#       show      compare a pattern, a cursor and the console pixel by pixel, on one and on three
#                 outputs that come, go and change, and on a device that bypasses the IOMMU
#       desktop   run a compositor and a terminal, and save pictures in out/vgpu
#       storm     take the device away while clients use it, ROUNDS times, in each possible way;
#                 before and after that, show a pattern and a cursor on three outputs
#       plant     run copies of our driver with bugs: the IOMMU must see a table that is used after
#                 it was unmapped, the storm must count leaks, and the driver must use a device
#                 again that did not answer for a while or answered wrongly
#       shutdown  power off, reboot and kexec while something is shown: the device must forget it
#       reset     reset the device by the bus, and pull it out, while clients use it
#       suspend   suspend and resume while clients draw, ROUNDS / 10 times
#       panic     check the panic screen, on two outputs
#       igt       run IGT: each subtest that passes on the kernel's driver must pass; the table is
#                 out/vgpu/igt.txt
#       debug     show, storm, shutdown, reset, suspend, panic, and the silent or wrong device of
#                 plant, on a debug kernel of ours
#   ROUNDS   rounds of the storm; default 1000
#   CLIENTS  clients of the storm, in each boot: kms, or weston for weston and kms
#   TESTS    tests of IGT, instead of tests/kms/igt.list
#   VM_KVER  series of Debian's kernel (7.2 or 7.3)

. "$(dirname "$0")/env.sh"
. "$TOP/scripts/apt.sh"
. "$TOP/scripts/guest.sh"
. "$TOP/scripts/stock.sh"
. "$TOP/scripts/tree.sh"
locked "$@"
VM_KVER=${VM_KVER:-7.3}
DRIVERS=${DRIVERS:-vgpu virtio_gpu}
STEPS=${STEPS:-show desktop storm plant shutdown reset suspend panic igt debug}
OUTPUTS="1 3"	# the number of outputs in each boot of step_show
ACCEL=tcg	# QEMU's accelerator
# With a thread per processor, some boots stop because QEMU misses that the kernel patches its code.
ONE_THREAD=tcg,thread=single
if [ "$STEPS" = short ]; then
	STEPS=storm DRIVERS=vgpu ROUNDS=${ROUNDS:-4}
	ACCEL=$ONE_THREAD
fi
ROUNDS=${ROUNDS:-1000}

KMS=$TOP/out/kms/kms
SHOTS=$TOP/out/vgpu
DESKTOP=$DRM_SAFE_CACHE/desktop
KERNEL=		# the file to boot
ON=		# the name of this kernel, for messages
DRIVER=		# the driver that the guest loads
HEADS=1		# the highest number of outputs
PACKED=		# not empty for packed virtqueues
PLATFORM=on	# on if the GPU goes through the IOMMU, off otherwise
PORT=		# not empty if the GPU is in a slot, which can be reset and switched off
ARGS=()		# additional words of the kernel's command line
PLANTED=	# the module of the driver's copy with bugs
IGT_LEAST=200	# the number of subtests that must pass on the kernel's driver
BOOT_ROUNDS=250	# the highest number of rounds of a storm in one boot
BOOTS=7		# the highest number of boots for the other driver, whose storms may end early

build_kms() {
	need_packages gcc libc6-dev make pkg-config libdrm-dev
	make -s -C "$TOP/tests/kms" O="${KMS%/*}"
}

# skip NAME WHY: print that a test is skipped, and count it.
skip() {
	skipped=$((skipped + 1))
	echo "skipped: $1: $2"
}

# vgpu_command STEPS: set CMD to boot $KERNEL with $DRIVER, on a machine with a virtual GPU of
# $HEADS outputs behind an IOMMU. iommu.strict makes an unmapped address invalid at once.
# no_timer_check is needed because the check fails on a busy host.
vgpu_command() {
	local slot=() gpu="virtio-gpu-pci,id=gpu,max_outputs=$HEADS,iommu_platform=$PLATFORM,disable-legacy=on"

	# Without ACPI hotplug, the kernel handles the slot with its own driver.
	[ -z "$PORT" ] || {
		slot=(-device "pcie-root-port,id=root,chassis=1,slot=1" -global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off)
		gpu+=,bus=root
	}
	[ -z "$PACKED" ] || gpu+=,packed=on
	CMD=(env "SHARE=$SHARE" "$TOP/scripts/vgpu-host.py" "$SHOTS" "$HEADS"
		qemu-system-x86_64 -accel "$ACCEL" -cpu max -smp 2 -m 2G -machine q35 -nodefaults -no-reboot
		-serial stdio -kernel "$KERNEL" -initrd "$INITRD"
		-device "intel-iommu,intremap=on,caching-mode=on"
		"${slot[@]}" -device "$gpu"
		-virtfs "local,path=$SHARE,mount_tag=host,security_model=none"
		-virtfs "local,path=$USERSPACE/usr,mount_tag=usr,security_model=none,readonly=on"
		-append "console=ttyS0 oops=panic panic=-1 no_timer_check intel_iommu=on iommu.strict=1
			DRIVER=$DRIVER HEADS=$HEADS PLATFORM=$PLATFORM STEPS=$1 ${ARGS[*]}")
}

# need_desktop: fetch a compositor, IGT and their dependencies, unless this was done.
need_desktop() {
	USERSPACE=$DESKTOP
	[ -d "$DESKTOP" ] || step "fetching a desktop and graphics tests" fetch_desktop
}

fetch_desktop() {
	update_apt || return
	rm -rf "$DESKTOP.new"
	unpack_with_depends "$DESKTOP.new" igt-gpu-tools-tests weston seatd udev fonts-dejavu-core || return
	mv "$DESKTOP.new" "$DESKTOP"
}

# stock_guest [VGPU]: make guests boot Debian's kernel, with the given vgpu.ko or the built one.
stock_guest() {
	local modules=("$TOP/out/modules/drm_safe.ko" "${1:-$TOP/out/modules/samples/vgpu/vgpu.ko}") own

	ours || modules=()
	own=$(stock_modules fs/9p/9p net/9p/9pnet_virtio drivers/gpu/drm/virtio/virtio-gpu drivers/gpu/drm/vgem/vgem)
	mapfile -t -O "${#modules[@]}" modules <<<"$own"
	ON="Debian's kernel" KERNEL=$MODULES/vmlinuz INITRD=$STOCK/initramfs-vgpu.gz
	make_initramfs "$MODULES" "$KMS" "$(command -v modetest)" "${modules[@]}"
}

# debug_guest [VGPU]: make guests boot a kernel of ours with as many checks as fit.
debug_guest() {
	local vgpu=${1:-$BUILD/vgpu/$SAFE/samples/vgpu/vgpu.ko} dir=$BUILD/vgpu KMAKE=("${KMAKE[@]/ARCH=um/ARCH=x86_64}")

	need_packages libelf-dev
	prepare_tree
	build_uml vgpu || return
	ON="a kernel that debugs" KERNEL=$dir/arch/x86/boot/bzImage INITRD=$dir/initramfs.gz
	make_initramfs "$dir" "$KMS" "$(command -v modetest)" \
		"$dir"/{fs/9p/9p,net/9p/9pnet_virtio,drivers/gpu/drm/virtio/virtio-gpu,drivers/gpu/drm/vgem/vgem}.ko \
		"$dir/$SAFE/drm_safe.ko" "$vgpu"
}

# judged: check that $DRIVER is the one that has to pass.
judged() { [ "$DRIVER" = "${DRIVERS%% *}" ]; }

# try NAME STEPS SECONDS: let the guest run STEPS, and note the results.
try() {
	local log=$DRM_SAFE_CACHE/log/$2-$DRIVER rc=ok

	LOG=$DRM_SAFE_CACHE/log/vgpu-$2.log
	if judged; then
		check_steps "$DRIVER: $1, on $ON" vgpu "$2" "$3"
	else
		run_guest vgpu "$2" "$3" >"$log" 2>&1 || rc="not ok"
		say "$DRIVER: $1, on $ON: $rc, see $log"
	fi
	note "$1, on $ON"
}

# note NAME: note what the last guest reported, and whether its status and its log are good.
note() {
	local end="not ok"

	[ ! -e "$SHARE/report" ] ||
		sed -n "s/^\(ok\|not ok\) $DRIVER: \(.*\)/$1: \2|$DRIVER|\1/p" "$SHARE/report" >>"$SHARE/notes"
	if [ "$(cat "$SHARE/status" 2>/dev/null)" = 0 ] && "$TOP/scripts/log-clean.sh" "$LOG" >/dev/null; then
		end=ok
	fi
	echo "$1: all of it, and a clean log|$DRIVER|$end" >>"$SHARE/notes"
}

# show_notes: print a table with a column of results for each driver.
show_notes() {
	[ -s "$SHARE/notes" ] || return 0
	echo
	awk -F'|' -v drivers="$DRIVERS" '
		!($1 in seen) { seen[$1] = 1; name[++n] = $1 }
		{ result[$1, $2] = $3 }
		END {
			count = split(drivers, driver, " ")
			for (d = 1; d <= count; d++) printf "%-12s", driver[d]
			print ""
			for (i = 1; i <= n; i++) {
				for (d = 1; d <= count; d++)
					printf "%-12s", ((name[i], driver[d]) in result) ? result[name[i], driver[d]] : "-"
				print name[i]
			}
		}' "$SHARE/notes"
}

# ours: check that our driver is one of $DRIVERS.
ours() { [[ " $DRIVERS " == *" vgpu "* ]]; }

step_show() {
	local HEADS PACKED PLATFORM=on PROGRESS=(checks '^(not )?ok ')

	for HEADS in $OUTPUTS; do
		# Only this boot tests packed virtqueues.
		if [ "$HEADS" = 1 ]; then PACKED=yes; else PACKED=; fi
		try "a pattern on $HEADS outputs" vgpu-show 600
	done
	[[ $OUTPUTS == *1* ]] || return 0
	HEADS=1 PACKED='' PLATFORM=off
	try "a pattern from physical addresses" vgpu-show 600
}

# forgotten: check that the device knew resources, and knows none in the end.
forgotten() {
	local left most

	read -r left most <"$SHARE/known" || return
	echo "the device knows $left resources, and has known $most at once"
	[ "$left" = 0 ] && [ "$most" -gt 0 ]
}
not_forgotten() { ! forgotten; }

step_shutdown() {
	local how base=("${ARGS[@]}") ARGS ACCEL=$ACCEL

	for how in poweroff reboot kexec; do
		ARGS=("${base[@]}" "HOW=$how")
		[ "$how" != kexec ] || next_kernel
		try "$how while something is shown" vgpu-shutdown 600
		if judged; then check "$DRIVER: the device has forgotten all after $how" forgotten; fi
	done
}

# next_kernel: give the guest a kernel for kexec. vgpu-host.py does not restart a guest whose kexec
# stops, so use one thread.
next_kernel() {
	cp "$KERNEL" "$SHARE/in/kernel"
	cp "$INITRD" "$SHARE/in/initrd"
	ACCEL=$ONE_THREAD
}

step_desktop() {
	local HEADS=2 PROGRESS=(checks '^(not )?ok ')

	need_desktop
	try "a desktop" vgpu-desktop 900
}

# storm_boot ROUNDS CLIENTS: run these rounds of the storm in one boot.
storm_boot() {
	local HEADS=3 ARGS=("${ARGS[@]}" slab_debug=U "ROUNDS=$1" "CLIENTS=$2") PROGRESS=(rounds '^round [0-9]*$' "$1")

	rm -f "$SHARE/out/storm"
	try "taken away from $2" vgpu-storm $((600 + 20 * $1))
}

# tally: add the results of a boot to the variables of step_storm.
tally() {
	local count=0 hung=1 objects=- kb=-

	[ ! -s "$SHARE/out/storm" ] || read -r count hung objects kb _ <"$SHARE/out/storm"
	boots=$((boots + 1)) rounds=$((rounds + count)) hangs=$((hangs + hung))
	[[ $objects == [-0]* ]] || { leaks=$((leaks + 1)) lost=$((lost + objects)); }
	[[ $kb != [0-9]* ]] || memory=$((memory + kb))
	warnings=$((warnings + $(grep -c 'cut here' "$LOG" || true)))
	faults=$((faults + $(grep -c 'DMAR: \[.*fault' "$LOG" || true)))
	say "$DRIVER, boot $boots: $count rounds, hung $hung times, $objects objects and $kb KB left behind"
}

# step_storm: run the storm in several boots. Each fourth boot also has a compositor.
step_storm() {
	local boots=0 rounds=0 hangs=0 leaks=0 lost=0 memory=0 warnings=0 faults=0 left clients max=$BOOTS

	! judged || max=$((ROUNDS / BOOT_ROUNDS + 4))
	while left=$((ROUNDS - rounds)) && [ $left -gt 0 ] && [ $boots -lt $max ]; do
		clients=${CLIENTS:-kms}
		[ $((boots % 4)) != 3 ] || clients=${CLIENTS:-weston}
		[ "$clients" = kms ] || need_desktop
		storm_boot $((left < BOOT_ROUNDS ? left : BOOT_ROUNDS)) "$clients"
		tally
		[ $hangs = 0 ] || ! judged || break
	done
	storms+=$(printf '%-12s %-22s %5d %7d %6d %6d %8d %9d %9d %7d' "$DRIVER" "$ON" $boots $rounds $hangs \
		$leaks $lost $memory $warnings $faults)$'\n'
}

show_storms() {
	[ -n "$storms" ] || return 0
	printf '\n%-12s %-22s %5s %7s %6s %6s %8s %9s %9s %7s\n%s\n' driver on boots rounds hangs \
		leaks objects "KB shmem" warnings faults "$storms"
}

# planted KDIR: for that kernel, build a copy of the driver that has bugs, and set PLANTED to its
# file. The parameter "bug" selects a bug:
#   1  The driver unmaps the table of a framebuffer before it gives the table to the device.
#   2  The driver does not free its structure.
#   3  The driver does not notify the device, so the device is silent.
#   4  The driver sends an unknown command instead of the one that makes the device forget a
#      framebuffer.
#   5  The driver gives the device a longer list of addresses than the device takes.
#   6  As 3, and a reset lasts until the parameter changes.
#   7  As 3, and starting the device fails.
#   8  The driver creates resources without a format.
#   9  The device has no EDID, and reports outputs that are larger than the limit.
#  10  Adding a command to a virtqueue fails, for lack of memory to map it.
#  11  A command for the cursor has length zero, which breaks the device.
#  12  As 5, with the longest list that the device takes.
#  13  The driver does not read which outputs are connected after a change.
#  14  As 3, and reading which outputs are connected fails after a restart of the device.
#  15  As 10, with the error code of a packed virtqueue.
#  16  The driver is not told that a sleep, or a reset by the bus, is over.
#  17  Showing the first output fails after a restart of the device, for lack of memory.
#  18  The driver misses the answer that the device has forgotten a framebuffer, and loses the slot
#      of the virtqueue.
#  19  As 3, and the driver waits for a reset by the bus instead of resetting the device.
#  20  The driver does not reset the device.
#  21  The driver frees a framebuffer without making the device forget it.
#  22  The work item that makes the device forget framebuffers waits until the parameter changes.
# In the copy, a command times out earlier, a parameter limits the restarts in a row, and the log
# has each stop of the device and the reason why a command was not queued.
planted() {
	local dir=$DRM_SAFE_CACHE/planted log=$DRM_SAFE_CACHE/log/planted unmap long

	unmap="pr_info(\"vgpu: unmapped 0x%llx\\\\n\", (u64)sg_dma_address(table->sgl)),\n"
	unmap+="dma_unmap_sgtable(drm_dev_dma_dev(\&hw->ctx->drm), (struct sg_table *)table, DMA_BIDIRECTIONAL, 0);"
	long="(vgpu_bug == 5 ? 1100 : virtqueue_get_vring_size(hw->ctrl.vq) - 2) * PAGE_SIZE"
	copy_files "$dir"
	mkdir -p "${log%/*}"
	dir=$dir/$SAFE
	sed -i -e 's|^union vgpu_req {$|extern int vgpu_bug, vgpu_retries;\n&|' -e 's|(15 \* HZ)|(5 * HZ)|' \
		-e 's|^\(#define VGPU_RETRIES\t*\)3$|\1vgpu_retries|' "$dir/samples/vgpu/vgpu.h"
	sed -i -e "s|^\t*cmd->data = no_free_ptr(entries);|\tif (vgpu_bug == 1)\n$unmap\n&|" \
		-e 's|^\t*cmd->req.unref.resource_id.*|&\nif (vgpu_bug == 4)\ncmd->req.hdr.type = 0;|' \
		-e 's|^\t*cmd->req.create.format.*|&\nif (vgpu_bug == 8)\ncmd->req.create.format = 0;|' \
		-e "s|entries = \(kvzalloc_objs(.*;\)|entries = vgpu_bug == 5 \|\| vgpu_bug == 12 ? vzalloc($long) : \1|" \
		-e "s|^\tcmd->out_len = \(.*;\)|\tcmd->out_len = vgpu_bug == 5 \|\| vgpu_bug == 12 ? $long : \1|" \
		-e 's|^\tlist_for_each_entry(fb, &kept, kept)|&\nif (vgpu_bug == 21)\nWRITE_ONCE(fb->asked, 0);\nelse|' \
		-e 's|^#include <linux/slab.h>|&\n#include <linux/vmalloc.h>|' "$dir/samples/vgpu/vgpu_object.c"
	sed -i -e 's|^#include "vgpu.h"$|#include <linux/delay.h>\n#include <linux/moduleparam.h>\n&\nint vgpu_bug, vgpu_retries = 6;\nmodule_param_named(bug, vgpu_bug, int, 0600);\nmodule_param_named(retries, vgpu_retries, int, 0600);|' \
		-e 's|^\t\tvgpu_cmd_finish(cmd, vgpu_answer(cmd, len));|\t\tif (vgpu_bug != 18 \|\| cmd->req.hdr.type != cpu_to_le32(VIRTIO_GPU_CMD_RESOURCE_UNREF))\n&|' \
		-e 's|^\tkfree(hw);|\tif (vgpu_bug != 2)\n&|' \
		-e 's|kick = !ret|& \&\& vgpu_bug != 3 \&\& vgpu_bug != 6 \&\& vgpu_bug != 7 \&\& vgpu_bug != 14 \&\& vgpu_bug != 19|' \
		-e 's|virtio_reset_device(hw->vdev);|({ while (vgpu_bug == 6) msleep(10); if (vgpu_bug == 19) while (hw->vdev->config->get_status(hw->vdev)) msleep(10); else if (vgpu_bug != 20) & });|' \
		-e 's|ret = virtqueue_add_sgs(|ret = vgpu_bug == 10 ? -ENOMEM : vgpu_bug == 15 ? -EIO : virtqueue_add_sgs(|' \
		-e 's|^\tsg_free_table(&sgt);|\tif (ret)\npr_info("vgpu: not queued: %d\\n", ret);\n&|' \
		-e 's|^\thw->has_vqs = false;|\tpr_info("vgpu: stopped\\n");\n&|' \
		-e 's|&cmd->req, cmd->req_len);|\&cmd->req, vgpu_bug == 11 \&\& q == \&q->hw->cursor ? 0 : cmd->req_len);|' \
		-e 's|ret = vgpu_hw_negotiate(|ret = vgpu_bug == 7 ? -ENOMEM : vgpu_hw_negotiate(|' "$dir/samples/vgpu/vgpu_queue.c"
	sed -i -e 's#le32_to_cpu(info->pmodes\[i\].r.\(width\|height\))#(vgpu_bug == 9 ? 0xfffffffd : &)#' \
		-e 's|if (!virtio_has_feature(|if (vgpu_bug == 9 \|\| !virtio_has_feature(|' \
		-e 's#ret = drm_atomic_helper_reset_crtc(#ret = vgpu_bug == 17 \&\& !drm_crtc_index(crtc) ? -ENOMEM : drm_atomic_helper_reset_crtc(#' \
		-e 's|if (!vgpu_display_update(live))|if (vgpu_bug != 13 \&\& !vgpu_display_update(live))|' "$dir/samples/vgpu/vgpu_display.c"
	sed -i -e '/^static int vgpu_\(restore\|reset_done\)(/,/^{/s|^{|&\nif (vgpu_bug == 16)\nreturn 0;|' \
		-e '/^static void vgpu_free_work(/,/^}/s|^{|&\nwhile (vgpu_bug == 22)\nmsleep(10);|' -e 's|^#include <linux/dma-mapping.h>|#include <linux/delay.h>\n&|' -e 's|?: vgpu_display_update(live) ?:|?: (vgpu_bug == 14 ? -ENOMEM : vgpu_display_update(live)) ?:|' "$dir/samples/vgpu/vgpu_drv.c"
	[ "$(cat "$dir"/samples/vgpu/*.[ch] | grep -o vgpu_bug | wc -l)" = 36 ] || { echo "there is no place to plant a bug in"; return 1; }
	KDIR=$1 "$dir/scripts/modules.sh" >"$log" 2>&1 || { cat "$log"; return 1; }
	PLANTED=$dir/out/modules/samples/vgpu/vgpu.ko
}

# dma_fault: check that the guest's log has a DMA fault at the address that the bug has unmapped.
dma_fault() {
	local address

	run_guest vgpu vgpu-plant 600 >"$DRM_SAFE_CACHE/log/plant" || true
	address=$(sed -n 's/.*vgpu: unmapped \(0x[0-9a-f]*\).*/\1/p' "$LOG" | head -n 1)
	[ -n "$address" ] || { echo "nothing was unmapped"; return 1; }
	grep -m1 "DMAR: \[.*fault addr $address " "$LOG"
}

# counts_leak: check that the storm fails, and reports at least one object for each round.
counts_leak() {
	local count=0 hung=1 objects=0

	rm -f "$SHARE/out/storm"
	run_guest vgpu vgpu-storm 900 >"$DRM_SAFE_CACHE/log/leak" && return 1
	read -r count hung objects _ <"$SHARE/out/storm"
	echo "$count rounds, $objects objects"
	[ "$count" = 4 ] && [ "$hung" = 0 ] && [ "$objects" -ge 4 ]
}

# next_kernel_sees: check that the kernel of a kexec reports that the device still knew resources.
next_kernel_sees() {
	local ACCEL

	next_kernel
	! run_guest vgpu vgpu-shutdown 600 >"$DRM_SAFE_CACHE/log/next-kernel" || return
	grep -x 'not ok vgpu: the device had forgotten all .*' "$SHARE/report"
}

# cannot_go: check that the guest reports an unbind that does not end.
cannot_go() {
	local HEADS=2 PORT=yes

	! run_guest vgpu vgpu-gone 900 >"$DRM_SAFE_CACHE/log/gone" || return
	grep -x 'not ok vgpu: it is taken away, unbind' "$SHARE/report"
}

# silent_or_wrong: run the steps in which bugs of the driver make the device silent or wrong.
silent_or_wrong() {
	local ARGS=("${ARGS[@]}" slab_debug=FZP) HEADS=$HEADS PORT='' PROGRESS=(checks '^(not )?ok ')

	try "a device that is silent" vgpu-silent 1200
	HEADS=2 PORT=yes
	try "a device that does something wrong" vgpu-wrong 1200
	try "a silent device that goes" vgpu-gone 900
	ARGS+=(no_console_suspend)
	try "the end of a sleep that the driver is not told of" vgpu-untold 600
}

step_plant() {
	local base=("${ARGS[@]}") ARGS PROGRESS=()

	[ "$DRIVER" = vgpu ] || { skip "plant" "there is no copy of $DRIVER with bugs"; return 0; }
	planted "$KDIR" || { check "a copy of the driver with bugs" false; return 0; }
	stock_guest "$PLANTED"
	ARGS=("${base[@]}" PARAMS=bug=1)
	check "the IOMMU sees a table that is used after it was unmapped" dma_fault
	ARGS=("${base[@]}")
	try "the order in which the device forgets and the kernel unmaps" vgpu-known 600
	ARGS=("${base[@]}" PARAMS=bug=20 HOW=poweroff)
	run_guest vgpu vgpu-shutdown 600 >"$DRM_SAFE_CACHE/log/not-forgotten" || true
	check "it is seen if the device forgets nothing when the machine is switched off" not_forgotten
	ARGS=("${base[@]}" PARAMS=bug=20 HOW=kexec)
	check "and when another kernel is run" next_kernel_sees
	ARGS=("${base[@]}" PARAMS=bug=2 slab_debug=U ROUNDS=4 CLIENTS=kms)
	check "the storm counts what is leaked" counts_leak
	ARGS=("${base[@]}" SILENT=6)
	check "it is seen if a silent device cannot be taken away" cannot_go
	ARGS=("${base[@]}")
	silent_or_wrong
	stock_guest
}

step_reset() {
	local HEADS=2 PORT=yes PROGRESS=(checks '^(not )?ok ')

	try "reset by the bus, and pulled out" vgpu-reset 600
}

step_suspend() {
	local n=$((ROUNDS / 10 > 1 ? ROUNDS / 10 : 2)) HEADS=2

	local ARGS=("${ARGS[@]}" "ROUNDS=$n" no_console_suspend) PROGRESS=(rounds '^round ' "$n")
	try "to sleep and back" vgpu-suspend $((600 + 20 * n))
}

# panic_seen: check that the host saw a panic screen on each output.
panic_seen() {
	local seen

	read -r seen 2>/dev/null <"$SHOTS/$DRIVER-panic.seen" || return
	echo "panic screens on outputs 0 and 1: $seen"
	[ "$seen" = "yes yes" ]
}

# panics: check that the kernel panics, that the host sees it, and that the log has no other report.
panics() {
	local HEADS=2 LOG=$DRM_SAFE_CACHE/log/vgpu-panic-$DRIVER.log
	local asked='Kernel panic - not syncing: sysrq triggered crash'

	rm -f "$SHOTS/$DRIVER-panic.seen"
	vgpu_command vgpu-panic
	timeout -s KILL 600 "${CMD[@]}" </dev/null >"$LOG" 2>&1 || true
	grep "$asked" "$LOG" || { tail -n 20 "$LOG"; return 1; }
	grep -v "$asked" "$LOG" >"$LOG.rest"
	"$TOP/scripts/log-clean.sh" "$LOG.rest" && panic_seen
}

step_panic() {
	local end="not ok"

	if judged; then check "$DRIVER: a panic screen is shown on both outputs, on $ON" panics; else panics >/dev/null || true; fi
	! panic_seen >/dev/null || end=ok
	echo "a panic screen is shown on both outputs, on $ON|$DRIVER|$end" >>"$SHARE/notes"
}

# run_igt FILE DONE TEST...: run the tests, apart from subtests that DONE lists, and write the
# results to FILE. If a subtest ends the guest, another guest runs the rest.
run_igt() {
	local HEADS=2 file=$1 left PROGRESS

	cp "$2" "$SHARE/in/done"
	shift 2
	PROGRESS=("tests of $DRIVER" '^ran ' $#)
	: >"$SHARE/out/igt"
	: >"$SHARE/out/ran"
	printf '%s\n' "$@" >"$SHARE/in/tests"
	while left=$(cat "$SHARE"/out/{igt,ran} | wc -l); do
		rm -f "$SHARE/out/now"
		run_guest vgpu vgpu-igt $((600 + 300 * $#)) >"$DRM_SAFE_CACHE/log/igt-$DRIVER" || died
		printf '%s\n' "$@" | grep -vxFf "$SHARE/out/ran" >"$SHARE/in/tests" || break
		[ "$(cat "$SHARE"/out/{igt,ran} | wc -l)" -gt "$left" ] || break
		cp "$SHARE/out/igt" "$SHARE/in/done"
	done
	sort -u "$SHARE/out/igt" >"$file"
}

# died: note which subtest ran when the guest ended, unless it has a result.
died() {
	local now

	now=$(cat "$SHARE/out/now" 2>/dev/null) && now=${now%@} || return 0
	! grep -qx "${now%@*}" "$SHARE/out/ran" || return 0
	! grep -q "^$now " "$SHARE/out/igt" || return 0
	echo "$now DIED" >>"$SHARE/out/igt"
	[[ $now == *@* ]] || echo "$now" >>"$SHARE/out/ran"
}

# igt_table OURS THEIRS: print a line for each subtest, with its result on both drivers.
igt_table() { join -a1 -a2 -e MISSING -o 0,1.2,2.2 "$1" "$2"; }

# worse: print the lines in which the kernel's driver passes, and ours does not, even when repeated.
worse() { awk '$3 == "SUCCESS" && $2 != "SUCCESS" && $2 != "LATER"'; }

# enough TABLE N: check that N subtests pass on the kernel's driver, or worse() proves nothing.
enough() {
	local count

	count=$(awk '$3 == "SUCCESS"' "$1" | wc -l)
	echo "$count pass on virtio_gpu"
	[ "$count" -ge "$2" ]
}

# no_worse TABLE: check that worse() prints nothing for the table.
no_worse() { ! worse <"$1" | grep .; }

# igt_tests: print the tests to run.
igt_tests() { if [ -n "${TESTS:-}" ]; then tr ' ' '\n' <<<"$TESTS"; else grep -v '^[#-]' "$TOP/tests/kms/igt.list"; fi; }

# each_listed: check that the list has exactly IGT's programs of these kinds.
each_listed() {
	diff <(find "$DESKTOP/usr/libexec/igt-gpu-tools" -maxdepth 1 -type f -printf '%f\n' |
		grep -E '^(kms|prime|syncobj|dumb|core|drm_read|fbdev|sw_sync|dmabuf)' | sort) \
		<(grep -v '^#' "$TOP/tests/kms/igt.list" | sed 's/^- //' | sort)
}


# igt_all: run IGT on all drivers at once, because most tests wait for the clock. Each driver has
# its own guest and directory.
igt_all() {
	local pids=() pid

	need_desktop
	for DRIVER in $DRIVERS; do
		(new_share && BESIDE=$DRIVER step_igt) &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid"; done
	if ours && igt_tests | grep -qx core_hotunplug; then igt_hotunplug; fi
	check "each program of IGT for displays runs, or is said not to" each_listed
	if ours && [ ${#pids[@]} -gt 1 ]; then
		compare_igt
	else
		skip "what IGT says" "there is nothing to compare it with, DRIVERS is $DRIVERS"
	fi
}

step_igt() {
	local tests file=$SHOTS/igt-$DRIVER

	mapfile -t tests < <(igt_tests)
	[ "$DRIVER" != vgpu ] || mapfile -t tests < <(igt_tests | grep -vx core_hotunplug)
	: >"$file"
	[ ${#tests[@]} = 0 ] || run_igt "$file" /dev/null "${tests[@]}"
	say "$DRIVER: $(cut -d' ' -f2 "$file" | sort | uniq -c | xargs)"
}

# igt_hotunplug: run core_hotunplug, which looks for a render node, on a copy of our driver that has
# one. The kernel's driver has a render node because it supports 3D.
igt_hotunplug() {
	local dir=$DRM_SAFE_CACHE/renders log=$DRM_SAFE_CACHE/log/renders file=$SHOTS/igt-vgpu DRIVER=vgpu

	copy_files "$dir"
	dir=$dir/$SAFE
	sed -i 's/\.driver_features = /&DRIVER_RENDER | /' "$dir/samples/vgpu/vgpu_drv.c"
	if KDIR=$KDIR "$dir/scripts/modules.sh" >"$log" 2>&1; then
		stock_guest "$dir/out/modules/samples/vgpu/vgpu.ko"
		run_igt "$file-render" /dev/null core_hotunplug
		sort -u -o "$file" "$file" "$file-render"
		stock_guest
	else
		check "a copy of the driver with a render node, see $log" false
	fi
}

# compare_igt: compare the results in a table. Repeat tests with a worse result up to three times,
# with no other guest, because some tests look at the clock and fail on a busy host. The table says
# LATER for a subtest that passes then.
compare_igt() {
	local tests table=$SHOTS/igt.txt ours=$SHOTS/igt-vgpu DRIVER=vgpu least=$IGT_LEAST

	igt_table "$ours" "$SHOTS/igt-virtio_gpu" >"$table"
	for _ in 1 2 3; do
		mapfile -t tests < <(worse <"$table" | sed 's/[@ ].*//' | sort -u)
		[ ${#tests[@]} -gt 0 ] || break
		say "once more: $(worse <"$table" | cut -d' ' -f1 | xargs)"
		grep -vxFf <(worse <"$table") "$table" >"$table.done" || true
		run_igt "$SHOTS/igt-again" "$table.done" "${tests[@]}"
		awk 'FILENAME == ARGV[1] { if ($2 == "SUCCESS") good[$1] = 1; next }
			$2 != "SUCCESS" && $1 in good { $2 = "LATER" } { print }' "$SHOTS/igt-again" "$ours" >"$table.new"
		ours=$table.ours
		mv "$table.new" "$ours"
		igt_table "$ours" "$SHOTS/igt-virtio_gpu" >"$table"
	done
	rm -f "$table.ours" "$table.done"
	printf '\n%6s  %-10s %s\n' "" vgpu virtio_gpu
	awk '{ print $2, $3 }' "$table" | sort | uniq -c | sort -rn |
		awk '{ printf "%6d  %-10s %s\n", $1, $2, $3 }'
	[ -z "${TESTS:-}" ] || least=1
	check "enough subtests pass on virtio_gpu" enough "$table" "$least"
	check "no subtest of $(wc -l <"$table") that passes on virtio_gpu fails on vgpu" no_worse "$table"
}

# step_debug: repeat the steps on a debug kernel, which reports errors that have no visible effect.
step_debug() {
	local ROUNDS=$((ROUNDS / 10 > 8 ? ROUNDS / 10 : 8)) BOOT_ROUNDS=50 ACCEL=$ONE_THREAD

	[ "$DRIVER" = vgpu ] || { skip "debug" "it is for the errors of vgpu, not of $DRIVER"; return 0; }
	debug_guest || { check "a kernel that debugs" false; return 0; }
	step_show
	step_storm
	step_reset
	step_suspend
	step_shutdown
	step_panic
	if planted "$BUILD/vgpu" && debug_guest "$PLANTED"; then
		silent_or_wrong
	else
		check "a copy of the driver with bugs, for that kernel" false
	fi
	stock_guest
}

need_stock
need_packages libdrm-tests cpio python3
USERSPACE=$STOCK
build_kms
if ours && [ ! -d "$TOP/samples/vgpu" ]; then
	skip "vgpu" "there is no samples/vgpu"
	DRIVERS=${DRIVERS/vgpu/}
fi
! ours || KDIR=$KDIR "$TOP/scripts/modules.sh"
new_share
mkdir -p "$SHOTS"
stock_guest
storms=
for name in $STEPS; do
	if [ "$name" = igt ]; then igt_all; continue; fi
	for DRIVER in $DRIVERS; do
		"step_$name"
	done
done
show_notes
show_storms
[ $((passed + failed)) -gt 0 ] || check "something was checked" false
finish
