#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# upstream.sh: test the kernel of KVER or KSRC for the faults on Documentation/upstream.rst. The
# library is not in the kernel that runs.
# upstream.sh check: check that this kernel has each fault, and that a copy with the semantic
# patches of scripts/coccinelle/core and tests/upstream has none.

. "$(dirname "$0")/env.sh"
. "$TOP/scripts/tree.sh"
. "$TOP/scripts/core-patches.sh"
locked "$@"

PAGE=$TOP/Documentation/upstream.rst
SUITE=$TOP/tests/upstream
# The changes of the core that fix a fault on the page
MENDS=(shmem-fault vmap-null sysrq registered unpin-clean vunmap-signal unplugged-plain sched-pop
       probe-links)

# faults: print the names on the page, in its order.
faults() { sed -n 's/^\.\. fault: //p' "$PAGE"; }

# title NAME: print the heading after the name on the page.
title() { awk -v name=".. fault: $1" '$0 == name { found = 1; next } found && NF { print; exit }' "$PAGE"; }

# upstream_tree DIR: make links to the kernel, with the reproducers in place of the library.
upstream_tree() {
	local tree=$1 source file

	source=$(dirname "$(readlink -f "$TREE/Makefile")")
	link_tree "$source" "$tree"
	hook_after "${MAKEFILE_HOOK/DRM_SAFE/DRM_UPSTREAM_KUNIT_TEST}" '^obj-.*[+]=[ \t]*[a-z0-9]+/$' \
		<"$source/drivers/gpu/drm/Makefile" | put "$tree/drivers/gpu/drm/Makefile"
	mkdir -p "$tree/$SAFE"
	for file in "$SUITE"/{Kconfig,Makefile,*.[ch]}; do put "$tree/$SAFE/${file##*/}" <"$file"; done
}

# files_of COCCI: print the files that a semantic patch of tests/upstream changes, one per line.
files_of() { sed -n 's,^// Files: ,,p' "$1" | tr ' ' '\n'; }

# mend TREE: apply every semantic patch that fixes a fault.
mend() {
	local tree=$1 name file cocci

	for name in "${MENDS[@]}"; do applies "$name" || return; done
	for cocci in "$SUITE"/*.cocci; do
		while read -r file; do
			own "$file" || return
			(cd "$tree" && spatch --very-quiet --sp-file "$cocci" --in-place "$file" >/dev/null) || return
		done < <(files_of "$cocci")
	done
}

# changed SOURCE TREE: check that each semantic patch of tests/upstream has changed its files.
changed() {
	local cocci file

	for cocci in "$SUITE"/*.cocci; do
		while read -r file; do
			! cmp -s "$1/$file" "$2/$file" || { echo "${cocci##*/}: $file is as it was"; return 1; }
		done < <(files_of "$cocci")
	done
}

# runs TREE NAME: run the reproducers, in a kernel built from TREE in $BUILD/NAME.
runs() {
	local TREE=$1 dir=$BUILD/$2

	KMAKE=(make ARCH=um -C "$TREE" --no-print-directory ${CC:+"CC=$CC"} ${LLVM:+"LLVM=$LLVM"})
	build_uml "$2" upstream/.kunitconfig || return
	"$TREE/tools/testing/kunit/kunit.py" exec --build_dir "$dir" 'drm_upstream_*'
}

# accesses TREE NAME OBJECT FUNCTION...: print the calls of KCSAN's instrumentation for one byte.
# The name of the call shows whether an access is plain. A WARN_ONCE() has a flag of its own.
accesses() {
	local TREE=$1 dir=$BUILD/$2 object=$3 file

	shift 3
	file=$dir/drivers/gpu/drm/$object.s
	rm -f "$file"
	make ARCH=um -C "$TREE" O="$dir" --no-print-directory -s ${CC:+"CC=$CC"} \
		"CFLAGS_$object.o=-fsanitize=thread --param tsan-distinguish-volatile=1" \
		"drivers/gpu/drm/$object.s" >/dev/null || return
	for function; do
		sed -n "/^$function:/,/\.size[[:space:]]*$function,/p" "$file" |
			sed '/__already_done/,/warn_slowpath/d' | grep -oE '__tsan_(volatile_)?(read|write)1\b'
	done
	rm -f "$file"
}

# plain FAULT TREE NAME OBJECT FUNCTION...: check for a fault that no test can see. The kernel
# has it if an access is plain. Without any access, the result is unknown.
plain() {
	local fault=$1 found

	shift
	found=$(accesses "$@") || true
	case $found in
	*__tsan_read1* | *__tsan_write1*) echo "upstream: $fault: there" ;;
	*__tsan_volatile*) echo "upstream: $fault: fixed" ;;
	esac
}

# look TREE NAME: write a line for each fault with a known state to $BUILD/NAME/upstream.
look() {
	local out=$BUILD/$2/upstream

	mkdir -p "$BUILD/$2"
	# Without a kernel there is no log. Remove the log of another run.
	rm -f "$BUILD/$2/test.log"
	runs "$1" "$2" >"$out.log" 2>&1 || { [ -s "$BUILD/$2/test.log" ] || cat "$out.log"; }
	{
		grep -o 'upstream: [a-z-]*: \(there\|fixed\)$' "$BUILD/$2/test.log"
		plain unplugged-plain "$1" "$2" drm_drv drm_dev_enter drm_dev_unplug drm_dev_synchronize_unplug
		plain registered-plain "$1" "$2" drm_drv drm_dev_unregister
	} | sort -u >"$out" || true
}

# state FAULT FILE: print "there", "fixed", or nothing.
state() { sed -n "s/^upstream: $1: //p" "$2"; }

# tell FILE: print the list for people, with a count of each state.
tell() {
	local fault what there=0 fixed=0

	for fault in $(faults); do
		what=$(state "$fault" "$1")
		case $what in
		there) there=$((there + 1)) ;;
		fixed) fixed=$((fixed + 1)) ;;
		*) what="did not run" failed=$((failed + 1)) ;;
		esac
		printf '%-12s %-17s %s\n' "$what" "$fault" "$(title "$fault")"
	done
	passed=$((passed + there + fixed))
	say "Linux $("${KMAKE[@]}" -s kernelversion): $there there, $fixed fixed"
}

# all_are WHAT FILE: check that each fault has this state.
all_are() {
	local fault bad=0

	for fault in $(faults); do
		[ "$(state "$fault" "$2")" = "$1" ] || { echo "$fault is $(state "$fault" "$2"), not $1"; bad=1; }
	done
	return $bad
}

# listed FILE: check that the page has each reproducer.
listed() { diff <(faults | sort) <(sed 's/^upstream: \(.*\): .*/\1/' "$1" | sort); }

prepare_tree
source=$(dirname "$(readlink -f "$TREE/Makefile")")
tree=$DRM_SAFE_CACHE/upstream-tree$KEY
rm -rf "$tree"
upstream_tree "$tree"
look "$tree" upstream
tell "$BUILD/upstream/upstream"
check "each reproducer is on the page, and each on the page is a reproducer" listed "$BUILD/upstream/upstream"
if [ "${1:-}" = check ]; then
	need_packages coccinelle libpython3-dev
	check "each fault is there" all_are there "$BUILD/upstream/upstream"
	check "the semantic patches apply" mend "$tree"
	check "each has changed its files" changed "$source" "$tree"
	# Only the fixed files are compiled again.
	rm -rf "$BUILD/upstream-fixed"
	cp -a "$BUILD/upstream" "$BUILD/upstream-fixed"
	rm -f "$BUILD/upstream-fixed"/{upstream,test.log}
	look "$tree" upstream-fixed
	check "no fault is there in the mended kernel" all_are fixed "$BUILD/upstream-fixed/upstream"
	rm -rf "$tree" "$BUILD/upstream-fixed"
fi
finish
