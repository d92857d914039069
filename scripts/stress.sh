#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# stress.sh: run everything at once on two SMP kernels, and check that no object is left:
# a kernel with modules, which come and go, and the debug kernel, which has lockdep.
#
#   MINUTES  duration (4)
#   UNBINDS  ... or number of unbinds while clients use the devices, with lockdep

. "$(dirname "$0")/env.sh"
. "$TOP/scripts/guest.sh"
locked "$@"

for name in MINUTES UNBINDS; do
	[[ ${!name:-1} =~ ^[1-9][0-9]{0,5}$ ]] || die "$name=${!name} is not a number of use"
done

prepare_tree
build_client
new_share
if [ -n "${UNBINDS:-}" ]; then
	# Each unbind gets a second.
	storm debug $((60 + UNBINDS))
else
	storm modular $((${MINUTES:-4} * 30))
	storm debug $((${MINUTES:-4} * 30))
fi
finish
