#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# style.sh: check the files without compiling them.

. "$(dirname "$0")/env.sh"
. "$TOP/scripts/tree.sh"
locked "$@"

# The words are split so that this file does not find itself.
UNFINISHED='T[O]DO|F[I]XME|X[X]X|[Nn]ot imple[m]ented|place[h]older|[Ff]or no[w]\b'
MACHINE_WORDS='(^|[^A-Za-z0-9_.$}/-])/(ro[o]t|ho[m]e|wo[r]k)/|(de[b]|ft[p]|securit[y]|snapsho[t])\.[a-z.]*debian\.or[g]'
MACHINE_WORDS+='|nodesourc[e]|pypi\.or[g]|registry\.np[m]js|crates\.i[o]'

# matches_none REGEX FILE...: print the matching lines. Succeed if there are none, and fail
# if grep fails.
matches_none() {
	local rc=0

	some "${@:2}" || return
	grep -nHIE "$@" || rc=$?
	[ $rc = 1 ]
}

# spdx FILE...: print the files without a tag in the first three lines.
spdx() {
	some "$@" || return
	printf '%s\n' "$@" | grep -vE '^(LICENSES/.*|MAINTAINERS|\.installed)$' | awk '
		{
			for (i = n = 0; i < 3 && (getline line < $0) > 0; i++)
				n += line ~ /SPDX-License-Identifier: GPL-2\.0-only OR MIT/
			close($0)
			if (!n) {
				print $0 ": no SPDX tag in the first three lines"
				bad = 1
			}
		}
		END { exit bad }'
}

# checkpatch FILE...: run checkpatch. checkpatch.accepted lists accepted reports, and each
# of its lines must be needed.
checkpatch() {
	some "$@" || return
	(printf '%s\0' "${@/#/$TREE/$SAFE/}" | xargs -0 -P "$JOBS" -n 16 \
		"$TREE/scripts/checkpatch.pl" --root "$TREE" --strict --terse --show-types \
		--no-summary --quiet -f || true) | sed "s,^$TREE/$SAFE/,," | sort -V | awk -F'[: ]+' '
		NR == FNR { if ($1 ~ /^[^#]/) for (i = 2; i <= NF; i++) accepted[$1, $i] = 1; next }
		{ dir = $1; sub("[^/]*$", "", dir) }
		($1, $4) in accepted { used[$1, $4] = 1; next }
		(dir, $4) in accepted { used[dir, $4] = 1; next }
		{ print; bad = 1 }
		END {
			for (key in accepted)
				if (!(key in used)) {
					split(key, part, SUBSEP)
					print "checkpatch.accepted: no " part[2] " in " part[1]
					bad = 1
				}
			exit bad
		}' "$TOP/scripts/checkpatch.accepted" -
}

# code FILE...: print the lines that are neither blank nor comment. code_lines counts them.
code() {
	local file

	some "$@" >&2 || return
	for file; do
		[ -s "$file" ] || { echo "there is no $file" >&2; return 1; }
		gcc -fpreprocessed -dD -E -P "$file" 2>/dev/null
	done
}
code_lines() { code "$@" | wc -l; }

# two_d: print code without the functions and structures for 3D, which are contexts and capability
# sets, and for blobs and UUIDs. These begin and end in the first column, and have their name before
# the first brace.
two_d() {
	awk '{ part = part $0 "\n" }
	     /^[^ \t].*;$|^}|^#/ {
		head = part
		sub(/\{.*/, "", head)
		if (head !~ /3d|virgl|context|capset|cap_cache|blob|uuid|vram|host_visible/)
			printf "%s", part
		part = ""
	     }'
}

# misspelt: check that the checks find a name in the rule "raw" that the kernel does not have.
misspelt() {
	local out

	! out=$(python3 "$TOP/scripts/rule-names.py" "$TREE" --raw drm_gem_vmap_lockd) &&
		[[ $out == *"declares no drm_gem_vmap_lockd()"* ]]
}

# traces FILE...: check that exactly the files that make tracepoints have the directory in their
# flags.
# A build with O= finds the header without the flag, and so do all of our builds.
traces() {
	local makes

	some "$@" || return
	makes=$(grep -l '^#define CREATE_TRACE_POINTS' "$@" | sed 's/c$/o/' | sort)
	# shellcheck disable=SC2016
	[ -n "$makes" ] && diff <(echo "$makes") <(sed -n 's/^CFLAGS_\(.*\) := -I$(src)$/\1/p' Makefile | sort)
}

kernel_doc() { some "$@" && python3 "$TREE/scripts/kernel-doc" -none -Wall -Werror "$@"; }
layers() { python3 "$TOP/scripts/layers.py" "$@"; }
series() { python3 "$TOP/scripts/series.py" "$@"; }
shell() { some "$@" && shellcheck -x -P SCRIPTDIR -e SC2094 "$@"; }

# nothing_is_an_error: check that no file, or a missing file, is an error.
nothing_is_an_error() {
	local cmd rc=0

	for cmd in checkpatch kernel_doc spdx traces "traces drm_dev_ctx.c" "matches_none x" layers shell code \
		"code_lines $TOP/none.c"; do
		# shellcheck disable=SC2086
		! $cmd >/dev/null 2>&1 || { echo "$cmd succeeds without a file"; rc=1; }
	done
	return $rc
}

prepare_tree
need_packages shellcheck unifdef
cd "$TREE/$SAFE"
mapfile -t files < <(our_files)
mapfile -t sources < <(printf '%s\n' "${files[@]}" | grep -E '\.[ch]$')
mapfile -t kernel < <(printf '%s\n' "${files[@]}" |
	grep -E '(\.[ch]|\.rst|(^|/)(Kconfig|Makefile))$' | grep -vE '^tests/(misuse|coccinelle|signalling|prove)/')
mapfile -t scripts < <(grep -lE '^(#!/bin/(ba)?sh|# shellcheck shell)' "${files[@]}")

check "checkpatch --strict: ${#kernel[@]} files" checkpatch "${kernel[@]}"
check "kernel-doc -Wall: ${#sources[@]} files" kernel_doc "${sources[@]}"
check "SPDX tags: ${#files[@]} files" spdx "${files[@]}"
check "nothing left to do" matches_none "$UNFINISHED" "${files[@]}"
check "no path or host of one machine" matches_none "$MACHINE_WORDS" "${files[@]}"
# Allocations for a client must be charged to the client.
check "address spaces are accounted" matches_none \
	'\bGFP_KERNEL\b|\bk[vmz]+alloc_(obj|objs|flex)\([^,]*\)' drm_gpuvm_imm*.c
# These files also pass GFP_KERNEL to lockdep and to the tracking of handles.
check "objects are accounted" matches_none \
	'\bk\w*(alloc|dup)\w*\(.*\bGFP_KERNEL\b|^\s+[^(.=]*\bGFP_KERNEL\b|\bk[vmz]+alloc_(obj|objs|flex)\([^,]*\)' \
	drm_shmem*.c drm_gem*.c
mapfile -t library < <(printf '%s\n' "${sources[@]}" | grep '^[^/]*$' | grep -vxF drm_safe_core.h)
check "internals of the core are in drm_safe_core.h alone: ${#library[@]} files" \
	layers "${library[@]}"
check "each kind of internal is found" layers --test
check "trace headers are found in a build without O=" traces "${library[@]}"
check "each function of drm_safe_core.h says when it goes" layers --core "$TOP/drm_safe_core.h"
check "each file of the library is in a patch of the series" series left-out
check "no patch has what a kernel tree does not know" series faults
check "no page of the series names what stays here" series stays
check "shellcheck: ${#scripts[@]} scripts" shell "${scripts[@]}"
check "nothing to check is an error" nothing_is_an_error
check "each rule is seen, or said not to be" python3 "$TOP/scripts/rules.py"
check "the names in the spatch rules are those of the kernel and the library" \
	python3 "$TOP/scripts/rule-names.py" "$TREE"
check "a misspelt name is found" misspelt
# The library must leave only few lines to a driver.
lines=$(code_lines samples/sgpu/sgpu_{vm,run,bind}.c)
check "the sample's address spaces and VM_BIND: $lines lines of code, under 380" [ "$lines" -lt 380 ]
lines=$(code_lines samples/vgpu/*.[ch])
virtio=$(code "$TREE"/drivers/gpu/drm/virtio/virtgpu_{drv.h,drv.c,kms.c,display.c,plane.c,vq.c,object.c,gem.c,fence.c} |
	two_d | wc -l)
check "the sample with a display: $lines lines of code, under 1500; the kernel's driver, in 2D: $virtio" \
	[ "$lines" -lt 1500 ]
lines=$(code_lines samples/edu/*.[ch])
check "the sample with a DMA engine: $lines lines of code, under 1120" [ "$lines" -lt 1120 ]
finish
