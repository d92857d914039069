#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# stress.sh: everything at once on two SMP kernels, and nothing alive after it: one
# with modules, which come and go, and the debug kernel, which has lockdep.
#
#   MINUTES  how long (4)
#   UNBINDS  ... or until devices were unbound and bound again so often while
#            clients work on them, with lockdep

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
	# What is to be done so often gets a second for each.
	storm debug $((60 + UNBINDS))
else
	storm modular $((${MINUTES:-4} * 30))
	storm debug $((${MINUTES:-4} * 30))
fi
finish
