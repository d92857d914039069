#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# mutants.sh: change the library in small ways, and list the changes that no test notices.
# Debian has no such tool for C that can build and boot a kernel, hence mutants.py.
# After an interruption, or out of time, the next call continues.
#
#   MUTANTS  number of changes (60)
#   MINUTES  time limit (60)
#   SEED     seed for the sample (1)
#   FILES    glob of the files to change (*)

. "$(dirname "$0")/env.sh"
locked "$@"

prepare_tree
build_uml release .kunitconfig
build_uml debug
export DRM_SAFE_PREPARED=$TREE
exec python3 "$TOP/scripts/mutants.py" run "$TOP" "$TREE" "$BUILD" "$TOP/out/mutants" \
	"MUTANTS=${MUTANTS:-60}" "MINUTES=${MINUTES:-60}" "SEED=${SEED:-1}" "FILES=${FILES:-*}"
