#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# sparse.sh: check that sparse reports nothing about the library, its tests and its sample.
# make misuse tests that sparse finds mistakes.
# DIR=<driver> checks a driver elsewhere.
# sparse.sh tool: provide a sparse that the kernel accepts, and print its name.

. "$(dirname "$0")/env.sh"
. "$TOP/scripts/apt.sh"
locked "$@"

SPARSE=$DRM_SAFE_CACHE/sparse/bin/sparse

# valid TOOL: run the test of the kernel's Makefile.
valid() { [ "$("$TREE/scripts/checker-valid.sh" "$1")" = 1 ]; }

prepare_tree >&2
if valid sparse; then
	SPARSE=sparse
elif [ ! -x "$SPARSE" ]; then
	# The kernel's headers need a newer sparse than releases of Debian have. sid's sparse needs
	# only sid's C library.
	step "fetching sparse" unpack_tool sparse sparse libc6 >&2
fi
if [ "${1:-}" = tool ]; then
	echo "$SPARSE"
	exit
fi

# silent CMD...: check that CMD succeeds and prints nothing.
silent() {
	local out rc=0

	out=$("$@" 2>&1) || rc=1
	[ -z "$out" ] || { echo "$out"; rc=1; }
	return $rc
}

if [ -n "${DIR:-}" ]; then
	[ -d "$DIR" ] || die "DIR=$DIR is not a directory"
	check "sparse: $DIR" compile_driver "$(realpath "$DIR")" sparse-driver driver.kunitconfig \
		W=1e C=2 CHECK="$SPARSE"
	finish
	exit
fi

# looked_at LOG: check that sparse has checked each file of the library.
looked_at() {
	local file rc=0

	for file in "$TOP"/drm_*.c; do
		grep -q "CHECK .*/${file##*/}$" "$1" || { echo "sparse did not look at ${file##*/}"; rc=1; }
	done
	return $rc
}

# Do not build the objects of make w1 again.
config_uml w1-modular modular.kunitconfig
export COMPILED=$DRM_SAFE_CACHE/log/sparse
mkdir -p "${COMPILED%/*}"
check "sparse" silent compile "$BUILD/w1-modular" W=1e C=2 CHECK="$SPARSE" drivers/gpu/drm/safe/
check "sparse looks at each file" looked_at "$COMPILED"
check "a run that looks at nothing is an error" fails_with "did not look at drm_dev_ctx.c" looked_at /dev/null
finish
