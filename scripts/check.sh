#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# check.sh: run all tests and checks of the library once. A part is a command that ends
# with "N passed, N failed[, N skipped]". Without such a line, or if it fails without a
# count, the part counts as one failure. Guests use one CPU most of the time, so two
# parts that wait for guests run at the same time as the others.

. "$(dirname "$0")/env.sh"
locked "$@"
LOGS=$DRM_SAFE_CACHE/log
report=
announced=0
pids=()

# count NAME LOG RC SECONDS: add the counts at the end of a part's log.
count() {
	local p=0 f=0 s=0

	if [[ $(tail -n1 "$2") =~ ^([0-9]+)" passed, "([0-9]+)" failed"(, ([0-9]+) skipped)?$ ]]; then
		p=${BASH_REMATCH[1]} f=${BASH_REMATCH[2]} s=${BASH_REMATCH[4]:-0}
	elif [ "$3" = 0 ]; then
		p=1
	fi
	[ "$3" = 0 ] || [ "$f" != 0 ] || f=1
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	report+=$(printf '%6d s  %-30s %5d passed %3d failed %3d skipped' "$4" "$1" "$p" "$f" "$s")$'\n'
}

# announce NAME: print which part begins, and how many there are.
announce() { say "$1 ($((++announced)) of $(grep -cE '^(part|begin) ' "$TOP/scripts/check.sh"))"; }

# part NAME CMD...: run CMD as one part, and add its counts.
part() {
	local name=$1 start=$SECONDS rc=0

	shift
	announce "$name"
	"$@" </dev/null 2>&1 3>&1 | tee "$LOGS/part" || rc=$?
	count "$name" "$LOGS/part" $rc $((SECONDS - start))
}

# begin NAME CMD...: run CMD in the background during the next parts, in its own process
# group.
begin() {
	local log=$LOGS/$1 start=$SECONDS

	shift
	rm -f "$log.end"
	: >"$log"
	set -m
	(
		rc=0
		"$@" </dev/null >"$log" 2>&1 3>&1 || rc=$?
		echo $rc $((SECONDS - start)) >"$log.end"
	) &
	set +m
	pids+=($!)
}

# await NAME: show the output of a background part until it ends.
await() {
	local log=$LOGS/$1 rc=1 seconds=0

	announce "$1"
	tail -n +1 -f --pid="${pids[0]}" "$log"
	pids=("${pids[@]:1}")
	[ ! -e "$log.end" ] || read -r rc seconds <"$log.end"
	count "$1" "$log" "$rc" "$seconds"
}

# stop: end the background parts when this script is interrupted.
stop() {
	local pid

	for pid in "${pids[@]}"; do kill -- "-$pid" || true; done
}

cd "$TOP"
mkdir -p "$LOGS"
export DRM_SAFE_TIMES=$LOGS/times
: >"$DRM_SAFE_TIMES"
trap stop EXIT
part "kernel source" scripts/kernel.sh source
export DRM_SAFE_PREPARED=$TREE DRM_SAFE_SEVERAL=1
begin "KUnit, modules" scripts/kunit-modules.sh
begin "demo" scripts/demo.sh --check
part "style" scripts/style.sh
part "checkers" scripts/checkers.sh
part "KUnit, release" scripts/kunit.sh release
part "KUnit, debug" scripts/kunit.sh debug
begin "instructions" env ARCH=x86_64 CHECK=1 scripts/icount.sh
begin "W=1" scripts/w1.sh short
part "documentation" scripts/docs.sh --check
part "misuse" scripts/misuse.sh
part "fence signalling path" scripts/signalling.sh
part "proofs" scripts/prove.sh
part "memory model" scripts/litmus.sh
part "Coccinelle" scripts/coccicheck.sh
part "conversion" scripts/convert.sh expected
part "external modules, kernel tree" scripts/build-test.sh
await "KUnit, modules"
await "demo"
await "instructions"
await "W=1"
part "display" env STEPS=short scripts/vgpu.sh
part "DMA engine" env STEPS=short scripts/edu.sh
part "sparse" scripts/sparse.sh
printf '\n%s\nof which, some beside others:\n' "$report"
sort -rn "$DRM_SAFE_TIMES" | head -n 20
printf '\n%6d s  in all\n' $SECONDS
finish
