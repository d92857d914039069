#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# edu.sh: test the sample driver for QEMU's edu device, on Debian's kernel in QEMU.
#
#   STEPS    the steps to run, in this order; "short" for the steps of make check:
#       iommu     run the client's tests, unbind the driver while the device does DMA, and take the
#                 device away from clients ROUNDS times, with an IOMMU that sees wrong addresses
#       direct    the same without an IOMMU, on a machine with all memory in the device's reach
#       bounce    the same without an IOMMU, with a bounce buffer for each buffer of the client
#       plant     run copies of the driver with bugs, which the tests or the IOMMU must see
#   ROUNDS   number of times that the device is taken away; default 20
#   VM_KVER  series of Debian's kernel (7.2 or 7.3)

. "$(dirname "$0")/env.sh"
. "$TOP/scripts/apt.sh"
. "$TOP/scripts/guest.sh"
. "$TOP/scripts/stock.sh"
. "$TOP/scripts/tree.sh"
locked "$@"
VM_KVER=${VM_KVER:-7.3}
STEPS=${STEPS:-iommu direct bounce plant}
if [ "$STEPS" = short ]; then
	STEPS=iommu ROUNDS=${ROUNDS:-3}
fi
ROUNDS=${ROUNDS:-20}

EDU_CLIENT=$TOP/out/edu/edu-client
IOMMU=(-device "intel-iommu,intremap=on,caching-mode=on")
MEMORY=1G
BOUNCE=
# The guest's clock counts instructions, and skips the time in which the guest waits. So a busy host
# does not delay the device, and waiting for the device takes no time.
ACCEL=(-accel "tcg,thread=single" -icount "shift=${SHIFT:-1},sleep=off")

# edu_command STEPS: set CMD to boot Debian's kernel with the device. An unmap takes effect in the
# IOMMU at once (strict), and the guest does not give up its timer on a busy host.
edu_command() {
	CMD=(qemu-system-x86_64 "${ACCEL[@]}" -cpu max -smp 2 -m "$MEMORY" -machine q35 -nodefaults
		-nographic -no-reboot -serial stdio -kernel "$MODULES/vmlinuz" -initrd "$INITRD"
		"${IOMMU[@]}" -device edu
		-virtfs "local,path=$SHARE,mount_tag=host,security_model=none"
		-append "console=ttyS0 oops=panic panic=-1 no_timer_check intel_iommu=on iommu.strict=1
			slab_debug=FZP $BOUNCE ROUNDS=$ROUNDS STEPS=$1 ${PARAMS:+PARAMS=$PARAMS}")
}

build_edu_client() {
	need_packages gcc libc6-dev make pkg-config libdrm-dev
	make -s -C "$TOP/samples/edu/client" O="${EDU_CLIENT%/*}"
}

# edu_guest [EDU]: boot with this edu.ko, or with out/modules/edu.ko.
edu_guest() {
	local own

	own=$(stock_modules fs/9p/9p net/9p/9pnet_virtio)
	INITRD=$STOCK/initramfs-edu.gz
	# shellcheck disable=SC2086
	make_initramfs "$MODULES" "$EDU_CLIENT" "$TOP/out/modules/drm_safe.ko" \
		"${1:-$TOP/out/modules/samples/edu/edu.ko}" $own
}

step_iommu() {
	local PROGRESS=(checks '^(not )?ok ')

	check_steps "with an IOMMU, $ROUNDS rounds" edu edu $((300 + 60 * ROUNDS))
}

step_direct() {
	local PROGRESS=(checks '^(not )?ok ') IOMMU=() MEMORY=256M BESIDE=direct

	check_steps "without an IOMMU, $ROUNDS rounds" edu edu $((300 + 60 * ROUNDS))
}

# The kernel's bounce buffer, and all memory that it must reach, is below 256 MiB.
step_bounce() {
	local PROGRESS=(checks '^(not )?ok ') IOMMU=() MEMORY=256M BOUNCE=swiotlb=8192,force
	local BESIDE=bounce

	check_steps "with a bounce buffer, $ROUNDS rounds" edu edu $((300 + 60 * ROUNDS))
}

# planted: make a copy of the driver with a parameter for bugs, and set PLANTED to its file.
#   1  quiesce does not wait for the device
#   2  the driver states that the device reaches 32 bits
#   3  a job ends when its first step begins
#   4  a slot is not cleared
#   5  a submit is not freed
#   6  the objects of a job are synchronised when it is submitted
planted() {
	local dir=$DRM_SAFE_CACHE/planted-edu log=$DRM_SAFE_CACHE/log/planted-edu

	copy_files "$dir"
	mkdir -p "${log%/*}"
	dir=$dir/$SAFE
	sed -i 's|^struct edu_hw;$|extern int edu_bug;\n&|' "$dir/samples/edu/edu.h"
	sed -i -e 's|^#include "edu.h"$|&\n#include <linux/moduleparam.h>\nint edu_bug;\nmodule_param_named(bug, edu_bug, int, 0600);|' \
		-e 's|^\twait_event_timeout(hw->idle|\tif (edu_bug != 1)\n&|' \
		-e 's|ret = drm_shmem_set_device_opts(unreg, &edu_device_opts);|struct drm_shmem_device_opts opts = edu_device_opts;\nif (edu_bug == 2)\nopts.dma_mask = DMA_BIT_MASK(32);\nret = drm_shmem_set_device_opts(unreg, \&opts);|' \
		-e 's|^\t\tif (ret > 0)$|if (edu_bug == 3 \&\& ret > 0 \&\& job != \&hw->clear.job) {\nhw->running = NULL;\njob->end(job, hw, bound, 0);\n}\n&|' \
		"$dir/samples/edu/edu_drv.c"
	sed -i 's|^\tdrm_dev_ctx_live_or(live, &edu->ctx|\tif (edu_bug == 4)\nreturn NULL;\n&|' "$dir/samples/edu/edu_bo.c"
	sed -i 's|^\t\tedu_submit_free(submit);\n}|&|; /llist_for_each_entry_safe/s|$|\nif (edu_bug != 5)|' "$dir/samples/edu/edu_submit.c"
	sed -i 's|^\tret = edu_submit_own(submit, &reg->base.bound);$|&\nif (edu_bug == 6 \&\& !ret)\nret = edu_submit_show(submit, \&reg->base.bound);|' "$dir/samples/edu/edu_submit.c"
	[ "$(cat "$dir"/samples/edu/*.[ch] | grep -o edu_bug | wc -l)" = 9 ] || { echo "there is no place to plant a bug in"; return 1; }
	KDIR=$KDIR "$dir/scripts/modules.sh" >"$log" 2>&1 || { cat "$log"; return 1; }
	PLANTED=$dir/out/modules/samples/edu/edu.ko
}

# seen BUG TEXT: check that the tests fail, and that the report or the kernel's log has TEXT.
seen() {
	local PARAMS=bug=$1 ROUNDS=0 BESIDE=bug$1

	! run_guest edu edu 600 >"$DRM_SAFE_CACHE/log/edu-bug$1" || { echo "the tests pass"; return 1; }
	cat "$SHARE/report" "$LOG" | grep -m1 -E "$2"
}

step_plant() {
	planted || { check "a copy of the driver with bugs" false; return 0; }
	edu_guest "$PLANTED"
	check "an unbind that does not wait for the device" seen 1 '^not ok edu: the device is idle'
	check "a DMA mask that is too wide" seen 2 'clamping DMA|DMAR: \[.*fault'
	check "memory that is freed while the device uses it" seen 3 'DMAR: \[.*fault'
	check "a slot that is not cleared" seen 4 '^not ok edu: a slot that was given up'
	check "a job that is never freed" seen 5 '^not ok edu: (no object|a client cannot)'
	local IOMMU=() MEMORY=256M BOUNCE=swiotlb=8192,force
	check "maintenance while an earlier job writes" seen 6 '^not ok edu: a job reads what'
	edu_guest
}

need_stock
need_packages cpio
build_edu_client
KDIR=$KDIR "$TOP/scripts/modules.sh"
new_share
edu_guest
for name in $STEPS; do
	"step_$name"
done
finish
