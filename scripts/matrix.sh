#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# matrix.sh: for each kernel with a source package in Debian, compile the library with W=1 and
# warnings as errors, and run the suites in a release kernel. out/matrix.txt gets a line for each
# kernel. KSRC is one more kernel, such as a clone of linux-next. ONLY='linux-source-7.3 ...' names
# the packages. DOCS=1 writes the table of Documentation/testing.rst.

APT_SUITES="trixie-backports sid experimental"
. "$(dirname "$0")/env.sh"
. "$TOP/scripts/apt.sh"
locked "$@"

OUT=$TOP/out/matrix.txt
# In older kernels, the DRM core lacks interfaces that the library needs.
OLDEST=7.2

# sources: print the newest version of each package in each suite, as "PACKAGE VERSION SUITE...".
sources() {
	local package

	for package in $(own_apt apt-cache pkgnames linux-source- |
		grep -E '^linux-source-[0-9][0-9.]*$' | sort -V); do
		own_apt apt-cache madison "$package" |
			sed -E 's/^ *([^ ]+) \| *([^ ]+) \| [^ ]+ ([^ /]+).*/\1 \2 \3/' |
			sort -k3,3 -k2,2Vr | sort -s -u -k3,3 | sort -k2,2V
	done
}

# last_count LOG: print the last line of a script that counts.
last_count() { grep -oE '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$1" | tail -n1; }

# try DIR VERSION FROM: compile and test a source, in its own build directories.
try() {
	local log=$TOP/out/matrix-${2//[^A-Za-z0-9.]/_}.log w1=fails suites='not run' rc=0
	local on=(env -u DRM_SAFE_PREPARED -u KVER "KSRC=$1")

	say "$2 from $3"
	if "${on[@]}" scripts/w1.sh modular modular.kunitconfig >"$log" 2>&1 &&
		"${on[@]}" scripts/w1.sh least least.kunitconfig >>"$log" 2>&1; then
		w1=passes
		"${on[@]}" scripts/kunit.sh release >>"$log" 2>&1 || rc=1
		suites=$(last_count "$log" | grep -v '^0 passed') || rc=1
	else
		rc=1
	fi
	printf '%s;%s;%s;%s\n' "$2" "$3" "$w1" "${suites:-nothing was counted}" >>"$OUT"
	if [ $rc = 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)) && tail -n 20 "$log"; fi
}

skip() {
	skipped=$((skipped + 1))
	printf '%s;%s;%s;%s\n' "$1" "$2" "not run" "$3" >>"$OUT"
}

# docs_table: print the lines as reStructuredText.
docs_table() {
	printf '%s\n' '.. SPDX-License-Identifier: GPL-2.0-only OR MIT' \
		'.. Written by make matrix DOCS=1' '' '.. csv-table::' \
		'   :header: Linux,From,W=1,KUnit suites' '   :widths: 15 30 15 40' ''
	sed 's/^/   "/; s/;/","/g; s/$/"/' "$OUT"
}

cd "$TOP"
mkdir -p out
: >"$OUT"
if [ -n "$KSRC" ]; then
	source=$(realpath "$KSRC")
	try "$source" "$(make -s -C "$source" kernelversion)" "KSRC"
	KSRC=
fi
update_apt
list=$(sources)
for package in ${ONLY:-}; do
	grep -q "^$package " <<<"$list" && continue
	failed=$((failed + 1))
	echo "FAILED: Debian has no $package"
done
for suite in $APT_SUITES; do
	grep -q " $suite\$" <<<"$list" || skip "-" "$suite" "no source package"
done
mapfile -t versions < <(cut -d' ' -f2 <<<"$list" | sort -uV)
for version in "${versions[@]}"; do
	read -r package _ <<<"$(awk -v v="$version" '$2 == v' <<<"$list" | head -n1)"
	from=$(awk -v v="$version" '$2 == v { printf "%s%s", n++ ? ", " : "", $3 }' <<<"$list")
	[[ -z ${ONLY:-} || " $ONLY " == *" $package "* ]] || continue
	if dpkg --compare-versions "$version" lt $OLDEST; then
		skip "${version%%-*}" "$from" "older than $OLDEST"
	elif fetch_linux "$package" "$version"; then
		try "$DRM_SAFE_CACHE/linux-${version%%-*}" "${version%%-*}" "$from"
	else
		skip "${version%%-*}" "$from" "could not be fetched"
	fi
done
[ -z "${DOCS:-}" ] || docs_table >Documentation/kernel-table.txt
column -t -s';' "$OUT"
finish
