#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# convert.sh: turn the raw calls of the driver in DIR into safe ones; print a diff and
# what is left by hand. APPLY=1 changes the driver.
# convert.sh expected: convert tests/convert/before and compare with what is in after.
# convert.sh check: that, and convert drivers of the kernel, build what comes out, and
# tabulate what was done in Documentation/convert-table.txt.

. "$(dirname "$0")/env.sh"

need_packages coccinelle libpython3-dev python3
if [ $# = 0 ]; then
	[ -d "${DIR:-}" ] || die "which driver? make convert DIR=<directory of its sources>"
	exec python3 "$TOP/scripts/convert.py" ${APPLY:+--apply} "$DIR"
fi

locked "$@"
drivers=(gpu/drm/lima gpu/drm/panfrost gpu/drm/v3d gpu/drm/vkms gpu/drm/vgem accel/ivpu accel/rocket)
work=$DRM_SAFE_CACHE/convert
table=$TOP/Documentation/convert-table.txt
rm -rf "$work"
mkdir -p "$work"

# convert DIR NAME: to $work/NAME, and what there is to say to $work/NAME.report.
convert() { python3 "$TOP/scripts/convert.py" --row --to "$work/$2" "$1" >"$work/$2.report"; }

# stays: a device with a use that is of no known type is left, and all that needs it.
stays() {
	cp -r "$TOP/tests/convert/before" "$work/unclear"
	echo 'struct drm_device *bar_any(void *p) { return &bar_of(p)->drm; }' >>"$work/unclear/bar_gem.c"
	convert "$work/unclear" unclear.after &&
		grep -q 'devm_drm_dev_alloc(): .*bar_of(p)->drm' "$work/unclear.after.report" &&
		! grep -rq 'drm_dev_ctx_alloc\|DRM_DEV_CTX' "$work/unclear.after"
}

# again: nothing is left to do in a driver that was converted, until a proof is passed on.
again() {
	convert "$work/bar" again && diff -r "$work/bar" "$work/again" || return 1
	sed 's/struct drm_dev_ctx_bound \*bound/struct bar_reg *reg/' "$TOP/tests/convert/before/bar_gem.c" \
		>"$work/again/bar_gem.c"
	convert "$work/again" again.after &&
		grep -q 'drm_shmem_sgt_or(lent, &reg->base.bound, &heap->shmem, ret, return ret)' \
			"$work/again.after/bar_gem.c"
}

# config: one that has the drivers, on x86: one of them is for nothing else.
config() {
	need_packages libelf-dev
	{
		printf 'CONFIG_%s=y\n' 64BIT SMP COMPILE_TEST MODULES PCI PCI_MSI OF COMMON_CLK \
			IOMMU_SUPPORT DRM DRM_ACCEL PM DEBUG_FS CONFIGFS_FS MMU KUNIT
		printf 'CONFIG_DRM_%s=m\n' SAFE_KUNIT_TEST LIMA PANFROST V3D VKMS VGEM \
			ACCEL_IVPU ACCEL_ROCKET
	} >"$work/fragment"
	"${x86[@]}" KCONFIG_ALLCONFIG="$work/fragment" allnoconfig
	"${x86[@]}" modules_prepare
}

# builds DIR: does it compile without a warning? modpost does not know the kernel's
# symbols, for there is no kernel.
builds() {
	local log

	if ! log=$("${x86[@]}" W=1 KBUILD_MODPOST_WARN=1 M="$1" modules 2>&1) ||
		[ -z "$(find "$1" -name '*.ko')" ]; then
		echo "$log"
		return 1
	fi
	! grep -E 'warning:|error:' <<<"$log"
}

# rows: of the table, and what is left, with lines of the converted files.
rows() {
	local driver name row

	printf '%s\n' ".. SPDX-License-Identifier: GPL-2.0-only OR MIT" \
		".. Written by make convert-check, with Linux $("${KMAKE[@]}" -s kernelversion)." "" \
		".. list-table::" "   :header-rows: 1" "   :widths: 15 15 15 15 40" "" \
		"   * - Driver" "     - Raw calls" "     - Converted" "     - Lines" "     - Left by hand"
	for driver in "${drivers[@]}"; do
		name=${driver##*/}
		IFS='|' read -r -a row < <(grep '|' "$work/$name.report" | head -n1)
		printf '   * - %s\n     - %s\n     - %s\n     - %s\n     -' "${row[@]}"
		sed -n '2,$s/^[^ ]*: \([a-zA-Z_]*()\): .*/\1/p' "$work/$name.report" | sort | uniq -c |
			awk '{ printf "%s %s %s", (NR > 1 ? "," : ""), $1, $2 } END { print "" }'
	done
}

check "convert: a driver of ours" convert "$TOP/tests/convert/before" bar
check "convert: it becomes what is expected" diff -r "$TOP/tests/convert/after" "$work/bar"
check "convert: what is left is what is expected" \
	diff <(tail -n +2 "$TOP/tests/convert/left") <(tail -n +2 "$work/bar.report")
check "convert: a device that is not known everywhere stays" stays
check "convert: what was converted stays" again
if [ "$1" = expected ]; then
	finish
	exit
fi

prepare_tree
x86=(make ARCH=x86_64 -C "$TREE" O="$BUILD/convert" --no-print-directory -s -j"$JOBS")
check "convert: configuration for x86" config
sed -i 's/CONFIG_DRM_BAR/CONFIG_DRM_SAFE_KUNIT_TEST/' "$work/bar/Makefile"
check "convert: a driver of ours: builds" builds "$work/bar"
for driver in "${drivers[@]}"; do
	name=${driver##*/}
	check "convert: $name" convert "$TREE/drivers/$driver" "$name"
	check "convert: $name: builds" builds "$work/$name"
done

rows >"$work/table"
check "convert: the table is up to date" diff "$table" "$work/table" || true
cp "$work/table" "$table"
finish
