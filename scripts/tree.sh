#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# tree.sh install DIR    put this directory into the kernel tree DIR, and hook it up
# tree.sh uninstall DIR  undo that
#
# If sourced, it only defines the functions.

SAFE=drivers/gpu/drm/safe
KCONFIG_HOOK='source "drivers/gpu/drm/safe/Kconfig"'
# shellcheck disable=SC2016
MAKEFILE_HOOK='obj-$(CONFIG_DRM_SAFE) += safe/'

# our_files: print the files of this directory: in a repository, all files that are not ignored, and
# elsewhere all files except build products.
our_files() {
	cd "$TOP"
	if git rev-parse --is-inside-work-tree >/dev/null 2>&1 && [ -e .git ]; then
		git ls-files -co --exclude-standard
	else
		find . -name .git -prune -o -path ./out -prune -o -type f ! -name '*.o' ! -name '*.ko' \
			! -name '*.mod*' ! -name '*.cmd' ! -name '*.order' ! -name '*.symvers' ! -name drm_safe.signalling -printf '%P\n'
	fi | while read -r file; do [ ! -f "$file" ] || echo "$file"; done | sort
}

# put FILE: replace FILE by standard input if they differ. Equal files keep their time, so make only
# rebuilds changed files.
put() {
	cat >"$1.new"
	if cmp -s "$1.new" "$1"; then rm "$1.new"; else mv "$1.new" "$1"; fi
}

# hook_after LINE REGEX: insert LINE after the last line that matches REGEX,
# unless it is there.
hook_after() {
	LINE=$1 awk -v regex="$2" '
		{ line[NR] = $0 }
		$0 == ENVIRON["LINE"] { there = 1 }
		$0 ~ regex { last = NR }
		END {
			if (!last)
				exit 1
			for (i = 1; i <= NR; i++) {
				print line[i]
				if (i == last && !there)
					print ENVIRON["LINE"]
			}
		}'
}

hook_kconfig() { hook_after "$KCONFIG_HOOK" '^source "drivers/gpu/drm/[a-z0-9]+/Kconfig"'; }
hook_makefile() { hook_after "$MAKEFILE_HOOK" '^obj-.*[+]=[ \t]*[a-z0-9]+/$'; }

# sums DIR: print checksums of the files on standard input that DIR has. One process reads all
# of them, because there are over a thousand.
sums() { (cd "$1" && xargs -r -d '\n' sha1sum -- 2>/dev/null) | sort; }

# copy_files DIR: copy this directory's files to DIR/$SAFE.
copy_files() {
	local to=$1/$SAFE list=$1/$SAFE/.installed file new

	mkdir -p "$to"
	new=$(our_files)
	comm -23 <(sums "$TOP" <<<"$new") <(sums "$to" <<<"$new") | cut -c43- | while read -r file; do
		mkdir -p "$to/$(dirname "$file")"
		rm -f "$to/$file"
		cp -P "$TOP/$file" "$to/$file"
	done
	[ ! -e "$list" ] || comm -13 <(echo "$new") "$list" | (cd "$to" && xargs -r -d '\n' rm -f)
	put "$list" <<<"$new"
}

# link_tree SOURCE DIR: make DIR a tree of links to SOURCE, except for the few directories
# and files that change. SOURCE is not modified. kunit.py works in the tree that contains
# it, so it must be a copy.
link_tree() {
	local source=$1 tree=$2 drm=drivers/gpu/drm dir entry own links
	local dirs=(drivers drivers/gpu "$drm" tools tools/testing)

	own=" ${dirs[*]} tools/testing/kunit $drm/Kconfig $drm/Makefile $SAFE .git .config "
	for dir in . "${dirs[@]}"; do
		mkdir -p "$tree/$dir"
		find "$tree/$dir" -maxdepth 1 -xtype l -delete
		links=()
		while read -r entry; do
			[[ $own == *" ${entry#./} "* ]] || links+=("$source/${entry#./}")
		done < <(cd "$source" && find "$dir" -mindepth 1 -maxdepth 1)
		ln -sfn -t "$tree/$dir" "${links[@]}"
	done
	cp -rT "$source/tools/testing/kunit" "$tree/tools/testing/kunit"
	hook_kconfig <"$source/$drm/Kconfig" | put "$tree/$drm/Kconfig"
	hook_makefile <"$source/$drm/Makefile" | put "$tree/$drm/Makefile"
}

install_tree() {
	local drm=$1/drivers/gpu/drm

	[ -f "$drm/Kconfig" ] || die "TREE=$1 is not a kernel source tree"
	[ ! -e "$1/$SAFE" ] || [ -e "$1/$SAFE/.installed" ] ||
		die "$1/$SAFE exists and was not made by install-tree"
	copy_files "$1"
	hook_kconfig <"$drm/Kconfig" | put "$drm/Kconfig"
	hook_makefile <"$drm/Makefile" | put "$drm/Makefile"
	say "installed in $1/$SAFE"
	advise
}

# advise: print the lines that a driver needs from now on.
advise() {
	cat <<-'END'
	A driver that uses it says so in its Kconfig entry:

	        select DRM_SAFE
	        select DRM_SAFE_GPUVM           # with GPU address spaces
	        select DRM_EXEC                 # with drm_shmem_objs_prepare()

	and in its Makefile:

	        ccflags-y += -I$(srctree)/drivers/gpu/drm/safe

	and includes drm_dev_ctx.h, drm_shmem_safe.h or drm_gpuvm_imm.h. To look at the library by itself,
	enable CONFIG_DRM_SAFE_SGPU, the sample, or CONFIG_DRM_SAFE_KUNIT_TEST.
	END
}

uninstall_tree() {
	local drm=$1/drivers/gpu/drm

	[ -f "$drm/Kconfig" ] || die "TREE=$1 is not a kernel source tree"
	[ ! -e "$1/$SAFE" ] || [ -e "$1/$SAFE/.installed" ] ||
		die "$1/$SAFE was not made by install-tree"
	rm -rf "${1:?}/$SAFE"
	grep -vxF "$KCONFIG_HOOK" "$drm/Kconfig" | put "$drm/Kconfig"
	grep -vxF "$MAKEFILE_HOOK" "$drm/Makefile" | put "$drm/Makefile"
	say "removed from $1"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
	. "$(dirname "$0")/env.sh"
	[ -n "${2:-}" ] || die "name the kernel tree with TREE=<dir>"
	"${1}_tree" "$(realpath -m "$2")"
fi
