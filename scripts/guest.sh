# SPDX-License-Identifier: GPL-2.0-only OR MIT
# shellcheck shell=bash
#
# Sourced after env.sh: boot a kernel with an initramfs that has the files of scripts/guest, run one
# of them there, and judge the result.

GUEST=modules	# the configuration of the UML kernel to boot
SHARE=		# the directory that the guest sees as /host
INITRD=		# the initramfs of the guest
UML_ARGS=()	# more arguments for the command line of the UML kernel
PROGRESS=()	# how to count the guest's work, see progress()
LOG=		# the kernel's log
BESIDE=		# suffix for the logs of guests that run at the same time
USERSPACE=$DRM_SAFE_CACHE/userspace	# the directory of Debian's programs for the guest
CLIENT=$TOP/out/client/sgpu
FUZZER=$TOP/out/fuzz/sgpu-fuzz

# find_module DIR NAME: print the file of a module. The file name may have - in place of _.
find_module() {
	local found

	found=$(find "$1" -regex ".*/${2//[-_]/[-_]}\.ko\(\.xz\|\.zst\)?" -print -quit)
	[ -n "$found" ] || die "there is no module $2 in $1"
	echo "$found"
}

# is_module NAME FILE...: check whether one of the files is the module.
is_module() {
	local name=${1//-/_} file

	shift
	for file; do
		file=${file##*/}
		file=${file%%.ko*}
		[ "${file//-/_}" != "$name" ] || return 0
	done
	return 1
}

# with_depends DIR FILE...: print the files and the modules from DIR that they need, except
# drm_safe, which is not always in DIR.
with_depends() {
	local dir=$1 file name found

	shift
	for file; do
		[[ $file != *.ko* ]] || for name in $(modinfo -F depends "$file" | tr ',' ' '); do
			! is_module "$name" drm_safe "$@" || continue
			found=$(find_module "$dir" "$name") || return
			with_depends "$dir" "$found" || return
		done
		echo "$file"
	done | awk '!seen[$0]++'
}

# new_share: make a directory for the guest, which is removed when the script ends.
new_share() {
	SHARE=$(mktemp -d)
	trap 'rm -rf "$SHARE"' EXIT
	mkdir "$SHARE"/{in,out}
}

# make_initramfs DIR FILE...: make INITRD with these files, the modules from DIR that they
# need, and the files of all guests.
make_initramfs() {
	local list files

	need_packages kmod
	list=$(with_depends "$@") || return
	mapfile -t files <<<"$list"
	"$TOP/scripts/initramfs.sh" "$INITRD" "$TOP"/scripts/guest/* "${files[@]}"
}

# our_modules: print the modules of the last build of this directory, for a kernel with modules.
our_modules() {
	! grep -qx CONFIG_MODULES=y "$BUILD/$GUEST/.config" ||
		sed "s|\(.*\)\.o$|$BUILD/$GUEST/\1.ko|" "$BUILD/$GUEST/drivers/gpu/drm/safe/modules.order"
}

# uml_guest [PROGRAM]: build the UML kernel and its initramfs.
uml_guest() {
	local modules=()

	build_uml "$GUEST"
	mapfile -t modules < <(our_modules)
	INITRD=$BUILD/$GUEST/initramfs${1:+-${1##*/}}.gz
	make_initramfs "$BUILD/$GUEST" ${1:+"$1"} "${modules[@]}"
}

# uml_command STEPS: set CMD to boot the UML kernel. slab_debug is needed because the allocator's
# sheaves keep pointers to allocated objects, where kmemleak would find them. pty.legacy_count=0 is
# needed because making 256 legacy ptys takes seconds.
uml_command() {
	CMD=("$BUILD/$GUEST/linux" mem=2G ncpus=2 seccomp=on slab_debug=F pty.legacy_count=0
		con=none "con0=fd:0,fd:1" "initrd=$INITRD" "uml_dir=$SHARE/uml"
		"SHARE=$SHARE" "USERSPACE=$USERSPACE" "STEPS=$1" "${UML_ARGS[@]}")
}

# run_guest KIND STEPS [SECONDS]: boot with KIND_command and let the guest run STEPS. This
# fails, and prints the reason, unless the steps succeed in time and the kernel reports
# nothing.
run_guest() {
	local rc=0 seconds=${3:-900} start=$SECONDS watch

	"$1_command" "$2"
	LOG=$DRM_SAFE_CACHE/log/$1-$2${BESIDE:+-$BESIDE}.log
	mkdir -p "${LOG%/*}"
	rm -f "$SHARE"/{status,report,started}
	: >"$LOG"
	tail -q -n +1 -F --pid=$$ "$LOG" "$SHARE/report" 2>/dev/null > >(guest_progress >/dev/null) &
	watch=$!
	timeout -s KILL "$seconds" "${CMD[@]}" </dev/null >"$LOG" 2>&1 || rc=$?
	kill $watch
	took_guest "$2" $((SECONDS - start))
	[ ! -e "$SHARE/report" ] || sed 's/^/    /' "$SHARE/report"
	judge "$2" "$seconds" $rc && return
	show_log
	return 1
}

# guest_progress: show the progress from the log and the report, as TAP unless PROGRESS is set.
guest_progress() {
	[ ${#PROGRESS[@]} -gt 0 ] || PROGRESS=(checks '^ *(not )?ok ')
	progress "${PROGRESS[@]}"
}

# took_guest STEPS SECONDS: print the time of the boot and of the steps.
took_guest() {
	local run=0

	[ ! -e "$SHARE/started" ] || run=$(($(date +%s) - $(stat -c %Y "$SHARE/started")))
	took $(($2 - run)) "booting the guest"
	took $run "in the guest: $1"
}

# show_log: print the kernel's first report, or else its last lines.
show_log() {
	local line

	say "from the kernel's log, $LOG:"
	line=$("$TOP/scripts/log-clean.sh" "$LOG" | sed -n '1s/[^:]*:\([0-9]*\):.*/+\1/p')
	tail -n "${line:-20}" "$LOG" | head -n 40
}

# judge STEPS SECONDS RC: check that the run succeeded.
judge() {
	local status

	case $3 in
	0) ;;
	137) say "$1: the guest was still running after $2 s and got killed"; return 1 ;;
	*) say "$1: the kernel ended with exit status $3"; return 1 ;;
	esac
	[ -e "$SHARE/status" ] || { say "$1: the guest stopped before its work was done"; return 1; }
	status=$(<"$SHARE/status")
	[ "$status" = 0 ] || { say "$1: failed in the guest with exit status $status"; return 1; }
	"$TOP/scripts/log-clean.sh" "$LOG" || { say "$1: the kernel has something to report"; return 1; }
}

# need_userspace: provide Debian's programs for DRM devices, with their libraries.
need_userspace() { [ -d "$USERSPACE" ] || step "fetching programs that use DRM" fetch_userspace; }

fetch_userspace() {
	. "$TOP/scripts/apt.sh"
	update_apt || return
	rm -rf "$USERSPACE.new"
	unpack_with_depends "$USERSPACE.new" igt-gpu-tools-tests libdrm-tests kmscube || return
	mv "$USERSPACE.new" "$USERSPACE"
}

# build_client: build the sample's client as $CLIENT.
build_client() {
	need_packages gcc libc6-dev make pkg-config libdrm-dev
	mkdir -p "${CLIENT%/*}"
	make -s -C "$TOP/samples/sgpu/client" O="${CLIENT%/*}"
}

# build_fuzzer: build the fuzzer as $FUZZER.
build_fuzzer() {
	need_packages gcc libc6-dev make pkg-config libdrm-dev
	mkdir -p "${FUZZER%/*}"
	make -s -C "$TOP/tests/fuzz" O="${FUZZER%/*}"
}

# fuzz GUEST SECONDS SEED INPUTS: run the inputs in the file on that UML kernel, and then, for
# SECONDS, inputs made from them. Check that nothing goes wrong.
fuzz() {
	local GUEST=$1 UML_ARGS=(mem=512M kunit.enable=0 "FUZZ_SECONDS=$2" "FUZZ_SEED=$3") PROGRESS=(s "" "$2")

	uml_guest "$FUZZER"
	mkdir -p "$SHARE/in"
	cp "$4" "$SHARE/in/inputs"
	check_steps "random calls on the $1 kernel: those of ${4##*/}, and for $2 s others" uml fuzz $(($2 + 300))
}

# check_steps NAME KIND STEPS: check that the guest runs STEPS. Show the end of the report,
# and count its TAP lines.
check_steps() {
	local name=$1

	shift
	check "$name" run_guest "$@"
	[ -e "$SHARE/report" ] || return 0
	tail -n 2 "$SHARE/report" | sed 's/^/    /'
	passed=$((passed + $(grep -c '^ok ' "$SHARE/report" || true)))
	failed=$((failed + $(grep -c '^not ok ' "$SHARE/report" || true)))
}

# storm GUEST SECONDS: run the storm on that UML kernel, with little memory. See stress.sh for
# UNBINDS.
storm() {
	local GUEST=$1 UML_ARGS=(mem=256M kunit.enable=0 sgpu.timeout_ms=500 sgpu.faux=1
		"STRESS_SECONDS=$2" ${UNBINDS:+"UNBINDS=$UNBINDS"}) PROGRESS=(s "" "$2")

	uml_guest "$CLIENT"
	check_steps "everything at once, unbinding devices in use, on the $1 kernel" uml stress $(($2 + 300))
}

# kunit_modules: load the modules with suites, and count the results with kunit.py. Suites
# with races and the like run built in only.
kunit_modules() {
	local file suite PROGRESS UML_ARGS=(ncpus=1 "kunit.filter=speed>very_slow" kunit.filter_action=skip
		${FILTER:+"kunit.filter_glob=$FILTER"})

	PROGRESS=(cases '^ {4}(not )?ok ' "$(kunit_cases)")
	rm -rf "$SHARE"/{in,out}
	mkdir "$SHARE"/{in,out}
	our_modules | while read -r file; do
		! readelf -SW "$file" | grep kunit_test_suites >/dev/null || basename -s .ko "$file"
	done >"$SHARE/in/suites"
	run_guest uml kunit 1200 || { failed=$((failed + 1)); return 1; }
	for suite in "$SHARE"/out/*; do
		kunit parse "$BUILD/$GUEST" "$suite"
	done
}
