#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# litmus.sh: check the library's lock-free protocols, from tests/litmus, in the kernel's memory
# model. See litmus.py.

. "$(dirname "$0")/env.sh"
. "$TOP/scripts/apt.sh"
locked "$@"

HERD=$DRM_SAFE_CACHE/herd7

[ -x "$HERD/bin/herd7" ] || step "fetching herd7" unpack_tool herd7 herdtools7 libc6 libgmp10 >&2
prepare_tree >&2
MODEL=$TREE/tools/memory-model
[ -d "$MODEL" ] || die "no memory model in $TREE"
exec "$TOP/scripts/litmus.py" --herd "$HERD/bin/herd7" \
	--libdir "$HERD/usr/share/herdtools7/herd" --model "$MODEL"
