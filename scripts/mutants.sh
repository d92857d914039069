#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# mutants.sh: change the library in small ways; see which changes no test notices.
# Debian has no such tool for C that can build and boot a kernel, hence mutants.py.
# Interrupted, or out of time, it goes on where it was when it is called again.
#
#   MUTANTS  how many (60)
#   MINUTES  for how long at most (60)
#   SEED     another makes another sample (1)
#   FILES    glob of the files to change (*)

. "$(dirname "$0")/env.sh"
locked "$@"

prepare_tree
build_uml release .kunitconfig
build_uml debug
export DRM_SAFE_PREPARED=$TREE
exec python3 "$TOP/scripts/mutants.py" run "$TOP" "$TREE" "$BUILD" "$TOP/out/mutants" \
	"MUTANTS=${MUTANTS:-60}" "MINUTES=${MINUTES:-60}" "SEED=${SEED:-1}" "FILES=${FILES:-*}"
