#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# kcsan.sh: run the KUnit suites on an x86-64 kernel of two CPUs with KCSAN, in QEMU.
# FILTER is a glob. kunit.py would let QEMU use KVM, which many virtual machines lack.

. "$(dirname "$0")/env.sh"
. "$TOP/scripts/tree.sh"
locked "$@"

DIR=$BUILD/kcsan
CONFIG=$TOP/tests/kcsan.kunitconfig
ARGS="console=ttyS0 kunit_shutdown=reboot kunit.filter_glob=${FILTER:-drm_*}"
# Watch one access in 500. The default is one in 4,000.
ARGS+=" kcsan.skip_watch=500 drm_gpuvm_imm_kunit.model_ops=3000"
ARGS+=" drm_shmem_safe_kunit.model_ops=5000 drm_dev_ctx_model_test.model_ops=1000"

# boot: run until the kernel reboots, which ends QEMU.
boot() {
	timeout -s KILL 3600 qemu-system-x86_64 -accel tcg -cpu max -smp 2 -m 2G -nodefaults -nographic \
		-no-reboot -serial stdio -kernel "$DIR/arch/x86/boot/bzImage" -append "$ARGS" </dev/null
}

# ours: print the functions of the library and its tests.
ours() { nm "$DIR/$SAFE"/{,tests/}*.o | awk '$2 ~ /^[tT]$/ { sub(/\..*/, "", $3); print $3 }'; }

# races LOG: print the races in which an access of the library is not marked. The kernel does not
# mark all of its own accesses.
races() {
	[ -n "$(ours)" ] || { echo "there is nothing to look for in the log"; return 1; }
	awk 'NR == FNR { ours[$1] = 1; next }
		/BUG: KCSAN: / { what = $0 }
		/(read|write|read-write) (\(.*\) )?to 0x/ {
			marked = /\(marked/
			getline
			sub(/[.+].*/, "", $1)
			if (!marked && $1 in ours) { print what; bad = 1 }
		}
		END { exit bad }' <(ours) "$1"
}

no_other_reports() { ! "$TOP/scripts/log-clean.sh" "$1" | grep -v "BUG: KCSAN: "; }

need_packages qemu-system-x86 libelf-dev
prepare_tree
mkdir -p "$DIR"
say "building the kernel with KCSAN in $DIR"
"$TREE/tools/testing/kunit/kunit.py" build --arch x86_64 --build_dir "$DIR" --jobs "$JOBS" \
	--kunitconfig "$CONFIG" | progress lines .
check_config "$CONFIG" "$DIR/.config"
say "running the suites"
boot | tee "$DIR/test.log" | grep -E '^( {4})?(not )?ok ' || true
kunit parse "$DIR" "$DIR/test.log"
check "no race with an unmarked access of the library" races "$DIR/test.log"
check "the log has no other report" no_other_reports "$DIR/test.log"
finish
