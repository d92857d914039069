#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# series.sh: make the library a series of patches to the kernel, in the branch drm-safe of
# TREE, a clean git work tree, or of the fetched source, of which it makes one. The mails
# come to out/series. What a patch is stands in series.txt.
# CHECK=1 proves of each patch that it builds without a warning with gcc and clang and W=1,
# passes checkpatch --strict and its KUnit suites, and that the mails make the same tree.
# ONLY='name...' checks these.

series_tree=${TREE:-}
. "$(dirname "$0")/env.sh"
. "$TOP/scripts/core-patches.sh"
locked "$@"

BRANCH='drm-safe'
MAILS=$TOP/out/series
work=$DRM_SAFE_CACHE/series$KEY

series() { python3 "$TOP/scripts/series.py" "$@"; }
in_tree() { git -C "$tree" "$@"; }

# kernel_repository: have a git work tree of the source in $work.
kernel_repository() {
	local source

	source=$(dirname "$(readlink -f "$TREE/Makefile")")
	[ ! -e "$work/.git/drm-safe-of" ] || [ "$(<"$work/.git/drm-safe-of")" != "$source" ] || return 0
	rm -rf "$work"
	cp -a --reflink=auto "$source" "$work"
	git -C "$work" init -q
	# Nobody keeps it: time is worth more than room.
	git -C "$work" config core.compression 0
	git -C "$work" config gc.auto 0
	git -C "$work" add -A -f
	git -C "$work" commit -q -m "${source##*/}"
	echo "$source" >"$work/.git/drm-safe-of"
}

# start_branch: from what the tree had before the series.
start_branch() {
	[ "$(in_tree rev-parse --abbrev-ref HEAD)" = $BRANCH ] ||
		in_tree update-ref refs/drm-safe/base HEAD
	[ -z "$(in_tree status --porcelain)" ] || die "$tree has files or changes that are in no commit"
	in_tree checkout -q -B $BRANCH refs/drm-safe/base
}

convert_driver() {
	python3 "$TOP/scripts/convert.py" --apply "$tree/drivers/gpu/drm/$1" >/dev/null || return
	series converted "$tree/drivers/gpu/drm/$1"
}

# make_patch NAME KIND [WHAT]: one commit.
make_patch() {
	local files=()

	case $2 in
	core) change_core series "$tree" "$3" ;;
	convert) convert_driver "$3" ;;
	files)
		# Some kernels' .gitignore has all files.
		mapfile -t files < <(series write "$1" "$tree")
		[ ${#files[@]} -gt 0 ] && in_tree add -f -- "${files[@]}"
		;;
	esac || { in_tree reset -q --hard; return 1; }
	in_tree add -u
	series message "$1" | in_tree commit -q -F - && in_tree update-ref "refs/drm-safe/patch/$1" HEAD
}

mails() {
	rm -rf "$MAILS"
	in_tree format-patch -q --cover-letter -o "$MAILS" refs/drm-safe/base.."$BRANCH" || return
	series cover "$MAILS/0000-cover-letter.patch" || return
	! grep -l '^Signed-off-by' "$MAILS"/*
}

# objects COMMIT: of the C files that it changes.
objects() {
	in_tree diff-tree -r --name-only --no-commit-id --diff-filter=AM "$1" -- 'drivers/*.c' |
		sed 's/\.c$/.o/'
}

# kernel_make LLVM ARG...: in a build directory for each compiler.
kernel_make() {
	local llvm=$1 dir=$BUILD/series${1:+-llvm}

	shift
	make ARCH=um -C "$tree" O="$dir" --no-print-directory -s -j"$JOBS" ${llvm:+LLVM=$llvm} "$@"
}

# configure NAME LLVM: what the suites of a patch want.
configure() {
	local dir=$BUILD/series${2:+-llvm}

	mkdir -p "$dir"
	series config "$1" >"$dir/wanted"
	"$tree/tools/testing/kunit/kunit.py" config --build_dir "$dir" --kunitconfig "$dir/wanted" \
		${2:+--make_options LLVM=$2} >"$dir/config.log" 2>&1 || { cat "$dir/config.log"; return 1; }
	kernel_make "$2" olddefconfig
}

# builds NAME LLVM: without a warning about a file that the patch changes.
builds() {
	local log files flags=()

	# See w1.sh.
	[ -z "$2" ] || flags=({KCFLAGS,CFLAGS_KERNEL,CFLAGS_MODULE}"=-Wno-null-pointer-arithmetic")
	configure "$@" || return
	mapfile -t files < <(objects "refs/drm-safe/patch/$1")
	log=$(kernel_make "$2" W=1 "${flags[@]}" "${files[@]}" drivers/gpu/drm/ 2>&1) || { echo "$log"; return 1; }
	! grep -E 'warning:|error:' <<<"$log" |
		grep -F "$(in_tree diff-tree -r --name-only --no-commit-id "refs/drm-safe/patch/$1")"
}

# The kinds of report that style.sh accepts of files of ours, and what is for who sends.
checkpatch() {
	local accepted

	accepted=$(sed -n '/^#/!s/^[^ ]* //p' "$TOP/scripts/checkpatch.accepted" | tr ' ' '\n' | sort -u | paste -sd,)
	in_tree format-patch -q --stdout -1 "refs/drm-safe/patch/$1" |
		"$tree/scripts/checkpatch.pl" --root "$tree" --strict --terse --show-types --no-summary --no-signoff \
			--ignore "$accepted,FILE_PATH_CHANGES" -
}

suites_pass() {
	local suites out

	mapfile -t suites < <(series show "$1" Suites)
	set -f
	for suite in "${suites[@]}"; do
		out=$("$tree/tools/testing/kunit/kunit.py" run --build_dir "$BUILD/series" \
			--kunitconfig "$BUILD/series/wanted" --jobs "$JOBS" "$suite" 2>&1) || { echo "$out"; return 1; }
		echo "$out" | grep -E 'Testing complete\. Ran [1-9]' || { echo "$out"; return 1; }
	done
}

# same_tree: git am of the mails gives what the branch has.
same_tree() {
	local dir=$DRM_SAFE_CACHE/series-am rc=0 patches

	patches=("$MAILS"/*.patch)

	in_tree worktree remove --force "$dir" 2>/dev/null || true
	in_tree worktree add -q --detach --no-checkout "$dir" refs/drm-safe/base || return
	git -C "$dir" sparse-checkout set include/drm include/linux drivers/gpu/drm drivers/dma-buf Documentation/gpu &&
		git -C "$dir" checkout -q && git -C "$dir" am -q "${patches[@]:1}" &&
		git -C "$dir" diff --quiet "$BRANCH" HEAD || rc=1
	in_tree worktree remove --force "$dir"
	return $rc
}

# check_patch NAME
check_patch() {
	in_tree checkout -q --detach "refs/drm-safe/patch/$1"
	check "$1: clang, W=1" builds "$1" -19
	check "$1: gcc, W=1" builds "$1" ""
	check "$1: checkpatch --strict" checkpatch "$1"
	[ -z "$(series show "$1" Suites)" ] || check "$1: KUnit" suites_pass "$1"
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
[ -n "$series_tree" ] || step "a git work tree of the kernel in $work" kernel_repository
start_branch
while read -r name kind what; do
	check "$name" make_patch "$name" "$kind" "$what"
done < <(series list)
check "mails in ${MAILS#"$TOP/"}" mails
if [ -n "${CHECK:-}" ]; then
	need_packages clang-19 lld-19 llvm-19
	while read -r name _; do
		[[ " ${ONLY:-$name} " != *" $name "* ]] || check_patch "$name"
	done < <(series list)
	in_tree checkout -q $BRANCH
	check "git am makes the same tree" same_tree
fi
finish
