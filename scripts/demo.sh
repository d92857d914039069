#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# demo.sh: copy INPUT, a file, through the sample driver on a small UML kernel, and check
# that the copy is equal and that no object is left.
# demo.sh --check: also copy files of other sizes, refuse bad inputs, and run the client's
# own tests, on debug kernels.

. "$(dirname "$0")/env.sh"
. "$TOP/scripts/guest.sh"
INPUT=${INPUT:-$TOP/LICENSES/GPL-2.0}

# carry FILE...: copy the files through the driver, with a time limit that fits their size.
carry() {
	local file size n=0 PROGRESS=(files '^ +out ' $#)

	rm -rf "$SHARE"/{in,out}
	mkdir "$SHARE"/{in,out}
	for file; do
		cp -- "$file" "$SHARE/in/$((n++))" || return 1
	done
	size=$(du -bs "$SHARE/in" | cut -f1)
	run_guest uml demo $((900 + size / 1000000)) || return 1
	n=0
	for file; do
		cmp -- "$file" "$SHARE/out/$((n++))" || return 1
	done
	say "what came out equals what went in; the modules are unloaded, the kernel's log is clean"
}

# refuses INPUT: check that this script refuses INPUT at once, in one line.
refuses() {
	local out

	! out=$(INPUT=$1 "$0" 2>&1) && [[ $out == "error: INPUT=$1 "* ]] && [ "$(wc -l <<<"$out")" = 1 ]
}

# refuses_unreadable: check the same for a file that root can read only with capabilities.
refuses_unreadable() {
	local as=()

	touch "$SHARE/secret"
	chmod 0 "$SHARE/secret"
	[ "$(id -u)" != 0 ] || as=(setpriv --bounding-set "-dac_override,-dac_read_search")
	export -f refuses
	"${as[@]}" bash -c "refuses '$SHARE/secret'" "$0"
}

# show: run the demo.
show() {
	local GUEST=demo

	build_uml demo || return
	step "making what it boots to" uml_guest "$CLIENT" || return
	say "carrying $INPUT through the sample driver"
	carry "$INPUT" || die "the demo failed; the kernel's log is $LOG"
}

# carry_all: copy INPUT and random files: empty, of one byte, and of 100 MB.
carry_all() {
	local size

	mkdir "$SHARE/random"
	for size in 0 1 100M; do
		head -c $size /dev/urandom >"$SHARE/random/$size"
	done
	carry "$INPUT" "$SHARE/random"/*
}

# check_sample GUEST: run the self-test and the storm on that kernel.
check_sample() {
	local GUEST=$1 UML_ARGS=(kunit.enable=0) PROGRESS

	PROGRESS=(checks '^(not )?ok ' "$(grep -c 'CHECK.*(' "$TOP/samples/sgpu/client/selftest.c")")
	uml_guest "$CLIENT"
	check_steps "the client's self-test on the $1 kernel" uml selftest
	storm "$1" 12
}

check_all() {
	build_uml demo
	check "the demo carries INPUT" show
	uml_guest "$CLIENT"
	check "the kernel with modules carries INPUT, and 0, 1 and 100M random bytes" carry_all
	check "a missing INPUT is refused" refuses "$SHARE/missing"
	check "a directory as INPUT is refused" refuses "$SHARE"
	check "an unreadable INPUT is refused" refuses_unreadable
	check_steps "loading and unloading in every order" uml orders
	check_sample modules
	check_sample debug
	build_fuzzer
	fuzz debug 0 1 "$TOP/tests/fuzz/inputs"
	finish
}

[ -e "$INPUT" ] || die "INPUT=$INPUT does not exist"
[ -f "$INPUT" ] || die "INPUT=$INPUT is not a regular file"
[ -r "$INPUT" ] || die "INPUT=$INPUT cannot be read"
locked "$@"
new_share
[ "${1:-}" = --check ] || export DRM_SAFE_TIMES=$SHARE/times
prepare_tree
step "building the client" build_client
case ${1:-} in
--check) check_all ;;
"")
	show
	show_times
	;;
esac
