#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# convert.sh: convert the raw calls of the driver in DIR to safe ones. Print a diff, and the
# calls that a person has to convert. APPLY=1 changes the driver.
# convert.sh expected: convert tests/convert/before and compare the result with after.
# convert.sh check: do the same, convert drivers of the kernel, build the results with each
# compiler, and write the table in Documentation/convert-table.txt.
# convert.sh table: write that table from the results of check, with the current cocci.accepted.
#   ONLY       names of drivers; the results of the others are kept
#   COMPILERS  "gcc clang" unless set
#   LLVM       suffix of clang, as for kbuild; -19 unless set
#   COCCI      run coccicheck on the results, too, which takes minutes for each driver

. "$(dirname "$0")/env.sh"

need_packages coccinelle libpython3-dev python3
if [ $# = 0 ]; then
	[ -e "${DIR:-}" ] || die "which driver? make convert DIR=<directory of its sources, or one of several files>"
	exec python3 "$TOP/scripts/convert.py" ${APPLY:+--apply} "$DIR"
fi

locked "$@"
read -ra compilers <<<"${COMPILERS:-gcc clang}"
declare -A llvm=([gcc]='' [clang]=${LLVM:--19})
# In a directory of several drivers, each file is a driver.
all=(
	gpu/drm/vgem gpu/drm/vkms gpu/drm/udl gpu/drm/gud gpu/drm/hyperv gpu/drm/solomon
	gpu/drm/sitronix/st7571.c gpu/drm/sitronix/st7920.c
	gpu/drm/tiny/{appletbdrm,bochs,cirrus-qemu,gm12u320,pixpaper}.c
	gpu/drm/ast gpu/drm/hisilicon/hibmc gpu/drm/mgag200 gpu/drm/sysfb
	accel/rocket accel/ethosu gpu/drm/lima gpu/drm/panfrost gpu/drm/v3d gpu/drm/virtio
	gpu/drm/imagination accel/amdxdna accel/ivpu gpu/drm/panthor
)
drivers=("${all[@]}")
[ -z "${ONLY:-}" ] || read -ra drivers <<<"$ONLY"
work=$DRM_SAFE_CACHE/convert
table=$TOP/Documentation/convert-table.txt
[ -n "${ONLY:-}" ] || [ "$1" = table ] || rm -rf "$work"
mkdir -p "$work"

# convert DIR NAME: convert to $work/NAME, with a report in $work/NAME.report. Results of the other
# compiler and of coccicheck stay if the converted driver has not changed.
convert() {
	rm -rf "${work:?}/$2.new"
	python3 "$TOP/scripts/convert.py" --row --to "$work/$2.new" "$1" >"$work/$2.report" || return
	diff -r "$work/$2.new" "$work/$2" >/dev/null 2>&1 || rm -f "$work/$2".{gcc,clang}.{built,fails} "$work/$2".{cocci,reports}
	rm -rf "${work:?}/$2"
	mv "$work/$2.new" "$work/$2"
}

# stays: test that a device with a use of unknown type is left alone, with all code that needs it.
stays() {
	rm -rf "$work/unclear"
	cp -r "$TOP/tests/convert/before" "$work/unclear"
	echo 'struct drm_device *bar_any(void *p) { return &bar_of(p)->drm; }' >>"$work/unclear/bar_gem.c"
	convert "$work/unclear" unclear.after &&
		grep -q 'devm_drm_dev_alloc(): .*bar_of(p)->drm' "$work/unclear.after.report" &&
		! grep -rq 'drm_dev_ctx_alloc\|DRM_DEV_CTX' "$work/unclear.after"
}

# filled: test that objects are left alone if the driver fills in their pages.
filled() {
	rm -rf "$work/filled"
	cp -r "$TOP/tests/convert/embedded/before" "$work/filled"
	echo 'void corge_fill(struct corge_bo *bo, struct page **pages) { bo->base.pages = pages; }' >>"$work/filled/corge_gem.c"
	convert "$work/filled" filled.after &&
		grep -q 'drm_gem_shmem_create(): the driver fills in pages' "$work/filled.after.report" &&
		! grep -rq 'drm_shmem_' "$work/filled.after"
}

# kept: test that members of a struct drm_driver stay if one of them has a comment, or if the library's
# macro would show more of a client than the driver does.
kept() {
	local change

	for change in 's|^\t\.show_fdinfo = corge.*|\t/* And the clock */\n&|' '/^\t\.show_fdinfo = corge/d'; do
		rm -rf "$work/kept"
		cp -r "$TOP/tests/convert/embedded/before" "$work/kept"
		sed -i "$change" "$work/kept/corge_drv.c"
		convert "$work/kept" kept.after &&
			grep -q '\.gem_prime_import = drm_shmem_prime_import,' "$work/kept.after/corge_drv.c" || return
	done
}

# plain: test that members of a converted driver become the macro, and that a function that only calls
# the library's import goes.
plain() {
	rm -rf "$work/plain"
	cp -r "$work/corge" "$work/plain"
	sed -i 's|^\tDRM_SHMEM_RENDER_OPS_SGT_FDINFO.*|\t.gem_prime_import = corge_import,\
	.gem_prime_import_sg_table = drm_shmem_prime_import_sg_table,\n\t.show_fdinfo = corge_show_fdinfo,|
		s|^static const struct drm_driver|static struct drm_gem_object *corge_import(struct drm_device *drm, struct dma_buf *buf)\
{\n\treturn drm_shmem_prime_import(drm, buf);\n}\n\n&|' "$work/plain/corge_drv.c"
	! diff -r "$work/plain" "$work/corge" >/dev/null && convert "$work/plain" plain.after && diff -r "$work/corge" "$work/plain.after"
}

# again: test that a converted driver does not change again, until a function passes on a proof.
again() {
	convert "$work/bar" again && diff -r "$work/bar" "$work/again" || return 1
	sed 's/struct drm_dev_ctx_bound \*bound/struct bar_reg *reg/' "$TOP/tests/convert/before/bar_gem.c" \
		>"$work/again/bar_gem.c"
	convert "$work/again" again.after &&
		grep -q 'drm_shmem_sgt_or(lent, &reg->base.bound, &heap->shmem, ret, return ret)' \
			"$work/again.after/bar_gem.c"
}

# through_header: test a file that was ported by hand and includes the library's headers through the
# driver's own.
through_header() {
	rm -rf "$work/through"
	cp -r "$work/bar" "$work/through"
	sed -i '/#include "drm_\(dev_ctx\|shmem_safe\)\.h"/d' "$work/through/bar_gem.c"
	convert "$work/through" through.after && diff -r "$work/through" "$work/through.after"
}

# expected DIR NAME: test that DIR/before becomes DIR/after, and that DIR/left lists the other calls.
expected() {
	convert "$1/before" "$2" && diff -r "$1/after" "$work/$2" &&
		diff <(tail -n +2 "$1/left") <(tail -n +2 "$work/$2.report")
}

# idle NAME [UAPI]: test that a second run changes nothing, with the headers that have the ioctls' types.
idle() {
	rm -rf "$work/$1.twice"
	python3 "$TOP/scripts/convert.py" --row ${2:+--uapi "$2"} --to "$work/$1.twice" "$work/$1" >/dev/null &&
		diff -r "$work/$1" "$work/$1.twice" && rm -rf "$work/$1.twice"
}

# kbuild COMPILER ARG...: run the kernel's make for x86, because one of the drivers needs x86.
kbuild() {
	make ARCH=x86_64 -C "$TREE" O="$BUILD/convert-$1" --no-print-directory -s -j"$JOBS" \
		${llvm[$1]:+"LLVM=${llvm[$1]}"} "${@:2}"
}

# config COMPILER: make a configuration with all options that the drivers use.
config() {
	local version=${llvm[$1]}

	need_packages libelf-dev ${version:+"clang$version" "lld$version" "llvm$version"}
	{
		printf 'CONFIG_%s=y\n' 64BIT SMP COMPILE_TEST MODULES PCI PCI_MSI OF COMMON_CLK USB_SUPPORT USB SPI I2C \
			VIRTIO_MENU VIRTIO_PCI FB HYPERVISOR_GUEST PARAVIRT ACPI EFI BACKLIGHT_CLASS_DEVICE PM_DEVFREQ REGMAP \
			IOMMU_SUPPORT AMD_IOMMU GOOGLE_FIRMWARE DRM DRM_ACCEL PM DEBUG_FS CONFIGFS_FS MMU KUNIT SYNC_FILE X86_LOCAL_APIC
		printf 'CONFIG_%s=m\n' DRM_SAFE_KUNIT_TEST DRM_LIMA DRM_PANFROST DRM_V3D DRM_VKMS DRM_VGEM DRM_UDL DRM_GUD \
			DRM_HYPERV DRM_SSD130X DRM_ST7571 DRM_ST7571_I2C DRM_ST7920 DRM_APPLETBDRM DRM_BOCHS DRM_CIRRUS_QEMU \
			DRM_GM12U320 DRM_PIXPAPER DRM_VIRTIO_GPU DRM_POWERVR DRM_PANTHOR DRM_ACCEL_IVPU DRM_ACCEL_ROCKET \
			DRM_ACCEL_AMDXDNA DRM_ACCEL_ARM_ETHOSU HYPERV DRM_AST DRM_HISI_HIBMC DRM_MGAG200 \
			DRM_COREBOOTDRM DRM_EFIDRM DRM_OFDRM DRM_SIMPLEDRM DRM_VESADRM GOOGLE_COREBOOT_TABLE GOOGLE_FRAMEBUFFER_COREBOOT
	} >"$work/fragment"
	kbuild "$1" KCONFIG_ALLCONFIG="$work/fragment" allnoconfig && kbuild "$1" modules_prepare
}

# builds COMPILER NAME [SOURCES]: check that a converted driver compiles without a warning. modpost
# does not know the kernel's symbols, because the kernel is not built. Tests may include a header by
# its path in the kernel, and x86 does not read 64 bits of a device at once.
builds() {
	local dir=$work/$2 log symbols defines extra=

	rm -f "$dir.$1".{built,fails}
	[ ! -d "${3:-}/tests" ] || extra="-I$3/tests "
	! grep -rqw ioread64 "$dir" || extra+="-include linux/io-64-nonatomic-lo-hi.h "
	mapfile -t symbols < <(driver_symbols "$dir" "$BUILD/convert-$1/.config")
	defines=("${symbols[@]/#/-D}")
	defines=("${defines[@]/%/_MODULE=1}")
	if ! log=$(kbuild "$1" W=1 KBUILD_MODPOST_WARN=1 M="$dir" "${symbols[@]/%/=m}" \
		KCPPFLAGS="$extra${defines[*]}" modules 2>&1) || [ -z "$(find "$dir" -name '*.o' ! -name '*.mod.o')" ]; then
		touch "$dir.$1.fails"
		echo "$log"
		return 1
	fi
	! grep -v 'warning: pahole version differs' <<<"$log" | grep -E 'warning:|error:' || { touch "$dir.$1.fails"; return 1; }
	touch "$dir.$1.built"
	# Only one of the compilers has these warnings.
	find "$dir" \( -name '*.o' -o -name '.*.cmd' -o -name '*.mod*' -o -name Module.symvers -o -name modules.order \) -delete
}

# built NAME: print the compilers that build the converted driver.
built() {
	local one found=

	for one in gcc clang; do
		[ ! -e "$work/$1.$one.built" ] || found+="${found:+, }$one"
		[ ! -e "$work/$1.$one.fails" ] || found+="${found:+, }not $one"
	done
	echo "${found:-not tried}"
}

# reports NAME: print the reports of the rules, and the functions that they cannot parse. The
# reports are kept until the driver or the rules change.
reports() {
	local file=$work/$1.reports

	if [ ! -e "$file" ] || [ -n "$(find "$TOP/scripts/coccinelle" -maxdepth 1 -name '*.*' -newer "$file")" ]; then
		"$TOP/scripts/coccicheck.sh" "$work/$1" >"$file" || true
	fi
	sed -nE "s|^$work/$1/(.*: ERROR: )|\1|p; s|^$work/$1/([^ :]*):(\w+)$|\1: ERROR: \2() is not looked at|p
		s|^(.*spatch failed)|: ERROR: \1|p" "$file" | sort -u
}

# clean NAME: check that each report is about a call that is left, or is in cocci.accepted. That
# file has the reason and the work for a person.
clean() {
	local accepted=$TOP/tests/convert/cocci.accepted line file what known=0 new=0

	rm -f "$work/$1.cocci"
	while IFS= read -r line; do
		file=${line%%:*} what=${line#*: ERROR: }
		if grep -q "^$(cut -d: -f1,2 <<<"$line"): " "$work/$1.report"; then
			continue
		elif awk -F'|' -v d="$1" -v f="$file" -v w="$what" \
			'$1 == d && $2 == f && index(w, $3) { found = 1 } END { exit !found }' "$accepted"; then
			known=$((known + 1))
		else
			echo "$line"
			new=$((new + 1))
		fi
	done < <(reports "$1")
	grep -q '^[0-9]* passed, ' "$work/$1.reports" || { echo "coccicheck did not end"; return 1; }
	echo "$known $new" >"$work/$1.cocci"
	[ "$new" = 0 ]
}

# cleaned NAME: print the result of clean() for the table.
cleaned() {
	local known new

	[ -e "$work/$1.cocci" ] || { echo "not tried"; return; }
	read -r known new <"$work/$1.cocci"
	case $known,$new in
	*,[1-9]*) echo "$new not accepted" ;;
	0,*) echo clean ;;
	*) echo "$known accepted" ;;
	esac
}

# reasons: print each reason for calls that are left in the drivers, with the calls and their places.
reasons() {
	local driver name

	for driver in "${all[@]}"; do
		name=$(basename "$driver" .c)
		sed -nE "s/^([^|:]*):([0-9]*): ([^:]*)\(\): (.*)/\4|$name|\3|\1:\2/p" "$work/$name.report"
	done | sort -t'|' -k1,3 -s | awk -F'|' '
		$1 != why { printf "%s- %s:", n++ ? "\n" : "", why = $1; driver = call = ""; sep = "" }
		$2 != driver { printf "%s %s:", sep, driver = $2; call = ""; sep = "" }
		$3 != call { printf "%s ``%s``", sep, call = $3; sep = "" }
		{ printf "%s %s", sep, $4; sep = "," }
		END { print "" }'
}

# spaces: print the drivers with address spaces, and the number of their calls.
spaces() {
	local driver calls

	for driver in "${all[@]}"; do
		calls=$(grep -rhoE --include='*.[ch]' '\bdrm_gpu(vm|va)_[a-z_]+\(' "$TREE/drivers/$driver" | wc -l) || true
		[ "$calls" = 0 ] || printf -- '- %s: %s calls of drm_gpuvm and drm_gpuva\n' "$(basename "$driver" .c)" "$calls"
	done
}

# rows: print the rows of the table, and the calls that are left, with lines of the converted files.
# Calls that stay concern objects that the library does not support.
rows() {
	local driver name row

	printf '%s\n' ".. SPDX-License-Identifier: GPL-2.0-only OR MIT" \
		".. Written by make convert-check, with Linux $("${KMAKE[@]}" -s kernelversion)." "" \
		".. list-table::" "   :header-rows: 1" "   :widths: 14 8 8 8 8 14 8 10 32" "" \
		"   * - Driver" "     - Raw calls" "     - Converted" "     - Percent" "     - Stay" "     - Lines" "     - Builds" "     - Coccicheck" "     - Left by hand"
	for driver in "${all[@]}"; do
		name=$(basename "$driver" .c)
		IFS='|' read -r -a row < <(grep '|' "$work/$name.report" | head -n1)
		printf '   * - %s\n     - %s\n     - %s\n     - %s\n     - %s\n     - %s\n     - %s\n     - %s\n     -' "$name" \
			"${row[1]}" "${row[2]}" $((100 * row[2] / row[1])) "$(grep -c ': it stays$' "$work/$name.report" || true)" \
			"${row[3]}" "$(built "$name")" "$(cleaned "$name")"
		sed -n '2,$s/^[^ ]*: \([^:]*\)(): .*/\1/p' "$work/$name.report" | sort | uniq -c |
			awk '{ n = $1; $1 = ""; printf "%s %s%s", (NR > 1 ? "," : ""), n, $0 } END { print "" }'
	done
	printf '\nWhat is left, where in the converted driver, and what a person does about it:\n\n'
	reasons
	printf '\nAddress spaces are not counted, and stay:\n\n'
	spaces
}

# write_table: write the table if each driver has a result.
write_table() {
	local driver

	for driver in "${all[@]}"; do
		[ -e "$work/$(basename "$driver" .c).report" ] || return 0
	done
	rows >"$work/table"
	check "convert: the table is up to date" diff "$table" "$work/table" || true
	cp "$work/table" "$table"
}

if [ "$1" = table ]; then
	prepare_tree
	for report in "$work"/*.reports; do
		name=$(basename "$report" .reports)
		check "convert: $name: coccicheck says what is known" clean "$name"
	done
	write_table
	finish
	exit
fi
check "convert: a driver of ours becomes what is expected" expected "$TOP/tests/convert" bar
check "convert: and one with a table by a macro, plain objects and a token that is handed on" \
	expected "$TOP/tests/convert/more" qux
check "convert: and one whose device is pointed to, below another parent" expected "$TOP/tests/convert/separate" quux
check "convert: and one whose objects are embedded" expected "$TOP/tests/convert/embedded" corge
check "convert: and one whose objects can end half made" expected "$TOP/tests/convert/half" grault
check "convert: and one with objects of two kinds" expected "$TOP/tests/convert/kinds" garply
check "convert: and several whose devices begin with one structure" expected "$TOP/tests/convert/shared" waldo
for name in qux quux corge grault garply waldo; do check "convert: $name: a second run changes nothing" idle $name; done
check "convert: a device that is not known everywhere stays" stays
check "convert: an object whose pages the driver fills in stays" filled
check "convert: members of a driver stay that a macro would change" kept
check "convert: and become the macro if that is the same" plain
check "convert: what was converted stays" again
check "convert: and gets no header that it has through another one" through_header
if [ "$1" = expected ]; then
	finish
	exit
fi

prepare_tree
for compiler in "${compilers[@]}"; do
	check "convert: configuration for x86, $compiler" config "$compiler"
done
for name in bar qux quux corge grault garply waldo; do
	for compiler in "${compilers[@]}"; do
		check "convert: a driver of ours: $name builds with $compiler" builds "$compiler" "$name"
	done
done
for driver in "${drivers[@]}"; do
	name=$(basename "$driver" .c)
	check "convert: $name" convert "$TREE/drivers/$driver" "$name"
	check "convert: $name: a second run changes nothing" idle "$name" "$TREE/include/uapi/drm"
	for compiler in "${compilers[@]}"; do
		check "convert: $name: builds with $compiler" builds "$compiler" "$name" "$TREE/drivers/$driver"
	done
	[ -z "${COCCI:-}" ] || check "convert: $name: coccicheck says what is known" clean "$name"
done
write_table
finish
