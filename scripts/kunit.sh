#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# kunit.sh [release|debug]...: run the KUnit suites, built in. FILTER is a glob.

. "$(dirname "$0")/env.sh"
locked "$@"

# tests NAME KERNEL_ARG...: boot the kernel, and look for reports in the log.
tests() {
	local name=$1 dir=$BUILD/$1 arg args=()

	shift
	for arg; do args+=(--kernel_args "$arg"); done
	# The timeout ends a guest that hangs. It is long enough for a slow machine.
	kunit exec "$dir" --build_dir "$dir" --timeout 1800 "${args[@]}" ${FILTER:+"$FILTER"}
	awk '/ failures injected$/ { n += $(NF - 2) } END { if (n) print n " failures injected" }' \
		"$dir/test.log"
	check "the log of the $name kernel is clean" "$TOP/scripts/log-clean.sh" "$dir/test.log"
}

prepare_tree
[ $# -gt 0 ] || set -- release debug
for name; do
	case $name in
	release) build_uml release .kunitconfig && step "KUnit, release kernel" tests release ;;
	debug) build_uml debug && step "KUnit, debug kernel" tests debug \
		ncpus=2 seccomp=on kasan_multi_shot slab_debug=F ;;
	*) die "there is no kernel called $name: release or debug" ;;
	esac || failed=$((failed + 1))
done
finish
