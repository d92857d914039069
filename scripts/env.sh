# SPDX-License-Identifier: GPL-2.0-only OR MIT
# shellcheck shell=bash
#
# Sourced by the other scripts: the places of files, and functions that build kernels and count
# checks.
#
#   DRM_SAFE_CACHE  directory for all downloads and builds, for every clone
#   KVER            kernel series to fetch (7.3 or 7.2)
#   KSRC            a kernel source tree to use instead
#   CC, LLVM        compiler, as kbuild takes them

set -euo pipefail
unset MAKEFLAGS MFLAGS MAKELEVEL

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
DRM_SAFE_CACHE=${DRM_SAFE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/drm_safe}
KVER=${KVER:-7.3}
KSRC=${KSRC:-}
JOBS=${JOBS:-$(nproc)}

export DRM_SAFE_CACHE KVER KSRC JOBS PYTHONDONTWRITEBYTECODE=1

# A suffix that keeps the directories of different kernels apart
KEY=
[ "$KVER" = 7.3 ] || KEY=-$KVER
[ -z "$KSRC" ] || KEY=-$(realpath -m "$KSRC" | sha1sum | cut -c1-8)

TREE=$DRM_SAFE_CACHE/tree$KEY			# the kernel's source with this directory in it
BUILD=$DRM_SAFE_CACHE/build$KEY${LLVM:+-llvm}${SID_ROOT:+-sid}	# one build directory for each configuration
KMAKE=(make ARCH=um -C "$TREE" --no-print-directory)
[ -z "${CC:-}" ] || KMAKE+=("CC=$CC")
[ -z "${LLVM:-}" ] || KMAKE+=("LLVM=$LLVM")

# Print progress to a descriptor of its own, because another script may read the output.
if [ -z "${DRM_SAFE_PROGRESS:-}" ]; then
	exec 3>&1
	export DRM_SAFE_PROGRESS=3
fi

say() { printf '==> %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# step NAME CMD...: run CMD and print how long it took.
step() {
	local name=$1 start=$SECONDS rc=0

	shift
	say "$name"
	"$@" || rc=$?
	say "$name: $((SECONDS - start)) s$([ $rc = 0 ] || echo ", failed ($rc)")"
	took $((SECONDS - start)) "$name"
	return $rc
}

# took SECONDS NAME: add a line to the table of steps, if the main command ends with such
# a table, see show_times.
took() { [ -z "${DRM_SAFE_TIMES:-}" ] || printf '%6d s  %s\n' "$@" >>"$DRM_SAFE_TIMES"; }
show_times() { printf '\n%s\n%6d s  in all\n' "$(<"$DRM_SAFE_TIMES")" $SECONDS; }

# locked "$@": restart the calling script with a lock on the cache. All clones share one tree, so
# the second script waits.
locked() {
	[ -z "${DRM_SAFE_LOCKED:-}" ] || return 0
	mkdir -p "$DRM_SAFE_CACHE"
	flock -n "$DRM_SAFE_CACHE/lock" true || say "waiting for another run in $DRM_SAFE_CACHE"
	DRM_SAFE_LOCKED=1 exec flock -o "$DRM_SAFE_CACHE/lock" "$0" "$@"
}

# need_packages PKG...: install missing packages. Parts that run at the same time take
# turns.
need_packages() {
	local pkg missing=()

	command -v dpkg-query >/dev/null || return 0
	for pkg; do
		[[ $(dpkg-query -W -f '${db:Status-Abbrev}' "$pkg" 2>/dev/null) == ?i* ]] ||
			missing+=("$pkg")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	[ "$(id -u)" = 0 ] || die "missing packages, install them as root: apt-get install ${missing[*]}"
	mkdir -p "$DRM_SAFE_CACHE"
	step "installing ${missing[*]}" flock -o "$DRM_SAFE_CACHE/packages.lock" bash -c '
		export DEBIAN_FRONTEND=noninteractive
		install() { apt-get -qq -o DPkg::Lock::Timeout=600 install --no-install-recommends -y "$@" >/dev/null; }
		install "$@" 2>/dev/null || { apt-get -qq update && install "$@"; }' bash "${missing[@]}"
}

# prepare_tree: provide a kernel source in $TREE, with the current files of this directory.
# A script that runs parts at the same time does this once, and sets DRM_SAFE_PREPARED.
prepare_tree() { [ "${DRM_SAFE_PREPARED:-}" = "$TREE" ] || "$TOP/scripts/kernel.sh" source; }

# progress UNIT REGEX [TOTAL]: count the lines of standard input that match, and show
# how many are left: on a terminal in place, elsewhere every 30 seconds. Without REGEX
# the unit is seconds.
progress() {
	local unit=$1 regex=$2 total=${3:-0} line n=0 start=$SECONDS shown=$SECONDS every=30 text

	if [ -t 3 ]; then every=1; fi
	while read -r -t $every line || [ $? -gt 128 ]; do
		[[ -z $regex || ! $line =~ $regex ]] || n=$((n + 1))
		[ $((SECONDS - shown)) -ge $every ] || continue
		shown=$SECONDS
		[ -n "$regex" ] || n=$((SECONDS - start))
		text=$(left $n "$total" "$unit" $((SECONDS - start)))
		if [ -t 3 ]; then printf '    %s\e[K\r' "$text"; else printf '    %s\n' "$text"; fi
	done >&3
	[ ! -t 3 ] || printf '\e[K' >&3
}

# left N TOTAL UNIT SECONDS: print the text of the progress after this time.
left() {
	if [ "$1" = 0 ] || [ "$1" -gt "$2" ]; then
		echo "$1 $3, $4 s"
	else
		echo "$1 of $2 $3, $4 s, about $(($4 * ($2 - $1) / $1)) s left"
	fi
}

# compile DIR ARG... TARGET: make TARGET in a build directory, and show how many objects
# are left. Counting them needs a walk through all Makefiles, after the kernel's preparation
# targets. If a kernel exists already, few objects are left, so they are not counted.
compile() {
	local dir=$1 total=

	shift
	if [ ! -e "$dir/vmlinux" ]; then
		"${KMAKE[@]}" O="$dir" -j"$JOBS" -s "${@:1:$#-1}" prepare || return
		total=$("${KMAKE[@]}" O="$dir" -n -k "$@" 2>/dev/null | grep -cE "echo '  (CC|CHECK) ") || true
	fi
	"${KMAKE[@]}" O="$dir" -j"$JOBS" "$@" | tee "${COMPILED:-/dev/null}" |
		progress objects '^ *(CC|CHECK) ' "$total"
}

# has_objects DIR: check that the build in DIR has an object of each file of the library.
has_objects() {
	local file rc=0

	for file in "$TOP"/drm_*.c; do
		[[ $file != *_debugfs.c ]] || grep -qx CONFIG_DEBUG_FS=y "$1/.config" 2>/dev/null || continue
		file=$1/drivers/gpu/drm/safe/$(basename "$file" .c).o
		[ -e "$file" ] || { echo "nothing was compiled: there is no $file"; rc=1; }
	done
	return $rc
}

# config_file NAME [CONFIG]: print the configuration file of a kernel: tests/CONFIG, or the file
# NAME.
config_file() {
	local file

	for file in "$TOP/tests/"{"${2:-$1.kunitconfig}","$1.config"}; do
		[ ! -e "$file" ] || break
	done
	echo "$file"
}

# config_key DIR CONFIG: print a key of .config and of the files from which it was made.
config_key() {
	{
		cat "$TOP/tests/small.config" "$2" "$TOP/Kconfig"
		readlink -f "$TREE/Makefile"
		echo "${CC:-} ${LLVM:-}"
		cat "$1/.config"
	} 2>/dev/null | sha1sum
}

# config_uml NAME [CONFIG]: write $BUILD/NAME/.config from its file and small.config, unless they
# have not changed.
config_uml() {
	local dir=$BUILD/$1 file

	[ "$(uname -m)" = x86_64 ] || die "user mode Linux needs an x86-64 machine"
	case ${LLVM:-} in
	-*) need_packages "clang$LLVM" "lld$LLVM" "llvm$LLVM" ;;
	esac
	file=$(config_file "$@")
	[ "$(config_key "$dir" "$file")" != "$(cat "$dir/.config.key" 2>/dev/null)" ] || return 0
	mkdir -p "$dir"
	rm -f "$dir/.config.key"
	# In Linux 7.2, CONFIG_SYSCTL is only selected, by this symbol.
	{ cat "$TOP/tests/small.config" "$file"; echo CONFIG_PROC_SYSCTL=y; } >"$dir/all.config"
	"${KMAKE[@]}" O="$dir" -s KCONFIG_ALLCONFIG="$dir/all.config" allnoconfig 2>"$dir/config.log" ||
		{ cat "$dir/config.log" >&2; return 1; }
	config_key "$dir" "$file" >"$dir/.config.key"
}

built=()	# the UML kernels that this script has built

# begin_build DIR CONFIG: begin with the objects of another kernel, if the configuration names one.
# kbuild then only rebuilds the objects that the configuration changes. If DRM_SAFE_SEVERAL is set,
# several kernels are built, so build the other kernel first.
begin_build() {
	local from

	from=$(sed -n 's/^# Begins with the objects of \(.*\)\.$/\1/p' "$2")
	[ -n "$from" ] && [ ! -e "$1/.config" ] || return 0
	[ -z "${DRM_SAFE_SEVERAL:-}" ] || build_uml "$from" || return
	[ -e "$BUILD/$from/vmlinux" ] || return 0
	flock "$BUILD/$from/lock" cp -a "$BUILD/$from/." "$1" && rm -f "$1/vmlinux"
}

# build_uml NAME [CONFIG]: build the UML kernel and its modules in $BUILD/NAME, one
# part at a time.
build_uml() {
	local dir=$BUILD/$1

	[[ " ${built[*]} " != *" $1 "* ]] || return 0
	mkdir -p "$dir"
	(
		flock 9
		begin_build "$dir" "$(config_file "$@")" || exit
		step "configuring the $1 kernel" config_uml "$@" || exit
		step "building the $1 kernel in $dir" compile "$dir" all 9>&- || exit
		check_config "$(config_file "$@")" "$dir/.config"
	) 9>"$dir/lock" || return
	built+=("$1")
}

# check_config WANTED CONFIG: check that CONFIG sets every symbol as WANTED does.
check_config() {
	local missing

	missing=$(grep '^CONFIG_' "$1" | grep -vxFf "$2") || return 0
	die "asked for in ${1##*/}, but not so in $2: $missing"
}

# driver_symbols DIR CONFIG: print the symbols that a driver's Makefiles use and that the kernel's
# configuration does not have.
driver_symbols() {
	local symbol

	grep -rhoP --include=Makefile --include=Kbuild '^obj-\$\(\KCONFIG_\w+' "$1" | sort -u |
		while read -r symbol; do
		grep -q "^$symbol=" "$2" || echo "$symbol"
	done
}

# compile_driver DIR NAME CONFIG ARG...: compile all of a driver, in or out of a kernel
# tree, for the kernel of tests/CONFIG in $BUILD/NAME. Fail if the compiler prints anything,
# or if there is nothing to compile. modpost does not know all symbols, because the kernel is
# not built, and neither are the library's modules, whose symbols the driver may need.
compile_driver() {
	local dir=$1 build=$BUILD/$2 config=$3 out=$BUILD/$2.driver log symbols defines rc=0

	shift 3
	config_uml "${build##*/}" "$config" || return
	"${KMAKE[@]}" O="$build" -j"$JOBS" -s modules_prepare || return
	mapfile -t symbols < <(driver_symbols "$dir" "$build/.config")
	defines=("${symbols[@]/#/-D}")
	defines=("${defines[@]/%/_MODULE=1}")
	rm -rf "$out"
	touch "$build/Module.symvers"
	log=$("${KMAKE[@]}" O="$build" M="$dir" MO="$out" -j"$JOBS" -s KBUILD_MODPOST_WARN=1 \
		DRM_SAFE="$TREE/drivers/gpu/drm/safe" KBUILD_EXTRA_SYMBOLS= "${symbols[@]/%/=m}" \
		KCPPFLAGS="-I$TREE/drivers/gpu/drm/safe ${defines[*]}" \
		"$@" modules 2>&1) || rc=1
	! grep -vE 'modpost: |^make' <<<"$log" | grep . || rc=1
	[ -n "$(find "$out" -name '*.o' ! -name '*.mod.o' 2>/dev/null)" ] ||
		{ echo "nothing was compiled in $dir"; rc=1; }
	return $rc
}

# Counts of checks, which end a script as "N passed, N failed, N skipped".
passed=0 failed=0 skipped=0

# check NAME CMD...: run CMD as one check. Show its output if it fails.
check() {
	local name=$1 out

	shift
	if out=$("$@" 2>&1); then
		passed=$((passed + 1))
		echo "ok: $name"
	else
		failed=$((failed + 1))
		printf '%s\nFAILED: %s\n' "$out" "$name"
	fi
}

# fails_with TEXT CMD...: check that CMD fails and prints TEXT.
fails_with() {
	local text=$1 out

	shift
	! out=$("$@" 2>&1) || { echo "it succeeds: $out"; return 1; }
	[[ $out == *"$text"* ]] || { echo "$out"; return 1; }
}

# some FILE...: fail if no file is given.
some() { [ $# -gt 0 ] || { echo "there is nothing to check"; return 1; }; }

# kunit_cases: print the number of KUnit cases. With a filter, it is unknown.
kunit_cases() { [ -n "${FILTER:-}" ] || cat "$TOP"/tests/*.c | grep -c '^\s*KUNIT_CASE.*('; }

# kunit COMMAND DIR ARG...: run kunit.py COMMAND, and add its results to the counts. If
# kunit.py parse fails because all cases were skipped, this does not count as a failure.
kunit() {
	local log=$2/kunit.out cmd=$1 rc=0 bad

	shift 2
	"$TREE/tools/testing/kunit/kunit.py" "$cmd" "$@" |
		tee "$log" >(progress cases '^\S+ \[[A-Z]+\] ' "$(kunit_cases)" >/dev/null) || rc=$?
	number() { sed -n "s/.*Testing complete\..* $1: \([0-9]*\).*/\1/p" "$log" | grep . || echo 0; }
	passed=$((passed + $(number passed)))
	skipped=$((skipped + $(number skipped)))
	bad=$(($(number failed) + $(number crashed) + $(number errors)))
	[ $rc = 0 ] || [ $bad != 0 ] || [[ $(number passed) = 0 && $(number skipped) != 0 ]] || bad=1
	failed=$((failed + bad))
}

# finish: print the last line of a script that counts, and return its exit status.
finish() {
	echo "$passed passed, $failed failed, $skipped skipped"
	[ $failed = 0 ]
}
