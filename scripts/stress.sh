#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# stress.sh: everything at once on the SMP debug kernel, and nothing alive after it.
#
#   MINUTES  how long (3)
#   UNBINDS  ... or until devices were unbound and bound again so often while
#            clients work on them. That is done without modules: for each word of
#            each stack that KASAN and kmemleak save, UML asks whether it is code
#            of a module, which takes three quarters of all time.

. "$(dirname "$0")/env.sh"
. "$TOP/scripts/guest.sh"
locked "$@"

for name in MINUTES UNBINDS; do
	[[ ${!name:-1} =~ ^[1-9][0-9]{0,5}$ ]] || die "$name=${!name} is not a number of use"
done
# What is to be done so often gets a second for each.
seconds=$((${MINUTES:-3} * 60))
if [ -n "${UNBINDS:-}" ]; then
	GUEST=debug
	seconds=$((60 + UNBINDS))
fi

prepare_tree
build_client
uml_guest "$CLIENT"
new_share
check_stress "everything at once" $seconds
finish
