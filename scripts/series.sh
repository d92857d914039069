#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# series.sh [TREE]: make a series of kernel patches from the library, in the branch drm-safe of
# TREE, a clean git work tree. Without TREE, it makes a work tree of the fetched source. The mails
# go to out/series. series.txt describes the patches.
# CHECK=1 checks that the files of each patch build without a warning with gcc and clang and W=1,
# each header by itself, that checkpatch --strict and its KUnit suites pass, and that the mails
# make the same tree. ONLY='name...' checks only these patches, and STEPS='gcc KUnit' makes only
# these checks of each patch. KCONFIG=debug runs the suites in a kernel with all debugging.
# CHECK=again checks the series of an earlier run. FROM=name keeps the patches before that one from
# an earlier run.

series_tree=${1:-}
. "$(dirname "$0")/env.sh"
. "$TOP/scripts/core-patches.sh"
locked "$@"

BRANCH='drm-safe'
MAILS=$TOP/out/series
work=$DRM_SAFE_CACHE/series$KEY
# make sets KCONFIG for its other commands, too. Here, only "debug" has a meaning.
[ "${KCONFIG:-}" = debug ] || KCONFIG=
export KCONFIG
KUNIT=$BUILD/series-kunit${KCONFIG:+-$KCONFIG}

series() { python3 "$TOP/scripts/series.py" "$@"; }
in_tree() { git -C "$tree" "$@"; }

# kernel_repository: provide a git work tree of the source in $work.
kernel_repository() {
	local source

	source=$(dirname "$(readlink -f "$TREE/Makefile")")
	[ ! -e "$work/.git/drm-safe-of" ] || [ "$(<"$work/.git/drm-safe-of")" != "$source" ] || return 0
	rm -rf "$work"
	cp -a --reflink=auto "$source" "$work"
	git -C "$work" init -q
	# The repository is temporary, so do not compress it.
	git -C "$work" config core.compression 0
	git -C "$work" config gc.auto 0
	git -C "$work" add -A -f
	git -C "$work" commit -q -m "${source##*/}"
	echo "$source" >"$work/.git/drm-safe-of"
}

# start_branch: start from the tree before the series, or from the patch before FROM.
start_branch() {
	local before=refs/drm-safe/base

	[ -z "${FROM:-}" ] ||
		before=refs/drm-safe/patch/$(series list | grep -B1 -x "$FROM" | head -n1)
	# An interrupted check leaves a commit of ours without a branch.
	case $(in_tree rev-parse --abbrev-ref HEAD) in
	"$BRANCH" | HEAD) in_tree merge-base --is-ancestor refs/drm-safe/base HEAD 2>/dev/null ;;
	*) false ;;
	esac || in_tree update-ref refs/drm-safe/base HEAD
	[ -z "$(in_tree status --porcelain)" ] || die "$tree has files or changes that are in no commit"
	in_tree checkout -q -B $BRANCH "$before"
}

convert_driver() {
	python3 "$TOP/scripts/convert.py" --apply "$tree/drivers/gpu/drm/$1" >/dev/null || return
	series converted "$tree/drivers/gpu/drm/$1"
}

# change NAME: make the changes of a patch.
change() {
	local what files

	for what in $(series show "$1" Core); do
		change_core series "$tree" "$what" || return
	done
	for what in $(series show "$1" Convert); do
		convert_driver "$what" || return
	done
	[ -n "$(series show "$1" Files)$(series show "$1" Tests)" ] || return 0
	mapfile -t files < <(series write "$1" "$tree")
	# The .gitignore of some kernels ignores all files, so add with -f.
	[ ${#files[@]} -gt 0 ] && in_tree add -f -- "${files[@]}"
}

# make_patch NAME: make the commit of a patch.
make_patch() {
	change "$1" || { in_tree reset -q --hard; return 1; }
	in_tree add -u
	series message "$1" | in_tree commit -q -F - && in_tree update-ref "refs/drm-safe/patch/$1" HEAD
}

# mails: make a directory for each cover letter. Its patches apply after the previous letter's.
mails() {
	local letter dir last from=refs/drm-safe/base base=()

	# A source without history has no base commit.
	[ -z "$series_tree" ] || base=(--base=refs/drm-safe/base)
	rm -rf "$MAILS"
	while read -r letter dir last; do
		in_tree format-patch -q --cover-letter "${base[@]}" -o "$MAILS/$dir" \
			"$from..refs/drm-safe/patch/$last" || return
		series cover "$letter" "$MAILS/$dir/0000-cover-letter.patch" || return
		from=refs/drm-safe/patch/$last
	done < <(series letters)
	! grep -rl '^Signed-off-by' "$MAILS"
}

# changed_by COMMIT [PATHSPEC]: print the changed files that exist after the commit.
changed_by() { in_tree diff-tree -r --name-only --no-commit-id --diff-filter=AM "$1" -- "${@:2}"; }

# objects COMMIT: print the objects of the changed C files that UML can compile. amdxdna needs
# MMU_NOTIFIER, which only other drivers select.
objects() { changed_by "$1" 'drivers/*.c' 'kernel/*.c' 'samples/*.c' |
	sed '/^drivers\/accel\/amdxdna\//d; s/\.c$/.o/'; }

# kernel_make DIR ARG...: show how many objects are compiled, and print the other output.
kernel_make() {
	make ARCH=um -C "$tree" O="$1" --no-print-directory -j"$JOBS" "${@:2}" |
		tee >(progress objects '^ *CC ' "${OBJECTS:-0}" >/dev/null) | sed '/^ *[A-Z]\+  */d'
}

# configure NAME DIR ARG...: configure with the symbols that the library has in this patch.
configure() {
	local dir=$2

	mkdir -p "$dir"
	series config "$1" >"$dir/wanted.new"
	! cmp -s "$dir/wanted.new" "$dir/wanted" || return 0
	kernel_make "$dir" "${@:3}" KCONFIG_ALLCONFIG="$dir/wanted.new" allnoconfig && mv "$dir/wanted.new" "$dir/wanted"
}

# headers_compile DIR COMMIT: compile each header of the commit by itself, and included twice.
headers_compile() {
	local dir=$1 cmd header headers rc=0

	# Take kbuild's command for a file of the DRM core, without its output files.
	cmd=$(sed -n '1s/^savedcmd_[^ ]* := \(.*\) -c -o .*/\1/p' "$dir/drivers/gpu/drm/.drm_drv.o.cmd" | sed 's/-Wp,-MMD,[^ ]*//')
	[ -n "$cmd" ] || { echo "no command compiles drm_drv.o"; return 1; }
	mapfile -t headers < <(changed_by "$2" 'include/*.h')
	for header in "${headers[@]}"; do
		(cd "$dir" && eval "$cmd -Werror -fsyntax-only -x c /dev/null -include $tree/$header -include $tree/$header") ||
			{ echo "$header does not compile by itself"; rc=1; }
	done
	return $rc
}

# kernel_doc COMMIT: run kernel-doc on the changed headers.
kernel_doc() {
	local headers

	mapfile -t headers < <(changed_by "$1" 'include/*.h')
	[ ${#headers[@]} = 0 ] || (cd "$tree" && python3 scripts/kernel-doc -none -Werror "${headers[@]}")
}

# builds NAME COMPILER [COMMIT]: build the C files and each header that the patch, or COMMIT,
# changes, with W=1, without a warning about these files.
builds() {
	local log files args=(W=1) commit=${3:-refs/drm-safe/patch/$1} dir=$BUILD/series-$2

	# See w1.sh.
	[ "$2" = gcc ] || args+=(LLVM=-19 {KCFLAGS,CFLAGS_KERNEL,CFLAGS_MODULE}"=-Wno-null-pointer-arithmetic")
	KCONFIG='' configure "$1" "$dir" "${args[@]}" || return
	mapfile -t files < <(objects "$commit")
	log=$(OBJECTS=${#files[@]} kernel_make "$dir" "${args[@]}" "${files[@]}" drivers/gpu/drm/drm_drv.o 2>&1) || { echo "$log"; return 1; }
	# kernel-doc's warnings begin with a capital. It has one warning about a comment of the
	# core.
	! grep -iE 'warning:|error:' <<<"$log" | grep -F "$(changed_by "$commit")" |
		grep -v 'expecting prototype for __drm_gem_shmem_release_sgt_locked' || return
	headers_compile "$dir" "$commit"
}

# checkpatch: run checkpatch.pl on a mail. The sender signs off later. has_maintainer() checks the
# same as FILE_PATH_CHANGES. The packages are for the system's Python, because a script of
# checkpatch.pl that fails would be a report, too.
checkpatch() {
	in_tree format-patch -q --stdout -1 "refs/drm-safe/patch/$1" |
		{ PATH=/usr/bin:$PATH "$tree/scripts/checkpatch.pl" --root "$tree" --strict --terse --showfile --show-types \
			--no-summary --no-signoff --ignore FILE_PATH_CHANGES - 2>&1 || true; } | series unaccepted
}

# suite_passes GLOB: check that the suites pass, and that they have a case.
suite_passes() {
	local out args=()

	[ "${KCONFIG:-}" != debug ] || args=(--kernel_args={ncpus=2,seccomp=on,kasan_multi_shot,slab_debug=F})
	out=$("$tree/tools/testing/kunit/kunit.py" exec --build_dir "$KUNIT" --timeout 1800 \
		"${args[@]}" "$1" 2>&1) || { echo "$out"; return 1; }
	echo "$out" | grep -E 'Testing complete\. Ran [1-9]' || { echo "$out"; return 1; }
}

# links NAME: link the whole kernel, with all changes up to this patch.
links() { configure "$1" "$KUNIT" && kernel_make "$KUNIT" all; }

# suites_pass NAME: run the suites in a kernel with all changes up to this patch.
suites_pass() {
	local suite suites

	links "$1" || return
	mapfile -t suites < <(series show "$1" Suites)
	for suite in "${suites[@]}"; do
		suite_passes "$suite" || return
	done
}

# documented: check that the pages build with the kernel's Sphinx set-up, without a warning.
documented() {
	need_packages python3-sphinx python3-yaml graphviz || return
	make -C "$tree" O="$BUILD/series-docs" --no-print-directory -s SPHINXDIRS=gpu/drm-safe \
		SPHINXOPTS="-W --keep-going -q" htmldocs
}

# same_tree COMMIT: check that git am of the mails gives the same tree.
same_tree() {
	local dir=$DRM_SAFE_CACHE/series-am$KEY rc=0 patches

	mapfile -t patches < <(series letters | while read -r _ letter _; do
		printf '%s\n' "$MAILS/$letter"/*.patch | grep -v '/0000-'
	done)
	# An interrupted run leaves a directory.
	rm -rf "$dir"
	in_tree worktree prune
	in_tree worktree add -q --detach --no-checkout "$dir" refs/drm-safe/base || return
	git -C "$dir" sparse-checkout set include drivers/{gpu/drm,accel,base,dma-buf} kernel/locking Documentation/gpu Documentation/litmus-tests samples &&
		git -C "$dir" checkout -q && git -C "$dir" am -q "${patches[@]}" &&
		git -C "$dir" diff --quiet "$1" HEAD || rc=1
	in_tree worktree remove --force "$dir"
	return $rc
}

# has_maintainer COMMIT: check that MAINTAINERS has the files that the commit adds.
has_maintainer() {
	local files

	mapfile -t files < <(in_tree diff-tree -r --name-only --no-commit-id --diff-filter=A "$1")
	[ ${#files[@]} = 0 ] || series orphans "$tree" "${files[@]}"
}

# check_step STEP CMD...: make one check of the patch $name, if it is in STEPS.
check_step() { [[ " ${STEPS:-$1} " != *" $1 "* ]] || check "$name: $1" "${@:2}"; }

# check_patch: check the patch $name.
check_patch() {
	local ref=refs/drm-safe/patch/$name

	in_tree checkout -q --detach "$ref"
	check_step MAINTAINERS has_maintainer "$ref"
	check_step checkpatch checkpatch "$name"
	check_step kernel-doc kernel_doc "$ref"
	check_step gcc builds "$name" gcc
	check_step clang builds "$name" clang
	if [ -n "$(series show "$name" Suites)" ]; then
		check_step KUnit suites_pass "$name"
	elif [ -n "$(series show "$name" Files)" ]; then
		check_step links links "$name"
	fi
	[[ $(series show "$name" Files) != *.rst* ]] || check_step Sphinx documented
}

fails() { ! "$@"; }

# plant FILE SED: change a file in a commit on top of a patch.
plant() {
	sed -i "$2" "$tree/$1"
	in_tree commit -q -a -m planted || die "$1 has no line that $2 changes"
	in_tree update-ref refs/drm-safe/patch/planted HEAD
}

# finds_later REGEX NAME SED: check that a changed list, in which a file of the patch NAME needs a
# later patch, is refused.
finds_later() {
	sed "$3" "$TOP/scripts/series.txt" >"$BUILD/planted.txt"
	{ SERIES=$BUILD/planted.txt series later "$2" || true; } | grep "$1" >/dev/null
}

# finds_unnamed: check that a message that names a patch that does not exist is refused.
finds_unnamed() {
	sed 's,^Subject: drm/safe: add entries that end with the binding of a device$,&!,' "$TOP/scripts/series.txt" >"$BUILD/planted.txt"
	{ SERIES=$BUILD/planted.txt series unnamed || true; } | grep 'is the first to use device_links_state' >/dev/null
}

# check_checks: check that each check finds a fault in a commit on top of a patch.
check_checks() {
	local planted=refs/drm-safe/patch/planted main=drivers/gpu/drm/drm_safe_main.c

	in_tree checkout -q --detach refs/drm-safe/patch/contexts
	plant $main 's/^EXPORT_SYMBOL_IF_KUNIT(drm_safe_forget.*/&\n\nstatic int planted( void )\n{\n\treturn 0;\n}/'
	check "a planted warning is found" fails builds contexts gcc $planted
	check "a planted line is found by checkpatch" fails checkpatch planted
	check "a suite without a case is found" fails suite_passes 'planted*'
	check "a tree that is not that of the mails is found" fails same_tree $planted
	in_tree checkout -q --detach refs/drm-safe/patch/contexts
	plant $main '/^#include <linux.module/a#include <drm/drm_shmem_obj.h>'
	check "a patch that needs a later one is found" fails builds contexts gcc $planted
	in_tree checkout -q --detach refs/drm-safe/patch/contexts
	plant include/drm/drm_dev_ctx.h '/^#include/d'
	check "a header that needs another is found" fails builds contexts gcc $planted
	in_tree checkout -q --detach refs/drm-safe/patch/contexts
	plant include/drm/drm_dev_ctx.h 's/^ \* @unreg: the token$/ * @token: the token/'
	check "a wrong kernel-doc is found" fails kernel_doc $planted
	in_tree checkout -q --detach refs/drm-safe/patch/contexts
	plant MAINTAINERS 's,^F:\tinclude/drm/drm_dev_ctx\*,F:\tinclude/drm/drm_dev_ctxt*,'
	check "a wrong path in MAINTAINERS is found" fails has_maintainer refs/drm-safe/patch/contexts
	in_tree update-ref -d $planted
	check "a header that names what a later patch declares is found" finds_later 'names .*, which no patch declares' \
		mappings '/^Until: drm_shmem_vmap.h/d'
	check "a function that a later patch defines is found" finds_later 'has .*() *, which no patch defines' \
		objects-base '/^Until: drm_shmem_reclaim.h/d'
	check "a user that a patch to the core does not name is found" finds_unnamed
	check "a tracepoint that a later patch makes is found" finds_later 'uses the tracepoint' \
		mappings 's/ drm_shmem_pages.c$//'
}

need_packages git coccinelle libpython3-dev unifdef
prepare_tree
tree=$work
if [ -n "$series_tree" ]; then
	tree=$(realpath "$series_tree")
	[ -e "$tree/.git" ] || die "TREE=$series_tree is not a git work tree"
fi
export GIT_AUTHOR_NAME=${GIT_AUTHOR_NAME:-$(git config user.name || echo drm-safe)}
export GIT_AUTHOR_EMAIL=${GIT_AUTHOR_EMAIL:-$(git config user.email || echo drm-safe@localhost)}
export GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL
if [ "${CHECK:-}" != again ]; then
	[ -n "$series_tree" ] || step "a git work tree of the kernel in $work" kernel_repository
	start_branch
	check "each file of the library is in a patch" series left-out
	check "no page names what stays here" series stays
	check "each patch to the core names the users of its functions" series unnamed
	mapfile -t names < <(series list | sed -n "/^${FROM:-.*}\$/,\$p")
	for name in "${names[@]}"; do
		check "$name" make_patch "$name"
	done
	check "mails in ${MAILS#"$TOP/"}" mails
fi
if [ -n "${CHECK:-}" ]; then
	# A script of checkpatch.pl for licence tags needs the last two.
	need_packages clang-19 lld-19 llvm-19 python3-ply python3-git
	mapfile -t names < <(series list)
	for name in "${names[@]}"; do
		[[ " ${ONLY:-$name} " != *" $name "* ]] || check_patch
	done
	[ -n "${STEPS:-}" ] || check_checks
	in_tree checkout -q $BRANCH
	check "git am makes the same tree" same_tree $BRANCH
fi
finish
